//! The scene: what a drawing shows, placed on a grid of character cells.
//!
//! There is one scene and there are two back ends. Both use the same whole-number grid: a column is as wide as one
//! character, a row as high as one line of text. The terminal back end writes one character a place; the SVG back
//! end multiplies by a fixed size in pixels and draws smooth shapes, in a font narrower than its columns. So where
//! two labels do not collide on the grid they collide in neither output, and that is tested once, on the scene.
//!
//! A cell from column `x` to `x + w` has its frame *on* those two columns, and its text between them; the same holds
//! for rows. Neighbours share a frame line. An arrow from `x` to `y` starts and ends on frame lines, which are the
//! places of addresses.

/// A place on the grid: column, row.
pub(crate) type Place = (usize, usize);

/// Everything to paint, in painting order.
#[derive(Debug, Default)]
pub(crate) struct Scene {
    /// One line that says what the picture shows; the accessible name of the SVG.
    pub(crate) title: String,
    /// The same in full, for who cannot see it.
    pub(crate) description: String,
    pub(crate) marks: Vec<Mark>,
}

/// One thing to paint.
#[derive(Clone, Debug)]
pub(crate) enum Mark {
    Cell(Cell),
    Label(Label),
    Arrow(Arrow),
    Wire(Wire),
    /// A stride of 0: an arrow that returns to where it began.
    Loop {
        at: Place,
        ink: Ink,
    },
    /// Holds together what lies below it; `wide` columns, three after its start, stay free for its label.
    Bracket {
        from: Place,
        to: usize,
        wide: usize,
    },
    /// A faint line up from a cell to the arrow that measures it. The terminal leaves it out: no room between lines.
    Guide {
        x: usize,
        from: usize,
        to: usize,
    },
}

/// A framed box: an item, a pointer, a field, a run of unused bytes.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    pub(crate) at: Place,
    /// Columns and rows from frame to frame.
    pub(crate) size: (usize, usize),
    /// Lines of text, centred.
    pub(crate) lines: Vec<String>,
    pub(crate) fill: Fill,
    /// The first item visited has a heavier frame.
    pub(crate) first: bool,
    /// Shown when the pointer rests on the cell (SVG only).
    pub(crate) hover: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fill {
    /// One of [`TONES`] colours.
    Tone(usize),
    /// Something that is there but does not take part.
    Faint,
    /// Bytes that no item uses.
    Hatched,
    /// An item that is not wholly inside of its block.
    Outside,
    /// A box without a colour of its own.
    Plain,
}

/// How many colours take turns.
pub(crate) const TONES: usize = 6;

#[derive(Clone, Debug)]
pub(crate) struct Label {
    pub(crate) at: Place,
    pub(crate) anchor: Anchor,
    pub(crate) text: String,
    pub(crate) ink: Ink,
}

/// Which part of a label lies at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    Normal,
    /// Headings.
    Strong,
    /// Rulers, guides and what does not take part.
    Faint,
    /// Offsets: the hop after a load.
    Accent,
}

/// A straight measure from one address to another, horizontal or vertical, with its head at `to`.
#[derive(Clone, Debug)]
pub(crate) struct Arrow {
    pub(crate) from: Place,
    pub(crate) to: Place,
    pub(crate) ink: Ink,
    /// Columns left free for a label on the line: first, and one past the last.
    pub(crate) gap: Option<(usize, usize)>,
}

/// A stored pointer and where it points: out of a cell to the right, over column `bend`, and right again.
#[derive(Clone, Debug)]
pub(crate) struct Wire {
    pub(crate) from: Place,
    pub(crate) bend: usize,
    pub(crate) to: Place,
    pub(crate) ink: Ink,
}

impl Scene {
    pub(crate) fn label(&mut self, at: Place, anchor: Anchor, ink: Ink, text: impl Into<String>) {
        self.marks.push(Mark::Label(Label { at, anchor, text: text.into(), ink }));
    }

