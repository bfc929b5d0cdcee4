//! Bytes to values by walking the tree.

use alloc::string::String;
use alloc::vec::Vec;

use crate::codec::most_values;
use crate::equiv::Dims;
use crate::fault::{FormatError, FormatErrorKind as K};
use crate::item::{Custom, Format, Item, Record, Run};
use crate::number::{read_bfloat16, read_float, read_int, read_uint};
use crate::print::label;
use crate::scalar::{ByteOrder, Code, Kind, Scalar};
use crate::value::Value;

impl Format {
    /// The value of one item. The bytes are exactly one item long.
    ///
    /// # Errors
    ///
    /// [`Length`](K::Length) when they are not; [`NoValue`](K::NoValue) at an `O`; [`NotText`](K::NotText) at
    /// a unit of `u` or `w` that is no character; [`TooManyValues`](K::TooManyValues) when an item without
    /// bytes holds more values than anybody can use.
    ///
    /// ```
    /// use extbuf_format::{Format, Value};
    ///
    /// let value = Format::parse(">h2s?")?.unpack(&[0xff, 0xfe, b'a', 0, 1])?;
    /// assert_eq!(value.to_string(), r"(-2, b'a\x00', True)");
    /// assert_eq!(Format::parse("<h")?.unpack(&[1, 0])?, Value::Int(1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn unpack(&self, bytes: &[u8]) -> Result<Value, FormatError> {
        let needed = self.itemsize();
        if bytes.len() != needed {
            return Err(K::Length { needed, got: bytes.len() }.into());
        }
        Reader { left: most_values(needed) }.item(self, bytes)
    }

    /// The value of the item that starts at a byte offset.
    ///
    /// # Errors
    ///
    /// As [`Format::unpack`]; [`Length`](K::Length) when fewer bytes than an item are left there.
    pub fn unpack_from(&self, bytes: &[u8], offset: usize) -> Result<Value, FormatError> {
        self.unpack(part(bytes, offset, self.itemsize())?)
    }
}

/// `len` bytes from an offset on.
pub(crate) fn part(bytes: &[u8], offset: usize, len: usize) -> Result<&[u8], FormatError> {
    let got = bytes.len().saturating_sub(offset);
    let end = offset.checked_add(len);
    end.and_then(|end| bytes.get(offset..end)).ok_or_else(|| K::Length { needed: len, got }.into())
}

/// A walk over one item, with the number of values it may still make: items without bytes can be repeated
/// more often than there is memory.
struct Reader {
    left: usize,
}

impl Reader {
    fn item(&mut self, format: &Format, bytes: &[u8]) -> Result<Value, FormatError> {
        match format.item() {
            Item::Scalar(scalar) => read_scalar(scalar, bytes),
            Item::Array(array) => {
                let dims: Vec<usize> = Dims::of(array).collect();
                self.axis(&dims, Dims::of(array).base(), bytes)
            }
            Item::Record(record) => self.record(record, bytes),
            Item::Pointer(_) | Item::Function(_) => Ok(Value::Address(read_uint(bytes, ByteOrder::NATIVE))),
            Item::Custom(custom) => {
                let value = self.item(&custom.storage, bytes)?;
                Ok(read_custom(custom, value))
            }
        }
    }

    fn spend(&mut self, values: usize) -> Result<(), FormatError> {
        self.left = self.left.checked_sub(values).ok_or(K::TooManyValues { count: values })?;
        Ok(())
    }

    fn axis(&mut self, dims: &[usize], base: &Format, bytes: &[u8]) -> Result<Value, FormatError> {
        let Some((&len, inner)) = dims.split_first() else { return self.item(base, bytes) };
        self.spend(len)?;
        let stride = bytes.len().checked_div(len).unwrap_or(0);
        let mut values = Vec::with_capacity(len);
        for i in 0..len {
            let element = &bytes[i * stride..(i + 1) * stride];
            values.push(self.axis(inner, base, element).map_err(|e| e.inside(&label(None, i)))?);
        }
        Ok(Value::List(values))
    }

