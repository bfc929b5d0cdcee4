//! The doors of conversions through views: plans used again, overlapping foreign memory, fills, exchanges, columns,
//! progress and cancel.

// Lends leaked memory as foreign.
#![allow(unsafe_code)]

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};

use extbuf_copy::{
    CopyErrorKind, CopyOptions, FieldRules, Mode, Overlap, Progress, Threads, ViewPlan, convert, copy, fill,
    from_columns, swap, to_columns, to_contiguous_as, to_vec,
};
use extbuf_format::{Element, Format, Value};
use extbuf_layout::{Layout, Order, s};
use extbuf_protocol::{
    Access, Array, Block, Exporter, Foreign, Memory, Owner, Refusal, Request, Rows, View, ViewMut, Window,
};

fn records(text: &str, bytes: Vec<u8>) -> Window<'static> {
    let format = Format::parse(text).unwrap();
    let layout = Layout::contiguous(format.itemsize(), &[bytes.len() / format.itemsize()], Order::C).unwrap();
    Array::new(Memory::from_vec(bytes), layout, format).unwrap().window(Request::FULL).unwrap()
}

#[test]
fn a_picture_in_row_pointers_becomes_planes_of_floats() {
    let (height, width) = (37, 211);
    let pixel = |y: usize, x: usize, c: usize| (y * 31 + x * 7 + c * 101) as u8;
    let row = |y| (0..width).flat_map(move |x| (0..3).map(move |c| pixel(y, x, c))).collect::<Vec<u8>>();
    let picture = Rows::from_vecs((0..height).map(row).collect(), &[width, 3]).unwrap();
    let window = picture.window(Request::FULL_RO).unwrap().slice(s![2.., ..;-1, ..]).unwrap();
    let planes = window.view().permute(&[2, 0, 1]).unwrap();
    let made = to_contiguous_as(&planes, &f32::FORMAT, Order::C).unwrap();
    for y in 2..height {
        for x in 0..width {
            for c in 0..3 {
                let value: f32 = made.view().get(&[c, y - 2, x]).unwrap();
                assert_eq!(value, f32::from(pixel(y, width - 1 - x, c)));
            }
        }
    }
    // And back, into row pointers.
    let rows = vec![vec![0u8; width * 3]; height - 2];
    let target = Rows::from_vecs(rows, &[width, 3]).unwrap();
    let mut target = target.window(Request::FULL).unwrap();
    let back = made.view().permute(&[1, 2, 0]).unwrap();
    convert(&mut target.view_mut().unwrap(), &back).unwrap();
    assert_eq!(to_vec(&target.view(), Order::C).unwrap(), to_vec(&window.view(), Order::C).unwrap());
}

#[test]
fn a_plan_runs_on_views_like_those_it_was_made_for_and_on_no_others() {
    let frames: Vec<Vec<u16>> = (0..3).map(|k| (0..600).map(|i| i * 3 + k).collect()).collect();
    let view = |frame| View::from_slice::<u16>(frame).reshape(&[20, 30], Order::C).unwrap().transpose();
    let mut out = vec![0f64; 600];
    let mut target = ViewMut::from_slice(&mut out).reshape(&[30, 20], Order::C).unwrap();
    let plan = ViewPlan::new(&target, &view(&frames[0]), CopyOptions::default()).unwrap();
    assert!(!plan.is_copy());
    for frame in &frames {
        plan.run(&mut target, &view(frame)).unwrap();
        for (i, j) in [(0, 0), (29, 19), (7, 11)] {
            assert_eq!(target.get::<f64>(&[i, j]).unwrap(), f64::from(frame[j * 30 + i]));
        }
    }
    let straight = View::from_slice(&frames[0]).reshape(&[30, 20], Order::C).unwrap();
    let error = plan.run(&mut target, &straight).unwrap_err();
    assert_eq!(error.kind(), &CopyErrorKind::NotPlanned { side: "source" });
    let bits = vec![0i16; 600];
    let other = View::from_slice(&bits).reshape(&[20, 30], Order::C).unwrap().transpose();
    assert_eq!(
        plan.run(&mut target, &other).unwrap_err().kind(),
        &CopyErrorKind::NotPlanned { side: "source" }
    );
    let mut same = vec![0u16; 600];
    let mut same = ViewMut::from_slice(&mut same).reshape(&[30, 20], Order::C).unwrap();
    let error = plan.run(&mut same, &view(&frames[0])).unwrap_err();
    assert_eq!(error.kind(), &CopyErrorKind::NotPlanned { side: "destination" });
    let copies = ViewPlan::new(&same, &view(&frames[0]), CopyOptions::default()).unwrap();
    assert!(copies.is_copy());
    copies.run(&mut same, &view(&frames[2])).unwrap();
    assert_eq!(same.get::<u16>(&[29, 0]).unwrap(), frames[2][29]);
}

