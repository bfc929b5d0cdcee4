//! Moving items between any two layouts: plan as data, kernels as code, rayon over the parts.
//!
//! # What this crate does not do
//!
//! It converts nothing: a copy moves the bytes of items between layouts of equal shape and item size.
#![deny(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod error;
mod execute;
mod overlap;
mod parallel;
mod options;
mod output;
mod kernel;
mod plan;

pub use error::{CopyError, CopyErrorKind};
pub use plan::{Kernel, Loop, Plan, Split};
