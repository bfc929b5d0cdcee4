//! Where the items of a buffer are: shapes, strides and loads as one chain of affine maps.
//!
//! An index has one entry `k[axis]` per axis. A [`Layout`] has a shape, an itemsize and one or more **levels**;
//! level `l` has an offset and one stride per axis. Offsets and strides are signed and count **bytes**. The item
//! with index `k` is found by
//!
//! ```text
//! a[0] = base            + offset[0] + sum over axes of strides[0][axis] * k[axis]
//! a[l] = load(a[l - 1])  + offset[l] + sum over axes of strides[l][axis] * k[axis]
//! ```
//!
//! and lies at the last `a`, where `load` reads the pointer stored at an address. One level is the strided array
//! that everybody knows. Two levels are an array of pointers: the image whose rows are separate allocations, the
//! case that Carl Banks brought to python-dev in March 2007 and that PEP 3118 describes with suboffsets.
//!
//! The form is closed under slicing, indexing, reversing, permuting, new axes, broadcasting and more, also across
//! a load and across two loads in a row, because each of these is a column operation on the small matrix
//! `strides[level][axis]`. No operation touches memory: this crate holds integers and no pointer.
//!
//! ```
//! use extbuf_layout::{Layout, LayoutSpec, LevelSpec};
//!
//! // 480 rows of 640 RGB pixels; row r is reached through the pointer at byte 8 * r of a table.
//! let image = Layout::new(&LayoutSpec {
//!     itemsize: 1,
//!     shape: &[480, 640, 3],
//!     levels: &[
//!         LevelSpec { offset: 0, strides: &[8, 0, 0] },
//!         LevelSpec { offset: 0, strides: &[0, 3, 1] },
//!     ],
//! })?;
//! assert_eq!(image.ndim(), 3);
//! assert_eq!(image.levels(), 2);
//! assert_eq!(image.nbytes(), 480 * 640 * 3);
//! # Ok::<(), extbuf_layout::LayoutError>(())
//! ```
//!
//! # What this crate does not do
//!
//! It reads and writes no memory, holds no pointer and does not know what an item means: the format of an item is
//! `extbuf-format`'s matter, who may touch the memory `extbuf-protocol`'s, and moving bytes `extbuf-copy`'s.
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod axes;
mod contiguity;
mod encode;
mod error;
mod index;
mod interop;
mod layout;
mod overlap;
mod parts;
mod questions;
mod reshape;
mod runs;
mod slice;
mod slice_text;
mod spec;
mod walk;
mod words;

pub use contiguity::Contiguity;
pub use encode::{DerefOff, EncodeRefusal, IsPtr, Suboffsets};
pub use error::{LayoutError, LayoutErrorKind};
pub use interop::{ArrayInterface, DlPack, Mdspan, MdspanMapping};
pub use layout::{Extent, Layout, Order};
pub use overlap::Overlap;
pub use runs::{Run, Runs};
pub use slice::{Slice, SliceItem, ZeroStep};
pub use slice_text::{SliceParseError, SliceParseErrorKind};
pub use spec::{LayoutSpec, LevelSpec};
pub use walk::{Index, Indices, Offsets};

/// The most axes a layout can have: the limit of the buffer protocol (`PyBUF_MAX_NDIM`).
pub const MAX_NDIM: usize = 64;

/// The most levels a layout can have: one more than the most loads on the way to an item, of which suboffsets can
/// describe one an axis.
pub const MAX_LEVELS: usize = MAX_NDIM + 1;

/// Bytes of a stored pointer, the width of what a load reads.
pub const POINTER_BYTES: usize = size_of::<usize>();
