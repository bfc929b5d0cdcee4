//! The safe functions over views: what they write, what they report, and what they refuse.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};

use extbuf_copy::{
    CopyErrorKind, CopyOptions, Kernel, Overlap, Progress, Threads, contiguous, contiguous_into, copy,
    copy_within, from_contiguous, to_contiguous, to_vec,
};
use extbuf_format::{Element, Format};
use extbuf_layout::{Layout, LayoutErrorKind, Order, s};
use extbuf_protocol::{Array, Exporter, Memory, Request, Rows, View, ViewMut};

/// Height, width and the byte at (row, column, channel) of a picture in row pointers.
fn picture(height: usize, width: usize) -> Rows<'static> {
    let rows = (0..height).map(|r| (0..width * 3).map(|b| (r * 31 + b * 7) as u8).collect());
    Rows::from_vecs(rows.collect(), &[width, 3]).unwrap()
}

fn at(r: usize, c: usize, k: usize) -> u8 {
    (r * 31 + (c * 3 + k) * 7) as u8
}

#[test]
fn a_crop_of_row_pointers_in_every_order() {
    let image = picture(20, 30);
    let crop = image.window(Request::FULL_RO).unwrap().slice(s![5..18, 4..25;2, ..;-1]).unwrap();
    let crop = crop.slice(s![..;-3]).unwrap();
    let (rows, columns) = ([17, 14, 11, 8, 5], (4..25).step_by(2).collect::<Vec<_>>());
    assert_eq!(crop.shape(), [5, 11, 3]);
    let item = |r: usize, c: usize, k: usize| at(rows[r], columns[c], 2 - k);
    let mut c_order = Vec::new();
    let mut f_order = Vec::new();
    for r in 0..5 {
        for c in 0..11 {
            c_order.extend((0..3).map(|k| item(r, c, k)));
        }
    }
    for k in 0..3 {
        for c in 0..11 {
            f_order.extend((0..5).map(|r| item(r, c, k)));
        }
    }
    assert_eq!(to_vec(&crop.view(), Order::C).unwrap(), c_order);
    assert_eq!(to_vec(&crop.view(), Order::F).unwrap(), f_order);
    assert_eq!(to_vec(&crop.view(), Order::A).unwrap(), c_order);
    let window = to_contiguous(&crop.view(), Order::F).unwrap();
    assert!(window.layout().is_contiguous(Order::F) && window.layout().is_direct());
    assert_eq!(window.view().as_ptr() as usize % 64, 0);
    assert_eq!(to_vec(&window.view(), Order::C).unwrap(), c_order);
    // And back, into the rows of another picture.
    let other = picture(20, 30);
    let mut export = other.export(Request::FULL).unwrap();
    let mut rows = export.view_mut().unwrap().slice(s![..5, ..11]).unwrap();
    let report = copy(&mut rows, &window.view()).unwrap();
    assert_eq!((report.bytes, report.overlap), (5 * 11 * 3, Overlap::None));
    assert_eq!(to_vec(&rows.as_view(), Order::C).unwrap(), c_order);
    from_contiguous(&mut rows, &f_order, Order::C).unwrap();
    assert_eq!(to_vec(&rows.as_view(), Order::C).unwrap(), f_order);
    drop(export);
    // What lies beside the crop is as it was.
    let view = other.window(Request::FULL_RO).unwrap();
    assert_eq!(view.view().get::<u8>(&[4, 11, 0]).unwrap(), at(4, 11, 0));
    assert_eq!(view.view().get::<u8>(&[5, 0, 0]).unwrap(), at(5, 0, 0));
}

#[test]
fn a_view_that_is_contiguous_is_lent_and_not_copied() {
    let numbers: Vec<u32> = (0..12).collect();
    let rows = View::from_slice(&numbers).new_axis(1).unwrap();
    assert!(!contiguous(&rows, Order::C).unwrap().was_copied());
    assert!(!contiguous(&rows, Order::F).unwrap().was_copied());
    let every_second = rows.slice(s![..;2]).unwrap();
    let copied = contiguous(&every_second, Order::C).unwrap();
    assert!(copied.was_copied());
    assert_eq!(copied.view().get::<u32>(&[5, 0]).unwrap(), 10);
}

