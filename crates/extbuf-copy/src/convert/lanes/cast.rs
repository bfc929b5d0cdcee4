//! From one native number to another, as Rust's `as` has it: integers to integers modulo two to the number of bits,
//! floats to integers towards zero and to the nearest bound, NaN to 0, everything to floats rounded to nearest, ties to
//! even.

// See the folder's `mod.rs`.
#![allow(unsafe_code)]

use std::marker::PhantomData;

use super::{Lane, Loop, form, half, map};
use crate::convert::number::Number;
use crate::convert::recipe::Cast;
use crate::kernel::Level;

struct As<S, D>(PhantomData<(S, D)>);

macro_rules! casts {
    ($($from:ty => $($to:ty),+;)*) => {$($(
        impl Loop for As<$from, $to> {
            #[inline(always)]
            unsafe fn run(dst: *mut u8, src: *const u8, n: usize, _: u64, _: u64) -> bool {
                // SAFETY: the caller's contract, handed on unchanged.
                unsafe { map(dst, src, n, |x: $from| x as $to) }
            }
        }
    )+)*};
}

casts! {
    i8 => i16, i32, i64, f32, f64;
    u8 => u16, u32, u64, f32, f64;
    i16 => i32, i64, f32, f64;
    u16 => u8, u32, u64, f32, f64;
    i32 => i64, f32, f64;
    u32 => u8, u16, u64, f32, f64;
    i64 => f32, f64;
    u64 => u8, u16, u32, f32, f64;
    f32 => f64;
    f64 => f32;
}

/// The same by way of a wider integer, in which the bounds are exact: two comparisons and one conversion for each
/// number, where the plain cast asks four questions.
macro_rules! bounded {
    ($($from:ty => $($to:ty),+;)*) => {$($(
        impl Loop for As<$from, $to> {
            #[inline(always)]
            unsafe fn run(dst: *mut u8, src: *const u8, n: usize, _: u64, _: u64) -> bool {
                const LOW: $from = <$to>::MIN as $from;
                const HIGH: $from = <$to>::MAX as $from;
                let of = |x: $from| {
                    let x = if x.is_nan() { 0.0 } else { x };
                    let x = if x > LOW { x } else { LOW };
                    let x = if x < HIGH { x } else { HIGH };
                    // SAFETY: not NaN, and within the bounds of an `i32`.
                    let x = unsafe { x.to_int_unchecked::<i32>() };
                    x as $to
                };
                // SAFETY: the caller's contract, handed on unchanged.
                unsafe { map(dst, src, n, of) }
            }
        }
    )+)*};
}

bounded! {
    f32 => i8, u8, i16, u16;
    f64 => i8, u8, i16, u16, i32;
}

/// The same where the upper bound is no number of the float: what is beyond it is chosen afterwards. Six times as fast
/// for `f32` to `i64` as the plain cast, of which the compiler makes no vectors.
macro_rules! wide {
    ($($from:ty => $($to:ty),+;)*) => {$($(
        impl Loop for As<$from, $to> {
            #[inline(always)]
            unsafe fn run(dst: *mut u8, src: *const u8, n: usize, _: u64, _: u64) -> bool {
                const LOW: $from = <$to>::MIN as $from;
                // A power of two: the least number that is too large.
                const BEYOND: $from = (<$to>::MAX / 2 + 1) as $from * 2.0;
                let of = |x: $from| {
                    let inside = if x.is_nan() { 0.0 } else { x };
                    let inside = if inside > LOW { inside } else { LOW };
                    let inside = if inside < BEYOND { inside } else { BEYOND.next_down() };
                    // SAFETY: not NaN, and within the bounds.
                    let whole = unsafe { inside.to_int_unchecked::<$to>() };
                    if x >= BEYOND { <$to>::MAX } else { whole }
                };
                // SAFETY: the caller's contract, handed on unchanged.
                unsafe { map(dst, src, n, of) }
            }
        }
    )+)*};
}

wide! {
    f32 => i32, u32, i64, u64;
    f64 => u32, i64, u64;
}

/// `f64` to `f32`, what does not fit exactly to the neighbour whose last bit is set. Rounding such a number once more, to
/// far fewer bits, gives what rounding the `f64` once would have given.
struct ToOdd;

