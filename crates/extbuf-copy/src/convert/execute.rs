//! Running a conversion: box by box, step by step.
//!
//! For each box and step there are at most three things to do: gather what is read into a dense block of scratch memory,
//! convert dense lines, scatter a dense block to where it is written. Where a side is dense along the lines already it
//! is read or written in place; where it is not, the gathering and scattering is a small copy, planned and run by the
//! same engine as all copies, so that a transpose that converts goes at the speed of a transpose. Which side's order the
//! lines follow is chosen so that the turning over is done with the smaller of the two numbers.

// Follows stored pointers, runs plans and passes on raw addresses.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicUsize, Ordering};

use extbuf_layout::{Layout, LayoutError};

use super::lanes::{self, Lane, Stream};
use super::recipe::{Cast, Pass};
use super::space::Side;
use super::work::Work;
use crate::fields::{Action, Step};
use crate::plan::Plan;

/// What a run is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Look at everything that may be refused, write nothing.
    Check,
    /// Write, with every value taken as it comes.
    Write,
}

/// Numbers that go through several passes at a time.
const CHUNK: usize = 512;

/// Bytes of a chunk of the widest numbers, both parts of a complex one.
const CHUNK_BYTES: usize = CHUNK * 16;

/// A line shorter than this is not worth a call: then the side is gathered or scattered whole.
const SHORT: usize = 24;

/// Nor is a line of fewer bytes worth writing past the cache.
const SHORT_STREAM: usize = 512;

/// Where zeros are read from.
static ZEROS: [u8; 16] = [0; 16];

/// The bases of all sides, sent to the threads.
pub(crate) struct Bases<'b> {
    pub(crate) dsts: &'b [*mut u8],
    pub(crate) srcs: &'b [*const u8],
}

// SAFETY: the contract of `run_part` allows any thread to run the parts, which write disjoint bytes (P2) and read bytes
// that nobody writes.
unsafe impl Sync for Bases<'_> {}

/// The first item that was refused, as its number in C order: the least that any thread has met.
pub(crate) struct First(AtomicUsize);

impl First {
    pub(crate) fn new() -> First {
        First(AtomicUsize::new(usize::MAX))
    }

    pub(crate) fn found(&self) -> Option<usize> {
        Some(self.0.load(Ordering::Relaxed)).filter(|&number| number != usize::MAX)
    }
}

impl Work {
    /// Runs one part. Parts may run in any order and at the same time.
    ///
    /// # Safety
    ///
    /// From each base every item of its layout can be reached, and read or written, as for
    /// [`Plan::run_part`](crate::Plan::run_part). No byte written is a byte read.
    pub(crate) unsafe fn run_part(
        &self,
        bases: &Bases<'_>,
        part: usize,
        phase: Phase,
        first: &First,
        shape: &[usize],
    ) {
        let mut worker = Worker::new(self, phase);
        let axes = self.space.extents.len();
        let (mut place, mut size) = (vec![0; axes], vec![0; axes]);
        for number in self.boxes_of(part) {
            self.boxes.at(number, &mut place, &mut size);
            for k in 0..self.steps.len() {
                // SAFETY: the caller's contract, for the items of one box (P1).
                let fine = unsafe { worker.step(k, bases, &place, &size) };
                if !fine {
                    worker.refused(k, &place, &size, first, shape);
                }
            }
        }
        if self.streams {
            lanes::fence();
        }
    }
}

/// A pass with its loop.
#[derive(Clone, Copy)]
struct Stage {
    run: Lane,
    lo: u64,
    hi: u64,
    writes: bool,
    /// Numbers for each item.
    lanes: usize,
}

/// What a step does with boxes of one size.
struct Shaped {
    size: Vec<usize>,
    /// From the source to scratch memory, and from there to the destination, where a side is not read or written in
    /// place; for a move the first alone, all the way.
    gather: Option<Plan>,
    scatter: Option<Plan>,
    /// Numbers in a line, and the offsets of each line on either side.
    line: usize,
    lines: Vec<(isize, isize)>,
    items: usize,
    /// Axes of the scratch block, outermost first, as numbers of the shared axes and then those inside the item.
    order: Vec<usize>,
}

