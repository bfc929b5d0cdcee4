//! Runs of bytes in registers of 64 (AVX-512).
//!
//! The C library copies long runs by an instruction of its own that some processors slow down on wherever the two sides
//! are not aligned alike, as rows cut out of a picture are not, and does not write past the cache before a size that has
//! nothing to do with this machine's. So rows are moved here.

// Reads and writes through raw addresses.
#![allow(unsafe_code)]

use std::arch::x86_64::{__m512i, _mm_sfence, _mm512_loadu_si512, _mm512_storeu_si512, _mm512_stream_si512};

use super::pen::{LINE, Pen, load_four};
use super::weave::AHEAD;
use crate::kernel::small::twice;
use crate::kernel::{Grid, ONCE, prefetch};

/// Rows that neither end where the next begins nor are as long as this are not streamed: too many of their lines are
/// shared with bytes of others.
const LONG: usize = 512;

/// Runs of this length are left to the C library where they are written through the cache: there it is as fast, or faster
/// (8 MB on an AMD Zen 4: 70 GB/s, by stores of 64 bytes 37).
const VERY_LONG: usize = 64 << 10;

/// Where rows are written, and with what.
pub(crate) struct Rows {
    pen: Option<Pen>,
    unit: usize,
    ask: bool,
}

impl Rows {
    /// For rows of `unit` bytes; `joined` where one often begins where another ends.
    #[target_feature(enable = "avx512f,avx512bw")]
    pub(crate) fn new(unit: usize, joined: bool, (streams, ask): (bool, bool)) -> Rows {
        let streams = streams && (joined || unit >= LONG);
        Rows { pen: streams.then(|| Pen::new()), unit, ask }
    }

    /// `dst[i*D0 + j*D1 ..][..unit] = src[i*S0 + j*S1 ..][..unit]`
    ///
    /// # Safety
    ///
    /// As for [`run`](crate::kernel::run).
    #[target_feature(enable = "avx512f,avx512bw")]
    pub(crate) unsafe fn grid(&mut self, grid: Grid, dst: *mut u8, src: *const u8) {
        // Where a part has one step of the inner loop, the next row is that of the other: 704 bytes at a time that lie 4 MB
        // apart by the inner loop were asked for in the wrong place, and took 1.5 times as long.
        let Grid { i, j } = if grid.j.extent == 1 { Grid { i: ONCE, j: grid.i } } else { grid };
        for row in 0..i.extent as isize {
            let (mut to, mut from) = (dst.wrapping_offset(row * i.dst), src.wrapping_offset(row * i.src));
            let line = (0..j.extent).map(|_| {
                let this = (to, from);
                (to, from) = (to.wrapping_offset(j.dst), from.wrapping_offset(j.src));
                (this.0, this.1, from)
            });
            // SAFETY: P1 for the rows of the caller's grid.
            unsafe { self.each(line) };
        }
    }

    /// `dst[..unit] = src[..unit]` from each of these addresses, the last of which is followed by `next`.
    ///
    /// # Safety
    ///
    /// As for [`run`](crate::kernel::run).
    #[target_feature(enable = "avx512f,avx512bw")]
    pub(crate) unsafe fn list(&mut self, begins: &[(*mut u8, *const u8)], next: *const u8) {
        let nexts = begins.iter().skip(1).map(|&(_, src)| src).chain(Some(next));
        let rows = begins.iter().zip(nexts).map(|(&(dst, src), next)| (dst, src, next));
        // SAFETY: the caller's contract.
        unsafe { self.each(rows) };
    }

    /// `dst[..unit] = src[..unit]` for each `(dst, src, next)`; the row at `next` will be read after this.
    ///
    /// # Safety
    ///
    /// As for [`run`](crate::kernel::run).
    #[target_feature(enable = "avx512f,avx512bw")]
    #[inline]
    pub(crate) unsafe fn each(&mut self, rows: impl Iterator<Item = (*mut u8, *const u8, *const u8)>) {
        let unit = self.unit;
        // The pen in a place of its own, so that it stays in registers.
        match (self.pen, unit <= LINE) {
            (Some(mut pen), true) => {
                for (dst, src, _) in rows {
                    if unit == LINE && pen.is_up() && dst.addr().is_multiple_of(LINE) {
                        // SAFETY: P1: a row of 64 bytes is read.
                        let line = unsafe { _mm512_loadu_si512(src.cast()) };
                        // SAFETY: P1: and written, to where a line begins.
                        unsafe { _mm512_stream_si512(dst.cast(), line) };
                    } else {
                        // SAFETY: the caller's contract.
                        unsafe { pen.short(dst, src, unit) };
                    }
                }
                self.pen = Some(pen);
            }
            (Some(mut pen), false) => {
                for (dst, src, next) in rows {
                    // SAFETY: the caller's contract.
                    unsafe { long(&mut pen, dst, src, next, unit) };
                }
                self.pen = Some(pen);
            }
            (None, true) => {
                // By two moves, and not by a masked one of 64 bytes, which touches the next line too: a million rows of 20
                // bytes behind pointers took 1.3 times as long as by `memcpy` one by one, now 1.05 times.
                macro_rules! sized {
                    ($($n:literal)*) => {
                        match unit.div_ceil(2).next_power_of_two() {
                            $($n => {
                                for (dst, src, _) in rows {
                                    // SAFETY: P1: reads and writes the row, of `N` to `2 * N` bytes.
                                    unsafe { twice::<$n>(dst, src, unit) };
                                }
                            })*
                            _ => unreachable!("no more than a line"),
                        }
                    };
                }
                sized! { 1 2 4 8 16 32 }
            }
            (None, false) => {
                for (dst, src, next) in rows {
                    if self.ask {
                        prefetch(next);
                    }
                    // SAFETY: the caller's contract.
                    unsafe { ordinary(dst, src, unit) };
                }
            }
        }
    }

