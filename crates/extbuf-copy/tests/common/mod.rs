//! Cases for the properties: shapes and recipes drawn by proptest, laid into one arena of real memory with poison
//! everywhere, and compared byte for byte, gaps and tables too, with what the slow twin makes of a snapshot.

#![allow(unsafe_code, dead_code, unreachable_pub)]

use extbuf_layout::{Layout, LayoutSpec, LevelSpec};
use extbuf_testkit::copy_arena::{AxisRecipe, Built, LevelRecipe, Step, build};
use extbuf_testkit::copy_slow::{SlowMemory, SlowSide, indices};
use proptest::prelude::*;

/// Which side of a copy a recipe is for: a destination never names a byte twice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Role {
    Destination,
    Source,
}

#[derive(Clone, Debug)]
pub struct Case {
    pub shape: Vec<usize>,
    pub itemsize: usize,
    pub dst: Vec<LevelRecipe>,
    pub src: Vec<LevelRecipe>,
    pub start: usize,
}

/// So many cases, or the share of them that `EXTBUF_CASES` leaves of the campaign's 5000: under a checker or an emulator
/// each access costs many times as much, and large blocks are all accesses.
pub fn share(cases: u32) -> u32 {
    let wanted = std::env::var("EXTBUF_CASES").ok().and_then(|text| text.parse::<u32>().ok());
    (cases * wanted.unwrap_or(5000).min(5000) / 5000).max(1)
}

/// 0 to 6 axes, 1 to 3 levels on either side, items of 0 to 33 bytes, half of them of the sizes that kernels are made for.
pub fn cases(levels: usize) -> impl Strategy<Value = Case> {
    let itemsize =
        prop_oneof![0usize..=33, prop::sample::select(vec![1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 24, 32])];
    let extent = prop_oneof![12 => 2usize..=5, 3 => Just(1), 1 => Just(0), 2 => 6usize..=40];
    (prop::collection::vec(extent, 0..=6), itemsize, 0usize..=16)
        .prop_map(|(mut shape, itemsize, start)| {
            while shape.iter().product::<usize>() > 300 {
                let largest = (0..shape.len()).max_by_key(|&axis| shape[axis]).unwrap();
                shape[largest] /= 2;
            }
            (shape, itemsize, start)
        })
        .prop_flat_map(move |(shape, itemsize, start)| {
            let dst = side(Role::Destination, shape.clone(), levels);
            let src = side(Role::Source, shape.clone(), levels);
            (Just(shape), Just(itemsize), dst, src, Just(start))
        })
        .prop_map(|(shape, itemsize, dst, src, start)| Case { shape, itemsize, dst, src, start })
}

/// Of so many items together: four axes of 200 are more than 32 bits count.
fn bytes(shape: &[usize], itemsize: usize) -> u64 {
    shape.iter().map(|&extent| extent as u64).product::<u64>() * itemsize as u64
}

/// Large enough for whole tiles and many parts: 2 or 3 axes, direct.
pub fn large_cases() -> impl Strategy<Value = Case> {
    let extent = prop_oneof![1 => 2usize..=5, 3 => 20usize..=140];
    (prop::collection::vec(extent, 2..=3), 1usize..=17, 0usize..=16)
        .prop_map(|(mut shape, itemsize, start)| {
            while bytes(&shape, itemsize) > 1 << 17 {
                let largest = (0..shape.len()).max_by_key(|&axis| shape[axis]).unwrap();
                shape[largest] /= 2;
            }
            (shape, itemsize, start)
        })
        .prop_flat_map(|(shape, itemsize, start)| {
            let dst = side(Role::Destination, shape.clone(), 1);
            let src = side(Role::Source, shape.clone(), 1);
            (Just(shape), Just(itemsize), dst, src, Just(start))
        })
        .prop_map(|(shape, itemsize, dst, src, start)| Case { shape, itemsize, dst, src, start })
}

