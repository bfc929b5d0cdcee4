//! The engine, in the two ways that it is used: a plan made once and run again, and all of it in one call.

// Hands it raw addresses.
#![allow(unsafe_code)]

use extbuf_plugin::{Rows, Side, Way, Work};

use super::{Role, Runner, timed};
use crate::job::Job;

pub(super) fn offers(job: &Job) -> Vec<Runner> {
    [("extbuf", false), ("extbuf one-shot", true)]
        .into_iter()
        .filter_map(|(name, one_shot)| {
            let mut work = work(job, Way { threads: job.threads, one_shot })?;
            Some(Runner::new(name, Role::Ours, timed(move || work.run())))
        })
        .collect()
}

/// The plan that the engine makes of a job, if it offers it.
pub(crate) fn work(job: &Job, way: Way) -> Option<Work> {
    let case = &job.case;
    if case.entry.rows.is_some() {
        let [r0, r1, rs, c0, c1, cs] = case.entry.crop;
        let picture = Rows {
            table: job.table.as_ptr(),
            item: case.src_item,
            rows: [r0, r1, rs],
            columns: [c0, c1, cs],
            transposed: case.entry.transposed,
        };
        // SAFETY: J1, J2, J3; the table lives in the job.
        return unsafe { Work::rows(&picture, job.dst_start(), way) };
    }
    let src = Side { start: job.src_start(), strides: &case.src.strides };
    let dst = Side { start: job.dst_start(), strides: &case.dst.strides };
    // SAFETY: J1, J2, J3.
    unsafe { Work::direct(case.change, case.src_item, &case.shape, dst, src, way) }
}
