//! Any kernel past the cache: a little at a time goes to a place that stays in the first cache, and on from there in whole
//! lines.
//!
//! The kernels themselves write as they like, items one by one if need be; what they write is read back from the nearest
//! cache, which costs little beside the memory that the lines go to. Long runs of bytes need no such place and go there at
//! once, and so do long lines of items that a register can put in order. The latter serves every machine with AVX2, all else those
//! without AVX-512: it is how they write past the cache what is no transpose.

// Hands raw addresses on.
#![allow(unsafe_code)]

use std::arch::x86_64::_mm_sfence;
use std::mem::MaybeUninit;

use super::nib::Nib;
use super::{gather, mirror};
use crate::kernel::{self, Channels, Grid, Level, Manner, ONCE, prefetch};
use crate::plan::{Kernel, Loop};

/// Bytes of the place, over all planes.
const STAGE: usize = 8 << 10;

/// Rows that do not end where the next begins are written past the cache only from this length on: too many lines of
/// shorter ones are shared with bytes of others.
const LONG: usize = 512;

/// Runs of this length go where they belong at once, if they follow one another, or if one alone is known. By way of the
/// place in between runs of 192 bytes got 4.4 GB/s for 10.5 so (a tensor of six axes, AMD Zen 3), runs of 128 bytes 4.6 for
/// 3.1, and runs of 64 bytes 4.4 for 3.0; to ask for those gained nothing.
const SOME: usize = 160;

/// How many bytes of rows before their time their lines are asked for.
const AHEAD: usize = 2048;

const LINE: usize = 64;

#[repr(align(64))]
struct Stage([MaybeUninit<u8>; STAGE]);

/// The innermost loops of a plan, and the lines that are not full yet.
pub(crate) struct Staged {
    work: Work,
    /// One for each plane.
    nibs: [Nib; 4],
}

/// What is written to the place in between.
enum Work {
    /// Nothing: rows of so many bytes go where they belong.
    Rows { unit: usize, grid: Grid },
    /// Nothing: rows in the other order go where they belong.
    Mirror { unit: usize, grid: Grid },
    /// Nothing: items in rows go where they belong.
    Gather { unit: usize, grid: Grid },
    /// Nothing, and not past the cache: items that lie apart are asked for.
    Apart { unit: usize, grid: Grid },
    /// Stretches of the innermost loop, row by row.
    Lines { kernel: Kernel, manner: Manner, unit: usize, grid: Grid },
    /// Some rows, which follow one another.
    Blocks { kernel: Kernel, manner: Manner, unit: usize, grid: Grid },
    /// Pixels, to as many planes as there are, or to one.
    Pixels(Channels),
}

impl Staged {
    /// For long lines of items in another order or at any step, which are read and written straight away.
    pub(crate) fn straight(manner: Manner, unit: usize, i: Loop, j: Loop) -> Option<Staged> {
        if !manner.streams || manner.level < Level::Avx2 || unit * j.extent < STAGE / 2 {
            return None;
        }
        let grid = Grid { i, j };
        let work = if mirror::is_mirror(unit, grid) {
            Work::Mirror { unit, grid }
        } else if j.dst == unit as isize && j.src != j.dst && matches!(unit, 4 | 8 | 16) {
            Work::Gather { unit, grid }
        } else {
            return None;
        };
        Some(Staged { work, nibs: [Nib::new(manner.level); 4] })
    }

    /// For these loops, where they write densely enough.
    pub(crate) fn new(kernel: Kernel, manner: Manner, unit: usize, i: Loop, j: Loop) -> Option<Staged> {
        if !manner.streams || manner.level < Level::Simd128 || manner.level >= Level::Avx512 {
            return None;
        }
        let grid = Grid { i, j };
        let row = unit * j.extent;
        let dense = j.dst == unit as isize || j.extent == 1;
        let joined = dense && (i.extent == 1 || i.dst == row as isize);
        let work = match kernel {
            Kernel::Run if unit >= LONG || unit >= SOME && dense => Work::Rows { unit, grid },
            // One short run at a time leaves nothing to bring together.
            Kernel::Run if grid == ALONE => return None,
            Kernel::Run | Kernel::Items | Kernel::Fill if row >= STAGE / 2 && dense => {
                Work::Lines { kernel, manner, unit, grid }
            }
            Kernel::Run | Kernel::Items | Kernel::Fill if joined => {
                Work::Blocks { kernel, manner, unit, grid }
            }
            Kernel::Run | Kernel::Items | Kernel::Fill if row >= LONG && dense => {
                Work::Lines { kernel, manner, unit, grid }
            }
            Kernel::Items
                if !dense
                    && manner.level >= Level::Avx2
                    && matches!(unit, 1 | 2 | 4 | 8 | 16)
                    && j.extent >= LONG =>
            {
                Work::Apart { unit, grid }
            }
            _ => return None,
        };
        Some(Staged { work, nibs: [Nib::new(manner.level); 4] })
    }

    /// For channels.
    pub(crate) fn pixels(channels: Channels) -> Staged {
        Staged { work: Work::Pixels(channels), nibs: [Nib::new(channels.level()); 4] }
    }

