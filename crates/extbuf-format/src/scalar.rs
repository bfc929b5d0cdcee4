//! One value: a code, the order mark it stands under, and a length. Everything else about a scalar (its
//! size, its alignment, its byte order, what it means) is computed from these three, so that a scalar is
//! sixteen bytes, `Copy`, and can be built in a `const`.
//!
//! Native sizes are those of C on the target, taken from `core::ffi`; standard sizes are those of the
//! `struct` module of Python.

use core::ffi;
use core::mem::{align_of, size_of};

/// Which end of a multi-byte number comes first in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ByteOrder {
    /// Least significant byte first.
    Little,
    /// Most significant byte first.
    Big,
}

impl ByteOrder {
    /// The order of the machine that this program was compiled for.
    pub const NATIVE: ByteOrder =
        if cfg!(target_endian = "big") { ByteOrder::Big } else { ByteOrder::Little };
}

/// An order mark: it sets byte order, sizes and alignment together, and holds until the next one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Mark {
    /// `@`: native order, native sizes, natural alignment. What holds when no mark is written.
    #[default]
    Native,
    /// `^`: native order, native sizes, no alignment.
    Unaligned,
    /// `=`: native order, standard sizes, no alignment.
    Standard,
    /// `<`: little-endian, standard sizes, no alignment.
    Little,
    /// `>` or `!`: big-endian, standard sizes, no alignment.
    Big,
}

impl Mark {
    /// The byte order that the mark asks for.
    #[must_use]
    pub const fn byte_order(self) -> ByteOrder {
        match self {
            Mark::Little => ByteOrder::Little,
            Mark::Big => ByteOrder::Big,
            _ => ByteOrder::NATIVE,
        }
    }

    /// Whether things written under the mark are aligned: true for `@` alone.
    #[must_use]
    pub const fn aligns(self) -> bool {
        matches!(self, Mark::Native)
    }

    /// Whether sizes are those of C on this machine (`@`, `^`) rather than the standard ones.
    #[must_use]
    pub const fn native_sizes(self) -> bool {
        matches!(self, Mark::Native | Mark::Unaligned)
    }

    /// The character that writes the mark.
    #[must_use]
    pub const fn as_char(self) -> char {
        match self {
            Mark::Native => '@',
            Mark::Unaligned => '^',
            Mark::Standard => '=',
            Mark::Little => '<',
            Mark::Big => '>',
        }
    }

    pub(crate) const fn from_byte(byte: u8) -> Option<Mark> {
        Some(match byte {
            b'@' => Mark::Native,
            b'^' => Mark::Unaligned,
            b'=' => Mark::Standard,
            b'<' => Mark::Little,
            b'>' | b'!' => Mark::Big,
            _ => return None,
        })
    }
}

/// The type codes of one value. The letters are those of the `struct` module and of PEP 3118.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Code {
    /// `x` with a name: bytes nobody gave a type. (Without a name `x` is padding and no field at all.)
    Void,
    /// `c`: one byte, a character.
    Char,
    /// `b`: signed char.
    SignedChar,
    /// `B`: unsigned char.
    UnsignedChar,
    /// `?`: C99 bool.
    Bool,
    /// `h`: short.
    Short,
    /// `H`: unsigned short.
    UnsignedShort,
    /// `i`: int.
    Int,
    /// `I`: unsigned int.
    UnsignedInt,
    /// `l`: long; 4 bytes in standard size.
    Long,
    /// `L`: unsigned long; 4 bytes in standard size.
    UnsignedLong,
    /// `q`: long long.
    LongLong,
    /// `Q`: unsigned long long.
    UnsignedLongLong,
    /// `n`: ssize_t; has no standard size.
    Ssize,
    /// `N`: size_t; has no standard size.
    Size,
    /// `e`: IEEE 754 half float.
    Half,
    /// `f`: float.
    Float,
    /// `d`: double.
    Double,
    /// `g`: long double; has no standard size.
    LongDouble,
    /// `Ze`: two half floats.
    ComplexHalf,
    /// `Zf` or `F`: two floats.
    ComplexFloat,
    /// `Zd` or `D`: two doubles.
    ComplexDouble,
    /// `Zg`: two long doubles; has no standard size.
    ComplexLongDouble,
    /// `s`: a run of bytes; the count is its length.
    Bytes,
    /// `p`: a Pascal string; the count is its length with the length byte.
    Pascal,
    /// `u`: text in 2-byte units; the count is its length.
    Ucs2,
    /// `w`: text in 4-byte units; the count is its length.
    Ucs4,
    /// `P`: `void *`; has no standard size.
    VoidPointer,
    /// `z` of ctypes: `char *`.
    CharPointer,
    /// bare `Z` of ctypes: `wchar_t *`.
    WidePointer,
    /// `O`: a reference to an interpreter's object.
    Object,
    /// `t`: bits; the count is how many.
    Bits,
}

