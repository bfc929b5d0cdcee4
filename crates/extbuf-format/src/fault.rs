//! What can go wrong with a format that parsed: building one, looking up a field, printing it in a dialect,
//! comparing it with a Rust type, reading and writing values.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use core::fmt;

use crate::dialect::Dialect;
use crate::value::Value;

/// Why an operation on a format was refused, with the numbers that explain it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FormatErrorKind {
    /// More axes than a buffer may have: [`Format::array`](crate::Format::array) with a shape of 65.
    TooManyDimensions {
        /// Axes asked for.
        ndim: usize,
        /// The most there may be.
        limit: usize,
    },
    /// A size that does not fit `isize`: an array of `usize::MAX` doubles.
    TooLarge {
        /// The largest size.
        limit: usize,
    },
    /// Nested deeper than [`MAX_DEPTH`](crate::MAX_DEPTH).
    TooDeep {
        /// The deepest nesting.
        limit: usize,
    },
    /// A field that begins before the one in front of it ends: offsets 0 and 2 for two `i`.
    FieldOffset {
        /// Offset stated.
        offset: usize,
        /// The first offset that is free.
        least: usize,
    },
    /// A field that ends after its record: `i` at offset 6 of 8 bytes.
    FieldEnd {
        /// One past its last byte.
        end: usize,
        /// Size of the record.
        itemsize: usize,
    },
    /// A name that text cannot carry: with a colon or a zero byte.
    BadName,
    /// A name given to two fields.
    DuplicateName,
    /// The item has another size than the buffer says: `T{i:a:}` with an itemsize of 2.
    ItemSize {
        /// Size that the format implies.
        format: usize,
        /// Size that was claimed.
        claimed: usize,
    },
    /// No field of that name: `format.field("z")` of `T{i:a:}`. [`FormatError::detail`] is the names there are.
    NoSuchField,
    /// A path that goes on into something without fields or elements: `format.field("a.b")` of `T{i:a:}`.
    NotNested,
    /// A path that is no path: `a[`, `a[x]`, `a..b`.
    BadPath,
    /// An index past the end of an axis or of the fields.
    IndexOutOfRange {
        /// The index.
        index: usize,
        /// The length that it must be under.
        len: usize,
    },
    /// More indices than the array has axes.
    TooManyIndices {
        /// Indices given.
        given: usize,
        /// Axes there are.
        ndim: usize,
    },
    /// A bit field has no byte offset of its own.
    BitField,
    /// A construct that the dialect has no words for: `T{i:a:}` in [`Dialect::Struct`].
    CannotSay {
        /// What cannot be said.
        construct: &'static str,
        /// The dialect.
        dialect: Dialect,
    },
    /// The Rust type has more or fewer fields.
    FieldCount {
        /// Fields of the format.
        format: usize,
        /// Fields of the type.
        rust: usize,
    },
    /// A field of another name. [`FormatError::detail`] is the two names.
    FieldName,
    /// A field at another offset.
    Offset {
        /// Offset in the format.
        format: usize,
        /// Offset in the type.
        rust: usize,
    },
    /// A field or item of another size.
    Size {
        /// Size in the format.
        format: usize,
        /// Size in the type.
        rust: usize,
    },
    /// A value of another type: `d` where the Rust type has an `i64`.
    Type {
        /// What the format has there.
        format: &'static str,
        /// What the type has there.
        rust: &'static str,
    },
    /// A value in the other byte order.
    ByteOrder,
    /// An array of another shape. [`FormatError::detail`] is the two shapes.
    Shape,
    /// Bytes of the wrong length.
    Length {
        /// Bytes needed.
        needed: usize,
        /// Bytes there are.
        got: usize,
    },
    /// A run of bytes to be taken apart into items that have none: `T{}`.
    NoBytes {
        /// Bytes given.
        given: usize,
    },
    /// A number that the code cannot hold: 300 as `B`. [`FormatError::detail`] is the number.
    OutOfRange {
        /// The code.
        code: &'static str,
        /// Size of the value in bytes, or bits for `t`.
        size: usize,
    },
    /// A value of a kind that the code cannot hold: text as `i`.
    WrongValue {
        /// The kind that fits.
        expected: &'static str,
        /// The kind that was given.
        found: &'static str,
    },
    /// More or fewer values than there are fields or elements.
    ValueCount {
        /// Fields or elements of the format.
        expected: usize,
        /// Values given.
        found: usize,
    },
    /// A code whose bytes are not a value by themselves: `O`.
    NoValue {
        /// The code.
        code: &'static str,
    },
    /// A unit of text that is no character: a surrogate half, a number past the last one.
    NotText {
        /// The unit.
        unit: u32,
    },
    /// So many values that nobody can hold them: `1000000000000i` over zero-size items.
    TooManyValues {
        /// Values there would be.
        count: usize,
    },
}

