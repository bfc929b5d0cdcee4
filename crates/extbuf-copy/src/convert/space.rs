//! The axes that all sides of a conversion share, and how each side walks along them.
//!
//! Unit axes are dropped, axes along which the first destination runs downwards are turned round, the rest is sorted as
//! that destination lies, and neighbours are fused where they are one axis on every side at every level. What was done
//! is remembered, so that an item can be named by the index that it had before.

// Follows stored pointers.
#![allow(unsafe_code)]

use extbuf_layout::{Layout, LayoutError, LayoutSpec, LevelSpec};

/// One side as seen along the shared axes: for each level an offset and a stride for each axis.
#[derive(Clone, Debug)]
pub(crate) struct Side {
    pub(crate) levels: Vec<(isize, Vec<isize>)>,
}

/// An axis of the layouts that a shared axis is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Digit {
    axis: usize,
    extent: usize,
    flipped: bool,
}

/// The shared axes, outermost first, and the sides.
#[derive(Clone, Debug)]
pub(crate) struct Space {
    pub(crate) extents: Vec<usize>,
    digits: Vec<Vec<Digit>>,
    pub(crate) dsts: Vec<Side>,
    pub(crate) srcs: Vec<Side>,
    ndim: usize,
}

impl Space {
    /// Of layouts with equal shapes, at least one of them a destination.
    pub(crate) fn new(dsts: &[&Layout], srcs: &[&Layout]) -> Space {
        let shape = dsts[0].shape();
        let side = |layout: &&Layout| Side {
            levels: (0..layout.levels()).map(|l| (layout.offset(l), layout.strides(l).to_vec())).collect(),
        };
        let mut space = Space {
            extents: shape.to_vec(),
            digits: shape
                .iter()
                .enumerate()
                .map(|(axis, &extent)| vec![Digit { axis, extent, flipped: false }])
                .collect(),
            dsts: dsts.iter().map(side).collect(),
            srcs: srcs.iter().map(side).collect(),
            ndim: shape.len(),
        };
        if !shape.contains(&0) {
            space.orient();
            space.sort();
            space.fuse();
        }
        space
    }

    fn sides(&mut self) -> impl Iterator<Item = &mut Side> {
        self.dsts.iter_mut().chain(&mut self.srcs)
    }

    fn orient(&mut self) {
        for axis in 0..self.extents.len() {
            if self.dsts[0].reach(axis).1 >= 0 {
                continue;
            }
            let steps = self.extents[axis] as isize - 1;
            self.digits[axis][0].flipped = true;
            for (offset, strides) in self.sides().flat_map(|side| &mut side.levels) {
                // Inside L3: where the axis ends is where some index lies.
                *offset = offset.wrapping_add(strides[axis].wrapping_mul(steps));
                strides[axis] = strides[axis].wrapping_neg();
            }
        }
    }

    /// Keeps these axes, in this order.
    fn keep(&mut self, axes: &[usize]) {
        self.extents = axes.iter().map(|&axis| self.extents[axis]).collect();
        self.digits = axes.iter().map(|&axis| self.digits[axis].clone()).collect();
        for (_, strides) in self.sides().flat_map(|side| &mut side.levels) {
            *strides = axes.iter().map(|&axis| strides[axis]).collect();
        }
    }

    fn sort(&mut self) {
        let mut axes: Vec<usize> = (0..self.extents.len()).filter(|&axis| self.extents[axis] > 1).collect();
        // What is reached first and strides furthest goes outermost.
        axes.sort_by_key(|&axis| {
            let (level, stride) = self.dsts[0].reach(axis);
            (level, usize::MAX - stride.unsigned_abs())
        });
        self.keep(&axes);
    }

    fn fuse(&mut self) {
        let mut axis = 1;
        while axis < self.extents.len() {
            let extent = self.extents[axis] as isize;
            let joins = |side: &Side| {
                side.levels
                    .iter()
                    .all(|(_, strides)| strides[axis].checked_mul(extent) == Some(strides[axis - 1]))
            };
            if !self.dsts.iter().chain(&self.srcs).all(joins) {
                axis += 1;
                continue;
            }
            self.extents[axis] *= self.extents[axis - 1];
            let inner = std::mem::take(&mut self.digits[axis]);
            self.digits[axis] = std::mem::take(&mut self.digits[axis - 1]);
            self.digits[axis].extend(inner);
            let rest: Vec<usize> = (0..self.extents.len()).filter(|&a| a != axis - 1).collect();
            self.keep(&rest);
        }
    }

    /// The index, in the layouts' own axes, of a place along the shared ones.
    pub(crate) fn index(&self, place: &[usize]) -> Vec<usize> {
        let mut index = vec![0; self.ndim];
        for (&at, digits) in place.iter().zip(&self.digits) {
            let mut rest = at;
            for digit in digits.iter().rev() {
                let k = rest % digit.extent;
                rest /= digit.extent;
                index[digit.axis] = if digit.flipped { digit.extent - 1 - k } else { k };
            }
        }
        index
    }
}

