//! Small items woven in registers.
//!
//! Channels of a pixel put side by side or pulled apart, every second or third item, an axis run backwards, the colours
//! of a pixel exchanged, one value written to three channels, rows of seven bytes cut out of rows of sixteen: in all of
//! them a few neighbouring bytes of the source become a few neighbouring bytes of the destination, and then the same
//! again a little further on. What is the same each time is a pattern: which byte of which register goes where. It is
//! worked out once, from the strides, and then run with one permutation for each pair of registers that have to do
//! with each other.
//!
//! The two loops are called `px` (pixels; the long one) and `ch` (channels; short, or not there). With `unit` bytes to an
//! item the equation is that of `Items`:
//!
//! ```text
//! dst[p*px.dst + c*ch.dst ..][..unit] = src[p*px.src + c*ch.src ..][..unit]
//! ```
//!
//! A block is as many pixels as fit the registers. On either side its bytes lie in one **window**, or, where the channels
//! are far apart, in one **plane** for each channel. Planes on both sides are rows, and no business of this kernel.
//!
//! Bytes between items are neither read nor written: loads and stores are masked, and so are those of the last block.

// Runs patterns over real memory, in tests.
#![allow(unsafe_code)]

use crate::plan::Loop;

/// Registers of the source in a block, at most.
pub(crate) const MOST_IN: usize = 8;

/// Registers of the destination in a block, at most.
pub(crate) const MOST_OUT: usize = 16;

/// Bytes of a register.
pub(crate) const WIDTH: usize = 64;

/// How the bytes of a block lie on one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// In registers one after another.
    Window,
    /// In one register for each channel.
    Planes,
}

/// The size of a block, and what it is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) unit: usize,
    pub(crate) px: Loop,
    pub(crate) ch: Loop,
    pub(crate) dst: Side,
    pub(crate) src: Side,
    /// Pixels in a block.
    pub(crate) group: usize,
    /// Registers of the source and of the destination.
    pub(crate) ins: usize,
    pub(crate) outs: usize,
}

/// Bytes from the first to behind the last of one pixel in a window.
fn span(unit: usize, ch: usize, stride: isize) -> usize {
    unit.saturating_add(stride.unsigned_abs().saturating_mul(ch - 1))
}

/// Whether the channels of one pixel lie before the next pixel begins.
fn nested(unit: usize, px: isize, ch: usize, stride: isize) -> bool {
    ch == 1 || stride == 0 || span(unit, ch, stride) <= px.unsigned_abs() || px == 0
}

impl Block {
    /// The block for these loops, where there is one. The destination walks upwards along both.
    pub(crate) fn new(unit: usize, px: Loop, ch: Loop) -> Option<Block> {
        let k = ch.extent;
        if unit == 0 || unit > WIDTH / 2 || k > MOST_OUT || px.dst <= 0 || (k > 1 && ch.dst == 0) {
            return None;
        }
        let d = match nested(unit, px.dst, k, ch.dst) && ch.dst >= 0 {
            true => Side::Window,
            false if px.dst == unit as isize => Side::Planes,
            false => return None,
        };
        let s = match nested(unit, px.src, k, ch.src) {
            true => Side::Window,
            false if px.src.unsigned_abs() == unit && k <= MOST_IN => Side::Planes,
            false => return None,
        };
        let (group, ins, outs) = match (d, s) {
            (Side::Planes, Side::Planes) => return None,
            (Side::Window, Side::Window) => {
                let most_out = fitting(WIDTH, span(unit, k, ch.dst), px.dst)?;
                let most_in = fitting(WIDTH * MOST_IN, span(unit, k, ch.src), px.src)?;
                let group = most_out.min(most_in);
                (group, registers(group, span(unit, k, ch.src), px.src), 1)
            }
            (Side::Planes, Side::Window) => {
                let most_in = fitting(WIDTH * MOST_IN, span(unit, k, ch.src), px.src)?;
                let group = most_in.min(WIDTH / unit);
                (group, registers(group, span(unit, k, ch.src), px.src), k)
            }
            (Side::Window, Side::Planes) => {
                let most_out = fitting(WIDTH * MOST_OUT, span(unit, k, ch.dst), px.dst)?;
                let group = most_out.min(WIDTH / unit);
                (group, k, registers(group, span(unit, k, ch.dst), px.dst))
            }
        };
        Some(Block { unit, px, ch, dst: d, src: s, group, ins, outs })
    }

