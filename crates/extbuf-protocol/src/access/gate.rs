//! Who may go in: any number of readers, or one writer, and the others wait. No memory in sight.
//!
//! One mutex around four words and one condition variable; `tests/loom.rs` tries every order of two and three threads.
//! A writer that waits keeps readers that come later out, so that readers who relieve each other do not starve it. Who
//! does not wait takes what can be had now, past those who do.

use std::sync::PoisonError;
use std::time::Instant;

use crate::memory::Access;
use crate::refusal::{Refusal, RefusalKind};
use crate::sync::{Condvar, Mutex, MutexGuard};

#[derive(Debug)]
pub(super) struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    readers: usize,
    writing: bool,
    /// Writers that wait; readers that come to wait let them go first.
    waiting_writers: usize,
    /// The last writer panicked.
    poisoned: bool,
}

/// How long to wait at the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    None,
    Until(Instant),
    Forever,
}

impl State {
    fn closed_for(&self, access: Access) -> bool {
        match access {
            Access::Read => self.writing,
            Access::Write => self.writing || self.readers > 0,
        }
    }

    fn busy(&self) -> Refusal {
        let live = if self.writing { 1 } else { self.readers };
        RefusalKind::Busy { live, writing: self.writing }.into()
    }
}

impl Gate {
    pub(super) fn new() -> Gate {
        Gate { state: Mutex::new(State::default()), changed: Condvar::new() }
    }

    /// Goes in, or says why not. With `mending`, also where a writer panicked.
    pub(super) fn enter(&self, access: Access, patience: Patience, mending: bool) -> Result<(), Refusal> {
        let mut state = self.lock();
        if state.closed_for(access) || patience != Patience::None && state.waiting_writers > 0 {
            state = self.wait(state, access, patience)?;
        }
        if state.poisoned && !mending {
            return Err(RefusalKind::Poisoned.into());
        }
        match access {
            Access::Read => state.readers += 1,
            Access::Write => state.writing = true,
        }
        Ok(())
    }

    /// Waits until the gate is open for this access. What was counted here is taken back on every way out.
    fn wait<'g>(
        &'g self,
        mut state: MutexGuard<'g, State>,
        access: Access,
        patience: Patience,
    ) -> Result<MutexGuard<'g, State>, Refusal> {
        if patience == Patience::None {
            return Err(state.busy());
        }
        let writes = access == Access::Write;
        state.waiting_writers += usize::from(writes);
        // A writer gives way to no other writer: whoever wakes first.
        while state.closed_for(access) || !writes && state.waiting_writers > 0 {
            let left = match patience {
                Patience::Until(end) => Some(end.saturating_duration_since(Instant::now())),
                Patience::None | Patience::Forever => None,
            };
            state = match left {
                Some(left) if left.is_zero() => {
                    state.waiting_writers -= usize::from(writes);
                    // Readers that let this writer go first need not.
                    self.changed.notify_all();
                    return Err(state.busy());
                }
                Some(left) => {
                    self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
        if writes {
            state.waiting_writers -= 1;
            if state.poisoned {
                // It may turn away at once, and then nobody else would wake those who wait behind it.
                self.changed.notify_all();
            }
        }
        Ok(state)
    }

    /// The writer goes on as a reader; no other writer comes between.
    pub(super) fn downgrade(&self) {
        let mut state = self.lock();
        debug_assert!(state.writing && state.readers == 0);
        (state.writing, state.readers, state.poisoned) = (false, 1, false);
        self.changed.notify_all();
    }

    /// Goes out. A writer says whether it panicked.
    pub(super) fn leave(&self, access: Access, panicked: bool) {
        let mut state = self.lock();
        match access {
            Access::Read => state.readers -= 1,
            Access::Write if state.writing => (state.writing, state.poisoned) = (false, panicked),
            // It was downgraded: no other writer has come in while it reads.
            Access::Write => state.readers -= 1,
        }
        if state.readers == 0 {
            self.changed.notify_all();
        }
    }

    pub(super) fn is_poisoned(&self) -> bool {
        self.lock().poisoned
    }

    pub(super) fn live(&self) -> usize {
        let state = self.lock();
        state.readers + usize::from(state.writing)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code of anyone else runs under the mutex; poison of memory is `State::poisoned`.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
