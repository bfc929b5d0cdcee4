//! What is to be drawn, and the frame around every picture: title, numbers, the drawing, notes.

use extbuf_format::Format;
use extbuf_layout::Layout;

use crate::paint::Texts;
use crate::scene::{Anchor, Ink, Scene, clean, cut};
use crate::text::TextOptions;
use crate::{chain, direct, record, rows, svg, text};

/// Columns of an SVG drawing that does not fit in less.
const SVG_COLUMNS: usize = 96;

/// A picture not yet on paper: ask it for SVG or for text.
///
/// It holds what is drawn, not how: the picture is laid out for the width that is asked for. The time to draw and the
/// size of the result do not depend on how many items a layout has.
#[derive(Clone, Debug)]
pub struct Drawing {
    subject: Subject,
    title: Option<String>,
    notes: Vec<String>,
}

#[derive(Clone, Debug)]
enum Subject {
    Layout { layout: Layout, whole: Option<Layout>, block: Option<usize> },
    Chain(Layout),
    Format(Format),
}

/// Draws where the items of a layout lie.
///
/// A layout of one level is a strip of memory: a cell for each item, numbered in the order of visits (C order, the last
/// axis fastest) and coloured by its index along axis 0, unused bytes hatched, an arrow for the offset and for the
/// stride of each axis, and a ruler of addresses. A layout of more levels is a table of pointers, an arrow from each
/// pointer to its own block, and in the block the offset that is added after the load.
///
/// ```
/// use extbuf_draw::{TextOptions, draw_layout};
/// use extbuf_layout::Layout;
///
/// let layout = Layout::strided(4, &[2, 2], &[12, 4], 0)?;
/// print!("{}", draw_layout(&layout).to_text(TextOptions::default()));
/// # Ok::<(), extbuf_layout::LayoutError>(())
/// ```
pub fn draw_layout(layout: &Layout) -> Drawing {
    Drawing::new(Subject::Layout { layout: layout.clone(), whole: None, block: None })
}

/// Draws the numbers of a layout as the chain of affine maps that it is: one row of offset and strides a level, and
/// between two rows a load.
pub fn draw_chain(layout: &Layout) -> Drawing {
    Drawing::new(Subject::Chain(layout.clone()))
}

/// Draws the parts of an item: each field as a box with its name, format and size, padding hatched, the offset of each
/// below, and a bracket over what lies inside a nested record.
///
/// ```
/// use extbuf_draw::{TextOptions, draw_format};
/// use extbuf_format::Format;
///
/// let format = Format::parse("T{b:tag:d:value:}")?;
/// assert_eq!(draw_format(&format).to_text(TextOptions::default()), "\
/// T{b:tag:d:value:}
/// itemsize 16, alignment 8
///
/// ┌─────┬─────┬───────┐
/// │ tag │░░░░░│ value │
/// │  b  │░░░░░│   d   │
/// │  1  │░ 7 ░│   8   │
/// └─────┴─────┴───────┘
/// 0     1     8      16
///
/// in the boxes: name, format, bytes; below them: offset
/// ");
/// # Ok::<(), extbuf_format::ParseError>(())
/// ```
pub fn draw_format(format: &Format) -> Drawing {
    Drawing::new(Subject::Format(format.clone()))
}

impl Drawing {
    fn new(subject: Subject) -> Drawing {
        Drawing { subject, title: None, notes: Vec::new() }
    }

    /// Shows which part of the layout another one over the same base keeps: that part is numbered and coloured, its
    /// offsets and strides are the ones drawn, and the rest stays as a faint ground.
    ///
    /// Parts are matched by address, level for level. A layout with another number of levels shares no picture with
    /// the first and is then drawn alone, and so is one over a layout without items. For a chain, its numbers take the
    /// place of the first one's; a drawing of a format stays as it is.
    pub fn keeping(mut self, part: &Layout) -> Drawing {
        match &mut self.subject {
            Subject::Layout { layout, whole, .. } => {
                let ground = whole.take().unwrap_or_else(|| layout.clone());
                *whole = (ground.levels() == part.levels() && drawable(&ground)).then_some(ground);
                *layout = part.clone();
            }
            Subject::Chain(layout) => *layout = part.clone(),
            Subject::Format(_) => {}
        }
        self
    }

