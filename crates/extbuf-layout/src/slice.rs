//! What a slice asks for: Python's `slice`, an index, a new axis, an ellipsis; and how a slice meets an extent.
//!
//! The three numbers of a slice mean nothing until an extent is known: they may be left out, count from the end, or
//! point far outside. [`Slice::resolve`] turns them into the start, step and length that the layout's arithmetic
//! uses, with the result of Python's `slice.indices`.

use core::fmt;
use core::ops::{Range, RangeFrom, RangeFull, RangeInclusive, RangeTo, RangeToInclusive};

/// Python's `slice(start, stop, step)`: each part may be left out, negative bounds count from the end.
///
/// ```
/// use extbuf_layout::Slice;
/// let reversed = Slice { step: Some(-1), ..Slice::default() };
/// assert_eq!(reversed.resolve(10)?, (9, -1, 10));
/// assert_eq!(Slice::from(2..100).resolve(10)?, (2, 1, 8));
/// # Ok::<(), extbuf_layout::ZeroStep>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Slice {
    /// The first index kept; left out: the first, or the last where the step is negative.
    pub start: Option<isize>,
    /// The first index no longer kept; left out: everything up to that end is kept.
    pub stop: Option<isize>,
    /// The distance between kept indices; left out: 1. Zero is refused when the slice is used.
    pub step: Option<isize>,
}

/// The refusal of a slice whose step is 0. Operations on a layout say at which axis it was
/// ([`LayoutErrorKind::ZeroStep`](crate::LayoutErrorKind::ZeroStep)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ZeroStep;

impl fmt::Display for ZeroStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a slice with step 0")
    }
}

impl core::error::Error for ZeroStep {}

impl Slice {
    /// Everything.
    pub const FULL: Slice = Slice { start: None, stop: None, step: None };

    /// The same bounds with another step.
    ///
    /// ```
    /// use extbuf_layout::Slice;
    /// assert_eq!(Slice::from(1..).by(3).to_string(), "1::3");
    /// ```
    #[must_use]
    pub const fn by(self, step: isize) -> Slice {
        Slice { step: Some(step), ..self }
    }

    /// The start, step and length that this slice has on an axis of `extent` entries; extents over `isize::MAX`
    /// do not exist and count as `isize::MAX`.
    ///
    /// The start is an index of the axis where the length is at least 1, and 0 where it is 0. Entries kept are
    /// `start + step * k` for `k < length`, all of them inside the axis.
    ///
    /// # Errors
    ///
    /// A step of 0.
    #[inline]
    pub fn resolve(&self, extent: usize) -> Result<(usize, isize, usize), ZeroStep> {
        let n = extent.min(isize::MAX as usize) as isize;
        // Python clamps here too; no axis has so many entries that the difference shows.
        let step = self.step.unwrap_or(1).max(-isize::MAX);
        if step == 0 {
            return Err(ZeroStep);
        }
        let (lowest, highest) = if step < 0 { (-1, n - 1) } else { (0, n) };
        // `v + n` with v < 0 <= n stays in range.
        let bound = |v: isize| (if v < 0 { v + n } else { v }).clamp(lowest, highest);
        let (first, last) = if step < 0 { (highest, lowest) } else { (lowest, highest) };
        let start = self.start.map_or(first, bound);
        let stop = self.stop.map_or(last, bound);
        // Bounds lie in -1..=n, so their differences are in range.
        let reach = if step < 0 { start - stop } else { stop - start };
        if reach <= 0 {
            return Ok((0, step, 0));
        }
        let length = if step.abs() == 1 { reach } else { (reach - 1) / step.abs() + 1 };
        Ok((start as usize, step, length as usize))
    }
}

/// One entry of a multi-axis slice, such as Python writes between the brackets.
///
/// Ranges and integers convert into one; [`s!`](crate::s) writes a list of them, and
/// [`parse_list`](SliceItem::parse_list) reads one from text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SliceItem {
    /// Fix the index of an axis, which goes away; negative counts from the end.
    Index(isize),
    /// Keep a part of an axis.
    Slice(Slice),
    /// Insert an axis of extent 1 (`None` in Python).
    NewAxis,
    /// All axes that the other entries do not name (`...`); at most one.
    Ellipsis,
}

impl From<Slice> for SliceItem {
    fn from(slice: Slice) -> SliceItem {
        SliceItem::Slice(slice)
    }
}

impl From<RangeFull> for Slice {
    fn from(_: RangeFull) -> Slice {
        Slice::FULL
    }
}

impl From<RangeFull> for SliceItem {
    fn from(_: RangeFull) -> SliceItem {
        SliceItem::Slice(Slice::FULL)
    }
}

/// The stop after an inclusive end: after -1, the last entry, comes no index, so the stop is left out.
fn after(end: isize) -> Option<isize> {
    end.checked_add(1).filter(|&stop| stop != 0)
}

