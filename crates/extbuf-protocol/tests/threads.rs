//! Leases from several threads: readers and writers never meet, and the account returns to zero.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use extbuf_protocol::{Buffer, Exporter, RefusalKind, Request};

#[test]
fn readers_see_whole_writes_and_all_leases_return() {
    const LEN: usize = 64;
    let buffer = Buffer::from_vec(vec![0u64; LEN]);
    let (writes, reads, busy) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for id in 0..4u64 {
            let (buffer, writes, reads, busy) = (&buffer, &writes, &reads, &busy);
            scope.spawn(move || {
                for round in 0..2000u64 {
                    let writing = (round + id) % 4 == 0;
                    let request = if writing { Request::FULL } else { Request::FULL_RO };
                    let mut window = match buffer.window(request) {
                        Ok(window) => window,
                        Err(refusal) => {
                            assert!(matches!(refusal.kind(), RefusalKind::Busy { .. }), "{refusal}");
                            busy.fetch_add(1, Ordering::Relaxed);
                            continue;
                        }
                    };
                    if writing {
                        let mut view = window.view_mut().unwrap();
                        for i in 0..LEN {
                            view.set(&[i], id << 32 | round).unwrap();
                        }
                        writes.fetch_add(1, Ordering::Relaxed);
                    } else {
                        // Whoever wrote last wrote every item: nobody writes while this reads.
                        let view = window.view();
                        let first: u64 = view.get(&[0]).unwrap();
                        for i in 1..LEN {
                            assert_eq!(view.get::<u64>(&[i]).unwrap(), first);
                        }
                        reads.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    assert_eq!(buffer.live(), 0);
    let (writes, reads, busy) = (writes.into_inner(), reads.into_inner(), busy.into_inner());
    assert_eq!(writes + reads + busy, 8000);
    assert!(writes > 0 && reads > 0, "{writes} writes, {reads} reads");
}

#[test]
fn windows_and_views_cross_threads() {
    fn sent<T: Send>(_: &T) {}
    fn shared<T: Sync>(_: &T) {}
    let buffer = Buffer::from_vec(vec![1u8, 2, 3]);
    let window = buffer.window(Request::FULL_RO).unwrap();
    sent(&window);
    shared(&window);
    sent(&window.view());
    shared(&window.view());
    let sum: u32 =
        thread::spawn(move || (0..3).map(|i| u32::from(window.view().get::<u8>(&[i]).unwrap())).sum())
            .join()
            .unwrap();
    assert_eq!(sum, 6);
    assert_eq!(buffer.live(), 0);
}
