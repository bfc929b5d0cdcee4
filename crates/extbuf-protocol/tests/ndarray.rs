//! Views from and to those of `ndarray`: the same items, or a refusal that names what cannot be said.
#![cfg(feature = "ndarray")]

mod any_view;

use any_view::{apply, cases, memory, numbers, twin, without_broadcast};
use extbuf_layout::{EncodeRefusal, LayoutErrorKind, s};
use extbuf_protocol::{Array, Exporter, RefusalKind, Request, View, ViewMut};
use ndarray::{ArcArray, ArrayD, ArrayViewD, Axis, IxDyn};
use proptest::prelude::*;

/// Why `ndarray` cannot say it.
fn why(refused: &extbuf_protocol::Refusal) -> EncodeRefusal {
    let RefusalKind::Layout(error) = refused.kind() else { panic!("{refused}") };
    let LayoutErrorKind::NotEncodable { encoding: "ndarray", refusal, .. } = error.kind() else {
        panic!("{refused}")
    };
    *refusal
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_view_without_loads_is_an_ndarray_view(case in cases()) {
        let window = memory(&case);
        let (view, twin) = apply(&case, window.view(), twin(&case));
        let direct = view.layout().is_direct();
        match view.typed::<u16>().unwrap().to_ndarray() {
            Ok(array) => {
                prop_assert!(direct);
                prop_assert_eq!(array.shape(), &twin.shape[..]);
                prop_assert_eq!(array.iter().copied().collect::<Vec<_>>(), numbers(&twin));
                // And back: the very same view.
                let back = View::from_ndarray(array).unwrap();
                prop_assert_eq!(back.shape(), &twin.shape[..]);
                prop_assert!(back.typed::<u16>().unwrap().values().eq(numbers(&twin)));
            }
            Err(refused) => prop_assert_eq!(why(&refused), EncodeRefusal::Loads { loads: case.tables }),
        }
    }

    #[test]
    fn what_ndarray_writes_lands_in_the_items(case in cases()) {
        let case = without_broadcast(&any_view::Case { tables: any_view::BLOCK, ..case });
        let mut window = memory(&case);
        {
            let (view, _) = apply(&case, window.view_mut().unwrap(), twin(&case));
            let mut array = view.typed::<u16>().unwrap().into_ndarray().unwrap();
            for (k, item) in array.iter_mut().enumerate() {
                *item = k as u16;
            }
            // Through a view of ours on the mutable view of theirs.
            let mut again = ViewMut::from_ndarray(array).unwrap().typed::<u16>().unwrap();
            again.iter_mut().for_each(|item| *item += 1);
        }
        let (view, twin) = apply(&case, window.view(), twin(&case));
        prop_assert!(view.typed::<u16>().unwrap().values().eq(1..=twin.places.len() as u16));
    }

    /// Arrays of strides that `ndarray` itself made, as views and as exporters that outlive the array.
    #[test]
    fn arrays_of_any_strides_are_lent(
        shape in prop::collection::vec(0usize..5, 0..4),
        turns in prop::collection::vec(any::<(bool, u8)>(), 4),
    ) {
        let count: usize = shape.iter().product();
        let mut array = ArrayD::from_shape_vec(IxDyn(&shape), (0..count as i32).collect()).unwrap();
        for (axis, &(backwards, step)) in turns.iter().enumerate().take(shape.len()) {
            array.slice_axis_inplace(Axis(axis), ndarray::Slice::new(0, None, isize::from(step as i8 % 3).max(1)));
            if backwards {
                array.invert_axis(Axis(axis));
            }
        }
        let array = array.reversed_axes();
        let expected: Vec<i32> = array.iter().copied().collect();
        let shown = array.shape().to_vec();
        let view = View::from_ndarray(array.view()).unwrap();
        prop_assert_eq!(view.shape(), &shown[..]);
        prop_assert!(view.typed::<i32>().unwrap().values().eq(expected.iter().copied()));

        let shared: ArcArray<i32, IxDyn> = array.clone().into_shared();
        let exporter = Array::from_shared_ndarray(shared.clone()).unwrap();
        prop_assert!(exporter.window(Request::FULL).is_err());
        let window = exporter.window(Request::FULL_RO).unwrap();
        // Writing to the other share copies it.
        let mut other = shared;
        other.iter_mut().for_each(|item| *item = -1);
        drop((other, exporter));
        prop_assert!(window.view().typed::<i32>().unwrap().values().eq(expected.iter().copied()));

        let exporter = Array::from_ndarray(array).unwrap();
        let mut window = exporter.window(Request::FULL).unwrap();
        drop(exporter);
        prop_assert!(window.view().typed::<i32>().unwrap().values().eq(expected.iter().copied()));
        window.view_mut().unwrap().typed::<i32>().unwrap().fill(5);
        prop_assert!(window.view().typed::<i32>().unwrap().values().all(|item| item == 5));
    }
}

#[test]
fn a_stride_that_is_no_whole_number_of_items_is_refused_with_its_axis() {
    let bytes = [0u8; 24];
    // Pairs of bytes, three apart.
    let layout = extbuf_layout::Layout::strided(2, &[2, 3], &[12, 3], 0).unwrap();
    let format = extbuf_format::Format::parse("=H").unwrap();
    let lease = extbuf_protocol::Lease::from_slice(&bytes);
    let window = extbuf_protocol::Export::described(lease, layout, format, Request::FULL_RO).unwrap().keep();
    let typed = window.view().typed::<extbuf_protocol::Unaligned<u16>>().unwrap();
    let refused = typed.to_ndarray().unwrap_err();
    assert_eq!(why(&refused), EncodeRefusal::NotWholeItems { stride: 3, itemsize: 2 });
    assert!(refused.to_string().contains("axis 1"), "{refused}");
    // Of one column there is no such step.
    assert_eq!(typed.slice(s![.., 1..2]).unwrap().to_ndarray().unwrap().shape(), [2, 1]);
}

#[test]
fn shapes_without_items_and_items_without_bytes() {
    let none: [u64; 0] = [];
    let view = View::from_slice(&none).new_axis(0).unwrap().broadcast_to(&[7, 3, 0]).unwrap();
    assert_eq!(view.typed::<u64>().unwrap().to_ndarray().unwrap().shape(), [7, 3, 0]);
    let huge = [isize::MAX as usize, isize::MAX as usize, 0];
    let view = View::from_slice(&none).broadcast_to(&huge).unwrap();
    assert!(matches!(view.typed::<u64>().unwrap().to_ndarray().unwrap_err().kind(), RefusalKind::Layout(_)));

    let nothing = [[0u32; 0]; 5];
    let view = View::from_slice(&nothing).reverse_axis(0).unwrap();
    let array: ArrayViewD<'_, [u32; 0]> = view.typed::<[u32; 0]>().unwrap().to_ndarray().unwrap();
    assert_eq!(array.iter().count(), 5);
    assert_eq!(View::from_ndarray(array).unwrap().len(), 5);
}
