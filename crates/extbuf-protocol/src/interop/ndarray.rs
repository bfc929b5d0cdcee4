//! `ndarray`: its views from ours and ours from its, and its arrays as memory to lend.
//!
//! An `ndarray` view is a pointer to the first item, a shape, and strides in items, which may be negative. Every view of
//! ours without loads whose strides are whole items is one, and every one of its views is a view of ours. Nothing is
//! copied; what cannot be said is refused with the axis that is to blame.
// Pointers change hands here.
#![allow(unsafe_code)]

use alloc::vec::Vec;

use bytemuck::{AnyBitPattern, NoUninit};
use extbuf_format::Element;
use extbuf_layout::{EncodeRefusal, Layout, LayoutError, LayoutErrorKind};
use ndarray::{
    ArcArray, ArrayView, ArrayViewD, ArrayViewMut, ArrayViewMutD, Axis, Dimension, IxDyn, ShapeBuilder,
    StrideShape,
};

use crate::memory::{Access, Block, Memory, Owner};
use crate::refusal::Refusal;
use crate::sources::Array;
use crate::typed::{TypedView, TypedViewMut};
use crate::view::raw::RawView;
use crate::view::{View, ViewMut};

impl<'a, T: Element> TypedView<'a, T> {
    /// The same items as an `ndarray` view, without copying.
    ///
    /// ```
    /// use extbuf_layout::s;
    /// use extbuf_protocol::View;
    /// let numbers = [1.0f64, 2.0, 3.0, 4.0, 5.0];
    /// let odd_backwards = View::from_slice(&numbers).slice(s![..;-2])?.typed::<f64>()?;
    /// let array = odd_backwards.to_ndarray()?;
    /// assert_eq!(array, ndarray::arr1(&[5.0, 3.0, 1.0]).into_dyn());
    /// # Ok::<(), extbuf_protocol::Refusal>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`RefusalKind::Layout`](crate::RefusalKind::Layout): where there are loads, as in [`Rows`](crate::Rows), of which each
    /// row is an `ndarray` view and all together are none; where a stride is no whole number of items, as it may be in a
    /// field of a record; and where the other extents of a shape without items multiply to more than `isize::MAX`.
    pub fn to_ndarray(&self) -> Result<ArrayViewD<'a, T>, Refusal> {
        let Strided { first, shape, backwards } = strided::<T>(self.as_view().raw())?;
        // SAFETY: V1, V2: the items lie in one pinned allocation for 'a, the lowest of them first, strides are whole items and
        // not negative, and by L2 and L3 no count and no distance leaves `isize`; V5: not written meanwhile; T1 to T3:
        // each is a `T`, aligned for it. Without bytes the pointer is aligned, and no step moves it.
        let mut array = unsafe { ArrayView::from_shape_ptr(shape, first) };
        backwards.into_iter().for_each(|axis| array.invert_axis(axis));
        Ok(array)
    }
}

impl<'a, T: Element + NoUninit> TypedViewMut<'a, T> {
    /// The same items as a mutable `ndarray` view, without copying.
    ///
    /// ```
    /// use extbuf_protocol::ViewMut;
    /// let mut numbers = [1u32, 2, 3];
    /// let view = ViewMut::from_slice(&mut numbers).reverse_axis(0)?.typed::<u32>()?;
    /// let mut array = view.into_ndarray()?;
    /// array *= 10;
    /// array[[0]] += 1;
    /// assert_eq!(numbers, [10, 20, 31]);
    /// # Ok::<(), extbuf_protocol::Refusal>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`TypedView::to_ndarray`].
    pub fn into_ndarray(self) -> Result<ArrayViewMutD<'a, T>, Refusal> {
        let Strided { first, shape, backwards } = strided::<T>(self.raw())?;
        // SAFETY: as in `to_ndarray`; V3, V5: items share no byte, and the view ends here, so that this is the only way to
        // them. Every `T` may be written (`NoUninit`).
        let mut array = unsafe { ArrayViewMut::from_shape_ptr(shape, first) };
        backwards.into_iter().for_each(|axis| array.invert_axis(axis));
        Ok(array)
    }
}

/// What `from_shape_ptr` takes: the lowest item, strides in items and not negative; and the axes to turn around then.
struct Strided<T> {
    first: *mut T,
    shape: StrideShape<IxDyn>,
    backwards: Vec<Axis>,
}

