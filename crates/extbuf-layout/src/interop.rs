//! Descriptions by other hands, as conversions of numbers: DLPack, NumPy's `__array_interface__`, C++'s `mdspan`.
//!
//! None of the three can say a load. DLPack and `mdspan` count strides in elements, so every stride that is used must be a
//! whole number of items; NumPy's interface counts bytes. `mdspan` knows three mappings: right (the last axis fastest, as
//! in C), left (as in Fortran) and stride, whose strides are positive and nested: each as long as all of the next shorter
//! axis at least. Its numbers have the caller's index type, and so has what it calls the required span size. Pointers are
//! nobody's matter here: an offset in bytes stands beside the numbers.

use alloc::vec::Vec;

use num_traits::{NumCast, PrimInt};

use crate::encode::{EncodeRefusal, refuse};
use crate::error::{LayoutError, LayoutErrorKind as Kind};
use crate::layout::{Layout, Order};

/// A layout as a `DLTensor` has it: `shape`, `strides` in elements, `byte_offset`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DlPack {
    /// Entries along each axis.
    pub shape: Vec<i64>,
    /// Elements between neighbours along each axis.
    pub strides: Vec<i64>,
    /// Bytes from the data pointer to the first item.
    pub byte_offset: u64,
}

/// A layout as NumPy's `__array_interface__` has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArrayInterface {
    /// Entries along each axis.
    pub shape: Vec<isize>,
    /// Bytes between neighbours along each axis; `None` where the array is C-contiguous.
    pub strides: Option<Vec<isize>>,
    /// Bytes from the base to the first item, to be added to the address in `data`.
    pub offset: isize,
}

/// The mappings of C++'s `std::mdspan`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MdspanMapping {
    /// `layout_right`: C order, dense.
    Right,
    /// `layout_left`: Fortran order, dense.
    Left,
    /// `layout_stride`: strides in elements, positive and nested.
    Stride,
}

/// A layout as C++'s `std::mdspan` has it, with the index type `I`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mdspan<I> {
    /// How indices become element numbers.
    pub mapping: MdspanMapping,
    /// Entries along each axis.
    pub extents: Vec<I>,
    /// Elements between neighbours along each axis, for every mapping.
    pub strides: Vec<I>,
    /// Bytes from the base to the first item, to be added to the data handle.
    pub offset: isize,
}

impl Layout {
    /// Reads the numbers of a `DLTensor`; without strides it is C-contiguous.
    ///
    /// ```
    /// use extbuf_layout::Layout;
    /// let tensor = Layout::from_dlpack(4, &[2, 3], Some(&[1, 2]), 8)?;
    /// assert_eq!((tensor.strides(0), tensor.offset(0)), (&[4, 8][..], 8));
    /// # Ok::<(), extbuf_layout::LayoutError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Numbers that do not fit this machine's addresses, and whatever [`Layout::new`] refuses.
    pub fn from_dlpack(
        itemsize: usize,
        shape: &[i64],
        strides: Option<&[i64]>,
        byte_offset: u64,
    ) -> Result<Layout, LayoutError> {
        let shape = casts(shape, "shape")?;
        let strides = strides.map(|strides| scaled(itemsize, strides)).transpose()?;
        let offset = cast(byte_offset, "byte offset", None)?;
        Layout::from_array_interface(itemsize, &shape, strides.as_deref(), offset)
    }

    /// Writes the numbers of a `DLTensor`.
    ///
    /// # Errors
    ///
    /// Loads; an itemsize of 0; a stride that is no whole number of items; a negative offset.
    pub fn to_dlpack(&self) -> Result<DlPack, LayoutError> {
        const NAME: &str = "DLPack";
        let strides = self.to_element_strides(NAME)?;
        let offset = self.offset(0);
        let byte_offset = u64::try_from(offset)
            .map_err(|_| refuse(NAME, None, EncodeRefusal::OffsetBelowBase { offset }))?;
        let strides = strides.iter().map(|&stride| stride as i64).collect();
        Ok(DlPack { shape: self.shape().iter().map(|&n| n as i64).collect(), strides, byte_offset })
    }

