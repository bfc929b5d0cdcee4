//! The slow twin of a layout: every place written out.
//!
//! Memory is a table: a block has a number, and at a byte of a block a pointer to another block may be stored. An array
//! is its shape and the list of the places of its items, in C order. An operation says for every new index which old
//! index it shows; nothing is said about strides, offsets or levels after the first line.

// A twin asked for what cannot be is a fault of the test, which then fails.
#![allow(clippy::missing_panics_doc)]

use std::collections::BTreeMap;

/// The place of an item: a block and a byte in it.
pub type Place = (usize, i128);

/// Blocks and the pointers stored in them. Each place that is asked for a pointer holds one to a block of its own.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    pointers: BTreeMap<Place, usize>,
}

impl Memory {
    /// The block that the pointer stored at a place leads to. Block 0 is where everything starts.
    pub fn load(&mut self, place: Place) -> usize {
        let fresh = self.pointers.len() + 1;
        *self.pointers.entry(place).or_insert(fresh)
    }
}

/// An array: a shape, and the place of every item in C order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Twin {
    /// Entries along each axis.
    pub shape: Vec<usize>,
    /// The place of each item.
    pub places: Vec<Place>,
}

/// What one entry of a multi-axis slice does to its axis.
#[derive(Clone, Debug)]
pub enum Cut {
    /// The axis goes; this index of it is shown.
    Fix(usize),
    /// These indices of the axis are shown, in this order.
    Keep(Vec<usize>),
    /// An axis of one entry that shows nothing of its own.
    New,
}

/// All indices of a shape in C order.
pub fn all_indices(shape: &[usize]) -> Vec<Vec<usize>> {
    let mut out = vec![vec![]];
    for &extent in shape {
        out = out
            .into_iter()
            .flat_map(|head| {
                (0..extent).map(move |k| {
                    let mut index = head.clone();
                    index.push(k);
                    index
                })
            })
            .collect();
    }
    out
}

/// The number of an index in C order.
pub fn number(shape: &[usize], index: &[usize]) -> usize {
    shape.iter().zip(index).fold(0, |number, (extent, k)| number * extent + k)
}

/// The indices that Python's `slice(start, stop, step)` keeps of `n`, by walking. `None` where the step is 0.
pub fn python_slice(
    start: Option<isize>,
    stop: Option<isize>,
    step: Option<isize>,
    n: usize,
) -> Option<Vec<usize>> {
    let n = n as i128;
    let step = step.unwrap_or(1) as i128;
    if step == 0 {
        return None;
    }
    let from_end = |v: isize| if v < 0 { v as i128 + n } else { v as i128 };
    let mut at = match (start, step > 0) {
        (None, true) => 0,
        (None, false) => n - 1,
        (Some(v), true) => from_end(v).max(0),
        (Some(v), false) => from_end(v).min(n - 1),
    };
    let goes = |at: i128| match (stop, step > 0) {
        (None, _) => true,
        (Some(v), true) => at < from_end(v),
        (Some(v), false) => at > from_end(v),
    };
    let mut out = Vec::new();
    while (0..n).contains(&at) && goes(at) {
        out.push(at as usize);
        at += step;
    }
    Some(out)
}

impl Twin {
    /// Follows the chain of maps for every index: `levels` are an offset and a stride per axis each, and between two of
    /// them the pointer at the place reached is loaded.
    pub fn new(memory: &mut Memory, shape: &[usize], levels: &[(isize, Vec<isize>)]) -> Twin {
        let places = all_indices(shape)
            .iter()
            .map(|index| {
                let mut place = (0, 0);
                for (level, (offset, strides)) in levels.iter().enumerate() {
                    if level > 0 {
                        place = (memory.load(place), 0);
                    }
                    place.1 += *offset as i128;
                    for (stride, k) in strides.iter().zip(index) {
                        place.1 += *stride as i128 * *k as i128;
                    }
                }
                place
            })
            .collect();
        Twin { shape: shape.to_vec(), places }
    }

    /// The place of one item.
    pub fn at(&self, index: &[usize]) -> Place {
        self.places[number(&self.shape, index)]
    }

    /// An array of another shape that shows at each index the item of this one that `old` names.
    pub fn show(&self, shape: &[usize], old: impl Fn(&[usize]) -> Vec<usize>) -> Twin {
        let places = all_indices(shape).iter().map(|index| self.at(&old(index))).collect();
        Twin { shape: shape.to_vec(), places }
    }

