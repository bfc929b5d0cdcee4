use extbuf_format::Element;

#[derive(Clone, Copy, Element)]
#[repr(C)]
struct Record {
    a: u8,
    b: &'static u8,
}

fn main() {}
