//! A format compiled for repeated work: the tree is flattened once, and each record after that runs down a
//! list.
//!
//! Two lists are made. For [values](crate::Value) a program of [`Op`]s: blocks that hold the length of their
//! body, so that running it is a walk over a slice. For Rust types a [`Transcode`]: byte runs and swaps,
//! executed column by column over blocks of records, at the speed of memory.

use alloc::vec::Vec;

use bytemuck::checked::{CheckedBitPattern, try_pod_read_unaligned};
use bytemuck::{NoUninit, Pod, cast_slice, cast_slice_mut};

use crate::element::Element;
use crate::equiv::Dims;
use crate::fault::{FormatError, FormatErrorKind as K};
use crate::item::{Format, Item, MAX_DIMS};
use crate::number::{bfloat16_bits, read_uint};
use crate::pack::{no_bfloat16, whole, write_bits, write_scalar};
use crate::scalar::{Code, Mark, Scalar};
use crate::transcode::Transcode;
use crate::unpack::{part, read_bits, read_scalar};
use crate::value::Value;

/// Values, lists and tuples that an item may be made of: one for each byte and axis, and some to spare for
/// parts without bytes. More could only be repeats of nothing.
pub(crate) const fn most_values(itemsize: usize) -> usize {
    itemsize.saturating_mul(MAX_DIMS).saturating_add(1 << 16)
}

/// One step of the program that reads or writes an item.
#[derive(Clone, Debug)]
enum Op {
    /// One value at an offset.
    Scalar { offset: usize, size: usize, scalar: Scalar },
    /// One bit field.
    Bits { offset: usize, start: u8, scalar: Scalar },
    /// One value of a custom type, whose storage is the next op.
    Known { what: Known },
    /// A tuple of so many values; the next `body` ops make them.
    Tuple { values: usize, body: usize },
    /// A list of `count` values, `stride` bytes apart, each made by the next `body` ops.
    List { count: usize, stride: usize, body: usize },
    /// The same without a list around it: fields repeated in a record.
    Repeat { count: usize, stride: usize, body: usize },
}

/// What a name adds to its storage.
#[derive(Clone, Copy, Debug)]
enum Known {
    Bfloat16,
}

/// A compiled [`Format`].
///
/// ```
/// use extbuf_format::{Codec, Format};
///
/// let codec = Codec::new(&Format::parse("<hhq")?)?;
/// let bytes = [1, 0, 2, 0, 3, 0, 0, 0, 0, 0, 0, 0, 4, 0, 5, 0, 6, 0, 0, 0, 0, 0, 0, 0];
/// let values: Vec<String> = codec.iter_unpack(&bytes)?.map(|v| v.unwrap().to_string()).collect();
/// assert_eq!(values, ["(1, 2, 3)", "(4, 5, 6)"]);
///
/// // As Rust values, in this machine's byte order.
/// let shorts = Codec::new(&Format::parse(">h")?)?.read::<i16>(&[0, 1, 0xff, 0xff])?;
/// assert_eq!(shorts, [1, -1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Codec {
    format: Format,
    itemsize: usize,
    ops: Vec<Op>,
}

impl Codec {
    /// Compiles a format.
    ///
    /// # Errors
    ///
    /// [`TooManyValues`](K::TooManyValues) when an item holds more values than it can have bytes and axes for,
    /// as only repeats of items without bytes do.
    pub fn new(format: &Format) -> Result<Codec, FormatError> {
        let mut ops = Vec::new();
        let values = compile(format, 0, &mut ops);
        let itemsize = format.itemsize();
        if values > most_values(itemsize) {
            return Err(K::TooManyValues { count: values }.into());
        }
        Ok(Codec { format: format.clone(), itemsize, ops })
    }

    /// The format it was compiled from.
    #[must_use]
    pub fn format(&self) -> &Format {
        &self.format
    }

    /// Size of one item in bytes.
    #[must_use]
    pub fn itemsize(&self) -> usize {
        self.itemsize
    }

    /// The value of the item that starts at a byte offset.
    ///
    /// # Errors
    ///
    /// As [`Format::unpack_from`].
    pub fn unpack_from(&self, bytes: &[u8], offset: usize) -> Result<Value, FormatError> {
        self.unpack_item(part(bytes, offset, self.itemsize)?)
    }

