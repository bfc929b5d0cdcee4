//! Holders of slices that answer differently each time, panic when asked or when dropped; exporters whose provided methods
//! are not the provided ones; locks and tables over all of them.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use extbuf_protocol::{
    Access, Array, Buffer, Export, Exporter, Memory, Nested, Refusal, RefusalKind, Request, Rows, Window,
};

use crate::kit::{Counted, Shifty, line};

/// A holder whose answer is shorter each time, and somewhere else.
struct Shrinks {
    blocks: Vec<Vec<u8>>,
    asked: AtomicUsize,
}

impl Shrinks {
    fn new() -> Shrinks {
        let blocks = (1..5u8).map(|n| vec![n; 64 >> n]).collect();
        Shrinks { blocks, asked: AtomicUsize::new(0) }
    }

    fn turn(&self) -> usize {
        self.asked.fetch_add(1, Ordering::Relaxed).min(self.blocks.len() - 1)
    }
}

impl AsRef<[u8]> for Shrinks {
    fn as_ref(&self) -> &[u8] {
        &self.blocks[self.turn()]
    }
}

impl AsMut<[u8]> for Shrinks {
    fn as_mut(&mut self) -> &mut [u8] {
        let turn = self.turn();
        &mut self.blocks[turn]
    }
}

#[test]
fn a_holder_is_asked_once_and_taken_at_its_word() {
    for memory in [Memory::from_ref::<u8>(Shrinks::new()), Memory::from_mut::<u8>(Shrinks::new())] {
        assert_eq!(memory.len(), 32);
        let array = Array::of::<u8>(memory, &[32]).unwrap();
        for _ in 0..3 {
            let window = array.window(Request::FULL_RO).unwrap();
            assert_eq!(window.view().as_bytes().unwrap(), [1; 32]);
        }
    }
    let rows = Rows::from_refs::<u8, _>(vec![Shrinks::new(), Shrinks::new()], &[32]).unwrap();
    assert_eq!(rows.window(Request::FULL_RO).unwrap().view().get::<u8>(&[1, 31]).unwrap(), 1);
    let rows = Rows::from_muts::<u8, _>(vec![Shrinks::new(), Shrinks::new()], &[32]).unwrap();
    rows.window(Request::FULL).unwrap().view_mut().unwrap().set(&[1, 31], 7u8).unwrap();
    assert_eq!(rows.window(Request::FULL_RO).unwrap().view().get::<u8>(&[1, 31]).unwrap(), 7);
    // One row was asked before: its answer is another length, and is refused for it.
    let asked = Shrinks::new();
    let _: &[u8] = asked.as_ref();
    let refused = Rows::from_refs::<u8, _>(vec![Shrinks::new(), asked], &[32]).unwrap_err();
    assert_eq!(refused.kind(), &RefusalKind::RowLength { row: 1, len: 16, expected: 32 });
}

/// Items that lie in the holder itself, so that they would move with it.
struct Inline([u8; 24]);

impl AsRef<[u8]> for Inline {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl AsMut<[u8]> for Inline {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

#[test]
fn a_holder_of_items_of_its_own_stays_where_it_was_asked() {
    let memory = Memory::from_mut::<u8>(Inline([3; 24]));
    let moved = Box::new(Array::of::<u8>(memory, &[24]).unwrap());
    let array = thread::spawn(move || *moved).join().unwrap();
    array.window(Request::FULL).unwrap().view_mut().unwrap().set(&[23], 4u8).unwrap();
    assert_eq!(array.window(Request::FULL_RO).unwrap().view().get::<u8>(&[23]).unwrap(), 4);
    let rows = Rows::from_muts::<u8, _>((0..40).map(|i| Inline([i; 24])).collect(), &[24]).unwrap();
    let rows = Box::new(rows);
    let mut window = rows.window(Request::FULL).unwrap();
    drop(rows);
    window.view_mut().unwrap().set(&[39, 23], 77u8).unwrap();
    assert_eq!(window.view().get::<u8>(&[39, 22]).unwrap(), 39);
    assert_eq!(window.view().get::<u8>(&[39, 23]).unwrap(), 77);
}

/// Panics when it is asked the nth time, and counts its drops.
struct Panics(usize, AtomicUsize, Arc<AtomicUsize>);

impl AsRef<[u8]> for Panics {
    fn as_ref(&self) -> &[u8] {
        assert!(self.1.fetch_add(1, Ordering::Relaxed) != self.0, "a holder that will not say");
        &[1, 2]
    }
}

impl Drop for Panics {
    fn drop(&mut self) {
        self.2.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_holder_that_panics_when_it_is_asked_is_dropped_and_nothing_is_lent() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let holder = |at| Panics(at, AtomicUsize::new(0), dropped.clone());
    assert!(catch_unwind(AssertUnwindSafe(|| Memory::from_ref::<u8>(holder(0)))).is_err());
    assert_eq!(dropped.swap(0, Ordering::Relaxed), 1);
    let rows = catch_unwind(AssertUnwindSafe(|| {
        Rows::from_refs::<u8, _>(vec![holder(9), holder(0), holder(9)], &[2]).map(drop)
    }));
    assert!(rows.is_err());
    assert_eq!(dropped.load(Ordering::Relaxed), 3);
}

/// A container that says another length each time it is looked into.
#[cfg(feature = "image")]
struct Flickers(Vec<u8>, AtomicUsize);

#[cfg(feature = "image")]
impl std::ops::Deref for Flickers {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0[..self.0.len() >> self.1.fetch_add(1, Ordering::Relaxed)]
    }
}

#[cfg(feature = "image")]
#[test]
fn a_picture_whose_container_shrinks_is_lent_while_it_is_there() {
    let container = Flickers(vec![5; 4 * 2 * 3 * 4], AtomicUsize::new(0));
    let picture = &image::ImageBuffer::<image::Rgb<u8>, _>::from_raw(4, 2, container).unwrap();
    let export = picture.export(Request::FULL_RO).unwrap();
    assert_eq!(export.view().as_bytes().unwrap(), [5; 24]);
    let refused = (0..3).find_map(|_| picture.export(Request::FULL_RO).err()).unwrap();
    assert!(matches!(refused.kind(), RefusalKind::OutOfBlock { .. }));
    assert_eq!(export.view().as_bytes().unwrap(), [5; 24]);
}

/// An exporter whose provided methods do as they like.
struct Overrides {
    kept: RefCell<Vec<Window<'static>>>,
    buffer: Buffer<u8>,
}

impl Exporter<'static> for Overrides {
    fn export(&self, _: Request) -> Result<Export<'static, '_>, Refusal> {
        self.buffer.export(Request::FULL)
    }

