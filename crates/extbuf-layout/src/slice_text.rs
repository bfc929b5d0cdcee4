//! Reading a multi-axis slice as Python writes it: `[2:, ::-1, ..., None, 3]`.
//!
//! One pass over the bytes. An error keeps the text and the span it is about, so that it can draw a caret.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use crate::slice::{Slice, SliceItem};

/// Why a text is not a multi-axis slice; [`render`](SliceParseError::render) points at the place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SliceParseError {
    kind: SliceParseErrorKind,
    span: Range<usize>,
    input: String,
}

/// The causes of a [`SliceParseError`]. Each names an input that causes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SliceParseErrorKind {
    /// Something that begins no entry: `[x]`, `[1, , 2]`.
    ExpectedItem,
    /// An entry that goes on where it should have ended: `[1 2]`, `[1:2:3:4]`.
    ExpectedComma,
    /// A number over the range of `isize`: `[99999999999999999999]`.
    NumberTooLarge,
    /// A sign without a number: `[-]`.
    ExpectedNumber,
    /// A second `...`: `[..., 0, ...]`.
    SecondEllipsis,
    /// A step of 0: `[::0]`.
    ZeroStep,
    /// An opening bracket without its closing one: `[1, 2`.
    Unclosed,
    /// Something after the closing bracket: `[1]]`.
    AfterEnd,
}

impl SliceParseError {
    /// What was wrong.
    pub fn kind(&self) -> SliceParseErrorKind {
        self.kind
    }

    /// The bytes of the input that the error is about; empty at the end of the input.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// The text that was read.
    pub fn input(&self) -> &str {
        &self.input
    }

    /// Three lines: the message, the input, and a caret under the span.
    ///
    /// ```
    /// use extbuf_layout::SliceItem;
    /// let error = SliceItem::parse_list("[2:, x]").unwrap_err();
    /// assert_eq!(error.render(), "column 6: expected a number, ':', '...' or None\n  [2:, x]\n       ^");
    /// ```
    pub fn render(&self) -> String {
        let chars =
            |bytes: &Range<usize>| self.input.get(bytes.clone()).map_or(0, |part| part.chars().count());
        let blanks = chars(&(0..self.span.start));
        let carets = chars(&self.span).max(1);
        // One line whatever the input held.
        let input: String = self.input.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let mut out = self.to_string();
        out.push_str("\n  ");
        out.push_str(&input);
        out.push_str("\n  ");
        out.extend(core::iter::repeat_n(' ', blanks));
        out.extend(core::iter::repeat_n('^', carets));
        out
    }
}

impl fmt::Display for SliceParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use SliceParseErrorKind::*;
        let column = self.input.get(..self.span.start).map_or(0, |part| part.chars().count()) + 1;
        let text = match self.kind {
            ExpectedItem => "expected a number, ':', '...' or None",
            ExpectedComma => "expected ',' or the end of the list",
            NumberTooLarge => "this number leaves the range of an index",
            ExpectedNumber => "expected a number after the sign",
            SecondEllipsis => "a second '...', only one can be expanded",
            ZeroStep => "a step of 0",
            Unclosed => "this '[' is never closed",
            AfterEnd => "expected nothing after the closing ']'",
        };
        write!(f, "column {column}: {text}")
    }
}

impl core::error::Error for SliceParseError {}

impl SliceItem {
    /// Reads a list of entries in Python's notation, with or without the brackets. A list without entries selects
    /// everything; a comma after the last entry is allowed.
    ///
    /// ```
    /// use extbuf_layout::{s, SliceItem};
    /// let items = SliceItem::parse_list("[2:, ::-1, ..., None, 3]")?;
    /// assert_eq!(items, s![2.., ..;-1, ..., new, 3]);
    /// assert_eq!(SliceItem::parse_list("2:, ::-1, ..., None, 3")?, items);
    /// # Ok::<(), extbuf_layout::SliceParseError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Any [`SliceParseErrorKind`], with the span of the text it is about.
    pub fn parse_list(text: &str) -> Result<Vec<SliceItem>, SliceParseError> {
        Parser { text, at: 0 }.list().map_err(|(kind, span)| SliceParseError {
            kind,
            span,
            input: text.to_string(),
        })
    }
}

