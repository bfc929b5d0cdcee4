//! Exporters and item types that lie, change their minds, go early, panic or leak. All that safe code can do to lent
//! memory may end in a refusal or a panic, never in a byte read or written outside of it.
//!
//! Worth most under an address sanitizer; each test fails without one too.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bytemuck::{AnyBitPattern, NoUninit, Zeroable};
use extbuf_format::{Element, Format};
use extbuf_layout::{Layout, LayoutSpec, LevelSpec, Order, Slice, s};
use extbuf_protocol::{
    Access, Array, Block, Buffer, Export, Exporter, Memory, Owner, Refusal, RefusalKind, Request, Rows, View,
    ViewMut, Window,
};
use proptest::prelude::*;

/// Eight bytes whose `clone` and `zeroed` panic when told to.
#[derive(Debug)]
#[repr(transparent)]
struct Moody(u64);

static CLONE_PANICS: AtomicBool = AtomicBool::new(false);
thread_local! {
    static ZERO_PANICS: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

impl Copy for Moody {}

#[expect(clippy::non_canonical_clone_impl, reason = "that it is another's code is the point")]
impl Clone for Moody {
    fn clone(&self) -> Moody {
        assert!(!CLONE_PANICS.load(Ordering::Relaxed), "a clone that panics");
        Moody(self.0)
    }
}

// SAFETY: any bytes are a `u64`, and all of them zero are one; who panics returns nothing.
unsafe impl Zeroable for Moody {
    fn zeroed() -> Moody {
        assert!(!ZERO_PANICS.get(), "a zero that panics");
        Moody(0)
    }
}
// SAFETY: as a `u64`.
unsafe impl AnyBitPattern for Moody {}
// SAFETY: as a `u64`.
unsafe impl NoUninit for Moody {}

impl Element for Moody {
    const FORMAT: Format = u64::FORMAT;
}

#[test]
fn resize_runs_no_clone_of_the_item_type() {
    let mut buffer = Buffer::from_vec(vec![Moody(7), Moody(8)]);
    CLONE_PANICS.store(true, Ordering::Relaxed);
    buffer.resize(1 << 16).unwrap();
    let window = buffer.window(Request::FULL_RO).unwrap();
    assert_eq!(window.view().get::<u64>(&[1]).unwrap(), 8);
    assert_eq!(window.view().get::<u64>(&[(1 << 16) - 1]).unwrap(), 0);
}

#[test]
fn a_panic_while_the_block_moves_leaves_nothing_to_lend() {
    let mut buffer = Buffer::from_vec(vec![Moody(7), Moody(8), Moody(9)]);
    ZERO_PANICS.set(true);
    let resized = catch_unwind(AssertUnwindSafe(|| buffer.resize(1 << 16)));
    ZERO_PANICS.set(false);
    assert!(resized.is_err());
    // By now the vector lies elsewhere, and the block that the buffer knew is freed.
    assert_eq!(buffer.window(Request::FULL_RO).unwrap().shape(), [0]);
    buffer.resize(2).unwrap();
    let window = buffer.window(Request::FULL).unwrap();
    assert_eq!(window.view().get::<u64>(&[1]).unwrap(), 8);
}

/// A kilobyte that says it is an `unsigned char`.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
struct Liar([u8; 1024]);

// SAFETY: bytes.
unsafe impl Zeroable for Liar {}
// SAFETY: bytes.
unsafe impl AnyBitPattern for Liar {}
// SAFETY: bytes.
unsafe impl NoUninit for Liar {}

impl Element for Liar {
    const FORMAT: Format = Format::bytes();
}

#[test]
fn a_type_with_the_format_of_another_reads_and_writes_nothing() {
    let bytes = [0u8; 4];
    assert_eq!(View::from_slice(&bytes).get::<Liar>(&[0]).unwrap_err().kind(), &RefusalKind::InvalidValue);
    let mut bytes = [0u8; 4];
    let refused = ViewMut::from_slice(&mut bytes).set(&[0], Liar([1; 1024])).unwrap_err();
    assert_eq!(refused.kind(), &RefusalKind::ItemBytes { given: 1024, itemsize: 1 });
    assert_eq!(bytes, [0; 4]);

    let mut liars = [Liar([0; 1024]); 2];
    let mismatch = RefusalKind::ItemsizeMismatch { layout: 1024, format: 1 };
    assert_eq!((&liars).export(Request::FULL_RO).unwrap_err().kind(), &mismatch);
    assert!(catch_unwind(|| Buffer::from_vec(liars.to_vec())).is_err());
    let rows = Rows::from_vecs(vec![liars.to_vec()], &[2]).unwrap();
    assert_eq!(rows.export(Request::FULL_RO).unwrap_err().kind(), &mismatch);
    assert!(catch_unwind(|| View::from_slice(&liars).len()).is_err());
    assert!(catch_unwind(AssertUnwindSafe(|| ViewMut::from_slice(&mut liars).len())).is_err());
}

/// A block that counts how often it is freed, and tells whether it was moved after it was asked.
struct Counted {
    block: Box<[u8]>,
    asked_at: usize,
    freed: Arc<AtomicUsize>,
    panics: bool,
}

impl Counted {
    fn memory(freed: &Arc<AtomicUsize>, panics: bool) -> Memory<'static> {
        let block = Box::from([1, 2, 3, 4, 5, 6, 7, 8]);
        Memory::from_owner(Counted { block, asked_at: 0, freed: freed.clone(), panics })
    }
}

