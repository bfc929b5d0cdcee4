//! The three pointer encodings of 2007, as conversions at the door: suboffsets, derefoff, isptr.
//!
//! All three list the axes in order and say at some of them that a pointer is followed. Suboffsets (PEP 3118) step
//! along the axis first, then load and add; derefoff (Carl Banks, March 2007) loads and adds first, then steps; isptr
//! is suboffsets that can only be none or 0:
//!
//! ```text
//! suboffsets   q = p + t[i] * k[i];            p = load(q) + s[i] if s[i] >= 0, else q
//! derefoff     q = load(p) + d[i] if flagged, else p;          p = q + t[i] * k[i]
//! ```
//!
//! Either way the axes fall into consecutive groups, one a level. Reading an encoding opens a new level at each load.
//! Writing one is possible where every axis steps at one level only, those levels never go back along the axes, and
//! every load has an axis to be written at: suboffsets need one *before* each load, derefoff one *after* it. An axis
//! with at most one entry, or with no stride at all, belongs to no level and fills such a place where it stands
//! ([`Layout::new_axis`] makes one).

use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use crate::error::{LayoutError, LayoutErrorKind as Kind};
use crate::layout::Layout;
use crate::{MAX_LEVELS, MAX_NDIM};

/// A layout as PEP 3118 describes it. The shape and the itemsize are the layout's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suboffsets {
    /// Bytes from the base to where the first step begins (a `Py_buffer` adds it to `buf`).
    pub offset: isize,
    /// Bytes between neighbours along each axis.
    pub strides: Vec<isize>,
    /// For each axis the bytes to add after its load, or negative for no load; `None` where there is no load at all.
    pub suboffsets: Option<Vec<isize>>,
}

/// A layout in the form that Carl Banks proposed. The shape and the itemsize are the layout's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DerefOff {
    /// Bytes from the base to the first pointer, or to where the first step begins.
    pub offset: isize,
    /// Bytes between neighbours along each axis.
    pub strides: Vec<isize>,
    /// For each axis that is reached through a pointer, the bytes to add after that load; `None` where there is no
    /// load at all.
    pub derefoff: Option<Vec<Option<isize>>>,
}

/// A layout in the form the PEP's draft had for a day: a mark for each axis after whose step a pointer is followed.
/// The shape and the itemsize are the layout's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IsPtr {
    /// Bytes from the base to where the first step begins.
    pub offset: isize,
    /// Bytes between neighbours along each axis.
    pub strides: Vec<isize>,
    /// For each axis, whether a pointer is followed after its step; `None` where there is no load at all.
    pub isptr: Option<Vec<bool>>,
}

/// Why an encoding cannot say a layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncodeRefusal {
    /// Strides alone were asked for, and there are loads.
    Loads {
        /// How many.
        loads: usize,
    },
    /// The axis has a stride at two levels, such as a diagonal across a load.
    StepsTwice {
        /// The first of the two levels.
        first: usize,
        /// The second.
        second: usize,
    },
    /// The axis steps before a load that an axis in front of it steps after: axes were exchanged across a load.
    Exchanged {
        /// The level at which the axis steps.
        level: usize,
        /// The later level at which an axis in front of it steps.
        after: usize,
    },
    /// Suboffsets: no axis steps before this load. Either the base itself is a pointer (load 1) or two loads follow
    /// each other. A new axis in front of it makes it sayable.
    NoAxisBefore {
        /// The load, counted from 1.
        load: usize,
    },
    /// Derefoff: no axis steps after this load. Either the items are pointers to the data (the last load) or two
    /// loads follow each other. A new axis behind it makes it sayable.
    NoAxisAfter {
        /// The load, counted from 1.
        load: usize,
    },
    /// Suboffsets: a negative offset after a load; negative numbers mean that there is none.
    NegativeOffset {
        /// The load, counted from 1.
        load: usize,
        /// The offset.
        offset: isize,
    },
    /// Isptr: an offset after a load.
    OffsetAfterLoad {
        /// The load, counted from 1.
        load: usize,
        /// The offset.
        offset: isize,
    },
    /// DLPack: the first item lies before the data pointer.
    OffsetBelowBase {
        /// The offset in bytes.
        offset: isize,
    },
    /// DLPack and mdspan: strides count elements, and items have no bytes.
    NoBytes,
    /// DLPack and mdspan: a stride that is no whole number of items.
    NotWholeItems {
        /// The stride in bytes.
        stride: isize,
        /// Bytes of one item.
        itemsize: usize,
    },
    /// Mdspan: a stride that is not positive.
    NotPositive {
        /// The stride in elements.
        stride: isize,
    },
    /// Mdspan: a stride shorter than all entries of the next shorter axis.
    NotNested {
        /// The stride in elements.
        stride: isize,
        /// The elements that the shorter axis takes.
        reach: isize,
    },
    /// Mdspan: a number that the index type cannot hold.
    IndexType {
        /// The number: an extent, a stride or the size of the block in elements.
        number: isize,
    },
}

