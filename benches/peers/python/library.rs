//! The harness as a library that Python loads: `python/peers.py` hands over its own runners.

// A name that a linker resolves, and pointers across the boundary.
#![allow(unsafe_code)]

use std::ffi::{CStr, OsString, c_char};
use std::rc::Rc;

use extbuf_peers::cli;
use extbuf_peers::foreign::{Foreign, Functions};

/// Runs the command line, given as one argument a line, with the runners of the other side. Returns the exit code.
///
/// # Safety
///
/// `arguments` is a text that ends in a zero byte, and `functions` is valid; both stay so until this returns.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn extbuf_peers(arguments: *const c_char, functions: *const Functions) -> i32 {
    // SAFETY: the caller's contract.
    let text = unsafe { CStr::from_ptr(arguments) }.to_string_lossy();
    let arguments: Vec<OsString> = text.lines().map(OsString::from).collect();
    // SAFETY: the caller's contract.
    let functions = unsafe { *functions };
    i32::from(cli::code(arguments, Some(&Foreign(Rc::new(functions)))))
}
