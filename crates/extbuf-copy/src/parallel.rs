//! The driver: parts of a plan on one thread or on several.
//!
//! Threads take the next part from a counter until none is left, so that a thread that is slowed down takes fewer.
//! Which thread runs which part changes nothing in the result: parts write disjoint bytes (P2).

// Sends raw bases to other threads.
#![allow(unsafe_code)]

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::error::{CopyError, CopyErrorKind};
use crate::options::{CopyOptions, Progress, Threads};
use crate::plan::Plan;

/// What one or several plans have moved so far, told to the hook.
pub(crate) struct Meter<'h> {
    options: &'h CopyOptions<'h>,
    bytes: usize,
    parts: usize,
    bytes_done: AtomicUsize,
    parts_done: AtomicUsize,
    stopped: AtomicBool,
}

impl<'h> Meter<'h> {
    /// For a copy that runs these plans, one after another.
    pub(crate) fn new<const N: usize>(options: &'h CopyOptions<'h>, plans: [&Plan; N]) -> Meter<'h> {
        let bytes = plans.iter().map(|plan| plan.bytes()).fold(0, usize::saturating_add);
        Meter::of(options, bytes, plans.iter().map(|plan| plan.parts()).sum())
    }

    /// For work of so many bytes in so many parts.
    pub(crate) fn of(options: &'h CopyOptions<'h>, bytes: usize, parts: usize) -> Meter<'h> {
        Meter {
            options,
            bytes,
            parts,
            bytes_done: AtomicUsize::new(0),
            parts_done: AtomicUsize::new(0),
            stopped: AtomicBool::new(false),
        }
    }

    /// One part is done. Answers with whether to go on.
    fn part_done(&self, bytes: usize, parts: usize, part: usize) -> bool {
        let Some(hook) = self.options.progress else { return true };
        // Parts are near equal; that their bytes sum up to the whole is what a progress bar needs.
        let share = |k: usize| (bytes as u128 * k as u128 / parts as u128) as usize;
        let parts = self.parts_done.fetch_add(1, Ordering::Relaxed) + 1;
        let bytes = share(part + 1) - share(part);
        let bytes_done = self.bytes_done.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if hook(Progress { bytes_done, bytes: self.bytes }) == ControlFlow::Break(()) && parts < self.parts {
            self.stopped.store(true, Ordering::Relaxed);
        }
        !self.stopped.load(Ordering::Relaxed)
    }

    /// Runs all parts of a plan, on as many threads as the options and the plan allow. Answers with how many.
    ///
    /// # Safety
    ///
    /// As for [`Plan::run_part`], for all parts, from any thread.
    pub(crate) unsafe fn run(&self, plan: &Plan, dst: *mut u8, src: *const u8) -> Result<usize, CopyError> {
        let bases = Bases { dst, src };
        self.run_parts(plan.bytes(), plan.parts(), |part| {
            let Bases { dst, src } = *bases.get();
            // SAFETY: the caller's contract.
            unsafe { plan.run_part(dst, src, part) };
        })
    }

    /// Runs parts `0..parts`, which move so many bytes together, on as many threads as the options and their number
    /// allow. Answers with how many.
    pub(crate) fn run_parts(
        &self,
        bytes: usize,
        parts: usize,
        run: impl Fn(usize) + Sync,
    ) -> Result<usize, CopyError> {
        let next = AtomicUsize::new(0);
        let work = || {
            loop {
                let part = next.fetch_add(1, Ordering::Relaxed);
                if part >= parts || self.stopped.load(Ordering::Relaxed) {
                    return;
                }
                run(part);
                if !self.part_done(bytes, parts, part) {
                    return;
                }
            }
        };
        let threads = threads(self.options.threads, parts);
        match threads {
            1 => work(),
            #[cfg(feature = "rayon")]
            _ => rayon::scope(|scope| {
                for _ in 1..threads {
                    scope.spawn(|_| work());
                }
                work();
            }),
            #[cfg(not(feature = "rayon"))]
            _ => work(),
        }
        if self.stopped.load(Ordering::Relaxed) {
            let done = self.parts_done.load(Ordering::Relaxed);
            return Err(CopyErrorKind::Cancelled { done, parts: self.parts }.into());
        }
        Ok(threads)
    }
}

/// Threads that will run so many parts.
fn threads(threads: Threads, parts: usize) -> usize {
    if parts <= 1 || threads == Threads::ONE {
        return 1;
    }
    #[cfg(feature = "rayon")]
    let pool = rayon::current_num_threads();
    #[cfg(not(feature = "rayon"))]
    let pool = 1;
    let allowed = match threads {
        Threads::Pool => pool,
        Threads::AtMost(most) => most.min(pool),
    };
    allowed.clamp(1, parts)
}

struct Bases {
    dst: *mut u8,
    src: *const u8,
}

impl Bases {
    /// Through a method, so that closures take the whole and not the raw fields.
    fn get(&self) -> &Bases {
        self
    }
}

// SAFETY: the contract of `Meter::run` allows any thread to run the parts, which write disjoint bytes (P2) and read
// bytes that nobody writes.
unsafe impl Sync for Bases {}