/// What the bytes of a scalar mean, with names of types and order marks taken away.
///
/// Two scalars mean the same when their kinds, their sizes and (where it matters) their byte orders agree:
/// a `long` of eight bytes is a `long long`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// Bytes without a type.
    Void,
    /// One byte that is a character.
    Char,
    /// Zero is false, anything else is true.
    Bool,
    /// Two's complement integer.
    Int,
    /// Unsigned integer.
    UInt,
    /// Floating point of 2, 4, 8 or more bytes.
    Float,
    /// Two floating point numbers, real part first.
    Complex,
    /// A run of bytes of fixed length.
    Bytes,
    /// A Pascal string: the first byte is the length.
    Pascal,
    /// Text in units of 2 or 4 bytes.
    Text,
    /// An address without a type.
    Pointer,
    /// The address of a text that ends in a zero byte.
    CharPointer,
    /// The address of a wide text that ends in a zero unit.
    WidePointer,
    /// A reference to an interpreter's object: not to be copied as bits.
    Object,
    /// A bit field.
    Bits,
}

/// C's `long double`: size and alignment on this target. `core::ffi` has no such type.
const LONG_DOUBLE: (usize, usize) = if cfg!(any(
    target_env = "msvc",
    all(target_vendor = "apple", target_arch = "aarch64"),
    target_arch = "arm"
)) {
    (8, 8)
} else if cfg!(target_arch = "x86") {
    if cfg!(target_vendor = "apple") { (16, 16) } else { (12, 4) }
} else if cfg!(any(
    target_arch = "x86_64",
    target_arch = "aarch64",
    target_arch = "riscv64",
    target_arch = "riscv32",
    target_arch = "powerpc64",
    target_arch = "loongarch64",
    target_arch = "mips64",
    target_arch = "sparc64",
    target_arch = "wasm32",
    target_arch = "wasm64"
)) {
    (16, 16)
} else if cfg!(target_arch = "s390x") {
    (16, 8)
} else {
    (8, align_of::<f64>())
};

