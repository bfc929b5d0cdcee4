//! Operations that cut axes and put them together: split, merge, reshape, tile, cast, and joining two layouts.
//!
//! Splitting an axis of `n = a * b` entries writes its index as `k = b * i + j`; the strides become `b * stride` and
//! `stride`. Merging is the way back and has a condition: two neighbouring axes are one where, at every level, a step
//! of the first is as far as all steps of the second. Reshaping cuts both shapes into the smallest groups of axes
//! with the same number of items, merges each group of the old shape and splits it into the group of the new; it is
//! possible exactly where those merges are.

use core::ops::Range;

use crate::contiguity::Contiguity;
use crate::error::{LayoutError, LayoutErrorKind as Kind};
use crate::layout::{Layout, Order};

impl Layout {
    /// Cuts one axis into several whose extents multiply to its own; the last varies fastest.
    ///
    /// ```
    /// use extbuf_layout::{Layout, Order};
    /// let bytes = Layout::contiguous(1, &[12], Order::C)?;
    /// let cut = bytes.split_axis(0, &[3, 4])?;
    /// assert_eq!((cut.shape(), cut.strides(0)), (&[3, 4][..], &[4, 1][..]));
    /// # Ok::<(), extbuf_layout::LayoutError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// No such axis, another product, more than 64 axes, an extent over `isize::MAX`.
    pub fn split_axis(&self, axis: usize, extents: &[usize]) -> Result<Layout, LayoutError> {
        let extent = self.axis_extent(axis)?;
        let product = product(extents);
        if product != Some(extent) {
            return Err(Kind::SplitProduct { axis, extent, product }.into());
        }
        let cut = extents.len();
        let mut out = self.gather(self.ndim() - 1 + cut, |i| {
            Some(if i < axis {
                i
            } else if i < axis + cut {
                axis
            } else {
                i + 1 - cut
            })
        })?;
        out.shape_mut()[axis..axis + cut].copy_from_slice(extents);
        for level in 0..self.levels() {
            let fastest = self.strides(level)[axis];
            nest(extents, fastest, &mut out.level_mut(level)[1 + axis..1 + axis + cut]);
        }
        out.check_size()?;
        Ok(out)
    }

    /// Puts neighbouring axes together as one, the last of them varying fastest. No axes at all make a new one of
    /// extent 1.
    ///
    /// ```
    /// use extbuf_layout::{Layout, LayoutErrorKind, Order};
    /// let layout = Layout::contiguous(1, &[2, 3, 4], Order::C)?;
    /// assert_eq!(layout.merge_axes(1..3)?.shape(), [2, 12]);
    /// let gap = layout.slice_axis(2, 1..)?;
    /// assert_eq!(
    ///     gap.merge_axes(0..3).unwrap_err().kind(),
    ///     &LayoutErrorKind::CannotMerge { axis: 1, next: 2, level: 0 }
    /// );
    /// # Ok::<(), extbuf_layout::LayoutError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// No such axes; two of them (named) that are not one; an extent over `isize::MAX` in a layout without items.
    pub fn merge_axes(&self, axes: Range<usize>) -> Result<Layout, LayoutError> {
        let (start, end) = (axes.start, axes.end.max(axes.start));
        if start > self.ndim() || end > self.ndim() {
            return Err(Kind::AxisOutOfRange { axis: end - 1, ndim: self.ndim() }.into());
        }
        let extents = &self.shape()[start..end];
        let Some(extent) = product(extents) else {
            return Err(Kind::TooManyBytes { axis: Some(start), itemsize: self.itemsize() }.into());
        };
        // The column of the result: the fastest axis with a step, else any.
        let mut fastest = None;
        for axis in (start..end).filter(|&axis| self.shape()[axis] > 1) {
            if let Some(before) = fastest {
                self.check_merge(before, axis)?;
            }
            fastest = Some(axis);
        }
        let fastest = fastest.or_else(|| end.checked_sub(1).filter(|&axis| axis >= start));
        let merged = end - start;
        let mut out = self.gather(self.ndim() + 1 - merged, |i| match i {
            _ if i < start => Some(i),
            _ if i == start => fastest,
            _ => Some(i + merged - 1),
        })?;
        out.shape_mut()[start] = extent;
        out.check_size()?;
        Ok(out)
    }

