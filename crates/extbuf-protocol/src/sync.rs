//! What threads meet at: the standard library's, or `loom`'s under `--cfg loom`, which tries every order of their
//! steps (`tests/loom.rs`). What goes through here is modelled; `Arc` does not, since loom's cannot hold a `dyn Owner`.

#[cfg(not(loom))]
pub(crate) use core::sync::atomic::{AtomicUsize, Ordering};
#[cfg(loom)]
pub(crate) use loom::sync::atomic::{AtomicUsize, Ordering};

#[cfg(all(loom, feature = "std"))]
pub(crate) use loom::sync::{Condvar, Mutex, MutexGuard};
#[cfg(all(not(loom), feature = "std"))]
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard};
