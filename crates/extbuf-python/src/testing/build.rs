//! A base from a list of items: the items are packed one after another into memory of our own, and shape, strides and
//! offset say which of them are seen where.

use std::ffi::CString;

use extbuf_format::{Dialect, Format as Parsed};
use extbuf_layout::{Layout, Order, POINTER_BYTES};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyComplex, PyFloat, PyInt, PyList, PyString, PyTuple};

use super::base::{Base, Own, dense};
use super::told::{self, Told};
use super::{FORTRAN, GETBUF_FAIL, GETBUF_UNDEFINED, MAX_NDIM, PIL, VAREXPORT, WRITABLE};
use crate::acquire::Acquired;
use crate::block::Block;
use crate::described::{Described, Shared};
use crate::error;
use crate::format::Format;
use crate::lease::{Keep, Lease};
use crate::struct_module::{of_pack, of_parse};

/// Items begin at a multiple of this, also behind a table of pointers.
const ALIGNMENT: usize = 16;

/// What a base is made of.
pub(super) struct Spec<'a, 'py> {
    pub(super) items: &'a Bound<'py, PyAny>,
    pub(super) shape: &'a Bound<'py, PyAny>,
    pub(super) strides: Option<&'a Bound<'py, PyAny>>,
    pub(super) offset: isize,
    pub(super) format: Option<&'a Bound<'py, PyAny>>,
    pub(super) flags: u32,
}

impl Spec<'_, '_> {
    /// Packs the items and checks that the description stays inside them.
    ///
    /// # Errors
    ///
    /// `TypeError` for arguments of another kind, `struct.error` for a format that is none and for values that it does
    /// not take, `ValueError` for a description that leaves the memory.
    pub(super) fn base(&self) -> PyResult<Base> {
        let py = self.items.py();
        let known = VAREXPORT | WRITABLE | FORTRAN | super::SCALAR | PIL | super::REDIRECT;
        if self.flags & !(known | GETBUF_FAIL | GETBUF_UNDEFINED) != 0 {
            return Err(PyValueError::new_err(format!("no flags of an array: {:#x}", self.flags)));
        }
        let shape = numbers(self.shape, "shape")?;
        if shape.len() > MAX_NDIM {
            return Err(PyValueError::new_err(format!("{} axes, the limit is {MAX_NDIM}", shape.len())));
        }
        if shape.iter().any(|extent| *extent < 0) {
            return Err(PyValueError::new_err("the entries of a shape are not negative"));
        }
        let strides = match self.strides.map(|strides| numbers(strides, "strides")).transpose()? {
            None => None,
            Some(strides) if strides.is_empty() => None,
            Some(_) if self.flags & FORTRAN != 0 => {
                return Err(PyTypeError::new_err("Fortran order or strides, not both"));
            }
            Some(strides) if strides.len() != shape.len() => {
                let message = format!("{} strides for {} axes", strides.len(), shape.len());
                return Err(PyValueError::new_err(message));
            }
            strides => strides,
        };
        let (item, is_struct) = described(py, self.format)?;
        let itemsize = item.itemsize();
        if itemsize == 0 {
            return Err(PyValueError::new_err("items of this format have no bytes"));
        }
        if item.has_objects() {
            return Err(PyValueError::new_err("an array of items of its own holds no references to objects"));
        }
        let items =
            if shape.is_empty() { PyTuple::new(py, [self.items])? } else { listed(self.items, "the items")? };
        if items.is_empty() {
            return Err(PyValueError::new_err("there are no items"));
        }
        let mut bytes = Vec::new();
        for value in &items {
            bytes.extend_from_slice(&packed(&item, is_struct, &value)?);
        }
        let whole_items = |bytes: isize| bytes.unsigned_abs() % itemsize == 0;
        let inside = usize::try_from(self.offset).is_ok_and(|offset| offset + itemsize <= bytes.len());
        if !inside || !whole_items(self.offset) {
            let message = format!("offset {} is not that of an item in {} bytes", self.offset, bytes.len());
            return Err(PyValueError::new_err(message));
        }
        let order = if self.flags & FORTRAN != 0 { Order::F } else { Order::C };
        let strides = strides.unwrap_or_else(|| dense(itemsize as isize, &shape, order));
        if let Some(stride) = strides.iter().find(|stride| !whole_items(**stride)) {
            let message = format!("a stride of {stride} bytes is no whole number of items of {itemsize}");
            return Err(PyValueError::new_err(message));
        }
        let layout = told::layout(itemsize, &shape, &strides, self.offset).map_err(error::layout)?;
        layout.check_inside(bytes.len()).map_err(error::layout)?;
        self.laid_out(py, item, &bytes, shape, strides, layout)
    }