impl Loop for ToOdd {
    #[inline(always)]
    unsafe fn run(dst: *mut u8, src: *const u8, n: usize, _: u64, _: u64) -> bool {
        let of = |x: f64| {
            let near = x as f32;
            let bits = near.to_bits();
            let back = f64::from(near);
            // The other neighbour lies on the other side of `x`: further out where this one is nearer to zero.
            let other = if back.abs() < x.abs() { bits.wrapping_add(1) } else { bits.wrapping_sub(1) };
            let moves = (back != x) & !x.is_nan() & (bits & 1 == 0);
            if moves { other } else { bits }
        };
        // SAFETY: the caller's contract, handed on unchanged.
        unsafe { map(dst, src, n, of) }
    }
}

/// A 64-bit integer with what an `f64` cannot hold gathered into its last bit that counts: the same purpose as [`ToOdd`].
struct Sticky<T>(PhantomData<T>);

/// Bits that do not fit where all 64 are used.
const BELOW: u64 = (1 << 11) - 1;

fn sticky(magnitude: u64) -> u64 {
    let low = u64::from(magnitude & BELOW != 0) << 11;
    if magnitude >> 53 == 0 { magnitude } else { magnitude & !BELOW | low }
}

impl Loop for Sticky<u64> {
    #[inline(always)]
    unsafe fn run(dst: *mut u8, src: *const u8, n: usize, _: u64, _: u64) -> bool {
        // SAFETY: the caller's contract, handed on unchanged.
        unsafe { map(dst, src, n, sticky) }
    }
}

impl Loop for Sticky<i64> {
    #[inline(always)]
    unsafe fn run(dst: *mut u8, src: *const u8, n: usize, _: u64, _: u64) -> bool {
        let of = |x: i64| {
            let magnitude = sticky(x.unsigned_abs()) as i64;
            if x < 0 { magnitude.wrapping_neg() } else { magnitude }
        };
        // SAFETY: the caller's contract, handed on unchanged.
        unsafe { map(dst, src, n, of) }
    }
}

/// The loop of a cast.
pub(in crate::convert) fn cast(cast: Cast, level: Level) -> Lane {
    use Number::*;
    let (from, to) = match cast {
        Cast::ToOdd => return form::<ToOdd>(level),
        Cast::Sticky(I64) => return form::<Sticky<i64>>(level),
        Cast::Sticky(_) => return form::<Sticky<u64>>(level),
        Cast::As(from, to) => (from, to),
    };
    // Truncation looks at no sign, and neither does widening at that of the result.
    let unsigned = |number| match number {
        I8 | Bool => U8,
        I16 => U16,
        I32 => U32,
        I64 => U64,
        other => other,
    };
    let (from, to) = match (from.range().is_some(), to.range().is_some()) {
        (true, true) if to.width() < from.width() => (unsigned(from), unsigned(to)),
        (true, true) if from == unsigned(from) => (from, unsigned(to)),
        // From signed integers to wider ones: as the signed type of that width.
        (true, true) => (
            from,
            match to.width() {
                2 => I16,
                4 => I32,
                _ => I64,
            },
        ),
        _ => (from, to),
    };
    macro_rules! table {
        ($($from:ident($of:ty) => $($to:ident($what:ty)),+;)*) => {
            match (from, to) {
                $($(($from, $to) => form::<As<$of, $what>>(level),)+)*
                (F16, F32) => half::from_f16(level),
                (F32, F16) => half::to_f16(level),
                (Bf16, F32) => half::from_bf16(level),
                (F32, Bf16) => half::to_bf16(level),
                _ => unreachable!("a recipe goes from {from} to {to} by several casts"),
            }
        };
    }
    table! {
        I8(i8) => I16(i16), I32(i32), I64(i64), F32(f32), F64(f64);
        U8(u8) => U16(u16), U32(u32), U64(u64), F32(f32), F64(f64);
        I16(i16) => I32(i32), I64(i64), F32(f32), F64(f64);
        U16(u16) => U8(u8), U32(u32), U64(u64), F32(f32), F64(f64);
        I32(i32) => I64(i64), F32(f32), F64(f64);
        U32(u32) => U8(u8), U16(u16), U64(u64), F32(f32), F64(f64);
        I64(i64) => F32(f32), F64(f64);
        U64(u64) => U8(u8), U16(u16), U32(u32), F32(f32), F64(f64);
        F32(f32) => I8(i8), U8(u8), I16(i16), U16(u16), I32(i32), U32(u32), I64(i64), U64(u64), F64(f64);
        F64(f64) => I8(i8), U8(u8), I16(i16), U16(u16), I32(i32), U32(u32), I64(i64), U64(u64), F32(f32);
    }
}
