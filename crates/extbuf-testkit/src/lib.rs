//! Slow, obvious oracles and case tables for the tests of the extbuf crates.

pub mod copy_arena;
pub mod copy_slow;
pub mod format_texts;
pub mod layout_twin;
