//! Columns of text that line up.

use std::fmt;

/// A table: a row of headings and rows of cells. Numbers stand to the right, all else to the left.
#[derive(Debug)]
pub(crate) struct Table {
    headings: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(headings: &[&'static str]) -> Table {
        Table { headings: headings.to_vec(), rows: Vec::new() }
    }

    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let chars = |text: &str| text.chars().count();
        let columns = self.headings.iter().enumerate().map(|(column, heading)| {
            let cells = || self.rows.iter().map(|row| row[column].as_str());
            let number =
                |cell: &str| cell.chars().all(|c| c.is_ascii_digit() || matches!(c, '+' | '-' | ',' | '.'));
            (cells().map(chars).fold(chars(heading), usize::max), cells().all(number))
        });
        let columns: Vec<(usize, bool)> = columns.collect();
        let mut line = |cells: &mut dyn Iterator<Item = &str>| {
            let mut text = String::new();
            for (cell, &(width, number)) in cells.zip(&columns) {
                let blanks = " ".repeat(width - chars(cell));
                let (before, after) = if number { (&*blanks, "") } else { ("", &*blanks) };
                text.extend([before, cell, after, "  "]);
            }
            writeln!(f, "  {}", text.trim_end())
        };
        line(&mut self.headings.iter().copied())?;
        self.rows.iter().try_for_each(|row| line(&mut row.iter().map(String::as_str)))
    }
}
