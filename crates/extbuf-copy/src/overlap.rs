//! Whether the two sides of a copy share bytes, and what to do about it, decided before any byte is written.
//!
//! The promise of every copy is "as if the source were read first". Where both sides lie apart it costs nothing. Where
//! they overlap there are three ways to keep it:
//!
//! - equal strides on both sides (`a[1:] <- a[:-1]`): the sides are shifted against each other. Going through the items
//!   in ascending order of address, if the destination lies below, or in descending order, if it lies above, reads each
//!   item before it is written over, as `memmove` does;
//! - the very same places: nothing to do;
//! - anything else (a matrix onto its own transpose): through scratch memory of the size of the copy.
//!
//! Direct layouts are compared by number: first the bytes from lowest to highest, then whether any two items meet, which
//! tells interleaved sides (`a[::2] <- a[1::2]`) apart. That is a hard problem in general; where a bounded search does
//! not settle it, overlap is assumed. Layouts with loads are compared by following their pointers: the lowest and the highest byte behind them,
//! then, if need be, all stretches in order of address. A stored pointer of the source counts as a byte that is read.

// Follows the stored pointers of both sides.
#![allow(unsafe_code)]

use std::ops::Range;

use extbuf_layout::{Layout, Order, POINTER_BYTES};

use crate::execute::reach as follow;
use crate::kernel::Level;
use crate::plan::{Loop, Plan, steps_over};

/// How the bytes of source and destination lie to each other, and so how they were copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Overlap {
    /// Apart: copied in any order.
    None,
    /// The same places: nothing was copied.
    Same,
    /// The destination lies below: copied in ascending order, on one thread.
    Forward,
    /// The destination lies above: copied in descending order, on one thread.
    Backward,
    /// Copied to scratch memory of the same size, and from there.
    Staged,
}

/// Values tried in finding out whether two direct layouts meet.
const MOST_TRIED: usize = 1000;

/// Stretches of memory sorted and compared one by one, at most; beyond, overlapping ends mean staging.
const MOST_STRETCHES: usize = 1 << 20;

/// Decides for two views that may be of one block.
///
/// # Safety
///
/// Every pointer stored on the way of either side is valid.
pub(crate) unsafe fn decide(
    plan: &Plan,
    (dst, dst_base): (&Layout, *mut u8),
    (src, src_base): (&Layout, *const u8),
) -> Overlap {
    if plan.bytes() == 0 {
        Overlap::None
    } else if dst.is_direct() && src.is_direct() {
        direct((dst, dst_base.addr()), (src, src_base.addr()))
    } else {
        // SAFETY: the caller's contract.
        unsafe { indirect(plan, dst_base, src_base) }
    }
}

/// True where no byte that the one reaches as part of an item is read by way of the other, as part of an item or of a
/// stored pointer. For two layouts whose items need not be of one size; from lowest to highest byte, so that two sides
/// that are interleaved are not apart.
///
/// # Safety
///
/// Every pointer stored on the way of either side is valid.
pub(crate) unsafe fn apart(
    (dst, dst_base): (&Layout, *mut u8),
    (src, src_base): (&Layout, *const u8),
) -> bool {
    if dst.nbytes() == 0 || src.nbytes() == 0 {
        return true;
    }
    // SAFETY: the caller's contract.
    let (written, _) = unsafe { hull(dst, dst_base) };
    // SAFETY: the caller's contract.
    let (read, tables) = unsafe { hull(src, src_base.cast_mut()) };
    !meet(&written, &read) && !meet(&written, &tables)
}

