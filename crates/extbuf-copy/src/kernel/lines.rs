//! The kernels that work in whole cache lines, and keep something from one run to the next: a pattern worked out once,
//! and the last line of what was written past the cache while it is not full.

// Hands raw addresses to the form that the machine has.
#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
use super::Grid;
#[cfg(target_arch = "x86_64")]
use super::x86::{rows::Rows, staged::Staged, weave::Loom};
use super::{Channels, Level, Manner, ONCE, weave::Pattern};
use crate::kernel::weave::Block;
use crate::plan::{Kernel, Loop};

/// One part of a plan: the innermost loops of a weave or of rows.
// One stands on the stack of each running part.
#[allow(clippy::large_enum_variant)]
pub(crate) enum Lines<'p> {
    Channels(Channels),
    #[cfg(target_arch = "x86_64")]
    Weave(Loom<'p>),
    #[cfg(target_arch = "x86_64")]
    Rows(Rows, Grid),
    #[cfg(target_arch = "x86_64")]
    Staged(Staged),
    /// No machine but these has a form, and there is no value of this.
    #[cfg(not(target_arch = "x86_64"))]
    #[expect(dead_code, reason = "says what the lifetime is for")]
    Nothing(std::convert::Infallible, &'p Pattern),
}

impl<'p> Lines<'p> {
    /// For the innermost loops of a plan, at most two. `around` is the loop outside these. `None` where the kernel is
    /// another, or has no form for the machine. `asks` for lines before their time, where they do not lie in the cache. The pattern of a weave is kept in `place`.
    pub(crate) fn new(
        kernel: Kernel,
        manner: Manner,
        unit: usize,
        inside: &[Loop],
        around: Option<&Loop>,
        asks: bool,
        place: &'p mut Option<Pattern>,
    ) -> Option<Lines<'p>> {
        let (i, j) = match *inside {
            [] => (ONCE, ONCE),
            [j] => (ONCE, j),
            [i, j] => (i, j),
            _ => return None,
        };
        if kernel == Kernel::Weave
            && let Some(channels) = Channels::new(manner.level, unit, i, j)
        {
            // By pattern where registers are of 64 bytes, unless planes are put together past the cache.
            let by_pattern = manner.streams
                && manner.level >= Level::Avx512
                && !channels.puts_long()
                && Block::new(unit, i, j).is_some();
            #[cfg(target_arch = "x86_64")]
            if manner.streams && manner.level >= Level::Simd128 && !by_pattern {
                return Some(Lines::Staged(Staged::pixels(channels)));
            }
            if !by_pattern {
                return Some(Lines::Channels(channels));
            }
        }
        #[cfg(target_arch = "x86_64")]
        if matches!(kernel, Kernel::Weave | Kernel::Items)
            && let Some(staged) = Staged::straight(manner, unit, i, j)
        {
            return Some(Lines::Staged(staged));
        }
        #[cfg(target_arch = "x86_64")]
        match kernel {
            Kernel::Weave if manner.level >= Level::Avx512 => {
                let (px, ch) = if inside.len() == 1 { (j, ONCE) } else { (i, j) };
                let block = Block::new(unit, px, ch)?;
                // SAFETY: the plan names a level that this machine has.
                Some(Lines::Weave(unsafe { Loom::new(block, (manner.streams, asks), around, place) }))
            }
            Kernel::Run if manner.level >= Level::Avx512 => {
                let joined = inside.is_empty() || j.dst == unit as isize;
                // Short rows behind pointers are not: a pen reads whole lines, of which they lie in one.
                let streams = manner.streams && !(inside.is_empty() && unit <= 64);
                // SAFETY: the plan names a level that this machine has.
                let rows = unsafe { Rows::new(unit, joined, (streams, asks)) };
                Some(Lines::Rows(rows, Grid { i, j }))
            }
            _ => Staged::new(kernel, manner, unit, i, j).map(Lines::Staged),
        }
        #[cfg(not(target_arch = "x86_64"))]
        {
            let _ = (kernel, manner, unit, i, j, around, asks, place);
            None
        }
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

    /// The same for rows that are told of one by one, each with where the next begins in the source.
    ///
    /// # Safety
    ///
    /// As for [`run`](Lines::run), from each pair.
    #[inline(always)]
    pub(crate) unsafe fn run_rows(&mut self, begins: impl Iterator<Item = (*mut u8, *const u8, *const u8)>) {
        match self {
            #[cfg(target_arch = "x86_64")]
            Lines::Rows(rows, Grid { i: ONCE, j: ONCE }) => {
                // SAFETY: the caller's contract, on a machine with these instructions.
                unsafe { rows.each(begins) }
            }
            _ => {
                for (dst, src, _) in begins {
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
            // SAFETY: the caller's contract; the plan names a level that this machine has.
            Lines::Channels(channels) => unsafe { channels.run(dst, src) },
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
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the caller's contract; the plan names a level that this machine has.
            Lines::Staged(staged) => unsafe { staged.run(dst, src) },
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
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the caller's contract.
            Lines::Staged(staged) => unsafe { staged.finish() },
            #[allow(unreachable_patterns, reason = "where there is no form at all")]
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Lines;
    use crate::kernel::{Level, Manner};
    use crate::plan::{Kernel, Loop};

    /// Rows at odd addresses with poison around and between, against the equation.
    fn moved(kernel: Kernel, unit: usize, i: Loop, j: Loop, start: usize, manner: Manner) -> bool {
        let places = |step: fn(&Loop) -> isize| {
            let (i_step, j_step) = (step(&i), step(&j));
            let all = (0..i.extent as isize).flat_map(move |a| (0..j.extent as isize).map(move |b| (a, b)));
            let all: Vec<isize> = all.map(|(a, b)| a * i_step + b * j_step).collect();
            let (low, high) = (*all.iter().min().unwrap(), *all.iter().max().unwrap());
            let margin = 70 + start as isize;
            (
                all.into_iter().map(|at| (at - low + margin) as usize).collect::<Vec<_>>(),
                (high - low + 2 * margin) as usize,
            )
        };
        let ((to, to_len), (from, from_len)) = (places(|l| l.dst), places(|l| l.src));
        let source: Vec<u8> = (0..from_len + unit).map(|k| (k * 7 + k / 251) as u8).collect();
        let mut target = vec![0xEE; to_len + unit];
        let mut expected = target.clone();
        for (&d, &s) in to.iter().zip(&from) {
            expected[d..d + unit].copy_from_slice(&source[s..s + unit]);
        }
        let poisoned = target.clone();
        let at = |target: &mut Vec<u8>, k: usize| {
            (target.as_mut_ptr().wrapping_add(to[k]), source.as_ptr().wrapping_add(from[k]))
        };
        let mut place = None;
        let Some(mut lines) = Lines::new(kernel, manner, unit, &[i, j], None, manner.streams, &mut place)
        else {
            return false;
        };
        let (dst, src) = at(&mut target, 0);
        // SAFETY: the loops from these two addresses stay inside both vectors.
        unsafe { lines.run(dst, src) };
        // SAFETY: as above.
        unsafe { lines.finish() };
        assert!(target == expected, "unit {unit}, {i:?}, {j:?}, {manner:?}");
        // The same one by one, from a list of places.
        target = poisoned;
        let mut place = None;
        let Some(mut lines) = Lines::new(kernel, manner, unit, &[], None, manner.streams, &mut place) else {
            return true;
        };
        let begins: Vec<_> = (0..to.len()).map(|k| at(&mut target, k)).collect();
        // SAFETY: the rows at these places lie inside both vectors.
        unsafe { lines.run_all(&begins) };
        // SAFETY: as above.
        unsafe { lines.finish() };
        assert!(target == expected, "unit {unit}, {i:?}, {j:?}, {manner:?}, one by one");
        true
    }

    fn levels() -> impl Iterator<Item = Level> {
        Level::ALL.into_iter().filter(|&level| level <= Level::of_this_machine())
    }

    #[test]
    fn rows_of_any_length_joined_or_apart_touch_nothing_else() {
        for unit in
            [1, 5, 20, 33, 63, 64, 65, 100, 127, 128, 129, 200, 511, 512, 700, 1000, 2100, 5000, 17_000]
        {
            let n = unit as isize;
            for (j_dst, j_src) in [(n, n + 12), (n + 3, n), (n + 64, -n - 1), (n, 0)] {
                for start in [0, 1, 58] {
                    let j = Loop { extent: 5, dst: j_dst, src: j_src };
                    let i = Loop { extent: 3, dst: 5 * j_dst, src: 5 * j_src + 9 };
                    for (level, streams) in levels().flat_map(|level| [(level, false), (level, true)]) {
                        moved(Kernel::Run, unit, i, j, start, Manner { level, streams });
                    }
                }
            }
        }
    }

    /// Past the cache and not woven: lines longer than the place in between, short ones that follow one another, and one
    /// item that fills them.
    #[test]
    #[cfg(target_arch = "x86_64")]
    fn items_on_their_way_past_the_cache_touch_nothing_else() {
        let mut staged = 0;
        for (unit, extent) in [
            (1, 9000),
            (1, 70),
            (2, 4500),
            (3, 700),
            (4, 5),
            (4, 2100),
            (7, 33),
            (8, 1100),
            (12, 90),
            (16, 600),
        ] {
            let n = unit as isize;
            for (step, kernel) in [
                (2, Kernel::Items),
                (-1, Kernel::Items),
                (3, Kernel::Items),
                (-5, Kernel::Items),
                (0, Kernel::Fill),
            ] {
                for (gap, start) in [(0, 0), (0, 3), (5, 58), (64, 64)] {
                    let j = Loop { extent, dst: n, src: step * n };
                    let i = Loop { extent: 4, dst: n * extent as isize + gap, src: n + 1 };
                    for level in levels() {
                        let manner = Manner { level, streams: true };
                        staged += usize::from(moved(kernel, unit, i, j, start, manner));
                    }
                }
            }
        }
        // All but short rows that lie apart, on each level that has no other way.
        let below = levels().filter(|&level| level > Level::Portable && level < Level::Avx512).count();
        assert!(staged >= 150 * below, "only {staged}");
    }
}
