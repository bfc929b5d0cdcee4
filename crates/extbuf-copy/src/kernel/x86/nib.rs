//! Whole cache lines written past the cache in registers of 32 bytes (AVX2) or of 16, which every x86-64 has.
//!
//! What a [`Pen`](super::pen::Pen) does with masks this does by way of memory: the bytes of a line that is not full yet are
//! kept beside the stack's other lines until it is. Pieces should be long, since each of their ends costs a detour; short
//! ones are brought together first (see [`staged`](super::staged)).

// Reads and writes through raw addresses.
#![allow(unsafe_code)]

use std::arch::x86_64::{_mm_loadu_si128, _mm_stream_si128, _mm256_loadu_si256, _mm256_stream_si256};
use std::mem::MaybeUninit;

use crate::kernel::Level;
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
    stream: Stream,
}

impl Nib {
    /// In the registers of a level, which this machine has.
    pub(crate) fn new(level: Level) -> Nib {
        Nib {
            stream: stream(level),
            line: std::ptr::null_mut(),
            held: Held([MaybeUninit::uninit(); LINE]),
            begun: 0,
            filled: 0,
        }
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
                unsafe { (self.stream)(self.line, held, LINE) };
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
        unsafe { (self.stream)(self.line, src, whole) };
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

/// `dst[..count] = src[..count]`, whole lines past the cache; `dst` and `count` are multiples of 64.
pub(in crate::kernel) type Stream = unsafe fn(dst: *mut u8, src: *const u8, count: usize);

/// In the registers of a level, which this machine has.
pub(in crate::kernel) fn stream(level: Level) -> Stream {
    if level >= Level::Avx2 { half } else { narrow }
}

macro_rules! streams {
    ($name:ident, $width:literal, $(#[$features:meta])? $load:ident, $store:ident) => {
        /// # Safety
        ///
        /// The bytes at both places are good to read and to write (P1) and apart; `dst` and `count` are multiples of 64. The
        /// machine has the features named.
        $(#[$features])?
        unsafe fn $name(dst: *mut u8, src: *const u8, count: usize) {
            for at in (0..count).step_by(LINE) {
                let mut line = [MaybeUninit::uninit(); LINE / $width];
                for (k, piece) in line.iter_mut().enumerate() {
                    // SAFETY: P1: inside the line.
                    piece.write(unsafe { $load(src.wrapping_add(at + $width * k).cast()) });
                }
                for (k, piece) in line.into_iter().enumerate() {
                    // SAFETY: written by the loop before.
                    let piece = unsafe { piece.assume_init() };
                    // SAFETY: P1: inside the line, which is aligned.
                    unsafe { $store(dst.wrapping_add(at + $width * k).cast(), piece) };
                }
            }
        }
    };
}

streams! { narrow, 16, _mm_loadu_si128, _mm_stream_si128 }
streams! { half, 32, #[target_feature(enable = "avx2")] _mm256_loadu_si256, _mm256_stream_si256 }
