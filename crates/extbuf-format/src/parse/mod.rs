//! Text to tree: one pass over the tokens, one rule table, one place where offsets are computed.
//!
//! ```text
//! format   = { entry } ;
//! entry    = { mark | shape | count } , type , [ name ] ;
//! shape    = "(" , number , { "," , number } , ")" ;
//! type     = code | "Z" , real | "T{" , format , "}" | "&" , entry | "X{" … "}" | "[" … "]" ;
//! name     = ":" , { any but ":" } , ":" ;
//! ```
//!
//! A mark governs whatever is placed while it holds: a scalar's order and size, whether an entry is aligned,
//! and at a closing brace whether the end of the record is padded to its alignment. Recursion goes one level
//! down a bracket and no deeper than [`MAX_DEPTH`], so that the stack is bounded whatever the text; all else
//! is a loop that moves forward, so that time is linear in the length.

use alloc::borrow::{Cow, ToOwned};
use alloc::boxed::Box;
use alloc::sync::Arc;
use core::ops::Range;
use core::str::FromStr;

use crate::build::{MAX_SIZE, Overflow, Placer, array, braced};
use crate::dialect::{Count, Dialect, DuplicateNames, EndPadding, Marks, Rules, Scope, Space, WideText};
use crate::error::{ParseError, ParseErrorKind as K};
use crate::item::{Bounds, Custom, Format, Function, MAX_DEPTH, MAX_DIMS, Name, Node, Pointer, Record};
use crate::scalar::{Code, Mark, Scalar};
use crate::tokens::{Failure, Fault, Lexer, Token, TokenKind, is_space};

mod names;
mod prefix;

use names::Names;
use prefix::Prefix;

impl Format {
    /// Reads a format text in the [`Pep3118`](Dialect::Pep3118) dialect.
    ///
    /// # Errors
    ///
    /// See [`ParseErrorKind`](crate::ParseErrorKind).
    ///
    /// ```
    /// use extbuf_format::Format;
    ///
    /// assert_eq!(Format::parse("<hhqd")?.itemsize(), 20);
    /// assert_eq!(Format::parse("T{b:a:i:b:}")?.itemsize(), 8);
    /// # Ok::<(), extbuf_format::ParseError>(())
    /// ```
    pub fn parse(text: &str) -> Result<Format, ParseError> {
        Format::parse_as(Dialect::Pep3118, text)
    }

    /// Reads a format text by the rules of a dialect.
    ///
    /// # Errors
    ///
    /// See [`ParseErrorKind`](crate::ParseErrorKind).
    pub fn parse_as(dialect: Dialect, text: &str) -> Result<Format, ParseError> {
        let rules = dialect.rules();
        if let Some(scalar) = single(rules, text.as_bytes()) {
            return Ok(Format::scalar(scalar));
        }
        let mut parser = Parser::new(rules, Lexer::new(text, 0..text.len()), Mark::Native, 0);
        match parser.whole() {
            Ok(format) => Ok(format),
            Err(fault) => Err(ParseError::new(fault.kind, fault.span, text)),
        }
    }
}

impl FromStr for Format {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Format, ParseError> {
        Format::parse(text)
    }
}

/// The short way for the commonest texts: one code, or a mark and a code.
#[inline]
fn single(rules: &Rules, text: &[u8]) -> Option<Scalar> {
    let (mark, letter) = match *text {
        [letter] => (Mark::Native, letter),
        [mark, letter] => (Mark::from_byte(mark).filter(|&m| rules.reads_mark(m))?, letter),
        _ => return None,
    };
    let code = Code::from_letter(letter).filter(|&code| rules.starts.has(letter) && code != Code::Void)?;
    if code.native_only() && !mark.native_sizes() && !rules.native_only_anywhere {
        return None;
    }
    Some(Scalar::new(wide(rules, code), mark))
}

/// `u` of ctypes is C's `wchar_t`.
fn wide(rules: &Rules, code: Code) -> Code {
    let four_bytes = !cfg!(windows);
    if code == Code::Ucs2 && rules.wide_text == WideText::Wchar && four_bytes { Code::Ucs4 } else { code }
}

struct Parser<'t> {
    rules: &'static Rules,
    lexer: Lexer<'t>,
    /// The next token, already cut.
    next: Option<Token>,
    started: bool,
    mark: Mark,
    depth: usize,
    /// The text, for its names to share; made when the first one comes.
    shared: Option<Arc<str>>,
}

