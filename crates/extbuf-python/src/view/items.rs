//! Single items and parts of a view: reading what stands between the brackets, iteration, fields, lists.
// Reads items from the lent memory, by value.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicUsize, Ordering};

use extbuf_layout::{Order, SliceItem};
use pyo3::exceptions::PyTypeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyList;

use super::View;
use crate::described::Described;
use crate::error;
use crate::key::{self, Key, inside, plain_integer};
use crate::lease::Share;

/// Items of up to so many bytes are copied to the stack on their way to Python.
const SMALL: usize = 64;

#[pymethods]
impl View {
    fn __getitem__<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = key.py();
        // The usual case: one integer, which runs no code when it is read.
        if let (Some(index), [extent]) = (plain_integer(key), self.layout.shape()) {
            self.check()?;
            return self.read_item(py, &[inside(index, 0, *extent)?]);
        }
        // Held while the key is read: its `__index__` may release this view, and a part of it is made all the same.
        let share = self.share(py)?;
        // The next usual case: one slice, without a place for more.
        if let Some(slice) = key::slice(key)? {
            return self.part(py, share, &[slice]);
        }
        let mut read = Key::EMPTY;
        read.read(key)?;
        if let Some(index) = read.whole_index(self.layout.shape())? {
            return self.read_item(py, index.get());
        }
        self.part(py, share, read.items())
    }

    fn __iter__(slf: Bound<'_, Self>) -> PyResult<ViewIterator> {
        ViewIterator::over(&slf, slf.clone())
    }

    fn __reversed__(slf: Bound<'_, Self>) -> PyResult<ViewIterator> {
        let this = slf.get();
        this.check()?;
        if this.layout.ndim() == 0 {
            return Err(PyTypeError::new_err("a view of ndim 0 is no sequence"));
        }
        let layout = this.layout.reverse_axis(0).map_err(error::layout)?;
        ViewIterator::over(&slf, Bound::new(slf.py(), this.with_layout(slf.py(), layout)?)?)
    }

    /// The items as lists in lists; one item for a view of ndim 0.
    fn tolist<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.check()?;
        if self.layout.ndim() == 0 {
            return self.read_item(py, &[]);
        }
        let codec = self.item.codec(py)?;
        if codec.has_objects() {
            let mut values = self.values(py)?.into_iter();
            return lists(py, self.layout.shape(), &mut |count| {
                Ok(PyList::new(py, values.by_ref().take(count).collect::<Vec<_>>())?.into_any())
            });
        }
        let (size, bytes) = (self.layout.itemsize(), self.copied(py, Order::C)?);
        let mut at = 0;
        lists(py, self.layout.shape(), &mut |count| {
            let items = &bytes[at..at + count * size];
            at += count * size;
            // SAFETY: so many items, ours alone and without references.
            unsafe { codec.read_list(py, items.as_ptr(), count) }
        })
    }

    /// The items' part of that name: a view of the same shape on the field of a record, without copying. Fields of
    /// fields are joined by dots, elements of arrays picked by an index in brackets: `"corner[2].y"`.
    fn field(&self, py: Python<'_>, path: &str) -> PyResult<View> {
        self.check()?;
        let (offset, format) = self.item.format()?.field(path).map_err(error::format)?;
        let layout = self.layout.field(offset, format.itemsize()).map_err(error::layout)?;
        let item = Described::with_format(&format.to_string(), format);
        Ok(self.derive(self.share(py)?, layout, item))
    }
}

