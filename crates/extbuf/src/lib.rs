//! The extended buffer interface of 2007, whole: lend memory, look at it in place, keep it, move it.
//!
//! Any object can lend its memory, described well enough that any other object uses it in place: **what** an item is
//! ([`mod@format`]), **where** the items are ([`layout`]), **who** may touch them and for how long ([`protocol`]), and
//! how to move them fast when they must move ([`copy`]). This crate holds no logic; each room is a crate of its own
//! that can be depended on alone.
//!
//! ```
//! use extbuf::prelude::*;
//!
//! // A picture of 4 rows of 6 RGB pixels, each row its own allocation.
//! let rows = (0..4).map(|row| (0..18).map(|byte| row * 18 + byte).collect()).collect();
//! let image = Rows::from_vecs::<u8>(rows, &[6, 3])?;
//!
//! // Keep a crop of it, bottom-up and blue first: integer arithmetic, no byte touched.
//! let crop = image.window(Request::FULL_RO)?.slice(s![..;-1, 1..5, ..;-1])?;
//! assert_eq!(crop.shape(), [4, 4, 3]);
//!
//! // Move it into one contiguous block.
//! let bytes = extbuf::copy::to_vec(&crop.view(), Order::C)?;
//! assert_eq!(bytes.len(), 4 * 4 * 3);
//! assert_eq!(bytes[..3], [3 * 18 + 5, 3 * 18 + 4, 3 * 18 + 3]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//!
//! - `rayon` (on by default): copies in parallel, and the iterators over views as rayon's; without it every copy runs on
//!   the calling thread.
//! - `memmap2`: memory-mapped files as owners of memory.
//! - `image`: pictures of the `image` crate as exporters.
//! - `ndarray`: views from and to those of `ndarray`, and its arrays as exporters.
//! - `derive`: `#[derive(Element)]`, the item format of a struct; with `#[element(crate = extbuf::format)]` beside it
//!   where `extbuf-format` is not a dependency itself.
//!
//! # What this crate does not do
//!
//! It adds nothing to the crates it gathers. It computes nothing with items (no arithmetic, no reductions), reads no
//! file formats and talks to no foreign interpreter.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[doc(inline)]
pub use extbuf_copy as copy;
#[doc(inline)]
pub use extbuf_format as format;
#[doc(inline)]
pub use extbuf_layout as layout;
#[doc(inline)]
pub use extbuf_layout::s;
#[doc(inline)]
pub use extbuf_protocol as protocol;

/// The names that most programs need, in one import.
pub mod prelude {
    pub use extbuf_format::{Element, Format};
    pub use extbuf_layout::{Layout, Order, SliceItem, s};
    pub use extbuf_protocol::{
        Access, Array, Buffer, Export, Exporter, Lease, Memory, Request, Rows, TypedView, TypedViewMut, View,
        ViewMut, Window,
    };
}

/// The examples of the project's README and of the book, run as tests.
#[cfg(doctest)]
mod prose {
    #[doc = include_str!("../../../README.md")]
    struct Readme;
    #[doc = include_str!("../README.md")]
    struct CrateReadme;
    #[doc = include_str!("../../../docs/src/tutorial.md")]
    struct Tutorial;
    #[doc = include_str!("../../../docs/src/idea.md")]
    struct Idea;
    #[doc = include_str!("../../../docs/src/formats.md")]
    struct Formats;
    #[doc = include_str!("../../../docs/src/layouts.md")]
    struct Layouts;
    #[doc = include_str!("../../../docs/src/protocol.md")]
    struct Protocol;
    #[doc = include_str!("../../../docs/src/copying.md")]
    struct Copying;
}