    /// A window that somebody else can write through as soon as it is alone.
    fn window(&self, _: Request) -> Result<Window<'static>, Refusal> {
        let window = self.buffer.window(Request::FULL)?;
        self.kept.borrow_mut().push(window.clone());
        Ok(window)
    }
}

#[test]
fn a_window_that_is_kept_by_its_exporter_is_never_written_while_another_looks() {
    let exporter = Overrides { kept: RefCell::default(), buffer: Buffer::from_vec(vec![1u8, 2]) };
    let window = exporter.window(Request::FULL_RO).unwrap();
    // A table over it reads, and while it stands the exporter's own window does not write.
    let table = Nested::new(vec![window], &[1]).unwrap();
    assert_eq!(table.export(Request::FULL).unwrap_err().kind(), &RefusalKind::ReadOnly);
    let mut kept = exporter.kept.borrow_mut().pop().unwrap();
    let reader = table.window(Request::FULL_RO).unwrap();
    assert_eq!(kept.view_mut().unwrap_err().kind(), &RefusalKind::Busy { live: 1, writing: false });
    drop(table);
    assert!(kept.view_mut().is_err());
    assert_eq!(reader.view().get::<u8>(&[0, 1]).unwrap(), 2);
    drop(reader);
    assert!(kept.view_mut().is_ok());
}

#[test]
fn an_answer_to_another_request_than_the_one_asked_gives_nobody_more_than_it_grants() {
    let buffer = Buffer::from_vec(vec![1u8, 2, 3]);
    let always = |request: Request| {
        Shifty(move |_: Request| {
            let memory = Memory::from_vec(vec![1u8, 2, 3]);
            Export::described(
                memory.lease(request.access())?,
                line(1, 3),
                extbuf_format::Format::bytes(),
                request,
            )
        })
    };
    let mut window = always(Request::FULL_RO).window(Request::FULL).unwrap();
    assert_eq!(window.view_mut().unwrap_err().kind(), &RefusalKind::ReadOnly);
    let mut window = always(Request::FULL).window(Request::SIMPLE).unwrap();
    assert!(window.grant().writable && window.view_mut().is_ok());
    assert!(buffer.window(Request::FULL).unwrap().view_mut().is_ok());
    // A window that was not asked to write, over a lease that could.
    let array = Array::of::<u8>(Memory::from_vec(vec![1u8, 2]), &[2]).unwrap();
    let lease = array.memory().lease(Access::Write).unwrap();
    let export =
        Export::described(lease, line(1, 2), extbuf_format::Format::bytes(), Request::FULL_RO).unwrap();
    let mut window = export.keep();
    assert_eq!(window.view_mut().unwrap_err().kind(), &RefusalKind::ReadOnly);
    let parts = vec![window.clone(), window];
    assert_eq!(
        Nested::new(parts, &[2]).unwrap().export(Request::FULL).unwrap_err().kind(),
        &RefusalKind::ReadOnly
    );
}

