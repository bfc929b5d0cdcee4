//! The plan of a copy: everything that can be decided from two layouts, decided once, as plain data.
//!
//! A copy between two layouts is a nest of loops with one move inside. How fast it runs is settled by the order of
//! the loops and by what the innermost ones look like, and both follow from shape and strides alone. So the layouts
//! go through a row of small passes, each with a name, each tested on literal arrays (see `passes`):
//!
//! 1. check that shapes and item sizes agree and that the destination does not overlap itself;
//! 2. drop axes of extent 1, and split the rest **at the loads**: an axis that moves a place where a pointer is read,
//!    on either side, becomes an outer loop. Once the outer loops stand, every pointer on the way is known, and what
//!    remains is a direct copy between two addresses;
//! 3. orient the direct loops so that the destination walks upwards (a stride below zero is flipped on both sides);
//! 4. sort them by destination stride, the largest outermost;
//! 5. fuse neighbours that are one loop in truth, and absorb a dense innermost loop into the unit that is moved;
//! 6. choose the kernel from what is left, how many steps of a load loop to take together, and the loop along which the
//!    work is cut into parts.
//!
//! The invariants of a plan, on which the unsafe code in `execute` and `kernel` rests:
//!
//! - **P1** every offset a plan produces is one that the layouts it was made from produce: a stored pointer that
//!   they meet, or `unit` bytes inside one or several items that they reach;
//! - **P2** two parts write disjoint bytes, and so do two steps of one part.
//!
//! P1 holds since each pass only permutes, reverses, joins or drops loops. P2 holds since the destination does not
//! overlap itself and parts are disjoint ranges of one loop.

mod chains;
#[cfg(test)]
mod chains_tests;
mod display;
mod list;
mod passes;
mod small;
#[cfg(test)]
mod tests;
mod weave;

use list::List;
pub(crate) use passes::{MOST_TABLED, MOST_TOGETHER, check, steps_over};

pub(crate) use small::{OneShot, Small};

use extbuf_layout::Layout;

use crate::error::CopyError;
use crate::kernel::{Caches, Level, Pattern};

/// Loops kept without allocation.
pub(crate) type Loops = List<Loop, 8>;

/// One place for each level of a chain.
pub(crate) type Places = List<isize, 4>;

/// One direct loop: how often, and how far a step goes on either side, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loop {
    /// Number of steps, at least 2.
    pub extent: usize,
    /// Bytes between steps in the destination.
    pub dst: isize,
    /// Bytes between steps in the source.
    pub src: isize,
}

/// The way from a base to the place where the direct loops begin: the levels of a layout, seen by the load loops.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    /// For each level its offset, then one stride for each load loop.
    words: List<isize, 16>,
    width: usize,
}

impl Chain {
    fn new(layout: &Layout, axes: &[usize]) -> Chain {
        let mut words = List::new();
        for level in 0..layout.levels() {
            words.push(layout.offset(level));
            let strides = layout.strides(level);
            for &axis in axes {
                words.push(strides[axis]);
            }
        }
        Chain { words, width: axes.len() + 1 }
    }

    pub(crate) fn levels(&self) -> usize {
        self.words.len() / self.width
    }

    /// The offset of a level.
    pub(crate) fn offset(&self, level: usize) -> isize {
        self.words[level * self.width]
    }

    /// The offset and the stride of each level, where there is one load loop.
    pub(crate) fn only(&self) -> List<(isize, isize), 4> {
        let mut levels = List::new();
        for level in 0..self.levels() {
            levels.push((self.offset(level), self.strides(level)[0]));
        }
        levels
    }

    /// The strides of a level, one for each load loop.
    pub(crate) fn strides(&self, level: usize) -> &[isize] {
        &self.words[level * self.width + 1..(level + 1) * self.width]
    }

    /// The offset of each level.
    pub(crate) fn places(&self) -> Places {
        let mut places = Places::new();
        for level in 0..self.levels() {
            places.push(self.words[level * self.width]);
        }
        places
    }

