//! What an operation on a layout costs, beside its rivals at the same work: `ndarray` with a dynamic number of axes,
//! `ndarray-layout`, and NumPy through the interpreter.
//!
//! Criterion measures each operation on its own. After that a table sets them against one another: all are timed in turn,
//! many rounds, the fastest round counts. NumPy is asked through `python3` or the interpreter named by `EXTBUF_PYTHON`;
//! where it is missing the table says so.

use std::hint::black_box;
use std::process::Command;
use std::time::Instant;

use criterion::Criterion;
use extbuf_layout::{Layout, Order, Slice, SliceItem, s};
use ndarray::{ArrayViewD, Axis, IxDyn, SliceInfoElem};
use ndarray_layout::{ArrayLayout, Endian, SliceArg};

/// A contestant: who, and one operation.
type Entry<'a> = (&'static str, Box<dyn Fn() + 'a>);

const SHAPE: [usize; 3] = [480, 640, 3];

fn image(rows: isize) -> Layout {
    Layout::from_suboffsets(1, &[rows, 640, 3], &[8, 3, 1], Some(&[0, -1, -1]), 0).unwrap()
}

fn entry<'a, T>(who: &'static str, operation: impl Fn() -> T + 'a) -> Entry<'a> {
    let call = move || {
        // By reference: moving the answer once more is no part of any operation.
        black_box(&operation());
    };
    (who, Box::new(call))
}

/// All operations, each with its contestants, ours first.
fn operations<'a>(
    ours: &'a Layout,
    view: &'a ArrayViewD<'a, u8>,
    peer: &'a ArrayLayout<3>,
) -> Vec<(&'static str, Vec<Entry<'a>>)> {
    let (ours, view, peer) = (move || black_box(ours), move || black_box(view), move || black_box(peer));
    let items: [SliceItem; 3] = s![10..400;2, ..;-1, 1..];
    let elem = |start, end, step| SliceInfoElem::Slice { start, end, step };
    let elems = [elem(10, Some(400), 2), elem(0, None, -1), elem(1, None, 1)];
    let arg = |axis, start, step, len| SliceArg { axis, start, step, len };
    let args = [arg(0, 10, 2, 195), arg(1, 639, -1, 640), arg(2, 1, 1, 2)];
    let (axes, wide) = ([2, 0, 1], [7, 480, 640, 3]);
    let slice = [
        entry("extbuf", move || ours().slice(black_box(&items))),
        entry("ndarray IxDyn", move || view().slice(black_box(&elems[..]))),
        entry("ndarray-layout", move || peer().slice_many(black_box(&args))),
    ];
    let slice_axis = [
        entry("extbuf", move || ours().slice_axis(1, Slice::from(100..200))),
        entry("ndarray IxDyn", move || view().slice_axis(Axis(1), (100..200).into())),
        entry("ndarray-layout", move || peer().slice(1, 100, 1, 100)),
    ];
    let index_axis = [
        entry("extbuf", move || ours().index_axis(1, black_box(7))),
        entry("ndarray IxDyn", move || view().index_axis(Axis(1), black_box(7))),
        entry("ndarray-layout", move || peer().index(1, black_box(7))),
    ];
    let permute = [
        entry("extbuf", move || ours().permute(black_box(&axes))),
        entry("ndarray IxDyn", move || view().view().permuted_axes(black_box(&axes[..]))),
        entry("ndarray-layout", move || peer().transpose(black_box(&axes))),
    ];
    let broadcast = [
        entry("extbuf", move || ours().broadcast_to(black_box(&wide))),
        entry("ndarray IxDyn", move || view().broadcast(IxDyn(black_box(&wide)))),
    ];
    let copy = [
        entry("extbuf", move || ours().clone()),
        entry("ndarray IxDyn", move || view().view()),
        entry("ndarray-layout", move || peer().clone()),
    ];
    vec![
        ("slice of 3 axes", slice.into()),
        ("slice of 1 axis", slice_axis.into()),
        ("index of 1 axis", index_axis.into()),
        ("permute 2, 0, 1", permute.into()),
        ("broadcast to 4 axes", broadcast.into()),
        ("copy of the value", copy.into()),
    ]
}