    /// The values of items one after the other.
    ///
    /// # Errors
    ///
    /// [`Length`](K::Length) when the bytes are not a whole number of items, [`NoBytes`](K::NoBytes) when items have
    /// none.
    pub fn iter_unpack<'a>(&'a self, bytes: &'a [u8]) -> Result<IterUnpack<'a>, FormatError> {
        self.whole_items(bytes.len())?;
        Ok(IterUnpack { codec: self, items: bytes.chunks_exact(self.itemsize) })
    }

    /// Writes a value as the item that starts at a byte offset.
    ///
    /// # Errors
    ///
    /// As [`Format::pack`].
    pub fn pack_into(&self, value: &Value, bytes: &mut [u8], offset: usize) -> Result<(), FormatError> {
        let (needed, got) = (self.itemsize, bytes.len().saturating_sub(offset));
        let end = offset.checked_add(needed);
        let item = end.and_then(|end| bytes.get_mut(offset..end)).ok_or(K::Length { needed, got })?;
        let mut values = core::slice::from_ref(value).iter();
        whole(item, |aside| write(&self.ops, 0, &mut values, aside))
            // The program does not know names: the tree tells which field an error is about.
            .or_else(|_| self.format.pack(value, item))
    }

    /// The items as Rust values: value by value in order, byte order and offsets translated.
    ///
    /// # Errors
    ///
    /// [`Type`](K::Type), [`Size`](K::Size) or [`FieldCount`](K::FieldCount) when the values of the format
    /// are not those of `T`; [`Length`](K::Length) when the bytes are not a whole number of items;
    /// [`WrongValue`](K::WrongValue) when the bytes are no `T`, as 2 is no `bool`.
    pub fn read<T: Element>(&self, bytes: &[u8]) -> Result<Vec<T>, FormatError> {
        let count = self.whole_items(bytes.len())?;
        let plan = Transcode::new(&self.format, &T::FORMAT)?;
        let mut values = Vec::with_capacity(count);
        let size = size_of::<T>();
        if size == 0 {
            return Err(K::Length { needed: 1, got: 0 }.into());
        }
        // Through a block that stays in the cache, since a `T` may have padding that bytes must not be
        // written over.
        let block = (1 << 14) / size.max(1) + 1;
        let mut scratch = alloc::vec![0; block.min(count) * size];
        for items in bytes.chunks(block * self.itemsize) {
            let native = &mut scratch[..items.len() / self.itemsize * size];
            plan.run(items, native)?;
            for value in native.chunks_exact(size) {
                values.push(checked(value)?);
            }
        }
        Ok(values)
    }

    /// The items as Rust values, into memory that is there already. `T` has no padding.
    ///
    /// # Errors
    ///
    /// As [`Codec::read`]; [`Length`](K::Length) also when `values` is not as long as there are items.
    pub fn read_into<T: Element + Pod>(&self, bytes: &[u8], values: &mut [T]) -> Result<(), FormatError> {
        Transcode::new(&self.format, &T::FORMAT)?.run(bytes, cast_slice_mut(values))
    }

    /// Rust values as items; padding is set to zero.
    ///
    /// # Errors
    ///
    /// As [`Codec::read_into`].
    pub fn write<T: Element + NoUninit>(&self, values: &[T], bytes: &mut [u8]) -> Result<(), FormatError> {
        let plan = Transcode::new(&T::FORMAT, &self.format)?;
        if !plan.covers_target() {
            bytes.fill(0);
        }
        plan.run(cast_slice(values), bytes)
    }

    fn whole_items(&self, len: usize) -> Result<usize, FormatError> {
        match len.checked_rem(self.itemsize) {
            Some(0) => Ok(len / self.itemsize),
            Some(rest) => Err(K::Length { needed: len - rest + self.itemsize, got: len }.into()),
            None => Err(K::NoBytes { given: len }.into()),
        }
    }

