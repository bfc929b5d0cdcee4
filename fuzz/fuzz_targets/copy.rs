//! Two random layouts over one block, with loads, copied in real memory and by the slow twin: every byte of the block
//! is as the twin has it, gaps and tables of pointers too.
#![no_main]
// Tables of pointers are written by hand, and the raw copy is what is tested.
#![allow(unsafe_code)]

use extbuf_copy::{CopyOptions, Level, Threads};
use extbuf_layout::{Layout, LayoutSpec, LevelSpec};
use extbuf_testkit::copy_arena::{AxisRecipe, Built, LevelRecipe, Step, build};
use extbuf_testkit::copy_slow::{SlowMemory, SlowSide};
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
struct Case {
    axes: Vec<Axis>,
    itemsize: u8,
    start: u8,
    dst: [Gap; 3],
    src: [Gap; 3],
    levels: (u8, u8),
    threads: u8,
    level: u8,
}

#[derive(Arbitrary, Debug)]
struct Axis {
    extent: u8,
    dst: Move,
    src: Move,
    /// Where among the axes of its level it stands.
    order: (u8, u8),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
struct Move {
    level: u8,
    kind: u8,
    gap: u8,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
struct Gap {
    guard: u8,
    lead: u8,
    shared: bool,
}

impl Case {
    fn side(&self, source: bool) -> Vec<LevelRecipe> {
        let (levels, gaps) = if source { (self.levels.1, &self.src) } else { (self.levels.0, &self.dst) };
        let levels = usize::from(levels % 3) + 1;
        let mut order: Vec<usize> = (0..self.axes.len()).collect();
        order.sort_by_key(|&axis| {
            let (dst, src) = self.axes[axis].order;
            if source { src } else { dst }
        });
        (0..levels)
            .map(|level| {
                let of = |axis: usize| if source { self.axes[axis].src } else { self.axes[axis].dst };
                let here = order.iter().copied().filter(|&axis| usize::from(of(axis).level) % levels == level);
                let axes = here.map(|axis| {
                    let Move { kind, gap, .. } = of(axis);
                    let gap = usize::from(gap % 10);
                    let step = match kind % 8 {
                        0..=3 => Step::Over(gap),
                        4 | 5 => Step::Back(gap),
                        _ if source => Step::Free(gap),
                        _ => Step::Over(0),
                    };
                    AxisRecipe { axis, step }
                });
                let Gap { guard, lead, shared } = gaps[level];
                LevelRecipe {
                    axes: axes.collect(),
                    guard: usize::from(guard % 10),
                    lead: usize::from(lead % 20),
                    shared: shared && source,
                }
            })
            .collect()
    }
}

fn layout(itemsize: usize, shape: &[usize], built: &Built) -> Layout {
    let shape: Vec<isize> = shape.iter().map(|&n| n as isize).collect();
    let levels: Vec<LevelSpec<'_>> =
        built.levels.iter().map(|(offset, strides)| LevelSpec { offset: *offset, strides }).collect();
    Layout::new(&LayoutSpec { itemsize, shape: &shape, levels: &levels }).expect("a layout inside an arena")
}

fn slow(start: usize, built: &Built) -> SlowSide {
    let levels = built.levels.iter().map(|(o, s)| (*o as i64, s.iter().map(|&s| s as i64).collect()));
    SlowSide { base: start + built.base, levels: levels.collect() }
}

fuzz_target!(|case: Case| {
    if case.axes.len() > 8 {
        return;
    }
    let itemsize = usize::from(case.itemsize % 40);
    let mut shape: Vec<usize> = case.axes.iter().map(|axis| usize::from(axis.extent % 80)).collect();
    while shape.iter().product::<usize>() > 4000 {
        let largest = (0..shape.len()).max_by_key(|&axis| shape[axis]).expect("several axes");
        shape[largest] /= 2;
    }
    let mut used = usize::from(case.start % 64);
    let src = build(&shape, itemsize, &case.side(true), &mut used);
    used += 7;
    let dst = build(&shape, itemsize, &case.side(false), &mut used);
    if used > 1 << 22 {
        return;
    }
    let mut noise = 0x9e37_79b9_u32;
    let mut arena: Vec<u8> = (0..used + 32)
        .map(|_| {
            noise ^= noise << 13;
            noise ^= noise >> 17;
            noise ^= noise << 5;
            (noise >> 11) as u8
        })
        .collect();
    let base = arena.as_mut_ptr();
    for &(place, target) in src.pointers.iter().chain(&dst.pointers) {
        assert!(place + size_of::<usize>() <= arena.len() && target <= arena.len());
        // SAFETY: both places lie in the arena, as just checked; a table may lie at an odd address.
        unsafe { base.wrapping_add(place).cast::<*mut u8>().write_unaligned(base.wrapping_add(target)) };
    }
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
    // twice.
    let copied = unsafe { options.copy_raw((&dst, to), (&src, from)) };
    copied.expect("equal shapes and itemsizes");
    assert!(arena == memory.bytes, "{dst:?} from {src:?}");
});
