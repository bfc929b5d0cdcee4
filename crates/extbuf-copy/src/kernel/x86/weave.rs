//! The pattern of [`weave`](super::super::weave), run in registers of 64 bytes (AVX-512 with VBMI).

// Reads and writes through raw addresses.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m512i, _mm_sfence, _mm512_load_si512, _mm512_loadu_si512, _mm512_mask_mov_epi8,
    _mm512_mask_permutexvar_epi8, _mm512_mask_storeu_epi8, _mm512_maskz_loadu_epi8, _mm512_permutexvar_epi8,
    _mm512_setzero_si512, _mm512_storeu_si512,
};

use super::pen::Pen;
use crate::kernel::prefetch;
use crate::kernel::weave::{Arrangement, Block, Line, MOST_OUT, Masks, Pattern, Side};
use crate::plan::Loop;

/// Bytes of the staging area, over all planes.
const STAGE: usize = 8 << 10;

/// How far ahead of its use a line is asked for, in bytes. The processor follows a walk by itself only to the end of a page
/// of 4 KiB, and neither a destination that is written in part nor several sources at once as far as it should. Ratios to
/// the limit without asking, and with 512, 1024, 2048, 4096 bytes (DRAM, one thread): n x 3 bytes to planes 0.88, 0.99,
/// 1.02, 1.06, 1.02; reversed 8-byte items 0.86, 1.08, 1.10, 1.17, 1.00; every second 4-byte item 0.58, 0.71, 0.73, 0.71,
/// 0.64; and for the destination (not asked, 512, 1024, 2048) 4-byte items to every second place 0.37, 0.60, 0.57, 0.62.
pub(super) const AHEAD: isize = 2048;

/// From a place to the one that is asked for there.
#[derive(Clone, Copy, Default)]
struct Far {
    dst: isize,
    src: isize,
}

/// A weave being run: the pattern of its blocks, and the pens that stream them.
pub(crate) struct Loom<'p> {
    block: Block,
    blocks: usize,
    pattern: &'p Pattern,
    whole: Masks,
    /// Pixels after the last whole block, and their masks.
    rest: usize,
    last: Masks,
    /// Boxed, since they are large and only copies that are much larger have any.
    pens: Option<Box<[Pen; MOST_OUT]>>,
    /// What is asked for up to `near` blocks before the end of a run, and then: the start of the next.
    near: usize,
    far: [Far; 2],
}

