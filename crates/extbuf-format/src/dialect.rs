//! The points on which readers and writers of format texts disagree, as one table.
//!
//! Everything that differs between dialects is a row of [`Rules`]; the parser and the printer ask the rules
//! and never the dialect. A new peer is a new constant here and nothing else.
//!
//! | Question | `Pep3118` | `Struct` | `NumPy` | `Ctypes` | `Cython` |
//! |---|---|---|---|---|---|
//! | padding at the end | inside `T{}` | none | everywhere | inside `T{}` | inside `T{}` |
//! | `2i` | two values | two values | shape `(2)` | two values | two values |
//! | white space | anywhere | between entries | inside `()` | anywhere | not tab, not inside `()` |
//! | order mark | anywhere | first character | after shape, before count | anywhere | anywhere |
//! | mark after `}` | restored | - | kept on | restored | kept on |
//! | alignment of `T{}` | largest member | - | largest member | largest member | first member |
//! | a name twice | refused | - | refused | refused | accepted |
//! | `u` | 2 bytes | - | - | `wchar_t` | - |
//! | bare `Z`, `z` | - | - | - | pointers | - |
//! | `n N P g` in standard size | - | - | - | native size | - |
//! | the other byte order | read | read | read | read | - |

use core::fmt;
use core::str::FromStr;

use crate::scalar::{ByteOrder, Mark};

/// Whose rules a text is read and written by.
///
/// ```
/// use extbuf_format::{Dialect, Format};
///
/// // A long long and a byte: struct never pads at the end, NumPy always does.
/// assert_eq!(Format::parse("qb")?.itemsize(), 9);
/// assert_eq!(Format::parse_as(Dialect::NumPy, "qb")?.itemsize(), 16);
/// # Ok::<(), extbuf_format::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// PEP 3118 as written, with the struct module's rules at top level and C's inside `T{}`.
    #[default]
    Pep3118,
    /// The struct module of CPython, with the complex codes of 3.14 and 3.15.
    Struct,
    /// What NumPy exports and reads back.
    NumPy,
    /// What ctypes exports.
    Ctypes,
    /// What Cython's buffer check accepts.
    Cython,
}

impl Dialect {
    /// Every dialect, for tables and tests.
    pub const ALL: [Dialect; 5] =
        [Dialect::Pep3118, Dialect::Struct, Dialect::NumPy, Dialect::Ctypes, Dialect::Cython];

    /// The lower-case name: `pep3118`, `struct`, `numpy`, `ctypes`, `cython`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Dialect::Pep3118 => "pep3118",
            Dialect::Struct => "struct",
            Dialect::NumPy => "numpy",
            Dialect::Ctypes => "ctypes",
            Dialect::Cython => "cython",
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that is none of the dialects'.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownDialect(());

impl fmt::Display for UnknownDialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a dialect: pep3118, struct, numpy, ctypes and cython are")
    }
}

impl core::error::Error for UnknownDialect {}

impl FromStr for Dialect {
    type Err = UnknownDialect;

    fn from_str(name: &str) -> Result<Dialect, UnknownDialect> {
        Dialect::ALL.into_iter().find(|d| d.name() == name).ok_or(UnknownDialect(()))
    }
}

/// Where a sequence is padded to its alignment at its end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum EndPadding {
    /// At a closing brace only.
    Records,
    /// At a closing brace and at the end of the text.
    Everywhere,
}

/// What the number before `i` is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Count {
    /// So many values, one after the other.
    Repeat,
    /// One value, an array of that length.
    Dimension,
}

/// Where white space may stand.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Space {
    /// Between any two tokens.
    Anywhere,
    /// Between entries, not between a count and its code.
    BetweenEntries,
    /// Between the parentheses of a shape.
    InShapes,
    /// Outside shapes; tabs nowhere.
    OutsideShapesNoTab,
}

/// Where order marks may stand.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Marks {
    /// Before, inside and after the parts of an entry.
    Anywhere,
    /// As the very first character.
    First,
    /// One, after the shape and before the count.
    AfterShape,
}

/// How long a mark inside braces holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// To the closing brace.
    Restored,
    /// On, past the closing brace.
    Leaks,
}

/// Which members decide the alignment of a record.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum RecordAlignment {
    Largest,
    First,
}

/// What a second field of the same name is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum DuplicateNames {
    Refused,
    Accepted,
}

/// Which byte orders are read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Orders {
    Both,
    NativeOnly,
}

/// What `u` is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum WideText {
    /// Two bytes, as the PEP says.
    Ucs2,
    /// C's `wchar_t`, as ctypes writes.
    Wchar,
}

