//! Blocks of memory, who keeps them alive, and the leases that pin them.
//!
//! A [`Memory`] is one block and the owner that keeps it, behind one `Arc`. Every [`Lease`] that outlives a borrow of
//! it holds one clone of that `Arc`, so the block cannot be freed while a lease lives. Beside it stands one word: how
//! many leases read, or that one writes. An exporter that wants to move the block asks whether nobody counts there
//! and its own clone is the only one. Of [`Frozen`] memory readers and a writer exclude each other, at run time and
//! across threads, so that a view may be read as plain memory and a mutable view may hand out disjoint parts of
//! itself; leases on [`Foreign`](crate::Foreign) memory only count.
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
//!   lives; of [`Foreign`](crate::Foreign) memory: no Rust code does while an operation on a lease runs.
// The only raw pointers to lent memory start here.
#![allow(unsafe_code)]

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;
use core::ptr::NonNull;

use bytemuck::{AnyBitPattern, NoUninit};

use crate::count::{Count, Taken};
use crate::refusal::{Refusal, RefusalKind};
use crate::sharing::{Frozen, Sharing};

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
/// - **M3** of an `Owner<Frozen>`: nobody else writes the bytes while a reading lease lives, nor reads or writes them
///   while a writing lease lives. Of an `Owner<Foreign>`: no Rust code of this program does while an operation on a
///   lease runs; others may, see [`Foreign`](crate::Foreign).
pub unsafe trait Owner<S: Sharing = Frozen>: Send + Sync {
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
unsafe impl<T: NoUninit + AnyBitPattern + Send + Sync> Owner<Frozen> for Vec<T> {
    fn block(&mut self) -> Block {
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(self.as_mut_slice());
        Block { base: bytes.as_mut_ptr(), len: bytes.len(), access: Access::Write }
    }
}

/// A mutable slice, lent for as long as it was borrowed.
struct Borrowed<'m>(&'m mut [u8]);

// SAFETY: M1 and M3: the exclusive borrow lasts for `'m`, which the owner cannot outlive, and the pointer is made from
// it where it stays. M2: only built from slices of types in which any bytes are valid.
unsafe impl Owner<Frozen> for Borrowed<'_> {
    fn block(&mut self) -> Block {
        Block { base: self.0.as_mut_ptr(), len: self.0.len(), access: Access::Write }
    }
}

/// The block, who has it, and its owner; what the `Arc` of a [`Memory`] points to. It is never anywhere else.
pub(crate) struct Shared<O: ?Sized> {
    block: Block,
    count: Count,
    /// Keeps the block; never touched while a lease lives.
    owner: O,
}

// SAFETY: the raw base is only a number here; what it points to is kept by an owner that is `Send` and `Sync`, and
// reached through leases, which keep M3: those that may leave their thread keep it across threads.
unsafe impl<O: ?Sized + Send> Send for Shared<O> {}
// SAFETY: as above.
unsafe impl<O: ?Sized + Sync> Sync for Shared<O> {}

impl<O> Shared<O> {
    /// Asks the owner for its block where it is to stay: moving a `&mut` or a `Box` after a pointer was made from it
    /// takes the pointer its right to the bytes.
    pub(crate) fn new<S: Sharing>(owner: O) -> Arc<Shared<O>>
    where
        O: Owner<S>,
    {
        let mut shared = Arc::new(Shared { block: Block::NONE, count: Count::new(), owner });
        Arc::get_mut(&mut shared).expect("nobody else has it yet").change(|_| ());
        shared
    }

    /// Lets the sole holder change the owner, and asks it for its block again.
    pub(crate) fn change<S: Sharing, R>(&mut self, f: impl FnOnce(&mut O) -> R) -> R
    where
        O: Owner<S>,
    {
        // `f` may free the block and then panic: until the owner has answered there is nothing to lend.
        self.block = Block::NONE;
        let result = f(&mut self.owner);
        self.block = self.owner.block();
        result
    }
}

impl<O: ?Sized> Shared<O> {
    /// Leases that are live now.
    pub(crate) fn live(&self) -> usize {
        self.count.taken().live
    }