impl fmt::Display for EncodeRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            EncodeRefusal::Loads { loads: 1 } => write!(f, "1 pointer is followed on the way to an item"),
            EncodeRefusal::Loads { loads } => {
                write!(f, "{loads} pointers are followed on the way to an item")
            }
            EncodeRefusal::StepsTwice { first, second } => {
                write!(f, "steps at level {first} and at level {second}")
            }
            EncodeRefusal::Exchanged { level, after } => {
                write!(f, "steps at level {level}, but an axis in front of it steps at level {after}")
            }
            EncodeRefusal::NoAxisBefore { load } => write!(f, "no axis steps right before load {load}"),
            EncodeRefusal::NoAxisAfter { load } => write!(f, "no axis steps right after load {load}"),
            EncodeRefusal::NegativeOffset { load, offset } => {
                write!(f, "is the place of load {load}, whose offset {offset} is negative")
            }
            EncodeRefusal::OffsetAfterLoad { load, offset } => {
                write!(f, "is the place of load {load}, whose offset is {offset} and not 0")
            }
            EncodeRefusal::OffsetBelowBase { offset } => {
                write!(f, "the first item lies at byte {offset}, before the data")
            }
            EncodeRefusal::NoBytes => write!(f, "an item has 0 bytes, and strides count elements"),
            EncodeRefusal::NotWholeItems { stride, itemsize } => {
                write!(f, "has a stride of {stride} bytes, no whole number of items of {itemsize}")
            }
            EncodeRefusal::NotPositive { stride } => {
                write!(f, "has a stride of {stride}, which is not positive")
            }
            EncodeRefusal::NotNested { stride, reach } => {
                write!(f, "has a stride of {stride} elements, and a shorter axis takes {reach}")
            }
            EncodeRefusal::IndexType { number } => {
                write!(f, "needs the number {number}, over the index type")
            }
        }
    }
}

impl Layout {
    /// Reads a description by strides and suboffsets, as PEP 3118 means them. `offset` is where the first step
    /// begins, from the base.
    ///
    /// ```
    /// use extbuf_layout::Layout;
    /// let image = Layout::from_suboffsets(1, &[480, 640, 3], &[8, 3, 1], Some(&[0, -1, -1]), 0)?;
    /// assert_eq!(image.levels(), 2);
    /// assert_eq!((image.strides(0), image.strides(1)), (&[8, 0, 0][..], &[0, 3, 1][..]));
    /// # Ok::<(), extbuf_layout::LayoutError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Arrays of unequal length, and whatever [`Layout::new`] refuses.
    pub fn from_suboffsets(
        itemsize: usize,
        shape: &[isize],
        strides: &[isize],
        suboffsets: Option<&[isize]>,
        offset: isize,
    ) -> Result<Layout, LayoutError> {
        let after = |axis: usize| suboffsets.map(|s| s[axis]).filter(|&s| s >= 0);
        let suboffsets = ("suboffsets", suboffsets.map(<[isize]>::len));
        read(itemsize, shape, strides, offset, suboffsets, |_| None, after)
    }

