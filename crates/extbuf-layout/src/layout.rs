//! The checked layout: one constructor, private words, everything after it infallible in its arithmetic.
//!
//! The invariants, which every operation keeps:
//!
//! - **L1** every level has as many strides as the shape has axes; axes <= 64, 1 <= levels <= 65;
//! - **L2** every extent fits `isize`, and the number of items times the itemsize fits `isize`;
//! - **L3** unless there are no items: at each level the lowest and the highest byte an index reaches, counted from
//!   the base or from the pointer just loaded, and the distance of the two, fit `isize`. (No block of memory is larger;
//!   without the distance, reversing two entries `isize::MIN` apart would have no stride.)
//!
//! Two conventions keep arithmetic inside L3. The stride of an axis with extent 0 or 1 is never used, so it may hold
//! anything. In a layout without items no offset and no stride is used, so nothing moves them.

use core::fmt;
use core::hash::{Hash, Hasher};
use core::ops::Range;

use crate::error::{LayoutError, LayoutErrorKind as Kind};
use crate::spec::{LayoutSpec, LevelSpec};
use crate::words::Words;
use crate::{MAX_LEVELS, MAX_NDIM, POINTER_BYTES};

/// The order in which items of a contiguous block follow one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Order {
    /// The last axis varies fastest (row-major, as in C).
    C,
    /// The first axis varies fastest (column-major, as in Fortran).
    F,
    /// Either of the two: Fortran where the source is Fortran-contiguous and not C-contiguous, else C.
    A,
}

/// The bytes `start..end` that a level reaches, relative to its base. See [`Layout::extent`].
pub type Extent = Range<isize>;

/// Where the items of a buffer are: a checked chain of affine maps.
///
/// A layout is a value of integers; it holds no pointer and is valid for any base address. Cloning one of up to 6
/// axes and 2 levels does not allocate.
pub struct Layout {
    itemsize: usize,
    ndim: u8,
    levels: u8,
    /// `shape`, then for each level its offset followed by its strides.
    words: Words,
}

impl Layout {
    /// Checks a claim.
    ///
    /// # Errors
    ///
    /// Any kind of [`LayoutErrorKind`](crate::LayoutErrorKind) that concerns a claim; the first fault found is named.
    pub fn new(spec: &LayoutSpec<'_>) -> Result<Layout, LayoutError> {
        let ndim = spec.shape.len();
        for (axis, &extent) in spec.shape.iter().enumerate() {
            if extent < 0 {
                return Err(Kind::NegativeExtent { axis, extent }.into());
            }
        }
        let mut layout = Layout::zeroed(spec.itemsize, ndim, spec.levels.len())?;
        layout.words.as_mut_slice()[..ndim].copy_from_slice(spec.shape);
        for (level, claim) in spec.levels.iter().enumerate() {
            let LevelSpec { offset, strides } = *claim;
            if strides.len() != ndim {
                return Err(Kind::StridesLength { level, strides: strides.len(), ndim }.into());
            }
            let words = layout.level_mut(level);
            words[0] = offset;
            words[1..].copy_from_slice(strides);
        }
        layout.check()?;
        Ok(layout)
    }

    /// A layout of one level: the strided array that everybody knows. Strides and offset in bytes.
    ///
    /// # Errors
    ///
    /// As [`Layout::new`].
    pub fn strided(
        itemsize: usize,
        shape: &[usize],
        strides: &[isize],
        offset: isize,
    ) -> Result<Layout, LayoutError> {
        let mut layout = Layout::default();
        layout.set_strided(itemsize, shape, strides, offset)?;
        Ok(layout)
    }

    /// As [`Layout::strided`], in place of what this layout was: for who keeps layouts where they lie, because they are
    /// many words to move.
    ///
    /// ```
    /// use extbuf_layout::Layout;
    /// let mut layout = Layout::default();
    /// layout.set_strided(4, &[2, 3], &[-12, 4], 12)?;
    /// assert_eq!(layout, Layout::strided(4, &[2, 3], &[-12, 4], 12)?);
    /// assert!(layout.set_strided(4, &[2], &[isize::MAX], isize::MAX).is_err());
    /// assert_eq!(layout, Layout::default());
    /// # Ok::<(), extbuf_layout::LayoutError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Layout::new`]; this layout is the default one then.
    #[inline]
    pub fn set_strided(
        &mut self,
        itemsize: usize,
        shape: &[usize],
        strides: &[isize],
        offset: isize,
    ) -> Result<(), LayoutError> {
        let checked = self.fill_strided(itemsize, shape, strides, offset);
        if checked.is_err() {
            *self = Layout::default();
        }
        checked
    }

