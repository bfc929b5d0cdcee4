//! Many items at once: `tobytes`, `copy`, `as_contiguous`. Large ones run on the threads of the machine and leave the
//! interpreter to others meanwhile; the view counts as in use for that time, so it cannot be released.
// Hands raw addresses to the copy engine.
#![allow(unsafe_code)]

use std::sync::OnceLock;

use extbuf_copy::{CopyOptions, Threads};
use extbuf_layout::{Layout, Order};
use pyo3::exceptions::{PyMemoryError, PyTypeError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::{View, value_error};
use crate::block::{Block, on_large_pages};
use crate::error;
use crate::lease::{Keep, Lease};
use crate::reach::Address;

/// Copies of fewer bytes keep the interpreter: giving it away and taking it back costs more.
pub(super) const SHORT: usize = 1 << 16;

#[pymethods]
impl View {
    /// The items as bytes, one after another: order 'C' (the last axis fastest, also None), 'F' (the first), or 'A' (as
    /// they lie if that is 'F', else 'C').
    #[pyo3(signature = (order=None))]
    fn tobytes<'py>(&self, py: Python<'py>, order: Option<&str>) -> PyResult<Bound<'py, PyBytes>> {
        self.check()?;
        self.bytes(py, order_of(order)?)
    }

    /// A view of a copy, whose items lie one after another in that order and which can be written.
    #[pyo3(signature = (order=None, *, threads=None))]
    fn copy(&self, py: Python<'_>, order: Option<&str>, threads: Option<usize>) -> PyResult<View> {
        self.check()?;
        self.copied_view(py, order_of(order)?, threads)
    }

    /// A view whose items lie one after another in that order: of the same memory where they do, else of a copy.
    #[pyo3(signature = (order=None, *, threads=None))]
    fn as_contiguous(&self, py: Python<'_>, order: Option<&str>, threads: Option<usize>) -> PyResult<View> {
        let order = order_of(order)?;
        if self.layout.is_contiguous(order) {
            return self.with_layout(py, self.layout.clone());
        }
        self.copied_view(py, order, threads)
    }
}

/// # Errors
///
/// `ValueError` for what is no order.
pub(crate) fn order_of(order: Option<&str>) -> PyResult<Order> {
    match order {
        None | Some("C") => Ok(Order::C),
        Some("F") => Ok(Order::F),
        Some("A") => Ok(Order::A),
        Some(other) => Err(value_error(format!("order must be 'C', 'F', 'A' or None, not {other:?}"))),
    }
}

/// How many threads a copy may use; None: all there are. A process that was forked from one whose pool had been started
/// has the pool's memory and none of its threads, so there a copy stays on its own.
pub(crate) fn options(threads: Option<usize>) -> CopyOptions<'static> {
    static STARTED_IN: OnceLock<u32> = OnceLock::new();
    let process = std::process::id();
    let threads = match threads {
        _ if *STARTED_IN.get_or_init(|| process) != process => Threads::ONE,
        Some(threads) => Threads::AtMost(threads.max(1)),
        None => Threads::Pool,
    };
    CopyOptions { threads, ..CopyOptions::default() }
}

impl View {
    /// The layout of a copy: Fortran order stays what it is where either is allowed.
    fn dense(&self, order: Order) -> PyResult<Layout> {
        let order = match order {
            Order::A if self.layout.is_contiguous(Order::F) && !self.layout.is_contiguous(Order::C) => {
                Order::F
            }
            Order::A => Order::C,
            order => order,
        };
        Layout::contiguous(self.layout.itemsize(), self.layout.shape(), order).map_err(error::layout)
    }

