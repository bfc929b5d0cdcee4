//! The faults of the book's page "What can go wrong" that concern lending, by their numbers: what others' buffers were
//! released, resized, written or read with when they should not. What is refused leaves the bytes as they were and no
//! lease behind.

// Lends leaked memory as foreign, and a table of pointers.
#![allow(unsafe_code)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};

use extbuf_format::{Element, Format};
use extbuf_layout::{Layout, LayoutErrorKind, LayoutSpec, LevelSpec, Order, s};
use extbuf_protocol::{
    Access, Array, Block, Buffer, Export, Exporter, Foreign, Lease, Memory, Nested, Owner, Refusal,
    RefusalKind, Request, Rows, TypedView, Unaligned, View, ViewMut, Window,
};
use proptest::prelude::*;

fn kind<T>(result: Result<T, Refusal>) -> RefusalKind {
    let Err(refusal) = result else { panic!("was not refused") };
    let text = refusal.to_string();
    assert!(!text.is_empty() && !text.contains('\n') && !text.ends_with('.'), "{text}");
    refusal.kind().clone()
}

/// A block that counts how often it is freed.
struct Counted {
    block: Box<[u8]>,
    freed: Arc<AtomicUsize>,
}

// SAFETY: the box keeps its bytes, which nobody else knows of.
unsafe impl Owner for Counted {
    fn block(&mut self) -> Block {
        Block { base: self.block.as_mut_ptr(), len: self.block.len(), access: Access::Write }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.freed.fetch_add(1, Ordering::Relaxed);
    }
}

fn counted(freed: &Arc<AtomicUsize>, len: u8) -> Memory<'static> {
    Memory::from_owner(Counted { block: (0..len).collect(), freed: freed.clone() })
}

/// Every order of so many things.
fn orders(things: usize) -> Vec<Vec<usize>> {
    (0..things).fold(vec![vec![]], |all, next| {
        all.iter()
            .flat_map(|order| {
                (0..=order.len()).map(move |at| {
                    let mut longer: Vec<usize> = order.clone();
                    longer.insert(at, next);
                    longer
                })
            })
            .collect()
    })
}

#[test]
fn fault_01_an_exporter_that_is_called_back_sees_the_lease_and_keeps_the_memory() {
    // The code that a value or a key runs would resize; while a view is out it is told by how many.
    let mut buffer = Buffer::from_vec(vec![7u8; 8]);
    let mut window = buffer.window(Request::FULL).unwrap();
    let value = {
        assert_eq!(kind(buffer.resize(1 << 20)), RefusalKind::Pinned { live: 1 });
        9u8
    };
    window.view_mut().unwrap().set(&[0], value).unwrap();
    assert_eq!(window.view().as_bytes().unwrap(), [9, 7, 7, 7, 7, 7, 7, 7]);
    drop(window);
    assert_eq!(buffer.live(), 0);
    buffer.resize(1 << 20).unwrap();
}

#[test]
fn fault_02_views_of_views_go_in_every_order_and_the_memory_once_after_the_last() {
    for order in orders(4) {
        let freed = Arc::new(AtomicUsize::new(0));
        let array = Array::of::<u8>(counted(&freed, 24), &[4, 6]).unwrap();
        let root = array.window(Request::FULL_RO).unwrap();
        let slice = root.slice(s![1.., ..;2]).unwrap();
        let turned = slice.map(|view| view.permute(&[1, 0])).unwrap();
        let lent_on = turned.window(Request::FULL_RO).unwrap();
        drop(array);
        let mut windows = [Some(root), Some(slice), Some(turned), Some(lent_on)];
        for (nth, &which) in order.iter().enumerate() {
            // Whoever is left reads what it read.
            for (number, window) in windows.iter().enumerate() {
                let expected = if number == 0 { 0 } else { 6 };
                assert!(window.as_ref().is_none_or(|w| w.view().get::<u8>(&[0, 0]).unwrap() == expected));
            }
            assert_eq!(freed.load(Ordering::Relaxed), 0, "{order:?} at {nth}");
            windows[which] = None;
        }
        assert_eq!(freed.load(Ordering::Relaxed), 1, "{order:?}");
    }
}

