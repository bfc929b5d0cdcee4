//! How long the memory stays, and who lets go of it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use extbuf_format::{Element, Format};
use extbuf_layout::{Layout, Order, s};
use extbuf_protocol::{
    Access, Array, Block, Buffer, Export, Exporter, Foreign, Memory, Owner, Refusal, RefusalKind, Request,
    Rows, Window,
};

/// Bytes that count how often they were freed.
struct Counted(Vec<u8>, Arc<AtomicUsize>);

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.1.fetch_add(1, Ordering::Relaxed);
    }
}

fn counted(freed: &Arc<AtomicUsize>) -> Memory<'static> {
    Memory::from_ref::<u8>(Counted(vec![1, 2, 3, 4], freed.clone()))
}

#[test]
fn r24_what_was_acquired_from_is_released_to() {
    let memories = [(); 3].map(|()| Memory::from_vec(vec![0u8; 4]));
    let live = || memories.iter().map(Memory::live).collect::<Vec<_>>();
    let arrays = memories.clone().map(|memory| Array::of::<u8>(memory, &[4]).unwrap());
    let windows = [0, 1, 1, 2].map(|i: usize| arrays[i].window(Request::FULL_RO).unwrap());
    assert_eq!(live(), [1, 2, 1]);
    let [a, b, c, d] = windows;
    drop(c);
    assert_eq!(live(), [1, 1, 1]);
    drop((d, a));
    assert_eq!(live(), [0, 1, 0]);
    drop(b);
    assert_eq!(live(), [0, 0, 0]);
}

/// A: an exporter that has no memory, and passes on that of another.
struct Delegates {
    hidden: Buffer<u16>,
}

impl Exporter<'static> for Delegates {
    fn export(&self, request: Request) -> Result<Export<'static, '_>, Refusal> {
        self.hidden.export(request)
    }
}

#[test]
fn r25_the_hidden_object_outlives_the_exporter_that_delegates_to_it() {
    let a = Delegates { hidden: Buffer::from_vec(vec![7u16, 8]) };
    let mut b = a.window(Request::FULL).unwrap();
    drop(a);
    b.view_mut().unwrap().set(&[0], 9u16).unwrap();
    assert_eq!(b.view().get::<u16>(&[0]).unwrap(), 9);
    // And where A describes the memory in its own way, R's memory still outlives it.
    let freed = Arc::new(AtomicUsize::new(0));
    let r = counted(&freed);
    let a = Array::of::<u16>(r.clone(), &[2]).unwrap();
    let b = a.window(Request::FULL_RO).unwrap();
    drop((a, r));
    assert_eq!((b.view().len(), freed.load(Ordering::Relaxed)), (2, 0));
    drop(b);
    assert_eq!(freed.load(Ordering::Relaxed), 1);
}

#[test]
fn r26_a_slice_of_bytes_lends_without_an_account_of_its_views() {
    let bytes = &[1u8, 2, 3][..];
    for _ in 0..3 {
        // What is never released is missed by nobody: there is nothing that counts.
        std::mem::forget(bytes.export(Request::FULL_RO).unwrap());
    }
    let window = bytes.window(Request::FULL_RO).unwrap();
    let again = window.window(Request::SIMPLE).unwrap();
    assert_eq!(again.view().as_bytes().unwrap().as_ptr(), bytes.as_ptr());
}

#[test]
fn r28_release_is_one_act_for_memory_and_description() {
    let freed = Arc::new(AtomicUsize::new(0));
    let memory = counted(&freed);
    let export = Export::described(
        &memory,
        Layout::contiguous(1, &[4], Order::C).unwrap(),
        Format::bytes(),
        Request::FULL_RO,
    )
    .unwrap();
    assert_eq!(memory.live(), 1);
    drop(export);
    assert_eq!((memory.live(), freed.load(Ordering::Relaxed)), (0, 0));
    drop(memory);
    assert_eq!(freed.load(Ordering::Relaxed), 1);
}

