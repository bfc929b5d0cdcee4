//! Pointer rows, and deeper chains: tables of pointers, and what each pointer leads to.
//!
//! A level that is followed by a load is a table, drawn upright with low addresses at the top; the last level is a
//! strip. The blocks that a table's pointers lead to stand to its right, one below the other, and the table stands
//! level with their middle. Wires fan out between: those that rise bend the later the lower they start, those that
//! fall the other way round, so no two cross.

use extbuf_layout::Layout;

use crate::paint::{Measures, Texts, cells_across, fill, measures_across, ruler, signed, tuple};
use crate::reach::{Map, owner};
use crate::scene::{Anchor, Arrow, Cell, Fill, Ink, Mark, Scene, Wire, width};
use crate::strip::{Direction, Held, Item, Request, Strip, Use};

/// Levels drawn one by one; of a longer chain the middle is left out.
const LEVELS: usize = 4;

/// Columns from which on the first table has arrows.
const ROOM_FOR_ARROWS: usize = 60;

/// Columns a strip is given even where the tables have used up the room.
const LEAST_ROOM: usize = 16;

/// The whole tree. The layouts have the same number of levels, more than one; the whole, or the only one, has items.
pub(crate) fn tree(layout: &Layout, whole: Option<&Layout>, room: usize) -> Scene {
    let mut tree = Tree { layout, whole, announced: vec![false; layout.levels()] };
    let zero = |layout: &Layout| (!layout.is_empty()).then(|| vec![0; layout.ndim()]);
    tree.block(0, zero(layout).as_deref(), whole.and_then(zero).as_deref(), room).scene
}

struct Tree<'a> {
    layout: &'a Layout,
    whole: Option<&'a Layout>,
    /// Levels whose strides have been shown; once is enough.
    announced: Vec<bool>,
}

/// Something a pointer leads to: a strip, or a table with all that hangs on it.
struct Block {
    scene: Scene,
    /// Where the wire enters: the left frame of its first cell.
    port: (usize, usize),
    /// The ruler of a strip: its row and labels. Whoever stacks the blocks shows one for several alike.
    ruler: Option<(usize, Vec<(usize, i128)>)>,
}

