//! Engines in dynamic libraries: the five C functions of `extbuf-plugin`, called from the other side. Another build of
//! the engine, an older one say, runs beside the one built in, in the same turns and on the same memory.

// Loads a library and calls what it finds there.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_char, c_void};
use std::mem::transmute_copy;
use std::rc::Rc;

use extbuf_plugin::{CaseC, Change};

use crate::job::Job;
use crate::peers::{Role, Runner};

type Handle = *mut c_void;
type Prepare = unsafe extern "C" fn(*const c_char, *const CaseC) -> Handle;
type Indirect =
    unsafe extern "C" fn(*const c_char, *const *const u8, usize, u32, *const usize, *mut u8) -> Handle;
type RunIt = unsafe extern "C" fn(Handle, usize) -> f64;
type Free = unsafe extern "C" fn(Handle);

/// A library with the five functions. It stays loaded until the process ends.
#[derive(Clone, Copy, Debug)]
struct Functions {
    prepare: Prepare,
    indirect: Indirect,
    run: RunIt,
    free: Free,
}

/// One engine of a library: the name is passed on to it, and is the runner's.
#[derive(Clone, Debug)]
pub struct Plugin {
    name: CString,
    functions: Functions,
}

impl Plugin {
    /// Loads `LIBRARY=NAME`.
    ///
    /// # Errors
    ///
    /// Where the text is not of that form, or the library or one of its functions is not there.
    pub fn load(text: &str) -> Result<Plugin, String> {
        let (path, name) = text.rsplit_once('=').ok_or_else(|| format!("`{text}` is not LIBRARY=NAME"))?;
        let text = |text: &str| CString::new(text).map_err(|_| "a zero byte in a name".to_owned());
        let path = text(path)?;
        // SAFETY: loading a library runs what it registers for that; the user named it to be run.
        let library = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
        if library.is_null() {
            return Err(last_error());
        }
        let functions = Functions {
            prepare: find(library, c"peer_prepare")?,
            indirect: find(library, c"indirect_prepare")?,
            run: find(library, c"peer_run")?,
            free: find(library, c"peer_free")?,
        };
        Ok(Plugin { name: text(name)?, functions })
    }

    /// Its runner for a case, if it offers it.
    pub fn offers(&self, job: &Job) -> Option<Runner> {
        let case = &job.case;
        let threads = job.threads as u32;
        let handle = if case.entry.rows.is_some() {
            let [r0, r1, rs, c0, c1, cs] = case.entry.crop;
            let spec = [r0, r1, rs, c0, c1, cs, usize::from(case.entry.transposed)];
            let (table, to) = (job.table.as_ptr(), job.dst_start());
            // SAFETY: J1, J2: the table and the rows are there, and so is room for the result.
            unsafe {
                (self.functions.indirect)(
                    self.name.as_ptr(),
                    table,
                    case.src_item,
                    threads,
                    spec.as_ptr(),
                    to,
                )
            }
        } else {
            let described = CaseC {
                ndim: case.shape.len(),
                elem: case.src_item,
                op: match case.change {
                    Change::Copy => 0,
                    Change::F64ToF32 => 1,
                    Change::U8ToF32 => 2,
                    Change::Swap => 3,
                },
                threads,
                shape: case.shape.as_ptr(),
                sstr: case.src.strides.as_ptr(),
                dstr: case.dst.strides.as_ptr(),
                src: job.src_start(),
                dst: job.dst_start(),
                src_base: job.src.start(),
                src_bytes: job.src.bytes().len(),
                dst_base: job.dst.start_mut(),
                dst_bytes: job.dst.bytes().len(),
            };
            // SAFETY: J1, J2: what the case describes is there.
            unsafe { (self.functions.prepare)(self.name.as_ptr(), &raw const described) }
        };
        let prepared =
            (!handle.is_null()).then(|| Rc::new(Prepared { handle, functions: self.functions }))?;
        Some(Runner {
            name: self.name.to_string_lossy().into_owned(),
            role: Role::Ours,
            // SAFETY: J2, J3; the handle came from the library and is freed when the runner is dropped.
            run: Box::new(move |iterations| unsafe { (prepared.functions.run)(prepared.handle, iterations) }),
            output: None,
        })
    }
}

struct Prepared {
    handle: Handle,
    functions: Functions,
}

impl Drop for Prepared {
    fn drop(&mut self) {
        // SAFETY: it came from the library, and this is its end.
        unsafe { (self.functions.free)(self.handle) };
    }
}

/// A function of a library, by name; its type is what the name stands for in `extbuf-plugin`.
fn find<F: Copy>(library: *mut c_void, name: &CStr) -> Result<F, String> {
    // SAFETY: the library is loaded, the name ends in a zero byte.
    let symbol = unsafe { libc::dlsym(library, name.as_ptr()) };
    if symbol.is_null() {
        return Err(last_error());
    }
    const { assert!(size_of::<F>() == size_of::<*mut c_void>()) };
    // SAFETY: a function pointer is as large as an address here, and the five names have these types.
    Ok(unsafe { transmute_copy(&symbol) })
}

fn last_error() -> String {
    // SAFETY: `dlerror` answers with null or a text that lives until the next call on this thread.
    let text = unsafe { libc::dlerror() };
    if text.is_null() {
        return "the library cannot be loaded".to_owned();
    }
    // SAFETY: the text ends in a zero byte.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}
