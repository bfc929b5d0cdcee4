//! Small layouts and the text they are drawn as, letter for letter. The pointers in them have eight bytes.
#![cfg(target_pointer_width = "64")]

use extbuf_draw::{Colour, Drawing, TextOptions, TextStyle, draw_chain, draw_layout};
use extbuf_layout::{Layout, LayoutError, LayoutSpec, LevelSpec, Order, s};

/// The picture, without the numbers above it and the legend below.
fn picture(drawing: &Drawing, columns: usize, style: TextStyle) -> String {
    let text = drawing.to_text(TextOptions { columns, style, colour: Colour::None });
    let aside = ["shape", "kept:", "in the cells"];
    let body: Vec<&str> =
        text.split("\n\n").filter(|part| !aside.iter().any(|start| part.starts_with(start))).collect();
    format!("\n{}\n", body.join("\n\n").trim_end())
}

fn line() -> Result<Layout, LayoutError> {
    Layout::contiguous(4, &[4], Order::C)
}

fn rows(high: isize, wide: isize) -> Result<Layout, LayoutError> {
    Layout::from_suboffsets(4, &[high, wide], &[8, 4], Some(&[0, -1]), 0)
}

/// Seven loads; the axes step at the first level and at the last.
fn deep() -> Result<Layout, LayoutError> {
    let mut levels = [LevelSpec { offset: 8, strides: &[0, 0] }; 8];
    levels[0].strides = &[8, 0];
    levels[7] = LevelSpec { offset: 4, strides: &[0, 4] };
    Layout::new(&LayoutSpec { itemsize: 4, shape: &[2, 3], levels: &levels })
}

#[test]
fn a_negative_stride_points_left() -> Result<(), LayoutError> {
    let drawing = draw_layout(&line()?.slice(s![..;-1])?);
    assert_eq!(
        picture(&drawing, 80, TextStyle::Unicode),
        "
├─────── +12 offset ───────▶
                  ◀────────┤ axis 0: -4
┌────────┬────────┬────────┬────────┐
│   3    │   2    │   1    │   0    │
└────────┴────────┴────────┴────────┘
0        4        8       12       16
▲ base                         ▲ first
"
    );
    Ok(())
}

#[test]
fn items_outside_of_their_block_are_marked_and_measured() -> Result<(), LayoutError> {
    let drawing = draw_layout(&Layout::strided(4, &[4], &[-4], 4)?).inside(20);
    assert_eq!(
        picture(&drawing, 80, TextStyle::Unicode),
        "
                  ├────────▶ +4 offset
                  ◀────────┤ axis 0: -4
┌────────┬────────┬────────┬────────┬────────────┐
│xx 3 xxx│xx 2 xxx│   1    │   0    │░░░░ 12 ░░░░│
└────────┴────────┴────────┴────────┴────────────┘
-8      -4        0        4        8           20
                  ▲ base       ▲ first
├─────────────────▶ before the block: 8 bytes
                  ├──── the block: 20 bytes ─────▶
"
    );
    Ok(())
}

#[test]
fn a_transposed_array_is_visited_across_memory() -> Result<(), LayoutError> {
    let drawing = draw_layout(&Layout::contiguous(2, &[2, 3], Order::C)?.transpose());
    assert_eq!(
        picture(&drawing, 80, TextStyle::Unicode),
        "
├─────── axis 1: +6 ───────▶
├────────▶ axis 0: +2
┌────────┬────────┬────────┬────────┬────────┬────────┐
│   0    │   2    │   4    │   1    │   3    │   5    │
└────────┴────────┴────────┴────────┴────────┴────────┘
0        2        4        6        8       10       12
    ▲ first
"
    );
    Ok(())
}

