//! Memory of our own for the result of a copy, lent to views by a lease without an exporter.
//!
//! Large blocks are kept for a while when they go: a copy into new memory is mostly the system's work of making pages,
//! which takes six times as long as the copy (64 MiB on two cores: 3 ms into pages that are there, 19 into new ones). What
//! is kept is marked as free, so the system takes the pages where it needs them.
// Allocates and frees raw memory.
#![allow(unsafe_code)]

use std::alloc::{Layout as Allocation, alloc, dealloc};
use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::sync::{Mutex, PoisonError};

use pyo3::exceptions::PyMemoryError;
use pyo3::prelude::*;

use crate::reach::Address;

/// A cache line, and enough for every vector register of today.
const ALIGNMENT: usize = 64;

/// The large pages of x86-64 and of AArch64 with pages of 4 KiB.
const LARGE_PAGE: usize = 1 << 21;

/// Blocks of this size and more lie on large pages, and are kept when they go. Smaller ones an allocator keeps itself
/// (glibc's largest threshold for that).
const LARGE: usize = 32 << 20;

/// No more blocks than this are kept.
const MOST_BLOCKS: usize = 4;

/// No more bytes than this are kept, all blocks together.
const MOST_BYTES: usize = 256 << 20;

/// Blocks that are kept, the one that went last at the end.
static KEPT: Mutex<Vec<Memory>> = Mutex::new(Vec::new());

/// One block. What is in it is whatever was written, also before it became this one.
pub(crate) struct Block(ManuallyDrop<Memory>);

/// Memory that is freed on drop.
struct Memory {
    start: NonNull<u8>,
    allocation: Allocation,
}

// SAFETY: the memory is owned; nothing in it belongs to a thread.
unsafe impl Send for Memory {}
// SAFETY: as above; a shared reference gives its address only.
unsafe impl Sync for Memory {}

impl Block {
    /// # Errors
    ///
    /// `MemoryError`.
    pub(crate) fn new(bytes: usize) -> PyResult<Block> {
        let kept = if bytes < LARGE { None } else { take_kept(bytes) };
        let memory = match kept {
            Some(memory) => memory,
            None => Memory::new(bytes)?,
        };
        Ok(Block(ManuallyDrop::new(memory)))
    }

    pub(crate) fn address(&self) -> Address {
        Address::new(self.0.start.as_ptr())
    }

    /// Writes bytes from an offset on.
    ///
    /// # Panics
    ///
    /// Where they do not lie in the block.
    pub(crate) fn write(&mut self, offset: usize, bytes: &[u8]) {
        let room = self.0.allocation.size().checked_sub(offset);
        assert!(room.is_some_and(|room| bytes.len() <= room), "the bytes lie outside the block");
        let place = self.0.start.as_ptr().wrapping_add(offset);
        // SAFETY: inside the block, which nobody else knows of while it is borrowed for writing.
        unsafe { place.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
    }

    /// Writes, at an offset, the address of another offset of this block, which need not lie in it.
    ///
    /// # Panics
    ///
    /// Where the place of the pointer is not in the block.
    pub(crate) fn point(&mut self, offset: usize, to: isize) {
        let room = self.0.allocation.size().checked_sub(offset);
        assert!(room.is_some_and(|room| size_of::<*mut u8>() <= room), "the pointer lies outside the block");
        let target = self.0.start.as_ptr().wrapping_offset(to);
        let place = self.0.start.as_ptr().wrapping_add(offset).cast::<*mut u8>();
        // SAFETY: inside the block, at any alignment.
        unsafe { place.write_unaligned(target) };
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        // SAFETY: taken once, when the block goes.
        keep(unsafe { ManuallyDrop::take(&mut self.0) });
    }
}

impl Memory {
    fn new(bytes: usize) -> PyResult<Memory> {
        let refused = || PyMemoryError::new_err(format!("no memory for {bytes} bytes"));
        let alignment = if bytes < LARGE { ALIGNMENT } else { LARGE_PAGE };
        let allocation = Allocation::from_size_align(bytes.max(1), alignment).map_err(|_| refused())?;
        // SAFETY: the size is not zero.
        let start = unsafe { alloc(allocation) };
        let start = NonNull::new(start).ok_or_else(refused)?;
        on_large_pages(start.as_ptr(), bytes);
        Ok(Memory { start, allocation })
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: allocated in `new` with this size and alignment, freed once.
        unsafe { dealloc(self.start.as_ptr(), self.allocation) };
    }
}

/// The smallest block that is large enough and not a quarter larger.
fn take_kept(bytes: usize) -> Option<Memory> {
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let fits = |size: usize| size >= bytes && size - bytes <= bytes / 4;
    let sizes = kept.iter().map(|memory| memory.allocation.size()).enumerate();
    let (at, _) = sizes.filter(|(_, size)| fits(*size)).min_by_key(|(_, size)| *size)?;
    Some(kept.remove(at))
}

fn keep(memory: Memory) {
    let size = memory.allocation.size();
    if !(LARGE..=MOST_BYTES).contains(&size) || !mark_free(&memory) {
        return;
    }
    let mut gone = Vec::new();
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    kept.push(memory);
    while kept.len() > MOST_BLOCKS || total(&kept) > MOST_BYTES {
        gone.push(kept.remove(0));
    }
    // Given back to the system without the lock.
    drop(kept);
}

fn total(kept: &[Memory]) -> usize {
    kept.iter().map(|memory| memory.allocation.size()).sum()
}

/// Lets the system take the pages of a block that is kept, where it can be told so. Whoever writes to them again has
/// them, or new ones.
#[cfg(target_os = "linux")]
fn mark_free(memory: &Memory) -> bool {
    let whole = memory.allocation.size() & !(LARGE_PAGE - 1);
    // SAFETY: whole pages inside memory that is ours and holds nothing any more.
    unsafe { libc::madvise(memory.start.as_ptr().cast(), whole, libc::MADV_FREE) == 0 }
}

#[cfg(not(target_os = "linux"))]
fn mark_free(_memory: &Memory) -> bool {
    false
}

/// Asks the system to put memory that nobody has written yet on large pages: of a copy into new memory of small ones, the
/// system's work of making them is the larger part. Only asked for, of whole large pages only, and only where an allocator
/// would not have kept pages that are there.
pub(crate) fn on_large_pages(start: *mut u8, bytes: usize) {
    #[cfg(target_os = "linux")]
    {
        let skipped = start.align_offset(LARGE_PAGE);
        let whole = bytes.saturating_sub(skipped) & !(LARGE_PAGE - 1);
        if bytes >= LARGE && whole > 0 {
            // SAFETY: pages inside memory that is ours, whose content the advice does not change; a refusal changes
            // nothing.
            unsafe { libc::madvise(start.wrapping_add(skipped).cast(), whole, libc::MADV_HUGEPAGE) };
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (start, bytes);
}
