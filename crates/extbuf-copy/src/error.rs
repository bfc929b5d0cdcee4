//! Why a copy was refused or stopped.

use std::fmt;

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
        }
    }
}

impl std::error::Error for CopyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            CopyErrorKind::Layout(error) => Some(error),
            _ => None,
        }
    }
}
