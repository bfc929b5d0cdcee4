//! Copies within one block, where source and destination overlap in every way: the result is as if the source had been
//! read first, and no byte beside it is touched; serial and parallel agree.

#![allow(unsafe_code)]

use extbuf_copy::{CopyOptions, Overlap, Threads};
use extbuf_layout::{Layout, LayoutSpec, LevelSpec};
use extbuf_testkit::copy_slow::{SlowMemory, SlowSide};
use proptest::prelude::*;

/// One side: the byte of the block where it starts, and strides.
type Side = (isize, Vec<isize>);

/// A side that steps over all that lies inside, unless `loose`.
fn side(shape: Vec<usize>, itemsize: usize, loose: bool) -> impl Strategy<Value = Side> {
    let axes = shape.len();
    (
        Just((0..axes).collect::<Vec<_>>()).prop_shuffle(),
        prop::collection::vec((0isize..=4, prop::bool::weighted(0.3), prop::bool::weighted(0.2)), axes),
        0isize..=24,
    )
        .prop_map(move |(order, steps, start)| {
            let (mut span, mut strides, mut first) = (itemsize as isize, vec![0; axes], start);
            for axis in order {
                let (gap, back, free) = steps[axis];
                let stride = if free && loose { gap } else { span + gap };
                let reach = stride * (shape[axis] as isize - 1);
                span += reach;
                strides[axis] = if back { -stride } else { stride };
                first += if back { reach } else { 0 };
            }
            (first, strides)
        })
}

fn sides() -> impl Strategy<Value = (usize, Vec<usize>, Side, Side)> {
    (1usize..=9, prop::collection::vec(1usize..=5, 0..=4))
        .prop_flat_map(|(itemsize, shape)| {
            let (dst, src) = (side(shape.clone(), itemsize, false), side(shape.clone(), itemsize, true));
            // As often as not the same strides on both sides, shifted.
            (Just(itemsize), Just(shape), dst, src, prop::option::of(0isize..=24))
        })
        .prop_map(|(itemsize, shape, dst, src, shifted)| {
            let src = shifted.map_or(src, |shift| {
                let low: isize = dst.1.iter().zip(&shape).map(|(s, &n)| (s * (n as isize - 1)).min(0)).sum();
                (shift - low, dst.1.clone())
            });
            (itemsize, shape, dst, src)
        })
}

fn slow(base: usize, (first, strides): &Side) -> SlowSide {
    SlowSide { base, levels: vec![(*first as i64, strides.iter().map(|&s| s as i64).collect())] }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn within_one_block((itemsize, shape, dst, src) in sides()) {
        let mut block: Vec<u8> = (0..9000u32).map(|i| (i.wrapping_mul(2654435761) >> 13) as u8).collect();
        let start = block.as_ptr() as usize;
        let mut memory = SlowMemory { start, bytes: block.clone() };
        memory.copy(itemsize, &shape, &slow(start, &dst), &slow(start, &src));
        let layout = |(first, strides): &Side| {
            Layout::strided(itemsize, &shape, strides, *first).unwrap()
        };
        let base = block.as_mut_ptr();
        // SAFETY: the strategy keeps both sides inside the block, as the slow twin has checked.
        let report = unsafe { CopyOptions::default().copy_raw((&layout(&dst), base), (&layout(&src), base)) };
        prop_assert!(block == memory.bytes, "{:?}", report);
    }

    #[test]
    fn rows_of_one_block(
        places in prop::collection::vec((0usize..60, 0usize..60), 1..=5),
        width in 1usize..=7,
        crossed in prop::bool::ANY,
    ) {
        // Destination rows are kept apart by sorting them into lanes; source rows lie anywhere.
        let rows = places.len();
        let mut block: Vec<u8> = (0..160u32).map(|i| (i * 7) as u8).collect();
        let base = block.as_mut_ptr();
        let to: Vec<*mut u8> = (0..rows).map(|r| base.wrapping_add(8 * r + places[0].0 % 40)).collect();
        let from: Vec<*mut u8> = places.iter().map(|&(_, p)| base.wrapping_add(p)).collect();
        let start = base as usize;
        let read = |block: &[u8]| -> Vec<u8> {
            from.iter().flat_map(|&row| block[row as usize - start..][..width].to_vec()).collect()
        };
        let items = read(&block);
        let mut expected = block.clone();
        for (r, &row) in to.iter().enumerate() {
            expected[row as usize - start..][..width].copy_from_slice(&items[r * width..][..width]);
        }
        let shape = [rows as isize, width as isize];
        let table = size_of::<*mut u8>() as isize;
        let levels = [LevelSpec { offset: 0, strides: &[table, 0] }, LevelSpec { offset: 0, strides: &[0, 1] }];
        let layout = Layout::new(&LayoutSpec { itemsize: 1, shape: &shape, levels: &levels }).unwrap();
        let (mut dst, mut src) = (layout.clone(), layout);
        if crossed {
            // The destination as columns: the load loop is not the one that the bytes run along.
            (dst, src) = (dst.transpose(), src.transpose());
        }
        // SAFETY: tables and rows are as the layout says; destination rows are 8 bytes apart and at most 7 long.
        let report = unsafe {
            CopyOptions::default().copy_raw((&dst, to.as_ptr() as *mut u8), (&src, from.as_ptr().cast()))
        }.unwrap();
        prop_assert!(block == expected, "{report}");
        prop_assert!(matches!(report.overlap, Overlap::None | Overlap::Staged));
    }
}