impl Tree<'_> {
    /// What lies at a level once the indices of earlier levels are fixed: in the layout, in the whole, or both.
    fn block(
        &mut self,
        level: usize,
        index: Option<&[usize]>,
        ground: Option<&[usize]>,
        room: usize,
    ) -> Block {
        let map = index.map(|index| Map::new(self.layout, level, index));
        let below = ground.and_then(|index| self.whole.map(|whole| Map::new(whole, level, index)));
        let last = self.layout.levels() - 1;
        if level == last {
            self.strip(level, map, below, room)
        } else if level + 1 >= LEVELS && level + 1 < last {
            self.skip(level, map, below, room)
        } else {
            self.table(level, map, below, room)
        }
    }

    fn strip(&mut self, level: usize, map: Option<Map>, ground: Option<Map>, room: usize) -> Block {
        let focus =
            (!self.layout.is_empty()).then(|| Map::new(self.layout, level, &vec![0; self.layout.ndim()]));
        let focus = map.as_ref().or(focus.as_ref());
        let texts = Texts::new(self.layout);
        let strip = Request {
            block: None,
            active: map.as_ref(),
            ground: ground.as_ref(),
            focus,
            direction: Direction::Across,
            room,
            longest: texts.longest(),
            text: &|held| texts.item(map.as_ref(), held),
        }
        .plan();
        let mut scene = Scene::default();
        let mut top = 0;
        let mut first = None;
        if let Some(map) = &map {
            let announced = std::mem::replace(&mut self.announced[level], true);
            let which = if announced { Measures::Offset } else { Measures::All };
            top = measures_across(&mut scene, &strip, map, which, "after the load", room);
            first = (!announced).then_some(map.first);
        }
        scene.place(cells_across(&strip, first, None), (0, top));
        let wanted: Vec<i128> = [0].into_iter().chain(map.as_ref().map(|map| map.first)).collect();
        Block { scene, port: (0, top + 1), ruler: Some((top + 2 * strip.lanes + 1, ruler(&strip, &wanted))) }
    }

    /// Stands for the levels between this one and the last.
    fn skip(&mut self, level: usize, map: Option<Map>, ground: Option<Map>, room: usize) -> Block {
        let last = self.layout.levels() - 1;
        let text = format!("⋯ {} more loads ⋯", last - level);
        let wide = width(&text) + 6;
        let index = map.as_ref().map(Map::first_index);
        let child =
            self.block(last, index, ground.as_ref().map(Map::first_index), room.saturating_sub(wide + 6));
        let mut scene = Scene::default();
        let y = child.port.1;
        let at = (0, y - 1);
        let hover = String::new();
        scene.marks.push(Mark::Cell(Cell {
            at,
            size: (wide, 2),
            lines: vec![text + "  "],
            fill: Fill::Plain,
            first: false,
            hover,
        }));
        let x = wide + 6;
        let ink = if map.is_some() { Ink::Normal } else { Ink::Faint };
        scene.marks.push(Mark::Wire(Wire { from: (wide, y), bend: wide + 2, to: (x, y), ink }));
        scene.place(child.scene, (x, 0));
        let ruler = child.ruler.map(|(row, labels)| (row, moved(labels, x)));
        Block { scene, port: (0, y), ruler }
    }

    fn table(&mut self, level: usize, map: Option<Map>, ground: Option<Map>, room: usize) -> Block {
        let rows = match (self.layout.levels(), level) {
            (2, _) => 12,
            (3, _) => 6,
            (_, 0) => 4,
            _ => 2,
        };
        let table = Request {
            block: None,
            active: map.as_ref(),
            ground: ground.as_ref(),
            focus: map.as_ref(),
            direction: Direction::Down,
            longest: 0,
            room: rows + 1,
            text: &|held| self.pointer_text(level, held),
        }
        .plan();
        let announced = self.announced[level];
        self.announced[level] |= map.is_some();
        // Left of an inner table its wire arrives, and a narrow picture has no room for arrows: there it is words.
        let arrows = level == 0 && room >= ROOM_FOR_ARROWS;
        let told = map.as_ref().filter(|_| !announced);
        let margin = margin(&table, told.filter(|_| arrows), level);
        let text = table.items.iter().map(|item| width(&item.text)).max().unwrap_or(0);
        let wide = text + 6;
        let channels = table.items.len().max(1);
        let left = margin.width;
        let words = told.filter(|_| !arrows).map_or(Vec::new(), |map| words(map, level));
        let longest = words.iter().map(|(_, text)| width(text)).max().unwrap_or(0);
        let x = left + wide.max(longest) + channels + 5;
        let room = room.saturating_sub(x).max(LEAST_ROOM);

        // The blocks, one below the other, their ports in one column.
        let mut children: Vec<(&Item, Block)> = Vec::new();
        for item in &table.items {
            let index = item.held.active.as_ref().map(|spot| spot.index.as_slice());
            let ground = item.held.ground.as_ref().map(|spot| spot.index.as_slice());
            children.push((item, self.block(level + 1, index, ground, room)));
        }
        let port = children.iter().map(|(_, child)| child.port.0).max().unwrap_or(0);
        let mut scene = Scene::default();
        let mut ports = Vec::new();
        let mut y = 0;
        let mut stacked = children.into_iter().peekable();
        while let Some((item, mut child)) = stacked.next() {
            if let Some((row, labels)) = child.ruler.take() {
                let next = stacked.peek().and_then(|(_, next)| next.ruler.as_ref());
                if next.is_none_or(|(_, next)| *next != labels) {
                    for (x, address) in labels {
                        child.scene.label((x, row), Anchor::Middle, Ink::Faint, address.to_string());
                    }
                }
            }
            let at = (x + port - child.port.0, y);
            ports.push((item, (x + port, y + child.port.1)));
            y += child.scene.size().1 + 1;
            scene.place(child.scene, at);
        }

        // The table, level with the middle of its ports.
        let middle = match (ports.first(), ports.last()) {
            (Some((_, first)), Some((_, last))) => (first.1 + last.1) / 2,
            _ => 1,
        };
        let top = middle.saturating_sub(table.length / 2).max(1);
        scene.label((left, top - 1), Anchor::Start, Ink::Faint, "pointers");
        self.paint_table(&mut scene, &table, (left, top), wide);
        margin.paint(&mut scene, (left, top));
        let rising = ports.iter().filter(|(item, to)| to.1 < top + (item.from + item.to) / 2).count();
        for (nth, (item, to)) in ports.iter().enumerate() {
            let from = (left + wide, top + (item.from + item.to) / 2);
            let lane = if nth < rising { nth } else { ports.len() - 1 - nth };
            let ink = if item.held.active.is_some() { Ink::Normal } else { Ink::Faint };
            scene.marks.push(Mark::Wire(Wire { from, bend: left + wide + 2 + lane, to: *to, ink }));
        }
        for (row, (ink, text)) in words.into_iter().enumerate() {
            scene.label((left, top + table.length + 1 + row), Anchor::Start, ink, text);
        }
        Block { scene, port: (left, top + 1), ruler: None }
    }

    /// The index of a pointer, along the axes that its table walks.
    fn pointer_text(&self, level: usize, held: &Held) -> String {
        let layout = match (&held.ground, self.whole) {
            (Some(_), Some(whole)) => whole,
            _ => self.layout,
        };
        let walked = |axis: &usize| owner(layout, *axis) == level && layout.shape()[*axis] > 1;
        let index: Vec<String> =
            (0..layout.ndim()).filter(walked).map(|axis| held.index()[axis].to_string()).collect();
        if index.is_empty() { "ptr".into() } else { format!("[{}]", index.join(",")) }
    }

    fn paint_table(&self, scene: &mut Scene, table: &Strip, at: (usize, usize), wide: usize) {
        for run in &table.runs {
            let place = (at.0, at.1 + run.from);
            let size = (wide, run.to - run.from);
            let hover = format!("bytes {}..{}", run.bytes.start, run.bytes.end);
            let fill = match run.used {
                Use::Items => continue,
                Use::Nothing => Fill::Hatched,
                Use::Ground => Fill::Faint,
                Use::Elided => {
                    scene.label((place.0 + wide / 2, place.1 + 1), Anchor::Middle, Ink::Faint, "⋯");
                    continue;
                }
            };
            let lines = vec![String::new()];
            scene.marks.push(Mark::Cell(Cell { at: place, size, lines, fill, first: false, hover }));
        }
        for kept in [false, true] {
            for item in table.items.iter().filter(|item| item.held.active.is_some() == kept) {
                scene.marks.push(Mark::Cell(Cell {
                    at: (at.0, at.1 + item.from),
                    size: (wide, item.to - item.from),
                    lines: vec![format!("{}   ", item.text)],
                    fill: fill(&item.held),
                    first: false,
                    hover: format!("pointer at byte {}", item.bytes.start),
                }));
            }
        }
    }
}

