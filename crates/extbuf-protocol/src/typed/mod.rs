//! Views proven once to hold a Rust type.
//!
//! [`View::typed`] looks at everything that reading an item as a `T` depends on, once: what the format says, where every
//! item lies, and for types in which some bytes mean nothing, such as `bool`, every item. What it returns hands out `&T`
//! and slices without looking again. The invariants of a typed view, on top of those of its view:
//!
//! - **T1** the format is that of `T`, and the itemsize is the size of a `T`;
//! - **T2** every item is aligned for a `T`;
//! - **T3** the bytes of every item are a `T`; of foreign memory, which others write, each is looked at when it is read.
//!
//! Operations on the view reach a subset of its items, so they keep all three. Bytes that are there but not as `T` wants
//! them have a type of their own: [`Unaligned<T>`](Unaligned) for any address, [`Be`] and [`Le`] for a byte order.
// Proofs about bytes are made here, and addresses become references.
#![allow(unsafe_code)]

#[cfg(doctest)]
mod aliasing;
mod axis;
mod element;
mod grid;
mod mutable;
mod proof;

use core::fmt;
use core::marker::PhantomData;
use core::ops::Index;

use bytemuck::AnyBitPattern;
use extbuf_format::{Element, Format};
use extbuf_layout::{Layout, Slice, SliceItem};

use crate::iter::references::item;
use crate::iter::walk::Walk;
use crate::iter::{Indexed, Iter, Slices, Values};
use crate::refusal::{Refusal, RefusalKind};
use crate::sharing::{Frozen, Sharing};
use crate::view::View;
use crate::view::raw::RawView;

use grid::Grid;

pub use axis::{TypedAxisIter, TypedAxisIterMut};
pub use element::{Be, Le, Ordered, Unaligned};
pub use mutable::TypedViewMut;
pub(crate) use proof::aligned;

/// A view proven once to hold items of type `T`: their format, their size, the alignment of each, and where `T` has
/// invalid bytes, that none has them.
///
/// ```
/// use extbuf_layout::s;
/// use extbuf_protocol::View;
///
/// let numbers: Vec<i32> = (0..10).collect();
/// let odd = View::from_slice(&numbers).slice(s![1..;2])?.typed::<i32>()?;
/// assert_eq!(odd[[2]], 5);
/// assert_eq!(odd.iter().sum::<i32>(), 25);
/// assert_eq!(odd.as_slice(), None); // not side by side
/// # Ok::<(), extbuf_protocol::Refusal>(())
/// ```
pub struct TypedView<'a, T, S: Sharing = Frozen> {
    /// T1 to T3 hold for it.
    view: View<'a, S>,
    grid: Grid,
    items: PhantomData<&'a [T]>,
}

// SAFETY: the addresses in the grid are those of the view, which is `Send` itself where it may be, and leads to `T`s.
unsafe impl<T: Sync, S: Sharing + Send> Send for TypedView<'_, T, S> {}
// SAFETY: as above.
unsafe impl<T: Sync, S: Sharing + Sync> Sync for TypedView<'_, T, S> {}

impl<'a, S: Sharing> View<'a, S> {
    /// Proves that the items are `T`s.
    ///
    /// Costs the comparison of two formats; with loads also one look at every stored pointer; for types in which not all
    /// bytes are valid, such as `bool` and `char`, also one look at every item.
    ///
    /// ```
    /// use extbuf_protocol::{Be, Unaligned, View};
    /// let bytes = [0u8, 1, 0, 2, 0, 3];
    /// assert!(View::from_slice(&bytes).typed::<u16>().is_err()); // unsigned bytes are no u16
    ///
    /// let shorts = View::from_slice(&[1u16, 2, 3]);
    /// assert_eq!(shorts.typed::<u16>()?.as_slice(), Some(&[1, 2, 3][..]));
    /// # Ok::<(), extbuf_protocol::Refusal>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`RefusalKind::Format`] where the format is not that of `T`, byte order included: [`Be`] and [`Le`] take the other
    /// order. [`RefusalKind::Misaligned`] where an item lies at an address that is not aligned for `T`: take it as
    /// [`Unaligned<T>`](Unaligned). [`RefusalKind::InvalidValue`] where the bytes of an item are no `T`.
    /// [`RefusalKind::ItemBytes`] where `T::FORMAT` is not that of a `T`.
    pub fn typed<T: Element>(self) -> Result<TypedView<'a, T, S>, Refusal> {
        proof::of::<T, S>(self.raw())?;
        Ok(TypedView::of(self))
    }
}

