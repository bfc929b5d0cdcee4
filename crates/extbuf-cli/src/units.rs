//! Numbers for people: bytes, times and rates.

use std::time::Duration;

/// A number with its digits in groups of three.
pub(crate) fn grouped(number: u128) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 byte`, `921,600 bytes`.
pub(crate) fn bytes(count: usize) -> String {
    counted(count, "byte")
}

/// A number of things, in the plural where it must be.
pub(crate) fn counted(count: usize, what: &str) -> String {
    format!("{} {what}{}", grouped(count as u128), if count == 1 { "" } else { "s" })
}

/// A time with three digits that count: `41 ns`, `3.21 µs`, `12.0 ms`, `1.50 s`.
pub(crate) fn time(time: Duration) -> String {
    let nanoseconds = time.as_nanos();
    let (value, unit) = match nanoseconds {
        0..1_000 => return format!("{nanoseconds} ns"),
        1_000..1_000_000 => (nanoseconds as f64 / 1e3, "µs"),
        1_000_000..1_000_000_000 => (nanoseconds as f64 / 1e6, "ms"),
        _ => (nanoseconds as f64 / 1e9, "s"),
    };
    let digits = if value < 10.0 { 2 } else { usize::from(value < 100.0) };
    format!("{value:.digits$} {unit}")
}

/// Bytes a second in units of 10⁹.
pub(crate) fn rate(bytes: usize, time: Duration) -> String {
    let rate = bytes as f64 / time.as_secs_f64().max(1e-9) / 1e9;
    let digits = if rate < 0.1 { 4 } else { 2 };
    format!("{rate:.digits$} GB/s")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_three_from_the_right() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([0, 1, 921_600].map(bytes), ["0 bytes", "1 byte", "921,600 bytes"]);
    }

    #[test]
    fn times_keep_three_digits() {
        let times = [41, 3_210, 12_000_000, 1_500_000_000, 123_456_000];
        let shown = times.map(|nanoseconds| time(Duration::from_nanos(nanoseconds)));
        assert_eq!(shown, ["41 ns", "3.21 µs", "12.0 ms", "1.50 s", "123 ms"]);
    }

    #[test]
    fn a_rate_of_no_time_is_a_number() {
        assert_eq!(rate(2_000_000_000, Duration::from_secs(1)), "2.00 GB/s");
        assert_eq!(rate(0, Duration::ZERO), "0.0000 GB/s");
    }
}
