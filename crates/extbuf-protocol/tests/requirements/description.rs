//! Who owns the description, how long it is good, and what it says.

use std::cell::{Cell, RefCell};

use bytemuck::{Pod, Zeroable};
use extbuf_format::{Element, Format};
use extbuf_layout::{Layout, Order, s};
use extbuf_protocol::{
    Access, Array, Buffer, Export, Exporter, Memory, Refusal, RefusalKind, Request, Rows, View, Window,
};

/// Every item of a view of bytes, in C order.
fn items(view: &View<'_>) -> Vec<u8> {
    view.layout().indices(Order::C).map(|index| view.get(&index).unwrap()).collect()
}

fn matrix() -> Array<'static> {
    let memory = Memory::from_vec((0u8..12).collect::<Vec<_>>());
    Array::of::<u8>(memory, &[3, 4]).unwrap()
}

#[test]
fn r01_a_view_reads_the_same_items_after_its_exporter_changed_shape_and_strides() {
    let mut array = matrix();
    let window = array.window(Request::FULL_RO).unwrap().slice(s![1.., ..;2]).unwrap();
    assert_eq!(items(&window.view()), [4, 6, 8, 10]);
    array.describe(Layout::contiguous(1, &[12], Order::C).unwrap(), u8::FORMAT).unwrap();
    assert_eq!(items(&window.view()), [4, 6, 8, 10]);
    array.describe(Layout::strided(1, &[2, 2], &[-4, -1], 11).unwrap(), u8::FORMAT).unwrap();
    assert_eq!((window.shape(), items(&window.view())), (&[2, 2][..], vec![4, 6, 8, 10]));
    assert_eq!(items(&array.window(Request::FULL_RO).unwrap().view()), [11, 10, 7, 6]);

    let mut rows = Rows::from_vecs(vec![vec![1u8, 2, 3, 4], vec![5, 6, 7, 8]], &[2, 2]).unwrap();
    let window = rows.window(Request::FULL_RO).unwrap();
    rows.reshape_rows(&[4]).unwrap();
    assert_eq!((window.shape(), items(&window.view())), (&[2, 2, 2][..], (1..9).collect()));
}

#[test]
fn r02_an_exporter_hands_out_its_stored_description() {
    let array = matrix();
    let export = array.export(Request::FULL_RO).unwrap();
    assert!(std::ptr::eq(export.layout(), array.layout()));
    assert!(std::ptr::eq(export.layout().shape(), array.layout().shape()));
    // That nothing is allocated is counted in `tests/allocation.rs`.
}

/// An exporter whose shape may change at any time, and so is copied at each export.
struct Restless {
    memory: Memory<'static>,
    shape: RefCell<Vec<usize>>,
}

impl Exporter<'static> for Restless {
    fn export(&self, request: Request) -> Result<Export<'static, '_>, Refusal> {
        let layout = Layout::contiguous(1, &self.shape.borrow(), Order::C)?;
        Export::described(&self.memory, layout, u8::FORMAT, request)
    }
}

