//! The questions a layout answers, against lists of bytes.

use std::collections::BTreeSet;

use extbuf_layout::{Contiguity, Layout, LayoutSpec, LevelSpec, Order, Overlap, s};
use extbuf_testkit::layout_twin::{Memory, Place, Twin};
use proptest::prelude::*;

/// More work than any case here needs.
const ENOUGH: usize = 1_000_000;

type Level = (isize, Vec<isize>);

fn build(itemsize: usize, shape: &[usize], levels: &[Level]) -> Layout {
    let shape: Vec<isize> = shape.iter().map(|&n| n as isize).collect();
    let levels: Vec<_> =
        levels.iter().map(|(offset, strides)| LevelSpec { offset: *offset, strides }).collect();
    Layout::new(&LayoutSpec { itemsize, shape: &shape, levels: &levels }).unwrap()
}

fn array(levels: usize) -> impl Strategy<Value = (Vec<usize>, Vec<Level>)> {
    (0usize..=4).prop_flat_map(move |ndim| {
        let stride = prop_oneof![1 => Just(0isize), 4 => -13isize..=13];
        let level = (-9isize..=9, prop::collection::vec(stride, ndim));
        (prop::collection::vec(0usize..=4, ndim), prop::collection::vec(level, levels))
    })
}

fn bytes(twin: &Twin, itemsize: usize) -> Vec<Place> {
    twin.places.iter().flat_map(|&(b, at)| (0..itemsize).map(move |k| (b, at + k as i128))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn overlaps_are_found_exactly(
        (first, second) in (1usize..=3).prop_flat_map(|levels| (array(levels), array(levels))),
        sizes in (0usize..=5, 0usize..=5),
    ) {
        let mut memory = Memory::default();
        let (a, b) = (build(sizes.0, &first.0, &first.1), build(sizes.1, &second.0, &second.1));
        let bytes_a = bytes(&Twin::new(&mut memory, &first.0, &first.1), sizes.0);
        let bytes_b = bytes(&Twin::new(&mut memory, &second.0, &second.1), sizes.1);
        let set_a: BTreeSet<Place> = bytes_a.iter().copied().collect();
        let answer = |yes: bool| if yes { Overlap::Yes } else { Overlap::No };

        prop_assert_eq!(a.self_overlap(ENOUGH), answer(set_a.len() < bytes_a.len()));
        prop_assert_eq!(a.overlap(&b, ENOUGH), answer(bytes_b.iter().any(|byte| set_a.contains(byte))));
        // Less work may only say less.
        for work in [0, 3] {
            let (own, both) = (a.self_overlap(work), a.overlap(&b, work));
            prop_assert!(own == Overlap::Maybe || own == a.self_overlap(ENOUGH));
            prop_assert!(both == Overlap::Maybe || both == a.overlap(&b, ENOUGH));
        }
    }

    #[test]
    fn contiguity_coverage_and_alignment((shape, levels) in array(1), itemsize in 1usize..=4, dense in any::<bool>()) {
        let mut levels = levels;
        if dense {
            // Dense in a random order of the axes, so that the answer yes comes up.
            let mut axes: Vec<usize> = (0..shape.len()).collect();
            axes.sort_by_key(|&axis| levels[0].1[axis]);
            let mut step = itemsize as isize;
            for axis in axes {
                levels[0].1[axis] = if shape[axis] == 1 { 77 } else { step };
                step *= shape[axis].max(1) as isize;
            }
        }
        let layout = build(itemsize, &shape, &levels);
        let twin = Twin::new(&mut Memory::default(), &shape, &levels);
        let follows = |places: &[Place]| places.windows(2).all(|p| p[1].1 - p[0].1 == itemsize as i128);
        let backwards = twin.permute(&(0..shape.len()).rev().collect::<Vec<_>>());
        let (c, f) = (follows(&twin.places), follows(&backwards.places));
        prop_assert_eq!(layout.is_contiguous(Order::C), c);
        prop_assert_eq!(layout.is_contiguous(Order::F), f);
        prop_assert_eq!(layout.is_contiguous(Order::A), c || f);
        prop_assert_eq!(layout.contiguity(), match (c, f) {
            (true, true) => Contiguity::Both,
            (true, false) => Contiguity::C,
            (false, true) => Contiguity::F,
            (false, false) => Contiguity::None,
        });
        let set: BTreeSet<i128> = bytes(&twin, itemsize).iter().map(|byte| byte.1).collect();
        let spread = set.last().map_or(0, |last| last - set.first().unwrap() + 1);
        prop_assert_eq!(layout.is_exhaustive(), set.len() as i128 == spread);
        let repeats = (0..shape.len()).any(|axis| shape[axis] > 1 && levels[0].1[axis] == 0);
        prop_assert_eq!(layout.is_broadcast(), repeats);
        for block in [1usize, 2, 8, 64] {
            let sure = layout.alignment(block) as i128;
            prop_assert!(sure as usize <= block && twin.places.iter().all(|place| place.1 % sure == 0));
            // And not one power of two less than could be said.
            let twice = sure * 2;
            prop_assert!(twice as usize > block || twin.places.iter().any(|place| place.1 % twice != 0) || shape.contains(&0));
        }
    }
}

#[test]
fn contiguity_as_the_protocol_has_it() {
    let contiguity =
        |shape: &[usize], strides: &[isize]| Layout::strided(8, shape, strides, 0).unwrap().contiguity();
    assert_eq!(contiguity(&[2, 0, 3], &[1, 2, 3]), Contiguity::Both);
    assert_eq!(contiguity(&[1, 5], &[123456, 8]), Contiguity::Both);
    assert_eq!(contiguity(&[], &[]), Contiguity::Both);
    assert_eq!(contiguity(&[1, 1], &[0, -3]), Contiguity::Both);
    assert_eq!(contiguity(&[5, 1, 2], &[8, 7, 40]), Contiguity::F);
    assert_eq!(contiguity(&[2, 2], &[0, 8]), Contiguity::None);
    // Any load: in no order, even without items.
    let none = Layout::from_suboffsets(8, &[0], &[8], Some(&[0]), 0).unwrap();
    assert_eq!(none.contiguity(), Contiguity::None);
}

#[test]
fn quick_answers_about_whatever_is_cut_from_a_block() {
    let block = Layout::contiguous(4, &[60, 50, 40], Order::C).unwrap();
    for layout in [
        block.slice(s![..;-3, 2..;7, 5]).unwrap(),
        block.permute(&[2, 0, 1]).unwrap(),
        block.tile(&[10, 10, 10]).unwrap(),
        block.diagonal(0, 2, 3).unwrap(),
        block.field(1, 2).unwrap(),
    ] {
        assert_eq!(layout.self_overlap(0), Overlap::No, "{layout:?}");
    }
    assert_eq!(
        block.slice(s![.., .., 0, new]).unwrap().broadcast_to(&[60, 50, 9]).unwrap().self_overlap(0),
        Overlap::Yes
    );
    let rows = Layout::from_suboffsets(1, &[4320, 7680, 3], &[8, 3, 1], Some(&[0, -1, -1]), 0).unwrap();
    assert_eq!(rows.permute(&[2, 0, 1]).unwrap().self_overlap(0), Overlap::No);
    assert_eq!(rows.overlap(&rows.slice(s![7..9]).unwrap(), 100), Overlap::Yes);
    let (even, odd) = (rows.slice(s![..;2]).unwrap(), rows.slice(s![1..;2]).unwrap());
    assert_eq!(even.overlap(&odd, 0), Overlap::No);
    let (left, right) = (rows.slice(s![.., ..100]).unwrap(), rows.slice(s![.., 100..]).unwrap());
    assert_eq!(left.overlap(&right, 0), Overlap::No);
    assert_eq!(left.overlap(&block, ENOUGH), Overlap::Maybe);
}

#[test]
fn work_runs_out_as_maybe() {
    // A subset sum with many near misses.
    let steps: Vec<isize> = (0..24).map(|i| 1_000_003 + 7919 * i * i).collect();
    let hard = Layout::strided(1, &[2; 24], &steps, 0).unwrap();
    assert_eq!(hard.self_overlap(50), Overlap::Maybe);
    assert_eq!(hard.self_overlap(0), Overlap::Maybe);
}

#[test]
fn columns_that_lie_between_one_another_are_told_apart_without_a_search() {
    // Their ranges of bytes meet, and a row and a column may make up for one another; but all steps are multiples of 8.
    let grid = Layout::contiguous(4, &[100, 100], Order::C).unwrap();
    let (even, odd) = (grid.slice(s![.., ..;2]).unwrap(), grid.slice(s![.., 1..;2]).unwrap());
    assert_eq!(even.overlap(&odd, 0), Overlap::No);
    assert_eq!(odd.overlap(&even, 0), Overlap::No);
}
