//! Formats as NumPy writes them, which is not how it reads them.
//!
//! NumPy writes every gap between two fields as `x`, up to the offset where the next one lies, and never the padding at
//! the end of a record. Read by the rules of C, as NumPy does, a nested record that ends in padding gets it twice: once
//! from the closing brace and once from the `x` behind it. So an array of
//! `dtype([('a', dtype([('x', 'i4'), ('y', 'i1')], align=True)), ('b', 'i1')], align=True)` comes back from NumPy's own
//! reader with `b` in the wrong place, without a word.
//!
//! Here the text is taken by how it was written: with nothing aligned, the `x` lead to every offset. What no text of
//! NumPy's says is how far apart the elements of an array of records lie; they are as long as C has them, where the next
//! field leaves room for that.

use extbuf_format::{Dialect, FieldSpec, Format, FormatError, Item, Mark, Scalar};

/// What a text of NumPy's means, where that is not what its reader makes of it.
///
/// The text of the answer means the same to both readers.
pub(crate) fn misread(text: &str, itemsize: usize) -> Option<(String, Format)> {
    // Only a record in a record can be misread.
    if !text.starts_with("T{") || text.matches("T{").count() < 2 {
        return None;
    }
    let read = Format::parse_as(Dialect::NumPy, text).ok()?;
    let written = as_written(&read, text, itemsize)?;
    if read.with_itemsize(itemsize).is_ok_and(|read| read == written) {
        return None;
    }
    let text = written.to_string_as(Dialect::NumPy).ok()?;
    Some((text, written))
}

fn as_written(read: &Format, text: &str, itemsize: usize) -> Option<Format> {
    let placed = Format::parse_as(Dialect::NumPy, &unaligned(text)).ok()?;
    mend(&placed, read, itemsize).ok().flatten()?.with_itemsize(itemsize).ok()
}

/// The text with nothing aligned: `@` becomes `^`, which has the same sizes. Names stay.
fn unaligned(text: &str) -> String {
    let mut in_name = false;
    let mut change = |c: char| {
        in_name ^= c == ':';
        if c == '@' && !in_name { '^' } else { c }
    };
    std::iter::once('^').chain(text.chars().map(&mut change)).collect()
}

/// The tree with the offsets of `placed` and the scalars of `read`, in `room` bytes. A record is as long as C has it
/// where there is room for that.
fn mend(placed: &Format, read: &Format, room: usize) -> Result<Option<Format>, FormatError> {
    Ok(match (placed.item(), read.item()) {
        (Item::Record(a), Item::Record(b)) => {
            if a.fields().size_hint() != b.fields().size_hint() {
                return Ok(None);
            }
            let starts = a.fields().map(|field| field.offset()).skip(1).chain([room]);
            let (mut fields, mut end) = (Vec::new(), 0);
            for ((a, b), next) in a.fields().zip(b.fields()).zip(starts) {
                let offset = a.offset();
                let room = next.saturating_sub(offset);
                let Some(format) = mend(a.format(), b.format(), room)? else { return Ok(None) };
                end = offset + format.itemsize();
                fields.push(FieldSpec { name: b.name().map(str::to_owned), offset, format });
            }
            let end = end.max(placed.itemsize());
            let padded = end.next_multiple_of(natural(read));
            Some(Format::record(fields, if padded <= room { padded } else { end })?)
        }
        (Item::Array(a), Item::Array(b)) => {
            let each = room.checked_div(a.count()).unwrap_or(0);
            match mend(a.element(), b.element(), each)? {
                Some(element) => Some(Format::array(a.shape(), element)?),
                None => None,
            }
        }
        _ => Some(read.clone()),
    })
}

/// The alignment that C would give the item. NumPy marks native numbers that are not aligned with `=`; of numbers in
/// another byte order it does not say.
pub(crate) fn natural(format: &Format) -> usize {
    match format.item() {
        Item::Scalar(scalar) if scalar.mark() == Mark::Standard => 1,
        Item::Scalar(scalar) => Scalar::new(scalar.code(), Mark::Native).alignment(),
        Item::Array(array) => natural(array.element()),
        Item::Record(record) => record.runs().iter().map(|run| natural(run.format())).max().unwrap_or(1),
        _ => format.alignment(),
    }
}
