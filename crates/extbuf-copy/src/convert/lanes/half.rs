//! To and from the two floats of 16 bits: IEEE 754's (`e`) and the upper half of an `f32` (`bfloat16`).
//!
//! In plain Rust they are made of integer operations and one addition or multiplication; with F16C and AVX-512 there are
//! instructions for the first kind. All give the same bits, NaN included: a NaN stays one, keeps its sign and the upper
//! bits of its payload, and becomes quiet.

// See the folder's `mod.rs`; vector loads and stores through raw addresses.
#![allow(unsafe_code)]

use super::{Lane, Loop, form, map};
use crate::kernel::Level;

struct FromF16;
struct ToF16;
struct FromBf16;
struct ToBf16;

/// The bits of the `f32` of the same value.
#[inline(always)]
fn widened(half: u16) -> u32 {
    let sign = u32::from(half & 0x8000) << 16;
    let magnitude = u32::from(half & 0x7fff);
    // 2**-24 is the unit of what has the least exponent.
    let small = (magnitude as i32 as f32 * f32::from_bits(0x3380_0000)).to_bits();
    let exponent = if magnitude >= 0x7c00 { 224 << 23 } else { 112 << 23 };
    let quiet = if magnitude > 0x7c00 { 1 << 22 } else { 0 };
    let large = ((magnitude << 13) + exponent) | quiet;
    sign | if magnitude < 0x400 { small } else { large }
}

/// The nearest half float of an `f32` given as bits, ties to even.
#[inline(always)]
fn narrowed(bits: u32) -> u16 {
    let sign = (bits >> 16) & 0x8000;
    let magnitude = bits & 0x7fff_ffff;
    let nan = 0x7e00 | ((magnitude >> 13) & 0x3ff);
    // The addition rounds at 2**-24, as 0.5 has its last bit there.
    let small = (f32::from_bits(magnitude) + 0.5).to_bits().wrapping_sub(0x3f00_0000);
    let odd = (magnitude >> 13) & 1;
    let normal = magnitude.wrapping_sub(112 << 23).wrapping_add(0xfff + odd) >> 13;
    let finite = if magnitude < 113 << 23 { small } else { normal };
    // 65520, halfway between the greatest half float and the one that would follow, goes up.
    let number = if magnitude >= 0x477f_f000 { 0x7c00 } else { finite };
    (sign | if magnitude > 0x7f80_0000 { nan } else { number }) as u16
}

impl Loop for FromF16 {
    #[inline(always)]
    unsafe fn run(dst: *mut u8, src: *const u8, n: usize, _: u64, _: u64) -> bool {
        // SAFETY: the caller's contract, handed on unchanged.
        unsafe { map(dst, src, n, widened) }
    }
}

impl Loop for ToF16 {
    #[inline(always)]
    unsafe fn run(dst: *mut u8, src: *const u8, n: usize, _: u64, _: u64) -> bool {
        // SAFETY: the caller's contract, handed on unchanged.
        unsafe { map(dst, src, n, narrowed) }
    }
}

impl Loop for FromBf16 {
    #[inline(always)]
    unsafe fn run(dst: *mut u8, src: *const u8, n: usize, _: u64, _: u64) -> bool {
        let of = |half: u16| {
            let quiet = if half & 0x7fff > 0x7f80 { 1 << 22 } else { 0 };
            u32::from(half) << 16 | quiet
        };
        // SAFETY: the caller's contract, handed on unchanged.
        unsafe { map(dst, src, n, of) }
    }
}

impl Loop for ToBf16 {
    #[inline(always)]
    unsafe fn run(dst: *mut u8, src: *const u8, n: usize, _: u64, _: u64) -> bool {
        let of = |bits: u32| {
            let nan = (bits >> 16) | 0x40;
            let near = bits.wrapping_add(0x7fff + ((bits >> 16) & 1)) >> 16;
            (if bits & 0x7fff_ffff > 0x7f80_0000 { nan } else { near }) as u16
        };
        // SAFETY: the caller's contract, handed on unchanged.
        unsafe { map(dst, src, n, of) }
    }
}