    /// Whether a block takes fewer instructions than its items would one by one.
    pub(crate) fn worth(&self) -> bool {
        // A load, a permutation or a store each, against a load and a store for each item.
        let work = self.ins + self.outs + self.ins * self.outs;
        let group = self.group.min(self.px.extent);
        group >= 2 && 3 * group * self.ch.extent > work
    }

    /// Where the first register of the source begins, from the first pixel's first channel.
    fn lowest(&self) -> isize {
        let pixels = (self.px.src * (self.group as isize - 1)).min(0);
        match self.src {
            Side::Window => pixels + (self.ch.src * (self.ch.extent as isize - 1)).min(0),
            Side::Planes => pixels,
        }
    }

    /// Whether the block leaves no byte between its items in the destination.
    pub(crate) fn dense(&self) -> bool {
        match self.dst {
            Side::Planes => true,
            Side::Window => {
                self.px.dst as usize == self.unit * self.ch.extent
                    && (self.ch.extent == 1 || self.ch.dst as usize == self.unit)
            }
        }
    }
}

/// How many steps of `stride` bytes fit, each followed by `span` bytes.
fn fitting(room: usize, span: usize, stride: isize) -> Option<usize> {
    let rest = room.checked_sub(span)?;
    Some(rest.checked_div(stride.unsigned_abs()).unwrap_or(usize::MAX - 1) + 1)
}

/// How many registers so many steps take.
fn registers(group: usize, span: usize, stride: isize) -> usize {
    (stride.unsigned_abs() * (group - 1) + span).div_ceil(WIDTH)
}

/// A row of 64 numbers, on a line of its own.
#[derive(Clone, Copy)]
#[repr(align(64))]
pub(crate) struct Line(pub(crate) [u8; WIDTH]);

/// How the permutations of a pattern may be arranged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrangement {
    /// For each register of the destination a permutation of every register of the source.
    Each,
    /// No two registers of the source send the same place of theirs to one of the destination: they are blended first,
    /// and one permutation does. So three channels are pulled apart.
    BlendFirst,
    /// No two registers of the destination take the same place from one of the source, once that is permuted: it is
    /// permuted once and blended into all. So three channels are put side by side.
    PermuteFirst,
}

/// Which byte goes where in one block.
///
/// Each byte of the destination comes from one place of one register, so one row of places does for all registers that a
/// register of the destination takes from; the masks say which bytes come from which.
pub(crate) struct Pattern {
    pub(crate) ins: usize,
    pub(crate) outs: usize,
    pub(crate) arrangement: Arrangement,
    /// Where each register of the source begins, from the block's first item; likewise of the destination.
    pub(crate) from: [isize; MOST_IN],
    pub(crate) to: [isize; MOST_OUT],
    /// For register `o` of the destination and `i` of the source, at `o * ins + i`: the bytes that `o` takes from `i`
    /// (blended first: the bytes of `i` that `o` takes).
    pub(crate) takes: [u64; MOST_IN * MOST_OUT],
    /// And from which places: a row for each `o`, or where the source is permuted first, for each `i`.
    pub(crate) places: [Line; MOST_OUT],
}

/// The bytes of each register of a block that are items.
#[derive(Clone, Copy)]
pub(crate) struct Masks {
    pub(crate) reads: [u64; MOST_IN],
    pub(crate) writes: [u64; MOST_OUT],
}

