//! The doors: views in, views or fresh memory out, and a plan that can be run again.

// Hands the bases of views to the conversion.
#![allow(unsafe_code)]

use std::fmt;

use extbuf_format::Format;
use extbuf_layout::{Layout, Order};
use extbuf_protocol::{Sharing, View, ViewMut, Window};

use super::{Bases, First, Phase, Work};
use crate::error::{BadValue, CopyError, CopyErrorKind};
use crate::fields::{self, Action, Step};
use crate::options::CopyOptions;
use crate::output::Fresh;
use crate::overlap::{self, Overlap};
use crate::parallel::Meter;
use crate::plan::{self, Kernel, Plan};
use crate::report::Report;

/// Copies every item to the item of the destination with the same index, converted to the destination's format.
///
/// Equal formats are copied, padding too. Numbers are converted, in [`Mode::Checked`](crate::Mode::Checked): an error names the first
/// value that does not fit, and nothing is written. Records are matched field by field, by name; fields without a
/// name, and all where one of the two records has no names, one after the other. Subarrays are matched entry by entry,
/// and text goes from one byte order to the other. Elsewhere what lies between the fields of the destination is left as it is.
/// Shapes must be equal.
///
/// ```
/// use extbuf_copy::convert;
/// use extbuf_protocol::{View, ViewMut};
///
/// let mut out = [0u8; 3];
/// convert(&mut ViewMut::from_slice(&mut out), &View::from_slice(&[1.0f32, 2.75, 255.9]))?;
/// assert_eq!(out, [1, 2, 255]);
///
/// let error = convert(&mut ViewMut::from_slice(&mut out), &View::from_slice(&[7i32, 300, -1])).unwrap_err();
/// assert_eq!(error.to_string(), "the value 300 at index [1] does not fit format 'B'; nothing has been written");
/// assert_eq!(out, [1, 2, 255]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// `Ndim`, `Shape` where the two do not agree; `NoConversion`, `MissingField`, `ExtraField` where the formats do not;
/// `Value`; `Objects`.
pub fn convert<D: Sharing, S: Sharing>(
    dst: &mut ViewMut<'_, D>,
    src: &View<'_, S>,
) -> Result<Report, CopyError> {
    CopyOptions::default().convert(dst, src)
}

/// Copies all items into fresh memory in another format, one after another in the given order: NumPy's `astype`.
///
/// ```
/// use extbuf_copy::{to_contiguous_as, to_vec};
/// use extbuf_format::Format;
/// use extbuf_layout::Order;
/// use extbuf_protocol::View;
///
/// let window = to_contiguous_as(&View::from_slice(&[1u8, 2]), &Format::parse(">f")?, Order::C)?;
/// assert_eq!(to_vec(&window.view(), Order::C)?, [0x3f, 0x80, 0, 0, 0x40, 0, 0, 0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// As [`convert`], and `Allocation`.
pub fn to_contiguous_as<S: Sharing>(
    view: &View<'_, S>,
    format: &Format,
    order: Order,
) -> Result<Window<'static>, CopyError> {
    Ok(CopyOptions::default().to_contiguous_as(view, format, order)?.0)
}

/// A copy or conversion between two views, decided once for all views of the same layouts and formats: the frames of a
/// video, the batches of a training run. It holds no pointer, prints itself, and is safe to run: that the views are
/// those it was made for is checked.
///
/// ```
/// use extbuf_copy::{CopyOptions, ViewPlan};
/// use extbuf_layout::s;
/// use extbuf_protocol::{View, ViewMut};
///
/// let mut frame = vec![0u8; 12];
/// let mut input = vec![0f32; 6];
/// let plan = ViewPlan::new(
///     &ViewMut::from_slice(&mut input),
///     &View::from_slice(&frame).slice(s![..;2])?,
///     CopyOptions::default(),
/// )?;
/// for k in 0..3 {
///     frame.fill(k);
///     plan.run(&mut ViewMut::from_slice(&mut input), &View::from_slice(&frame).slice(s![..;2])?)?;
///     assert_eq!(input, [f32::from(k); 6]);
/// }
/// assert!(plan.run(&mut ViewMut::from_slice(&mut input), &View::from_slice(&frame).slice(s![..6])?).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ViewPlan<'h> {
    options: CopyOptions<'h>,
    dst: (Layout, Format),
    src: (Layout, Format),
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Copy(Box<Plan>),
    Convert(Box<Work>),
}

