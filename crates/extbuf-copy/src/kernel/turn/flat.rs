//! One loop along either side, written through the cache: what a matrix is that fits one.
//!
//! No table and no chain: rows are equally far apart on both sides. Tiles that would reach over an end begin earlier and
//! write some lines, or parts of them, a second time.
//!
//! Inside the first cache tiles are walked as they come. Beyond it a column of tiles is walked along the rows of the
//! destination, so that each of these is written onwards, and its lines are asked for, to be written, two tiles before.
//! Beyond the second cache the column is two lines wide, since the processor fetches lines from there in pairs. What was
//! measured, as ratios to `memcpy`, one thread, lines of the source read whole (2 cores of a virtual Xeon, L1 48 KiB, L2
//! 2 MiB, large pages; the sizes are squares):
//!
//! | order | f32 256 | f64 128 | f32 512 | f64 300 | f32 1001 | f32 1024 | f64 1024 |
//! |---|---|---|---|---|---|---|---|
//! | along the rows of the source | 0.67 | 0.65 | | | 0.59 | 0.52 | 0.54 |
//! | the same, destination asked for | 0.57 | 0.60 | | | 0.47 | 0.56 | 0.60 |
//! | along the rows of the destination | 0.74 | 0.80 | 0.70 | 0.46 | 0.49 | 0.52 | 0.57 |
//! | the same, asked for one tile before | 0.73 | 0.79 | 0.75 | 0.97 | 0.75 | 0.57 | 0.64 |
//! | two tiles before | 0.73 | 0.84 | 0.76 | 0.96 | 0.75 | 0.60 | 0.65 |
//! | four tiles before | 0.72 | 0.83 | 0.75 | 0.89 | 0.71 | 0.57 | 0.67 |
//! | two tiles before, source asked for too | 0.65 | 0.75 | 0.62 | 0.96 | 0.74 | 0.54 | 0.64 |
//! | two tiles before, two lines wide | 0.75 | 0.91 | 0.61 | 0.92 | 0.98 | 0.73 | 0.87 |
//! | two tiles before, four lines wide | 0.55 | 0.82 | 0.65 | 0.97 | 0.99 | 0.73 | 0.78 |

// Tiles are read and written through raw addresses.
#![allow(unsafe_code)]

use super::form::{Evenly, Form};
use super::{Caches, Level, ask_to_write};
use crate::plan::Loop;

/// How far ahead lines of the destination are asked for, in bytes.
const AHEAD: usize = 128;

/// Two loops, and the order in which their tiles are walked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flat {
    i: Loop,
    j: Loop,
    /// Items along `i` in a column of tiles.
    wide: usize,
    /// Whether lines of the destination are asked for before they are written.
    asks: bool,
    /// All of it lies in the first cache.
    pub(super) near: bool,
}

impl Flat {
    /// Along `i` the source is dense, along `j` the destination; the whole copy moves so many bytes. `None` where either loop
    /// does not fill a line.
    pub(super) fn new(unit: usize, i: Loop, j: Loop, bytes: usize, level: Level) -> Option<Flat> {
        let line = 64 / unit;
        if i.extent < line || j.extent < line {
            return None;
        }
        let Caches { l1, l2, .. } = *Caches::get();
        let near = bytes <= l1 / 2;
        let wide = if near {
            i.extent
        } else if bytes <= l2 / 2 {
            line
        } else {
            2 * line
        };
        // Every processor with AVX2 knows the instruction, or passes over it.
        Some(Flat { i, j, wide, asks: !near && level >= Level::Avx2, near })
    }

    /// `dst[i*D + j*N ..][..N] = src[i*N + j*S ..][..N]` for all `i` and `j`.
    ///
    /// # Safety
    ///
    /// The places of all these items from these two addresses may be written and read (P1), and none is both; the machine
    /// has the level of the form.
    #[inline(always)]
    pub(super) unsafe fn run<F: Form<N>, const N: usize>(&self, dst: *mut u8, src: *const u8) {
        let Flat { i: Loop { extent: height, dst: far, .. }, j, wide, asks, .. } = *self;
        debug_assert!(height >= F::ITEMS && j.extent >= F::ROWS);
        let mut start = 0;
        while start < height {
            let end = height.min(start + wide);
            let mut across = 0;
            while across < j.extent {
                let at = across.min(j.extent - F::ROWS);
                let rows =
                    Evenly { first: src.wrapping_offset(j.src.wrapping_mul(at as isize)), step: j.src };
                let to = dst.wrapping_add(at * N);
                let mut i = start;
                while i < end {
                    let first = i.min(height - F::ITEMS);
                    let to = to.wrapping_offset(far.wrapping_mul(first as isize));
                    if asks {
                        for m in 0..F::ITEMS {
                            ask_to_write(
                                to.wrapping_offset(far.wrapping_mul(m as isize)).wrapping_add(AHEAD),
                            );
                        }
                    }
                    // SAFETY: P1: `ITEMS` items lie side by side in each of these rows.
                    let lines = unsafe { F::turn(&rows, (first * N) as isize) };
                    #[allow(clippy::needless_range_loop, reason = "iterators kept the lines in memory")]
                    for m in 0..F::ITEMS {
                        // SAFETY: P1: the items of `ROWS` rows lie side by side in the destination.
                        unsafe { F::store(lines[m], to.wrapping_offset(far.wrapping_mul(m as isize))) };
                    }
                    i += F::ITEMS;
                }
                across += F::ROWS;
            }
            start = end;
        }
    }
}
