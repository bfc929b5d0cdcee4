//! An image whose rows are separate allocations, reached through a table of pointers.
//!
//! The case that started it: a picture in memory as the imaging libraries keep it, one block a row. No start address
//! and no strides can describe it; one load can. Level 0 walks the table, level 1 walks the row that was loaded.
//! Slicing columns adds to the offset after the load and touches neither table nor rows.
// The pointer table is made here; `Rows` is the safe door to layouts with a load.
#![allow(unsafe_code)]

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::marker::PhantomData;

use bytemuck::{AnyBitPattern, NoUninit};
use extbuf_format::{Element, Format};
use extbuf_layout::{Layout, LayoutSpec, LevelSpec, Order, POINTER_BYTES};

use crate::exporter::{Export, Exporter};
use crate::memory::{Access, Block, Memory, Owner};
use crate::refusal::{Refusal, RefusalKind};
use crate::request::Request;

/// Rows of equal length, each its own allocation, lent together through a table of pointers to them.
///
/// ```
/// use extbuf_layout::s;
/// use extbuf_protocol::{Exporter, Request, Rows};
///
/// // Three rows of two RGB pixels, wherever they are.
/// let rows = vec![vec![1u8, 2, 3, 4, 5, 6], vec![7, 8, 9, 10, 11, 12], vec![13, 14, 15, 16, 17, 18]];
/// let image = Rows::from_vecs(rows, &[2, 3])?;
/// let window = image.window(Request::FULL_RO)?;
/// assert_eq!(window.shape(), [3, 2, 3]);
///
/// // The second pixel of every row: 3 bytes more after the load, in `offset(1)`.
/// let right = window.slice(s![.., 1.., ..])?;
/// assert_eq!(right.layout().offset(1), 3);
/// assert_eq!(right.view().get::<u8>(&[2, 0, 0])?, 16);
/// # Ok::<(), extbuf_protocol::Refusal>(())
/// ```
#[derive(Debug)]
pub struct Rows<'m> {
    /// Its block is the table; lent only under layouts made by `layout_of`, never under one that shows the table.
    memory: Memory<'m>,
    layout: Layout,
    format: Format,
}

/// The table, and whatever keeps the rows.
///
/// Invariant: each pointer of the table points to as many bytes as `Rows` describes of a row, which satisfy M1 to M3
/// while `rows` lives; with `Access::Write` no two rows share a byte.
struct Table<K> {
    pointers: Vec<*mut u8>,
    access: Access,
    /// Kept, never touched again.
    _rows: K,
}

// SAFETY: the pointers are to rows that `_rows` keeps, and that may be read, or written by one, on any thread.
unsafe impl<K: Send> Send for Table<K> {}
// SAFETY: as above.
unsafe impl<K: Sync> Sync for Table<K> {}

// SAFETY: M1: the block is the vector of pointers, which nobody changes. M2, M3: items are bytes of rows, see the
// invariant of `Table`; the table itself is reached as part of no item, see `Rows::memory`.
unsafe impl<K: Send + Sync> Owner for Table<K> {
    fn block(&mut self) -> Block {
        let len = self.pointers.len() * POINTER_BYTES;
        Block { base: self.pointers.as_mut_ptr().cast(), len, access: self.access }
    }
}

impl<'m> Rows<'m> {
    /// Takes rows; `row_shape` is the shape of one of them, such as `[width, 3]`.
    ///
    /// # Errors
    ///
    /// [`RefusalKind::RowLength`] where rows differ in length; [`RefusalKind::ItemCount`] where `row_shape` has
    /// another number of items than a row.
    pub fn from_vecs<T>(mut rows: Vec<Vec<T>>, row_shape: &[usize]) -> Result<Rows<'m>, Refusal>
    where
        T: Element + NoUninit + AnyBitPattern + Send + Sync,
    {
        let layout = layout_of::<T>(rows.iter().map(Vec::len), row_shape)?;
        // Each vector is its own allocation, so no two rows share a byte; moving a vector does not move its items.
        let pointers = rows.iter_mut().map(|row| row.as_mut_ptr().cast()).collect();
        Ok(Rows::new::<T, _>(Table { pointers, access: Access::Write, _rows: rows }, layout))
    }