#[test]
fn fortran_order_is_kept_where_it_is_the_only_one() {
    let memory = Memory::from_vec((0u8..6).collect::<Vec<_>>());
    let fortran = Layout::contiguous(1, &[2, 3], Order::F).unwrap();
    let array = Array::new(memory, fortran, u8::FORMAT).unwrap();
    let window = array.window(Request::FULL_RO).unwrap();
    assert_eq!(to_vec(&window.view(), Order::A).unwrap(), [0, 1, 2, 3, 4, 5]);
    assert_eq!(to_vec(&window.view(), Order::C).unwrap(), [0, 2, 4, 1, 3, 5]);
}

#[test]
fn slices_of_one_view_onto_each_other() {
    let mut numbers: Vec<u16> = (0..10).collect();
    let mut view = ViewMut::from_slice(&mut numbers);
    let report = copy_within(&mut view, s![1..], s![..-1]).unwrap();
    assert_eq!((report.overlap, report.kernel, report.bytes), (Overlap::Backward, Kernel::Move, 18));
    let moved: Vec<u8> = [0u16, 0, 1].into_iter().flat_map(u16::to_ne_bytes).collect();
    assert_eq!(to_vec(&view.as_view(), Order::C).unwrap()[..6], moved);
    assert_eq!(copy_within(&mut view, s![..-2], s![2..]).unwrap().overlap, Overlap::Forward);
    assert_eq!(copy_within(&mut view, s![..;2], s![1..;2]).unwrap().overlap, Overlap::None);
    assert_eq!(copy_within(&mut view, s![3..], s![3..]).unwrap().overlap, Overlap::Same);
    from_contiguous(&mut view, &(0..20).collect::<Vec<u8>>(), Order::C).unwrap();
    let report = copy_within(&mut view, s![..], s![..;-1]).unwrap();
    assert_eq!(report.overlap, Overlap::Staged);
    let reversed: Vec<u8> = (0..10).rev().flat_map(|i| [2 * i, 2 * i + 1]).collect();
    assert_eq!(to_vec(&view.as_view(), Order::C).unwrap(), reversed);
}

#[test]
fn rows_of_one_picture_onto_each_other() {
    let image = picture(9, 5);
    let mut export = image.export(Request::FULL).unwrap();
    let mut view = export.view_mut().unwrap();
    // Downwards by one row: each row is another's source, so this goes through scratch memory.
    let report = copy_within(&mut view, s![1..], s![..-1]).unwrap();
    assert_eq!(report.overlap, Overlap::Staged);
    for r in 0..9usize {
        assert_eq!(view.get::<u8>(&[r, 4, 1]).unwrap(), at(r.saturating_sub(1), 4, 1));
    }
    // Other rows: apart, though between one another in memory.
    assert_eq!(copy_within(&mut view, s![..;2], s![..;2]).unwrap().overlap, Overlap::Staged);
    assert_eq!(copy_within(&mut view, s![1..;2], s![..-1;2]).unwrap().overlap, Overlap::None);
}

#[test]
fn what_does_not_agree_is_refused() {
    let numbers = [1u32, 2, 3, 4, 5, 6];
    let bytes = [1u8; 6];
    let mut target = [0u32; 6];
    let mut dst = ViewMut::from_slice(&mut target);
    let kind =
        |result: Result<_, extbuf_copy::CopyError>| result.map(|_: extbuf_copy::Report| ()).unwrap_err();
    let src = View::from_slice(&numbers);
    let error = kind(copy(&mut dst, &src.clone().slice(s![..4]).unwrap()));
    assert_eq!(*error.kind(), CopyErrorKind::Shape { axis: 0, dst: 6, src: 4 });
    assert_eq!(error.to_string(), "axis 0 has extent 6 in the destination and 4 in the source");
    let error = kind(copy(&mut dst, &src.new_axis(0).unwrap()));
    assert_eq!(*error.kind(), CopyErrorKind::Ndim { dst: 1, src: 2 });
    let error = kind(copy(&mut dst, &View::from_slice(&bytes)));
    assert_eq!(*error.kind(), CopyErrorKind::Itemsize { dst: 4, src: 1 });
    let error = kind(from_contiguous(&mut dst, &bytes, Order::C));
    assert_eq!(*error.kind(), CopyErrorKind::Length { expected: 24, given: 6 });
    let error = kind(copy_within(&mut dst, s![..3], s![..4]));
    assert_eq!(*error.kind(), CopyErrorKind::Shape { axis: 0, dst: 3, src: 4 });
    let error = kind(copy_within(&mut dst, s![.., 1], s![..]));
    assert!(
        matches!(error.kind(), CopyErrorKind::Layout(e) if !matches!(e.kind(), LayoutErrorKind::NoLevel))
    );
    assert_eq!(target, [0; 6]);
}

