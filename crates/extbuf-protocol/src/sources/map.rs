//! Memory-mapped files.
// A map is an owner of memory; that nobody changes the file is the caller's promise.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;

use memmap2::{Mmap, MmapOptions};

use crate::memory::{Access, Block, Memory, Owner};

struct Map(Mmap);

// SAFETY: M1: a map stays where it is until it is dropped. M3: promised by the caller of `Memory::map_file`.
unsafe impl Owner<crate::sharing::Frozen> for Map {
    fn block(&mut self) -> Block {
        Block { base: self.0.as_ptr().cast_mut(), len: self.0.len(), access: Access::Read }
    }
}

impl Memory<'static> {
    /// Maps a file, for reading.
    ///
    /// # Errors
    ///
    /// Those of the system's map call.
    ///
    /// # Safety
    ///
    /// Nobody writes to the file or shortens it while the memory, or a lease on it, lives. No system can promise this
    /// for a file that others may open; a program that maps its user's files takes it for granted and says so.
    pub unsafe fn map_file(file: &File) -> io::Result<Memory<'static>> {
        // SAFETY: passed on to the caller.
        let map = unsafe { MmapOptions::new().map(file) }?;
        Ok(Memory::from_owner(Map(map)))
    }
}
