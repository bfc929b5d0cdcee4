//! Conversions between any two layouts, of numbers and of records, against the slow way: every item taken by itself, and
//! no other byte touched; serial and parallel, in every form of the loops.

#![allow(unsafe_code)]

mod common;

use common::{Case, cases, large_cases};
use extbuf_copy::{CopyErrorKind, CopyOptions, FieldRules, Level, Mode, Threads, ViewPlan};
use extbuf_format::Format;
use extbuf_testkit::convert_records::{self, Kind};
use extbuf_testkit::convert_slow::SlowMode;
use proptest::prelude::*;

struct Noise(u64);

impl Noise {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % n
    }
}

/// Whether both mean the same format.
fn equal(a: &Kind, b: &Kind) -> bool {
    Format::parse(&a.text()) == Format::parse(&b.text())
}

const MODES: [(Mode, SlowMode); 3] = [
    (Mode::Checked, SlowMode::Checked),
    (Mode::Saturating, SlowMode::Saturating),
    (Mode::Wrapping, SlowMode::Wrapping),
];

fn check(case: &Case, seed: u64, tame: bool) -> Result<(), TestCaseError> {
    let mut noise = Noise(seed);
    let src_kind = Kind::random(&mut |n| noise.below(n), 2);
    let dst_kind = src_kind.other(&mut |n| noise.below(n));
    let (mode, slow_mode) = MODES[noise.below(3)];
    let level = Level::ALL[noise.below(4)];
    let (dst_format, src_format) =
        (Format::parse(&dst_kind.text()).unwrap(), Format::parse(&src_kind.text()).unwrap());
    prop_assert_eq!(dst_format.itemsize(), dst_kind.size());
    let mut laid = case.lay_sizes(dst_kind.size(), src_kind.size());
    let places = case.places(&laid);
    if tame {
        // Small numbers, so that most fit wherever they go.
        for &(_, from) in &places {
            for at in from..from + src_kind.size() {
                laid.arena[at] &= if noise.below(3) == 0 { 0x3c } else { 0 };
            }
        }
    }
    let (before, mut expected) = (laid.arena.clone(), laid.arena.clone());
    let mut refused = None;
    for (number, &(to, from)) in places.iter().enumerate() {
        let mut item = before[to..to + dst_kind.size()].to_vec();
        let source = &before[from..from + src_kind.size()];
        let fits = convert_records::convert((&dst_kind, &mut item), (&src_kind, source), slow_mode, &equal);
        if !fits && refused.is_none() {
            refused = Some(number);
        }
        expected[to..to + dst_kind.size()].copy_from_slice(&item);
    }
    let options =
        CopyOptions { mode, level, threads: Threads::AtMost(1 + noise.below(3)), ..CopyOptions::default() };
    let plan = ViewPlan::of((&laid.dst, &dst_format), (&laid.src, &src_format), options);
    let plan = plan.map_err(|e| TestCaseError::fail(format!("{src_format} to {dst_format}: {e}")))?;
    let (dst, src) = laid.bases();
    // SAFETY: the arena holds both sides, which do not overlap.
    let result = unsafe { plan.run_raw(dst, src) };
    match (result, refused) {
        (Ok(_), None) => {
            prop_assert!(laid.arena == expected, "{src_format} to {dst_format}, {mode:?}, {level}:\n{plan}");
        }
        (Err(error), Some(number)) => {
            prop_assert!(
                laid.arena == before,
                "nothing is half written: {src_format} to {dst_format}\n{plan}"
            );
            let mut index = vec![0; case.shape.len()];
            let mut rest = number;
            for (k, n) in index.iter_mut().zip(&case.shape).rev() {
                *k = rest % n;
                rest /= n;
            }
            match error.kind() {
                CopyErrorKind::Value(bad) => prop_assert_eq!(&bad.index, &index, "{}", error),
                _ => prop_assert!(false, "{error}"),
            }
        }
        (result, refused) => {
            prop_assert!(
                false,
                "{src_format} to {dst_format}, {mode:?}: {result:?}, expected {refused:?}\n{plan}"
            );
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1500) })]

    #[test]
    fn any_layouts_and_formats(case in cases(3), seed in any::<u64>(), tame in any::<bool>()) {
        check(&case, seed, tame)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(common::share(60)) })]

    #[test]
    fn many_boxes(case in large_cases(), seed in any::<u64>(), tame in any::<bool>()) {
        check(&case, seed, tame)?;
    }
}

#[test]
fn rules_for_fields_that_only_one_side_has() {
    let format = |text: &str| Format::parse(text).unwrap();
    let (dst, src) = (format("<T{h:a:i:b:}"), format("<T{i:c:b:a:}"));
    let of = |format: &Format| {
        extbuf_layout::Layout::contiguous(format.itemsize(), &[2], extbuf_layout::Order::C).unwrap()
    };
    let options = |allow_missing, allow_extra| CopyOptions {
        fields: FieldRules { allow_missing, allow_extra },
        ..CopyOptions::default()
    };
    let plan = |missing, extra| ViewPlan::of((&of(&dst), &dst), (&of(&src), &src), options(missing, extra));
    assert!(
        matches!(plan(false, true).unwrap_err().kind(), CopyErrorKind::MissingField { name } if name == "b")
    );
    assert!(
        matches!(plan(true, false).unwrap_err().kind(), CopyErrorKind::ExtraField { name } if name == "c")
    );
    let plan = plan(true, true).unwrap();
    let mut out = [0xEE; 12];
    // SAFETY: two items on both sides.
    unsafe { plan.run_raw(out.as_mut_ptr(), [9, 9, 9, 9, 1, 9, 9, 9, 9, 0xFE].as_ptr()) }.unwrap();
    assert_eq!(out, [1, 0, 0xEE, 0xEE, 0xEE, 0xEE, 0xFE, 0xFF, 0xEE, 0xEE, 0xEE, 0xEE]);
}
