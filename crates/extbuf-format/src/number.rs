//! Bytes to numbers and back: integers of any width and order, and the floating point formats Rust lacks.
//!
//! All arithmetic is on bits. Widening is exact and keeps the payload of a not-a-number; narrowing rounds to
//! nearest, ties to even, and says when a finite number does not fit.

use crate::scalar::ByteOrder;

/// The unsigned number in up to eight bytes.
#[inline]
pub(crate) fn read_uint(bytes: &[u8], order: ByteOrder) -> u64 {
    let mut wide = [0; 8];
    let n = bytes.len().min(8);
    match order {
        ByteOrder::Little => {
            wide[..n].copy_from_slice(&bytes[..n]);
            u64::from_le_bytes(wide)
        }
        ByteOrder::Big => {
            wide[8 - n..].copy_from_slice(&bytes[..n]);
            u64::from_be_bytes(wide)
        }
    }
}

/// The signed number in up to eight bytes.
#[inline]
pub(crate) fn read_int(bytes: &[u8], order: ByteOrder) -> i64 {
    let unused = 64 - 8 * bytes.len().clamp(1, 8) as u32;
    ((read_uint(bytes, order) << unused) as i64) >> unused
}

/// Writes the low bytes of a number.
#[inline]
pub(crate) fn write_uint(bytes: &mut [u8], order: ByteOrder, number: u64) {
    let n = bytes.len().min(8);
    match order {
        ByteOrder::Little => bytes[..n].copy_from_slice(&number.to_le_bytes()[..n]),
        ByteOrder::Big => bytes[..n].copy_from_slice(&number.to_be_bytes()[8 - n..]),
    }
}

/// How a `long double` of C is laid out on this target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LongDouble {
    /// The 80 bits of the x87, in 10 bytes of 12 or 16.
    X87,
    /// IEEE 754 binary128.
    Quad,
    /// Two doubles: not read.
    Pair,
}

const LONG_DOUBLE: LongDouble = if cfg!(any(target_arch = "x86", target_arch = "x86_64")) {
    LongDouble::X87
} else if cfg!(target_arch = "powerpc64") {
    LongDouble::Pair
} else {
    LongDouble::Quad
};

/// The number in 2, 4, 8 or more bytes; `None` for a long double of a layout that is not read.
#[inline]
pub(crate) fn read_float(bytes: &[u8], order: ByteOrder) -> Option<f64> {
    match bytes.len() {
        2 => Some(widen(read_uint(bytes, order), 5, 10)),
        4 => Some(widen(read_uint(bytes, order), 8, 23)),
        8 => Some(f64::from_bits(read_uint(bytes, order))),
        _ => read_long(bytes, order),
    }
}

/// Writes a number; `false` when it is finite and too large for the width.
pub(crate) fn write_float(bytes: &mut [u8], order: ByteOrder, number: f64) -> Option<bool> {
    let bits = match bytes.len() {
        2 => narrow(number, 5, 10),
        4 => narrow(number, 8, 23),
        8 => Some(number.to_bits()),
        _ => return write_long(bytes, order, number),
    };
    if let Some(bits) = bits {
        write_uint(bytes, order, bits);
    }
    Some(bits.is_some())
}

/// A bfloat16 is the upper half of an `f32`.
pub(crate) fn read_bfloat16(bits: u64) -> f64 {
    widen(bits, 8, 7)
}

pub(crate) fn bfloat16_bits(number: f64) -> Option<u64> {
    narrow(number, 8, 7)
}

/// A binary format of `exponent` and `fraction` bits, both narrower than those of `f64`, as an `f64`.
fn widen(bits: u64, exponent: u32, fraction: u32) -> f64 {
    let sign = (bits >> (exponent + fraction)) << 63;
    let power = (bits >> fraction) & ((1 << exponent) - 1);
    let digits = bits & ((1 << fraction) - 1);
    let bias = (1i64 << (exponent - 1)) - 1;
    let magnitude = if power == (1 << exponent) - 1 {
        0x7ff << 52 | digits << (52 - fraction)
    } else if power == 0 {
        // A small integer times a power of two: exact in f64.
        let scale = f64::from_bits(((1023 + 1 - bias - i64::from(fraction)) as u64) << 52);
        (digits as f64 * scale).to_bits()
    } else {
        ((power as i64 - bias + 1023) as u64) << 52 | digits << (52 - fraction)
    };
    f64::from_bits(sign | magnitude)
}

