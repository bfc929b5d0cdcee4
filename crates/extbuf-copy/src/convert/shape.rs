//! What one step does with boxes of one size: which side is gathered, which way the lines run, what is scattered.

use std::cmp::Reverse;

use extbuf_layout::{Layout, LayoutError};

use super::execute::Phase;
use super::space::Side;
use super::work::Work;
use crate::fields::{Action, Step};
use crate::plan::Plan;

/// A line of fewer numbers is not worth a call: then the side is gathered or scattered whole.
const SHORT: usize = 24;

/// Nor are shorter stretches of the destination worth turning a block over in scratch memory, to write it past the
/// cache.
const SHORT_OUT: usize = 128;

/// Several lines: where each begins in the one block and in the other, and how long it is.
pub(super) struct Lines {
    pub(super) starts: Vec<(isize, isize)>,
    /// Numbers, or bytes.
    pub(super) len: usize,
}

/// What a step does with boxes of one size.
pub(super) struct Shaped {
    pub(super) size: Vec<usize>,
    /// From the source to scratch memory, where it is not read in place. For a move all the way.
    pub(super) gather: Option<Plan>,
    /// The lines of numbers, from what is read to what is written.
    pub(super) lines: Lines,
    /// From scratch memory to the destination, where it is not written in place.
    pub(super) scatter: Option<Plan>,
    /// Where the destination is written past the cache but not along the lines: the scatter goes to scratch memory that
    /// lies as the destination does, and from there these lines of bytes go out.
    pub(super) out: Option<Lines>,
    pub(super) items: usize,
    /// Axes of the scratch block, outermost first, as numbers of the shared axes and then those inside the item.
    pub(super) order: Vec<usize>,
}

/// All axes of a step in a box: the shared ones, then those inside the item.
struct Axes {
    extents: Vec<usize>,
    dst: Vec<isize>,
    src: Vec<isize>,
}

impl Axes {
    fn new(work: &Work, step: &Step, size: &[usize]) -> Axes {
        let inside = |of: fn(&crate::fields::Inner) -> isize| step.axes.iter().map(of);
        let (dst, src) = (work.space.dsts[step.dst].strides(), work.space.srcs[step.src].strides());
        let extents: Vec<usize> = size.iter().copied().chain(step.axes.iter().map(|a| a.extent)).collect();
        let cleared = matches!(step.action, Action::Clear(_));
        Axes {
            dst: dst.iter().copied().chain(inside(|a| a.dst)).collect(),
            // Zeros are read from one place.
            src: src.iter().copied().chain(inside(|a| a.src)).map(|s| if cleared { 0 } else { s }).collect(),
            extents,
        }
    }

    /// Numbers side by side, with the axes in this order.
    fn run(&self, order: &[usize], strides: &[isize], width: usize) -> usize {
        let mut run = 1;
        for &axis in order.iter().rev().filter(|&&axis| self.extents[axis] > 1) {
            if strides[axis] != (run * width) as isize {
                break;
            }
            run *= self.extents[axis];
        }
        run
    }

    /// The order in which the source lies; what does not move along it goes outermost.
    fn along_source(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.extents.len()).collect();
        let stride = |axis: usize| if self.extents[axis] == 1 { 0 } else { self.src[axis].unsigned_abs() };
        order.sort_by_key(|&axis| Reverse(stride(axis).wrapping_sub(1)));
        order
    }

    /// Strides of a dense block whose axes lie in this order.
    fn dense(&self, order: &[usize], width: usize) -> Vec<isize> {
        let mut strides = vec![0isize; self.extents.len()];
        let mut stride = width;
        for &axis in order.iter().rev() {
            strides[axis] = stride as isize;
            stride *= self.extents[axis];
        }
        strides
    }

    /// Lines of so many numbers: the offsets of each on either side.
    fn lines(&self, order: &[usize], len: usize, dst: &[isize], src: &[isize]) -> Lines {
        let (mut inside, mut outer) = (1, order.len());
        while inside < len {
            outer -= 1;
            inside *= self.extents[order[outer]];
        }
        debug_assert_eq!(inside, len);
        let mut starts = vec![(0isize, 0isize)];
        for &axis in order[..outer].iter().filter(|&&axis| self.extents[axis] > 1) {
            let mut longer = Vec::with_capacity(starts.len() * self.extents[axis]);
            for (d, s) in starts {
                longer
                    .extend((0..self.extents[axis] as isize).map(|k| (d + k * dst[axis], s + k * src[axis])));
            }
            starts = longer;
        }
        Lines { starts, len }
    }
}

