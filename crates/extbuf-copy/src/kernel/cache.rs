//! How large the caches of this machine are, and from what size on a copy should write past them.
//!
//! An ordinary store reads the line that it is going to overwrite and leaves it in the cache, where it takes the place of
//! something else. A streaming store does neither, which is better where the destination does not fit the cache anyway,
//! and much worse where it does. The C library decides the same question from the size that the processor claims for
//! its last cache. In a virtual machine that is the cache of the whole host: on the one that this was measured on,
//! 480 MiB for two cores, and streaming begins at 250 MB. So the claim is believed up to [`MOST`] bytes a core.
//!
//! Copies of one thread, ordinary and streaming stores of 64 bytes, GB/s read and written (medians):
//!
//! | bytes | 512 K | 1 M | 2 M | 4 M | 8 M | 16 M | 32 M | 64 M | 128 M |
//! |---|---|---|---|---|---|---|---|---|---|
//! | ordinary | 105 | 65 | 30 | 29 | 29 | 28 | 21 | 15 | 14 |
//! | streaming | 48 | 49 | 37 | 29 | 28 | 28 | 28 | 21 | 18 |
//!
//! (2 cores of a virtual Intel Xeon with AMX, L2 2 MiB. On an AMD Zen 4 with 32 MiB of L3 streaming wins from somewhere
//! between 8 and 24 MB on.) At equal speed ordinary stores are the better choice, since who reads the result next finds
//! it in the cache.

// Asks the processor, by an instruction that older compilers hold for unsafe.
#![allow(unsafe_code)]

use std::sync::OnceLock;

/// What a core can hope to have of the last cache, whatever the processor claims.
const MOST: usize = 32 << 20;

/// Cache sizes in bytes, of one core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Caches {
    /// Data, first level.
    #[allow(dead_code, reason = "part of the answer")]
    pub(crate) l1: usize,
    /// Second level.
    #[allow(dead_code, reason = "part of the answer")]
    pub(crate) l2: usize,
    /// The share of one core in the last level, or the second where there is no other.
    pub(crate) last: usize,
}

impl Caches {
    /// What common processors have at the least: where this one does not say.
    const COMMON: Caches = Caches { l1: 32 << 10, l2: 512 << 10, last: 8 << 20 };

    /// Of this machine; asks it once.
    #[inline]
    pub(crate) fn get() -> &'static Caches {
        static FOUND: OnceLock<Caches> = OnceLock::new();
        FOUND.get_or_init(Caches::detect)
    }

    /// From how many bytes of destination on a copy writes past the cache: where source and destination together are
    /// more than a core's share of it.
    #[inline]
    pub(crate) fn streams_from(&self) -> usize {
        if cfg!(msan) {
            // MemorySanitizer does not see such stores, and takes what they wrote for unwritten.
            return usize::MAX;
        }
        self.last / 2
    }

    #[cold]
    fn detect() -> Caches {
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        let found = x86::sizes().unwrap_or(Caches::COMMON);
        #[cfg(not(all(target_arch = "x86_64", not(miri))))]
        let found = Caches::COMMON;
        found.believed()
    }

    /// Within what processors have: virtual machines make up all sorts of sizes.
    fn believed(self) -> Caches {
        let l1 = self.l1.clamp(16 << 10, 256 << 10);
        let l2 = self.l2.clamp(4 * l1, 16 << 20);
        Caches { l1, l2, last: self.last.clamp(l2, MOST) }
    }
}

#[cfg(all(target_arch = "x86_64", not(miri)))]
mod x86 {
    use std::arch::x86_64::__cpuid_count;

    use super::Caches;

    /// By the `cpuid` leaf that lists caches one by one: 4 on Intel, `0x8000001D` on AMD, the same fields in both.
    pub(super) fn sizes() -> Option<Caches> {
        let highest = cpuid(0, 0)[0];
        let extended = cpuid(0x8000_0000, 0)[0];
        let leaf = match (cpuid(4, 0)[0] & 0x1F, extended >= 0x8000_001D) {
            (kind, _) if highest >= 4 && kind != 0 => 4,
            (_, true) => 0x8000_001D,
            _ => return None,
        };
        let mut levels = [0usize; 4];
        for number in 0..8 {
            let [a, b, c, _] = cpuid(leaf, number);
            let (kind, level) = (a & 0x1F, (a >> 5 & 7) as usize);
            match kind {
                0 => break,
                // Data, and both; 2 is for instructions.
                1 | 3 if level < levels.len() => {
                    let (ways, partitions, line) = (b >> 22, b >> 12 & 0x3FF, b & 0xFFF);
                    let lines = (ways as usize + 1) * (partitions as usize + 1) * (c as usize + 1);
                    let threads = (a >> 14 & 0xFFF) as usize + 1;
                    let bytes = lines.saturating_mul(line as usize + 1);
                    // The first two levels belong to a core, also where two of its threads share them.
                    levels[level] = if level < 3 { bytes } else { bytes / threads };
                }
                _ => {}
            }
        }
        let [_, l1, l2, l3] = levels;
        (l1 > 0 && l2 > 0).then(|| Caches { l1, l2, last: l3.max(l2) })
    }

    // Newer compilers know that this is safe to call on x86-64; older ones ask for the block.
    #[allow(unused_unsafe)]
    fn cpuid(leaf: u32, number: u32) -> [u32; 4] {
        // SAFETY: every x86-64 has the instruction; a leaf that is not there answers with some numbers.
        let found = unsafe { __cpuid_count(leaf, number) };
        [found.eax, found.ebx, found.ecx, found.edx]
    }
}

#[cfg(test)]
mod tests {
    use super::{Caches, MOST};

    #[test]
    fn caches_grow_outwards() {
        let Caches { l1, l2, last } = *Caches::get();
        assert!(l1 >= 16 << 10 && l1 < l2 && l2 <= last && last <= MOST);
        assert!(Caches::get().streams_from() >= l2 / 2);
    }

    #[test]
    fn sizes_that_nobody_has_are_not_believed() {
        let host = Caches { l1: 48 << 10, l2: 2 << 20, last: 480 << 20 };
        assert_eq!(host.believed(), Caches { last: MOST, ..host });
        let none = Caches { l1: 0, l2: 0, last: 0 };
        assert_eq!(none.believed(), Caches { l1: 16 << 10, l2: 64 << 10, last: 64 << 10 });
    }
}
