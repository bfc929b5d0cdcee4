//! Copies so small that choosing how to make them takes longer than making them.
//!
//! So all choices are made with the plan, and end in the address of one function that does everything: for so many loops,
//! for a unit of such a size, in such registers. Running it is one indirect call.
//!
//! - A **run** of `unit` bytes is moved by two moves of `N` bytes, the first and the last of it, where `N <= unit <= 2 N`:
//!   they may share bytes, and no length needs a loop or a branch. Longer ones are left to the kernel of rows.
//! - **Items** are moved one by one, or, where all bytes of either side lie in a few registers, by a permutation worked out
//!   before (see `x86::small`).
//! - **Rows behind pointers** are runs whose beginnings are read from a table.

// Moves bytes between raw addresses.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;

#[cfg(target_arch = "x86_64")]
use super::x86;
use super::{Grid, Level, fixed, run};
use crate::plan::{Kernel, Loop, Small};

#[cfg(target_arch = "x86_64")]
pub(crate) use super::x86::small::Pattern;

/// There are no permutations on this machine.
#[cfg(not(target_arch = "x86_64"))]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pattern;

#[cfg(not(target_arch = "x86_64"))]
impl Pattern {
    pub(crate) const NONE: Pattern = Pattern;
}

/// All of a small copy, from the bases of both sides.
///
/// # Safety
///
/// From the bases both sides of the copy that the [`Small`] stands for are good to write and to read (P1), and apart. The
/// machine has the level that the function was chosen for, and the pattern is the copy's, if it has one.
pub(crate) type Whole = unsafe fn(&Small, &Pattern, *mut u8, *const u8);

/// Before one is chosen.
pub(crate) const NOTHING: Whole = long;

/// Runs of more bytes than this have loops inside.
const LONGEST: usize = 128;

/// The loops around a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Around {
    None,
    One,
    Many,
    /// One, whose source is a table of pointers.
    Pointers,
}

/// The function for runs of so many bytes.
pub(crate) fn runs(level: Level, unit: usize, around: Around) -> Whole {
    macro_rules! sized {
        ($($n:literal: $form:ident,)*) => {
            match unit.div_ceil(2).next_power_of_two() {
                $($n => match around {
                    Around::None => $form::one::<$n> as Whole,
                    Around::One => $form::line::<$n>,
                    Around::Many => $form::grid::<$n>,
                    Around::Pointers => $form::behind::<$n>,
                },)*
                _ => unreachable!("the caller has looked at the length"),
            }
        };
    }
    if unit > LONGEST {
        #[cfg(target_arch = "x86_64")]
        if level >= Level::Avx512 {
            return if around == Around::Pointers { long_behind_wide } else { long_wide };
        }
        return if around == Around::Pointers { long_behind } else { long };
    }
    #[cfg(target_arch = "x86_64")]
    if level >= Level::Avx512 && unit > 64 {
        return sized! { 64: avx512, };
    }
    #[cfg(target_arch = "x86_64")]
    if level >= Level::Avx2 && unit > 32 {
        return sized! { 32: avx2, 64: avx2, };
    }
    let _ = level;
    sized! { 1: plain, 2: plain, 4: plain, 8: plain, 16: plain, 32: plain, 64: plain, }
}

/// The function that moves items, of one of the sizes that have kernels, one by one.
pub(crate) fn items(level: Level, kernel: Kernel, unit: usize, i: Loop, j: Loop) -> Whole {
    #[cfg(target_arch = "x86_64")]
    if level >= Level::Avx2
        && kernel == Kernel::Transpose
        && (unit, j.dst, i.src) == (8, 8, 8)
        && (i.extent % 4, j.extent % 4) == (0, 0)
    {
        return x86::small::squares;
    }
    let _ = (level, kernel, i, j);
    macro_rules! sized {
        ($($n:literal, $tile:literal;)*) => {
            match unit {
                $($n => one_by_one::<$n, $tile>,)*
                _ => unreachable!("the plan chooses items of these sizes only"),
            }
        };
    }
    sized! { 1, 64; 2, 32; 3, 21; 4, 16; 5, 12; 6, 10; 7, 9; 8, 8; 12, 5; 16, 4; 24, 4; 32, 4; }
}

