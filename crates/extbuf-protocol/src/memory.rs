//! Blocks of memory, who keeps them alive, and the leases that pin them.
//!
//! A [`Memory`] is one block and the owner that keeps it, behind one `Arc`. Every [`Lease`] on it holds one clone of
//! that `Arc`, so the block cannot be freed while a lease lives, and an exporter that wants to move it asks whether
//! its own clone is the only one. Beside it stands one word of state: how many leases read, or that one writes.
//! Readers and a writer exclude each other, at run time and across threads, so that a view may be read as plain
//! memory and a mutable view may hand out disjoint parts of itself.
//!
//! A lease is released once, by its drop. Leaking one leaks the memory and leaves it pinned; it never frees it.
//!
//! The invariants of a block, promised by [`Owner`], where they stand for the public, and relied on by every view:
//!
//! - **M1** while the owner lives, `base..base + len` lies in one allocation, may be read through `base` and is
//!   initialised, at an address that does not change;
//! - **M2** where the owner says [`Access::Write`], every byte that is reached as part of an item may be written
//!   through the same pointer, and any bytes are valid there;
//! - **M3** nobody else writes the bytes while a reading lease lives, nor reads or writes them while a writing lease
//!   lives.
// The only raw pointers to lent memory start here.
#![allow(unsafe_code)]

use crate::sync::{AtomicUsize, Ordering};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;

use bytemuck::{AnyBitPattern, NoUninit};

use crate::refusal::{Refusal, RefusalKind};

/// Whatever keeps one block of memory: a vector, a map of a file, a foreign object whose drop releases it.
///
/// [`Memory::from_owner`] puts the owner in its place, asks for the block once and keeps the answer. From then on the
/// owner is neither moved nor called until it is dropped, on whatever thread releases it last. So an owner may hold a
/// `Box` or a `&mut`, which a move after the answer would make the only way to their bytes again.
///
/// # Safety
///
/// From the call of [`block`](Owner::block) until the owner is moved, lent mutably or dropped:
///
/// - **M1** `base..base + len` lies in one allocation, may be read through `base` and is initialised, at an address
///   that does not change. It is no part of the owner itself;
/// - **M2** where `access` is [`Access::Write`], every byte that is reached as part of an item may be written through
///   `base`, and any bytes are valid there. A pointer that came from a `&[u8]` may not be written through;
/// - **M3** nobody else writes the bytes while a reading lease lives, nor reads or writes them while a writing lease
///   lives.
pub unsafe trait Owner: Send + Sync {
    /// The block.
    fn block(&mut self) -> Block;
}

/// One block of memory, as an [`Owner`] describes it.
#[derive(Clone, Copy, Debug)]
pub struct Block {
    /// Address of the first byte.
    pub base: *mut u8,
    /// Length in bytes.
    pub len: usize,
    /// Whether the bytes may be written (M2).
    pub access: Access,
}

impl Block {
    const NONE: Block = Block { base: core::ptr::null_mut(), len: 0, access: Access::Read };
}

/// Whether memory may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// Reading only.
    Read,
    /// Reading and writing.
    Write,
}

// SAFETY: M1: a vector's block stays where it is until the vector is dropped or lent mutably. M2: `AnyBitPattern`, and
// the pointer is the vector's own. M3: the vector is owned.
unsafe impl<T: NoUninit + AnyBitPattern + Send + Sync> Owner for Vec<T> {
    fn block(&mut self) -> Block {
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(self.as_mut_slice());
        Block { base: bytes.as_mut_ptr(), len: bytes.len(), access: Access::Write }
    }
}

/// A mutable slice, lent for as long as it was borrowed.
struct Borrowed<'m>(&'m mut [u8]);

// SAFETY: M1 and M3: the exclusive borrow lasts for `'m`, which the owner cannot outlive, and the pointer is made from
// it where it stays. M2: only built from slices of types in which any bytes are valid.
unsafe impl Owner for Borrowed<'_> {
    fn block(&mut self) -> Block {
        Block { base: self.0.as_mut_ptr(), len: self.0.len(), access: Access::Write }
    }
}

/// The block, its state and its owner; what the `Arc` of a [`Memory`] points to.
pub(crate) struct Shared<O: ?Sized> {
    block: Block,
    /// Number of reading leases, or `WRITING`.
    state: AtomicUsize,
    /// Keeps the block; never touched while a lease lives.
    owner: O,
}

const WRITING: usize = usize::MAX;
/// Beyond this many readers a lease is refused, so that the count cannot reach `WRITING`.
const MOST_READERS: usize = isize::MAX as usize;

