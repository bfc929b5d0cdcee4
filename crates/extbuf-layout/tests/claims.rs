//! Claims from strangers: everything that overflows, lies or is absurd is refused, at once or after several operations,
//! and the legal neighbours of each case are accepted. All numbers are relative to `isize`, so 32-bit targets test their
//! own edges.

use extbuf_layout::{
    Contiguity, Layout, LayoutError, LayoutErrorKind as Kind, LayoutSpec, LevelSpec, Order, s,
};

const MAX: isize = isize::MAX;
const MIN: isize = isize::MIN;
/// A half of the address range: its square overflows by far, its double by one.
const HALF: isize = 1 << (isize::BITS - 2);

fn claim(itemsize: usize, shape: &[isize], levels: &[(isize, &[isize])]) -> Result<Layout, LayoutError> {
    let levels: Vec<_> = levels.iter().map(|&(offset, strides)| LevelSpec { offset, strides }).collect();
    Layout::new(&LayoutSpec { itemsize, shape, levels: &levels })
}

fn kind<T: core::fmt::Debug>(result: Result<T, LayoutError>) -> Kind {
    result.unwrap_err().kind().clone()
}

#[test]
fn shapes_that_overflow() {
    assert_eq!(
        kind(claim(1, &[HALF, 2], &[(0, &[0, 0])])),
        Kind::TooManyBytes { axis: Some(1), itemsize: 1 }
    );
    assert_eq!(kind(claim(4, &[HALF], &[(0, &[0])])), Kind::TooManyBytes { axis: Some(0), itemsize: 4 });
    // Items count too where they have no bytes.
    assert_eq!(
        kind(claim(0, &[HALF, 2], &[(0, &[0, 0])])),
        Kind::TooManyBytes { axis: Some(1), itemsize: 0 }
    );
    // A product that wraps around to the number that would be right.
    let real = Layout::contiguous(1, &[3, 7, 29, 36760123, 823996703], Order::C);
    assert!(matches!(kind(real), Kind::TooManyBytes { .. }));
    // A zero anywhere means no items, but each extent must still be one that can exist.
    assert!(claim(8, &[0, HALF, HALF], &[(0, &[1, 1, 1])]).is_ok());
    assert!(Layout::contiguous(8, &[0, 777_777_701], Order::C).is_ok());
    assert_eq!(
        kind(Layout::contiguous(1, &[0, MAX as usize + 1], Order::C)),
        Kind::TooManyBytes { axis: Some(1), itemsize: 1 }
    );
    assert_eq!(
        kind(Layout::contiguous(MAX as usize + 1, &[1], Order::C)),
        Kind::TooManyBytes { axis: None, itemsize: MAX as usize + 1 }
    );
    assert_eq!(kind(claim(1, &[2, -1], &[(0, &[1, 1])])), Kind::NegativeExtent { axis: 1, extent: -1 });
    assert_eq!(kind(claim(1, &[MIN], &[(0, &[1])])), Kind::NegativeExtent { axis: 0, extent: MIN });
}

