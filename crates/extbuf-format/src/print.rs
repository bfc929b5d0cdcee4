//! Tree to text. What is printed, the parser of the same dialect reads back to an equal format.
//!
//! The printer runs the placement rules of the parser in its head: it knows the mark in force and the offset
//! reached, writes a mark only where it changes, and `x` only where alignment alone would not lead to the
//! offset. A record whose offsets or size C would not have chosen (a packed struct) is printed with its
//! aligned members unaligned: `@` becomes `^`, which has the same sizes.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeSet;
use alloc::string::String;
use core::fmt::{self, Write as _};

use crate::dialect::{
    Count, Dialect, DuplicateNames, EndPadding, Marks, RecordAlignment, Rules, Scope, WideText,
};
use crate::equiv::Dims;
use crate::fault::{FormatError, FormatErrorKind};
use crate::item::{Bounds, Custom, Format, Item, Record, Run};
use crate::scalar::{ByteOrder, Code, Mark, Scalar};

/// The most often a thing is written, and the longest text that comes of it, where a dialect has no number
/// for repeats.
const MOST_TIMES: usize = 1 << 12;
const LONGEST: usize = 1 << 16;

/// Codes that may stand in for another of the same meaning, in order of preference.
const INTEGERS: [Code; 12] = [
    Code::SignedChar,
    Code::UnsignedChar,
    Code::Short,
    Code::UnsignedShort,
    Code::Int,
    Code::UnsignedInt,
    Code::LongLong,
    Code::UnsignedLongLong,
    Code::Long,
    Code::UnsignedLong,
    Code::Ssize,
    Code::Size,
];

impl Format {
    /// The text of the format in a dialect, so that [`Format::parse_as`] reads back an equal format.
    ///
    /// # Errors
    ///
    /// [`FormatErrorKind::CannotSay`] names the construct that the dialect has no words for. NumPy has none for
    /// a repeat, so one is written out there, up to 4096 times.
    ///
    /// ```
    /// use extbuf_format::{Dialect, Format};
    ///
    /// let format = Format::parse("<2hq")?;
    /// assert_eq!(format.to_string_as(Dialect::Struct)?, "<2hq");
    /// assert_eq!(format.to_string_as(Dialect::NumPy)?, "<hhq");
    /// assert_eq!(
    ///     Format::parse("T{i:a:}")?.to_string_as(Dialect::Struct).unwrap_err().to_string(),
    ///     "the struct dialect cannot say T{}"
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn to_string_as(&self, dialect: Dialect) -> Result<String, FormatError> {
        let rules = dialect.rules();
        if rules.marks != Marks::First {
            return Printer::new(rules, Mark::Native, None).whole(self);
        }
        // One mark for everything: the first scalar's if it serves, else whichever does.
        let written = first_mark(self);
        let mut refused = None;
        for mark in written.into_iter().chain([Mark::Native, Mark::Standard, Mark::Little, Mark::Big]) {
            match Printer::new(rules, mark, Some(mark)).whole(self) {
                Ok(text) => return Ok(text),
                Err(error) => refused = refused.or(Some(error)),
            }
        }
        Err(refused.unwrap_or_else(|| FormatErrorKind::CannotSay { construct: "this", dialect }.into()))
    }
}

/// The text in the default dialect. The few trees that it cannot say (pointers to text of ctypes, long
/// doubles of the other byte order, bytes that have neither type nor name) are shown all the same, in the
/// words of ctypes or as `x`.
impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self
            .to_string_as(Dialect::Pep3118)
            .or_else(|_| self.to_string_as(Dialect::Ctypes))
            .unwrap_or_else(|_| alloc::format!("{}x", self.itemsize()));
        f.pad(&text)
    }
}

impl fmt::Debug for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Format({:?})", alloc::format!("{self}"))
    }
}