/// The reverse of [`widen`], rounded; `None` when a finite number becomes infinite.
fn narrow(number: f64, exponent: u32, fraction: u32) -> Option<u64> {
    let bits = number.to_bits();
    let sign = (bits >> 63) << (exponent + fraction);
    let top = (1u64 << exponent) - 1;
    let infinite = top << fraction;
    let digits = bits & ((1 << 52) - 1);
    if number.is_nan() {
        let payload = digits >> (52 - fraction);
        // A payload that only the narrow format's missing bits held must not turn into an infinity.
        return Some(sign | infinite | if payload == 0 { 1 << (fraction - 1) } else { payload });
    }
    if number.is_infinite() {
        return Some(sign | infinite);
    }
    let bias = (1i64 << (exponent - 1)) - 1;
    let power = ((bits >> 52) & 0x7ff) as i64 - 1023 + bias;
    let whole = if (bits >> 52) & 0x7ff == 0 { digits } else { digits | 1 << 52 };
    // Drop as many digits as the format has fewer, and more for every power below its smallest.
    let dropped = 52 - i64::from(fraction) + (1 - power).max(0);
    let rounded = if dropped > 60 { 0 } else { round_off(whole, dropped as u32) };
    // Adding instead of joining lets a carry out of the digits raise the exponent, as it should.
    let magnitude = if power <= 0 { rounded } else { rounded + ((power as u64 - 1) << fraction) };
    if magnitude >= infinite { None } else { Some(sign | magnitude) }
}

/// `digits / 2^dropped`, to nearest, ties to even.
fn round_off(digits: u64, dropped: u32) -> u64 {
    if dropped == 0 {
        return digits;
    }
    let kept = digits >> dropped;
    let rest = digits & ((1 << dropped) - 1);
    let half = 1 << (dropped - 1);
    kept + u64::from(rest > half || (rest == half && kept & 1 == 1))
}

/// Sign, exponent and up to 64 leading digits (the first one explicit) to an `f64`; `sticky` says that
/// digits beyond them were not all zero.
fn compose(negative: bool, power: i64, digits: u64, sticky: bool) -> f64 {
    if digits == 0 {
        return if negative { -0.0 } else { 0.0 };
    }
    let shift = digits.leading_zeros();
    let power = power - i64::from(shift);
    let digits = digits << shift;
    let sign = u64::from(negative) << 63;
    if power > 1023 {
        return f64::from_bits(sign | 0x7ff << 52);
    }
    let dropped = 11 + (-1022 - power).max(0);
    // The lost digits count as the smallest one kept, so that a tie is seen for what it is.
    let rounded = if dropped > 63 { 0 } else { round_off(digits | u64::from(sticky), dropped as u32) };
    let base = if power < -1022 { 0 } else { (power + 1022) as u64 };
    f64::from_bits(sign | ((base << 52) + rounded))
}

fn read_long(bytes: &[u8], order: ByteOrder) -> Option<f64> {
    let part = |from: usize, len: usize| match order {
        ByteOrder::Little => read_uint(&bytes[from..from + len], order),
        ByteOrder::Big => read_uint(&bytes[bytes.len() - from - len..bytes.len() - from], order),
    };
    match LONG_DOUBLE {
        LongDouble::X87 if bytes.len() >= 10 => {
            let digits = part(0, 8);
            let head = part(8, 2);
            let negative = head >> 15 == 1;
            match head & 0x7fff {
                0x7fff if digits << 1 == 0 => Some(if negative { f64::NEG_INFINITY } else { f64::INFINITY }),
                0x7fff => {
                    Some(f64::from_bits(u64::from(negative) << 63 | 0x7ff8 << 48 | (digits << 1) >> 12))
                }
                power => Some(compose(negative, (power as i64).max(1) - 16383, digits, false)),
            }
        }
        LongDouble::Quad if bytes.len() == 16 => {
            let (low, high) = (part(0, 8), part(8, 8));
            let negative = high >> 63 == 1;
            let fraction = high & ((1 << 48) - 1);
            match (high >> 48) & 0x7fff {
                0x7fff if fraction | low == 0 => {
                    Some(if negative { f64::NEG_INFINITY } else { f64::INFINITY })
                }
                0x7fff => {
                    Some(f64::from_bits(u64::from(negative) << 63 | 0x7ff8 << 48 | fraction << 4 | low >> 60))
                }
                // Below the smallest f64 by thousands of powers of two.
                0 => Some(if negative { -0.0 } else { 0.0 }),
                power => {
                    let digits = 1 << 63 | fraction << 15 | low >> 49;
                    Some(compose(negative, power as i64 - 16383, digits, low << 15 != 0))
                }
            }
        }
        _ => None,
    }
}

