//! The passes that turn two layouts into a plan, in the order in which they run. Each does one thing to an array of
//! loops and is tested on literal arrays.

use extbuf_layout::{Layout, Overlap};

use super::list::List;
use super::{Kernel, Loop, Loops, Split};
use crate::error::{CopyError, CopyErrorKind};

/// Bytes of a part. Large enough that handing a part to another thread (10 to 30 microseconds from a sleeping pool)
/// costs little beside it, small enough that parts outnumber threads where threads pay.
const PART_BYTES: usize = 1 << 20;

/// Bytes of a part that is walked in tiles: strips of tiles need room along both loops.
const TILED_PART_BYTES: usize = 4 << 20;

/// Bytes of a stretch, on its dense side, of the chains of a transpose that is cut.
const SHORTEST_STRETCH: usize = 2048;

/// No more parts than this, however long the copy: enough for a progress bar and for uneven threads.
const MAX_PARTS: usize = 1024;

/// The sizes that move through a register; every other unit is a block copy.
pub(crate) const ITEM_SIZES: [usize; 12] = [1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 24, 32];

/// Steps of a load loop taken together at most: items of 1 byte that fill a cache line.
pub(crate) const MOST_TOGETHER: usize = 64;

/// Two innermost loops that hold fewer items than this are too short for a kernel of their own.
const SHORT: usize = 32;

/// Items from which on a table is made: for fewer it takes longer than moving them.
const TABLED: usize = 1024;

/// Entries of a table at most: 256 lets items of 4 bytes fill a cache line on both sides.
pub(crate) const MOST_TABLED: usize = 256;

/// Values tried before a destination that is not nested is taken to overlap itself.
const OVERLAP_WORK: usize = 10_000;

/// Shapes and item sizes agree, and no two indices of the destination name the same byte.
pub(crate) fn check(dst: &Layout, src: &Layout) -> Result<(), CopyError> {
    if dst.ndim() != src.ndim() {
        return Err(CopyErrorKind::Ndim { dst: dst.ndim(), src: src.ndim() }.into());
    }
    for (axis, (&d, &s)) in dst.shape().iter().zip(src.shape()).enumerate() {
        if d != s {
            return Err(CopyErrorKind::Shape { axis, dst: d, src: s }.into());
        }
    }
    if dst.itemsize() != src.itemsize() {
        return Err(CopyErrorKind::Itemsize { dst: dst.itemsize(), src: src.itemsize() }.into());
    }
    if dst.nbytes() == 0 {
        return Ok(());
    }
    match steps_over(dst) {
        // Two indices may select one stored pointer, as sliding windows over a table of rows do.
        Ok(()) if !dst.is_direct() && dst.self_overlap(OVERLAP_WORK) != Overlap::No => {
            let axis = (0..dst.ndim()).find(|&axis| moves_a_load(dst, axis)).unwrap_or(0);
            Err(CopyErrorKind::SharedPointer { axis }.into())
        }
        // Not nested, as a slice of a diagonal is not: then by number, for as long as it does not take long.
        Err(_) if dst.self_overlap(OVERLAP_WORK) == Overlap::No => Ok(()),
        answer => answer,
    }
}

/// Within one block, taken from the smallest stride to the largest, each stride steps over all that lies inside it.
/// Sufficient, and true of everything that slicing, permuting and reversing make of a dense block. An axis that
/// selects a stored pointer is left out: that pointers stored at different places lead to different bytes is the
/// contract of the view, and that different indices select different places is asked in `check`.
pub(crate) fn steps_over(dst: &Layout) -> Result<(), CopyError> {
    let last = dst.levels() - 1;
    let strides = dst.strides(last);
    let mut axes: List<usize, 8> = List::new();
    for (axis, &extent) in dst.shape().iter().enumerate() {
        if extent > 1 && (last == 0 || !moves_a_load(dst, axis)) {
            axes.push(axis);
        }
    }
    // By hand: a handful of axes, mostly from the largest to the smallest.
    axes.reverse();
    for i in 1..axes.len() {
        let mut k = i;
        while k > 0 && strides[axes[k - 1]].unsigned_abs() > strides[axes[k]].unsigned_abs() {
            axes.swap(k - 1, k);
            k -= 1;
        }
    }
    let mut span = dst.itemsize();
    for &axis in axes.iter() {
        let stride = strides[axis].unsigned_abs();
        if stride < span {
            return Err(CopyErrorKind::Overlap { axis, stride: strides[axis], span }.into());
        }
        // Fits: the span is part of the extent of the level (L3).
        span += stride * (dst.shape()[axis] - 1);
    }
    Ok(())
}

