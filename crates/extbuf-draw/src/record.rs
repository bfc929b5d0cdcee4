//! The record strip: the parts of an item as boxes in the order of their offsets, padding between them.
//!
//! Boxes are as wide as their words, not as their bytes: a field of one byte may have a long name, and one of a
//! thousand bytes none. The offsets below say where each begins. What lies inside a nested record is drawn in the
//! strip itself, under a bracket with the record's name.

use extbuf_format::{Format, Item, Line};

use crate::scene::{Anchor, Cell, Fill, Ink, Label, Mark, Scene, TONES, clean, cut, width};

/// Parts drawn; of more the middle is left out.
const HEAD: usize = 28;
const TAIL: usize = 8;

/// Brackets drawn above one another.
const DEPTH: usize = 4;

/// Columns of the longest word in a box.
const LONGEST: usize = 28;

/// One box.
struct Part {
    /// Name, format, bytes.
    lines: Vec<String>,
    /// What the ruler says where it begins.
    offset: String,
    fill: Fill,
    hover: String,
    /// The nested records it lies in, outermost first: positions in the outline.
    inside: Vec<usize>,
    /// Columns besides those that the lines need, so that a bracket has room for its name.
    extra: usize,
}

pub(crate) fn record(format: &Format, room: usize) -> Scene {
    let outline = format.outline();
    let names: Vec<String> = outline.iter().map(bracket_text).collect();
    let mut parts = parts(&outline);
    if parts.len() > HEAD + TAIL {
        let left_out = parts.len() - HEAD - TAIL;
        let mut text = Part::plain(format!("⋯ {left_out} parts ⋯"));
        text.offset = parts[HEAD].offset.clone();
        parts.splice(HEAD..HEAD + left_out, [text]);
    }
    // Where nothing has a name there is no line for names.
    if parts.iter().all(|part| part.lines.len() < 3 || part.lines[0].is_empty()) {
        for part in parts.iter_mut().filter(|part| part.lines.len() == 3) {
            part.lines.remove(0);
        }
    }
    let high = parts.iter().map(|part| part.lines.len()).max().unwrap_or(1) + 1;
    let longest = room.saturating_sub(4).clamp(4, LONGEST);
    for part in &mut parts {
        part.lines = part.lines.iter().map(|line| cut(line, longest)).collect();
        part.lines.resize(high - 1, String::new());
    }
    for (owner, name) in names.iter().enumerate() {
        let mut held = parts.iter_mut().filter(|part| part.inside.contains(&owner));
        let Some(first) = held.next() else { continue };
        let others: usize = held.map(|part| part.wide()).sum();
        first.extra += (width(name).min(longest) + 6).saturating_sub(first.wide() + others);
    }

    let mut scene = Scene::default();
    let mut y = 0;
    let mut rest = parts.as_slice();
    while !rest.is_empty() {
        // As many boxes as fit on this row, but at least one.
        let mut ends = vec![0];
        for part in rest {
            let end = ends[ends.len() - 1] + part.wide();
            if end + 1 > room && ends.len() > 1 {
                break;
            }
            ends.push(end);
        }
        let (row, after) = rest.split_at(ends.len() - 1);
        let deep = row.iter().map(|part| part.inside.len()).max().unwrap_or(0).min(DEPTH);
        for depth in 0..deep {
            brackets(&mut scene, row, &ends, depth, y + depth, &names);
        }
        y += deep;
        let mut taken = 0;
        for (nth, part) in row.iter().enumerate() {
            scene.marks.push(Mark::Cell(Cell {
                at: (ends[nth], y),
                size: (ends[nth + 1] - ends[nth], high),
                lines: part.lines.clone(),
                fill: part.fill,
                first: false,
                hover: part.hover.clone(),
            }));
            taken = offset(&mut scene, (ends[nth], y + high + 1), &part.offset, taken);
        }
        // Where the row ends, the next part begins.
        let end = after.first().map_or_else(|| format.itemsize().to_string(), |part| part.offset.clone());
        offset(&mut scene, (ends[ends.len() - 1], y + high + 1), &end, taken);
        y += high + 3;
        rest = after;
    }
    scene
}

/// Writes an offset on the ruler if it is free of the one before; answers with the first free column.
fn offset(scene: &mut Scene, at: (usize, usize), text: &str, taken: usize) -> usize {
    let label = Label { at, anchor: Anchor::Middle, text: text.into(), ink: Ink::Faint };
    let (start, end) = label.span();
    if start < taken {
        return taken;
    }
    scene.marks.push(Mark::Label(label));
    end + 1
}

