//! Exporters that hold or share what they lend: boxes, arrays, `Arc`s, `bytes`, records, tables of pointers to any
//! depth; each looked at through a view and through its own type.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytemuck::{Pod, Zeroable};
use bytes::{Bytes, BytesMut};
use extbuf_format::{Element, Format};
use extbuf_layout::{Layout, Order, s};
use extbuf_protocol::{
    Access, Array, Buffer, Exporter, Memory, Nested, Refusal, RefusalKind, Request, Rows, Window,
};
use proptest::prelude::*;

fn bytes_of(window: &Window<'_>) -> Vec<u8> {
    window.view().as_bytes().unwrap().to_vec()
}

#[test]
fn whatever_is_an_as_ref_of_a_slice_is_read_and_kept() {
    let numbers = [1u16, 2, 3];
    let holders: Vec<Memory<'_>> = vec![
        Memory::from_ref::<u16>(numbers),
        Memory::from_ref::<u16>(numbers.to_vec()),
        Memory::from_ref::<u16>(Box::<[u16]>::from(numbers)),
        Memory::from_ref::<u16>(Arc::<[u16]>::from(numbers)),
        Memory::from_ref::<u16>(Cow::Borrowed(&numbers[..])),
        Memory::from_ref::<u16>(&numbers[..]),
    ];
    for memory in holders {
        assert_eq!((memory.len(), memory.access()), (6, Access::Read));
        let array = Array::of::<u16>(memory, &[3]).unwrap();
        let window = array.window(Request::FULL_RO).unwrap();
        drop(array);
        assert_eq!(bytes_of(&window), bytemuck::cast_slice::<_, u8>(&numbers));
    }
}

#[test]
fn whatever_is_an_as_mut_of_a_slice_is_written() {
    let mut borrowed = [0u32; 4];
    let holders: Vec<Memory<'_>> = vec![
        Memory::from_mut::<u32>([0; 4]),
        Memory::from_mut::<u32>(vec![0; 4]),
        Memory::from_mut::<u32>(Box::<[u32]>::from([0; 4])),
        Memory::from_mut::<u32>(&mut borrowed[..]),
    ];
    for memory in holders {
        let array = Array::of::<u32>(memory, &[2, 2]).unwrap();
        array.window(Request::FULL).unwrap().view_mut().unwrap().set(&[1, 0], 7u32).unwrap();
        assert_eq!(array.window(Request::FULL_RO).unwrap().view().get::<u32>(&[1, 0]).unwrap(), 7);
    }
    assert_eq!(borrowed, [0, 0, 7, 0]);
}

