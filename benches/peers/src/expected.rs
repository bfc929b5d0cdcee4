//! What must stand in the destination array afterwards: the slow obvious loop, in safe code, over all bytes of the
//! array, those that no item may touch among them.

use extbuf_plugin::Change;

use crate::case::Case;
use crate::job::Job;
use crate::memory::{Block, POISON};

/// The whole destination array, as it must look.
pub fn expected(job: &Job) -> Block {
    let case = &job.case;
    let mut image = Block::new(case.dst.length * case.dst_item);
    debug_assert!(image.bytes().first().is_none_or(|&byte| byte == POISON));
    let to = image.bytes_mut();
    each_index(&case.shape, |index, from_here, step_axis| {
        let (mut dst, dst_step) =
            (place(&case.dst, index, case.dst_item), stride(&case.dst, step_axis, case));
        for k in 0..from_here {
            let from = source(job, index, step_axis, k);
            changed(case.change, from, &mut to[dst as usize..dst as usize + case.dst_item]);
            dst += dst_step;
        }
    });
    image
}

/// Calls `visit` with each index of all axes but the last, the extent of the last, and which it is; once, with an
/// extent of 1, where there is no axis.
fn each_index(shape: &[usize], mut visit: impl FnMut(&[usize], usize, Option<usize>)) {
    let Some((&last, outer)) = shape.split_last() else { return visit(&[], 1, None) };
    let mut index = vec![0; outer.len()];
    if shape.contains(&0) {
        return;
    }
    loop {
        visit(&index, last, Some(outer.len()));
        let Some(axis) = (0..outer.len()).rev().find(|&axis| index[axis] + 1 < outer[axis]) else { return };
        index[axis] += 1;
        index[axis + 1..].fill(0);
    }
}

fn place(side: &crate::case::Side, index: &[usize], item: usize) -> isize {
    let items: isize = index.iter().zip(&side.strides).map(|(&k, &stride)| k as isize * stride).sum();
    (side.offset as isize + items) * item as isize
}

fn stride(side: &crate::case::Side, axis: Option<usize>, case: &Case) -> isize {
    axis.map_or(0, |axis| side.strides[axis] * case.dst_item as isize)
}

/// The bytes of the source item at `index` and `k` along the last axis.
fn source<'j>(job: &'j Job, index: &[usize], axis: Option<usize>, k: usize) -> &'j [u8] {
    let case = &job.case;
    let size = case.src_item;
    if case.entry.rows.is_some() {
        let [r0, _, rs, c0, _, cs] = case.entry.crop;
        let (row, column) = if case.entry.transposed { (k, index[0]) } else { (index[0], k) };
        let at = (c0 + column * cs) * size;
        return &job.row(r0 + row * rs)[at..at + size];
    }
    let along = axis.map_or(0, |axis| case.src.strides[axis] * k as isize);
    let at = (place(&case.src, index, 1) + along) as usize * size;
    &job.src.bytes()[at..at + size]
}

fn changed(change: Change, from: &[u8], to: &mut [u8]) {
    match change {
        Change::Copy => to.copy_from_slice(from),
        Change::Swap => {
            to.copy_from_slice(from);
            to.reverse();
        }
        Change::F64ToF32 => {
            let value = f64::from_ne_bytes(from.try_into().expect("eight bytes"));
            to.copy_from_slice(&(value as f32).to_ne_bytes());
        }
        Change::U8ToF32 => to.copy_from_slice(&f32::from(from[0]).to_ne_bytes()),
    }
}
