//! Hostile texts: bounded stack, linear time, memory in proportion to the text, and never a panic.

use std::time::{Duration, Instant};

use extbuf_format::{Codec, Dialect, Format, MAX_DEPTH, ParseErrorKind as K};

/// A stack of 256 KiB, as a thread of a small machine has.
fn on_a_small_stack(work: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(256 << 10).spawn(work).unwrap().join().unwrap();
}

#[test]
fn depth_is_bounded_and_the_stack_with_it() {
    on_a_small_stack(|| {
        for opened in ["T{", "&", "(2)T{", "[a;", "T{&"] {
            for times in [MAX_DEPTH + 1, 2_000, 500_000] {
                for dialect in Dialect::ALL {
                    assert!(Format::parse_as(dialect, &opened.repeat(times)).is_err(), "{opened}");
                }
            }
        }
        let closed = format!("{}i{}", "T{".repeat(1_000_000), "}".repeat(1_000_000));
        assert_eq!(Format::parse(&closed).unwrap_err().kind(), K::TooDeep { limit: MAX_DEPTH });
        assert!(Format::parse(&format!("{}i", "&".repeat(1_000_000))).is_err());

        // The deepest that is read goes through everything else that recurses.
        let text = format!("{}b{}", "T{b".repeat(MAX_DEPTH), "}".repeat(MAX_DEPTH));
        let format = Format::parse(&text).unwrap();
        assert_eq!(Format::parse(&format.to_string()).unwrap(), format);
        let bytes = vec![7; format.itemsize()];
        let value = format.unpack(&bytes).unwrap();
        let mut again = vec![0; bytes.len()];
        format.pack(&value, &mut again).unwrap();
        assert_eq!(again, bytes);
        let codec = Codec::new(&format).unwrap();
        assert_eq!(codec.unpack_from(&bytes, 0).unwrap(), value);
        assert_eq!(format.outline().len(), 2 * MAX_DEPTH);
        assert_eq!(format, format.clone());
        let pointers = Format::parse(&format!("{}i", "&".repeat(MAX_DEPTH))).unwrap();
        assert_eq!(Format::parse(&pointers.to_string()).unwrap(), pointers);
    });
}

/// Much of one thing, each in time that a quadratic pass would not keep.
#[test]
fn time_is_linear() {
    // What is refused at once in a megabyte; what becomes a tree, in an eighth of it.
    let (mega, much) = (1 << 20, 1 << 17);
    let texts = [
        "(".repeat(mega),
        ")".repeat(mega),
        ":".repeat(mega),
        "0x".repeat(much),
        "x".repeat(much),
        "ib".repeat(much / 2),
        "i".repeat(much),
        "9".repeat(mega),
        "<".repeat(mega),
        " ".repeat(mega),
        "T{}".repeat(much / 3),
        "3t".repeat(much / 2),
        "[bfloat16]".repeat(much / 10),
        "X{".repeat(mega / 2),
        "[".repeat(mega),
        "[a;".repeat(mega / 3),
        format!("({}1)i", "1,".repeat(mega / 2)),
        format!("i:{}:", "n".repeat(mega)),
        (0..much / 16).map(|i| format!("i:name{i}:")).collect(),
        format!("{}i:name1:", (0..much / 16).map(|i| format!("i:name{i}:")).collect::<String>()),
        format!("{}T{{ib}}T{{ib}}{}", "T{b".repeat(60), "}".repeat(60)),
        "[a;T{i:x:}]".repeat(much / 11),
        "T{ib}T{bi}".repeat(much / 10),
        "é".repeat(mega / 2),
        "\0".repeat(mega),
    ];
    for text in texts {
        for dialect in Dialect::ALL {
            let time = || {
                let start = Instant::now();
                there_and_back(&text, dialect);
                start.elapsed()
            };
            // A busy machine may stop a process for longer than that, but hardly twice.
            let limit = Duration::from_secs(20);
            let (first, shown) = (time(), text.chars().take(12).collect::<String>());
            assert!(first < limit || time() < limit, "{shown:?} in {dialect}: {first:?}, and once more");
        }
    }
}

/// Parses, prints and parses again, or renders the refusal.
fn there_and_back(text: &str, dialect: Dialect) {
    match Format::parse_as(dialect, text) {
        Ok(format) => {
            match format.to_string_as(dialect) {
                Ok(printed) => assert_eq!(Format::parse_as(dialect, &printed).unwrap(), format),
                // A repeat that NumPy has no number for.
                Err(error) => assert!(dialect == Dialect::NumPy, "{error}"),
            }
            assert!(format.outline().len() <= 3 * text.len() + 1);
        }
        Err(error) => assert!(error.render().len() < 1000),
    }
}

#[test]
fn counts_do_not_become_memory() {
    let largest = format!("{}x", isize::MAX);
    let mut texts = vec!["500000000i", "(1000,1000000)b", "200000000T{ib}", "T{1000000000h}", &largest];
    if cfg!(target_pointer_width = "64") {
        texts.extend(["1000000000i", "(1000000000,1000000000)b", "1000000000T{ib}"]);
    }
    for text in texts {
        let format = Format::parse(text).unwrap();
        assert!(format.outline().len() < 8, "{text}");
        assert!(format.to_string().len() < 40, "{text}");
        assert_eq!(format, Format::parse(text).unwrap());
        assert!(format.unpack(&[0; 16]).is_err());
        Codec::new(&format).unwrap();
    }
    assert_eq!(
        Format::parse("500000000i").unwrap().fields().nth(499_999_999).unwrap().offset(),
        1_999_999_996
    );
    for text in [
        "9223372036854775808x",
        "(9223372036854775807,2)b",
        "9223372036854775807x1x",
        "4611686018427387904w",
        "(0,9223372036854775808)b",
        // As many items without bytes as can be counted, and one more.
        "9223372036854775807T{}T{}",
    ] {
        assert!(matches!(Format::parse(text).unwrap_err().kind(), K::TooLarge { .. }), "{text}");
    }
}

/// Every text of up to three characters from the alphabet, in every dialect: an answer, never a panic.
#[test]
fn every_short_text() {
    let alphabet = "xcbiqZfgspwutOP&TX{}[](),:@<^=2 0$;k\0é";
    let letters: Vec<char> = alphabet.chars().collect();
    let mut text = String::new();
    let mut read = 0u32;
    for &a in &letters {
        for &b in &letters {
            for &c in &letters {
                text.clear();
                text.extend([a, b, c]);
                for dialect in Dialect::ALL {
                    match Format::parse_as(dialect, &text) {
                        Ok(format) => {
                            read += 1;
                            if let Ok(printed) = format.to_string_as(dialect) {
                                assert_eq!(
                                    Format::parse_as(dialect, &printed).as_ref(),
                                    Ok(&format),
                                    "{text:?}"
                                );
                            }
                        }
                        Err(error) => assert!(text.get(error.span()).is_some(), "{text:?}"),
                    }
                }
            }
        }
    }
    assert!(read > 10_000, "most of the alphabet is read by somebody: {read}");
}
