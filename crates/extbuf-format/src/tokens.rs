//! The text as it was written: tokens with their spans, in one pass and without allocation.
//!
//! The cutting is the same in every dialect; which tokens may follow which, and which a dialect lacks, is the
//! parser's matter. So a tool can colour or point at a text that does not parse.

use alloc::boxed::Box;
use core::ops::Range;

use crate::error::{ParseError, ParseErrorKind};
use crate::scalar::Mark;

/// What a piece of format text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenKind {
    /// White space, however much of it.
    Space,
    /// `@ = < > ! ^`
    Mark(Mark),
    /// Digits: a count, or a dimension inside parentheses.
    Number,
    /// `(`
    ShapeOpen,
    /// `,`
    Comma,
    /// `)`
    ShapeClose,
    /// A code: one letter or `?`, or `Z` with the letter after it.
    Code,
    /// `T{`
    RecordOpen,
    /// `}`
    RecordClose,
    /// `&`
    Pointer,
    /// `X{…}`, braces inside it balanced.
    Function,
    /// `[…]`, brackets inside it balanced.
    Custom,
    /// `:name:`, colons included.
    Name,
}

/// One token: what it is and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// The bytes of the text that it covers.
    pub span: Range<usize>,
}

/// Iterator over the tokens of a text. See [`tokens`].
#[derive(Clone, Debug)]
pub struct Tokens<'t> {
    lexer: Lexer<'t>,
    stopped: bool,
}

/// Cuts a text into tokens. The tokens cover the text without gaps, up to the first error.
///
/// ```
/// use extbuf_format::{TokenKind, tokens};
///
/// let kinds: Vec<_> = tokens("(2)i :a:").map(|t| t.unwrap().kind).collect();
/// use TokenKind::*;
/// assert_eq!(kinds, [ShapeOpen, Number, ShapeClose, Code, Space, Name]);
/// ```
#[must_use]
pub fn tokens(text: &str) -> Tokens<'_> {
    Tokens { lexer: Lexer::new(text, 0..text.len()), stopped: false }
}

impl Iterator for Tokens<'_> {
    type Item = Result<Token, ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.stopped {
            return None;
        }
        match self.lexer.next() {
            Ok(token) => token.map(Ok),
            Err(fault) => {
                self.stopped = true;
                Some(Err(ParseError::new(fault.kind, fault.span, self.lexer.text)))
            }
        }
    }
}

/// An error that does not own its text yet.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) kind: ParseErrorKind,
    pub(crate) span: Range<usize>,
}

/// Boxed, so that the way without errors stays narrow.
pub(crate) type Failure = Box<Fault>;

impl Fault {
    #[cold]
    pub(crate) fn new(kind: ParseErrorKind, span: Range<usize>) -> Failure {
        Box::new(Fault { kind, span })
    }
}

/// The cutter itself: a position in a text.
#[derive(Clone, Debug)]
pub(crate) struct Lexer<'t> {
    pub(crate) text: &'t str,
    pub(crate) at: usize,
    pub(crate) end: usize,
}

/// White space of C's `isspace`.
pub(crate) const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

impl<'t> Lexer<'t> {
    pub(crate) fn new(text: &'t str, range: Range<usize>) -> Lexer<'t> {
        Lexer { text, at: range.start, end: range.end }
    }

    fn byte(&self, at: usize) -> Option<u8> {
        if at < self.end { Some(self.text.as_bytes()[at]) } else { None }
    }

    #[inline]
    pub(crate) fn next(&mut self) -> Result<Option<Token>, Failure> {
        let start = self.at;
        let Some(byte) = self.byte(start) else { return Ok(None) };
        let mut end = start + 1;
        let kind = match byte {
            b'@' | b'=' | b'<' | b'>' | b'!' | b'^' => {
                TokenKind::Mark(Mark::from_byte(byte).unwrap_or_default())
            }
            b'0'..=b'9' => {
                end = self.run(end, |b| b.is_ascii_digit());
                TokenKind::Number
            }
            b'(' => TokenKind::ShapeOpen,
            b',' => TokenKind::Comma,
            b')' => TokenKind::ShapeClose,
            b'T' => {
                if self.byte(end) != Some(b'{') {
                    return Err(self.unknown(start));
                }
                end += 1;
                TokenKind::RecordOpen
            }
            b'}' => TokenKind::RecordClose,
            b'&' => TokenKind::Pointer,
            b'X' => {
                if self.byte(end) != Some(b'{') {
                    return Err(self.unknown(start));
                }
                end = self.balanced(end, "X{", b'{', b'}')?;
                TokenKind::Function
            }
            b'[' => {
                end = self.balanced(start, "[", b'[', b']')?;
                TokenKind::Custom
            }
            b':' => {
                end = self.run(end, |b| b != b':' && b != 0);
                match self.byte(end) {
                    Some(b':') => end += 1,
                    Some(_) => {
                        return Err(Fault::new(ParseErrorKind::ZeroByteInName, end..end + 1));
                    }
                    None => return Err(Fault::new(ParseErrorKind::UnclosedName, start..self.end)),
                }
                TokenKind::Name
            }
            b'Z' => {
                if matches!(self.byte(end), Some(b'e' | b'f' | b'd' | b'g')) {
                    end += 1;
                }
                TokenKind::Code
            }
            b'?' | b'a'..=b'z' | b'A'..=b'Y' => TokenKind::Code,
            b if is_space(b) => {
                end = self.run(end, is_space);
                TokenKind::Space
            }
            _ => return Err(self.unknown(start)),
        };
        self.at = end;
        Ok(Some(Token { kind, span: start..end }))
    }

    /// The character at a place begins nothing.
    pub(crate) fn unknown(&self, at: usize) -> Failure {
        let found = self.text[at..].chars().next().unwrap_or('\0');
        Fault::new(ParseErrorKind::UnknownCode { found }, at..at + found.len_utf8())
    }

    fn run(&self, from: usize, belongs: impl Fn(u8) -> bool) -> usize {
        let bytes = &self.text.as_bytes()[from..self.end];
        from + bytes.iter().position(|&b| !belongs(b)).unwrap_or(bytes.len())
    }

    /// From an opening bracket to one past its partner.
    fn balanced(&self, from: usize, opened: &'static str, open: u8, close: u8) -> Result<usize, Failure> {
        let mut level = 0usize;
        for (i, &byte) in self.text.as_bytes()[from..self.end].iter().enumerate() {
            if byte == open {
                level += 1;
            } else if byte == close {
                level -= 1;
                if level == 0 {
                    return Ok(from + i + 1);
                }
            } else if byte == 0 {
                return Err(self.unknown(from + i));
            }
        }
        Err(Fault::new(ParseErrorKind::Unclosed { opened }, self.at..self.at + opened.len()))
    }
}
