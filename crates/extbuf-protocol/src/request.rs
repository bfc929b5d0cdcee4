//! What a consumer asks for, and the one function that decides whether an exporter's memory fits it.
//!
//! A request says how complicated an answer the consumer can take. An answer may be simpler than asked, never more
//! complicated; what it would be is decided by [`Request::check`], a pure function with no exporter in sight.
//!
//! The bits are those of `PyBUF_*` (PEP 3118 and CPython's `Include/cpython/object.h`), so that a bridge to Python
//! passes them through. A set that contradicts itself, such as strides without a shape, cannot be built. Two flags that
//! were drafted in 2007 and lost have no bit there: *aligned*, and to pin memory without asking what it is.
//!
//! What is offered has no noun of its own. It is the layout, of which the ladder asks, and the lease: whether it may be
//! written and how it is aligned are settled with it at hand, in [`Export`](crate::Export).

use core::fmt;

use extbuf_layout::{Layout, Order};

use crate::memory::Access;
use crate::refusal::{Refusal, RefusalKind};

const WRITABLE: u32 = 0x001;
const FORMAT: u32 = 0x004;
const ND: u32 = 0x008;
const STRIDES: u32 = 0x010 | ND;
const C_CONTIGUOUS: u32 = 0x020 | STRIDES;
const F_CONTIGUOUS: u32 = 0x040 | STRIDES;
const ANY_CONTIGUOUS: u32 = 0x080 | STRIDES;
const INDIRECT: u32 = 0x100 | STRIDES;
/// The bits that Python knows.
const PYTHON: u32 = 0xffff;
/// Drafted as `PyBUF_REQ_ALIGNED` in April 2007 and dropped in August.
const ALIGNED: u32 = 0x1_0000;
/// What a null view asked for in April 2007. Never beside a flag of the ladder.
const PIN: u32 = 0x2_0000;

/// What a consumer of memory can take: which shapes of memory, and whether it wants to write.
///
/// Built from one of the constants and refined with [`writable`](Request::writable) and
/// [`with_format`](Request::with_format).
///
/// ```
/// use extbuf_protocol::Request;
/// let request = Request::STRIDES.with_format().writable();
/// assert_eq!(request, Request::RECORDS);
/// assert_eq!(request.bits(), 0x01d);
/// assert!(Request::from_bits(0x010).is_err()); // strides without a shape
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Request(u32);

impl Request {
    /// One run of bytes, shape and item unspoken of.
    pub const SIMPLE: Request = Request(0);
    /// A shape; the memory C-contiguous.
    pub const ND: Request = Request(ND);
    /// A shape and any strides, no pointer on the way.
    pub const STRIDES: Request = Request(STRIDES);
    /// A shape and strides that are C-contiguous.
    pub const C_CONTIGUOUS: Request = Request(C_CONTIGUOUS);
    /// A shape and strides that are Fortran-contiguous.
    pub const F_CONTIGUOUS: Request = Request(F_CONTIGUOUS);
    /// A shape and strides that are contiguous in either order.
    pub const ANY_CONTIGUOUS: Request = Request(ANY_CONTIGUOUS);
    /// Anything: strides, and pointers on the way where the exporter has them.
    pub const INDIRECT: Request = Request(INDIRECT);

    /// C-contiguous and writable.
    pub const CONTIG: Request = Request(ND | WRITABLE);
    /// C-contiguous, for reading.
    pub const CONTIG_RO: Request = Request(ND);
    /// Strided and writable.
    pub const STRIDED: Request = Request(STRIDES | WRITABLE);
    /// Strided, for reading.
    pub const STRIDED_RO: Request = Request(STRIDES);
    /// Strided, with a format, writable.
    pub const RECORDS: Request = Request(STRIDES | FORMAT | WRITABLE);
    /// Strided, with a format, for reading.
    pub const RECORDS_RO: Request = Request(STRIDES | FORMAT);
    /// Anything, with a format, writable.
    pub const FULL: Request = Request(INDIRECT | FORMAT | WRITABLE);
    /// Anything, with a format, for reading. What a consumer asks that wants whatever there is.
    pub const FULL_RO: Request = Request(INDIRECT | FORMAT);

