//! Turning over: whole cache lines read along one side, whole lines written along the other.
//!
//! Along `i` the source runs densely, along `j` the destination does, and neither does along the other. Any plain loop over
//! the two touches a new line at every step on one side, and where that side's stride is a large power of two, all those
//! lines fall into a few sets of the cache and push one another out before they are used again. So the items are taken
//! in tiles: a line of each of as many rows of the source (`j`) as make a line of the destination, turned over in registers
//! and written as so many lines of the destination (`i`). Each line on either side is touched once, so its set does
//! not matter.
//!
//! ```text
//! dst[D(i) + j*N ..][..N] = src[i*N + S(j) ..][..N]
//! ```
//!
//! `i` and `j` each stand for one loop of the plan or for a chain of several: loops that follow one another densely in the
//! source (for `i`) or in the destination (for `j`). A tensor of twenty axes of extent 2 has lines of four axes on either side.
//! `D` tabulates where the rows of the destination begin, `S` counts through the loops of its chain.
//!
//! # Order
//!
//! A **panel** is up to [`WIDE`] items along `i`; all `j` are walked inside it, `ROWS` at a time, and inside those the items
//! along `i`. So a few rows of the source are read onwards, which the hardware follows, and the rows of the destination
//! stay the same for the whole panel. The source rows two tiles further on are asked for. What was measured, as the ratio
//! to `memcpy` of transposes of 4-byte items with 1 thread (2 cores of a virtual Xeon, L2 2 MiB; 8192 x 8192 is a power of
//! two, 8208 x 8208 is not; pages of 2 MiB and of 4 KiB), lines written past the cache:
//!
//! | order | 8192, 2M | 8192, 4K | 8208, 2M | 8208, 4K |
//! |---|---|---|---|---|
//! | along `j` inside, blocks of 256 x 256, rows 256 B ahead asked for | 0.23 | 0.34 | 0.48 | 0.42 |
//! | along `i` inside, blocks of 256 x 256 | 0.57 | 0.63 | 0.74 | 0.73 |
//! | along `i` inside, 8192 x 16 | 0.66 | 0.58 | 0.86 | 0.72 |
//! | along `i` inside, 512 x 256 | 0.66 | 0.68 | 0.82 | 0.82 |
//! | along `i` inside, 1024 x 256 | 0.68 | 0.72 | 0.88 | 0.88 |
//! | the same through the cache, 256 x 256 | 0.14 | 0.17 | 0.30 | 0.23 |
//!
//! # Past the cache
//!
//! A line can be written past the cache only whole. Where all rows of the destination begin at a line, the turned lines
//! are written as they are. Where they do not, each row keeps what was turned last (64 bytes a row, the **carry**) and
//! writes lines put together from it and what is turned next; only the two ends of a row are written in pieces. At 7919 x
//! 7919 that is 0.77 (panels of 1024) where blocks with a line of overlap, turned in a buffer, got 0.29 to 0.63.

// Tiles are read and written through raw addresses.
#![allow(unsafe_code)]

mod flat;
mod form;
#[cfg(all(target_arch = "aarch64", target_endian = "little", not(miri)))]
mod neon;
mod network;
#[cfg(target_arch = "x86_64")]
mod tiles;
#[cfg(target_arch = "x86_64")]
mod x86;

use std::mem::MaybeUninit;

use super::{Caches, Level, Manner, ask_to_write, prefetch};
use crate::plan::Loop;
use flat::Flat;
use form::{Form, MOST_ROWS};

/// Items along `i` in a panel at most, and entries of the table of rows.
pub(crate) const WIDE: usize = 1024;

/// Bytes of source rows in a panel that is written past the cache: a page.
const STREAMED_BYTES: usize = 4096;

/// The same where it is written through the cache.
const CACHED_BYTES: usize = 1024;

/// Bytes of a row from which on it is worth a carry: the two ends of a shorter one, written through the cache in the midst
/// of lines that are written past it, cost more than those lines gain (rows of 108 bytes took
/// 15 times as long, rows of 1200 bytes 1.6 times; to ask for the lines of the ends beforehand hardly helped).
const CARRIED_FROM: usize = 2048;

