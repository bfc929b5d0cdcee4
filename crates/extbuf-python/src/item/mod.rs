//! Items as Python objects: a format compiled once, then items read from memory and written to it.
//!
//! | Format | Object |
//! |---|---|
//! | integers, bit fields, addresses | `int` |
//! | half, float, double, long double, bfloat16 | `float` |
//! | complex | `complex` |
//! | `?` | `bool` |
//! | `c`, `s`, `p`, named bytes without a type | `bytes` |
//! | `u`, `w` | `str` |
//! | `O` | the object itself |
//! | an array `(2,3)d` | lists in a list |
//! | a record with names | a named tuple ([`record`]) |
//! | a record without names, several values in a row | `tuple` |
//!
//! The tree is flattened to a list of [`Op`]s, as in `extbuf_format::Codec`; but objects are made from the bytes at
//! once, without a `Value` between. Only what is rare goes through `Format::unpack` ([`scalar`]).
//!
//! Memory may be written by others while it is read, so every scalar is read by value, once. Writing goes through
//! [`Packed`]: the whole item is made in private memory, which may run Python code of any kind, and only then stored.
//! The invariants:
//!
//! - **I1** the ops of a codec stay inside `itemsize` bytes (F1, F2 of the format);
//! - **I2** in private memory the bytes of each `O` are null or a reference that the memory owns.
// Reads and writes lent memory through raw pointers, and fills tuples and lists in place.
#![allow(unsafe_code)]

mod error;
mod flat;
mod pack;
pub(crate) mod record;
pub(crate) mod scalar;

use extbuf_format::{Code, Format, Item};
use pyo3::exceptions::PyValueError;
use pyo3::ffi;
use pyo3::prelude::*;

pub(crate) use error::{Fault, PackError, range};
#[allow(unused_imports)] // Named by whoever keeps one between packing and storing.
pub(crate) use pack::Packed;
use scalar::Leaf;

/// One step of the program that reads or writes an item. Offsets count from the start of the item, those in a body as
/// if its first element were the only one.
pub(crate) enum Op {
    /// One value.
    Leaf { offset: usize, leaf: Leaf },
    /// A tuple of so many values; the next `body` ops make them.
    Tuple { values: usize, body: usize, record: Option<Py<PyAny>> },
    /// A list of `count` values, `stride` bytes apart, each made by the next `body` ops.
    List { count: usize, stride: usize, body: usize },
    /// The same without a list around it: fields repeated in a record.
    Repeat { count: usize, stride: usize, body: usize },
}

/// A format compiled for Python objects.
pub(crate) struct Codec {
    format: Format,
    itemsize: usize,
    objects: bool,
    /// One value, with its body.
    ops: Box<[Op]>,
    /// The same where it is a row of plain values, as nearly all of the struct module's are.
    flat: Option<flat::Flat>,
}

impl Codec {
    /// Compiles a format.
    ///
    /// # Errors
    ///
    /// `ValueError` when an item holds far more values than it has bytes, as only repeats of items without bytes do.
    pub(crate) fn new(py: Python<'_>, format: &Format) -> PyResult<Codec> {
        let mut ops = Vec::new();
        let values = compile(py, format, 0, &mut ops)?;
        let itemsize = format.itemsize();
        if values > itemsize.saturating_mul(extbuf_format::MAX_DIMS).saturating_add(1 << 16) {
            return Err(PyValueError::new_err(format!("an item of {values} values without bytes")));
        }
        let flat = flat::Flat::of(py, &ops);
        Ok(Codec { format: format.clone(), itemsize, objects: format.has_objects(), ops: ops.into(), flat })
    }

    pub(crate) fn format(&self) -> &Format {
        &self.format
    }

    /// Bytes of one item.
    pub(crate) fn itemsize(&self) -> usize {
        self.itemsize
    }

    /// Whether an `O` is in the item.
    pub(crate) fn has_objects(&self) -> bool {
        self.objects
    }

