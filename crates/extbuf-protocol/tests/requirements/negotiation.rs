//! What a consumer asks for, and what it may rely on.

use extbuf_format::{Element, Format};
use extbuf_layout::{Layout, Order};
use extbuf_protocol::{Access, Array, Exporter, Memory, Nested, RefusalKind, Request, Rows, View};

/// Every consistent set of flags for reading.
fn requests() -> impl Iterator<Item = Request> {
    (0..0x200).filter_map(|bits| Request::from_bits(bits).ok()).filter(|request| !request.wants_writable())
}

/// Memory of each kind, by its name.
fn offers() -> Vec<(&'static str, Box<dyn Exporter<'static>>)> {
    let block = |layout: Layout| -> Box<dyn Exporter<'static>> {
        let memory = Memory::from_vec((0u8..12).collect::<Vec<_>>());
        Box::new(Array::new(memory, layout, u8::FORMAT).unwrap())
    };
    let rows = || Rows::from_vecs(vec![vec![1u8, 2, 3], vec![4, 5, 6]], &[3]).unwrap();
    let nested = Nested::new(vec![rows().window(Request::FULL_RO).unwrap()], &[1]).unwrap();
    vec![
        ("C", block(Layout::contiguous(1, &[3, 4], Order::C).unwrap())),
        ("F", block(Layout::contiguous(1, &[3, 4], Order::F).unwrap())),
        ("strided", block(Layout::strided(1, &[3, 2], &[4, 2], 0).unwrap())),
        ("backwards", block(Layout::strided(1, &[12], &[-1], 11).unwrap())),
        ("one item", block(Layout::contiguous(1, &[1, 1], Order::C).unwrap())),
        ("no axes", block(Layout::contiguous(1, &[], Order::C).unwrap())),
        ("no items", block(Layout::contiguous(1, &[0, 4], Order::C).unwrap())),
        ("rows", Box::new(rows())),
        ("nested", Box::new(nested)),
    ]
}

/// Whether the items follow each other in memory when they are counted in this order.
fn one_run(view: &View<'_>, order: Order) -> bool {
    let addresses: Vec<_> =
        view.layout().indices(order).map(|index| view.item(&index).unwrap().as_ptr().addr()).collect();
    addresses.windows(2).all(|pair| pair[1] == pair[0] + view.itemsize())
}

#[test]
fn r19_one_plain_run_of_bytes_is_given_or_refused() {
    let mut given = Vec::new();
    for (name, offer) in offers() {
        match offer.export(Request::SIMPLE) {
            Ok(export) => {
                assert_eq!(export.view().as_bytes().unwrap().len(), export.view().nbytes());
                given.push(name);
            }
            Err(refused) => {
                assert!(
                    matches!(refused.kind(), RefusalKind::Strided | RefusalKind::Indirect { .. }),
                    "{name}"
                );
            }
        }
    }
    assert_eq!(given, ["C", "one item", "no axes", "no items"]);
}

#[test]
fn r20_the_answer_may_be_simpler_than_asked_and_never_more_complex() {
    // From the simplest memory, every request is granted; and who grants one grants every request that takes more.
    let takes_more = |less: Request, more: Request| less.and(more) == more;
    for (name, offer) in offers() {
        let granted: Vec<_> = requests().filter(|&request| offer.export(request).is_ok()).collect();
        if ["one item", "no axes", "no items"].contains(&name) {
            assert_eq!(granted.len(), requests().count(), "{name}");
        }
        for request in &granted {
            let grant = offer.export(*request).unwrap().grant();
            let asked = |flag: Request| takes_more(flag, *request);
            assert!(!grant.loads || asked(Request::INDIRECT), "{name}");
            assert!(!grant.strides || asked(Request::STRIDES), "{name}");
            assert!(!grant.shape || asked(Request::ND), "{name}");
            assert!(!grant.format || asked(Request::ND.with_format()), "{name}");
            // Plain strides are refused to nobody who takes pointers.
            assert!(offer.export(Request::FULL_RO).is_ok());
        }
    }
}

