//! What CPython makes of what an object lends: the functions beside `ndarray`.
// Asks CPython about structures that are held for the call, and reads an item where it says.
#![allow(unsafe_code)]

use std::ffi::c_int;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyInt, PySlice, PyString};

use super::MAX_NDIM;
use super::array::Array;
use super::base::Base;
use super::build::listed;
use super::items::value;
use crate::acquire;
use crate::described::Described;
use crate::raw::{FULL_RO, RawBuffer, contiguous_memoryview, held_raw};
use crate::reach::Address;

/// Start, stop, step and length of a slice on an axis of so many entries.
#[pyfunction]
#[pyo3(signature = (slice, length, /))]
fn slice_indices(slice: &Bound<'_, PySlice>, length: isize) -> PyResult<(isize, isize, isize, usize)> {
    let of = slice.indices(length)?;
    Ok((of.start, of.stop, of.step, of.slicelength))
}

/// Bytes of a pointer.
#[pyfunction]
fn get_sizeof_void_p() -> usize {
    size_of::<*const u8>()
}

/// The item at an index, a list or a tuple, at the place where `PyBuffer_GetPointer` finds it.
#[pyfunction]
#[pyo3(signature = (obj, indices, /))]
fn get_pointer<'py>(obj: &Bound<'py, PyAny>, indices: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = obj.py();
    let indices = listed(indices, "the indices")?;
    held_raw(obj, FULL_RO, |raw| {
        // SAFETY: held for the call.
        let claim = unsafe { raw.claim() };
        let shape = claim.shape.unwrap_or_default();
        if shape.len() > MAX_NDIM || indices.len() != shape.len() {
            let message = format!("{} indices for {} axes", indices.len(), shape.len());
            return Err(PyValueError::new_err(message));
        }
        let mut index = Vec::new();
        for (entry, &extent) in indices.iter().zip(shape) {
            let at: isize = entry.extract()?;
            if !(0..extent).contains(&at) {
                let message = format!("index {at} at position {} is not below {extent}", index.len());
                return Err(PyValueError::new_err(message));
            }
            index.push(at);
        }
        let itemsize = usize::try_from(claim.itemsize).unwrap_or(0);
        let item = Described::claimed(claim.format, itemsize, || acquire::dialect(obj));
        let is_struct = Base::is_struct(&item);
        let codec = item.codec(py)?;
        let place = if claim.strides.is_some() && claim.shape.is_some() {
            // SAFETY: filled with shape and strides, and each entry was compared with its axis.
            unsafe { raw.pointer(&index) }
        } else if index.is_empty() {
            claim.base
        } else {
            return Err(PyValueError::new_err("the exporter was asked for strides and has none"));
        };
        let mut bytes = vec![0; codec.itemsize()];
        // SAFETY: B3: an item lies there.
        unsafe { Address::new(place).read(&mut bytes) };
        // SAFETY: the bytes of one item, ours alone. References in them were read a moment ago from memory that owns
        // them, and no code of others has run since.
        unsafe { value(py, codec, is_struct, &bytes) }
    })
}

/// `PyMemoryView_GetContiguous`: a memoryview of an object in order 'C', 'F' or 'A', of a copy where it must be;
/// `buffertype` is PyBUF_READ or PyBUF_WRITE, and a copy is not for writing.
#[pyfunction]
#[pyo3(signature = (obj, buffertype, order, /))]
fn get_contiguous<'py>(
    obj: &Bound<'py, PyAny>,
    buffertype: &Bound<'py, PyAny>,
    order: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    if !buffertype.is_instance_of::<PyInt>() {
        return Err(PyTypeError::new_err("the buffer type must be PyBUF_READ or PyBUF_WRITE"));
    }
    let kind: c_int = buffertype.extract()?;
    if kind != ffi::PyBUF_READ && kind != ffi::PyBUF_WRITE {
        return Err(PyValueError::new_err("the buffer type must be PyBUF_READ or PyBUF_WRITE"));
    }
    contiguous_memoryview(obj, kind, named(order)?)
}

/// `PyBuffer_ToContiguous`: the bytes of what an object lends for a request, in order 'C', 'F' or 'A'.
#[pyfunction]
#[pyo3(signature = (obj, order, flags, /))]
fn py_buffer_to_contiguous<'py>(
    obj: &Bound<'py, PyAny>,
    order: &Bound<'py, PyAny>,
    flags: c_int,
) -> PyResult<Bound<'py, PyBytes>> {
    let py = obj.py();
    held_raw(obj, flags, |raw| {
        let order = named(order)?;
        // SAFETY: held for the call. Where there is no shape, the memory is one run of bytes in every order.
        let bytes = unsafe { raw.to_contiguous(py, order) }?;
        Ok(PyBytes::new(py, &bytes))
    })
}

