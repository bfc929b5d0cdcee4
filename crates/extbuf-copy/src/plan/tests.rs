//! Each pass on literal arrays.

// Runs a plan of nothing on null addresses.
#![allow(unsafe_code)]

use extbuf_layout::{Layout, LayoutSpec, LevelSpec, Order};

use super::list::List;
use super::passes::*;
use super::{Direction, Kernel, Loop, Loops, Plan, Split};
use crate::error::{CopyError, CopyErrorKind};
use crate::kernel::Level;

fn loops(literal: &[(usize, isize, isize)]) -> Loops {
    let loops: Vec<Loop> = literal.iter().map(|&(extent, dst, src)| Loop { extent, dst, src }).collect();
    Loops::from(&loops[..])
}

fn literal(loops: &[Loop]) -> Vec<(usize, isize, isize)> {
    loops.iter().map(|l| (l.extent, l.dst, l.src)).collect()
}

fn strided(itemsize: usize, shape: &[usize], strides: &[isize]) -> Layout {
    Layout::strided(itemsize, shape, strides, 0).unwrap()
}

fn rows(shape: &[isize], table: &[isize], inside: &[isize]) -> Layout {
    let levels = [LevelSpec { offset: 0, strides: table }, LevelSpec { offset: 0, strides: inside }];
    Layout::new(&LayoutSpec { itemsize: 1, shape, levels: &levels }).unwrap()
}

#[track_caller]
fn refused(result: Result<(), CopyError>) -> CopyErrorKind {
    result.unwrap_err().kind().clone()
}

#[test]
fn check_names_what_differs() {
    let of = |itemsize, shape: &[usize]| Layout::contiguous(itemsize, shape, Order::C).unwrap();
    assert_eq!(check(&of(4, &[2, 3]), &of(4, &[2, 3])), Ok(()));
    assert_eq!(refused(check(&of(4, &[6]), &of(4, &[2, 3]))), CopyErrorKind::Ndim { dst: 1, src: 2 });
    assert_eq!(
        refused(check(&of(4, &[2, 3]), &of(4, &[2, 4]))),
        CopyErrorKind::Shape { axis: 1, dst: 3, src: 4 }
    );
    assert_eq!(refused(check(&of(4, &[2]), &of(8, &[2]))), CopyErrorKind::Itemsize { dst: 4, src: 8 });
}

#[test]
fn a_destination_that_may_overlap_itself_is_refused() {
    let of = |shape: &[usize], strides: &[isize]| {
        let layout = strided(4, shape, strides);
        check(&layout, &layout)
    };
    assert_eq!(of(&[3, 5], &[-20, 4]), Ok(()));
    assert_eq!(of(&[3, 5], &[4, 12]), Ok(()));
    assert_eq!(of(&[3, 1], &[4, 0]), Ok(()));
    assert_eq!(of(&[3, 0], &[0, 0]), Ok(()));
    assert_eq!(refused(of(&[3, 5], &[0, 4])), CopyErrorKind::Overlap { axis: 0, stride: 0, span: 4 });
    assert_eq!(refused(of(&[3, 5], &[16, 4])), CopyErrorKind::Overlap { axis: 0, stride: 16, span: 20 });
    assert_eq!(refused(of(&[5], &[3])), CopyErrorKind::Overlap { axis: 0, stride: 3, span: 4 });
    // An axis that selects a pointer is the view's matter, one that moves nothing is not.
    let direct = strided(1, &[4, 5], &[5, 1]);
    assert_eq!(check(&rows(&[4, 5], &[8, 0], &[0, 1]), &direct), Ok(()));
    let twice = rows(&[4, 5], &[0, 0], &[0, 1]);
    assert_eq!(refused(check(&twice, &direct)), CopyErrorKind::Overlap { axis: 0, stride: 0, span: 1 });
}

fn split(dst: &Layout, src: &Layout) -> (List<usize, 8>, Loops) {
    let mut loops = Loops::new();
    (split_at_loads(dst, src, &mut loops), loops)
}

