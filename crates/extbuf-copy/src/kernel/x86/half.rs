//! Runs of bytes in registers of 32 (AVX2), through the cache.
//!
//! The C library copies runs of some kilobytes by an instruction of its own that some processors slow down on, and takes a
//! call for each.

// Reads and writes through raw addresses.
#![allow(unsafe_code)]

use std::arch::x86_64::{__m256i, _mm256_loadu_si256, _mm256_storeu_si256};

use crate::kernel::Grid;

const WIDTH: usize = 32;

/// Longer runs are left to the C library.
const LONG: usize = 64 << 10;

/// `dst[i*D0 + j*D1 ..][..unit] = src[i*S0 + j*S1 ..][..unit]`
///
/// # Safety
///
/// As for [`run`](crate::kernel::run); the unit is of 64 bytes or more, and the machine has AVX2.
#[target_feature(enable = "avx2")]
pub(in crate::kernel) unsafe fn runs(unit: usize, grid: Grid, dst: *mut u8, src: *const u8) {
    let Grid { i, j } = grid;
    for row in 0..i.extent as isize {
        let (mut to, mut from) = (dst.wrapping_offset(row * i.dst), src.wrapping_offset(row * i.src));
        for _ in 0..j.extent {
            if unit >= LONG {
                // SAFETY: P1 for both places; nothing written overlaps what is read.
                unsafe { to.copy_from_nonoverlapping(from, unit) };
            } else {
                // SAFETY: P1 for both places, of 64 bytes or more.
                unsafe { one(to, from, unit) };
            }
            (to, from) = (to.wrapping_offset(j.dst), from.wrapping_offset(j.src));
        }
    }
}

/// `dst[..count] = src[..count]`
///
/// # Safety
///
/// The bytes at both places, 64 or more, are good to read and to write (P1) and do not overlap.
#[target_feature(enable = "avx2")]
#[inline]
unsafe fn one(dst: *mut u8, src: *const u8, count: usize) {
    let last = count - WIDTH;
    // SAFETY: P1: the last 32 bytes of more.
    let end = unsafe { load(src.wrapping_add(last)) };
    // SAFETY: P1: the first 32 bytes of more.
    let start = unsafe { load(src) };
    // SAFETY: P1: as above.
    unsafe { store(dst, start) };
    // On from where the destination is aligned, where that pays.
    let mut at = if count >= 512 { WIDTH - dst.addr() % WIDTH } else { WIDTH };
    while at + 4 * WIDTH <= last {
        let mut four = [start; 4];
        for (k, piece) in four.iter_mut().enumerate() {
            // SAFETY: P1: inside the `count` bytes at `src`.
            *piece = unsafe { load(src.wrapping_add(at + k * WIDTH)) };
        }
        for (k, piece) in four.into_iter().enumerate() {
            // SAFETY: P1: inside the `count` bytes at `dst`.
            unsafe { store(dst.wrapping_add(at + k * WIDTH), piece) };
        }
        at += 4 * WIDTH;
    }
    while at < last {
        // SAFETY: P1: inside the `count` bytes at `src`, since more than 32 are left.
        let piece = unsafe { load(src.wrapping_add(at)) };
        // SAFETY: P1: inside the `count` bytes at `dst`.
        unsafe { store(dst.wrapping_add(at), piece) };
        at += WIDTH;
    }
    // SAFETY: P1: the last 32 bytes.
    unsafe { store(dst.wrapping_add(last), end) };
}

/// # Safety
///
/// 32 bytes are good to read there (P1).
#[target_feature(enable = "avx2")]
#[inline]
unsafe fn load(src: *const u8) -> __m256i {
    // SAFETY: the caller's contract.
    unsafe { _mm256_loadu_si256(src.cast()) }
}

/// # Safety
///
/// 32 bytes are good to write there (P1).
#[target_feature(enable = "avx2")]
#[inline]
unsafe fn store(dst: *mut u8, piece: __m256i) {
    // SAFETY: the caller's contract.
    unsafe { _mm256_storeu_si256(dst.cast(), piece) };
}