/// Steps along `j` in a block, where a block need not go on to the end.
const DEEP: usize = 256;

/// Bytes that a row of the destination keeps at most.
const CARRY: usize = 128;

/// Room for the places where the rows of a panel begin.
pub(crate) struct Rows([MaybeUninit<isize>; WIDE]);

impl Rows {
    pub(crate) fn new() -> Rows {
        Rows([MaybeUninit::uninit(); WIDE])
    }
}

/// Two chains of loops, prepared to be turned over from any number of addresses.
pub(crate) struct Turn<'p> {
    unit: usize,
    level: Level,
    streams: bool,
    /// The outermost loop of the chain along `i`.
    top: Loop,
    /// Items along `i` in each of its steps.
    each: usize,
    /// Steps of it in a panel.
    steps: usize,
    /// Where the rows of the destination in a panel begin.
    rows: &'p [isize],
    /// The or of all these, whose lower bits say to what all are aligned.
    aligned: usize,
    /// The chain along `j`, outermost first, and its length.
    along_j: &'p [Loop],
    deep: usize,
    /// Where both chains are one loop and fill a line with each: how it is walked through the cache.
    flat: Option<Flat>,
}

impl<'p> Turn<'p> {
    /// The chains along `i` and along `j`, each outermost first: inside each, a loop begins where the one inside it ends,
    /// in the source for `i` and in the destination for `j`. All loops of the first but its outermost hold no more
    /// than [`WIDE`] items. The whole copy moves so many bytes.
    pub(crate) fn new(
        unit: usize,
        bytes: usize,
        Manner { level, streams }: Manner,
        along_i: &[Loop],
        along_j: &'p [Loop],
        rows: &'p mut Rows,
    ) -> Turn<'p> {
        let (&top, inside) = along_i.split_first().expect("a chain has a loop");
        let each: usize = inside.iter().map(|l| l.extent).product();
        let deep = along_j.iter().map(|l| l.extent).product();
        let panel = if streams { STREAMED_BYTES } else { CACHED_BYTES };
        let steps = (panel / unit).min(WIDE).div_ceil(each).min(WIDE / each).clamp(1, top.extent);
        let flat = match *along_j {
            [j] if each == 1 && level > Level::Portable && matches!(unit, 1 | 2 | 4 | 8 | 16) => {
                Flat::new(unit, top, j, bytes, level)
            }
            _ => None,
        };
        if flat.is_some() && !streams {
            // Without a table, which takes as long as turning a kilobyte.
            return Turn {
                unit,
                level,
                streams,
                top,
                each,
                steps,
                rows: &[],
                aligned: 0,
                along_j,
                deep,
                flat,
            };
        }
        let outermost = Loop { extent: steps, ..top };
        let mut aligned = top.dst.wrapping_mul(steps as isize).unsigned_abs();
        let places = &mut rows.0[..steps * each];
        places[0] = MaybeUninit::new(0);
        let mut filled = 1;
        for l in inside.iter().rev().chain([&outermost]) {
            for k in filled..filled * l.extent {
                // SAFETY: written in an earlier round, or in this one.
                let before = unsafe { places[k - filled].assume_init() };
                places[k] = MaybeUninit::new(before.wrapping_add(l.dst));
            }
            filled *= l.extent;
            aligned |= l.dst.unsigned_abs();
        }
        // SAFETY: all of them are written, which are as many as the loops have steps.
        let rows = unsafe { std::slice::from_raw_parts(places.as_ptr().cast::<isize>(), places.len()) };
        Turn { unit, level, streams, top, each, steps, rows, aligned, along_j, deep, flat }
    }

    /// `dst[D(i) + j*N ..][..N] = src[i*N + S(j) ..][..N]` for all `i` and `j` of the two chains.
    ///
    /// # Safety
    ///
    /// The places of all these items from these two addresses may be written and read (P1), and none is both.
    pub(crate) unsafe fn run(&self, dst: *mut u8, src: *const u8) {
        macro_rules! sized {
            ($($n:literal)*) => {
                match self.unit {
                    // SAFETY: the caller's contract, with the unit as a constant.
                    $($n => unsafe { self.sized::<$n>(dst, src) },)*
                    _ => unreachable!("the plan turns items of these sizes only"),
                }
            };
        }
        sized! { 1 2 3 4 5 6 7 8 12 16 24 32 }
    }

    /// # Safety
    ///
    /// As for [`run`](Turn::run), with a unit of `N` bytes.
    unsafe fn sized<const N: usize>(&self, dst: *mut u8, src: *const u8) {
        #[cfg(target_arch = "x86_64")]
        if let 1 | 2 | 4 | 8 | 16 = N {
            // SAFETY: the caller's contract; the plan's level is one that this machine has.
            let done = unsafe { x86::blocks::<N>(self, dst, src) };
            if done {
                return;
            }
        }
        #[cfg(all(target_arch = "aarch64", target_endian = "little", not(miri)))]
        if let 1 | 2 | 4 | 8 | 16 = N {
            // SAFETY: the caller's contract.
            let done = unsafe { neon::blocks::<N>(self, dst, src) };
            if done {
                return;
            }
        }
        for Panel { rows, to, sources, count } in self.all_panels(dst, src, DEEP) {
            // SAFETY: a part of the caller's grid.
            unsafe { direct::<N>(rows, to, sources, count) };
        }
    }

    /// Whether all lies in the first cache and is written through it.
    #[cfg(target_arch = "x86_64")]
    fn near(&self) -> bool {
        !self.streams && self.flat.is_some_and(|flat| flat.near) && self.wide()
    }

    /// Whether panels are wide enough for tiles of whole lines of the source: where they are narrow and no multiple of a
    /// line, too much of the last would be turned twice.
    fn wide(&self) -> bool {
        let bytes = self.steps * self.each * self.unit;
        bytes >= 256 || bytes > 0 && bytes.is_multiple_of(64)
    }

    /// How lines are written from this address on.
    fn mode(&self, dst: *mut u8) -> u8 {
        let bytes = self.deep * self.unit;
        if self.streams && bytes >= 64 && (dst.addr() | self.aligned).is_multiple_of(64) {
            ALIGNED
        } else if self.streams && bytes >= CARRIED_FROM {
            CARRIED
        } else if self.flat.is_some() {
            FLAT
        } else {
            CACHED
        }
    }

    /// The blocks of the whole, in the [`mode`](Turn::mode) of this address. A constant, since what one mode needs of the
    /// stack costs time to lay out: the carry's 128 KiB took 0.15 us.
    ///
    /// # Safety
    ///
    /// As for [`run`](Turn::run), with a unit of `N` bytes; the machine has the level of the form.
    #[inline(always)]
    unsafe fn blocks<F: Form<N>, const N: usize, const MODE: u8>(&self, dst: *mut u8, src: *const u8) {
        match MODE {
            FLAT => {
                let Some(flat) = &self.flat else { return };
                // SAFETY: the caller's contract.
                unsafe { flat.run::<F, N>(dst, src) };
            }
            // SAFETY: the caller's contract.
            CACHED => unsafe { self.panels::<F, N, MODE>(dst, src, DEEP) },
            _ => {
                let deep = if MODE == CARRIED { self.deep } else { DEEP };
                // SAFETY: the caller's contract; every row begins at a line where the mode says so.
                unsafe { self.panels::<F, N, MODE>(dst, src, deep) };
                F::fence();
            }
        }
    }

    /// # Safety
    ///
    /// As for [`blocks`](Turn::blocks); where the mode is `ALIGNED` every row of the destination begins at a line.
    #[inline(always)]
    unsafe fn panels<F: Form<N>, const N: usize, const MODE: u8>(
        &self,
        dst: *mut u8,
        src: *const u8,
        deep: usize,
    ) {
        for Panel { rows, to, sources, count } in self.all_panels(dst, src, deep) {
            let few = MODE == CACHED && rows.len() * N < 64 && sources.outer.is_empty();
            if rows.len() >= F::ITEMS && !few {
                // SAFETY: a part of the caller's grid.
                unsafe { panel::<F, N, MODE>(rows, to, sources, count) };
            } else {
                // SAFETY: as above.
                unsafe { direct::<N>(rows, to, sources, count) };
            }
        }
    }

    /// All panels, of so many steps along `j`.
    fn all_panels(&self, dst: *mut u8, src: *const u8, deep: usize) -> impl Iterator<Item = Panel<'_>> {
        let (mut j, mut first) = (0, 0);
        std::iter::from_fn(move || {
            if first == self.top.extent {
                (j, first) = (j + deep, 0);
            }
            if j >= self.deep {
                return None;
            }
            let steps = self.steps_at(first);
            let from = src.wrapping_offset(self.top.src * first as isize);
            let panel = Panel {
                rows: &self.rows[..steps * self.each],
                to: dst.wrapping_offset(self.top.dst * first as isize).wrapping_add(j * self.unit),
                sources: Sources::new(self.along_j, from, j),
                count: deep.min(self.deep - j),
            };
            first += steps;
            Some(panel)
        })
    }
}