#[test]
fn object_references_are_not_forged() {
    let memory = Memory::from_vec(vec![7u64; 4]);
    for text in ["O", "T{q:a:O:b:}", "(2)O"] {
        let format: Format = text.parse().unwrap();
        let layout = Layout::contiguous(format.itemsize(), &[32 / format.itemsize()], Order::C).unwrap();
        let array = Array::new(memory.clone(), layout, format).unwrap();
        let mut export = array.export(Request::FULL).unwrap();
        let refused =
            |error: extbuf_copy::CopyError| assert_eq!(*error.kind(), CopyErrorKind::Objects, "{text}");
        refused(to_vec(&export.view(), Order::C).unwrap_err());
        refused(to_contiguous(&export.view(), Order::C).unwrap_err());
        let mut view = export.view_mut().unwrap();
        refused(from_contiguous(&mut view, &[0; 32], Order::C).unwrap_err());
        refused(copy_within(&mut view, s![..1], s![1..2]).unwrap_err());
        let mut target = [0u64; 4];
        let plain = ViewMut::from_slice(&mut target).slice(s![..1]).unwrap();
        let objects = view.slice(s![..1]).unwrap();
        if objects.itemsize() == 8 {
            refused(copy(&mut { plain }, &objects.as_view()).unwrap_err());
        }
    }
}

// With 32 bits a machine may have as much as a layout may reach.
#[cfg(target_pointer_width = "64")]
#[test]
fn absurd_sizes_are_errors() {
    let vast = View::from_slice(&[1u8]).broadcast_to(&[1 << 30, 1 << 30]).unwrap();
    let expected = CopyErrorKind::Allocation { bytes: 1 << 60 };
    assert_eq!(*to_vec(&vast, Order::C).unwrap_err().kind(), expected);
    let error = to_contiguous(&vast, Order::C).unwrap_err();
    assert_eq!(*error.kind(), expected);
    assert_eq!(error.to_string(), format!("no memory for {} bytes", 1u64 << 60));
}

#[test]
fn large_results_begin_at_a_large_page() {
    let line: Vec<u8> = (0..4096u32).map(|k| (k * 7) as u8).collect();
    let view = View::from_slice(&line).broadcast_to(&[10_001, 4096]).unwrap();
    let window = to_contiguous(&view, Order::C).unwrap();
    let bytes = window.view().as_bytes().unwrap();
    assert_eq!(bytes.as_ptr().addr() % (2 << 20), 0);
    assert!(bytes.len() == 4096 * 10_001 && bytes.chunks(4096).all(|row| row == line));
}

#[test]
fn nothing_is_copied_without_complaint() {
    let empty = View::from_slice::<u64>(&[]);
    assert_eq!(to_vec(&empty, Order::C).unwrap(), []);
    let window = to_contiguous(&empty, Order::F).unwrap();
    assert_eq!(window.shape(), [0]);
    assert_eq!(window.view().as_bytes(), Some(&[][..]));
    assert_eq!(copy(&mut ViewMut::from_slice::<u64>(&mut []), &empty).unwrap().bytes, 0);
    // Items of no bytes, three of them.
    let format: Format = "0s".parse().unwrap();
    let layout = Layout::contiguous(0, &[3], Order::C).unwrap();
    let array = Array::new(Memory::from_vec(vec![0u8; 4]), layout, format).unwrap();
    let window = to_contiguous(&array.window(Request::FULL_RO).unwrap().view(), Order::C).unwrap();
    assert_eq!((window.shape(), window.layout().nbytes()), (&[3][..], 0));
}

