//! Looking at memory: a base, a layout and a format, valid for a lifetime.
//!
//! A [`View`] is to lent memory what `&str` is to text: cheap, borrowed, sliced without copying. Its operations are
//! those of [`Layout`]; they move no base, follow no pointer and touch no item. A [`ViewMut`] may write, and is alone
//! in the memory while it lives, if it is [`Frozen`]. Items are read and written by index, by value or, where nobody
//! else writes them, as bytes.
// Constructors carry the contract V1 to V5; bytes become references here.
#![allow(unsafe_code)]

#[macro_use]
mod operations;
pub(crate) mod raw;

use alloc::borrow::Cow;
use core::fmt;
use core::marker::PhantomData;

use bytemuck::{AnyBitPattern, CheckedBitPattern, NoUninit};
use extbuf_format::{Element, Format, Value};
use extbuf_layout::{Layout, LayoutError, LayoutErrorKind, Order, Slice, SliceItem};

use crate::refusal::{Refusal, RefusalKind};
use crate::sharing::{Frozen, Sharing};
use raw::RawView;

/// Memory that may be read for `'a`: a base, a [`Layout`] and a [`Format`].
///
/// ```
/// use extbuf_layout::s;
/// use extbuf_protocol::View;
///
/// let numbers = [0i32, 1, 2, 3, 4, 5, 6, 7, 8, 9];
/// let odd_backwards = View::from_slice(&numbers).slice(s![..;-2])?;
/// assert_eq!(odd_backwards.shape(), [5]);
/// assert_eq!(odd_backwards.get::<i32>(&[0])?, 9);
/// assert_eq!(odd_backwards.get::<i32>(&[4])?, 1);
/// # Ok::<(), extbuf_protocol::Refusal>(())
/// ```
pub struct View<'a, S: Sharing = Frozen> {
    raw: RawView<'a>,
    memory: PhantomData<(&'a [u8], S)>,
}

impl<S: Sharing> Clone for View<'_, S> {
    fn clone(&self) -> Self {
        View { raw: self.raw.clone(), memory: PhantomData }
    }
}

/// Memory that may be written for `'a`, by nobody else meanwhile if it is [`Frozen`]. No two of its items share a byte.
///
/// ```
/// use extbuf_layout::s;
/// use extbuf_protocol::ViewMut;
///
/// let mut numbers = [0u16; 6];
/// let mut view = ViewMut::from_slice(&mut numbers).slice(s![1..;2])?;
/// view.set(&[0], 7u16)?;
/// view.set(&[2], 9u16)?;
/// assert_eq!(numbers, [0, 7, 0, 0, 0, 9]);
/// # Ok::<(), extbuf_protocol::Refusal>(())
/// ```
pub struct ViewMut<'a, S: Sharing = Frozen> {
    raw: RawView<'a>,
    memory: PhantomData<(&'a mut [u8], S)>,
}

// SAFETY: a view of frozen memory only reads bytes that nobody writes for 'a (V5): it may go where a `&[u8]` may go. A
// view of foreign memory is not `Send`, since its marker is not.
unsafe impl<S: Sharing + Send> Send for View<'_, S> {}
// SAFETY: as above.
unsafe impl<S: Sharing + Sync> Sync for View<'_, S> {}
// SAFETY: a mutable view of frozen memory is alone in its bytes for 'a (V5): it may go where a `&mut [u8]` may go.
unsafe impl<S: Sharing + Send> Send for ViewMut<'_, S> {}
// SAFETY: through a shared reference a mutable view only reads.
unsafe impl<S: Sharing + Sync> Sync for ViewMut<'_, S> {}

impl<'a> View<'a> {
    /// Looks at a slice: one axis.
    ///
    /// # Panics
    ///
    /// If `T::FORMAT` is not that of a `T`, its size being another; if there are more than `isize::MAX` items, which
    /// takes items of no bytes.
    pub fn from_slice<T: Element + NoUninit>(slice: &'a [T]) -> View<'a> {
        let base = slice.as_ptr().cast_mut().cast();
        let raw = RawView::over_slice::<T>(base, slice.len());
        // SAFETY: V1, V2: the layout is the slice's, borrowed for 'a; V4: no loads; V5: `NoUninit`, and the borrow
        // is shared.
        unsafe { View::from_raw(raw) }
    }

    /// The bytes of the item at `index`.
    ///
    /// # Errors
    ///
    /// [`RefusalKind::IndexLength`], [`RefusalKind::OutOfRange`].
    pub fn item(&self, index: &[usize]) -> Result<&'a [u8], Refusal> {
        self.raw.item_bytes(index)
    }

    /// All items as one run of bytes, where they lie that way in C order and no pointer is on the way.
    pub fn as_bytes(&self) -> Option<&'a [u8]> {
        if self.is_empty() || self.itemsize() == 0 {
            return Some(&[]);
        }
        if !self.layout().is_contiguous(Order::C) {
            return None;
        }
        let first = self.raw.base().wrapping_offset(self.layout().offset(0));
        // SAFETY: C-contiguous without loads, so `first..first + nbytes` are exactly the bytes reached (V1), for 'a
        // (V2), initialised and unwritten (V5).
        Some(unsafe { core::slice::from_raw_parts(first, self.nbytes()) })
    }
}

