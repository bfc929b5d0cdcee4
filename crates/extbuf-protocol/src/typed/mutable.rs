//! Views for writing, proven once to hold a Rust type.
// Addresses become mutable references here.
#![allow(unsafe_code)]

use core::fmt;
use core::marker::PhantomData;
use core::ops::{Index, IndexMut};

use bytemuck::{AnyBitPattern, NoUninit};
use extbuf_format::{Element, Format};
use extbuf_layout::{Layout, Slice, SliceItem};

use super::grid::Grid;
use super::{fixed, place, proof, read, typed_operations};
use crate::iter::references::item;
use crate::iter::walk::Walk;
use crate::iter::{Indexed, IterMut, SlicesMut};
use crate::refusal::Refusal;
use crate::sharing::{Frozen, Sharing};
use crate::view::ViewMut;
#[cfg(feature = "ndarray")]
use crate::view::raw::RawView;
#[cfg(doc)]
use crate::{RefusalKind, View};

/// A mutable view proven once to hold items of type `T`. See [`TypedView`](crate::TypedView).
///
/// ```
/// use extbuf_layout::s;
/// use extbuf_protocol::ViewMut;
///
/// let mut numbers = [1.0f32, 2.0, 3.0, 4.0];
/// let mut view = ViewMut::from_slice(&mut numbers).slice(s![..;-2])?.typed::<f32>()?;
/// view[[0]] = 40.0;
/// view.iter_mut().for_each(|x| *x += 0.5);
/// assert_eq!(numbers, [1.0, 2.5, 3.0, 40.5]);
/// # Ok::<(), extbuf_protocol::Refusal>(())
/// ```
pub struct TypedViewMut<'a, T, S: Sharing = Frozen> {
    /// T1 to T3 hold for it. Nothing but a `T` is written through this, nor through what is borrowed or made of it while
    /// it lives.
    pub(super) view: ViewMut<'a, S>,
    grid: Grid,
    items: PhantomData<&'a mut [T]>,
}

// SAFETY: the addresses in the grid are those of the view, which is `Send` itself where it may be, and leads to `T`s.
unsafe impl<T: Send, S: Sharing + Send> Send for TypedViewMut<'_, T, S> {}
// SAFETY: as above; a shared reference reads `T`s.
unsafe impl<T: Sync, S: Sharing + Sync> Sync for TypedViewMut<'_, T, S> {}

impl<'a, S: Sharing> ViewMut<'a, S> {
    /// Proves that the items are `T`s, as [`View::typed`].
    ///
    /// # Errors
    ///
    /// As [`View::typed`].
    pub fn typed<T: Element + NoUninit>(self) -> Result<TypedViewMut<'a, T, S>, Refusal> {
        proof::of::<T, S>(self.raw())?;
        Ok(TypedViewMut::of(self))
    }
}

type UntypedView<'a, S> = ViewMut<'a, S>;

impl<'a, T: Element + NoUninit, S: Sharing> TypedViewMut<'a, T, S> {
    typed_operations!();

    /// The view without the proof, to which any bytes may be written: so for types in which any bytes are valid. Were it
    /// not, a part of a `bool` view could be given bytes that the whole does not look at again.
    pub fn into_view(self) -> ViewMut<'a, S>
    where
        T: AnyBitPattern,
    {
        self.view
    }

    /// The same items for reading, while this is borrowed.
    pub fn as_typed(&self) -> super::TypedView<'_, T, S> {
        super::TypedView { view: self.view.as_view(), grid: self.grid, items: PhantomData }
    }

    /// The same items for writing, for the time of a borrow.
    pub fn reborrow(&mut self) -> TypedViewMut<'_, T, S> {
        TypedViewMut { grid: self.grid, view: self.view.reborrow(), items: PhantomData }
    }

    /// Writes the item at `index`.
    ///
    /// # Errors
    ///
    /// [`RefusalKind::IndexLength`], [`RefusalKind::OutOfRange`].
    #[inline]
    pub fn set(&mut self, index: &[usize], value: T) -> Result<(), Refusal> {
        let at = item::<T>(self.view.raw().item(index)?);
        if S::FROZEN {
            // SAFETY: V1 to V3: an item of the view, which is borrowed exclusively; T1, T2: room for a `T`.
            unsafe { at.write(value) };
        } else {
            // SAFETY: as above. Others may read and write it meanwhile, and not from Rust: volatile, so that it is written
            // once.
            unsafe { at.write_volatile(value) };
        }
        Ok(())
    }
}

