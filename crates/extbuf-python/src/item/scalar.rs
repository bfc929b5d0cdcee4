//! One value: bytes to an object, and an object to bytes.
//!
//! What is common has its own function, chosen once when the format is compiled: integers and floats of every width
//! and order, bool, bytes, objects. What is rare (half and long double, complex, text, bit fields, bfloat16) goes
//! through the `Value` of `extbuf-format`, which knows how to read it.
// Reads values from lent memory, by value.
#![allow(unsafe_code)]

use std::ffi::{c_char, c_long};

use extbuf_format::{ByteOrder, Code, Custom, Format, FormatErrorKind, Item, Kind, Mark, Scalar, Value};
use pyo3::exceptions::{PyOverflowError, PyValueError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyComplex, PyFloat, PyInt, PyString};

use super::error::{Fault, PackError};

/// Makes an object of so many bytes at an address: a new reference, or null with an exception set.
pub(super) type Reader = unsafe fn(*const u8, usize) -> *mut ffi::PyObject;

/// One value of an item.
pub(crate) struct Leaf {
    size: usize,
    way: Way,
}

/// How a value is read and written.
enum Way {
    /// A number of one to eight bytes.
    Number {
        read: Reader,
        scalar: Scalar,
    },
    /// `c`, `s` and bytes without a type.
    Bytes {
        scalar: Scalar,
    },
    Pascal,
    /// A reference.
    Object,
    /// Some bits of bytes that neighbours share.
    Bits {
        scalar: Scalar,
        start: u8,
    },
    /// Through `Format::unpack`.
    Rare(Format),
}

impl Leaf {
    pub(crate) fn of(scalar: Scalar) -> Leaf {
        let size = scalar.itemsize();
        let number = |read| Way::Number { read, scalar };
        let swapped = scalar.is_swapped();
        let way = match (scalar.kind(), size) {
            (Kind::Bool, 1) => number(bool_at),
            (Kind::Int, 1) => number(i8_at),
            (Kind::Int, 2) => number(if swapped { i16_swapped } else { i16_at }),
            (Kind::Int, 4) => number(if swapped { i32_swapped } else { i32_at }),
            (Kind::Int, 8) => number(if swapped { i64_swapped } else { i64_at }),
            (Kind::UInt, 1) => number(u8_at),
            (Kind::UInt, 2) => number(if swapped { u16_swapped } else { u16_at }),
            (Kind::UInt, 4) => number(if swapped { u32_swapped } else { u32_at }),
            (Kind::UInt | Kind::Pointer, 8) => number(if swapped { u64_swapped } else { u64_at }),
            (Kind::Float, 4) => number(if swapped { f32_swapped } else { f32_at }),
            (Kind::Float, 8) => number(if swapped { f64_swapped } else { f64_at }),
            (Kind::Char | Kind::Bytes | Kind::Void, _) => Way::Bytes { scalar },
            (Kind::Pascal, _) => Way::Pascal,
            (Kind::Object, _) => Way::Object,
            (Kind::Bits, _) => Way::Bits { scalar, start: 0 },
            _ => Way::Rare(Format::scalar(scalar)),
        };
        Leaf { size, way }
    }

    /// An address in this machine's memory.
    pub(crate) fn address() -> Leaf {
        Leaf::of(Scalar::new(Code::VoidPointer, Mark::Unaligned))
    }

    /// A bit field that starts at a bit of its first byte.
    pub(crate) fn bits(scalar: Scalar, start: u8) -> Leaf {
        let size = (usize::from(start) + scalar.len()).div_ceil(8);
        Leaf { size, way: Way::Bits { scalar, start } }
    }

    /// Whether a named type is more than its storage.
    pub(crate) fn knows(custom: &Custom) -> bool {
        custom.name() == "bfloat16"
    }

    /// A value that `Format::unpack` knows how to read.
    pub(crate) fn rare(format: &Format) -> Leaf {
        Leaf { size: format.itemsize(), way: Way::Rare(format.clone()) }
    }