#[test]
fn split_at_loads_puts_what_moves_a_load_outside() {
    // Rows of a source, axes of the destination in the order height, width, channel.
    let src = rows(&[6, 1, 7, 3], &[8, 0, 0, 0], &[0, 0, 3, 1]);
    let dst = strided(1, &[6, 1, 7, 3], &[21, 0, 3, 1]);
    let (outer, inner) = split(&dst, &src);
    assert_eq!(outer[..], [0]);
    assert_eq!(literal(&inner), [(7, 3, 3), (3, 1, 1)]);
    // Column-major destination: two axes move loads, the further stride in the destination comes first.
    let src = rows(&[6, 7], &[48, 8], &[0, 0]);
    let (outer, inner) = split(&strided(1, &[6, 7], &[1, 6]), &src);
    assert_eq!(outer[..], [1, 0]);
    assert!(inner.is_empty());
    // A load on the destination's side counts as well.
    let dst = rows(&[6, 7], &[8, 0], &[0, 1]);
    let (outer, inner) = split(&dst, &strided(1, &[6, 7], &[1, 6]));
    assert_eq!(outer[..], [0]);
    assert_eq!(literal(&inner), [(7, 1, 6)]);
}

#[test]
fn orient_turns_the_destination_upwards() {
    let mut l = loops(&[(4, -12, 12), (3, 4, -4), (2, -1, -1)]);
    assert_eq!(orient(&mut l), (-36 - 1, 36 - 1));
    assert_eq!(literal(&l), [(4, 12, -12), (3, 4, -4), (2, 1, 1)]);
    assert_eq!(reverse(&mut l), (36 + 8 + 1, -36 - 8 + 1));
    assert_eq!(literal(&l), [(4, -12, 12), (3, -4, 4), (2, -1, -1)]);
}

#[test]
fn sort_follows_the_destination() {
    let mut l = loops(&[(2, 1, 9), (3, 100, 1), (4, 2, 27)]);
    sort(&mut l);
    assert_eq!(literal(&l), [(3, 100, 1), (4, 2, 27), (2, 1, 9)]);
}

#[test]
fn fuse_joins_loops_that_go_on() {
    let fused = |l: &[(usize, isize, isize)]| {
        let mut l = loops(l);
        fuse(&mut l);
        literal(&l)
    };
    assert_eq!(fused(&[]), []);
    assert_eq!(fused(&[(2, 60, 60), (3, 20, 20), (5, 4, 4)]), [(30, 4, 4)]);
    assert_eq!(fused(&[(2, 60, 30), (3, 20, 10), (5, 4, 4)]), [(6, 20, 10), (5, 4, 4)]);
    assert_eq!(fused(&[(2, 60, 0), (3, 20, 0), (5, 4, 4)]), [(6, 20, 0), (5, 4, 4)]);
    assert_eq!(fused(&[(2, 40, -40), (10, 4, -4)]), [(20, 4, -4)]);
    assert_eq!(fused(&[(2, 60, 4), (3, 20, 8)]), [(2, 60, 4), (3, 20, 8)]);
}

#[test]
fn absorb_makes_dense_items_one_unit() {
    let absorbed = |l: &[(usize, isize, isize)], unit| {
        let mut l = loops(l);
        let unit = absorb(&mut l, unit);
        (literal(&l), unit)
    };
    assert_eq!(absorbed(&[(7, 3, 30), (3, 1, 1)], 1), (vec![(7, 3, 30)], 3));
    assert_eq!(absorbed(&[(7, 4, 4)], 4), (vec![], 28));
    assert_eq!(absorbed(&[(7, 4, -4)], 4), (vec![(7, 4, -4)], 4));
    assert_eq!(absorbed(&[], 9), (vec![], 9));
}

