//! The form of 64-bit ARM, in the registers of 16 bytes that all of them have (NEON).
//!
//! There is no store past the cache that a compiler offers, so lines are written through it, whatever the size.

// Vector loads and stores through raw addresses.
#![allow(unsafe_code)]

use std::arch::aarch64::*;

use super::form::Begins;
use super::network::{Joined, Register, Sixteen};
use super::{CACHED, FLAT, Level, Turn};

#[inline(always)]
fn same(register: uint8x16_t) -> uint8x16_t {
    register
}

macro_rules! interleave {
    ($a:ident, $b:ident: $($n:pat => $as:ident, $low:ident, $high:ident, $back:ident;)*) => {
        match N {
            $($n => {
                // SAFETY: every such machine has the registers; works on them alone.
                let (a, b) = (unsafe { $as($a) }, unsafe { $as($b) });
                // SAFETY: as above.
                let (low, high) = (unsafe { $low(a, b) }, unsafe { $high(a, b) });
                // SAFETY: as above.
                (unsafe { $back(low) }, unsafe { $back(high) })
            })*
        }
    };
}

// Newer compilers know that these are safe to call where the registers are always there; older ones ask for the block.
#[allow(unused_unsafe)]
impl Register for uint8x16_t {
    const LANES: usize = 1;

    #[inline(always)]
    unsafe fn load(rows: &impl Begins, first: usize, _: usize, at: isize) -> Self {
        // SAFETY: the caller's contract.
        unsafe { vld1q_u8(rows.row(first).wrapping_offset(at)) }
    }

    #[inline(always)]
    unsafe fn interleave<const N: usize>(self, other: Self) -> (Self, Self) {
        interleave! { self, other:
            1 => same, vzip1q_u8, vzip2q_u8, same;
            2 => vreinterpretq_u16_u8, vzip1q_u16, vzip2q_u16, vreinterpretq_u8_u16;
            4 => vreinterpretq_u32_u8, vzip1q_u32, vzip2q_u32, vreinterpretq_u8_u32;
            _ => vreinterpretq_u64_u8, vzip1q_u64, vzip2q_u64, vreinterpretq_u8_u64;
        }
    }

    #[inline(always)]
    unsafe fn zero() -> Self {
        // SAFETY: every such machine has the registers.
        unsafe { vdupq_n_u8(0) }
    }
}

// As above.
#[allow(unused_unsafe)]
impl Sixteen for uint8x16_t {
    #[inline(always)]
    unsafe fn read(from: *const u8) -> Self {
        // SAFETY: the caller's contract.
        unsafe { vld1q_u8(from) }
    }

    #[inline(always)]
    unsafe fn write(self, to: *mut u8) {
        // SAFETY: the caller's contract.
        unsafe { vst1q_u8(to, self) };
    }

    #[inline(always)]
    unsafe fn write_past(self, to: *mut u8) {
        // SAFETY: the caller's contract.
        unsafe { self.write(to) };
    }

    fn fence() {}
}

/// The blocks of the whole, unless the plan's level has no form.
///
/// # Safety
///
/// As for [`Turn::run`], with a unit of `N` bytes, a power of two up to 16.
pub(super) unsafe fn blocks<const N: usize>(turn: &Turn<'_>, dst: *mut u8, src: *const u8) -> bool {
    if turn.level < Level::Simd128 {
        return false;
    }
    if turn.flat.is_some() {
        // SAFETY: the caller's contract; every such machine has the registers.
        unsafe { turn.blocks::<Joined<uint8x16_t>, N, FLAT>(dst, src) };
    } else {
        // SAFETY: as above.
        unsafe { turn.blocks::<Joined<uint8x16_t>, N, CACHED>(dst, src) };
    }
    true
}