/// Offset and strides of a table in words, where arrows have no room.
fn words(map: &Map, level: usize) -> Vec<(Ink, String)> {
    let mut lines = Vec::new();
    if map.first != 0 {
        let what = if level == 0 { "offset" } else { "after the load" };
        lines.push((Ink::Accent, format!("{} {what}", signed(map.first))));
    }
    let strides = map.steps.iter().take(3);
    lines.extend(strides.map(|step| (Ink::Normal, format!("axis {}: {}", step.axis, signed(step.stride)))));
    lines
}

fn moved(labels: Vec<(usize, i128)>, by: usize) -> Vec<(usize, i128)> {
    labels.into_iter().map(|(x, address)| (x + by, address)).collect()
}

/// What stands left of a table: the ruler, and for the first one the arrows of its offset and strides.
struct Margin {
    width: usize,
    ruler: Vec<(usize, String)>,
    /// Rows from and to, lane, text.
    arrows: Vec<(usize, usize, usize, String, Ink)>,
    /// The column, counted from the table leftwards, of each lane.
    lanes: Vec<usize>,
}

fn margin(table: &Strip, map: Option<&Map>, level: usize) -> Margin {
    let mut ruler: Vec<(usize, String)> = Vec::new();
    for run in &table.runs {
        for (row, address) in [(run.from, run.bytes.start), (run.to, run.bytes.end)] {
            let text = if address == 0 && level == 0 { "base 0".to_string() } else { address.to_string() };
            if ruler.iter().all(|(taken, _)| *taken != row) {
                ruler.push((row, text));
            }
        }
    }
    let mut arrows: Vec<(usize, usize, usize, String, Ink)> = Vec::new();
    if let Some(map) = map {
        let mut all = vec![(0, map.first, format!("offset {}", signed(map.first)), Ink::Accent)];
        all.extend(map.steps.iter().map(|step| {
            let text = format!("axis {}: {}", step.axis, signed(step.stride));
            (map.first, map.first + step.stride, text, Ink::Normal)
        }));
        for (from, to, text, ink) in all {
            let (Some(from), Some(to)) = (table.at(from), table.at(to)) else { continue };
            if from == to {
                continue;
            }
            let (low, high) = (from.min(to), from.max(to));
            let free = |lane: usize| {
                arrows.iter().all(|&(f, t, l, ..)| l != lane || high <= f.min(t) || f.max(t) <= low)
            };
            let lane = (0..).find(|&lane| free(lane)).unwrap_or(0);
            arrows.push((from, to, lane, text, ink));
        }
    }
    let mut column = ruler.iter().map(|(_, text)| width(text)).max().unwrap_or(0) + 3;
    let mut lanes = Vec::new();
    for lane in 0..arrows.iter().map(|arrow| arrow.2 + 1).max().unwrap_or(0) {
        lanes.push(column);
        let text = arrows.iter().filter(|arrow| arrow.2 == lane).map(|arrow| width(&arrow.3)).max();
        column += text.unwrap_or(0) + 3;
    }
    Margin { width: column, ruler, arrows, lanes }
}

