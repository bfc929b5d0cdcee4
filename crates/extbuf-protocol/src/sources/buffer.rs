//! A growable buffer: its shape may change while windows live, its memory may not.

// What was checked once is not checked at each export.
#![allow(unsafe_code)]

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use bytemuck::{AnyBitPattern, NoUninit, Zeroable};
use extbuf_format::{Element, Format};
use extbuf_layout::{Layout, Order};

use crate::exporter::{Export, Exporter};
use crate::memory::{Known, Shared};
use crate::refusal::{Refusal, RefusalKind};
use crate::request::Request;

/// A vector that lends itself, grows, and has a shape.
///
/// What of it may change while it is lent is what was settled in 2007: the shape may, since who keeps a window keeps
/// its own; the memory may not.
///
/// ```
/// use extbuf_protocol::{Buffer, Exporter, Request};
///
/// let mut buffer = Buffer::from_vec(vec![0u32; 6]);
/// buffer.reshape(&[2, 3])?;
/// let mut writer = buffer.window(Request::FULL)?;
/// writer.view_mut()?.set(&[1, 2], 42u32)?;
/// assert!(buffer.window(Request::FULL_RO).is_err()); // somebody writes
/// drop(writer);
/// assert_eq!(buffer.window(Request::FULL_RO)?.view().get::<u32>(&[1, 2])?, 42);
/// assert_eq!(buffer.into_vec()?, [0, 0, 0, 0, 0, 42]);
/// # Ok::<(), extbuf_protocol::Refusal>(())
/// ```
pub struct Buffer<T> {
    shared: Arc<Shared<Vec<T>>>,
    layout: Layout,
    format: Format,
}

impl<T: Element + NoUninit + AnyBitPattern + Zeroable + Send + Sync> Buffer<T> {
    /// Takes a vector; one axis.
    ///
    /// # Panics
    ///
    /// If `T::FORMAT` is not that of a `T`, its size being another; if there are more than `isize::MAX` items, which
    /// takes items of no bytes.
    pub fn from_vec(vec: Vec<T>) -> Buffer<T> {
        // `Element` is a safe trait.
        assert_eq!(T::FORMAT.itemsize(), size_of::<T>(), "the itemsize of a format and the size of its type");
        let layout = Layout::contiguous(size_of::<T>(), &[vec.len()], Order::C);
        let layout = layout.expect("a vector of at most isize::MAX items");
        Buffer { shared: Shared::new(vec), layout, format: T::FORMAT }
    }

    /// Gives the same items another shape, C-contiguous. Touches no memory; windows keep their own shape.
    ///
    /// # Errors
    ///
    /// [`RefusalKind::ItemCount`] where the shape has another number of items; then nothing has changed.
    pub fn reshape(&mut self, shape: &[usize]) -> Result<(), Refusal> {
        let layout = Layout::contiguous(size_of::<T>(), shape, Order::C)?;
        let (wanted, items) = (layout.len(), self.layout.len());
        if wanted != items {
            return Err(RefusalKind::ItemCount { wanted, items }.into());
        }
        self.layout = layout;
        Ok(())
    }

    /// Changes the number of items; new ones are zero. The buffer then has one axis.
    ///
    /// # Errors
    ///
    /// [`RefusalKind::Pinned`] with the number of live leases while there are any;
    /// [`RefusalKind::OutOfMemory`]. Then nothing has changed.
    pub fn resize(&mut self, len: usize) -> Result<(), Refusal> {
        self.unpinned()?;
        // One axis of items of a size that exists: it can only be too long.
        let layout = Layout::contiguous(size_of::<T>(), &[len], Order::C)
            .map_err(|_| RefusalKind::OutOfMemory { bytes: len.saturating_mul(size_of::<T>()) })?;
        let nothing = Layout::contiguous(size_of::<T>(), &[0], Order::C)?;
        // Whatever happens to the vector, a panic included, the layout never says more than is there.
        let old = core::mem::replace(&mut self.layout, nothing);
        let changed = self.unpinned()?.change(|vec| {
            let more = len.saturating_sub(vec.len());
            if vec.try_reserve(more).is_err() {
                return Err(Refusal::from(RefusalKind::OutOfMemory { bytes: layout.nbytes() }));
            }
            // Not `Vec::resize`, which would clone: `Clone` is the item type's own code, copies are not.
            vec.truncate(len);
            vec.extend(core::iter::repeat_with(T::zeroed).take(more));
            Ok(())
        });
        self.layout = if changed.is_ok() { layout } else { old };
        changed
    }

    /// Gives the vector back.
    ///
    /// # Errors
    ///
    /// [`RefusalKind::Pinned`] with the number of live leases while there are any.
    pub fn into_vec(mut self) -> Result<Vec<T>, Refusal> {
        Ok(self.unpinned()?.change(core::mem::take))
    }

    /// Leases that are live now.
    pub fn live(&self) -> usize {
        self.shared.live()
    }

    /// Number of entries along each axis.
    pub fn shape(&self) -> &[usize] {
        self.layout.shape()
    }

    /// The block, if nobody has a lease on it: each lease that outlives a borrow of this holds the `Arc`, so its only
    /// holder is alone. An export that was leaked ended with its borrow and still counts, so that a leak of any kind
    /// leaves the memory pinned.
    fn unpinned(&mut self) -> Result<&mut Shared<Vec<T>>, Refusal> {
        // Read first: the borrow of a `get_mut` that succeeds lasts beyond this function.
        let live = self.shared.live();
        match Arc::get_mut(&mut self.shared) {
            Some(shared) if live == 0 => Ok(shared),
            _ => Err(RefusalKind::Pinned { live: live.max(1) }.into()),
        }
    }
}

impl<T: Element + NoUninit + AnyBitPattern + Send + Sync> Exporter<'static> for Buffer<T> {
    #[inline]
    fn export(&self, request: Request) -> Result<Export<'static, '_>, Refusal> {
        // SAFETY: the layout is contiguous over as many items as the vector has, which `resize` keeps true, and the
        // format is `T`'s, whose size was compared. No loads; contiguous items share no byte.
        unsafe { Export::checked(Known(&self.shared), &self.layout, &self.format, request) }
    }
}

impl<T> fmt::Debug for Buffer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffer").field("format", &self.format).field("layout", &self.layout).finish()
    }
}