/// `dst[rows[i] + j*N ..][..N] = sources(j)[i*N ..][..N]` for `i` below the number of rows and `j` below `count`, from `to` on.
struct Panel<'p> {
    rows: &'p [isize],
    to: *mut u8,
    sources: Sources<'p>,
    count: usize,
}

impl Turn<'_> {
    /// Steps of the outermost loop along `i` in the panel that begins at `first`: the last two are near equal, so that
    /// neither is narrow.
    fn steps_at(&self, first: usize) -> usize {
        let left = self.top.extent - first;
        if left <= self.steps {
            left
        } else if left >= 2 * self.steps {
            self.steps
        } else {
            let half = left.div_ceil(2);
            if self.each == 1 { half.next_multiple_of(16).min(self.steps) } else { half }
        }
    }
}

/// The equation of [`panel`] item by item, in tiles of a line on either side: for items that fill no register, for machines
/// without a form, and for what is narrower than a tile of the form.
///
/// # Safety
///
/// As for [`Turn::run`].
unsafe fn direct<const N: usize>(rows: &[isize], dst: *mut u8, mut sources: Sources<'_>, count: usize) {
    if let ([], true) = (sources.outer, rows.len() * N < 64) {
        // Few rows: one after the other, each from lines of the source that the first has brought near.
        for (i, &row) in rows.iter().enumerate() {
            let to = dst.wrapping_offset(row);
            let mut from = sources.at.wrapping_add(i * N);
            for j in 0..count {
                // SAFETY: P1: the source place is good to read; an array of bytes has alignment 1.
                let item = unsafe { from.cast::<[MaybeUninit<u8>; N]>().read() };
                // SAFETY: P1: the destination place is good to write; alignment 1.
                unsafe { to.wrapping_add(j * N).cast::<[MaybeUninit<u8>; N]>().write(item) };
                from = from.wrapping_offset(sources.inner.src);
            }
        }
        return;
    }
    // Items in a line, and of large ones some more.
    let line = const { if N > 16 { 4 } else { 64 / N } };
    let (mut from, mut next) = ([std::ptr::null(); MOST_ROWS], [std::ptr::null(); MOST_ROWS]);
    sources.fill(&mut next, line.min(count));
    for j in (0..count).step_by(line) {
        let here = line.min(count - j);
        let further = line.min(count - j - here);
        from[..here].copy_from_slice(&next[..here]);
        sources.fill(&mut next, further);
        let to = dst.wrapping_add(j * N);
        for (tile, rows) in rows.chunks(line).enumerate() {
            let at = tile * line * N;
            for next in &next[..further] {
                prefetch(next.wrapping_add(at));
            }
            for (i, &row) in rows.iter().enumerate() {
                let (to, at) = (to.wrapping_offset(row), at + i * N);
                for (k, from) in from[..here].iter().enumerate() {
                    // SAFETY: P1: the source place is good to read; an array of bytes has alignment 1.
                    let item = unsafe { from.wrapping_add(at).cast::<[MaybeUninit<u8>; N]>().read() };
                    let to = to.wrapping_add(k * N).cast::<[MaybeUninit<u8>; N]>();
                    // SAFETY: P1: the destination place is good to write; alignment 1.
                    unsafe { to.write(item) };
                }
            }
        }
    }
}

