//! Who else may write lent memory, as a type.
//!
//! Every noun of this crate that leads to bytes carries a marker: [`Frozen`], unless it says otherwise, or [`Foreign`].

use core::marker::PhantomData;

/// What is promised about others who know the bytes: [`Frozen`] or [`Foreign`].
///
/// Sealed: there is no third kind.
pub trait Sharing: sealed::Sealed + Sized + 'static {
    /// True where leases that read exclude a lease that writes, so that bytes may stand behind a reference.
    const FROZEN: bool;
}

/// Nobody writes the bytes while a lease reads them, nor touches them while a lease writes (M3).
///
/// Memory that Rust owns or has borrowed. Its views lend `&[u8]` and may go to other threads. The marker that is meant
/// where none is written.
#[derive(Debug)]
pub struct Frozen(());

/// Others may read and write the bytes at any time, and ask nobody: an object of an interpreter, memory shared with
/// another process, the frame buffer of a device.
///
/// The contract, which an [`Owner<Foreign>`](crate::Owner) gives and every user of such memory keeps:
///
/// - there is never a reference to the bytes: items are read and written by value, bulk is copied between raw
///   addresses. What a value read in pieces while others write it comes to be is any mixture of old and new bytes, and
///   is checked after it was copied, never before;
/// - leases do not exclude each other, they only pin: several windows write, and see what the others wrote;
/// - such views stay on their thread, which waits where others copy for it, and nobody else *in this program's Rust code*
///   touches the bytes while one of their operations runs. Whoever writes at that very moment is foreign: another
///   process, a device, code in another language that has the same bytes. Who sends a window to another thread all the
///   same, in a wrapper of its own, answers for that with a lock, or by the lock of the interpreter that owns the bytes.
///
/// Stored pointers on the way to items are not the data of anybody: they do not change while a lease lives (V4), here
/// too.
#[derive(Debug)]
pub struct Foreign(PhantomData<*mut u8>);

impl Sharing for Frozen {
    const FROZEN: bool = true;
}

impl Sharing for Foreign {
    const FROZEN: bool = false;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Frozen {}
    impl Sealed for super::Foreign {}
}
