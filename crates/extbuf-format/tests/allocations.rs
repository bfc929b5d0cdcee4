//! A single code is read without allocation, and the formats of Rust types cost none at all.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use extbuf_format::{Dialect, Element, Format};

struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system allocator unchanged; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promise is the system allocator's condition.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is the system allocator's condition.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations<T>(work: impl FnOnce() -> T) -> usize {
    let before = COUNT.with(Cell::get);
    let _kept = work();
    COUNT.with(Cell::get) - before
}

#[test]
fn single_codes_and_constants_allocate_nothing() {
    for text in ["i", "<d", "?", ">H", "^q", "O"] {
        assert_eq!(allocations(|| Format::parse(text).unwrap()), 0, "{text}");
        assert_eq!(allocations(|| Format::parse_as(Dialect::Ctypes, text).unwrap()), 0, "{text}");
    }
    assert_eq!(allocations(|| <[[f64; 4]; 4]>::FORMAT), 0);
    assert_eq!(allocations(|| <[[f64; 4]; 4]>::FORMAT.itemsize()), 0);
    let record = Format::parse("T{i:a:d:b:}").unwrap();
    assert_eq!(allocations(|| record.clone()), 0);
    assert_eq!(allocations(|| record == Format::bytes()), 0);
    assert!(allocations(|| Format::parse("T{i:a:d:b:}").unwrap()) <= 10);
}