    /// Columns and rows that hold every mark.
    pub(crate) fn size(&self) -> (usize, usize) {
        let mut size = (0, 0);
        let mut reach = |x: usize, y: usize| size = (size.0.max(x + 1), size.1.max(y + 1));
        for mark in &self.marks {
            match mark {
                Mark::Cell(cell) => reach(cell.at.0 + cell.size.0, cell.at.1 + cell.size.1),
                Mark::Label(label) => {
                    let (_, end) = label.span();
                    reach(end.saturating_sub(1), label.at.1);
                }
                Mark::Arrow(Arrow { from, to, .. }) | Mark::Wire(Wire { from, to, .. }) => {
                    reach(from.0, from.1);
                    reach(to.0, to.1);
                }
                Mark::Loop { at, .. } => reach(at.0, at.1),
                Mark::Bracket { from, to, .. } => reach(*to, from.1),
                Mark::Guide { x, from, to } => reach(*x, *from.max(to)),
            }
        }
        size
    }

    /// Paints `other` with its origin moved to `at`.
    pub(crate) fn place(&mut self, other: Scene, at: Place) {
        let moved = |p: Place| (p.0 + at.0, p.1 + at.1);
        self.marks.extend(other.marks.into_iter().map(|mut mark| {
            match &mut mark {
                Mark::Cell(cell) => cell.at = moved(cell.at),
                Mark::Label(label) => label.at = moved(label.at),
                Mark::Arrow(arrow) => {
                    (arrow.from, arrow.to) = (moved(arrow.from), moved(arrow.to));
                    arrow.gap = arrow.gap.map(|(from, to)| (from + at.0, to + at.0));
                }
                Mark::Wire(wire) => {
                    (wire.from, wire.to, wire.bend) = (moved(wire.from), moved(wire.to), wire.bend + at.0);
                }
                Mark::Loop { at, .. } => *at = moved(*at),
                Mark::Bracket { from, to, .. } => (*from, *to) = (moved(*from), *to + at.0),
                Mark::Guide { x, from, to } => (*x, *from, *to) = (*x + at.0, *from + at.1, *to + at.1),
            }
            mark
        }));
    }
}

impl Label {
    /// The columns it covers: first, and one past the last.
    pub(crate) fn span(&self) -> (usize, usize) {
        let width = width(&self.text);
        let start = match self.anchor {
            Anchor::Start => self.at.0,
            Anchor::Middle => self.at.0.saturating_sub(width / 2),
            Anchor::End => (self.at.0 + 1).saturating_sub(width),
        };
        (start, start + width)
    }
}

/// Columns that a text takes, for text that went through [`clean`].
pub(crate) fn width(text: &str) -> usize {
    text.chars().map(columns).sum()
}

/// Columns that a character takes: two for the wide ones of East Asian scripts and for pictographs, else one.
pub(crate) fn columns(c: char) -> usize {
    let wide = matches!(c as u32,
        0x1100..=0x115f | 0x2e80..=0xa4cf | 0xa960..=0xa97f | 0xac00..=0xd7ff | 0xf900..=0xfaff | 0xfe30..=0xfe6f
        | 0xff00..=0xff60 | 0xffe0..=0xffe6 | 0x1f000..=0x1faff | 0x20000..=0x3fffd);
    1 + usize::from(wide)
}

/// Text from another program made safe to place: what has no width of its own, or could move the terminal's cursor
/// or the reading direction, becomes U+FFFD.
pub(crate) fn clean(text: &str) -> String {
    let unsafe_to_place = |c: char| {
        c.is_control()
            || matches!(c as u32,
                0x300..=0x36f | 0x483..=0x489 | 0x591..=0x5c7 | 0x610..=0x61a | 0x64b..=0x65f | 0x900..=0xdff
                | 0xe31..=0xe3a | 0xe47..=0xe4e | 0x1ab0..=0x1aff | 0x1dc0..=0x1dff | 0x200b..=0x200f
                | 0x2028..=0x202e | 0x2060..=0x206f | 0x20d0..=0x20ff | 0xfe00..=0xfe0f | 0xfe20..=0xfe2f
                | 0xfeff | 0xfff0..=0xffff | 0x3fffe..)
    };
    text.chars().map(|c| if unsafe_to_place(c) { '\u{fffd}' } else { c }).collect()
}

/// At most `limit` columns of a text, its cut end marked.
pub(crate) fn cut(text: &str, limit: usize) -> String {
    if width(text) <= limit {
        return text.to_string();
    }
    let mut out = String::new();
    let mut used = 0;
    for c in text.chars() {
        if used + columns(c) + 1 > limit {
            break;
        }
        used += columns(c);
        out.push(c);
    }
    if limit > 0 {
        out.push('…');
    }
    out
}
