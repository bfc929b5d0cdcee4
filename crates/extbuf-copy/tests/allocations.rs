//! What allocates and what does not: a plan of few axes is free of it, and so is running one on the calling thread.

#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout as Allocation, System};
use std::cell::Cell;

use extbuf_copy::{Kernel, Plan};
use extbuf_layout::{Layout, LayoutSpec, LevelSpec, Order};

struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: hands every request to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Allocation) -> *mut u8 {
        COUNT.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's contract, handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Allocation) {
        // SAFETY: the caller's contract, handed on.
        unsafe { System.dealloc(start, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn allocations<R>(run: impl FnOnce() -> R) -> (usize, R) {
    let before = COUNT.get();
    let result = run();
    (COUNT.get() - before, result)
}

#[test]
fn plans_of_up_to_six_axes_do_not_allocate() {
    let dst = Layout::contiguous(4, &[3, 4, 5, 6, 7, 8], Order::C).unwrap();
    let src = Layout::contiguous(4, &[3, 4, 5, 6, 7, 8], Order::F).unwrap();
    let (from, mut to) = (vec![1u8; dst.nbytes()], vec![0u8; dst.nbytes()]);
    let (count, plan) = allocations(|| Plan::new(&dst, &src).unwrap());
    assert_eq!((count, plan.kernel(), plan.loops().len()), (0, Kernel::Transpose, 6));
    // SAFETY: both blocks hold what the layouts describe.
    let (count, ()) = allocations(|| unsafe { plan.run(to.as_mut_ptr(), from.as_ptr()) });
    assert_eq!(count, 0);
    assert_eq!(to, from);
}

#[test]
fn nor_do_plans_of_pictures_in_row_pointers() {
    let levels =
        [LevelSpec { offset: 0, strides: &[8, 0, 0] }, LevelSpec { offset: 6, strides: &[0, 3, -1] }];
    let src = Layout::new(&LayoutSpec { itemsize: 1, shape: &[4320, 7000, 3], levels: &levels }).unwrap();
    let dst = Layout::contiguous(1, &[4320, 7000, 3], Order::C).unwrap();
    assert_eq!(allocations(|| Plan::new(&dst, &src).unwrap().parts()).0, 0);
}
