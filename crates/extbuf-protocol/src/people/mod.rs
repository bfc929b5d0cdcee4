//! Views as text for people: nested brackets, aligned columns, the middle of large ones left out.
//!
//! The form is NumPy's. Up to 1000 items are shown whole; of more, each axis shows its first and last three entries.
//! Numbers of one column stand right-aligned, decimal points one below the other; records are in parentheses, each field
//! a column. Lines end at 75 characters. `{:#}` puts commas between the items, `{:.3}` rounds to three digits.

mod column;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use bytemuck::NoUninit;
use extbuf_format::{Element, Value};

use crate::sharing::Sharing;
use crate::typed::{TypedView, TypedViewMut};
use crate::view::{View, ViewMut};
use column::Column;

/// More items than this are not all shown.
const WHOLE: usize = 1000;
/// Entries shown at either end of an axis then.
const EDGE: usize = 3;
/// So many items are never shown: a view can have 64 axes of two entries.
const MOST: usize = 10_000;
/// Characters of a line.
const WIDTH: usize = 75;
/// Digits after the point, where nobody says otherwise.
const PRECISION: usize = 8;

/// As NumPy prints an array. `{:#}` separates by commas, `{:.3}` rounds floats to so many digits.
///
/// ```
/// use extbuf_protocol::{Buffer, Exporter, Request};
/// let mut numbers = Buffer::from_vec(vec![1.0f64, 2.5, -30.0, 4.25, 5.0, 600.0]);
/// numbers.reshape(&[2, 3])?;
/// let export = numbers.export(Request::FULL_RO)?;
/// assert_eq!(export.view().to_string(), "\
/// [[  1.     2.5  -30.  ]
///  [  4.25   5.   600.  ]]");
/// # Ok::<(), extbuf_protocol::Refusal>(())
/// ```
impl<S: Sharing> fmt::Display for View<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ndim() > 0 && self.is_empty() {
            return f.write_str("[]");
        }
        let entries = shown(self.shape());
        let mut values = Vec::new();
        let mut index: Vec<usize> = alloc::vec![0; self.ndim()];
        collect(self, &entries, &mut index, 0, &mut values);
        let present: Vec<&Value> = values.iter().flatten().collect();
        let column = Column::of(self.format(), &present, f.precision().unwrap_or(PRECISION));
        let mut words = values.iter().map(|value| match value {
            Some(value) => column.word(value),
            None => String::from("?"),
        });
        if self.ndim() == 0 {
            return f.write_str(words.next().unwrap_or_default().trim());
        }
        let mut out = String::new();
        let separator = if f.alternate() { ", " } else { " " };
        nest(&entries, 0, separator, &mut words, &mut out);
        f.write_str(&out)
    }
}

/// As the view for reading.
impl<S: Sharing> fmt::Display for ViewMut<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_view().fmt(f)
    }
}

/// As the view without its type.
impl<T: Element, S: Sharing> fmt::Display for TypedView<'_, T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_view().fmt(f)
    }
}

/// As the view without its type.
impl<T: Element + NoUninit, S: Sharing> fmt::Display for TypedViewMut<'_, T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_typed().fmt(f)
    }
}

/// The entries of an axis that are shown; `None` stands for those left out.
type Entries = Vec<Option<usize>>;

fn shown(shape: &[usize]) -> Vec<Entries> {
    let items = shape.iter().fold(1usize, |items, &extent| items.saturating_mul(extent));
    let with_edge = |edge: usize| -> Vec<Entries> {
        let axis = |&extent: &usize| {
            if items <= WHOLE || extent <= 2 * edge {
                return (0..extent).map(Some).collect();
            }
            let (low, high) = ((0..edge).map(Some), (extent - edge..extent).map(Some));
            low.chain([None]).chain(high).collect()
        };
        shape.iter().map(axis).collect()
    };
    let few = |edge: usize| {
        let count = |&extent: &usize| if extent <= 2 * edge { extent } else { 2 * edge };
        items <= WHOLE || shape.iter().map(count).fold(1, usize::saturating_mul) <= MOST
    };
    with_edge((1..=EDGE).rev().find(|&edge| few(edge)).unwrap_or(0))
}

/// The values of all entries that are shown, in C order; `None` for bytes that are none.
fn collect<S: Sharing>(
    view: &View<'_, S>,
    entries: &[Entries],
    index: &mut Vec<usize>,
    axis: usize,
    values: &mut Vec<Option<Value>>,
) {
    let Some(here) = entries.get(axis) else {
        values.push(view.value(index).ok());
        return;
    };
    for &k in here.iter().flatten() {
        index[axis] = k;
        collect(view, entries, index, axis + 1, values);
    }
}

/// Brackets around the entries of one axis. What is on the line already ends where the bracket goes: `axis` characters in.
fn nest(
    entries: &[Entries],
    axis: usize,
    separator: &str,
    words: &mut impl Iterator<Item = String>,
    out: &mut String,
) {
    let inside = axis + 1;
    let indent = |out: &mut String| out.extend(core::iter::repeat_n(' ', inside));
    let here = &entries[axis];
    out.push('[');
    if axis + 1 < entries.len() {
        for (k, entry) in here.iter().enumerate() {
            if k > 0 {
                out.push_str(separator.trim_end());
                out.extend(core::iter::repeat_n('\n', entries.len() - inside));
                indent(out);
            }
            match entry {
                Some(_) => nest(entries, axis + 1, separator, words, out),
                None => out.push_str("..."),
            }
        }
    } else {
        // Room for a closing bracket of every axis, and for the separator.
        let most = WIDTH.saturating_sub(axis + 1);
        let mut line = inside;
        for (k, entry) in here.iter().enumerate() {
            let word = match entry {
                Some(_) => words.next().unwrap_or_default(),
                None => String::from("..."),
            };
            let width = word.chars().count();
            if k > 0 {
                out.push_str(separator);
                line += separator.len();
                if line + width > most && line > inside {
                    out.truncate(out.trim_end().len());
                    out.push('\n');
                    indent(out);
                    line = inside;
                }
            }
            out.push_str(&word);
            line += width;
        }
    }
    out.push(']');
}
