//! Items of 4, 8 and 16 bytes at any distance, put together in registers of 32 bytes and written past the cache (AVX2).
//!
//! ```text
//! dst[j*N ..][..N] = src[j*s ..][..N]
//! ```
//!
//! Each item is read by itself, since bytes between items are nobody's to read. What lies some way on is asked for, so that
//! reading goes on while lines are written. Every second item of 4 bytes out of 200 MB: 14 GB/s read and written, 11.5 with
//! nothing asked for, 12 by way of a place in the first cache (AMD Zen 3, where reading alone is 16 by this count).

// Items are read and written through raw addresses.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m128i, __m256i, _mm_cvtsi32_si128, _mm_insert_epi32, _mm_loadl_epi64, _mm_loadu_si128,
    _mm_unpacklo_epi64, _mm256_set_m128i, _mm256_stream_si256,
};

use crate::kernel::{Grid, ask_to_write, items, prefetch};
use crate::plan::Loop;

const WIDTH: usize = 32;
const LINE: usize = 64;

/// How many lines of the source are asked for before their time.
const AHEAD: isize = 32;

/// `dst[i*D + j*N ..][..N] = src[i*S + j*s ..][..N]` past the cache, but for what begins or ends in the midst of a line. The
/// caller fences.
///
/// # Safety
///
/// As for [`run`](crate::kernel::run), with items of 4, 8 or 16 bytes that are dense in the destination along `j`; the machine
/// has AVX2.
#[target_feature(enable = "avx2")]
pub(in crate::kernel) unsafe fn rows(unit: usize, Grid { i, j }: Grid, dst: *mut u8, src: *const u8) {
    for row in 0..i.extent as isize {
        let (to, from) = (dst.wrapping_offset(row * i.dst), src.wrapping_offset(row * i.src));
        match unit {
            // SAFETY: one row of the caller's grid.
            4 => unsafe { line::<4>(to, from, j.extent, j.src) },
            // SAFETY: as above.
            8 => unsafe { line::<8>(to, from, j.extent, j.src) },
            // SAFETY: as above.
            16 => unsafe { line::<16>(to, from, j.extent, j.src) },
            _ => unreachable!("no other item is put in a register"),
        }
    }
}

/// `dst[i*D + j*d ..][..N] = src[i*S + j*s ..][..N]` for items that are not dense in the destination: through the cache, lines
/// of the destination asked for before their time. To every second item of 4 bytes of 128 MB: 9 GB/s read and written, 7.5
/// with nothing asked for.
///
/// # Safety
///
/// As for [`run`](crate::kernel::run), with items of 1, 2, 4, 8 or 16 bytes.
pub(in crate::kernel) unsafe fn apart(unit: usize, Grid { i, j }: Grid, dst: *mut u8, src: *const u8) {
    for row in 0..i.extent as isize {
        let (to, from) = (dst.wrapping_offset(row * i.dst), src.wrapping_offset(row * i.src));
        macro_rules! sized {
            ($($n:literal)*) => {
                match unit {
                    // SAFETY: one row of the caller's grid.
                    $($n => unsafe { spread::<$n>(to, from, j) },)*
                    _ => unreachable!("no other item is asked for"),
                }
            };
        }
        sized! { 1 2 4 8 16 }
    }
}

/// # Safety
///
/// As for [`apart`], of which this is one row, with a unit of `N` bytes.
#[inline]
unsafe fn spread<const N: usize>(mut to: *mut u8, mut from: *const u8, j: Loop) {
    // Items of a line, and the line as many lines on.
    let each = (LINE / j.dst.unsigned_abs().max(1)).max(1);
    let early = AHEAD * if each > 1 { LINE as isize * j.dst.signum() } else { j.dst };
    let mut left = j.extent;
    while left > 0 {
        let here = each.min(left);
        ask_to_write(to.wrapping_offset(early));
        // SAFETY: P1: items that are left.
        unsafe { items::line::<N>(to, from, here, j.dst, j.src) };
        to = to.wrapping_offset(j.dst * here as isize);
        from = from.wrapping_offset(j.src * here as isize);
        left -= here;
    }
}

