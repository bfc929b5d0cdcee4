//! `extbuf.explain`: what the program `extbuf explain` and `extbuf show` say, of Python objects.

use extbuf_draw::TextOptions;
use extbuf_format::Format;

/// The lines of `extbuf explain`, without the text that was asked for.
pub(crate) fn of_format(format: &Format) -> String {
    let mut text = format!(
        "format     {format}\nitemsize   {}\nalignment  {}\n\n{}",
        bytes(format.itemsize()),
        bytes(format.alignment()),
        extbuf_draw::format_table(format)
    );
    if format.itemsize() > 0 && format.outline().len() > 1 {
        text.push('\n');
        text.push_str(&extbuf_draw::draw_format(format).to_text(TextOptions::default()));
    }
    text
}

fn bytes(count: usize) -> String {
    format!("{count} byte{}", if count == 1 { "" } else { "s" })
}