#[test]
fn strides_that_overflow() {
    let over = |axis, stride, extent, offset| Kind::StrideOverflow { level: 0, axis, stride, extent, offset };
    let ends = |low, high, width| Kind::AddressOverflow { level: 0, low, high, width };
    assert_eq!(kind(claim(1, &[3], &[(0, &[MAX])])), over(0, MAX, 3, 0));
    assert_eq!(kind(claim(1, &[3], &[(0, &[MIN])])), over(0, MIN, 3, 0));
    // The highest byte just fits, or just does not.
    assert!(claim(1, &[2], &[(0, &[MAX - 1])]).is_ok());
    assert_eq!(kind(claim(1, &[2], &[(0, &[MAX])])), ends(0, MAX, 1));
    assert_eq!(kind(claim(2, &[2], &[(0, &[MAX - 1])])), ends(0, MAX - 1, 2));
    // The way down alone may reach isize::MIN, but no block is as long as from there to 1.
    assert!(claim(1, &[2], &[(0, &[MIN + 2])]).is_ok());
    assert_eq!(kind(claim(1, &[2], &[(0, &[MIN])])), over(0, MIN, 2, 0));
    assert_eq!(kind(claim(1, &[2], &[(0, &[MIN + 1])])), ends(MIN + 1, 0, 1));
    assert_eq!(kind(claim(0, &[2, 2], &[(0, &[HALF, -HALF])])), over(1, -HALF, 2, 0));
    // The offset takes part.
    assert_eq!(kind(claim(1, &[2], &[(1, &[MAX - 1])])), ends(1, MAX, 1));
    assert_eq!(kind(claim(1, &[2], &[(2, &[MAX - 1])])), over(0, MAX - 1, 2, 2));
    assert_eq!(kind(claim(1, &[2], &[(MIN, &[-1])])), over(0, -1, 2, MIN));
    assert_eq!(kind(claim(1, &[], &[(MAX, &[])])), ends(MAX, MAX, 1));
    assert!(claim(0, &[], &[(MAX, &[])]).is_ok());
    // A stride that is never used may be anything.
    assert!(claim(8, &[1, 4], &[(0, &[MIN, 8])]).is_ok());
    assert!(claim(8, &[0, 4], &[(MIN, &[MAX, MIN])]).is_ok());
    // A pointer needs room at every level but the last.
    let room = size_of::<usize>() as isize;
    assert!(claim(0, &[], &[(MAX - room, &[]), (MAX, &[])]).is_ok());
    assert_eq!(
        kind(claim(0, &[], &[(0, &[]), (MAX - room + 1, &[]), (0, &[])])),
        Kind::AddressOverflow { level: 1, low: MAX - room + 1, high: MAX - room + 1, width: room as usize }
    );
}

#[test]
fn lengths_and_limits() {
    assert_eq!(
        kind(claim(1, &[2, 3], &[(0, &[1, 1]), (0, &[1])])),
        Kind::StridesLength { level: 1, strides: 1, ndim: 2 }
    );
    assert_eq!(kind(claim(1, &[2], &[])), Kind::NoLevel);
    assert_eq!(kind(claim(1, &[], &[(0, &[][..]); 66])), Kind::TooManyLevels { levels: 66 });
    assert_eq!(claim(1, &[], &[(0, &[][..]); 65]).unwrap().levels(), 65);
    for ndim in [65, 128, 1000] {
        assert_eq!(kind(Layout::contiguous(1, &vec![1; ndim], Order::C)), Kind::TooManyAxes { ndim });
    }
    let widest = Layout::contiguous(1, &[1; 64], Order::C).unwrap();
    assert_eq!(widest.ndim(), 64);
    assert_eq!(kind(widest.new_axis(0)), Kind::TooManyAxes { ndim: 65 });
    assert_eq!(kind(widest.windows(0, 1)), Kind::TooManyAxes { ndim: 65 });
    assert_eq!(kind(widest.tile(&[1; 64])), Kind::TooManyAxes { ndim: 128 });
    assert_eq!(kind(widest.broadcast_to(&[1; 65])), Kind::TooManyAxes { ndim: 65 });
    assert_eq!(kind(widest.reshape(&[1; 65], Order::F)), Kind::TooManyAxes { ndim: 65 });
    assert_eq!(kind(widest.split_axis(0, &[1, 1])), Kind::TooManyAxes { ndim: 65 });
}

