//! Each form against the equation, at odd addresses, with a guard around every row of the destination.

// Runs the kernels on the addresses of vectors.
#![allow(unsafe_code)]

use super::{Rows, Turn};
use crate::kernel::{Caches, Level, Manner};
use crate::plan::Loop;

/// `wide` items along `i`, `deep` along `j`, rows `gap` bytes longer than they need be on either side, from byte `start` on.
/// The whole copy of which this is said to be a part has so many bytes: what fits a cache is walked in another order.
fn turned(unit: usize, size: (usize, usize), gap: usize, start: usize, manner: Manner, bytes: usize) {
    // SAFETY: of the grid that is passed on.
    turned_by(unit, size, gap, start, manner, bytes, |turn, to, from| unsafe { turn.run(to, from) });
}

/// The same by one way of it, which is told where the grid begins on either side.
fn turned_by(
    unit: usize,
    (wide, deep): (usize, usize),
    gap: usize,
    start: usize,
    manner: Manner,
    bytes: usize,
    way: impl Fn(&Turn<'_>, *mut u8, *const u8),
) {
    let (s, d) = (wide * unit + gap, deep * unit + gap);
    let source: Vec<u8> = (0..start + s * deep).map(|k| (k * 31 + k / 251) as u8).collect();
    let mut target = vec![0xEE; start + d * wide + 9];
    let i = Loop { extent: wide, dst: d as isize, src: unit as isize };
    let j = Loop { extent: deep, dst: unit as isize, src: s as isize };
    let (mut rows, chains) = (Rows::new(), ([i], [j]));
    let turn = Turn::new(unit, bytes, manner, &chains.0, &chains.1, &mut rows);
    let (to, from) = (target.as_mut_ptr().wrapping_add(start), source.as_ptr().wrapping_add(start));
    // The rows lie inside both vectors: `deep` of them `s` bytes apart and `wide` of them `d` bytes apart.
    way(&turn, to, from);
    let mut expected = vec![0xEE; target.len()];
    for i in 0..wide {
        for j in 0..deep {
            let (to, from) = (start + i * d + j * unit, start + i * unit + j * s);
            expected[to..to + unit].copy_from_slice(&source[from..from + unit]);
        }
    }
    assert!(
        target == expected,
        "{wide} x {deep} items of {unit} bytes, rows {gap} longer, from {start}: {manner:?}"
    );
}

#[test]
fn every_form_fulfils_the_equation() {
    let levels = Level::ALL.into_iter().filter(|&level| level <= Level::of_this_machine());
    for level in levels {
        for streams in [false, true] {
            let manner = Manner { level, streams };
            // What is streamed has one order only.
            let orders = if streams { &[usize::MAX][..] } else { &[0, Caches::get().l2 / 2, usize::MAX] };
            for unit in [1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 24, 32] {
                let sizes =
                    if cfg!(miri) { &[(17, 33)][..] } else { &[(17, 5), (64, 64), (70, 133), (33, 300)] };
                for &size in sizes {
                    for (gap, start) in [(0, 0), (64, 64), (5, 1), (unit, 7 * unit)] {
                        for &bytes in orders {
                            turned(unit, size, gap, start, manner, bytes);
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn what_is_narrower_than_a_tile_is_moved_item_by_item() {
    for unit in [1, 2, 3, 4, 8, 16] {
        turned(unit, (1, 70), 3, 1, Manner { level: Level::of_this_machine(), streams: true }, 0);
    }
    // More than one panel, the last of them small.
    let wide = super::WIDE + 3;
    turned(1, (wide, 20), 0, 0, Manner { level: Level::of_this_machine(), streams: true }, 0);
    turned(2, (wide, 20), 2, 2, Manner { level: Level::of_this_machine(), streams: false }, 0);
}

/// Which of them the choice would not take, too.
#[test]
#[cfg(target_arch = "x86_64")]
fn tiles_fulfil_the_equation() {
    for level in [Level::Simd128, Level::Avx2].into_iter().filter(|&level| level <= Level::of_this_machine())
    {
        let manner = Manner { level, streams: true };
        for (wide, deep) in
            [(1, 40), (5, 300), (16, 16), (17, 129), (64, 64), (131, 257), (300, 33), (2100, 40)]
        {
            for (gap, start) in [(0, 0), (64, 64), (5, 1), (2, 62)] {
                macro_rules! each {
                    ($($n:literal)*) => {$(
                        turned_by($n, (wide, deep), gap, start, manner, usize::MAX, |turn, to, from| {
                            // SAFETY: the grid, whose items are of this size; every x86-64 has SSE2, and the level is the
                            // machine's.
                            unsafe { turn.tiles::<$n>(to, from) }
                        });
                    )*};
                }
                each! { 1 2 4 8 16 }
            }
        }
    }
}