#[test]
fn bytes_go_in_and_come_out_without_a_copy() {
    let bytes = Bytes::from(vec![1u8, 2, 3, 4, 5, 6]);
    let array = Array::of::<u8>(Memory::from_ref::<u8>(bytes.slice(1..5)), &[2, 2]).unwrap();
    let window = array.window(Request::FULL_RO).unwrap();
    assert_eq!(window.view().as_bytes().unwrap().as_ptr(), bytes[1..].as_ptr());

    // And back: a window is an owner for `bytes`.
    struct Kept(Window<'static>);
    impl AsRef<[u8]> for Kept {
        fn as_ref(&self) -> &[u8] {
            self.0.view().as_bytes().expect("asked for one run")
        }
    }
    let back = Bytes::from_owner(Kept(array.window(Request::SIMPLE).unwrap()));
    assert_eq!((&back[..], back.as_ptr()), (&[2u8, 3, 4, 5][..], bytes[1..].as_ptr()));
    assert_eq!(array.memory().live(), 2);
    drop((back, window));
    assert_eq!(array.memory().live(), 0);

    let array = Array::of::<u8>(Memory::from_mut::<u8>(BytesMut::from(&[0u8; 3][..])), &[3]).unwrap();
    array.window(Request::FULL).unwrap().view_mut().unwrap().set(&[2], 9u8).unwrap();
    assert_eq!(bytes_of(&array.window(Request::FULL_RO).unwrap()), [0, 0, 9]);
}

#[test]
fn a_shared_slice_is_kept_by_its_windows_and_lent_for_reading_alone() {
    let (slice, vec) = (Arc::<[i64]>::from([3, 4]), Arc::new(vec![3i64, 4]));
    let windows = [slice.window(Request::FULL_RO).unwrap(), vec.window(Request::FULL_RO).unwrap()];
    assert_eq!((Arc::strong_count(&slice), Arc::strong_count(&vec)), (2, 2));
    for refused in [slice.export(Request::FULL).map(drop), vec.export(Request::FULL).map(drop)] {
        assert_eq!(refused.unwrap_err().kind(), &RefusalKind::ReadOnly);
    }
    let weak = (Arc::downgrade(&slice), Arc::downgrade(&vec));
    drop((slice, vec));
    assert!(windows.iter().all(|window| window.view().get::<i64>(&[1]).unwrap() == 4));
    drop(windows);
    assert!(weak.0.upgrade().is_none() && weak.1.upgrade().is_none());
}

#[test]
fn a_boxed_slice_lends_as_the_slice_in_it() {
    let boxed: Box<[f32]> = Box::from([1.0, 2.0]);
    let lent = &boxed;
    assert_eq!(lent.window(Request::RECORDS_RO).unwrap().view().get::<f32>(&[1]).unwrap(), 2.0);
    assert_eq!(lent.export(Request::FULL).unwrap_err().kind(), &RefusalKind::ReadOnly);
}

#[test]
fn an_array_of_items_fills_its_block() {
    let memory = || Memory::from_vec(vec![0u32; 6]);
    assert_eq!(Array::of::<u32>(memory(), &[3, 2]).unwrap().layout().shape(), [3, 2]);
    let refused = Array::of::<u32>(memory(), &[5]).unwrap_err();
    assert_eq!(refused.kind(), &RefusalKind::ItemCount { wanted: 5, items: 6 });
    // Bytes are bytes: six `u32` are three `u64`.
    assert!(Array::of::<u64>(memory(), &[3]).is_ok());
    assert!(Array::of::<[u8; 0]>(memory(), &[1 << (usize::BITS / 2 + 8)]).is_ok());
}

#[derive(Clone, Copy, Debug, PartialEq, Element, Pod, Zeroable)]
#[repr(C)]
struct Particle {
    position: [f32; 3],
    charge: i16,
    kind: [u8; 2],
}

fn particles(n: usize) -> Vec<Particle> {
    (0..n)
        .map(|i| Particle { position: [i as f32, 0.5, -(i as f32)], charge: -(i as i16), kind: [i as u8, 9] })
        .collect()
}

#[test]
fn records_lend_their_fields_in_place() {
    let particles = particles(6);
    let lent = &particles;
    let window = lent.window(Request::RECORDS_RO).unwrap();
    assert_eq!(window.layout().itemsize(), size_of::<Particle>());
    let heights = window.map(|view| view.slice(s![..;-2])?.field("position[2]")).unwrap();
    assert_eq!((heights.shape(), heights.format()), (&[3][..], &f32::FORMAT));
    for (k, i) in [5usize, 3, 1].into_iter().enumerate() {
        assert_eq!(heights.view().get::<f32>(&[k]).unwrap(), particles[i].position[2]);
        let whole: Particle = window.view().get(&[i]).unwrap();
        assert_eq!(whole, particles[i]);
    }
    assert!(window.map(|view| view.field("spin")).is_err());
}

#[test]
fn a_field_written_in_place_leaves_the_others() {
    let buffer = Buffer::from_vec(particles(4));
    let mut window = buffer.window(Request::FULL).unwrap();
    let mut charges = window.view_mut().unwrap().field("charge").unwrap();
    (0..4).for_each(|i| charges.set(&[i], 100i16).unwrap());
    drop(window);
    let mut expected = particles(4);
    expected.iter_mut().for_each(|particle| particle.charge = 100);
    assert_eq!(buffer.into_vec().unwrap(), expected);
}

#[test]
fn rows_of_any_holder_are_read_and_those_held_alone_are_written() {
    let lines: [[u8; 4]; 3] = [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]];
    let shared: Vec<Arc<[u8]>> = lines.iter().map(|line| Arc::from(&line[..])).collect();
    let boxed: Vec<Box<[u8]>> = lines.iter().map(|line| Box::from(&line[..])).collect();
    let bytes: Vec<Bytes> = lines.iter().map(|line| Bytes::copy_from_slice(line)).collect();
    let images = [
        Rows::from_refs(shared.clone(), &[2, 2]).unwrap(),
        Rows::from_refs::<u8, _>(boxed.clone(), &[2, 2]).unwrap(),
        Rows::from_refs::<u8, _>(bytes, &[2, 2]).unwrap(),
        Rows::from_refs::<u8, _>(lines.to_vec(), &[2, 2]).unwrap(),
        Rows::from_muts::<u8, _>(boxed, &[2, 2]).unwrap(),
        Rows::from_muts::<u8, _>(lines.to_vec(), &[2, 2]).unwrap(),
    ];
    for (i, image) in images.into_iter().enumerate() {
        let window = image.window(Request::FULL_RO).unwrap();
        for (y, line) in lines.iter().enumerate() {
            for (x, byte) in line.iter().enumerate() {
                assert_eq!(window.view().get::<u8>(&[y, x / 2, x % 2]).unwrap(), *byte);
            }
        }
        drop(window);
        match image.window(Request::FULL) {
            Ok(mut window) if i >= 4 => window.view_mut().unwrap().set(&[2, 1, 1], 0u8).unwrap(),
            Err(refused) if i < 4 => assert_eq!(refused.kind(), &RefusalKind::ReadOnly),
            other => panic!("image {i}: {other:?}"),
        }
    }
    assert!(shared.iter().all(|row| Arc::strong_count(row) == 1));
    let refused = Rows::from_refs::<u8, _>(vec![vec![0u8; 2], vec![0; 3]], &[2]).unwrap_err();
    assert_eq!(refused.kind(), &RefusalKind::RowLength { row: 1, len: 3, expected: 2 });
}

