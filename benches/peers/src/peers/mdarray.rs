//! `mdarray`: `assign` between strided views of ranks 1 to 6, whose mappings are made once.

// Makes views from raw addresses.
#![allow(unsafe_code)]

use extbuf_plugin::Change;
use mdarray::mapping::StridedMapping;
use mdarray::{IntoShape, Shape, Strided, View, ViewMut};

use super::{Run, by_size, timed};
use crate::job::Job;

/// Its `assign`.
pub(super) fn assign(job: &Job) -> Option<Run> {
    if job.threads > 1 || job.case.change != Change::Copy {
        return None;
    }
    by_size!(job, T => by_rank::<T>(job))
}

fn by_rank<T: Copy + 'static>(job: &Job) -> Option<Run> {
    Some(match *job.case.shape.as_slice() {
        [a] => of_shape::<T, _>(job, (a,).into_shape()),
        [a, b] => of_shape::<T, _>(job, (a, b).into_shape()),
        [a, b, c] => of_shape::<T, _>(job, (a, b, c).into_shape()),
        [a, b, c, d] => of_shape::<T, _>(job, (a, b, c, d).into_shape()),
        [a, b, c, d, e] => of_shape::<T, _>(job, (a, b, c, d, e).into_shape()),
        [a, b, c, d, e, f] => of_shape::<T, _>(job, (a, b, c, d, e, f).into_shape()),
        _ => return None,
    })
}

fn of_shape<T: Copy + 'static, S: Shape + 'static>(job: &Job, shape: S) -> Run {
    let (src, dst) = (job.src_start::<T>(), job.dst_start::<T>());
    let from = StridedMapping::new(shape.clone(), &job.case.src.strides);
    let to = StridedMapping::new(shape, &job.case.dst.strides);
    timed(move || {
        // SAFETY: J1, J2: all items lie in a block that lives on.
        let from: View<'_, T, S, Strided> = unsafe { View::new_unchecked(src, from.clone()) };
        // SAFETY: J1, J2, J3: and nobody else looks at them.
        let mut to: ViewMut<'_, T, S, Strided> = unsafe { ViewMut::new_unchecked(dst, to.clone()) };
        to.assign(from);
    })
}
