//! How a copy is to run: on how many threads, and whom to tell.

use std::fmt;
use std::ops::ControlFlow;

use extbuf_protocol::Sharing;

use crate::convert::{FieldRules, Mode};
use crate::kernel::Level;

/// How a copy is to run. The default: on the threads of the current rayon pool, telling nobody.
///
/// ```
/// use std::ops::ControlFlow;
/// use std::sync::atomic::{AtomicUsize, Ordering};
/// use extbuf_copy::{CopyOptions, Threads};
/// use extbuf_layout::Order;
/// use extbuf_protocol::View;
///
/// let numbers: Vec<u32> = (0..1_000_000).collect();
/// let view = View::from_slice(&numbers).reverse_axis(0)?;
///
/// let seen = AtomicUsize::new(0);
/// let hook = |progress: extbuf_copy::Progress| {
///     seen.fetch_max(progress.bytes_done, Ordering::Relaxed);
///     ControlFlow::Continue(())
/// };
/// let options = CopyOptions { threads: Threads::AtMost(2), progress: Some(&hook), ..Default::default() };
/// let (bytes, report) = options.to_vec(&view, Order::C)?;
/// assert_eq!(bytes[..4], 999_999u32.to_ne_bytes());
/// assert_eq!(seen.into_inner(), 4_000_000);
/// assert_eq!(report.bytes, 4_000_000);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Default)]
pub struct CopyOptions<'h> {
    /// On how many threads.
    pub threads: Threads,
    /// Told after each finished part, from whichever thread finished it; it may stop the copy. Costs nothing where it
    /// is `None`.
    pub progress: Option<&'h ProgressHook<'h>>,
    /// With which vector instructions at most: by default those of this machine.
    pub level: Level,
    /// What becomes of numbers that the destination's format cannot hold; for [`convert`](CopyOptions::convert).
    pub mode: Mode,
    /// What becomes of fields that only one side has; for [`convert`](CopyOptions::convert).
    pub fields: FieldRules,
}

impl<'h> CopyOptions<'h> {
    /// The same, for a copy between views of these kinds.
    ///
    /// Foreign memory stays with one thread, which waits while others copy for it. But a thread of the pool never waits: it
    /// takes up whatever else there is to do, the hook here or work that has nothing to do with this, and any of that may
    /// come to the same memory by way of another window of this thread, while other threads copy. So there the copy stays on
    /// this thread, which does one thing at a time.
    #[inline]
    #[cfg_attr(
        not(feature = "rayon"),
        allow(clippy::extra_unused_type_parameters, reason = "there is no pool")
    )]
    pub(crate) fn between<A: Sharing, B: Sharing>(&self) -> CopyOptions<'h> {
        #[cfg(feature = "rayon")]
        if !(A::FROZEN && B::FROZEN) && rayon::current_thread_index().is_some() {
            return CopyOptions { threads: Threads::ONE, ..*self };
        }
        *self
    }
}

/// What is told of the progress of a copy: a function of [`Progress`] that says whether to go on.
pub type ProgressHook<'h> = dyn Fn(Progress) -> ControlFlow<()> + Sync + 'h;

impl fmt::Debug for CopyOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CopyOptions")
            .field("threads", &self.threads)
            .field("progress", &self.progress.is_some())
            .field("level", &self.level)
            .field("mode", &self.mode)
            .field("fields", &self.fields)
            .finish()
    }
}

/// On how many threads a copy runs. Short copies stay on the calling thread whatever is said here, and without the
/// feature `rayon` all do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Threads {
    /// As many as the current rayon pool has: the one that this is called in, else the global one.
    #[default]
    Pool,
    /// The same, but no more than this.
    AtMost(usize),
}

impl Threads {
    /// On the calling thread alone.
    pub const ONE: Threads = Threads::AtMost(1);
}

/// How far a copy has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Bytes moved so far.
    pub bytes_done: usize,
    /// Bytes to move in all. An overlapping copy that goes through scratch memory moves each byte twice.
    pub bytes: usize,
}
