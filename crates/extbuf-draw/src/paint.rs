//! From a strip to marks: cells, the ruler of addresses, and the arrows that measure offsets and strides.

use crate::reach::{Map, visits};
use crate::scene::{Anchor, Arrow, Cell, Fill, Ink, Label, Mark, Scene, TONES, width};
use crate::strip::{AXES, Held, Strip, Use};
use extbuf_layout::Layout;

/// Items up to which cells show when they are visited; beyond, where they are: their index.
const NUMBERED: usize = 1000;

/// What the cells of an item strip say.
pub(crate) struct Texts<'a> {
    layout: &'a Layout,
    numbered: bool,
}

impl<'a> Texts<'a> {
    pub(crate) fn new(layout: &'a Layout) -> Texts<'a> {
        Texts { layout, numbered: layout.len() <= NUMBERED }
    }

    /// What the legend says of the cells.
    pub(crate) fn legend(&self) -> &'static str {
        if self.numbered { "order of visits" } else { "index" }
    }

    /// The text of an item: the first visits to it, or its index along the axes of its strip.
    pub(crate) fn item(&self, map: Option<&Map>, held: &Held) -> String {
        let (Some(map), Some(spot)) = (map, &held.active) else {
            return String::new();
        };
        if !self.numbered {
            return index(map, &spot.index);
        }
        let all = std::iter::once(spot).chain(&held.also);
        let mut visits: Vec<u128> =
            all.flat_map(|spot| visits(self.layout.shape(), map, &spot.index)).collect();
        visits.sort_unstable();
        let more = visits.len() > 3;
        visits.truncate(if more { 2 } else { 3 });
        let mut text: Vec<String> = visits.iter().map(u128::to_string).collect();
        if more {
            text.push("…".into());
        }
        text.join(",")
    }

    /// Columns that every cell of every strip should have for its text. Indices along the axes of a strip are alike
    /// in all strips, so they need no such agreement.
    pub(crate) fn longest(&self) -> usize {
        if self.numbered { (self.layout.len().max(1) - 1).to_string().len() } else { 0 }
    }
}

/// An index along the axes that a map walks.
fn index(map: &Map, index: &[usize]) -> String {
    let mut axes: Vec<usize> = map.steps.iter().map(|step| step.axis).collect();
    axes.sort_unstable();
    let index: Vec<String> = axes.into_iter().map(|axis| index[axis].to_string()).collect();
    format!("[{}]", index.join(","))
}

/// The colour of what is held at an address: by the index along axis 0, faint where the active layout leaves it.
pub(crate) fn fill(held: &Held) -> Fill {
    match held.active {
        Some(_) => Fill::Tone(held.index().first().copied().unwrap_or(0) % TONES),
        None => Fill::Faint,
    }
}

/// Numbers as a tuple, as shapes and indices are written.
pub(crate) fn tuple<T: ToString>(numbers: impl IntoIterator<Item = T>) -> String {
    let mut parts: Vec<String> = numbers.into_iter().map(|n| n.to_string()).collect();
    if parts.len() == 1 {
        parts[0].push(',');
    }
    format!("({})", parts.join(", "))
}

/// A byte count with its sign, as strides and offsets are spoken of.
pub(crate) fn signed(bytes: i128) -> String {
    format!("{bytes:+}")
}

/// The cells of a strip that runs across, its top frame on row 0.
///
/// Of a block that ends at an address, items that are not wholly inside are marked.
pub(crate) fn cells_across(strip: &Strip, first: Option<i128>, block: Option<i128>) -> Scene {
    let mut scene = Scene::default();
    for run in &strip.runs {
        let size = (run.to - run.from, 2 * strip.lanes);
        let bytes = format!("bytes {}..{}", run.bytes.start, run.bytes.end);
        let (fill, hover) = match run.used {
            Use::Items => continue,
            Use::Ground => (Fill::Faint, bytes),
            Use::Nothing => (Fill::Hatched, format!("{bytes}: no item")),
            Use::Elided => {
                let at = (run.from + size.0 / 2, 1);
                scene.label(at, Anchor::Middle, Ink::Faint, run.text.clone());
                continue;
            }
        };
        let lines = vec![run.text.clone()];
        scene.marks.push(Mark::Cell(Cell { at: (run.from, 0), size, lines, fill, first: false, hover }));
    }
    // What is kept lies over what is not.
    for kept in [false, true] {
        for item in strip.items.iter().filter(|item| item.held.active.is_some() == kept) {
            let at = (item.from, 2 * item.lane);
            let hover =
                format!("item {}, bytes {}..{}", tuple(item.held.index()), item.bytes.start, item.bytes.end);
            let first = kept && first == Some(item.bytes.start);
            scene.marks.push(Mark::Cell(Cell {
                at,
                size: (item.to - item.from, 2),
                lines: vec![item.text.clone()],
                fill: match block {
                    Some(end) if kept && (item.bytes.start < 0 || item.bytes.end > end) => Fill::Outside,
                    _ => fill(&item.held),
                },
                first,
                hover,
            }));
        }
    }
    scene
}

