//! What is printed is read back as an equal format, in every dialect and from every dialect to every other.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use extbuf_format::{Dialect, Format, FormatErrorKind};
use extbuf_testkit::format_texts::{grammar, text};
use proptest::prelude::*;

fn hash(format: &Format) -> u64 {
    let mut hasher = DefaultHasher::new();
    format.hash(&mut hasher);
    hasher.finish()
}

fn reads_back(dialect: Dialect, choices: &[u8]) -> Result<(), TestCaseError> {
    let written = text(&grammar(dialect.name()), choices);
    let format = match Format::parse_as(dialect, &written) {
        Ok(format) => format,
        Err(error) => return Err(TestCaseError::fail(error.render())),
    };
    for other in Dialect::ALL {
        let printed = match format.to_string_as(other) {
            Ok(printed) => printed,
            Err(error) => {
                let cannot_say = matches!(error.kind(), FormatErrorKind::CannotSay { .. });
                prop_assert!(cannot_say && other != dialect, "{dialect} {written:?} in {other}: {error}");
                continue;
            }
        };
        let again = Format::parse_as(other, &printed)
            .map_err(|e| TestCaseError::fail(format!("{dialect} {written:?} as {other}:\n{}", e.render())))?;
        prop_assert_eq!(&again, &format, "{} {:?} as {} is {:?}", dialect, written, other, printed);
        prop_assert_eq!(again.itemsize(), format.itemsize());
        prop_assert_eq!(hash(&again), hash(&format), "{:?} and {:?}", written, printed);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, max_shrink_iters: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn pep3118(choices in prop::collection::vec(any::<u8>(), 0..120)) {
        reads_back(Dialect::Pep3118, &choices)?;
    }

    #[test]
    fn the_struct_module(choices in prop::collection::vec(any::<u8>(), 0..40)) {
        reads_back(Dialect::Struct, &choices)?;
    }

    #[test]
    fn numpy(choices in prop::collection::vec(any::<u8>(), 0..120)) {
        reads_back(Dialect::NumPy, &choices)?;
    }

    #[test]
    fn ctypes(choices in prop::collection::vec(any::<u8>(), 0..120)) {
        reads_back(Dialect::Ctypes, &choices)?;
    }

    #[test]
    fn cython(choices in prop::collection::vec(any::<u8>(), 0..120)) {
        reads_back(Dialect::Cython, &choices)?;
    }
}
