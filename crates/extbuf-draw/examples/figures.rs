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
        (
            "fault-bounds",
            draw_layout(&Layout::strided(4, &[5], &[4], 0)?)
                .inside(18)
                .titled("Five items of 4 bytes asked of a block of 18: two bytes are somebody else's"),
        ),
        (
            "fault-backwards",
            draw_layout(&Layout::strided(4, &[5], &[-4], 0)?)
                .inside(20)
                .titled("A negative stride from the first item: four of five lie before the block"),
        ),
        (
            "fault-product",
            draw_layout(&Layout::strided(1, &[3, 7], &[7, 1], 0)?)
                .inside(5)
                .titled("A product that wraps round to 5 allots 5 bytes")
                .noted("Of shape (3, 7, 29, 36760123, 823996703) the picture shows the first two axes: more would not fit on paper."),
        ),
        (
            "fault-overlap",
            draw_layout(&Layout::strided(4, &[4, 3], &[4, 4], 0)?)
                .titled("A destination that overlaps itself: which of the items is to stay?"),
        ),
        (
            "fault-shift",
            draw_layout(&line)
                .keeping(&line.slice(s![1..])?)
                .titled("a[1:] <- a[:-1]: where each item of the source is written")
                .noted("Item 0 is read from byte 0 and written to byte 4, where item 1 is still to be read."),
        ),
        (
            "fault-packed",
            draw_format(&Format::parse("T{<B:tag:<d:x:}")?)
                .titled("A packed record: x begins at byte 1, and no double may be referred to there"),
        ),
        (
            "fault-padding",
            draw_format(&Format::parse("T{B:a:I:b:}")?)
                .titled("What C laid out: 8 bytes, of which the text \"T{<B:a:<I:b:}\" tells 5"),
        ),
        (
            "fault-object",
            draw_format(&Format::parse("T{i:id:O:owner:}")?)
                .titled("A reference that is counted elsewhere: its 8 bytes are not its meaning"),
        ),
        ("volume", draw_layout(&volume).titled("Two loads in a row: a volume of separate planes of separate rows")),
    ])
}