    /// A multi-axis slice; `cuts` names every axis.
    pub fn slice(&self, cuts: &[Cut]) -> Twin {
        let shape: Vec<usize> = cuts
            .iter()
            .filter_map(|cut| match cut {
                Cut::Fix(_) => None,
                Cut::Keep(kept) => Some(kept.len()),
                Cut::New => Some(1),
            })
            .collect();
        self.show(&shape, |index| {
            let mut index = index.iter();
            let mut old = Vec::new();
            for cut in cuts {
                match cut {
                    Cut::Fix(k) => old.push(*k),
                    Cut::Keep(kept) => old.push(kept[*index.next().unwrap()]),
                    Cut::New => assert_eq!(index.next(), Some(&0)),
                }
            }
            old
        })
    }

    /// One entry of `cuts` at an axis, all other axes whole.
    pub fn slice_axis(&self, axis: usize, cut: Cut) -> Twin {
        let mut cuts: Vec<Cut> = self.shape.iter().map(|&n| Cut::Keep((0..n).collect())).collect();
        cuts[axis] = cut;
        self.slice(&cuts)
    }

    /// Axis `i` of the result is axis `axes[i]` of this one.
    pub fn permute(&self, axes: &[usize]) -> Twin {
        let shape: Vec<usize> = axes.iter().map(|&axis| self.shape[axis]).collect();
        self.show(&shape, |index| {
            let mut old = vec![0; axes.len()];
            for (&axis, &k) in axes.iter().zip(index) {
                old[axis] = k;
            }
            old
        })
    }

    /// Repeats: axes are matched from the last; where this one has extent 1, every index shows entry 0.
    pub fn broadcast(&self, shape: &[usize]) -> Twin {
        let front = shape.len() - self.shape.len();
        self.show(shape, |index| {
            index[front..].iter().zip(&self.shape).map(|(&k, &n)| if n == 1 { 0 } else { k }).collect()
        })
    }

    /// The entries `(k, k + offset)` of two axes, as a last axis.
    pub fn diagonal(&self, a: usize, b: usize, offset: isize) -> Twin {
        let entries: Vec<(usize, usize)> = (0..self.shape[a])
            .flat_map(|i| (0..self.shape[b]).map(move |j| (i, j)))
            .filter(|&(i, j)| j as isize - i as isize == offset)
            .collect();
        let others: Vec<usize> = (0..self.shape.len()).filter(|&axis| axis != a && axis != b).collect();
        let mut shape: Vec<usize> = others.iter().map(|&axis| self.shape[axis]).collect();
        shape.push(entries.len());
        self.show(&shape, |index| {
            let mut old = vec![0; self.shape.len()];
            for (&axis, &k) in others.iter().zip(index) {
                old[axis] = k;
            }
            (old[a], old[b]) = entries[index[others.len()]];
            old
        })
    }

    /// Window `w` of an axis shows its entries `w..w + size` along a new last axis.
    pub fn windows(&self, axis: usize, size: usize) -> Twin {
        let mut shape = self.shape.clone();
        shape[axis] = shape[axis] + 1 - size;
        shape.push(size);
        self.show(&shape, |index| {
            let (&k, head) = index.split_last().unwrap();
            let mut old = head.to_vec();
            old[axis] += k;
            old
        })
    }

    /// The same items in C order under another shape.
    pub fn reshape(&self, shape: &[usize]) -> Twin {
        assert_eq!(shape.iter().product::<usize>(), self.places.len());
        Twin { shape: shape.to_vec(), places: self.places.clone() }
    }

    /// Index `(block.., inside..)` shows entry `block * size + inside` of each axis.
    pub fn tile(&self, sizes: &[usize]) -> Twin {
        let counts = self.shape.iter().zip(sizes).map(|(n, size)| n / size);
        let shape: Vec<usize> = counts.chain(sizes.iter().copied()).collect();
        let ndim = self.shape.len();
        self.show(&shape, |index| (0..ndim).map(|i| index[i] * sizes[i] + index[ndim + i]).collect())
    }

    /// The bytes of the last axis as items of another size.
    pub fn cast(&self, itemsize: usize, wanted: usize) -> Twin {
        let last = self.shape.len() - 1;
        let mut shape = self.shape.clone();
        shape[last] = shape[last] * itemsize / wanted;
        let places = all_indices(&shape)
            .into_iter()
            .map(|mut index| {
                let byte = index[last] * wanted;
                index[last] = byte / itemsize;
                let (block, at) = self.at(&index);
                (block, at + (byte % itemsize) as i128)
            })
            .collect();
        Twin { shape, places }
    }

    /// Every item `by` bytes further on.
    pub fn shift(&self, by: usize) -> Twin {
        let places = self.places.iter().map(|&(block, at)| (block, at + by as i128)).collect();
        Twin { shape: self.shape.clone(), places }
    }
}
