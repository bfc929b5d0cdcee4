//! The walk under all iterators: the lines of a layout, one after another in C order, from either end.
//!
//! A **line** is what a plain loop can do: so many items, one fixed step apart, behind the same loads. Fusing makes lines
//! long: axes of one entry are dropped, and neighbours that are one axis become one, without changing the order in which
//! the items come. What is left of the axes but the last is turned like an odometer, and the last is the line, unless it
//! steps before a load: then every line is one item.
//!
//! The place at each level is kept beside the index. Turning axis `i` forward sets all faster axes back to their start;
//! what that adds to the place of a level is one number an axis, kept as `turns`:
//!
//! ```text
//! turn[i] = stride[i] - sum over j > i of stride[j] * (extent[j] - 1)
//! ```
//!
//! and turning it backward from an index whose faster axes stand at their start takes the same number away. Additions
//! wrap: inside the shape the sums are in range (L3 of the layout), and outside of it no place is used.
// Follows stored pointers, as `RawView` does.
#![allow(unsafe_code)]

use alloc::boxed::Box;
use core::marker::PhantomData;

use extbuf_layout::{Layout, MAX_NDIM, Order};

use crate::view::raw::RawView;

/// Words kept inline: 5 turning axes at 1 level, 3 at 2.
const INLINE: usize = 24;

/// Axes of most layouts: room for these is less to fill than room for all.
const FEW: usize = 6;

/// The lines of a raw view, walked from both ends. Yields the address of the first item of each.
#[derive(Clone)]
pub(crate) struct Lines<'a> {
    base: *mut u8,
    /// Axes that are turned.
    axes: usize,
    levels: usize,
    /// `extent` of each axis, `turn` of each axis for each level, the place of index 0 at each level; then for the
    /// front and for the back an index and its place at each level.
    words: Words,
    /// The number, in the walk of all lines, of the next one from the front.
    start: usize,
    left: usize,
    items: usize,
    step: isize,
    view: PhantomData<RawView<'a>>,
}

// SAFETY: a walk is numbers and an address; what it reads are stored pointers, which nobody writes (V4). Whether what
// it leads to may cross threads is said by the type of the iterator around it.
unsafe impl Send for Lines<'_> {}
// SAFETY: as above.
unsafe impl Sync for Lines<'_> {}

