//! Memory that is lent to us, as a Python object that views share.
//!
//! Why an object of its own: the reference to the lender must be visited by the garbage collector exactly once, and a
//! released view must not end the lease of the views made from it. So views hold a reference to the lease and, apart
//! from that, a *share* of it; with the last share the memory is given back, whatever references are left.
//!
//! Its type is made by hand and not by a macro, because every view made of an object makes one: it is written where it
//! lies, and made and freed in a third of the instructions.
//!
//! The invariants:
//!
//! - **A1** a [`LeaseRef`] is a reference to an object of the type, whose lease has been written; it stays where it is;
//! - **A2** as many times as `shares` says somebody may still call [`Lease::give_back`].
// Defines a Python type through the C API; fills and releases the raw buffer, whose contract this file keeps.
#![allow(unsafe_code)]

use std::ffi::{c_int, c_uint, c_void};
use std::mem::ManuallyDrop;
use std::sync::{Mutex, PoisonError};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

use crate::block::Block;
use crate::count::Count;
use crate::dlpack::Tensor;
use crate::raw::{Claim, RawBuffer};
use crate::rows::Table;

/// The memory of one object, kept while there are shares of it.
pub(crate) struct Lease {
    /// Filled while `shares > 0`; filled and released with the interpreter attached.
    raw: RawBuffer,
    /// Memory of our own instead, until the last share goes.
    own: Mutex<Option<Box<Keep>>>,
    is_own: bool,
    shares: Count,
}

/// The object as the interpreter sees it.
#[repr(C)]
struct Object {
    head: ffi::PyObject,
    lease: Lease,
}

/// A counted reference to a lease.
pub(crate) struct LeaseRef(Py<PyAny>);

/// What keeps memory that is ours to lend.
pub(crate) enum Keep {
    /// One block.
    Block(#[allow(dead_code)] Block),
    /// A table of pointers to rows that others lend.
    Rows(Table),
    /// A tensor that another library handed over.
    Tensor(#[allow(dead_code)] Tensor),
}

/// One share: while it is there, the memory is.
pub(crate) struct Share {
    lease: LeaseRef,
}

impl LeaseRef {
    #[inline]
    fn get(&self) -> &Lease {
        // SAFETY: A1; the reference keeps the object, and nobody has the lease but by shared references.
        unsafe { &(*self.0.as_ptr().cast::<Object>()).lease }
    }

    /// The object, for the garbage collector.
    pub(crate) fn object(&self) -> &Py<PyAny> {
        &self.0
    }
}

impl Lease {
    /// Asks an object for its memory.
    ///
    /// # Errors
    ///
    /// Whatever the object raises.
    pub(crate) fn of(object: &Bound<'_, PyAny>, flags: i32) -> PyResult<Share> {
        let lease = Lease::object(object.py(), None, 0)?;
        // SAFETY: B1: the buffer is new, nobody else knows of it, and Python objects are not moved.
        unsafe { lease.get().raw.fill(object, flags) }?;
        lease.get().shares.set(object.py(), 1);
        Ok(Share { lease })
    }

    /// The first share of memory of our own.
    pub(crate) fn of_own(py: Python<'_>, own: Keep) -> PyResult<Share> {
        Ok(Share { lease: Lease::object(py, Some(Box::new(own)), 1)? })
    }

    #[inline]
    fn object(py: Python<'_>, own: Option<Box<Keep>>, shares: isize) -> PyResult<LeaseRef> {
        let class = class(py)?;
        // SAFETY: an attached thread, and a type of ours that is ready.
        let object = unsafe { ffi::PyObject_GC_New::<Object>(class.as_type_ptr()) };
        if object.is_null() {
            return Err(PyErr::fetch(py));
        }
        let is_own = own.is_some();
        let lease =
            Lease { raw: RawBuffer::empty(), own: Mutex::new(own), is_own, shares: Count::new(shares) };
        // SAFETY: the object is new and has the size of its type.
        let place = unsafe { &raw mut (*object).lease };
        // SAFETY: a place that nobody has seen, and in which nothing is dropped.
        unsafe { place.write(lease) };
        // SAFETY: all that the collector looks at is written, and it has not been told of the object yet.
        unsafe { ffi::PyObject_GC_Track(object.cast()) };
        // SAFETY: a new reference.
        let object = unsafe { Bound::from_owned_ptr(py, object.cast()) };
        // A1.
        Ok(LeaseRef(object.unbind()))
    }

    /// One more share, unless the memory has been given back.
    pub(crate) fn share(slf: &LeaseRef, py: Python<'_>) -> Option<Share> {
        if !slf.get().shares.add_unless(py, 0) {
            return None;
        }
        Some(Share { lease: LeaseRef(slf.0.clone_ref(py)) })
    }

    /// Gives one share back, and with the last one the memory.
    ///
    /// # Safety
    ///
    /// Once for each share: those that dropped themselves and those of [`Share::into_lease`].
    pub(crate) unsafe fn give_back(slf: &LeaseRef, py: Python<'_>) {
        let lease = slf.get();
        if lease.shares.take_one(py) == 0 {
            // SAFETY: B2: this was the last share, and no share comes from none.
            unsafe { lease.raw.release(py) };
            if !lease.is_own {
                return;
            }
            let own = lease.own.lock().unwrap_or_else(PoisonError::into_inner).take();
            drop(own);
        }
    }

    fn is_held(&self) -> bool {
        self.shares.get() > 0
    }
}

impl Share {
    /// What the exporter said.
    pub(crate) fn claim(&self) -> Claim<'_> {
        // SAFETY: filled, and not released before this share is given back, which ends the borrow.
        unsafe { self.lease.get().raw.claim() }
    }

    /// The same, beside the share, which may be moved meanwhile.
    ///
    /// # Safety
    ///
    /// The share is not given back while the claim is looked at.
    pub(crate) unsafe fn claim_beside<'a>(&self) -> Claim<'a> {
        let raw = &raw const self.lease.get().raw;
        // SAFETY: a place in a Python object, which is not moved and lives as long as the share.
        let raw = unsafe { &*raw };
        // SAFETY: filled, and not released before this share is given back.
        unsafe { raw.claim() }
    }

    /// The lender, if it said who it is.
    pub(crate) fn owner<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        // SAFETY: null, or the live object that the filled buffer holds a reference to.
        unsafe { Bound::from_borrowed_ptr_or_opt(py, self.lease.get().raw.owner()) }
    }

