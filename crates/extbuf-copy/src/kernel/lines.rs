//! The kernels that work in whole cache lines, and keep something from one run to the next: a pattern worked out once,
//! and the last line of what was written past the cache while it is not full.

// Hands raw addresses to the form that the machine has.
#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
use super::x86::{rows::Rows, weave::Loom};
use super::{Grid, Manner, ONCE};
#[cfg(target_arch = "x86_64")]
use crate::kernel::{Level, weave::Block};
use crate::plan::{Kernel, Loop};

/// One part of a plan: the innermost loops of a weave or of rows.
pub(crate) enum Lines {
    #[cfg(target_arch = "x86_64")]
    Weave(Loom),
    #[cfg(target_arch = "x86_64")]
    Rows(Rows, Grid),
}

impl Lines {
    /// For the innermost loops of a plan, at most two. `around` is the loop outside these. `None` where the kernel is
    /// another, or has no form for the machine.
    pub(crate) fn new(
        kernel: Kernel,
        manner: Manner,
        unit: usize,
        inside: &[Loop],
        around: Option<&Loop>,
    ) -> Option<Lines> {
        let (i, j) = match *inside {
            [] => (ONCE, ONCE),
            [j] => (ONCE, j),
            [i, j] => (i, j),
            _ => return None,
        };
        #[cfg(target_arch = "x86_64")]
        match kernel {
            Kernel::Weave if manner.level >= Level::Avx512 => {
                let (px, ch) = if inside.len() == 1 { (j, ONCE) } else { (i, j) };
                let block = Block::new(unit, px, ch)?;
                // SAFETY: the plan names a level that this machine has.
                return Some(Lines::Weave(unsafe { Loom::new(block, manner.streams, around) }));
            }
            Kernel::Run if manner.level >= Level::Avx512 => {
                let joined = inside.is_empty() || j.dst == unit as isize;
                // SAFETY: the plan names a level that this machine has.
                let rows = unsafe { Rows::new(unit, joined, manner.streams) };
                return Some(Lines::Rows(rows, Grid { i, j }));
            }
            _ => {}
        }
        let _ = (kernel, manner, unit, i, j, around);
        None
    }

    /// All of these loops, from each of these pairs of addresses.
    ///
    /// # Safety
    ///
    /// As for [`run`](Lines::run), from each pair.
    #[inline]
    pub(crate) unsafe fn run_all(&mut self, begins: &[(*mut u8, *const u8)]) {
        match self {
            #[cfg(target_arch = "x86_64")]
            Lines::Rows(rows, Grid { i: ONCE, j: ONCE }) => {
                let Some(&(_, last)) = begins.last() else { return };
                // SAFETY: the caller's contract, on a machine with these instructions.
                unsafe { rows.list(begins, last) }
            }
            _ => {
                for &(dst, src) in begins {
                    // SAFETY: the caller's contract.
                    unsafe { self.run(dst, src) };
                }
            }
        }
    }

    /// All of these loops, from two addresses.
    ///
    /// # Safety
    ///
    /// As for [`run`](super::run).
    #[inline]
    pub(crate) unsafe fn run(&mut self, dst: *mut u8, src: *const u8) {
        match self {
            #[cfg(target_arch = "x86_64")]
            Lines::Weave(loom) => {
                // SAFETY: the caller's contract, on a machine with these instructions.
                unsafe { loom.run(dst, src) }
            }
            #[cfg(target_arch = "x86_64")]
            Lines::Rows(rows, grid) => {
                // SAFETY: the caller's contract, on a machine with these instructions.
                unsafe { rows.grid(*grid, dst, src) }
            }
            #[allow(unreachable_patterns, reason = "where there is no form at all")]
            _ => {
                let _ = (dst, src);
            }
        }
    }

    /// Writes what is held back. Once, after the last run.
    ///
    /// # Safety
    ///
    /// As for the runs before.
    pub(crate) unsafe fn finish(&mut self) {
        match self {
            #[cfg(target_arch = "x86_64")]
            Lines::Weave(loom) => {
                // SAFETY: the caller's contract, on a machine with these instructions.
                unsafe { loom.finish() }
            }
            #[cfg(target_arch = "x86_64")]
            Lines::Rows(rows, _) => {
                // SAFETY: the caller's contract, on a machine with these instructions.
                unsafe { rows.finish() }
            }
            #[allow(unreachable_patterns, reason = "where there is no form at all")]
            _ => {}
        }
    }
}