    /// Reads a description in Carl Banks' form: for each axis that is reached through a pointer, what to add after
    /// that load.
    ///
    /// # Errors
    ///
    /// Arrays of unequal length, and whatever [`Layout::new`] refuses.
    pub fn from_derefoff(
        itemsize: usize,
        shape: &[isize],
        strides: &[isize],
        derefoff: Option<&[Option<isize>]>,
        offset: isize,
    ) -> Result<Layout, LayoutError> {
        let before = |axis: usize| derefoff.and_then(|d| d[axis]);
        let derefoff = ("derefoffs", derefoff.map(<[Option<isize>]>::len));
        read(itemsize, shape, strides, offset, derefoff, before, |_| None)
    }

    /// Reads a description by marks: after the step of each marked axis a pointer is followed.
    ///
    /// # Errors
    ///
    /// Arrays of unequal length, and whatever [`Layout::new`] refuses.
    pub fn from_isptr(
        itemsize: usize,
        shape: &[isize],
        strides: &[isize],
        isptr: Option<&[bool]>,
        offset: isize,
    ) -> Result<Layout, LayoutError> {
        let after = |axis: usize| isptr.filter(|p| p[axis]).map(|_| 0);
        let isptr = ("isptr marks", isptr.map(<[bool]>::len));
        read(itemsize, shape, strides, offset, isptr, |_| None, after)
    }

    /// The strides of a layout without loads: what a consumer of plain strided memory can take.
    ///
    /// # Errors
    ///
    /// A layout with loads; one without items has none to follow and passes.
    pub fn to_strides(&self) -> Result<&[isize], LayoutError> {
        if self.is_direct() || self.is_empty() {
            return Ok(self.strides(0));
        }
        let axis = (0..self.ndim()).find(|&axis| self.steps_at(axis).is_some_and(|level| level > 0));
        Err(refuse("strides", axis, EncodeRefusal::Loads { loads: self.levels() - 1 }))
    }

    /// Writes the layout with strides and suboffsets. A layout without items follows no pointer and is written
    /// without suboffsets.
    ///
    /// ```
    /// use extbuf_layout::{s, Layout};
    /// let image = Layout::from_suboffsets(1, &[480, 640, 3], &[8, 3, 1], Some(&[0, -1, -1]), 0)?;
    /// let part = image.slice(s![10.., 100..])?.to_suboffsets()?;
    /// assert_eq!((part.offset, part.suboffsets), (80, Some(vec![300, -1, -1])));
    /// assert!(image.transpose().to_suboffsets().is_err());
    /// # Ok::<(), extbuf_layout::LayoutError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// An axis that steps at two levels, axes exchanged across a load, a load before any axis, two loads in a row, a
    /// negative offset after a load. See [`EncodeRefusal`].
    pub fn to_suboffsets(&self) -> Result<Suboffsets, LayoutError> {
        self.write_suboffsets("suboffsets", |load, offset| {
            if offset < 0 { Err(EncodeRefusal::NegativeOffset { load, offset }) } else { Ok(()) }
        })
    }