macro_rules! from_integers {
    ($($int:ty => $to:expr;)*) => {$(
        impl From<Range<$int>> for Slice {
            fn from(r: Range<$int>) -> Slice {
                Slice { start: Some($to(r.start)), stop: Some($to(r.end)), step: None }
            }
        }
        impl From<RangeFrom<$int>> for Slice {
            fn from(r: RangeFrom<$int>) -> Slice {
                Slice { start: Some($to(r.start)), ..Slice::FULL }
            }
        }
        impl From<RangeTo<$int>> for Slice {
            fn from(r: RangeTo<$int>) -> Slice {
                Slice { stop: Some($to(r.end)), ..Slice::FULL }
            }
        }
        impl From<RangeInclusive<$int>> for Slice {
            fn from(r: RangeInclusive<$int>) -> Slice {
                Slice { start: Some($to(*r.start())), stop: after($to(*r.end())), step: None }
            }
        }
        impl From<RangeToInclusive<$int>> for Slice {
            fn from(r: RangeToInclusive<$int>) -> Slice {
                Slice { stop: after($to(r.end)), ..Slice::FULL }
            }
        }
        impl From<$int> for SliceItem {
            fn from(index: $int) -> SliceItem {
                SliceItem::Index($to(index))
            }
        }
        from_integers!(@item Range<$int>, RangeFrom<$int>, RangeTo<$int>, RangeInclusive<$int>, RangeToInclusive<$int>);
    )*};
    (@item $($range:ty),*) => {$(
        impl From<$range> for SliceItem {
            fn from(range: $range) -> SliceItem {
                SliceItem::Slice(range.into())
            }
        }
    )*};
}

from_integers! {
    isize => |v: isize| v;
    // So that plain literals work.
    i32 => |v: i32| v as isize;
    // No extent is over isize::MAX: the nearest isize means the same.
    usize => |v: usize| v.min(isize::MAX as usize) as isize;
}

/// Python's way to write it: `start:stop` or `start:stop:step`.
impl fmt::Display for Slice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |f: &mut fmt::Formatter<'_>, v: Option<isize>| v.map_or(Ok(()), |v| write!(f, "{v}"));
        part(f, self.start)?;
        f.write_str(":")?;
        part(f, self.stop)?;
        match self.step {
            Some(step) => write!(f, ":{step}"),
            None => Ok(()),
        }
    }
}

/// Python's way to write it.
impl fmt::Display for SliceItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SliceItem::Index(index) => write!(f, "{index}"),
            SliceItem::Slice(slice) => write!(f, "{slice}"),
            SliceItem::NewAxis => f.write_str("None"),
            SliceItem::Ellipsis => f.write_str("..."),
        }
    }
}

/// Writes a multi-axis slice: an array of [`SliceItem`](crate::SliceItem).
///
/// An entry is an index (`3`, `-1`), a range (`2..`, `..`, `1..-1`, `..=4`), a range with a step (`..;-1`, `1..9;2`),
/// `new` for a new axis, `...` for all axes not named, or any expression that converts into a `SliceItem`.
///
/// ```
/// use extbuf_layout::{s, Layout, Order};
/// let image = Layout::contiguous(1, &[480, 640, 3], Order::C)?;
/// let part = image.slice(s![100..200, ..;-1, new, 2])?;
/// assert_eq!(part.shape(), [100, 640, 1]);
/// assert_eq!(part.strides(0), [1920, -3, 0]);
/// assert_eq!(image.slice(s![..., 0])?.shape(), [480, 640]);
/// # Ok::<(), extbuf_layout::LayoutError>(())
/// ```
#[macro_export]
macro_rules! s {
    (@items [$($out:expr,)*]) => { [$($out),*] as [$crate::SliceItem; $crate::s!(@count $($out,)*)] };
    (@items [$($out:expr,)*] ... $(, $($rest:tt)*)?) => {
        $crate::s!(@items [$($out,)* $crate::SliceItem::Ellipsis,] $($($rest)*)?)
    };
    (@items [$($out:expr,)*] new $(, $($rest:tt)*)?) => {
        $crate::s!(@items [$($out,)* $crate::SliceItem::NewAxis,] $($($rest)*)?)
    };
    (@items [$($out:expr,)*] $range:expr ; $step:expr $(, $($rest:tt)*)?) => {
        $crate::s!(@items [$($out,)* $crate::SliceItem::Slice($crate::Slice::from($range).by($step)),] $($($rest)*)?)
    };
    (@items [$($out:expr,)*] $item:expr $(, $($rest:tt)*)?) => {
        $crate::s!(@items [$($out,)* $crate::SliceItem::from($item),] $($($rest)*)?)
    };
    (@count) => { 0 };
    (@count $head:expr, $($tail:expr,)*) => { 1 + $crate::s!(@count $($tail,)*) };
    ($($entries:tt)*) => { $crate::s!(@items [] $($entries)*) };
}