#[test]
fn r29_reallocation_is_refused_while_anything_looks() {
    let mut buffer = Buffer::from_vec(vec![7u8; 16]);
    let root = buffer.window(Request::FULL_RO).unwrap();
    let part = root.slice(s![2..]).unwrap();
    let again = part.window(Request::FULL_RO).unwrap();
    let before = root.view().as_bytes().unwrap().as_ptr();
    for window in [root, again, part] {
        assert!(matches!(buffer.resize(1 << 20).unwrap_err().kind(), RefusalKind::Pinned { .. }));
        assert!(matches!(buffer.resize(0).unwrap_err().kind(), RefusalKind::Pinned { .. }));
        assert_eq!(window.view().get::<u8>(&[1]).unwrap(), 7);
    }
    assert_eq!(buffer.window(Request::FULL_RO).unwrap().view().as_bytes().unwrap().as_ptr(), before);
    buffer.resize(1 << 20).unwrap();
    assert_eq!(buffer.shape(), [1 << 20]);
    // A writer pins as a reader does, and one that was forgotten pins for ever.
    std::mem::forget(buffer.window(Request::FULL).unwrap());
    assert_eq!(buffer.resize(1).unwrap_err().kind(), &RefusalKind::Pinned { live: 1 });
    assert!(buffer.into_vec().is_err());
}

#[test]
fn r30_an_exporter_that_must_move_while_it_is_viewed_is_told_by_how_many() {
    let mut buffer = Buffer::from_vec(vec![0u8; 4]);
    let mut windows = Vec::new();
    for live in 1..5 {
        windows.push(buffer.window(Request::FULL_RO).unwrap());
        let refused = buffer.resize(5).unwrap_err();
        assert_eq!(refused.kind(), &RefusalKind::Pinned { live });
        assert!(refused.to_string().contains(&format!("{live} live lease")), "{refused}");
    }
    windows.clear();
    buffer.resize(5).unwrap();
}

#[test]
fn r31_the_hold_is_apart_from_the_view_and_outlives_it() {
    let freed = Arc::new(AtomicUsize::new(0));
    let memory = counted(&freed);
    let lease = memory.lease(Access::Read).unwrap();
    let array = Array::of::<u8>(memory, &[4]).unwrap();
    let first = {
        let window = array.window(Request::FULL_RO).unwrap();
        let first = window.view().get::<u8>(&[0]).unwrap();
        drop(window);
        first
    };
    drop(array);
    assert_eq!((first, freed.load(Ordering::Relaxed)), (1, 0));
    drop(lease);
    assert_eq!(freed.load(Ordering::Relaxed), 1);
}

/// An exporter that counts its own views, beside what the memory counts.
struct Counts {
    bytes: Arc<[u8]>,
    views: Arc<AtomicUsize>,
}

struct OneView(Arc<[u8]>, Arc<AtomicUsize>);

