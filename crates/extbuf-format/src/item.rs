//! The item as it is meant: scalars, arrays, records and pointers with their offsets and sizes.
//!
//! A [`Format`] is one pointer wide plus a tag: a scalar lies inline, so that a single code needs no
//! allocation; a tree lies behind an `Arc`, so that a clone is a count; and a tree that a `const` built (the
//! format of a Rust type) is a static reference, so that `Element::FORMAT` costs nothing at run time.
//!
//! A tree is built once and never changes. What holds for every node:
//!
//! - F1: sizes and offsets fit `isize`.
//! - F2: fields come in ascending order, do not overlap and end inside their record.
//! - F3: at most [`MAX_DEPTH`] records, pointers and custom types lie inside each other, and at most
//!   [`MAX_DIMS`] axes in one array; so recursion over a tree is bounded.
//! - F4: an array's element is not itself an array, except in formats of Rust types (`[[T; 3]; 2]`).
//! - F5: a record without braces is the whole item and never part of another.
//! - F6: neighbours without names are one run when they are the same, except in formats of Rust types.

use alloc::borrow::Cow;
use alloc::sync::Arc;

use crate::scalar::{Code, Kind, Mark, Scalar};

/// The deepest nesting of records, pointers and custom types that is read or built.
pub const MAX_DEPTH: usize = 64;

/// The most axes of one array: the limit of the buffer interface itself.
pub const MAX_DIMS: usize = 64;

/// What one item of a buffer is: a checked description with size, alignment and fields.
///
/// A format is obtained from text ([`Format::parse`]), from a Rust type ([`Element::FORMAT`]), or from its
/// parts ([`Format::scalar`], [`Format::array`], [`Format::record`]). It is cheap to clone and immutable.
///
/// `==` compares by meaning: `<i` equals `i` on a little-endian machine, `l` equals `q` where a C long has
/// eight bytes, but `ii`, `T{ii}` and `(2)i` are three different items. Alignment is not part of the meaning:
/// the offsets it led to are.
///
/// `Display` writes text that [`Format::parse`] reads back as an equal format.
///
/// ```
/// use extbuf_format::Format;
///
/// let format = Format::parse("T{B:tag:<d:x:(2,3)h:m:}")?;
/// assert_eq!(format.itemsize(), 1 + 8 + 12);
/// let m = format.fields().nth(2).unwrap();
/// assert_eq!((m.name(), m.offset(), m.format().itemsize()), (Some("m"), 9, 12));
/// # Ok::<(), extbuf_format::ParseError>(())
/// ```
///
/// [`Element::FORMAT`]: crate::Element::FORMAT
#[derive(Clone)]
pub struct Format(pub(crate) Repr);

