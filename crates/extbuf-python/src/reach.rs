//! From an index to the bytes of an item, in memory that others may write at any time.
//!
//! Nothing here makes a reference to that memory. An item is copied out, or copied in, byte by byte through raw
//! pointers; what a racing writer can spoil is the value, and nothing else.
//!
//! The invariant that every function here rests on:
//!
//! - **W1** every byte that the layout reaches from the address lies in memory that the lease keeps, and every pointer
//!   stored on the way is valid: the contract of the buffer protocol (B3 in `raw.rs`) for a layout as it was acquired,
//!   and kept by every operation on layouts, none of which reaches further.
// Follows stored pointers and moves the bytes of items.
#![allow(unsafe_code)]

use extbuf_layout::{Layout, LayoutSpec, LevelSpec};

/// Where the layout of a view counts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Address(*mut u8);

// SAFETY: a number until somebody follows it, which is unsafe.
unsafe impl Send for Address {}
// SAFETY: as above.
unsafe impl Sync for Address {}

impl Address {
    pub(crate) fn new(start: *mut u8) -> Address {
        Address(start)
    }

    pub(crate) fn get(self) -> *mut u8 {
        self.0
    }

    /// The place of the item at an index, `None` where the index is not one of the layout's.
    ///
    /// # Safety
    ///
    /// W1, and the lease is held.
    pub(crate) unsafe fn item(self, layout: &Layout, index: &[usize]) -> Option<Address> {
        let load = |base: *mut u8, offset: isize| {
            let at = base.wrapping_offset(offset).cast::<*mut u8>();
            // SAFETY: W1: a pointer is stored there, at any alignment.
            unsafe { at.read_unaligned() }
        };
        let (base, offset) = layout.locate(self.0, index, load)?;
        Some(Address(base.wrapping_offset(offset)))
    }

    /// Follows the pointers that every item of a layout is behind: what is left of an image when its row is fixed is
    /// plain memory, and can be lent as such.
    ///
    /// # Safety
    ///
    /// W1, and the lease is held.
    pub(crate) unsafe fn settled(self, mut layout: Layout) -> (Address, Layout) {
        let mut base = self.0;
        while !layout.is_direct() && !layout.is_empty() && layout.strides(0).iter().all(|stride| *stride == 0)
        {
            let levels: Vec<_> = (1..layout.levels())
                .map(|level| LevelSpec { offset: layout.offset(level), strides: layout.strides(level) })
                .collect();
            let shape: Vec<isize> = layout.shape().iter().map(|extent| *extent as isize).collect();
            let spec = LayoutSpec { itemsize: layout.itemsize(), shape: &shape, levels: &levels };
            let Ok(rest) = Layout::new(&spec) else { break };
            let at = base.wrapping_offset(layout.offset(0)).cast::<*mut u8>();
            // SAFETY: W1: the pointer that all items are behind is stored there, at any alignment.
            base = unsafe { at.read_unaligned() };
            layout = rest;
        }
        (Address(base), layout)
    }

    /// Copies the bytes that lie here.
    ///
    /// # Safety
    ///
    /// So many bytes lie here (W1), and the lease is held.
    pub(crate) unsafe fn read(self, bytes: &mut [u8]) {
        // SAFETY: the caller's contract; the destination is ours alone.
        unsafe { std::ptr::copy(self.0.cast_const(), bytes.as_mut_ptr(), bytes.len()) };
    }
}
