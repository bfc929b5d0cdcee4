//! One block whose items and axes are described at run time.

use extbuf_format::{Element, Format};
use extbuf_layout::{Layout, Order};

use crate::exporter::{Export, Exporter};
use crate::memory::Memory;
use crate::refusal::{Refusal, RefusalKind};
use crate::request::Request;
use crate::sharing::{Frozen, Sharing};

/// A block of memory with a layout and a format: the exporter for whatever was described at run time, such as a file.
///
/// ```
/// use extbuf_format::Format;
/// use extbuf_layout::{Layout, Order};
/// use extbuf_protocol::{Array, Exporter, Memory, Request};
///
/// let bytes = vec![0u8, 1, 0, 2]; // two big-endian 16-bit integers
/// let format = Format::parse(">h").expect("a format");
/// let layout = Layout::contiguous(2, &[2], Order::C).expect("a layout");
/// let array = Array::new(Memory::from_vec(bytes), layout, format)?;
/// assert_eq!(array.window(Request::FULL_RO)?.view().value(&[1])?.to_string(), "2");
/// # Ok::<(), extbuf_protocol::Refusal>(())
/// ```
#[derive(Debug)]
pub struct Array<'m, S: Sharing = Frozen> {
    memory: Memory<'m, S>,
    layout: Layout,
    format: Format,
}

impl<'m, S: Sharing> Array<'m, S> {
    /// Describes a block.
    ///
    /// # Errors
    ///
    /// [`RefusalKind::OutOfBlock`], [`RefusalKind::UnprovenLoads`] or [`RefusalKind::ItemsizeMismatch`].
    pub fn new(memory: Memory<'m, S>, layout: Layout, format: Format) -> Result<Array<'m, S>, Refusal> {
        check(&memory, &layout, &format)?;
        Ok(Array { memory, layout, format })
    }

    /// Describes a block that is full of `T`, in C order.
    ///
    /// # Errors
    ///
    /// [`RefusalKind::ItemCount`] where the shape has another number of items than the block;
    /// [`RefusalKind::ItemsizeMismatch`] where `T::FORMAT` is not that of a `T`.
    pub fn of<T: Element>(memory: Memory<'m, S>, shape: &[usize]) -> Result<Array<'m, S>, Refusal> {
        let layout = Layout::contiguous(size_of::<T>(), shape, Order::C)?;
        // Of items without bytes there are as many as anybody says.
        let items = memory.len().checked_div(size_of::<T>()).unwrap_or(layout.len());
        if layout.len() != items {
            return Err(RefusalKind::ItemCount { wanted: layout.len(), items }.into());
        }
        Array::new(memory, layout, T::FORMAT)
    }

    /// Describes the same block anew. Windows that live keep their own description.
    ///
    /// # Errors
    ///
    /// As [`new`](Array::new); the old description then stays.
    pub fn describe(&mut self, layout: Layout, format: Format) -> Result<(), Refusal> {
        check(&self.memory, &layout, &format)?;
        (self.layout, self.format) = (layout, format);
        Ok(())
    }

    /// Where the items are.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// What an item is.
    pub fn format(&self) -> &Format {
        &self.format
    }

    /// The block and its owner.
    pub fn memory(&self) -> &Memory<'m, S> {
        &self.memory
    }
}

fn check<S: Sharing>(memory: &Memory<'_, S>, layout: &Layout, format: &Format) -> Result<(), Refusal> {
    if !layout.is_direct() {
        return Err(RefusalKind::UnprovenLoads { loads: layout.levels() - 1 }.into());
    }
    if layout.itemsize() != format.itemsize() {
        let (layout, format) = (layout.itemsize(), format.itemsize());
        return Err(RefusalKind::ItemsizeMismatch { layout, format }.into());
    }
    let reached = layout.extent(0);
    if reached.start < 0 || reached.end as usize > memory.len() {
        return Err(RefusalKind::OutOfBlock { reached, block: memory.len() }.into());
    }
    Ok(())
}

impl<'m, S: Sharing> Exporter<'m, S> for Array<'m, S> {
    fn export(&self, request: Request) -> Result<Export<'m, '_, S>, Refusal> {
        Export::new(&self.memory, &self.layout, &self.format, request)
    }
}
