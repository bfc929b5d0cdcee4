//! The program from outside: what it prints, what it writes, how it fails.
//!
//! The oracle is written out: files as literal bytes, answers as literal text, and for a photograph the decoder of the
//! `png` crate and indices computed by hand. NumPy is the oracle of `tests/python`.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_extbuf");
const PHOTO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/photo/chelsea.png");

/// An `.npy` file of version 1 around a dictionary and items.
fn npy(descr: &str, order: &str, shape: &str, items: &[u8]) -> Vec<u8> {
    let text = format!("{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n");
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((text.len() as u16).to_le_bytes());
    file.extend(text.as_bytes());
    file.extend(items);
    file
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn with(self, name: &str, content: &[u8]) -> Folder {
        fs::write(self.path(name), content).unwrap();
        self
    }

    /// Names of everything in the folder.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Runs the program in the folder.
    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(PROGRAM).current_dir(&self.0).args(arguments).output().unwrap()
    }

    #[track_caller]
    fn says(&self, arguments: &[&str]) -> String {
        let done = self.run(arguments);
        let errors = String::from_utf8(done.stderr).unwrap();
        assert!(done.status.success(), "{errors}");
        assert_eq!(errors, "");
        String::from_utf8(done.stdout).unwrap()
    }

    #[track_caller]
    fn fails(&self, arguments: &[&str], code: i32) -> String {
        let done = self.run(arguments);
        let errors = String::from_utf8(done.stderr).unwrap();
        assert_eq!(done.status.code(), Some(code), "{errors}");
        assert_eq!(String::from_utf8(done.stdout).unwrap(), "");
        errors
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }
}

#[test]
fn explain_prints_every_part_with_its_place() {
    let said = Folder::new().says(&["explain", "T{B:tag:d:x:(2,3)h:m:}"]);
    let table = "\
itemsize   32 bytes
alignment  8 bytes
dialect    pep3118

  offset  size  align  field  format                  meaning
       0    32      8  item   T{B:tag:d:x:(2,3)h:m:}  record of 3 fields
       0     1      1    tag  B                       8-bit unsigned integer
       1     7           ·    7x                      padding
       8     8      8    x    d                       64-bit float, little-endian
      16    12      2    m    (2,3)h                  array (2, 3) of 16-bit signed integer, little-endian
      28     4           ·    4x                      padding
";
    let table = if cfg!(target_endian = "big") { table.replace("little", "big") } else { table.to_owned() };
    assert!(said.contains(&table), "{said}");
}

#[test]
fn explain_follows_a_dialect() {
    let folder = Folder::new();
    assert!(folder.says(&["explain", "qb"]).contains("itemsize   9 bytes"));
    assert!(folder.says(&["explain", "--dialect", "numpy", "qb"]).contains("itemsize   16 bytes"));
    assert!(folder.fails(&["explain", "--dialect", "cobol", "qb"], 2).contains("not a dialect"));
}

#[test]
fn explain_shows_few_fields_one_by_one_and_many_in_one_line() {
    let said = Folder::new().says(&["explain", "<3H100h"]);
    let rows: Vec<Vec<&str>> = said
        .lines()
        .skip_while(|line| !line.contains("offset"))
        .skip(2)
        .take(4)
        .map(|line| line.split_whitespace().take(6).collect())
        .collect();
    assert_eq!(
        rows,
        [
            ["0", "2", "1", "0", "<H", "16-bit"],
            ["2", "2", "1", "1", "<H", "16-bit"],
            ["4", "2", "1", "2", "<H", "16-bit"],
            ["6", "200", "1", "3", "to", "102"],
        ]
    );
}

#[test]
fn names_from_files_do_not_reach_the_terminal_as_they_are() {
    let descr = "[('a\\x1b[31m', '<i2')]";
    let folder = Folder::new().with("a.npy", &npy(descr, "False", "(1,)", &[1, 0])).with("b\x1b.bin", b"");
    for said in [
        folder.says(&["show", "a.npy"]),
        folder.says(&["copy", "a.npy", "o.raw"]),
        folder.says(&["explain", "i:a\x1b[31m:"]),
        folder.fails(&["show", "b\x1b.bin"], 1),
        folder.fails(&["copy", "a.npy", "o.png"], 1),
    ] {
        assert!(!said.contains('\x1b') && said.contains('\u{fffd}'), "{said}");
    }
}