    /// The item at an address.
    ///
    /// # Errors
    ///
    /// What making the objects raises; `ValueError` where the bytes are no value, as those of `u` need not be text.
    ///
    /// # Safety
    ///
    /// `itemsize` bytes at `at` may be read until this returns, whatever Python code runs meanwhile. Where the item
    /// has an `O`, they are references that live as long, or null.
    #[inline]
    pub(crate) unsafe fn read<'py>(&self, py: Python<'py>, at: *const u8) -> PyResult<Bound<'py, PyAny>> {
        // SAFETY: the ops are those of one value (I1), the contract is handed on.
        let object = unsafe { value(py, &self.ops, at) };
        // SAFETY: a new reference, or null with an exception set.
        unsafe { Bound::from_owned_ptr_or_err(py, object) }
    }

    /// So many items, one after another, as a list.
    ///
    /// # Errors
    ///
    /// As [`Codec::read`].
    ///
    /// # Safety
    ///
    /// As [`Codec::read`], for `count` items.
    pub(crate) unsafe fn read_list<'py>(
        &self,
        py: Python<'py>,
        at: *const u8,
        count: usize,
    ) -> PyResult<Bound<'py, PyAny>> {
        // SAFETY: the ops are those of one value (I1), the contract is handed on.
        let list = unsafe { list(py, count, self.itemsize, &self.ops, at) };
        // SAFETY: a new reference, or null with an exception set.
        unsafe { Bound::from_owned_ptr_or_err(py, list) }
    }

    /// The item as the struct module gives it: always a plain tuple.
    ///
    /// # Errors
    ///
    /// As [`Codec::read`].
    ///
    /// # Safety
    ///
    /// As [`Codec::read`]. The new reference, or null with an exception set.
    #[inline]
    pub(crate) unsafe fn read_tuple(&self, py: Python<'_>, at: *const u8) -> *mut ffi::PyObject {
        if let Some(flat) = &self.flat {
            // SAFETY: made of the ops, which are those of the item (I1); the contract is handed on.
            return unsafe { flat.read(at) };
        }
        match self.ops.split_first() {
            Some((&Op::Tuple { values, .. }, body)) => {
                // SAFETY: the ops are those of so many values (I1), the contract is handed on.
                unsafe { tuple(py, values, body, at) }
            }
            // SAFETY: as above, one value.
            _ => unsafe { tuple(py, 1, &self.ops, at) },
        }
    }

    /// Offsets of the `O`s in an item.
    fn each_object(&self, mut f: impl FnMut(usize)) {
        if self.objects {
            objects(&self.ops, 0, &mut f);
        }
    }
}

/// Appends the ops of a part; gives the number of values it makes.
fn compile(py: Python<'_>, format: &Format, offset: usize, ops: &mut Vec<Op>) -> PyResult<usize> {
    Ok(match format.item() {
        Item::Array(array) => {
            let mut axes = array.shape().to_vec();
            let mut base = array.element();
            while let Item::Array(inner) = base.item() {
                axes.extend_from_slice(inner.shape());
                base = inner.element();
            }
            lists(py, &axes, base, offset, ops)?
        }
        Item::Record(fields) => {
            let at = ops.len();
            let count = fields.fields().size_hint().0;
            ops.push(Op::Tuple { values: count, body: 0, record: record::of(py, fields)? });
            let mut values = 1usize;
            for run in fields.runs() {
                let start = ops.len();
                let repeated = run.repeat() > 1;
                if repeated {
                    ops.push(Op::Repeat { count: run.repeat(), stride: run.format().itemsize(), body: 0 });
                }
                let each = match run.format().as_scalar() {
                    Some(scalar) if scalar.code() == Code::Bits => {
                        leaf(Leaf::bits(scalar, run.bit_offset()), offset + run.offset(), ops)
                    }
                    _ => compile(py, run.format(), offset + run.offset(), ops)?,
                };
                if repeated {
                    close(ops, start);
                }
                values = values.saturating_add(each.saturating_mul(run.repeat()));
            }
            close(ops, at);
            values
        }
        Item::Custom(custom) if Leaf::knows(custom) => leaf(Leaf::rare(format), offset, ops),
        Item::Custom(custom) => compile(py, custom.storage(), offset, ops)?,
        Item::Scalar(scalar) => leaf(Leaf::of(scalar), offset, ops),
        // Addresses, of items and of functions.
        _ => leaf(Leaf::address(), offset, ops),
    })
}

fn leaf(leaf: Leaf, offset: usize, ops: &mut Vec<Op>) -> usize {
    ops.push(Op::Leaf { offset, leaf });
    1
}

/// Lists in lists, the outermost axis first in `axes`.
fn lists(py: Python<'_>, axes: &[usize], base: &Format, offset: usize, ops: &mut Vec<Op>) -> PyResult<usize> {
    let Some((&count, inner)) = axes.split_first() else { return compile(py, base, offset, ops) };
    // No overflow: the array's size was checked, and without elements the stride is not used.
    let stride = inner.iter().fold(base.itemsize(), |size, &n| size.wrapping_mul(n));
    let at = ops.len();
    ops.push(Op::List { count, stride, body: 0 });
    let each = lists(py, inner, base, offset, ops)?;
    close(ops, at);
    Ok(each.saturating_mul(count).saturating_add(1))
}

