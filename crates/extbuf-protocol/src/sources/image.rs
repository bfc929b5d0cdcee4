//! Pictures of the `image` crate lend themselves as rows of pixels of channels.

use alloc::vec::Vec;
use core::ops::Deref;

use bytemuck::{AnyBitPattern, NoUninit};
use extbuf_format::Element;
use extbuf_layout::{Layout, Order};
use image::{ImageBuffer, Pixel};

use crate::exporter::{Export, Exporter};
use crate::memory::{Lease, Memory};
use crate::refusal::Refusal;
use crate::request::Request;
use crate::sources::Array;

/// Three axes, `[height, width, channels]`, of the format of a sample, for reading. What the container holds beyond
/// the last row is not lent.
///
/// ```
/// use extbuf_layout::s;
/// use extbuf_protocol::{Exporter, Request};
///
/// let picture = &image::RgbImage::from_fn(4, 3, |x, y| image::Rgb([x as u8, y as u8, 7]));
/// let export = picture.export(Request::FULL_RO)?;
/// let blue_first = export.view().slice(s![.., .., ..;-1])?;
/// assert_eq!(blue_first.shape(), [3, 4, 3]);
/// assert_eq!(blue_first.item(&[2, 3, 0])?, [7]);
/// assert_eq!(blue_first.item(&[2, 3, 2])?, [3]);
/// # Ok::<(), extbuf_protocol::Refusal>(())
/// ```
impl<'m, P, C> Exporter<'m> for &'m ImageBuffer<P, C>
where
    P: Pixel<Subpixel: Element + NoUninit>,
    C: Deref<Target = [P::Subpixel]>,
{
    fn export(&self, request: Request) -> Result<Export<'m, '_>, Refusal> {
        // Once: a container is anybody's code. Whether so many samples are there is for the export to check.
        let samples: &'m [P::Subpixel] = self.as_raw();
        Export::described(Lease::from_slice(samples), layout(self)?, P::Subpixel::FORMAT, request)
    }
}

/// The same three axes, for reading and writing.
///
/// ```
/// use extbuf_protocol::{Array, Exporter, Request};
///
/// let picture = image::GrayImage::new(640, 480);
/// let array = Array::try_from(picture)?;
/// array.window(Request::FULL)?.view_mut()?.set(&[479, 639, 0], 255u8)?;
/// assert_eq!(array.layout().shape(), [480, 640, 1]);
/// # Ok::<(), extbuf_protocol::Refusal>(())
/// ```
impl<P> TryFrom<ImageBuffer<P, Vec<P::Subpixel>>> for Array<'static>
where
    P: Pixel<Subpixel: Element + NoUninit + AnyBitPattern + Send + Sync>,
{
    type Error = Refusal;

    fn try_from(picture: ImageBuffer<P, Vec<P::Subpixel>>) -> Result<Array<'static>, Refusal> {
        let layout = layout(&picture)?;
        Array::new(Memory::from_vec(picture.into_raw()), layout, P::Subpixel::FORMAT)
    }
}

fn layout<P: Pixel, C>(picture: &ImageBuffer<P, C>) -> Result<Layout, Refusal>
where
    C: Deref<Target = [P::Subpixel]>,
{
    let (width, height) = picture.dimensions();
    let shape = [height as usize, width as usize, P::CHANNEL_COUNT.into()];
    Ok(Layout::contiguous(size_of::<P::Subpixel>(), &shape, Order::C)?)
}
