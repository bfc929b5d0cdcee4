//! The class `staticarray`: twelve bytes that never go away, lent in the same words whatever was asked.
// Fills in a structure of the C API.
#![allow(unsafe_code)]

use std::ffi::c_int;

use pyo3::exceptions::PyBufferError;
use pyo3::ffi;
use pyo3::prelude::*;

static ITEMS: [u8; 12] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
static SHAPE: [isize; 1] = [12];
static STRIDES: [isize; 1] = [1];

/// An exporter of the bytes 0 to 11, for tests of consumers.
///
/// staticarray(*, legacy_mode=False)
///
/// Every request is answered with all there is, which is more than most ask for. With `legacy_mode` the buffer names no
/// owner, as exporters did that had nothing to release.
#[pyclass(frozen, subclass, weakref, module = "extbuf.testing", name = "staticarray")]
pub(crate) struct Fixed {
    is_legacy: bool,
}

#[pymethods]
impl Fixed {
    #[new]
    #[pyo3(signature = (legacy_mode=false))]
    fn new(legacy_mode: bool) -> Fixed {
        Fixed { is_legacy: legacy_mode }
    }

    /// # Safety
    ///
    /// Called by CPython alone, with a structure to be filled in.
    unsafe fn __getbuffer__(slf: Bound<'_, Self>, out: *mut ffi::Py_buffer, _flags: c_int) -> PyResult<()> {
        if out.is_null() {
            return Err(PyBufferError::new_err("there is no structure to fill in"));
        }
        let mut answer = ffi::Py_buffer::new();
        answer.buf = ITEMS.as_ptr().cast_mut().cast();
        (answer.len, answer.itemsize, answer.readonly, answer.ndim) = (12, 1, 1, 1);
        answer.format = c"B".as_ptr().cast_mut();
        answer.shape = SHAPE.as_ptr().cast_mut();
        answer.strides = STRIDES.as_ptr().cast_mut();
        if !slf.get().is_legacy {
            answer.obj = slf.into_any().into_ptr();
        }
        // SAFETY: the caller's structure.
        unsafe { out.write(answer) };
        Ok(())
    }
}