    pub(crate) fn is_object(&self) -> bool {
        matches!(self.way, Way::Object)
    }

    /// What reads the value, where that takes nothing but its bytes.
    pub(super) fn reader(&self) -> Option<Reader> {
        match &self.way {
            Way::Number { read, .. } => Some(*read),
            Way::Bytes { .. } => Some(bytes_at),
            Way::Pascal => Some(pascal_at),
            Way::Rare(format) => {
                let half = format.as_scalar().filter(|s| s.kind() == Kind::Float && self.size == 2)?;
                Some(if half.is_swapped() { half_swapped } else { half_at })
            }
            Way::Object | Way::Bits { .. } => None,
        }
    }

    /// Bytes from the leaf's offset on that it reads and writes.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// The scalar, for messages; none for a type known by name.
    pub(crate) fn scalar(&self) -> Option<Scalar> {
        match &self.way {
            Way::Number { scalar, .. } | Way::Bytes { scalar } | Way::Bits { scalar, .. } => Some(*scalar),
            Way::Pascal => Some(Scalar::new(Code::Pascal, Mark::Native)),
            Way::Object => Some(Scalar::new(Code::Object, Mark::Native)),
            Way::Rare(format) => format.as_scalar(),
        }
    }

    /// The value at an address: a new reference, or null with an exception set.
    ///
    /// # Safety
    ///
    /// The leaf's bytes at `at` may be read until this returns; where it is an `O`, they are a live reference or null.
    #[inline]
    pub(crate) unsafe fn read(&self, py: Python<'_>, at: *const u8) -> *mut ffi::PyObject {
        match &self.way {
            // SAFETY: the contract is handed on; the reader was chosen for this size.
            Way::Number { read, .. } => unsafe { read(at, self.size) },
            // SAFETY: the contract is handed on.
            Way::Bytes { .. } => unsafe { bytes_at(at, self.size) },
            // SAFETY: the contract is handed on.
            Way::Pascal => unsafe { pascal_at(at, self.size) },
            Way::Object => {
                // SAFETY: the contract: a pointer's bytes may be read.
                let object = unsafe { at.cast::<*mut ffi::PyObject>().read_unaligned() };
                // An array of references that was never filled holds nulls, which NumPy too shows as None.
                // SAFETY: a singleton that lives for ever.
                let object = if object.is_null() { unsafe { ffi::Py_None() } } else { object };
                // SAFETY: the contract: a live reference.
                unsafe { ffi::Py_INCREF(object) };
                object
            }
            // SAFETY: the contract is handed on.
            Way::Bits { scalar, start } => unsafe { bits_at(*scalar, *start, self.size, at) },
            // SAFETY: the contract is handed on.
            Way::Rare(format) => unsafe { rare_at(py, format, self.size, at) },
        }
    }

    /// Writes an object over the leaf's bytes, which are zero; bit fields leave their neighbours alone.
    ///
    /// An `O` becomes a reference that the bytes own (I2).
    pub(crate) fn write(&self, value: &Bound<'_, PyAny>, bytes: &mut [u8]) -> Result<(), PackError> {
        match &self.way {
            Way::Number { scalar, .. } => number(*scalar, value, bytes),
            Way::Bytes { scalar } => {
                let single = scalar.kind() == Kind::Char;
                given_bytes(value, !single, |given| {
                    if single && given.len() != 1 {
                        return Err(Fault::Length { given: given.len() }.into());
                    }
                    let len = given.len().min(bytes.len());
                    bytes[..len].copy_from_slice(&given[..len]);
                    Ok(())
                })
            }
            Way::Pascal => given_bytes(value, true, |given| {
                if let Some((first, text)) = bytes.split_first_mut() {
                    let len = given.len().min(text.len());
                    *first = len.min(255) as u8;
                    text[..len].copy_from_slice(&given[..len]);
                }
                Ok(())
            }),
            Way::Object => {
                let address = value.clone().into_ptr() as usize;
                bytes.copy_from_slice(&address.to_ne_bytes());
                Ok(())
            }
            Way::Bits { scalar, start } => {
                let Some(number) = unsigned(value)?.filter(|n| scalar.len() >= 64 || n >> scalar.len() == 0)
                else {
                    return Err(Fault::Range.into());
                };
                write_bits(*scalar, *start, number, bytes);
                Ok(())
            }
            Way::Rare(format) => {
                let of_int = value.is_instance_of::<PyInt>();
                let value = to_value(format, value)?;
                format.pack(&value, bytes).map_err(|error| match error.kind() {
                    FormatErrorKind::OutOfRange { .. } => Fault::Float { of_int }.into(),
                    _ => PyValueError::new_err(error.to_string()).into(),
                })
            }
        }
    }
}

