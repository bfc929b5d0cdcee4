//! The book's page "What can go wrong" against the program: every message it shows is the one that is given, every
//! fault has tests, and every test of a fault is named there.
//!
//! With `EXTBUF_BOOK=write` in the environment the answers and the names are written into the page instead.
#![cfg(all(target_pointer_width = "64", target_endian = "little"))]

use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use extbuf::copy::{CopyOptions, Plan, Progress, convert, to_vec};
use extbuf::format::{Codec, Format, Value};
use extbuf::layout::{Layout, LayoutSpec, LevelSpec, Order, s};
use extbuf::prelude::{
    Access, Array, Buffer, Element, Exporter, Memory, Request, Rows, View, ViewMut, Window,
};

const FAULTS: u32 = 30;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn no<T, E: ToString>(result: Result<T, E>) -> String {
    match result {
        Ok(_) => panic!("was not refused"),
        Err(error) => error.to_string(),
    }
}

fn line(itemsize: usize, items: usize) -> Layout {
    Layout::contiguous(itemsize, &[items], Order::C).unwrap()
}

fn window(text: &str, bytes: Vec<u8>) -> Window<'static> {
    let format = Format::parse(text).unwrap();
    let layout = line(format.itemsize(), bytes.len() / format.itemsize());
    Array::new(Memory::from_vec(bytes), layout, format).unwrap().window(Request::FULL).unwrap()
}

