use extbuf_format::Element;

#[derive(Clone, Copy, Element)]
enum Choice {
    No,
    Yes,
}

fn main() {}
