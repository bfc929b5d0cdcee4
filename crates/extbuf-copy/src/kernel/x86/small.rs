//! All of a small copy in registers.
//!
//! Where every byte of a copy lies in the same few registers on either side, the copy is one permutation of bytes,
//! whatever its loops: a transpose, a reversal, steps, a tensor of many axes. Which byte comes from where is found out by
//! making the copy once of the numbers 0, 1, 2 … in place of the bytes.

// Loads and stores through raw addresses.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::pen::LINE;
use crate::kernel::{Grid, Level, Manner, ONCE, Whole, run};
use crate::plan::{Kernel, Loop, Small};

/// Registers on either side, at most.
const MOST: usize = 4;

/// Bytes on either side, at most: what a byte can count.
const ROOM: usize = MOST * LINE;

/// Which byte of the source each byte of the destination is.
///
/// Bits of `reads` and `writes` stand for bytes that belong to items, and for no others. `index` holds the number of a
/// byte of the source, counted from the lowest, for each byte of the destination.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pattern {
    /// From where the loops begin to the lowest byte of either side.
    dst: isize,
    src: isize,
    reads: [u64; MOST],
    writes: [u64; MOST],
    index: [[u8; LINE]; MOST],
}

impl Pattern {
    pub(crate) const NONE: Pattern =
        Pattern { dst: 0, src: 0, reads: [0; MOST], writes: [0; MOST], index: [[0; LINE]; MOST] };

    /// Works out the pattern of a copy of items, and answers with the function that runs it, where there is one.
    pub(crate) fn find(&mut self, level: Level, unit: usize, loops: &[Loop]) -> Option<Whole> {
        if level < Level::Avx512 {
            return None;
        }
        let (dst, src) = (Span::of(unit, loops, |l| l.dst)?, Span::of(unit, loops, |l| l.src)?);
        let mut numbers = [0u8; ROOM];
        for (number, byte) in numbers.iter_mut().enumerate() {
            *byte = number as u8;
        }
        let (mut from, mut to) = ([0u8; ROOM], [0u8; ROOM]);
        let ones = [u8::MAX; ROOM];
        let numbers = numbers.as_ptr().wrapping_add(src.first);
        let index = self.index.as_mut_ptr().cast::<u8>().wrapping_add(dst.first);
        // SAFETY: the loops begin at byte `first` of either side and stay inside its span, for which there is room.
        unsafe { places(unit, loops, index, numbers) };
        let marks = to.as_mut_ptr().wrapping_add(dst.first);
        // SAFETY: as above.
        unsafe { places(unit, loops, marks, ones.as_ptr().wrapping_add(src.first)) };
        let mut backwards = [ONCE; 8];
        let backwards = backwards.get_mut(..loops.len())?;
        for (back, l) in backwards.iter_mut().zip(loops) {
            *back = Loop { extent: l.extent, dst: l.src, src: l.dst };
        }
        let marks = from.as_mut_ptr().wrapping_add(src.first);
        // SAFETY: as above, the sides exchanged.
        unsafe { places(unit, backwards, marks, ones.as_ptr().wrapping_add(dst.first)) };
        (self.dst, self.src) = (-(dst.first as isize), -(src.first as isize));
        // SAFETY: the machine has the level.
        self.reads = unsafe { marked(&from) };
        // SAFETY: as above.
        self.writes = unsafe { marked(&to) };
        Some(whole(src.bytes.div_ceil(LINE), dst.bytes.div_ceil(LINE)))
    }
}

/// The bytes of one side from the lowest to the highest, and at which of them the loops begin.
struct Span {
    bytes: usize,
    first: usize,
}

impl Span {
    /// `None` where they are too many.
    fn of(unit: usize, loops: &[Loop], step: fn(&Loop) -> isize) -> Option<Span> {
        let mut span = Span { bytes: unit, first: 0 };
        for l in loops {
            let way = step(l).unsigned_abs().checked_mul(l.extent - 1)?;
            span.bytes = span.bytes.checked_add(way)?;
            if step(l) < 0 {
                span.first += way;
            }
        }
        (span.bytes <= ROOM).then_some(span)
    }
}

/// Makes the copy of the loops.
///
/// # Safety
///
/// As for [`run`], for all of them.
unsafe fn places(unit: usize, loops: &[Loop], dst: *mut u8, src: *const u8) {
    let manner = Manner { level: Level::Portable, streams: false };
    let grid = match *loops {
        [] => Grid { i: ONCE, j: ONCE },
        [j] => Grid { i: ONCE, j },
        [i, j] => Grid { i, j },
        [outer, ref inner @ ..] => {
            for k in 0..outer.extent as isize {
                let (to, from) = (dst.wrapping_offset(k * outer.dst), src.wrapping_offset(k * outer.src));
                // SAFETY: the caller's contract, for one step.
                unsafe { places(unit, inner, to, from) };
            }
            return;
        }
    };
    // SAFETY: the caller's contract.
    unsafe { run(Kernel::Items, manner, unit, grid, dst, src) };
}

/// A bit for each byte whose highest bit is set.
#[target_feature(enable = "avx512f,avx512bw")]
fn marked(bytes: &[u8; ROOM]) -> [u64; MOST] {
    let mut marks = [0; MOST];
    for (mark, line) in marks.iter_mut().zip(bytes.as_chunks::<LINE>().0) {
        // SAFETY: 64 bytes of the array.
        *mark = _mm512_movepi8_mask(unsafe { _mm512_loadu_si512(line.as_ptr().cast()) });
    }
    marks
}

