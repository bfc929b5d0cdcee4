//! The faults of the book's page "What can go wrong" that concern formats, by their numbers: the inputs on which other
//! readers of such texts failed, and their neighbours. What is refused leaves no byte written.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use extbuf_format::{
    Codec, Dialect, Element, Format, FormatErrorKind as F, MAX_DEPTH, ParseErrorKind as K, Transcode, Value,
};
use proptest::prelude::*;

const MOST: usize = isize::MAX as usize;

fn parse(text: &str) -> Format {
    Format::parse(text).unwrap_or_else(|error| panic!("{}", error.render()))
}

fn refusal(text: &str) -> (K, std::ops::Range<usize>) {
    let error = Format::parse(text).expect_err(text);
    assert!(error.to_string().contains(&format!("at byte {}", error.span().start)), "{error}");
    (error.kind(), error.span())
}

/// Packs over bytes of a pattern and says what was refused; nothing may have been written then.
fn refused(text: &str, value: &Value) -> F {
    let format = parse(text);
    let mut bytes = vec![0xa5; format.itemsize()];
    let walked = format.pack(value, &mut bytes).expect_err(text);
    assert!(bytes.iter().all(|&byte| byte == 0xa5), "{text}: half of {value} was written");
    let compiled = Codec::new(&format).unwrap().pack_into(value, &mut bytes, 0).expect_err(text);
    assert!(bytes.iter().all(|&byte| byte == 0xa5), "{text}: half of {value} was written, compiled");
    assert_eq!((walked.kind(), walked.path()), (compiled.kind(), compiled.path()), "{text}");
    assert_eq!(walked.detail(), compiled.detail(), "{text}");
    walked.kind()
}

#[test]
fn fault_11_items_without_bytes_have_a_value_and_no_size() {
    for text in ["0s", "T{}", "(0)i", "0i", "0x", "(3,0)d", "(0)T{i:a:}", ""] {
        let format = parse(text);
        assert_eq!(format.itemsize(), 0, "{text:?}");
        let value = format.unpack(&[]).unwrap();
        format.pack(&value, &mut []).unwrap();
        assert_eq!(format.unpack(&[1]).unwrap_err().kind(), F::Length { needed: 0, got: 1 }, "{text:?}");
        // Nobody divides a block by an item of no bytes.
        let codec = Codec::new(&format).unwrap();
        for given in [0, 1, 8] {
            let refused = codec.iter_unpack(&[0; 8][..given]).map(drop).unwrap_err();
            assert_eq!(refused.kind(), F::NoBytes { given }, "{text:?}");
        }
    }
}

#[test]
fn fault_19_every_mark_has_its_byte_order_inside_and_after_a_record() {
    let bytes: Vec<u8> = (1..=8).collect();
    let int = |text: &str| match parse(text).unpack(&bytes[..parse(text).itemsize()]).unwrap() {
        Value::Int(value) => value,
        other => panic!("{text}: {other}"),
    };
    assert_eq!((int(">i"), int("<i"), int("!h")), (0x0102_0304, 0x0403_0201, 0x0102));
    let native = i64::from_ne_bytes(bytes.clone().try_into().unwrap());
    assert_eq!((int("=q"), int("^q")), (native, native));
    assert_eq!(parse("<d").unpack(&[0, 0, 0, 0, 0, 0, 0xf8, 0x3f]).unwrap(), Value::Float(1.5));
    // Behind a closing brace the mark from before it holds again; not so to NumPy and Cython, where it is kept on.
    for (dialect, last) in [(Dialect::Pep3118, 0x0807), (Dialect::Ctypes, 0x0807), (Dialect::NumPy, 0x0708)] {
        let mixed = Format::parse_as(dialect, "T{<h:x:T{h:a:>h:b:}:y:h:z:}").unwrap();
        let expected = format!("({}, ({}, {}), {last})", 0x0201, 0x0403, 0x0506);
        assert_eq!(mixed.unpack(&bytes).unwrap().to_string(), expected, "{dialect}");
        assert_eq!(Format::parse_as(dialect, &mixed.to_string_as(dialect).unwrap()).unwrap(), mixed);
    }
}