    /// The same items, in the given order, under another shape, where that needs no copy.
    ///
    /// ```
    /// use extbuf_layout::{s, Layout, LayoutErrorKind, Order};
    /// let layout = Layout::contiguous(4, &[6, 4], Order::C)?;
    /// let rows = layout.slice(s![..;2, ..])?;
    /// assert_eq!(rows.reshape(&[3, 2, 2], Order::C)?.strides(0), [32, 8, 4]);
    /// // Behind each row kept lies one that is not.
    /// assert_eq!(
    ///     rows.reshape(&[12], Order::C).unwrap_err().kind(),
    ///     &LayoutErrorKind::CannotMerge { axis: 0, next: 1, level: 0 }
    /// );
    /// # Ok::<(), extbuf_layout::LayoutError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Another number of items; two axes (named) that would have to become one and cannot; more than 64 axes.
    pub fn reshape(&self, shape: &[usize], order: Order) -> Result<Layout, LayoutError> {
        let fortran = match order {
            Order::C => false,
            Order::F => true,
            Order::A => self.contiguity() == Contiguity::F,
        };
        if !fortran {
            return self.reshape_c(shape);
        }
        // What varies slowest in C order varies fastest in F order: read both shapes backwards.
        let mut backwards = Layout::shaped(self.itemsize(), shape, 1)?;
        backwards.shape_mut().reverse();
        match self.transpose().reshape_c(backwards.shape()) {
            Ok(out) => Ok(out.transpose()),
            Err(error) => Err(match *error.kind() {
                Kind::CannotMerge { axis, next, level } => {
                    let last = self.ndim() - 1;
                    Kind::CannotMerge { axis: last - next, next: last - axis, level }.into()
                }
                _ => error,
            }),
        }
    }

    fn reshape_c(&self, shape: &[usize]) -> Result<Layout, LayoutError> {
        let mut out = Layout::shaped(self.itemsize(), shape, self.levels())?;
        if product(shape) != Some(self.len()) {
            return Err(Kind::ReshapeItems { items: self.len(), wanted: product(shape) }.into());
        }
        out.check_size()?;
        for level in 0..self.levels() {
            out.level_mut(level)[0] = self.offset(level);
        }
        if self.is_empty() {
            return Ok(out);
        }
        // No extent is 0 here, and both shapes have the same product: each group below ends inside both.
        let (mut old, mut new) = (0, 0);
        while old < self.ndim() {
            let mut fastest = old;
            let (mut items, mut wanted) = (self.shape()[old], 1);
            let first = new;
            old += 1;
            while items != wanted {
                if wanted < items {
                    wanted *= shape[new];
                    new += 1;
                    continue;
                }
                let extent = self.shape()[old];
                if extent > 1 {
                    if items > 1 {
                        self.check_merge(fastest, old)?;
                    }
                    fastest = old;
                }
                items *= extent;
                old += 1;
            }
            for level in 0..self.levels() {
                let stride = self.strides(level)[fastest];
                nest(&shape[first..new], stride, &mut out.level_mut(level)[1 + first..1 + new]);
            }
        }
        Ok(out)
    }

    /// Cuts every axis into blocks: first the axes that count blocks, then the axes inside a block.
    ///
    /// ```
    /// use extbuf_layout::{Layout, Order};
    /// let tiles = Layout::contiguous(1, &[6, 8], Order::C)?.tile(&[3, 4])?;
    /// assert_eq!((tiles.shape(), tiles.strides(0)), (&[2, 2, 3, 4][..], &[24, 4, 8, 1][..]));
    /// # Ok::<(), extbuf_layout::LayoutError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Not one block size per axis; an extent that is not a multiple of its block; more than 64 axes.
    pub fn tile(&self, blocks: &[usize]) -> Result<Layout, LayoutError> {
        let ndim = self.ndim();
        if blocks.len() != ndim {
            return Err(Kind::TileLength { given: blocks.len(), ndim }.into());
        }
        for (axis, (&block, &extent)) in blocks.iter().zip(self.shape()).enumerate() {
            if block == 0 || extent % block != 0 {
                return Err(Kind::Tile { axis, block, extent }.into());
            }
        }
        let mut out = self.gather(2 * ndim, |i| Some(i % ndim))?;
        for (axis, &block) in blocks.iter().enumerate() {
            out.shape_mut()[axis] /= block;
            out.shape_mut()[ndim + axis] = block;
            out.set_axis_strides(axis, |_, stride| stride.wrapping_mul(block as isize));
        }
        out.check_size()?;
        Ok(out)
    }

    /// The same bytes as items of another size, where the last axis has them side by side: its extent changes so that
    /// its bytes stay.
    ///
    /// ```
    /// use extbuf_layout::{Layout, Order};
    /// let floats = Layout::contiguous(4, &[2, 6], Order::C)?;
    /// assert_eq!(floats.cast(1)?.shape(), [2, 24]);
    /// assert_eq!(floats.cast(8)?.shape(), [2, 3]);
    /// assert!(floats.cast(16).is_err());
    /// # Ok::<(), extbuf_layout::LayoutError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// No axis; a last axis with gaps or with a stride before a load; bytes that are no multiple of the new itemsize.
    pub fn cast(&self, itemsize: usize) -> Result<Layout, LayoutError> {
        let own = self.itemsize();
        if own == itemsize {
            return Ok(self.clone());
        }
        let Some(axis) = self.ndim().checked_sub(1) else {
            return Err(Kind::CastNoAxis { itemsize: own, wanted: itemsize }.into());
        };
        let (extent, last) = (self.shape()[axis], self.levels() - 1);
        if extent > 1 && !self.is_empty() {
            for level in 0..=last {
                let (stride, dense) =
                    (self.strides(level)[axis], if level == last { own as isize } else { 0 });
                if stride != dense {
                    return Err(Kind::CastGap { axis, level, stride, itemsize: own }.into());
                }
            }
        }
        let uneven = Kind::CastUneven { axis, extent, itemsize: own, wanted: itemsize };
        let extent = match extent.checked_mul(own).map(|bytes| (bytes, bytes.checked_rem(itemsize))) {
            Some((bytes, Some(0))) if own > 0 => bytes / itemsize,
            _ => return Err(uneven.into()),
        };
        let mut out = self.clone();
        out.set_itemsize(itemsize);
        out.shape_mut()[axis] = extent;
        out.set_axis_strides(axis, |level, _| if level == last { itemsize as isize } else { 0 });
        out.check_size()?;
        Ok(out)
    }