    fn unpack_item(&self, item: &[u8]) -> Result<Value, FormatError> {
        let made = match self.ops.split_first() {
            // The commonest item, without a list of one around it.
            Some((&Op::Tuple { values, .. }, body)) => {
                let mut fields = Vec::with_capacity(values);
                read(body, 0, item, &mut fields).map(|()| Value::Tuple(fields))
            }
            _ => {
                let mut values = Vec::with_capacity(1);
                read(&self.ops, 0, item, &mut values)
                    .map(|()| values.pop().unwrap_or(Value::Tuple(Vec::new())))
            }
        };
        match made {
            Ok(value) => Ok(value),
            // The program does not know names: the tree tells which field the error is about.
            Err(error) => self.format.unpack(item).and(Err(error)),
        }
    }
}

fn checked<T: CheckedBitPattern>(bytes: &[u8]) -> Result<T, FormatError> {
    try_pod_read_unaligned(bytes)
        .map_err(|_| K::WrongValue { expected: "valid bits of the type", found: "others" }.into())
}

/// Iterator over the values of items. See [`Codec::iter_unpack`].
#[derive(Clone, Debug)]
pub struct IterUnpack<'a> {
    codec: &'a Codec,
    items: core::slice::ChunksExact<'a, u8>,
}

impl Iterator for IterUnpack<'_> {
    type Item = Result<Value, FormatError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.items.next().map(|item| self.codec.unpack_item(item))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.items.size_hint()
    }
}

impl ExactSizeIterator for IterUnpack<'_> {}

/// Appends the ops of a part; gives the number of values it makes.
fn compile(format: &Format, offset: usize, ops: &mut Vec<Op>) -> usize {
    match format.item() {
        Item::Scalar(scalar) => {
            ops.push(Op::Scalar { offset, size: scalar.itemsize(), scalar });
            1
        }
        Item::Pointer(_) | Item::Function(_) => {
            let scalar = Scalar::new(Code::VoidPointer, Mark::Unaligned);
            ops.push(Op::Scalar { offset, size: scalar.itemsize(), scalar });
            1
        }
        Item::Custom(custom) => {
            if custom.is_bfloat16() {
                ops.push(Op::Known { what: Known::Bfloat16 });
            }
            compile(&custom.storage, offset, ops)
        }
        Item::Array(array) => {
            let base = Dims::of(array).base();
            let mut strides: Vec<(usize, usize)> = Vec::new();
            let mut stride = base.itemsize();
            for count in Dims::of(array).collect::<Vec<_>>().into_iter().rev() {
                strides.push((count, stride));
                stride = stride.saturating_mul(count);
            }
            lists(&strides, base, offset, ops)
        }
        Item::Record(record) => {
            let at = ops.len();
            let fields = record.fields().size_hint().0;
            ops.push(Op::Tuple { values: fields, body: 0 });
            let mut values = 1usize;
            for run in record.runs() {
                match run.format.as_scalar() {
                    Some(scalar) if scalar.code() == Code::Bits => {
                        ops.push(Op::Bits { offset: offset + run.offset, start: run.bit_offset, scalar });
                        values = values.saturating_add(1);
                        continue;
                    }
                    _ => {}
                }
                let start = ops.len();
                if run.repeat > 1 {
                    ops.push(Op::Repeat { count: run.repeat, stride: run.format.itemsize(), body: 0 });
                }
                let each = compile(&run.format, offset + run.offset, ops);
                close(ops, start, run.repeat > 1);
                values = values.saturating_add(each.saturating_mul(run.repeat));
            }
            close(ops, at, true);
            values
        }
    }
}

/// Lists in lists, the outermost axis last in `axes`.
fn lists(axes: &[(usize, usize)], base: &Format, offset: usize, ops: &mut Vec<Op>) -> usize {
    let Some((&(count, stride), inner)) = axes.split_last() else { return compile(base, offset, ops) };
    let at = ops.len();
    ops.push(Op::List { count, stride, body: 0 });
    let each = lists(inner, base, offset, ops);
    close(ops, at, true);
    each.saturating_mul(count).saturating_add(1)
}

/// Everything after the op at `at` is its body.
fn close(ops: &mut [Op], at: usize, block: bool) {
    let length = ops.len() - at - 1;
    if let (true, Op::Tuple { body, .. } | Op::List { body, .. } | Op::Repeat { body, .. }) =
        (block, &mut ops[at])
    {
        *body = length;
    }
}

