//! What is known of the terminal: how wide it is and whether colour is wanted.

use std::env;
use std::io::{self, IsTerminal, Write};

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

/// Columns of the name of an entry.
const NAME: usize = 11;

/// Writes a name and what is said of it, in as many lines as the page asks for. What is in
/// parentheses stays in one line.
pub(crate) fn entry(
    out: &mut impl Write,
    (indent, columns): (usize, usize),
    name: &str,
    value: &str,
) -> io::Result<()> {
    let room = columns.saturating_sub(indent + NAME + 1).max(20);
    let mut lines = vec![String::new()];
    let mut depth = 0usize;
    let between = |c: char| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ' ' && depth == 0
    };
    for word in value.split(between) {
        let length = |text: &str| text.chars().count();
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if length(line) + 1 + length(word) <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    for (number, line) in lines.iter().enumerate() {
        let name = if number == 0 { name } else { "" };
        writeln!(out, "{:indent$}{name:<NAME$} {line}", "")?;
    }
    Ok(())
}
