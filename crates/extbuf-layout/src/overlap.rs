//! Overlap: does a layout reach a byte twice, do two layouts over one block share a byte.
//!
//! Both are the same question about whole numbers. Two items meet where the difference of their places is smaller than
//! an item; at each level before, both must have followed the same stored pointer, so there the difference must be 0:
//!
//! ```text
//! sum over axes of strides[l][axis] * d[axis] = 0                         for every level l before the last
//! -(size of the first) < sum over axes of strides[last][axis] * d[axis] < size of the second
//! ```
//!
//! with each `d` in a range that the extents give. Finding such numbers is hard in general (it contains subset sum), but
//! real layouts fall to the bounds: axes are tried from the longest step, and after each choice the reach and the common
//! divisor of the steps that are left mostly leave nothing or one value to try. Each value tried is one unit of work, and
//! with the work used up the answer is "maybe".
//!
//! Stored pointers are not known here. Two pointers stored at different places are taken to lead to disjoint blocks; who
//! shares one row between two pointers must know that the answer then says less.

use alloc::vec;
use alloc::vec::Vec;

use crate::layout::Layout;

/// An answer that may not have been found within the work allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Overlap {
    /// No byte is shared.
    No,
    /// At least one byte is shared.
    Yes,
    /// Not found out.
    Maybe,
}

impl Layout {
    /// Whether two different indices share a byte. `work` bounds how many values are tried: with 0 the answer is quick,
    /// and right for broadcasts and for everything that slicing, permuting and cutting make of a dense block.
    ///
    /// Pointers stored at different places are taken to lead to disjoint blocks.
    ///
    /// ```
    /// use extbuf_layout::{Layout, Order, Overlap};
    /// let dense = Layout::contiguous(8, &[100, 100], Order::C)?;
    /// assert_eq!(dense.self_overlap(0), Overlap::No);
    /// assert_eq!(dense.windows(0, 3)?.self_overlap(1000), Overlap::Yes);
    /// // 2 * i and 3 * j coincide at i = 3, j = 2, which the extents just exclude.
    /// assert_eq!(Layout::strided(1, &[3, 2], &[2, 3], 0)?.self_overlap(1000), Overlap::No);
    /// assert_eq!(Layout::strided(1, &[4, 3], &[2, 3], 0)?.self_overlap(1000), Overlap::Yes);
    /// # Ok::<(), extbuf_layout::LayoutError>(())
    /// ```
    pub fn self_overlap(&self, work: usize) -> Overlap {
        if self.nbytes() == 0 {
            return Overlap::No;
        }
        if self.is_broadcast() {
            return Overlap::Yes;
        }
        let loops = self.canonical();
        if surely_unique(&loops) {
            return Overlap::No;
        }
        // One of the two indices is ahead at the first axis in which they differ; that axis is tried in turn.
        let last = loops.levels() - 1;
        let near = loops.itemsize() as i128 - 1;
        let mut work = work;
        let mut answer = Overlap::No;
        for ahead in 0..loops.ndim() {
            let mut system = System::new(loops.levels());
            system.bounds[last] = (-near, near);
            for (axis, &extent) in loops.shape().iter().enumerate().skip(ahead) {
                let reach = extent as i128 - 1;
                let lowest = if axis == ahead { 1 } else { -reach };
                system.add(lowest, reach, (0..=last).map(|level| loops.strides(level)[axis] as i128));
            }
            match system.solve(&mut work) {
                Some(true) => return Overlap::Yes,
                Some(false) => {}
                None => answer = Overlap::Maybe,
            }
        }
        answer
    }

    /// Whether this layout and another, counted from the same base, share a byte of their items. `work` bounds how many
    /// values are tried; with 0 the answer is quick: mostly whether the ranges of bytes meet.
    ///
    /// Pointers stored at different places are taken to lead to disjoint blocks. Layouts with different numbers of loads
    /// are not compared: the answer is "maybe", unless one of them has no bytes.
    ///
    /// ```
    /// use extbuf_layout::{s, Layout, Order, Overlap};
    /// let pairs = Layout::contiguous(4, &[1000, 2], Order::C)?;
    /// let (left, right) = (pairs.index_axis(1, 0)?, pairs.index_axis(1, 1)?);
    /// assert_eq!(left.overlap(&right, 10), Overlap::No);
    /// assert_eq!(left.overlap(&pairs.slice(s![10..20])?, 10), Overlap::Yes);
    /// # Ok::<(), extbuf_layout::LayoutError>(())
    /// ```
    pub fn overlap(&self, other: &Layout, work: usize) -> Overlap {
        if self.nbytes() == 0 || other.nbytes() == 0 {
            return Overlap::No;
        }
        if self.levels() != other.levels() {
            return Overlap::Maybe;
        }
        let last = self.levels() - 1;
        let mut system = System::new(self.levels());
        for level in 0..last {
            let apart = other.offset(level) as i128 - self.offset(level) as i128;
            system.bounds[level] = (apart, apart);
        }
        let apart = other.offset(last) as i128 - self.offset(last) as i128;
        system.bounds[last] = (apart - (self.itemsize() as i128 - 1), apart + other.itemsize() as i128 - 1);
        for (layout, sign) in [(self, 1), (other, -1)] {
            for (axis, &extent) in layout.shape().iter().enumerate().filter(|&(_, &extent)| extent > 1) {
                let strides = (0..=last).map(|level| sign * layout.strides(level)[axis] as i128);
                system.add(0, extent as i128 - 1, strides);
            }
        }
        let mut work = work;
        match system.solve(&mut work) {
            Some(true) => Overlap::Yes,
            Some(false) => Overlap::No,
            None => Overlap::Maybe,
        }
    }
}

