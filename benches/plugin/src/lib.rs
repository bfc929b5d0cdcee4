//! The copy engine behind five C functions, so that a harness in any language can time it beside anything else.
//!
//! | function | does |
//! |---|---|
//! | [`peer_prepare`] | plans a copy between two strided arrays |
//! | [`indirect_prepare`] | plans a copy out of a picture whose rows are separate allocations |
//! | [`peer_run`] | runs what was planned so many times, and says how long that took |
//! | [`peer_out`] | says where the result lies, for engines that allocate it themselves; this one writes where it is told |
//! | [`peer_free`] | drops what was planned |
//!
//! Strides are counted in items here, since that is how harnesses count. The name asked for chooses how it is run:
//! any name runs a plan that was made once, one that ends in `once` or `one-shot` plans in every run, as the free functions
//! of the copy crate do.
//!
//! `cargo build --release -p extbuf-plugin` leaves it as `target/release/libextbuf_plugin.so`.
#![deny(unsafe_code)]
// Names that a linker resolves, raw pointers across the boundary.
#![allow(unsafe_code)]

mod work;

use std::ffi::{CStr, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::time::Instant;

pub use work::{Change, Rows, Side, Way, Work};

/// A copy, as the harness describes it.
#[repr(C)]
#[derive(Debug)]
pub struct CaseC {
    /// Number of axes.
    pub ndim: usize,
    /// Bytes of an item of the source.
    pub elem: usize,
    /// 0 copies, 1 makes `float32` of `float64`, 2 makes `float32` of `uint8`, 3 swaps the bytes of each item.
    pub op: u32,
    /// On how many threads.
    pub threads: u32,
    /// Extents.
    pub shape: *const usize,
    /// Strides of the source, in items.
    pub sstr: *const isize,
    /// Strides of the destination, in items of the destination.
    pub dstr: *const isize,
    /// Item `[0, 0, …]` of the source.
    pub src: *const u8,
    /// Item `[0, 0, …]` of the destination.
    pub dst: *mut u8,
    /// The allocation that the source lies in.
    pub src_base: *const u8,
    /// Its bytes.
    pub src_bytes: usize,
    /// The allocation that the destination lies in.
    pub dst_base: *mut u8,
    /// Its bytes.
    pub dst_bytes: usize,
}

/// Plans a copy between strided arrays; null where it is not offered.
///
/// # Safety
///
/// `name` is a string that ends in a zero byte, `case` is valid, and so are its shape and strides, for `ndim` entries.
/// Until [`peer_free`], every item of both sides may be used by [`peer_run`], they share no byte, and nobody else uses
/// them while it runs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn peer_prepare(name: *const c_char, case: *const CaseC) -> *mut Work {
    // SAFETY: the caller's contract on `case`.
    let case = unsafe { &*case };
    // SAFETY: the caller's contract on `shape`.
    let shape = unsafe { list(case.shape, case.ndim) };
    // SAFETY: the caller's contract on the strides of the source.
    let src = Side { start: case.src, strides: unsafe { list(case.sstr, case.ndim) } };
    // SAFETY: the caller's contract on the strides of the destination.
    let dst = Side { start: case.dst, strides: unsafe { list(case.dstr, case.ndim) } };
    // SAFETY: the caller's contract on `name`.
    let way = unsafe { way(name, case.threads) };
    handed_over(|| {
        let change = Change::from_number(case.op)?;
        // SAFETY: the caller's contract on both sides.
        unsafe { Work::direct(change, case.elem, shape, dst, src, way) }
    })
}

/// Plans a copy out of a picture in row pointers. `spec` holds first, end and step of the rows, the same of the
/// columns, and whether the result is written column by column (1) or row by row (0). The destination is dense.
///
/// # Safety
///
/// As for [`peer_prepare`]: `spec` has seven entries, `rows` leads to every row that they name, and `dst` has room for
/// the result.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn indirect_prepare(
    name: *const c_char,
    rows: *const *const u8,
    elem: usize,
    threads: u32,
    spec: *const usize,
    dst: *mut u8,
) -> *mut Work {
    // SAFETY: the caller's contract on `spec`.
    let spec = unsafe { list(spec, 7) };
    // SAFETY: the caller's contract on `name`.
    let way = unsafe { way(name, threads) };
    let picture = Rows {
        table: rows,
        item: elem,
        rows: [spec[0], spec[1], spec[2]],
        columns: [spec[3], spec[4], spec[5]],
        transposed: spec[6] == 1,
    };
    // SAFETY: the caller's contract on the rows and the destination.
    handed_over(|| unsafe { Work::rows(&picture, dst, way) })
}

/// Runs it `iterations` times. The nanoseconds that took, or -1 where it panicked.
///
/// # Safety
///
/// `work` came from one of the two functions above, was not freed, and is not run by another thread now.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn peer_run(work: *mut Work, iterations: usize) -> f64 {
    // SAFETY: the caller's contract.
    let work = unsafe { &mut *work };
    let timed = catch_unwind(AssertUnwindSafe(|| {
        let start = Instant::now();
        for _ in 0..iterations {
            work.run();
        }
        start.elapsed().as_nanos() as f64
    }));
    timed.unwrap_or(-1.0)
}

/// Null: the result lies where it was asked for. `length` is left alone.
#[unsafe(no_mangle)]
pub extern "C" fn peer_out(_work: *mut Work, _length: *mut usize) -> *const u8 {
    ptr::null()
}

/// Drops it.
///
/// # Safety
///
/// As for [`peer_run`]; it is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn peer_free(work: *mut Work) {
    // SAFETY: the caller's contract: it came from `handed_over`, and this is its end.
    drop(unsafe { Box::from_raw(work) });
}

fn handed_over(make: impl FnOnce() -> Option<Work>) -> *mut Work {
    match catch_unwind(AssertUnwindSafe(make)) {
        Ok(Some(work)) => Box::into_raw(Box::new(work)),
        _ => ptr::null_mut(),
    }
}

/// # Safety
///
/// `name` is a string that ends in a zero byte.
unsafe fn way(name: *const c_char, threads: u32) -> Way {
    // SAFETY: the caller's contract.
    let name = unsafe { CStr::from_ptr(name) };
    let one_shot = [&b"once"[..], b"one-shot"].iter().any(|end| name.to_bytes().ends_with(end));
    Way { threads: threads as usize, one_shot }
}

/// A list that may be empty, and then its pointer may be anything.
///
/// # Safety
///
/// Where `length` is not 0, `start` leads to so many entries for as long as the result is used.
unsafe fn list<'a, T>(start: *const T, length: usize) -> &'a [T] {
    if length == 0 {
        return &[];
    }
    // SAFETY: the caller's contract.
    unsafe { std::slice::from_raw_parts(start, length) }
}