/// The addresses under a strip, as many as have room: each with its column.
pub(crate) fn ruler(strip: &Strip, wanted: &[i128]) -> Vec<(usize, i128)> {
    let mut taken: Vec<(usize, usize)> = Vec::new();
    let mut out: Vec<(usize, i128)> = Vec::new();
    let edges = strip.runs.iter().flat_map(|run| [(run.from, run.bytes.start), (run.to, run.bytes.end)]);
    let wanted = wanted.iter().filter_map(|&address| strip.at(address).map(|x| (x, address)));
    for (x, address) in wanted.chain(edges) {
        let label = Label { at: (x, 0), anchor: Anchor::Middle, text: address.to_string(), ink: Ink::Faint };
        let (start, end) = label.span();
        if taken.iter().all(|&(s, e)| end < s || e < start) {
            taken.push((start, end));
            out.push((x, address));
        }
    }
    out.sort_unstable();
    out
}

/// A measure to draw above a strip.
struct Measure {
    /// Columns of its ends; equal for a stride of 0.
    from: usize,
    to: usize,
    text: String,
    /// What to say where that has no room.
    short: String,
    ink: Ink,
}

/// What to measure above a strip.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Measures {
    /// Only how far the first item is from where the pointer points.
    Offset,
    /// That, and the stride of each axis.
    All,
}

/// The arrows above a strip: offset and strides, each with its bytes. Answers with the rows they take; the strip's
/// top frame comes on the next one.
pub(crate) fn measures_across(
    scene: &mut Scene,
    strip: &Strip,
    map: &Map,
    which: Measures,
    offset: &str,
    room: usize,
) -> usize {
    let mut all = Vec::new();
    let first = strip.at(map.first);
    if let (true, Some(from), Some(to)) = (map.first != 0, strip.at(0), first) {
        let short = signed(map.first);
        all.push(Measure { from, to, text: format!("{short} {offset}"), short, ink: Ink::Accent });
    }
    if let (Measures::All, Some(from)) = (which, first) {
        for step in &map.repeats[..map.repeats.len().min(AXES)] {
            let text = format!("axis {}: +0, {} times", step.axis, step.extent);
            all.push(Measure { from, to: from, text, short: "+0".into(), ink: Ink::Normal });
        }
        for step in &map.steps {
            if let Some(to) = strip.at(map.first + step.stride) {
                let short = signed(step.stride);
                let text = format!("axis {}: {short}", step.axis);
                all.push(Measure { from, to, text, short, ink: Ink::Normal });
            }
        }
    }
    // Short ones close to the strip, so that their ends cross nothing, and loops, which have none, on top; of equals
    // the offset last, so that it is read first.
    all.sort_by_key(|measure| {
        let length = measure.from.abs_diff(measure.to);
        (length == 0, length, measure.ink == Ink::Accent)
    });
    // The lanes, from the strip upwards: the columns each has taken.
    let mut lanes: Vec<Vec<(usize, usize)>> = Vec::new();
    let mut placed = Vec::new();
    for mut measure in all {
        let (low, high) = (measure.from.min(measure.to), measure.from.max(measure.to));
        let fits = |text: &str| {
            let wide = width(text);
            high - low >= wide + 6 || high + 2 + wide < room || low >= wide + 2
        };
        if !fits(&measure.text) {
            measure.text = std::mem::take(&mut measure.short);
        }
        let wide = width(&measure.text);
        let (text_at, span) = if high - low >= wide + 6 {
            (low + (high - low - wide).div_ceil(2), (low, high))
        } else if high + 2 + wide < room || low < wide + 2 {
            (high + 2, (low, high + 2 + wide))
        } else {
            (low - wide - 1, (low - wide - 1, high))
        };
        let lane = lanes
            .iter()
            .position(|taken| taken.iter().all(|&(s, e)| span.1 + 1 < s || e + 1 < span.0))
            .unwrap_or(lanes.len());
        if lane == lanes.len() {
            lanes.push(Vec::new());
        }
        lanes[lane].push(span);
        placed.push((lane, text_at, measure));
    }
    let rows = lanes.len();
    let row = |lane: usize| rows - 1 - lane;
    for (lane, _, measure) in placed.iter().filter(|(_, _, measure)| measure.from != measure.to) {
        for x in [measure.from, measure.to] {
            scene.marks.push(Mark::Guide { x, from: row(*lane), to: rows });
        }
    }
    for (lane, text_at, measure) in placed {
        let (y, ink) = (row(lane), measure.ink);
        scene.marks.push(if measure.from == measure.to {
            Mark::Loop { at: (measure.from, y), ink }
        } else {
            let on_line = measure.from.min(measure.to) < text_at && text_at < measure.from.max(measure.to);
            let gap = on_line.then(|| (text_at - 1, text_at + width(&measure.text) + 1));
            Mark::Arrow(Arrow { from: (measure.from, y), to: (measure.to, y), ink, gap })
        });
        scene.label((text_at, y), Anchor::Start, ink, measure.text);
    }
    rows
}
