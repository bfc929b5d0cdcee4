//! `extbuf.testing`: an exporter of any layout with any answers, for who tests a consumer of the buffer protocol.
//!
//! `ndarray` lends items in any shape, with any strides, behind pointers or not, writable or not; it lends on what it
//! got for a request of its own, so that a consumer meets every field that may be null; it can refuse, break a rule that
//! exporters broke in the past, and change its description while somebody looks at the old one. The names and the
//! behaviour are those of the module `_testbuffer` that CPython tests its memoryview with, and that module's place can be
//! taken: `sys.modules["_testbuffer"] = extbuf.testing`.
//!
//! Nothing here goes through the struct module or the indexing of CPython. Formats are read by `extbuf-format`, items
//! made and taken by `item::Codec`, slices and addresses are of `extbuf-layout`, requests are met or refused by
//! `extbuf_protocol::Request`. The functions beside the class are the other way round: they say what CPython makes of
//! what any object lends.
//!
//! | File | Has |
//! |---|---|
//! | `told` | a description as consumers are told it, null where it is null |
//! | `base` | a memory, its description, and how many it is lent to |
//! | `build` | a base from a list of items |
//! | `array` | the class `ndarray` |
//! | `items` | its items and parts |
//! | `lend` | the buffer protocol: the one file here that fills in a `Py_buffer` |
//! | `fixed` | the class `staticarray` |
//! | `ask` | the functions |
//!
//! The invariants:
//!
//! - **T1** in a `Py_buffer` that an `ndarray` lent, `internal` is a reference to the base that it describes, given away
//!   by `Arc::into_raw`; it is taken back once, when the buffer is released;
//! - **T2** what such a buffer points to is part of that base, which never changes, or memory that the base keeps;
//! - **T3** the layout of a base reaches only what its share keeps, from its address (W1 in `reach.rs`).

mod array;
mod ask;
mod base;
mod build;
mod fixed;
mod items;
mod lend;
mod told;

use pyo3::ffi;
use pyo3::prelude::*;

/// The description may change while buffers are lent.
const VAREXPORT: u32 = 0x001;
/// The memory may be written.
const WRITABLE: u32 = 0x002;
/// Fortran order where no strides are given.
const FORTRAN: u32 = 0x004;
/// No axes.
const SCALAR: u32 = 0x008;
/// The first axis is a table of pointers.
const PIL: u32 = 0x010;
/// Requests are passed on to the object behind.
const REDIRECT: u32 = 0x020;
/// Every request is refused.
const GETBUF_FAIL: u32 = 0x040;
/// And the refusal leaves a wrong owner behind.
const GETBUF_UNDEFINED: u32 = 0x080;

/// Twice what a memoryview takes, so that there is something to refuse.
const MAX_NDIM: usize = 128;

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let inner = PyModule::new(module.py(), "_testing")?;
    inner.add_class::<array::Array>()?;
    inner.add_class::<fixed::Fixed>()?;
    ask::register(&inner)?;
    inner.add("ND_MAX_NDIM", MAX_NDIM)?;
    for (name, flag) in [
        ("ND_VAREXPORT", VAREXPORT),
        ("ND_WRITABLE", WRITABLE),
        ("ND_FORTRAN", FORTRAN),
        ("ND_SCALAR", SCALAR),
        ("ND_PIL", PIL),
        ("ND_REDIRECT", REDIRECT),
        ("ND_GETBUF_FAIL", GETBUF_FAIL),
        ("ND_GETBUF_UNDEFINED", GETBUF_UNDEFINED),
    ] {
        inner.add(name, flag)?;
    }
    for (name, flags) in [
        ("PyBUF_SIMPLE", ffi::PyBUF_SIMPLE),
        ("PyBUF_WRITABLE", ffi::PyBUF_WRITABLE),
        ("PyBUF_FORMAT", ffi::PyBUF_FORMAT),
        ("PyBUF_ND", ffi::PyBUF_ND),
        ("PyBUF_STRIDES", ffi::PyBUF_STRIDES),
        ("PyBUF_INDIRECT", ffi::PyBUF_INDIRECT),
        ("PyBUF_C_CONTIGUOUS", ffi::PyBUF_C_CONTIGUOUS),
        ("PyBUF_F_CONTIGUOUS", ffi::PyBUF_F_CONTIGUOUS),
        ("PyBUF_ANY_CONTIGUOUS", ffi::PyBUF_ANY_CONTIGUOUS),
        ("PyBUF_FULL", ffi::PyBUF_FULL),
        ("PyBUF_FULL_RO", ffi::PyBUF_FULL_RO),
        ("PyBUF_RECORDS", ffi::PyBUF_RECORDS),
        ("PyBUF_RECORDS_RO", ffi::PyBUF_RECORDS_RO),
        ("PyBUF_STRIDED", ffi::PyBUF_STRIDED),
        ("PyBUF_STRIDED_RO", ffi::PyBUF_STRIDED_RO),
        ("PyBUF_CONTIG", ffi::PyBUF_CONTIG),
        ("PyBUF_CONTIG_RO", ffi::PyBUF_CONTIG_RO),
        ("PyBUF_READ", ffi::PyBUF_READ),
        ("PyBUF_WRITE", ffi::PyBUF_WRITE),
    ] {
        inner.add(name, flags)?;
    }
    module.add_submodule(&inner)
}