struct Worker<'w> {
    work: &'w Work,
    phase: Phase,
    stages: Vec<Vec<Stage>>,
    shaped: Vec<Option<Shaped>>,
    gathered: Vec<u8>,
    made: Vec<u8>,
    chunks: Vec<u8>,
    stream: Option<Stream>,
    /// Numbers in the last line that were refused, as places in the scratch block.
    bad: Vec<usize>,
}

impl<'w> Worker<'w> {
    fn new(work: &'w Work, phase: Phase) -> Worker<'w> {
        let stages = work.steps.iter().map(|step| stages(work, step, phase)).collect();
        Worker {
            work,
            phase,
            stages,
            shaped: work.steps.iter().map(|_| None).collect(),
            gathered: Vec::new(),
            made: Vec::new(),
            chunks: Vec::new(),
            stream: (work.streams && phase == Phase::Write).then(|| lanes::stream(work.level)),
            bad: Vec::new(),
        }
    }

    /// One step on one box. Answers false where it refuses a value; then `bad` says which.
    ///
    /// # Safety
    ///
    /// As for [`Work::run_part`], for this box.
    unsafe fn step(&mut self, k: usize, bases: &Bases<'_>, place: &[usize], size: &[usize]) -> bool {
        let step = &self.work.steps[k];
        if self.phase == Phase::Check && self.stages[k].is_empty()
            || self.phase == Phase::Write && step.width() == 0
        {
            return true;
        }
        let (dst_side, src_side) = (&self.work.space.dsts[step.dst], &self.work.space.srcs[step.src]);
        let (dst_base, src_base) = (bases.dsts[step.dst], bases.srcs[step.src].cast_mut());
        // A side without loads inside the box is one address and strides.
        let start = |side: &Side, base: *mut u8, at: usize| {
            side.is_direct_in(size).then(|| {
                // SAFETY: the caller's contract: pointers on the way are valid.
                unsafe { side.follow(base, place) }.wrapping_add(at)
            })
        };
        let (to, from) = match self.phase {
            Phase::Check => (Some(dst_base), start(src_side, src_base, step.from)),
            Phase::Write => (start(dst_side, dst_base, step.to), start(src_side, src_base, step.from)),
        };
        let from =
            if matches!(step.action, Action::Clear(_)) { Some(ZEROS.as_ptr().cast_mut()) } else { from };
        let reuse = to.is_some()
            && from.is_some()
            && self.shaped[k].as_ref().is_some_and(|shaped| shaped.size == size);
        if !reuse {
            let sides = (to.is_none().then_some(dst_side), from.is_none().then_some(src_side));
            self.shaped[k] = Some(self.shape(step, sides, place, size));
        }
        let shaped = self.shaped[k].as_ref().expect("just made");
        let (to, from) = (to.unwrap_or(dst_base), from.unwrap_or(src_base).cast_const());
        if self.stages[k].is_empty() {
            if let Some(plan) = &shaped.gather {
                // SAFETY: the caller's contract: the plan goes from the items of this box to those of this box.
                unsafe { plan.run(to, from) };
            }
            return true;
        }
        let read = match &shaped.gather {
            None => from,
            Some(plan) => {
                let block = room(&mut self.gathered, shaped.items * step.src_width());
                // SAFETY: the caller's contract; the block has room for all that is gathered.
                unsafe { plan.run(block, from) };
                block.cast_const()
            }
        };
        let write = match &shaped.scatter {
            None => to,
            Some(_) => room(&mut self.made, shaped.items * step.width()),
        };
        let chunks = room(&mut self.chunks, 3 * CHUNK_BYTES);
        let stream =
            self.stream.filter(|_| shaped.scatter.is_none() && shaped.line * step.width() >= SHORT_STREAM);
        let mut fine = true;
        self.bad.clear();
        for (k_line, &(d, s)) in shaped.lines.iter().enumerate() {
            let (d, s) = (write.wrapping_offset(d), read.wrapping_offset(s));
            let line =
                Line { stages: &self.stages[k], chunks, stream, to: step.width(), from: step.src_width() };
            // SAFETY: `line` numbers lie side by side on both sides, in the box or in a block of scratch memory; the
            // chunks have room for three times `CHUNK` of the widest.
            if !unsafe { line.run(d, s, shaped.line) } {
                fine = false;
                for number in 0..shaped.line {
                    let from = s.wrapping_add(number * step.src_width());
                    // SAFETY: as above, for one number of the line. (Memory that others write may now be fine.)
                    if !unsafe { line.run(d, from, 1) } {
                        self.bad.push(k_line * shaped.line + number);
                    }
                }
            }
        }
        if let Some(plan) = &shaped.scatter {
            // SAFETY: the caller's contract; the block has been written whole.
            unsafe { plan.run(to, write.cast_const()) };
        }
        fine
    }

    /// Plans a step for boxes of one size; a side that is given is reached through stored pointers.
    fn shape(
        &self,
        step: &Step,
        (dst_side, src_side): (Option<&Side>, Option<&Side>),
        place: &[usize],
        size: &[usize],
    ) -> Shaped {
        let work = self.work;
        let (dst_strides, src_strides) =
            (work.space.dsts[step.dst].strides(), work.space.srcs[step.src].strides());
        let clears = matches!(step.action, Action::Clear(_));
        // All axes: the shared ones, then those inside the item.
        let extents: Vec<usize> = size.iter().copied().chain(step.axes.iter().map(|a| a.extent)).collect();
        let dst: Vec<isize> = dst_strides.iter().copied().chain(step.axes.iter().map(|a| a.dst)).collect();
        let src: Vec<isize> = if clears {
            vec![0; extents.len()]
        } else {
            src_strides.iter().copied().chain(step.axes.iter().map(|a| a.src)).collect()
        };
        let items: usize = extents.iter().product();
        let (to, from) = (step.width(), step.src_width());
        let whole: Vec<isize> = extents.iter().map(|&n| n as isize).collect();
        let dst_layout = |width: usize| match dst_side {
            Some(side) => side.layout(place, &whole, (step.to, width), step.axes.iter().map(|a| a.dst)),
            None => Layout::strided(width, &extents, &dst, 0),
        };
        let src_layout = |width: usize| match src_side {
            Some(side) => side.layout(place, &whole, (step.from, width), step.axes.iter().map(|a| a.src)),
            None => Layout::strided(width, &extents, &src, 0),
        };
        let plan = |dst: Result<Layout, LayoutError>, src: Result<Layout, LayoutError>| {
            // Boxes of layouts that stood all checks: what they reach the layouts reach.
            let part = "part of a checked layout";
            Plan::of_checked(&dst.expect(part), &src.expect(part), work.level)
        };
        if self.moves(step) {
            let plan = plan(dst_layout(to), src_layout(to));
            let order = (0..extents.len()).collect();
            return Shaped {
                size: size.to_vec(),
                gather: Some(plan),
                scatter: None,
                line: 0,
                lines: vec![],
                items,
                order,
            };
        }
        // Turned over with the smaller numbers: the lines follow the source where those that are made are smaller.
        let mut order: Vec<usize> = (0..extents.len()).collect();
        let run = |order: &[usize], strides: &[isize], width: usize| {
            let mut run = 1;
            for &axis in order.iter().rev().filter(|&&axis| extents[axis] > 1) {
                if strides[axis] != (run * width) as isize {
                    break;
                }
                run *= extents[axis];
            }
            run
        };
        let in_place = |run: usize| run >= SHORT || run == items;
        let checks = self.phase == Phase::Check;
        if src_side.is_none() && (checks || to < from) {
            let mut along_src = order.clone();
            // What repeats goes outermost, as does what does not move at all.
            let stride = |axis: usize| if extents[axis] == 1 { 0 } else { src[axis].unsigned_abs() };
            along_src.sort_by_key(|&axis| std::cmp::Reverse(stride(axis).wrapping_sub(1)));
            if checks || in_place(run(&along_src, &src, from)) {
                order = along_src;
            }
        }
        let dst_run = if checks {
            items
        } else if dst_side.is_some() {
            1
        } else {
            run(&order, &dst, to)
        };
        let src_run = if src_side.is_some() { 1 } else { run(&order, &src, from) };
        let (dst_direct, src_direct) =
            (dst_side.is_none() && in_place(dst_run), src_side.is_none() && in_place(src_run));
        let line = match (dst_direct, src_direct) {
            (true, true) => dst_run.min(src_run),
            (true, false) => dst_run,
            (false, true) => src_run,
            (false, false) => items,
        };
        // Strides of the dense blocks, as the lines go.
        let dense = |width: usize| {
            let mut strides = vec![0isize; extents.len()];
            let mut stride = width;
            for &axis in order.iter().rev() {
                strides[axis] = stride as isize;
                stride *= extents[axis];
            }
            strides
        };
        let gather =
            (!src_direct).then(|| plan(Layout::strided(from, &extents, &dense(from), 0), src_layout(from)));
        let scatter =
            (!dst_direct).then(|| plan(dst_layout(to), Layout::strided(to, &extents, &dense(to), 0)));
        let d = if dst_direct && !checks { dst } else { dense(if checks { 0 } else { to }) };
        let s = if src_direct { src } else { dense(from) };
        let lines = lines(&order, &extents, line, &d, &s);
        Shaped { size: size.to_vec(), gather, scatter, line, lines, items, order }
    }

    /// True where bytes are moved as they are, or cleared.
    fn moves(&self, step: &Step) -> bool {
        match &step.action {
            Action::Move(_) | Action::Clear(_) => true,
            Action::Convert(recipe) => {
                self.phase == Phase::Write && recipe.passes.iter().all(|pass| pass.is_check())
            }
        }
    }

    /// Notes the first of the items that a step has just refused.
    #[cold]
    fn refused(&self, k: usize, place: &[usize], size: &[usize], first: &First, shape: &[usize]) {
        let shaped = self.shaped[k].as_ref().expect("it has just run");
        let step = &self.work.steps[k];
        for &bad in &self.bad {
            let mut at = place.to_vec();
            let mut rest = bad;
            for &axis in shaped.order.iter().rev() {
                let extent = size.get(axis).copied().unwrap_or_else(|| step.axes[axis - size.len()].extent);
                if let Some(place) = at.get_mut(axis) {
                    *place += rest % extent;
                }
                rest /= extent;
            }
            let index = self.work.space.index(&at);
            let number = index.iter().zip(shape).fold(0, |number, (k, extent)| number * extent + k);
            first.0.fetch_min(number, Ordering::Relaxed);
        }
    }
}

/// The passes of a step that a phase runs: none where it has nothing to do, or moves bytes.
fn stages(work: &Work, step: &Step, phase: Phase) -> Vec<Stage> {
    let Action::Convert(recipe) = &step.action else { return Vec::new() };
    let mut lanes = recipe.lanes;
    let passes = match phase {
        Phase::Check => recipe.checks(),
        Phase::Write => &recipe.passes[..],
    };
    if phase == Phase::Write && recipe.to == 0 {
        return Vec::new();
    }
    let wanted = |pass: &&Pass| phase == Phase::Check || !pass.is_check();
    passes
        .iter()
        .filter(wanted)
        .map(|&pass| {
            if pass == Pass::Either {
                lanes = 1;
            }
            let (lo, hi) = pass.words();
            Stage { run: lane(pass, work.level), lo, hi, writes: !pass.is_check(), lanes }
        })
        .collect()
}

/// The loop of a pass.
pub(super) fn lane(pass: Pass, level: crate::kernel::Level) -> Lane {
    match pass {
        Pass::Swap(width) => lanes::swap(width, level),
        Pass::Within(number, _) => lanes::within(number, level),
        Pass::Clamp(number, _) => lanes::clamp(number, level),
        Pass::Truth(number) => lanes::truth(number.width(), level),
        Pass::Zero(number) => lanes::all_zero(number.width(), level),
        Pass::Either => lanes::either(level),
        Pass::Cast(cast @ (Cast::As(..) | Cast::ToOdd | Cast::Sticky(_))) => lanes::cast(cast, level),
    }
}

/// How the numbers of one line go through the stages.
struct Line<'l> {
    stages: &'l [Stage],
    /// Room for three chunks.
    chunks: *mut u8,
    stream: Option<Stream>,
    to: usize,
    from: usize,
}

