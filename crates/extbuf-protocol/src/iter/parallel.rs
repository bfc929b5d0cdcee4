//! The iterators of this crate as rayon's.
//!
//! Every one of them can be cut in two, so it is an `IndexedParallelIterator`: it knows its length, can be zipped with
//! another, and collects in order.

use rayon::iter::plumbing::{Consumer, Producer, ProducerCallback, UnindexedConsumer, bridge};
use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};

use bytemuck::NoUninit;
use extbuf_format::Element;

use crate::iter::{AxisIter, AxisIterMut, Indexed, Iter, IterMut, Slices, SlicesMut, Values};
use crate::typed::{TypedAxisIter, TypedAxisIterMut, TypedView, TypedViewMut};

/// An iterator of this crate, on the threads of rayon's pool: what `into_par_iter` makes of it.
///
/// ```
/// use extbuf_protocol::TypedView;
/// use rayon::prelude::*;
/// let numbers: Vec<u64> = (0..1000).collect();
/// let backwards = TypedView::from_slice(&numbers).reverse_axis(0)?;
/// assert_eq!(backwards.par_iter().map(|x| x * 2).sum::<u64>(), 999_000);
/// assert_eq!(backwards.values().into_par_iter().position_first(|x| x == 990), Some(9));
/// # Ok::<(), extbuf_protocol::Refusal>(())
/// ```
#[derive(Clone, Debug)]
pub struct Parallel<I>(I);

/// An iterator that can be cut in two.
pub trait Cut: ExactSizeIterator + DoubleEndedIterator + Send {
    /// The first `n` entries, and the rest.
    fn cut(self, n: usize) -> (Self, Self)
    where
        Self: Sized;
}

impl<I: Cut<Item: Send>> ParallelIterator for Parallel<I> {
    type Item = I::Item;

    fn drive_unindexed<C: UnindexedConsumer<I::Item>>(self, consumer: C) -> C::Result {
        bridge(self, consumer)
    }

    fn opt_len(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

impl<I: Cut<Item: Send>> IndexedParallelIterator for Parallel<I> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn drive<C: Consumer<I::Item>>(self, consumer: C) -> C::Result {
        bridge(self, consumer)
    }

    fn with_producer<CB: ProducerCallback<I::Item>>(self, callback: CB) -> CB::Output {
        callback.callback(Part(self.0))
    }
}

struct Part<I>(I);

impl<I: Cut> Producer for Part<I> {
    type Item = I::Item;
    type IntoIter = I;

    fn into_iter(self) -> I {
        self.0
    }

    fn split_at(self, n: usize) -> (Self, Self) {
        let (low, high) = self.0.cut(n);
        (Part(low), Part(high))
    }
}

macro_rules! parallel {
    ($([$($generics:tt)*] $name:ty;)*) => {$(
        impl<$($generics)*> Cut for $name {
            fn cut(self, n: usize) -> (Self, Self) {
                self.split_at(n)
            }
        }

        impl<$($generics)*> IntoParallelIterator for $name {
            type Iter = Parallel<Self>;
            type Item = <Self as Iterator>::Item;

            fn into_par_iter(self) -> Parallel<Self> {
                Parallel(self)
            }
        }
    )*};
}

parallel! {
    ['a, T: Sync] Iter<'a, T>;
    ['a, T: Send] IterMut<'a, T>;
    ['a, T: Copy + Send + Sync] Values<'a, T>;
    ['a, T: Sync] Slices<'a, T>;
    ['a, T: Send] SlicesMut<'a, T>;
    ['a] AxisIter<'a>;
    ['a] AxisIterMut<'a>;
    ['a, T: Element + Send + Sync] TypedAxisIter<'a, T>;
    ['a, T: Element + NoUninit + Send] TypedAxisIterMut<'a, T>;
}

impl<I: Cut, const N: usize> Cut for Indexed<I, N> {
    fn cut(self, n: usize) -> (Self, Self) {
        self.cut_with(n, I::cut)
    }
}

impl<I: Cut<Item: Send>, const N: usize> IntoParallelIterator for Indexed<I, N> {
    type Iter = Parallel<Self>;
    type Item = <Self as Iterator>::Item;

    fn into_par_iter(self) -> Parallel<Self> {
        Parallel(self)
    }
}

/// `view.par_iter()`: references to the items.
impl<'a, T: Element + Sync> IntoParallelIterator for &TypedView<'a, T> {
    type Iter = Parallel<Iter<'a, T>>;
    type Item = &'a T;

    fn into_par_iter(self) -> Self::Iter {
        self.iter().into_par_iter()
    }
}

/// `view.par_iter_mut()`: references to the items, to be written.
impl<'v, T: Element + NoUninit + Send> IntoParallelIterator for &'v mut TypedViewMut<'_, T> {
    type Iter = Parallel<IterMut<'v, T>>;
    type Item = &'v mut T;

    fn into_par_iter(self) -> Self::Iter {
        self.iter_mut().into_par_iter()
    }
}
