//! The extbuf program: explain formats, show the memory of a file, copy any view of it.
fn main() {}
