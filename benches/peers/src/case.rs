//! The cases as the table `cases.json` holds them, and what they mean as numbers.
//!
//! A case names a dense source array and the steps from it to the view that is copied (`permute`, `slice`,
//! `broadcast`, as NumPy does them); the destination is dense in the shape of that view, or a part of a larger array
//! (`into`, `place`). A case with `rows` is a picture whose rows are separate, of which `crop` is made dense.

use std::fmt;

use extbuf_layout::{Layout, Order, SliceItem};
use extbuf_plugin::Change;
use serde::Deserialize;

/// One entry of the table.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its name, for ever.
    pub id: String,
    /// What kind of copy it is; targets are set for groups.
    pub group: String,
    /// Type of the items of the source.
    pub from: Type,
    /// Type of the items of the destination, where it is another.
    pub to: Option<Type>,
    /// True where the bytes of each item are swapped.
    #[serde(default)]
    pub swap: bool,
    /// Shape of the source array.
    #[serde(default)]
    pub source: Vec<usize>,
    /// From the source array to the view.
    #[serde(default)]
    pub view: Vec<Step>,
    /// Shape of the destination array, where the copy fills only a part of it.
    pub into: Option<Vec<usize>>,
    /// From the destination array to that part.
    #[serde(default)]
    pub place: Vec<Step>,
    /// Rows of a picture in row pointers.
    pub rows: Option<usize>,
    /// Its columns.
    #[serde(default)]
    pub columns: usize,
    /// First, end and step of the rows, then of the columns.
    #[serde(default)]
    pub crop: [usize; 6],
    /// True where its result is written column by column.
    #[serde(default)]
    pub transposed: bool,
    /// How its rows lie in memory.
    #[serde(default)]
    pub order: RowOrder,
}

/// A step from an array to a view of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// Axes in another order.
    Permute(Vec<usize>),
    /// As Python writes it between brackets.
    Slice(String),
    /// Repeated up to this shape.
    Broadcast(Vec<usize>),
}

/// How the rows of a picture follow each other in memory.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum RowOrder {
    /// Each behind the one before.
    #[default]
    Sequential,
    /// Anywhere.
    Shuffled,
}

/// What an item is, in NumPy's short names.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Type {
    /// `uint8`
    U1,
    /// `uint16`
    U2,
    /// `float32`
    F4,
    /// `float64`
    F8,
    /// `complex128`
    C16,
}

impl Type {
    /// Bytes of an item.
    pub fn size(self) -> usize {
        match self {
            Type::U1 => 1,
            Type::U2 => 2,
            Type::F4 => 4,
            Type::F8 => 8,
            Type::C16 => 16,
        }
    }
}

/// An array and a view of it: the elements of the array, where the view begins, and its strides, all counted in items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    /// Items of the array.
    pub length: usize,
    /// Item of the array at which the view has its index 0.
    pub offset: usize,
    /// One stride for each axis.
    pub strides: Vec<isize>,
}

/// A case as numbers.
#[derive(Clone, Debug)]
pub struct Case {
    /// The entry that it was made from.
    pub entry: Entry,
    /// What is done to each item.
    pub change: Change,
    /// Bytes of an item of the source.
    pub src_item: usize,
    /// Bytes of an item of the destination.
    pub dst_item: usize,
    /// Shape of both views.
    pub shape: Vec<usize>,
    /// The source, direct cases only; empty for pictures in row pointers.
    pub src: Side,
    /// The destination.
    pub dst: Side,
}

/// Why the table cannot be used.
#[derive(Debug)]
pub struct BadCase(String);

impl fmt::Display for BadCase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadCase {}

/// The table that lies in this package.
///
/// # Errors
///
/// Where an entry is not one.
pub fn table() -> Result<Vec<Case>, BadCase> {
    let entries: Vec<Entry> =
        serde_json::from_str(include_str!("../cases.json")).map_err(|error| BadCase(error.to_string()))?;
    entries.into_iter().map(Case::new).collect()
}

impl Case {
    fn new(entry: Entry) -> Result<Case, BadCase> {
        let to = entry.to.unwrap_or(entry.from);
        let change = match (entry.from, to) {
            (from, to) if from == to => [Change::Copy, Change::Swap][usize::from(entry.swap)],
            (Type::F8, Type::F4) => Change::F64ToF32,
            (Type::U1, Type::F4) => Change::U8ToF32,
            (from, to) => return Err(BadCase(format!("{}: {from:?} to {to:?}", entry.id))),
        };
        let (src_item, dst_item) = (entry.from.size(), to.size());
        let name = |error: String| BadCase(format!("{}: {error}", entry.id));
        let (shape, src, dst) = match entry.rows {
            Some(_) => {
                let shape = wanted(&entry);
                let (_, dst) = side(1, &shape, &[]).map_err(name)?;
                (shape, Side { length: 0, offset: 0, strides: Vec::new() }, dst)
            }
            None => {
                let (shape, src) = side(1, &entry.source, &entry.view).map_err(name)?;
                let (filled, dst) =
                    side(1, entry.into.as_ref().unwrap_or(&shape), &entry.place).map_err(name)?;
                if shape != filled {
                    return Err(name(format!("{shape:?} does not fit into {filled:?}")));
                }
                (shape, src, dst)
            }
        };
        Ok(Case { entry, change, src_item, dst_item, shape, src, dst })
    }

