//! Many short loops at once, by a table of offsets.
//!
//! A tensor of twenty axes of extent 2 has no loop worth the name: any two innermost loops hold four items, and walking
//! the others costs more than the moves. So the offsets of the innermost loops, as many as make a few hundred items,
//! are written down once, and the table is run at each step of the rest.

// Items are read and written through raw addresses.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;

use crate::plan::Loop;

/// Offsets in destination and source of each step of several loops, the last loop fastest.
pub(crate) struct Table {
    len: usize,
    offsets: [(isize, isize); Table::MOST],
}

impl Table {
    /// Entries at most.
    pub(crate) const MOST: usize = crate::plan::MOST_TABLED;

    /// Of loops whose extents multiply to no more than [`MOST`](Table::MOST).
    pub(crate) fn new(loops: &[Loop]) -> Table {
        let mut table = Table { len: 1, offsets: [(0, 0); Table::MOST] };
        for l in loops.iter().rev() {
            // What stands so far, once more for each further step of this loop.
            for step in 1..l.extent {
                for k in 0..table.len {
                    let (dst, src) = table.offsets[k];
                    let step = step as isize;
                    table.offsets[step as usize * table.len + k] = (dst + step * l.dst, src + step * l.src);
                }
            }
            table.len *= l.extent;
        }
        table
    }

    /// `dst[D[k] ..][..unit] = src[S[k] ..][..unit]` for every entry `(D[k], S[k])`.
    ///
    /// # Safety
    ///
    /// As for [`run`](super::run), for the places of the table.
    pub(crate) unsafe fn run(&self, unit: usize, dst: *mut u8, src: *const u8) {
        macro_rules! sized {
            ($($n:literal)*) => {
                match unit {
                    // SAFETY: the caller's contract, with the unit as a constant.
                    $($n => unsafe { self.moves::<$n>(dst, src) },)*
                    _ => unreachable!("the plan tabulates items of these sizes only"),
                }
            };
        }
        sized! { 1 2 3 4 5 6 7 8 12 16 24 32 }
    }

    /// # Safety
    ///
    /// As for [`run`](Table::run), with a unit of `N` bytes.
    unsafe fn moves<const N: usize>(&self, dst: *mut u8, src: *const u8) {
        for &(d, s) in &self.offsets[..self.len] {
            // SAFETY: P1: the source place is good to read; an array of bytes has alignment 1.
            let item = unsafe { src.wrapping_offset(s).cast::<MaybeUninit<[u8; N]>>().read() };
            // SAFETY: P1: the destination place is good to write; alignment 1.
            unsafe { dst.wrapping_offset(d).cast::<MaybeUninit<[u8; N]>>().write(item) };
        }
    }
}