#[test]
fn overflow_after_several_operations() {
    // Each step is harmless on its own; the items shown add up until they do not fit.
    let mut layout = claim(1, &[2], &[(0, &[1])]).unwrap();
    let mut steps = 0;
    let refused = loop {
        let mut shape = layout.shape().to_vec();
        shape.insert(0, 1 << 10);
        match layout.broadcast_to(&shape) {
            Ok(wider) => (layout, steps) = (wider, steps + 1),
            Err(error) => break error,
        }
    };
    assert_eq!(steps, (isize::BITS - 3) / 10);
    assert!(matches!(refused.kind(), Kind::TooManyBytes { itemsize: 1, .. }));
    // Windows of windows.
    let mut windows = Layout::contiguous(1, &[1 << 12], Order::C).unwrap();
    let refused = loop {
        match windows.windows(0, 1 << 11).and_then(|w| w.windows(0, 2)) {
            Ok(next) => windows = next,
            Err(error) => break error,
        }
    };
    assert!(matches!(refused.kind(), Kind::TooManyBytes { .. } | Kind::Window { .. }));
    // Two entries as far apart as can be, reversed, split, reversed again.
    let apart = claim(1, &[2], &[(0, &[MAX - 1])]).unwrap();
    let turned = apart.reverse_axis(0).unwrap();
    assert_eq!((turned.offset(0), turned.strides(0)), (MAX - 1, &[1 - MAX][..]));
    assert_eq!(turned.extent(0), apart.extent(0));
    assert_eq!(turned.reverse_axis(0).unwrap(), apart);
    assert_eq!(apart.tile(&[1]).unwrap().split_axis(0, &[1, 2]).unwrap().extent(0), apart.extent(0));
    // Joining two halves that are each in range to one that is not.
    let low = claim(1, &[2], &[(-HALF, &[HALF - 1])]).unwrap();
    let high = claim(1, &[2], &[(HALF - 2, &[HALF - 1])]).unwrap();
    let over = Kind::StrideOverflow { level: 0, axis: 0, stride: HALF - 1, extent: 4, offset: -HALF };
    assert_eq!(kind(low.join(&high, 0)), over);
}

#[test]
fn wild_numbers_that_nothing_uses_stay_harmless() {
    // No items: every operation is total and moves nothing.
    let none = claim(8, &[0, 5, 4], &[(MIN, &[MAX, MIN, MAX]), (MAX, &[MIN, MAX, MIN])]).unwrap();
    for layout in [
        none.slice(s![.., 3, ..;-3]).unwrap(),
        none.slice(s![..;-1, 2..;2, 1..]).unwrap(),
        none.transpose(),
        none.diagonal(1, 2, -2).unwrap(),
        none.windows(1, 3).unwrap(),
        none.tile(&[7, 5, 2]).unwrap(),
        none.reshape(&[4, 0, 9], Order::F).unwrap(),
        none.merge_axes(0..3).unwrap(),
        none.field(3, 2).unwrap(),
        none.cast(4).unwrap(),
        none.canonical(),
        none.split_at(1, 2).unwrap().1,
        none.broadcast_to(&[7, 0, 5, 4]).unwrap(),
        none.permute(&[2, 0, 1]).unwrap(),
    ] {
        assert_eq!((layout.len(), layout.nbytes()), (0, 0));
        assert_eq!((layout.extent(0), layout.extent(1)), (0..0, 0..0));
        assert_eq!((layout.offset(0), layout.offset(1)), (MIN, MAX));
        assert_eq!(layout.indices(Order::C).count(), 0);
        assert_eq!(layout.indices_in_memory_order().count(), 0);
        assert_eq!(layout.offsets(1, Order::F).count(), 0);
        assert_eq!(layout.runs(Order::C).count(), 0);
        assert_eq!(layout.parts(4).len(), 1);
        assert!(layout.check_inside(0).is_ok());
    }
    assert_eq!(kind(none.index_axis(0, 0)), Kind::IndexOutOfRange { axis: 0, index: 0, extent: 0 });
    // An axis of one entry: its stride is not used, whatever is done.
    let unit = claim(4, &[1, 3], &[(8, &[MIN, 4])]).unwrap();
    for layout in [
        unit.slice(s![0, ..]).unwrap(),
        unit.slice(s![..;-1, ..]).unwrap(),
        unit.slice(s![-1.., ..]).unwrap(),
        unit.merge_axes(0..2).unwrap(),
        unit.canonical(),
        unit.broadcast_to(&[6, 3]).unwrap(),
        unit.diagonal(0, 1, 0).unwrap(),
        unit.windows(0, 1).unwrap(),
        unit.split_axis(0, &[1, 1, 1]).unwrap(),
        unit.reshape(&[3, 1, 1], Order::C).unwrap(),
    ] {
        assert_eq!(layout.extent(0).start, 8);
        assert!(layout.check_inside(20).is_ok());
    }
    assert_eq!(unit.broadcast_to(&[6, 3]).unwrap().strides(0), [0, 4]);
}