/// The brackets of one depth over a row of boxes.
fn brackets(scene: &mut Scene, row: &[Part], ends: &[usize], depth: usize, y: usize, names: &[String]) {
    let mut nth = 0;
    while nth < row.len() {
        let Some(&owner) = row[nth].inside.get(depth) else {
            nth += 1;
            continue;
        };
        let last = row[nth..].iter().take_while(|part| part.inside.get(depth) == Some(&owner)).count() + nth;
        let (from, to) = (ends[nth], ends[last]);
        let text = cut(&names[owner], (to - from).saturating_sub(6));
        scene.marks.push(Mark::Bracket { from: (from, y), to, wide: width(&text) });
        if !text.is_empty() {
            scene.label((from + 3, y), Anchor::Start, Ink::Normal, text);
        }
        nth = last;
    }
}

impl Part {
    fn plain(text: String) -> Part {
        Part {
            lines: vec![text],
            offset: String::new(),
            fill: Fill::Plain,
            hover: String::new(),
            inside: Vec::new(),
            extra: 0,
        }
    }

    /// Columns from frame to frame.
    fn wide(&self) -> usize {
        self.lines.iter().map(|line| width(line)).max().unwrap_or(0).max(3) + 3 + self.extra
    }
}

/// The boxes of an outline: its lines that nothing lies inside of, and the repeats of records after the first.
fn parts(outline: &[Line<'_>]) -> Vec<Part> {
    let mut parts = Vec::new();
    // The records we are inside of, and where each ends.
    let mut open: Vec<(usize, usize)> = Vec::new();
    let mut at = 0;
    let mut tone = 0;
    for (nth, line) in outline.iter().enumerate() {
        close(&mut parts, &mut open, outline, line.depth, at, tone);
        if line.depth == 1 && line.format.is_some() && nth > 1 {
            tone += 1;
        }
        let holds = outline.get(nth + 1).is_some_and(|next| next.depth > line.depth);
        if holds {
            open.push((nth, line.offset + line.size));
            at = line.offset;
            continue;
        }
        let inside = nested(&open);
        at = line.offset + line.size;
        parts.push(part(line, tone, inside));
    }
    close(&mut parts, &mut open, outline, 0, at, tone);
    parts
}

/// The nested records among the open ones: the item itself has no bracket.
fn nested(open: &[(usize, usize)]) -> Vec<usize> {
    open.iter().map(|(nth, _)| *nth).filter(|nth| *nth > 0).collect()
}

/// Leaves the records that a line of this depth is not inside of. Where one is repeated, the outline shows the first;
/// the bytes of the others become one box.
fn close(
    parts: &mut Vec<Part>,
    open: &mut Vec<(usize, usize)>,
    outline: &[Line<'_>],
    depth: usize,
    mut at: usize,
    tone: usize,
) {
    while let Some(&(nth, end)) = open.last() {
        if outline[nth].depth < depth {
            return;
        }
        if at < end {
            let bytes = end - at;
            let one = outline[nth].size - bytes;
            let more = bytes.checked_div(one).unwrap_or(0);
            parts.push(Part {
                lines: vec![String::new(), format!("{more} more"), bytes.to_string()],
                offset: at.to_string(),
                fill: Fill::Tone(tone % TONES),
                hover: format!("bytes {at}..{end}"),
                inside: nested(open),
                extra: 0,
            });
        }
        at = at.max(end);
        open.pop();
    }
}

fn part(line: &Line<'_>, tone: usize, inside: Vec<usize>) -> Part {
    let bytes = format!("bytes {}..{}", line.offset, line.offset + line.size);
    let mut offset = line.offset.to_string();
    if line.bit_offset > 0 {
        offset.push_str(&format!(".{}", line.bit_offset));
    }
    let Some(format) = line.format else {
        let lines = vec![String::new(), String::new(), line.size.to_string()];
        return Part {
            lines,
            offset,
            fill: Fill::Hatched,
            hover: format!("{bytes}: padding"),
            inside,
            extra: 0,
        };
    };
    let name = clean(line.name.unwrap_or_default());
    let text = clean(&repeated(format, line.repeat));
    let hover = cut(&format!("{bytes}: {name} {text}"), 200);
    Part {
        lines: vec![name, text, line.size.to_string()],
        offset,
        fill: Fill::Tone(tone % TONES),
        hover,
        inside,
        extra: 0,
    }
}

fn repeated(format: &Format, repeat: usize) -> String {
    let text = format.to_string();
    if repeat == 1 { text } else { format!("{repeat} × {text}") }
}

/// The words on a bracket: the name of a nested record, and how many there are.
fn bracket_text(line: &Line<'_>) -> String {
    let name = clean(line.name.unwrap_or("record"));
    let dims = match line.format.map(Format::item) {
        Some(Item::Array(array)) => {
            let lengths: Vec<String> = array.shape().iter().map(usize::to_string).collect();
            format!(" ({})", lengths.join(","))
        }
        _ if line.repeat > 1 => format!(" ({})", line.repeat),
        _ => String::new(),
    };
    name + &dims
}
