//! Ways out beside the buffer protocol: DLPack, NumPy's array interface, pickling.
//!
//! The array interface is an address in a dictionary, with nobody to say that it is no longer needed. So a view that
//! was asked for one counts a consumer that never leaves, and is not released before it goes.

use extbuf_layout::Order;
use extbuf_protocol::Request;
use pyo3::exceptions::{PyBufferError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyDict, PyTuple};

use super::{View, value_error};
use crate::acquire::{self, Acquired};
use crate::described::Described;
use crate::dlpack;
use crate::error;
use crate::typestr;

#[pymethods]
impl View {
    /// The items as a DLPack capsule. Raises BufferError where DLPack cannot say them, and says why.
    #[pyo3(signature = (*, stream=None, max_version=None, dl_device=None, copy=None))]
    fn __dlpack__<'py>(
        &self,
        py: Python<'py>,
        stream: Option<&Bound<'py, PyAny>>,
        max_version: Option<(u32, u32)>,
        dl_device: Option<(i32, i32)>,
        copy: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if stream.is_some() {
            return Err(PyBufferError::new_err("memory of the CPU has no streams"));
        }
        if let Some((kind, id)) = dl_device.filter(|&device| device != (1, 0)) {
            let message = format!("the memory is the CPU's, and device ({kind}, {id}) is asked for");
            return Err(PyBufferError::new_err(message));
        }
        let versioned = max_version.is_some_and(|(major, _)| major >= 1);
        if copy == Some(true) {
            return self.copy_of(py)?.capsule(py, true, versioned);
        }
        self.capsule(py, false, versioned)
    }

    /// The CPU's memory: (1, 0).
    fn __dlpack_device__(&self) -> (i32, i32) {
        (1, 0)
    }

    /// NumPy's description of the memory. The view is not released from then on while it lives.
    #[getter]
    fn __array_interface__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.check()?;
        // An attribute that is not there is how NumPy is told to look further.
        let absent = |why: String| pyo3::exceptions::PyAttributeError::new_err(why);
        if !self.layout.is_direct() {
            return Err(absent("the array interface follows no pointers".into()));
        }
        let format = self.item.format().map_err(|error| absent(error.to_string()))?;
        let (mut shape, mut strides) = (self.layout.shape().to_vec(), self.layout.strides(0).to_vec());
        let base = array_axes(format, &mut shape, &mut strides);
        let descr = typestr::descr(py, base).map_err(|error| absent(error.to_string()))?;
        let address = self.base.get().wrapping_offset(self.layout.offset(0)) as usize;
        let interface = PyDict::new(py);
        interface.set_item("version", 3)?;
        interface.set_item("shape", PyTuple::new(py, shape)?)?;
        interface.set_item("typestr", typestr::of(base))?;
        interface.set_item("descr", descr)?;
        interface.set_item("strides", PyTuple::new(py, strides)?)?;
        interface.set_item("data", (address, self.readonly))?;
        // Whoever has the address cannot say when it is done with it.
        std::mem::forget(self.enter(py)?);
        Ok(interface)
    }

    /// A NumPy array of the same memory, or of a copy where the layout has pointers on the way.
    #[pyo3(signature = (dtype=None, copy=None))]
    fn __array__<'py>(
        slf: &Bound<'py, Self>,
        dtype: Option<&Bound<'py, PyAny>>,
        copy: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (py, this) = (slf.py(), slf.get());
        this.check()?;
        let mut from = slf.clone();
        let mut copied = false;
        if copy == Some(true) || !this.layout.is_direct() {
            if copy == Some(false) {
                let message = "the items lie behind pointers, so an array of them is a copy";
                return Err(PyValueError::new_err(message));
            }
            from = Bound::new(py, this.copy_of(py)?)?;
            copied = true;
        }
        let spec = typestr::dtype_spec(py, this.item.format()?)?;
        let make = py.import("extbuf._numpy")?.getattr("array")?;
        make.call1((from, spec, dtype, copy, copied))
    }

    /// Pickling: from protocol 5 on the memory itself may travel outside the pickle, where it is contiguous.
    fn __reduce_ex__<'py>(slf: &Bound<'py, Self>, protocol: i32) -> PyResult<Bound<'py, PyTuple>> {
        let (py, this) = (slf.py(), slf.get());
        this.check()?;
        if this.item.has_objects() {
            return Err(PyTypeError::new_err("items hold references to objects, which bytes cannot carry"));
        }
        let fortran = !this.layout.is_contiguous(Order::C) && this.layout.is_contiguous(Order::F);
        let order = if fortran { Order::F } else { Order::C };
        let bytes = if protocol >= 5 {
            let whole = if fortran {
                // The same run of bytes, for who asks for nothing but bytes.
                Bound::new(py, this.with_layout(py, this.layout.transpose())?)?
            } else if this.layout.is_contiguous(order) {
                slf.clone()
            } else {
                Bound::new(py, this.copy_of(py)?)?
            };
            py.import("pickle")?.getattr("PickleBuffer")?.call1((whole,))?
        } else if this.readonly {
            this.bytes(py, order)?.into_any()
        } else {
            PyByteArray::new(py, this.bytes(py, order)?.as_bytes()).into_any()
        };
        let state = (
            bytes,
            PyBytes::new(py, this.item.text().to_bytes()),
            this.layout.itemsize(),
            this.item.dialect().name(),
            PyTuple::new(py, this.layout.shape())?,
            fortran,
            this.readonly,
        );
        (py.get_type::<View>().getattr("_restore")?, state).into_pyobject(py)
    }

    /// A view of bytes as `__reduce_ex__` described them.
    #[staticmethod]
    fn _restore(
        bytes: &Bound<'_, PyAny>,
        text: &[u8],
        itemsize: usize,
        dialect: &str,
        shape: Vec<usize>,
        fortran: bool,
        readonly: bool,
    ) -> PyResult<View> {
        let wrong = |why: &str| value_error(format!("no pickled view: {why}"));
        let dialect = dialect.parse().map_err(|_| wrong("an unknown dialect"))?;
        let text = std::ffi::CString::new(text).map_err(|_| wrong("a zero byte in the format"))?;
        let item = Described::claimed(Some(&text), itemsize, || dialect);
        if item.has_objects() {
            return Err(PyTypeError::new_err("items hold references to objects, which bytes cannot carry"));
        }
        let flags = i32::from_ne_bytes(Request::SIMPLE.bits().to_ne_bytes());
        let Acquired { share, base, layout: given, readonly: locked, .. } =
            acquire::with_flags(bytes, flags)?;
        let order = if fortran { Order::F } else { Order::C };
        let layout = extbuf_layout::Layout::contiguous(itemsize, &shape, order).map_err(error::layout)?;
        if layout.nbytes() != given.nbytes() {
            return Err(wrong(&format!("{} bytes for items of {}", given.nbytes(), layout.nbytes())));
        }
        Ok(View::of(Acquired { share, base, layout, item, readonly: readonly || locked }))
    }
}