#[test]
fn fault_03_what_fails_half_way_releases_all_that_it_took() {
    // The exporter that fails is the first, second, … of a table of windows.
    for fails in 0..5 {
        let freed = Arc::new(AtomicUsize::new(0));
        let made = (0..5).map(|nth| {
            let array = Array::of::<u8>(counted(&freed, 8), &[8]).unwrap();
            array.window(if nth == fails { Request::FULL.and(Request::F_CONTIGUOUS) } else { Request::FULL })
        });
        let windows: Vec<Window<'_>> = made.map(Result::unwrap).collect();
        let unlike = Buffer::from_vec(vec![0u16; 4]).window(Request::FULL).unwrap();
        let mut parts = windows;
        parts.insert(fails + 1, unlike);
        assert_eq!(kind(Nested::new(parts, &[6]).map(drop)), RefusalKind::Unlike { part: fails + 1 });
        assert_eq!(freed.load(Ordering::Relaxed), 5);
    }
    // A refused request, a refused operation and a panic, each in its turn.
    let memory = Memory::from_vec(vec![0u8; 8]);
    let array = Array::of::<u8>(memory.clone(), &[8]).unwrap();
    let held = array.window(Request::FULL_RO).unwrap();
    assert_eq!(kind(array.window(Request::FULL)), RefusalKind::Busy { live: 1, writing: false });
    assert!(held.slice(s![.., 1]).is_err());
    assert!(held.map(|view| view.permute(&[3])).is_err());
    assert!(
        catch_unwind(AssertUnwindSafe(|| array.with_view(Request::FULL_RO, |_| panic!("half way")))).is_err()
    );
    assert_eq!(memory.live(), 1);
    drop(held);
    assert_eq!(memory.live(), 0);
    drop(array.window(Request::FULL).unwrap());
}

#[test]
fn fault_04_memory_that_is_lent_is_not_moved_in_one_thread_or_in_many() {
    let mut buffer = Buffer::from_vec(vec![3u16; 100]);
    for live in 1..=4 {
        let windows: Vec<_> = (0..live).map(|_| buffer.window(Request::FULL_RO).unwrap()).collect();
        let refused = buffer.resize(1 << 20).unwrap_err();
        assert_eq!(refused.kind(), &RefusalKind::Pinned { live });
        let plural = if live == 1 { "lease" } else { "leases" };
        assert_eq!(refused.to_string(), format!("memory is pinned by {live} live {plural}"));
        let (windows, refused) = std::thread::scope(|scope| {
            let reading = scope.spawn(move || {
                assert!(windows.iter().all(|window| window.view().get::<u16>(&[99]).unwrap() == 3));
                windows
            });
            (0..50).for_each(|_| assert!(buffer.resize(7).is_err()));
            (reading.join().unwrap(), buffer.reshape(&[3]))
        });
        assert_eq!(kind(refused), RefusalKind::ItemCount { wanted: 3, items: 100 });
        assert!(windows.iter().all(|window| window.shape() == [100]));
    }
    assert_eq!(buffer.live(), 0);
    buffer.resize(7).unwrap();
    assert_eq!(buffer.into_vec().unwrap(), [3; 7]);
}

