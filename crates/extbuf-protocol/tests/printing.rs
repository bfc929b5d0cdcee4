//! Views as text, against what NumPy prints.
//!
//! The table was printed by `tests/python/test_printing.py` with NumPy 2.4; that test compares it with the NumPy that is
//! there.

mod any_view;

use any_view::{apply, cases, memory, numbers, twin};
use extbuf_format::Format;
use extbuf_layout::{Layout, Order, s};
use extbuf_protocol::{Array, Exporter, Memory, Request, View, ViewMut, Window};
use proptest::prelude::*;

const TABLE: &str = include_str!("data/printed.txt");

fn array(format: &str, shape: &[usize], bytes: Vec<u8>) -> Window<'static> {
    let format = Format::parse(format).unwrap();
    let layout = Layout::contiguous(format.itemsize(), shape, Order::C).unwrap();
    Array::new(Memory::from_vec(bytes), layout, format).unwrap().window(Request::FULL_RO).unwrap()
}

fn show(view: &View<'_>, commas: bool) -> String {
    if commas { format!("{view:#}") } else { view.to_string() }
}

#[test]
fn a_view_is_printed_as_numpy_prints_an_array() {
    let mut count = 0;
    for case in TABLE.split("> ").skip(1) {
        let (head, text) = case.split_once('\n').unwrap();
        let parts: Vec<&str> = head.split(" | ").map(str::trim).collect();
        let [format, shape, separator, hex] = parts[..] else { panic!("{head}") };
        let shape: Vec<usize> =
            shape.split(',').filter(|n| !n.is_empty()).map(|n| n.parse().unwrap()).collect();
        let bytes = (0..hex.len() / 2).map(|k| u8::from_str_radix(&hex[2 * k..2 * k + 2], 16).unwrap());
        let window = array(format, &shape, bytes.collect());
        let shown = show(&window.view(), separator == "commas");
        assert_eq!(shown, text.trim_end_matches('\n'), "{format} {shape:?}");
        count += 1;
    }
    assert!(count > 100, "{count} cases");
}

proptest! {
    /// Numbers in brackets, by nothing but the shape and the list of them.
    #[test]
    fn the_text_is_that_of_the_items(case in cases()) {
        let window = memory(&case);
        let (view, twin) = apply(&case, window.view(), twin(&case));
        let text = view.to_string();
        let words: Vec<u16> =
            text.split(|c: char| !c.is_ascii_digit()).filter(|w| !w.is_empty()).map(|w| w.parse().unwrap()).collect();
        prop_assume!(twin.places.len() <= 1000);
        prop_assert_eq!(words, numbers(&twin));
        if !twin.places.is_empty() {
            // As many brackets as there are parts at every depth.
            let rows = (0..twin.shape.len()).map(|axis| twin.shape[..axis].iter().product::<usize>()).sum::<usize>();
            prop_assert_eq!(text.matches('[').count(), rows);
            prop_assert_eq!(text.matches(']').count(), rows);
        }
    }
}

#[test]
fn a_view_of_any_shape_is_shown_in_bounded_time() {
    let one = [7u8];
    let wide = View::from_slice(&one).broadcast_to(&[2; 28]).unwrap();
    assert!(wide.to_string().len() < 1 << 20);
    let long = View::from_slice(&one).broadcast_to(&[isize::MAX as usize]).unwrap();
    assert_eq!(long.to_string(), "[7 7 7 ... 7 7 7]");
}

#[test]
fn what_has_no_value_is_shown_as_a_question() {
    assert_eq!(array("O", &[2], vec![0; 2 * size_of::<usize>()]).view().to_string(), "[? ?]");
}

#[test]
fn text_bytes_and_addresses_are_shown_as_they_are() {
    assert_eq!(array("2s", &[2], b"ab\0'".to_vec()).view().to_string(), r"[b'ab' b'\x00\'']");
    assert_eq!(array("<2w", &[1], b"h\0\0\0i\0\0\0".to_vec()).view().to_string(), "['hi']");
    assert_eq!(
        array("[bfloat16]", &[2], [0x3f80u16, 0x3dcd].map(u16::to_ne_bytes).concat()).view().to_string(),
        "[1.  0.1]"
    );
}

#[test]
fn digits_are_as_many_as_asked_for() {
    let numbers = [1.0f64 / 3.0, 2.5];
    let view = View::from_slice(&numbers);
    assert_eq!(format!("{view:.3}"), "[0.333 2.5  ]");
    assert_eq!(format!("{view:#.0}"), "[0., 2.]");
}

#[test]
fn typed_and_mutable_views_are_shown_as_views() {
    let mut numbers = [1u8, 20, 3, 4];
    let mut view = ViewMut::from_slice(&mut numbers).slice(s![..;2]).unwrap();
    assert_eq!(view.to_string(), "[1 3]");
    let typed = view.reborrow().typed::<u8>().unwrap();
    assert_eq!(typed.to_string(), "[1 3]");
    assert_eq!(typed.as_typed().to_string(), "[1 3]");
    assert_eq!(view.index_axis(0, 1).unwrap().to_string(), "3");
}