impl Margin {
    fn paint(self, scene: &mut Scene, at: (usize, usize)) {
        for (row, text) in self.ruler {
            scene.label((at.0 - 2, at.1 + row), Anchor::End, Ink::Faint, text);
        }
        for (from, to, lane, text, ink) in self.arrows {
            let x = at.0 - self.lanes[lane];
            scene.marks.push(Mark::Arrow(Arrow {
                from: (x, at.1 + from),
                to: (x, at.1 + to),
                ink,
                gap: None,
            }));
            scene.label((x - 2, at.1 + (from + to) / 2), Anchor::End, ink, text);
        }
    }
}

/// The numbers of a layout in lines: what a picture is a picture of.
pub(crate) fn numbers(layout: &Layout) -> Vec<String> {
    let head = format!("shape {}, itemsize {}", tuple(layout.shape()), layout.itemsize());
    let level =
        |level: usize| format!("offset {}, strides {}", layout.offset(level), tuple(layout.strides(level)));
    if layout.is_direct() {
        return vec![format!("{head}, {}", level(0))];
    }
    let shown = layout.levels().min(LEVELS);
    let mut lines = vec![head];
    lines.extend((0..shown).map(|l| format!("level {l}: {}", level(l))));
    if shown < layout.levels() {
        lines.push(format!("and {} levels more", layout.levels() - shown));
    }
    lines
}
