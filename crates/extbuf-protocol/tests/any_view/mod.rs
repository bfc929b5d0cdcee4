//! Views of any layout beside their slow twins: a block, separate rows, or pages of separate rows of `u16`, under a chain
//! of operations.

// Each test file uses some of it.
#![allow(dead_code)]

use extbuf_layout::{Layout, Order, Slice};
use extbuf_protocol::{Array, Exporter, Memory, Nested, Refusal, Request, Rows, View, ViewMut, Window};
use extbuf_testkit::layout_twin::{Cut, Memory as TwinMemory, Twin, python_slice};
use proptest::prelude::*;

/// How many of the first axes are tables of pointers.
pub(crate) const BLOCK: usize = 0;
pub(crate) const ROWS: usize = 1;
pub(crate) const PAGES: usize = 2;

/// What a test starts from: the shape, how many of its first axes are tables, and what is done to it.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) shape: Vec<usize>,
    pub(crate) tables: usize,
    pub(crate) operations: Vec<[usize; 4]>,
}

impl Case {
    /// The shape of one row, and how many there are.
    pub(crate) fn rows(&self) -> (&[usize], usize) {
        let (tables, row) = self.shape.split_at(self.tables);
        (row, tables.iter().product())
    }
}

pub(crate) fn cases() -> impl Strategy<Value = Case> {
    let extent = || prop_oneof![1 => Just(0usize), 3 => Just(1), 16 => 2usize..=5];
    let shape = prop::collection::vec(extent(), 0..=4);
    let operations = prop::collection::vec(any::<[u8; 4]>(), 0..6);
    (shape, BLOCK..=PAGES, operations).prop_map(|(shape, tables, dice)| Case {
        // No page tells nothing of the rows in it.
        tables: if shape.first() == Some(&0) { BLOCK } else { tables.min(shape.len()) },
        shape,
        operations: dice.into_iter().map(|dice| dice.map(usize::from)).collect(),
    })
}

/// The number stored at entry `k` of row `row` (of the block, for `row` 0 alone).
pub(crate) fn number(row: usize, k: usize) -> u16 {
    (row * 1000 + k * 7 + 1) as u16
}

/// A window on the memory of a case, before its operations.
pub(crate) fn memory(case: &Case) -> Window<'static> {
    let request = Request::FULL;
    let (row_shape, count) = case.rows();
    let items: usize = row_shape.iter().product();
    let mut rows = (0..count).map(|row| (0..items).map(|k| number(row, k)).collect::<Vec<u16>>());
    match case.tables {
        BLOCK => {
            let block = Memory::from_vec(rows.next().unwrap());
            let layout = Layout::contiguous(2, &case.shape, Order::C).unwrap();
            let format = <u16 as extbuf_format::Element>::FORMAT;
            Array::new(block, layout, format).unwrap().window(request).unwrap()
        }
        ROWS => Rows::from_vecs(rows.collect(), row_shape).unwrap().window(request).unwrap(),
        _ => {
            let page = |_| {
                let rows = rows.by_ref().take(case.shape[1]).collect();
                Rows::from_vecs(rows, row_shape).unwrap().window(request).unwrap()
            };
            let pages = (0..case.shape[0]).map(page).collect();
            Nested::new(pages, &case.shape[..1]).unwrap().window(request).unwrap()
        }
    }
}

/// The twin of the same memory: the place of an item is its row and its byte.
pub(crate) fn twin(case: &Case) -> Twin {
    let ndim = case.shape.len();
    let mut levels = vec![(0, vec![0; ndim]); case.tables + 1];
    for (axis, (_, strides)) in levels[..case.tables].iter_mut().enumerate() {
        strides[axis] = size_of::<usize>() as isize;
    }
    let mut step = 2;
    for axis in (case.tables..ndim).rev() {
        levels[case.tables].1[axis] = step;
        step *= case.shape[axis] as isize;
    }
    let mut twin = Twin::new(&mut TwinMemory::default(), &case.shape, &levels);
    // The twin numbers blocks as it meets them, and it meets the rows in order.
    let mut met: Vec<usize> = Vec::new();
    for place in &mut twin.places {
        if !met.contains(&place.0) {
            met.push(place.0);
        }
        place.0 = met.iter().position(|block| *block == place.0).unwrap();
    }
    twin
}

/// The numbers that the twin finds, in C order.
pub(crate) fn numbers(twin: &Twin) -> Vec<u16> {
    twin.places.iter().map(|&(row, byte)| number(row, byte as usize / 2)).collect()
}

