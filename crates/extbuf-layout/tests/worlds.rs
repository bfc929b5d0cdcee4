//! Small worlds, whole: every layout of a few axes, few entries and short strides, every slice of a short axis. In the
//! place of a proof: what can go wrong with the arithmetic goes wrong in one of these, or takes large numbers, which the
//! other tests try.
//!
//! The oracle walks every index and adds up what it finds. `EXTBUF_WORLDS=full` takes the larger worlds (in a release
//! build, seconds), and both print how many cases there were.

use extbuf_layout::{Layout, LayoutSpec, LevelSpec, Order, Overlap, POINTER_BYTES, Slice};
use extbuf_testkit::layout_twin::{all_indices, python_slice};

struct World {
    axes: usize,
    extents: isize,
    strides: isize,
    itemsizes: usize,
    blocks: usize,
}

fn full() -> bool {
    std::env::var("EXTBUF_WORLDS").is_ok_and(|wanted| wanted == "full")
}

/// Every run of `n` numbers out of `from..=to`.
fn tuples(n: usize, from: isize, to: isize) -> impl Iterator<Item = Vec<isize>> {
    let mut next = Some(vec![from; n]);
    std::iter::from_fn(move || {
        let now = next.take()?;
        let mut after = now.clone();
        if let Some(k) = (0..n).rev().find(|&k| now[k] < to) {
            after[k] += 1;
            after[k + 1..].fill(from);
            next = Some(after);
        }
        Some(now)
    })
}

/// Lowest and highest byte that one level reaches from offset 0, by walking; `None` without items.
fn reach(shape: &[usize], strides: &[isize], width: usize) -> Option<(isize, isize)> {
    all_indices(shape).iter().map(|index| at(index, strides)).fold(None, |reach, place| {
        let (low, high) = reach.unwrap_or((place, place));
        Some((low.min(place), high.max(place + width as isize)))
    })
}

fn at(index: &[usize], strides: &[isize]) -> isize {
    index.iter().zip(strides).map(|(&k, stride)| k as isize * stride).sum()
}

/// Blocks of every size, the layout one byte too low, as low as it may be, and one byte higher.
fn inside(layout: impl Fn(isize) -> Layout, low_high: Option<(isize, isize)>, blocks: usize) -> usize {
    let (low, high) = low_high.unwrap_or((0, 0));
    let mut cases = 0;
    for offset in [-low - 1, -low, 1 - low] {
        let layout = layout(offset);
        let expected = low_high.map_or(0..0, |_| low + offset..high + offset);
        assert_eq!(layout.extent(0), expected, "{layout:?}");
        for block in 0..=blocks {
            let fits = expected.start >= 0 && expected.end <= block as isize;
            assert_eq!(layout.check_inside(block).is_ok(), fits, "{layout:?} in {block} bytes");
            cases += 1;
        }
    }
    cases
}

fn direct(world: &World) -> (usize, usize) {
    let (mut layouts, mut cases) = (0, 0);
    for axes in 0..=world.axes {
        for shape in tuples(axes, 0, world.extents) {
            let extents: Vec<usize> = shape.iter().map(|&n| n as usize).collect();
            let indices = all_indices(&extents);
            for strides in tuples(axes, -world.strides, world.strides) {
                for itemsize in 1..=world.itemsizes {
                    let layout = |offset| {
                        let levels = &[LevelSpec { offset, strides: &strides }];
                        Layout::new(&LayoutSpec { itemsize, shape: &shape, levels }).unwrap()
                    };
                    let reached = reach(&extents, &strides, itemsize);
                    cases += inside(layout, reached, world.blocks);
                    answers(&layout(0), &indices, &strides, reached);
                    layouts += 1;
                }
            }
        }
    }
    (layouts, cases)
}