impl Pattern {
    const NONE: Pattern = Pattern {
        ins: 0,
        outs: 0,
        arrangement: Arrangement::Each,
        from: [0; MOST_IN],
        to: [0; MOST_OUT],
        takes: [0; MOST_IN * MOST_OUT],
        places: [Line([0; WIDTH]); MOST_OUT],
    };

    /// Of one block, worked out in the place given, since it is too large to be passed on; and the masks of a whole
    /// block.
    pub(crate) fn new<'p>(block: &Block, place: &'p mut Option<Pattern>) -> (&'p Pattern, Masks) {
        let &Block { unit, px, ch, dst, src, ins, outs, group } = block;
        let lowest = block.lowest();
        let pattern = place.insert(Pattern::NONE);
        (pattern.ins, pattern.outs) = (ins, outs);
        for (i, from) in pattern.from.iter_mut().enumerate().take(ins) {
            *from = lowest + i as isize * if src == Side::Planes { ch.src } else { WIDTH as isize };
        }
        for (o, to) in pattern.to.iter_mut().enumerate().take(outs) {
            *to = o as isize * if dst == Side::Planes { ch.dst } else { WIDTH as isize };
        }
        let mut masks = Masks { reads: [0; MOST_IN], writes: [0; MOST_OUT] };
        // The bytes of the source that each register of the destination takes, and the places by those registers.
        let mut given = [0u64; MOST_IN * MOST_OUT];
        let mut by_source = [Line([0; WIDTH]); MOST_IN];
        let turned = src == Side::Planes && matches!(ins, 3 | 5 | 7);
        // Two registers that have to do with each other, and the bytes: written down when the next two have their turn.
        let mut pair = (0, 0, 0u64, 0u64);
        for c in 0..ch.extent {
            let (mut s, mut d) = match src {
                Side::Window => (c as isize * ch.src - lowest, 0),
                Side::Planes => ((c * WIDTH) as isize - lowest, 0),
            };
            d += match dst {
                Side::Window => c as isize * ch.dst,
                Side::Planes => (c * WIDTH) as isize,
            };
            for _ in 0..group {
                let (mut from, mut to, mut left) = (s as usize, d as usize, unit);
                // In one piece, but where an item lies across two registers.
                while left > 0 {
                    let (i, o) = (from / WIDTH % MOST_IN, to / WIDTH % MOST_OUT);
                    let (at_s, at_d) = (from % WIDTH, to % WIDTH);
                    let count = left.min(WIDTH - at_s).min(WIDTH - at_d);
                    if (o, i) != (pair.0, pair.1) {
                        pattern.takes[pair.0 * ins + pair.1] |= pair.2;
                        given[pair.0 * ins + pair.1] |= pair.3;
                        pair = (o, i, 0, 0);
                    }
                    let bits = u64::MAX >> (WIDTH - count);
                    (pair.2, pair.3) = (pair.2 | bits << at_d, pair.3 | bits << at_s);
                    pattern.places[o].0[at_d] = at_s as u8;
                    by_source[i].0[at_d] = at_s as u8;
                    if unit > 1 {
                        for k in 1..count {
                            pattern.places[o].0[(at_d + k) % WIDTH] = (at_s + k) as u8;
                            by_source[i].0[(at_d + k) % WIDTH] = (at_s + k) as u8;
                        }
                    }
                    (from, to, left) = (from + count, to + count, left - count);
                }
                (s, d) = (s + px.src, d + px.dst);
            }
        }
        pattern.takes[pair.0 * ins + pair.1] |= pair.2;
        given[pair.0 * ins + pair.1] |= pair.3;
        for o in 0..outs {
            for i in 0..ins {
                masks.reads[i] |= given[o * ins + i];
                masks.writes[o] |= pattern.takes[o * ins + i];
            }
        }
        // Fewer permutations where the pattern allows.
        if !matches!(ins, 3 | 5 | 7) {
        } else if (0..outs).all(|o| disjoint((0..ins).map(|i| given[o * ins + i]))) {
            pattern.arrangement = Arrangement::BlendFirst;
            pattern.takes = given;
        } else if turned
            && outs > 1
            && (0..ins).all(|i| disjoint((0..outs).map(|o| pattern.takes[o * ins + i])))
        {
            pattern.arrangement = Arrangement::PermuteFirst;
            pattern.places[..ins].copy_from_slice(&by_source[..ins]);
        }
        (pattern, masks)
    }
}