    /// Its name.
    pub fn id(&self) -> &str {
        &self.entry.id
    }

    /// Bytes that it writes.
    pub fn out_bytes(&self) -> usize {
        self.shape.iter().product::<usize>() * self.dst_item
    }

    /// True where the destination is one dense block in the order of the view.
    pub fn fills_all(&self) -> bool {
        self.entry.place.is_empty()
    }

    /// What it does, in a few words: `f4 4000 x 3000, permute 1 0`.
    pub fn words(&self) -> String {
        let Entry { from, to, swap, rows, columns, crop, .. } = &self.entry;
        let mut words = format!("{from:?}").to_lowercase();
        if let Some(to) = to {
            words += &format!(" to {to:?}").to_lowercase();
        }
        if *swap {
            words += " swapped";
        }
        if let Some(rows) = rows {
            let [r0, r1, rs, c0, c1, cs] = crop;
            words += &format!(" {rows} rows of {columns}: `[{r0}:{r1}:{rs}, {c0}:{c1}:{cs}]`");
            if self.entry.transposed {
                words += " turned";
            }
            if self.entry.order == RowOrder::Shuffled {
                words += ", shuffled";
            }
            return words;
        }
        words += &format!(" {}", by(&self.entry.source));
        for step in &self.entry.view {
            words += &format!(" {step}");
        }
        if let Some(into) = &self.entry.into {
            words += &format!(" into {}", by(into));
            for step in &self.entry.place {
                words += &format!(" {step}");
            }
        }
        words
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Permute(axes) => {
                f.write_str("T(")?;
                f.write_str(&axes.iter().map(usize::to_string).collect::<Vec<_>>().join(" "))?;
                f.write_str(")")
            }
            Step::Slice(text) => write!(f, "`[{text}]`"),
            Step::Broadcast(shape) => write!(f, "to {}", by(shape)),
        }
    }
}

/// `[2, 3]` as `2x3`; the many equal axes of the high ranks as `2^20`.
fn by(shape: &[usize]) -> String {
    match shape {
        [first, .., _] if shape.len() > 6 && shape.iter().all(|extent| extent == first) => {
            format!("{first}^{}", shape.len())
        }
        _ => shape.iter().map(usize::to_string).collect::<Vec<_>>().join("x"),
    }
}

/// Shape of what is wanted of a picture.
fn wanted(entry: &Entry) -> Vec<usize> {
    let [r0, r1, rs, c0, c1, cs] = entry.crop;
    let mut shape = vec![(r1 - r0).div_ceil(rs), (c1 - c0).div_ceil(cs)];
    if entry.transposed {
        shape.reverse();
    }
    shape
}

/// The shape of a view and where it lies, in items of `unit` bytes.
fn side(unit: usize, shape: &[usize], steps: &[Step]) -> Result<(Vec<usize>, Side), String> {
    let text = |error: extbuf_layout::LayoutError| error.to_string();
    let mut layout = Layout::contiguous(unit, shape, Order::C).map_err(text)?;
    let length = layout.len();
    for step in steps {
        layout = match step {
            Step::Permute(axes) => layout.permute(axes).map_err(text)?,
            Step::Slice(slice) => {
                let items = SliceItem::parse_list(slice).map_err(|error| error.to_string())?;
                layout.slice(items).map_err(text)?
            }
            Step::Broadcast(shape) => layout.broadcast_to(shape).map_err(text)?,
        };
    }
    layout.check_inside(length).map_err(text)?;
    let offset = usize::try_from(layout.offset(0)).map_err(|_| "begins before its array")?;
    Ok((layout.shape().to_vec(), Side { length, offset, strides: layout.strides(0).to_vec() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(id: &str) -> Case {
        table().unwrap().into_iter().find(|case| case.id() == id).unwrap()
    }

    #[test]
    fn every_entry_of_the_table_is_a_case_and_names_are_used_once() {
        let table = table().unwrap();
        assert!(table.len() >= 180);
        let mut names: Vec<_> = table.iter().map(Case::id).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), table.len());
    }

    #[test]
    fn a_reversed_axis_begins_at_its_end() {
        let case = case("flip_both_f8_128");
        assert_eq!(case.shape, [128, 200]);
        assert_eq!(case.src, Side { length: 25_600, offset: 25_599, strides: vec![-200, -1] });
        assert_eq!(case.dst, Side { length: 25_600, offset: 0, strides: vec![200, 1] });
    }

    #[test]
    fn a_paste_lies_inside_its_destination() {
        let case = case("paste_T_f4");
        assert_eq!(case.shape, [3000, 4000]);
        assert_eq!(case.src, Side { length: 12_000_000, offset: 0, strides: vec![1, 3000] });
        assert_eq!(case.dst, Side { length: 15_750_000, offset: 450_200, strides: vec![4500, 1] });
        assert!(!case.fills_all());
    }

    #[test]
    fn a_picture_in_rows_has_the_shape_of_its_crop() {
        let case = case("ind_step2_f4");
        assert_eq!(case.shape, [1080, 1920]);
        assert_eq!(case.out_bytes(), 1080 * 1920 * 4);
        assert_eq!(case.words(), "f4 2160 rows of 3840: `[0:2160:2, 0:3840:2]`");
    }

    #[test]
    fn words_say_the_steps() {
        assert_eq!(case("img_rot90_rgba_u1").words(), "u1 2160x3840x4 T(1 0 2) `[::-1, :, :]`");
    }
}