#[test]
fn a_stride_of_0_loops() -> Result<(), LayoutError> {
    let drawing = draw_layout(&line()?.broadcast_to(&[3, 4])?);
    assert_eq!(
        picture(&drawing, 80, TextStyle::Unicode),
        "
↺ axis 0: +0, 3 times
├────────▶ axis 1: +4
┌────────┬────────┬────────┬────────┐
│ 0,4,8  │ 1,5,9  │ 2,6,10 │ 3,7,11 │
└────────┴────────┴────────┴────────┘
0        4        8       12       16
    ▲ first
"
    );
    Ok(())
}

#[test]
fn windows_visit_an_item_more_than_once() -> Result<(), LayoutError> {
    let drawing = draw_layout(&Layout::contiguous(2, &[4], Order::C)?.windows(0, 3)?);
    assert_eq!(
        picture(&drawing, 80, TextStyle::Unicode),
        "
├────────▶ axis 1: +2
├────────▶ axis 0: +2
┌────────┬────────┬────────┬────────┐
│   0    │  1,3   │  2,4   │   5    │
└────────┴────────┴────────┴────────┘
0        2        4        6        8
    ▲ first
"
    );
    Ok(())
}

#[test]
fn items_that_overlap_take_lanes() -> Result<(), LayoutError> {
    let drawing = draw_layout(&Layout::strided(4, &[4], &[2], 0)?);
    assert_eq!(
        picture(&drawing, 80, TextStyle::Unicode),
        "
├────▶ axis 0: +2
┌─────────┬─────────┐
│    0    │    2    │
└────┬────┴────┬────┴────┐
     │    1    │    3    │
     └─────────┴─────────┘
0    2    4    6    8   10
     ▲ first
"
    );
    Ok(())
}

#[test]
fn bytes_without_items_are_hatched() -> Result<(), LayoutError> {
    let drawing = draw_layout(&Layout::strided(1, &[2, 2], &[100, 2], 0)?);
    assert_eq!(
        picture(&drawing, 80, TextStyle::Unicode),
        "
├──────────── axis 0: +100 ─────────────▶
├── axis 1: +2 ───▶
┌────────┬────────┬────────┬────────────┬────────┬────────┬────────┐
│   0    │░░░░░░░░│   1    │░░░░ 97 ░░░░│   2    │░░░░░░░░│   3    │
└────────┴────────┴────────┴────────────┴────────┴────────┴────────┘
0        1        2        3           100      101      102      103
    ▲ first
"
    );
    Ok(())
}

#[test]
fn ascii_alone() -> Result<(), LayoutError> {
    let drawing = draw_layout(&Layout::strided(4, &[2, 2], &[12, 4], 8)?);
    assert_eq!(
        picture(&drawing, 80, TextStyle::Ascii),
        "
                  +------ axis 0: +12 ------->
+--- +8 offset --->
                  +--------> axis 1: +4
+-----------------+--------+--------+--------+--------+--------+
|/////////////////|   0    |   1    |////////|   2    |   3    |
+-----------------+--------+--------+--------+--------+--------+
0                 8       12       16       20       24       28
^ base                ^ first
"
    );
    Ok(())
}

#[test]
fn the_middle_of_a_large_image_is_left_out() -> Result<(), LayoutError> {
    let drawing = draw_layout(&Layout::contiguous(1, &[4320, 7680, 3], Order::C)?);
    assert_eq!(
        picture(&drawing, 80, TextStyle::Unicode),
        "
├───────────────── axis 0: +23040 ──────────────────▶
├──────── axis 1: +3 ─────────▶
├─────────▶ axis 2: +1
┌─────────┬─────────┬─────────┬─────────┐           ┌─────────┐
│ [0,0,0] │ [0,0,1] │ [0,0,2] │ [0,1,0] │ ⋯ 23036 ⋯ │ [1,0,0] │ ⋯
└─────────┴─────────┴─────────┴─────────┘           └─────────┘
0         1         2         3         4         23040     23041
     ▲ first
"
    );
    Ok(())
}

