//! The faults of the book's page "What can go wrong" that reach the program, by their numbers: files and command lines
//! that lie. The answer is one line under the name of the program, and no file is written or changed.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

const PROGRAM: &str = env!("CARGO_BIN_EXE_extbuf");

struct Folder(tempfile::TempDir);

impl Folder {
    fn with(files: &[(&str, &[u8])]) -> Folder {
        let folder = Folder(tempfile::tempdir().unwrap());
        for (name, bytes) in files {
            fs::write(folder.path(name), bytes).unwrap();
        }
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The one line that is said, after the program's name; nothing else may have happened.
    #[track_caller]
    fn refused(&self, arguments: &[&str], code: i32) -> String {
        let files = || {
            let entries = fs::read_dir(self.0.path()).unwrap().map(|entry| entry.unwrap().path());
            let mut files: Vec<_> = entries.map(|path| (fs::read(&path).unwrap(), path)).collect();
            files.sort();
            files
        };
        let before = files();
        let done = Command::new(PROGRAM).current_dir(&self.0).args(arguments).output().unwrap();
        let errors = String::from_utf8(done.stderr).unwrap();
        assert_eq!(done.status.code(), Some(code), "{arguments:?}: {errors}");
        assert!(done.stdout.is_empty());
        assert!(files() == before, "{arguments:?} left or changed a file");
        let said = errors.strip_prefix("extbuf: ").unwrap_or_else(|| panic!("{errors}"));
        assert!(!said.starts_with("error"), "{errors}");
        if code == 1 {
            assert_eq!(said.lines().count(), 1, "{errors}");
        }
        said.trim_end().to_owned()
    }
}

fn npy(descr: &str, order: &str, shape: &str, items: &[u8]) -> Vec<u8> {
    let text = format!("{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n");
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((text.len() as u16).to_le_bytes());
    file.extend(text.as_bytes());
    file.extend(items);
    file
}

#[test]
fn fault_07_a_header_whose_shape_wraps_is_refused_before_anything_is_made() {
    for shape in [
        "(4294967296, 4294967296)",
        "(9223372036854775808,)",
        "(0, 9223372036854775808)",
        "(3, 7, 29, 36760123, 823996703)",
        "(99999999999999999999999,)",
        "(-1,)",
    ] {
        let folder = Folder::with(&[("a.npy", &npy("'|u1'", "False", shape, b"12345")), ("o.npy", b"kept")]);
        for command in [&["show", "a.npy"][..], &["copy", "a.npy", "o.npy"]] {
            let said = folder.refused(command, 1);
            assert!(said.starts_with("a.npy: "), "{shape}: {said}");
        }
    }
    // No items at all is a file like any other.
    let folder = Folder::with(&[("a.npy", &npy("'<f8'", "False", "(0, 777777701)", b""))]);
    let done =
        Command::new(PROGRAM).current_dir(&folder.0).args(["copy", "a.npy", "o.npy"]).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

#[test]
fn fault_09_a_file_that_is_shorter_than_it_says_is_refused_with_both_numbers() {
    let whole = npy("'<i4'", "False", "(5,)", &[7; 20]);
    for missing in [1, 2, 4, 19, 20] {
        let folder = Folder::with(&[("a.npy", &whole[..whole.len() - missing])]);
        let said = folder.refused(&["copy", "a.npy", "o.npy"], 1);
        assert!(said.contains("20") && said.contains(&(20 - missing).to_string()), "{missing}: {said}");
    }
    let folder = Folder::with(&[("d.bin", b"12345")]);
    let said = folder.refused(&["show", "d.bin", "--format", "B", "--shape", "2,3"], 1);
    assert!(said.contains("6 bytes") && said.contains("5 bytes"), "{said}");
}

#[test]
fn fault_10_slices_that_cannot_be_are_refused_with_their_axis() {
    let folder = Folder::with(&[("a.npy", &npy("'|u1'", "False", "(5,)", b"12345"))]);
    for (slice, code, words) in [
        ("[::0]", 2, "column 4: a step of 0"),
        ("[5]", 1, "index 5 is outside axis 0 of extent 5"),
        ("[-6]", 1, "index -6 is outside axis 0 of extent 5"),
        ("[0, 0]", 1, "2 indices"),
        ("[..., ...]", 2, "column 7: a second '...'"),
        ("[99999999999999999999]", 2, "^"),
    ] {
        let said = folder.refused(&["copy", "a.npy", "o.npy", "--slice", slice], code);
        assert!(said.contains(words), "{slice}: {said}");
    }
}

#[test]
fn fault_12_more_axes_than_there_may_be_are_refused() {
    for axes in [65, 128, 1000] {
        let shape = format!("({})", "1, ".repeat(axes));
        let folder = Folder::with(&[("a.npy", &npy("'|u1'", "False", &shape, b"1"))]);
        let said = folder.refused(&["show", "a.npy"], 1);
        assert!(said.contains("axes") && said.contains(&axes.to_string()) && said.contains("64"), "{said}");
    }
}

#[test]
fn fault_22_a_format_that_is_none_shows_where() {
    let folder = Folder::with(&[]);
    for (text, column) in [("(1,2", 0), ("()i", 1), ("(-1)i", 1), ("T{i:a", 3), ("Zi", 0), ("}", 0)] {
        let said = folder.refused(&["explain", text], 2);
        let caret = said.lines().nth(2).unwrap().find('^').unwrap();
        assert_eq!(caret, "  | ".len() + column, "{text}: {said}");
        assert!(said.contains("hint: "), "{said}");
    }
}

#[test]
fn fault_22_a_command_line_that_is_none_is_refused_under_the_name_of_the_program() {
    let folder = Folder::with(&[("a.npy", &npy("'|u1'", "False", "(5,)", b"12345"))]);
    for (arguments, words) in [
        (&["dance"][..], "dance"),
        (&["copy", "a.npy"], "OUTPUT"),
        (&["copy", "a.npy", "o.npy", "--order", "Q"], "--order"),
        (&["copy", "a.npy", "o.npy", "--threads", "0"], "--threads"),
        (&["explain", "i", "--width", "7"], "--width"),
    ] {
        let said = folder.refused(arguments, 2);
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn fault_26_files_of_objects_are_refused() {
    let folder = Folder::with(&[("a.npy", &npy("'|O'", "False", "(2,)", &[0; 16]))]);
    let said = folder.refused(&["copy", "a.npy", "o.npy"], 1);
    assert!(said.starts_with("a.npy: ") && said.contains("object"), "{said}");
}

#[test]
fn a_header_of_many_brackets_is_read_or_refused_at_once() {
    // The fuzzer's, which took a reader that goes back longer than anybody waits.
    let braces = format!("'<U3', {}", "{".repeat(117));
    let nested = |levels: usize| {
        (0..levels).fold("'<i4'".to_owned(), |descr, level| format!("[('a{level}', {descr})]"))
    };
    let cases = [
        (braces, Some("is not a Python dictionary")),
        (nested(30), None),
        (nested(30).replace("'<i4'", "!"), Some("is not a Python dictionary")),
        (nested(1000), Some("nests brackets deeper")),
    ];
    for (descr, refused) in cases {
        let folder = Folder::with(&[("a.npy", &npy(&descr, "False", "(2,)", &[7; 8]))]);
        match refused {
            Some(why) => {
                let said = folder.refused(&["show", "a.npy"], 1);
                assert!(said.contains(why), "{said}");
            }
            None => {
                let shown =
                    Command::new(PROGRAM).current_dir(&folder.0).args(["show", "a.npy"]).output().unwrap();
                assert!(shown.status.success(), "{shown:?}");
            }
        }
    }
}