    #[inline]
    fn fill_strided(
        &mut self,
        itemsize: usize,
        shape: &[usize],
        strides: &[isize],
        offset: isize,
    ) -> Result<(), LayoutError> {
        self.reset(itemsize, shape.len(), 1)?;
        if strides.len() != shape.len() {
            return Err(Kind::StridesLength { level: 0, strides: strides.len(), ndim: shape.len() }.into());
        }
        self.shape_mut().copy_from_slice(shape);
        let words = self.level_mut(0);
        words[0] = offset;
        words[1..].copy_from_slice(strides);
        self.check()
    }

    /// The layout of one dense block in the given order ([`Order::A`] means C here), offset 0.
    ///
    /// ```
    /// use extbuf_layout::{Layout, Order};
    /// let f = Layout::contiguous(4, &[2, 3], Order::F)?;
    /// assert_eq!(f.strides(0), [4, 8]);
    /// # Ok::<(), extbuf_layout::LayoutError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// More than 64 axes, or a size in bytes over `isize::MAX`.
    pub fn contiguous(itemsize: usize, shape: &[usize], order: Order) -> Result<Layout, LayoutError> {
        let mut layout = Layout::shaped(itemsize, shape, 1)?;
        layout.check()?;
        let ndim = shape.len();
        let strides = &mut layout.level_mut(0)[1..];
        // Fits: a product over extents that are not zero, unless there are no items; then strides are never used.
        let mut step = itemsize as isize;
        for i in 0..ndim {
            let axis = if order == Order::F { i } else { ndim - 1 - i };
            strides[axis] = step;
            step = step.wrapping_mul(shape[axis].max(1) as isize);
        }
        Ok(layout)
    }

    /// Bytes of one item.
    #[inline]
    pub fn itemsize(&self) -> usize {
        self.itemsize
    }

    /// Number of axes; 0 is one single item.
    #[inline]
    pub fn ndim(&self) -> usize {
        self.ndim as usize
    }

    /// Number of entries along each axis.
    #[inline]
    pub fn shape(&self) -> &[usize] {
        bytemuck::cast_slice(&self.words.as_slice()[..self.ndim()])
    }

    /// Number of levels: one more than the number of loads on the way to an item.
    #[inline]
    pub fn levels(&self) -> usize {
        self.levels as usize
    }

    /// True where no pointer is followed on the way to an item: one level.
    #[inline]
    pub fn is_direct(&self) -> bool {
        self.levels() == 1
    }

    /// Bytes added to the base (level 0) or to the pointer just loaded (later levels).
    ///
    /// # Panics
    ///
    /// If there is no such level.
    #[inline]
    pub fn offset(&self, level: usize) -> isize {
        self.level(level)[0]
    }

    /// Bytes between neighbours along each axis, at the given level.
    ///
    /// # Panics
    ///
    /// If there is no such level.
    #[inline]
    pub fn strides(&self, level: usize) -> &[isize] {
        &self.level(level)[1..]
    }

    /// Number of items: the product of the shape, 1 for no axes.
    #[inline]
    pub fn len(&self) -> usize {
        // Cannot overflow where no extent is zero (L2); with a zero extent the product ends at zero whatever wraps.
        self.shape().iter().fold(1usize, |product, &extent| product.wrapping_mul(extent))
    }