#[test]
fn the_kernel_follows_from_the_innermost_loops() {
    let chosen = |l: &[(usize, isize, isize)], unit| {
        let mut l = loops(l);
        let (kernel, inner) = choose_kernel(&mut l, unit);
        assert_eq!(inner, 2);
        (kernel, literal(&l))
    };
    assert_eq!(chosen(&[], 100), (Kernel::Run, vec![]));
    assert_eq!(chosen(&[(7, 33, 50)], 33), (Kernel::Run, vec![(7, 33, 50)]));
    assert_eq!(chosen(&[(7, 4, 8)], 4), (Kernel::Items, vec![(7, 4, 8)]));
    assert_eq!(chosen(&[(7, 4, 0)], 4), (Kernel::Fill, vec![(7, 4, 0)]));
    assert_eq!(chosen(&[(9, 28, 4), (7, 4, 36)], 4), (Kernel::Transpose, vec![(9, 28, 4), (7, 4, 36)]));
    // The loop along which the source runs is brought next to the innermost.
    assert_eq!(
        chosen(&[(9, 140, 1), (5, 28, 500), (7, 4, 36)], 1),
        (Kernel::Transpose, vec![(5, 28, 500), (9, 140, 1), (7, 4, 36)])
    );
    // So is the loop along which short runs of the source follow one another, where the innermost is long.
    assert_eq!(
        chosen(&[(9, 14400, 64), (5, 2880, 4000), (45, 64, 576)], 64),
        (Kernel::Run, vec![(5, 2880, 4000), (9, 14400, 64), (45, 64, 576)])
    );
    let short = vec![(9, 2240, 64), (5, 448, 4000), (7, 64, 576)];
    assert_eq!(chosen(&short, 64), (Kernel::Run, short));
    let far = vec![(9, 14400, 65), (5, 2880, 4000), (45, 64, 576)];
    assert_eq!(chosen(&far, 64), (Kernel::Run, far));
    // Gray to three channels: the loop that repeats the source is not one that it runs along.
    assert_eq!(chosen(&[(9, 3, 0), (3, 1, 9)], 1), (Kernel::Items, vec![(9, 3, 0), (3, 1, 9)]));
}

#[test]
fn short_loops_are_tabulated_with_what_both_sides_run_along() {
    // Eleven axes of extent 2, reversed.
    let mut l = loops(&(0..11).map(|k| (2, 4 << (10 - k), 4 << k)).collect::<Vec<_>>());
    assert_eq!(choose_kernel(&mut l, 4), (Kernel::Table, 8));
    // What is left outside lies in the middle on both sides.
    assert_eq!(literal(&l[..3]), [(2, 256, 64), (2, 128, 128), (2, 64, 256)]);
    assert_eq!(literal(&l[3..5]), [(2, 4096, 4), (2, 2048, 8)]);
    assert_eq!(literal(&l[9..]), [(2, 8, 2048), (2, 4, 4096)]);
    // A table holds no more than so many items.
    let mut l = loops(&[(100, 4000, 3), (200, 20, 300), (5, 4, 100000)]);
    assert_eq!(choose_kernel(&mut l, 4), (Kernel::Transpose, 2));
    let mut l = loops(&[(200, 80, 300), (5, 16, 10), (4, 4, 100000)]);
    assert_eq!(choose_kernel(&mut l, 4), (Kernel::Table, 2));
}

#[test]
fn load_steps_are_taken_together_where_the_destination_runs_along_them() {
    let together =
        |step, l: &[(usize, isize, isize)], unit| take_together(step, &loops(l), unit, Kernel::Items);
    assert_eq!(together(1, &[(640, 480, 1)], 1), 64);
    assert_eq!(together(4, &[(640, 1920, 4)], 4), 64, "turned into columns");
    assert_eq!(together(-4, &[(640, 1920, 4)], 4), 16);
    assert_eq!(together(100, &[(640, 48_000, 100)], 100), 1);
    assert_eq!(together(640, &[(640, 1, 3)], 1), 1);
    assert_eq!(together(0, &[(640, 8, 8)], 8), 1);
    assert_eq!(together(1, &[], 1), 1);
    let planes = rows(&[480, 640], &[8, 0], &[0, 1]);
    let turned = Layout::contiguous(1, &[480, 640], Order::F).unwrap();
    assert_eq!(
        Plan::new(&turned, &planes).unwrap().at_level(Level::Portable).to_string(),
        "307200 bytes in 1 part
  load loop 0: 480 steps, dst +1, src +8 -> +0, 64 together
  loop 0: 640 steps, dst +480, src +1
  items of 1-byte units, portable"
    );
}