/// What each fault is answered with: the input in words, and what extbuf says of it.
fn answers(fault: u32) -> Vec<(String, String)> {
    let mut said = Vec::new();
    let mut ask = |input: &str, answer: String| said.push((input.to_owned(), answer));
    let five = line(4, 5);
    match fault {
        3 => {
            let buffer = Buffer::from_vec(vec![0u8; 8]);
            let held = buffer.window(Request::FULL_RO).unwrap();
            ask("to write, while one window reads", no(buffer.window(Request::FULL)));
            drop(held);
            buffer.window(Request::FULL).unwrap();
        }
        4 => {
            let mut buffer = Buffer::from_vec(vec![7u8; 4]);
            let both = (buffer.window(Request::FULL_RO).unwrap(), buffer.window(Request::FULL_RO).unwrap());
            ask("to resize a buffer that two windows look at", no(buffer.resize(1 << 20)));
            drop(both);
        }
        6 => {
            let memory = Memory::from_vec(vec![0u8; 8]);
            let both = (memory.lease(Access::Read).unwrap(), memory.lease(Access::Read).unwrap());
            ask("a lease that writes, beside two that read", no(memory.lease(Access::Write)));
            drop(both);
            let _writer = memory.lease(Access::Write).unwrap();
            ask("a lease that reads, beside one that writes", no(memory.lease(Access::Read)));
        }
        7 => {
            let shape = |shape: &[usize]| no(Layout::contiguous(1, shape, Order::C));
            ask("shape (2**32, 2**32), itemsize 1", shape(&[1 << 32, 1 << 32]));
            ask(
                "shape (3, 7, 29, 36760123, 823996703), itemsize 1",
                shape(&[3, 7, 29, 36_760_123, 823_996_703]),
            );
        }
        8 => {
            ask("shape (2, 3), strides (1, 2**63 - 1)", no(Layout::strided(1, &[2, 3], &[1, isize::MAX], 0)));
            ask("shape (3,), strides (-2**63,)", no(Layout::strided(1, &[3], &[isize::MIN], 0)));
        }
        9 => {
            let back = Layout::strided(4, &[5], &[-4], 0).unwrap();
            ask("5 items of 4 bytes in a block of 18", no(five.check_inside(18)));
            ask(
                "the same with strides (-4,), from the first item of a block of 20",
                no(back.check_inside(20)),
            );
            let memory = Memory::from_vec(vec![0u8; 18]);
            ask("lent as an array", no(Array::new(memory, five, i32::FORMAT)));
        }
        10 => {
            ask("a[::0]", no(five.slice(s![..;0])));
            ask("a[5] of 5 items", no(five.index_axis(0, 5)));
            ask("a[-6] of 5 items", no(five.index_axis(0, -6)));
        }
        11 => {
            ask("5 items of 4 bytes cast to items of 0", no(five.cast(0)));
            let codec = Codec::new(&Format::parse("T{}").unwrap()).unwrap();
            ask("to take 8 bytes apart into items of `T{}`", no(codec.iter_unpack(&[0; 8]).map(drop)));
        }
        12 => {
            ask("a shape of 65 axes", no(Layout::contiguous(4, &[1; 65], Order::C)));
        }
        13 => {
            let claim = |shape: &[isize], strides: &[isize]| {
                let levels = [LevelSpec { offset: 0, strides }];
                no(Layout::new(&LayoutSpec { itemsize: 4, shape, levels: &levels }))
            };
            ask("shape (2, 3), strides (4,)", claim(&[2, 3], &[4]));
            ask("shape (2, -3)", claim(&[2, -3], &[12, 4]));
            let memory = Memory::from_vec(vec![0u8; 20]);
            ask("itemsize 4, format d", no(Array::new(memory, five, f64::FORMAT)));
        }
        14 => {
            let comb = Layout::strided(1, &[2, 3], &[12, 4], 0).unwrap();
            let comb = Array::new(Memory::from_vec(vec![0u8; 24]), comb, u8::FORMAT).unwrap();
            let rows = Rows::from_vecs(vec![vec![1u8; 3], vec![2; 3]], &[3]).unwrap();
            ask("ND, of every fourth byte", no(comb.window(Request::ND)));
            ask("STRIDES, of rows behind pointers", no(rows.window(Request::STRIDES)));
            ask("PyBUF bits 0x010, strides without a shape", no(Request::from_bits(0x010)));
        }
        15 => {
            let levels =
                [LevelSpec { offset: 0, strides: &[8, 0] }, LevelSpec { offset: 0, strides: &[0, 1] }];
            let table = Layout::new(&LayoutSpec { itemsize: 1, shape: &[2, 3], levels: &levels }).unwrap();
            let memory = Memory::from_vec(vec![0u8; 16]);
            ask("16 zero bytes as a table of two rows", no(Array::new(memory, table, u8::FORMAT)));
            ask("rows of 2 bytes and of 1", no(Rows::from_vecs(vec![vec![1u8, 2], vec![3]], &[2])));
            let row = [1u8, 2, 3];
            let twice = Rows::from_slices(&[&row[..], &row], &[3]).unwrap();
            ask("to write rows that are one row twice", no(twice.window(Request::FULL)));
        }
        16 => {
            let folded = |stride| Layout::strided(4, &[5], &[stride], 0).unwrap();
            ask("to copy into items of 4 bytes with strides (0,)", no(Plan::new(&folded(0), &five)));
            ask("to copy into items of 4 bytes with strides (3,)", no(Plan::new(&folded(3), &five)));
            let array = Array::new(Memory::from_vec(vec![0u8; 20]), folded(3), i32::FORMAT).unwrap();
            ask("to write a view of them", no(array.window(Request::FULL)));
        }
        17 => {
            let bytes = [1u8, 2, 3];
            ask("to write a slice that is lent for reading", no((&bytes).window(Request::FULL)));
            let mut reading = Buffer::from_vec(vec![1u8]).window(Request::FULL_RO).unwrap();
            ask("to write a window that was asked for reading", no(reading.view_mut()));
        }
        18 => {
            let packed = window("T{<B:tag:<d:x:}", vec![0; 36]);
            ask("the field x of 9-byte records as f64", no(packed.view().field("x").unwrap().typed::<f64>()));
        }
        19 => ask(">q taken for an i64", no(Format::parse(">q").unwrap().matches::<i64>())),
        20 => {
            ask("byte 2 read as a bool", no(window("?", vec![0, 2]).view().get::<bool>(&[1])));
            let half = Format::parse("<w").unwrap();
            ask("0xd800 read as a character", no(half.unpack(&0xd800u32.to_le_bytes())));
        }
        21..=24 => {
            let deep = "T{".repeat(65);
            let texts: &[&str] = match fault {
                21 => &[
                    "99999999999999999999i",
                    "(99999999999,99999999999)d",
                    "6107082938247334i9221070829382473344q",
                ],
                22 => &["(1,2", "()i", "(3,)i", "(-1)i", "T{i:a", "}", "Zi", "X{", "i\0", "iü"],
                23 => &[&deep],
                _ => &["T{i:a:i:a:}", "i:a\0b:"],
            };
            for text in texts {
                let input = if fault == 23 { "T{ 65 times".into() } else { text.escape_debug().to_string() };
                ask(&input, no(Format::parse(text)));
            }
        }
        25 => {
            let short = Format::parse("T{<B:a:<I:b:}").unwrap();
            ask("T{<B:a:<I:b:} and an itemsize of 8", no(short.check_itemsize(8)));
            ask("padded to an itemsize of 4", no(short.with_itemsize(4)));
        }
        26 => {
            let objects = window("O", vec![0; 16]);
            ask("O, moved", no(to_vec(&objects.view(), Order::C)));
            ask("O, cast to B", no(objects.view().cast(u8::FORMAT)));
            ask(
                "T{i:id:O:owner:}, unpacked",
                no(Format::parse("T{i:id:O:owner:}").unwrap().unpack(&[0; 16])),
            );
        }
        27 => {
            let numbers = [1u16, 2, 300];
            let mut bytes = [0u8; 3];
            let narrow = convert(&mut ViewMut::from_slice(&mut bytes), &View::from_slice(&numbers));
            ask("1, 2 and 300 converted to B", no(narrow));
            let hb = Format::parse("HB").unwrap();
            let pair = Value::Tuple(vec![Value::UInt(1), Value::UInt(300)]);
            ask("(1, 300) packed as HB", no(hb.pack(&pair, &mut [0; 3])));
            let vast = View::from_slice(&bytes[..1]).broadcast_to(&[1 << 30, 1 << 30]).unwrap();
            ask("2**60 bytes in one vector", no(to_vec(&vast, Order::C)));
            let large = vec![0u64; 1 << 19];
            let stop = |p: Progress| {
                if p.bytes_done > 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            };
            let threads = extbuf::copy::Threads::ONE;
            let options = CopyOptions { threads, progress: Some(&stop), ..CopyOptions::default() };
            let reversed = View::from_slice(&large).reverse_axis(0).unwrap();
            ask("4 MiB, stopped after the first part", no(options.to_vec(&reversed, Order::C)));
        }
        28 => ask("true when it was proven, 2 when it is read", {
            no(window("?", vec![2]).view().get::<bool>(&[0]))
        }),
        30 => {
            let as_i64 = |text: &str| no(Format::parse(text).unwrap().matches::<i64>());
            ask("d taken for an i64", as_i64("d"));
            ask("i taken for an i64", as_i64("i"));
            ask("4s taken for a [u8; 4]", no(Format::parse("4s").unwrap().matches::<[u8; 4]>()));
        }
        _ => {}
    }
    said
}