#[test]
fn what_a_slice_keeps_is_numbered() -> Result<(), LayoutError> {
    let drawing = draw_layout(&line()?).keeping(&line()?.slice(s![1..;2])?);
    assert_eq!(
        picture(&drawing, 80, TextStyle::Unicode),
        "
         ├── axis 0: +8 ───▶
├────────▶ +4 offset
┌────────┬────────┬────────┬────────┐
│        │   0    │        │   1    │
└────────┴────────┴────────┴────────┘
0        4        8       12       16
▲ base       ▲ first
"
    );
    Ok(())
}

#[test]
fn a_field_covers_part_of_each_item() -> Result<(), LayoutError> {
    let drawing =
        draw_layout(&Layout::contiguous(8, &[3], Order::C)?).keeping(&Layout::strided(4, &[3], &[8], 4)?);
    assert_eq!(
        picture(&drawing, 80, TextStyle::Unicode),
        "
    ├────────────▶ axis 0: +8
├───▶ +4 offset
┌───┬────────┬───┬────────┬───┬────────┐
│   │   0    │   │   1    │   │   2    │
└───┴────────┴───┴────────┴───┴────────┘
0   4        8  12       16  20       24
▲ base  ▲ first
"
    );
    Ok(())
}

#[test]
fn one_item() -> Result<(), LayoutError> {
    let drawing = draw_layout(&Layout::contiguous(8, &[], Order::C)?);
    assert_eq!(
        picture(&drawing, 80, TextStyle::Unicode),
        "
┌────────┐
│   0    │
└────────┘
0        8
    ▲ first
"
    );
    Ok(())
}

#[test]
fn no_item() -> Result<(), LayoutError> {
    let drawing = draw_layout(&Layout::contiguous(8, &[3, 0], Order::C)?);
    assert_eq!(
        picture(&drawing, 80, TextStyle::Unicode),
        "
no items: axis 1 has extent 0
"
    );
    Ok(())
}

#[test]
fn rows_behind_pointers() -> Result<(), LayoutError> {
    let drawing = draw_layout(&rows(3, 4)?);
    assert_eq!(
        picture(&drawing, 80, TextStyle::Unicode),
        "
                                       ├────────▶ axis 1: +4
                                       ┌────────┬────────┬────────┬────────┐
                      pointers   ┌────▶│   0    │   1    │   2    │   3    │
             ┬ base 0 ┌────────┐ │     └────────┴────────┴────────┴────────┘
  axis 0: +8 │        │ [0]  ●─┼─┘
             ▼      8 ├────────┤       ┌────────┬────────┬────────┬────────┐
                      │ [1]  ●─┼──────▶│   4    │   5    │   6    │   7    │
                   16 ├────────┤       └────────┴────────┴────────┴────────┘
                      │ [2]  ●─┼─┐
                   24 └────────┘ │     ┌────────┬────────┬────────┬────────┐
                                 └────▶│   8    │   9    │   10   │   11   │
                                       └────────┴────────┴────────┴────────┘
                                       0        4        8       12       16
"
    );
    Ok(())
}

#[test]
fn a_slice_behind_pointers_adds_two_offsets() -> Result<(), LayoutError> {
    let drawing = draw_layout(&rows(3, 4)?).keeping(&rows(3, 4)?.slice(s![1.., 1..3])?);
    assert_eq!(
        picture(&drawing, 80, TextStyle::Unicode),
        "
                                       ┌────────┬────────┬────────┬────────┐
                                 ┌────▶│        │        │        │        │
                      pointers   │     └────────┴────────┴────────┴────────┘
             ┬ base 0 ┌────────┐ │
   offset +8 │        │ [0]  ●─┼─┘     ├────────▶ +4 after the load
             ▼      8 ├────────┤                ├────────▶ axis 1: +4
  axis 0: +8 │        │ [1]  ●─┼──┐    ┌────────┬────────┬────────┬────────┐
             ▼     16 ├────────┤  └───▶│        │   0    │   1    │        │
                      │ [2]  ●─┼─┐     └────────┴────────┴────────┴────────┘
                   24 └────────┘ │
                                 │     ├────────▶ +4 after the load
                                 │     ┌────────┬────────┬────────┬────────┐
                                 └────▶│        │   2    │   3    │        │
                                       └────────┴────────┴────────┴────────┘
                                       0        4        8       12       16
"
    );
    Ok(())
}

