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

use super::lanes::{self, Lane, Stream};
use super::recipe::{Cast, Pass};
use super::shape::Shaped;
use super::space::Side;
use super::work::Work;
use crate::fields::{Action, Step};

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

/// Bytes of such a chunk where it is written past the cache, and how far ahead is asked for what comes next. The two go
/// together: while a chunk's stores drain, the next chunk's loads are under way. Byte swaps of `f32` that fill 96 MiB
/// (ratio to the copy that is fastest): without asking 0.55; chunks of 512 bytes asking 2048 ahead 0.59, of 1024 asking
/// 1024, 2048, 4096 ahead 0.73, 0.76, 0.58, of 2048 asking 2048, 4096 ahead 0.64, 0.61.
const STREAMED: usize = 1024;
const AHEAD: usize = 2048;

/// A line of fewer bytes is not worth writing past the cache.
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

struct Worker<'w> {
    work: &'w Work,
    phase: Phase,
    stages: Vec<Vec<Stage>>,
    shaped: Vec<Option<Shaped>>,
    gathered: Vec<u8>,
    made: Vec<u8>,
    turned: Vec<u8>,
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
            turned: Vec::new(),
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
            self.shaped[k] = Some(Shaped::new(self.work, step, self.phase, sides, place, size));
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
        let lines = &shaped.lines;
        let stream =
            self.stream.filter(|_| shaped.scatter.is_none() && lines.len * step.width() >= SHORT_STREAM);
        let mut fine = true;
        self.bad.clear();
        for (k_line, &(d, s)) in lines.starts.iter().enumerate() {
            let (d, s) = (write.wrapping_offset(d), read.wrapping_offset(s));
            let line =
                Line { stages: &self.stages[k], chunks, stream, to: step.width(), from: step.src_width() };
            // SAFETY: `len` numbers lie side by side on both sides, in the box or in a block of scratch memory; the
            // chunks have room for three times `CHUNK` of the widest.
            if !unsafe { line.run(d, s, lines.len) } {
                fine = false;
                for number in 0..lines.len {
                    let from = s.wrapping_add(number * step.src_width());
                    // SAFETY: as above, for one number of the line. (Memory that others write may now be fine.)
                    if !unsafe { line.run(d, from, 1) } {
                        self.bad.push(k_line * lines.len + number);
                    }
                }
            }
        }
        match (&shaped.scatter, &shaped.out, self.stream) {
            (Some(plan), Some(lines), Some(stream)) => {
                let block = room(&mut self.turned, shaped.items * step.width());
                // SAFETY: the block has been written whole, and there is room for as much in the other.
                unsafe { plan.run(block, write.cast_const()) };
                for &(d, s) in &lines.starts {
                    // SAFETY: so many bytes side by side in the box and in the block, which has been written whole.
                    unsafe {
                        stream(to.wrapping_offset(d), block.wrapping_offset(s).cast_const(), lines.len);
                    };
                }
            }
            (Some(plan), ..) => {
                // SAFETY: the caller's contract; the block has been written whole.
                unsafe { plan.run(to, write.cast_const()) };
            }
            (None, ..) => {}
        }
        fine
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
                count = count.min(STREAMED / self.from.max(self.to));
                // Chunks end where lines of the cache do, as far as they can.
                let over = (to.addr() % 64) / self.to;
                count = if count > over { count - over } else { count };
            }
            let mut from = src.wrapping_add(k * self.from);
            if self.stream.is_some() {
                // While the stores of this chunk drain, the next is on its way.
                lanes::prefetch(from.wrapping_add(AHEAD), count * self.from);
            }
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

/// So many bytes of scratch memory, not initialised.
fn room(block: &mut Vec<u8>, bytes: usize) -> *mut u8 {
    block.reserve(bytes);
    block.as_mut_ptr()
}
