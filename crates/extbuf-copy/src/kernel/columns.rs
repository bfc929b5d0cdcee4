//! Rows behind pointers, turned into columns.
//!
//! Where each row is its own allocation there is no stride from one to the next, which a transpose wants. So a piece of
//! each of many rows is laid side by side first, into a place that stays in the first cache, and turned from there: the
//! rows are read in pieces of several lines, and the destination is written in runs of as many items as there are rows.

// Stages through memory on the stack.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;

use super::{Manner, Rows, Turn, prefetch};
use crate::plan::{Loop, MOST_TOGETHER};

/// Bytes of a row that are laid out at a time.
const PIECE: usize = 256;

/// Bytes from one row to the next where they are laid out: not a power of two, so that they fall into different sets of
/// the cache.
const PITCH: usize = PIECE + 64;

#[repr(align(64))]
struct Stage([MaybeUninit<u8>; MOST_TOGETHER * PITCH]);

/// `dst[k*unit + j*D ..][..unit] = row[k][j*unit ..][..unit]` for all rows `k` and all `j` of the loop, whose stride in the
/// destination is `D` and in the source `unit`.
///
/// # Safety
///
/// The bytes of all these items may be written, and read from each row (P1); none is both. There are no more rows than
/// [`MOST_TOGETHER`].
pub(crate) unsafe fn columns(
    manner: Manner,
    unit: usize,
    along: Loop,
    rows: impl ExactSizeIterator<Item = *const u8> + Clone,
    dst: *mut u8,
) {
    let mut stage = Stage([MaybeUninit::uninit(); MOST_TOGETHER * PITCH]);
    let stage = stage.0.as_mut_ptr().cast::<u8>();
    let most = PIECE / unit;
    let across = [Loop { extent: rows.len(), dst: unit as isize, src: PITCH as isize }];
    let mut start = 0;
    while start < along.extent {
        let count = most.min(along.extent - start);
        let this = [Loop { extent: count, ..along }];
        let mut places = Rows::new();
        let turn = Turn::new(unit, usize::MAX, manner, &this, &across, &mut places);
        // All pieces of one size.
        loop {
            for (k, row) in rows.clone().enumerate() {
                let (from, to) = (row.wrapping_add(start * unit), stage.wrapping_add(k * PITCH));
                for line in (0..PIECE).step_by(64) {
                    prefetch(from.wrapping_add(PIECE + line));
                }
                if count * unit == PIECE {
                    // SAFETY: P1 for the row; the stage has room for a piece of each.
                    unsafe { to.copy_from_nonoverlapping(from, PIECE) };
                } else {
                    // SAFETY: as above.
                    unsafe { to.copy_from_nonoverlapping(from, count * unit) };
                }
            }
            // SAFETY: P1 for the destination; the pieces have been laid out.
            unsafe { turn.run(dst.wrapping_offset(start as isize * along.dst), stage) };
            start += count;
            if along.extent - start < count || along.extent == start {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::columns;
    use crate::kernel::{Level, Manner};
    use crate::plan::Loop;

    #[test]
    fn each_row_becomes_a_column_and_nothing_else_is_touched() {
        for unit in [1, 2, 3, 4, 5, 8, 12, 16] {
            for (height, width) in [(1, 5), (7, 300), (33, 70), (64, 700), (64, 64)] {
                for streams in [false, true] {
                    let noise = |r: usize, k: usize| (r * 31 + k * 7 + k / 251) as u8;
                    let row = |r| (0..width * unit).map(|k| noise(r, k)).collect::<Vec<u8>>();
                    let rows: Vec<Vec<u8>> = (0..height).map(row).collect();
                    let (pitch, start) = (height * unit + 3, 5);
                    let mut target = vec![0xEE; pitch * width + 10];
                    let mut expected = target.clone();
                    for (r, row) in rows.iter().enumerate() {
                        for (j, item) in row.chunks_exact(unit).enumerate() {
                            expected[start + j * pitch + r * unit..][..unit].copy_from_slice(item);
                        }
                    }
                    let along = Loop { extent: width, dst: pitch as isize, src: unit as isize };
                    let manner = Manner { level: Level::of_this_machine(), streams };
                    let begins = rows.iter().map(|row| row.as_ptr());
                    let to = target.as_mut_ptr().wrapping_add(start);
                    // SAFETY: the columns lie inside the target, the items inside the rows.
                    unsafe { columns(manner, unit, along, begins, to) };
                    assert!(target == expected, "{height} rows of {width} items of {unit} bytes");
                }
            }
        }
    }
}
