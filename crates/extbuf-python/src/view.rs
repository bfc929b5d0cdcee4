//! The class `extbuf.View`.

use pyo3::prelude::*;

use crate::lease::{Lease, Share};

/// A view.
#[pyclass(frozen, weakref, module = "extbuf", name = "View")]
pub(crate) struct View {
    share: Share,
}

#[pymethods]
impl View {
    #[new]
    fn new(object: &Bound<'_, PyAny>) -> PyResult<View> {
        Ok(View { share: Lease::of(object, pyo3::ffi::PyBUF_FULL_RO)? })
    }

    #[getter]
    fn nbytes(&self) -> isize {
        self.share.claim().len
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<View>()
}
