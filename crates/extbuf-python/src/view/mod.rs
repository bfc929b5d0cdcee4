//! The class `extbuf.View`: a lease, an address, a layout and an item, none of which ever changes.
//!
//! What changes is one number, `state`: how many consumers the view has lent its memory to, or that it has been
//! released. Everything that touches memory first enters, which counts as one consumer for as long as it takes; so
//! `release` meanwhile, from another thread or from the code that a key or a value runs, is refused or comes before.
//!
//! | File | Has |
//! |---|---|
//! | `attributes` | what a view says of itself |
//! | `items` | single items and parts: `view[…]`, iteration, `field` |
//! | `assign` | `view[…] = …`, `copy_from` |
//! | `shape` | permute, broadcast, reshape and their like; `cast` |
//! | `bulk` | `tobytes`, `copy`, `contiguous`: many items at once, without the interpreter |
//! | `compare` | `==`, `hash`, `index`, `count` |
//! | `draw` | `repr` and the picture in a notebook |
//! | `hand_over` | DLPack, `__array_interface__`, `__array__`, pickling |
//! | `lend` | the buffer protocol on the lending side |
// Counts the shares of the lease by hand, because a released view must not keep one.
#![allow(unsafe_code)]

mod assign;
mod attributes;
mod bulk;
mod compare;
mod draw;
mod hand_over;
mod items;
pub(crate) mod lend;
mod shape;

use std::convert::Infallible;
use std::ops::{Deref, DerefMut};
use std::sync::OnceLock;
use std::sync::atomic::AtomicI64;

