//! The item as a table: one line for each part with its offset and size, padding included.
//!
//! Repeats and arrays take one line however long they are, so an outline has at most a few lines for each
//! byte of the format's text.

use alloc::vec::Vec;

use crate::equiv::Dims;
use crate::item::{Format, Item};

/// One line of an [outline](Format::outline).
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Line<'a> {
    /// How deep inside the item: 0 is the item itself.
    pub depth: usize,
    /// Position among the fields of its record, of the first of a repeat; 0 for the item and for padding.
    pub index: usize,
    /// Name of the field.
    pub name: Option<&'a str>,
    /// Offset in bytes from the start of the item; inside an array of records, of the first element.
    pub offset: usize,
    /// Bit of the byte where a bit field starts.
    pub bit_offset: u8,
    /// Size in bytes, all repeats together.
    pub size: usize,
    /// How many in a row.
    pub repeat: usize,
    /// The part; `None` is padding.
    pub format: Option<&'a Format>,
}

impl Format {
    /// The parts of the item in order of offset, outer before inner, padding where it lies.
    ///
    /// ```
    /// use extbuf_format::Format;
    ///
    /// let format = Format::parse("T{b:a:i:b:}")?;
    /// let lines: Vec<_> = format.outline().iter().map(|l| (l.depth, l.name, l.offset, l.size)).collect();
    /// assert_eq!(lines, [(0, None, 0, 8), (1, Some("a"), 0, 1), (1, None, 1, 3), (1, Some("b"), 4, 4)]);
    /// # Ok::<(), extbuf_format::ParseError>(())
    /// ```
    #[must_use]
    pub fn outline(&self) -> Vec<Line<'_>> {
        let mut lines = Vec::new();
        let item = Line {
            depth: 0,
            index: 0,
            name: None,
            offset: 0,
            bit_offset: 0,
            size: self.itemsize(),
            repeat: 1,
            format: Some(self),
        };
        lines.push(item);
        inside(&mut lines, self, item);
        lines
    }
}

/// The lines of a part's own parts.
fn inside<'a>(lines: &mut Vec<Line<'a>>, format: &'a Format, outer: Line<'a>) {
    let base = match format.item() {
        Item::Array(array) if array.itemsize > 0 => Dims::of(array).base(),
        _ => format,
    };
    let Some(record) = base.as_record() else { return };
    let depth = outer.depth + 1;
    let padding = |from: usize, to: usize| Line {
        depth,
        index: 0,
        name: None,
        offset: outer.offset + from,
        bit_offset: 0,
        size: to - from,
        repeat: 1,
        format: None,
    };
    let (mut at, mut index) = (0, 0);
    for run in record.runs() {
        if run.offset() > at {
            lines.push(padding(at, run.offset()));
        }
        let line = Line {
            depth,
            index,
            name: run.name(),
            offset: outer.offset + run.offset(),
            bit_offset: run.bit_offset(),
            size: run.extent(),
            repeat: run.repeat(),
            format: Some(run.format()),
        };
        lines.push(line);
        inside(lines, run.format(), line);
        at = run.offset() + run.extent();
        index = index.saturating_add(run.repeat());
    }
    if at < record.itemsize {
        lines.push(padding(at, record.itemsize));
    }
}
