//! The blocks that everything is copied between: page-aligned, on huge pages where the system gives them, warm.

// Maps memory, fills it, and lends raw addresses.
#![allow(unsafe_code)]

use std::ptr::{self, NonNull};
use std::slice;

use crate::case::Type;

/// What fills a destination before a peer writes to it.
pub const POISON: u8 = 0x5a;

/// Memory straight from the system.
#[derive(Debug)]
pub struct Block {
    start: NonNull<u8>,
    length: usize,
}

impl Block {
    /// So many bytes of [`POISON`].
    ///
    /// # Panics
    ///
    /// If the system has no such memory.
    pub fn new(length: usize) -> Block {
        let mapped = length.max(1);
        // SAFETY: an anonymous private mapping at an address that the system chooses touches nothing that exists.
        let start = unsafe {
            libc::mmap(
                ptr::null_mut(),
                mapped,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        assert!(start != libc::MAP_FAILED, "no {length} bytes: {}", std::io::Error::last_os_error());
        #[cfg(target_os = "linux")]
        // SAFETY: advice on a mapping of ours; where it is refused, pages stay small.
        let _ = unsafe { libc::madvise(start, mapped, libc::MADV_HUGEPAGE) };
        let mut block = Block { start: NonNull::new(start.cast()).expect("mapped"), length };
        block.bytes_mut().fill(POISON);
        block
    }

    /// Its first byte.
    pub fn start(&self) -> *const u8 {
        self.start.as_ptr()
    }

    /// The same, for who writes; whoever calls this sees to it that nobody looks meanwhile.
    pub fn start_mut(&self) -> *mut u8 {
        self.start.as_ptr()
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: the mapping is so long, written by `new`, and lives as long as the block.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.length) }
    }

    /// Its bytes, to write.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `bytes`; the system hands out zeroed memory, and the block is borrowed alone.
        unsafe { slice::from_raw_parts_mut(self.start.as_ptr(), self.length) }
    }

    /// Fills it with items of a type that are neither equal nor special: floats lie between 0 and 1.
    pub fn fill(&mut self, kind: Type, seed: u64) {
        let mut noise = Noise(seed | 1);
        let size = if kind == Type::C16 { 8 } else { kind.size() };
        for item in self.bytes_mut().chunks_exact_mut(size) {
            match kind {
                Type::U1 => item[0] = noise.draw() as u8,
                Type::U2 => item.copy_from_slice(&(noise.draw() as u16).to_ne_bytes()),
                Type::F4 => {
                    let fraction = (noise.draw() >> 40) as f32 / (1u64 << 24) as f32;
                    item.copy_from_slice(&fraction.to_ne_bytes());
                }
                Type::F8 | Type::C16 => {
                    let fraction = (noise.draw() >> 11) as f64 / (1u64 << 53) as f64;
                    item.copy_from_slice(&fraction.to_ne_bytes());
                }
            }
        }
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        // SAFETY: the mapping that `new` made, of the length that it made, and nothing borrows it any more.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.length.max(1)) };
    }
}

/// Numbers that look random: the low-quality generator is good enough to make items differ.
#[derive(Debug)]
pub struct Noise(pub u64);

impl Noise {
    /// The next one.
    pub fn draw(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_page_aligned_and_poisoned_and_floats_are_ordinary() {
        let mut block = Block::new(5000);
        assert_eq!(block.start().addr() % 4096, 0);
        assert!(block.bytes().iter().all(|&byte| byte == POISON));
        block.fill(Type::F8, 1);
        for item in block.bytes().chunks_exact(8) {
            let value = f64::from_ne_bytes(item.try_into().unwrap());
            assert!((0.0..1.0).contains(&value), "{value}");
        }
    }
}
