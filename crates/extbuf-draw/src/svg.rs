//! The SVG back end: the grid times a fixed size, with smooth shapes.
//!
//! The text is written by hand: rectangles, lines and curves. Colours are CSS variables with values of our own behind
//! them, once for light and once for dark (`prefers-color-scheme`), and each is written twice, first plainly for
//! readers that know no variables. A panel of paper colour lies behind everything, so the picture is legible on any
//! page; lines and text take `currentColor`.

use std::fmt::Write;

use crate::scene::{Anchor, Arrow, Cell, Fill, Ink, Label, Mark, Scene, Wire};

/// Pixels of a column, of a row, and around the picture.
const U: f32 = 8.0;
const V: f32 = 15.0;
const MARGIN: f32 = 18.0;

/// Selector, property, variable, value in light, value in dark.
const COLOURS: [(&str, &str, &str, &str, &str); 13] = [
    ("", "color", "ink", "#1f2328", "#e6edf3"),
    (" .paper", "fill", "paper", "#ffffff", "#161b22"),
    (" .t0", "fill", "tone-0", "#cfe2ff", "#1d4a7d"),
    (" .t1", "fill", "tone-1", "#d0f0d2", "#22573a"),
    (" .t2", "fill", "tone-2", "#ffe8b0", "#6a4e10"),
    (" .t3", "fill", "tone-3", "#ffd5df", "#702c47"),
    (" .t4", "fill", "tone-4", "#e3d8ff", "#4c3b82"),
    (" .t5", "fill", "tone-5", "#c8efee", "#1a5a5c"),
    (" .faint", "color", "faint", "#737d88", "#8d96a0"),
    (" .none", "fill", "none", "#f4f5f7", "#1c2129"),
    (" .void", "stroke", "void", "#c9ced6", "#3a424d"),
    (" .accent", "color", "accent", "#c2410c", "#ff9d5c"),
    (" .halo", "stroke", "paper", "#ffffff", "#161b22"),
];

pub(crate) fn write(scene: &Scene) -> String {
    let (wide, high) = scene.size();
    let (width, height) = (wide as f32 * U + 2.0 * MARGIN, high as f32 * V + 2.0 * MARGIN - V / 2.0);
    let mut svg = Svg { out: String::new() };
    svg.line(format_args!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" class="extbuf" role="img" viewBox="0 0 {width} {height}" width="{width}" height="{height}">"#
    ));
    svg.line(format_args!("<title>{}</title>", escape(&scene.title)));
    svg.line(format_args!("<desc>{}</desc>", escape(&scene.description)));
    svg.style();
    svg.line(format_args!(
        r#"<defs><pattern id="extbuf-hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path class="void" d="M0 0V6" stroke-width="2.5"/></pattern></defs>"#
    ));
    svg.line(format_args!(r#"<rect class="paper" width="{width}" height="{height}" rx="8"/>"#));
    // Lines below text, so that no line crosses a word.
    for mark in &scene.marks {
        match mark {
            Mark::Guide { x, from, to } => svg.line(format_args!(
                r#"<path class="faint line guide" d="M{} {}V{}"/>"#,
                px(*x),
                py(*from),
                py(*to)
            )),
            Mark::Arrow(arrow) => svg.arrow(arrow),
            Mark::Bracket { from: (x, y), to, wide } => svg.bracket((*x, *y), *to, *wide),
            _ => {}
        }
    }
    for mark in &scene.marks {
        match mark {
            Mark::Cell(cell) => svg.cell(cell),
            Mark::Loop { at, ink } => svg.turn(*at, *ink),
            _ => {}
        }
    }
    for mark in &scene.marks {
        match mark {
            Mark::Wire(wire) => svg.wire(wire),
            Mark::Label(label) => svg.label(label),
            _ => {}
        }
    }
    svg.line(format_args!("</svg>"));
    svg.out
}

fn px(x: usize) -> f32 {
    MARGIN + x as f32 * U
}

fn py(y: usize) -> f32 {
    MARGIN + y as f32 * V
}

fn class(ink: Ink) -> &'static str {
    match ink {
        Ink::Normal => "ink",
        Ink::Strong => "strong",
        Ink::Faint => "faint",
        Ink::Accent => "accent",
    }
}