#[test]
fn many_rows_in_few_columns() -> Result<(), LayoutError> {
    let drawing = draw_layout(&rows(4320, 7680)?);
    assert_eq!(
        picture(&drawing, 72, TextStyle::Unicode),
        "
                                            ├─────▶ axis 1: +4
                                            ┌─────┬─────┬─────┐
                                    ┌──────▶│ [0] │ [1] │ [2] │ ⋯
                      pointers      │       └─────┴─────┴─────┘
             ┬ base 0 ┌───────────┐ │
  axis 0: +8 │        │  [0]    ●─┼─┘       ┌─────┬─────┬─────┐
             ▼      8 ├───────────┤  ┌─────▶│ [0] │ [1] │ [2] │ ⋯
                      │  [1]    ●─┼──┘      └─────┴─────┴─────┘
                   16 ├───────────┤
                      │  [2]    ●─┼───┐     ┌─────┬─────┬─────┐
                   24 └───────────┘   └────▶│ [0] │ [1] │ [2] │ ⋯
                            ⋯               └─────┴─────┴─────┘
                34544 ┌───────────┐
                      │ [4318]  ●─┼──┐      ┌─────┬─────┬─────┐
                34552 ├───────────┤  └─────▶│ [0] │ [1] │ [2] │ ⋯
                      │ [4319]  ●─┼─┐       └─────┴─────┴─────┘
                34560 └───────────┘ │
                                    │       ┌─────┬─────┬─────┐
                                    └──────▶│ [0] │ [1] │ [2] │ ⋯
                                            └─────┴─────┴─────┘
                                            0     4     8    12 30720
"
    );
    Ok(())
}

#[test]
fn a_legend_too_long_for_a_line_takes_two() -> Result<(), LayoutError> {
    let text = draw_layout(&rows(2, 2)?).to_text(TextOptions { columns: 60, ..TextOptions::default() });
    let last: Vec<_> = text.trim_end().lines().rev().take(2).collect();
    assert_eq!(last, ["below them: bytes from where the pointer points", "in the cells: order of visits"]);
    Ok(())
}

#[test]
fn a_handle_is_a_table_of_one() -> Result<(), LayoutError> {
    let drawing = draw_layout(&Layout::from_derefoff(4, &[3], &[4], Some(&[Some(8)]), 0)?);
    assert_eq!(
        picture(&drawing, 80, TextStyle::Unicode),
        "
                        ├─────────────────▶ +8 after the load
         pointers                         ├────────▶ axis 0: +4
  base 0 ┌────────┐     ┌─────────────────┬────────┬────────┬────────┐
         │ ptr  ●─┼────▶│░░░░░░░░░░░░░░░░░│   0    │   1    │   2    │
       8 └────────┘     └─────────────────┴────────┴────────┴────────┘
                        0                 8       12       16       20
"
    );
    Ok(())
}

#[test]
fn elements_that_are_pointers() -> Result<(), LayoutError> {
    let drawing = draw_layout(&Layout::from_suboffsets(4, &[2], &[8], Some(&[4]), 0)?);
    assert_eq!(
        picture(&drawing, 80, TextStyle::Unicode),
        "
                                      ├────────▶ +4 after the load
                      pointers        ┌────────┬────────┐
             ┬ base 0 ┌────────┐ ┌───▶│░░░░░░░░│   0    │
  axis 0: +8 │        │ [0]  ●─┼─┘    └────────┴────────┘
             ▼      8 ├────────┤
                      │ [1]  ●─┼─┐    ├────────▶ +4 after the load
                   16 └────────┘ │    ┌────────┬────────┐
                                 └───▶│░░░░░░░░│   1    │
                                      └────────┴────────┘
                                      0        4        8
"
    );
    Ok(())
}

