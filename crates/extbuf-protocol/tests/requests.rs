//! `Request::check` against what CPython's own exporter answers, for every consistent set of flags.
//!
//! The table was printed by `tests/python/test_requests.py` under CPython 3.11; that test compares it with the
//! interpreter at hand.

use extbuf_format::Format;
use extbuf_layout::{Layout, LayoutSpec, LevelSpec, Order};
use extbuf_protocol::{Access, Array, Exporter, Memory, Nested, RefusalKind, Request, Rows};

const TABLE: &str = include_str!("data/requests.txt");

/// The memory that the table's names stand for: one-byte items.
fn with_exporter(kind: &str, access: &str, f: impl FnOnce(&dyn Exporter<'_>)) {
    let layout = match kind {
        "c_2d" => Layout::contiguous(1, &[2, 3], Order::C),
        "f_2d" => Layout::contiguous(1, &[2, 3], Order::F),
        "one_d" => Layout::contiguous(1, &[6], Order::C),
        "strided_1d" => Layout::strided(1, &[3], &[2], 0),
        "reversed_1d" => Layout::strided(1, &[6], &[-1], 5),
        "scalar" => Layout::contiguous(1, &[], Order::C),
        "one_item" => Layout::contiguous(1, &[1], Order::C),
        "zero_items" => Layout::strided(1, &[0, 3], &[3, 1], 0),
        "unit_axis" => Layout::strided(1, &[1, 6], &[77, 1], 0),
        "pil_2d" => {
            let rows = [&[0u8, 1, 2][..], &[3, 4, 5]];
            return match access {
                "read" => f(&Rows::from_slices(&rows, &[3]).unwrap()),
                _ => f(&Rows::from_vecs(rows.map(Vec::from).into(), &[3]).unwrap()),
            };
        }
        _ => panic!("the table has a kind that this test does not know: {kind}"),
    };
    let mut bytes = [0u8, 1, 2, 3, 4, 5];
    let copy = bytes;
    let (layout, format) = (layout.unwrap(), Format::bytes());
    match access {
        "read" => f(&ReadOnly { bytes: &copy, layout, format }),
        _ => f(&Array::new(Memory::from_slice_mut(&mut bytes), layout, format).unwrap()),
    }
}

/// A block that may not be written, under any layout.
struct ReadOnly<'m> {
    bytes: &'m [u8],
    layout: Layout,
    format: Format,
}

impl<'m> Exporter<'m> for ReadOnly<'m> {
    fn export(&self, request: Request) -> Result<extbuf_protocol::Export<'m, '_>, extbuf_protocol::Refusal> {
        let lease = extbuf_protocol::Lease::from_slice(self.bytes);
        extbuf_protocol::Export::new(lease, &self.layout, &self.format, request)
    }
}

#[test]
fn every_request_on_every_kind_of_memory_is_answered_as_cpython_does() {
    let mut lines = TABLE.lines();
    let requests: Vec<u32> = lines
        .next()
        .and_then(|line| line.strip_prefix("requests "))
        .expect("the table opens with the requests")
        .split(' ')
        .map(|bits| u32::from_str_radix(bits, 16).unwrap())
        .collect();
    let mut cases = 0;
    for line in lines {
        let [kind, access, answers] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        assert_eq!(answers.len(), requests.len(), "{kind} {access}");
        with_exporter(kind, access, |exporter| {
            for (&bits, answer) in requests.iter().zip(answers.chars()) {
                let export = exporter.export(Request::from_bits(bits).unwrap());
                let given = export.as_ref().ok().map(|export| {
                    let (grant, axes) = (export.grant(), export.layout().ndim() > 0);
                    u32::from(grant.format)
                        | u32::from(grant.shape && axes) << 1
                        | u32::from(grant.strides && axes) << 2
                        | u32::from(grant.loads) << 3
                });
                assert_eq!(given, answer.to_digit(16), "{kind} {access} {bits:#05x}: {export:?}");
                cases += 1;
            }
        });
    }
    assert_eq!(cases, 20 * requests.len());
    println!("{cases} requests answered as CPython does");
}

