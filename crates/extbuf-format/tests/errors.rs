//! Every kind of error with an input that causes it, its span, and its picture.

use extbuf_format::{Dialect, Format, MAX_DEPTH, MAX_DIMS, ParseErrorKind as K};

const SIZE: usize = isize::MAX as usize;

#[test]
fn kinds_and_spans() {
    use Dialect::{Cython, NumPy, Pep3118, Struct};
    let foreign = if cfg!(target_endian = "big") { "<i" } else { ">i" };
    let rows = [
        (Pep3118, "k", K::UnknownCode { found: 'k' }, 0..1),
        (Pep3118, "iik", K::UnknownCode { found: 'k' }, 2..3),
        (Pep3118, "i\0", K::UnknownCode { found: '\0' }, 1..2),
        (Pep3118, "iü", K::UnknownCode { found: 'ü' }, 1..3),
        (Pep3118, "1,2", K::UnknownCode { found: ',' }, 1..2),
        (Pep3118, "T", K::UnknownCode { found: 'T' }, 0..1),
        (Pep3118, "z", K::NotInDialect { found: 'z', dialect: Pep3118 }, 0..1),
        (Struct, "T{i}", K::NotInDialect { found: 'T', dialect: Struct }, 0..2),
        (Struct, "i:a:", K::NotInDialect { found: ':', dialect: Struct }, 1..4),
        (Struct, "^i", K::NotInDialect { found: '^', dialect: Struct }, 0..1),
        (NumPy, "T{i:a:&d:b:}", K::NotInDialect { found: '&', dialect: NumPy }, 6..7),
        (Pep3118, "<n", K::NoStandardSize { code: "n" }, 1..2),
        (Pep3118, "i=Zg", K::NoStandardSize { code: "Zg" }, 2..4),
        (Pep3118, "3", K::TypeExpected, 1..1),
        (Pep3118, "i(2)", K::TypeExpected, 4..4),
        (Pep3118, "T{i&}", K::TypeExpected, 4..4),
        (Pep3118, "2(2)i", K::TypeExpected, 1..2),
        (Pep3118, "1 2i", K::TypeExpected, 2..3),
        (NumPy, "i<", K::TypeExpected, 2..2),
        (Pep3118, "Zi", K::ComplexPart, 0..2),
        (Pep3118, "iZ", K::ComplexPart, 1..2),
        (Pep3118, "()i", K::DimensionExpected, 1..2),
        (Pep3118, "(3,)i", K::DimensionExpected, 3..4),
        (Pep3118, "(i)i", K::DimensionExpected, 1..2),
        (Pep3118, "((((", K::DimensionExpected, 1..2),
        (Pep3118, "i(1,2", K::Unclosed { opened: "(" }, 1..2),
        (Pep3118, "iT{i", K::Unclosed { opened: "T{" }, 1..3),
        (Pep3118, "X{", K::Unclosed { opened: "X{" }, 0..2),
        (Pep3118, "X{{}", K::Unclosed { opened: "X{" }, 0..2),
        (Pep3118, "[name", K::Unclosed { opened: "[" }, 0..1),
        (Pep3118, "i}", K::StrayBrace, 1..2),
        (Pep3118, ":a:i", K::NameWithoutType, 0..3),
        (Pep3118, "i:a::b:", K::NameWithoutType, 4..7),
        (Pep3118, "i:abc", K::UnclosedName, 1..5),
        (Pep3118, "T{i:a:i:a:}", K::DuplicateName, 7..10),
        (Pep3118, "i:a\0b:", K::ZeroByteInName, 3..4),
        (Pep3118, "99999999999999999999i", K::TooLarge { limit: SIZE }, 0..20),
        (Pep3118, "(99999999999,99999999999)d", K::TooLarge { limit: SIZE }, 0..26),
        (Pep3118, "6107082938247334i9221070829382473344q", K::TooLarge { limit: SIZE }, 17..37),
        (Pep3118, "0t", K::BitCount { limit: 64 }, 1..2),
        (Pep3118, "65t", K::BitCount { limit: 64 }, 2..3),
        (Pep3118, "[]", K::CustomName, 0..2),
        (Pep3118, "[;q]", K::CustomName, 0..4),
        (Pep3118, "[complex64k]", K::CustomSize, 0..12),
        (Pep3118, "[a;T{Zi}]", K::ComplexPart, 5..7),
        (Struct, "ii<i", K::MarkPosition { dialect: Struct }, 2..3),
        (Struct, " <i", K::MarkPosition { dialect: Struct }, 1..2),
        (NumPy, "<(2)i", K::MarkPosition { dialect: NumPy }, 1..2),
        (NumPy, "i i", K::Space { dialect: NumPy }, 1..2),
        (Struct, "3 i", K::Space { dialect: Struct }, 1..2),
        (Cython, "i\ti", K::Space { dialect: Cython }, 1..2),
        (Cython, foreign, K::ForeignOrder { dialect: Cython }, 0..1),
        // The input that Cython's own checker never returns from.
        (Cython, "T{(2, 3)i:v:}", K::Space { dialect: Cython }, 5..6),
    ];
    for (dialect, text, kind, span) in rows {
        if kind == (K::TooLarge { limit: SIZE }) && cfg!(not(target_pointer_width = "64")) {
            continue;
        }
        let error = Format::parse_as(dialect, text).expect_err(text);
        assert_eq!((error.kind(), error.span()), (kind, span), "{dialect} {text:?}");
        assert_eq!(error.input(), text);
        assert!(!error.to_string().contains('\n') && !error.hint().is_empty());
    }
    let deep = "T{".repeat(MAX_DEPTH + 1);
    assert_eq!(Format::parse(&deep).unwrap_err().kind(), K::TooDeep { limit: MAX_DEPTH });
    let wide = format!("({}1)i", "1,".repeat(MAX_DIMS));
    assert_eq!(Format::parse(&wide).unwrap_err().kind(), K::TooManyDimensions { limit: MAX_DIMS });
}

#[test]
fn the_picture_points_at_the_place() {
    let picture = |text: &str| Format::parse(text).unwrap_err().render();
    assert_eq!(
        picture("T{i:größe:Zi}"),
        "error: 'Z' has no real type after it\n  | T{i:größe:Zi}\n  |           ^^\n  = hint: 'Z' needs a real type after it: Zf, Zd or Zg"
    );
    assert_eq!(
        picture("i\n\tk"),
        "error: 'k' is not a type code\n  | i··k\n  |    ^\n  = hint: the codes are x c b B ? h H i I l L q Q n N e f d g s p u w P O t Zf Zd T{} & X{}"
    );
    let long = format!("{}k{}", "i".repeat(1000), "d".repeat(1000));
    for line in picture(&long).lines().take(3) {
        assert!(line.chars().count() < 100, "{line}");
    }
    let caret = picture(&long).lines().nth(2).unwrap().find('^').unwrap();
    assert_eq!(picture(&long).lines().nth(1).unwrap().chars().nth(caret), Some('k'));
    assert_eq!(picture("3").lines().nth(2), Some("  |  ^"));
}
