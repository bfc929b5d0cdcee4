//! Runs: the walk of a layout in longest pieces of neighbouring bytes.
//!
//! The fastest axes that are dense and step at no earlier level make up one piece; the walk then turns the remaining
//! axes and joins a piece to the one before where it begins at its end and is reached through the same pointers.

use crate::contiguity::Contiguity;
use crate::layout::{Layout, Order};
use crate::walk::{Index, Indices};

/// Items that follow one another both in the order of the walk and in memory.
#[derive(Clone, Debug)]
pub struct Run {
    /// The index of the first item.
    pub index: Index,
    /// Where the first item lies: bytes from the base, or from the last pointer loaded on the way to it.
    pub offset: isize,
    /// How many items; each is the layout's itemsize after the one before.
    pub items: usize,
}

/// The runs of a layout. See [`Layout::runs`].
#[derive(Clone, Debug)]
pub struct Runs<'a> {
    layout: &'a Layout,
    /// Items of one piece.
    piece: usize,
    /// The first index of each piece, by walking everything: pieces are skipped over.
    indices: Indices<'a>,
    pending: Option<Run>,
}

impl Layout {
    /// The longest runs of neighbouring items, in C or F order ([`Order::A`] is F where the layout is contiguous in F
    /// order only). Every item is in exactly one run.
    ///
    /// ```
    /// use extbuf_layout::{s, Layout, Order};
    /// let part = Layout::contiguous(4, &[3, 8], Order::C)?.slice(s![1.., 2..5])?;
    /// let runs: Vec<_> = part.runs(Order::C).map(|run| (run.offset, run.items)).collect();
    /// assert_eq!(runs, [(40, 3), (72, 3)]);
    /// # Ok::<(), extbuf_layout::LayoutError>(())
    /// ```
    pub fn runs(&self, order: Order) -> Runs<'_> {
        let fortran = match order {
            Order::C => false,
            Order::F => true,
            Order::A => self.contiguity() == Contiguity::F,
        };
        let last = self.levels() - 1;
        let mut piece = 1usize;
        for i in 0..self.ndim() {
            let axis = if fortran { i } else { self.ndim() - 1 - i };
            let extent = self.shape()[axis];
            if extent != 1 {
                let dense = (0..last).all(|level| self.strides(level)[axis] == 0)
                    && self.strides(last)[axis] == (self.itemsize() * piece) as isize;
                if !dense || self.is_empty() {
                    break;
                }
                piece *= extent;
            }
        }
        Runs { layout: self, piece, indices: self.indices(order), pending: None }
    }
}

impl Runs<'_> {
    /// True where both runs are reached through the same stored pointers.
    fn same_way(&self, a: &Index, b: &Index) -> bool {
        (0..self.layout.levels() - 1).all(|level| self.layout.place(level, a) == self.layout.place(level, b))
    }
}

impl Iterator for Runs<'_> {
    type Item = Run;

    fn next(&mut self) -> Option<Run> {
        let last = self.layout.levels() - 1;
        loop {
            let Some(index) = self.indices.next_piece(self.piece) else {
                return self.pending.take();
            };
            let offset = self.layout.place(last, &index);
            let piece = Run { index, offset, items: self.piece };
            match self.pending.take() {
                None => self.pending = Some(piece),
                Some(mut run) => {
                    // In range: the end of a run is at most one past the highest byte reached.
                    let end = run.offset + (run.items * self.layout.itemsize()) as isize;
                    if end == piece.offset && self.same_way(&run.index, &piece.index) {
                        run.items += piece.items;
                        self.pending = Some(run);
                    } else {
                        self.pending = Some(piece);
                        return Some(run);
                    }
                }
            }
        }
    }
}