fn first_mark(format: &Format) -> Option<Mark> {
    match format.item() {
        Item::Scalar(scalar) => Some(scalar.mark()),
        Item::Record(record) => record.runs.iter().find_map(|run| run.format.as_scalar()).map(Scalar::mark),
        _ => None,
    }
}

/// What reading a record back would make of its alignment.
#[derive(Clone, Copy)]
struct Outcome {
    /// Alignment that the record is placed with when it is read back.
    alignment: usize,
    /// Whether the members have to be printed unaligned.
    unaligned: bool,
    /// Whether the mark in force at the end aligns; `None` when the record writes no mark.
    aligns_at_end: Option<bool>,
}

struct Printer {
    rules: &'static Rules,
    out: String,
    mark: Mark,
    /// The one mark of a dialect that takes no other.
    forced: Option<Mark>,
    /// Aligned members are written unaligned.
    unaligned: bool,
    /// The last thing written is a bare `Z`, which would swallow a letter behind it.
    bare_z: bool,
}

impl Printer {
    fn new(rules: &'static Rules, mark: Mark, forced: Option<Mark>) -> Printer {
        Printer { rules, out: String::new(), mark, forced, unaligned: false, bare_z: false }
    }

    fn cannot(&self, construct: &'static str) -> FormatError {
        FormatErrorKind::CannotSay { construct, dialect: self.rules.dialect }.into()
    }

    fn whole(mut self, format: &Format) -> Result<String, FormatError> {
        if let Some(mark) = self.forced.filter(|&mark| mark != Mark::Native) {
            self.out.push(mark.as_char());
        }
        match format.item() {
            Item::Record(record) if record.bounds == Bounds::Open => {
                self.unaligned = self.outcome(record).unaligned;
                self.body(record)?;
            }
            Item::Scalar(scalar) if scalar.code() == Code::Void => {
                return Err(self.cannot("bytes without type and name"));
            }
            _ => self.entry(format, 1, None)?,
        }
        Ok(self.out)
    }

    /// How the record will be read back, from its own members and one level of outcomes below.
    fn outcome(&self, record: &Record) -> Outcome {
        let mut largest = 1;
        let mut first = None;
        let mut consistent = true;
        let mut aligns_at_end = None;
        for run in record.runs.iter() {
            let (alignment, aligns) = self.placement(run.format());
            if aligns.is_some() {
                aligns_at_end = aligns;
            }
            largest = largest.max(alignment);
            first.get_or_insert(alignment);
            consistent &= run.offset % alignment == 0;
        }
        let braced = record.bounds == Bounds::Braced;
        let padded =
            aligns_at_end == Some(true) && (braced || self.rules.end_padding == EndPadding::Everywhere);
        consistent &= !padded || record.itemsize % largest == 0;
        let unwanted = padded && braced && largest > 1 && (record.alignment == 1 || !record.mark.aligns());
        // A dialect that looks at the first member alone is only trusted with what C agrees on.
        consistent &=
            self.rules.record_alignment == RecordAlignment::Largest || first.unwrap_or(1) == largest;
        if !consistent || unwanted || self.unaligned {
            let aligns_at_end = aligns_at_end.map(|_| false);
            return Outcome { alignment: 1, unaligned: true, aligns_at_end };
        }
        Outcome { alignment: if padded { largest } else { 1 }, unaligned: false, aligns_at_end }
    }

    /// Alignment that a part is placed with when it is read back, and whether the mark that it leaves in
    /// force aligns.
    fn placement(&self, format: &Format) -> (usize, Option<bool>) {
        let base = base_of(format);
        match base.item() {
            Item::Record(record) => {
                let outcome = self.outcome(record);
                let restored = self.rules.scope == Scope::Restored;
                let own = (outcome.alignment > 1).then_some(true);
                (outcome.alignment, if restored { own } else { outcome.aligns_at_end.or(own) })
            }
            _ => {
                let mark = self.mark_of(base);
                let alignment = match base.item() {
                    _ if !mark.aligns() => 1,
                    Item::Custom(custom) => self.placement(&custom.storage).0,
                    _ => base.alignment(),
                };
                (alignment, Some(mark.aligns()))
            }
        }
    }