pub(super) fn from_f16(level: Level) -> Lane {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    match level {
        Level::Avx512 => return x86::from_f16_avx512,
        Level::Avx2 if is_x86_feature_detected!("f16c") => return x86::from_f16_f16c,
        _ => {}
    }
    form::<FromF16>(level)
}

pub(super) fn to_f16(level: Level) -> Lane {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    match level {
        Level::Avx512 => return x86::to_f16_avx512,
        Level::Avx2 if is_x86_feature_detected!("f16c") => return x86::to_f16_f16c,
        _ => {}
    }
    form::<ToF16>(level)
}

pub(super) fn from_bf16(level: Level) -> Lane {
    form::<FromBf16>(level)
}

pub(super) fn to_bf16(level: Level) -> Lane {
    form::<ToBf16>(level)
}

#[cfg(all(target_arch = "x86_64", not(miri)))]
mod x86 {
    use super::super::Loop;
    use super::{FromF16, ToF16};
    use std::arch::x86_64::{
        _MM_FROUND_NO_EXC, _MM_FROUND_TO_NEAREST_INT, _mm_loadu_si128, _mm_storeu_si128, _mm256_cvtph_ps,
        _mm256_cvtps_ph, _mm256_loadu_ps, _mm256_loadu_si256, _mm256_storeu_ps, _mm256_storeu_si256,
        _mm512_cvtph_ps, _mm512_cvtps_ph, _mm512_loadu_ps, _mm512_storeu_ps,
    };

    /// To nearest, ties to even, whatever the thread's rounding mode.
    const NEAREST: i32 = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;

    /// One function: `$step` numbers at a time with instructions, the rest with the portable loop.
    macro_rules! halves {
        ($name:ident, $features:literal, $rest:ident, $step:literal, $from:literal, $to:literal,
         |$in:ident, $out:ident| $load:expr, $convert:expr, $store:expr) => {
            /// # Safety
            ///
            /// As for [`Lane`](super::Lane), and the machine has the features named.
            #[target_feature(enable = $features)]
            pub(super) unsafe fn $name(dst: *mut u8, src: *const u8, n: usize, lo: u64, hi: u64) -> bool {
                let whole = n - n % $step;
                for k in (0..whole).step_by($step) {
                    let ($in, $out) = (src.wrapping_add($from * k), dst.wrapping_add($to * k));
                    // SAFETY: so many of the `n` numbers that may be read; an unaligned load.
                    let read = unsafe { $load };
                    let made = ($convert)(read);
                    // SAFETY: as many of the `n` numbers that may be written; an unaligned store.
                    unsafe { ($store)(made) };
                }
                let (dst, src) = (dst.wrapping_add($to * whole), src.wrapping_add($from * whole));
                // SAFETY: the numbers that are left, under the caller's contract.
                unsafe { $rest::run(dst, src, n - whole, lo, hi) }
            }
        };
    }

    halves! { from_f16_f16c, "avx2,f16c", FromF16, 8, 2, 4, |from, to|
    _mm_loadu_si128(from.cast()), |x| _mm256_cvtph_ps(x), |y| _mm256_storeu_ps(to.cast(), y) }
    halves! { to_f16_f16c, "avx2,f16c", ToF16, 8, 4, 2, |from, to|
    _mm256_loadu_ps(from.cast()), |x| _mm256_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(x), |y| _mm_storeu_si128(to.cast(), y) }
    halves! { from_f16_avx512, "avx512f,avx512bw,avx512dq,avx512vl", FromF16, 16, 2, 4, |from, to|
    _mm256_loadu_si256(from.cast()), |x| _mm512_cvtph_ps(x), |y| _mm512_storeu_ps(to.cast(), y) }
    halves! { to_f16_avx512, "avx512f,avx512bw,avx512dq,avx512vl", ToF16, 16, 4, 2, |from, to|
    _mm512_loadu_ps(from.cast()), |x| _mm512_cvtps_ph::<NEAREST>(x), |y| _mm256_storeu_si256(to.cast(), y) }
}
