//! The chains of loops that a transpose turns over.
//!
//! A line of the source lies along the loop with the smallest stride there, and where that loop is shorter than a line,
//! along the one that goes on where it ends, and so on; a line of the destination likewise. So two chains are picked
//! from the loops: along `i` the source is dense, along `j` the destination. A loop that both would need goes to
//! whichever comes first, and ends the other.

use super::{Loop, Loops};
use crate::kernel::WIDE;

/// Bytes from which on a chain is long enough: a page, which is as far as the hardware reads ahead.
const LONG: usize = 4096;

/// Bytes that either chain must have at the least, or turning gains nothing.
const SHORTEST: usize = 16;

/// Loops in the order of a transpose: those around it, the chain along `i`, the chain along `j`.
#[derive(Debug)]
pub(crate) struct Chains {
    pub(crate) loops: Loops,
    /// Loops of the two chains.
    pub(crate) inner: usize,
    /// Of them along `i`.
    pub(crate) tall: usize,
    /// Both chains fill a cache line at least.
    pub(crate) whole: bool,
    /// By how many bytes the starts of both sides move.
    pub(crate) shift: (isize, isize),
}

/// Picks two chains from loops that are sorted by the destination, if there are two worth it.
pub(crate) fn find(sorted: &Loops, unit: usize) -> Option<Chains> {
    let last = sorted.last()?;
    if last.dst != unit as isize || last.src.unsigned_abs() <= unit {
        return None;
    }
    let dense = |l: &Loop| l.src.unsigned_abs() == unit;
    let first = sorted.iter().position(dense)?;
    let mut loops = sorted.clone();
    let end = loops.len();
    loops[first..end - 1].rotate_left(1);
    let mut chains = Chains { loops, inner: 2, tall: 1, whole: false, shift: (0, 0) };
    chains.upwards(end - 2);
    let (mut along_i, mut along_j) = (chains.loops[end - 2].extent, chains.loops[end - 1].extent);
    let (mut i_ended, mut j_ended) = (false, false);
    loop {
        i_ended |= along_i * unit >= LONG || along_i >= WIDE;
        j_ended |= along_j * unit >= LONG;
        // By turns: whichever is shorter.
        if !i_ended && (along_i <= along_j || j_ended) {
            match chains.extend(|l| l.src.unsigned_abs() == along_i * unit, chains.inner) {
                Some(extent) => {
                    chains.upwards(end - chains.inner - 1);
                    chains.tall += 1;
                    chains.inner += 1;
                    along_i *= extent;
                }
                None => i_ended = true,
            }
        } else if !j_ended {
            match chains.extend(|l| l.dst.unsigned_abs() == along_j * unit, chains.inner - chains.tall) {
                Some(extent) => {
                    chains.inner += 1;
                    along_j *= extent;
                }
                None => j_ended = true,
            }
        } else {
            break;
        }
    }
    chains.whole = along_i.min(along_j) * unit >= 64;
    let least = SHORTEST.div_ceil(unit).max(2);
    let worth = along_i.min(along_j) >= least && along_i.max(along_j) * unit >= 64;
    worth.then_some(chains)
}

impl Chains {
    /// Brings a loop that is around the transpose, if there is such, before the last `behind`. Answers with its extent.
    fn extend(&mut self, which: impl Fn(&Loop) -> bool, behind: usize) -> Option<usize> {
        let end = self.loops.len();
        let found = self.loops[..end - self.inner].iter().position(which)?;
        self.loops[found..end - behind].rotate_left(1);
        Some(self.loops[end - behind - 1].extent)
    }

    /// Turns a loop round where its source walks downwards.
    fn upwards(&mut self, index: usize) {
        let l = &mut self.loops[index];
        if l.src < 0 {
            // Inside L3: where the loop ends is where some index lies.
            let steps = l.extent as isize - 1;
            self.shift.0 = self.shift.0.wrapping_add(l.dst.wrapping_mul(steps));
            self.shift.1 = self.shift.1.wrapping_add(l.src.wrapping_mul(steps));
            (l.dst, l.src) = (l.dst.wrapping_neg(), l.src.wrapping_neg());
        }
    }
}
