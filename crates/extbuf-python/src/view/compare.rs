//! Equality by value, hashes, and looking for a value.
//!
//! Two views are equal when their shapes are and every item of one has the value of the item at the same index of the
//! other, whatever the formats: 1 is 1.0. Items that are the same bytes by meaning are compared as bytes; what cannot be
//! read as values is equal where format and bytes are.

use std::sync::atomic::Ordering;

use extbuf_layout::Order;
use pyo3::basic::CompareOp;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::View;
use crate::described::Comparison;

#[pymethods]
impl View {
    fn __richcmp__(slf: Bound<'_, Self>, other: &Bound<'_, PyAny>, op: CompareOp) -> PyResult<Py<PyAny>> {
        let py = slf.py();
        let wanted = match op {
            CompareOp::Eq => true,
            CompareOp::Ne => false,
            _ => return Ok(py.NotImplemented()),
        };
        let equal = |equal: bool| -> PyResult<Py<PyAny>> {
            Ok(pyo3::types::PyBool::new(py, equal == wanted).to_owned().into_any().unbind())
        };
        let this = slf.get();
        let released = |view: &View| view.check().is_err();
        if released(this) || other.cast_exact::<View>().is_ok_and(|other| released(other.get())) {
            return equal(slf.is(other));
        }
        match View::from_object(other) {
            Ok(other) => equal(this.equals(py, &other)?),
            // What lends no memory may know how to compare itself with a view.
            Err(_) => Ok(py.NotImplemented()),
        }
    }

    fn __hash__(slf: Bound<'_, Self>) -> PyResult<isize> {
        let (this, py) = (slf.get(), slf.py());
        let known = this.hash.load(Ordering::Relaxed);
        if known != -1 {
            return Ok(known as isize);
        }
        this.check()?;
        if !this.readonly {
            return Err(PyValueError::new_err("a view that can be written has no hash"));
        }
        if !matches!(this.item.text().to_bytes(), b"B" | b"b" | b"c" | b"@B" | b"@b" | b"@c") {
            let message = "only views of the formats 'B', 'b' and 'c' have a hash: equal values of others have other bytes";
            return Err(PyValueError::new_err(message));
        }
        // A lender without a hash may change its memory behind a view for reading.
        if let Some(owner) = this.share(py)?.owner(py) {
            owner.hash()?;
        }
        let hash = this.bytes(py, Order::C)?.hash()?;
        this.hash.store(hash as i64, Ordering::Relaxed);
        Ok(hash)
    }

    /// How many items are equal to a value.
    fn count(&self, py: Python<'_>, value: &Bound<'_, PyAny>) -> PyResult<usize> {
        let mut found = 0;
        self.each(py, |_, item| {
            found += usize::from(item.eq(value)?);
            Ok(true)
        })?;
        Ok(found)
    }

    /// The index of the first item, in C order, that is equal to a value: a number for one axis, a tuple for more. For
    /// one axis the search may be limited to the indices from `start` to `stop`.
    #[pyo3(signature = (value, start=0, stop=isize::MAX, /))]
    fn index<'py>(
        &self,
        py: Python<'py>,
        value: &Bound<'py, PyAny>,
        start: isize,
        stop: isize,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.check()?;
        let shape = self.layout.shape();
        let first = shape.first().copied().unwrap_or(1) as isize;
        let bound = |at: isize| if at < 0 { (at + first).max(0) } else { at.min(first) }.unsigned_abs();
        let range = bound(start)..bound(stop);
        if shape.len() != 1 && range != (0..first.unsigned_abs()) {
            return Err(PyValueError::new_err("a search is limited along the one axis of a view of ndim 1"));
        }
        let mut found = None;
        self.each(py, |at, item| {
            if (shape.len() != 1 || range.contains(&at)) && item.eq(value)? {
                found = Some(at);
            }
            Ok(found.is_none() && (shape.len() != 1 || at < range.end))
        })?;
        let Some(mut at) = found else { return Err(PyValueError::new_err("no item has that value")) };
        if shape.len() == 1 {
            return Ok(at.into_pyobject(py)?.into_any());
        }
        let mut index = vec![0; shape.len()];
        for (entry, extent) in index.iter_mut().zip(shape).rev() {
            (at, *entry) = (at / extent, at % extent);
        }
        Ok(PyTuple::new(py, index)?.into_any())
    }
}

impl View {
    fn equals(&self, py: Python<'_>, other: &View) -> PyResult<bool> {
        if self.layout.shape() != other.layout.shape() {
            return Ok(false);
        }
        let same = self.item.means_same(&other.item);
        let readable = self.item.format().is_ok() && other.item.format().is_ok();
        if !same && !readable {
            return Ok(false);
        }
        let comparison = if same { self.item.comparison() } else { Comparison::Values };
        if comparison == Comparison::Values {
            let (a, b) = (self.values(py)?, other.values(py)?);
            for (a, b) in a.iter().zip(&b) {
                if !a.eq(b)? {
                    return Ok(false);
                }
            }
            return Ok(true);
        }
        let (a, b) = (self.copied(py, Order::C)?, other.copied(py, Order::C)?);
        let pairs = |size| a.chunks_exact(size).zip(b.chunks_exact(size));
        Ok(match comparison {
            Comparison::Singles => pairs(4).all(|(a, b)| single(a) == single(b)),
            Comparison::Doubles => pairs(8).all(|(a, b)| double(a) == double(b)),
            _ => a == b,
        })
    }
}

fn single(bytes: &[u8]) -> f32 {
    f32::from_ne_bytes(bytes.try_into().expect("four bytes"))
}

fn double(bytes: &[u8]) -> f64 {
    f64::from_ne_bytes(bytes.try_into().expect("eight bytes"))
}