/// Everything after the op at `at` is its body.
fn close(ops: &mut [Op], at: usize) {
    let length = ops.len() - at - 1;
    if let Op::Tuple { body, .. } | Op::List { body, .. } | Op::Repeat { body, .. } = &mut ops[at] {
        *body = length;
    }
}

/// The value that the first op and its body make: a new reference, or null with an exception set.
///
/// # Safety
///
/// As [`Codec::read`], `at` being where the ops count from.
#[inline]
unsafe fn value(py: Python<'_>, ops: &[Op], at: *const u8) -> *mut ffi::PyObject {
    match &ops[0] {
        Op::Leaf { offset, leaf } => {
            // In the item (I1).
            let at = at.wrapping_add(*offset);
            // SAFETY: the leaf's bytes lie in the item (I1).
            unsafe { leaf.read(py, at) }
        }
        Op::Tuple { values, body, record } => {
            // SAFETY: the contract is handed on, for the body.
            let plain = unsafe { tuple(py, *values, &ops[1..=*body], at) };
            match record {
                // SAFETY: a new reference, which is given away.
                Some(kind) if !plain.is_null() => unsafe { record::make(py, kind, plain) },
                _ => plain,
            }
        }
        // SAFETY: the contract is handed on, for the body.
        Op::List { count, stride, body } => unsafe { list(py, *count, *stride, &ops[1..=*body], at) },
        Op::Repeat { .. } => unreachable!("a repeat stands inside a record"),
    }
}

/// A list of values made by the same ops, `stride` bytes apart.
///
/// # Safety
///
/// As [`value`].
unsafe fn list(
    py: Python<'_>,
    count: usize,
    stride: usize,
    body: &[Op],
    at: *const u8,
) -> *mut ffi::PyObject {
    // SAFETY: an attached thread.
    let list = unsafe { ffi::PyList_New(count as isize) };
    if list.is_null() {
        return list;
    }
    for i in 0..count {
        // SAFETY: the contract is handed on: element `i` lies in the item (I1).
        let element = unsafe { value(py, body, at.wrapping_add(i * stride)) };
        if element.is_null() {
            // SAFETY: the only reference to the new list; places that are not filled are null.
            unsafe { ffi::Py_DECREF(list) };
            return element;
        }
        // SAFETY: a new list of `count` places, each filled once; the reference is given away.
        unsafe { ffi::PyList_SetItem(list, i as isize, element) };
    }
    list
}

/// A tuple of the values that the ops make.
///
/// # Safety
///
/// As [`value`].
#[inline]
unsafe fn tuple(py: Python<'_>, values: usize, ops: &[Op], at: *const u8) -> *mut ffi::PyObject {
    // SAFETY: an attached thread.
    let tuple = unsafe { ffi::PyTuple_New(values as isize) };
    if tuple.is_null() {
        return tuple;
    }
    let mut next = 0;
    let mut fill = |ops: &[Op], at: *const u8| {
        // SAFETY: the contract of the caller, for a value of the body.
        let object = unsafe { value(py, ops, at) };
        if object.is_null() {
            return false;
        }
        // SAFETY: a new tuple of `values` places that nobody else has seen, each filled once; the reference is given
        // away.
        unsafe { ffi::PyTuple_SetItem(tuple, next, object) };
        next += 1;
        true
    };
    let mut rest = ops;
    while let Some(op) = rest.first() {
        let (done, length) = match op {
            Op::Leaf { .. } => (fill(rest, at), 1),
            Op::Tuple { body, .. } | Op::List { body, .. } => (fill(rest, at), 1 + body),
            Op::Repeat { count, stride, body } => {
                let each = &rest[1..=*body];
                ((0..*count).all(|i| fill(each, at.wrapping_add(i * stride))), 1 + body)
            }
        };
        if !done {
            // SAFETY: the only reference to the new tuple; places that are not filled are null.
            unsafe { ffi::Py_DECREF(tuple) };
            return std::ptr::null_mut();
        }
        rest = &rest[length..];
    }
    tuple
}

fn objects(ops: &[Op], base: usize, f: &mut impl FnMut(usize)) {
    let mut rest = ops;
    while let Some(op) = rest.first() {
        let length = match op {
            Op::Leaf { offset, leaf } => {
                if leaf.is_object() {
                    f(base + offset);
                }
                1
            }
            // The body follows, and counts from the same place.
            Op::Tuple { .. } => 1,
            Op::List { count, stride, body } | Op::Repeat { count, stride, body } => {
                for i in 0..*count {
                    objects(&rest[1..=*body], base + i * stride, f);
                }
                1 + body
            }
        };
        rest = &rest[length..];
    }
}
