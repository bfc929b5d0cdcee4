//! The items of a typed view, by value.
// Items are read here.
#![allow(unsafe_code)]

use core::marker::PhantomData;

use crate::iter::references::item;
use crate::iter::walk::Walk;
use crate::iter::walk_iterator;
use crate::sharing::{Frozen, Sharing};

/// The items of a [`TypedView`](crate::TypedView) by value, in C order. See
/// [`TypedView::values`](crate::TypedView::values).
pub struct Values<'a, T, S: Sharing = Frozen> {
    walk: Walk<'a>,
    items: PhantomData<(&'a [T], S)>,
}

impl<'a, T: Copy, S: Sharing> Values<'a, T, S> {
    /// # Safety
    ///
    /// V1 to V5 hold for the walk, and T1 to T3 for `T`; any bytes are a `T` where the memory is foreign.
    pub(crate) unsafe fn new(walk: Walk<'a>) -> Values<'a, T, S> {
        Values { walk, items: PhantomData }
    }

    fn make(&self) -> impl Fn(*mut u8) -> T + Copy + use<'a, T, S> {
        |at| {
            if S::FROZEN {
                // SAFETY: V1, V2: an item of pinned memory; V5: initialised and not written meanwhile; T1 to T3: it is a
                // `T`, aligned for it.
                unsafe { item::<T>(at).read() }
            } else {
                // SAFETY: as above, but others may write it meanwhile, and not from Rust: volatile, so that it is read
                // once, and any bytes are a `T`.
                unsafe { item::<T>(at).read_volatile() }
            }
        }
    }

    fn with_walk(&self, walk: Walk<'a>) -> Values<'a, T, S> {
        Values { walk, items: PhantomData }
    }
}

impl<T: Copy, S: Sharing> Clone for Values<'_, T, S> {
    fn clone(&self) -> Self {
        self.with_walk(self.walk.clone())
    }
}

walk_iterator!(['a, T: Copy, S: Sharing] Values<'a, T, S>, T, T);
