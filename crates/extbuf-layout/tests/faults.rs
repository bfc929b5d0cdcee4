//! The faults of the book's page "What can go wrong" that concern layouts, by their numbers: the shapes, strides and
//! slices on which other libraries computed an address outside of their memory, and neighbours of each. The oracle
//! counts in 128 bits.

use std::time::{Duration, Instant};

use extbuf_layout::{
    Contiguity, Layout, LayoutError, LayoutErrorKind as Kind, LayoutSpec, LevelSpec, MAX_NDIM, Order, Slice,
    s,
};
use extbuf_testkit::layout_twin::python_slice;
use proptest::prelude::*;

const MAX: isize = isize::MAX;
const MIN: isize = isize::MIN;

fn claim(itemsize: usize, shape: &[isize], strides: &[isize], offset: isize) -> Result<Layout, LayoutError> {
    Layout::new(&LayoutSpec { itemsize, shape, levels: &[LevelSpec { offset, strides }] })
}

fn kind<T: core::fmt::Debug>(result: Result<T, LayoutError>) -> Kind {
    let error = result.unwrap_err();
    let text = error.to_string();
    assert!(!text.ends_with('.') && !text.contains('\n') && !text.starts_with(char::is_uppercase), "{text}");
    error.kind().clone()
}

/// An extent or a stride near an edge of the address range, or small.
fn wild() -> impl Strategy<Value = isize> {
    prop_oneof![
        4 => -4isize..5,
        2 => (0u32..isize::BITS, -2isize..3, any::<bool>()).prop_map(|(bit, by, down)| {
            let power = 1isize.wrapping_shl(bit).wrapping_add(by);
            if down { power.wrapping_neg() } else { power }
        }),
        1 => prop::sample::select(vec![MIN, MIN + 1, MAX - 1, MAX]),
        1 => any::<isize>(),
    ]
}