/// What reads, and what shows a part; the same for both kinds of typed view.
macro_rules! typed_operations {
    () => {
        /// Slices along several axes at once; see [`Layout::slice`].
        ///
        /// # Errors
        ///
        /// As [`Layout::slice`].
        pub fn slice(self, items: impl AsRef<[SliceItem]>) -> Result<Self, Refusal> {
            self.try_map(|view| view.slice(items))
        }

        /// Slices along one axis; see [`Layout::slice_axis`].
        ///
        /// # Errors
        ///
        /// As [`Layout::slice_axis`].
        pub fn slice_axis(self, axis: usize, slice: impl Into<Slice>) -> Result<Self, Refusal> {
            self.try_map(|view| view.slice_axis(axis, slice))
        }

        /// Fixes the index of one axis, which disappears; see [`Layout::index_axis`].
        ///
        /// # Errors
        ///
        /// As [`Layout::index_axis`].
        pub fn index_axis(self, axis: usize, index: isize) -> Result<Self, Refusal> {
            self.try_map(|view| view.index_axis(axis, index))
        }

        /// Runs along one axis backwards; see [`Layout::reverse_axis`].
        ///
        /// # Errors
        ///
        /// As [`Layout::reverse_axis`].
        pub fn reverse_axis(self, axis: usize) -> Result<Self, Refusal> {
            self.try_map(|view| view.reverse_axis(axis))
        }

        /// Reorders the axes; see [`Layout::permute`].
        ///
        /// # Errors
        ///
        /// As [`Layout::permute`].
        pub fn permute(self, axes: &[usize]) -> Result<Self, Refusal> {
            self.try_map(|view| view.permute(axes))
        }

        /// Reverses the order of the axes.
        #[must_use]
        pub fn transpose(self) -> Self {
            self.map(|view| view.transpose())
        }

        /// Inserts an axis of extent 1; see [`Layout::new_axis`].
        ///
        /// # Errors
        ///
        /// As [`Layout::new_axis`].
        pub fn new_axis(self, axis: usize) -> Result<Self, Refusal> {
            self.try_map(|view| view.new_axis(axis))
        }

        /// Two views: of the items before and from `at` along one axis.
        ///
        /// # Errors
        ///
        /// As [`View::split_at`].
        pub fn split_at(self, axis: usize, at: usize) -> Result<(Self, Self), Refusal> {
            let (low, high) = self.view.split_at(axis, at)?;
            Ok((Self::of(low), Self::of(high)))
        }

        /// Where the items are.
        pub fn layout(&self) -> &Layout {
            self.view.layout()
        }

        /// What an item is.
        pub fn format(&self) -> &Format {
            self.view.format()
        }

        /// Number of entries along each axis.
        pub fn shape(&self) -> &[usize] {
            self.view.shape()
        }

        /// Number of axes.
        pub fn ndim(&self) -> usize {
            self.view.ndim()
        }

        /// Number of items.
        pub fn len(&self) -> usize {
            self.view.len()
        }

        /// True where there are no items.
        pub fn is_empty(&self) -> bool {
            self.view.is_empty()
        }

        /// The item at `index`, by value.
        ///
        /// # Errors
        ///
        /// [`RefusalKind::IndexLength`], [`RefusalKind::OutOfRange`]; [`RefusalKind::InvalidValue`] where somebody has
        /// written bytes to foreign memory that are no `T`.
        #[inline]
        pub fn get(&self, index: &[usize]) -> Result<T, Refusal> {
            let at = self.view.raw().item(index)?;
            // SAFETY: V1, V2, V5: an item of the view, initialised; T1 to T3.
            unsafe { read::<T, S>(at) }.ok_or_else(|| self.view.raw().no_value::<T, S>(index))
        }

        fn map(self, f: impl FnOnce(UntypedView<'a, S>) -> UntypedView<'a, S>) -> Self {
            Self::of(f(self.view))
        }

        /// For operations that reach a subset of the items; private, the callers answer for that (T1 to T3).
        fn try_map(
            self,
            f: impl FnOnce(UntypedView<'a, S>) -> Result<UntypedView<'a, S>, Refusal>,
        ) -> Result<Self, Refusal> {
            Ok(Self::of(f(self.view)?))
        }

        /// For a view of which T1 to T3 hold.
        pub(in crate::typed) fn of(view: UntypedView<'a, S>) -> Self {
            Self { grid: Grid::of(view.raw()), view, items: PhantomData }
        }
    };
}
use typed_operations;

type UntypedView<'a, S> = View<'a, S>;

impl<'a, T: Element, S: Sharing> TypedView<'a, T, S> {
    typed_operations!();

    /// Repeats axes of extent 1, and adds axes in front, to get `shape`; see [`Layout::broadcast_to`].
    ///
    /// # Errors
    ///
    /// As [`Layout::broadcast_to`].
    pub fn broadcast_to(self, shape: &[usize]) -> Result<Self, Refusal> {
        self.try_map(|view| view.broadcast_to(shape))
    }

    /// The view, for what needs no type.
    pub fn as_view(&self) -> &View<'a, S> {
        &self.view
    }

    /// The view without the proof.
    pub fn into_view(self) -> View<'a, S> {
        self.view
    }

    /// The items by value, in C order; also of foreign memory, where any bytes are a `T`.
    pub fn values(&self) -> Values<'a, T, S>
    where
        T: AnyBitPattern,
    {
        // SAFETY: V1 to V5 of the view; T1 to T3, and any bytes are a `T`.
        unsafe { Values::new(Walk::new(self.view.raw())) }
    }
}

