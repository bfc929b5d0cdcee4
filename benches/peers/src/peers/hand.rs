//! The loops that people write when they have no library.

// Reads and writes items by address.
#![allow(unsafe_code)]

use std::ptr;

use rayon::prelude::*;

use super::{Run, Shared, by_change, by_size, joined, timed};
use crate::job::Job;

/// Loops joined where they can be, the last axis of the result innermost.
pub(super) fn direct(job: &Job) -> Option<Run> {
    if job.threads > 1 {
        return None;
    }
    let loops = joined(job);
    by_change!(job, change => Some(nest(job.src_start(), job.dst_start(), loops, change)))
}

fn nest<A: Copy + 'static, B: Copy + 'static>(
    src: *const A,
    dst: *mut B,
    mut loops: Vec<(usize, isize, isize)>,
    change: impl Fn(A) -> B + Copy + 'static,
) -> Run {
    let (extent, src_step, dst_step) = loops.pop().unwrap_or((1, 1, 1));
    let mut index = vec![0; loops.len()];
    timed(move || {
        let (mut from, mut to) = (src, dst);
        loop {
            if (src_step, dst_step) == (1, 1) {
                // SAFETY: J1: a dense run of the source.
                let run = unsafe { std::slice::from_raw_parts(from, extent) };
                // SAFETY: J1, J3: a dense run of the destination.
                let into = unsafe { std::slice::from_raw_parts_mut(to, extent) };
                for (to, &from) in into.iter_mut().zip(run) {
                    *to = change(from);
                }
            } else {
                for k in 0..extent as isize {
                    // SAFETY: J1.
                    let item = unsafe { from.wrapping_offset(k * src_step).read() };
                    // SAFETY: J1, J3.
                    unsafe { to.wrapping_offset(k * dst_step).write(change(item)) };
                }
            }
            // On to the next index, the last of the outer loops fastest.
            let mut axis = loops.len();
            loop {
                if axis == 0 {
                    return;
                }
                axis -= 1;
                let (extent, src_step, dst_step) = loops[axis];
                index[axis] += 1;
                from = from.wrapping_offset(src_step);
                to = to.wrapping_offset(dst_step);
                if index[axis] < extent {
                    break;
                }
                index[axis] = 0;
                from = from.wrapping_offset(-src_step * extent as isize);
                to = to.wrapping_offset(-dst_step * extent as isize);
            }
        }
    })
}

/// What is wanted of a picture in row pointers, by numbers alone.
#[derive(Clone, Copy)]
struct Crop {
    table: *const *const u8,
    first_row: usize,
    row_step: usize,
    rows: usize,
    first_column: usize,
    column_step: usize,
    columns: usize,
    transposed: bool,
}

impl Crop {
    fn of(job: &Job) -> Crop {
        let [r0, r1, rs, c0, c1, cs] = job.case.entry.crop;
        Crop {
            table: job.table.as_ptr(),
            first_row: r0,
            row_step: rs,
            rows: (r1 - r0).div_ceil(rs),
            first_column: c0,
            column_step: cs,
            columns: (c1 - c0).div_ceil(cs),
            transposed: job.case.entry.transposed,
        }
    }

    /// The address of the first wanted item of a wanted row.
    fn row<T>(&self, row: usize) -> *const T {
        let place = self.table.wrapping_add(self.first_row + row * self.row_step);
        // SAFETY: J1: the crop lies inside the table.
        unsafe { place.read() }.cast::<T>().wrapping_add(self.first_column)
    }
}

/// Row by row: a block copy where the row is dense, else item by item.
pub(super) fn row_loop(job: &Job) -> Option<Run> {
    by_size!(job, T => {
        let (crop, dst) = (Shared(Crop::of(job)), Shared(job.dst_start::<T>()));
        Some(each(job, crop.get().rows, move |row| {
            let (crop, dst) = (crop.get(), dst.get());
            let from = crop.row::<T>(row);
            let (mut to, step) = match crop.transposed {
                true => (dst.wrapping_add(row), crop.rows),
                false => (dst.wrapping_add(row * crop.columns), 1),
            };
            if crop.column_step == 1 && step == 1 {
                // SAFETY: J1, J3: the wanted part of the row, and its place in the dense result.
                return unsafe { ptr::copy_nonoverlapping(from, to, crop.columns) };
            }
            for column in 0..crop.columns {
                // SAFETY: J1.
                let item = unsafe { from.wrapping_add(column * crop.column_step).read() };
                // SAFETY: J1, J3.
                unsafe { to.write(item) };
                to = to.wrapping_add(step);
            }
        }))
    })
}

/// Column by column: the result is written in order, an item of every row after another.
pub(super) fn column_loop(job: &Job) -> Option<Run> {
    if !job.case.entry.transposed {
        return None;
    }
    by_size!(job, T => {
        let (crop, dst) = (Shared(Crop::of(job)), Shared(job.dst_start::<T>()));
        Some(each(job, crop.get().columns, move |column| {
            let crop = crop.get();
            let to = dst.get().wrapping_add(column * crop.rows);
            for row in 0..crop.rows {
                // SAFETY: J1.
                let item = unsafe { crop.row::<T>(row).wrapping_add(column * crop.column_step).read() };
                // SAFETY: J1, J3.
                unsafe { to.wrapping_add(row).write(item) };
            }
        }))
    })
}

fn each(job: &Job, count: usize, body: impl Fn(usize) + Send + Sync + 'static) -> Run {
    if job.threads == 1 {
        timed(move || (0..count).for_each(&body))
    } else {
        timed(move || (0..count).into_par_iter().with_min_len(16).for_each(&body))
    }
}
