//! The forms of x86-64, in registers of 16 bytes and of 64.
// Vector loads and stores through raw addresses.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::form::{Begins, Form, MOST_LINES};
use super::network::{Joined, Register, Sixteen, square_turned, squares, turn};
use super::{ALIGNED, CACHED, CARRIED, FLAT, Level, Turn};

macro_rules! interleave {
    ($a:ident, $b:ident: $($n:pat => $low:ident, $high:ident;)*) => {
        match N {
            $($n => {
                // SAFETY: the caller's contract; works on registers alone.
                let low = unsafe { $low($a, $b) };
                // SAFETY: as above.
                let high = unsafe { $high($a, $b) };
                (low, high)
            })*
        }
    };
}

// Newer compilers know that intrinsics of SSE2 are safe to call where it is always there; older ones ask for the block.
#[allow(unused_unsafe)]
impl Register for __m128i {
    const LANES: usize = 1;

    #[inline(always)]
    unsafe fn load(rows: &impl Begins, first: usize, _: usize, at: isize) -> Self {
        // SAFETY: the caller's contract.
        unsafe { _mm_loadu_si128(rows.row(first).wrapping_offset(at).cast()) }
    }

    #[inline(always)]
    unsafe fn interleave<const N: usize>(self, other: Self) -> (Self, Self) {
        interleave! { self, other:
            1 => _mm_unpacklo_epi8, _mm_unpackhi_epi8;
            2 => _mm_unpacklo_epi16, _mm_unpackhi_epi16;
            4 => _mm_unpacklo_epi32, _mm_unpackhi_epi32;
            _ => _mm_unpacklo_epi64, _mm_unpackhi_epi64;
        }
    }

    #[inline(always)]
    unsafe fn zero() -> Self {
        // SAFETY: every x86-64 has SSE2.
        unsafe { _mm_setzero_si128() }
    }
}

// As above.
#[allow(unused_unsafe)]
impl Sixteen for __m128i {
    #[inline(always)]
    unsafe fn read(from: *const u8) -> Self {
        // SAFETY: the caller's contract.
        unsafe { _mm_loadu_si128(from.cast()) }
    }

    #[inline(always)]
    unsafe fn write(self, to: *mut u8) {
        // SAFETY: the caller's contract.
        unsafe { _mm_storeu_si128(to.cast(), self) };
    }

    #[inline(always)]
    unsafe fn write_past(self, to: *mut u8) {
        // SAFETY: the caller's contract.
        unsafe { _mm_stream_si128(to.cast(), self) };
    }

    fn fence() {
        // SAFETY: every x86-64 has it.
        unsafe { _mm_sfence() };
    }
}

impl Register for __m512i {
    const LANES: usize = 4;

    #[inline(always)]
    unsafe fn load(rows: &impl Begins, first: usize, step: usize, at: isize) -> Self {
        // SAFETY: the caller's contract, as for the other lanes.
        let lane = unsafe { _mm_loadu_si128(rows.row(first).wrapping_offset(at).cast()) };
        // SAFETY: the machine has the registers; works on them alone, as do those below.
        let one = unsafe { _mm512_castsi128_si512(lane) };
        // SAFETY: as above.
        let lane = unsafe { _mm_loadu_si128(rows.row(first + step).wrapping_offset(at).cast()) };
        // SAFETY: as above.
        let two = unsafe { _mm512_inserti32x4::<1>(one, lane) };
        // SAFETY: as above.
        let lane = unsafe { _mm_loadu_si128(rows.row(first + 2 * step).wrapping_offset(at).cast()) };
        // SAFETY: as above.
        let three = unsafe { _mm512_inserti32x4::<2>(two, lane) };
        // SAFETY: as above.
        let lane = unsafe { _mm_loadu_si128(rows.row(first + 3 * step).wrapping_offset(at).cast()) };
        // SAFETY: as above.
        unsafe { _mm512_inserti32x4::<3>(three, lane) }
    }

    #[inline(always)]
    unsafe fn interleave<const N: usize>(self, other: Self) -> (Self, Self) {
        interleave! { self, other:
            1 => _mm512_unpacklo_epi8, _mm512_unpackhi_epi8;
            2 => _mm512_unpacklo_epi16, _mm512_unpackhi_epi16;
            4 => _mm512_unpacklo_epi32, _mm512_unpackhi_epi32;
            _ => _mm512_unpacklo_epi64, _mm512_unpackhi_epi64;
        }
    }

    #[inline(always)]
    unsafe fn zero() -> Self {
        // SAFETY: the caller's contract.
        unsafe { _mm512_setzero_si512() }
    }
}

