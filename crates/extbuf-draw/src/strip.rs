//! A stretch of memory cut into runs, each with a place on the grid: the middle of every picture.
//!
//! A strip is drawn whole where it fits. Where it does not, it shows **windows** around the addresses that explain
//! the layout (the first item, its neighbour along each axis, the last item, the base), grown as far as the room
//! allows, and leaves out what lies between, with the number of bytes left out. So an image of millions of items
//! takes the room and the time of a small one.
//!
//! Two maps can share a strip: the *active* one, whose items are numbered and coloured, and the *ground*, the larger
//! layout that the active one was cut from, shown faint behind it. Items that overlap are put into lanes, one below
//! the other.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::reach::{Map, Spot};
use crate::scene::width;

/// Lanes for overlapping items; what needs more is left out, and the strip says so.
const LANES: usize = 4;

/// Columns from frame to frame of the narrowest item.
const NARROW: usize = 4;

/// Steps that one search may take. Far over what a strip can show, far under what takes time.
const STEPS: usize = 1000;

/// Visits to one place, besides the first, that are kept in mind.
const ALSO: usize = 3;

/// Axes whose neighbour of the first item gets a window of its own.
pub(crate) const AXES: usize = 6;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// Widths in columns, by what the cells say.
    Across,
    /// Two rows a run: tables of pointers.
    Down,
}

/// What lies at an address.
#[derive(Clone, Debug, Default)]
pub(crate) struct Held {
    pub(crate) active: Option<Spot>,
    /// Other indices of the active map that reach the same place.
    pub(crate) also: Vec<Spot>,
    pub(crate) ground: Option<Spot>,
}

impl Held {
    fn hold(&mut self, spot: Spot) {
        let first = self.active.get_or_insert_with(|| spot.clone());
        if *first != spot && self.also.len() < ALSO && !self.also.contains(&spot) {
            self.also.push(spot);
        }
    }

    /// The index to speak of: the ground's where there is one, so that colours stay when something is cut away.
    pub(crate) fn index(&self) -> &[usize] {
        self.ground.as_ref().or(self.active.as_ref()).map_or(&[], |spot| &spot.index)
    }
}

/// A drawn item or pointer.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) bytes: Range<i128>,
    /// From frame to frame: columns, or rows of a [`Direction::Down`] strip.
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) lane: usize,
    pub(crate) held: Held,
    pub(crate) text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// Drawn items cover it.
    Items,
    /// Part of an item of the ground that the active item covers in part.
    Ground,
    /// No item touches it.
    Nothing,
    /// Left out.
    Elided,
}

/// Bytes of one use.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) bytes: Range<i128>,
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) used: Use,
    pub(crate) text: String,
}

/// A stretch of memory, measured out.
#[derive(Debug)]
pub(crate) struct Strip {
    pub(crate) items: Vec<Item>,
    pub(crate) runs: Vec<Run>,
    pub(crate) lanes: usize,
    /// Columns (or rows) from the first frame to the last.
    pub(crate) length: usize,
    /// True where overlapping items were left out for want of lanes.
    pub(crate) crowded: bool,
}

/// What a strip is to show.
pub(crate) struct Request<'a> {
    pub(crate) active: Option<&'a Map>,
    pub(crate) ground: Option<&'a Map>,
    /// Whose neighbourhoods are worth a window: the active map, or one of its siblings where none is active here.
    pub(crate) focus: Option<&'a Map>,
    pub(crate) direction: Direction,
    /// Columns or rows to keep to, where that is possible at all.
    pub(crate) room: usize,
    /// Columns of the longest text to expect, so that strips drawn below one another agree.
    pub(crate) longest: usize,
    /// Where the memory ends that begins at the base, if that is to be seen.
    pub(crate) block: Option<i128>,
    pub(crate) text: &'a dyn Fn(&Held) -> String,
}

impl Strip {
    /// Where the byte at an address begins, if a frame line lies there.
    pub(crate) fn at(&self, address: i128) -> Option<usize> {
        self.runs
            .iter()
            .find_map(|run| {
                let ends = [(run.bytes.start, run.from), (run.bytes.end, run.to)];
                ends.into_iter().find(|&(end, _)| end == address)
            })
            .map(|(_, place)| place)
    }

