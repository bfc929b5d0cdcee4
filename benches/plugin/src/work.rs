//! One copy, planned from what a harness says of it, ready to be run any number of times.

// Keeps the bases that the harness handed over and runs plans on them.
#![allow(unsafe_code)]

use std::fmt;

use extbuf_copy::{CopyOptions, Plan, Threads, ViewPlan};
use extbuf_format::Format;
use extbuf_layout::{Layout, LayoutSpec, LevelSpec};

/// What a copy does to each item on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing.
    Copy,
    /// `float64` becomes `float32`, rounded to nearest.
    F64ToF32,
    /// `uint8` becomes `float32`.
    U8ToF32,
    /// The bytes of the item change places.
    Swap,
}

impl Change {
    /// By the number that the C interface gives it.
    pub fn from_number(number: u32) -> Option<Change> {
        [Change::Copy, Change::F64ToF32, Change::U8ToF32, Change::Swap].get(number as usize).copied()
    }

    /// Bytes of an item of the destination, from those of one of the source.
    pub fn dst_item(self, src_item: usize) -> usize {
        match self {
            Change::Copy | Change::Swap => src_item,
            Change::F64ToF32 | Change::U8ToF32 => 4,
        }
    }
}

impl Change {
    /// The formats of source and destination that say so, for items of this size; nothing where items are only moved.
    fn formats(self, item: usize) -> Option<(Format, Format)> {
        let (src, dst) = match (self, item) {
            (Change::F64ToF32, 8) => ("=d", "=f"),
            (Change::U8ToF32, 1) => ("=B", "=f"),
            (Change::Swap, 2) => ("<H", ">H"),
            (Change::Swap, 4) => ("<I", ">I"),
            (Change::Swap, 8) => ("<Q", ">Q"),
            _ => return None,
        };
        Some((src.parse().ok()?, dst.parse().ok()?))
    }
}

/// How a copy is to be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    /// On how many threads at most.
    pub threads: usize,
    /// True where every run plans anew and looks for overlap, as the free functions do.
    pub one_shot: bool,
}

/// One side of a direct copy: where item `[0, 0, …]` lies, and the strides, in items.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a, P> {
    /// The place of the first item.
    pub start: P,
    /// One stride for each axis, in items.
    pub strides: &'a [isize],
}

/// A picture whose rows are separate allocations, and what is wanted of it: `[start, end, step]` of the rows, then of
/// the columns.
#[derive(Clone, Copy, Debug)]
pub struct Rows {
    /// Where the pointers to the rows lie.
    pub table: *const *const u8,
    /// Bytes of an item.
    pub item: usize,
    /// First, end and step of the rows.
    pub rows: [usize; 3],
    /// First, end and step of the columns.
    pub columns: [usize; 3],
    /// True where the result is written column by column.
    pub transposed: bool,
}

/// A copy that has been planned.
#[derive(Debug)]
pub struct Work {
    planned: Planned,
    dst: (Layout, *mut u8),
    src: (Layout, *const u8),
    way: Way,
    /// On one thread, by a plan made before: nothing is around it.
    alone: bool,
}

/// Decided once, run in every run that is not one-shot.
#[derive(Debug)]
enum Planned {
    Copy(Box<Plan>),
    Convert { plan: Box<ViewPlan<'static>>, dst: Format, src: Format },
}

impl Work {
    /// A copy between two strided arrays; nothing where the engine does not offer it.
    ///
    /// # Safety
    ///
    /// Until the work is dropped: every item of both sides may be read or written by whoever runs it, the sides share
    /// no byte, and nobody else uses either while it runs.
    pub unsafe fn direct(
        change: Change,
        item: usize,
        shape: &[usize],
        dst: Side<'_, *mut u8>,
        src: Side<'_, *const u8>,
        way: Way,
    ) -> Option<Work> {
        let dst_layout = strided(change.dst_item(item), shape, dst.strides)?;
        let src_layout = strided(item, shape, src.strides)?;
        if change == Change::Copy {
            return Work::of((dst_layout, dst.start), (src_layout, src.start), way);
        }
        let (src_format, dst_format) = change.formats(item)?;
        let plan =
            ViewPlan::of((&dst_layout, &dst_format), (&src_layout, &src_format), way.options()).ok()?;
        let planned = Planned::Convert { plan: Box::new(plan), dst: dst_format, src: src_format };
        Some(Work { planned, dst: (dst_layout, dst.start), src: (src_layout, src.start), way, alone: false })
    }

