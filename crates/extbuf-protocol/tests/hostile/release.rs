//! Release: once, on whatever thread, through panics, and not at all where it was leaked.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use extbuf_format::Format;
use extbuf_layout::s;
use extbuf_protocol::{Access, Array, Buffer, Exporter, Refusal, RefusalKind, Request, View, Window};

use crate::kit::{Counted, line};

#[test]
fn a_block_is_freed_once_when_the_last_window_goes_on_whatever_thread() {
    let freed = Arc::new(AtomicUsize::new(0));
    let array = Array::new(Counted::memory(&freed, false), line(1, 8), Format::bytes()).unwrap();
    let window = array.window(Request::FULL_RO).unwrap();
    drop(array);
    let part = window.slice(s![2..]).unwrap();
    let again = part.window(Request::FULL_RO).unwrap();
    drop((window, part));
    assert_eq!(freed.load(Ordering::Relaxed), 0);
    let third = std::thread::spawn(move || again.view().get::<u8>(&[0]).unwrap()).join().unwrap();
    assert_eq!((third, freed.load(Ordering::Relaxed)), (3, 1));
}

#[test]
fn a_release_that_panics_has_happened() {
    let freed = Arc::new(AtomicUsize::new(0));
    let array = Array::new(Counted::memory(&freed, true), line(1, 8), Format::bytes()).unwrap();
    let window = array.window(Request::FULL).unwrap();
    drop(array);
    assert!(catch_unwind(AssertUnwindSafe(|| drop(window))).is_err());
    assert_eq!(freed.load(Ordering::Relaxed), 1);
}

#[test]
fn a_leaked_window_pins_for_ever_and_frees_nothing() {
    let freed = Arc::new(AtomicUsize::new(0));
    let memory = Counted::memory(&freed, false);
    let array = Array::new(memory.clone(), line(1, 8), Format::bytes()).unwrap();
    let window: &'static Window<'static> = Box::leak(Box::new(array.window(Request::FULL_RO).unwrap()));
    let view: View<'static> = window.view();
    drop(array);
    assert_eq!(
        memory.lease(Access::Write).unwrap_err().kind(),
        &RefusalKind::Busy { live: 1, writing: false }
    );
    drop(memory);
    assert_eq!((view.get::<u8>(&[7]).unwrap(), freed.load(Ordering::Relaxed)), (8, 0));
    // A window may be led to memory that is there for ever, and then says nothing of its root.
    let other = Buffer::from_vec(vec![9u8]).window(Request::FULL).unwrap();
    let mut led = other.map(|_| Ok::<_, Refusal>(view.clone())).unwrap();
    drop(other);
    assert_eq!(led.view_mut().unwrap_err().kind(), &RefusalKind::ReadOnly);
    assert_eq!(led.view().as_bytes().unwrap(), [1, 2, 3, 4, 5, 6, 7, 8]);
}

#[test]
fn a_closure_that_panics_half_way_releases_what_it_saw() {
    let buffer = Buffer::from_vec(vec![0u8; 8]);
    let window = buffer.window(Request::FULL).unwrap();
    let mapped = catch_unwind(AssertUnwindSafe(|| window.map(|_| -> Result<View<'_>, Refusal> { panic!() })));
    assert!(mapped.is_err());
    let mut window = window;
    window.view_mut().unwrap().set(&[0], 1u8).unwrap(); // nobody shares it
    drop(window);
    let viewed = catch_unwind(AssertUnwindSafe(|| buffer.with_view(Request::FULL_RO, |_| panic!())));
    assert!(viewed.is_err());
    assert_eq!(buffer.live(), 0);
}
