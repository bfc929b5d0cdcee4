//! From the bytes of one format to the bytes of another with the same values: a few byte runs and swaps,
//! found once, executed over any number of records.
//!
//! Both trees are flattened to *pieces*: so many units of one width and kind at an offset. Walking the two
//! lists side by side gives steps; neighbouring steps that are neighbours in memory on both sides become
//! one. What is left of `<hhqd` into a C struct is two steps: copy 4 bytes, copy 16 bytes. Each step runs
//! down a block of records before the next one starts, so that its width is a constant of the loop.

use alloc::vec::Vec;

use crate::equiv::Dims;
use crate::fault::{FormatError, FormatErrorKind as K};
use crate::item::{Format, Item};
use crate::matching::kind_name;
use crate::scalar::{ByteOrder, Code, Kind, Scalar};

/// The most pieces that one item is taken apart into.
const MOST_PIECES: usize = 1 << 16;

/// Units of one width, one after the other, of one kind.
#[derive(Clone, Copy, Debug)]
struct Piece {
    offset: usize,
    count: usize,
    width: usize,
    kind: Kind,
    order: ByteOrder,
}

/// One movement, the same for every record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// `len` bytes as they are.
    Copy { from: usize, to: usize, len: usize },
    /// `count` units of `width` bytes, each turned around.
    Swap { from: usize, to: usize, width: usize, count: usize },
}

/// The plan of a conversion between two formats that hold the same values in the same order, in other byte
/// orders or at other offsets.
///
/// ```
/// use extbuf_format::{Format, Transcode};
///
/// let plan = Transcode::new(&Format::parse(">hB")?, &Format::parse("<T{hx B}")?)?;
/// let mut bytes = [0; 8];
/// plan.run(&[1, 2, 3, 4, 5, 6], &mut bytes)?;
/// assert_eq!(bytes, [2, 1, 0, 3, 5, 4, 0, 6]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transcode {
    steps: Vec<Step>,
    from: usize,
    to: usize,
}

impl Transcode {
    /// Plans the way from one format to another.
    ///
    /// # Errors
    ///
    /// [`Type`](K::Type) or [`Size`](K::Size) where a value differs in kind or width,
    /// [`FieldCount`](K::FieldCount) where one side has more values, [`NoValue`](K::NoValue) at objects,
    /// addresses and bit fields, [`TooManyValues`](K::TooManyValues) for arrays of records too long to
    /// take apart.
    pub fn new(from: &Format, to: &Format) -> Result<Transcode, FormatError> {
        let (mut left, mut right) = (Vec::new(), Vec::new());
        flatten(from, 0, &mut left)?;
        flatten(to, 0, &mut right)?;
        let steps = steps(&left, &right)?;
        Ok(Transcode { steps, from: from.itemsize(), to: to.itemsize() })
    }

    /// Converts whole records. What lies between the fields of the target is left as it is.
    ///
    /// # Errors
    ///
    /// [`Length`](K::Length) when either side is not a whole number of records, or not the same number.
    pub fn run(&self, from: &[u8], to: &mut [u8]) -> Result<(), FormatError> {
        let count = from.len().checked_div(self.from).unwrap_or(0);
        if from.len() != count * self.from {
            return Err(K::Length { needed: (count + 1) * self.from, got: from.len() }.into());
        }
        if to.len() != count * self.to {
            return Err(K::Length { needed: count.saturating_mul(self.to), got: to.len() }.into());
        }
        if count == 0 || self.steps.is_empty() {
            return Ok(());
        }
        if self.from == self.to && self.steps == [(Step::Copy { from: 0, to: 0, len: self.from })] {
            to.copy_from_slice(from);
            return Ok(());
        }
        let block = ((1 << 13) / self.from.max(self.to)).max(1);
        for (from, to) in from.chunks(block * self.from).zip(to.chunks_mut(block * self.to)) {
            for &step in &self.steps {
                self.step(step, from, to);
            }
        }
        Ok(())
    }

    /// Whether every byte of the target is written.
    pub(crate) fn covers_target(&self) -> bool {
        let written = self.steps.iter().map(|step| match *step {
            Step::Copy { len, .. } => len,
            Step::Swap { width, count, .. } => width * count,
        });
        written.sum::<usize>() == self.to
    }

