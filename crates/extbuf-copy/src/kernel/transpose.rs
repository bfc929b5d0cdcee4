//! The tiled transpose, in portable form.
//!
//! Along `i` the source takes small steps and the destination large ones; along `j` it is the other way round. Any
//! plain loop over the two touches a new cache line at every step on one side, and where that side's stride is a
//! large power of two, all those lines fall into a few sets of the cache and push one another out before they are
//! used again. So the grid is walked in tiles of `T x T` items, `T` items filling one line of 64 bytes. Where both
//! sides are dense along their own loop a tile is read in whole lines, turned over in a block on the stack, and
//! written in whole lines: each line is touched once, so its set does not matter. What does not fill a tile is moved
//! item by item.

use std::mem::MaybeUninit;

use super::{Grid, items};
use crate::plan::Loop;

/// Tiles along `j` walked before the next tile along `i`, in items.
const STRIP: usize = 1024;

/// `dst[i*D0 + j*D1 ..][..N] = src[i*S0 + j*S1 ..][..N]` where `S0 < S1` and `D0 > D1`.
///
/// # Safety
///
/// As for [`run`](super::run), with a unit of `N` bytes.
pub(super) unsafe fn transpose<const N: usize, const T: usize>(grid: Grid, dst: *mut u8, src: *const u8) {
    let Grid { i, j } = grid;
    let dense = i.src == N as isize && j.dst == N as isize;
    for (i0, rows) in steps(i.extent, T) {
        for (j0, columns) in steps(j.extent, if dense { T } else { STRIP }) {
            let to = dst.wrapping_offset(i0 * i.dst + j0 * j.dst);
            let from = src.wrapping_offset(i0 * i.src + j0 * j.src);
            if dense && rows == T && columns == T {
                // SAFETY: a whole tile of the caller's grid, dense along both loops.
                unsafe { tile::<N, T>(to, from, i.dst, j.src) };
            } else {
                let part = Grid { i: Loop { extent: rows, ..i }, j: Loop { extent: columns, ..j } };
                // SAFETY: a part of the caller's grid.
                unsafe { items::items::<N>(part, to, from) };
            }
        }
    }
}

/// `0, step, 2 * step ...` below `extent`, each with how many follow until the next.
#[inline]
fn steps(extent: usize, step: usize) -> impl Iterator<Item = (isize, usize)> {
    (0..extent).step_by(step).map(move |start| (start as isize, step.min(extent - start)))
}

/// `dst[i*d + j*N ..][..N] = src[i*N + j*s ..][..N]` for `i` and `j` below `T`.
///
/// # Safety
///
/// As for [`run`](super::run).
#[inline(always)]
unsafe fn tile<const N: usize, const T: usize>(dst: *mut u8, src: *const u8, d: isize, s: isize) {
    type Row<const N: usize, const T: usize> = [MaybeUninit<[u8; N]>; T];
    let mut block: [Row<N, T>; T] = [[MaybeUninit::uninit(); T]; T];
    for (j, s) in (0..T).map(|j| (j, s * j as isize)) {
        // SAFETY: P1: the items `0..T` along `i` at this `j` lie side by side, good to read; alignment 1.
        let row = unsafe { src.wrapping_offset(s).cast::<Row<N, T>>().read() };
        for (i, item) in row.into_iter().enumerate() {
            block[i][j] = item;
        }
    }
    for (i, row) in block.into_iter().enumerate() {
        // SAFETY: P1: the items `0..T` along `j` at this `i` lie side by side, good to write; alignment 1.
        unsafe { dst.wrapping_offset(d * i as isize).cast::<Row<N, T>>().write(row) };
    }
}