/// The addresses from the lowest to the highest byte of all items, and the same of all stored pointers.
///
/// # Safety
///
/// Every pointer stored on the way is valid.
unsafe fn hull(layout: &Layout, base: *mut u8) -> (Range<usize>, Range<usize>) {
    let nothing = Range { start: usize::MAX, end: 0 };
    let grow = |hull: &mut Range<usize>, at: Range<usize>| {
        *hull = hull.start.min(at.start)..hull.end.max(at.end);
    };
    let (mut items, mut tables) = (nothing.clone(), nothing);
    if layout.is_direct() {
        let extent = layout.extent(0);
        let at = |offset: isize| base.addr().wrapping_add_signed(offset);
        return (at(extent.start)..at(extent.end), tables);
    }
    let Ok(dense) = Layout::contiguous(layout.itemsize(), layout.shape(), Order::C) else {
        // More items than an address has room for, which repeat: anywhere.
        return (0..usize::MAX, 0..usize::MAX);
    };
    let plan = Plan::of_checked(&dense, layout, Level::Portable);
    let (low, high) = reach(&plan, |l| l.src);
    plan.walk_loads(base, base, plan.all_loads(), |_, src| {
        let met = |table: *mut u8| grow(&mut tables, table.addr()..table.addr() + POINTER_BYTES);
        // SAFETY: the caller's contract.
        let at = unsafe { src.follow(met) };
        grow(&mut items, at.wrapping_offset(low).addr()..at.wrapping_offset(high).addr());
    });
    (items, tables)
}

/// The bytes from the first of what the direct loops of a plan start at, to the lowest and behind the highest.
fn reach(plan: &Plan, side: fn(&Loop) -> isize) -> (isize, isize) {
    plan.loops().iter().fold((0isize, plan.unit() as isize), |(low, high), l| {
        let step = side(l) * (l.extent as isize - 1);
        (low + step.min(0), high + step.max(0))
    })
}

/// Direct layouts, by number.
fn direct((dst, dst_base): (&Layout, usize), (src, src_base): (&Layout, usize)) -> Overlap {
    let at = |base: usize, extent: Range<isize>| {
        base.wrapping_add_signed(extent.start)..base.wrapping_add_signed(extent.end)
    };
    if !meet(&at(dst_base, dst.extent(0)), &at(src_base, src.extent(0))) {
        return Overlap::None;
    }
    let first = |base: usize, layout: &Layout| base.wrapping_add_signed(layout.offset(0));
    let shift = first(dst_base, dst).wrapping_sub(first(src_base, src)) as isize;
    let axes = || (0..dst.ndim()).filter(|&axis| dst.shape()[axis] > 1);
    // The source as counted from the base of the destination.
    let moved = src_base.wrapping_sub(dst_base) as isize;
    let moved = src
        .offset(0)
        .checked_add(moved)
        .map(|o| Layout::strided(src.itemsize(), src.shape(), src.strides(0), o));
    match moved {
        Some(Ok(src)) if dst.overlap(&src, MOST_TRIED) == extbuf_layout::Overlap::No => return Overlap::None,
        _ => {}
    }
    if axes().all(|axis| dst.strides(0)[axis] == src.strides(0)[axis]) {
        // Where the strides are nested, ascending addresses are ascending loops.
        match shift {
            0 => return Overlap::Same,
            _ if steps_over(dst).is_err() => {}
            ..0 => return Overlap::Forward,
            1.. => return Overlap::Backward,
        }
    }
    Overlap::Staged
}

