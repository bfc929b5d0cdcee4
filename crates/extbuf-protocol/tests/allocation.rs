//! Lending a stored description, looking at one item and keeping it allocate nothing.

use std::alloc::{GlobalAlloc, Layout as Size, System};
use std::cell::Cell;

use extbuf_format::Element;
use extbuf_layout::{Layout, Order, Slice, SliceItem};
use extbuf_protocol::{Array, Buffer, Exporter, Memory, Request, Rows, View, Window};

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: passes everything on to the system's allocator; counting touches a thread-local cell without a destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, size: Size) -> *mut u8 {
        COUNT.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's contract, passed on.
        unsafe { System.alloc(size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, size: Size) {
        // SAFETY: the caller's contract, passed on.
        unsafe { System.dealloc(pointer, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations<R>(f: impl FnOnce() -> R) -> (usize, R) {
    let before = COUNT.with(Cell::get);
    let result = f();
    (COUNT.with(Cell::get) - before, result)
}

#[test]
fn the_counter_counts() {
    assert_eq!(allocations(|| Box::new(7u8)).0, 1);
}

#[test]
fn export_view_and_get_through_the_trait_object_allocate_nothing() {
    let buffer = Buffer::from_vec(vec![1.0f64, 2.0, 3.0]);
    let rows = Rows::from_vecs(vec![vec![1.0f64, 2.0]; 3], &[2]).unwrap();
    let layout = Layout::contiguous(8, &[3], Order::C).unwrap();
    let array = Array::new(Memory::from_vec(vec![1.0f64, 2.0, 3.0]), layout, f64::FORMAT).unwrap();
    let exporters: [(&dyn Exporter<'_>, &[usize]); 3] = [(&buffer, &[1]), (&rows, &[2, 1]), (&array, &[1])];
    for (exporter, index) in exporters {
        let (count, value) = allocations(|| {
            let export = exporter.export(Request::FULL_RO).unwrap();
            export.view().get::<f64>(index).unwrap()
        });
        assert_eq!((count, value), (0, 2.0));
    }
}

#[test]
fn slicing_a_view_of_up_to_six_axes_and_two_levels_allocates_nothing() {
    let rows = Rows::from_vecs(vec![vec![0u8; 32]; 3], &[2, 2, 2, 2, 2]).unwrap();
    let export = rows.export(Request::FULL_RO).unwrap();
    let items = [SliceItem::Slice(Slice::from(1..3)), SliceItem::Slice(Slice::from(0..1))];
    let (count, shape) = allocations(|| {
        let view = export.view().slice(items).unwrap();
        (view.shape()[0], view.shape()[1], view.ndim())
    });
    assert_eq!((count, shape), (0, (2, 1, 6)));
}

#[test]
fn a_description_made_up_on_the_spot_is_one_allocation_and_looking_at_a_slice_is_none() {
    let slice = &[1.0f64, 2.0][..];
    let (count, value) = allocations(|| {
        let export = slice.export(Request::FULL_RO).unwrap();
        export.view().get::<f64>(&[1]).unwrap()
    });
    assert_eq!((count, value), (1, 2.0));
    let (count, value) = allocations(|| View::from_slice(slice).get::<f64>(&[1]).unwrap());
    assert_eq!((count, value), (0, 2.0));
}

#[test]
fn keeping_and_re_exporting_up_to_six_axes_allocate_nothing() {
    let buffer = Buffer::from_vec(vec![1u8, 2, 3]);
    let (count, window) = allocations(|| buffer.window(Request::FULL_RO).unwrap());
    assert_eq!(count, 0);
    let (count, second) = allocations(|| window.window(Request::FULL_RO).unwrap());
    assert_eq!(count, 0);
    assert_eq!(second.view().as_bytes().unwrap(), [1, 2, 3]);
}

#[test]
fn proving_a_type_and_walking_its_items_allocates_nothing() {
    let mut buffer = Buffer::from_vec((0..120u32).collect());
    buffer.reshape(&[2, 3, 4, 5]).unwrap();
    let rows = Rows::from_vecs(vec![(0..24u32).collect(); 5], &[2, 3, 4]).unwrap();
    let (buffer, rows) = (buffer.window(Request::FULL_RO).unwrap(), rows.window(Request::FULL_RO).unwrap());
    let sum = |window: &Window<'_>| {
        let view = window.view().permute(&[2, 0, 3, 1]).unwrap().reverse_axis(0).unwrap();
        let typed = view.typed::<u32>().unwrap();
        let parts: u32 = typed.axis_iter(1).unwrap().flatten().sum();
        assert_eq!((typed.iter().rev().sum::<u32>(), typed.values().sum::<u32>()), (parts, parts));
        assert!(typed.indexed::<4>().unwrap().all(|(index, item)| typed[index] == *item));
        assert!(window.view() == window.view());
        parts
    };
    assert_eq!(allocations(|| sum(&buffer)), (0, 119 * 60));
    assert_eq!(allocations(|| sum(&rows)), (0, 5 * 23 * 12));
}
