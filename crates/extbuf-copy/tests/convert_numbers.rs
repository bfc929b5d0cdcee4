//! Every number format into every other, in every mode, byte order and form of the loops, against exact arithmetic.

#![allow(unsafe_code)]

use extbuf_copy::{CopyErrorKind, CopyOptions, Level, Mode, Threads, ViewPlan};
use extbuf_format::Format;
use extbuf_layout::{Layout, Order};
use extbuf_testkit::convert_slow::{SlowFormat, SlowMode};

const MODES: [(Mode, SlowMode); 3] = [
    (Mode::Checked, SlowMode::Checked),
    (Mode::Saturating, SlowMode::Saturating),
    (Mode::Wrapping, SlowMode::Wrapping),
];

fn levels() -> impl Iterator<Item = Level> {
    Level::ALL.into_iter().filter(|&level| level <= Level::of_this_machine())
}

/// Numbers of a format, as bits: all of them up to 8 bits and of half floats, else those where something changes and many between.
fn bits(slow: SlowFormat) -> Vec<u64> {
    let width = 8 * slow.width() as u32;
    let float = matches!(slow, SlowFormat::Float { .. });
    if width == 8 || width == 16 && float {
        return (0..1 << width).collect();
    }
    if width == 16 {
        return (0..1 << width).filter(|x| x % 37 == 0 || (x + 40) % 0x100 < 80).collect();
    }
    let mask = if width == 64 { u64::MAX } else { (1 << width) - 1 };
    let mut all = vec![0, mask];
    // Powers of two, their neighbours, and the same below zero.
    for k in 0..width {
        for near in -2i64..=2 {
            let x = (1u64 << k).wrapping_add_signed(near);
            all.extend([x, x.wrapping_neg(), !x]);
        }
    }
    if let SlowFormat::Float { exponent, fraction } = slow {
        // Every exponent with fractions that end every way, and whole numbers around every bound of an integer.
        let bias = (1u64 << (exponent - 1)) - 1;
        for field in 0..1u64 << exponent {
            // Of a double those near 1, near the ends of a single and of a half float, and some.
            let near = field.abs_diff(bias);
            let ends = near < 70 || near.abs_diff(127) < 30 || field < 4 || field + 4 > 1 << exponent;
            if exponent > 8 && !ends && field % 32 != 0 {
                continue;
            }
            let below =
                [0, 1, 2, 3, 1 << (fraction - 1), (1 << (fraction - 1)) - 1, (1 << (fraction - 1)) + 1];
            let halves =
                (0..fraction).flat_map(|k| [1u64 << k, (1 << k) + 1, (3 << k) & ((1 << fraction) - 1)]);
            let few = |k: &u64| field % 16 == 15 || field > (1 << exponent) - 4 || field < 4 || *k < 8;
            for rest in
                below.into_iter().chain(halves.filter(few)).chain([(1 << fraction) - 1, (1 << fraction) - 2])
            {
                for sign in [0, 1u64 << (width - 1)] {
                    all.push(sign | field << fraction | rest);
                }
            }
        }
        for k in 0..66 {
            for near in [-1.0, -0.5, -1e-9, 0.0, 0.25, 0.5, 0.75, 1.0, 1.5] {
                for x in [2f64.powi(k) + near, -(2f64.powi(k)) + near] {
                    all.push(if width == 64 { x.to_bits() } else { u64::from((x as f32).to_bits()) });
                }
            }
        }
    }
    let mut noise = 0x9e37_79b9_7f4a_7c15_u64;
    for k in 0..1500 {
        noise = noise.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        // Of every length.
        all.push((noise >> (k % 64)) & mask);
        all.push(((noise as i64) >> (k % 64)) as u64 & mask);
    }
    all.iter_mut().for_each(|x| *x &= mask);
    all
}

fn store(bits: &[u64], width: usize, big: bool, lead: usize) -> Vec<u8> {
    let mut bytes = vec![0xA5; lead];
    for x in bits {
        let le = x.to_le_bytes();
        let number = le[..width].iter().copied();
        if big { bytes.extend(number.rev()) } else { bytes.extend(number) }
    }
    bytes
}

fn format(name: &str, big: bool) -> Format {
    let mark = if big { '>' } else { '<' };
    Format::parse(&format!("{mark}{name}")).unwrap()
}