/// Permutations between dense blocks and blocks with gaps, of few long axes and of many short ones: what tiles are laid on.
pub fn transposes() -> impl Strategy<Value = Case> {
    let few = prop::collection::vec(prop_oneof![1 => 2usize..=9, 4 => 10usize..=200], 2..=4);
    let many = prop::collection::vec(2usize..=3, 6..=14);
    let size = prop_oneof![4 => prop::sample::select(vec![1usize, 2, 4, 8, 16]), 1 => 1usize..=33];
    (prop_oneof![2 => few, 1 => many], size, 0usize..=70)
        .prop_map(|(mut shape, itemsize, start)| {
            while bytes(&shape, itemsize) > 1 << 17 {
                let largest = (0..shape.len()).max_by_key(|&axis| shape[axis]).unwrap();
                shape[largest] /= 2;
            }
            (shape, itemsize, start)
        })
        .prop_flat_map(|(shape, itemsize, start)| {
            let permuted = |back: u32| {
                let gap = prop_oneof![8 => Just(0usize), 1 => 1usize..=9];
                let step =
                    prop_oneof![9 => gap.clone().prop_map(Step::Over), back => gap.prop_map(Step::Back)];
                let axes = shape.len();
                let order = Just((0..axes).collect::<Vec<_>>()).prop_shuffle();
                (order, prop::collection::vec(step, axes), 0usize..=64).prop_map(|(order, steps, lead)| {
                    let axes = order.into_iter().map(|axis| AxisRecipe { axis, step: steps[axis] }).collect();
                    vec![LevelRecipe { axes, guard: 9, lead, shared: false }]
                })
            };
            let (dst, src) = (permuted(1), permuted(1));
            (Just(shape.clone()), Just(itemsize), dst, src, Just(start))
        })
        .prop_map(|(shape, itemsize, dst, src, start)| Case { shape, itemsize, dst, src, start })
}

fn side(role: Role, shape: Vec<usize>, most: usize) -> impl Strategy<Value = Vec<LevelRecipe>> {
    let gap = || prop_oneof![6 => Just(0usize), 2 => 1usize..=9];
    let step = match role {
        Role::Destination => {
            prop_oneof![3 => gap().prop_map(Step::Over), 1 => gap().prop_map(Step::Back)].boxed()
        }
        Role::Source => prop_oneof![
            6 => gap().prop_map(Step::Over),
            2 => gap().prop_map(Step::Back),
            1 => Just(Step::Free(0)),
            1 => (1usize..=9).prop_map(Step::Free),
        ]
        .boxed(),
    };
    let axes = shape.len();
    let axis = (0..most, prop::option::weighted(0.15, 0..most), step);
    let level = (0usize..=9, 0usize..=20, prop::bool::weighted(0.2));
    (
        1..=most,
        prop::collection::vec(axis, axes),
        prop::collection::vec(level, most),
        Just((0..axes).collect::<Vec<_>>()).prop_shuffle(),
    )
        .prop_map(move |(levels, moves, gaps, order)| {
            let small = shape.iter().product::<usize>() <= 24;
            (0..levels)
                .map(|level| {
                    let (guard, lead, shared) = gaps[level];
                    let here = |&axis: &usize| {
                        let (home, extra, _) = moves[axis];
                        home % levels == level
                            || (small && extra.is_some_and(|extra| extra % levels == level))
                    };
                    let axes = order.iter().copied().filter(here);
                    let axes = axes.map(|axis| AxisRecipe { axis, step: moves[axis].2 }).collect();
                    LevelRecipe { axes, guard, lead, shared: shared && role == Role::Source }
                })
                .collect()
        })
}

/// A case in real memory.
pub struct Laid {
    pub arena: Vec<u8>,
    pub dst: Layout,
    pub src: Layout,
    dst_built: Built,
    src_built: Built,
}

impl Case {
    pub fn lay(&self) -> Laid {
        self.lay_sizes(self.itemsize, self.itemsize)
    }

