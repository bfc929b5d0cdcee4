//! A plan in words, for people: one line for the whole, one for each loop, one for the kernel.

use std::fmt;

use super::{Chain, Kernel, Plan, Split};

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kernel::Run => "run",
            Kernel::Items => "items",
            Kernel::Fill => "fill",
            Kernel::Transpose => "transpose",
            Kernel::Table => "table",
            Kernel::Weave => "weave",
            Kernel::Move => "move",
            Kernel::Convert => "convert",
        })
    }
}

/// ```
/// use extbuf_copy::{Level, Plan};
/// use extbuf_layout::{Layout, Order};
///
/// // Height x width x channel to channel x height x width.
/// let dst = Layout::strided(1, &[480, 640, 3], &[640, 1, 480 * 640], 0)?;
/// let src = Layout::contiguous(1, &[480, 640, 3], Order::C)?;
/// assert_eq!(
///     Plan::new(&dst, &src)?.at_level(Level::Portable).to_string(),
///     "\
/// 921600 bytes in 1 part
///   loop 0: 3 steps, dst +307200, src +1
///   loop 1: 307200 steps, dst +1, src +3
///   transpose of 1-byte units, portable"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes in {} part{}", self.bytes, self.parts, plural(self.parts))?;
        match self.split {
            Split::Whole => {}
            Split::Load(i) => write!(f, ", cut along load loop {i}")?,
            Split::Loop(i) => write!(f, ", cut along loop {i}")?,
            Split::Unit => write!(f, ", cut along the unit")?,
        }
        for (i, extent) in self.outer.iter().enumerate() {
            write!(f, "\n  load loop {i}: {extent} steps, dst ")?;
            chain_step(f, &self.dst, i)?;
            write!(f, ", src ")?;
            chain_step(f, &self.src, i)?;
            if self.together > 1 && i + 1 == self.outer.len() {
                write!(f, ", {} together", self.together)?;
            }
        }
        for (i, l) in self.loops.iter().enumerate() {
            write!(f, "\n  loop {i}: {} steps, dst {:+}, src {:+}", l.extent, l.dst, l.src)?;
        }
        write!(f, "\n  {} of {}-byte units, {}", self.kernel, self.unit, self.level)
    }
}

/// The step of one load loop at each level, with an arrow for each load between them.
fn chain_step(f: &mut fmt::Formatter<'_>, chain: &Chain, i: usize) -> fmt::Result {
    for level in 0..chain.levels() {
        if level > 0 {
            f.write_str(" -> ")?;
        }
        write!(f, "{:+}", chain.strides(level)[i])?;
    }
    Ok(())
}

fn plural(n: usize) -> &'static str {
    if n == 1 { "" } else { "s" }
}
