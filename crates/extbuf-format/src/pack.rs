//! Values to bytes by walking the tree: the reverse of `unpack`, with a check of every range.

use alloc::vec::Vec;

use crate::equiv::Dims;
use crate::fault::{FormatError, FormatErrorKind as K};
use crate::item::{Format, Item, Record};
use crate::number::{bfloat16_bits, write_float, write_uint};
use crate::print::label;
use crate::scalar::{ByteOrder, Code, Kind, Scalar};
use crate::value::Value;

impl Format {
    /// Writes a value as one item. The bytes are exactly one item long; padding is set to zero.
    ///
    /// Integers are taken for floats, and floats for complex numbers; not the reverse. `s` and `p` follow the
    /// struct module: what is too long is cut off, what is too short is filled up with zeros. A record takes
    /// a tuple or a list of its fields, in order.
    ///
    /// # Errors
    ///
    /// [`Length`](K::Length), [`OutOfRange`](K::OutOfRange), [`WrongValue`](K::WrongValue),
    /// [`ValueCount`](K::ValueCount), [`NoValue`](K::NoValue). The bytes are then as they were.
    ///
    /// ```
    /// use extbuf_format::{Format, Value};
    ///
    /// let format = Format::parse(">hB")?;
    /// let mut bytes = [0; 3];
    /// format.pack(&Value::Tuple(vec![Value::from(-2), Value::from(7)]), &mut bytes)?;
    /// assert_eq!(bytes, [0xff, 0xfe, 7]);
    /// let error = format.pack(&Value::Tuple(vec![Value::from(0), Value::from(256)]), &mut bytes);
    /// assert_eq!(error.unwrap_err().to_string(), "field \"[1]\": 256 does not fit 'B' of one byte, which holds 0 to 255");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn pack(&self, value: &Value, bytes: &mut [u8]) -> Result<(), FormatError> {
        let needed = self.itemsize();
        if bytes.len() != needed {
            return Err(K::Length { needed, got: bytes.len() }.into());
        }
        whole(bytes, |item| write_item(self, value, item))
    }

    /// Writes a value as the item that starts at a byte offset.
    ///
    /// # Errors
    ///
    /// As [`Format::pack`].
    pub fn pack_into(&self, value: &Value, bytes: &mut [u8], offset: usize) -> Result<(), FormatError> {
        let needed = self.itemsize();
        let got = bytes.len().saturating_sub(offset);
        let end = offset.checked_add(needed);
        let item = end.and_then(|end| bytes.get_mut(offset..end)).ok_or(K::Length { needed, got })?;
        self.pack(value, item)
    }
}

/// Writes an item aside, on zeros, and moves it to its place when all of it could be written: a value that does not fit
/// leaves no half of an item behind.
#[inline]
pub(crate) fn whole(
    item: &mut [u8],
    write: impl FnOnce(&mut [u8]) -> Result<(), FormatError>,
) -> Result<(), FormatError> {
    let mut small = [0; 128];
    let mut large = Vec::new();
    let aside = match small.get_mut(..item.len()) {
        Some(aside) => aside,
        None => {
            large.resize(item.len(), 0);
            &mut large[..]
        }
    };
    write(aside)?;
    item.copy_from_slice(aside);
    Ok(())
}

/// Bytes are zero already.
fn write_item(format: &Format, value: &Value, bytes: &mut [u8]) -> Result<(), FormatError> {
    match format.item() {
        Item::Scalar(scalar) => write_scalar(scalar, value, bytes),
        Item::Array(array) => {
            let dims: Vec<usize> = Dims::of(array).collect();
            write_axis(&dims, Dims::of(array).base(), value, bytes)
        }
        Item::Record(record) => write_record(record, value, bytes),
        Item::Pointer(_) | Item::Function(_) => {
            write_address(value, bytes, ByteOrder::NATIVE, "P").map_err(|error| error.of_value(value))
        }
        Item::Custom(custom) => match (value, custom.storage.as_scalar()) {
            (Value::Float(number), Some(scalar)) if custom.is_bfloat16() => {
                let bits = bfloat16_bits(*number).ok_or_else(|| no_bfloat16(value))?;
                write_uint(bytes, scalar.byte_order(), bits);
                Ok(())
            }
            _ => write_item(&custom.storage, value, bytes),
        },
    }
}

