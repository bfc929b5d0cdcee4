//! Why a layout, or an operation on one, was refused.

use core::fmt;

use crate::encode::EncodeRefusal;

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
    StrideOverflow {
        /// The level concerned, counted from 0.
        level: usize,
        /// The axis whose step leaves the range.
        axis: usize,
        /// Its stride.
        stride: isize,
        /// Its entries.
        extent: usize,
        /// The offset of the level, from which the axes up to this one step.
        offset: isize,
    },
    /// Every item begins in the range of addresses, and the last does not end there, or lies too far from the first for
    /// one block: an item of 1 byte at offset `isize::MAX`.
    AddressOverflow {
        /// The level concerned, counted from 0.
        level: usize,
        /// Where the lowest item, or pointer, begins.
        low: isize,
        /// Where the highest begins.
        high: isize,
        /// Bytes of the item, or of a pointer.
        width: usize,
    },
    /// An axis that is not there: axis 3 of a layout of 2 axes.
    AxisOutOfRange {
        /// The axis named.
        axis: usize,
        /// Axes to choose from.
        ndim: usize,
    },
    /// An axis named twice: the permutation `(0, 0)`.
    AxisRepeated {
        /// The axis concerned.
        axis: usize,
    },
    /// A permutation of another number of axes: `(1, 0)` for a layout of 3 axes.
    PermutationLength {
        /// Axes named.
        given: usize,
        /// Axes there are.
        ndim: usize,
    },
    /// An axis to drop whose extent is not 1.
    AxisNotUnit {
        /// The axis concerned.
        axis: usize,
        /// Its extent.
        extent: usize,
    },
    /// An index outside its axis: 4, or -5, on an axis of 4 entries.
    IndexOutOfRange {
        /// The axis concerned.
        axis: usize,
        /// The index asked for.
        index: isize,
        /// Entries of the axis.
        extent: usize,
    },
    /// A slice with step 0.
    ZeroStep {
        /// The axis concerned.
        axis: usize,
    },
    /// More indices and slices than axes: three entries for a layout of 2 axes.
    TooManyIndices {
        /// Entries given, new axes and the ellipsis not counted.
        given: usize,
        /// Axes there are.
        ndim: usize,
    },
    /// A second ellipsis in one multi-axis slice.
    SecondEllipsis,
    /// A field that leaves its item: 4 bytes at offset 6 of an item of 8 bytes.
    FieldOutsideItem {
        /// Where the field begins.
        offset: usize,
        /// Bytes of the field.
        field: usize,
        /// Bytes of the item.
        itemsize: usize,
    },
    /// A broadcast to fewer axes than there are.
    BroadcastAxes {
        /// Axes there are.
        ndim: usize,
        /// Axes asked for.
        wanted: usize,
    },
    /// An extent that cannot be repeated to the one asked for: 3 to 5.
    Broadcast {
        /// The axis of the result.
        axis: usize,
        /// The extent there is.
        extent: usize,
        /// The extent asked for.
        wanted: usize,
    },
    /// A window of no entries or of more than the axis has.
    Window {
        /// The axis concerned.
        axis: usize,
        /// Entries of a window.
        size: usize,
        /// Entries of the axis.
        extent: usize,
    },
    /// Extents whose product is not the extent of the axis to split: `(2, 3)` for an axis of 7 entries.
    SplitProduct {
        /// The axis concerned.
        axis: usize,
        /// Entries of the axis.
        extent: usize,
        /// The product asked for, `None` where it is over `usize::MAX`.
        product: Option<usize>,
    },
    /// A cut beyond the end of an axis: at 5 on an axis of 4 entries.
    SplitBeyond {
        /// The axis concerned.
        axis: usize,
        /// Where to cut.
        at: usize,
        /// Entries of the axis.
        extent: usize,
    },
    /// Two axes that would have to become one and cannot: rows with a gap behind each.
    CannotMerge {
        /// The slower axis.
        axis: usize,
        /// The faster axis.
        next: usize,
        /// The first level at which a step of the slower axis is not as far as all steps of the faster.
        level: usize,
    },
    /// A shape with another number of items.
    ReshapeItems {
        /// Items there are.
        items: usize,
        /// Items asked for, `None` where they are over `usize::MAX`.
        wanted: Option<usize>,
    },
    /// Not one block size per axis.
    TileLength {
        /// Block sizes given.
        given: usize,
        /// Axes there are.
        ndim: usize,
    },
    /// An extent that is no multiple of its block: blocks of 3 on an axis of 7 entries, or blocks of 0.
    Tile {
        /// The axis concerned.
        axis: usize,
        /// Entries of a block.
        block: usize,
        /// Entries of the axis.
        extent: usize,
    },
    /// Another itemsize for a layout without axes.
    CastNoAxis {
        /// Bytes of one item.
        itemsize: usize,
        /// Bytes of one item asked for.
        wanted: usize,
    },
    /// Another itemsize where the items of the last axis do not lie side by side.
    CastGap {
        /// The last axis.
        axis: usize,
        /// The level concerned.
        level: usize,
        /// The stride of the axis there.
        stride: isize,
        /// Bytes of one item.
        itemsize: usize,
    },
    /// An itemsize that does not divide the bytes of the last axis: 8 for 3 items of 4 bytes; or an itemsize of 0.
    CastUneven {
        /// The last axis.
        axis: usize,
        /// Its entries.
        extent: usize,
        /// Bytes of one item.
        itemsize: usize,
        /// Bytes of one item asked for.
        wanted: usize,
    },
    /// Two layouts to join that differ in itemsize, number of axes or number of levels.
    JoinUnlike {
        /// The first of the three that differs: `"itemsize"`, `"ndim"` or `"levels"`.
        what: &'static str,
        /// It in the first.
        first: usize,
        /// It in the second.
        next: usize,
    },
    /// Two layouts to join that differ in the extent of another axis.
    JoinExtent {
        /// The axis concerned.
        axis: usize,
        /// The extent in the first.
        extent: usize,
        /// The extent in the second.
        next: usize,
    },
    /// Two layouts to join that are not one: strides differ, or the second does not begin where the first ends.
    JoinApart {
        /// The axis concerned.
        axis: usize,
        /// The first level at which they part.
        level: usize,
    },
    /// A layout that leaves its block of memory: 4 items of 4 bytes in a block of 15.
    OutsideBlock {
        /// The lowest byte reached, from the start of the block.
        low: isize,
        /// One past the highest byte reached.
        high: isize,
        /// Bytes of the block.
        block: usize,
    },
    /// An encoding's array that is not as long as the shape: 2 suboffsets for 3 axes.
    EncodedLength {
        /// What the array holds.
        what: &'static str,
        /// Entries given.
        given: usize,
        /// Axes of the shape.
        ndim: usize,
    },
    /// A number of an encoding that does not fit the addresses of this machine: an extent of `2**40` on 32 bits.
    EncodedRange {
        /// What the number is.
        what: &'static str,
        /// Its axis, where it has one.
        axis: Option<usize>,
    },
    /// A layout that an encoding cannot say.
    NotEncodable {
        /// The name of the encoding.
        encoding: &'static str,
        /// The axis at which it fails, where one is to blame.
        axis: Option<usize>,
        /// Why.
        refusal: EncodeRefusal,
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
                write!(f, "level {level} has {} for ndim {ndim}", Counted(*strides, "stride"))
            }
            NegativeExtent { axis, extent } => write!(f, "axis {axis} has extent {extent}, below 0"),
            TooManyBytes { axis: Some(axis), itemsize } => write!(
                f,
                "items of {}: at axis {axis} their total leaves the limit of {} bytes",
                Counted(*itemsize, "byte"),
                isize::MAX
            ),
            TooManyBytes { axis: None, itemsize } => {
                write!(f, "an itemsize of {itemsize} bytes is over the limit of {} bytes", isize::MAX)
            }
            StrideOverflow { level, axis, stride, extent, offset } => write!(
                f,
                "level {level}, axis {axis}: stride {stride} over an extent of {extent}, from offset {offset}, leaves \
                 the limit of {} bytes",
                isize::MAX
            ),
            AddressOverflow { level, low, high, width } => write!(
                f,
                "level {level}: from byte {low} to {} at byte {high} is over the limit of {} bytes",
                Counted(*width, "byte"),
                isize::MAX
            ),
            AxisOutOfRange { axis, ndim } => write!(f, "there is no axis {axis}, ndim is {ndim}"),
            AxisRepeated { axis } => write!(f, "axis {axis} is named twice"),
            PermutationLength { given, ndim } => {
                write!(f, "a permutation of {given} axes for a layout of {ndim}")
            }
            AxisNotUnit { axis, extent } => {
                write!(f, "axis {axis} has extent {extent}, only an axis of extent 1 can be dropped")
            }
            IndexOutOfRange { axis, index, extent } => {
                write!(f, "index {index} is outside axis {axis} of extent {extent}")
            }
            ZeroStep { axis } => write!(f, "axis {axis} is sliced with step 0"),
            TooManyIndices { given, ndim } => write!(f, "{given} indices given for a layout of ndim {ndim}"),
            SecondEllipsis => write!(f, "a second ellipsis, only one can be expanded"),
            FieldOutsideItem { offset, field, itemsize } => {
                write!(f, "a field of {field} bytes at byte {offset} leaves the item of {itemsize} bytes")
            }
            BroadcastAxes { ndim, wanted } => write!(f, "{ndim} axes cannot be broadcast to {wanted}"),
            Broadcast { axis, extent, wanted } => {
                write!(f, "axis {axis} of the result: extent {extent} cannot be broadcast to {wanted}")
            }
            Window { axis, size, extent } => {
                write!(f, "a window of {size} entries on axis {axis}, which has {extent}")
            }
            SplitProduct { axis, extent, product: Some(product) } => {
                write!(f, "axis {axis} has {extent} entries and cannot be split into {product}")
            }
            SplitProduct { axis, extent, product: None } => {
                write!(
                    f,
                    "axis {axis} has {extent} entries and cannot be split into more than {}",
                    usize::MAX
                )
            }
            SplitBeyond { axis, at, extent } => {
                write!(f, "axis {axis} has {extent} entries and cannot be split at {at}")
            }
            CannotMerge { axis, next, level } => write!(
                f,
                "axes {axis} and {next} cannot become one: at level {level} a step of axis {axis} is not as far as \
                 all steps of axis {next}"
            ),
            ReshapeItems { items, wanted: Some(wanted) } => {
                write!(f, "{items} items cannot be given a shape of {wanted}")
            }
            ReshapeItems { items, wanted: None } => {
                write!(f, "{items} items cannot be given a shape of more than {}", usize::MAX)
            }
            TileLength { given, ndim } => write!(f, "{given} block sizes for {ndim} axes"),
            Tile { axis, block, extent } => {
                write!(f, "axis {axis} has {extent} entries, which are not whole blocks of {block}")
            }
            CastNoAxis { itemsize, wanted } => {
                write!(f, "without axes an item of {itemsize} bytes cannot become items of {wanted}")
            }
            CastGap { axis, level, stride, itemsize } => write!(
                f,
                "axis {axis} has stride {stride} at level {level}, so its items of {itemsize} bytes do not lie side \
                 by side"
            ),
            CastUneven { axis, extent, itemsize, wanted } => write!(
                f,
                "axis {axis} has {} of {}, which are not whole items of {wanted}",
                Counted(*extent, "item"),
                Counted(*itemsize, "byte")
            ),
            JoinUnlike { what, first, next } => {
                write!(f, "layouts to join differ in {what}: {first} in the first, {next} in the second")
            }
            JoinExtent { axis, extent, next } => {
                write!(f, "layouts to join have extents {extent} and {next} on axis {axis}")
            }
            JoinApart { axis, level } => {
                write!(f, "layouts to join are not one layout: they part on axis {axis} at level {level}")
            }
            OutsideBlock { low, high, block } => {
                write!(f, "bytes {low}..{high} leave the block of {block} bytes")
            }
            EncodedLength { what, given, ndim } => write!(f, "{given} {what} for {ndim} axes"),
            EncodedRange { what, axis: Some(axis) } => {
                write!(f, "axis {axis}: a number of {what} leaves the {}-bit address range", isize::BITS)
            }
            EncodedRange { what, axis: None } => {
                write!(f, "the {what} leaves the {}-bit address range", isize::BITS)
            }
            NotEncodable { encoding, axis: Some(axis), refusal: refusal @ EncodeRefusal::Loads { .. } } => {
                write!(f, "{encoding} cannot say this layout: axis {axis} steps behind a load, and {refusal}")
            }
            NotEncodable { encoding, axis: Some(axis), refusal } => {
                write!(f, "{encoding} cannot say this layout: axis {axis} {refusal}")
            }
            NotEncodable { encoding, axis: None, refusal } => {
                write!(f, "{encoding} cannot say this layout: {refusal}")
            }
        }
    }
}

/// So many of a thing, in the singular where it is one.
struct Counted(usize, &'static str);

impl fmt::Display for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}{}", self.0, self.1, if self.0 == 1 { "" } else { "s" })
    }
}

impl core::error::Error for LayoutError {}