    fn step(&self, step: Step, from: &[u8], to: &mut [u8]) {
        match step {
            Step::Copy { from: f, to: t, len } => match len {
                1 => self.copy::<1>(f, t, from, to),
                2 => self.copy::<2>(f, t, from, to),
                4 => self.copy::<4>(f, t, from, to),
                8 => self.copy::<8>(f, t, from, to),
                12 => self.copy::<12>(f, t, from, to),
                16 => self.copy::<16>(f, t, from, to),
                _ => self.each(from, to, |from, to| to[t..t + len].copy_from_slice(&from[f..f + len])),
            },
            Step::Swap { from: f, to: t, width, count } => match width {
                2 => self.swap::<2>(f, t, count, from, to),
                4 => self.swap::<4>(f, t, count, from, to),
                8 => self.swap::<8>(f, t, count, from, to),
                // Long doubles alone are wider, and are refused where they would be turned around.
                _ => unreachable!("a unit of {width} bytes is turned around"),
            },
        }
    }

    fn copy<const N: usize>(&self, f: usize, t: usize, from: &[u8], to: &mut [u8]) {
        self.each(from, to, |from, to| to[t..t + N].copy_from_slice(&from[f..f + N]));
    }

    fn swap<const N: usize>(&self, f: usize, t: usize, count: usize, from: &[u8], to: &mut [u8]) {
        let one = |from: &[u8], to: &mut [u8]| turn::<N>(&from[f..f + N], &mut to[t..t + N]);
        if count == 1 {
            return self.each(from, to, one);
        }
        if count == 2 {
            return self.each(from, to, |from, to| {
                let (from, to) = (&from[f..f + 2 * N], &mut to[t..t + 2 * N]);
                turn::<N>(&from[..N], &mut to[..N]);
                turn::<N>(&from[N..], &mut to[N..]);
            });
        }
        self.each(from, to, |from, to| {
            let units = from[f..f + N * count].chunks_exact(N).zip(to[t..t + N * count].chunks_exact_mut(N));
            units.for_each(|(from, to)| turn::<N>(from, to));
        });
    }

    #[inline(always)]
    fn each(&self, from: &[u8], to: &mut [u8], work: impl Fn(&[u8], &mut [u8])) {
        from.chunks_exact(self.from).zip(to.chunks_exact_mut(self.to)).for_each(|(from, to)| work(from, to));
    }
}

/// One unit turned around, in one instruction where the machine has one for the width.
#[inline(always)]
fn turn<const N: usize>(from: &[u8], to: &mut [u8]) {
    macro_rules! swap {
        ($number:ty) => {
            if let (Some(&unit), Some(place)) = (from.first_chunk(), to.first_chunk_mut()) {
                *place = <$number>::from_ne_bytes(unit).swap_bytes().to_ne_bytes();
            }
        };
    }
    match N {
        2 => swap!(u16),
        4 => swap!(u32),
        8 => swap!(u64),
        _ => unreachable!("a unit of {N} bytes is turned around"),
    }
}

/// The pieces of a format in order of offset.
fn flatten(format: &Format, offset: usize, out: &mut Vec<Piece>) -> Result<(), FormatError> {
    if out.len() > MOST_PIECES {
        return Err(K::TooManyValues { count: out.len() }.into());
    }
    match format.item() {
        Item::Scalar(scalar) => repeat(scalar, offset, 1, out),
        Item::Array(array) => {
            let base = Dims::of(array).base();
            let count = Dims::of(array).fold(1, usize::saturating_mul);
            elements(base, offset, count, out)
        }
        Item::Record(record) => record
            .runs()
            .iter()
            .try_for_each(|run| elements(&run.format, offset + run.offset, run.repeat, out)),
        Item::Custom(custom) => flatten(&custom.storage, offset, out),
        Item::Pointer(_) | Item::Function(_) => Err(K::NoValue { code: "&" }.into()),
    }
}

fn elements(format: &Format, offset: usize, count: usize, out: &mut Vec<Piece>) -> Result<(), FormatError> {
    if count == 0 || format.itemsize() == 0 {
        return Ok(());
    }
    if let Some(scalar) = format.as_scalar() {
        return repeat(scalar, offset, count, out);
    }
    (0..count).try_for_each(|i| flatten(format, offset + i * format.itemsize(), out))
}

