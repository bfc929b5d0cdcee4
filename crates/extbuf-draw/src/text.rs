//! The terminal back end: one character a place.
//!
//! Frames are kept as four bits a place (which of the four sides a line leaves by) and become characters only at the
//! end, so frames that meet join by themselves.

use crate::scene::{Arrow, Cell, Fill, Ink, Label, Mark, Scene, Wire, columns, cut, width};

/// How [`Drawing::to_text`](crate::Drawing::to_text) writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextOptions {
    /// No line is longer; counted in columns, where a wide character takes two.
    pub columns: usize,
    /// Which characters are used.
    pub style: TextStyle,
    /// Whether colour is written.
    pub colour: Colour,
}

impl Default for TextOptions {
    /// 80 columns, Unicode, no colour.
    fn default() -> TextOptions {
        TextOptions { columns: 80, style: TextStyle::Unicode, colour: Colour::None }
    }
}

/// Which characters a text drawing is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextStyle {
    /// Box-drawing characters and arrows.
    Unicode,
    /// ASCII alone; other characters of names become `?`.
    Ascii,
}

/// Whether a text drawing holds escape sequences for colour.
///
/// The caller decides: this crate asks neither the terminal nor `NO_COLOR`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// Plain text.
    None,
    /// ANSI escape sequences of the 16 common colours.
    Ansi,
}

const UP: u8 = 1;
const DOWN: u8 = 2;
const LEFT: u8 = 4;
const RIGHT: u8 = 8;

/// Frame characters by their four bits.
const FRAME: [char; 16] = [' ', '╵', '╷', '│', '╴', '┘', '┐', '┤', '╶', '└', '┌', '├', '─', '┴', '┬', '┼'];

/// The second half of a wide character.
const HALF: char = '\0';

#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    Normal,
    Strong,
    Faint,
    Accent,
    Tone(usize),
}

#[derive(Clone, Copy)]
struct Place {
    /// A character, or none where only frame lines are.
    c: Option<char>,
    frame: u8,
    look: Look,
}

const EMPTY: Place = Place { c: None, frame: 0, look: Look::Normal };

struct Canvas {
    columns: usize,
    rows: Vec<Vec<Place>>,
    /// Rows of which something lies beyond the last column.
    cut: Vec<bool>,
}

pub(crate) fn write(scene: &Scene, options: TextOptions) -> String {
    let (wide, high) = scene.size();
    let columns = options.columns.min(wide);
    let mut canvas = Canvas { columns, rows: vec![vec![EMPTY; columns]; high], cut: vec![false; high] };
    for mark in &scene.marks {
        match mark {
            Mark::Cell(cell) => canvas.cell(cell),
            Mark::Label(label) => canvas.label(label),
            Mark::Arrow(arrow) => canvas.arrow(arrow),
            Mark::Wire(wire) => canvas.wire(wire),
            Mark::Loop { at, ink } => canvas.put(*at, '↺', look(*ink)),
            Mark::Bracket { from, to, wide } => canvas.bracket(*from, *to, *wide),
            Mark::Guide { .. } => {}
        }
    }
    canvas.finish(options)
}

fn look(ink: Ink) -> Look {
    match ink {
        Ink::Normal => Look::Normal,
        Ink::Strong => Look::Strong,
        Ink::Faint => Look::Faint,
        Ink::Accent => Look::Accent,
    }
}

impl Canvas {
    fn at(&mut self, (x, y): (usize, usize)) -> Option<&mut Place> {
        if x >= self.columns {
            *self.cut.get_mut(y)? = true;
        }
        self.rows.get_mut(y)?.get_mut(x)
    }

    fn put(&mut self, at: (usize, usize), c: char, look: Look) {
        if let Some(place) = self.at(at) {
            *place = Place { c: Some(c), frame: 0, look };
        }
    }