fn strided<T>(raw: &RawView<'_>) -> Result<Strided<T>, Refusal> {
    let layout: &Layout = &raw.layout;
    let refuse = |axis, refusal| -> Refusal {
        LayoutError::from(LayoutErrorKind::NotEncodable { encoding: "ndarray", axis, refusal }).into()
    };
    if !layout.is_direct() {
        return Err(refuse(None, EncodeRefusal::Loads { loads: layout.levels() - 1 }));
    }
    let shape = IxDyn(layout.shape());
    let mut strides = alloc::vec![0; layout.ndim()];
    let mut backwards = Vec::new();
    if layout.is_empty() {
        // `ndarray` counts the axes that have entries.
        let mut counted = 1isize;
        for (axis, &extent) in layout.shape().iter().enumerate().filter(|&(_, &extent)| extent > 0) {
            counted = counted
                .checked_mul(extent as isize)
                .ok_or(LayoutErrorKind::TooManyBytes { axis: Some(axis), itemsize: layout.itemsize() })
                .map_err(LayoutError::from)?;
        }
    }
    if layout.nbytes() == 0 {
        // Strides lead nowhere: those of `ndarray`'s own, which it takes for empty arrays without a question.
        return Ok(Strided { first: core::ptr::dangling_mut(), shape: shape.into(), backwards });
    }
    let itemsize = layout.itemsize() as isize;
    let mut lowest = layout.offset(0);
    for (axis, (&extent, &stride)) in layout.shape().iter().zip(layout.strides(0)).enumerate() {
        if extent == 1 {
            continue;
        }
        if stride % itemsize != 0 {
            let itemsize = layout.itemsize();
            return Err(refuse(Some(axis), EncodeRefusal::NotWholeItems { stride, itemsize }));
        }
        strides[axis] = stride.unsigned_abs() / layout.itemsize();
        if stride < 0 {
            // In range: the place of an item (L3).
            lowest += stride * (extent as isize - 1);
            backwards.push(Axis(axis));
        }
    }
    let first = raw.base().wrapping_offset(lowest).cast();
    Ok(Strided { first, shape: shape.strides(IxDyn(&strides)), backwards })
}

/// The layout of an `ndarray`, counted from its first item.
fn layout_of<T, D: Dimension>(dim: &D, strides: &[isize]) -> Result<Layout, Refusal> {
    // Strides that are used are distances inside an allocation; others may wrap.
    let strides: Vec<isize> =
        strides.iter().map(|stride| stride.wrapping_mul(size_of::<T>() as isize)).collect();
    Ok(Layout::strided(size_of::<T>(), dim.slice(), &strides, 0)?)
}