#[derive(Clone)]
pub(crate) enum Repr {
    Scalar(Scalar),
    Static(&'static Node),
    Shared(Arc<Node>),
}

/// What a [`Format`] holds when it is not one scalar.
#[doc(hidden)]
#[derive(Debug)]
pub enum Node {
    Array(Array),
    Record(Record),
    Pointer(Pointer),
    Function(Function),
    Custom(Custom),
}

/// One look at a format: which of the six things it is.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Item<'a> {
    /// One value.
    Scalar(Scalar),
    /// Equal values in a C-ordered block: `(2,3)d`.
    Array(&'a Array),
    /// Fields at offsets: `T{…}`, or several entries at top level.
    Record(&'a Record),
    /// The address of an item: `&d`.
    Pointer(&'a Pointer),
    /// The address of a function: `X{…}`.
    Function(&'a Function),
    /// A type known by name: `[bfloat16]`.
    Custom(&'a Custom),
}

/// Equal values in a C-ordered block without gaps.
#[derive(Debug)]
pub struct Array {
    pub(crate) shape: Cow<'static, [usize]>,
    pub(crate) element: Format,
    pub(crate) itemsize: usize,
}

impl Array {
    /// Length of each axis, outermost first. Empty never; an axis may have length 0.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Format of one element.
    #[must_use]
    pub fn element(&self) -> &Format {
        &self.element
    }

    /// Number of elements; 0 when an axis has length 0.
    #[must_use]
    pub fn count(&self) -> usize {
        // No overflow: the product is 0, or count * itemsize fits isize and the element has bytes, or it was
        // checked by itself when the element has none.
        if self.shape.contains(&0) { 0 } else { self.shape.iter().product() }
    }
}

/// Whether a record was written with braces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bounds {
    /// `T{ii}`: one value with fields.
    Braced,
    /// `ii`: several values in a row, the struct module's tuple.
    Open,
}

/// Fields at ascending offsets.
#[derive(Debug)]
pub struct Record {
    pub(crate) runs: Cow<'static, [Run]>,
    pub(crate) itemsize: usize,
    /// The largest alignment of a member where the end is padded to it, else 1.
    pub(crate) alignment: usize,
    /// The mark in force where the record stands: under `@` it is itself aligned.
    pub(crate) mark: Mark,
    pub(crate) bounds: Bounds,
}

impl Record {
    /// The fields, repeats written once: `1000000i` is one run.
    #[must_use]
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// Whether it was written with braces.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// The fields one by one, in order of offset.
    #[must_use]
    pub fn fields(&self) -> Fields<'_> {
        Fields { runs: &self.runs, step: 0 }
    }
}

/// One field, or a repeat of unnamed fields one after the other.
#[derive(Clone, Debug)]
pub struct Run {
    pub(crate) name: Option<Name>,
    pub(crate) offset: usize,
    pub(crate) bit_offset: u8,
    pub(crate) repeat: usize,
    pub(crate) format: Format,
}

impl Run {
    /// The name between the colons. Two fields of a record may both have none; `i::` has the empty name.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_ref().map(Name::as_str)
    }

    /// Byte offset of the first field of the run from the start of the record.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// How many fields; 1 for a named one, never 0.
    #[must_use]
    pub fn repeat(&self) -> usize {
        self.repeat
    }

    /// Format of one field.
    #[must_use]
    pub fn format(&self) -> &Format {
        &self.format
    }

    /// For a bit field the bit of the byte at [`offset`](Run::offset) where it starts, else 0.
    #[must_use]
    pub fn bit_offset(&self) -> u8 {
        self.bit_offset
    }

    /// Bytes from the first to one past the last that the run touches.
    pub(crate) fn extent(&self) -> usize {
        match self.format.as_scalar() {
            Some(s) if s.code() == Code::Bits => (usize::from(self.bit_offset) + s.len()).div_ceil(8),
            _ => self.repeat * self.format.itemsize(),
        }
    }
}

/// The name of a field: of a Rust type, or a part of the text that was parsed, which all names of the text
/// share.
#[derive(Clone, Debug)]
pub(crate) enum Name {
    Static(&'static str),
    Part { text: Arc<str>, start: usize, end: usize },
}

impl Name {
    pub(crate) fn new(name: &str) -> Name {
        Name::Part { text: Arc::from(name), start: 0, end: name.len() }
    }

    pub(crate) fn as_str(&self) -> &str {
        match self {
            Name::Static(name) => name,
            Name::Part { text, start, end } => &text[*start..*end],
        }
    }
}

/// One field of a record, seen in place.
#[derive(Clone, Copy, Debug)]
pub struct Field<'a> {
    run: &'a Run,
    step: usize,
}

impl<'a> Field<'a> {
    /// The name between the colons, if it has one.
    #[must_use]
    pub fn name(&self) -> Option<&'a str> {
        self.run.name()
    }

    /// Byte offset from the start of the record.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.run.offset + self.step * self.run.format.itemsize()
    }

    /// For a bit field the bit of the byte at [`offset`](Field::offset) where it starts, else 0. Bits are
    /// counted from the least significant in little-endian order and from the most significant in big.
    #[must_use]
    pub fn bit_offset(&self) -> u8 {
        self.run.bit_offset
    }

    /// Format of the field.
    #[must_use]
    pub fn format(&self) -> &'a Format {
        &self.run.format
    }
}

/// Iterator over the fields of a record, in order of offset. See [`Format::fields`].
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    runs: &'a [Run],
    step: usize,
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        let run = self.runs.first()?;
        let field = Field { run, step: self.step };
        self.step += 1;
        if self.step == run.repeat {
            self.runs = &self.runs[1..];
            self.step = 0;
        }
        Some(field)
    }

    fn nth(&mut self, mut n: usize) -> Option<Field<'a>> {
        // Over whole runs in one step: a repeat count may be larger than anybody can wait for.
        loop {
            let run = self.runs.first()?;
            let left = run.repeat - self.step;
            if n < left {
                self.step += n;
                return self.next();
            }
            n -= left;
            self.runs = &self.runs[1..];
            self.step = 0;
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let all = self.runs.iter().fold(0usize, |sum, run| sum.saturating_add(run.repeat));
        let left = all.saturating_sub(self.step);
        (left, Some(left))
    }
}