    /// The lease, to be visited and to be shared.
    pub(crate) fn lease(&self) -> &LeaseRef {
        &self.lease
    }

    /// The lease, for who counts the share by hand; [`Lease::give_back`] ends it.
    pub(crate) fn into_lease(self) -> LeaseRef {
        // SAFETY: read out of what is not dropped, once.
        unsafe { std::ptr::read(&ManuallyDrop::new(self).lease) }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        // Releasing runs code of the lender, so the interpreter must be there.
        // SAFETY: this share, once.
        Python::attach(|py| unsafe { Lease::give_back(&self.lease, py) });
    }
}

fn class(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let class = CLASS.get_or_try_init(py, || {
        let slot = |slot: c_int, pfunc: *mut c_void| ffi::PyType_Slot { slot, pfunc };
        let mut slots = [
            slot(ffi::Py_tp_dealloc, dealloc as *mut c_void),
            slot(ffi::Py_tp_traverse, traverse as *mut c_void),
            slot(0, std::ptr::null_mut()),
        ];
        let flags = ffi::Py_TPFLAGS_DEFAULT
            | ffi::Py_TPFLAGS_HAVE_GC
            | ffi::Py_TPFLAGS_IMMUTABLETYPE
            | ffi::Py_TPFLAGS_DISALLOW_INSTANTIATION;
        let mut spec = ffi::PyType_Spec {
            name: c"extbuf._extbuf.Lease".as_ptr(),
            basicsize: size_of::<Object>() as c_int,
            itemsize: 0,
            flags: flags as c_uint,
            slots: slots.as_mut_ptr(),
        };
        // SAFETY: an attached thread; a description that ends in a zero slot, whose functions have the types of their
        // slots.
        let class = unsafe { ffi::PyType_FromSpec(&raw mut spec) };
        // SAFETY: a new reference, or null with an exception set.
        let class = unsafe { Bound::from_owned_ptr_or_err(py, class) }?;
        Ok::<_, PyErr>(class.cast_into::<PyType>()?.unbind())
    })?;
    Ok(class.bind(py))
}

/// # Safety
///
/// The slot `tp_traverse`: called by the collector, whose thread is attached, with an object of the type.
unsafe extern "C" fn traverse(
    object: *mut ffi::PyObject,
    visit: ffi::visitproc,
    argument: *mut c_void,
) -> c_int {
    // SAFETY: the collector's own function and argument, and a live object.
    let visit = |object: *mut ffi::PyObject| unsafe { visit(object, argument) };
    // SAFETY: every object has a type.
    let class = unsafe { ffi::Py_TYPE(object) };
    // An object of a type that is made at run time holds a reference to it.
    let mut stop = visit(class.cast());
    // SAFETY: an object of the type, which the collector knows only once it is written.
    let lease = unsafe { &(*object.cast::<Object>()).lease };
    let owner = lease.raw.owner();
    if stop == 0 && lease.is_held() && !owner.is_null() {
        stop = visit(owner);
    }
    // Locked only while the last share goes, when there is nothing left to visit.
    if let Ok(own) = lease.own.try_lock() {
        if let Some(Keep::Rows(table)) = own.as_deref() {
            for share in table.shares() {
                if stop == 0 {
                    stop = visit(share.lease.0.as_ptr());
                }
            }
        }
    }
    stop
}

/// # Safety
///
/// The slot `tp_dealloc`: called by the interpreter, once, with an object of the type.
unsafe extern "C" fn dealloc(object: *mut ffi::PyObject) {
    // SAFETY: an object that the collector knows.
    unsafe { ffi::PyObject_GC_UnTrack(object.cast()) };
    // SAFETY: every object has a type.
    let class = unsafe { ffi::Py_TYPE(object) };
    // SAFETY: an object of the type.
    let lease = unsafe { &raw mut (*object.cast::<Object>()).lease };
    // Holders of shares hold references, so there is no share; what it kept went with the last one.
    // SAFETY: written when the object was made, dropped once: nobody has the object any more.
    unsafe { lease.drop_in_place() };
    // SAFETY: made by `PyObject_GC_New`, freed once.
    unsafe { ffi::PyObject_GC_Del(object.cast()) };
    // SAFETY: the reference to its type that the object held.
    unsafe { ffi::Py_DECREF(class.cast()) };
}
