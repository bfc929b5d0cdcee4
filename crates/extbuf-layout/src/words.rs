//! The storage of a layout: one flat run of words, inline while it is short.
//!
//! A layout of `n` axes and `m` levels needs `n + m * (n + 1)` words. Twenty words hold 6 axes at 2 levels and 9 axes at
//! 1 level, which covers images, tensors and rows of pointers; longer runs are boxed.
//!
//! Nanoseconds an operation, measured with the bench `layout` (x86-64, 2 cores shared with other work, fastest round):
//!
//! ```text
//! words inline     slice of 3 axes   index   permute   broadcast   clone   slice across a load (11 words)
//!  8                     26            18       14         44         5      40   (boxed)
//! 12                     26            15       14         29         3      28
//! 20                     31            24       24         31         4      33
//! 12, else 20            33            16       16         28         4      35
//! ```
//!
//! A box costs more than the widest inline run. A second inline size gains on two operations what it loses on two others
//! and is one more case everywhere, so there is none. What costs most is moving a finished layout: filling one in where it
//! will lie, instead of building it and then wrapping it, brought the slice from 56 to 31, the index from 37 to 24 and the
//! clone from 12 to 4. So operations make their `Result` first and write into it.

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
    #[inline(always)]
    pub(crate) fn zeroed(len: usize) -> Words {
        if len <= INLINE {
            Words::Inline { len: len as u8, buf: [0; INLINE] }
        } else {
            Words::Boxed(vec![0; len].into_boxed_slice())
        }
    }

    /// So many zeros in place of what was here. Inline all words are written: that is fewer instructions than to call for
    /// some to be.
    #[inline(always)]
    pub(crate) fn reset(&mut self, zeros: usize) {
        match self {
            Words::Inline { len, buf } if zeros <= INLINE => {
                *len = zeros as u8;
                *buf = [0; INLINE];
            }
            words => *words = Words::zeroed(zeros),
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

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::Words;

    #[test]
    fn what_lies_inline() {
        let inline = |axes: usize, levels: usize| {
            matches!(Words::zeroed(axes + levels * (axes + 1)), Words::Inline { .. })
        };
        assert!(inline(6, 2) && inline(9, 1) && inline(4, 3));
        assert!(!inline(7, 2) && !inline(10, 1));
    }

    #[test]
    fn what_is_reset_is_zeros_of_the_new_length() {
        for (from, to) in [(3, 5), (5, 3), (20, 21), (21, 20), (30, 25), (0, 0)] {
            let mut words = Words::zeroed(from);
            words.as_mut_slice().fill(-1);
            words.reset(to);
            assert_eq!(words.as_slice(), vec![0; to]);
        }
    }
}
