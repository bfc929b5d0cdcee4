//! Any value for any format: refused with nothing written outside the item, or bytes that unpack to a value that packs to
//! the same bytes.
#![no_main]

use extbuf_format::{Format, Value};
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Clone, Debug)]
enum Given {
    Bool(bool),
    Int(i64),
    UInt(u64),
    Float(f64),
    Complex(f64, f64),
    Bytes(Vec<u8>),
    Text(String),
    Address(u64),
    List(Vec<Given>),
    Tuple(Vec<Given>),
}

fn value(given: &Given) -> Value {
    match given {
        Given::Bool(x) => Value::Bool(*x),
        Given::Int(x) => Value::Int(*x),
        Given::UInt(x) => Value::UInt(*x),
        Given::Float(x) => Value::Float(*x),
        Given::Complex(x, y) => Value::Complex(*x, *y),
        Given::Bytes(x) => Value::Bytes(x.clone()),
        Given::Text(x) => Value::Text(x.clone()),
        Given::Address(x) => Value::Address(*x),
        Given::List(x) => Value::List(x.iter().map(value).collect()),
        Given::Tuple(x) => Value::Tuple(x.iter().map(value).collect()),
    }
}

/// A value of the format, with leaves of the input in the places of some of its own.
fn mixed(of: Value, given: &mut std::slice::Iter<'_, Given>) -> Value {
    match of {
        Value::List(entries) => Value::List(entries.into_iter().map(|entry| mixed(entry, given)).collect()),
        Value::Tuple(entries) => Value::Tuple(entries.into_iter().map(|entry| mixed(entry, given)).collect()),
        leaf => given.next().map_or(leaf, value),
    }
}

fuzz_target!(|input: (&str, Vec<Given>, bool)| {
    let (text, given, shaped) = input;
    let Ok(format) = Format::parse(text) else { return };
    let size = format.itemsize();
    if size > 1 << 12 {
        return;
    }
    let wanted = if shaped {
        let Ok(zero) = format.unpack(&vec![0; size]) else { return };
        mixed(zero, &mut given.iter())
    } else {
        Value::Tuple(given.iter().map(value).collect())
    };
    let mut block = vec![0xaa; size + 16];
    if format.pack(&wanted, &mut block[8..8 + size]).is_err() {
        return;
    }
    assert!(block[..8].iter().chain(&block[8 + size..]).all(|&byte| byte == 0xaa));
    let item = block[8..8 + size].to_vec();
    let read = format.unpack(&item).unwrap_or_else(|error| panic!("{text:?}: {wanted}: {error}"));
    let mut again = vec![0xaa; size];
    format.pack(&read, &mut again).unwrap_or_else(|error| panic!("{text:?}: {read}: {error}"));
    assert_eq!(again, item, "{text:?}: {wanted} was read as {read}");
});