#[test]
fn exactly_the_consistent_sets_can_be_built_from_bits() {
    let first = TABLE.lines().next().unwrap();
    let consistent: Vec<u32> =
        first.split(' ').skip(1).map(|bits| u32::from_str_radix(bits, 16).unwrap()).collect();
    for bits in 0..0x1000 {
        match Request::from_bits(bits) {
            Ok(request) => {
                assert!(consistent.contains(&bits), "{bits:#05x}");
                assert_eq!(request.bits(), bits);
            }
            Err(refusal) => {
                assert!(!consistent.contains(&bits), "{bits:#05x}");
                assert!(matches!(refusal.kind(), RefusalKind::BadRequest { bits: b, .. } if *b == bits));
            }
        }
    }
}

#[test]
fn what_the_builders_build_is_consistent() {
    let bases = [
        Request::SIMPLE,
        Request::ND,
        Request::STRIDES,
        Request::C_CONTIGUOUS,
        Request::F_CONTIGUOUS,
        Request::ANY_CONTIGUOUS,
        Request::INDIRECT,
    ];
    for a in bases {
        for b in bases {
            for request in [a.and(b), a.and(b).writable(), a.with_format().and(b), b.writable().with_format()]
            {
                assert_eq!(Request::from_bits(request.bits()), Ok(request));
            }
        }
    }
    assert_eq!(Request::FULL.access(), Access::Write);
    assert_eq!(Request::FULL_RO.access(), Access::Read);
}

/// The consistent sets of Python's flags.
fn consistent() -> impl Iterator<Item = Request> {
    let first = TABLE.lines().next().unwrap();
    first.split(' ').skip(1).map(|bits| Request::from_bits(u32::from_str_radix(bits, 16).unwrap()).unwrap())
}