    /// The drawn item of the active map that begins at an address.
    pub(crate) fn active_at(&self, address: i128) -> Option<&Item> {
        self.items.iter().find(|item| item.bytes.start == address && item.held.active.is_some())
    }
}

impl Request<'_> {
    pub(crate) fn plan(&self) -> Strip {
        let hull = self.hull();
        let whole = self.gather(std::slice::from_ref(&hull));
        if whole.complete && whole.cells.len() <= self.room {
            for least in [9, 6, NARROW + 1] {
                let strip = self.lay_out(&whole, least);
                if strip.length < self.room {
                    return strip;
                }
            }
        }
        let mut anchors = self.anchors();
        loop {
            let mut best = None;
            for reach in 1..=(self.room as i128 / 2).max(1) {
                let windows = anchors.iter().map(|a| a.window(reach, &hull)).collect();
                // To show two items takes no more room than to say that they were left out.
                let windows = merged(windows, anchors.iter().map(|a| 2 * a.step).min().unwrap_or(0));
                let gathered = self.gather(&windows);
                let strip = self.lay_out(&gathered, NARROW);
                // Even the first item alone may be wider than the room.
                if strip.length >= self.room && (reach > 1 || anchors.len() > 1) {
                    break;
                }
                best = Some(strip);
                if !gathered.complete {
                    break;
                }
            }
            match best {
                Some(strip) => return strip,
                None => anchors.truncate(anchors.len().max(2) - 1),
            }
        }
    }

    fn maps(&self) -> impl Iterator<Item = &Map> {
        self.active.into_iter().chain(self.ground)
    }

    fn hull(&self) -> Range<i128> {
        let block = 0..self.block.unwrap_or(0);
        self.maps().map(Map::hull).fold(block, |all, hull| all.start.min(hull.start)..all.end.max(hull.end))
    }

    /// The addresses worth a window, the most telling first.
    fn anchors(&self) -> Vec<Anchor> {
        let mut anchors = Vec::new();
        for (nth, map) in self.focus.into_iter().chain(self.ground).enumerate() {
            let closest = map.steps.iter().map(|step| step.stride.abs()).min().unwrap_or(0);
            let step = closest.max(map.width).max(1);
            let anchor = |address, grows| Anchor { address, step, grows, width: map.width };
            anchors.push(anchor(map.first, Grows::Up));
            if nth == 0 {
                let mut strides: Vec<_> = map.steps.iter().map(|step| step.stride).collect();
                strides.sort_by_key(|stride| stride.abs());
                strides.truncate(AXES);
                anchors.extend(strides.into_iter().map(|stride| anchor(map.first + stride, Grows::Up)));
            }
            anchors.push(anchor(map.last(), Grows::Down));
            if anchors.iter().all(|a| a.address != 0) {
                anchors.insert(2.min(anchors.len()), anchor(0, Grows::Not));
            }
        }
        anchors
    }

    /// What lies in the windows.
    fn gather(&self, windows: &[Range<i128>]) -> Gathered {
        let most = 2 * self.room + 2;
        let mut complete = true;
        let mut touched = Vec::new();
        let mut cells: BTreeMap<(i128, i128), Held> = BTreeMap::new();
        if let Some(map) = self.active {
            for window in windows {
                let found = map.touching(window, STEPS, most);
                complete &= found.complete;
                let first = Spot { address: map.first, index: map.first_index().to_vec() };
                let first = Some(first).filter(|_| window.contains(&map.first));
                for spot in found.spots.into_iter().chain(first) {
                    let bytes = (spot.address, spot.address + map.width);
                    touched.push(bytes);
                    cells.entry(bytes).or_default().hold(spot);
                }
            }
        }
        if let Some(map) = self.ground {
            // Items of the ground that an active item covers in part are not cells; all active ones are as wide.
            let reach = self.active.map_or(0, |active| active.width);
            let mut around: BTreeMap<(i128, i128), Held> = BTreeMap::new();
            for window in windows {
                let found = map.touching(window, STEPS, most);
                complete &= found.complete;
                for spot in found.spots {
                    let bytes = (spot.address, spot.address + map.width);
                    touched.push(bytes);
                    let met = (bytes.0 - reach + 1, i128::MIN)..(bytes.1, i128::MIN);
                    if let Some(held) = cells.get_mut(&bytes) {
                        held.ground.get_or_insert(spot);
                    } else if cells.range(met).next().is_none() {
                        around.insert(bytes, Held { ground: Some(spot), ..Held::default() });
                    }
                }
            }
            cells.append(&mut around);
        }
        if cells.len() > most {
            // Only overlapping items can be so many. Keep those around the first one.
            let first = self.maps().next().map_or(0, |map| map.first);
            let mut starts: Vec<_> = cells.keys().copied().collect();
            starts.sort_by_key(|(start, _)| (start - first).abs());
            for start in &starts[most..] {
                cells.remove(start);
            }
            complete = false;
        }
        Gathered { windows: windows.to_vec(), cells, touched, complete }
    }

    /// Gives everything gathered its place.
    fn lay_out(&self, gathered: &Gathered, least: usize) -> Strip {
        let mut strip = Strip { items: Vec::new(), runs: Vec::new(), lanes: 1, length: 0, crowded: false };
        let mut lane_ends: Vec<i128> = Vec::new();
        for (&(start, end), held) in &gathered.cells {
            if start == end {
                continue;
            }
            let lane = lane_ends.iter().position(|&lane_end| lane_end <= start).unwrap_or(lane_ends.len());
            let lanes = if self.direction == Direction::Across { LANES } else { 1 };
            if lane >= lanes {
                strip.crowded = true;
                continue;
            }
            if lane == lane_ends.len() {
                lane_ends.push(end);
            }
            lane_ends[lane] = end;
            let text = (self.text)(held);
            strip.items.push(Item { bytes: start..end, from: 0, to: 0, lane, held: held.clone(), text });
        }
        strip.lanes = lane_ends.len().max(1);
        strip.runs = self.runs(gathered, &strip.items);
        strip.length = self.measure(&mut strip.runs, &strip.items, least);
        for item in &mut strip.items {
            let inside: Vec<_> = strip.runs.iter().filter(|run| covers(&item.bytes, &run.bytes)).collect();
            item.from = inside.first().map_or(0, |run| run.from);
            item.to = inside.last().map_or(0, |run| run.to);
        }
        strip
    }

    /// Cuts the windows, and what lies between them, at every place where the use changes.
    fn runs(&self, gathered: &Gathered, items: &[Item]) -> Vec<Run> {
        let mut stretches = gathered.windows.clone();
        stretches.extend(items.iter().map(|item| item.bytes.clone()));
        let mut runs: Vec<Run> = Vec::new();
        let mut push = |bytes: Range<i128>, used: Use| match runs.last_mut() {
            _ if bytes.is_empty() => {}
            Some(last) if last.used == used && used != Use::Items => last.bytes.end = bytes.end,
            _ => runs.push(Run { bytes, from: 0, to: 0, used, text: String::new() }),
        };
        let mut before: Option<i128> = None;
        for window in merged(stretches, 0) {
            if let Some(before) = before {
                push(before..window.start, self.between(before..window.start));
            }
            let mut cuts: Vec<i128> = items
                .iter()
                .flat_map(|item| [item.bytes.start, item.bytes.end])
                .chain([window.start, window.end, 0])
                .chain(self.block)
                .filter(|cut| window.start <= *cut && *cut <= window.end)
                .collect();
            cuts.sort_unstable();
            cuts.dedup();
            for cut in cuts.windows(2) {
                let bytes = cut[0]..cut[1];
                let touches = |&(start, end): &(i128, i128)| start < bytes.end && bytes.start < end;
                let used = if items.iter().any(|item| covers(&item.bytes, &bytes)) {
                    Use::Items
                } else if !gathered.complete {
                    Use::Elided
                } else if gathered.touched.iter().any(touches) {
                    Use::Ground
                } else {
                    Use::Nothing
                };
                push(bytes, used);
            }
            before = Some(window.end);
        }
        let hull = self.hull();
        if let (Some(first), Some(last)) = (runs.first(), runs.last()) {
            let (low, high) = (hull.start..first.bytes.start, last.bytes.end..hull.end);
            let run = |bytes: Range<i128>| {
                let used = self.between(bytes.clone());
                Run { bytes, from: 0, to: 0, used, text: String::new() }
            };
            if !low.is_empty() {
                runs.insert(0, run(low));
            }
            if !high.is_empty() {
                runs.push(run(high));
            }
        }
        runs
    }

    /// The use of the bytes between two windows: nothing, if that is certain.
    fn between(&self, bytes: Range<i128>) -> Use {
        let certain = self.maps().all(|map| {
            let found = map.touching(&bytes, STEPS, 0);
            found.complete && found.spots.is_empty()
        });
        if certain { Use::Nothing } else { Use::Elided }
    }

    /// Gives every run its place, and answers with the length of the whole.
    fn measure(&self, runs: &mut [Run], items: &[Item], least: usize) -> usize {
        let own = |item: &Item| (width(&item.text).max(self.longest) + 3).max(least);
        let need = items.iter().map(own).max().unwrap_or(least);
        // A strip drawn whole has items of one width, one with windows has no room for that.
        let need_of = |item: &Item| if least > NARROW { need } else { own(item) };
        let bytes_an_item = self.maps().map(|map| map.width).max().unwrap_or(1).max(1);
        let mut at = 0;
        let ends = [0, runs.len().max(1) - 1];
        for (nth, run) in runs.iter_mut().enumerate() {
            let bytes = run.bytes.end - run.bytes.start;
            let length = match run.used {
                _ if self.direction == Direction::Down => 2,
                Use::Items => {
                    // An item over several runs gets its room from all of them together.
                    let parts = items.iter().filter(|item| covers(&item.bytes, &run.bytes));
                    let share = parts.map(|item| need_of(item).div_ceil(cuts_in(items, &item.bytes))).max();
                    share.unwrap_or(need).max(2)
                }
                Use::Elided => {
                    run.text = if ends.contains(&nth) { "⋯".into() } else { format!("⋯ {bytes} ⋯") };
                    width(&run.text) + 3
                }
                Use::Ground | Use::Nothing => {
                    let natural = bytes.saturating_mul(need as i128) / bytes_an_item;
                    if natural <= 2 * need as i128 {
                        (natural as usize).max(3)
                    } else {
                        run.text = format!("{bytes}");
                        (width(&run.text) + 5).max(need + need / 2)
                    }
                }
            };
            (run.from, run.to) = (at, at + length);
            at += length;
        }
        at
    }
}