#[test]
fn a_bad_format_gets_a_caret() {
    let folder = Folder::new().with("b.bin", b"12345678");
    let said = folder.fails(&["explain", "<hhqk"], 2);
    assert!(said.starts_with("extbuf: 'k' is not a type code\n  | <hhqk\n  |     ^\n"), "{said}");
    assert_eq!(folder.fails(&["show", "b.bin", "--format", "<hhqk"], 2), said);
}

#[test]
fn show_describes_the_file_and_the_slice() {
    let items: Vec<u8> = (0..24).collect();
    let folder = Folder::new().with("a.npy", &npy("'>i2'", "False", "(3, 4)", &items));
    let start = folder.bytes("a.npy").len() - 24;
    let said = folder.says(&["show", "a.npy[::-1, 1:3]", "--width", "100"]);
    let (offset, low) = (start + 18, start + 2);
    for line in [
        "  format      >h\n".to_owned(),
        "  itemsize    2 bytes\n".into(),
        "  shape       (3, 2)\n".into(),
        "  bytes       12 bytes\n".into(),
        format!("  strides     offset +{offset}, strides (-8, +2)\n"),
        "  contiguous  no\n".into(),
        // Bytes 18 and 19.
        "  first item  4627\n".into(),
        format!("     0       3      -8  {low} to {}", offset + 2),
        format!("     1       2      +2  {offset} to {}", offset + 4),
    ] {
        assert!(said.contains(&line), "{line:?} is missing in\n{said}");
    }
}

#[test]
fn show_of_a_photograph_shows_the_load() {
    let folder = Folder::new();
    let said = folder.says(&["show", &format!("{PHOTO}[100:200, 7:]")]);
    for line in [
        "(100, 444, 3)",
        "offset +800, strides (+8, +0, +0)",
        "offset +21, strides (+0, +3, +1)",
        "strides (8, 3, 1), suboffsets (21, -1, -1)",
        "[100]",
    ] {
        assert!(said.contains(line), "{line:?} is missing in\n{said}");
    }
}

#[test]
fn no_line_of_a_drawing_leaves_the_page_and_no_colour_leaves_the_terminal() {
    let folder = Folder::new();
    for width in [60, 80, 120] {
        let text = width.to_string();
        for arguments in [
            &["show", PHOTO, "--slice", "[5:50:3, ::-2]", "--width", &text][..],
            &["explain", "T{B:tag:d:x:(2,3)h:m:}", "--width", &text],
        ] {
            let said = folder.says(arguments);
            assert!(!said.contains('\x1b'));
            let drawn = said.lines().filter(|line| line.contains(['─', '│', '┌', '┐', '└', '┘']));
            let widest = drawn.map(|line| line.chars().count()).max();
            assert!(widest.is_some_and(|widest| widest <= width), "{widest:?} columns of {width}:\n{said}");
        }
        let plain = folder.says(&["show", PHOTO, "--ascii", "--slice", "::-1", "--width", &text]);
        let drawing = plain.split("contiguous").nth(1).unwrap();
        assert!(drawing.is_ascii(), "{plain}");
    }
}

#[test]
fn copies_are_slices_in_the_order_asked_for() {
    let items: Vec<u8> = (0..24).collect();
    let folder = Folder::new()
        .with("c.npy", &npy("'|u1'", "False", "(2, 3, 4)", &items))
        .with("f.npy", &npy("'|u1'", "True", "(2, 3, 4)", &items));
    let copied = |arguments: &[&str]| {
        folder.says(&[&["copy"], arguments, &["o.raw"][..]].concat());
        folder.bytes("o.raw")
    };
    assert_eq!(copied(&["c.npy"]), items);
    assert_eq!(copied(&["c.npy[1]"]), items[12..]);
    assert_eq!(copied(&["c.npy[-1, ::2, -1]"]), [15, 23]);
    assert_eq!(copied(&["c.npy[0, 0, ::-1]", "--order", "F"]), [3, 2, 1, 0]);
    assert_eq!(copied(&["c.npy[:, :, 0]", "--order", "f"]), [0, 12, 4, 16, 8, 20]);
    assert_eq!(copied(&["c.npy[:, None, :, 0]", "--axes", "2,1,0"]), [0, 12, 4, 16, 8, 20]);
    assert_eq!(copied(&["c.npy[..., 0]", "--axes", "-1,-2", "--threads", "2"]), [0, 12, 4, 16, 8, 20]);
    assert_eq!(copied(&["f.npy", "--order", "F"]), items);
    assert_eq!(copied(&["f.npy[1, 0]"]), [1, 7, 13, 19]);
    assert_eq!(copied(&["c.npy[5:]"]), []);
}

