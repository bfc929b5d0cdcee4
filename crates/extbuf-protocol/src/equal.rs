//! Equality of views by the values of their items, whatever their layouts and formats.
//!
//! The rules are those of Python's `memoryview`: shapes must be equal, and items are compared as the values that they
//! are. So `1` of format `b`, `1` of format `>q`, `1.0` of format `d` and `True` of format `?` are equal; a
//! not-a-number equals nothing, and `-0.0` equals `0.0`. Integers and floats are compared exactly, never rounded to meet
//! each other. Padding is no value.
//!
//! Values of the same format in which equal bytes and equal values are the same thing, which integers are and floats are
//! not, are compared as bytes.
// Items are looked at here, of both kinds of memory.
#![allow(unsafe_code)]

use alloc::vec::Vec;

use extbuf_format::{Element, Format, Item, Kind, Value};

use crate::iter::Values;
use crate::iter::walk::Walk;
use crate::refusal::Refusal;
use crate::sharing::Sharing;
use crate::typed::{TypedView, Unaligned};
use crate::view::View;
use crate::view::raw::RawView;

impl<S: Sharing> View<'_, S> {
    /// Whether two views have the same shape and items of equal value at every index, whatever their layouts and formats.
    ///
    /// `==` does the same, and is false where this errs.
    ///
    /// ```
    /// use extbuf_protocol::View;
    /// let integers = View::from_slice(&[1i8, 2, 3]);
    /// let floats = View::from_slice(&[3.0f64, 2.0, 1.0]);
    /// assert!(!integers.equal_values(&floats)?);
    /// assert!(integers.equal_values(&floats.reverse_axis(0)?)?);
    /// # Ok::<(), extbuf_protocol::Refusal>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`RefusalKind::Format`](crate::RefusalKind::Format) where an item that is to be compared has no value: a reference
    /// to an object, text that is none.
    pub fn equal_values<R: Sharing>(&self, other: &View<'_, R>) -> Result<bool, Refusal> {
        if self.shape() != other.shape() {
            return Ok(false);
        }
        let same_format = self.format() == other.format();
        if S::FROZEN && R::FROZEN && same_format {
            if is_exact(self.format()) {
                return Ok(equal_bytes(self.raw(), other.raw()));
            }
            for compare in [equal_as::<f64>, equal_as::<f32>] {
                if let Some(equal) = compare(self.raw(), other.raw()) {
                    return Ok(equal);
                }
            }
        }
        let (mut a, mut b) = (Reader::new::<S>(self.raw()), Reader::new::<R>(other.raw()));
        loop {
            match (a.next::<S>()?, b.next::<R>()?) {
                (Some(a), Some(b)) if equal(&a, &b) => {}
                (None, None) => return Ok(true),
                _ => return Ok(false),
            }
        }
    }
}

/// Equal by value: [`equal_values`](View::equal_values), and false where that errs. Not an equivalence, as a not-a-number
/// equals nothing.
impl<S: Sharing, R: Sharing> PartialEq<View<'_, R>> for View<'_, S> {
    fn eq(&self, other: &View<'_, R>) -> bool {
        self.equal_values(other).unwrap_or(false)
    }
}

/// Equal shapes, and equal items at every index.
impl<T: Element + PartialEq<U>, U: Element> PartialEq<TypedView<'_, U>> for TypedView<'_, T> {
    fn eq(&self, other: &TypedView<'_, U>) -> bool {
        self.shape() == other.shape() && self.iter().zip(other.iter()).all(|(a, b)| a == b)
    }
}

/// Whether two items of the format are equal if and only if all their bytes are.
fn is_exact(format: &Format) -> bool {
    match format.item() {
        Item::Scalar(scalar) => {
            matches!(scalar.kind(), Kind::Int | Kind::UInt | Kind::Char | Kind::Bytes | Kind::Void)
        }
        Item::Array(array) => is_exact(array.element()),
        Item::Record(record) => {
            // Every byte belongs to a field, each field is exact.
            let mut end = 0;
            record.runs().iter().all(|run| {
                let starts = run.offset() == end && run.bit_offset() == 0;
                end = run.offset() + run.repeat() * run.format().itemsize();
                starts && is_exact(run.format())
            }) && end == format.itemsize()
        }
        _ => false,
    }
}

