//! Operations that move along axes: slice, index, reverse, field.
//!
//! Keeping the entries `start + step * k` of an axis puts `start` into every level's offset and `step` into every
//! level's stride: with `k = start + step * k'`,
//!
//! ```text
//! offset[l] + strides[l][axis] * k  =  (offset[l] + strides[l][axis] * start) + (strides[l][axis] * step) * k'
//! ```
//!
//! so the equation holds at each level on its own, whatever is loaded in between. Fixing an index is the same
//! without `k'`. No row of an image of row pointers is touched, however many there are.
//!
//! Why the arithmetic stays in range: where there are items, `offset + stride * start` is the place of an entry
//! that exists, and for a length of at least 2 `stride * step` is the distance of two places; both are bounded by
//! L3. In the remaining cases (a layout without items, an axis left with one entry) the numbers are never used, and
//! they are formed by wrapping.

use crate::error::{LayoutError, LayoutErrorKind as Kind};
use crate::layout::{Layout, offset_at};
use crate::slice::{Slice, SliceItem};

impl Layout {
    /// A multi-axis slice with the meaning it has in Python: bounds may be negative, left out or far outside; axes
    /// not named are kept whole; an index takes its axis away. Entries are written with [`s!`](crate::s).
    ///
    /// ```
    /// use extbuf_layout::{s, Layout, LayoutSpec, LevelSpec};
    /// // Rows of pixels behind row pointers: cutting columns moves the offset behind the load.
    /// let image = Layout::new(&LayoutSpec {
    ///     itemsize: 1,
    ///     shape: &[480, 640, 3],
    ///     levels: &[
    ///         LevelSpec { offset: 0, strides: &[8, 0, 0] },
    ///         LevelSpec { offset: 0, strides: &[0, 3, 1] },
    ///     ],
    /// })?;
    /// let part = image.slice(s![10..20, 100..200, ..])?;
    /// assert_eq!((part.offset(0), part.offset(1)), (80, 300));
    /// # Ok::<(), extbuf_layout::LayoutError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// More entries than axes, a second ellipsis, an index outside its axis, a step of 0, more than 64 axes in the
    /// result.
    pub fn slice(&self, items: impl AsRef<[SliceItem]>) -> Result<Layout, LayoutError> {
        self.slice_items(items.as_ref())
    }

    /// As [`slice`](Layout::slice), in place of what `out` was: for who keeps layouts where they lie, because they are
    /// many words to move.
    ///
    /// ```
    /// use extbuf_layout::{s, Layout, Order};
    /// let (image, mut part) = (Layout::contiguous(1, &[480, 640], Order::C)?, Layout::default());
    /// image.slice_into(s![2.., ..;-1], &mut part)?;
    /// assert_eq!(part, image.slice(s![2.., ..;-1])?);
    /// # Ok::<(), extbuf_layout::LayoutError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`slice`](Layout::slice); `out` is the default layout then.
    #[inline]
    pub fn slice_into(&self, items: impl AsRef<[SliceItem]>, out: &mut Layout) -> Result<(), LayoutError> {
        let done = self.fill_slice(items.as_ref(), out);
        if done.is_err() {
            *out = Layout::default();
        }
        done
    }

    fn slice_items(&self, items: &[SliceItem]) -> Result<Layout, LayoutError> {
        // Wrapped before it is filled in: a layout is many words to move.
        let mut result = Ok(Layout::default());
        if let Ok(out) = &mut result {
            if let Err(error) = self.fill_slice(items, out) {
                result = Err(error);
            }
        }
        result
    }

    fn fill_slice(&self, items: &[SliceItem], out: &mut Layout) -> Result<(), LayoutError> {
        let (mut named, mut fixed, mut new, mut ellipses) = (0, 0, 0, 0);
        for item in items {
            match item {
                SliceItem::Index(_) => (named, fixed) = (named + 1, fixed + 1),
                SliceItem::Slice(_) => named += 1,
                SliceItem::NewAxis => new += 1,
                SliceItem::Ellipsis => ellipses += 1,
            }
        }
        let ndim = self.ndim();
        if ellipses > 1 {
            return Err(Kind::SecondEllipsis.into());
        }
        if named > ndim {
            return Err(Kind::TooManyIndices { given: named, ndim }.into());
        }
        out.reset(self.itemsize(), ndim - fixed + new, self.levels())?;
        // How many axes the ellipsis, or the end of the list, stands for.
        let mut unnamed = ndim - named;
        if self.is_direct() {
            return self.fill_direct(items, unnamed, out);
        }
        let mut edit = Edit::new(self, out);
        for item in items {
            match *item {
                SliceItem::Index(index) => edit.index(index)?,
                SliceItem::Slice(slice) => edit.slice(slice)?,
                SliceItem::NewAxis => edit.new_axis(),
                SliceItem::Ellipsis => (0..core::mem::take(&mut unnamed)).for_each(|_| edit.keep()),
            }
        }
        (0..unnamed).for_each(|_| edit.keep());
        Ok(())
    }