impl<'a, S: Sharing> View<'a, S> {
    /// # Safety
    ///
    /// V1, V2, V4 and V5 hold for `'a`.
    #[inline]
    pub(crate) unsafe fn from_raw(raw: RawView<'a>) -> View<'a, S> {
        View { raw, memory: PhantomData }
    }

    #[inline]
    pub(crate) fn raw(&self) -> &RawView<'a> {
        &self.raw
    }

    /// The windows of `size` entries that slide along an axis, as a last axis; see [`Layout::windows`]. Only for
    /// reading: neighbouring windows share items.
    ///
    /// # Errors
    ///
    /// As [`Layout::windows`].
    pub fn windows(self, axis: usize, size: usize) -> Result<Self, Refusal> {
        let layout = self.layout().windows(axis, size)?;
        Ok(self.with_subset(layout))
    }

    /// Repeats axes of extent 1, and adds axes in front, to get `shape`; see [`Layout::broadcast_to`]. Only for
    /// reading: items then share their bytes.
    ///
    /// # Errors
    ///
    /// As [`Layout::broadcast_to`].
    pub fn broadcast_to(self, shape: &[usize]) -> Result<Self, Refusal> {
        let layout = self.layout().broadcast_to(shape)?;
        Ok(self.with_subset(layout))
    }

    layout_operations!();

    /// For layouts that reach a subset of this view's; private, the callers answer for that.
    fn with_subset(self, layout: Layout) -> View<'a, S> {
        // SAFETY: V1, V4: the operations on a layout that are called here reach a subset, through the same loads.
        let raw = unsafe { self.raw.with_layout(layout) };
        View { raw, memory: PhantomData }
    }

    /// A field of every item, in place: `"b"`, `"a.b[2]"`.
    ///
    /// # Errors
    ///
    /// [`RefusalKind::Format`] where the format has no such field.
    pub fn field(self, path: &str) -> Result<View<'a, S>, Refusal> {
        let (layout, format) = self.raw.field(path)?;
        // SAFETY: V1, V4: a field lies inside its item, behind the same loads.
        let raw = unsafe { self.raw.with_layout(layout) };
        Ok(View { raw: raw.with_format(format), memory: PhantomData })
    }

    /// The base that the layout's level 0 counts from. Not the address of the first item: that is for
    /// [`Layout::locate`] to say.
    #[inline]
    pub fn as_ptr(&self) -> *const u8 {
        self.raw.base()
    }
}

impl<'a> ViewMut<'a> {
    /// Looks at a slice, for writing too: one axis.
    ///
    /// # Panics
    ///
    /// As [`View::from_slice`].
    pub fn from_slice<T: Element + NoUninit + AnyBitPattern>(slice: &'a mut [T]) -> ViewMut<'a> {
        let len = slice.len();
        let raw = RawView::over_slice::<T>(slice.as_mut_ptr().cast(), len);
        // SAFETY: V1, V2: the layout is the slice's, borrowed for 'a; V3: items of a slice are apart; V4: no loads;
        // V5: `NoUninit`, any bytes are valid (`AnyBitPattern`), and the borrow is exclusive.
        unsafe { ViewMut::from_raw(raw) }
    }

    /// The bytes of the item at `index`.
    ///
    /// # Errors
    ///
    /// [`RefusalKind::IndexLength`], [`RefusalKind::OutOfRange`].
    pub fn item(&self, index: &[usize]) -> Result<&[u8], Refusal> {
        self.raw.item_bytes(index)
    }

    /// The bytes of the item at `index`, to be written.
    ///
    /// # Errors
    ///
    /// [`RefusalKind::IndexLength`], [`RefusalKind::OutOfRange`].
    pub fn item_mut(&mut self, index: &[usize]) -> Result<&mut [u8], Refusal> {
        let item = self.raw.item(index)?;
        if self.itemsize() == 0 {
            return Ok(&mut []);
        }
        // SAFETY: V1, V2: the item lies in pinned memory for 'a, which outlives the borrow of `self`; V5: initialised,
        // and while `self` is borrowed this is the only way to it.
        Ok(unsafe { core::slice::from_raw_parts_mut(item, self.itemsize()) })
    }
}

impl<'a, S: Sharing> ViewMut<'a, S> {
    /// # Safety
    ///
    /// V1 to V5 hold for `'a`, any bytes may be written to the items.
    #[inline]
    pub(crate) unsafe fn from_raw(raw: RawView<'a>) -> ViewMut<'a, S> {
        ViewMut { raw, memory: PhantomData }
    }

    #[inline]
    pub(crate) fn raw(&self) -> &RawView<'a> {
        &self.raw
    }

    layout_operations!();

    /// For layouts that reach a subset of this view's, each item once; private, the callers answer for that.
    fn with_subset(self, layout: Layout) -> ViewMut<'a, S> {
        // SAFETY: V1, V4: the operations on a layout that are called here reach a subset, through the same loads;
        // V3: they reach each of those items once.
        let raw = unsafe { self.raw.with_layout(layout) };
        ViewMut { raw, memory: PhantomData }
    }

