//! Exporters that come with the crate: slices and vectors, a growable buffer, memory described at run time, and rows
//! behind a table of pointers.

mod array;
mod buffer;
#[cfg(feature = "memmap2")]
mod map;
mod rows;
mod slices;

pub use array::Array;
pub use buffer::Buffer;
pub use rows::Rows;