/// A source whose table of pointers is written over by the copy itself.
#[test]
fn a_destination_over_the_pointers_of_its_source() {
    // As many rows as a pointer has bytes, so that the table is as large as they are.
    const N: usize = size_of::<*const u8>();
    let n = N as isize;
    let rows: Vec<Vec<u8>> = (0..N).map(|r| vec![r as u8 + 1; N]).collect();
    let mut table: Vec<*const u8> = rows.iter().map(|row| row.as_ptr()).collect();
    let levels = [LevelSpec { offset: 0, strides: &[n, 0] }, LevelSpec { offset: 0, strides: &[0, 1] }];
    let src = Layout::new(&LayoutSpec { itemsize: 1, shape: &[n, n], levels: &levels }).unwrap();
    // The last row of pointers goes first in the destination: the first would be safe by luck.
    let dst = Layout::strided(1, &[N, N], &[-n, 1], n * (n - 1)).unwrap();
    let base = table.as_mut_ptr();
    // SAFETY: the table holds N rows of N bytes, as both layouts say.
    let report =
        unsafe { CopyOptions::default().copy_raw((&dst, base.cast()), (&src, base.cast::<u8>())) }.unwrap();
    assert_eq!(report.overlap, Overlap::Staged);
    for (k, &pointer) in table.iter().enumerate() {
        assert_eq!(pointer.addr().to_ne_bytes(), [(N - k) as u8; N]);
    }
}

/// Large enough to run in parts: one thread, several, and the slow way agree, every time.
#[test]
fn a_large_matrix_onto_its_own_transpose() {
    let n = 1100usize;
    let numbers: Vec<u32> = (0..(n * n) as u32).map(|i| i.wrapping_mul(2654435761)).collect();
    let straight = Layout::strided(4, &[n, n], &[4 * n as isize, 4], 0).unwrap();
    for threads in [Threads::ONE, Threads::AtMost(2), Threads::AtMost(4), Threads::Pool] {
        let options = CopyOptions { threads, ..CopyOptions::default() };
        let mut turned = numbers.clone();
        let base: *mut u8 = turned.as_mut_ptr().cast();
        // SAFETY: both layouts are of the whole block.
        let report = unsafe { options.copy_raw((&straight, base), (&straight.transpose(), base)) }.unwrap();
        assert_eq!(report.overlap, Overlap::Staged);
        assert!(report.parts > 1);
        for r in 0..n {
            for c in 0..n {
                assert_eq!(turned[r * n + c], numbers[c * n + r]);
            }
        }
    }
}
