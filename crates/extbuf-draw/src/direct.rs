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
    if let Some(at) = at
        && let Some(first) = strip.active_at(at)
    {
        let middle = (first.from + first.to) / 2;
        let first =
            Label { at: (middle, below), anchor: Anchor::Start, text: "▲ first".into(), ink: Ink::Normal };
        if at != 0
            && let Some(x) = strip.at(0)
        {
            let base =
                Label { at: (x, below), anchor: Anchor::Start, text: "▲ base".into(), ink: Ink::Normal };
            let (a, b) = (first.span(), base.span());
            let below = below + usize::from(a.0 <= b.1 && b.0 <= a.1);
            scene.label((x, below), Anchor::Start, Ink::Accent, base.text);
        }
        scene.label(first.at, first.anchor, first.ink, first.text);
    }
    if strip.crowded {
        let below = scene.size().1;
        scene.label((0, below), Anchor::Start, Ink::Faint, "more items overlap these than are drawn");
    }
    scene
}
