//! DLPack, `__array_interface__` and `mdspan`: vectors, refusals, and the way there and back.

use extbuf_layout::{
    ArrayInterface, DlPack, EncodeRefusal, Layout, LayoutError, LayoutErrorKind as Kind, Mdspan,
    MdspanMapping, Order, s,
};
use extbuf_testkit::layout_twin::{Memory, Twin};
use proptest::prelude::*;

fn refusal<T: core::fmt::Debug>(result: Result<T, LayoutError>) -> (Option<usize>, EncodeRefusal) {
    match result.unwrap_err().kind() {
        Kind::NotEncodable { axis, refusal, .. } => (*axis, *refusal),
        other => panic!("{other:?}"),
    }
}

fn places(layout: &Layout) -> Vec<i128> {
    layout.offsets(0, Order::C).map(|at| at as i128).collect()
}

/// The item with index `k` lies at element `sum strides * k`: what mdspan and DLPack mean.
fn elements(shape: &[usize], strides: &[i64], itemsize: usize, offset: isize) -> Vec<i128> {
    let strides = strides.iter().map(|&stride| stride as isize * itemsize as isize).collect();
    let twin = Twin::new(&mut Memory::default(), shape, &[(offset, strides)]);
    twin.places.iter().map(|place| place.1).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn there_and_back(
        axes in prop::collection::vec((0usize..=4, -20isize..=20), 0..=4),
        itemsize in 1usize..=3,
        offset in -3isize..=9,
    ) {
        let (shape, strides): (Vec<usize>, Vec<isize>) = axes.into_iter().unzip();
        let layout = Layout::strided(itemsize, &shape, &strides, offset).unwrap();
        let own = places(&layout);
        if let Ok(e) = layout.to_dlpack() {
            prop_assert_eq!(&elements(&shape, &e.strides, itemsize, e.byte_offset as isize), &own);
            let back = Layout::from_dlpack(itemsize, &e.shape, Some(&e.strides), e.byte_offset).unwrap();
            prop_assert_eq!(&places(&back), &own);
        }
        if let Ok(e) = layout.to_mdspan::<i16>() {
            let strides: Vec<i64> = e.strides.iter().map(|&stride| stride.into()).collect();
            prop_assert!(strides.iter().all(|&stride| stride > 0) || own.is_empty());
            prop_assert_eq!(&elements(&shape, &strides, itemsize, e.offset), &own);
            let back = Layout::from_mdspan(itemsize, e.mapping, &e.extents, &e.strides, e.offset).unwrap();
            prop_assert_eq!(&places(&back), &own);
            // A mapping of mdspan is unique.
            let mut distinct = own.clone();
            distinct.sort_unstable();
            distinct.dedup();
            prop_assert_eq!(distinct.len(), own.len());
        }
        let e = layout.to_array_interface().unwrap();
        let back = Layout::from_array_interface(itemsize, &e.shape, e.strides.as_deref(), e.offset).unwrap();
        prop_assert_eq!(&places(&back), &own);
    }
}

#[test]
fn known_vectors() {
    let matrix = Layout::contiguous(8, &[10, 20], Order::C).unwrap();
    let block = matrix.slice(s![2..4, 5..10]).unwrap();
    assert_eq!(
        block.to_dlpack().unwrap(),
        DlPack { shape: vec![2, 5], strides: vec![20, 1], byte_offset: 360 }
    );
    assert_eq!(Layout::from_dlpack(8, &[2, 3], None, 0).unwrap().strides(0), [24, 8]);
    assert_eq!(
        matrix.to_array_interface().unwrap(),
        ArrayInterface { shape: vec![10, 20], strides: None, offset: 0 }
    );
    assert_eq!(
        block.reverse_axis(1).unwrap().to_array_interface().unwrap(),
        ArrayInterface { shape: vec![2, 5], strides: Some(vec![160, -8]), offset: 392 }
    );
    assert_eq!(
        matrix.to_mdspan::<u8>().unwrap(),
        Mdspan { mapping: MdspanMapping::Right, extents: vec![10, 20], strides: vec![20, 1], offset: 0 }
    );
    // An axis of one entry gets a stride that the standard accepts.
    let odd = Layout::strided(8, &[3, 1, 2], &[160, -7, 8], 0).unwrap().to_mdspan::<i64>().unwrap();
    assert_eq!((odd.mapping, odd.strides), (MdspanMapping::Stride, vec![20, 1, 1]));
    let left = Layout::from_mdspan(2, MdspanMapping::Left, &[3u8, 4], &[], 6).unwrap();
    assert_eq!((left.strides(0), left.offset(0)), (&[2, 6][..], 6));
}