// SAFETY: the raw base is only a number here; what it points to is kept by an owner that is `Send` and `Sync`, and
// reached through leases, which keep M3 across threads.
unsafe impl<O: ?Sized + Send> Send for Shared<O> {}
// SAFETY: as above.
unsafe impl<O: ?Sized + Sync> Sync for Shared<O> {}

impl<O: Owner> Shared<O> {
    /// Asks the owner for its block where it is to stay: moving a `&mut` or a `Box` after a pointer was made from it
    /// takes the pointer its right to the bytes.
    pub(crate) fn new(owner: O) -> Arc<Shared<O>> {
        let mut shared = Arc::new(Shared { block: Block::NONE, state: AtomicUsize::new(0), owner });
        Arc::get_mut(&mut shared).expect("nobody else has it yet").change(|_| ());
        shared
    }

    /// Lets the sole holder change the owner, and asks it for its block again.
    pub(crate) fn change<R>(&mut self, f: impl FnOnce(&mut O) -> R) -> R {
        // `f` may free the block and then panic: until the owner has answered there is nothing to lend.
        self.block = Block::NONE;
        let result = f(&mut self.owner);
        self.block = self.owner.block();
        result
    }
}

/// One block of memory and whoever keeps it. Cheap to clone; what an exporter stores.
///
/// ```
/// use extbuf_protocol::{Access, Memory};
/// let memory = Memory::from_vec(vec![1u32, 2, 3]);
/// assert_eq!(memory.len(), 12);
/// let lease = memory.lease(Access::Read)?;
/// assert!(memory.lease(Access::Write).is_err()); // somebody reads
/// drop(lease);
/// assert!(memory.lease(Access::Write).is_ok());
/// # Ok::<(), extbuf_protocol::Refusal>(())
/// ```
#[derive(Clone)]
pub struct Memory<'m> {
    shared: Arc<Shared<dyn Owner + 'm>>,
}

impl<'m> Memory<'m> {
    /// Takes an owner of memory.
    pub fn from_owner(owner: impl Owner + 'm) -> Memory<'m> {
        Memory { shared: Shared::new(owner) }
    }

    /// Takes a vector. Reading and writing.
    pub fn from_vec<T: NoUninit + AnyBitPattern + Send + Sync>(vec: Vec<T>) -> Memory<'m> {
        Memory::from_owner(vec)
    }

    /// Takes a slice for as long as it was borrowed. Reading and writing.
    pub fn from_slice_mut<T: NoUninit + AnyBitPattern>(slice: &'m mut [T]) -> Memory<'m> {
        Memory::from_owner(Borrowed(bytemuck::cast_slice_mut(slice)))
    }

    pub(crate) fn from_shared(shared: Arc<Shared<dyn Owner + 'm>>) -> Memory<'m> {
        Memory { shared }
    }

    /// Bytes of the block.
    pub fn len(&self) -> usize {
        self.shared.block.len
    }

    /// True for a block of no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the block may be written at all.
    pub fn access(&self) -> Access {
        self.shared.block.access
    }

    /// Leases that are live now. Only an account for messages: another thread may change it at once.
    pub fn live(&self) -> usize {
        match self.shared.state.load(Ordering::Relaxed) {
            WRITING => 1,
            readers => readers,
        }
    }

    /// Pins the block, for reading together with others or for writing alone.
    ///
    /// Never waits and never allocates.
    ///
    /// # Errors
    ///
    /// [`RefusalKind::ReadOnly`] for writing what may only be read; [`RefusalKind::Busy`] while a live lease
    /// excludes this one.
    pub fn lease(&self, access: Access) -> Result<Lease<'m>, Refusal> {
        self.clone().into_lease(access)
    }

    /// As `lease`, with this share of the memory.
    pub(crate) fn into_lease(self, access: Access) -> Result<Lease<'m>, Refusal> {
        let state = &self.shared.state;
        let busy = |seen| {
            let (live, writing) = if seen == WRITING { (1, true) } else { (seen, false) };
            Refusal::from(RefusalKind::Busy { live, writing })
        };
        match access {
            Access::Write => {
                if self.access() == Access::Read {
                    return Err(RefusalKind::ReadOnly.into());
                }
                // Acquire: what readers did before they released is over before anything is written.
                state.compare_exchange(0, WRITING, Ordering::Acquire, Ordering::Relaxed).map_err(busy)?;
            }
            Access::Read => {
                // Acquire: sees what a writer wrote before it released.
                state
                    .fetch_update(Ordering::Acquire, Ordering::Relaxed, |readers| {
                        (readers < MOST_READERS).then(|| readers + 1)
                    })
                    .map_err(busy)?;
            }
        }
        let Block { base, len, .. } = self.shared.block;
        Ok(Lease { base, len, access, hold: Hold::Counted(self) })
    }
}

