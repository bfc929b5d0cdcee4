//! Any text in any dialect: a format or an error whose span lies in the text, never a panic.
#![no_main]

use extbuf_format::{Dialect, Format, tokens};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for dialect in Dialect::ALL {
        match Format::parse_as(dialect, text) {
            Ok(format) => {
                assert!(format.itemsize() <= isize::MAX as usize);
                assert!(format.alignment().is_power_of_two());
                let lines = format.outline();
                assert!(lines.iter().all(|l| l.offset + l.size <= format.itemsize()));
            }
            Err(error) => {
                let span = error.span();
                assert!(span.start <= span.end && span.end <= text.len());
                assert!(text.get(span).is_some(), "the span cuts a character");
                let _ = (error.to_string(), error.render());
            }
        }
    }
    let mut at = 0;
    for token in tokens(text) {
        let Ok(token) = token else { return };
        assert_eq!(token.span.start, at);
        at = token.span.end;
    }
    assert_eq!(at, text.len());
});