/// The lowest byte and one past the highest, counted without overflow.
fn reach(itemsize: usize, shape: &[isize], strides: &[isize], offset: isize) -> (i128, i128) {
    let (mut low, mut high) = (offset as i128, offset as i128);
    for (&extent, &stride) in shape.iter().zip(strides) {
        let far = (extent as i128 - 1) * stride as i128;
        if far < 0 { low += far } else { high += far }
    }
    (low, high + itemsize as i128)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn fault_07_a_product_is_refused_exactly_where_it_leaves_the_range(
        itemsize in 0usize..9,
        shape in prop::collection::vec(wild(), 0..6),
    ) {
        let strides = vec![0; shape.len()];
        let product = shape.iter().try_fold(1i128, |product, &extent| product.checked_mul(extent as i128));
        let fits = |product: i128| product.max(product * itemsize as i128) <= MAX as i128;
        match claim(itemsize, &shape, &strides, 0).map_err(|error| error.kind().clone()) {
            Ok(layout) => {
                prop_assert!(shape.iter().all(|&extent| extent >= 0));
                prop_assert!(shape.contains(&0) || product.is_some_and(fits));
                prop_assert_eq!(layout.nbytes() as i128, product.unwrap_or(0) * itemsize as i128);
            }
            Err(Kind::NegativeExtent { axis, extent }) => {
                prop_assert_eq!(shape[axis], extent);
                prop_assert!(extent < 0);
            }
            Err(Kind::TooManyBytes { axis: Some(axis), itemsize: told }) => {
                prop_assert_eq!(told, itemsize);
                prop_assert!(!shape.contains(&0));
                let so_far = shape[..=axis].iter().try_fold(1i128, |product, &n| product.checked_mul(n as i128));
                prop_assert!(so_far.is_none_or(|product| !fits(product)), "axis {}", axis);
                let before: i128 = shape[..axis].iter().map(|&n| n as i128).product();
                prop_assert!(fits(before), "the first axis is named");
            }
            Err(other) => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn fault_08_an_address_is_refused_exactly_where_it_leaves_the_range(
        itemsize in 0usize..9,
        axes in prop::collection::vec((1isize..5, wild()), 0..5),
        offset in wild(),
    ) {
        let (shape, strides): (Vec<isize>, Vec<isize>) = axes.into_iter().unzip();
        let (low, high) = reach(itemsize, &shape, &strides, offset);
        let fits = low >= MIN as i128 && high <= MAX as i128 && high - low <= MAX as i128;
        match claim(itemsize, &shape, &strides, offset) {
            Ok(layout) => {
                prop_assert!(fits, "{}..{}", low, high);
                let extent = layout.extent(0);
                prop_assert_eq!((extent.start as i128, extent.end as i128), (low, high));
            }
            Err(error) => {
                prop_assert!(!fits, "{} for {}..{}", error, low, high);
                match *error.kind() {
                    Kind::StrideOverflow { level: 0, axis, stride, extent, offset: from } => {
                        prop_assert_eq!((strides[axis], shape[axis], offset), (stride, extent as isize, from));
                        prop_assert!(extent > 1 && stride != 0);
                        // The axes before it fit, and with it they do not.
                        let before = reach(0, &shape[..axis], &strides[..axis], offset);
                        let with = reach(0, &shape[..=axis], &strides[..=axis], offset);
                        let fits = |(low, high): (i128, i128)| {
                            low >= MIN as i128 && high <= MAX as i128 && high - low <= MAX as i128
                        };
                        prop_assert!(fits(before) && !fits(with), "{}", error);
                    }
                    Kind::AddressOverflow { level: 0, low: from, high: to, width } => {
                        prop_assert_eq!((from as i128, to as i128, width), (low, high - itemsize as i128, itemsize));
                    }
                    _ => return Err(TestCaseError::fail(error.to_string())),
                }
            }
        }
    }

    #[test]
    fn fault_09_the_last_byte_is_inside_or_refused_with_its_numbers(
        itemsize in 0usize..9,
        axes in prop::collection::vec((1isize..5, -9isize..10), 0..4),
        offset in -40isize..80,
        by in -3isize..4,
    ) {
        let (shape, strides): (Vec<isize>, Vec<isize>) = axes.into_iter().unzip();
        let layout = claim(itemsize, &shape, &strides, offset).unwrap();
        let (low, high) = reach(itemsize, &shape, &strides, offset);
        // Blocks a few bytes around the last byte that is reached.
        let block = usize::try_from(high as isize + by).unwrap_or(0);
        match layout.check_inside(block) {
            Ok(()) => prop_assert!(low >= 0 && high <= block as i128),
            Err(error) => {
                prop_assert!(low < 0 || high > block as i128);
                let expected = Kind::OutsideBlock { low: low as isize, high: high as isize, block };
                prop_assert_eq!(error.kind(), &expected);
                prop_assert_eq!(error.to_string(), format!("bytes {low}..{high} leave the block of {block} bytes"));
            }
        }
    }

    #[test]
    fn fault_10_slices_are_pythons_and_never_leave_the_axis(
        extent in 0usize..7,
        start in prop::option::of(wild()),
        stop in prop::option::of(wild()),
        step in prop::option::of(wild()),
    ) {
        let slice = Slice { start, stop, step };
        let layout = Layout::strided(4, &[extent], &[-8], 100).unwrap();
        match layout.slice_axis(0, slice) {
            Ok(part) => {
                let kept = python_slice(start, stop, step, extent).unwrap();
                let addresses: Vec<_> = part.offsets(0, Order::C).collect();
                prop_assert_eq!(addresses, kept.iter().map(|&k| 100 - 8 * k as isize).collect::<Vec<_>>());
            }
            Err(error) => {
                prop_assert_eq!(step, Some(0));
                prop_assert_eq!(error.kind(), &Kind::ZeroStep { axis: 0 });
            }
        }
    }
}

#[test]
#[cfg(target_pointer_width = "64")]
fn fault_07_shapes_whose_product_wraps_are_refused_with_the_axis() {
    let refused = |itemsize, shape: &[usize]| kind(Layout::contiguous(itemsize, shape, Order::C));
    let at = |axis, itemsize| Kind::TooManyBytes { axis: Some(axis), itemsize };
    assert_eq!(refused(1, &[1 << 32, 1 << 32]), at(1, 1));
    assert_eq!(refused(1, &[1 << 63]), at(0, 1));
    assert_eq!(refused(8, &[1 << 60]), at(0, 8));
    // A product that wraps round to 5.
    assert_eq!(3usize.wrapping_mul(7).wrapping_mul(29).wrapping_mul(36_760_123).wrapping_mul(823_996_703), 5);
    assert_eq!(refused(1, &[3, 7, 29, 36_760_123, 823_996_703]), at(4, 1));
    // No items at all, and yet each extent must be one that can exist.
    assert_eq!(refused(1, &[0, 1 << 63, 1 << 63]), at(1, 1));
    let none = Layout::contiguous(8, &[0, 777_777_701], Order::C).unwrap();
    assert_eq!((none.len(), none.nbytes(), none.shape()), (0, 0, &[0, 777_777_701][..]));
    none.check_inside(0).unwrap();
}

#[test]
fn fault_08_strides_at_the_ends_of_the_range_name_their_axis() {
    for (axis, shape, strides) in [(0, [3, 1], [MAX, 1]), (1, [1, 3], [1, MIN]), (1, [2, 3], [1, MAX])] {
        let error = claim(1, &shape, &strides, 0).unwrap_err();
        let (stride, extent) = (strides[axis], shape[axis] as usize);
        assert_eq!(error.kind(), &Kind::StrideOverflow { level: 0, axis, stride, extent, offset: 0 });
        let says = format!(
            "level 0, axis {axis}: stride {stride} over an extent of {extent}, from offset 0, leaves the limit of {MAX} \
             bytes"
        );
        assert_eq!(error.to_string(), says);
    }
    // Two levels: it is the level that is named.
    let levels = [LevelSpec { offset: 0, strides: &[8] }, LevelSpec { offset: 0, strides: &[MIN] }];
    let behind = Layout::new(&LayoutSpec { itemsize: 1, shape: &[3], levels: &levels });
    assert_eq!(kind(behind), Kind::StrideOverflow { level: 1, axis: 0, stride: MIN, extent: 3, offset: 0 });
    let end = claim(4, &[2], &[8], MAX - 9).unwrap_err();
    assert_eq!(end.kind(), &Kind::AddressOverflow { level: 0, low: MAX - 9, high: MAX - 1, width: 4 });
    let says = format!(
        "level 0: from byte {} to 4 bytes at byte {} is over the limit of {MAX} bytes",
        MAX - 9,
        MAX - 1
    );
    assert_eq!(end.to_string(), says);
    // Of an axis of one entry the stride is nobody's step.
    claim(8, &[1], &[MIN], 0).unwrap();
}

#[test]
fn fault_09_the_exact_last_byte_is_tested_on_both_sides() {
    let out = |layout: Layout, block| kind(layout.check_inside(block));
    // Items of two bytes, one byte apart: the last ends one byte behind its place.
    let close = Layout::strided(2, &[4], &[1], 0).unwrap();
    close.check_inside(5).unwrap();
    assert_eq!(out(close, 4), Kind::OutsideBlock { low: 0, high: 5, block: 4 });
    // A negative stride is legal from the last item and not from the first.
    Layout::strided(4, &[5], &[-4], 16).unwrap().check_inside(20).unwrap();
    assert_eq!(
        out(Layout::strided(4, &[5], &[-4], 0).unwrap(), 20),
        Kind::OutsideBlock { low: -16, high: 4, block: 20 }
    );
    // An offset past the end; also where no byte is left to read, but a place is.
    assert_eq!(
        out(Layout::strided(4, &[], &[], 24).unwrap(), 20),
        Kind::OutsideBlock { low: 24, high: 28, block: 20 }
    );
    Layout::strided(0, &[], &[], 20).unwrap().check_inside(20).unwrap();
    assert_eq!(
        out(Layout::strided(0, &[], &[], 21).unwrap(), 20),
        Kind::OutsideBlock { low: 21, high: 21, block: 20 }
    );
}

#[test]
fn fault_10_steps_and_bounds_at_the_edges() {
    let line = Layout::contiguous(4, &[5], Order::C).unwrap();
    assert_eq!(kind(line.slice(s![..;0])), Kind::ZeroStep { axis: 0 });
    let far = line.slice(s![..;MIN]).unwrap();
    assert_eq!((far.shape(), far.offset(0)), (&[1][..], 16));
    let wide = line.slice(s![MIN..MAX]).unwrap();
    assert_eq!(wide, line);
    let none = line.slice(s![5..]).unwrap();
    assert_eq!((none.len(), none.slice(s![..;-1]).unwrap().len()), (0, 0));
    // A slice that keeps nothing moves no address out of the block.
    none.check_inside(20).unwrap();
    // An index is not a slice: it does not stop at the ends.
    assert_eq!(kind(line.index_axis(0, 5)), Kind::IndexOutOfRange { axis: 0, index: 5, extent: 5 });
    assert_eq!(kind(line.index_axis(0, -6)), Kind::IndexOutOfRange { axis: 0, index: -6, extent: 5 });
    assert_eq!(kind(line.index_axis(0, MIN)), Kind::IndexOutOfRange { axis: 0, index: MIN, extent: 5 });
}

#[test]
fn fault_11_zero_in_any_place_has_an_answer() {
    for itemsize in [0, 1, 4] {
        for shape in [&[][..], &[0], &[1], &[0, 3], &[3, 0], &[2, 3]] {
            for stride in [0, 4, -4] {
                let strides = vec![stride; shape.len()];
                let layout = Layout::strided(itemsize, shape, &strides, 64).unwrap();
                let items: usize = shape.iter().product();
                assert_eq!((layout.len(), layout.nbytes()), (items, items * itemsize));
                assert_eq!(layout.indices(Order::C).count(), items);
                assert_eq!(layout.offsets(0, Order::F).count(), items);
                let _ = (layout.contiguity(), layout.canonical(), layout.transpose(), layout.parts(3));
                let _ = (layout.self_overlap(1000), layout.is_broadcast(), layout.is_exhaustive());
                assert_eq!(layout.runs(Order::C).map(|run| run.items).sum::<usize>(), items);
                for cast in [0, 1, 4] {
                    if let Ok(cast) = layout.cast(cast) {
                        assert_eq!(cast.nbytes(), layout.nbytes());
                    }
                }
                if items == 0 {
                    layout.check_inside(0).unwrap();
                    assert_eq!(layout.contiguity(), Contiguity::Both);
                }
            }
        }
    }
}

#[test]
fn fault_12_axes_are_taken_to_the_limit_and_not_beyond() {
    for ndim in [0, 1, MAX_NDIM - 1, MAX_NDIM] {
        let layout = Layout::contiguous(4, &vec![1; ndim], Order::C).unwrap();
        assert_eq!((layout.ndim(), layout.transpose().ndim(), layout.len()), (ndim, ndim, 1));
        assert_eq!(
            layout.self_overlap(1000),
            Layout::contiguous(4, &[], Order::C).unwrap().self_overlap(1000)
        );
    }
    let start = Instant::now();
    for ndim in [MAX_NDIM + 1, 128, 1000, 1_000_000] {
        let error = Layout::contiguous(4, &vec![1; ndim], Order::C).unwrap_err();
        assert_eq!(error.kind(), &Kind::TooManyAxes { ndim });
        assert_eq!(error.to_string(), format!("{ndim} axes, the limit is 64"));
        assert_eq!(kind(claim(4, &vec![1; ndim], &vec![0; ndim], 0)), Kind::TooManyAxes { ndim });
    }
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[test]
fn fault_13_arrays_that_are_missing_or_too_short_are_refused_with_their_length() {
    assert_eq!(kind(claim(4, &[2, 3], &[4], 0)), Kind::StridesLength { level: 0, strides: 1, ndim: 2 });
    assert_eq!(kind(Layout::new(&LayoutSpec { itemsize: 4, shape: &[2], levels: &[] })), Kind::NoLevel);
    assert_eq!(kind(claim(4, &[2, -3], &[4, 4], 0)), Kind::NegativeExtent { axis: 1, extent: -3 });
    // No suboffsets are none; fewer than axes are a lie.
    let plain = Layout::from_suboffsets(4, &[2, 3], &[12, 4], None, 0).unwrap();
    assert!(plain.is_direct());
    assert_eq!(
        kind(Layout::from_suboffsets(4, &[2, 3], &[12, 4], Some(&[0]), 0)),
        Kind::EncodedLength { what: "suboffsets", given: 1, ndim: 2 }
    );
}

#[test]
fn fault_15_suboffsets_keep_their_meaning_through_slices() {
    // A load on a middle axis, a negative stride before and behind it.
    let layout = Layout::from_suboffsets(2, &[2, 3, 4], &[-24, 8, -2], Some(&[-1, 6, -1]), 24).unwrap();
    let read = |layout: &Layout, index: &[usize]| {
        // Each stored pointer leads to a block of its own, named by where it is stored.
        let at = |level: usize| {
            layout.offset(level)
                + layout
                    .strides(level)
                    .iter()
                    .zip(index)
                    .map(|(&stride, &k)| stride * k as isize)
                    .sum::<isize>()
        };
        (at(0), at(1))
    };
    assert_eq!(read(&layout, &[1, 2, 3]), (16, 0));
    let part = layout.slice(s![..;-1, 1.., ..;-2]).unwrap();
    for i in 0..2 {
        for j in 0..2 {
            for k in 0..2 {
                assert_eq!(read(&part, &[i, j, k]), read(&layout, &[1 - i, 1 + j, 3 - 2 * k]));
            }
        }
    }
    // An index on the axis that loads leaves a suboffset that no axis can carry: told, and not forgotten.
    let row = layout.index_axis(1, 2).unwrap();
    assert_eq!(row.levels(), 2);
    match row.to_suboffsets() {
        Ok(said) => assert!(said.suboffsets.is_some()),
        Err(error) => assert!(matches!(error.kind(), Kind::NotEncodable { .. })),
    }
    // Suboffsets that say nothing are nothing.
    let none = Layout::from_suboffsets(2, &[3, 4], &[8, 2], Some(&[-1, -1]), 0).unwrap();
    assert_eq!((none.levels(), none.to_suboffsets().unwrap().suboffsets), (1, None));
}
