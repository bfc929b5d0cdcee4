//! Locks: who waits for whom, what a panic leaves, what the leases under a lock still promise.
//!
//! That no order of threads breaks it is modelled in `tests/loom.rs`; here are real threads, real clocks and real
//! bytes.
#![cfg(feature = "std")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use extbuf_layout::s;
use extbuf_protocol::{Buffer, Exporter, Locked, RefusalKind, Request, Rows, Window};

const SHORT: Duration = Duration::from_millis(30);
/// As good as for ever: a test that waits so long has failed.
const LONG: Duration = Duration::from_secs(60);

fn locked(len: usize) -> Locked<'static> {
    Locked::new(&Buffer::from_vec(vec![0u8; len])).unwrap()
}

fn busy(live: usize, writing: bool) -> RefusalKind {
    RefusalKind::Busy { live, writing }
}

#[test]
fn trying_takes_what_can_be_had_now_and_says_who_is_in() {
    let lock = locked(4);
    let (first, second) = (lock.try_read().unwrap(), lock.try_read().unwrap());
    assert_eq!(lock.try_write().unwrap_err().kind(), &busy(2, false));
    drop((first, second));
    let writer = lock.try_write().unwrap();
    assert_eq!(lock.try_read().unwrap_err().kind(), &busy(1, true));
    assert_eq!(lock.try_write().unwrap_err().kind(), &busy(1, true));
    assert_eq!(lock.live(), 1);
    drop(writer);
    assert_eq!(lock.live(), 0);
    assert!(lock.try_read().is_ok());
}

#[test]
fn a_time_ends_the_wait_with_who_was_in_then() {
    let lock = locked(4);
    let reader = lock.read().unwrap();
    let start = Instant::now();
    assert_eq!(lock.write_timeout(SHORT).unwrap_err().kind(), &busy(1, false));
    assert!(start.elapsed() >= SHORT);
    assert!(lock.read_timeout(Duration::ZERO).is_ok());
    drop(reader);
    let writer = lock.write_timeout(Duration::ZERO).unwrap();
    assert_eq!(lock.read_timeout(SHORT).unwrap_err().kind(), &busy(1, true));
    drop(writer);
    assert!(lock.read_timeout(Duration::MAX).is_ok());
}

#[test]
fn who_waits_goes_in_when_the_last_window_of_the_others_goes() {
    let lock = locked(4);
    let reader = lock.read().unwrap();
    let part = reader.slice(s![1..3]).unwrap();
    drop(reader);
    let (waits, waited) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut writer = lock.write_timeout(LONG).unwrap();
            writer.view_mut().unwrap().set(&[1], 9u8).unwrap();
            waits.send(Instant::now()).unwrap();
        });
        thread::sleep(SHORT);
        assert_eq!(part.view().get::<u8>(&[0]).unwrap(), 0);
        let released = Instant::now();
        drop(part);
        assert!(waited.recv().unwrap() >= released);
    });
    assert_eq!(lock.read().unwrap().view().get::<u8>(&[1]).unwrap(), 9);
}

#[test]
fn a_writer_that_waits_goes_before_readers_that_come_to_wait_later() {
    let lock = locked(1);
    let reader = lock.read().unwrap();
    thread::scope(|scope| {
        let writes = scope.spawn(|| {
            let mut writer = lock.write_timeout(LONG).unwrap();
            writer.view_mut().unwrap().set(&[0], 1u8).unwrap();
        });
        // Only a writer that waits keeps a reader out while a reader is in.
        while lock.read_timeout(Duration::ZERO).is_ok() {
            thread::yield_now();
        }
        // Who tries goes past it.
        assert!(lock.try_read().is_ok());
        let later = scope.spawn(|| lock.read_timeout(LONG).unwrap().view().get::<u8>(&[0]).unwrap());
        thread::sleep(SHORT);
        drop(reader);
        writes.join().unwrap();
        assert_eq!(later.join().unwrap(), 1);
    });
}

#[test]
fn a_writer_that_gives_up_lets_the_readers_behind_it_in() {
    let lock = locked(1);
    let reader = lock.read().unwrap();
    thread::scope(|scope| {
        let gives_up = scope.spawn(|| lock.write_timeout(4 * SHORT).unwrap_err());
        while lock.read_timeout(Duration::ZERO).is_ok() && !gives_up.is_finished() {
            thread::yield_now();
        }
        assert!(lock.read_timeout(LONG).is_ok());
        assert_eq!(gives_up.join().unwrap().kind(), &busy(1, false));
    });
    drop(reader);
}

