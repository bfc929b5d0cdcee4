//! Columns: how wide the values of one kind are, and where their points stand.
//!
//! A column is made from all values that it shows, then writes each of them to the same width. Floats have as few digits
//! as tell them apart from their neighbours of the same width in bits; where the largest and the smallest lie far apart,
//! all are written with exponents.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use extbuf_format::{Code, Format, Item, Kind, Value};

pub(super) enum Column {
    /// Each as long as it is.
    Plain,
    /// Right-aligned.
    Right(usize),
    Float(Floats),
    Complex(Floats, Floats),
    /// One for each field of a record.
    Fields(Vec<Column>),
    /// One for all elements of an array.
    Elements(Box<Column>),
}

impl Column {
    pub(super) fn of(format: &Format, values: &[&Value], precision: usize) -> Column {
        let Some(first) = values.first() else { return Column::Plain };
        match first {
            Value::Int(_) | Value::UInt(_) => {
                Column::Right(values.iter().map(|value| value.to_string().len()).max().unwrap_or(0))
            }
            Value::Bool(_) => Column::Right(5),
            Value::Float(_) => {
                let numbers = values.iter().filter_map(|value| match value {
                    Value::Float(x) => Some(*x),
                    _ => None,
                });
                Column::Float(Floats::of(Bits::of(format), numbers, precision, false))
            }
            Value::Complex(..) => {
                let part = |imaginary: bool| {
                    let numbers = values.iter().filter_map(|value| match value {
                        Value::Complex(re, im) => Some(if imaginary { *im } else { *re }),
                        _ => None,
                    });
                    Floats::of(Bits::of(format), numbers, precision, imaginary)
                };
                Column::Complex(part(false), part(true))
            }
            Value::Tuple(fields) => {
                let mut formats = format.fields();
                let columns = (0..fields.len()).map(|k| {
                    let format = formats.next().map_or(format, |field| field.format());
                    let inside = values.iter().filter_map(|value| match value {
                        Value::Tuple(fields) => fields.get(k),
                        _ => None,
                    });
                    Column::of(format, &inside.collect::<Vec<_>>(), precision)
                });
                Column::Fields(columns.collect())
            }
            Value::List(_) => {
                let mut element = format;
                while let Item::Array(array) = element.item() {
                    element = array.element();
                }
                let mut leaves = Vec::new();
                values.iter().for_each(|value| flatten(value, &mut leaves));
                Column::Elements(Box::new(Column::of(element, &leaves, precision)))
            }
            _ => Column::Plain,
        }
    }

    pub(super) fn word(&self, value: &Value) -> String {
        match (self, value) {
            (Column::Right(width), value) => format!("{:>width$}", value.to_string()),
            (Column::Float(floats), Value::Float(x)) => floats.word(*x),
            (Column::Complex(re, im), Value::Complex(x, y)) => {
                let imaginary = im.word(*y);
                let end = imaginary.trim_end().len();
                format!("{}{}j{}", re.word(*x), &imaginary[..end], &imaginary[end..])
            }
            (Column::Fields(columns), Value::Tuple(fields)) => {
                let words: Vec<String> =
                    columns.iter().zip(fields).map(|(column, field)| column.word(field)).collect();
                format!("({}{})", words.join(", "), if words.len() == 1 { "," } else { "" })
            }
            (Column::Elements(column), Value::List(values)) => {
                let words: Vec<String> = values.iter().map(|value| self.element(column, value)).collect();
                format!("[{}]", words.join(", "))
            }
            (_, value) => value.to_string(),
        }
    }

    /// An element of an array, or a row of it.
    fn element(&self, column: &Column, value: &Value) -> String {
        match value {
            Value::List(_) => self.word(value),
            value => column.word(value),
        }
    }
}

fn flatten<'v>(value: &'v Value, leaves: &mut Vec<&'v Value>) {
    match value {
        Value::List(values) => values.iter().for_each(|value| flatten(value, leaves)),
        value => leaves.push(value),
    }
}

/// The width of a float in memory: what tells it apart from its neighbours.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bits {
    Half,
    BFloat,
    Single,
    Double,
}

impl Bits {
    fn of(format: &Format) -> Bits {
        match format.item() {
            Item::Scalar(scalar) => match (scalar.kind(), scalar.code(), scalar.itemsize()) {
                (_, Code::Half, _) => Bits::Half,
                (Kind::Float, _, 4) | (Kind::Complex, _, 8) => Bits::Single,
                _ => Bits::Double,
            },
            Item::Custom(custom) if custom.name() == "bfloat16" => Bits::BFloat,
            _ => Bits::Double,
        }
    }

    /// From here on exponents are easier to read than digits that mean nothing.
    fn large(self) -> f64 {
        match self {
            Bits::Half | Bits::BFloat => 1e3,
            Bits::Single => 1e6,
            Bits::Double => 1e8,
        }
    }

    /// The shortest decimal that is read back as the same number: `digits` and `e` and the exponent.
    fn shortest(self, x: f64) -> String {
        match self {
            Bits::Single => format!("{:e}", x as f32),
            Bits::Double => format!("{x:e}"),
            Bits::Half => shortest_of(x, 10, -14),
            Bits::BFloat => shortest_of(x, 7, -126),
        }
    }
}

