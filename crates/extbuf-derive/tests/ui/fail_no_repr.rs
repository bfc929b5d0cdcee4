use extbuf_format::Element;

#[derive(Clone, Copy, Element)]
struct Record {
    a: u8,
}

fn main() {}
