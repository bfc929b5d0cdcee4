//! What stands before a type: order marks, a shape and a count, in the orders that the dialect allows.

use alloc::vec::Vec;
use core::ops::Range;

use super::{Parser, Place, too_large};
use crate::build::MAX_SIZE;
use crate::dialect::Marks;
use crate::error::ParseErrorKind as K;
use crate::item::MAX_DIMS;
use crate::scalar::Mark;
use crate::tokens::{Failure, Fault, Token, TokenKind};

/// What stood before a type.
#[derive(Default)]
pub(super) struct Prefix {
    pub(super) shape: Vec<usize>,
    pub(super) has_shape: bool,
    pub(super) count: Option<usize>,
    pub(super) has_mark: bool,
    pub(super) span: Range<usize>,
}

impl Prefix {
    /// Empty again, for the next entry.
    pub(super) fn restart(&mut self, span: Range<usize>) {
        self.shape.clear();
        *self = Prefix { shape: core::mem::take(&mut self.shape), span, ..Prefix::default() };
    }
}

impl Parser<'_> {
    /// Marks, a shape and a count, in the orders that the dialect allows.
    pub(super) fn prefix(&mut self, prefix: &mut Prefix) -> Result<(), Failure> {
        prefix.restart(self.end());
        let mut first = true;
        while let Some(token) = self.peek()? {
            let (kind, span) = (token.kind, token.span.clone());
            if first {
                prefix.span = span.clone();
                first = false;
            }
            match kind {
                TokenKind::Mark(mark) => {
                    self.check_mark(mark, prefix, span)?;
                    self.mark = mark;
                    prefix.has_mark = true;
                    self.advance()?;
                }
                TokenKind::ShapeOpen => {
                    if !self.rules.starts.has(b'(') {
                        return Err(self.not_here(span));
                    }
                    if prefix.has_shape || prefix.count.is_some() {
                        return Err(Fault::new(K::TypeExpected, span));
                    }
                    if prefix.has_mark && self.rules.marks == Marks::AfterShape {
                        return Err(Fault::new(K::MarkPosition { dialect: self.rules.dialect }, span));
                    }
                    self.advance()?;
                    self.shape(&mut prefix.shape, span)?;
                    prefix.has_shape = true;
                }
                TokenKind::Number => {
                    if prefix.count.is_some() {
                        return Err(Fault::new(K::TypeExpected, span));
                    }
                    prefix.count = Some(self.number(span)?);
                    self.advance()?;
                }
                TokenKind::Space => {
                    let inside = prefix.count.is_some() || prefix.has_shape;
                    self.space(if inside { Place::InsideEntry } else { Place::BetweenEntries })?;
                }
                _ => break,
            }
        }
        Ok(())
    }

    fn check_mark(&self, mark: Mark, prefix: &Prefix, span: Range<usize>) -> Result<(), Failure> {
        let dialect = self.rules.dialect;
        if !self.rules.marks_known.has(self.lexer.text.as_bytes()[span.start]) {
            return Err(self.not_here(span));
        }
        if !self.rules.reads_mark(mark) {
            return Err(Fault::new(K::ForeignOrder { dialect }, span));
        }
        let misplaced = match self.rules.marks {
            Marks::Anywhere => false,
            Marks::First => span.start != 0,
            Marks::AfterShape => prefix.has_mark || prefix.count.is_some(),
        };
        if misplaced { Err(Fault::new(K::MarkPosition { dialect }, span)) } else { Ok(()) }
    }

    /// The dimensions after an opening parenthesis, and the closing one.
    fn shape(&mut self, shape: &mut Vec<usize>, open: Range<usize>) -> Result<(), Failure> {
        loop {
            self.space(Place::InShape)?;
            // What begins nothing elsewhere is here no number: the sign of `(-1)i`.
            let dimension = self.advance().map_err(|mut fault| {
                if let K::UnknownCode { .. } = fault.kind {
                    fault.kind = K::DimensionExpected;
                }
                fault
            });
            match dimension? {
                Some(Token { kind: TokenKind::Number, span }) => {
                    if shape.len() == MAX_DIMS {
                        return Err(Fault::new(K::TooManyDimensions { limit: MAX_DIMS }, span));
                    }
                    shape.push(self.number(span)?);
                }
                Some(token) => return Err(Fault::new(K::DimensionExpected, token.span)),
                None => return Err(Fault::new(K::Unclosed { opened: "(" }, open)),
            }
            self.space(Place::InShape)?;
            match self.advance()? {
                Some(Token { kind: TokenKind::Comma, .. }) => {}
                Some(Token { kind: TokenKind::ShapeClose, .. }) => return Ok(()),
                Some(token) => {
                    return Err(Fault::new(K::Unclosed { opened: "(" }, open.start..token.span.start));
                }
                None => return Err(Fault::new(K::Unclosed { opened: "(" }, open)),
            }
        }
    }

    fn number(&self, span: Range<usize>) -> Result<usize, Failure> {
        let digits = &self.lexer.text[span.clone()];
        digits.parse().ok().filter(|&n| n <= MAX_SIZE).ok_or_else(|| too_large(span))
    }
}
