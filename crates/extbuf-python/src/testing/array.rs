//! The class `ndarray`: a stack of bases, of which the newest is the one that is looked at and lent.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use extbuf_layout::Order;
use pyo3::exceptions::{PyBufferError, PyTypeError, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use super::base::{Base, Bases};
use super::build::Spec;
use super::{REDIRECT, VAREXPORT};
use crate::raw::{FULL_RO, lends};

/// An exporter of any layout with any answers, for tests of consumers.
///
/// ndarray(obj, shape, strides=None, offset=0, format='B', flags=0)
/// ndarray(obj, *, flags=0, getbuf=PyBUF_FULL_RO)
///
/// The first form packs a list of items, or one item where the shape is empty, one after another into memory; strides
/// and offset are counted in bytes of it. The second form takes what another exporter lends for a request, and lends
/// that on with whatever is null in it.
#[pyclass(frozen, subclass, weakref, module = "extbuf.testing", name = "ndarray")]
pub(crate) struct Array {
    /// Empty only where the garbage collector has ended the array.
    bases: Mutex<Bases>,
    /// `ND_VAREXPORT`.
    is_variable: bool,
}

impl Array {
    pub(super) fn of(base: Base, is_variable: bool) -> Array {
        Array { bases: Mutex::new(vec![Arc::new(base)]), is_variable }
    }

    /// Locked for a few instructions at a time, during which nothing of Python is made or freed.
    pub(super) fn bases(&self) -> MutexGuard<'_, Bases> {
        self.bases.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is looked at.
    pub(super) fn head(&self) -> PyResult<Arc<Base>> {
        self.bases().last().cloned().ok_or_else(ended)
    }

    /// Puts a base on the stack, or in the place of the newest.
    fn change(&self, base: Base, replace: bool) -> PyResult<()> {
        let mut bases = self.bases();
        let head = bases.last().ok_or_else(ended)?;
        if !self.is_variable {
            unlent(head)?;
        }
        // Freed, if it is, when the lock is.
        let old = if replace { bases.pop() } else { None };
        bases.push(Arc::new(base));
        drop(bases);
        drop(old);
        Ok(())
    }
}

fn ended() -> PyErr {
    PyValueError::new_err("the array was ended by the garbage collector")
}

fn immutable() -> PyErr {
    PyBufferError::new_err("the description of what another object lends does not change")
}

/// # Errors
///
/// `BufferError` where somebody looks at the base.
fn unlent(base: &Base) -> PyResult<()> {
    match base.lent.load(Ordering::Acquire) {
        0 => Ok(()),
        lent => {
            let s = if lent == 1 { "" } else { "s" };
            Err(PyBufferError::new_err(format!("the description does not change: {lent} exported buffer{s}")))
        }
    }
}

#[pymethods]
impl Array {
    #[new]
    #[pyo3(signature = (obj, shape=None, strides=None, offset=0, format=None, flags=0, getbuf=None))]
    #[allow(clippy::too_many_arguments)] // Those of `_testbuffer.ndarray`.
    fn new(
        obj: &Bound<'_, PyAny>,
        shape: Option<&Bound<'_, PyAny>>,
        strides: Option<&Bound<'_, PyAny>>,
        offset: isize,
        format: Option<&Bound<'_, PyAny>>,
        flags: u32,
        getbuf: Option<i32>,
    ) -> PyResult<Array> {
        match shape {
            Some(_) if getbuf.is_some() => {
                Err(PyTypeError::new_err("'getbuf' is for what another object lends, not for items"))
            }
            Some(shape) => {
                let spec = Spec { items: obj, shape, strides, offset, format, flags: flags & !VAREXPORT };
                Ok(Array::of(spec.base()?, flags & VAREXPORT != 0))
            }
            None if !lends(obj) => Err(PyTypeError::new_err("items need a shape")),
            None if strides.is_some() || offset != 0 || format.is_some() || flags & !REDIRECT != 0 => {
                let message = "what another object lends is taken with 'getbuf' and ND_REDIRECT alone";
                Err(PyTypeError::new_err(message))
            }
            None => Ok(Array::of(Base::of_exporter(obj, getbuf.unwrap_or(FULL_RO), flags)?, false)),
        }
    }

    /// Puts another memory and its description in front. With ND_VAREXPORT also while buffers are lent, which keep
    /// what they got.
    #[pyo3(signature = (items, shape, strides=None, offset=0, format=None, flags=0))]
    fn push(
        &self,
        items: &Bound<'_, PyAny>,
        shape: &Bound<'_, PyAny>,
        strides: Option<&Bound<'_, PyAny>>,
        offset: isize,
        format: Option<&Bound<'_, PyAny>>,
        flags: u32,
    ) -> PyResult<()> {
        if flags & VAREXPORT != 0 {
            return Err(PyValueError::new_err("ND_VAREXPORT is decided when an array is made"));
        }
        let head = self.head()?;
        if head.own.is_none() {
            return Err(immutable());
        }
        if !self.is_variable {
            unlent(&head)?;
        }
        self.change(Spec { items, shape, strides, offset, format, flags }.base()?, false)
    }

    /// Takes the newest memory away, if nobody looks at it and there is another.
    fn pop(&self) -> PyResult<()> {
        let mut bases = self.bases();
        let head = bases.last().ok_or_else(ended)?;
        if head.own.is_none() {
            return Err(immutable());
        }
        unlent(head)?;
        if bases.len() == 1 {
            return Err(PyBufferError::new_err("there is no other description"));
        }
        let old = bases.pop();
        drop(bases);
        drop(old);
        Ok(())
    }

    /// Adds suboffsets that follow no pointer, which is allowed and to no purpose: a consumer copes or does not.
    fn add_suboffsets(&self, py: Python<'_>) -> PyResult<()> {
        let head = self.head()?;
        if head.told.suboffsets.is_some() {
            return Err(PyTypeError::new_err("there are suboffsets already"));
        }
        if head.told.strides.is_none() {
            return Err(PyTypeError::new_err("suboffsets need strides"));
        }
        let mut told = head.told.clone();
        told.suboffsets = Some(vec![-1; told.ndim.unsigned_abs() as usize].into());
        let memory = head.acquired(py, head.memory.layout.clone())?;
        let own = head.own.as_ref().map(|own| super::base::Own { pointers: own.pointers.clone(), ..*own });
        self.change(Base::new(memory, told, own, head.offset, head.behaviour), true)
    }

    /// The ND flags that say what the array is.
    #[getter]
    fn flags(&self) -> PyResult<u32> {
        Ok(self.head()?.flags() | if self.is_variable { VAREXPORT } else { 0 })
    }

    /// Bytes from the start of the memory to the first item, -1 where the memory is another object's.
    #[getter]
    fn offset(&self) -> PyResult<isize> {
        Ok(self.head()?.offset)
    }

    /// The object that lends the memory, None where it is the array's own or the lender did not say.
    #[getter]
    fn obj(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        Ok(self.head()?.memory.share.owner(py).map(Bound::unbind))
    }

    /// Bytes that a contiguous copy of all items takes.
    #[getter]
    fn nbytes(&self) -> PyResult<isize> {
        Ok(self.head()?.told.len)
    }

    /// Whether the memory may only be read.
    #[getter]
    fn readonly(&self) -> PyResult<bool> {
        Ok(self.head()?.told.readonly)
    }

    /// Bytes of one item.
    #[getter]
    fn itemsize(&self) -> PyResult<isize> {
        Ok(self.head()?.told.itemsize)
    }

    /// What an item is; empty where there is none.
    #[getter]
    fn format(&self) -> PyResult<String> {
        let head = self.head()?;
        Ok(head.told.format.as_ref().map(|text| text.to_string_lossy().into_owned()).unwrap_or_default())
    }

    /// Number of axes.
    #[getter]
    fn ndim(&self) -> PyResult<i32> {
        Ok(self.head()?.told.ndim)
    }

    /// Number of entries along each axis; empty where there is none.
    #[getter]
    fn shape<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.head()?.told.shape.as_deref().unwrap_or_default())
    }

    /// Bytes between neighbours along each axis; empty where there are none.
    #[getter]
    fn strides<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.head()?.told.strides.as_deref().unwrap_or_default())
    }

    /// For each axis what is added after the pointer behind it is followed, or a negative number; empty where there are
    /// none.
    #[getter]
    fn suboffsets<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.head()?.told.suboffsets.as_deref().unwrap_or_default())
    }

    /// Whether the items lie one after another, the last axis fastest.
    #[getter]
    fn c_contiguous(&self) -> PyResult<bool> {
        Ok(self.head()?.is_contiguous(Order::C))
    }

    /// Whether the items lie one after another, the first axis fastest.
    #[getter]
    fn f_contiguous(&self) -> PyResult<bool> {
        Ok(self.head()?.is_contiguous(Order::F))
    }

    /// Whether the items lie one after another in either order.
    #[getter]
    fn contiguous(&self) -> PyResult<bool> {
        Ok(self.head()?.is_contiguous(Order::A))
    }

    /// The items as bytes, the last axis fastest.
    fn tobytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        self.head()?.view(py)?.bytes(py, Order::C)
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        let head = self.head()?;
        if !head.told.readonly {
            return Err(PyValueError::new_err("an array that can be written has no hash"));
        }
        if let Some(owner) = head.memory.share.owner(py) {
            owner.hash()?;
        }
        self.tobytes(py)?.hash()
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let this = slf.get();
        let (format, shape, strides) =
            (this.format()?, this.shape(slf.py())?.repr()?, this.strides(slf.py())?.repr()?);
        let suboffsets = match this.suboffsets(slf.py())? {
            none if none.is_empty() => String::new(),
            some => format!(", suboffsets={}", some.repr()?),
        };
        let name = slf.get_type().name()?;
        Ok(format!("<{name} format={format:?}, shape={shape}, strides={strides}{suboffsets}>"))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        // Where the lock is taken, what is behind it is in use, so that nothing need be found.
        if let Ok(bases) = self.bases.try_lock() {
            for base in &*bases {
                visit.call(base.memory.share.lease().object())?;
            }
        }
        Ok(())
    }

    fn __clear__(&self) {
        let bases = std::mem::take(&mut *self.bases());
        drop(bases);
    }
}