/// The address of an item that lies elsewhere.
#[derive(Debug)]
pub struct Pointer {
    pub(crate) target: Format,
    pub(crate) mark: Mark,
}

impl Pointer {
    /// Format of what is pointed to.
    #[must_use]
    pub fn target(&self) -> &Format {
        &self.target
    }
}

/// The address of a function.
#[derive(Debug)]
pub struct Function {
    pub(crate) signature: Cow<'static, str>,
    pub(crate) mark: Mark,
}

impl Function {
    /// What stood between the braces, as it was written. The PEP leaves its grammar open.
    #[must_use]
    pub fn signature(&self) -> &str {
        &self.signature
    }
}

/// A type known by name: `[name$params;alias]`, name and parameters kept as they were written.
///
/// The alias says how the bytes are stored for those who do not know the name: `[datetime64$ns;q]`. The
/// names in [`Custom::KNOWN`] need none.
#[derive(Debug)]
pub struct Custom {
    pub(crate) name: Cow<'static, str>,
    pub(crate) params: Option<Cow<'static, str>>,
    pub(crate) storage: Format,
    pub(crate) mark: Mark,
}

impl Custom {
    /// Names whose storage is known without an alias, and the code that they are stored as.
    pub const KNOWN: [(&'static str, Code); 11] = [
        ("bfloat16", Code::UnsignedShort),
        ("float8_e3m4", Code::UnsignedChar),
        ("float8_e4m3", Code::UnsignedChar),
        ("float8_e4m3b11fnuz", Code::UnsignedChar),
        ("float8_e4m3fn", Code::UnsignedChar),
        ("float8_e4m3fnuz", Code::UnsignedChar),
        ("float8_e5m2", Code::UnsignedChar),
        ("float8_e5m2fnuz", Code::UnsignedChar),
        ("float8_e8m0fnu", Code::UnsignedChar),
        ("datetime64", Code::LongLong),
        ("timedelta64", Code::LongLong),
    ];

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// True where the values are known to be numbers: stored as an unsigned integer of two bytes, which an alias may
    /// deny.
    pub(crate) fn is_bfloat16(&self) -> bool {
        let two_bytes = |scalar: Scalar| scalar.kind() == Kind::UInt && scalar.itemsize() == 2;
        self.name == "bfloat16" && self.storage.as_scalar().is_some_and(two_bytes)
    }

    /// What stood between `$` and `;` or `]`.
    #[must_use]
    pub fn params(&self) -> Option<&str> {
        self.params.as_deref()
    }

    /// How the bytes are stored: the alias, or what is known of the name.
    #[must_use]
    pub fn storage(&self) -> &Format {
        &self.storage
    }
}

/// One unsigned byte.
static BYTES: Format = Format::scalar(Scalar::new(Code::UnsignedChar, Mark::Native));

impl Format {
    /// The format of one value. A `const fn`: no allocation, usable in constants.
    #[must_use]
    pub const fn scalar(scalar: Scalar) -> Format {
        Format(Repr::Scalar(scalar))
    }

    /// `B`, unsigned bytes: what a buffer without a format holds.
    #[must_use]
    pub const fn bytes() -> Format {
        Format::scalar(Scalar::new(Code::UnsignedChar, Mark::Native))
    }

    /// The same as [`Format::bytes`], to borrow.
    #[must_use]
    pub fn bytes_ref() -> &'static Format {
        &BYTES
    }

    #[doc(hidden)]
    #[must_use]
    pub const fn from_static(node: &'static Node) -> Format {
        Format(Repr::Static(node))
    }

    pub(crate) fn from_node(node: Node) -> Format {
        Format(Repr::Shared(Arc::new(node)))
    }

