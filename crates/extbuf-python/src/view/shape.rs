//! Views of the same memory in another shape: nothing here moves a byte.

use extbuf_layout::{Layout, Order};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyTuple};

use super::bulk::order_of;
use super::{View, value_error};
use crate::described::Described;
use crate::error;
use crate::format::Format;

#[pymethods]
impl View {
    /// The axes in reverse order.
    #[getter(T)]
    fn transposed(&self, py: Python<'_>) -> PyResult<View> {
        self.with_layout(py, self.layout.transpose())
    }

    /// The axes in the order named, all of them: `permute(2, 0, 1)` or `permute((2, 0, 1))`. Without axes the reverse.
    #[pyo3(signature = (*axes))]
    fn permute(&self, py: Python<'_>, axes: &Bound<'_, PyTuple>) -> PyResult<View> {
        self.check()?;
        let axes = listed::<isize>(axes)?;
        if axes.is_empty() {
            return self.transposed(py);
        }
        let axes = axes.into_iter().map(|axis| self.axis(axis)).collect::<PyResult<Vec<_>>>()?;
        self.with_layout(py, self.layout.permute(&axes).map_err(error::layout)?)
    }

    /// The view repeated along new axes in front and along axes of extent 1, without copying.
    #[pyo3(signature = (*shape))]
    fn broadcast_to(&self, py: Python<'_>, shape: &Bound<'_, PyTuple>) -> PyResult<View> {
        self.check()?;
        let shape = extents(&listed::<isize>(shape)?)?;
        let mut view = self.with_layout(py, self.layout.broadcast_to(&shape).map_err(error::layout)?)?;
        // What is written to one entry would show in all that repeat it.
        view.readonly |= view.layout.is_broadcast();
        Ok(view)
    }

    /// The same items in the same order under another shape, where that needs no copy; one extent may be -1. Order 'C'
    /// or 'F' says in which order the items are counted.
    #[pyo3(signature = (*shape, order=None))]
    fn reshape(&self, py: Python<'_>, shape: &Bound<'_, PyTuple>, order: Option<&str>) -> PyResult<View> {
        self.check()?;
        let wanted = listed::<isize>(shape)?;
        let shape = self.completed(&wanted)?;
        let layout = self.layout.reshape(&shape, order_of(order)?).map_err(error::layout)?;
        self.with_layout(py, layout)
    }

    /// The entries whose indices along two axes differ by `offset`; the axis of them comes last.
    #[pyo3(signature = (offset=0, axis1=0, axis2=1))]
    fn diagonal(&self, py: Python<'_>, offset: isize, axis1: isize, axis2: isize) -> PyResult<View> {
        self.check()?;
        let (a, b) = (self.axis(axis1)?, self.axis(axis2)?);
        self.with_layout(py, self.layout.diagonal(a, b, offset).map_err(error::layout)?)
    }

    /// All runs of `size` neighbours along an axis: the axis counts where a run begins, and a new last axis counts
    /// within it. Neighbouring runs share items, so the result is for reading.
    #[pyo3(signature = (size, axis=-1), text_signature = "($self, size, axis=-1)")]
    fn windows(&self, py: Python<'_>, size: usize, axis: isize) -> PyResult<View> {
        self.check()?;
        let layout = self.layout.windows(self.axis(axis)?, size).map_err(error::layout)?;
        let mut view = self.with_layout(py, layout)?;
        view.readonly = true;
        Ok(view)
    }

