//! Slow, obvious oracles and case tables for the tests of the extbuf crates.
