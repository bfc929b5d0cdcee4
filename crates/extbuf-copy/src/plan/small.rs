//! The plan of a copy so small that planning it, or choosing how to run it, is most of the work.
//!
//! A kilobyte at most of items, or some more of rows, in three loops at most: then one function does all of it, and the
//! plan holds its address. It comes from two sides. A [`Plan`] that is made finds out at its end that it is so small. A
//! one-shot copy of three axes at most and a kilobyte makes no plan at all: the same passes, on three loops instead of a list,
//! for sides that lie apart. Whatever is not plain in this sense, errors too, is left to the real one.

use extbuf_layout::Layout;

use super::passes::ITEM_SIZES;
use super::{Kernel, Loop, Plan};
use crate::kernel::small::{self, Around};
use crate::kernel::{Level, ONCE, Whole};

/// Bytes of a small copy, at most.
const SMALL: usize = 1 << 10;

/// Rows of no more bytes than this need no more ceremony: they lie in a cache, and there is nothing to prepare.
const SMALL_ROWS: usize = 256 << 10;

/// Axes of a copy without a plan, at most.
const AXES: usize = 3;

/// A small copy, decided.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Small {
    /// What does all of it.
    pub(crate) whole: Whole,
    /// From the bases to where the loops begin.
    dst: isize,
    src: isize,
    /// From where a stored pointer leads to where the row begins.
    pub(crate) behind: isize,
    pub(crate) unit: usize,
    pub(crate) kernel: Kernel,
    /// Outermost first; loops of one step before them where there are fewer.
    pub(crate) loops: [Loop; AXES],
}

impl Small {
    /// For a whole plan, where it is small. The plan then holds its permutation, if there is one.
    pub(super) fn of(plan: &mut Plan) -> Option<Small> {
        if plan.bytes == 0 || plan.parts != 1 || plan.streams || plan.kernel == Kernel::Move {
            return None;
        }
        let most = if plan.kernel == Kernel::Run { SMALL_ROWS } else { SMALL };
        if plan.bytes > most {
            return None;
        }
        let (dst, src) = (plan.dst.offset(0), plan.src.offset(0));
        let mut found = Small { dst, src, unit: plan.unit, kernel: plan.kernel, ..Small::NOTHING };
        match (plan.dst.levels(), plan.src.levels(), &plan.outer[..]) {
            (1, 1, []) => {}
            // Rows behind pointers.
            (1, 2, &[extent]) if plan.kernel == Kernel::Run && plan.loops.is_empty() => {
                let [dst, table, in_row] =
                    [plan.dst.strides(0)[0], plan.src.strides(0)[0], plan.src.strides(1)[0]];
                found.loops[AXES - 1] = Loop { extent, dst, src: table };
                found.behind = plan.src.offset(1);
                found.whole = small::runs(plan.level, plan.unit, Around::Pointers);
                return (in_row == 0).then_some(found);
            }
            _ => return None,
        }
        #[cfg(target_arch = "x86_64")]
        if plan.kernel != Kernel::Run
            && let Some(whole) = plan.pattern.find(plan.level, plan.unit, &plan.loops)
        {
            return Some(Small { whole, ..found });
        }
        if plan.loops.len() > AXES || matches!(plan.kernel, Kernel::Table | Kernel::Weave) {
            return None;
        }
        found.loops[AXES - plan.loops.len()..].copy_from_slice(&plan.loops);
        // In chains of loops it is the same equation.
        if plan.kernel == Kernel::Transpose && plan.inner > 2 {
            found.kernel = Kernel::Items;
        }
        found.choose(plan.level, plan.loops.len());
        Some(found)
    }

    const NOTHING: Small = Small {
        whole: small::NOTHING,
        dst: 0,
        src: 0,
        behind: 0,
        unit: 0,
        kernel: Kernel::Run,
        loops: [ONCE; AXES],
    };

    /// Chooses the function for so many loops.
    fn choose(&mut self, level: Level, count: usize) {
        let [_, i, j] = self.loops;
        self.whole = match self.kernel {
            Kernel::Run => {
                let around = match count {
                    0 => Around::None,
                    1 => Around::One,
                    _ => Around::Many,
                };
                small::runs(level, self.unit, around)
            }
            _ => small::items(level, self.kernel, self.unit, i, j),
        };
    }

