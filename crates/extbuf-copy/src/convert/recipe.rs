//! From one number to another, as a short list of passes.
//!
//! A pass does one thing to a dense line: turn bytes around, look whether every number is in a range, cast. What one cast
//! cannot do without rounding twice is done by several that round once: a half float goes by way of an `f32`, which
//! holds every one of them; what goes to a half float is first rounded *to odd* where the way is through an `f32`
//! that cannot hold it. (Rounding to odd leaves a mark of what was cut off in the last bit, so that the second
//! rounding, to fewer bits by two or more, sees on which side of a tie the number was.)

use std::fmt;

use super::Mode;
use super::number::Number::{self, *};
use super::number::Stored;

/// One pass over a dense line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pass {
    /// Bytes of each number of that width turned around.
    Swap(usize),
    /// Refuses what lies outside the range of the second; writes nothing.
    Within(Number, Number),
    /// The nearest number in the range of the second, integers.
    Clamp(Number, Number),
    /// 1 where a number is not zero, else 0. A negative zero is zero, NaN is not.
    Truth(Number),
    /// Refuses what is not zero; writes nothing.
    Zero(Number),
    /// Two truths into one.
    Either,
    Cast(Cast),
}

/// One cast between native numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cast {
    /// Rust's `as`.
    As(Number, Number),
    /// `f64` to `f32`, rounded to odd.
    ToOdd,
    /// An integer of 64 bits to one that an `f64` holds, rounded to odd.
    Sticky(Number),
}

impl Pass {
    /// True where it only looks.
    pub(crate) fn is_check(self) -> bool {
        matches!(self, Pass::Within(..) | Pass::Zero(_))
    }

    /// The two words that its loop is given.
    pub(crate) fn words(self) -> (u64, u64) {
        match self {
            Pass::Within(number, to) | Pass::Clamp(number, to) => bounds(number, to),
            Pass::Truth(number) | Pass::Zero(number) if number.is_float() => {
                (u64::MAX >> 1 >> (64 - 8 * number.width()), 0)
            }
            Pass::Truth(_) | Pass::Zero(_) => (u64::MAX, 0),
            _ => (0, 0),
        }
    }
}

/// The range of `to` in terms of `from`: both bounds included for integers, the upper one excluded for floats.
fn bounds(from: Number, to: Number) -> (u64, u64) {
    let (low, high) = to.range().unwrap_or((0, 1));
    match from {
        F32 => {
            // The least that does not go below the range when what is behind the point is cut off.
            let below = low as f32 - 1.0;
            let low = if below < low as f32 { below.next_up() } else { low as f32 };
            (u64::from(low.to_bits()), u64::from(((high + 1) as f32).to_bits()))
        }
        F64 => {
            let below = low as f64 - 1.0;
            let low = if below < low as f64 { below.next_up() } else { low as f64 };
            (low.to_bits(), ((high + 1) as f64).to_bits())
        }
        _ => {
            let (least, greatest) = from.range().unwrap_or((0, 1));
            (low.max(least) as u64, high.min(greatest) as u64)
        }
    }
}

/// Passes from one stored number to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recipe {
    pub(crate) passes: Vec<Pass>,
    /// Numbers read for each one written: 2 where both parts of a complex number are asked for a truth.
    pub(crate) lanes: usize,
    /// Bytes read and written for each item.
    pub(crate) from: usize,
    pub(crate) to: usize,
}

impl Recipe {
    /// From a real number to a real number; none where they are the same.
    pub(crate) fn new(from: Stored, to: Stored, mode: Mode) -> Option<Recipe> {
        let mut passes = Vec::with_capacity(4);
        if from.number == to.number && from.swapped == to.swapped {
            return None;
        }
        if from.number == to.number {
            passes.push(Pass::Swap(from.number.width()));
        } else {
            if from.swapped {
                passes.push(Pass::Swap(from.number.width()));
            }
            casts(from.number, to.number, mode, &mut passes);
            if to.swapped {
                passes.push(Pass::Swap(to.number.width()));
            }
        }
        Some(Recipe { passes, lanes: 1, from: from.number.width(), to: to.number.width() })
    }