    /// Which of the six things it is.
    #[must_use]
    #[inline]
    pub fn item(&self) -> Item<'_> {
        let node = match &self.0 {
            Repr::Scalar(scalar) => return Item::Scalar(*scalar),
            Repr::Static(node) => *node,
            Repr::Shared(node) => &**node,
        };
        match node {
            Node::Array(array) => Item::Array(array),
            Node::Record(record) => Item::Record(record),
            Node::Pointer(pointer) => Item::Pointer(pointer),
            Node::Function(function) => Item::Function(function),
            Node::Custom(custom) => Item::Custom(custom),
        }
    }

    /// The scalar, when the item is one value and nothing else.
    #[must_use]
    pub const fn as_scalar(&self) -> Option<Scalar> {
        match &self.0 {
            Repr::Scalar(scalar) => Some(*scalar),
            _ => None,
        }
    }

    /// The record, when the item has fields.
    #[must_use]
    pub fn as_record(&self) -> Option<&Record> {
        match self.item() {
            Item::Record(record) => Some(record),
            _ => None,
        }
    }

    /// Size of one item in bytes, padding included. 0 is possible: `T{}`, `0s`.
    #[must_use]
    #[inline]
    pub fn itemsize(&self) -> usize {
        match self.item() {
            Item::Scalar(scalar) => scalar.itemsize(),
            Item::Array(array) => array.itemsize,
            Item::Record(record) => record.itemsize,
            Item::Pointer(_) | Item::Function(_) => size_of::<usize>(),
            Item::Custom(custom) => custom.storage.itemsize(),
        }
    }

    /// The itemsize of a format that is a constant.
    ///
    /// # Panics
    ///
    /// If it was made at run time, as no constant is.
    pub(crate) const fn constant_itemsize(&self) -> usize {
        match &self.0 {
            Repr::Scalar(scalar) => scalar.itemsize(),
            Repr::Static(Node::Array(array)) => array.itemsize,
            Repr::Static(Node::Record(record)) => record.itemsize,
            Repr::Static(Node::Pointer(_) | Node::Function(_)) => size_of::<usize>(),
            Repr::Static(Node::Custom(custom)) => custom.storage.constant_itemsize(),
            Repr::Shared(_) => panic!("a format that was made at run time is no constant"),
        }
    }

    /// Alignment in bytes that the item was placed by: C's under `@`, 1 under every other mark.
    #[must_use]
    pub fn alignment(&self) -> usize {
        let aligned = |mark: Mark| if mark.aligns() { align_of::<usize>() } else { 1 };
        match self.item() {
            Item::Scalar(scalar) => scalar.alignment(),
            Item::Array(array) => array.element.alignment(),
            Item::Record(record) => {
                if record.mark.aligns() {
                    record.alignment
                } else {
                    1
                }
            }
            Item::Pointer(pointer) => aligned(pointer.mark),
            Item::Function(function) => aligned(function.mark),
            Item::Custom(custom) => {
                if custom.mark.aligns() {
                    custom.storage.alignment()
                } else {
                    1
                }
            }
        }
    }

    /// The fields of a record one by one, in order of offset; nothing when the item is no record.
    ///
    /// Repeats are expanded while iterating: `3i` has three fields, and `1000000000i` costs no memory.
    #[must_use]
    pub fn fields(&self) -> Fields<'_> {
        match self.item() {
            Item::Record(record) => record.fields(),
            _ => Fields { runs: &[], step: 0 },
        }
    }

    /// Whether an `O` lies anywhere in the item: references to an interpreter's objects, whose bits must not
    /// be copied without counting them.
    #[must_use]
    pub fn has_objects(&self) -> bool {
        match self.item() {
            Item::Scalar(scalar) => scalar.code() == Code::Object,
            Item::Array(array) => array.element.has_objects(),
            Item::Record(record) => record.runs.iter().any(|run| run.format.has_objects()),
            Item::Custom(custom) => custom.storage.has_objects(),
            Item::Pointer(_) | Item::Function(_) => false,
        }
    }

    /// How many records, pointers and custom types lie inside each other.
    pub(crate) fn depth(&self) -> usize {
        match self.item() {
            Item::Scalar(_) | Item::Function(_) => 0,
            Item::Array(array) => array.element.depth(),
            Item::Record(record) => 1 + record.runs.iter().map(|run| run.format.depth()).max().unwrap_or(0),
            Item::Pointer(pointer) => 1 + pointer.target.depth(),
            Item::Custom(custom) => 1 + custom.storage.depth(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_three_words_at_most_and_sendable() {
        fn send_and_sync<T: Send + Sync>() {}
        send_and_sync::<Format>();
        assert!(size_of::<Format>() <= 3 * size_of::<usize>());
    }
}
