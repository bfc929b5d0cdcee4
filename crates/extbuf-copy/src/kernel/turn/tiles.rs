//! Tiles turned in a place of their own: long pieces of rows on both sides.
//!
//! Lines of the destination that lie far apart are each a page of memory to be opened, and lines of the source each a wait
//! that nothing foresees. So a tile takes several lines of each row on either side. Its squares are turned into a place that
//! stays in the first cache, a few rows of the source at a time, and meanwhile the lines of the next tile are asked for; then
//! each row goes on from there in one piece. This is how machines without AVX-512 turn what goes past the cache.
//!
//! What was measured for 8192 x 8192 items of 4 bytes, GB/s read and written (AMD Zen 3, one thread, large pages, a plain copy
//! 16 to 21; rows of the source a power of two apart, and 320 bytes more):
//!
//! | rows of the source x items in a tile | rows at a time | asked for | power of two | more |
//! |---|---|---|---|---|
//! | line by line, in no place | 16 | | 5.9 | 10.3 |
//! | 16 x 16 | 8 | no | 7.7 | 9.0 |
//! | 64 x 64 | 8 | no | 7.1 | 6.3 |
//! | 64 x 64 | 8 | into the first cache | 10.1 | 9.0 |
//! | 64 x 64 | 8 | into the second | 10.6 | 10.2 |
//! | 64 x 64 | 4 | into the second | 9.5 | 9.3 |
//! | 64 x 64 | 16 | into the second | 6.1 | 7.8 |
//! | 32 x 64 | 4 | into the second | 6.9 | 8.0 |
//! | 64 x 32 | 4 | into the second | 8.8 | 8.1 |
//! | 64 x 128 | 4 | into the second | 7.5 | 8.5 |
//!
//! What a [`panel`](super::panel) keeps for each row, its **carry**, is here the end of what the row had of the tile before:
//! it comes to stand in front of the row's next piece.

// Tiles are read and written through raw addresses.
#![allow(unsafe_code)]

use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch, _mm_sfence};
use std::mem::MaybeUninit;

use super::form::MOST_ROWS;
use super::x86::square;
use super::{ALIGNED, CARRIED, Panel, Turn, WIDE};
use crate::kernel::x86::nib::{Stream, stream};

const LINE: usize = 64;

/// Bytes of a row in a tile, on either side; of single bytes half as many, or the place would not stay in the first cache.
const LONG: usize = 256;

/// Rows of the place that the last squares may begin before those of the tile.
const BEFORE: usize = 16;

/// Filled before it is read, so none of it is laid out. For each row what is carried, and the row's piece.
type Place = Lines<{ (BEFORE + 128) * (1 + LONG / 2 / LINE) }>;
type Carry = Lines<WIDE>;

#[derive(Clone, Copy)]
#[repr(align(64))]
struct Line(#[expect(dead_code, reason = "used by address")] [u8; LINE]);
type Lines<const COUNT: usize> = [MaybeUninit<Line>; COUNT];

/// Rows of the source that are a multiple of this apart push one another out of a cache.
const PAGE: usize = 4096;

impl Turn<'_> {
    /// Whether this is better than [`panels`](Turn::panels): where rows of the source lie so that their lines do not stay
    /// until they are used up, or where lines of small items would have to be put together from two. Where neither is
    /// so, it took a fifth longer (5000 x 6000 items of 4 bytes, 4001 x 4001 of 8 as long, 2999 x 2999 of 16), and also where
    /// rows are short on either side, unless those of the source follow one another.
    pub(super) fn in_tiles(&self, mode: u8) -> bool {
        let &Turn { unit, deep, .. } = self;
        let row = self.steps * self.each * unit;
        let inner = self.along_j.last().map_or(0, |l| l.src);
        let apart = inner.unsigned_abs().is_multiple_of(PAGE);
        let joined = inner == row as isize && row >= 16;
        let small = mode == CARRIED && unit <= 4;
        matches!(mode, ALIGNED | CARRIED)
            && deep * unit >= PAGE / 2
            && (joined || row >= PAGE / 2 && (apart || small))
    }

    /// All of it past the cache.
    ///
    /// # Safety
    ///
    /// As for [`run`](Turn::run), with a unit of `N` bytes, a power of two up to 16.
    #[inline(always)]
    pub(super) unsafe fn tiles<const N: usize>(&self, dst: *mut u8, src: *const u8) {
        let stream = stream(self.level);
        for panel in self.all_panels(dst, src, self.deep) {
            if panel.rows.len() * N >= 16 {
                // SAFETY: a part of the caller's grid.
                unsafe { tiles::<N>(panel, stream) };
            } else {
                let Panel { rows, to, sources, count } = panel;
                // SAFETY: as above.
                unsafe { super::direct::<N>(rows, to, sources, count) };
            }
        }
        // Newer compilers know that this is safe to call; older ones ask for the block.
        #[allow(unused_unsafe)]
        // SAFETY: every x86-64 has the instruction.
        unsafe {
            _mm_sfence();
        }
    }
}