/// Memory at a multiple of 16 and `offset` bytes more, as items of a format: one block, and rows of two items.
fn with_offers(format: &str, offset: usize, stride: usize, f: impl Fn(&dyn Exporter<'_>)) {
    let format = Format::parse(format).unwrap();
    let (itemsize, stride) = (format.itemsize(), stride as isize);
    let memory = Memory::from_mut::<u128>([0u128; 8]);
    let line = |items, offset| Layout::strided(itemsize, &[items], &[stride], offset).unwrap();
    let block = Array::new(memory.clone(), line(3, offset as isize), format.clone()).unwrap();
    f(&block);
    // The second row lies elsewhere than the first, and is the one that may lie badly.
    let row = |at| {
        let memory = Memory::from_ref::<u128>([0u128; 4]);
        Array::new(memory, line(2, at), format.clone()).unwrap().window(Request::FULL_RO).unwrap()
    };
    f(&Nested::new(vec![row(0), row(offset as isize)], &[2]).unwrap());
}

/// Whether all items lie at multiples of `alignment`, one by one.
fn all_aligned(exporter: &dyn Exporter<'_>, alignment: usize) -> bool {
    let export = exporter.export(Request::FULL_RO).unwrap();
    let view = export.view();
    export.layout().indices(Order::C).all(|index| view.item(&index).unwrap().as_ptr().addr() % alignment == 0)
}

#[test]
fn aligned_is_one_promise_more_for_every_request_on_every_kind_of_memory() {
    let (mut granted, mut misaligned) = (0, 0);
    for (format, alignment) in
        [("B", 1), ("@H", 2), ("@d", align_of::<f64>()), ("=d", 1), ("T{@H:a:B:b:}", 2), ("<q", 1), ("0s", 1)]
    {
        for offset in 0..9 {
            for stride in [0usize, 1, 2, 8, 12, 16] {
                with_offers(format, offset, stride, |exporter| {
                    assert_eq!(
                        exporter.export(Request::FULL_RO).unwrap().format().alignment(),
                        alignment,
                        "{format}"
                    );
                });
                let itemsize = Format::parse(format).unwrap().itemsize();
                let counts = std::cell::Cell::new((0, 0));
                with_offers(format, offset, stride, |exporter| {
                    let aligned = itemsize == 0 || all_aligned(exporter, alignment);
                    for request in consistent().chain([Request::PIN, Request::PIN.writable()]) {
                        let plain = exporter.export(request).map(|export| export.grant());
                        let more = exporter.export(request.aligned()).map(|export| export.grant());
                        let (yes, no) = counts.get();
                        match (plain, more) {
                            (Err(plain), Err(more)) => assert_eq!(plain, more),
                            (Ok(plain), Ok(more)) => {
                                assert!(
                                    aligned && more.aligned && !plain.aligned,
                                    "{format} {offset} {stride}"
                                );
                                assert_eq!((plain.shape, plain.loads), (more.shape, more.loads));
                                counts.set((yes + 1, no));
                            }
                            (Ok(_), Err(more)) => {
                                let kind = more.kind();
                                assert!(!aligned, "{format} {offset} {stride}: {more}");
                                assert!(matches!(kind, RefusalKind::Misaligned { needed, found }
                                    if *needed == alignment && found < needed));
                                counts.set((yes, no + 1));
                            }
                            (Err(_), Ok(_)) => panic!("more was granted where less is refused"),
                        }
                    }
                });
                granted += counts.get().0;
                misaligned += counts.get().1;
            }
        }
    }
    assert!(granted > 1000 && misaligned > 1000, "{granted} granted, {misaligned} misaligned");
    println!("{granted} aligned requests granted, {misaligned} refused");
}

#[test]
fn to_pin_is_granted_by_every_kind_of_memory_and_promises_nothing() {
    for line in TABLE.lines().skip(1) {
        let [kind, access, _] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        with_exporter(kind, access, |exporter| {
            let grant = exporter.export(Request::PIN).unwrap().grant();
            assert_eq!(
                (grant.writable, grant.format, grant.shape, grant.strides, grant.loads, grant.aligned),
                (false, false, false, false, false, false)
            );
            let held = exporter.export(Request::PIN.writable());
            assert_eq!(held.is_ok(), access == "write");
        });
    }
}

#[test]
fn what_python_has_no_bit_for_is_combined_and_has_none() {
    for request in consistent() {
        assert_eq!(request.aligned().bits(), request.bits());
        assert!(request.aligned().wants_aligned() && !request.wants_aligned());
        assert_eq!(request.aligned().and(request), request.aligned());
        // Who asks for a description does not merely pin.
        let both = request.and(Request::PIN);
        let describes = request.bits() & 0x008 != 0;
        assert_eq!(both, if describes { request } else { Request::PIN.and(request) });
        assert_eq!(both.access(), request.access());
    }
    assert_eq!(Request::PIN.with_format(), Request::ND.with_format());
    assert_eq!(Request::PIN.bits(), 0);
    assert!(Request::from_bits(0x1_0000).is_err() && Request::from_bits(0x2_0000).is_err());
    assert_eq!(format!("{:?}", Request::PIN.aligned().writable()), "Request(PIN | ALIGNED | WRITABLE)");
}

#[test]
fn a_layout_with_loads_is_not_lent_by_the_safe_constructor() {
    let layout = Layout::new(&LayoutSpec {
        itemsize: 1,
        shape: &[1],
        levels: &[LevelSpec { offset: 0, strides: &[8] }, LevelSpec { offset: 0, strides: &[0] }],
    })
    .unwrap();
    let refused = Array::new(Memory::from_vec(vec![0u8; 64]), layout, Format::bytes()).unwrap_err();
    assert_eq!(refused.kind(), &RefusalKind::UnprovenLoads { loads: 1 });
}

#[test]
fn a_layout_that_leaves_the_block_by_one_byte_is_refused_with_the_numbers() {
    let format = || Format::parse("<i").unwrap();
    let fits = |bytes: usize, strides: isize, offset: isize| {
        let layout = Layout::strided(4, &[5], &[strides], offset).unwrap();
        Array::new(Memory::from_vec(vec![0u8; bytes]), layout, format()).map(drop)
    };
    assert!(fits(20, 4, 0).is_ok());
    assert_eq!(fits(19, 4, 0).unwrap_err().kind(), &RefusalKind::OutOfBlock { reached: 0..20, block: 19 });
    assert!(fits(20, -4, 16).is_ok());
    assert_eq!(fits(20, -4, 15).unwrap_err().kind(), &RefusalKind::OutOfBlock { reached: -1..19, block: 20 });
}

#[test]
fn items_that_overlap_are_not_lent_for_writing() {
    let layout = Layout::strided(4, &[2], &[2], 0).unwrap();
    let array = Array::new(Memory::from_vec(vec![0u8; 6]), layout, Format::parse("<i").unwrap()).unwrap();
    assert!(array.export(Request::FULL_RO).is_ok());
    assert_eq!(
        array.export(Request::FULL).unwrap_err().kind(),
        &RefusalKind::ItemsOverlap { axis: 0, stride: 2, span: 4 }
    );
}