#[test]
fn rows_where_arrows_have_no_room() -> Result<(), LayoutError> {
    let drawing = draw_layout(&rows(4320, 7680)?);
    assert_eq!(
        picture(&drawing, 50, TextStyle::Unicode),
        "
                               ├─────▶ +4
                               ┌─────┬─────┐
                       ┌──────▶│ [0] │ [1] │ ⋯
         pointers      │       └─────┴─────┘
  base 0 ┌───────────┐ │
         │  [0]    ●─┼─┘       ┌─────┬─────┐
       8 ├───────────┤  ┌─────▶│ [0] │ [1] │ ⋯
         │  [1]    ●─┼──┘      └─────┴─────┘
      16 ├───────────┤
         │  [2]    ●─┼───┐     ┌─────┬─────┐
      24 └───────────┘   └────▶│ [0] │ [1] │ ⋯
               ⋯               └─────┴─────┘
   34544 ┌───────────┐
         │ [4318]  ●─┼──┐      ┌─────┬─────┐
   34552 ├───────────┤  └─────▶│ [0] │ [1] │ ⋯
         │ [4319]  ●─┼─┐       └─────┴─────┘
   34560 └───────────┘ │
         axis 0: +8    │       ┌─────┬─────┐
                       └──────▶│ [0] │ [1] │ ⋯
                               └─────┴─────┘
                               0     4     8 30720
"
    );
    Ok(())
}

#[test]
fn a_long_chain_leaves_out_its_middle() -> Result<(), LayoutError> {
    let drawing = draw_layout(&deep()?);
    assert_eq!(
        picture(&drawing, 140, TextStyle::Unicode),
        "
                      pointers            pointers                    pointers                                           ├───▶ +4
             ┬ base 0 ┌────────┐        0 ┌────────┐                0 ┌────────┐                                             ├───▶ +4
   offset +8 │        │░░░░░░░░│ ┌───────▶│░░░░░░░░│ ┌───────────────▶│░░░░░░░░│             ┌─────────────────────┐     ┌───┬───┬───┬───┐
             ▼      8 ├────────┤ │      8 ├────────┤ │              8 ├────────┤ ┌──────────▶│ ⋯ 4 more loads ⋯  ●─┼────▶│░░░│ 0 │ 1 │ 2 │
  axis 0: +8 │        │ [0]  ●─┼─┘        │ ptr  ●─┼─┘                │ ptr  ●─┼─┘           └─────────────────────┘     └───┴───┴───┴───┘
             ▼     16 └────────┘       16 └────────┘               16 └────────┘                                         0   4   8  12  16
                          ⋯               +8 after the load           +8 after the load
                   24
"
    );
    Ok(())
}

#[test]
fn a_chain_is_a_table_of_numbers() -> Result<(), LayoutError> {
    let drawing = draw_chain(&rows(3, 4)?.slice(s![1.., 1..3])?);
    assert_eq!(
        picture(&drawing, 80, TextStyle::Unicode),
        "
               offset     × k0      × k1
             ┌─────────┬─────────┬─────────┐
      base + │    8    │    8    │    0    │ = a0: a pointer
             └─────────┴─────────┴─────────┘

             ┌─────────┬─────────┬─────────┐
  load(a0) + │    4    │    0    │    4    │ = a1: the item
             └─────────┴─────────┴─────────┘
"
    );
    Ok(())
}

#[test]
fn colour_is_written_on_request_alone() -> Result<(), LayoutError> {
    let drawing = draw_layout(&line()?);
    assert!(!drawing.to_text(TextOptions::default()).contains('\x1b'));
    let coloured = drawing.to_text(TextOptions { colour: Colour::Ansi, ..TextOptions::default() });
    // The first item in black on cyan, the second on green.
    assert!(coloured.contains("│\x1b[0;30;46m   0    \x1b[0m│\x1b[0;30;42m   1    \x1b[0m│"), "{coloured}");
    Ok(())
}
