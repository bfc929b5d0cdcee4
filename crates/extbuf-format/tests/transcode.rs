//! Records of one byte order as those of the other: every width and every count, beside a reversal byte by byte.

use extbuf_format::{Format, FormatErrorKind as K, Transcode};

/// Codes and the widths of what is turned around in them.
const CODES: [(&str, usize, usize); 8] = [
    ("h", 2, 1),
    ("e", 2, 1),
    ("u", 2, 1),
    ("i", 4, 1),
    ("w", 4, 1),
    ("d", 8, 1),
    ("Zf", 4, 2),
    ("Zd", 8, 2),
];

fn parse(text: &str) -> Format {
    Format::parse(text).unwrap()
}

fn noise(count: usize) -> Vec<u8> {
    (0..count).map(|k| (k * 167 % 251) as u8).collect()
}

#[test]
fn units_of_every_width_and_number_are_turned_around() {
    for (code, width, units) in CODES {
        for count in 0..=6 {
            for records in [1, 2, 700] {
                let (from, to) =
                    (parse(&format!(">T{{B({count}){code}}}")), parse(&format!("<T{{xxB({count}){code}x}}")));
                let body = count * units * width;
                assert_eq!((from.itemsize(), to.itemsize()), (1 + body, 4 + body));
                let given = noise(records * from.itemsize());
                let mut made = vec![0xEE; records * to.itemsize()];
                Transcode::new(&from, &to).unwrap().run(&given, &mut made).unwrap();
                let mut expected = vec![0xEE; made.len()];
                for (record, place) in given.chunks(1 + body).zip(expected.chunks_mut(4 + body)) {
                    place[2] = record[0];
                    for k in 0..body {
                        // The unit stays where it is, the byte counts from its end.
                        place[3 + k] = record[1 + k / width * width + width - 1 - k % width];
                    }
                }
                assert!(made == expected, "{from} to {to}");
            }
        }
    }
}

#[test]
fn bytes_of_every_number_are_moved_as_they_are() {
    for count in 0..=40 {
        let (from, to) = (parse(&format!("T{{xx({count})Bx}}")), parse(&format!("T{{x({count})Bxx}}")));
        let given = noise(5 * (count + 3));
        let mut made = vec![0xEE; given.len()];
        Transcode::new(&from, &to).unwrap().run(&given, &mut made).unwrap();
        for (record, place) in given.chunks(count + 3).zip(made.chunks(count + 3)) {
            assert_eq!(place[1..1 + count], record[2..2 + count]);
            assert_eq!((place[0], &place[1 + count..]), (0xEE, &[0xEE, 0xEE][..]));
        }
    }
}

#[test]
fn records_that_are_not_whole_or_not_as_many_are_refused() {
    let plan = Transcode::new(&parse("<hB"), &parse(">hBx")).unwrap();
    let run =
        |from: usize, to: usize| plan.run(&vec![0; from], &mut vec![0; to]).map_err(|error| error.kind());
    assert_eq!(run(6, 8), Ok(()));
    assert_eq!(run(7, 8), Err(K::Length { needed: 9, got: 7 }));
    assert_eq!(run(6, 7), Err(K::Length { needed: 8, got: 7 }));
    assert_eq!(run(6, 12), Err(K::Length { needed: 8, got: 12 }));
    assert_eq!(run(0, 4), Err(K::Length { needed: 0, got: 4 }));
}

#[test]
fn units_that_are_neighbours_on_one_side_only_are_no_row() {
    const GAP: u8 = 0xEE;
    let (dense, gaps) = ([1, 2, 3, 4, 5, 6], [2, 1, GAP, GAP, 4, 3, 6, 5, GAP]);
    let run = |from: &str, to: &str, given: &[u8], made: &mut [u8]| {
        Transcode::new(&parse(from), &parse(to)).unwrap().run(given, made).unwrap();
    };
    let mut made = [GAP; 9];
    run(">hhh", "<hxxhhx", &dense, &mut made);
    assert_eq!(made, gaps);
    let mut made = [GAP; 6];
    run("<hxxhhx", ">hhh", &gaps, &mut made);
    assert_eq!(made, dense);
    // The same without turning them around.
    let (mut made, moved) = ([GAP; 9], [1, 2, GAP, GAP, 3, 4, 5, 6, GAP]);
    run("<hhh", "<hxxhhx", &dense, &mut made);
    assert_eq!(made, moved);
    let mut made = [GAP; 6];
    run("<hxxhhx", "<hhh", &moved, &mut made);
    assert_eq!(made, dense);
}
