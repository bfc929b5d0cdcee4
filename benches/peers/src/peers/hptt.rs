//! HPTT, the C++ library, through the crate of its name: permutations of 4, 8 and 16 byte floats, also out of and into
//! parts of larger arrays. The crate plans in every call.

// Makes slices of blocks from raw addresses.
#![allow(unsafe_code)]

use std::slice;

use extbuf_plugin::Change;
use hptt::MemoryOrder::RowMajor;
use num_complex::Complex64;

use super::{Run, timed};
use crate::job::Job;

/// A side as a part of a dense array: its axes from the outermost in memory, their extents, and those of the array.
struct Dense {
    axes: Vec<usize>,
    extents: Vec<usize>,
    array: Vec<usize>,
}

impl Dense {
    /// The smallest dense array that strides like these can lie in.
    fn of(shape: &[usize], strides: &[isize]) -> Option<Dense> {
        let mut axes: Vec<usize> = (0..shape.len()).collect();
        axes.sort_by_key(|&axis| std::cmp::Reverse(strides[axis]));
        let extents: Vec<usize> = axes.iter().map(|&axis| shape[axis]).collect();
        let mut array = extents.clone();
        for (place, &axis) in axes.iter().enumerate() {
            match axes.get(place + 1) {
                None if strides[axis] != 1 => return None,
                None => {}
                Some(&inner) => {
                    let step = strides[inner];
                    if step <= 0 || strides[axis] % step != 0 {
                        return None;
                    }
                    array[place + 1] = (strides[axis] / step) as usize;
                    if array[place + 1] < extents[place + 1] {
                        return None;
                    }
                }
            }
        }
        Some(Dense { axes, extents, array })
    }

    fn length(&self) -> usize {
        self.array.iter().product()
    }
}

/// Its `transpose` functions.
pub(super) fn transpose(job: &Job) -> Option<Run> {
    let case = &job.case;
    if case.change != Change::Copy {
        return None;
    }
    let kept: Vec<usize> = (0..case.shape.len()).filter(|&axis| case.shape[axis] > 1).collect();
    let shape: Vec<usize> = kept.iter().map(|&axis| case.shape[axis]).collect();
    let strides = |side: &[isize]| kept.iter().map(|&axis| side[axis]).collect::<Vec<_>>();
    let src = Dense::of(&shape, &strides(&case.src.strides))?;
    let dst = Dense::of(&shape, &strides(&case.dst.strides))?;
    if shape.is_empty() || !dst.axes.is_sorted() {
        return None;
    }
    // The parts must not reach over the end of what is there.
    if case.src.offset + src.length() > case.src.length || case.dst.offset + dst.length() > case.dst.length {
        return None;
    }
    // For each axis of the destination, which of the source's axes it is.
    let axes: Vec<usize> = (0..shape.len())
        .map(|axis| src.axes.iter().position(|&at| at == axis).expect("each axis is there"))
        .collect();
    let whole = src.array == src.extents && dst.array == dst.extents;
    let threads = job.threads;
    macro_rules! run {
        ($item:ty, $one:expr, $zero:expr, $whole:path, $part:path $(, $conjugate:literal)?) => {{
            let (from, to) = (job.src_start::<$item>(), job.dst_start::<$item>());
            Some(timed(move || {
                // SAFETY: J1, J2: the part of the array that was checked above.
                let from = unsafe { slice::from_raw_parts(from, src.length()) };
                // SAFETY: J1, J2, J3: the same, and nobody else looks at it.
                let to = unsafe { slice::from_raw_parts_mut(to, dst.length()) };
                let done = if whole {
                    $whole(&axes, $one, from, &src.extents, $zero, to, threads $(, $conjugate)?, RowMajor)
                } else {
                    $part(&axes, $one, from, &src.extents, &src.array, $zero, to, &dst.array, threads $(, $conjugate)?, RowMajor)
                };
                done.expect("a permutation");
            }))
        }};
    }
    match case.src_item {
        4 => run!(f32, 1.0, 0.0, hptt::transpose_f32, hptt::transpose_f32_sub),
        8 => run!(f64, 1.0, 0.0, hptt::transpose_f64, hptt::transpose_f64_sub),
        16 => {
            let (one, zero) = (Complex64::new(1.0, 0.0), Complex64::new(0.0, 0.0));
            run!(Complex64, one, zero, hptt::transpose_c64, hptt::transpose_c64_sub, false)
        }
        _ => None,
    }
}