#[test]
fn an_exporter_that_exports_itself_while_it_exports_ends_in_a_refusal() {
    struct Again(Buffer<u8>, AtomicUsize);
    impl Exporter<'static> for Again {
        fn export(&self, request: Request) -> Result<Export<'static, '_>, Refusal> {
            if self.1.fetch_add(1, Ordering::Relaxed) > 100 {
                return self.0.export(request);
            }
            let outer = self.0.export(request)?;
            let inner = self.export(request);
            drop(outer);
            inner
        }
    }
    let again = Again(Buffer::from_vec(vec![1u8]), AtomicUsize::new(0));
    assert!(again.export(Request::FULL_RO).is_ok());
    assert_eq!(again.0.live(), 0);
    let again = Again(Buffer::from_vec(vec![1u8]), AtomicUsize::new(0));
    assert!(matches!(
        again.export(Request::FULL).unwrap_err().kind(),
        RefusalKind::Busy { live: 1, writing: true }
    ));
    assert_eq!(again.0.live(), 0);
}

fn part(freed: &Arc<AtomicUsize>, panics: bool) -> Window<'static> {
    let array = Array::of::<u8>(Counted::memory(freed, panics), &[8]).unwrap();
    array.window(Request::FULL).unwrap()
}

#[test]
fn one_release_of_many_that_panics_keeps_none_of_the_others() {
    let freed = Arc::new(AtomicUsize::new(0));
    let parts = [false, true, false].map(|panics| part(&freed, panics));
    let table = Nested::new(parts.into(), &[3]).unwrap();
    let mut window = table.window(Request::FULL).unwrap();
    window.view_mut().unwrap().set(&[2, 7], 9u8).unwrap();
    drop(table);
    assert_eq!(freed.load(Ordering::Relaxed), 0);
    assert!(catch_unwind(AssertUnwindSafe(|| drop(window))).is_err());
    assert_eq!(freed.load(Ordering::Relaxed), 3);
}

#[test]
fn a_table_half_made_lets_go_of_every_window() {
    let freed = Arc::new(AtomicUsize::new(0));
    let other = Buffer::from_vec(vec![0u16; 4]).window(Request::FULL).unwrap();
    let refused = Nested::new(vec![part(&freed, false), part(&freed, false), other], &[3]).unwrap_err();
    assert_eq!((refused.kind(), freed.load(Ordering::Relaxed)), (&RefusalKind::Unlike { part: 2 }, 2));
}

#[cfg(feature = "std")]
mod behind_a_lock {
    use extbuf_layout::s;
    use extbuf_protocol::{Locked, View};

    use super::*;

    #[test]
    fn memory_whose_release_panics_is_released_by_the_last_who_is_in() {
        let freed = Arc::new(AtomicUsize::new(0));
        let array = Array::of::<u8>(Counted::memory(&freed, true), &[8]).unwrap();
        let lock = Locked::new(&array).unwrap();
        drop(array);
        let reader = lock.read().unwrap();
        let part = reader.slice(s![1..]).unwrap();
        drop((lock, reader));
        assert_eq!(freed.load(Ordering::Relaxed), 0);
        assert!(catch_unwind(AssertUnwindSafe(|| drop(part))).is_err());
        assert_eq!(freed.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_lock_over_an_exporter_that_overrides_what_is_provided_is_alone() {
        let exporter = Overrides { kept: RefCell::default(), buffer: Buffer::from_vec(vec![1u8, 2]) };
        let lock = Locked::new(&exporter).unwrap();
        assert!(exporter.kept.borrow().is_empty());
        lock.write().unwrap().view_mut().unwrap().set(&[0], 5u8).unwrap();
        assert!(exporter.window(Request::FULL_RO).is_err());
    }

    #[test]
    fn a_writer_that_was_leaked_keeps_everybody_out_and_alive() {
        let freed = Arc::new(AtomicUsize::new(0));
        let lock = Locked::new(&part_exporter(&freed)).unwrap();
        let writer = Box::leak(Box::new(lock.write().unwrap()));
        assert_eq!(lock.try_read().unwrap_err().kind(), &RefusalKind::Busy { live: 1, writing: true });
        drop(lock);
        let view: View<'static> = writer.view();
        assert_eq!((view.get::<u8>(&[7]).unwrap(), freed.load(Ordering::Relaxed)), (8, 0));
    }

    fn part_exporter(freed: &Arc<AtomicUsize>) -> Array<'static> {
        Array::of::<u8>(Counted::memory(freed, false), &[8]).unwrap()
    }

    #[test]
    fn clones_of_a_writing_window_write_one_at_a_time_and_are_one_writer() {
        let lock = Locked::new(&Buffer::from_vec(vec![0u8; 2])).unwrap();
        let mut first = lock.write().unwrap().into_window();
        let mut second = first.clone();
        assert!(first.view_mut().is_err() && second.view_mut().is_err());
        drop(first);
        assert!(lock.try_read().is_err());
        second.view_mut().unwrap().set(&[0], 1u8).unwrap();
        drop(second);
        assert_eq!(lock.try_read().unwrap().view().get::<u8>(&[0]).unwrap(), 1);
    }
}
