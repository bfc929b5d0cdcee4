//! A single code is read without allocation, and the formats of Rust types cost none at all.

use extbuf_format::{Dialect, Element, Format};

fn allocations<T>(work: impl FnOnce() -> T) -> u64 {
    let mut kept = None;
    let info = allocation_counter::measure(|| kept = Some(work()));
    drop(kept);
    info.count_total
}

#[test]
fn single_codes_and_constants_allocate_nothing() {
    for text in ["i", "<d", "?", ">H", "^q", "O"] {
        assert_eq!(allocations(|| Format::parse(text).unwrap()), 0, "{text}");
        assert_eq!(allocations(|| Format::parse_as(Dialect::Ctypes, text).unwrap()), 0, "{text}");
    }
    assert_eq!(allocations(|| <[[f64; 4]; 4]>::FORMAT), 0);
    assert_eq!(allocations(|| <[[f64; 4]; 4]>::FORMAT.itemsize()), 0);
    let record = Format::parse("T{i:a:d:b:}").unwrap();
    assert_eq!(allocations(|| record.clone()), 0);
    assert_eq!(allocations(|| record == Format::bytes()), 0);
    assert!((1..=12).contains(&allocations(|| Format::parse("T{i:a:d:b:}").unwrap())));
}
