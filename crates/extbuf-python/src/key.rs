//! What stands between the brackets: `view[3]`, `view[1:, ..., None, ::-1]`.

// Asks CPython for the parts of a slice object.
#![allow(unsafe_code)]

use extbuf_layout::{Slice, SliceItem};
use pyo3::exceptions::{PyIndexError, PyOverflowError, PyTypeError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyEllipsis, PyInt, PySlice, PyTuple};

/// A key, read. Reading it may have run any code, so whoever asked looks again whether the view is still there.
#[derive(Debug)]
pub(crate) enum Key {
    /// One integer, or one slice and the like: the usual cases, without an allocation.
    One(SliceItem),
    /// Whatever else.
    Many(Vec<SliceItem>),
}

impl Key {
    /// # Errors
    ///
    /// `TypeError` for what is no key, `IndexError` for an integer that no axis can have, and whatever `__index__`
    /// raises.
    pub(crate) fn of(object: &Bound<'_, PyAny>) -> PyResult<Key> {
        if let Ok(tuple) = object.cast::<PyTuple>() {
            let items = tuple.iter().map(|part| item(&part));
            return Ok(Key::Many(items.collect::<PyResult<_>>()?));
        }
        item(object).map(Key::One)
    }

    /// The index of one item, if that is what the key picks from a layout of so many axes; negative entries count from
    /// the end, which `shape` tells.
    ///
    /// # Errors
    ///
    /// `IndexError` where an entry lies outside its axis.
    pub(crate) fn whole_index(&self, shape: &[usize]) -> PyResult<Option<Index>> {
        let items = self.items();
        if items.len() != shape.len() || !items.iter().all(|item| matches!(item, SliceItem::Index(_))) {
            return Ok(None);
        }
        let mut index = Index { few: [0; FEW], many: Vec::new(), len: shape.len() };
        if shape.len() > FEW {
            index.many.resize(shape.len(), 0);
        }
        for (axis, (item, entry)) in items.iter().zip(index.get_mut()).enumerate() {
            let SliceItem::Index(given) = *item else { unreachable!("all are") };
            *entry = inside(given, axis, shape[axis])?;
        }
        Ok(Some(index))
    }

    pub(crate) fn items(&self) -> &[SliceItem] {
        match self {
            Key::One(index) => std::slice::from_ref(index),
            Key::Many(items) => items,
        }
    }
}

/// Indices of up to so many axes need no allocation.
const FEW: usize = 8;

/// The index of one item, all entries from the start.
#[derive(Debug)]
pub(crate) struct Index {
    few: [usize; FEW],
    many: Vec<usize>,
    len: usize,
}

impl Index {
    pub(crate) fn get(&self) -> &[usize] {
        if self.len <= FEW { &self.few[..self.len] } else { &self.many }
    }

    fn get_mut(&mut self) -> &mut [usize] {
        if self.len <= FEW { &mut self.few[..self.len] } else { &mut self.many }
    }
}

/// An integer as an index, without running any code; `None` for every other object and for one that fits no address.
pub(crate) fn plain_integer(object: &Bound<'_, PyAny>) -> Option<isize> {
    if object.is_exact_instance_of::<PyInt>() { object.extract().ok() } else { None }
}

pub(crate) fn inside(index: isize, axis: usize, extent: usize) -> PyResult<usize> {
    let at = if index < 0 { extent.checked_sub(index.unsigned_abs()) } else { Some(index.unsigned_abs()) };
    at.filter(|at| *at < extent).ok_or_else(|| {
        // The words of memoryview, which counts dimensions from 1; its tests compare them.
        PyIndexError::new_err(format!("index out of bounds on dimension {}", axis + 1))
    })
}

fn item(object: &Bound<'_, PyAny>) -> PyResult<SliceItem> {
    if let Ok(slice) = object.cast::<PySlice>() {
        return parts(slice).map(SliceItem::Slice);
    }
    if object.is_none() {
        return Ok(SliceItem::NewAxis);
    }
    if object.is_instance_of::<PyEllipsis>() {
        return Ok(SliceItem::Ellipsis);
    }
    if object.is_instance_of::<PyInt>() || object.hasattr("__index__")? {
        return integer(object).map(SliceItem::Index);
    }
    let name = object.get_type().name()?;
    let message = format!("a view is indexed with integers, slices, '...' and None, not with '{name}'");
    Err(PyTypeError::new_err(message))
}

fn integer(object: &Bound<'_, PyAny>) -> PyResult<isize> {
    object.extract::<isize>().map_err(|error| {
        if error.is_instance_of::<PyOverflowError>(object.py()) {
            PyIndexError::new_err("the index fits no address")
        } else {
            error
        }
    })
}

/// Start, stop and step, with what was left out filled in so that it means the same on every axis.
fn parts(slice: &Bound<'_, PySlice>) -> PyResult<Slice> {
    let (mut start, mut stop, mut step) = (0, 0, 0);
    // SAFETY: an attached thread, a live slice object and three places that are ours.
    let code = unsafe { ffi::PySlice_Unpack(slice.as_ptr(), &mut start, &mut stop, &mut step) };
    if code < 0 {
        return Err(PyErr::fetch(slice.py()));
    }
    Ok(Slice { start: Some(start), stop: Some(stop), step: Some(step) })
}
