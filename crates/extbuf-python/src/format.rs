//! The class `extbuf.Format`: what an item is, parsed once.
// Reads memory that is held for the call.
#![allow(unsafe_code)]

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, OnceLock};

use extbuf_format::{Dialect, Format as Parsed, FormatError, FormatErrorKind, Item, ParseError};
use pyo3::exceptions::{PyBufferError, PyIndexError, PyKeyError, PyTypeError, PyValueError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyTuple, PyType};

use crate::item::Codec;
use crate::raw::held;
use crate::struct_module::iter;

/// What an item of a buffer is: a format text, parsed to a tree of fields with offsets and sizes.
///
/// `dialect` says by whose rules the text is read: "pep3118", "struct", "numpy", "ctypes" or "cython".
/// Two formats are equal when every bit of an item means the same under both.
#[pyclass(frozen, weakref, module = "extbuf", name = "Format")]
pub(crate) struct Format {
    parsed: Parsed,
    /// Made when the first item is read or written.
    codec: OnceLock<Arc<Codec>>,
}

impl From<Parsed> for Format {
    fn from(parsed: Parsed) -> Format {
        Format { parsed, codec: OnceLock::new() }
    }
}

/// A text that is no format, as an exception that shows the place.
fn not_parsed(error: &ParseError) -> PyErr {
    PyValueError::new_err(error.render())
}

fn refused(error: &FormatError) -> PyErr {
    let message = error.to_string();
    match error.kind() {
        FormatErrorKind::NoSuchField | FormatErrorKind::NotNested => PyKeyError::new_err(message),
        FormatErrorKind::IndexOutOfRange { .. } | FormatErrorKind::TooManyIndices { .. } => {
            PyIndexError::new_err(message)
        }
        _ => PyValueError::new_err(message),
    }
}

pub(crate) fn dialect_named(name: &str) -> PyResult<Dialect> {
    name.parse()
        .map_err(|_| PyValueError::new_err(format!("{name:?} is no dialect: {} are", names().join(", "))))
}

fn names() -> Vec<&'static str> {
    Dialect::ALL.into_iter().map(Dialect::name).collect()
}

fn length(_: Python<'_>, message: String) -> PyErr {
    PyValueError::new_err(message)
}

impl Format {
    /// The format that an argument means: one that was parsed, or a text.
    pub(crate) fn of(argument: &Bound<'_, PyAny>, dialect: Dialect) -> PyResult<Parsed> {
        if let Ok(format) = argument.cast::<Format>() {
            return Ok(format.get().parsed.clone());
        }
        let parse = |text: &str| Parsed::parse_as(dialect, text).map_err(|error| not_parsed(&error));
        if let Ok(text) = argument.cast::<PyString>() {
            return parse(text.to_str()?);
        }
        match argument.cast::<PyBytes>() {
            Ok(bytes) => match std::str::from_utf8(bytes.as_bytes()) {
                Ok(text) => parse(text),
                Err(_) => Err(PyValueError::new_err("a format is text in UTF-8")),
            },
            Err(_) => {
                let kind = argument.get_type().name()?;
                Err(PyTypeError::new_err(format!("a format is a str, bytes or an extbuf.Format, not {kind}")))
            }
        }
    }

    pub(crate) fn parsed(&self) -> &Parsed {
        &self.parsed
    }

    fn codec(&self, py: Python<'_>) -> PyResult<&Arc<Codec>> {
        if let Some(codec) = self.codec.get() {
            return Ok(codec);
        }
        // Made outside the lock: making it may run Python code.
        let codec = Arc::new(Codec::new(py, &self.parsed)?);
        Ok(self.codec.get_or_init(|| codec))
    }

    /// The codec, for bytes that come from anywhere: they hold no references.
    fn plain_codec(&self, py: Python<'_>) -> PyResult<&Arc<Codec>> {
        let codec = self.codec(py)?;
        if codec.has_objects() {
            let message =
                "the format holds objects: its bytes are references, which have no meaning by themselves";
            return Err(PyTypeError::new_err(message));
        }
        Ok(codec)
    }
}

#[pymethods]
impl Format {
    #[new]
    #[pyo3(signature = (text, dialect="pep3118", *, itemsize=None))]
    fn new(text: &Bound<'_, PyAny>, dialect: &str, itemsize: Option<usize>) -> PyResult<Format> {
        let parsed = Format::of(text, dialect_named(dialect)?)?;
        let parsed = match itemsize {
            Some(itemsize) => parsed.with_itemsize(itemsize).map_err(|error| refused(&error))?,
            None => parsed,
        };
        Ok(parsed.into())
    }