    /// The wanted part of a picture in row pointers, made dense; nothing where there is no such part.
    ///
    /// # Safety
    ///
    /// As for [`direct`](Work::direct), of the rows, of the table that leads to them, and of the destination.
    pub unsafe fn rows(picture: &Rows, dst: *mut u8, way: Way) -> Option<Work> {
        let Rows { table, item, rows: [r0, r1, rs], columns: [c0, c1, cs], transposed } = *picture;
        let mut shape = [r1.checked_sub(r0)?.div_ceil(rs), c1.checked_sub(c0)?.div_ceil(cs)];
        let pointer = size_of::<*const u8>();
        let (mut to_row, mut in_row) = ([(rs * pointer) as isize, 0], [0, (cs * item) as isize]);
        if transposed {
            shape.reverse();
            to_row.reverse();
            in_row.reverse();
        }
        let levels = [
            LevelSpec { offset: (r0 * pointer) as isize, strides: &to_row },
            LevelSpec { offset: (c0 * item) as isize, strides: &in_row },
        ];
        let claim = shape.map(|extent| extent as isize);
        let src_layout = Layout::new(&LayoutSpec { itemsize: item, shape: &claim, levels: &levels }).ok()?;
        let dst_layout = strided(item, &shape, &[shape[1] as isize, 1])?;
        Work::of((dst_layout, dst), (src_layout, table.cast()), way)
    }

    fn of(dst: (Layout, *mut u8), src: (Layout, *const u8), way: Way) -> Option<Work> {
        let planned = Planned::Copy(Box::new(Plan::new(&dst.0, &src.0).ok()?));
        Some(Work { planned, dst, src, way, alone: way.threads <= 1 && !way.one_shot })
    }

    /// Does it. On one thread a reused plan of a copy is run without any driver around it.
    ///
    /// # Panics
    ///
    /// If what was planned once cannot be planned again.
    #[inline]
    pub fn run(&mut self) {
        match &self.planned {
            // SAFETY: the contract of the constructor: both sides are there, apart, and nobody else's now.
            Planned::Copy(plan) if self.alone => unsafe { plan.run(self.dst.1, self.src.1) },
            _ => self.run_with_options(),
        }
    }

    fn run_with_options(&mut self) {
        let options = self.way.options();
        let ((dst, to), (src, from)) = (&self.dst, &self.src);
        match &self.planned {
            Planned::Copy(_) if self.way.one_shot => {
                // SAFETY: the contract of the constructor: both sides are there, apart, and nobody else's now.
                let done = unsafe { options.copy_raw((dst, *to), (src, *from)) };
                done.expect("the same copy has been planned before");
            }
            Planned::Copy(plan) => {
                // SAFETY: the same.
                let done = unsafe { options.run(plan, *to, *from) };
                done.expect("nobody cancels");
            }
            Planned::Convert { plan, dst: dst_format, src: src_format } => {
                let again;
                let plan = if self.way.one_shot {
                    again = ViewPlan::of((dst, dst_format), (src, src_format), options);
                    again.as_ref().expect("the same conversion has been planned before")
                } else {
                    plan
                };
                // SAFETY: the same.
                let done = unsafe { plan.run_raw(*to, *from) };
                done.expect("every value fits");
            }
        }
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.planned {
            Planned::Copy(plan) => plan.fmt(f),
            Planned::Convert { plan, dst, src } => {
                write!(f, "{src} to {dst} in {} parts", plan.parts())
            }
        }
    }
}

impl Way {
    fn options(self) -> CopyOptions<'static> {
        CopyOptions { threads: Threads::AtMost(self.threads), ..CopyOptions::default() }
    }
}

fn strided(item: usize, shape: &[usize], strides: &[isize]) -> Option<Layout> {
    let bytes: Option<Vec<isize>> = strides.iter().map(|stride| stride.checked_mul(item as isize)).collect();
    Layout::strided(item, shape, &bytes?, 0).ok()
}
