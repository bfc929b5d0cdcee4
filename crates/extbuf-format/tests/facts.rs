//! The parser against what CPython, NumPy and ctypes say, text by text. Where they are right they are the
//! reference; where they are wrong the case is listed with the fact.
//!
//! The tables were made on x86-64 Linux, and native sizes are those of that machine.
#![cfg(all(target_arch = "x86_64", target_os = "linux"))]

use extbuf_format::{Dialect, Format, FormatErrorKind, ParseErrorKind as K, Value};
use extbuf_testkit::format_facts::{CALCSIZE, EXPORTS, NUMPY, REFUSED, VECTORS};
use extbuf_testkit::format_wild::{CONTRADICTIONS, WILD};

fn size(dialect: Dialect, text: &str) -> Option<usize> {
    Format::parse_as(dialect, text).ok().map(|f| f.itemsize())
}

#[test]
fn struct_sizes_are_those_of_calcsize() {
    // Codes that came to the struct module after 3.11, with which the table was made, are not in it.
    for &(text, expected) in CALCSIZE {
        assert_eq!(size(Dialect::Struct, text), expected, "{text:?}");
    }
    assert_eq!(size(Dialect::Struct, "F"), Some(8), "complex codes of 3.14");
    assert_eq!(size(Dialect::Struct, "<Zd"), Some(16), "complex codes of 3.15");
}

#[test]
fn the_default_dialect_reads_what_struct_reads() {
    for &(text, expected) in CALCSIZE {
        if expected.is_some() {
            assert_eq!(size(Dialect::Pep3118, text), expected, "{text:?}");
        }
    }
}

#[test]
fn numpy_reads_the_same() {
    // An unclosed `T{` and a stray `}` are taken by NumPy without a word; they are errors here.
    let accepted_by_numpy_alone = ["T{i", "}", "i}", "T{i|}"];
    // NumPy makes an array of empty arrays from `(3,0)i`, but not when the 0 is written as a count; and its
    // itemsize is a C int.
    let read_here_alone = ["(3)0i", "10000000000s"];
    for &(text, expected, fields) in NUMPY {
        let format = Format::parse_as(Dialect::NumPy, text);
        if accepted_by_numpy_alone.contains(&text) {
            assert!(matches!(format.unwrap_err().kind(), K::Unclosed { .. } | K::StrayBrace), "{text:?}");
            continue;
        }
        match (&format, expected) {
            (Ok(format), Some(size)) => {
                assert_eq!(format.itemsize(), size, "{text:?}");
                let ours: Vec<_> = format.fields().map(|f| (f.offset(), f.format().itemsize())).collect();
                assert_eq!(ours, fields, "{text:?}");
            }
            (Err(_), None) => {}
            (Ok(_), None) if read_here_alone.contains(&text) => {}
            _ => panic!("{text:?}: {format:?}, NumPy says {expected:?}"),
        }
    }
}

#[test]
fn exports_have_the_size_that_they_claim() {
    for &(who, what, text, itemsize, dialect) in EXPORTS {
        let format =
            Format::parse_as(dialect.parse().unwrap(), text).unwrap_or_else(|e| panic!("{}", e.render()));
        let checked = format.check_itemsize(itemsize);
        let wrong = match (who, what) {
            // Before Python 3.12 ctypes writes no padding.
            ("ctypes", "Padded") => Some(5),
            ("ctypes", "Big") => Some(10),
            ("ctypes", "Nested") => Some(5 + 10 + 24),
            // Before 3.12 a packed struct, and a union ever since, comes as one byte.
            ("ctypes", "Packed" | "Union") => Some(1),
            // Bit fields come as whole integers.
            ("ctypes", "Bits") => Some(8),
            // Padding before the long double and at the end is not written either.
            ("ctypes", "Mixed") => Some(6 * 8 + 5 + 16),
            // NumPy writes no padding at the end of a record.
            ("numpy", "record") if itemsize == 16 && text == "T{i:a:}" => Some(4),
            ("numpy", "record") if itemsize == 30 => Some(24),
            _ => None,
        };
        match wrong {
            None => checked.unwrap_or_else(|e| panic!("{who} {what} {text:?}: {e}")),
            Some(format) => {
                let kind = FormatErrorKind::ItemSize { format, claimed: itemsize };
                assert_eq!(checked.unwrap_err().kind(), kind, "{who} {what} {text:?}");
            }
        }
    }
}

#[test]
fn texts_from_real_files() {
    for &(text, itemsize, from) in WILD {
        let format =
            Format::parse_as(Dialect::NumPy, text).unwrap_or_else(|e| panic!("{from}: {}", e.render()));
        assert_eq!(format.itemsize(), itemsize, "{from}: {text:?}");
        let printed = format.to_string_as(Dialect::NumPy).unwrap();
        assert_eq!(Format::parse_as(Dialect::NumPy, &printed).unwrap(), format, "{from}: {printed:?}");
    }
    for &(text, said, claimed, from) in CONTRADICTIONS {
        let format = Format::parse_as(Dialect::NumPy, text).unwrap();
        assert_eq!(format.itemsize(), said, "{from}");
        let error = format.check_itemsize(claimed).unwrap_err();
        assert_eq!(error.kind(), FormatErrorKind::ItemSize { format: said, claimed }, "{from}");
    }
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

/// A value as the tables write it.
fn value(text: &str) -> Value {
    if let Some(bits) = text.strip_prefix('f') {
        return Value::Float(f64::from_bits(u64::from_str_radix(bits, 16).unwrap()));
    }
    match text.split_at(1) {
        ("b", bytes) => Value::Bytes(unhex(bytes)),
        ("?", bit) => Value::Bool(bit == "1"),
        _ => text.parse().map_or_else(|_| Value::UInt(text.parse().unwrap()), Value::Int),
    }
}

#[test]
fn values_are_packed_as_struct_packs_them() {
    for &(text, big, little, values) in VECTORS {
        let mut values: Vec<Value> = values.split(' ').map(value).collect();
        let given = if values.len() == 1 { values.remove(0) } else { Value::Tuple(values) };
        for (mark, hex) in [('>', big), ('<', little)] {
            let format = Format::parse_as(Dialect::Struct, &format!("{mark}{text}")).unwrap();
            let bytes = unhex(hex);
            let mut packed = vec![0xaa; format.itemsize()];
            format.pack(&given, &mut packed).unwrap();
            assert_eq!(packed, bytes, "{mark}{text} {given}");
            let back = format.unpack(&bytes).unwrap();
            assert_eq!(back.to_string(), given.to_string(), "{mark}{text}");
        }
    }
    for &(text, refused) in REFUSED {
        let format = Format::parse(&format!(">{text}")).unwrap();
        let error = format.pack(&value(refused), &mut vec![0; format.itemsize()]).unwrap_err();
        assert!(matches!(error.kind(), FormatErrorKind::OutOfRange { .. }), "{text} {refused}");
    }
}