impl<'a, T: Element> TypedView<'a, T> {
    /// Looks at a slice: one axis.
    ///
    /// # Panics
    ///
    /// As [`View::from_slice`].
    pub fn from_slice(slice: &'a [T]) -> TypedView<'a, T>
    where
        T: bytemuck::NoUninit,
    {
        TypedView::of(View::from_slice(slice))
    }

    /// The item at `index`, in place. `view[[i, j]]` does the same, and panics outside of the shape.
    ///
    /// # Errors
    ///
    /// [`RefusalKind::IndexLength`], [`RefusalKind::OutOfRange`].
    #[inline]
    pub fn get_ref(&self, index: &[usize]) -> Result<&'a T, Refusal> {
        let at = self.view.raw().item(index)?;
        // SAFETY: V1, V2, V5: an item of the view, initialised and not written for 'a; T1 to T3: a `T`, aligned for it.
        Ok(unsafe { &*item::<T>(at) })
    }

    /// All items as one slice, where they lie side by side in C order.
    pub fn as_slice(&self) -> Option<&'a [T]> {
        let mut runs = self.runs();
        match (runs.next(), runs.len()) {
            (None, _) => Some(&[]),
            (Some(all), 0) => Some(all),
            _ => None,
        }
    }

    /// References to the items, in C order.
    ///
    /// ```
    /// use extbuf_protocol::{Exporter, Request, Rows};
    /// // Two rows, each its own allocation.
    /// let rows = Rows::from_vecs(vec![vec![1.0f64, 2.0], vec![3.0, 4.0]], &[2])?;
    /// let window = rows.window(Request::FULL_RO)?;
    /// let columns = window.view().typed::<f64>()?.transpose();
    /// assert!(columns.iter().eq(&[1.0, 3.0, 2.0, 4.0]));
    /// # Ok::<(), extbuf_protocol::Refusal>(())
    /// ```
    #[inline]
    pub fn iter(&self) -> Iter<'a, T> {
        // SAFETY: V1 to V5 of the view; T1 to T3.
        unsafe { Iter::new(Walk::new(self.view.raw())) }
    }

    /// Runs of items, all of one length, that are the items in C order: as long as the fastest axes lie side by side.
    /// Where they do not, each item is a run.
    pub fn runs(&self) -> Slices<'a, T> {
        let (walk, items) = crate::iter::runs(self.view.raw());
        // SAFETY: V1 to V5 of the view: so many items lie side by side at each address; T1 to T3.
        unsafe { Slices::new(walk, items) }
    }

    /// References to the items with their indices, in C order. `N` is the number of axes; the pattern of the loop can say
    /// it.
    ///
    /// ```
    /// use extbuf_protocol::View;
    /// let view = View::from_slice(&[5u8, 6, 7]).new_axis(0)?.typed::<u8>()?;
    /// for ([row, column], item) in view.indexed()? {
    ///     assert_eq!((row, usize::from(*item)), (0, column + 5));
    /// }
    /// # Ok::<(), extbuf_protocol::Refusal>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`RefusalKind::IndexLength`] where `N` is not the number of axes.
    pub fn indexed<const N: usize>(&self) -> Result<Indexed<Iter<'a, T>, N>, Refusal> {
        Ok(Indexed::new(fixed(self.shape())?, self.iter()))
    }
}

