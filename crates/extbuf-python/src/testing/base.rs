//! A memory, its description, and how many it is lent to. A base never changes, so whoever is lent to may be handed
//! pointers into it (T2); a change of an array's description is another base.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use extbuf_format::{Dialect, Format};
use extbuf_layout::{Layout, Order, SliceItem};
use pyo3::exceptions::{PyIndexError, PyTypeError, PyValueError};
use pyo3::prelude::*;

use super::told::{self, Told};
use super::{FORTRAN, MAX_NDIM, PIL, SCALAR, WRITABLE};
use crate::acquire::{self, Acquired};
use crate::described::Described;
use crate::error;
use crate::lease::{Lease, Share};
use crate::reach::Address;
use crate::view::View;

/// A memory and what is told of it.
pub(super) struct Base {
    /// Where the items are (T3). Of a wide description the layout has the axes that matter.
    pub(super) memory: Acquired,
    pub(super) told: Told,
    /// Where the memory was made for a list of items.
    pub(super) own: Option<Own>,
    /// Bytes from the start of the memory to the first item, -1 where the memory is somebody else's.
    pub(super) offset: isize,
    /// `REDIRECT`, `GETBUF_FAIL`, `GETBUF_UNDEFINED`.
    pub(super) behaviour: u32,
    /// The format is one of the struct module: items are made and taken as that module does.
    pub(super) is_struct: bool,
    /// How many buffers are lent.
    pub(super) lent: AtomicUsize,
}

/// One block, of which everything is known.
pub(super) struct Own {
    pub(super) start: Address,
    pub(super) bytes: usize,
    /// The targets of the pointers at the start of the block, from there.
    pub(super) pointers: Box<[isize]>,
}

impl Base {
    /// What an object lends for a request.
    ///
    /// # Errors
    ///
    /// Whatever the object raises, `BufferError` and `ValueError` for a description that cannot be true.
    pub(super) fn of_exporter(object: &Bound<'_, PyAny>, flags: i32, behaviour: u32) -> PyResult<Base> {
        let share = Lease::of(object, flags)?;
        let claim = share.claim();
        if claim.ndim as usize > MAX_NDIM {
            return Err(PyValueError::new_err(format!("{} axes, the limit is {MAX_NDIM}", claim.ndim)));
        }
        let told = Told::of_claim(&claim);
        let itemsize = usize::try_from(claim.itemsize)
            .map_err(|_| PyValueError::new_err(format!("an itemsize of {}", claim.itemsize)))?;
        let (layout, item) = match (&told.shape, &told.strides) {
            // Without a shape the memory is a run of bytes, whatever it was made of.
            (None, _) if told.ndim != 0 => {
                let len = usize::try_from(told.len).unwrap_or(0);
                (Layout::contiguous(1, &[len], Order::C), Described::bytes())
            }
            (Some(shape), strides) if told.is_wide() => {
                if told.suboffsets.is_some() && !told.is_redundant() {
                    let message = "pointers are not followed in descriptions of more than 64 axes";
                    return Err(PyValueError::new_err(message));
                }
                let strides = strides
                    .as_ref()
                    .map_or_else(|| dense(claim.itemsize, shape, Order::C), |strides| strides.to_vec());
                let layout = told::layout(itemsize, shape, &strides, 0);
                (layout, Described::claimed(claim.format, itemsize, || acquire::dialect(object)))
            }
            _ => {
                let item = Described::claimed(claim.format, itemsize, || acquire::dialect(object));
                (acquire::layout(&claim, itemsize), item)
            }
        };
        let (base, readonly) = (told.start, told.readonly);
        let memory = Acquired { share, base, layout: layout.map_err(error::layout)?, item, readonly };
        Ok(Base::new(memory, told, None, -1, behaviour))
    }

    pub(super) fn new(memory: Acquired, told: Told, own: Option<Own>, offset: isize, behaviour: u32) -> Base {
        let is_struct = Base::is_struct(&memory.item);
        Base { memory, told, own, offset, behaviour, is_struct, lent: AtomicUsize::new(0) }
    }

    /// Whether a format is one of the struct module. Items of such are tuples, and a tuple of one value is that value.
    pub(super) fn is_struct(item: &Described) -> bool {
        let text = item.text().to_str().unwrap_or("?");
        Format::parse_as(Dialect::Struct, text).is_ok_and(|format| format.itemsize() == item.itemsize())
    }

    /// The extents that an index counts along.
    pub(super) fn shape(&self) -> Vec<usize> {
        match &self.told.shape {
            Some(shape) => shape.iter().map(|extent| extent.unsigned_abs()).collect(),
            None => self.memory.layout.shape().to_vec(),
        }
    }

    pub(super) fn is_contiguous(&self, order: Order) -> bool {
        self.told.suboffsets.is_none() && self.memory.layout.is_contiguous(order)
    }

