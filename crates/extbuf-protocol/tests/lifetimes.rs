//! The rows of the lifetime table that run: what may change while memory is out, and what may not.
//!
//! The rows that must not compile are documentation tests in `src/lifetimes.rs`.

use extbuf_layout::s;
use extbuf_protocol::{Access, Buffer, Exporter, Memory, RefusalKind, Request, Rows};

#[test]
fn a_window_keeps_its_shape_when_the_exporter_changes_its_own() {
    let mut buffer = Buffer::from_vec((0u16..12).collect());
    buffer.reshape(&[3, 4]).unwrap();
    let window = buffer.window(Request::FULL_RO).unwrap();
    buffer.reshape(&[2, 6]).unwrap();
    let after = buffer.window(Request::FULL_RO).unwrap();
    assert_eq!(window.shape(), [3, 4]);
    assert_eq!(after.shape(), [2, 6]);
    // Two views of one memory under two shapes: item 7 for both.
    assert_eq!(window.view().get::<u16>(&[1, 3]).unwrap(), 7);
    assert_eq!(after.view().get::<u16>(&[1, 1]).unwrap(), 7);
}

#[test]
fn resize_is_refused_with_the_live_count_until_the_last_window_goes() {
    let mut buffer = Buffer::from_vec(vec![7u8; 16]);
    let first = buffer.window(Request::FULL_RO).unwrap();
    let second = buffer.window(Request::FULL_RO).unwrap();
    assert_eq!(buffer.resize(1 << 20).unwrap_err().kind(), &RefusalKind::Pinned { live: 2 });
    drop(first);
    assert_eq!(buffer.resize(1 << 20).unwrap_err().kind(), &RefusalKind::Pinned { live: 1 });
    assert_eq!(second.view().as_bytes().unwrap(), [7; 16]);
    drop(second);
    buffer.resize(1 << 20).unwrap();
    let vec = buffer.into_vec().unwrap();
    assert_eq!((vec.len(), vec[15], vec[16]), (1 << 20, 7, 0));
}

#[test]
fn a_chain_of_windows_shares_one_lease_on_the_root() {
    let memory = Memory::from_vec((0u8..100).collect::<Vec<_>>());
    let layout = extbuf_layout::Layout::contiguous(1, &[10, 10], extbuf_layout::Order::C).unwrap();
    let array = extbuf_protocol::Array::new(memory, layout, extbuf_format::Format::bytes()).unwrap();
    let root = array.window(Request::FULL_RO).unwrap();
    let cropped = root.slice(s![2..8, 2..8]).unwrap();
    let turned = cropped.map(|view| view.permute(&[1, 0])).unwrap();
    let again = turned.window(Request::FULL_RO).unwrap();
    assert_eq!(array.memory().live(), 4); // each holds a share
    drop((root, cropped, turned));
    assert_eq!(array.memory().live(), 1);
    assert_eq!(again.view().get::<u8>(&[1, 0]).unwrap(), 23);
    drop(again);
    assert_eq!(array.memory().live(), 0);
}

#[test]
fn the_exporter_may_go_before_its_windows() {
    let window = {
        let rows = Rows::from_vecs(vec![vec![1u8, 2, 3], vec![4, 5, 6]], &[3]).unwrap();
        rows.window(Request::FULL_RO).unwrap()
    };
    assert_eq!(window.view().get::<u8>(&[1, 2]).unwrap(), 6);
}

#[test]
fn a_re_export_shows_the_slice_and_not_the_base() {
    let buffer = Buffer::from_vec((0i32..10).collect());
    let window = buffer.window(Request::FULL_RO).unwrap().slice(s![..;-3]).unwrap();
    let export = window.export(Request::RECORDS_RO).unwrap();
    assert_eq!(export.layout().shape(), [4]);
    assert_eq!(export.layout().strides(0), [-12]);
    let values: Vec<i32> = (0..4).map(|i| export.view().get(&[i]).unwrap()).collect();
    assert_eq!(values, [9, 6, 3, 0]);
}

#[test]
fn readers_and_a_writer_exclude_each_other() {
    let buffer = Buffer::from_vec(vec![0u8; 4]);
    let reader = buffer.window(Request::FULL_RO).unwrap();
    let refused = buffer.export(Request::FULL).unwrap_err();
    assert_eq!(refused.kind(), &RefusalKind::Busy { live: 1, writing: false });
    drop(reader);
    let writer = buffer.export(Request::FULL).unwrap();
    let refused = buffer.export(Request::FULL_RO).unwrap_err();
    assert_eq!(refused.kind(), &RefusalKind::Busy { live: 1, writing: true });
    drop(writer);
    assert!(buffer.export(Request::FULL_RO).is_ok());
}

#[test]
fn a_shared_writing_window_writes_only_when_it_is_alone() {
    let buffer = Buffer::from_vec(vec![0u8; 4]);
    let mut writer = buffer.window(Request::FULL).unwrap();
    let mut reader = writer.slice(s![1..3]).unwrap();
    assert_eq!(writer.view_mut().unwrap_err().kind(), &RefusalKind::Busy { live: 1, writing: false });
    // The flag to write is never gained: a slice for reading stays one when it is alone.
    assert_eq!(reader.view_mut().unwrap_err().kind(), &RefusalKind::ReadOnly);
    drop(reader);
    writer.view_mut().unwrap().set(&[2], 9u8).unwrap();
    let reader = writer.slice(s![1..3]).unwrap();
    drop(writer);
    assert_eq!(reader.view().get::<u8>(&[1]).unwrap(), 9);
}

#[test]
fn a_leaked_lease_leaves_the_memory_pinned_and_alive() {
    let memory = Memory::from_vec(vec![5u8; 8]);
    std::mem::forget(memory.lease(Access::Read).unwrap());
    assert_eq!(memory.live(), 1);
    assert!(memory.lease(Access::Write).is_err());
    assert!(memory.lease(Access::Read).is_ok());
}

#[test]
fn a_panic_while_memory_is_out_releases_it() {
    let buffer = Buffer::from_vec(vec![0u8; 4]);
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let mut window = buffer.window(Request::FULL).unwrap();
        window.view_mut().unwrap().set(&[0], 1u8).unwrap();
        panic!("a consumer that fails half-way");
    }));
    assert!(panicked.is_err());
    assert_eq!(buffer.live(), 0);
    assert_eq!(buffer.window(Request::FULL_RO).unwrap().view().get::<u8>(&[0]).unwrap(), 1);
}
