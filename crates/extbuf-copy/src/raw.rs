//! One whole copy between raw bases: plan, overlap, parts, report. The safe functions are views in front of this.

// Stages through scratch memory and hands raw bases to the driver.
#![allow(unsafe_code)]

use extbuf_layout::{Layout, Order};

use crate::error::CopyError;
use crate::kernel::{Level, Pattern};
use crate::options::CopyOptions;
use crate::output::Fresh;
use crate::overlap::{self, Overlap};
use crate::parallel::Meter;
use crate::plan::{Direction, OneShot, Plan};
use crate::report::Report;

impl CopyOptions<'_> {
    /// Copies every item of one layout to the item of another with the same index, as if all of the source were read
    /// before anything is written.
    ///
    /// For memory that the safe functions cannot speak of: two views of one block, foreign memory, several mutable
    /// views. The two sides may overlap in any way.
    ///
    /// # Errors
    ///
    /// As [`Plan::new`]; `Allocation` where the sides overlap in a way that needs scratch memory and there is none;
    /// `Cancelled`.
    ///
    /// # Safety
    ///
    /// - From `src_base` every item of the source layout can be reached and read, and its bytes are initialised; from
    ///   `dst_base` every item of the destination layout can be reached and written; both from any thread and without a
    ///   data race, while this runs. Every pointer stored on the way is valid.
    /// - Pointers that the destination stores at different places lead to different bytes, none of them a stored pointer
    ///   of the destination. No stored pointer of either side is changed by others while this runs, and each may be used
    ///   for all the bytes that its layout reaches behind it.
    pub unsafe fn copy_raw(
        &self,
        (dst, dst_base): (&Layout, *mut u8),
        (src, src_base): (&Layout, *const u8),
    ) -> Result<Report, CopyError> {
        if self.progress.is_none()
            && let Some(copy) = OneShot::new(dst, src, self.level.min(Level::of_this_machine()))
            && copy.apart(dst_base.addr(), src_base.addr())
        {
            let OneShot { small, bytes, .. } = copy;
            // SAFETY: P1: the loops stay inside both layouts. P2: the destination does not overlap itself. The sides are
            // apart, and the function is for a level of this machine.
            unsafe { (small.whole)(&small, &Pattern::NONE, dst_base, src_base) };
            return Ok(Report { overlap: Overlap::None, bytes, threads: 1, parts: 1, kernel: small.kernel });
        }
        let plan = Plan::new(dst, src)?.at_level(self.level);
        // SAFETY: the caller's contract: stored pointers are valid.
        let overlap = unsafe { overlap::decide(&plan, (dst, dst_base), (src, src_base)) };
        let direction = match overlap {
            Overlap::None => {
                // SAFETY: the caller's contract, and the sides are apart.
                return unsafe { self.run(&plan, dst_base, src_base) };
            }
            Overlap::Same => {
                return Ok(Report { overlap, bytes: 0, threads: 1, parts: 0, kernel: plan.kernel() });
            }
            Overlap::Staged => {
                // SAFETY: the caller's contract.
                return unsafe { self.staged((dst, dst_base), (src, src_base)) };
            }
            Overlap::Forward => Direction::Forward,
            Overlap::Backward => Direction::Backward,
        };
        let plan = Plan::ordered(dst, src, direction)?;
        // SAFETY: the caller's contract; the plan moves items in the order that the overlap asks for, by moves that
        // allow each to overlap itself.
        let report = unsafe { self.run(&plan, dst_base, src_base) }?;
        Ok(Report { overlap, ..report })
    }

    /// Runs a plan on the threads that the options allow.
    ///
    /// # Errors
    ///
    /// `Cancelled`.
    ///
    /// # Safety
    ///
    /// As for [`Plan::run_part`], for all parts, from any thread.
    pub unsafe fn run(
        &self,
        plan: &Plan,
        dst_base: *mut u8,
        src_base: *const u8,
    ) -> Result<Report, CopyError> {
        let threads = if plan.parts() == 1 && self.progress.is_none() {
            // SAFETY: the caller's contract.
            unsafe { plan.run(dst_base, src_base) };
            1
        } else {
            // SAFETY: the caller's contract.
            unsafe { Meter::new(self, [plan]).run(plan, dst_base, src_base) }?
        };
        Ok(Report {
            overlap: Overlap::None,
            bytes: plan.bytes(),
            threads,
            parts: plan.parts(),
            kernel: plan.kernel(),
        })
    }

    /// Through scratch memory.
    ///
    /// # Safety
    ///
    /// As for [`copy_raw`](Self::copy_raw).
    unsafe fn staged(
        &self,
        (dst, dst_base): (&Layout, *mut u8),
        (src, src_base): (&Layout, *const u8),
    ) -> Result<Report, CopyError> {
        let scratch = Layout::contiguous(dst.itemsize(), dst.shape(), Order::C)?;
        let memory = Fresh::new(scratch.nbytes())?;
        let read = Plan::new(&scratch, src)?.at_level(self.level);
        let write = Plan::new(dst, &scratch)?.at_level(self.level);
        let meter = Meter::new(self, [&read, &write]);
        // SAFETY: the caller's contract; the scratch memory is fresh, so apart from both sides.
        unsafe { meter.run(&read, memory.start(), src_base) }?;
        // SAFETY: as above, and the scratch memory has been written whole.
        let threads = unsafe { meter.run(&write, dst_base, memory.start()) }?;
        Ok(Report {
            overlap: Overlap::Staged,
            bytes: write.bytes(),
            threads,
            parts: write.parts(),
            kernel: write.kernel(),
        })
    }
}