/// True where the axis moves a place at which a pointer is read: a stride before the last level.
fn moves_a_load(layout: &Layout, axis: usize) -> bool {
    (0..layout.levels() - 1).any(|level| layout.strides(level)[axis] != 0)
}

/// Drops axes of extent 1; an axis that moves a load on either side becomes a load loop, ordered as the destination
/// lies; every other axis becomes a direct loop, in the order of the axes. Those are added to a list in its place, since
/// moving one costs more than most passes.
#[inline]
pub(crate) fn split_at_loads(dst: &Layout, src: &Layout, loops: &mut Loops) -> List<usize, 8> {
    let mut load_axes = List::<usize, 8>::new();
    let (d, s) = (dst.strides(dst.levels() - 1), src.strides(src.levels() - 1));
    let direct = dst.is_direct() && src.is_direct();
    for (axis, &extent) in dst.shape().iter().enumerate() {
        if extent == 1 {
            continue;
        }
        if !direct && (moves_a_load(dst, axis) || moves_a_load(src, axis)) {
            load_axes.push(axis);
        } else {
            loops.push(Loop { extent, dst: d[axis], src: s[axis] });
        }
    }
    if direct {
        return load_axes;
    }
    // What is reached first and strides furthest in the destination goes outermost.
    let reach = |axis: usize| {
        (0..dst.levels())
            .map(|level| (level, dst.strides(level)[axis].unsigned_abs()))
            .find(|&(_, stride)| stride != 0)
            .map_or((usize::MAX, 0), |(level, stride)| (level, usize::MAX - stride))
    };
    load_axes.sort_by_key(|&axis| reach(axis));
    load_axes
}

/// Turns loops round so that the destination walks upwards. Answers with the bytes by which both starts move.
pub(crate) fn orient(loops: &mut [Loop]) -> (isize, isize) {
    flip(loops, |l| l.dst < 0)
}

/// Turns every loop round: the same places, last one first.
pub(crate) fn reverse(loops: &mut [Loop]) -> (isize, isize) {
    flip(loops, |_| true)
}

fn flip(loops: &mut [Loop], which: impl Fn(&Loop) -> bool) -> (isize, isize) {
    let (mut dst, mut src) = (0isize, 0isize);
    for l in loops.iter_mut().filter(|l| which(l)) {
        // Inside L3: where the loop ends is where some index lies. Sums over loops may pass outside and come back.
        let steps = l.extent as isize - 1;
        dst = dst.wrapping_add(l.dst.wrapping_mul(steps));
        src = src.wrapping_add(l.src.wrapping_mul(steps));
        (l.dst, l.src) = (l.dst.wrapping_neg(), l.src.wrapping_neg());
    }
    (dst, src)
}

/// The largest destination stride outermost; among equals (they cannot be in a checked destination) the source's.
pub(crate) fn sort(loops: &mut [Loop]) {
    // By hand, and stable: a handful of loops, mostly in order already.
    for i in 1..loops.len() {
        let mut k = i;
        while k > 0 && loops[k - 1].dst.unsigned_abs() < loops[k].dst.unsigned_abs() {
            loops.swap(k - 1, k);
            k -= 1;
        }
    }
}

