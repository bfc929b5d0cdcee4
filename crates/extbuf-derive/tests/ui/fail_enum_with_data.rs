use extbuf_format::Element;

#[derive(Clone, Copy, Element)]
#[repr(u8)]
enum Choice {
    No,
    Yes(u8),
}

fn main() {}
