//! What a drawing does not show, as columns of text: the parts of an item, and which bytes each axis walks.
//!
//! The program `extbuf` prints these tables and the Python package returns them, so that both say the same.

use std::fmt;

use extbuf_format::{ByteOrder, Code, Format, Item, Kind, Scalar};
use extbuf_layout::{Contiguity, Layout, POINTER_BYTES};

/// Repeats up to this are shown one by one.
const FEW: usize = 8;

/// The table of an item and everything in it: a line for each part, long repeats and arrays in one.
///
/// ```
/// use extbuf_format::Format;
///
/// let table = extbuf_draw::format_table(&Format::parse("T{b:tag:i:value:}")?);
/// let first: Vec<&str> = table.lines().take(4).map(str::trim).collect();
/// assert_eq!(first, [
///     "offset  size  align  field    format             meaning",
///     "0     8      4  item     T{b:tag:i:value:}  record of 2 fields",
///     "0     1      1    tag    b                  8-bit signed integer",
///     "1     3           ·      3x                 padding",
/// ]);
/// # Ok::<(), extbuf_format::ParseError>(())
/// ```
#[must_use]
pub fn format_table(format: &Format) -> String {
    let mut table = Table::new(&["offset", "size", "align", "field", "format", "meaning"]);
    for line in format.outline() {
        let indent = "  ".repeat(line.depth);
        let Some(format) = line.format else {
            let (offset, size) = (line.offset.to_string(), line.size.to_string());
            let said = format!("{size}x");
            table.row([offset, size, String::new(), indent + "·", said, "padding".into()]);
            continue;
        };
        let mut row = |offset: String, size: usize, name: String, what: String| {
            let align = format.alignment().to_string();
            table.row([offset, size.to_string(), align, format!("{indent}{name}"), short(format), what]);
        };
        let bits = format.as_scalar().filter(|scalar| scalar.code() == Code::Bits);
        let name = match line.name {
            Some(name) => one_line(name),
            None if line.depth == 0 => "item".into(),
            None => line.index.to_string(),
        };
        match line.repeat {
            _ if bits.is_some() => {
                row(format!("{}.{}", line.offset, line.bit_offset), line.size, name, meaning(format));
            }
            1 => row(line.offset.to_string(), line.size, name, meaning(format)),
            repeat if repeat <= FEW && format.as_scalar().is_some() => {
                let size = format.itemsize();
                for k in 0..repeat {
                    let name = (line.index + k).to_string();
                    row((line.offset + k * size).to_string(), size, name, meaning(format));
                }
            }
            repeat => {
                let name = format!("{} to {}", line.index, line.index + repeat - 1);
                let what = format!("{} × {}", grouped(repeat as u128), meaning(format));
                row(line.offset.to_string(), line.size, name, what);
            }
        }
    }
    table.to_string()
}

/// The text of a format, cut where it is long.
fn short(format: &Format) -> String {
    let text = one_line(&format.to_string());
    if text.chars().count() <= 24 { text } else { text.chars().take(23).chain(['…']).collect() }
}

fn meaning(format: &Format) -> String {
    match format.item() {
        Item::Scalar(scalar) => of_scalar(scalar),
        Item::Array(array) => format!("array {} of {}", list(array.shape()), meaning(array.element())),
        Item::Record(record) => {
            let fields = record.runs().iter().fold(0usize, |sum, run| sum.saturating_add(run.repeat()));
            format!("record of {}", counted(fields, "field"))
        }
        Item::Pointer(pointer) => format!("address of: {}", meaning(pointer.target())),
        Item::Function(_) => "address of a function".into(),
        Item::Custom(custom) => format!("{}, a type known by name", one_line(custom.name())),
        _ => String::new(),
    }
}

fn of_scalar(scalar: Scalar) -> String {
    let bits = 8 * scalar.itemsize();
    let what = match scalar.kind() {
        Kind::Void => format!("{} without a type", bytes(scalar.len())),
        Kind::Char => "one character".into(),
        Kind::Bool => "bool".into(),
        Kind::Int => format!("{bits}-bit signed integer"),
        Kind::UInt => format!("{bits}-bit unsigned integer"),
        Kind::Float => format!("{bits}-bit float"),
        Kind::Complex => format!("complex of two {}-bit floats", bits / 2),
        Kind::Bytes => format!("string of {}", bytes(scalar.len())),
        Kind::Pascal => format!("Pascal string of up to {}", bytes(scalar.len().saturating_sub(1).min(255))),
        Kind::Text => {
            format!("text of {} of {}", counted(scalar.len(), "character"), bytes(scalar.swap_width()))
        }
        Kind::Pointer => "address".into(),
        Kind::CharPointer => "address of a string".into(),
        Kind::WidePointer => "address of a wide string".into(),
        Kind::Object => "Python object".into(),
        Kind::Bits => format!("field of {}", counted(scalar.len(), "bit")),
        _ => String::new(),
    };
    let order = match scalar.byte_order() {
        _ if scalar.swap_width() < 2 => "",
        ByteOrder::Little => ", little-endian",
        ByteOrder::Big => ", big-endian",
    };
    what + order
}

