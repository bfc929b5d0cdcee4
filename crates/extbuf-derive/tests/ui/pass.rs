use bytemuck::{AnyBitPattern, Pod, Zeroable};
use extbuf_format::Element;

#[derive(Clone, Copy, AnyBitPattern, Element)]
#[repr(C)]
struct Record {
    a: u8,
    b: f32,
}

#[derive(Clone, Copy, Zeroable, Pod, Element)]
#[repr(C, packed)]
struct Of<T: Element + Pod> {
    value: T,
}

fn main() {
    let _ = (Record::FORMAT, <Of<i32>>::FORMAT);
}
