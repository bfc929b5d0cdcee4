//! Memory that others may write at any time stays on its thread, so each thread has its own: a block, windows of it that
//! overlap, copies from one to the other.

// Lends its own memory as foreign.
#![allow(unsafe_code)]

use extbuf::copy::{copy, to_contiguous, to_vec};
use extbuf::format::Element;
use extbuf::layout::{Layout, Order, Slice, SliceItem};
use extbuf::protocol::{Access, Array, Block, Exporter, Foreign, Memory, Owner, Request};

use crate::contents::{check, items, numbers, slices};
use crate::random::Random;

struct Words(Vec<u32>);

// SAFETY: M1, M2: the vector is not resized, and any bytes are a `u32`. M3: on this thread alone, between operations.
unsafe impl Owner<Foreign> for Words {
    fn block(&mut self) -> Block {
        Block { base: self.0.as_mut_ptr().cast(), len: self.0.len() * 4, access: Access::Write }
    }
}

/// One operation on memory of its own.
pub(crate) fn step(random: &mut Random) -> Result<(), String> {
    let says = |error: extbuf::protocol::Refusal| error.to_string();
    let (height, width) = (2 + random.below(40), 1 + random.below(60));
    let first = random.bits() as u32;
    let memory = Memory::<Foreign>::from_owner(Words(items(first, height * width)));
    let layout = Layout::contiguous(4, &[height, width], Order::C).map_err(|error| error.to_string())?;
    let array = Array::new(memory, layout, u32::FORMAT).map_err(says)?;
    let window = array.window(Request::FULL).map_err(says)?;
    let numbers = numbers(&[height, width]);
    let part = slices(random, window.layout());
    check(&window.slice(&part).map_err(says)?.view(), &numbers.slice(&part).map_err(says)?.view())?;

    // One row down: the source is read as if it were read first, whichever way that is done.
    let rows = |start: isize, stop: isize| {
        [SliceItem::Slice(Slice { start: Some(start), stop: Some(stop), step: None })]
    };
    let last = height as isize - 1;
    let expected = to_vec(&window.slice(rows(0, last)).map_err(says)?.view(), Order::C);
    let expected = expected.map_err(|error| error.to_string())?;
    let mut down = window.clone().map_mut::<extbuf::protocol::Refusal>(|view| view.slice(rows(1, last + 1)));
    let source = window.slice(rows(0, last)).map_err(says)?;
    if let Ok(down) = &mut down {
        copy(&mut down.view_mut().map_err(says)?, &source.view()).map_err(|error| error.to_string())?;
        let moved = to_contiguous(&down.view(), Order::C).map_err(|error| error.to_string())?;
        if moved.view().as_bytes() != Some(&expected[..]) {
            return Err("rows that were moved over themselves are others".into());
        }
    }
    drop((window, source, down));
    if array.memory().live() == 0 { Ok(()) } else { Err("a lease on foreign memory stayed out".into()) }
}
