//! The slow obvious copy: one item at a time, one byte at a time, all sources read before anything is written.
//!
//! Memory is a list of bytes that knows at which address it lies; an address outside it is a panic, so this is a
//! check of bounds as well as of values.

/// Bytes and the address of the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlowMemory {
    /// Address of the first byte.
    pub start: usize,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// One side of a copy: a base address, and for each level an offset and one stride per axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlowSide {
    /// The address that the first level starts from.
    pub base: usize,
    /// Offset and strides of each level.
    pub levels: Vec<(i64, Vec<i64>)>,
}

impl SlowMemory {
    fn read(&self, address: i64, count: usize) -> Vec<u8> {
        let at = usize::try_from(address - self.start as i64).expect("reads below the memory");
        self.bytes[at..at + count].to_vec()
    }

    fn write(&mut self, address: i64, bytes: &[u8]) {
        let at = usize::try_from(address - self.start as i64).expect("writes below the memory");
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
    }

    /// Where the item with an index lies.
    ///
    /// # Panics
    ///
    /// If a pointer on the way, or what it leads to, lies outside the memory.
    pub fn address(&self, side: &SlowSide, index: &[usize]) -> i64 {
        let mut address = side.base as i64;
        for (level, (offset, strides)) in side.levels.iter().enumerate() {
            if level > 0 {
                let pointer = self.read(address, size_of::<usize>());
                address = usize::from_ne_bytes(pointer.try_into().expect("a pointer's bytes")) as i64;
            }
            address += offset;
            for axis in 0..index.len() {
                address += strides[axis] * index[axis] as i64;
            }
        }
        address
    }

    /// Copies every item, as if all of the source were read first.
    ///
    /// # Panics
    ///
    /// If an item lies outside the memory.
    pub fn copy(&mut self, itemsize: usize, shape: &[usize], dst: &SlowSide, src: &SlowSide) {
        let mut moves = Vec::new();
        for index in indices(shape) {
            let item = self.read(self.address(src, &index), itemsize);
            moves.push((self.address(dst, &index), item));
        }
        for (address, item) in moves {
            self.write(address, &item);
        }
    }
}

/// Every index of a shape, the last axis fastest.
pub fn indices(shape: &[usize]) -> Vec<Vec<usize>> {
    // Before the other axes fill the memory with beginnings of indices that there are not.
    if shape.contains(&0) {
        return Vec::new();
    }
    let mut all = vec![vec![]];
    for &extent in shape {
        let mut longer = Vec::new();
        for index in &all {
            for k in 0..extent {
                let mut next = index.clone();
                next.push(k);
                longer.push(next);
            }
        }
        all = longer;
    }
    all
}
