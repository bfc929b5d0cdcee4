//! The iterator of `iter_unpack`.
// Holds a buffer inside a Python object, and reads it.
#![allow(unsafe_code)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pyo3::ffi;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

use super::Compiled;
use super::error::struct_error;
use crate::lease::{Lease, Share};

/// The tuples of a buffer, one after the other.
#[pyclass(frozen, module = "extbuf.struct", name = "unpack_iterator")]
pub(crate) struct UnpackIterator {
    compiled: Arc<Compiled>,
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
    pub(super) fn over<'py>(
        compiled: Arc<Compiled>,
        buffer: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, UnpackIterator>> {
        let py = buffer.py();
        let size = compiled.size();
        if size == 0 {
            return Err(struct_error(py, "cannot iteratively unpack with a struct of length 0"));
        }
        let share = Lease::of(buffer, ffi::PyBUF_SIMPLE)?;
        let (base, len) = (share.claim().base.cast_const(), share.claim().len.unsigned_abs());
        if len % size != 0 {
            let message = format!("iterative unpacking requires a buffer of a multiple of {size} bytes");
            return Err(struct_error(py, message));
        }
        Bound::new(py, UnpackIterator { compiled, share, base, len, at: AtomicUsize::new(0) })
    }
}

#[pymethods]
impl UnpackIterator {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let size = self.compiled.size();
        let at = self.at.fetch_add(size, Ordering::Relaxed);
        if at >= self.len {
            self.at.store(self.len, Ordering::Relaxed);
            return Ok(None);
        }
        // SAFETY: `len` is a multiple of `size`, so a whole item lies there, held by the share.
        let object = unsafe { self.compiled.codec.read_tuple(py, self.base.wrapping_add(at)) };
        // SAFETY: a new reference, or null with an exception set.
        unsafe { Bound::from_owned_ptr_or_err(py, object) }.map(Some)
    }

    fn __length_hint__(&self) -> usize {
        let left = self.len.saturating_sub(self.at.load(Ordering::Relaxed));
        left / self.compiled.size()
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.share.visit(&visit)
    }
}
