//! Two to four channels in registers of 16 bytes (AVX2, of which only the shuffle of bytes is used).
//!
//! A block is 16 bytes of each channel: `C` registers in, `C` registers out. Each byte of a register that goes out comes from
//! one place of one that came in, so the register is the or of as many shuffles, each of which leaves zero where another
//! has something. The places are worked out at compile time.

// Pixels are read and written through raw addresses.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m128i, _mm_loadu_si128, _mm_or_si128, _mm_setzero_si128, _mm_shuffle_epi8, _mm_storeu_si128,
    _mm_stream_si128, _mm_unpackhi_epi32, _mm_unpacklo_epi32,
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

/// As many whole blocks of pixels as there are: planes lie so many bytes from one another. What `streams` goes past the
/// cache. Answers with the pixels moved.
///
/// # Safety
///
/// The items of all these pixels may be read and written where `kind` says; `unit` is 1, 2, 4, 8 or 16, there are 2 to 4
/// channels, and the machine has AVX2. What `streams` begins at a multiple of 16 bytes in each plane.
#[target_feature(enable = "avx2")]
pub(in crate::kernel) unsafe fn blocks(
    kind: Kind,
    unit: usize,
    channels: usize,
    (dst, d): (*mut u8, isize),
    (src, s): (*const u8, isize),
    pixels: usize,
    streams: bool,
) -> usize {
    macro_rules! of_kind {
        ($n:literal, $c:literal, $kind:ident, $to:expr, $from:expr) => {
            if streams {
                // SAFETY: the caller's contract.
                unsafe { sized::<$n, $c, $kind, true>($to, $from, pixels) }
            } else {
                // SAFETY: the caller's contract.
                unsafe { sized::<$n, $c, $kind, false>($to, $from, pixels) }
            }
        };
    }
    macro_rules! counted {
        ($($n:literal: $($c:literal)*;)*) => {
            match (kind, unit, channels) {
                $($(
                    (Kind::Pull, $n, $c) => of_kind!($n, $c, PULL, (dst, d), (src, 16)),
                    (Kind::Put, $n, $c) => of_kind!($n, $c, PUT, (dst, 16), (src, s)),
                    (Kind::Exchange, $n, $c) => of_kind!($n, $c, EXCHANGE, (dst, 16), (src, 16)),
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
        16: 2 3 4;
    }
}

/// Whole blocks: register `k` of a block lies `k` times the bytes given beside either place further. Answers with the pixels
/// moved.
///
/// # Safety
///
/// The items of all these pixels lie as `KIND` says, and what `STREAMS` is aligned to 16 bytes at every register's place.
#[target_feature(enable = "avx2")]
#[inline]
unsafe fn sized<const N: usize, const C: usize, const KIND: u8, const STREAMS: bool>(
    (mut dst, d): (*mut u8, isize),
    (mut src, s): (*const u8, isize),
    pixels: usize,
) -> usize {
    let (step_to, step_from) =
        (if KIND == PULL { 16 } else { 16 * C }, if KIND == PUT { 16 } else { 16 * C });
    let mut count = pixels * N / 16;
    if STREAMS && KIND == PULL {
        // Planes are written by whole lines: a register of each in turn fills none before it is given up.
        count -= count % LINE;
        for _ in 0..count / LINE {
            let mut lines = [[_mm_setzero_si128(); C]; LINE];
            for (at, line) in lines.iter_mut().enumerate() {
                // SAFETY: the caller's contract: 16 bytes of items in each.
                *line = block::<N, C, KIND>(unsafe { loaded(src.wrapping_add(at * step_from), s) });
            }
            for k in 0..C {
                let to = dst.wrapping_offset(k as isize * d);
                for (at, line) in lines.iter().enumerate() {
                    // SAFETY: the caller's contract: 16 bytes of items.
                    unsafe { store::<STREAMS>(to.wrapping_add(at * step_to), line[k]) };
                }
            }
            (dst, src) = (dst.wrapping_add(LINE * step_to), src.wrapping_add(LINE * step_from));
        }
    } else {
        for _ in 0..count {
            // SAFETY: the caller's contract: 16 bytes of items in each.
            let made = block::<N, C, KIND>(unsafe { loaded(src, s) });
            for (k, register) in made.into_iter().enumerate() {
                // SAFETY: the caller's contract: 16 bytes of items.
                unsafe { store::<STREAMS>(dst.wrapping_offset(k as isize * d), register) };
            }
            (dst, src) = (dst.wrapping_add(step_to), src.wrapping_add(step_from));
        }
    }
    count * 16 / N
}

/// Registers that lie so many bytes from one another.
///
/// # Safety
///
/// 16 bytes may be read in each of `C` places.
#[target_feature(enable = "avx2")]
#[inline]
unsafe fn loaded<const C: usize>(src: *const u8, s: isize) -> [__m128i; C] {
    let mut taken = [_mm_setzero_si128(); C];
    for (k, register) in taken.iter_mut().enumerate() {
        // SAFETY: the caller's contract.
        *register = unsafe { _mm_loadu_si128(src.wrapping_offset(k as isize * s).cast()) };
    }
    taken
}

/// Registers of a line.
const LINE: usize = 4;

/// The registers that go out for those that came in.
#[target_feature(enable = "avx2")]
#[inline]
fn block<const N: usize, const C: usize, const KIND: u8>(taken: [__m128i; C]) -> [__m128i; C] {
    let mut block = [_mm_setzero_si128(); C];
    if C == 4 && N <= 4 && KIND != EXCHANGE {
        block.copy_from_slice(&four::<N, KIND>([taken[0], taken[1], taken[2 % C], taken[3 % C]])[..C]);
        return block;
    }
    for (k, made) in block.iter_mut().enumerate() {
        for (from, &register) in taken.iter().enumerate() {
            if Places::<N, C, KIND>::TAKES[k][from] {
                let places = row(&Places::<N, C, KIND>::TABLE[k][from]);
                *made = _mm_or_si128(*made, _mm_shuffle_epi8(register, places));
            }
        }
    }
    block
}

/// # Safety
///
/// 16 bytes may be written there; what `STREAMS` is aligned to as many.
#[target_feature(enable = "avx2")]
#[inline]
unsafe fn store<const STREAMS: bool>(to: *mut u8, register: __m128i) {
    if STREAMS {
        // SAFETY: the caller's contract.
        unsafe { _mm_stream_si128(to.cast(), register) };
    } else {
        // SAFETY: the caller's contract.
        unsafe { _mm_storeu_si128(to.cast(), register) };
    }
}

#[target_feature(enable = "avx2")]
#[inline]
fn row(places: &[u8; 16]) -> __m128i {
    // SAFETY: 16 bytes.
    unsafe { _mm_loadu_si128(places.as_ptr().cast()) }
}

/// Four channels of up to 4 bytes, whose items are brought together to 4 bytes of one channel in each quarter of a register:
/// then the quarters change places as the items of a square do, which takes eight interleavings for twelve shuffles and as
/// many ors.
#[target_feature(enable = "avx2")]
#[inline]
fn four<const N: usize, const KIND: u8>(taken: [__m128i; 4]) -> [__m128i; 4] {
    let [a, b, c, d] = if KIND == PULL { taken.map(|register| gathered::<N, KIND>(register)) } else { taken };
    let (ac_low, ac_high) = (_mm_unpacklo_epi32(a, c), _mm_unpackhi_epi32(a, c));
    let (bd_low, bd_high) = (_mm_unpacklo_epi32(b, d), _mm_unpackhi_epi32(b, d));
    let turned = [
        _mm_unpacklo_epi32(ac_low, bd_low),
        _mm_unpackhi_epi32(ac_low, bd_low),
        _mm_unpacklo_epi32(ac_high, bd_high),
        _mm_unpackhi_epi32(ac_high, bd_high),
    ];
    if KIND == PUT { turned.map(|register| gathered::<N, KIND>(register)) } else { turned }
}

/// The items of the `4 / N` pixels of a register channel by channel, and for [`PUT`] from there back to pixels.
#[target_feature(enable = "avx2")]
#[inline]
fn gathered<const N: usize, const KIND: u8>(register: __m128i) -> __m128i {
    let places = const {
        let mut places = [0; 16];
        let mut at = 0;
        // Larger items are not moved by this.
        while at < 16 && N <= 4 {
            let (channel, pixel, byte) = (at / 4, at % 4 / N, at % N);
            let (apart, packed) = (at, (pixel * 4 + channel) * N + byte);
            if KIND == PULL {
                places[apart] = packed as u8;
            } else {
                places[packed] = apart as u8;
            }
            at += 1;
        }
        places
    };
    if N >= 4 { register } else { _mm_shuffle_epi8(register, row(&places)) }
}
