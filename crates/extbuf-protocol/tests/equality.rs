//! Equality by value: against the answers of CPython, and over views of any layout.

mod any_view;

use any_view::{apply, cases, memory, numbers, twin};
use extbuf_format::Format;
use extbuf_layout::{Layout, Order};
use extbuf_protocol::{Array, Exporter, Memory, Request, View, Window};
use proptest::prelude::*;

fn items(format: &str, bytes: &[u8], shape: &[usize]) -> Window<'static> {
    let format = Format::parse(format).unwrap();
    let layout = Layout::contiguous(format.itemsize(), shape, Order::C).unwrap();
    let array = Array::new(Memory::from_vec(bytes.to_vec()), layout, format).unwrap();
    array.window(Request::FULL_RO).unwrap()
}

/// One item each: format and bytes.
const ITEMS: [(&str, &[u8]); 28] = [
    ("b", &[1]),
    ("B", &[1]),
    (">q", &[0, 0, 0, 0, 0, 0, 0, 1]),
    ("<I", &[1, 0, 0, 0]),
    ("?", &[1]),
    ("<d", &[0, 0, 0, 0, 0, 0, 0xf0, 0x3f]),
    ("<f", &[0, 0, 0xc0, 0x3f]),
    (">d", &[0x3f, 0xf8, 0, 0, 0, 0, 0, 0]),
    ("<e", &[0, 0x3e]),
    ("<d", &[0, 0, 0, 0, 0, 0, 0xf8, 0x7f]),
    ("<d", &[0, 0, 0, 0, 0, 0, 0, 0]),
    ("<d", &[0, 0, 0, 0, 0, 0, 0, 0x80]),
    ("<q", &[1, 0, 0, 0, 0, 0, 0x20, 0]),
    ("<d", &[0, 0, 0, 0, 0, 0, 0x40, 0x43]),
    ("<Q", &[0xff; 8]),
    ("<d", &[0, 0, 0, 0, 0, 0, 0xf0, 0x43]),
    ("b", &[0xff]),
    ("c", b"a"),
    ("1s", b"a"),
    ("B", b"a"),
    ("2s", b"ab"),
    ("3s", b"ab\0"),
    ("4p", b"\x02ab\0"),
    ("bb", &[1, 2]),
    (">hh", &[0, 1, 0, 2]),
    ("b3xb", &[1, 7, 7, 7, 2]),
    ("<dd", &[0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0x40]),
    ("<bd", &[1, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f]),
];

/// The pairs of them that CPython 3.11 finds equal, by `memoryview(a) == memoryview(b)` of `_testbuffer.ndarray`s.
#[rustfmt::skip]
const EQUAL: [(usize, usize); 53] = [
    (0, 0), (0, 1), (0, 2), (0, 3), (0, 4), (0, 5), (1, 1), (1, 2), (1, 3), (1, 4), (1, 5), (2, 2), (2, 3), (2, 4), (2, 5),
    (3, 3), (3, 4), (3, 5), (4, 4), (4, 5), (5, 5), (6, 6), (6, 7), (6, 8), (7, 7), (7, 8), (8, 8), (10, 10), (10, 11),
    (11, 11), (12, 12), (13, 13), (14, 14), (15, 15), (16, 16), (17, 17), (17, 18), (18, 18), (19, 19), (20, 20), (20, 22),
    (21, 21), (22, 22), (23, 23), (23, 24), (23, 25), (23, 26), (24, 24), (24, 25), (24, 26), (25, 25), (25, 26), (26, 26),
];

#[test]
fn values_are_equal_where_cpython_says_so() {
    for (i, (format_a, a)) in ITEMS.iter().enumerate() {
        for (j, (format_b, b)) in ITEMS.iter().enumerate() {
            let (window_a, window_b) = (items(format_a, a, &[1]), items(format_b, b, &[1]));
            let expected = EQUAL.contains(&(i.min(j), i.max(j)));
            let equal = window_a.view().equal_values(&window_b.view()).unwrap();
            assert_eq!(equal, expected, "{format_a} {a:?} and {format_b} {b:?}");
            assert_eq!(window_a.view() == window_b.view(), expected);
        }
    }
}

