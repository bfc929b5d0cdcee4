//! The allocator of the program: the system's, which counts what is out, and refuses when it is told to.
//!
//! Most allocations of Rust end the process when they are refused. Those that do not are known by their size or their
//! alignment: the memory of a copy begins at a cache line, and a buffer that grows is large. So a thread that is about
//! to make one says [`refuse`], and the next allocation of that kind on this thread is refused.

// An allocator is unsafe by nature.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering};

/// What begins at such an address, or is so large, is allocated by who can bear a refusal.
const ALIGNMENT: usize = 64;
const LARGE: usize = 256 << 10;

static LIVE: AtomicIsize = AtomicIsize::new(0);
static REFUSED: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static ARMED: Cell<bool> = const { Cell::new(false) };
}

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn refused(size: Layout) -> bool {
    let fits = size.align() >= ALIGNMENT || size.size() >= LARGE;
    // Threads allocate once more while they end, when the cell is gone.
    let refused = fits && ARMED.try_with(|armed| armed.replace(false)).unwrap_or(false);
    if refused {
        REFUSED.fetch_add(1, Ordering::Relaxed);
    }
    refused
}

// SAFETY: passes everything on to the system's allocator, or answers with null, which any allocator may; counting
// touches atomics and a thread-local cell without a destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, size: Layout) -> *mut u8 {
        if refused(size) {
            return std::ptr::null_mut();
        }
        LIVE.fetch_add(size.size() as isize, Ordering::Relaxed);
        // SAFETY: the caller's contract, passed on.
        unsafe { System.alloc(size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, size: Layout) {
        LIVE.fetch_sub(size.size() as isize, Ordering::Relaxed);
        // SAFETY: the caller's contract, passed on.
        unsafe { System.dealloc(pointer, size) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, size: Layout, new: usize) -> *mut u8 {
        if Layout::from_size_align(new, size.align()).is_ok_and(refused) {
            return std::ptr::null_mut();
        }
        LIVE.fetch_add(new as isize - size.size() as isize, Ordering::Relaxed);
        // SAFETY: the caller's contract, passed on.
        unsafe { System.realloc(pointer, size, new) }
    }
}

/// Runs `f` with its next allocation of memory for items refused, if it makes one on this thread.
pub(crate) fn refuse<R>(f: impl FnOnce() -> R) -> R {
    ARMED.set(true);
    let result = f();
    ARMED.set(false);
    result
}

/// Bytes that are out now.
pub(crate) fn live() -> isize {
    LIVE.load(Ordering::Relaxed)
}

/// Allocations refused until now.
pub(crate) fn refusals() -> usize {
    REFUSED.load(Ordering::Relaxed)
}