/// Into how many runs the items' edges cut these bytes.
fn cuts_in(items: &[Item], bytes: &Range<i128>) -> usize {
    let mut cuts: Vec<i128> = items
        .iter()
        .flat_map(|item| [item.bytes.start, item.bytes.end])
        .chain([0])
        .filter(|cut| bytes.start < *cut && *cut < bytes.end)
        .collect();
    cuts.sort_unstable();
    cuts.dedup();
    cuts.len() + 1
}

fn covers(outer: &Range<i128>, inner: &Range<i128>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

/// Stretches with no more than `slack` bytes between them made one; in order.
fn merged(mut stretches: Vec<Range<i128>>, slack: i128) -> Vec<Range<i128>> {
    stretches.sort_by_key(|stretch| stretch.start);
    let mut out: Vec<Range<i128>> = Vec::new();
    for stretch in stretches {
        match out.last_mut() {
            Some(last) if stretch.start <= last.end + slack => last.end = last.end.max(stretch.end),
            _ => out.push(stretch),
        }
    }
    out
}

/// What the windows hold.
struct Gathered {
    windows: Vec<Range<i128>>,
    /// By first byte and one past the last.
    cells: BTreeMap<(i128, i128), Held>,
    /// The bytes of every item met, drawn or not.
    touched: Vec<(i128, i128)>,
    /// False where there may be items that were not met.
    complete: bool,
}

#[derive(Clone, Copy)]
enum Grows {
    Up,
    Down,
    Not,
}

struct Anchor {
    address: i128,
    /// Bytes from one item to the next that is worth showing.
    step: i128,
    width: i128,
    grows: Grows,
}

impl Anchor {
    fn window(&self, reach: i128, hull: &Range<i128>) -> Range<i128> {
        let more = (reach - 1) * self.step;
        let (start, end) = match self.grows {
            Grows::Up => (self.address, self.address + self.width + more),
            Grows::Down => (self.address - more, self.address + self.width),
            Grows::Not => (self.address, self.address + self.width),
        };
        start.max(hull.start)..end.min(hull.end)
    }
}
