//! Values: the two roads from bytes to values agree, what is read can be written, and Rust types come out
//! right in both byte orders.

use extbuf_format::{Codec, Element, Format, FormatErrorKind as K, Transcode, Value};
use extbuf_testkit::format_texts::{grammar, text};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    /// The compiled program and the walk over the tree give the same value or the same error, and pack to the
    /// same bytes.
    #[test]
    fn compiled_and_walked_agree(choices in prop::collection::vec(any::<u8>(), 0..80), bytes in prop::collection::vec(any::<u8>(), 512)) {
        let format = Format::parse(&text(&grammar("pep3118"), &choices)).unwrap();
        prop_assume!(format.itemsize() <= bytes.len());
        let item = &bytes[..format.itemsize()];
        let codec = Codec::new(&format).unwrap();
        let (walked, compiled) = (format.unpack(item), codec.unpack_from(&bytes, 0));
        match (walked, compiled) {
            (Ok(a), Ok(b)) => {
                prop_assert_eq!(a.to_string(), b.to_string());
                let (mut first, mut second) = (vec![1; item.len()], vec![2; item.len()]);
                format.pack(&a, &mut first).unwrap();
                codec.pack_into(&a, &mut second, 0).unwrap();
                prop_assert_eq!(&first, &second);
                prop_assert_eq!(format.unpack(&first).unwrap().to_string(), a.to_string());
            }
            (Err(a), Err(b)) => prop_assert_eq!(a.kind(), b.kind()),
            (a, b) => prop_assert!(false, "{:?} and {:?}", a, b),
        }
    }
}

#[test]
fn rust_values_come_out_in_native_order() {
    let bytes = [0x01, 0x02, 0x03, 0x04, 0xff, 0xff, 0xff, 0xfe];
    let read = |text: &str| Codec::new(&Format::parse(text).unwrap()).unwrap().read::<i32>(&bytes).unwrap();
    assert_eq!(read(">i"), [0x0102_0304, -2]);
    assert_eq!(read("<i"), [0x0403_0201, -0x0100_0001]);
    let codec = Codec::new(&Format::parse(">i").unwrap()).unwrap();
    let mut values = [0; 2];
    codec.read_into::<i32>(&bytes, &mut values).unwrap();
    assert_eq!(values, [0x0102_0304, -2]);
    let mut again = [0; 8];
    codec.write::<i32>(&values, &mut again).unwrap();
    assert_eq!(again, bytes);
    assert_eq!(
        codec.read_into::<i32>(&bytes, &mut [0; 3]).unwrap_err().kind(),
        K::Length { needed: 8, got: 12 }
    );
    let pairs = Codec::new(&Format::parse(">HxB").unwrap()).unwrap();
    assert_eq!(pairs.read::<u16>(&[0; 4]).unwrap_err().kind(), K::FieldCount { format: 2, rust: 1 });
}

#[test]
fn a_byte_that_is_no_bool_is_an_error() {
    let codec = Codec::new(&Format::parse("?").unwrap()).unwrap();
    assert_eq!(codec.read::<bool>(&[0, 1]).unwrap(), [false, true]);
    let error = codec.read::<bool>(&[0, 2]).unwrap_err();
    assert!(matches!(error.kind(), K::WrongValue { .. }));
    // As a value any byte but zero is true, as in the struct module.
    assert_eq!(Format::parse("?").unwrap().unpack(&[2]).unwrap(), Value::Bool(true));
}

#[test]
fn only_the_same_kind_of_value_is_taken() {
    for (text, kind) in [
        ("d", K::Type { format: "float", rust: "signed integer" }),
        ("i", K::Size { format: 4, rust: 8 }),
        ("8s", K::FieldCount { format: 8, rust: 1 }),
        ("Q", K::Type { format: "unsigned integer", rust: "signed integer" }),
    ] {
        let plan = Transcode::new(&Format::parse(text).unwrap(), &i64::FORMAT);
        assert_eq!(plan.unwrap_err().kind(), kind, "{text}");
    }
    assert!(Format::parse("4s").unwrap().matches::<[u8; 4]>().is_err());
    assert!(Format::parse("c").unwrap().matches::<char>().is_err());
    assert!(Format::parse("4B").unwrap().matches::<[u8; 4]>().is_err());
    Format::parse("(4)B").unwrap().matches::<[u8; 4]>().unwrap();
}

#[test]
fn not_a_numbers_keep_their_bits() {
    for bits in [0x7f80_0001u32, 0xffc1_2345, 0x7fbf_ffff] {
        let format = Format::parse("<f").unwrap();
        let value = format.unpack(&bits.to_le_bytes()).unwrap();
        let mut again = [0; 4];
        format.pack(&value, &mut again).unwrap();
        assert_eq!(u32::from_le_bytes(again), bits);
    }
}

#[test]
fn integers_out_of_range_are_refused_with_the_code() {
    for (text, value, size) in [
        ("b", Value::Int(128), 1),
        ("b", Value::Int(-129), 1),
        ("B", Value::Int(-1), 1),
        ("<H", Value::UInt(65536), 2),
        ("<q", Value::UInt(1 << 63), 8),
        ("<Q", Value::Int(-1), 8),
        ("3t", Value::UInt(8), 3),
        ("<e", Value::Float(65520.0), 2),
        ("<f", Value::Float(1e39), 4),
    ] {
        let format = Format::parse(text).unwrap();
        let error = format.pack(&value, &mut vec![0; format.itemsize()]).unwrap_err();
        assert!(matches!(error.kind(), K::OutOfRange { size: s, .. } if s == size), "{text} {error}");
    }
    for (text, value) in [("B", Value::Int(255)), ("<q", Value::Int(i64::MIN)), ("<e", Value::Float(65519.9))]
    {
        let format = Format::parse(text).unwrap();
        format.pack(&value, &mut vec![0; format.itemsize()]).unwrap();
    }
}