impl fmt::Debug for Memory<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory")
            .field("len", &self.len())
            .field("access", &self.access())
            .field("live", &self.live())
            .finish()
    }
}

/// Keeps one block of memory pinned and alive. Released once, on drop.
///
/// Invariant: while the lease lives, `base..base + len` satisfies M1, and M3 holds for its `access`; with
/// [`Access::Write`], M2 too.
pub struct Lease<'m> {
    base: *mut u8,
    len: usize,
    access: Access,
    hold: Hold<'m>,
}

enum Hold<'m> {
    /// A shared borrow that outlives the lease: nothing to count, nothing to release.
    Borrowed(PhantomData<&'m [u8]>),
    /// One count in the state of the memory.
    Counted(Memory<'m>),
    /// A share of a lease that several windows hold together.
    Chained(Arc<Lease<'m>>),
}

// SAFETY: a lease gives access to bytes that nobody writes meanwhile (reading), or that nobody else touches at all
// (writing): it may go where a `&[u8]` or a `&mut [u8]` may go. Its owner is `Send` and `Sync`.
unsafe impl Send for Lease<'_> {}
// SAFETY: as above; a shared lease only reads.
unsafe impl Sync for Lease<'_> {}

impl<'m> Lease<'m> {
    /// A lease on a plain slice, pinned by the borrow itself; costs nothing.
    pub fn from_slice<T: NoUninit>(slice: &'m [T]) -> Lease<'m> {
        // M1, M3: the shared borrow lasts for `'m`, and `NoUninit` types have no interior mutability.
        let bytes: &'m [u8] = bytemuck::cast_slice(slice);
        Lease {
            base: bytes.as_ptr().cast_mut(),
            len: bytes.len(),
            access: Access::Read,
            hold: Hold::Borrowed(PhantomData),
        }
    }

    /// Address of the first byte of the block.
    pub fn base(&self) -> *mut u8 {
        self.base
    }

    /// Bytes of the block.
    pub fn len(&self) -> usize {
        self.len
    }

    /// True for a block of no bytes.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether the lease reads together with others or writes alone.
    pub fn access(&self) -> Access {
        self.access
    }

    /// Makes the lease one that can be shared.
    pub(crate) fn into_chained(self) -> Lease<'m> {
        match self.hold {
            Hold::Counted(_) => {
                let (base, len, access) = (self.base, self.len, self.access);
                Lease { base, len, access, hold: Hold::Chained(Arc::new(self)) }
            }
            Hold::Borrowed(_) | Hold::Chained(_) => self,
        }
    }

    /// Another share of the same lease, for views that count from `base`. Only for a lease that went through
    /// `into_chained`: the root is asked nothing.
    ///
    /// The base is the lease's own, or that of a view that is valid for ever; the block is not spoken of again.
    pub(crate) fn share_at(&self, base: *mut u8) -> Lease<'m> {
        let hold = match &self.hold {
            Hold::Borrowed(borrow) => Hold::Borrowed(*borrow),
            Hold::Chained(lease) => Hold::Chained(lease.clone()),
            Hold::Counted(_) => unreachable!("only chained leases are shared"),
        };
        Lease { base, len: self.len, access: self.access, hold }
    }

    /// Number of windows and exports that share this lease with its holder.
    pub(crate) fn others(&mut self) -> usize {
        match &mut self.hold {
            Hold::Borrowed(_) | Hold::Counted(_) => 0,
            Hold::Chained(lease) => {
                let others = Arc::strong_count(lease) - 1;
                // `get_mut` orders this after the release of the last other share; a plain count would not.
                if Arc::get_mut(lease).is_some() { 0 } else { others.max(1) }
            }
        }
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if let Hold::Counted(memory) = &self.hold {
            let state = &memory.shared.state;
            // Release: what this lease did is over for whoever pins the memory next.
            match self.access {
                Access::Write => state.store(0, Ordering::Release),
                Access::Read => drop(state.fetch_sub(1, Ordering::Release)),
            }
        }
    }
}

impl fmt::Debug for Lease<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("len", &self.len).field("access", &self.access).finish_non_exhaustive()
    }
}
