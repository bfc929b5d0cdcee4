//! Draws the figures of the README and the book into the folder given as the only argument.
//!
//! The files are the same on every machine and every run, so that what is committed can be compared with what the
//! code draws.

use std::error::Error;
use std::path::PathBuf;

use extbuf_draw::{Drawing, draw_chain, draw_format, draw_layout};
use extbuf_format::Format;
use extbuf_layout::{Layout, LayoutSpec, LevelSpec, Order, s};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args_os().nth(1).ok_or("name the folder to write into")?);
    std::fs::create_dir_all(&folder)?;
    for (name, drawing) in figures()? {
        std::fs::write(folder.join(name).with_extension("svg"), drawing.to_svg())?;
    }
    Ok(())
}

fn figures() -> Result<Vec<(&'static str, Drawing)>, Box<dyn Error>> {
    let grid = Layout::contiguous(4, &[4, 5], Order::C)?;
    let rows = Layout::from_suboffsets(4, &[4, 5], &[8, 4], Some(&[0, -1]), 0)?;
    let part = rows.slice(s![1..3, 1..3])?;
    let line = Layout::contiguous(4, &[8], Order::C)?;
    let small = Layout::contiguous(4, &[2, 3], Order::C)?;
    let volume = Layout::new(&LayoutSpec {
        itemsize: 4,
        shape: &[3, 2, 4],
        levels: &[
            LevelSpec { offset: 0, strides: &[8, 0, 0] },
            LevelSpec { offset: 0, strides: &[0, 8, 0] },
            LevelSpec { offset: 0, strides: &[0, 0, 4] },
        ],
    })?;
    Ok(vec![
        (
            "rows",
            draw_layout(&rows)
                .titled("An image whose rows are separate allocations")
                .noted("One load on the way to an item: the table says where each row begins."),
        ),
        (
            "rows-slice",
            draw_layout(&rows)
                .keeping(&part)
                .titled("image[1:3, 1:3], behind the pointers")
                .noted("No pointer is read, copied or changed: the slice is two offsets, one added before the load")
                .noted("and one after it. Where each row begins stays in the table."),
        ),
        (
            "strided",
            draw_layout(&grid)
                .keeping(&grid.slice(s![..;2, 1..4])?)
                .titled("array[::2, 1:4] of a (4, 5) array")
                .noted("In one block a slice moves the start and multiplies strides."),
        ),
        ("reversed", draw_layout(&line.slice(s![..;-1])?).titled("array[::-1]: a negative stride")),
        ("transposed", draw_layout(&small.transpose()).titled("array.T: the same bytes, the strides exchanged")),
        (
            "broadcast",
            draw_layout(&Layout::contiguous(4, &[4], Order::C)?.broadcast_to(&[3, 4])?)
                .titled("broadcast to (3, 4): a stride of 0 visits the same items again"),
        ),
        (
            "chain",
            draw_chain(&part)
                .titled("image[1:3, 1:3] as a chain of two affine maps")
                .noted("Slicing, reversing and permuting change columns of this table and nothing else."),
        ),
        (
            "record",
            draw_format(&Format::parse("T{B:kind:i:id:T{<d:x:<d:y:}:corner:(2,3)>h:gain:5s:tag:}")?)
                .titled("A record: padding after the first field, big-endian numbers near the end"),
        ),
        ("volume", draw_layout(&volume).titled("Two loads in a row: a volume of separate planes of separate rows")),
    ])
}
