//! Memory that others write: by value only, several writers, on one thread.

use std::cell::Cell;
use std::rc::Rc;

use extbuf_format::{Element, Format};
use extbuf_layout::{Layout, Order, s};
use extbuf_protocol::{
    Access, Array, Block, Exporter, Foreign, Memory, Owner, Refusal, RefusalKind, Request, Window,
};

/// A block that this test writes through a pointer of its own while it is lent, as an interpreter would.
struct Interpreter {
    block: *mut u8,
    len: usize,
    access: Access,
    released: Option<Box<dyn Fn() + Send + Sync>>,
}

// SAFETY: the block is leaked, so it may be freed nowhere and used anywhere.
unsafe impl Send for Interpreter {}
// SAFETY: as above.
unsafe impl Sync for Interpreter {}

// SAFETY: M1: the block is leaked and was initialised. M2: it came from a `Box<[u8]>`. M3: the tests write it on the
// same thread, between operations.
unsafe impl Owner<Foreign> for Interpreter {
    fn block(&mut self) -> Block {
        Block { base: self.block, len: self.len, access: self.access }
    }
}

impl Drop for Interpreter {
    fn drop(&mut self) {
        if let Some(released) = &self.released {
            released();
        }
    }
}

/// The memory, and the address by which the others know it.
fn lend(bytes: &[u8], access: Access) -> (Memory<'static, Foreign>, *mut u8) {
    let block = Box::leak(Box::<[u8]>::from(bytes)).as_mut_ptr();
    let memory = Memory::from_owner(Interpreter { block, len: bytes.len(), access, released: None });
    (memory, block)
}

fn bytes_of(len: usize, access: Access) -> (Array<'static, Foreign>, *mut u8) {
    let bytes: Vec<u8> = (0..len as u8).collect();
    let (memory, block) = lend(&bytes, access);
    let layout = Layout::contiguous(1, &[len], Order::C).unwrap();
    (Array::new(memory, layout, u8::FORMAT).unwrap(), block)
}

#[test]
fn what_others_write_is_seen_at_the_next_read() {
    let (array, block) = bytes_of(4, Access::Read);
    let window = array.window(Request::FULL_RO).unwrap();
    let view = window.view();
    assert_eq!(view.get::<u8>(&[2]).unwrap(), 2);
    // SAFETY: inside the block.
    unsafe { block.wrapping_add(2).write(77) };
    assert_eq!(view.get::<u8>(&[2]).unwrap(), 77);
    assert_eq!(view.value(&[2]).unwrap().to_string(), "77");
}

#[test]
fn several_windows_write_and_the_memory_counts_them() {
    let (array, block) = bytes_of(4, Access::Write);
    let mut first = array.window(Request::FULL).unwrap();
    let mut second = array.window(Request::FULL).unwrap();
    let reader = array.window(Request::FULL_RO).unwrap();
    first.view_mut().unwrap().set(&[0], 10u8).unwrap();
    second.view_mut().unwrap().set(&[0], 20u8).unwrap();
    assert_eq!(reader.view().get::<u8>(&[0]).unwrap(), 20);
    // SAFETY: inside the block.
    assert_eq!(unsafe { block.read() }, 20);
    assert_eq!(array.memory().live(), 3);
    drop((first, second, reader));
    assert_eq!(array.memory().live(), 0);
}

#[test]
fn a_writing_window_passes_writing_on() {
    let (array, block) = bytes_of(6, Access::Write);
    let window = array.window(Request::FULL).unwrap();
    let mut again = window.window(Request::FULL).unwrap();
    let mut odd = window.clone().map_mut::<Refusal>(|view| view.slice(s![1..;2])).unwrap();
    again.view_mut().unwrap().set(&[0], 50u8).unwrap();
    odd.view_mut().unwrap().set(&[2], 55u8).unwrap();
    assert_eq!(odd.shape(), [3]);
    // SAFETY: inside the block.
    let first = unsafe { block.read() };
    // SAFETY: as above.
    let last = unsafe { block.wrapping_add(5).read() };
    assert_eq!((first, last), (50, 55));
    // A slice for reading stays one for reading.
    let kind = window.slice(s![1..]).unwrap().view_mut().unwrap_err();
    assert_eq!(*kind.kind(), RefusalKind::ReadOnly);
}

#[test]
fn read_only_memory_is_not_written_however_it_is_asked() {
    let (array, _) = bytes_of(4, Access::Read);
    assert_eq!(*array.window(Request::FULL).unwrap_err().kind(), RefusalKind::ReadOnly);
    let mut window = array.window(Request::FULL_RO).unwrap();
    assert_eq!(*window.view_mut().unwrap_err().kind(), RefusalKind::ReadOnly);
    assert_eq!(*window.window(Request::FULL).unwrap_err().kind(), RefusalKind::ReadOnly);
    let (writable, _) = bytes_of(4, Access::Write);
    let reading = writable.window(Request::FULL_RO).unwrap();
    assert_eq!(*reading.window(Request::FULL).unwrap_err().kind(), RefusalKind::ReadOnly);
}