impl Side {
    /// The first level at which an axis moves, and its stride there.
    fn reach(&self, axis: usize) -> (usize, isize) {
        let strides = self.levels.iter().map(|(_, strides)| strides[axis]);
        strides.enumerate().find(|&(_, stride)| stride != 0).unwrap_or((usize::MAX, 0))
    }

    /// Strides of the last level: those inside a block of memory.
    pub(crate) fn strides(&self) -> &[isize] {
        &self.levels[self.levels.len() - 1].1
    }

    /// True where no pointer is selected by an axis along which the box has more than one entry.
    pub(crate) fn is_direct_in(&self, box_extents: &[usize]) -> bool {
        let (_, tables) = self.levels.split_last().expect("a layout has at least one level");
        tables.iter().all(|(_, strides)| strides.iter().zip(box_extents).all(|(&s, &n)| n == 1 || s == 0))
    }

    /// The address of the item at a place, all loads on the way followed.
    ///
    /// # Safety
    ///
    /// Every pointer stored on the way is valid.
    pub(crate) unsafe fn follow(&self, base: *mut u8, place: &[usize]) -> *mut u8 {
        let mut at = base;
        for (level, (offset, strides)) in self.levels.iter().enumerate() {
            if level > 0 {
                // SAFETY: P1: a place at which the layout stores a pointer. Tables may lie at any address.
                at = unsafe { at.cast::<*mut u8>().read_unaligned() };
            }
            at = at.wrapping_offset(advance(*offset, strides, place));
        }
        at
    }

    /// The layout of a box, from the base of the side: with `inside` more axes behind the shared ones, and the part of
    /// each item that begins at `at`.
    pub(crate) fn layout(
        &self,
        place: &[usize],
        shape: &[isize],
        (at, itemsize): (usize, usize),
        inside: impl Iterator<Item = isize> + Clone,
    ) -> Result<Layout, LayoutError> {
        let last = self.levels.len() - 1;
        let levels: Vec<(isize, Vec<isize>)> = self
            .levels
            .iter()
            .enumerate()
            .map(|(level, (offset, strides))| {
                let offset = advance(*offset, strides, place);
                let mut strides = strides.clone();
                if level == last {
                    strides.extend(inside.clone());
                    (offset.wrapping_add(at as isize), strides)
                } else {
                    strides.resize(shape.len(), 0);
                    (offset, strides)
                }
            })
            .collect();
        let levels: Vec<LevelSpec<'_>> =
            levels.iter().map(|(offset, strides)| LevelSpec { offset: *offset, strides }).collect();
        Layout::new(&LayoutSpec { itemsize, shape, levels: &levels })
    }
}

fn advance(offset: isize, strides: &[isize], place: &[usize]) -> isize {
    // Sums over axes may pass outside L3 and come back.
    strides
        .iter()
        .zip(place)
        .fold(offset, |sum, (&stride, &k)| sum.wrapping_add(stride.wrapping_mul(k as isize)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use extbuf_layout::Order;

    #[test]
    fn axes_are_fused_where_all_sides_allow_it() {
        let c = Layout::contiguous(4, &[5, 1, 6, 7], Order::C).unwrap();
        let d = Layout::contiguous(2, &[5, 1, 6, 7], Order::C).unwrap();
        assert_eq!(Space::new(&[&c], &[&d]).extents, [210]);
        let f = Layout::contiguous(2, &[5, 1, 6, 7], Order::F).unwrap();
        assert_eq!(Space::new(&[&c], &[&f]).extents, [5, 6, 7]);
        assert_eq!(Space::new(&[&f], &[&f]).extents, [210]);
        let crop = c.slice_axis(3, 1..).unwrap();
        assert_eq!(Space::new(&[&crop], &[&d.slice_axis(3, 1..).unwrap()]).extents, [30, 6]);
    }

    #[test]
    fn a_place_finds_its_index_again() {
        let c = Layout::contiguous(4, &[5, 1, 6, 7], Order::C).unwrap();
        let turned = c.reverse_axis(2).unwrap();
        let space = Space::new(&[&turned], &[&c]);
        assert_eq!(space.extents, [5, 6, 7]);
        assert_eq!(space.index(&[4, 0, 3]), [4, 0, 5, 3]);
        let both = Space::new(&[&turned.transpose()], &[&turned.transpose()]);
        assert_eq!(both.extents, [210]);
        assert_eq!(both.index(&[1 + 7 * 2 + 42 * 3]), [1, 3, 0, 3]);
        let both = Space::new(&[&c], &[&c]);
        assert_eq!(both.index(&[209]), [4, 0, 5, 6]);
    }
}
