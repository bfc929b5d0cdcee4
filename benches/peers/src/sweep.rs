//! Copies that nobody chose: random axes, orders, steps and items, each beside the plain loops in the order of the
//! destination. A table of cases shows where an engine is good; this shows where it is bad.

// Reads and writes items by address.
#![allow(unsafe_code)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use extbuf_layout::{Layout, LayoutError, Order, Slice};
use extbuf_plugin::{Change, Side, Way, Work};

/// Bytes of a copy, at the least: below it the call is what takes time, which the cases of the group `tiny` measure.
const LEAST: usize = 1 << 10;

/// Seconds of one sample, at the least.
const SAMPLE: f64 = 0.0004;

/// One copy: how often the loops' time is the engine's, and which it was.
struct Swept {
    ratio: f64,
    line: String,
}

/// Makes up cases for so long and prints how many the engine lost, and the worst of them.
///
/// # Errors
///
/// What a layout refuses; nothing that is made up here is.
pub fn sweep(seed: u64, time: Duration, threads: usize) -> Result<(), LayoutError> {
    let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let (start, mut all) = (Instant::now(), Vec::new());
    while start.elapsed() < time {
        let swept = match random.below(6) {
            0 => one::<1>(&mut random, threads)?,
            1 => one::<2>(&mut random, threads)?,
            2 | 3 => one::<4>(&mut random, threads)?,
            4 => one::<8>(&mut random, threads)?,
            _ => one::<16>(&mut random, threads)?,
        };
        all.extend(swept);
    }
    all.sort_by(|a, b| a.ratio.total_cmp(&b.ratio));
    let below = |bound: f64| all.iter().filter(|swept| swept.ratio < bound).count();
    let at = |part: usize| all.get(all.len() * part / 4).map_or(f64::NAN, |swept| swept.ratio);
    println!(
        "{} copies; slower than plain loops: {}, by a fifth or more: {}; quartiles {:.2} {:.2} {:.2}",
        all.len(),
        below(1.0),
        below(0.8),
        at(1),
        at(2),
        at(3)
    );
    for swept in all.iter().take(40) {
        println!("{:5.2} {}", swept.ratio, swept.line);
    }
    Ok(())
}

/// Xorshift: the same cases for the same seed, everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % bound
    }

    fn of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())]
    }
}

/// One copy of items of `N` bytes; none where slicing left too little.
fn one<const N: usize>(random: &mut Random, threads: usize) -> Result<Option<Swept>, LayoutError> {
    let ndim = 1 + random.below(4);
    let most = 2 << (8 + random.below(14));
    let extents = [1, 2, 3, 4, 5, 7, 8, 9, 13, 16, 31, 64, 100, 222, 640, 1000, 4000];
    let mut shape: Vec<usize> = (0..ndim).map(|_| random.of(&extents)).collect();
    while shape.iter().product::<usize>() * N > most {
        let axis = random.below(ndim);
        shape[axis] = (shape[axis] / 2).max(1);
    }
    let mut axes: Vec<usize> = (0..ndim).collect();
    for k in (1..ndim).rev() {
        axes.swap(k, random.below(k + 1));
    }
    let block = Layout::contiguous(N, &shape, Order::C)?;
    let mut src = block.permute(&axes)?;
    let steps: Vec<isize> = (0..ndim).map(|_| random.of(&[1, 1, 1, 1, 1, -1, 2, -2, 3])).collect();
    for (axis, &step) in steps.iter().enumerate() {
        src = src.slice_axis(axis, Slice { start: None, stop: None, step: Some(step) })?;
    }
    if src.nbytes() < LEAST {
        return Ok(None);
    }
    let dst = Layout::contiguous(N, src.shape(), Order::C)?;
    let from: Vec<u8> = (0..block.nbytes()).map(|k| (k * 31 % 251) as u8 + 1).collect();
    let (mut to, mut by_loops) = (vec![0u8; dst.nbytes()], vec![0u8; dst.nbytes()]);
    let start = from.as_ptr().wrapping_offset(src.offset(0));
    let in_items = |strides: &[isize]| strides.iter().map(|step| step / N as isize).collect::<Vec<_>>();
    let strides = (in_items(dst.strides(0)), in_items(src.strides(0)));
    let sides = (Side { start: to.as_mut_ptr(), strides: &strides.0 }, Side { start, strides: &strides.1 });
    // SAFETY: the layouts lie inside both vectors, which live as long as the work and are not touched by others.
    let work = unsafe {
        Work::direct(Change::Copy, N, src.shape(), sides.0, sides.1, Way { threads, one_shot: false })
    };
    let Some(mut work) = work else { return Ok(None) };
    let ours = median(|| work.run());
    let target = by_loops.as_mut_ptr();
    let loops = median(|| {
        // SAFETY: as above.
        unsafe { nest::<N>(src.shape(), black_box(target), dst.strides(0), black_box(start), src.strides(0)) }
    });
    assert!(to == by_loops, "{shape:?} turned {axes:?} by steps {steps:?}: not what the loops copied");
    let line = format!(
        "u{N} {shape:?} T{axes:?} steps {steps:?}: {} bytes in {:.2} us, loops {:.2} us",
        to.len(),
        ours * 1e6,
        loops * 1e6
    );
    Ok(Some(Swept { ratio: loops / ours, line }))
}

/// # Safety
///
/// The items at all these places may be read and written.
unsafe fn nest<const N: usize>(shape: &[usize], to: *mut u8, d: &[isize], from: *const u8, s: &[isize]) {
    let (&extent, inner) = shape.split_first().expect("an axis");
    for k in 0..extent as isize {
        let (to, from) = (to.wrapping_offset(k * d[0]), from.wrapping_offset(k * s[0]));
        if inner.is_empty() {
            // SAFETY: the caller's contract; an array of bytes has alignment 1.
            let item = unsafe { from.cast::<[u8; N]>().read() };
            // SAFETY: as above.
            unsafe { to.cast::<[u8; N]>().write(item) };
        } else {
            // SAFETY: the caller's contract, for one step.
            unsafe { nest::<N>(inner, to, &d[1..], from, &s[1..]) };
        }
    }
}

/// Seconds of one run: the median of five samples.
fn median(mut run: impl FnMut()) -> f64 {
    let mut times = 1u32;
    let mut sample = |times: u32| {
        let start = Instant::now();
        for _ in 0..times {
            run();
        }
        start.elapsed().as_secs_f64()
    };
    while sample(times) < SAMPLE {
        times *= 2;
    }
    let mut samples: [f64; 5] = std::array::from_fn(|_| sample(times) / f64::from(times));
    samples.sort_by(f64::total_cmp);
    samples[2]
}
