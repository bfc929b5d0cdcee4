//! Items of one format to items of another, numbers, arrays and records by their fields, between two random layouts with
//! loads: as the slow twin has every byte, or refused at the value that the twin refuses, with nothing written.
#![no_main]
// The raw conversion is what is tested.
#![allow(unsafe_code)]

use extbuf_copy::{CopyErrorKind, CopyOptions, Level, Mode, Threads, ViewPlan};
use extbuf_format::Format;
use extbuf_fuzz::{Sides, layout, noise, point, slow};
use extbuf_testkit::convert_records::{Kind, convert};
use extbuf_testkit::convert_slow::SlowMode;
use extbuf_testkit::copy_arena::build;
use extbuf_testkit::copy_slow::{SlowMemory, indices};
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
struct Case {
    sides: Sides,
    start: u8,
    options: (u8, u8, u8),
    /// Numbers small enough to fit anywhere, mostly.
    tame: bool,
    kinds: Vec<u8>,
    items: Vec<u8>,
}

const MODES: [(Mode, SlowMode); 3] = [
    (Mode::Checked, SlowMode::Checked),
    (Mode::Saturating, SlowMode::Saturating),
    (Mode::Wrapping, SlowMode::Wrapping),
];

fuzz_target!(|case: Case| {
    let Some(shape) = case.sides.shape(600) else { return };
    let mut drawn = case.kinds.iter();
    let mut below = |n: usize| drawn.next().map_or(0, |&byte| usize::from(byte) % n);
    let src_kind = Kind::random(&mut below, 2);
    let dst_kind = src_kind.other(&mut below);
    let formats = (Format::parse(&dst_kind.text()).unwrap(), Format::parse(&src_kind.text()).unwrap());
    assert_eq!((formats.0.itemsize(), formats.1.itemsize()), (dst_kind.size(), src_kind.size()));

    let mut used = usize::from(case.start % 64);
    let src = build(&shape, src_kind.size(), &case.sides.side(true), &mut used);
    used += 7;
    let dst = build(&shape, dst_kind.size(), &case.sides.side(false), &mut used);
    if used > 1 << 20 {
        return;
    }
    let mut arena = noise(used + 32, 1);
    if case.tame {
        arena.iter_mut().enumerate().for_each(|(k, byte)| *byte &= if k % 3 == 0 { 0x3c } else { 0 });
    }
    for (byte, &given) in arena.iter_mut().zip(case.items.iter().cycle().take(4 * case.items.len())) {
        *byte = given;
    }
    point(&mut arena, src.pointers.iter().chain(&dst.pointers));
    let start = arena.as_ptr() as usize;
    let memory = SlowMemory { start, bytes: arena.clone() };
    let sides = (slow(start, &dst), slow(start, &src));

    let (mode, slow_mode) = MODES[usize::from(case.options.0 % 3)];
    let equal = |a: &Kind, b: &Kind| Format::parse(&a.text()) == Format::parse(&b.text());
    let (mut expected, mut refused) = (arena.clone(), None);
    for index in indices(&shape) {
        let at = |side| memory.address(side, &index) as usize - start;
        let (to, from) = (at(&sides.0), at(&sides.1));
        let mut item = arena[to..to + dst_kind.size()].to_vec();
        let source = &arena[from..from + src_kind.size()];
        if !convert((&dst_kind, &mut item), (&src_kind, source), slow_mode, &equal) && refused.is_none() {
            refused = Some(index);
        }
        expected[to..to + dst_kind.size()].copy_from_slice(&item);
    }

    let options = CopyOptions {
        mode,
        threads: Threads::AtMost(1 + usize::from(case.options.1 % 3)),
        level: Level::ALL[usize::from(case.options.2) % Level::ALL.len()],
        ..CopyOptions::default()
    };
    let layouts = (layout(dst_kind.size(), &shape, &dst), layout(src_kind.size(), &shape, &src));
    let plan = ViewPlan::of((&layouts.0, &formats.0), (&layouts.1, &formats.1), options)
        .unwrap_or_else(|error| panic!("{} from {}: {error}", formats.0, formats.1));
    let base = arena.as_mut_ptr();
    // SAFETY: the arena holds both sides, which lie apart.
    match (unsafe { plan.run_raw(base.wrapping_add(dst.base), base.wrapping_add(src.base)) }, refused) {
        (Ok(_), None) => assert!(arena == expected, "{} from {}, {mode:?}:\n{plan}", formats.0, formats.1),
        (Err(error), Some(index)) => {
            assert!(arena == memory.bytes, "half written: {} from {}\n{plan}", formats.0, formats.1);
            match error.kind() {
                CopyErrorKind::Value(bad) => assert_eq!(bad.index, index, "{error}"),
                _ => panic!("{error}"),
            }
        }
        (result, refused) => {
            panic!("{} from {}, {mode:?}: {result:?}, expected {refused:?}\n{plan}", formats.0, formats.1);
        }
    }
});
