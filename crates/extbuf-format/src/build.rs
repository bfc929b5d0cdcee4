//! Formats from their parts: arrays of a format, and records from fields whose offsets somebody states.
//!
//! [`Placer`] is the one place where offsets are computed: the parser drives it entry by entry, and
//! [`Format::record`] checks stated offsets against the same rules (F1 to F4 of [`item`](crate::item)).

use alloc::borrow::{Cow, ToOwned};
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use crate::dialect::RecordAlignment;
use crate::fault::{FormatError, FormatErrorKind};
use crate::item::{Array, Bounds, Format, Item, MAX_DEPTH, MAX_DIMS, Name, Node, Record, Run};
use crate::scalar::{Code, Mark, Scalar};

/// Largest size of an item.
pub(crate) const MAX_SIZE: usize = isize::MAX as usize;

/// The size would not fit `isize`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Overflow;

/// One field as somebody states it: the input of [`Format::record`].
#[derive(Clone, Debug)]
pub struct FieldSpec {
    /// Name, if it has one.
    pub name: Option<String>,
    /// Byte offset from the start of the record.
    pub offset: usize,
    /// Format of the field.
    pub format: Format,
}

impl FieldSpec {
    /// A named field.
    #[must_use]
    pub fn named(name: &str, offset: usize, format: Format) -> FieldSpec {
        FieldSpec { name: Some(name.to_owned()), offset, format }
    }
}

/// `shape` over `element`; an array of an array becomes one array.
pub(crate) fn array(shape: &[usize], element: Format) -> Result<Format, Overflow> {
    if shape.is_empty() {
        return Ok(element);
    }
    let element = braced(element);
    let (shape, element): (Cow<'_, [usize]>, Format) = match element.item() {
        Item::Array(inner) => {
            let mut all = shape.to_vec();
            all.extend_from_slice(&inner.shape);
            (Cow::Owned(all), inner.element.clone())
        }
        _ => (Cow::Borrowed(shape), element),
    };
    let itemsize = if shape.contains(&0) {
        // No bytes at all; still each extent must be one that a shape can hold.
        if shape.iter().any(|&n| n > MAX_SIZE) {
            return Err(Overflow);
        }
        0
    } else {
        let mut count = 1usize;
        for &n in shape.iter() {
            count = count.checked_mul(n).filter(|&c| c <= MAX_SIZE).ok_or(Overflow)?;
        }
        count.checked_mul(element.itemsize()).filter(|&size| size <= MAX_SIZE).ok_or(Overflow)?
    };
    Ok(Format::from_node(Node::Array(Array { shape: Cow::Owned(shape.into_owned()), element, itemsize })))
}

/// The format as a part of something: a sequence without braces gets them, since only the top level may be
/// open. `ii` becomes `T{ii}`, without padding at its end.
pub(crate) fn braced(format: Format) -> Format {
    match format.as_record() {
        Some(record) if record.bounds == Bounds::Open => {
            let fits = record.itemsize % record.alignment == 0;
            Format::from_node(Node::Record(Record {
                runs: record.runs.clone(),
                itemsize: record.itemsize,
                alignment: if fits { record.alignment } else { 1 },
                mark: record.mark,
                bounds: Bounds::Braced,
            }))
        }
        _ => format,
    }
}

/// Adds a run, or lengthens the last one when the new one is more of the same: `iiii` and `4i` are one tree.
fn push_run(runs: &mut Vec<Run>, run: Run) -> Result<(), Overflow> {
    if let Some(last) = runs.last_mut() {
        let next = last.name.is_none() && run.name.is_none() && last.offset + last.extent() == run.offset;
        if next && last.format.is_same_run(&run.format) {
            last.repeat = last.repeat.checked_add(run.repeat).filter(|&n| n <= MAX_SIZE).ok_or(Overflow)?;
            return Ok(());
        }
    }
    if runs.is_empty() && run.name.is_some() {
        // Records of named fields have some; those that have few give the rest back in the end.
        runs.reserve(8);
    }
    runs.push(run);
    Ok(())
}

/// Places entries one after the other, aligned where they ask for it.
#[derive(Debug, Default)]
pub(crate) struct Placer {
    runs: Vec<Run>,
    /// Bytes used so far, the bytes of open bit fields not counted.
    size: usize,
    /// Bits used behind `size` by bit fields in a row.
    bits: usize,
    bit_mark: Mark,
    /// Of the largest member; 0 while there is none.
    largest: usize,
    first: Option<usize>,
}

