//! Images of separate rows against rows of nested vectors, indexed by hand.

use extbuf_layout::{Slice, SliceItem};
use extbuf_protocol::{Exporter, RefusalKind, Request, Rows};
use proptest::prelude::*;

/// The indices that Python's `range(*slice(start, stop, step).indices(extent))` lists, spelled out.
fn picked(extent: usize, start: Option<isize>, stop: Option<isize>, step: isize) -> Vec<usize> {
    let n = extent as isize;
    let clamp = |bound: isize, low: isize, high: isize| {
        let bound = if bound < 0 { bound + n } else { bound };
        bound.max(low).min(high)
    };
    let mut indices = Vec::new();
    if step > 0 {
        let stop = stop.map_or(n, |stop| clamp(stop, 0, n));
        let mut at = start.map_or(0, |start| clamp(start, 0, n));
        while at < stop {
            indices.push(at as usize);
            at += step;
        }
    } else {
        let stop = stop.map_or(-1, |stop| clamp(stop, -1, n - 1));
        let mut at = start.map_or(n - 1, |start| clamp(start, -1, n - 1));
        while at > stop {
            indices.push(at as usize);
            at += step;
        }
    }
    indices
}

fn bounds() -> impl Strategy<Value = (Option<isize>, Option<isize>, isize)> {
    let bound = || proptest::option::of(-9isize..9);
    (bound(), bound(), prop_oneof![1isize..4, -3isize..0])
}

proptest! {
    /// Slicing rows, columns and channels before and after the load, in any order of axes, finds the very bytes that
    /// nested indexing finds.
    #[test]
    fn slices_find_what_nested_indexing_finds(
        height in 1usize..7,
        width in 1usize..7,
        slices in [bounds(), bounds(), bounds()],
        axes in Just([0usize, 1, 2]).prop_shuffle(),
    ) {
        let pixel = |y: usize, x: usize, c: usize| (y * 50 + x * 3 + c) as u8;
        let rows: Vec<Vec<u8>> = (0..height)
            .map(|y| (0..width * 3).map(|i| pixel(y, i / 3, i % 3)).collect())
            .collect();
        let image = Rows::from_vecs(rows, &[width, 3]).unwrap();
        let items = slices.map(|(start, stop, step)| SliceItem::Slice(Slice { start, stop, step: Some(step) }));
        let window = image
            .window(Request::FULL_RO)
            .unwrap()
            .map(|view| view.slice(items)?.permute(&axes))
            .unwrap();
        let extents = [height, width, 3];
        let kept: Vec<Vec<usize>> =
            (0..3).map(|axis| picked(extents[axis], slices[axis].0, slices[axis].1, slices[axis].2)).collect();
        let expected_shape: Vec<usize> = axes.iter().map(|&axis| kept[axis].len()).collect();
        prop_assert_eq!(window.shape(), &expected_shape[..]);
        for a in 0..expected_shape[0] {
            for b in 0..expected_shape[1] {
                for c in 0..expected_shape[2] {
                    let mut at = [0; 3];
                    for (&axis, k) in axes.iter().zip([a, b, c]) {
                        at[axis] = kept[axis][k];
                    }
                    let found: u8 = window.view().get(&[a, b, c]).unwrap();
                    prop_assert_eq!(found, pixel(at[0], at[1], at[2]));
                }
            }
        }
    }
}

#[test]
fn rows_of_unequal_length_are_refused_with_the_row() {
    let refused = Rows::from_vecs(vec![vec![0u8; 6], vec![0; 6], vec![0; 5]], &[2, 3]).unwrap_err();
    assert_eq!(refused.kind(), &RefusalKind::RowLength { row: 2, len: 5, expected: 6 });
    let refused = Rows::from_vecs(vec![vec![0u8; 6]], &[4]).unwrap_err();
    assert_eq!(refused.kind(), &RefusalKind::ItemCount { wanted: 4, items: 6 });
}

#[test]
fn an_image_without_rows_is_an_image_without_items() {
    let image = Rows::from_vecs(Vec::<Vec<f32>>::new(), &[640, 3]).unwrap();
    let window = image.window(Request::FULL_RO).unwrap();
    assert_eq!(window.shape(), [0, 640, 3]);
    assert_eq!(window.view().len(), 0);
    assert!(window.view().get::<f32>(&[0, 0, 0]).is_err());
}

#[test]
fn the_same_row_may_stand_in_several_places_for_reading() {
    let row = [1u16, 2, 3];
    let image = Rows::from_slices(&[&row, &row, &row], &[3]).unwrap();
    let window = image.window(Request::FULL_RO).unwrap();
    assert_eq!(window.view().get::<u16>(&[2, 1]).unwrap(), 2);
    assert_eq!(image.export(Request::FULL).unwrap_err().kind(), &RefusalKind::ReadOnly);
}

#[test]
fn writing_behind_the_load_lands_in_the_rows() {
    let (mut top, mut bottom) = ([0u8; 4], [0u8; 4]);
    {
        let image = Rows::from_slices_mut(vec![&mut top[..], &mut bottom[..]], &[4]).unwrap();
        let mut window = image.window(Request::FULL).unwrap();
        let mut column = window.view_mut().unwrap().index_axis(1, -1).unwrap();
        column.set(&[0], 7u8).unwrap();
        column.set(&[1], 8u8).unwrap();
    }
    assert_eq!((top, bottom), ([0, 0, 0, 7], [0, 0, 0, 8]));
}

#[test]
fn rows_reshape_while_a_window_keeps_its_own_shape() {
    let mut image =
        Rows::from_vecs(vec![vec![1u8, 2, 3, 4, 5, 6], vec![7, 8, 9, 10, 11, 12]], &[2, 3]).unwrap();
    let window = image.window(Request::FULL_RO).unwrap();
    image.reshape_rows(&[6]).unwrap();
    assert_eq!(window.shape(), [2, 2, 3]);
    assert_eq!(image.window(Request::FULL_RO).unwrap().shape(), [2, 6]);
    assert_eq!(image.reshape_rows(&[5]).unwrap_err().kind(), &RefusalKind::ItemCount { wanted: 5, items: 6 });
    assert_eq!(image.layout().shape(), [2, 6]);
}