/// The operations that both kinds of view have.
pub(crate) trait Shown: Sized {
    fn shape_of(&self) -> Vec<usize>;
    fn slice_axis(self, axis: usize, slice: Slice) -> Result<Self, Refusal>;
    fn index_axis(self, axis: usize, k: isize) -> Result<Self, Refusal>;
    fn permute(self, axes: &[usize]) -> Result<Self, Refusal>;
    fn new_axis(self, axis: usize) -> Result<Self, Refusal>;
    fn broadcast_to(self, shape: &[usize]) -> Option<Self>;
}

macro_rules! shown {
    ($view:ident, |$this:ident, $shape:ident| $broadcast:expr) => {
        impl Shown for $view<'_> {
            fn shape_of(&self) -> Vec<usize> {
                self.shape().to_vec()
            }
            fn slice_axis(self, axis: usize, slice: Slice) -> Result<Self, Refusal> {
                $view::slice_axis(self, axis, slice)
            }
            fn index_axis(self, axis: usize, k: isize) -> Result<Self, Refusal> {
                $view::index_axis(self, axis, k)
            }
            fn permute(self, axes: &[usize]) -> Result<Self, Refusal> {
                $view::permute(self, axes)
            }
            fn new_axis(self, axis: usize) -> Result<Self, Refusal> {
                $view::new_axis(self, axis)
            }
            fn broadcast_to($this, $shape: &[usize]) -> Option<Self> {
                $broadcast
            }
        }
    };
}

shown!(View, |self, shape| Some(View::broadcast_to(self, shape).unwrap()));
shown!(ViewMut, |self, _shape| None);

/// Applies the operations of a case to both. A mutable view is not broadcast.
pub(crate) fn apply<V: Shown>(case: &Case, mut view: V, mut twin: Twin) -> (V, Twin) {
    for &[kind, a, b, c] in &case.operations {
        let shape = view.shape_of();
        let ndim = shape.len();
        if ndim == 0 {
            view = view.new_axis(0).unwrap();
            twin = twin.slice(&[Cut::New]);
            continue;
        }
        let axis = a % ndim;
        match kind % 8 {
            0..=2 => {
                let bound = |die: usize| (die % 3 > 0).then_some(die as isize % 11 - 5);
                let step = Some([1, 1, 2, 3, -1, -1, -2, -3][kind / 8 % 8]);
                let (start, stop) = (bound(b), bound(c));
                view = view.slice_axis(axis, Slice { start, stop, step }).unwrap();
                let kept = python_slice(start, stop, step, shape[axis]).unwrap();
                twin = twin.slice_axis(axis, Cut::Keep(kept));
            }
            3 => {
                view = view.slice_axis(axis, Slice::FULL.by(-1)).unwrap();
                twin = twin.slice_axis(axis, Cut::Keep((0..shape[axis]).rev().collect()));
            }
            4 if shape[axis] > 0 => {
                let k = b % shape[axis];
                view = view.index_axis(axis, k as isize).unwrap();
                twin = twin.slice_axis(axis, Cut::Fix(k));
            }
            5 if ndim < 6 => {
                let mut cuts: Vec<Cut> = shape.iter().map(|&n| Cut::Keep((0..n).collect())).collect();
                cuts.insert(b % (ndim + 1), Cut::New);
                view = view.new_axis(b % (ndim + 1)).unwrap();
                twin = twin.slice(&cuts);
            }
            6 if ndim < 6 && twin.places.len() < 500 => {
                let mut wide: Vec<usize> =
                    shape.iter().map(|&n| if n == 1 && b % 2 == 0 { 3 } else { n }).collect();
                wide.insert(0, 2);
                if let Some(shown) = view.broadcast_to(&wide) {
                    view = shown;
                    twin = twin.broadcast(&wide);
                } else {
                    unreachable!("mutable views meet no broadcast");
                }
            }
            _ => {
                let mut axes: Vec<usize> = (0..ndim).collect();
                axes.rotate_left(b % ndim);
                axes.swap(0, c % ndim);
                view = view.permute(&axes).unwrap();
                twin = twin.permute(&axes);
            }
        }
    }
    (view, twin)
}

/// The case without what mutable views cannot do.
pub(crate) fn without_broadcast(case: &Case) -> Case {
    let operations =
        case.operations.iter().map(|&[kind, a, b, c]| [if kind % 8 == 6 { 7 } else { kind }, a, b, c]);
    Case { operations: operations.collect(), ..case.clone() }
}