    fn write_suboffsets(
        &self,
        encoding: &'static str,
        allow: impl Fn(usize, isize) -> Result<(), EncodeRefusal>,
    ) -> Result<Suboffsets, LayoutError> {
        let (offset, last) = (self.offset(0), self.levels() - 1);
        if last == 0 || self.is_empty() {
            return Ok(Suboffsets { offset, strides: self.strides(0).to_vec(), suboffsets: None });
        }
        let levels =
            self.assign(encoding, 0..last, |level| EncodeRefusal::NoAxisBefore { load: level + 1 })?;
        let mut suboffsets = vec![-1; self.ndim()];
        for load in 1..=last {
            // The load is written at the last axis of the level before it.
            let Some(axis) = levels.iter().rposition(|&level| level == load - 1) else {
                unreachable!("assign leaves no such level without an axis");
            };
            allow(load, self.offset(load)).map_err(|refusal| refuse(encoding, Some(axis), refusal))?;
            suboffsets[axis] = self.offset(load);
        }
        Ok(Suboffsets { offset, strides: self.strides_at(&levels), suboffsets: Some(suboffsets) })
    }

    /// Writes the layout in Carl Banks' form. A layout without items follows no pointer and is written without any.
    ///
    /// # Errors
    ///
    /// An axis that steps at two levels, axes exchanged across a load, a load after the last axis, two loads in a
    /// row. See [`EncodeRefusal`].
    pub fn to_derefoff(&self) -> Result<DerefOff, LayoutError> {
        let (offset, last) = (self.offset(0), self.levels() - 1);
        if last == 0 || self.is_empty() {
            return Ok(DerefOff { offset, strides: self.strides(0).to_vec(), derefoff: None });
        }
        let levels =
            self.assign("derefoff", 1..last + 1, |level| EncodeRefusal::NoAxisAfter { load: level })?;
        let mut derefoff = vec![None; self.ndim()];
        for load in 1..=last {
            // The load is written at the first axis of the level after it.
            if let Some(axis) = levels.iter().position(|&level| level == load) {
                derefoff[axis] = Some(self.offset(load));
            }
        }
        Ok(DerefOff { offset, strides: self.strides_at(&levels), derefoff: Some(derefoff) })
    }

    /// Writes the layout with a mark for each axis after whose step a pointer is followed.
    ///
    /// # Errors
    ///
    /// As [`Layout::to_suboffsets`], and any offset after a load other than 0.
    pub fn to_isptr(&self) -> Result<IsPtr, LayoutError> {
        let written = self.write_suboffsets("isptr", |load, offset| {
            if offset == 0 { Ok(()) } else { Err(EncodeRefusal::OffsetAfterLoad { load, offset }) }
        })?;
        let isptr = written.suboffsets.map(|s| s.iter().map(|&s| s >= 0).collect());
        Ok(IsPtr { offset: written.offset, strides: written.strides, isptr })
    }

    /// Finds for every axis the level at which an encoding may write it: never going back, and each level in `filled`
    /// with an axis at least.
    fn assign(
        &self,
        encoding: &'static str,
        filled: core::ops::Range<usize>,
        missing: impl Fn(usize) -> EncodeRefusal,
    ) -> Result<Vec<usize>, LayoutError> {
        let mut wanted = [None; MAX_NDIM];
        let wanted = &mut wanted[..self.ndim()];
        let mut reached = 0;
        for (axis, want) in wanted.iter_mut().enumerate() {
            *want = self.steps_at(axis);
            if let Some(first) = *want {
                if let Some(second) = (first + 1..self.levels()).find(|&l| self.strides(l)[axis] != 0) {
                    return Err(refuse(encoding, Some(axis), EncodeRefusal::StepsTwice { first, second }));
                }
                if first < reached {
                    return Err(refuse(
                        encoding,
                        Some(axis),
                        EncodeRefusal::Exchanged { level: first, after: reached },
                    ));
                }
                reached = first;
            }
        }
        // An axis of one entry that still shows where it stepped is written there if that works out.
        let mut hinted = [None; MAX_NDIM];
        for axis in 0..self.ndim() {
            let mut levels = (0..self.levels()).filter(|&level| self.strides(level)[axis] != 0);
            hinted[axis] = wanted[axis].or(match (levels.next(), levels.next()) {
                (only, None) => only,
                _ => None,
            });
        }
        let hinted = &hinted[..self.ndim()];
        if hinted.iter().flatten().is_sorted() {
            if let Ok(levels) = fill(hinted, self.levels(), &filled) {
                return Ok(levels);
            }
        }
        fill(wanted, self.levels(), &filled).map_err(|level| refuse(encoding, None, missing(level)))
    }