/// Whether steps that are longer than everything below them prove all items apart. The layout is canonical: each axis has
/// two entries at least.
fn surely_unique(loops: &Layout) -> bool {
    let last = loops.levels() - 1;
    let mut open: Vec<usize> = (0..loops.ndim()).collect();
    for level in 0..=last {
        let strides = loops.strides(level);
        let width = if level == last { loops.itemsize() as isize } else { 1 };
        // Axes whose step at this level already tells two indices apart need not be looked at again.
        let mut stepping: Vec<usize> = open.iter().copied().filter(|&axis| strides[axis] != 0).collect();
        stepping.sort_by_key(|&axis| strides[axis].unsigned_abs());
        let mut taken = width;
        for &axis in &stepping {
            let step = strides[axis].unsigned_abs();
            if step < taken as usize {
                return false;
            }
            // In range: the distance of the lowest and the highest byte of this level.
            taken += step as isize * (loops.shape()[axis] as isize - 1);
        }
        open.retain(|&axis| strides[axis] == 0);
    }
    open.is_empty()
}

/// Whole numbers `x` with `0 <= x[i] <= reach[i]`, so that each row's sum of steps lies in the row's bounds.
struct System {
    bounds: Vec<(i128, i128)>,
    unknowns: Vec<Unknown>,
}

struct Unknown {
    reach: i128,
    steps: Vec<i128>,
}

/// What the unknowns from some position on can still add to a row.
#[derive(Clone)]
struct Rest {
    low: i128,
    high: i128,
    divisor: i128,
}

impl System {
    fn new(rows: usize) -> System {
        System { bounds: vec![(0, 0); rows], unknowns: Vec::new() }
    }

    /// An unknown between `lowest` and `highest`, stored as its distance from the lowest. Unknowns of equal or opposite
    /// steps are one, of the range that their sum has: two slices of one array differ in few steps.
    fn add(&mut self, lowest: i128, highest: i128, steps: impl Iterator<Item = i128>) {
        let steps: Vec<i128> = steps.collect();
        let reach = highest - lowest;
        let opposite = |other: &Unknown| other.steps.iter().zip(&steps).all(|(a, b)| *a == -b);
        let same = self.unknowns.iter().position(|other| other.steps == steps || opposite(other));
        // Against an opposite unknown this one counts down from the highest.
        let from = match same {
            Some(at) if self.unknowns[at].steps != steps => highest,
            _ => lowest,
        };
        for (bounds, step) in self.bounds.iter_mut().zip(&steps) {
            *bounds = (bounds.0 - step * from, bounds.1 - step * from);
        }
        match same {
            Some(at) => self.unknowns[at].reach += reach,
            None => self.unknowns.push(Unknown { reach, steps }),
        }
    }

    /// `None` where the work ran out first.
    fn solve(&mut self, work: &mut usize) -> Option<bool> {
        // Longest steps first, earlier levels before later ones.
        let size = |unknown: &Unknown| unknown.steps.iter().map(|step| step.abs()).collect::<Vec<_>>();
        self.unknowns.sort_by_cached_key(|unknown| core::cmp::Reverse(size(unknown)));
        let mut rest = vec![vec![Rest { low: 0, high: 0, divisor: 0 }; self.bounds.len()]];
        for unknown in self.unknowns.iter().rev() {
            let mut rows = rest[rest.len() - 1].clone();
            for (row, step) in rows.iter_mut().zip(&unknown.steps) {
                let reach = step * unknown.reach;
                *if reach < 0 { &mut row.low } else { &mut row.high } += reach;
                row.divisor = gcd(row.divisor, step.abs());
            }
            rest.push(rows);
        }
        rest.reverse();
        let bounds = self.bounds.clone();
        self.search(0, &bounds, &rest, work)
    }

    /// `bounds`: what the unknowns from `position` on have to add.
    fn search(
        &self,
        position: usize,
        bounds: &[(i128, i128)],
        rest: &[Vec<Rest>],
        work: &mut usize,
    ) -> Option<bool> {
        for (&(low, high), rest) in bounds.iter().zip(&rest[position]) {
            let (low, high) = (low.max(rest.low), high.min(rest.high));
            let multiple = if rest.divisor == 0 { 0 } else { high.div_euclid(rest.divisor) * rest.divisor };
            if low > high || multiple < low || multiple > high {
                return Some(false);
            }
        }
        let Some(unknown) = self.unknowns.get(position) else {
            return Some(true);
        };
        // The values that leave every row within what the others can add.
        let (mut first, mut last) = (0, unknown.reach);
        for ((&(low, high), rest), &step) in bounds.iter().zip(&rest[position + 1]).zip(&unknown.steps) {
            let (low, high) = (low - rest.high, high - rest.low);
            let (low, high) = if step < 0 { (-high, -low) } else { (low, high) };
            if step != 0 {
                let step = step.abs();
                first = first.max(-((-low).div_euclid(step)));
                last = last.min(high.div_euclid(step));
            }
        }
        if position + 1 == self.unknowns.len() {
            return Some(first <= last);
        }
        let mut below = bounds.to_vec();
        for value in first..=last {
            *work = work.checked_sub(1)?;
            for ((below, bounds), step) in below.iter_mut().zip(bounds).zip(&unknown.steps) {
                *below = (bounds.0 - step * value, bounds.1 - step * value);
            }
            if self.search(position + 1, &below, rest, work)? {
                return Some(true);
            }
        }
        Some(false)
    }
}

fn gcd(a: i128, b: i128) -> i128 {
    if b == 0 { a } else { gcd(b, a % b) }
}
