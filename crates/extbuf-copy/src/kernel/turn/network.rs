//! How squares of items are turned in registers, on whichever machine.
//!
//! A register is one or several lanes of 16 bytes; in each lane a square of `M x M` items, `M` of them filling a lane, is
//! turned in `log2(M)` rounds. A round interleaves register `k` with register `k + M/2`, for all `k` below `M/2`. That
//! moves the item at (register, place), read as one binary number, to the place whose number has its bits rotated by one;
//! after as many rounds as a place has bits, register and place have changed places.
//!
//! Which rows go into which lanes is settled by the loads: lane `l` of register `k` is 16 bytes of row `k + M*l`, so that
//! line `m` comes out with its items in order. Wide registers thus need no exchange between lanes, which would cost
//! more than the loads: a tile of 16 x 16 items of 4 bytes takes 32 interleavings where it takes 64 from whole lines.

// Loads and stores through raw addresses.
#![allow(unsafe_code)]

use std::marker::PhantomData;
use std::mem::MaybeUninit;

use super::form::{Begins, Form, MOST_LINES};

/// A register of the network.
pub(super) trait Register: Copy {
    const LANES: usize;

    /// # Safety
    ///
    /// 16 bytes at `at` from every `step`-th row from `first` on, as many as there are lanes, may be read; the machine has
    /// the registers.
    unsafe fn load(rows: &impl Begins, first: usize, step: usize, at: isize) -> Self;

    /// The items of `N` bytes of two registers by turns, lane by lane: the lower halves, and the upper halves.
    ///
    /// # Safety
    ///
    /// The machine has the registers.
    unsafe fn interleave<const N: usize>(self, other: Self) -> (Self, Self);

    /// # Safety
    ///
    /// The machine has the registers.
    unsafe fn zero() -> Self;
}

/// The squares of one register of each line, one in each lane, turned: register `k` of the answer, below `16 / N`, belongs
/// to line `k`.
///
/// # Safety
///
/// `16` bytes at `at` from `16 / N * LANES` of these rows, from `first` on, may be read, and the machine has the registers.
#[inline(always)]
pub(super) unsafe fn squares<R: Register, const N: usize>(
    rows: &impl Begins,
    first: usize,
    at: isize,
) -> [R; MOST_LINES] {
    let m = 16 / N;
    // SAFETY: the caller's contract: the machine has the registers.
    let mut square = [unsafe { R::zero() }; MOST_LINES];
    for (k, register) in square.iter_mut().enumerate().take(m) {
        // SAFETY: the caller's contract, for the rows of these lanes.
        *register = unsafe { R::load(rows, first + k, m, at) };
    }
    // SAFETY: as above.
    unsafe { square_turned::<R, N>(square) }
}

/// The squares of the first `16 / N` registers turned, lane by lane.
///
/// # Safety
///
/// The machine has the registers.
#[inline(always)]
pub(super) unsafe fn square_turned<R: Register, const N: usize>(
    mut square: [R; MOST_LINES],
) -> [R; MOST_LINES] {
    let m = 16 / N;
    let mut round = 1;
    while round < m {
        let old = square;
        for k in 0..m / 2 {
            // SAFETY: the caller's contract.
            (square[2 * k], square[2 * k + 1]) = unsafe { old[k].interleave::<N>(old[k + m / 2]) };
        }
        round *= 2;
    }
    square
}

/// Lines of `H` registers: 1 or 4, which make 64 bytes.
///
/// The registers of a line are named one by one. In a loop over them the lines were indexed by a variable until late in the
/// compiler's work, and so stayed in memory.
///
/// # Safety
///
/// As for [`Form::turn`].
#[inline(always)]
pub(super) unsafe fn turn<R: Register, const N: usize, const H: usize>(
    rows: &impl Begins,
    at: isize,
) -> [[R; H]; MOST_LINES] {
    const { assert!(H * R::LANES == 4) };
    let each = 16 / N * R::LANES;
    // SAFETY: the caller's contract.
    let first = unsafe { squares::<R, N>(rows, 0, at) };
    let mut lines = [[first[0]; H]; MOST_LINES];
    for (line, register) in lines.iter_mut().zip(first) {
        line[0] = register;
    }
    macro_rules! further {
        ($($h:literal)*) => {$(
            if $h < H {
                // SAFETY: the caller's contract, for the rows of this register.
                let squares = unsafe { squares::<R, N>(rows, $h * each, at) };
                for (line, register) in lines.iter_mut().zip(squares) {
                    line[$h] = register;
                }
            }
        )*};
    }
    further! { 1 2 3 }
    lines
}

