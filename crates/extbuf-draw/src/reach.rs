//! Which items touch these bytes? Answered without walking the items.
//!
//! A picture shows a few windows of what may be terabytes, so its cost must not depend on the number of items. For
//! one affine map the question is a search over the axes, from the longest stride to the shortest: at each axis only
//! those indices remain from which the rest of the axes can still reach the window. For arrays as they are usually
//! made that search hardly branches. For hostile strides it can branch at will, so it stops after a fixed number of
//! steps and says that it did; then bytes without a known item are drawn as left out, never as unused.
//!
//! Arithmetic is in `i128`, where no sum or product of two `isize` values, 64 of them added up, can overflow.

use std::ops::Range;

use extbuf_layout::{Layout, POINTER_BYTES};

/// One level of a layout, as seen where the axes of the levels before it have a fixed index.
#[derive(Clone, Debug)]
pub(crate) struct Map {
    /// Address of the first place, relative to the base or to the pointer loaded before.
    pub(crate) first: i128,
    /// The axes walked at this level with a stride that is not zero.
    pub(crate) steps: Vec<Step>,
    /// The axes walked at this level with stride 0: the same place again and again.
    pub(crate) repeats: Vec<Step>,
    /// Bytes at each place: a pointer's, or an item's.
    pub(crate) width: i128,
    /// The fixed index, zero along the axes walked here.
    index: Vec<usize>,
}

/// One axis of a map.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub(crate) axis: usize,
    pub(crate) stride: i128,
    pub(crate) extent: i128,
}

/// A place that an index reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spot {
    pub(crate) address: i128,
    pub(crate) index: Vec<usize>,
}

/// The answer of [`Map::touching`].
#[derive(Debug)]
pub(crate) struct Touching {
    /// By address, then by index in C order.
    pub(crate) spots: Vec<Spot>,
    /// False where the search was stopped: there may be more.
    pub(crate) complete: bool,
}

/// The level at which an axis is walked: the first with a stride that is not zero, else the last.
pub(crate) fn owner(layout: &Layout, axis: usize) -> usize {
    let last = layout.levels() - 1;
    (0..last).find(|&level| layout.strides(level)[axis] != 0).unwrap_or(last)
}

impl Map {
    /// The map of `level`, with the axes of the levels before it fixed by `index`. The layout must have items.
    pub(crate) fn new(layout: &Layout, level: usize, index: &[usize]) -> Map {
        let mut index = index.to_vec();
        let mut first = layout.offset(level) as i128;
        let (mut steps, mut repeats) = (Vec::new(), Vec::new());
        for (axis, (&extent, &stride)) in layout.shape().iter().zip(layout.strides(level)).enumerate() {
            if extent <= 1 {
                continue;
            }
            let walked = owner(layout, axis);
            let step = Step { axis, stride: stride as i128, extent: extent as i128 };
            if walked < level {
                first += step.stride * index[axis] as i128;
                continue;
            }
            index[axis] = 0;
            match walked == level {
                true if stride != 0 => steps.push(step),
                true => repeats.push(step),
                false => {}
            }
        }
        let last = level + 1 == layout.levels();
        let width = if last { layout.itemsize() as i128 } else { POINTER_BYTES as i128 };
        Map { first, steps, repeats, width, index }
    }

    /// The bytes from the lowest place to the end of the highest.
    pub(crate) fn hull(&self) -> Range<i128> {
        let (mut low, mut high) = (self.first, self.first);
        for step in &self.steps {
            let reach = step.stride * (step.extent - 1);
            if reach < 0 { low += reach } else { high += reach }
        }
        low..high + self.width
    }

    /// The last place visited.
    pub(crate) fn last(&self) -> i128 {
        self.first + self.steps.iter().map(|step| step.stride * (step.extent - 1)).sum::<i128>()
    }

    /// The index of the first place.
    pub(crate) fn first_index(&self) -> &[usize] {
        &self.index
    }

    /// The places whose bytes lie in the window, wholly or in part, found within `limit` steps: at most
    /// `most` of them, and one more to tell that there are more.
    pub(crate) fn touching(&self, window: &Range<i128>, limit: usize, most: usize) -> Touching {
        let mut steps = self.steps.clone();
        steps.sort_by_key(|step| std::cmp::Reverse(step.stride.abs()));
        // What the axes from here on can still add: lowest and highest.
        let mut rest = vec![(0, 0)];
        for step in steps.iter().rev() {
            let (low, high) = rest[rest.len() - 1];
            let reach = step.stride * (step.extent - 1);
            rest.push((low + reach.min(0), high + reach.max(0)));
        }
        rest.reverse();
        let mut search = Search {
            window,
            width: self.width,
            steps: &steps,
            rest: &rest,
            index: self.index.clone(),
            spots: Vec::new(),
            left: limit,
            most,
        };
        let complete = search.go(0, self.first);
        let mut spots = search.spots;
        spots.sort_by(|a, b| (a.address, &a.index).cmp(&(b.address, &b.index)));
        Touching { spots, complete }
    }
}

struct Search<'a> {
    window: &'a Range<i128>,
    width: i128,
    steps: &'a [Step],
    rest: &'a [(i128, i128)],
    index: Vec<usize>,
    spots: Vec<Spot>,
    left: usize,
    most: usize,
}