#[test]
fn fault_06_readers_writers_and_releases_never_count_below_nothing() {
    let memory = Memory::from_vec(vec![0u8; 64]);
    let together = Barrier::new(4);
    let (reads, writes) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for thread in 0..4usize {
            let (memory, together, reads, writes) = (&memory, &together, &reads, &writes);
            scope.spawn(move || {
                together.wait();
                for turn in 0..2_000 {
                    if (turn + thread) % 3 == 0 {
                        if let Ok(lease) = memory.lease(Access::Write) {
                            assert_eq!(memory.live(), 1, "alone or refused");
                            writes.fetch_add(1, Ordering::Relaxed);
                            drop(lease);
                        }
                    } else if let Ok(lease) = memory.lease(Access::Read) {
                        assert!((1..=4).contains(&memory.live()));
                        assert!(memory.lease(Access::Write).is_err(), "a reader is in");
                        reads.fetch_add(1, Ordering::Relaxed);
                        drop(lease);
                    }
                }
            });
        }
    });
    assert_eq!(memory.live(), 0);
    assert!(reads.into_inner() > 0 && writes.into_inner() > 0);
    drop(memory.lease(Access::Write).unwrap());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Blocks that the layout leaves by a byte, and such that it just does not.
    #[test]
    fn fault_09_no_export_reaches_a_byte_outside_of_its_block(
        itemsize in 1usize..5,
        axes in prop::collection::vec((0usize..4, -6isize..7), 0..4),
        offset in -4isize..30,
        block in 0usize..40,
        writing: bool,
    ) {
        let (shape, strides): (Vec<_>, Vec<_>) = axes.into_iter().unzip();
        let layout = Layout::strided(itemsize, &shape, &strides, offset).unwrap();
        let format = Format::array(&[itemsize], u8::FORMAT).unwrap();
        let (mut low, mut high) = (offset as i128, offset as i128);
        for (&extent, &stride) in shape.iter().zip(&strides) {
            let far = (extent as i128 - 1) * stride as i128;
            if far < 0 { low += far } else { high += far }
        }
        high += itemsize as i128;
        let inside = shape.contains(&0) || low >= 0 && high <= block as i128;
        let memory = Memory::from_vec(vec![0xa5u8; block]);
        let request = if writing { Request::FULL } else { Request::FULL_RO };
        let array = match Array::new(memory.clone(), layout.clone(), format) {
            Ok(array) => array,
            Err(refusal) => {
                prop_assert!(!inside);
                let reached = low as isize..high as isize;
                prop_assert_eq!(refusal.kind(), &RefusalKind::OutOfBlock { reached, block });
                return Ok(());
            }
        };
        let window = array.window(request);
        prop_assert!(inside);
        if let Ok(mut window) = window {
            for index in layout.indices(Order::C) {
                let item = window.view().item(&index).unwrap().to_vec();
                prop_assert_eq!(item, vec![0xa5u8; itemsize]);
            }
            if writing && !layout.is_empty() {
                let first = vec![0; shape.len()];
                window.view_mut().unwrap().item_mut(&first).unwrap().fill(1);
            }
        } else {
            prop_assert!(writing, "only items that overlap are refused here");
        }
        prop_assert_eq!(memory.live(), 0);
    }
}

#[test]
fn fault_13_a_description_that_contradicts_itself_is_refused_with_both_numbers() {
    let memory = || Memory::from_vec(vec![0u8; 24]);
    let layout = |itemsize| Layout::contiguous(itemsize, &[3], Order::C).unwrap();
    let mismatch = RefusalKind::ItemsizeMismatch { layout: 4, format: 8 };
    assert_eq!(kind(Array::new(memory(), layout(4), f64::FORMAT)), mismatch);
    assert_eq!(
        kind(Array::new(memory(), layout(16), Format::parse("16s").unwrap())),
        RefusalKind::OutOfBlock { reached: 0..48, block: 24 }
    );
    // Bits that ask for strides and no shape.
    let refused = Request::from_bits(0x010).unwrap_err();
    let RefusalKind::BadRequest { bits: 0x010, .. } = refused.kind() else { panic!("{refused}") };
    assert!(refused.to_string().starts_with("request 0x010: "), "{refused}");
}

