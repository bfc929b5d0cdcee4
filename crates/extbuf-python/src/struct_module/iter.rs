//! The iterator of `iter_unpack`, of the struct module and of formats.
//!
//! A type made by hand and not by a macro, for one reason: each item costs some twenty nanoseconds, and what a macro
//! wraps around `__next__` is a fifth of that. It also lets the type be immutable, as the struct module's is.
//!
//! The invariants of an object of the type:
//!
//! - **U1** `state` is zeros, which is `None`, until it is written, before anybody but the collector sees the object;
//!   it is changed again only when the object goes;
//! - **U2** while it is there, `base..base + len` is memory that its share holds, `len` a multiple of the itemsize.
// Defines a Python type through the C API, and reads held memory.
#![allow(unsafe_code)]

use std::ffi::{c_int, c_uint, c_void};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

use crate::item::Codec;
use crate::lease::{Lease, Share};

/// What an iterator knows.
struct State {
    codec: Arc<Codec>,
    /// Whether every item is a plain tuple, as the struct module has it.
    tuples: bool,
    size: usize,
    share: Share,
    /// The first byte of the memory.
    base: *const u8,
    /// Bytes of the memory.
    len: usize,
    /// Where the next item begins.
    at: AtomicUsize,
}

/// The object as the interpreter sees it.
#[repr(C)]
struct Object {
    head: ffi::PyObject,
    state: Option<Box<State>>,
}

/// An iterator over the memory of an object; what is wrong with its length is for `refuse` to raise. The format has no
/// `O`.
///
/// # Errors
///
/// What `refuse` makes, and whatever the object raises that is asked for its memory.
pub(crate) fn over<'py>(
    codec: Arc<Codec>,
    tuples: bool,
    buffer: &Bound<'py, PyAny>,
    refuse: fn(Python<'_>, String) -> PyErr,
) -> PyResult<Bound<'py, PyAny>> {
    let py = buffer.py();
    let size = codec.itemsize();
    if size == 0 {
        return Err(refuse(py, "cannot iteratively unpack with a struct of length 0".into()));
    }
    let share = Lease::of(buffer, ffi::PyBUF_SIMPLE)?;
    let (base, len) = (share.claim().base.cast_const(), share.claim().len.unsigned_abs());
    if len % size != 0 {
        let message = format!("iterative unpacking requires a buffer of a multiple of {size} bytes");
        return Err(refuse(py, message));
    }
    let class = class(py)?;
    // SAFETY: an attached thread, and a type of ours that is ready.
    let object = unsafe { ffi::PyType_GenericAlloc(class.as_type_ptr(), 0) };
    // SAFETY: a new reference, or null with an exception set.
    let object = unsafe { Bound::from_owned_ptr_or_err(py, object) }?;
    let state = State { codec, tuples, size, share, base, len, at: AtomicUsize::new(0) };
    // SAFETY: U1: an object of the type, which nobody has seen.
    unsafe { (*object.as_ptr().cast::<Object>()).state = Some(Box::new(state)) };
    Ok(object)
}

fn class(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let class = CLASS.get_or_try_init(py, || {
        // The table must outlive the type, which lives as long as the interpreter.
        let methods = Box::leak(Box::new([
            ffi::PyMethodDef {
                ml_name: c"__length_hint__".as_ptr(),
                ml_meth: ffi::PyMethodDefPointer { PyCFunction: length_hint },
                ml_flags: ffi::METH_NOARGS,
                ml_doc: c"Items that are left.".as_ptr(),
            },
            ffi::PyMethodDef::zeroed(),
        ]));
        let slot = |slot: c_int, pfunc: *mut c_void| ffi::PyType_Slot { slot, pfunc };
        let mut slots = [
            slot(ffi::Py_tp_dealloc, dealloc as *mut c_void),
            slot(ffi::Py_tp_traverse, traverse as *mut c_void),
            slot(ffi::Py_tp_iter, ffi::PyObject_SelfIter as *mut c_void),
            slot(ffi::Py_tp_iternext, next as *mut c_void),
            slot(ffi::Py_tp_methods, methods.as_mut_ptr().cast()),
            slot(0, std::ptr::null_mut()),
        ];
        let flags = ffi::Py_TPFLAGS_DEFAULT
            | ffi::Py_TPFLAGS_HAVE_GC
            | ffi::Py_TPFLAGS_IMMUTABLETYPE
            | ffi::Py_TPFLAGS_DISALLOW_INSTANTIATION;
        let mut spec = ffi::PyType_Spec {
            name: c"extbuf.struct.unpack_iterator".as_ptr(),
            basicsize: size_of::<Object>() as c_int,
            itemsize: 0,
            flags: flags as c_uint,
            slots: slots.as_mut_ptr(),
        };
        // SAFETY: an attached thread; a description that ends in a zero slot, whose functions have the types of their
        // slots.
        let class = unsafe { ffi::PyType_FromSpec(&raw mut spec) };
        // SAFETY: a new reference, or null with an exception set.
        let class = unsafe { Bound::from_owned_ptr_or_err(py, class) }?;
        Ok::<_, PyErr>(class.cast_into::<PyType>()?.unbind())
    })?;
    Ok(class.bind(py))
}

