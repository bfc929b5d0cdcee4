//! From what an exporter claims to an address, a checked layout and an item.
// Looks at a claim beside the share that keeps it.
#![allow(unsafe_code)]

use extbuf_format::Dialect;
use extbuf_layout::{Layout, LayoutError, Order};
use pyo3::exceptions::PyBufferError;
use pyo3::prelude::*;
use pyo3::types::PyMemoryView;

use crate::described::{Described, Shared};
use crate::error;
use crate::lease::{Lease, Share};
use crate::raw::{Claim, FULL_RO};
use crate::reach::Address;
use crate::view::View;

/// Shapes of up to so many axes are read without an allocation.
const FEW: usize = 8;

/// Memory, described.
pub(crate) struct Acquired {
    pub(crate) share: Share,
    pub(crate) base: Address,
    pub(crate) layout: Layout,
    pub(crate) item: Shared,
    pub(crate) readonly: bool,
}

/// Takes what an object lends for a request, as a view.
///
/// # Errors
///
/// Whatever the object raises, and `BufferError` for a description that cannot be true.
pub(crate) fn view(object: &Bound<'_, PyAny>, flags: i32) -> PyResult<View> {
    let share = Lease::of(object, flags)?;
    // SAFETY: the share goes into the view that is filled from the claim.
    let claim = unsafe { share.claim_beside() };
    let itemsize = itemsize(&claim)?;
    let item = Described::claimed(claim.format, itemsize, || dialect(object));
    let (base, readonly) = (Address::new(claim.base), claim.readonly);
    let (len, mut nbytes) = (claim.len, 0);
    let view = View::filled(share, base, item, readonly, |out| {
        fill(&claim, itemsize, out)?;
        nbytes = out.nbytes();
        Ok(())
    });
    let view = view.map_err(error::layout)?;
    agreed(len, nbytes)?;
    Ok(view)
}

/// Takes whatever an object lends.
///
/// # Errors
///
/// As [`view`].
pub(crate) fn full(object: &Bound<'_, PyAny>) -> PyResult<Acquired> {
    with_flags(object, FULL_RO)
}

/// Takes what an object lends for a request.
///
/// # Errors
///
/// As [`view`].
pub(crate) fn with_flags(object: &Bound<'_, PyAny>, flags: i32) -> PyResult<Acquired> {
    let share = Lease::of(object, flags)?;
    let claim = share.claim();
    let itemsize = itemsize(&claim)?;
    let item = Described::claimed(claim.format, itemsize, || dialect(object));
    let (base, readonly) = (Address::new(claim.base), claim.readonly);
    let layout = layout(&claim, itemsize).map_err(error::layout)?;
    agreed(claim.len, layout.nbytes())?;
    Ok(Acquired { share, base, layout, item, readonly })
}

fn itemsize(claim: &Claim<'_>) -> PyResult<usize> {
    usize::try_from(claim.itemsize)
        .map_err(|_| PyBufferError::new_err(format!("the exporter claims an itemsize of {}", claim.itemsize)))
}

/// The length is the product of shape and itemsize by the protocol: who contradicts himself is believed nothing.
#[inline]
fn agreed(len: isize, nbytes: usize) -> PyResult<()> {
    if usize::try_from(len) == Ok(nbytes) { Ok(()) } else { Err(contradiction(len, nbytes)) }
}

#[cold]
fn contradiction(len: isize, nbytes: usize) -> PyErr {
    PyBufferError::new_err(format!(
        "the exporter claims a shape and an itemsize of {nbytes} bytes and a length of {len}"
    ))
}

/// The layout that an exporter claims.
pub(crate) fn layout(claim: &Claim<'_>, itemsize: usize) -> Result<Layout, LayoutError> {
    let mut layout = Layout::default();
    fill(claim, itemsize, &mut layout)?;
    Ok(layout)
}

/// The same, where it is to lie.
#[inline]
fn fill(claim: &Claim<'_>, itemsize: usize, out: &mut Layout) -> Result<(), LayoutError> {
    if let (Some(shape), Some(strides), None) = (claim.shape, claim.strides, claim.suboffsets) {
        // The usual case, without the search for pointers on the way.
        if shape.len() <= FEW && !negative(shape) {
            let mut extents = [0; FEW];
            extents.iter_mut().zip(shape).for_each(|(to, from)| *to = from.unsigned_abs());
            return out.set_strided(itemsize, &extents[..shape.len()], strides, 0);
        }
    }
    *out = unusual(claim, itemsize)?;
    Ok(())
}

#[cold]
fn unusual(claim: &Claim<'_>, itemsize: usize) -> Result<Layout, LayoutError> {
    match (claim.shape, claim.strides) {
        (Some(shape), Some(strides)) => {
            Layout::from_suboffsets(itemsize, shape, strides, claim.suboffsets, 0)
        }
        (Some(shape), None) => {
            let Ok(shape) =
                shape.iter().map(|&extent| usize::try_from(extent)).collect::<Result<Vec<_>, _>>()
            else {
                // Refused there with the extent.
                return Layout::from_suboffsets(itemsize, shape, &vec![0; shape.len()], None, 0);
            };
            Layout::contiguous(itemsize, &shape, Order::C)
        }
        (None, _) if claim.ndim == 0 => Layout::contiguous(itemsize, &[], Order::C),
        // No shape: one axis of as many items as there are.
        (None, _) => {
            let len = usize::try_from(claim.len).unwrap_or(0);
            Layout::contiguous(itemsize, &[len.checked_div(itemsize).unwrap_or(0)], Order::C)
        }
    }
}

fn negative(shape: &[isize]) -> bool {
    shape.iter().any(|extent| *extent < 0)
}

/// Whose rules the format of an exporter is written by, as far as its type tells.
pub(crate) fn dialect(object: &Bound<'_, PyAny>) -> Dialect {
    let module = |object: &Bound<'_, PyAny>| {
        object.get_type().module().map_or_else(|_| String::new(), |module| module.to_string())
    };
    // A memoryview shows the text of the object behind it.
    if object.is_exact_instance_of::<PyMemoryView>() {
        return match object.getattr("obj") {
            Ok(behind) if !behind.is_exact_instance_of::<PyMemoryView>() => dialect(&behind),
            _ => Dialect::Pep3118,
        };
    }
    let own = module(object);
    if own == "numpy" || own.starts_with("numpy.") {
        Dialect::NumPy
    } else if module(object.get_type().as_any()) == "_ctypes" {
        // Structures and arrays of ctypes are instances of user classes; their metaclasses are its own.
        Dialect::Ctypes
    } else {
        Dialect::Pep3118
    }
}