/// Runs the program over one item, its values appended to `out`. `base` is added to every offset.
fn read(ops: &[Op], base: usize, item: &[u8], out: &mut Vec<Value>) -> Result<(), FormatError> {
    let mut at = 0;
    while let Some(op) = ops.get(at) {
        at += 1;
        match *op {
            Op::Scalar { offset, size, scalar } => {
                let start = base + offset;
                out.push(read_scalar(scalar, &item[start..start + size])?);
            }
            Op::Bits { offset, start, scalar } => {
                out.push(Value::UInt(read_bits(&item[base + offset..], start, scalar)));
            }
            Op::Known { what: Known::Bfloat16 } => {
                if let Some(Op::Scalar { offset, size, scalar }) = ops.get(at) {
                    let bits = read_uint(&item[base + offset..base + offset + size], scalar.byte_order());
                    out.push(Value::Float(crate::number::read_bfloat16(bits)));
                }
                at += 1;
            }
            Op::Tuple { values, body } => {
                let mut inner = Vec::with_capacity(values);
                read(&ops[at..at + body], base, item, &mut inner)?;
                out.push(Value::Tuple(inner));
                at += body;
            }
            Op::List { count, stride, body } => {
                let mut inner = Vec::with_capacity(count);
                for i in 0..count {
                    read(&ops[at..at + body], base + i * stride, item, &mut inner)?;
                }
                out.push(Value::List(inner));
                at += body;
            }
            Op::Repeat { count, stride, body } => {
                for i in 0..count {
                    read(&ops[at..at + body], base + i * stride, item, out)?;
                }
                at += body;
            }
        }
    }
    Ok(())
}

type Values<'a> = core::slice::Iter<'a, Value>;

/// Runs the program the other way: values taken from the iterator, bytes written.
fn write(ops: &[Op], base: usize, values: &mut Values<'_>, item: &mut [u8]) -> Result<(), FormatError> {
    let missing = || FormatError::from(K::ValueCount { expected: 1, found: 0 });
    let mut at = 0;
    while let Some(op) = ops.get(at) {
        at += 1;
        match *op {
            Op::Scalar { offset, size, scalar } => {
                let value = values.next().ok_or_else(missing)?;
                write_scalar(scalar, value, &mut item[base + offset..base + offset + size])?;
            }
            Op::Bits { offset, start, scalar } => {
                write_bits(scalar, values.next().ok_or_else(missing)?, &mut item[base + offset..], start)?;
            }
            Op::Known { what: Known::Bfloat16 } => {
                let (Some(value @ Value::Float(number)), Some(Op::Scalar { offset, size, scalar })) =
                    (values.as_slice().first(), ops.get(at))
                else {
                    continue;
                };
                let bits = bfloat16_bits(*number).ok_or_else(|| no_bfloat16(value))?;
                let place = &mut item[base + offset..base + offset + size];
                crate::number::write_uint(place, scalar.byte_order(), bits);
                values.next();
                at += 1;
            }
            Op::Tuple { values: expected, body } | Op::List { count: expected, body, .. } => {
                let value = values.next().ok_or_else(missing)?;
                let (Value::Tuple(given) | Value::List(given)) = value else {
                    return Err(K::WrongValue { expected: "a tuple", found: value.name() }.into());
                };
                if given.len() != expected {
                    return Err(K::ValueCount { expected, found: given.len() }.into());
                }
                let mut inner = given.iter();
                let (count, stride) =
                    if let Op::List { count, stride, .. } = *op { (count, stride) } else { (1, 0) };
                for i in 0..count {
                    write(&ops[at..at + body], base + i * stride, &mut inner, item)?;
                }
                at += body;
            }
            Op::Repeat { count, stride, body } => {
                for i in 0..count {
                    write(&ops[at..at + body], base + i * stride, values, item)?;
                }
                at += body;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bfloat16_is_a_number() {
        let codec = Codec::new(&Format::parse(">[bfloat16]").unwrap()).unwrap();
        assert_eq!(codec.unpack_from(&[0x3f, 0x80], 0).unwrap(), Value::Float(1.0));
        let mut bytes = [0; 2];
        codec.pack_into(&Value::Float(-2.0), &mut bytes, 0).unwrap();
        assert_eq!(bytes, [0xc0, 0]);
    }
}
