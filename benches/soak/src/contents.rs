//! What stands in the memory, and how it is told from what does not.
//!
//! Item `k` of a block is `first + k * STEP`, in `u32` that wraps, whoever wrote it. So a part of a block is whole if its
//! items less `STEP` times their numbers are all the same; and the numbers come from a block of numbers that is sliced
//! the same way.

use extbuf::copy::to_vec;
use extbuf::layout::{Layout, Order, Slice, SliceItem};
use extbuf::protocol::{Array, Exporter, Frozen, Memory, Request, Sharing, View, Window};

use crate::random::Random;

const STEP: u32 = 0x9e37_79b1;

/// A whole block of items.
pub(crate) fn items(first: u32, count: usize) -> Vec<u32> {
    (0..count as u32).map(|k| first.wrapping_add(k.wrapping_mul(STEP))).collect()
}

/// A block that counts its items.
pub(crate) fn numbers(shape: &[usize]) -> Window<'static> {
    let count = shape.iter().product::<usize>() as u32;
    let array = Array::of::<u32>(Memory::from_vec((0..count).collect::<Vec<u32>>()), shape);
    array.and_then(|array| array.window(Request::FULL_RO)).expect("fresh memory of that shape")
}

fn words(bytes: &[u8]) -> impl Iterator<Item = u32> + '_ {
    bytes.chunks_exact(4).map(|word| u32::from_ne_bytes(word.try_into().expect("four bytes")))
}

/// Whether these bytes, in C order, are the items with those numbers.
pub(crate) fn whole(bytes: &[u8], numbers: &View<'_>) -> Result<(), String> {
    let numbers = to_vec(numbers, Order::C).map_err(|error| error.to_string())?;
    if numbers.len() != bytes.len() {
        return Err(format!("{} bytes where {} are wanted", bytes.len(), numbers.len()));
    }
    let mut firsts =
        words(bytes).zip(words(&numbers)).map(|(item, k)| item.wrapping_sub(k.wrapping_mul(STEP)));
    let Some(first) = firsts.next() else { return Ok(()) };
    match firsts.position(|other| other != first) {
        None => Ok(()),
        Some(at) => Err(format!("item {} is not of the block that item 0 is of", at + 1)),
    }
}

/// Looks at each item of a view, wherever it lies.
pub(crate) fn check<S: Sharing>(view: &View<'_, S>, numbers: &View<'_, Frozen>) -> Result<(), String> {
    whole(&to_vec(view, Order::C).map_err(|error| error.to_string())?, numbers)
}

/// A part of a block of this layout, never empty.
pub(crate) fn slices(random: &mut Random, layout: &Layout) -> Vec<SliceItem> {
    let axis = |&extent: &usize| {
        let start = random.below(extent);
        let steps = 1 + random.below(3) as isize;
        let slice = match random.below(6) {
            0 => return SliceItem::Index(start as isize),
            1 => Slice { start: Some(start as isize), stop: None, step: Some(steps) },
            2 => Slice { start: Some(start as isize), stop: None, step: Some(-steps) },
            3 => Slice { start: None, stop: Some(start as isize + 1), step: None },
            _ => Slice { start: None, stop: None, step: None },
        };
        SliceItem::Slice(slice)
    };
    layout.shape().iter().map(axis).collect()
}
