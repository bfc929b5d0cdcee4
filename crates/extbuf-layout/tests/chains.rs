//! Chains of up to 10 operations on layouts of 1 to 3 levels against the slow twin: every index leads to the same place.

use extbuf_layout::{Layout, LayoutSpec, LevelSpec, Order, Slice, SliceItem};
use extbuf_testkit::layout_twin::{Cut, Memory, Place, Twin, all_indices, python_slice};
use proptest::prelude::*;

const MAX_ITEMS: usize = 1500;

/// Numbers from which an operation is drawn; what they mean depends on the layout they meet.
type Dice = [u32; 8];

/// Itemsize, shape, and an offset and strides for each level.
type Claim = (usize, Vec<usize>, Vec<(isize, Vec<isize>)>);

fn claim() -> impl Strategy<Value = Claim> {
    (0usize..=6, 1usize..=3, 1usize..=8).prop_flat_map(|(ndim, levels, itemsize)| {
        let extent = prop_oneof![1 => Just(0usize), 4 => Just(1), 12 => 2usize..=4];
        let stride = prop_oneof![2 => Just(0isize), 6 => -40isize..=40, 1 => Just(itemsize as isize)];
        let level = (-100isize..=100, prop::collection::vec(stride, ndim));
        let shape = prop::collection::vec(extent, ndim);
        (Just(itemsize), shape, prop::collection::vec(level, levels), any::<bool>()).prop_map(
            |(itemsize, shape, mut levels, dense)| {
                if dense {
                    // The last level as one block: merges, casts and reshapes have something to find.
                    let mut step = itemsize as isize;
                    let (last, before) = levels.split_last_mut().unwrap();
                    for axis in (0..shape.len()).rev() {
                        let steps_before = before.iter().any(|level| level.1[axis] != 0);
                        last.1[axis] = if steps_before { 0 } else { step };
                        step *= if steps_before { 1 } else { shape[axis].max(1) as isize };
                    }
                }
                (itemsize, shape, levels)
            },
        )
    })
}

fn build(itemsize: usize, shape: &[usize], levels: &[(isize, Vec<isize>)]) -> Layout {
    let shape: Vec<isize> = shape.iter().map(|&n| n as isize).collect();
    let levels: Vec<_> =
        levels.iter().map(|(offset, strides)| LevelSpec { offset: *offset, strides }).collect();
    Layout::new(&LayoutSpec { itemsize, shape: &shape, levels: &levels }).unwrap()
}

/// The place the layout says, in the twin's memory.
fn place(layout: &Layout, memory: &mut Memory, index: &[usize]) -> Place {
    let (block, at) = layout.locate(0, index, |block, at| memory.load((block, at as i128))).unwrap();
    (block, at as i128)
}

fn places(layout: &Layout, memory: &mut Memory) -> Vec<Place> {
    all_indices(layout.shape()).iter().map(|index| place(layout, memory, index)).collect()
}

fn bound(die: u32) -> Option<isize> {
    match die % 16 {
        0..=4 => None,
        5 => Some(isize::MIN),
        6 => Some(isize::MAX),
        n => Some(n as isize - 11),
    }
}

fn python(dice: &[u32], n: usize) -> (Slice, Vec<usize>) {
    let (start, stop) = (bound(dice[0]), bound(dice[0] / 16));
    let step = bound(dice[0] / 256).filter(|&step| step != 0);
    (Slice { start, stop, step }, python_slice(start, stop, step, n).unwrap())
}

