//! The `Py_buffer` itself: the one file that calls the buffer functions of the C API.
//!
//! The structure must stay where it was filled: `PyBuffer_FillInfo` points its shape at its own length. So a
//! [`RawBuffer`] is made empty, put into the Python object that keeps it, and filled there.
//!
//! The invariants:
//!
//! - **B1** a buffer that was filled is not moved and not filled again until it has been released;
//! - **B2** it is released exactly once;
//! - **B3** between the two, what the exporter wrote into it is valid: `ndim` entries of shape and strides where these
//!   are not null, a format that ends in a zero byte, memory behind `buf` that the description reaches. That is the
//!   contract of the buffer protocol; nothing here can check it.
// Calls the buffer functions of CPython and follows the pointers they fill in.
#![allow(unsafe_code)]

use std::cell::UnsafeCell;
use std::ffi::{CStr, c_char, c_int};

use pyo3::ffi;
use pyo3::prelude::*;

/// Whatever there is, for reading.
pub(crate) const FULL_RO: c_int = ffi::PyBUF_FULL_RO;

/// What an exporter filled in, copied out of a [`RawBuffer`]: pointers are as the exporter left them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claim<'a> {
    /// The first item: index `0, …, 0`.
    pub(crate) base: *mut u8,
    pub(crate) len: isize,
    pub(crate) itemsize: isize,
    pub(crate) readonly: bool,
    pub(crate) ndim: c_int,
    /// `None` means unsigned bytes.
    pub(crate) format: Option<&'a CStr>,
    pub(crate) shape: Option<&'a [isize]>,
    pub(crate) strides: Option<&'a [isize]>,
    pub(crate) suboffsets: Option<&'a [isize]>,
}

/// A `Py_buffer` in its place.
pub(crate) struct RawBuffer(UnsafeCell<ffi::Py_buffer>);

// SAFETY: the structure belongs to no thread. It is written by `fill` and `release` alone, whose contracts exclude
// readers; the object it leads to is counted with the interpreter attached only.
unsafe impl Send for RawBuffer {}
// SAFETY: as above.
unsafe impl Sync for RawBuffer {}

impl RawBuffer {
    pub(crate) fn empty() -> RawBuffer {
        RawBuffer(UnsafeCell::new(ffi::Py_buffer::new()))
    }

    /// Asks an object for its memory.
    ///
    /// # Errors
    ///
    /// Whatever the object raises; the buffer is empty then.
    ///
    /// # Safety
    ///
    /// B1: the buffer is empty and stays where it is until it is released. Nobody reads it meanwhile.
    pub(crate) unsafe fn fill(&self, object: &Bound<'_, PyAny>, flags: c_int) -> PyResult<()> {
        // SAFETY: an attached thread, a live object, and the place of an empty structure (B1).
        let code = unsafe { ffi::PyObject_GetBuffer(object.as_ptr(), self.0.get(), flags) };
        if code == 0 {
            return Ok(());
        }
        // An exporter that refuses may have left anything there, and until Python 3.2 it was allowed to.
        // SAFETY: B1: the place of a structure that is empty again, and nobody reads it.
        unsafe { self.0.get().write(ffi::Py_buffer::new()) };
        Err(PyErr::fetch(object.py()))
    }

    /// Gives the memory back. Harmless on an empty buffer.
    ///
    /// # Safety
    ///
    /// B2, and nobody reads the buffer or the memory any more.
    pub(crate) unsafe fn release(&self, _py: Python<'_>) {
        // SAFETY: an attached thread; a structure that was filled, or an empty one, whose object is null.
        unsafe { ffi::PyBuffer_Release(self.0.get()) };
    }

    /// The object that lends: the one that is released to.
    pub(crate) fn owner(&self) -> *mut ffi::PyObject {
        // SAFETY: a field of a structure that is there; written by `fill` and `release` alone.
        unsafe { (*self.0.get()).obj }
    }

    /// What was filled in.
    ///
    /// # Safety
    ///
    /// The buffer is filled and is not released during `'a` (B3).
    pub(crate) unsafe fn claim<'a>(&'a self) -> Claim<'a> {
        // SAFETY: nobody writes to a filled buffer before it is released.
        let raw = unsafe { &*self.0.get() };
        let ndim = usize::try_from(raw.ndim).unwrap_or(0);
        let numbers = |start: *mut isize| {
            if start.is_null() || ndim == 0 {
                return None;
            }
            // SAFETY: B3: as many entries as there are dimensions, which nobody changes before the release.
            Some(unsafe { std::slice::from_raw_parts(start.cast_const(), ndim) })
        };
        let format = if raw.format.is_null() {
            None
        } else {
            // SAFETY: B3: a text that ends in a zero byte and stays until the release.
            Some(unsafe { CStr::from_ptr(raw.format) })
        };
        Claim {
            base: raw.buf.cast(),
            len: raw.len,
            itemsize: raw.itemsize,
            readonly: raw.readonly != 0,
            ndim: raw.ndim,
            format,
            shape: numbers(raw.shape),
            strides: numbers(raw.strides),
            suboffsets: numbers(raw.suboffsets),
        }
    }
}