    /// The entries of an axis before `at` and those from `at` on.
    ///
    /// # Errors
    ///
    /// No such axis, or `at` beyond its end.
    pub fn split_at(&self, axis: usize, at: usize) -> Result<(Layout, Layout), LayoutError> {
        let extent = self.axis_extent(axis)?;
        if at > extent {
            return Err(Kind::SplitBeyond { axis, at, extent }.into());
        }
        Ok((self.slice_axis(axis, ..at)?, self.slice_axis(axis, at..)?))
    }

    /// This layout followed by another along an axis, where together they are one layout: the way back from
    /// [`split_at`](Layout::split_at).
    ///
    /// ```
    /// use extbuf_layout::{Layout, Order};
    /// let layout = Layout::contiguous(4, &[5, 3], Order::F)?;
    /// let (head, tail) = layout.split_at(0, 2)?;
    /// assert_eq!(head.join(&tail, 0)?, layout);
    /// assert!(tail.join(&head, 0).is_err());
    /// # Ok::<(), extbuf_layout::LayoutError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Another itemsize, number of axes or levels; another extent of an axis not joined; strides that differ; a second
    /// part that does not begin where the first ends; a total over the limits of a layout.
    pub fn join(&self, next: &Layout, axis: usize) -> Result<Layout, LayoutError> {
        let extent = self.axis_extent(axis)?;
        for (what, first, next) in [
            ("itemsize", self.itemsize(), next.itemsize()),
            ("ndim", self.ndim(), next.ndim()),
            ("levels", self.levels(), next.levels()),
        ] {
            if first != next {
                return Err(Kind::JoinUnlike { what, first, next }.into());
            }
        }
        let others = || (0..self.ndim()).filter(|&other| other != axis);
        for other in others() {
            let (here, there) = (self.shape()[other], next.shape()[other]);
            if here != there {
                return Err(Kind::JoinExtent { axis: other, extent: here, next: there }.into());
            }
        }
        let added = next.shape()[axis];
        if added == 0 {
            return Ok(self.clone());
        }
        if extent == 0 {
            return Ok(next.clone());
        }
        let mut out = self.clone();
        // Both fit isize, so their sum fits usize.
        out.shape_mut()[axis] = extent + added;
        if !self.is_empty() {
            for level in 0..self.levels() {
                let (here, there) = (self.strides(level), next.strides(level));
                let apart = |axis| Kind::JoinApart { axis, level };
                if let Some(other) = others().find(|&o| self.shape()[o] > 1 && here[o] != there[o]) {
                    return Err(apart(other).into());
                }
                let distance = next.offset(level).checked_sub(self.offset(level));
                let step = match (extent, added) {
                    (1, 1) => distance,
                    (1, _) => Some(there[axis]),
                    _ => Some(here[axis]),
                };
                let (Some(step), Some(distance)) = (step, distance) else {
                    return Err(apart(axis).into());
                };
                if step.checked_mul(extent as isize) != Some(distance) || (added > 1 && there[axis] != step) {
                    return Err(apart(axis).into());
                }
                out.level_mut(level)[1 + axis] = step;
            }
        }
        out.check()?;
        Ok(out)
    }

    /// Whether two axes of at least two entries, the second varying faster, are one axis.
    fn check_merge(&self, axis: usize, next: usize) -> Result<(), LayoutError> {
        if self.is_empty() {
            return Ok(());
        }
        match (0..self.levels()).find(|&level| !self.merges_at(level, axis, next)) {
            Some(level) => Err(Kind::CannotMerge { axis, next, level }.into()),
            None => Ok(()),
        }
    }

    /// Whether at a level one step of `axis` is as far as all steps of `next`.
    pub(crate) fn merges_at(&self, level: usize, axis: usize, next: usize) -> bool {
        let strides = self.strides(level);
        strides[next].checked_mul(self.shape()[next] as isize) == Some(strides[axis])
    }
}

/// The strides of axes nested in one another, the last having `fastest`. A stride that is used, of an extent of at
/// least 2, is shorter than the reach of the axis that was cut; others may wrap.
fn nest(extents: &[usize], fastest: isize, strides: &mut [isize]) {
    let mut step = fastest;
    for (stride, &extent) in strides.iter_mut().zip(extents).rev() {
        *stride = step;
        step = step.wrapping_mul(extent as isize);
    }
}

/// The number of items of a shape; 0 where some extent is 0, whatever the others are.
fn product(shape: &[usize]) -> Option<usize> {
    if shape.contains(&0) {
        return Some(0);
    }
    shape.iter().try_fold(1usize, |product, &extent| product.checked_mul(extent))
}
