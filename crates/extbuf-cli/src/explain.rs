//! `extbuf explain`: the item tree of a format as a table, padding included.

use std::io::{self, BufWriter, Write};

use extbuf::format::{ByteOrder, Code, Format, Item, Kind, Scalar};

use crate::args;
use crate::failure::{Result, one_line};
use crate::npy::tuple;
use crate::table::Table;
use crate::terminal;
use crate::units::{bytes, counted, grouped};

pub(crate) fn run(args: &args::Explain) -> Result {
    let format = Format::parse_as(args.dialect, &args.format)?;
    let mut out = BufWriter::new(io::stdout().lock());
    let (asked, says) = (one_line(&args.format), one_line(&format.to_string()));
    writeln!(out, "format     {asked}")?;
    if says != asked {
        writeln!(out, "means      {says}")?;
    }
    writeln!(out, "itemsize   {}", bytes(format.itemsize()))?;
    writeln!(out, "alignment  {}", bytes(format.alignment()))?;
    writeln!(out, "dialect    {}\n", args.dialect)?;
    write!(out, "{}", tree(&format))?;
    if format.itemsize() > 0 && format.outline().len() > 1 {
        let options = terminal::text_options(&args.page);
        write!(out, "\n{}", extbuf_draw::draw_format(&format).to_text(options))?;
    }
    Ok(out.flush()?)
}

/// Repeats up to this are shown one by one.
const FEW: usize = 8;

/// The table of an item and everything in it: a line for each part, long repeats and arrays in one.
fn tree(format: &Format) -> Table {
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
    table
}

/// The text of a format, cut where it is long.
fn short(format: &Format) -> String {
    let text = one_line(&format.to_string());
    if text.chars().count() <= 24 { text } else { text.chars().take(23).chain(['…']).collect() }
}

fn meaning(format: &Format) -> String {
    match format.item() {
        Item::Scalar(scalar) => of_scalar(scalar),
        Item::Array(array) => format!("array {} of {}", tuple(array.shape()), meaning(array.element())),
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