/// All bytes of all items, for frozen memory and items of one size.
fn equal_bytes(a: &RawView<'_>, b: &RawView<'_>) -> bool {
    fn by<T: Copy + PartialEq>(a: &RawView<'_>, b: &RawView<'_>) -> bool {
        // SAFETY: V1 to V5 of the views; their items have as many bytes as a `T`, which may be any and lie anywhere.
        let a: Values<'_, T> = unsafe { Values::new(Walk::new(a)) };
        // SAFETY: as above.
        let mut b: Values<'_, T> = unsafe { Values::new(Walk::new(b)) };
        let mut all = a;
        all.all(|a| b.next() == Some(a))
    }
    let ((walk_a, len_a), (walk_b, len_b)) = (crate::iter::runs(a), crate::iter::runs(b));
    let itemsize = a.layout.itemsize();
    if len_a == len_b && len_a > 1 {
        // SAFETY: V1 to V5 of the view; so many items lie side by side at each address, any bytes are `u8`s.
        let a = unsafe { crate::iter::Slices::<'_, u8>::new(walk_a, len_a * itemsize) };
        // SAFETY: as above.
        let b = unsafe { crate::iter::Slices::<'_, u8>::new(walk_b, len_b * itemsize) };
        return a.eq(b);
    }
    match itemsize {
        1 => by::<u8>(a, b),
        2 => by::<Unaligned<u16>>(a, b),
        4 => by::<Unaligned<u32>>(a, b),
        8 => by::<Unaligned<u64>>(a, b),
        16 => by::<Unaligned<u128>>(a, b),
        _ => {
            // SAFETY: V1 to V5 of the view; any bytes are `u8`s.
            let a = unsafe { crate::iter::Slices::<'_, u8>::new(Walk::new(a), itemsize) };
            // SAFETY: as above.
            let b = unsafe { crate::iter::Slices::<'_, u8>::new(Walk::new(b), itemsize) };
            a.eq(b)
        }
    }
}

/// The items as `T`s, if they are; for frozen memory and items of one format.
fn equal_as<T: Element + PartialEq>(a: &RawView<'_>, b: &RawView<'_>) -> Option<bool> {
    if a.format.matches::<T>().is_err() {
        return None;
    }
    // SAFETY: V1 to V5 of the view; T1, T3: the format says so, and it is that of a type with any bytes; T2: unaligned.
    let mut a: Values<'_, Unaligned<T>> = unsafe { Values::new(Walk::new(a)) };
    // SAFETY: as above, the formats are equal.
    let mut b: Values<'_, Unaligned<T>> = unsafe { Values::new(Walk::new(b)) };
    Some(a.all(|a| b.next().is_some_and(|b| a == b)))
}

/// The values of a view, one after another.
struct Reader<'a> {
    walk: Walk<'a>,
    format: &'a Format,
    /// One item of foreign memory.
    copy: Vec<u8>,
    itemsize: usize,
}

impl<'a> Reader<'a> {
    fn new<S: Sharing>(raw: &'a RawView<'_>) -> Reader<'a> {
        let itemsize = raw.layout.itemsize();
        let copy = alloc::vec![0; if S::FROZEN { 0 } else { itemsize }];
        Reader { walk: Walk::new(raw), format: &raw.format, copy, itemsize }
    }

    fn next<S: Sharing>(&mut self) -> Result<Option<Value>, Refusal> {
        let Some(at) = self.walk.next() else { return Ok(None) };
        let bytes: &[u8] = if self.itemsize == 0 {
            &[]
        } else if S::FROZEN {
            // SAFETY: V1, V2: an item of pinned memory; V5: initialised and not written meanwhile.
            unsafe { core::slice::from_raw_parts(at, self.itemsize) }
        } else {
            for (k, byte) in self.copy.iter_mut().enumerate() {
                // SAFETY: V1, V2: a byte of an item in pinned memory; V5: initialised. Others may write it meanwhile, and
                // not from Rust: volatile, so that it is read once.
                *byte = unsafe { at.wrapping_add(k).read_volatile() };
            }
            &self.copy
        };
        Ok(Some(self.format.unpack(bytes)?))
    }
}

/// A number, or what is none.
enum Number {
    Int(i128),
    Float(f64),
    Complex(f64, f64),
}

fn number(value: &Value) -> Option<Number> {
    Some(match *value {
        Value::Bool(set) => Number::Int(set.into()),
        Value::Int(n) => Number::Int(n.into()),
        Value::UInt(n) | Value::Address(n) => Number::Int(n.into()),
        Value::Float(x) => Number::Float(x),
        Value::Complex(re, im) => Number::Complex(re, im),
        _ => return None,
    })
}

/// Whether two values are equal as Python has it.
fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Bytes(a), Value::Bytes(b)) => a == b,
        (Value::Text(a), Value::Text(b)) => a == b,
        (Value::List(a), Value::List(b)) | (Value::Tuple(a), Value::Tuple(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b))
        }
        _ => match (number(a), number(b)) {
            (Some(a), Some(b)) => equal_numbers(&a, &b),
            _ => false,
        },
    }
}

fn equal_numbers(a: &Number, b: &Number) -> bool {
    use Number::{Complex, Float, Int};
    match (a, b) {
        (Int(a), Int(b)) => a == b,
        (Float(a), Float(b)) => a == b,
        // Exact: no integer of an item is so large that `i128` would saturate, and a fraction is lost in neither.
        (Int(n), Float(x)) | (Float(x), Int(n)) => *x as i128 == *n && (*x as i128) as f64 == *x,
        (Complex(re, im), Complex(re2, im2)) => re == re2 && im == im2,
        (Complex(re, im), real) | (real, Complex(re, im)) => *im == 0.0 && equal_numbers(&Float(*re), real),
    }
}
