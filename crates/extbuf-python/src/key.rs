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
pub(crate) struct Key {
    /// The usual keys, without an allocation.
    few: [SliceItem; SHORT],
    /// All of a longer one.
    many: Vec<SliceItem>,
    len: usize,
}

/// Keys of up to so many entries need no allocation.
const SHORT: usize = 4;

impl Key {
    /// Of no entries, to be filled by `read` where it lies.
    pub(crate) const EMPTY: Key = Key { few: [SliceItem::Ellipsis; SHORT], many: Vec::new(), len: 0 };

    /// One entry.
    pub(crate) fn one(item: SliceItem) -> Key {
        let mut key = Key::EMPTY;
        (key.few[0], key.len) = (item, 1);
        key
    }

    /// As [`Key::read`], for who moves keys about.
    ///
    /// # Errors
    ///
    /// As [`Key::read`].
    pub(crate) fn of(object: &Bound<'_, PyAny>) -> PyResult<Key> {
        let mut key = Key::EMPTY;
        key.read(object)?;
        Ok(key)
    }

    /// # Errors
    ///
    /// `TypeError` for what is no key, `IndexError` for an integer that no axis can have, and whatever `__index__`
    /// raises.
    pub(crate) fn read(&mut self, object: &Bound<'_, PyAny>) -> PyResult<()> {
        // Asked before it is cast: the error of a cast is an object that is made.
        if !object.is_instance_of::<PyTuple>() {
            self.few[0] = item(object)?;
            self.len = 1;
            return Ok(());
        }
        let tuple = object.cast::<PyTuple>()?;
        self.len = tuple.len();
        if self.len > SHORT {
            self.many = tuple.iter().map(|part| item(&part)).collect::<PyResult<_>>()?;
            return Ok(());
        }
        for (at, place) in self.few.iter_mut().enumerate().take(self.len) {
            *place = item(&*tuple.get_borrowed_item(at)?)?;
        }
        Ok(())
    }

    /// Leaves the ellipsis out: for a key that names all axes without it.
    pub(crate) fn drop_ellipsis(&mut self) {
        let mut items = self.items().to_vec();
        items.retain(|item| !matches!(item, SliceItem::Ellipsis));
        self.len = items.len();
        if self.len > SHORT {
            self.many = items;
        } else {
            self.few[..self.len].copy_from_slice(&items);
        }
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
        if self.len > SHORT { &self.many } else { &self.few[..self.len] }
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

/// A slice object as an entry; `None` for every other object.
///
/// # Errors
///
/// Whatever `__index__` of its parts raises.
#[inline]
pub(crate) fn slice(object: &Bound<'_, PyAny>) -> PyResult<Option<SliceItem>> {
    if !object.is_instance_of::<PySlice>() {
        return Ok(None);
    }
    parts(object.cast::<PySlice>()?).map(|slice| Some(SliceItem::Slice(slice)))
}

#[inline]
fn item(object: &Bound<'_, PyAny>) -> PyResult<SliceItem> {
    match slice(object)? {
        Some(item) => Ok(item),
        None => other(object),
    }
}

fn other(object: &Bound<'_, PyAny>) -> PyResult<SliceItem> {
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
