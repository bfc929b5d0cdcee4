//! The slow obvious conversion of numbers: every value is taken apart into sign, whole number and power of two, exactly,
//! and put together again by the definition of the format it goes to. No floating point is used anywhere.

/// What a number is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlowFormat {
    /// Zero is false.
    Bool,
    /// Two's complement or unsigned.
    Integer {
        /// 8 to 64.
        bits: u32,
        /// Whether it has a sign.
        signed: bool,
    },
    /// Sign, exponent, fraction.
    Float {
        /// Bits of the exponent.
        exponent: u32,
        /// Bits of the fraction.
        fraction: u32,
    },
}

/// What becomes of what does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlowMode {
    /// It is refused.
    Checked,
    /// The nearest bound.
    Saturating,
    /// Integers modulo two to the number of bits.
    Wrapping,
}

/// An exact value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlowValue {
    /// Not a number; the fraction with its first bit at the top of the 64.
    Nan {
        /// Below zero.
        negative: bool,
        /// The fraction.
        payload: u64,
    },
    /// Infinite.
    Infinite {
        /// Below zero.
        negative: bool,
    },
    /// `whole * 2**power`, with a sign that zero has too.
    Finite {
        /// Below zero.
        negative: bool,
        /// The whole number.
        whole: u128,
        /// The power of two.
        power: i32,
    },
}

use SlowFormat::{Bool, Float, Integer};
use SlowValue::{Finite, Infinite, Nan};

