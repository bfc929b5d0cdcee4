use bytemuck::{Pod, Zeroable};
use extbuf_format::Element;

#[derive(Clone, Copy, Zeroable, Pod, Element)]
#[repr(C, packed)]
struct Of<T: Pod> {
    value: T,
}

fn main() {}
