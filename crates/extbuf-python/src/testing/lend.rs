//! The buffer protocol on the lending side of `ndarray`: the one file here that fills in a `Py_buffer` from a base.
//!
//! The fields that a request did not ask for are null, those that a base was not told are null or the request is
//! refused, and nothing is lent that is more complicated than asked. Whether a layout meets a request is decided by
//! `extbuf_protocol::Request::check` alone; what stands here beside it are the ways in which this exporter is odd.
// Fills in structures of the C API with pointers into a base, and reads the memory of a base.
#![allow(unsafe_code)]

use std::ffi::{c_int, c_void};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use extbuf_protocol::Request;
use pyo3::exceptions::{PyBufferError, PyTypeError};
use pyo3::ffi;
use pyo3::prelude::*;

use super::array::Array;
use super::base::{Base, Own};
use super::{GETBUF_FAIL, GETBUF_UNDEFINED, MAX_NDIM, REDIRECT};
use crate::block::Block;
use crate::error;
use crate::raw::ownerless_memoryview;
use crate::view::lend::request;

/// The bits of the contiguous requests.
const CONTIGUITY: u32 = 0x0e0;

#[pymethods]
impl Array {
    /// # Safety
    ///
    /// Called by CPython alone, with a structure to be filled in.
    unsafe fn __getbuffer__(slf: Bound<'_, Self>, out: *mut ffi::Py_buffer, flags: c_int) -> PyResult<()> {
        if out.is_null() {
            return Err(PyBufferError::new_err("there is no structure to fill in"));
        }
        let refused = |owner: *mut ffi::PyObject| {
            // SAFETY: the caller's structure; a consumer must not release what it did not get.
            unsafe { (*out).obj = owner }
        };
        refused(std::ptr::null_mut());
        let head = slf.get().head()?;
        if head.behaviour & REDIRECT != 0 {
            if let Some(owner) = head.memory.share.owner(slf.py()) {
                // SAFETY: an attached thread, a live object, and the caller's structure.
                let code = unsafe { ffi::PyObject_GetBuffer(owner.as_ptr(), out, flags) };
                if code != 0 {
                    refused(std::ptr::null_mut());
                    return Err(PyErr::fetch(slf.py()));
                }
                return Ok(());
            }
        }
        let mut answer = match head.answer(flags) {
            Ok(answer) => answer,
            Err(error) => {
                if head.behaviour & GETBUF_UNDEFINED != 0 {
                    // What exporters left there up to Python 3.2. Consumers must not look.
                    refused(std::ptr::without_provenance_mut(1));
                }
                return Err(error);
            }
        };
        // Counted while it is still the newest, or some other thread might change what nobody looks at.
        if !slf.get().lend(&head) {
            return Err(PyBufferError::new_err("the description changed meanwhile"));
        }
        // T1: given away here, taken back by the release.
        answer.internal = Arc::into_raw(head).cast_mut().cast::<c_void>();
        answer.obj = slf.into_any().into_ptr();
        // SAFETY: the caller's structure.
        unsafe { out.write(answer) };
        Ok(())
    }

    /// # Safety
    ///
    /// Called by CPython alone, once for each buffer that was lent.
    unsafe fn __releasebuffer__(&self, buffer: *mut ffi::Py_buffer) {
        // SAFETY: the structure that was filled in.
        let internal = unsafe { (*buffer).internal };
        // SAFETY: T1: this reference, once.
        let base = unsafe { Arc::from_raw(internal.cast_const().cast::<Base>()) };
        self.take_back(base);
    }

    /// A memoryview made with `PyMemoryView_FromBuffer` of a copy of the memory: one that has no object behind it.
    ///
    /// Nobody can say when the last of the views on such memory is gone, so the copy is never freed.
    fn memoryview_from_buffer<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let head = slf.get().head()?;
        if head.told.format.as_ref().is_some_and(|text| text.as_bytes().len() > MAX_NDIM) {
            let message = format!("memoryview_from_buffer takes formats of up to {MAX_NDIM} characters");
            return Err(PyTypeError::new_err(message));
        }
        let copied = match &head.own {
            Some(own) => own.copied(),
            None => {
                // Of an original array whose memory it is a part of, as long as that is on the array's stack.
                let owner = head.memory.share.owner(py);
                let original = owner.as_ref().and_then(|owner| owner.cast::<Array>().ok());
                let bases = original.map(|array| array.get().bases().clone()).unwrap_or_default();
                let start = head.told.start;
                let whole = bases.iter().filter_map(|base| base.own.as_ref()).find(|own| own.contains(start));
                let Some(own) = whole else {
                    let message =
                        "memoryview_from_buffer is for arrays of items and what was taken from these";
                    return Err(PyTypeError::new_err(message));
                };
                own.copied()
            }
        };
        let (block, start) = copied?;
        // Leaked: the view and all that is made from it point there.
        let told = Box::leak(Box::new(head.told.clone()));
        let moved = (told.start.get() as usize).wrapping_sub(start);
        let base = block.address().get().wrapping_add(moved);
        std::mem::forget(block);
        let mut buffer = ffi::Py_buffer::new();
        buffer.buf = base.cast();
        (buffer.len, buffer.itemsize, buffer.ndim) = (told.len, told.itemsize, told.ndim);
        buffer.readonly = c_int::from(told.readonly);
        buffer.format = told.format.as_ref().map_or(std::ptr::null_mut(), |text| text.as_ptr().cast_mut());
        buffer.shape = numbers(told.shape.as_deref());
        buffer.strides = numbers(told.strides.as_deref());
        buffer.suboffsets = numbers(told.suboffsets.as_deref());
        // SAFETY: B3: a copy of the memory that the description was checked against, its pointers set anew, and the
        // description itself, all of which is never freed.
        unsafe { ownerless_memoryview(py, &buffer) }
    }
}

