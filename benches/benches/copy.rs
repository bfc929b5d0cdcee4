//! Copies between layouts, each beside a plain copy of the same number of bytes.
//!
//! - `crop_rows`: slicing a picture held as row pointers, 4 rows and 4320 rows. It is integer arithmetic on the layout,
//!   so the two must cost the same. Beside it, what moving the crop costs.
//! - `copy`: the cases of the book's chapter on copying.
//!
//! `cargo bench -p extbuf-benches --bench copy -- --ratios` prints the chapter's table: best times with 1 thread and
//! with the pool's, and their ratio to the plain copy.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput};
use extbuf::copy::{CopyOptions, Plan, Report, Threads};
use extbuf::prelude::*;

/// A source as it is lent, and where it is copied to.
struct Case {
    name: &'static str,
    src: Window<'static>,
    dst: Array<'static>,
}

impl Case {
    /// A dense block of items, and what is made of it.
    fn new<T: Item>(name: &'static str, shape: &[usize], turn: fn(View<'_>) -> View<'_>) -> Case {
        let block = dense::<T>(shape);
        let src = block.window(Request::FULL_RO).expect("nobody writes");
        Case::of(name, src.map(|view| Ok::<_, ()>(turn(view))).expect("turning does not fail"))
    }

    fn of(name: &'static str, src: Window<'static>) -> Case {
        let layout = Layout::contiguous(src.layout().itemsize(), src.shape(), Order::C).expect("fits");
        let memory = Memory::from_vec(vec![1u8; layout.nbytes()]);
        let dst = Array::new(memory, layout, src.format().clone()).expect("the block holds it");
        Case { name, src, dst }
    }

    fn bytes(&self) -> usize {
        self.src.layout().nbytes()
    }

    fn run(&self, threads: Threads) -> Report {
        let mut export = self.dst.export(Request::FULL).expect("nobody else holds it");
        let mut dst = export.view_mut().expect("writable");
        CopyOptions { threads, ..CopyOptions::default() }
            .copy(&mut dst, &self.src.view())
            .expect("shapes agree")
    }
}

/// The items of the cases.
trait Item: Element {}
impl Item for u8 {}
impl Item for u16 {}
impl Item for f32 {}
impl Item for f64 {}

fn dense<T: Item>(shape: &[usize]) -> Array<'static> {
    let layout = Layout::contiguous(size_of::<T>(), shape, Order::C).expect("fits");
    let noise = (0..layout.nbytes() as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8);
    Array::new(Memory::from_vec(noise.collect::<Vec<u8>>()), layout, T::FORMAT).expect("the block holds it")
}

fn picture(height: usize, width: usize, channels: usize) -> Rows<'static> {
    let row = |r: usize| (0..width * channels).map(|b| (r * 31 + b * 7) as u8).collect::<Vec<u8>>();
    Rows::from_vecs((0..height).map(row).collect(), &[width, channels]).expect("equal rows")
}

