//! Iterators over what a view shows: items, runs, parts along an axis, fields.
//!
//! Items come in C order, the last axis fastest, whatever the layout: strided, backwards, repeated, or behind stored
//! pointers. All iterators know their length, run from both ends, stay at their end, and can be cut in two, which is what
//! rayon does with them under the feature `rayon`.
//!
//! A loop that is handed to the iterator (`for_each`, `fold`, `sum`, and what is built on them) runs faster than one that
//! asks for each item (`for`): it is a plain loop over each line of items.

mod axis;
mod fields;
mod indexed;
pub(crate) mod lines;
#[cfg(feature = "rayon")]
mod parallel;
pub(crate) mod references;
mod slices;
mod values;
pub(crate) mod walk;

pub use axis::{AxisIter, AxisIterMut};
pub use fields::{Fields, FieldsMut};
pub use indexed::Indexed;
#[cfg(feature = "rayon")]
pub use parallel::{Cut, Parallel};
pub use references::{Iter, IterMut};
pub(crate) use slices::runs;
pub use slices::{Slices, SlicesMut};
pub use values::Values;

/// The iterator traits for a type with a `walk` and a method `make`, which says what to make of an address. `$step` is the
/// type whose items lie side by side in the usual case.
macro_rules! walk_iterator {
    ([$($generics:tt)*] $name:ident<$($args:tt),*>, $item:ty, $step:ty) => {
        impl<$($generics)*> $name<$($args),*> {
            /// Two iterators: of the first `n` entries, and of the rest.
            ///
            /// # Panics
            ///
            /// If there are fewer than `n` entries left.
            pub fn split_at(self, n: usize) -> (Self, Self) {
                assert!(n <= self.len(), "cut at {n} of {} entries", self.len());
                let (low, high) = self.walk.clone().split_at(n);
                (self.with_walk(low), self.with_walk(high))
            }
        }

        impl<$($generics)*> Iterator for $name<$($args),*> {
            type Item = $item;

            #[inline]
            fn next(&mut self) -> Option<$item> {
                let make = self.make();
                self.walk.next().map(make)
            }

            #[inline]
            fn size_hint(&self) -> (usize, Option<usize>) {
                (self.walk.len(), Some(self.walk.len()))
            }

            fn count(self) -> usize {
                self.walk.len()
            }

            fn last(mut self) -> Option<$item> {
                self.next_back()
            }

            fn nth(&mut self, n: usize) -> Option<$item> {
                let make = self.make();
                self.walk.nth(n).map(make)
            }

            #[inline]
            fn fold<B, F: FnMut(B, $item) -> B>(self, init: B, mut f: F) -> B {
                let make = self.make();
                self.walk.fold::<$step, B>(init, |all, at| f(all, make(at)))
            }
        }

        impl<$($generics)*> DoubleEndedIterator for $name<$($args),*> {
            #[inline]
            fn next_back(&mut self) -> Option<$item> {
                let make = self.make();
                self.walk.next_back().map(make)
            }

            fn nth_back(&mut self, n: usize) -> Option<$item> {
                let make = self.make();
                self.walk.nth_back(n).map(make)
            }

            #[inline]
            fn rfold<B, F: FnMut(B, $item) -> B>(self, init: B, mut f: F) -> B {
                let make = self.make();
                self.walk.rfold::<$step, B>(init, |all, at| f(all, make(at)))
            }
        }

        impl<$($generics)*> ExactSizeIterator for $name<$($args),*> {}

        impl<$($generics)*> core::iter::FusedIterator for $name<$($args),*> {}

        impl<$($generics)*> core::fmt::Debug for $name<$($args),*> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.debug_struct(stringify!($name)).field("left", &self.walk.len()).finish_non_exhaustive()
            }
        }
    };
}
use walk_iterator;
