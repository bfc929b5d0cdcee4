//! Slow, obvious oracles and case tables for the tests of the extbuf crates.
//!
//! Nothing here shares a type or a line with what it is held against: that is why this crate depends on none of the
//! others.
//!
//! # What this crate does not do
//!
//! It is not published, not fast, and tests nothing by itself.
#![forbid(unsafe_code)]

pub mod convert_records;
pub mod convert_slow;
pub mod copy_arena;
pub mod copy_slow;
pub mod format_dialects;
/// Sizes of a 64-bit machine, which only such a machine can hold.
#[cfg(target_pointer_width = "64")]
pub mod format_facts;
pub mod format_texts;
pub mod format_wild;
pub mod layout_twin;
