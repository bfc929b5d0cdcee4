//! PNG pictures: decoded into rows that are separate allocations, encoded from any view of 8-bit or 16-bit samples.
//!
//! A decoded picture is a real indirect buffer: nothing but a table of pointers connects its rows. Palettes become RGB
//! and samples of 1, 2 and 4 bits become bytes; of an animation the first picture is read. What is not pixels (colour
//! profiles, texts) is neither read nor written.

use std::fs::File;
use std::io::{self, Cursor, Write};

use bytemuck::{AnyBitPattern, NoUninit};
use extbuf::format::{Code, Element, Format};
use extbuf::protocol::Rows;
use png::{BitDepth, ColorType, Decoder, DecodingError, Encoder, EncodingError, Limits, Transformations};

use crate::npy::tuple;
use crate::units::bytes;

/// The first bytes of every PNG file.
pub(crate) const MAGIC: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Deflate makes at most this many bytes of one, so that a file of a few bytes cannot ask for gigabytes.
const MOST_EXPANSION: usize = 1032;

/// Bytes of a chunk of compressed pixels.
const CHUNK: usize = 1 << 16;

/// A decoded picture.
#[derive(Debug)]
pub(crate) struct Picture {
    pub(crate) rows: Rows<'static>,
    pub(crate) about: String,
}

/// Decodes a picture, each row into an allocation of its own.
pub(crate) fn read(file: &[u8]) -> Result<Picture, String> {
    if !file.starts_with(MAGIC) {
        return Err("not a PNG file: it does not begin with \\x89PNG".into());
    }
    let limit = file.len().saturating_mul(MOST_EXPANSION).saturating_add(1 << 20);
    let mut decoder = Decoder::new_with_limits(Cursor::new(file), Limits { bytes: limit });
    decoder.set_transformations(Transformations::EXPAND);
    let mut reader = decoder.read_info().map_err(says)?;
    let (width, height) = (reader.info().width as usize, reader.info().height as usize);
    let (colour, depth) = reader.output_color_type();
    let line = reader.output_line_size(reader.info().width).ok_or("rows over the largest size in memory")?;
    if line.saturating_mul(height) > limit {
        let most = limit.min(line.saturating_mul(height));
        return Err(format!(
            "a picture of {height} rows of {}, and a file of {} holds {} of pixels at most",
            bytes(line),
            bytes(file.len()),
            bytes(most)
        ));
    }
    let mut rows = Vec::with_capacity(height);
    if reader.info().interlaced {
        let mut frame = Vec::new();
        frame
            .try_reserve_exact(line * height)
            .map_err(|_| format!("no memory for {}", bytes(line * height)))?;
        frame.resize(line * height, 0);
        reader.next_frame(&mut frame).map_err(says)?;
        rows.extend(frame.chunks_exact(line).map(<[u8]>::to_vec));
    } else {
        while let Some(row) = reader.next_row().map_err(says)? {
            rows.push(row.data().to_vec());
        }
    }
    if rows.len() != height {
        return Err(format!("the picture has {} rows, its header says {height}", rows.len()));
    }
    let (samples, kind) = match colour {
        ColorType::Grayscale | ColorType::Indexed => (1, "gray"),
        ColorType::GrayscaleAlpha => (2, "gray and alpha"),
        ColorType::Rgb => (3, "RGB"),
        ColorType::Rgba => (4, "RGBA"),
    };
    let row_shape = if samples == 1 { vec![width] } else { vec![width, samples] };
    let (rows, bits) = if depth == BitDepth::Sixteen {
        // PNG stores the high byte first.
        let native = |row: Vec<u8>| row.chunks_exact(2).map(|b| u16::from_be_bytes([b[0], b[1]])).collect();
        (lend::<u16>(rows.into_iter().map(native).collect(), &row_shape)?, 16)
    } else {
        (lend::<u8>(rows, &row_shape)?, 8)
    };
    let about = format!("PNG picture, {width} × {height}, {kind}, {bits} bits a sample");
    Ok(Picture { rows, about })
}

fn lend<T>(rows: Vec<Vec<T>>, row_shape: &[usize]) -> Result<Rows<'static>, String>
where
    T: Element + NoUninit + AnyBitPattern + Send + Sync,
{
    Rows::from_vecs(rows, row_shape).map_err(|error| error.to_string())
}

fn says(error: DecodingError) -> String {
    match error {
        DecodingError::IoError(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            "the PNG file is cut short".into()
        }
        DecodingError::LimitsExceeded => "the header promises more pixels than the file can hold".into(),
        error => format!("PNG: {error}"),
    }
}

/// How a view is written as a picture.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pixels {
    width: u32,
    height: u32,
    colour: ColorType,
    depth: BitDepth,
    /// The two bytes of a sample stand the wrong way round for PNG.
    swap: bool,
}

/// Finds out whether items of this format and shape are a picture.
pub(crate) fn pixels(format: &Format, shape: &[usize]) -> Result<Pixels, String> {
    let scalar = format.as_scalar();
    let (depth, swap) = match scalar.map(|scalar| (scalar.code(), scalar)) {
        Some((Code::UnsignedChar, _)) => (BitDepth::Eight, false),
        Some((Code::UnsignedShort, scalar)) => {
            (BitDepth::Sixteen, scalar.byte_order() == extbuf::format::ByteOrder::Little)
        }
        _ => return Err(format!("a PNG picture is made of format 'B' or 'H', this is '{format}'")),
    };
    let colour = match shape {
        [_, _] | [_, _, 1] => ColorType::Grayscale,
        [_, _, 2] => ColorType::GrayscaleAlpha,
        [_, _, 3] => ColorType::Rgb,
        [_, _, 4] => ColorType::Rgba,
        _ => {
            return Err(format!(
                "a PNG picture has shape (height, width) or (height, width, 1 to 4), this is {}",
                tuple(shape)
            ));
        }
    };
    let side = |extent: usize| u32::try_from(extent).ok().filter(|&n| n > 0 && n <= i32::MAX as u32);
    match (side(shape[0]), side(shape[1])) {
        (Some(height), Some(width)) => Ok(Pixels { width, height, colour, depth, swap }),
        _ => Err(format!("a PNG picture has sides of 1 to {}, this is {}", i32::MAX, tuple(shape))),
    }
}

/// Takes whole samples, in C order; may turn their bytes round in place.
pub(crate) type Sink<'a> = dyn FnMut(&mut [u8]) -> io::Result<()> + 'a;

/// Encodes the samples that `body` gives to its sink.
pub(crate) fn write<E: From<io::Error>>(
    to: &mut File,
    pixels: Pixels,
    body: impl FnOnce(&mut Sink<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let fail = |error: EncodingError| match error {
        EncodingError::IoError(error) => E::from(error),
        error => E::from(io::Error::other(error)),
    };
    let mut encoder = Encoder::new(to, pixels.width, pixels.height);
    encoder.set_color(pixels.colour);
    encoder.set_depth(pixels.depth);
    let mut writer = encoder.write_header().map_err(fail)?;
    // The stream gathers a chunk before it writes: a buffer around the file would only hide its errors.
    let mut stream = writer.stream_writer_with_size(CHUNK).map_err(fail)?;
    body(&mut |samples| {
        if pixels.swap {
            samples.chunks_exact_mut(2).for_each(|sample| sample.swap(0, 1));
        }
        stream.write_all(samples)
    })?;
    stream.finish().map_err(fail)?;
    writer.finish().map_err(fail)
}