/// Text as XML may hold it.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push('\n'),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

struct Svg {
    out: String,
}

impl Svg {
    fn line(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing into a string cannot fail.
        let _ = self.out.write_fmt(text);
        self.out.push('\n');
    }

    fn style(&mut self) {
        self.line(format_args!("<style>"));
        self.line(format_args!(
            ".extbuf{{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,\"DejaVu Sans Mono\",\"Liberation Mono\",monospace;font-size:12px}}"
        ));
        self.line(format_args!(
            ".extbuf text{{fill:currentColor}} .extbuf .strong{{font-weight:bold;font-size:13px}} .extbuf .halo{{stroke-width:4px;stroke-linejoin:round;paint-order:stroke}}"
        ));
        self.line(format_args!(
            ".extbuf .frame{{stroke:currentColor;stroke-width:1}} .extbuf .first{{stroke-width:2.5}} .extbuf .line{{fill:none;stroke:currentColor;stroke-width:1.4}} .extbuf .guide{{stroke-width:1;stroke-dasharray:2 3}} .extbuf .head{{fill:currentColor}} .extbuf .hatch{{fill:url(#extbuf-hatch)}} .extbuf .plain{{fill:none}}"
        ));
        for (dark, open, close) in [(false, "", ""), (true, "@media (prefers-color-scheme:dark){", "}")] {
            let mut rules = String::new();
            for (selector, property, variable, light, night) in COLOURS {
                let value = if dark { night } else { light };
                let _ = write!(
                    rules,
                    ".extbuf{selector}{{{property}:{value};{property}:var(--extbuf-{variable},{value})}} "
                );
            }
            self.line(format_args!("{open}{}{close}", rules.trim_end()));
        }
        self.line(format_args!("</style>"));
    }

