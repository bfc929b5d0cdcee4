//! `extbuf show`: what a file holds and how its memory is walked.

use std::io::{self, BufWriter, Write};

use crate::args;
use crate::failure::{Result, one_line};
use crate::npy::tuple;
use crate::source::{self, Source};
use crate::terminal;
use crate::units::{bytes, grouped};

pub(crate) fn run(args: &args::Show) -> Result {
    let source = source::open(&args.input)?;
    let Source { title, about, memory, whole, window } = &source;
    let view = window.view();
    let layout = window.layout();
    let mut out = BufWriter::new(io::stdout().lock());
    writeln!(out, "{title}\n")?;
    let columns = terminal::columns(&args.page);
    let mut line = |name: &str, value: String| terminal::entry(&mut out, (2, columns), name, &value);
    line("file", about.clone())?;
    line("memory", memory.clone())?;
    line("format", one_line(&window.format().to_string()))?;
    line("itemsize", bytes(layout.itemsize()))?;
    line("shape", tuple(layout.shape()))?;
    line("items", grouped(layout.len() as u128))?;
    line("bytes", bytes(layout.nbytes()))?;
    for (name, value) in extbuf_draw::level_lines(layout) {
        line(&name, value)?;
    }
    line("contiguous", extbuf_draw::contiguity_line(layout))?;
    line("PEP 3118", extbuf_draw::suboffsets_line(layout))?;
    if !layout.is_empty() {
        let first = view.value(&vec![0; layout.ndim()]);
        let first = first.map_or_else(|error| error.to_string(), |value| value.to_string());
        line("first item", cut(&first, columns.saturating_sub(14)))?;
    }
    if !layout.is_empty() && layout.ndim() > 0 {
        write!(out, "\n{}", extbuf_draw::axes_table(layout))?;
    }
    let drawing = extbuf_draw::draw_layout(whole.layout());
    let drawing = if layout == whole.layout() { drawing } else { drawing.keeping(layout) };
    write!(out, "\n{}", drawing.to_text(terminal::text_options(&args.page)))?;
    Ok(out.flush()?)
}

fn cut(text: &str, columns: usize) -> String {
    let text = one_line(text);
    if text.chars().count() <= columns {
        return text;
    }
    text.chars().take(columns.saturating_sub(1)).chain(['…']).collect()
}