    /// Puts the bytes where they are lent from, behind pointers if asked.
    fn laid_out(
        &self,
        py: Python<'_>,
        item: Shared,
        bytes: &[u8],
        shape: Vec<isize>,
        mut strides: Vec<isize>,
        mut layout: Layout,
    ) -> PyResult<Base> {
        let (nbytes, itemsize) = (layout.nbytes(), layout.itemsize());
        let (mut first, mut offset) = (self.offset, self.offset);
        let mut suboffsets: Option<Box<[isize]>> = None;
        let mut pointers = Vec::new();
        let mut table = 0;
        if self.flags & PIL != 0 {
            let no_axes = || PyTypeError::new_err("a table of pointers needs an axis");
            let (count, step) = (*shape.first().ok_or_else(no_axes)?, *strides.first().ok_or_else(no_axes)?);
            if shape.len() > extbuf_layout::MAX_NDIM {
                return Err(PyValueError::new_err("a table of pointers and more than 64 axes"));
            }
            let size = count.unsigned_abs().checked_mul(POINTER_BYTES);
            let size = size.filter(|size| *size <= isize::MAX as usize / 2);
            let too_many = || PyValueError::new_err(format!("{count} pointers fit no memory"));
            table = size.ok_or_else(too_many)?.next_multiple_of(ALIGNMENT);
            // Each pointer leads to the lowest byte of its sub-array, so that no offset behind it is negative.
            let inner = shape.iter().zip(&strides).skip(1).take_while(|(extent, _)| **extent > 0);
            let below = |(extent, stride): (&isize, &isize)| stride.min(&0).wrapping_mul(extent - 1);
            // Wrapping: where there are no items, strides are any numbers, and no pointer is followed.
            let low = inner.map(below).fold(0, isize::wrapping_sub);
            let first_row = (table as isize + self.offset).wrapping_sub(low);
            let row = |index: isize| first_row.wrapping_add(index.wrapping_mul(step));
            pointers = (0..count).map(row).collect();
            let word = POINTER_BYTES as isize;
            (first, strides[0]) = if step < 0 {
                // The rows lie backwards, and so does the table: it is walked from its end.
                pointers.reverse();
                ((count - 1).max(0) * word, -word)
            } else {
                (0, word)
            };
            let mut all = vec![-1; shape.len()];
            all[0] = low;
            layout = Layout::from_suboffsets(itemsize, &shape, &strides, Some(&all), first)
                .map_err(error::layout)?;
            suboffsets = Some(all.into());
            offset = 0;
        }
        let mut block = Block::new(table + bytes.len())?;
        block.write(table, bytes);
        for (index, target) in pointers.iter().enumerate() {
            block.point(index * POINTER_BYTES, *target);
        }
        let start = block.address();
        let own = Own { start, bytes: table + bytes.len(), pointers: pointers.into() };
        let readonly = self.flags & WRITABLE == 0;
        let is_scalar = shape.is_empty();
        let told = Told {
            start: crate::reach::Address::new(start.get().wrapping_offset(first)),
            len: nbytes as isize,
            itemsize: itemsize as isize,
            readonly,
            ndim: shape.len() as i32,
            format: Some(CString::from(item.text())),
            shape: (!is_scalar).then(|| shape.into()),
            strides: (!is_scalar).then(|| strides.into()),
            suboffsets,
        };
        // The layout was checked against the block, or leads through its own table to what was checked (T3).
        let share = Lease::of_own(py, Keep::Block(block))?;
        let memory = Acquired { share, base: start, layout, item, readonly };
        let behaviour = self.flags & (GETBUF_FAIL | GETBUF_UNDEFINED);
        Ok(Base::new(memory, told, Some(own), offset, behaviour))
    }
}