/// Layouts with loads, by following them.
///
/// # Safety
///
/// Every pointer stored on the way of either side is valid.
unsafe fn indirect(plan: &Plan, dst_base: *mut u8, src_base: *const u8) -> Overlap {
    // SAFETY: the caller's contract.
    if unsafe { rows_apart(plan, dst_base, src_base) } {
        return Overlap::None;
    }
    let (dst_reach, src_reach) = (reach(plan, |l| l.dst), reach(plan, |l| l.src));
    let stretch = |at: *mut u8, (low, high): (isize, isize)| {
        at.wrapping_offset(low).addr()..at.wrapping_offset(high).addr()
    };
    // Tells `see` every stretch of bytes, and whether it is written.
    let walk = |see: &mut dyn FnMut(Range<usize>, bool)| {
        plan.walk_loads(dst_base, src_base.cast_mut(), plan.all_loads(), |dst, src| {
            // SAFETY: the caller's contract.
            let to = unsafe { dst.follow(|_| ()) };
            see(stretch(to, dst_reach), true);
            // SAFETY: the caller's contract.
            let from = unsafe { src.follow(|table| see(stretch(table, (0, POINTER_BYTES as isize)), false)) };
            see(stretch(from, src_reach), false);
        });
    };
    let nothing = Range { start: usize::MAX, end: 0 };
    let (mut written, mut read, mut count) = (nothing.clone(), nothing, 0usize);
    walk(&mut |bytes, writes| {
        let hull = if writes { &mut written } else { &mut read };
        *hull = hull.start.min(bytes.start)..hull.end.max(bytes.end);
        count += 1;
    });
    if !meet(&written, &read) {
        return Overlap::None;
    }
    let mut stretches: Vec<(usize, usize, bool)> = Vec::new();
    if count > MOST_STRETCHES || stretches.try_reserve_exact(count).is_err() {
        return Overlap::Staged;
    }
    walk(&mut |bytes, writes| stretches.push((bytes.start, bytes.end, writes)));
    stretches.sort_unstable();
    // In order of their starts: a stretch meets one of the other kind if it begins before the furthest end of those.
    let (mut written, mut read) = (0, 0);
    for (start, end, writes) in stretches {
        let (own, other) = if writes { (&mut written, read) } else { (&mut read, written) };
        if start < other {
            return Overlap::Staged;
        }
        *own = end.max(*own);
    }
    Overlap::None
}

/// Whether a copy out of a table of rows into one block is seen at the first look to keep clear of itself: only the
/// lowest and the highest of the pointers count, and of the places that lie evenly the first and the last.
///
/// # Safety
///
/// Every pointer stored on the way of either side is valid.
unsafe fn rows_apart(plan: &Plan, dst_base: *mut u8, src_base: *const u8) -> bool {
    let &[extent] = plan.load_loops() else { return false };
    let (&[dst], &[table, row]) = (&plan.dst.only()[..], &plan.src.only()[..]) else { return false };
    let ends = |base: usize, (offset, stride): (isize, isize), (low, high): (isize, isize)| {
        let first = base.wrapping_add_signed(offset);
        let last = first.wrapping_add_signed(stride.wrapping_mul(extent as isize - 1));
        first.min(last).wrapping_add_signed(low)..first.max(last).wrapping_add_signed(high)
    };
    let written = ends(dst_base.addr(), dst, reach(plan, |l| l.dst));
    let pointers = ends(src_base.addr(), table, (0, POINTER_BYTES as isize));
    if meet(&written, &pointers) || row.1 != 0 {
        return false;
    }
    let (mut lowest, mut highest) = (usize::MAX, 0);
    for k in 0..extent as isize {
        // SAFETY: P1: every pointer stored on the way is valid.
        let at = unsafe { follow(&[table, row], src_base.cast_mut(), k) }.addr();
        (lowest, highest) = (lowest.min(at), highest.max(at));
    }
    let (low, high) = reach(plan, |l| l.src);
    !meet(&written, &(lowest.wrapping_add_signed(low)..highest.wrapping_add_signed(high)))
}

fn meet(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start < b.end && b.start < a.end
}

#[cfg(test)]
mod tests {
    use super::{Overlap, decide, direct, rows_apart};
    use crate::plan::Plan;
    use extbuf_layout::{Layout, LayoutSpec, LevelSpec, Order};

    /// Shape, then offset and strides of destination and source in one block of bytes.
    #[track_caller]
    fn decided(itemsize: usize, shape: &[usize], dst: (isize, &[isize]), src: (isize, &[isize])) -> Overlap {
        let layout = |(offset, strides)| Layout::strided(itemsize, shape, strides, offset).unwrap();
        direct((&layout(dst), 1000), (&layout(src), 1000))
    }