    /// Adds lines to whatever frame is there; text gives way.
    fn frame(&mut self, at: (usize, usize), sides: u8, look: Look) {
        if let Some(place) = self.at(at) {
            *place = Place { c: None, frame: place.frame | sides, look };
        }
    }

    fn text(&mut self, (mut x, y): (usize, usize), text: &str, look: Look) {
        for c in text.chars() {
            self.put((x, y), c, look);
            if columns(c) == 2 {
                self.put((x + 1, y), HALF, look);
            }
            x += columns(c);
        }
    }

    fn cell(&mut self, cell: &Cell) {
        let ((x, y), (w, h)) = (cell.at, cell.size);
        let frame = if cell.fill == Fill::Faint { Look::Faint } else { Look::Normal };
        for row in [y, y + h] {
            self.frame((x, row), RIGHT, frame);
            for column in x + 1..x + w {
                self.frame((column, row), LEFT | RIGHT, frame);
            }
            self.frame((x + w, row), LEFT, frame);
        }
        for column in [x, x + w] {
            self.frame((column, y), DOWN, frame);
            for row in y + 1..y + h {
                self.frame((column, row), UP | DOWN, frame);
            }
            self.frame((column, y + h), UP, frame);
        }
        let inside = w.saturating_sub(1);
        let (blank, look) = match cell.fill {
            Fill::Hatched => ('░', Look::Faint),
            Fill::Outside => ('x', Look::Accent),
            Fill::Faint => (' ', Look::Faint),
            Fill::Plain => (' ', Look::Normal),
            Fill::Tone(tone) => (' ', Look::Tone(tone)),
        };
        for row in y + 1..y + h {
            for column in x + 1..x + w {
                self.put((column, row), blank, look);
            }
        }
        let skip = h.saturating_sub(1).saturating_sub(cell.lines.len()) / 2;
        for (nth, line) in cell.lines.iter().take(h.saturating_sub(1)).enumerate() {
            let mut line = cut(line, inside);
            if matches!(cell.fill, Fill::Hatched | Fill::Outside)
                && !line.is_empty()
                && width(&line) + 2 <= inside
            {
                line = format!(" {line} ");
            }
            let start = x + 1 + inside.saturating_sub(width(&line)) / 2;
            self.text((start, y + 1 + skip + nth), &line, look);
        }
    }

    fn label(&mut self, label: &Label) {
        let (start, _) = label.span();
        let y = label.at.1;
        let text = cut(&label.text, self.columns.saturating_sub(start));
        self.text((start, y), &text, look(label.ink));
    }

    fn arrow(&mut self, arrow: &Arrow) {
        let look = look(arrow.ink);
        let (from, to) = (arrow.from, arrow.to);
        let across = from.1 == to.1;
        let (start, line, head) = match (across, from <= to) {
            (true, true) => ('├', '─', '▶'),
            (true, false) => ('┤', '─', '◀'),
            (false, _) if from.1 <= to.1 => ('┬', '│', '▼'),
            (false, _) => ('┴', '│', '▲'),
        };
        let (low, high) =
            if across { (from.0.min(to.0), from.0.max(to.0)) } else { (from.1.min(to.1), from.1.max(to.1)) };
        for at in low + 1..high {
            if !arrow.gap.is_some_and(|(start, end)| across && start <= at && at < end) {
                self.put(if across { (at, from.1) } else { (from.0, at) }, line, look);
            }
        }
        // Where the arrow before ends, its head stays.
        if !self.at(from).is_some_and(|place| matches!(place.c, Some('▶' | '◀' | '▼' | '▲'))) {
            self.put(from, start, look);
        }
        self.put(to, head, look);
    }

    fn bracket(&mut self, (x, y): (usize, usize), to: usize, wide: usize) {
        self.frame((x, y), RIGHT | DOWN, Look::Normal);
        self.frame((to, y), LEFT | DOWN, Look::Normal);
        let free = x + 2..if wide > 0 { x + wide + 4 } else { x };
        for column in (x + 1..to).filter(|column| !free.contains(column)) {
            self.frame((column, y), LEFT | RIGHT, Look::Normal);
        }
    }

