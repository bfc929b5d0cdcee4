//! The byte strip: one level, one stretch of memory.

use extbuf_layout::Layout;

use crate::paint::{Measures, Texts, cells_across, measures_across, ruler};
use crate::reach::Map;
use crate::scene::{Anchor, Ink, Label, Scene};
use crate::strip::{Direction, Request};

/// The strip with its arrows above, its ruler and its marks below. Both layouts have one level; the whole, or the
/// only one, has items.
pub(crate) fn strip(layout: &Layout, whole: Option<&Layout>, room: usize) -> Scene {
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
        text: &|held| texts.item(map.as_ref(), held),
    }
    .plan();
    let mut scene = Scene::default();
    let top = match &map {
        Some(map) => measures_across(&mut scene, &strip, map, Measures::All, "offset", room),
        None => 0,
    };
    let at = map.as_ref().map(|map| map.first);
    scene.place(cells_across(&strip, at), (0, top));
    let mut below = top + 2 * strip.lanes + 1;
    let wanted: Vec<i128> = [0].into_iter().chain(at).collect();
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
    if strip.crowded {
        let below = scene.size().1;
        scene.label((0, below), Anchor::Start, Ink::Faint, "more items overlap these than are drawn");
    }
    scene
}
