//! Every order in which two or three threads may meet, as far as it goes through `src/sync.rs`: the word of state
//! beside a memory, and the gate of a lock. `cargo xtask ci --only loom` runs it.
//!
//! What lent bytes go through is nothing that loom sees. A cell of loom's own stands for them: whoever holds a lease to
//! read reads the cell, whoever holds one to write writes it, and loom panics where two of these are not ordered by
//! what the lease did. `Arc` is the standard library's, so who frees a block is not modelled here; nor are times, since
//! loom has no clock.
#![cfg(loom)]

use extbuf_format::Element;
use extbuf_layout::{Layout, Order};
use extbuf_protocol::{Access, Array, Buffer, Exporter, Locked, Memory, RefusalKind, Request};
use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread::{self, JoinHandle};

/// Stands for the bytes.
struct Bytes(UnsafeCell<usize>);

// SAFETY: for loom to judge, access by access.
unsafe impl Sync for Bytes {}

impl Bytes {
    fn new() -> Bytes {
        Bytes(UnsafeCell::new(0))
    }

    fn read(&self) -> usize {
        // SAFETY: loom panics where somebody writes meanwhile.
        self.0.with(|cell| unsafe { *cell })
    }

    fn add_one(&self) {
        // SAFETY: loom panics where somebody else reads or writes meanwhile.
        self.0.with_mut(|cell| unsafe { *cell += 1 });
    }
}

/// Tries every order; with a number, those in which threads are stopped half-way at most so often.
/// (All of them pass too; three threads at a lock then take a minute.)
fn model(preemptions: Option<usize>, f: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = preemptions;
    builder.check(f);
}

fn memory() -> Memory<'static> {
    Memory::from_vec(vec![0u8; 4])
}

fn leased(memory: &Memory<'static>, bytes: &Arc<Bytes>, access: Access) -> JoinHandle<usize> {
    let (memory, bytes) = (memory.clone(), bytes.clone());
    thread::spawn(move || match memory.lease(access) {
        Ok(lease) => {
            let seen = match access {
                Access::Read => bytes.read(),
                Access::Write => {
                    bytes.add_one();
                    1
                }
            };
            drop(lease);
            seen
        }
        Err(refusal) => {
            assert!(matches!(refusal.kind(), RefusalKind::Busy { .. }));
            0
        }
    })
}

#[test]
fn two_writers_of_one_memory_never_meet() {
    model(None, || {
        let (memory, bytes) = (memory(), Arc::new(Bytes::new()));
        let threads = [(); 2].map(|()| leased(&memory, &bytes, Access::Write));
        let written: usize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
        // Somebody got it, and every write is there.
        assert!(written >= 1);
        assert_eq!(memory.live(), 0);
        assert!(memory.lease(Access::Write).is_ok());
        assert_eq!(bytes.read(), written);
    });
}

#[test]
fn readers_and_a_writer_of_one_memory_never_meet() {
    model(None, || {
        let (memory, bytes) = (memory(), Arc::new(Bytes::new()));
        let threads =
            [Access::Read, Access::Write, Access::Read].map(|access| leased(&memory, &bytes, access));
        threads.into_iter().for_each(|thread| assert!(thread.join().unwrap() <= 1));
        assert_eq!(memory.live(), 0);
    });
}

/// Shares of one writing lease: who looks through a share reads, who is alone with it writes, and what is released last
/// frees the memory for the next.
#[test]
fn the_shares_of_a_writer_never_meet_and_the_last_one_frees_the_memory() {
    model(None, || {
        let (memory, bytes) = (memory(), Arc::new(Bytes::new()));
        let layout = Layout::contiguous(1, &[4], Order::C).unwrap();
        let array = Array::new(memory.clone(), layout, u8::FORMAT).unwrap();
        let mut first = array.window(Request::FULL).unwrap();
        let second = first.clone();
        let other = {
            let bytes = bytes.clone();
            thread::spawn(move || {
                bytes.read();
                drop(second);
            })
        };
        // Alone or refused.
        if first.view_mut().is_ok() {
            bytes.add_one();
        }
        let next = leased(&memory, &bytes, Access::Write);
        drop(first);
        other.join().unwrap();
        next.join().unwrap();
        assert_eq!(memory.live(), 0);
        assert!(memory.lease(Access::Write).is_ok());
    });
}

