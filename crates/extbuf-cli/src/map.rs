//! The bytes of a file, mapped where the system can map it and read where it cannot.
// Mapping a file is unsafe: the bytes are those of the file, and another program may change them.
#![allow(unsafe_code)]

use std::fs::File;
use std::io::{self, Read};

use extbuf::protocol::Memory;

/// How the bytes of a file came into memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loaded {
    /// The file is the memory: pages are read when they are touched.
    Mapped,
    /// Read from start to end: pipes, devices, empty files.
    Read,
}

/// The bytes of an open file.
pub(crate) fn load(mut file: File) -> io::Result<(Memory<'static>, Loaded)> {
    if file.metadata()?.is_file() {
        // SAFETY: `Memory::map_file` asks that nobody writes to the file or shortens it while it is mapped. It is the
        // user's own file, named on the command line for reading, and this program writes to other files only (an
        // output under the same name is a new file). That no other program changes it meanwhile is taken for granted
        // here, as by everyone who maps a file.
        if let Ok(memory) = unsafe { Memory::map_file(&file) } {
            return Ok((memory, Loaded::Mapped));
        }
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok((Memory::from_vec(bytes), Loaded::Read))
}
