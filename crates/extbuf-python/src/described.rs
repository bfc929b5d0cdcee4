//! What an item is, as text and as meaning. The text is the exporter's and is handed on as it came; the meaning is
//! found when the first value is read or written, because most views never are.

use std::ffi::{CStr, CString};
use std::ops::Deref;
use std::sync::{Arc, LazyLock, OnceLock};

use extbuf_format::{ByteOrder, Dialect, Format, Item, Kind};
use pyo3::prelude::*;

use crate::ctypes_text;
use crate::error;
use crate::item::Codec;
use crate::numpy_text;

/// The format of the items of a view, shared by all the views made from it.
pub(crate) struct Described {
    text: CString,
    itemsize: usize,
    dialect: Dialect,
    format: OnceLock<Result<Format, String>>,
    codec: OnceLock<Codec>,
}

/// A share of a [`Described`]. Most views have an item that is here for good: not counting who uses it saves the two locked
/// instructions that would be a tenth of the time of a slice.
#[derive(Clone)]
pub(crate) enum Shared {
    /// One of [`NATIVE`].
    Known(&'static Described),
    /// Whatever else.
    Counted(Arc<Described>),
}

impl Deref for Shared {
    type Target = Described;

    #[inline]
    fn deref(&self) -> &Described {
        match self {
            Shared::Known(item) => item,
            Shared::Counted(item) => item,
        }
    }
}

impl From<Described> for Shared {
    fn from(item: Described) -> Shared {
        Shared::Counted(Arc::new(item))
    }
}

/// `B`, which is what no format means, and the other native codes of one letter: the items of nearly all views.
static NATIVE: LazyLock<Vec<Option<Described>>> = LazyLock::new(|| {
    let known = |letter: u8| {
        let text = char::from(letter).to_string();
        let format = Format::parse(&text).ok().filter(|_| b"cbB?hHiIlLqQnNefdP".contains(&letter))?;
        Some(Described::known(&text, format))
    };
    (0..128).map(known).collect()
});

impl Described {
    /// Unsigned bytes.
    pub(crate) fn bytes() -> Shared {
        Described::native(b'B').expect("B is a native code")
    }

    fn native(letter: u8) -> Option<Shared> {
        NATIVE.get(usize::from(letter))?.as_ref().map(Shared::Known)
    }

    /// What an exporter claims. A text that is no format, or one of another size, is kept as text: the items can be
    /// moved and compared, and reading one says what is wrong.
    pub(crate) fn claimed(text: Option<&CStr>, itemsize: usize, dialect: impl FnOnce() -> Dialect) -> Shared {
        let Some(text) = text else {
            return if itemsize == 1 { Described::bytes() } else { Described::opaque(itemsize) };
        };
        if let [letter] = text.to_bytes() {
            if let Some(item) = Described::native(*letter).filter(|item| item.itemsize == itemsize) {
                return item;
            }
        }
        let dialect = dialect();
        // What was written so that it is misread is handed on so that it is not.
        let meant = text.to_str().ok().and_then(|text| match dialect {
            Dialect::NumPy => numpy_text::misread(text, itemsize),
            Dialect::Ctypes => ctypes_text::misread(text, itemsize),
            _ => None,
        });
        if let Some((text, format)) = meant {
            let text = CString::new(text).unwrap_or_default();
            let (format, codec) = (OnceLock::from(Ok(format)), OnceLock::new());
            return Described { text, itemsize, dialect, format, codec }.into();
        }
        let (format, codec) = (OnceLock::new(), OnceLock::new());
        Described { text: text.to_owned(), itemsize, dialect, format, codec }.into()
    }

    /// Items of a size and no format: what a consumer sees that asked for none.
    fn opaque(itemsize: usize) -> Shared {
        let text = format!("{itemsize}s");
        let format = Format::parse(&text).expect("so many bytes are a format");
        Described::with_format(&text, format)
    }

    /// A format that is known already, under the text it is to be shown by.
    pub(crate) fn with_format(text: &str, format: Format) -> Shared {
        Described::known(text, format).into()
    }

    fn known(text: &str, format: Format) -> Described {
        let text = CString::new(text).unwrap_or_default();
        let itemsize = format.itemsize();
        let format = OnceLock::from(Ok(format));
        let dialect = Dialect::Pep3118;
        Described { text, itemsize, dialect, format, codec: OnceLock::new() }
    }

    /// A format that somebody asks for by its text.
    ///
    /// # Errors
    ///
    /// `ValueError` with the place in the text.
    pub(crate) fn parse(text: &str) -> PyResult<Shared> {
        if let [letter] | [b'@', letter] = text.as_bytes() {
            if let Some(item) = Described::native(*letter) {
                return Ok(if text.len() == 1 {
                    item
                } else {
                    Described::with_format(text, item.format()?.clone())
                });
            }
        }
        Ok(Described::with_format(text, Format::parse(text).map_err(error::parse)?))
    }

    /// The text, as the exporter wrote it.
    pub(crate) fn text(&self) -> &CStr {
        &self.text
    }

