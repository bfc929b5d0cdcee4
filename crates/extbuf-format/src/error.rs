//! What is wrong with a format text: a kind, the span it concerns, and the text itself.
//!
//! `Display` is one line for logs. [`ParseError::render`] is for people: the text, a caret line under the
//! span, and a hint that names the fix.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use core::fmt;
use core::ops::Range;

use crate::dialect::Dialect;

/// Why a format text does not parse. Each kind shows an input that causes it under [`Dialect::Pep3118`]
/// unless it says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseErrorKind {
    /// A character that begins nothing: `"k"`, `"i\0"`, `"1,2"`.
    UnknownCode {
        /// The character found.
        found: char,
    },
    /// A code or construct that exists, but not in this dialect: `"T{i}"` under [`Dialect::Struct`].
    NotInDialect {
        /// The character that begins it.
        found: char,
        /// The dialect that lacks it.
        dialect: Dialect,
    },
    /// A code whose size only C knows, under a mark that asks for standard sizes: `"<n"`, `"=g"`.
    NoStandardSize {
        /// The letter.
        code: &'static str,
    },
    /// A count, a shape, a mark or a `&` with no type behind it: `"3"`, `"(2)"`, `"&"`.
    TypeExpected,
    /// `Z` without a real type after it: `"Zi"`, `"Z"`.
    ComplexPart,
    /// Not a number where a dimension belongs: `"()i"`, `"(3,)i"`, `"(-1)i"`.
    DimensionExpected,
    /// A bracket that is not closed: `"(1,2"`, `"T{i"`, `"X{"`, `"[name"`.
    Unclosed {
        /// What was opened.
        opened: &'static str,
    },
    /// A `}` that closes nothing: `"i}"`.
    StrayBrace,
    /// A `:` with no type before it: `":a:i"`, `"i:a::b:"`.
    NameWithoutType,
    /// A name whose second colon is missing: `"i:a"`.
    UnclosedName,
    /// The same name twice in one record: `"T{i:a:i:a:}"`.
    DuplicateName,
    /// A name with a zero byte in it, which no C string can carry: `"i:a\0b:"`.
    ZeroByteInName,
    /// A number, or a size computed from it, over the largest size in memory: `"99999999999999999999i"`.
    TooLarge {
        /// The largest that is possible, in bytes.
        limit: usize,
    },
    /// Braces, pointers and custom types nested too deep: `"T{"` 65 times.
    TooDeep {
        /// The deepest nesting that is read: [`MAX_DEPTH`](crate::MAX_DEPTH).
        limit: usize,
    },
    /// More axes in one shape than a buffer may have: `(1,1,…)` with 65 numbers.
    TooManyDimensions {
        /// The most axes: [`MAX_DIMS`](crate::MAX_DIMS).
        limit: usize,
    },
    /// A bit field of no bits or of more than a 64-bit number holds: `"0t"`, `"65t"`.
    BitCount {
        /// The most bits.
        limit: usize,
    },
    /// A custom type without a name: `"[]"`, `"[;q]"`.
    CustomName,
    /// A custom type nobody knows the size of: `"[complex64k]"`.
    CustomSize,
    /// An order mark where this dialect takes none: `"ii<i"` under [`Dialect::Struct`].
    MarkPosition {
        /// The dialect.
        dialect: Dialect,
    },
    /// White space where this dialect takes none: `"i i"` under [`Dialect::NumPy`].
    Space {
        /// The dialect.
        dialect: Dialect,
    },
    /// A byte order that is not this machine's, in a dialect that reads no other: `">i"` under
    /// [`Dialect::Cython`] on a little-endian machine.
    ForeignOrder {
        /// The dialect.
        dialect: Dialect,
    },
}

