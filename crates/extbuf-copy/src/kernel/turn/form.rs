//! What a level has to bring along to turn lines over.

// Tiles are read and written through raw addresses.
#![allow(unsafe_code)]

/// Rows of the source that a tile reads at most.
pub(super) const MOST_ROWS: usize = 64;

/// Lines that are turned at once at most.
pub(super) const MOST_LINES: usize = 16;

/// Where the rows of the source begin that a tile reads.
pub(super) trait Begins {
    fn row(&self, k: usize) -> *const u8;
}

impl Begins for [*const u8; MOST_ROWS] {
    #[inline(always)]
    fn row(&self, k: usize) -> *const u8 {
        self[k]
    }
}

/// Rows that are equally far apart: the compiler makes of them the addresses that an instruction can express, where it
/// would read a table's.
#[derive(Clone, Copy)]
pub(super) struct Evenly {
    pub(super) first: *const u8,
    pub(super) step: isize,
}

impl Begins for Evenly {
    #[inline(always)]
    fn row(&self, k: usize) -> *const u8 {
        self.first.wrapping_offset(self.step.wrapping_mul(k as isize))
    }
}

/// How one level turns items of `N` bytes.
///
/// A line is `ROWS * N` bytes: the items of so many rows of the source, side by side.
pub(super) trait Form<const N: usize> {
    /// Rows of the source that make a line of the destination.
    const ROWS: usize;
    /// Neighbouring items of each row that are turned at once, into as many lines.
    const ITEMS: usize;
    /// Whether rows of the source are asked for even where they are long.
    const ASKS: bool;
    /// Bytes that [`join`](Form::join) keeps for each row of the destination.
    const CARRY: usize;

    type Line: Copy;

    /// Lines `0..ITEMS`: line `m` holds the items at `at + m*N` of the first `ROWS` rows.
    ///
    /// # Safety
    ///
    /// `ITEMS * N` bytes at `at` from each of these rows may be read, and the machine has the level.
    unsafe fn turn(rows: &impl Begins, at: isize) -> [Self::Line; MOST_LINES];

    /// Writes a line.
    ///
    /// # Safety
    ///
    /// The bytes may be written, and the machine has the level.
    unsafe fn store(line: Self::Line, to: *mut u8);

    /// Writes the bytes `from..until` of a line to where they belong if it began at `to`.
    ///
    /// # Safety
    ///
    /// These bytes may be written, and the machine has the level.
    unsafe fn store_part(line: Self::Line, from: usize, until: usize, to: *mut u8);

    /// Writes a line past the cache.
    ///
    /// # Safety
    ///
    /// The bytes may be written, `to` is a multiple of 64, and the machine has the level.
    unsafe fn stream(line: Self::Line, to: *mut u8);

    /// The last `late` bytes of the line that `carry` keeps, and the first of `line` behind them; `carry` then keeps `line`.
    ///
    /// # Safety
    ///
    /// `carry` is a multiple of 64 and holds `CARRY` bytes of which `keep` or `join` has written the first; `late < 64`; the
    /// machine has the level.
    unsafe fn join(carry: *mut u8, late: usize, line: Self::Line) -> Self::Line;

    /// `carry` keeps `line`.
    ///
    /// # Safety
    ///
    /// As for [`join`](Form::join), of a carry that holds nothing yet.
    unsafe fn keep(carry: *mut u8, line: Self::Line);

    /// What was written past the cache comes before what is written from here on.
    fn fence();
}