/// Lines are written through the cache.
const CACHED: u8 = 0;
/// Lines are written past the cache, as they are turned.
const ALIGNED: u8 = 1;
/// Lines are written past the cache, each put together from two that were turned.
const CARRIED: u8 = 2;
/// Lines are written through the cache, of two loops and without a table.
const FLAT: u8 = 3;

/// What the rows of a panel keep.
#[repr(align(64))]
struct Carry<const BYTES: usize>([MaybeUninit<u8>; BYTES]);

/// `dst[rows[i] + j*N ..][..N] = sources(j)[i*N ..][..N]` for `i` below the number of rows and `j` below `count`.
///
/// # Safety
///
/// As for [`Turn::run`].
#[inline(always)]
unsafe fn panel<F: Form<N>, const N: usize, const MODE: u8>(
    rows: &[isize],
    dst: *mut u8,
    mut sources: Sources<'_>,
    count: usize,
) {
    debug_assert!(rows.len() >= F::ITEMS && rows.len() <= WIDE);
    let mut carry = MaybeUninit::<Carry<{ WIDE * CARRY }>>::uninit();
    let carry: *mut u8 = if MODE == CARRIED { carry.as_mut_ptr().cast() } else { std::ptr::null_mut() };
    // The rows of this tile, of the next one and of the one after that, taking turns.
    let mut ahead = [[std::ptr::null::<u8>(); MOST_ROWS]; 3];
    sources.fill(&mut ahead[0], count.min(F::ROWS));
    sources.fill(&mut ahead[1], count.saturating_sub(F::ROWS).min(F::ROWS));
    // In how many pieces a line of the source is turned, and rows asked for with each of them.
    let pieces = (64 / N / F::ITEMS).max(1);
    let with_each = F::ROWS.div_ceil(pieces);
    // Rows that are read on and on some processors follow by themselves, and asking for them too cost a tenth of the time;
    // those without AVX-512 mostly do not (Zen 3: 4001 x 4001 items of 8 bytes took a seventh less with it).
    let asks = MODE == CACHED || F::ASKS || N > 1 && rows.len() * N < STREAMED_BYTES;
    let (mut j, mut now) = (0, 0);
    while j < count {
        let here = F::ROWS.min(count - j);
        let further = count.saturating_sub(j + 2 * F::ROWS).min(F::ROWS);
        let later = if now == 0 { 2 } else { now - 1 };
        sources.fill(&mut ahead[later], further);
        if here < F::ROWS {
            // Rows that are not there: the last one again, turned for nothing.
            let last = ahead[now][here - 1];
            ahead[now][here..F::ROWS].fill(last);
        }
        let (from, next) = (&ahead[now], &ahead[later]);
        let to = dst.wrapping_add(j * N);
        let mut i = 0;
        while i < rows.len() {
            let asked = i / F::ITEMS % pieces * with_each;
            if asks && asked + with_each <= further {
                for k in 0..with_each {
                    prefetch(next[asked + k].wrapping_add(i * N));
                }
            }
            if MODE == CARRIED && (j == 0 || further == 0 && j + here < count) {
                // The ends of a row are written through the cache, and would each wait for their line.
                let (ahead, end) = if j == 0 { (16, 0) } else { (0, (count - j) * N - 1) };
                for row in rows.iter().skip(i + ahead).take(F::ITEMS) {
                    prefetch(to.wrapping_offset(*row).wrapping_add(end));
                }
            }
            // The last lines may be some of those before, turned once more and not written.
            let first = i.min(rows.len() - F::ITEMS);
            // SAFETY: P1: the items from `first` on, as many as are turned, lie side by side in each of the rows.
            let lines = unsafe { F::turn(from, (first * N) as isize) };
            // A macro, since a closure would be a function of its own, without the instructions of the level.
            macro_rules! write {
                ($m:ident) => {
                    let (line, row) = (lines[$m], to.wrapping_offset(rows[first + $m]));
                    match MODE {
                        // SAFETY: P1: the items of this tile lie side by side in the row.
                        CACHED | ALIGNED if here < F::ROWS => unsafe {
                            F::store_part(line, 0, here * N, row)
                        },
                        // SAFETY: as above.
                        CACHED => unsafe { F::store(line, row) },
                        // SAFETY: as above; rows begin at lines and tiles are as long.
                        ALIGNED => unsafe { F::stream(line, row) },
                        _ => {
                            let carry = carry.wrapping_add((first + $m) * F::CARRY);
                            let (bytes, last) = (here * N, j + here == count);
                            // SAFETY: as above; the carry has room for each row, and is kept from the first tile on.
                            unsafe { carried::<F, N>(carry, line, row, j == 0, bytes, last) };
                        }
                    }
                };
            }
            if i == first {
                // Apart, so that the lines stay in registers.
                for m in 0..F::ITEMS {
                    write!(m);
                }
            } else {
                for m in 0..F::ITEMS {
                    if first + m >= i {
                        write!(m);
                    }
                }
            }
            i = first + F::ITEMS;
        }
        now = if now == 2 { 0 } else { now + 1 };
        j += here;
    }
}

