//! Counters that are changed with the interpreter attached only.
//!
//! Where the interpreter has a global lock, whoever is attached holds it, so a load and a store are one step; a locked
//! instruction would say the same once more, and four of them are a sixth of the time of a slice. In a free-threaded
//! build they are locked instructions.

use std::sync::atomic::{AtomicBool, AtomicIsize, Ordering};

use pyo3::prelude::*;

/// Whether being attached means to be the only one. Until the module has found out, it does not.
static ALONE: AtomicBool = AtomicBool::new(false);

/// A number that only threads change that are attached to the interpreter.
pub(crate) struct Count(AtomicIsize);

impl Count {
    pub(crate) const fn new(value: isize) -> Count {
        Count(AtomicIsize::new(value))
    }

    /// The number. Whatever was written before it was reached can be seen.
    pub(crate) fn get(&self) -> isize {
        self.0.load(Ordering::Acquire)
    }

    pub(crate) fn set(&self, _attached: Python<'_>, value: isize) {
        self.0.store(value, Ordering::Release);
    }

    pub(crate) fn get_mut(&mut self) -> isize {
        *self.0.get_mut()
    }

    /// Adds one, unless the number is the one that is never left.
    #[inline]
    pub(crate) fn add_unless(&self, _attached: Python<'_>, last: isize) -> bool {
        if ALONE.load(Ordering::Relaxed) {
            let value = self.0.load(Ordering::Relaxed);
            if value != last {
                self.0.store(value + 1, Ordering::Relaxed);
            }
            return value != last;
        }
        let more = |value: isize| if value == last { None } else { Some(value + 1) };
        self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).is_ok()
    }

    /// Takes one away; the answer is what is left.
    #[inline]
    pub(crate) fn take_one(&self, _attached: Python<'_>) -> isize {
        if ALONE.load(Ordering::Relaxed) {
            let left = self.0.load(Ordering::Relaxed) - 1;
            self.0.store(left, Ordering::Relaxed);
            return left;
        }
        self.0.fetch_sub(1, Ordering::AcqRel) - 1
    }

    /// Exchanges one number for another; where it is a third one, the answer is that.
    pub(crate) fn exchange(&self, _attached: Python<'_>, from: isize, to: isize) -> Result<(), isize> {
        self.0.compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire).map(drop)
    }
}

/// Asks the interpreter for its build. That it runs with a lock just now is not enough: a free-threaded one takes one
/// while it imports, and gives it up again.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let version: String = module.py().import("sys")?.getattr("version")?.extract()?;
    ALONE.store(!version.contains("free-threading"), Ordering::Relaxed);
    Ok(())
}
