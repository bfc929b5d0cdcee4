//! Whether a format is that of a Rust type, and if not, which field differs and how.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::element::Element;
use crate::equiv::Dims;
use crate::fault::{FormatError, FormatErrorKind as K};
use crate::item::{Format, Item, Record, Repr};
use crate::print::label;
use crate::scalar::{Kind, Scalar};

impl Format {
    /// Whether bytes of this format can be read as `T`: every value of the type lies at its offset, with its
    /// size, kind and byte order.
    ///
    /// Names count only where both sides have one, and braces not at all: `ii` matches a struct of two
    /// `i32`. A run of bytes (`4s`) is not `[u8; 4]`, and `c` is not `char`.
    ///
    /// # Errors
    ///
    /// The first difference, with the path of the field: [`Size`](K::Size), [`FieldCount`](K::FieldCount),
    /// [`FieldName`](K::FieldName), [`Offset`](K::Offset), [`Type`](K::Type), [`ByteOrder`](K::ByteOrder),
    /// [`Shape`](K::Shape).
    ///
    /// ```
    /// use extbuf_format::Format;
    ///
    /// let error = Format::parse("d")?.matches::<i64>().unwrap_err();
    /// assert_eq!(error.to_string(), "float in the format, signed integer in the type");
    /// # Ok::<(), extbuf_format::ParseError>(())
    /// ```
    #[inline]
    pub fn matches<T: Element>(&self) -> Result<(), FormatError> {
        // What is written alike means the same; of scalars that is told at once.
        match (&self.0, &T::FORMAT.0) {
            (Repr::Scalar(a), Repr::Scalar(b)) if a == b => Ok(()),
            _ => same(self, &T::FORMAT),
        }
    }
}

pub(crate) fn same(format: &Format, rust: &Format) -> Result<(), FormatError> {
    let differ = |kind: K| Err(FormatError::from(kind));
    match (format.item(), rust.item()) {
        (Item::Scalar(a), Item::Scalar(b)) => scalars(a, b),
        (Item::Array(a), Item::Array(b)) => {
            let (a, b) = (Dims::of(a), Dims::of(b));
            same(a.base(), b.base())?;
            if a.clone().eq(b.clone()) {
                Ok(())
            } else {
                Err(FormatError::from(K::Shape).with_detail(both(&list(a), &list(b))))
            }
        }
        (Item::Record(a), Item::Record(b)) => records(a, b),
        _ if format == rust => Ok(()),
        _ => match (what(format), what(rust)) {
            (a, b) if a != b => differ(K::Type { format: a, rust: b }),
            _ if format.itemsize() != rust.itemsize() => {
                differ(K::Size { format: format.itemsize(), rust: rust.itemsize() })
            }
            (a, b) => differ(K::Type { format: a, rust: b }),
        },
    }
}

/// What format and type have.
#[cold]
fn both(format: &dyn fmt::Debug, rust: &dyn fmt::Debug) -> String {
    alloc::format!("{format:?} in the format, {rust:?} in the type")
}

/// The extents of an array, as far as a buffer has axes.
#[cold]
fn list(dims: Dims<'_>) -> Vec<usize> {
    dims.take(crate::MAX_DIMS).collect()
}

fn scalars(a: Scalar, b: Scalar) -> Result<(), FormatError> {
    if a.means_same(b) {
        return Ok(());
    }
    Err(if a.kind() != b.kind() {
        K::Type { format: kind_name(a.kind()), rust: kind_name(b.kind()) }
    } else if a.itemsize() != b.itemsize() {
        K::Size { format: a.itemsize(), rust: b.itemsize() }
    } else {
        K::ByteOrder
    }
    .into())
}

fn records(a: &Record, b: &Record) -> Result<(), FormatError> {
    let (mut left, mut right) = (a.fields(), b.fields());
    let (na, nb) = (left.size_hint().0, right.size_hint().0);
    // As many fields as the Rust type has: a format with a repeat of a billion stops here.
    if na != nb {
        return Err(K::FieldCount { format: na, rust: nb }.into());
    }
    let mut index = 0;
    while let (Some(x), Some(y)) = (left.next(), right.next()) {
        let inside = |error: FormatError| error.inside(&label(x.name().or(y.name()), index));
        if let (Some(m), Some(n)) = (x.name(), y.name()) {
            if m != n {
                return Err(inside(FormatError::from(K::FieldName).with_detail(both(&m, &n))));
            }
        }
        if x.offset() != y.offset() || x.bit_offset() != y.bit_offset() {
            return Err(inside(K::Offset { format: x.offset(), rust: y.offset() }.into()));
        }
        same(x.format(), y.format()).map_err(inside)?;
        index += 1;
    }
    if a.itemsize == b.itemsize {
        Ok(())
    } else {
        Err(K::Size { format: a.itemsize, rust: b.itemsize }.into())
    }
}

fn what(format: &Format) -> &'static str {
    match format.item() {
        Item::Scalar(scalar) => kind_name(scalar.kind()),
        Item::Array(_) => "array",
        Item::Record(_) => "record",
        Item::Pointer(_) => "pointer",
        Item::Function(_) => "function pointer",
        Item::Custom(_) => "custom type",
    }
}

/// What a kind is called in messages and tables.
pub(crate) const fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Void => "void",
        Kind::Char => "character",
        Kind::Bool => "bool",
        Kind::Int => "signed integer",
        Kind::UInt => "unsigned integer",
        Kind::Float => "float",
        Kind::Complex => "complex",
        Kind::Bytes => "bytes",
        Kind::Pascal => "Pascal string",
        Kind::Text => "text",
        Kind::Pointer => "pointer",
        Kind::CharPointer => "pointer to text",
        Kind::WidePointer => "pointer to wide text",
        Kind::Object => "object",
        Kind::Bits => "bits",
    }
}