macro_rules! readers {
    ($($plain:ident $swapped:ident $type:ident $make:ident;)*) => {$(
        /// # Safety
        ///
        /// The bytes of the number may be read.
        unsafe fn $plain(at: *const u8, _size: usize) -> *mut ffi::PyObject {
            // SAFETY: the contract; read once, unaligned.
            $make(unsafe { at.cast::<$type>().read_unaligned() }.into())
        }

        /// # Safety
        ///
        /// The bytes of the number may be read.
        unsafe fn $swapped(at: *const u8, _size: usize) -> *mut ffi::PyObject {
            // SAFETY: the contract; read once, as bytes.
            let mut bytes = unsafe { at.cast::<[u8; size_of::<$type>()]>().read() };
            bytes.reverse();
            $make($type::from_ne_bytes(bytes).into())
        }
    )*};
}

readers! {
    i16_at i16_swapped i16 int;
    i32_at i32_swapped i32 int;
    i64_at i64_swapped i64 int;
    u16_at u16_swapped u16 int;
    u32_at u32_swapped u32 int;
    u64_at u64_swapped u64 unsigned_int;
    f32_at f32_swapped f32 float;
    f64_at f64_swapped f64 float;
}

/// # Safety
///
/// One byte may be read.
unsafe fn i8_at(at: *const u8, _size: usize) -> *mut ffi::PyObject {
    // SAFETY: the contract.
    int(unsafe { at.cast::<i8>().read() }.into())
}

/// # Safety
///
/// One byte may be read.
unsafe fn u8_at(at: *const u8, _size: usize) -> *mut ffi::PyObject {
    // SAFETY: the contract.
    int(unsafe { at.read() }.into())
}

/// # Safety
///
/// One byte may be read.
unsafe fn bool_at(at: *const u8, _size: usize) -> *mut ffi::PyObject {
    // SAFETY: the contract.
    let set = unsafe { at.read() } != 0;
    // SAFETY: an attached thread; a singleton, with a reference of its own.
    unsafe { ffi::PyBool_FromLong(c_long::from(set)) }
}

#[inline]
fn int(number: i64) -> *mut ffi::PyObject {
    // A C long has a shorter way to a small object, and takes every number where it has eight bytes.
    match c_long::try_from(number) {
        // SAFETY: an attached thread.
        Ok(number) => unsafe { ffi::PyLong_FromLong(number) },
        // SAFETY: an attached thread.
        Err(_) => unsafe { ffi::PyLong_FromLongLong(number) },
    }
}

#[inline]
fn unsigned_int(number: u64) -> *mut ffi::PyObject {
    match i64::try_from(number) {
        Ok(number) => int(number),
        // SAFETY: an attached thread.
        Err(_) => unsafe { ffi::PyLong_FromUnsignedLongLong(number) },
    }
}

#[inline]
fn float(number: f64) -> *mut ffi::PyObject {
    // SAFETY: an attached thread.
    unsafe { ffi::PyFloat_FromDouble(number) }
}

/// # Safety
///
/// Two bytes may be read.
unsafe fn half_at(at: *const u8, _size: usize) -> *mut ffi::PyObject {
    // SAFETY: the contract; read once, unaligned.
    float(widened(unsafe { at.cast::<u16>().read_unaligned() }))
}

