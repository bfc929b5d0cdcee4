//! Two to four channels, pulled apart, put side by side, or in the other order.
//!
//! The common pictures, for which [`weave`](super::weave) has a form too: this one prepares nothing, and is the faster one
//! as long as nothing is written past the cache (224 x 224 pixels to 2 planes, items of 1 and of 4 bytes: 0.80 and 0.75 of
//! `memcpy` by 16-byte registers, 0.35 and 0.34 by 64-byte ones, whose pattern is worked out for each copy).

// Pixels are read and written through raw addresses.
#![allow(unsafe_code)]

use super::{Grid, Level, items};
use crate::plan::Loop;

/// Bytes of the registers that pixels are moved in.
const REGISTER: isize = 16;

const LINE: isize = 64;

/// Bytes of a row, in one plane, from which on it is written past the cache straight from registers.
const LONG: isize = 4096;

/// The pixels, which follow one another on the side or sides where channels lie next to each other, and the channels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Channels {
    level: Level,
    unit: usize,
    kind: Kind,
    px: Loop,
    ch: Loop,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// From pixels to a plane for each channel.
    Pull,
    /// From a plane for each channel to pixels.
    Put,
    /// From pixels to pixels, the last channel first.
    Exchange,
}

impl Channels {
    /// For these loops, where they are channels that this level moves faster than one by one.
    pub(crate) fn new(level: Level, unit: usize, px: Loop, ch: Loop) -> Option<Channels> {
        if !matches!(ch.extent, 2..=4) || !matches!(unit, 1 | 2 | 4 | 8 | 16) {
            return None;
        }
        let n = unit as isize;
        let pixel = n * ch.extent as isize;
        let kind = match (px.dst, ch.dst, px.src, ch.src) {
            (dst, _, src, beside) if dst == n && src == pixel && beside == n => Kind::Pull,
            (dst, beside, src, _) if dst == pixel && beside == n && src == n => Kind::Put,
            (dst, beside, src, back) if dst == pixel && beside == n && src == pixel && back == -n => {
                Kind::Exchange
            }
            _ => return None,
        };
        let form = level >= Level::Avx2 || kind == Kind::Put && matches!(unit, 2 | 4 | 8);
        form.then_some(Channels { level, unit, kind, px, ch })
    }

    pub(super) fn level(&self) -> Level {
        self.level
    }

    pub(super) fn pixels(&self) -> usize {
        self.px.extent
    }

    /// Bytes of a pixel.
    pub(super) fn bytes(&self) -> usize {
        self.unit * self.ch.extent
    }

    /// Whether planes are put together, in rows that are long enough to go past the cache straight from registers.
    pub(super) fn puts_long(&self) -> bool {
        self.kind == Kind::Put && self.px.dst * self.px.extent as isize >= LONG
    }

    /// Planes of the destination, of which pixels are one.
    pub(super) fn planes(&self) -> usize {
        if self.kind == Kind::Pull { self.ch.extent } else { 1 }
    }

    /// So many pixels from `start` on, to a place where planes lie `room` bytes from one another; and where they begin in
    /// the source.
    pub(super) fn some(
        &self,
        start: usize,
        count: usize,
        room: usize,
        src: *const u8,
    ) -> (Channels, *const u8) {
        let px = Loop { extent: count, ..self.px };
        let ch = Loop { dst: if self.kind == Kind::Pull { room as isize } else { self.ch.dst }, ..self.ch };
        (Channels { px, ch, ..*self }, src.wrapping_offset(start as isize * px.src))
    }

    /// Where pixel `start` lies in a plane of the destination.
    pub(super) fn plane(&self, plane: usize, start: usize, dst: *mut u8) -> *mut u8 {
        dst.wrapping_offset(start as isize * self.px.dst).wrapping_offset(plane as isize * self.ch.dst)
    }

    /// All pixels, past the cache and straight from registers. Answers whether they were moved: planes have to begin alike in
    /// registers, or pixels to reach the beginning of one at some time; and rows are long, since the lines at their ends are
    /// written by halves. The caller fences.
    ///
    /// # Safety
    ///
    /// As for [`Channels::run`].
    pub(super) unsafe fn stream(&self, dst: *mut u8, src: *const u8) -> bool {
        let &Channels { level, kind, px, ch, .. } = self;
        // Bytes to whose multiples what is written is brought.
        let whole = if kind == Kind::Pull { LINE } else { REGISTER };
        let apart = kind == Kind::Pull && ch.dst % whole != 0;
        if level < Level::Avx2 || apart || self.px.dst * (self.px.extent as isize) < LONG {
            return false;
        }
        let reaches = |k: &isize| (dst.addr() as isize).wrapping_add(k * px.dst) % whole == 0;
        let Some(first) = (0..whole).find(reaches) else { return false };
        let first = first as usize;
        let before = Channels { px: Loop { extent: first, ..px }, ..*self };
        // SAFETY: the first of the caller's pixels, of which there are more.
        unsafe { before.go(dst, src, false) };
        let after = Channels { px: Loop { extent: px.extent - first, ..px }, ..*self };
        let first = first as isize;
        let (dst, src) = (dst.wrapping_offset(first * px.dst), src.wrapping_offset(first * px.src));
        // SAFETY: the others, which begin at a whole register in each plane.
        unsafe { after.go(dst, src, true) };
        true
    }

