//! The chains of a transpose on literal arrays.

use super::chains::{Chains, find};
use super::{Loop, Loops};

fn loops(literal: &[(usize, isize, isize)]) -> Loops {
    let loops: Vec<Loop> = literal.iter().map(|&(extent, dst, src)| Loop { extent, dst, src }).collect();
    Loops::from(&loops[..])
}

fn literal(loops: &[Loop]) -> Vec<(usize, isize, isize)> {
    loops.iter().map(|l| (l.extent, l.dst, l.src)).collect()
}

/// The loops around, those along `i`, those along `j`.
#[allow(clippy::type_complexity)]
fn parts(
    found: &Chains,
) -> (Vec<(usize, isize, isize)>, Vec<(usize, isize, isize)>, Vec<(usize, isize, isize)>) {
    let (around, inner) = found.loops.split_at(found.loops.len() - found.inner);
    let (along_i, along_j) = inner.split_at(found.tall);
    (literal(around), literal(along_i), literal(along_j))
}

#[test]
fn two_loops_are_a_chain_each() {
    let found = find(&loops(&[(90, 280, 4), (70, 4, 360)]), 4).unwrap();
    assert_eq!(parts(&found), (vec![], vec![(90, 280, 4)], vec![(70, 4, 360)]));
    assert_eq!((found.whole, found.shift), (true, (0, 0)));
    // What the source has densely may lie further out; a loop between that goes on from neither stays around.
    let found = find(&loops(&[(90, 1440, 4), (5, 288, 25200), (70, 4, 360)]), 4).unwrap();
    assert_eq!(parts(&found), (vec![(5, 288, 25200)], vec![(90, 1440, 4)], vec![(70, 4, 360)]));
}

#[test]
fn a_source_that_runs_downwards_along_i_is_turned_round_on_both_sides() {
    let found = find(&loops(&[(90, 280, -4), (70, 4, 360)]), 4).unwrap();
    assert_eq!(parts(&found).1, [(90, -280, 4)]);
    assert_eq!(found.shift, (89 * 280, -89 * 4));
}

#[test]
fn short_loops_are_chained_where_one_goes_on_as_the_other_ends() {
    // Ten axes of 2, reversed: five on either side, taken by turns.
    let reversed: Vec<_> = (0..10).map(|k| (2, 4 << (9 - k), 4 << k)).collect();
    let found = find(&loops(&reversed), 4).unwrap();
    let (around, along_i, along_j) = parts(&found);
    assert!(around.is_empty());
    assert_eq!(along_i, [(2, 128, 64), (2, 256, 32), (2, 512, 16), (2, 1024, 8), (2, 2048, 4)]);
    assert_eq!(along_j, [(2, 64, 128), (2, 32, 256), (2, 16, 512), (2, 8, 1024), (2, 4, 2048)]);
    // A gap ends a chain: 14 items of the source are followed by others only 60 bytes further.
    let found = find(&loops(&[(14, 480, 4), (10, 48, 60), (12, 4, 600)]), 4).unwrap();
    assert_eq!(parts(&found), (vec![], vec![(14, 480, 4)], vec![(10, 48, 60), (12, 4, 600)]));
    assert!(!found.whole);
}

#[test]
fn a_chain_stops_at_a_page() {
    let found = find(&loops(&[(512, 8192, 4), (4, 2048, 2048), (512, 4, 8192)]), 4).unwrap();
    assert_eq!(parts(&found).0, []);
    let found = find(&loops(&[(1024, 16384, 4), (4, 4096, 4096), (1024, 4, 16384)]), 4).unwrap();
    assert_eq!(parts(&found).0, [(4, 4096, 4096)]);
}

#[test]
fn what_gains_nothing_has_no_chains() {
    let none = |l: &[(usize, isize, isize)], unit| find(&loops(l), unit).is_none();
    // One loop; a reversal; a destination that is not dense; a source that is dense nowhere, or repeats.
    assert!(none(&[], 4) && none(&[(70, 4, 360)], 4) && none(&[(70, 400, 40), (9, 4, -4)], 4));
    assert!(none(&[(90, 560, 4), (70, 8, 360)], 4));
    assert!(none(&[(90, 280, 8), (70, 4, 720)], 4) && none(&[(90, 280, 4), (70, 4, 0)], 4));
    // Channels of a pixel: lines of a few bytes.
    assert!(none(&[(3, 5000, 1), (5000, 1, 3)], 1) && none(&[(5000, 3, 1), (3, 1, 5000)], 1));
    // Four items on either side.
    assert!(none(&[(4, 16, 4), (4, 4, 16)], 4));
}
