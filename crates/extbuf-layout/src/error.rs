//! Why a layout, or an operation on one, was refused.

use core::fmt;

/// Why a layout, or an operation on one, was refused. [`kind`](LayoutError::kind) carries the numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayoutError {
    kind: LayoutErrorKind,
}

impl LayoutError {
    /// What was refused, with the numbers that explain it.
    pub fn kind(&self) -> &LayoutErrorKind {
        &self.kind
    }
}

impl From<LayoutErrorKind> for LayoutError {
    fn from(kind: LayoutErrorKind) -> LayoutError {
        LayoutError { kind }
    }
}

/// The causes of a [`LayoutError`]. Each names an input that causes it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LayoutErrorKind {
    /// More axes than [`MAX_NDIM`](crate::MAX_NDIM): a shape of 65 entries.
    TooManyAxes {
        /// Axes asked for.
        ndim: usize,
    },
    /// More levels than [`MAX_LEVELS`](crate::MAX_LEVELS): 65 pointers to follow.
    TooManyLevels {
        /// Levels asked for.
        levels: usize,
    },
    /// No level at all: an empty `levels`.
    NoLevel,
    /// A level whose strides are not as many as the axes: shape `(2, 3)` with strides `(8,)`.
    StridesLength {
        /// The level concerned, counted from 0.
        level: usize,
        /// Strides given.
        strides: usize,
        /// Axes of the shape.
        ndim: usize,
    },
    /// An extent below zero: shape `(4, -1)`.
    NegativeExtent {
        /// The axis concerned.
        axis: usize,
        /// The extent claimed.
        extent: isize,
    },
    /// Items times itemsize does not fit `isize`: shape `(2**32, 2**32)`.
    TooManyBytes {
        /// The axis at which the product left the range, or `None` where the itemsize alone is too large.
        axis: Option<usize>,
        /// Bytes of one item.
        itemsize: usize,
    },
    /// An address, relative to the base or to a loaded pointer, does not fit `isize`: stride `isize::MAX`, extent 3.
    AddressOverflow {
        /// The level concerned, counted from 0.
        level: usize,
        /// The axis whose step leaves the range, or `None` where the offset and the itemsize alone do.
        axis: Option<usize>,
    },
}

impl fmt::Display for LayoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use LayoutErrorKind::*;
        match &self.kind {
            TooManyAxes { ndim } => write!(f, "{ndim} axes, the limit is {}", crate::MAX_NDIM),
            TooManyLevels { levels } => write!(f, "{levels} levels, the limit is {}", crate::MAX_LEVELS),
            NoLevel => write!(f, "a layout needs at least one level, got none"),
            StridesLength { level, strides, ndim } => {
                write!(f, "level {level} has {strides} strides for {ndim} axes")
            }
            NegativeExtent { axis, extent } => write!(f, "axis {axis} has extent {extent}, below 0"),
            TooManyBytes { axis: Some(axis), itemsize } => write!(
                f,
                "items of {itemsize} bytes: at axis {axis} their total leaves the limit of {} bytes",
                isize::MAX
            ),
            TooManyBytes { axis: None, itemsize } => {
                write!(f, "an itemsize of {itemsize} bytes is over the limit of {} bytes", isize::MAX)
            }
            AddressOverflow { level, axis: Some(axis) } => write!(
                f,
                "level {level}, axis {axis}: the reach of its stride leaves the {}-bit address range",
                isize::BITS
            ),
            AddressOverflow { level, axis: None } => {
                write!(f, "level {level}: its offset leaves the {}-bit address range", isize::BITS)
            }
        }
    }
}

impl core::error::Error for LayoutError {}