/// # Safety
///
/// An object of the type, not about to go.
unsafe fn state<'a>(object: *mut ffi::PyObject) -> Option<&'a State> {
    // SAFETY: the contract and U1.
    unsafe { (*object.cast::<Object>()).state.as_deref() }
}

/// # Safety
///
/// The slot `tp_iternext`: called by the interpreter with an object of the type.
unsafe extern "C" fn next(object: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: the contract.
    let Some(state) = (unsafe { state(object) }) else { return std::ptr::null_mut() };
    // Not one step: threads that share an iterator may be given the same item, and none that is not there.
    let at = state.at.load(Ordering::Relaxed);
    if at >= state.len {
        return std::ptr::null_mut();
    }
    state.at.store(at + state.size, Ordering::Relaxed);
    // SAFETY: slots are called with the interpreter attached.
    let py = unsafe { Python::assume_attached() };
    let place = state.base.wrapping_add(at);
    if state.tuples {
        // SAFETY: U2: a whole item lies there.
        return unsafe { state.codec.read_tuple(py, place) };
    }
    // SAFETY: as above.
    match unsafe { state.codec.read(py, place) } {
        Ok(item) => item.into_ptr(),
        Err(error) => {
            error.restore(py);
            std::ptr::null_mut()
        }
    }
}

/// # Safety
///
/// A method without arguments: called by the interpreter with an object of the type.
unsafe extern "C" fn length_hint(
    object: *mut ffi::PyObject,
    _none: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the contract.
    let state = unsafe { state(object) };
    let left = |state: &State| state.len.saturating_sub(state.at.load(Ordering::Relaxed)) / state.size;
    let left = state.map_or(0, left);
    // SAFETY: an attached thread.
    unsafe { ffi::PyLong_FromSize_t(left) }
}

/// # Safety
///
/// The slot `tp_traverse`: called by the collector with an object of the type.
unsafe extern "C" fn traverse(
    object: *mut ffi::PyObject,
    visit: ffi::visitproc,
    argument: *mut c_void,
) -> c_int {
    // SAFETY: every object has a type.
    let class = unsafe { ffi::Py_TYPE(object) };
    // SAFETY: the collector's own function and argument; an object of a type that is made at run time holds a
    // reference to it.
    let stop = unsafe { visit(class.cast(), argument) };
    if stop != 0 {
        return stop;
    }
    // SAFETY: the contract.
    match unsafe { state(object) } {
        // SAFETY: the collector's own; a live object that the state holds a reference to.
        Some(state) => unsafe { visit(state.share.lease().object().as_ptr(), argument) },
        None => 0,
    }
}

/// # Safety
///
/// The slot `tp_dealloc`: called by the interpreter, once, with an object of the type.
unsafe extern "C" fn dealloc(object: *mut ffi::PyObject) {
    // SAFETY: an object that the collector knows.
    unsafe { ffi::PyObject_GC_UnTrack(object.cast()) };
    // SAFETY: every object has a type.
    let class = unsafe { ffi::Py_TYPE(object) };
    // SAFETY: U1: the object goes, and nobody else has it.
    drop(unsafe { (*object.cast::<Object>()).state.take() });
    // SAFETY: a type that is made at run time has the slot.
    let free = unsafe { ffi::PyType_GetSlot(class, ffi::Py_tp_free) };
    // SAFETY: the slot holds a function of this type.
    let free: ffi::freefunc = unsafe { std::mem::transmute::<*mut c_void, ffi::freefunc>(free) };
    // SAFETY: allocated by the type, freed once.
    unsafe { free(object.cast()) };
    // SAFETY: the reference to its type that the object held.
    unsafe { ffi::Py_DECREF(class.cast()) };
}
