//! Conversions against NumPy: `astype` for every pair of numbers that it has, in both byte orders, and structured arrays
//! field by field.
//!
//! Needs an interpreter with NumPy, so it runs when it is asked for by name:
//!
//! ```text
//! EXTBUF_PYTHON=…/bin/python cargo test -p extbuf-copy --test python
//! ```
//!
//! What NumPy leaves undefined is not asked: floats beyond the range of an integer. A NaN must stay one.
#![cfg(all(target_arch = "x86_64", target_os = "linux"))]
#![allow(unsafe_code)]

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use extbuf_copy::{CopyOptions, Mode, ViewPlan};
use extbuf_format::Format;
use extbuf_layout::{Layout, Order};
use extbuf_testkit::convert_slow::{SlowFormat, SlowMode, SlowValue};

/// The codes of the formats, NumPy's, what one part is, and how many parts there are.
const NUMBERS: [(&str, &str, usize, usize); 14] = [
    ("?", "?", 0, 1),
    ("b", "i1", 1, 1),
    ("B", "u1", 2, 1),
    ("h", "i2", 3, 1),
    ("H", "u2", 4, 1),
    ("i", "i4", 5, 1),
    ("I", "u4", 6, 1),
    ("q", "i8", 7, 1),
    ("Q", "u8", 8, 1),
    ("e", "f2", 9, 1),
    ("f", "f4", 11, 1),
    ("d", "f8", 12, 1),
    ("Zf", "c8", 11, 2),
    ("Zd", "c16", 12, 2),
];

struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

fn slow(which: usize) -> SlowFormat {
    SlowFormat::ALL[which].1
}

/// One number of a format: near a power of two, small, or anything.
fn number(noise: &mut Noise, format: SlowFormat) -> u64 {
    let width = 8 * format.width() as u32;
    let mask = u64::MAX >> (64 - width);
    let any = noise.next();
    let bits = match (any % 4, format) {
        (_, SlowFormat::Bool) => any >> 8 & 1,
        (0, SlowFormat::Integer { .. }) => {
            (1u64 << ((any >> 8) % u64::from(width))).wrapping_add(any >> 20 & 3).wrapping_sub(2)
        }
        (0 | 1, SlowFormat::Float { exponent, fraction }) => {
            // Within the range of an integer.
            let field = (1 << (exponent - 1)) - 3 + (any >> 8) % (1 << (exponent - 1)).min(66);
            field.min((1 << exponent) - 2) << fraction
                | any >> 20 & ((1 << fraction) - 1)
                | (any >> 5 & 1) << (width - 1)
        }
        (1, _) => any >> 8 & 0x7f,
        _ => any >> 4,
    };
    bits & mask
}

fn bytes_of(bits: u64, width: usize, big: bool) -> Vec<u8> {
    let mut bytes = bits.to_le_bytes()[..width].to_vec();
    if big {
        bytes.reverse();
    }
    bytes
}

fn ask(questions: &[(String, String, Vec<u8>)]) -> Vec<Vec<u8>> {
    let python = std::env::var("EXTBUF_PYTHON").unwrap_or_else(|_| "python3".into());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/convert.py");
    let mut child = Command::new(&python)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| panic!("{python}: {e}"));
    let mut input = child.stdin.take().unwrap();
    let mut lines = String::new();
    for (source, target, data) in questions {
        let _ = write!(lines, "{source} {target} ");
        data.iter().for_each(|byte| write!(lines, "{byte:02x}").unwrap());
        lines.push('\n');
    }
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    let answers: Vec<Vec<u8>> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| line.as_bytes().chunks(2).map(byte).collect())
        .collect();
    assert_eq!(answers.len(), questions.len(), "the interpreter gave up");
    answers
}

fn converted(dst: &str, src: &str, data: &[u8]) -> Vec<u8> {
    let (dst, src) = (Format::parse(dst).unwrap(), Format::parse(src).unwrap());
    let n = data.len() / src.itemsize();
    let of = |format: &Format| Layout::contiguous(format.itemsize(), &[n], Order::C).unwrap();
    let options = CopyOptions { mode: Mode::Wrapping, ..CopyOptions::default() };
    let plan = ViewPlan::of((&of(&dst), &dst), (&of(&src), &src), options).unwrap();
    let mut out = vec![0; n * dst.itemsize()];
    // SAFETY: both blocks hold as many items as the layouts say.
    unsafe { plan.run_raw(out.as_mut_ptr(), data.as_ptr()) }.unwrap();
    out
}

