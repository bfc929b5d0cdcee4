//! Our errors as the exceptions that CPython raises for the same thing, with our messages.

use extbuf_copy::{CopyError, CopyErrorKind};
use extbuf_format::{FormatError, FormatErrorKind, ParseError};
use extbuf_layout::{LayoutError, LayoutErrorKind};
use extbuf_protocol::Refusal;
use pyo3::exceptions::{
    PyBufferError, PyIndexError, PyKeyError, PyMemoryError, PyNotImplementedError, PyTypeError, PyValueError,
};
use pyo3::prelude::*;

/// A refusal of a layout: an index outside an axis is an `IndexError`, too many of them a `TypeError`.
pub(crate) fn layout(error: LayoutError) -> PyErr {
    match error.kind() {
        LayoutErrorKind::IndexOutOfRange { .. } => PyIndexError::new_err(error.to_string()),
        LayoutErrorKind::TooManyIndices { .. } | LayoutErrorKind::SecondEllipsis => {
            PyTypeError::new_err(error.to_string())
        }
        _ => PyValueError::new_err(error.to_string()),
    }
}

/// A refusal of a format.
pub(crate) fn format(error: FormatError) -> PyErr {
    let message = error.to_string();
    match error.kind() {
        FormatErrorKind::WrongValue { .. } => PyTypeError::new_err(message),
        FormatErrorKind::NoSuchField => PyKeyError::new_err(message),
        FormatErrorKind::IndexOutOfRange { .. } => PyIndexError::new_err(message),
        _ => PyValueError::new_err(message),
    }
}

/// A text that is no format: a `ValueError` that shows where.
pub(crate) fn parse(error: ParseError) -> PyErr {
    PyValueError::new_err(error.render())
}

/// A format whose values cannot be read or written: what memoryview raises for it.
pub(crate) fn unreadable(why: &str) -> PyErr {
    PyNotImplementedError::new_err(why.to_owned())
}

pub(crate) fn copy(error: CopyError) -> PyErr {
    match error.kind() {
        CopyErrorKind::Allocation { .. } => PyMemoryError::new_err(error.to_string()),
        CopyErrorKind::Objects => PyTypeError::new_err(error.to_string()),
        _ => PyValueError::new_err(error.to_string()),
    }
}

/// A refusal to lend.
pub(crate) fn refusal(refusal: Refusal) -> PyErr {
    PyBufferError::new_err(refusal.to_string())
}

/// What memoryview says, so that programs that look for these words find them.
pub(crate) fn released() -> PyErr {
    PyValueError::new_err("operation forbidden on a released view")
}
