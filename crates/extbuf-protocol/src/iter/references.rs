//! References to the items of a typed view.
// Addresses become references here.
#![allow(unsafe_code)]

use core::marker::PhantomData;

use crate::iter::walk::Walk;
use crate::iter::walk_iterator;

/// References to the items of a [`TypedView`](crate::TypedView), in C order. See [`TypedView::iter`](crate::TypedView::iter).
pub struct Iter<'a, T> {
    walk: Walk<'a>,
    items: PhantomData<&'a [T]>,
}

/// References to the items of a [`TypedViewMut`](crate::TypedViewMut), to be written, in C order. See
/// [`TypedViewMut::iter_mut`](crate::TypedViewMut::iter_mut).
pub struct IterMut<'a, T> {
    walk: Walk<'a>,
    items: PhantomData<&'a mut [T]>,
}

impl<'a, T> Iter<'a, T> {
    /// # Safety
    ///
    /// V1 to V5 hold for the walk, and T1 to T3 for `T`.
    pub(crate) unsafe fn new(walk: Walk<'a>) -> Iter<'a, T> {
        Iter { walk, items: PhantomData }
    }

    fn make(&self) -> impl Fn(*mut u8) -> &'a T + Copy + use<'a, T> {
        // SAFETY: V1, V2: an item of pinned memory, for 'a; V5: initialised and not written meanwhile; T1 to T3: it is a
        // `T`, aligned for it.
        |at| unsafe { &*item(at) }
    }

    fn with_walk(&self, walk: Walk<'a>) -> Iter<'a, T> {
        Iter { walk, items: PhantomData }
    }
}

impl<T> Clone for Iter<'_, T> {
    fn clone(&self) -> Self {
        self.with_walk(self.walk.clone())
    }
}

impl<'a, T> IterMut<'a, T> {
    /// # Safety
    ///
    /// V1 to V5 hold for the walk, V3 and exclusive use too, T1 to T3 for `T`, and every `T` may be written.
    pub(crate) unsafe fn new(walk: Walk<'a>) -> IterMut<'a, T> {
        IterMut { walk, items: PhantomData }
    }

    fn make(&self) -> impl Fn(*mut u8) -> &'a mut T + Copy + use<'a, T> {
        // SAFETY: as in `Iter::make`; V3: items share no byte, and the walk comes to each index once, so this is the only
        // way to it.
        |at| unsafe { &mut *item(at) }
    }

    fn with_walk(&self, walk: Walk<'a>) -> IterMut<'a, T> {
        IterMut { walk, items: PhantomData }
    }
}

walk_iterator!(['a, T] Iter<'a, T>, &'a T, T);
walk_iterator!(['a, T] IterMut<'a, T>, &'a mut T, T);

/// The item at an address; items without bytes are nowhere, so any place that is aligned will do.
#[inline(always)]
pub(crate) fn item<T>(at: *mut u8) -> *mut T {
    if size_of::<T>() == 0 { core::ptr::dangling_mut() } else { at.cast() }
}