    /// Reads the numbers of NumPy's `__array_interface__`; without strides it is C-contiguous.
    ///
    /// # Errors
    ///
    /// Whatever [`Layout::new`] refuses.
    pub fn from_array_interface(
        itemsize: usize,
        shape: &[isize],
        strides: Option<&[isize]>,
        offset: isize,
    ) -> Result<Layout, LayoutError> {
        match strides {
            Some(strides) => Layout::from_suboffsets(itemsize, shape, strides, None, offset),
            None => dense(itemsize, shape, Order::C, offset),
        }
    }

    /// Writes the numbers of NumPy's `__array_interface__`.
    ///
    /// # Errors
    ///
    /// Loads.
    pub fn to_array_interface(&self) -> Result<ArrayInterface, LayoutError> {
        let strides = self.to_strides()?;
        let dense = self.is_direct() && self.is_contiguous(Order::C);
        let shape = self.shape().iter().map(|&n| n as isize).collect();
        Ok(ArrayInterface { shape, strides: (!dense).then(|| strides.to_vec()), offset: self.offset(0) })
    }

    /// Reads the numbers of a `std::mdspan`. `strides` are looked at for [`MdspanMapping::Stride`] only.
    ///
    /// # Errors
    ///
    /// Numbers that do not fit this machine's addresses, and whatever [`Layout::new`] refuses.
    pub fn from_mdspan<I: PrimInt>(
        itemsize: usize,
        mapping: MdspanMapping,
        extents: &[I],
        strides: &[I],
        offset: isize,
    ) -> Result<Layout, LayoutError> {
        let shape = casts(extents, "extents")?;
        match mapping {
            MdspanMapping::Right => dense(itemsize, &shape, Order::C, offset),
            MdspanMapping::Left => dense(itemsize, &shape, Order::F, offset),
            MdspanMapping::Stride => {
                let strides = scaled(itemsize, strides)?;
                Layout::from_array_interface(itemsize, &shape, Some(&strides), offset)
            }
        }
    }

    /// Writes the numbers of a `std::mdspan` with index type `I`: the right mapping where the layout is C-contiguous,
    /// the left where it is Fortran-contiguous, else strides.
    ///
    /// ```
    /// use extbuf_layout::{s, Layout, MdspanMapping, Order};
    /// let matrix = Layout::contiguous(8, &[10, 20], Order::C)?;
    /// assert_eq!(matrix.transpose().to_mdspan::<u32>()?.mapping, MdspanMapping::Left);
    /// let block = matrix.slice(s![2..4, 5..10])?.to_mdspan::<i32>()?;
    /// assert_eq!((block.mapping, block.strides, block.offset), (MdspanMapping::Stride, vec![20, 1], 360));
    /// # Ok::<(), extbuf_layout::LayoutError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Loads; an itemsize of 0; a stride that is no whole number of items, not positive, or shorter than the reach of the
    /// next shorter axis; a number that the index type cannot hold.
    pub fn to_mdspan<I: PrimInt>(&self) -> Result<Mdspan<I>, LayoutError> {
        const NAME: &str = "mdspan";
        let mut strides = self.to_element_strides(NAME)?;
        let (c, f) = (self.is_contiguous(Order::C), self.is_contiguous(Order::F));
        let mapping = match (c || self.is_empty(), f) {
            (true, _) => MdspanMapping::Right,
            (_, true) => MdspanMapping::Left,
            _ => MdspanMapping::Stride,
        };
        if self.is_empty() {
            let dense = Layout::contiguous(1, self.shape(), Order::C)?;
            strides.copy_from_slice(dense.strides(0));
        } else {
            // A stride that is not used is still written, and has to be positive and nested like the others.
            let used = |axis: usize| self.shape()[axis] > 1;
            (0..self.ndim()).filter(|&axis| !used(axis)).for_each(|axis| strides[axis] = 1);
            let mut axes: Vec<usize> = (0..self.ndim()).filter(|&axis| used(axis)).collect();
            axes.sort_by_key(|&axis| strides[axis]);
            let mut span = 1;
            for axis in axes {
                let stride = strides[axis];
                if stride <= 0 {
                    return Err(refuse(NAME, Some(axis), EncodeRefusal::NotPositive { stride }));
                }
                if stride < span {
                    return Err(refuse(NAME, Some(axis), EncodeRefusal::NotNested { stride, reach: span }));
                }
                // The reach of this axis in elements; in range, as its bytes are (L3) but for the last step.
                span = stride.saturating_mul(self.shape()[axis] as isize);
            }
        }
        // What is required of the block: one past the last element.
        let last = (0..self.ndim()).map(|axis| strides[axis].wrapping_mul(self.shape()[axis] as isize - 1));
        let required = if self.is_empty() { 0 } else { last.sum::<isize>() + 1 };
        let fits = |number: isize, axis| {
            <I as NumCast>::from(number)
                .ok_or_else(|| refuse(NAME, axis, EncodeRefusal::IndexType { number }))
        };
        fits(required, None)?;
        let numbers = |all: &mut dyn Iterator<Item = isize>| {
            all.enumerate().map(|(axis, number)| fits(number, Some(axis))).collect::<Result<Vec<I>, _>>()
        };
        let extents = numbers(&mut self.shape().iter().map(|&n| n as isize))?;
        Ok(Mdspan {
            mapping,
            extents,
            strides: numbers(&mut strides.iter().copied())?,
            offset: self.offset(0),
        })
    }

