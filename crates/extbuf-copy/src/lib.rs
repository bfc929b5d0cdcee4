//! Moving items between any two layouts: plan as data, kernels as code, rayon over the parts.
//!
//! A [`Plan`] is everything that can be decided from two layouts: the loops, the kernel inside them, the parts the work
//! is cut into. It holds no pointer, prints itself, and runs on any number of buffers. [`CopyOptions`] says on how many
//! threads, and who is told of the progress.
//!
//! # Features
//!
//! - `rayon` (on by default): parts run on the threads of the current rayon pool. Without it every copy runs on the
//!   calling thread, and a caller with threads of its own hands them parts by [`Plan::run_part`].
//!
//! # What this crate does not do
//!
//! It converts nothing: a copy moves the bytes of items between layouts of equal shape and item size, whatever they
//! mean. It broadcasts nothing behind your back: give it a layout that repeats. It does not run a copy whose
//! destination may overlap itself, nor one of items that are object references.
#![deny(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod error;
mod execute;
mod kernel;
mod options;
mod output;
mod overlap;
mod parallel;
mod plan;
mod raw;
mod report;

pub use error::{CopyError, CopyErrorKind};
pub use options::{CopyOptions, Progress, ProgressHook, Threads};
pub use overlap::Overlap;
pub use plan::{Kernel, Loop, Plan, Split};
pub use report::Report;
