//! The benches live in `benches/`; this library is empty, so that the package builds alone.
#![forbid(unsafe_code)]
