//! What several fuzz targets share: the sides of a copy, drawn from the input and laid into an arena of real memory.
#![deny(unsafe_code)]

mod sides;

pub use sides::{Sides, layout, noise, point, slow};
