//! Formats as NumPy's array interface writes them: a type string, and for records a list of fields.

use extbuf_format::{ByteOrder, Format, Item, Kind, Record, Scalar};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};

/// The type string of an item: `<f8`, `|S4`, and `|V16` for whatever only a list of fields describes.
pub(crate) fn of(format: &Format) -> String {
    match format.item() {
        Item::Scalar(scalar) => of_scalar(scalar).unwrap_or_else(|| void(format)),
        _ => void(format),
    }
}

fn void(format: &Format) -> String {
    format!("|V{}", format.itemsize())
}

/// `None` where NumPy has no type with these values.
fn of_scalar(scalar: Scalar) -> Option<String> {
    let size = scalar.itemsize();
    let (letter, count) = match scalar.kind() {
        Kind::Bool => ('b', size),
        Kind::Int => ('i', size),
        Kind::UInt | Kind::Pointer | Kind::CharPointer | Kind::WidePointer => ('u', size),
        Kind::Float => ('f', size),
        Kind::Complex if size > 4 => ('c', size),
        Kind::Char | Kind::Bytes if size > 0 => ('S', size),
        Kind::Text if scalar.swap_width() == 4 && size > 0 => ('U', scalar.len()),
        Kind::Object => ('O', size),
        _ => return None,
    };
    let order = match scalar.byte_order() {
        _ if scalar.swap_width() < 2 || letter == 'O' => '|',
        ByteOrder::Little => '<',
        ByteOrder::Big => '>',
    };
    Some(format!("{order}{letter}{count}"))
}

/// The list of fields of the array interface; padding is a field without a name.
pub(crate) fn descr<'py>(py: Python<'py>, format: &Format) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(py);
    let Some(record) = format.as_record() else {
        list.append(("", of(format)))?;
        return Ok(list);
    };
    let mut at = 0;
    for (index, field) in fields(record)?.into_iter().enumerate() {
        if field.offset() > at {
            list.append(("", format!("|V{}", field.offset() - at)))?;
        }
        let (shape, base) = elements(field.format());
        let name = name(field.name(), index);
        let kind = match base.as_record() {
            Some(_) => descr(py, base)?.into_any(),
            None => PyString::new(py, &of(base)).into_any(),
        };
        if shape.is_empty() {
            list.append((name, kind))?;
        } else {
            list.append((name, kind, PyTuple::new(py, shape)?))?;
        }
        at = field.offset() + field.format().itemsize();
    }
    if at < format.itemsize() {
        list.append(("", format!("|V{}", format.itemsize() - at)))?;
    }
    Ok(list)
}

/// What `numpy.dtype` takes to describe an item exactly: offsets and size are said, nothing is inferred.
pub(crate) fn dtype_spec<'py>(py: Python<'py>, format: &Format) -> PyResult<Bound<'py, PyAny>> {
    let (shape, base) = elements(format);
    let one = match base.as_record() {
        None => PyString::new(py, &of(base)).into_any(),
        Some(record) => {
            let (names, formats, offsets) = (PyList::empty(py), PyList::empty(py), PyList::empty(py));
            for (index, field) in fields(record)?.into_iter().enumerate() {
                names.append(name(field.name(), index))?;
                formats.append(dtype_spec(py, field.format())?)?;
                offsets.append(field.offset())?;
            }
            let spec = PyDict::new(py);
            spec.set_item("names", names)?;
            spec.set_item("formats", formats)?;
            spec.set_item("offsets", offsets)?;
            spec.set_item("itemsize", base.itemsize())?;
            spec.into_any()
        }
    };
    if shape.is_empty() {
        return Ok(one);
    }
    Ok((one, PyTuple::new(py, shape)?).into_pyobject(py)?.into_any())
}

/// NumPy's name for a field without one.
fn name(name: Option<&str>, index: usize) -> String {
    match name {
        Some(name) if !name.is_empty() => name.to_owned(),
        _ => format!("f{index}"),
    }
}

/// The shape of an array and its elements; no shape for anything else.
fn elements(format: &Format) -> (Vec<usize>, &Format) {
    let (mut shape, mut base) = (Vec::new(), format);
    while let Item::Array(array) = base.item() {
        shape.extend_from_slice(array.shape());
        base = array.element();
    }
    (shape, base)
}

/// Fields that lie on whole bytes.
fn fields(record: &Record) -> PyResult<Vec<extbuf_format::Field<'_>>> {
    const MOST: usize = 1 << 16;
    let count = record.fields().size_hint().0;
    if count > MOST {
        return Err(PyValueError::new_err(format!("{count} fields, more than {MOST}, are not listed")));
    }
    let fields: Vec<_> = record.fields().collect();
    for field in &fields {
        if field.format().as_scalar().is_some_and(|scalar| scalar.kind() == Kind::Bits) {
            return Err(PyValueError::new_err("NumPy has no bit fields"));
        }
    }
    Ok(fields)
}