    /// Takes whatever holds a row each, for reading: `Arc<[T]>`, `Box<[T]>`, `bytes::Bytes`, arrays. The same row may
    /// stand in several places. Each is asked for its slice once.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use extbuf_protocol::{Exporter, Request, Rows};
    /// let (black, white): (Arc<[u8]>, Arc<[u8]>) = (Arc::from([0; 640]), Arc::from([255; 640]));
    /// let stripes = Rows::from_refs(vec![black.clone(), white.clone(), black, white], &[640])?;
    /// assert_eq!(stripes.window(Request::FULL_RO)?.view().get::<u8>(&[3, 100])?, 255);
    /// # Ok::<(), extbuf_protocol::Refusal>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`from_vecs`](Rows::from_vecs).
    pub fn from_refs<T, R>(rows: Vec<R>, row_shape: &[usize]) -> Result<Rows<'m>, Refusal>
    where
        T: Element + NoUninit,
        R: AsRef<[T]> + Send + Sync + 'm,
    {
        // Once: the next answer may be another. Each row is borrowed from here on until it is dropped, for `rows` moves,
        // but what it holds does not; see `Memory::from_ref` for why its slice then lasts.
        let rows_of_items = rows.iter().map(|row| -> *const [T] { row.as_ref() }).collect::<Vec<_>>();
        let layout = layout_of::<T>(rows_of_items.iter().map(|row| row.len()), row_shape)?;
        let pointers = rows_of_items.iter().map(|row| row.cast_mut().cast()).collect();
        Ok(Rows::new::<T, _>(Table { pointers, access: Access::Read, _rows: rows }, layout))
    }

    /// Takes whatever alone holds a row each, for reading and writing: `Box<[T]>`, `bytes::BytesMut`, arrays. Each is
    /// asked for its slice once.
    ///
    /// # Errors
    ///
    /// As [`from_vecs`](Rows::from_vecs).
    pub fn from_muts<T, R>(mut rows: Vec<R>, row_shape: &[usize]) -> Result<Rows<'m>, Refusal>
    where
        T: Element + NoUninit + AnyBitPattern,
        R: AsMut<[T]> + Send + Sync + 'm,
    {
        // As in `from_refs`; slices lent mutably at the same time share no byte.
        let rows_of_items = rows.iter_mut().map(|row| -> *mut [T] { row.as_mut() }).collect::<Vec<_>>();
        let layout = layout_of::<T>(rows_of_items.iter().map(|row| row.len()), row_shape)?;
        let pointers = rows_of_items.iter().map(|row| row.cast()).collect();
        Ok(Rows::new::<T, _>(Table { pointers, access: Access::Write, _rows: rows }, layout))
    }

