//! Whole cache lines written past the cache, whatever the pieces that they come in (AVX-512).
//!
//! A streaming store wants a whole line. Rows cut out of a picture end anywhere in one, and the next row goes on there:
//! so the bytes of a line that is not full yet are kept in a register until it is. Only the two ends of what is written
//! in one go share their line with bytes of others, and those two are written by an ordinary masked store.

// Reads and writes through raw addresses.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m512i, _mm512_loadu_si512, _mm512_mask_loadu_epi8, _mm512_mask_storeu_epi8, _mm512_maskz_loadu_epi8,
    _mm512_setzero_si512, _mm512_stream_si512,
};

use crate::kernel::prefetch;

pub(super) const LINE: usize = 64;

/// Long runs are copied from four pages at a time: the processor follows each of them by itself.
const PAGE: usize = 4096;

/// The lowest `count` bits, of at most 64.
#[inline(always)]
pub(super) fn low(count: usize) -> u64 {
    if count >= LINE { u64::MAX } else { (1 << count) - 1 }
}

/// Writes bytes one piece after another. Where a piece does not go on where the one before ended, a new line is begun.
///
/// Bytes `begun..filled` of the line at `line` have been handed over and are not written yet. [`Pen::lift`] writes them.
#[derive(Clone, Copy)]
pub(crate) struct Pen {
    line: *mut u8,
    held: __m512i,
    begun: usize,
    filled: usize,
}

impl Pen {
    #[target_feature(enable = "avx512f,avx512bw")]
    #[inline]
    pub(crate) fn new() -> Pen {
        Pen { line: std::ptr::null_mut(), held: _mm512_setzero_si512(), begun: 0, filled: 0 }
    }

    /// `dst[..count] = src[..count]`, at the latest when the pen is lifted. Where the source does not lie in the cache,
    /// `ASK` for the line so many bytes `ahead` of each that is used.
    ///
    /// # Safety
    ///
    /// The bytes at both places are good to read and to write (P1), those of the destination until the pen is lifted.
    #[target_feature(enable = "avx512f,avx512bw")]
    #[inline]
    pub(crate) unsafe fn write<const ASK: bool>(
        &mut self,
        dst: *mut u8,
        mut src: *const u8,
        mut count: usize,
        ahead: isize,
    ) {
        if self.line.wrapping_add(self.filled) != dst {
            // SAFETY: the caller's contract for what was handed over before.
            unsafe { self.lift() };
            self.begun = dst.addr() % LINE;
            self.filled = self.begun;
            self.line = dst.wrapping_sub(self.begun);
        }
        if self.filled > 0 {
            let take = count.min(LINE - self.filled);
            let mask = low(take) << self.filled;
            let at = src.wrapping_sub(self.filled);
            if ASK {
                prefetch(src.wrapping_offset(ahead));
            }
            // SAFETY: P1: reads the `take` bytes at `src`; the mask leaves out all others.
            self.held = unsafe { _mm512_mask_loadu_epi8(self.held, mask, at.cast()) };
            self.filled += take;
            if self.filled < LINE {
                return;
            }
            if self.begun == 0 {
                // SAFETY: P1: 64 bytes handed over for this line, which is aligned.
                unsafe { _mm512_stream_si512(self.line.cast(), self.held) };
            } else {
                // SAFETY: P1: the bytes from `begun` on were handed over for this line.
                unsafe { _mm512_mask_storeu_epi8(self.line.cast(), u64::MAX << self.begun, self.held) };
            }
            (src, count) = (src.wrapping_add(take), count - take);
            self.line = self.line.wrapping_add(LINE);
            (self.begun, self.filled) = (0, 0);
        }
        // SAFETY: the rest of what the caller hands over; the line is aligned.
        let whole = unsafe { stream::<ASK>(self.line, src, count, ahead) };
        (src, count) = (src.wrapping_add(whole), count - whole);
        self.line = self.line.wrapping_add(whole);
        if count > 0 {
            // SAFETY: P1: reads the `count` bytes at `src`; the mask leaves out all others.
            self.held = unsafe { _mm512_maskz_loadu_epi8(low(count), src.cast()) };
            self.filled = count;
        }
    }

    /// The same for at most 64 bytes.
    ///
    /// # Safety
    ///
    /// As for [`write`](Pen::write).
    #[target_feature(enable = "avx512f,avx512bw")]
    #[inline]
    pub(crate) unsafe fn short(&mut self, dst: *mut u8, src: *const u8, count: usize) {
        let filled = self.filled + count;
        if self.line.wrapping_add(self.filled) != dst || self.begun > 0 {
            // SAFETY: the caller's contract.
            return unsafe { self.write::<false>(dst, src, count, 0) };
        }
        let at = src.wrapping_sub(self.filled);
        // SAFETY: P1: reads the `count` bytes at `src`; the mask leaves out all others.
        self.held = unsafe { _mm512_mask_loadu_epi8(self.held, low(count) << self.filled, at.cast()) };
        self.filled = filled;
        if filled >= LINE {
            // SAFETY: P1: 64 bytes handed over for this line, which is aligned.
            unsafe { _mm512_stream_si512(self.line.cast(), self.held) };
            self.line = self.line.wrapping_add(LINE);
            self.filled = filled - LINE;
            let at = src.wrapping_add(count - self.filled);
            // SAFETY: P1: reads the bytes at `src` that the line had no room for.
            self.held = unsafe { _mm512_maskz_loadu_epi8(low(self.filled), at.cast()) };
        }
    }

