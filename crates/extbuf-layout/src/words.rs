//! The storage of a layout: one flat run of words, inline while it is short.
//!
//! A layout of `n` axes and `m` levels needs `n + m * (n + 1)` words. Twenty words hold 6 axes at 2 levels and 9
//! axes at 1 level, which covers images, tensors and rows of pointers; longer runs are boxed.

use alloc::boxed::Box;
use alloc::vec;

/// Words kept inline.
pub(crate) const INLINE: usize = 20;

#[derive(Clone)]
pub(crate) enum Words {
    Inline { len: u8, buf: [isize; INLINE] },
    Boxed(Box<[isize]>),
}

impl Words {
    pub(crate) fn zeroed(len: usize) -> Words {
        if len <= INLINE {
            Words::Inline { len: len as u8, buf: [0; INLINE] }
        } else {
            Words::Boxed(vec![0; len].into_boxed_slice())
        }
    }

    #[inline]
    pub(crate) fn as_slice(&self) -> &[isize] {
        match self {
            Words::Inline { len, buf } => &buf[..*len as usize],
            Words::Boxed(words) => words,
        }
    }

    #[inline]
    pub(crate) fn as_mut_slice(&mut self) -> &mut [isize] {
        match self {
            Words::Inline { len, buf } => &mut buf[..*len as usize],
            Words::Boxed(words) => words,
        }
    }
}