/// Lines of one register. From the source come pieces of 16 bytes, or `WHOLE` lines: read once, they need not stay in the
/// cache, which those of rows that are a power of two apart do not. On 256 x 256 items of 4 bytes, inside L2, pieces took
/// 40 ns for 1 KiB and whole lines 30; where rows are 64 bytes more than a power of two apart 25 and 23; inside L1 18 and 17. Lines of
/// items of 1 and 2 bytes do not all fit the registers; to bring them into a buffer first took 14.9 us in place of 11.9 for
/// 512 x 512 bytes, and gained nothing elsewhere.
///
/// Or come halves of lines: inside L1, where neither the loads of pieces nor the exchange of lanes between whole lines hides
/// behind anything, 64 x 64 items of 4 bytes took 232 ns by halves, 267 by pieces and 327 whole, 32 x 32 of 8 bytes 93, 112
/// and 119; in L2 they are between the two.
pub(super) struct Avx512<const READ: u8>;

/// What [`Avx512`] reads at once: 16 bytes,
pub(super) const PIECES: u8 = 0;
/// half a line,
pub(super) const HALVES: u8 = 1;
/// a line.
pub(super) const WHOLE: u8 = 2;

/// `0, 1, 2 ...`
#[repr(align(64))]
struct Places([u8; 64]);

static PLACES: Places = {
    let mut places = [0; 64];
    let mut k = 0;
    while k < 64 {
        places[k] = k as u8;
        k += 1;
    }
    Places(places)
};

/// The same from whole lines of the source: in each lane a square is turned as above, then the lanes of four registers
/// change places with one another as the items of a square do.
///
/// # Safety
///
/// As for [`Form::turn`], of lines of 64 bytes; `N` is 4, 8 or 16.
#[inline(always)]
unsafe fn turn_whole<const N: usize>(rows: &impl Begins, at: isize) -> [[__m512i; 1]; MOST_LINES] {
    let m = 16 / N;
    // SAFETY: the caller's contract: the machine has the registers.
    let zero = unsafe { __m512i::zero() };
    let mut squares = [[zero; MOST_LINES]; 4];
    for (g, square) in squares.iter_mut().enumerate() {
        for (k, register) in square.iter_mut().enumerate().take(m) {
            // SAFETY: the caller's contract.
            *register = unsafe { _mm512_loadu_si512(rows.row(g * m + k).wrapping_offset(at).cast()) };
        }
        // SAFETY: as above.
        *square = unsafe { square_turned::<__m512i, N>(*square) };
    }
    let mut lines = [[zero; 1]; MOST_LINES];
    for k in 0..m {
        let [a, b, c, d] = [squares[0][k], squares[1][k], squares[2][k], squares[3][k]];
        // SAFETY: the machine has the registers; works on them alone, as do the next.
        let ab_even = unsafe { _mm512_shuffle_i32x4::<0x88>(a, b) };
        // SAFETY: as above.
        let ab_odd = unsafe { _mm512_shuffle_i32x4::<0xDD>(a, b) };
        // SAFETY: as above.
        let cd_even = unsafe { _mm512_shuffle_i32x4::<0x88>(c, d) };
        // SAFETY: as above.
        let cd_odd = unsafe { _mm512_shuffle_i32x4::<0xDD>(c, d) };
        // SAFETY: as above.
        lines[k] = [unsafe { _mm512_shuffle_i32x4::<0x88>(ab_even, cd_even) }];
        // SAFETY: as above.
        lines[m + k] = [unsafe { _mm512_shuffle_i32x4::<0x88>(ab_odd, cd_odd) }];
        // SAFETY: as above.
        lines[2 * m + k] = [unsafe { _mm512_shuffle_i32x4::<0xDD>(ab_even, cd_even) }];
        // SAFETY: as above.
        lines[3 * m + k] = [unsafe { _mm512_shuffle_i32x4::<0xDD>(ab_odd, cd_odd) }];
    }
    lines
}

