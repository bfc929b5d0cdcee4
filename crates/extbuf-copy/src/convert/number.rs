//! Which formats are numbers, and what range each of them has.

use std::fmt;

use extbuf_format::{ByteOrder, Custom, Format, Item, Kind, Scalar};

/// A format of real numbers, byte order taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Number {
    Bool,
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    I64,
    U64,
    F16,
    Bf16,
    F32,
    F64,
}

use Number::*;

impl Number {
    /// Bytes of one.
    pub(crate) const fn width(self) -> usize {
        match self {
            Bool | I8 | U8 => 1,
            I16 | U16 | F16 | Bf16 => 2,
            I32 | U32 | F32 => 4,
            I64 | U64 | F64 => 8,
        }
    }

    pub(crate) const fn is_float(self) -> bool {
        matches!(self, F16 | Bf16 | F32 | F64)
    }

    /// The least and the greatest value of an integer format.
    pub(crate) const fn range(self) -> Option<(i128, i128)> {
        Some(match self {
            I8 => (i8::MIN as i128, i8::MAX as i128),
            U8 => (0, u8::MAX as i128),
            I16 => (i16::MIN as i128, i16::MAX as i128),
            U16 => (0, u16::MAX as i128),
            I32 => (i32::MIN as i128, i32::MAX as i128),
            U32 => (0, u32::MAX as i128),
            I64 => (i64::MIN as i128, i64::MAX as i128),
            U64 => (0, u64::MAX as i128),
            Bool | F16 | Bf16 | F32 | F64 => return None,
        })
    }

    fn of_kind(kind: Kind, width: usize) -> Option<Number> {
        Some(match (kind, width) {
            (Kind::Bool, 1) => Bool,
            (Kind::Int, 1) => I8,
            (Kind::Int, 2) => I16,
            (Kind::Int, 4) => I32,
            (Kind::Int, 8) => I64,
            (Kind::UInt, 1) => U8,
            (Kind::UInt, 2) => U16,
            (Kind::UInt, 4) => U32,
            (Kind::UInt, 8) => U64,
            (Kind::Float, 2) => F16,
            (Kind::Float, 4) => F32,
            (Kind::Float, 8) => F64,
            _ => return None,
        })
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Bool => "bool",
            I8 => "i8",
            U8 => "u8",
            I16 => "i16",
            U16 => "u16",
            I32 => "i32",
            U32 => "u32",
            I64 => "i64",
            U64 => "u64",
            F16 => "f16",
            Bf16 => "bf16",
            F32 => "f32",
            F64 => "f64",
        })
    }
}

/// A number as it lies in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) number: Number,
    /// In the other byte order than this machine's.
    pub(crate) swapped: bool,
    /// Two of them, the real part first.
    pub(crate) complex: bool,
}

impl Stored {
    /// What a format stores, where that is a number.
    pub(crate) fn of(format: &Format) -> Option<Stored> {
        match format.item() {
            Item::Scalar(scalar) => Stored::of_scalar(scalar),
            Item::Custom(custom) => Stored::of_custom(custom),
            _ => None,
        }
    }

    fn of_scalar(scalar: Scalar) -> Option<Stored> {
        let complex = scalar.kind() == Kind::Complex;
        let kind = if complex { Kind::Float } else { scalar.kind() };
        let number = Number::of_kind(kind, scalar.itemsize() >> u32::from(complex))?;
        Some(Stored { number, swapped: scalar.is_swapped(), complex })
    }

    /// `[bfloat16]`, as far as it is stored as two bytes.
    fn of_custom(custom: &Custom) -> Option<Stored> {
        let storage = custom.storage().as_scalar()?;
        let two_bytes = storage.kind() == Kind::UInt && storage.itemsize() == 2;
        let swapped = storage.byte_order() != ByteOrder::NATIVE;
        (custom.name() == "bfloat16" && two_bytes).then_some(Stored { number: Bf16, swapped, complex: false })
    }
}

/// A number as text: of a complex format its real part, or the imaginary one with a `j`.
pub(crate) fn text(format: &Format, bytes: &[u8], imaginary: bool) -> String {
    let Some(Stored { number, swapped, .. }) = Stored::of(format) else { return String::from("?") };
    let mut bytes = bytes[..number.width()].to_vec();
    if swapped {
        bytes.reverse();
    }
    let half = |format: &str, bytes: &[u8]| {
        let value = Format::parse(format).ok().and_then(|format| format.unpack(bytes).ok());
        value.map_or_else(String::new, |value| value.to_string())
    };
    macro_rules! read {
        ($($name:ident $type:ty),*) => {
            match (number, &bytes[..]) {
                $((Number::$name, bytes) => {
                    bytes.try_into().map_or_else(|_| String::new(), |bytes| <$type>::from_ne_bytes(bytes).to_string())
                })*
                (Number::F16, bytes) => half("e", bytes),
                (Number::Bf16, bytes) => half("[bfloat16]", bytes),
                (Number::Bool, _) => (bytes[0] != 0).to_string(),
            }
        };
    }
    let text = read! { I8 i8, U8 u8, I16 i16, U16 u16, I32 i32, U32 u32, I64 i64, U64 u64, F32 f32, F64 f64 };
    if imaginary { text + "j" } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_that_are_numbers() {
        let of = |text: &str| Stored::of(&Format::parse(text).unwrap());
        let big = cfg!(target_endian = "big");
        let plain = |number| Some(Stored { number, swapped: false, complex: false });
        assert_eq!(of("?"), plain(Bool));
        assert_eq!(of("B"), plain(U8));
        assert_eq!(of("q"), plain(I64));
        assert_eq!(of("<H"), Some(Stored { number: U16, swapped: big, complex: false }));
        assert_eq!(of(">e"), Some(Stored { number: F16, swapped: !big, complex: false }));
        assert_eq!(of(">Zf"), Some(Stored { number: F32, swapped: !big, complex: true }));
        assert_eq!(of("Zd"), Some(Stored { number: F64, swapped: false, complex: true }));
        assert_eq!(of("[bfloat16]"), plain(Bf16));
        for text in ["c", "4s", "P", "O", "T{i:a:}", "(2)i", "[datetime64]", "3t", "x"] {
            assert_eq!(Format::parse(text).map(|format| Stored::of(&format)).ok().flatten(), None, "{text}");
        }
    }
}
