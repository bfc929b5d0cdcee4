//! The `.npy` file: a header in front of the bytes of one array.
//!
//! ```text
//! \x93NUMPY  major minor  length of the text (2 or 4 bytes, little-endian)  text  items
//! ```
//!
//! The text is a Python dictionary with `descr` (what an item is, see [`dtype`]), `fortran_order` and `shape`, padded so
//! that the items begin at a multiple of 64. It is Latin-1 in versions 1 and 2 and UTF-8 in version 3. What a header
//! claims is checked against the file before anything is believed, and a header is written as NumPy writes it, so that
//! a copy is the file `numpy.save` would have made.
//!
//! Source: NEP 1 and `numpy/lib/_format_impl.py`.

mod dtype;
mod literal;

use extbuf::format::Format;
use extbuf::layout::{Layout, Order};

use literal::{Value, Wrong};

/// The first bytes of every `.npy` file.
pub(crate) const MAGIC: &[u8] = b"\x93NUMPY";

/// Longer texts are refused: NumPy itself reads no more than 10000 characters unless it is told to trust the file.
const LONGEST_TEXT: usize = 1 << 20;

/// Brackets inside brackets, at most: two for each level of records, and the dictionary and shapes around them.
const DEEPEST: usize = 2 * extbuf::format::MAX_DEPTH + 4;

/// Items begin at a multiple of this.
const ALIGNMENT: usize = 64;

/// Room that NumPy leaves for the growing axis to grow in place.
const GROWTH_DIGITS: usize = 21;

/// What a header says, checked against the length of its file.
#[derive(Debug)]
pub(crate) struct Header {
    /// What an item is.
    pub(crate) format: Format,
    /// Where the items are, from the start of the file.
    pub(crate) layout: Layout,
}

/// Reads the header of a whole file.
pub(crate) fn read(file: &[u8]) -> Result<Header, String> {
    let (text, start) = text(file)?;
    let Claim { descr, shape, order } = claim(&text)?;
    let format = dtype::from_descr(&descr)?;
    let items = Layout::contiguous(format.itemsize(), &shape, order)
        .map_err(|error| format!("shape {}: {error}", tuple(&shape)))?;
    let (claimed, found) = (items.nbytes(), file.len() - start);
    if claimed != found {
        let what = if found < claimed { "the file is cut short" } else { "bytes follow the items" };
        return Err(format!("{what}: the header promises {claimed} bytes of items, {found} follow it"));
    }
    // The items end inside the file, so an offset of `start` moves nothing out of range.
    let layout = Layout::strided(format.itemsize(), &shape, items.strides(0), start as isize)
        .map_err(|error| error.to_string())?;
    Ok(Header { format, layout })
}

/// The text of the header, and where the items begin.
fn text(file: &[u8]) -> Result<(String, usize), String> {
    let short = |needed: usize| format!("a header of {needed} bytes or more, cut off after {}", file.len());
    if !file.starts_with(MAGIC) {
        return Err("not an .npy file: it does not begin with \\x93NUMPY".into());
    }
    let Some(&[major, minor]) = file.get(6..8) else { return Err(short(10)) };
    let (start, length) = match (major, minor) {
        (1, 0) => (10, file.get(8..10).map(|b| usize::from(u16::from_le_bytes([b[0], b[1]])))),
        (2 | 3, 0) => (12, file.get(8..12).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]) as usize)),
        _ => return Err(format!(".npy version {major}.{minor}, versions 1.0, 2.0 and 3.0 are known")),
    };
    let length = length.ok_or_else(|| short(start))?;
    let rest = &file[start..];
    if length > rest.len() {
        return Err(format!(
            "the header says it has {length} bytes, the file ends after {} of them",
            rest.len()
        ));
    }
    if length > LONGEST_TEXT {
        return Err(format!("a header of {length} bytes, {LONGEST_TEXT} is the most that is read"));
    }
    let bytes = &rest[..length];
    let text = if major < 3 {
        bytes.iter().map(|&byte| char::from(byte)).collect()
    } else {
        let text = std::str::from_utf8(bytes);
        text.map_err(|error| format!("the header is not UTF-8 at byte {}", start + error.valid_up_to()))?
            .into()
    };
    Ok((text, start + length))
}

