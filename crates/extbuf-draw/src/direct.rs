//! The byte strip: one level, one stretch of memory.

use extbuf_layout::Layout;

use crate::paint::{Measures, Texts, cells_across, measures_across, ruler};
use crate::reach::Map;
use crate::scene::{Anchor, Arrow, Ink, Label, Mark, Scene, width};
use crate::strip::{Direction, Request, Strip};

/// The strip with its arrows above, its ruler and its marks below. Both layouts have one level; the whole, or the
/// only one, has items.
pub(crate) fn strip(layout: &Layout, whole: Option<&Layout>, block: Option<usize>, room: usize) -> Scene {
    let map_of = |layout: &Layout| (!layout.is_empty()).then(|| Map::new(layout, 0, &vec![0; layout.ndim()]));
    let (map, ground) = (map_of(layout), whole.and_then(map_of));
    let texts = Texts::new(layout);
    let strip = Request {
        active: map.as_ref(),
        ground: ground.as_ref(),
        focus: map.as_ref(),
        direction: Direction::Across,
        room,
        longest: texts.longest(),
        block: block.map(|bytes| bytes as i128),
        text: &|held| texts.item(map.as_ref(), held),
    }
    .plan();
    let mut scene = Scene::default();
    let top = match &map {
        Some(map) => measures_across(&mut scene, &strip, map, Measures::All, "offset", room),
        None => 0,
    };
    let at = map.as_ref().map(|map| map.first);
    scene.place(cells_across(&strip, at, block.map(|bytes| bytes as i128)), (0, top));
    let mut below = top + 2 * strip.lanes + 1;
    let end = block.map(|bytes| bytes as i128);
    let wanted: Vec<i128> = [0].into_iter().chain(end).chain(at).collect();
    for (x, address) in ruler(&strip, &wanted) {
        scene.label((x, below), Anchor::Middle, Ink::Faint, address.to_string());
    }
    below += 1;
    if let Some(first) = at.and_then(|at| strip.active_at(at)) {
        let label =
            |x, text: &str, ink| Label { at: (x, below), anchor: Anchor::Start, text: text.into(), ink };
        let mark = label((first.from + first.to) / 2, "▲ first", Ink::Normal);
        if let Some(x) = strip.at(0).filter(|_| at != Some(0)) {
            let base = label(x, "▲ base", Ink::Accent);
            let (a, b) = (mark.span(), base.span());
            let row = below + usize::from(a.0 <= b.1 && b.0 <= a.1);
            scene.label((x, row), base.anchor, base.ink, base.text);
        }
        scene.label(mark.at, mark.anchor, mark.ink, mark.text);
    }
    if let Some(end) = end {
        extents(&mut scene, &strip, end, room);
    }
    if strip.crowded {
        let below = scene.size().1;
        scene.label((0, below), Anchor::Start, Ink::Faint, "more items overlap these than are drawn");
    }
    scene
}

/// Below a strip: where the block lies, and what lies before and behind it.
fn extents(scene: &mut Scene, strip: &Strip, end: i128, room: usize) {
    let (Some(low), Some(high)) = (strip.runs.first(), strip.runs.last()) else {
        return;
    };
    let (low, high) = (low.bytes.start, high.bytes.end);
    let (before, behind) = (-low, high - end);
    for (from, to, text, ink) in [
        (low, 0, format!("before the block: {}", bytes(before)), Ink::Accent),
        (0, end, format!("the block: {}", bytes(end)), Ink::Normal),
        (end, high, format!("behind the block: {}", bytes(behind)), Ink::Accent),
    ] {
        if from > to || from == to && ink == Ink::Accent {
            continue;
        }
        let y = scene.size().1;
        let wide = width(&text);
        let (mut at, mut gap) = (0, None);
        // Where an end of the block is left out of the picture, words alone must do.
        if let (Some(start), Some(stop)) = (strip.at(from), strip.at(to)) {
            if stop >= start + wide + 6 {
                at = start + (stop - start - wide) / 2;
                gap = Some((at - 1, at + wide + 1));
            } else if stop + 2 + wide < room || start < wide + 2 {
                at = stop + 2;
            } else {
                at = start - wide - 1;
            }
            if start < stop {
                scene.marks.push(Mark::Arrow(Arrow { from: (start, y), to: (stop, y), ink, gap }));
            }
        }
        scene.label((at, y), Anchor::Start, ink, text);
    }
}

fn bytes(count: i128) -> String {
    if count == 1 { "1 byte".into() } else { format!("{count} bytes") }
}