    /// Writes what is held back.
    ///
    /// # Safety
    ///
    /// As for the rows before.
    #[target_feature(enable = "avx512f,avx512bw")]
    pub(crate) unsafe fn finish(&mut self) {
        if let Some(pen) = &mut self.pen {
            // SAFETY: the caller's contract.
            unsafe { pen.lift() };
            _mm_sfence();
        }
    }
}

/// `dst[i*D0 + j*D1 ..][..unit] = src[i*S0 + j*S1 ..][..unit]`, by ordinary stores.
///
/// # Safety
///
/// As for [`run`](crate::kernel::run).
#[target_feature(enable = "avx512f,avx512bw")]
pub(crate) unsafe fn grid(unit: usize, grid: Grid, dst: *mut u8, src: *const u8) {
    // SAFETY: the caller's contract.
    unsafe { Rows { pen: None, unit, ask: false }.grid(grid, dst, src) }
}

/// One row by a pen.
///
/// # Safety
///
/// As for [`run`](crate::kernel::run).
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
unsafe fn long(pen: &mut Pen, dst: *mut u8, src: *const u8, next: *const u8, unit: usize) {
    // Rows on from this that are asked for meanwhile, and bytes into the last of them.
    let step = (next.addr() as isize).wrapping_sub(src.addr() as isize);
    let ahead = AHEAD as usize;
    if unit < ahead / 4 {
        let rows = (ahead / unit) as isize;
        // SAFETY: the caller's contract.
        unsafe { pen.write::<true>(dst, src, unit, step.wrapping_mul(rows)) };
        return;
    }
    let (rows, rest) = ((ahead / unit) as isize, ahead % unit);
    let early = step.wrapping_mul(rows).wrapping_add(rest as isize);
    let late = early.wrapping_add(step).wrapping_sub(unit as isize);
    // SAFETY: the caller's contract, for the beginning of the row.
    unsafe { pen.write::<true>(dst, src, unit - rest, early) };
    let (dst, src) = (dst.wrapping_add(unit - rest), src.wrapping_add(unit - rest));
    // SAFETY: the same for its end.
    unsafe { pen.write::<true>(dst, src, rest, late) };
}

/// `dst[..count] = src[..count]` by ordinary stores.
///
/// # Safety
///
/// The bytes at both places, more than 64, are good to read and to write (P1) and do not overlap.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
pub(crate) unsafe fn ordinary(dst: *mut u8, src: *const u8, count: usize) {
    if count >= VERY_LONG {
        // SAFETY: the caller's contract.
        return unsafe { dst.copy_from_nonoverlapping(src, count) };
    }
    let last = count - LINE;
    // SAFETY: P1: the last 64 bytes of more than 64.
    let end = unsafe { _mm512_loadu_si512(src.wrapping_add(last).cast()) };
    // SAFETY: P1: the first 64 bytes of more than 64.
    let start = unsafe { _mm512_loadu_si512(src.cast()) };
    // SAFETY: P1: as above.
    unsafe { _mm512_storeu_si512(dst.cast(), start) };
    // On from where the destination is aligned, where that pays.
    let mut at = if count >= 8 * LINE { LINE - dst.addr() % LINE } else { LINE };
    while at + 4 * LINE <= last {
        let (to, from) = (dst.wrapping_add(at), src.wrapping_add(at));
        // SAFETY: P1: inside the `count` bytes at `src`, with a line to spare.
        let four = unsafe { load_four(from) };
        // SAFETY: P1: inside the `count` bytes at `dst`.
        unsafe { store_four(to, four) };
        at += 4 * LINE;
    }
    while at < last {
        // SAFETY: P1: inside the `count` bytes at `src`, since more than 64 are left.
        let line = unsafe { _mm512_loadu_si512(src.wrapping_add(at).cast()) };
        // SAFETY: P1: inside the `count` bytes at `dst`.
        unsafe { _mm512_storeu_si512(dst.wrapping_add(at).cast(), line) };
        at += LINE;
    }
    // SAFETY: P1: the last 64 bytes.
    unsafe { _mm512_storeu_si512(dst.wrapping_add(last).cast(), end) };
}

/// # Safety
///
/// 256 bytes are good to write there (P1).
#[target_feature(enable = "avx512f")]
#[inline]
unsafe fn store_four(dst: *mut u8, [a, b, c, d]: [__m512i; 4]) {
    // SAFETY: P1: the first 64 bytes.
    unsafe { _mm512_storeu_si512(dst.cast(), a) };
    // SAFETY: P1: the second 64 bytes.
    unsafe { _mm512_storeu_si512(dst.wrapping_add(LINE).cast(), b) };
    // SAFETY: P1: the third 64 bytes.
    unsafe { _mm512_storeu_si512(dst.wrapping_add(2 * LINE).cast(), c) };
    // SAFETY: P1: the last 64 bytes.
    unsafe { _mm512_storeu_si512(dst.wrapping_add(3 * LINE).cast(), d) };
}
