//! Small formats and the text they are drawn as, letter for letter; and any format drawn at any width.

use extbuf_draw::{Colour, TextOptions, TextStyle, draw_format};
use extbuf_format::{Format, ParseError};
use proptest::prelude::*;

/// The boxes, without the lines above and the legend below.
fn boxes(format: &str, columns: usize, style: TextStyle) -> Result<String, ParseError> {
    let text =
        draw_format(&Format::parse(format)?).to_text(TextOptions { columns, style, colour: Colour::None });
    let parts: Vec<&str> = text.split("\n\n").collect();
    Ok(format!("\n{}\n", parts[1..parts.len() - 1].join("\n\n").trim_end()))
}

#[test]
fn padding_and_nested_records() -> Result<(), ParseError> {
    assert_eq!(
        boxes("T{B:kind:i:id:T{<d:x:<d:y:}:corner:(2,3)>h:gain:5s:tag:}", 80, TextStyle::Unicode)?,
        "
                   ┌─ corner ──┐
┌──────┬─────┬─────┬─────┬─────┬─────────┬─────┐
│ kind │░░░░░│ id  │  x  │  y  │  gain   │ tag │
│  B   │░░░░░│  i  │ <d  │ <d  │ (2,3)>h │ >5s │
│  1   │░ 3 ░│  4  │  8  │  8  │   12    │  5  │
└──────┴─────┴─────┴─────┴─────┴─────────┴─────┘
0      1     4     8    16    24        36    41
"
    );
    Ok(())
}

#[test]
fn ascii_alone() -> Result<(), ParseError> {
    assert_eq!(
        boxes("T{B:kind:i:id:T{<d:x:<d:y:}:corner:}", 80, TextStyle::Ascii)?,
        "
                   +- corner --+
+------+-----+-----+-----+-----+
| kind |/////| id  |  x  |  y  |
|  B   |/////|  i  | <d  | <d  |
|  1   |/ 3 /|  4  |  8  |  8  |
+------+-----+-----+-----+-----+
0      1     4     8    16    24
"
    );
    Ok(())
}

#[test]
fn what_does_not_fit_goes_on_below() -> Result<(), ParseError> {
    assert_eq!(
        boxes("T{B:kind:i:id:T{<d:x:<d:y:}:corner:(2,3)>h:gain:5s:tag:}", 36, TextStyle::Unicode)?,
        "
                   ┌─ corner ──┐
┌──────┬─────┬─────┬─────┬─────┐
│ kind │░░░░░│ id  │  x  │  y  │
│  B   │░░░░░│  i  │ <d  │ <d  │
│  1   │░ 3 ░│  4  │  8  │  8  │
└──────┴─────┴─────┴─────┴─────┘
0      1     4     8    16    24

┌─────────┬─────┐
│  gain   │ tag │
│ (2,3)>h │ >5s │
│   12    │  5  │
└─────────┴─────┘
24       36    41
"
    );
    Ok(())
}

#[test]
fn repeats_are_one_box() -> Result<(), ParseError> {
    assert_eq!(
        boxes("<hhq1000000f", 80, TextStyle::Unicode)?,
        "
┌────────┬─────┬──────────────┐
│ 2 × <h │ <q  │ 1000000 × <f │
│   4    │  8  │   4000000    │
└────────┴─────┴──────────────┘
0        4    12           4000012
"
    );
    Ok(())
}

#[test]
fn of_records_in_a_row_the_first_is_opened() -> Result<(), ParseError> {
    assert_eq!(
        boxes("T{(3)T{b:x:T{h:deep:}:in:}:points:i:n:}", 80, TextStyle::Unicode)?,
        "
┌─ points (3) ───────────────┐
            ┌─ in ──┐
┌─────┬─────┬───────┬────────┬─────┐
│  x  │░░░░░│ deep  │        │  n  │
│  b  │░░░░░│   h   │ 2 more │  i  │
│  1  │░ 1 ░│   2   │   8    │  4  │
└─────┴─────┴───────┴────────┴─────┘
0     1     2       4       12    16
"
    );
    Ok(())
}

#[test]
fn bit_fields_begin_inside_a_byte() -> Result<(), ParseError> {
    assert_eq!(
        boxes("T{1t:a:2t:b:5t:c:}", 80, TextStyle::Unicode)?,
        "
┌─────┬─────┬─────┐
│  a  │  b  │  c  │
│  t  │ 2t  │ 5t  │
│  1  │  1  │  1  │
└─────┴─────┴─────┘
0    0.1   0.3    1
"
    );
    Ok(())
}

#[test]
#[cfg(target_pointer_width = "64")]
fn pointers_and_functions() -> Result<(), ParseError> {
    assert_eq!(
        boxes("&d:ptr:X{i->d}:fn:", 80, TextStyle::Unicode)?,
        "
┌─────┬─────────┐
│ ptr │   fn    │
│ &d  │ X{i->d} │
│  8  │    8    │
└─────┴─────────┘
0     8        16
"
    );
    Ok(())
}

#[test]
fn one_value() -> Result<(), ParseError> {
    assert_eq!(
        boxes(">d", 80, TextStyle::Unicode)?,
        "
┌─────┐
│ >d  │
│  8  │
└─────┘
0     8
"
    );
    Ok(())
}

fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => prop::sample::select(vec![
            "b", "i", "<d", ">h", "@q", "3x", "10s", "(2,3)h", "(0)i", "T{", "}", "}", ":name:", ":é\u{4e2d}\u{202e}:", "&", "X{}",
            "3t", "99999999f", "0s", " ", "Zd", "3w", "O", "[bfloat16]", "(4)", "2", ":a<b>&\":",
        ])
        .prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    prop::collection::vec(piece, 1..40).prop_map(|pieces| pieces.concat())
}

/// Columns that a terminal gives a line: the two wide letters of these tests count twice.
fn columns(line: &str) -> usize {
    line.chars().map(|c| 1 + usize::from(c == '\u{4e2d}')).sum()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn any_format_at_any_width(text in text(), wide in 0usize..120) {
        let format = match Format::parse(&text).or_else(|_| Format::parse(&format!("T{{{text}}}"))) {
            Ok(format) => format,
            Err(_) => return Ok(()),
        };
        let drawing = draw_format(&format);
        for style in [TextStyle::Unicode, TextStyle::Ascii] {
            for line in drawing.to_text(TextOptions { columns: wide, style, colour: Colour::None }).lines() {
                prop_assert!(columns(line) <= wide, "{line}");
                prop_assert!(!line.contains('\u{202e}'), "moves the cursor");
            }
        }
        prop_assert!(roxmltree::Document::parse(&drawing.to_svg()).is_ok());
    }
}

#[test]
fn a_record_of_many_fields_is_a_small_picture() -> Result<(), ParseError> {
    let fields: String = (0..10_000).map(|n| format!("i:field{n}:")).collect();
    let drawing = draw_format(&Format::parse(&format!("T{{{fields}}}"))?);
    assert!(drawing.to_text(TextOptions::default()).lines().count() < 60);
    assert!(drawing.to_svg().len() < 40_000);
    Ok(())
}