    /// Shows the block of memory that a layout without loads is laid over, from the base to so many bytes after it.
    /// Items that are not wholly inside are marked as such, and below the strip stands what is the block and what is
    /// not. Of a layout with loads, a chain or a format the drawing stays as it is.
    ///
    /// ```
    /// use extbuf_draw::{TextOptions, draw_layout};
    /// use extbuf_layout::Layout;
    ///
    /// // Three items of 4 bytes in a block of 10.
    /// let layout = Layout::strided(4, &[3], &[4], 0)?;
    /// assert_eq!(draw_layout(&layout).inside(10).to_text(TextOptions::default()), "\
    /// shape (3,), itemsize 4, offset 0, strides (4,)
    ///
    /// ├────────▶ axis 0: +4
    /// ┌────────┬────────┬─────────────────┐
    /// │   0    │   1    │xxxxxxx 2 xxxxxxx│
    /// └────────┴────────┴─────────────────┘
    /// 0        4        8       10       12
    ///     ▲ first
    /// ├── the block: 10 bytes ───▶
    ///                            ├────────▶ behind the block: 2 bytes
    ///
    /// in the cells: order of visits; below them: bytes from the base
    /// ");
    /// # Ok::<(), extbuf_layout::LayoutError>(())
    /// ```
    pub fn inside(mut self, bytes: usize) -> Drawing {
        if let Subject::Layout { block, .. } = &mut self.subject {
            *block = Some(bytes);
        }
        self
    }

    /// Gives the picture a heading, which is also the accessible name of the SVG.
    pub fn titled(mut self, title: &str) -> Drawing {
        self.title = Some(clean(title));
        self
    }

    /// Adds a line of text below the picture.
    pub fn noted(mut self, line: &str) -> Drawing {
        self.notes.push(clean(line));
        self
    }

    /// The picture as SVG: one element with its own style, for light and dark pages, text kept as text.
    ///
    /// Colours can be set from the page by the CSS variables `--extbuf-ink`, `--extbuf-paper`, `--extbuf-faint`,
    /// `--extbuf-accent` and `--extbuf-tone-0` to `--extbuf-tone-5` where the SVG is part of the page's own text.
    pub fn to_svg(&self) -> String {
        svg::write(&self.scene(SVG_COLUMNS))
    }

    /// The picture as lines of text, none longer than `options.columns`, each ended by a line feed.
    pub fn to_text(&self, options: TextOptions) -> String {
        text::write(&self.scene(options.columns), options)
    }

    pub(crate) fn scene(&self, room: usize) -> Scene {
        let (name, numbers, body, legend) = match &self.subject {
            Subject::Layout { layout, whole, block } => {
                let mut numbers = rows::numbers(layout);
                if whole.is_some() {
                    numbers[0].insert_str(0, "kept: ");
                }
                let shown = whole.as_ref().unwrap_or(layout);
                let cells = Texts::new(layout).legend();
                let from = if layout.is_direct() { "the base" } else { "where the pointer points" };
                let legend = format!("in the cells: {cells}; below them: bytes from {from}");
                let legend = if drawable(shown) { legend } else { String::new() };
                (
                    format!("Layout of shape {:?}", layout.shape()),
                    numbers,
                    body(layout, whole.as_ref(), *block, room),
                    legend,
                )
            }
            Subject::Chain(layout) => (
                format!("Chain of {} affine maps", layout.levels()),
                Vec::new(),
                chain::chain(layout),
                String::new(),
            ),
            Subject::Format(format) => {
                let numbers = format!("itemsize {}, alignment {}", format.itemsize(), format.alignment());
                let numbers = vec![clean(&format.to_string()), numbers];
                let body = record::record(format, room.saturating_sub(1).max(8));
                let legend = "in the boxes: name, format, bytes; below them: offset";
                ("Item format".to_string(), numbers, body, legend.to_string())
            }
        };
        let mut scene = Scene { title: self.title.clone().unwrap_or(name), ..Scene::default() };
        let mut y = 0;
        if let Some(title) = &self.title {
            scene.label((0, y), Anchor::Start, Ink::Strong, cut(title, room));
            y += 1;
        }
        for line in &numbers {
            scene.label((0, y), Anchor::Start, Ink::Faint, cut(line, room));
            y += 1;
        }
        if y > 0 {
            y += 1;
        }
        let (_, high) = body.size();
        scene.place(body, (0, y));
        y += high + 1;
        // A legend too long for one line breaks where its two halves meet.
        let (first, second) = match legend.split_once("; ") {
            Some((first, second)) if legend.chars().count() > room => (first, second),
            _ => (legend.as_str(), ""),
        };
        let lines = self.notes.iter().map(String::as_str).chain([first, second]);
        for line in lines.filter(|line| !line.is_empty()) {
            scene.label((0, y), Anchor::Start, Ink::Faint, cut(line, room));
            y += 1;
        }
        // In full, but not without end: a format may be a page long.
        let said = numbers.iter().map(|line| cut(line, 300)).chain(self.notes.iter().cloned());
        scene.description = said.collect::<Vec<_>>().join("\n");
        scene
    }
}

