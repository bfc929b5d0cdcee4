//! Random texts against CPython's struct and NumPy, answer by answer.
//!
//! Needs an interpreter with NumPy, so it runs when it is asked for by name:
//!
//! ```text
//! EXTBUF_PYTHON=…/bin/python cargo test -p extbuf-format --test python
//! ```
#![cfg(all(target_arch = "x86_64", target_os = "linux"))]

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use extbuf_format::{Dialect, Format, Value};
use extbuf_testkit::format_texts::{grammar, text};

/// Bytes that look random and are the same in every run.
struct Random(u64);

impl Random {
    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count)
            .map(|_| {
                self.0 ^= self.0 << 13;
                self.0 ^= self.0 >> 7;
                self.0 ^= self.0 << 17;
                (self.0 >> 32) as u8
            })
            .collect()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// One line for each question, in order.
fn ask(questions: &[(&str, String, Vec<u8>)]) -> Vec<String> {
    let python = std::env::var("EXTBUF_PYTHON").unwrap_or_else(|_| "python3".into());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/answer.py");
    let mut child = Command::new(&python)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| panic!("{python}: {e}"));
    let mut input = child.stdin.take().unwrap();
    let lines: String = questions
        .iter()
        .map(|(kind, text, data)| format!("{kind} {} {}\n", hex(text.as_bytes()), hex(data)))
        .collect();
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let answers: Vec<String> = String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
    assert_eq!(answers.len(), questions.len(), "the interpreter gave up");
    answers
}

fn shown(value: &Value) -> String {
    match value {
        Value::Bool(b) => format!("?{}", u8::from(*b)),
        Value::Int(n) => n.to_string(),
        Value::UInt(n) => n.to_string(),
        Value::Float(x) if x.is_nan() => "nan".into(),
        Value::Float(x) => format!("f{:016x}", x.to_bits()),
        Value::Bytes(bytes) => format!("b{}", hex(bytes)),
        other => panic!("struct has no {other:?}"),
    }
}

fn of_struct(text: &str, data: &[u8]) -> String {
    let Ok(format) = Format::parse_as(Dialect::Struct, text) else { return "-".into() };
    let value = format.unpack(&data[..format.itemsize()]).unwrap();
    let mut again = vec![0; format.itemsize()];
    format.pack(&value, &mut again).unwrap();
    let bytes = if again.is_empty() { ".".into() } else { hex(&again) };
    let mut out = format!("{} {bytes}", format.itemsize());
    let values =
        if let Value::Tuple(values) = &value { values.as_slice() } else { std::slice::from_ref(&value) };
    values.iter().for_each(|value| out.extend([" ", &shown(value)]));
    out
}

fn of_numpy(text: &str) -> String {
    let Ok(format) = Format::parse_as(Dialect::NumPy, text) else { return "-".into() };
    let mut out = format.itemsize().to_string();
    for field in format.fields() {
        let _ = write!(out, " {}:{}", field.offset(), field.format().itemsize());
    }
    out
}

#[test]
fn struct_reads_and_writes_the_same() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    // The complex codes are newer than most interpreters, and a not-a-number may change its payload there.
    let mut grammar = grammar("struct");
    let codes: Vec<&str> = grammar.codes.iter().copied().filter(|c| !["F", "D"].contains(c)).collect();
    grammar.codes = codes.leak();
    let questions: Vec<_> = (0..4000)
        .map(|i| ("struct", text(&grammar, &random.bytes(i % 40)), random.bytes(400)))
        // CPython 3.11 reads the length of a Pascal string without bytes from its neighbour, and raises.
        .filter(|(_, text, _)| !text.contains("0p"))
        .filter(|(_, text, _)| Format::parse_as(Dialect::Struct, text).is_ok_and(|f| f.itemsize() <= 400))
        .collect();
    assert!(questions.len() > 3000);
    for ((_, text, data), answer) in questions.iter().zip(ask(&questions)) {
        let ours = of_struct(text, data);
        if ours.contains("nan") {
            assert_eq!(
                ours.split(' ').skip(2).collect::<Vec<_>>(),
                answer.split(' ').skip(2).collect::<Vec<_>>(),
                "{text:?}"
            );
        } else {
            assert_eq!(ours, answer, "{text:?} over {}", hex(data));
        }
    }
}