impl Masks {
    /// Of the first pixels of the block alone.
    pub(crate) fn first(&self, block: &Block, pixels: usize) -> Masks {
        let &Block { unit, px, ch, dst, src, group, .. } = block;
        let mut masks = *self;
        let (step, span) = match src {
            Side::Window => (px.src, span(unit, ch.extent, ch.src)),
            Side::Planes => (px.src, unit),
        };
        let (start, end) = match step {
            ..0 => ((group - pixels) * step.unsigned_abs(), usize::MAX),
            _ => (0, (pixels - 1) * step.unsigned_abs() + span),
        };
        for (i, mask) in masks.reads.iter_mut().enumerate() {
            let first = if src == Side::Planes { 0 } else { i * WIDTH };
            *mask &= bits(start, end, first);
        }
        for (o, mask) in masks.writes.iter_mut().enumerate() {
            *mask &= match dst {
                Side::Planes => bits(0, pixels * unit, 0),
                Side::Window => bits(0, pixels * px.dst.unsigned_abs(), o * WIDTH),
            };
        }
        masks
    }
}

/// Of the bits `start..end` the 64 from `first` on.
fn bits(start: usize, end: usize, first: usize) -> u64 {
    let upto = |bit: usize| match bit.saturating_sub(first) {
        count if count >= WIDTH => u64::MAX,
        count => (1 << count) - 1,
    };
    upto(end) & !upto(start)
}

