//! Fresh memory for the result of a copy.

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
        let allocation = Allocation::from_size_align(bytes, ALIGNMENT).map_err(|_| refused())?;
        let start = if bytes == 0 {
            // An address with the right alignment, at which no byte is.
            NonNull::new(std::ptr::without_provenance_mut(ALIGNMENT))
        } else {
            // SAFETY: the size is not zero.
            NonNull::new(unsafe { alloc(allocation) })
        };
        Ok(Fresh { start: start.ok_or_else(refused)?, allocation })
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

/// An empty vector with room for so many bytes.
///
/// # Errors
///
/// `Allocation`.
pub(crate) fn reserve(bytes: usize) -> Result<Vec<u8>, CopyError> {
    let mut vec = Vec::new();
    vec.try_reserve_exact(bytes).map_err(|_| CopyErrorKind::Allocation { bytes })?;
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