    /// Read a format text by the rules of a dialect: the same as calling the class.
    #[classmethod]
    #[pyo3(signature = (text, dialect="pep3118"))]
    fn parse(_class: &Bound<'_, PyType>, text: &Bound<'_, PyAny>, dialect: &str) -> PyResult<Format> {
        Format::new(text, dialect, None)
    }

    /// The names of the dialects.
    #[classattr]
    fn dialects(py: Python<'_>) -> PyResult<Bound<'_, PyTuple>> {
        PyTuple::new(py, names())
    }

    /// The text in PEP 3118's own spelling; reading it gives an equal format.
    #[getter]
    fn text(&self) -> String {
        self.parsed.to_string()
    }

    /// The text as a dialect spells it.
    #[pyo3(signature = (dialect="pep3118"))]
    fn to_text(&self, dialect: &str) -> PyResult<String> {
        self.parsed.to_string_as(dialect_named(dialect)?).map_err(|error| refused(&error))
    }

    /// Size of one item in bytes, padding included.
    #[getter]
    fn itemsize(&self) -> usize {
        self.parsed.itemsize()
    }

    /// Alignment in bytes that the item is placed by: that of C under "@", 1 under every other mark.
    #[getter]
    fn alignment(&self) -> usize {
        self.parsed.alignment()
    }

    /// The lengths of the axes of an array, as (2, 3) of "(2,3)d"; () for anything else.
    #[getter]
    fn shape<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        match self.parsed.item() {
            Item::Array(array) => PyTuple::new(py, array.shape()),
            _ => Ok(PyTuple::empty(py)),
        }
    }

    /// The format of an array's elements; the format itself for anything else.
    #[getter]
    fn base(&self) -> Format {
        match self.parsed.item() {
            Item::Array(array) => array.element().clone().into(),
            _ => self.parsed.clone().into(),
        }
    }

    /// Whether an item holds references to Python objects.
    #[getter]
    fn has_objects(&self) -> bool {
        self.parsed.has_objects()
    }