/// Writes the line of 64 bytes that ends in `line`, and what is left at the ends of a row.
///
/// # Safety
///
/// The first `bytes` bytes of `line` belong to `row`, and so do the 64 before them unless it is the `first` of the row.
/// `carry` as for [`Form::join`].
#[inline(always)]
unsafe fn carried<F: Form<N>, const N: usize>(
    carry: *mut u8,
    line: F::Line,
    row: *mut u8,
    first: bool,
    bytes: usize,
    last: bool,
) {
    let late = row.addr() % 64;
    if first {
        let until = if last { bytes } else { bytes.min((64 - late) % 64) };
        if late == 0 && bytes == 64 {
            // SAFETY: P1, and at a line.
            unsafe { F::stream(line, row) };
        } else if until > 0 {
            // SAFETY: P1.
            unsafe { F::store_part(line, 0, until, row) };
        }
        // SAFETY: a carry that holds nothing yet.
        return unsafe { F::keep(carry, line) };
    }
    // SAFETY: kept by the tile before this.
    let joined = unsafe { F::join(carry, late, line) };
    let start = row.wrapping_sub(late);
    if late + bytes < 64 {
        // SAFETY: P1: the end of the tile before and what is left of the row.
        return unsafe { F::store_part(joined, 0, late + bytes, start) };
    }
    // SAFETY: P1, and at a line.
    unsafe { F::stream(joined, start) };
    if last && late + bytes > 64 {
        // SAFETY: P1: the end of the row.
        unsafe { F::store_part(line, 64 - late, bytes, row) };
    }
}

