//! One value into every item.

// Hands the base of a view to the copy.
#![allow(unsafe_code)]

use extbuf_format::Value;
use extbuf_layout::Layout;
use extbuf_protocol::{Sharing, ViewMut};

use crate::error::{CopyError, CopyErrorKind};
use crate::options::CopyOptions;
use crate::plan::Plan;
use crate::report::Report;

/// Writes one value into every item of a view, as the view's format stores it.
///
/// Integers are taken for floats, and floats for complex numbers; a record takes a tuple of its fields
/// ([`Format::pack`](extbuf_format::Format::pack)).
///
/// ```
/// use extbuf_copy::fill;
/// use extbuf_layout::s;
/// use extbuf_protocol::ViewMut;
///
/// let mut numbers = [0f32; 6];
/// fill(&mut ViewMut::from_slice(&mut numbers).slice(s![1..;2])?, 7)?;
/// assert_eq!(numbers, [0.0, 7.0, 0.0, 7.0, 0.0, 7.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// `Format` where the value is none of the view's format.
pub fn fill<S: Sharing>(dst: &mut ViewMut<'_, S>, value: impl Into<Value>) -> Result<Report, CopyError> {
    CopyOptions::default().fill(dst, value)
}

impl CopyOptions<'_> {
    /// As the function [`fill`].
    ///
    /// # Errors
    ///
    /// As [`fill`], and `Cancelled`.
    pub fn fill<S: Sharing>(
        &self,
        dst: &mut ViewMut<'_, S>,
        value: impl Into<Value>,
    ) -> Result<Report, CopyError> {
        let mut item = vec![0; dst.itemsize()];
        dst.format().pack(&value.into(), &mut item).map_err(CopyErrorKind::Format)?;
        let everywhere = Layout::strided(dst.itemsize(), dst.shape(), &vec![0; dst.ndim()], 0)?;
        let plan = Plan::new(dst.layout(), &everywhere)?.at_level(self.level);
        // SAFETY: V1, V2, V4 and V5 of the view: what it reaches is there and may be written; V3: items share no byte. The
        // source reaches the one item, which is apart from everything.
        unsafe { self.between::<S, S>().run(&plan, dst.as_mut_ptr(), item.as_ptr()) }
    }
}
