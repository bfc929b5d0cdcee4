//! The proof that a view holds a type: T1 to T3 of the module above.
// Items are looked at here.
#![allow(unsafe_code)]

use alloc::vec;
use alloc::vec::Vec;
use core::any::TypeId;

use bytemuck::CheckedBitPattern;
use extbuf_format::Element;
use extbuf_layout::Layout;

use crate::iter::references::item;
use crate::iter::walk::Walk;
use crate::refusal::{Refusal, RefusalKind};
use crate::sharing::{Frozen, Sharing};
use crate::view::raw::RawView;

/// Checks T1, T2 and T3.
pub(super) fn of<T: Element, S: Sharing>(raw: &RawView<'_>) -> Result<(), Refusal> {
    format_is::<T>(raw)?;
    aligned_for::<T>(raw)?;
    if S::FROZEN { values_are::<T>(raw) } else { Ok(()) }
}

/// T1. `Element` is a safe trait, so what it says of the size is checked too.
fn format_is<T: Element>(raw: &RawView<'_>) -> Result<(), Refusal> {
    raw.format.matches::<T>()?;
    let (given, itemsize) = (size_of::<T>(), raw.layout.itemsize());
    if given != itemsize {
        return Err(RefusalKind::ItemBytes { given, itemsize }.into());
    }
    Ok(())
}

/// T2.
fn aligned_for<T>(raw: &RawView<'_>) -> Result<(), Refusal> {
    aligned(raw, align_of::<T>())
}

/// Checks that the items lie at multiples of a power of two. Axes that step behind all loads add a known stride; what
/// the others lead to is looked at. Relies on V1 and V4 alone.
pub(crate) fn aligned(raw: &RawView<'_>, needed: usize) -> Result<(), Refusal> {
    if needed == 1 || raw.layout.is_empty() || raw.layout.itemsize() == 0 {
        return Ok(());
    }
    let last = raw.layout.levels() - 1;
    let mut bits = 0;
    let mut starts: Layout = (*raw.layout).clone();
    for axis in (0..raw.layout.ndim()).rev() {
        let extent = raw.layout.shape()[axis];
        if extent == 1 || (0..last).all(|level| raw.layout.strides(level)[axis] == 0) {
            bits |= if extent == 1 { 0 } else { raw.layout.strides(last)[axis] as usize };
            starts = starts.index_axis(axis, 0)?;
        }
    }
    // SAFETY: V1, V4: index 0 of some axes is a subset of the items, through the same loads.
    let starts = unsafe { raw.with_layout(starts) };
    let bits = Walk::new(&starts).fold::<u8, _>(bits, |bits, at| bits | at.addr());
    let found = 1 << bits.trailing_zeros().min(usize::BITS - 1);
    if found < needed {
        return Err(RefusalKind::Misaligned { needed, found }.into());
    }
    Ok(())
}

/// The index of an item, by its place in C order.
#[cold]
fn index_of(shape: &[usize], mut place: usize) -> Vec<usize> {
    let mut index = vec![0; shape.len()];
    for (entry, &extent) in index.iter_mut().zip(shape).rev() {
        *entry = place % extent;
        place /= extent;
    }
    index
}

/// T3. Where all bytes are valid there is nothing to look at: then, and only then, bytemuck checks the type itself.
fn values_are<T: Element>(raw: &RawView<'_>) -> Result<(), Refusal> {
    if TypeId::of::<T::Bits>() == TypeId::of::<T>() {
        return Ok(());
    }
    // SAFETY: V1, V2: items of pinned memory; V5: initialised and not written meanwhile; T1: as many bytes as a `T`, and
    // so as its `Bits`, in which any bytes are valid (`AnyBitPattern`).
    let valid =
        |at| T::is_valid_bit_pattern(&unsafe { item::<<T as CheckedBitPattern>::Bits>(at).read_unaligned() });
    let mut walk = Walk::new(raw);
    while let Some(at) = walk.next() {
        if !valid(at) {
            return Err(
                raw.no_value::<T, Frozen>(&index_of(raw.layout.shape(), raw.layout.len() - 1 - walk.len()))
            );
        }
    }
    Ok(())
}