    /// All pixels, from two addresses.
    ///
    /// # Safety
    ///
    /// As for [`run`](super::run), with these loops; the machine has the level.
    pub(super) unsafe fn run(&self, dst: *mut u8, src: *const u8) {
        // SAFETY: the caller's contract.
        unsafe { self.go(dst, src, false) };
    }

    /// # Safety
    ///
    /// As for [`Channels::run`]; what `streams` begins at a whole register in each plane, and the level has a form.
    unsafe fn go(&self, dst: *mut u8, src: *const u8, streams: bool) {
        let &Channels { level, unit, kind, px, ch } = self;
        // Where the first channel's plane begins, or the first byte of the first pixel, and what lies between two planes.
        let (to, from) = match kind {
            Kind::Pull => ((dst, ch.dst), (src, 0)),
            Kind::Put => ((dst, 0), (src, ch.src)),
            Kind::Exchange => ((dst, 0), (src.wrapping_offset(ch.src * (ch.extent as isize - 1)), 0)),
        };
        #[cfg(target_arch = "x86_64")]
        let vectors = level >= Level::Avx2;
        #[cfg(not(target_arch = "x86_64"))]
        let vectors = false;
        // Only the vector forms ask for them.
        let _ = (level, to, streams);
        let moved = if vectors {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the caller's contract: the loops are of this kind, and the machine has AVX2.
            unsafe {
                super::x86::channels::blocks(kind, unit, ch.extent, to, from, px.extent, streams)
            }
            #[cfg(not(target_arch = "x86_64"))]
            0
        } else {
            // SAFETY: the caller's contract: without vectors the kind is `Put`.
            unsafe { put_all(unit, ch.extent, dst, from, px.extent) }
        };
        let rest = Loop { extent: px.extent - moved, ..px };
        let (to, from) =
            (dst.wrapping_offset(moved as isize * px.dst), src.wrapping_offset(moved as isize * px.src));
        let grid = Grid { i: rest, j: ch };
        match unit {
            // SAFETY: the caller's contract, for the pixels that are left.
            1 => unsafe { items::items::<1>(grid, to, from) },
            // SAFETY: as above.
            2 => unsafe { items::items::<2>(grid, to, from) },
            // SAFETY: as above.
            4 => unsafe { items::items::<4>(grid, to, from) },
            // SAFETY: as above.
            8 => unsafe { items::items::<8>(grid, to, from) },
            // SAFETY: as above.
            _ => unsafe { items::items::<16>(grid, to, from) },
        }
    }
}

/// Puts channels side by side; answers with the pixels moved.
///
/// # Safety
///
/// As for [`put`], with units of 2, 4 or 8 bytes and 2 to 4 channels.
unsafe fn put_all(
    unit: usize,
    channels: usize,
    dst: *mut u8,
    src: (*const u8, isize),
    pixels: usize,
) -> usize {
    macro_rules! counted {
        ($($item:ty, $n:literal: $($c:literal)*;)*) => {
            match (unit, channels) {
                $($(
                    // SAFETY: the caller's contract.
                    ($n, $c) => unsafe { put::<$item, $c, { 64 / $n }, { $c * 64 / $n }>(dst, src, pixels) },
                )*)*
                _ => 0,
            }
        };
    }
    counted! {
        u16, 2: 2 3 4;
        u32, 4: 2 3 4;
        u64, 8: 2 3 4;
    }
}

/// `dst[p*C + c] = planes[c][p]`, `G` pixels at a time; `GC` is `G * C`. Written so that the compiler makes shuffles of it:
/// rows are loaded whole, their items change places in an array that never leaves the registers. The same for the other
/// way gained nothing, nor for the other order of channels. Answers with the pixels moved.
///
/// # Safety
///
/// So many items may be read in each plane, `step` bytes from one to the next, and written at `dst`; alignment is 1
/// everywhere.
unsafe fn put<T: Copy + Default, const C: usize, const G: usize, const GC: usize>(
    dst: *mut u8,
    (src, step): (*const u8, isize),
    pixels: usize,
) -> usize {
    let mut p = 0;
    while p + G <= pixels {
        let mut items = [T::default(); GC];
        for c in 0..C {
            let plane = src.wrapping_offset(c as isize * step).cast::<T>();
            // SAFETY: the caller's contract: `G` items of this plane from `p` on.
            let row = unsafe { plane.wrapping_add(p).cast::<[T; G]>().read_unaligned() };
            for (k, item) in row.into_iter().enumerate() {
                items[k * C + c] = item;
            }
        }
        // SAFETY: the caller's contract: `G` pixels from `p` on.
        unsafe { dst.cast::<T>().wrapping_add(p * C).cast::<[T; GC]>().write_unaligned(items) };
        p += G;
    }
    p
}