#[test]
#[allow(clippy::unusual_byte_groupings)] // grouped by field
fn bit_fields_share_bytes_in_both_orders() {
    let value = Value::Tuple(vec![Value::UInt(0b101), Value::UInt(0b11), Value::UInt(0x155)]);
    let little = Format::parse("<3t2t10t").unwrap();
    let mut bytes = [0; 2];
    little.pack(&value, &mut bytes).unwrap();
    // Least significant bit first: 101, then 11, then 10 bits that cross into the second byte.
    assert_eq!(bytes, [0b101_11_101, 0b0_0101010]);
    assert_eq!(little.unpack(&bytes).unwrap(), value);
    let big = Format::parse(">3t2t10t").unwrap();
    big.pack(&value, &mut bytes).unwrap();
    assert_eq!(bytes, [0b101_11_010, 0b1010101_0]);
    assert_eq!(big.unpack(&bytes).unwrap(), value);
    assert_eq!(little.itemsize(), 2);
    assert_eq!(Format::parse("3tB5t").unwrap().itemsize(), 3);
}

#[test]
fn text_and_strings_follow_their_rules() {
    let unpack = |text: &str, bytes: &[u8]| Format::parse(text).unwrap().unpack(bytes);
    assert_eq!(unpack("4p", b"\x02abc").unwrap(), Value::Bytes(b"ab".to_vec()));
    assert_eq!(unpack("3p", b"\xffab").unwrap(), Value::Bytes(b"ab".to_vec()));
    assert_eq!(unpack("0s", b"").unwrap(), Value::Bytes(vec![]));
    assert_eq!(unpack("<2w", b"\xe9\0\0\0\0\0\0\0").unwrap(), Value::Text("é".into()));
    assert_eq!(unpack("<w", b"\0\xd8\0\0").unwrap_err().kind(), K::NotText { unit: 0xd800 });
    assert_eq!(unpack(">w", b"\0\x11\0\0").unwrap_err().kind(), K::NotText { unit: 0x11_0000 });
    assert_eq!(unpack("<2u", b"\x3d\xd8\0\xde").unwrap(), Value::Text("\u{1f600}".into()));
    assert_eq!(unpack("<u", b"\x3d\xd8").unwrap_err().kind(), K::NotText { unit: 0xd83d });
    let mut bytes = [9; 3];
    Format::parse("3s").unwrap().pack(&Value::from(&b"abcdef"[..]), &mut bytes).unwrap();
    assert_eq!(&bytes, b"abc");
    Format::parse("3s").unwrap().pack(&Value::from(&b"a"[..]), &mut bytes).unwrap();
    assert_eq!(&bytes, b"a\0\0");
    let long = Format::parse("w").unwrap().pack(&Value::from("ab"), &mut [0; 4]).unwrap_err();
    assert_eq!(long.kind(), K::ValueCount { expected: 1, found: 2 });
}

#[test]
fn objects_are_no_values_and_errors_name_the_field() {
    let format = Format::parse("T{i:a:T{O:o:}:b:}").unwrap();
    let error = format.unpack(&vec![0; format.itemsize()]).unwrap_err();
    assert_eq!(error.kind(), K::NoValue { code: "O" });
    assert_eq!(error.path(), Some("b.o"));
    assert!(format.has_objects());
    let format = Format::parse("T{(2)T{B:x:}:p:}").unwrap();
    let one = |n| Value::Tuple(vec![Value::UInt(n)]);
    let value = Value::Tuple(vec![Value::List(vec![one(1), one(300)])]);
    let error = Codec::new(&format).unwrap().pack_into(&value, &mut [0; 2], 0).unwrap_err();
    assert_eq!(error.path(), Some("p[1].x"));
}

#[test]
fn items_without_bytes_do_not_fill_the_memory() {
    for text in ["1000000000T{}", "(1000000000)0s", "(70000)T{}", "100000T{100000T{}}"] {
        let format = Format::parse(text).unwrap();
        assert_eq!(format.itemsize(), 0);
        assert!(matches!(format.unpack(&[]).unwrap_err().kind(), K::TooManyValues { .. }), "{text}");
        assert!(matches!(Codec::new(&format).unwrap_err().kind(), K::TooManyValues { .. }), "{text}");
    }
    assert_eq!(Format::parse("T{}").unwrap().unpack(&[]).unwrap(), Value::Tuple(vec![]));
    let nothing = Codec::new(&Format::parse("T{}").unwrap()).unwrap();
    assert!(nothing.iter_unpack(&[]).is_err());
}

#[test]
fn a_name_with_another_storage_is_read_and_written_as_its_storage() {
    for text in
        [">[bfloat16;B0x]", "<[bfloat16;h]", "[bfloat16;e]", "[bfloat16;(2)B]", "[bfloat16;Q]", "[bfloat16]"]
    {
        let format = Format::parse(text).unwrap();
        let bytes: Vec<u8> =
            [0x40, 0x49, 0x0f, 0xdb, 0, 1, 2, 3].into_iter().take(format.itemsize()).collect();
        let value = format.unpack(&bytes).unwrap();
        let mut again = vec![0xaa; bytes.len()];
        format.pack(&value, &mut again).unwrap();
        assert_eq!(again, bytes, "{text}: {value}");
        let compiled = Codec::new(&format).unwrap();
        assert_eq!(compiled.unpack_from(&bytes, 0).unwrap().to_string(), value.to_string(), "{text}");
        let mut again = vec![0xaa; bytes.len()];
        compiled.pack_into(&value, &mut again, 0).unwrap();
        assert_eq!(again, bytes, "{text}: {value}, compiled");
    }
}