#[test]
fn bottom_up_rows_and_rows_inside_one_block_are_slices_of_it() {
    // 3 rows of 4 bytes with 2 bytes of padding each, kept from the bottom to the top.
    let block: Vec<u8> = (0..18).collect();
    let from_the_top: Vec<&[u8]> = block.chunks(6).rev().map(|row| &row[..4]).collect();
    let image = Rows::from_slices(&from_the_top, &[4]).unwrap();
    let window = image.window(Request::FULL_RO).unwrap();
    assert_eq!(window.view().get::<u8>(&[0, 3]).unwrap(), 15);
    // From right to left: the offset after the load is that of the last pixel, the stride negative.
    let mirrored = window.slice(s![.., ..;-1]).unwrap();
    assert_eq!((mirrored.layout().offset(1), mirrored.layout().strides(1)[1]), (3, -1));
    assert_eq!(mirrored.view().get::<u8>(&[2, 3]).unwrap(), 0);
}

/// `a` pointers to `b` by `c` pointers to `d` by `e` items, which count up.
fn mixture([a, b, c, d, e]: [usize; 5], writable: bool) -> Nested<'static> {
    let (request, mut next) = (if writable { Request::FULL } else { Request::FULL_RO }, 0u32);
    let mut outer = Vec::new();
    for _ in 0..a {
        let mut inner = Vec::new();
        for _ in 0..b * c {
            let mut block = Buffer::from_vec((next..next + (d * e) as u32).collect());
            next += (d * e) as u32;
            block.reshape(&[d, e]).unwrap();
            inner.push(block.window(request).unwrap());
        }
        outer.push(Nested::new(inner, &[b, c]).unwrap().window(request).unwrap());
    }
    Nested::new(outer, &[a]).unwrap()
}

proptest! {
    #[test]
    fn pointers_to_pointers_are_followed_whatever_is_cut_off_behind_which_load(
        extents in [1usize..4, 1usize..4, 1usize..3, 1usize..4, 1usize..4],
        starts in [0usize..3, 0usize..3, 0usize..3, 0usize..3, 0usize..3],
        backwards in any::<[bool; 5]>(),
        axes in Just([0usize, 1, 2, 3, 4]).prop_shuffle(),
    ) {
        let nested = mixture(extents, false);
        prop_assert_eq!(nested.layout().levels(), 3);
        let window = nested.window(Request::FULL_RO).unwrap().map(|mut view| {
            for axis in 0..5 {
                let start = starts[axis].min(extents[axis]) as isize;
                view = view.slice_axis(axis, start..)?;
                if backwards[axis] {
                    view = view.reverse_axis(axis)?;
                }
            }
            view.permute(&axes)
        }).unwrap();
        let layout = window.layout().clone();
        for index in layout.indices(Order::C) {
            let mut number = 0;
            for axis in 0..5 {
                let k = index[axes.iter().position(|&a| a == axis).unwrap()];
                let k = if backwards[axis] { extents[axis] - 1 - k } else { starts[axis].min(extents[axis]) + k };
                number = number * extents[axis] + k;
            }
            prop_assert_eq!(window.view().get::<u32>(&index).unwrap(), number as u32);
        }
    }
}