/// A set of ASCII characters.
#[derive(Clone, Copy)]
pub(crate) struct Letters(u128);

impl Letters {
    const fn new(letters: &str) -> Letters {
        let bytes = letters.as_bytes();
        let mut set = 0;
        let mut i = 0;
        while i < bytes.len() {
            set |= 1 << bytes[i];
            i += 1;
        }
        Letters(set)
    }

    #[inline]
    pub(crate) const fn has(self, byte: u8) -> bool {
        byte < 128 && self.0 >> byte & 1 == 1
    }
}

/// One dialect: a column of the table above.
pub(crate) struct Rules {
    pub(crate) dialect: Dialect,
    /// Characters that begin a type or a construct.
    pub(crate) starts: Letters,
    /// Real types that may follow `Z`.
    pub(crate) complex: Letters,
    /// Codes without a standard size are taken in native size under `< > =` too.
    pub(crate) native_only_anywhere: bool,
    /// `Z` and `z` by themselves are pointers to text.
    pub(crate) text_pointers: bool,
    /// `F` and `D` is how complex numbers are written, not `Zf` and `Zd`.
    pub(crate) short_complex: bool,
    pub(crate) marks_known: Letters,
    pub(crate) end_padding: EndPadding,
    pub(crate) count: Count,
    pub(crate) space: Space,
    pub(crate) marks: Marks,
    pub(crate) scope: Scope,
    pub(crate) record_alignment: RecordAlignment,
    pub(crate) duplicate_names: DuplicateNames,
    pub(crate) orders: Orders,
    pub(crate) wide_text: WideText,
}

const PEP3118: Rules = Rules {
    dialect: Dialect::Pep3118,
    starts: Letters::new("xcbB?hHiIlLqQnNefdgFDspuwPOtZT&X[(:"),
    complex: Letters::new("efdg"),
    native_only_anywhere: false,
    text_pointers: false,
    short_complex: false,
    marks_known: Letters::new("@=<>!^"),
    end_padding: EndPadding::Records,
    count: Count::Repeat,
    space: Space::Anywhere,
    marks: Marks::Anywhere,
    scope: Scope::Restored,
    record_alignment: RecordAlignment::Largest,
    duplicate_names: DuplicateNames::Refused,
    orders: Orders::Both,
    wide_text: WideText::Ucs2,
};

const STRUCT: Rules = Rules {
    dialect: Dialect::Struct,
    starts: Letters::new("xcbB?hHiIlLqQnNefdFDspPZ"),
    complex: Letters::new("fd"),
    short_complex: true,
    marks_known: Letters::new("@=<>!"),
    space: Space::BetweenEntries,
    marks: Marks::First,
    ..PEP3118
};

const NUMPY: Rules = Rules {
    dialect: Dialect::NumPy,
    starts: Letters::new("xcbB?hHiIlLqQefdgswOZT(:"),
    complex: Letters::new("fdg"),
    end_padding: EndPadding::Everywhere,
    count: Count::Dimension,
    space: Space::InShapes,
    marks: Marks::AfterShape,
    scope: Scope::Leaks,
    ..PEP3118
};

const CTYPES: Rules = Rules {
    dialect: Dialect::Ctypes,
    starts: Letters::new("xcbB?hHiIlLqQnNefdgFDspuwPOZzT&X(:"),
    native_only_anywhere: true,
    text_pointers: true,
    wide_text: WideText::Wchar,
    ..PEP3118
};

const CYTHON: Rules = Rules {
    dialect: Dialect::Cython,
    starts: Letters::new("xcbB?hHiIlLqQfdgspOZT(:"),
    complex: Letters::new("fdg"),
    space: Space::OutsideShapesNoTab,
    scope: Scope::Leaks,
    record_alignment: RecordAlignment::First,
    duplicate_names: DuplicateNames::Accepted,
    orders: Orders::NativeOnly,
    ..PEP3118
};

impl Dialect {
    pub(crate) const fn rules(self) -> &'static Rules {
        match self {
            Dialect::Pep3118 => &PEP3118,
            Dialect::Struct => &STRUCT,
            Dialect::NumPy => &NUMPY,
            Dialect::Ctypes => &CTYPES,
            Dialect::Cython => &CYTHON,
        }
    }
}

impl Rules {
    /// Whether the mark is written in this dialect at all, and its byte order read.
    pub(crate) fn reads_mark(&self, mark: Mark) -> bool {
        self.marks_known.has(mark.as_char() as u8)
            && (self.orders == Orders::Both || mark.byte_order() == ByteOrder::NATIVE)
    }
}