    pub(crate) fn itemsize(&self) -> usize {
        self.itemsize
    }

    /// Whose rules the text was written by.
    pub(crate) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// What the text means.
    ///
    /// # Errors
    ///
    /// `NotImplementedError`, as memoryview raises for a format it cannot read, with the reason.
    pub(crate) fn format(&self) -> PyResult<&Format> {
        self.meaning().map_err(error::unreadable)
    }

    pub(crate) fn meaning(&self) -> Result<&Format, &str> {
        self.format.get_or_init(|| self.understand()).as_ref().map_err(String::as_str)
    }

    fn understand(&self) -> Result<Format, String> {
        let text = self.text.to_str().map_err(|_| "the format is no UTF-8".to_owned())?;
        let parse = |dialect| Format::parse_as(dialect, text);
        // Who wrote the text is a guess from the type of the exporter; its rules come first, ours second.
        let sized = |format: Format| format.with_itemsize(self.itemsize);
        let first = parse(self.dialect);
        if self.dialect == Dialect::Ctypes {
            // Nothing is added at the end: what is missing there may be missing in between.
            if let Some(format) = first.as_ref().ok().filter(|format| format.itemsize() == self.itemsize) {
                return Ok(format.clone());
            }
        } else if let Ok(Ok(format)) = first.clone().map(sized) {
            return Ok(format);
        }
        let others =
            [Dialect::Pep3118, Dialect::Struct].into_iter().filter_map(|dialect| parse(dialect).ok());
        let mut others = others.filter(|_| self.dialect != Dialect::Ctypes);
        if let Some(format) = others.find_map(|format| sized(format).ok()) {
            return Ok(format);
        }
        match first {
            Err(error) => Err(error.render()),
            Ok(format) => {
                let (is, claimed) = (format.itemsize(), self.itemsize);
                Err(format!(
                    "format '{text}' describes {is} bytes, and the exporter says an item has {claimed}"
                ))
            }
        }
    }

    /// How values are read and written.
    ///
    /// # Errors
    ///
    /// As [`Described::format`].
    pub(crate) fn codec(&self, py: Python<'_>) -> PyResult<&Codec> {
        if let Some(codec) = self.codec.get() {
            return Ok(codec);
        }
        let codec = Codec::new(py, self.format()?)?;
        Ok(self.codec.get_or_init(|| codec))
    }

    /// How two items that mean the same are compared.
    pub(crate) fn comparison(&self) -> Comparison {
        self.meaning().map_or(Comparison::Bytes, Comparison::of)
    }

    /// Whether references to objects are in the item; of a text that nobody understands, whether they may be.
    pub(crate) fn has_objects(&self) -> bool {
        match self.meaning() {
            Ok(format) => format.has_objects(),
            // Names stand between colons, codes everywhere else.
            Err(_) => {
                self.text.to_bytes().split(|&byte| byte == b':').step_by(2).any(|codes| codes.contains(&b'O'))
            }
        }
    }

    /// The text without the mark of native order, which is the default.
    fn plain_text(&self) -> &[u8] {
        let text = self.text.to_bytes();
        text.strip_prefix(b"@").unwrap_or(text)
    }

    /// Whether an item of one may be moved as bytes to where the other lies.
    pub(crate) fn means_same(&self, other: &Described) -> bool {
        if self.itemsize != other.itemsize {
            return false;
        }
        if std::ptr::eq(self, other) || self.plain_text() == other.plain_text() {
            return true;
        }
        matches!((self.meaning(), other.meaning()), (Ok(a), Ok(b)) if a == b)
    }
}

/// How two items of one meaning are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    /// Equal values have equal bytes and the reverse: whole numbers and bytes without padding.
    Bytes,
    /// Floats of this machine, 4 bytes each.
    Singles,
    /// The same, 8 bytes each.
    Doubles,
    /// As Python objects.
    Values,
}

impl Comparison {
    fn of(format: &Format) -> Comparison {
        if let Some(scalar) = format.as_scalar() {
            let native = scalar.byte_order() == ByteOrder::NATIVE;
            match (scalar.kind(), scalar.itemsize()) {
                (Kind::Float, 4) if native => return Comparison::Singles,
                (Kind::Float, 8) if native => return Comparison::Doubles,
                _ => {}
            }
        }
        if plain_bytes(format) == Some(format.itemsize()) { Comparison::Bytes } else { Comparison::Values }
    }
}

/// How many bytes of an item are values that differ where their bytes do; `None` where some are no such values.
fn plain_bytes(format: &Format) -> Option<usize> {
    match format.item() {
        Item::Scalar(scalar) => match scalar.kind() {
            Kind::Int | Kind::UInt | Kind::Char | Kind::Bytes | Kind::Void | Kind::Pointer => {
                Some(scalar.itemsize())
            }
            _ => None,
        },
        Item::Array(array) => Some(array.count() * plain_bytes(array.element())?),
        Item::Record(record) => record.fields().map(|field| plain_bytes(field.format())).sum(),
        _ => None,
    }
}
