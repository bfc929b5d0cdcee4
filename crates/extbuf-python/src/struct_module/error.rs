//! What the struct module raises, in its own words.

use extbuf_format::{Code, Kind, Mark, Scalar};
use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

use crate::item::{Fault, PackError, range};

/// The class `struct.error` of the interpreter.
pub(super) fn class(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    // The C module, which nobody puts a stand-in in the place of.
    CLASS.import(py, "_struct", "error")
}

/// A `struct.error` with a message.
pub(crate) fn struct_error(py: Python<'_>, message: String) -> PyErr {
    match class(py) {
        Ok(class) => PyErr::from_type(class.clone(), message),
        Err(error) => error,
    }
}

/// What `pack` raises for a value that is wrong.
pub(crate) fn of_pack(py: Python<'_>, error: PackError) -> PyErr {
    let scalar = error.scalar;
    let code = scalar.map_or("?", |scalar| scalar.code().as_str());
    let message = match error.fault {
        Fault::Raised(error) => return error,
        Fault::Float { of_int: true } => "int too large to convert".into(),
        Fault::Float { of_int: false } => {
            return PyOverflowError::new_err(format!("float too large to pack with {code} format"));
        }
        Fault::Range => match scalar {
            Some(scalar) => out_of_range(py, scalar),
            None => "argument out of range".into(),
        },
        Fault::NotFloat(_) => "required argument is not a float".into(),
        Fault::Length { .. } => "char format requires a bytes object of length 1".into(),
        Fault::Type { wanted } => match scalar.map(Scalar::kind) {
            Some(Kind::Char) => "char format requires a bytes object of length 1".into(),
            Some(Kind::Bytes | Kind::Pascal) => format!("argument for '{code}' must be a bytes object"),
            Some(Kind::Complex) => "required argument is not a complex".into(),
            Some(_) => "required argument is not an integer".into(),
            None => return PyTypeError::new_err(format!("{wanted} is needed")),
        },
        // Counted before anything was packed.
        Fault::Count { wanted, given } => {
            format!("pack expected {wanted} items for packing (got {given})")
        }
        Fault::Missing { name } => format!("no value for field {name:?}"),
    };
    struct_error(py, message)
}

fn out_of_range(py: Python<'_>, scalar: Scalar) -> String {
    let code = scalar.code().as_str();
    let Some((least, most)) = range(scalar) else { return "argument out of range".into() };
    // Python 3.11 gave bytes and native shorts names.
    let name = match scalar.code() {
        Code::SignedChar => Some("byte"),
        Code::UnsignedChar => Some("ubyte"),
        Code::Short if scalar.mark() == Mark::Native => Some("short"),
        Code::UnsignedShort if scalar.mark() == Mark::Native => Some("ushort"),
        _ => None,
    };
    match name.filter(|_| py.version_info() < (3, 12)) {
        Some(name) => format!("{name} format requires {least} <= number <= {most}"),
        None => format!("'{code}' format requires {least} <= number <= {most}"),
    }
}