    fn wire(&mut self, wire: &Wire) {
        let look = look(wire.ink);
        let (from, to, bend) = (wire.from, wire.to, wire.bend);
        self.put((from.0.saturating_sub(2), from.1), '●', look);
        let flat = |canvas: &mut Canvas, x: usize, y: usize| canvas.frame((x, y), LEFT | RIGHT, look);
        for x in from.0.saturating_sub(1)..bend {
            flat(self, x, from.1);
        }
        if from.1 == to.1 {
            flat(self, bend, from.1);
        } else {
            let (up, down) = (from.1.min(to.1), from.1.max(to.1));
            let falls = from.1 < to.1;
            self.frame((bend, from.1), LEFT | if falls { DOWN } else { UP }, look);
            self.frame((bend, to.1), RIGHT | if falls { UP } else { DOWN }, look);
            for y in up + 1..down {
                self.frame((bend, y), UP | DOWN, look);
            }
        }
        for x in bend + 1..to.0.saturating_sub(1) {
            flat(self, x, to.1);
        }
        self.put((to.0.saturating_sub(1), to.1), '▶', look);
    }

    fn finish(mut self, options: TextOptions) -> String {
        let mut out = String::new();
        for (row, cut) in self.rows.iter_mut().zip(&self.cut) {
            if let (true, Some(last)) = (*cut, row.last_mut()) {
                *last = Place { c: Some('…'), frame: 0, look: Look::Faint };
            }
            let mut line: Vec<(char, Look)> = Vec::with_capacity(row.len());
            for (x, place) in row.iter().enumerate() {
                let c = place.c.unwrap_or(FRAME[usize::from(place.frame)]);
                let wide_before = x > 0 && row[x - 1].c.is_some_and(|c| columns(c) == 2);
                let half_after = row.get(x + 1).is_some_and(|next| next.c == Some(HALF));
                match c {
                    HALF if wide_before => {}
                    HALF => line.push((' ', place.look)),
                    c if columns(c) == 2 && !half_after => line.push(('…', place.look)),
                    c => line.push((c, place.look)),
                }
            }
            while line.last().is_some_and(|(c, look)| *c == ' ' && !matches!(look, Look::Tone(_))) {
                line.pop();
            }
            let mut now = Look::Normal;
            for (c, look) in line {
                if options.colour == Colour::Ansi && look != now {
                    out.push_str(&escape(look));
                    now = look;
                }
                match options.style {
                    TextStyle::Unicode => out.push(c),
                    TextStyle::Ascii => out.extend(std::iter::repeat_n(ascii(c), columns(c))),
                }
            }
            if now != Look::Normal {
                out.push_str("\x1b[0m");
            }
            out.push('\n');
        }
        out
    }
}

fn escape(look: Look) -> String {
    match look {
        Look::Normal => "\x1b[0m".into(),
        Look::Strong => "\x1b[0;1m".into(),
        Look::Faint => "\x1b[0;2m".into(),
        Look::Accent => "\x1b[0;1;33m".into(),
        // Cyan, green, yellow, magenta, blue, red as background under black.
        Look::Tone(tone) => format!("\x1b[0;30;4{}m", [6, 2, 3, 5, 4, 1][tone % 6]),
    }
}

/// The stand-in of a character, for each of its columns.
fn ascii(c: char) -> char {
    match c {
        '─' | '╴' | '╶' => '-',
        '│' | '╵' | '╷' => '|',
        '┘' | '┐' | '┤' | '└' | '┌' | '├' | '┴' | '┬' | '┼' => '+',
        '░' => '/',
        '▶' => '>',
        '◀' => '<',
        '▼' => 'v',
        '▲' => '^',
        '↺' => '@',
        '●' => '*',
        '⋯' | '…' => '~',
        '·' => '.',
        '×' => 'x',
        c if c.is_ascii() => c,
        _ => '?',
    }
}
