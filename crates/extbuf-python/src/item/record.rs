//! Records as named tuples.
//!
//! A record whose fields have names becomes an instance of a `collections.namedtuple`; one class for each row of
//! names, kept as long as the interpreter lives, as the classes of a program would be. A name that is no identifier,
//! or comes twice, is replaced by its position, as `rename=True` does. The classes are made in Python, in
//! `extbuf/_records.py`, which also teaches them to be pickled.
// Gives references away to the interpreter.
#![allow(unsafe_code)]

use extbuf_format::Record;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple, PyTypeMethods};

use super::error::{Fault, PackError};

/// More fields than this are nobody's attributes.
const MOST_FIELDS: usize = 1 << 12;

/// The class for a record, or `None` where a plain tuple says as much.
///
/// # Errors
///
/// What importing the package raises.
pub(crate) fn of(py: Python<'_>, record: &Record) -> PyResult<Option<Py<PyAny>>> {
    let count = record.fields().size_hint().0;
    if count > MOST_FIELDS || record.runs().iter().all(|run| run.name().is_none()) {
        return Ok(None);
    }
    static MAKER: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let maker = MAKER.get_or_try_init(py, || {
        Ok::<_, PyErr>(py.import("extbuf._records")?.getattr("record_type")?.unbind())
    })?;
    let names: Vec<&str> = record.fields().map(|field| field.name().unwrap_or("")).collect();
    let kind = maker.bind(py).call1((PyTuple::new(py, names)?,))?;
    Ok(Some(kind.unbind()))
}

/// An instance with the values of a plain tuple: a new reference, or null with an exception set.
///
/// # Safety
///
/// `plain` is a tuple, and the reference to it is given away.
pub(super) unsafe fn make(py: Python<'_>, kind: &Py<PyAny>, plain: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: the contract.
    let plain = unsafe { Bound::from_owned_ptr(py, plain) };
    let of_tuple = py.get_type::<PyTuple>();
    // SAFETY: an attached thread, a type, and one of its slots.
    let new = unsafe { ffi::PyType_GetSlot(of_tuple.as_type_ptr(), ffi::Py_tp_new) };
    let Ok(arguments) = PyTuple::new(py, [plain]) else { return std::ptr::null_mut() };
    // SAFETY: the slot `tp_new` has this type and is not null in a tuple.
    let new: ffi::newfunc = unsafe { std::mem::transmute::<*mut std::ffi::c_void, ffi::newfunc>(new) };
    // `tuple.__new__(kind, plain)`, which every class of named tuples ends in.
    // SAFETY: an attached thread; a subclass of tuple, and a tuple of one argument.
    unsafe { new(kind.as_ptr().cast(), arguments.as_ptr(), std::ptr::null_mut()) }
}

/// The values of a mapping in the order of the fields.
pub(super) fn by_name<'py>(
    dict: &Bound<'py, PyDict>,
    kind: &Bound<'py, PyAny>,
) -> Result<Bound<'py, PyTuple>, PackError> {
    let names = kind.getattr("_names")?;
    let names = names.cast::<PyTuple>().map_err(PyErr::from)?;
    let mut values = Vec::with_capacity(names.len());
    for name in names.iter() {
        match dict.get_item(&name)? {
            Some(value) => values.push(value),
            None => return Err(Fault::Missing { name: name.to_string() }.into()),
        }
    }
    if dict.len() != values.len() {
        return Err(Fault::Count { wanted: values.len(), given: dict.len() }.into());
    }
    Ok(PyTuple::new(dict.py(), values)?)
}

/// How a field is called in a message.
pub(super) fn label(kind: Option<&Bound<'_, PyAny>>, index: usize) -> String {
    let name = || -> Option<String> {
        let names = kind?.getattr("_names").ok()?;
        names.get_item(index).ok()?.extract().ok()
    };
    name().filter(|name| !name.is_empty()).unwrap_or_else(|| format!("[{index}]"))
}
