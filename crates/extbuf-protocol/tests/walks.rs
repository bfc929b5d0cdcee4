//! Iterators over views of any layout, against the slow walk of the twin.

mod any_view;

use std::collections::VecDeque;
use std::fmt::Debug;
use std::iter::FusedIterator;

use any_view::{apply, cases, memory, number, numbers, twin, without_broadcast};
use extbuf_format::Format;
use extbuf_layout::{Layout, Order};
use extbuf_protocol::{
    Array, Export, Exporter, Lease, Memory, RefusalKind, Request, Rows, TypedView, Unaligned, View, ViewMut,
};
use extbuf_testkit::layout_twin::all_indices;
use proptest::prelude::*;

/// What is asked of an iterator, drawn from numbers.
fn ask<T, I>(mut iterator: I, expected: Vec<T>, questions: &[[u8; 2]])
where
    T: PartialEq + Debug + Clone,
    I: ExactSizeIterator<Item = T> + DoubleEndedIterator + FusedIterator,
{
    let mut left: VecDeque<T> = expected.into();
    for &[kind, n] in questions {
        assert_eq!(iterator.len(), left.len());
        let n = usize::from(n) % (left.len() + 2);
        match kind % 6 {
            0 | 1 => assert_eq!(iterator.next(), left.pop_front()),
            2 | 3 => assert_eq!(iterator.next_back(), left.pop_back()),
            4 => {
                left.drain(..n.min(left.len()));
                assert_eq!(iterator.nth(n), left.pop_front());
            }
            _ => {
                left.truncate(left.len().saturating_sub(n));
                assert_eq!(iterator.nth_back(n), left.pop_back());
            }
        }
    }
    assert_eq!(iterator.len(), left.len());
    let rest: Vec<T> = iterator.by_ref().collect();
    assert_eq!(rest, Vec::from(left));
    assert!(iterator.next().is_none() && iterator.next_back().is_none() && iterator.next().is_none());
}

