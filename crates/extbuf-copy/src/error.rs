//! Why a copy was refused or stopped.

use std::fmt;

use extbuf_format::FormatError;
use extbuf_layout::LayoutError;

/// Why a copy was refused or stopped. [`kind`](CopyError::kind) carries the numbers.
///
/// | operation | can fail with |
/// |---|---|
/// | [`Plan::new`](crate::Plan::new) | `Ndim`, `Shape`, `Itemsize`, `Overlap`, `SharedPointer` |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyError {
    kind: CopyErrorKind,
}

impl CopyError {
    /// What was refused, with the numbers that explain it.
    pub fn kind(&self) -> &CopyErrorKind {
        &self.kind
    }
}

impl From<CopyErrorKind> for CopyError {
    fn from(kind: CopyErrorKind) -> CopyError {
        CopyError { kind }
    }
}

impl From<LayoutError> for CopyError {
    fn from(error: LayoutError) -> CopyError {
        CopyErrorKind::Layout(error).into()
    }
}

/// The causes of a [`CopyError`]. Each names an input that causes it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CopyErrorKind {
    /// Different numbers of axes: a destination of shape `(6,)` and a source of shape `(2, 3)`.
    Ndim {
        /// Axes of the destination.
        dst: usize,
        /// Axes of the source.
        src: usize,
    },
    /// Different extents along an axis: shapes `(4, 5)` and `(4, 6)`. Nothing is broadcast behind your back.
    Shape {
        /// The first axis that differs.
        axis: usize,
        /// Extent in the destination.
        dst: usize,
        /// Extent in the source.
        src: usize,
    },
    /// Items of different sizes: `float` into `double`.
    Itemsize {
        /// Bytes of a destination item.
        dst: usize,
        /// Bytes of a source item.
        src: usize,
    },
    /// Two indices of the destination may name the same byte: a stride of 0 along an axis of extent 2.
    Overlap {
        /// The axis whose stride is too small to step over what lies inside it.
        axis: usize,
        /// That stride, in bytes.
        stride: isize,
        /// The bytes that it would have to step over.
        span: usize,
    },
    /// Two indices of the destination may follow one stored pointer to the same bytes: sliding windows over a table of
    /// rows.
    SharedPointer {
        /// The first axis that selects stored pointers.
        axis: usize,
    },
    /// The items hold pointers to reference-counted objects (format `O`): copying their bits would forge references.
    Objects,
    /// A flat block of the wrong length: 10 bytes for a destination of 12.
    Length {
        /// Bytes that the view holds.
        expected: usize,
        /// Bytes given.
        given: usize,
    },
    /// Memory for the result, or for staging an overlapping copy, could not be had: a broadcast view of `2**60` bytes.
    Allocation {
        /// Bytes asked for.
        bytes: usize,
    },
    /// The progress hook asked to stop. The destination is partly written.
    Cancelled {
        /// Parts finished.
        done: usize,
        /// Parts there were.
        parts: usize,
    },
    /// A layout could not be made: a slice out of the layout's terms.
    Layout(LayoutError),
    /// No value of the one format has a meaning in the other: an address into a number, text into another length.
    NoConversion(Box<NoConversion>),
    /// A field of the destination that the source has not: `T{i:a:i:b:}` from `T{i:a:}`.
    MissingField {
        /// Its path, `a.b`; fields without a name count `#0`, `#1`.
        name: String,
    },
    /// A field of the source that the destination has not: `T{i:a:}` from `T{i:a:i:b:}`.
    ExtraField {
        /// Its path, `a.b`; fields without a name count `#0`, `#1`.
        name: String,
    },
    /// A value that the destination's format cannot hold: 300 into `B`. Nothing has been written.
    Value(Box<BadValue>),
    /// A value that is none of the format: a text to fill floats with.
    Format(FormatError),
    /// Two views that are written, or one that is written and one that is read, may have bytes in common: two windows of
    /// one block of foreign memory that are to be exchanged.
    SharedBytes,
    /// A view whose layout or format is not the one that was planned for.
    NotPlanned {
        /// `"destination"` or `"source"`.
        side: &'static str,
    },
}

/// Two formats of which one does not become the other.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NoConversion {
    /// The field, `a.b`; empty where it is the item itself.
    pub path: String,
    /// Format of the destination.
    pub dst: String,
    /// Format of the source.
    pub src: String,
}

/// The first value, in C order of the indices, that does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BadValue {
    /// Index of the item.
    pub index: Vec<usize>,
    /// The field, `a.b`; empty where it is the item itself.
    pub path: String,
    /// The value, as text.
    pub value: String,
    /// The format that cannot hold it.
    pub format: String,
}

impl fmt::Display for CopyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use CopyErrorKind::*;
        match &self.kind {
            Ndim { dst, src } => write!(f, "the destination has {dst} axes, the source {src}"),
            Shape { axis, dst, src } => {
                write!(f, "axis {axis} has extent {dst} in the destination and {src} in the source")
            }
            Itemsize { dst, src } => {
                write!(f, "items of {dst} bytes in the destination, of {src} bytes in the source")
            }
            Overlap { axis, stride, span } => write!(
                f,
                "the destination may overlap itself: axis {axis} steps {stride} bytes over items that span {span}"
            ),
            SharedPointer { axis } => write!(
                f,
                "the destination may overlap itself: two indices along axis {axis} may follow one stored pointer"
            ),
            Objects => {
                write!(f, "items hold object references (format 'O'), which cannot be copied as bytes")
            }
            Length { expected, given } => {
                write!(f, "the view holds {expected} bytes, the block given has {given}")
            }
            Allocation { bytes } => write!(f, "no memory for {bytes} bytes"),
            Cancelled { done, parts } => {
                write!(f, "stopped by the progress hook after {done} of {parts} parts")
            }
            Layout(error) => write!(f, "{error}"),
            NoConversion(what) => {
                write!(f, "no conversion from format '{}' to '{}'{}", what.src, what.dst, InField(&what.path))
            }
            MissingField { name } => write!(f, "the destination's field {name:?} is missing in the source"),
            ExtraField { name } => write!(f, "the source's field {name:?} is none of the destination's"),
            Value(bad) => write!(
                f,
                "the value {} at index {:?}{} does not fit format '{}'; nothing has been written",
                bad.value,
                bad.index,
                InField(&bad.path),
                bad.format
            ),
            Format(error) => write!(f, "{error}"),
            SharedBytes => f.write_str("the two views may have bytes in common"),
            NotPlanned { side } => {
                write!(f, "the {side} is not of the layout and format that were planned for")
            }
        }
    }
}

/// The words for a field, or none.
struct InField<'p>(&'p str);

impl fmt::Display for InField<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, ", field {:?}", self.0) }
    }
}

impl std::error::Error for CopyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            CopyErrorKind::Layout(error) => Some(error),
            CopyErrorKind::Format(error) => Some(error),
            _ => None,
        }
    }
}
