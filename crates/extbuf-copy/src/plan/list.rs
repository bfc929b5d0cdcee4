//! A short list that lives inline up to `N` entries and on the heap beyond.
//!
//! A plan is made for every one-shot copy, tiny ones too, and nearly all plans have a handful of loops: this is what
//! keeps them free of allocation.

use std::fmt;
use std::ops::{Deref, DerefMut};

#[derive(Clone)]
pub(crate) enum List<T, const N: usize> {
    Inline { len: usize, items: [T; N] },
    Heap(Vec<T>),
}

impl<T: Copy + Default, const N: usize> List<T, N> {
    pub(crate) fn new() -> Self {
        List::Inline { len: 0, items: [T::default(); N] }
    }

    pub(crate) fn push(&mut self, value: T) {
        match self {
            List::Inline { len, items } if *len < N => {
                items[*len] = value;
                *len += 1;
            }
            List::Inline { items, .. } => {
                let mut heap = Vec::with_capacity(2 * N);
                heap.extend_from_slice(items);
                heap.push(value);
                *self = List::Heap(heap);
            }
            List::Heap(heap) => heap.push(value),
        }
    }

    pub(crate) fn truncate(&mut self, count: usize) {
        match self {
            List::Inline { len, .. } => *len = count.min(*len),
            List::Heap(heap) => heap.truncate(count),
        }
    }
}

impl<T, const N: usize> Deref for List<T, N> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        match self {
            List::Inline { len, items } => &items[..*len],
            List::Heap(heap) => heap,
        }
    }
}

impl<T, const N: usize> DerefMut for List<T, N> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        match self {
            List::Inline { len, items } => &mut items[..*len],
            List::Heap(heap) => heap,
        }
    }
}

impl<T: Copy + Default, const N: usize> From<&[T]> for List<T, N> {
    fn from(items: &[T]) -> Self {
        let mut list = List::new();
        for &item in items {
            list.push(item);
        }
        list
    }
}

impl<T: fmt::Debug, const N: usize> fmt::Debug for List<T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::List;

    #[test]
    fn moves_to_the_heap_and_keeps_its_entries() {
        let mut list: List<usize, 2> = List::new();
        for i in 0..5 {
            list.push(i);
            assert_eq!(list[..], (0..=i).collect::<Vec<_>>()[..]);
        }
        list.truncate(3);
        assert_eq!(list[..], [0, 1, 2]);
    }
}
