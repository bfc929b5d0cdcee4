//! Memory kept: a lease with its own copy of the description, which it lends on.
//!
//! A [`Window`] is to lent memory what `String` is to text. It asked its exporter once; what the exporter does to its
//! own shape afterwards is no concern of the window's. As an exporter it hands out its own description, never its
//! base's, and windows made from windows share the one lease on the root: the root is not asked again, and is
//! released when the last of them goes.
// Views are made from leases here, the argument is `Window`'s invariant.
#![allow(unsafe_code)]

use alloc::borrow::Cow;
use core::fmt;

use extbuf_format::Format;
use extbuf_layout::{Layout, SliceItem};

use crate::exporter::{Export, Exporter};
use crate::memory::{Access, Lease};
use crate::refusal::{Refusal, RefusalKind};
use crate::request::{Grant, Request};
use crate::sharing::{Frozen, Sharing};
use crate::view::raw::RawView;
use crate::view::{View, ViewMut};

/// Memory kept for `'m`, with its own layout and format.
///
/// ```
/// use extbuf_layout::s;
/// use extbuf_protocol::{Buffer, Exporter, Request};
///
/// let mut buffer = Buffer::from_vec(vec![10u8, 11, 12, 13, 14, 15]);
/// let window = buffer.window(Request::FULL_RO)?;
/// let middle = window.slice(s![2..4])?; // shares the lease
///
/// buffer.reshape(&[2, 3])?; // allowed: the windows have their own shape
/// let pinned = buffer.resize(100).unwrap_err(); // not allowed: they look at this memory
/// assert_eq!(pinned.to_string(), "memory is pinned by 2 live leases");
///
/// drop(window);
/// assert_eq!(middle.view().get::<u8>(&[0])?, 12);
/// drop(middle);
/// buffer.resize(100)?;
/// # Ok::<(), extbuf_protocol::Refusal>(())
/// ```
pub struct Window<'m, S: Sharing = Frozen> {
    /// Invariant: V1, V3 (if the grant is writable), V4 and V5 hold for the lease's base under `layout` while the
    /// lease lives. The lease outlasts every borrow.
    lease: Lease<'m, S>,
    layout: Layout,
    format: Format,
    grant: Grant,
}

/// Shares the lease. Of frozen memory that was asked for writing, each window then reads, until it is alone again.
impl<S: Sharing> Clone for Window<'_, S> {
    fn clone(&self) -> Self {
        Window {
            lease: self.lease.share(),
            layout: self.layout.clone(),
            format: self.format.clone(),
            grant: self.grant,
        }
    }
}