/// The same from halves of lines: a register takes those of two rows, half the line's rows apart, and the lanes of two
/// registers change places at the end.
///
/// # Safety
///
/// As for [`Form::turn`], of halves of lines; `N` is 4, 8 or 16.
#[inline(always)]
unsafe fn turn_halves<const N: usize>(rows: &impl Begins, at: isize) -> [[__m512i; 1]; MOST_LINES] {
    let m = 16 / N;
    // SAFETY: the caller's contract: the machine has the registers.
    let zero = unsafe { __m512i::zero() };
    let mut squares = [[zero; MOST_LINES]; 2];
    for (g, square) in squares.iter_mut().enumerate() {
        for (k, register) in square.iter_mut().enumerate().take(m) {
            let (upper, lower) = (rows.row(g * m + k), rows.row((2 + g) * m + k));
            // SAFETY: the caller's contract.
            let upper = unsafe { _mm256_loadu_si256(upper.wrapping_offset(at).cast()) };
            // SAFETY: the caller's contract.
            let lower = unsafe { _mm256_loadu_si256(lower.wrapping_offset(at).cast()) };
            // SAFETY: the machine has the registers; works on them alone, as do those below.
            let both = unsafe { _mm512_castsi256_si512(upper) };
            // SAFETY: as above.
            *register = unsafe { _mm512_inserti64x4::<1>(both, lower) };
        }
        // SAFETY: as above.
        *square = unsafe { square_turned::<__m512i, N>(*square) };
    }
    // SAFETY: as above.
    let even = unsafe { _mm512_setr_epi64(0, 1, 8, 9, 4, 5, 12, 13) };
    // SAFETY: as above.
    let odd = unsafe { _mm512_setr_epi64(2, 3, 10, 11, 6, 7, 14, 15) };
    let mut lines = [[zero; 1]; MOST_LINES];
    for k in 0..m {
        let (a, b) = (squares[0][k], squares[1][k]);
        // SAFETY: as above.
        lines[k] = [unsafe { _mm512_permutex2var_epi64(a, even, b) }];
        // SAFETY: as above.
        lines[m + k] = [unsafe { _mm512_permutex2var_epi64(a, odd, b) }];
    }
    lines
}

impl<const N: usize, const READ: u8> Form<N> for Avx512<READ> {
    const ROWS: usize = 64 / N;
    const ITEMS: usize = if N < 4 { 16 / N } else { (16 << READ) / N };
    const ASKS: bool = false;
    const CARRY: usize = 64;

    type Line = [__m512i; 1];

    #[inline(always)]
    unsafe fn turn(rows: &impl Begins, at: isize) -> [Self::Line; MOST_LINES] {
        match READ {
            // SAFETY: the caller's contract.
            WHOLE if N >= 4 => unsafe { turn_whole::<N>(rows, at) },
            // SAFETY: the caller's contract.
            HALVES if N >= 4 => unsafe { turn_halves::<N>(rows, at) },
            // SAFETY: the caller's contract.
            _ => unsafe { turn::<__m512i, N, 1>(rows, at) },
        }
    }

    #[inline(always)]
    unsafe fn store(line: Self::Line, to: *mut u8) {
        // SAFETY: the caller's contract.
        unsafe { _mm512_storeu_si512(to.cast(), line[0]) };
    }

    #[inline(always)]
    unsafe fn store_part(line: Self::Line, from: usize, until: usize, to: *mut u8) {
        let mask = (!0 >> (64 - (until - from))) << from;
        // SAFETY: the caller's contract: bytes that are masked off are not touched.
        unsafe { _mm512_mask_storeu_epi8(to.cast(), mask, line[0]) };
    }

    #[inline(always)]
    unsafe fn stream(line: Self::Line, to: *mut u8) {
        // SAFETY: the caller's contract.
        unsafe { _mm512_stream_si512(to.cast(), line[0]) };
    }

    #[inline(always)]
    unsafe fn join(carry: *mut u8, late: usize, line: Self::Line) -> Self::Line {
        // SAFETY: the caller's contract.
        let before = unsafe { _mm512_load_si512(carry.cast()) };
        // SAFETY: 64 bytes, aligned as they ask to be.
        let places = unsafe { _mm512_load_si512(PLACES.0.as_ptr().cast()) };
        // SAFETY: the machine has the registers; works on them alone, as do the next two.
        let shift = unsafe { _mm512_set1_epi8(64 - late as i8) };
        // SAFETY: as above.
        let from = unsafe { _mm512_add_epi8(places, shift) };
        // SAFETY: as above.
        let joined = unsafe { _mm512_permutex2var_epi8(before, from, line[0]) };
        // SAFETY: the caller's contract.
        unsafe { _mm512_store_si512(carry.cast(), line[0]) };
        [joined]
    }

    #[inline(always)]
    unsafe fn keep(carry: *mut u8, line: Self::Line) {
        // SAFETY: the caller's contract.
        unsafe { _mm512_store_si512(carry.cast(), line[0]) };
    }

    fn fence() {
        // SAFETY: every x86-64 has it.
        unsafe { _mm_sfence() };
    }
}

