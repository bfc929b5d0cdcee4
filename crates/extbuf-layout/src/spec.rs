//! What somebody claims about a layout: public fields, no promise.
//!
//! A claim becomes a [`Layout`](crate::Layout) through [`Layout::new`](crate::Layout::new) and nowhere else.

/// A claimed layout, as it arrives from another program. Nothing in it is checked.
///
/// The shape is signed because foreign descriptions (`Py_buffer`, DLPack) are; a negative extent is refused.
#[derive(Clone, Copy, Debug)]
pub struct LayoutSpec<'a> {
    /// Bytes of one item.
    pub itemsize: usize,
    /// Number of entries along each axis.
    pub shape: &'a [isize],
    /// The affine maps, outermost first; between two of them lies one load.
    pub levels: &'a [LevelSpec<'a>],
}

/// One affine map of a claimed layout.
#[derive(Clone, Copy, Debug)]
pub struct LevelSpec<'a> {
    /// Bytes added to the base, or to the pointer just loaded.
    pub offset: isize,
    /// Bytes between neighbours along each axis at this level; as many as the shape has axes.
    pub strides: &'a [isize],
}