/// # Safety
///
/// As for [`Whole`].
unsafe fn one_by_one<const N: usize, const T: usize>(
    small: &Small,
    _: &Pattern,
    dst: *mut u8,
    src: *const u8,
) {
    let ([outer, i, j], (mut to, mut from)) = (small.loops, small.begin(dst, src));
    for _ in 0..outer.extent {
        // SAFETY: P1, P2: the loops of the copy, from where they begin.
        unsafe { fixed::<N, T>(small.kernel, Level::Portable, Grid { i, j }, to, from) };
        (to, from) = (to.wrapping_offset(outer.dst), from.wrapping_offset(outer.src));
    }
}

/// # Safety
///
/// As for [`Whole`].
unsafe fn long(small: &Small, _: &Pattern, dst: *mut u8, src: *const u8) {
    let ([outer, i, j], (mut to, mut from)) = (small.loops, small.begin(dst, src));
    for _ in 0..outer.extent {
        // SAFETY: P1, P2: the loops of the copy, from where they begin.
        unsafe { run::apart(small.unit, Grid { i, j }, to, from) };
        (to, from) = (to.wrapping_offset(outer.dst), from.wrapping_offset(outer.src));
    }
}

/// # Safety
///
/// As for [`Whole`].
unsafe fn long_behind(small: &Small, _: &Pattern, dst: *mut u8, src: *const u8) {
    // SAFETY: the caller's contract.
    for (to, from) in unsafe { rows(small, dst, src) } {
        // SAFETY: P1: a row of the copy.
        unsafe { to.copy_from_nonoverlapping(from, small.unit) };
    }
}

/// # Safety
///
/// As for [`Whole`].
#[cfg(target_arch = "x86_64")]
unsafe fn long_wide(small: &Small, _: &Pattern, dst: *mut u8, src: *const u8) {
    let ([outer, i, j], (mut to, mut from)) = (small.loops, small.begin(dst, src));
    for _ in 0..outer.extent {
        // SAFETY: P1, P2: the loops of the copy, from where they begin; the machine has the registers.
        unsafe { x86::rows::grid(small.unit, Grid { i, j }, to, from) };
        (to, from) = (to.wrapping_offset(outer.dst), from.wrapping_offset(outer.src));
    }
}

/// # Safety
///
/// As for [`Whole`].
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn long_behind_wide(small: &Small, _: &Pattern, dst: *mut u8, src: *const u8) {
    // SAFETY: the caller's contract.
    for (to, from) in unsafe { rows(small, dst, src) } {
        // SAFETY: P1: a row of the copy, of more than 64 bytes.
        unsafe { x86::rows::ordinary(to, from, small.unit) };
    }
}

/// Where each row begins in the destination and, behind its pointer, in the source.
///
/// # Safety
///
/// The pointers of the copy may be read (P1) for as long as the answer is used.
#[inline(always)]
unsafe fn rows(
    small: &Small,
    dst: *mut u8,
    src: *const u8,
) -> impl Iterator<Item = (*mut u8, *const u8)> + use<> {
    let (rows, behind, (mut to, mut at)) = (small.loops[2], small.behind, small.begin(dst, src));
    (0..rows.extent).map(move |_| {
        // SAFETY: P1: a place at which the layout stores a pointer. Tables may lie at any address.
        let stored = unsafe { at.cast::<*const u8>().read_unaligned() };
        let row = (to, stored.wrapping_offset(behind));
        (to, at) = (to.wrapping_offset(rows.dst), at.wrapping_offset(rows.src));
        row
    })
}