    fn shift_last(&mut self, bytes: isize) {
        let last = self.words.len() - self.width;
        // Inside L3: the sum is the offset of an item that the layout reaches.
        self.words[last] = self.words[last].wrapping_add(bytes);
    }
}

/// What runs inside the loops. `i` and `j` count the two innermost loops with strides `D0, D1` in the destination and
/// `S0, S1` in the source; each place is `unit` bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kernel {
    /// `dst[i*D0 + j*D1 ..][..unit] = src[i*S0 + j*S1 ..][..unit]`, each a block copy of any length.
    Run,
    /// The same equation with a unit of a fixed small size, moved through a register.
    Items,
    /// `dst[i*D0 + j*D1 ..][..unit] = src[i*S0 ..][..unit]`: one source item fills a row.
    Fill,
    /// The equation of `Items` where `|S0| < |S1|` and `D0 > D1`: the source runs along `i` while the destination runs
    /// along `j`. Either may stand for a chain of loops that follow one another densely on that side. Turned in tiles, so
    /// that each cache line on either side is used whole while it is there.
    Transpose,
    /// `dst[D[k] ..][..unit] = src[S[k] ..][..unit]`, where `D` and `S` tabulate the offsets of several innermost loops
    /// that are too short to be worth a loop each. The unit is of a fixed small size.
    Table,
    /// The equation of `Items`, many items at once in wide registers, where the steps of both loops are short: channels
    /// put side by side or pulled apart, steps, reversals, short rows. The innermost loop may be a pixel's channels.
    Weave,
    /// The equation of `Run`, each a move that allows overlap, in strictly ascending order of the loops.
    Move,
    /// No kernel of a plan: values were converted on the way, box by box; see [`ViewPlan`](crate::ViewPlan).
    Convert,
}

/// Along what the work is cut into parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Split {
    /// Not at all: one part.
    Whole,
    /// Along the load loop with this number.
    Load(usize),
    /// Along the direct loop with this number.
    Loop(usize),
    /// Along the bytes of the unit.
    Unit,
}

/// The order in which the bytes of an overlapping copy must be moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Forward,
    Backward,
}

/// A copy between two layouts, decided. It holds no pointer and can be run on any number of buffers.
///
/// ```
/// use extbuf_copy::{Kernel, Plan};
/// use extbuf_layout::{Layout, Order};
///
/// let dst = Layout::contiguous(4, &[300, 200], Order::C)?;
/// let src = Layout::contiguous(4, &[300, 200], Order::F)?;
/// let plan = Plan::new(&dst, &src)?;
/// assert_eq!(plan.kernel(), Kernel::Transpose);
///
/// let from: Vec<u32> = (0..60_000).collect();
/// let mut to = vec![0u32; 60_000];
/// // SAFETY: both blocks hold what the layouts describe and they do not overlap.
/// unsafe { plan.run(to.as_mut_ptr().cast(), from.as_ptr().cast()) };
/// assert_eq!(to[..3], [0, 300, 600]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Plan {
    pub(crate) bytes: usize,
    pub(crate) unit: usize,
    pub(crate) kernel: Kernel,
    /// The form of the kernel: never more than this machine has.
    pub(crate) level: Level,
    /// Whether kernels that can write past the cache should.
    pub(crate) streams: bool,
    /// Extents of the load loops, outermost first.
    pub(crate) outer: List<usize, 8>,
    /// How many steps of the innermost load loop are taken together.
    pub(crate) together: usize,
    pub(crate) dst: Chain,
    pub(crate) src: Chain,
    pub(crate) loops: Loops,
    /// How many of the innermost loops are the kernel's.
    pub(crate) inner: usize,
    /// Of them, for a transpose in tiles, the chain along which the source is dense; 0 where it has no tiles.
    pub(crate) tall: usize,
    pub(crate) split: Split,
    /// Parts begin at multiples of this many steps (or bytes) of the loop that is cut.
    pub(crate) grain: usize,
    pub(crate) parts: usize,
    /// The function for all of it, where it is small and whole, and the permutation of that, if it has one.
    pub(crate) small: Option<Small>,
    pub(crate) pattern: Pattern,
}

