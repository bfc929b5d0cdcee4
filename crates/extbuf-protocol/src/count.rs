//! One word that says who has a block: how many leases, and whether they read together or one writes alone.
//!
//! A lease that writes may be shared out to several windows of one chain; each share counts, and none of them writes
//! while there are others. The word is free again when the last share goes.

use crate::memory::Access;
use crate::sync::{AtomicUsize, Ordering};

/// Set while the leases that are counted are shares of one that writes.
const WRITING: usize = 1;
/// One lease.
const ONE: usize = 2;
/// Beyond this many leases none is added, so that the count cannot run over.
const MOST: usize = usize::MAX / 2;

/// What stands in the word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    /// Leases that are live.
    pub(crate) live: usize,
    /// Whether they write.
    pub(crate) writing: bool,
}

impl Taken {
    fn of(word: usize) -> Taken {
        Taken { live: word / ONE, writing: word & WRITING != 0 }
    }
}

pub(crate) struct Count(AtomicUsize);

impl Count {
    pub(crate) fn new() -> Count {
        Count(AtomicUsize::new(0))
    }

    /// Only an account for messages: another thread may change it at once.
    pub(crate) fn taken(&self) -> Taken {
        Taken::of(self.0.load(Ordering::Relaxed))
    }

    /// One more lease of whatever kind, beside any others.
    #[inline]
    pub(crate) fn pin(&self) -> Result<(), Taken> {
        self.add(|_| true)
    }

    /// One more lease that reads, beside others that do.
    #[inline]
    pub(crate) fn read(&self) -> Result<(), Taken> {
        self.add(|word| word & WRITING == 0)
    }

    /// The only lease, which writes.
    #[inline]
    pub(crate) fn write(&self) -> Result<(), Taken> {
        // Acquire: what readers did before they released is over before anything is written.
        match self.0.compare_exchange(0, ONE | WRITING, Ordering::Acquire, Ordering::Relaxed) {
            Ok(_) => Ok(()),
            Err(word) => Err(Taken::of(word)),
        }
    }

    #[inline]
    fn add(&self, may: impl Fn(usize) -> bool) -> Result<(), Taken> {
        // Most often there are no leases, and then this costs one attempt and no load.
        let mut word = 0;
        loop {
            if !may(word) || word > MOST {
                return Err(Taken::of(word));
            }
            // Acquire: sees what a writer wrote before it released.
            match self.0.compare_exchange_weak(word, word + ONE, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return Ok(()),
                Err(now) => word = now,
            }
        }
    }

    /// One more share of a lease that the caller has.
    ///
    /// # Panics
    ///
    /// If half the address space of shares is live, which takes leaking them.
    #[inline]
    pub(crate) fn share(&self) {
        // Relaxed: the caller's own share keeps the word from changing its kind.
        let word = self.0.fetch_add(ONE, Ordering::Relaxed);
        if word > MOST {
            self.0.fetch_sub(ONE, Ordering::Relaxed);
            panic!("too many live leases: {}", word / ONE);
        }
    }

    /// Whether the caller's share is the only one; then what the others did is over.
    #[inline]
    pub(crate) fn is_alone(&self) -> bool {
        // Acquire: pairs with the release of the last other share.
        self.0.load(Ordering::Acquire) / ONE == 1
    }

    /// Ends one lease or one share of it.
    #[inline]
    pub(crate) fn release(&self, access: Access) {
        match access {
            // Release: what this lease did is over for whoever pins the memory next.
            Access::Read => {
                self.0.fetch_sub(ONE, Ordering::Release);
            }
            Access::Write if self.is_alone() => self.0.store(0, Ordering::Release),
            Access::Write => {
                // Acquire too: the last of several shares hands on what all of them did.
                if self.0.fetch_sub(ONE, Ordering::AcqRel) == ONE | WRITING {
                    self.0.store(0, Ordering::Release);
                }
            }
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::{Count, Taken};
    use crate::memory::Access;

    #[test]
    fn readers_exclude_a_writer_and_the_other_way_round() {
        let count = Count::new();
        count.read().unwrap();
        count.read().unwrap();
        assert_eq!(count.write(), Err(Taken { live: 2, writing: false }));
        assert!(!count.is_alone());
        count.release(Access::Read);
        assert!(count.is_alone());
        count.release(Access::Read);
        count.write().unwrap();
        assert_eq!(count.read(), Err(Taken { live: 1, writing: true }));
        assert_eq!(count.write(), Err(Taken { live: 1, writing: true }));
    }

    #[test]
    fn the_last_share_of_a_writer_frees_the_word() {
        let count = Count::new();
        count.write().unwrap();
        count.share();
        count.share();
        assert_eq!(count.taken(), Taken { live: 3, writing: true });
        count.release(Access::Write);
        count.release(Access::Write);
        assert_eq!(count.read(), Err(Taken { live: 1, writing: true }));
        count.release(Access::Write);
        assert_eq!(count.taken(), Taken { live: 0, writing: false });
        count.write().unwrap();
    }

    #[test]
    fn pins_of_any_kind_lie_beside_each_other() {
        let count = Count::new();
        count.pin().unwrap();
        count.pin().unwrap();
        assert_eq!(count.taken(), Taken { live: 2, writing: false });
        count.release(Access::Read);
        count.release(Access::Read);
        assert_eq!(count.taken(), Taken { live: 0, writing: false });
    }
}
