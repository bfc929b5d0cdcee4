//! Each row of the dialect table, and each point on which the peers disagree, as a case: one text, what each
//! dialect makes of it.
#![cfg(all(target_arch = "x86_64", target_os = "linux"))]

use extbuf_format::{Dialect, Format, ParseErrorKind as K};

/// Itemsizes in the order pep3118, struct, numpy, ctypes, cython; `None` is an error.
type Sizes = [Option<usize>; 5];

const ROWS: &[(&str, &str, Sizes)] = &[
    ("padding at the end", "qb", [Some(9), Some(9), Some(16), Some(9), Some(9)]),
    ("padding behind x", "ix", [Some(5), Some(5), Some(8), Some(5), Some(5)]),
    ("padding at the end of a record", "T{qb}", [Some(16), None, Some(16), Some(16), Some(16)]),
    ("zero count aligns", "b0q", [Some(8), Some(8), Some(8), Some(8), Some(8)]),
    (
        "alignment of a record is its largest member's",
        "bT{bq}",
        [Some(24), None, Some(24), Some(24), Some(17)],
    ),
    ("white space between entries", "i i", [Some(8), Some(8), None, Some(8), Some(8)]),
    ("a tab", "i\ti", [Some(8), Some(8), None, Some(8), None]),
    ("white space between count and code", "2 i", [Some(8), None, None, Some(8), Some(8)]),
    ("white space in a shape", "(2, 2)i", [Some(16), None, Some(16), Some(16), None]),
    ("mark inside", "i<i", [Some(8), None, Some(8), Some(8), Some(8)]),
    ("native mark inside", "i=i", [Some(8), None, Some(8), Some(8), Some(8)]),
    ("mark before the shape", "=(2)i", [Some(8), None, None, Some(8), Some(8)]),
    ("mark after the count", "2=i", [Some(8), None, None, Some(8), Some(8)]),
    ("standard long", "=l", [Some(4); 5]),
    ("long", "l", [Some(8); 5]),
    ("unaligned", "^bi", [Some(5), None, Some(5), Some(5), Some(5)]),
    ("scope of a mark", "T{=b}l", [Some(16), None, Some(5), Some(16), Some(5)]),
    ("3s is one value of three bytes", "3s", [Some(3); 5]),
    ("u is two bytes, or wchar_t", "u", [Some(2), None, None, Some(4), None]),
    ("bare Z is a pointer of ctypes", "<Z", [None, None, None, Some(8), None]),
    ("z is a pointer of ctypes", "z", [None, None, None, Some(8), None]),
    ("P in standard size", "<P", [None, None, None, Some(8), None]),
    ("g in standard size", "<g", [None, None, None, Some(16), None]),
    ("P", "P", [Some(8), Some(8), None, Some(8), None]),
    ("n and N", "nN", [Some(16), Some(16), None, Some(16), None]),
    ("half floats", "e", [Some(2), Some(2), Some(2), Some(2), None]),
    ("long double", "g", [Some(16), None, Some(16), Some(16), Some(16)]),
    ("complex with Z", "Zd", [Some(16); 5]),
    ("complex of halves, of nanobind", "Ze", [Some(4), None, None, Some(4), None]),
    ("complex with one letter", "D", [Some(16), Some(16), None, Some(16), None]),
    ("Pascal string", "5p", [Some(5), Some(5), None, Some(5), Some(5)]),
    ("wide text", "3w", [Some(12), None, Some(12), Some(12), None]),
    ("objects", "O", [Some(8), None, Some(8), Some(8), Some(8)]),
    ("objects have no byte order", "=O", [Some(8), None, Some(8), Some(8), Some(8)]),
    ("pointers", "&i", [Some(8), None, None, Some(8), None]),
    ("function pointers", "X{}", [Some(8), None, None, Some(8), None]),
    ("bits", "3t", [Some(1), None, None, None, None]),
    ("custom types", "[bfloat16]", [Some(2), None, None, None, None]),
    ("names", "i:a:", [Some(4), None, Some(4), Some(4), Some(4)]),
    ("the empty name", "i::", [Some(4), None, Some(4), Some(4), Some(4)]),
    ("a name twice", "i:a:i:a:", [None, None, None, None, Some(8)]),
    ("names are UTF-8", "i:größe:", [Some(4), None, Some(4), Some(4), Some(4)]),
    ("unclosed record", "T{i", [None; 5]),
    ("stray brace", "i}", [None; 5]),
    ("the other byte order", ">i", [Some(4), Some(4), Some(4), Some(4), None]),
    ("a mark and nothing", "=", [Some(0), Some(0), None, Some(0), Some(0)]),
    ("nothing", "", [Some(0); 5]),
];

#[test]
fn every_row() {
    for &(question, text, sizes) in ROWS {
        for (dialect, expected) in Dialect::ALL.into_iter().zip(sizes) {
            let format = Format::parse_as(dialect, text);
            let size = format.as_ref().ok().map(Format::itemsize);
            assert_eq!(size, expected, "{question}: {text:?} in {dialect}: {format:?}");
        }
    }
}

