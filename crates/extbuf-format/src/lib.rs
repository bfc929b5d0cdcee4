//! What an item of a buffer is: struct and PEP 3118 format strings, parsed to a checked tree and back.
//!
//! ```
//! use extbuf_format::Format;
//!
//! let record = Format::parse("T{B:tag:<d:value:(2,3)h:m:}")?;
//! assert_eq!((record.itemsize(), record.alignment()), (21, 1));
//! assert_eq!(record.field("m[1,2]")?.0, 1 + 8 + 10);
//!
//! let bytes = [7, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0];
//! assert_eq!(record.unpack(&bytes)?.to_string(), "(7, 1.5, [[1, 2, 3], [4, 5, 6]])");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | To … | use |
//! |---|---|
//! | read a text | [`Format::parse`], [`Format::parse_as`]; what is wrong: [`ParseError`] |
//! | write it again | `Display`, [`Format::to_string_as`] |
//! | ask what lies where | [`Format::itemsize`], [`Format::fields`], [`Format::field`], [`Format::outline`] |
//! | compare | `==`, [`Format::is_compatible_with`], [`Format::matches`] |
//! | read and write values | [`Format::unpack`], [`Format::pack`]; many of them: [`Codec`] |
//! | describe a Rust type | [`Element`] |
//!
//! # Limits
//!
//! No text makes the parser panic, hang, or use more than a bounded stack. Nesting ends at [`MAX_DEPTH`], the
//! axes of an array at [`MAX_DIMS`], a size at `isize::MAX`. Names have any length. Parsing takes time linear
//! in the length of the text (`n log n` in the number of names of one record), and memory of at most a hundred
//! or so bytes for each byte of text, whatever the counts in it: `1000000000i` is one run.
//!
//! # Features
//!
//! - `std` (default): nothing but the name so far.
//! - `derive`: `#[derive(Element)]` for structs, from the crate `extbuf-derive`.
//! - `half`: [`Element`] for `half::f16` and `half::bf16`. Formats with half floats need no feature.
//! - `num-complex`: [`Element`] for `num_complex::Complex<f32>` and `Complex<f64>`.
//!
//! # What this crate does not do
//!
//! It holds no pointer and follows none: an address is a number here. It does not count references, so the
//! bytes of an `O` are no value. It does not know where the items of a buffer lie (that is `extbuf-layout`),
//! and it converts byte order and offsets, not types ([`Transcode`]). It reads bit fields as PEP 3118 leaves
//! room to define them, not as any C compiler lays them out.
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

extern crate alloc;
#[cfg(any(test, doctest))]
extern crate std;

mod build;
mod codec;
mod dialect;
mod element;
mod equiv;
mod error;
mod fault;
mod item;
mod matching;
mod number;
mod outline;
mod pack;
mod parse;
mod path;
mod print;
mod scalar;
mod tokens;
mod transcode;
mod unpack;
mod value;

pub use build::FieldSpec;
pub use codec::{Codec, IterUnpack};
pub use dialect::{Dialect, UnknownDialect};
pub use element::Element;
pub use error::{ParseError, ParseErrorKind};
pub use fault::{FormatError, FormatErrorKind};
pub use item::{
    Array, Bounds, Custom, Field, Fields, Format, Function, Item, MAX_DEPTH, MAX_DIMS, Pointer, Record, Run,
};
pub use outline::Line;
pub use scalar::{ByteOrder, Code, Kind, Mark, Scalar};
pub use tokens::{Token, TokenKind, Tokens, tokens};
pub use transcode::Transcode;
pub use value::Value;

#[cfg(feature = "derive")]
pub use extbuf_derive::Element;

/// What the code that `#[derive(Element)]` writes calls. No part of the interface.
#[doc(hidden)]
pub mod __private {
    pub use crate::item::{Node, Run};

    use alloc::borrow::Cow;

    use crate::item::{Bounds, Format, Name, Record};
    use crate::scalar::Mark;

    /// One field as the compiler laid it out.
    #[must_use]
    pub const fn run(name: Option<&'static str>, offset: usize, format: Format) -> Run {
        let name = match name {
            Some(name) => Some(Name::Static(name)),
            None => None,
        };
        Run { name, offset, bit_offset: 0, repeat: 1, format }
    }

    /// A struct as the compiler laid it out: fields in ascending order, inside it, not overlapping.
    ///
    /// # Panics
    ///
    /// If they are not, which takes a field type whose format has another size than it: `Element` is safe to implement,
    /// and a format whose parts lie outside of it is not safe to walk.
    #[must_use]
    pub const fn record(runs: &'static [Run], itemsize: usize, alignment: usize) -> Node {
        let (mut end, mut k) = (0usize, 0);
        while k < runs.len() {
            assert!(runs[k].offset >= end, "the format of a field is larger than the field");
            end = match runs[k].offset.checked_add(runs[k].format.constant_itemsize()) {
                Some(end) => end,
                None => panic!("the format of a field is larger than memory"),
            };
            k += 1;
        }
        assert!(end <= itemsize, "the format of a field is larger than the field");
        let (runs, mark, bounds) = (Cow::Borrowed(runs), Mark::Native, Bounds::Braced);
        Node::Record(Record { runs, itemsize, alignment, mark, bounds })
    }
}
