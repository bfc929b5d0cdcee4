//! A hostile claim about memory, followed by random operations: every layout that is accepted reaches only places that
//! the claim reached, and no operation panics.
#![no_main]

use std::collections::HashSet;

use extbuf_layout::{Layout, LayoutSpec, LevelSpec, Order, Slice, SliceItem};
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
struct Claim {
    itemsize: Word,
    shape: Vec<Word>,
    levels: Vec<(Word, Vec<Word>)>,
    operations: Vec<Operation>,
}

/// Small numbers and the ends of the range, so that some claims hold.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Word {
    Small(i8),
    Power { bits: u8, add: i8 },
    Any(isize),
}

impl Word {
    fn value(self) -> isize {
        match self {
            Word::Small(value) => value as isize,
            Word::Power { bits, add } => 1isize.wrapping_shl(bits as u32).wrapping_add(add as isize),
            Word::Any(value) => value,
        }
    }
}

#[derive(Arbitrary, Debug)]
enum Operation {
    Slice(Vec<Item>),
    Permute(Vec<u8>),
    Transpose,
    Reverse(u8),
    Broadcast(Vec<u8>),
    Diagonal(u8, u8, i8),
    Windows(u8, u8),
    Split(u8, Vec<u8>),
    Merge(u8, u8),
    Reshape(Vec<u8>, bool),
    Tile(Vec<u8>),
    Cast(u8),
    Field(u8, u8),
    Drop(u8),
    Canonical,
}

#[derive(Arbitrary, Debug)]
enum Item {
    Index(Word),
    Slice(Option<Word>, Option<Word>, Option<Word>),
    NewAxis,
    Ellipsis,
}

fn numbers(bytes: &[u8]) -> Vec<usize> {
    bytes.iter().map(|&byte| byte as usize).collect()
}

impl Operation {
    fn run(&self, layout: &Layout) -> Option<Layout> {
        let us = usize::from;
        match self {
            Operation::Slice(items) => {
                let value = |word: &Option<Word>| word.map(Word::value);
                let items: Vec<SliceItem> = items
                    .iter()
                    .map(|item| match item {
                        Item::Index(index) => SliceItem::Index(index.value()),
                        Item::Slice(start, stop, step) => SliceItem::Slice(Slice {
                            start: value(start),
                            stop: value(stop),
                            step: value(step),
                        }),
                        Item::NewAxis => SliceItem::NewAxis,
                        Item::Ellipsis => SliceItem::Ellipsis,
                    })
                    .collect();
                layout.slice(items).ok()
            }
            Operation::Permute(axes) => layout.permute(&numbers(axes)).ok(),
            Operation::Transpose => Some(layout.transpose()),
            Operation::Reverse(axis) => layout.reverse_axis(us(*axis)).ok(),
            Operation::Broadcast(shape) => layout.broadcast_to(&numbers(shape)).ok(),
            Operation::Diagonal(a, b, offset) => layout.diagonal(us(*a), us(*b), *offset as isize).ok(),
            Operation::Windows(axis, size) => layout.windows(us(*axis), us(*size)).ok(),
            Operation::Split(axis, extents) => layout.split_axis(us(*axis), &numbers(extents)).ok(),
            Operation::Merge(start, end) => layout.merge_axes(us(*start)..us(*end)).ok(),
            Operation::Reshape(shape, c) => {
                layout.reshape(&numbers(shape), if *c { Order::C } else { Order::F }).ok()
            }
            Operation::Tile(sizes) => layout.tile(&numbers(sizes)).ok(),
            Operation::Cast(itemsize) => layout.cast(us(*itemsize)).ok(),
            Operation::Field(offset, itemsize) => layout.field(us(*offset), us(*itemsize)).ok(),
            Operation::Drop(axis) => layout.drop_axis(us(*axis)).ok(),
            Operation::Canonical => Some(layout.canonical()),
        }
    }
}

/// Layouts of more items are questioned and not walked.
const WALKED: usize = 1 << 10;

/// Every byte of every item, as the chain of places on the way and the last place. A load is a number made of where it
/// happened.
fn bytes(layout: &Layout) -> HashSet<(u64, isize)> {
    let mut reached = HashSet::new();
    let mut index = vec![0usize; layout.ndim()];
    if layout.is_empty() {
        return reached;
    }
    loop {
        let load = |base: u64, place: isize| {
            (base ^ place as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29) ^ 0x5851_f42d
        };
        let (base, place) = layout.locate(0u64, &index, load).expect("inside the shape");
        let last = layout.extent(layout.levels() - 1);
        assert!(last.start <= place && place + layout.itemsize() as isize <= last.end);
        reached.extend((0..layout.itemsize() as isize).map(|k| (base, place + k)));
        let Some(axis) = (0..index.len()).rev().find(|&axis| index[axis] + 1 < layout.shape()[axis]) else {
            return reached;
        };
        index[axis] += 1;
        index[axis + 1..].fill(0);
    }
}

fn small(layout: &Layout) -> bool {
    layout.len() <= WALKED && layout.itemsize() <= 64
}

fuzz_target!(|claim: Claim| {
    let shape: Vec<isize> = claim.shape.iter().map(|word| word.value()).collect();
    let strides: Vec<Vec<isize>> =
        claim.levels.iter().map(|(_, strides)| strides.iter().map(|word| word.value()).collect()).collect();
    let levels: Vec<LevelSpec<'_>> = claim
        .levels
        .iter()
        .zip(&strides)
        .map(|((offset, _), strides)| LevelSpec { offset: offset.value(), strides })
        .collect();
    let itemsize = claim.itemsize.value().unsigned_abs();
    let Ok(mut layout) = Layout::new(&LayoutSpec { itemsize, shape: &shape, levels: &levels }) else {
        return;
    };
    let mut known = small(&layout).then(|| bytes(&layout));
    for operation in claim.operations.iter().take(12) {
        let Some(next) = operation.run(&layout) else { continue };
        assert!(next.nbytes() <= isize::MAX as usize);
        let _ = (next.contiguity(), next.self_overlap(100), next.is_exhaustive(), next.alignment(64));
        let _ = (next.to_suboffsets(), next.to_derefoff());
        let now = small(&next).then(|| bytes(&next));
        if let (Some(known), Some(now)) = (&known, &now) {
            assert!(now.is_subset(known), "{operation:?} of {layout:?} left it: {next:?}");
        }
        // What was too large to walk, and was cut small, is known from here on.
        known = now.or(known);
        layout = next;
    }
});
