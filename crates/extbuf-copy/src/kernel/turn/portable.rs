//! The form that every machine runs, in plain Rust; the compiler makes of it what vector code it can.

// Items are read and written through raw addresses.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;

use super::{Form, MOST_LINES, MOST_ROWS};

/// Items one by one.
pub(super) struct Portable;

/// Bytes of a line at most: four items of 32.
const LONGEST: usize = 128;

impl<const N: usize> Form<N> for Portable {
    /// As many items as a cache line holds, and 4 at least.
    const ROWS: usize = if N > 16 { 4 } else { 64 / N };
    const ITEMS: usize = 2;
    const STREAMS: bool = false;
    const CARRY: usize = 0;

    type Line = [MaybeUninit<u8>; LONGEST];

    #[inline(always)]
    unsafe fn turn(rows: &[*const u8; MOST_ROWS], at: isize) -> [Self::Line; MOST_LINES] {
        let mut lines = [[MaybeUninit::uninit(); LONGEST]; MOST_LINES];
        for (j, row) in rows.iter().enumerate().take(<Self as Form<N>>::ROWS) {
            for (m, line) in lines.iter_mut().enumerate().take(<Self as Form<N>>::ITEMS) {
                let from = row.wrapping_offset(at).wrapping_add(m * N);
                // SAFETY: the caller's contract; an array of bytes has alignment 1.
                let item = unsafe { from.cast::<[MaybeUninit<u8>; N]>().read() };
                line[j * N..][..N].copy_from_slice(&item);
            }
        }
        lines
    }

    #[inline(always)]
    unsafe fn store(line: Self::Line, to: *mut u8) {
        // SAFETY: the caller's contract.
        unsafe { Self::part(&line, 0, <Self as Form<N>>::ROWS * N, to) };
    }

    #[inline(always)]
    unsafe fn store_part(line: Self::Line, from: usize, until: usize, to: *mut u8) {
        // SAFETY: the caller's contract.
        unsafe { Self::part(&line, from, until, to) };
    }

    unsafe fn stream(_: Self::Line, _: *mut u8) {
        unreachable!("no form for that")
    }

    unsafe fn join(_: *mut u8, _: usize, _: Self::Line) -> Self::Line {
        unreachable!("no form for that")
    }

    unsafe fn keep(_: *mut u8, _: Self::Line) {
        unreachable!("no form for that")
    }

    fn fence() {}
}

impl Portable {
    /// # Safety
    ///
    /// The bytes `from..until` from `to` on may be written.
    #[inline(always)]
    unsafe fn part(line: &[MaybeUninit<u8>; LONGEST], from: usize, until: usize, to: *mut u8) {
        let (bytes, place) = (&line[from..until], to.wrapping_add(from).cast::<MaybeUninit<u8>>());
        // SAFETY: the caller's contract; a line on the stack overlaps nothing.
        unsafe { place.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
    }
}