#[test]
fn shapes_count_and_padding_does_not() {
    let bytes = [1u8, 2, 3, 4, 5, 6];
    let flat = items("B", &bytes, &[6]);
    assert!(flat.view() != items("B", &bytes, &[2, 3]).view());
    assert!(flat.view() != items("B", &bytes[..5], &[5]).view());
    assert!(items("B", &[], &[0, 3]).view() != items("B", &[], &[0, 4]).view());
    assert!(items("B", &[], &[0]).view() == items("d", &[], &[0]).view());
    assert!(items("=bxh", &[1, 0, 2, 0], &[]).view() == items("=bxh", &[1, 9, 2, 0], &[]).view());
    // The same bytes of one format, among them what is no number.
    let nan = f64::NAN.to_ne_bytes();
    assert!(items("d", &nan, &[1]).view() != items("d", &nan, &[1]).view());
    // Any byte but zero is true.
    assert!(items("?", &[1, 0], &[2]).view() == items("?", &[2, 0], &[2]).view());
}

#[test]
fn items_without_a_value_err_and_are_unequal() {
    let objects = items("O", &[0; size_of::<usize>()], &[1]);
    assert!(objects.view().equal_values(&objects.view()).is_err());
    assert!(objects.view() != objects.view());
}

/// The same numbers in C order, as bytes of another format.
fn converted(format: &str, numbers: &[u16]) -> Vec<u8> {
    let bytes = |f: &dyn Fn(u16) -> Vec<u8>| numbers.iter().flat_map(|&n| f(n)).collect();
    match format {
        "<H" => bytes(&|n| n.to_le_bytes().into()),
        ">H" => bytes(&|n| n.to_be_bytes().into()),
        "<q" => bytes(&|n| i64::from(n).to_le_bytes().into()),
        ">d" => bytes(&|n| f64::from(n).to_be_bytes().into()),
        _ => unreachable!(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// A view equals its items written out in any format, and no longer when one of them differs.
    #[test]
    fn a_view_equals_its_items_written_out(
        case in cases(),
        format in prop_oneof![Just("<H"), Just(">H"), Just("<q"), Just(">d")],
        at in any::<prop::sample::Index>(),
    ) {
        let window = memory(&case);
        let (view, twin) = apply(&case, window.view(), twin(&case));
        let mut numbers = numbers(&twin);
        let written = items(format, &converted(format, &numbers), &twin.shape);
        prop_assert!(view == written.view());
        prop_assert!(written.view() == view);
        if !numbers.is_empty() {
            let at = at.index(numbers.len());
            numbers[at] ^= 1;
            let written = items(format, &converted(format, &numbers), &twin.shape);
            prop_assert!(view != written.view());
            prop_assert!(written.view() != view);
        }
    }

    /// Equal layouts of one format take the way of bytes, whatever the itemsize.
    #[test]
    fn equal_bytes_of_exact_formats_are_equal_values(
        case in cases(),
        size in 1usize..20,
        skip in 0usize..3,
        at in any::<prop::sample::Index>(),
    ) {
        let shape: Vec<usize> = case.shape.iter().copied().chain([3]).collect();
        let count: usize = shape.iter().product();
        let mut bytes: Vec<u8> = (0..count * size).map(|k| (k * 31 % 251) as u8).collect();
        let text = format!("{size}s");
        let (a, b) = (items(&text, &bytes, &shape), items(&text, &bytes, &shape));
        let part = |window: &Window<'static>| {
            window.map(|view| view.slice_axis(shape.len() - 1, skip as isize..)).unwrap()
        };
        prop_assert!(part(&a).view() == part(&b).view());
        prop_assert!(part(&a).view().transpose() == part(&b).view().transpose());
        if count > 0 {
            let at = at.index(bytes.len());
            bytes[at] ^= 0x40;
            let c = items(&text, &bytes, &shape);
            // Unequal where the byte is in the part.
            let seen = at / size % 3 >= skip;
            prop_assert_eq!(part(&a).view() != part(&c).view(), seen);
            prop_assert_eq!(part(&a).view().transpose() != part(&c).view().transpose(), seen);
        }
    }
}

#[test]
fn typed_views_compare_their_items() {
    let (a, b) = ([1u8, 2, 3], [3u8, 2, 1]);
    let a = View::from_slice(&a).typed::<u8>().unwrap();
    let b = View::from_slice(&b).typed::<u8>().unwrap();
    assert!(a != b);
    assert!(a == b.reverse_axis(0).unwrap());
}
