//! The plan of a conversion: shared axes, boxes, and the steps for each box. It holds no pointer.

use std::fmt;

use extbuf_layout::Layout;

use super::boxes::Boxes;
use super::space::Space;
use crate::fields::{Action, Step};
use crate::kernel::{Caches, Level};

/// Bytes that a box reads and writes at most, more or less, whatever the second cache of a core holds. Of the transpose of
/// 4096 x 4096 `f64` into `f32` and of a picture's bytes into planes of `f32` (one thread, Xeon with 2 MiB of second
/// cache, ratio to memcpy of what is written) boxes of 48, 96, 192, 384 KiB got 0.15, 0.22, 0.21, 0.21 and 0.82, 0.79,
/// 0.94, 1.02. Asking for the source of the next box made no difference that could be told from noise.
const BOX_BYTES: usize = 384 << 10;

/// Bytes written by a part, where there are several.
const PART_BYTES: usize = 1 << 20;

/// No more parts than this, however long the conversion.
const MAX_PARTS: usize = 1024;

/// What is done for every item of some layouts of one shape.
///
/// Invariants, on which `execute` rests:
///
/// - **P1** the boxes cover the shared axes, and a step stays inside the item that it is given; so every address is one
///   of an item that the layouts reach, or of a pointer that they meet;
/// - **P2** destinations do not overlap themselves, boxes are disjoint, and the steps of one item write disjoint bytes; so
///   no byte is written twice.
#[derive(Clone, Debug)]
pub(crate) struct Work {
    pub(crate) space: Space,
    pub(crate) boxes: Boxes,
    pub(crate) steps: Vec<Step>,
    items: usize,
    /// Bytes of all destinations.
    pub(crate) bytes: usize,
    pub(crate) parts: usize,
    /// Written past the cache.
    pub(crate) streams: bool,
    pub(crate) level: Level,
}

impl Work {
    /// For destinations and sources of one shape, none of the destinations overlapping itself.
    pub(crate) fn new(dsts: &[&Layout], srcs: &[&Layout], steps: Vec<Step>, level: Level) -> Work {
        let space = Space::new(dsts, srcs);
        let bytes = dsts.iter().fold(0usize, |sum, dst| sum.saturating_add(dst.nbytes()));
        let size = |layouts: &[&Layout]| layouts.iter().map(|layout| layout.itemsize()).sum::<usize>();
        let (dst_size, src_size) = (size(dsts), size(srcs));
        let most = (BOX_BYTES.min(Caches::get().l2 / 4) / (dst_size + src_size).max(1)).max(16);
        let boxes = Boxes::choose(
            &space.extents,
            (dsts[0].itemsize(), space.dsts[0].strides()),
            (srcs[0].itemsize(), space.srcs[0].strides()),
            most,
        );
        let parts = (bytes / PART_BYTES).clamp(1, MAX_PARTS).min(boxes.count().max(1));
        let streams = bytes >= Caches::get().streams_from();
        let level = level.min(Level::of_this_machine());
        Work { space, boxes, steps, items: dsts[0].len(), bytes, parts, streams, level }
    }

    /// True where some value may be refused.
    pub(crate) fn has_checks(&self) -> bool {
        self.steps
            .iter()
            .any(|step| matches!(&step.action, Action::Convert(recipe) if !recipe.checks().is_empty()))
    }

    /// True where no byte of a destination is padding that keeps what it had.
    pub(crate) fn writes_every_byte(&self) -> bool {
        let written: usize = self.steps.iter().map(|step| step.width() * step.count()).sum();
        written * self.items == self.bytes
    }

    /// The boxes of one part.
    pub(crate) fn boxes_of(&self, part: usize) -> std::ops::Range<usize> {
        let at = |part: usize| (self.boxes.count() as u128 * part as u128 / self.parts as u128) as usize;
        at(part)..at(part + 1)
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = |n| if n == 1 { "" } else { "s" };
        write!(f, "{} bytes in {} part{}", self.bytes, self.parts, s(self.parts))?;
        write!(f, "\n  {} box{}", self.boxes.count(), if self.boxes.count() == 1 { "" } else { "es" })?;
        for (i, extent) in self.boxes.size.iter().enumerate() {
            f.write_str(if i == 0 { " of " } else { " x " })?;
            write!(f, "{extent}")?;
        }
        if self.streams {
            f.write_str(", written past the cache")?;
        }
        for step in &self.steps {
            f.write_str("\n  ")?;
            if !step.path.is_empty() {
                write!(f, "{}: ", step.path)?;
            }
            let count = step.count();
            if count > 1 {
                write!(f, "{count} times ")?;
            }
            match &step.action {
                Action::Move(bytes) => write!(f, "move {bytes} byte{}", s(*bytes))?,
                Action::Clear(bytes) => write!(f, "clear {bytes} byte{}", s(*bytes))?,
                Action::Convert(recipe) => write!(f, "{recipe}")?,
            }
        }
        Ok(())
    }
}
