//! Every plan, in any number of parts, in any order and on several threads, does what the slow twin does and touches
//! no other byte.

#![allow(unsafe_code)]

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};

use common::{Case, cases, large_cases, transposes};
use extbuf_copy::{CopyOptions, Level, Overlap, Plan};
use proptest::prelude::*;

/// Runs the plan of a case in so many parts: in order, in reverse order, or on threads.
fn check(case: &Case, parts: usize, threads: usize) -> Result<(), TestCaseError> {
    let mut laid = case.lay();
    let expected = case.expected(&laid);
    let plan = Plan::new(&laid.dst, &laid.src).unwrap().with_parts(parts);
    prop_assert!(plan.parts() >= 1 && plan.parts() <= parts.max(1));
    let (dst, src) = laid.bases();
    match threads {
        0 => {
            // SAFETY: the arena holds both sides, which do not overlap.
            unsafe { plan.run(dst, src) };
        }
        1 => {
            for part in (0..plan.parts()).rev() {
                // SAFETY: as above.
                unsafe { plan.run_part(dst, src, part) };
            }
        }
        _ => {
            let (next, dst, src) = (AtomicUsize::new(0), dst as usize, src as usize);
            std::thread::scope(|scope| {
                for _ in 0..threads {
                    scope.spawn(|| {
                        loop {
                            let part = next.fetch_add(1, Ordering::Relaxed);
                            if part >= plan.parts() {
                                break;
                            }
                            // SAFETY: as above; parts write disjoint bytes.
                            unsafe { plan.run_part(dst as *mut u8, src as *const u8, part) };
                        }
                    });
                }
            });
        }
    }
    prop_assert!(laid.arena == expected, "differs:\n{plan}");
    Ok(())
}

/// Runs the plan of a case by each kind of instructions that this machine has, through the cache and past it.
fn check_levels(case: &Case, parts: usize) -> Result<(), TestCaseError> {
    let mut laid = case.lay();
    let expected = case.expected(&laid);
    let fresh = laid.arena.clone();
    let plan = Plan::new(&laid.dst, &laid.src).unwrap();
    for level in Level::ALL.into_iter().filter(|&level| level <= Level::of_this_machine()) {
        for streams in [false, true] {
            let plan = plan.clone().at_level(level).streaming(streams).with_parts(parts);
            let (dst, src) = laid.bases();
            // SAFETY: the arena holds both sides, which do not overlap.
            unsafe { plan.run(dst, src) };
            prop_assert!(laid.arena == expected, "streams {streams}, differs:\n{plan}");
            laid.arena.copy_from_slice(&fresh);
        }
    }
    Ok(())
}

/// Runs a case whole, by a plan and without one, by each kind of instructions that this machine has: the copies that are
/// small enough have functions of their own for that.
fn check_whole(case: &Case) -> Result<(), TestCaseError> {
    let mut laid = case.lay();
    let expected = case.expected(&laid);
    let fresh = laid.arena.clone();
    for level in Level::ALL.into_iter().filter(|&level| level <= Level::of_this_machine()) {
        let plan = Plan::new(&laid.dst, &laid.src).unwrap().at_level(level).with_parts(1);
        let (dst, src) = laid.bases();
        // SAFETY: the arena holds both sides, which do not overlap.
        unsafe { plan.run(dst, src) };
        prop_assert!(laid.arena == expected, "differs:\n{plan}");
        laid.arena.copy_from_slice(&fresh);
        let options = CopyOptions { level, ..CopyOptions::default() };
        let (dst, src) = laid.bases();
        // SAFETY: as above.
        let report = unsafe { options.copy_raw((&laid.dst, dst), (&laid.src, src)) }.unwrap();
        prop_assert!(laid.arena == expected, "differs at {level}: {report}");
        prop_assert_eq!((report.bytes, report.overlap), (plan.bytes(), Overlap::None));
        laid.arena.copy_from_slice(&fresh);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn whole_at_every_level(case in cases(2)) {
        check_whole(&case)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(common::share(300)) })]

    #[test]
    fn every_level(case in cases(2), parts in 1usize..=9) {
        check_levels(&case, parts)?;
    }

    #[test]
    fn every_level_of_large_cases(case in large_cases(), parts in 1usize..=9) {
        check_levels(&case, parts)?;
    }

    #[test]
    fn every_level_of_transposes(case in transposes(), parts in 1usize..=9) {
        check_levels(&case, parts)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(3000) })]

    #[test]
    fn any_layouts(case in cases(3), parts in 1usize..=9, reversed in 0usize..=1) {
        check(&case, parts, reversed)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1500) })]

    #[test]
    fn direct_layouts(case in cases(1), parts in 1usize..=9, reversed in 0usize..=1) {
        check(&case, parts, reversed)?;
    }
}

/// Each byte is written by one part and by one only.
fn check_parts(case: &Case, parts: usize) -> Result<(), TestCaseError> {
    let mut laid = case.lay();
    let expected = case.expected(&laid);
    let written = case.written(&laid);
    let plan = Plan::new(&laid.dst, &laid.src).unwrap().with_parts(parts);
    let (dst, src) = laid.bases();
    let mut times = vec![0; laid.arena.len()];
    for part in 0..plan.parts() {
        for &place in &written {
            laid.arena[place] = !expected[place];
        }
        // SAFETY: the arena holds both sides, which do not overlap.
        unsafe { plan.run_part(dst, src, part) };
        for &place in &written {
            times[place] += usize::from(laid.arena[place] == expected[place]);
        }
    }
    prop_assert!(written.iter().all(|&place| times[place] == 1), "{plan}");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn parts_write_disjoint_bytes(case in cases(3), parts in 2usize..=9) {
        check_parts(&case, parts)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(common::share(40)) })]

    #[test]
    fn parts_of_tiles_write_disjoint_bytes(case in large_cases(), parts in 2usize..=9) {
        check_parts(&case, parts)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(common::share(200)) })]

    #[test]
    fn whole_tiles(case in large_cases(), parts in 1usize..=9, reversed in 0usize..=1) {
        check(&case, parts, reversed)?;
    }

    #[test]
    fn on_threads(case in cases(2), parts in 1usize..=12, threads in 2usize..=4) {
        check(&case, parts, threads)?;
    }
}