fn numbers(numbers: Option<&[isize]>) -> *mut isize {
    numbers.map_or(std::ptr::null_mut(), |numbers| numbers.as_ptr().cast_mut())
}

impl Own {
    fn contains(&self, place: crate::reach::Address) -> bool {
        (place.get() as usize).wrapping_sub(self.start.get() as usize) < self.bytes
    }

    /// A copy with its pointers set anew, and where the block that it is a copy of starts.
    fn copied(&self) -> PyResult<(Block, usize)> {
        let mut bytes = vec![0; self.bytes];
        // SAFETY: so many bytes lie here, and whoever asks holds the base that keeps them (T3).
        unsafe { self.start.read(&mut bytes) };
        let mut block = Block::new(bytes.len())?;
        block.write(0, &bytes);
        for (index, target) in self.pointers.iter().enumerate() {
            block.point(index * size_of::<*mut u8>(), *target);
        }
        Ok((block, self.start.get() as usize))
    }
}

impl Array {
    /// Counts a consumer of a base, unless that is no longer the newest.
    fn lend(&self, base: &Arc<Base>) -> bool {
        let bases = self.bases();
        let is_head = bases.last().is_some_and(|head| Arc::ptr_eq(head, base));
        if is_head {
            let _ = base.lent.fetch_add(1, Ordering::AcqRel);
        }
        is_head
    }

    /// One consumer less. A base that others lie on and that nobody looks at any more goes from the stack.
    fn take_back(&self, base: Arc<Base>) {
        let mut gone = None;
        let mut bases = self.bases();
        let was_last = base.lent.fetch_sub(1, Ordering::AcqRel) == 1;
        let at = bases.iter().position(|each| Arc::ptr_eq(each, &base));
        if let Some(at) = at.filter(|at| was_last && at + 1 < bases.len()) {
            gone = Some(bases.remove(at));
        }
        drop(bases);
        drop((gone, base));
    }
}

impl Base {
    /// The structure for a request, without an owner.
    fn answer(&self, flags: c_int) -> PyResult<ffi::Py_buffer> {
        let refuse = |why: &str| Err(PyBufferError::new_err(why.to_owned()));
        let told = &self.told;
        if self.behaviour & GETBUF_FAIL != 0 {
            return refuse("ND_GETBUF_FAIL: every request is refused");
        }
        let request = request(flags).map_err(PyBufferError::new_err)?;
        if request.wants_writable() && told.readonly {
            return refuse("the memory is for reading only, and the request is to write");
        }
        let takes_pointers = request.bits() & Request::INDIRECT.bits() == Request::INDIRECT.bits();
        if told.suboffsets.is_some() && (!takes_pointers || request.bits() & CONTIGUITY != 0) {
            // The layout says the same of pointers that are followed, and nothing of those that are only spoken of.
            return refuse("there are suboffsets, and the request takes none");
        }
        let grant = request.check(&self.memory.layout).map_err(error::refusal)?;
        let lacks = (grant.shape && told.shape.is_none()) || (grant.strides && told.strides.is_none());
        if told.ndim != 0 && lacks {
            return refuse("what was taken without a shape or strides is not lent with them");
        }
        let mut out = ffi::Py_buffer::new();
        out.buf = told.start.get().cast();
        (out.len, out.itemsize) = (told.len, told.itemsize);
        out.readonly = c_int::from(told.readonly);
        out.ndim = 1;
        if grant.format {
            out.format = match &told.format {
                Some(text) => text.as_ptr().cast_mut(),
                None if told.itemsize == 1 => c"B".as_ptr().cast_mut(),
                None => return refuse("what was taken without a format is not lent with one"),
            };
        }
        if grant.shape {
            out.ndim = told.ndim;
            out.shape = numbers(told.shape.as_deref());
        }
        if grant.strides {
            out.strides = numbers(told.strides.as_deref());
            out.suboffsets = numbers(told.suboffsets.as_deref());
        }
        Ok(out)
    }
}
