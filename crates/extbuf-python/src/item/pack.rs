//! Objects to bytes: the whole item is made in private memory first.
// Keeps references inside bytes, and stores bytes in lent memory.
#![allow(unsafe_code)]

use pyo3::Borrowed;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyDict, PyList, PyString, PyTuple};

use super::error::{Fault, PackError};
use super::record;
use super::{Codec, Op};

/// Items up to this many bytes are made without allocating.
const SMALL: usize = 64;

/// One item in private memory, ready to be stored. Made by [`Codec::pack`].
pub(crate) struct Packed<'c> {
    codec: &'c Codec,
    small: [u8; SMALL],
    large: Vec<u8>,
}

impl<'c> Packed<'c> {
    fn zeroed(codec: &'c Codec) -> Packed<'c> {
        let large = if codec.itemsize > SMALL { vec![0; codec.itemsize] } else { Vec::new() };
        Packed { codec, small: [0; SMALL], large }
    }

    /// A copy of an item, with references of its own.
    ///
    /// # Safety
    ///
    /// As many bytes as the item has. Where it has an `O`, they are live references, or null.
    unsafe fn copied(codec: &'c Codec, bytes: &[u8]) -> Packed<'c> {
        let mut packed = Packed::zeroed(codec);
        packed.bytes_mut().copy_from_slice(bytes);
        codec.each_object(|offset| {
            // SAFETY: null, or a live reference by the contract, one for each that `drop` gives up.
            unsafe { ffi::Py_XINCREF(object_at(bytes, offset)) };
        });
        packed
    }
}

impl Packed<'_> {
    /// The bytes of the item. Where it has an `O`, they hold references that this owns (I2).
    pub(crate) fn bytes(&self) -> &[u8] {
        if self.codec.itemsize <= SMALL { &self.small[..self.codec.itemsize] } else { &self.large }
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        if self.codec.itemsize <= SMALL { &mut self.small[..self.codec.itemsize] } else { &mut self.large }
    }

    /// Stores the item. References that lay there are given up, those of this one move there.
    ///
    /// # Safety
    ///
    /// `itemsize` bytes at `at` may be written until this returns, whatever Python code runs meanwhile. Where the item
    /// has an `O`, they are references that the memory owns, or null.
    pub(crate) unsafe fn store(mut self, py: Python<'_>, at: *mut u8) {
        if !self.codec.objects {
            let bytes = self.bytes();
            // SAFETY: the contract, and private memory that overlaps nothing.
            unsafe { at.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
            return;
        }
        // Exchanged, not overwritten: what lay there is given up when this is dropped, after the new references stand.
        let codec = self.codec;
        let bytes = self.bytes_mut();
        let mut old = vec![0; bytes.len()];
        // SAFETY: the contract, and private memory.
        unsafe { at.copy_to_nonoverlapping(old.as_mut_ptr(), old.len()) };
        // SAFETY: as above.
        unsafe { at.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
        bytes.fill(0);
        codec.each_object(|offset| {
            let place = offset..offset + size_of::<usize>();
            bytes[place.clone()].copy_from_slice(&old[place]);
        });
        let _ = py;
    }
}

impl Drop for Packed<'_> {
    fn drop(&mut self) {
        let codec = self.codec;
        let bytes = self.bytes();
        codec.each_object(|offset| {
            // SAFETY: null, or a reference that these bytes own (I2); a packed item stays on the attached thread that
            // made it.
            unsafe { ffi::Py_XDECREF(object_at(bytes, offset)) };
        });
    }
}

/// The object whose address lies in the bytes.
fn object_at(bytes: &[u8], offset: usize) -> *mut ffi::PyObject {
    let mut address = [0; size_of::<usize>()];
    address.copy_from_slice(&bytes[offset..offset + size_of::<usize>()]);
    usize::from_ne_bytes(address) as *mut ffi::PyObject
}

impl Codec {
    /// The item in a copy of bytes whose references belong to the memory that they were copied from. All of them are
    /// counted before the first object is made: making one may run code, of the garbage collector's on Python 3.11, and
    /// that may write to the memory and so give up what has not been read.
    ///
    /// # Errors
    ///
    /// As [`Codec::read`].
    ///
    /// # Safety
    ///
    /// As many bytes as the item has; the references in them are live now, or null.
    pub(crate) unsafe fn read_copied<'py>(
        &self,
        py: Python<'py>,
        bytes: &[u8],
    ) -> PyResult<Bound<'py, PyAny>> {
        assert_eq!(bytes.len(), self.itemsize, "the bytes of one item");
        if !self.objects {
            // SAFETY: the bytes of one item, the caller's alone and without references.
            return unsafe { self.read(py, bytes.as_ptr()) };
        }
        // SAFETY: the contract.
        let owned = unsafe { Packed::copied(self, bytes) };
        // SAFETY: the bytes of one item, ours alone, whose references are kept until this returns.
        unsafe { self.read(py, owned.bytes().as_ptr()) }
    }

