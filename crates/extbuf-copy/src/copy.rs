//! The safe functions: views in, views or fresh memory out.
//!
//! A view has proven what the raw copy asks for: every byte it reaches is there and initialised, a mutable view is
//! alone in its bytes, its items never share one, and its pointers are valid. What is left to check here are shapes,
//! item sizes, and that no item is a counted reference.
//!
//! Views of foreign memory are copied the same way, since no copy makes a reference to bytes. Others may write them
//! meanwhile, not from Rust (V5); then the copy is any mixture of old and new bytes. That no Rust code does is the reason for
//! `CopyOptions::between`. Two of them may overlap, which is looked at for every pair.

// Hands the bases of views to the raw copy.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;

use extbuf_format::Format;
use extbuf_layout::{Layout, Order, SliceItem};
use extbuf_protocol::{Sharing, View, ViewMut, Window};

use crate::error::{CopyError, CopyErrorKind};
use crate::kernel::Level;
use crate::options::CopyOptions;
use crate::output::{Fresh, reserve};
use crate::plan::Plan;
use crate::report::Report;

/// Copies every item to the item of the destination with the same index.
///
/// The formats need not be equal, only their itemsize: `uint32` may be copied into `float` as bits, as
/// `PyObject_CopyData` does. Shapes must be equal; broadcast the source where it should repeat.
///
/// ```
/// use extbuf_copy::copy;
/// use extbuf_layout::s;
/// use extbuf_protocol::{View, ViewMut};
///
/// let mut numbers = [0u16; 6];
/// let mut every_second = ViewMut::from_slice(&mut numbers).slice(s![..;2])?;
/// let report = copy(&mut every_second, &View::from_slice(&[7u16, 8, 9]).reverse_axis(0)?)?;
/// assert_eq!(numbers, [9, 0, 8, 0, 7, 0]);
/// assert_eq!(report.to_string(), "6 bytes by kernel items, 1 part on 1 thread");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// `Ndim`, `Shape`, `Itemsize` where the two do not agree, `Objects`, and `Allocation` where foreign memory overlaps in
/// a way that needs scratch memory.
pub fn copy<D: Sharing, S: Sharing>(
    dst: &mut ViewMut<'_, D>,
    src: &View<'_, S>,
) -> Result<Report, CopyError> {
    CopyOptions::default().copy(dst, src)
}

/// Copies one slice of a view to another, which may overlap it in any way: the result is as if the source had been
/// read first.
///
/// ```
/// use extbuf_copy::copy_within;
/// use extbuf_layout::s;
/// use extbuf_protocol::ViewMut;
///
/// let mut numbers = [1u8, 2, 3, 4, 5];
/// let mut view = ViewMut::from_slice(&mut numbers);
/// copy_within(&mut view, s![1..], s![..-1])?;
/// assert_eq!(numbers, [1, 1, 2, 3, 4]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// `Layout` where a slice is not one of this view; `Shape` and `Ndim` where the two slices differ; `Objects`;
/// `Allocation`.
pub fn copy_within<S: Sharing>(
    view: &mut ViewMut<'_, S>,
    dst: impl AsRef<[SliceItem]>,
    src: impl AsRef<[SliceItem]>,
) -> Result<Report, CopyError> {
    CopyOptions::default().copy_within(view, dst, src)
}

/// Copies all items into fresh memory, aligned to 64 bytes, one after another in the given order. Always copies; see
/// [`contiguous`] for memory that may already lie so.
///
/// [`Order::A`] keeps Fortran order where the view is contiguous in that order alone, and is C otherwise.
///
/// ```
/// use extbuf_copy::to_contiguous;
/// use extbuf_layout::{Order, s};
/// use extbuf_protocol::View;
///
/// let numbers: Vec<i32> = (0..12).collect();
/// let turned = View::from_slice(&numbers).slice(s![..;3])?.reverse_axis(0)?;
/// let window = to_contiguous(&turned, Order::C)?;
/// assert!(window.layout().is_contiguous(Order::C));
/// assert_eq!(window.view().get::<i32>(&[0])?, 9);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// `Objects`; `Allocation` where there is no such block: a broadcast view can hold more items than there are bytes in
/// any machine.
pub fn to_contiguous<S: Sharing>(view: &View<'_, S>, order: Order) -> Result<Window<'static>, CopyError> {
    Ok(CopyOptions::default().to_contiguous(view, order)?.0)
}

/// A view whose items lie one after another in the given order: the view itself where they do already, else a copy.
///
/// ```
/// use extbuf_copy::contiguous;
/// use extbuf_layout::Order;
/// use extbuf_protocol::View;
///
/// let view = View::from_slice(&[1i64, 2, 3]);
/// assert!(!contiguous(&view, Order::C)?.was_copied());
/// assert!(contiguous(&view.reverse_axis(0)?, Order::C)?.was_copied());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// As [`to_contiguous`].
pub fn contiguous<'a>(view: &View<'a>, order: Order) -> Result<Contiguous<'a>, CopyError> {
    if view.layout().is_contiguous(order) {
        return Ok(Contiguous::Borrowed(view.clone()));
    }
    to_contiguous(view, order).map(Contiguous::Copied)
}

