//! Items and parts of an `ndarray`.
// Reads and writes items in memory that a base keeps.
#![allow(unsafe_code)]

use extbuf_layout::{Layout, Order, SliceItem};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyEllipsis, PyInt, PyList, PyTuple};

use super::array::Array;
use super::base::{Base, Wide};
use super::build::packed;
use super::told::{self, Told};
use crate::acquire::{self, Acquired};
use crate::described::Described;
use crate::error;
use crate::item::Codec;
use crate::key::{Key, inside};
use crate::raw::FULL_RO;
use crate::reach::Address;

#[pymethods]
impl Array {
    fn __len__(&self) -> PyResult<usize> {
        let shape = self.head()?.shape();
        shape.first().copied().ok_or_else(|| PyTypeError::new_err("an array of ndim 0 has no length"))
    }

    fn __getitem__<'py>(slf: &Bound<'py, Self>, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let base = slf.get().head()?;
        if base.told.ndim == 0 {
            return if is_empty_tuple(key) {
                base.read(py, &[])
            } else if key.is_instance_of::<PyEllipsis>() {
                Ok(slf.clone().into_any())
            } else {
                Err(PyTypeError::new_err("an array of ndim 0 is indexed with '()' and '...' alone"))
            };
        }
        let shape = base.shape();
        let key = key_of(key)?;
        if let Some(index) = key.whole_index(&shape)? {
            return base.read(py, index.get());
        }
        // A part is a consumer of the whole, as if somebody else had asked.
        let whole = Base::of_exporter(slf.as_any(), FULL_RO, 0)?;
        let (layout, wide) = whole.part(key.items())?;
        let part = whole.into_part(layout, wide)?;
        Ok(Bound::new(py, Array::of(part, false))?.into_any())
    }

    fn __setitem__(&self, key: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let base = self.head()?;
        if base.told.readonly {
            return Err(PyTypeError::new_err("the array is for reading only"));
        }
        if base.told.ndim == 0 {
            return if is_empty_tuple(key) || key.is_instance_of::<PyEllipsis>() {
                base.write(&[], value)
            } else {
                Err(PyTypeError::new_err("an array of ndim 0 is indexed with '()' and '...' alone"))
            };
        }
        let key = key_of(key)?;
        if let Some(index) = key.whole_index(&base.shape())? {
            return base.write(index.get(), value);
        }
        let source = acquire::full(value)?;
        let (target, _) = base.part(key.items())?;
        let (to, from) = (target.shape(), source.layout.shape());
        // Where there are no items, what comes after the first empty axis is no matter.
        let some =
            |shape: &[usize]| shape.iter().position(|extent| *extent == 0).map_or(shape.len(), |at| at + 1);
        if to.len() != from.len() || to[..some(to)] != from[..some(from)] {
            return Err(PyValueError::new_err(format!("items of shape {from:?} do not go where {to:?} is")));
        }
        means_same(&base.memory.item, &source.item)?;
        base.assign(&target, &source)
    }

    fn __delitem__(&self, _key: &Bound<'_, PyAny>) -> PyResult<()> {
        Err(PyTypeError::new_err("memory cannot be deleted"))
    }

    /// The items as lists in lists; one item for an array of ndim 0.
    fn tolist<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let base = self.head()?;
        if base.told.format.is_none() {
            return Err(PyValueError::new_err(
                "items without a format have no values; 'tobytes' has their bytes",
            ));
        }
        base.lists(py, &base.shape(), &mut Vec::new())
    }
}

/// A key; an integer that fits no address is an `OverflowError`, as it was.
fn key_of(key: &Bound<'_, PyAny>) -> PyResult<Key> {
    if key.is_instance_of::<PyInt>() {
        return Ok(Key::one(SliceItem::Index(key.extract()?)));
    }
    Key::of(key)
}

fn is_empty_tuple(key: &Bound<'_, PyAny>) -> bool {
    key.cast::<PyTuple>().is_ok_and(|tuple| tuple.is_empty())
}

fn means_same(to: &Described, from: &Described) -> PyResult<()> {
    if to.means_same(from) {
        return Ok(());
    }
    let (to, from) = (to.text().to_string_lossy(), from.text().to_string_lossy());
    Err(PyValueError::new_err(format!("items of format '{from}' do not mean what items of format '{to}' do")))
}

/// The object that bytes are.
///
/// # Safety
///
/// As [`Codec::read_copied`].
pub(super) unsafe fn value<'py>(
    py: Python<'py>,
    codec: &Codec,
    is_struct: bool,
    bytes: &[u8],
) -> PyResult<Bound<'py, PyAny>> {
    if !is_struct || codec.has_objects() {
        // SAFETY: the contract.
        return unsafe { codec.read_copied(py, bytes) };
    }
    assert_eq!(bytes.len(), codec.itemsize(), "the bytes of one item");
    // SAFETY: the bytes of one item, without references.
    let values = unsafe { codec.read_tuple(py, bytes.as_ptr()) };
    // SAFETY: a new reference, or null with an exception set.
    let values = unsafe { Bound::from_owned_ptr_or_err(py, values) }?;
    match values.cast::<PyTuple>() {
        Ok(tuple) if tuple.len() == 1 => tuple.get_item(0),
        _ => Ok(values),
    }
}