    fn cell(&mut self, cell: &Cell) {
        let (x, y) = (px(cell.at.0), py(cell.at.1));
        let (w, h) = (cell.size.0 as f32 * U, cell.size.1 as f32 * V);
        let (group, fill) = match cell.fill {
            Fill::Tone(tone) => ("ink", format!("t{tone}")),
            Fill::Faint => ("faint", "none".into()),
            Fill::Hatched => ("faint", "hatch".into()),
            Fill::Outside => ("accent", "none".into()),
            Fill::Plain => ("ink", "plain".into()),
        };
        let dashes = if cell.fill == Fill::Outside { r#" stroke-dasharray="5 3""# } else { "" };
        let first = if cell.first { " first" } else { "" };
        self.line(format_args!(r#"<g class="{group}">"#));
        if !cell.hover.is_empty() {
            self.line(format_args!("<title>{}</title>", escape(&cell.hover)));
        }
        self.line(format_args!(
            r#"<rect class="frame {fill}{first}"{dashes} x="{x}" y="{y}" width="{w}" height="{h}"/>"#
        ));
        let lines = cell.lines.len() as f32;
        for (nth, line) in cell.lines.iter().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let halo = if cell.fill == Fill::Hatched { r#" class="halo""# } else { "" };
            let middle = y + h / 2.0 + (nth as f32 - (lines - 1.0) / 2.0) * V;
            self.line(format_args!(
                r#"<text{halo} x="{}" y="{middle}" dy=".35em" text-anchor="middle">{}</text>"#,
                x + w / 2.0,
                escape(line.trim())
            ));
        }
        self.line(format_args!("</g>"));
    }

    fn label(&mut self, label: &Label) {
        let (x, anchor) = match label.anchor {
            Anchor::Start => (px(label.at.0) - U / 2.0, "start"),
            Anchor::Middle => (px(label.at.0), "middle"),
            Anchor::End => (px(label.at.0) + U / 2.0, "end"),
        };
        self.line(format_args!(
            r#"<text class="{} halo" x="{x}" y="{}" dy=".35em" text-anchor="{anchor}">{}</text>"#,
            class(label.ink),
            py(label.at.1),
            escape(&label.text)
        ));
    }

    /// A head with its point at `(x, y)`, pointing along `(dx, dy)`.
    fn head(&mut self, x: f32, y: f32, dx: f32, dy: f32) {
        let (bx, by) = (x - 8.0 * dx, y - 8.0 * dy);
        self.line(format_args!(
            r#"<path class="head" d="M{x} {y}L{} {}L{} {}z"/>"#,
            bx - 4.0 * dy,
            by + 4.0 * dx,
            bx + 4.0 * dy,
            by - 4.0 * dx
        ));
    }

    fn arrow(&mut self, arrow: &Arrow) {
        let (x0, y0, x1, y1) = (px(arrow.from.0), py(arrow.from.1), px(arrow.to.0), py(arrow.to.1));
        let across = arrow.from.1 == arrow.to.1;
        let (dx, dy) = if across { ((x1 - x0).signum(), 0.0) } else { (0.0, (y1 - y0).signum()) };
        self.line(format_args!(r#"<g class="{}">"#, class(arrow.ink)));
        let (tx, ty) = (4.0 * dy, 4.0 * dx);
        let mut gap = String::new();
        if let Some((start, end)) = arrow.gap {
            let (near, far) = if dx > 0.0 { (start, end) } else { (end, start) };
            gap = format!("L{} {y0}M{} {y0}", px(near) - U / 2.0, px(far) - U / 2.0);
        }
        self.line(format_args!(
            r#"<path class="line" d="M{} {}L{} {}M{x0} {y0}{gap}L{} {}"/>"#,
            x0 - tx,
            y0 - ty,
            x0 + tx,
            y0 + ty,
            x1 - 5.0 * dx,
            y1 - 5.0 * dy
        ));
        self.head(x1, y1, dx, dy);
        self.line(format_args!("</g>"));
    }

    fn bracket(&mut self, (x, y): (usize, usize), to: usize, wide: usize) {
        let (low, high) = (px(x) + 2.0, px(to) - 2.0);
        let gap =
            if wide > 0 { format!("H{}M{} {}", px(x + 2), px(x + wide + 3), py(y)) } else { String::new() };
        self.line(format_args!(
            r#"<path class="line" d="M{low} {}V{}{gap}H{high}V{}"/>"#,
            py(y) + 9.0,
            py(y),
            py(y) + 9.0
        ));
    }

    fn wire(&mut self, wire: &Wire) {
        let (x0, y0) = (px(wire.from.0) - 2.0 * U, py(wire.from.1));
        let (x1, y1) = (px(wire.to.0), py(wire.to.1));
        let bow = ((x1 - x0) / 2.0).max(24.0);
        self.line(format_args!(r#"<g class="{}">"#, class(wire.ink)));
        self.line(format_args!(r#"<circle class="head" cx="{x0}" cy="{y0}" r="3.5"/>"#));
        self.line(format_args!(
            r#"<path class="line" d="M{x0} {y0}C{} {y0} {} {y1} {} {y1}"/>"#,
            x0 + bow,
            x1 - bow,
            x1 - 7.0
        ));
        self.head(x1, y1, 1.0, 0.0);
        self.line(format_args!("</g>"));
    }

    /// The loop of a stride of 0.
    fn turn(&mut self, at: (usize, usize), ink: Ink) {
        let (x, y) = (px(at.0), py(at.1));
        self.line(format_args!(r#"<g class="{}">"#, class(ink)));
        // Up from the item on the left side and down to it again on the right.
        self.line(format_args!(
            r#"<path class="line" d="M{} {}A6 6 0 1 1 {} {}"/>"#,
            x - 2.0,
            y + 5.0,
            x + 4.0,
            y + 3.0
        ));
        self.head(x + 0.5, y + 7.5, -0.62, 0.78);
        self.line(format_args!("</g>"));
    }
}
