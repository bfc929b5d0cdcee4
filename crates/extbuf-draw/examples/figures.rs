//! Scratch.
use extbuf_draw::*;
use extbuf_layout::*;
fn main() {
    let two = |s: &[isize], o: [isize; 2], t0: &[isize], t1: &[isize]| {
        Layout::new(&LayoutSpec {
            itemsize: 4,
            shape: s,
            levels: &[LevelSpec { offset: o[0], strides: t0 }, LevelSpec { offset: o[1], strides: t1 }],
        })
        .unwrap()
    };
    let rows = two(&[4, 5], [0, 0], &[8, 0], &[0, 4]);
    let slice = two(&[2, 2], [8, 4], &[8, 0], &[0, 4]);
    let big = two(&[4320, 7680], [0, 0], &[8, 0], &[0, 4]);
    let crop = two(&[1000, 2000], [8000, 400], &[8, 0], &[0, 4]);
    let three = Layout::new(&LayoutSpec {
        itemsize: 4,
        shape: &[3, 2, 4],
        levels: &[
            LevelSpec { offset: 0, strides: &[8, 0, 0] },
            LevelSpec { offset: 8, strides: &[0, 8, 0] },
            LevelSpec { offset: 0, strides: &[0, 0, 4] },
        ],
    })
    .unwrap();
    let st = |i, s: &[usize], t: &[isize], o| Layout::strided(i, s, t, o).unwrap();
    let all = vec![
        ("rows", draw_layout(&rows)),
        ("slice", draw_layout(&rows).keeping(&slice).titled("A slice")),
        ("big", draw_layout(&big)),
        ("crop", draw_layout(&big).keeping(&crop)),
        ("three", draw_layout(&three)),
        ("strided", draw_layout(&st(4, &[3, 3], &[16, 4], 0))),
        ("reversed", draw_layout(&st(4, &[6], &[-4], 20))),
        ("transposed", draw_layout(&st(4, &[3, 2], &[4, 12], 0))),
        ("broadcast", draw_layout(&st(4, &[3, 4], &[0, 4], 0))),
        ("window", draw_layout(&st(4, &[3, 3], &[2, 4], 0))),
        ("image", draw_layout(&st(1, &[4320, 7680, 3], &[23040, 3, 1], 0))),
        (
            "imagecrop",
            draw_layout(&st(1, &[4320, 7680, 3], &[23040, 3, 1], 0)).keeping(&st(
                1,
                &[100, 100],
                &[-23040 * 2, 3],
                23040 * 2000 + 1,
            )),
        ),
        ("chain", draw_chain(&slice)),
    ];
    let out = std::env::args().nth(1).unwrap();
    for (n, d) in all {
        println!("=== {n}\n{}", d.to_text(TextOptions::default()));
        std::fs::write(format!("{out}/{n}.svg"), d.to_svg()).unwrap();
    }
}
