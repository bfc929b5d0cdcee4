//! Walks: the indices of a layout one after another, and the places they lead to at a level.
//!
//! An index counts like an odometer. In C order the last axis turns fastest, in F order the first, in memory order
//! the axis with the shortest stride, and an axis whose stride is negative turns backwards. The place of an index is
//! kept beside it: a turn of an axis adds its stride, a turn back to its start takes the whole way back.

use core::fmt;
use core::ops::Deref;

use crate::contiguity::Contiguity;
use crate::layout::{Layout, Order};
use crate::parts::MemoryOrder;
use crate::words::Words;

/// One index of a layout: as many entries as it has axes. A slice of `usize`, without allocation up to 20 axes.
#[derive(Clone)]
pub struct Index(Words);

impl Deref for Index {
    type Target = [usize];

    #[inline]
    fn deref(&self) -> &[usize] {
        bytemuck::cast_slice(self.0.as_slice())
    }
}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self[..].fmt(f)
    }
}

/// The indices of a layout in some order. See [`Layout::indices`].
#[derive(Clone, Debug)]
pub struct Indices<'a> {
    odometer: Odometer<'a>,
}

/// The places at one level that the indices of a layout lead to, in some order. See [`Layout::offsets`].
#[derive(Clone, Debug)]
pub struct Offsets<'a> {
    odometer: Odometer<'a>,
    strides: &'a [isize],
    place: isize,
}

impl Layout {
    /// Every index once, in C or F order; [`Order::A`] is F where the layout is contiguous in F order only.
    ///
    /// ```
    /// use extbuf_layout::{Layout, Order};
    /// let layout = Layout::contiguous(1, &[2, 2], Order::C)?;
    /// let all: Vec<_> = layout.indices(Order::F).map(|index| [index[0], index[1]]).collect();
    /// assert_eq!(all, [[0, 0], [1, 0], [0, 1], [1, 1]]);
    /// # Ok::<(), extbuf_layout::LayoutError>(())
    /// ```
    pub fn indices(&self, order: Order) -> Indices<'_> {
        Indices { odometer: Odometer::new(self, order) }
    }

    /// Every index once, in the order in which the items lie in memory: the axis with the shortest stride turns
    /// fastest, an axis with a negative stride turns backwards. Items reached through different pointers follow in
    /// the order of the pointers.
    ///
    /// ```
    /// use extbuf_layout::Layout;
    /// let layout = Layout::strided(1, &[2, 2], &[-1, 2], 1)?;
    /// let all: Vec<_> = layout.indices_in_memory_order().map(|index| [index[0], index[1]]).collect();
    /// assert_eq!(all, [[1, 0], [0, 0], [1, 1], [0, 1]]);
    /// # Ok::<(), extbuf_layout::LayoutError>(())
    /// ```
    pub fn indices_in_memory_order(&self) -> Indices<'_> {
        Indices { odometer: Odometer::in_memory_order(self) }
    }

    /// `offset + sum strides * index` at a level for every index, in C or F order: for a layout without loads the
    /// places of the items, counted from the base.
    ///
    /// ```
    /// use extbuf_layout::{Layout, Order};
    /// let backwards = Layout::strided(4, &[3], &[-4], 8)?;
    /// assert!(backwards.offsets(0, Order::C).eq([8, 4, 0]));
    /// # Ok::<(), extbuf_layout::LayoutError>(())
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no such level.
    pub fn offsets(&self, level: usize, order: Order) -> Offsets<'_> {
        let words = self.level(level);
        Offsets { odometer: Odometer::new(self, order), strides: &words[1..], place: words[0] }
    }
}

/// Counts through all indices of a shape.
#[derive(Clone, Debug)]
struct Odometer<'a> {
    shape: &'a [usize],
    index: Index,
    turns: Turns,
    left: usize,
}

/// Which axis turns fastest, and which turn backwards.
#[derive(Clone, Debug)]
enum Turns {
    LastFirst,
    FirstFirst,
    /// The axes, fastest first, and one bit for each axis that turns backwards.
    Listed(Index, u64),
}