/// The shape as an array.
fn fixed<const N: usize>(shape: &[usize]) -> Result<[usize; N], Refusal> {
    shape.try_into().map_err(|_| RefusalKind::IndexLength { given: N, ndim: shape.len() }.into())
}

/// An item by value; `None` where its bytes are no `T`.
///
/// # Safety
///
/// The address of an item of a view, T1 to T3.
#[inline]
unsafe fn read<T: Element, S: Sharing>(at: *mut u8) -> Option<T> {
    if S::FROZEN {
        // SAFETY: V5: not written meanwhile; T1 to T3: a `T`, aligned for it.
        return Some(unsafe { item::<T>(at).read() });
    }
    // SAFETY: T1, T2: as many bytes as a `T` and so as its `Bits`, aligned for both, and any bytes are `Bits`. Others may
    // write them meanwhile, and not from Rust: volatile, so that they are read once.
    let bits = unsafe { item::<T::Bits>(at).read_volatile() };
    if !T::is_valid_bit_pattern(&bits) {
        return None;
    }
    // SAFETY: valid bits are a `T` (`CheckedBitPattern`).
    Some(unsafe { (&raw const bits).cast::<T>().read() })
}

/// The address of an item, as `RawView::item`.
#[inline]
fn place<const N: usize>(grid: &Grid, raw: &RawView<'_>, index: &[usize; N]) -> *mut u8 {
    match grid.place(index) {
        Some(at) => at,
        None => far(raw, index),
    }
}

/// The same without a grid.
///
/// # Panics
///
/// Outside of the shape.
#[inline(never)]
fn far(raw: &RawView<'_>, index: &[usize]) -> *mut u8 {
    match raw.item(index) {
        Ok(at) => at,
        Err(refusal) => panic!("{refusal}"),
    }
}

/// # Panics
///
/// Outside of the shape.
impl<T: Element, const N: usize> Index<[usize; N]> for TypedView<'_, T> {
    type Output = T;

    #[inline]
    fn index(&self, index: [usize; N]) -> &T {
        let at = place(&self.grid, self.view.raw(), &index);
        // SAFETY: as in `get_ref`.
        unsafe { &*item::<T>(at) }
    }
}

impl<'a, T: Element> IntoIterator for &TypedView<'a, T> {
    type Item = &'a T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<'a, T: Element> IntoIterator for TypedView<'a, T> {
    type Item = &'a T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<T, S: Sharing> Clone for TypedView<'_, T, S> {
    fn clone(&self) -> Self {
        TypedView { view: self.view.clone(), grid: self.grid, items: PhantomData }
    }
}

impl<T, S: Sharing> fmt::Debug for TypedView<'_, T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TypedView")
            .field("type", &core::any::type_name::<T>())
            .field("layout", self.view.layout())
            .finish()
    }
}