    /// Makes an item of an object. This may run Python code, which may release the memory that the item is for.
    pub(crate) fn pack(&self, value: &Bound<'_, PyAny>) -> Result<Packed<'_>, PackError> {
        let mut packed = Packed::zeroed(self);
        write(&self.ops, 0, value, packed.bytes_mut())?;
        Ok(packed)
    }

    /// Makes an item of its fields, or of its one value, over zeros, from the values of a tuple from `first` on. As the
    /// struct module packs.
    ///
    /// The item has no `O`: the struct module knows none.
    pub(crate) fn pack_fields(
        &self,
        values: &Bound<'_, PyTuple>,
        first: usize,
        bytes: &mut [u8],
    ) -> Result<(), PackError> {
        let mut given = Given { values, used: first };
        match self.ops.split_first() {
            Some((Op::Tuple { .. }, body)) => fields(body, 0, &mut given, bytes),
            _ => fields(&self.ops, 0, &mut given, bytes),
        }
    }

    /// How many values [`Codec::pack_fields`] takes.
    pub(crate) fn fields(&self) -> usize {
        match self.ops.first() {
            Some(Op::Tuple { values, .. }) => *values,
            _ => 1,
        }
    }
}

/// Writes a value by the first op and its body.
fn write(ops: &[Op], base: usize, value: &Bound<'_, PyAny>, item: &mut [u8]) -> Result<(), PackError> {
    match &ops[0] {
        Op::Leaf { offset, leaf } => {
            let start = base + offset;
            leaf.write(value, &mut item[start..start + leaf.size()])
                .map_err(|error| PackError { scalar: leaf.scalar(), ..error })
        }
        Op::Tuple { values, body, record } => {
            let given = match (value.cast::<PyDict>(), record) {
                (Ok(dict), Some(kind)) => record::by_name(dict, kind.bind(value.py()))?,
                _ => sequence(value, *values)?,
            };
            let mut given = Given { values: &given, used: 0 };
            fields(&ops[1..=*body], base, &mut given, item).map_err(|error| {
                let kind = record.as_ref().map(|kind| kind.bind(value.py()));
                error.inside(&record::label(kind, given.used.saturating_sub(1)))
            })
        }
        Op::List { count, stride, body } => {
            for (i, value) in sequence(value, *count)?.iter().enumerate() {
                write(&ops[1..=*body], base + i * stride, &value, item)
                    .map_err(|error| error.inside(&format!("[{i}]")))?;
            }
            Ok(())
        }
        Op::Repeat { .. } => unreachable!("a repeat stands inside a record"),
    }
}

/// Values that are taken one after the other.
struct Given<'a, 'py> {
    values: &'a Bound<'py, PyTuple>,
    used: usize,
}

impl<'a, 'py> Given<'a, 'py> {
    fn next(&mut self) -> Result<Borrowed<'a, 'py, PyAny>, PackError> {
        let given = self.values.len();
        if self.used >= given {
            return Err(Fault::Count { wanted: self.used + 1, given }.into());
        }
        self.used += 1;
        Ok(self.values.get_borrowed_item(self.used - 1)?)
    }
}

/// Writes values one after the other.
fn fields(ops: &[Op], base: usize, given: &mut Given<'_, '_>, item: &mut [u8]) -> Result<(), PackError> {
    let mut rest = ops;
    while let Some(op) = rest.first() {
        let length = match op {
            Op::Leaf { .. } => {
                write(rest, base, &*given.next()?, item)?;
                1
            }
            Op::Tuple { body, .. } | Op::List { body, .. } => {
                write(rest, base, &*given.next()?, item)?;
                1 + body
            }
            Op::Repeat { count, stride, body } => {
                for i in 0..*count {
                    write(&rest[1..=*body], base + i * stride, &*given.next()?, item)?;
                }
                1 + body
            }
        };
        rest = &rest[length..];
    }
    Ok(())
}

/// The values of a sequence of a known length: a tuple, a list, or anything iterable that is no text.
fn sequence<'py>(value: &Bound<'py, PyAny>, wanted: usize) -> Result<Bound<'py, PyTuple>, PackError> {
    let no_sequence = || Fault::Type { wanted: "a sequence of values" };
    let values = if let Ok(tuple) = value.cast::<PyTuple>() {
        tuple.clone()
    } else if let Ok(list) = value.cast::<PyList>() {
        list.to_tuple()
    } else if value.is_instance_of::<PyString>()
        || value.is_instance_of::<PyBytes>()
        || value.is_instance_of::<PyByteArray>()
        || value.is_instance_of::<PyDict>()
    {
        return Err(no_sequence().into());
    } else {
        let values = value.try_iter().map_err(|_| no_sequence())?;
        // One more than wanted is enough to know.
        let values: Vec<_> = values.take(wanted.saturating_add(1)).collect::<PyResult<_>>()?;
        PyTuple::new(value.py(), values)?
    };
    match values.len() {
        given if given != wanted => Err(Fault::Count { wanted, given }.into()),
        _ => Ok(values),
    }
}
