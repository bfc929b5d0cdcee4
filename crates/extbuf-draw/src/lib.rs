//! Draws a memory layout or an item format as SVG and as terminal text.
//!
//! Where a layout's items lie is arithmetic; whether that is where one meant them to lie is seen at a glance:
//!
//! ```
//! use extbuf_draw::{TextOptions, draw_layout};
//! use extbuf_layout::Layout;
//!
//! // Two rows of two 4-byte items, 12 bytes apart.
//! let layout = Layout::strided(4, &[2, 2], &[12, 4], 0)?;
//! let text = draw_layout(&layout).to_text(TextOptions::default());
//! assert_eq!(text, "\
//! shape (2, 2), itemsize 4, offset 0, strides (12, 4)
//!
//! ├────── axis 0: +12 ───────▶
//! ├────────▶ axis 1: +4
//! ┌────────┬────────┬────────┬────────┬────────┐
//! │   0    │   1    │░░░░░░░░│   2    │   3    │
//! └────────┴────────┴────────┴────────┴────────┘
//! 0        4        8       12       16       20
//!     ▲ first
//!
//! in the cells: order of visits; below them: bytes from the base
//! ");
//! # Ok::<(), extbuf_layout::LayoutError>(())
//! ```
//!
//! A layout with loads is drawn as its table of pointers with an arrow from each pointer to its own block. A slice of
//! it can be shown in colour over what it was cut from ([`Drawing::keeping`]), and then one sees that no pointer is
//! touched: an offset is added before the load and another after it.
//!
//! There is one scene, on a grid of character cells, and two ways to write it: [`Drawing::to_svg`] for pages and
//! [`Drawing::to_text`] for terminals. What does not fit is left out from the middle, with its number of bytes, so the
//! cost of a picture does not depend on the number of items.
//!
//! # What this crate does not do
//!
//! It draws numbers, not memory: it reads no buffer and shows no values. It asks neither the terminal for its width
//! nor the environment whether colour is wanted; the caller says so. It writes no file. Its pictures are for reading,
//! so their exact text is no promise between versions.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod chain;
mod direct;
mod drawing;
mod paint;
mod reach;
mod record;
mod rows;
mod scene;
mod strip;
mod svg;
mod tables;
mod text;

pub use drawing::{Drawing, draw_chain, draw_format, draw_layout};
pub use tables::{axes_table, contiguity_line, format_table, level_lines, suboffsets_line};
pub use text::{Colour, TextOptions, TextStyle};

/// The README's example, run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