    /// The flags that say what the base is.
    pub(super) fn flags(&self) -> u32 {
        let told = &self.told;
        let when = |is: bool, flag: u32| if is { flag } else { 0 };
        self.behaviour
            | when(!told.readonly, WRITABLE)
            | when(self.is_contiguous(Order::F), FORTRAN)
            | when(told.ndim == 0, SCALAR)
            | when(told.suboffsets.is_some(), PIL)
    }

    /// The same memory in another layout.
    ///
    /// # Errors
    ///
    /// `ValueError` where it has been given back.
    pub(super) fn acquired(&self, py: Python<'_>, layout: Layout) -> PyResult<Acquired> {
        let share: Share = Lease::share(self.memory.share.lease(), py).ok_or_else(error::released)?;
        let Acquired { base, item, readonly, .. } = &self.memory;
        Ok(Acquired { share, base: *base, layout, item: item.clone(), readonly: *readonly })
    }

    /// All items as a view, which knows how to copy them.
    ///
    /// # Errors
    ///
    /// As [`Base::acquired`].
    pub(super) fn view(&self, py: Python<'_>) -> PyResult<View> {
        Ok(View::of(self.acquired(py, self.memory.layout.clone())?))
    }

    /// The layout of a part, and, for a wide description, its shape and strides.
    ///
    /// # Errors
    ///
    /// What [`Layout::slice`] refuses.
    pub(super) fn part(&self, items: &[SliceItem]) -> PyResult<(Layout, Option<Wide>)> {
        match (&self.told.shape, &self.told.strides) {
            (Some(shape), Some(strides)) if self.told.is_wide() => {
                let (items, wide) = sliced(shape, strides, items)?;
                let layout = match items {
                    Some(items) => self.memory.layout.slice(items),
                    None => Layout::contiguous(self.memory.layout.itemsize(), &[0], Order::C),
                };
                Ok((layout.map_err(error::layout)?, Some(wide)))
            }
            _ => Ok((self.memory.layout.slice(items).map_err(error::layout)?, None)),
        }
    }
}

/// Shape and strides of more axes than a layout can have.
pub(super) struct Wide {
    pub(super) shape: Box<[isize]>,
    pub(super) strides: Box<[isize]>,
}

/// Slices the axes of a wide description: what that is for the axes that its layout has (`None` where no item is left),
/// and for all.
fn sliced(
    shape: &[isize],
    strides: &[isize],
    items: &[SliceItem],
) -> PyResult<(Option<Vec<SliceItem>>, Wide)> {
    if items.len() > shape.len() {
        return Err(PyTypeError::new_err(format!("{} indices for {} axes", items.len(), shape.len())));
    }
    let mut of_layout = Some(Vec::new());
    let (mut extents, mut steps) = (Vec::new(), Vec::new());
    let axes = told::kept(shape);
    for (axis, (&extent, &stride)) in shape.iter().zip(strides).enumerate() {
        let item = items.get(axis).copied().unwrap_or(SliceItem::Slice((..).into()));
        let is_kept = axes.contains(&axis);
        match item {
            SliceItem::Slice(slice) => {
                let (_, step, length) = slice
                    .resolve(extent.unsigned_abs())
                    .map_err(|_| PyValueError::new_err("a slice has a step of 0"))?;
                extents.push(length as isize);
                steps.push(stride.wrapping_mul(step));
                if length == 0 && !is_kept {
                    of_layout = None;
                }
            }
            SliceItem::Index(index) => {
                let at = if index < 0 { index + extent } else { index };
                if !(0..extent).contains(&at) {
                    return Err(PyIndexError::new_err(format!(
                        "index out of bounds on dimension {}",
                        axis + 1
                    )));
                }
            }
            SliceItem::NewAxis | SliceItem::Ellipsis => {
                return Err(PyTypeError::new_err(
                    "more than 64 axes are indexed by integers and slices alone",
                ));
            }
        }
        if let Some(items) = of_layout.as_mut().filter(|_| is_kept) {
            items.push(item);
        }
    }
    Ok((of_layout, Wide { shape: extents.into(), strides: steps.into() }))
}

/// The strides of items without a gap between them.
pub(super) fn dense(itemsize: isize, shape: &[isize], order: Order) -> Vec<isize> {
    let mut strides = vec![0; shape.len()];
    let mut step = itemsize;
    for i in 0..shape.len() {
        let axis = if order == Order::F { i } else { shape.len() - 1 - i };
        strides[axis] = step;
        // Where the product leaves `isize` there are no such items, which the layout says.
        step = step.wrapping_mul(shape[axis].max(1));
    }
    strides
}

/// Bases, the newest last.
pub(super) type Bases = Vec<Arc<Base>>;