impl Plan {
    /// Decides how to copy every item of a source layout to the item of a destination layout with the same index.
    ///
    /// Up to 8 loops and one load on either side this does not allocate.
    ///
    /// # Errors
    ///
    /// `Ndim`, `Shape` and `Itemsize` where the two do not agree; `Overlap` and `SharedPointer` where two indices of the
    /// destination may name the same byte.
    pub fn new(dst: &Layout, src: &Layout) -> Result<Plan, CopyError> {
        check(dst, src)?;
        let mut plan = Plan::blank(dst, src);
        plan.lay_out(dst, src);
        plan.decide(Level::of_this_machine());
        Ok(plan)
    }

    /// The same without the checks: for two parts of layouts that have stood them, where it is made for each of many
    /// small boxes.
    pub(crate) fn of_checked(dst: &Layout, src: &Layout, level: Level) -> Plan {
        debug_assert!(dst.shape() == src.shape() && dst.itemsize() == src.itemsize());
        let mut plan = Plan::blank(dst, src);
        plan.lay_out(dst, src);
        plan.decide(level.min(Level::of_this_machine()));
        plan
    }

    /// The same copy with kernels of no more than this level, for whoever wants to test or measure them; the parts are
    /// cut anew. A level that this machine does not have is taken for the highest that it has.
    pub fn at_level(mut self, level: Level) -> Plan {
        let level = level.min(Level::of_this_machine());
        if level == self.level || self.kernel == Kernel::Move {
            return self;
        }
        // Back to how the passes before the choice left the loops.
        let (d, s) = passes::orient(&mut self.loops);
        self.dst.shift_last(d);
        self.src.shift_last(s);
        passes::sort(&mut self.loops);
        self.decide(level);
        self
    }

    /// The last passes: kernel and parts. In place, as is the next: a plan is a kilobyte, and moving it takes as long as
    /// any of them.
    fn decide(&mut self, level: Level) {
        self.level = level;
        self.streams = self.bytes >= Caches::get().streams_from();
        self.tall = 0;
        let itemwise = passes::ITEM_SIZES.contains(&self.unit);
        let found = if itemwise { chains::find(&self.loops, self.unit) } else { None };
        match found {
            // Lines of less than a cache line on either side are woven where that can be done.
            Some(found) if found.whole || !self.weaves() => {
                (self.kernel, self.inner, self.tall) = (Kernel::Transpose, found.inner, found.tall);
                self.loops = found.loops;
                self.dst.shift_last(found.shift.0);
                self.src.shift_last(found.shift.1);
            }
            Some(_) => {}
            None if self.weaves() => {}
            None => (self.kernel, self.inner) = passes::choose_kernel(&mut self.loops, self.unit),
        }
        self.together = match self.outer.len().checked_sub(1) {
            Some(load) => {
                let step = self.dst.strides(self.dst.levels() - 1)[load];
                passes::take_together(step, &self.loops, self.unit, self.kernel)
            }
            None => 1,
        };
        (self.split, self.grain, self.parts) = (Split::Whole, 1, 1);
        let parts = passes::parts_for(self.bytes, self.kernel);
        self.cut(parts);
    }

    /// Whether the copy can be woven; then it is.
    fn weaves(&mut self) -> bool {
        match weave::choose(&mut self.loops, self.unit, self.bytes, (self.level, self.streams)) {
            Some(inner) => {
                (self.kernel, self.inner) = (Kernel::Weave, inner);
                true
            }
            None => false,
        }
    }

