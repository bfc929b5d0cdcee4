//! A slice of records, and its fields as arrays of their own: in place, for reading and for writing.
//!
//! ```text
//! cargo run -p extbuf-protocol --example records
//! ```

use bytemuck::{Pod, Zeroable};
use extbuf_format::Element;
use extbuf_layout::s;
use extbuf_protocol::{Buffer, Exporter, Refusal, Request};

/// A fix of a receiver: where, when, how good.
#[derive(Clone, Copy, Debug, Element, Pod, Zeroable)]
#[repr(C)]
struct Fix {
    position: [f64; 2],
    millis: u32,
    satellites: u16,
    quality: [u8; 2],
}

fn main() -> Result<(), Refusal> {
    let track: Vec<Fix> = (0..5)
        .map(|i| Fix {
            position: [47.0 + f64::from(i) / 10.0, 8.5],
            millis: 1000 * i,
            satellites: 7,
            quality: [1, 2],
        })
        .collect();
    let buffer = Buffer::from_vec(track);

    let window = buffer.window(Request::FULL_RO)?;
    println!("{} records of format {}", window.shape()[0], window.format());
    let latitudes = window.map(|view| view.field("position[0]"))?;
    println!(
        "latitudes: format {}, a step of {} bytes",
        latitudes.format(),
        latitudes.layout().strides(0)[0]
    );
    for i in 0..latitudes.shape()[0] {
        println!("  {:.1}", latitudes.view().get::<f64>(&[i])?);
    }

    drop((window, latitudes));
    let mut window = buffer.window(Request::FULL)?;
    let mut counts = window.view_mut()?.slice(s![..;2])?.field("satellites")?;
    for i in 0..counts.shape()[0] {
        counts.set(&[i], 12u16)?;
    }
    drop(window);
    let satellites: Vec<u16> = buffer.into_vec()?.iter().map(|fix| fix.satellites).collect();
    println!("every second fix now says 12: {satellites:?}");
    Ok(())
}
