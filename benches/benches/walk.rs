//! What a loop over a typed view costs, beside a loop over a plain slice and over `ndarray`'s `ArrayViewD`.
//!
//! All contestants of a case are timed in turn, many rounds in one process, and the fastest round of each counts; what is
//! to be read is the last column. Cases stay inside the second level cache, so that the loop is measured and not the
//! memory. `fold` hands the loop to the iterator, `for` asks it for each item.

use std::hint::black_box;
use std::time::Instant;

use extbuf::prelude::*;
use ndarray::{ArrayViewD, ArrayViewMutD, IxDyn, SliceInfoElem};

type Entry<'a> = (&'static str, Box<dyn FnMut() -> u32 + 'a>);

fn entry<'a>(who: &'static str, run: impl FnMut() -> u32 + 'a) -> Entry<'a> {
    (who, Box::new(run))
}

/// Nanoseconds an item, the fastest of many rounds taken in turn.
fn in_turn(entries: &mut [Entry<'_>], items: usize, rounds: usize) -> Vec<f64> {
    let calls = (400_000 / items).max(1);
    let mut best = vec![f64::INFINITY; entries.len()];
    for _ in 0..rounds {
        for (best, (_, run)) in best.iter_mut().zip(&mut *entries) {
            let start = Instant::now();
            for _ in 0..calls {
                black_box(run());
            }
            *best = best.min(start.elapsed().as_nanos() as f64 / (calls * items) as f64);
        }
    }
    best
}

fn by_for<'a>(items: impl IntoIterator<Item = &'a u32>) -> u32 {
    let mut sum = 0u32;
    for x in items {
        sum = sum.wrapping_add(x ^ 5);
    }
    sum
}

fn by_fold<'a>(items: impl Iterator<Item = &'a u32>) -> u32 {
    items.fold(0u32, |sum, x| sum.wrapping_add(x ^ 5))
}

fn compare(case: &str, items: usize, mut entries: Vec<Entry<'_>>, test: bool) {
    let sums: Vec<u32> = entries.iter_mut().map(|entry| entry.1()).collect();
    assert!(sums.iter().all(|&sum| sum == sums[0]), "{case}: {sums:?}");
    let times = in_turn(&mut entries, items, if test { 1 } else { 200 });
    for ((who, _), ns) in entries.iter().zip(&times) {
        println!("{case:<34}{who:<22}{ns:>8.3}{:>8.2}x", ns / times[0]);
    }
}

fn main() {
    let test = std::env::args().any(|arg| arg == "--test" || arg == "--list");
    println!("{:<34}{:<22}{:>8}{:>9}", "case", "who", "ns/item", "to first");

    // Side by side: a slice is the measure.
    let numbers: Vec<u32> = (0..20_000).collect();
    let view = View::from_slice(&numbers).typed::<u32>().unwrap();
    let theirs = ArrayViewD::from_shape(IxDyn(&[20_000]), &numbers).unwrap();
    compare(
        "contiguous, fold",
        numbers.len(),
        vec![
            entry("slice", || by_fold(black_box(&numbers).iter())),
            entry("TypedView", || by_fold(black_box(&view).iter())),
            entry("ndarray", || by_fold(black_box(&theirs).iter())),
        ],
        test,
    );
    compare(
        "contiguous, for",
        numbers.len(),
        vec![
            entry("slice", || by_for(black_box(&numbers))),
            entry("TypedView", || by_for(black_box(&view))),
            entry("TypedView, by runs", || {
                black_box(&view).runs().fold(0u32, |sum, run| sum.wrapping_add(by_for(run)))
            }),
            entry("ndarray", || by_for(black_box(&theirs))),
        ],
        test,
    );
    compare(
        "contiguous, by index",
        numbers.len(),
        vec![
            entry("slice", || {
                let numbers = black_box(&numbers);
                (0..black_box(20_000)).fold(0u32, |sum, i| sum.wrapping_add(numbers[i] ^ 5))
            }),
            entry("TypedView", || {
                let view = black_box(&view);
                (0..black_box(20_000)).fold(0u32, |sum, i| sum.wrapping_add(view[[i]] ^ 5))
            }),
            entry("ndarray", || {
                let theirs = black_box(&theirs);
                (0..black_box(20_000)).fold(0u32, |sum, i| sum.wrapping_add(theirs[[i]] ^ 5))
            }),
        ],
        test,
    );
    let mut one = numbers.clone();
    let mut two = numbers.clone();
    let mut three = numbers.clone();
    let mut view = ViewMut::from_slice(&mut two).typed::<u32>().unwrap();
    let mut theirs = ArrayViewMutD::from_shape(IxDyn(&[20_000]), &mut three).unwrap();
    compare(
        "contiguous, written by for_each",
        numbers.len(),
        vec![
            entry("slice", || {
                black_box(&mut one).iter_mut().for_each(|x| *x = x.wrapping_add(3));
                0
            }),
            entry("TypedViewMut", || {
                black_box(&mut view).iter_mut().for_each(|x| *x = x.wrapping_add(3));
                0
            }),
            entry("ndarray", || {
                black_box(&mut theirs).iter_mut().for_each(|x| *x = x.wrapping_add(3));
                0
            }),
        ],
        test,
    );

    // Not side by side: `ndarray` is the measure.
    let shape = [100, 60, 3];
    let numbers: Vec<u32> = (0..18_000).collect();
    let whole = ArrayViewD::from_shape(IxDyn(&shape), &numbers).unwrap();
    let layout = Layout::contiguous(4, &shape, Order::C).unwrap();
    let lease = Lease::from_slice(&numbers);
    let export = Export::new(lease, &layout, &u32::FORMAT, Request::FULL_RO).unwrap().keep();
    let cut = |start, end: Option<isize>, step| SliceInfoElem::Slice { start, end, step };
    type Case<'a> = (&'a str, Vec<SliceItem>, [SliceInfoElem; 3], [usize; 3]);
    let cases: [Case<'_>; 5] = [
        (
            "every second column",
            s![.., ..;2, ..].into(),
            [cut(0, None, 1), cut(0, None, 2), cut(0, None, 1)],
            [0, 1, 2],
        ),
        (
            "one channel of three",
            s![.., .., 1..2].into(),
            [cut(0, None, 1), cut(0, None, 1), cut(1, Some(2), 1)],
            [0, 1, 2],
        ),
        (
            "channels backwards",
            s![.., .., ..;-1].into(),
            [cut(0, None, 1), cut(0, None, 1), cut(0, None, -1)],
            [0, 1, 2],
        ),
        (
            "planes of channels",
            s![.., .., ..].into(),
            [cut(0, None, 1), cut(0, None, 1), cut(0, None, 1)],
            [2, 0, 1],
        ),
        ("transposed", s![.., .., ..].into(), [cut(0, None, 1), cut(0, None, 1), cut(0, None, 1)], [2, 1, 0]),
    ];
    for (case, ours, theirs, axes) in cases {
        let view = export.view().slice(ours).unwrap().permute(&axes).unwrap().typed::<u32>().unwrap();
        let other = whole.slice(&theirs[..]).permuted_axes(&axes[..]);
        for (how, fold) in [("fold", true), ("for", false)] {
            compare(
                &format!("{case}, {how}"),
                view.len(),
                vec![
                    entry("ndarray", || {
                        let items = black_box(&other).iter();
                        if fold { by_fold(items) } else { by_for(items) }
                    }),
                    entry("TypedView", || {
                        let items = black_box(&view).iter();
                        if fold { by_fold(items) } else { by_for(items) }
                    }),
                ],
                test,
            );
        }
    }
}