    #[inline]
    fn count_in<S: Sharing>(&self, access: Access) -> Result<(), Refusal> {
        let counted = match access {
            Access::Write if self.block.access == Access::Read => return Err(RefusalKind::ReadOnly.into()),
            _ if !S::FROZEN => self.count.pin(),
            Access::Write => self.count.write(),
            Access::Read => self.count.read(),
        };
        counted.map_err(busy)
    }
}

#[cold]
fn busy(Taken { live, writing }: Taken) -> Refusal {
    RefusalKind::Busy { live, writing }.into()
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
pub struct Memory<'m, S: Sharing = Frozen> {
    shared: Arc<Shared<dyn Owner<S> + 'm>>,
    /// Foreign memory stays on its thread.
    sharing: PhantomData<S>,
}

impl<S: Sharing> Clone for Memory<'_, S> {
    #[inline]
    fn clone(&self) -> Self {
        Memory { shared: self.shared.clone(), sharing: PhantomData }
    }
}

impl<'m> Memory<'m> {
    /// Takes a vector. Reading and writing.
    pub fn from_vec<T: NoUninit + AnyBitPattern + Send + Sync>(vec: Vec<T>) -> Memory<'m> {
        Memory::from_owner(vec)
    }

    /// Takes a slice for as long as it was borrowed. Reading and writing.
    pub fn from_slice_mut<T: NoUninit + AnyBitPattern>(slice: &'m mut [T]) -> Memory<'m> {
        Memory::from_owner(Borrowed(bytemuck::cast_slice_mut(slice)))
    }
}

impl<'m, S: Sharing> Memory<'m, S> {
    /// Takes an owner of memory.
    pub fn from_owner(owner: impl Owner<S> + 'm) -> Memory<'m, S> {
        Memory { shared: Shared::new::<S>(owner), sharing: PhantomData }
    }

    /// Bytes of the block.
    #[inline]
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

    /// Leases that are live now, each share of one counted. Only an account for messages: another thread may change it
    /// at once.
    pub fn live(&self) -> usize {
        self.shared.live()
    }

    /// Pins the block without describing it: [`Frozen`] memory for reading together with others or for writing alone,
    /// foreign memory for either.
    ///
    /// Never waits and never allocates.
    ///
    /// # Errors
    ///
    /// [`RefusalKind::ReadOnly`] for writing what may only be read; [`RefusalKind::Busy`] while a live lease
    /// excludes this one.
    pub fn lease(&self, access: Access) -> Result<Lease<'m, S>, Refusal> {
        self.shared.count_in::<S>(access)?;
        let Block { base, len, .. } = self.shared.block;
        Ok(Lease { base, len, access, hold: Hold::Counted(self.clone()) })
    }
}

impl<S: Sharing> fmt::Debug for Memory<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory")
            .field("len", &self.len())
            .field("access", &self.access())
            .field("live", &self.live())
            .finish()
    }
}

/// What an [`Export`](crate::Export) can be made from: a [`Memory`], which is leased for the request, or a [`Lease`].
///
/// Sealed; a bound, nothing to call.
pub trait Lends<'m, 'd, S: Sharing>: lends::Pin<'m, 'd, S> {}

pub(crate) mod lends {
    use super::{Access, Lease, Refusal, Sharing};

    /// A method of a bound can be called by whoever writes the bound; this one asks for what only this crate has.
    #[derive(Debug)]
    pub struct Key(pub(crate) ());

    pub trait Pin<'m, 'd, S: Sharing> {
        /// A lease that is good for `'d` alone, unless it was made good for longer by [`Lease::outlast`].
        fn pin(self, access: Access, key: Key) -> Result<Lease<'m, S>, Refusal>;
    }
}

impl<'m, 'd, S: Sharing> Lends<'m, 'd, S> for Lease<'m, S> {}
impl<'m, S: Sharing> lends::Pin<'m, '_, S> for Lease<'m, S> {
    #[inline]
    fn pin(self, _: Access, _: lends::Key) -> Result<Lease<'m, S>, Refusal> {
        Ok(self)
    }
}

