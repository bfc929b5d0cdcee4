//! Which loops a weave takes.

use super::passes::ITEM_SIZES;
use super::{Loop, Loops};
use crate::kernel::weave::{Block, Side};
use crate::kernel::{Channels, Level, ONCE};

/// Fewer bytes than this are moved before a pattern is worked out.
const WORTH: usize = 1 << 10;

/// Bytes that a channel has in a run, at least, to be moved in registers.
const CHANNELS: usize = 64;

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
    let items = bytes / unit;
    let woven = |px: Loop, ch: Loop| {
        Channels::new(level, unit, px, ch).is_some_and(|_| px.extent * unit >= CHANNELS)
            || wide && Block::new(unit, px, ch).is_some_and(|block| pays(&block, items, streams))
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
    let line = loops[last];
    let plain = plainly(unit, line);
    if !wide || plain && !streams {
        return None;
    }
    Block::new(unit, line, ONCE).filter(|block| pays(block, items, streams)).map(|_| 1)
}

/// Whether weaving takes less time than moving the items one by one: in the whole, its pattern and the beginnings of its
/// runs counted in. The times are those of a 3 GHz Xeon, in nanoseconds; only what they are to each other matters. Without
/// the two, one in ten of random small copies (1 to 20 KB, axes turned over and stepped through) was slower than a plain loop,
/// by up to six times: 40 x 15 floats turned over took 1.2 µs for 0.2, and 500 runs of eight items 35 µs for 8.
fn pays(block: &Block, items: usize, streams: bool) -> bool {
    if !block.worth() {
        return false;
    }
    let runs = items / (block.px.extent * block.ch.extent);
    let blocks = runs as f64 * block.px.extent.div_ceil(block.group) as f64;
    let work = block.ins + block.outs + block.ins * block.outs;
    let pattern = 300.0 + 1.3 * (block.group * block.ch.extent) as f64;
    let woven = pattern + 50.0 * runs as f64 + 0.35 * blocks * work as f64;
    let plain = 0.25 * items as f64 + 3.0 * runs as f64;
    // Past the cache the plain way has no form.
    woven < if streams { 1.5 * plain } else { plain }
}

/// Whether one line of items is moved as fast or faster one by one, as long as it is written through the cache. What that
/// got in place of a weave, as part of `memcpy`, at 16 KiB, 64 KiB and 512 KiB written: every second 8-byte item 0.23, 0.77,
/// 0.58 for 0.12, 0.52, 0.49; every third 0.15, 0.60, 0.36 for 0.09, 0.38, 0.24; reversed 4-byte items 0.37, 0.88, 0.95 and
/// 2-byte ones 0.21, 0.79, 0.79 for 0.19, 0.71, 0.80; one byte everywhere 0.51, 1.15, 1.20. Every second item of 4 bytes stays
/// with the weave (0.14, 0.46, 0.39 for 0.12, 0.54, 0.56).
fn plainly(unit: usize, line: Loop) -> bool {
    let n = unit as isize;
    match unit {
        1 => line.src == 0,
        2 => line.src == -n,
        4 => line.src == -n || line.src.unsigned_abs() >= 3 * unit || line.dst >= 3 * n,
        _ => unit >= 8 && ITEM_SIZES.contains(&unit),
    }
}