    /// The memory held where it is, whatever is in it: no description, and so no promise of one. For who knows the
    /// layout from elsewhere, or hands the memory to somebody who does.
    ///
    /// ```
    /// use extbuf_protocol::{Buffer, Exporter, Request, Rows};
    /// let rows = Rows::from_vecs(vec![vec![0u8; 4]; 3], &[4])?;
    /// assert!(rows.export(Request::SIMPLE).is_err()); // not one run of bytes
    /// let held = rows.window(Request::PIN)?;
    /// assert!(!held.grant().shape);
    /// # Ok::<(), extbuf_protocol::Refusal>(())
    /// ```
    pub const PIN: Request = Request(PIN);

    /// The same, and the memory is to be written.
    #[must_use]
    pub const fn writable(self) -> Request {
        Request(self.0 | WRITABLE)
    }

    /// The same, and the format is wanted. A format speaks of items, so a shape is asked for too.
    #[must_use]
    pub const fn with_format(self) -> Request {
        Request(self.0 & !PIN | FORMAT | ND)
    }

    /// The same, and each item lies at a multiple of its format's alignment: that of C under `@`, 1 under other marks.
    /// Where there are pointers on the way, an export then follows each of them once.
    #[must_use]
    pub const fn aligned(self) -> Request {
        Request(self.0 | ALIGNED)
    }

    /// Both requests at once: what the answer must satisfy is the stricter of each promise, and it may be as
    /// complicated as the more tolerant of the two allows.
    #[must_use]
    pub const fn and(self, other: Request) -> Request {
        let both = self.0 | other.0;
        Request(if both & ND == ND { both & !PIN } else { both })
    }

    /// The flags as `PyBUF_*` bits. [`aligned`](Request::aligned) and [`PIN`](Request::PIN) have none: who asks Python
    /// for memory sees to the first with the answer, and [`INDIRECT`](Request::INDIRECT) is what pins anything.
    pub const fn bits(self) -> u32 {
        self.0 & PYTHON
    }

    /// A request from `PyBUF_*` bits, as a foreign consumer hands them over.
    ///
    /// # Errors
    ///
    /// [`RefusalKind::BadRequest`] for bits that mean nothing and for sets that contradict themselves: strides
    /// without a shape (`0x010`), a contiguity or indirection without strides (`0x020`, `0x100`), a format without
    /// a shape (`0x004`).
    pub fn from_bits(bits: u32) -> Result<Request, Refusal> {
        let known = WRITABLE | FORMAT | C_CONTIGUOUS | F_CONTIGUOUS | ANY_CONTIGUOUS | INDIRECT;
        let bad = |why| Err(Refusal::from(RefusalKind::BadRequest { bits, why }));
        if bits & !known != 0 {
            return bad("unknown bits");
        }
        // Each of these flags is written with all that it implies; a part of it alone is a contradiction.
        for (own_bit, whole, why) in [
            (0x010, STRIDES, "strides without a shape"),
            (0x020, C_CONTIGUOUS, "C contiguity without strides"),
            (0x040, F_CONTIGUOUS, "Fortran contiguity without strides"),
            (0x080, ANY_CONTIGUOUS, "contiguity without strides"),
            (0x100, INDIRECT, "indirection without strides"),
            (FORMAT, FORMAT | ND, "a format without a shape"),
        ] {
            if bits & own_bit != 0 && bits & whole != whole {
                return bad(why);
            }
        }
        Ok(Request(bits))
    }

    const fn has(self, flags: u32) -> bool {
        self.0 & flags == flags
    }

