//! What one dialect reads, every dialect that can say it prints, and reads back as an equal format.
#![no_main]

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use extbuf_format::{Dialect, Format};
use libfuzzer_sys::fuzz_target;

fn hash(format: &Format) -> u64 {
    let mut hasher = DefaultHasher::new();
    format.hash(&mut hasher);
    hasher.finish()
}

fuzz_target!(|text: &str| {
    for dialect in Dialect::ALL {
        let Ok(format) = Format::parse_as(dialect, text) else { continue };
        for other in Dialect::ALL {
            let Ok(printed) = format.to_string_as(other) else { continue };
            let again = match Format::parse_as(other, &printed) {
                Ok(again) => again,
                Err(error) => panic!("{dialect} {text:?} as {other}: {}", error.render()),
            };
            assert_eq!(again, format, "{dialect} {text:?} as {other} is {printed:?}");
            assert_eq!(hash(&again), hash(&format), "{dialect} {text:?} as {other} is {printed:?}");
            assert_eq!(again.itemsize(), format.itemsize());
        }
    }
});
