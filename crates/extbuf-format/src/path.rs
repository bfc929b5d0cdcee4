//! From a path to an offset and a format: `a.b[2]`. Zero-copy views of a field stand on this.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use crate::build::array;
use crate::fault::{FormatError, FormatErrorKind as K};
use crate::item::{Format, Item, Record};
use crate::scalar::Code;

impl Format {
    /// Byte offset and format of a part of the item.
    ///
    /// Fields are joined by `.`; an index in brackets picks an element of an array, one number an axis, or a
    /// field of a record by position. Fewer indices than axes give the rest as an array. Where a name itself
    /// holds dots or brackets, the longest name that fits is taken.
    ///
    /// # Errors
    ///
    /// [`NoSuchField`](K::NoSuchField), [`NotNested`](K::NotNested), [`BadPath`](K::BadPath),
    /// [`IndexOutOfRange`](K::IndexOutOfRange), [`TooManyIndices`](K::TooManyIndices), and
    /// [`BitField`](K::BitField) for what has no byte offset.
    ///
    /// ```
    /// use extbuf_format::Format;
    ///
    /// let format = Format::parse("T{i:id:(4)T{<d:x:<d:y:}:corner:}")?;
    /// let (offset, y) = format.field("corner[2].y")?;
    /// assert_eq!((offset, y), (4 + 2 * 16 + 8, Format::parse("<d")?));
    /// let (offset, row) = Format::parse("(2,3)h")?.field("[1]")?;
    /// assert_eq!((offset, row), (6, Format::parse("(3)h")?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn field(&self, path: &str) -> Result<(usize, Format), FormatError> {
        let fail = |kind: K| FormatError::at(kind, path.to_owned());
        let mut offset = 0;
        let mut format = self.clone();
        let mut rest = path;
        if rest.is_empty() {
            return Err(fail(K::BadPath));
        }
        let mut start = true;
        while !rest.is_empty() {
            let step;
            if let Some(inside) = rest.strip_prefix('[') {
                let (indices, after) = inside.split_once(']').ok_or_else(|| fail(K::BadPath))?;
                let indices: Vec<usize> = indices
                    .split(',')
                    .map(|n| n.trim().parse().map_err(|_| fail(K::BadPath)))
                    .collect::<Result<_, _>>()?;
                step = element(&format, &indices).map_err(fail)?;
                rest = after;
            } else {
                if !start {
                    rest = rest.strip_prefix('.').ok_or_else(|| fail(K::BadPath))?;
                }
                let record = format.as_record().ok_or_else(|| fail(K::NotNested))?;
                let (found, length) =
                    named(record, rest).ok_or_else(|| fail(K::NoSuchField).with_detail(names(record)))?;
                step = found.map_err(fail)?;
                rest = &rest[length..];
            }
            offset += step.0;
            format = step.1;
            start = false;
        }
        Ok((offset, format))
    }

    /// The format, if its size is the one that a buffer claims.
    ///
    /// Exporters do get this wrong: ctypes before Python 3.12 leaves padding out, NumPy never writes the
    /// padding at the end of a record, unions and bit fields of ctypes come as something else altogether.
    ///
    /// # Errors
    ///
    /// [`ItemSize`](K::ItemSize) with both numbers.
    pub fn check_itemsize(&self, claimed: usize) -> Result<(), FormatError> {
        let format = self.itemsize();
        if format == claimed { Ok(()) } else { Err(K::ItemSize { format, claimed }.into()) }
    }

    /// The format with padding at the end, so that it has the size that a buffer claims: what the missing
    /// end of a NumPy record stands for.
    ///
    /// # Errors
    ///
    /// [`ItemSize`](K::ItemSize) when the format is larger than the claim, or is no record.
    ///
    /// ```
    /// use extbuf_format::Format;
    ///
    /// // NumPy exports a record of one int and itemsize 16 as `T{i:a:}`.
    /// let record = Format::parse("T{i:a:}")?.with_itemsize(16)?;
    /// assert_eq!(record, Format::parse("T{i:a:12x}")?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn with_itemsize(&self, claimed: usize) -> Result<Format, FormatError> {
        if self.itemsize() == claimed {
            return Ok(self.clone());
        }
        match self.as_record() {
            Some(record) if record.itemsize < claimed => crate::build::lengthen(record, claimed),
            _ => Err(K::ItemSize { format: self.itemsize(), claimed }.into()),
        }
    }
}

/// The field with the longest name that begins the path, and how much of the path the name is.
#[allow(clippy::type_complexity)]
fn named(record: &Record, path: &str) -> Option<(Result<(usize, Format), K>, usize)> {
    let mut best: Option<(&crate::item::Run, usize)> = None;
    for run in record.runs() {
        let Some(name) = run.name().filter(|name| path.starts_with(name)) else { continue };
        let ends = matches!(path.as_bytes().get(name.len()), None | Some(b'.' | b'['));
        if ends && best.is_none_or(|(_, length)| name.len() > length) {
            best = Some((run, name.len()));
        }
    }
    let (run, length) = best?;
    let bits = run.format().as_scalar().is_some_and(|s| s.code() == Code::Bits);
    let found = if bits && run.bit_offset() != 0 {
        Err(K::BitField)
    } else {
        Ok((run.offset(), run.format().clone()))
    };
    Some((found, length))
}

/// The part that indices pick.
fn element(format: &Format, indices: &[usize]) -> Result<(usize, Format), K> {
    match format.item() {
        Item::Array(outer) => {
            let shape = outer.shape();
            let (own, inner) = indices.split_at(indices.len().min(shape.len()));
            let rest = array(&shape[own.len()..], outer.element().clone()).map_err(|_| K::BadPath)?;
            let mut offset = 0usize;
            let mut stride = rest.itemsize();
            for (&index, &len) in own.iter().zip(shape).rev() {
                if index >= len {
                    return Err(K::IndexOutOfRange { index, len });
                }
                offset = offset.wrapping_add(index.wrapping_mul(stride));
                // Wraps only in an array without elements, where an index after this one has no place to be.
                stride = stride.wrapping_mul(len);
            }
            if inner.is_empty() {
                return Ok((offset, rest));
            }
            if !matches!(rest.item(), Item::Array(_)) {
                return Err(K::TooManyIndices { given: indices.len(), ndim: shape.len() });
            }
            let (more, format) = element(&rest, inner)?;
            Ok((offset + more, format))
        }
        Item::Record(record) => match *indices {
            [index] => {
                let mut fields = record.fields();
                let len = fields.size_hint().0;
                let field = fields.nth(index).ok_or(K::IndexOutOfRange { index, len })?;
                let bits = field.format().as_scalar().is_some_and(|s| s.code() == Code::Bits);
                if bits && field.bit_offset() != 0 {
                    return Err(K::BitField);
                }
                Ok((field.offset(), field.format().clone()))
            }
            _ => Err(K::TooManyIndices { given: indices.len(), ndim: 1 }),
        },
        _ => Err(K::NotNested),
    }
}

/// The first names of a record, for who has asked for another.
#[cold]
fn names(record: &Record) -> String {
    const SHOWN: usize = 8;
    let mut text = String::new();
    for (k, name) in
        record.fields().take(4 * SHOWN).filter_map(|field| field.name().map(ToOwned::to_owned)).enumerate()
    {
        if k == SHOWN {
            text.push_str(", …");
            break;
        }
        text.push_str(if k == 0 { "there are " } else { ", " });
        text.push_str(&alloc::format!("{name:?}"));
    }
    if text.is_empty() { "the fields have no names".into() } else { text }
}
