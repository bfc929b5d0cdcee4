//! Why memory was not lent, not shown or not written.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use extbuf_format::FormatError;
use extbuf_layout::{LayoutError, Order};

/// Why memory was not lent, not shown or not written. [`kind`](Refusal::kind) carries the numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    kind: RefusalKind,
}

impl Refusal {
    /// What was refused, with the numbers that explain it.
    pub fn kind(&self) -> &RefusalKind {
        &self.kind
    }
}

impl From<RefusalKind> for Refusal {
    fn from(kind: RefusalKind) -> Refusal {
        Refusal { kind }
    }
}

impl From<LayoutError> for Refusal {
    fn from(error: LayoutError) -> Refusal {
        RefusalKind::Layout(error).into()
    }
}

impl From<FormatError> for Refusal {
    fn from(error: FormatError) -> Refusal {
        RefusalKind::Format(error).into()
    }
}

/// The causes of a [`Refusal`]. Each names an input that causes it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefusalKind {
    /// The request contradicts itself: `PyBUF_*` bits `0x010`, strides without a shape.
    BadRequest {
        /// The bits as they came.
        bits: u32,
        /// What is wrong with them.
        why: &'static str,
    },
    /// A writable request on memory that may only be read: `Request::CONTIG` on a `&[u8]`.
    ReadOnly,
    /// The memory is out and cannot be had that way now: a writable request while a window lives.
    Busy {
        /// Leases that are live.
        live: usize,
        /// True where the live lease is one that writes.
        writing: bool,
    },
    /// A writer panicked and may have left half of its work: [`Locked::read`](crate::Locked::read) after that.
    #[cfg(feature = "std")]
    Poisoned,
    /// The memory cannot be moved or dropped: `resize` while a window lives.
    Pinned {
        /// Leases that are live.
        live: usize,
    },
    /// A contiguous answer was asked for and the layout is not: `Request::F_CONTIGUOUS` on a C matrix.
    NotContiguous {
        /// The order asked for; [`Order::A`] for either.
        order: Order,
    },
    /// No pointers may lie on the way and some do: `Request::STRIDES` on [`Rows`](crate::Rows).
    Indirect {
        /// Loads on the way to an item.
        loads: usize,
    },
    /// No strides were asked for and the layout is not C-contiguous: `Request::ND` on every second item.
    Strided,
    /// A layout that leaves the block it describes: 5 items of 4 bytes in 19 bytes.
    OutOfBlock {
        /// The bytes that the layout reaches, from the start of the block.
        reached: Range<isize>,
        /// Bytes of the block.
        block: usize,
    },
    /// A layout with loads where the exporter promised none: `Export::new` with two levels.
    UnprovenLoads {
        /// Loads on the way to an item.
        loads: usize,
    },
    /// The itemsize of layout and format differ: a layout of 4-byte items with format `d`.
    ItemsizeMismatch {
        /// Bytes of an item by the layout.
        layout: usize,
        /// Bytes of an item by the format.
        format: usize,
    },
    /// Object references would be read as something else, or something else as them: a view of `O` cast to `B`.
    Objects,
    /// Two items may share bytes in memory that is to be written: a broadcast axis.
    ItemsOverlap {
        /// The axis whose stride is too small to step over what lies inside it.
        axis: usize,
        /// That stride, in bytes.
        stride: isize,
        /// The bytes that it would have to step over.
        span: usize,
    },
    /// The number of items does not fit the block: `reshape(&[7])` of a buffer of 6 items.
    ItemCount {
        /// Items asked for.
        wanted: usize,
        /// Items there are.
        items: usize,
    },
    /// Rows of one image differ in length: 640 pixels, then 639.
    RowLength {
        /// The first row that differs.
        row: usize,
        /// Items in it.
        len: usize,
        /// Items in the rows before it.
        expected: usize,
    },
    /// Parts of one whole are described differently: `Nested` of a window of `i` and one of `f`.
    Unlike {
        /// The first part that differs from the first.
        part: usize,
    },
    /// An index with more or fewer entries than there are axes: `[2]` in shape `(2, 3)`.
    IndexLength {
        /// Entries given.
        given: usize,
        /// Axes there are.
        ndim: usize,
    },
    /// An index outside the shape: `[2, 0]` in shape `(2, 3)`.
    OutOfRange {
        /// The axis concerned.
        axis: usize,
        /// The entry of the index.
        index: usize,
        /// The extent of the axis.
        extent: usize,
    },
    /// The bytes of the item are no value of the type: byte 2 read as `bool`.
    InvalidValue(Box<InvalidValue>),
    /// An item lies at an address that is not aligned for the type: `typed::<f64>` on a field at byte 1 of its record.
    Misaligned {
        /// Bytes that the address of a value of the type is a multiple of.
        needed: usize,
        /// The largest power of two that the addresses of all items are multiples of.
        found: usize,
    },
    /// Bytes given for an item are not as many as the item has: 3 bytes written to an `i`.
    ItemBytes {
        /// Bytes given.
        given: usize,
        /// Bytes of an item.
        itemsize: usize,
    },
    /// There is no memory for it: a resize to `usize::MAX / 2` items.
    OutOfMemory {
        /// Bytes asked for, or `usize::MAX` where their number cannot be told.
        bytes: usize,
    },
    /// The layout itself, or an operation on it, was refused.
    Layout(LayoutError),
    /// The format says otherwise: `get::<f32>` on format `i`, `field("c")` of `T{i:a:}`.
    Format(FormatError),
}

