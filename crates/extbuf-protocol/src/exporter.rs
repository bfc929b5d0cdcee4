//! Lending: the trait of whoever has memory, and the one grant it hands out.
//!
//! The question of March 2007 was how long shape, strides and format may be relied on, and by whom they are owned. Here
//! the answer is two lifetimes. An [`Export<'m, 'd>`](Export) has the memory for `'m` and borrows the exporter's own
//! stored description for `'d`: nothing is allocated, and while `'d` lives the exporter cannot describe itself anew.
//! [`Export::keep`] copies the description into a [`Window<'m>`](Window): `'d` ends, the exporter may change its
//! shape, the memory stays pinned until the window is dropped.
// Views are made from leases here, the argument is `Export`'s invariant.
#![allow(unsafe_code)]

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;

use extbuf_format::Format;
use extbuf_layout::{Layout, Overlap};

use crate::memory::lends::Key;
use crate::memory::{Access, Lease, Lends};
use crate::refusal::{Refusal, RefusalKind};
use crate::request::{Grant, Request};
use crate::sharing::{Frozen, Sharing};
use crate::typed::aligned;
use crate::view::raw::RawView;
use crate::view::{View, ViewMut};
use crate::window::Window;

/// How hard to look for two items that share a byte before a layout is refused for writing.
const OVERLAP_WORK: usize = 1000;

/// Anything that lends memory for `'m`, [`Frozen`] unless it says otherwise.
///
/// One method to write; it pins the memory and describes it. A whole exporter:
///
/// ```
/// use extbuf_format::{Element, Format};
/// use extbuf_layout::{Layout, Order};
/// use extbuf_protocol::{Export, Exporter, Memory, Refusal, Request};
///
/// /// A matrix that can be turned.
/// struct Matrix {
///     memory: Memory<'static>,
///     layout: Layout,
///     format: Format,
/// }
///
/// impl Matrix {
///     fn turn(&mut self) {
///         self.layout = self.layout.transpose();
///     }
/// }
///
/// impl Exporter<'static> for Matrix {
///     fn export(&self, request: Request) -> Result<Export<'static, '_>, Refusal> {
///         Export::new(&self.memory, &self.layout, &self.format, request)
///     }
/// }
///
/// let mut matrix = Matrix {
///     memory: Memory::from_vec(vec![1.0f64, 2.0, 3.0, 4.0, 5.0, 6.0]),
///     layout: Layout::contiguous(8, &[2, 3], Order::C).expect("small"),
///     format: f64::FORMAT,
/// };
/// let kept = matrix.window(Request::FULL_RO)?;
/// matrix.turn(); // the window keeps its own copy of the description
/// assert_eq!(kept.view().get::<f64>(&[0, 2])?, 3.0);
/// assert_eq!(matrix.window(Request::FULL_RO)?.view().get::<f64>(&[2, 0])?, 3.0);
/// # Ok::<(), Refusal>(())
/// ```
pub trait Exporter<'m, S: Sharing = Frozen> {
    /// Pins the memory and describes it, or says why not.
    ///
    /// # Errors
    ///
    /// A [`Refusal`]: the request cannot be satisfied by this memory, or not while others hold it.
    fn export(&self, request: Request) -> Result<Export<'m, '_, S>, Refusal>;

    /// Exports and keeps, in one step.
    ///
    /// # Errors
    ///
    /// As [`export`](Exporter::export).
    #[inline]
    fn window(&self, request: Request) -> Result<Window<'m, S>, Refusal> {
        Ok(self.export(request)?.keep())
    }

    /// Exports for the time of one call: what `f` sees cannot leave it.
    ///
    /// # Errors
    ///
    /// As [`export`](Exporter::export).
    fn with_view<R>(&self, request: Request, f: impl for<'e> FnOnce(View<'e, S>) -> R) -> Result<R, Refusal>
    where
        Self: Sized,
    {
        let export = self.export(request)?;
        Ok(f(export.view()))
    }
}

impl<'m, S: Sharing, E: Exporter<'m, S> + ?Sized> Exporter<'m, S> for Box<E> {
    fn export(&self, request: Request) -> Result<Export<'m, '_, S>, Refusal> {
        (**self).export(request)
    }
}

/// One grant: memory for `'m`, described by what the exporter stores, for `'d`. Ends when it is dropped.
///
/// Invariant: V1, V3 (if the grant is writable), V4 and V5 hold for `lease.base()` under the layout while the lease
/// lives; layout and format have the same itemsize; a writable grant of frozen memory has a lease that nobody shares.
pub struct Export<'m, 'd, S: Sharing = Frozen> {
    lease: Lease<'m, S>,
    described: Described<'d>,
    grant: Grant,
    _until: Until<'d>,
}

/// Makes the drop of an export a use of `'d`. The lease may be `Lent`, and then its release touches what the exporter
/// still has; but nothing in the type of a lease says so, and a struct of references may be dropped after what they
/// borrow.
struct Until<'d>(PhantomData<&'d ()>);

impl Drop for Until<'_> {
    #[inline(always)]
    fn drop(&mut self) {}
}

