//! The tiled transpose.
//!
//! Along `i` the source takes small steps and the destination large ones; along `j` it is the other way round. Any
//! plain loop over the two touches a new cache line at every step on one side, and where that side's stride is a
//! large power of two, all those lines fall into a few sets of the cache and push one another out before they are
//! used again. So the grid is walked in tiles of `T x T` items, `T` items filling one line of 64 bytes. Where both
//! sides are dense along their own loop a tile is read in whole lines, turned over in registers or on the stack, and
//! written in whole lines: each line is touched once, so its set does not matter. What does not fill a tile is moved
//! item by item.
//!
//! Tiles are walked in strips: 256 items along `i`, through which `T` rows of the source are read onwards, then the next
//! strip below. The hardware follows neither the rows of the source, which end too soon, nor the columns of the
//! destination, so both are asked for one strip ahead. On the 8192 x 8192 transpose of 4-byte items (one thread, Xeon
//! with 2 MiB of L2, 4 KiB pages, ratio to memcpy) tiles one below the other without asking got 0.11; strips of 64, 256,
//! 1024 items 0.09, 0.13, 0.11; with the source asked for 0.11, and with both 0.44 (strips of 64: 0.22). For items of
//! 1 byte at 4096 x 4096 strips of 1024 got 0.04, of 256 0.18, of 128 0.09.

// Tiles are read and written through raw addresses.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;

use super::{Grid, items, prefetch};
use crate::plan::Loop;

/// Items along `i` in a strip.
const STRIP: usize = 256;

/// Steps along `j` taken at a time where tiles cannot be whole.
const COLUMNS: usize = 1024;

/// `dst[i*D0 + j*D1 ..][..N] = src[i*S0 + j*S1 ..][..N]` where `S0 < S1` and `D0 > D1`.
///
/// # Safety
///
/// As for [`run`](super::run), with a unit of `N` bytes.
pub(super) unsafe fn transpose<const N: usize, const T: usize>(grid: Grid, dst: *mut u8, src: *const u8) {
    let Grid { i, j } = grid;
    let dense = i.src == N as isize && j.dst == N as isize && i.extent >= T && j.extent >= T;
    let (high, wide) = if dense { (STRIP.next_multiple_of(T), T) } else { (T, COLUMNS) };
    for (i0, rows) in steps(i.extent, high) {
        for (j0, columns) in steps(j.extent, wide) {
            let to = dst.wrapping_offset(i0 * i.dst + j0 * j.dst);
            let from = src.wrapping_offset(i0 * i.src + j0 * j.src);
            let part = Grid { i: Loop { extent: rows, ..i }, j: Loop { extent: columns, ..j } };
            if dense && columns == T {
                // SAFETY: a part of the caller's grid, dense along both loops and one tile wide.
                unsafe { strip::<N, T>(part, to, from) };
            } else {
                // SAFETY: a part of the caller's grid.
                unsafe { items::items::<N>(part, to, from) };
            }
        }
    }
}

/// The same where both loops are dense and `j` is one tile wide.
///
/// # Safety
///
/// As for [`run`](super::run), with a unit of `N` bytes.
#[inline]
unsafe fn strip<const N: usize, const T: usize>(grid: Grid, dst: *mut u8, src: *const u8) {
    let Grid { i, j } = grid;
    for (i0, rows) in steps(i.extent, T) {
        let (to, from) = (dst.wrapping_offset(i0 * i.dst), src.wrapping_offset(i0 * i.src));
        if rows == T {
            for k in 0..T as isize {
                prefetch(from.wrapping_offset((T as isize + k).wrapping_mul(j.src)));
                prefetch(
                    to.wrapping_offset(k.wrapping_mul(i.dst).wrapping_add((T as isize).wrapping_mul(j.dst))),
                );
            }
            // SAFETY: a whole tile of the caller's grid.
            unsafe { best_tile::<N, T>(to, from, i.dst, j.src) };
        } else {
            // SAFETY: a part of the caller's grid.
            unsafe { items::items::<N>(Grid { i: Loop { extent: rows, ..i }, j }, to, from) };
        }
    }
}

/// `0, step, 2 * step ...` below `extent`, each with how many follow until the next.
#[inline]
fn steps(extent: usize, step: usize) -> impl Iterator<Item = (isize, usize)> {
    (0..extent).step_by(step).map(move |start| (start as isize, step.min(extent - start)))
}

/// The vector form of the tile where there is one, else the portable one.
///
/// # Safety
///
/// As for [`run`](super::run).
#[inline(always)]
unsafe fn best_tile<const N: usize, const T: usize>(dst: *mut u8, src: *const u8, d: isize, s: isize) {
    #[cfg(target_arch = "x86_64")]
    match N {
        // SAFETY: the caller's contract; in each arm `N` is the number named and `T` what fills 64 bytes.
        1 => return unsafe { super::x86::tile::<1, 64>(dst, src, d, s) },
        // SAFETY: as above.
        2 => return unsafe { super::x86::tile::<2, 32>(dst, src, d, s) },
        // SAFETY: as above.
        4 => return unsafe { super::x86::tile::<4, 16>(dst, src, d, s) },
        // SAFETY: as above.
        8 => return unsafe { super::x86::tile::<8, 8>(dst, src, d, s) },
        _ => {}
    }
    // SAFETY: the caller's contract.
    unsafe { tile::<N, T>(dst, src, d, s) }
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

#[cfg(test)]
mod tests {
    use super::{best_tile, tile};

    /// Both forms of a tile against the equation, at odd addresses, with a guard around the destination.
    fn turned<const N: usize, const T: usize>(form: unsafe fn(*mut u8, *const u8, isize, isize)) {
        let (s, d) = (T * N + 3, T * N + 5);
        let source: Vec<u8> = (0..s * T + 1).map(|k| (k * 31 + k / 251) as u8).collect();
        let mut target = vec![0xEE; d * T + 2];
        let (to, from) = (target.as_mut_ptr().wrapping_add(1), source.as_ptr().wrapping_add(1));
        // SAFETY: the tile's lines lie inside both vectors: `T` lines, `s` and `d` bytes apart, from byte 1 on.
        unsafe { form(to, from, d as isize, s as isize) };
        let mut expected = vec![0xEE; d * T + 2];
        for i in 0..T {
            for j in 0..T {
                for k in 0..N {
                    expected[1 + i * d + j * N + k] = source[1 + i * N + j * s + k];
                }
            }
        }
        assert!(target == expected, "items of {N} bytes");
    }

    #[test]
    fn the_vector_form_and_the_portable_form_fulfil_the_equation() {
        turned::<1, 64>(best_tile::<1, 64>);
        turned::<1, 64>(tile::<1, 64>);
        turned::<2, 32>(best_tile::<2, 32>);
        turned::<2, 32>(tile::<2, 32>);
        turned::<4, 16>(best_tile::<4, 16>);
        turned::<4, 16>(tile::<4, 16>);
        turned::<8, 8>(best_tile::<8, 8>);
        turned::<8, 8>(tile::<8, 8>);
        turned::<3, 21>(tile::<3, 21>);
        turned::<16, 4>(tile::<16, 4>);
    }
}
