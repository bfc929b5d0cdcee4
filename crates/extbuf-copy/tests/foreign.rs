//! Copies from, to and inside memory that others write.

use std::cell::RefCell;
use std::ops::ControlFlow;

use extbuf_copy::{
    CopyOptions, Progress, ViewPlan, copy, copy_within, from_contiguous, to_contiguous, to_vec,
};
use extbuf_format::Element;
use extbuf_layout::{Layout, Order, s};
use extbuf_protocol::{
    Access, Array, Block, Exporter, Foreign, Memory, Owner, Refusal, Request, View, ViewMut, Window,
};

struct Leaked(&'static mut [u16]);

// SAFETY: M1, M2: leaked, and any bytes are a `u16`. M3: on this thread alone, between operations.
unsafe impl Owner<Foreign> for Leaked {
    fn block(&mut self) -> Block {
        Block { base: self.0.as_mut_ptr().cast(), len: self.0.len() * 2, access: Access::Write }
    }
}

/// Numbers from 0 in an array of foreign memory.
fn numbers(shape: &[usize]) -> Array<'static, Foreign> {
    let layout = Layout::contiguous(2, shape, Order::C).unwrap();
    let block: Vec<u16> = (0..layout.len()).map(|k| k as u16).collect();
    Array::new(Memory::from_owner(Leaked(block.leak())), layout, u16::FORMAT).unwrap()
}

fn values(window: &Window<'_, Foreign>) -> Vec<u16> {
    let bytes = to_vec(&window.view(), Order::C).unwrap();
    bytes.chunks_exact(2).map(|item| u16::from_ne_bytes([item[0], item[1]])).collect()
}

#[test]
fn out_of_foreign_memory_and_into_it() {
    let array = numbers(&[2, 3]);
    let mut window = array.window(Request::FULL).unwrap();
    let turned = to_contiguous(&window.view().transpose(), Order::C).unwrap();
    let (turned, expected) = (turned.view(), [0u16, 3, 1, 4, 2, 5]);
    assert_eq!(turned.as_bytes().unwrap(), expected.map(u16::to_ne_bytes).as_flattened());
    copy(
        &mut window.view_mut().unwrap(),
        &View::from_slice(&[9u16, 8, 7, 6, 5, 4]).reshape(&[2, 3], Order::C).unwrap(),
    )
    .unwrap();
    assert_eq!(values(&window), [9, 8, 7, 6, 5, 4]);
    from_contiguous(&mut window.view_mut().unwrap(), &[0; 12], Order::C).unwrap();
    assert_eq!(values(&window), [0; 6]);
}

#[test]
fn two_windows_of_one_block_that_overlap_copy_as_if_the_source_were_read_first() {
    let array = numbers(&[6]);
    let whole = array.window(Request::FULL).unwrap();
    let low = whole.slice(s![..-1]).unwrap();
    let mut high = whole.clone().map_mut::<Refusal>(|view| view.slice(s![1..])).unwrap();
    copy(&mut high.view_mut().unwrap(), &low.view()).unwrap();
    assert_eq!(values(&whole), [0, 0, 1, 2, 3, 4]);
    let mut backwards = whole.clone().map_mut::<Refusal>(|view| view.reverse_axis(0)).unwrap();
    copy(&mut backwards.view_mut().unwrap(), &whole.view()).unwrap();
    assert_eq!(values(&whole), [4, 3, 2, 1, 0, 0]);
}

#[test]
fn inside_one_foreign_view() {
    let array = numbers(&[5]);
    let mut window = array.window(Request::FULL).unwrap();
    copy_within(&mut window.view_mut().unwrap(), s![..-1], s![1..]).unwrap();
    assert_eq!(values(&window), [1, 2, 3, 4, 4]);
}

thread_local! {
    /// A window that needs no way to come to: whatever runs on this thread has it.
    static AT_HAND: RefCell<Option<Window<'static, Foreign>>> = const { RefCell::new(None) };
}

/// Writes to the memory of the window at hand, if this thread has one.
fn meddle() {
    AT_HAND.with_borrow_mut(|window| {
        if let Some(window) = window {
            let mut view = window.view_mut().unwrap();
            for k in [0, 100_000, 900_000, 3_000_000, 4_000_000] {
                view.set(&[k], 7u16).unwrap();
            }
        }
    });
}

/// Between the threads of a copy and whatever else the thread runs that has the memory, nobody decides who goes first.
#[test]
fn a_thread_of_the_pool_copies_foreign_memory_alone_since_it_runs_other_code_meanwhile() {
    let hook = |_: Progress| {
        meddle();
        ControlFlow::Continue(())
    };
    let all = CopyOptions { progress: Some(&hook), ..CopyOptions::default() };
    let every_way = |window: &mut Window<'_, Foreign>| {
        let mut threads = vec![
            all.to_contiguous(&window.view(), Order::C).unwrap().1.threads,
            all.to_vec(&window.view(), Order::C).unwrap().1.threads,
            all.to_vec_of(&window.view().typed::<u16>().unwrap(), Order::C).unwrap().1.threads,
            all.to_contiguous_as(&window.view(), &f32::FORMAT, Order::C).unwrap().1.threads,
            all.fill(&mut window.view_mut().unwrap(), 5u16).unwrap().threads,
        ];
        let mut out = vec![0u16; 1 << 22];
        let mut out = ViewMut::from_slice(&mut out);
        threads.push(all.copy(&mut out, &window.view()).unwrap().threads);
        let plan = ViewPlan::new(&out, &window.view(), all).unwrap();
        threads.push(plan.run(&mut out, &window.view()).unwrap().threads);
        threads.push(all.swap(&mut out, &mut window.view_mut().unwrap()).unwrap().threads);
        let mut floats = vec![0f64; 1 << 22];
        let mut floats = ViewMut::from_slice(&mut floats);
        threads.push(all.convert(&mut floats, &window.view()).unwrap().threads);
        threads.push(all.convert(&mut window.view_mut().unwrap(), &floats.as_view()).unwrap().threads);
        let (low, high) = (s![..1 << 21], s![1 << 21..]);
        threads.push(all.copy_within(&mut window.view_mut().unwrap(), low, high).unwrap().threads);
        threads
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let inside = pool.install(|| {
        let mut window = numbers(&[1 << 22]).window(Request::FULL).unwrap();
        AT_HAND.with_borrow_mut(|hand| *hand = Some(window.clone()));
        let threads = every_way(&mut window);
        AT_HAND.with_borrow_mut(|hand| *hand = None);
        threads
    });
    assert_eq!(inside, [1; 11]);
    // A thread of none waits, and others copy for it.
    if cfg!(feature = "rayon") && rayon::current_num_threads() > 1 {
        let mut window = numbers(&[1 << 22]).window(Request::FULL).unwrap();
        AT_HAND.with_borrow_mut(|hand| *hand = Some(window.clone()));
        let outside = every_way(&mut window);
        assert!(outside.iter().all(|&threads| threads > 1), "{outside:?}");
    }
}