impl Line<'_> {
    /// Answers false where a number was refused.
    ///
    /// # Safety
    ///
    /// `n` numbers lie side by side at `src`, to be read, and at `dst`, to be written unless no stage writes.
    unsafe fn run(&self, dst: *mut u8, src: *const u8, n: usize) -> bool {
        if let ([Stage { run, lo, hi, writes: _, lanes }], None) = (self.stages, self.stream) {
            // SAFETY: the caller's contract: one pass from the one to the other, or one that only looks.
            return unsafe { run(dst, src, n * lanes, *lo, *hi) };
        }
        // Where the last stage only looks nothing is written but chunks.
        let last = if self.stages.last().is_some_and(|stage| stage.writes) {
            self.stages.len() - 1
        } else {
            usize::MAX
        };
        let mut fine = true;
        let mut k = 0;
        while k < n {
            let to = dst.wrapping_add(k * self.to);
            let mut count = CHUNK.min(n - k);
            if self.stream.is_some() {
                // Chunks end where lines of the cache do, as far as they can.
                let over = (to.addr() % 64) / self.to;
                count = count.min(CHUNK - over);
            }
            let mut from = src.wrapping_add(k * self.from);
            let mut turn = 0;
            for (number, stage) in self.stages.iter().enumerate() {
                let into = match (number == last, self.stream) {
                    (true, None) => to,
                    (true, Some(_)) => self.chunks.wrapping_add(2 * CHUNK_BYTES),
                    (false, _) => self.chunks.wrapping_add(turn * CHUNK_BYTES),
                };
                // SAFETY: `count` numbers of the caller's line or of a chunk, which the pass before has written; the
                // chunks take turns.
                fine &= unsafe { (stage.run)(into, from, count * stage.lanes, stage.lo, stage.hi) };
                if stage.writes {
                    from = into.cast_const();
                    turn = 1 - turn;
                }
            }
            if let (Some(stream), true) = (self.stream, last != usize::MAX) {
                // SAFETY: the chunk that the last pass has written, to the caller's line.
                unsafe { stream(to, from, count * self.to) };
            }
            k += count;
        }
        fine
    }
}

/// The offsets on either side of each line of so many numbers: all axes but the innermost ones that a line holds.
fn lines(
    order: &[usize],
    extents: &[usize],
    line: usize,
    dst: &[isize],
    src: &[isize],
) -> Vec<(isize, isize)> {
    let mut inside = 1;
    let mut outer = order.len();
    while inside < line {
        outer -= 1;
        inside *= extents[order[outer]];
    }
    debug_assert_eq!(inside, line);
    let mut lines = vec![(0isize, 0isize)];
    for &axis in order[..outer].iter().filter(|&&axis| extents[axis] > 1) {
        let mut longer = Vec::with_capacity(lines.len() * extents[axis]);
        for (d, s) in lines {
            for k in 0..extents[axis] as isize {
                longer.push((d + k * dst[axis], s + k * src[axis]));
            }
        }
        lines = longer;
    }
    lines
}

/// So many bytes of scratch memory, not initialised.
fn room(block: &mut Vec<u8>, bytes: usize) -> *mut u8 {
    block.reserve(bytes);
    block.as_mut_ptr()
}
