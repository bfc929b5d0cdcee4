//! Operations that choose axes: permute, swap, move, insert, drop, broadcast, diagonal, windows.
//!
//! Each is a choice of columns of the matrix `strides[level][axis]`, the same at every level: permuting reorders
//! columns, a new axis is a column of zeros, a window shows one column twice, a diagonal adds two columns up. A load
//! between two levels does not mind.

use crate::MAX_NDIM;
use crate::error::{LayoutError, LayoutErrorKind as Kind};
use crate::layout::Layout;

impl Layout {
    /// Reorders the axes: axis `i` of the result is axis `axes[i]` of this layout.
    ///
    /// ```
    /// use extbuf_layout::{Layout, Order};
    /// let planes = Layout::contiguous(1, &[480, 640, 3], Order::C)?.permute(&[2, 0, 1])?;
    /// assert_eq!(planes.shape(), [3, 480, 640]);
    /// assert_eq!(planes.strides(0), [1, 1920, 3]);
    /// # Ok::<(), extbuf_layout::LayoutError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Not as many entries as axes, or an axis that is out of range or named twice.
    pub fn permute(&self, axes: &[usize]) -> Result<Layout, LayoutError> {
        let ndim = self.ndim();
        if axes.len() != ndim {
            return Err(Kind::PermutationLength { given: axes.len(), ndim }.into());
        }
        let mut seen = 0u64; // one bit an axis: there are at most 64
        for &axis in axes {
            self.axis_extent(axis)?;
            if seen & (1 << axis) != 0 {
                return Err(Kind::AxisRepeated { axis }.into());
            }
            seen |= 1 << axis;
        }
        self.gather(ndim, |i| Some(axes[i]))
    }

    /// All axes in reversed order: rows become columns.
    #[must_use]
    pub fn transpose(&self) -> Layout {
        let ndim = self.ndim();
        self.gathered(ndim, |i| Some(ndim - 1 - i))
    }

    /// Exchanges two axes.
    ///
    /// # Errors
    ///
    /// No such axis.
    pub fn swap_axes(&self, a: usize, b: usize) -> Result<Layout, LayoutError> {
        self.axis_extent(a)?;
        self.axis_extent(b)?;
        self.gather(self.ndim(), |i| match i {
            _ if i == a => Some(b),
            _ if i == b => Some(a),
            _ => Some(i),
        })
    }

    /// Moves an axis to another position; the others keep their order.
    ///
    /// # Errors
    ///
    /// No such axis, or no such position.
    pub fn move_axis(&self, from: usize, to: usize) -> Result<Layout, LayoutError> {
        self.axis_extent(from)?;
        self.axis_extent(to)?;
        self.gather(self.ndim(), |i| {
            Some(match i {
                _ if i == to => from,
                _ if from < to && (from..to).contains(&i) => i + 1,
                _ if to < from && (to + 1..=from).contains(&i) => i - 1,
                _ => i,
            })
        })
    }

    /// Inserts an axis of extent 1 at a position; `axis == ndim` appends it.
    ///
    /// # Errors
    ///
    /// No such position, or more than 64 axes.
    pub fn new_axis(&self, axis: usize) -> Result<Layout, LayoutError> {
        let ndim = self.ndim();
        if axis > ndim {
            return Err(Kind::AxisOutOfRange { axis, ndim: ndim + 1 }.into());
        }
        self.gather(ndim + 1, |i| (i != axis).then(|| i - usize::from(i > axis)))
    }

    /// Takes away an axis of extent 1.
    ///
    /// # Errors
    ///
    /// No such axis, or another extent.
    pub fn drop_axis(&self, axis: usize) -> Result<Layout, LayoutError> {
        let extent = self.axis_extent(axis)?;
        if extent != 1 {
            return Err(Kind::AxisNotUnit { axis, extent }.into());
        }
        self.gather(self.ndim() - 1, |i| Some(i + usize::from(i >= axis)))
    }

    /// Repeats items to fill a shape: axes are matched from the last, an extent of 1 may become any, and axes
    /// that this layout lacks are put in front.
    ///
    /// ```
    /// use extbuf_layout::{Layout, Order};
    /// let row = Layout::contiguous(4, &[1, 3], Order::C)?;
    /// assert_eq!(row.broadcast_to(&[2, 5, 3])?.strides(0), [0, 0, 4]);
    /// # Ok::<(), extbuf_layout::LayoutError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Fewer axes than this layout has; an extent, neither 1 nor the one asked for (the axis named is the
    /// result's); more than 64 axes; more bytes than `isize::MAX`.
    pub fn broadcast_to(&self, shape: &[usize]) -> Result<Layout, LayoutError> {
        let (ndim, wanted) = (self.ndim(), shape.len());
        if wanted > MAX_NDIM {
            return Err(Kind::TooManyAxes { ndim: wanted }.into());
        }
        let Some(front) = wanted.checked_sub(ndim) else {
            return Err(Kind::BroadcastAxes { ndim, wanted }.into());
        };
        let mut result = Layout::zeroed(self.itemsize(), wanted, self.levels());
        if let Ok(out) = &mut result {
            self.gather_into(out, |i| i.checked_sub(front));
            if let Err(error) = out.widen(shape) {
                result = Err(error);
            }
        }
        result
    }