/// # Safety
///
/// Two bytes may be read.
unsafe fn half_swapped(at: *const u8, _size: usize) -> *mut ffi::PyObject {
    // SAFETY: the contract; read once, unaligned.
    float(widened(unsafe { at.cast::<u16>().read_unaligned() }.swap_bytes()))
}

/// A half float, exactly.
fn widened(bits: u16) -> f64 {
    let (power, digits) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    let magnitude = match power {
        0 => digits * f64::from_bits((1023 - 24) << 52),
        31 if digits == 0.0 => f64::INFINITY,
        31 => f64::from_bits(0x7ff << 52 | u64::from(bits & 1023) << 42),
        power => (1024.0 + digits) * f64::from_bits(((power - 25 + 1023) as u64) << 52),
    };
    f64::from_bits(magnitude.to_bits() | u64::from(bits >> 15) << 63)
}

/// # Safety
///
/// `len` bytes may be read.
unsafe fn bytes_at(at: *const u8, len: usize) -> *mut ffi::PyObject {
    // SAFETY: an attached thread, and the contract: the bytes are copied.
    unsafe { ffi::PyBytes_FromStringAndSize(at.cast::<c_char>(), len as isize) }
}

/// # Safety
///
/// `size` bytes may be read.
unsafe fn pascal_at(at: *const u8, size: usize) -> *mut ffi::PyObject {
    if size == 0 {
        // SAFETY: no bytes.
        return unsafe { bytes_at(at, 0) };
    }
    // SAFETY: the contract. Read once: another thread may write it meanwhile.
    let claimed = usize::from(unsafe { at.read() });
    // The length byte may claim more than there is.
    // SAFETY: inside the `size` bytes.
    unsafe { bytes_at(at.wrapping_add(1), claimed.min(size - 1)) }
}

/// # Safety
///
/// `size` bytes may be read.
unsafe fn bits_at(scalar: Scalar, start: u8, size: usize, at: *const u8) -> *mut ffi::PyObject {
    // 64 bits that start inside a byte touch nine.
    let mut bytes = [0u8; 9];
    // SAFETY: the contract; `size` is at most nine.
    unsafe { at.copy_to_nonoverlapping(bytes.as_mut_ptr(), size) };
    let mut number = 0u64;
    for i in 0..scalar.len() {
        let at = usize::from(start) + i;
        match scalar.byte_order() {
            ByteOrder::Little => number |= u64::from(bytes[at / 8] >> (at % 8) & 1) << i,
            ByteOrder::Big => number = number << 1 | u64::from(bytes[at / 8] >> (7 - at % 8) & 1),
        }
    }
    unsigned_int(number)
}

fn write_bits(scalar: Scalar, start: u8, number: u64, bytes: &mut [u8]) {
    let bits = scalar.len();
    for i in 0..bits {
        let at = usize::from(start) + i;
        let (bit, shift) = match scalar.byte_order() {
            ByteOrder::Little => (number >> i & 1, at % 8),
            ByteOrder::Big => (number >> (bits - 1 - i) & 1, 7 - at % 8),
        };
        bytes[at / 8] = bytes[at / 8] & !(1 << shift) | (bit as u8) << shift;
    }
}

/// # Safety
///
/// `size` bytes may be read.
unsafe fn rare_at(py: Python<'_>, format: &Format, size: usize, at: *const u8) -> *mut ffi::PyObject {
    let read = |bytes: &mut [u8]| {
        // SAFETY: the contract, and as many bytes of our own.
        unsafe { at.copy_to_nonoverlapping(bytes.as_mut_ptr(), bytes.len()) };
        let value = format.unpack(bytes).map_err(|error| PyValueError::new_err(error.to_string()))?;
        from_value(py, value)
    };
    let made = if size <= 64 { read(&mut [0; 64][..size]) } else { read(&mut vec![0; size]) };
    match made {
        Ok(object) => object.into_ptr(),
        Err(error) => {
            error.restore(py);
            std::ptr::null_mut()
        }
    }
}

