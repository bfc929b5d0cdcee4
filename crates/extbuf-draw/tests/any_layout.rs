//! Whatever the layout: drawing it ends, no line is wider than asked, and the SVG is well-formed XML of modest size.

use extbuf_draw::{Colour, Drawing, TextOptions, TextStyle, draw_chain, draw_layout};
use extbuf_layout::{Layout, LayoutSpec, LevelSpec, s};
use proptest::prelude::*;

fn number() -> impl Strategy<Value = isize> {
    prop_oneof![
        4 => -40isize..40,
        2 => Just(0),
        2 => -5000isize..5000,
        1 => any::<i32>().prop_map(|n| n as isize),
        1 => any::<isize>(),
    ]
}

fn extent() -> impl Strategy<Value = isize> {
    prop_oneof![6 => 1isize..6, 1 => Just(0), 2 => 0isize..9000, 1 => any::<i32>().prop_map(|n| (n as isize).abs())]
}

/// Claims of every kind; those that are no layouts are thrown away.
fn layout() -> impl Strategy<Value = Layout> {
    let axes = prop_oneof![8 => 0usize..5, 1 => 5usize..9, 1 => Just(64)];
    let levels = prop_oneof![4 => Just(1usize), 4 => Just(2), 2 => Just(3), 1 => 4usize..7, 1 => Just(64)];
    (axes, levels)
        .prop_flat_map(|(axes, levels)| {
            // Many axes have room for few items each.
            let extent = if axes > 8 { (1isize..3).boxed() } else { extent().boxed() };
            let level = (number(), prop::collection::vec(number(), axes));
            let itemsize = prop_oneof![8 => 1usize..17, 1 => Just(0), 1 => 0usize..100_000];
            (itemsize, prop::collection::vec(extent, axes), prop::collection::vec(level, levels))
        })
        .prop_filter_map("not a layout", |(itemsize, shape, levels)| {
            let levels: Vec<_> =
                levels.iter().map(|(offset, strides)| LevelSpec { offset: *offset, strides }).collect();
            Layout::new(&LayoutSpec { itemsize, shape: &shape, levels: &levels }).ok()
        })
}

fn check(drawing: &Drawing, columns: usize) {
    for style in [TextStyle::Unicode, TextStyle::Ascii] {
        let text = drawing.to_text(TextOptions { columns, style, colour: Colour::None });
        for line in text.lines() {
            assert!(line.chars().count() <= columns, "wider than {columns}: {line}");
        }
        if style == TextStyle::Ascii {
            assert!(text.is_ascii(), "{text}");
        }
    }
    let plain = drawing.to_text(TextOptions { columns, style: TextStyle::Unicode, colour: Colour::None });
    let coloured = drawing.to_text(TextOptions { columns, style: TextStyle::Unicode, colour: Colour::Ansi });
    assert_eq!(trimmed(&without_escapes(&coloured)), trimmed(&plain));
    let svg = drawing.to_svg();
    roxmltree::Document::parse(&svg).expect("well-formed");
    assert!(svg.len() < 300_000, "{} bytes of SVG", svg.len());
}

fn without_escapes(text: &str) -> String {
    let mut parts = text.split('\x1b');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |all, part| all + part.split_once('m').expect("an escape ends with m").1)
}

/// Coloured blanks stay at the end of a line, plain ones do not.
fn trimmed(text: &str) -> Vec<&str> {
    text.lines().map(str::trim_end).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn a_layout(layout in layout(), columns in 0usize..140) {
        check(&draw_layout(&layout), columns);
        check(&draw_chain(&layout), columns);
    }

    #[test]
    fn a_layout_and_its_block(layout in layout(), block in prop_oneof![0usize..200, any::<usize>()], columns in 0usize..140) {
        check(&draw_layout(&layout).inside(block), columns);
    }

    #[test]
    fn one_layout_over_another(whole in layout(), part in layout(), columns in 0usize..140) {
        check(&draw_layout(&whole).keeping(&part), columns);
    }

    #[test]
    fn a_slice_over_its_layout(layout in layout(), start in 0isize..4, step in 1isize..3, back: bool) {
        let mut part = layout.clone();
        for axis in 0..layout.ndim() {
            let step = if back { -step } else { step };
            part = part.slice_axis(axis, extbuf_layout::Slice { start: None, stop: None, step: Some(step) }).unwrap();
            part = part.slice_axis(axis, start..).unwrap();
        }
        check(&draw_layout(&layout).keeping(&part), 80);
    }

    #[test]
    fn words_of_others(title in any::<String>(), note in any::<String>(), columns in 0usize..60) {
        let layout = Layout::strided(2, &[3], &[2], 0).unwrap();
        check_wide(&draw_layout(&layout).titled(&title).noted(&note), columns);
    }
}

/// As `check`, for text that may hold wide characters: the width is then counted by the terminal's rule.
fn check_wide(drawing: &Drawing, columns: usize) {
    let text = drawing.to_text(TextOptions { columns, ..TextOptions::default() });
    for line in text.lines() {
        assert!(line.chars().count() <= columns, "wider than {columns}: {line}");
        assert!(!line.chars().any(char::is_control), "{line:?}");
    }
    roxmltree::Document::parse(&drawing.to_svg()).expect("well-formed");
}

#[test]
fn an_image_of_any_height_is_a_small_picture() {
    let image = |rows: isize| {
        let levels = [LevelSpec { offset: 0, strides: &[8, 0] }, LevelSpec { offset: 0, strides: &[0, 4] }];
        Layout::new(&LayoutSpec { itemsize: 4, shape: &[rows, 7680], levels: &levels }).unwrap()
    };
    let lines = |rows| draw_layout(&image(rows)).to_text(TextOptions::default()).lines().count();
    assert_eq!(lines(4320), lines(1 << 40));
    let part = image(1 << 40).slice(s![1000..2000, 10..20]).unwrap();
    assert!(draw_layout(&image(1 << 40)).keeping(&part).to_svg().len() < 30_000);
}
