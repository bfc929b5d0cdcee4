//! Running a plan: following the pointers of each outer step, walking the direct loops, calling the kernel.
//!
//! A part is a range of one loop. Running part `k` is its own entry, so that threads belong to the caller: the rayon
//! driver beside this file is one caller among others.
//!
//! The load loops are walked with one running place per level: a step of a loop adds that loop's stride to the place
//! of every level, and the chain is then followed from the base, `load(base + place[0]) + place[1]` and so on.
//!
//! Where the destination runs along a load loop (a picture in row pointers, copied column by column), each step of that
//! loop alone would touch a new line of the destination with every item. There several steps are taken together: their
//! pointers are followed first, then the direct loops run from all of them by turns.

// Follows stored pointers and hands raw addresses to the kernels.
#![allow(unsafe_code)]

use std::ops::Range;

use crate::kernel::{self, Caches, Grid, Lines, Manner, ONCE, Rows, Table, Turn};
use crate::plan::{Chain, Kernel, Loop, Loops, MOST_TOGETHER, Plan, Split};

impl Plan {
    /// Copies one part. Parts may run in any order and at the same time.
    ///
    /// # Safety
    ///
    /// - From `src_base` every item of the source layout can be reached and read, and its bytes are initialised; from
    ///   `dst_base` every item of the destination layout can be reached and written; both without a data race, while
    ///   this runs. Every pointer stored on the way is valid.
    /// - Pointers that the destination stores at different places lead to different bytes. No stored pointer of either
    ///   side changes while this runs, and each may be used for all the bytes that its layout reaches behind it.
    /// - No byte written is a byte read, be it of an item or of a stored pointer.
    ///
    /// # Panics
    ///
    /// If there is no such part.
    pub unsafe fn run_part(&self, dst_base: *mut u8, src_base: *const u8, part: usize) {
        assert!(part < self.parts, "part {part} of {}", self.parts);
        if self.bytes == 0 {
            return;
        }
        let (mut loops, mut unit) = (self.loops.clone(), self.unit);
        let (mut dst_skip, mut src_skip) = (0, 0);
        let mut load_range = self.all_loads();
        let range = |extent: usize| {
            let step = extent.div_ceil(self.parts).next_multiple_of(self.grain);
            part * step..extent.min((part + 1) * step)
        };
        match self.split {
            Split::Whole => {}
            Split::Load(axis) => load_range = (axis, range(self.outer[axis])),
            Split::Loop(axis) => {
                let l = &mut loops[axis];
                let Range { start, end } = range(l.extent);
                dst_skip = start as isize * l.dst;
                src_skip = start as isize * l.src;
                l.extent = end - start;
            }
            Split::Unit => {
                let Range { start, end } = range(self.unit);
                (dst_skip, src_skip) = (start as isize, start as isize);
                unit = end - start;
            }
        }
        let manner = Manner { level: self.level, streams: self.streams };
        let mut rows = Rows::new();
        let (mut lines, mut pattern, table);
        let (around, inside) = loops.split_at(loops.len().saturating_sub(self.inner));
        let (loops, whole) = match self.kernel {
            Kernel::Table => {
                table = Table::new(inside);
                (around, Whole::Table(&table))
            }
            Kernel::Transpose if self.tall > 0 => {
                let (along_i, along_j) = inside.split_at(self.tall);
                (around, Whole::Turn(Turn::new(unit, self.bytes, manner, along_i, along_j, &mut rows)))
            }
            kernel
                if kernel == Kernel::Weave
                    || matches!(kernel, Kernel::Run | Kernel::Items | Kernel::Fill) && self.together == 1 =>
            {
                let asks = self.bytes >= Caches::get().l2 / 4;
                pattern = None;
                lines = Lines::new(kernel, manner, unit, inside, around.last(), asks, &mut pattern);
                match &mut lines {
                    Some(lines) => (around, Whole::Lines(lines)),
                    None => (&loops[..], Whole::None),
                }
            }
            _ => (&loops[..], Whole::None),
        };
        let mut job = Job { kernel: self.kernel, manner, unit, loops, whole, dst_skip, src_skip };
        // SAFETY: the caller's contract.
        unsafe { self.walk(&mut job, (dst_base, src_base), load_range) };
        if let Whole::Lines(lines) = &mut job.whole {
            // SAFETY: as above.
            unsafe { lines.finish() };
        }
    }