/// `PyBuffer_IsContiguous`, in order 'C', 'F' or 'A'. Of an `ndarray` its own description is looked at, which need not
/// have all that a request would ask for.
#[pyfunction]
#[pyo3(signature = (obj, order, /))]
fn is_contiguous(obj: &Bound<'_, PyAny>, order: &Bound<'_, PyAny>) -> PyResult<bool> {
    let order = named(order)?;
    if let Ok(array) = obj.cast::<Array>() {
        return Ok(array.get().head()?.is_contiguous(match order {
            b'C' => extbuf_layout::Order::C,
            b'F' => extbuf_layout::Order::F,
            _ => extbuf_layout::Order::A,
        }));
    }
    // SAFETY: held for the call.
    let answer = held_raw(obj, FULL_RO, |raw| Ok(unsafe { raw.is_contiguous(order) }));
    answer.map_err(|_| PyTypeError::new_err("is_contiguous: the object lends no memory"))
}

/// Whether two objects lend the same bytes in the same order under the same description.
#[pyfunction]
#[pyo3(signature = (a, b, /))]
fn cmp_contig(a: &Bound<'_, PyAny>, b: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = a.py();
    let _ = (acquired(a, "first")?, acquired(b, "second")?);
    held_raw(a, FULL_RO, |a| {
        held_raw(b, FULL_RO, |b| {
            // SAFETY: held for the call.
            let is = |raw: &RawBuffer, order| unsafe { raw.is_contiguous(order) };
            let Some(order) = [b'C', b'F'].into_iter().find(|order| is(a, *order) && is(b, *order)) else {
                return Ok(false);
            };
            // SAFETY: held for the call.
            let one = unsafe { a.claim() };
            // SAFETY: as above.
            let two = unsafe { b.claim() };
            let moves = |axis: usize| one.shape.is_none_or(|shape| shape[axis] > 1);
            let steps = match (one.strides, two.strides) {
                (Some(a), Some(b)) => {
                    a.len() == b.len() && (0..a.len()).all(|axis| !moves(axis) || a[axis] == b[axis])
                }
                (a, b) => a.is_none() && b.is_none(),
            };
            let same = one.len == two.len
                && one.itemsize == two.itemsize
                && one.ndim == two.ndim
                && one.format.unwrap_or(c"B") == two.format.unwrap_or(c"B")
                && one.shape == two.shape
                && steps
                && one.suboffsets == two.suboffsets;
            // SAFETY: held for the call; the order is the one that the memory has.
            let bytes = |raw: &RawBuffer| unsafe { raw.to_contiguous(py, order) };
            Ok(same && bytes(a)? == bytes(b)?)
        })
    })
}

/// # Errors
///
/// `TypeError` where an object does not lend all there is.
fn acquired(object: &Bound<'_, PyAny>, which: &str) -> PyResult<()> {
    held_raw(object, FULL_RO, |_| Ok(()))
        .map_err(|_| PyTypeError::new_err(format!("cmp_contig: the {which} object lends no memory")))
}

/// An order by its name.
fn named(order: &Bound<'_, PyAny>) -> PyResult<u8> {
    let Ok(text) = order.cast::<PyString>() else {
        return Err(PyTypeError::new_err("an order is a string"));
    };
    let ascii = text.call_method1("encode", ("ascii",))?;
    match ascii.cast::<PyBytes>()?.as_bytes() {
        [order @ (b'C' | b'F' | b'A')] => Ok(*order),
        _ => Err(PyValueError::new_err("an order is 'C', 'F' or 'A'")),
    }
}

pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(slice_indices, module)?)?;
    module.add_function(wrap_pyfunction!(get_sizeof_void_p, module)?)?;
    module.add_function(wrap_pyfunction!(get_pointer, module)?)?;
    module.add_function(wrap_pyfunction!(get_contiguous, module)?)?;
    module.add_function(wrap_pyfunction!(py_buffer_to_contiguous, module)?)?;
    module.add_function(wrap_pyfunction!(is_contiguous, module)?)?;
    module.add_function(wrap_pyfunction!(cmp_contig, module)?)
}
