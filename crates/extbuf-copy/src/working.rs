//! A contiguous working copy of items that lie apart, and its way back.
//!
//! PEP 3118 specified it for its memory object, as a copy that is "written back on release" to an object whose buffer is
//! not contiguous, and nobody built it there. A library that takes contiguous memory alone can then work on any view.

use std::fmt;

use extbuf_layout::Order;
use extbuf_protocol::{Frozen, Sharing, View, ViewMut, Window};

use crate::copy::{copy, to_contiguous};
use crate::error::CopyError;
use crate::plan::Plan;
use crate::report::Report;

/// Copies a view's items into memory of their own, to be worked on and written back.
///
/// ```
/// use extbuf_copy::working_copy;
/// use extbuf_layout::{Order, s};
/// use extbuf_protocol::ViewMut;
///
/// let mut numbers = [1u8, 0, 2, 0, 3, 0];
/// let mut every_second = ViewMut::from_slice(&mut numbers).slice(s![..;2])?;
/// let mut work = working_copy(&mut every_second, Order::C)?;
/// assert_eq!(work.view().as_bytes(), Some(&[1, 2, 3][..])); // one run of bytes
/// work.view_mut().set(&[2], 9u8)?;
/// work.commit()?; // a drop would do as well
/// assert_eq!(numbers, [1, 0, 2, 0, 9, 0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// As [`to_contiguous`]; `Overlap` and `SharedPointer` where it cannot be told that the items of the view share no byte,
/// so that nothing could be written back. So what was made can be committed.
pub fn working_copy<'v, S: Sharing>(
    view: &'v mut ViewMut<'_, S>,
    order: Order,
) -> Result<WorkingCopy<'v, S>, CopyError> {
    let copy = to_contiguous(&view.as_view(), order)?;
    // The way back is refused now or never.
    Plan::new(view.layout(), copy.layout())?;
    let was_panicking = std::thread::panicking();
    Ok(WorkingCopy { target: view.reborrow(), copy, state: State::Clean, was_panicking })
}

/// A contiguous copy of a view's items, written back to them when it ends; made by [`working_copy`].
///
/// | How it ends | What becomes of the view |
/// |---|---|
/// | [`commit`](WorkingCopy::commit) | it has the items of the copy, or an error says why not |
/// | drop | the same, and nobody is there to be told of an error |
/// | drop, but [`view_mut`](WorkingCopy::view_mut) was never called | nothing is written: it has its items still |
/// | drop by a panic | nothing is written: half a work is none |
/// | [`discard`](WorkingCopy::discard), `mem::forget` | nothing is written |
///
/// It is a copy also where the view was contiguous, so that whatever is not written back has not happened. The view is
/// borrowed meanwhile; items of foreign memory that others wrote in between are overwritten with all the rest.
pub struct WorkingCopy<'v, S: Sharing = Frozen> {
    target: ViewMut<'v, S>,
    copy: Window<'static>,
    state: State,
    /// A copy made by a destructor that runs in a panic ends in the same panic, and is no half work for that.
    was_panicking: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// As it was copied.
    Clean,
    /// Somebody may have written to it.
    Written,
    /// Written back, or discarded.
    Ended,
}

impl<S: Sharing> WorkingCopy<'_, S> {
    /// Looks at the copy.
    pub fn view(&self) -> View<'_> {
        self.copy.view()
    }

    /// Looks at the copy for writing.
    #[expect(clippy::missing_panics_doc, reason = "nobody is given a share of the window")]
    pub fn view_mut(&mut self) -> ViewMut<'_> {
        self.state = State::Written;
        self.copy.view_mut().expect("fresh memory that nobody shares")
    }

    /// Writes all items back now.
    ///
    /// # Errors
    ///
    /// `Allocation` where foreign memory is so wound that going back takes scratch memory, and there is none.
    pub fn commit(mut self) -> Result<Report, CopyError> {
        self.state = State::Ended;
        copy(&mut self.target, &self.copy.view())
    }

    /// Leaves the view as it is.
    pub fn discard(mut self) {
        self.state = State::Ended;
    }
}

impl<S: Sharing> Drop for WorkingCopy<'_, S> {
    fn drop(&mut self) {
        let panicked = std::thread::panicking() && !self.was_panicking;
        if self.state == State::Written && !panicked {
            // Who wants to know commits.
            drop(copy(&mut self.target, &self.copy.view()));
        }
    }
}

impl<S: Sharing> fmt::Debug for WorkingCopy<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkingCopy")
            .field("target", &self.target)
            .field("copy", &self.copy)
            .field("state", &self.state)
            .finish()
    }
}
