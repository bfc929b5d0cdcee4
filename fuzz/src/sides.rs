//! Two sides of a copy by a recipe, as the library and as the slow twin see them, and the arena that holds them.

// Tables of pointers are written by hand.
#![allow(unsafe_code)]

use extbuf_layout::{Layout, LayoutSpec, LevelSpec};
use extbuf_testkit::copy_arena::{AxisRecipe, Built, LevelRecipe, Step};
use extbuf_testkit::copy_slow::SlowSide;
use libfuzzer_sys::arbitrary::{self, Arbitrary};

/// Two sides of equal shape, each on one to three levels.
#[derive(Arbitrary, Debug)]
pub struct Sides {
    axes: Vec<Axis>,
    dst: [Gap; 3],
    src: [Gap; 3],
    levels: (u8, u8),
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

impl Sides {
    /// The extents, of so many items at most; nothing where there are too many axes.
    pub fn shape(&self, most: usize) -> Option<Vec<usize>> {
        if self.axes.len() > 8 {
            return None;
        }
        let mut shape: Vec<usize> = self.axes.iter().map(|axis| usize::from(axis.extent % 80)).collect();
        while shape.iter().product::<usize>() > most {
            let largest = (0..shape.len()).max_by_key(|&axis| shape[axis]).expect("several axes");
            shape[largest] /= 2;
        }
        Some(shape)
    }

    /// The recipe of one side. A destination names no byte twice.
    pub fn side(&self, source: bool) -> Vec<LevelRecipe> {
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
                let here =
                    order.iter().copied().filter(|&axis| usize::from(of(axis).level) % levels == level);
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

/// What was laid out, as the library sees it.
pub fn layout(itemsize: usize, shape: &[usize], built: &Built) -> Layout {
    let shape: Vec<isize> = shape.iter().map(|&n| n as isize).collect();
    let levels: Vec<LevelSpec<'_>> =
        built.levels.iter().map(|(offset, strides)| LevelSpec { offset: *offset, strides }).collect();
    Layout::new(&LayoutSpec { itemsize, shape: &shape, levels: &levels }).expect("a layout inside an arena")
}

/// What was laid out, as the slow twin sees it.
pub fn slow(start: usize, built: &Built) -> SlowSide {
    let levels = built.levels.iter().map(|(o, s)| (*o as i64, s.iter().map(|&s| s as i64).collect()));
    SlowSide { base: start + built.base, levels: levels.collect() }
}

/// Bytes without a pattern.
pub fn noise(length: usize, seed: u32) -> Vec<u8> {
    let mut noise = 0x9e37_79b9_u32 ^ seed << 1;
    let next = |_| {
        noise ^= noise << 13;
        noise ^= noise >> 17;
        noise ^= noise << 5;
        (noise >> 11) as u8
    };
    (0..length).map(next).collect()
}

/// Writes the tables of pointers into the arena.
pub fn point<'a>(arena: &mut [u8], pointers: impl Iterator<Item = &'a (usize, usize)>) {
    let base = arena.as_mut_ptr();
    for &(place, target) in pointers {
        assert!(place + size_of::<usize>() <= arena.len() && target <= arena.len());
        // SAFETY: both places lie in the arena, as just checked; a table may lie at an odd address.
        unsafe { base.wrapping_add(place).cast::<*mut u8>().write_unaligned(base.wrapping_add(target)) };
    }
}