    /// The first level at which an axis has a stride that is used.
    fn steps_at(&self, axis: usize) -> Option<usize> {
        if self.shape()[axis] <= 1 {
            return None;
        }
        (0..self.levels()).find(|&level| self.strides(level)[axis] != 0)
    }

    fn strides_at(&self, levels: &[usize]) -> Vec<isize> {
        levels.iter().enumerate().map(|(axis, &level)| self.strides(level)[axis]).collect()
    }
}

/// Gives the axes without a wanted level one, so that the sequence never goes back and the levels in `filled` all
/// have an axis; else the first level that has none. The wanted levels do not go back.
fn fill(
    wanted: &[Option<usize>],
    levels: usize,
    filled: &core::ops::Range<usize>,
) -> Result<Vec<usize>, usize> {
    let mut out = Vec::with_capacity(wanted.len());
    let mut reached = None;
    let mut axis = 0;
    loop {
        let free = wanted[axis..].iter().take_while(|want| want.is_none()).count();
        let next = wanted.get(axis + free).copied().flatten();
        // Levels strictly between the axes that hold this gap and that must not stay without one.
        let from = reached.map_or(0, |level: usize| level + 1);
        let mut lacking = (from..next.unwrap_or(levels)).filter(|level| filled.contains(level));
        let mut level = reached.or(next).unwrap_or(0);
        for _ in 0..free {
            level = lacking.next().unwrap_or(level);
            out.push(level);
        }
        if let Some(level) = lacking.next() {
            return Err(level);
        }
        let Some(next) = next else { return Ok(out) };
        out.push(next);
        reached = Some(next);
        axis += free + 1;
    }
}

pub(crate) fn refuse(encoding: &'static str, axis: Option<usize>, refusal: EncodeRefusal) -> LayoutError {
    Kind::NotEncodable { encoding, axis, refusal }.into()
}

/// Opens a level at each load; `before` and `after` say whether the axis is stepped after or before it.
fn read(
    itemsize: usize,
    shape: &[isize],
    strides: &[isize],
    offset: isize,
    (what, given): (&'static str, Option<usize>),
    before: impl Fn(usize) -> Option<isize>,
    after: impl Fn(usize) -> Option<isize>,
) -> Result<Layout, LayoutError> {
    let ndim = shape.len();
    if ndim > MAX_NDIM {
        return Err(Kind::TooManyAxes { ndim }.into());
    }
    if strides.len() != ndim {
        return Err(Kind::StridesLength { level: 0, strides: strides.len(), ndim }.into());
    }
    if let Some(given) = given.filter(|&given| given != ndim) {
        return Err(Kind::EncodedLength { what, given, ndim }.into());
    }
    let loads = (0..ndim).filter(|&axis| before(axis).is_some() || after(axis).is_some()).count();
    debug_assert!(loads < MAX_LEVELS);
    let mut layout = Layout::zeroed(itemsize, ndim, loads + 1)?;
    let mut level = 0;
    layout.level_mut(0)[0] = offset;
    for axis in 0..ndim {
        if shape[axis] < 0 {
            return Err(Kind::NegativeExtent { axis, extent: shape[axis] }.into());
        }
        layout.shape_mut()[axis] = shape[axis] as usize;
        if let Some(offset) = before(axis) {
            level += 1;
            layout.level_mut(level)[0] = offset;
        }
        layout.level_mut(level)[1 + axis] = strides[axis];
        if let Some(offset) = after(axis) {
            level += 1;
            layout.level_mut(level)[0] = offset;
        }
    }
    layout.check()?;
    Ok(layout)
}