/// A sequence while it is read: inside braces on the heap, so that a level takes little of the stack.
#[derive(Default)]
struct Level<'t> {
    placer: Placer,
    names: Names<'t>,
    prefix: Prefix,
}

/// A type as read: a tree, or bytes that are padding unless a name follows.
enum Type {
    Item(Format),
    /// The count was the length of it.
    Sized(Scalar),
    Pad(usize),
}

impl<'t> Parser<'t> {
    fn new(rules: &'static Rules, lexer: Lexer<'t>, mark: Mark, depth: usize) -> Parser<'t> {
        Parser { rules, lexer, next: None, started: false, mark, depth, shared: None }
    }

    /// The text to its end, as one item.
    fn whole(&mut self) -> Result<Format, Failure> {
        let mut level = Level::default();
        while self.inside(&mut level, None)? {}
        Ok(collapse(self.finish(level, Bounds::Open)?))
    }

    fn peek(&mut self) -> Result<Option<&Token>, Failure> {
        if !self.started {
            self.next = self.lexer.next()?;
            self.started = true;
        }
        Ok(self.next.as_ref())
    }

    fn advance(&mut self) -> Result<Option<Token>, Failure> {
        self.peek()?;
        self.started = false;
        Ok(self.next.take())
    }

    fn end(&self) -> Range<usize> {
        self.lexer.end..self.lexer.end
    }

    fn not_here(&self, span: Range<usize>) -> Failure {
        let found = self.lexer.text[span.start..].chars().next().unwrap_or('\0');
        Fault::new(K::NotInDialect { found, dialect: self.rules.dialect }, span)
    }

    /// One entry of a sequence; false at the closing brace of `open`, or at the end of the text.
    fn inside(&mut self, level: &mut Level<'t>, open: Option<&Range<usize>>) -> Result<bool, Failure> {
        if let Some(scalar) = self.plain_code() {
            level.prefix.restart(self.lexer.at - 1..self.lexer.at);
            self.place(level, Type::Item(Format::scalar(scalar)))?;
            return Ok(true);
        }
        if !self.begins(open)? {
            return Ok(false);
        }
        if let Some(what) = self.typed(&mut level.prefix)? {
            self.place(level, what)?;
        }
        Ok(true)
    }

    /// The byte that the next token begins with, when no token is cut ahead.
    #[inline]
    fn next_byte(&self) -> Option<u8> {
        if self.started || self.lexer.at == self.lexer.end {
            return None;
        }
        Some(self.lexer.text.as_bytes()[self.lexer.at])
    }

    /// The short way for the commonest entry: a letter with nothing before it.
    #[inline]
    fn plain_code(&mut self) -> Option<Scalar> {
        let letter = self.next_byte().filter(|&byte| self.rules.starts.has(byte))?;
        let code = Code::from_letter(letter).filter(|code| !code.counts_length() && !code.native_only())?;
        self.lexer.at += 1;
        Some(Scalar::new(code, self.mark))
    }

    /// Whether an entry begins here. Takes the closing brace if not.
    fn begins(&mut self, open: Option<&Range<usize>>) -> Result<bool, Failure> {
        self.space(Place::BetweenEntries)?;
        let Some(token) = self.peek()? else {
            return match open {
                Some(open) => Err(Fault::new(K::Unclosed { opened: "T{" }, open.clone())),
                None => Ok(false),
            };
        };
        let (kind, span) = (token.kind, token.span.clone());
        match kind {
            TokenKind::RecordClose if open.is_none() => Err(Fault::new(K::StrayBrace, span)),
            TokenKind::RecordClose => {
                self.advance()?;
                Ok(false)
            }
            TokenKind::Name if !self.rules.starts.has(b':') => Err(self.not_here(span)),
            TokenKind::Name => Err(Fault::new(K::NameWithoutType, span)),
            _ => Ok(true),
        }
    }

    /// The end of a sequence: its padding, under the mark in force there.
    fn finish(&self, level: Level<'t>, bounds: Bounds) -> Result<Record, Failure> {
        let everywhere = self.rules.end_padding == EndPadding::Everywhere;
        let padded = self.mark.aligns() && (everywhere || bounds == Bounds::Braced);
        let end = self.lexer.at.min(self.lexer.end);
        let rule = self.rules.record_alignment;
        level.placer.finish(bounds, Mark::Native, padded, rule).map_err(|Overflow| too_large(end..end))
    }

    /// The name behind a type, and the place of both.
    fn place(&mut self, level: &mut Level<'t>, what: Type) -> Result<(), Failure> {
        let named = self.name(&mut level.names)?;
        let Level { placer, prefix, .. } = level;
        let whole = prefix.span.start..self.lexer.at.min(self.lexer.end).max(prefix.span.end);
        let overflow = |Overflow| too_large(whole.clone());

        let mut repeat = 1;
        let base = match what {
            Type::Pad(len) if named.is_none() => {
                let bytes = prefix.shape.iter().try_fold(len, |n, &d| n.checked_mul(d)).ok_or(Overflow);
                return bytes.and_then(|bytes| placer.pad(bytes)).map_err(overflow);
            }
            Type::Pad(len) => Format::scalar(
                Scalar::with_len(Code::Void, self.mark, len).ok_or(Overflow).map_err(overflow)?,
            ),
            Type::Sized(scalar) => Format::scalar(scalar),
            Type::Item(format) => {
                let count = prefix.count.unwrap_or(1);
                let dimension = self.rules.count == Count::Dimension || prefix.has_shape || named.is_some();
                if dimension && count != 1 {
                    prefix.shape.push(count);
                } else {
                    repeat = count;
                }
                format
            }
        };
        let format = self.shaped(prefix, base)?;
        placer.push(format, repeat, named).map_err(overflow)
    }

    /// Prefix and type; `None` for marks with nothing behind them, which end a sequence harmlessly.
    fn typed(&mut self, prefix: &mut Prefix) -> Result<Option<Type>, Failure> {
        self.prefix(prefix)?;
        let end = self.end();
        let token = match self.peek()? {
            Some(token) if !matches!(token.kind, TokenKind::RecordClose | TokenKind::Name) => {
                self.advance()?.unwrap_or(Token { kind: TokenKind::Space, span: end })
            }
            other => {
                let span = other.map_or(end, |t| t.span.start..t.span.start);
                let only_marks = !prefix.has_shape && prefix.count.is_none();
                if only_marks && self.rules.marks != Marks::AfterShape && !self.next_is_name() {
                    return Ok(None);
                }
                return Err(Fault::new(K::TypeExpected, span));
            }
        };
        prefix.span.end = token.span.end;
        self.type_of(token, prefix.count).map(Some)
    }

    fn next_is_name(&self) -> bool {
        self.next.as_ref().is_some_and(|token| token.kind == TokenKind::Name)
    }

    fn type_of(&mut self, token: Token, count: Option<usize>) -> Result<Type, Failure> {
        let span = token.span;
        let byte = self.lexer.text.as_bytes()[span.start];
        let known = self.rules.starts.has(byte);
        match token.kind {
            TokenKind::Code => self.code(span, count),
            TokenKind::RecordOpen | TokenKind::Pointer | TokenKind::Function | TokenKind::Custom
                if !known =>
            {
                Err(self.not_here(span))
            }
            TokenKind::RecordOpen => self.record(span).map(Type::Item),
            TokenKind::Pointer => self.pointer(span).map(Type::Item),
            TokenKind::Function => {
                let signature = Cow::Owned(self.lexer.text[span.start + 2..span.end - 1].to_owned());
                Ok(Type::Item(Format::from_node(Node::Function(Function { signature, mark: self.mark }))))
            }
            TokenKind::Custom => self.custom(span).map(Type::Item),
            // White space that the prefix left standing cannot reach this place; the others begin no type.
            _ => Err(self.lexer.unknown(span.start)),
        }
    }

    fn record(&mut self, span: Range<usize>) -> Result<Format, Failure> {
        self.deeper(&span)?;
        let before = self.mark;
        let mut level = Box::<Level<'t>>::default();
        while self.inside(&mut level, Some(&span))? {}
        self.close(*level, before)
    }

    fn close(&mut self, level: Level<'t>, before: Mark) -> Result<Format, Failure> {
        let mut record = self.finish(level, Bounds::Braced)?;
        if self.rules.scope == Scope::Restored {
            self.mark = before;
        }
        record.mark = self.mark;
        self.depth -= 1;
        Ok(Format::from_node(Node::Record(record)))
    }

    fn pointer(&mut self, span: Range<usize>) -> Result<Format, Failure> {
        self.deeper(&span)?;
        let mark = self.mark;
        let target = self.target(span)?;
        self.mark = mark;
        self.depth -= 1;
        Ok(Format::from_node(Node::Pointer(Pointer { target, mark })))
    }

    fn deeper(&mut self, span: &Range<usize>) -> Result<(), Failure> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Fault::new(K::TooDeep { limit: MAX_DEPTH }, span.clone()));
        }
        Ok(())
    }

    fn code(&self, span: Range<usize>, count: Option<usize>) -> Result<Type, Failure> {
        let text = &self.lexer.text[span.clone()];
        let letter = text.as_bytes()[0];
        let dialect = self.rules.dialect;
        let code = match text.as_bytes() {
            [b'Z', part] if self.rules.complex.has(*part) => match part {
                b'e' => Code::ComplexHalf,
                b'f' => Code::ComplexFloat,
                b'd' => Code::ComplexDouble,
                _ => Code::ComplexLongDouble,
            },
            [b'Z', ..] if !self.rules.starts.has(b'Z') => return Err(self.not_here(span)),
            [b'Z', _] => return Err(Fault::new(K::NotInDialect { found: 'Z', dialect }, span)),
            [b'Z'] if self.rules.text_pointers => Code::WidePointer,
            [b'Z'] => {
                let next = self.lexer.text[span.end..self.lexer.end].chars().next().map_or(0, char::len_utf8);
                return Err(Fault::new(K::ComplexPart, span.start..span.end + next));
            }
            _ => match Code::from_letter(letter) {
                None => return Err(self.lexer.unknown(span.start)),
                Some(_) if !self.rules.starts.has(letter) => return Err(self.not_here(span)),
                Some(code) => wide(self.rules, code),
            },
        };
        if code.native_only() && !self.mark.native_sizes() && !self.rules.native_only_anywhere {
            return Err(Fault::new(K::NoStandardSize { code: code.as_str() }, span));
        }
        if code == Code::Void {
            return Ok(Type::Pad(count.unwrap_or(1)));
        }
        if !code.counts_length() {
            return Ok(Type::Item(Format::scalar(Scalar::new(code, self.mark))));
        }
        match Scalar::with_len(code, self.mark, count.unwrap_or(1)) {
            Some(scalar) => Ok(Type::Sized(scalar)),
            None if code == Code::Bits => Err(Fault::new(K::BitCount { limit: 64 }, span)),
            None => Err(too_large(span)),
        }
    }

    /// What stands behind `&`: an entry without a name.
    fn target(&mut self, and: Range<usize>) -> Result<Format, Failure> {
        let mut prefix = Box::<Prefix>::default();
        let Some(what) = self.typed(&mut prefix)? else {
            return Err(Fault::new(K::TypeExpected, and.end..and.end));
        };
        let base = match what {
            Type::Item(_) if prefix.count.is_some_and(|n| n != 1) => {
                return Err(Fault::new(K::TypeExpected, prefix.span.clone()));
            }
            Type::Item(format) => format,
            Type::Sized(scalar) => Format::scalar(scalar),
            Type::Pad(len) => {
                let scalar = Scalar::with_len(Code::Void, self.mark, len);
                Format::scalar(scalar.ok_or_else(|| too_large(prefix.span.clone()))?)
            }
        };
        self.shaped(&prefix, base)
    }

    fn shaped(&self, prefix: &Prefix, base: Format) -> Result<Format, Failure> {
        if prefix.shape.is_empty() {
            return Ok(base);
        }
        if prefix.shape.len() > MAX_DIMS {
            return Err(Fault::new(K::TooManyDimensions { limit: MAX_DIMS }, prefix.span.clone()));
        }
        let end = self.lexer.at.min(self.lexer.end);
        array(&prefix.shape, base).map_err(|Overflow| too_large(prefix.span.start..end))
    }

    /// `[name$params;alias]`: the first `;` ends the parameters, the first `$` before it the name.
    fn custom(&mut self, span: Range<usize>) -> Result<Format, Failure> {
        let text = self.lexer.text;
        let inner = &text[span.start + 1..span.end - 1];
        let (head, alias) = inner.split_once(';').map_or((inner, None), |(head, alias)| (head, Some(alias)));
        let (name, params) = head.split_once('$').map_or((head, None), |(name, params)| (name, Some(params)));
        if name.is_empty() {
            return Err(Fault::new(K::CustomName, span));
        }
        let storage = match alias {
            Some(alias) => {
                self.deeper(&span)?;
                let end = span.end - 1;
                let lexer = Lexer::new(text, end - alias.len()..end);
                let mut inner = Parser::new(self.rules, lexer, self.mark, self.depth);
                inner.shared = self.shared.take();
                let storage = inner.whole()?;
                self.shared = inner.shared;
                self.depth -= 1;
                braced(storage)
            }
            None => match Custom::KNOWN.iter().find(|(known, _)| *known == name) {
                Some(&(_, code)) => Format::scalar(Scalar::new(code, self.mark)),
                None => return Err(Fault::new(K::CustomSize, span)),
            },
        };
        let owned = |text: &str| Cow::Owned(text.to_owned());
        let (name, params) = (owned(name), params.map(owned));
        Ok(Format::from_node(Node::Custom(Custom { name, params, storage, mark: self.mark })))
    }

    /// The name after a type, checked against those before it.
    fn name(&mut self, names: &mut Names<'t>) -> Result<Option<Name>, Failure> {
        let span = match self.next_byte() {
            // Most often the name is there or it is not, and no token need be cut ahead to see which.
            Some(b':') => self.lexer.next()?.map_or(self.end(), |token| token.span),
            Some(byte) if !is_space(byte) => return Ok(None),
            _ => {
                if self.rules.space == Space::Anywhere || self.rules.space == Space::OutsideShapesNoTab {
                    self.space(Place::InsideEntry)?;
                }
                match self.peek()? {
                    Some(token) if token.kind == TokenKind::Name => {
                        let span = token.span.clone();
                        self.advance()?;
                        span
                    }
                    _ => return Ok(None),
                }
            }
        };
        if !self.rules.starts.has(b':') {
            return Err(self.not_here(span));
        }
        let name = &self.lexer.text[span.start + 1..span.end - 1];
        if names.is_taken(name) && self.rules.duplicate_names == DuplicateNames::Refused {
            return Err(Fault::new(K::DuplicateName, span));
        }
        let text = self.shared.get_or_insert_with(|| Arc::from(self.lexer.text)).clone();
        Ok(Some(Name::Part { text, start: span.start + 1, end: span.end - 1 }))
    }

    /// Skips white space, or says that the dialect takes none here.
    #[inline]
    fn space(&mut self, place: Place) -> Result<(), Failure> {
        if self.next_byte().is_some_and(|byte| !is_space(byte)) {
            return Ok(());
        }
        self.skip_space(place)
    }

    fn skip_space(&mut self, place: Place) -> Result<(), Failure> {
        let span = match self.peek()? {
            Some(token) if token.kind == TokenKind::Space => token.span.clone(),
            _ => return Ok(()),
        };
        let text = &self.lexer.text.as_bytes()[span.clone()];
        debug_assert!(text.iter().all(|&b| is_space(b)));
        let taken = match self.rules.space {
            Space::Anywhere => true,
            Space::BetweenEntries => place == Place::BetweenEntries,
            Space::InShapes => place == Place::InShape,
            Space::OutsideShapesNoTab => {
                place != Place::InShape && text.iter().all(|b| matches!(b, b' ' | b'\r' | b'\n'))
            }
        };
        if !taken {
            return Err(Fault::new(K::Space { dialect: self.rules.dialect }, span));
        }
        self.advance()?;
        Ok(())
    }
}

/// Where white space was found.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    BetweenEntries,
    InsideEntry,
    InShape,
}

fn too_large(span: Range<usize>) -> Failure {
    Fault::new(K::TooLarge { limit: MAX_SIZE }, span)
}

/// A sequence of one unnamed field that fills it is that field.
fn collapse(record: Record) -> Format {
    if let [run] = &*record.runs {
        let alone = run.name.is_none() && run.repeat == 1 && run.offset == 0;
        if alone && run.format.itemsize() == record.itemsize {
            return run.format.clone();
        }
    }
    Format::from_node(Node::Record(record))
}