impl<'a> View<'a> {
    /// Looks at the items of an `ndarray` view of any strides, without copying.
    ///
    /// ```
    /// use extbuf_protocol::View;
    /// let matrix = ndarray::arr2(&[[1u8, 2, 3], [4, 5, 6]]);
    /// let view = View::from_ndarray(matrix.t())?;
    /// assert_eq!(view.shape(), [3, 2]);
    /// assert_eq!(view.get::<u8>(&[2, 1])?, 6);
    /// # Ok::<(), extbuf_protocol::Refusal>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`RefusalKind::Layout`](crate::RefusalKind::Layout) where there are more than 64 axes, or more bytes than
    /// `isize::MAX`, which takes a broadcast.
    ///
    /// # Panics
    ///
    /// As [`View::from_slice`].
    pub fn from_ndarray<T, D>(array: ArrayView<'a, T, D>) -> Result<View<'a>, Refusal>
    where
        T: Element + NoUninit,
        D: Dimension,
    {
        let layout = layout_of::<T, D>(&array.raw_dim(), array.strides())?;
        let raw = RawView::over::<T>(array.as_ptr().cast_mut().cast(), layout);
        // SAFETY: V1, V2: the layout is that of the array, whose items are borrowed for 'a; V4: no loads; V5: `NoUninit`,
        // and the borrow is shared.
        Ok(unsafe { View::from_raw(raw) })
    }
}

impl<'a> ViewMut<'a> {
    /// Looks at the items of a mutable `ndarray` view of any strides, for writing too.
    ///
    /// # Errors
    ///
    /// As [`View::from_ndarray`].
    ///
    /// # Panics
    ///
    /// As [`View::from_slice`].
    pub fn from_ndarray<T, D>(mut array: ArrayViewMut<'a, T, D>) -> Result<ViewMut<'a>, Refusal>
    where
        T: Element + NoUninit + AnyBitPattern,
        D: Dimension,
    {
        let layout = layout_of::<T, D>(&array.raw_dim(), array.strides())?;
        let raw = RawView::over::<T>(array.as_mut_ptr().cast(), layout);
        // SAFETY: V1, V2: the layout is that of the array, whose items are borrowed for 'a; V3: the items of a mutable array
        // are apart; V4: no loads; V5: `NoUninit`, any bytes are valid (`AnyBitPattern`), and the borrow is exclusive.
        Ok(unsafe { ViewMut::from_raw(raw) })
    }
}

/// An owned array as an owner of memory: what its items reach, from the lowest.
struct Owned<T, D> {
    array: ndarray::Array<T, D>,
    lowest: isize,
    len: usize,
}

// SAFETY: M1: the items of an owned array lie in the vector that it owns, which stays where it is until the array is
// dropped or lent mutably, and whose entries are all initialised, those between the items too. M2: `AnyBitPattern`, and
// the pointer is the array's own. M3: the vector is owned.
unsafe impl<T: NoUninit + AnyBitPattern + Send + Sync, D: Dimension> Owner for Owned<T, D> {
    fn block(&mut self) -> Block {
        let base = self.array.as_mut_ptr().cast::<u8>().wrapping_offset(self.lowest);
        Block { base, len: self.len, access: Access::Write }
    }
}

/// A shared array, the same way.
struct Shared<T, D> {
    array: ArcArray<T, D>,
    lowest: isize,
    len: usize,
}

// SAFETY: M1: as for `Owned`: the vector lives while this share of it does. M3: who shares it copies before writing, as
// long as this share lives.
unsafe impl<T: NoUninit + Send + Sync, D: Dimension> Owner for Shared<T, D> {
    fn block(&mut self) -> Block {
        let base = self.array.as_ptr().cast_mut().cast::<u8>().wrapping_offset(self.lowest);
        Block { base, len: self.len, access: Access::Read }
    }
}

/// The layout counted from the lowest byte that it reaches; that byte counted from the first item, and how many there
/// are.
fn from_lowest(layout: &Layout) -> Result<(Layout, isize, usize), Refusal> {
    let reached = layout.extent(0);
    // In range: the distance of two places that an index reaches (L3).
    let len = (reached.end - reached.start) as usize;
    let layout = Layout::strided(layout.itemsize(), layout.shape(), layout.strides(0), -reached.start)?;
    Ok((layout, reached.start, len))
}

impl Array<'static> {
    /// Takes an `ndarray` array of any strides. Reading and writing.
    ///
    /// ```
    /// use extbuf_protocol::{Array, Exporter, Request};
    /// let matrix = ndarray::arr2(&[[1u16, 2, 3], [4, 5, 6]]);
    /// let exporter = Array::from_ndarray(matrix.reversed_axes())?;
    /// let mut window = exporter.window(Request::FULL)?;
    /// window.view_mut()?.set(&[2, 0], 30u16)?;
    /// assert_eq!(window.view().get::<u16>(&[2, 0])?, 30);
    /// # Ok::<(), extbuf_protocol::Refusal>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`View::from_ndarray`]; [`RefusalKind::ItemsizeMismatch`](crate::RefusalKind::ItemsizeMismatch) where
    /// `T::FORMAT` is not that of a `T`.
    pub fn from_ndarray<T, D>(array: ndarray::Array<T, D>) -> Result<Array<'static>, Refusal>
    where
        T: Element + NoUninit + AnyBitPattern + Send + Sync,
        D: Dimension + 'static,
    {
        let layout = layout_of::<T, D>(&array.raw_dim(), array.strides())?;
        let (layout, lowest, len) = from_lowest(&layout)?;
        Array::new(Memory::from_owner(Owned { array, lowest, len }), layout, T::FORMAT)
    }

    /// Takes a share of an `ndarray` array. Reading; who shares it with this exporter copies before writing.
    ///
    /// # Errors
    ///
    /// As [`Array::from_ndarray`].
    pub fn from_shared_ndarray<T, D>(array: ArcArray<T, D>) -> Result<Array<'static>, Refusal>
    where
        T: Element + NoUninit + Send + Sync,
        D: Dimension + 'static,
    {
        let layout = layout_of::<T, D>(&array.raw_dim(), array.strides())?;
        let (layout, lowest, len) = from_lowest(&layout)?;
        Array::new(Memory::from_owner(Shared { array, lowest, len }), layout, T::FORMAT)
    }
}