/// Both ways of a whole loop, and a cut.
macro_rules! check_iterator {
    ($make:expr, $expected:expr, $questions:expr, $cut:expr) => {{
        let expected = $expected.clone();
        ask($make, expected.clone(), $questions);
        let mut folded = Vec::new();
        $make.for_each(|item| folded.push(item));
        prop_assert_eq!(&folded, &expected);
        let mut folded = Vec::new();
        $make.rev().for_each(|item| folded.push(item));
        folded.reverse();
        prop_assert_eq!(&folded, &expected);
        let cut = $cut % (expected.len() + 1);
        let (low, high) = $make.split_at(cut);
        ask(low, expected[..cut].to_vec(), $questions);
        ask(high.clone(), expected[cut..].to_vec(), $questions);
        // A cut of a cut begins and ends inside lines.
        let rest = expected.len() - cut;
        let (middle, end) = high.split_at(rest / 2);
        let mut folded = Vec::new();
        middle.for_each(|item| folded.push(item));
        end.for_each(|item| folded.push(item));
        prop_assert_eq!(&folded, &expected[cut..]);
    }};
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 5 } else { 600 }))]

    #[test]
    fn iterators_come_to_every_item_in_c_order_from_both_ends(
        case in cases(),
        questions in prop::collection::vec(any::<[u8; 2]>(), 0..12),
        cut in any::<usize>(),
    ) {
        let window = memory(&case);
        let (view, twin) = apply(&case, window.view(), twin(&case));
        let expected = numbers(&twin);
        let bytes: Vec<Vec<u8>> = expected.iter().map(|n| n.to_ne_bytes().to_vec()).collect();
        let typed = view.clone().typed::<u16>().unwrap();
        let references: Vec<&u16> = expected.iter().collect();

        let items: Vec<&[u8]> = bytes.iter().map(Vec::as_slice).collect();
        check_iterator!(view.items(), items, &questions, cut);
        check_iterator!(typed.iter(), references, &questions, cut);
        check_iterator!(typed.values(), expected, &questions, cut);

        // Runs have one length, and are the same items.
        let run = typed.runs().slice_len();
        let pieces: Vec<&[u16]> = if expected.is_empty() { vec![] } else { expected.chunks(run).collect() };
        check_iterator!(typed.runs(), pieces, &questions, cut);
        prop_assert_eq!(view.runs().flatten().copied().collect::<Vec<u8>>(), bytes.concat());
        prop_assert_eq!(typed.as_slice().is_some(), typed.runs().len() <= 1);
        prop_assert_eq!(typed.as_slice().unwrap_or(&expected), &expected[..]);

        // Each item by its index.
        for (index, number) in all_indices(&twin.shape).iter().zip(&expected) {
            prop_assert_eq!(typed.get(index).unwrap(), *number);
            prop_assert_eq!(typed.get_ref(index).unwrap(), number);
        }
    }

    #[test]
    fn indices_come_with_their_items(case in cases(), questions in prop::collection::vec(any::<[u8; 2]>(), 0..12)) {
        let window = memory(&case);
        let (view, twin) = apply(&case, window.view(), twin(&case));
        let typed = view.typed::<u16>().unwrap();
        let (indices, expected) = (all_indices(&twin.shape), numbers(&twin));
        macro_rules! ranks { ($($n:literal)*) => { match twin.shape.len() { $(
            $n => {
                let pairs: Vec<([usize; $n], &u16)> =
                    indices.iter().map(|index| index[..].try_into().unwrap()).zip(&expected).collect();
                ask(typed.indexed::<$n>().unwrap(), pairs.clone(), &questions);
                let mut folded = Vec::new();
                typed.indexed::<$n>().unwrap().for_each(|pair| folded.push(pair));
                prop_assert_eq!(folded, pairs.clone());
                for (index, number) in pairs {
                    prop_assert_eq!(&typed[index], number);
                }
            }
        )* _ => prop_assert!(typed.indexed::<9>().is_err()) } } }
        ranks!(0 1 2 3 4 5 6);
    }

    #[test]
    fn parts_along_an_axis_are_the_views_at_its_indices(
        case in cases(),
        axis in 0usize..6,
        questions in prop::collection::vec(any::<[u8; 2]>(), 0..6),
    ) {
        let window = memory(&case);
        let (view, twin) = apply(&case, window.view(), twin(&case));
        if axis >= view.ndim() {
            prop_assert!(view.axis_iter(axis).is_err());
            return Ok(());
        }
        let show = |view: View<'_>| view.typed::<u16>().unwrap().values().collect::<Vec<_>>();
        let expected: Vec<Vec<u16>> = (0..twin.shape[axis])
            .map(|k| numbers(&twin.slice_axis(axis, extbuf_testkit::layout_twin::Cut::Fix(k))))
            .collect();
        // `map` of a fused iterator is fused.
        ask(view.axis_iter(axis).unwrap().map(show), expected.clone(), &questions);
        let typed = view.clone().typed::<u16>().unwrap();
        let parts = typed.axis_iter(axis).unwrap();
        ask(parts.clone().map(|part| part.values().collect::<Vec<_>>()), expected.clone(), &questions);
        let at = expected.len() / 2;
        let (low, high) = parts.split_at(at);
        prop_assert_eq!((low.len(), high.len()), (at, expected.len() - at));
        let (low, high) = view.axis_iter(axis).unwrap().split_at(at);
        prop_assert_eq!(low.chain(high).map(show).collect::<Vec<_>>(), expected);
        let (low, high) = view.clone().split_at(axis, at).unwrap();
        prop_assert_eq!((low.shape()[axis], high.shape()[axis]), (at, twin.shape[axis] - at));
        prop_assert!(view.split_at(axis, twin.shape[axis] + 1).is_err());
    }

    #[test]
    fn mutable_iterators_write_every_item_once(case in cases(), cut in any::<usize>()) {
        let case = without_broadcast(&case);
        let mut window = memory(&case);
        let (_, twin) = apply(&case, window.view(), twin(&case));
        let count = twin.places.len();
        let original = memory(&case);
        let check = |window: &extbuf_protocol::Window<'static>, expected: &dyn Fn(usize, u16) -> u16| {
            // Shown items hold what was written in C order, all others what they held.
            let mut whole: Vec<u16> = original.view().typed::<u16>().unwrap().values().collect();
            let places: Vec<_> = any_view::twin(&case).places;
            for (k, place) in twin.places.iter().enumerate() {
                let at = places.iter().position(|p| p == place).unwrap();
                whole[at] = expected(k, whole[at]);
            }
            assert_eq!(window.view().typed::<u16>().unwrap().values().collect::<Vec<_>>(), whole);
        };
        let shown = |window: &mut extbuf_protocol::Window<'static>, f: &dyn Fn(ViewMut<'_>)| {
            let view = window.view_mut().unwrap();
            f(apply(&case, view, any_view::twin(&case)).0);
        };
        shown(&mut window, &|view| {
            let mut typed = view.typed::<u16>().unwrap();
            typed.iter_mut().enumerate().for_each(|(k, item)| *item = k as u16);
        });
        check(&window, &|k, _| k as u16);
        shown(&mut window, &|view| {
            let (low, high) = view.typed::<u16>().unwrap().into_iter().split_at(cut % (count + 1));
            for item in low {
                *item += 1;
            }
            for item in high.rev() {
                *item += 1;
            }
        });
        check(&window, &|k, _| k as u16 + 1);
        shown(&mut window, &|view| {
            // All runs at once: none shares a byte with another.
            let mut runs: Vec<&mut [u8]> = view.runs_mut().collect();
            for run in &mut runs {
                run.fill(0xff);
            }
        });
        check(&window, &|_, _| 0xffff);
        shown(&mut window, &|view| {
            for (k, item) in view.items_mut().enumerate() {
                item.copy_from_slice(&(k as u16).to_ne_bytes());
            }
        });
        check(&window, &|k, _| k as u16);
        if !twin.shape.is_empty() {
            shown(&mut window, &|view| {
                let inner: usize = view.shape()[1..].iter().product();
                let parts: Vec<ViewMut<'_>> = view.axis_iter_mut(0).unwrap().collect();
                for (k, part) in parts.into_iter().enumerate() {
                    let mut part = part.typed::<u16>().unwrap();
                    part.iter_mut().enumerate().for_each(|(i, item)| *item = (k * inner + i) as u16 + 3);
                }
            });
            check(&window, &|k, _| k as u16 + 3);
        }
        if !twin.shape.is_empty() {
            shown(&mut window, &|view| {
                let mut typed = view.typed::<u16>().unwrap();
                let last = typed.ndim() - 1;
                for (k, mut part) in typed.axis_iter_mut(last).unwrap().enumerate() {
                    part.fill(k as u16);
                }
            });
            let extent = *twin.shape.last().unwrap();
            check(&window, &|k, _| (k % extent) as u16);
        }
        shown(&mut window, &|view| view.typed::<u16>().unwrap().fill(9));
        check(&window, &|_, _| 9);
    }

    /// Doubles inside packed records, or in rows that begin anywhere: proven aligned exactly where every address is, and
    /// always read as unaligned.
    #[test]
    fn alignment_is_that_of_every_address(
        case in cases(),
        size in 8usize..=24,
        at in 0usize..=16,
        skip in prop_oneof![Just(0usize), 0usize..8],
    ) {
        prop_assume!(at + 8 <= size);
        let case = any_view::Case { tables: case.tables.min(any_view::ROWS), ..case };
        let (row_shape, rows) = case.rows();
        let count = row_shape.iter().product::<usize>();
        let in_rows = case.tables == any_view::ROWS;
        let (size, at) = if in_rows { (8, 0) } else { (size, at) };
        let blocks: Vec<Vec<u8>> = (0..rows)
            .map(|row| {
                let mut bytes = vec![0u8; skip + size * count];
                for (k, item) in bytes[skip..].chunks_mut(size).enumerate() {
                    item[at..at + 8].copy_from_slice(&f64::from(number(row, k)).to_ne_bytes());
                }
                bytes
            })
            .collect();
        let window = if in_rows {
            let rows: Vec<&[Unaligned<f64>]> =
                blocks.iter().map(|block| bytemuck::cast_slice(&block[skip..])).collect();
            Rows::from_slices(&rows, row_shape).unwrap().window(Request::FULL_RO).unwrap()
        } else {
            let layout = Layout::contiguous(size, &case.shape, Order::C).unwrap();
            let format = Format::parse(&format!("=T{{{at}xd:x:{}x}}", size - at - 8)).unwrap();
            let lease = Lease::from_slice(&blocks[0][skip..]);
            let export = Export::described(lease, layout, format, Request::FULL_RO).unwrap();
            export.keep().map(|view| view.field("x")).unwrap()
        };
        let (view, twin) = apply(&case, window.view(), twin(&case));
        let expected: Vec<f64> = numbers(&twin).into_iter().map(f64::from).collect();
        let unaligned = view.clone().typed::<Unaligned<f64>>().unwrap();
        prop_assert_eq!(unaligned.iter().map(|x| x.get()).collect::<Vec<_>>(), expected.clone());
        let aligned = view.items().all(|item| item.as_ptr().addr() % align_of::<f64>() == 0);
        match view.typed::<f64>() {
            Ok(typed) => {
                prop_assert!(aligned);
                prop_assert_eq!(typed.values().collect::<Vec<_>>(), expected);
            }
            Err(refused) => {
                prop_assert!(!aligned);
                let misaligned = matches!(
                    refused.kind(),
                    // `f64` lies at multiples of 4 on some machines with 32 bits.
                    RefusalKind::Misaligned { needed, found: 1..=4 } if *needed == align_of::<f64>()
                );
                prop_assert!(misaligned, "{}", refused);
            }
        }
    }
}