impl<'a> Odometer<'a> {
    fn new(layout: &'a Layout, order: Order) -> Odometer<'a> {
        let turns = match order {
            Order::C => Turns::LastFirst,
            Order::F => Turns::FirstFirst,
            Order::A if layout.contiguity() == Contiguity::F => Turns::FirstFirst,
            Order::A => Turns::LastFirst,
        };
        let index = Index(Words::zeroed(layout.ndim()));
        Odometer { shape: layout.shape(), index, turns, left: layout.len() }
    }

    fn in_memory_order(layout: &'a Layout) -> Odometer<'a> {
        let mut odometer = Odometer::new(layout, Order::C);
        let mut listed = Index(Words::zeroed(layout.ndim()));
        for (slot, axis) in listed.0.as_mut_slice().iter_mut().zip(MemoryOrder::of(layout).axes().rev()) {
            *slot = axis as isize;
        }
        let mut backwards = 0;
        for axis in (0..layout.ndim()).filter(|&axis| layout.runs_backwards(axis)) {
            backwards |= 1 << axis;
            odometer.index.0.as_mut_slice()[axis] = layout.shape()[axis].saturating_sub(1) as isize;
        }
        odometer.turns = Turns::Listed(listed, backwards);
        odometer
    }

    /// Moves to the next index and tells about every axis that changes how far it moved.
    #[inline]
    fn turn(&mut self, moved: impl FnMut(usize, isize)) {
        self.turn_slower(1, moved);
    }

    /// As `turn`, leaving the fastest axes, which have `skip` items together, where they are.
    #[inline]
    fn turn_slower(&mut self, skip: usize, mut moved: impl FnMut(usize, isize)) {
        let ndim = self.shape.len();
        let mut skipped = 1;
        for i in 0..ndim {
            let (axis, backwards) = match &self.turns {
                Turns::LastFirst => (ndim - 1 - i, false),
                Turns::FirstFirst => (i, false),
                Turns::Listed(axes, backwards) => (axes[i], backwards & (1 << axes[i]) != 0),
            };
            if skipped < skip {
                skipped *= self.shape[axis];
                continue;
            }
            let last = self.shape[axis] as isize - 1;
            let index = &mut self.index.0.as_mut_slice()[axis];
            let (end, start, by) = if backwards { (0, last, -1) } else { (last, 0, 1) };
            if *index != end {
                *index += by;
                moved(axis, by);
                return;
            }
            *index = start;
            moved(axis, start - end);
        }
    }
}

impl Indices<'_> {
    /// The next index, after which the walk skips to the end of a piece: the fastest axes, of `items` items together,
    /// are not turned.
    pub(crate) fn next_piece(&mut self, items: usize) -> Option<Index> {
        let odometer = &mut self.odometer;
        odometer.left = odometer.left.checked_sub(items)?;
        let index = odometer.index.clone();
        odometer.turn_slower(items, |_, _| ());
        Some(index)
    }
}

impl Iterator for Indices<'_> {
    type Item = Index;

    #[inline]
    fn next(&mut self) -> Option<Index> {
        let odometer = &mut self.odometer;
        odometer.left = odometer.left.checked_sub(1)?;
        let index = odometer.index.clone();
        odometer.turn(|_, _| ());
        Some(index)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.odometer.left, Some(self.odometer.left))
    }
}

impl Iterator for Offsets<'_> {
    type Item = isize;

    #[inline]
    fn next(&mut self) -> Option<isize> {
        self.odometer.left = self.odometer.left.checked_sub(1)?;
        let place = self.place;
        let (strides, next) = (self.strides, &mut self.place);
        // The end of a walk adds up to no move at all; an axis of one entry moves by 0 times any stride.
        self.odometer.turn(|axis, by| *next = next.wrapping_add(strides[axis].wrapping_mul(by)));
        Some(place)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.odometer.left, Some(self.odometer.left))
    }
}

impl ExactSizeIterator for Indices<'_> {}
impl ExactSizeIterator for Offsets<'_> {}