    /// The strides in elements; 0 for one that is not used and no whole number of items.
    fn to_element_strides(&self, encoding: &'static str) -> Result<Vec<isize>, LayoutError> {
        let itemsize = self.itemsize() as isize;
        if itemsize == 0 {
            return Err(refuse(encoding, None, EncodeRefusal::NoBytes));
        }
        let strides = self.to_strides().map_err(|error| match *error.kind() {
            Kind::NotEncodable { axis, refusal, .. } => refuse(encoding, axis, refusal),
            _ => error,
        })?;
        let in_elements = |(axis, &stride): (usize, &isize)| {
            if stride % itemsize == 0 {
                Ok(stride / itemsize)
            } else if self.shape()[axis] <= 1 || self.is_empty() {
                Ok(0)
            } else {
                Err(refuse(
                    encoding,
                    Some(axis),
                    EncodeRefusal::NotWholeItems { stride, itemsize: self.itemsize() },
                ))
            }
        };
        strides.iter().enumerate().map(in_elements).collect()
    }
}

fn dense(itemsize: usize, shape: &[isize], order: Order, offset: isize) -> Result<Layout, LayoutError> {
    let extents = shape.iter().enumerate().map(|(axis, &extent)| {
        usize::try_from(extent).map_err(|_| LayoutError::from(Kind::NegativeExtent { axis, extent }))
    });
    let dense = Layout::contiguous(itemsize, &extents.collect::<Result<Vec<_>, _>>()?, order)?;
    Layout::strided(itemsize, dense.shape(), dense.strides(0), offset)
}

/// Strides in elements as strides in bytes.
fn scaled<I: PrimInt>(itemsize: usize, strides: &[I]) -> Result<Vec<isize>, LayoutError> {
    let itemsize = cast::<_>(itemsize, "itemsize", None)?;
    let bytes = casts(strides, "strides")?.into_iter().enumerate().map(|(axis, stride)| {
        stride
            .checked_mul(itemsize)
            .ok_or_else(|| Kind::EncodedRange { what: "strides", axis: Some(axis) }.into())
    });
    bytes.collect()
}

fn casts<I: PrimInt>(numbers: &[I], what: &'static str) -> Result<Vec<isize>, LayoutError> {
    numbers.iter().enumerate().map(|(axis, &number)| cast(number, what, Some(axis))).collect()
}

fn cast<I: PrimInt>(number: I, what: &'static str, axis: Option<usize>) -> Result<isize, LayoutError> {
    <isize as NumCast>::from(number).ok_or_else(|| Kind::EncodedRange { what, axis }.into())
}