fn crop(rows: &Rows<'static>) -> Window<'static> {
    let window = rows.window(Request::FULL_RO).expect("nobody writes");
    window.slice(s![1.., 1000..3000]).expect("inside")
}

/// Built one by one, so that only one case is in memory.
fn cases() -> Vec<fn() -> Case> {
    vec![
        || Case::new::<u8>("contiguous, 64 MB", &[64 << 20], |v| v),
        || Case::new::<u8>("transpose u8 4096 x 4096", &[4096, 4096], |v| v.transpose()),
        || Case::new::<u16>("transpose u16 4096 x 4096", &[4096, 4096], |v| v.transpose()),
        || Case::new::<f32>("transpose f32 1024 x 1024", &[1024, 1024], |v| v.transpose()),
        || Case::new::<f32>("transpose f32 4096 x 4096", &[4096, 4096], |v| v.transpose()),
        || Case::new::<f32>("transpose f32 7919 x 7919", &[7919, 7919], |v| v.transpose()),
        || Case::new::<f64>("transpose f64 4096 x 4096", &[4096, 4096], |v| v.transpose()),
        || Case::new::<u8>("HWC to CHW u8 1080p", &[1080, 1920, 3], |v| v.permute(&[2, 0, 1]).unwrap()),
        || Case::new::<u8>("CHW to HWC u8 1080p", &[3, 1080, 1920], |v| v.permute(&[1, 2, 0]).unwrap()),
        || Case::new::<u8>("RGB to BGR u8 1080p", &[1080, 1920, 3], |v| v.reverse_axis(2).unwrap()),
        || Case::new::<f32>("reversed f32, 64 MB", &[16 << 20], |v| v.reverse_axis(0).unwrap()),
        || Case::new::<f32>("every second f32, 64 MB", &[32 << 20], |v| v.slice(s![..;2]).unwrap()),
        || {
            Case::new::<u8>("crop of RGB 4320p", &[4320, 7680, 3], |v| {
                v.slice(s![100..4000, 1000..3000]).unwrap()
            })
        },
        || Case::new::<f32>("axes reversed, 64 x 48 x 32 x 64 f32", &[64, 48, 32, 64], |v| v.transpose()),
        || Case::new::<f32>("axes reversed, 22 axes of 2 f32", &[2; 22], |v| v.transpose()),
        || {
            Case::of(
                "row pointers, whole RGBA 4320p",
                picture(4320, 7680, 4).window(Request::FULL_RO).unwrap(),
            )
        },
        || Case::of("row pointers, crop of RGBA 4320p", crop(&picture(4320, 7680, 4))),
        || {
            let rows = picture(1080, 1920, 3).window(Request::FULL_RO).unwrap();
            Case::of("row pointers, RGB to CHW u8 1080p", rows.map(|view| view.permute(&[2, 0, 1])).unwrap())
        },
        || {
            let rows = picture(4096, 4096, 4).window(Request::FULL_RO).unwrap();
            Case::of(
                "row pointers, RGBA 4096 x 4096 by columns",
                rows.map(|view| view.permute(&[1, 0, 2])).unwrap(),
            )
        },
    ]
}

fn crop_rows(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("crop_rows");
    for height in [4, 4320] {
        let rows = picture(height, 7680, 4);
        let window = rows.window(Request::FULL_RO).expect("nobody writes");
        group.bench_with_input(BenchmarkId::new("slice", height), &window, |bencher, window| {
            bencher.iter(|| black_box(window.view()).slice(s![1.., 1000..3000]).expect("inside"));
        });
        let case = Case::of("crop", crop(&rows));
        group.bench_with_input(BenchmarkId::new("slice_and_copy", height), &case, |bencher, case| {
            bencher.iter(|| case.run(Threads::ONE));
        });
    }
}

fn copy(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("copy");
    group.sample_size(10).measurement_time(Duration::from_secs(1)).warm_up_time(Duration::from_millis(300));
    for make in cases() {
        let case = make();
        group.throughput(Throughput::Bytes(case.bytes() as u64));
        for (label, threads) in [("1 thread", Threads::ONE), ("pool", Threads::Pool)] {
            group.bench_function(BenchmarkId::new(case.name, label), |bencher| {
                bencher.iter(|| case.run(threads));
            });
        }
    }
    group.finish();
    for (name, shape, order) in [
        ("plan 8 x 8 transpose", &[8, 8][..], &[1, 0][..]),
        ("plan 4 axes turned over", &[40, 48, 56, 64], &[3, 1, 0, 2]),
        ("plan 4 axes, two of them exchanged", &[16, 1024, 12, 64], &[0, 2, 1, 3]),
        ("plan 6 axes turned over", &[8, 9, 10, 11, 12, 13], &[5, 3, 1, 0, 2, 4]),
    ] {
        let src = Layout::contiguous(4, shape, Order::C).and_then(|l| l.permute(order)).expect("fits");
        let dst = Layout::contiguous(4, src.shape(), Order::C).expect("fits");
        criterion.bench_function(name, |bencher| {
            bencher.iter(|| Plan::new(black_box(&dst), black_box(&src)));
        });
    }
}

/// The best time of one run and of what came before.
fn better(best: &mut f64, run: impl FnOnce()) {
    let start = Instant::now();
    run();
    *best = best.min(start.elapsed().as_secs_f64());
}

fn ratios() {
    println!("| copy | kernel | bytes | plain copy | 1 thread | ratio | pool | ratio |");
    println!("|---|---|---|---|---|---|---|---|");
    for make in cases() {
        let case = make();
        let bytes = case.bytes();
        let (from, mut to) = (vec![2u8; bytes], vec![1u8; bytes]);
        let mut report = None;
        // By turns, so that a busy moment of the machine falls on all of them; the best time is the copy's own.
        let (mut plain, mut one, mut pool) = (f64::MAX, f64::MAX, f64::MAX);
        for _ in 0..(2_000_000_000 / bytes).clamp(10, 400) {
            better(&mut plain, || black_box(&mut to).copy_from_slice(black_box(&from)));
            better(&mut one, || report = Some(case.run(Threads::ONE)));
            better(&mut pool, || report = Some(case.run(Threads::Pool)));
        }
        let kernel = report.expect("it ran").kernel;
        let time =
            |t: f64| if t < 1e-3 { format!("{:.0} us", t * 1e6) } else { format!("{:.1} ms", t * 1e3) };
        println!(
            "| {} | {kernel} | {bytes} | {} | {} | {:.2} | {} | {:.2} |",
            case.name,
            time(plain),
            time(one),
            plain / one,
            time(pool),
            plain / pool
        );
    }
}

fn main() {
    if std::env::args().any(|arg| arg == "--ratios") {
        return ratios();
    }
    let mut criterion = Criterion::default().configure_from_args();
    crop_rows(&mut criterion);
    copy(&mut criterion);
    criterion.final_summary();
}
