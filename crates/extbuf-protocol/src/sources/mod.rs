//! Exporters that come with the crate: slices and vectors, borrowed or shared, a growable buffer, memory described at
//! run time, rows behind a table of pointers, and tables of tables.

mod array;
mod buffer;
#[cfg(feature = "image")]
mod image;
#[cfg(feature = "memmap2")]
mod map;
mod nested;
mod owners;
mod rows;
mod shared;
mod slices;

pub use array::Array;
pub use buffer::Buffer;
pub use nested::Nested;
pub use rows::Rows;
