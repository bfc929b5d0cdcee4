//! What a view says of itself.

use extbuf_layout::Order;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use super::{View, value_error};

#[pymethods]
impl View {
    /// The object that lends the memory, None where it is the view's own.
    #[getter]
    fn obj(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        Ok(self.share(py)?.owner(py).map(Bound::unbind))
    }

    /// Bytes that a contiguous copy of all items takes.
    #[getter]
    fn nbytes(&self) -> PyResult<usize> {
        self.check()?;
        Ok(self.layout.nbytes())
    }

    /// Whether the memory may only be read.
    #[getter]
    fn readonly(&self) -> PyResult<bool> {
        self.check()?;
        Ok(self.readonly)
    }

    /// Bytes of one item.
    #[getter]
    fn itemsize(&self) -> PyResult<usize> {
        self.check()?;
        Ok(self.layout.itemsize())
    }

    /// What an item is, in the words of the exporter.
    #[getter]
    fn format(&self) -> PyResult<String> {
        self.check()?;
        Ok(self.item.text().to_string_lossy().into_owned())
    }

    /// Number of axes.
    #[getter]
    fn ndim(&self) -> PyResult<usize> {
        self.check()?;
        Ok(self.layout.ndim())
    }

    /// Number of entries along each axis.
    #[getter]
    fn shape<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        self.check()?;
        PyTuple::new(py, self.layout.shape())
    }

    /// Bytes between neighbours along each axis. Where pointers are followed, as PEP 3118 counts them.
    #[getter]
    fn strides<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        self.check()?;
        if self.layout.is_direct() {
            return PyTuple::new(py, self.layout.strides(0));
        }
        match self.layout.to_suboffsets() {
            Ok(encoded) => PyTuple::new(py, encoded.strides),
            Err(refusal) => Err(value_error(format!("{refusal}; `levels` has the strides of each level"))),
        }
    }

    /// For each axis what is added after the pointer behind it is followed, or a negative number; empty where no
    /// pointer is.
    #[getter]
    fn suboffsets<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        self.check()?;
        if self.layout.is_direct() {
            return Ok(PyTuple::empty(py));
        }
        match self.layout.to_suboffsets() {
            Ok(encoded) => PyTuple::new(py, encoded.suboffsets.unwrap_or_default()),
            Err(refusal) => Err(value_error(format!("{refusal}; `levels` has the offset of each level"))),
        }
    }

    /// For each axis that is reached through a pointer what is added after that pointer is followed, else None: the form
    /// that was proposed in March 2007. Empty where no pointer is followed.
    #[getter]
    fn derefoffs<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        self.check()?;
        match self.layout.to_derefoff() {
            Ok(encoded) => PyTuple::new(py, encoded.derefoff.unwrap_or_default()),
            Err(refusal) => Err(value_error(format!("{refusal}; `levels` has the offset of each level"))),
        }
    }

    /// The chain of maps from an index to an item: for each level its offset and its strides. Between two levels the
    /// pointer that lies at the place reached is followed.
    #[getter]
    fn levels<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        self.check()?;
        let level = |level| Ok((self.layout.offset(level), PyTuple::new(py, self.layout.strides(level))?));
        let levels = (0..self.layout.levels()).map(level).collect::<PyResult<Vec<_>>>()?;
        PyTuple::new(py, levels)
    }

    /// Whether the items lie one after another, the last axis fastest.
    #[getter]
    fn c_contiguous(&self) -> PyResult<bool> {
        self.is_contiguous(Order::C)
    }

    /// Whether the items lie one after another, the first axis fastest.
    #[getter]
    fn f_contiguous(&self) -> PyResult<bool> {
        self.is_contiguous(Order::F)
    }

    /// Whether the items lie one after another in either order.
    #[getter]
    fn contiguous(&self) -> PyResult<bool> {
        self.is_contiguous(Order::A)
    }

    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        self.check()?;
        match self.layout.shape().first() {
            Some(extent) => Ok(*extent),
            // What memoryview of this interpreter says.
            None if py.version_info() < (3, 12) => Ok(1),
            None => Err(PyTypeError::new_err("a view of ndim 0 has no length")),
        }
    }

    /// A view of the same memory through which nobody can write.
    fn toreadonly(&self, py: Python<'_>) -> PyResult<View> {
        let mut view = self.with_layout(py, self.layout.clone())?;
        view.readonly = true;
        Ok(view)
    }

    /// The bytes of all items in hexadecimal digits, in C order.
    #[pyo3(signature = (*args, **kwargs))]
    fn hex<'py>(
        &self,
        py: Python<'py>,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, pyo3::types::PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let bytes: Bound<'py, PyBytes> = self.bytes(py, Order::C)?;
        bytes.call_method("hex", args, kwargs)
    }
}

impl View {
    fn is_contiguous(&self, order: Order) -> PyResult<bool> {
        self.check()?;
        Ok(self.layout.is_contiguous(order))
    }
}