    /// True where there are no items: some extent is 0.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.shape().contains(&0)
    }

    /// Bytes that a contiguous copy of all items would take.
    #[inline]
    pub fn nbytes(&self) -> usize {
        self.len().wrapping_mul(self.itemsize)
    }

    /// The bytes a level reaches, relative to the base (level 0) or to the pointers loaded before it: from the lowest
    /// byte to one past the highest. The last level reaches items, the others reach stored pointers. Empty, `0..0`,
    /// where there are no items.
    ///
    /// ```
    /// use extbuf_layout::Layout;
    /// let reversed = Layout::strided(4, &[10], &[-4], 36)?;
    /// assert_eq!(reversed.extent(0), 0..40);
    /// # Ok::<(), extbuf_layout::LayoutError>(())
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no such level.
    #[inline]
    pub fn extent(&self, level: usize) -> Extent {
        let words = self.level(level);
        let (mut low, mut high, mut items) = (words[0], words[0], 1);
        for (&extent, &stride) in self.shape().iter().zip(&words[1..]) {
            items *= extent.min(1);
            // In range by L3, if there are items. The stride of a single entry may be anything, and is not used.
            let reach = stride.wrapping_mul(extent.wrapping_sub(1) as isize);
            low = low.wrapping_add(reach.min(0));
            high = high.wrapping_add(reach.max(0));
        }
        if items == 0 { 0..0 } else { low..high.wrapping_add(self.width(level)) }
    }

    /// Whether every byte that level 0 reaches lies in a block of memory whose first byte the base points at. Items
    /// or, with loads, the first stored pointers; where those lead no number can tell.
    ///
    /// # Errors
    ///
    /// The bytes reached, where they leave the block.
    pub fn check_inside(&self, block: usize) -> Result<(), LayoutError> {
        let Extent { start: low, end: high } = self.extent(0);
        if low >= 0 && high as usize <= block {
            Ok(())
        } else {
            Err(Kind::OutsideBlock { low, high, block }.into())
        }
    }

    /// The address rule itself, as a function (the reference that prose cannot be): follows the chain from `base` to
    /// the item at `index`.
    ///
    /// `load` is given a place, as a base and a byte offset from it, and answers with the base that is stored
    /// there; `A` is whatever stands for an address (a raw pointer, the number of a block in a test). The answer is
    /// the last base and the byte offset of the item from it. `None` where the index has the wrong length or leaves
    /// the shape.
    #[inline]
    pub fn locate<A>(
        &self,
        base: A,
        index: &[usize],
        mut load: impl FnMut(A, isize) -> A,
    ) -> Option<(A, isize)> {
        if index.len() != self.ndim() {
            return None;
        }
        let mut base = base;
        let words = self.level(0);
        let mut place = words[0];
        for ((&k, &extent), &stride) in index.iter().zip(self.shape()).zip(&words[1..]) {
            if k >= extent {
                return None;
            }
            // As in `place`.
            place = place.wrapping_add(stride.wrapping_mul(k as isize));
        }
        for level in 1..self.levels() {
            base = load(base, place);
            place = self.place(level, index);
        }
        Some((base, place))
    }

    /// `offset + sum strides * index` at a level. Inside L3 for an index inside the shape.
    #[inline]
    pub(crate) fn place(&self, level: usize, index: &[usize]) -> isize {
        let words = self.level(level);
        words[1..]
            .iter()
            .zip(index)
            // An axis of extent 1 has index 0 and any stride; wrapping makes the product 0 and nothing else wraps.
            .fold(words[0], |place, (&stride, &k)| place.wrapping_add(stride.wrapping_mul(k as isize)))
    }

    /// All words of one level: offset, then strides.
    #[inline]
    pub(crate) fn level(&self, level: usize) -> &[isize] {
        let start = offset_at(level, self.ndim());
        &self.words.as_slice()[start..start + 1 + self.ndim()]
    }

    #[inline]
    pub(crate) fn level_mut(&mut self, level: usize) -> &mut [isize] {
        let (start, ndim) = (offset_at(level, self.ndim()), self.ndim());
        &mut self.words.as_mut_slice()[start..start + 1 + ndim]
    }

    #[inline]
    pub(crate) fn words(&self) -> &[isize] {
        self.words.as_slice()
    }

    #[inline]
    pub(crate) fn words_mut(&mut self) -> &mut [isize] {
        self.words.as_mut_slice()
    }

    #[inline]
    pub(crate) fn shape_mut(&mut self) -> &mut [usize] {
        let ndim = self.ndim();
        bytemuck::cast_slice_mut(&mut self.words.as_mut_slice()[..ndim])
    }

    /// For operations that have shown the new itemsize to lie inside the bytes reached so far.
    #[inline]
    pub(crate) fn set_itemsize(&mut self, itemsize: usize) {
        self.itemsize = itemsize;
    }

    /// All zero, and unchecked but for L1: for the constructors and operations of this crate to fill.
    #[inline(always)]
    pub(crate) fn zeroed(itemsize: usize, ndim: usize, levels: usize) -> Result<Layout, LayoutError> {
        check_counts(ndim, levels)?;
        Ok(Layout::blank(itemsize, ndim, levels))
    }

    /// As `zeroed`, in place.
    #[inline(always)]
    pub(crate) fn reset(&mut self, itemsize: usize, ndim: usize, levels: usize) -> Result<(), LayoutError> {
        check_counts(ndim, levels)?;
        (self.itemsize, self.ndim, self.levels) = (itemsize, ndim as u8, levels as u8);
        self.words.reset(ndim + levels * (ndim + 1));
        Ok(())
    }

    /// As `zeroed`, where the numbers are known to be within the limits.
    #[inline(always)]
    pub(crate) fn blank(itemsize: usize, ndim: usize, levels: usize) -> Layout {
        debug_assert!(ndim <= MAX_NDIM && (1..=MAX_LEVELS).contains(&levels));
        let words = Words::zeroed(ndim + levels * (ndim + 1));
        Layout { itemsize, ndim: ndim as u8, levels: levels as u8, words }
    }

    /// As `zeroed`, with the shape filled in.
    pub(crate) fn shaped(itemsize: usize, shape: &[usize], levels: usize) -> Result<Layout, LayoutError> {
        let mut layout = Layout::zeroed(itemsize, shape.len(), levels)?;
        layout.shape_mut().copy_from_slice(shape);
        Ok(layout)
    }

    /// L2 and L3; L1 holds by construction.
    #[inline]
    pub(crate) fn check(&self) -> Result<(), LayoutError> {
        if self.is_plainly_right() { Ok(()) } else { self.check_slowly() }
    }

    /// L2 and L3 of the usual layout in one pass, which names no fault: one level, and no size or extent of 0.
    #[inline]
    fn is_plainly_right(&self) -> bool {
        let (shape, level) = self.words().split_at(self.ndim());
        let Some((&offset, strides)) = level.split_first() else { return false };
        let itemsize = self.itemsize as isize;
        let mut right = self.is_direct() && itemsize > 0;
        // No product of extents is larger than this one, and low and high only move apart, so the last difference tells.
        let (mut bytes, mut low, mut high) = (itemsize, offset, offset);
        for (&extent, &stride) in shape.iter().zip(strides) {
            let (product, over) = bytes.overflowing_mul(extent);
            right &= extent > 0 && !over;
            let (reach, over) = stride.overflowing_mul(extent.wrapping_sub(1));
            right &= !over;
            let (lower, under) = low.overflowing_add(reach.min(0));
            let (higher, over) = high.overflowing_add(reach.max(0));
            right &= !under && !over;
            (bytes, low, high) = (product, lower, higher);
        }
        let end = high.checked_add(itemsize);
        right && end.is_some_and(|end| end.checked_sub(low).is_some())
    }

    #[cold]
    fn check_slowly(&self) -> Result<(), LayoutError> {
        self.check_size()?;
        (0..self.levels()).try_for_each(|level| self.checked_extent(level).map(drop))
    }

    /// L2.
    pub(crate) fn check_size(&self) -> Result<(), LayoutError> {
        let itemsize = self.itemsize;
        let too_many = |axis| Err(Kind::TooManyBytes { axis, itemsize }.into());
        if isize::try_from(itemsize).is_err() {
            return too_many(None);
        }
        // With a zero among the extents nothing is reached, but each extent must still be one that can exist.
        for (axis, &extent) in self.shape().iter().enumerate() {
            if isize::try_from(extent).is_err() {
                return too_many(Some(axis));
            }
        }
        if self.is_empty() {
            return Ok(());
        }
        let (mut items, mut bytes) = (1isize, itemsize as isize);
        for (axis, &extent) in self.shape().iter().enumerate() {
            match (items.checked_mul(extent as isize), bytes.checked_mul(extent as isize)) {
                (Some(i), Some(b)) => (items, bytes) = (i, b),
                _ => return too_many(Some(axis)),
            }
        }
        Ok(())
    }

    /// Bytes of what stands at a level: a pointer, or the item.
    #[inline]
    fn width(&self, level: usize) -> isize {
        (if level + 1 < self.levels() { POINTER_BYTES } else { self.itemsize }) as isize
    }

    fn checked_extent(&self, level: usize) -> Result<Extent, LayoutError> {
        if self.is_empty() {
            return Ok(0..0);
        }
        let words = self.level(level);
        let (mut low, mut high) = (words[0], words[0]);
        for (axis, (&extent, &stride)) in self.shape().iter().zip(&words[1..]).enumerate() {
            if extent <= 1 {
                continue;
            }
            let overflow = || {
                let offset = words[0];
                LayoutError::from(Kind::StrideOverflow { level, axis, stride, extent, offset })
            };
            let reach = stride.checked_mul(extent as isize - 1).ok_or_else(overflow)?;
            let end = if reach < 0 { &mut low } else { &mut high };
            *end = end.checked_add(reach).ok_or_else(overflow)?;
            high.checked_sub(low).ok_or_else(overflow)?;
        }
        let width = self.width(level);
        match high.checked_add(width) {
            Some(high) if high.checked_sub(low).is_some() => Ok(low..high),
            _ => Err(Kind::AddressOverflow { level, low, high, width: width as usize }.into()),
        }
    }
}

