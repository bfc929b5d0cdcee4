//! A file becomes an exporter.
//!
//! What kind of file it is stands in its first bytes, not in its name: `.npy`, PNG, or, if a format was given, raw bytes
//! whatever they look like. The argument may carry a slice: `photo.png[100:200, ::-1]`. A file whose whole name is the
//! argument, brackets and all, is taken before any slice is.

use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};

use extbuf::format::Format;
use extbuf::layout::{Layout, Order, SliceItem};
use extbuf::protocol::{Array, Exporter, Memory, Request, Window};

use crate::args::Input;
use crate::failure::{Failure, Result, name, one_line, system};
use crate::map::{self, Loaded};
use crate::npy;
use crate::png;
use crate::units::{bytes, counted};

/// An opened file, lent whole, and the part of it that was asked for.
#[derive(Debug)]
pub(crate) struct Source {
    /// The argument as it was given, for messages.
    pub(crate) title: String,
    /// What the file is.
    pub(crate) about: String,
    /// How it came into memory.
    pub(crate) memory: String,
    /// All of it.
    pub(crate) whole: Window<'static>,
    /// The slice of it.
    pub(crate) window: Window<'static>,
}

/// Opens what the command line names.
pub(crate) fn open(input: &Input) -> Result<Source> {
    let (path, slice) = match &input.slice {
        Some(slice) => (PathBuf::from(&input.file), Some(slice.clone())),
        None => split(&input.file, Path::exists),
    };
    let items = match &slice {
        Some(text) => SliceItem::parse_list(text)?,
        None => Vec::new(),
    };
    let raw_format = match &input.format {
        Some(text) => Some(Format::parse(text)?),
        None => None,
    };

    let file = File::open(&path).map_err(|error| Failure::at(&path, system(&error)))?;
    if file.metadata().is_ok_and(|about| about.is_dir()) {
        return Err(Failure::at(&path, "is a directory"));
    }
    let (memory, loaded) = map::load(file).map_err(|error| Failure::at(&path, system(&error)))?;
    let (exporter, kind) = recognise(memory, raw_format, input.shape.as_deref(), &path)
        .map_err(|what| Failure::at(&path, what))?;
    let memory = kind.decoded.unwrap_or_else(|| match loaded {
        Loaded::Mapped => "mapped from the file".into(),
        Loaded::Read => "read into one block".into(),
    });
    let whole = exporter.window(Request::FULL_RO).map_err(|error| Failure::at(&path, error))?;
    let window = whole.slice(&items).map_err(|error| {
        let shape = npy::tuple(whole.shape());
        Failure::at(&path, format!("[{}] of shape {shape}: {error}", list(&items)))
    })?;
    let title = input.slice.as_ref().map_or_else(
        || name(Path::new(&input.file)),
        |slice| format!("{} [{}]", name(&path), one_line(slice.trim_matches(['[', ']']))),
    );
    Ok(Source { title, about: kind.about, memory, whole, window })
}

fn list(items: &[SliceItem]) -> String {
    items.iter().map(SliceItem::to_string).collect::<Vec<_>>().join(", ")
}

/// The file and the slice of an argument.
fn split(argument: &OsStr, exists: impl Fn(&Path) -> bool) -> (PathBuf, Option<String>) {
    let whole = PathBuf::from(argument);
    let cut = argument.to_str().filter(|text| text.ends_with(']')).and_then(|text| {
        let open = text.rfind('[').filter(|&open| open > 0)?;
        Some((&text[..open], &text[open..]))
    });
    match cut {
        Some((file, slice)) if !exists(&whole) => (PathBuf::from(file), Some(slice.to_owned())),
        _ => (whole, None),
    }
}

struct Kind {
    about: String,
    /// What the file was decoded into, where its bytes are not the items' bytes.
    decoded: Option<String>,
}

type Lender = Box<dyn Exporter<'static>>;

fn recognise(
    memory: Memory<'static>,
    raw_format: Option<Format>,
    shape: Option<&[usize]>,
    path: &Path,
) -> std::result::Result<(Lender, Kind), String> {
    let length = memory.len();
    let plain = Layout::contiguous(1, &[length], Order::C).map_err(|error| error.to_string())?;
    let mut array = Array::new(memory, plain, Format::bytes()).map_err(|error| error.to_string())?;
    if let Some(format) = raw_format {
        let layout = raw_layout(&format, shape, length)?;
        array.describe(layout, format).map_err(|error| error.to_string())?;
        return Ok((Box::new(array), Kind { about: "raw bytes".into(), decoded: None }));
    }
    let window = array.window(Request::FULL_RO).map_err(|error| error.to_string())?;
    let view = window.view();
    let file = view.as_bytes().unwrap_or_default();
    let called = |ending: &str| path.extension().is_some_and(|found| found.eq_ignore_ascii_case(ending));
    if file.starts_with(npy::MAGIC) || called("npy") && !file.starts_with(png::MAGIC) {
        let npy::Header { format, layout } = npy::read(file)?;
        array.describe(layout, format).map_err(|error| error.to_string())?;
        Ok((Box::new(array), Kind { about: "NumPy array".into(), decoded: None }))
    } else if file.starts_with(png::MAGIC) || called("png") {
        let picture = png::read(file)?;
        let rows = picture.rows.layout().shape()[0];
        let decoded = format!("decoded into {}, each an allocation", counted(rows, "row"));
        Ok((Box::new(picture.rows), Kind { about: picture.about, decoded: Some(decoded) }))
    } else {
        Err("neither .npy nor PNG by its first bytes: raw bytes need a --format, such as --format B".into())
    }
}

fn raw_layout(
    format: &Format,
    shape: Option<&[usize]>,
    length: usize,
) -> std::result::Result<Layout, String> {
    let itemsize = format.itemsize();
    let shape = match shape {
        Some(shape) => shape.to_vec(),
        None if itemsize == 0 => return Err("items of 0 bytes need a --shape".into()),
        None if !length.is_multiple_of(itemsize) => {
            return Err(format!("{} are no whole number of items of {}", bytes(length), bytes(itemsize)));
        }
        None => vec![length / itemsize],
    };
    let layout = Layout::contiguous(itemsize, &shape, Order::C)
        .map_err(|error| format!("shape {}: {error}", npy::tuple(&shape)))?;
    if layout.nbytes() != length {
        return Err(format!(
            "shape {} of format '{format}' takes {}, the file has {}",
            npy::tuple(&shape),
            bytes(layout.nbytes()),
            bytes(length)
        ));
    }
    Ok(layout)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn splits(argument: &str, existing: &[&str], file: &str, slice: Option<&str>) {
        let exists = |path: &Path| existing.iter().any(|name| Path::new(name) == path);
        assert_eq!(split(OsStr::new(argument), exists), (file.into(), slice.map(str::to_owned)));
    }

    #[test]
    fn a_slice_follows_the_name_in_brackets() {
        splits("a.npy", &[], "a.npy", None);
        splits("a.npy[1:, ::-1]", &["a.npy"], "a.npy", Some("[1:, ::-1]"));
        splits("a[0].npy[...]", &["a[0].npy"], "a[0].npy", Some("[...]"));
        splits("a.npy]", &[], "a.npy]", None);
        splits("[0]", &[], "[0]", None);
    }

    #[test]
    fn a_file_that_is_named_so_comes_first() {
        splits("a[0]", &["a", "a[0]"], "a[0]", None);
        splits("a[0][1]", &["a", "a[0]"], "a[0]", Some("[1]"));
    }
}