#[derive(Clone)]
enum Words {
    Inline([isize; INLINE]),
    Boxed(Box<[isize]>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Front,
    Back,
}

impl<'a> Lines<'a> {
    #[inline]
    pub(crate) fn new(raw: &RawView<'a>) -> Lines<'a> {
        let layout: &Layout = &raw.layout;
        if layout.is_contiguous(Order::C) {
            // The usual case, for the price of the question.
            return Lines::single(raw, layout.len(), layout.itemsize() as isize);
        }
        match layout.ndim() {
            0..=FEW => Lines::turning::<FEW>(raw),
            _ => Lines::turning::<MAX_NDIM>(raw),
        }
    }

    /// One line, from the offset of level 0.
    #[inline]
    fn single(raw: &RawView<'a>, items: usize, step: isize) -> Lines<'a> {
        let mut words = [0; INLINE];
        // Of no axis and one level: the place of index 0, of the front and of the back.
        words[..3].fill(raw.layout.offset(0));
        Lines {
            base: raw.base(),
            axes: 0,
            levels: 1,
            words: Words::Inline(words),
            start: 0,
            left: usize::from(items > 0),
            items: items.max(1),
            step,
            view: PhantomData,
        }
    }

    /// Any layout of up to `N` axes.
    fn turning<const N: usize>(raw: &RawView<'a>) -> Lines<'a> {
        let layout: &Layout = &raw.layout;
        let levels = layout.levels();
        let mut fused = Fused::<N>::of(layout);
        let last = levels - 1;
        let (mut items, mut step) = (1, layout.itemsize() as isize);
        if let Some((extent, axis)) = fused.last() {
            if (0..last).all(|level| layout.strides(level)[axis] == 0) {
                (items, step) = (extent, layout.strides(last)[axis]);
                fused.count -= 1;
            }
        }
        let axes = fused.count;
        let left = fused.all().iter().fold(1, |lines: usize, &(extent, _)| lines * extent);
        let mut lines = Lines {
            base: raw.base(),
            axes,
            levels,
            words: Words::zeroed(axes + levels * (axes + 1) + 2 * (axes + levels)),
            start: 0,
            left: if layout.is_empty() { 0 } else { left },
            items,
            step,
            view: PhantomData,
        };
        let words = lines.words.as_mut_slice();
        for (word, &(extent, _)) in words.iter_mut().zip(fused.all()) {
            *word = extent as isize;
        }
        for level in 0..levels {
            let strides = layout.strides(level);
            let mut reach = 0isize;
            for (i, &(extent, axis)) in fused.all().iter().enumerate().rev() {
                let stride = strides[axis as usize];
                words[axes + level * axes + i] = stride.wrapping_sub(reach);
                reach = reach.wrapping_add(stride.wrapping_mul(extent as isize - 1));
            }
            words[axes + levels * axes + level] = layout.offset(level);
        }
        lines.seek(End::Front, 0);
        lines.seek(End::Back, lines.left.saturating_sub(1));
        lines
    }

    /// The same walk with as many items as possible taken as one: whole lines where their items lie side by side. With
    /// the number of items in each.
    pub(crate) fn in_runs(self, itemsize: usize) -> (Lines<'a>, usize) {
        if self.step == itemsize as isize { (Lines { items: 1, ..self }, self.items) } else { (self, 1) }
    }

    /// Lines that are left.
    #[inline]
    pub(crate) fn left(&self) -> usize {
        self.left
    }

    /// Items of each line.
    #[inline]
    pub(crate) fn items(&self) -> usize {
        self.items
    }

    /// Bytes from one item of a line to the next.
    #[inline]
    pub(crate) fn step(&self) -> isize {
        self.step
    }

    #[inline]
    pub(crate) fn next(&mut self) -> Option<*mut u8> {
        self.left = self.left.checked_sub(1)?;
        let line = self.follow(End::Front);
        self.start += 1;
        self.turn(End::Front);
        Some(line)
    }

    #[inline]
    pub(crate) fn next_back(&mut self) -> Option<*mut u8> {
        self.left = self.left.checked_sub(1)?;
        let line = self.follow(End::Back);
        self.turn(End::Back);
        Some(line)
    }

    /// Leaves out lines at the front, at most as many as are left.
    pub(crate) fn skip(&mut self, lines: usize) {
        self.start += lines;
        self.left -= lines;
        self.seek(End::Front, self.start);
    }

    /// Leaves out lines at the back, at most as many as are left.
    pub(crate) fn skip_back(&mut self, lines: usize) {
        self.left -= lines;
        self.seek(End::Back, (self.start + self.left).wrapping_sub(1));
    }

    /// The same walk without a line.
    pub(crate) fn none(&self) -> Lines<'a> {
        Lines { left: 0, ..self.clone() }
    }

    /// The address at one end. Only while lines are left.
    #[inline]
    fn follow(&self, end: End) -> *mut u8 {
        let (first, rest) = self.places(end).split_first().expect("a layout has a level");
        let mut at = self.base.wrapping_offset(*first);
        for &place in rest {
            // SAFETY: V1, V2: lines are left, so the index is inside the shape and the place of a stored pointer is one
            // of the bytes the layout reaches, for 'a; V4: a pointer is stored there. It may lie at any address.
            let pointer = unsafe { at.cast::<*mut u8>().read_unaligned() };
            at = pointer.wrapping_offset(place);
        }
        at
    }

    #[inline]
    fn places(&self, end: End) -> &[isize] {
        let start = self.cursor(end) + self.axes;
        &self.words.as_slice()[start..start + self.levels]
    }

    /// Where the cursor of an end stands in the words.
    #[inline]
    fn cursor(&self, end: End) -> usize {
        let fixed = self.axes + self.levels * (self.axes + 1);
        if end == End::Front { fixed } else { fixed + self.axes + self.levels }
    }

    /// Moves one end inwards by a line.
    #[inline]
    fn turn(&mut self, end: End) {
        let (axes, levels, at) = (self.axes, self.levels, self.cursor(end));
        let (fixed, cursors) = self.words.as_mut_slice().split_at_mut(at);
        let (index, places) = cursors.split_at_mut(axes);
        for axis in (0..axes).rev() {
            let last = fixed[axis] - 1;
            let (stop, start) = if end == End::Front { (last, 0) } else { (0, last) };
            if index[axis] == stop {
                index[axis] = start;
                continue;
            }
            index[axis] += if end == End::Front { 1 } else { -1 };
            for (level, place) in places[..levels].iter_mut().enumerate() {
                let turn = fixed[axes + level * axes + axis];
                *place = if end == End::Front { place.wrapping_add(turn) } else { place.wrapping_sub(turn) };
            }
            return;
        }
    }

    /// Puts one end at a line, counted from the first of all.
    fn seek(&mut self, end: End, line: usize) {
        let (axes, levels, at) = (self.axes, self.levels, self.cursor(end));
        let (fixed, cursors) = self.words.as_mut_slice().split_at_mut(at);
        let (index, places) = cursors.split_at_mut(axes);
        let mut rest = line;
        for (index, &extent) in index.iter_mut().zip(&*fixed).rev() {
            (rest, *index) = (rest / extent as usize, (rest % extent as usize) as isize);
        }
        for (level, place) in places[..levels].iter_mut().enumerate() {
            *place = fixed[axes + levels * axes + level];
            let mut reach = 0isize;
            for (axis, &k) in index.iter().enumerate().rev() {
                let stride = fixed[axes + level * axes + axis].wrapping_add(reach);
                *place = place.wrapping_add(stride.wrapping_mul(k));
                reach = reach.wrapping_add(stride.wrapping_mul(fixed[axis] - 1));
            }
        }
    }
}

/// The axes of a layout that count, slowest first, neighbours fused: the extent, and the axis whose strides it has.
struct Fused<const N: usize> {
    axes: [(usize, u8); N],
    count: usize,
}

impl<const N: usize> Fused<N> {
    fn of(layout: &Layout) -> Fused<N> {
        let mut fused = Fused { axes: [(0, 0); N], count: 0 };
        if layout.is_empty() {
            return fused;
        }
        for (axis, &extent) in layout.shape().iter().enumerate().filter(|&(_, &extent)| extent != 1) {
            let one_axis = |outer: u8| {
                (0..layout.levels()).all(|level| {
                    let strides = layout.strides(level);
                    strides[axis].checked_mul(extent as isize) == Some(strides[outer as usize])
                })
            };
            match fused.axes[..fused.count].last_mut() {
                Some(outer) if one_axis(outer.1) => *outer = (outer.0 * extent, axis as u8),
                _ => {
                    fused.axes[fused.count] = (extent, axis as u8);
                    fused.count += 1;
                }
            }
        }
        fused
    }

    fn all(&self) -> &[(usize, u8)] {
        &self.axes[..self.count]
    }

    fn last(&self) -> Option<(usize, usize)> {
        self.all().last().map(|&(extent, axis)| (extent, axis as usize))
    }
}

impl Words {
    fn zeroed(len: usize) -> Words {
        if len <= INLINE {
            Words::Inline([0; INLINE])
        } else {
            Words::Boxed(alloc::vec![0; len].into_boxed_slice())
        }
    }

    #[inline]
    fn as_slice(&self) -> &[isize] {
        match self {
            Words::Inline(words) => words,
            Words::Boxed(words) => words,
        }
    }

    #[inline]
    fn as_mut_slice(&mut self) -> &mut [isize] {
        match self {
            Words::Inline(words) => words,
            Words::Boxed(words) => words,
        }
    }
}