#[test]
fn a_writer_stays_as_a_reader_and_others_read_with_it() {
    let lock = locked(4);
    let mut writer = lock.write().unwrap();
    let part = {
        writer.view_mut().unwrap().set(&[2], 5u8).unwrap();
        writer.slice(s![2..]).unwrap()
    };
    let mut stays = writer.downgrade();
    let other = lock.try_read().unwrap();
    for window in [&stays, &other] {
        assert_eq!(window.view().get::<u8>(&[2]).unwrap(), 5);
    }
    assert_eq!(lock.live(), 2);
    // The right to write is gone, from the window and from what was made of it before.
    assert_eq!(stays.view_mut().unwrap_err().kind(), &RefusalKind::ReadOnly);
    assert_eq!(lock.try_write().unwrap_err().kind(), &busy(2, false));
    drop((stays, other));
    // The slice made before is the same reader, and still in.
    assert_eq!(lock.try_write().unwrap_err().kind(), &busy(1, false));
    drop(part);
    assert!(lock.try_write().is_ok());
}

#[test]
fn a_panic_while_writing_poisons_and_a_repair_mends() {
    let lock = locked(2);
    let fails = |repair: bool| {
        catch_unwind(AssertUnwindSafe(|| {
            let mut writer = if repair { lock.repair().unwrap() } else { lock.write().unwrap() };
            writer.view_mut().unwrap().set(&[0], 1u8).unwrap();
            panic!("half-way");
        }))
    };
    assert!(fails(false).is_err());
    assert!(lock.is_poisoned());
    for refused in [
        lock.read().map(drop),
        lock.try_read().map(drop),
        lock.write_timeout(LONG).map(drop),
        lock.export(Request::FULL_RO).map(drop),
        lock.export(Request::FULL).map(drop),
    ] {
        let refused = refused.unwrap_err();
        assert_eq!(refused.kind(), &RefusalKind::Poisoned);
        assert_eq!(refused.to_string(), "a writer panicked, the memory awaits repair");
    }
    assert!(fails(true).is_err());
    assert!(lock.is_poisoned(), "a repair that panics repairs nothing");
    let reader = lock.repair().unwrap().downgrade();
    assert!(!lock.is_poisoned());
    assert_eq!(reader.view().as_bytes().unwrap(), [1, 0]);
    assert_eq!(lock.live(), 1);
}

#[test]
fn a_panic_while_reading_or_after_downgrading_poisons_nothing() {
    let lock = locked(2);
    for write in [false, true] {
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _reader = if write { lock.write().unwrap().downgrade() } else { lock.read().unwrap() };
            panic!("a reader that fails");
        }));
        assert!(panicked.is_err());
        assert_eq!((lock.is_poisoned(), lock.live()), (false, 0));
    }
    // A writer in a destructor that runs because of another's panic.
    struct WritesOnDrop<'l>(&'l Locked<'static>);
    impl Drop for WritesOnDrop<'_> {
        fn drop(&mut self) {
            self.0.write().unwrap().view_mut().unwrap().set(&[1], 3u8).unwrap();
        }
    }
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _writes = WritesOnDrop(&lock);
        panic!("elsewhere");
    }));
    assert!(panicked.is_err());
    assert_eq!(lock.read().unwrap().view().as_bytes().unwrap(), [0, 3]);
}

#[test]
fn everybody_else_is_refused_while_the_lock_or_a_window_of_it_lives() {
    let mut buffer = Buffer::from_vec(vec![0u8; 4]);
    let lock = Locked::new(&buffer).unwrap();
    assert_eq!(buffer.export(Request::FULL_RO).unwrap_err().kind(), &busy(1, true));
    assert!(buffer.resize(8).is_err());
    let window = lock.read().unwrap();
    drop(lock);
    assert_eq!(buffer.export(Request::FULL_RO).unwrap_err().kind(), &busy(1, true));
    drop(window);
    assert!(buffer.export(Request::FULL_RO).is_ok());
    buffer.resize(8).unwrap();
}

#[test]
fn a_lock_needs_memory_that_is_free_and_may_be_written() {
    let buffer = Buffer::from_vec(vec![0u8; 4]);
    let reader = buffer.window(Request::FULL_RO).unwrap();
    assert_eq!(Locked::new(&buffer).unwrap_err().kind(), &busy(1, false));
    assert_eq!(Locked::new(&reader).unwrap_err().kind(), &RefusalKind::ReadOnly);
    assert_eq!(Locked::new(&(&[1u8, 2][..])).unwrap_err().kind(), &RefusalKind::ReadOnly);
    assert_eq!(Locked::new(&locked(1).write().unwrap().into_window()).unwrap_err().kind(), &busy(1, true));
}