fn locked() -> Locked<'static> {
    Locked::new(&Buffer::from_vec(vec![0u8; 4])).unwrap()
}

fn writes(lock: &Locked<'static>, bytes: &Arc<Bytes>) -> JoinHandle<()> {
    let (lock, bytes) = (lock.clone(), bytes.clone());
    thread::spawn(move || {
        let writer = lock.write().unwrap();
        bytes.add_one();
        drop(writer);
    })
}

fn reads(lock: &Locked<'static>, bytes: &Arc<Bytes>) -> JoinHandle<usize> {
    let (lock, bytes) = (lock.clone(), bytes.clone());
    thread::spawn(move || {
        let reader = lock.read().unwrap();
        let first = bytes.read();
        assert_eq!(first, bytes.read());
        drop(reader);
        first
    })
}

#[test]
fn two_writers_at_a_lock_both_write_and_nobody_waits_for_ever() {
    model(None, || {
        let (lock, bytes) = (locked(), Arc::new(Bytes::new()));
        let threads = [(); 2].map(|()| writes(&lock, &bytes));
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!((bytes.read(), lock.live()), (2, 0));
    });
}

#[test]
fn readers_and_a_writer_at_a_lock_wait_for_each_other() {
    model(Some(3), || {
        let (lock, bytes) = (locked(), Arc::new(Bytes::new()));
        let writer = writes(&lock, &bytes);
        let readers = [(); 2].map(|()| reads(&lock, &bytes));
        writer.join().unwrap();
        readers.into_iter().for_each(|thread| assert!(thread.join().unwrap() <= 1));
        assert_eq!((bytes.read(), lock.live()), (1, 0));
    });
}

#[test]
fn two_writers_and_a_reader_at_a_lock_wait_for_each_other() {
    model(Some(3), || {
        let (lock, bytes) = (locked(), Arc::new(Bytes::new()));
        let writers = [(); 2].map(|()| writes(&lock, &bytes));
        assert!(reads(&lock, &bytes).join().unwrap() <= 2);
        writers.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!((bytes.read(), lock.live()), (2, 0));
    });
}

#[test]
fn no_writer_comes_between_a_writer_and_the_reader_that_it_becomes() {
    model(Some(3), || {
        let (lock, bytes) = (locked(), Arc::new(Bytes::new()));
        let other = writes(&lock, &bytes);
        let reader = reads(&lock, &bytes);
        let writer = lock.write().unwrap();
        bytes.add_one();
        let written = bytes.read();
        let stays = writer.downgrade();
        assert_eq!(bytes.read(), written);
        drop(stays);
        other.join().unwrap();
        assert!(reader.join().unwrap() <= 2);
        assert_eq!((bytes.read(), lock.live()), (2, 0));
    });
}

#[test]
fn who_tries_at_a_lock_is_refused_or_alone() {
    model(None, || {
        let (lock, bytes) = (locked(), Arc::new(Bytes::new()));
        let writer = writes(&lock, &bytes);
        let tries = {
            let (lock, bytes) = (lock.clone(), bytes.clone());
            thread::spawn(move || {
                if let Ok(reader) = lock.try_read() {
                    assert!(bytes.read() <= 1);
                    drop(reader);
                }
                if let Ok(writer) = lock.try_write() {
                    bytes.add_one();
                    drop(writer);
                }
            })
        };
        writer.join().unwrap();
        tries.join().unwrap();
        assert_eq!(lock.live(), 0);
    });
}
