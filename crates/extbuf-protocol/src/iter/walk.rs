//! The walk of all items of a view: the rest of a line at each end, whole lines between.
//!
//! All iterators over items are this walk with something made of each address. `next` takes from the line in front and
//! turns to another only where it is used up; `fold` runs a plain loop over each line, and where items lie side by side
//! the step in that loop is a constant.

// Raw addresses cross threads here.
#![allow(unsafe_code)]

use crate::iter::lines::Lines;
use crate::view::raw::RawView;

/// Part of a line.
#[derive(Clone, Copy)]
struct Part {
    at: *mut u8,
    left: usize,
}

// SAFETY: an address and a number; see `Lines`.
unsafe impl Send for Part {}
// SAFETY: as above.
unsafe impl Sync for Part {}

/// Addresses of items in C order, from both ends. Wrapped by types that say what lies there.
#[derive(Clone)]
pub(crate) struct Walk<'a> {
    front: Part,
    step: isize,
    back: Part,
    lines: Lines<'a>,
}

impl Part {
    const NONE: Part = Part { at: core::ptr::null_mut(), left: 0 };

    /// The first `n` items, and the rest.
    fn split(self, n: usize, step: isize) -> (Part, Part) {
        let rest = Part { at: self.item(n, step), left: self.left - n };
        (Part { left: n, ..self }, rest)
    }

    #[inline]
    fn item(self, n: usize, step: isize) -> *mut u8 {
        // In range while the item is one of the line; one past its end nothing is read.
        self.at.wrapping_offset(step.wrapping_mul(n as isize))
    }
}

impl<'a> Walk<'a> {
    #[inline]
    pub(crate) fn new(raw: &RawView<'a>) -> Walk<'a> {
        Walk::over(Lines::new(raw))
    }

    #[inline]
    pub(crate) fn over(lines: Lines<'a>) -> Walk<'a> {
        Walk { front: Part::NONE, back: Part::NONE, step: lines.step(), lines }
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.front.left + self.lines.left() * self.lines.items() + self.back.left
    }

    #[inline]
    pub(crate) fn next(&mut self) -> Option<*mut u8> {
        if self.front.left == 0 && !self.refill() {
            return None;
        }
        let at = self.front.at;
        self.front.at = at.wrapping_offset(self.step);
        self.front.left -= 1;
        Some(at)
    }

    #[inline]
    pub(crate) fn next_back(&mut self) -> Option<*mut u8> {
        if self.back.left == 0 && !self.refill_back() {
            return None;
        }
        self.back.left -= 1;
        Some(self.back.item(self.back.left, self.step))
    }

    fn refill(&mut self) -> bool {
        self.front = match self.lines.next() {
            Some(at) => Part { at, left: self.lines.items() },
            None => core::mem::replace(&mut self.back, Part::NONE),
        };
        self.front.left > 0
    }

    fn refill_back(&mut self) -> bool {
        self.back = match self.lines.next_back() {
            Some(at) => Part { at, left: self.lines.items() },
            None => core::mem::replace(&mut self.front, Part::NONE),
        };
        self.back.left > 0
    }

    pub(crate) fn nth(&mut self, n: usize) -> Option<*mut u8> {
        if n >= self.front.left {
            let mut skip = n.min(self.len()) - self.front.left;
            self.front = Part::NONE;
            let lines = (skip / self.lines.items()).min(self.lines.left());
            if lines > 0 {
                self.lines.skip(lines);
                skip -= lines * self.lines.items();
            }
            if !self.refill() {
                return None;
            }
            if skip >= self.front.left {
                self.front = Part::NONE;
                return None;
            }
            self.front = self.front.split(skip, self.step).1;
        } else {
            self.front = self.front.split(n, self.step).1;
        }
        self.next()
    }

    pub(crate) fn nth_back(&mut self, n: usize) -> Option<*mut u8> {
        if n >= self.back.left {
            let mut skip = n.min(self.len()) - self.back.left;
            self.back = Part::NONE;
            let lines = (skip / self.lines.items()).min(self.lines.left());
            if lines > 0 {
                self.lines.skip_back(lines);
                skip -= lines * self.lines.items();
            }
            if !self.refill_back() {
                return None;
            }
            self.back.left = self.back.left.saturating_sub(skip);
        } else {
            self.back.left -= n;
        }
        self.next_back()
    }

    /// `T` says how far apart items lie where they lie side by side; nothing is read.
    #[inline]
    pub(crate) fn fold<T, B>(self, init: B, mut f: impl FnMut(B, *mut u8) -> B) -> B {
        let Walk { front, step, back, mut lines } = self;
        let mut all = each::<T, B>(front, step, init, &mut f);
        while let Some(at) = lines.next() {
            all = each::<T, B>(Part { at, left: lines.items() }, step, all, &mut f);
        }
        each::<T, B>(back, step, all, &mut f)
    }

    #[inline]
    pub(crate) fn rfold<T, B>(mut self, init: B, mut f: impl FnMut(B, *mut u8) -> B) -> B {
        let mut all = each_back::<T, B>(self.back, self.step, init, &mut f);
        while let Some(at) = self.lines.next_back() {
            all = each_back::<T, B>(Part { at, left: self.lines.items() }, self.step, all, &mut f);
        }
        each_back::<T, B>(self.front, self.step, all, &mut f)
    }

    /// The first `n` items, and the rest. At most as many as there are.
    pub(crate) fn split_at(self, n: usize) -> (Walk<'a>, Walk<'a>) {
        let Walk { front, step, back, lines } = self;
        let whole = lines.left() * lines.items();
        if n <= front.left {
            let (first, rest) = front.split(n, step);
            let left = Walk { front: first, step, back: Part::NONE, lines: lines.none() };
            return (left, Walk { front: rest, step, back, lines });
        }
        let n = n - front.left;
        if n > whole {
            let (first, rest) = back.split(n - whole, step);
            let right = Walk { front: rest, step, back: Part::NONE, lines: lines.none() };
            return (Walk { front, step, back: first, lines }, right);
        }
        let (count, part) = (n / lines.items(), n % lines.items());
        let (mut low, mut high) = (lines.clone(), lines);
        low.skip_back(low.left() - count);
        high.skip(count);
        let (first, rest) = match part {
            0 => (Part::NONE, Part::NONE),
            _ => {
                let at = high.next().expect("a line is cut");
                Part { at, left: high.items() }.split(part, step)
            }
        };
        (Walk { front, step, back: first, lines: low }, Walk { front: rest, step, back, lines: high })
    }
}

#[inline(always)]
fn each<T, B>(part: Part, step: isize, init: B, f: &mut impl FnMut(B, *mut u8) -> B) -> B {
    let mut all = init;
    if step == size_of::<T>() as isize {
        for i in 0..part.left {
            all = f(all, part.at.cast::<T>().wrapping_add(i).cast());
        }
    } else {
        for i in 0..part.left {
            all = f(all, part.item(i, step));
        }
    }
    all
}

#[inline(always)]
fn each_back<T, B>(part: Part, step: isize, init: B, f: &mut impl FnMut(B, *mut u8) -> B) -> B {
    let mut all = init;
    if step == size_of::<T>() as isize {
        for i in (0..part.left).rev() {
            all = f(all, part.at.cast::<T>().wrapping_add(i).cast());
        }
    } else {
        for i in (0..part.left).rev() {
            all = f(all, part.item(i, step));
        }
    }
    all
}