    fn mark_of(&self, format: &Format) -> Mark {
        let mark = match format.item() {
            Item::Scalar(scalar) => scalar.mark(),
            Item::Pointer(pointer) => pointer.mark,
            Item::Function(function) => function.mark,
            Item::Custom(custom) => custom.mark,
            Item::Array(_) | Item::Record(_) => Mark::Native,
        };
        match self.forced {
            Some(forced) => forced,
            None if self.unaligned && mark.aligns() => Mark::Unaligned,
            None => mark,
        }
    }

    /// The fields of a record with their padding.
    fn body(&mut self, record: &Record) -> Result<(), FormatError> {
        if self.rules.duplicate_names == DuplicateNames::Refused {
            let mut seen = BTreeSet::new();
            let mut names = record.runs.iter().filter_map(Run::name).filter(|name| !name.is_empty());
            if !names.all(|name| seen.insert(name)) {
                return Err(self.cannot("the same name twice"));
            }
        }
        let mut at = 0;
        // Bits used of the last byte before `at`, and their order, while the last field is a bit field.
        let mut bits: Option<(u8, ByteOrder)> = None;
        for run in record.runs.iter() {
            if is_void(&run.format) && run.name.is_none() {
                return Err(self.cannot("bytes without type and name"));
            }
            if let Some(scalar) = run.format.as_scalar().filter(|s| s.code() == Code::Bits) {
                let shares =
                    bits.take().is_some_and(|(used, order)| used > 0 && order == scalar.byte_order());
                let reached = if shares { at - 1 } else { at };
                if run.offset != reached || (shares && run.bit_offset == 0) {
                    self.pad(run.offset.saturating_sub(at));
                }
                let used = usize::from(run.bit_offset) + scalar.len();
                bits = Some(((used % 8) as u8, scalar.byte_order()));
            } else {
                bits = None;
                let alignment = self.alignment_when_read(&run.format)?;
                if run.offset % alignment != 0 {
                    return Err(self.cannot("an unaligned field"));
                }
                if round_up(at, alignment) != run.offset {
                    self.pad(run.offset - at);
                }
            }
            self.entry(&run.format, run.repeat, run.name())?;
            at = run.offset + run.extent();
        }
        let padded = record.bounds == Bounds::Braced || self.rules.end_padding == EndPadding::Everywhere;
        let aligned = padded && self.mark.aligns() && !self.unaligned;
        let alignments = record.runs.iter().map(|run| self.placement(&run.format).0);
        let alignment = if aligned { alignments.max().unwrap_or(1) } else { 1 };
        if round_up(at, alignment) != record.itemsize {
            self.pad(record.itemsize - at);
        }
        Ok(())
    }

    /// The alignment that the parser will place the part by, after the marks that will be written before it.
    fn alignment_when_read(&self, format: &Format) -> Result<usize, FormatError> {
        match base_of(format).as_scalar() {
            // In a dialect of one mark the chosen code decides, not the one that was written.
            Some(scalar) => Ok(self.choose(scalar)?.0.alignment()),
            None => Ok(self.placement(format).0),
        }
    }

    fn pad(&mut self, count: usize) {
        match count {
            1 => self.out.push('x'),
            _ => drop(write!(self.out, "{count}x")),
        }
        self.bare_z = false;
    }

    /// One entry, as often as it is repeated.
    fn entry(&mut self, format: &Format, repeat: usize, name: Option<&str>) -> Result<(), FormatError> {
        let base = base_of(format);
        let sized = base.as_scalar().is_some_and(|s| s.code().counts_length());
        let array = matches!(format.item(), Item::Array(_));
        let counted = self.rules.count == Count::Repeat && !sized && !array;
        let (times, count) = if counted { (1, repeat) } else { (repeat, 1) };
        for _ in 0..times {
            // Repeats that this dialect writes out but others do not; those of `3s` stood in some text.
            if !sized && times > 1 && (times > MOST_TIMES || self.out.len() > LONGEST) {
                return Err(self.cannot("so many repeats"));
            }
            self.one(format, base, count)?;
        }
        if let Some(name) = name {
            if !self.rules.starts.has(b':') {
                return Err(self.cannot("field names"));
            }
            self.bare_z = false;
            self.out.push(':');
            self.out.push_str(name);
            self.out.push(':');
        }
        Ok(())
    }

