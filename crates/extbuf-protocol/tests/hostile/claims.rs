//! Claims of every size, and any chain of operations: what is reached lies inside, and what is written is apart.

use extbuf_format::Format;
use extbuf_layout::{Layout, LayoutSpec, LevelSpec, Order, Slice};
use extbuf_protocol::{Array, Exporter, Memory, Nested, Request, ViewMut};
use proptest::prelude::*;

/// A block and a claim about it of up to three axes: mostly one that is nearly right, else numbers of every size.
fn claims() -> impl Strategy<Value = (usize, usize, Vec<isize>, Vec<isize>, isize)> {
    let number = || {
        prop_oneof![
            8 => -9isize..40,
            1 => any::<isize>(),
            1 => prop_oneof![Just(isize::MIN), Just(isize::MAX), Just(isize::MAX - 7)],
        ]
    };
    let extent = prop_oneof![6 => 0isize..5, 1 => number()];
    let wild = (0usize..120, 0usize..9, 0usize..4).prop_flat_map(move |(block, itemsize, ndim)| {
        let extents = proptest::collection::vec(extent.clone(), ndim);
        (Just(block), Just(itemsize), extents, proptest::collection::vec(number(), ndim), number())
    });
    let shape = proptest::collection::vec(1usize..6, 0..4);
    let near = (shape, 1usize..9, prop_oneof![Just(Order::C), Just(Order::F)], 0usize..3, -1isize..2);
    let near = near.prop_map(|(shape, itemsize, order, more, offset)| {
        let layout = Layout::contiguous(itemsize, &shape, order).unwrap();
        let shape = shape.into_iter().map(|n| n as isize).collect();
        (layout.nbytes() + more, itemsize, shape, layout.strides(0).to_vec(), offset)
    });
    prop_oneof![1 => wild, 3 => near]
}

/// One operation on a view, chosen by numbers that may make no sense.
fn operate<'a>(
    view: ViewMut<'a>,
    (choice, a, b, step): (u8, usize, isize, isize),
) -> Option<Vec<ViewMut<'a>>> {
    let slice = Slice { start: Some(b), stop: None, step: Some(step) };
    let one = match choice {
        0 => view.slice_axis(a, slice),
        1 => view.index_axis(a, b),
        2 => view.reverse_axis(a),
        3 => Ok(view.transpose()),
        4 => view.new_axis(a),
        5 => view.slice([slice.into(), extbuf_layout::SliceItem::Ellipsis]),
        6 => view.field("tag"),
        _ => {
            let (low, high) = view.split_at(a, b.unsigned_abs()).ok()?;
            return Some(vec![low, high]);
        }
    };
    Some(vec![one.ok()?])
}

proptest! {
    /// What is lent for writing lies inside the block, and no two items of it share a byte: not after any chain of
    /// operations, and not between the halves of a split.
    #[test]
    fn what_is_written_is_inside_and_apart(
        (block, itemsize, shape, strides, offset) in claims(),
        chain in proptest::collection::vec((0u8..9, 0usize..4, -5isize..6, -3isize..4), 0..7),
    ) {
        let levels = [LevelSpec { offset, strides: &strides }];
        let Ok(layout) = Layout::new(&LayoutSpec { itemsize, shape: &shape, levels: &levels }) else {
            return Ok(());
        };
        let format = match itemsize {
            0 => Format::parse("0s").unwrap(),
            1 => Format::parse("T{B:tag:}").unwrap(),
            n => Format::parse(&format!("T{{={}sh:tag:}}", n - 2)).unwrap(),
        };
        let mut bytes = vec![0u8; block];
        let range = bytes.as_ptr_range();
        let array = Array::new(Memory::from_slice_mut(&mut bytes), layout, format);
        let Ok(mut window) = array.and_then(|array| array.window(Request::FULL)) else {
            return Ok(());
        };
        let mut views = vec![window.view_mut().unwrap()];
        for operation in chain {
            let mut view = views.pop().unwrap();
            if operate(view.reborrow(), operation).is_some() {
                views.extend(operate(view, operation).unwrap());
            } else {
                views.push(view); // refused
            }
        }
        let mut written = vec![0u8; block];
        for mut view in views {
            let layout = view.layout().clone();
            for index in layout.indices(Order::C).take(block.max(1)) {
                // As many items as can have bytes of their own; of those without, there may be any number.
                let item = view.item_mut(&index).unwrap();
                if !item.is_empty() {
                    let inside = item.as_ptr_range();
                    prop_assert!(range.start <= inside.start && inside.end <= range.end);
                    let at = inside.start.addr() - range.start.addr();
                    for (seen, byte) in written[at..].iter_mut().zip(item) {
                        prop_assert_eq!(*seen, 0, "a byte of two items");
                        (*seen, *byte) = (1, 1);
                    }
                }
            }
        }
        drop(window);
        prop_assert_eq!(bytes, written);
    }
}

proptest! {
    /// What a table of claims reaches lies inside the blocks that its windows keep, and where it writes, no two items
    /// share a byte.
    #[test]
    fn what_a_table_reaches_is_inside_and_apart(
        (block, itemsize, shape, strides, offset) in claims(),
        offsets in proptest::collection::vec(-2isize..3, 1..5),
        writable in any::<bool>(),
    ) {
        let mut blocks = vec![vec![0u8; block]; offsets.len()];
        let ranges: Vec<_> = blocks.iter().map(|block| block.as_ptr_range()).collect();
        let request = if writable { Request::FULL } else { Request::FULL_RO };
        let format = Format::parse(&format!("{itemsize}s")).unwrap();
        let mut windows = Vec::new();
        for (block, more) in blocks.iter_mut().zip(&offsets) {
            let levels = [LevelSpec { offset: offset.wrapping_add(*more), strides: &strides }];
            let Ok(layout) = Layout::new(&LayoutSpec { itemsize, shape: &shape, levels: &levels }) else {
                continue;
            };
            let array = Array::new(Memory::from_slice_mut(block), layout, format.clone());
            windows.extend(array.and_then(|array| array.window(request)));
        }
        let count = windows.len();
        let Ok(table) = Nested::new(windows, &[count]) else { return Ok(()) };
        let mut window = table.window(request).unwrap();
        let layout = window.layout().clone();
        let mut seen = std::collections::HashSet::new();
        for index in layout.indices(Order::C).take(2000) {
            let item = match writable {
                true => window.view_mut().unwrap().item_mut(&index).unwrap().as_ptr_range(),
                false => window.view().item(&index).unwrap().as_ptr_range(),
            };
            if itemsize > 0 {
                let inside = ranges.iter().any(|range| range.start <= item.start && item.end <= range.end);
                prop_assert!(inside, "an item outside every block");
                for at in item.start.addr()..item.end.addr() {
                    prop_assert!(seen.insert(at) || !writable, "a byte of two items");
                }
            }
        }
    }
}