    /// The load loops of one part, and all inside.
    ///
    /// # Safety
    ///
    /// As for [`run_part`](Plan::run_part).
    unsafe fn walk(
        &self,
        job: &mut Job<'_>,
        (dst_base, src_base): (*mut u8, *const u8),
        load_range: (usize, Range<usize>),
    ) {
        if self.outer.is_empty() {
            let (dst, src) = (Walk::new(&self.dst, dst_base), Walk::new(&self.src, src_base.cast_mut()));
            // SAFETY: the caller's contract: the pointers of the destination on the way are valid.
            let to = unsafe { dst.follow(|_| ()) }.wrapping_offset(job.dst_skip);
            // SAFETY: the same of the source.
            let from = unsafe { src.follow(|_| ()) }.wrapping_offset(job.src_skip);
            // SAFETY: P1: the direct loops stay inside both layouts.
            return unsafe { job.nest(job.loops, to, from) };
        }
        if let (Whole::Lines(lines), [], [_]) = (&mut job.whole, job.loops, &self.outer[..])
            && let (&[dst], &[table, row]) = (&self.dst.only()[..], &self.src.only()[..])
        {
            // The common case, a table of rows that become one block, without a list of where they begin.
            let bases = (dst_base.wrapping_offset(job.dst_skip), src_base);
            let row = (row.0.wrapping_add(job.src_skip), row.1);
            // SAFETY: the caller's contract: the table may be read.
            let rows = unsafe { behind(bases, dst, [table, row], load_range.1) };
            // SAFETY: P1: with the load loop at these indices, the direct loops stay inside both layouts.
            return unsafe { lines.run_rows(rows) };
        }
        // Where the direct loops begin at the load steps that are taken together.
        let mut begins = [(dst_base, src_base); MOST_TOGETHER];
        let mut count = 0;
        let in_lines = matches!(job.whole, Whole::Lines(_));
        let together = if in_lines { self.together.max(IN_A_ROW) } else { self.together };
        let mut visit = |to: *mut u8, from: *mut u8| {
            begins[count] =
                (to.wrapping_offset(job.dst_skip), from.wrapping_offset(job.src_skip).cast_const());
            count += 1;
            if count == together {
                // SAFETY: P1: with the load loops at these indices, the direct loops stay inside both layouts.
                unsafe { job.run(&begins[..count]) };
                count = 0;
            }
        };
        if self.outer.len() == 1 {
            // The common case, a table of rows: a load and a sum for each.
            let (dst, src) = (self.dst.only(), self.src.only());
            for k in load_range.1 {
                // SAFETY: the caller's contract: the pointers of the destination on the way to this index are valid.
                let to = unsafe { reach(&dst, dst_base, k as isize) };
                // SAFETY: the same of the source.
                let from = unsafe { reach(&src, src_base.cast_mut(), k as isize) };
                visit(to, from);
            }
        } else {
            self.walk_loads(dst_base, src_base.cast_mut(), load_range, |dst, src| {
                // SAFETY: the caller's contract: the pointers of the destination on the way to this index are valid.
                let to = unsafe { dst.follow(|_| ()) };
                // SAFETY: the same of the source.
                let from = unsafe { src.follow(|_| ()) };
                visit(to, from);
            });
        }
        // SAFETY: as above, for the last of them.
        unsafe { job.run(&begins[..count]) };
    }

    /// Copies all parts, one after another, on this thread.
    ///
    /// # Safety
    ///
    /// As for [`run_part`](Plan::run_part).
    #[inline]
    pub unsafe fn run(&self, dst_base: *mut u8, src_base: *const u8) {
        match &self.small {
            // SAFETY: P1: the loops of the plan, from its bases. P2: the destination does not overlap itself. The function
            // is for the plan's level, which this machine has.
            Some(small) => unsafe { (small.whole)(small, &self.pattern, dst_base, src_base) },
            // SAFETY: the caller's contract.
            None => unsafe { self.run_parts(dst_base, src_base) },
        }
    }

    /// # Safety
    ///
    /// As for [`run_part`](Plan::run_part).
    unsafe fn run_parts(&self, dst_base: *mut u8, src_base: *const u8) {
        for part in 0..self.parts {
            // SAFETY: the caller's contract.
            unsafe { self.run_part(dst_base, src_base, part) };
        }
    }

    /// All load loops, whole.
    pub(crate) fn all_loads(&self) -> (usize, Range<usize>) {
        (0, 0..self.outer.first().copied().unwrap_or(0))
    }

