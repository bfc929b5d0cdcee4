//! `ndarray`: `Zip` (also on threads) and `assign`, over views that are made once.

// Makes views from raw addresses.
#![allow(unsafe_code)]

use extbuf_plugin::Change;
use ndarray::{
    Axis, Dimension, IntoDimension, Ix1, Ix2, Ix3, Ix4, Ix5, Ix6, IxDyn, RawArrayView, RawArrayViewMut,
    ShapeBuilder, Zip,
};

use super::{Run, Shared, by_change, by_size, timed};
use crate::case::Side;
use crate::job::Job;

/// Runs a generic function for the dimension type of the rank.
macro_rules! by_rank {
    ($job:expr, $dimension:ident => $run:expr) => {
        match *$job.case.shape.as_slice() {
            [] => None,
            [a] => {
                let $dimension = Ix1(a);
                Some($run)
            }
            [a, b] => {
                let $dimension = Ix2(a, b);
                Some($run)
            }
            [a, b, c] => {
                let $dimension = Ix3(a, b, c);
                Some($run)
            }
            [a, b, c, d] => {
                let $dimension = Ix4(a, b, c, d);
                Some($run)
            }
            [a, b, c, d, e] => {
                let $dimension = Ix5(a, b, c, d, e);
                Some($run)
            }
            [a, b, c, d, e, f] => {
                let $dimension = Ix6(a, b, c, d, e, f);
                Some($run)
            }
            ref shape => {
                let $dimension = IxDyn(shape).into_dimension();
                Some($run)
            }
        }
    };
}

/// `Zip::for_each`, or `par_for_each`.
pub(super) fn zip(job: &Job, parallel: bool) -> Option<Run> {
    if parallel != (job.threads > 1) || parallel && job.case.shape.len() > 6 {
        return None;
    }
    by_change!(job, change => by_rank!(job, dimension => zip_by(job, dimension, parallel, change)))
}

fn zip_by<A, B, D>(
    job: &Job,
    dimension: D,
    parallel: bool,
    change: impl Fn(A) -> B + Copy + Send + Sync + 'static,
) -> Run
where
    A: Copy + Send + Sync + 'static,
    B: Copy + Send + Sync + 'static,
    D: Dimension + 'static,
{
    let (src, dst) = views::<A, B, D>(job, &dimension);
    let (src, dst) = (Shared(src), Shared(dst));
    timed(move || {
        // SAFETY: J1, J2: the view lies in a block that lives on.
        let src = unsafe { src.0.clone().deref_into_view() };
        // SAFETY: J1, J2, J3: and nobody else looks at it.
        let dst = unsafe { dst.0.clone().deref_into_view_mut() };
        let zip = Zip::from(dst).and(src);
        if parallel {
            zip.par_for_each(|to, &from| *to = change(from));
        } else {
            zip.for_each(|to, &from| *to = change(from));
        }
    })
}

/// `assign`.
pub(super) fn assign(job: &Job) -> Option<Run> {
    if job.threads > 1 || job.case.change != Change::Copy {
        return None;
    }
    by_size!(job, T => by_rank!(job, dimension => assign_by::<T, _>(job, dimension)))
}

fn assign_by<T: Copy + 'static, D: Dimension + 'static>(job: &Job, dimension: D) -> Run {
    let (src, dst) = views::<T, T, D>(job, &dimension);
    timed(move || {
        // SAFETY: J1, J2: the view lies in a block that lives on.
        let src = unsafe { src.clone().deref_into_view() };
        // SAFETY: J1, J2, J3: and nobody else looks at it.
        let mut dst = unsafe { dst.clone().deref_into_view_mut() };
        dst.assign(&src);
    })
}

fn views<A, B, D: Dimension>(job: &Job, dimension: &D) -> (RawArrayView<A, D>, RawArrayViewMut<B, D>) {
    let (src_low, src_strides, src_down) = upwards(&job.case.src, &job.case.shape, dimension);
    let (dst_low, dst_strides, dst_down) = upwards(&job.case.dst, &job.case.shape, dimension);
    let start = job.src_start::<A>().wrapping_offset(src_low);
    // SAFETY: J1: all items lie in the block; the strides are not below zero.
    let mut src = unsafe { RawArrayView::from_shape_ptr(dimension.clone().strides(src_strides), start) };
    let start = job.dst_start::<B>().wrapping_offset(dst_low);
    // SAFETY: J1: the same.
    let mut dst = unsafe { RawArrayViewMut::from_shape_ptr(dimension.clone().strides(dst_strides), start) };
    src_down.into_iter().for_each(|axis| src.invert_axis(Axis(axis)));
    dst_down.into_iter().for_each(|axis| dst.invert_axis(Axis(axis)));
    (src, dst)
}

/// A side with all strides upwards: where it then begins, its strides, and the axes to turn round again.
fn upwards<D: Dimension>(side: &Side, shape: &[usize], dimension: &D) -> (isize, D, Vec<usize>) {
    let mut strides = D::zeros(dimension.ndim());
    let (mut low, mut down) = (0, Vec::new());
    for (axis, (&stride, &extent)) in side.strides.iter().zip(shape).enumerate() {
        strides[axis] = stride.unsigned_abs();
        if stride < 0 {
            low += stride * (extent as isize - 1);
            down.push(axis);
        }
    }
    (low, strides, down)
}