#[test]
fn numpy_lays_out_the_same() {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let questions: Vec<_> =
        (0..6000).map(|i| ("numpy", text(&grammar("numpy"), &random.bytes(i % 90)), Vec::new())).collect();
    let mut refused = 0;
    for ((_, text, _), answer) in questions.iter().zip(ask(&questions)) {
        let ours = of_numpy(text);
        if answer == "-" && text.contains('0') {
            // Arrays of empty arrays are refused there in some places and taken in others.
            refused += 1;
            continue;
        }
        assert_eq!(ours, answer, "{text:?}");
    }
    assert!(refused < questions.len() / 10, "{refused} refused");
}

/// CPython's own tests of `struct` are run under a recorder; what they ask the module is asked here again.
#[test]
fn what_cpythons_own_tests_ask_is_answered_the_same() {
    let python = std::env::var("EXTBUF_PYTHON").unwrap_or_else(|_| "python3".into());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/recorded.py");
    let output = Command::new(&python).arg(script).output().unwrap_or_else(|e| panic!("{python}: {e}"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let unhex = |hex: &str| -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
    };
    let recorded = String::from_utf8(output.stdout).unwrap();
    if recorded.trim() == "absent" {
        println!("NOT COMPARED: {python} is installed without its own tests (test.test_struct)");
        return;
    }
    let (mut sizes, mut refused, mut questions) = (0, 0, Vec::new());
    for line in recorded.lines() {
        let [kind, text, rest] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        // A text that is not UTF-8 cannot be asked.
        let Ok(text) = String::from_utf8(unhex(text)) else { continue };
        match kind {
            "size" => {
                let ours = Format::parse_as(Dialect::Struct, &text).map(|format| format.itemsize());
                assert_eq!(ours.clone().ok(), rest.parse().ok(), "{text:?}: {ours:?}");
                sizes += 1;
                refused += usize::from(ours.is_err());
            }
            _ if text.contains("0p") => {}
            _ => questions.push(("struct", text, unhex(rest))),
        }
    }
    for ((_, text, data), answer) in questions.iter().zip(ask(&questions)) {
        let ours = of_struct(text, data);
        if ours.contains("nan") {
            assert!(answer.contains("nan"), "{text:?} over {}", hex(data));
        } else {
            assert_eq!(ours, answer, "{text:?} over {}", hex(data));
        }
    }
    assert!(sizes > 100 && refused > 10 && questions.len() > 10_000, "{sizes} {refused} {}", questions.len());
    println!("{sizes} sizes ({refused} refused) and {} values as CPython's own tests ask", questions.len());
}

/// Every text of up to four characters, in the order in which the script has them.
#[test]
fn every_text_of_up_to_four_characters_has_the_size_that_struct_gives_it_or_none() {
    const ALPHABET: &[u8] = b"@=<>!xcbB?hHiIlLqQnNefdspP0123456789 ";
    let python = std::env::var("EXTBUF_PYTHON").unwrap_or_else(|_| "python3".into());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/sizes.py");
    let output = Command::new(&python).args([script, std::str::from_utf8(ALPHABET).unwrap(), "4"]).output();
    let output = output.unwrap_or_else(|e| panic!("{python}: {e}"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut answers = std::str::from_utf8(&output.stdout).unwrap().lines();
    let (mut texts, mut accepted) = (0, 0);
    for length in 0..=4 {
        for number in 0..ALPHABET.len().pow(length) {
            let text: String = (0..length)
                .rev()
                .map(|k| ALPHABET[number / ALPHABET.len().pow(k) % ALPHABET.len()] as char)
                .collect();
            let answer = answers.next().expect("as many answers as texts");
            let size = Format::parse_as(Dialect::Struct, &text).map(|format| format.itemsize().to_string());
            assert_eq!(size.as_deref().unwrap_or("-"), answer, "{text:?}");
            texts += 1;
            accepted += usize::from(answer != "-");
        }
    }
    assert_eq!(answers.next(), None);
    println!(
        "{texts} texts of up to 4 characters, {accepted} of them formats: all as struct.calcsize has them"
    );
}