impl<'p> Loom<'p> {
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    pub(crate) fn new(
        block: Block,
        (streams, asks): (bool, bool),
        next: Option<&Loop>,
        place: &'p mut Option<Pattern>,
    ) -> Loom<'p> {
        let (pattern, whole) = Pattern::new(&block, place);
        let Block { px, group, .. } = block;
        let rest = px.extent % group;
        let streams = streams && block.dense();
        let ask = |stride: isize| if asks { stride.signum() * AHEAD } else { 0 };
        let far = Far { src: ask(px.src), dst: if block.dense() { 0 } else { ask(px.dst) } };
        let length = px.extent as isize;
        let jump = |far: isize, stride: isize, next: isize| match far {
            0 => 0,
            _ => far.wrapping_add(next.wrapping_sub(length.wrapping_mul(stride))),
        };
        let then = next.map_or(far, |next| Far {
            src: jump(far.src, px.src, next.src),
            dst: jump(far.dst, px.dst, next.dst),
        });
        let near = AHEAD as usize / (group * px.src.unsigned_abs()).max(1);
        Loom {
            block,
            blocks: px.extent / group,
            pattern,
            whole,
            rest,
            last: if rest > 0 { whole.first(&block, rest) } else { whole },
            pens: streams.then(|| Box::new([Pen::new(); MOST_OUT])),
            near,
            far: [far, then],
        }
    }

    /// One run of the pixel loop.
    ///
    /// # Safety
    ///
    /// As for [`run`](crate::kernel::run), with the loops of the block.
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    pub(crate) unsafe fn run(&mut self, dst: *mut u8, src: *const u8) {
        if self.pens.is_some() {
            // SAFETY: the caller's contract.
            return unsafe { self.stream(dst, src) };
        }
        let Block { px, group, .. } = self.block;
        let (ahead, onwards) = (group as isize * px.dst, group as isize * px.src);
        let to = &self.pattern.to;
        let at = |done: usize| {
            let done = done as isize;
            ((dst.wrapping_offset(done * ahead), ahead), (src.wrapping_offset(done * onwards), onwards))
        };
        let early = self.blocks.saturating_sub(self.near);
        if early > 0 {
            let (dst, src) = at(0);
            // SAFETY: the caller's contract: whole blocks of the grid.
            unsafe { blocks(self.pattern, &self.whole, to, self.far[0], early, dst, src) };
        }
        let (dst, src) = at(early);
        // SAFETY: as above.
        unsafe { blocks(self.pattern, &self.whole, to, self.far[1], self.blocks - early, dst, src) };
        if self.rest > 0 {
            let (dst, src) = at(self.blocks);
            // SAFETY: the caller's contract: what is left of the grid.
            unsafe { blocks(self.pattern, &self.last, to, self.far[1], 1, dst, src) };
        }
    }

    /// The same past the cache: a few blocks at a time are woven into a place that stays in the first cache, and from
    /// there each plane goes its own way in whole lines.
    ///
    /// # Safety
    ///
    /// As for [`run`](Loom::run).
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    unsafe fn stream(&mut self, dst: *mut u8, src: *const u8) {
        let Some(pens) = &mut self.pens else { return };
        let Block { unit, px, ch, group, dst: side, outs, .. } = self.block;
        let (ahead, onwards) = (group as isize * px.dst, group as isize * px.src);
        // Bytes that one pixel has in each plane, or in the window.
        let (planes, bytes) = match side {
            Side::Planes => (outs, unit),
            Side::Window => (1, unit * ch.extent),
        };
        let room = STAGE / planes;
        let mut stage = [const { std::mem::MaybeUninit::<Line>::uninit() }; STAGE / 64];
        let stage = stage.as_mut_ptr().cast::<u8>();
        let mut to = self.pattern.to;
        if side == Side::Planes {
            for (plane, to) in to.iter_mut().enumerate() {
                *to = (plane * room) as isize;
            }
        }
        let chunk = (room / (group * bytes)).max(1);
        let mut done = 0;
        let all = self.blocks + usize::from(self.rest > 0);
        while done < all {
            let count = chunk.min(self.blocks - done);
            let at = done as isize * ahead;
            let far = self.far[usize::from(done + self.near >= self.blocks)];
            let from = src.wrapping_offset(done as isize * onwards);
            // SAFETY: the caller's contract for the source; the stage has room for so many blocks.
            unsafe { blocks(self.pattern, &self.whole, &to, far, count, (stage, ahead), (from, onwards)) };
            let mut pixels = count * group;
            done += count;
            if done == self.blocks && count < chunk && self.rest > 0 {
                let from = src.wrapping_offset(done as isize * onwards);
                let end = stage.wrapping_offset(count as isize * ahead);
                // SAFETY: as above, and for one block more.
                unsafe { blocks(self.pattern, &self.last, &to, far, 1, (end, 0), (from, 0)) };
                pixels += self.rest;
                done += 1;
            }
            for (plane, pen) in pens.iter_mut().enumerate().take(planes) {
                let dst = dst.wrapping_offset(at + self.pattern.to[plane]);
                // SAFETY: P1: the destination of these pixels; the stage holds them.
                unsafe { pen.write::<false>(dst, stage.wrapping_add(plane * room), pixels * bytes, 0) };
            }
        }
    }

    /// Writes what the pens still hold.
    ///
    /// # Safety
    ///
    /// As for the runs before.
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    pub(crate) unsafe fn finish(&mut self) {
        if let Some(pens) = &mut self.pens {
            for pen in pens.iter_mut() {
                // SAFETY: the caller's contract.
                unsafe { pen.lift() };
            }
            _mm_sfence();
        }
    }
}