struct Leaked(&'static mut [u16]);

// SAFETY: M1, M2: leaked, and any bytes are a `u16`. M3: on this thread alone, between operations.
unsafe impl Owner<Foreign> for Leaked {
    fn block(&mut self) -> Block {
        Block { base: self.0.as_mut_ptr().cast(), len: self.0.len() * 2, access: Access::Write }
    }
}

#[test]
fn foreign_windows_of_one_block_convert_as_if_the_source_were_read_first() {
    let block: Vec<u16> = (0..6).collect();
    let layout = Layout::contiguous(2, &[6], Order::C).unwrap();
    let array = Array::<Foreign>::new(Memory::from_owner(Leaked(block.leak())), layout, u16::FORMAT).unwrap();
    let whole = array.window(Request::FULL).unwrap();
    // The second half read as three numbers, the first three written over by them as bytes turned around.
    let swapped = Format::parse(if cfg!(target_endian = "big") { "<H" } else { ">H" }).unwrap();
    let mut high =
        whole.clone().map_mut::<Refusal>(|view| view.slice(s![1..4])?.cast(swapped.clone())).unwrap();
    let low = whole.slice(s![..3]).unwrap();
    let report = convert(&mut high.view_mut().unwrap(), &low.view()).unwrap();
    assert_eq!(report.overlap, Overlap::Staged);
    let bytes = to_vec(&whole.view(), Order::C).unwrap();
    let values: Vec<u16> = bytes.chunks_exact(2).map(|x| u16::from_ne_bytes([x[0], x[1]])).collect();
    assert_eq!(values, [0, 0, 0x100, 0x200, 4, 5]);
    // An exchange of what overlaps is refused.
    let mut first = whole.clone().map_mut::<Refusal>(|view| view.slice(s![..4])).unwrap();
    let mut last = whole.clone().map_mut::<Refusal>(|view| view.slice(s![2..])).unwrap();
    let error = swap(&mut first.view_mut().unwrap(), &mut last.view_mut().unwrap()).unwrap_err();
    assert_eq!(error.kind(), &CopyErrorKind::SharedBytes);
}

#[test]
fn fills_write_every_item_and_nothing_else() {
    let mut numbers = vec![1i32; 1000];
    let mut view = ViewMut::from_slice(&mut numbers)
        .reshape(&[10, 100], Order::C)
        .unwrap()
        .slice(s![1..9;2, ..;-3])
        .unwrap();
    let report = fill(&mut view, -5).unwrap();
    assert_eq!(report.bytes, 4 * 4 * 34);
    for (k, &x) in numbers.iter().enumerate() {
        let inside = (k / 100) % 2 == 1 && k / 100 < 9 && (99 - k % 100).is_multiple_of(3);
        assert_eq!(x, if inside { -5 } else { 1 }, "{k}");
    }
    let mut window = records("<T{H:a:d:b:}", vec![9; 30]);
    fill(&mut window.view_mut().unwrap(), Value::Tuple(vec![7.into(), 0.5.into()])).unwrap();
    assert_eq!(window.view().value(&[2]).unwrap().to_string(), "(7, 0.5)");
    let error = fill(&mut window.view_mut().unwrap(), 7).unwrap_err();
    assert!(matches!(error.kind(), CopyErrorKind::Format(_)), "{error}");
    let error = fill(&mut ViewMut::from_slice(&mut [0u8; 3]), 256).unwrap_err();
    assert!(matches!(error.kind(), CopyErrorKind::Format(_)), "{error}");
}

#[test]
fn two_views_exchange_their_items() {
    for (rows, columns) in [(3, 5), (0, 4), (600, 700)] {
        let of = |k: u32| {
            (0..(rows * columns) as u32).map(|i| i.wrapping_mul(2654435761) ^ k).collect::<Vec<u32>>()
        };
        let (mut a, mut b) = (of(1), of(2));
        let mut x = ViewMut::from_slice(&mut a).reshape(&[rows, columns], Order::C).unwrap();
        let y = ViewMut::from_slice(&mut b).reshape(&[columns, rows], Order::C).unwrap();
        let mut y = y.transpose().reverse_axis(1).unwrap();
        let report = swap(&mut x, &mut y).unwrap();
        assert_eq!(report.bytes, 8 * rows * columns);
        let (old_a, old_b) = (of(1), of(2));
        for r in 0..rows {
            for c in 0..columns {
                assert_eq!(a[r * columns + c], old_b[(columns - 1 - c) * rows + r]);
                assert_eq!(b[(columns - 1 - c) * rows + r], old_a[r * columns + c]);
            }
        }
    }
    let error =
        swap(&mut ViewMut::from_slice(&mut [0u8; 3]), &mut ViewMut::from_slice(&mut [0u16; 3])).unwrap_err();
    assert_eq!(error.kind(), &CopyErrorKind::Itemsize { dst: 1, src: 2 });
    // Two halves of one block whose bytes lie between one another.
    let mut block: Vec<u8> = (0..12).collect();
    let whole = ViewMut::from_slice(&mut block).reshape(&[3, 4], Order::C).unwrap();
    let (mut left, mut right) = whole.split_at(1, 2).unwrap();
    swap(&mut left, &mut right).unwrap();
    assert_eq!(block, [2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9]);
    // One side in row pointers.
    let rows = Rows::from_vecs(vec![vec![1u8, 2], vec![3, 4]], &[2]).unwrap();
    let mut rows = rows.window(Request::FULL).unwrap();
    let mut flat = [5u8, 6, 7, 8];
    let mut view = ViewMut::from_slice(&mut flat).reshape(&[2, 2], Order::C).unwrap();
    swap(&mut view, &mut rows.view_mut().unwrap()).unwrap();
    assert_eq!((flat, to_vec(&rows.view(), Order::C).unwrap()), ([1, 2, 3, 4], vec![5, 6, 7, 8]));
}

#[test]
fn records_come_apart_and_go_together_again() {
    let text = "<T{B:tag:d:x:(2)h:pair:T{f:u:f:v:}:uv:}";
    let size = Format::parse(text).unwrap().itemsize();
    let bytes: Vec<u8> = (0..size * 1000).map(|k| (k * 31 % 113) as u8).collect();
    let window = records(text, bytes.clone());
    for order in [Order::C, Order::F] {
        let columns = to_columns(&window.view(), order).unwrap();
        let names: Vec<&str> = columns.iter().filter_map(|column| column.name.as_deref()).collect();
        assert_eq!(names, ["tag", "x", "pair", "uv"]);
        for column in &columns {
            let field = window.view().field(column.name.as_deref().unwrap()).unwrap();
            assert_eq!(column.window.format(), field.format());
            let expected = to_vec(&field, Order::C).unwrap();
            assert_eq!(to_vec(&column.window.view(), Order::C).unwrap(), expected);
        }
        let mut again = records(text, vec![0xEE; bytes.len()]);
        let given: Vec<(&str, View<'_>)> =
            columns.iter().map(|column| (column.name.as_deref().unwrap(), column.window.view())).collect();
        from_columns(&mut again.view_mut().unwrap(), &given).unwrap();
        assert!(to_vec(&again.view(), Order::C).unwrap() == bytes);
        // A column that is not there, and one too many.
        let error = from_columns(&mut again.view_mut().unwrap(), &given[1..]).unwrap_err();
        assert_eq!(error.kind(), &CopyErrorKind::MissingField { name: "tag".into() });
        let extra = [&given[..], &[("more", given[0].1.clone())]].concat();
        let error = from_columns(&mut again.view_mut().unwrap(), &extra).unwrap_err();
        assert_eq!(error.kind(), &CopyErrorKind::ExtraField { name: "more".into() });
        let loose = CopyOptions {
            fields: FieldRules { allow_missing: true, allow_extra: true },
            ..CopyOptions::default()
        };
        loose.from_columns(&mut again.view_mut().unwrap(), &extra[1..]).unwrap();
    }
    // Columns in another format are converted, and what does not fit is named.
    let mut points = records("<T{h:x:f:y:}", vec![0; 18]);
    let (x, y) = ([1i64, -2, 3], [0.5f64, 1.5, 2.5]);
    from_columns(
        &mut points.view_mut().unwrap(),
        &[("y", View::from_slice(&y)), ("x", View::from_slice(&x))],
    )
    .unwrap();
    assert_eq!(points.view().value(&[1]).unwrap().to_string(), "(-2, 1.5)");
    let wide = [1i64, 2, 40_000];
    let columns = [("y", View::from_slice(&y)), ("x", View::from_slice(&wide))];
    let error = from_columns(&mut points.view_mut().unwrap(), &columns).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the value 40000 at index [2], field \"x\" does not fit format '<h'; nothing has been written"
    );
    assert!(to_columns(&View::from_slice(&[1u8]), Order::C).is_err());
}

#[test]
fn progress_is_told_and_may_stop_a_conversion() {
    let numbers: Vec<f64> = (0..1 << 20).map(f64::from).collect();
    let mut out = vec![0i32; 1 << 20];
    for (mode, rounds) in [(Mode::Checked, 2), (Mode::Saturating, 1)] {
        let (calls, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let hook = |progress: Progress| {
            assert_eq!(progress.bytes, rounds * (4 << 20));
            calls.fetch_add(1, Ordering::Relaxed);
            most.fetch_max(progress.bytes_done, Ordering::Relaxed);
            ControlFlow::Continue(())
        };
        let options = CopyOptions {
            mode,
            progress: Some(&hook),
            threads: Threads::AtMost(2),
            ..CopyOptions::default()
        };
        let report =
            options.convert(&mut ViewMut::from_slice(&mut out), &View::from_slice(&numbers)).unwrap();
        assert_eq!((calls.into_inner(), most.into_inner()), (rounds * report.parts, rounds * (4 << 20)));
        assert_eq!(out[1000..1003], [1000, 1001, 1002]);
    }
    out.fill(-1);
    let stop = |_: Progress| ControlFlow::Break(());
    let options = CopyOptions { progress: Some(&stop), threads: Threads::ONE, ..CopyOptions::default() };
    let error = options.convert(&mut ViewMut::from_slice(&mut out), &View::from_slice(&numbers)).unwrap_err();
    assert_eq!(error.kind(), &CopyErrorKind::Cancelled { done: 1, parts: 8 });
    assert!(out.iter().all(|&x| x == -1), "stopped while it checked, before anything was written");
}

#[test]
fn padding_of_fresh_memory_is_zero() {
    let window = records("<T{B:a:f:b:}", vec![1, 0, 0, 128, 63]);
    let made = to_contiguous_as(&window.view(), &Format::parse("<T{B:a:3xd:b:}").unwrap(), Order::C).unwrap();
    assert_eq!(to_vec(&made.view(), Order::C).unwrap()[..4], [1, 0, 0, 0]);
}

#[test]
fn a_conversion_and_a_copy_of_equal_formats_are_one() {
    let numbers = [1u32, 2, 3];
    let (mut a, mut b) = ([0u32; 3], [0u32; 3]);
    let one = convert(&mut ViewMut::from_slice(&mut a), &View::from_slice(&numbers)).unwrap();
    let other = copy(&mut ViewMut::from_slice(&mut b), &View::from_slice(&numbers)).unwrap();
    assert_eq!((a, one), (b, other));
}

#[test]
fn plans_and_columns_that_cannot_be_say_why() {
    let parse = |text: &str| Format::parse(text).unwrap();
    let row = |format: &Format| Layout::contiguous(format.itemsize(), &[4], Order::C).unwrap();
    let plan = |dst: (&Layout, &Format), src: (&Layout, &Format)| {
        ViewPlan::of(dst, src, CopyOptions::default()).unwrap_err().kind().clone()
    };
    // A layout of other items than the format's, on either side.
    let (short, int) = (parse("<h"), parse("<i"));
    let wrong = CopyErrorKind::Itemsize { dst: 4, src: 2 };
    assert_eq!(plan((&row(&int), &short), (&row(&short), &short)), wrong);
    assert_eq!(plan((&row(&short), &short), (&row(&int), &short)), wrong);
    // Fields without names meet by their places.
    let (two, three) = (parse("<hi"), parse("<hif"));
    let missing = CopyErrorKind::MissingField { name: "#2".into() };
    assert_eq!(plan((&row(&three), &three), (&row(&two), &two)), missing);
    let extra = CopyErrorKind::ExtraField { name: "#2".into() };
    assert_eq!(plan((&row(&two), &two), (&row(&three), &three)), extra);
    // No field of a record that holds an object becomes a column, and none of its columns is asked for.
    let text = "T{O:object:h:number:}";
    let mut objects = records(text, vec![0; 2 * parse(text).itemsize()]);
    assert_eq!(to_columns(&objects.view(), Order::C).unwrap_err().kind(), &CopyErrorKind::Objects);
    let error = from_columns(&mut objects.view_mut().unwrap(), &[] as &[(&str, View<'_>)]).unwrap_err();
    assert_eq!(error.kind(), &CopyErrorKind::Objects);
}
