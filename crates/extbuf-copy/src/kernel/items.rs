//! Items of a fixed small size, moved through a register.
//!
//! The innermost line is written once and compiled for the strides that matter: where the compiler sees that the
//! destination is dense and the source runs backwards or at every second, third or fourth item, it makes vector code of the same loop.

// Items are read and written through raw addresses.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;

use super::Grid;

/// An item as bytes of which nothing is asked.
type Item<const N: usize> = MaybeUninit<[u8; N]>;

/// `dst[i*D0 + j*D1 ..][..N] = src[i*S0 + j*S1 ..][..N]`
///
/// # Safety
///
/// As for [`run`](super::run), with a unit of `N` bytes.
#[inline(always)]
pub(super) unsafe fn items<const N: usize>(grid: Grid, dst: *mut u8, src: *const u8) {
    let Grid { i, j } = grid;
    let n = N as isize;
    match j.extent {
        // A pixel's channels: the loop over them becomes straight code.
        // SAFETY: the caller's grid, whose inner loop has as many steps as the constant says.
        2 => return unsafe { short::<N, 2>(grid, dst, src) },
        // SAFETY: as above.
        3 => return unsafe { short::<N, 3>(grid, dst, src) },
        // SAFETY: as above.
        4 => return unsafe { short::<N, 4>(grid, dst, src) },
        _ => {}
    }
    for row in 0..i.extent as isize {
        let (to, from) = (dst.wrapping_offset(row * i.dst), src.wrapping_offset(row * i.src));
        // One row of the caller's grid, with the strides as constants where they are these.
        match (j.dst == n, j.src) {
            // SAFETY: one row of the caller's grid.
            (true, s) if s == -n => unsafe { line::<N>(to, from, j.extent, n, -n) },
            // SAFETY: as above.
            (true, s) if s == 2 * n => unsafe { line::<N>(to, from, j.extent, n, 2 * n) },
            // SAFETY: as above.
            (true, s) if s == 3 * n => unsafe { line::<N>(to, from, j.extent, n, 3 * n) },
            // SAFETY: as above.
            (true, s) if s == 4 * n => unsafe { line::<N>(to, from, j.extent, n, 4 * n) },
            // SAFETY: as above.
            (true, s) => unsafe { line::<N>(to, from, j.extent, n, s) },
            // SAFETY: as above.
            (false, s) => unsafe { line::<N>(to, from, j.extent, j.dst, s) },
        }
    }
}

/// The same where `j` has `K` steps.
///
/// # Safety
///
/// As for [`run`](super::run), with a unit of `N` bytes.
#[inline(always)]
unsafe fn short<const N: usize, const K: usize>(grid: Grid, dst: *mut u8, src: *const u8) {
    let Grid { i, j } = grid;
    let (mut to, mut from) = (dst, src);
    for _ in 0..i.extent {
        let mut row = [Item::<N>::uninit(); K];
        for (k, item) in row.iter_mut().enumerate() {
            // SAFETY: P1: the source place is good to read; alignment 1.
            *item = unsafe { from.wrapping_offset(k as isize * j.src).cast::<Item<N>>().read() };
        }
        if j.dst == N as isize {
            // SAFETY: P1: the destination places lie side by side and are good to write; alignment 1.
            unsafe { to.cast::<[Item<N>; K]>().write(row) };
        } else {
            for (k, item) in row.into_iter().enumerate() {
                // SAFETY: P1: the destination place is good to write; alignment 1.
                unsafe { to.wrapping_offset(k as isize * j.dst).cast::<Item<N>>().write(item) };
            }
        }
        (to, from) = (to.wrapping_offset(i.dst), from.wrapping_offset(i.src));
    }
}

/// `dst[j*d ..][..N] = src[j*s ..][..N]`
///
/// # Safety
///
/// As for [`run`](super::run), for one loop.
#[inline(always)]
pub(super) unsafe fn line<const N: usize>(dst: *mut u8, src: *const u8, count: usize, d: isize, s: isize) {
    for k in 0..count as isize {
        // SAFETY: P1: the source place is good to read; an array of bytes has alignment 1.
        let item = unsafe { src.wrapping_offset(k * s).cast::<Item<N>>().read() };
        // SAFETY: P1: the destination place is good to write; alignment 1.
        unsafe { dst.wrapping_offset(k * d).cast::<Item<N>>().write(item) };
    }
}

/// `dst[i*D0 + j*D1 ..][..N] = src[i*S0 ..][..N]`
///
/// # Safety
///
/// As for [`run`](super::run), with a unit of `N` bytes and a source that does not move along `j`.
#[inline(always)]
pub(super) unsafe fn fill<const N: usize>(grid: Grid, dst: *mut u8, src: *const u8) {
    let Grid { i, j } = grid;
    if j.extent <= 4 {
        // SAFETY: the caller's contract: the same equation, with a stride of 0.
        return unsafe { items::<N>(grid, dst, src) };
    }
    for row in 0..i.extent as isize {
        let (to, from) = (dst.wrapping_offset(row * i.dst), src.wrapping_offset(row * i.src));
        // SAFETY: P1: the source place of this row is good to read; alignment 1.
        let item: Item<N> = unsafe { from.cast::<Item<N>>().read() };
        let d = if j.dst == N as isize { N as isize } else { j.dst };
        for k in 0..j.extent as isize {
            // SAFETY: P1: the destination place is good to write; alignment 1.
            unsafe { to.wrapping_offset(k * d).cast::<Item<N>>().write(item) };
        }
    }
}
