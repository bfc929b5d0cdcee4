//! Access modes: shared readers and one exclusive writer that wait for each other, on top of the plain protocol.
//!
//! Leases exclude each other, but they do not wait: who comes at the wrong moment is refused. Whoever would rather wait
//! puts a [`Locked`] in front of the exporter, and who does not pays nothing for it. That the layer can be taken off is
//! the point, and was the outcome of 2007 and 2008: consistent reading under concurrent writing is the users' matter, and
//! the description of the memory does not change with it.
//!
//! The lock takes the memory from its exporter once, for writing, so that everybody else is refused while it lives
//! (M3), and shares that one lease out by its own account. So a lock adds to what leases promise and takes nothing
//! away, and a writer becomes a reader without letting go.
//!
//! The third mode of the old proposals, plain access past the lock, is what [`Foreign`](crate::Foreign) memory has by
//! itself, and what no [`Frozen`](crate::Frozen) memory can have: its views are as good as slices.
// The lock is an owner of memory; its account of who is in answers for M3.
#![allow(unsafe_code)]

mod gate;

use alloc::borrow::Cow;
use alloc::sync::Arc;
use core::convert::Infallible;
use core::fmt;
use std::time::{Duration, Instant};

use extbuf_format::Format;
use extbuf_layout::{Layout, SliceItem};

use crate::exporter::{Export, Exporter};
use crate::memory::{Access, Block, Lease, Memory, Owner};
use crate::refusal::Refusal;
use crate::request::Request;
use crate::view::{View, ViewMut};
use crate::window::Window;
use gate::{Gate, Patience};

/// Memory behind a lock: any number of readers, or one writer; the others wait, for as long as they like.
///
/// Three ways to go in, for readers and for writers: try ([`try_read`](Locked::try_read)), wait
/// ([`read`](Locked::read)), wait for so long ([`read_timeout`](Locked::read_timeout)). All go out by drop: a window
/// and everything made from it is in until the last of them goes. A writer may stay as a reader
/// ([`Writer::downgrade`]). As an [`Exporter`] a lock tries.
///
/// ```
/// use std::thread;
/// use extbuf_protocol::{Buffer, Locked};
///
/// let frame = Locked::new(&Buffer::from_vec(vec![0u32; 640]))?;
/// thread::scope(|scope| {
///     scope.spawn(|| {
///         let mut writer = frame.write()?; // waits for the readers
///         for i in 0..640 {
///             writer.view_mut()?.set(&[i], 7u32)?;
///         }
///         Ok::<(), extbuf_protocol::Refusal>(())
///     });
///     scope.spawn(|| {
///         let reader = frame.read()?; // waits for the writer
///         assert_eq!(reader.view().get::<u32>(&[0])?, reader.view().get::<u32>(&[639])?);
///         Ok::<(), extbuf_protocol::Refusal>(())
///     });
/// });
/// # Ok::<(), extbuf_protocol::Refusal>(())
/// ```
///
/// # Waiting
///
/// A writer that waits keeps readers that come to wait after it out, so it does not starve. A thread that waits to
/// read or write while it is in waits for itself, and for ever; trying, or a time, is the way out.
///
/// # A writer that panics
///
/// Lent items are plain data, so a write that stops half-way leaves no invalid value, but it may leave half a picture.
/// Where the last of a writer is released by a panic, the memory counts as poisoned: everybody is refused with
/// [`RefusalKind::Poisoned`](crate::RefusalKind::Poisoned) until somebody has gone in with [`repair`](Locked::repair)
/// and come out in order. A writer that is leaked stays in for ever.
#[derive(Clone)]
pub struct Locked<'m> {
    root: Arc<Root<'m>>,
}

/// The one lease on the memory, and the account of who is in.
struct Root<'m> {
    /// Invariant: writable, nobody else has a share of its lease, and nobody looks through it: views are of leases on
    /// `Held` alone.
    window: Window<'m>,
    gate: Gate,
}

/// One who is in, as the owner of memory that its leases keep.
struct Held<'m> {
    root: Arc<Root<'m>>,
    access: Access,
    was_panicking: bool,
}

// SAFETY: M1: the window's lease keeps what its layout reaches, and the root keeps the window. M2: the window is
// writable. M3: the window's own lease excludes everybody outside, and the gate was entered for `access`, which excludes
// those inside until this is dropped.
unsafe impl Owner for Held<'_> {
    fn block(&mut self) -> Block {
        let base = self.root.window.view().as_ptr().cast_mut();
        // V1: these bytes, from the base on, lie in the leased block.
        let len = self.root.window.layout().extent(0).end as usize;
        Block { base, len, access: self.access }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let panicked = std::thread::panicking() && !self.was_panicking;
        self.root.gate.leave(self.access, panicked);
    }
}

