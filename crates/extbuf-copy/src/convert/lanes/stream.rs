//! A dense line written past the cache.
//!
//! What a conversion makes lies in scratch memory first when it is to be written so: the passes then need no second
//! form, and a line of scratch memory never leaves the nearest cache.

// See the folder's `mod.rs`; streaming stores.
#![allow(unsafe_code)]

use crate::kernel::Level;

/// `dst[..bytes] = src[..bytes]`, past the cache where the level has a way to. [`fence`] ends a row of such lines.
///
/// # Safety
///
/// So many bytes may be read and written, and they do not overlap.
pub(in crate::convert) type Stream = unsafe fn(dst: *mut u8, src: *const u8, bytes: usize);

/// The form for a level.
pub(in crate::convert) fn stream(level: Level) -> Stream {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    match level {
        Level::Avx512 => return x86::wide,
        Level::Avx2 => return x86::half,
        Level::Simd128 => return x86::quarter,
        Level::Portable => {}
    }
    let _ = level;
    portable
}

/// Streaming stores are ordered against nothing: after this, whoever is told of the lines finds them written.
pub(in crate::convert) fn fence() {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    {
        // Newer compilers know that this is safe to call; older ones ask for the block.
        #[allow(unused_unsafe)]
        // SAFETY: every x86-64 has the instruction.
        unsafe {
            std::arch::x86_64::_mm_sfence();
        }
    }
}

/// Asks for the lines that hold so many bytes, whether or not there is memory.
#[inline]
pub(in crate::convert) fn prefetch(src: *const u8, bytes: usize) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    for at in (0..bytes).step_by(64) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a hint that never faults, whatever the address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(src.wrapping_add(at).cast()) };
    }
    let _ = (src, bytes);
}

/// # Safety
///
/// As for [`Stream`].
unsafe fn portable(dst: *mut u8, src: *const u8, bytes: usize) {
    // SAFETY: the caller's contract.
    unsafe { dst.copy_from_nonoverlapping(src, bytes) };
}

#[cfg(all(target_arch = "x86_64", not(miri)))]
mod x86 {
    use std::arch::x86_64::{
        _mm_loadu_si128, _mm_stream_si128, _mm256_loadu_si256, _mm256_stream_si256, _mm512_loadu_si512,
        _mm512_stream_si512,
    };

    const LINE: usize = 64;

    macro_rules! streams {
        ($name:ident, $width:literal, $(#[$features:meta])? $load:ident, $store:ident) => {
            /// # Safety
            ///
            /// As for [`Stream`](super::Stream), and the machine has the features named.
            $(#[$features])?
            pub(super) unsafe fn $name(dst: *mut u8, src: *const u8, bytes: usize) {
                // Whole lines of the destination past the cache, what is before and behind them as usual.
                let head = dst.align_offset(LINE).min(bytes);
                // SAFETY: the first of the bytes.
                unsafe { super::portable(dst, src, head) };
                let whole = (bytes - head) / LINE * LINE;
                for at in (head..head + whole).step_by($width) {
                    // SAFETY: inside the bytes to read; an unaligned load.
                    let piece = unsafe { $load(src.wrapping_add(at).cast()) };
                    // SAFETY: inside the bytes to write; aligned, since the line is.
                    unsafe { $store(dst.wrapping_add(at).cast(), piece) };
                }
                let rest = head + whole;
                // SAFETY: the last of the bytes.
                unsafe { super::portable(dst.wrapping_add(rest), src.wrapping_add(rest), bytes - rest) };
            }
        };
    }

    streams! { quarter, 16, _mm_loadu_si128, _mm_stream_si128 }
    streams! { half, 32, #[target_feature(enable = "avx2")] _mm256_loadu_si256, _mm256_stream_si256 }
    streams! { wide, 64, #[target_feature(enable = "avx512f")] _mm512_loadu_si512, _mm512_stream_si512 }
}