/// Who has the description. What was made up on the spot goes into a box, so that the others stay small.
enum Described<'d> {
    Borrowed(&'d Layout, &'d Format),
    Owned(Box<(Layout, Format)>),
}

impl Described<'_> {
    #[inline]
    fn layout(&self) -> &Layout {
        match self {
            Described::Borrowed(layout, _) => layout,
            Described::Owned(owned) => &owned.0,
        }
    }

    #[inline]
    fn format(&self) -> &Format {
        match self {
            Described::Borrowed(_, format) => format,
            Described::Owned(owned) => &owned.1,
        }
    }
}

/// Names the axis to blame for a direct layout whose items may overlap: from the smallest stride to the largest, the first
/// that does not step over all that lies inside it. There is one, since strides that all do keep the items apart.
#[cold]
fn overlapping(layout: &Layout) -> Refusal {
    let (shape, strides) = (layout.shape(), layout.strides(0));
    let mut axes: Vec<usize> = (0..layout.ndim()).rev().filter(|&axis| shape[axis] > 1).collect();
    axes.sort_by_key(|&axis| strides[axis].unsigned_abs());
    let mut span = layout.itemsize();
    for &axis in &axes {
        let (stride, step) = (strides[axis], strides[axis].unsigned_abs());
        if step < span {
            return RefusalKind::ItemsOverlap { axis, stride, span }.into();
        }
        // Fits: the span is part of the extent of the level (L3).
        span += step * (shape[axis] - 1);
    }
    unreachable!("strides that step over all that lies inside them, and yet an overlap")
}

impl<'m, 'd, S: Sharing> Export<'m, 'd, S> {
    /// Lends memory under a description that the exporter stores. Leases the memory as the request asks, checks that
    /// the layout stays inside the block, that layout and format agree, and that both fit the request.
    ///
    /// # Errors
    ///
    /// [`RefusalKind::Busy`], [`RefusalKind::OutOfBlock`], [`RefusalKind::UnprovenLoads`],
    /// [`RefusalKind::ItemsizeMismatch`], [`RefusalKind::ReadOnly`] and [`RefusalKind::ItemsOverlap`] for a writable
    /// request, those of [`Request::check`], and [`RefusalKind::Misaligned`].
    #[inline]
    pub fn new(
        memory: impl Lends<'m, 'd, S>,
        layout: &'d Layout,
        format: &'d Format,
        request: Request,
    ) -> Result<Export<'m, 'd, S>, Refusal> {
        let lease = memory.pin(request.access(), Key(()))?;
        Export::direct(lease, Described::Borrowed(layout, format), request)
    }

    /// As [`new`](Export::new), for an exporter that makes up its description on the spot. Allocates once.
    ///
    /// # Errors
    ///
    /// As [`new`](Export::new).
    pub fn described(
        memory: impl Lends<'m, 'd, S>,
        layout: Layout,
        format: Format,
        request: Request,
    ) -> Result<Export<'m, 'd, S>, Refusal> {
        let lease = memory.pin(request.access(), Key(()))?;
        Export::direct(lease, Described::Owned(Box::new((layout, format))), request)
    }

    #[inline]
    fn direct(
        lease: Lease<'m, S>,
        described: Described<'d>,
        request: Request,
    ) -> Result<Export<'m, 'd, S>, Refusal> {
        let layout = described.layout();
        if !layout.is_direct() {
            return Err(RefusalKind::UnprovenLoads { loads: layout.levels() - 1 }.into());
        }
        if request.wants_writable() && layout.self_overlap(OVERLAP_WORK) != Overlap::No {
            return Err(overlapping(layout));
        }
        // SAFETY: V1: the extent is checked against the block in there, and there are no loads (V4); V3: checked
        // above; V5: M1 and M3 of the lease.
        unsafe { Export::proven(lease, described, request) }
    }

    /// Lends memory whose layout follows pointers. [`Rows`](crate::Rows) is the safe way to most of these.
    ///
    /// # Errors
    ///
    /// As [`new`](Export::new), but for the loads; that level 0 stays inside the block is checked.
    ///
    /// # Safety
    ///
    /// While the lease lives, for every index in the layout's shape: at every level but the last a pointer is stored
    /// at the place the layout reaches, it does not change, and the bytes reached from it at the next level lie in
    /// memory that the lease keeps and that satisfies M1 to M3 of [`Owner`](crate::Owner), with the stored pointer for
    /// `base` (V1, V4, V5). If the request is writable, the items of two different indices share no byte, be it
    /// through two pointers or through one that both indices reach, and none shares one with a stored pointer (V3).
    pub unsafe fn with_loads(
        memory: impl Lends<'m, 'd, S>,
        layout: Cow<'d, Layout>,
        format: Cow<'d, Format>,
        request: Request,
    ) -> Result<Export<'m, 'd, S>, Refusal> {
        let lease = memory.pin(request.access(), Key(()))?;
        let described = match (layout, format) {
            (Cow::Borrowed(layout), Cow::Borrowed(format)) => Described::Borrowed(layout, format),
            (layout, format) => Described::Owned(Box::new((layout.into_owned(), format.into_owned()))),
        };
        // SAFETY: the caller's contract.
        unsafe { Export::proven(lease, described, request) }
    }