type Fault = (SliceParseErrorKind, Range<usize>);

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn list(&mut self) -> Result<Vec<SliceItem>, Fault> {
        use SliceParseErrorKind::*;
        let open = self.eat("[").then(|| self.at - 1);
        let mut items = Vec::new();
        let mut ellipsis = false;
        while !self.ends(open.is_some()) {
            let start = self.at;
            let item = self.item()?;
            if item == SliceItem::Ellipsis && core::mem::replace(&mut ellipsis, true) {
                return Err((SecondEllipsis, start..self.at));
            }
            items.push(item);
            if !self.eat(",") && !self.ends(open.is_some()) {
                return Err((ExpectedComma, self.next_char()));
            }
        }
        if let Some(open) = open {
            if !self.eat("]") {
                return Err((Unclosed, open..open + 1));
            }
        }
        self.skip_blanks();
        if self.at < self.text.len() { Err((AfterEnd, self.next_char())) } else { Ok(items) }
    }

    /// One entry; blanks before it are already skipped.
    fn item(&mut self) -> Result<SliceItem, Fault> {
        if self.eat("...") {
            return Ok(SliceItem::Ellipsis);
        }
        let start = match self.bound()? {
            Some(Bound::None) if !self.sees(':') => return Ok(SliceItem::NewAxis),
            Some(Bound::Number(index)) if !self.sees(':') => return Ok(SliceItem::Index(index)),
            start => start,
        };
        if !self.eat(":") {
            return Err((SliceParseErrorKind::ExpectedItem, self.next_char()));
        }
        let stop = self.bound()?;
        let mut step = None;
        if self.eat(":") {
            self.skip_blanks();
            let from = self.at;
            step = self.bound()?;
            if let Some(Bound::Number(0)) = step {
                return Err((SliceParseErrorKind::ZeroStep, from..self.at));
            }
        }
        let number = |bound: Option<Bound>| match bound {
            Some(Bound::Number(number)) => Some(number),
            Some(Bound::None) | None => None,
        };
        Ok(SliceItem::Slice(Slice { start: number(start), stop: number(stop), step: number(step) }))
    }

    /// A number or `None`, if one follows.
    fn bound(&mut self) -> Result<Option<Bound>, Fault> {
        if self.eat("None") {
            return Ok(Some(Bound::None));
        }
        let start = self.at;
        let negative = self.eat("-");
        let signed = negative || self.eat("+");
        if signed {
            self.skip_blanks();
        }
        let digits = self.text.as_bytes()[self.at..].iter().take_while(|b| b.is_ascii_digit()).count();
        if digits == 0 {
            return if signed {
                Err((SliceParseErrorKind::ExpectedNumber, self.next_char()))
            } else {
                Ok(None)
            };
        }
        let range = self.at..self.at + digits;
        self.at = range.end;
        // Towards the sign, so that isize::MIN can be written.
        let mut value = 0isize;
        for digit in self.text[range].bytes().map(|b| (b - b'0') as isize) {
            let digit = if negative { -digit } else { digit };
            value = value
                .checked_mul(10)
                .and_then(|value| value.checked_add(digit))
                .ok_or((SliceParseErrorKind::NumberTooLarge, start..self.at))?;
        }
        self.skip_blanks();
        Ok(Some(Bound::Number(value)))
    }

    fn ends(&mut self, bracketed: bool) -> bool {
        self.skip_blanks();
        self.at == self.text.len() || (bracketed && self.sees(']'))
    }

    fn sees(&mut self, wanted: char) -> bool {
        self.skip_blanks();
        self.text[self.at..].starts_with(wanted)
    }

    fn eat(&mut self, wanted: &str) -> bool {
        self.skip_blanks();
        let found = self.text[self.at..].starts_with(wanted);
        if found {
            self.at += wanted.len();
        }
        found
    }

    fn skip_blanks(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
    }

    fn next_char(&self) -> Range<usize> {
        let width = self.text[self.at..].chars().next().map_or(0, char::len_utf8);
        self.at..self.at + width
    }
}

enum Bound {
    None,
    Number(isize),
}