/// The shortest decimal nearer to a number than half the way to its neighbours, for floats of `mantissa` bits.
fn shortest_of(x: f64, mantissa: i32, least: i32) -> String {
    if x == 0.0 {
        return format!("{x:e}");
    }
    // The exponent of a double that holds a narrower float exactly: never subnormal itself.
    let exponent = ((x.to_bits() >> 52 & 0x7ff) as i32 - 1023).max(least);
    let step = power_of_two(exponent - mantissa);
    // Below a power of two the neighbours lie closer.
    let closer = if x.to_bits() << 12 == 0 && exponent > least { step / 4.0 } else { step / 2.0 };
    for digits in 0..16 {
        let text = format!("{x:.digits$e}");
        let Ok(near) = text.parse::<f64>() else { break };
        let room = if near.abs() < x.abs() { closer } else { step / 2.0 };
        if (near - x).abs() < room {
            return format!("{near:e}");
        }
    }
    format!("{x:e}")
}

/// 2 to an exponent that a normal double has.
fn power_of_two(exponent: i32) -> f64 {
    f64::from_bits(((exponent + 1023) as u64) << 52)
}

/// A column of floats.
pub(super) struct Floats {
    bits: Bits,
    /// Digits after the point at most; with exponents exactly so many.
    precision: usize,
    /// Characters before the point, and after it (of the exponent too).
    before: usize,
    after: usize,
    /// Digits of the exponent.
    exponent: Option<usize>,
    /// Positive ones have a `+`.
    signed: bool,
}

impl Floats {
    fn of(bits: Bits, numbers: impl Iterator<Item = f64> + Clone, precision: usize, signed: bool) -> Floats {
        let finite = numbers.clone().filter(|x| x.is_finite());
        let sizes = finite.clone().map(f64::abs).filter(|&x| x != 0.0);
        let (least, most) = sizes.fold((f64::INFINITY, 0.0f64), |(a, b), x| (a.min(x), b.max(x)));
        let far = most > 0.0 && (most >= bits.large() || least < 1e-4 || most / least > 1000.0);
        let mut floats = Floats { bits, precision, before: 0, after: 0, exponent: None, signed };
        if far {
            let (mut fraction, mut digits) = (0, 2);
            for x in finite.clone() {
                let (mantissa, exponent) = floats.scientific(x);
                let point = mantissa.find('.').unwrap_or(mantissa.len());
                floats.before = floats.before.max(point);
                fraction = fraction.max((mantissa.len() - point).saturating_sub(1));
                digits = digits.max(exponent.unsigned_abs().to_string().len());
            }
            floats.precision = fraction;
            floats.exponent = Some(digits);
            floats.after = fraction + 2 + digits;
        } else {
            for x in finite.clone() {
                let text = floats.positional(x);
                let point = text.find('.').unwrap_or(text.len());
                floats.before = floats.before.max(point);
                floats.after = floats.after.max(text.len() - point - 1);
            }
        }
        for x in numbers.filter(|x| !x.is_finite()) {
            floats.before = floats.before.max(odd(x, signed).len().saturating_sub(floats.after + 1));
        }
        floats
    }

    fn word(&self, x: f64) -> String {
        let width = self.before + 1 + self.after;
        if !x.is_finite() {
            return format!("{:>width$}", odd(x, self.signed));
        }
        let text = match self.exponent {
            None => self.positional(x),
            Some(digits) => {
                let (mantissa, exponent) = self.scientific(x);
                let (whole, fraction) = mantissa.split_once('.').unwrap_or((&mantissa, ""));
                let (sign, size) = (if exponent < 0 { '-' } else { '+' }, exponent.unsigned_abs());
                format!("{whole}.{fraction:0<precision$}e{sign}{size:0>digits$}", precision = self.precision)
            }
        };
        let point = text.find('.').unwrap_or(text.len());
        let before = self.before;
        format!("{:>before$}{:<after$}", &text[..point], &text[point..], after = self.after + 1)
    }

    /// With a point, and at most `precision` digits after it.
    fn positional(&self, x: f64) -> String {
        // As a double it has the digits of the shortest, and `Display` writes no exponent.
        let shortest: f64 = self.bits.shortest(x).parse().unwrap_or(x);
        let mut text = format!("{shortest}");
        let digits = text.find('.').map_or(0, |point| text.len() - point - 1);
        if digits > self.precision {
            text = format!("{x:.precision$}", precision = self.precision);
        }
        if !text.contains('.') {
            text.push('.');
        }
        text.truncate(text.trim_end_matches('0').len());
        self.sign(text)
    }

    /// The mantissa with at most `precision` digits after the point, and the exponent.
    fn scientific(&self, x: f64) -> (String, i32) {
        let mut text = self.bits.shortest(x);
        let digits =
            |text: &str| text.find('e').map_or(0, |e| e - text.find('.').map_or(e, |point| point + 1));
        if digits(&text) > self.precision {
            text = format!("{x:.precision$e}", precision = self.precision);
        }
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let mantissa = match mantissa.contains('.') {
            true => mantissa.trim_end_matches('0').trim_end_matches('.'),
            false => mantissa,
        };
        (self.sign(mantissa.to_string()), exponent.parse().unwrap_or(0))
    }

    fn sign(&self, text: String) -> String {
        if self.signed && !text.starts_with('-') { format!("+{text}") } else { text }
    }
}

/// What is no number to be written in digits.
fn odd(x: f64, signed: bool) -> &'static str {
    match (x.is_nan(), x < 0.0, signed) {
        (true, _, true) => "+nan",
        (true, _, false) => "nan",
        (_, true, _) => "-inf",
        (_, false, true) => "+inf",
        (_, false, false) => "inf",
    }
}