#[test]
fn fault_14_every_request_has_one_answer_for_reading_and_for_writing() {
    // The table against CPython's helper is in `tests/requests.rs`; here, that each answer is kept.
    let memory = Memory::from_vec((0u8..24).collect());
    let strided = Layout::strided(1, &[2, 3], &[12, 4], 0).unwrap();
    let array = Array::new(memory.clone(), strided, u8::FORMAT).unwrap();
    let mut answers = [0; 2];
    for bits in 0..0x400 {
        let Ok(request) = Request::from_bits(bits) else { continue };
        match array.window(request) {
            Ok(mut window) => {
                answers[0] += 1;
                assert_eq!(window.view_mut().is_ok(), request.wants_writable(), "{bits:#x}");
                assert!(request.check(window.layout()).is_ok());
            }
            Err(refusal) => {
                answers[1] += 1;
                assert!(
                    matches!(refusal.kind(), RefusalKind::Strided | RefusalKind::NotContiguous { .. }),
                    "{bits:#x}: {refusal}"
                );
            }
        }
        assert_eq!(memory.live(), 0, "{bits:#x}");
    }
    assert!(answers[0] >= 8 && answers[1] >= 8, "{answers:?}");
}

#[test]
fn fault_15_rows_keep_their_meaning_and_nobody_vouches_for_a_bare_pointer() {
    // One row in two places: fine to read, refused to write.
    let row = [1u8, 2, 3];
    let twice = Rows::from_slices(&[&row[..], &row], &[3]).unwrap();
    let view = twice.window(Request::FULL_RO).unwrap();
    assert_eq!(view.view().slice(s![..;-1, ..;-1]).unwrap().get::<u8>(&[1, 0]).unwrap(), 3);
    assert_eq!(kind(twice.window(Request::FULL)), RefusalKind::ReadOnly);
    // A table of null pointers, given as bytes to be followed: no safe door leads there.
    let levels = [LevelSpec { offset: 0, strides: &[8, 0] }, LevelSpec { offset: 0, strides: &[0, 1] }];
    let layout = Layout::new(&LayoutSpec { itemsize: 1, shape: &[2, 3], levels: &levels }).unwrap();
    let refused = Array::new(Memory::from_vec(vec![0u8; 16]), layout.clone(), u8::FORMAT);
    assert_eq!(kind(refused), RefusalKind::UnprovenLoads { loads: 1 });
    let nulls = [0u8; 16];
    let export = Export::new(Lease::from_slice(&nulls), &layout, Format::bytes_ref(), Request::FULL_RO);
    assert_eq!(kind(export), RefusalKind::UnprovenLoads { loads: 1 });
    assert_eq!(
        kind(Rows::from_vecs(vec![vec![1u8, 2], vec![3]], &[2])),
        RefusalKind::RowLength { row: 1, len: 1, expected: 2 }
    );
}

#[test]
fn fault_16_items_that_overlap_are_lent_for_reading_alone() {
    for (shape, strides, axis, span) in [
        (vec![4], vec![0], 0, 2),
        (vec![4], vec![1], 0, 2),
        (vec![2, 3], vec![2, 2], 0, 6),
        (vec![3, 3], vec![4, 2], 0, 6),
        (vec![3, 3], vec![2, 4], 1, 6),
    ] {
        let layout = Layout::strided(2, &shape, &strides, 0).unwrap();
        let array = Array::new(Memory::from_vec(vec![7u8; 32]), layout, u16::FORMAT).unwrap();
        let refused = RefusalKind::ItemsOverlap { axis, stride: strides[axis], span };
        assert_eq!(kind(array.window(Request::FULL)), refused, "{strides:?}");
        assert_eq!(array.memory().live(), 0);
        array.window(Request::FULL_RO).unwrap();
    }
    // Every small layout: lent where no byte is reached twice, else refused with an axis that steps too short.
    for (n, m, a, b) in (0..1764).map(|k| (k % 3 + 1, k / 3 % 3 + 1, k / 9 % 14 - 7, k / 126 - 7)) {
        let (shape, strides) = ([n as usize, m as usize], [a as isize, b as isize]);
        let layout = Layout::strided(2, &shape, &strides, 28).unwrap();
        let mut bytes: Vec<isize> =
            (0..n * m * 2).map(|k| (k / 2 / m * a + k / 2 % m * b + k % 2) as isize).collect();
        bytes.sort_unstable();
        let array =
            Array::new(Memory::from_vec(vec![7u8; 64]), layout, Format::parse("2s").unwrap()).unwrap();
        match array.window(Request::FULL) {
            Ok(_) => assert!(bytes.windows(2).all(|two| two[0] != two[1]), "{shape:?} {strides:?}"),
            Err(refused) => {
                assert!(bytes.windows(2).any(|two| two[0] == two[1]), "{shape:?} {strides:?}");
                let RefusalKind::ItemsOverlap { axis, stride, span } = *refused.kind() else {
                    panic!("{refused}")
                };
                assert!(
                    shape[axis] > 1 && stride == strides[axis] && stride.unsigned_abs() < span,
                    "{refused}"
                );
            }
        }
    }
    // Interleaved, and yet apart.
    let comb = Layout::strided(2, &[3, 2], &[2, 6], 0).unwrap();
    Array::new(Memory::from_vec(vec![0u8; 12]), comb, u16::FORMAT).unwrap().window(Request::FULL).unwrap();
}

