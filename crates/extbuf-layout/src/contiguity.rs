//! Contiguity: computed, never claimed.
//!
//! The rules are those of CPython's `PyBuffer_IsContiguous`, tried against it: a layout with a load is contiguous in
//! no order; without bytes it is in both; an axis of extent 1 may have any stride; no axes at all are both.

use crate::layout::{Layout, Order};

/// In which orders the items of a layout follow one another without a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Contiguity {
    /// In neither.
    None,
    /// Row-major only.
    C,
    /// Column-major only.
    F,
    /// In both: at most one axis counts, or there are no bytes.
    Both,
}

impl Contiguity {
    /// True where items are contiguous in that order; [`Order::A`] asks for either.
    #[inline]
    pub fn is(self, order: Order) -> bool {
        match order {
            Order::C => matches!(self, Contiguity::C | Contiguity::Both),
            Order::F => matches!(self, Contiguity::F | Contiguity::Both),
            Order::A => self != Contiguity::None,
        }
    }
}

impl Layout {
    /// The orders in which this layout is contiguous.
    ///
    /// ```
    /// use extbuf_layout::{Contiguity, Layout};
    /// assert_eq!(Layout::strided(8, &[1, 5], &[123456, 8], 0)?.contiguity(), Contiguity::Both);
    /// assert_eq!(Layout::strided(8, &[5, 2], &[8, 40], 0)?.contiguity(), Contiguity::F);
    /// assert_eq!(Layout::strided(8, &[5], &[-8], 32)?.contiguity(), Contiguity::None);
    /// # Ok::<(), extbuf_layout::LayoutError>(())
    /// ```
    pub fn contiguity(&self) -> Contiguity {
        match (self.is_contiguous(Order::C), self.is_contiguous(Order::F)) {
            (true, true) => Contiguity::Both,
            (true, false) => Contiguity::C,
            (false, true) => Contiguity::F,
            (false, false) => Contiguity::None,
        }
    }

    /// True where the items follow one another without a gap in that order, the first at the offset.
    pub fn is_contiguous(&self, order: Order) -> bool {
        if !self.is_direct() {
            return false;
        }
        if self.nbytes() == 0 {
            return true;
        }
        let axes = self.shape().iter().zip(self.strides(0));
        match order {
            Order::C => follows(self.itemsize(), axes.rev()),
            Order::F => follows(self.itemsize(), axes),
            Order::A => follows(self.itemsize(), axes.clone().rev()) || follows(self.itemsize(), axes),
        }
    }
}

/// Axes from the fastest: each stride is what the axes before it take.
fn follows<'a>(itemsize: usize, axes: impl Iterator<Item = (&'a usize, &'a isize)>) -> bool {
    // In range by L2: there are items, and this is a part of their bytes.
    let mut taken = itemsize as isize;
    for (&extent, &stride) in axes {
        if extent != 1 {
            if stride != taken {
                return false;
            }
            taken *= extent as isize;
        }
    }
    true
}