// SAFETY: the box keeps its bytes, which nobody else knows of.
unsafe impl Owner for Counted {
    fn block(&mut self) -> Block {
        self.asked_at = std::ptr::from_ref(self).addr();
        Block { base: self.block.as_mut_ptr(), len: self.block.len(), access: Access::Write }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        assert_eq!(self.asked_at, std::ptr::from_ref(self).addr(), "an owner that was moved");
        self.freed.fetch_add(1, Ordering::Relaxed);
        assert!(!self.panics, "a release that panics");
    }
}

/// An exporter of safe code that answers as it likes.
struct Shifty<F>(F);

impl<'m, F> Exporter<'m> for Shifty<F>
where
    F: Fn(Request) -> Result<Export<'m, 'static>, Refusal>,
{
    fn export(&self, request: Request) -> Result<Export<'m, '_>, Refusal> {
        (self.0)(request)
    }
}

fn line(itemsize: usize, items: usize) -> Layout {
    Layout::contiguous(itemsize, &[items], Order::C).unwrap()
}

#[test]
fn an_exporter_that_lies_about_its_length_is_refused() {
    let memory = Memory::from_vec(vec![0u8; 100]);
    let lend = |layout: &Layout| {
        let layout = layout.clone();
        let shifty = Shifty(|request: Request| {
            Export::described(memory.lease(request.access())?, layout.clone(), Format::bytes(), request)
        });
        shifty.window(Request::FULL).map(drop).map_err(|refusal| refusal.kind().clone())
    };
    assert_eq!(lend(&line(1, 100)), Ok(()));
    assert_eq!(lend(&line(1, 101)), Err(RefusalKind::OutOfBlock { reached: 0..101, block: 100 }));
    let below = Layout::strided(1, &[2], &[-1], 0).unwrap();
    assert_eq!(lend(&below), Err(RefusalKind::OutOfBlock { reached: -1..1, block: 100 }));
    assert_eq!(lend(&line(4, 25)), Err(RefusalKind::ItemsizeMismatch { layout: 4, format: 1 }));
    assert_eq!(lend(&Layout::strided(1, &[2], &[0], 0).unwrap()), Err(RefusalKind::ItemsOverlap));
    let far = Layout::strided(1, &[], &[], isize::MAX - 1).unwrap();
    let reached = isize::MAX - 1..isize::MAX;
    assert_eq!(lend(&far), Err(RefusalKind::OutOfBlock { reached, block: 100 }));
    // Strides and offsets of a layout without items lead nowhere.
    assert_eq!(lend(&Layout::strided(1, &[7, 0], &[isize::MIN, isize::MAX], isize::MIN).unwrap()), Ok(()));
    // A refused grant has let go of its lease.
    assert_eq!(memory.live(), 0);
}

