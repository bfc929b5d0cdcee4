//! NumPy's `descr` and our formats: `'<f8'`, `'|S10'`, `[('x', '<i4'), ('', '|V4'), ('m', '<f4', (2, 3))]`.
//!
//! A descr is a type string (byte order, kind, size) or a list of fields. Fields follow one another; what lies between
//! them and behind them is a nameless field of kind `V`. An unnamed field of ours gets NumPy's name for it, `f0`, `f1`
//! and so on. A title, the second name that NumPy can give a field, is read and not kept.

use extbuf::format::{Code, FieldSpec, Format, Item, Kind, Mark, Record, Scalar};

use super::literal::Value;

/// Fields of one record, at most: what has more is an array.
const MOST_FIELDS: usize = 1 << 16;

/// Reads a descr.
pub(super) fn from_descr(descr: &Value) -> Result<Format, String> {
    match descr {
        Value::String(text) => from_type_string(text),
        Value::List(fields) => record(fields),
        _ => Err("a 'descr' that is neither a type string nor a list of fields".into()),
    }
}

fn record(entries: &[Value]) -> Result<Format, String> {
    let mut fields = Vec::new();
    let mut offset = 0usize;
    for entry in entries {
        let parts = match entry {
            Value::Tuple(parts) | Value::List(parts) => Some(parts.as_slice()),
            _ => None,
        };
        let (name, descr, shape) = match parts {
            Some([name, descr]) => (name, descr, None),
            Some([name, descr, shape]) => (name, descr, Some(shape)),
            _ => return Err("a field that is not (name, descr) or (name, descr, shape)".into()),
        };
        let name = match name {
            Value::String(name) => name,
            Value::Tuple(both) => match both.as_slice() {
                [Value::String(_title), Value::String(name)] => name,
                _ => return Err("a field whose name is not a string".into()),
            },
            _ => return Err("a field whose name is not a string".into()),
        };
        let mut format = from_descr(descr).map_err(|error| format!("field {name:?}: {error}"))?;
        let padding = name.is_empty() && format.as_scalar().is_some_and(|s| s.kind() == Kind::Void);
        if let Some(shape) = shape {
            let shape = super::extents(shape)?;
            format = Format::array(&shape, format).map_err(|error| format!("field {name:?}: {error}"))?;
        }
        let size = format.itemsize();
        if !(padding && shape.is_none()) {
            fields.push(FieldSpec::named(name, offset, format));
        }
        offset = offset.checked_add(size).ok_or("a record over the largest size in memory")?;
    }
    Format::record(fields, offset).map_err(|error| error.to_string())
}

fn from_type_string(text: &str) -> Result<Format, String> {
    let unknown = || format!("dtype {text:?} is not one that a format can say");
    let mut rest = text.chars();
    let mark = match rest.next() {
        Some('<') => Mark::Little,
        Some('>') => Mark::Big,
        Some('=' | '|') => Mark::Unaligned,
        _ => return Err(unknown()),
    };
    let kind = rest.next().ok_or_else(unknown)?;
    match kind {
        'O' => return Err("dtype object: its items are pickled, not stored".into()),
        'M' | 'm' => return Err(format!("dtype {text:?}: dates and times have no format here")),
        _ => {}
    }
    let size: usize = rest.as_str().parse().map_err(|_| unknown())?;
    let code = match (kind, size) {
        ('S' | 'a' | 'U' | 'V', _) => {
            let (code, mark) = match kind {
                'U' => (Code::Ucs4, mark),
                'V' => (Code::Void, Mark::Unaligned),
                _ => (Code::Bytes, Mark::Unaligned),
            };
            return Scalar::with_len(code, mark, size).map(Format::scalar).ok_or_else(unknown);
        }
        ('b', 1) => Code::Bool,
        ('i', 1) => Code::SignedChar,
        ('i', 2) => Code::Short,
        ('i', 4) => Code::Int,
        ('i', 8) => Code::LongLong,
        ('u', 1) => Code::UnsignedChar,
        ('u', 2) => Code::UnsignedShort,
        ('u', 4) => Code::UnsignedInt,
        ('u', 8) => Code::UnsignedLongLong,
        ('f', 2) => Code::Half,
        ('f', 4) => Code::Float,
        ('f', 8) => Code::Double,
        ('f', _) => Code::LongDouble,
        ('c', 8) => Code::ComplexFloat,
        ('c', 16) => Code::ComplexDouble,
        ('c', _) => Code::ComplexLongDouble,
        _ => return Err(unknown()),
    };
    // Sizes of C's own types hold under no mark but the native ones.
    let mark = match mark {
        Mark::Little | Mark::Big if size == 1 => Mark::Unaligned,
        _ if code.native_only() && mark.byte_order() == Mark::Unaligned.byte_order() => Mark::Unaligned,
        _ => mark,
    };
    if code.native_only() && mark != Mark::Unaligned {
        return Err(format!("dtype {text:?}: long double has a format in this machine's byte order alone"));
    }
    let scalar = Scalar::new(code, mark);
    if scalar.itemsize() != size {
        return Err(unknown());
    }
    Ok(Format::scalar(scalar))
}

