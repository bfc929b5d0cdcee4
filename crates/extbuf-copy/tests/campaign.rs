//! The campaign: copies of every kind that there is, drawn at random, each compared byte for byte with the slow way.
//!
//! Layouts of 0 to 6 axes, and chains of many short ones; items of 0 to 33 bytes at any address; strides that are
//! negative, zero or gapped; up to two loads on either side; source and destination apart, or one over the other in the
//! same block; in 1 to 9 parts on pools of 1 to 8 threads; with every form of the kernels. The whole arena is compared:
//! the bytes to be written, the gaps between them, the guards around them, the tables of pointers and the source.
//!
//! 5000 cases, or as many as `EXTBUF_CASES` says; `cargo xtask ci --full` runs 100 000.

#![allow(unsafe_code)]

mod common;

use common::{Case, Laid, cases, large_cases, transposes};
use extbuf_copy::{CopyOptions, Level, Overlap, Plan, Threads};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rayon::{ThreadPool, ThreadPoolBuilder};

#[derive(Clone, Debug)]
struct Draw {
    case: Case,
    /// Where the destination begins, where the two are in one place; the source begins at byte 100.
    over: Option<usize>,
    parts: usize,
    threads: usize,
    level: Level,
}

fn draws() -> impl Strategy<Value = Draw> {
    let apart = prop_oneof![60 => cases(3).boxed(), 4 => large_cases().boxed(), 4 => transposes().boxed()];
    let drawn = prop_oneof![
        3 => apart.prop_map(|case| (case, None)),
        1 => (cases(1), 0usize..=200, any::<bool>()).prop_map(|(mut case, behind, alike)| {
            // Equal strides on both sides are the way to go forwards or backwards.
            if alike {
                case.src = case.dst.clone();
            }
            (case, Some(behind))
        }),
    ];
    let level = prop::sample::select(Level::ALL.to_vec());
    (drawn, 1usize..=9, 1usize..=8, level).prop_map(|((case, over), parts, threads, level)| Draw {
        case,
        over,
        parts,
        threads,
        level,
    })
}

fn pool(threads: usize) -> &'static ThreadPool {
    static POOLS: std::sync::OnceLock<Vec<ThreadPool>> = std::sync::OnceLock::new();
    let pools = POOLS
        .get_or_init(|| (1..=8).map(|n| ThreadPoolBuilder::new().num_threads(n).build().unwrap()).collect());
    &pools[threads - 1]
}

/// Runs a draw; answers with how the two sides lay to each other.
fn run(draw: &Draw, laid: &mut Laid) -> Overlap {
    let options =
        CopyOptions { level: draw.level, threads: Threads::AtMost(draw.threads), ..CopyOptions::default() };
    let (dst, src) = laid.bases();
    let (dst, src) = (dst as usize, src as usize);
    pool(draw.threads).install(|| {
        let (dst, src) = (dst as *mut u8, src as *const u8);
        let report = match draw.over {
            None => {
                let plan =
                    Plan::new(&laid.dst, &laid.src).unwrap().at_level(draw.level).with_parts(draw.parts);
                // SAFETY: the arena holds both sides, which do not overlap.
                unsafe { options.run(&plan, dst, src) }
            }
            // SAFETY: the arena holds both sides.
            Some(_) => unsafe { options.copy_raw((&laid.dst, dst), (&laid.src, src)) },
        };
        report.unwrap().overlap
    })
}

/// What the memory sanitizer knows of bytes, in the step `msan` of our runner; elsewhere nothing is known.
mod shadow {
    #[cfg(msan)]
    unsafe extern "C" {
        fn __msan_poison(start: *const std::ffi::c_void, bytes: usize);
        fn __msan_test_shadow(start: *const std::ffi::c_void, bytes: usize) -> isize;
    }

    /// These bytes count as never written from here on, whatever is in them.
    #[cfg(msan)]
    pub(super) fn unwritten(block: &mut [u8], places: &[usize]) {
        let base = block.as_mut_ptr();
        for &place in places {
            assert!(place < block.len());
            // SAFETY: the byte lies in the block; the call marks it and writes nothing to it.
            unsafe { __msan_poison(base.wrapping_add(place).cast(), 1) };
        }
    }

    /// The first of these bytes that counts as never written.
    #[cfg(msan)]
    pub(super) fn left(block: &[u8], places: &[usize]) -> Option<usize> {
        let base = block.as_ptr();
        places.iter().copied().find(|&place| {
            assert!(place < block.len());
            // SAFETY: the byte lies in the block, and the call does not read it but what is known of it.
            unsafe { __msan_test_shadow(base.wrapping_add(place).cast(), 1) != -1 }
        })
    }

    #[cfg(not(msan))]
    pub(super) fn unwritten(_: &mut [u8], _: &[usize]) {}

    #[cfg(not(msan))]
    pub(super) fn left(_: &[u8], _: &[usize]) -> Option<usize> {
        None
    }

    /// Or the step would prove nothing.
    #[cfg(msan)]
    #[test]
    fn what_nobody_wrote_is_seen_until_somebody_does() {
        let mut block = vec![7; 4];
        unwritten(&mut block, &[1, 2]);
        assert_eq!(left(&block, &[0, 1, 2, 3]), Some(1));
        block[1] = 7;
        assert_eq!(left(&block, &[0, 1, 2, 3]), Some(2));
        block[2] = 7;
        assert_eq!(left(&block, &[0, 1, 2, 3]), None);
    }
}

#[test]
fn random_copies_of_every_kind() {
    let wanted = std::env::var("EXTBUF_CASES").ok();
    let wanted = wanted.map_or(5000, |text| text.parse().expect("EXTBUF_CASES is a number"));
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(wanted) });
    let met = std::cell::RefCell::new(std::collections::BTreeMap::<String, usize>::new());
    let result = runner.run(&draws(), |draw| {
        let mut laid = match draw.over {
            None => draw.case.lay(),
            Some(behind) => draw.case.lay_over(behind),
        };
        let expected = draw.case.expected(&laid);
        // A place that is read too must count as written.
        let places = if draw.over.is_none() { draw.case.written(&laid) } else { Vec::new() };
        shadow::unwritten(&mut laid.arena, &places);
        let overlap = run(&draw, &mut laid);
        let left = shadow::left(&laid.arena, &places);
        prop_assert_eq!(left, None, "no kernel wrote it\n{}", Plan::new(&laid.dst, &laid.src).unwrap());
        prop_assert!(laid.arena == expected, "{overlap:?}\n{}", Plan::new(&laid.dst, &laid.src).unwrap());
        let levels = laid.dst.levels().max(laid.src.levels());
        *met.borrow_mut().entry(format!("{overlap:?}, {levels} levels")).or_default() += 1;
        Ok(())
    });
    if let Err(failure) = result {
        panic!("{failure}");
    }
    let met = met.into_inner();
    println!("{wanted} copies compared: {met:?}");
    // Every kind has been met, or the campaign does not say what it claims.
    for kind in ["None, 1", "None, 2", "None, 3", "Forward, 1", "Backward, 1", "Staged, 1"] {
        assert!(wanted < 5000 || met.keys().any(|key| key.starts_with(kind)), "no copy of the kind {kind}");
    }
}
