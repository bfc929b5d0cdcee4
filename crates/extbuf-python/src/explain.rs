//! `extbuf.explain`: what the programs `extbuf explain` and `extbuf show` say, of Python objects.

use extbuf_draw::{TextOptions, axes_table, contiguity_line, draw_format, draw_layout, format_table};
use extbuf_format::{Dialect, Format as Parsed};
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::format::Format;
use crate::view::View;

/// What a format text, an extbuf.Format, or any object that lends its memory is, as text for people.
///
/// For a format: its fields with offset, size and meaning. For memory: format, shape, strides and pointers on the way,
/// in which orders it is contiguous, what PEP 3118 can say of it, and a drawing of where the items lie.
#[pyfunction]
#[pyo3(signature = (obj, /, *, dialect="pep3118", columns=100))]
fn explain(obj: &Bound<'_, PyAny>, dialect: &str, columns: usize) -> PyResult<String> {
    if obj.is_instance_of::<PyString>() || obj.is_instance_of::<Format>() {
        let dialect: Dialect = crate::format::dialect_named(dialect)?;
        return Ok(of_format(&Format::of(obj, dialect)?));
    }
    View::from_object(obj)?.explained(columns.max(40))
}

/// The lines of `extbuf explain`, without the text that was asked for.
pub(crate) fn of_format(format: &Parsed) -> String {
    let mut text = String::new();
    line(&mut text, "format", &format.to_string());
    line(&mut text, "itemsize", &bytes(format.itemsize()));
    line(&mut text, "alignment", &bytes(format.alignment()));
    text.push('\n');
    text.push_str(&format_table(format));
    if format.itemsize() > 0 && format.outline().len() > 1 {
        text.push('\n');
        text.push_str(&draw_format(format).to_text(TextOptions::default()));
    }
    text
}

/// What a view says of itself, line by line.
pub(crate) struct About<'a> {
    pub(crate) owner: String,
    pub(crate) readonly: bool,
    pub(crate) written: String,
    pub(crate) meaning: Result<&'a Parsed, &'a str>,
    pub(crate) layout: &'a extbuf_layout::Layout,
}

/// The lines of `extbuf show`.
pub(crate) fn of_memory(about: &About<'_>, columns: usize) -> String {
    let About { owner, readonly, written, meaning, layout } = about;
    let mut text = String::new();
    line(
        &mut text,
        "memory",
        &format!("{owner}, {}", if *readonly { "for reading only" } else { "can be written" }),
    );
    line(&mut text, "format", written);
    match meaning {
        Ok(format) if format.to_string() != *written => line(&mut text, "means", &format.to_string()),
        Ok(_) => {}
        Err(why) => {
            line(&mut text, "means", &format!("nothing known: {}", why.lines().next().unwrap_or_default()));
        }
    }
    line(&mut text, "itemsize", &bytes(layout.itemsize()));
    let shape: Vec<String> = layout.shape().iter().map(usize::to_string).collect();
    line(&mut text, "shape", &format!("({}{})", shape.join(", "), if shape.len() == 1 { "," } else { "" }));
    line(&mut text, "items", &layout.len().to_string());
    line(&mut text, "bytes", &layout.nbytes().to_string());
    for (name, value) in extbuf_draw::level_lines(layout) {
        line(&mut text, &name, &value);
    }
    line(&mut text, "contiguous", &contiguity_line(layout));
    line(&mut text, "PEP 3118", &extbuf_draw::suboffsets_line(layout));
    if let Ok(format) = meaning {
        if format.outline().len() > 1 {
            text.push('\n');
            text.push_str(&format_table(format));
        }
    }
    if !layout.is_empty() && layout.ndim() > 0 {
        text.push('\n');
        text.push_str(&axes_table(layout));
    }
    text.push('\n');
    let options = TextOptions { columns, ..TextOptions::default() };
    text.push_str(&draw_layout(layout).to_text(options));
    text
}

fn line(text: &mut String, name: &str, value: &str) {
    let shown: String = value.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    text.push_str(&format!("{name:<10} {shown}\n"));
}

fn bytes(count: usize) -> String {
    format!("{count} byte{}", if count == 1 { "" } else { "s" })
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(explain, module)?)
}