impl Placer {
    /// Adds `repeat` fields of one format; 0 of them align and do nothing else, as in the struct module.
    pub(crate) fn push(&mut self, format: Format, repeat: usize, name: Option<Name>) -> Result<(), Overflow> {
        if let Some(scalar) = format.as_scalar() {
            if scalar.code() == Code::Bits {
                return self.push_bits(scalar, name);
            }
        }
        self.flush_bits()?;
        let alignment = format.alignment();
        self.largest = self.largest.max(alignment);
        self.first.get_or_insert(alignment);
        self.pad_to(alignment)?;
        let offset = self.size;
        let bytes = format.itemsize().checked_mul(repeat).ok_or(Overflow)?;
        self.grow(bytes)?;
        if repeat == 0 {
            return Ok(());
        }
        push_run(&mut self.runs, Run { name, offset, bit_offset: 0, repeat, format })
    }

    /// Adds `count` bytes that are no field.
    pub(crate) fn pad(&mut self, count: usize) -> Result<(), Overflow> {
        self.flush_bits()?;
        self.grow(count)
    }

    /// Ends the record: padded to its alignment when the end stands under a mark that aligns.
    pub(crate) fn finish(
        mut self,
        bounds: Bounds,
        mark: Mark,
        padded: bool,
        rule: RecordAlignment,
    ) -> Result<Record, Overflow> {
        self.flush_bits()?;
        let member = match rule {
            RecordAlignment::Largest => self.largest.max(1),
            RecordAlignment::First => self.first.unwrap_or(1),
        };
        if padded {
            self.pad_to(member)?;
        }
        // An open sequence is not placed in anything: its alignment is what a buffer of it should have.
        if self.runs.capacity() > 2 * self.runs.len() {
            self.runs.shrink_to_fit();
        }
        let alignment = if padded || bounds == Bounds::Open { member } else { 1 };
        Ok(Record { runs: Cow::Owned(self.runs), itemsize: self.size, alignment, mark, bounds })
    }

    fn push_bits(&mut self, scalar: Scalar, name: Option<Name>) -> Result<(), Overflow> {
        if self.bits > 0 && self.bit_mark.byte_order() != scalar.byte_order() {
            self.flush_bits()?;
        }
        self.bit_mark = scalar.mark();
        self.first.get_or_insert(1);
        let offset = self.size + self.bits / 8;
        let bit_offset = (self.bits % 8) as u8;
        self.bits += scalar.len();
        // Whole bytes move over to `size`, so that `bits` stays small however long the row of fields is.
        self.grow(self.bits / 8)?;
        self.bits %= 8;
        self.runs.push(Run { name, offset, bit_offset, repeat: 1, format: Format::scalar(scalar) });
        Ok(())
    }

    fn flush_bits(&mut self) -> Result<(), Overflow> {
        let bytes = self.bits.div_ceil(8);
        self.bits = 0;
        self.grow(bytes)
    }

    fn pad_to(&mut self, alignment: usize) -> Result<(), Overflow> {
        self.grow(self.size.wrapping_neg() & (alignment - 1))
    }

    fn grow(&mut self, bytes: usize) -> Result<(), Overflow> {
        self.size = self.size.checked_add(bytes).filter(|&size| size <= MAX_SIZE).ok_or(Overflow)?;
        Ok(())
    }
}