/// Joins a loop and the one inside it where a step of the outer goes on where the inner ends, on both sides.
pub(crate) fn fuse(loops: &mut Loops) {
    let mut kept = 0;
    for next in 1..loops.len() {
        let (outer, inner) = (loops[kept], loops[next]);
        let joins = |o: isize, i: isize| i.checked_mul(inner.extent as isize) == Some(o);
        if joins(outer.dst, inner.dst) && joins(outer.src, inner.src) {
            loops[kept] = Loop { extent: outer.extent * inner.extent, ..inner };
        } else {
            kept += 1;
            loops[kept] = inner;
        }
    }
    loops.truncate(kept + 1);
}

/// An innermost loop that is dense on both sides is no loop: its items are moved as one unit.
pub(crate) fn absorb(loops: &mut Loops, unit: usize) -> usize {
    match loops.last() {
        Some(l) if l.dst == unit as isize && l.src == unit as isize => {
            let unit = unit * l.extent;
            loops.truncate(loops.len() - 1);
            unit
        }
        _ => unit,
    }
}

/// Chooses the kernel for the innermost loops and says how many are the kernel's. For a transpose without chains it first
/// brings the loop along which the source runs next to the innermost; for a table, several such.
pub(crate) fn choose_kernel(loops: &mut [Loop], unit: usize) -> (Kernel, usize) {
    let last = loops.len().wrapping_sub(1);
    if loops.is_empty() || !ITEM_SIZES.contains(&unit) {
        bring_near(loops, unit);
        return (Kernel::Run, 2);
    }
    let size = |loops: &[Loop]| loops.iter().fold(1usize, |n, l| n.saturating_mul(l.extent));
    if loops.len() > 2 && size(&loops[last - 1..]) < SHORT && size(loops) >= TABLED {
        return (Kernel::Table, gather(loops, unit));
    }
    if loops[last].src == 0 {
        return (Kernel::Fill, 2);
    }
    match runs_along(&loops[..last]) {
        Some(i)
            if loops[i].src.unsigned_abs() < loops[last].src.unsigned_abs()
                && (loops.len() == 2 || loops[i].extent * loops[last].extent >= SHORT) =>
        {
            loops[i..last].rotate_left(1);
            (Kernel::Transpose, 2)
        }
        _ => (Kernel::Items, 2),
    }
}

/// Runs of this length read as much of a page at once as there is to gain.
const LONG_RUN: usize = 2048;

/// Brings the loop along which the source goes on where a short run ends next to the innermost: the next run then reads
/// what lies beside this one while the page is known, and the destination is still written onwards along the innermost. A
/// permutation of six axes of 4-byte items with runs of 64 bytes took 0.25 of the speed of `memcpy` in the order of the
/// destination, 0.80 so, and 0.47 with that loop innermost; with runs of 192 bytes 0.64, 0.95 and 0.93. Not where the
/// innermost loop is short: its ends may be parts of lines, which cost more than that gains.
fn bring_near(loops: &mut [Loop], unit: usize) {
    if let [outer @ .., last] = loops
        && unit <= LONG_RUN
        && last.extent * unit >= LONG_RUN
        && let Some(k) = outer.iter().position(|l| l.src.unsigned_abs() == unit)
    {
        outer[k..].rotate_left(1);
    }
}

/// The loop along which the source takes its smallest steps.
fn runs_along(loops: &[Loop]) -> Option<usize> {
    (0..loops.len()).filter(|&i| loops[i].src != 0).min_by_key(|&i| loops[i].src.unsigned_abs())
}

/// Brings together, innermost, the loops along which the destination runs and those along which the source runs, until
/// both fill a cache line with each, as far as a table holds them. Answers with their number.
fn gather(loops: &mut [Loop], unit: usize) -> usize {
    let line = (64 / unit).max(4);
    let (mut rest, mut items) = (loops.len(), 1);
    let (mut dst_items, mut src_items) = (1, 1);
    while rest > 0 {
        // By turns: whichever side has less of its line.
        let next =
            if dst_items <= src_items { rest - 1 } else { runs_along(&loops[..rest]).unwrap_or(rest - 1) };
        let extent = loops[next].extent;
        if (dst_items >= line && src_items >= line) || items * extent > MOST_TABLED {
            break;
        }
        let side = if dst_items <= src_items { &mut dst_items } else { &mut src_items };
        *side *= extent;
        items *= extent;
        rest -= 1;
        loops[next..=rest].rotate_left(1);
    }
    // Within the table, as the destination lies.
    sort(&mut loops[rest..]);
    loops.len() - rest
}

