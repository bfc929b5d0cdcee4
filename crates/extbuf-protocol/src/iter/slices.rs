//! Slices of equal length: the bytes of each item, or runs of items that lie side by side.
// Addresses become references here.
#![allow(unsafe_code)]

use core::marker::PhantomData;

use crate::iter::references::item;
use crate::iter::walk::Walk;
use crate::iter::walk_iterator;
use crate::view::raw::RawView;
use crate::view::{View, ViewMut};

/// Slices of equal length that are all of a view, in C order: the bytes of its items ([`View::items`]), or its runs
/// ([`View::runs`], [`TypedView::runs`](crate::TypedView::runs)).
pub struct Slices<'a, T> {
    walk: Walk<'a>,
    slice_len: usize,
    items: PhantomData<&'a [T]>,
}

/// Slices of equal length that are all of a mutable view, to be written: [`ViewMut::items_mut`],
/// [`ViewMut::runs_mut`], [`TypedViewMut::runs_mut`](crate::TypedViewMut::runs_mut).
pub struct SlicesMut<'a, T> {
    walk: Walk<'a>,
    slice_len: usize,
    items: PhantomData<&'a mut [T]>,
}

/// The walk of the runs of a view, and the items in each.
pub(crate) fn runs<'a>(raw: &RawView<'a>) -> (Walk<'a>, usize) {
    let (lines, items) = crate::iter::lines::Lines::new(raw).in_runs(raw.layout.itemsize());
    (Walk::over(lines), items)
}

impl<'a, T> Slices<'a, T> {
    /// # Safety
    ///
    /// V1 to V5 hold for the walk: at each of its addresses lie so many `T`, T1 to T3.
    pub(crate) unsafe fn new(walk: Walk<'a>, slice_len: usize) -> Slices<'a, T> {
        Slices { walk, slice_len, items: PhantomData }
    }

    /// Entries of each slice.
    pub fn slice_len(&self) -> usize {
        self.slice_len
    }

    fn make(&self) -> impl Fn(*mut u8) -> &'a [T] + Copy + use<'a, T> {
        let len = self.slice_len;
        move |at| {
            // SAFETY: V1, V2: items side by side in pinned memory, for 'a; V5: initialised and not written meanwhile; T1
            // to T3: each is a `T`. Without bytes they may be anywhere.
            unsafe { core::slice::from_raw_parts(start::<T>(at, len), len) }
        }
    }

    fn with_walk(&self, walk: Walk<'a>) -> Slices<'a, T> {
        Slices { walk, ..*self }
    }
}

impl<T> Clone for Slices<'_, T> {
    fn clone(&self) -> Self {
        self.with_walk(self.walk.clone())
    }
}

impl<'a, T> SlicesMut<'a, T> {
    /// # Safety
    ///
    /// V1 to V5 hold for the walk, V3 and exclusive use too: at each of its addresses lie so many `T`, T1 to T3, and
    /// every `T` may be written.
    pub(crate) unsafe fn new(walk: Walk<'a>, slice_len: usize) -> SlicesMut<'a, T> {
        SlicesMut { walk, slice_len, items: PhantomData }
    }

    /// Entries of each slice.
    pub fn slice_len(&self) -> usize {
        self.slice_len
    }

    fn make(&self) -> impl Fn(*mut u8) -> &'a mut [T] + Copy + use<'a, T> {
        let len = self.slice_len;
        move |at| {
            // SAFETY: as in `Slices::make`; V3: items share no byte, and the walk comes to each once.
            unsafe { core::slice::from_raw_parts_mut(start::<T>(at, len), len) }
        }
    }

    fn with_walk(&self, walk: Walk<'a>) -> SlicesMut<'a, T> {
        SlicesMut { walk, ..*self }
    }
}

walk_iterator!(['a, T] Slices<'a, T>, &'a [T], T);
walk_iterator!(['a, T] SlicesMut<'a, T>, &'a mut [T], T);

/// Where a slice begins: an aligned place that is not null where it has no bytes.
#[inline(always)]
fn start<T>(at: *mut u8, len: usize) -> *mut T {
    if len == 0 { core::ptr::dangling_mut() } else { item(at) }
}

impl<'a> View<'a> {
    /// The bytes of each item, in C order.
    ///
    /// ```
    /// use extbuf_protocol::View;
    /// let view = View::from_slice(&[1u16, 2, 3]).reverse_axis(0)?;
    /// let bytes: Vec<_> = view.items().map(|item| u16::from_ne_bytes(item.try_into().unwrap())).collect();
    /// assert_eq!(bytes, [3, 2, 1]);
    /// # Ok::<(), extbuf_protocol::Refusal>(())
    /// ```
    pub fn items(&self) -> Slices<'a, u8> {
        // SAFETY: V1 to V5 of the view; any bytes are `u8`s.
        unsafe { Slices::new(Walk::new(self.raw()), self.itemsize()) }
    }

    /// Runs of bytes, all of one length, that are the items in C order: as long as the fastest axes lie side by side.
    /// Where they do not, each item is a run.
    ///
    /// ```
    /// use extbuf_layout::s;
    /// use extbuf_protocol::{Exporter, Request, Rows};
    /// let image = Rows::from_vecs(vec![vec![1u8, 2, 3, 4], vec![5, 6, 7, 8]], &[2, 2])?;
    /// let window = image.window(Request::FULL_RO)?;
    /// assert!(window.view().runs().eq([[1, 2, 3, 4], [5, 6, 7, 8]]));
    /// assert!(window.view().slice(s![.., 1..])?.runs().eq([[3, 4], [7, 8]]));
    /// # Ok::<(), extbuf_protocol::Refusal>(())
    /// ```
    pub fn runs(&self) -> Slices<'a, u8> {
        let (walk, items) = runs(self.raw());
        // SAFETY: V1 to V5 of the view; so many items lie side by side at each address, any bytes are `u8`s.
        unsafe { Slices::new(walk, items * self.itemsize()) }
    }
}

impl<'a> ViewMut<'a> {
    /// The bytes of each item, to be written, in C order. Any bytes may be written.
    ///
    /// ```
    /// use extbuf_protocol::ViewMut;
    /// let mut numbers = [1u8, 2, 3, 4];
    /// let view = ViewMut::from_slice(&mut numbers).reverse_axis(0)?;
    /// view.items_mut().enumerate().for_each(|(i, item)| item[0] = i as u8);
    /// assert_eq!(numbers, [3, 2, 1, 0]);
    /// # Ok::<(), extbuf_protocol::Refusal>(())
    /// ```
    pub fn items_mut(self) -> SlicesMut<'a, u8> {
        // SAFETY: V1 to V5 of the view, which ends here; any bytes are `u8`s, and may be written.
        unsafe { SlicesMut::new(Walk::new(self.raw()), self.itemsize()) }
    }

    /// Runs of bytes, to be written, as in [`View::runs`].
    pub fn runs_mut(self) -> SlicesMut<'a, u8> {
        let (walk, items) = runs(self.raw());
        // SAFETY: V1 to V5 of the view, which ends here; any bytes are `u8`s, and may be written.
        unsafe { SlicesMut::new(walk, items * self.itemsize()) }
    }
}
