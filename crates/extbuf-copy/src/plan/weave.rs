//! Which loops a weave takes.

use super::{Loop, Loops};
use crate::kernel::weave::{Block, Side};
use crate::kernel::{Channels, Level, ONCE};

/// Fewer bytes than this are moved before a pattern is worked out.
const WORTH: usize = 1 << 10;

/// Brings the loops of a weave innermost, the channels last, and answers with how many they are: two, or one where there
/// are no channels. `None` where the loops, or the machine, are not made for it. `streams` where large rows are written past
/// the cache.
pub(super) fn choose(
    loops: &mut Loops,
    unit: usize,
    bytes: usize,
    (level, streams): (Level, bool),
) -> Option<usize> {
    let last = loops.len().checked_sub(1)?;
    if bytes < WORTH {
        return None;
    }
    let wide = level >= Level::Avx512;
    let woven = |px: Loop, ch: Loop| {
        Channels::new(level, unit, px, ch).is_some()
            || wide && Block::new(unit, px, ch).is_some_and(|block| block.worth())
    };
    // Channels pulled apart: the source has them together, further out in the destination.
    let together = |&k: &usize| loops[k].src.unsigned_abs() < loops[last].src.unsigned_abs();
    let channels = (0..last).filter(together).min_by_key(|&k| loops[k].src.unsigned_abs());
    if let Some(k) = channels.filter(|&k| loops[k].src != 0) {
        if woven(loops[last], loops[k]) {
            loops[k..].rotate_left(1);
            return Some(2);
        }
        // A transpose, unless the innermost loop is the channels of pixels that the source has in planes.
        let (px, ch) = (loops[last - 1], loops[last]);
        let planes = || Block::new(unit, px, ch).is_some_and(|block| block.src == Side::Planes);
        return (woven(px, ch) && planes()).then_some(2);
    }
    if last > 0 && woven(loops[last - 1], loops[last]) {
        return Some(2);
    }
    // Through the cache one value fills a row faster plainly, and so does a reversal of items that are not small.
    let line = loops[last];
    let plain = line.src == 0 && unit == 1 || line.src < 0 && unit >= 4;
    if !wide || plain && !streams {
        return None;
    }
    Block::new(unit, line, ONCE).filter(Block::worth).map(|_| 1)
}
