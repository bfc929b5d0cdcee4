//! Records into one block for each field, and back: an array of structs into a struct of arrays.

// Hands the bases of views to the conversion.
#![allow(unsafe_code)]

use extbuf_format::{Field, Format, Kind};
use extbuf_layout::{Layout, Order};
use extbuf_protocol::{Sharing, View, ViewMut, Window};

use crate::convert::{Work, check_shapes, run};
use crate::copy::dense;
use crate::error::{CopyError, CopyErrorKind};
use crate::fields::{self, Step};
use crate::options::CopyOptions;
use crate::output::Fresh;
use crate::overlap;
use crate::plan;
use crate::report::Report;

/// Fields that records are taken apart into at most.
const MOST: usize = 1 << 12;

/// One field of all records.
#[derive(Debug)]
#[non_exhaustive]
pub struct Column {
    /// The name of the field, if it has one.
    pub name: Option<String>,
    /// Its values, in fresh memory, one after another.
    pub window: Window<'static>,
}

/// Takes records apart: for each field a block of its own with the values of all records, in the order of the fields.
/// All of them are written in one pass over the records.
///
/// ```
/// use extbuf_copy::{from_columns, to_columns};
/// use extbuf_format::Format;
/// use extbuf_layout::{Layout, Order};
/// use extbuf_protocol::{Array, Exporter, Memory, Request};
///
/// let format = Format::parse("<T{B:tag:f:x:}")?;
/// let bytes = vec![1u8, 0, 0, 128, 63, 2, 0, 0, 0, 64];
/// let mut records = Array::new(Memory::from_vec(bytes), Layout::contiguous(5, &[2], Order::C)?, format)?;
/// let columns = to_columns(&records.export(Request::FULL_RO)?.view(), Order::C)?;
/// assert_eq!(columns[1].name.as_deref(), Some("x"));
/// # if cfg!(target_endian = "big") { return Ok(()); }
/// assert_eq!(columns[1].window.view().get::<f32>(&[1])?, 2.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// `NoConversion` where items are no records, or have more than 4096 fields or a bit field; `Objects`; `Allocation`.
pub fn to_columns<S: Sharing>(view: &View<'_, S>, order: Order) -> Result<Vec<Column>, CopyError> {
    CopyOptions::default().to_columns(view, order)
}

