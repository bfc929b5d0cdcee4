//! Passes that look at numbers: is each within a range, is each zero, put each into a range.

// See the folder's `mod.rs`.
#![allow(unsafe_code)]

use std::marker::PhantomData;

use super::{Lane, Loop, all, form, map};
use crate::convert::number::Number;
use crate::kernel::Level;

struct Within<T>(PhantomData<T>);
struct Clamp<T>(PhantomData<T>);

macro_rules! integers {
    ($($number:ty),*) => {$(
        impl Loop for Within<$number> {
            #[inline(always)]
            unsafe fn run(_: *mut u8, src: *const u8, n: usize, lo: u64, hi: u64) -> bool {
                let (lo, hi) = (lo as $number, hi as $number);
                // SAFETY: the caller's contract, handed on unchanged.
                unsafe { all(src, n, |x: $number| (lo <= x) & (x <= hi)) }
            }
        }

        impl Loop for Clamp<$number> {
            #[inline(always)]
            unsafe fn run(dst: *mut u8, src: *const u8, n: usize, lo: u64, hi: u64) -> bool {
                let (lo, hi) = (lo as $number, hi as $number);
                // SAFETY: the caller's contract, handed on unchanged.
                unsafe { map(dst, src, n, |x: $number| x.max(lo).min(hi)) }
            }
        }
    )*};
}

integers! { i8, u8, i16, u16, i32, u32, i64, u64 }

impl Loop for Within<f32> {
    #[inline(always)]
    unsafe fn run(_: *mut u8, src: *const u8, n: usize, lo: u64, hi: u64) -> bool {
        let (lo, hi) = (f32::from_bits(lo as u32), f32::from_bits(hi as u32));
        // SAFETY: the caller's contract, handed on unchanged.
        unsafe { all(src, n, |x: f32| (lo <= x) & (x < hi)) }
    }
}

impl Loop for Within<f64> {
    #[inline(always)]
    unsafe fn run(_: *mut u8, src: *const u8, n: usize, lo: u64, hi: u64) -> bool {
        let (lo, hi) = (f64::from_bits(lo), f64::from_bits(hi));
        // SAFETY: the caller's contract, handed on unchanged.
        unsafe { all(src, n, |x: f64| (lo <= x) & (x < hi)) }
    }
}

/// Refuses a number outside `lo..=hi` (integers, as their low bits) or `lo..hi` (floats, as their bits; a NaN too).
/// Writes nothing.
pub(in crate::convert) fn within(number: Number, level: Level) -> Lane {
    match number {
        Number::I8 => form::<Within<i8>>(level),
        Number::U8 | Number::Bool => form::<Within<u8>>(level),
        Number::I16 => form::<Within<i16>>(level),
        Number::U16 => form::<Within<u16>>(level),
        Number::I32 => form::<Within<i32>>(level),
        Number::U32 => form::<Within<u32>>(level),
        Number::I64 => form::<Within<i64>>(level),
        Number::U64 => form::<Within<u64>>(level),
        Number::F32 => form::<Within<f32>>(level),
        Number::F64 => form::<Within<f64>>(level),
        Number::F16 | Number::Bf16 => unreachable!("half floats are widened before they are looked at"),
    }
}

/// `dst[k]` = the number of `lo..=hi` that is nearest to `src[k]`; integers.
pub(in crate::convert) fn clamp(number: Number, level: Level) -> Lane {
    match number {
        Number::I8 => form::<Clamp<i8>>(level),
        Number::U8 => form::<Clamp<u8>>(level),
        Number::I16 => form::<Clamp<i16>>(level),
        Number::U16 => form::<Clamp<u16>>(level),
        Number::I32 => form::<Clamp<i32>>(level),
        Number::U32 => form::<Clamp<u32>>(level),
        Number::I64 => form::<Clamp<i64>>(level),
        Number::U64 => form::<Clamp<u64>>(level),
        _ => unreachable!("floats are put into a range by their casts"),
    }
}

struct Truth<T>(PhantomData<T>);
struct Zero<T>(PhantomData<T>);

macro_rules! words {
    ($($word:ty),*) => {$(
        impl Loop for Truth<$word> {
            #[inline(always)]
            unsafe fn run(dst: *mut u8, src: *const u8, n: usize, mask: u64, _: u64) -> bool {
                let mask = mask as $word;
                // SAFETY: the caller's contract, handed on unchanged.
                unsafe { map(dst, src, n, |x: $word| u8::from(x & mask != 0)) }
            }
        }

        impl Loop for Zero<$word> {
            #[inline(always)]
            unsafe fn run(_: *mut u8, src: *const u8, n: usize, mask: u64, _: u64) -> bool {
                let mask = mask as $word;
                // SAFETY: the caller's contract, handed on unchanged.
                unsafe { all(src, n, |x: $word| x & mask == 0) }
            }
        }
    )*};
}

words! { u8, u16, u32, u64 }

/// `dst[k]` = 1 where `src[k]` has one of the bits `lo`, else 0; numbers of `width` bytes into single bytes.
pub(in crate::convert) fn truth(width: usize, level: Level) -> Lane {
    match width {
        1 => form::<Truth<u8>>(level),
        2 => form::<Truth<u16>>(level),
        4 => form::<Truth<u32>>(level),
        _ => form::<Truth<u64>>(level),
    }
}

/// Refuses a number of `width` bytes that has one of the bits `lo`. Writes nothing.
pub(in crate::convert) fn all_zero(width: usize, level: Level) -> Lane {
    match width {
        1 => form::<Zero<u8>>(level),
        2 => form::<Zero<u16>>(level),
        4 => form::<Zero<u32>>(level),
        _ => form::<Zero<u64>>(level),
    }
}

struct Either;

impl Loop for Either {
    #[inline(always)]
    unsafe fn run(dst: *mut u8, src: *const u8, n: usize, _: u64, _: u64) -> bool {
        // SAFETY: the caller's contract, handed on unchanged.
        unsafe { map(dst, src, n, |[re, im]: [u8; 2]| re | im) }
    }
}

/// `dst[k] = src[2k] | src[2k + 1]`, single bytes.
pub(in crate::convert) fn either(level: Level) -> Lane {
    form::<Either>(level)
}