    /// Whether nothing is held.
    #[inline]
    pub(crate) fn is_up(&self) -> bool {
        self.filled == 0
    }

    /// Writes what is held.
    ///
    /// # Safety
    ///
    /// As for the pieces that were handed over.
    #[target_feature(enable = "avx512f,avx512bw")]
    #[inline]
    pub(crate) unsafe fn lift(&mut self) {
        if self.filled > self.begun {
            let mask = low(self.filled) & (u64::MAX << self.begun);
            // SAFETY: P1: these bytes of the line were handed over.
            unsafe { _mm512_mask_storeu_epi8(self.line.cast(), mask, self.held) };
        }
        self.line = std::ptr::null_mut();
        (self.begun, self.filled) = (0, 0);
    }
}

/// Whole lines of `count` bytes, streamed. Answers with how many bytes they are.
///
/// # Safety
///
/// The bytes at both places are good to read and to write (P1); the destination is aligned to 64 bytes.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
unsafe fn stream<const ASK: bool>(dst: *mut u8, src: *const u8, count: usize, ahead: isize) -> usize {
    let mut at = 0;
    while at + 4 * PAGE <= count {
        for line in (0..PAGE).step_by(4 * LINE) {
            for page in 0..4 {
                let (to, from) =
                    (dst.wrapping_add(at + page * PAGE + line), src.wrapping_add(at + page * PAGE + line));
                if ASK {
                    for k in 0..4 {
                        prefetch(from.wrapping_add(k * LINE + 512));
                    }
                }
                // SAFETY: P1: inside the `count` bytes at `src`.
                let four = unsafe { load_four(from) };
                // SAFETY: P1: inside the `count` bytes at `dst`, aligned as that is.
                unsafe { stream_four(to, four) };
            }
        }
        at += 4 * PAGE;
    }
    while at + 4 * LINE <= count {
        let (to, from) = (dst.wrapping_add(at), src.wrapping_add(at));
        if ASK {
            for k in 0..4 {
                prefetch(from.wrapping_add(k * LINE).wrapping_offset(ahead));
            }
        }
        // SAFETY: P1: inside the `count` bytes at `src`.
        let four = unsafe { load_four(from) };
        // SAFETY: P1: inside the `count` bytes at `dst`, aligned as that is.
        unsafe { stream_four(to, four) };
        at += 4 * LINE;
    }
    while at + LINE <= count {
        if ASK {
            prefetch(src.wrapping_add(at).wrapping_offset(ahead));
        }
        // SAFETY: P1: inside the `count` bytes at `src`.
        let line = unsafe { _mm512_loadu_si512(src.wrapping_add(at).cast()) };
        // SAFETY: P1: inside the `count` bytes at `dst`, aligned as that is.
        unsafe { _mm512_stream_si512(dst.wrapping_add(at).cast(), line) };
        at += LINE;
    }
    at
}

/// # Safety
///
/// 256 bytes are good to read there (P1).
#[target_feature(enable = "avx512f")]
#[inline]
pub(super) unsafe fn load_four(src: *const u8) -> [__m512i; 4] {
    // SAFETY: P1: the first 64 bytes.
    let a = unsafe { _mm512_loadu_si512(src.cast()) };
    // SAFETY: P1: the second 64 bytes.
    let b = unsafe { _mm512_loadu_si512(src.wrapping_add(LINE).cast()) };
    // SAFETY: P1: the third 64 bytes.
    let c = unsafe { _mm512_loadu_si512(src.wrapping_add(2 * LINE).cast()) };
    // SAFETY: P1: the last 64 bytes.
    let d = unsafe { _mm512_loadu_si512(src.wrapping_add(3 * LINE).cast()) };
    [a, b, c, d]
}

/// # Safety
///
/// 256 bytes are good to write there (P1); the place is aligned to 64.
#[target_feature(enable = "avx512f")]
#[inline]
unsafe fn stream_four(dst: *mut u8, [a, b, c, d]: [__m512i; 4]) {
    // SAFETY: P1: the first 64 bytes, aligned.
    unsafe { _mm512_stream_si512(dst.cast(), a) };
    // SAFETY: P1: the second 64 bytes, aligned.
    unsafe { _mm512_stream_si512(dst.wrapping_add(LINE).cast(), b) };
    // SAFETY: P1: the third 64 bytes, aligned.
    unsafe { _mm512_stream_si512(dst.wrapping_add(2 * LINE).cast(), c) };
    // SAFETY: P1: the last 64 bytes, aligned.
    unsafe { _mm512_stream_si512(dst.wrapping_add(3 * LINE).cast(), d) };
}