use extbuf_layout::{Layout, Suboffsets};
use pyo3::exceptions::{PyBufferError, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

use crate::acquire::{self, Acquired};
use crate::count::Count;
use crate::described::Shared;
use crate::error;
use crate::lease::{Lease, LeaseRef, Share};
use crate::raw::FULL_RO;
use crate::reach::Address;

/// Memory that an object lends, looked at in any layout and any format.
///
/// View(object, *, writable=None, request=None)
///
/// `object` is anything that lends its memory: bytes, bytearray, array.array, mmap, ctypes objects, NumPy arrays,
/// memoryviews, other views. With `writable=True` memory that cannot be written is refused, with `writable=False` the
/// view is for reading whatever the object allows. `request` is a number of `inspect.BufferFlags`, for who wants to see
/// what an exporter answers; the default asks for everything.
#[pyclass(frozen, weakref, module = "extbuf", name = "View")]
pub(crate) struct View(Box<Parts>);

/// What a view is made of. In a box, because a Python object is made of a value that is moved three times on its way, and
/// a layout is many words to move.
pub(crate) struct Parts {
    /// The view holds one share of it unless `state` says released.
    lease: LeaseRef,
    /// W1 (`reach.rs`) holds for it and `layout`.
    base: Address,
    layout: Layout,
    item: Shared,
    readonly: bool,
    /// How many have been lent to: at least 0, or [`RELEASED`].
    state: Count,
    /// The hash once it has been computed, which outlives the memory; -1 before.
    hash: AtomicI64,
    /// What is lent to those who follow pointers, made when the first one asks.
    suboffsets: OnceLock<Box<Suboffsets>>,
}

impl Deref for View {
    type Target = Parts;

    #[inline(always)]
    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl DerefMut for View {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut Parts {
        &mut self.0
    }
}

const RELEASED: isize = -1;

/// A view that is in use, so that it is not released.
pub(crate) struct Entered<'v, 'py>(&'v View, Python<'py>);

impl View {
    pub(crate) fn of(acquired: Acquired) -> View {
        let Acquired { share, base, layout, item, readonly } = acquired;
        View::new_on(share, base, layout, item, readonly)
    }

    #[inline(always)]
    fn new_on(share: Share, base: Address, layout: Layout, item: Shared, readonly: bool) -> View {
        let filled = View::filled(share, base, item, readonly, |out| {
            *out = layout;
            Ok::<(), Infallible>(())
        });
        let Ok(view) = filled;
        view
    }

    /// A view whose layout is written where it stays. W1 must hold for it.
    ///
    /// # Errors
    ///
    /// Those of `fill`.
    #[inline(always)]
    pub(crate) fn filled<E>(
        share: Share,
        base: Address,
        item: Shared,
        readonly: bool,
        fill: impl FnOnce(&mut Layout) -> Result<(), E>,
    ) -> Result<View, E> {
        let mut parts = Box::new_uninit();
        parts.write(Parts {
            lease: share.into_lease(),
            base,
            layout: Layout::default(),
            item,
            readonly,
            state: Count::new(0),
            hash: AtomicI64::new(-1),
            suboffsets: OnceLock::new(),
        });
        // SAFETY: written just now.
        let mut view = View(unsafe { parts.assume_init() });
        fill(&mut view.0.layout)?;
        Ok(view)
    }

    /// What any object lends; another view lends its lease, so that chains of views have no links.
    ///
    /// # Errors
    ///
    /// Whatever the object raises.
    pub(crate) fn from_object(object: &Bound<'_, PyAny>) -> PyResult<View> {
        // Asked before it is cast: the error of a cast is an object that is made.
        if object.is_exact_instance_of::<View>() {
            let view = object.cast_exact::<View>()?.get();
            let share = view.share(object.py())?;
            return Ok(view.derive(share, view.layout.clone(), view.item.clone()));
        }
        acquire::view(object, FULL_RO)
    }

    /// Another view of the same memory. The layout must reach no further than this one's.
    fn derive(&self, share: Share, layout: Layout, item: Shared) -> View {
        let (base, layout) = if layout.is_direct() {
            (self.base, layout)
        } else {
            // SAFETY: W1 for a layout that reaches no further, while the share is there.
            unsafe { self.base.settled(layout) }
        };
        View::new_on(share, base, layout, item, self.readonly)
    }

    /// As `derive`, from a view that must be live.
    fn with_layout(&self, py: Python<'_>, layout: Layout) -> PyResult<View> {
        Ok(self.derive(self.share(py)?, layout, self.item.clone()))
    }

    /// A share of the lease for a view that is being made.
    fn share(&self, py: Python<'_>) -> PyResult<Share> {
        self.check()?;
        Lease::share(&self.lease, py).ok_or_else(error::released)
    }

    /// # Errors
    ///
    /// `ValueError` where the view has been released.
    fn check(&self) -> PyResult<()> {
        if self.state.get() == RELEASED { Err(error::released()) } else { Ok(()) }
    }

    /// Uses the memory.
    ///
    /// # Errors
    ///
    /// `ValueError` where the view has been released.
    pub(crate) fn enter<'py>(&self, py: Python<'py>) -> PyResult<Entered<'_, 'py>> {
        self.lend(py)?;
        Ok(Entered(self, py))
    }

    fn lend(&self, py: Python<'_>) -> PyResult<()> {
        if self.state.add_unless(py, RELEASED) { Ok(()) } else { Err(error::released()) }
    }

    fn take_back(&self, py: Python<'_>) {
        self.state.take_one(py);
    }

    /// Gives the memory back, if nobody uses it.
    fn give_back(&self, py: Python<'_>) -> PyResult<()> {
        match self.state.exchange(py, 0, RELEASED) {
            Ok(()) => {
                // SAFETY: the share that the view holds, given back where the state became `RELEASED`, which it does once.
                unsafe { Lease::give_back(&self.lease, py) };
                Ok(())
            }
            Err(RELEASED) => Ok(()),
            Err(live) => {
                let (s, verb) = if live == 1 { ("", "uses") } else { ("s", "use") };
                let message = format!(
                    "the view is not released: {live} consumer{s} still {verb} it (exported buffer{s})"
                );
                Err(PyBufferError::new_err(message))
            }
        }
    }
}

impl Entered<'_, '_> {
    /// Where the layout counts from. W1 holds while `self` lives.
    pub(crate) fn base(&self) -> Address {
        self.0.base
    }
}

impl Drop for Entered<'_, '_> {
    fn drop(&mut self) {
        self.0.take_back(self.1);
    }
}

impl Drop for View {
    fn drop(&mut self) {
        if self.state.get_mut() == RELEASED {
            return;
        }
        // SAFETY: Python objects are freed with the interpreter attached, and a view never leaves its object.
        let py = unsafe { Python::assume_attached() };
        // Consumers hold a reference to the view they got memory from, so none is left.
        // SAFETY: the share that the view holds, which has not been given back.
        unsafe { Lease::give_back(&self.lease, py) };
    }
}

#[pymethods]
impl View {
    #[new]
    #[pyo3(signature = (object, *, writable=None, request=None))]
    fn new(object: &Bound<'_, PyAny>, writable: Option<bool>, request: Option<i32>) -> PyResult<View> {
        const WRITABLE: i32 = 1;
        let mut view = match (request, writable) {
            (None, Some(true)) if object.is_exact_instance_of::<View>() => View::from_object(object)?,
            (None, Some(true)) => acquire::view(object, FULL_RO | WRITABLE)?,
            (None, _) => View::from_object(object)?,
            (Some(flags), Some(true)) => acquire::view(object, flags | WRITABLE)?,
            (Some(flags), _) => acquire::view(object, flags)?,
        };
        match writable {
            Some(true) if view.readonly => Err(PyBufferError::new_err("the memory is for reading only")),
            Some(false) => {
                view.readonly = true;
                Ok(view)
            }
            _ => Ok(view),
        }
    }

    /// As memoryview has it, for who asks with flags; `View(object, request=flags)` says the same in words.
    #[staticmethod]
    fn _from_flags(object: &Bound<'_, PyAny>, flags: i32) -> PyResult<View> {
        acquire::view(object, flags)
    }

    /// `View[int]`, for annotations.
    #[classmethod]
    fn __class_getitem__<'py>(
        class: &Bound<'py, pyo3::types::PyType>,
        item: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        class.py().import("types")?.getattr("GenericAlias")?.call1((class, item))
    }

    /// Gives the memory back. The view is of no use afterwards; views made from it are.
    #[pyo3(name = "release")]
    fn release_py(&self, py: Python<'_>) -> PyResult<()> {
        self.give_back(py)
    }

    fn __enter__(slf: Bound<'_, Self>) -> PyResult<Bound<'_, Self>> {
        slf.get().check()?;
        Ok(slf)
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyAny>) -> PyResult<()> {
        self.give_back(py)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(self.lease.object())
    }

    fn __clear__(&self) {
        // A consumer that is in use keeps the memory; the collector clears the consumer first or comes again.
        Python::attach(|py| drop(self.give_back(py)));
    }
}

/// For what cannot be done to a view, such as a name of an order that is none.
fn value_error(message: impl Into<String>) -> PyErr {
    PyValueError::new_err(message.into())
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<View>()?;
    items::register(module)
}