#[test]
fn parts_are_cut_from_the_outermost_loop_that_has_enough_steps() {
    let cut = |outer: &[usize], l: &[(usize, isize, isize)], unit, kernel, parts| {
        choose_split(outer, &loops(l), unit, (kernel, 2, 0), parts)
    };
    assert_eq!(cut(&[], &[(100, 8, 8)], 4, Kernel::Items, 1), (Split::Whole, 1, 1));
    assert_eq!(cut(&[4320], &[(7, 8, 8)], 4, Kernel::Items, 8), (Split::Load(0), 1, 8));
    assert_eq!(cut(&[], &[(2, 900, 0), (100, 8, 8)], 4, Kernel::Run, 8), (Split::Loop(1), 1, 8));
    // Nothing is long enough: the longest loop, and no empty part.
    assert_eq!(cut(&[3], &[(5, 8, 8)], 4, Kernel::Items, 8), (Split::Loop(0), 1, 5));
    // Tiles of 16 items are not cut through.
    assert_eq!(cut(&[], &[(100, 400, 4), (100, 4, 400)], 4, Kernel::Transpose, 4), (Split::Loop(0), 16, 4));
    // One long run is cut at multiples of a cache line.
    assert_eq!(cut(&[], &[], 1_000_000, Kernel::Run, 3), (Split::Unit, 64, 3));
    assert_eq!(cut(&[], &[], 100, Kernel::Run, 9), (Split::Unit, 64, 2));
}

#[test]
fn a_plan_says_what_it_will_do() {
    // A crop of an image in row pointers, written upside down and with the channels apart.
    let levels =
        [LevelSpec { offset: 800, strides: &[8, 0, 0] }, LevelSpec { offset: 150, strides: &[0, 3, 1] }];
    let src = Layout::new(&LayoutSpec { itemsize: 1, shape: &[40, 50, 3], levels: &levels }).unwrap();
    let dst = Layout::strided(1, &[40, 50, 3], &[-50, 1, 2000], 39 * 50).unwrap();
    let plan = Plan::new(&dst, &src).unwrap().at_level(Level::Portable);
    assert_eq!(
        plan.to_string(),
        "\
6000 bytes in 1 part
  load loop 0: 40 steps, dst -50, src +8 -> +0
  loop 0: 3 steps, dst +2000, src +1
  loop 1: 50 steps, dst +1, src +3
  transpose of 1-byte units, portable"
    );
    assert!(plan.with_parts(8).to_string().starts_with("6000 bytes in 8 parts, cut along load loop 0\n"));
}

#[test]
fn an_ordered_plan_keeps_the_order_of_addresses() {
    let layout = strided(2, &[5, 7], &[100, -4]);
    let forward = Plan::ordered(&layout, &layout, Direction::Forward).unwrap();
    assert_eq!((forward.kernel(), literal(forward.loops())), (Kernel::Move, vec![(5, 100, 100), (7, 4, 4)]));
    let backward = Plan::ordered(&layout, &layout, Direction::Backward).unwrap().with_parts(4);
    assert_eq!(literal(backward.loops()), [(5, -100, -100), (7, -4, -4)]);
    assert_eq!(backward.parts(), 1);
}

#[test]
fn two_indices_on_one_stored_pointer_are_no_destination() {
    let table = rows(&[9, 4], &[8, 0], &[0, 1]);
    let windows = table.windows(0, 2).unwrap();
    let src = Layout::contiguous(1, windows.shape(), Order::C).unwrap();
    assert_eq!(Plan::new(&windows, &src).unwrap_err().kind(), &CopyErrorKind::SharedPointer { axis: 0 });
    // For reading they are fine, and so are windows that do not overlap.
    assert!(Plan::new(&src, &windows).is_ok());
    let apart = table.slice_axis(0, 0..8).unwrap().tile(&[2, 4]).unwrap();
    let src = Layout::contiguous(1, apart.shape(), Order::C).unwrap();
    assert!(Plan::new(&apart, &src).is_ok());
}

#[test]
fn nothing_to_move_is_a_plan_too() {
    for (itemsize, shape) in [(4, &[3, 0, 5][..]), (0, &[3, 5]), (0, &[])] {
        let layout = Layout::contiguous(itemsize, shape, Order::C).unwrap();
        let plan = Plan::new(&layout, &layout).unwrap().with_parts(7);
        assert_eq!((plan.bytes(), plan.parts(), plan.loops().len()), (0, 1, 0));
        // SAFETY: there is nothing to move, no address is touched.
        unsafe {
            plan.run(std::ptr::null_mut(), std::ptr::null());
        }
    }
}
