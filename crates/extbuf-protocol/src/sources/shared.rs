//! Slices that several owners share lend themselves for reading, for as long as anybody looks: a lease is one more
//! owner.

use alloc::sync::Arc;
use alloc::vec::Vec;

use bytemuck::NoUninit;
use extbuf_format::Element;
use extbuf_layout::{Layout, Order};

use crate::exporter::{Export, Exporter};
use crate::memory::{Access, Memory};
use crate::refusal::{Refusal, RefusalKind};
use crate::request::Request;

/// One axis, format `T`'s, for reading; no borrow, so windows outlive whoever lent. Each export allocates the memory it
/// pins; who lends often makes an [`Array`](crate::Array) of [`Memory::from_ref`] once.
///
/// ```
/// use std::sync::Arc;
/// use extbuf_protocol::{Exporter, Request};
/// let window = {
///     let samples: Arc<[u16]> = Arc::from([1, 2, 3]);
///     samples.window(Request::FULL_RO)?
/// };
/// assert_eq!(window.view().get::<u16>(&[2])?, 3);
/// # Ok::<(), extbuf_protocol::Refusal>(())
/// ```
impl<'m, T: Element + NoUninit + Send + Sync + 'm> Exporter<'m> for Arc<[T]> {
    fn export(&self, request: Request) -> Result<Export<'m, '_>, Refusal> {
        lend::<T>(self.len(), Memory::from_ref::<T>(self.clone()), request)
    }
}

/// As the shared slice of its items.
impl<'m, T: Element + NoUninit + Send + Sync + 'm> Exporter<'m> for Arc<Vec<T>> {
    fn export(&self, request: Request) -> Result<Export<'m, '_>, Refusal> {
        lend::<T>(self.len(), Memory::from_ref::<T>(SharedVec(self.clone())), request)
    }
}

/// An `Arc<Vec<T>>` is an `AsRef` of the vector alone.
struct SharedVec<T>(Arc<Vec<T>>);

impl<T> AsRef<[T]> for SharedVec<T> {
    fn as_ref(&self) -> &[T] {
        &self.0
    }
}

fn lend<'m, T: Element>(
    len: usize,
    memory: Memory<'m>,
    request: Request,
) -> Result<Export<'m, 'static>, Refusal> {
    if request.wants_writable() {
        return Err(RefusalKind::ReadOnly.into());
    }
    let layout = Layout::contiguous(size_of::<T>(), &[len], Order::C)?;
    Export::described(memory.lease(Access::Read)?, layout, T::FORMAT, request)
}
