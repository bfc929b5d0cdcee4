//! Items of a fixed small size, moved through a register.
//!
//! The innermost line is written once and compiled for the strides that matter: where the compiler sees that the
//! destination is dense and the source runs backwards or at every second item, it makes vector code of the same loop.

use std::mem::MaybeUninit;

use super::Grid;

/// An item as bytes that may be padding.
type Item<const N: usize> = MaybeUninit<[u8; N]>;

/// `dst[i*D0 + j*D1 ..][..N] = src[i*S0 + j*S1 ..][..N]`
///
/// # Safety
///
/// As for [`run`](super::run), with a unit of `N` bytes.
pub(super) unsafe fn items<const N: usize>(grid: Grid, dst: *mut u8, src: *const u8) {
    let Grid { i, j } = grid;
    let n = N as isize;
    for row in 0..i.extent as isize {
        let (to, from) = (dst.wrapping_offset(row * i.dst), src.wrapping_offset(row * i.src));
        // SAFETY: one row of the caller's grid, with the strides as constants where they are these.
        match (j.dst == n, j.src) {
            // SAFETY: as above.
            (true, s) if s == -n => unsafe { line::<N>(to, from, j.extent, n, -n) },
            // SAFETY: as above.
            (true, s) if s == 2 * n => unsafe { line::<N>(to, from, j.extent, n, 2 * n) },
            // SAFETY: as above.
            (true, s) => unsafe { line::<N>(to, from, j.extent, n, s) },
            // SAFETY: as above.
            (false, s) => unsafe { line::<N>(to, from, j.extent, j.dst, s) },
        }
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
pub(super) unsafe fn fill<const N: usize>(grid: Grid, dst: *mut u8, src: *const u8) {
    let Grid { i, j } = grid;
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