/// The questions one may ask of a direct layout, by counting bytes.
fn answers(layout: &Layout, indices: &[Vec<usize>], strides: &[isize], reached: Option<(isize, isize)>) {
    let itemsize = layout.itemsize();
    let (low, high) = reached.unwrap_or((0, 0));
    let mut bytes = [0u32; 64];
    for index in indices {
        let place = (at(index, strides) - low) as usize;
        bytes[place..place + itemsize].iter_mut().for_each(|count| *count += 1);
    }
    let shared = bytes.iter().any(|&count| count > 1);
    let expected = if shared { Overlap::Yes } else { Overlap::No };
    assert_eq!(layout.self_overlap(1000), expected, "{layout:?}");
    if !indices.is_empty() {
        let spread = bytes[..(high - low) as usize].iter().all(|&count| count > 0);
        assert_eq!(layout.is_exhaustive(), spread, "{layout:?}");
    }
    let follows = |order: &[Vec<usize>]| {
        order.iter().enumerate().all(|(n, index)| at(index, strides) == (n * itemsize) as isize)
    };
    assert_eq!(layout.is_contiguous(Order::C), follows(indices), "{layout:?} in C order");
    let mut backwards: Vec<Vec<usize>> = indices.to_vec();
    backwards.sort_by(|a, b| a.iter().rev().cmp(b.iter().rev()));
    assert_eq!(layout.is_contiguous(Order::F), follows(&backwards), "{layout:?} in Fortran order");
}

fn behind_a_load(world: &World) -> (usize, usize) {
    let (mut layouts, mut cases) = (0, 0);
    for axes in 0..=world.axes {
        for shape in tuples(axes, 0, world.extents) {
            let extents: Vec<usize> = shape.iter().map(|&n| n as usize).collect();
            for strides in tuples(2 * axes, -world.strides, world.strides) {
                let (table, row) = strides.split_at(axes);
                for itemsize in 1..=world.itemsizes {
                    let layout = |offset| {
                        let table = LevelSpec { offset, strides: table };
                        let levels = &[table, LevelSpec { offset: 3, strides: row }];
                        Layout::new(&LayoutSpec { itemsize, shape: &shape, levels }).unwrap()
                    };
                    cases += inside(layout, reach(&extents, table, POINTER_BYTES), world.blocks);
                    let expected =
                        reach(&extents, row, itemsize).map_or(0..0, |(low, high)| low + 3..high + 3);
                    assert_eq!(layout(0).extent(1), expected);
                    layouts += 1;
                }
            }
        }
    }
    (layouts, cases)
}

#[test]
fn every_small_direct_layout_is_inside_a_block_exactly_if_each_byte_is() {
    let world = if full() {
        World { axes: 3, extents: 3, strides: 4, itemsizes: 4, blocks: 16 }
    } else {
        World { axes: 2, extents: 3, strides: 4, itemsizes: 4, blocks: 16 }
    };
    let (layouts, cases) = direct(&world);
    println!("{layouts} direct layouts, {cases} times in a block");
    assert!(layouts > 5000);
}

#[test]
fn every_small_layout_with_a_load_is_inside_a_block_exactly_if_each_pointer_is() {
    let world = if full() {
        World { axes: 2, extents: 3, strides: 4, itemsizes: 4, blocks: 16 }
    } else {
        World { axes: 2, extents: 2, strides: 2, itemsizes: 2, blocks: 16 }
    };
    let (mut layouts, mut cases) = behind_a_load(&world);
    if full() {
        let world = World { axes: 3, extents: 3, strides: 2, itemsizes: 2, blocks: 16 };
        let (more_layouts, more_cases) = behind_a_load(&world);
        (layouts, cases) = (layouts + more_layouts, cases + more_cases);
    }
    println!("{layouts} layouts with a load, {cases} times in a block");
    assert!(layouts > 5000);
}

#[test]
fn every_slice_of_a_short_axis_is_pythons() {
    let bounds: Vec<Option<isize>> = (-8..=8).map(Some).chain([None]).collect();
    let mut cases = 0;
    for extent in 0..=6 {
        let axis = Layout::contiguous(1, &[extent], Order::C).unwrap();
        for &start in &bounds {
            for &stop in &bounds {
                for &step in &bounds {
                    let slice = Slice { start, stop, step };
                    let expected = python_slice(start, stop, step, extent);
                    let got = axis.slice_axis(0, slice);
                    match (&got, &expected) {
                        (Ok(layout), Some(kept)) => {
                            let places: Vec<usize> = (0..layout.len())
                                .map(|k| layout.locate(0, &[k], |_, _| 0).unwrap().1 as usize)
                                .collect();
                            assert_eq!(places, *kept, "{slice:?} of {extent}");
                        }
                        (Err(_), None) => {}
                        _ => panic!("{slice:?} of {extent}: {got:?}, {expected:?}"),
                    }
                    cases += 1;
                }
            }
        }
    }
    println!("{cases} slices");
    assert_eq!(cases, 7 * 18 * 18 * 18);
}