    /// Calls `visit` with both chains at every index of the load loops, one of which is cut to a range; once if there
    /// are none. Follows no pointer itself.
    pub(crate) fn walk_loads(
        &self,
        dst_base: *mut u8,
        src_base: *mut u8,
        (cut, range): (usize, Range<usize>),
        mut visit: impl FnMut(&Walk<'_>, &Walk<'_>),
    ) {
        let mut dst = Walk::new(&self.dst, dst_base);
        let mut src = Walk::new(&self.src, src_base);
        let mut counters = self.outer.clone();
        counters.fill(0);
        if range.start > 0 {
            counters[cut] = range.start;
            dst.step(cut, range.start as isize);
            src.step(cut, range.start as isize);
        }
        loop {
            visit(&dst, &src);
            // On to the next index, the last loop fastest.
            let mut axis = self.outer.len();
            loop {
                if axis == 0 {
                    return;
                }
                axis -= 1;
                let Range { start, end } = if axis == cut { range.clone() } else { 0..self.outer[axis] };
                counters[axis] += 1;
                if counters[axis] < end {
                    dst.step(axis, 1);
                    src.step(axis, 1);
                    break;
                }
                counters[axis] = start;
                dst.step(axis, -((end - start) as isize - 1));
                src.step(axis, -((end - start) as isize - 1));
            }
        }
    }
}

/// How many rows before its time the first line of a row behind a pointer is asked for: rows of their own are nothing
/// that the processor follows by itself.
const ROWS_AHEAD: usize = 16;

/// Load steps whose pointers are followed before the first is run, where they are not run by turns: so that each knows
/// where the next will read.
const IN_A_ROW: usize = 16;

/// Steps of the innermost loop run from one address before the next has its turn.
const BY_TURNS: usize = 64;

/// One part of a plan, less its load loops.
struct Job<'p> {
    kernel: Kernel,
    manner: Manner,
    unit: usize,
    /// Those that are walked here, with the two innermost, which are the kernel's, unless all of its own are prepared.
    loops: &'p [Loop],
    whole: Whole<'p>,
    /// Bytes from where the plan's direct loops begin to where this part's do.
    dst_skip: isize,
    src_skip: isize,
}

/// What is prepared once a part, for all the loops inside those of the job.
// One of them is on the stack of each running part; a box would be an allocation for each.
#[allow(clippy::large_enum_variant)]
enum Whole<'p> {
    None,
    Table(&'p Table),
    Turn(Turn<'p>),
    Lines(&'p mut Lines<'p>),
}

impl Job<'_> {
    /// The direct loops, from each of these addresses. From several, a few steps of the innermost loop at a time, so
    /// that a line of the destination that they share is filled while it is in the cache.
    ///
    /// # Safety
    ///
    /// From each pair of addresses as for [`nest`](Job::nest).
    unsafe fn run(&mut self, begins: &[(*mut u8, *const u8)]) {
        if let (Whole::Lines(lines), []) = (&mut self.whole, self.loops) {
            // SAFETY: the caller's contract, for the loops that these lines stand for.
            return unsafe { lines.run_all(begins) };
        }
        let (&[_, _, ..], Some(&innermost)) = (begins, self.loops.last()) else {
            for &(to, from) in begins {
                // SAFETY: the caller's contract.
                unsafe { self.nest(self.loops, to, from) };
            }
            return;
        };
        if self.loops.len() == 1 && self.turns(innermost, begins) {
            let rows = begins.iter().map(|&(_, row)| row);
            // SAFETY: the caller's contract; the destinations of the rows lie side by side.
            return unsafe { kernel::columns(self.manner, self.unit, innermost, rows, begins[0].0) };
        }
        let mut loops = Loops::from(self.loops);
        let last = loops.len() - 1;
        for start in (0..innermost.extent).step_by(BY_TURNS) {
            loops[last].extent = BY_TURNS.min(innermost.extent - start);
            let (d, s) = (start as isize * innermost.dst, start as isize * innermost.src);
            for &(to, from) in begins {
                // SAFETY: the caller's contract, for a range of the innermost loop.
                unsafe { self.nest(&loops, to.wrapping_offset(d), from.wrapping_offset(s)) };
            }
        }
    }

    /// Whether rows that begin at these addresses become columns side by side.
    fn turns(&self, innermost: Loop, begins: &[(*mut u8, *const u8)]) -> bool {
        let beside = |(k, &(to, _)): (usize, &(*mut u8, _))| begins[0].0.wrapping_add(k * self.unit) == to;
        self.kernel == Kernel::Items
            && matches!(self.whole, Whole::None)
            && innermost.src == self.unit as isize
            && begins.iter().enumerate().all(beside)
    }

    /// Walks all loops but the innermost two, which are the kernel's.
    ///
    /// # Safety
    ///
    /// The loops from these two addresses stay inside both layouts (P1), and as for [`kernel::run`].
    unsafe fn nest(&mut self, loops: &[Loop], dst: *mut u8, src: *const u8) {
        let kernels = if matches!(self.whole, Whole::None) { 2 } else { 0 };
        if loops.len() > kernels {
            let (outer, inner) = (loops[0], &loops[1..]);
            for k in 0..outer.extent as isize {
                let (to, from) = (dst.wrapping_offset(k * outer.dst), src.wrapping_offset(k * outer.src));
                // SAFETY: the same contract for the loops inside this step.
                unsafe { self.nest(inner, to, from) };
            }
            return;
        }
        match &mut self.whole {
            Whole::None => {}
            // SAFETY: the caller's contract, for the loops that the table stands for.
            Whole::Table(table) => return unsafe { table.run(self.unit, dst, src) },
            // SAFETY: the caller's contract, for the loops of both chains.
            Whole::Turn(turn) => return unsafe { turn.run(dst, src) },
            // SAFETY: the caller's contract, for the loops that these lines stand for.
            Whole::Lines(lines) => return unsafe { lines.run(dst, src) },
        }
        let grid = match *loops {
            [i, j] => Grid { i, j },
            [j] => Grid { i: ONCE, j },
            _ => Grid { i: ONCE, j: ONCE },
        };
        // SAFETY: the caller's contract.
        unsafe { kernel::run(self.kernel, self.manner, self.unit, grid, dst, src) };
    }
}

