//! Exporters of every kind that threads can share, each over a block of the same items.

// Maps a file.
#![allow(unsafe_code)]

use std::io::Write as _;
use std::sync::Arc;

use extbuf::format::Element;
use extbuf::layout::{Layout, Order, SliceItem};
use extbuf::protocol::{
    Array, Buffer, Export, Exporter, Locked, Memory, Nested, Refusal, Request, Rows, Window,
};

use crate::contents::{items, numbers};

/// An exporter, and the leases that are out.
trait Lender: Exporter<'static> + Send + Sync {
    fn live(&self) -> usize;

    /// Makes it lend again after a writer's panic.
    fn mend(&self) {}
}

macro_rules! lenders {
    ($($kind:ty),*) => {$(
        impl Lender for $kind {
            fn live(&self) -> usize {
                <$kind>::live(self)
            }
        }
    )*};
}

lenders!(Buffer<u32>, Rows<'static>, Nested<'static>);

impl Lender for Locked<'static> {
    fn live(&self) -> usize {
        self.live()
    }

    fn mend(&self) {
        // Whoever panicked had written everything.
        drop(self.repair());
    }
}

impl Lender for Array<'static> {
    fn live(&self) -> usize {
        self.memory().live()
    }
}

/// Slices that are owned by their exporters: a lease is an owner more.
struct Shared<E>(E, fn(&E) -> usize);

impl<E: Exporter<'static> + Send + Sync> Exporter<'static> for Shared<E> {
    fn export(&self, request: Request) -> Result<Export<'static, '_>, Refusal> {
        self.0.export(request)
    }
}

impl<E: Exporter<'static> + Send + Sync> Lender for Shared<E> {
    fn live(&self) -> usize {
        (self.1)(&self.0)
    }
}

/// An exporter of somebody else's: it passes on the windows of another, and now and then it errs or panics.
struct Moody {
    of: Buffer<u32>,
    calls: std::sync::atomic::AtomicUsize,
}

impl Exporter<'static> for Moody {
    fn export(&self, request: Request) -> Result<Export<'static, '_>, Refusal> {
        match self.calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed) % 16 {
            3 => Err(extbuf::protocol::RefusalKind::ReadOnly.into()),
            9 => std::panic::panic_any(crate::work::Injected),
            11 => {
                // Half of what an exporter does, and then an error: the lease of the first export goes back.
                let _export = self.of.export(request)?;
                Err(extbuf::protocol::RefusalKind::ReadOnly.into())
            }
            _ => self.of.export(request),
        }
    }
}

impl Lender for Moody {
    fn live(&self) -> usize {
        self.of.live()
    }
}

/// A shared exporter of `u32` items with their numbers, and its name.
pub(crate) struct Source {
    pub(crate) name: &'static str,
    lender: Box<dyn Lender>,
    /// The items' numbers, of the same shape.
    pub(crate) numbers: Window<'static>,
    /// Whether it can be written.
    pub(crate) writable: bool,
}

impl Source {
    fn new(name: &'static str, shape: &[usize], writable: bool, lender: impl Lender + 'static) -> Source {
        Source { name, lender: Box::new(lender), numbers: numbers(shape), writable }
    }

    pub(crate) fn live(&self) -> usize {
        self.lender.live()
    }

    pub(crate) fn mend(&self) {
        self.lender.mend();
    }
}

impl Exporter<'static> for Source {
    fn export(&self, request: Request) -> Result<Export<'static, '_>, Refusal> {
        self.lender.export(request)
    }
}

type Failure = Box<dyn std::error::Error>;

fn buffer(shape: &[usize], first: u32) -> Result<Buffer<u32>, Failure> {
    let mut buffer = Buffer::from_vec(items(first, shape.iter().product()));
    buffer.reshape(shape)?;
    Ok(buffer)
}

/// One of every kind.
pub(crate) fn sources(first: u32) -> Result<Vec<Source>, Failure> {
    let rows = |height: usize, width: usize| {
        items(first, height * width).chunks(width).map(<[u32]>::to_vec).collect()
    };
    let mut all = vec![
        Source::new("Buffer", &[40, 30], true, buffer(&[40, 30], first)?),
        Source::new("large Buffer", &[600, 700], true, buffer(&[600, 700], first)?),
        Source::new("Rows", &[50, 6, 7], true, Rows::from_vecs::<u32>(rows(50, 42), &[6, 7])?),
        Source::new("Array", &[12, 11, 10], true, {
            // The last axis first in memory: the items stand in the order of their numbers all the same.
            let dense = Layout::contiguous(4, &[12, 11, 10], Order::C)?;
            Array::new(Memory::from_vec(items(first, 1320)), dense, u32::FORMAT)?
        }),
        Source::new("Array over Arc<[u32]>", &[9, 100], false, {
            Array::of::<u32>(Memory::from_ref::<u32>(Arc::<[u32]>::from(items(first, 900))), &[9, 100])?
        }),
        Source::new("Arc<[u32]>", &[777], false, {
            Shared(Arc::<[u32]>::from(items(first, 777)), |shared| Arc::strong_count(shared) - 1)
        }),
        Source::new("Arc<Vec<u32>>", &[555], false, {
            Shared(Arc::new(items(first, 555)), |shared| Arc::strong_count(shared) - 1)
        }),
        Source::new("Locked", &[30, 40], true, Locked::new(&buffer(&[30, 40], first)?)?),
        Source::new(
            "an exporter with moods",
            &[33, 21],
            true,
            Moody { of: buffer(&[33, 21], first)?, calls: 0.into() },
        ),
        Source::new("ndarray", &[24, 25], false, {
            let array = ndarray::Array2::from_shape_vec((24, 25), items(first, 600))
                .map_err(|error| error.to_string())?;
            Array::from_shared_ndarray(array.into_shared())?
        }),
    ];
    // A table of windows, each of a block of its own, and one of windows of one block, last row first.
    let block = buffer(&[16, 20], first)?.window(Request::FULL_RO)?;
    let part = |row: isize| block.slice([SliceItem::Index(row)]);
    let parts = (0..16).map(part).collect::<Result<Vec<_>, _>>()?;
    all.push(Source::new("Nested over one block", &[16, 20], false, Nested::new(parts, &[16])?));
    let blocks = (0..8)
        .map(|k| buffer(&[5, 6], items(first, 240)[30 * k]).and_then(|one| Ok(one.window(Request::FULL)?)));
    let nested = Nested::new(blocks.collect::<Result<Vec<_>, _>>()?, &[2, 4])?;
    all.push(Source::new("Nested", &[2, 4, 5, 6], true, nested));
    // A picture of four channels of a byte each, looked at as the items that four channels are.
    let bytes: Vec<u8> = items(first, 31 * 17).iter().flat_map(|item| item.to_ne_bytes()).collect();
    let picture = image::RgbaImage::from_raw(17, 31, bytes).ok_or("bytes of another number")?;
    let mut picture = Array::try_from(picture)?;
    picture.describe(Layout::contiguous(4, &[31, 17], Order::C)?, u32::FORMAT)?;
    all.push(Source::new("image", &[31, 17], true, picture));
    let mut file = tempfile::tempfile()?;
    file.write_all(&items(first, 2000).iter().flat_map(|item| item.to_ne_bytes()).collect::<Vec<u8>>())?;
    // SAFETY: the file has no name, so nobody else has it, and it is not written any more.
    let mapped = unsafe { Memory::map_file(&file) }?;
    all.push(Source::new("a mapped file", &[40, 50], false, Array::of::<u32>(mapped, &[40, 50])?));
    Ok(all)
}