#[test]
fn an_exporter_that_answers_differently_each_time_moves_no_window() {
    let calls = AtomicUsize::new(0);
    let shifty = Shifty(|request: Request| {
        let memory = Memory::from_vec((0u8..16).collect::<Vec<_>>()); // dropped before the answer is used
        let items = 16 >> calls.fetch_add(1, Ordering::Relaxed);
        Export::described(memory.lease(request.access())?, line(1, items), Format::bytes(), request)
    });
    let windows: Vec<Window<'_>> = (0..4).map(|_| shifty.window(Request::FULL_RO).unwrap()).collect();
    assert!(shifty.window(Request::SIMPLE).is_ok());
    let lengths: Vec<usize> = windows.iter().map(|window| window.view().as_bytes().unwrap().len()).collect();
    assert_eq!(lengths, [16, 8, 4, 2]);
    assert!(windows.iter().all(|window| window.view().get::<u8>(&[1]).unwrap() == 1));
}

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

#[test]
fn the_part_of_a_window_promises_nothing_that_only_the_whole_keeps() {
    let whole = Buffer::from_vec(vec![0u8; 8]).window(Request::CONTIG).unwrap();
    assert!(!whole.grant().strides);
    let part = whole.slice(s![..;-3]).unwrap();
    assert!(part.grant().strides && part.grant().shape && !part.grant().writable);
    assert_eq!(part.export(Request::CONTIG_RO).unwrap_err().kind(), &RefusalKind::Strided);
}

#[test]
fn an_index_is_refused_for_its_length_or_for_the_first_entry_outside() {
    let numbers = [0u16; 6];
    let view = View::from_slice(&numbers);
    let kind = |index: &[usize]| view.item(index).unwrap_err().kind().clone();
    assert_eq!(kind(&[]), RefusalKind::IndexLength { given: 0, ndim: 1 });
    assert_eq!(kind(&[9, 9]), RefusalKind::IndexLength { given: 2, ndim: 1 });
    assert_eq!(kind(&[6]), RefusalKind::OutOfRange { axis: 0, index: 6, extent: 6 });
    assert_eq!(view.item(&[6]).unwrap_err().to_string(), "index 6 is outside axis 0 of extent 6");

    let mut numbers = [0u16; 6];
    let split = |view: ViewMut<'_>, axis, at| view.split_at(axis, at).map(drop).unwrap_err().to_string();
    assert_eq!(split(ViewMut::from_slice(&mut numbers), 0, 7), "index 7 is outside axis 0 of extent 6");
    assert_eq!(split(ViewMut::from_slice(&mut numbers), 1, 0), "there is no axis 1, ndim is 1");
}

#[test]
fn one_load_is_one_load() {
    let image = Rows::from_vecs(vec![vec![1u8, 2], vec![3, 4]], &[2]).unwrap();
    let refused = image.export(Request::STRIDES).map(drop).unwrap_err();
    assert_eq!(refused.to_string(), "items are reached through 1 load, the request takes none");
}

#[test]
fn items_of_no_bytes_are_looked_at_without_memory() {
    let nothing = vec![[0u8; 0]; 5];
    let rows = Rows::from_vecs(vec![nothing.clone(), nothing.clone()], &[5]).unwrap();
    let mut window = rows.window(Request::FULL).unwrap();
    assert_eq!(window.view().get::<[u8; 0]>(&[1, 4]).unwrap(), []);
    assert_eq!(window.view_mut().unwrap().item_mut(&[1, 4]).unwrap(), []);
    let mut buffer = Buffer::from_vec(nothing);
    buffer.resize(1 << 10).unwrap();
    assert_eq!(buffer.window(Request::FULL).unwrap().view().as_bytes(), Some(&[][..]));
    let mut wide = Rows::from_vecs(vec![vec![0u8; 0]], &[1 << 40, 1 << 40, 0]).unwrap();
    wide.reshape_rows(&[0, 3]).unwrap();
}