/// `dst[..count] = src[..count]` where `N <= count <= 2 * N`.
///
/// # Safety
///
/// So many bytes may be read and written there (P1), and they are apart.
#[inline(always)]
pub(super) unsafe fn twice<const N: usize>(dst: *mut u8, src: *const u8, count: usize) {
    let last = count - N;
    // SAFETY: P1: the first `N` bytes of no fewer; alignment 1.
    let first = unsafe { src.cast::<MaybeUninit<[u8; N]>>().read() };
    // SAFETY: P1: the last `N` bytes of no fewer.
    let second = unsafe { src.wrapping_add(last).cast::<MaybeUninit<[u8; N]>>().read() };
    // SAFETY: P1: as above, to write.
    unsafe { dst.cast::<MaybeUninit<[u8; N]>>().write(first) };
    // SAFETY: P1: as above.
    unsafe { dst.wrapping_add(last).cast::<MaybeUninit<[u8; N]>>().write(second) };
}

/// The functions for short runs, compiled for one kind of instructions.
macro_rules! forms {
    ($name:ident, $twice:path $(, $feature:literal)?) => {
        mod $name {
            use super::{Pattern, Small, rows};
            use $twice as twice;

            /// # Safety
            ///
            /// As for [`Whole`](super::Whole), for a run of `N` to `2 * N` bytes.
            $(#[target_feature(enable = $feature)])?
            pub(super) unsafe fn one<const N: usize>(small: &Small, _: &Pattern, dst: *mut u8, src: *const u8) {
                let (to, from) = small.begin(dst, src);
                // SAFETY: P1: the one run of the copy.
                unsafe { twice::<N>(to, from, small.unit) };
            }

            /// # Safety
            ///
            /// As for [`Whole`](super::Whole), for runs of `N` to `2 * N` bytes.
            $(#[target_feature(enable = $feature)])?
            pub(super) unsafe fn line<const N: usize>(small: &Small, _: &Pattern, dst: *mut u8, src: *const u8) {
                let (j, (mut to, mut from)) = (small.loops[2], small.begin(dst, src));
                let unit = small.unit;
                for _ in 0..j.extent {
                    // SAFETY: P1: a run of the copy.
                    unsafe { twice::<N>(to, from, unit) };
                    (to, from) = (to.wrapping_offset(j.dst), from.wrapping_offset(j.src));
                }
            }

            /// # Safety
            ///
            /// As for [`Whole`](super::Whole), for runs of `N` to `2 * N` bytes.
            $(#[target_feature(enable = $feature)])?
            pub(super) unsafe fn grid<const N: usize>(small: &Small, _: &Pattern, dst: *mut u8, src: *const u8) {
                let ([outer, i, j], (to, from)) = (small.loops, small.begin(dst, src));
                for a in 0..outer.extent as isize {
                    for b in 0..i.extent as isize {
                        let mut to = to.wrapping_offset(a * outer.dst + b * i.dst);
                        let mut from = from.wrapping_offset(a * outer.src + b * i.src);
                        for _ in 0..j.extent {
                            // SAFETY: P1: a run of the copy.
                            unsafe { twice::<N>(to, from, small.unit) };
                            (to, from) = (to.wrapping_offset(j.dst), from.wrapping_offset(j.src));
                        }
                    }
                }
            }

            /// # Safety
            ///
            /// As for [`Whole`](super::Whole), for runs of `N` to `2 * N` bytes.
            $(#[target_feature(enable = $feature)])?
            pub(super) unsafe fn behind<const N: usize>(small: &Small, _: &Pattern, dst: *mut u8, src: *const u8) {
                let unit = small.unit;
                // SAFETY: the caller's contract.
                for (to, from) in unsafe { rows(small, dst, src) } {
                    // SAFETY: P1: a row of the copy.
                    unsafe { twice::<N>(to, from, unit) };
                }
            }
        }
    };
}

forms!(plain, super::twice);
#[cfg(target_arch = "x86_64")]
forms!(avx2, super::twice, "avx2");
#[cfg(target_arch = "x86_64")]
forms!(avx512, super::x86::small::twice, "avx512f");
