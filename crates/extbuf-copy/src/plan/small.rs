//! The plan of a copy so small that planning it is most of the work.
//!
//! Two axes at most, no loads, a kilobyte at most: the same passes as for a [`Plan`](super::Plan), on two loops instead
//! of a list, for sides that lie apart. Whatever is not plain in this sense, errors too, is left to the real one.

use extbuf_layout::Layout;

use super::passes::ITEM_SIZES;
use super::{Kernel, Loop};

/// Bytes of a small copy, at most.
pub(crate) const SMALL: usize = 1 << 10;

/// A small copy, decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Small {
    pub(crate) bytes: usize,
    pub(crate) unit: usize,
    pub(crate) kernel: Kernel,
    /// The outer loop and the inner; one step where there is none.
    pub(crate) loops: [Loop; 2],
    /// From the bases to where the loops begin.
    pub(crate) dst: isize,
    pub(crate) src: isize,
    /// Bytes from lowest to highest on either side, counted from where the loops begin.
    dst_hull: (isize, isize),
    src_hull: (isize, isize),
}

impl Small {
    /// `None` where a real plan should look at it.
    #[inline]
    pub(crate) fn new(dst: &Layout, src: &Layout) -> Option<Small> {
        let (shape, unit) = (dst.shape(), dst.itemsize());
        if shape.len() > 2
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
        let mut small = Small {
            bytes: unit,
            unit,
            kernel: Kernel::Run,
            loops: [Loop { extent: 1, dst: 0, src: 0 }; 2],
            dst: dst.offset(0),
            src: src.offset(0),
            dst_hull: (0, unit as isize),
            src_hull: (0, unit as isize),
        };
        let mut count = 0;
        for axis in 0..shape.len() {
            let mut l = Loop { extent: shape[axis], dst: d[axis], src: s[axis] };
            if l.extent == 1 {
                continue;
            }
            small.bytes = small.bytes.saturating_mul(l.extent);
            if small.bytes > SMALL {
                return None;
            }
            // No more than 1024 steps, whose ends are places of items: inside L3.
            let steps = l.extent as isize - 1;
            if l.dst < 0 {
                (small.dst, small.src) = (small.dst + l.dst * steps, small.src + l.src * steps);
                (l.dst, l.src) = (-l.dst, l.src.wrapping_neg());
            }
            small.dst_hull.1 += l.dst * steps;
            let reach = l.src.wrapping_mul(steps);
            small.src_hull.0 += reach.min(0);
            small.src_hull.1 += reach.max(0);
            small.loops[count] = l;
            count += 1;
        }
        if count == 2 && small.loops[0].dst < small.loops[1].dst {
            small.loops.swap(0, 1);
        }
        // Each stride steps over all that lies inside it: no two items of the destination share a byte.
        let mut span = unit;
        for l in small.loops[..count].iter().rev() {
            if (l.dst as usize) < span {
                return None;
            }
            span += l.dst as usize * (l.extent - 1);
        }
        if count == 2 {
            let [outer, inner] = small.loops;
            let n = inner.extent as isize;
            if outer.dst == inner.dst * n && outer.src == inner.src.wrapping_mul(n) {
                small.loops[0] = Loop { extent: outer.extent * inner.extent, ..inner };
                count = 1;
            }
        }
        if count > 0 {
            let inner = small.loops[count - 1];
            if inner.dst == unit as isize && inner.src == unit as isize {
                small.unit = unit * inner.extent;
                count -= 1;
            }
        }
        let [outer, mut inner] = small.loops;
        let once = Loop { extent: 1, dst: 0, src: 0 };
        small.loops = match count {
            2 => [outer, inner],
            1 => {
                inner = outer;
                [once, outer]
            }
            _ => [once, once],
        };
        small.kernel = if count == 0 || !ITEM_SIZES.contains(&small.unit) {
            Kernel::Run
        } else if inner.src == 0 {
            Kernel::Fill
        } else if count == 2 && outer.src != 0 && outer.src.unsigned_abs() < inner.src.unsigned_abs() {
            Kernel::Transpose
        } else {
            Kernel::Items
        };
        Some(small)
    }

    /// Whether the bytes of the two sides lie apart, seen from these bases.
    #[inline]
    pub(crate) fn apart(&self, dst_base: usize, src_base: usize) -> bool {
        let hull = |base: usize, offset: isize, (low, high): (isize, isize)| {
            let start = base.wrapping_add_signed(offset);
            (start.wrapping_add_signed(low), start.wrapping_add_signed(high))
        };
        let (dst_low, dst_high) = hull(dst_base, self.dst, self.dst_hull);
        let (src_low, src_high) = hull(src_base, self.src, self.src_hull);
        dst_high <= src_low || src_high <= dst_low
    }
}

#[cfg(test)]
mod tests {
    use extbuf_layout::{Layout, Order};

    use super::Small;
    use crate::kernel::Level;
    use crate::plan::{Kernel, Loop, Plan};

    const ONCE: Loop = Loop { extent: 1, dst: 0, src: 0 };

    #[test]
    fn the_loops_of_a_small_copy_are_those_of_its_plan() {
        let strides: [isize; 9] = [-64, -16, -8, -4, 0, 4, 8, 20, 64];
        let mut small = 0;
        for itemsize in [1, 4] {
            for shape in [[1, 1], [4, 1], [2, 3], [8, 8]] {
                for d in strides.map(|a| strides.map(|b| [a, b])).as_flattened() {
                    for s in strides.map(|a| strides.map(|b| [a, b])).as_flattened() {
                        let dst = Layout::strided(itemsize, &shape, d, 1000).unwrap();
                        let src = Layout::strided(itemsize, &shape, s, 2000).unwrap();
                        let Some(found) = Small::new(&dst, &src) else { continue };
                        small += 1;
                        let plan = Plan::new(&dst, &src).unwrap().at_level(Level::Portable);
                        if plan.kernel() == Kernel::Transpose {
                            continue; // which turns loops round as the source lies
                        }
                        let loops: Vec<Loop> = found.loops.into_iter().filter(|&l| l != ONCE).collect();
                        assert_eq!((found.unit, found.bytes), (plan.unit(), plan.bytes()), "{plan}");
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
        let is = |dst: &Layout, src: &Layout| Small::new(dst, src).is_some();
        assert!(is(&dense(&[8, 8]), &dense(&[8, 8])) && is(&dense(&[]), &dense(&[])));
        assert!(!is(&dense(&[300]), &dense(&[300])), "too large");
        assert!(!is(&dense(&[2, 2, 2]), &dense(&[2, 2, 2])), "three axes");
        assert!(!is(&dense(&[4]), &dense(&[5])) && !is(&dense(&[0]), &dense(&[0])), "shapes");
        let twice = Layout::strided(4, &[2, 3], &[4, 4], 0).unwrap();
        assert!(!is(&twice, &dense(&[2, 3])), "overlaps itself");
        let small = Small::new(&dense(&[8, 8]), &dense(&[8, 8])).unwrap();
        assert_eq!((small.kernel, small.unit), (Kernel::Run, 256));
        assert!(small.apart(0, 256) && small.apart(256, 0) && !small.apart(0, 255) && !small.apart(255, 0));
    }
}
