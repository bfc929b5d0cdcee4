//! The parts of a typed view along one axis: typed as the whole is, and not proven again.

use core::fmt;
use core::iter::FusedIterator;
use core::marker::PhantomData;

use bytemuck::NoUninit;
use extbuf_format::Element;

use super::{TypedView, TypedViewMut};
use crate::iter::{AxisIter, AxisIterMut};
use crate::refusal::Refusal;
use crate::sharing::{Frozen, Sharing};

/// The parts of a typed view along one axis. See [`TypedView::axis_iter`].
pub struct TypedAxisIter<'a, T, S: Sharing = Frozen> {
    parts: AxisIter<'a, S>,
    items: PhantomData<&'a [T]>,
}

/// The parts of a mutable typed view along one axis. See [`TypedViewMut::axis_iter_mut`].
pub struct TypedAxisIterMut<'a, T, S: Sharing = Frozen> {
    parts: AxisIterMut<'a, S>,
    items: PhantomData<&'a mut [T]>,
}

impl<'a, T: Element, S: Sharing> TypedView<'a, T, S> {
    /// The parts along one axis, each a typed view of one axis less: rows for axis 0 of a matrix, columns for axis 1.
    ///
    /// ```
    /// use extbuf_protocol::{Exporter, Request, Rows};
    /// let rows = Rows::from_vecs(vec![vec![1.0f32, 2.0], vec![3.0, 4.0]], &[2])?;
    /// let window = rows.window(Request::FULL_RO)?;
    /// let view = window.view().typed::<f32>()?;
    /// let sums: Vec<f32> = view.axis_iter(1)?.map(|column| column.values().sum()).collect();
    /// assert_eq!(sums, [4.0, 6.0]);
    /// # Ok::<(), extbuf_protocol::Refusal>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`RefusalKind::Layout`](crate::RefusalKind::Layout) where there is no such axis.
    pub fn axis_iter(&self, axis: usize) -> Result<TypedAxisIter<'a, T, S>, Refusal> {
        Ok(TypedAxisIter { parts: self.view.axis_iter(axis)?, items: PhantomData })
    }
}

impl<T: Element + NoUninit, S: Sharing> TypedViewMut<'_, T, S> {
    /// The parts along one axis, each a mutable typed view of one axis less.
    ///
    /// ```
    /// use extbuf_protocol::ViewMut;
    /// let mut numbers = [1u8, 2, 3, 4];
    /// let mut view = ViewMut::from_slice(&mut numbers).new_axis(0)?.typed::<u8>()?;
    /// for (k, mut column) in view.axis_iter_mut(1)?.enumerate() {
    ///     column.fill(k as u8);
    /// }
    /// assert_eq!(numbers, [0, 1, 2, 3]);
    /// # Ok::<(), extbuf_protocol::Refusal>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`RefusalKind::Layout`](crate::RefusalKind::Layout) where there is no such axis.
    pub fn axis_iter_mut(&mut self, axis: usize) -> Result<TypedAxisIterMut<'_, T, S>, Refusal> {
        Ok(TypedAxisIterMut { parts: self.view.reborrow().axis_iter_mut(axis)?, items: PhantomData })
    }
}

impl<T, S: Sharing> Clone for TypedAxisIter<'_, T, S> {
    fn clone(&self) -> Self {
        TypedAxisIter { parts: self.parts.clone(), items: PhantomData }
    }
}

macro_rules! typed_axis_iterator {
    ($name:ident, $item:ident, [$($bounds:tt)*]) => {
        impl<'a, T: $($bounds)*, S: Sharing> $name<'a, T, S> {
            /// Two iterators: of the first `n` parts, and of the rest.
            ///
            /// # Panics
            ///
            /// If there are fewer than `n` parts left.
            pub fn split_at(self, n: usize) -> (Self, Self) {
                let (low, high) = self.parts.split_at(n);
                ($name { parts: low, items: PhantomData }, $name { parts: high, items: PhantomData })
            }
        }

        impl<'a, T: $($bounds)*, S: Sharing> Iterator for $name<'a, T, S> {
            type Item = $item<'a, T, S>;

            // T1 to T3: the items of a part are items of the whole.
            fn next(&mut self) -> Option<Self::Item> {
                self.parts.next().map($item::of)
            }

            fn size_hint(&self) -> (usize, Option<usize>) {
                self.parts.size_hint()
            }

            fn nth(&mut self, n: usize) -> Option<Self::Item> {
                self.parts.nth(n).map($item::of)
            }
        }

        impl<T: $($bounds)*, S: Sharing> DoubleEndedIterator for $name<'_, T, S> {
            fn next_back(&mut self) -> Option<Self::Item> {
                self.parts.next_back().map($item::of)
            }

            fn nth_back(&mut self, n: usize) -> Option<Self::Item> {
                self.parts.nth_back(n).map($item::of)
            }
        }

        impl<T: $($bounds)*, S: Sharing> ExactSizeIterator for $name<'_, T, S> {}

        impl<T: $($bounds)*, S: Sharing> FusedIterator for $name<'_, T, S> {}

        impl<T, S: Sharing> fmt::Debug for $name<'_, T, S> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.parts.fmt(f)
            }
        }
    };
}

typed_axis_iterator!(TypedAxisIter, TypedView, [Element]);
typed_axis_iterator!(TypedAxisIterMut, TypedViewMut, [Element + NoUninit]);