#[test]
fn fault_17_nothing_gains_the_right_to_write() {
    let bytes = [1u8, 2, 3, 4];
    let exporter = &bytes;
    assert_eq!(kind(exporter.export(Request::FULL).map(drop)), RefusalKind::ReadOnly);
    let mut window = exporter.window(Request::FULL_RO).unwrap();
    assert_eq!(kind(window.view_mut().map(drop)), RefusalKind::ReadOnly);
    assert_eq!(kind(window.window(Request::FULL)), RefusalKind::ReadOnly);
    let buffer = Buffer::from_vec(vec![1u32, 2]);
    let reading = buffer.window(Request::FULL_RO).unwrap();
    // Not by lending on, slicing, casting or mapping either.
    let cast = reading.map(|view| view.cast(u8::FORMAT)).unwrap();
    for mut window in [reading.window(Request::FULL_RO).unwrap(), reading.slice(s![1..]).unwrap(), cast] {
        assert_eq!(kind(window.view_mut().map(drop)), RefusalKind::ReadOnly);
        assert_eq!(kind(window.window(Request::FULL)), RefusalKind::ReadOnly);
    }
    assert_eq!(bytes, [1, 2, 3, 4]);
}

#[test]
fn fault_18_no_reference_is_made_to_an_item_off_its_alignment() {
    let memory = Memory::from_vec((0u64..8).collect::<Vec<u64>>());
    let needed = |layout: &Layout, format: Format, typed: fn(View<'_>) -> Result<(), Refusal>| {
        let array = Array::new(memory.clone(), layout.clone(), format).unwrap();
        let window = array.window(Request::FULL_RO).unwrap();
        typed(window.view())
    };
    for odd in 1..8isize {
        let line = |itemsize| Layout::strided(itemsize, &[3], &[itemsize as isize], odd).unwrap();
        let found = 1 << odd.trailing_zeros();
        let typed64 = needed(&line(8), u64::FORMAT, |view| view.typed::<u64>().map(drop));
        // Where a pointer has 32 bits, 4 bytes may be alignment enough.
        match typed64 {
            Ok(()) => assert_eq!(odd as usize % align_of::<u64>(), 0),
            Err(refusal) => {
                assert_eq!(refusal.kind(), &RefusalKind::Misaligned { needed: align_of::<u64>(), found });
            }
        }
        let typed32 = needed(&line(4), u32::FORMAT, |view| view.typed::<u32>().map(drop));
        match typed32 {
            Ok(()) => assert_eq!(odd % 4, 0),
            Err(refusal) => assert_eq!(refusal.kind(), &RefusalKind::Misaligned { needed: 4, found }),
        }
        // By value, and as a type without alignment, they are there at any address.
        needed(&line(8), u64::FORMAT, |view| {
            view.get::<u64>(&[2]).map(drop)?;
            view.typed::<Unaligned<u64>>().map(drop)
        })
        .unwrap();
    }
    // A field at byte 1 of a packed record, and a cast to something wider at an odd address.
    let records = Layout::contiguous(9, &[4], Order::C).unwrap();
    let format = Format::parse("T{<B:tag:=d:x:}").unwrap();
    let field = needed(&records, format, |view| view.field("x")?.typed::<f64>().map(drop));
    assert!(matches!(kind(field), RefusalKind::Misaligned { found: 1, .. }));
    let cast = needed(&Layout::contiguous(1, &[16], Order::C).unwrap(), u8::FORMAT, |view| {
        view.slice(s![1..9])?.cast(u64::FORMAT)?.typed::<u64>().map(drop)
    });
    assert_eq!(kind(cast), RefusalKind::Misaligned { needed: align_of::<u64>(), found: 1 });
}

