//! Item types that panic or lie about themselves.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;

use extbuf_protocol::{Buffer, Exporter, RefusalKind, Request, Rows, View, ViewMut};

use crate::kit::{CLONE_PANICS, Liar, Moody, ZERO_PANICS};

#[test]
fn resize_runs_no_clone_of_the_item_type() {
    let mut buffer = Buffer::from_vec(vec![Moody(7), Moody(8)]);
    CLONE_PANICS.store(true, Ordering::Relaxed);
    buffer.resize(1 << 16).unwrap();
    let window = buffer.window(Request::FULL_RO).unwrap();
    assert_eq!(window.view().get::<u64>(&[1]).unwrap(), 8);
    assert_eq!(window.view().get::<u64>(&[(1 << 16) - 1]).unwrap(), 0);
}

#[test]
fn a_panic_while_the_block_moves_leaves_nothing_to_lend() {
    let mut buffer = Buffer::from_vec(vec![Moody(7), Moody(8), Moody(9)]);
    ZERO_PANICS.set(true);
    let resized = catch_unwind(AssertUnwindSafe(|| buffer.resize(1 << 16)));
    ZERO_PANICS.set(false);
    assert!(resized.is_err());
    // By now the vector lies elsewhere, and the block that the buffer knew is freed.
    assert_eq!(buffer.window(Request::FULL_RO).unwrap().shape(), [0]);
    buffer.resize(2).unwrap();
    let window = buffer.window(Request::FULL).unwrap();
    assert_eq!(window.view().get::<u64>(&[1]).unwrap(), 8);
}

#[test]
fn a_type_with_the_format_of_another_reads_and_writes_nothing() {
    let bytes = [0u8; 4];
    let refused = View::from_slice(&bytes).get::<Liar>(&[0]).unwrap_err();
    assert!(
        matches!(refused.kind(), RefusalKind::InvalidValue(what) if what.bytes == [0] && what.index == [0])
    );
    let mut bytes = [0u8; 4];
    let refused = ViewMut::from_slice(&mut bytes).set(&[0], Liar([1; 1024])).unwrap_err();
    assert_eq!(refused.kind(), &RefusalKind::ItemBytes { given: 1024, itemsize: 1 });
    assert_eq!(bytes, [0; 4]);

    let mut liars = [Liar([0; 1024]); 2];
    let mismatch = RefusalKind::ItemsizeMismatch { layout: 1024, format: 1 };
    assert_eq!((&liars).export(Request::FULL_RO).unwrap_err().kind(), &mismatch);
    assert!(catch_unwind(|| Buffer::from_vec(liars.to_vec())).is_err());
    let rows = Rows::from_vecs(vec![liars.to_vec()], &[2]).unwrap();
    assert_eq!(rows.export(Request::FULL_RO).unwrap_err().kind(), &mismatch);
    assert!(catch_unwind(|| View::from_slice(&liars).len()).is_err());
    assert!(catch_unwind(AssertUnwindSafe(|| ViewMut::from_slice(&mut liars).len())).is_err());
}

#[test]
fn items_of_no_bytes_are_looked_at_without_memory() {
    let nothing = vec![[0u8; 0]; 5];
    let rows = Rows::from_vecs(vec![nothing.clone(), nothing.clone()], &[5]).unwrap();
    let mut window = rows.window(Request::FULL).unwrap();
    assert_eq!(window.view().get::<[u8; 0]>(&[1, 4]).unwrap(), []);
    assert_eq!(window.view_mut().unwrap().item_mut(&[1, 4]).unwrap(), []);
    let mut buffer = Buffer::from_vec(nothing);
    buffer.resize(1 << 10).unwrap();
    assert_eq!(buffer.window(Request::FULL).unwrap().view().as_bytes(), Some(&[][..]));
    let large = 1 << (usize::BITS / 2 + 8);
    let mut wide = Rows::from_vecs(vec![vec![0u8; 0]], &[large, large, 0]).unwrap();
    wide.reshape_rows(&[0, 3]).unwrap();
}