/// Equal, or both NaN; numbers of one format in one byte order.
fn same(ours: &[u8], theirs: &[u8], format: SlowFormat, big: bool) -> bool {
    let width = format.width();
    let value = |bytes: &[u8]| {
        let mut le = [0; 8];
        le[..width].copy_from_slice(bytes);
        if big {
            le[..width].reverse();
        }
        format.decode(u64::from_le_bytes(le))
    };
    ours.len() == theirs.len()
        && ours.chunks(width).zip(theirs.chunks(width)).all(|(a, b)| {
            a == b || matches!((value(a), value(b)), (SlowValue::Nan { .. }, SlowValue::Nan { .. }))
        })
}

const ORDERS: [(&str, bool); 2] = [("<", false), (">", true)];

#[test]
fn every_pair_of_numbers_as_numpy_has_it() {
    let mut noise = Noise(0x9e37_79b9_7f4a_7c15);
    let (mut questions, mut ours) = (Vec::new(), Vec::new());
    for (from, their_from, from_part, from_parts) in NUMBERS {
        for (to, their_to, to_part, to_parts) in NUMBERS {
            for ((from_mark, from_big), (to_mark, to_big)) in
                ORDERS.iter().flat_map(|a| ORDERS.iter().map(move |b| (*a, *b)))
            {
                let (a, b) = (slow(from_part), slow(to_part));
                let mut data = Vec::new();
                while data.len() < 400 * a.width() * from_parts {
                    let bits = number(&mut noise, a);
                    // NumPy says nothing of floats that no integer of the type holds.
                    let float = matches!(a, SlowFormat::Float { .. });
                    if !float || b.encode(a.decode(bits), false, SlowMode::Checked).is_some() {
                        data.extend(bytes_of(bits, a.width(), from_big));
                    }
                }
                let (src, dst) = (format!("{from_mark}{from}"), format!("{to_mark}{to}"));
                ours.push((converted(&dst, &src, &data), b, to_big, format!("{src} to {dst}"), to_parts));
                questions.push((format!("{from_mark}{their_from}"), format!("{to_mark}{their_to}"), data));
            }
        }
    }
    let mut compared = 0;
    for ((made, format, big, what, parts), theirs) in ours.iter().zip(ask(&questions)) {
        assert!(same(made, &theirs, *format, *big), "{what}");
        compared += theirs.len() / format.width() / parts;
    }
    println!("{compared} numbers converted as NumPy does, in {} pairs", questions.len());
}

#[test]
fn structured_arrays_field_by_field() {
    let mut noise = Noise(0x0123_4567_89ab_cdef);
    let (mut questions, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..300 {
        let count = 1 + noise.next() as usize % 6;
        // Integers and floats of both sides such that everything fits: small numbers into whatever.
        let mut side = || -> Vec<(usize, bool)> {
            (0..count).map(|_| (1 + noise.next() as usize % 11, noise.next() & 1 == 1)).collect()
        };
        let (from, to) = (side(), side());
        let mut order: Vec<usize> = (0..count).collect();
        for k in 1..count {
            order.swap(k, noise.next() as usize % (k + 1));
        }
        let names = ["a", "b", "c", "d", "e", "f"];
        let mark = |big: bool| if big { ">" } else { "<" };
        let ours_text = |fields: &[(usize, bool)], order: &[usize]| {
            let fields = order
                .iter()
                .map(|&k| format!("{}{}:{}:", mark(fields[k].1), NUMBERS[fields[k].0].0, names[k]));
            format!("T{{{}}}", fields.collect::<String>())
        };
        let their_text = |fields: &[(usize, bool)], order: &[usize]| {
            let fields = order
                .iter()
                .map(|&k| format!("{}={}{}", names[k], mark(fields[k].1), NUMBERS[fields[k].0].1));
            fields.collect::<Vec<_>>().join(",")
        };
        let straight: Vec<usize> = (0..count).collect();
        let mut data = Vec::new();
        for _ in 0..50 {
            for &(which, big) in &from {
                let format = slow(NUMBERS[which].2);
                let whole =
                    SlowValue::Finite { negative: false, whole: u128::from(noise.next() % 120), power: 0 };
                let bits = format.encode(whole, true, SlowMode::Checked).unwrap();
                data.extend(bytes_of(bits, format.width(), big));
            }
        }
        let (src, dst) = (ours_text(&from, &straight), ours_text(&to, &order));
        ours.push((converted(&dst, &src, &data), format!("{src} to {dst}")));
        questions.push((their_text(&from, &straight), their_text(&to, &order), data));
    }
    for ((made, what), theirs) in ours.iter().zip(ask(&questions)) {
        assert!(*made == theirs, "{what}");
    }
    println!("{} structured arrays converted as NumPy does", questions.len());
}
