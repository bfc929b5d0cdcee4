//! Block copies: the unit is a run of bytes of any length.

// Runs are moved between raw addresses.
#![allow(unsafe_code)]

use super::Grid;
use super::small::twice;

/// Longer runs than this are left to the C library.
const SHORT: usize = 64;

/// `dst[i*D0 + j*D1 ..][..unit] = src[i*S0 + j*S1 ..][..unit]`
///
/// # Safety
///
/// As for [`run`](super::run).
pub(super) unsafe fn apart(unit: usize, grid: Grid, dst: *mut u8, src: *const u8) {
    macro_rules! sized {
        ($($n:literal)*) => {
            match unit.div_ceil(2).next_power_of_two() {
                $($n => each(grid, dst, src, |to, from| {
                    // SAFETY: P1 for both places: a unit of `N` to `2 * N` bytes; nothing written overlaps what is read.
                    unsafe { twice::<$n>(to, from, unit) };
                }),)*
                _ => unreachable!("no more than a line"),
            }
        };
    }
    match unit {
        0 => {}
        1..=SHORT => sized! { 1 2 4 8 16 32 },
        _ => each(grid, dst, src, |to, from| {
            // SAFETY: P1 for both places; nothing written overlaps what is read.
            unsafe { to.copy_from_nonoverlapping(from, unit) };
        }),
    }
}

/// Visits each pair of places of the grid.
#[inline(always)]
fn each(grid: Grid, dst: *mut u8, src: *const u8, one: impl Fn(*mut u8, *const u8)) {
    let Grid { i, j } = grid;
    for row in 0..i.extent as isize {
        let (mut to, mut from) = (dst.wrapping_offset(row * i.dst), src.wrapping_offset(row * i.src));
        for _ in 0..j.extent {
            one(to, from);
            to = to.wrapping_offset(j.dst);
            from = from.wrapping_offset(j.src);
        }
    }
}

/// The same in strictly ascending order of `i`, then `j`, where a place written may overlap a place read.
///
/// # Safety
///
/// As for [`run`](super::run).
pub(super) unsafe fn overlapping(unit: usize, grid: Grid, dst: *mut u8, src: *const u8) {
    let Grid { i, j } = grid;
    for row in 0..i.extent as isize {
        let (mut to, mut from) = (dst.wrapping_offset(row * i.dst), src.wrapping_offset(row * i.src));
        for _ in 0..j.extent {
            // SAFETY: P1 for both places, which may overlap.
            unsafe { to.copy_from(from, unit) };
            to = to.wrapping_offset(j.dst);
            from = from.wrapping_offset(j.src);
        }
    }
}