/// Whether an object lends memory at all.
pub(crate) fn lends(object: &Bound<'_, PyAny>) -> bool {
    // SAFETY: an attached thread, and a live object.
    unsafe { ffi::PyObject_CheckBuffer(object.as_ptr()) != 0 }
}

/// Holds an object's memory for the length of a call.
///
/// # Errors
///
/// Whatever the object raises, and what `f` does.
pub(crate) fn held<R>(
    object: &Bound<'_, PyAny>,
    flags: c_int,
    f: impl FnOnce(Claim<'_>) -> PyResult<R>,
) -> PyResult<R> {
    // SAFETY: filled, and released after `f`.
    held_raw(object, flags, |raw| f(unsafe { raw.claim() }))
}

/// The same, with the structure itself.
///
/// # Errors
///
/// As [`held`].
pub(crate) fn held_raw<R>(
    object: &Bound<'_, PyAny>,
    flags: c_int,
    f: impl FnOnce(&RawBuffer) -> PyResult<R>,
) -> PyResult<R> {
    struct Held<'py>(RawBuffer, Python<'py>);
    impl Drop for Held<'_> {
        fn drop(&mut self) {
            // SAFETY: B2: only here, and `f` has returned.
            unsafe { self.0.release(self.1) };
        }
    }
    let held = Held(RawBuffer::empty(), object.py());
    // SAFETY: B1: it lies in this frame until it is dropped.
    unsafe { held.0.fill(object, flags) }?;
    f(&held.0)
}

/// What CPython itself makes of a structure that was filled.
impl RawBuffer {
    /// Whether the items are contiguous in an order: `b'C'`, `b'F'` or `b'A'`.
    ///
    /// # Safety
    ///
    /// The buffer is filled.
    pub(crate) unsafe fn is_contiguous(&self, order: u8) -> bool {
        // SAFETY: a filled structure (B3).
        unsafe { ffi::PyBuffer_IsContiguous(self.0.get(), order as c_char) != 0 }
    }

    /// The bytes of all items in an order.
    ///
    /// # Errors
    ///
    /// What CPython raises.
    ///
    /// # Safety
    ///
    /// The buffer is filled, with a shape where the order is not that of the memory.
    pub(crate) unsafe fn to_contiguous(&self, py: Python<'_>, order: u8) -> PyResult<Vec<u8>> {
        // SAFETY: the contract.
        let len = unsafe { self.claim() }.len;
        let mut bytes = vec![0u8; usize::try_from(len).unwrap_or(0)];
        let start = bytes.as_mut_ptr().cast();
        // SAFETY: an attached thread, a filled structure (B3), and as many bytes as it speaks of.
        let code = unsafe { ffi::PyBuffer_ToContiguous(start, self.0.get(), len, order as c_char) };
        if code == 0 { Ok(bytes) } else { Err(PyErr::fetch(py)) }
    }

    /// The place of an item by the address rule of CPython.
    ///
    /// # Safety
    ///
    /// The buffer is filled with shape and strides, and the index has an entry for each axis, inside it.
    pub(crate) unsafe fn pointer(&self, index: &[isize]) -> *mut u8 {
        // SAFETY: a filled structure (B3), and an index of one of its items.
        unsafe { ffi::PyBuffer_GetPointer(self.0.get(), index.as_ptr()) }.cast()
    }
}

/// `PyMemoryView_GetContiguous`: a memoryview of an object in an order, of a copy where it must be.
///
/// # Errors
///
/// What CPython raises.
pub(crate) fn contiguous_memoryview<'py>(
    object: &Bound<'py, PyAny>,
    kind: c_int,
    order: u8,
) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: an attached thread and a live object.
    let view = unsafe { ffi::PyMemoryView_GetContiguous(object.as_ptr(), kind, order as c_char) };
    // SAFETY: a new reference, or null with an exception set.
    unsafe { Bound::from_owned_ptr_or_err(object.py(), view) }
}

/// `PyMemoryView_FromBuffer`: a memoryview that nobody lends to.
///
/// # Errors
///
/// What CPython raises.
///
/// # Safety
///
/// B3 for the structure, for as long as the process lives: nobody is told when the view is gone.
pub(crate) unsafe fn ownerless_memoryview<'py>(
    py: Python<'py>,
    buffer: &ffi::Py_buffer,
) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: an attached thread; CPython copies the structure, and the contract is for what it points to.
    let view = unsafe { ffi::PyMemoryView_FromBuffer(buffer) };
    // SAFETY: a new reference, or null with an exception set.
    unsafe { Bound::from_owned_ptr_or_err(py, view) }
}