    /// Gives axes of extent 1 the extents of `shape`.
    fn widen(&mut self, shape: &[usize]) -> Result<(), LayoutError> {
        for (axis, &wanted) in shape.iter().enumerate() {
            let extent = self.shape()[axis];
            if extent == wanted {
                continue;
            }
            if extent != 1 {
                return Err(Kind::Broadcast { axis, extent, wanted }.into());
            }
            self.shape_mut()[axis] = wanted;
            self.set_axis_strides(axis, |_, _| 0);
        }
        self.check_size()
    }

    /// The items whose indices along two axes are `k` and `k + offset`, as one axis, which comes last. A negative
    /// offset starts further down the first of the two axes.
    ///
    /// ```
    /// use extbuf_layout::{Layout, Order};
    /// let square = Layout::contiguous(8, &[4, 4], Order::C)?;
    /// let above = square.diagonal(0, 1, 1)?;
    /// assert_eq!((above.shape(), above.strides(0), above.offset(0)), (&[3][..], &[40][..], 8));
    /// # Ok::<(), extbuf_layout::LayoutError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// No such axis, or the same axis twice.
    pub fn diagonal(&self, a: usize, b: usize, offset: isize) -> Result<Layout, LayoutError> {
        let (rows, columns) = (self.axis_extent(a)?, self.axis_extent(b)?);
        if a == b {
            return Err(Kind::AxisRepeated { axis: a }.into());
        }
        let skip = offset.unsigned_abs();
        let (skip_a, skip_b) = if offset < 0 { (skip, 0) } else { (0, skip) };
        let length = rows.saturating_sub(skip_a).min(columns.saturating_sub(skip_b));
        let mut from = self.clone();
        if length > 0 {
            from.advance(a, skip_a);
            from.advance(b, skip_b);
        }
        let last = self.ndim() - 2;
        let (low, high) = (a.min(b), a.max(b));
        let mut out = from.gather(self.ndim() - 1, |i| {
            Some(if i == last { a } else { i + usize::from(i >= low) + usize::from(i + 1 >= high) })
        })?;
        out.shape_mut()[last] = length;
        // For two entries or more this is the distance of two places; otherwise it is never used.
        out.set_axis_strides(last, |level, stride| stride.wrapping_add(from.strides(level)[b]));
        Ok(out)
    }

    /// All windows of `size` neighbours along an axis: the axis then counts the windows, and a new last axis the
    /// entries of one window. Windows share their items.
    ///
    /// ```
    /// use extbuf_layout::{Layout, Order};
    /// let series = Layout::contiguous(8, &[100], Order::C)?;
    /// let moving = series.windows(0, 7)?;
    /// assert_eq!((moving.shape(), moving.strides(0)), (&[94, 7][..], &[8, 8][..]));
    /// # Ok::<(), extbuf_layout::LayoutError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// No such axis; a window of 0 or more entries than the axis has; more than 64 axes; more bytes than
    /// `isize::MAX`, counting shared items as often as they are shown.
    pub fn windows(&self, axis: usize, size: usize) -> Result<Layout, LayoutError> {
        let extent = self.axis_extent(axis)?;
        if size == 0 || size > extent {
            return Err(Kind::Window { axis, size, extent }.into());
        }
        let ndim = self.ndim();
        let mut out = self.gather(ndim + 1, |i| Some(if i == ndim { axis } else { i }))?;
        out.shape_mut()[axis] = extent - size + 1;
        out.shape_mut()[ndim] = size;
        out.check_size()?;
        Ok(out)
    }

    /// A layout of `ndim` axes: axis `i` is axis `from(i)` of this one, or a new one of extent 1.
    #[inline]
    pub(crate) fn gather(
        &self,
        ndim: usize,
        from: impl Fn(usize) -> Option<usize>,
    ) -> Result<Layout, LayoutError> {
        let mut result = Layout::zeroed(self.itemsize(), ndim, self.levels());
        if let Ok(out) = &mut result {
            self.gather_into(out, from);
        }
        result
    }

    /// As `gather`, where `ndim` is known to be in range.
    #[inline]
    pub(crate) fn gathered(&self, ndim: usize, from: impl Fn(usize) -> Option<usize>) -> Layout {
        let mut out = Layout::blank(self.itemsize(), ndim, self.levels());
        self.gather_into(&mut out, from);
        out
    }

    #[inline]
    pub(crate) fn gather_into(&self, out: &mut Layout, from: impl Fn(usize) -> Option<usize>) {
        for (i, extent) in out.shape_mut().iter_mut().enumerate() {
            *extent = from(i).map_or(1, |axis| self.shape()[axis]);
        }
        for level in 0..self.levels() {
            let (source, target) = (self.level(level), out.level_mut(level));
            target[0] = source[0];
            for (i, stride) in target[1..].iter_mut().enumerate() {
                *stride = from(i).map_or(0, |axis| source[1 + axis]);
            }
        }
    }

    /// Rewrites the strides of one axis, level by level.
    pub(crate) fn set_axis_strides(&mut self, axis: usize, mut stride: impl FnMut(usize, isize) -> isize) {
        for level in 0..self.levels() {
            let word = &mut self.level_mut(level)[1 + axis];
            *word = stride(level, *word);
        }
    }
}
