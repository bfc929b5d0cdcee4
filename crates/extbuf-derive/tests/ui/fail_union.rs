use extbuf_format::Element;

#[derive(Clone, Copy, Element)]
#[repr(C)]
union Either {
    a: u32,
    b: f32,
}

fn main() {}