/// For each of these steps of the only load loop where the row begins in the destination, where in the source, and where the
/// row after it.
///
/// # Safety
///
/// The pointers that the source stores at these steps are valid, for as long as the answer is used.
#[inline(always)]
unsafe fn behind(
    (dst_base, src_base): (*mut u8, *const u8),
    dst: (isize, isize),
    src: [(isize, isize); 2],
    steps: Range<usize>,
) -> impl Iterator<Item = (*mut u8, *const u8, *const u8)> {
    let end = steps.end;
    let row = move |k: usize| {
        // SAFETY: the caller's contract, for one of the steps.
        unsafe { reach(&src, src_base.cast_mut(), k.min(end - 1) as isize) }.cast_const()
    };
    steps.map(move |k| {
        kernel::prefetch(row(k + ROWS_AHEAD));
        let to = dst_base.wrapping_offset(dst.0.wrapping_add((k as isize).wrapping_mul(dst.1)));
        (to, row(k), row(k + 1))
    })
}

/// The address at the last level of a chain with one load loop, given by the offset and the stride of each level, at step
/// `k`.
///
/// # Safety
///
/// Every pointer stored on the way is valid.
#[inline(always)]
pub(crate) unsafe fn reach(levels: &[(isize, isize)], base: *mut u8, k: isize) -> *mut u8 {
    let mut at = base;
    for (level, &(offset, stride)) in levels.iter().enumerate() {
        if level > 0 {
            // SAFETY: P1: a place at which the layout stores a pointer. Tables may lie at any address.
            at = unsafe { at.cast::<*mut u8>().read_unaligned() };
        }
        at = at.wrapping_offset(offset.wrapping_add(k.wrapping_mul(stride)));
    }
    at
}

/// A chain being walked: the place at each level for the load loops' present index.
pub(crate) struct Walk<'p> {
    chain: &'p Chain,
    base: *mut u8,
    places: crate::plan::Places,
}

impl<'p> Walk<'p> {
    pub(crate) fn new(chain: &'p Chain, base: *mut u8) -> Walk<'p> {
        Walk { chain, base, places: chain.places() }
    }

    /// Moves one load loop on by some steps.
    #[inline]
    pub(crate) fn step(&mut self, axis: usize, steps: isize) {
        for (level, place) in self.places.iter_mut().enumerate() {
            // Wraps on the way from the end of one loop to the start of the next; where it stops is inside L3.
            *place = place.wrapping_add(self.chain.strides(level)[axis].wrapping_mul(steps));
        }
    }

    /// The address at the last level; `met` is told the address of each stored pointer on the way.
    ///
    /// # Safety
    ///
    /// Every pointer stored on the way is valid.
    #[inline]
    pub(crate) unsafe fn follow(&self, mut met: impl FnMut(*mut u8)) -> *mut u8 {
        let (&first, rest) = self.places.split_first().expect("a layout has at least one level");
        let mut at = self.base.wrapping_offset(first);
        for &place in rest {
            met(at);
            // SAFETY: P1: a place at which the layout stores a pointer. Tables may lie at any address.
            let stored = unsafe { at.cast::<*mut u8>().read_unaligned() };
            at = stored.wrapping_offset(place);
        }
        at
    }
}