    /// With the destination laid from the start of the arena plus so many bytes on, the source from byte 100 on, one over
    /// the other: for direct sides.
    pub fn lay_over(&self, behind: usize) -> Laid {
        let mut used = self.start + 100;
        let src_built = build(&self.shape, self.itemsize, &self.src, &mut used);
        let mut over = self.start + behind;
        let dst_built = build(&self.shape, self.itemsize, &self.dst, &mut over);
        self.laid(self.itemsize, self.itemsize, used.max(over), dst_built, src_built)
    }

    /// With items of one size in the destination and of another in the source.
    pub fn lay_sizes(&self, dst_size: usize, src_size: usize) -> Laid {
        let mut used = self.start;
        let src_built = build(&self.shape, src_size, &self.src, &mut used);
        used += 7;
        let dst_built = build(&self.shape, dst_size, &self.dst, &mut used);
        self.laid(dst_size, src_size, used, dst_built, src_built)
    }

    /// Real memory with poison everywhere, and the pointers in it.
    fn laid(
        &self,
        dst_size: usize,
        src_size: usize,
        used: usize,
        dst_built: Built,
        src_built: Built,
    ) -> Laid {
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
        for &(place, target) in src_built.pointers.iter().chain(&dst_built.pointers) {
            assert!(place + size_of::<usize>() <= arena.len() && target <= arena.len());
            // SAFETY: both places lie in the arena, as just checked; a table may lie at an odd address.
            unsafe { base.wrapping_add(place).cast::<*mut u8>().write_unaligned(base.wrapping_add(target)) };
        }
        Laid {
            arena,
            dst: layout(dst_size, &self.shape, &dst_built),
            src: layout(src_size, &self.shape, &src_built),
            dst_built,
            src_built,
        }
    }

    /// What the arena of a laid case must hold after the copy.
    pub fn expected(&self, laid: &Laid) -> Vec<u8> {
        let start = laid.arena.as_ptr() as usize;
        let mut memory = SlowMemory { start, bytes: laid.arena.clone() };
        memory.copy(self.itemsize, &self.shape, &slow(start, &laid.dst_built), &slow(start, &laid.src_built));
        memory.bytes
    }

    /// The place in the arena of every item of the destination and of the source, in C order of the indices.
    pub fn places(&self, laid: &Laid) -> Vec<(usize, usize)> {
        let start = laid.arena.as_ptr() as usize;
        let memory = SlowMemory { start, bytes: laid.arena.clone() };
        let (dst, src) = (slow(start, &laid.dst_built), slow(start, &laid.src_built));
        let place = |side: &SlowSide, index: &[usize]| memory.address(side, index) as usize - start;
        indices(&self.shape).iter().map(|index| (place(&dst, index), place(&src, index))).collect()
    }

    /// The places in the arena that the copy writes.
    pub fn written(&self, laid: &Laid) -> Vec<usize> {
        let start = laid.arena.as_ptr() as usize;
        let (memory, dst) = (SlowMemory { start, bytes: laid.arena.clone() }, slow(start, &laid.dst_built));
        let first = |index: Vec<usize>| memory.address(&dst, &index) as usize - start;
        indices(&self.shape).into_iter().map(first).flat_map(|at| at..at + self.itemsize).collect()
    }
}

impl Laid {
    pub fn bases(&mut self) -> (*mut u8, *const u8) {
        let base = self.arena.as_mut_ptr();
        (base.wrapping_add(self.dst_built.base), base.wrapping_add(self.src_built.base))
    }
}

fn layout(itemsize: usize, shape: &[usize], built: &Built) -> Layout {
    let shape: Vec<isize> = shape.iter().map(|&n| n as isize).collect();
    let levels: Vec<LevelSpec<'_>> =
        built.levels.iter().map(|(offset, strides)| LevelSpec { offset: *offset, strides }).collect();
    Layout::new(&LayoutSpec { itemsize, shape: &shape, levels: &levels }).unwrap()
}

fn slow(start: usize, built: &Built) -> SlowSide {
    let levels = built.levels.iter().map(|(o, s)| (*o as i64, s.iter().map(|&s| s as i64).collect()));
    SlowSide { base: start + built.base, levels: levels.collect() }
}
