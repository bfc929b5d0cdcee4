//! Who lends memory, who may look at it, and for how long.
//!
//! An [`Exporter`] lends memory on a [`Request`]: it pins the memory with a [`Lease`] and describes it with a layout
//! (where the items are) and a format (what they are). The consumer looks at it through a [`View`] for a short job,
//! or keeps it as a [`Window`].
//!
//! ```
//! use extbuf_layout::s;
//! use extbuf_protocol::{Buffer, Exporter, Request};
//!
//! let mut buffer = Buffer::from_vec((0u16..12).collect());
//! buffer.reshape(&[3, 4])?;
//!
//! let export = buffer.export(Request::FULL_RO)?; // borrows the buffer's own description
//! assert_eq!(export.view().get::<u16>(&[1, 1])?, 5);
//! let window = export.keep(); // copies it
//!
//! buffer.reshape(&[4, 3])?; // the window still has 3 rows of 4
//! let columns = window.slice(s![.., ..;2])?;
//! assert_eq!(columns.shape(), [3, 2]);
//! assert_eq!(columns.view().get::<u16>(&[2, 1])?, 10);
//! # Ok::<(), extbuf_protocol::Refusal>(())
//! ```
//!
//! # How long things may be relied on
//!
//! The policy of 2007 as lifetimes, and what the compiler or the run says to who breaks it:
//!
//! | Policy | Here | Says |
//! |---|---|---|
//! | An exporter lends pointers to its stored arrays, without allocating | [`Export`] borrows them for `'d` | |
//! | It may not describe itself anew meanwhile | that takes `&mut self` while `'d` lives | E0502 |
//! | Who keeps, copies | [`Export::keep`]; the export cannot outlive its exporter | E0505 |
//! | Memory stays pinned longer than the description is borrowed | a window; `reshape` is allowed, `resize` errs | `Pinned` |
//! | A re-exporter lends its own description | an export of a local window cannot be returned | E0515 |
//! | The memory of a plain slice is not outlived, even by a keeper | [`Window<'m>`](Window) | E0597 |
//! | The strictest form: nothing leaves the call | [`Exporter::with_view`] | E0521 |
//! | A chain of windows holds one lease on the root | windows share it; the root is asked once | |
//!
//! # Reading and writing
//!
//! Leases that read exclude a lease that writes, and the other way round, at run time and across threads; so a view
//! reads memory that nobody writes, hands out `&[u8]` and goes to other threads like any slice. That is [`Frozen`]
//! memory, which is meant where nothing else is said. Memory that others write and ask nobody, such as an object of an
//! interpreter or a page shared with another process, is [`Foreign`], as a type: every noun here takes the marker. Its
//! views read and write by value, its leases only count, and it stays on its thread.
//!
//! # Exporters
//!
//! Slices, vectors, boxed slices and arrays, borrowed; `Arc<[T]>` and `Arc<Vec<T>>`, shared; [`Buffer`], which grows;
//! [`Array`] over any [`Memory`], which takes whatever is an `AsRef` or `AsMut` of a slice; [`Rows`] and [`Nested`] for
//! memory behind pointers. A new one is one safe method: [`Exporter`] has a whole one for an example. A lease knows
//! nothing of what put it there, so an exporter may as well pass on the memory of another, and go before it.
//!
//! # Items
//!
//! [`View::get`] reads one item wherever it lies. For more of them a view is proven once to hold a Rust type and becomes a
//! [`TypedView`], with `&T`, slices and indexing; every view is walked in C order by items, by [runs](View::runs) of
//! bytes, along an [axis](View::axis_iter) and by its [fields](View::fields). Views compare by
//! [value](View::equal_values) across formats and layouts, and print as NumPy's arrays do.
//!
//! # Features
//!
//! - `std` (on by default): `Locked`, a lock in front of an exporter. Without it the crate needs
//!   `alloc` alone.
//! - `rayon`: the iterators over views on rayon's threads.
//! - `ndarray`: views from and to those of `ndarray`, its arrays as exporters.
//! - `image`: pictures of the `image` crate as exporters.
//! - `memmap2`: memory-mapped files as owners of memory.
//!
//! # What this crate does not do
//!
//! It moves no items in bulk (that is `extbuf-copy`) and parses nothing (`extbuf-format`). It holds no allocator and
//! runs no thread.
#![no_std]
#![deny(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

#[cfg(feature = "std")]
mod access;
mod count;
mod equal;
mod exporter;
#[cfg(feature = "ndarray")]
mod interop;
mod iter;
#[cfg(doctest)]
mod lifetimes;
mod memory;
mod people;
mod refusal;
mod request;
mod sharing;
mod sources;
#[allow(unused_imports, reason = "not every feature meets at all of it")]
mod sync;
mod typed;
mod view;
mod window;

#[cfg(feature = "std")]
pub use access::{Locked, Writer};
pub use exporter::{Export, Exporter};
pub use iter::{AxisIter, AxisIterMut, Fields, FieldsMut, Indexed, Iter, IterMut, Slices, SlicesMut, Values};
#[cfg(feature = "rayon")]
pub use iter::{Cut, Parallel};
pub use memory::{Access, Block, Lease, Lends, Memory, Owner};
pub use refusal::{InvalidValue, Refusal, RefusalKind};
pub use request::{Grant, Request};
pub use sharing::{Foreign, Frozen, Sharing};
pub use sources::{Array, Buffer, Nested, Rows};
pub use typed::{Be, Le, Ordered, TypedAxisIter, TypedAxisIterMut, TypedView, TypedViewMut, Unaligned};
pub use view::{View, ViewMut};
pub use window::Window;

/// The example of the crate's page, run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