/// The rows of the source, one after another.
#[derive(Clone)]
struct Sources<'p> {
    /// Outermost first; the innermost is counted apart.
    outer: &'p [Loop],
    inner: Loop,
    /// Steps of the innermost that are left, and how often it was begun.
    left: usize,
    begun: usize,
    at: *const u8,
    base: *const u8,
}

impl<'p> Sources<'p> {
    fn new(chain: &'p [Loop], base: *const u8, first: usize) -> Sources<'p> {
        let (&inner, outer) = chain.split_last().expect("a chain has a loop");
        let begun = first / inner.extent;
        let mut sources = Sources { outer, inner, left: 0, begun, at: base, base };
        sources.begin();
        sources.left -= first % inner.extent;
        sources.at = sources.at.wrapping_offset(inner.src * (first % inner.extent) as isize);
        sources
    }

    /// The innermost loop at the index of the others that `begun` says.
    fn begin(&mut self) {
        let mut rest = self.begun;
        self.at = self.base;
        for l in self.outer.iter().rev() {
            self.at = self.at.wrapping_offset(l.src.wrapping_mul((rest % l.extent) as isize));
            rest /= l.extent;
        }
        self.left = self.inner.extent;
    }

    /// The next `count` rows.
    #[inline(always)]
    fn fill(&mut self, rows: &mut [*const u8; MOST_ROWS], count: usize) {
        let mut done = 0;
        while done < count {
            if self.left == 0 {
                self.begun += 1;
                self.begin();
            }
            let some = self.left.min(count - done);
            for row in &mut rows[done..done + some] {
                *row = self.at;
                self.at = self.at.wrapping_offset(self.inner.src);
            }
            done += some;
            self.left -= some;
        }
    }
}

#[cfg(test)]
mod tests;
