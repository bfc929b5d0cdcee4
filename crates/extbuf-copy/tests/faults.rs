//! The faults of the book's page "What can go wrong" that concern copies, by their numbers: overlap, objects, values that
//! do not fit, and copies that fail or stop on the way. What is refused has written nothing.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use extbuf_copy::{
    CopyErrorKind, CopyOptions, Plan, Progress, Threads, convert, copy, copy_within, fill, from_contiguous,
    to_contiguous, to_contiguous_as, to_vec,
};
use extbuf_format::{Element, Format, Value};
use extbuf_layout::{Layout, Order, Slice, SliceItem, s};
use extbuf_protocol::{Array, Buffer, Exporter, Memory, Request, ViewMut, Window};
use proptest::prelude::*;

fn window(text: &str, bytes: Vec<u8>) -> Window<'static> {
    let format = Format::parse(text).unwrap();
    let layout = Layout::contiguous(format.itemsize(), &[bytes.len() / format.itemsize()], Order::C).unwrap();
    Array::new(Memory::from_vec(bytes), layout, format).unwrap().window(Request::FULL).unwrap()
}

// With 32 bits there may be memory for all that a layout can reach.
#[cfg(target_pointer_width = "64")]
#[test]
fn fault_07_the_size_of_a_result_is_refused_before_there_is_one() {
    let one = [1u8];
    for (rows, columns) in [(1usize << 30, 1usize << 30), (1 << 40, 1 << 22), (1 << 61, 1)] {
        let vast = extbuf_protocol::View::from_slice(&one).broadcast_to(&[rows, columns]).unwrap();
        let expected = CopyErrorKind::Allocation { bytes: rows * columns };
        assert_eq!(*to_vec(&vast, Order::C).unwrap_err().kind(), expected);
        assert_eq!(*to_contiguous(&vast, Order::F).unwrap_err().kind(), expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any two slices of one line onto each other: as if the source were read first.
    #[test]
    fn fault_16_two_slices_of_one_line_copy_as_if_the_source_were_read_first(
        items in 1usize..60,
        start in -60isize..60, step in prop::sample::select(vec![-3isize, -2, -1, 1, 2, 3]),
        other in -60isize..60, by in prop::sample::select(vec![-3isize, -2, -1, 1, 2, 3]),
    ) {
        let taken = |start: isize, step: isize| {
            let slice = Slice::from(start..).by(step);
            let (first, by, len) = slice.resolve(items).unwrap();
            (0..len).map(|k| (first as isize + by * k as isize) as usize).collect::<Vec<_>>()
        };
        let (mut to, mut from) = (taken(start, step), taken(other, by));
        let len = to.len().min(from.len());
        to.truncate(len);
        from.truncate(len);
        let mut numbers: Vec<u32> = (0..items as u32).collect();
        let mut expected = numbers.clone();
        for (&to, &from) in to.iter().zip(&from) {
            expected[to] = from as u32;
        }
        let cut = |start: isize, step: isize, len: usize| {
            // The first `len` of them: where the next would be is the stop.
            let (first, by, _) = Slice::from(start..).by(step).resolve(items).unwrap();
            let stop = first as isize + by * len as isize;
            SliceItem::Slice(Slice { start: Some(first as isize), stop: (stop >= 0).then_some(stop), step: Some(by) })
        };
        if len > 0 {
            let mut view = ViewMut::from_slice(&mut numbers);
            copy_within(&mut view, [cut(start, step, len)], [cut(other, by, len)]).unwrap();
        }
        prop_assert_eq!(numbers, expected);
    }
}

#[test]
fn fault_16_a_shift_a_reversal_and_a_turn_within_one_block() {
    let mut line: Vec<u16> = (0..8).collect();
    copy_within(&mut ViewMut::from_slice(&mut line), s![1..], s![..-1]).unwrap();
    assert_eq!(line, [0, 0, 1, 2, 3, 4, 5, 6]);
    let mut line: Vec<u16> = (0..8).collect();
    copy_within(&mut ViewMut::from_slice(&mut line), s![..], s![..;-1]).unwrap();
    assert_eq!(line, [7, 6, 5, 4, 3, 2, 1, 0]);
    // Two combs through one block, no byte in common.
    let mut line: Vec<u16> = (0..8).collect();
    let report = copy_within(&mut ViewMut::from_slice(&mut line), s![..;2], s![1..;2]).unwrap();
    assert_eq!(line, [1, 1, 3, 3, 5, 5, 7, 7]);
    assert_eq!(report.overlap, extbuf_copy::Overlap::None);
}

#[test]
fn fault_16_a_destination_that_overlaps_itself_is_refused_with_its_numbers() {
    let plain = Layout::contiguous(4, &[5], Order::C).unwrap();
    for (stride, span) in [(0, 4), (1, 4), (3, 4), (-3, 4)] {
        let folded = Layout::strided(4, &[5], &[stride], 40).unwrap();
        let error = Plan::new(&folded, &plain).unwrap_err();
        assert_eq!(*error.kind(), CopyErrorKind::Overlap { axis: 0, stride, span });
        let text = error.to_string();
        assert!(
            text.contains("axis 0") && text.contains(&stride.to_string()) && text.contains('4'),
            "{text}"
        );
        // As a source it may be what it likes.
        Plan::new(&plain, &folded).unwrap();
    }
    Plan::new(&Layout::strided(4, &[5], &[-4], 40).unwrap(), &plain).unwrap();
}

#[test]
fn fault_16_serial_and_parallel_give_the_same_bytes_a_thousand_times() {
    let numbers: Vec<u32> = (0..300 * 200).map(|n: u32| n.wrapping_mul(2_654_435_761)).collect();
    let layout = Layout::contiguous(4, &[300, 200], Order::C).unwrap();
    let array = Array::new(Memory::from_vec(numbers), layout, u32::FORMAT).unwrap();
    let turned = array.window(Request::FULL_RO).unwrap().map(|view| view.permute(&[1, 0])).unwrap();
    let serial = CopyOptions { threads: Threads::ONE, ..CopyOptions::default() };
    let expected = serial.to_vec(&turned.view(), Order::C).unwrap().0;
    for threads in (2..=5).cycle().take(1000) {
        let options = CopyOptions { threads: Threads::AtMost(threads), ..CopyOptions::default() };
        assert!(options.to_vec(&turned.view(), Order::C).unwrap().0 == expected);
    }
}

#[test]
fn fault_17_what_may_only_be_read_is_no_destination() {
    let buffer = Buffer::from_vec(vec![1u8; 8]);
    let mut reading = buffer.window(Request::FULL_RO).unwrap();
    // There is no view to write through, so there is no copy to refuse.
    assert!(reading.view_mut().is_err());
    let copied = to_contiguous(&reading.view(), Order::C).unwrap();
    drop(reading);
    assert_eq!((buffer.live(), copied.view().as_bytes()), (0, Some(&[1u8; 8][..])));
}

#[test]
fn fault_19_orders_are_turned_and_padding_is_left() {
    let source = window("T{>h:a:xx>i:b:}", vec![1, 2, 0xee, 0xee, 3, 4, 5, 6]);
    let mut target = window("T{<h:a:xx<i:b:}", vec![0xa5; 8]);
    convert(&mut target.view_mut().unwrap(), &source.view()).unwrap();
    assert_eq!(target.view().as_bytes().unwrap(), [2, 1, 0xa5, 0xa5, 6, 5, 4, 3]);
}

#[test]
fn fault_20_bits_without_a_value_are_moved_as_bits_or_refused_as_values() {
    // NaN payloads pass through a copy and a change of order.
    let nan = 0x7ff4_dead_beef_0001u64;
    let source = window(">d", nan.to_be_bytes().to_vec());
    let turned = to_contiguous_as(&source.view(), &Format::parse("<d").unwrap(), Order::C).unwrap();
    assert_eq!(turned.view().as_bytes().unwrap(), nan.to_le_bytes());
    // Padding that nobody wrote is zero in a result and never what lay there.
    let padded = to_contiguous_as(&window("=h", vec![1, 0]).view(), &Format::parse("=h").unwrap(), Order::C);
    assert_eq!(padded.unwrap().view().as_bytes().unwrap(), [1, 0]);
}

#[test]
fn fault_26_objects_are_never_moved_by_their_bits() {
    for text in ["O", "T{q:a:O:b:}", "(2)O", "T{T{O:x:}:y:}"] {
        let format = Format::parse(text).unwrap();
        let objects = window(text, vec![0xa5; 2 * format.itemsize()]);
        for order in [Order::C, Order::F, Order::A] {
            assert_eq!(*to_vec(&objects.view(), order).unwrap_err().kind(), CopyErrorKind::Objects);
            assert_eq!(*to_contiguous(&objects.view(), order).unwrap_err().kind(), CopyErrorKind::Objects);
        }
        let mut target = window(text, vec![0x5a; 2 * format.itemsize()]);
        let before = target.view().as_bytes().unwrap().to_vec();
        let mut view = target.view_mut().unwrap();
        assert_eq!(*copy(&mut view, &objects.view()).unwrap_err().kind(), CopyErrorKind::Objects);
        assert!(convert(&mut view, &objects.view()).is_err() && fill(&mut view, Value::UInt(0)).is_err());
        assert_eq!(
            *from_contiguous(&mut view, &before, Order::C).unwrap_err().kind(),
            CopyErrorKind::Objects
        );
        drop(view);
        assert_eq!(target.view().as_bytes().unwrap(), before, "{text}");
    }
}

#[test]
fn fault_27_a_value_that_does_not_fit_is_found_before_the_first_byte_is_written() {
    for (from, to, bytes) in [
        ("=H", "B", [1u8, 0, 2, 0, 44, 1].to_vec()),
        ("=d", "=i", [1.0f64, 2.0, 1e12].iter().flat_map(|n| n.to_ne_bytes()).collect()),
    ] {
        let source = window(
            from,
            if cfg!(target_endian = "big") && from == "=H" { vec![0, 1, 0, 2, 1, 44] } else { bytes },
        );
        let format = Format::parse(to).unwrap();
        let mut target = window(to, vec![0xa5; 3 * format.itemsize()]);
        let error = convert(&mut target.view_mut().unwrap(), &source.view()).unwrap_err();
        let CopyErrorKind::Value(bad) = error.kind() else { panic!("{error}") };
        assert_eq!((bad.index.as_slice(), bad.format.as_str()), (&[2usize][..], to));
        assert!(error.to_string().contains(&bad.value), "{error}");
        assert!(target.view().as_bytes().unwrap().iter().all(|&byte| byte == 0xa5));
    }
}

#[test]
fn fault_27_a_copy_that_panics_or_stops_frees_what_it_took() {
    let buffer = Buffer::from_vec((0u64..1 << 19).collect());
    let window = buffer.window(Request::FULL_RO).unwrap().map(|view| view.reverse_axis(0)).unwrap();
    for threads in [Threads::ONE, Threads::AtMost(3), Threads::Pool] {
        let stop = |progress: Progress| {
            if progress.bytes_done > 1 << 20 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let options = CopyOptions { threads, progress: Some(&stop), ..CopyOptions::default() };
        let error = options.to_vec(&window.view(), Order::C).unwrap_err();
        let CopyErrorKind::Cancelled { done, parts } = *error.kind() else { panic!("{error}") };
        assert!(0 < done && done < parts);
        assert_eq!(error.to_string(), format!("stopped by the progress hook after {done} of {parts} parts"));
        let fails = |progress: Progress| -> ControlFlow<()> {
            assert!(progress.bytes_done < 1 << 20, "a worker panics");
            ControlFlow::Continue(())
        };
        let options = CopyOptions { threads, progress: Some(&fails), ..CopyOptions::default() };
        assert!(catch_unwind(AssertUnwindSafe(|| options.to_vec(&window.view(), Order::C))).is_err());
        assert_eq!(buffer.live(), 1);
    }
    // And afterwards everything works as if nothing had been.
    let copied = to_vec(&window.view(), Order::C).unwrap();
    assert_eq!(copied[..8], ((1u64 << 19) - 1).to_ne_bytes());
    drop(window);
    assert_eq!(buffer.live(), 0);
}
