//! Slow, obvious oracles and case tables for the tests of the extbuf crates.

pub mod copy_arena;
pub mod copy_slow;
pub mod layout_twin;
