//! Writing: `view[…] = …` and `copy_from`.
//!
//! A key that picks one item takes a value of its format. Any other key takes an object that lends memory, of items that
//! mean the same and of a shape that can be broadcast to the part's. Source and target may overlap in any way.
// Writes items to the lent memory, by value, and hands raw addresses to the copy engine.
#![allow(unsafe_code)]

use extbuf_layout::Layout;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

use super::bulk::options;
use super::{View, value_error};
use crate::error;
use crate::key::Key;

#[pymethods]
impl View {
    fn __setitem__(&self, key: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        self.check()?;
        self.check_writable()?;
        let mut read = Key::EMPTY;
        read.read(key)?;
        if let Some(index) = read.whole_index(self.layout.shape())? {
            let index = index.get();
            return self.write_item(index, value);
        }
        let target = self.layout.slice(read.items()).map_err(error::layout)?;
        if target.ndim() == 0 {
            // All axes fixed, and an ellipsis that stands for none: one item, written by value.
            read.drop_ellipsis();
            if let Some(index) = read.whole_index(self.layout.shape())? {
                return self.write_item(index.get(), value);
            }
        }
        let source = View::from_object(value)?;
        self.assign(value.py(), &target, &source, None)
    }

    fn __delitem__(&self, _key: &Bound<'_, PyAny>) -> PyResult<()> {
        Err(PyTypeError::new_err("memory cannot be deleted"))
    }

    /// Copies all items of an object that lends memory here, where its shape can be broadcast to this one and its items
    /// mean the same. On as many threads as asked for, all by default, and without the interpreter.
    #[pyo3(signature = (other, *, threads=None))]
    fn copy_from(&self, other: &Bound<'_, PyAny>, threads: Option<usize>) -> PyResult<()> {
        self.check()?;
        self.check_writable()?;
        let source = View::from_object(other)?;
        self.assign(other.py(), &self.layout, &source, threads)
    }
}

impl View {
    fn check_writable(&self) -> PyResult<()> {
        if self.readonly {
            return Err(PyTypeError::new_err("the memory of this view is for reading only"));
        }
        Ok(())
    }

    fn write_item(&self, index: &[usize], value: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = value.py();
        // Runs code of the value, after which the view may be released.
        let packed = self.item.codec(py)?.pack(value).map_err(|error| error.into_exception(py))?;
        let entered = self.enter(py)?;
        // SAFETY: W1 while entered.
        let place = unsafe { entered.base().item(&self.layout, index) };
        let place = place.ok_or_else(|| value_error("the index lies outside the view"))?;
        // SAFETY: an item of the view lies there and may be written; references in it are the memory's own. Giving up
        // the old ones may run code of others, during which the view counts as in use.
        unsafe { packed.store(py, place.get()) };
        Ok(())
    }

    /// Copies to a part of this view.
    pub(crate) fn assign(
        &self,
        py: Python<'_>,
        target: &Layout,
        source: &View,
        threads: Option<usize>,
    ) -> PyResult<()> {
        if !self.item.means_same(&source.item) {
            let (to, from) = (self.item.text().to_string_lossy(), source.item.text().to_string_lossy());
            let message = format!("items of format '{from}' do not mean what items of format '{to}' do");
            return Err(PyValueError::new_err(message));
        }
        self.refuse_objects()?;
        let layout = source.layout.broadcast_to(target.shape()).map_err(error::layout)?;
        let (to, from) = (self.enter(py)?, source.enter(py)?);
        let (to, from) = (to.base(), from.base());
        let run = || {
            // SAFETY: W1 on both sides while entered; the target may be written. Sides that overlap are what this
            // function is for.
            unsafe { options(threads).copy_raw((target, to.get()), (&layout, from.get().cast_const())) }
        };
        let report = if target.nbytes() < super::bulk::SHORT { run() } else { py.detach(run) };
        report.map_err(error::copy)?;
        Ok(())
    }
}
