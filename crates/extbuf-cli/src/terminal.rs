//! What is known of the terminal: how wide it is and whether colour is wanted.

use std::env;
use std::io::{self, IsTerminal};

use extbuf_draw::{Colour, TextOptions, TextStyle};

use crate::args::Page;

/// Columns where nothing tells: output to a file or a pipe.
const COLUMNS: usize = 80;

/// How drawings are written for this page.
pub(crate) fn text_options(page: &Page) -> TextOptions {
    let style = if page.ascii { TextStyle::Ascii } else { TextStyle::Unicode };
    TextOptions { columns: columns(page), style, colour: if colour() { Colour::Ansi } else { Colour::None } }
}

/// Columns to fill: as asked for, the terminal's, `COLUMNS`, or 80.
pub(crate) fn columns(page: &Page) -> usize {
    let asked = page.width.map(usize::from);
    let terminal = || terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0));
    let variable = || env::var("COLUMNS").ok()?.parse().ok();
    asked.or_else(terminal).or_else(variable).filter(|&columns| columns > 0).unwrap_or(COLUMNS).max(40)
}

/// Colour on terminals that have it, unless `NO_COLOR` is set to something (no-color.org).
pub(crate) fn colour() -> bool {
    let refused = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
    !refused && !dumb && io::stdout().is_terminal()
}