#[test]
fn r03_a_description_made_for_the_occasion_looks_like_a_stored_one() {
    let stored = matrix();
    let restless = Restless { memory: stored.memory().clone(), shape: vec![3, 4].into() };
    let exporters: [&dyn Exporter<'static>; 2] = [&stored, &restless];
    let [a, b] = exporters.map(|exporter| exporter.export(Request::FULL_RO).unwrap());
    *restless.shape.borrow_mut() = vec![12];
    assert_eq!((a.layout(), a.format(), a.grant()), (b.layout(), b.format(), b.grant()));
    assert_eq!(items(&a.view()), items(&b.view()));
    let (a, b) = (a.keep(), b.keep());
    assert_eq!((a.layout(), items(&a.view())), (b.layout(), items(&b.view())));
    assert_eq!(restless.window(Request::FULL_RO).unwrap().shape(), [12]);
}

#[test]
fn r04_a_stored_format_is_handed_out_and_an_item_type_assigned_later_changes_no_view() {
    let mut array = matrix();
    let export = array.export(Request::FULL_RO).unwrap();
    assert!(std::ptr::eq(export.format(), array.format()));
    let window = export.keep();
    let layout = Layout::contiguous(4, &[3], Order::C).unwrap();
    array.describe(layout, Format::parse(">I").unwrap()).unwrap();
    assert_eq!((window.format(), window.view().get::<u8>(&[1, 1]).unwrap()), (&u8::FORMAT, 5));
    let bytes = array.window(Request::FULL_RO).unwrap();
    assert_eq!(bytes.view().value(&[0]).unwrap().to_string(), 0x0001_0203.to_string());
}

#[test]
fn r05_what_is_read_of_a_description_after_release_is_a_copy() {
    let layout = {
        let array = matrix();
        let export = array.export(Request::FULL_RO).unwrap();
        export.layout().clone()
    };
    assert_eq!((layout.shape(), layout.strides(0)), (&[3, 4][..], &[4, 1][..]));
}

#[test]
fn r06_who_keeps_the_description_has_a_copy() {
    let array = matrix();
    let window = array.window(Request::FULL_RO).unwrap();
    assert_eq!(window.layout(), array.layout());
    assert!(!std::ptr::eq(window.layout(), array.layout()));
    assert!(!std::ptr::eq(window.format(), array.format()));
    drop(array);
    assert_eq!(window.shape(), [3, 4]);
}

#[test]
fn r07_a_re_exporter_hands_out_its_own_description() {
    let array = matrix();
    let window = array.window(Request::FULL_RO).unwrap().map(|view| view.slice(s![1, ..;2])).unwrap();
    let export = window.export(Request::FULL_RO).unwrap();
    assert!(std::ptr::eq(export.layout(), window.layout()));
    assert_eq!((export.layout().shape(), export.layout().strides(0)), (&[2][..], &[2][..]));
    assert_eq!(items(&export.view()), [4, 6]);
}

#[test]
fn r08_views_of_one_memory_under_different_shapes_coexist() {
    let mut buffer = Buffer::from_vec((0u8..12).collect());
    let mut windows = Vec::new();
    for shape in [&[12][..], &[3, 4], &[2, 2, 3], &[1, 12, 1]] {
        buffer.reshape(shape).unwrap();
        windows.push((shape, buffer.window(Request::FULL_RO).unwrap()));
    }
    for (shape, window) in &windows {
        assert_eq!((window.shape(), items(&window.view())), (*shape, (0..12).collect()));
    }
}

#[test]
fn r09_each_exporter_of_one_memory_describes_what_it_shows() {
    let array = matrix();
    let whole = array.window(Request::FULL_RO).unwrap();
    let column = whole.slice(s![.., 1]).unwrap();
    let exporters: [&dyn Exporter<'static>; 3] = [&array, &whole, &column];
    let described: Vec<_> = exporters
        .iter()
        .map(|exporter| {
            let layout = exporter.export(Request::STRIDED_RO).unwrap().layout().clone();
            (layout.shape().to_vec(), layout.strides(0).to_vec(), layout.offset(0))
        })
        .collect();
    assert_eq!(described, [(vec![3, 4], vec![4, 1], 0), (vec![3, 4], vec![4, 1], 0), (vec![3], vec![4], 1)]);
}

#[test]
fn r37_the_description_is_read_without_the_memory_and_the_memory_had_without_it() {
    let array = matrix();
    assert_eq!(
        (array.layout().shape(), array.format(), array.memory().live()),
        (&[3, 4][..], &u8::FORMAT, 0)
    );
    let lease = array.memory().lease(Access::Read).unwrap();
    assert_eq!((lease.len(), lease.base().is_null()), (12, false));
}

#[test]
fn r39_shape_and_strides_are_plain_arrays() {
    let array = matrix();
    let export = array.export(Request::FULL_RO).unwrap();
    let (shape, strides): (&[usize], &[isize]) = (export.layout().shape(), export.layout().strides(0));
    assert_eq!((shape, strides), (&[3, 4][..], &[4, 1][..]));
}

#[test]
fn r45_length_is_items_times_itemsize_and_itemsize_is_what_the_format_says() {
    let export = (&[1u32, 2, 3]).window(Request::FULL_RO).unwrap();
    let view = export.view();
    assert_eq!((view.nbytes(), view.len() * view.itemsize()), (12, 12));
    assert_eq!(view.itemsize(), view.format().itemsize());
    let layout = Layout::contiguous(4, &[3], Order::C).unwrap();
    let refused = Array::new(Memory::from_vec(vec![0u32; 3]), layout, f64::FORMAT).unwrap_err();
    assert_eq!(refused.kind(), &RefusalKind::ItemsizeMismatch { layout: 4, format: 8 });
}

#[test]
fn r46_no_format_means_unsigned_bytes() {
    assert_eq!((Format::bytes(), Format::bytes().to_string().as_str()), (u8::FORMAT, "B"));
    let array = matrix();
    // Who did not ask for a format is granted none, and a bridge says null.
    assert!(!array.export(Request::STRIDES).unwrap().grant().format);
    assert!(array.export(Request::STRIDES.with_format()).unwrap().grant().format);
}

#[test]
fn r47_no_axes_is_one_item_and_no_shape_or_strides() {
    let scalar = Array::of::<u32>(Memory::from_vec(vec![42u32]), &[]).unwrap();
    for request in [Request::SIMPLE, Request::ND, Request::FULL_RO, Request::F_CONTIGUOUS] {
        let export = scalar.export(request).unwrap();
        assert_eq!((export.layout().shape().len(), export.layout().strides(0).len()), (0, 0));
        assert_eq!((export.view().len(), export.view().get::<u32>(&[]).unwrap()), (1, 42));
    }
    let one = matrix().window(Request::FULL_RO).unwrap().slice(s![2, 3]).unwrap();
    assert_eq!((one.shape().len(), one.view().get::<u8>(&[]).unwrap()), (0, 11));
}

#[test]
fn r48_suboffsets_that_say_nothing_are_not_published() {
    let array = matrix();
    let export = array.export(Request::FULL_RO).unwrap();
    assert!(!export.grant().loads);
    assert_eq!(export.layout().to_suboffsets().unwrap().suboffsets, None);
    let rows = Rows::from_vecs(vec![vec![0u8; 2]; 2], &[2]).unwrap();
    let window = rows.window(Request::FULL_RO).unwrap();
    assert!(window.grant().loads);
    assert!(window.layout().to_suboffsets().unwrap().suboffsets.is_some());
}

/// A pixel of the image example: four bytes.
#[derive(Clone, Copy, Debug, PartialEq, Element, Pod, Zeroable)]
#[repr(C)]
struct Pixel {
    r: u8,
    g: u8,
    b: u8,
    a: u8,
}

#[test]
fn r54_every_line_of_an_image_is_its_own_allocation_of_pixels() {
    let line = |y: u8| (0..5).map(|x| Pixel { r: x, g: y, b: 0, a: 255 }).collect::<Vec<_>>();
    let image = Rows::from_vecs((0..3).map(line).collect(), &[5]).unwrap();
    let window = image.window(Request::FULL_RO).unwrap();
    assert_eq!((window.format().to_string().as_str(), window.shape()), ("T{B:r:B:g:B:b:B:a:}", &[3, 5][..]));
    let green = window.map(|view| view.slice(s![1.., 4])?.field("g")).unwrap();
    assert_eq!(items(&green.view()), [1, 2]);
    assert_eq!(window.view().get::<Pixel>(&[2, 1]).unwrap(), Pixel { r: 1, g: 2, b: 0, a: 255 });
}

#[cfg(feature = "std")]
#[test]
fn r55_the_lock_is_a_layer_that_can_be_left_out() {
    let buffer = Buffer::from_vec(vec![1u8, 2, 3]);
    let without = items(&buffer.window(Request::FULL_RO).unwrap().view());
    let lock = extbuf_protocol::Locked::new(&buffer).unwrap();
    let behind = items(&lock.read().unwrap().view());
    drop(lock);
    let after = items(&buffer.window(Request::FULL_RO).unwrap().view());
    assert_eq!((&without, &behind), (&behind, &after));
}

#[cfg(feature = "std")]
#[test]
fn r56_access_modes_change_no_description() {
    let array = matrix();
    let plain = array.window(Request::FULL_RO).unwrap();
    let described = (plain.layout().clone(), plain.format().clone());
    drop(plain);
    let lock = extbuf_protocol::Locked::new(&array).unwrap();
    assert_eq!((lock.layout(), lock.format()), (&described.0, &described.1));
    let shared = [lock.read().unwrap(), lock.read().unwrap()];
    assert!(shared.iter().all(|window| window.layout() == &described.0));
    assert!(lock.try_write().is_err());
    drop(shared);
    let exclusive = lock.write().unwrap();
    assert_eq!((exclusive.view().layout(), exclusive.view().format()), (&described.0, &described.1));
    assert!(lock.try_read().is_err());
}

/// An exporter that counts how often it is asked.
struct Asked(Array<'static>, Cell<usize>);

impl Exporter<'static> for Asked {
    fn export(&self, request: Request) -> Result<Export<'static, '_>, Refusal> {
        self.1.set(self.1.get() + 1);
        self.0.export(request)
    }
}

#[test]
fn r60_what_was_acquired_once_is_not_acquired_again() {
    // The draft's memory object asked its base at each use, and failed if the base had changed meanwhile. A window asks
    // once, so there is no second time to fail.
    let mut asked = Asked(matrix(), Cell::new(0));
    let window: Window<'static> = asked.window(Request::FULL_RO).unwrap();
    asked.0.describe(Layout::contiguous(1, &[12], Order::C).unwrap(), u8::FORMAT).unwrap();
    let part = window.slice(s![.., 1..]).unwrap();
    assert_eq!(items(&part.window(Request::FULL_RO).unwrap().view()).len(), 9);
    assert_eq!((asked.1.get(), window.shape()), (1, &[3, 4][..]));
    // Who does ask again, and needs the dimensions of before, is told.
    assert!(asked.export(Request::FULL_RO).unwrap().view().get::<u8>(&[2, 3]).is_err());
}