impl<'h> ViewPlan<'h> {
    /// Decides how to go from views like the one to views like the other. Nothing is read or written.
    ///
    /// # Errors
    ///
    /// As [`convert`], except for `Value`.
    pub fn new<D: Sharing, S: Sharing>(
        dst: &ViewMut<'_, D>,
        src: &View<'_, S>,
        options: CopyOptions<'h>,
    ) -> Result<ViewPlan<'h>, CopyError> {
        ViewPlan::of((dst.layout(), dst.format()), (src.layout(), src.format()), options)
    }

    /// The same from layouts and formats alone.
    ///
    /// # Errors
    ///
    /// As [`new`](ViewPlan::new); `Itemsize` where a layout's items are not as long as the format says.
    pub fn of(
        (dst, dst_format): (&Layout, &Format),
        (src, src_format): (&Layout, &Format),
        options: CopyOptions<'h>,
    ) -> Result<ViewPlan<'h>, CopyError> {
        for (layout, format) in [(dst, dst_format), (src, src_format)] {
            if layout.itemsize() != format.itemsize() {
                let kind = CopyErrorKind::Itemsize { dst: layout.itemsize(), src: format.itemsize() };
                return Err(kind.into());
            }
        }
        let steps = fields::steps((0, dst_format), (0, src_format), options.mode, options.fields)?;
        let what = match &steps[..] {
            [step] if dst.itemsize() == src.itemsize() && step.action == Action::Move(dst.itemsize()) => {
                What::Copy(Box::new(Plan::new(dst, src)?.at_level(options.level)))
            }
            _ => {
                check_shapes(dst, src)?;
                plan::check(dst, dst)?;
                What::Convert(Box::new(Work::new(&[dst], &[src], steps, options.level)))
            }
        };
        Ok(ViewPlan {
            options,
            dst: (dst.clone(), dst_format.clone()),
            src: (src.clone(), src_format.clone()),
            what,
        })
    }

    /// Copies or converts the items of a view to those of another.
    ///
    /// # Errors
    ///
    /// `NotPlanned` where a view is not of the layout and format that this was made for; `Value`; `Cancelled`.
    pub fn run<D: Sharing, S: Sharing>(
        &self,
        dst: &mut ViewMut<'_, D>,
        src: &View<'_, S>,
    ) -> Result<Report, CopyError> {
        if (dst.layout(), dst.format()) != (&self.dst.0, &self.dst.1) {
            return Err(CopyErrorKind::NotPlanned { side: "destination" }.into());
        }
        if (src.layout(), src.format()) != (&self.src.0, &self.src.1) {
            return Err(CopyErrorKind::NotPlanned { side: "source" }.into());
        }
        // SAFETY: V1, V2, V4 and V5 of both views: what they reach is there, initialised, and nobody else's in Rust to
        // write meanwhile; V3 of the destination: items share no byte, nor do stored pointers lead to the same.
        unsafe { self.run_with(&self.options.between::<D, S>(), dst.as_mut_ptr(), src.as_ptr()) }
    }

    /// The same between raw bases, as if all of the source were read first.
    ///
    /// # Errors
    ///
    /// `Value`; `Cancelled`; `Allocation` where the two sides overlap and there is no scratch memory.
    ///
    /// # Safety
    ///
    /// As for [`CopyOptions::copy_raw`].
    pub unsafe fn run_raw(&self, dst_base: *mut u8, src_base: *const u8) -> Result<Report, CopyError> {
        // SAFETY: the caller's contract, handed on unchanged.
        unsafe { self.run_with(&self.options, dst_base, src_base) }
    }

    /// The same by other options.
    ///
    /// # Safety
    ///
    /// As for [`run_raw`](ViewPlan::run_raw).
    unsafe fn run_with(
        &self,
        options: &CopyOptions<'_>,
        dst_base: *mut u8,
        src_base: *const u8,
    ) -> Result<Report, CopyError> {
        let ((dst, _), (src, _)) = (&self.dst, &self.src);
        match &self.what {
            What::Copy(plan) => {
                // SAFETY: the caller's contract: stored pointers are valid.
                let overlap = unsafe { overlap::decide(plan, (dst, dst_base), (src, src_base)) };
                if overlap == Overlap::None {
                    // SAFETY: the caller's contract, and the sides are apart.
                    return unsafe { options.run(plan, dst_base, src_base) };
                }
                // SAFETY: the caller's contract.
                unsafe { options.copy_raw((dst, dst_base), (src, src_base)) }
            }
            What::Convert(work) => {
                // SAFETY: the caller's contract: stored pointers are valid.
                if !unsafe { overlap::apart((dst, dst_base), (src, src_base)) } {
                    // SAFETY: the caller's contract.
                    return unsafe { self.staged(options, dst_base, src_base) };
                }
                let meter = work.meter(options, 0, 0);
                // SAFETY: the caller's contract, and the sides are apart.
                unsafe { run(&meter, work, &[dst_base], &[(src, src_base)]) }
            }
        }
    }

    /// A conversion from a copy of the source.
    ///
    /// # Safety
    ///
    /// As for [`run_raw`](ViewPlan::run_raw).
    #[cold]
    unsafe fn staged(
        &self,
        options: &CopyOptions<'_>,
        dst_base: *mut u8,
        src_base: *const u8,
    ) -> Result<Report, CopyError> {
        let ((dst, dst_format), (src, src_format)) = (&self.dst, &self.src);
        let scratch = Layout::contiguous(src.itemsize(), src.shape(), Order::C)?;
        let memory = Fresh::new(scratch.nbytes())?;
        let read = Plan::of_checked(&scratch, src, options.level);
        let staged = ViewPlan::of((dst, dst_format), (&scratch, src_format), self.options)?;
        let What::Convert(work) = &staged.what else { unreachable!("the formats differ") };
        let meter = work.meter(options, read.bytes(), read.parts());
        // SAFETY: the caller's contract; fresh memory of all the bytes that its layout reaches.
        unsafe { meter.run(&read, memory.start(), src_base) }?;
        // SAFETY: the caller's contract; the copy has been written whole, and is apart from the destination.
        let report = unsafe { run(&meter, work, &[dst_base], &[(&scratch, memory.start())]) }?;
        Ok(Report { overlap: Overlap::Staged, ..report })
    }

    /// True where the formats are equal, so that bytes are copied as they are.
    pub fn is_copy(&self) -> bool {
        matches!(self.what, What::Copy(_))
    }

    /// Into how many parts the work is cut.
    pub fn parts(&self) -> usize {
        match &self.what {
            What::Copy(plan) => plan.parts(),
            What::Convert(work) => work.parts,
        }
    }
}