    /// The fields of a record in order of offset; () when the item is no record.
    #[getter]
    fn fields<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        // A repeat may say more fields than there is memory.
        const MOST: usize = 1 << 20;
        let count = self.parsed.fields().size_hint().0;
        if count > MOST {
            return Err(PyValueError::new_err(format!("{count} fields, more than {MOST}, are not listed")));
        }
        let fields = self.parsed.fields().map(|field| Field {
            name: field.name().map(str::to_owned),
            offset: field.offset(),
            bit_offset: field.bit_offset(),
            format: field.format().clone(),
        });
        let fields: Vec<_> = fields.map(|field| Bound::new(py, field)).collect::<PyResult<_>>()?;
        PyTuple::new(py, fields)
    }

    /// Offset and format of the part at a path, as "a", "a.b" or "a[1].b".
    fn field(&self, path: &str) -> PyResult<(usize, Format)> {
        let (offset, format) = self.parsed.field(path).map_err(|error| refused(&error))?;
        Ok((offset, format.into()))
    }

    /// The same item with padding at its end, or without, so that it has this size.
    fn with_itemsize(&self, itemsize: usize) -> PyResult<Format> {
        Ok(self.parsed.with_itemsize(itemsize).map_err(|error| refused(&error))?.into())
    }

    /// Whether the items of the two can stand in for each other: as equality, names aside.
    fn is_compatible_with(&self, other: &Bound<'_, PyAny>) -> PyResult<bool> {
        Ok(self.parsed.is_compatible_with(&Format::of(other, Dialect::Pep3118)?))
    }

    /// A table of the item: every field with offset, size, format and meaning, padding where it lies.
    fn explain(&self) -> String {
        crate::explain::of_format(&self.parsed)
    }

    /// One value as the bytes of one item. A record takes a tuple, a list or a dict of its fields.
    fn pack<'py>(&self, value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
        let py = value.py();
        let packed = self.plain_codec(py)?.pack(value).map_err(|error| error.into_exception(py))?;
        Ok(PyBytes::new(py, packed.bytes()))
    }

    /// Write one value into a writable buffer from a byte offset on.
    #[pyo3(signature = (buffer, value, offset=0))]
    fn pack_into(&self, buffer: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>, offset: isize) -> PyResult<()> {
        let py = value.py();
        let packed = self.plain_codec(py)?.pack(value).map_err(|error| error.into_exception(py))?;
        held(buffer, ffi::PyBUF_WRITABLE, |claim| {
            let start = self.place(offset, claim.len.unsigned_abs())?;
            // SAFETY: B3: the memory is held and writable, and a whole item lies there; the format has no `O`.
            unsafe { packed.store(py, claim.base.wrapping_add(start)) };
            Ok(())
        })
    }

    /// The value of one item, from a buffer of exactly `itemsize` bytes.
    fn unpack<'py>(&self, buffer: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = buffer.py();
        let codec = self.plain_codec(py)?;
        let size = codec.itemsize();
        held(buffer, ffi::PyBUF_SIMPLE, |claim| {
            if claim.len.unsigned_abs() != size {
                let message = format!("an item of {size} bytes is not {} bytes", claim.len);
                return Err(PyValueError::new_err(message));
            }
            // SAFETY: B3: `size` bytes, held during the call; the format has no `O`.
            unsafe { codec.read(py, claim.base) }
        })
    }

    /// The value of the item that starts at a byte offset of a buffer.
    #[pyo3(signature = (buffer, offset=0))]
    fn unpack_from<'py>(&self, buffer: &Bound<'py, PyAny>, offset: isize) -> PyResult<Bound<'py, PyAny>> {
        let py = buffer.py();
        let codec = self.plain_codec(py)?;
        held(buffer, ffi::PyBUF_SIMPLE, |claim| {
            let start = self.place(offset, claim.len.unsigned_abs())?;
            // SAFETY: B3: a whole item lies there, held during the call; the format has no `O`.
            unsafe { codec.read(py, claim.base.wrapping_add(start)) }
        })
    }

    /// An iterator over the values of a buffer of items, one after the other.
    fn iter_unpack<'py>(&self, buffer: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        iter::over(self.plain_codec(buffer.py())?.clone(), false, buffer, length)
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Format>().is_ok_and(|other| self.parsed == other.get().parsed)
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.parsed.hash(&mut hasher);
        hasher.finish()
    }

    fn __str__(&self) -> String {
        self.text()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("extbuf.Format({})", PyString::new(py, &self.text()).repr()?))
    }

    fn _repr_html_(&self) -> String {
        extbuf_draw::draw_format(&self.parsed).to_svg()
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyType>, (String,))> {
        if Parsed::parse(&self.text()).as_ref() != Ok(&self.parsed) {
            return Err(PyBufferError::new_err("this format has no text to be read again from"));
        }
        Ok((py.get_type::<Format>(), (self.text(),)))
    }
}

impl Format {
    /// Where an item at an offset begins, which may be counted from the end.
    fn place(&self, offset: isize, len: usize) -> PyResult<usize> {
        let size = self.parsed.itemsize();
        let start =
            if offset < 0 { len.checked_sub(offset.unsigned_abs()) } else { Some(offset.unsigned_abs()) };
        start.filter(|start| len.checked_sub(*start).is_some_and(|rest| rest >= size)).ok_or_else(|| {
            let message = format!("an item of {size} bytes at offset {offset} does not lie in {len} bytes");
            PyValueError::new_err(message)
        })
    }
}

/// One field of a record.
#[pyclass(frozen, module = "extbuf", name = "Field")]
pub(crate) struct Field {
    /// The name, or None.
    #[pyo3(get)]
    name: Option<String>,
    /// Byte offset from the start of the record.
    #[pyo3(get)]
    offset: usize,
    /// For a bit field the bit of the byte at `offset` where it starts, else 0.
    #[pyo3(get)]
    bit_offset: u8,
    format: Parsed,
}

#[pymethods]
impl Field {
    /// Format of the field.
    #[getter]
    fn format(&self) -> Format {
        self.format.clone().into()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let name = match &self.name {
            Some(name) => PyString::new(py, name).repr()?.to_string(),
            None => "None".into(),
        };
        let format = PyString::new(py, &self.format.to_string()).repr()?;
        Ok(format!("Field(name={name}, offset={}, format={format})", self.offset))
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Format>()?;
    module.add_class::<Field>()
}