/// Cutting rows and columns of an image behind row pointers: the work must not depend on the number of rows.
fn indirect<'a>(few: &'a Layout, many: &'a Layout) -> Vec<Entry<'a>> {
    let items: [SliceItem; 3] = s![1..3, 100..200, ..];
    vec![
        entry("4 rows", move || black_box(few).slice(black_box(&items))),
        entry("4320 rows", move || black_box(many).slice(black_box(&items))),
    ]
}

/// Nanoseconds of one call each, the fastest of many rounds taken in turn.
fn in_turn(entries: &[Entry<'_>]) -> Vec<f64> {
    const CALLS: u32 = 20_000;
    let mut best = vec![f64::INFINITY; entries.len()];
    for _ in 0..25 {
        for (best, (_, call)) in best.iter_mut().zip(entries) {
            let start = Instant::now();
            for _ in 0..CALLS {
                call();
            }
            *best = best.min(start.elapsed().as_nanos() as f64 / f64::from(CALLS));
        }
    }
    best
}

/// The same operations in NumPy: its nanoseconds, in the order of the names.
fn numpy() -> Result<Vec<(&'static str, f64)>, String> {
    let names = ["slice of 3 axes", "permute 2, 0, 1", "broadcast to 4 axes"];
    let script = "
import timeit
import numpy as np
a = np.zeros((480, 640, 3), np.uint8)
for words in ['a[10:400:2, ::-1, 1:]', 'a.transpose(2, 0, 1)', 'np.broadcast_to(a, (7, 480, 640, 3))']:
    print(min(timeit.repeat(words, globals=globals(), number=20000, repeat=9)) / 20000 * 1e9)
";
    let python = std::env::var("EXTBUF_PYTHON").unwrap_or_else(|_| "python3".into());
    let out =
        Command::new(&python).args(["-c", script]).output().map_err(|error| format!("{python}: {error}"))?;
    if !out.status.success() {
        let reason = String::from_utf8_lossy(&out.stderr);
        return Err(format!("{python}: {}", reason.lines().last().unwrap_or("failed")));
    }
    let times = String::from_utf8_lossy(&out.stdout)
        .lines()
        .map(|line| line.parse().unwrap_or(f64::NAN))
        .collect::<Vec<_>>();
    Ok(names.into_iter().zip(times).collect())
}

fn main() {
    let ours = Layout::contiguous(1, &SHAPE, Order::C).unwrap();
    let memory = vec![0u8; SHAPE.iter().product()];
    let view = ArrayViewD::from_shape(IxDyn(&SHAPE), &memory).unwrap();
    let peer = ArrayLayout::<3>::new_contiguous(&SHAPE, Endian::BigEndian, 1);
    let (few, many) = (image(4), image(4320));
    let operations = operations(&ours, &view, &peer);
    let indirect = indirect(&few, &many);

    let mut criterion = Criterion::default()
        .warm_up_time(std::time::Duration::from_millis(300))
        .measurement_time(std::time::Duration::from_millis(700))
        .configure_from_args();
    for (operation, entries) in &operations {
        let mut group = criterion.benchmark_group(*operation);
        for (who, call) in entries {
            group.bench_function(*who, |bencher| bencher.iter(call));
        }
        group.finish();
    }
    let mut group = criterion.benchmark_group("slice behind row pointers");
    for (rows, call) in &indirect {
        group.bench_function(*rows, |bencher| bencher.iter(call));
    }
    group.finish();
    criterion.final_summary();
    if std::env::args().any(|arg| arg == "--test" || arg == "--list") {
        return;
    }

    println!("\n{:<26}{:<16}{:>9}{:>22}", "operation", "who", "ns", "times extbuf's cost");
    let numpy = numpy();
    for (operation, entries) in &operations {
        let times = in_turn(entries);
        let mut rows: Vec<_> = entries.iter().map(|entry| entry.0).zip(times).collect();
        rows.extend(numpy.iter().flatten().filter(|row| row.0 == *operation).map(|row| ("NumPy", row.1)));
        for (who, ns) in &rows {
            println!("{operation:<26}{who:<16}{ns:>9.1}{:>21.2}x", ns / rows[0].1);
        }
    }
    let times = in_turn(&indirect);
    for ((rows, _), ns) in indirect.iter().zip(&times) {
        println!("{:<26}{rows:<16}{ns:>9.1}{:>21.2}x", "slice behind row pointers", ns / times[0]);
    }
    if let Err(reason) = numpy {
        println!("NumPy was not compared: {reason}");
    }
}