    /// # Safety
    ///
    /// As [`with_loads`](Export::with_loads).
    #[inline(always)]
    unsafe fn proven(
        lease: Lease<'m, S>,
        described: Described<'d>,
        request: Request,
    ) -> Result<Export<'m, 'd, S>, Refusal> {
        let (layout, format) = (described.layout(), described.format());
        if layout.itemsize() != format.itemsize() {
            let (layout, format) = (layout.itemsize(), format.itemsize());
            return Err(RefusalKind::ItemsizeMismatch { layout, format }.into());
        }
        let reached = layout.extent(0);
        if reached.start < 0 || reached.end as usize > lease.len() {
            return Err(RefusalKind::OutOfBlock { reached, block: lease.len() }.into());
        }
        if request.wants_writable() && lease.access() == Access::Read {
            return Err(RefusalKind::ReadOnly.into());
        }
        let grant = request.check(layout)?;
        Export { lease, described, grant, _until: Until(PhantomData) }.aligned()
    }

    /// Lends memory under a description that was checked when it was made.
    ///
    /// # Errors
    ///
    /// [`RefusalKind::Busy`], [`RefusalKind::ReadOnly`], and those of [`Request::check`].
    ///
    /// # Safety
    ///
    /// As [`with_loads`](Export::with_loads); level 0 stays inside the block, and the itemsizes are equal.
    #[inline]
    pub(crate) unsafe fn checked(
        memory: impl Lends<'m, 'd, S>,
        layout: &'d Layout,
        format: &'d Format,
        request: Request,
    ) -> Result<Export<'m, 'd, S>, Refusal> {
        let grant = request.check(layout)?;
        let lease = memory.pin(request.access(), Key(()))?;
        let described = Described::Borrowed(layout, format);
        Export { lease, described, grant, _until: Until(PhantomData) }.aligned()
    }

    /// Passes on a share of a lease that views already satisfy; for windows.
    #[inline]
    pub(crate) fn passed_on(
        lease: Lease<'m, S>,
        layout: &'d Layout,
        format: &'d Format,
        request: Request,
    ) -> Result<Export<'m, 'd, S>, Refusal> {
        let grant = request.check(layout)?;
        let described = Described::Borrowed(layout, format);
        Export { lease, described, grant, _until: Until(PhantomData) }.aligned()
    }

    /// Checks the promise that takes more than a layout.
    #[inline]
    fn aligned(self) -> Result<Export<'m, 'd, S>, Refusal> {
        if self.grant.aligned {
            aligned(&self.raw(), self.format().alignment())?;
        }
        Ok(self)
    }

    /// Looks at the memory, for the time of a borrow.
    #[inline]
    pub fn view(&self) -> View<'_, S> {
        // SAFETY: V1, V4, V5: invariant of `Export`; V2: the lease is borrowed. No writing meanwhile: that takes
        // `&mut self`.
        unsafe { View::from_raw(self.raw()) }
    }

    /// Looks at the memory for writing, for the time of a borrow.
    ///
    /// # Errors
    ///
    /// [`RefusalKind::ReadOnly`] where the request was not a writable one.
    #[inline]
    pub fn view_mut(&mut self) -> Result<ViewMut<'_, S>, Refusal> {
        if !self.grant.writable {
            return Err(RefusalKind::ReadOnly.into());
        }
        // SAFETY: V1 to V5: invariant of `Export`, whose lease nobody shares, borrowed exclusively; of foreign memory
        // a share is enough.
        Ok(unsafe { ViewMut::from_raw(self.raw()) })
    }

    #[inline]
    fn raw(&self) -> RawView<'_> {
        let (layout, format) = (Cow::Borrowed(self.layout()), Cow::Borrowed(self.format()));
        // SAFETY: a raw view alone is never read; the callers pass the contract on.
        unsafe { RawView::new(self.lease.base(), layout, format) }
    }

    /// Keeps the memory beyond the exporter's description: copies the description, ends `'d`.
    #[inline(always)]
    pub fn keep(self) -> Window<'m, S> {
        let Export { lease, described, grant, _until: _ } = self;
        let lease = lease.outlast();
        match described {
            // SAFETY: invariant of `Export`; the description is copied, the lease goes along.
            Described::Borrowed(layout, format) => unsafe {
                Window::new(lease, layout.clone(), format.clone(), grant)
            },
            Described::Owned(owned) => {
                let (layout, format) = *owned;
                // SAFETY: as above.
                unsafe { Window::new(lease, layout, format, grant) }
            }
        }
    }

    /// What was asked for and may be relied on.
    pub fn grant(&self) -> Grant {
        self.grant
    }

    /// Where the items are.
    #[inline]
    pub fn layout(&self) -> &Layout {
        self.described.layout()
    }

    /// What an item is.
    #[inline]
    pub fn format(&self) -> &Format {
        self.described.format()
    }
}

impl<S: Sharing> fmt::Debug for Export<'_, '_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Export")
            .field("format", self.format())
            .field("layout", self.layout())
            .field("grant", &self.grant)
            .finish()
    }
}