impl<'m> Locked<'m> {
    /// Takes the memory of an exporter for itself, as it is described now, until the lock and all windows of it are
    /// dropped.
    ///
    /// # Errors
    ///
    /// Those of the exporter for [`Request::FULL`]: [`RefusalKind::ReadOnly`](crate::RefusalKind::ReadOnly) for
    /// memory that nobody may write, [`RefusalKind::Busy`](crate::RefusalKind::Busy) while it is out.
    pub fn new<E: Exporter<'m> + ?Sized>(exporter: &E) -> Result<Locked<'m>, Refusal> {
        let mut window = exporter.export(Request::FULL)?.keep();
        // The exporter is anybody's code. This proves that the window writes and is alone.
        window.view_mut()?;
        Ok(Locked { root: Arc::new(Root { window, gate: Gate::new() }) })
    }

    /// Goes in to read, and waits for the writer.
    ///
    /// # Errors
    ///
    /// [`RefusalKind::Poisoned`](crate::RefusalKind::Poisoned).
    pub fn read(&self) -> Result<Window<'m>, Refusal> {
        self.enter(Access::Read, Patience::Forever, false)
    }

    /// Goes in to read, now or not.
    ///
    /// # Errors
    ///
    /// [`RefusalKind::Busy`](crate::RefusalKind::Busy) while somebody writes;
    /// [`RefusalKind::Poisoned`](crate::RefusalKind::Poisoned).
    pub fn try_read(&self) -> Result<Window<'m>, Refusal> {
        self.enter(Access::Read, Patience::None, false)
    }

    /// Goes in to read, and waits for the writer no longer than this.
    ///
    /// # Errors
    ///
    /// [`RefusalKind::Busy`](crate::RefusalKind::Busy) with who is in when the time is over;
    /// [`RefusalKind::Poisoned`](crate::RefusalKind::Poisoned).
    pub fn read_timeout(&self, time: Duration) -> Result<Window<'m>, Refusal> {
        self.enter(Access::Read, until(time), false)
    }

    /// Goes in to write, and waits for everybody.
    ///
    /// # Errors
    ///
    /// [`RefusalKind::Poisoned`](crate::RefusalKind::Poisoned).
    pub fn write(&self) -> Result<Writer<'m>, Refusal> {
        self.writer(Patience::Forever, false)
    }

    /// Goes in to write, now or not.
    ///
    /// # Errors
    ///
    /// [`RefusalKind::Busy`](crate::RefusalKind::Busy) while anybody is in;
    /// [`RefusalKind::Poisoned`](crate::RefusalKind::Poisoned).
    pub fn try_write(&self) -> Result<Writer<'m>, Refusal> {
        self.writer(Patience::None, false)
    }

    /// Goes in to write, and waits for everybody no longer than this.
    ///
    /// # Errors
    ///
    /// [`RefusalKind::Busy`](crate::RefusalKind::Busy) with who is in when the time is over;
    /// [`RefusalKind::Poisoned`](crate::RefusalKind::Poisoned).
    pub fn write_timeout(&self, time: Duration) -> Result<Writer<'m>, Refusal> {
        self.writer(until(time), false)
    }

    /// As [`write`](Locked::write), also where a writer panicked; whoever comes out of it in order has mended the
    /// memory.
    ///
    /// ```
    /// use std::panic::{AssertUnwindSafe, catch_unwind};
    /// use extbuf_protocol::{Buffer, Locked, RefusalKind};
    ///
    /// let frame = Locked::new(&Buffer::from_vec(vec![0u8; 2]))?;
    /// let panicked = catch_unwind(AssertUnwindSafe(|| {
    ///     let mut writer = frame.write().expect("nobody else is in");
    ///     writer.view_mut().and_then(|mut view| view.set(&[0], 1u8)).expect("one item of two");
    ///     panic!("half-way");
    /// }));
    /// assert!(panicked.is_err());
    /// assert_eq!(frame.read().unwrap_err().kind(), &RefusalKind::Poisoned);
    ///
    /// frame.repair()?.view_mut()?.set(&[1], 1u8)?;
    /// assert_eq!(frame.read()?.view().as_bytes(), Some(&[1, 1][..]));
    /// # Ok::<(), extbuf_protocol::Refusal>(())
    /// ```
    ///
    /// # Errors
    ///
    /// None today; the memory was proven writable when the lock was made.
    pub fn repair(&self) -> Result<Writer<'m>, Refusal> {
        self.writer(Patience::Forever, true)
    }

    /// Whether a writer panicked and nobody has [repaired](Locked::repair) what it wrote.
    pub fn is_poisoned(&self) -> bool {
        self.root.gate.is_poisoned()
    }

    /// Readers and writers that are in now. Only an account for messages: another thread may change it at once.
    pub fn live(&self) -> usize {
        self.root.gate.live()
    }

    /// Where the items are.
    pub fn layout(&self) -> &Layout {
        self.root.window.layout()
    }

    /// What an item is.
    pub fn format(&self) -> &Format {
        self.root.window.format()
    }

    fn writer(&self, patience: Patience, mending: bool) -> Result<Writer<'m>, Refusal> {
        let window = self.enter(Access::Write, patience, mending)?;
        Ok(Writer { window, root: self.root.clone() })
    }

    fn enter(&self, access: Access, patience: Patience, mending: bool) -> Result<Window<'m>, Refusal> {
        let request = if access == Access::Write { Request::FULL } else { Request::FULL_RO };
        Ok(self.lend(self.lease(access, patience, mending)?, request)?.keep())
    }

    fn lease(&self, access: Access, patience: Patience, mending: bool) -> Result<Lease<'m>, Refusal> {
        let was_panicking = std::thread::panicking();
        self.root.gate.enter(access, patience, mending)?;
        Memory::from_owner(Held { root: self.root.clone(), access, was_panicking }).lease(access)
    }

    fn lend(&self, lease: Lease<'m>, request: Request) -> Result<Export<'m, '_>, Refusal> {
        let (layout, format) = (Cow::Borrowed(self.layout()), Cow::Borrowed(self.format()));
        // SAFETY: the lease has the base of the root's window, whose invariant says all of this of its layout, writing
        // too, and the lease's owner keeps that window.
        unsafe { Export::with_loads(lease, layout, format, request) }
    }
}