/// Writes a descr, as Python's `repr` does.
pub(super) fn to_descr(format: &Format) -> Result<String, String> {
    match format.item() {
        Item::Scalar(scalar) => type_string(scalar).map(|text| format!("'{text}'")),
        Item::Record(record) => fields(record, format.itemsize()),
        Item::Array(_) => Err(format!(
            "an item of format '{format}' is an array, which .npy can say inside records only: give its axes to --shape"
        )),
        _ => Err(cannot_say(format)),
    }
}

fn cannot_say(format: impl std::fmt::Display) -> String {
    format!(".npy has no dtype for format '{format}'")
}

fn fields(record: &Record, itemsize: usize) -> Result<String, String> {
    let count: usize = record.runs().iter().fold(0, |sum, run| sum.saturating_add(run.repeat()));
    if count > MOST_FIELDS {
        return Err(format!("a record of {count} fields, {MOST_FIELDS} is the most that is written as .npy"));
    }
    let mut entries = Vec::with_capacity(count);
    let mut end = 0;
    for (index, field) in record.fields().enumerate() {
        if field.format().as_scalar().is_some_and(|s| s.code() == Code::Bits) {
            return Err(cannot_say(field.format()));
        }
        if field.offset() > end {
            entries.push(format!("('', '|V{}')", field.offset() - end));
        }
        end = field.offset() + field.format().itemsize();
        let made_up = format!("f{index}");
        let name = quote(field.name().unwrap_or(&made_up));
        entries.push(match field.format().item() {
            Item::Array(array) => {
                format!("({name}, {}, {})", to_descr(array.element())?, super::tuple(array.shape()))
            }
            _ => format!("({name}, {})", to_descr(field.format())?),
        });
    }
    if itemsize > end {
        entries.push(format!("('', '|V{}')", itemsize - end));
    }
    Ok(format!("[{}]", entries.join(", ")))
}

fn type_string(scalar: Scalar) -> Result<String, String> {
    let size = scalar.itemsize();
    let (kind, number) = match scalar.kind() {
        Kind::Bool => ('b', size),
        Kind::Int => ('i', size),
        Kind::UInt => ('u', size),
        Kind::Float => ('f', size),
        Kind::Complex if size > 4 => ('c', size),
        Kind::Bytes | Kind::Char => ('S', size),
        Kind::Text if scalar.swap_width() == 4 => ('U', scalar.len()),
        Kind::Void => ('V', size),
        _ => return Err(cannot_say(Format::scalar(scalar))),
    };
    let order = match scalar.byte_order() {
        _ if scalar.swap_width() < 2 || matches!(kind, 'S' | 'V') => '|',
        extbuf::format::ByteOrder::Little => '<',
        extbuf::format::ByteOrder::Big => '>',
    };
    Ok(format!("{order}{kind}{number}"))
}

/// A name as Python's `repr` writes it.
fn quote(name: &str) -> String {
    let quote = if name.contains('\'') && !name.contains('"') { '"' } else { '\'' };
    let mut out = String::from(quote);
    for c in name.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push(quote);
    out
}