fn write_long(bytes: &mut [u8], order: ByteOrder, number: f64) -> Option<bool> {
    let bits = number.to_bits();
    let negative = bits >> 63;
    let fraction = bits & ((1 << 52) - 1);
    let power = (bits >> 52) & 0x7ff;
    // Normal in the wider format, whatever it was in f64.
    let (power, digits) = match power {
        0 if fraction == 0 => (0, 0),
        0 => {
            let shift = fraction.leading_zeros();
            (16383 - 1011 - u64::from(shift), fraction << shift)
        }
        0x7ff => (0x7fff, 1 << 63 | fraction << 11),
        power => (power + 16383 - 1023, 1 << 63 | fraction << 11),
    };
    let mut wide = [0; 16];
    match LONG_DOUBLE {
        LongDouble::X87 => {
            wide[..8].copy_from_slice(&digits.to_le_bytes());
            wide[8..10].copy_from_slice(&((negative << 15 | power) as u16).to_le_bytes());
        }
        LongDouble::Quad => {
            let fraction = digits << 1;
            wide[..8].copy_from_slice(&(fraction << 48).to_le_bytes());
            wide[8..].copy_from_slice(&(negative << 63 | power << 48 | fraction >> 16).to_le_bytes());
        }
        LongDouble::Pair => return None,
    }
    let n = bytes.len().min(16);
    bytes[..n].copy_from_slice(&wide[..n]);
    if order == ByteOrder::Big {
        bytes.reverse();
    }
    Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_precision_agrees_with_the_machine() {
        for i in 0..20_000u32 {
            let bits = i.wrapping_mul(0x9e37_79b9);
            let single = f32::from_bits(bits);
            let wide = widen(u64::from(bits), 8, 23);
            if single.is_nan() {
                assert!(wide.is_nan());
                assert_eq!(narrow(wide, 8, 23), Some(u64::from(bits)), "payload of {bits:#x}");
            } else {
                assert_eq!(wide.to_bits(), f64::from(single).to_bits());
                assert_eq!(narrow(wide, 8, 23), Some(u64::from(bits)));
                let nudged = f64::from_bits(wide.to_bits().wrapping_add(0x1234_5678));
                if nudged.is_finite() && (nudged as f32).is_finite() {
                    assert_eq!(
                        narrow(nudged, 8, 23),
                        Some(u64::from((nudged as f32).to_bits())),
                        "{nudged:e}"
                    );
                }
            }
        }
    }

    #[test]
    fn halves_of_note() {
        for (bits, number) in [
            (0x3c00, 1.0),
            (0x0001, 5.960_464_477_539_063e-8),
            (0x03ff, 6.097_555_160_522_461e-5),
            (0x7bff, 65504.0),
            (0xfc00, f64::NEG_INFINITY),
            (0x8000, -0.0),
        ] {
            assert_eq!(widen(bits, 5, 10).to_bits(), f64::to_bits(number));
            assert_eq!(narrow(number, 5, 10), Some(bits));
        }
        assert_eq!(narrow(65519.9, 5, 10), Some(0x7bff));
        assert_eq!(narrow(65520.0, 5, 10), None);
        assert_eq!(narrow(2.9e-8, 5, 10), Some(0));
    }

    #[test]
    fn long_doubles_round_trip() {
        for number in [0.0, -0.0, 1.0, -1.5, 1e300, 5e-324, 2.2e-308, f64::MAX, f64::INFINITY] {
            let mut bytes = [0; 16];
            if write_float(&mut bytes, ByteOrder::NATIVE, number).is_some() {
                assert_eq!(read_float(&bytes, ByteOrder::NATIVE).map(f64::to_bits), Some(number.to_bits()));
            }
        }
    }
}