/// How many steps of a load loop are taken together: as many items as fill a cache line, where a step of that loop in
/// the destination is shorter than one of the innermost direct loop.
pub(crate) fn take_together(step: isize, loops: &[Loop], unit: usize, kernel: Kernel) -> usize {
    match loops.last() {
        Some(innermost)
            if kernel != Kernel::Table && step != 0 && step.unsigned_abs() < innermost.dst.unsigned_abs() =>
        {
            // Rows that become columns: as many as there is room for.
            let dense = innermost.src == unit as isize && step == unit as isize;
            let turned = loops.len() == 1 && dense && ITEM_SIZES.contains(&unit);
            if turned { MOST_TOGETHER } else { (64 / unit).clamp(1, MOST_TOGETHER) }
        }
        _ => 1,
    }
}

/// How many parts a copy of so many bytes is worth.
pub(crate) fn parts_for(bytes: usize, kernel: Kernel) -> usize {
    let large = if kernel == Kernel::Transpose { TILED_PART_BYTES } else { PART_BYTES };
    // Even where parts should be large, a few for a few threads.
    (bytes / large).max((bytes / PART_BYTES).min(4)).clamp(1, MAX_PARTS)
}

/// The outermost loop that can be cut into the wanted number of parts, else the one that comes nearest. Tiles are not
/// cut through, nor cache lines of a long run.
///
/// Of a chain along which tiles are laid only the outermost loop can be cut, since the others would leave gaps, and only
/// into stretches that are still long: 8192 x 8192 items of 4 bytes cut into stretches of 1 KiB took 1.4 times as long as
/// whole. A loop around the chains is cut rather, if it gives half as many parts.
pub(crate) fn choose_split(
    outer: &[usize],
    loops: &[Loop],
    unit: usize,
    (kernel, inner, tall): (Kernel, usize, usize),
    wanted: usize,
) -> (Split, usize, usize) {
    let mut best = (Split::Whole, 1, 1);
    if wanted <= 1 {
        return best;
    }
    let line = (64 / unit).max(1);
    let tiled = loops.len().saturating_sub(if kernel == Kernel::Transpose { inner } else { 0 });
    let load = outer.iter().enumerate().map(|(i, &extent)| (Split::Load(i), 1, extent));
    let direct = loops.iter().enumerate().filter_map(|(i, l)| {
        let grain = if i < tiled {
            1
        } else if tall == 0 {
            line
        } else if i == tiled || i == tiled + tall {
            let each: usize = if i == tiled { &loops[i + 1..tiled + tall] } else { &loops[i + 1..] }
                .iter()
                .map(|l| l.extent)
                .product();
            let grain = (SHORTEST_STRETCH / unit).div_ceil(each);
            if each == 1 { grain.next_multiple_of(line) } else { grain }
        } else {
            return None;
        };
        Some((Split::Loop(i), grain, l.extent))
    });
    for (split, grain, extent) in load.chain(direct).chain([(Split::Unit, 64, unit)]) {
        let chained = matches!(split, Split::Loop(i) if tall > 0 && i >= tiled);
        if chained && best.2 * 2 >= wanted {
            break;
        }
        // Parts of equal size, rounded up to the grain: no part is empty.
        let step = extent.div_ceil(wanted).next_multiple_of(grain);
        let parts = extent.div_ceil(step);
        if parts > best.2 {
            best = (split, grain, parts);
        }
        if parts * 4 >= wanted * 3 {
            break;
        }
    }
    best
}
