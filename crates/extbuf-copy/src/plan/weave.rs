//! Which loops a weave takes.

use super::{Loop, Loops};
use crate::kernel::Level;
use crate::kernel::weave::{Block, Side};

/// Fewer bytes than this are moved before a pattern is worked out.
const WORTH: usize = 1 << 10;

/// Brings the loops of a weave innermost, the channels last, and answers with how many they are: two, or one where there
/// are no channels. `None` where the loops, or the machine, are not made for it.
pub(super) fn choose(loops: &mut Loops, unit: usize, bytes: usize, level: Level) -> Option<usize> {
    let last = loops.len().checked_sub(1)?;
    if level < Level::Avx512 || bytes < WORTH {
        return None;
    }
    let once = Loop { extent: 1, dst: 0, src: 0 };
    // Channels pulled apart: the source has them together, further out in the destination.
    let together = |&k: &usize| loops[k].src.unsigned_abs() < loops[last].src.unsigned_abs();
    let channels = (0..last).filter(together).min_by_key(|&k| loops[k].src.unsigned_abs());
    if let Some(k) = channels.filter(|&k| loops[k].src != 0) {
        if Block::new(unit, loops[last], loops[k]).is_some_and(|block| block.worth()) {
            loops[k..].rotate_left(1);
            return Some(2);
        }
        // A transpose, unless the innermost loop is the channels of pixels that the source has in planes.
        let put = |block: &Block| block.src == Side::Planes && block.worth();
        return Block::new(unit, loops[last - 1], loops[last]).filter(put).map(|_| 2);
    }
    if last > 0 && Block::new(unit, loops[last - 1], loops[last]).is_some_and(|block| block.worth()) {
        return Some(2);
    }
    Block::new(unit, loops[last], once).filter(Block::worth).map(|_| 1)
}