    /// All of the loops, from two addresses.
    ///
    /// # Safety
    ///
    /// As for [`run`](kernel::run), with these loops; the machine has the level.
    pub(crate) unsafe fn run(&mut self, dst: *mut u8, src: *const u8) {
        let [nib, ..] = &mut self.nibs;
        match self.work {
            Work::Rows { unit, grid: Grid { i, j } } => {
                // Rows that are not the next in memory nobody foresees: some are asked for before their time.
                let early = if j.src == unit as isize || (i.extent, j.extent) == (1, 1) {
                    0
                } else {
                    (AHEAD / unit).min(j.extent)
                };
                for a in 0..i.extent as isize {
                    let (mut to, mut from) = (dst.wrapping_offset(a * i.dst), src.wrapping_offset(a * i.src));
                    let after = from.wrapping_offset(i.src);
                    for b in 0..j.extent {
                        if early > 0 {
                            let row = match b + early {
                                then if then < j.extent => from.wrapping_offset(early as isize * j.src),
                                then => after.wrapping_offset((then - j.extent) as isize * j.src),
                            };
                            for at in (0..unit).step_by(LINE) {
                                prefetch(row.wrapping_add(at));
                            }
                        }
                        // SAFETY: P1: a row of the caller's grid.
                        unsafe { nib.write(to, from, unit) };
                        (to, from) = (to.wrapping_offset(j.dst), from.wrapping_offset(j.src));
                    }
                }
            }
            // SAFETY: P1: the caller's grid.
            Work::Mirror { unit, grid } => unsafe { mirror::rows(unit, grid, dst, src) },
            // SAFETY: P1: the caller's grid.
            Work::Gather { unit, grid } => unsafe { gather::rows(unit, grid, dst, src) },
            // SAFETY: P1: the caller's grid.
            Work::Apart { unit, grid } => unsafe { gather::apart(unit, grid, dst, src) },
            Work::Lines { kernel, manner, unit, grid: Grid { i, j } } => {
                let mut stage = Stage([MaybeUninit::uninit(); STAGE]);
                let stage = stage.0.as_mut_ptr().cast::<u8>();
                let most = STAGE / unit;
                for a in 0..i.extent as isize {
                    let (to, from) = (dst.wrapping_offset(a * i.dst), src.wrapping_offset(a * i.src));
                    for start in (0..j.extent).step_by(most) {
                        let extent = most.min(j.extent - start);
                        let (to, from) =
                            (to.wrapping_add(start * unit), from.wrapping_offset(start as isize * j.src));
                        let grid = Grid { i: ONCE, j: Loop { extent, ..j } };
                        // SAFETY: P1: a stretch of the caller's grid; the stage has room for so many.
                        unsafe { kernel::run(kernel, manner, unit, grid, stage, from) };
                        // SAFETY: P1: where that stretch belongs; the stage holds it.
                        unsafe { nib.write(to, stage, extent * unit) };
                    }
                }
            }
            Work::Blocks { kernel, manner, unit, grid: Grid { i, j } } => {
                let mut stage = Stage([MaybeUninit::uninit(); STAGE]);
                let stage = stage.0.as_mut_ptr().cast::<u8>();
                let row = unit * j.extent;
                let most = (STAGE / row).max(1);
                for start in (0..i.extent).step_by(most) {
                    let extent = most.min(i.extent - start);
                    let (to, from) =
                        (dst.wrapping_add(start * row), src.wrapping_offset(start as isize * i.src));
                    let grid = Grid { i: Loop { extent, dst: row as isize, ..i }, j };
                    // SAFETY: P1: some rows of the caller's grid; the stage has room for so many.
                    unsafe { kernel::run(kernel, manner, unit, grid, stage, from) };
                    // SAFETY: P1: where they belong; the stage holds them.
                    unsafe { nib.write(to, stage, extent * row) };
                }
            }
            Work::Pixels(channels) => {
                // SAFETY: P1: the caller's pixels.
                if unsafe { channels.stream(dst, src) } {
                    return;
                }
                let planes = channels.planes();
                let mut stage = Stage([MaybeUninit::uninit(); STAGE]);
                let stage = stage.0.as_mut_ptr().cast::<u8>();
                let room = STAGE / planes;
                // Bytes that a pixel has in each plane.
                let (pixels, each) = (channels.pixels(), channels.bytes() / planes);
                // Whole blocks of registers.
                let most = room / each / 64 * 64;
                for start in (0..pixels).step_by(most) {
                    let count = most.min(pixels - start);
                    let (some, from) = channels.some(start, count, room, src);
                    // SAFETY: P1: some pixels of the caller's; the stage has room for so many in each plane.
                    unsafe { some.run(stage, from) };
                    for (plane, nib) in self.nibs.iter_mut().enumerate().take(planes) {
                        let to = channels.plane(plane, start, dst);
                        // SAFETY: P1: where those of this plane belong; the stage holds them.
                        unsafe { nib.write(to, stage.wrapping_add(plane * room), count * each) };
                    }
                }
            }
        }
    }

    /// Writes what is held back.
    ///
    /// # Safety
    ///
    /// As for the runs before.
    pub(crate) unsafe fn finish(&mut self) {
        for nib in &mut self.nibs {
            // SAFETY: the caller's contract.
            unsafe { nib.lift() };
        }
        // Newer compilers know that this is safe to call; older ones ask for the block.
        #[allow(unused_unsafe)]
        // SAFETY: every x86-64 has the instruction.
        unsafe {
            _mm_sfence();
        }
    }
}

const ALONE: Grid = Grid { i: ONCE, j: ONCE };