impl View {
    /// A view of a copy in C order.
    pub(crate) fn copy_of(&self, py: Python<'_>) -> PyResult<View> {
        self.check()?;
        self.copied_view(py, Order::C, None)
    }

    fn capsule<'py>(&self, py: Python<'py>, copied: bool, versioned: bool) -> PyResult<Bound<'py, PyAny>> {
        let share = self.share(py)?;
        dlpack::hand_out(py, (share, self.base), (&self.layout, &self.item), self.readonly, copied, versioned)
    }
}

/// Items that are arrays as axes of the layout, the way NumPy has them; the elements' format.
fn array_axes<'f>(
    format: &'f extbuf_format::Format,
    shape: &mut Vec<usize>,
    strides: &mut Vec<isize>,
) -> &'f extbuf_format::Format {
    let extbuf_format::Item::Array(array) = format.item() else { return format };
    let base = array_axes_of(array, shape);
    let inner = shape.len() - strides.len();
    let mut step = base.itemsize() as isize;
    let mut added = Vec::with_capacity(inner);
    for &extent in shape[strides.len()..].iter().rev() {
        added.push(step);
        step = step.saturating_mul(extent as isize);
    }
    strides.extend(added.into_iter().rev());
    base
}

fn array_axes_of<'f>(array: &'f extbuf_format::Array, shape: &mut Vec<usize>) -> &'f extbuf_format::Format {
    shape.extend_from_slice(array.shape());
    match array.element().item() {
        extbuf_format::Item::Array(inner) => array_axes_of(inner, shape),
        _ => array.element(),
    }
}