impl AsRef<[u8]> for OneView {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for OneView {
    fn drop(&mut self) {
        self.1.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Exporter<'static> for Counts {
    fn export(&self, request: Request) -> Result<Export<'static, '_>, Refusal> {
        self.views.fetch_add(1, Ordering::Relaxed);
        let memory = Memory::from_ref::<u8>(OneView(self.bytes.clone(), self.views.clone()));
        let layout = Layout::contiguous(1, &[self.bytes.len()], Order::C)?;
        Export::described(memory.lease(request.access())?, layout, u8::FORMAT, request)
    }
}

#[test]
fn r32_the_storage_may_count_or_the_exporter() {
    // The storage: two exporters of one memory see the same count.
    let memory = Memory::from_vec(vec![0u8; 4]);
    let exporters = [(); 2].map(|()| Array::of::<u8>(memory.clone(), &[4]).unwrap());
    let windows = exporters.each_ref().map(|exporter| exporter.window(Request::FULL_RO).unwrap());
    assert_eq!(exporters[0].memory().live(), 2);
    assert_eq!(
        exporters[0].export(Request::FULL).unwrap_err().kind(),
        &RefusalKind::Busy { live: 2, writing: false }
    );
    drop(windows);
    // The exporter: two of the same bytes count apart.
    let bytes: Arc<[u8]> = Arc::from([1, 2]);
    let [a, b] = [(); 2].map(|()| Counts { bytes: bytes.clone(), views: Arc::default() });
    let windows = [a.window(Request::FULL_RO), a.window(Request::FULL_RO), b.window(Request::FULL_RO)];
    assert!(a.export(Request::FULL).is_err(), "refused, and counted no view");
    assert_eq!((a.views.load(Ordering::Relaxed), b.views.load(Ordering::Relaxed)), (2, 1));
    drop(windows);
    assert_eq!((a.views.load(Ordering::Relaxed), b.views.load(Ordering::Relaxed)), (0, 0));
}

#[test]
fn r33_memory_that_never_moves_needs_no_release() {
    static TABLE: [u16; 3] = [5, 6, 7];
    let window: Window<'static> = (&TABLE).window(Request::FULL_RO).unwrap();
    std::mem::forget(window.clone());
    drop(window);
    let again = (&TABLE).window(Request::FULL_RO).unwrap();
    assert_eq!(again.view().as_bytes().unwrap().as_ptr().cast(), TABLE.as_ptr());
}

/// Storage that others write when they like.
struct Device(*mut u8);

// SAFETY: the block is leaked, and each test that makes one uses it on its own thread alone.
unsafe impl Send for Device {}
// SAFETY: as above.
unsafe impl Sync for Device {}
// SAFETY: M1, M2: a leaked box of four bytes. M3: no Rust code writes while an operation on a lease runs.
unsafe impl Owner<Foreign> for Device {
    fn block(&mut self) -> Block {
        Block { base: self.0, len: 4, access: Access::Write }
    }
}

#[test]
fn r34_foreign_storage_without_a_lock_needs_none() {
    let device = Box::leak(Box::new([0u8; 4])).as_mut_ptr();
    let array = Array::of::<u8>(Memory::<Foreign>::from_owner(Device(device)), &[4]).unwrap();
    let (reader, mut writer) =
        (array.window(Request::FULL_RO).unwrap(), array.window(Request::FULL).unwrap());
    writer.view_mut().unwrap().set(&[1], 8u8).unwrap();
    assert_eq!(reader.view().get::<u8>(&[1]).unwrap(), 8);
}

#[test]
fn r35_memory_stays_while_another_thread_fills_it() {
    let shared = Mutex::new(Buffer::from_vec(vec![0u8; 1000]));
    let (acquired, is_acquired) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel();
    thread::scope(|scope| {
        let shared = &shared;
        let reads = scope.spawn(move || {
            let mut window = shared.lock().unwrap().window(Request::CONTIG).unwrap();
            acquired.send(()).unwrap();
            // A read that blocks, half-way.
            let mut view = window.view_mut().unwrap();
            (0..500).for_each(|i| view.set(&[i], 1u8).unwrap());
            may_go_on.recv().unwrap();
            (500..1000).for_each(|i| view.set(&[i], 1u8).unwrap());
        });
        is_acquired.recv().unwrap();
        let refused = shared.lock().unwrap().resize(1 << 20).unwrap_err();
        assert_eq!(refused.kind(), &RefusalKind::Pinned { live: 1 });
        go_on.send(()).unwrap();
        reads.join().unwrap();
    });
    let mut buffer = shared.into_inner().unwrap();
    buffer.resize(1001).unwrap();
    assert_eq!(buffer.into_vec().unwrap().iter().map(|&byte| usize::from(byte)).sum::<usize>(), 1000);
}

#[test]
fn r16_nothing_is_copied_on_the_way_to_a_view() {
    let address = |window: &Window<'_>, index: &[usize]| window.view().item(index).unwrap().as_ptr();
    let vec = vec![1u32, 2, 3];
    let second = vec[1..].as_ptr().cast();
    assert_eq!(address(&(&vec).window(Request::FULL_RO).unwrap(), &[1]), second);
    let buffer = Buffer::from_vec(vec);
    let window = buffer.window(Request::FULL_RO).unwrap();
    assert_eq!(address(&window, &[1]), second);
    assert_eq!(address(&window.slice(s![..;-1]).unwrap().window(Request::FULL_RO).unwrap(), &[1]), second);
    let shared: Arc<[u32]> = Arc::from([1, 2, 3]);
    assert_eq!(address(&shared.window(Request::FULL_RO).unwrap(), &[1]), shared[1..].as_ptr().cast());
    let rows = vec![vec![1u8, 2], vec![3, 4]];
    let last = rows[1][1..].as_ptr();
    assert_eq!(
        address(&Rows::from_vecs(rows, &[2]).unwrap().window(Request::FULL_RO).unwrap(), &[1, 1]),
        last
    );
}
