//! A description as consumers are told it: the fields of a `Py_buffer`, owned, and null where nobody said anything.

use std::ffi::{CString, c_int};

use extbuf_layout::{Layout, LayoutError, MAX_NDIM};

use crate::raw::Claim;
use crate::reach::Address;

/// The fields of a `Py_buffer`.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) start: Address,
    pub(super) len: isize,
    pub(super) itemsize: isize,
    pub(super) readonly: bool,
    pub(super) ndim: c_int,
    pub(super) format: Option<CString>,
    pub(super) shape: Option<Box<[isize]>>,
    pub(super) strides: Option<Box<[isize]>>,
    pub(super) suboffsets: Option<Box<[isize]>>,
}

impl Told {
    /// What an exporter claims.
    pub(super) fn of_claim(claim: &Claim<'_>) -> Told {
        let owned = |numbers: Option<&[isize]>| numbers.map(Box::from);
        Told {
            start: Address::new(claim.base),
            len: claim.len,
            itemsize: claim.itemsize,
            readonly: claim.readonly,
            ndim: claim.ndim,
            format: claim.format.map(CString::from),
            shape: owned(claim.shape),
            strides: owned(claim.strides),
            suboffsets: owned(claim.suboffsets),
        }
    }

    /// More axes than a layout can have.
    pub(super) fn is_wide(&self) -> bool {
        self.ndim as usize > MAX_NDIM
    }

    /// Suboffsets that follow no pointer: allowed, and to no purpose but to see whether a consumer copes.
    pub(super) fn is_redundant(&self) -> bool {
        self.suboffsets.as_ref().is_some_and(|all| all.iter().all(|suboffset| *suboffset < 0))
    }
}

/// The axes of a wide description that matter: all but those of one entry, of which there can be no more than a layout
/// has room for; a single one where there are no items at all.
pub(super) fn kept(shape: &[isize]) -> Vec<usize> {
    if let Some(empty) = shape.iter().position(|extent| *extent == 0) {
        return vec![empty];
    }
    (0..shape.len()).filter(|axis| shape[*axis] != 1).collect()
}

/// The layout of a strided description of any number of axes.
///
/// # Errors
///
/// What [`Layout::strided`] refuses.
pub(super) fn layout(
    itemsize: usize,
    shape: &[isize],
    strides: &[isize],
    offset: isize,
) -> Result<Layout, LayoutError> {
    if shape.len() <= MAX_NDIM {
        return Layout::from_suboffsets(itemsize, shape, strides, None, offset);
    }
    let axes = kept(shape);
    let of = |numbers: &[isize]| -> Vec<isize> { axes.iter().map(|axis| numbers[*axis]).collect() };
    Layout::from_suboffsets(itemsize, &of(shape), &of(strides), None, offset)
}
