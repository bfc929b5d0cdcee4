//! Two views exchange their items, box by box, through scratch memory of two boxes for each thread.

// Hands the bases of views to plans.
#![allow(unsafe_code)]

use extbuf_layout::Layout;
use extbuf_protocol::{Sharing, ViewMut};

use crate::convert::{Boxes, Space, check_shapes};
use crate::copy::refuse_objects;
use crate::error::{CopyError, CopyErrorKind};
use crate::kernel::Caches;
use crate::options::CopyOptions;
use crate::overlap::{self, Overlap};
use crate::parallel::Meter;
use crate::plan::{Kernel, Plan};
use crate::report::Report;

/// Bytes of a part on either side, where there are several.
const PART_BYTES: usize = 1 << 20;

/// Exchanges the items of two views with the same index. Shapes and item sizes must be equal; the bytes are exchanged,
/// whatever they mean.
///
/// ```
/// use extbuf_copy::swap;
/// use extbuf_protocol::ViewMut;
///
/// let (mut a, mut b) = ([1u16, 2, 3], [7u16, 8, 9]);
/// swap(&mut ViewMut::from_slice(&mut a).reverse_axis(0)?, &mut ViewMut::from_slice(&mut b))?;
/// assert_eq!((a, b), ([9, 8, 7], [3, 2, 1]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// `Ndim`, `Shape`, `Itemsize` where the two do not agree; `Objects`; `SharedBytes` where two views of foreign memory
/// may have bytes in common.
pub fn swap<A: Sharing, B: Sharing>(
    a: &mut ViewMut<'_, A>,
    b: &mut ViewMut<'_, B>,
) -> Result<Report, CopyError> {
    CopyOptions::default().swap(a, b)
}

impl CopyOptions<'_> {
    /// As the function [`swap`].
    ///
    /// # Errors
    ///
    /// As [`swap`], and `Cancelled`: then some items have been exchanged and others not.
    pub fn swap<A: Sharing, B: Sharing>(
        &self,
        a: &mut ViewMut<'_, A>,
        b: &mut ViewMut<'_, B>,
    ) -> Result<Report, CopyError> {
        refuse_objects(a.format())?;
        refuse_objects(b.format())?;
        check_shapes(a.layout(), b.layout())?;
        if a.itemsize() != b.itemsize() {
            return Err(CopyErrorKind::Itemsize { dst: a.itemsize(), src: b.itemsize() }.into());
        }
        let (a_base, b_base) = (a.as_mut_ptr(), b.as_mut_ptr());
        // M3: bytes that a view of frozen memory may write are nobody else's, wherever they lie: only two of foreign memory
        // can have some in common.
        if !A::FROZEN && !B::FROZEN {
            // SAFETY: V4 of both views: stored pointers are valid.
            let apart = unsafe { overlap::apart((a.layout(), a_base), (b.layout(), b_base.cast_const())) };
            if !apart {
                return Err(CopyErrorKind::SharedBytes.into());
            }
        }
        let work = Exchange::new(a.layout(), b.layout());
        let bases = Bases(a_base, b_base);
        let options = self.between::<A, B>();
        let meter = Meter::of(&options, 2 * work.bytes, work.parts);
        let threads = meter.run_parts(2 * work.bytes, work.parts, |part| {
            let Bases(a, b) = *bases.get();
            // SAFETY: V1 to V5 of both views, which have no byte in common: what they reach may be read and written, each item in one
            // part. No stored pointer is an item of the other side, since a view's pointers do not change (V4).
            unsafe { work.run_part(a, b, part, self) };
        })?;
        let bytes = 2 * work.bytes;
        Ok(Report { overlap: Overlap::None, bytes, threads, parts: work.parts, kernel: Kernel::Run })
    }
}

struct Bases(*mut u8, *mut u8);

impl Bases {
    /// Through a method, so that closures take the whole and not the raw fields.
    fn get(&self) -> &Bases {
        self
    }
}

// SAFETY: parts exchange disjoint items, and both views may be used from any thread as far as a copy may.
unsafe impl Sync for Bases {}

/// The boxes of an exchange.
struct Exchange {
    space: Space,
    boxes: Boxes,
    itemsize: usize,
    /// Bytes of one side.
    bytes: usize,
    parts: usize,
}

impl Exchange {
    fn new(a: &Layout, b: &Layout) -> Exchange {
        let space = Space::new(&[a, b], &[]);
        let (itemsize, bytes) = (a.itemsize(), a.nbytes());
        let most = (Caches::get().l2 / 8 / itemsize.max(1)).max(16);
        let sides = ((itemsize, space.dsts[0].strides()), (itemsize, space.dsts[1].strides()));
        let boxes = Boxes::choose(&space.extents, sides.0, sides.1, most);
        let parts = (bytes / PART_BYTES).clamp(1, 1024).min(boxes.count().max(1));
        Exchange { space, boxes, itemsize, bytes, parts }
    }

    /// # Safety
    ///
    /// From both bases every item can be reached, read and written, and the two sides have no byte in common.
    unsafe fn run_part(&self, a: *mut u8, b: *mut u8, part: usize, options: &CopyOptions<'_>) {
        if self.bytes == 0 {
            return;
        }
        let axes = self.space.extents.len();
        let (mut place, mut size) = (vec![0; axes], vec![0; axes]);
        let (mut of_a, mut of_b) = (Vec::<u8>::new(), Vec::<u8>::new());
        let number = |part: usize| (self.boxes.count() as u128 * part as u128 / self.parts as u128) as usize;
        for number in number(part)..number(part + 1) {
            self.boxes.at(number, &mut place, &mut size);
            let shape: Vec<isize> = size.iter().map(|&n| n as isize).collect();
            let checked = "part of a checked layout";
            let dense = Layout::contiguous(self.itemsize, &size, extbuf_layout::Order::C).expect(checked);
            let sides = [&self.space.dsts[0], &self.space.dsts[1]].map(|side| {
                side.layout(&place, &shape, (0, self.itemsize), std::iter::empty()).expect(checked)
            });
            let plan = |dst: &Layout, src: &Layout| Plan::of_checked(dst, src, options.level);
            of_a.reserve(dense.nbytes());
            of_b.reserve(dense.nbytes());
            let (x, y) = (of_a.as_mut_ptr(), of_b.as_mut_ptr());
            // SAFETY: the items of one box into scratch memory with room for them.
            unsafe { plan(&dense, &sides[0]).run(x, a.cast_const()) };
            // SAFETY: the same of the other side.
            unsafe { plan(&dense, &sides[1]).run(y, b.cast_const()) };
            // SAFETY: scratch memory that has been written whole, into the items of one box.
            unsafe { plan(&sides[0], &dense).run(a, y.cast_const()) };
            // SAFETY: the same of the other side.
            unsafe { plan(&sides[1], &dense).run(b, x.cast_const()) };
        }
    }
}
