//! Entries together with their indices.

use core::fmt;
use core::iter::FusedIterator;

/// An iterator over the items of a view, each with its index. See [`TypedView::indexed`](crate::TypedView::indexed).
///
/// Before the last item come all items of a C-ordered count, so the index is that of an odometer, from either end.
#[derive(Clone)]
pub struct Indexed<I, const N: usize> {
    shape: [usize; N],
    front: [usize; N],
    back: [usize; N],
    items: I,
}

impl<I: ExactSizeIterator, const N: usize> Indexed<I, N> {
    /// For an iterator over all items of `shape`.
    pub(crate) fn new(shape: [usize; N], items: I) -> Indexed<I, N> {
        Indexed { shape, front: [0; N], back: shape.map(|extent| extent.saturating_sub(1)), items }
    }

    /// The iterators under the two parts of a cut are given; `n` items are in the first.
    #[cfg(feature = "rayon")]
    pub(crate) fn cut_with(self, n: usize, cut: impl FnOnce(I, usize) -> (I, I)) -> (Self, Self) {
        let Indexed { shape, front, back, items } = self;
        let (low, high) = cut(items, n);
        let mut middle = front;
        advance(&mut middle, &shape, n);
        let mut end = middle;
        turn_back(&mut end, &shape);
        (Indexed { shape, front, back: end, items: low }, Indexed { shape, front: middle, back, items: high })
    }
}

/// Counts on by `n`.
fn advance(index: &mut [usize], shape: &[usize], n: usize) {
    let mut carry = n;
    for (k, &extent) in index.iter_mut().zip(shape).rev() {
        if carry == 0 {
            return;
        }
        // Extents are not zero where there is an item to count on from; in range, as both are less than the items.
        let at = *k + carry % extent.max(1);
        carry = carry / extent.max(1) + usize::from(at >= extent);
        *k = if at >= extent { at - extent } else { at };
    }
}

#[inline]
fn turn(index: &mut [usize], shape: &[usize]) {
    for (k, &extent) in index.iter_mut().zip(shape).rev() {
        *k += 1;
        if *k < extent {
            return;
        }
        *k = 0;
    }
}

#[inline]
fn turn_back(index: &mut [usize], shape: &[usize]) {
    for (k, &extent) in index.iter_mut().zip(shape).rev() {
        if *k > 0 {
            *k -= 1;
            return;
        }
        *k = extent.saturating_sub(1);
    }
}

impl<I: ExactSizeIterator, const N: usize> Iterator for Indexed<I, N> {
    type Item = ([usize; N], I::Item);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let item = self.items.next()?;
        let index = self.front;
        turn(&mut self.front, &self.shape);
        Some((index, item))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.items.size_hint()
    }

    fn nth(&mut self, n: usize) -> Option<Self::Item> {
        let skipped = n.min(self.items.len());
        let item = self.items.nth(n)?;
        advance(&mut self.front, &self.shape, skipped);
        let index = self.front;
        turn(&mut self.front, &self.shape);
        Some((index, item))
    }

    #[inline]
    fn fold<B, F: FnMut(B, Self::Item) -> B>(self, init: B, mut f: F) -> B {
        let Indexed { shape, mut front, items, .. } = self;
        items.fold(init, |all, item| {
            let index = front;
            turn(&mut front, &shape);
            f(all, (index, item))
        })
    }
}

impl<I: ExactSizeIterator + DoubleEndedIterator, const N: usize> DoubleEndedIterator for Indexed<I, N> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        let item = self.items.next_back()?;
        let index = self.back;
        turn_back(&mut self.back, &self.shape);
        Some((index, item))
    }
}

impl<I: ExactSizeIterator, const N: usize> ExactSizeIterator for Indexed<I, N> {}

impl<I: ExactSizeIterator + FusedIterator, const N: usize> FusedIterator for Indexed<I, N> {}

impl<I: fmt::Debug, const N: usize> fmt::Debug for Indexed<I, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Indexed").field("front", &self.front).field("items", &self.items).finish()
    }
}
