//! Memory of our own for the result of a copy, lent to views by a lease without an exporter.
// Allocates and frees raw memory.
#![allow(unsafe_code)]

use std::alloc::{Layout as Allocation, alloc, dealloc};
use std::ptr::NonNull;

use pyo3::exceptions::PyMemoryError;
use pyo3::prelude::*;

use crate::reach::Address;

/// A cache line, and enough for every vector register of today.
const ALIGNMENT: usize = 64;

/// The large pages of x86-64 and of AArch64 with pages of 4 KiB.
const LARGE_PAGE: usize = 1 << 21;

/// One block, freed on drop. What is in it is whatever was written.
pub(crate) struct Block {
    start: NonNull<u8>,
    allocation: Allocation,
}

// SAFETY: the block is owned; nothing in it belongs to a thread.
unsafe impl Send for Block {}
// SAFETY: as above; a shared reference gives its address only.
unsafe impl Sync for Block {}

impl Block {
    /// # Errors
    ///
    /// `MemoryError`.
    pub(crate) fn new(bytes: usize) -> PyResult<Block> {
        let refused = || PyMemoryError::new_err(format!("no memory for {bytes} bytes"));
        let allocation = Allocation::from_size_align(bytes.max(1), ALIGNMENT).map_err(|_| refused())?;
        // SAFETY: the size is not zero.
        let start = unsafe { alloc(allocation) };
        let start = NonNull::new(start).ok_or_else(refused)?;
        on_large_pages(start.as_ptr(), bytes);
        Ok(Block { start, allocation })
    }

    pub(crate) fn address(&self) -> Address {
        Address::new(self.start.as_ptr())
    }

    /// Writes bytes from an offset on.
    ///
    /// # Panics
    ///
    /// Where they do not lie in the block.
    pub(crate) fn write(&mut self, offset: usize, bytes: &[u8]) {
        let room = self.allocation.size().checked_sub(offset);
        assert!(room.is_some_and(|room| bytes.len() <= room), "the bytes lie outside the block");
        let place = self.start.as_ptr().wrapping_add(offset);
        // SAFETY: inside the block, which nobody else knows of while it is borrowed for writing.
        unsafe { place.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
    }

    /// Writes, at an offset, the address of another offset of this block, which need not lie in it.
    ///
    /// # Panics
    ///
    /// Where the place of the pointer is not in the block.
    pub(crate) fn point(&mut self, offset: usize, to: isize) {
        let room = self.allocation.size().checked_sub(offset);
        assert!(room.is_some_and(|room| size_of::<*mut u8>() <= room), "the pointer lies outside the block");
        let target = self.start.as_ptr().wrapping_offset(to);
        let place = self.start.as_ptr().wrapping_add(offset).cast::<*mut u8>();
        // SAFETY: inside the block, at any alignment.
        unsafe { place.write_unaligned(target) };
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        // SAFETY: allocated in `new` with this size and alignment, freed once.
        unsafe { dealloc(self.start.as_ptr(), self.allocation) };
    }
}

/// Asks the system to put memory that nobody has written yet on large pages: of a copy into new memory of small ones, the
/// system's work of making them is the larger part. Only asked for, and of whole large pages only.
pub(crate) fn on_large_pages(start: *mut u8, bytes: usize) {
    #[cfg(target_os = "linux")]
    {
        let skipped = start.align_offset(LARGE_PAGE);
        let whole = bytes.saturating_sub(skipped) & !(LARGE_PAGE - 1);
        if bytes >= 2 * LARGE_PAGE && whole > 0 {
            // SAFETY: pages inside memory that is ours, whose content the advice does not change; a refusal changes
            // nothing.
            unsafe { libc::madvise(start.wrapping_add(skipped).cast(), whole, libc::MADV_HUGEPAGE) };
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (start, bytes);
}
