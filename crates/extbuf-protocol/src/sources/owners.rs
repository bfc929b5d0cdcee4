//! Owners of memory that the language itself vouches for: whatever is an `AsRef` or an `AsMut` of a slice.
//!
//! `AsRef` is safe to write, so it may answer differently each time, or look at anything on the way. It is asked once,
//! when the value lies where it stays: behind a `Box` of its own that nobody opens again. From then on the value is
//! borrowed, in the sense of `fn as_ref(&'a self) -> &'a [T]`: it is not moved, not lent mutably and not dropped, and a
//! slice that was handed out for `'a` is good as long as this holds, for any `'a`, whoever wrote the function; that is
//! what its signature says, to the compiler too. So there is no list of types here, and no promise for an implementer to
//! make. The same goes for `fn as_mut(&'a mut self) -> &'a mut [T]` and a value that nobody touches.
// The borrow that no lifetime can spell: of a value by the struct that holds it.
#![allow(unsafe_code)]

use alloc::boxed::Box;
use core::marker::PhantomData;

use bytemuck::{AnyBitPattern, NoUninit};

use crate::memory::{Access, Block, Memory, Owner};

/// A value that is borrowed from when the block is asked for until it is dropped.
struct ByRef<O, T> {
    value: Box<O>,
    items: PhantomData<fn() -> T>,
}

// SAFETY: M1: the slice is borrowed from the boxed value, which stays where it is and is borrowed by nobody mutably until
// it is dropped, and not part of `self`, which is the box. `NoUninit`: initialised, no interior mutability. M3: a shared
// borrow for all that time.
unsafe impl<O: AsRef<[T]> + Send + Sync, T: NoUninit> Owner for ByRef<O, T> {
    fn block(&mut self) -> Block {
        let bytes: &[u8] = bytemuck::cast_slice((*self.value).as_ref());
        Block { base: bytes.as_ptr().cast_mut(), len: bytes.len(), access: Access::Read }
    }
}

/// A value that is borrowed mutably from when the block is asked for until it is dropped.
struct ByMut<O, T> {
    value: Box<O>,
    items: PhantomData<fn() -> T>,
}

// SAFETY: M1, M3: as for `ByRef`, with a mutable borrow: nobody comes to the value before it is dropped. M2: any bytes
// are a `T`, and the pointer is made of a mutable slice.
unsafe impl<O: AsMut<[T]> + Send + Sync, T: NoUninit + AnyBitPattern> Owner for ByMut<O, T> {
    fn block(&mut self) -> Block {
        let bytes: &mut [u8] = bytemuck::cast_slice_mut((*self.value).as_mut());
        Block { base: bytes.as_mut_ptr(), len: bytes.len(), access: Access::Write }
    }
}

impl<'m> Memory<'m> {
    /// Takes whatever holds a slice and keeps it: a `Box<[T]>`, an `Arc<[T]>`, an array, a `bytes::Bytes`, a mapped
    /// file of another crate. For reading. It is asked for its slice once.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use extbuf_protocol::{Array, Exporter, Memory, Request};
    ///
    /// let samples: Arc<[f32]> = Arc::from([0.5, 1.0, 1.5, 2.0]);
    /// let array = Array::of::<f32>(Memory::from_ref::<f32>(samples.clone()), &[2, 2])?;
    /// assert_eq!(array.window(Request::FULL_RO)?.view().get::<f32>(&[1, 0])?, samples[2]);
    /// # Ok::<(), extbuf_protocol::Refusal>(())
    /// ```
    pub fn from_ref<T: NoUninit>(owner: impl AsRef<[T]> + Send + Sync + 'm) -> Memory<'m> {
        Memory::from_owner(ByRef { value: Box::new(owner), items: PhantomData })
    }

    /// Takes whatever alone holds a slice, and keeps it: a `Box<[T]>`, an array, a `bytes::BytesMut`. For reading and
    /// writing. It is asked for its slice once.
    ///
    /// ```
    /// use extbuf_protocol::{Array, Exporter, Memory, Request};
    /// let array = Array::of::<i16>(Memory::from_mut::<i16>([0; 6]), &[2, 3])?;
    /// array.window(Request::FULL)?.view_mut()?.set(&[1, 2], 7i16)?;
    /// assert_eq!(array.window(Request::FULL_RO)?.view().get::<i16>(&[1, 2])?, 7);
    /// # Ok::<(), extbuf_protocol::Refusal>(())
    /// ```
    pub fn from_mut<T: NoUninit + AnyBitPattern>(owner: impl AsMut<[T]> + Send + Sync + 'm) -> Memory<'m> {
        Memory::from_owner(ByMut { value: Box::new(owner), items: PhantomData })
    }
}