fn drawable(layout: &Layout) -> bool {
    !layout.is_empty() && layout.itemsize() > 0
}

fn body(layout: &Layout, whole: Option<&Layout>, block: Option<usize>, room: usize) -> Scene {
    let shown = whole.unwrap_or(layout);
    if !drawable(shown) {
        let mut scene = Scene::default();
        let why = match layout.shape().iter().position(|&extent| extent == 0) {
            Some(axis) => format!("no items: axis {axis} has extent 0"),
            None => "items of 0 bytes take no memory".into(),
        };
        scene.label((0, 0), Anchor::Start, Ink::Normal, cut(&why, room));
        return scene;
    }
    if layout.is_direct() {
        direct::strip(layout, whole, block, room.saturating_sub(1).max(8))
    } else {
        rows::tree(layout, whole, room.saturating_sub(1).max(8))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::Mark;
    use extbuf_layout::{LayoutSpec, LevelSpec, Slice};

    /// Labels that share a place, or stand in a cell.
    fn collisions(scene: &Scene) -> Vec<String> {
        let mut labels = Vec::new();
        let mut cells = Vec::new();
        for mark in &scene.marks {
            match mark {
                Mark::Label(label) => labels.push((label.at.1, label.span(), label.text.clone())),
                Mark::Cell(cell) => cells.push((cell.at, cell.size)),
                _ => {}
            }
        }
        let mut found = Vec::new();
        for (nth, (y, (start, end), text)) in labels.iter().enumerate() {
            for (other_y, (other_start, other_end), other) in &labels[..nth] {
                if y == other_y && start < other_end && other_start < end {
                    found.push(format!("{text:?} and {other:?}"));
                }
            }
            for ((x, top), (w, h)) in &cells {
                if top < y && *y < top + h && *start < x + w && x + 1 < *end {
                    found.push(format!("{text:?} in the cell at {x}, {top}"));
                }
            }
        }
        found
    }

    /// Numbers without order, the same on every run.
    struct Numbers(u64);

    impl Numbers {
        fn below(&mut self, limit: u64) -> isize {
            self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            ((self.0 >> 33) % limit) as isize
        }
    }

    #[test]
    fn no_two_labels_share_a_place() {
        let mut numbers = Numbers(2007);
        let mut drawn = 0;
        while drawn < 150 {
            let (axes, levels) = (numbers.below(4) as usize, 1 + numbers.below(3) as usize);
            let shape: Vec<isize> = (0..axes).map(|_| 1 + numbers.below([3, 6, 2000][drawn % 3])).collect();
            let strides: Vec<Vec<isize>> = (0..levels)
                .map(|_| (0..axes).map(|_| [0, 1, 8, -8, 100, 23040][numbers.below(6) as usize]).collect())
                .collect();
            let levels: Vec<LevelSpec> = strides
                .iter()
                .map(|strides| LevelSpec { offset: [0, 0, 4, 1000][numbers.below(4) as usize], strides })
                .collect();
            let itemsize = [1, 4, 8][numbers.below(3) as usize];
            let Ok(layout) = Layout::new(&LayoutSpec { itemsize, shape: &shape, levels: &levels }) else {
                continue;
            };
            let mut part = layout.clone();
            for axis in 0..axes {
                let step = [1, 2, -1][numbers.below(3) as usize];
                part = part.slice_axis(axis, Slice::from(numbers.below(2)..).by(step)).unwrap();
            }
            for columns in [60, 80, 120] {
                for drawing in [
                    draw_layout(&layout),
                    draw_layout(&layout).keeping(&part),
                    draw_layout(&layout).inside(numbers.below(3000) as usize),
                    draw_layout(&part).inside(numbers.below(40) as usize),
                    draw_chain(&layout),
                ] {
                    let found = collisions(&drawing.scene(columns));
                    let text = drawing.to_text(TextOptions { columns, ..TextOptions::default() });
                    assert!(found.is_empty(), "{found:?}\n{layout:?}\n{part:?}\n{text}");
                }
            }
            drawn += 1;
        }
    }
}