impl<'m, S: Sharing> Window<'m, S> {
    /// # Safety
    ///
    /// The invariant on the fields.
    #[inline]
    pub(crate) unsafe fn new(
        lease: Lease<'m, S>,
        layout: Layout,
        format: Format,
        grant: Grant,
    ) -> Window<'m, S> {
        Window { lease, layout, format, grant }
    }

    /// Looks at the memory, for the time of a borrow.
    #[inline]
    pub fn view(&self) -> View<'_, S> {
        // SAFETY: V1, V4, V5: invariant; V2: the lease is borrowed. Nobody writes frozen memory: that takes the only
        // share of a writing lease, exclusively borrowed.
        unsafe { View::from_raw(self.raw()) }
    }

    /// Looks at the memory for writing, for the time of a borrow.
    ///
    /// # Errors
    ///
    /// [`RefusalKind::ReadOnly`] where the memory was not asked for writing; [`RefusalKind::Busy`] while other
    /// windows share the lease on frozen memory.
    pub fn view_mut(&mut self) -> Result<ViewMut<'_, S>, Refusal> {
        if !self.grant.writable || self.lease.access() == Access::Read {
            return Err(RefusalKind::ReadOnly.into());
        }
        let others = if S::FROZEN { self.lease.others() } else { 0 };
        if others > 0 {
            return Err(RefusalKind::Busy { live: others, writing: false }.into());
        }
        // SAFETY: V1 to V5: invariant; the lease writes, and if the memory is frozen nobody else has a share of it,
        // now or while `self` is borrowed.
        Ok(unsafe { ViewMut::from_raw(self.raw()) })
    }

    fn raw(&self) -> RawView<'_> {
        // SAFETY: a raw view alone is never read; the callers pass the contract on.
        unsafe { RawView::new(self.lease.base(), Cow::Borrowed(&self.layout), Cow::Borrowed(&self.format)) }
    }

    /// Another window on the same lease, of whatever `f` makes of this one's view. For reading.
    ///
    /// ```
    /// use extbuf_protocol::{Buffer, Exporter, Request};
    /// let buffer = Buffer::from_vec(vec![1i16, 2, 3, 4]);
    /// let turned = buffer.window(Request::FULL_RO)?.map(|view| view.new_axis(0)?.broadcast_to(&[2, 4]))?;
    /// assert_eq!(turned.view().get::<i16>(&[1, 3])?, 4);
    /// # Ok::<(), extbuf_protocol::Refusal>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Whatever `f` errs with.
    pub fn map<E>(
        &self,
        f: impl for<'e> FnOnce(View<'e, S>) -> Result<View<'e, S>, E>,
    ) -> Result<Window<'m, S>, E> {
        let (base, layout, format) = f(self.view())?.into_parts();
        let grant = self.grant.of_a_part(&layout, false);
        // Invariant: a view that is valid for every 'e is made from the one given, or is valid for ever; either is
        // valid while a share of the lease lives.
        Ok(Window { lease: self.lease.share().moved_to(base), layout, format, grant })
    }

    /// This window, of whatever `f` makes of its view. For writing; clone the window first to keep both, where the
    /// memory is foreign.
    ///
    /// ```
    /// use extbuf_layout::s;
    /// use extbuf_protocol::{Buffer, Exporter, Refusal, Request};
    /// let buffer = Buffer::from_vec(vec![1i16, 2, 3, 4]);
    /// let mut odd = buffer.window(Request::FULL)?.map_mut::<Refusal>(|view| view.slice(s![1..;2]))?;
    /// odd.view_mut()?.set(&[1], 40i16)?;
    /// drop(odd);
    /// assert_eq!(buffer.into_vec()?, [1, 2, 3, 40]);
    /// # Ok::<(), Refusal>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`view_mut`](Window::view_mut), and whatever `f` errs with; the lease is then released.
    pub fn map_mut<E: From<Refusal>>(
        mut self,
        f: impl for<'e> FnOnce(ViewMut<'e, S>) -> Result<ViewMut<'e, S>, E>,
    ) -> Result<Window<'m, S>, E> {
        let (base, layout, format) = f(self.view_mut()?)?.into_parts();
        let grant = self.grant.of_a_part(&layout, true);
        // Invariant: as in `map`, for writing.
        Ok(Window { lease: self.lease.moved_to(base), layout, format, grant })
    }

    /// Another window on the same lease, of a slice of this one. For reading; see [`map_mut`](Window::map_mut) for
    /// more.
    ///
    /// # Errors
    ///
    /// As [`Layout::slice`].
    #[inline]
    pub fn slice(&self, items: impl AsRef<[SliceItem]>) -> Result<Window<'m, S>, Refusal> {
        let layout = self.layout.slice(items.as_ref())?;
        let grant = self.grant.of_a_part(&layout, false);
        // Invariant: V1, V4: a slice reaches a subset, through the same loads.
        Ok(Window { lease: self.lease.share(), layout, format: self.format.clone(), grant })
    }

    /// Where the items are.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// What an item is.
    pub fn format(&self) -> &Format {
        &self.format
    }

    /// Number of entries along each axis.
    pub fn shape(&self) -> &[usize] {
        self.layout.shape()
    }

    /// What was asked for and may be relied on.
    pub fn grant(&self) -> Grant {
        self.grant
    }
}

/// A window lends its own description. Frozen memory for reading: who writes through a window does so with
/// [`view_mut`](Window::view_mut). Foreign memory for writing too, where the window was asked for it.
impl<'m, S: Sharing> Exporter<'m, S> for Window<'m, S> {
    #[inline]
    fn export(&self, request: Request) -> Result<Export<'m, '_, S>, Refusal> {
        if request.wants_writable() && (S::FROZEN || !self.grant.writable) {
            let kind = match self.lease.access() {
                Access::Write if S::FROZEN => RefusalKind::Busy { live: 1, writing: true },
                _ => RefusalKind::ReadOnly,
            };
            return Err(kind.into());
        }
        Export::passed_on(self.lease.lend(), &self.layout, &self.format, request)
    }
}

impl<S: Sharing> fmt::Debug for Window<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Window")
            .field("format", &self.format)
            .field("layout", &self.layout)
            .field("grant", &self.grant)
            .finish()
    }
}
