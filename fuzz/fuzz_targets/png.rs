//! Any bytes as a PNG file: refused, or rows of which every sample can be read; written and read again they are the same
//! samples. Check sums are not asked for, which the program does, so that more than headers is reached.
#![no_main]

#[allow(dead_code)]
#[path = "../../crates/extbuf-cli/src/npy/mod.rs"]
mod npy;
#[allow(dead_code)]
#[path = "../../crates/extbuf-cli/src/png.rs"]
mod picture;
#[allow(dead_code)]
#[path = "../../crates/extbuf-cli/src/units.rs"]
mod units;

use extbuf::copy::to_vec;
use extbuf::layout::Order;
use extbuf::protocol::{Exporter, Request};
use libfuzzer_sys::fuzz_target;

/// The same file with the check sums that its chunks should have.
fn mended(file: &[u8]) -> Vec<u8> {
    let mut out = file.to_vec();
    let mut at = picture::MAGIC.len();
    while let Some(length) = out.get(at..at + 4) {
        let length = u32::from_be_bytes(length.try_into().expect("four bytes")) as usize;
        let end = at.saturating_add(8).saturating_add(length);
        if end.saturating_add(4) > out.len() {
            break;
        }
        let sum = crc32(&out[at + 4..end]);
        out[end..end + 4].copy_from_slice(&sum.to_be_bytes());
        at = end + 4;
    }
    out
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |sum, &byte| {
        (0..8).fold(sum ^ u32::from(byte), |sum, _| sum >> 1 ^ if sum & 1 == 1 { 0xedb8_8320 } else { 0 })
    })
}

fuzz_target!(|file: &[u8]| {
    let file = mended(file);
    let read = match picture::read(&file) {
        Ok(read) => read,
        Err(message) => {
            assert!(!message.is_empty());
            return;
        }
    };
    let window = read.rows.window(Request::FULL_RO).expect("nobody else has it");
    let view = window.view();
    let samples = to_vec(&view, Order::C).expect("small");
    assert_eq!(samples.len(), view.nbytes());
    let pixels = picture::pixels(view.format(), view.shape()).expect("a picture");
    let mut body = samples.clone();
    let mut out = tempfile::tempfile().expect("a temporary file");
    picture::write::<std::io::Error>(&mut out, pixels, |sink| sink(&mut body)).expect("writing to memory");
    let mut again = Vec::new();
    {
        use std::io::{Read, Seek};
        out.rewind().expect("a file");
        out.read_to_end(&mut again).expect("a file");
    }
    let again = picture::read(&again).expect("what was written");
    let again = again.rows.window(Request::FULL_RO).expect("nobody else has it");
    assert!(again.shape() == view.shape() && to_vec(&again.view(), Order::C).expect("small") == samples);
});