/// The blocks of the whole by the form of the plan's level, if that is one of these.
///
/// # Safety
///
/// As for [`Turn::run`], with a unit of `N` bytes, a power of two up to 16; the machine has the level of the plan.
pub(super) unsafe fn blocks<const N: usize>(turn: &Turn<'_>, dst: *mut u8, src: *const u8) -> bool {
    macro_rules! by_mode {
        ($form:ident $(, $read:expr)?) => {
            match turn.mode(dst) {
                // SAFETY: the caller's contract.
                FLAT => unsafe { $form::<N, $({ $read },)? FLAT>(turn, dst, src) },
                // SAFETY: the caller's contract.
                CACHED => unsafe { $form::<N, $({ $read },)? CACHED>(turn, dst, src) },
                // SAFETY: the caller's contract.
                ALIGNED => unsafe { $form::<N, $({ $read },)? ALIGNED>(turn, dst, src) },
                // SAFETY: the caller's contract.
                _ => unsafe { $form::<N, $({ $read },)? CARRIED>(turn, dst, src) },
            }
        };
    }
    match (turn.level, turn.mode(dst)) {
        (Level::Portable, _) => return false,
        // SAFETY: the caller's contract.
        (Level::Simd128, mode) if turn.in_tiles(mode) => unsafe { tiles_sse2::<N>(turn, dst, src) },
        // SAFETY: as above.
        (Level::Avx2, mode) if turn.in_tiles(mode) => unsafe { tiles_avx2::<N>(turn, dst, src) },
        (Level::Simd128, _) => by_mode!(sse2),
        (Level::Avx2, _) => by_mode!(avx2),
        // SAFETY: the caller's contract; inside the first cache.
        (Level::Avx512, _) if N >= 4 && turn.near() => unsafe { avx512::<N, HALVES, FLAT>(turn, dst, src) },
        (Level::Avx512, _) if N >= 4 && turn.wide() => by_mode!(avx512, WHOLE),
        (Level::Avx512, _) => by_mode!(avx512, PIECES),
    }
    true
}

/// On its own, since the place and the carry would be laid out on everybody's stack.
///
/// # Safety
///
/// As for [`Turn::tiles`].
#[inline(never)]
unsafe fn tiles_sse2<const N: usize>(turn: &Turn<'_>, dst: *mut u8, src: *const u8) {
    // SAFETY: the caller's contract.
    unsafe { turn.tiles::<N>(dst, src) };
}

/// # Safety
///
/// As for [`Turn::tiles`]; the machine has AVX2.
#[inline(never)]
#[target_feature(enable = "avx2")]
unsafe fn tiles_avx2<const N: usize>(turn: &Turn<'_>, dst: *mut u8, src: *const u8) {
    // SAFETY: the caller's contract.
    unsafe { turn.tiles::<N>(dst, src) };
}

/// A square of `16 / N` items either way, from these rows to as many that are `pitch` bytes apart.
///
/// # Safety
///
/// 16 bytes at `at` from `16 / N` of these rows, from `first` on, may be read, and 16 written in each row of the destination.
#[inline(always)]
pub(super) unsafe fn square<const N: usize>(
    rows: &impl Begins,
    first: usize,
    at: isize,
    to: *mut u8,
    pitch: usize,
) {
    // SAFETY: the caller's contract, and every x86-64 has SSE2.
    let turned = unsafe { squares::<__m128i, N>(rows, first, at) };
    for (k, register) in turned.into_iter().enumerate().take(16 / N) {
        // SAFETY: the caller's contract.
        unsafe { _mm_storeu_si128(to.wrapping_add(k * pitch).cast(), register) };
    }
}

/// # Safety
///
/// As for [`blocks`], in the mode of this address.
#[inline(never)]
unsafe fn sse2<const N: usize, const MODE: u8>(turn: &Turn<'_>, dst: *mut u8, src: *const u8) {
    // SAFETY: the caller's contract, and every x86-64 has SSE2.
    unsafe { turn.blocks::<Joined<__m128i>, N, MODE>(dst, src) };
}

/// # Safety
///
/// As for [`blocks`], in the mode of this address; the machine has AVX2.
#[inline(never)]
#[target_feature(enable = "avx2")]
unsafe fn avx2<const N: usize, const MODE: u8>(turn: &Turn<'_>, dst: *mut u8, src: *const u8) {
    // SAFETY: the caller's contract.
    unsafe { turn.blocks::<Joined<__m128i>, N, MODE>(dst, src) };
}

/// # Safety
///
/// As for [`blocks`], in the mode of this address; the machine has [`Level::Avx512`].
#[inline(never)]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi")]
unsafe fn avx512<const N: usize, const READ: u8, const MODE: u8>(
    turn: &Turn<'_>,
    dst: *mut u8,
    src: *const u8,
) {
    // SAFETY: the caller's contract.
    unsafe { turn.blocks::<Avx512<READ>, N, MODE>(dst, src) };
}
