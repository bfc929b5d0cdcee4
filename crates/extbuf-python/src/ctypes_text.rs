//! Formats as ctypes wrote them before Python 3.12: with every field in its own byte order, and without the padding that
//! C puts between them.
//!
//! `struct { short x; double y; }` is `T{<h:x:<d:y:}` there: ten bytes by the text, sixteen in memory. Adding the
//! missing six at the end would read `y` from the wrong place without a word; so where the sizes differ, the fields are
//! placed as C places them, and that is believed only if it comes to the size that the exporter claims.

use extbuf_format::{Dialect, FieldSpec, Format, FormatError, Item};

use crate::numpy_text::natural;

/// What a text that is too short means, where C's padding makes it as long as claimed, and a text with that padding.
pub(crate) fn misread(text: &str, itemsize: usize) -> Option<(String, Format)> {
    if !text.contains("T{") {
        return None;
    }
    let written =
        Format::parse_as(Dialect::Ctypes, text).ok().filter(|format| format.itemsize() < itemsize)?;
    let meant = as_in_c(&written).ok().filter(|padded| padded.itemsize() == itemsize)?;
    let text = meant.to_string_as(Dialect::Ctypes).ok()?;
    Some((text, meant))
}

fn as_in_c(format: &Format) -> Result<Format, FormatError> {
    match format.item() {
        Item::Record(record) => {
            let (mut fields, mut end) = (Vec::new(), 0usize);
            for field in record.fields() {
                let inner = as_in_c(field.format())?;
                let offset = end.next_multiple_of(natural(&inner));
                end = offset + inner.itemsize();
                fields.push(FieldSpec { name: field.name().map(str::to_owned), offset, format: inner });
            }
            Format::record(fields, end.next_multiple_of(natural(format)))
        }
        Item::Array(array) => Format::array(array.shape(), as_in_c(array.element())?),
        _ => Ok(format.clone()),
    }
}