struct Claim {
    descr: Value,
    shape: Vec<usize>,
    order: Order,
}

fn claim(text: &str) -> Result<Claim, String> {
    let dictionary = literal::read(text, DEEPEST).map_err(|wrong| match wrong {
        Wrong::TooDeep => format!("the header nests brackets deeper than {DEEPEST}"),
        Wrong::At(_) => "the header is not a Python dictionary".to_owned(),
    })?;
    let Value::Dict(entries) = dictionary else {
        return Err("the header is not a Python dictionary".into());
    };
    let (mut descr, mut shape, mut order) = (None, None, None);
    for (key, value) in entries {
        let Value::String(key) = key else {
            return Err("the header has an entry whose name is not a string".into());
        };
        match (key.as_str(), value) {
            ("descr", value) => descr = Some(value),
            ("shape", value) => shape = Some(extents(&value)?),
            ("fortran_order", Value::Boolean(fortran)) => {
                order = Some(if fortran { Order::F } else { Order::C });
            }
            ("fortran_order", _) => return Err("'fortran_order' is neither True nor False".into()),
            (other, _) => {
                return Err(format!("the header has an entry {other:?} that no version knows"));
            }
        }
    }
    let missing = |name: &str| format!("the header has no entry '{name}'");
    Ok(Claim {
        descr: descr.ok_or_else(|| missing("descr"))?,
        shape: shape.ok_or_else(|| missing("shape"))?,
        order: order.ok_or_else(|| missing("fortran_order"))?,
    })
}

/// The extents of a shape, which is a tuple of numbers.
fn extents(shape: &Value) -> Result<Vec<usize>, String> {
    let wrong = || "a shape that is not a tuple of numbers".to_owned();
    let (Value::Tuple(entries) | Value::List(entries)) = shape else { return Err(wrong()) };
    let extent = |entry: &Value| {
        let Value::Integer(number) = entry else { return Err(wrong()) };
        number.parse().map_err(|_| format!("an extent of {number}"))
    };
    entries.iter().map(extent).collect()
}

/// The header in front of items of this format and shape, contiguous in this order.
pub(crate) fn write(format: &Format, shape: &[usize], order: Order) -> Result<Vec<u8>, String> {
    let descr = dtype::to_descr(format)?;
    // NumPy calls an array Fortran-ordered only where it is not C-ordered too.
    let both = Layout::contiguous(format.itemsize(), shape, order).is_ok_and(|l| l.is_contiguous(Order::C));
    let fortran = order == Order::F && !both;
    let flag = if fortran { "True" } else { "False" };
    let mut text = format!("{{'descr': {descr}, 'fortran_order': {flag}, 'shape': {}, }}", tuple(shape));
    if let Some(growing) = if fortran { shape.last() } else { shape.first() } {
        let room = GROWTH_DIGITS.saturating_sub(growing.to_string().len());
        text.extend(std::iter::repeat_n(' ', room));
    }
    // Latin-1 where it can say it, as NumPy does.
    let latin1: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    let (mut version, bytes) = match latin1 {
        Some(bytes) => (1u8, bytes),
        None => (3, text.into_bytes()),
    };
    // One blank at least: NumPy pads a text that fits as it is by a whole step.
    let padded = |prefix: usize| (prefix + bytes.len() + 2).next_multiple_of(ALIGNMENT) - prefix;
    if version == 1 && padded(10) > usize::from(u16::MAX) {
        version = 2;
    }
    let mut out = [MAGIC, &[version, 0]].concat();
    let length = if version == 1 {
        let length = padded(10);
        out.extend((length as u16).to_le_bytes());
        length
    } else {
        let length = padded(12);
        let stored = u32::try_from(length).map_err(|_| format!("a header of {length} bytes"))?;
        out.extend(stored.to_le_bytes());
        length
    };
    let end = out.len() + length;
    out.extend(bytes);
    out.resize(end - 1, b' ');
    out.push(b'\n');
    Ok(out)
}

/// A shape as Python writes it.
pub(crate) fn tuple(shape: &[usize]) -> String {
    match shape {
        [only] => format!("({only},)"),
        _ => format!("({})", shape.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")),
    }
}