/// Runs a pattern over `count` blocks, each so many bytes behind the one before.
///
/// # Safety
///
/// Each block of the pattern may be read and written there.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
unsafe fn blocks(
    pattern: &Pattern,
    masks: &Masks,
    to: &[isize; MOST_OUT],
    far: Far,
    count: usize,
    dst: (*mut u8, isize),
    src: (*const u8, isize),
) {
    const EACH: u8 = Arrangement::Each as u8;
    const BLEND: u8 = Arrangement::BlendFirst as u8;
    const PERMUTE: u8 = Arrangement::PermuteFirst as u8;
    macro_rules! arms {
        ($($arrangement:ident: $($ins:literal $outs:literal),*;)*) => {
            match (pattern.arrangement as u8, pattern.ins, pattern.outs) {
                $($(
                    // SAFETY: the caller's contract.
                    ($arrangement, $ins, $outs) => unsafe { weave::<$ins, $outs, $arrangement>(pattern, masks, to, far, count, dst, src) },
                )*)*
                $($(
                    // SAFETY: the caller's contract.
                    ($arrangement, $ins, _) => unsafe { weave::<$ins, 0, $arrangement>(pattern, masks, to, far, count, dst, src) },
                )*)*
                _ => unreachable!("a block of so many registers"),
            }
        };
    }
    #[allow(unreachable_patterns, reason = "the second arms of a number of registers")]
    {
        arms! {
            EACH: 1 1, 2 1, 3 1, 4 1, 5 1, 6 1, 7 1, 8 1, 2 2, 4 4;
            BLEND: 3 1, 3 3, 5 1, 7 1;
            PERMUTE: 3 3, 5 5, 7 7;
        }
    }
}

