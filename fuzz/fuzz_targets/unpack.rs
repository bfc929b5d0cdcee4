//! Any format over any bytes: a value or an error; a value packs to bytes that unpack to it again.
#![no_main]

use extbuf_format::Format;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &[u8])| {
    let (text, bytes) = input;
    let Ok(format) = Format::parse(text) else { return };
    let size = format.itemsize();
    if size > 1 << 12 {
        assert!(format.unpack(bytes).is_err());
        return;
    }
    let mut item = vec![0; size];
    let given = bytes.len().min(size);
    item[..given].copy_from_slice(&bytes[..given]);
    let Ok(value) = format.unpack(&item) else { return };
    let mut again = vec![0xaa; size];
    if let Err(error) = format.pack(&value, &mut again) {
        panic!("{text:?}: what was read cannot be written: {error}");
    }
    // Not-a-numbers are unequal to themselves, so the text of the value is compared.
    let second = format.unpack(&again).expect("what was written can be read");
    assert_eq!(second.to_string(), value.to_string(), "{text:?}");
});