impl Code {
    /// The text of the code as PEP 3118 spells it: `"i"`, `"Zf"`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Code::Void => "x",
            Code::Char => "c",
            Code::SignedChar => "b",
            Code::UnsignedChar => "B",
            Code::Bool => "?",
            Code::Short => "h",
            Code::UnsignedShort => "H",
            Code::Int => "i",
            Code::UnsignedInt => "I",
            Code::Long => "l",
            Code::UnsignedLong => "L",
            Code::LongLong => "q",
            Code::UnsignedLongLong => "Q",
            Code::Ssize => "n",
            Code::Size => "N",
            Code::Half => "e",
            Code::Float => "f",
            Code::Double => "d",
            Code::LongDouble => "g",
            Code::ComplexHalf => "Ze",
            Code::ComplexFloat => "Zf",
            Code::ComplexDouble => "Zd",
            Code::ComplexLongDouble => "Zg",
            Code::Bytes => "s",
            Code::Pascal => "p",
            Code::Ucs2 => "u",
            Code::Ucs4 => "w",
            Code::VoidPointer => "P",
            Code::CharPointer => "z",
            Code::WidePointer => "Z",
            Code::Object => "O",
            Code::Bits => "t",
        }
    }

    /// The code of a letter that is a whole type by itself in PEP 3118 (with the `F` and `D` of newer Python).
    pub(crate) const fn from_letter(letter: u8) -> Option<Code> {
        Some(match letter {
            b'x' => Code::Void,
            b'c' => Code::Char,
            b'b' => Code::SignedChar,
            b'B' => Code::UnsignedChar,
            b'?' => Code::Bool,
            b'h' => Code::Short,
            b'H' => Code::UnsignedShort,
            b'i' => Code::Int,
            b'I' => Code::UnsignedInt,
            b'l' => Code::Long,
            b'L' => Code::UnsignedLong,
            b'q' => Code::LongLong,
            b'Q' => Code::UnsignedLongLong,
            b'n' => Code::Ssize,
            b'N' => Code::Size,
            b'e' => Code::Half,
            b'f' => Code::Float,
            b'd' => Code::Double,
            b'g' => Code::LongDouble,
            b'F' => Code::ComplexFloat,
            b'D' => Code::ComplexDouble,
            b's' => Code::Bytes,
            b'p' => Code::Pascal,
            b'u' => Code::Ucs2,
            b'w' => Code::Ucs4,
            b'P' => Code::VoidPointer,
            b'z' => Code::CharPointer,
            b'O' => Code::Object,
            b't' => Code::Bits,
            _ => return None,
        })
    }

    /// Whether a count before the code is its length (`3s`, `3x`, `3t`) and not a repeat (`3i`).
    #[must_use]
    pub const fn counts_length(self) -> bool {
        matches!(self, Code::Void | Code::Bytes | Code::Pascal | Code::Ucs2 | Code::Ucs4 | Code::Bits)
    }

    /// Whether C gives the type a size but no standard says which: `n N g Zg P` and the pointers of ctypes.
    #[must_use]
    pub const fn native_only(self) -> bool {
        matches!(
            self,
            Code::Ssize
                | Code::Size
                | Code::LongDouble
                | Code::ComplexLongDouble
                | Code::VoidPointer
                | Code::CharPointer
                | Code::WidePointer
        )
    }

    /// Size and alignment of one unit in C on this machine.
    const fn native(self) -> (usize, usize) {
        const fn of<T>() -> (usize, usize) {
            (size_of::<T>(), align_of::<T>())
        }
        match self {
            Code::Void | Code::Char | Code::SignedChar | Code::UnsignedChar | Code::Bool => (1, 1),
            Code::Bytes | Code::Pascal | Code::Bits => (1, 1),
            Code::Short => of::<ffi::c_short>(),
            Code::UnsignedShort => of::<ffi::c_ushort>(),
            Code::Int => of::<ffi::c_int>(),
            Code::UnsignedInt => of::<ffi::c_uint>(),
            Code::Long => of::<ffi::c_long>(),
            Code::UnsignedLong => of::<ffi::c_ulong>(),
            Code::LongLong => of::<ffi::c_longlong>(),
            Code::UnsignedLongLong => of::<ffi::c_ulonglong>(),
            Code::Ssize => of::<isize>(),
            Code::Size => of::<usize>(),
            Code::VoidPointer | Code::CharPointer | Code::WidePointer | Code::Object => of::<usize>(),
            Code::Half | Code::Ucs2 => of::<u16>(),
            Code::Float => of::<ffi::c_float>(),
            Code::Double => of::<ffi::c_double>(),
            Code::LongDouble => LONG_DOUBLE,
            Code::ComplexHalf => (4, 2),
            Code::ComplexFloat => (2 * size_of::<ffi::c_float>(), align_of::<ffi::c_float>()),
            Code::ComplexDouble => (2 * size_of::<ffi::c_double>(), align_of::<ffi::c_double>()),
            Code::ComplexLongDouble => (2 * LONG_DOUBLE.0, LONG_DOUBLE.1),
            Code::Ucs4 => of::<u32>(),
        }
    }

    /// Size of one unit in standard size; for what has none, the native size.
    const fn standard(self) -> usize {
        match self {
            Code::Short | Code::UnsignedShort => 2,
            Code::Int | Code::UnsignedInt | Code::Long | Code::UnsignedLong | Code::Float => 4,
            Code::LongLong | Code::UnsignedLongLong | Code::Double | Code::ComplexFloat => 8,
            Code::ComplexDouble => 16,
            _ => self.native().0,
        }
    }

    /// What the bytes mean.
    #[must_use]
    pub const fn kind(self) -> Kind {
        match self {
            Code::Void => Kind::Void,
            Code::Char => Kind::Char,
            Code::Bool => Kind::Bool,
            Code::SignedChar | Code::Short | Code::Int | Code::Long | Code::LongLong | Code::Ssize => {
                Kind::Int
            }
            Code::UnsignedChar
            | Code::UnsignedShort
            | Code::UnsignedInt
            | Code::UnsignedLong
            | Code::UnsignedLongLong
            | Code::Size => Kind::UInt,
            Code::Half | Code::Float | Code::Double | Code::LongDouble => Kind::Float,
            Code::ComplexHalf | Code::ComplexFloat | Code::ComplexDouble | Code::ComplexLongDouble => {
                Kind::Complex
            }
            Code::Bytes => Kind::Bytes,
            Code::Pascal => Kind::Pascal,
            Code::Ucs2 | Code::Ucs4 => Kind::Text,
            Code::VoidPointer => Kind::Pointer,
            Code::CharPointer => Kind::CharPointer,
            Code::WidePointer => Kind::WidePointer,
            Code::Object => Kind::Object,
            Code::Bits => Kind::Bits,
        }
    }
}

/// One value of one code under one order mark.
///
/// `==` compares what was written (`<i` and `i` differ); [`Scalar::means_same`] compares what is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scalar {
    code: Code,
    mark: Mark,
    /// Length of `s p u w x t`, else 1. The size in bytes fits `isize`: checked where a length comes in.
    len: usize,
}