#[test]
fn items_without_bytes_are_counted() {
    let nothing = [[0u64; 0]; 6];
    let view = View::from_slice(&nothing).new_axis(0).unwrap();
    assert_eq!(view.items().collect::<Vec<_>>(), vec![&[] as &[u8]; 6]);
    let typed = view.typed::<[u64; 0]>().unwrap();
    assert_eq!(typed.iter().len(), 6);
    assert_eq!(typed.values().count(), 6);
    assert_eq!(typed[[0, 5]], []);
    assert!(typed.runs().flatten().count() == 6);
}

#[test]
fn one_row_of_rows_is_a_slice_and_two_are_not() {
    let rows = Rows::from_vecs(vec![vec![1u32, 2, 3], vec![4, 5, 6]], &[3]).unwrap();
    let window = rows.window(Request::FULL_RO).unwrap();
    let typed = window.view().typed::<u32>().unwrap();
    assert_eq!(typed.as_slice(), None);
    assert_eq!(typed.clone().index_axis(0, 1).unwrap().as_slice(), Some(&[4, 5, 6][..]));
    assert_eq!(typed.slice_axis(0, ..1).unwrap().as_slice(), Some(&[1, 2, 3][..]));
}

#[test]
fn a_type_is_proven_or_refused_with_the_reason() {
    let numbers = [1.5f64, 2.5];
    let view = View::from_slice(&numbers);
    assert_eq!(view.clone().typed::<f64>().unwrap().as_slice(), Some(&numbers[..]));
    let refused = view.clone().typed::<i64>().unwrap_err();
    assert!(matches!(refused.kind(), RefusalKind::Format(_)));
    assert_eq!(refused.to_string(), "float in the format, signed integer in the type");

    let bools = [true, false, true];
    let flags = View::from_slice(&bools).reverse_axis(0).unwrap().typed::<bool>().unwrap();
    assert!(flags.iter().eq(&[true, false, true]));
    assert!(!TypedView::from_slice(&bools)[[1]]);
}