    /// The same bytes as items of another format, in another shape.
    ///
    /// Without a shape, contiguous items become one axis, as memoryview does it; others keep their shape, and the last
    /// axis becomes longer or shorter where the itemsize changes. With a shape, the bytes are counted in C order.
    #[pyo3(signature = (format, shape=None))]
    fn cast(
        &self,
        py: Python<'_>,
        format: &Bound<'_, PyAny>,
        shape: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<View> {
        self.check()?;
        let item = if let Ok(format) = format.cast::<Format>() {
            let format = format.get().parsed();
            Described::with_format(&format.to_string(), format.clone())
        } else if let Ok(text) = format.cast::<PyString>() {
            Described::parse(text.to_str()?)?
        } else {
            return Err(PyTypeError::new_err("the format must be a text or an extbuf.Format"));
        };
        if item.has_objects() || self.item.has_objects() {
            return Err(PyTypeError::new_err("references to objects are not cast"));
        }
        let shape = shape.map(shape_of).transpose()?;
        let layout = self.cast_layout(&item, shape.as_deref())?;
        Ok(self.derive(self.share(py)?, layout, item))
    }
}

impl View {
    fn cast_layout(&self, item: &Described, shape: Option<&[usize]>) -> PyResult<Layout> {
        let (size, layout) = (item.itemsize(), &self.layout);
        let uneven = || {
            let message = format!("{} bytes are no whole number of items of {size} bytes", layout.nbytes());
            Err(PyTypeError::new_err(message))
        };
        let flat = layout.is_contiguous(Order::C) && layout.is_direct();
        if let (true, None) = (flat, shape) {
            if size == 0 || layout.nbytes() % size != 0 {
                return uneven();
            }
            return self.dense_at(size, &[layout.nbytes() / size]);
        }
        let Some(shape) = shape else {
            return layout.cast(size).map_err(|error| PyTypeError::new_err(error.to_string()));
        };
        let wanted = Layout::contiguous(size, shape, Order::C).map_err(error::layout)?;
        if wanted.nbytes() != layout.nbytes() {
            let message = format!(
                "{} bytes cannot become items of {size} bytes in the shape {shape:?}, which take {}",
                layout.nbytes(),
                wanted.nbytes()
            );
            return Err(PyTypeError::new_err(message));
        }
        if flat {
            return self.dense_at(size, shape);
        }
        let items = if size == layout.itemsize() { Ok(layout.clone()) } else { layout.cast(size) };
        let items = items.and_then(|items| items.reshape(shape, Order::C));
        items.map_err(|error| PyTypeError::new_err(error.to_string()))
    }

    /// A dense layout that begins where this one's first item lies.
    fn dense_at(&self, itemsize: usize, shape: &[usize]) -> PyResult<Layout> {
        let dense = Layout::contiguous(itemsize, shape, Order::C).map_err(error::layout)?;
        let offset = self.layout.offset(0);
        Layout::strided(itemsize, shape, dense.strides(0), offset).map_err(error::layout)
    }

    /// An axis that may count from the end.
    fn axis(&self, axis: isize) -> PyResult<usize> {
        let ndim = self.layout.ndim();
        let counted =
            if axis < 0 { ndim.checked_sub(axis.unsigned_abs()) } else { Some(axis.unsigned_abs()) };
        counted
            .filter(|axis| *axis < ndim)
            .ok_or_else(|| value_error(format!("there is no axis {axis} in a view of ndim {ndim}")))
    }

    /// A shape in which one extent may be left to be found.
    fn completed(&self, wanted: &[isize]) -> PyResult<Vec<usize>> {
        let open: Vec<_> = wanted.iter().enumerate().filter(|(_, extent)| **extent == -1).collect();
        let [(open, _)] = open[..] else { return extents(wanted) };
        let mut shape: Vec<usize> = wanted.iter().map(|extent| extent.unsigned_abs()).collect();
        let known: usize = shape.iter().product();
        let len = self.layout.len();
        if known == 0 || len % known != 0 {
            return Err(value_error(format!("{len} items cannot be in the shape {wanted:?}")));
        }
        shape[open] = len / known;
        Ok(shape)
    }
}

/// `f(1, 2)` and `f((1, 2))` alike.
pub(crate) fn listed<'py, T>(arguments: &Bound<'py, PyTuple>) -> PyResult<Vec<T>>
where
    T: for<'a> FromPyObject<'a, 'py, Error: Into<PyErr>>,
{
    if arguments.len() == 1 {
        let first = arguments.get_item(0)?;
        if first.is_instance_of::<PyTuple>() || first.is_instance_of::<PyList>() {
            return first.try_iter()?.map(|entry| entry?.extract::<T>().map_err(Into::into)).collect();
        }
    }
    arguments.iter().map(|entry| entry.extract::<T>().map_err(Into::into)).collect()
}

pub(crate) fn extents(given: &[isize]) -> PyResult<Vec<usize>> {
    let extent = |&extent: &isize| {
        usize::try_from(extent).map_err(|_| PyValueError::new_err(format!("an extent of {extent}, below 0")))
    };
    given.iter().map(extent).collect()
}

/// The shape of a cast, whose extents are at least 1, as memoryview has it.
fn shape_of(shape: &Bound<'_, PyAny>) -> PyResult<Vec<usize>> {
    if !shape.is_instance_of::<PyTuple>() && !shape.is_instance_of::<PyList>() {
        return Err(PyTypeError::new_err("the shape must be a list or a tuple"));
    }
    let given = shape.try_iter()?.map(|entry| entry?.extract::<isize>()).collect::<PyResult<Vec<_>>>()?;
    extents(&given)
}