fn from_value(py: Python<'_>, value: Value) -> PyResult<Bound<'_, PyAny>> {
    Ok(match value {
        Value::Float(x) => PyFloat::new(py, x).into_any(),
        Value::Complex(re, im) => PyComplex::from_doubles(py, re, im).into_any(),
        Value::Text(text) => PyString::new(py, &text).into_any(),
        Value::UInt(n) | Value::Address(n) => PyInt::new(py, n).into_any(),
        Value::Int(n) => PyInt::new(py, n).into_any(),
        Value::Bytes(bytes) => PyBytes::new(py, &bytes).into_any(),
        Value::Bool(b) => b.into_pyobject(py)?.to_owned().into_any(),
        other => return Err(PyValueError::new_err(format!("no object for {other}"))),
    })
}

/// The value that a rare format takes.
fn to_value(format: &Format, value: &Bound<'_, PyAny>) -> Result<Value, PackError> {
    let kind = match format.item() {
        Item::Scalar(scalar) => scalar.kind(),
        _ => Kind::Float,
    };
    Ok(match kind {
        Kind::Complex => {
            let (re, im) = complex(value)?;
            Value::Complex(re, im)
        }
        Kind::Text => match value.cast::<PyString>() {
            Ok(text) => Value::Text(text.to_str()?.to_owned()),
            Err(_) => return Err(Fault::Type { wanted: "a str" }.into()),
        },
        Kind::Bool => Value::Bool(value.is_truthy()?),
        Kind::Int => Value::Int(signed(value)?.ok_or(Fault::Range)?),
        Kind::Float => Value::Float(real(value)?),
        _ => Value::UInt(unsigned(value)?.ok_or(Fault::Range)?),
    })
}

fn complex(value: &Bound<'_, PyAny>) -> Result<(f64, f64), PackError> {
    let parts = |z: &Bound<'_, PyComplex>| (z.real(), z.imag());
    if let Ok(z) = value.cast::<PyComplex>() {
        return Ok(parts(z));
    }
    if value.is_instance_of::<PyString>() {
        return Err(Fault::Type { wanted: "a complex" }.into());
    }
    match value.py().get_type::<PyComplex>().call1((value,)) {
        Ok(z) => z.cast::<PyComplex>().map(parts).map_err(|_| Fault::Type { wanted: "a complex" }.into()),
        Err(_) => Err(Fault::Type { wanted: "a complex" }.into()),
    }
}

/// Bytes that were given, or a fault. A bytearray is copied first, since it may change.
fn given_bytes<R>(
    value: &Bound<'_, PyAny>,
    also_bytearray: bool,
    f: impl FnOnce(&[u8]) -> Result<R, PackError>,
) -> Result<R, PackError> {
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return f(bytes.as_bytes());
    }
    match value.cast::<PyByteArray>() {
        Ok(bytes) if also_bytearray => f(&bytes.to_vec()),
        _ => Err(Fault::Type { wanted: "bytes" }.into()),
    }
}

fn real(value: &Bound<'_, PyAny>) -> Result<f64, PackError> {
    // SAFETY: an attached thread and a live object.
    let number = unsafe { ffi::PyFloat_AsDouble(value.as_ptr()) };
    if number == -1.0 {
        if let Some(error) = PyErr::take(value.py()) {
            return Err(Fault::NotFloat(error).into());
        }
    }
    Ok(number)
}