    /// Where the loops begin, from the bases.
    #[inline(always)]
    pub(crate) fn begin(&self, dst_base: *mut u8, src_base: *const u8) -> (*mut u8, *const u8) {
        (dst_base.wrapping_offset(self.dst), src_base.wrapping_offset(self.src))
    }
}

/// A small copy between two layouts, without a plan.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OneShot {
    pub(crate) small: Small,
    pub(crate) bytes: usize,
    /// Bytes from lowest to highest on either side, counted from where the loops begin.
    dst_hull: (isize, isize),
    src_hull: (isize, isize),
}

impl OneShot {
    /// `None` where a real plan should look at it.
    #[inline]
    pub(crate) fn new(dst: &Layout, src: &Layout, level: Level) -> Option<OneShot> {
        let (shape, unit) = (dst.shape(), dst.itemsize());
        if shape.len() > AXES
            || shape != src.shape()
            || unit != src.itemsize()
            || unit == 0
            || unit > SMALL
            || shape.contains(&0)
            || dst.levels() + src.levels() > 2
        {
            return None;
        }
        let (d, s) = (dst.strides(0), src.strides(0));
        let mut small = Small { dst: dst.offset(0), src: src.offset(0), ..Small::NOTHING };
        let (mut bytes, mut count, mut loops) = (unit, 0, [ONCE; AXES]);
        let (mut dst_high, mut src_hull) = (unit as isize, (0, unit as isize));
        for axis in 0..shape.len() {
            let mut l = Loop { extent: shape[axis], dst: d[axis], src: s[axis] };
            if l.extent == 1 {
                continue;
            }
            bytes = bytes.saturating_mul(l.extent);
            if bytes > SMALL {
                return None;
            }
            // No more than 1024 steps, whose ends are places of items: inside L3.
            let steps = l.extent as isize - 1;
            if l.dst < 0 {
                (small.dst, small.src) = (small.dst + l.dst * steps, small.src + l.src * steps);
                (l.dst, l.src) = (-l.dst, l.src.wrapping_neg());
            }
            dst_high += l.dst * steps;
            let reach = l.src.wrapping_mul(steps);
            src_hull = (src_hull.0 + reach.min(0), src_hull.1 + reach.max(0));
            // The largest stride of the destination outermost.
            let mut at = count;
            while at > 0 && loops[at - 1].dst < l.dst {
                loops[at] = loops[at - 1];
                at -= 1;
            }
            loops[at] = l;
            count += 1;
        }
        // Each stride steps over all that lies inside it: no two items of the destination share a byte.
        let mut span = unit;
        for l in loops[..count].iter().rev() {
            if (l.dst as usize) < span {
                return None;
            }
            span += l.dst as usize * (l.extent - 1);
        }
        // Neighbours that are one loop are joined.
        let mut kept = 0;
        for next in 1..count {
            let (outer, inner) = (loops[kept], loops[next]);
            let n = inner.extent as isize;
            if outer.dst == inner.dst * n && outer.src == inner.src.wrapping_mul(n) {
                loops[kept] = Loop { extent: outer.extent * inner.extent, ..inner };
            } else {
                kept += 1;
                loops[kept] = inner;
            }
        }
        count = count.min(kept + 1);
        small.unit = unit;
        if count > 0 && loops[count - 1].dst == unit as isize && loops[count - 1].src == unit as isize {
            small.unit = unit * loops[count - 1].extent;
            count -= 1;
        }
        small.loops = match count {
            0 => [ONCE; AXES],
            1 => [ONCE, ONCE, loops[0]],
            2 => [ONCE, loops[0], loops[1]],
            _ => loops,
        };
        let [_, outer, inner] = small.loops;
        small.kernel = if count == 0 || !ITEM_SIZES.contains(&small.unit) {
            Kernel::Run
        } else if inner.src == 0 {
            Kernel::Fill
        } else if count > 1 && outer.src != 0 && outer.src.unsigned_abs() < inner.src.unsigned_abs() {
            Kernel::Transpose
        } else {
            Kernel::Items
        };
        small.choose(level, count);
        Some(OneShot { small, bytes, dst_hull: (0, dst_high), src_hull })
    }