#[test]
fn an_index_outside_of_the_shape_panics_with_its_axis() {
    let view = TypedView::from_slice(&[1u8, 2, 3]);
    let panic = std::panic::catch_unwind(|| view[[3]]).unwrap_err();
    assert_eq!(panic.downcast_ref::<String>().unwrap(), "index 3 is outside axis 0 of extent 3");
    let panic = std::panic::catch_unwind(|| view[[0, 0]]).unwrap_err();
    assert_eq!(panic.downcast_ref::<String>().unwrap(), "an index of length 2 on a view of ndim 1");
}

#[cfg(feature = "rayon")]
mod parallel {
    use rayon::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]

        #[test]
        fn threads_come_to_the_same_items_in_the_same_order(case in cases()) {
            let window = memory(&case);
            let (view, twin) = apply(&case, window.view(), twin(&case));
            let expected = numbers(&twin);
            let typed = view.clone().typed::<u16>().unwrap();
            prop_assert_eq!(typed.par_iter().with_max_len(1).copied().collect::<Vec<_>>(), expected.clone());
            prop_assert_eq!(typed.values().into_par_iter().rev().collect::<Vec<_>>(),
                expected.iter().rev().copied().collect::<Vec<_>>());
            let runs = typed.runs().into_par_iter().with_max_len(1);
            prop_assert_eq!(runs.flat_map_iter(|run| run.iter().copied()).collect::<Vec<_>>(), expected.clone());
            prop_assert_eq!(view.items().into_par_iter().map(|item| item[0]).collect::<Vec<_>>(),
                expected.iter().map(|n| n.to_ne_bytes()[0]).collect::<Vec<_>>());
            if let Ok(indexed) = typed.indexed::<2>() {
                let mut pairs: Vec<_> = indexed.clone().collect();
                let walked: Vec<_> = indexed.clone().into_par_iter().with_max_len(1).collect();
                prop_assert_eq!(&walked, &pairs);
                pairs.reverse();
                let walked: Vec<_> = indexed.into_par_iter().with_max_len(3).rev().collect();
                prop_assert_eq!(walked, pairs);
            }
            if view.ndim() > 0 {
                let parts = view.axis_iter(0).unwrap().into_par_iter().with_max_len(1);
                let show = |part: View<'_>| part.typed::<u16>().unwrap().values().collect::<Vec<_>>();
                prop_assert_eq!(parts.map(show).collect::<Vec<_>>().concat(), expected);
            }
        }

        #[test]
        fn threads_write_every_item_once(case in cases()) {
            let case = without_broadcast(&case);
            let mut window = memory(&case);
            let count = {
                let (view, twin) = apply(&case, window.view_mut().unwrap(), twin(&case));
                let mut typed = view.typed::<u16>().unwrap();
                typed.par_iter_mut().with_max_len(1).enumerate().for_each(|(k, item)| *item = k as u16);
                twin.places.len()
            };
            let (view, _) = apply(&case, window.view(), twin(&case));
            prop_assert!(view.typed::<u16>().unwrap().values().eq(0..count as u16));
        }
    }
}

