//! The iterator of `iter_unpack`, of the struct module and of formats.
// Holds a buffer inside a Python object, and reads it.
#![allow(unsafe_code)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pyo3::ffi;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

use crate::item::Codec;
use crate::lease::{Lease, Share};

/// The items of a buffer, one after the other.
#[pyclass(frozen, module = "extbuf.struct", name = "unpack_iterator")]
pub(crate) struct UnpackIterator {
    codec: Arc<Codec>,
    /// Whether every item is a plain tuple, as the struct module has it.
    tuples: bool,
    share: Share,
    /// The first byte of the memory, held by `share`.
    base: *const u8,
    /// Bytes of the memory: a multiple of the itemsize.
    len: usize,
    /// Where the next item begins.
    at: AtomicUsize,
}

// SAFETY: the address is only read through, while the share holds the memory.
unsafe impl Send for UnpackIterator {}
// SAFETY: as above; the place moves on atomically.
unsafe impl Sync for UnpackIterator {}

impl UnpackIterator {
    /// Over the memory of an object; what is wrong with its length is for `refuse` to raise. The format has no `O`.
    pub(crate) fn over<'py>(
        codec: Arc<Codec>,
        tuples: bool,
        buffer: &Bound<'py, PyAny>,
        refuse: fn(Python<'_>, String) -> PyErr,
    ) -> PyResult<Bound<'py, UnpackIterator>> {
        let py = buffer.py();
        let size = codec.itemsize();
        if size == 0 {
            return Err(refuse(py, "cannot iteratively unpack with a struct of length 0".into()));
        }
        let share = Lease::of(buffer, ffi::PyBUF_SIMPLE)?;
        let (base, len) = (share.claim().base.cast_const(), share.claim().len.unsigned_abs());
        if len % size != 0 {
            let message = format!("iterative unpacking requires a buffer of a multiple of {size} bytes");
            return Err(refuse(py, message));
        }
        Bound::new(py, UnpackIterator { codec, tuples, share, base, len, at: AtomicUsize::new(0) })
    }
}

#[pymethods]
impl UnpackIterator {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let size = self.codec.itemsize();
        let at = self.at.fetch_add(size, Ordering::Relaxed);
        if at >= self.len {
            self.at.store(self.len, Ordering::Relaxed);
            return Ok(None);
        }
        let place = self.base.wrapping_add(at);
        if !self.tuples {
            // SAFETY: as below.
            return unsafe { self.codec.read(py, place) }.map(Some);
        }
        // SAFETY: `len` is a multiple of `size`, so a whole item lies there, held by the share.
        let object = unsafe { self.codec.read_tuple(py, place) };
        // SAFETY: a new reference, or null with an exception set.
        unsafe { Bound::from_owned_ptr_or_err(py, object) }.map(Some)
    }

    fn __length_hint__(&self) -> usize {
        let left = self.len.saturating_sub(self.at.load(Ordering::Relaxed));
        left / self.codec.itemsize()
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.share.visit(&visit)
    }
}