#[test]
fn blocks_are_left_to_the_byte() {
    let fits = |layout: Layout, block| layout.check_inside(block).is_ok();
    let four = Layout::contiguous(4, &[4], Order::C).unwrap();
    assert!(fits(four.clone(), 16));
    assert_eq!(kind(four.check_inside(15)), Kind::OutsideBlock { low: 0, high: 16, block: 15 });
    let backwards = Layout::strided(4, &[4], &[-4], 12).unwrap();
    assert!(fits(backwards, 16));
    let below = Layout::strided(4, &[4], &[-4], 11).unwrap();
    assert_eq!(kind(below.check_inside(16)), Kind::OutsideBlock { low: -1, high: 15, block: 16 });
    // Items wider than their stride reach beyond the last step.
    let overlapping = Layout::strided(2, &[4], &[1], 0).unwrap();
    assert!(fits(overlapping.clone(), 5) && !fits(overlapping, 4));
    // No item reaches nothing; an item of no bytes reaches its place.
    assert!(fits(Layout::strided(4, &[0], &[4], 1000).unwrap(), 0));
    assert!(fits(Layout::strided(0, &[], &[], 3).unwrap(), 3));
    assert!(!fits(Layout::strided(0, &[], &[], 4).unwrap(), 3));
    // With loads it is the pointers that must lie in the block.
    let rows = Layout::from_suboffsets(1, &[3, 1000], &[8, 1], Some(&[0, -1]), 0).unwrap();
    assert!(fits(rows.clone(), 16 + size_of::<usize>()) && !fits(rows, 15 + size_of::<usize>()));
}

#[test]
fn nothing_of_zero_size_divides_by_zero() {
    let none = Layout::contiguous(0, &[3, 4], Order::C).unwrap();
    assert_eq!((none.len(), none.nbytes()), (12, 0));
    assert_eq!(none.contiguity(), Contiguity::Both);
    assert_eq!(none.runs(Order::C).map(|run| run.items).collect::<Vec<_>>(), [12]);
    assert_eq!(none.cast(0).unwrap(), none);
    assert!(matches!(kind(none.cast(2)), Kind::CastUneven { .. }));
    assert!(matches!(kind(Layout::contiguous(2, &[4], Order::C).unwrap().cast(0)), Kind::CastUneven { .. }));
    assert_eq!(kind(none.tile(&[0, 1])), Kind::Tile { axis: 0, block: 0, extent: 3 });
    assert_eq!(kind(none.windows(0, 0)), Kind::Window { axis: 0, size: 0, extent: 3 });
    let scalar = Layout::contiguous(4, &[], Order::C).unwrap();
    assert_eq!((scalar.len(), scalar.ndim(), scalar.levels()), (1, 0, 1));
    assert_eq!(scalar.indices(Order::C).map(|index| index.len()).collect::<Vec<_>>(), [0]);
    assert_eq!(scalar.canonical(), scalar);
    assert_eq!(scalar.parts(3), std::slice::from_ref(&scalar));
    assert_eq!(scalar.reshape(&[1, 1], Order::C).unwrap().shape(), [1, 1]);
    assert_eq!(kind(scalar.cast(2)), Kind::CastNoAxis { itemsize: 4, wanted: 2 });
}

