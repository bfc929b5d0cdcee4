//! Draws a memory layout or an item format as SVG and as terminal text.
#![forbid(unsafe_code)]

mod chain;
mod direct;
mod drawing;
mod paint;
mod reach;
mod rows;
mod scene;
mod strip;
mod svg;
mod text;

pub use drawing::{Drawing, draw_chain, draw_layout};
pub use text::{Colour, TextOptions, TextStyle};