#[test]
fn fault_20_bytes_that_are_no_value_never_become_one() {
    for byte in 2..=255u8 {
        let bytes = [0, 1, byte];
        let array = Array::new(
            Memory::from_vec(bytes.to_vec()),
            Layout::contiguous(1, &[3], Order::C).unwrap(),
            bool::FORMAT,
        )
        .unwrap();
        let window = array.window(Request::FULL_RO).unwrap();
        let says = format!("the byte {byte:02x} of the item at index [2] is no value of bool");
        assert_eq!(window.view().get::<bool>(&[2]).unwrap_err().to_string(), says);
        assert!(window.view().get::<bool>(&[1]).unwrap());
        let typed = window.view().typed::<bool>();
        let RefusalKind::InvalidValue(what) = kind(typed) else { panic!("{byte} is no bool") };
        assert_eq!((&what.index[..], &what.bytes[..], what.asked), (&[2][..], &[byte][..], "bool"));
    }
}

#[test]
fn fault_26_objects_are_cast_to_nothing_and_from_nothing() {
    let size = size_of::<usize>();
    let memory = Memory::from_vec(vec![0usize; 2]);
    let (objects, words) = (Format::parse("O").unwrap(), usize::FORMAT);
    let layout = Layout::contiguous(size, &[2], Order::C).unwrap();
    for (from, to) in [(&objects, &words), (&words, &objects), (&objects, &Format::bytes())] {
        let array = Array::new(memory.clone(), layout.clone(), from.clone()).unwrap();
        let window = array.window(Request::FULL_RO).unwrap();
        assert_eq!(kind(window.view().cast(to.clone())), RefusalKind::Objects, "{from} to {to}");
        drop(window);
        assert_eq!(memory.live(), 0);
    }
}

#[test]
fn fault_27_absurd_sizes_and_panics_leave_the_memory_as_it_was() {
    let mut buffer = Buffer::from_vec(vec![5u64; 3]);
    for len in [usize::MAX, usize::MAX / 2, isize::MAX as usize / 8 + 1] {
        let bytes = len.saturating_mul(8);
        assert_eq!(kind(buffer.resize(len)), RefusalKind::OutOfMemory { bytes });
        assert_eq!(buffer.shape(), [3]);
    }
    let caught = catch_unwind(AssertUnwindSafe(|| {
        let mut window = buffer.window(Request::FULL).unwrap();
        window.view_mut().unwrap().set(&[1], 6u64).unwrap();
        panic!("half of the work is done");
    }));
    assert!(caught.is_err());
    assert_eq!(buffer.live(), 0);
    assert_eq!(buffer.into_vec().unwrap(), [5, 6, 5]);
}

/// Memory that this test writes at any time, as an interpreter would.
struct Interpreter(*mut u8, usize);

