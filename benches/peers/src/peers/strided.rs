//! `strided-perm` and `strided-basic`, which is the engine of `strided-kernel`: their `copy_into`.

// Makes slices of blocks from raw addresses.
#![allow(unsafe_code)]

use std::slice;
use std::sync::OnceLock;

use extbuf_plugin::Change;
use strided_view::{StridedView, StridedViewMut};
use threadteam::{Exec, Pool};

use super::{Run, by_size, timed};
use crate::case::Side;
use crate::job::Job;

/// The permutation engine.
pub(super) fn perm(job: &Job) -> Option<Run> {
    by_size!(job, T => of::<T>(job, |to, from, exec| strided_perm::copy_into(to, from, exec).is_ok()))
}

/// The general one.
pub(super) fn basic(job: &Job) -> Option<Run> {
    by_size!(job, T => of::<T>(job, |to, from, exec| strided_basic::copy_into(to, from, exec).is_ok()))
}

type CopyInto<T> = fn(&mut StridedViewMut<'_, T>, &StridedView<'_, T>, Exec<'_>) -> bool;

fn of<T: Copy + Send + Sync + 'static>(job: &Job, copy: CopyInto<T>) -> Option<Run> {
    static TEAM: OnceLock<Pool> = OnceLock::new();
    if job.case.change != Change::Copy {
        return None;
    }
    let threads = job.threads;
    let team = (threads > 1)
        .then(|| TEAM.get_or_init(|| Pool::builder().threads(threads).build().expect("threads can be had")));
    let shape = job.case.shape.clone();
    let (src, dst) = (job.case.src.clone(), job.case.dst.clone());
    let ((src_low, src_length), (dst_low, dst_length)) = (span(&src, &shape), span(&dst, &shape));
    let from = job.src_start::<T>().wrapping_offset(-src_low);
    let to = job.dst_start::<T>().wrapping_offset(-dst_low);
    Some(timed(move || {
        // SAFETY: J1, J2: from the lowest item of the view to the highest.
        let from = unsafe { slice::from_raw_parts(from, src_length) };
        // SAFETY: J1, J2, J3: the same, and nobody else looks at it.
        let to = unsafe { slice::from_raw_parts_mut(to, dst_length) };
        let from = StridedView::new(from, &shape, &src.strides, src_low).expect("inside");
        let mut to = StridedViewMut::new(to, &shape, &dst.strides, dst_low).expect("inside");
        let exec = team.map_or(Exec::serial(), |team| Exec::new(team, threads).expect("a team of so many"));
        assert!(copy(&mut to, &from, exec), "refused");
    }))
}

/// How far the first item lies above the lowest, and items from the lowest to the highest.
fn span(side: &Side, shape: &[usize]) -> (isize, usize) {
    let (mut low, mut high) = (0, 0);
    for (&stride, &extent) in side.strides.iter().zip(shape) {
        let reach = stride * (extent as isize - 1);
        if reach < 0 { low -= reach } else { high += reach }
    }
    (low, (low + high + 1) as usize)
}
