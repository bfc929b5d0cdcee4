//! Bytes of each number turned around.

// See the folder's `mod.rs`.
#![allow(unsafe_code)]

use std::marker::PhantomData;

use super::{Lane, Loop, form, map};
use crate::kernel::Level;

struct Swap<T>(PhantomData<T>);

macro_rules! swaps {
    ($($word:ty),*) => {$(
        impl Loop for Swap<$word> {
            #[inline(always)]
            unsafe fn run(dst: *mut u8, src: *const u8, n: usize, _: u64, _: u64) -> bool {
                // SAFETY: the caller's contract, handed on unchanged.
                unsafe { map(dst, src, n, <$word>::swap_bytes) }
            }
        }
    )*};
}

swaps! { u16, u32, u64 }

/// `dst[k] = src[k]` with the bytes of each turned around, numbers of `width` bytes: 2, 4 or 8.
pub(in crate::convert) fn swap(width: usize, level: Level) -> Lane {
    match width {
        2 => form::<Swap<u16>>(level),
        4 => form::<Swap<u32>>(level),
        8 => form::<Swap<u64>>(level),
        _ => unreachable!("no number has a byte order and {width} bytes"),
    }
}