/// The bytes of all items, one after another in the given order.
///
/// ```
/// use extbuf_copy::to_vec;
/// use extbuf_layout::Order;
/// use extbuf_protocol::View;
///
/// let view = View::from_slice(b"stressed").reverse_axis(0)?;
/// assert_eq!(to_vec(&view, Order::C)?, b"desserts");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// As [`to_contiguous`].
pub fn to_vec<S: Sharing>(view: &View<'_, S>, order: Order) -> Result<Vec<u8>, CopyError> {
    Ok(CopyOptions::default().to_vec(view, order)?.0)
}

/// Writes the bytes of all items, one after another in the given order, to memory of the caller's that need not hold
/// anything yet, and answers with what is now written there: all of it.
///
/// ```
/// use std::mem::MaybeUninit;
/// use extbuf_copy::contiguous_into;
/// use extbuf_layout::Order;
/// use extbuf_protocol::View;
///
/// let mut room = [MaybeUninit::uninit(); 8];
/// let view = View::from_slice(b"stressed").reverse_axis(0)?;
/// assert_eq!(contiguous_into(&view, Order::C, &mut room)?, b"desserts");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// `Length` where there is more or less room than the view's bytes; `Objects`.
pub fn contiguous_into<'o, S: Sharing>(
    view: &View<'_, S>,
    order: Order,
    out: &'o mut [MaybeUninit<u8>],
) -> Result<&'o mut [u8], CopyError> {
    Ok(CopyOptions::default().contiguous_into(view, order, out)?.0)
}

/// Fills a view from bytes that hold its items one after another in the given order; [`Order::A`] is Fortran where the
/// view is contiguous in that order alone, else C.
///
/// ```
/// use extbuf_copy::from_contiguous;
/// use extbuf_layout::Order;
/// use extbuf_protocol::ViewMut;
///
/// let mut letters = *b"........";
/// from_contiguous(&mut ViewMut::from_slice(&mut letters).reverse_axis(0)?, b"desserts", Order::C)?;
/// assert_eq!(letters, *b"stressed");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// `Length` where there are more or fewer bytes than the view holds; `Objects`.
pub fn from_contiguous<S: Sharing>(
    dst: &mut ViewMut<'_, S>,
    bytes: &[u8],
    order: Order,
) -> Result<Report, CopyError> {
    CopyOptions::default().from_contiguous(dst, bytes, order)
}

/// What [`contiguous`] answers with.
#[derive(Debug)]
pub enum Contiguous<'a> {
    /// The view lay that way.
    Borrowed(View<'a>),
    /// A copy of it, in fresh memory.
    Copied(Window<'static>),
}

impl Contiguous<'_> {
    /// Looks at it.
    pub fn view(&self) -> View<'_> {
        match self {
            Contiguous::Borrowed(view) => view.clone(),
            Contiguous::Copied(window) => window.view(),
        }
    }

    /// True where it is a copy.
    pub fn was_copied(&self) -> bool {
        matches!(self, Contiguous::Copied(_))
    }
}