/// # Safety
///
/// As for [`rows`], of which this is one, with a unit of `N` bytes.
#[target_feature(enable = "avx2")]
#[inline]
unsafe fn line<const N: usize>(dst: *mut u8, src: *const u8, count: usize, s: isize) {
    // Items before the first line: all of them, where none begins with an item.
    let before = dst.addr().wrapping_neg() % LINE;
    let first = if before.is_multiple_of(N) { (before / N).min(count) } else { count };
    let n = N as isize;
    // SAFETY: P1: the first items of the row.
    unsafe { items::line::<N>(dst, src, first, n, s) };
    let (mut to, mut from) =
        (dst.wrapping_add(first * N), src.wrapping_offset(s.wrapping_mul(first as isize)));
    let lines = (count - first) * N / LINE;
    let each = (LINE / N) as isize;
    // A line of the destination takes items from so many lines of the source, so far from one another.
    let (asked, step) = match s.unsigned_abs() {
        bytes if bytes < LINE => (bytes.div_ceil(N) as isize, LINE as isize * s.signum()),
        _ => (each, s),
    };
    let early = step * AHEAD;
    for _ in 0..lines {
        for k in 0..asked {
            prefetch(from.wrapping_offset(early).wrapping_offset(k * step));
        }
        // SAFETY: P1: half a line of items that are left.
        let low = unsafe { gathered::<N>(from, s) };
        let half = from.wrapping_offset(s * (each / 2));
        // SAFETY: P1: and the other half.
        let high = unsafe { gathered::<N>(half, s) };
        // SAFETY: P1: where those items belong, which begins a line.
        unsafe { _mm256_stream_si256(to.cast(), low) };
        // SAFETY: P1: as above.
        unsafe { _mm256_stream_si256(to.wrapping_add(WIDTH).cast(), high) };
        (to, from) = (to.wrapping_add(LINE), from.wrapping_offset(s * each));
    }
    let rest = count - first - lines * LINE / N;
    // SAFETY: P1: the last items of the row.
    unsafe { items::line::<N>(to, from, rest, n, s) };
}

/// `32 / N` items, so many bytes from one to the next.
///
/// # Safety
///
/// They may be read.
#[target_feature(enable = "avx2")]
#[inline]
unsafe fn gathered<const N: usize>(src: *const u8, s: isize) -> __m256i {
    let half = src.wrapping_offset(s * (16 / N as isize));
    // SAFETY: the caller's contract, for half of the items.
    let low = unsafe { four::<N>(src, s) };
    // SAFETY: as above, for the others.
    let high = unsafe { four::<N>(half, s) };
    _mm256_set_m128i(high, low)
}

/// `16 / N` items.
///
/// # Safety
///
/// They may be read.
#[target_feature(enable = "avx2")]
#[inline]
unsafe fn four<const N: usize>(src: *const u8, s: isize) -> __m128i {
    let at = |k: isize| src.wrapping_offset(k * s);
    match N {
        // SAFETY: the caller's contract.
        16 => unsafe { _mm_loadu_si128(src.cast()) },
        8 => {
            // Not by `_mm_load_sd`, which takes its address for one of a double, aligned to 8 bytes.
            // SAFETY: the caller's contract; an item is 8 bytes at any address.
            let low = unsafe { _mm_loadl_epi64(src.cast()) };
            // SAFETY: as above.
            _mm_unpacklo_epi64(low, unsafe { _mm_loadl_epi64(at(1).cast()) })
        }
        _ => {
            // SAFETY: the caller's contract; an item is 4 bytes at any address.
            let item = |k| unsafe { at(k).cast::<i32>().read_unaligned() };
            let two = _mm_insert_epi32::<1>(_mm_cvtsi32_si128(item(0)), item(1));
            _mm_insert_epi32::<3>(_mm_insert_epi32::<2>(two, item(2)), item(3))
        }
    }
}
