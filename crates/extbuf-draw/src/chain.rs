//! The chain of affine maps itself: offsets and strides as the small matrix that they are, one row a level, a load
//! between each row and the next.

use extbuf_layout::Layout;

use crate::scene::{Anchor, Cell, Fill, Ink, Mark, Scene, TONES, width};

/// Levels and axes shown; of longer chains the rest is counted.
const LEVELS: usize = 6;
const AXES: usize = 8;

pub(crate) fn chain(layout: &Layout) -> Scene {
    let mut scene = Scene::default();
    let levels = layout.levels().min(LEVELS);
    let axes = layout.ndim().min(AXES);
    let number = |level: usize, column: usize| match column {
        0 => format!("{}", layout.offset(level)),
        _ => format!("{}", layout.strides(level)[column - 1]),
    };
    let heads: Vec<String> =
        std::iter::once("offset".to_string()).chain((0..axes).map(|axis| format!("× k{axis}"))).collect();
    let wide = (0..levels)
        .flat_map(|level| (0..=axes).map(move |column| number(level, column)))
        .chain(heads.iter().cloned())
        .map(|text| width(&text) + 4)
        .max()
        .unwrap_or(4);
    let left = width("load(a0) +") + 3;
    for (column, head) in heads.iter().enumerate() {
        scene.label((left + column * wide + wide / 2, 0), Anchor::Middle, Ink::Faint, head.clone());
    }
    let right = left + (axes + 1) * wide;
    for level in 0..levels {
        let y = 1 + 4 * level;
        let from = if level == 0 { "base +".to_string() } else { format!("load(a{}) +", level - 1) };
        scene.label((left - 2, y + 1), Anchor::End, Ink::Normal, from);
        for column in 0..=axes {
            let used = column == 0 || layout.strides(level)[column - 1] != 0;
            let fill = match (used, column) {
                (_, 0) => Fill::Plain,
                (true, _) => Fill::Tone((column - 1) % TONES),
                (false, _) => Fill::Faint,
            };
            scene.marks.push(Mark::Cell(Cell {
                at: (left + column * wide, y),
                size: (wide, 2),
                lines: vec![number(level, column)],
                fill,
                first: false,
                hover: String::new(),
            }));
        }
        let last = level + 1 == layout.levels();
        let to = format!("= a{level}: {}", if last { "the item" } else { "a pointer" });
        scene.label((right + 2, y + 1), Anchor::Start, Ink::Normal, to);
    }
    let rest = [(layout.levels() - levels, "levels"), (layout.ndim() - axes, "axes")];
    for (nth, (more, of)) in rest.into_iter().filter(|(more, _)| *more > 0).enumerate() {
        scene.label((left, 4 * levels + 1 + nth), Anchor::Start, Ink::Faint, format!("and {more} {of} more"));
    }
    scene
}