/// Converts numbers that lie side by side from byte 1 on to the same, with a guard around.
fn run(plan: &ViewPlan<'_>, src: &[u8], to: usize, n: usize) -> Result<Vec<u8>, CopyErrorKind> {
    let mut out = vec![0x5A; 3 + to * n + 5];
    // SAFETY: both blocks hold as many numbers as the plan's layouts, from byte 1 and 3 on.
    let result = unsafe { plan.run_raw(out.as_mut_ptr().wrapping_add(3), src.as_ptr().wrapping_add(1)) };
    assert!(out[..3].iter().chain(&out[3 + to * n..]).all(|&byte| byte == 0x5A), "outside the destination");
    if result.is_err() {
        assert!(out.iter().all(|&byte| byte == 0x5A), "nothing is half written");
    }
    result.map(|_| out[3..3 + to * n].to_vec()).map_err(|error| error.kind().clone())
}

#[test]
fn every_pair() {
    let mut compared = 0usize;
    for (from_name, from) in SlowFormat::ALL {
        let all = bits(from);
        let from_integer = !matches!(from, SlowFormat::Float { .. });
        for (to_name, to) in SlowFormat::ALL {
            for (mode, slow_mode) in MODES {
                // Where nothing can go wrong the modes are one.
                if mode != Mode::Checked && !matches!(to, SlowFormat::Integer { .. }) {
                    continue;
                }
                // What only changes its byte order is not looked at as a number.
                let one = |&x: &u64| {
                    if from == to { Some(x) } else { to.encode(from.decode(x), from_integer, slow_mode) }
                };
                let expected: Vec<Option<u64>> = all.iter().map(one).collect();
                for (big_from, big_to) in [(false, false), (true, false), (false, true), (true, true)] {
                    let (src_format, dst_format) = (format(from_name, big_from), format(to_name, big_to));
                    let native = cfg!(target_endian = "big");
                    let turned = (big_from, big_to) != (native, native);
                    // The orders are a pass of their own: a few of all numbers show it.
                    let chosen = || all.iter().zip(&expected).step_by(if turned { 41 } else { 1 });
                    let fits: Vec<u64> = chosen().filter(|(_, e)| e.is_some()).map(|(&x, _)| x).collect();
                    let good: Vec<u64> = chosen().filter_map(|(_, e)| *e).collect();
                    let plan = |n: usize, level: Level| {
                        let of = |width| Layout::contiguous(width, &[n], Order::C).unwrap();
                        let options =
                            CopyOptions { mode, level, threads: Threads::ONE, ..CopyOptions::default() };
                        let (dst, src) = (of(to.width()), of(from.width()));
                        ViewPlan::of((&dst, &dst_format), (&src, &src_format), options).unwrap()
                    };
                    let src = store(&fits, from.width(), big_from, 1);
                    let wanted = store(&good, to.width(), big_to, 0);
                    for level in levels().filter(|&level| !turned || level == Level::of_this_machine()) {
                        let plan = plan(fits.len(), level);
                        let made = run(&plan, &src, to.width(), fits.len()).unwrap();
                        if plan.is_copy() {
                            // A byte of a bool is copied as it is.
                            continue;
                        }
                        compared += fits.len();
                        if made != wanted {
                            let at = made.iter().zip(&wanted).position(|(a, b)| a != b).unwrap() / to.width();
                            let w = to.width();
                            panic!(
                                "{src_format} to {dst_format}, {mode:?}, {level}: {:#x} became {:x?}, not {:x?}\n{plan}",
                                fits[at],
                                &made[at * w..(at + 1) * w],
                                &wanted[at * w..(at + 1) * w],
                            );
                        }
                    }
                    // The first that does not fit is named, wherever it stands.
                    if let Some(first) = chosen().position(|(_, e)| e.is_none()) {
                        let all: Vec<u64> = chosen().map(|(&x, _)| x).collect();
                        let src = store(&all, from.width(), big_from, 1);
                        for level in levels().filter(|&level| !turned || level == Level::of_this_machine()) {
                            match run(&plan(all.len(), level), &src, to.width(), all.len()) {
                                Err(CopyErrorKind::Value(bad)) => {
                                    assert_eq!(
                                        bad.index,
                                        [first],
                                        "{src_format} to {dst_format}: {:x}",
                                        all[first]
                                    );
                                }
                                other => panic!("{other:?}"),
                            }
                        }
                    }
                }
            }
        }
    }
    println!("{compared} conversions compared");
}