impl<'a, T: Element + NoUninit> TypedViewMut<'a, T> {
    /// The item at `index`, to be written.
    ///
    /// # Errors
    ///
    /// [`RefusalKind::IndexLength`], [`RefusalKind::OutOfRange`].
    #[inline]
    pub fn get_mut(&mut self, index: &[usize]) -> Result<&mut T, Refusal> {
        let at = self.view.raw().item(index)?;
        // SAFETY: V1, V2, V5: an item of the view, initialised, and `self` is borrowed exclusively; T1 to T3: a `T`,
        // aligned for it, and what is written is a `T` without uninitialised bytes (`NoUninit`).
        Ok(unsafe { &mut *item::<T>(at) })
    }

    /// All items as one slice, to be written, where they lie side by side in C order.
    pub fn as_mut_slice(&mut self) -> Option<&mut [T]> {
        let mut runs = self.reborrow().into_runs_mut();
        match (runs.next(), runs.len()) {
            (None, _) => Some(&mut []),
            (Some(all), 0) => Some(all),
            _ => None,
        }
    }

    /// References to the items, to be written, in C order.
    #[inline]
    pub fn iter_mut(&mut self) -> IterMut<'_, T> {
        // SAFETY: V1 to V5 of the view, which is borrowed exclusively; T1 to T3, and `NoUninit`.
        unsafe { IterMut::new(Walk::new(self.view.raw())) }
    }

    /// Runs of items, to be written, as in [`TypedView::runs`](crate::TypedView::runs).
    pub fn runs_mut(&mut self) -> SlicesMut<'_, T> {
        self.reborrow().into_runs_mut()
    }

    /// References to the items, to be written, with their indices. `N` is the number of axes.
    ///
    /// ```
    /// use extbuf_protocol::ViewMut;
    /// let mut numbers = [0u8; 4];
    /// let mut view = ViewMut::from_slice(&mut numbers).reverse_axis(0)?.typed::<u8>()?;
    /// for ([k], item) in view.indexed_mut()? {
    ///     *item = k as u8;
    /// }
    /// assert_eq!(numbers, [3, 2, 1, 0]);
    /// # Ok::<(), extbuf_protocol::Refusal>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`RefusalKind::IndexLength`] where `N` is not the number of axes.
    pub fn indexed_mut<const N: usize>(&mut self) -> Result<Indexed<IterMut<'_, T>, N>, Refusal> {
        Ok(Indexed::new(fixed(self.shape())?, self.iter_mut()))
    }

    /// Writes the same value to every item.
    pub fn fill(&mut self, value: T) {
        self.runs_mut().for_each(|run| run.fill(value));
    }

    #[cfg(feature = "ndarray")]
    pub(crate) fn raw(&self) -> &RawView<'a> {
        self.view.raw()
    }

    fn into_runs_mut(self) -> SlicesMut<'a, T> {
        let (walk, items) = crate::iter::runs(self.view.raw());
        // SAFETY: V1 to V5 of the view, which ends here: so many items lie side by side at each address; T1 to T3, and
        // `NoUninit`.
        unsafe { SlicesMut::new(walk, items) }
    }
}

/// # Panics
///
/// Outside of the shape.
impl<T: Element + NoUninit, const N: usize> Index<[usize; N]> for TypedViewMut<'_, T> {
    type Output = T;

    #[inline]
    fn index(&self, index: [usize; N]) -> &T {
        let at = place(&self.grid, self.view.raw(), &index);
        // SAFETY: V1, V2, V5: an item of the view, not written while `self` is borrowed; T1 to T3.
        unsafe { &*item::<T>(at) }
    }
}

/// # Panics
///
/// Outside of the shape.
impl<T: Element + NoUninit, const N: usize> IndexMut<[usize; N]> for TypedViewMut<'_, T> {
    #[inline]
    fn index_mut(&mut self, index: [usize; N]) -> &mut T {
        let at = place(&self.grid, self.view.raw(), &index);
        // SAFETY: as in `get_mut`.
        unsafe { &mut *item::<T>(at) }
    }
}

impl<'a, T: Element + NoUninit> IntoIterator for TypedViewMut<'a, T> {
    type Item = &'a mut T;
    type IntoIter = IterMut<'a, T>;

    fn into_iter(self) -> IterMut<'a, T> {
        // SAFETY: V1 to V5 of the view, which ends here; T1 to T3, and `NoUninit`.
        unsafe { IterMut::new(Walk::new(self.view.raw())) }
    }
}

impl<'v, T: Element + NoUninit> IntoIterator for &'v mut TypedViewMut<'_, T> {
    type Item = &'v mut T;
    type IntoIter = IterMut<'v, T>;

    fn into_iter(self) -> IterMut<'v, T> {
        self.iter_mut()
    }
}

impl<T, S: Sharing> fmt::Debug for TypedViewMut<'_, T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TypedViewMut")
            .field("type", &core::any::type_name::<T>())
            .field("layout", self.view.layout())
            .finish()
    }
}
