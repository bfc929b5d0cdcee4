//! `extbuf.rows`: many objects as the rows of one view, reached through a table of pointers.
//!
//! Each object lends its memory for as long as a view of the rows lives; the table is ours. Nothing is copied. The
//! result has one axis more than a row, and lends itself on with suboffsets to whoever can follow pointers.
// Keeps addresses of lent memory in a table.
#![allow(unsafe_code)]

use extbuf_format::Dialect;
use extbuf_layout::{Layout, Order, POINTER_BYTES};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::acquire::{self, Acquired};
use crate::described::Described;
use crate::error;
use crate::format::Format;
use crate::lease::{Keep, Lease, Share};
use crate::reach::Address;
use crate::view::View;

/// Pointers to the rows, and the shares that keep these.
pub(crate) struct Table {
    /// Read through the address that the view counts from.
    _pointers: Box<[*mut u8]>,
    shares: Vec<Share>,
}

// SAFETY: the pointers are to memory that the shares keep, and are followed under the contract of a view alone.
unsafe impl Send for Table {}
// SAFETY: as above; a shared reference only gives their address.
unsafe impl Sync for Table {}

impl Table {
    /// The leases that the rows are kept by, for the garbage collector.
    pub(crate) fn shares(&self) -> &[Share] {
        &self.shares
    }
}

/// Lend many objects as the rows of one view, without copying.
///
/// Every row is an object that lends its memory: bytes, a bytearray, an array, a NumPy array, a view. The rows have the
/// same shape, format and strides; the view has one axis more. With `offset`, `format` or `shape` the rows are taken as
/// bytes instead, which need not be of one length: `offset` bytes are passed over at the start of each, and items of
/// `format` in `shape` follow (by default as many as the shortest row has).
#[pyfunction]
#[pyo3(signature = (rows, *, offset=0, format=None, shape=None))]
pub(crate) fn rows(
    py: Python<'_>,
    rows: &Bound<'_, PyAny>,
    offset: isize,
    format: Option<&Bound<'_, PyAny>>,
    shape: Option<Vec<usize>>,
) -> PyResult<View> {
    let objects: Vec<Bound<'_, PyAny>> = rows.try_iter()?.collect::<PyResult<_>>()?;
    if objects.is_empty() {
        return Err(PyValueError::new_err("no rows: there is nothing to tell their shape by"));
    }
    let mut acquired = objects.iter().map(acquire::full).collect::<PyResult<Vec<_>>>()?;
    let (item, row) = if offset == 0 && format.is_none() && shape.is_none() {
        (acquired[0].item.clone(), alike(&acquired)?)
    } else {
        let item = match format {
            Some(format) => {
                let format = Format::of(format, Dialect::Pep3118)?;
                if format.has_objects() {
                    let message = "bytes are no references to objects, whatever the format";
                    return Err(PyTypeError::new_err(message));
                }
                Described::with_format(&format.to_string(), format)
            }
            None => Described::bytes(),
        };
        let row = as_bytes(&acquired, offset, item.itemsize(), shape)?;
        (item, row)
    };
    let readonly = acquired.iter().any(|row| row.readonly);
    let pointers: Box<[*mut u8]> = acquired
        .iter()
        .map(|Acquired { base, layout, .. }| base.get().wrapping_offset(layout.offset(0)))
        .collect();
    let layout = through_pointers(&row, pointers.len(), offset)?;
    // Rows that share bytes may be read and not written, as items of a broadcast may not.
    let readonly = readonly || overlap(&pointers, &row, offset);
    let shares = acquired.drain(..).map(|row| row.share).collect();
    // The addresses in it are valid while the table is kept (W1): each row reaches what its own layout did.
    let base = Address::new(pointers.as_ptr().cast_mut().cast());
    let share = Lease::of_own(py, Keep::Rows(Table { _pointers: pointers, shares }))?;
    Ok(View::of(Acquired { share, base, layout, item, readonly }))
}

/// The layout of one row, where all have the same.
fn alike(rows: &[Acquired]) -> PyResult<Layout> {
    let first = &rows[0];
    for (index, row) in rows.iter().enumerate() {
        let (a, b) = (&first.layout, &row.layout);
        let differs = |what: &str, a: String, b: String| {
            Err(PyValueError::new_err(format!("row {index} has the {what} {b} and row 0 the {what} {a}")))
        };
        if !b.is_direct() {
            let message = format!("row {index} is itself reached through pointers; copy it first");
            return Err(PyValueError::new_err(message));
        }
        if a.shape() != b.shape() {
            return differs("shape", tuple(a.shape()), tuple(b.shape()));
        }
        if !first.item.means_same(&row.item) {
            return differs("format", format!("{:?}", first.item.text()), format!("{:?}", row.item.text()));
        }
        let moves = |axis: &usize| a.shape()[*axis] > 1;
        let unlike = |axis: usize| a.strides(0)[axis] != b.strides(0)[axis];
        if !a.is_empty() && (0..a.ndim()).filter(moves).any(unlike) {
            return differs("strides", tuple(a.strides(0)), tuple(b.strides(0)));
        }
    }
    Ok(first.layout.clone())
}

