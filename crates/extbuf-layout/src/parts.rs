//! The order in which a copy should run through one layout, and cutting a layout into parts for several workers.
//!
//! For a copy the names and directions of the axes do not matter, only which bytes are met in which order. The
//! canonical loop order drops axes of one entry, turns every axis so that it runs forward, puts the longest steps
//! outermost and fuses neighbours that are one axis. What is left is the fewest loops that reach the same items.

use alloc::vec::Vec;
use core::cmp::Reverse;

use crate::MAX_NDIM;
use crate::layout::Layout;
use crate::slice::Slice;

/// The axes of a layout, longest step first.
pub(crate) struct MemoryOrder {
    axes: [u8; MAX_NDIM],
    ndim: usize,
}

impl MemoryOrder {
    pub(crate) fn of(layout: &Layout) -> MemoryOrder {
        let ndim = layout.ndim();
        let mut axes = [0; MAX_NDIM];
        for (axis, slot) in axes[..ndim].iter_mut().enumerate() {
            *slot = axis as u8;
        }
        // A step before a load is longer than any after it. Stable: equal steps keep their order.
        let step = |axis: u8, level: usize| Reverse(layout.strides(level)[axis as usize].unsigned_abs());
        axes[..ndim].sort_by(|&a, &b| {
            let levels = 0..layout.levels();
            levels.clone().map(|level| step(a, level)).cmp(levels.map(|level| step(b, level)))
        });
        MemoryOrder { axes, ndim }
    }

    pub(crate) fn axes(&self) -> impl DoubleEndedIterator<Item = usize> + '_ {
        self.axes[..self.ndim].iter().map(|&axis| axis as usize)
    }
}

impl Layout {
    /// True where the first step of an axis that moves at all goes backwards.
    pub(crate) fn runs_backwards(&self, axis: usize) -> bool {
        (0..self.levels())
            .map(|level| self.strides(level)[axis])
            .find(|&stride| stride != 0)
            .is_some_and(|s| s < 0)
    }

    /// The fewest loops that reach the same items, in memory order: axes of one entry dropped, backward axes turned,
    /// longest steps first, neighbours fused. Items that the layout shows several times are still shown as often.
    ///
    /// ```
    /// use extbuf_layout::{s, Layout, Order};
    /// let layout = Layout::contiguous(1, &[4, 5, 1, 3], Order::C)?;
    /// let turned = layout.slice(s![..;-1, ..;-1, .., ..;-1])?.permute(&[3, 0, 2, 1])?;
    /// assert_eq!((turned.canonical().shape(), turned.canonical().offset(0)), (&[60][..], 0));
    /// # Ok::<(), extbuf_layout::LayoutError>(())
    /// ```
    #[must_use]
    pub fn canonical(&self) -> Layout {
        if self.is_empty() {
            let mut none = self.gathered(1, |_| None);
            none.shape_mut()[0] = 0;
            return none;
        }
        // Drop and orient.
        let mut from = self.clone();
        for axis in (0..self.ndim()).filter(|&axis| self.runs_backwards(axis)) {
            from.advance(axis, self.shape()[axis] - 1);
            from.set_axis_strides(axis, |_, stride| stride.wrapping_neg());
        }
        // Sort and fuse: an axis that is one with its outer neighbour replaces it.
        let order = MemoryOrder::of(&from);
        let mut loops = [(0u8, 0usize); MAX_NDIM];
        let mut count = 0;
        for axis in order.axes().filter(|&axis| from.shape()[axis] > 1) {
            let extent = from.shape()[axis];
            match loops[..count].last_mut() {
                Some(outer)
                    if (0..from.levels()).all(|level| from.merges_at(level, outer.0 as usize, axis)) =>
                {
                    *outer = (axis as u8, outer.1 * extent);
                }
                _ => {
                    loops[count] = (axis as u8, extent);
                    count += 1;
                }
            }
        }
        let mut out = from.gathered(count, |i| Some(loops[i].0 as usize));
        for (extent, fused) in out.shape_mut().iter_mut().zip(&loops) {
            *extent = fused.1;
        }
        out
    }

    /// Cuts the layout into at most `parts` parts that share no index, have every index between them and are near
    /// equal in size: for as many workers.
    ///
    /// The cut goes along the axis with the longest step that has at least 8 entries a part; then no part is larger
    /// than another by more than one entry of that axis. Where there is no such axis the longest is halved, again and
    /// again. There are fewer parts only where there are fewer items; without items there is one part.
    ///
    /// ```
    /// use extbuf_layout::{Layout, Order};
    /// let parts = Layout::contiguous(4, &[1000, 7], Order::C)?.parts(3);
    /// assert_eq!(parts.iter().map(|part| part.shape()[0]).collect::<Vec<_>>(), [333, 333, 334]);
    /// # Ok::<(), extbuf_layout::LayoutError>(())
    /// ```
    pub fn parts(&self, parts: usize) -> Vec<Layout> {
        let parts = parts.min(self.len()).max(1);
        let mut out = Vec::with_capacity(parts);
        cut(self, parts, &MemoryOrder::of(self), &mut out);
        out
    }
}

/// Into one part at least, and no more than there are items.
fn cut(layout: &Layout, parts: usize, order: &MemoryOrder, out: &mut Vec<Layout>) {
    if parts == 1 {
        out.push(layout.clone());
        return;
    }
    let shape = layout.shape();
    if let Some(axis) = order.axes().find(|&axis| shape[axis] / 8 >= parts) {
        let extent = shape[axis];
        let bound = |part: usize| (extent as u128 * part as u128 / parts as u128) as usize;
        out.extend((0..parts).map(|part| keep(layout, axis, bound(part), bound(part + 1))));
        return;
    }
    let Some(axis) = order.axes().max_by_key(|&axis| shape[axis]) else {
        unreachable!("two items lie along some axis")
    };
    let extent = shape[axis];
    let rest = layout.len() / extent;
    let first = parts / 2;
    let at = ((extent as u128 * first as u128 + parts as u128 / 2) / parts as u128) as usize;
    let at = at.clamp(1, extent - 1);
    // Never more parts than items on either side.
    let first = first.clamp(parts.saturating_sub((extent - at) * rest).max(1), at * rest);
    cut(&keep(layout, axis, 0, at), first, order, out);
    cut(&keep(layout, axis, at, extent), parts - first, order, out);
}

fn keep(layout: &Layout, axis: usize, start: usize, stop: usize) -> Layout {
    match layout.slice_axis(axis, Slice::from(start..stop)) {
        Ok(part) => part,
        Err(_) => unreachable!("the axis exists and the step is 1"),
    }
}
