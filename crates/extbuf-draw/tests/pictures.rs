//! Small layouts and the text they are drawn as, letter for letter.

use extbuf_draw::{Colour, TextOptions, TextStyle, draw_chain, draw_layout};
use extbuf_layout::{Layout, Order, s};

fn unicode(drawing: &extbuf_draw::Drawing) -> String {
    format!("\n{}", drawing.to_text(TextOptions::default()))
}