    /// A plan that moves items strictly one after another in ascending or descending order of destination address:
    /// for a source and a destination with equal strides that overlap. One part.
    pub(crate) fn ordered(dst: &Layout, src: &Layout, direction: Direction) -> Result<Plan, CopyError> {
        check(dst, src)?;
        let mut plan = Plan::blank(dst, src);
        plan.lay_out(dst, src);
        if direction == Direction::Backward {
            let (d, s) = passes::reverse(&mut plan.loops);
            plan.dst.shift_last(d);
            plan.src.shift_last(s);
        }
        plan.kernel = Kernel::Move;
        Ok(plan)
    }

    /// Before every pass: of two layouts without loads the ways to where the loops begin.
    #[inline(always)]
    fn blank(dst: &Layout, src: &Layout) -> Plan {
        Plan {
            bytes: dst.nbytes(),
            unit: dst.itemsize(),
            kernel: Kernel::Run,
            level: Level::of_this_machine(),
            streams: false,
            outer: List::new(),
            together: 1,
            dst: Chain::new(dst, &[]),
            src: Chain::new(src, &[]),
            loops: Loops::new(),
            inner: 2,
            tall: 0,
            split: Split::Whole,
            grain: 1,
            parts: 1,
            small: None,
            pattern: Pattern::NONE,
        }
    }

    /// Every pass but the first and the last: the loops as they stand before a kernel is chosen.
    fn lay_out(&mut self, dst: &Layout, src: &Layout) {
        if self.bytes == 0 {
            return;
        }
        let load_axes = passes::split_at_loads(dst, src, &mut self.loops);
        if !load_axes.is_empty() {
            self.dst = Chain::new(dst, &load_axes);
            self.src = Chain::new(src, &load_axes);
            for &axis in load_axes.iter() {
                self.outer.push(dst.shape()[axis]);
            }
        }
        let (d, s) = passes::orient(&mut self.loops);
        self.dst.shift_last(d);
        self.src.shift_last(s);
        passes::sort(&mut self.loops);
        passes::fuse(&mut self.loops);
        self.unit = passes::absorb(&mut self.loops, self.unit);
    }

    /// The same copy cut into as near to `parts` parts as its loops allow. Who calls [`run_part`](Plan::run_part) from
    /// own threads chooses the number; otherwise the bytes to move have chosen it.
    pub fn with_parts(mut self, parts: usize) -> Plan {
        self.cut(parts);
        self
    }

    fn cut(&mut self, parts: usize) {
        if self.bytes == 0 || self.kernel == Kernel::Move {
            return;
        }
        // The channels of a weave stay together.
        let cut = self.loops.len() - if self.kernel == Kernel::Weave { self.inner - 1 } else { 0 };
        let kernel = (self.kernel, self.inner, self.tall);
        (self.split, self.grain, self.parts) =
            passes::choose_split(&self.outer, &self.loops[..cut], self.unit, kernel, parts);
        self.small = Small::of(self);
    }

    /// Bytes that the copy moves.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes moved at each innermost step: one item, or a run of neighbouring items.
    pub fn unit(&self) -> usize {
        self.unit
    }

    /// The same copy with its lines written past the cache or through it; by default by the size. For whoever wants to test or
    /// measure it, or knows who reads the result next.
    pub fn streaming(mut self, streams: bool) -> Plan {
        self.streams = streams;
        self.small = Small::of(&mut self);
        self
    }

    /// What runs inside the loops.
    pub fn kernel(&self) -> Kernel {
        self.kernel
    }

    /// The vector instructions that the kernel may use.
    pub fn level(&self) -> Level {
        self.level
    }

    /// The extents of the loops at each step of which pointers are followed, outermost first.
    pub fn load_loops(&self) -> &[usize] {
        &self.outer
    }

    /// The direct loops inside, outermost first.
    pub fn loops(&self) -> &[Loop] {
        &self.loops
    }

    /// Along what the work is cut.
    pub fn split(&self) -> Split {
        self.split
    }

    /// Into how many parts the work is cut; they write disjoint bytes and may run in any order or at once.
    pub fn parts(&self) -> usize {
        self.parts
    }
}