impl<'m, 'd, S: Sharing> Lends<'m, 'd, S> for &'d Memory<'m, S> {}
impl<'m, 'd, S: Sharing> lends::Pin<'m, 'd, S> for &'d Memory<'m, S> {
    #[inline]
    fn pin(self, access: Access, _: lends::Key) -> Result<Lease<'m, S>, Refusal> {
        self.shared.count_in::<S>(access)?;
        let Block { base, len, .. } = self.shared.block;
        Ok(Lease { base, len, access, hold: Hold::Lent(lent(Arc::as_ptr(&self.shared))) })
    }
}

/// As `&Memory`, where the kind of the owner is known.
pub(crate) struct Known<'d, O>(pub(crate) &'d Arc<Shared<O>>);

impl<'m, 'd, S: Sharing, O: Owner<S> + 'm> Lends<'m, 'd, S> for Known<'d, O> {}
impl<'m, 'd, S: Sharing, O: Owner<S> + 'm> lends::Pin<'m, 'd, S> for Known<'d, O> {
    #[inline]
    fn pin(self, access: Access, _: lends::Key) -> Result<Lease<'m, S>, Refusal> {
        self.0.count_in::<S>(access)?;
        let Block { base, len, .. } = self.0.block;
        let shared: *const Shared<O> = Arc::as_ptr(self.0);
        Ok(Lease { base, len, access, hold: Hold::Lent(lent(shared)) })
    }
}

/// An address that came from an `Arc`.
#[inline]
fn lent<'m, S: Sharing>(shared: *const Shared<dyn Owner<S> + 'm>) -> Lent<'m, S> {
    NonNull::new(shared.cast_mut()).expect("the address of an Arc's content")
}

/// What an `Arc` points to, not owned.
type Lent<'m, S> = NonNull<Shared<dyn Owner<S> + 'm>>;

/// Keeps one block of memory pinned and alive. Released once, on drop.
///
/// Invariant: while the lease lives, `base..base + len` satisfies M1, and M3 holds for its `access`; with
/// [`Access::Write`], M2 too. A lease that is `Lent` lives only inside an `Export`, for `'d`.
pub struct Lease<'m, S: Sharing = Frozen> {
    base: *mut u8,
    len: usize,
    access: Access,
    hold: Hold<'m, S>,
}