    /// Borrows rows for reading. The same row may stand in several places.
    ///
    /// # Errors
    ///
    /// As [`from_vecs`](Rows::from_vecs).
    pub fn from_slices<T>(rows: &[&'m [T]], row_shape: &[usize]) -> Result<Rows<'m>, Refusal>
    where
        T: Element + NoUninit + Sync,
    {
        let layout = layout_of::<T>(rows.iter().map(|row| row.len()), row_shape)?;
        let pointers = rows.iter().map(|row| row.as_ptr().cast_mut().cast()).collect();
        // The borrow of every row lasts for 'm.
        let kept = PhantomData::<&'m [T]>;
        Ok(Rows::new::<T, _>(Table { pointers, access: Access::Read, _rows: kept }, layout))
    }

    /// Borrows rows for reading and writing.
    ///
    /// # Errors
    ///
    /// As [`from_vecs`](Rows::from_vecs).
    pub fn from_slices_mut<T>(rows: Vec<&'m mut [T]>, row_shape: &[usize]) -> Result<Rows<'m>, Refusal>
    where
        T: Element + NoUninit + AnyBitPattern + Send + Sync,
    {
        let layout = layout_of::<T>(rows.iter().map(|row| row.len()), row_shape)?;
        // Exclusive borrows, so no two rows share a byte; each lasts for 'm.
        let pointers = rows.into_iter().map(|row| row.as_mut_ptr().cast()).collect();
        let kept = PhantomData::<&'m mut [T]>;
        Ok(Rows::new::<T, _>(Table { pointers, access: Access::Write, _rows: kept }, layout))
    }

    fn new<T: Element, K: Send + Sync + 'm>(table: Table<K>, layout: Layout) -> Rows<'m> {
        Rows { memory: Memory::from_owner(table), layout, format: T::FORMAT }
    }

    /// Gives every row another shape of as many items. Touches no memory; windows keep their own shape.
    ///
    /// # Errors
    ///
    /// [`RefusalKind::ItemCount`] where the shape has another number of items; then nothing has changed.
    pub fn reshape_rows(&mut self, row_shape: &[usize]) -> Result<(), Refusal> {
        let rows = self.layout.shape()[0];
        // In range: what a row has was checked; with a zero among the extents it ends at zero whatever wraps.
        let items = self.layout.shape()[1..].iter().fold(1, |items: usize, &n| items.wrapping_mul(n));
        self.layout = layout_of_rows(self.layout.itemsize(), rows, items, row_shape)?;
        Ok(())
    }

    /// Where the items are: the first axis is the row.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// What an item is.
    pub fn format(&self) -> &Format {
        &self.format
    }

    /// The pointer table and the owner of the rows; for its account of live leases.
    pub fn live(&self) -> usize {
        self.memory.live()
    }
}

fn layout_of<T>(lengths: impl Iterator<Item = usize>, row_shape: &[usize]) -> Result<Layout, Refusal> {
    let (mut rows, mut items) = (0, None);
    for (row, len) in lengths.enumerate() {
        let expected = *items.get_or_insert(len);
        if len != expected {
            return Err(RefusalKind::RowLength { row, len, expected }.into());
        }
        rows = row + 1;
    }
    let described = Layout::contiguous(size_of::<T>(), row_shape, Order::C)?.len();
    layout_of_rows(size_of::<T>(), rows, items.unwrap_or(described), row_shape)
}

/// Level 0 walks a table of `rows` pointers, level 1 a row of `items` items in C order.
fn layout_of_rows(
    itemsize: usize,
    rows: usize,
    items: usize,
    row_shape: &[usize],
) -> Result<Layout, Refusal> {
    let row = Layout::contiguous(itemsize, row_shape, Order::C)?;
    if row.len() != items {
        return Err(RefusalKind::ItemCount { wanted: row.len(), items }.into());
    }
    // Extents of a checked layout, and the length of a vector of pointers, fit `isize`.
    let shape: Vec<isize> = [rows].iter().chain(row_shape).map(|&extent| extent as isize).collect();
    let mut table_strides = alloc::vec![0; shape.len()];
    table_strides[0] = POINTER_BYTES as isize;
    let row_strides: Vec<isize> = [0].iter().chain(row.strides(0)).copied().collect();
    Ok(Layout::new(&LayoutSpec {
        itemsize,
        shape: &shape,
        levels: &[
            LevelSpec { offset: 0, strides: &table_strides },
            LevelSpec { offset: 0, strides: &row_strides },
        ],
    })?)
}

impl<'m> Exporter<'m> for Rows<'m> {
    fn export(&self, request: Request) -> Result<Export<'m, '_>, Refusal> {
        let (layout, format) = (Cow::Borrowed(&self.layout), Cow::Borrowed(&self.format));
        // SAFETY: the layout is one of `layout_of_rows` over the table: level 0 reaches its pointers, which do not
        // change, level 1 the items of a row, see the invariant of `Table`. C order puts no item over another, and
        // with write access no row over another.
        unsafe { Export::with_loads(&self.memory, layout, format, request) }
    }
}