    /// Whether the bytes of the two sides lie apart, seen from these bases.
    #[inline]
    pub(crate) fn apart(&self, dst_base: usize, src_base: usize) -> bool {
        let hull = |base: usize, offset: isize, (low, high): (isize, isize)| {
            let start = base.wrapping_add_signed(offset);
            (start.wrapping_add_signed(low), start.wrapping_add_signed(high))
        };
        let (dst_low, dst_high) = hull(dst_base, self.small.dst, self.dst_hull);
        let (src_low, src_high) = hull(src_base, self.small.src, self.src_hull);
        dst_high <= src_low || src_high <= dst_low
    }
}

#[cfg(test)]
mod tests {
    use extbuf_layout::{Layout, Order};

    use super::OneShot;
    use crate::kernel::{Level, ONCE};
    use crate::plan::{Kernel, Loop, Plan};

    #[test]
    fn the_loops_of_a_small_copy_are_those_of_its_plan() {
        let strides: [isize; 9] = [-64, -16, -8, -4, 0, 4, 8, 20, 64];
        let mut small = 0;
        for itemsize in [1, 4] {
            for shape in [[1, 1, 1], [1, 4, 1], [2, 1, 3], [1, 8, 8], [2, 3, 4]] {
                for d in strides.map(|a| strides.map(|b| [-192, a, b])).as_flattened() {
                    for s in strides.map(|a| strides.map(|b| [a, b, 256])).as_flattened() {
                        let dst = Layout::strided(itemsize, &shape, d, 1000).unwrap();
                        let src = Layout::strided(itemsize, &shape, s, 2000).unwrap();
                        let Some(found) = OneShot::new(&dst, &src, Level::Portable) else { continue };
                        small += 1;
                        let OneShot { small: found, bytes, .. } = found;
                        let plan = Plan::new(&dst, &src).unwrap().at_level(Level::Portable);
                        if plan.kernel() == Kernel::Transpose {
                            continue; // which turns loops round as the source lies
                        }
                        let loops: Vec<Loop> = found.loops.into_iter().filter(|&l| l != ONCE).collect();
                        assert_eq!((found.unit, bytes), (plan.unit(), plan.bytes()), "{plan}");
                        assert_eq!(loops, plan.loops(), "{plan}");
                        assert_eq!(
                            (found.dst, found.src),
                            (plan.dst.offset(0), plan.src.offset(0)),
                            "{plan}"
                        );
                        if loops.len() < 2 {
                            assert_eq!(found.kernel, plan.kernel(), "{plan}");
                        }
                    }
                }
            }
        }
        assert!(small > 5000, "only {small}");
    }

    #[test]
    fn what_is_not_plain_is_left_to_the_plan() {
        let dense = |shape: &[usize]| Layout::contiguous(4, shape, Order::C).unwrap();
        let is = |dst: &Layout, src: &Layout| OneShot::new(dst, src, Level::Portable).is_some();
        assert!(is(&dense(&[8, 8]), &dense(&[8, 8])) && is(&dense(&[]), &dense(&[])));
        assert!(!is(&dense(&[300]), &dense(&[300])), "too large");
        assert!(!is(&dense(&[2, 2, 2, 2]), &dense(&[2, 2, 2, 2])), "four axes");
        assert!(!is(&dense(&[4]), &dense(&[5])) && !is(&dense(&[0]), &dense(&[0])), "shapes");
        let twice = Layout::strided(4, &[2, 3], &[4, 4], 0).unwrap();
        assert!(!is(&twice, &dense(&[2, 3])), "overlaps itself");
        let small = OneShot::new(&dense(&[8, 8]), &dense(&[8, 8]), Level::Portable).unwrap();
        assert_eq!((small.small.kernel, small.small.unit), (Kernel::Run, 256));
        assert!(small.apart(0, 256) && small.apart(256, 0) && !small.apart(0, 255) && !small.apart(255, 0));
    }
}
