//! Reading format texts, and reading and writing records by them.
//!
//! - `parse`: one code, a record of 12 fields, a nested record of 200.
//! - `records`: a million records of `<hhqd` (and of `>hhqd`) to Rust values, to value trees, and back.
//!
//! `cargo bench -p extbuf-benches --bench format -- --ratios` prints the chapter's table: best times of this crate,
//! of `struct` of CPython and of NumPy, measured one after the other on the same machine, and their ratio. The
//! interpreter is the one named by `EXTBUF_PYTHON`, else `python3`.

use std::hint::black_box;
use std::process::Command;
use std::time::Instant;

use bytemuck::{AnyBitPattern, Pod, Zeroable};
use criterion::{Criterion, Throughput};
use extbuf::format::{Codec, Dialect, Element, Format, Transcode};

const RECORDS: usize = 1_000_000;
const TWELVE: &str =
    "T{l:index:d:x:d:alpha:d:beta:l:gamma:l:delta:d:pct:d:pdf:d:cdf:(3)f:xyz:10s:name:?:valid:}";

/// 200 fields in 20 records of 10.
fn nested() -> String {
    let fields: String =
        (0..10).map(|i| format!("{}:f{i}:", ["i", "d", "h", "(2,3)f", "<q"][i % 5])).collect();
    let records: String = (0..20).map(|i| format!("T{{{fields}}}:r{i}:")).collect();
    format!("T{{{records}}}")
}

#[derive(Clone, Copy, Zeroable, Pod, Element)]
#[repr(C, packed)]
#[element(crate = extbuf::format)]
struct Packed {
    a: i16,
    b: i16,
    c: i64,
    d: f64,
}

/// As C lays it out: four bytes of padding in front of `c`.
#[derive(Clone, Copy, AnyBitPattern, Element)]
#[repr(C)]
#[element(crate = extbuf::format)]
struct Aligned {
    a: i16,
    b: i16,
    c: i64,
    d: f64,
}

struct Records {
    little: Vec<u8>,
    codec: Codec,
    swapped: Codec,
}

impl Records {
    fn new() -> Records {
        let little = (0..RECORDS * 20).map(|i| (i * 31 % 251) as u8).collect();
        let codec = |text| Codec::new(&Format::parse(text).expect("a format")).expect("values");
        Records { little, codec: codec("<hhqd"), swapped: codec(">hhqd") }
    }
}

fn parse(c: &mut Criterion) {
    let nested = nested();
    let mut group = c.benchmark_group("format/parse");
    group.bench_function("i", |b| b.iter(|| Format::parse(black_box("i"))));
    group.bench_function("<d", |b| b.iter(|| Format::parse(black_box("<d"))));
    group.bench_function("<hhqd", |b| b.iter(|| Format::parse(black_box("<hhqd"))));
    group.bench_function("12 fields", |b| b.iter(|| Format::parse(black_box(TWELVE))));
    group.bench_function("200 fields, nested", |b| b.iter(|| Format::parse(black_box(&nested))));
    group.finish();
}

fn records(c: &mut Criterion) {
    let records = Records::new();
    let mut packed = vec![Packed::zeroed(); RECORDS];
    let mut group = c.benchmark_group("format/records");
    group.throughput(Throughput::Bytes(records.little.len() as u64)).sample_size(10);
    let Records { little, codec, swapped } = &records;
    group.bench_function("read_into <hhqd", |b| b.iter(|| codec.read_into(little, &mut packed)));
    group.bench_function("read_into >hhqd", |b| b.iter(|| swapped.read_into(little, &mut packed)));
    group.bench_function("read as C struct", |b| b.iter(|| codec.read::<Aligned>(little)));
    group.bench_function("iter_unpack", |b| {
        b.iter(|| codec.iter_unpack(little).map(|values| values.map(black_box).count()));
    });
    group.finish();
}

/// Best time of some runs, in nanoseconds for one.
fn best(times: u32, mut work: impl FnMut()) -> f64 {
    let runs = if times == 1 { 15 } else { 40 };
    let once = |work: &mut dyn FnMut()| {
        let start = Instant::now();
        (0..times).for_each(|_| work());
        start.elapsed().as_nanos() as f64 / f64::from(times)
    };
    (0..runs).map(|_| once(&mut work)).fold(f64::INFINITY, f64::min)
}

/// The same work in the interpreter: a line `name nanoseconds` each.
const RIVALS: &str = r#"
import struct, sys, timeit
twelve, nested = sys.argv[1:]
def best(name, work, number, repeat=9):
    print(name, min(timeit.repeat(work, number=number, repeat=repeat)) / number * 1e9)
data = bytes(i * 31 % 251 for i in range(20_000_000))
s = struct.Struct("<hhqd")
best("struct.parse", lambda: (struct._clearcache(), struct.calcsize("<hhqd")), 20000)
best("struct.iter_unpack", lambda: [None for _ in s.iter_unpack(data)], 1, 5)
rows = list(s.iter_unpack(data))
out = bytearray(len(data))
def pack():
    for i, row in enumerate(rows):
        s.pack_into(out, i * 20, *row)