/// A format by its text, and whether it is one of the struct module, whose rules then hold; or one that is parsed.
fn described(py: Python<'_>, format: Option<&Bound<'_, PyAny>>) -> PyResult<(Shared, bool)> {
    let Some(format) = format else { return Ok((Described::bytes(), true)) };
    let Ok(text) = format.cast::<PyString>() else {
        let format = Format::of(format, Dialect::Pep3118)?;
        return Ok((Described::with_format(&format.to_string(), format), false));
    };
    let text = text.to_str()?;
    match Parsed::parse_as(Dialect::Struct, text) {
        Ok(format) => Ok((Described::with_format(text, format), true)),
        Err(error) => match Parsed::parse(text) {
            Ok(format) => Ok((Described::with_format(text, format), false)),
            Err(_) => Err(of_parse(py, text, &error)),
        },
    }
}

/// The bytes of one item.
///
/// # Errors
///
/// For a format of the struct module what it raises, and `ValueError` where the number of values is another; for others
/// what a view raises.
pub(super) fn packed(item: &Described, is_struct: bool, value: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    let py = value.py();
    let codec = item.codec(py)?;
    if !is_struct {
        let packed = codec.pack(value).map_err(|error| error.into_exception(py))?;
        return Ok(packed.bytes().to_vec());
    }
    let wanted = codec.fields();
    let is_one = value.is_instance_of::<PyBytes>()
        || value.is_instance_of::<PyInt>()
        || value.is_instance_of::<PyFloat>()
        || value.is_instance_of::<PyComplex>();
    let values = if is_one && wanted == 1 {
        PyTuple::new(py, [value])?
    } else {
        let values = value.cast::<PyTuple>().ok().cloned();
        let values = values.or_else(|| value.cast::<PyList>().ok().map(|list| list.to_tuple()));
        let several = values.filter(|values| values.len() == wanted);
        several.ok_or_else(|| {
            let text = item.text().to_string_lossy();
            PyValueError::new_err(format!(
                "an item of format '{text}' is made of {wanted} values, and this is not"
            ))
        })?
    };
    let mut bytes = vec![0; codec.itemsize()];
    codec.pack_fields(&values, 0, &mut bytes).map_err(|error| of_pack(py, error))?;
    Ok(bytes)
}

/// A list or a tuple, as a tuple.
pub(super) fn listed<'py>(object: &Bound<'py, PyAny>, what: &str) -> PyResult<Bound<'py, PyTuple>> {
    if let Ok(tuple) = object.cast::<PyTuple>() {
        return Ok(tuple.clone());
    }
    match object.cast::<PyList>() {
        Ok(list) => Ok(list.to_tuple()),
        Err(_) => {
            let kind = object.get_type().name()?;
            Err(PyTypeError::new_err(format!("{what} must be a list or a tuple, not {kind}")))
        }
    }
}

/// Integers of a list or a tuple.
fn numbers(object: &Bound<'_, PyAny>, what: &str) -> PyResult<Vec<isize>> {
    let entry = |entry: Bound<'_, PyAny>| {
        if !entry.is_instance_of::<PyInt>() {
            return Err(PyValueError::new_err(format!("the entries of {what} must be integers")));
        }
        entry.extract::<isize>()
    };
    listed(object, what)?.iter().map(entry).collect()
}
