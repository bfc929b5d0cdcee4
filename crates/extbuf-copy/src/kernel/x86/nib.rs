//! Whole cache lines written past the cache in registers of 16 bytes, which every x86-64 has.
//!
//! What a [`Pen`](super::pen::Pen) does with masks this does by way of memory: the bytes of a line that is not full yet are
//! kept beside the stack's other lines until it is. Pieces should be long, since each of their ends costs a detour; short
//! ones are brought together first (see [`staged`](super::staged)).

// Reads and writes through raw addresses.
#![allow(unsafe_code)]

use std::arch::x86_64::{__m128i, _mm_loadu_si128, _mm_stream_si128};
use std::mem::MaybeUninit;

use crate::kernel::small::twice;

const LINE: usize = 64;

#[derive(Clone, Copy)]
#[repr(align(64))]
struct Held([MaybeUninit<u8>; LINE]);

/// Writes bytes one piece after another. Where a piece does not go on where the one before ended, a new line is begun.
///
/// Bytes `begun..filled` of the line at `line` are held and not written yet. [`Nib::lift`] writes them.
#[derive(Clone, Copy)]
pub(crate) struct Nib {
    line: *mut u8,
    held: Held,
    begun: usize,
    filled: usize,
}

impl Nib {
    pub(crate) fn new() -> Nib {
        Nib { line: std::ptr::null_mut(), held: Held([MaybeUninit::uninit(); LINE]), begun: 0, filled: 0 }
    }

    /// `dst[..count] = src[..count]`, at the latest when the nib is lifted.
    ///
    /// # Safety
    ///
    /// The bytes at both places are good to read and to write (P1), those of the destination until the nib is lifted.
    #[inline]
    pub(crate) unsafe fn write(&mut self, dst: *mut u8, mut src: *const u8, mut count: usize) {
        if self.line.wrapping_add(self.filled) != dst {
            // SAFETY: the caller's contract for what was handed over before.
            unsafe { self.lift() };
            self.begun = dst.addr() % LINE;
            self.filled = self.begun;
            self.line = dst.wrapping_sub(self.begun);
        }
        let held = self.held.0.as_mut_ptr().cast::<u8>();
        if self.filled > 0 {
            let take = count.min(LINE - self.filled);
            // SAFETY: P1, and no more than the line has room for.
            unsafe { few(held.wrapping_add(self.filled), src, take) };
            self.filled += take;
            if self.filled < LINE {
                return;
            }
            if self.begun == 0 {
                // SAFETY: P1: 64 bytes were handed over for this line, which is aligned, and all of them are held.
                unsafe { stream(self.line, held, LINE) };
            } else {
                let begun = self.begun;
                // SAFETY: P1: the bytes from `begun` on were handed over for this line, and are held.
                unsafe { few(self.line.wrapping_add(begun), held.wrapping_add(begun), LINE - begun) };
            }
            (src, count) = (src.wrapping_add(take), count - take);
            self.line = self.line.wrapping_add(LINE);
            (self.begun, self.filled) = (0, 0);
        }
        let whole = count / LINE * LINE;
        // SAFETY: P1: the rest of what the caller hands over; the line is aligned.
        unsafe { stream(self.line, src, whole) };
        self.line = self.line.wrapping_add(whole);
        self.filled = count - whole;
        // SAFETY: P1: less than a line.
        unsafe { few(held, src.wrapping_add(whole), self.filled) };
    }

    /// Writes what is held.
    ///
    /// # Safety
    ///
    /// As for the pieces that were handed over.
    pub(crate) unsafe fn lift(&mut self) {
        let held = self.held.0.as_ptr().cast::<u8>().wrapping_add(self.begun);
        // SAFETY: P1: these bytes of the line were handed over, and are held.
        unsafe { few(self.line.wrapping_add(self.begun), held, self.filled - self.begun) };
        self.line = std::ptr::null_mut();
        (self.begun, self.filled) = (0, 0);
    }
}

/// `dst[..count] = src[..count]` for no more than a line.
///
/// # Safety
///
/// So many bytes may be read and written there (P1), and they are apart.
#[inline(always)]
unsafe fn few(dst: *mut u8, src: *const u8, count: usize) {
    debug_assert!(count <= LINE);
    match count {
        0 => {}
        // SAFETY: the caller's contract, of so many bytes.
        1 => unsafe { twice::<1>(dst, src, count) },
        // SAFETY: as above.
        2..=3 => unsafe { twice::<2>(dst, src, count) },
        // SAFETY: as above.
        4..=7 => unsafe { twice::<4>(dst, src, count) },
        // SAFETY: as above.
        8..=15 => unsafe { twice::<8>(dst, src, count) },
        // SAFETY: as above.
        16..=31 => unsafe { twice::<16>(dst, src, count) },
        // SAFETY: as above.
        _ => unsafe { twice::<32>(dst, src, count) },
    }
}

/// `dst[..count] = src[..count]`, whole lines past the cache.
///
/// # Safety
///
/// The bytes at both places are good to read and to write (P1) and apart; `dst` and `count` are multiples of 64.
#[inline]
unsafe fn stream(dst: *mut u8, src: *const u8, count: usize) {
    for at in (0..count).step_by(LINE) {
        let (to, from) = (dst.wrapping_add(at), src.wrapping_add(at));
        let piece = |k: usize| -> __m128i {
            // SAFETY: P1: inside the line at `from`.
            unsafe { _mm_loadu_si128(from.wrapping_add(16 * k).cast()) }
        };
        let line = [piece(0), piece(1), piece(2), piece(3)];
        for (k, piece) in line.into_iter().enumerate() {
            // SAFETY: P1: inside the line at `to`, aligned as that is.
            unsafe { _mm_stream_si128(to.wrapping_add(16 * k).cast(), piece) };
        }
    }
}
