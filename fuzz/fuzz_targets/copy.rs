//! Two random layouts in one block, apart or overlapping, with loads, copied in real memory and by the slow twin: every
//! byte of the block is as the twin has it, gaps and tables of pointers too.
#![no_main]
// The raw copy is what is tested.
#![allow(unsafe_code)]

use extbuf_copy::{CopyOptions, Level, Threads};
use extbuf_fuzz::{Sides, layout, noise, point, slow};
use extbuf_testkit::copy_arena::build;
use extbuf_testkit::copy_slow::SlowMemory;
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
struct Case {
    sides: Sides,
    itemsize: u8,
    start: u8,
    /// Where the destination begins: in the source's bytes, or behind them.
    over: Option<u16>,
    threads: u8,
    level: u8,
}

fuzz_target!(|case: Case| {
    let Some(shape) = case.sides.shape(4000) else { return };
    let itemsize = usize::from(case.itemsize % 40);
    let mut used = usize::from(case.start % 64);
    let src = build(&shape, itemsize, &case.sides.side(true), &mut used);
    let mut end = match case.over {
        Some(place) => usize::from(place) % (used + 1),
        None => used + 7,
    };
    let dst = build(&shape, itemsize, &case.sides.side(false), &mut end);
    used = used.max(end);
    if used > 1 << 22 {
        return;
    }
    // No byte is of a pointer of both.
    let crossed =
        |place: usize| src.pointers.iter().any(|&(other, _)| place.abs_diff(other) < size_of::<usize>());
    if case.over.is_some() && dst.pointers.iter().any(|&(place, _)| crossed(place)) {
        return;
    }
    let mut arena = noise(used + 32, 0);
    point(&mut arena, src.pointers.iter().chain(&dst.pointers));
    let base = arena.as_mut_ptr();
    let start = base as usize;
    let mut memory = SlowMemory { start, bytes: arena.clone() };
    memory.copy(itemsize, &shape, &slow(start, &dst), &slow(start, &src));

    let (to, from) = (base.wrapping_add(dst.base), base.wrapping_add(src.base));
    let options = CopyOptions {
        threads: Threads::AtMost(1 + usize::from(case.threads % 3)),
        level: [Level::Portable, Level::Avx2, Level::Avx512][usize::from(case.level % 3)],
        ..CopyOptions::default()
    };
    let (dst, src) = (layout(itemsize, &shape, &dst), layout(itemsize, &shape, &src));
    // SAFETY: all items and tables of both layouts lie in the arena, and the recipes of a destination name no byte
    // twice; no stored pointer of the one is the other's.
    let copied = unsafe { options.copy_raw((&dst, to), (&src, from)) };
    let report = copied.expect("equal shapes and itemsizes");
    assert!(arena == memory.bytes, "{dst:?} from {src:?}: {report}");
});