/// The block of the page: a line for each, or two where that would be long.
fn block(fault: u32) -> String {
    let lines = answers(fault).into_iter().map(|(input, answer)| {
        let line = format!("{input}  →  {answer}\n");
        if line.chars().count() < 90 { line } else { format!("{input}\n    {answer}\n") }
    });
    format!("{BEGIN}{}```", lines.collect::<String>())
}

const BEGIN: &str = "```text,answers\n";

/// The tests of each fault: room and name, in the order of the rooms and of their files.
fn tests() -> BTreeMap<u32, Vec<(String, Vec<String>)>> {
    let mut found: BTreeMap<u32, Vec<(String, Vec<String>)>> = BTreeMap::new();
    for (room, file) in [
        ("extbuf-format", "tests/faults.rs"),
        ("extbuf-layout", "tests/faults.rs"),
        ("extbuf-protocol", "tests/faults.rs"),
        ("extbuf-copy", "tests/faults.rs"),
        ("extbuf-python", "tests/python/test_faults.py"),
        ("extbuf-cli", "tests/faults.rs"),
    ] {
        let path = root().join("crates").join(room).join(file);
        let source = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for line in source.lines().map(str::trim_start) {
            let Some(name) = line.strip_prefix("fn ").or_else(|| line.strip_prefix("def test_")) else {
                continue;
            };
            let Some(rest) = name.strip_prefix("fault_") else { continue };
            let fault: u32 = rest[..2].parse().expect("two digits");
            let name = name.split('(').next().unwrap().to_owned();
            let rooms = found.entry(fault).or_default();
            match rooms.last_mut().filter(|(last, _)| last == room) {
                Some((_, names)) => names.push(name),
                None => rooms.push((room.to_owned(), vec![name])),
            }
        }
    }
    found
}

