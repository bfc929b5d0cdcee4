//! Runners that live in another language: functions that it hands over, by which this program asks it to prepare a
//! case, to run what it prepared, and where the results are.

// Calls functions of the other side and looks at its memory.
#![allow(unsafe_code)]

use std::ffi::{CString, c_char};
use std::rc::Rc;

use crate::job::Job;
use crate::peers::{Role, Runner};

/// Room for the names of the runners of a case.
const NAMES: usize = 1024;

/// The functions of the other side. All are called on the thread that called [`run`](crate::cli::run).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Functions {
    /// Given a case as JSON text, the source array with its length, the destination array with its length, and the
    /// addresses of the rows: writes the names of its runners into the room given last, one a line, ended by a zero
    /// byte.
    pub prepare: extern "C" fn(
        *const c_char,
        *const u8,
        usize,
        *mut u8,
        usize,
        *const *const u8,
        usize,
        *mut c_char,
        usize,
    ),
    /// Runs one of them so many times; nanoseconds, below zero where it failed.
    pub run: extern "C" fn(usize, usize) -> f64,
    /// Where its result lies, with its length; null where it wrote to the destination.
    pub output: extern "C" fn(usize, *mut usize) -> *const u8,
    /// Forgets the case.
    pub finish: extern "C" fn(),
}

/// The other side.
#[derive(Debug)]
pub struct Foreign(pub Rc<Functions>);

impl Foreign {
    /// Its runners for a case.
    ///
    /// # Panics
    ///
    /// If a name in the table of cases has a zero byte.
    pub fn offers(&self, job: &Job) -> Vec<Runner> {
        let case = &job.case;
        let text = serde_json::json!({
            "id": case.id(),
            "group": case.entry.group,
            "shape": case.shape,
            "src_strides": case.src.strides,
            "dst_strides": case.dst.strides,
            "threads": job.threads,
        });
        let text = CString::new(text.to_string()).expect("JSON has no zero byte");
        let mut names: Vec<c_char> = vec![0; NAMES];
        let (src, dst) = (job.src.bytes(), job.dst.bytes().len());
        (self.0.prepare)(
            text.as_ptr(),
            src.as_ptr(),
            src.len(),
            job.dst.start_mut(),
            dst,
            job.table.as_ptr(),
            job.table.len(),
            names.as_mut_ptr(),
            NAMES,
        );
        let names: Vec<u8> = names.into_iter().take_while(|&c| c != 0).map(|c| c.cast_unsigned()).collect();
        let names = String::from_utf8_lossy(&names);
        names.lines().enumerate().map(|(number, name)| self.runner(number, name)).collect()
    }

    fn runner(&self, number: usize, name: &str) -> Runner {
        let (runs, tells) = (Rc::clone(&self.0), Rc::clone(&self.0));
        let output = move || {
            let mut length = 0;
            let start = (tells.output)(number, &raw mut length);
            (!start.is_null()).then_some((start, length))
        };
        Runner {
            name: name.to_owned(),
            role: Role::Peer,
            run: Box::new(move |iterations| (runs.run)(number, iterations)),
            output: Some(Box::new(output)),
        }
    }

    /// The case is over.
    pub fn finish(&self) {
        (self.0.finish)();
    }
}

/// The result of a runner that allocates it.
pub(crate) fn bytes<'a>(start: *const u8, length: usize) -> &'a [u8] {
    // SAFETY: the promise of `Functions::output`: so many bytes, which stay until the runner runs again or the case is
    // over; the only caller compares them at once.
    unsafe { std::slice::from_raw_parts(start, length) }
}
