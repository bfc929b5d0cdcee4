//! Each row of the dialect table, and each point on which the peers disagree, as a case: one text, what each
//! dialect makes of it.
#![cfg(all(target_arch = "x86_64", target_os = "linux"))]

use extbuf_format::{Dialect, Format, ParseErrorKind as K};
use extbuf_testkit::format_dialects::{CODES, ROWS};

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
    for &(name, codes, complex) in CODES {
        let dialect: Dialect = name.parse().unwrap();
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