#[test]
fn fault_19_a_change_of_order_never_touches_padding() {
    let (from, to) = (parse(">hxxiT{b:t:xxx>d:u:}:v:xx"), parse("<hxxiT{b:t:xxx<d:u:}:v:xx"));
    let swap = Transcode::new(&from, &to).unwrap();
    let source: Vec<u8> = (1..=from.itemsize() as u8).collect();
    let mut out = vec![0xa5; to.itemsize()];
    swap.run(&source, &mut out).unwrap();
    assert_eq!(from.unpack(&source).unwrap(), to.unpack(&out).unwrap());
    let used: BTreeSet<usize> = (0..2).chain(4..8).chain([8]).chain(12..20).collect();
    for (at, byte) in out.iter().enumerate().filter(|(at, _)| !used.contains(at)) {
        assert!(*byte == 0xa5 || *byte == 0, "byte {at} of padding is {byte}, out of the source");
    }
}

#[test]
fn fault_20_bits_that_are_no_value_are_errors_or_stay_bits() {
    let bools = Codec::new(&parse("?")).unwrap();
    for byte in 2..=255u8 {
        let error = bools.read::<bool>(&[0, byte]).unwrap_err();
        assert!(matches!(error.kind(), F::WrongValue { .. }), "{byte}: {error}");
    }
    for unit in [0xd800u32, 0xdbff, 0xdc00, 0xdfff, 0x11_0000, 0xffff_ffff] {
        let error = parse("<w").unpack(&unit.to_le_bytes()).unwrap_err();
        assert_eq!(error.kind(), F::NotText { unit });
        assert_eq!(error.to_string(), format!("the unit {unit:#x} is no character"));
    }
    for unit in [0xd7ffu32, 0xe000, 0x10_ffff] {
        assert!(matches!(parse("<w").unpack(&unit.to_le_bytes()).unwrap(), Value::Text(_)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn fault_20_the_payload_of_a_nan_survives_every_way(sign: bool, payload in 1u64..(1 << 52), single in 1u32..(1 << 23), half in 1u16..(1 << 10)) {
        let double = u64::from(sign) << 63 | 0x7ff << 52 | payload;
        let float = u32::from(sign) << 31 | 0xff << 23 | single;
        let short = u16::from(sign) << 15 | 0x1f << 10 | half;
        for (text, bytes) in [
            ("<d", double.to_le_bytes().to_vec()), (">d", double.to_be_bytes().to_vec()),
            ("<f", float.to_le_bytes().to_vec()), (">f", float.to_be_bytes().to_vec()),
            ("<e", short.to_le_bytes().to_vec()), (">e", short.to_be_bytes().to_vec()),
        ] {
            let format = parse(text);
            let mut again = vec![0; bytes.len()];
            format.pack(&format.unpack(&bytes).unwrap(), &mut again).unwrap();
            prop_assert_eq!(&again, &bytes, "{}", text);
        }
    }

    /// Counts on both sides of the largest size: accepted exactly where the product, computed in 128 bits, fits.
    #[test]
    fn fault_21_a_count_is_refused_exactly_where_the_size_leaves_the_range(
        count in prop_oneof![0u128..70_000, (0u128..64, -2i128..3).prop_map(|(bit, by)| ((1i128 << bit) + by).max(0) as u128), any::<u64>().prop_map(u128::from)],
        inner in 0u128..40,
        letter in prop::sample::select(vec!['b', 'h', 'i', 'q', 's', 'x', 'w']),
    ) {
        let size = match letter { 'b' | 's' | 'x' => 1, 'h' => 2, 'i' | 'w' => 4, _ => 8 };
        let fits = |bytes: u128| bytes <= MOST as u128;
        let text = format!("={count}{letter}");
        match Format::parse(&text) {
            Ok(format) => {
                prop_assert!(fits(count * size), "{}", text);
                prop_assert_eq!(format.itemsize() as u128, count * size);
            }
            Err(error) => {
                prop_assert!(!fits(count * size), "{}", text);
                prop_assert_eq!(error.kind(), K::TooLarge { limit: MOST });
            }
        }
        let text = format!("=({inner},{count}){letter}");
        if let Ok(format) = Format::parse(&text) {
            let one = if matches!(letter, 's' | 'x') { 1 } else { size };
            prop_assert_eq!(format.itemsize() as u128, inner * count * one, "{}", text);
        }
    }

    /// Whatever name is given is the name that is found, and the printed text parses to the same tree.
    #[test]
    fn fault_24_any_name_is_kept_as_it_is(name in "[^:\\x00]{1,12}", other in "[A-Z ._{},&]{1,6}") {
        let text = format!("T{{i:{name}:d:{other}:}}");
        match Format::parse(&text) {
            Err(error) => prop_assert!(name == other && error.kind() == K::DuplicateName, "{}", error),
            Ok(format) => {
                let names: Vec<_> = format.fields().map(|field| field.name().unwrap().to_owned()).collect();
                prop_assert_eq!(names, vec![name, other]);
                prop_assert_eq!(Format::parse(&format.to_string()).unwrap(), format);
            }
        }
    }
}

#[test]
#[cfg(target_pointer_width = "64")]
fn fault_21_counts_that_overflow_are_refused_at_their_column() {
    let large = K::TooLarge { limit: MOST };
    assert_eq!(refusal("99999999999999999999i"), (large, 0..20));
    assert_eq!(refusal("(99999999999,99999999999)d"), (large, 0..26));
    assert_eq!(refusal("6107082938247334i9221070829382473344q"), (large, 17..37));
    assert_eq!(refusal("T{6107082938247334i:a:9221070829382473344q:b:}").1.start, 22);
    // 32 bits of count are none too many, and take no memory.
    let long = parse("10000000000s");
    assert_eq!(long.itemsize(), 10_000_000_000);
    assert_eq!(long.unpack(&[0; 8]).unwrap_err().kind(), F::Length { needed: 10_000_000_000, got: 8 });
    // A count of zero keeps the alignment of its type, as `struct` has it.
    for (text, itemsize) in [("0i", 0), ("0x", 0), ("b0i", 4), ("b0x", 1), ("b0q", 8), ("=b0q", 1)] {
        assert_eq!(parse(text).itemsize(), itemsize, "{text}");
    }
}

#[test]
fn fault_22_bad_syntax_is_named_with_its_column_and_what_was_expected() {
    let rows = [
        ("(1,2", K::Unclosed { opened: "(" }, 0..1, "add ')'"),
        ("()i", K::DimensionExpected, 1..2, "numbers with commas"),
        ("(3,)i", K::DimensionExpected, 3..4, "numbers with commas"),
        ("(-1)i", K::DimensionExpected, 1..2, "numbers with commas"),
        ("T{i:a", K::UnclosedName, 3..5, "two colons"),
        ("i:a", K::UnclosedName, 1..3, "two colons"),
        ("i:a:b:", K::UnclosedName, 5..6, "two colons"),
        ("}", K::StrayBrace, 0..1, "open it with T{"),
        ("Zi", K::ComplexPart, 0..2, "Zf, Zd or Zg"),
        ("&", K::TypeExpected, 1..1, "write a type here"),
        ("X{", K::Unclosed { opened: "X{" }, 0..2, "add '}'"),
        ("i\0", K::UnknownCode { found: '\0' }, 1..2, "the codes are"),
        ("iü", K::UnknownCode { found: 'ü' }, 1..3, "the codes are"),
    ];
    for (text, kind, span, hint) in rows {
        assert_eq!(refusal(text), (kind, span), "{text:?}");
        let error = Format::parse(text).unwrap_err();
        assert!(error.hint().contains(hint), "{text:?}: {}", error.hint());
        // The same fault further on is the same fault, that much further on.
        for before in ["", "i", "T{b:x:}:r:", "<3d xx"] {
            let later = Format::parse(&format!("{before}{text}")).expect_err(text);
            assert_eq!(later.span().start - before.len(), error.span().start, "{before}{text:?}");
        }
    }
    assert_eq!(parse("").itemsize(), 0);
}

#[test]
fn fault_22_a_megabyte_of_text_takes_linear_time() {
    let time = |times: usize| {
        let text = "T{i:a:(2,3)d:b:}".repeat(times);
        (0..3)
            .map(|_| {
                let start = Instant::now();
                drop(Format::parse(&text));
                start.elapsed()
            })
            .min()
            .unwrap()
    };
    let (short, long) = (time(1 << 12), time(1 << 16));
    // Sixteen times the text: what is quadratic takes 256 times as long.
    assert!(long < short * 100 + Duration::from_millis(50), "{short:?} and {long:?}");
}

#[test]
fn fault_23_nesting_is_read_to_the_limit_on_a_small_stack() {
    std::thread::Builder::new()
        .stack_size(256 << 10)
        .spawn(|| {
            let nested = |depth: usize| format!("{}i{}", "T{".repeat(depth), "}".repeat(depth));
            for depth in [1, 50, MAX_DEPTH - 1, MAX_DEPTH] {
                assert_eq!(parse(&nested(depth)).itemsize(), size_of::<i32>(), "{depth}");
                assert_eq!(parse(&format!("{}i", "&".repeat(depth))).itemsize(), size_of::<usize>());
            }
            for depth in [MAX_DEPTH + 1, 2_000, 1_000_000] {
                let deep = K::TooDeep { limit: MAX_DEPTH };
                for text in [nested(depth), "T{".repeat(depth), format!("{}i", "&".repeat(depth))] {
                    let error = Format::parse(&text).unwrap_err();
                    assert_eq!(error.kind(), deep);
                    assert!(error.span().start <= 2 * MAX_DEPTH, "refused at the limit: {:?}", error.span());
                    assert!(error.to_string().len() < 200);
                }
            }
        })
        .unwrap()
        .join()
        .unwrap();
}

#[test]
fn fault_24_names_of_real_files_are_kept() {
    // Column names of radio astronomy and of spreadsheets.
    let names =
        ["IF FREQ", "ANTENNA NO.", "UU---SIN", "a.b", "a{b}", "x,y", "[0]", " ", "T{i", "größe", "\u{1f600}"];
    let text: String = names.iter().map(|name| format!("<i:{name}:")).collect();
    let format = parse(&format!("T{{{text}}}"));
    assert_eq!(format.fields().map(|field| field.name().unwrap()).collect::<Vec<_>>(), names);
    for dialect in [Dialect::Pep3118, Dialect::NumPy] {
        let printed = format.to_string_as(dialect).unwrap();
        assert_eq!(Format::parse_as(dialect, &printed).unwrap(), format, "{printed}");
    }
    assert_eq!(refusal("T{i:a:i:a:}"), (K::DuplicateName, 7..10));
    assert_eq!(refusal("i:a\0b:"), (K::ZeroByteInName, 3..4));
    // An empty name is no name, wherever it stands.
    assert_eq!(
        parse("T{i::d::}").fields().filter(|field| field.name().is_some_and(|name| !name.is_empty())).count(),
        0
    );
}

#[test]
fn fault_25_the_itemsize_wins_or_both_numbers_are_told() {
    let rows = [
        // Padding at the end is written by nobody alike.
        (Dialect::Pep3118, "ix", 5),
        (Dialect::NumPy, "ix", 8),
        (Dialect::Pep3118, "ixx", 6),
        (Dialect::NumPy, "ixx", 8),
        (Dialect::Pep3118, "^ix", 5),
        (Dialect::NumPy, "^ix", 5),
        (Dialect::Pep3118, "T{b:a:xxxi:b:T{b:f0:=i:f1:}:sub:xxxi:c:}", 20),
        // ctypes before 3.12 wrote no padding, and bit fields as whole integers.
        (Dialect::Ctypes, "T{<B:a:<I:b:}", 5),
        (Dialect::Ctypes, "T{<I:a:<I:b:}", 8),
        (Dialect::Ctypes, "B", 1),
    ];
    for (dialect, text, itemsize) in rows {
        let format = Format::parse_as(dialect, text).unwrap();
        assert_eq!(format.itemsize(), itemsize, "{dialect} {text}");
        format.check_itemsize(itemsize).unwrap();
        for claimed in (0..64).filter(|&claimed| claimed != itemsize) {
            let error = format.check_itemsize(claimed).unwrap_err();
            assert_eq!(error.kind(), F::ItemSize { format: itemsize, claimed });
            assert_eq!(
                error.to_string(),
                format!("the format implies an itemsize of {itemsize}, the buffer says {claimed}")
            );
        }
    }
    // A record that is longer than its fields is padded at the end on request; one that is shorter never is.
    let short = parse("T{<B:a:<I:b:}");
    assert_eq!(short.with_itemsize(8).unwrap().itemsize(), 8);
    assert_eq!(short.with_itemsize(4).unwrap_err().kind(), F::ItemSize { format: 5, claimed: 4 });
    // Where the size asked for is no multiple of the alignment, the next record would not be aligned.
    let sizes = [4, 6, 8, 17, 32];
    let alignments = sizes.map(|size| parse("T{i:a:}").with_itemsize(size).unwrap().alignment());
    assert_eq!(alignments, [4, 1, 4, 1, 4]);
}

#[test]
fn fault_26_objects_are_found_anywhere_and_have_no_value() {
    for text in ["O", "3O", "(2)O", "T{i:a:O:b:}", "T{T{(2,2)O:x:}:y:}", "iO", "[name;O]"] {
        let format = parse(text);
        assert!(format.has_objects(), "{text}");
        let error = format.unpack(&vec![0; format.itemsize()]).unwrap_err();
        assert_eq!(error.kind(), F::NoValue { code: "O" }, "{text}");
    }
    // A pointer to objects holds no reference itself.
    assert!(!parse("&O").has_objects());
    let pair = Value::Tuple(vec![Value::UInt(7), Value::UInt(8)]);
    let format = parse("=QO");
    let mut bytes = vec![0xa5; format.itemsize()];
    assert_eq!(format.pack(&pair, &mut bytes).unwrap_err().kind(), F::NoValue { code: "O" });
    assert_eq!(bytes, vec![0xa5; format.itemsize()]);
}

#[test]
fn fault_27_a_value_that_does_not_fit_leaves_every_byte_as_it_was() {
    let pair = |a: Value, b: Value| Value::Tuple(vec![a, b]);
    let big = Value::UInt(300);
    assert_eq!(refused("HB", &pair(Value::UInt(1), big.clone())), F::OutOfRange { code: "B", size: 1 });
    assert_eq!(
        refused("T{<i:a:>h:b:}", &pair(Value::Int(1), Value::Int(40_000))),
        F::OutOfRange { code: "h", size: 2 }
    );
    assert_eq!(
        refused("(2)B", &Value::List(vec![Value::UInt(1), big])),
        F::OutOfRange { code: "B", size: 1 }
    );
    assert_eq!(refused("3B", &pair(Value::UInt(1), Value::UInt(2))), F::ValueCount { expected: 3, found: 2 });
    assert!(matches!(refused("Bi", &pair(Value::UInt(1), Value::from("x"))), F::WrongValue { .. }));
    // The value and what the code holds, in words.
    for (text, value, says) in [
        ("B", Value::UInt(256), "256 does not fit 'B' of one byte, which holds 0 to 255"),
        ("B", Value::Int(-1), "-1 does not fit 'B' of one byte, which holds 0 to 255"),
        ("<h", Value::Int(-32769), "-32769 does not fit 'h' of 2 bytes, which holds -32768 to 32767"),
        (
            ">q",
            Value::UInt(1 << 63),
            "9223372036854775808 does not fit 'q' of 8 bytes, which holds -9223372036854775808 to \
             9223372036854775807",
        ),
        ("<Q", Value::Int(-1), "-1 does not fit 'Q' of 8 bytes, which holds 0 to 18446744073709551615"),
        ("<f", Value::Float(1e300), "1e300 does not fit 'f' of 4 bytes"),
        ("[bfloat16]", Value::Float(1e300), "1e300 does not fit 'bfloat16' of 2 bytes"),
    ] {
        let format = parse(text);
        let error = format.pack(&value, &mut vec![0; format.itemsize()]).unwrap_err();
        assert_eq!(error.to_string(), says);
        refused(text, &value);
    }
    let bits = parse("T{3t:a:5t:b:}").pack(&pair(Value::UInt(7), Value::UInt(32)), &mut [0]).unwrap_err();
    assert_eq!(bits.to_string(), "field \"b\": 32 does not fit a field of 5 bits, which holds 0 to 31");
    // Names that are not there, with those that are.
    let missing = |text: &str| parse(text).field("z").unwrap_err().to_string();
    assert_eq!(missing("T{i:a:d:b c:}"), "field \"z\": no such field, there are \"a\", \"b c\"");
    assert_eq!(missing("T{id}"), "field \"z\": no such field, the fields have no names");
    let many: String = (0..20).map(|k| format!("B:f{k}:")).collect();
    assert!(missing(&format!("T{{{many}}}")).ends_with("\"f6\", \"f7\", …"));
    let shape = parse("(2,3)B").matches::<[[u8; 2]; 3]>().unwrap_err();
    assert_eq!(shape.to_string(), "the shapes differ: [2, 3] in the format, [3, 2] in the type");
}

#[test]
fn fault_30_only_the_same_kind_size_and_order_is_the_type() {
    let swapped = if cfg!(target_endian = "big") { "<q" } else { ">q" };
    for (text, kind) in [
        ("d", F::Type { format: "float", rust: "signed integer" }),
        ("Q", F::Type { format: "unsigned integer", rust: "signed integer" }),
        ("i", F::Size { format: 4, rust: 8 }),
        (swapped, F::ByteOrder),
    ] {
        assert_eq!(parse(text).matches::<i64>().unwrap_err().kind(), kind, "{text}");
    }
    parse("q").matches::<i64>().unwrap();
    assert!(parse("4s").matches::<[u8; 4]>().is_err() && parse("c").matches::<char>().is_err());
    // Every code against every number type: a match means the same bytes, written and read.
    fn same<T: Element>(text: &str) {
        if parse(text).matches::<T>().is_ok() {
            assert_eq!(parse(text).itemsize(), size_of::<T>(), "{text}");
            assert_eq!(parse(text), T::FORMAT, "{text}");
        }
    }
    for letter in "xcbB?hHiIlLqQnNefdgspuwPO".chars() {
        for mark in ["", "@", "=", "<", ">", "^"] {
            let text = format!("{mark}{letter}");
            if Format::parse(&text).is_ok() {
                same::<u8>(&text);
                same::<i8>(&text);
                same::<u16>(&text);
                same::<i32>(&text);
                same::<u64>(&text);
                same::<i64>(&text);
                same::<f32>(&text);
                same::<f64>(&text);
                same::<bool>(&text);
            }
        }
    }
}
