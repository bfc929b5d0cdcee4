//! `transpose` and `fast_transpose`: dense matrices turned, also many in a row; the second also mirrors pictures.

// Makes slices of blocks from raw addresses.
#![allow(unsafe_code)]

use std::slice;

use extbuf_plugin::Change;
use fast_transpose::{
    FlipMode, FlopMode, flip_arbitrary, flop_arbitrary, rotate180_arbitrary, transpose_plane,
    transpose_plane16, transpose_rgba, transpose_rgba_f32, transpose_rgba16,
};

use super::{Run, by_size, joined, timed};
use crate::job::Job;

/// Dense matrices, one behind the other, each to be written transposed: how many, rows and columns of the source.
fn matrices(job: &Job) -> Option<(usize, usize, usize)> {
    let loops = joined(job);
    let (batch, first, second) = match *loops.as_slice() {
        [(count, src, dst), a, b] if src == dst && src == (a.0 * b.0) as isize => (count, a, b),
        [a, b] => (1, a, b),
        _ => return None,
    };
    let ((columns, 1, to), (rows, from, 1)) = (first, second) else { return None };
    (from == columns as isize && to == rows as isize).then_some((batch, rows, columns))
}

/// The crate `transpose`.
pub(super) fn transpose(job: &Job) -> Option<Run> {
    by_size!(job, T => each_matrix::<T>(job, |from, to, rows, columns| {
        ::transpose::transpose(from, to, columns, rows);
    }))
}

/// The crate `fast_transpose`.
pub(super) fn fast(job: &Job) -> Option<Run> {
    mirror(job).or_else(|| match job.case.src_item {
        1 => each_matrix::<u8>(job, |from, to, h, w| {
            transpose_plane(from, w, to, h, w, h, FlipMode::NoFlip, FlopMode::Flop).expect("fits");
        }),
        2 => each_matrix::<u16>(job, |from, to, h, w| {
            transpose_plane16(from, w, to, h, w, h, FlipMode::NoFlip, FlopMode::Flop).expect("fits");
        }),
        4 => each_matrix::<[u8; 4]>(job, |from, to, h, w| {
            let (from, to) = (from.as_flattened(), to.as_flattened_mut());
            transpose_rgba(from, 4 * w, to, 4 * h, w, h, FlipMode::NoFlip, FlopMode::Flop).expect("fits");
        }),
        8 => each_matrix::<[u16; 4]>(job, |from, to, h, w| {
            let (from, to) = (from.as_flattened(), to.as_flattened_mut());
            transpose_rgba16(from, 4 * w, to, 4 * h, w, h, FlipMode::NoFlip, FlopMode::Flop).expect("fits");
        }),
        16 => each_matrix::<[f32; 4]>(job, |from, to, h, w| {
            let (from, to) = (from.as_flattened(), to.as_flattened_mut());
            transpose_rgba_f32(from, 4 * w, to, 4 * h, w, h, FlipMode::NoFlip, FlopMode::Flop).expect("fits");
        }),
        _ => None,
    })
}

fn each_matrix<T: 'static>(job: &Job, turn: fn(&[T], &mut [T], usize, usize)) -> Option<Run> {
    if job.threads > 1 || job.case.change != Change::Copy {
        return None;
    }
    let (batch, rows, columns) = matrices(job)?;
    let (src, dst, length) = (job.src_start::<T>(), job.dst_start::<T>(), rows * columns);
    Some(timed(move || {
        for matrix in 0..batch {
            // SAFETY: J1, J2: a dense matrix in a block that lives on.
            let from = unsafe { slice::from_raw_parts(src.wrapping_add(matrix * length), length) };
            // SAFETY: J1, J2, J3: and nobody else looks at it.
            let to = unsafe { slice::from_raw_parts_mut(dst.wrapping_add(matrix * length), length) };
            turn(from, to, rows, columns);
        }
    }))
}

/// A dense picture mirrored along one axis or both.
fn mirror(job: &Job) -> Option<Run> {
    if job.threads > 1 || job.case.change != Change::Copy {
        return None;
    }
    let (height, width, down, right) = match *joined(job).as_slice() {
        [(w, right, 1)] if right == -1 => (1, w, -(w as isize), right),
        [(h, down, to), (w, right, 1)] if to == w as isize && down.unsigned_abs() == w => (h, w, down, right),
        _ => return None,
    };
    if right.abs() != 1 || (down > 0 && right > 0) {
        return None;
    }
    let mut low = if right < 0 { 1 - width as isize } else { 0 };
    if down < 0 {
        low += down * (height as isize - 1);
    }
    by_size!(job, T => {
        let (src, dst) = (job.src_start::<T>().wrapping_offset(low), job.dst_start::<T>());
        Some(timed(move || {
            // SAFETY: J1, J2: the whole picture, from its lowest item on.
            let from = unsafe { slice::from_raw_parts(src, width * height) };
            // SAFETY: J1, J2, J3: and nobody else looks at it.
            let to = unsafe { slice::from_raw_parts_mut(dst, width * height) };
            match (down < 0, right < 0) {
                (true, true) => rotate180_arbitrary(from, width, to, width, width, height),
                (true, false) => flop_arbitrary(from, width, to, width, width, height),
                _ => flip_arbitrary(from, width, to, width, width, height),
            }
            .expect("fits");
        }))
    })
}
