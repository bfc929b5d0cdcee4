//! Equality by meaning with a hash that agrees, names and paths, and the shape of the tree.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use extbuf_format::{Bounds, Element, FieldSpec, Format, FormatErrorKind as K, Item, TokenKind, tokens};

fn parse(text: &str) -> Format {
    Format::parse(text).unwrap_or_else(|e| panic!("{}", e.render()))
}

fn hash(format: &Format) -> u64 {
    let mut hasher = DefaultHasher::new();
    format.hash(&mut hasher);
    hasher.finish()
}

#[test]
fn equal_by_meaning() {
    let native = if cfg!(target_endian = "big") { '>' } else { '<' };
    for (a, b) in [
        ("i".to_owned(), format!("{native}i")),
        ("=i".to_owned(), "i".to_owned()),
        (">i".to_owned(), "!i".to_owned()),
        ("<b".to_owned(), ">b".to_owned()),
        ("=l".to_owned(), "=i".to_owned()),
        ("=li".to_owned(), "=2i".to_owned()),
        ("ii".to_owned(), "2i".to_owned()),
        ("i3xi".to_owned(), "ixxxi".to_owned()),
        ("bi".to_owned(), "b3xi".to_owned()),
        ("b0i".to_owned(), "b3x".to_owned()),
        ("T{b:a:i:b:}".to_owned(), "T{b:a:3x=i:b:}".to_owned()),
        ("T{i}T{i}".to_owned(), "2T{i}".to_owned()),
        ("(2)T{i}".to_owned(), "(2)T{=i}".to_owned()),
        ("F".to_owned(), "Zf".to_owned()),
        ("<0s".to_owned(), ">0s".to_owned()),
        ("<[bfloat16]".to_owned(), "<[bfloat16;H]".to_owned()),
    ] {
        assert_eq!(parse(&a), parse(&b), "{a} {b}");
        assert_eq!(hash(&parse(&a)), hash(&parse(&b)), "{a} {b}");
    }
}

#[test]
fn unequal_by_meaning() {
    let texts = [
        "ii", "T{ii}", "(2)i", "(1,2)i", "(2,1)i", ">i", "<i", "I", "f", "4s", "4c", "4B", "(4)B", "4x",
        "1i:a:", "i:b:", "i::", "i", "T{i}", "T{i:a:}", "&i", "&f", "X{}", "X{i}", "[a;i]", "[b;i]",
        "[a$x;i]", "[a;f]", "w", "2u", "4p", "3t", "4t", "3t5t", "c", "b", "?", "ix", "xi", "T{T{i}}", "O",
        "P", "Zf", "2f", "(0)i", "T{}", "",
    ];
    for (i, a) in texts.iter().enumerate() {
        for b in &texts[..i] {
            let native =
                cfg!(target_endian = "little") && [*a, *b].contains(&"<i") && [*a, *b].contains(&"i");
            let native = native
                || (cfg!(target_endian = "big") && [*a, *b].contains(&">i") && [*a, *b].contains(&"i"));
            assert_eq!(parse(a) == parse(b), native, "{a:?} {b:?}");
        }
    }
}

#[test]
fn paths_lead_to_offset_and_format() {
    let format = parse("T{B:a:(3)T{<h:x:<d:y.z:(2,2)<f:m:}:b:i:ANTENNA NO.:2H}");
    for (path, offset, text) in [
        ("a", 0, "B"),
        ("b", 1, "(3)T{<h:x:<d:y.z:(2,2)<f:m:}"),
        ("b[1]", 27, "T{<h:x:<d:y.z:(2,2)<f:m:}"),
        ("b[1].x", 27, "<h"),
        ("b[2].y.z", 55, "<d"),
        ("b[2].m[1]", 71, "(2)<f"),
        ("b[2].m[1][0]", 71, "<f"),
        ("b[2].m[1, 1]", 75, "<f"),
        ("ANTENNA NO.", 80, "i"),
        ("[1][0].x", 1, "<h"),
        ("[4]", 86, "H"),
    ] {
        let (at, found) = format.field(path).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!((at, found), (offset, parse(text)), "{path}");
    }
    for (path, kind) in [
        ("c", K::NoSuchField),
        ("", K::BadPath),
        ("b[3]", K::IndexOutOfRange { index: 3, len: 3 }),
        ("[5]", K::IndexOutOfRange { index: 5, len: 5 }),
        ("b[0,1]", K::TooManyIndices { given: 2, ndim: 1 }),
        ("a.x", K::NotNested),
        ("a[0]", K::NotNested),
        ("b[", K::BadPath),
        ("b[x]", K::BadPath),
        ("b[0]x", K::BadPath),
        ("b[99999999999999999999]", K::BadPath),
    ] {
        let error = format.field(path).unwrap_err();
        assert_eq!((error.kind(), error.path()), (kind, Some(path)));
    }
    assert_eq!(parse("T{3t:a:5t:b:}").field("b").unwrap_err().kind(), K::BitField);
    assert_eq!(parse("500000000i").field("[499999999]").unwrap().0, 1_999_999_996);
    #[cfg(target_pointer_width = "64")]
    assert_eq!(parse("1000000000000i").field("[999999999999]").unwrap().0, 3_999_999_999_996);
}