fn write_axis(dims: &[usize], base: &Format, value: &Value, bytes: &mut [u8]) -> Result<(), FormatError> {
    let Some((&len, inner)) = dims.split_first() else { return write_item(base, value, bytes) };
    let (Value::List(values) | Value::Tuple(values)) = value else {
        return Err(K::WrongValue { expected: "a list", found: value.name() }.into());
    };
    if values.len() != len {
        return Err(K::ValueCount { expected: len, found: values.len() }.into());
    }
    let stride = bytes.len().checked_div(len).unwrap_or(0);
    for (i, value) in values.iter().enumerate() {
        write_axis(inner, base, value, &mut bytes[i * stride..(i + 1) * stride])
            .map_err(|e| e.inside(&label(None, i)))?;
    }
    Ok(())
}

fn write_record(record: &Record, value: &Value, bytes: &mut [u8]) -> Result<(), FormatError> {
    let (Value::Tuple(values) | Value::List(values)) = value else {
        return Err(K::WrongValue { expected: "a tuple", found: value.name() }.into());
    };
    let expected = record.fields().size_hint().0;
    if values.len() != expected {
        return Err(K::ValueCount { expected, found: values.len() }.into());
    }
    for (index, (field, value)) in record.fields().zip(values).enumerate() {
        let tail = &mut bytes[field.offset()..];
        let written = match field.format().as_scalar() {
            Some(s) if s.code() == Code::Bits => write_bits(s, value, tail, field.bit_offset()),
            _ => write_item(field.format(), value, &mut tail[..field.format().itemsize()]),
        };
        written.map_err(|e| e.inside(&label(field.name(), index)))?;
    }
    Ok(())
}

/// One scalar over exactly its bytes, which are zero.
pub(crate) fn write_scalar(scalar: Scalar, value: &Value, bytes: &mut [u8]) -> Result<(), FormatError> {
    scalar_over(scalar, value, bytes).map_err(|error| error.of_value(value))
}

fn scalar_over(scalar: Scalar, value: &Value, bytes: &mut [u8]) -> Result<(), FormatError> {
    let order = scalar.byte_order();
    let code = scalar.code().as_str();
    let wrong = |expected| Err(K::WrongValue { expected, found: value.name() }.into());
    let out_of_range = K::OutOfRange { code, size: scalar.itemsize() };
    match scalar.kind() {
        Kind::Bool => match *value {
            Value::Bool(b) => bytes[0] = u8::from(b),
            Value::Int(n) => bytes[0] = u8::from(n != 0),
            Value::UInt(n) => bytes[0] = u8::from(n != 0),
            _ => return wrong("a bool"),
        },
        Kind::Int => {
            let number = match *value {
                Value::Int(n) => n,
                Value::UInt(n) => i64::try_from(n).map_err(|_| out_of_range)?,
                Value::Bool(b) => i64::from(b),
                _ => return wrong("an integer"),
            };
            let unused = 64 - 8 * bytes.len().min(8) as u32;
            if (number << unused) >> unused != number {
                return Err(out_of_range.into());
            }
            write_uint(bytes, order, number as u64);
        }
        Kind::UInt => {
            let Some(number) = unsigned(value, out_of_range)? else { return wrong("an integer") };
            if bytes.len() < 8 && number >> (8 * bytes.len()) != 0 {
                return Err(out_of_range.into());
            }
            write_uint(bytes, order, number);
        }
        Kind::Float => {
            let Some(number) = real(value) else { return wrong("a number") };
            float(bytes, order, number, code, out_of_range)?;
        }
        Kind::Complex => {
            let (re, im) = match *value {
                Value::Complex(re, im) => (re, im),
                _ => match real(value) {
                    Some(re) => (re, 0.0),
                    None => return wrong("a number"),
                },
            };
            let (first, second) = bytes.split_at_mut(scalar.itemsize() / 2);
            float(first, order, re, code, out_of_range)?;
            float(second, order, im, code, out_of_range)?;
        }
        Kind::Char => match value {
            Value::Bytes(given) if given.len() == 1 => bytes[0] = given[0],
            Value::Bytes(given) => return Err(K::ValueCount { expected: 1, found: given.len() }.into()),
            _ => return wrong("one byte"),
        },
        Kind::Bytes | Kind::Void => {
            let Value::Bytes(given) = value else { return wrong("bytes") };
            let len = given.len().min(bytes.len());
            bytes[..len].copy_from_slice(&given[..len]);
        }
        Kind::Pascal => {
            let Value::Bytes(given) = value else { return wrong("bytes") };
            if let Some((first, text)) = bytes.split_first_mut() {
                // The length byte ends at 255; what is longer is written and not read back.
                let len = given.len().min(text.len());
                *first = len.min(255) as u8;
                text[..len].copy_from_slice(&given[..len]);
            }
        }
        Kind::Text => {
            let Value::Text(text) = value else { return wrong("text") };
            write_text(scalar, text, bytes)?;
        }
        Kind::Pointer | Kind::CharPointer | Kind::WidePointer => write_address(value, bytes, order, code)?,
        Kind::Object => return Err(K::NoValue { code }.into()),
        Kind::Bits => write_bits(scalar, value, bytes, 0)?,
    }
    Ok(())
}