impl SlowFormat {
    /// The formats and their names.
    pub const ALL: [(&'static str, SlowFormat); 13] = [
        ("?", Bool),
        ("b", Integer { bits: 8, signed: true }),
        ("B", Integer { bits: 8, signed: false }),
        ("h", Integer { bits: 16, signed: true }),
        ("H", Integer { bits: 16, signed: false }),
        ("i", Integer { bits: 32, signed: true }),
        ("I", Integer { bits: 32, signed: false }),
        ("q", Integer { bits: 64, signed: true }),
        ("Q", Integer { bits: 64, signed: false }),
        ("e", Float { exponent: 5, fraction: 10 }),
        ("[bfloat16]", Float { exponent: 8, fraction: 7 }),
        ("f", Float { exponent: 8, fraction: 23 }),
        ("d", Float { exponent: 11, fraction: 52 }),
    ];

    /// Bytes of one.
    #[must_use]
    pub fn width(self) -> usize {
        match self {
            Bool => 1,
            Integer { bits, .. } => bits as usize / 8,
            Float { exponent, fraction } => (1 + exponent + fraction) as usize / 8,
        }
    }

    /// The value that these bits are.
    #[must_use]
    pub fn decode(self, bits: u64) -> SlowValue {
        match self {
            Bool => Finite { negative: false, whole: u128::from(bits & 0xff != 0), power: 0 },
            Integer { bits: width, signed } => {
                let modulus = 1i128 << width;
                let mut value = i128::from(bits) % modulus;
                if signed && value >= modulus / 2 {
                    value -= modulus;
                }
                Finite { negative: value < 0, whole: value.unsigned_abs(), power: 0 }
            }
            Float { exponent, fraction } => {
                let negative = bits >> (exponent + fraction) & 1 == 1;
                let field = bits >> fraction & ((1 << exponent) - 1);
                let below = bits & ((1 << fraction) - 1);
                let bias = (1 << (exponent - 1)) - 1;
                if field == (1 << exponent) - 1 {
                    return if below == 0 {
                        Infinite { negative }
                    } else {
                        Nan { negative, payload: below << (64 - fraction) }
                    };
                }
                let (whole, field) = if field == 0 { (below, 1) } else { (below + (1 << fraction), field) };
                Finite { negative, whole: u128::from(whole), power: field as i32 - bias - fraction as i32 }
            }
        }
    }

    /// The bits of this format for a value, or nothing where the mode refuses it. Whether the value was an integer
    /// matters, since only integers wrap.
    #[must_use]
    pub fn encode(self, value: SlowValue, from_integer: bool, mode: SlowMode) -> Option<u64> {
        match self {
            Bool => Some(u64::from(!matches!(value, Finite { whole: 0, .. }))),
            Integer { bits, signed } => {
                let (low, high) = if signed {
                    (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1)
                } else {
                    (0, (1i128 << bits) - 1)
                };
                let towards_zero = match value {
                    Nan { .. } => return (mode != SlowMode::Checked).then_some(0),
                    // Larger than any bound.
                    Infinite { negative } => {
                        if negative {
                            i128::MIN
                        } else {
                            i128::MAX
                        }
                    }
                    Finite { negative, whole, power } => {
                        let size = if power >= 0 {
                            let fits = power < 126 && whole <= (i128::MAX as u128) >> power;
                            if fits { (whole << power) as i128 } else { i128::MAX }
                        } else if power > -128 {
                            (whole >> -power) as i128
                        } else {
                            0
                        };
                        if negative { -size } else { size }
                    }
                };
                let inside = low <= towards_zero && towards_zero <= high;
                let result = match mode {
                    _ if inside => towards_zero,
                    SlowMode::Checked => return None,
                    SlowMode::Wrapping if from_integer => towards_zero.rem_euclid(1i128 << bits),
                    _ => {
                        if towards_zero < low {
                            low
                        } else {
                            high
                        }
                    }
                };
                Some((result.rem_euclid(1i128 << bits)) as u64)
            }
            Float { exponent, fraction } => Some(float(value, exponent, fraction)),
        }
    }
}

fn float(value: SlowValue, exponent: u32, fraction: u32) -> u64 {
    let sign = |negative: bool| u64::from(negative) << (exponent + fraction);
    let infinite = ((1u64 << exponent) - 1) << fraction;
    match value {
        Nan { negative, payload } => {
            sign(negative) | infinite | 1 << (fraction - 1) | payload >> (64 - fraction)
        }
        Infinite { negative } => sign(negative) | infinite,
        Finite { negative, whole: 0, .. } => sign(negative),
        Finite { negative, whole, power } => {
            let bias = (1i32 << (exponent - 1)) - 1;
            // The place of the last bit that the result can have: as many bits as the format holds, and no smaller than
            // the smallest number.
            let top = 128 - whole.leading_zeros() as i32 + power;
            let last = (top - 1 - fraction as i32).max(1 - bias - fraction as i32);
            let cut = last - power;
            let rounded = if cut <= 0 {
                whole << -cut
            } else if cut > 127 {
                0
            } else {
                let (kept, rest, half) = (whole >> cut, whole & ((1 << cut) - 1), 1u128 << (cut - 1));
                kept + u128::from(rest > half || rest == half && kept % 2 == 1)
            };
            // One more bit than before is a power of two, and the encoding carries it into the exponent.
            let rounded = rounded as u64;
            let bits = if rounded < 1 << fraction {
                rounded
            } else {
                (((last + fraction as i32 + bias) as u64) << fraction) + (rounded - (1 << fraction))
            };
            sign(negative) | bits.min(infinite)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against the machine's own arithmetic, which shares nothing with it.
    #[test]
    fn agrees_with_the_machine() {
        let double = Float { exponent: 11, fraction: 52 };
        let single = Float { exponent: 8, fraction: 23 };
        let mut bits = 0x1234_5678_9abc_def0_u64;
        for _ in 0..100_000 {
            bits = bits.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let x = f64::from_bits(bits);
            if x.is_nan() {
                continue;
            }
            let value = double.decode(bits);
            assert_eq!(
                single.encode(value, false, SlowMode::Wrapping),
                Some(u64::from((x as f32).to_bits())),
                "{x:e}"
            );
            assert_eq!(double.encode(value, false, SlowMode::Wrapping), Some(bits));
            let long = Integer { bits: 64, signed: true };
            assert_eq!(long.encode(value, false, SlowMode::Saturating), Some(x as i64 as u64), "{x:e}");
            let whole = long.decode(bits);
            assert_eq!(double.encode(whole, true, SlowMode::Checked), Some((bits as i64 as f64).to_bits()));
            assert_eq!(
                single.encode(whole, true, SlowMode::Checked),
                Some(u64::from((bits as i64 as f32).to_bits()))
            );
            let short = Integer { bits: 16, signed: true };
            assert_eq!(
                short.encode(whole, true, SlowMode::Wrapping),
                Some(u64::from(bits as i64 as i16 as u16))
            );
            assert_eq!(
                short.encode(whole, true, SlowMode::Checked),
                i16::try_from(bits as i64).ok().map(|x| u64::from(x as u16))
            );
        }
    }
}
