//! `extbuf.struct`: the struct module's names, behaviour and errors, on this project's parser.
//!
//! A text is read in the struct dialect of `extbuf-format` and compiled to an `item::Codec`, which makes and takes
//! objects as the struct module does. What is raised is the struct module's own `error`, so that code that catches
//! `struct.error` catches it from here too.
//!
//! Where it says more than the struct module: the complex codes `F`, `D`, `Zf` and `Zd` of Python 3.14 and 3.15 are
//! understood on every version, and `pack_into` writes nothing at all when a value is wrong.
// Reads memory that is held for the call.
#![allow(unsafe_code)]

mod error;
pub(crate) mod iter;
mod object;

use std::sync::Arc;

use extbuf_format::{Dialect, Format, ParseError, ParseErrorKind};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyString, PyTuple};

use crate::item::Codec;
use object::Struct;

pub(crate) use error::{of_pack, struct_error};

/// A text of the struct module, compiled.
pub(crate) struct Compiled {
    pub(crate) text: String,
    pub(crate) codec: Arc<Codec>,
}

/// What the struct module raises for a text that is none of its own.
pub(crate) fn of_parse(py: Python<'_>, text: &str, error: &ParseError) -> PyErr {
    let message = match error.kind() {
        _ if text.contains('\0') => "embedded null character",
        ParseErrorKind::TypeExpected => "repeat count given without format specifier",
        ParseErrorKind::TooLarge { .. } => "total struct size too long",
        _ => "bad char in struct format",
    };
    struct_error(py, message.into())
}

impl Compiled {
    fn new(format: &Bound<'_, PyAny>) -> PyResult<Compiled> {
        let py = format.py();
        let text = text(format)?;
        let format = Format::parse_as(Dialect::Struct, &text).map_err(|error| of_parse(py, &text, &error))?;
        Ok(Compiled { text, codec: Arc::new(Codec::new(py, &format)?) })
    }

    pub(crate) fn size(&self) -> usize {
        self.codec.itemsize()
    }
}

/// A format is given as ASCII, in a `str` or in `bytes`.
fn text(format: &Bound<'_, PyAny>) -> PyResult<String> {
    if let Ok(text) = format.cast::<PyString>() {
        // Raises what the struct module raises for other characters.
        let ascii = text.call_method1("encode", ("ascii",))?;
        return Ok(String::from_utf8_lossy(ascii.cast::<PyBytes>()?.as_bytes()).into_owned());
    }
    match format.cast::<PyBytes>() {
        Ok(bytes) if bytes.as_bytes().is_ascii() => {
            Ok(String::from_utf8_lossy(bytes.as_bytes()).into_owned())
        }
        Ok(_) => Err(struct_error(format.py(), "bad char in struct format".into())),
        Err(_) => {
            let kind = format.get_type().name()?;
            Err(PyTypeError::new_err(format!(
                "Struct() argument 1 must be a str or bytes object, not {kind}"
            )))
        }
    }
}

/// Compiled texts, as the struct module keeps them.
static CACHE: PyOnceLock<Py<PyDict>> = PyOnceLock::new();

/// Beyond so many the cache is emptied.
const MOST_CACHED: usize = 100;

/// The compiled form of a text, from the cache where it is there.
fn compiled<'py>(format: &Bound<'py, PyAny>) -> PyResult<Bound<'py, Struct>> {
    let py = format.py();
    // Asked before it is cast: the error of a cast is an object that is made.
    if format.is_instance_of::<Struct>() {
        return Ok(format.cast::<Struct>()?.clone());
    }
    let cache = CACHE.get_or_init(py, || PyDict::new(py).unbind()).bind(py);
    // What cannot be hashed is no text either, and is told so below.
    if let Ok(Some(found)) = cache.get_item(format) {
        return Ok(found.cast_into::<Struct>()?);
    }
    let made = Bound::new(py, Struct::from(Compiled::new(format)?))?;
    if cache.len() >= MOST_CACHED {
        cache.clear();
    }
    cache.set_item(format, &made)?;
    Ok(made)
}

/// Return size in bytes of the struct described by the format string.
#[pyfunction]
#[pyo3(signature = (format, /))]
fn calcsize(format: &Bound<'_, PyAny>) -> PyResult<usize> {
    compiled(format)?.borrow().size()
}

/// Return a bytes object containing the values packed according to the format string.
#[pyfunction]
#[pyo3(signature = (format, /, *values))]
fn pack<'py>(format: &Bound<'py, PyAny>, values: &Bound<'py, PyTuple>) -> PyResult<Bound<'py, PyBytes>> {
    compiled(format)?.borrow().pack(values)
}

/// Pack the values according to the format string into a writable buffer from an offset on.
#[pyfunction]
#[pyo3(signature = (format, /, *arguments))]
fn pack_into(format: &Bound<'_, PyAny>, arguments: &Bound<'_, PyTuple>) -> PyResult<()> {
    compiled(format)?.borrow().pack_into(arguments)
}

/// Return a tuple of the values unpacked from a buffer of exactly calcsize(format) bytes.
#[pyfunction]
#[pyo3(signature = (format, buffer, /))]
fn unpack<'py>(format: &Bound<'py, PyAny>, buffer: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    compiled(format)?.borrow().unpack(buffer)
}

/// Return a tuple of the values unpacked from a buffer from an offset on.
#[pyfunction]
#[pyo3(signature = (format, /, buffer, offset=0))]
fn unpack_from<'py>(
    format: &Bound<'py, PyAny>,
    buffer: &Bound<'py, PyAny>,
    offset: isize,
) -> PyResult<Bound<'py, PyAny>> {
    compiled(format)?.borrow().unpack_from(buffer, offset)
}

/// Return an iterator over tuples unpacked from a buffer of a multiple of calcsize(format) bytes.
#[pyfunction]
#[pyo3(signature = (format, buffer, /))]
fn iter_unpack<'py>(format: &Bound<'py, PyAny>, buffer: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    compiled(format)?.borrow().iter_unpack(buffer)
}

/// Clear the internal cache.
#[pyfunction]
fn _clearcache(py: Python<'_>) {
    if let Some(cache) = CACHE.get(py) {
        cache.bind(py).clear();
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    let inner = PyModule::new(py, "_struct")?;
    inner.add_class::<Struct>()?;
    inner.add_function(wrap_pyfunction!(calcsize, &inner)?)?;
    inner.add_function(wrap_pyfunction!(pack, &inner)?)?;
    inner.add_function(wrap_pyfunction!(pack_into, &inner)?)?;
    inner.add_function(wrap_pyfunction!(unpack, &inner)?)?;
    inner.add_function(wrap_pyfunction!(unpack_from, &inner)?)?;
    inner.add_function(wrap_pyfunction!(iter_unpack, &inner)?)?;
    inner.add_function(wrap_pyfunction!(_clearcache, &inner)?)?;
    inner.add("error", error::class(py)?)?;
    module.add_submodule(&inner)
}