// SAFETY: the block is leaked, so it may be used anywhere.
unsafe impl Send for Interpreter {}
// SAFETY: as above.
unsafe impl Sync for Interpreter {}
// SAFETY: M1: the block is leaked and was initialised. M2: it came from a box. M3: no operation runs while it is written.
unsafe impl Owner<Foreign> for Interpreter {
    fn block(&mut self) -> Block {
        Block { base: self.0, len: self.1, access: Access::Read }
    }
}

#[test]
fn fault_28_what_others_write_is_read_by_value_and_never_referred_to() {
    let block = Box::leak(Box::new([1u8, 1, 1, 1])).as_mut_ptr();
    let memory = Memory::<Foreign>::from_owner(Interpreter(block, 4));
    let array = Array::new(memory, Layout::contiguous(1, &[4], Order::C).unwrap(), bool::FORMAT).unwrap();
    let window = array.window(Request::FULL_RO).unwrap();
    let view = window.view();
    let proven: TypedView<'_, bool, Foreign> = view.clone().typed::<bool>().unwrap();
    // What was proven a moment ago is no longer so; each read asks anew.
    // SAFETY: inside the block, and no operation runs.
    unsafe { block.wrapping_add(2).write(2) };
    let says = "the byte 02 of the item at index [2] is no value of bool";
    assert_eq!(view.get::<bool>(&[2]).unwrap_err().to_string(), says);
    assert_eq!(proven.get(&[2]).unwrap_err().to_string(), says);
    // SAFETY: as above.
    unsafe { block.wrapping_add(2).write(0) };
    assert!(!proven.get(&[2]).unwrap() && proven.get(&[3]).unwrap());
}

#[test]
fn fault_29_a_lease_may_end_on_another_thread_than_it_began() {
    fn crosses<T: Send + Sync>() {}
    crosses::<Window<'static>>();
    crosses::<Memory<'static>>();
    crosses::<View<'static>>();
    crosses::<Refusal>();
    let freed = Arc::new(AtomicUsize::new(0));
    let window = Array::of::<u8>(counted(&freed, 4), &[4]).unwrap().window(Request::FULL_RO).unwrap();
    let again = window.clone();
    std::thread::spawn(move || drop(window)).join().unwrap();
    assert_eq!(freed.load(Ordering::Relaxed), 0);
    std::thread::spawn(move || assert_eq!(again.view().get::<u8>(&[3]).unwrap(), 3)).join().unwrap();
    assert_eq!(freed.load(Ordering::Relaxed), 1);
}

#[test]
fn fault_30_only_the_exact_type_is_given_out() {
    let numbers = [1.5f64, 2.5];
    let view = View::from_slice(&numbers);
    let refused = view.clone().typed::<i64>().map(drop).unwrap_err();
    assert!(matches!(refused.kind(), RefusalKind::Format(_)));
    assert_eq!(refused.to_string(), "float in the format, signed integer in the type");
    assert!(view.get::<u64>(&[0]).is_err() && view.get::<f32>(&[0]).is_err());
    assert_eq!(view.get::<f64>(&[1]).unwrap(), 2.5);
    let strings = Array::new(
        Memory::from_vec(b"abcd".to_vec()),
        Layout::contiguous(4, &[], Order::C).unwrap(),
        Format::parse("4s").unwrap(),
    )
    .unwrap();
    let window = strings.window(Request::FULL_RO).unwrap();
    assert!(window.view().get::<[u8; 4]>(&[]).is_err());
    let mut bytes = [0u8; 8];
    let refused = ViewMut::from_slice(&mut bytes).set(&[0], 1u16).unwrap_err();
    assert!(matches!(refused.kind(), RefusalKind::Format(_)), "{refused}");
    assert_eq!(bytes, [0; 8]);
    // Casting is for whole items of bytes.
    let odd = View::from_slice(&bytes).slice(s![..7]).unwrap().cast(u16::FORMAT);
    let RefusalKind::Layout(error) = kind(odd) else { panic!("a refusal of the layout") };
    assert_eq!(error.kind(), &LayoutErrorKind::CastUneven { axis: 0, extent: 7, itemsize: 1, wanted: 2 });
}