/// A number of one to eight bytes, over zeros.
fn number(scalar: Scalar, value: &Bound<'_, PyAny>, bytes: &mut [u8]) -> Result<(), PackError> {
    let size = bytes.len();
    let bits = match scalar.kind() {
        Kind::Bool => u64::from(value.is_truthy()?),
        Kind::Int => {
            let number = signed(value)?.ok_or(Fault::Range)?;
            let unused = 64 - 8 * size as u32;
            if (number << unused) >> unused != number {
                return Err(Fault::Range.into());
            }
            number as u64
        }
        Kind::Float => {
            let number = real(value)?;
            if size == 8 {
                number.to_bits()
            } else {
                let narrow = number as f32;
                // As in C: native floats are cast, standard ones checked.
                if narrow.is_infinite() && number.is_finite() && scalar.mark() != Mark::Native {
                    return Err(Fault::Float { of_int: value.is_instance_of::<PyInt>() }.into());
                }
                u64::from(narrow.to_bits())
            }
        }
        Kind::Pointer => match unsigned(value)? {
            Some(number) => number,
            // Addresses are taken modulo their width, as C does.
            None => signed(value)?.ok_or(Fault::Range)? as u64,
        },
        _ => {
            let number = unsigned(value)?.ok_or(Fault::Range)?;
            if size < 8 && number >> (8 * size) != 0 {
                return Err(Fault::Range.into());
            }
            number
        }
    };
    let little = match scalar.byte_order() {
        ByteOrder::Little => bits,
        ByteOrder::Big => bits.swap_bytes() >> (64 - 8 * size),
    };
    let little = little.to_le_bytes();
    // Of a known length each, so that it is one store and no call.
    match size {
        1 => bytes[0] = little[0],
        2 => bytes.copy_from_slice(&little[..2]),
        4 => bytes.copy_from_slice(&little[..4]),
        8 => bytes.copy_from_slice(&little),
        _ => bytes.copy_from_slice(&little[..size]),
    }
    Ok(())
}

/// What `f` makes of the integer of an object that is one, or has `__index__`.
#[inline]
fn with_index<R>(
    value: &Bound<'_, PyAny>,
    f: impl FnOnce(&Bound<'_, PyAny>) -> Result<R, PackError>,
) -> Result<R, PackError> {
    if value.is_instance_of::<PyInt>() { f(value) } else { f(&index(value)?) }
}

/// What `__index__` of an object returns.
#[cold]
fn index<'py>(value: &Bound<'py, PyAny>) -> Result<Bound<'py, PyAny>, PackError> {
    // SAFETY: an attached thread and a live object.
    if unsafe { ffi::PyIndex_Check(value.as_ptr()) } == 0 {
        return Err(Fault::Type { wanted: "an int" }.into());
    }
    // SAFETY: as above.
    let number = unsafe { ffi::PyNumber_Index(value.as_ptr()) };
    // SAFETY: a new reference, or null with an exception set.
    Ok(unsafe { Bound::from_owned_ptr_or_err(value.py(), number) }?)
}

/// The number, or `None` where 64 bits with a sign do not hold it.
fn signed(value: &Bound<'_, PyAny>) -> Result<Option<i64>, PackError> {
    with_index(value, signed_integer)
}

fn signed_integer(value: &Bound<'_, PyAny>) -> Result<Option<i64>, PackError> {
    let mut overflow = 0;
    // SAFETY: an attached thread and an integer object.
    let number = unsafe { ffi::PyLong_AsLongLongAndOverflow(value.as_ptr(), &mut overflow) };
    if overflow != 0 {
        return Ok(None);
    }
    if number == -1 {
        if let Some(error) = PyErr::take(value.py()) {
            return Err(error.into());
        }
    }
    Ok(Some(number))
}

/// The number, or `None` where 64 bits without a sign do not hold it.
fn unsigned(value: &Bound<'_, PyAny>) -> Result<Option<u64>, PackError> {
    with_index(value, unsigned_integer)
}

fn unsigned_integer(value: &Bound<'_, PyAny>) -> Result<Option<u64>, PackError> {
    let mut overflow = 0;
    // SAFETY: an attached thread and an integer object.
    let number = unsafe { ffi::PyLong_AsLongLongAndOverflow(value.as_ptr(), &mut overflow) };
    if overflow <= 0 {
        return Ok(if overflow == 0 { u64::try_from(number).ok() } else { None });
    }
    // SAFETY: as above.
    let number = unsafe { ffi::PyLong_AsUnsignedLongLong(value.as_ptr()) };
    match PyErr::take(value.py()) {
        Some(error) if error.is_instance_of::<PyOverflowError>(value.py()) => Ok(None),
        Some(error) => Err(error.into()),
        None => Ok(Some(number)),
    }
}
