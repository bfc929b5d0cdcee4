//! The code that moves bytes. It knows no shapes: a kernel gets two addresses and the two innermost loops.
//!
//! Every move is of initialised bytes at alignment 1. An item is `[u8; N]`, loaded and stored unaligned, and no `f32` is
//! ever made on the way: odd addresses, packed records and any bit pattern are legal. `MaybeUninit` stands where a
//! block is filled before it is read.
//!
//! Addresses are computed with wrapping arithmetic, which is always defined; that the places are good to read and
//! write is argued where they are read and written.

// Reads and writes through raw addresses are what this folder is for.
#![allow(unsafe_code)]

mod cache;
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
mod channels;
mod columns;
mod items;
mod level;
mod lines;
mod run;
pub(crate) mod small;
mod table;
mod transpose;
// What only the forms of one machine ask for is unused on the others.
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
mod turn;
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
pub(crate) mod weave;
#[cfg(target_arch = "x86_64")]
mod x86;

use crate::plan::{Kernel, Loop};

/// The innermost two loops, `i` outside `j`. A loop that is not there has one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grid {
    pub(crate) i: Loop,
    pub(crate) j: Loop,
}

/// A loop of one step.
pub(crate) const ONCE: Loop = Loop { extent: 1, dst: 0, src: 0 };

pub(crate) use cache::Caches;
pub(crate) use channels::Channels;
pub(crate) use columns::columns;
pub use level::Level;
pub(crate) use lines::Lines;
pub(crate) use small::{Pattern, Whole};
pub(crate) use table::Table;
pub(crate) use turn::{Rows, Turn, WIDE};

/// Asks for the cache line at an address that may be touched soon, whether or not there is memory.
#[inline(always)]
pub(crate) fn prefetch(address: *const u8) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a hint that never faults, whatever the address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(address.cast()) };
    }
    #[cfg(all(target_arch = "aarch64", not(miri)))]
    // SAFETY: a hint that never faults, whatever the address; nothing else is touched.
    unsafe {
        std::arch::asm!("prfm pldl1keep, [{}]", in(reg) address, options(nostack, preserves_flags, readonly));
    }
    let _ = address;
}

/// Asks for a line that is going to be written, whether or not there is memory.
#[inline(always)]
pub(crate) fn ask_to_write(at: *mut u8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint that never faults, whatever the address; nothing else is touched.
    unsafe {
        std::arch::asm!("prefetchw [{}]", in(reg) at, options(nostack, preserves_flags, readonly));
    }
    #[cfg(all(target_arch = "aarch64", not(miri)))]
    // SAFETY: as above.
    unsafe {
        std::arch::asm!("prfm pstl1keep, [{}]", in(reg) at, options(nostack, preserves_flags, readonly));
    }
    let _ = at;
}

/// How the bytes of a plan are moved: by which instructions, and whether past the cache.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    #[allow(dead_code, reason = "for the kernels that have forms for it")]
    pub(crate) level: Level,
    #[allow(dead_code, reason = "for the kernels that can")]
    pub(crate) streams: bool,
}

/// Runs a kernel over the two innermost loops.
///
/// # Safety
///
/// For all `i`, `j` inside the grid the `unit` bytes at `dst + i * grid.i.dst + j * grid.j.dst` may be written and the
/// `unit` bytes at the source place of the same `i`, `j` may be read (P1); the places written are disjoint (P2). Except
/// for [`Kernel::Move`] no place written overlaps a place read.
pub(crate) unsafe fn run(
    kernel: Kernel,
    manner: Manner,
    unit: usize,
    grid: Grid,
    dst: *mut u8,
    src: *const u8,
) {
    let _ = manner;
    match kernel {
        #[cfg(target_arch = "x86_64")]
        Kernel::Run if manner.level >= Level::Avx512 => {
            // SAFETY: the caller's contract, on a machine with these instructions.
            unsafe { x86::rows::grid(unit, grid, dst, src) }
        }
        #[cfg(target_arch = "x86_64")]
        Kernel::Run if manner.level >= Level::Avx2 && unit > 64 => {
            // SAFETY: the caller's contract, on a machine with these instructions.
            unsafe { x86::half::runs(unit, grid, dst, src) }
        }
        Kernel::Run => {
            // SAFETY: the caller's contract, handed on unchanged.
            unsafe { run::apart(unit, grid, dst, src) }
        }
        Kernel::Move => {
            // SAFETY: the caller's contract, handed on unchanged.
            unsafe { run::overlapping(unit, grid, dst, src) }
        }
        Kernel::Table | Kernel::Weave => unreachable!("made once a part, and run by its own method"),
        Kernel::Convert => unreachable!("no plan chooses it"),
        Kernel::Items | Kernel::Fill | Kernel::Transpose => {
            // Here the size of an item becomes a constant.
            macro_rules! sized {
                ($($n:literal, $tile:literal;)*) => {
                    match unit {
                        // SAFETY: the caller's contract, handed on unchanged, with the unit as a constant.
                        $($n => unsafe { fixed::<$n, $tile>(kernel, manner.level, grid, dst, src) },)*
                        // SAFETY: as above. Not reached: the plan chooses these kernels for the sizes listed.
                        _ => unsafe { run::apart(unit, grid, dst, src) },
                    }
                };
            }
            // The tile is as many items as a cache line holds, and 4 at least.
            sized! {
                1, 64; 2, 32; 3, 21; 4, 16; 5, 12; 6, 10; 7, 9; 8, 8; 12, 5; 16, 4; 24, 4; 32, 4;
            }
        }
    }
}

/// # Safety
///
/// As for [`run`], with a unit of `N` bytes.
unsafe fn fixed<const N: usize, const T: usize>(
    kernel: Kernel,
    level: Level,
    grid: Grid,
    dst: *mut u8,
    src: *const u8,
) {
    #[cfg(target_arch = "x86_64")]
    if level >= Level::Avx2 {
        match kernel {
            // SAFETY: the caller's contract; the machine has the level.
            Kernel::Fill => return unsafe { x86::fill::<N>(grid, dst, src) },
            // SAFETY: as above.
            Kernel::Items => return unsafe { x86::items::<N>(grid, dst, src) },
            _ => {}
        }
    }
    let _ = level;
    match kernel {
        Kernel::Fill => {
            // SAFETY: the caller's contract, handed on unchanged.
            unsafe { items::fill::<N>(grid, dst, src) }
        }
        Kernel::Transpose => {
            // SAFETY: the caller's contract, handed on unchanged.
            unsafe { transpose::transpose::<N, T>(grid, dst, src) }
        }
        _ => {
            // SAFETY: the caller's contract, handed on unchanged.
            unsafe { items::items::<N>(grid, dst, src) }
        }
    }
}
