//! The Python package `extbuf`: a memoryview for every layout and every format, on the crates of this workspace.
//!
//! Python sees `extbuf.View` and what stands beside it; `python/extbuf/__init__.pyi` lists it all. Rust sees one
//! extension module, `extbuf._extbuf`, built for the stable ABI of CPython 3.11 and later. Each file that adds
//! something to the module has a function `register` that [`_extbuf`] calls.
//!
//! # Whose memory it is
//!
//! An object lends its memory through a `Py_buffer`, which a [`lease::Lease`] holds: a Python object of its own, which
//! the garbage collector sees once however many views share it. A view is a lease, an address, a layout and a format,
//! and never changes; releasing it gives its share of the lease back. Any Python code may write to the lent memory at
//! any time, so no reference to it is ever made: items are read and written by value, and copies are raw.
//!
//! # What this crate does not do
//!
//! It is no Rust library: nobody depends on it and it has no interface but Python's. It does not use the typed buffers
//! of PyO3, which know one letter of a format and no pointer on the way to an item. It has no arrays and does no
//! arithmetic.
#![deny(unsafe_code)]

use pyo3::prelude::*;

mod acquire;
mod block;
mod count;
mod ctypes_text;
mod described;
mod dlpack;
mod error;
mod explain;
mod format;
#[allow(dead_code)]
mod item;
mod key;
mod lease;
mod numpy_text;
mod raw;
mod reach;
mod rows;
mod struct_module;
mod testing;
mod typestr;
mod view;

/// The extension module behind the package `extbuf`.
#[pymodule]
fn _extbuf(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    // One line for each file that adds to the module.
    count::register(module)?;
    dlpack::register(module)?;
    explain::register(module)?;
    format::register(module)?;
    rows::register(module)?;
    struct_module::register(module)?;
    testing::register(module)?;
    view::register(module)?;
    Ok(())
}