/// Numbers as Python writes a tuple of them.
fn tuple<T: ToString>(numbers: &[T]) -> String {
    let numbers: Vec<_> = numbers.iter().map(T::to_string).collect();
    format!("({}{})", numbers.join(", "), if numbers.len() == 1 { "," } else { "" })
}

/// The layout of one row of items in bytes, counted from where they begin.
fn as_bytes(
    rows: &[Acquired],
    offset: isize,
    itemsize: usize,
    shape: Option<Vec<usize>>,
) -> PyResult<Layout> {
    let Ok(skipped) = usize::try_from(offset) else {
        return Err(PyValueError::new_err(format!("an offset of {offset} lies before the rows")));
    };
    let mut shortest = (usize::MAX, 0);
    for (index, row) in rows.iter().enumerate() {
        if !row.layout.is_contiguous(Order::C) {
            let message = format!("row {index} is not contiguous, so it is no run of bytes");
            return Err(PyValueError::new_err(message));
        }
        if row.item.has_objects() {
            return Err(PyTypeError::new_err(format!(
                "row {index} holds references to objects, which are no bytes"
            )));
        }
        shortest = shortest.min((row.layout.nbytes(), index));
    }
    let (len, index) = shortest;
    let too_short = |needed: String| {
        Err(PyValueError::new_err(format!("row {index} has {len} bytes, and {needed} are needed")))
    };
    let Some(left) = len.checked_sub(skipped) else {
        return too_short(format!("{skipped} before the first item"));
    };
    let shape = match shape {
        Some(shape) => shape,
        None if itemsize == 0 => return Err(PyValueError::new_err("items without bytes need a shape")),
        None if left % itemsize != 0 && rows.iter().all(|row| row.layout.nbytes() == len) => {
            let message = format!("{left} bytes of a row are no whole number of items of {itemsize} bytes");
            return Err(PyValueError::new_err(message));
        }
        None => vec![left / itemsize],
    };
    let row = Layout::contiguous(itemsize, &shape, Order::C).map_err(error::layout)?;
    if row.nbytes() > left {
        return too_short(format!("{skipped} before the first item and {} of items", row.nbytes()));
    }
    Ok(row)
}

/// The layout of all rows: a step through the table, a load, and the offset and strides of a row.
fn through_pointers(row: &Layout, count: usize, offset: isize) -> PyResult<Layout> {
    let mut shape = vec![count as isize];
    shape.extend(row.shape().iter().map(|&extent| extent as isize));
    let mut strides = vec![POINTER_BYTES as isize];
    strides.extend(row.strides(0));
    let mut suboffsets = vec![offset];
    suboffsets.resize(shape.len(), -1);
    Layout::from_suboffsets(row.itemsize(), &shape, &strides, Some(&suboffsets), 0).map_err(error::layout)
}

/// Whether two rows share a byte.
fn overlap(pointers: &[*mut u8], row: &Layout, offset: isize) -> bool {
    if row.is_empty() || row.itemsize() == 0 {
        return false;
    }
    // The lowest byte and one past the highest, from where the pointer points.
    let mut low = offset;
    let mut high = offset + row.itemsize() as isize;
    for (&extent, &stride) in row.shape().iter().zip(row.strides(0)) {
        let reach = stride * (extent as isize - 1);
        (low, high) = (low + reach.min(0), high + reach.max(0));
    }
    let mut starts: Vec<usize> = pointers.iter().map(|p| p.wrapping_offset(low) as usize).collect();
    starts.sort_unstable();
    starts.windows(2).any(|pair| pair[1] - pair[0] < (high - low) as usize)
}

/// Copy the items of one object into another, with threads and without the interpreter's lock.
///
/// The shapes agree or the source's is broadcast; the formats mean the same. The two may overlap.
#[pyfunction]
#[pyo3(signature = (dst, src, *, threads=None))]
pub(crate) fn copy(dst: &Bound<'_, PyAny>, src: &Bound<'_, PyAny>, threads: Option<usize>) -> PyResult<()> {
    let py = dst.py();
    let target = Bound::new(py, View::from_object(dst)?)?;
    let arguments = PyTuple::new(py, [src])?;
    let keywords = pyo3::types::PyDict::new(py);
    keywords.set_item("threads", threads)?;
    let _ = target.call_method("copy_from", arguments, Some(&keywords))?;
    Ok(())
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(rows, module)?)?;
    module.add_function(wrap_pyfunction!(copy, module)?)
}