/// `dst[rows[i] + j*N ..][..N] = sources(j)[i*N ..][..N]` for `i` below the number of rows and `j` below `count`.
///
/// # Safety
///
/// As for [`Turn::run`]; the panel goes on to the end of its rows, of which 16 bytes or more lie side by side in the source.
#[inline(always)]
unsafe fn tiles<const N: usize>(panel: Panel<'_>, stream: Stream) {
    let Panel { rows, to: dst, mut sources, count } = panel;
    // Items along either side of a tile.
    let (high, deep) = const {
        match N {
            1 => (128, 128),
            2 => (64, 128),
            _ => (LONG / N, LONG / N),
        }
    };
    // From one row of the place to the next.
    let pitch = const { LINE + if N == 1 { LONG / 2 } else { LONG } };
    // Items along either side of a square, and rows of the source at a time.
    let side = const { 16 / N };
    let some = const { if N < 4 { 16 / N } else { 8 } };
    let mut place: Place = [MaybeUninit::uninit(); _];
    let place = place.as_mut_ptr().cast::<u8>().wrapping_add(LINE);
    let mut carry: Carry = [MaybeUninit::uninit(); _];
    let carry = carry.as_mut_ptr();
    // Where the rows of this tile begin, and of the next.
    let mut next = [[std::ptr::null(); MOST_ROWS]; 2];
    let mut fill = |to: &mut [[*const u8; MOST_ROWS]; 2], count: usize| {
        let first = count.min(MOST_ROWS);
        sources.fill(&mut to[0], first);
        sources.fill(&mut to[1], count - first);
        let all = to.as_flattened_mut();
        // Rows that are not there: the last one again, turned for nothing.
        if count > 0 {
            let last = all[count - 1];
            all[count..count.next_multiple_of(some)].fill(last);
        }
    };
    fill(&mut next, deep.min(count));
    let mut j = 0;
    while j < count {
        let here = deep.min(count - j);
        let further = deep.min(count - j - here);
        let now = next;
        fill(&mut next, further);
        let (from, after) = (now.as_flattened(), next.as_flattened());
        let mut i = 0;
        while i < rows.len() {
            let tall = high.min(rows.len() - i);
            // What is asked for meanwhile: the tile beside this one, or the first of the next rows.
            let (asked, column) =
                if i + high < rows.len() { (&from[..here], i + high) } else { (&after[..further], 0) };
            let wide = high.min(rows.len() - column) * N;
            for g in (0..here).step_by(some) {
                for k in (0..tall).step_by(side) {
                    // The last square may be one that ends where the rows do, and begins before the tile.
                    let first = (i + k).min(rows.len() - side);
                    let to = place.wrapping_add((BEFORE + first - i) * pitch + g * N);
                    for h in (0..some).step_by(side) {
                        let at = (first * N) as isize;
                        // SAFETY: P1: `side` items from `first` on lie side by side in each of these rows. A row of the place
                        // has room for `LONG` bytes, and there are `BEFORE` before those of the tile.
                        unsafe { square::<N>(&Slice(from), g + h, at, to.wrapping_add(h * N), pitch) };
                    }
                }
                for row in asked.iter().skip(g).take(some) {
                    for at in (0..wide).step_by(LINE) {
                        ask(row.wrapping_add(column * N + at));
                    }
                }
            }
            for (k, row) in rows[i..i + tall].iter().enumerate() {
                let piece = place.wrapping_add((BEFORE + k) * pitch);
                let to = dst.wrapping_offset(*row).wrapping_add(j * N);
                let (carry, ends) = (carry.wrapping_add(i + k).cast(), (j == 0, j + here == count));
                // SAFETY: P1: the items of this tile lie side by side in the row; the place holds them, and the carry what
                // was before them.
                unsafe { write(stream, to, piece, here * N, carry, ends) };
            }
            i += tall;
        }
        j += here;
    }
}

/// Rows that stand in a list.
struct Slice<'r>(&'r [*const u8]);

impl super::form::Begins for Slice<'_> {
    #[inline(always)]
    fn row(&self, k: usize) -> *const u8 {
        self.0[k]
    }
}

/// Writes those lines of a row past the cache that end in its next `bytes` bytes, and what is left at the ends of the row.
///
/// # Safety
///
/// So many bytes belong to the row from `to` on and lie at `piece`, in front of which are 64 bytes of room. `carry` holds the
/// 64 bytes before them unless these are the `first`, and does so afterwards unless these are the `last`, which alone may be
/// fewer than 64.
#[inline(always)]
unsafe fn write(
    stream: Stream,
    to: *mut u8,
    piece: *mut u8,
    bytes: usize,
    carry: *mut u8,
    (first, last): (bool, bool),
) {
    let late = to.addr() % LINE;
    // From where on nothing is written yet, counted from `to`.
    let mut at = 0;
    if first {
        let head = ((LINE - late) % LINE).min(bytes);
        // SAFETY: P1: the first bytes of the row.
        unsafe { to.copy_from_nonoverlapping(piece, head) };
        at = head as isize;
    } else if late > 0 {
        // SAFETY: the carry, and the room in front of the piece.
        unsafe { piece.wrapping_sub(LINE).copy_from_nonoverlapping(carry, LINE) };
        at = -(late as isize);
    }
    let whole = (bytes as isize - at) as usize / LINE * LINE;
    // SAFETY: P1: lines of the row, aligned; the piece and what was carried lie in one.
    unsafe { stream(to.wrapping_offset(at), piece.wrapping_offset(at), whole) };
    at += whole as isize;
    if last {
        let rest = (bytes as isize - at) as usize;
        // SAFETY: P1: the last bytes of the row.
        unsafe { to.wrapping_offset(at).copy_from_nonoverlapping(piece.wrapping_offset(at), rest) };
    } else if late > 0 {
        // SAFETY: the carry, and the end of a piece that is as long as a tile.
        unsafe { carry.copy_from_nonoverlapping(piece.wrapping_add(bytes - LINE), LINE) };
    }
}

/// Asks for the line at an address that may be touched soon, whether or not there is memory.
#[inline(always)]
fn ask(address: *const u8) {
    // SAFETY: a hint that never faults, whatever the address.
    unsafe { _mm_prefetch::<_MM_HINT_T1>(address.cast()) };
}