/// What is done, in words: for a copy its plan, else the boxes and what is done with each field.
///
/// ```
/// use extbuf_copy::{CopyOptions, ViewPlan};
/// use extbuf_format::Format;
/// use extbuf_layout::{Layout, Order};
///
/// let (dst, src) = (Format::parse("<T{h:x:f:y:}")?, Format::parse(">T{d:y:i:x:}")?);
/// let layout = |format: &Format| Layout::contiguous(format.itemsize(), &[1000], Order::C);
/// let plan = ViewPlan::of((&layout(&dst)?, &dst), (&layout(&src)?, &src), CopyOptions::default())?;
/// # if cfg!(target_endian = "big") { return Ok(()); }
/// assert_eq!(
///     plan.to_string(),
///     "\
/// 6000 bytes in 1 part
///   1 box of 1000
///   x: swap 4, then check i16, then i32 to i16
///   y: swap 8, then f64 to f32"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl fmt::Display for ViewPlan<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            What::Copy(plan) => plan.fmt(f),
            What::Convert(work) => work.fmt(f),
        }
    }
}

impl CopyOptions<'_> {
    /// As the function [`convert`].
    ///
    /// # Errors
    ///
    /// As [`convert`], and `Cancelled`.
    pub fn convert<D: Sharing, S: Sharing>(
        &self,
        dst: &mut ViewMut<'_, D>,
        src: &View<'_, S>,
    ) -> Result<Report, CopyError> {
        let plan = ViewPlan::new(dst, src, *self)?;
        // SAFETY: as in `ViewPlan::run`; the plan is of these views.
        unsafe { plan.run_with(&self.between::<D, S>(), dst.as_mut_ptr(), src.as_ptr()) }
    }

    /// As the function [`to_contiguous_as`], with the report.
    ///
    /// # Errors
    ///
    /// As [`to_contiguous_as`], and `Cancelled`.
    pub fn to_contiguous_as<S: Sharing>(
        &self,
        view: &View<'_, S>,
        format: &Format,
        order: Order,
    ) -> Result<(Window<'static>, Report), CopyError> {
        let layout = crate::copy::dense(view.layout(), format.itemsize(), order)?;
        let plan = ViewPlan::of((&layout, format), (view.layout(), view.format()), *self)?;
        let memory = Fresh::new(layout.nbytes())?;
        if let What::Convert(work) = &plan.what
            && !work.writes_every_byte()
        {
            // SAFETY: so many bytes of memory that is ours.
            unsafe { memory.start().write_bytes(0, layout.nbytes()) };
        }
        // SAFETY: the view as in `ViewPlan::run`; fresh memory of all the bytes that the layout reaches.
        let report = unsafe { plan.run_with(&self.between::<S, S>(), memory.start(), view.as_ptr()) }?;
        // SAFETY: every byte has been written, by the conversion or before.
        let window = unsafe { memory.into_window(layout, format.clone()) };
        Ok((window, report))
    }
}

/// Shapes agree.
pub(crate) fn check_shapes(dst: &Layout, src: &Layout) -> Result<(), CopyError> {
    if dst.ndim() != src.ndim() {
        return Err(CopyErrorKind::Ndim { dst: dst.ndim(), src: src.ndim() }.into());
    }
    match dst.shape().iter().zip(src.shape()).position(|(d, s)| d != s) {
        Some(axis) => {
            Err(CopyErrorKind::Shape { axis, dst: dst.shape()[axis], src: src.shape()[axis] }.into())
        }
        None => Ok(()),
    }
}