best("struct.pack_into", pack, 1, 3)
try:
    import numpy as np
    from numpy._core._internal import _dtype_from_pep3118 as parse
except ImportError:
    sys.exit()
best("numpy.i", lambda: parse("i"), 5000)
best("numpy.12", lambda: parse(twelve), 500)
best("numpy.200", lambda: parse(nested), 20)
codes = [("a", "i2"), ("b", "i2"), ("c", "i8"), ("d", "f8")]
little = np.dtype([(n, "<" + c) for n, c in codes])
big = little.newbyteorder(">")
aligned = np.dtype(codes, align=True)
src, swapped = np.frombuffer(data, little), np.frombuffer(data, big)
dst, padded = np.empty(len(src), little), np.empty(len(src), aligned)
def copy(to, of):
    to[...] = of
best("numpy.same", lambda: copy(dst, src), 1, 15)
best("numpy.swap", lambda: copy(dst, swapped), 1, 15)
best("numpy.aligned", lambda: copy(padded, src), 1, 15)
"#;

fn ratios() {
    let nested = nested();
    let python = std::env::var("EXTBUF_PYTHON").unwrap_or_else(|_| "python3".into());
    let answer = Command::new(&python).args(["-c", RIVALS, TWELVE, &nested]).output();
    let rivals = answer.map(|out| String::from_utf8_lossy(&out.stdout).into_owned()).unwrap_or_default();
    let rival = |name: &str| {
        let line = rivals.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok());
        line.unwrap_or(f64::NAN)
    };

    let Records { little, codec, swapped } = &Records::new();
    let mut packed = vec![Packed::zeroed(); RECORDS];
    let mut aligned = vec![0u8; RECORDS * size_of::<Aligned>()];
    let mut bytes = vec![0u8; little.len()];
    let to_aligned = Transcode::new(codec.format(), &Aligned::FORMAT).expect("the same values");
    let values: Vec<_> = codec.iter_unpack(little).expect("whole records").flatten().collect();
    let parse_numpy = |text: &str| drop(black_box(Format::parse_as(Dialect::NumPy, black_box(text))));

    let rows = [
        ("parse `i`", best(20_000, || parse_numpy("i")), "numpy.i"),
        ("parse `<hhqd`", best(5_000, || drop(black_box(Format::parse(black_box("<hhqd"))))), "struct.parse"),
        ("parse 12 fields", best(2_000, || parse_numpy(TWELVE)), "numpy.12"),
        ("parse 200 fields, nested", best(200, || parse_numpy(&nested)), "numpy.200"),
        (
            "1e6 `<hhqd` to packed structs",
            best(1, || codec.read_into(little, &mut packed).expect("fits")),
            "numpy.same",
        ),
        (
            "1e6 `>hhqd` to packed structs",
            best(1, || swapped.read_into(little, &mut packed).expect("fits")),
            "numpy.swap",
        ),
        (
            "1e6 `<hhqd` to C structs",
            best(1, || to_aligned.run(little, &mut aligned).expect("fits")),
            "numpy.aligned",
        ),
        (
            "the same, into a new `Vec`",
            best(1, || drop(black_box(codec.read::<Aligned>(little)))),
            "struct.iter_unpack",
        ),
        (
            "1e6 `<hhqd` to value trees",
            best(1, || drop(black_box(codec.iter_unpack(little).map(|v| v.map(black_box).count())))),
            "struct.iter_unpack",
        ),
        (
            "packed structs to 1e6 `<hhqd`",
            best(1, || codec.write(&packed, &mut bytes).expect("fits")),
            "struct.pack_into",
        ),
        (
            "value trees to 1e6 `<hhqd`",
            best(1, || {
                for (i, value) in values.iter().enumerate() {
                    codec.pack_into(value, &mut bytes, i * 20).expect("fits");
                }
            }),
            "struct.pack_into",
        ),
    ];
    println!("| work | time | rival | its time | ratio |\n|---|---:|---|---:|---:|");
    for (what, ours, name) in rows {
        let theirs = rival(name);
        println!("| {what} | {} | `{name}` | {} | {:.1}x |", shown(ours), shown(theirs), theirs / ours);
    }
}

fn shown(nanoseconds: f64) -> String {
    match nanoseconds {
        n if n.is_nan() => "-".into(),
        n if n < 1e3 => format!("{n:.0} ns"),
        n if n < 1e6 => format!("{:.2} µs", n / 1e3),
        n => format!("{:.2} ms", n / 1e6),
    }
}

fn main() {
    if std::env::args().any(|arg| arg == "--ratios") {
        return ratios();
    }
    let mut criterion = Criterion::default().configure_from_args();
    parse(&mut criterion);
    records(&mut criterion);
    criterion.final_summary();
}