/// One operation on both; `None` where the numbers drawn make none, or the layout refuses what it may refuse.
fn step(layout: &Layout, twin: &Twin, dice: &Dice) -> Option<(Layout, Twin)> {
    let ndim = layout.ndim();
    let d = |i: usize| dice[i] as usize;
    let axis = (ndim > 0).then(|| d(1) % ndim);
    let other = (ndim > 0).then(|| d(2) % ndim);
    let shape = twin.shape.clone();
    Some(match dice[0] % 19 {
        0 | 1 => {
            let (mut items, mut cuts) = (Vec::new(), Vec::new());
            for (i, &n) in shape.iter().enumerate() {
                let die = dice[1 + i % 7].rotate_left(i as u32);
                if die % 7 == 0 {
                    items.push(SliceItem::NewAxis);
                    cuts.push(Cut::New);
                }
                if die % 5 == 0 && n > 0 {
                    let k = die as usize % n;
                    items.push(SliceItem::Index(if die % 2 == 0 {
                        k as isize
                    } else {
                        k as isize - n as isize
                    }));
                    cuts.push(Cut::Fix(k));
                } else if die % 3 == 0 {
                    // The axes from here on are left to an ellipsis, which may stand or be left out.
                    if die % 4 == 0 {
                        items.push(SliceItem::Ellipsis);
                    }
                    cuts.extend(shape[i..].iter().map(|&n| Cut::Keep((0..n).collect())));
                    break;
                } else {
                    let (slice, kept) = python(&[die / 7], n);
                    items.push(SliceItem::Slice(slice));
                    cuts.push(Cut::Keep(kept));
                }
            }
            (layout.slice(items).unwrap(), twin.slice(&cuts))
        }
        2 => {
            let (slice, kept) = python(&dice[3..], shape[axis?]);
            (layout.slice_axis(axis?, slice).unwrap(), twin.slice_axis(axis?, Cut::Keep(kept)))
        }
        3 => {
            let k = d(3).checked_rem(shape[axis?])?;
            (layout.index_axis(axis?, k as isize).unwrap(), twin.slice_axis(axis?, Cut::Fix(k)))
        }
        4 => {
            let reversed = (0..shape[axis?]).rev().collect();
            (layout.reverse_axis(axis?).unwrap(), twin.slice_axis(axis?, Cut::Keep(reversed)))
        }
        5 => {
            let mut axes: Vec<usize> = (0..ndim).collect();
            axes.sort_by_key(|&axis| dice[1 + axis % 7].rotate_left(axis as u32));
            (layout.permute(&axes).unwrap(), twin.permute(&axes))
        }
        6 => (layout.transpose(), twin.permute(&(0..ndim).rev().collect::<Vec<_>>())),
        7 => {
            let mut axes: Vec<usize> = (0..ndim).collect();
            axes.swap(axis?, other?);
            (layout.swap_axes(axis?, other?).unwrap(), twin.permute(&axes))
        }
        8 => {
            let mut axes: Vec<usize> = (0..ndim).collect();
            let moved = axes.remove(axis?);
            axes.insert(other?, moved);
            (layout.move_axis(axis?, other?).unwrap(), twin.permute(&axes))
        }
        9 => {
            let at = d(1) % (ndim + 1);
            let mut wider = shape;
            wider.insert(at, 1);
            (layout.new_axis(at).unwrap(), twin.reshape(&wider))
        }
        10 => {
            let axis = shape.iter().position(|&n| n == 1)?;
            let mut narrower = shape;
            narrower.remove(axis);
            (layout.drop_axis(axis).unwrap(), twin.reshape(&narrower))
        }
        11 => {
            let mut wider: Vec<usize> = shape;
            for (axis, n) in wider.iter_mut().enumerate().filter(|(_, n)| **n == 1) {
                *n = d(1 + axis % 7) % 4;
            }
            if d(6) % 3 == 0 {
                wider.insert(0, 2);
            }
            if wider.iter().product::<usize>() > MAX_ITEMS {
                return None;
            }
            (layout.broadcast_to(&wider).unwrap(), twin.broadcast(&wider))
        }
        12 => {
            let offset = d(3) as isize % 5 - 2;
            if axis == other {
                return None;
            }
            let (a, b) = (axis?, other?);
            (layout.diagonal(a, b, offset).unwrap(), twin.diagonal(a, b, offset))
        }
        13 => {
            let n = shape[axis?];
            let size = d(3).checked_rem(n)? + 1;
            if twin.places.len() * size > MAX_ITEMS {
                return None;
            }
            (layout.windows(axis?, size).unwrap(), twin.windows(axis?, size))
        }
        14 => {
            let n = shape[axis?];
            let first = if n == 0 { d(3) % 3 } else { (1..=n).filter(|f| n % f == 0).nth(d(3) % 3)? };
            let rest = n.checked_div(first).unwrap_or(d(4) % 4);
            let cut = layout.split_axis(axis?, &[first, 1, rest]).unwrap();
            let mut wider = shape;
            wider.splice(axis?..axis? + 1, [first, 1, rest]);
            (cut, twin.reshape(&wider))
        }
        15 => {
            let (a, b) = (axis?.min(other?), axis?.max(other?) + 1);
            let merged = layout.merge_axes(a..b).ok()?;
            let mut narrower = shape;
            let product = narrower[a..b].iter().product();
            narrower.splice(a..b, [product]);
            (merged, twin.reshape(&narrower))
        }
        16 => {
            // A shape of as many items: all extents cut into prime factors and multiplied up anew.
            let mut wanted = vec![1];
            for n in shape {
                let mut n = n;
                if n == 0 {
                    wanted.push(0);
                }
                for prime in [2, 3, 5] {
                    while n > 1 && n % prime == 0 {
                        n /= prime;
                        if d(1 + wanted.len() % 7) % 3 == 0 {
                            wanted.push(prime);
                        } else {
                            *wanted.last_mut()? *= prime;
                        }
                    }
                }
                *wanted.last_mut()? *= n.max(1);
            }
            (layout.reshape(&wanted, Order::C).ok()?, twin.reshape(&wanted))
        }
        17 => {
            let blocks: Vec<usize> = shape
                .iter()
                .enumerate()
                .map(|(i, &n)| if d(1 + i % 7) % 2 == 0 { 1 } else { n.max(1) })
                .collect();
            if 2 * ndim > 64 {
                return None;
            }
            (layout.tile(&blocks).unwrap(), twin.tile(&blocks))
        }
        _ if d(1) % 2 == 0 => {
            let offset = d(2) % (layout.itemsize() + 1);
            let size = layout.itemsize() - offset;
            (layout.field(offset, size).unwrap(), twin.shift(offset))
        }
        _ => {
            let wanted = d(2) % 8 + 1;
            if ndim == 0 {
                // Nothing but the same itemsize is allowed, and changes nothing.
                assert_eq!(layout.cast(wanted).ok(), (wanted == layout.itemsize()).then(|| layout.clone()));
                return None;
            }
            let cast = layout.cast(wanted).ok()?;
            (cast, twin.cast(layout.itemsize(), wanted))
        }
    })
}

