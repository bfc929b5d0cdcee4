//! Memory that is lent to us, as a Python object that views share.
//!
//! Why an object of its own: the reference to the lender must be visited by the garbage collector exactly once, and a
//! released view must not end the lease of the views made from it. So views hold a reference to the lease and, apart
//! from that, a *share* of it; with the last share the memory is given back, whatever references are left.
// Fills and releases the raw buffer, whose contract this file keeps.
#![allow(unsafe_code)]

use std::mem::ManuallyDrop;
use std::sync::{Mutex, PoisonError};

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

use crate::block::Block;
use crate::count::Count;
use crate::dlpack::Tensor;
use crate::raw::{Claim, RawBuffer};
use crate::rows::Table;

/// The memory of one object, kept while there are shares of it.
#[pyclass(frozen, module = "extbuf._extbuf", name = "Lease")]
pub(crate) struct Lease {
    /// Filled while `shares > 0`; filled and released with the interpreter attached.
    raw: RawBuffer,
    /// Memory of our own instead, until the last share goes.
    own: Mutex<Option<Box<Keep>>>,
    is_own: bool,
    shares: Count,
}

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
    lease: Py<Lease>,
}

impl Lease {
    /// Asks an object for its memory.
    ///
    /// # Errors
    ///
    /// Whatever the object raises.
    pub(crate) fn of(object: &Bound<'_, PyAny>, flags: i32) -> PyResult<Share> {
        let lease = Py::new(object.py(), Lease::new(None, 0))?;
        // SAFETY: B1: the buffer is new, nobody else knows of it, and Python objects are not moved.
        unsafe { lease.get().raw.fill(object, flags) }?;
        lease.get().shares.set(object.py(), 1);
        Ok(Share { lease })
    }

    /// The first share of memory of our own.
    pub(crate) fn of_own(py: Python<'_>, own: Keep) -> PyResult<Share> {
        Ok(Share { lease: Py::new(py, Lease::new(Some(own), 1))? })
    }

    fn new(own: Option<Keep>, shares: isize) -> Lease {
        Lease {
            raw: RawBuffer::empty(),
            is_own: own.is_some(),
            own: Mutex::new(own.map(Box::new)),
            shares: Count::new(shares),
        }
    }

    /// One more share, unless the memory has been given back.
    pub(crate) fn share(slf: &Py<Lease>, py: Python<'_>) -> Option<Share> {
        if !slf.get().shares.add_unless(py, 0) {
            return None;
        }
        Some(Share { lease: slf.clone_ref(py) })
    }

    /// Gives one share back, and with the last one the memory.
    ///
    /// # Safety
    ///
    /// Once for each share: those that dropped themselves and those of [`Share::into_lease`].
    pub(crate) unsafe fn give_back(slf: &Py<Lease>, py: Python<'_>) {
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

    /// The lease, for the garbage collector.
    pub(crate) fn lease(&self) -> &Py<Lease> {
        &self.lease
    }

    /// The lease, for who counts the share by hand; [`Lease::give_back`] ends it.
    pub(crate) fn into_lease(self) -> Py<Lease> {
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

#[pymethods]
impl Lease {
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        let owner = self.raw.owner();
        if self.is_held() && !owner.is_null() {
            // SAFETY: the collector runs with the interpreter attached.
            let py = unsafe { Python::assume_attached() };
            // SAFETY: the buffer holds a reference to a live object; this handle counts none and is not dropped.
            let owner = unsafe { Bound::from_owned_ptr(py, owner) };
            let owner = ManuallyDrop::new(owner.unbind());
            visit.call(&*owner)?;
        }
        // Locked only while the last share goes, when there is nothing left to visit.
        if let Ok(own) = self.own.try_lock() {
            if let Some(Keep::Rows(table)) = own.as_deref() {
                for share in table.shares() {
                    visit.call(&share.lease)?;
                }
            }
        }
        Ok(())
    }
}