#[test]
fn fields_come_by_name_from_both_ends() {
    let format = Format::parse("<T{H:id:2xB:level:3h:path:}").unwrap();
    let bytes: Vec<u8> = (0..2 * format.itemsize() as u8).collect();
    let layout = Layout::contiguous(format.itemsize(), &[2], Order::C).unwrap();
    let lease = Lease::from_slice(&bytes);
    let window = Export::described(lease, layout, format, Request::FULL_RO).unwrap().keep();
    let view = window.view().reverse_axis(0).unwrap();
    let expected: Vec<(Option<&str>, String)> = ["id", "level", "path"]
        .into_iter()
        .map(|name| (Some(name), view.clone().field(name).unwrap().to_string()))
        .collect();
    let shown = view.fields().map(|(name, field)| (name, field.to_string()));
    for questions in [vec![], vec![[2, 0]], vec![[0, 0], [2, 0], [2, 0]], vec![[5, 1]]] {
        ask(shown.clone(), expected.clone(), &questions);
    }
    assert_eq!(view.clone().field("id").unwrap().fields().len(), 0);

    // A repeat of a thousand million fields is walked as far as it is asked for, and fields of bits are left out.
    let many = Format::parse("<1000000000B").unwrap();
    let layout = Layout::contiguous(many.itemsize(), &[0], Order::C).unwrap();
    let lease = Lease::from_slice::<u8>(&[]);
    let window = Export::described(lease, layout, many, Request::FULL_RO).unwrap().keep();
    assert_eq!(window.view().fields().len(), 1_000_000_000);
    assert_eq!(window.view().fields().take(3).count(), 3);
}

