//! Plain slices, vectors, boxes and arrays lend themselves for reading, for as long as they are borrowed. The borrow is the
//! lease: nothing is counted. A slice stores no description, so each export makes one up, in a small allocation; who
//! wants none looks with [`View::from_slice`](crate::View::from_slice).

use alloc::boxed::Box;
use alloc::vec::Vec;

use bytemuck::NoUninit;
use extbuf_format::Element;
use extbuf_layout::{Layout, Order};

use crate::exporter::{Export, Exporter};
use crate::memory::Lease;
use crate::refusal::Refusal;
use crate::request::Request;

/// One axis, format `T`'s, for reading.
///
/// ```
/// use extbuf_protocol::{Exporter, Request};
/// let numbers = vec![1.5f32, 2.5];
/// let slice = &numbers[..];
/// let export = slice.export(Request::FULL_RO)?;
/// assert_eq!(export.view().get::<f32>(&[1])?, 2.5);
/// # Ok::<(), extbuf_protocol::Refusal>(())
/// ```
impl<'m, T: Element + NoUninit> Exporter<'m> for &'m [T] {
    fn export(&self, request: Request) -> Result<Export<'m, '_>, Refusal> {
        let layout = Layout::contiguous(size_of::<T>(), &[self.len()], Order::C)?;
        Export::described(Lease::from_slice(self), layout, T::FORMAT, request)
    }
}

/// As the slice of its items.
impl<'m, T: Element + NoUninit> Exporter<'m> for &'m Vec<T> {
    fn export(&self, request: Request) -> Result<Export<'m, '_>, Refusal> {
        let layout = Layout::contiguous(size_of::<T>(), &[self.len()], Order::C)?;
        Export::described(Lease::from_slice(self.as_slice()), layout, T::FORMAT, request)
    }
}

/// As the slice of its items.
impl<'m, T: Element + NoUninit, const N: usize> Exporter<'m> for &'m [T; N] {
    fn export(&self, request: Request) -> Result<Export<'m, '_>, Refusal> {
        let layout = Layout::contiguous(size_of::<T>(), &[N], Order::C)?;
        Export::described(Lease::from_slice(self.as_slice()), layout, T::FORMAT, request)
    }
}

/// As the slice of its items.
impl<'m, T: Element + NoUninit> Exporter<'m> for &'m Box<[T]> {
    fn export(&self, request: Request) -> Result<Export<'m, '_>, Refusal> {
        let layout = Layout::contiguous(size_of::<T>(), &[self.len()], Order::C)?;
        Export::described(Lease::from_slice(self), layout, T::FORMAT, request)
    }
}