#[test]
fn every_other_refusal_names_its_numbers() {
    let layout = Layout::contiguous(4, &[2, 3, 4], Order::C).unwrap();
    assert_eq!(kind(layout.permute(&[0, 1])), Kind::PermutationLength { given: 2, ndim: 3 });
    assert_eq!(kind(layout.permute(&[0, 1, 1])), Kind::AxisRepeated { axis: 1 });
    assert_eq!(kind(layout.permute(&[0, 1, 3])), Kind::AxisOutOfRange { axis: 3, ndim: 3 });
    assert_eq!(kind(layout.diagonal(1, 1, 0)), Kind::AxisRepeated { axis: 1 });
    assert_eq!(kind(layout.drop_axis(2)), Kind::AxisNotUnit { axis: 2, extent: 4 });
    assert_eq!(kind(layout.broadcast_to(&[3, 4])), Kind::BroadcastAxes { ndim: 3, wanted: 2 });
    assert_eq!(kind(layout.broadcast_to(&[9, 2, 5, 4])), Kind::Broadcast { axis: 2, extent: 3, wanted: 5 });
    assert_eq!(
        kind(layout.split_axis(2, &[3, 2])),
        Kind::SplitProduct { axis: 2, extent: 4, product: Some(6) }
    );
    assert_eq!(
        kind(layout.split_axis(2, &[MAX as usize, 4])),
        Kind::SplitProduct { axis: 2, extent: 4, product: None }
    );
    assert_eq!(kind(layout.reshape(&[5, 5], Order::C)), Kind::ReshapeItems { items: 24, wanted: Some(25) });
    assert_eq!(
        kind(layout.reshape(&[MAX as usize, 4], Order::C)),
        Kind::ReshapeItems { items: 24, wanted: None }
    );
    assert_eq!(kind(layout.reshape(&[24], Order::F)), Kind::CannotMerge { axis: 1, next: 2, level: 0 });
    assert_eq!(kind(layout.tile(&[1, 1])), Kind::TileLength { given: 2, ndim: 3 });
    assert_eq!(kind(layout.tile(&[1, 2, 1])), Kind::Tile { axis: 1, block: 2, extent: 3 });
    assert_eq!(kind(layout.field(3, 2)), Kind::FieldOutsideItem { offset: 3, field: 2, itemsize: 4 });
    assert_eq!(
        kind(layout.field(usize::MAX, 2)),
        Kind::FieldOutsideItem { offset: usize::MAX, field: 2, itemsize: 4 }
    );
    assert_eq!(
        kind(layout.transpose().cast(2)),
        Kind::CastGap { axis: 2, level: 0, stride: 48, itemsize: 4 }
    );
    assert_eq!(
        kind(layout.slice(s![.., .., 1..]).unwrap().cast(8)),
        Kind::CastUneven { axis: 2, extent: 3, itemsize: 4, wanted: 8 }
    );
    assert_eq!(kind(layout.split_at(1, 4)), Kind::SplitBeyond { axis: 1, at: 4, extent: 3 });
    let unlike = layout.join(&layout.cast(2).unwrap(), 0).unwrap_err();
    let first = layout.itemsize();
    assert_eq!(unlike.kind(), &Kind::JoinUnlike { what: "itemsize", first, next: 2 });
    let says = format!("layouts to join differ in itemsize: {first} in the first, 2 in the second");
    assert_eq!(unlike.to_string(), says);
    let unlike = layout.join(&layout.new_axis(0).unwrap(), 0).unwrap_err();
    assert_eq!(
        unlike.kind(),
        &Kind::JoinUnlike { what: "ndim", first: layout.ndim(), next: layout.ndim() + 1 }
    );
    let shorter = layout.slice(s![.., 1.., ..]).unwrap();
    assert_eq!(kind(layout.join(&shorter, 0)), Kind::JoinExtent { axis: 1, extent: 3, next: 2 });
    assert_eq!(kind(layout.join(&layout, 0)), Kind::JoinApart { axis: 0, level: 0 });
    let rest = layout.reverse_axis(2).unwrap();
    assert_eq!(kind(layout.join(&rest, 0)), Kind::JoinApart { axis: 2, level: 0 });
    assert_eq!(kind(layout.merge_axes(1..4)), Kind::AxisOutOfRange { axis: 3, ndim: 3 });
    // Every message is one line, begins in lower case or with a number and ends without a full stop.
    for error in [
        layout.permute(&[0]).unwrap_err(),
        layout.join(&layout, 0).unwrap_err(),
        layout.reshape(&[24], Order::F).unwrap_err(),
        layout.transpose().cast(2).unwrap_err(),
    ] {
        let text = error.to_string();
        assert!(!text.contains(['\n', '\\']) && !text.ends_with('.') && !text.contains("  "), "{text}");
        assert!(!text.starts_with(char::is_uppercase), "{text}");
    }
}