/// The same for a number of registers; `OUTS` of 0 is any.
///
/// # Safety
///
/// As for [`blocks`].
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
#[inline]
unsafe fn weave<const INS: usize, const OUTS: usize, const ARRANGEMENT: u8>(
    pattern: &Pattern,
    masks: &Masks,
    to: &[isize; MOST_OUT],
    far: Far,
    count: usize,
    (mut dst, ahead): (*mut u8, isize),
    (mut src, onwards): (*const u8, isize),
) {
    let outs = if OUTS == 0 { pattern.outs } else { OUTS };
    let (takes, places) = (&pattern.takes[..outs * INS], &pattern.places[..outs.max(INS)]);
    let (reads, from) = (&masks.reads[..INS], &pattern.from[..INS]);
    let (writes, to) = (&masks.writes[..outs], &to[..outs]);
    let full = reads.iter().chain(writes).all(|&mask| mask == u64::MAX);
    let mut left = count;
    if INS == 1 && OUTS == 1 {
        // One load, one permutation, one store: four blocks at a time, or the loop costs more than they do.
        let (from, to, places) = (from[0], to[0], line(&places[0]));
        while left >= 4 {
            if far.src != 0 {
                for k in 0..4 {
                    prefetch(src.wrapping_offset(from + k * onwards).wrapping_offset(far.src));
                }
            }
            if far.dst != 0 {
                for k in 0..4 {
                    prefetch(dst.wrapping_offset(to + k * ahead).wrapping_offset(far.dst));
                }
            }
            let at = |k: isize| src.wrapping_offset(from + k * onwards);
            // SAFETY: P1: the bytes of the mask are items of the first block; no other is read.
            let a = unsafe { _mm512_maskz_loadu_epi8(reads[0], at(0).cast()) };
            // SAFETY: P1: the same of the second.
            let b = unsafe { _mm512_maskz_loadu_epi8(reads[0], at(1).cast()) };
            // SAFETY: P1: the same of the third.
            let c = unsafe { _mm512_maskz_loadu_epi8(reads[0], at(2).cast()) };
            // SAFETY: P1: the same of the fourth.
            let d = unsafe { _mm512_maskz_loadu_epi8(reads[0], at(3).cast()) };
            let at = |k: isize| dst.wrapping_offset(to + k * ahead);
            let (a, b) = (_mm512_permutexvar_epi8(places, a), _mm512_permutexvar_epi8(places, b));
            let (c, d) = (_mm512_permutexvar_epi8(places, c), _mm512_permutexvar_epi8(places, d));
            // SAFETY: P1: the bytes of the mask are items of the first block; no other is written.
            unsafe { _mm512_mask_storeu_epi8(at(0).cast(), writes[0], a) };
            // SAFETY: P1: the same of the second.
            unsafe { _mm512_mask_storeu_epi8(at(1).cast(), writes[0], b) };
            // SAFETY: P1: the same of the third.
            unsafe { _mm512_mask_storeu_epi8(at(2).cast(), writes[0], c) };
            // SAFETY: P1: the same of the fourth.
            unsafe { _mm512_mask_storeu_epi8(at(3).cast(), writes[0], d) };
            (dst, src) = (dst.wrapping_offset(4 * ahead), src.wrapping_offset(4 * onwards));
            left -= 4;
        }
    }
    for _ in 0..left {
        if far.src != 0 {
            for &from in from {
                prefetch(src.wrapping_offset(from.wrapping_add(far.src)));
            }
        }
        if far.dst != 0 {
            for &to in to {
                prefetch(dst.wrapping_offset(to.wrapping_add(far.dst)));
            }
        }
        let mut taken = [_mm512_setzero_si512(); INS];
        for (i, register) in taken.iter_mut().enumerate() {
            let at = src.wrapping_offset(from[i]);
            *register = if full {
                // SAFETY: P1: all 64 bytes are items of this block.
                unsafe { _mm512_loadu_si512(at.cast()) }
            } else {
                // SAFETY: P1: the bytes of the mask are items of this block; no other is read.
                unsafe { _mm512_maskz_loadu_epi8(reads[i], at.cast()) }
            };
        }
        if ARRANGEMENT == Arrangement::PermuteFirst as u8 {
            for (i, register) in taken.iter_mut().enumerate() {
                *register = _mm512_permutexvar_epi8(line(&places[i]), *register);
            }
        }
        for o in 0..outs {
            let made = if ARRANGEMENT == Arrangement::Each as u8 {
                let mut made = _mm512_permutexvar_epi8(line(&places[o]), taken[0]);
                for (i, &register) in taken.iter().enumerate().skip(1) {
                    made = _mm512_mask_permutexvar_epi8(made, takes[o * INS + i], line(&places[o]), register);
                }
                made
            } else {
                let mut made = taken[0];
                for (i, &register) in taken.iter().enumerate().skip(1) {
                    made = _mm512_mask_mov_epi8(made, takes[o * INS + i], register);
                }
                if ARRANGEMENT == Arrangement::BlendFirst as u8 {
                    made = _mm512_permutexvar_epi8(line(&places[o]), made);
                }
                made
            };
            let at = dst.wrapping_offset(to[o]);
            if full {
                // SAFETY: P1: all 64 bytes are items of this block.
                unsafe { _mm512_storeu_si512(at.cast(), made) };
            } else {
                // SAFETY: P1: the bytes of the mask are items of this block; no other is written.
                unsafe { _mm512_mask_storeu_epi8(at.cast(), writes[o], made) };
            }
        }
        dst = dst.wrapping_offset(ahead);
        src = src.wrapping_offset(onwards);
    }
}

#[target_feature(enable = "avx512f")]
#[inline]
fn line(places: &Line) -> __m512i {
    // SAFETY: 64 bytes, aligned to as many.
    unsafe { _mm512_load_si512(places.0.as_ptr().cast()) }
}