/// L1, for a layout that is to be filled in.
#[inline(always)]
fn check_counts(ndim: usize, levels: usize) -> Result<(), LayoutError> {
    if ndim > MAX_NDIM {
        return Err(Kind::TooManyAxes { ndim }.into());
    }
    if levels == 0 {
        return Err(Kind::NoLevel.into());
    }
    if levels > MAX_LEVELS {
        return Err(Kind::TooManyLevels { levels }.into());
    }
    Ok(())
}

/// One item of no bytes at the base: no axes, one level. A place for [`Layout::set_strided`] and [`Layout::slice_into`].
impl Default for Layout {
    #[inline(always)]
    fn default() -> Layout {
        Layout::blank(0, 0, 1)
    }
}

/// Where in the words the offset of a level stands; its strides follow.
#[inline]
pub(crate) const fn offset_at(level: usize, ndim: usize) -> usize {
    ndim + level * (ndim + 1)
}

impl Clone for Layout {
    #[inline]
    fn clone(&self) -> Layout {
        let Layout { itemsize, ndim, levels, ref words } = *self;
        // Built where it will lie, one way for each storage: no word is written twice.
        match *words {
            Words::Inline { len, buf } => {
                Layout { itemsize, ndim, levels, words: Words::Inline { len, buf } }
            }
            Words::Boxed(ref words) => Layout { itemsize, ndim, levels, words: Words::Boxed(words.clone()) },
        }
    }
}