/// All that must hold of a layout whatever was done to it.
fn check(layout: &Layout, twin: &Twin, memory: &mut Memory) -> Result<(), TestCaseError> {
    prop_assert_eq!(layout.shape(), &twin.shape[..]);
    let all = places(layout, memory);
    prop_assert_eq!(&all, &twin.places);
    prop_assert_eq!(layout.len(), all.len());

    // The invariants: the same numbers pass the constructor.
    let levels: Vec<_> =
        (0..layout.levels()).map(|l| (layout.offset(l), layout.strides(l).to_vec())).collect();
    prop_assert_eq!(&build(layout.itemsize(), layout.shape(), &levels), layout);

    // The extent of the last level is exactly what is reached.
    let last = layout.levels() - 1;
    let (low, high) = (all.iter().map(|p| p.1).min(), all.iter().map(|p| p.1).max());
    if let (Some(low), Some(high)) = (low, high) {
        let extent = layout.extent(last);
        prop_assert_eq!((extent.start as i128, extent.end as i128), (low, high + layout.itemsize() as i128));
    }

    // Walks.
    let by_index: Vec<Place> = layout.indices(Order::C).map(|index| place(layout, memory, &index)).collect();
    prop_assert_eq!(&by_index, &all);
    prop_assert!(layout.offsets(last, Order::C).map(|at| at as i128).eq(all.iter().map(|p| p.1)));
    let backwards = twin.permute(&(0..layout.ndim()).rev().collect::<Vec<_>>());
    prop_assert!(
        layout.offsets(last, Order::F).map(|at| at as i128).eq(backwards.places.iter().map(|p| p.1))
    );
    let mut from_runs = Vec::new();
    let mut before: Option<Place> = None;
    for run in layout.runs(Order::C) {
        let (block, at) = place(layout, memory, &run.index);
        prop_assert_eq!(at, run.offset as i128);
        // Longest: this run does not go on where the one before it ended.
        let same_block_end = before.replace((block, at + (run.items * layout.itemsize()) as i128));
        prop_assert_ne!(same_block_end, Some((block, at)));
        from_runs.extend((0..run.items).map(|k| (block, at + (k * layout.itemsize()) as i128)));
    }
    prop_assert_eq!(&from_runs, &all);

    // The same items in another order.
    let mut sorted = all.clone();
    sorted.sort_unstable();
    let canonical = layout.canonical();
    let mut met = places(&canonical, memory);
    if layout.is_direct() {
        let by_memory: Vec<Place> =
            layout.indices_in_memory_order().map(|index| place(layout, memory, &index)).collect();
        prop_assert_eq!(&by_memory, &met);
    }
    met.sort_unstable();
    prop_assert_eq!(&met, &sorted);
    for parts in [2, 3, 7] {
        let cut = layout.parts(parts);
        prop_assert_eq!(cut.len(), parts.min(all.len()).max(1));
        let mut met: Vec<Place> = cut.iter().flat_map(|part| places(part, memory)).collect();
        met.sort_unstable();
        prop_assert_eq!(&met, &sorted);
        prop_assert!(all.is_empty() || cut.iter().all(|part| !part.is_empty()));
    }

    // Encodings: what can be written reads back to the same places.
    let shape: Vec<isize> = layout.shape().iter().map(|&n| n as isize).collect();
    if let Ok(e) = layout.to_suboffsets() {
        let back =
            Layout::from_suboffsets(layout.itemsize(), &shape, &e.strides, e.suboffsets.as_deref(), e.offset);
        prop_assert_eq!(&places(&back.unwrap(), memory), &all);
    }
    if let Ok(e) = layout.to_derefoff() {
        let back =
            Layout::from_derefoff(layout.itemsize(), &shape, &e.strides, e.derefoff.as_deref(), e.offset);
        prop_assert_eq!(&places(&back.unwrap(), memory), &all);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if cfg!(debug_assertions) { 1500 } else { 20_000 },
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_chain_leads_to_the_same_places(
        (itemsize, shape, levels) in claim(),
        dice in prop::collection::vec(any::<Dice>(), 0..=10),
    ) {
        let mut memory = Memory::default();
        let mut layout = build(itemsize, &shape, &levels);
        let mut twin = Twin::new(&mut memory, &shape, &levels);
        for dice in &dice {
            if let Some(next) = step(&layout, &twin, dice) {
                (layout, twin) = next;
                prop_assert_eq!(layout.shape(), &twin.shape[..]);
            }
        }
        check(&layout, &twin, &mut memory)?;
    }

    #[test]
    fn what_was_split_joins_again((itemsize, shape, levels) in claim(), axis in 0usize..6, at in 0usize..5) {
        let layout = build(itemsize, &shape, &levels);
        let Some(axis) = axis.checked_rem(shape.len()) else { return Ok(()) };
        let at = at % (shape[axis] + 1);
        let (head, tail) = layout.split_at(axis, at).unwrap();
        let joined = head.join(&tail, axis).unwrap();
        let mut memory = Memory::default();
        prop_assert_eq!(places(&joined, &mut memory), places(&layout, &mut memory));
        prop_assert_eq!(joined.shape(), layout.shape());
        // Where the first is not empty, exchanging the two gives another array, which only its own layout may be.
        if let Ok(swapped) = tail.join(&head, axis) {
            let mut all = places(&tail, &mut memory);
            all.extend(places(&head, &mut memory));
            all.sort_unstable();
            let mut met = places(&swapped, &mut memory);
            met.sort_unstable();
            prop_assert_eq!(met, all);
        }
    }

    #[test]
    fn what_was_cut_merges_again((itemsize, shape, levels) in claim(), axis in 0usize..6, dice in any::<usize>()) {
        let layout = build(itemsize, &shape, &levels);
        let Some(axis) = axis.checked_rem(shape.len()) else { return Ok(()) };
        let n = shape[axis];
        let first = (1..=n).filter(|f| n % f == 0).nth(dice % 3).unwrap_or(1);
        let cut = layout.split_axis(axis, &[first, n / first]).unwrap();
        prop_assert_eq!(&cut.merge_axes(axis..axis + 2).unwrap(), &layout);
        // Tiles: each pair of block axis and inner axis is one axis again.
        let blocks: Vec<usize> = shape.iter().map(|&n| if n % 2 == 0 && n > 0 { 2 } else { 1 }).collect();
        let mut tiles = layout.tile(&blocks).unwrap();
        for axis in 0..shape.len() {
            tiles = tiles.move_axis(shape.len(), axis + 1).unwrap().merge_axes(axis..axis + 2).unwrap();
            if axis + 1 < shape.len() {
                // The next inner axis has moved up by one, as the merge took one away and the move put one in.
                prop_assert_eq!(tiles.ndim(), 2 * shape.len() - axis - 1);
            }
        }
        let mut memory = Memory::default();
        prop_assert_eq!(places(&tiles, &mut memory), places(&layout, &mut memory));
    }
}
