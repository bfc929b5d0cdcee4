//! Typed views out into vectors of their type.

// Writes items into room that a vector has reserved.
#![allow(unsafe_code)]

use bytemuck::AnyBitPattern;
use extbuf_format::Element;
use extbuf_layout::Order;
use extbuf_protocol::{Sharing, TypedView};

use crate::copy::to_dense;
use crate::error::{CopyError, CopyErrorKind};
use crate::options::CopyOptions;
use crate::report::Report;

/// The items of a typed view as a vector, one after another in the given order.
///
/// The same as collecting [`values`](TypedView::values), by the kernels and threads of a copy.
///
/// ```
/// use extbuf_copy::to_vec_of;
/// use extbuf_layout::{Order, s};
/// use extbuf_protocol::{Exporter, Request, Rows};
///
/// let rows = Rows::from_vecs(vec![vec![1.0f32, 2.0, 3.0], vec![4.0, 5.0, 6.0]], &[3])?;
/// let columns = rows.window(Request::FULL_RO)?.slice(s![.., 1..])?;
/// let numbers: Vec<f32> = to_vec_of(&columns.view().typed()?, Order::F)?;
/// assert_eq!(numbers, [2.0, 5.0, 3.0, 6.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// `Allocation` where there is no memory for so many items.
pub fn to_vec_of<T, S>(view: &TypedView<'_, T, S>, order: Order) -> Result<Vec<T>, CopyError>
where
    T: Element + AnyBitPattern,
    S: Sharing,
{
    Ok(CopyOptions::default().to_vec_of(view, order)?.0)
}

impl CopyOptions<'_> {
    /// As the function [`to_vec_of`], with the report.
    ///
    /// # Errors
    ///
    /// As [`to_vec_of`], and `Cancelled`.
    pub fn to_vec_of<T, S>(
        &self,
        view: &TypedView<'_, T, S>,
        order: Order,
    ) -> Result<(Vec<T>, Report), CopyError>
    where
        T: Element + AnyBitPattern,
        S: Sharing,
    {
        let (layout, plan) = to_dense(view.as_view(), order, self.level)?;
        let mut items: Vec<T> = Vec::new();
        let bytes = plan.bytes();
        items.try_reserve_exact(layout.len()).map_err(|_| CopyErrorKind::Allocation { bytes })?;
        // SAFETY: the view as in `copy`; the vector has room for so many items, whose size is the itemsize (T1 of the
        // view), and so for all the bytes that the layout reaches.
        let report =
            unsafe { self.between::<S, S>().run(&plan, items.as_mut_ptr().cast(), view.as_view().as_ptr()) }?;
        // SAFETY: so many items are reserved, the copy has written every byte of them, and any bytes are a `T`
        // (`AnyBitPattern`).
        unsafe { items.set_len(layout.len()) };
        Ok((items, report))
    }
}