fn repeat(scalar: Scalar, offset: usize, count: usize, out: &mut Vec<Piece>) -> Result<(), FormatError> {
    match scalar.kind() {
        Kind::Object | Kind::Bits | Kind::Pointer | Kind::CharPointer | Kind::WidePointer => {
            return Err(K::NoValue { code: scalar.code().as_str() }.into());
        }
        _ => {}
    }
    let width = scalar.swap_width();
    let count = count * (scalar.itemsize() / width);
    // Long doubles have padding inside that no reversal respects.
    if matches!(scalar.code(), Code::LongDouble | Code::ComplexLongDouble) && scalar.is_swapped() {
        return Err(K::NoValue { code: scalar.code().as_str() }.into());
    }
    if count > 0 {
        let order = if width == 1 { ByteOrder::NATIVE } else { scalar.byte_order() };
        out.push(Piece { offset, count, width, kind: scalar.kind(), order });
    }
    Ok(())
}

/// The two lists side by side, as few steps as possible.
fn steps(left: &[Piece], right: &[Piece]) -> Result<Vec<Step>, FormatError> {
    let total = |pieces: &[Piece]| pieces.iter().fold(0usize, |sum, p| sum.saturating_add(p.count));
    if total(left) != total(right) {
        return Err(K::FieldCount { format: total(left), rust: total(right) }.into());
    }
    let (mut left, mut right) = (left.iter().copied(), right.iter().copied());
    let (mut a, mut b) = (left.next(), right.next());
    let mut steps = Vec::new();
    while let (Some(x), Some(y)) = (&mut a, &mut b) {
        if x.kind != y.kind {
            return Err(K::Type { format: kind_name(x.kind), rust: kind_name(y.kind) }.into());
        }
        if x.width != y.width {
            return Err(K::Size { format: x.width, rust: y.width }.into());
        }
        let count = x.count.min(y.count);
        push(&mut steps, x, y, count);
        for piece in [&mut *x, &mut *y] {
            piece.count -= count;
            piece.offset += count * piece.width;
        }
        if x.count == 0 {
            a = left.next();
        }
        if b.is_some_and(|y| y.count == 0) {
            b = right.next();
        }
    }
    Ok(steps)
}

fn push(steps: &mut Vec<Step>, x: &Piece, y: &Piece, more: usize) {
    let bytes = more * x.width;
    if x.order == y.order {
        if let Some(Step::Copy { from, to, len }) = steps.last_mut() {
            if *from + *len == x.offset && *to + *len == y.offset {
                *len += bytes;
                return;
            }
        }
        steps.push(Step::Copy { from: x.offset, to: y.offset, len: bytes });
    } else {
        if let Some(Step::Swap { from, to, width, count }) = steps.last_mut() {
            let length = *width * *count;
            if *width == x.width && *from + length == x.offset && *to + length == y.offset {
                *count += more;
                return;
            }
        }
        steps.push(Step::Swap { from: x.offset, to: y.offset, width: x.width, count: more });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(from: &str, to: &str) -> Vec<Step> {
        Transcode::new(&Format::parse(from).unwrap(), &Format::parse(to).unwrap()).unwrap().steps
    }

    #[test]
    fn neighbours_on_both_sides_are_one_step() {
        assert_eq!(plan("<hhqd", "<hhqd"), [Step::Copy { from: 0, to: 0, len: 20 }]);
        let aligned = [Step::Copy { from: 0, to: 0, len: 4 }, Step::Copy { from: 4, to: 8, len: 16 }];
        assert_eq!(plan("<hhqd", "<hh4xqd"), aligned);
        let swapped = [
            Step::Swap { from: 0, to: 0, width: 2, count: 2 },
            Step::Swap { from: 4, to: 4, width: 8, count: 1 },
        ];
        assert_eq!(plan(">hhq", "<hhq"), swapped);
        // The byte of one record and the short of the next lie together on both sides.
        let gaps = [
            Step::Copy { from: 0, to: 0, len: 2 },
            Step::Copy { from: 2, to: 3, len: 3 },
            Step::Copy { from: 5, to: 7, len: 1 },
        ];
        assert_eq!(plan("<2T{hB}", "<2T{hxB}"), gaps);
        assert_eq!(plan(">Zd", "<Zd"), [Step::Swap { from: 0, to: 0, width: 8, count: 2 }]);
        assert_eq!(plan(">3w", "<3w"), [Step::Swap { from: 0, to: 0, width: 4, count: 3 }]);
    }
}