    fn one(&mut self, format: &Format, base: &Format, count: usize) -> Result<(), FormatError> {
        if let Item::Array(array) = format.item() {
            if !self.rules.starts.has(b'(') {
                return Err(self.cannot("sub-arrays"));
            }
            let mut open = '(';
            for n in Dims::of(array) {
                self.out.push(open);
                let _ = write!(self.out, "{n}");
                open = ',';
            }
            self.out.push(')');
            self.bare_z = false;
        }
        match base.item() {
            Item::Scalar(scalar) => self.scalar(scalar, count),
            Item::Record(record) => self.record(record, count),
            Item::Pointer(pointer) => {
                self.start(b'&', "pointers", self.mark_of(base))?;
                self.count(count);
                self.out.push('&');
                let mark = self.mark;
                self.entry(&pointer.target, 1, None)?;
                self.mark = mark;
                Ok(())
            }
            Item::Function(function) => {
                self.start(b'X', "function pointers", self.mark_of(base))?;
                self.count(count);
                let _ = write!(self.out, "X{{{}}}", function.signature);
                Ok(())
            }
            Item::Custom(custom) => {
                self.start(b'[', "custom types", self.mark_of(base))?;
                self.count(count);
                self.custom(custom)
            }
            // `base_of` peeled the arrays off.
            Item::Array(_) => Ok(()),
        }
    }

    fn start(&mut self, letter: u8, construct: &'static str, mark: Mark) -> Result<(), FormatError> {
        if !self.rules.starts.has(letter) {
            return Err(self.cannot(construct));
        }
        self.set_mark(mark);
        self.bare_z = false;
        Ok(())
    }

    fn set_mark(&mut self, mark: Mark) {
        if self.mark != mark && self.forced.is_none() {
            self.mark = mark;
            self.out.push(mark.as_char());
            self.bare_z = false;
        }
    }

    fn count(&mut self, count: usize) {
        if count != 1 {
            let _ = write!(self.out, "{count}");
            self.bare_z = false;
        }
    }

    fn scalar(&mut self, scalar: Scalar, count: usize) -> Result<(), FormatError> {
        let (chosen, text) = self.choose(scalar)?;
        self.set_mark(chosen.mark());
        self.count(if scalar.code().counts_length() { chosen.len() } else { count });
        if self.bare_z && text.starts_with(['e', 'f', 'd', 'g']) {
            self.out.push(' ');
        }
        self.out.push_str(text);
        self.bare_z = text == "Z";
        Ok(())
    }

    fn record(&mut self, record: &Record, count: usize) -> Result<(), FormatError> {
        if !self.rules.starts.has(b'T') {
            return Err(self.cannot("T{}"));
        }
        let outcome = self.outcome(record);
        if outcome.alignment > 1 {
            self.set_mark(Mark::Native);
        }
        self.count(count);
        self.bare_z = false;
        self.out.push_str("T{");
        let (mark, unaligned) = (self.mark, self.unaligned);
        self.unaligned |= outcome.unaligned;
        self.body(record)?;
        self.unaligned = unaligned;
        if self.rules.scope == Scope::Restored {
            self.mark = mark;
        }
        self.bare_z = false;
        self.out.push('}');
        Ok(())
    }

