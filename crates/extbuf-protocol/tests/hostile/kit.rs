//! Who lies, counts, changes its mind or panics: exporters, owners and item types for the tests beside this.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bytemuck::{AnyBitPattern, NoUninit, Zeroable};
use extbuf_format::{Element, Format};
use extbuf_layout::{Layout, Order};
use extbuf_protocol::{Access, Block, Export, Exporter, Memory, Owner, Refusal, Request};

/// Eight bytes whose `clone` and `zeroed` panic when told to.
#[derive(Debug)]
#[repr(transparent)]
pub(crate) struct Moody(pub(crate) u64);

pub(crate) static CLONE_PANICS: AtomicBool = AtomicBool::new(false);
thread_local! {
    pub(crate) static ZERO_PANICS: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

impl Copy for Moody {}

#[expect(clippy::non_canonical_clone_impl, reason = "that it is another's code is the point")]
impl Clone for Moody {
    fn clone(&self) -> Moody {
        assert!(!CLONE_PANICS.load(Ordering::Relaxed), "a clone that panics");
        Moody(self.0)
    }
}

// SAFETY: any bytes are a `u64`, and all of them zero are one; who panics returns nothing.
unsafe impl Zeroable for Moody {
    fn zeroed() -> Moody {
        assert!(!ZERO_PANICS.get(), "a zero that panics");
        Moody(0)
    }
}
// SAFETY: as a `u64`.
unsafe impl AnyBitPattern for Moody {}
// SAFETY: as a `u64`.
unsafe impl NoUninit for Moody {}

impl Element for Moody {
    const FORMAT: Format = u64::FORMAT;
}

/// A kilobyte that says it is an `unsigned char`.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub(crate) struct Liar(pub(crate) [u8; 1024]);

// SAFETY: bytes.
unsafe impl Zeroable for Liar {}
// SAFETY: bytes.
unsafe impl AnyBitPattern for Liar {}
// SAFETY: bytes.
unsafe impl NoUninit for Liar {}

impl Element for Liar {
    const FORMAT: Format = Format::bytes();
}

/// A block that counts how often it is freed, and tells whether it was moved after it was asked.
pub(crate) struct Counted {
    block: Box<[u8]>,
    asked_at: usize,
    freed: Arc<AtomicUsize>,
    panics: bool,
}

impl Counted {
    pub(crate) fn memory(freed: &Arc<AtomicUsize>, panics: bool) -> Memory<'static> {
        let block = Box::from([1, 2, 3, 4, 5, 6, 7, 8]);
        Memory::from_owner(Counted { block, asked_at: 0, freed: freed.clone(), panics })
    }
}

// SAFETY: the box keeps its bytes, which nobody else knows of.
unsafe impl Owner for Counted {
    fn block(&mut self) -> Block {
        self.asked_at = std::ptr::from_ref(self).addr();
        Block { base: self.block.as_mut_ptr(), len: self.block.len(), access: Access::Write }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        assert_eq!(self.asked_at, std::ptr::from_ref(self).addr(), "an owner that was moved");
        self.freed.fetch_add(1, Ordering::Relaxed);
        assert!(!self.panics, "a release that panics");
    }
}

/// An exporter of safe code that answers as it likes.
pub(crate) struct Shifty<F>(pub(crate) F);

impl<'m, F> Exporter<'m> for Shifty<F>
where
    F: Fn(Request) -> Result<Export<'m, 'static>, Refusal>,
{
    fn export(&self, request: Request) -> Result<Export<'m, '_>, Refusal> {
        (self.0)(request)
    }
}

pub(crate) fn line(itemsize: usize, items: usize) -> Layout {
    Layout::contiguous(itemsize, &[items], Order::C).unwrap()
}
