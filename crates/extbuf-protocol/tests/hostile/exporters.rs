//! Exporters that lie about length, change their answers or go early, and views asked for what is not there.

use std::sync::atomic::{AtomicUsize, Ordering};

use extbuf_format::Format;
use extbuf_layout::{Layout, s};
use extbuf_protocol::{Buffer, Export, Exporter, Memory, RefusalKind, Request, Rows, View, ViewMut, Window};

use crate::kit::{Shifty, line};

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
    let twice = Layout::strided(1, &[2], &[0], 0).unwrap();
    assert_eq!(lend(&twice), Err(RefusalKind::ItemsOverlap { axis: 0, stride: 0, span: 1 }));
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