#[test]
fn an_npy_file_is_written_as_numpy_writes_it() {
    let folder = Folder::new().with("six.bin", &[1, 2, 3, 4, 5, 6]);
    let npy = |shape: &str, order: &str, format: &str| {
        folder.says(&["copy", "six.bin", "o.npy", "--format", format, "--shape", shape, "--order", order]);
        folder.bytes("o.npy")
    };
    // The whole header has 128 bytes, or 192 where the text and the room to grow take more.
    let header = |text: &str| {
        let rest = if text.len() < 98 { 118 } else { 182 };
        let start = [b"\x93NUMPY\x01\x00".as_slice(), &[rest, 0]].concat();
        [start, format!("{text:<0$}\n", usize::from(rest) - 1).into_bytes()].concat()
    };
    let c = header("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), }");
    assert_eq!(npy("2,3", "C", "B"), [&c[..], &[1, 2, 3, 4, 5, 6]].concat());
    let f = header("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }");
    assert_eq!(npy("2,3", "F", "B"), [&f[..], &[1, 4, 2, 5, 3, 6]].concat());
    let one = header("{'descr': '>i2', 'fortran_order': False, 'shape': (3,), }");
    assert_eq!(npy("3", "F", ">h"), [&one[..], &[1, 2, 3, 4, 5, 6]].concat());
    let record = header(
        "{'descr': [('x', '|i1'), ('', '|V1'), ('f1', '<u2', (2,))], 'fortran_order': False, 'shape': (1,), }",
    );
    assert_eq!(npy("1", "C", "T{b:x:x<(2)H}"), [&record[..], &[1, 2, 3, 4, 5, 6]].concat());
}

#[test]
fn formats_that_npy_cannot_say_are_refused_and_go_out_raw() {
    let folder = Folder::new().with("b.bin", b"\x03abcdefg");
    for (format, words) in
        [("8p", "8p"), ("4u", "4u"), ("P", "P"), ("2Ze", "Ze"), ("(2)i", "--shape"), ("&d", "&d")]
    {
        let said = folder.fails(&["copy", "b.bin", "o.npy", "--format", format], 1);
        assert!(said.starts_with("extbuf: b.bin: ") && said.contains(words), "{said}");
        folder.says(&["copy", "b.bin", "o.raw", "--format", format]);
        assert_eq!(folder.bytes("o.raw"), b"\x03abcdefg");
    }
    assert!(folder.fails(&["copy", "b.bin", "o.raw", "--format", "O"], 1).contains("objects"));
    assert_eq!(folder.names(), ["b.bin", "o.raw"]);
}

/// The photograph as its decoder gives it: width, height, samples.
fn photograph() -> (usize, usize, Vec<u8>) {
    let decoder = png::Decoder::new(BufReader::new(File::open(PHOTO).unwrap()));
    let mut reader = decoder.read_info().unwrap();
    let mut samples = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut samples).unwrap();
    assert_eq!((info.color_type, info.bit_depth), (png::ColorType::Rgb, png::BitDepth::Eight));
    (info.width as usize, info.height as usize, samples)
}

#[test]
fn a_photograph_is_cropped_turned_and_taken_apart() {
    let (width, height, photo) = photograph();
    let sample = |y: usize, x: usize, c: usize| photo[(y * width + x) * 3 + c];
    let folder = Folder::new();

    let crop = format!("{PHOTO}[20:280, 380:60:-1, ::-1]");
    folder.says(&["copy", &crop, "o.raw", "--axes", "1,0,2"]);
    let expected: Vec<u8> = (61..381)
        .rev()
        .flat_map(|x| (20..280).flat_map(move |y| (0..3).rev().map(move |c| (y, x, c))))
        .map(|(y, x, c)| sample(y, x, c))
        .collect();
    assert_eq!(folder.bytes("o.raw"), expected);

    folder.says(&["copy", PHOTO, "planes.npy", "--axes", "2,0,1"]);
    folder.says(&["copy", "planes.npy", "o.raw"]);
    let planes: Vec<u8> = (0..3)
        .flat_map(|c| (0..height).flat_map(move |y| (0..width).map(move |x| (y, x, c))))
        .map(|(y, x, c)| sample(y, x, c))
        .collect();
    assert_eq!(folder.bytes("o.raw"), planes);

    folder.says(&["copy", "planes.npy", "back.png", "--axes", "1,2,0"]);
    folder.says(&["copy", "back.png", "o.raw"]);
    assert_eq!(folder.bytes("o.raw"), photo);
}

