//! A hostile description of a block, asked for with any bits: refused, or lent; and then every item of every part of it
//! lies in the block, whatever is asked of the view.
#![no_main]

use extbuf_format::Format;
use extbuf_layout::{Layout, LayoutSpec, LevelSpec, Order, SliceItem};
use extbuf_protocol::{Array, Exporter, Memory, Request, View};
use libfuzzer_sys::fuzz_target;

/// Views of more items are not walked.
const WALKED: usize = 1 << 10;

fn look(view: &View<'_>, block: &[u8]) {
    if view.len() > WALKED || view.itemsize() > 1 << 10 {
        return;
    }
    let whole = block.as_ptr_range();
    let mut index = vec![0usize; view.ndim()];
    while !view.is_empty() {
        let here = view.item(&index).expect("inside the shape").as_ptr_range();
        assert!(here.is_empty() || whole.start <= here.start && here.end <= whole.end, "{index:?}");
        let Some(axis) = (0..index.len()).rev().find(|&axis| index[axis] + 1 < view.shape()[axis]) else {
            break;
        };
        index[axis] += 1;
        index[axis + 1..].fill(0);
    }
    let runs: usize = view.runs().map(|run| run.len()).sum();
    assert_eq!(runs, view.nbytes());
    let _ = (view.to_string(), view.as_bytes(), view.get::<u32>(&vec![0; view.ndim()]));
    let _ = view.equal_values(view);
}

/// A format, slices, extents with their strides, an offset, the bits of a request, the block, and a field's path.
type Input<'a> = (&'a str, &'a str, Vec<(u8, i8)>, i8, u32, &'a [u8], &'a str);

fuzz_target!(|input: Input| {
    let (text, slices, axes, offset, bits, bytes, path) = input;
    let (Ok(format), Ok(request)) = (Format::parse(text), Request::from_bits(bits)) else { return };
    let shape: Vec<isize> = axes.iter().map(|&(extent, _)| isize::from(extent % 9)).collect();
    let strides: Vec<isize> = axes.iter().map(|&(_, stride)| isize::from(stride)).collect();
    let levels = [LevelSpec { offset: isize::from(offset), strides: &strides }];
    let spec = LayoutSpec { itemsize: format.itemsize(), shape: &shape, levels: &levels };
    let Ok(layout) = Layout::new(&spec) else { return };
    let block: &[u8] = bytes;
    let memory = Memory::from_ref::<u8>(block);
    let Ok(array) = Array::new(memory, layout, format) else { return };
    let Ok(window) = array.window(request) else { return };
    look(&window.view(), block);
    if let Ok(items) = SliceItem::parse_list(slices)
        && let Ok(part) = window.slice(&items)
    {
        look(&part.view(), block);
        look(&part.view().transpose(), block);
        if let Ok(field) = part.view().field(path) {
            look(&field, block);
        }
        if let Ok(flat) = part.view().reshape(&[part.layout().len()], Order::C) {
            look(&flat, block);
        }
    }
    drop(window);
    assert_eq!(array.memory().live(), 0);
});
