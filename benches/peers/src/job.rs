//! One case with its memory: what every peer is given.
//!
//! Peers keep raw addresses, since each wants views of its own kind and all write to the same destination by turns.
//! Their unsafe code rests on three invariants:
//!
//! - **J1** every item that a view of a job names lies inside its block; [`Case`] checked that when it was read;
//! - **J2** the blocks of a job outlive every run that was made for it; [`measure`](crate::measure) drops runs first;
//! - **J3** runs of one job go one after another, and nothing else looks at its destination while one goes on.

// Raw addresses of the first items of views.
#![allow(unsafe_code)]

use std::slice;

use crate::case::{Case, RowOrder};
use crate::memory::{Block, Noise};

/// One case with its memory.
#[derive(Debug)]
pub struct Job {
    /// The case.
    pub case: Case,
    /// On how many threads.
    pub threads: usize,
    /// The source array, or all rows of the picture.
    pub src: Block,
    /// The destination array.
    pub dst: Block,
    /// Where the rows of the picture lie; empty for direct cases.
    pub table: Vec<*const u8>,
}

impl Job {
    /// Takes memory and fills the source.
    pub fn new(case: &Case, threads: usize) -> Job {
        let dst = Block::new(case.dst.length * case.dst_item);
        let kind = case.entry.from;
        let Some(rows) = case.entry.rows else {
            let mut src = Block::new(case.src.length * case.src_item);
            src.fill(kind, 7);
            return Job { case: case.clone(), threads, src, dst, table: Vec::new() };
        };
        // Each row begins on a cache line of its own with one line between it and the next, as an allocator that
        // gives out whole lines and writes its own words between them would place them.
        let pitch = (case.entry.columns * case.src_item).next_multiple_of(64) + 64;
        let mut src = Block::new(rows * pitch);
        src.fill(kind, 7);
        let mut places: Vec<usize> = (0..rows).collect();
        if case.entry.order == RowOrder::Shuffled {
            let mut noise = Noise(11);
            for last in (1..rows).rev() {
                places.swap(last, (noise.draw() % (last as u64 + 1)) as usize);
            }
        }
        let table = places.iter().map(|place| src.bytes()[place * pitch..].as_ptr()).collect();
        Job { case: case.clone(), threads, src, dst, table }
    }

    /// The first item of the source view.
    pub fn src_start<T>(&self) -> *const T {
        // SAFETY: J1: the offset lies in the block.
        unsafe { self.src.start().add(self.case.src.offset * self.case.src_item) }.cast()
    }

    /// The first item of the destination view.
    pub fn dst_start<T>(&self) -> *mut T {
        // SAFETY: J1: the offset lies in the block.
        unsafe { self.dst.start_mut().add(self.case.dst.offset * self.case.dst_item) }.cast()
    }

    /// The bytes of row `row` of the picture.
    pub fn row(&self, row: usize) -> &[u8] {
        // SAFETY: the table leads to rows of the source block, each of so many bytes; the block lives on.
        unsafe { slice::from_raw_parts(self.table[row], self.case.entry.columns * self.case.src_item) }
    }
}
