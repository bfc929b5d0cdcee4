//! The book's chapters on the program and on faults: every session they show is run, and must still print what is printed
//! there.
//!
//! A session is a block of `text` whose first line is `$ extbuf …`. Lines that hold times are compared by their first
//! word. What a plan does depends on the vector instructions of the machine; the book shows it with AVX-512, and
//! elsewhere the loops and the kernel are not compared.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

/// The words of a command line; single quotes keep one together.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![];
    for (number, part) in line.split('\'').enumerate() {
        if number % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

fn comparable(line: &str) -> &str {
    if line.starts_with("  copied") || line.starts_with("  written") {
        line.split_whitespace().next().unwrap()
    } else {
        line
    }
}

/// Whether a line shows how a plan moves the items.
fn is_of_a_plan(line: &str) -> bool {
    line.starts_with("  load loop ") || line.starts_with("  loop ") || line.contains("-byte units, ")
}

fn plans_are_those_of_the_book() -> bool {
    #[cfg(target_arch = "x86_64")]
    return is_x86_feature_detected!("avx512vbmi");
    #[cfg(not(target_arch = "x86_64"))]
    return false;
}

#[test]
#[cfg(all(target_endian = "little", target_pointer_width = "64"))]
fn the_sessions_of_the_chapters_are_as_printed() {
    assert!(sessions_of("program.md") >= 4);
    assert!(sessions_of("faults.md") >= 1);
}

#[cfg(all(target_endian = "little", target_pointer_width = "64"))]
fn sessions_of(name: &str) -> usize {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = root.join("docs/src").join(name);
    let chapter = fs::read_to_string(&page).unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("docs/photo")).unwrap();
    let photo = "docs/photo/chelsea.png";
    fs::copy(root.join(photo), folder.path().join(photo)).unwrap();

    let write = env::var_os("EXTBUF_BOOK").is_some_and(|what| what == "write");
    let mut mended = chapter.clone();
    let mut sessions = 0;
    for block in chapter.split("```text\n$ extbuf ").skip(1) {
        let session = block.split("```").next().unwrap();
        let (command, shown) = session.split_once('\n').unwrap();
        let done = Command::new(env!("CARGO_BIN_EXE_extbuf"))
            .current_dir(&folder)
            .args(words(command))
            .env_remove("COLUMNS")
            .output()
            .unwrap();
        let printed = String::from_utf8([done.stdout, done.stderr].concat()).unwrap();
        let lines = |text: &str| {
            let lines = text.lines().filter(|line| plans_are_those_of_the_book() || !is_of_a_plan(line));
            lines.map(|line| comparable(line).to_owned()).collect::<Vec<_>>()
        };
        if write {
            mended = mended.replace(session, &format!("{command}\n{printed}"));
        } else {
            assert_eq!(lines(&printed), lines(shown), "extbuf {command}");
        }
        sessions += 1;
    }
    if write {
        fs::write(page, mended).unwrap();
    }
    sessions
}
