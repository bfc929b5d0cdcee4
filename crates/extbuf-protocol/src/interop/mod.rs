//! Views as other crates have them, without copying.

#[cfg(feature = "ndarray")]
mod ndarray;