/// Safe code that was asked to write and answers with what it likes.
struct Shared(Window<'static>);

impl Exporter<'static> for Shared {
    fn export(&self, _: Request) -> Result<extbuf_protocol::Export<'static, '_>, extbuf_protocol::Refusal> {
        self.0.export(Request::FULL_RO)
    }
}

#[test]
fn an_exporter_that_lends_what_others_see_gets_no_lock() {
    let buffer = Buffer::from_vec(vec![0u8; 4]);
    let writing = Shared(buffer.window(Request::FULL).unwrap());
    assert_eq!(Locked::new(&writing).unwrap_err().kind(), &RefusalKind::ReadOnly);
}

#[test]
fn as_an_exporter_a_lock_tries_and_answers_requests_as_any() {
    let mut buffer = Buffer::from_vec((0u16..6).collect());
    buffer.reshape(&[2, 3]).unwrap();
    let lock = Locked::new(&buffer).unwrap();
    let export = lock.export(Request::RECORDS_RO).unwrap();
    assert_eq!(export.layout().shape(), [2, 3]);
    assert_eq!(export.view().get::<u16>(&[1, 0]).unwrap(), 3);
    assert_eq!(lock.export(Request::FULL).unwrap_err().kind(), &busy(1, false));
    drop(export);
    let f_order = lock.export(Request::F_CONTIGUOUS).unwrap_err();
    assert_eq!(f_order.to_string(), "the layout is not Fortran-contiguous");
    assert_eq!(lock.live(), 0, "who is refused has gone out again");
    // A lock in front of a lock: the outer one holds the inner.
    let outer = Locked::new(&lock).unwrap();
    assert_eq!(lock.try_read().unwrap_err().kind(), &busy(1, true));
    outer.write().unwrap().view_mut().unwrap().set(&[0, 0], 7u16).unwrap();
    drop(outer);
    assert_eq!(lock.read().unwrap().view().get::<u16>(&[0, 0]).unwrap(), 7);
}

#[test]
fn rows_behind_a_lock_are_written_behind_the_load() {
    let rows = Rows::from_vecs(vec![vec![0u8; 3]; 2], &[3]).unwrap();
    let lock = Locked::new(&rows).unwrap();
    let mut writer = lock.write().unwrap();
    let mut column = writer.view_mut().unwrap().index_axis(1, 1).unwrap();
    column.set(&[0], 4u8).unwrap();
    column.set(&[1], 5u8).unwrap();
    drop(writer);
    let reader = lock.read().unwrap();
    assert_eq!(reader.view().get::<u8>(&[1, 1]).unwrap(), 5);
    assert!(reader.grant().loads);
}

#[test]
fn threads_at_a_lock_see_whole_writes_and_all_go_out() {
    const LEN: usize = 64;
    let lock = Locked::new(&Buffer::from_vec(vec![0u64; LEN])).unwrap();
    thread::scope(|scope| {
        for id in 0..4u64 {
            let lock = lock.clone();
            scope.spawn(move || {
                for round in 0..300u64 {
                    if (round + id) % 3 == 0 {
                        let mut writer = lock.write().unwrap();
                        let mut view = writer.view_mut().unwrap();
                        let before: u64 = view.get(&[0]).unwrap();
                        (0..LEN).for_each(|i| view.set(&[i], before + 1).unwrap());
                    } else {
                        let reader = lock.read().unwrap();
                        let first: u64 = reader.view().get(&[0]).unwrap();
                        assert!((1..LEN).all(|i| reader.view().get::<u64>(&[i]).unwrap() == first));
                    }
                }
            });
        }
    });
    assert_eq!(lock.live(), 0);
    // Every write was counted: nobody wrote between another's reading and writing.
    assert_eq!(lock.read().unwrap().view().get::<u64>(&[0]).unwrap(), 400);
}

#[test]
fn a_lock_and_all_that_comes_of_it_cross_threads() {
    fn crosses<T: Send + Sync>(_: &T) {}
    let lock = locked(1);
    crosses(&lock);
    crosses(&lock.try_read().unwrap());
    crosses(&lock.try_write().unwrap());
    assert!(format!("{lock:?} {:?}", lock.write().unwrap()).contains("poisoned: false"));
}