#[test]
fn all_fields_are_written_at_the_same_time() {
    let format = Format::parse("<T{H:id:2xB:level:3h:path:}").unwrap();
    let format_size = format.itemsize();
    let layout = Layout::contiguous(format_size, &[2, 3], Order::C).unwrap();
    let mut bytes = vec![0xEE_u8; layout.nbytes()];
    let array = Array::new(Memory::from_slice_mut(&mut bytes), layout, format).unwrap();
    let mut window = array.window(Request::FULL).unwrap();
    let mut view = window.view_mut().unwrap();
    assert!(view.fields_mut().rev().map(|(name, _)| name.unwrap()).eq(["path", "level", "id"]));

    let mut fields: Vec<_> = view.fields_mut().map(|(_, field)| field).collect();
    for (row, column) in (0..2).flat_map(|row| (0..3).map(move |column| (row, column))) {
        // By turns, while all of them are held; bytes that are no field's stay as they are.
        for (k, field) in fields.iter_mut().enumerate() {
            let item = field.item_mut(&[row, column]).unwrap();
            item.fill((16 * k + 4 * row + column) as u8);
        }
    }
    drop(window);
    drop(array);
    for (index, item) in bytes.chunks(format_size).enumerate() {
        let at = (4 * (index / 3) + index % 3) as u8;
        let expected = [[at; 2].as_slice(), &[0xEE; 2], &[16 + at], &[32 + at; 6]].concat();
        assert_eq!(item, expected);
    }
}

/// A type that says of itself what is not so: `Element` is a safe trait.
#[derive(Clone, Copy, Debug, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(transparent)]
struct Liar([u8; 32]);

impl extbuf_format::Element for Liar {
    const FORMAT: Format = <u8 as extbuf_format::Element>::FORMAT;
}

#[test]
fn a_type_that_is_not_as_large_as_its_format_is_refused() {
    let mut bytes = [1u8, 2, 3];
    let refused = View::from_slice(&bytes).typed::<Liar>().unwrap_err();
    assert_eq!(refused.kind(), &RefusalKind::ItemBytes { given: 32, itemsize: 1 });
    let refused = ViewMut::from_slice(&mut bytes).typed::<Liar>().unwrap_err();
    assert_eq!(refused.kind(), &RefusalKind::ItemBytes { given: 32, itemsize: 1 });
    assert!(std::panic::catch_unwind(|| TypedView::from_slice(&[Liar([0; 32])])).is_err());
}

#[test]
fn bytes_that_are_no_value_of_the_type_are_found_in_any_layout() {
    let mut bytes = [1u8, 0, 1, 1, 0, 1];
    let proven = |bytes: &[u8]| {
        let layout = Layout::strided(1, &[3, 2], &[-1, 3], 2).unwrap();
        let format = <bool as extbuf_format::Element>::FORMAT;
        let lease = Lease::from_slice(bytes);
        let window = Export::described(lease, layout, format, Request::FULL_RO).unwrap().keep();
        window.view().typed::<bool>().map(|flags| flags.iter().filter(|flag| **flag).count())
    };
    assert_eq!(proven(&bytes).unwrap(), 4);
    bytes[4] = 2;
    // Row 1 from the bottom, second column.
    let refused = proven(&bytes).unwrap_err();
    assert_eq!(refused.to_string(), "the byte 02 of the item at index [1, 1] is no value of bool");
}