    fn custom(&mut self, custom: &Custom) -> Result<(), FormatError> {
        self.out.push('[');
        self.out.push_str(&custom.name);
        if let Some(params) = &custom.params {
            self.out.push('$');
            self.out.push_str(params);
        }
        let known = Custom::KNOWN.iter().find(|(name, _)| *name == custom.name);
        let implied = known.map(|&(_, code)| Format::scalar(Scalar::new(code, self.mark)));
        if implied.as_ref() != Some(&custom.storage) {
            self.out.push(';');
            let mark = self.mark;
            let unaligned = core::mem::replace(&mut self.unaligned, false);
            self.entry(&custom.storage, 1, None)?;
            self.unaligned = unaligned;
            self.mark = mark;
        }
        self.out.push(']');
        Ok(())
    }

    /// A code and a mark of this dialect that mean the scalar, and the text of the code. Whether the mark
    /// aligns is kept, unless the dialect has one mark for everything.
    fn choose(&self, scalar: Scalar) -> Result<(Scalar, &'static str), FormatError> {
        let scalar = if self.unaligned { scalar.unaligned() } else { scalar };
        let written = scalar.mark();
        let candidates = [self.mark, written, Mark::Unaligned, Mark::Standard, Mark::Little, Mark::Big];
        for mark in candidates {
            let mark = match self.forced {
                Some(forced) => forced,
                None if mark.aligns() != written.aligns() => continue,
                None => mark,
            };
            for code in core::iter::once(scalar.code()).chain(INTEGERS) {
                let chosen = match Scalar::with_len(code, mark, scalar.len()) {
                    Some(chosen) => chosen,
                    None => Scalar::new(code, mark),
                };
                let same = chosen.means_same(scalar);
                let placed_same = self.forced.is_some() || chosen.alignment() == scalar.alignment();
                if let Some(text) = self.spelled(code, mark).filter(|_| same && placed_same) {
                    return Ok((chosen, text));
                }
            }
        }
        Err(self.cannot(match scalar.code() {
            _ if self.forced.is_some() && self.rules.starts.has(scalar.code().as_str().as_bytes()[0]) => {
                "more than one order mark"
            }
            Code::LongDouble | Code::ComplexLongDouble => "a long double here",
            Code::Object => "objects",
            Code::Bits => "bit fields",
            Code::Ucs2 | Code::Ucs4 => "text of this width",
            Code::Half | Code::ComplexHalf => "half floats",
            Code::VoidPointer | Code::CharPointer | Code::WidePointer => "pointers",
            Code::Pascal => "Pascal strings",
            _ if !self.rules.reads_mark(scalar.mark()) => "the other byte order",
            _ => "this code",
        }))
    }

    /// The text of a code under a mark, when the dialect has it.
    fn spelled(&self, code: Code, mark: Mark) -> Option<&'static str> {
        let rules = self.rules;
        if !rules.reads_mark(mark)
            || (code.native_only() && !mark.native_sizes() && !rules.native_only_anywhere)
        {
            return None;
        }
        let text = match code {
            Code::ComplexFloat if rules.short_complex => "F",
            Code::ComplexDouble if rules.short_complex => "D",
            Code::Ucs2 if rules.wide_text == WideText::Wchar && !cfg!(windows) => return None,
            code => code.as_str(),
        };
        let known = match text.as_bytes() {
            [b'Z', part] => rules.starts.has(b'Z') && rules.complex.has(*part),
            [b'Z'] => rules.text_pointers,
            letters => rules.starts.has(letters[0]),
        };
        known.then_some(text)
    }
}

fn round_up(at: usize, alignment: usize) -> usize {
    at + (at.wrapping_neg() & (alignment - 1))
}

fn base_of(format: &Format) -> &Format {
    match format.item() {
        Item::Array(array) => Dims::of(array).base(),
        _ => format,
    }
}

fn is_void(format: &Format) -> bool {
    base_of(format).as_scalar().is_some_and(|s| s.code() == Code::Void)
}

/// A name for messages.
pub(crate) fn label(name: Option<&str>, index: usize) -> String {
    name.map_or_else(|| alloc::format!("[{index}]"), ToOwned::to_owned)
}