#[test]
fn a_count_is_a_repeat_or_a_dimension() {
    let two = Format::parse("2i").unwrap();
    assert_eq!(two, Format::parse("ii").unwrap());
    assert_eq!(two.fields().count(), 2);
    let array = Format::parse_as(Dialect::NumPy, "2i").unwrap();
    assert_eq!(array, Format::parse("(2)i").unwrap());
    // One name can name one field, and behind a shape stands one more axis.
    assert_eq!(Format::parse("2i:a:").unwrap(), Format::parse("(2)i:a:").unwrap());
    assert_eq!(Format::parse("(2)3i").unwrap(), Format::parse("(2,3)i").unwrap());
    assert_eq!(Format::parse("3c").unwrap().fields().count(), 3);
    assert_eq!(Format::parse("3s").unwrap().fields().count(), 0);
}

/// Support of each code, dialect by dialect: the columns of the peers' own parsers and emitters.
#[test]
fn every_code_in_every_dialect() {
    let support = [
        (Dialect::Pep3118, "xcbB?hHiIlLqQnNefdFDgspuwPOt", "ZeZfZdZg"),
        (Dialect::Struct, "xcbB?hHiIlLqQnNefdFDspP", "ZfZd"),
        (Dialect::NumPy, "xcbB?hHiIlLqQefdgswO", "ZfZdZg"),
        (Dialect::Ctypes, "xcbB?hHiIlLqQnNefdgFDspuwPOzZ", "ZeZfZdZg"),
        (Dialect::Cython, "xcbB?hHiIlLqQfdgspO", "ZfZdZg"),
    ];
    for (dialect, codes, complex) in support {
        for code in ('a'..='z').chain('A'..='Z').chain(['?']) {
            let read = Format::parse_as(dialect, &code.to_string()).is_ok();
            assert_eq!(read, codes.contains(code), "{code} in {dialect}");
            let pair = format!("Z{code}");
            let bare_then_code = dialect == Dialect::Ctypes && codes.contains(code);
            let read = Format::parse_as(dialect, &pair).is_ok();
            assert_eq!(read, complex.contains(&pair) || bare_then_code, "{pair} in {dialect}");
        }
        for mark in "=<".chars() {
            for code in "nNgP".chars().filter(|&c| codes.contains(c)) {
                let text = format!("{mark}{code}");
                match Format::parse_as(dialect, &text) {
                    Ok(_) => assert_eq!(dialect, Dialect::Ctypes, "{text}"),
                    Err(error) => assert!(matches!(error.kind(), K::NoStandardSize { .. }), "{text} {error}"),
                }
            }
        }
    }
}

#[test]
fn what_a_dialect_cannot_say_is_named() {
    for (text, dialect, construct) in [
        ("T{i:a:}", Dialect::Struct, "T{}"),
        ("i:a:", Dialect::Struct, "field names"),
        ("(2)i", Dialect::Struct, "sub-arrays"),
        ("<i>i", Dialect::Struct, "more than one order mark"),
        ("&i", Dialect::NumPy, "pointers"),
        ("X{}", Dialect::Cython, "function pointers"),
        ("[bfloat16]", Dialect::NumPy, "custom types"),
        ("3t", Dialect::NumPy, "bit fields"),
        ("e", Dialect::Cython, "half floats"),
        (">i", Dialect::Cython, "the other byte order"),
        ("4097i", Dialect::NumPy, "so many repeats"),
        ("3p", Dialect::NumPy, "Pascal strings"),
    ] {
        let error = Format::parse(text).unwrap().to_string_as(dialect).unwrap_err();
        let expected = format!("the {dialect} dialect cannot say {construct}");
        assert_eq!(error.to_string(), expected, "{text}");
    }
}

#[test]
fn a_dialect_finds_other_words_for_the_same_meaning() {
    for (text, dialect, words) in [
        ("n", Dialect::NumPy, "q"),
        ("N", Dialect::Cython, "Q"),
        ("Zd", Dialect::Struct, "D"),
        ("F", Dialect::NumPy, "Zf"),
        ("<ib>3x", Dialect::Struct, "<ib3x"),
        ("=i<h", Dialect::Struct, "=ih"),
        ("@i^h", Dialect::Struct, "ih"),
        ("qb", Dialect::NumPy, "^qb"),
        ("2h", Dialect::NumPy, "hh"),
    ] {
        assert_eq!(Format::parse(text).unwrap().to_string_as(dialect).unwrap(), words, "{text}");
    }
    let pointer = Format::parse_as(Dialect::Ctypes, "<P").unwrap();
    assert_eq!(pointer.to_string(), "^P");
    assert_eq!(Dialect::ALL.map(|d| d.name().parse()), Dialect::ALL.map(Ok));
    assert!("pep".parse::<Dialect>().is_err());
}