/// A format text that does not parse: what is wrong, where, and in which text.
///
/// ```
/// use extbuf_format::{Format, ParseErrorKind};
///
/// let error = Format::parse("T{i:a:Zi:b:}").unwrap_err();
/// assert_eq!(error.kind(), ParseErrorKind::ComplexPart);
/// assert_eq!(error.span(), 6..8);
/// assert_eq!(error.to_string(), "'Z' has no real type after it, at byte 6 of \"T{i:a:Zi:b:}\"");
/// assert_eq!(
///     error.render(),
///     "error: 'Z' has no real type after it\n  \
///      | T{i:a:Zi:b:}\n  \
///      |       ^^\n  \
///      = hint: 'Z' needs a real type after it: Zf, Zd or Zg"
/// );
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ParseError(Box<Inner>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Inner {
    kind: ParseErrorKind,
    span: Range<usize>,
    input: Box<str>,
}

impl ParseError {
    pub(crate) fn new(kind: ParseErrorKind, span: Range<usize>, input: &str) -> ParseError {
        ParseError(Box::new(Inner { kind, span, input: input.to_owned().into_boxed_str() }))
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> ParseErrorKind {
        self.0.kind
    }

    /// The bytes of the input that it concerns; empty at the end of the input when something is missing.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.0.span.clone()
    }

    /// The text that was parsed.
    #[must_use]
    pub fn input(&self) -> &str {
        &self.0.input
    }

    /// One sentence that names the fix.
    #[must_use]
    pub fn hint(&self) -> String {
        use ParseErrorKind as K;
        match self.0.kind {
            K::UnknownCode { found: '0'..='9' | ',' | ')' } => {
                "shapes are written in parentheses: (2,3)i".into()
            }
            K::UnknownCode { .. } => {
                "the codes are x c b B ? h H i I l L q Q n N e f d g s p u w P O t Zf Zd T{} & X{}".into()
            }
            K::NotInDialect { dialect: Dialect::Pep3118, .. } => {
                "ctypes writes it: parse with the ctypes dialect".into()
            }
            K::NotInDialect { dialect, .. } => {
                format!("the pep3118 dialect has it; the {dialect} dialect does not")
            }
            K::NoStandardSize { code } => {
                format!("{code} has a size only in native mode: write it after '@' or '^'")
            }
            K::TypeExpected => "write a type here, as i, Zd or T{…}".into(),
            K::ComplexPart => "'Z' needs a real type after it: Zf, Zd or Zg".into(),
            K::DimensionExpected => "a shape is numbers with commas between them: (2,3)".into(),
            K::Unclosed { opened } => match opened {
                "(" => "add ')'".into(),
                "[" => "add ']'".into(),
                _ => "add '}'".into(),
            },
            K::StrayBrace => "remove it, or open it with T{".into(),
            K::NameWithoutType => "a name follows its type: i:name:".into(),
            K::UnclosedName => "a name stands between two colons: i:name:".into(),
            K::DuplicateName => "rename one of the two fields".into(),
            K::ZeroByteInName => "remove the zero byte".into(),
            K::TooLarge { limit } => format!("an item has at most {limit} bytes"),
            K::TooDeep { limit } => format!("at most {limit} levels are read"),
            K::TooManyDimensions { limit } => format!("at most {limit} axes are read"),
            K::BitCount { limit } => format!("a bit field has 1 to {limit} bits"),
            K::CustomName => "write a name first: [name$params;alias]".into(),
            K::CustomSize => "say how it is stored: [name;format]".into(),
            K::MarkPosition { dialect: Dialect::Struct } => {
                "the struct module takes one order mark, as the first character".into()
            }
            K::MarkPosition { dialect } => {
                format!("the {dialect} dialect takes an order mark after the shape and before the count")
            }
            K::Space { dialect } => format!("the {dialect} dialect takes no such white space: remove it"),
            K::ForeignOrder { dialect } => {
                format!("the {dialect} dialect reads this machine's byte order alone")
            }
        }
    }

    /// The error for people: message, text, caret line and hint, in four lines. Long texts are cut around
    /// the span; every control character is shown as one `·`, so that the carets stay under their place.
    #[must_use]
    pub fn render(&self) -> String {
        const BEFORE: usize = 48;
        const AFTER: usize = 28;
        let input = &*self.0.input;
        let start = self.0.span.start.min(input.len());
        let end = self.0.span.end.clamp(start, input.len());
        let head: String = {
            let tail: String = input[..start].chars().rev().take(BEFORE).collect();
            tail.chars().rev().collect()
        };
        let cut_head = head.len() < start;
        let marked: String = input[start..end].chars().take(AFTER).collect();
        let rest: String = input[start + marked.len()..].chars().take(AFTER).collect();
        let cut_rest = start + marked.len() + rest.len() < input.len();

        let mut text = format!("error: {}\n  | ", Message(self.0.kind));
        if cut_head {
            text.push('…');
        }
        let shown = |c: char| if c.is_control() { '·' } else { c };
        text.extend(head.chars().map(shown));
        text.extend(marked.chars().map(shown));
        text.extend(rest.chars().map(shown));
        if cut_rest {
            text.push('…');
        }
        text.push_str("\n  | ");
        text.extend(core::iter::repeat_n(' ', head.chars().count() + usize::from(cut_head)));
        text.extend(core::iter::repeat_n('^', marked.chars().count().max(1)));
        text.push_str("\n  = hint: ");
        text.push_str(&self.hint());
        text
    }
}

struct Message(ParseErrorKind);

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use ParseErrorKind as K;
        match self.0 {
            K::UnknownCode { found } => write!(f, "{found:?} is not a type code"),
            K::NotInDialect { found, dialect } => write!(f, "{found:?} is not in the {dialect} dialect"),
            K::NoStandardSize { code } => write!(f, "'{code}' has no standard size"),
            K::TypeExpected => f.write_str("a type is missing"),
            K::ComplexPart => f.write_str("'Z' has no real type after it"),
            K::DimensionExpected => f.write_str("a dimension is missing"),
            K::Unclosed { opened } => write!(f, "'{opened}' is not closed"),
            K::StrayBrace => f.write_str("'}' closes nothing"),
            K::NameWithoutType => f.write_str("a name without a type before it"),
            K::UnclosedName => f.write_str("a name without its second colon"),
            K::DuplicateName => f.write_str("the name is already taken in this record"),
            K::ZeroByteInName => f.write_str("a zero byte in a name"),
            K::TooLarge { limit } => write!(f, "a size over {limit} bytes"),
            K::TooDeep { limit } => write!(f, "nested deeper than {limit} levels"),
            K::TooManyDimensions { limit } => write!(f, "more than {limit} axes"),
            K::BitCount { limit } => write!(f, "a bit field of no bits or more than {limit}"),
            K::CustomName => f.write_str("a custom type without a name"),
            K::CustomSize => f.write_str("a custom type of unknown size"),
            K::MarkPosition { dialect } => write!(f, "the {dialect} dialect takes no order mark here"),
            K::Space { dialect } => write!(f, "the {dialect} dialect takes no white space here"),
            K::ForeignOrder { dialect } => write!(f, "the {dialect} dialect reads native byte order alone"),
        }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, at byte {} of ", Message(self.0.kind), self.0.span.start)?;
        let shown: String = self.0.input.chars().take(60).collect();
        write!(f, "{shown:?}")?;
        if shown.len() < self.0.input.len() { f.write_str("…") } else { Ok(()) }
    }
}

impl fmt::Debug for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl core::error::Error for ParseError {}