impl Format {
    /// `shape` of `element` in C order without gaps. An empty shape gives the element itself, and an array
    /// of an array is one array with both shapes.
    ///
    /// # Errors
    ///
    /// [`TooManyDimensions`](FormatErrorKind::TooManyDimensions) above [`MAX_DIMS`] axes,
    /// [`TooLarge`](FormatErrorKind::TooLarge) when the size does not fit `isize`.
    ///
    /// ```
    /// use extbuf_format::Format;
    ///
    /// let matrix = Format::array(&[3, 3], Format::parse("<f")?)?;
    /// assert_eq!(matrix, Format::parse("(3,3)<f")?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn array(shape: &[usize], element: Format) -> Result<Format, FormatError> {
        let inner = if let Item::Array(array) = element.item() { array.shape.len() } else { 0 };
        if shape.len() + inner > MAX_DIMS {
            return Err(
                FormatErrorKind::TooManyDimensions { ndim: shape.len() + inner, limit: MAX_DIMS }.into()
            );
        }
        array(shape, element).map_err(|Overflow| FormatErrorKind::TooLarge { limit: MAX_SIZE }.into())
    }

    /// A record (`T{…}`) from fields with stated offsets and a stated size, as NumPy's dtypes and C structs
    /// give them. What is between the fields is padding.
    ///
    /// # Errors
    ///
    /// Text can say neither overlapping nor unsorted fields, so both are refused
    /// ([`FieldOffset`](FormatErrorKind::FieldOffset)), as are fields past the end
    /// ([`FieldEnd`](FormatErrorKind::FieldEnd)), a name given twice, a name with a colon or a zero byte, a
    /// size over `isize::MAX`, and nesting deeper than [`MAX_DEPTH`].
    ///
    /// ```
    /// use extbuf_format::{FieldSpec, Format};
    ///
    /// let fields = [
    ///     FieldSpec::named("a", 0, Format::parse("i")?),
    ///     FieldSpec::named("b", 6, Format::parse("h")?),
    /// ];
    /// let record = Format::record(fields, 16)?;
    /// assert_eq!(record.to_string(), "T{i:a:2xh:b:8x}");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn record(
        fields: impl IntoIterator<Item = FieldSpec>,
        itemsize: usize,
    ) -> Result<Format, FormatError> {
        if itemsize > MAX_SIZE {
            return Err(FormatErrorKind::TooLarge { limit: MAX_SIZE }.into());
        }
        let mut runs = Vec::new();
        let mut end = 0;
        let mut alignment = 1;
        for (index, field) in fields.into_iter().enumerate() {
            let label = || field.name.clone().unwrap_or_else(|| alloc::format!("{index}"));
            if field.name.as_ref().is_some_and(|name| name.contains([':', '\0'])) {
                return Err(FormatError::at(FormatErrorKind::BadName, label()));
            }
            if field.offset < end {
                return Err(FormatError::at(
                    FormatErrorKind::FieldOffset { offset: field.offset, least: end },
                    label(),
                ));
            }
            if field.format.depth() >= MAX_DEPTH {
                return Err(FormatError::at(FormatErrorKind::TooDeep { limit: MAX_DEPTH }, label()));
            }
            let run = Run {
                name: field.name.as_deref().map(Name::new),
                offset: field.offset,
                bit_offset: 0,
                repeat: 1,
                format: braced(field.format.clone()),
            };
            end = field.offset.saturating_add(run.extent());
            if end > itemsize {
                return Err(FormatError::at(FormatErrorKind::FieldEnd { end, itemsize }, label()));
            }
            alignment = alignment.max(run.format.alignment());
            push_run(&mut runs, run).map_err(|Overflow| FormatErrorKind::TooLarge { limit: MAX_SIZE })?;
        }
        let mut seen = BTreeSet::new();
        if let Some(name) = runs.iter().filter_map(Run::name).find(|&name| !seen.insert(name)) {
            return Err(FormatError::at(FormatErrorKind::DuplicateName, name.to_owned()));
        }
        // Aligned as C would, where the offsets and the size agree with it.
        let fits =
            itemsize % alignment == 0 && runs.iter().all(|run| run.offset % run.format.alignment() == 0);
        Ok(Format::from_node(Node::Record(Record {
            runs: Cow::Owned(runs),
            itemsize,
            alignment: if fits { alignment } else { 1 },
            mark: Mark::Native,
            bounds: Bounds::Braced,
        })))
    }
}

/// The record with padding at its end.
pub(crate) fn lengthen(record: &Record, itemsize: usize) -> Result<Format, FormatError> {
    if itemsize > MAX_SIZE {
        return Err(FormatErrorKind::TooLarge { limit: MAX_SIZE }.into());
    }
    let fits = itemsize % record.alignment == 0;
    Ok(Format::from_node(Node::Record(Record {
        runs: record.runs.clone(),
        itemsize,
        alignment: if fits { record.alignment } else { 1 },
        mark: record.mark,
        bounds: record.bounds,
    })))
}