impl CopyOptions<'_> {
    /// As the function [`copy`].
    ///
    /// # Errors
    ///
    /// As [`copy`], and `Cancelled`.
    pub fn copy<D: Sharing, S: Sharing>(
        &self,
        dst: &mut ViewMut<'_, D>,
        src: &View<'_, S>,
    ) -> Result<Report, CopyError> {
        refuse_objects(dst.format())?;
        refuse_objects(src.format())?;
        let dst_base = dst.as_mut_ptr();
        // SAFETY: V1, V2, V4 and V5 of both views: what they reach is there, initialised, and nobody else's in Rust to
        // write meanwhile; V3 of the destination: items share no byte, nor do
        // stored pointers lead to the same.
        unsafe { self.between::<D, S>().copy_raw((dst.layout(), dst_base), (src.layout(), src.as_ptr())) }
    }

    /// As the function [`copy_within`].
    ///
    /// # Errors
    ///
    /// As [`copy_within`], and `Cancelled`.
    pub fn copy_within<S: Sharing>(
        &self,
        view: &mut ViewMut<'_, S>,
        dst: impl AsRef<[SliceItem]>,
        src: impl AsRef<[SliceItem]>,
    ) -> Result<Report, CopyError> {
        refuse_objects(view.format())?;
        let (dst, src) = (view.layout().slice(dst)?, view.layout().slice(src)?);
        let base = view.as_mut_ptr();
        // SAFETY: both layouts reach a subset of what the view reaches, each item once: V1 to V5 of the view.
        unsafe { self.between::<S, S>().copy_raw((&dst, base), (&src, base)) }
    }

    /// As the function [`to_contiguous`], with the report.
    ///
    /// # Errors
    ///
    /// As [`to_contiguous`], and `Cancelled`.
    pub fn to_contiguous<S: Sharing>(
        &self,
        view: &View<'_, S>,
        order: Order,
    ) -> Result<(Window<'static>, Report), CopyError> {
        let (layout, plan) = to_dense(view, order, self.level)?;
        let memory = Fresh::new(plan.bytes())?;
        // SAFETY: the view as in `copy`; fresh memory of all the bytes that the layout reaches, apart from the view.
        let report = unsafe { self.between::<S, S>().run(&plan, memory.start(), view.as_ptr()) }?;
        // SAFETY: the copy has written every byte.
        let window = unsafe { memory.into_window(layout, view.format().clone()) };
        Ok((window, report))
    }

    /// As the function [`to_vec`], with the report.
    ///
    /// # Errors
    ///
    /// As [`to_vec`], and `Cancelled`.
    pub fn to_vec<S: Sharing>(
        &self,
        view: &View<'_, S>,
        order: Order,
    ) -> Result<(Vec<u8>, Report), CopyError> {
        let (_, plan) = to_dense(view, order, self.level)?;
        let mut bytes = reserve(plan.bytes())?;
        // SAFETY: the view as in `copy`; the vector has room for all the bytes that the layout reaches.
        let report = unsafe { self.between::<S, S>().run(&plan, bytes.as_mut_ptr(), view.as_ptr()) }?;
        // SAFETY: so many bytes are reserved, and the copy has written every one.
        unsafe { bytes.set_len(plan.bytes()) };
        Ok((bytes, report))
    }

    /// As the function [`contiguous_into`], with the report.
    ///
    /// # Errors
    ///
    /// As [`contiguous_into`], and `Cancelled`; then some of the memory may have been written.
    pub fn contiguous_into<'o, S: Sharing>(
        &self,
        view: &View<'_, S>,
        order: Order,
        out: &'o mut [MaybeUninit<u8>],
    ) -> Result<(&'o mut [u8], Report), CopyError> {
        refuse_objects(view.format())?;
        if view.nbytes() != out.len() {
            return Err(CopyErrorKind::Length { expected: view.nbytes(), given: out.len() }.into());
        }
        let (_, plan) = to_dense(view, order, self.level)?;
        // SAFETY: the view as in `copy`; the memory is all that the dense layout reaches, and nobody else's while it is
        // borrowed.
        let report = unsafe { self.between::<S, S>().run(&plan, out.as_mut_ptr().cast(), view.as_ptr()) }?;
        let (start, len) = (out.as_mut_ptr().cast::<u8>(), out.len());
        // SAFETY: the same memory, borrowed for as long; the copy has written every byte.
        Ok((unsafe { std::slice::from_raw_parts_mut(start, len) }, report))
    }

    /// As the function [`from_contiguous`].
    ///
    /// # Errors
    ///
    /// As [`from_contiguous`], and `Cancelled`.
    pub fn from_contiguous<S: Sharing>(
        &self,
        dst: &mut ViewMut<'_, S>,
        bytes: &[u8],
        order: Order,
    ) -> Result<Report, CopyError> {
        refuse_objects(dst.format())?;
        if dst.nbytes() != bytes.len() {
            return Err(CopyErrorKind::Length { expected: dst.nbytes(), given: bytes.len() }.into());
        }
        let plan =
            Plan::new(dst.layout(), &dense(dst.layout(), dst.itemsize(), order)?)?.at_level(self.level);
        // SAFETY: the view as in `copy`; the slice is all that the dense layout reaches, and no mutable view shares
        // bytes with a slice.
        unsafe { self.between::<S, S>().run(&plan, dst.as_mut_ptr(), bytes.as_ptr()) }
    }
}

/// The dense layout of a view's items, and the plan to go there.
pub(crate) fn to_dense<S: Sharing>(
    view: &View<'_, S>,
    order: Order,
    level: Level,
) -> Result<(Layout, Plan), CopyError> {
    refuse_objects(view.format())?;
    let layout = dense(view.layout(), view.itemsize(), order)?;
    let plan = Plan::new(&layout, view.layout())?.at_level(level);
    Ok((layout, plan))
}

pub(crate) fn dense(layout: &Layout, itemsize: usize, order: Order) -> Result<Layout, CopyError> {
    let order = match order {
        Order::A if layout.is_contiguous(Order::F) && !layout.is_contiguous(Order::C) => Order::F,
        Order::A => Order::C,
        order => order,
    };
    Ok(Layout::contiguous(itemsize, layout.shape(), order)?)
}

pub(crate) fn refuse_objects(format: &Format) -> Result<(), CopyError> {
    if format.has_objects() { Err(CopyErrorKind::Objects.into()) } else { Ok(()) }
}
