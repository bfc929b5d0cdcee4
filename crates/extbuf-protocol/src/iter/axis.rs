//! The parts of a view along one axis, each a view of one axis less.
// Mutable parts are made here.
#![allow(unsafe_code)]

use core::fmt;
use core::iter::FusedIterator;
use core::ops::Range;

use extbuf_layout::{LayoutError, LayoutErrorKind};

use crate::refusal::{Refusal, RefusalKind};
use crate::sharing::{Frozen, Sharing};
use crate::view::{View, ViewMut};

/// The parts of a view along one axis. See [`View::axis_iter`].
pub struct AxisIter<'a, S: Sharing = Frozen> {
    view: View<'a, S>,
    axis: usize,
    left: Range<usize>,
}

/// The parts of a mutable view along one axis. See [`ViewMut::axis_iter_mut`].
pub struct AxisIterMut<'a, S: Sharing = Frozen> {
    view: ViewMut<'a, S>,
    axis: usize,
    left: Range<usize>,
}

impl<'a, S: Sharing> View<'a, S> {
    /// The parts along one axis, each a view of one axis less: rows for axis 0 of a matrix, columns for axis 1.
    ///
    /// ```
    /// use extbuf_protocol::{Buffer, Exporter, Request};
    /// let mut matrix = Buffer::from_vec(vec![1u8, 2, 3, 4, 5, 6]);
    /// matrix.reshape(&[2, 3])?;
    /// let export = matrix.export(Request::FULL_RO)?;
    /// let last_row: Vec<u8> = export.view().axis_iter(1)?.map(|column| column.get(&[1]).unwrap()).collect();
    /// assert_eq!(last_row, [4, 5, 6]);
    /// # Ok::<(), extbuf_protocol::Refusal>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`RefusalKind::Layout`] where there is no such axis.
    pub fn axis_iter(&self, axis: usize) -> Result<AxisIter<'a, S>, Refusal> {
        let left = 0..extent(self.shape(), axis)?;
        Ok(AxisIter { view: self.clone(), axis, left })
    }

    /// Two views of the items before and from `at` along one axis.
    ///
    /// # Errors
    ///
    /// [`RefusalKind::OutOfRange`] where `at` is past the end of the axis; [`RefusalKind::Layout`] where there is no
    /// such axis.
    pub fn split_at(self, axis: usize, at: usize) -> Result<(Self, Self), Refusal> {
        let extent = extent(self.shape(), axis)?;
        if at > extent {
            return Err(RefusalKind::OutOfRange { axis, index: at, extent }.into());
        }
        let low = self.clone().slice_axis(axis, ..at as isize)?;
        Ok((low, self.slice_axis(axis, at as isize..)?))
    }
}

impl<'a, S: Sharing> ViewMut<'a, S> {
    /// The parts along one axis, each a mutable view of one axis less.
    ///
    /// # Errors
    ///
    /// [`RefusalKind::Layout`] where there is no such axis.
    pub fn axis_iter_mut(self, axis: usize) -> Result<AxisIterMut<'a, S>, Refusal> {
        let left = 0..extent(self.shape(), axis)?;
        Ok(AxisIterMut { view: self, axis, left })
    }
}

fn extent(shape: &[usize], axis: usize) -> Result<usize, Refusal> {
    let missing = || LayoutError::from(LayoutErrorKind::AxisOutOfRange { axis, ndim: shape.len() }).into();
    shape.get(axis).copied().ok_or_else(missing)
}

impl<'a, S: Sharing> AxisIter<'a, S> {
    fn part(&self, k: usize) -> View<'a, S> {
        // An extent fits `isize`.
        self.view.clone().index_axis(self.axis, k as isize).expect("an index of an axis that is there")
    }

    fn with_left(&self, left: Range<usize>) -> AxisIter<'a, S> {
        AxisIter { view: self.view.clone(), axis: self.axis, left }
    }
}

impl<S: Sharing> Clone for AxisIter<'_, S> {
    fn clone(&self) -> Self {
        self.with_left(self.left.clone())
    }
}

impl<'a, S: Sharing> AxisIterMut<'a, S> {
    fn part(&self, k: usize) -> ViewMut<'a, S> {
        let raw = self.view.raw();
        let layout = raw.layout.index_axis(self.axis, k as isize).expect("an index of an axis that is there");
        // SAFETY: V1, V4: a subset of the items, through the same loads; V3: each of them once.
        let raw = unsafe { raw.with_layout(layout) };
        // SAFETY: V5: each index is given out once, and by V3 items of different indices share no byte.
        unsafe { ViewMut::from_raw(raw) }
    }

    fn with_left(&self, left: Range<usize>) -> AxisIterMut<'a, S> {
        // SAFETY: the views that this gives out are apart from those that others of the same axis give out.
        let view = unsafe { ViewMut::from_raw(self.view.raw().clone()) };
        AxisIterMut { view, axis: self.axis, left }
    }
}

macro_rules! axis_iterator {
    ($name:ident, $item:ty) => {
        impl<'a, S: Sharing> $name<'a, S> {
            /// Two iterators: of the first `n` parts, and of the rest.
            ///
            /// # Panics
            ///
            /// If there are fewer than `n` parts left.
            pub fn split_at(self, n: usize) -> (Self, Self) {
                let Range { start, end } = self.left;
                assert!(n <= end - start, "cut at {n} of {} parts", end - start);
                (self.with_left(start..start + n), self.with_left(start + n..end))
            }
        }

        impl<'a, S: Sharing> Iterator for $name<'a, S> {
            type Item = $item;

            fn next(&mut self) -> Option<$item> {
                self.left.next().map(|k| self.part(k))
            }

            fn size_hint(&self) -> (usize, Option<usize>) {
                self.left.size_hint()
            }

            fn nth(&mut self, n: usize) -> Option<$item> {
                self.left.nth(n).map(|k| self.part(k))
            }
        }

        impl<S: Sharing> DoubleEndedIterator for $name<'_, S> {
            fn next_back(&mut self) -> Option<Self::Item> {
                self.left.next_back().map(|k| self.part(k))
            }

            fn nth_back(&mut self, n: usize) -> Option<Self::Item> {
                self.left.nth_back(n).map(|k| self.part(k))
            }
        }

        impl<S: Sharing> ExactSizeIterator for $name<'_, S> {}

        impl<S: Sharing> FusedIterator for $name<'_, S> {}

        impl<S: Sharing> fmt::Debug for $name<'_, S> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).field("axis", &self.axis).field("left", &self.left).finish()
            }
        }
    };
}

axis_iterator!(AxisIter, View<'a, S>);
axis_iterator!(AxisIterMut, ViewMut<'a, S>);