/// A block and a claim about it of up to three axes: mostly one that is nearly right, else numbers of every size.
fn claims() -> impl Strategy<Value = (usize, usize, Vec<isize>, Vec<isize>, isize)> {
    let number = || {
        prop_oneof![
            8 => -9isize..40,
            1 => any::<isize>(),
            1 => prop_oneof![Just(isize::MIN), Just(isize::MAX), Just(isize::MAX - 7)],
        ]
    };
    let extent = prop_oneof![6 => 0isize..5, 1 => number()];
    let wild = (0usize..120, 0usize..9, 0usize..4).prop_flat_map(move |(block, itemsize, ndim)| {
        let extents = proptest::collection::vec(extent.clone(), ndim);
        (Just(block), Just(itemsize), extents, proptest::collection::vec(number(), ndim), number())
    });
    let shape = proptest::collection::vec(1usize..6, 0..4);
    let near = (shape, 1usize..9, prop_oneof![Just(Order::C), Just(Order::F)], 0usize..3, -1isize..2);
    let near = near.prop_map(|(shape, itemsize, order, more, offset)| {
        let layout = Layout::contiguous(itemsize, &shape, order).unwrap();
        let shape = shape.into_iter().map(|n| n as isize).collect();
        (layout.nbytes() + more, itemsize, shape, layout.strides(0).to_vec(), offset)
    });
    prop_oneof![1 => wild, 3 => near]
}

/// One operation on a view, chosen by numbers that may make no sense.
fn operate<'a>(
    view: ViewMut<'a>,
    (choice, a, b, step): (u8, usize, isize, isize),
) -> Option<Vec<ViewMut<'a>>> {
    let slice = Slice { start: Some(b), stop: None, step: Some(step) };
    let one = match choice {
        0 => view.slice_axis(a, slice),
        1 => view.index_axis(a, b),
        2 => view.reverse_axis(a),
        3 => Ok(view.transpose()),
        4 => view.new_axis(a),
        5 => view.slice([slice.into(), extbuf_layout::SliceItem::Ellipsis]),
        6 => view.field("tag"),
        _ => {
            let (low, high) = view.split_at(a, b.unsigned_abs()).ok()?;
            return Some(vec![low, high]);
        }
    };
    Some(vec![one.ok()?])
}

proptest! {
    /// What is lent for writing lies inside the block, and no two items of it share a byte: not after any chain of
    /// operations, and not between the halves of a split.
    #[test]
    fn what_is_written_is_inside_and_apart(
        (block, itemsize, shape, strides, offset) in claims(),
        chain in proptest::collection::vec((0u8..9, 0usize..4, -5isize..6, -3isize..4), 0..7),
    ) {
        let levels = [LevelSpec { offset, strides: &strides }];
        let Ok(layout) = Layout::new(&LayoutSpec { itemsize, shape: &shape, levels: &levels }) else {
            return Ok(());
        };
        let format = match itemsize {
            0 => Format::parse("0s").unwrap(),
            1 => Format::parse("T{B:tag:}").unwrap(),
            n => Format::parse(&format!("T{{={}sh:tag:}}", n - 2)).unwrap(),
        };
        let mut bytes = vec![0u8; block];
        let range = bytes.as_ptr_range();
        let array = Array::new(Memory::from_slice_mut(&mut bytes), layout, format);
        let Ok(mut window) = array.and_then(|array| array.window(Request::FULL)) else {
            return Ok(());
        };
        let mut views = vec![window.view_mut().unwrap()];
        for operation in chain {
            let mut view = views.pop().unwrap();
            if operate(view.reborrow(), operation).is_some() {
                views.extend(operate(view, operation).unwrap());
            } else {
                views.push(view); // refused
            }
        }
        let mut written = vec![0u8; block];
        for mut view in views {
            let layout = view.layout().clone();
            for index in layout.indices(Order::C).take(block.max(1)) {
                // As many items as can have bytes of their own; of those without, there may be any number.
                let item = view.item_mut(&index).unwrap();
                if !item.is_empty() {
                    let inside = item.as_ptr_range();
                    prop_assert!(range.start <= inside.start && inside.end <= range.end);
                    let at = inside.start.addr() - range.start.addr();
                    for (seen, byte) in written[at..].iter_mut().zip(item) {
                        prop_assert_eq!(*seen, 0, "a byte of two items");
                        (*seen, *byte) = (1, 1);
                    }
                }
            }
        }
        drop(window);
        prop_assert_eq!(bytes, written);
    }
}