#[test]
fn r21_what_was_granted_holds_without_a_look_at_every_field() {
    let mut checked = 0;
    for (name, offer) in offers() {
        for request in requests() {
            let Ok(export) = offer.export(request) else { continue };
            let view = export.view();
            let asked = |flag: Request| flag.and(request) == request;
            if asked(Request::C_CONTIGUOUS) || !asked(Request::STRIDES) {
                assert!(one_run(&view, Order::C), "{name} {request:?}");
            }
            if asked(Request::F_CONTIGUOUS) {
                assert!(one_run(&view, Order::F), "{name} {request:?}");
            }
            if asked(Request::ANY_CONTIGUOUS) {
                assert!(one_run(&view, Order::C) || one_run(&view, Order::F), "{name} {request:?}");
            }
            assert!(asked(Request::INDIRECT) || view.layout().is_direct(), "{name} {request:?}");
            checked += 1;
        }
    }
    assert!(checked > 100, "{checked}");
}

#[test]
fn r22_writing_is_asked_for_and_refused_when_the_memory_is_acquired() {
    let bytes = [1u8, 2];
    for request in requests() {
        let refused = (&bytes[..]).export(request.writable()).map(drop).unwrap_err();
        assert_eq!(refused.kind(), &RefusalKind::ReadOnly, "{request:?}");
    }
    // Who did not ask does not write, though the memory could be written.
    let array = Array::of::<u8>(Memory::from_vec(vec![1u8, 2]), &[2]).unwrap();
    let mut window = array.window(Request::FULL_RO).unwrap();
    assert_eq!(window.view_mut().unwrap_err().kind(), &RefusalKind::ReadOnly);
    drop(window);
    assert!(array.window(Request::FULL).unwrap().view_mut().is_ok());
}

#[test]
fn r23_to_take_pointers_is_to_take_strides() {
    assert_eq!(Request::INDIRECT.and(Request::STRIDES), Request::INDIRECT);
    assert!(matches!(
        Request::from_bits(0x100).unwrap_err().kind(),
        RefusalKind::BadRequest { bits: 0x100, .. }
    ));
    let rows = Rows::from_vecs(vec![vec![1u8, 2]; 2], &[2]).unwrap();
    let grant = rows.export(Request::INDIRECT).unwrap().grant();
    assert!(grant.loads && grant.strides && grant.shape);
}

#[test]
fn r27_memory_is_pinned_without_a_description() {
    let array = Array::of::<u16>(Memory::from_vec(vec![1u16, 2]), &[2]).unwrap();
    let lease = array.memory().lease(Access::Read).unwrap();
    assert_eq!((lease.len(), array.memory().live()), (4, 1));
    drop(lease);
    for (name, offer) in offers() {
        let held = offer.export(Request::PIN).unwrap();
        let grant = held.grant();
        assert!(!(grant.format || grant.shape || grant.strides || grant.loads), "{name}");
    }
}

#[test]
fn r53_a_consumer_takes_one_model_of_memory_or_the_other_or_both() {
    let sum = |exporter: &dyn Exporter<'_>, request| -> Option<u32> {
        let export = exporter.export(request).ok()?;
        let view = export.view();
        Some(view.layout().indices(Order::C).map(|index| u32::from(view.get::<u8>(&index).unwrap())).sum())
    };
    let strided = Array::of::<u8>(Memory::from_vec(vec![1u8, 2, 3, 4]), &[2, 2]).unwrap();
    let pointers = Rows::from_vecs(vec![vec![1u8, 2], vec![3, 4]], &[2]).unwrap();
    assert_eq!((sum(&strided, Request::STRIDES), sum(&pointers, Request::STRIDES)), (Some(10), None));
    assert_eq!((sum(&strided, Request::INDIRECT), sum(&pointers, Request::INDIRECT)), (Some(10), Some(10)));
    assert_eq!(Format::bytes(), *pointers.format());
}