    fn record(&mut self, record: &Record, bytes: &[u8]) -> Result<Value, FormatError> {
        let mut values = Vec::new();
        for run in record.runs() {
            self.spend(run.repeat())?;
            values.reserve(run.repeat());
            let size = run.format().itemsize();
            for i in 0..run.repeat() {
                let field = self.field(run, &bytes[run.offset()..], i * size, size);
                values.push(field.map_err(|e| e.inside(&label(run.name(), values.len())))?);
            }
        }
        Ok(Value::Tuple(values))
    }

    fn field(&mut self, run: &Run, bytes: &[u8], at: usize, size: usize) -> Result<Value, FormatError> {
        match run.format().as_scalar() {
            Some(s) if s.code() == Code::Bits => Ok(Value::UInt(read_bits(bytes, run.bit_offset(), s))),
            _ => self.item(run.format(), &bytes[at..at + size]),
        }
    }
}

/// One scalar from exactly its bytes.
#[inline]
pub(crate) fn read_scalar(scalar: Scalar, bytes: &[u8]) -> Result<Value, FormatError> {
    let order = scalar.byte_order();
    let code = scalar.code().as_str();
    Ok(match scalar.kind() {
        Kind::Bool => Value::Bool(bytes.iter().any(|&b| b != 0)),
        Kind::Int => Value::Int(read_int(bytes, order)),
        Kind::UInt => Value::UInt(read_uint(bytes, order)),
        Kind::Float => Value::Float(read_float(bytes, order).ok_or(K::NoValue { code })?),
        Kind::Complex => {
            let (re, im) = bytes.split_at(bytes.len() / 2);
            let read = |part| read_float(part, order).ok_or(K::NoValue { code });
            Value::Complex(read(re)?, read(im)?)
        }
        Kind::Char | Kind::Bytes | Kind::Void => Value::Bytes(bytes.to_vec()),
        Kind::Pascal => {
            // The first byte is the length; it may claim more than there is.
            let (len, text) = bytes.split_first().map_or((0, bytes), |(&n, text)| (usize::from(n), text));
            Value::Bytes(text[..len.min(text.len())].to_vec())
        }
        Kind::Text => Value::Text(read_text(scalar.swap_width(), bytes, order)?),
        Kind::Pointer | Kind::CharPointer | Kind::WidePointer => Value::Address(read_uint(bytes, order)),
        Kind::Object => return Err(K::NoValue { code }.into()),
        Kind::Bits => Value::UInt(read_bits(bytes, 0, scalar)),
    })
}

/// A bit field that starts at a bit of the first byte.
pub(crate) fn read_bits(bytes: &[u8], start: u8, scalar: Scalar) -> u64 {
    let mut number = 0;
    for i in 0..scalar.len() {
        let at = usize::from(start) + i;
        match scalar.byte_order() {
            ByteOrder::Little => number |= u64::from(bytes[at / 8] >> (at % 8) & 1) << i,
            ByteOrder::Big => number = number << 1 | u64::from(bytes[at / 8] >> (7 - at % 8) & 1),
        }
    }
    number
}

fn read_text(unit: usize, bytes: &[u8], order: ByteOrder) -> Result<String, FormatError> {
    let units = || bytes.chunks_exact(unit).map(|unit| read_uint(unit, order) as u32);
    let mut text = String::new();
    if unit == 2 {
        for decoded in char::decode_utf16(units().map(|unit| unit as u16)) {
            text.push(decoded.map_err(|e| K::NotText { unit: u32::from(e.unpaired_surrogate()) })?);
        }
    } else {
        for unit in units() {
            text.push(char::from_u32(unit).ok_or(K::NotText { unit })?);
        }
    }
    text.truncate(text.trim_end_matches('\0').len());
    Ok(text)
}

/// What is known of a name beyond its storage.
pub(crate) fn read_custom(custom: &Custom, value: Value) -> Value {
    match value {
        Value::UInt(bits) if custom.is_bfloat16() => Value::Float(read_bfloat16(bits)),
        value => value,
    }
}