/// The first item, in C order of the indices, whose bytes are no value of the type.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidValue {
    /// Index of the item.
    pub index: Vec<usize>,
    /// Its bytes, the first 16 at most. Where others write the memory they are read for this message, after the value
    /// was refused.
    pub bytes: Vec<u8>,
    /// The Rust type asked for, as [`core::any::type_name`] calls it.
    pub asked: &'static str,
}

impl InvalidValue {
    pub(crate) const SHOWN: usize = 16;
}

impl fmt::Display for InvalidValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.bytes.len() == 1 { "byte" } else { "bytes" };
        write!(f, "the {what}")?;
        self.bytes.iter().try_for_each(|byte| write!(f, " {byte:02x}"))?;
        let verb = if self.bytes.len() == 1 { "is" } else { "are" };
        write!(f, " of the item at index {:?} {verb} no value of {}", self.index, self.asked)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use RefusalKind::*;
        match &self.kind {
            BadRequest { bits, why } => write!(f, "request {bits:#05x}: {why}"),
            ReadOnly => write!(f, "a writable request on memory that may only be read"),
            Busy { live, writing: false } => {
                write!(f, "memory is lent: {} for reading", Counted(*live, "live lease"))
            }
            Busy { live: _, writing: true } => write!(f, "memory is lent: one live lease writes"),
            #[cfg(feature = "std")]
            Poisoned => write!(f, "a writer panicked, the memory awaits repair"),
            Pinned { live } => write!(f, "memory is pinned by {}", Counted(*live, "live lease")),
            NotContiguous { order: Order::C } => write!(f, "the layout is not C-contiguous"),
            NotContiguous { order: Order::F } => write!(f, "the layout is not Fortran-contiguous"),
            NotContiguous { order: Order::A } => write!(f, "the layout is not contiguous in any order"),
            Indirect { loads } => {
                write!(f, "items are reached through {}, the request takes none", Counted(*loads, "load"))
            }
            Strided => write!(f, "the layout is not C-contiguous and the request takes no strides"),
            OutOfBlock { reached, block } => write!(
                f,
                "the layout reaches bytes {}..{} of a block of {block} bytes",
                reached.start, reached.end
            ),
            UnprovenLoads { loads } => {
                write!(f, "a layout with pointers on the way ({loads} to follow) that nobody answers for")
            }
            ItemsizeMismatch { layout, format } => {
                write!(f, "an item has {layout} bytes by the layout and {format} by the format")
            }
            Objects => write!(f, "object references cannot be cast"),
            ItemsOverlap { axis, stride, span } => write!(
                f,
                "items may share bytes in memory that is to be written: axis {axis} steps {stride} bytes over items \
                 that span {span}"
            ),
            ItemCount { wanted, items } => write!(f, "{wanted} items asked for, there are {items}"),
            RowLength { row, len, expected } => {
                write!(f, "row {row} has {}, the rows before it {expected}", Counted(*len, "item"))
            }
            Unlike { part } => write!(f, "part {part} is not described as those before it"),
            IndexLength { given, ndim } => write!(f, "an index of length {given} on a view of ndim {ndim}"),
            OutOfRange { axis, index, extent } => {
                write!(f, "index {index} is outside axis {axis} of extent {extent}")
            }
            InvalidValue(what) => what.fmt(f),
            Misaligned { needed, found } => {
                write!(f, "items lie at multiples of {}, the type needs {needed}", Counted(*found, "byte"))
            }
            ItemBytes { given, itemsize } => write!(f, "{given} bytes given for an item of {itemsize}"),
            OutOfMemory { bytes } => write!(f, "no memory for {bytes} bytes"),
            Layout(error) => error.fmt(f),
            Format(error) => error.fmt(f),
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

impl core::error::Error for Refusal {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match &self.kind {
            RefusalKind::Layout(error) => Some(error),
            RefusalKind::Format(error) => Some(error),
            _ => None,
        }
    }
}
