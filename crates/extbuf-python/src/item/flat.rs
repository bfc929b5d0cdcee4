//! Rows of plain values: the tuples of the struct module, made as fast as the struct module makes them.
//!
//! The values lie in a tuple that was made a moment ago and that nobody else has seen, so they are stored without the
//! checks of `PyTuple_SetItem`. Where a tuple keeps them is no part of the stable ABI: the type says how long its head
//! is (`tuple.__basicsize__`), and before that is believed it is tried on a tuple whose values are known. Where the
//! trial fails, there are no flat rows, and tuples are filled through the API.
// Reads lent memory, and stores references in new tuples.
#![allow(unsafe_code)]

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyTuple;

use super::Op;
use super::scalar::Reader;

/// Longer rows take their time anyway.
const MOST_VALUES: usize = 1 << 10;

/// One value of a row.
struct Place {
    offset: usize,
    size: usize,
    read: Reader,
}

/// A row of plain values, ready to be read.
pub(super) struct Flat {
    places: Box<[Place]>,
    /// Bytes from the start of a tuple to its first value.
    head: usize,
}

impl Flat {
    /// The ops of one value as a row; `None` where they are more than that.
    pub(super) fn of(py: Python<'_>, ops: &[Op]) -> Option<Flat> {
        let mut rest = match ops {
            [Op::Tuple { values, record: None, .. }, body @ ..] if *values <= MOST_VALUES => body,
            [Op::Leaf { .. }] => ops,
            _ => return None,
        };
        let mut places = Vec::new();
        while let Some(op) = rest.first() {
            let (count, stride, leaf, length) = match (op, rest.get(1)) {
                (Op::Leaf { .. }, _) => (1, 0, op, 1),
                (Op::Repeat { count, stride, body: 1 }, Some(leaf)) => (*count, *stride, leaf, 2),
                _ => return None,
            };
            let Op::Leaf { offset, leaf } = leaf else { return None };
            let (size, read) = (leaf.size(), leaf.reader()?);
            places.extend((0..count).map(|i| Place { offset: offset + i * stride, size, read }));
            rest = &rest[length..];
        }
        Some(Flat { places: places.into(), head: head(py)? })
    }

    /// The tuple: a new reference, or null with an exception set.
    ///
    /// # Safety
    ///
    /// The bytes of the row at `at` may be read until this returns; a thread that is attached.
    #[inline]
    pub(super) unsafe fn read(&self, at: *const u8) -> *mut ffi::PyObject {
        // SAFETY: an attached thread.
        let tuple = unsafe { ffi::PyTuple_New(self.places.len() as isize) };
        if tuple.is_null() {
            return tuple;
        }
        let mut value = tuple.cast::<u8>().wrapping_add(self.head).cast::<*mut ffi::PyObject>();
        for place in &self.places {
            // SAFETY: the place lies in the row, and its reader was chosen for its size.
            let object = unsafe { (place.read)(at.wrapping_add(place.offset), place.size) };
            if object.is_null() {
                // SAFETY: the only reference to the new tuple; places that are not filled are null.
                unsafe { ffi::Py_DECREF(tuple) };
                return object;
            }
            // SAFETY: one of the places of the new tuple, which holds null; the reference is given away.
            unsafe { value.write(object) };
            value = value.wrapping_add(1);
        }
        tuple
    }
}

/// Bytes from the start of a tuple to its first value, if a trial agrees.
fn head(py: Python<'_>) -> Option<usize> {
    static HEAD: PyOnceLock<Option<usize>> = PyOnceLock::new();
    *HEAD.get_or_init(py, || {
        let claimed: usize = py.get_type::<PyTuple>().getattr("__basicsize__").ok()?.extract().ok()?;
        if claimed % align_of::<usize>() != 0 || claimed > 256 {
            return None;
        }
        let values =
            [py.None().into_bound(py), py.NotImplemented().into_bound(py), py.Ellipsis().into_bound(py)];
        let trial = PyTuple::new(py, &values).ok()?;
        let size: usize = trial.call_method0("__sizeof__").ok()?.extract().ok()?;
        if size < claimed + values.len() * size_of::<usize>() {
            return None;
        }
        let first = trial.as_ptr().cast::<u8>().wrapping_add(claimed).cast::<*mut ffi::PyObject>();
        let stored = |index: usize| {
            // SAFETY: inside the tuple, which has at least `size` bytes from here on, at an aligned place.
            unsafe { first.wrapping_add(index).read() }
        };
        let agrees = values.iter().enumerate().all(|(index, value)| stored(index) == value.as_ptr());
        agrees.then_some(claimed)
    })
}
