//! What a copy did.

use std::fmt;

use crate::overlap::Overlap;
use crate::plan::Kernel;

/// What a copy did. Prints itself in one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Bytes written to the destination.
    pub bytes: usize,
    /// What ran inside the loops (for a staged copy, on the way from scratch memory to the destination).
    pub kernel: Kernel,
    /// Into how many parts the work was cut.
    pub parts: usize,
    /// On how many threads they ran.
    pub threads: usize,
    /// How source and destination lay to each other.
    pub overlap: Overlap,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.overlap == Overlap::Same {
            return f.write_str("nothing copied: source and destination are the same places");
        }
        let s = |n| if n == 1 { "" } else { "s" };
        write!(
            f,
            "{} byte{} by kernel {}, {} part{} on {} thread{}",
            self.bytes,
            s(self.bytes),
            self.kernel,
            self.parts,
            s(self.parts),
            self.threads,
            s(self.threads)
        )?;
        match self.overlap {
            Overlap::None | Overlap::Same => Ok(()),
            Overlap::Forward => f.write_str(", in ascending order since the two overlap"),
            Overlap::Backward => f.write_str(", in descending order since the two overlap"),
            Overlap::Staged => f.write_str(", through scratch memory of that size since the two overlap"),
        }
    }
}