/// A refused operation on a format: why, and at which field.
#[derive(Clone, PartialEq, Eq)]
pub struct FormatError(Box<Inner>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Inner {
    kind: FormatErrorKind,
    path: Option<String>,
    detail: Option<Box<str>>,
}

impl FormatError {
    pub(crate) fn at(kind: FormatErrorKind, path: String) -> FormatError {
        FormatError(Box::new(Inner { kind, path: Some(path), detail: None }))
    }

    /// The same error one level further out: `b` inside `a` becomes `a.b`, `[2]` inside `a` becomes `a[2]`.
    pub(crate) fn inside(mut self, outer: &str) -> FormatError {
        let path = match self.0.path.take() {
            None => outer.into(),
            Some(inner) if inner.starts_with('[') => alloc::format!("{outer}{inner}"),
            Some(inner) => alloc::format!("{outer}.{inner}"),
        };
        self.0.path = Some(path);
        self
    }

    /// The same error with what the numbers of its kind cannot say.
    #[cold]
    pub(crate) fn with_detail(mut self, detail: String) -> FormatError {
        self.0.detail = Some(detail.into_boxed_str());
        self
    }

    /// The same error; where it is a number that does not fit, this is the value with that number.
    #[cold]
    pub(crate) fn of_value(self, value: &Value) -> FormatError {
        match self.kind() {
            FormatErrorKind::OutOfRange { .. } if self.0.detail.is_none() => {
                self.with_detail(value.to_string())
            }
            _ => self,
        }
    }

    /// What the numbers of the kind cannot say, as text: the value that does not fit, the names that a record has,
    /// what format and type have; `None` for the kinds that say it all.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        self.0.detail.as_deref()
    }

    /// Why.
    #[must_use]
    pub fn kind(&self) -> FormatErrorKind {
        self.0.kind
    }

    /// The field it concerns, as a path that [`Format::field`](crate::Format::field) understands, or the
    /// path that was looked up; `None` when it is the item as a whole.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        self.0.path.as_deref()
    }
}

impl From<FormatErrorKind> for FormatError {
    fn from(kind: FormatErrorKind) -> FormatError {
        FormatError(Box::new(Inner { kind, path: None, detail: None }))
    }
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use FormatErrorKind as K;
        if let Some(path) = &self.0.path {
            write!(f, "field {path:?}: ")?;
        }
        let detail = |otherwise| self.detail().unwrap_or(otherwise);
        match self.0.kind {
            K::TooManyDimensions { ndim, limit } => write!(f, "{ndim} axes, over the limit of {limit}"),
            K::TooLarge { limit } => write!(f, "a size over {limit} bytes"),
            K::TooDeep { limit } => write!(f, "nested deeper than {limit} levels"),
            K::FieldOffset { offset, least } => {
                write!(f, "offset {offset} lies before {least}, where the field in front of it ends")
            }
            K::FieldEnd { end, itemsize } => write!(f, "ends at byte {end} of a record of {itemsize}"),
            K::BadName => f.write_str("a name with a colon or a zero byte"),
            K::DuplicateName => f.write_str("the name is given twice"),
            K::ItemSize { format, claimed } => {
                write!(f, "the format implies an itemsize of {format}, the buffer says {claimed}")
            }
            K::NoSuchField => write!(f, "no such field, {}", detail("there are others")),
            K::NotNested => f.write_str("has neither fields nor elements"),
            K::BadPath => f.write_str("not a path: fields are joined by '.', indices stand in [ ]"),
            K::IndexOutOfRange { index, len } => write!(f, "index {index} is out of range for length {len}"),
            K::TooManyIndices { given, ndim } => write!(f, "{given} indices for {ndim} axes"),
            K::BitField => f.write_str("a bit field has no byte offset"),
            K::CannotSay { construct, dialect } => write!(f, "the {dialect} dialect cannot say {construct}"),
            K::FieldCount { format, rust } => write!(f, "the format has {format} fields, the type {rust}"),
            K::FieldName => {
                write!(f, "the names differ: {}", detail("one in the format, another in the type"))
            }
            K::Offset { format, rust } => write!(f, "offset {format} in the format, {rust} in the type"),
            K::Size { format, rust } => write!(f, "{format} bytes in the format, {rust} in the type"),
            K::Type { format, rust } => write!(f, "{format} in the format, {rust} in the type"),
            K::ByteOrder => f.write_str("the format has the other byte order"),
            K::Shape => write!(f, "the shapes differ: {}", detail("one in the format, another in the type")),
            K::Length { needed, got } => write!(f, "{needed} bytes are needed, {got} were given"),
            K::NoBytes { given } => write!(f, "{given} bytes are no number of items of 0 bytes"),
            K::OutOfRange { code, size } => {
                let number = detail("the number");
                match (code, size) {
                    ("t", 1) => write!(f, "{number} does not fit a field of one bit")?,
                    ("t", _) => write!(f, "{number} does not fit a field of {size} bits")?,
                    (_, 1) => write!(f, "{number} does not fit '{code}' of one byte")?,
                    _ => write!(f, "{number} does not fit '{code}' of {size} bytes")?,
                }
                match limits(code, size) {
                    Some((least, most)) => write!(f, ", which holds {least} to {most}"),
                    None => Ok(()),
                }
            }
            K::WrongValue { expected, found } => write!(f, "takes {expected}, not {found}"),
            K::ValueCount { expected, found } => write!(f, "takes {expected} values, not {found}"),
            K::NoValue { code } => write!(f, "'{code}' is no value by itself"),
            K::NotText { unit } => write!(f, "the unit {unit:#x} is no character"),
            K::TooManyValues { count } => write!(f, "{count} values are too many to hold"),
        }
    }
}

/// The least and the largest integer of a code; `None` for floats.
fn limits(code: &str, size: usize) -> Option<(i128, i128)> {
    let bits = if code == "t" { size } else { 8 * size };
    match code {
        "b" | "h" | "i" | "l" | "q" | "n" if bits <= 64 => Some((-(1 << (bits - 1)), (1 << (bits - 1)) - 1)),
        "B" | "H" | "I" | "L" | "Q" | "N" | "P" | "t" | "z" | "Z" | "&" if bits <= 64 => {
            Some((0, (1 << bits) - 1))
        }
        _ => None,
    }
}

impl fmt::Debug for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl core::error::Error for FormatError {}