impl Search<'_> {
    /// Tries every index of the axis at `depth` that can still touch the window. False: stopped.
    fn go(&mut self, depth: usize, sum: i128) -> bool {
        if self.left == 0 || self.spots.len() > self.most {
            return false;
        }
        self.left -= 1;
        let Some(&step) = self.steps.get(depth) else {
            if sum < self.window.end && sum + self.width > self.window.start {
                self.spots.push(Spot { address: sum, index: self.index.clone() });
            }
            return self.spots.len() <= self.most;
        };
        // stride * k must lie in lowest..=highest.
        let (low, high) = self.rest[depth + 1];
        let lowest = self.window.start - self.width - high - sum + 1;
        let highest = self.window.end - low - sum - 1;
        let (from, to) = if step.stride > 0 {
            (div_ceil(lowest, step.stride), highest.div_euclid(step.stride))
        } else {
            (div_ceil(-highest, -step.stride), (-lowest).div_euclid(-step.stride))
        };
        let mut complete = true;
        let mut k = from.max(0);
        while complete && k <= to.min(step.extent - 1) {
            self.index[step.axis] = k as usize;
            complete = self.go(depth + 1, sum + step.stride * k);
            k += 1;
        }
        self.index[step.axis] = 0;
        complete
    }
}

/// The least whole number not under `a / b`, for `b > 0`.
fn div_ceil(a: i128, b: i128) -> i128 {
    -(-a).div_euclid(b)
}

/// The place of an index in the C order of a shape: when it is visited, counted from 0.
pub(crate) fn visit(shape: &[usize], index: &[usize]) -> u128 {
    shape
        .iter()
        .zip(index)
        .fold(0, |visit: u128, (&extent, &k)| visit.saturating_mul(extent as u128).saturating_add(k as u128))
}

/// The first visits (four at most) that a map pays to the place of `index`, counting its repeating axes.
pub(crate) fn visits(shape: &[usize], map: &Map, index: &[usize]) -> Vec<u128> {
    let mut index = index.to_vec();
    let mut out = vec![visit(shape, &index)];
    while out.len() < 4 {
        // Count up the repeating axes, the last fastest, so that the visits come in order.
        let Some(step) = map.repeats.iter().rev().find(|step| (index[step.axis] as i128) < step.extent - 1)
        else {
            break;
        };
        index[step.axis] += 1;
        for later in map.repeats.iter().filter(|later| later.axis > step.axis) {
            index[later.axis] = 0;
        }
        out.push(visit(shape, &index));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Every index of a shape, by counting.
    fn indices(shape: &[usize]) -> Vec<Vec<usize>> {
        shape.iter().fold(vec![Vec::new()], |all, &extent| {
            all.iter().flat_map(|head| (0..extent).map(move |k| [head.as_slice(), &[k]].concat())).collect()
        })
    }

    proptest! {
        #[test]
        fn the_search_finds_what_counting_finds(
            axes in prop::collection::vec((1usize..5, -20isize..20), 0..4),
            offset in -50isize..50,
            itemsize in 1usize..9,
            start in -120i128..120,
            length in 0i128..40,
        ) {
            let (shape, strides): (Vec<usize>, Vec<isize>) = axes.into_iter().unzip();
            let layout = Layout::strided(itemsize, &shape, &strides, offset).unwrap();
            let map = Map::new(&layout, 0, &vec![0; shape.len()]);
            let window = start..start + length;
            let found = map.touching(&window, usize::MAX, usize::MAX);
            prop_assert!(found.complete);
            let mut expected = Vec::new();
            for index in indices(&shape) {
                let address = offset as i128
                    + index.iter().zip(&strides).map(|(&k, &stride)| k as i128 * stride as i128).sum::<i128>();
                // Of the visits to one place along an axis of stride 0 the search names the first.
                let first = index.iter().zip(&strides).all(|(&k, &stride)| k == 0 || stride != 0);
                if first && address < window.end && address + itemsize as i128 > window.start {
                    expected.push(Spot { address, index });
                }
            }
            expected.sort_by(|a, b| (a.address, &a.index).cmp(&(b.address, &b.index)));
            prop_assert_eq!(found.spots, expected);
        }
    }

    #[test]
    fn a_search_that_is_stopped_says_so() {
        let layout = Layout::strided(1, &[1000, 1000], &[1, 1], 0).unwrap();
        let map = Map::new(&layout, 0, &[0, 0]);
        assert!(!map.touching(&(500..501), 100, 1000).complete);
        assert!(!map.touching(&(500..501), 100_000, 10).complete);
        let few = map.touching(&(0..2), 100, 10);
        assert!(few.complete);
        assert_eq!(few.spots.len(), 3);
    }

    #[test]
    fn repeats_come_in_the_order_of_visits() {
        let layout = Layout::strided(4, &[2, 3, 2], &[0, 4, 0], 0).unwrap();
        let map = Map::new(&layout, 0, &[0, 0, 0]);
        assert_eq!(visits(&[2, 3, 2], &map, &[0, 1, 0]), [2, 3, 8, 9]);
    }
}