/// Puts records together: each column goes into the field of its name, converted where the formats differ.
///
/// # Errors
///
/// As [`convert`](crate::convert) for each column; `MissingField` where a field has no column and `ExtraField` where a
/// column has no field, unless [`CopyOptions::fields`] allows it; `SharedBytes` where a column of foreign memory may
/// share bytes with the records.
pub fn from_columns<D: Sharing, S: Sharing>(
    dst: &mut ViewMut<'_, D>,
    columns: &[(&str, View<'_, S>)],
) -> Result<Report, CopyError> {
    CopyOptions::default().from_columns(dst, columns)
}

impl CopyOptions<'_> {
    /// As the function [`to_columns`].
    ///
    /// # Errors
    ///
    /// As [`to_columns`], and `Cancelled`.
    pub fn to_columns<S: Sharing>(&self, view: &View<'_, S>, order: Order) -> Result<Vec<Column>, CopyError> {
        let found = fields_of(view.format())?;
        let (mut layouts, mut memory, mut steps) = (Vec::new(), Vec::new(), Vec::new());
        for (number, field) in found.iter().enumerate() {
            let layout = dense(view.layout(), field.format().itemsize(), order)?;
            memory.push(Fresh::new(layout.nbytes())?);
            layouts.push(layout);
            let sides = ((number, field.format()), (0, field.format()));
            for step in fields::steps(sides.0, sides.1, self.mode, self.fields)? {
                steps.push(Step { from: step.from + field.offset(), path: path(field, &step), ..step });
            }
        }
        if !layouts.is_empty() {
            let work = Work::new(&layouts.iter().collect::<Vec<_>>(), &[view.layout()], steps, self.level);
            let bases: Vec<*mut u8> = memory.iter().map(Fresh::start).collect();
            // SAFETY: V1, V2, V4, V5 of the view: what it reaches is there and initialised; fresh memory of all the bytes
            // that each layout reaches.
            unsafe {
                run(
                    &work.meter(&self.between::<S, S>(), 0, 0),
                    &work,
                    &bases,
                    &[(view.layout(), view.as_ptr())],
                )
            }?;
        }
        let columns = found.iter().zip(layouts).zip(memory).map(|((field, layout), memory)| {
            // SAFETY: every byte has been written: equal formats are moved whole.
            let window = unsafe { memory.into_window(layout, field.format().clone()) };
            Column { name: field.name().map(str::to_owned), window }
        });
        Ok(columns.collect())
    }

    /// As the function [`from_columns`].
    ///
    /// # Errors
    ///
    /// As [`from_columns`], and `Cancelled`.
    pub fn from_columns<D: Sharing, S: Sharing>(
        &self,
        dst: &mut ViewMut<'_, D>,
        columns: &[(&str, View<'_, S>)],
    ) -> Result<Report, CopyError> {
        let dst_base = dst.as_mut_ptr();
        let found = fields_of(dst.format())?;
        let named = |name: &str| found.iter().any(|field| field.name() == Some(name));
        if let Some((name, _)) = columns.iter().find(|(name, _)| !self.fields.allow_extra && !named(name)) {
            return Err(CopyErrorKind::ExtraField { name: (*name).to_owned() }.into());
        }
        let (mut steps, mut sources): (Vec<Step>, Vec<(&Layout, *const u8)>) = (Vec::new(), Vec::new());
        for (number, field) in found.iter().enumerate() {
            let Some((_, view)) = columns.iter().find(|(name, _)| field.name() == Some(name)) else {
                if self.fields.allow_missing {
                    continue;
                }
                let name = field.name().map_or_else(|| format!("#{number}"), str::to_owned);
                return Err(CopyErrorKind::MissingField { name }.into());
            };
            check_shapes(dst.layout(), view.layout())?;
            // M3, as for an exchange: bytes of frozen memory that are to be written are in no other view.
            if !D::FROZEN && !S::FROZEN {
                // SAFETY: V4 of both views: stored pointers are valid.
                let apart =
                    unsafe { overlap::apart((dst.layout(), dst_base), (view.layout(), view.as_ptr())) };
                if !apart {
                    return Err(CopyErrorKind::SharedBytes.into());
                }
            }
            let sides = ((0, field.format()), (sources.len(), view.format()));
            for step in fields::steps(sides.0, sides.1, self.mode, self.fields)? {
                steps.push(Step { to: step.to + field.offset(), path: path(field, &step), ..step });
            }
            sources.push((view.layout(), view.as_ptr()));
        }
        plan::check(dst.layout(), dst.layout())?;
        if sources.is_empty() {
            // Nothing is written, but the answer has the form of one.
            sources.push((dst.layout(), dst_base.cast_const()));
        }
        let layouts: Vec<&Layout> = sources.iter().map(|&(layout, _)| layout).collect();
        let work = Work::new(&[dst.layout()], &layouts, steps, self.level);
        // SAFETY: V1 to V5 of all views; no column has a byte in common with the records.
        unsafe { run(&work.meter(&self.between::<D, S>(), 0, 0), &work, &[dst_base], &sources) }
    }
}

/// The fields of a record, each a run of whole bytes.
fn fields_of(format: &Format) -> Result<Vec<Field<'_>>, CopyError> {
    if format.has_objects() {
        return Err(CopyErrorKind::Objects.into());
    }
    let found: Vec<Field<'_>> = format.fields().take(MOST + 1).collect();
    let bits =
        |field: &Field<'_>| field.format().as_scalar().is_some_and(|scalar| scalar.kind() == Kind::Bits);
    if format.as_record().is_none() || found.len() > MOST || found.iter().any(bits) {
        let (path, dst, src) = (String::new(), String::from("columns"), format.to_string());
        return Err(
            CopyErrorKind::NoConversion(Box::new(crate::error::NoConversion { path, dst, src })).into()
        );
    }
    Ok(found)
}

/// The path of a step inside a field.
fn path(field: &Field<'_>, step: &Step) -> String {
    match (field.name(), &step.path[..]) {
        (Some(name), "") => name.to_owned(),
        (Some(name), rest) => format!("{name}.{rest}"),
        (None, rest) => rest.to_owned(),
    }
}