#[test]
fn refusals_name_axis_and_cause() {
    let rows = Layout::from_suboffsets(1, &[4, 9], &[8, 1], Some(&[0, -1]), 0).unwrap();
    assert_eq!(refusal(rows.to_dlpack()), (Some(1), EncodeRefusal::Loads { loads: 1 }));
    assert_eq!(refusal(rows.to_array_interface()), (Some(1), EncodeRefusal::Loads { loads: 1 }));
    assert_eq!(refusal(rows.to_mdspan::<u64>()), (Some(1), EncodeRefusal::Loads { loads: 1 }));

    let record = Layout::strided(4, &[5], &[6], 0).unwrap();
    let whole = (Some(0), EncodeRefusal::NotWholeItems { stride: 6, itemsize: 4 });
    assert_eq!((refusal(record.to_dlpack()), refusal(record.to_mdspan::<u64>())), (whole, whole));

    let none = Layout::contiguous(0, &[5], Order::C).unwrap();
    assert_eq!(refusal(none.to_dlpack()), (None, EncodeRefusal::NoBytes));

    let below = Layout::strided(4, &[5], &[4], -8).unwrap();
    assert_eq!(refusal(below.to_dlpack()), (None, EncodeRefusal::OffsetBelowBase { offset: -8 }));

    let matrix = Layout::contiguous(2, &[20, 30], Order::C).unwrap();
    let backwards = matrix.reverse_axis(0).unwrap();
    assert_eq!(refusal(backwards.to_mdspan::<u64>()), (Some(0), EncodeRefusal::NotPositive { stride: -30 }));
    let repeated = matrix.new_axis(0).unwrap().broadcast_to(&[4, 20, 30]).unwrap();
    assert_eq!(refusal(repeated.to_mdspan::<u64>()), (Some(0), EncodeRefusal::NotPositive { stride: 0 }));
    let windows = matrix.windows(1, 3).unwrap();
    assert_eq!(
        refusal(windows.to_mdspan::<u64>()),
        (Some(2), EncodeRefusal::NotNested { stride: 1, reach: 28 })
    );
    assert_eq!(refusal(matrix.to_mdspan::<u8>()), (None, EncodeRefusal::IndexType { number: 600 }));
    assert_eq!(refusal(matrix.to_mdspan::<i8>()), (None, EncodeRefusal::IndexType { number: 600 }));

    let range = |what, axis| Kind::EncodedRange { what, axis };
    let kind = |result: Result<Layout, LayoutError>| result.unwrap_err().kind().clone();
    assert_eq!(kind(Layout::from_dlpack(8, &[2], Some(&[i64::MAX]), 0)), range("strides", Some(0)));
    assert_eq!(kind(Layout::from_dlpack(8, &[2], Some(&[1]), u64::MAX)), range("byte offset", None));
    assert_eq!(
        kind(Layout::from_mdspan(1, MdspanMapping::Right, &[1, u128::MAX], &[], 0)),
        range("extents", Some(1))
    );
    assert_eq!(
        kind(Layout::from_mdspan(1, MdspanMapping::Left, &[1i64, -1], &[], 0)),
        Kind::NegativeExtent { axis: 1, extent: -1 }
    );
}
