//! Pointers to memory that may hold pointers: tables of any shape, to any depth.
//!
//! What a table points to are windows, and what it lends is a window's memory with one level more in front. So a table
//! of tables is a table of windows on tables, and arrays of pointers to arrays of pointers to arrays need no word of
//! their own. The pointers are made here, from windows that the table keeps, and so they are safe to follow.
// The pointer table is made here; `Nested` is a safe door to layouts with loads.
#![allow(unsafe_code)]

use alloc::borrow::Cow;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use extbuf_format::Format;
use extbuf_layout::{Layout, LayoutSpec, LevelSpec, Order, POINTER_BYTES};

use crate::exporter::{Export, Exporter};
use crate::memory::{Access, Block, Memory, Owner};
use crate::refusal::{Refusal, RefusalKind};
use crate::request::Request;
use crate::window::Window;

/// Windows of one shape, reached through a table of pointers to them.
///
/// The table's axes come first, the windows' axes follow. The windows may lie anywhere, overlap, or be the same memory
/// several times; and may have tables of their own. [`Rows`](crate::Rows) is the shorter way from vectors of one axis.
///
/// ```
/// use extbuf_layout::s;
/// use extbuf_protocol::{Buffer, Exporter, Nested, Refusal, Request};
///
/// // A bottom-up picture in one block, as rows from the top: each its own slice of the block.
/// let mut block = Buffer::from_vec((0u8..12).collect());
/// block.reshape(&[3, 4])?;
/// let block = block.window(Request::FULL_RO)?;
/// let rows = (0..3).rev().map(|row| block.map(|view| view.index_axis(0, row)));
/// let picture = Nested::new(rows.collect::<Result<_, Refusal>>()?, &[3])?;
///
/// let right = picture.window(Request::FULL_RO)?.slice(s![.., 2..])?;
/// assert_eq!(right.view().get::<u8>(&[0, 1])?, 11);
/// assert_eq!(right.view().get::<u8>(&[2, 1])?, 3);
/// # Ok::<(), extbuf_protocol::Refusal>(())
/// ```
pub struct Nested<'m> {
    /// Its block is the table; lent only under `layout`, which does not show the table.
    memory: Memory<'m>,
    layout: Layout,
    format: Format,
}

/// The table, and the windows that keep what it points to.
///
/// Invariant: under the layout of `Nested` less its first level, V1 and V4 hold from each pointer, and V5 for as long as
/// the windows live; with `Access::Write` each window writes, and shares its lease with nobody.
struct Table<'m> {
    pointers: Vec<*mut u8>,
    access: Access,
    /// Kept, and looked through by nobody.
    _windows: Vec<Window<'m>>,
}

// SAFETY: the pointers are to memory that the windows keep, and windows may go to any thread.
unsafe impl Send for Table<'_> {}
// SAFETY: as above.
unsafe impl Sync for Table<'_> {}

// SAFETY: M1: the block is the vector of pointers, which nobody changes. M2, M3: items lie behind the windows, see the
// invariant of `Table`; the table itself is reached as part of no item, see `Nested::memory`.
unsafe impl Owner for Table<'_> {
    fn block(&mut self) -> Block {
        let len = self.pointers.len() * POINTER_BYTES;
        Block { base: self.pointers.as_mut_ptr().cast(), len, access: self.access }
    }
}

impl<'m> Nested<'m> {
    /// Makes a table of this shape, in C order, over windows that are laid out alike: in everything but where their
    /// first level starts.
    ///
    /// Can be written where all windows can, each being alone on its lease.
    ///
    /// # Errors
    ///
    /// [`RefusalKind::ItemCount`] where the windows are not as many as the shape says, or there is none to tell the
    /// layout from; [`RefusalKind::Unlike`] for the first window that is laid out otherwise than those before it;
    /// [`RefusalKind::Layout`] for more axes or levels than a layout may have.
    pub fn new(mut windows: Vec<Window<'m>>, shape: &[usize]) -> Result<Nested<'m>, Refusal> {
        let table = Layout::contiguous(POINTER_BYTES, shape, Order::C)?;
        let Some(first) = windows.first().filter(|_| table.len() == windows.len()) else {
            return Err(RefusalKind::ItemCount { wanted: table.len().max(1), items: windows.len() }.into());
        };
        if let Some(part) = windows.iter().position(|window| !alike(window, first)) {
            return Err(RefusalKind::Unlike { part }.into());
        }
        let (inner, format) = (first.layout().clone(), first.format().clone());
        let layout = behind(&table, &inner)?;
        let writes = windows.iter_mut().all(|window| window.view_mut().is_ok());
        let pointers = windows.iter().map(|window| {
            // What tells this window's first level from that of `inner`. Wraps only where there are no items, and no
            // pointer is followed.
            let further = window.layout().offset(0).wrapping_sub(inner.offset(0));
            window.view().as_ptr().cast_mut().wrapping_offset(further)
        });
        let pointers = pointers.collect();
        let access = if writes { Access::Write } else { Access::Read };
        Ok(Nested {
            memory: Memory::from_owner(Table { pointers, access, _windows: windows }),
            layout,
            format,
        })
    }

    /// Where the items are: the first axes are the table's.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// What an item is.
    pub fn format(&self) -> &Format {
        &self.format
    }

    /// Leases that are live now.
    pub fn live(&self) -> usize {
        self.memory.live()
    }
}

/// Whether two windows differ in nothing but where they start.
fn alike(a: &Window<'_>, b: &Window<'_>) -> bool {
    let (layout, other) = (a.layout(), b.layout());
    a.format() == b.format()
        && layout.itemsize() == other.itemsize()
        && layout.shape() == other.shape()
        && layout.levels() == other.levels()
        && (0..layout.levels()).all(|level| {
            layout.strides(level) == other.strides(level)
                && (level == 0 || layout.offset(level) == other.offset(level))
        })
}

/// The layout behind a table of pointers: the table's axes in front, and one level more.
fn behind(table: &Layout, inner: &Layout) -> Result<Layout, Refusal> {
    // Extents of checked layouts fit `isize`.
    let shape: Vec<isize> =
        table.shape().iter().chain(inner.shape()).map(|&extent| extent as isize).collect();
    let ndim = table.ndim();
    let mut strides = vec![vec![0; shape.len()]; inner.levels() + 1];
    strides[0][..ndim].copy_from_slice(table.strides(0));
    for level in 0..inner.levels() {
        strides[level + 1][ndim..].copy_from_slice(inner.strides(level));
    }
    let offsets = [0].into_iter().chain((0..inner.levels()).map(|level| inner.offset(level)));
    let levels: Vec<LevelSpec<'_>> =
        offsets.zip(&strides).map(|(offset, strides)| LevelSpec { offset, strides }).collect();
    Ok(Layout::new(&LayoutSpec { itemsize: inner.itemsize(), shape: &shape, levels: &levels })?)
}

impl<'m> Exporter<'m> for Nested<'m> {
    fn export(&self, request: Request) -> Result<Export<'m, '_>, Refusal> {
        let (layout, format) = (Cow::Borrowed(&self.layout), Cow::Borrowed(&self.format));
        // SAFETY: level 0 reaches the pointers of the table, which do not change, and each leads to what a window
        // reaches, see the invariant of `Table`. For writing: windows that write overlap neither in themselves (V3)
        // nor each other, since each is alone on a lease that excludes all others, and none of them shows a table.
        unsafe { Export::with_loads(&self.memory, layout, format, request) }
    }
}

impl fmt::Debug for Nested<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nested").field("format", &self.format).field("layout", &self.layout).finish()
    }
}