/// Equal itemsize, shape and numbers at every level. Layouts that differ only in strides nobody uses are unequal.
impl PartialEq for Layout {
    fn eq(&self, other: &Layout) -> bool {
        self.itemsize == other.itemsize
            && self.ndim == other.ndim
            && self.words.as_slice() == other.words.as_slice()
    }
}

impl Eq for Layout {}

impl Hash for Layout {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.itemsize, self.ndim, self.words.as_slice()).hash(state);
    }
}

impl fmt::Debug for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Layout");
        out.field("itemsize", &self.itemsize).field("shape", &self.shape());
        for level in 0..self.levels() {
            out.field("offset", &self.offset(level)).field("strides", &self.strides(level));
        }
        out.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::Layout;

    #[test]
    fn the_short_check_and_the_long_one_agree_at_the_limits() {
        const MAX: isize = isize::MAX;
        let sizes = [0, 1, 2, 3, MAX as usize / 2, MAX as usize / 2 + 1, MAX as usize, MAX as usize + 1];
        let steps = [0, 1, -1, 5, MAX / 2, MAX / 2 + 1, -MAX / 2 - 1, MAX, -MAX, isize::MIN];
        let mut right = 0;
        for (&itemsize, &offset) in sizes.iter().flat_map(|size| steps.iter().map(move |step| (size, step))) {
            for (&first, &second) in sizes.iter().flat_map(|one| sizes.iter().map(move |two| (one, two))) {
                for (&a, &b) in steps.iter().flat_map(|one| steps.iter().map(move |two| (one, two))) {
                    let mut layout = Layout::blank(itemsize, 2, 1);
                    layout.shape_mut().copy_from_slice(&[first, second]);
                    layout.level_mut(0).copy_from_slice(&[offset, a, b]);
                    let usual = itemsize > 0 && first > 0 && second > 0;
                    let checked = layout.check_slowly().is_ok();
                    assert_eq!(layout.is_plainly_right(), usual && checked, "{layout:?}");
                    right += usize::from(usual && checked);
                }
            }
        }
        assert!(right > 1000, "{right} layouts that are right");
    }
}