    /// A field of every item, in place: `"b"`, `"a.b[2]"`.
    ///
    /// # Errors
    ///
    /// [`RefusalKind::Format`] where the format has no such field.
    pub fn field(self, path: &str) -> Result<ViewMut<'a, S>, Refusal> {
        let (layout, format) = self.raw.field(path)?;
        // SAFETY: V1, V4: a field lies inside its item, behind the same loads; V3: in another item each time.
        let raw = unsafe { self.raw.with_layout(layout) };
        Ok(ViewMut { raw: raw.with_format(format), memory: PhantomData })
    }

    /// The same memory for reading, while this is borrowed.
    pub fn as_view(&self) -> View<'_, S> {
        // SAFETY: all invariants hold for 'a, and no writing happens while `self` is borrowed (V5).
        unsafe { View::from_raw(self.raw.reborrow()) }
    }

    /// The same memory for writing, for the time of a borrow.
    pub fn reborrow(&mut self) -> ViewMut<'_, S> {
        // SAFETY: all invariants hold for 'a, and `self` is not used while it is borrowed (V5).
        unsafe { ViewMut::from_raw(self.raw.reborrow()) }
    }

    /// Two views of the items before and from `at` along one axis.
    ///
    /// # Errors
    ///
    /// [`RefusalKind::OutOfRange`] where `at` is past the end of the axis; [`RefusalKind::Layout`] where there is no
    /// such axis.
    pub fn split_at(self, axis: usize, at: usize) -> Result<(ViewMut<'a, S>, ViewMut<'a, S>), Refusal> {
        let Some(&extent) = self.shape().get(axis) else {
            let kind = LayoutErrorKind::AxisOutOfRange { axis, ndim: self.ndim() };
            return Err(LayoutError::from(kind).into());
        };
        if at > extent {
            return Err(RefusalKind::OutOfRange { axis, index: at, extent }.into());
        }
        let low = self.layout().slice_axis(axis, Slice::from(0..at as isize))?;
        let high = self.layout().slice_axis(axis, Slice::from(at as isize..extent as isize))?;
        // SAFETY: V1, V3, V4: a subset of the items. V5: the two halves have no item in common, and by V3 of `self`
        // no byte either.
        let low = unsafe { self.raw.with_layout(low) };
        // SAFETY: as above.
        let high = unsafe { self.raw.with_layout(high) };
        Ok((ViewMut { raw: low, memory: PhantomData }, ViewMut { raw: high, memory: PhantomData }))
    }

    /// Writes the item at `index`.
    ///
    /// # Errors
    ///
    /// [`RefusalKind::Format`] where the format is not `T`'s, byte order included; [`RefusalKind::IndexLength`]; [`RefusalKind::OutOfRange`];
    /// [`RefusalKind::ItemBytes`] where `T::FORMAT` is not that of a `T`.
    pub fn set<T: Element + NoUninit>(&mut self, index: &[usize], value: T) -> Result<(), Refusal> {
        self.check_format::<T>()?;
        let (given, itemsize) = (size_of::<T>(), self.itemsize());
        if given != itemsize {
            return Err(RefusalKind::ItemBytes { given, itemsize }.into());
        }
        let item = self.raw.item(index)?;
        // SAFETY: the address is of an item of this view, which is borrowed exclusively: V3, V5.
        unsafe { self.raw.write::<S>(item, bytemuck::bytes_of(&value)) };
        Ok(())
    }

    /// The base that the layout's level 0 counts from, for writing. Not the address of the first item.
    #[inline]
    pub fn as_mut_ptr(&mut self) -> *mut u8 {
        self.raw.base()
    }
}

impl<'a> RawView<'a> {
    /// Base, layout and format of a slice. The caller of a constructor from it answers for V1 to V5.
    fn over_slice<T: Element>(base: *mut u8, len: usize) -> RawView<'a> {
        let layout = Layout::contiguous(size_of::<T>(), &[len], Order::C);
        RawView::over::<T>(base, layout.expect("a slice of at most isize::MAX items"))
    }

    /// The same for any layout of items of type `T`.
    pub(crate) fn over<T: Element>(base: *mut u8, layout: Layout) -> RawView<'a> {
        // `Element` is a safe trait.
        assert_eq!(T::FORMAT.itemsize(), size_of::<T>(), "the itemsize of a format and the size of its type");
        // SAFETY: a raw view alone is never read; the contract is passed on to `View::from_raw`.
        unsafe { RawView::new(base, Cow::Owned(layout), Cow::Owned(T::FORMAT)) }
    }

    fn field(&self, path: &str) -> Result<(Layout, Format), Refusal> {
        let (offset, format) = self.format.field(path)?;
        let layout = self.layout.field(offset, format.itemsize())?;
        Ok((layout, format))
    }
}

impl<S: Sharing> fmt::Debug for View<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View").field("format", self.format()).field("layout", self.layout()).finish()
    }
}

impl<S: Sharing> fmt::Debug for ViewMut<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ViewMut").field("format", self.format()).field("layout", self.layout()).finish()
    }
}
