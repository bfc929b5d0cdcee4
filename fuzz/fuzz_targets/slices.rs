//! Any text as a list of slices: refused with a span inside the text, or a list that slices without a panic.
#![no_main]

use extbuf_layout::{Layout, Order, SliceItem};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, [u8; 4])| {
    let (text, extents) = input;
    match SliceItem::parse_list(text) {
        Ok(items) => {
            let shape = extents.map(usize::from);
            let layout = Layout::contiguous(3, &shape, Order::F).expect("a small layout");
            if let Ok(part) = layout.slice(&items) {
                let (whole, part) = (layout.extent(0), part.extent(0));
                assert!(part.is_empty() || whole.start <= part.start && part.end <= whole.end);
            }
        }
        Err(error) => {
            let message = error.to_string();
            assert!(!message.is_empty());
        }
    }
});
