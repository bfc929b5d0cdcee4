//! Answers layout questions line by line, so that programs in other languages can compare.
//!
//! A line is a layout and operations on it, separated by `|`; two of them separated by `~` ask for overlap. A layout is
//! `itemsize;shape;strides;suboffsets;offset` with commas inside the lists and `-` for no suboffsets:
//!
//! ```text
//! 2;4,5;8,2;0,-1;0 | slice [1:, ::-1] | permute 1,0
//! ```
//!
//! The answer is `shape;strides;suboffsets;offset;contiguity;items`, where items are the byte offsets in C order or, with
//! loads, the numbers that the items have in the layout the line began with; `suboffsets` is `x` where the encoding cannot
//! say it. What is refused answers `refused: ` and the reason.

use std::collections::HashMap;
use std::error::Error;
use std::io::{BufRead, Write};

use extbuf_layout::{Contiguity, Layout, Order, Overlap, SliceItem};

type Answer<T> = Result<T, Box<dyn Error>>;

fn numbers<T: std::str::FromStr>(text: &str) -> Answer<Vec<T>>
where
    T::Err: Error + 'static,
{
    let text = text.trim();
    if text.is_empty() {
        return Ok(Vec::new());
    }
    text.split(',').map(|part| Ok(part.trim().parse()?)).collect()
}

fn base(text: &str) -> Answer<Layout> {
    let parts: Vec<&str> = text.trim().split(';').collect();
    let [itemsize, shape, strides, suboffsets, offset] = parts[..] else {
        return Err("a layout has five parts".into());
    };
    let suboffsets = if suboffsets.trim() == "-" { None } else { Some(numbers(suboffsets)?) };
    let (shape, strides) = (numbers(shape)?, numbers(strides)?);
    let offset = offset.trim().parse()?;
    Ok(Layout::from_suboffsets(itemsize.trim().parse()?, &shape, &strides, suboffsets.as_deref(), offset)?)
}

fn apply(layout: &Layout, operation: &str) -> Answer<Layout> {
    let (name, rest) = operation.trim().split_once(' ').unwrap_or((operation.trim(), ""));
    let list = || numbers::<usize>(rest);
    Ok(match name {
        "slice" => layout.slice(SliceItem::parse_list(rest)?)?,
        "permute" => layout.permute(&list()?)?,
        "transpose" => layout.transpose(),
        "swap" => layout.swap_axes(list()?[0], list()?[1])?,
        "move" => layout.move_axis(list()?[0], list()?[1])?,
        "broadcast" => layout.broadcast_to(&list()?)?,
        "reshape" => layout.reshape(&list()?, Order::C)?,
        "reshape_f" => layout.reshape(&list()?, Order::F)?,
        "windows" => layout.windows(list()?[0], list()?[1])?,
        "cast" => layout.cast(list()?[0])?,
        "field" => layout.field(list()?[0], list()?[1])?,
        "diagonal" => {
            let parts = numbers::<isize>(rest)?;
            layout.diagonal(parts[0] as usize, parts[1] as usize, parts[2])?
        }
        _ => return Err(format!("no operation named {name}").into()),
    })
}

/// The layout at the start and at the end of a chain.
fn chain(text: &str) -> Answer<(Layout, Layout)> {
    let mut parts = text.split('|');
    let first = base(parts.next().unwrap_or_default())?;
    let last = parts.try_fold(first.clone(), |layout, operation| apply(&layout, operation))?;
    Ok((first, last))
}

fn join<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(",")
}

/// Memory as a table of pointers, each to a block of its own.
#[derive(Default)]
struct Memory(HashMap<(usize, isize), usize>);

impl Memory {
    fn place(&mut self, layout: &Layout, index: &[usize]) -> Option<(usize, isize)> {
        layout.locate(0, index, |block, at| {
            let fresh = self.0.len() + 1;
            *self.0.entry((block, at)).or_insert(fresh)
        })
    }
}

fn describe(text: &str) -> Answer<String> {
    let (first, last) = chain(text)?;
    let items = if last.is_direct() {
        join(last.offsets(0, Order::C))
    } else {
        let mut memory = Memory::default();
        let known: HashMap<_, _> = first
            .indices(Order::C)
            .enumerate()
            .map(|(number, index)| (memory.place(&first, &index), number))
            .collect();
        join(last.indices(Order::C).map(|index| known[&memory.place(&last, &index)]))
    };
    let (offset, strides, suboffsets) = match last.to_suboffsets() {
        Ok(e) => (e.offset, join(&e.strides), e.suboffsets.map_or("-".into(), join)),
        Err(_) => (0, "x".into(), "x".into()),
    };
    let contiguity = match last.contiguity() {
        Contiguity::C => "C",
        Contiguity::F => "F",
        Contiguity::Both => "CF",
        _ => "",
    };
    Ok(format!("{};{strides};{suboffsets};{offset};{contiguity};{items}", join(last.shape())))
}

fn compare(a: &str, b: &str) -> Answer<String> {
    let ((_, a), (_, b)) = (chain(a)?, chain(b)?);
    let word = |overlap| match overlap {
        Overlap::No => "no",
        Overlap::Yes => "yes",
        Overlap::Maybe => "maybe",
    };
    let work = 10_000_000;
    Ok(format!("{};{};{}", word(a.overlap(&b, work)), word(a.overlap(&b, 0)), word(a.self_overlap(work))))
}

fn main() -> Answer<()> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let answer = match line.split_once('~') {
            Some((a, b)) => compare(a, b),
            None => describe(&line),
        };
        match answer {
            Ok(answer) => writeln!(out, "{answer}")?,
            Err(error) => writeln!(out, "refused: {error}")?,
        }
    }
    Ok(())
}
