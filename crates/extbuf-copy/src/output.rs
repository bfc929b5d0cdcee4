//! Fresh memory for the result of a copy.
//!
//! Memory that the system has just handed out is not there yet: the first write to each page brings it in, and with
//! pages of 4 KiB that takes longer than the copy. So large blocks begin at a large page, and where the system has such
//! pages to give on request (Linux), they are asked for. Then the threads of the copy touch them first.

// Allocates, frees and lends raw memory.
#![allow(unsafe_code)]

use std::alloc::{Layout as Allocation, alloc, dealloc};
use std::ptr::NonNull;

use extbuf_format::Format;
use extbuf_layout::Layout;
use extbuf_protocol::{Access, Block, Export, Memory, Owner, Request, Window};

use crate::error::{CopyError, CopyErrorKind};

/// Alignment of fresh memory: a cache line, and enough for every vector register of today.
pub(crate) const ALIGNMENT: usize = 64;

/// The large pages of common machines.
const LARGE_PAGE: usize = 2 << 20;

/// Blocks of this size and more are placed on large pages. Smaller ones an allocator keeps for the next caller rather
/// than giving them back to the system (glibc's largest threshold for that), so that they are there already: at 8 MiB
/// asking cost a third more than not asking, at 64 MiB it halved the time of the whole copy.
const LARGE: usize = 32 << 20;

/// One block of uninitialised memory, freed on drop.
pub(crate) struct Fresh {
    start: NonNull<u8>,
    allocation: Allocation,
}

// SAFETY: the block is owned; nothing in it belongs to a thread.
unsafe impl Send for Fresh {}
// SAFETY: as above; a shared reference gives its address only.
unsafe impl Sync for Fresh {}

impl Fresh {
    /// # Errors
    ///
    /// `Allocation` where the system has no such block. A size that no block can have is one of these cases.
    pub(crate) fn new(bytes: usize) -> Result<Fresh, CopyError> {
        let refused = || CopyError::from(CopyErrorKind::Allocation { bytes });
        let large = bytes >= LARGE;
        let alignment = if large { LARGE_PAGE } else { ALIGNMENT };
        let allocation = Allocation::from_size_align(bytes, alignment).map_err(|_| refused())?;
        let start = if bytes == 0 {
            // An address with the right alignment, at which no byte is.
            NonNull::new(std::ptr::without_provenance_mut(ALIGNMENT))
        } else {
            // SAFETY: the size is not zero.
            NonNull::new(unsafe { alloc(allocation) })
        };
        let fresh = Fresh { start: start.ok_or_else(refused)?, allocation };
        if large {
            advise(fresh.start(), bytes);
        }
        Ok(fresh)
    }

    pub(crate) fn start(&self) -> *mut u8 {
        self.start.as_ptr()
    }
}

impl Fresh {
    /// Lends the memory, all of it under one dense layout.
    ///
    /// # Safety
    ///
    /// Every byte has been written.
    pub(crate) unsafe fn into_window(self, layout: Layout, format: Format) -> Window<'static> {
        debug_assert_eq!(self.allocation.size(), layout.nbytes());
        let lease = Memory::from_owner(self).lease(Access::Write).expect("nobody else holds fresh memory");
        let export = Export::described(lease, layout, format, Request::FULL);
        export.expect("a dense layout of the whole block satisfies every request").keep()
    }
}

// SAFETY: M1: one allocation, at an address that stays, initialised by the contract of `into_window`, the only way to
// here. M2: it is owned, and no type is tied to its bytes. M3: nobody else knows of it.
unsafe impl Owner for Fresh {
    fn block(&mut self) -> Block {
        Block { base: self.start(), len: self.allocation.size(), access: Access::Write }
    }
}

/// Asks for large pages under the part of a block that is made of whole ones, where the system has such a call.
fn advise(start: *mut u8, bytes: usize) {
    #[cfg(target_os = "linux")]
    {
        let before = start.addr().wrapping_neg() % LARGE_PAGE;
        let whole = bytes.saturating_sub(before) & !(LARGE_PAGE - 1);
        // SAFETY: advice about whole pages inside a block that is ours and holds nothing yet; it changes no byte, and where
        // it is not taken nothing is lost.
        unsafe { libc::madvise(start.wrapping_add(before).cast(), whole, libc::MADV_HUGEPAGE) };
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (start, bytes);
}

/// An empty vector with room for so many bytes, on large pages where it is large: all but its ends, since a vector of
/// bytes is aligned as its allocator pleases.
///
/// # Errors
///
/// `Allocation`.
pub(crate) fn reserve(bytes: usize) -> Result<Vec<u8>, CopyError> {
    let mut vec: Vec<u8> = Vec::new();
    vec.try_reserve_exact(bytes).map_err(|_| CopyErrorKind::Allocation { bytes })?;
    if bytes >= LARGE {
        advise(vec.as_mut_ptr(), bytes);
    }
    Ok(vec)
}

impl Drop for Fresh {
    fn drop(&mut self) {
        if self.allocation.size() > 0 {
            // SAFETY: allocated in `new` with this size and alignment, freed once.
            unsafe { dealloc(self.start.as_ptr(), self.allocation) };
        }
    }
}
