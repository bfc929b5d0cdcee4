//! The class `extbuf.struct.Struct`.
// Reads and writes memory that is held for the call.
#![allow(unsafe_code)]

use std::sync::Arc;

use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple};

use super::error::{of_pack, struct_error};
use super::{Compiled, iter};
use crate::raw::held;

/// Create a compiled struct object.
///
/// Return an object which writes and reads binary data according to the format string.
#[pyclass(subclass, weakref, module = "extbuf.struct")]
pub(crate) struct Struct {
    /// `None` before `__init__`.
    compiled: Option<Arc<Compiled>>,
}

impl From<Compiled> for Struct {
    fn from(compiled: Compiled) -> Struct {
        Struct { compiled: Some(Arc::new(compiled)) }
    }
}

impl Struct {
    fn ready(&self) -> PyResult<&Arc<Compiled>> {
        self.compiled.as_ref().ok_or_else(|| PyRuntimeError::new_err("Struct object is not initialized"))
    }

    /// The compiled form, when it takes so many values.
    fn check_count(&self, py: Python<'_>, what: &str, given: usize) -> PyResult<&Arc<Compiled>> {
        let ready = self.ready()?;
        let wanted = ready.codec.fields();
        if given == wanted {
            return Ok(ready);
        }
        let message = format!("{what} expected {wanted} items for packing (got {given})");
        Err(struct_error(py, message))
    }
}

#[pymethods]
impl Struct {
    #[new]
    #[pyo3(signature = (*_arguments, **_keywords))]
    fn new(_arguments: &Bound<'_, PyTuple>, _keywords: Option<&Bound<'_, PyDict>>) -> Struct {
        Struct { compiled: None }
    }

    fn __init__(&mut self, format: &Bound<'_, PyAny>) -> PyResult<()> {
        self.compiled = Some(Arc::new(Compiled::new(format)?));
        Ok(())
    }

    /// Struct format string.
    #[getter]
    fn format(&self) -> PyResult<&str> {
        Ok(&self.ready()?.text)
    }

    /// Struct size in bytes.
    #[getter]
    pub(super) fn size(&self) -> PyResult<usize> {
        Ok(self.ready()?.size())
    }

    /// Return a bytes object containing the values packed according to the format string.
    #[pyo3(signature = (*values))]
    pub(super) fn pack<'py>(&self, values: &Bound<'py, PyTuple>) -> PyResult<Bound<'py, PyBytes>> {
        let py = values.py();
        let ready = self.check_count(py, "pack", values.len())?;
        PyBytes::new_with(py, ready.size(), |bytes| {
            ready.codec.pack_fields(values, 0, bytes).map_err(|error| of_pack(py, error))
        })
    }

    /// Pack the values according to the format string into a writable buffer from an offset on.
    #[pyo3(signature = (*arguments))]
    pub(super) fn pack_into(&self, arguments: &Bound<'_, PyTuple>) -> PyResult<()> {
        let py = arguments.py();
        let given = arguments.len();
        let missing = |what| Err(PyTypeError::new_err(format!("pack_into expected {what} argument")));
        if given < 2 {
            return missing(if given == 0 { "buffer" } else { "offset" });
        }
        let ready = self.check_count(py, "pack_into", given - 2)?;
        let offset: isize = arguments.get_borrowed_item(1)?.extract()?;
        let size = ready.size();
        held(&*arguments.get_borrowed_item(0)?, ffi::PyBUF_WRITABLE, |buffer| {
            let len = buffer.len.unsigned_abs();
            let start = place(py, "pack", offset, size, len)?;
            let mut item = vec![0; size];
            ready.codec.pack_fields(arguments, 2, &mut item).map_err(|error| of_pack(py, error))?;
            // SAFETY: B3: the memory is held and writable, and `start + size` bytes of it are there; it overlaps no
            // memory of ours.
            unsafe { buffer.base.wrapping_add(start).copy_from_nonoverlapping(item.as_ptr(), size) };
            Ok(())
        })
    }

    /// Return a tuple of the values unpacked from a buffer of exactly `size` bytes.
    #[pyo3(signature = (buffer, /))]
    pub(super) fn unpack<'py>(&self, buffer: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = buffer.py();
        let ready = self.ready()?;
        let size = ready.size();
        let read = |base: *const u8, len: usize| {
            if len != size {
                return Err(struct_error(py, format!("unpack requires a buffer of {size} bytes")));
            }
            // SAFETY: `size` bytes that are held; the struct dialect has no `O`.
            let object = unsafe { ready.codec.read_tuple(py, base) };
            // SAFETY: a new reference, or null with an exception set.
            unsafe { Bound::from_owned_ptr_or_err(py, object) }
        };
        if let Ok(bytes) = buffer.cast_exact::<PyBytes>() {
            let bytes = bytes.as_bytes();
            return read(bytes.as_ptr(), bytes.len());
        }
        held(buffer, ffi::PyBUF_SIMPLE, |claim| read(claim.base, claim.len.unsigned_abs()))
    }

    /// Return a tuple of the values unpacked from a buffer from an offset on.
    #[pyo3(signature = (buffer, offset=0))]
    pub(super) fn unpack_from<'py>(
        &self,
        buffer: &Bound<'py, PyAny>,
        offset: isize,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = buffer.py();
        let ready = self.ready()?;
        held(buffer, ffi::PyBUF_SIMPLE, |claim| {
            let start = place(py, "unpack", offset, ready.size(), claim.len.unsigned_abs())?;
            // SAFETY: B3: `start + size` bytes are there and held; the struct dialect has no `O`.
            let object = unsafe { ready.codec.read_tuple(py, claim.base.wrapping_add(start)) };
            // SAFETY: a new reference, or null with an exception set.
            unsafe { Bound::from_owned_ptr_or_err(py, object) }
        })
    }

    /// Return an iterator over tuples unpacked from a buffer of a multiple of `size` bytes.
    #[pyo3(signature = (buffer, /))]
    pub(super) fn iter_unpack<'py>(&self, buffer: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        iter::over(self.ready()?.codec.clone(), true, buffer, struct_error)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let text = pyo3::types::PyString::new(py, &self.ready()?.text).repr()?;
        Ok(format!("Struct({text})"))
    }
}

/// Where an item at an offset begins, which may be counted from the end.
fn place(py: Python<'_>, what: &str, offset: isize, size: usize, len: usize) -> PyResult<usize> {
    let start = if offset >= 0 {
        offset.unsigned_abs()
    } else {
        // The struct module's two messages, in its order.
        if offset.unsigned_abs() < size {
            let lacks = if what == "pack" { "no space to pack" } else { "not enough data to unpack" };
            return Err(struct_error(py, format!("{lacks} {size} bytes at offset {offset}")));
        }
        match len.checked_sub(offset.unsigned_abs()) {
            Some(start) => start,
            None => {
                let message = format!("offset {offset} out of range for {len}-byte buffer");
                return Err(struct_error(py, message));
            }
        }
    };
    if len.checked_sub(start).is_none_or(|rest| rest < size) {
        let (function, doing) =
            if what == "pack" { ("pack_into", "packing") } else { ("unpack_from", "unpacking") };
        // No overflow: both fit `isize`.
        let least = size + start;
        let message = format!(
            "{function} requires a buffer of at least {least} bytes for {doing} {size} bytes at offset {start} \
             (actual buffer size is {len})"
        );
        return Err(struct_error(py, message));
    }
    Ok(start)
}
