//! What the macro writes agrees with the compiler, for every representation it takes.

#![allow(clippy::multiple_bound_locations)] // on purpose: bounds in both places reach the macro

use std::marker::PhantomData;
use std::mem::offset_of;

use bytemuck::{AnyBitPattern, CheckedBitPattern, Pod, Zeroable};
use extbuf_format::{Element, Format, FormatErrorKind};

#[derive(Clone, Copy, Debug, PartialEq, AnyBitPattern, Element)]
#[repr(C)]
struct Padded {
    tag: u8,
    value: f64,
    xyz: [[i16; 3]; 2],
    last: u8,
}

#[derive(Clone, Copy, Zeroable, Pod, Element)]
#[repr(C, packed)]
struct Packed {
    tag: u8,
    value: i32,
    wide: u64,
}

#[derive(Clone, Copy, Zeroable, Pod, Element)]
#[repr(C, packed(2))]
struct Packed2 {
    a: u8,
    b: u8,
    c: u32,
}

#[derive(Clone, Copy, AnyBitPattern, Element)]
#[repr(C)]
struct Nested {
    first: u8,
    inner: Padded,
    packed: Packed,
    pairs: [Packed; 2],
}

#[derive(Clone, Copy, Zeroable, Pod, Element)]
#[repr(transparent)]
struct Metres(f32);

#[derive(Clone, Copy, Zeroable, Pod, Element)]
#[repr(C)]
struct Pair(i32, Metres);

#[derive(Clone, Copy, CheckedBitPattern, Element)]
#[repr(C)]
struct Flags {
    set: bool,
    r#type: u8,
}

#[derive(Clone, Copy, CheckedBitPattern, Element)]
#[repr(u16)]
#[allow(dead_code)]
enum Level {
    Low = 1,
    High = 2,
}

#[derive(Clone, Copy, AnyBitPattern, Element)]
#[repr(C, align(16))]
struct Aligned {
    x: u8,
}

/// Generic over what the bounds make an element; bytemuck's derive takes such a type when it is packed.
#[derive(Clone, Copy, Zeroable, Pod, Element)]
#[repr(C, packed)]
struct Measure<T: Element + Pod, U: Pod + Element = u8>
where
    T: PartialEq,
{
    value: T,
    unit: U,
    kind: PhantomData<U>,
}

#[test]
fn offsets_are_those_of_the_compiler() {
    let offsets: Vec<_> =
        Padded::FORMAT.fields().map(|f| (f.name().unwrap().to_owned(), f.offset())).collect();
    let expected = [
        ("tag", offset_of!(Padded, tag)),
        ("value", offset_of!(Padded, value)),
        ("xyz", offset_of!(Padded, xyz)),
        ("last", offset_of!(Padded, last)),
    ];
    assert_eq!(offsets, expected.map(|(name, offset)| (name.to_owned(), offset)));
    assert_eq!(Padded::FORMAT.itemsize(), size_of::<Padded>());
    assert_eq!(Padded::FORMAT.alignment(), align_of::<Padded>());
}

#[test]
fn texts_read_back() {
    for (format, text, size) in [
        (Padded::FORMAT, "T{B:tag:d:value:(2,3)h:xyz:B:last:}", size_of::<Padded>()),
        (Packed::FORMAT, "T{B:tag:^i:value:Q:wide:}", 13),
        (Packed2::FORMAT, "T{B:a:B:b:^I:c:}", 6),
        (Metres::FORMAT, "f", 4),
        (Pair::FORMAT, "T{if}", 8),
        (Flags::FORMAT, "T{?:set:B:type:}", 2),
        (Level::FORMAT, "H", 2),
        (Aligned::FORMAT, "T{B:x:15x}", 16),
    ] {
        let printed = format.to_string();
        assert_eq!(Format::parse(&printed).unwrap(), format, "{printed}");
        assert_eq!(Format::parse(text).unwrap(), format, "{printed}");
        assert_eq!(format.itemsize(), size);
    }
    let nested = Nested::FORMAT;
    assert_eq!(Format::parse(&nested.to_string()).unwrap(), nested, "{nested}");
    assert_eq!(nested.itemsize(), size_of::<Nested>());
    let (offset, wide) = nested.field("pairs[1].wide").unwrap();
    assert_eq!(offset, offset_of!(Nested, pairs) + 13 + 5);
    assert_eq!(wide, u64::FORMAT);
}

#[test]
fn formats_match_the_types_they_came_from_and_no_others() {
    Format::parse("T{B:tag:7xd:value:(2,3)h:xyz:B:last:3x}").unwrap().matches::<Padded>().unwrap();
    Format::parse("if").unwrap().matches::<Pair>().unwrap();

    let packed = Format::parse("=T{B:tag:d:value:(2,3)h:xyz:B:last:}").unwrap();
    let error = packed.matches::<Padded>().unwrap_err();
    assert_eq!(error.kind(), FormatErrorKind::Offset { format: 1, rust: 8 });
    assert_eq!(error.path(), Some("value"));

    let deep = Nested::FORMAT.to_string().replacen("d:value:", "q:value:", 1);
    let error = Format::parse(&deep).unwrap().matches::<Nested>().unwrap_err();
    assert_eq!(error.path(), Some("inner.value"));
    assert_eq!(error.to_string(), "field \"inner.value\": signed integer in the format, float in the type");
}

#[test]
fn constants_cost_nothing() {
    const FORMAT: Format = Nested::FORMAT;
    assert_eq!(FORMAT, Nested::FORMAT);
}

#[test]
fn generics_follow_their_parameters() {
    assert_eq!(<Measure<f64>>::FORMAT, Format::parse("T{^d:value:B:unit:}").unwrap());
    assert_eq!(<Measure<i16, u32>>::FORMAT, Format::parse("T{^h:value:I:unit:}").unwrap());
}

#[test]
fn what_must_not_compile() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/pass.rs");
    cases.compile_fail("tests/ui/fail_*.rs");
}

/// What the derived code names for itself stands in no one's way.
#[test]
fn a_type_may_be_called_what_it_likes_and_so_may_its_fields_types() {
    #[derive(Clone, Copy, Pod, Zeroable, Element)]
    #[repr(C)]
    struct Layout {
        a: u8,
        b: u8,
    }
    #[derive(Clone, Copy, Pod, Zeroable, Element)]
    #[repr(C)]
    struct Node {
        layout: Layout,
        run: u16,
    }
    assert_eq!(Node::FORMAT.to_string(), "T{T{B:a:B:b:}:layout:H:run:}");
}