    /// True where the memory is to be written.
    pub const fn wants_writable(self) -> bool {
        self.has(WRITABLE)
    }

    /// True where items are to be aligned.
    pub const fn wants_aligned(self) -> bool {
        self.has(ALIGNED)
    }

    /// The access that a lease for this request needs.
    pub const fn access(self) -> Access {
        if self.wants_writable() { Access::Write } else { Access::Read }
    }

    /// The negotiation ladder: does memory of this layout satisfy the request?
    ///
    /// Whether it is writable and aligned is the lease's matter, and is settled where there is one.
    ///
    /// # Errors
    ///
    /// The first promise that the layout breaks: [`RefusalKind::NotContiguous`] with the order asked for,
    /// [`RefusalKind::Indirect`] with the number of loads, or [`RefusalKind::Strided`].
    #[inline]
    pub fn check(self, layout: &Layout) -> Result<Grant, Refusal> {
        let refuse = |kind: RefusalKind| Err(Refusal::from(kind));
        let (writable, aligned) = (self.has(WRITABLE), self.has(ALIGNED));
        if self.has(PIN) {
            return Ok(Grant {
                writable,
                format: false,
                shape: false,
                strides: false,
                loads: false,
                aligned,
            });
        }
        for (flag, order) in [(C_CONTIGUOUS, Order::C), (F_CONTIGUOUS, Order::F), (ANY_CONTIGUOUS, Order::A)]
        {
            if self.has(flag) && !layout.is_contiguous(order) {
                return refuse(RefusalKind::NotContiguous { order });
            }
        }
        if !self.has(INDIRECT) && !layout.is_direct() {
            return refuse(RefusalKind::Indirect { loads: layout.levels() - 1 });
        }
        if !self.has(STRIDES) && !layout.is_contiguous(Order::C) {
            return refuse(RefusalKind::Strided);
        }
        Ok(Grant {
            writable,
            format: self.has(FORMAT),
            shape: self.has(ND),
            strides: self.has(STRIDES),
            loads: self.has(INDIRECT) && !layout.is_direct(),
            aligned,
        })
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let own_bits = [
            (PIN, "PIN"),
            (ALIGNED, "ALIGNED"),
            (0x100, "INDIRECT"),
            (0x080, "ANY_CONTIGUOUS"),
            (0x040, "F_CONTIGUOUS"),
            (0x020, "C_CONTIGUOUS"),
            (0x010, "STRIDES"),
            (ND, "ND"),
            (FORMAT, "FORMAT"),
            (WRITABLE, "WRITABLE"),
        ];
        f.write_str("Request(")?;
        if self.0 == 0 {
            f.write_str("SIMPLE")?;
        }
        for (i, (_, name)) in own_bits.iter().filter(|(bit, _)| self.0 & bit != 0).enumerate() {
            if i > 0 {
                f.write_str(" | ")?;
            }
            f.write_str(name)?;
        }
        f.write_str(")")
    }
}

/// What a consumer got: which parts of the description it asked for and may rely on.
///
/// A Rust view always knows its true shape, strides and format, whatever was asked; a bridge to a foreign consumer
/// leaves out what is `false` here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Grant {
    /// The memory may be written.
    pub writable: bool,
    /// The format was asked for.
    pub format: bool,
    /// The shape was asked for; without it the memory is one run of bytes.
    pub shape: bool,
    /// The strides were asked for; without them the memory is C-contiguous.
    pub strides: bool,
    /// There are pointers on the way to an item.
    pub loads: bool,
    /// Each item lies at a multiple of its format's alignment; that was asked for.
    pub aligned: bool,
}

impl Grant {
    /// What is promised of a part of the memory: of its shape nothing that was promised of the whole.
    pub(crate) fn of_a_part(self, layout: &Layout, writable: bool) -> Grant {
        let loads = !layout.is_direct();
        Grant { writable, shape: true, strides: true, loads, aligned: false, ..self }
    }
}