    /// Whether either part of a complex number is not zero.
    pub(crate) fn truth_of_complex(from: Stored) -> Recipe {
        let mut passes = Vec::with_capacity(3);
        if from.swapped {
            passes.push(Pass::Swap(from.number.width()));
        }
        passes.extend([Pass::Truth(from.number), Pass::Either]);
        Recipe { passes, lanes: 2, from: 2 * from.number.width(), to: 1 }
    }

    /// Refuses a number that is not zero, and writes nothing.
    pub(crate) fn zero(from: Stored) -> Recipe {
        let mut passes = Vec::with_capacity(2);
        if from.swapped {
            passes.push(Pass::Swap(from.number.width()));
        }
        passes.push(Pass::Zero(from.number));
        Recipe { passes, lanes: 1, from: from.number.width(), to: 0 }
    }

    /// Units of text or opaque words in the other byte order.
    pub(crate) fn swap(width: usize) -> Recipe {
        Recipe { passes: vec![Pass::Swap(width)], lanes: 1, from: width, to: width }
    }

    /// The passes as far as the last one that looks, for a check beforehand; empty where nothing is refused.
    pub(crate) fn checks(&self) -> &[Pass] {
        let count = self.passes.iter().rposition(|pass| pass.is_check()).map_or(0, |at| at + 1);
        &self.passes[..count]
    }
}

fn casts(from: Number, to: Number, mode: Mode, passes: &mut Vec<Pass>) {
    let cast = |from, to| Pass::Cast(Cast::As(from, to));
    match (from, to) {
        (_, Bool) => passes.push(Pass::Truth(from)),
        (Bool, _) => {
            passes.push(Pass::Truth(Bool));
            if to.width() > 1 {
                casts(U8, to, mode, passes);
            }
        }
        (F16 | Bf16, F32) | (F32, F16 | Bf16) => passes.push(cast(from, to)),
        (F16 | Bf16, _) => {
            passes.push(cast(from, F32));
            casts(F32, to, mode, passes);
        }
        (F64, F16 | Bf16) => passes.extend([Pass::Cast(Cast::ToOdd), cast(F32, to)]),
        // What an f32 rounds is beyond the range of an f16 in any case.
        (_, F16) => passes.extend([cast(from, F32), cast(F32, F16)]),
        (I32 | U32, Bf16) => passes.extend([cast(from, F64), Pass::Cast(Cast::ToOdd), cast(F32, Bf16)]),
        (I64 | U64, Bf16) => {
            passes.push(Pass::Cast(Cast::Sticky(from)));
            passes.extend([cast(from, F64), Pass::Cast(Cast::ToOdd), cast(F32, Bf16)]);
        }
        (_, Bf16) => passes.extend([cast(from, F32), cast(F32, Bf16)]),
        _ => {
            match (from.range(), to.range()) {
                (Some(a), Some(b)) if b.0 <= a.0 && a.1 <= b.1 => {}
                (_, None) => {}
                (from_range, Some(_)) => match mode {
                    Mode::Checked => passes.push(Pass::Within(from, to)),
                    Mode::Saturating if from_range.is_some() => passes.push(Pass::Clamp(from, to)),
                    Mode::Saturating | Mode::Wrapping => {}
                },
            }
            let same = from.range().is_some() && to.range().is_some() && from.width() == to.width();
            if !same {
                passes.push(cast(from, to));
            }
        }
    }
}

impl fmt::Display for Pass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Pass::Swap(width) => write!(f, "swap {width}"),
            Pass::Within(_, to) => write!(f, "check {to}"),
            Pass::Clamp(_, to) => write!(f, "clamp to {to}"),
            Pass::Truth(_) => f.write_str("not zero"),
            Pass::Zero(_) => f.write_str("check zero"),
            Pass::Either => f.write_str("either"),
            Pass::Cast(Cast::As(from, to)) => write!(f, "{from} to {to}"),
            Pass::Cast(Cast::ToOdd) => f.write_str("f64 to f32, to odd"),
            Pass::Cast(Cast::Sticky(number)) => write!(f, "{number} to 53 bits, to odd"),
        }
    }
}

impl fmt::Display for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, pass) in self.passes.iter().enumerate() {
            write!(f, "{}{pass}", if i > 0 { ", then " } else { "" })?;
        }
        Ok(())
    }
}
