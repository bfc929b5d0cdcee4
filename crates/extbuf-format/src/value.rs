//! Values of items: what the bytes say, as a tree that can be printed, compared and written back.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// The value of one item.
///
/// `Display` is for people and looks like Python: `(1, 2.5, b'ab\x00')`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// `?`: any byte but zero is true.
    Bool(bool),
    /// A signed integer of any width.
    Int(i64),
    /// An unsigned integer of any width, and bit fields.
    UInt(u64),
    /// A floating point number of any width. Half and single precision widen exactly, not-a-numbers keep
    /// their payload; long doubles are rounded.
    Float(f64),
    /// Real and imaginary part.
    Complex(f64, f64),
    /// `c`, `s`, `p` and bytes without a type.
    Bytes(Vec<u8>),
    /// `u` and `w`, without the zero units that fill it up.
    Text(String),
    /// An address: `P`, `&`, `X{}` and the text pointers of ctypes. Not followed.
    Address(u64),
    /// The elements of an array, one list an axis.
    List(Vec<Value>),
    /// The fields of a record or of a row of values, in order.
    Tuple(Vec<Value>),
}

impl Value {
    /// What it is, for messages.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Value::Bool(_) => "a bool",
            Value::Int(_) | Value::UInt(_) => "an integer",
            Value::Float(_) => "a float",
            Value::Complex(..) => "a complex number",
            Value::Bytes(_) => "bytes",
            Value::Text(_) => "text",
            Value::Address(_) => "an address",
            Value::List(_) => "a list",
            Value::Tuple(_) => "a tuple",
        }
    }
}

macro_rules! from {
    ($($type:ty => $variant:ident as $wide:ty),* $(,)?) => {$(
        impl From<$type> for Value {
            fn from(value: $type) -> Value {
                Value::$variant(<$wide>::from(value))
            }
        }
    )*};
}

from! {
    bool => Bool as bool,
    i8 => Int as i64, i16 => Int as i64, i32 => Int as i64, i64 => Int as i64,
    u8 => UInt as u64, u16 => UInt as u64, u32 => UInt as u64, u64 => UInt as u64,
    f32 => Float as f64, f64 => Float as f64,
    &str => Text as String, String => Text as String,
    Vec<u8> => Bytes as Vec<u8>, &[u8] => Bytes as Vec<u8>,
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Bool(true) => f.write_str("True"),
            Value::Bool(false) => f.write_str("False"),
            Value::Int(n) => write!(f, "{n}"),
            Value::UInt(n) => write!(f, "{n}"),
            Value::Float(x) => float(*x, f),
            Value::Complex(re, im) => {
                f.write_str("(")?;
                float(*re, f)?;
                if im.is_sign_positive() || im.is_nan() {
                    f.write_str("+")?;
                }
                float(*im, f)?;
                f.write_str("j)")
            }
            Value::Bytes(bytes) => {
                f.write_str("b'")?;
                for &byte in bytes {
                    match byte {
                        b'\\' | b'\'' => write!(f, "\\{}", char::from(byte))?,
                        b'\n' => f.write_str("\\n")?,
                        b'\r' => f.write_str("\\r")?,
                        b'\t' => f.write_str("\\t")?,
                        b' '..=b'~' => write!(f, "{}", char::from(byte))?,
                        _ => write!(f, "\\x{byte:02x}")?,
                    }
                }
                f.write_str("'")
            }
            Value::Text(text) => write!(f, "'{}'", text.escape_debug()),
            Value::Address(address) => write!(f, "{address:#x}"),
            Value::List(values) => {
                f.write_str("[")?;
                join(values, f)?;
                f.write_str("]")
            }
            Value::Tuple(values) => {
                f.write_str("(")?;
                join(values, f)?;
                f.write_str(if values.len() == 1 { ",)" } else { ")" })
            }
        }
    }
}

/// As `{:?}` writes it, with the words of Python for what is no number.
fn float(x: f64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if x.is_nan() {
        f.write_str("nan")
    } else if x.is_infinite() {
        f.write_str(if x > 0.0 { "inf" } else { "-inf" })
    } else {
        write!(f, "{x:?}")
    }
}

fn join(values: &[Value], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (i, value) in values.iter().enumerate() {
        if i > 0 {
            f.write_str(", ")?;
        }
        write!(f, "{value}")?;
    }
    Ok(())
}