impl Base {
    /// The place of an item, its index by the axes that are told of.
    fn place(&self, index: &[usize]) -> PyResult<Address> {
        let (base, layout) = (self.memory.base, &self.memory.layout);
        let outside = || PyValueError::new_err("the index lies outside the array");
        let narrow;
        let index = match &self.told.shape {
            Some(shape) if self.told.is_wide() => {
                for (axis, (&at, &extent)) in index.iter().zip(shape).enumerate() {
                    let _ = inside(at as isize, axis, extent.unsigned_abs())?;
                }
                narrow = told::kept(shape).into_iter().map(|axis| index[axis]).collect::<Vec<_>>();
                &narrow[..]
            }
            _ => index,
        };
        // SAFETY: T3, and the share is part of this base.
        unsafe { base.item(layout, index) }.ok_or_else(outside)
    }

    pub(super) fn read<'py>(&self, py: Python<'py>, index: &[usize]) -> PyResult<Bound<'py, PyAny>> {
        let codec = self.memory.item.codec(py)?;
        let mut bytes = vec![0; codec.itemsize()];
        let place = self.place(index)?;
        // SAFETY: an item of the layout lies there (T3), and the buffer has its size.
        unsafe { place.read(&mut bytes) };
        // SAFETY: the bytes of one item, ours alone. References in them were read a moment ago from memory that owns
        // them, and no code of others has run since.
        unsafe { value(py, codec, self.is_struct, &bytes) }
    }

    fn write(&self, index: &[usize], value: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = value.py();
        let codec = self.memory.item.codec(py)?;
        if codec.has_objects() {
            let packed = codec.pack(value).map_err(|error| error.into_exception(py))?;
            let place = self.place(index)?;
            // SAFETY: an item of the layout lies there (T3) and may be written; references in it are the memory's own.
            unsafe { packed.store(py, place.get()) };
            return Ok(());
        }
        let bytes = packed(&self.memory.item, self.is_struct, value)?;
        let place = self.place(index)?;
        // SAFETY: an item of the layout lies there (T3), which may be written and has the size that was packed.
        unsafe { place.get().copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
        Ok(())
    }

    /// Copies items of the same shape and meaning one row along the last axis after the other, each of which is read
    /// before it is written: items that lie in one another's place get what the last row that reaches them says.
    fn assign(&self, target: &Layout, source: &Acquired) -> PyResult<()> {
        if self.memory.item.has_objects() {
            return Err(PyTypeError::new_err("references to objects are assigned one by one"));
        }
        let row = target.shape().last().copied().unwrap_or(1).max(1);
        let size = target.itemsize();
        let indices: Vec<_> = target.indices(Order::C).map(|index| index.to_vec()).collect();
        let outside = || PyValueError::new_err("the index lies outside the array");
        let mut bytes = vec![0; row * size];
        for row in indices.chunks(row) {
            for (index, item) in row.iter().zip(bytes.chunks_exact_mut(size.max(1))) {
                // SAFETY: W1: the share is part of the source.
                let place = unsafe { source.base.item(&source.layout, index) }.ok_or_else(outside)?;
                // SAFETY: an item of the source lies there, of this size: it means the same.
                unsafe { place.read(item) };
            }
            for (index, item) in row.iter().zip(bytes.chunks_exact(size.max(1))) {
                // SAFETY: T3 for a layout that reaches no further, and the share is part of this base.
                let place = unsafe { self.memory.base.item(target, index) }.ok_or_else(outside)?;
                // SAFETY: an item of the target lies there, of this size, which may be written.
                unsafe { place.get().copy_from_nonoverlapping(item.as_ptr(), size) };
            }
        }
        Ok(())
    }

    /// Lists in lists, from the axis on that the index has come to.
    fn lists<'py>(
        &self,
        py: Python<'py>,
        shape: &[usize],
        index: &mut Vec<usize>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let Some(&extent) = shape.get(index.len()) else { return self.read(py, index) };
        let list = PyList::empty(py);
        for at in 0..extent {
            index.push(at);
            let part = self.lists(py, shape, index);
            let _ = index.pop();
            list.append(part?)?;
        }
        Ok(list.into_any())
    }

    /// A part of what another object lends, as an array of its own.
    fn into_part(self, layout: Layout, wide: Option<Wide>) -> PyResult<Base> {
        let Base { memory, told, .. } = self;
        let redundant = told.is_redundant();
        // SAFETY: W1 for a layout that reaches no further (T3), while the share is there.
        let (base, layout) = unsafe { memory.base.settled(layout) };
        let encoded = layout.to_suboffsets().map_err(error::layout)?;
        let (shape, strides) = match wide {
            Some(wide) => (wide.shape, wide.strides),
            None => (layout.shape().iter().map(|extent| *extent as isize).collect(), encoded.strides.into()),
        };
        let suboffsets = match encoded.suboffsets {
            None if redundant => Some(vec![-1; shape.len()]),
            suboffsets => suboffsets,
        };
        let (ndim, is_scalar) = (shape.len() as i32, shape.is_empty());
        let told = Told {
            start: Address::new(base.get().wrapping_offset(encoded.offset)),
            len: layout.nbytes() as isize,
            ndim,
            shape: (!is_scalar).then_some(shape),
            strides: (!is_scalar).then_some(strides),
            suboffsets: suboffsets.filter(|_| !is_scalar).map(Box::from),
            ..told
        };
        Ok(Base::new(Acquired { base, layout, ..memory }, told, None, -1, 0))
    }
}