    /// The rest of `fill_slice` for one level: both shapes and both strides are walked side by side, without looking for the
    /// place of each number. A slice takes two thirds of the instructions.
    #[inline(always)]
    fn fill_direct(&self, items: &[SliceItem], unnamed: usize, out: &mut Layout) -> Result<(), LayoutError> {
        let ndim = out.ndim();
        let (shape, level) = self.words().split_at(self.ndim());
        let (to_shape, to_level) = out.words_mut().split_at_mut(ndim);
        let (Some((&offset, strides)), Some((to_offset, to_strides))) =
            (level.split_first(), to_level.split_first_mut())
        else {
            unreachable!("a level has an offset")
        };
        let mut source = shape.iter().zip(strides).enumerate();
        let mut target = to_shape.iter_mut().zip(to_strides);
        let mut moved = 0isize;
        for item in items {
            match *item {
                SliceItem::Slice(slice) => {
                    let (Some((axis, from)), Some(to)) = (source.next(), target.next()) else { break };
                    let (start, step, length) =
                        slice.resolve(*from.0 as usize).map_err(|_| Kind::ZeroStep { axis })?;
                    moved = moved.wrapping_add(from.1.wrapping_mul(start as isize));
                    (*to.0, *to.1) = (length as isize, from.1.wrapping_mul(step));
                }
                SliceItem::Index(index) => {
                    let Some((axis, from)) = source.next() else { break };
                    let at = position(axis, index, *from.0 as usize)?;
                    moved = moved.wrapping_add(from.1.wrapping_mul(at as isize));
                }
                SliceItem::NewAxis => {
                    let Some(to) = target.next() else { break };
                    (*to.0, *to.1) = (1, 0);
                }
                SliceItem::Ellipsis => {
                    for _ in 0..unnamed {
                        let (Some((_, from)), Some(to)) = (source.next(), target.next()) else { break };
                        (*to.0, *to.1) = (*from.0, *from.1);
                    }
                }
            }
        }
        // All that are not named, unless an ellipsis has been there.
        for ((_, from), to) in source.zip(target) {
            (*to.0, *to.1) = (*from.0, *from.1);
        }
        // Without items nothing moves.
        *to_offset = if self.is_empty() { offset } else { offset.wrapping_add(moved) };
        Ok(())
    }

    /// Keeps a part of one axis.
    ///
    /// # Errors
    ///
    /// No such axis, or a step of 0.
    pub fn slice_axis(&self, axis: usize, slice: impl Into<Slice>) -> Result<Layout, LayoutError> {
        self.slice_one(axis, slice.into())
    }

    #[inline(always)]
    fn slice_one(&self, axis: usize, slice: Slice) -> Result<Layout, LayoutError> {
        let extent = self.axis_extent(axis)?;
        let (start, step, length) = slice.resolve(extent).map_err(|_| Kind::ZeroStep { axis })?;
        let moves = length > 0 && start > 0 && !self.is_empty();
        let (ndim, levels) = (self.ndim(), self.levels());
        // A copy with one column changed: quicker than writing every column anew.
        let mut result = Ok(self.clone());
        if let Ok(out) = &mut result {
            let words = out.words_mut();
            words[axis] = length as isize;
            for level in 0..levels {
                let offset = offset_at(level, ndim);
                let stride = words[offset + 1 + axis];
                if moves {
                    words[offset] = words[offset].wrapping_add(stride.wrapping_mul(start as isize));
                }
                words[offset + 1 + axis] = stride.wrapping_mul(step);
            }
        }
        result
    }

    /// Fixes the index of one axis, which goes away; a negative index counts from the end.
    ///
    /// # Errors
    ///
    /// No such axis, or an index outside it.
    pub fn index_axis(&self, axis: usize, index: isize) -> Result<Layout, LayoutError> {
        let extent = self.axis_extent(axis)?;
        let at = position(axis, index, extent)?;
        let mut result = Layout::zeroed(self.itemsize(), self.ndim() - 1, self.levels());
        if let Ok(out) = &mut result {
            self.gather_into(out, |i| Some(i + usize::from(i >= axis)));
            for level in 0..if self.is_empty() { 0 } else { self.levels() } {
                let step = self.strides(level)[axis].wrapping_mul(at as isize);
                let offset = &mut out.level_mut(level)[0];
                *offset = offset.wrapping_add(step);
            }
        }
        result
    }

