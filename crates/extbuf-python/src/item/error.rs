//! What is wrong with an object that should become bytes: said once here, and turned into the exceptions of whoever
//! was asked. `struct` raises `struct.error`, a view raises what `memoryview` would.

use extbuf_format::{Kind, Scalar};
use pyo3::exceptions::{PyOverflowError, PyTypeError, PyValueError};
use pyo3::prelude::*;

/// Why a value could not be written.
pub(crate) struct PackError {
    pub(crate) fault: Fault,
    /// The scalar that it was for, where it was one.
    pub(crate) scalar: Option<Scalar>,
    /// The field or element, outermost first, as `a.b[2]`.
    pub(crate) path: String,
}

/// What was wrong.
pub(crate) enum Fault {
    /// An object of another kind.
    Type { wanted: &'static str },
    /// An integer that the code cannot hold.
    Range,
    /// A finite number that becomes infinite; it was given as an `int`.
    Float { of_int: bool },
    /// No real number; what the object raised.
    NotFloat(PyErr),
    /// `c` takes one byte.
    Length { given: usize },
    /// A record or an array with another number of values.
    Count { wanted: usize, given: usize },
    /// A mapping without one of the fields.
    Missing { name: String },
    /// What Python code raised meanwhile.
    Raised(PyErr),
}

impl From<Fault> for PackError {
    fn from(fault: Fault) -> PackError {
        PackError { fault, scalar: None, path: String::new() }
    }
}

impl From<PyErr> for PackError {
    fn from(error: PyErr) -> PackError {
        Fault::Raised(error).into()
    }
}

impl PackError {
    /// The same error, of a part of what is packed.
    pub(crate) fn inside(mut self, part: &str) -> PackError {
        let joint = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{part}{joint}{}", self.path);
        self
    }

    /// As a view raises it: `TypeError` for another kind of object, `ValueError` for another value, and whatever
    /// Python code raised by itself.
    pub(crate) fn into_exception(self, py: Python<'_>) -> PyErr {
        let place = if self.path.is_empty() { String::new() } else { format!("field {:?}: ", self.path) };
        let code = match self.scalar {
            Some(scalar) => format!(" for format '{}'", scalar.code().as_str()),
            None => String::new(),
        };
        match self.fault {
            Fault::Type { wanted } => {
                PyTypeError::new_err(format!("{place}invalid type{code}: {wanted} is needed"))
            }
            Fault::Range => {
                let limits = self.scalar.and_then(limits).map(|l| format!(": {l}")).unwrap_or_default();
                PyValueError::new_err(format!("{place}invalid value{code}{limits}"))
            }
            Fault::Float { .. } => {
                PyValueError::new_err(format!("{place}invalid value{code}: too large for it"))
            }
            Fault::NotFloat(error) if error.is_instance_of::<PyTypeError>(py) => {
                PyTypeError::new_err(format!("{place}invalid type{code}: a float is needed"))
            }
            Fault::NotFloat(error) | Fault::Raised(error) => {
                // An `__index__` that fails as an integer would is an integer that fails.
                if self.scalar.is_some() && error.is_instance_of::<PyOverflowError>(py) {
                    return PyValueError::new_err(format!("{place}invalid value{code}"));
                }
                error
            }
            Fault::Length { given } => {
                PyValueError::new_err(format!("{place}invalid value{code}: one byte is needed, not {given}"))
            }
            Fault::Count { wanted, given } => {
                PyValueError::new_err(format!("{place}{wanted} values are needed, not {given}"))
            }
            Fault::Missing { name } => PyValueError::new_err(format!("{place}no value for field {name:?}")),
        }
    }
}

/// The least and the largest integer of a scalar, in words.
fn limits(scalar: Scalar) -> Option<String> {
    let (least, most) = range(scalar)?;
    Some(format!("{least} <= number <= {most}"))
}

/// The least and the largest integer of a scalar.
pub(crate) fn range(scalar: Scalar) -> Option<(i128, i128)> {
    let bits = match scalar.kind() {
        Kind::Bits => scalar.len() as u32,
        _ => 8 * u32::try_from(scalar.itemsize()).ok().filter(|&size| size <= 8)?,
    };
    Some(match scalar.kind() {
        Kind::Int => (-(1 << (bits - 1)), (1 << (bits - 1)) - 1),
        Kind::UInt | Kind::Bits | Kind::Pointer => (0, (1 << bits) - 1),
        _ => return None,
    })
}