impl Scalar {
    /// A value of a code that takes no length, or one unit of a code that does.
    #[must_use]
    pub const fn new(code: Code, mark: Mark) -> Scalar {
        Scalar { code, mark, len: 1 }
    }

    /// A run of `len` units of `s p u w x` or a field of `len` bits of `t`; `None` when the code takes no
    /// length, when the size would not fit `isize`, or when a bit field has no bit or more than 64.
    #[must_use]
    pub const fn with_len(code: Code, mark: Mark, len: usize) -> Option<Scalar> {
        if !code.counts_length() {
            return None;
        }
        if matches!(code, Code::Bits) && (len == 0 || len > 64) {
            return None;
        }
        match code.native().0.checked_mul(len) {
            Some(size) if size <= isize::MAX as usize => Some(Scalar { code, mark, len }),
            _ => None,
        }
    }

    /// The type code.
    #[must_use]
    pub const fn code(self) -> Code {
        self.code
    }

    /// The order mark that it stands under.
    #[must_use]
    pub const fn mark(self) -> Mark {
        self.mark
    }

    /// How many units (`s p u w x`) or bits (`t`); 1 for all others.
    #[must_use]
    pub const fn len(self) -> usize {
        self.len
    }

    /// Whether it has no units at all, as `0s`.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.len == 0
    }

    /// What the bytes mean.
    #[must_use]
    pub const fn kind(self) -> Kind {
        self.code.kind()
    }

    /// Size in bytes; for a bit field the bytes that hold it when it starts at a byte.
    #[must_use]
    #[inline]
    pub const fn itemsize(self) -> usize {
        match self.code {
            Code::Bits => self.len.div_ceil(8),
            code => self.unit() * if code.counts_length() { self.len } else { 1 },
        }
    }

    /// Alignment in bytes: C's under `@`, 1 under every other mark.
    #[must_use]
    pub const fn alignment(self) -> usize {
        if self.mark.aligns() { self.code.native().1 } else { 1 }
    }

    /// Byte order of the value. References and addresses live in this machine's memory, so theirs is native
    /// whatever the mark.
    #[must_use]
    pub const fn byte_order(self) -> ByteOrder {
        match self.code {
            Code::Object => ByteOrder::NATIVE,
            _ => self.mark.byte_order(),
        }
    }

    /// Size of the piece whose bytes the byte order permutes: the unit of text, the part of a complex.
    #[must_use]
    pub const fn swap_width(self) -> usize {
        match self.kind() {
            Kind::Complex => self.unit() / 2,
            Kind::Bits => 1,
            _ => self.unit(),
        }
    }

    /// Whether two scalars read the same value from the same bytes.
    #[must_use]
    pub fn means_same(self, other: Scalar) -> bool {
        self.meaning() == other.meaning()
    }

    /// Whether the bytes must be turned around to be this machine's.
    #[must_use]
    pub fn is_swapped(self) -> bool {
        self.swap_width() > 1 && self.byte_order() != ByteOrder::NATIVE
    }

    /// Everything that equality looks at: kind, unit, length, and the order where it can be told.
    pub(crate) const fn meaning(self) -> (Kind, usize, usize, ByteOrder) {
        let ordered = self.swap_width() > 1 || matches!(self.code, Code::Bits);
        let order = if ordered { self.byte_order() } else { ByteOrder::NATIVE };
        (self.kind(), self.unit(), self.len, order)
    }

    /// The same value without alignment: `@` becomes `^`, whose sizes are the same.
    pub(crate) const fn unaligned(self) -> Scalar {
        match self.mark {
            Mark::Native => Scalar { mark: Mark::Unaligned, ..self },
            _ => self,
        }
    }

    const fn unit(self) -> usize {
        if self.mark.native_sizes() { self.code.native().0 } else { self.code.standard() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scalar_is_two_words() {
        assert_eq!(size_of::<Scalar>(), 2 * size_of::<usize>());
    }

    #[test]
    fn standard_long_is_four_bytes_and_native_long_is_c() {
        assert_eq!(Scalar::new(Code::Long, Mark::Standard).itemsize(), 4);
        assert_eq!(Scalar::new(Code::Long, Mark::Little).itemsize(), 4);
        assert_eq!(Scalar::new(Code::Long, Mark::Native).itemsize(), size_of::<ffi::c_long>());
    }

    #[test]
    fn lengths_that_do_not_fit_are_refused() {
        assert_eq!(Scalar::with_len(Code::Bytes, Mark::Native, usize::MAX), None);
        assert_eq!(Scalar::with_len(Code::Ucs4, Mark::Native, usize::MAX / 4), None);
        assert_eq!(Scalar::with_len(Code::Bits, Mark::Native, 65), None);
        assert_eq!(Scalar::with_len(Code::Int, Mark::Native, 2), None);
    }
}