/// As many axes as there can be, none of which fuse: 12 of extent 2, the rest of extent 1, in shuffled order.
#[test]
fn sixty_four_axes() {
    let numbers: Vec<u16> = (0..4096).collect();
    let shape: Vec<usize> = (0..64).map(|axis| if axis % 5 == 0 && axis < 60 { 2 } else { 1 }).collect();
    let layout = Layout::contiguous(2, &shape, Order::C).unwrap();
    let array = Array::new(Memory::from_vec(numbers), layout, u16::FORMAT).unwrap();
    let window = array.window(Request::FULL_RO).unwrap();
    let bytes = to_vec(&window.view(), Order::F).unwrap();
    for (k, item) in bytes.chunks(2).enumerate() {
        assert_eq!(u16::from_ne_bytes([item[0], item[1]]), (k as u16).reverse_bits() >> 4);
    }
}

#[test]
fn progress_is_told_and_can_stop() {
    let numbers: Vec<u64> = (0..1 << 20).collect();
    let view = View::from_slice(&numbers).reverse_axis(0).unwrap();
    let reversed: Vec<u8> = numbers.iter().rev().flat_map(|n| n.to_ne_bytes()).collect();
    for threads in [Threads::ONE, Threads::AtMost(3), Threads::Pool] {
        let (calls, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let hook = |progress: Progress| {
            assert_eq!(progress.bytes, 8 << 20);
            calls.fetch_add(1, Ordering::Relaxed);
            most.fetch_max(progress.bytes_done, Ordering::Relaxed);
            ControlFlow::Continue(())
        };
        let options = CopyOptions { threads, progress: Some(&hook), ..CopyOptions::default() };
        let (bytes, report) = options.to_vec(&view, Order::C).unwrap();
        assert!(bytes == reversed);
        assert_eq!(calls.into_inner(), report.parts);
        assert_eq!(most.into_inner(), 8 << 20);
        assert!(report.parts >= 8);

        let stop = |progress: Progress| {
            if progress.bytes_done > 3 << 20 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let options = CopyOptions { threads, progress: Some(&stop), ..CopyOptions::default() };
        match options.to_contiguous(&view, Order::C).unwrap_err().kind() {
            CopyErrorKind::Cancelled { done, parts } => assert!((3..*parts).contains(done)),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_panic_in_the_hook_comes_out_and_leaves_nothing_behind() {
    let numbers: Vec<u64> = (0..1 << 19).collect();
    let view = View::from_slice(&numbers).reverse_axis(0).unwrap();
    for threads in [Threads::ONE, Threads::Pool] {
        let hook = |progress: Progress| {
            assert!(progress.bytes_done < 2 << 20, "the hook panics");
            ControlFlow::Continue(())
        };
        let options = CopyOptions { threads, progress: Some(&hook), ..CopyOptions::default() };
        let caught =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| options.to_vec(&view, Order::C)));
        assert!(caught.is_err());
    }
}

/// The same bytes however many threads there are.
#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    let image = picture(700, 1000);
    let window = image.window(Request::FULL_RO).unwrap().map(|view| view.permute(&[2, 1, 0])).unwrap();
    let (expected, report) = CopyOptions { threads: Threads::ONE, ..CopyOptions::default() }
        .to_vec(&window.view(), Order::C)
        .unwrap();
    assert!(report.parts > 1 && report.threads == 1);
    for round in 0..20 {
        let options = CopyOptions { threads: Threads::AtMost(1 + round % 4), ..CopyOptions::default() };
        assert!(options.to_vec(&window.view(), Order::C).unwrap().0 == expected);
    }
}

#[test]
fn memory_of_the_callers_that_holds_nothing_yet_is_filled_whole() {
    let numbers: Vec<u16> = (0..3000).collect();
    let view = View::from_slice(&numbers).slice(s![..;-3]).unwrap();
    let mut room = vec![std::mem::MaybeUninit::uninit(); 2002];
    let expected = to_vec(&view, Order::C).unwrap();
    let (written, report) =
        CopyOptions::default().contiguous_into(&view, Order::C, &mut room[1..2001]).unwrap();
    assert!(written == expected && report.bytes == 2000);
    match contiguous_into(&view, Order::C, &mut room).unwrap_err().kind() {
        CopyErrorKind::Length { expected: 2000, given: 2002 } => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn large_vectors_come_out_whole() {
    let numbers: Vec<u32> = (0..(10 << 20)).collect();
    let bytes = to_vec(&View::from_slice(&numbers).reverse_axis(0).unwrap(), Order::C).unwrap();
    assert!(bytes.chunks_exact(4).zip(numbers.iter().rev()).all(|(b, n)| b == n.to_ne_bytes()));
}