#[test]
fn the_plan_and_the_report_are_printed() {
    let folder = Folder::new();
    let said = folder.says(&["copy", PHOTO, "o.npy", "--axes", "2,0,1", "--plan"]);
    assert!(said.starts_with("plan: 405900 bytes in 1 part\n  load loop 0: 300 steps"), "{said}");
    assert!(said.contains("(3, 300, 451) of format 'B' in C order\n"), "{said}");
    assert!(said.contains("  copied   405,900 bytes in ") && said.contains("GB/s: kernel "), "{said}");
}

#[test]
fn a_larger_picture_is_refused_before_it_is_read() {
    let mut photo = fs::read(PHOTO).unwrap();
    photo.truncate(33);
    photo[16..24].copy_from_slice(&[0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff]);
    let crc = png_crc(&photo[12..29]);
    photo[29..33].copy_from_slice(&crc.to_be_bytes());
    let folder = Folder::new().with("huge.png", &photo);
    let said = folder.fails(&["show", "huge.png"], 1);
    assert_eq!(said.lines().count(), 1, "{said}");
}

/// PNG's checksum, bit by bit.
fn png_crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}

#[test]
fn what_makes_no_sense_exits_with_2_and_what_cannot_be_done_with_1() {
    let items: Vec<u8> = (0..24).collect();
    let folder =
        Folder::new().with("a.npy", &npy("'|u1'", "False", "(2, 3, 4)", &items)).with("d.bin", b"12345");
    fs::create_dir(folder.path("folder")).unwrap();
    for (arguments, code, words) in [
        (&["show", "a.npy[1:2:3:4]"][..], 2, "^"),
        (&["show", "a.npy[x]"], 2, "[x]"),
        (&["show", "a.npy", "--slice", "[1"], 2, "never closed"),
        (&["copy", "a.npy", "o.jpg"], 2, ".npy, .png, .raw or .bin"),
        (&["copy", "a.npy", "o"], 2, "--to"),
        (&["copy", "a.npy", "o.npy", "--axes", "a"], 2, "--axes"),
        (&["copy", "a.npy", "o.npy", "--order", "Q"], 2, "--order"),
        (&["copy", "a.npy", "o.npy", "--threads", "0"], 2, "--threads"),
        (&["copy", "a.npy"], 2, "OUTPUT"),
        (&["show", "d.bin", "--shape", "5"], 2, "--format"),
        (&["dance"], 2, "dance"),
        (&["show", "none.npy"], 1, "none.npy: no such file"),
        (&["show", "none.npy[0]"], 1, "none.npy: no such file"),
        (&["show", "folder"], 1, "folder: is a directory"),
        (&["show", "d.bin"], 1, "--format"),
        (&["show", "d.bin", "--format", "h"], 1, "5 bytes are no whole number of items of 2 bytes"),
        (&["show", "d.bin", "--format", "B", "--shape", "2,3"], 1, "takes 6 bytes, the file has 5 bytes"),
        (&["copy", "a.npy[2]", "o.npy"], 1, "index 2"),
        (&["copy", "a.npy[0, 0, 0, 0]", "o.npy"], 1, "4"),
        (&["copy", "a.npy", "o.npy", "--axes", "1,0"], 1, "2 of the 3 axes"),
        (&["copy", "a.npy", "o.npy", "--axes", "1,0,0"], 1, "axis 0 twice"),
        (&["copy", "a.npy", "o.npy", "--axes", "0,1,3"], 1, "axis 3"),
        (&["copy", "a.npy", "o.png", "--axes", "0,1,2", "--order", "F"], 1, "C order"),
        (&["copy", "a.npy[None]", "o.png"], 1, "(1, 2, 3, 4)"),
        (&["copy", "a.npy[:0]", "o.png"], 1, "(0, 3, 4)"),
        (&["copy", "a.npy", "nowhere/o.npy"], 1, "nowhere/o.npy: cannot be written: no such file"),
        (&["copy", "a.npy", "folder", "--to", "npy"], 1, "is a directory"),
        (&["copy", "a.npy", "a.npy/o.npy"], 1, "not a directory"),
    ] {
        let said = folder.fails(arguments, code);
        assert!(said.contains(words), "{words:?} is missing in {said}");
        if code == 1 {
            assert!(said.starts_with("extbuf: ") && said.lines().count() == 1, "{said}");
        }
        assert_eq!(folder.names(), ["a.npy", "d.bin", "folder"], "after {arguments:?}");
    }
}