    #[test]
    fn shifted_sides_go_by_direction() {
        assert_eq!(decided(4, &[9], (0, &[4]), (4, &[4])), Overlap::Forward);
        assert_eq!(decided(4, &[9], (4, &[4]), (0, &[4])), Overlap::Backward);
        assert_eq!(decided(4, &[9], (0, &[4]), (0, &[4])), Overlap::Same);
        assert_eq!(decided(4, &[5, 9], (0, &[64, 4]), (68, &[64, 4])), Overlap::Forward);
        // Less than an item apart.
        assert_eq!(decided(4, &[9], (3, &[4]), (0, &[4])), Overlap::Backward);
    }

    #[test]
    fn apart_and_interleaved_sides_do_not_overlap() {
        assert_eq!(decided(4, &[9], (0, &[4]), (36, &[4])), Overlap::None);
        assert_eq!(decided(4, &[9], (0, &[8]), (4, &[8])), Overlap::None);
        assert_eq!(decided(4, &[9], (0, &[8]), (68, &[-8])), Overlap::None);
        assert_eq!(decided(4, &[9], (0, &[8]), (70, &[-8])), Overlap::Staged);
    }

    const POINTER: isize = size_of::<usize>() as isize;

    /// Rows of eight bytes inside a block, copied to a dense block that begins at `to` in the same.
    fn rows_decided(order: [usize; 3], to: usize) -> (Overlap, bool) {
        let mut block = [0u8; 128];
        let base = block.as_mut_ptr();
        let table = order.map(|row| base.wrapping_add(16 * row));
        let levels =
            [LevelSpec { offset: 0, strides: &[POINTER, 0] }, LevelSpec { offset: 2, strides: &[0, 1] }];
        let src = Layout::new(&LayoutSpec { itemsize: 1, shape: &[3, 8], levels: &levels }).unwrap();
        let dst = Layout::contiguous(1, &[3, 8], Order::C).unwrap();
        let plan = Plan::new(&dst, &src).unwrap();
        let (dst, src) = ((&dst, base.wrapping_add(to)), (&src, table.as_ptr().cast()));
        // SAFETY: the pointers of the table lead into the block.
        let decided = unsafe { decide(&plan, dst, src) };
        // SAFETY: as above.
        (decided, unsafe { rows_apart(&plan, dst.1, src.1) })
    }

    #[test]
    fn rows_behind_pointers_are_apart_by_their_ends_or_by_looking_at_each() {
        // The rows lie in bytes 2 to 42.
        assert_eq!(rows_decided([2, 0, 1], 42), (Overlap::None, true));
        assert_eq!(rows_decided([2, 0, 1], 41), (Overlap::Staged, false));
        assert_eq!(rows_decided([1, 0, 2], 2), (Overlap::Staged, false));
        // Between two rows there is room for nothing so long, but around all of them.
        assert_eq!(rows_decided([5, 1, 5], 30), (Overlap::None, false));
        // Over the table itself.
        let (table, levels) = ([0usize; 9], [(0isize, &[POINTER, 0]), (0, &[0, 1])]);
        let levels = levels.map(|(offset, strides)| LevelSpec { offset, strides });
        let src = Layout::new(&LayoutSpec { itemsize: 1, shape: &[3, 8], levels: &levels }).unwrap();
        let dst = Layout::contiguous(1, &[3, 8], Order::C).unwrap();
        let plan = Plan::new(&dst, &src).unwrap();
        let base = table.as_ptr().cast::<u8>();
        // SAFETY: nothing is read behind the pointers, which are only compared.
        assert!(!unsafe { rows_apart(&plan, base.cast_mut().wrapping_offset(3 * POINTER - 4), base) });
    }

    #[test]
    fn the_rest_is_staged() {
        assert_eq!(decided(1, &[4, 4], (0, &[4, 1]), (0, &[1, 4])), Overlap::Staged);
        assert_eq!(decided(2, &[8], (0, &[2]), (14, &[-2])), Overlap::Staged);
        assert_eq!(decided(2, &[8], (0, &[2]), (4, &[0])), Overlap::Staged);
    }
}