impl Shaped {
    /// Plans a step for boxes of one size; a side that is given is reached through stored pointers.
    pub(super) fn new(
        work: &Work,
        step: &Step,
        phase: Phase,
        (dst_side, src_side): (Option<&Side>, Option<&Side>),
        place: &[usize],
        size: &[usize],
    ) -> Shaped {
        let axes = Axes::new(work, step, size);
        let items: usize = axes.extents.iter().product();
        let (to, from) = (step.width(), step.src_width());
        let shape: Vec<isize> = axes.extents.iter().map(|&n| n as isize).collect();
        let block = |width: usize, strides: &[isize]| Layout::strided(width, &axes.extents, strides, 0);
        let dst_layout = || match dst_side {
            Some(side) => side.layout(place, &shape, (step.to, to), step.axes.iter().map(|a| a.dst)),
            None => block(to, &axes.dst),
        };
        let src_layout = |width: usize| match src_side {
            Some(side) => side.layout(place, &shape, (step.from, width), step.axes.iter().map(|a| a.src)),
            None => block(width, &axes.src),
        };
        let plan = |dst: Result<Layout, LayoutError>, src: Result<Layout, LayoutError>| {
            // Boxes of layouts that stood all checks: what they reach the layouts reach.
            let part = "part of a checked layout";
            Plan::of_checked(&dst.expect(part), &src.expect(part), work.level)
        };
        let as_dst: Vec<usize> = (0..axes.extents.len()).collect();
        let nothing = || Lines { starts: Vec::new(), len: 0 };
        if moves(step, phase) {
            let gather = Some(plan(dst_layout(), src_layout(to)));
            let (size, order) = (size.to_vec(), as_dst);
            return Shaped { size, gather, lines: nothing(), scatter: None, out: None, items, order };
        }
        let checks = phase == Phase::Check;
        let in_place = |run: usize| run >= SHORT || run == items;
        // Turned over with the smaller numbers: the lines follow the source where those that are made are smaller.
        let mut order = as_dst.clone();
        if src_side.is_none() && (checks || to < from) {
            let along_source = axes.along_source();
            if checks || in_place(axes.run(&along_source, &axes.src, from)) {
                order = along_source;
            }
        }
        // Nothing is written in a check.
        let dst_run = match (checks, dst_side) {
            (true, _) => items,
            (false, None) => axes.run(&order, &axes.dst, to),
            (false, Some(_)) => 0,
        };
        let src_run = if src_side.is_none() { axes.run(&order, &axes.src, from) } else { 0 };
        let (writes, reads) = (in_place(dst_run), in_place(src_run));
        let len = match (writes, reads) {
            (true, true) => dst_run.min(src_run),
            (true, false) => dst_run,
            (false, true) => src_run,
            (false, false) => items,
        };
        let (made, read) = (axes.dense(&order, if checks { 0 } else { to }), axes.dense(&order, from));
        let gather = (!reads).then(|| plan(block(from, &read), src_layout(from)));
        // Past the cache in lines of the destination, where it has any.
        let out_run = axes.run(&as_dst, &axes.dst, to);
        let turns = work.streams && !writes && dst_side.is_none() && out_run * to >= SHORT_OUT;
        let turned = axes.dense(&as_dst, to);
        let scatter =
            (!writes).then(|| plan(if turns { block(to, &turned) } else { dst_layout() }, block(to, &made)));
        let out = turns.then(|| {
            let lines = axes.lines(&as_dst, out_run, &axes.dst, &turned);
            Lines { len: out_run * to, ..lines }
        });
        let d = if writes && !checks { &axes.dst } else { &made };
        let s = if reads { &axes.src } else { &read };
        let lines = axes.lines(&order, len, d, s);
        Shaped { size: size.to_vec(), gather, lines, scatter, out, items, order }
    }
}

/// True where bytes are moved as they are, or cleared.
fn moves(step: &Step, phase: Phase) -> bool {
    match &step.action {
        Action::Move(_) | Action::Clear(_) => true,
        Action::Convert(recipe) => phase == Phase::Write && recipe.passes.iter().all(|pass| pass.is_check()),
    }
}