impl View {
    /// The part that a key picks which is no item.
    fn part<'py>(&self, py: Python<'py>, share: Share, items: &[SliceItem]) -> PyResult<Bound<'py, PyAny>> {
        let view = if self.layout.is_direct() {
            let (item, fill) = (self.item.clone(), |out: &mut _| self.layout.slice_into(items, out));
            View::filled(share, self.base, item, self.readonly, fill).map_err(error::layout)?
        } else {
            let layout = self.layout.slice(items).map_err(error::layout)?;
            self.derive(share, layout, self.item.clone())
        };
        Ok(Bound::new(py, view)?.into_any())
    }

    /// The value of the item at an index that lies in the layout.
    pub(crate) fn read_item<'py>(&self, py: Python<'py>, index: &[usize]) -> PyResult<Bound<'py, PyAny>> {
        let codec = self.item.codec(py)?;
        let size = self.layout.itemsize();
        let (mut small, mut large) = ([0; SMALL], Vec::new());
        let bytes = match small.get_mut(..size) {
            Some(bytes) => bytes,
            None => {
                large.resize(size, 0);
                &mut large[..]
            }
        };
        self.read_bytes(py, index, bytes)?;
        // SAFETY: the bytes of one item, read a moment ago from memory that owns the references in them; no code of
        // others has run since.
        unsafe { codec.read_copied(py, bytes) }
    }

    /// The values of all items in C order.
    pub(crate) fn values<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let mut values = Vec::new();
        self.each(py, |_, value| {
            values.push(value);
            Ok(true)
        })?;
        Ok(values)
    }

    /// Calls with the number of each item in C order and its value, for as long as the answer is true.
    pub(crate) fn each<'py>(
        &self,
        py: Python<'py>,
        mut call: impl FnMut(usize, Bound<'py, PyAny>) -> PyResult<bool>,
    ) -> PyResult<()> {
        self.check()?;
        let codec = self.item.codec(py)?;
        if codec.has_objects() {
            // One by one: a reference in a copy would not keep its object.
            let indices: Vec<_> = self.layout.indices(Order::C).map(|index| index.to_vec()).collect();
            for (at, index) in indices.iter().enumerate() {
                if !call(at, self.read_item(py, index)?)? {
                    break;
                }
            }
            return Ok(());
        }
        let (size, bytes) = (self.layout.itemsize(), self.copied(py, Order::C)?);
        for at in 0..self.layout.len() {
            let item = &bytes[at * size..(at + 1) * size];
            // SAFETY: the bytes of one item, ours alone and without references.
            let value = unsafe { codec.read(py, item.as_ptr()) }?;
            if !call(at, value)? {
                break;
            }
        }
        Ok(())
    }

    fn read_bytes(&self, py: Python<'_>, index: &[usize], bytes: &mut [u8]) -> PyResult<()> {
        let entered = self.enter(py)?;
        // SAFETY: W1 while entered.
        let place = unsafe { entered.base().item(&self.layout, index) };
        let place = place.ok_or_else(|| super::value_error("the index lies outside the view"))?;
        // SAFETY: an item of the view lies there, and the buffer has its size.
        unsafe { place.read(bytes) };
        Ok(())
    }
}

/// Lists in lists, the outermost axis first; `last` makes the next list along the last axis.
fn lists<'py>(
    py: Python<'py>,
    shape: &[usize],
    last: &mut impl FnMut(usize) -> PyResult<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    match shape {
        [extent] => last(*extent),
        [extent, inner @ ..] => {
            let parts = (0..*extent).map(|_| lists(py, inner, last));
            Ok(PyList::new(py, parts.collect::<PyResult<Vec<_>>>()?)?.into_any())
        }
        [] => Err(super::value_error("a view of ndim 0 has no list")),
    }
}

/// Visits the first axis of a view: items where there is one axis, views where there are more.
#[pyclass(frozen, module = "extbuf._extbuf")]
pub(crate) struct ViewIterator {
    view: Py<View>,
    next: AtomicUsize,
}

impl ViewIterator {
    fn over(asked: &Bound<'_, View>, view: Bound<'_, View>) -> PyResult<ViewIterator> {
        asked.get().check()?;
        if view.get().layout.ndim() == 0 {
            return Err(PyTypeError::new_err("a view of ndim 0 is not iterable"));
        }
        Ok(ViewIterator { view: view.unbind(), next: AtomicUsize::new(0) })
    }
}

#[pymethods]
impl ViewIterator {
    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let view = self.view.get();
        let extent = view.layout.shape()[0];
        let at = self.next.load(Ordering::Relaxed);
        if at >= extent {
            return Ok(None);
        }
        self.next.store(at + 1, Ordering::Relaxed);
        if view.layout.ndim() == 1 {
            return view.read_item(py, &[at]).map(Some);
        }
        let layout = view.layout.index_axis(0, at as isize).map_err(error::layout)?;
        Ok(Some(Bound::new(py, view.with_layout(py, layout)?)?.into_any()))
    }

    fn __length_hint__(&self) -> usize {
        self.view.get().layout.shape()[0].saturating_sub(self.next.load(Ordering::Relaxed))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.view)
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<ViewIterator>()
}