/// Offset and strides of each level, as name and text.
#[must_use]
pub fn level_lines(layout: &Layout) -> Vec<(String, String)> {
    let level = |level: usize| {
        let strides = layout.strides(level).iter().map(|stride| format!("{stride:+}")).collect::<Vec<_>>();
        format!("offset {:+}, strides {}", layout.offset(level), list(&strides))
    };
    let line = |l: usize| match l {
        0 if layout.is_direct() => ("strides".to_owned(), level(0)),
        0 => ("level 0".to_owned(), level(0)),
        l => (format!("level {l}"), format!("after the load: {}", level(l))),
    };
    (0..layout.levels()).map(line).collect()
}

/// In which orders the items lie one after the other, in words.
#[must_use]
pub fn contiguity_line(layout: &Layout) -> String {
    match layout.contiguity() {
        _ if !layout.is_direct() => {
            format!("no: {} on the way to every item", counted(layout.levels() - 1, "pointer"))
        }
        Contiguity::None => "no".into(),
        Contiguity::C => "in C order".into(),
        Contiguity::F => "in Fortran order".into(),
        Contiguity::Both => "in C and in Fortran order".into(),
    }
}

/// The layout as strides and suboffsets, if they can say it.
#[must_use]
pub fn suboffsets_line(layout: &Layout) -> String {
    match layout.to_suboffsets() {
        Ok(encoded) => match &encoded.suboffsets {
            Some(suboffsets) => {
                format!("strides {}, suboffsets {}", list(&encoded.strides), list(suboffsets))
            }
            None => format!("strides {}, no suboffsets", list(&encoded.strides)),
        },
        Err(error) => error.to_string(),
    }
}

/// A table of the axes: extent, stride, and which bytes each walks while the others stand at 0.
#[must_use]
pub fn axes_table(layout: &Layout) -> String {
    let mut table = Table::new(&["axis", "extent", "stride", "walks bytes", "of"]);
    let last = layout.levels() - 1;
    for (axis, &extent) in layout.shape().iter().enumerate() {
        let moves = |level: &usize| layout.strides(*level)[axis] != 0;
        let stays = !(0..=last).any(|level| moves(&level));
        for level in (0..=last).filter(|level| moves(level) || stays && *level == last) {
            let (start, stride) = (layout.offset(level), layout.strides(level)[axis]);
            let width = if level == last { layout.itemsize() } else { POINTER_BYTES };
            // In range: these are addresses that the layout reaches at this level.
            let end = start + stride * (extent as isize - 1);
            let (low, high) = (start.min(end), start.max(end) + width as isize);
            let of = match (level, last) {
                (0, 0) => "the memory",
                (0, _) => "the pointers",
                _ => "what the pointer leads to",
            };
            table.row([
                axis.to_string(),
                grouped(extent as u128),
                format!("{stride:+}"),
                format!("{low} to {high}"),
                of.into(),
            ]);
        }
    }
    table.to_string()
}

/// A table: a row of headings and rows of cells. Numbers stand to the right, all else to the left.
#[derive(Debug)]
struct Table {
    headings: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    fn new(headings: &[&'static str]) -> Table {
        Table { headings: headings.to_vec(), rows: Vec::new() }
    }

    fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let chars = |text: &str| text.chars().count();
        let columns = self.headings.iter().enumerate().map(|(column, heading)| {
            let cells = || self.rows.iter().map(|row| row[column].as_str());
            let number =
                |cell: &str| cell.chars().all(|c| c.is_ascii_digit() || matches!(c, '+' | '-' | ',' | '.'));
            (cells().map(chars).fold(chars(heading), usize::max), cells().all(number))
        });
        let columns: Vec<(usize, bool)> = columns.collect();
        let mut line = |cells: &mut dyn Iterator<Item = &str>| {
            let mut text = String::new();
            for (cell, &(width, number)) in cells.zip(&columns) {
                let blanks = " ".repeat(width - chars(cell));
                let (before, after) = if number { (&*blanks, "") } else { ("", &*blanks) };
                text.extend([before, cell, after, "  "]);
            }
            writeln!(f, "  {}", text.trim_end())
        };
        line(&mut self.headings.iter().copied())?;
        self.rows.iter().try_for_each(|row| line(&mut row.iter().map(String::as_str)))
    }
}

/// Text from elsewhere, safe to print: nothing in it moves the cursor or ends the line.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// Numbers as a Python tuple.
fn list<N: ToString>(numbers: &[N]) -> String {
    let comma = if numbers.len() == 1 { "," } else { "" };
    format!("({}{comma})", numbers.iter().map(N::to_string).collect::<Vec<_>>().join(", "))
}

/// A number with its digits in groups of three.
fn grouped(number: u128) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 byte`, `921,600 bytes`.
fn bytes(count: usize) -> String {
    counted(count, "byte")
}

/// A number of things, in the plural where it must be.
fn counted(count: usize, what: &str) -> String {
    format!("{} {what}{}", grouped(count as u128), if count == 1 { "" } else { "s" })
}