/// The line that names them.
fn names(rooms: &[(String, Vec<String>)]) -> String {
    let rooms = rooms.iter().map(|(room, names)| format!("{room} `{}`", names.join("`, `")));
    format!("Tests: {}", rooms.collect::<Vec<_>>().join("; "))
}

#[test]
fn every_fault_has_its_messages_and_its_tests_on_the_page() {
    let path = root().join("docs/src/faults.md");
    let page = fs::read_to_string(&path).unwrap();
    let tests = tests();
    assert_eq!(
        tests.keys().copied().collect::<Vec<_>>(),
        (1..=FAULTS).collect::<Vec<_>>(),
        "one without a test"
    );
    let mut sections = page.split("\n### ");
    let mut written = sections.next().unwrap().to_owned();
    let mut faults = 0;
    for section in sections {
        faults += 1;
        assert!(section.starts_with(&format!("{faults}. ")), "the order of the page: {section:.20}");
        // The answers are the last block of text before the tests, or before the program's own session.
        let (body, rest) = section.split_once("\nTests: ").expect("names of tests");
        let after = rest.split_once('\n').map_or("", |(_, after)| after);
        let (answers, mut body) = (block(faults), body.to_owned());
        let given = self::answers(faults);
        if !given.is_empty() {
            let at = body.find(BEGIN).expect("a place for the answers");
            let end = body[at..].find("\n```\n").map_or(body.len(), |end| at + end + "\n```".len());
            if std::env::var_os("EXTBUF_BOOK").is_none() {
                assert_eq!(&body[at..end], answers, "fault {faults}");
            }
            body.replace_range(at..end, &answers);
        }
        let names = names(&tests[&faults]);
        if std::env::var_os("EXTBUF_BOOK").is_none() {
            assert_eq!(
                section.lines().find(|line| line.starts_with("Tests: ")),
                Some(names.as_str()),
                "fault {faults}"
            );
        }
        written.push_str(&format!("\n### {body}\n{names}\n{after}"));
    }
    assert_eq!(faults, FAULTS);
    if std::env::var_os("EXTBUF_BOOK").is_some_and(|what| what == "write") {
        fs::write(path, written).unwrap();
    }
}

/// One line, lower case, no full stop, and numbers where there are any.
#[test]
fn every_message_is_one_plain_line() {
    for fault in 1..=FAULTS {
        for (input, answer) in answers(fault) {
            assert!(!answer.contains('\n') && !answer.ends_with('.'), "{fault}: {answer}");
            assert!(!answer.starts_with(char::is_uppercase) && answer.len() < 200, "{fault}: {answer}");
            assert!(!input.is_empty());
        }
    }
}
