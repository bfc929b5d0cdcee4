//! `extbuf show`: what a file holds and how its memory is walked.

use std::io::{self, BufWriter, Write};

use extbuf::layout::{Contiguity, Layout, POINTER_BYTES};

use crate::args;
use crate::failure::{Result, one_line};
use crate::npy::tuple;
use crate::source::{self, Source};
use crate::table::Table;
use crate::terminal;
use crate::units::{bytes, counted, grouped};

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
    for (name, value) in levels(layout) {
        line(&name, value)?;
    }
    line("contiguous", contiguity(layout))?;
    line("PEP 3118", suboffsets(layout))?;
    if !layout.is_empty() {
        let first = view.value(&vec![0; layout.ndim()]);
        let first = first.map_or_else(|error| error.to_string(), |value| value.to_string());
        line("first item", cut(&first, columns.saturating_sub(14)))?;
    }
    if !layout.is_empty() && layout.ndim() > 0 {
        write!(out, "\n{}", axes(layout))?;
    }
    let drawing = extbuf_draw::draw_layout(whole.layout());
    let drawing = if layout == whole.layout() { drawing } else { drawing.keeping(layout) };
    write!(out, "\n{}", drawing.to_text(terminal::text_options(&args.page)))?;
    Ok(out.flush()?)
}

/// Offset and strides of each level.
pub(crate) fn levels(layout: &Layout) -> Vec<(String, String)> {
    let level = |level: usize| {
        let strides = layout.strides(level).iter().map(|stride| format!("{stride:+}")).collect::<Vec<_>>();
        format!("offset {:+}, strides {}", layout.offset(level), list(&strides))
    };
    let line = |l: usize| match l {
        0 if layout.is_direct() => ("strides".to_owned(), level(0)),
        0 => ("level 0".to_owned(), level(0)),
        l => (format!("level {l}"), format!("after the load: {}", level(l))),
    };
    (0..layout.levels()).map(line).collect()
}

fn contiguity(layout: &Layout) -> String {
    match layout.contiguity() {
        _ if !layout.is_direct() => {
            format!("no: {} on the way to every item", counted(layout.levels() - 1, "pointer"))
        }
        Contiguity::None => "no".into(),
        Contiguity::C => "in C order".into(),
        Contiguity::F => "in Fortran order".into(),
        Contiguity::Both => "in C and in Fortran order".into(),
    }
}

/// The layout as strides and suboffsets, if they can say it.
pub(crate) fn suboffsets(layout: &Layout) -> String {
    match layout.to_suboffsets() {
        Ok(encoded) => match &encoded.suboffsets {
            Some(suboffsets) => {
                format!("strides {}, suboffsets {}", list(&encoded.strides), list(suboffsets))
            }
            None => format!("strides {}, no suboffsets", list(&encoded.strides)),
        },
        Err(error) => error.to_string(),
    }
}

/// Numbers as a Python tuple.
fn list<N: ToString>(numbers: &[N]) -> String {
    let comma = if numbers.len() == 1 { "," } else { "" };
    format!("({}{comma})", numbers.iter().map(N::to_string).collect::<Vec<_>>().join(", "))
}

/// Which bytes each axis walks while the others stand at 0.
fn axes(layout: &Layout) -> Table {
    let mut table = Table::new(&["axis", "extent", "stride", "walks bytes", "of"]);
    let last = layout.levels() - 1;
    for (axis, &extent) in layout.shape().iter().enumerate() {
        let moves = |level: &usize| layout.strides(*level)[axis] != 0;
        let stays = !(0..=last).any(|level| moves(&level));
        for level in (0..=last).filter(|level| moves(level) || stays && *level == last) {
            let (start, stride) = (layout.offset(level), layout.strides(level)[axis]);
            let width = if level == last { layout.itemsize() } else { POINTER_BYTES };
            // In range: these are addresses that the layout reaches at this level.
            let end = start + stride * (extent as isize - 1);
            let (low, high) = (start.min(end), start.max(end) + width as isize);
            let of = match (level, last) {
                (0, 0) => "the memory",
                (0, _) => "the pointers",
                _ => "what the pointer leads to",
            };
            table.row([
                axis.to_string(),
                grouped(extent as u128),
                format!("{stride:+}"),
                format!("{low} to {high}"),
                of.into(),
            ]);
        }
    }
    table
}

fn cut(text: &str, columns: usize) -> String {
    let text = one_line(text);
    if text.chars().count() <= columns {
        return text;
    }
    text.chars().take(columns.saturating_sub(1)).chain(['…']).collect()
}
