//! What must stand in the destination array afterwards: the slow obvious loop, in safe code, over all bytes of the
//! array, those that no item may touch among them.

use extbuf_plugin::Change;

use crate::case::Side;
use crate::job::Job;
use crate::memory::{Block, POISON};

/// The whole destination array, as it must look.
pub fn expected(job: &Job) -> Block {
    let case = &job.case;
    let mut image = Block::new(case.dst.length * case.dst_item);
    debug_assert!(image.bytes().first().is_none_or(|&byte| byte == POISON));
    let to = image.bytes_mut();
    each_index(&case.shape, |index, extent, last| {
        let step = |side: &Side| last.map_or(0, |axis| side.strides[axis]);
        let (mut dst, dst_step) = (place(&case.dst, index), step(&case.dst));
        let (mut src, src_step) = match case.entry.rows {
            Some(_) => (0, 1),
            None => (place(&case.src, index), step(&case.src)),
        };
        for _ in 0..extent {
            let from = match case.entry.rows {
                Some(_) => in_rows(job, index[0], src as usize),
                None => &job.src.bytes()[src as usize * case.src_item..],
            };
            let at = dst as usize * case.dst_item;
            changed(case.change, &from[..case.src_item], &mut to[at..at + case.dst_item]);
            (src, dst) = (src + src_step, dst + dst_step);
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

/// The item of the array at an index of all axes but the last.
fn place(side: &Side, index: &[usize]) -> isize {
    let along: isize = index.iter().zip(&side.strides).map(|(&k, &stride)| k as isize * stride).sum();
    side.offset as isize + along
}

/// The item `[i, j]` of the result, where it lies in the rows of the picture.
fn in_rows(job: &Job, i: usize, j: usize) -> &[u8] {
    let [r0, _, rs, c0, _, cs] = job.case.entry.crop;
    let (row, column) = if job.case.entry.transposed { (j, i) } else { (i, j) };
    &job.row(r0 + row * rs)[(c0 + column * cs) * job.case.src_item..]
}

fn changed(change: Change, from: &[u8], to: &mut [u8]) {
    match change {
        // A copy of a length that is not known costs a call.
        Change::Copy => to.iter_mut().zip(from).for_each(|(to, from)| *to = *from),
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