impl Work {
    /// How often all boxes are gone through.
    fn rounds(&self) -> usize {
        1 + usize::from(self.has_checks())
    }

    /// For this, and something else of so many bytes and parts before it.
    pub(crate) fn meter<'h>(&self, options: &'h CopyOptions<'h>, bytes: usize, parts: usize) -> Meter<'h> {
        let rounds = self.rounds();
        Meter::of(
            options,
            self.bytes.saturating_mul(rounds).saturating_add(bytes),
            self.parts * rounds + parts,
        )
    }
}

/// Runs a conversion: all checks first, then everything is written.
///
/// # Safety
///
/// As for [`Work::run_part`], for all parts, from any thread.
pub(crate) unsafe fn run(
    meter: &Meter<'_>,
    work: &Work,
    dsts: &[*mut u8],
    srcs: &[(&Layout, *const u8)],
) -> Result<Report, CopyError> {
    let bases: Vec<*const u8> = srcs.iter().map(|&(_, base)| base).collect();
    let bases = &Bases { dsts, srcs: &bases };
    let shape = srcs[0].0.shape();
    let first = First::new();
    let mut threads = 1;
    for phase in [Phase::Check, Phase::Write] {
        if phase == Phase::Check && !work.has_checks() || work.bytes == 0 {
            continue;
        }
        threads = meter.run_parts(work.bytes, work.parts, |part| {
            // SAFETY: the caller's contract; parts are disjoint (P2).
            unsafe { work.run_part(bases, part, phase, &first, shape) }
        })?;
        if let Some(number) = first.found() {
            // SAFETY: the caller's contract.
            return Err(unsafe { bad_value(work, srcs, number) });
        }
    }
    Ok(Report {
        overlap: Overlap::None,
        bytes: work.bytes,
        threads,
        parts: work.parts,
        kernel: Kernel::Convert,
    })
}

/// Says which value it was.
///
/// # Safety
///
/// As for [`Work::run_part`].
#[cold]
unsafe fn bad_value(work: &Work, srcs: &[(&Layout, *const u8)], number: usize) -> CopyError {
    let mut index = vec![0; srcs[0].0.ndim()];
    let mut rest = number;
    for (k, extent) in index.iter_mut().zip(srcs[0].0.shape()).rev() {
        *k = rest % extent;
        rest /= extent;
    }
    let mut bad = BadValue { index, path: String::new(), value: "?".into(), format: String::new() };
    for step in &work.steps {
        let (layout, base) = srcs[step.src];
        let load = |base: *const u8, place: isize| {
            let pointer = base.wrapping_offset(place).cast::<*const u8>();
            // SAFETY: the caller's contract: a pointer is stored there, at any address.
            unsafe { pointer.read_unaligned() }
        };
        let Some((base, place)) = layout.locate(base, &bad.index, load) else { continue };
        let item = base.wrapping_offset(place).wrapping_add(step.from);
        // SAFETY: the item at this index, inside the layout.
        if let Some(value) = unsafe { refused(work, step, item) } {
            (bad.path, bad.value, bad.format) = (step.path.clone(), value, step.dst_format.to_string());
            break;
        }
    }
    CopyErrorKind::Value(Box::new(bad)).into()
}

/// The first value of an item that a step refuses, as text.
///
/// # Safety
///
/// The part of the item that the step is for may be read at `item`.
unsafe fn refused(work: &Work, step: &Step, item: *const u8) -> Option<String> {
    let Action::Convert(recipe) = &step.action else { return None };
    let checks = recipe.checks();
    if checks.is_empty() {
        return None;
    }
    for number in 0..step.count() {
        let (mut rest, mut at) = (number, item);
        for axis in step.axes.iter().rev() {
            at = at.wrapping_offset((rest % axis.extent) as isize * axis.src);
            rest /= axis.extent;
        }
        let mut bytes = [0u8; 16];
        // SAFETY: the caller's contract: one value of the item; no number has more bytes.
        unsafe { bytes.as_mut_ptr().copy_from_nonoverlapping(at, recipe.from) };
        let mut value = bytes;
        let mut fine = true;
        for &pass in checks {
            let (lo, hi) = pass.words();
            let (from, mut to) = (value, value);
            // SAFETY: one number, in blocks of more bytes than any has.
            fine &= unsafe {
                super::execute::lane(pass, work.level)(to.as_mut_ptr(), from.as_ptr(), recipe.lanes, lo, hi)
            };
            if !pass.is_check() {
                value = std::mem::replace(&mut to, from);
            }
        }
        if !fine {
            return Some(super::number::text(&step.src_format, &bytes, recipe.to == 0));
        }
    }
    None
}