#[test]
fn records_are_built_with_every_check() {
    let i = || parse("=i");
    let build = |fields: Vec<FieldSpec>, size| Format::record(fields, size).map_err(|e| e.kind());
    let at = |name: &str, offset| FieldSpec::named(name, offset, i());
    assert_eq!(build(vec![at("a", 2), at("b", 8)], 14), Ok(parse("=T{2xi:a:2xi:b:2x}")));
    assert_eq!(build(vec![at("a", 0), at("b", 2)], 8), Err(K::FieldOffset { offset: 2, least: 4 }));
    assert_eq!(build(vec![at("a", 4), at("b", 0)], 8), Err(K::FieldOffset { offset: 0, least: 8 }));
    assert_eq!(build(vec![at("a", 6)], 8), Err(K::FieldEnd { end: 10, itemsize: 8 }));
    assert_eq!(build(vec![at("a", usize::MAX)], 8), Err(K::FieldEnd { end: usize::MAX, itemsize: 8 }));
    assert_eq!(build(vec![at("a", 0), at("a", 4)], 8), Err(K::DuplicateName));
    assert_eq!(build(vec![at("a:b", 0)], 8), Err(K::BadName));
    assert_eq!(build(vec![], usize::MAX), Err(K::TooLarge { limit: isize::MAX as usize }));
    let unnamed = || FieldSpec { name: None, offset: 0, format: i() };
    let twice = vec![unnamed(), FieldSpec { offset: 4, ..unnamed() }];
    assert_eq!(build(twice, 8), Ok(parse("T{2=i}")));

    let mut deep = i();
    for _ in 0..extbuf_format::MAX_DEPTH {
        deep = Format::record([FieldSpec::named("a", 0, deep)], 4).unwrap();
    }
    let error = Format::record([FieldSpec::named("a", 0, deep)], 4).unwrap_err();
    assert_eq!(error.kind(), K::TooDeep { limit: extbuf_format::MAX_DEPTH });
    assert_eq!(
        Format::array(&[1; 65], i()).unwrap_err().kind(),
        K::TooManyDimensions { ndim: 65, limit: 64 }
    );
    assert_eq!(
        Format::array(&[usize::MAX, 0], i()).unwrap_err().kind(),
        K::TooLarge { limit: isize::MAX as usize }
    );
    let large = 1 << (usize::BITS / 2 + 8);
    assert_eq!(Format::array(&[large, 0, large], i()).unwrap().itemsize(), 0);
    assert_eq!(
        Format::array(&[1 << 31, 1 << 31, 1], i()).unwrap_err().kind(),
        K::TooLarge { limit: isize::MAX as usize }
    );
}

#[test]
fn the_tree_says_what_was_meant() {
    let open = parse("ii");
    let Item::Record(record) = open.item() else { panic!("{open:?}") };
    assert_eq!((record.bounds(), record.runs().len(), record.runs()[0].repeat()), (Bounds::Open, 1, 2));
    let custom = parse("[datetime64$ns,[25];q]");
    let Item::Custom(custom) = custom.item() else { panic!("{custom:?}") };
    assert_eq!((custom.name(), custom.params()), ("datetime64", Some("ns,[25]")));
    assert_eq!(custom.storage(), &parse("q"));
    let function = parse("X{i{d}->f}");
    let Item::Function(function) = function.item() else { panic!("{function:?}") };
    assert_eq!(function.signature(), "i{d}->f");
    let pointer = parse("&(3)<i");
    let Item::Pointer(pointer) = pointer.item() else { panic!("{pointer:?}") };
    assert_eq!(pointer.target(), &parse("(3)<i"));
    assert_eq!(parse("i").alignment(), align_of::<i32>());
    assert_eq!(parse("T{b<d}").alignment(), 1);
    assert_eq!(parse("bd").alignment(), align_of::<f64>());
    assert!(parse("T{i&O}").has_objects() ^ parse("T{i(2)O}").has_objects());
}