    /// Visits one axis from its end.
    ///
    /// # Errors
    ///
    /// No such axis.
    pub fn reverse_axis(&self, axis: usize) -> Result<Layout, LayoutError> {
        self.slice_axis(axis, Slice::FULL.by(-1))
    }

    /// The part of each item that begins `offset` bytes into it and has `itemsize` bytes: a field of a record.
    ///
    /// # Errors
    ///
    /// A field that leaves the item.
    pub fn field(&self, offset: usize, itemsize: usize) -> Result<Layout, LayoutError> {
        let item = self.itemsize();
        if offset.checked_add(itemsize).is_none_or(|end| end > item) {
            return Err(Kind::FieldOutsideItem { offset, field: itemsize, itemsize: item }.into());
        }
        let mut out = self.clone();
        out.set_itemsize(itemsize);
        if !self.is_empty() {
            out.level_mut(self.levels() - 1)[0] += offset as isize;
        }
        Ok(out)
    }

    /// Moves every level's offset to the entry `at` of an axis; nothing without items.
    pub(crate) fn advance(&mut self, axis: usize, at: usize) {
        if self.is_empty() {
            return;
        }
        for level in 0..self.levels() {
            let words = self.level_mut(level);
            words[0] = words[0].wrapping_add(words[1 + axis].wrapping_mul(at as isize));
        }
    }

    pub(crate) fn axis_extent(&self, axis: usize) -> Result<usize, LayoutError> {
        match self.shape().get(axis) {
            Some(&extent) => Ok(extent),
            None => Err(Kind::AxisOutOfRange { axis, ndim: self.ndim() }.into()),
        }
    }
}

/// An index that may count from the end, as an index from the start.
fn position(axis: usize, index: isize, extent: usize) -> Result<usize, LayoutError> {
    let at = if index < 0 { extent.checked_sub(index.unsigned_abs()) } else { Some(index as usize) };
    match at {
        Some(at) if at < extent => Ok(at),
        _ => Err(Kind::IndexOutOfRange { axis, index, extent }.into()),
    }
}

/// Writes the axes of a multi-axis slice one after another. Works on the words themselves: looking up a level for each
/// number is what a slice would otherwise spend its time on.
struct Edit<'a> {
    from: &'a [isize],
    to: &'a mut [isize],
    /// Axes of the two.
    ndim: (usize, usize),
    levels: usize,
    /// The next axis to read and the next to write.
    source: usize,
    target: usize,
    has_items: bool,
}

impl<'a> Edit<'a> {
    #[inline(always)]
    fn new(from: &'a Layout, to: &'a mut Layout) -> Edit<'a> {
        let (ndim, levels) = ((from.ndim(), to.ndim()), from.levels());
        let has_items = !from.is_empty();
        let (from, to) = (from.words(), to.words_mut());
        for level in 0..levels {
            to[offset_at(level, ndim.1)] = from[offset_at(level, ndim.0)];
        }
        Edit { from, to, ndim, levels, source: 0, target: 0, has_items }
    }

    #[inline(always)]
    fn index(&mut self, index: isize) -> Result<(), LayoutError> {
        let at = position(self.source, index, self.from[self.source] as usize)?;
        self.advance(at);
        self.source += 1;
        Ok(())
    }

    #[inline(always)]
    fn slice(&mut self, slice: Slice) -> Result<(), LayoutError> {
        let axis = self.source;
        let (start, step, length) =
            slice.resolve(self.from[axis] as usize).map_err(|_| Kind::ZeroStep { axis })?;
        if length > 0 && start > 0 {
            self.advance(start);
        }
        self.write(length, step);
        Ok(())
    }

    #[inline(always)]
    fn keep(&mut self) {
        self.write(self.from[self.source] as usize, 1);
    }

    #[inline(always)]
    fn new_axis(&mut self) {
        // The strides are zero already.
        self.to[self.target] = 1;
        self.target += 1;
    }

    #[inline(always)]
    fn write(&mut self, length: usize, step: isize) {
        self.to[self.target] = length as isize;
        for level in 0..self.levels {
            let stride = self.from[offset_at(level, self.ndim.0) + 1 + self.source];
            self.to[offset_at(level, self.ndim.1) + 1 + self.target] = stride.wrapping_mul(step);
        }
        self.source += 1;
        self.target += 1;
    }

    #[inline(always)]
    fn advance(&mut self, at: usize) {
        if !self.has_items {
            return;
        }
        for level in 0..self.levels {
            let stride = self.from[offset_at(level, self.ndim.0) + 1 + self.source];
            let offset = &mut self.to[offset_at(level, self.ndim.1)];
            *offset = offset.wrapping_add(stride.wrapping_mul(at as isize));
        }
    }
}