#[test]
fn a_value_is_checked_after_it_was_copied() {
    let (memory, block) = lend(&[1, 0, 1], Access::Read);
    let layout = Layout::contiguous(1, &[3], Order::C).unwrap();
    let flags = Array::new(memory, layout, bool::FORMAT).unwrap();
    let window = flags.window(Request::FULL_RO).unwrap();
    assert!(window.view().get::<bool>(&[0]).unwrap());
    // SAFETY: inside the block.
    unsafe { block.write(7) };
    let refused = window.view().get::<bool>(&[0]).unwrap_err();
    assert_eq!(refused.to_string(), "the byte 07 of the item at index [0] is no value of bool");
}

#[test]
fn items_larger_than_the_buffer_on_the_stack_are_read_whole() {
    let bytes: Vec<u8> = (0..200).collect();
    let (memory, _) = lend(&bytes, Access::Write);
    let format = Format::parse("100s").unwrap();
    let layout = Layout::contiguous(100, &[2], Order::C).unwrap();
    let array = Array::new(memory, layout, format).unwrap();
    let mut window = array.window(Request::FULL).unwrap();
    let text = window.view().value(&[1]).unwrap().to_string();
    let expected = Format::parse("100s").unwrap().unpack(&bytes[100..]).unwrap().to_string();
    assert_eq!(text, expected);
    let numbers = window.view_mut().unwrap().cast(u16::FORMAT).unwrap();
    assert_eq!(numbers.get::<u16>(&[99]).unwrap(), u16::from_ne_bytes([198, 199]));
}

#[test]
fn the_owner_is_released_once_when_the_last_window_goes() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    let count = Arc::new(AtomicUsize::new(0));
    let seen = count.clone();
    let block = Box::leak(Box::new([1u8, 2])).as_mut_ptr();
    let released: Option<Box<dyn Fn() + Send + Sync>> = Some(Box::new(move || {
        seen.fetch_add(1, Ordering::SeqCst);
    }));
    let memory = Memory::from_owner(Interpreter { block, len: 2, access: Access::Write, released });
    let layout = Layout::contiguous(1, &[2], Order::C).unwrap();
    let array = Array::new(memory, layout, u8::FORMAT).unwrap();
    let window = array.window(Request::FULL).unwrap();
    let part = window.slice(s![1..]).unwrap();
    drop(array);
    drop(window);
    assert_eq!(count.load(Ordering::SeqCst), 0);
    assert_eq!(part.view().get::<u8>(&[0]).unwrap(), 2);
    drop(part);
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

#[test]
fn a_reader_inside_a_write_sees_the_bytes_of_before_or_after_but_no_reference() {
    // One thread: the "other" runs inside a callback between two reads of one view.
    let (array, block) = bytes_of(2, Access::Read);
    let window: Rc<Window<'static, Foreign>> = Rc::new(array.window(Request::FULL_RO).unwrap());
    let seen = Cell::new(0);
    let other = || {
        // SAFETY: inside the block.
        unsafe { block.write(9) };
        seen.set(window.view().get::<u8>(&[0]).unwrap());
    };
    let view = window.view();
    let before = view.get::<u8>(&[0]).unwrap();
    other();
    assert_eq!((before, seen.get(), view.get::<u8>(&[0]).unwrap()), (0, 9, 9));
}

#[test]
fn typed_views_read_and_write_by_value() {
    let (memory, block) = lend(&[1, 0, 1, 0, 0, 1], Access::Write);
    let layout = Layout::contiguous(1, &[2, 3], Order::C).unwrap();
    let mut array = Array::new(memory, layout, bool::FORMAT).unwrap();
    let window = array.window(Request::FULL_RO).unwrap();
    let flags = window.view().typed::<bool>().unwrap();
    assert!(flags.get(&[1, 2]).unwrap());
    // SAFETY: inside the block.
    unsafe { block.wrapping_add(5).write(2) };
    let refused = flags.get(&[1, 2]).unwrap_err();
    assert_eq!(refused.to_string(), "the byte 02 of the item at index [1, 2] is no value of bool");

    array.describe(array.layout().clone(), u8::FORMAT).unwrap();
    let mut writer = array.window(Request::FULL).unwrap();
    writer.view_mut().unwrap().typed::<u8>().unwrap().set(&[0, 1], 9).unwrap();
    let reader = array.window(Request::FULL_RO).unwrap();
    let columns = reader.view().typed::<u8>().unwrap().transpose();
    assert_eq!(columns.values().collect::<Vec<_>>(), [1, 0, 9, 0, 1, 2]);
    let sums = reader.view().axis_iter(0).unwrap().map(|row| row.typed::<u8>().unwrap().values().sum::<u8>());
    assert_eq!(sums.collect::<Vec<_>>(), [11, 2]);
}

#[test]
fn foreign_items_are_compared_by_value_too() {
    let (array, block) = bytes_of(4, Access::Read);
    let window = array.window(Request::FULL_RO).unwrap();
    let floats = [0.0f64, 1.0, 2.0, 3.0];
    let floats = extbuf_protocol::View::from_slice(&floats);
    assert!(window.view() == floats && floats == window.view() && window.view() == window.view());
    // SAFETY: inside the block.
    unsafe { block.wrapping_add(3).write(4) };
    assert!(window.view() != floats);
}