#[test]
fn tokens_cover_the_text() {
    let text = "T{ (2,3)<2i:a b:\n3x&d X{()}[q$1;i]Zd}";
    let all: Vec<_> = tokens(text).map(Result::unwrap).collect();
    let joined: String = all.iter().map(|t| &text[t.span.clone()]).collect();
    assert_eq!(joined, text);
    let names: Vec<_> =
        all.iter().filter(|t| t.kind == TokenKind::Name).map(|t| &text[t.span.clone()]).collect();
    assert_eq!(names, [":a b:"]);
}

#[test]
fn arrays_of_rust_types_are_those_of_text() {
    assert_eq!(<[[f64; 3]; 2]>::FORMAT, parse("(2,3)d"));
    assert_eq!(hash(&<[[f64; 3]; 2]>::FORMAT), hash(&parse("(2,3)d")));
    assert_eq!(<[[f64; 3]; 2]>::FORMAT.to_string(), "(2,3)d");
    assert_eq!(<[u8; 0]>::FORMAT, parse("(0)B"));
    assert_eq!(<[[u16; 2]; 3]>::FORMAT.field("[2,1]").unwrap().0, 10);
    assert_eq!(<[[u16; 2]; 3]>::FORMAT.field("[2]").unwrap(), (8, parse("(2)H")));
}

/// Trees that a fuzzer found the printer to get wrong.
#[test]
fn texts_that_were_printed_wrong() {
    for text in [
        "O9b[x;99bd^9c]9c",
        "bd[x;bO^c]b",
        "O999b9O999c9ddb99[x;99b9O999c9ddb99[x;9c9ddb999b9d]9^c9ddb999b9dpdb]",
        "^9T{}T{}",
    ] {
        let format = parse(text);
        assert_eq!(parse(&format.to_string()), format, "{text} {format}");
    }
}

#[test]
fn an_index_into_an_array_of_no_elements_is_out_of_range_whatever_its_other_extents() {
    let large = 1_usize << (usize::BITS / 2 + 8);
    let format = Format::parse(&format!("(0,{large},{large})d")).unwrap();
    let error = format.field("[0,5,5]").unwrap_err();
    assert_eq!(error.kind(), K::IndexOutOfRange { index: 0, len: 0 });
}

/// Who finds two formats equal moves items of one as items of the other, and relies on this.
#[test]
fn formats_that_are_equal_are_equally_long_and_every_format_equals_itself() {
    let codes = "x c b B ? h H i I l L q Q n N e f d g Ze Zf Zd Zg 0s 4s 8s 4p 1u 2u 1w 2w 4w P O 3t 12t z Z &d &h X{} \
                 [bfloat16] [bfloat16;h] [datetime64$ns] [datetime64$us] [float8_e5m2]";
    let marks = ["", "@", "=", "<", ">", "!", "^"];
    let mut formats: Vec<Format> = codes
        .split_whitespace()
        .flat_map(|code| marks.map(|mark| Format::parse(&format!("{mark}{code}"))))
        .filter_map(Result::ok)
        .collect();
    assert!(formats.len() > 200, "only {}", formats.len());
    let inside =
        ["T{~}", "T{~:a:}", "T{B~}", "T{~B}", "(2)~", "(2,1)~", "2~", "T{~:a:b:c:}", "T{~4x}", "T{3t~}"];
    let around = inside.iter().flat_map(|text| {
        let scalars: Vec<String> = formats.iter().step_by(3).map(ToString::to_string).collect();
        scalars.into_iter().filter_map(|scalar| Format::parse(&text.replace('~', &scalar)).ok())
    });
    formats.extend(around.collect::<Vec<_>>());
    let mut equal = 0;
    for a in &formats {
        assert_eq!(a, a);
        for b in &formats {
            if a == b {
                equal += 1;
                assert_eq!(a.itemsize(), b.itemsize(), "{a} and {b}");
            }
        }
    }
    assert!(equal > 2 * formats.len(), "{equal} pairs of {} formats", formats.len());
}
