//! Moving items between any two layouts: plan as data, kernels as code, rayon over the parts.
//!
//! [`copy`], [`to_contiguous`], [`to_vec`], [`from_contiguous`] and [`copy_within`] move items between views of any
//! layout, strided or reached through stored pointers on either side:
//!
//! ```
//! use extbuf_copy::to_vec;
//! use extbuf_layout::{Order, s};
//! use extbuf_protocol::{Exporter, Request, Rows};
//!
//! // A picture of two rows of three RGB pixels, each row its own allocation.
//! let rows = vec![vec![1u8, 2, 3, 4, 5, 6, 7, 8, 9], vec![11, 12, 13, 14, 15, 16, 17, 18, 19]];
//! let image = Rows::from_vecs(rows, &[3, 3])?;
//! // Its last two columns, channels reversed.
//! let crop = image.window(Request::FULL_RO)?.slice(s![.., 1.., ..;-1])?;
//! assert_eq!(to_vec(&crop.view(), Order::C)?, [6, 5, 4, 9, 8, 7, 16, 15, 14, 19, 18, 17]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`convert`] and [`to_contiguous_as`] go from one format to another on the way: numbers, byte orders, records by the
//! names of their fields; [`Mode`] says what becomes of a number that does not fit. A [`ViewPlan`] is either kind of work,
//! decided once for many views.
//!
//! A [`Plan`] is everything that can be decided from two layouts: the loops, the kernel inside them, the parts the work
//! is cut into. It holds no pointer, prints itself, and runs on any number of buffers. [`CopyOptions`] says on how many
//! threads, and who is told of the progress.
//!
//! [`working_copy`] copies a view's items to work on them in one run, and writes them back.
//!
//! # Features
//!
//! - `rayon` (on by default): parts run on the threads of the current rayon pool. Without it every copy runs on the
//!   calling thread, and a caller with threads of its own hands them parts by [`Plan::run_part`].
//!
//! # What this crate does not do
//!
//! [`copy`] looks at no format: it moves the bytes of items between layouts of equal shape and item size, whatever they
//! mean. [`convert`] does. Neither broadcasts behind your back: give them a layout that repeats. Neither runs where the
//! destination may overlap itself, nor with items that are object references.
#![deny(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod convert;
mod copy;
mod error;
mod execute;
mod fields;
mod fields_apart;
mod fill;
mod kernel;
mod options;
mod output;
mod overlap;
mod parallel;
mod plan;
mod raw;
mod report;
mod swap;
mod typed;
mod working;

pub use convert::{FieldRules, Mode, ViewPlan, convert, to_contiguous_as};
pub use copy::{
    Contiguous, contiguous, contiguous_into, copy, copy_within, from_contiguous, to_contiguous, to_vec,
};
pub use error::{BadValue, CopyError, CopyErrorKind, NoConversion};
pub use fields_apart::{Column, from_columns, to_columns};
pub use fill::fill;
pub use kernel::Level;
pub use options::{CopyOptions, Progress, ProgressHook, Threads};
pub use overlap::Overlap;
pub use plan::{Kernel, Loop, Plan, Split};
pub use report::Report;
pub use swap::swap;
pub use typed::to_vec_of;
pub use working::{WorkingCopy, working_copy};

/// The examples of the README, run as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
