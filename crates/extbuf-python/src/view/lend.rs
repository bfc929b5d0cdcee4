//! The buffer protocol on the lending side: every request answered by the rules of PEP 3118 as CPython applies them.
//!
//! A view lends pointers to its own shape and strides, which never change; what follows pointers is written out once and
//! kept. The consumer holds a reference to the view, so they live as long as the consumer. A request that the layout
//! cannot meet is refused with the reason; an answer is never more complicated than asked.
// Fills in a structure of the C API with pointers into the view.
#![allow(unsafe_code)]

use std::ffi::c_int;

use extbuf_layout::Layout;
use extbuf_protocol::Request;
use pyo3::exceptions::PyBufferError;
use pyo3::ffi;
use pyo3::prelude::*;

use super::View;
use crate::error;

#[pymethods]
impl View {
    /// # Safety
    ///
    /// Called by CPython alone, with a structure to be filled in.
    unsafe fn __getbuffer__(slf: Bound<'_, Self>, out: *mut ffi::Py_buffer, flags: c_int) -> PyResult<()> {
        if out.is_null() {
            return Err(PyBufferError::new_err("there is no structure to fill in"));
        }
        // A consumer must not release what it did not get, and looks here.
        // SAFETY: the caller's structure.
        unsafe { (*out).obj = std::ptr::null_mut() };
        let this = slf.get();
        this.lend(slf.py())?;
        match this.answer(flags) {
            Ok(mut answer) => {
                answer.obj = slf.clone().into_any().into_ptr();
                // SAFETY: as above.
                unsafe { out.write(answer) };
                Ok(())
            }
            Err(error) => {
                this.take_back(slf.py());
                Err(error)
            }
        }
    }

    /// # Safety
    ///
    /// Called by CPython alone, once for each buffer that was lent.
    unsafe fn __releasebuffer__(&self, _buffer: *mut ffi::Py_buffer) {
        // SAFETY: CPython releases buffers with the interpreter attached.
        self.take_back(unsafe { Python::assume_attached() });
    }
}

/// Flags as a request. A bit without those that it implies asks for nothing, as in CPython; bits that mean nothing are
/// refused, among them the two of the constructors of memoryview.
pub(crate) fn request(flags: c_int) -> Result<Request, String> {
    let bits = u32::from_ne_bytes(flags.to_ne_bytes());
    let has = |request: Request| bits & request.bits() == request.bits();
    if bits & !0x1fd != 0 || bits == 0x100 {
        return Err(format!("no request has the flags {bits:#x}"));
    }
    let mut request = Request::SIMPLE;
    for part in [
        Request::ND,
        Request::STRIDES,
        Request::C_CONTIGUOUS,
        Request::F_CONTIGUOUS,
        Request::ANY_CONTIGUOUS,
        Request::INDIRECT,
    ] {
        if has(part) {
            request = request.and(part);
        }
    }
    if bits & 0x001 != 0 {
        request = request.writable();
    }
    if bits & 0x004 != 0 {
        if !has(Request::ND) {
            return Err(
                "a format is asked for without a shape, and bytes without a shape have none".to_owned()
            );
        }
        request = request.with_format();
    }
    Ok(request)
}

impl View {
    fn answer(&self, flags: c_int) -> PyResult<ffi::Py_buffer> {
        let refuse = |why: String| PyBufferError::new_err(why);
        let request = request(flags).map_err(refuse)?;
        if request.wants_writable() && self.readonly {
            return Err(refuse("the memory is for reading only, and the request is to write".to_owned()));
        }
        let layout: &Layout = &self.layout;
        let grant = request.check(layout).map_err(error::refusal)?;
        let mut out = ffi::Py_buffer::new();
        let mut base = self.base.get();
        if grant.strides && !layout.is_direct() {
            let encoded = self.encoded()?;
            base = base.wrapping_offset(encoded.offset);
            out.strides = encoded.strides.as_ptr().cast_mut();
            out.suboffsets = match &encoded.suboffsets {
                Some(suboffsets) => suboffsets.as_ptr().cast_mut(),
                None => std::ptr::null_mut(),
            };
        } else {
            base = base.wrapping_offset(layout.offset(0));
            if grant.strides {
                out.strides = layout.strides(0).as_ptr().cast_mut();
            }
        }
        out.buf = base.cast();
        // A layout's sizes fit isize (L2).
        out.len = layout.nbytes() as isize;
        out.itemsize = layout.itemsize() as isize;
        out.readonly = c_int::from(self.readonly);
        out.ndim = 1;
        if grant.shape {
            out.ndim = layout.ndim() as c_int;
            out.shape = layout.shape().as_ptr().cast_mut().cast();
            if layout.ndim() == 0 {
                (out.shape, out.strides) = (std::ptr::null_mut(), std::ptr::null_mut());
            }
        }
        if grant.format {
            out.format = self.item.text().as_ptr().cast_mut();
        }
        Ok(out)
    }

    /// The layout as PEP 3118 writes pointers.
    fn encoded(&self) -> PyResult<&extbuf_layout::Suboffsets> {
        if let Some(encoded) = self.suboffsets.get() {
            return Ok(encoded);
        }
        let encoded = self
            .layout
            .to_suboffsets()
            .map_err(|refusal| PyBufferError::new_err(format!("no consumer can be told: {refusal}")))?;
        Ok(self.suboffsets.get_or_init(|| Box::new(encoded)))
    }
}