/// A register of 16 bytes, written and read as it is.
pub(super) trait Sixteen: Register {
    /// # Safety
    ///
    /// 16 bytes may be read there; the machine has the registers.
    unsafe fn read(from: *const u8) -> Self;

    /// # Safety
    ///
    /// 16 bytes may be written there; the machine has the registers.
    unsafe fn write(self, to: *mut u8);

    /// The same past the cache, where the machine can.
    ///
    /// # Safety
    ///
    /// As for [`write`](Sixteen::write); `to` is a multiple of 16.
    unsafe fn write_past(self, to: *mut u8);

    /// What was written past the cache comes before what is written from here on.
    fn fence();
}

/// Lines of four registers, joined by way of memory. With AVX2 too: lines of two registers of 32 bytes gained nothing
/// anywhere and lost where lines are many or stay in L2 (200 x 300 items of 1, 8 and 16 bytes: 0.07, 0.33 and 0.41 of
/// `memcpy`, with registers of 16 bytes 0.19, 0.43 and 0.52).
pub(super) struct Joined<R>(PhantomData<R>);

impl<R: Sixteen, const N: usize> Form<N> for Joined<R> {
    const ROWS: usize = 64 / N;
    const ITEMS: usize = 16 / N;
    const ASKS: bool = true;
    const CARRY: usize = 128;

    type Line = [R; 4];

    #[inline(always)]
    unsafe fn turn(rows: &impl Begins, at: isize) -> [Self::Line; MOST_LINES] {
        // SAFETY: the caller's contract.
        unsafe { turn::<R, N, 4>(rows, at) }
    }

    #[inline(always)]
    unsafe fn store(line: Self::Line, to: *mut u8) {
        for (k, register) in line.into_iter().enumerate() {
            // SAFETY: the caller's contract.
            unsafe { register.write(to.wrapping_add(16 * k)) };
        }
    }

    #[inline(always)]
    unsafe fn store_part(line: Self::Line, from: usize, until: usize, to: *mut u8) {
        // Stored first: were its address taken, the compiler would keep all lines in memory from the start, which
        // took three times as long.
        let mut bytes = [MaybeUninit::<u8>::uninit(); 64];
        // SAFETY: a line is 64 bytes.
        unsafe { <Self as Form<N>>::store(line, bytes.as_mut_ptr().cast()) };
        let bytes = bytes[from..until].as_ptr().cast::<u8>();
        // SAFETY: the caller's contract; the stack overlaps nothing.
        unsafe { to.wrapping_add(from).copy_from_nonoverlapping(bytes, until - from) };
    }

    #[inline(always)]
    unsafe fn stream(line: Self::Line, to: *mut u8) {
        for (k, register) in line.into_iter().enumerate() {
            // SAFETY: the caller's contract.
            unsafe { register.write_past(to.wrapping_add(16 * k)) };
        }
    }

    #[inline(always)]
    unsafe fn join(carry: *mut u8, late: usize, line: Self::Line) -> Self::Line {
        // SAFETY: the caller's contract: the second half of the carry.
        unsafe { <Self as Form<N>>::store(line, carry.wrapping_add(64)) };
        let mut joined = line;
        for (k, register) in joined.iter_mut().enumerate() {
            // SAFETY: the caller's contract: 64 bytes from the first half on.
            *register = unsafe { R::read(carry.wrapping_add(64 - late + 16 * k)) };
        }
        // SAFETY: the caller's contract: the first half.
        unsafe { <Self as Form<N>>::store(line, carry) };
        joined
    }

    #[inline(always)]
    unsafe fn keep(carry: *mut u8, line: Self::Line) {
        // SAFETY: the caller's contract: the first half.
        unsafe { <Self as Form<N>>::store(line, carry) };
    }

    fn fence() {
        R::fence();
    }
}