enum Hold<'m, S: Sharing> {
    /// A shared borrow that outlives the lease: nothing to count, nothing to release.
    Borrowed(PhantomData<&'m [u8]>),
    /// One count, in a memory that somebody else keeps alive: the exporter, which is borrowed as long.
    Lent(Lent<'m, S>),
    /// One count, and a share in the memory.
    Counted(Memory<'m, S>),
}

// SAFETY: a lease on frozen memory gives access to bytes that nobody writes meanwhile (reading), or that nobody else
// touches at all (writing): it may go where a `&[u8]` or a `&mut [u8]` may go. Its owner is `Send` and `Sync`. A lease
// on foreign memory is neither, since its marker is not.
unsafe impl<S: Sharing + Send> Send for Lease<'_, S> {}
// SAFETY: as above; a shared lease only reads.
unsafe impl<S: Sharing + Sync> Sync for Lease<'_, S> {}

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
}

impl<'m, S: Sharing> Lease<'m, S> {
    /// Address of the first byte of the block.
    #[inline]
    pub fn base(&self) -> *mut u8 {
        self.base
    }

    /// Bytes of the block.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// True for a block of no bytes.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether the lease reads together with others or writes alone; of foreign memory, whether it may write.
    #[inline]
    pub fn access(&self) -> Access {
        self.access
    }

    /// The memory that is counted in, if any.
    #[inline]
    fn shared(&self) -> Option<&Shared<dyn Owner<S> + 'm>> {
        match &self.hold {
            Hold::Borrowed(_) => None,
            // SAFETY: invariant of `Lease`: the exporter has the `Arc` for 'd, and this lease does not live longer.
            Hold::Lent(shared) => Some(unsafe { shared.as_ref() }),
            Hold::Counted(memory) => Some(&memory.shared),
        }
    }

    /// Makes a lease good for `'m` that may have been good for `'d` alone.
    #[inline]
    pub(crate) fn outlast(mut self) -> Lease<'m, S> {
        if let Hold::Lent(shared) = self.hold {
            let shared = shared.as_ptr().cast_const();
            // SAFETY: the address came from an `Arc` that the exporter still has.
            unsafe { Arc::increment_strong_count(shared) };
            // SAFETY: it came from an `Arc`, and the count that this one will release was added above.
            let shared = unsafe { Arc::from_raw(shared) };
            self.hold = Hold::Counted(Memory { shared, sharing: PhantomData });
        }
        self
    }

    /// Another share of the same lease, as good as this one. The root is asked nothing.
    #[inline]
    pub(crate) fn share(&self) -> Lease<'m, S> {
        if let Some(shared) = self.shared() {
            shared.count.share();
        }
        let hold = match &self.hold {
            Hold::Borrowed(borrow) => Hold::Borrowed(*borrow),
            Hold::Lent(shared) => Hold::Lent(*shared),
            Hold::Counted(memory) => Hold::Counted(memory.clone()),
        };
        Lease { base: self.base, len: self.len, access: self.access, hold }
    }

    /// Another share of the same lease for as long as this one is borrowed.
    #[inline]
    pub(crate) fn lend(&self) -> Lease<'m, S> {
        let hold = match &self.hold {
            Hold::Borrowed(borrow) => Hold::Borrowed(*borrow),
            Hold::Lent(shared) => Hold::Lent(*shared),
            Hold::Counted(memory) => Hold::Lent(lent(Arc::as_ptr(&memory.shared))),
        };
        if let Some(shared) = self.shared() {
            shared.count.share();
        }
        Lease { base: self.base, len: self.len, access: self.access, hold }
    }

    /// The same lease for views that count from `base`, the pointer of a view: one of this lease, or one that is valid for
    /// ever. Of the latter no block is known.
    pub(crate) fn moved_to(mut self, base: *mut u8) -> Lease<'m, S> {
        // The view's own pointer, whatever its address: one address may be that of two blocks, where one ends and the other
        // begins, and each is reached by way of its own pointer alone. So an equal address says nothing of the block.
        (self.base, self.len) = (base, 0);
        self
    }

    /// Number of windows and exports that share this lease with its holder.
    #[inline]
    pub(crate) fn others(&self) -> usize {
        match self.shared() {
            Some(shared) if !shared.count.is_alone() => shared.live().saturating_sub(1).max(1),
            _ => 0,
        }
    }
}

impl<S: Sharing> Drop for Lease<'_, S> {
    #[inline]
    fn drop(&mut self) {
        let access = if S::FROZEN { self.access } else { Access::Read };
        if let Some(shared) = self.shared() {
            shared.count.release(access);
        }
    }
}

impl<S: Sharing> fmt::Debug for Lease<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("len", &self.len).field("access", &self.access).finish_non_exhaustive()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use alloc::vec;

    use super::{Access, Lease, Memory};

    #[test]
    fn a_lease_that_counts_from_the_pointer_of_a_view_takes_it_and_knows_no_block() {
        let numbers = [1u8, 2, 3, 4];
        let (low, high) = numbers.split_at(2);
        // Where the one block ends the other begins: one address, reached by way of two pointers.
        let end = low.as_ptr_range().end.cast_mut();
        assert_eq!(end.addr(), high.as_ptr().addr());
        let lease = Lease::from_slice(high).moved_to(end);
        assert_eq!((lease.base(), lease.len()), (end, 0));
        let memory = Memory::from_vec(vec![1u16, 2]);
        let lease = memory.lease(Access::Read).unwrap();
        let base = lease.base();
        let lease = lease.moved_to(base);
        assert_eq!((lease.base(), lease.len(), memory.live()), (base, 0, 1));
        drop(lease);
        assert_eq!(memory.live(), 0);
    }
}