/// The function for so many registers of the source and of the destination.
fn whole(ins: usize, outs: usize) -> Whole {
    macro_rules! sized {
        ($($ins:literal: $($outs:literal)*;)*) => {
            match (ins, outs) {
                $($(($ins, $outs) => permuted::<$ins, $outs>,)*)*
                _ => unreachable!("no more than four on either side"),
            }
        };
    }
    sized! { 1: 1 2 3 4; 2: 1 2 3 4; 3: 1 2 3 4; 4: 1 2 3 4; }
}

/// Every byte of the destination that belongs to an item is the byte of the source with the number that the pattern has
/// for it.
///
/// # Safety
///
/// As for [`Whole`].
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
unsafe fn permuted<const INS: usize, const OUTS: usize>(
    small: &Small,
    pattern: &Pattern,
    dst: *mut u8,
    src: *const u8,
) {
    let (to, from) = small.begin(dst, src);
    let (to, from) = (to.wrapping_offset(pattern.dst), from.wrapping_offset(pattern.src));
    let mut ins = [_mm512_setzero_si512(); INS];
    for (k, register) in ins.iter_mut().enumerate() {
        // SAFETY: P1: the mask names bytes of items; no other is read.
        *register = unsafe { _mm512_maskz_loadu_epi8(pattern.reads[k], from.wrapping_add(k * LINE).cast()) };
    }
    for k in 0..OUTS {
        // SAFETY: 64 bytes of the pattern.
        let index = unsafe { _mm512_loadu_si512(pattern.index[k].as_ptr().cast()) };
        let low = match INS {
            1 => _mm512_permutexvar_epi8(index, ins[0]),
            _ => _mm512_permutex2var_epi8(ins[0], index, ins[1 % INS]),
        };
        let line = match INS {
            1 | 2 => low,
            // The two uppermost registers: of the number of a byte only the highest bit tells.
            _ => {
                let high = _mm512_permutex2var_epi8(ins[2 % INS], index, ins[3 % INS]);
                _mm512_mask_blend_epi8(_mm512_movepi8_mask(index), low, high)
            }
        };
        // SAFETY: P1: the mask names bytes of items; no other is written.
        unsafe { _mm512_mask_storeu_epi8(to.wrapping_add(k * LINE).cast(), pattern.writes[k], line) };
    }
}

/// `dst[..count] = src[..count]` where `N`, which is 64, `<= count <= 2 * N`.
///
/// # Safety
///
/// So many bytes may be read and written there (P1), and they are apart.
#[target_feature(enable = "avx512f")]
#[inline]
pub(crate) unsafe fn twice<const N: usize>(dst: *mut u8, src: *const u8, count: usize) {
    const { assert!(N == LINE) };
    let last = count - LINE;
    // SAFETY: P1: the first 64 bytes of no fewer.
    let first = unsafe { _mm512_loadu_si512(src.cast()) };
    // SAFETY: P1: the last 64 bytes of no fewer.
    let second = unsafe { _mm512_loadu_si512(src.wrapping_add(last).cast()) };
    // SAFETY: P1: as above, to write.
    unsafe { _mm512_storeu_si512(dst.cast(), first) };
    // SAFETY: P1: as above.
    unsafe { _mm512_storeu_si512(dst.wrapping_add(last).cast(), second) };
}

/// `dst[i*D0 + j*8 ..][..8] = src[i*8 + j*S1 ..][..8]` by squares of four by four items.
///
/// # Safety
///
/// As for [`Whole`]: of items of 8 bytes, along `i` dense in the source and along `j` in the destination, both of whose
/// extents are multiples of four.
#[target_feature(enable = "avx2")]
pub(crate) unsafe fn squares(small: &Small, _: &Pattern, dst: *mut u8, src: *const u8) {
    let ([outer, i, j], (to, from)) = (small.loops, small.begin(dst, src));
    let steps = |l: Loop| (0..l.extent as isize).step_by(4);
    for k in 0..outer.extent as isize {
        let (to, from) = (to.wrapping_offset(k * outer.dst), from.wrapping_offset(k * outer.src));
        for a in steps(i) {
            for b in steps(j) {
                let (to, from) =
                    (to.wrapping_offset(a * i.dst + b * 8), from.wrapping_offset(a * 8 + b * j.src));
                for half in 0..2 {
                    let pair = |row: isize| {
                        let at = from.wrapping_offset(row * j.src + 16 * half);
                        // SAFETY: P1: two items of this row.
                        let low = unsafe { _mm_loadu_si128(at.cast()) };
                        // SAFETY: P1: the same two of the row after the next.
                        let high = unsafe { _mm_loadu_si128(at.wrapping_offset(2 * j.src).cast()) };
                        _mm256_inserti128_si256::<1>(_mm256_castsi128_si256(low), high)
                    };
                    let (even, odd) = (pair(0), pair(1));
                    let (low, high) = (_mm256_unpacklo_epi64(even, odd), _mm256_unpackhi_epi64(even, odd));
                    let to = to.wrapping_offset(2 * half * i.dst);
                    // SAFETY: P1: four items side by side.
                    unsafe { _mm256_storeu_si256(to.cast(), low) };
                    // SAFETY: P1: four items of the next line.
                    unsafe { _mm256_storeu_si256(to.wrapping_offset(i.dst).cast(), high) };
                }
            }
        }
    }
}
