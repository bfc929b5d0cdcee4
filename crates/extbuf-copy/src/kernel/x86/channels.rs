//! Two to four channels in registers of 16 bytes (AVX2, of which only the shuffle of bytes is used).
//!
//! A block is 16 bytes of each channel: `C` registers in, `C` registers out. Each byte of a register that goes out comes from
//! one place of one that came in, so the register is the or of as many shuffles, each of which leaves zero where another
//! has something. The places are worked out at compile time.

// Pixels are read and written through raw addresses.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m128i, _mm_loadu_si128, _mm_or_si128, _mm_setzero_si128, _mm_shuffle_epi8, _mm_storeu_si128,
};

use crate::kernel::channels::Kind;

/// The kinds, as constants.
const PULL: u8 = Kind::Pull as u8;
const PUT: u8 = Kind::Put as u8;
const EXCHANGE: u8 = Kind::Exchange as u8;

/// For register `d` that goes out and `s` that came in: from which place each byte comes, or none.
struct Places<const N: usize, const C: usize, const KIND: u8>;

impl<const N: usize, const C: usize, const KIND: u8> Places<N, C, KIND> {
    const TABLE: [[[u8; 16]; C]; C] = {
        let mut table = [[[0x80; 16]; C]; C];
        let mut at = 0;
        // Byte `at` of a block, counted in pixels.
        while at < 16 * C {
            let (pixel, channel, byte) = (at / N / C, at / N % C, at % N);
            let packed = (at / 16, at % 16);
            let plane = (channel, pixel * N + byte);
            let turned = (pixel * C + C - 1 - channel) * N + byte;
            let ((d, to), (s, from)) = match KIND {
                PULL => (plane, packed),
                PUT => (packed, plane),
                _ => (packed, (turned / 16, turned % 16)),
            };
            table[d][s][to] = from as u8;
            at += 1;
        }
        table
    };

    /// Whether register `d` takes anything from `s`.
    const TAKES: [[bool; C]; C] = {
        let mut takes = [[false; C]; C];
        let mut at = 0;
        while at < 16 * C * C {
            takes[at / 16 / C][at / 16 % C] |= Self::TABLE[at / 16 / C][at / 16 % C][at % 16] != 0x80;
            at += 1;
        }
        takes
    };
}

/// As many whole blocks of pixels as there are: planes lie so many bytes from one another. Answers with the pixels moved.
///
/// # Safety
///
/// The items of all these pixels may be read and written where `kind` says; `unit` is 1, 2, 4 or 8, there are 2 to 4
/// channels, and the machine has AVX2.
#[target_feature(enable = "avx2")]
pub(in crate::kernel) unsafe fn blocks(
    kind: Kind,
    unit: usize,
    channels: usize,
    (dst, d): (*mut u8, isize),
    (src, s): (*const u8, isize),
    pixels: usize,
) -> usize {
    macro_rules! counted {
        ($($n:literal: $($c:literal)*;)*) => {
            match (kind, unit, channels) {
                $($(
                    // SAFETY: the caller's contract.
                    (Kind::Pull, $n, $c) => unsafe { sized::<$n, $c, PULL>((dst, d), (src, 16), pixels) },
                    // SAFETY: as above.
                    (Kind::Put, $n, $c) => unsafe { sized::<$n, $c, PUT>((dst, 16), (src, s), pixels) },
                    // SAFETY: as above.
                    (Kind::Exchange, $n, $c) => unsafe { sized::<$n, $c, EXCHANGE>((dst, 16), (src, 16), pixels) },
                )*)*
                _ => 0,
            }
        };
    }
    counted! {
        1: 2 3 4;
        2: 2 3 4;
        4: 2 3 4;
        8: 2 3 4;
    }
}

/// Whole blocks: register `k` of a block lies `k` times the bytes given beside either place further. Answers with the pixels
/// moved.
///
/// # Safety
///
/// The items of all these pixels lie as `KIND` says.
#[target_feature(enable = "avx2")]
#[inline]
unsafe fn sized<const N: usize, const C: usize, const KIND: u8>(
    (mut dst, d): (*mut u8, isize),
    (mut src, s): (*const u8, isize),
    pixels: usize,
) -> usize {
    let count = pixels * N / 16;
    for _ in 0..count {
        let mut taken = [_mm_setzero_si128(); C];
        for (k, register) in taken.iter_mut().enumerate() {
            // SAFETY: the caller's contract: 16 bytes of items.
            *register = unsafe { _mm_loadu_si128(src.wrapping_offset(k as isize * s).cast()) };
        }
        for k in 0..C {
            let mut made = _mm_setzero_si128();
            for (from, &register) in taken.iter().enumerate() {
                if Places::<N, C, KIND>::TAKES[k][from] {
                    let places = row(&Places::<N, C, KIND>::TABLE[k][from]);
                    made = _mm_or_si128(made, _mm_shuffle_epi8(register, places));
                }
            }
            // SAFETY: the caller's contract: 16 bytes of items.
            unsafe { _mm_storeu_si128(dst.wrapping_offset(k as isize * d).cast(), made) };
        }
        dst = dst.wrapping_add(if KIND == PULL { 16 } else { 16 * C });
        src = src.wrapping_add(if KIND == PUT { 16 } else { 16 * C });
    }
    count * 16 / N
}

#[target_feature(enable = "avx2")]
#[inline]
fn row(places: &[u8; 16]) -> __m128i {
    // SAFETY: 16 bytes.
    unsafe { _mm_loadu_si128(places.as_ptr().cast()) }
}