/// The refusal of a float that becomes infinite as a bfloat16.
#[cold]
pub(crate) fn no_bfloat16(value: &Value) -> FormatError {
    FormatError::from(K::OutOfRange { code: "bfloat16", size: 2 }).of_value(value)
}

fn unsigned(value: &Value, out_of_range: K) -> Result<Option<u64>, FormatError> {
    Ok(Some(match *value {
        Value::UInt(n) => n,
        Value::Int(n) => u64::try_from(n).map_err(|_| out_of_range)?,
        Value::Bool(b) => u64::from(b),
        _ => return Ok(None),
    }))
}

fn real(value: &Value) -> Option<f64> {
    match *value {
        Value::Float(x) => Some(x),
        Value::Int(n) => Some(n as f64),
        Value::UInt(n) => Some(n as f64),
        Value::Bool(b) => Some(f64::from(u8::from(b))),
        _ => None,
    }
}

fn float(
    bytes: &mut [u8],
    order: ByteOrder,
    number: f64,
    code: &'static str,
    large: K,
) -> Result<(), FormatError> {
    match write_float(bytes, order, number) {
        Some(true) => Ok(()),
        Some(false) => Err(large.into()),
        None => Err(K::NoValue { code }.into()),
    }
}

fn write_address(
    value: &Value,
    bytes: &mut [u8],
    order: ByteOrder,
    code: &'static str,
) -> Result<(), FormatError> {
    let out_of_range = K::OutOfRange { code, size: bytes.len() };
    let number = match *value {
        Value::Address(n) => n,
        _ => match unsigned(value, out_of_range)? {
            Some(n) => n,
            None => return Err(K::WrongValue { expected: "an address", found: value.name() }.into()),
        },
    };
    if bytes.len() < 8 && number >> (8 * bytes.len()) != 0 {
        return Err(out_of_range.into());
    }
    write_uint(bytes, order, number);
    Ok(())
}

/// Sets the bits of the field alone: its neighbours share bytes with it.
pub(crate) fn write_bits(
    scalar: Scalar,
    value: &Value,
    bytes: &mut [u8],
    start: u8,
) -> Result<(), FormatError> {
    let bits = scalar.len();
    let out_of_range = || FormatError::from(K::OutOfRange { code: "t", size: bits }).of_value(value);
    let Some(number) =
        unsigned(value, K::OutOfRange { code: "t", size: bits }).map_err(|_| out_of_range())?
    else {
        return Err(K::WrongValue { expected: "an integer", found: value.name() }.into());
    };
    if bits < 64 && number >> bits != 0 {
        return Err(out_of_range());
    }
    for i in 0..bits {
        let at = usize::from(start) + i;
        let (bit, shift) = match scalar.byte_order() {
            ByteOrder::Little => (number >> i & 1, at % 8),
            ByteOrder::Big => (number >> (bits - 1 - i) & 1, 7 - at % 8),
        };
        bytes[at / 8] = bytes[at / 8] & !(1 << shift) | (bit as u8) << shift;
    }
    Ok(())
}

fn write_text(scalar: Scalar, text: &str, bytes: &mut [u8]) -> Result<(), FormatError> {
    let unit = scalar.swap_width();
    let needed = if unit == 2 { text.encode_utf16().count() } else { text.chars().count() };
    if needed > scalar.len() {
        return Err(K::ValueCount { expected: scalar.len(), found: needed }.into());
    }
    let order = scalar.byte_order();
    let places = bytes.chunks_exact_mut(unit);
    if unit == 2 {
        places.zip(text.encode_utf16()).for_each(|(place, n)| write_uint(place, order, u64::from(n)));
    } else {
        places.zip(text.chars()).for_each(|(place, c)| write_uint(place, order, u64::from(u32::from(c))));
    }
    Ok(())
}
