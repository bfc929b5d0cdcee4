//! The transposed tile in SSE2, which every x86-64 has: nothing is chosen at run time.
//!
//! A square of `M x M` items whose rows fit a register of 16 bytes is turned over in `log2(M)` rounds. A round
//! interleaves row `k` with row `k + M/2`, for all `k` below `M/2`. That moves the item at (row, column), read as one
//! binary number, to the place whose number has its bits rotated by one; after as many rounds as a column has bits,
//! row and column have changed places.

// Vector loads and stores through raw addresses.
#![allow(unsafe_code)]

pub(super) mod channels;
pub(super) mod gather;
pub(super) mod half;
pub(super) mod mirror;
pub(super) mod nib;
mod pen;
pub(super) mod rows;
pub(super) mod small;
pub(super) mod staged;
pub(super) mod weave;

use std::arch::x86_64::{
    __m128i, _mm_loadu_si128, _mm_setzero_si128, _mm_storeu_si128, _mm_unpackhi_epi8, _mm_unpackhi_epi16,
    _mm_unpackhi_epi32, _mm_unpackhi_epi64, _mm_unpacklo_epi8, _mm_unpacklo_epi16, _mm_unpacklo_epi32,
    _mm_unpacklo_epi64,
};

use super::Grid;

/// Bytes of a register.
const WIDTH: usize = 16;

/// `dst[i*d + j*N ..][..N] = src[i*N + j*s ..][..N]` for `i` and `j` below `T`, where `T * N` is 64.
///
/// # Safety
///
/// As for [`run`](super::run); `N` is 1, 2, 4 or 8.
#[inline(always)]
pub(super) unsafe fn tile<const N: usize, const T: usize>(dst: *mut u8, src: *const u8, d: isize, s: isize) {
    const { assert!(N * T == 64 && N <= 8) };
    // First all lines of the source, whole: they may share a set of the cache and push one another out.
    let mut lines = [[zero(); 4]; T];
    for (j, line) in lines.iter_mut().enumerate() {
        let from = src.wrapping_offset(s * j as isize);
        for (piece, register) in line.iter_mut().enumerate() {
            // SAFETY: P1: the items `0..T` along `i` at this `j` lie side by side, 64 bytes good to read.
            *register = unsafe { _mm_loadu_si128(from.wrapping_add(WIDTH * piece).cast()) };
        }
    }
    let m = WIDTH / N;
    for i in (0..T).step_by(m) {
        let mut turned = [[zero(); 4]; WIDTH];
        for j in (0..T).step_by(m) {
            let mut rows = [zero(); WIDTH];
            for k in 0..m {
                rows[k] = lines[j + k][i / m];
            }
            let rows = turn::<N>(rows);
            for k in 0..m {
                turned[k][j / m] = rows[k];
            }
        }
        for (k, line) in turned.into_iter().take(m).enumerate() {
            let to = dst.wrapping_offset(d * (i + k) as isize);
            for (piece, register) in line.into_iter().enumerate() {
                // SAFETY: P1: the items `0..T` along `j` at this `i` lie side by side, 64 bytes good to write.
                unsafe { _mm_storeu_si128(to.wrapping_add(WIDTH * piece).cast(), register) };
            }
        }
    }
}

/// The portable code, compiled for AVX2.
///
/// # Safety
///
/// As for [`items`](super::items::items); the machine has AVX2.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn items<const N: usize>(grid: Grid, dst: *mut u8, src: *const u8) {
    // SAFETY: the caller's contract.
    unsafe { super::items::items::<N>(grid, dst, src) }
}

/// The portable code, compiled for AVX2.
///
/// # Safety
///
/// As for [`fill`](super::items::fill); the machine has AVX2.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn fill<const N: usize>(grid: Grid, dst: *mut u8, src: *const u8) {
    // SAFETY: the caller's contract.
    unsafe { super::items::fill::<N>(grid, dst, src) }
}

/// Turns over a square of items of `N` bytes; only the first `16 / N` rows count.
#[inline(always)]
fn turn<const N: usize>(mut rows: [__m128i; WIDTH]) -> [__m128i; WIDTH] {
    let m = WIDTH / N;
    let mut round = 1;
    while round < m {
        let old = rows;
        for k in 0..m / 2 {
            (rows[2 * k], rows[2 * k + 1]) = interleave::<N>(old[k], old[k + m / 2]);
        }
        round *= 2;
    }
    rows
}

/// The items of `N` bytes of two registers by turns: the lower halves, and the upper halves.
// Newer compilers know that these are safe to call where SSE2 is always there; older ones ask for the block.
#[allow(unused_unsafe)]
#[inline(always)]
fn interleave<const N: usize>(a: __m128i, b: __m128i) -> (__m128i, __m128i) {
    macro_rules! both {
        ($low:ident, $high:ident) => {{
            // SAFETY: every x86-64 has SSE2; works on registers alone.
            let low = unsafe { $low(a, b) };
            // SAFETY: as above.
            let high = unsafe { $high(a, b) };
            (low, high)
        }};
    }
    match N {
        1 => both!(_mm_unpacklo_epi8, _mm_unpackhi_epi8),
        2 => both!(_mm_unpacklo_epi16, _mm_unpackhi_epi16),
        4 => both!(_mm_unpacklo_epi32, _mm_unpackhi_epi32),
        _ => both!(_mm_unpacklo_epi64, _mm_unpackhi_epi64),
    }
}

#[allow(unused_unsafe)]
#[inline(always)]
fn zero() -> __m128i {
    // SAFETY: every x86-64 has SSE2.
    unsafe { _mm_setzero_si128() }
}