    pub(crate) fn bytes<'py>(&self, py: Python<'py>, order: Order) -> PyResult<Bound<'py, PyBytes>> {
        let dense = self.dense(order)?;
        let len =
            isize::try_from(dense.nbytes()).map_err(|_| PyMemoryError::new_err("no bytes are that long"))?;
        // SAFETY: an attached thread; without a source the bytes are left for us to write.
        let object = unsafe { ffi::PyBytes_FromStringAndSize(std::ptr::null(), len) };
        // SAFETY: a new reference, or null with the exception set.
        let object = unsafe { Bound::from_owned_ptr_or_err(py, object) }?;
        // SAFETY: a bytes object.
        let start = unsafe { ffi::PyBytes_AsString(object.as_ptr()) };
        on_large_pages(start.cast(), dense.nbytes());
        // SAFETY: the object is ours alone until it is returned, and has room for all that the layout reaches.
        unsafe { self.copy_out(py, &dense, Address::new(start.cast()), None) }?;
        Ok(object.cast_into::<PyBytes>()?)
    }

    /// The bytes in memory of our own, to be read without looking at the view again.
    pub(crate) fn copied(&self, py: Python<'_>, order: Order) -> PyResult<Vec<u8>> {
        let dense = self.dense(order)?;
        let mut bytes = Vec::new();
        let len = dense.nbytes();
        bytes
            .try_reserve_exact(len)
            .map_err(|_| PyMemoryError::new_err(format!("no memory for {len} bytes")))?;
        // SAFETY: the vector is ours and has room for all that the layout reaches.
        unsafe { self.copy_out(py, &dense, Address::new(bytes.as_mut_ptr()), None) }?;
        // SAFETY: so many bytes are reserved, and the copy has written every one.
        unsafe { bytes.set_len(len) };
        Ok(bytes)
    }

    pub(super) fn copied_view(&self, py: Python<'_>, order: Order, threads: Option<usize>) -> PyResult<View> {
        self.refuse_objects()?;
        let dense = self.dense(order)?;
        let block = Block::new(dense.nbytes())?;
        let base = block.address();
        // SAFETY: the block is ours and has room for all that the layout reaches.
        unsafe { self.copy_out(py, &dense, base, threads) }?;
        let share = Lease::of_own(py, Keep::Block(block))?;
        Ok(View::new_on(share, base, dense, self.item.clone(), false))
    }

    /// A counted reference is not copied as bytes into memory that does not count it.
    pub(crate) fn refuse_objects(&self) -> PyResult<()> {
        if self.item.has_objects() {
            return Err(PyTypeError::new_err("items hold references to objects, which are not copied"));
        }
        Ok(())
    }

    /// Copies all items to where `dense` reaches from `target`.
    ///
    /// # Safety
    ///
    /// That memory is the caller's alone.
    unsafe fn copy_out(
        &self,
        py: Python<'_>,
        dense: &Layout,
        target: Address,
        threads: Option<usize>,
    ) -> PyResult<()> {
        let entered = self.enter(py)?;
        let source = entered.base();
        let bytes = dense.nbytes();
        if bytes < SHORT && self.layout.is_direct() && dense.strides(0) == self.layout.strides(0) {
            let from = source.get().wrapping_offset(self.layout.offset(0)).cast_const();
            // SAFETY: W1 while entered: one run of bytes, dense as the target is; the two are apart.
            unsafe { std::ptr::copy_nonoverlapping(from, target.get(), bytes) };
            return Ok(());
        }
        let run = || {
            // What has one part needs no threads, and no question whether there are any.
            let alone = CopyOptions { threads: Threads::ONE, ..CopyOptions::default() };
            let options = if bytes < SHORT { alone } else { options(threads) };
            // SAFETY: W1 while entered: every item can be reached and read, from any thread; others may write it
            // meanwhile, which spoils the values they write and is said in the package's documentation. The target is
            // the caller's alone, so the two are apart.
            unsafe { options.copy_raw((dense, target.get()), (&self.layout, source.get().cast_const())) }
        };
        let report = if bytes < SHORT { run() } else { py.detach(run) };
        report.map_err(error::copy)?;
        Ok(())
    }
}
