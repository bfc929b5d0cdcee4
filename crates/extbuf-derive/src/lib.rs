//! Derives an extbuf item format from a Rust struct, offsets taken from the compiler.
