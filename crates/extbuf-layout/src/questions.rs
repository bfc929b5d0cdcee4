//! Small questions about one layout: what it repeats, what it leaves out, how its items are aligned.

use alloc::vec::Vec;

use crate::layout::Layout;

impl Layout {
    /// True where an axis of at least two entries steps nowhere, so that it shows the same items again.
    pub fn is_broadcast(&self) -> bool {
        let stands = |axis: usize| (0..self.levels()).all(|level| self.strides(level)[axis] == 0);
        (0..self.ndim()).any(|axis| self.shape()[axis] > 1 && stands(axis))
    }

    /// True where the items, taken together, leave out no byte between the lowest and the highest they reach. A layout
    /// with loads leaves out; one without items leaves out nothing.
    ///
    /// ```
    /// use extbuf_layout::{s, Layout, Order};
    /// let layout = Layout::contiguous(4, &[3, 4], Order::C)?;
    /// assert!(layout.transpose().is_exhaustive());
    /// assert!(layout.windows(1, 2)?.is_exhaustive());
    /// assert!(!layout.slice(s![.., 1..])?.is_exhaustive());
    /// # Ok::<(), extbuf_layout::LayoutError>(())
    /// ```
    pub fn is_exhaustive(&self) -> bool {
        if self.is_empty() {
            return true;
        }
        if !self.is_direct() {
            return false;
        }
        let used =
            self.shape().iter().zip(self.strides(0)).filter(|&(&extent, &stride)| extent > 1 && stride != 0);
        let mut axes: Vec<(usize, usize)> =
            used.map(|(&extent, stride)| (stride.unsigned_abs(), extent)).collect();
        axes.sort_unstable();
        // From the shortest step: what is covered grows without a gap, or the byte behind it is never reached.
        let mut covered = self.itemsize();
        for (step, extent) in axes {
            if step > covered {
                return false;
            }
            // In range: this is the distance of two bytes reached.
            covered += step * (extent - 1);
        }
        true
    }

    /// The largest power of two that every item's address is sure to be a multiple of, where the base is (or, with
    /// loads, the pointers of the last load are) a multiple of the power of two `block`.
    ///
    /// ```
    /// use extbuf_layout::Layout;
    /// let records = Layout::strided(4, &[10], &[24], 4)?;
    /// assert_eq!(records.alignment(64), 4);
    /// assert_eq!(records.alignment(2), 2);
    /// # Ok::<(), extbuf_layout::LayoutError>(())
    /// ```
    pub fn alignment(&self, block: usize) -> usize {
        let last = self.levels() - 1;
        let mut bits = block.max(1);
        if !self.is_empty() {
            bits |= self.offset(last) as usize;
            for (&extent, &stride) in self.shape().iter().zip(self.strides(last)) {
                bits |= if extent > 1 { stride as usize } else { 0 };
            }
        }
        1 << bits.trailing_zeros()
    }
}
