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

const LINE: usize = 64;

/// How far ahead of its use a line of the source is asked for, in bytes.
const AHEAD: usize = 2048;

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

    /// `dst[..count] = src[..count]`, at the latest when the pen is lifted. `ASK` for lines of the source before their
    /// time, where it does not lie in the cache.
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
        let whole = unsafe { stream::<ASK>(self.line, src, count) };
        (src, count) = (src.wrapping_add(whole), count - whole);
        self.line = self.line.wrapping_add(whole);
        if count > 0 {
            // SAFETY: P1: reads the `count` bytes at `src`; the mask leaves out all others.
            self.held = unsafe { _mm512_maskz_loadu_epi8(low(count), src.cast()) };
            self.filled = count;
        }
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
unsafe fn stream<const ASK: bool>(dst: *mut u8, src: *const u8, count: usize) -> usize {
    let mut at = 0;
    while at + 4 * LINE <= count {
        let mut lines = [_mm512_setzero_si512(); 4];
        for (k, line) in lines.iter_mut().enumerate() {
            if ASK {
                prefetch(src.wrapping_add(at + k * LINE + AHEAD));
            }
            // SAFETY: P1: inside the `count` bytes at `src`.
            *line = unsafe { _mm512_loadu_si512(src.wrapping_add(at + k * LINE).cast()) };
        }
        for (k, line) in lines.into_iter().enumerate() {
            // SAFETY: P1: inside the `count` bytes at `dst`, aligned as that is.
            unsafe { _mm512_stream_si512(dst.wrapping_add(at + k * LINE).cast(), line) };
        }
        at += 4 * LINE;
    }
    while at + LINE <= count {
        // SAFETY: P1: inside the `count` bytes at `src`.
        let line = unsafe { _mm512_loadu_si512(src.wrapping_add(at).cast()) };
        // SAFETY: P1: inside the `count` bytes at `dst`, aligned as that is.
        unsafe { _mm512_stream_si512(dst.wrapping_add(at).cast(), line) };
        at += LINE;
    }
    at
}