#[test]
fn nested_windows_that_write_are_written_behind_both_loads() {
    let nested = mixture([2, 2, 1, 3, 2], true);
    let mut window = nested.window(Request::FULL).unwrap();
    let mut column = window.view_mut().unwrap().slice(s![1, .., 0, .., 1]).unwrap();
    assert_eq!(column.shape(), [2, 3]);
    column.set(&[1, 2], 99u32).unwrap();
    drop(window);
    let window = nested.window(Request::FULL_RO).unwrap();
    let written = |&k: &usize| window.view().get::<u32>(&[k / 12, k / 6 % 2, 0, k / 2 % 3, k % 2]).unwrap();
    let expected: Vec<u32> = (0..23).chain([99]).collect();
    assert_eq!((0..24).collect::<Vec<_>>().iter().map(written).collect::<Vec<_>>(), expected);
}

#[test]
fn a_table_takes_windows_that_are_laid_out_alike_and_as_many_as_it_has_places() {
    let window = |shape: &[usize]| {
        let mut buffer = Buffer::from_vec(vec![0u8; 6]);
        buffer.reshape(shape).unwrap();
        buffer.window(Request::FULL_RO).unwrap()
    };
    let kind = |windows, shape: &[usize]| Nested::new(windows, shape).unwrap_err().kind().clone();
    assert_eq!(kind(vec![], &[0]), RefusalKind::ItemCount { wanted: 1, items: 0 });
    assert_eq!(kind(vec![window(&[6])], &[2]), RefusalKind::ItemCount { wanted: 2, items: 1 });
    assert_eq!(kind(vec![window(&[6]), window(&[3, 2])], &[2]), RefusalKind::Unlike { part: 1 });
    let turned = window(&[3, 2]).map(|view| Ok::<_, Refusal>(view.transpose())).unwrap();
    assert_eq!(kind(vec![window(&[2, 3]), turned], &[2]), RefusalKind::Unlike { part: 1 });
    let other =
        Array::of::<i8>(Memory::from_vec(vec![0i8; 6]), &[6]).unwrap().window(Request::FULL_RO).unwrap();
    assert_eq!(kind(vec![window(&[6]), other], &[2]), RefusalKind::Unlike { part: 1 });
    // Rows cropped differently behind the load are unlike; a table of two rows of one window is not.
    let rows = Rows::from_vecs(vec![vec![1u8, 2, 3, 4]; 2], &[4]).unwrap().window(Request::FULL_RO).unwrap();
    let parts = vec![rows.slice(s![.., ..2]).unwrap(), rows.slice(s![.., 2..]).unwrap()];
    assert_eq!(kind(parts, &[2]), RefusalKind::Unlike { part: 1 });
    let one = Nested::new(vec![window(&[6])], &[]).unwrap();
    assert_eq!((one.layout().ndim(), one.layout().levels()), (1, 2));
}

#[test]
fn the_same_memory_may_stand_in_a_table_twice_for_reading_alone() {
    let buffer = Buffer::from_vec(vec![1u8, 2, 3, 4]);
    let whole = buffer.window(Request::FULL).unwrap();
    let halves = || [s![..2], s![2..], s![..2]].map(|half| whole.slice(half).unwrap()).into();
    let table = Nested::new(halves(), &[3]).unwrap();
    assert_eq!(table.window(Request::FULL_RO).unwrap().view().get::<u8>(&[2, 1]).unwrap(), 2);
    assert_eq!(table.export(Request::FULL).unwrap_err().kind(), &RefusalKind::ReadOnly);
    let mut whole = whole;
    assert!(whole.view_mut().is_err(), "the table looks at it");
    drop(table);
    assert!(whole.view_mut().is_ok());
}

#[test]
fn a_table_keeps_what_it_points_to_and_lets_go_once() {
    struct Counted(Vec<u8>, Arc<AtomicUsize>);
    impl AsRef<[u8]> for Counted {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }
    impl Drop for Counted {
        fn drop(&mut self) {
            self.1.fetch_add(1, Ordering::Relaxed);
        }
    }
    let freed = Arc::new(AtomicUsize::new(0));
    let part = |byte| {
        let memory = Memory::from_ref::<u8>(Counted(vec![byte; 2], freed.clone()));
        let layout = Layout::contiguous(1, &[2], Order::C).unwrap();
        Array::new(memory, layout, Format::bytes()).unwrap().window(Request::FULL_RO).unwrap()
    };
    let inner = Nested::new(vec![part(1), part(2)], &[2]).unwrap();
    let outer = Nested::new(vec![inner.window(Request::FULL_RO).unwrap()], &[1]).unwrap();
    drop(inner);
    let window = outer.window(Request::FULL_RO).unwrap().slice(s![0, 1..]).unwrap();
    drop(outer);
    assert_eq!((freed.load(Ordering::Relaxed), window.view().get::<u8>(&[0, 1]).unwrap()), (0, 2));
    drop(window);
    assert_eq!(freed.load(Ordering::Relaxed), 2);
}