fn until(time: Duration) -> Patience {
    // Beyond what the clock can say is for ever.
    Instant::now().checked_add(time).map_or(Patience::Forever, Patience::Until)
}

/// Tries to go in, to read or to write as the request says, and never waits.
impl<'m> Exporter<'m> for Locked<'m> {
    fn export(&self, request: Request) -> Result<Export<'m, '_>, Refusal> {
        self.lend(self.lease(request.access(), Patience::None, false)?, request)
    }
}

impl fmt::Debug for Locked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Locked")
            .field("format", self.format())
            .field("layout", self.layout())
            .field("live", &self.live())
            .field("poisoned", &self.is_poisoned())
            .finish()
    }
}

/// The one who writes behind a [`Locked`].
///
/// Not a [`Window`], and lends none out that may write: every window made from a writer reads, so that nobody is left
/// who could write when it [downgrades](Writer::downgrade).
pub struct Writer<'m> {
    /// Invariant: whoever shares its lease has a window whose grant is for reading.
    window: Window<'m>,
    root: Arc<Root<'m>>,
}

impl<'m> Writer<'m> {
    /// Looks at the memory, for the time of a borrow.
    pub fn view(&self) -> View<'_> {
        self.window.view()
    }

    /// Looks at the memory for writing, for the time of a borrow.
    ///
    /// # Errors
    ///
    /// As [`Window::view_mut`]: [`RefusalKind::Busy`](crate::RefusalKind::Busy) while windows made from this one
    /// live.
    pub fn view_mut(&mut self) -> Result<ViewMut<'_>, Refusal> {
        self.window.view_mut()
    }

    /// A window of a slice, for reading. It is in as long as it lives, and while it does this one cannot write.
    ///
    /// # Errors
    ///
    /// As [`Layout::slice`].
    pub fn slice(&self, items: impl AsRef<[SliceItem]>) -> Result<Window<'m>, Refusal> {
        self.window.slice(items)
    }

    /// Has written, and stays to read: other readers may come in, and no writer has been in between.
    ///
    /// ```
    /// use extbuf_protocol::{Buffer, Locked};
    /// let frame = Locked::new(&Buffer::from_vec(vec![0u8; 4]))?;
    /// let mut writer = frame.write()?;
    /// writer.view_mut()?.set(&[0], 9u8)?;
    /// let reader = writer.downgrade();
    /// assert_eq!(frame.try_read()?.view().get::<u8>(&[0])?, 9);
    /// assert_eq!(reader.view().get::<u8>(&[0])?, 9);
    /// # Ok::<(), extbuf_protocol::Refusal>(())
    /// ```
    #[must_use = "the window is what stays in"]
    pub fn downgrade(self) -> Window<'m> {
        let Ok(reader) = self.window.map(|view| Ok::<_, Infallible>(view));
        // By the invariant this is the only window that could write; it goes before others may read.
        drop(self.window);
        self.root.gate.downgrade();
        reader
    }

    /// The window alone, which can be passed on and is a writer until it and all that shares its lease are dropped.
    pub fn into_window(self) -> Window<'m> {
        self.window
    }
}

/// For reading, as a window that writes.
impl<'m> Exporter<'m> for Writer<'m> {
    fn export(&self, request: Request) -> Result<Export<'m, '_>, Refusal> {
        self.window.export(request)
    }
}

impl fmt::Debug for Writer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("window", &self.window).finish_non_exhaustive()
    }
}
