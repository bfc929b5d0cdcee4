//! The code that converts: one pass over one dense line of numbers.
//!
//! A pass reads `n` numbers of one kind that lie side by side and writes `n` of another, or looks at them only. Whatever
//! cannot be said by one pass is said by several with a line of scratch memory between them, which stays in the nearest
//! cache (see [`recipe`](super::recipe)). So there are about ninety small loops and not one for each pair of formats in
//! each byte order and each mode.
//!
//! Each loop is plain Rust, compiled once for each [`Level`]: the compiler makes vector code of it. The two that it does
//! not see through, to and from half floats, are written out for the instructions that exist for them.
//!
//! Numbers are read and written by value at alignment 1, through raw addresses: nothing here is ever a reference.

// Reads and writes through raw addresses; functions for vector instructions that were asked for.
#![allow(unsafe_code)]

mod cast;
mod check;
mod half;
mod stream;
mod swap;

pub(super) use stream::{Stream, fence, prefetch, stream};

use crate::kernel::Level;

/// One pass. `lo` and `hi` are what the pass says they are, mostly unused. Answers false where a number was met that the
/// pass refuses.
///
/// # Safety
///
/// `n` numbers of the source kind may be read at `src` and `n` of the destination kind written at `dst`, at any
/// alignment; the two do not overlap, or begin at the same address and have the same width.
pub(super) type Lane = unsafe fn(dst: *mut u8, src: *const u8, n: usize, lo: u64, hi: u64) -> bool;

pub(super) use cast::cast;
pub(super) use check::{all_zero, clamp, either, truth, within};
pub(super) use swap::swap;

/// A loop, once for each level.
trait Loop {
    /// # Safety
    ///
    /// As for [`Lane`].
    unsafe fn run(dst: *mut u8, src: *const u8, n: usize, lo: u64, hi: u64) -> bool;
}

/// The form of a loop for a level.
fn form<L: Loop>(level: Level) -> Lane {
    #[cfg(target_arch = "x86_64")]
    {
        debug_assert!(level <= Level::of_this_machine());
        match level {
            Level::Avx512 => avx512::<L>,
            Level::Avx2 => avx2::<L>,
            _ => portable::<L>,
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        let _ = level;
        portable::<L>
    }
}

/// # Safety
///
/// As for [`Lane`].
unsafe fn portable<L: Loop>(dst: *mut u8, src: *const u8, n: usize, lo: u64, hi: u64) -> bool {
    // SAFETY: the caller's contract, handed on unchanged.
    unsafe { L::run(dst, src, n, lo, hi) }
}

/// # Safety
///
/// As for [`Lane`], and the machine has AVX2.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn avx2<L: Loop>(dst: *mut u8, src: *const u8, n: usize, lo: u64, hi: u64) -> bool {
    // SAFETY: the caller's contract, handed on unchanged.
    unsafe { L::run(dst, src, n, lo, hi) }
}

/// # Safety
///
/// As for [`Lane`], and the machine has AVX-512 F, BW, DQ, VL and VBMI.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi")]
unsafe fn avx512<L: Loop>(dst: *mut u8, src: *const u8, n: usize, lo: u64, hi: u64) -> bool {
    // SAFETY: the caller's contract, handed on unchanged.
    unsafe { L::run(dst, src, n, lo, hi) }
}

/// `dst[k] = of(src[k])` for `k` below `n`.
///
/// # Safety
///
/// As for [`Lane`].
#[inline(always)]
unsafe fn map<S: Copy, D: Copy>(dst: *mut u8, src: *const u8, n: usize, of: impl Fn(S) -> D) -> bool {
    let (dst, src) = (dst.cast::<D>(), src.cast::<S>());
    for k in 0..n {
        // SAFETY: one of the `n` numbers that may be read; alignment is not asked for.
        let value = unsafe { src.wrapping_add(k).read_unaligned() };
        // SAFETY: one of the `n` numbers that may be written; alignment is not asked for.
        unsafe { dst.wrapping_add(k).write_unaligned(of(value)) };
    }
    true
}

/// Whether `of(src[k])` for every `k` below `n`.
///
/// # Safety
///
/// As for [`Lane`], nothing being written.
#[inline(always)]
unsafe fn all<S: Copy>(src: *const u8, n: usize, of: impl Fn(S) -> bool) -> bool {
    let src = src.cast::<S>();
    let mut all = true;
    // Without a way out in the middle: it would keep the compiler from using vectors.
    for k in 0..n {
        // SAFETY: one of the `n` numbers that may be read; alignment is not asked for.
        let value = unsafe { src.wrapping_add(k).read_unaligned() };
        all &= of(value);
    }
    all
}
