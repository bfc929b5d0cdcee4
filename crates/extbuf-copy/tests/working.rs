//! Working copies: what is written back, when, and what is not.

use std::panic::{AssertUnwindSafe, catch_unwind};

use extbuf_copy::{CopyErrorKind, working_copy};
use extbuf_format::Format;
use extbuf_layout::{Layout, Order, s};
use extbuf_protocol::{Array, Buffer, Exporter, Memory, Nested, Request, Rows, ViewMut};
use proptest::prelude::*;

/// A function of somebody else's that takes one run of bytes.
fn add_one(bytes: &mut ViewMut<'_>) {
    for index in bytes.layout().indices(Order::C).collect::<Vec<_>>() {
        let byte: u8 = bytes.get(&index).unwrap();
        bytes.set(&index, byte + 1).unwrap();
    }
}

#[test]
fn r51_a_contiguous_working_copy_is_written_back_on_release() {
    let rows =
        Rows::from_vecs(vec![vec![1u8, 2, 3, 4], vec![5, 6, 7, 8], vec![9, 10, 11, 12]], &[4]).unwrap();
    let mut window = rows.window(Request::FULL).unwrap();
    {
        let mut inner = window.view_mut().unwrap().slice(s![..;-2, 1..3]).unwrap();
        let mut work = working_copy(&mut inner, Order::C).unwrap();
        assert_eq!(work.view().as_bytes(), Some(&[10, 11, 2, 3][..]));
        add_one(&mut work.view_mut());
        // The rows have their old bytes until it is released.
    }
    let expected: Vec<u8> = vec![1, 3, 4, 4, 5, 6, 7, 8, 9, 11, 12, 12];
    let view = window.view();
    let items: Vec<u8> = view.layout().indices(Order::C).map(|index| view.get(&index).unwrap()).collect();
    assert_eq!(items, expected);
}

#[test]
fn until_it_is_written_back_the_view_has_its_old_items() {
    let mut numbers = [1u8, 2, 3];
    let mut view = ViewMut::from_slice(&mut numbers);
    let base = view.as_mut_ptr().cast_const();
    let mut work = working_copy(&mut view, Order::C).unwrap();
    add_one(&mut work.view_mut());
    assert_ne!(work.view().as_ptr(), base, "a copy also of what was contiguous");
    work.discard();
    assert_eq!(view.as_view().as_bytes().unwrap(), [1, 2, 3]);
    let mut work = working_copy(&mut view, Order::C).unwrap();
    add_one(&mut work.view_mut());
    std::mem::forget(work);
    assert_eq!(view.as_view().as_bytes().unwrap(), [1, 2, 3]);
    let mut work = working_copy(&mut view, Order::C).unwrap();
    add_one(&mut work.view_mut());
    assert_eq!(work.commit().unwrap().bytes, 3);
    assert_eq!(numbers, [2, 3, 4]);
}

#[test]
fn half_a_work_is_not_written_back() {
    let mut numbers = [1u8, 0, 2, 0];
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let mut view = ViewMut::from_slice(&mut numbers).slice(s![..;2]).unwrap();
        let mut work = working_copy(&mut view, Order::C).unwrap();
        work.view_mut().set(&[0], 100u8).unwrap();
        panic!("before the second item");
    }));
    assert!(panicked.is_err());
    assert_eq!(numbers, [1, 0, 2, 0]);

    // A destructor that runs in another's panic does a whole work.
    struct Works<'n>(&'n mut [u8]);
    impl Drop for Works<'_> {
        fn drop(&mut self) {
            let mut view = ViewMut::from_slice(self.0);
            add_one(&mut working_copy(&mut view, Order::C).unwrap().view_mut());
        }
    }
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _works = Works(&mut numbers);
        panic!("elsewhere");
    }));
    assert!(panicked.is_err());
    assert_eq!(numbers, [2, 1, 3, 1]);
}

#[test]
fn fortran_order_is_a_working_order_too() {
    let mut buffer = Buffer::from_vec((0u8..6).collect());
    buffer.reshape(&[2, 3]).unwrap();
    let mut window = buffer.window(Request::FULL).unwrap();
    let mut view = window.view_mut().unwrap();
    let mut work = working_copy(&mut view, Order::F).unwrap();
    assert!(work.view().layout().is_contiguous(Order::F));
    work.view_mut().set(&[1, 0], 77u8).unwrap();
    drop(work);
    assert_eq!(view.get::<u8>(&[1, 0]).unwrap(), 77);
    assert_eq!(view.as_view().as_bytes().unwrap(), [0, 1, 2, 77, 4, 5]);
}

#[test]
fn what_could_not_be_written_back_is_not_begun() {
    let objects = Format::parse("O").unwrap();
    let layout = Layout::contiguous(objects.itemsize(), &[2], Order::C).unwrap();
    let array = Array::new(Memory::from_vec(vec![0u8; 16]), layout, objects).unwrap();
    let mut window = array.window(Request::FULL).unwrap();
    let refused = working_copy(&mut window.view_mut().unwrap(), Order::C).unwrap_err();
    assert_eq!(refused.kind(), &CopyErrorKind::Objects);
}

fn cut<'a>(mut view: ViewMut<'a>, starts: [usize; 3], backwards: [bool; 3], axes: &[usize]) -> ViewMut<'a> {
    for axis in 0..3 {
        view = view.slice_axis(axis, starts[axis] as isize..).unwrap();
        if backwards[axis] {
            view = view.reverse_axis(axis).unwrap();
        }
    }
    view.permute(axes).unwrap()
}

proptest! {
    /// As if the same had been done in place, whatever was sliced, reversed and reordered, behind two loads.
    #[test]
    fn work_on_the_copy_is_work_in_place(
        starts in [0usize..3, 0usize..3, 0usize..4],
        backwards in any::<[bool; 3]>(),
        axes in Just([0usize, 1, 2]).prop_shuffle(),
        order in prop_oneof![Just(Order::C), Just(Order::F), Just(Order::A)],
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u16>()), 0..9),
    ) {
        let memory = || {
            let rows = |page: u16| {
                let row = |y: u16| (0..4).map(|x| page * 100 + y * 10 + x).collect::<Vec<_>>();
                Rows::from_vecs((0..3).map(row).collect(), &[4]).unwrap().window(Request::FULL).unwrap()
            };
            Nested::new(vec![rows(0), rows(1), rows(2)], &[3]).unwrap().window(Request::FULL).unwrap()
        };
        let (mut in_place, mut by_copy) = (memory(), memory());
        let mut direct = cut(in_place.view_mut().unwrap(), starts, backwards, &axes);
        let mut target = cut(by_copy.view_mut().unwrap(), starts, backwards, &axes);
        let indices: Vec<_> = direct.layout().indices(Order::C).collect();
        let mut work = working_copy(&mut target, order).unwrap();
        for (at, value) in &changes {
            if !indices.is_empty() {
                let index = at.get(&indices);
                direct.set(index, *value).unwrap();
                work.view_mut().set(index, *value).unwrap();
            }
        }
        drop(work);
        drop((direct, target));
        for index in in_place.layout().indices(Order::C) {
            prop_assert_eq!(in_place.view().get::<u16>(&index).unwrap(), by_copy.view().get::<u16>(&index).unwrap());
        }
    }
}
