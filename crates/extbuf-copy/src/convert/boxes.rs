//! The boxes that a conversion goes through, one at a time.
//!
//! A box is a range of each shared axis, small enough that what is read and written for it stays in the nearest caches
//! between two steps. Where both sides run along the same axis a box is a piece of a line. Where they do not (a
//! transpose) it extends along both: whichever side has the shorter run in it gets more of the axis that it runs along,
//! until the box is full.

/// The extents of a box, and how many there are along each axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Boxes {
    extents: Vec<usize>,
    pub(crate) size: Vec<usize>,
    counts: Vec<usize>,
    /// Axes in the order in which boxes follow one another, fastest first: as the source lies, since what is read in
    /// many short stretches takes longer than what is written so.
    walk: Vec<usize>,
}

impl Boxes {
    /// Boxes of at most so many items of `dst` and `src` bytes, for sides with these strides. Axes come as the
    /// destination lies, outermost first.
    pub(crate) fn choose(
        extents: &[usize],
        (dst, dst_strides): (usize, &[isize]),
        (src, src_strides): (usize, &[isize]),
        most: usize,
    ) -> Boxes {
        let mut size = vec![1usize; extents.len()];
        if extents.contains(&0) {
            return Boxes {
                extents: extents.to_vec(),
                counts: vec![0; extents.len()],
                walk: Vec::new(),
                size,
            };
        }
        let along = |strides: &[isize]| {
            let mut axes: Vec<usize> = (0..extents.len()).rev().collect();
            // What repeats the item costs nothing wherever it stands.
            axes.sort_by_key(|&axis| strides[axis].unsigned_abs().wrapping_sub(1));
            axes
        };
        let (dst_axes, src_axes) = (along(dst_strides), along(src_strides));
        // Bytes side by side in the box: all of the first axes that it holds whole, and its share of the next.
        let run = |size: &[usize], axes: &[usize], width: usize| {
            let mut run = width;
            for &axis in axes {
                run *= size[axis];
                if size[axis] < extents[axis] {
                    break;
                }
            }
            run
        };
        loop {
            let dst_first = run(&size, &dst_axes, dst) <= run(&size, &src_axes, src);
            let axes = if dst_first { &dst_axes } else { &src_axes };
            let Some(&axis) = axes.iter().find(|&&axis| size[axis] < extents[axis]) else { break };
            let others = size.iter().product::<usize>() / size[axis];
            let grown = (2 * size[axis]).min(extents[axis]).min(most / others);
            if grown <= size[axis] {
                break;
            }
            size[axis] = grown;
        }
        // Near equal boxes; along the destination's own axis they end where a cache line does.
        let counts: Vec<usize> = extents.iter().zip(&size).map(|(&n, &size)| n.div_ceil(size)).collect();
        for (axis, size) in size.iter_mut().enumerate() {
            *size = extents[axis].div_ceil(counts[axis]);
            if counts[axis] > 1 && dst_strides[axis].unsigned_abs() == dst && dst > 0 {
                *size = size.next_multiple_of((64 / dst).max(1)).min(extents[axis]);
            }
        }
        let counts = extents.iter().zip(&size).map(|(&n, &size)| n.div_ceil(size)).collect();
        Boxes { extents: extents.to_vec(), size, counts, walk: src_axes }
    }

    /// How many boxes.
    pub(crate) fn count(&self) -> usize {
        self.counts.iter().product()
    }

    /// Where box `number` begins and how far it extends, written over `place` and `size`.
    pub(crate) fn at(&self, mut number: usize, place: &mut [usize], size: &mut [usize]) {
        for &axis in &self.walk {
            place[axis] = number % self.counts[axis] * self.size[axis];
            size[axis] = self.size[axis].min(self.extents[axis] - place[axis]);
            number /= self.counts[axis];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Boxes;

    fn size(extents: &[usize], dst: (usize, &[isize]), src: (usize, &[isize]), most: usize) -> Vec<usize> {
        Boxes::choose(extents, dst, src, most).size
    }

    #[test]
    fn a_line_is_cut_into_equal_pieces() {
        assert_eq!(size(&[100], (4, &[4]), (1, &[1]), 4096), [100]);
        assert_eq!(size(&[10_000], (4, &[4]), (1, &[1]), 4096), [3344]);
        assert_eq!(size(&[50, 1000], (4, &[4000, 4]), (1, &[2000, 1]), 4096), [4, 1000]);
    }

    #[test]
    fn a_transpose_gets_equal_runs_and_channels_come_whole() {
        assert_eq!(size(&[4096, 4096], (4, &[16384, 4]), (8, &[8, 32768]), 4096), [32, 128]);
        // Channels of a picture into planes.
        assert_eq!(size(&[3, 8_294_400], (4, &[33_177_600, 4]), (1, &[1, 3]), 4096), [3, 1376]);
        // A source that repeats along the first axis.
        assert_eq!(size(&[300, 1000], (4, &[4000, 4]), (1, &[0, 1]), 4096), [4, 1000]);
    }

    #[test]
    fn boxes_cover_every_index_once() {
        let boxes = Boxes::choose(&[70, 130], (4, &[520, 4]), (4, &[4, 280]), 1024);
        let mut seen = vec![0; 70 * 130];
        let (mut place, mut size) = ([0; 2], [0; 2]);
        for number in 0..boxes.count() {
            boxes.at(number, &mut place, &mut size);
            for i in place[0]..place[0] + size[0] {
                for j in place[1]..place[1] + size[1] {
                    seen[i * 130 + j] += 1;
                }
            }
        }
        assert!(seen.iter().all(|&times| times == 1));
    }
}
