//! When two formats are the same item, when they can stand in for each other, and which hash agrees.
//!
//! Two formats are equal when every bit of an item means the same under both: same size, same fields under
//! the same names at the same offsets, same values in the same byte order. How it was written does not
//! matter: marks, letters of equal meaning, padding by alignment or by `x`, `iii` or `3i`. What does matter
//! is structure: `ii` is a row of two values, `T{ii}` one value with two fields, `(2)i` one array.

use core::hash::{Hash, Hasher};

use crate::item::{Array, Format, Item, Repr, Run};
use crate::scalar::Scalar;

impl PartialEq for Format {
    fn eq(&self, other: &Format) -> bool {
        if let (Repr::Shared(a), Repr::Shared(b)) = (&self.0, &other.0) {
            if alloc::sync::Arc::ptr_eq(a, b) {
                return true;
            }
        }
        match (self.item(), other.item()) {
            (Item::Scalar(a), Item::Scalar(b)) => a.means_same(b),
            (Item::Array(a), Item::Array(b)) => {
                let (a, b) = (Dims::of(a), Dims::of(b));
                a.clone().eq(b.clone()) && a.base() == b.base()
            }
            (Item::Record(a), Item::Record(b)) => {
                a.itemsize == b.itemsize && a.bounds == b.bounds && Merged(&a.runs).eq(Merged(&b.runs))
            }
            (Item::Pointer(a), Item::Pointer(b)) => a.target == b.target,
            (Item::Function(a), Item::Function(b)) => a.signature == b.signature,
            (Item::Custom(a), Item::Custom(b)) => {
                a.name == b.name && a.params == b.params && a.storage == b.storage
            }
            _ => false,
        }
    }
}

impl Eq for Format {}

impl Hash for Format {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self.item() {
            Item::Scalar(scalar) => (0u8, scalar.meaning()).hash(state),
            Item::Array(array) => {
                1u8.hash(state);
                let dims = Dims::of(array);
                dims.clone().for_each(|n| n.hash(state));
                dims.base().hash(state);
            }
            Item::Record(record) => {
                (2u8, record.itemsize, record.bounds).hash(state);
                Merged(&record.runs).for_each(|field| field.hash(state));
            }
            Item::Pointer(pointer) => {
                3u8.hash(state);
                pointer.target.hash(state);
            }
            Item::Function(function) => (4u8, &function.signature).hash(state),
            Item::Custom(custom) => {
                (5u8, &custom.name, &custom.params).hash(state);
                custom.storage.hash(state);
            }
        }
    }
}

impl Format {
    /// Whether an item of one may be moved byte for byte to where an item of the other is expected: equal
    /// itemsize, and references to objects in neither or only as the whole formats are equal. For consumers
    /// that move items and do not look into them.
    ///
    /// ```
    /// use extbuf_format::Format;
    ///
    /// let rgba = Format::parse("4B")?;
    /// assert!(rgba.is_compatible_with(&Format::parse("<I")?));
    /// assert!(!rgba.is_compatible_with(&Format::parse("3B")?));
    /// # Ok::<(), extbuf_format::ParseError>(())
    /// ```
    #[must_use]
    pub fn is_compatible_with(&self, other: &Format) -> bool {
        let objects = self.has_objects() || other.has_objects();
        self.itemsize() == other.itemsize() && (!objects || self == other)
    }

    /// Whether two neighbours without names can be one run: the same letters under the same marks, or equal
    /// trees.
    pub(crate) fn is_same_run(&self, other: &Format) -> bool {
        match (self.as_scalar(), other.as_scalar()) {
            (Some(a), Some(b)) => a == b && a.code() != crate::scalar::Code::Bits,
            (None, None) => self == other,
            _ => false,
        }
    }

    fn is_static(&self) -> bool {
        matches!(self.0, Repr::Static(_))
    }
}

/// The axes of an array of arrays, outermost first.
#[derive(Clone, Debug)]
pub(crate) struct Dims<'a> {
    array: &'a Array,
    axis: usize,
}

impl<'a> Dims<'a> {
    pub(crate) fn of(array: &'a Array) -> Dims<'a> {
        Dims { array, axis: 0 }
    }

    /// The innermost element, which is no array.
    pub(crate) fn base(&self) -> &'a Format {
        let mut array = self.array;
        while let Item::Array(inner) = array.element.item() {
            array = inner;
        }
        &array.element
    }
}

impl Iterator for Dims<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        if self.axis == self.array.shape.len() {
            let Item::Array(inner) = self.array.element.item() else { return None };
            *self = Dims::of(inner);
        }
        self.axis += 1;
        self.array.shape.get(self.axis - 1).copied()
    }
}

/// The runs of a record, neighbours of equal meaning joined: what two records of one meaning have in common.
///
/// Trees from text have equal trees joined already, so only scalars are compared here; static trees come
/// from Rust types, are small, and were joined by nobody.
struct Merged<'a>(&'a [Run]);

/// One joined run; compared and hashed as a whole.
#[derive(PartialEq, Eq, Hash)]
struct Joined<'a> {
    name: Option<&'a str>,
    offset: usize,
    bit_offset: u8,
    repeat: usize,
    format: &'a Format,
}

impl<'a> Iterator for Merged<'a> {
    type Item = Joined<'a>;

    fn next(&mut self) -> Option<Joined<'a>> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        let Run { offset, bit_offset, mut repeat, ref format, .. } = *first;
        let mut end = offset + first.extent();
        while let Some(next) = self.0.first() {
            let in_a_row = first.name.is_none() && next.name.is_none() && next.offset == end;
            if !in_a_row || !joins(format, &next.format) {
                break;
            }
            repeat += next.repeat;
            end += next.extent();
            self.0 = &self.0[1..];
        }
        Some(Joined { name: first.name(), offset, bit_offset, repeat, format })
    }
}

fn joins(a: &Format, b: &Format) -> bool {
    let bits = |s: Scalar| s.code() == crate::scalar::Code::Bits;
    match (a.as_scalar(), b.as_scalar()) {
        (Some(a), Some(b)) => !bits(a) && a.means_same(b),
        (None, None) => (a.is_static() || b.is_static()) && a == b,
        _ => false,
    }
}