/// Whether no bit is set in two of the masks.
fn disjoint(masks: impl Iterator<Item = u64>) -> bool {
    let mut seen = 0;
    for mask in masks {
        if mask & seen != 0 {
            return false;
        }
        seen |= mask;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::{Block, MOST_OUT};
    use crate::kernel::{Level, Lines, Manner, ONCE};
    use crate::plan::{Kernel, Loop};

    /// Runs the loops at odd addresses with poison around and between the items, and compares with the equation.
    fn woven(unit: usize, px: Loop, ch: Loop, manner: Manner) {
        let place = |p: usize, c: usize, px: isize, ch: isize| p as isize * px + c as isize * ch;
        let ends = |px_step: isize, ch_step: isize| {
            let corners =
                [0, px.extent - 1].map(|p| [0, ch.extent - 1].map(|c| place(p, c, px_step, ch_step)));
            let corners = corners.as_flattened();
            (*corners.iter().min().unwrap(), *corners.iter().max().unwrap())
        };
        let (low_s, high_s) = ends(px.src, ch.src);
        let (low_d, high_d) = ends(px.dst, ch.dst);
        let margin = 67;
        let source: Vec<u8> =
            (0..(high_s - low_s) as usize + unit + 2 * margin).map(|k| (k * 7 + k / 251) as u8).collect();
        let mut target = vec![0xEE; (high_d - low_d) as usize + unit + 2 * margin];
        let mut expected = target.clone();
        for p in 0..px.extent {
            for c in 0..ch.extent {
                let d = (place(p, c, px.dst, ch.dst) - low_d) as usize + margin;
                let s = (place(p, c, px.src, ch.src) - low_s) as usize + margin;
                expected[d..d + unit].copy_from_slice(&source[s..s + unit]);
            }
        }
        let loops = [px, ch];
        let inside = if ch == ONCE { &loops[..1] } else { &loops };
        let mut place = None;
        let Some(mut lines) =
            Lines::new(Kernel::Weave, manner, unit, inside, None, manner.streams, &mut place)
        else {
            return;
        };
        let to = target.as_mut_ptr().wrapping_offset(margin as isize - low_d);
        let from = source.as_ptr().wrapping_offset(margin as isize - low_s);
        // SAFETY: the loops from these two addresses stay inside both vectors.
        unsafe { lines.run(to, from) };
        // SAFETY: as above.
        unsafe { lines.finish() };
        assert!(target == expected, "unit {unit}, {px:?}, {ch:?}, {manner:?}");
    }

    /// Loops of every kind: both sides in windows, either side in planes, backwards, with gaps, standing still.
    fn kinds(mut visit: impl FnMut(usize, Loop, Loop)) {
        for unit in [1, 2, 3, 4, 5, 7, 8, 12, 16, 20, 32] {
            let n = unit as isize;
            for extent in [1, 7, 33, 300] {
                let px = |dst: isize, src: isize| Loop { extent, dst, src };
                for (d, s) in
                    [(1, -1), (1, 2), (1, -2), (1, 3), (1, 5), (1, 9), (2, 1), (3, 2), (2, 2), (1, 0)]
                {
                    visit(unit, px(d * n, s * n), ONCE);
                    visit(unit, px(d * n + (d - 1).min(1), s * n + s.signum()), ONCE);
                }
                for k in [2, 3, 4, 5, 7, 8, MOST_OUT] {
                    let ch = |dst: isize, src: isize| Loop { extent: k, dst, src };
                    let (kn, far) = (k as isize * n, extent as isize * n + 5);
                    visit(unit, px(kn, kn), ch(n, -n));
                    visit(unit, px(kn, n), ch(n, 0));
                    visit(unit, px(kn + 3, -kn), ch(n, n));
                    visit(unit, px(kn, kn + n), ch(n, n));
                    visit(unit, px(n, kn), ch(far, n));
                    visit(unit, px(n, -kn - 1), ch(far, n));
                    visit(unit, px(n, kn), ch(far, -n));
                    visit(unit, px(kn, n), ch(n, far));
                    visit(unit, px(kn, -n), ch(n, -far));
                    visit(unit, px(kn + n, n), ch(n, far));
                }
            }
        }
    }

    #[test]
    fn a_loom_fulfils_the_equation_and_touches_nothing_else() {
        for level in Level::ALL.into_iter().filter(|&level| level <= Level::of_this_machine()) {
            kinds(|unit, px, ch| {
                for streams in [false, true] {
                    woven(unit, px, ch, Manner { level, streams });
                }
            });
        }
    }

    #[test]
    fn no_byte_but_those_of_items_is_read() {
        let mut blocks = 0;
        kinds(|unit, px, ch| {
            let Some(block) = Block::new(unit, px, ch) else { return };
            blocks += 1;
            let mut place = None;
            let (pattern, whole) = super::Pattern::new(&block, &mut place);
            for pixels in 1..=block.group {
                let masks = if pixels < block.group { whole.first(&block, pixels) } else { whole };
                let mut read: Vec<isize> = Vec::new();
                for i in 0..block.ins {
                    let bits = (0..64).filter(|bit| masks.reads[i] >> bit & 1 == 1);
                    read.extend(bits.map(|bit| pattern.from[i] + bit));
                }
                let items = (0..pixels as isize)
                    .flat_map(|p| (0..ch.extent as isize).map(move |c| p * px.src + c * ch.src));
                let mut asked: Vec<isize> = items.flat_map(|at| at..at + unit as isize).collect();
                asked.sort_unstable();
                asked.dedup();
                read.sort_unstable();
                read.dedup();
                assert!(read == asked, "{block:?}, {pixels} pixels");
            }
        });
        assert!(blocks > 1500, "only {blocks} blocks");
    }
}
