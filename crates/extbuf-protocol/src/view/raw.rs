//! The one struct that holds a base pointer, and the one function that walks a chain of loads.
//!
//! A [`RawView`] is a base, a layout and a format. Its invariants, which the constructors of [`View`](crate::View) and
//! [`ViewMut`](crate::ViewMut) demand and all their operations keep, for the lifetime `'a`:
//!
//! - **V1** every byte that the layout reaches from the base, or from a pointer loaded on the way, lies in memory that
//!   a lease pins;
//! - **V2** that lease lives for `'a`;
//! - **V3** where items are written, no two items share a byte;
//! - **V4** every pointer met on the way was stored by whoever lent the memory, and may be followed (V1 holds behind
//!   it); the pointers themselves do not change;
//! - **V5** every byte reached as part of an item is initialised, and for `'a` nobody writes it but this view, which
//!   does so only if it is a `ViewMut`. Of foreign memory: no Rust code writes it while an operation of this view runs.
//!
//! Keeping V1 is integer arithmetic: an operation on a layout reaches a subset of what the layout reached before, and
//! the base never moves.
// Raw base pointers live in this file and are followed in it.
#![allow(unsafe_code)]

use alloc::borrow::Cow;
use alloc::boxed::Box;

use extbuf_format::Format;
use extbuf_layout::Layout;

use crate::refusal::{InvalidValue, Refusal, RefusalKind};
use crate::sharing::Sharing;

/// Items up to this size are copied out of foreign memory without an allocation.
const SMALL: usize = 64;

#[derive(Clone)]
pub(crate) struct RawView<'a> {
    base: *mut u8,
    pub(crate) layout: Cow<'a, Layout>,
    pub(crate) format: Cow<'a, Format>,
}

impl<'a> RawView<'a> {
    /// # Safety
    ///
    /// V1 to V5 hold for `'a`.
    #[inline]
    pub(crate) unsafe fn new(base: *mut u8, layout: Cow<'a, Layout>, format: Cow<'a, Format>) -> RawView<'a> {
        RawView { base, layout, format }
    }

    #[inline]
    pub(crate) fn base(&self) -> *mut u8 {
        self.base
    }

    /// The same base under another layout.
    ///
    /// # Safety
    ///
    /// `layout` reaches a subset of what the present layout reaches, through the same loads (V1, V4), and V3 holds
    /// for it if it is to be written.
    pub(crate) unsafe fn with_layout(&self, layout: Layout) -> RawView<'a> {
        RawView { base: self.base, layout: Cow::Owned(layout), format: self.format.clone() }
    }

    /// The same under another format of the same itemsize.
    pub(crate) fn with_format(self, format: Format) -> RawView<'a> {
        debug_assert_eq!(format.itemsize(), self.layout.itemsize());
        RawView { format: Cow::Owned(format), ..self }
    }

    /// The metadata borrowed from this view instead of cloned.
    #[inline]
    pub(crate) fn reborrow(&self) -> RawView<'_> {
        RawView { base: self.base, layout: Cow::Borrowed(&self.layout), format: Cow::Borrowed(&self.format) }
    }

    /// Address of the item at `index`. Follows the loads on the way, touches nothing else.
    #[inline]
    pub(crate) fn item(&self, index: &[usize]) -> Result<*mut u8, Refusal> {
        let load = |base: *mut u8, place: isize| -> *mut u8 {
            let pointer = base.wrapping_offset(place).cast::<*mut u8>();
            // SAFETY: V1, V2: the place of a stored pointer is one of the bytes the layout reaches, in pinned memory;
            // V4: a pointer is stored there. It may lie at any address, hence unaligned.
            unsafe { pointer.read_unaligned() }
        };
        match self.layout.locate(self.base, index, load) {
            Some((base, place)) => Ok(base.wrapping_offset(place)),
            None => Err(self.out_of_range(index)),
        }
    }

    /// The bytes of the item at `index`. For frozen memory.
    #[inline]
    pub(crate) fn item_bytes(&self, index: &[usize]) -> Result<&'a [u8], Refusal> {
        let item = self.item(index)?;
        if self.layout.itemsize() == 0 {
            return Ok(&[]);
        }
        // SAFETY: V1: the item lies in pinned memory; V2: for 'a; V5: initialised, and not written while this
        // reference lives, since a `ViewMut` hands it out for the time of a borrow of itself only.
        Ok(unsafe { core::slice::from_raw_parts(item, self.layout.itemsize()) })
    }

    /// Shows the bytes of the item at `index` to `f`: in place where nobody writes them, else a copy.
    #[inline]
    pub(crate) fn with_item<S: Sharing, R>(
        &self,
        index: &[usize],
        f: impl FnOnce(&[u8]) -> R,
    ) -> Result<R, Refusal> {
        if S::FROZEN {
            return Ok(f(self.item_bytes(index)?));
        }
        let item = self.item(index)?;
        let itemsize = self.layout.itemsize();
        let (mut small, mut large) = ([0; SMALL], alloc::vec::Vec::new());
        let bytes = match small.get_mut(..itemsize) {
            Some(bytes) => bytes,
            None => {
                large.resize(itemsize, 0);
                &mut large[..]
            }
        };
        for (k, byte) in bytes.iter_mut().enumerate() {
            // SAFETY: V1, V2: a byte of an item in pinned memory; V5: initialised. Others may write it meanwhile, and
            // not from Rust: volatile, so that it is read once.
            *byte = unsafe { item.wrapping_add(k).read_volatile() };
        }
        Ok(f(bytes))
    }

    /// The refusal of an item whose bytes are no `T`.
    #[cold]
    pub(crate) fn no_value<T, S: Sharing>(&self, index: &[usize]) -> Refusal {
        let shown = |bytes: &[u8]| bytes[..bytes.len().min(InvalidValue::SHOWN)].to_vec();
        match self.with_item::<S, _>(index, shown) {
            Ok(bytes) => {
                let what = InvalidValue { index: index.to_vec(), bytes, asked: core::any::type_name::<T>() };
                RefusalKind::InvalidValue(Box::new(what)).into()
            }
            Err(refusal) => refusal,
        }
    }

    /// Writes the bytes of an item, as many as the itemsize.
    ///
    /// # Safety
    ///
    /// `item` is the address of an item of this view, V3 and V5 hold for writing.
    #[inline]
    pub(crate) unsafe fn write<S: Sharing>(&self, item: *mut u8, bytes: &[u8]) {
        debug_assert_eq!(bytes.len(), self.layout.itemsize());
        if S::FROZEN {
            // SAFETY: V1, V2: an item in pinned memory; V5: no reference to it, such as `bytes`, lives.
            unsafe { item.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
            return;
        }
        for (k, byte) in bytes.iter().enumerate() {
            // SAFETY: V1, V2: a byte of an item in pinned memory. Others may read and write it meanwhile, and not
            // from Rust: volatile, so that it is written once.
            unsafe { item.wrapping_add(k).write_volatile(*byte) };
        }
    }

    #[cold]
    fn out_of_range(&self, index: &[usize]) -> Refusal {
        let shape = self.layout.shape();
        let outside = index.iter().zip(shape).position(|(k, extent)| k >= extent);
        match outside.filter(|_| index.len() == shape.len()) {
            Some(axis) => RefusalKind::OutOfRange { axis, index: index[axis], extent: shape[axis] }.into(),
            None => RefusalKind::IndexLength { given: index.len(), ndim: shape.len() }.into(),
        }
    }
}