#[test]
fn a_name_that_ends_in_brackets_is_a_name_first() {
    let whole = npy("'|u1'", "False", "(3,)", &[1, 2, 3]);
    let folder = Folder::new().with("x", &npy("'|u1'", "False", "(3,)", &[7, 8, 9])).with("x[0]", &whole);
    let copied = |arguments: &[&str]| {
        folder.says(&[&["copy"], arguments, &["o.raw"]].concat());
        folder.bytes("o.raw")
    };
    assert_eq!(copied(&["x[0]"]), [1, 2, 3]);
    assert_eq!(copied(&["x[0][1:]"]), [2, 3]);
    assert_eq!(copied(&["x[1]"]), [8]);
    assert_eq!(copied(&["x", "--slice", "0"]), [7]);
    assert_eq!(copied(&["x[0]", "--slice", "[0]"]), [1]);
}

#[test]
fn the_output_may_be_the_input() {
    let folder = Folder::new().with("a.npy", &npy("'|u1'", "False", "(2, 2)", &[1, 2, 3, 4]));
    folder.says(&["copy", "a.npy[::-1]", "a.npy"]);
    folder.says(&["copy", "a.npy", "o.raw"]);
    assert_eq!(folder.bytes("o.raw"), [3, 4, 1, 2]);
    assert_eq!(folder.names(), ["a.npy", "o.raw"]);
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::time::Duration;

    /// Runs the program where no file can grow over 8 blocks; what happens at that point is the shell's `trap`.
    fn limited(folder: &Folder, trap: &str, arguments: &str) -> Output {
        let script = format!("{trap}\nulimit -f 8; ulimit -c 0; exec '{PROGRAM}' {arguments}");
        Command::new("sh").current_dir(&folder.0).args(["-c", &script]).output().unwrap()
    }

    #[test]
    fn a_disk_without_room_leaves_the_old_file() {
        for output in ["o.npy", "o.png", "o.raw"] {
            let folder = Folder::new().with(output, b"old");
            let done = limited(&folder, "trap '' XFSZ", &format!("copy '{PHOTO}[:, ::-1]' {output}"));
            let said = String::from_utf8(done.stderr).unwrap();
            assert_eq!(done.status.code(), Some(1), "{said}");
            assert_eq!(said, format!("extbuf: {output}: not written: file too large\n"));
            assert_eq!(folder.bytes(output), b"old");
            assert_eq!(folder.names(), [output]);
        }
    }

    #[test]
    fn a_program_that_is_killed_leaves_the_old_file() {
        let folder = Folder::new().with("o.raw", b"old");
        let done = limited(&folder, "", &format!("copy '{PHOTO}' o.raw"));
        assert_eq!(done.status.code(), None);
        assert_eq!(folder.bytes("o.raw"), b"old");
        let rest = folder.names();
        assert_eq!(rest.len(), 2, "{rest:?}");
        assert!(rest[0].starts_with(".extbuf-") && rest[0].ends_with(".part"), "{rest:?}");
    }

    #[test]
    fn a_program_that_is_stopped_leaves_nothing() {
        let folder = Folder::new().with("o.raw", b"old");
        // Far more than is ever written: a file of holes.
        File::create(folder.path("a.bin")).unwrap().set_len(1 << 40).unwrap();
        let mut program = Command::new(PROGRAM);
        let program = program.current_dir(&folder.0).args(["copy", "a.bin", "o.raw", "--format", "B"]);
        let mut program = program.stderr(Stdio::null()).spawn().unwrap();
        let is_part = |name: &String| name.ends_with(".part");
        while !folder.names().iter().any(is_part) {
            assert_eq!(program.try_wait().unwrap(), None);
            std::thread::sleep(Duration::from_millis(1));
        }
        let stopped = Command::new("kill").args(["-INT", &program.id().to_string()]).status().unwrap();
        assert!(stopped.success());
        assert_eq!(program.wait().unwrap().code(), Some(130));
        assert_eq!(folder.names(), ["a.bin", "o.raw"]);
        assert_eq!(folder.bytes("o.raw"), b"old");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_device_is_an_error() {
        let folder = Folder::new();
        for kind in ["npy", "png", "raw"] {
            let said = folder.fails(&["copy", PHOTO, "/dev/full", "--to", kind], 1);
            assert_eq!(said, "extbuf: /dev/full: not written: no space left on device\n");
        }
        let full = File::options().write(true).open("/dev/full").unwrap();
        let done = Command::new(PROGRAM).args(["explain", "i"]).stdout(full).output().unwrap();
        assert_eq!(done.status.code(), Some(1));
        assert_eq!(
            String::from_utf8(done.stderr).unwrap(),
            "extbuf: standard output: no space left on device\n"
        );
    }

    #[test]
    fn a_device_is_written_straight_and_the_report_stays_out_of_it() {
        let folder = Folder::new().with("a.npy", &npy("'|u1'", "False", "(3,)", &[1, 2, 3]));
        let done = folder.run(&["copy", "a.npy[::-1]", "/dev/stdout", "--to", "raw", "--plan"]);
        assert!(done.status.success());
        assert_eq!(done.stdout, [3, 2, 1]);
        assert!(String::from_utf8(done.stderr).unwrap().contains("plan: 3 bytes"));
    }

    #[test]
    fn a_pipe_is_read() {
        let folder = Folder::new().with("a.npy", &npy("'|u1'", "False", "(3,)", &[1, 2, 3]));
        let script = format!("cat a.npy | '{PROGRAM}' copy '/dev/stdin[1:]' o.raw");
        let done = Command::new("sh").current_dir(&folder.0).args(["-c", &script]).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        assert_eq!(folder.bytes("o.raw"), [2, 3]);
    }

    #[test]
    fn who_stops_reading_hears_nothing() {
        for arguments in [&["tour"][..], &["show", PHOTO], &["explain", "T{i:a:d:b:}"]] {
            let mut program = Command::new(PROGRAM);
            let mut program =
                program.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            drop(program.stdout.take());
            let done = program.wait_with_output().unwrap();
            assert!(done.status.success(), "{arguments:?}: {:?}", done.status);
            assert_eq!(String::from_utf8(done.stderr).unwrap(), "");
        }
    }

    #[test]
    fn links_and_permissions_of_an_output_stay() {
        let folder = Folder::new().with("old.raw", b"old").with("a.bin", b"new");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        fs::set_permissions(folder.path("old.raw"), fs::Permissions::from_mode(0o640)).unwrap();
        symlink("old.raw", folder.path("link.raw")).unwrap();
        folder.says(&["copy", "a.bin", "link.raw", "--format", "B"]);
        assert!(fs::symlink_metadata(folder.path("link.raw")).unwrap().is_symlink());
        assert_eq!(folder.bytes("old.raw"), b"new");
        assert_eq!(mode(&folder.path("old.raw")), 0o640);
        // A file that was not there is as open as any other new file.
        folder.says(&["copy", "a.bin", "fresh.raw", "--format", "B"]);
        assert_eq!(mode(&folder.path("fresh.raw")), mode(&folder.path("a.bin")));
    }
}

#[test]
fn the_tour_counts_every_byte() {
    let said = Folder::new().says(&["tour", "--width", "60"]);
    let drawn = said.lines().filter(|line| line.contains(['│', '─'])).map(|line| line.chars().count());
    assert!((30..=60).contains(&drawn.max().unwrap()), "{said}");
    assert!(said.contains("every byte equal: 4,976,640 of 4,976,640"), "{said}");
    assert!(said.contains("live leases 0"), "{said}");
    assert!(said.contains("window      shape (3, 1728, 960), as before"), "{said}");
}
