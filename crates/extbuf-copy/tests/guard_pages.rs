//! No kernel reads or writes a byte beyond what its layouts reach: both sides lie at the edges of pages that nobody may
//! touch, so that one byte too far ends the test.
//!
//! Blocks begin or end at such a page, and so does every row: between two rows lie pages that are closed. Every level of
//! this machine runs, through the cache and past it, whole and in parts. What was written is compared with the equation, and
//! what lies between the items with the poison that was there.

#![cfg(target_os = "linux")]
#![allow(unsafe_code)]

use std::ops::ControlFlow;

use extbuf_copy::{CopyOptions, Level, Mode, Plan, Threads, ViewPlan};
use extbuf_format::Format;
use extbuf_layout::{Layout, LayoutSpec, LevelSpec, Order};

const PAGE: usize = 4096;
const POISON: u8 = 0xEE;

/// Open pages of a block.
const BLOCK: usize = 12;

/// Pages of which some may be read and written, in front of and behind each stretch of them one that may not.
struct Pages {
    start: *mut u8,
    bytes: usize,
    open: Vec<std::ops::Range<usize>>,
}

impl Pages {
    /// So many stretches of so many open pages.
    fn new(stretches: usize, each: usize) -> Pages {
        let bytes = (stretches * (each + 1) + 1) * PAGE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: a new mapping, where the system likes it.
        let start = unsafe { libc::mmap(std::ptr::null_mut(), bytes, libc::PROT_NONE, flags, -1, 0) };
        assert_ne!(start, libc::MAP_FAILED);
        let open: Vec<_> = (0..stretches)
            .map(|k| (k * (each + 1) + 1) * PAGE)
            .map(|start| start..start + each * PAGE)
            .collect();
        let pages = Pages { start: start.cast(), bytes, open };
        for stretch in &pages.open {
            let (at, rights) = (pages.start.wrapping_add(stretch.start), libc::PROT_READ | libc::PROT_WRITE);
            // SAFETY: whole pages of the mapping above.
            assert_eq!(unsafe { libc::mprotect(at.cast(), stretch.len(), rights) }, 0);
        }
        pages
    }

    /// Bytes from one stretch to the next.
    fn pitch(&self) -> usize {
        self.open[0].len() + PAGE
    }

    /// The bytes of a stretch.
    fn stretch(&mut self, k: usize) -> &mut [u8] {
        let std::ops::Range { start, end } = self.open[k].clone();
        // SAFETY: open pages of the mapping, zero until somebody writes them, and `self` is borrowed.
        unsafe { std::slice::from_raw_parts_mut(self.start.wrapping_add(start), end - start) }
    }

    fn fill(&mut self, mut byte: impl FnMut(usize) -> u8) {
        for k in 0..self.open.len() {
            let offset = self.open[k].start;
            self.stretch(k).iter_mut().enumerate().for_each(|(at, to)| *to = byte(offset + at));
        }
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: the mapping of `new`, once.
        unsafe { libc::munmap(self.start.cast(), self.bytes) };
    }
}

fn noise(at: usize) -> u8 {
    (at.wrapping_mul(0x9E37_79B9) >> 11) as u8
}

/// A small generator: tests that are the same each time.
struct Draw(u64);

impl Draw {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

/// Where the lowest byte of a layout must lie for it to touch the one end or the other of its pages.
fn edge(pages: &Pages, layout: &Layout, high: bool) -> *mut u8 {
    let reached = layout.extent(0);
    let open = pages.open.first().unwrap().start..pages.open.last().unwrap().end;
    let offset = if high { open.end as isize - reached.end } else { open.start as isize - reached.start };
    pages.start.wrapping_offset(offset)
}

/// Each index of a shape in C order.
fn indices(shape: &[usize]) -> impl Iterator<Item = Vec<usize>> + '_ {
    (0..shape.iter().product()).map(move |mut number: usize| {
        let mut index = vec![0; shape.len()];
        for (k, &extent) in index.iter_mut().zip(shape).rev() {
            (*k, number) = (number % extent, number / extent);
        }
        index
    })
}

fn place(layout: &Layout, index: &[usize]) -> isize {
    layout.offset(0) + layout.strides(0).iter().zip(index).map(|(s, &k)| s * k as isize).sum::<isize>()
}

fn levels() -> impl Iterator<Item = Level> {
    Level::ALL.into_iter().filter(|&level| level <= Level::of_this_machine())
}

/// Runs the copy between two direct layouts in every way, with both bases where they are given.
fn every_way((to, dst): (&mut Pages, &Layout), (from, src): (&Pages, &Layout), high: (bool, bool)) {
    let (dst_base, src_base) = (edge(to, dst, high.0), edge(from, src, high.1));
    let offset = |pages: &Pages, base: *mut u8, place: isize| {
        (base.wrapping_offset(place).addr() - pages.start.addr(), dst.itemsize())
    };
    let mut written: Vec<(usize, usize)> = indices(dst.shape())
        .map(|index| {
            let (d, size) = offset(to, dst_base, place(dst, &index));
            (d, offset(from, src_base, place(src, &index)).0 << 8 | size)
        })
        .collect();
    written.sort_unstable();
    let check = |to: &mut Pages, what: &dyn Fn() -> String| {
        let (mut next, mut at) = (written.iter().peekable(), 0);
        for k in 0..to.open.len() {
            let first = to.open[k].start;
            for (n, byte) in to.stretch(k).iter_mut().enumerate() {
                at = at.max(first + n);
                while next.peek().is_some_and(|(d, packed)| d + (packed & 0xFF) <= at) {
                    next.next();
                }
                let expected = match next.peek() {
                    Some(&&(d, packed)) if d <= at => noise((packed >> 8) + at - d),
                    _ => POISON,
                };
                assert!(*byte == expected, "byte {at}: {byte} for {expected}\n{}", what());
                *byte = POISON;
            }
        }
    };
    for level in levels() {
        for streams in [false, true] {
            for parts in [1, 3] {
                let plan = Plan::new(dst, src).unwrap().at_level(level).streaming(streams).with_parts(parts);
                for part in 0..plan.parts() {
                    // SAFETY: both layouts lie in their pages, which are apart.
                    unsafe { plan.run_part(dst_base, src_base, part) };
                }
                let what = |way: &str| {
                    format!("{way}, {level}, streams {streams}, {high:?}\n{plan}\n{dst:?}\n{src:?}")
                };
                check(to, &|| what("part by part"));
                // SAFETY: as above.
                unsafe { plan.run(dst_base, src_base) };
                check(to, &|| what("whole"));
            }
        }
        // And the ways of small copies.
        let options = CopyOptions { level, threads: Threads::ONE, ..CopyOptions::default() };
        // SAFETY: as above.
        unsafe { options.copy_raw((dst, dst_base), (src, src_base)) }.unwrap();
        check(to, &|| format!("{level}, at once, {high:?}\n{dst:?}\n{src:?}"));
    }
}

const ITEMS: [usize; 17] = [1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 33, 64, 100, 130];

/// A layout of these items: axes in any order, some backwards, some with gaps; of a source some that stand still.
fn drawn(draw: &mut Draw, shape: &[usize], itemsize: usize, source: bool) -> Layout {
    let mut order: Vec<usize> = (0..shape.len()).collect();
    for k in (1..order.len()).rev() {
        order.swap(k, draw.below(k + 1));
    }
    let (mut strides, mut step) = (vec![0isize; shape.len()], itemsize);
    for axis in order {
        step += if draw.below(4) == 0 { draw.below(9) } else { 0 };
        step *= if draw.below(6) == 0 { 2 } else { 1 };
        strides[axis] = if draw.below(5) == 0 { -(step as isize) } else { step as isize };
        step *= shape[axis];
        if source && draw.below(12) == 0 {
            strides[axis] = 0;
        }
    }
    Layout::strided(itemsize, shape, &strides, 0).unwrap()
}

#[test]
fn blocks_of_any_layout_at_the_edge_of_their_pages() {
    let (mut to, mut from) = (Pages::new(1, BLOCK), Pages::new(1, BLOCK));
    to.fill(|_| POISON);
    from.fill(noise);
    let mut draw = Draw(1);
    let mut done = 0;
    while done < 80 {
        let itemsize = draw.of(&ITEMS);
        let axes = draw.of(&[1, 1, 2, 2, 2, 3, 3, 4, 6]);
        let most = [0, 2000, 70, 20, 9, 6, 4][axes];
        let shape: Vec<usize> = (0..axes).map(|_| 1 + draw.below(most)).collect();
        let dst = drawn(&mut draw, &shape, itemsize, false);
        let src = drawn(&mut draw, &shape, itemsize, true);
        let fits = |layout: &Layout| layout.extent(0).len() <= BLOCK * PAGE;
        if !fits(&dst) || !fits(&src) || shape.iter().product::<usize>() > 6000 {
            continue;
        }
        done += 1;
        let high = (draw.below(2) == 0, draw.below(2) == 0);
        every_way((&mut to, &dst), (&from, &src), high);
    }
}

/// Copies that are one function: of few bytes, in up to eight axes.
#[test]
fn small_blocks_at_the_edge_of_their_pages() {
    let (mut to, mut from) = (Pages::new(1, 2), Pages::new(1, 2));
    to.fill(|_| POISON);
    from.fill(noise);
    // Squares and their like, turned over: forms of their own.
    for itemsize in [1, 2, 4, 8, 16] {
        for shape in [[4, 4], [8, 4], [4, 8], [8, 8], [12, 8], [16, 4], [3, 4], [5, 5], [11, 11]] {
            let turned = |order| Layout::contiguous(itemsize, &shape, order).unwrap();
            for high in [(false, true), (true, false)] {
                every_way((&mut to, &turned(Order::C)), (&from, &turned(Order::F)), high);
            }
        }
    }
    let mut draw = Draw(5);
    let mut done = 0;
    while done < 150 {
        let itemsize = draw.of(&ITEMS);
        let axes = draw.below(9);
        let most = [1, 120, 12, 6, 4, 3, 2, 2, 2][axes];
        let shape: Vec<usize> = (0..axes).map(|_| 1 + draw.below(most)).collect();
        let dst = drawn(&mut draw, &shape, itemsize, false);
        let src = drawn(&mut draw, &shape, itemsize, true);
        if dst.extent(0).len() > 2 * PAGE || src.extent(0).len() > 2 * PAGE {
            continue;
        }
        done += 1;
        for high in [(false, true), (true, false)] {
            every_way((&mut to, &dst), (&from, &src), high);
        }
    }
}

/// Pictures: channels, crops, steps and turns of rows that each end, or begin, at a closed page.
#[test]
fn rows_between_closed_pages() {
    const ROWS: usize = 50;
    let (mut to, mut from) = (Pages::new(ROWS, 1), Pages::new(ROWS, 1));
    to.fill(|_| POISON);
    from.fill(noise);
    let pitch = to.pitch() as isize;
    let mut draw = Draw(2);
    for _ in 0..30 {
        let itemsize = draw.of(&ITEMS);
        let n = itemsize as isize;
        let most = PAGE / itemsize;
        let (rows, channels) = (2 + draw.below(ROWS - 1), draw.of(&[1, 1, 1, 2, 3, 4, 5]));
        let columns = 2 + draw.below((most / channels).clamp(3, 400) - 2);
        // Along a row: dense, backwards, with gaps, channels together or apart.
        let line = |draw: &mut Draw| {
            let gap = if draw.below(3) == 0 { draw.below(5) as isize } else { 0 };
            let (px, ch) = match draw.below(3) {
                0 => (channels as isize * n + gap, n),
                1 => (channels as isize * n + gap, -n),
                _ => (n, columns as isize * n + gap),
            };
            if draw.below(4) == 0 { (-px, ch) } else { (px, ch) }
        };
        let ((dst_px, dst_ch), (src_px, src_ch)) = (line(&mut draw), line(&mut draw));
        // Which axis selects the row: of the destination and of the source may be different ones.
        let turned = channels == 1 && columns <= ROWS && rows <= most && draw.below(2) == 0;
        let shape = [rows, columns, channels];
        let dst = Layout::strided(itemsize, &shape, &[pitch, dst_px, dst_ch], 0).unwrap();
        let src = match turned {
            true => [draw.of(&[n, -n]), pitch, 0],
            false => [draw.of(&[pitch, pitch, -pitch]), src_px, src_ch],
        };
        let src = Layout::strided(itemsize, &shape, &src, 0).unwrap();
        // The rows of a layout lie as far from its ends as all others do: what touches the page does so in every row.
        let row = |layout: &Layout| {
            layout.extent(0).len() - (layout.extent(0).len() / pitch as usize) * pitch as usize
        };
        if row(&dst) > PAGE || row(&src) > PAGE {
            continue;
        }
        let high = (draw.below(2) == 0, draw.below(2) == 0);
        every_way((&mut to, &dst), (&from, &src), high);
    }
}

/// Two to four channels pulled apart, put side by side and exchanged: each plane at an end of its own page.
#[test]
fn planes_between_closed_pages() {
    let (mut to, mut from) = (Pages::new(4, 1), Pages::new(4, 1));
    to.fill(|_| POISON);
    from.fill(noise);
    let pitch = to.pitch() as isize;
    for (number, itemsize) in [1, 2, 3, 4, 8].into_iter().enumerate() {
        for channels in [2, 3, 4] {
            for pixels in [2, 15, 17, 32, 33, 64, 101] {
                let n = itemsize as isize;
                let (pixel, shape) = (n * channels as isize, [pixels, channels]);
                let layout = |strides: [isize; 2]| Layout::strided(itemsize, &shape, &strides, 0).unwrap();
                let (planes, together, back) = (layout([n, pitch]), layout([pixel, n]), layout([pixel, -n]));
                let high = (number % 2 == 0, pixels % 2 == 0);
                for (dst, src) in [(&planes, &together), (&together, &planes), (&together, &back)] {
                    every_way((&mut to, dst), (&from, src), high);
                }
            }
        }
    }
}

/// Runs the copy past the cache on each level, from these bases, whole and in two parts.
fn past_the_cache(
    (to, dst): (&mut Pages, &Layout),
    (from, src): (&Pages, &Layout),
    bases: (*mut u8, *mut u8),
) {
    let mut expected = vec![POISON; to.bytes];
    for index in indices(dst.shape()) {
        let at =
            |pages: &Pages, base: *mut u8, place| base.wrapping_offset(place).addr() - pages.start.addr();
        let (d, s) = (at(to, bases.0, place(dst, &index)), at(from, bases.1, place(src, &index)));
        (0..dst.itemsize()).for_each(|k| expected[d + k] = noise(s + k));
    }
    for (level, parts) in levels().skip(1).flat_map(|level| [(level, 1), (level, 2)]) {
        let plan = Plan::new(dst, src).unwrap().at_level(level).streaming(true).with_parts(parts);
        // SAFETY: both layouts lie in their pages, which are apart.
        (0..plan.parts()).for_each(|part| unsafe { plan.run_part(bases.0, bases.1, part) });
        for k in 0..to.open.len() {
            let open = to.open[k].clone();
            let same = *to.stretch(k) == expected[open];
            assert!(same, "{level}, {parts} parts, stretch {k}\n{plan}\n{dst:?}\n{src:?}");
            to.stretch(k).fill(POISON);
        }
    }
}

/// The places of a layout in its pages: at either end, and some bytes from it, where lines of the destination begin elsewhere.
fn places(pages: &Pages, layout: &Layout, itemsize: usize) -> [*mut u8; 4] {
    let (low, high) = (edge(pages, layout, false), edge(pages, layout, true));
    [low, low.wrapping_add(itemsize), low.wrapping_add(1), high]
}

/// Channels in rows so long that they go past the cache straight from registers, each plane at an end of its own pages.
#[test]
fn long_planes_past_the_cache_between_closed_pages() {
    let pages = || [Pages::new(4, 3), Pages::new(1, 10)];
    let (mut to, mut from) = (pages(), pages());
    to.iter_mut().for_each(|to| to.fill(|_| POISON));
    from.iter_mut().for_each(|from| from.fill(noise));
    let pitch = to[0].pitch() as isize;
    for itemsize in [1, 2, 4, 8, 16] {
        for channels in [2, 3, 4] {
            let n = itemsize as isize;
            let pixel = n * channels as isize;
            for kind in 0..3 {
                // Two rows, of which the second begins at another place in a line.
                let long = if kind == 0 { n } else { pixel };
                let pixels = (4096 + 160) / long as usize + 1;
                let shape = [2, pixels, channels];
                let layout = |row: isize, px: isize, ch: isize| {
                    let row = row * pixels as isize + n;
                    Layout::strided(itemsize, &shape, &[row, px, ch], 0).unwrap()
                };
                let (planes, together) = (layout(n, n, pitch), layout(pixel, pixel, n));
                let (dst, src, to, from) = match kind {
                    0 => (planes, together, &mut to[0], &from[1]),
                    1 => (together, planes, &mut to[1], &from[0]),
                    _ => (together, layout(pixel, pixel, -n), &mut to[1], &from[1]),
                };
                for (number, begin) in places(to, &dst, itemsize).into_iter().enumerate() {
                    let bases = (begin, edge(from, &src, number % 2 == 0));
                    past_the_cache((to, &dst), (from, &src), bases);
                }
            }
        }
    }
}

/// Long rows of items that the source has in the other order or at any distance, and those that the destination has apart.
#[test]
fn long_rows_past_the_cache_between_closed_pages() {
    let (mut to, mut from) = (Pages::new(1, 40), Pages::new(1, 40));
    to.fill(|_| POISON);
    from.fill(noise);
    for itemsize in [1, 2, 4, 8, 16] {
        let n = itemsize as isize;
        for step in [-n, 2 * n, -3 * n, 2 * n + 1, -70 - n] {
            let shape = [2, if n < 4 && step.abs() > 64 { 1030 } else { (4096 / itemsize + 13).max(525) }];
            let rows = |step: isize| {
                let row = step.abs() * shape[1] as isize + n;
                Layout::strided(itemsize, &shape, &[row, step], 0).unwrap()
            };
            let (dense, apart) = (rows(n), rows(step));
            if apart.extent(0).len() > 40 * PAGE {
                continue;
            }
            for (dst, src) in [(&dense, &apart), (&apart, &dense)] {
                for (number, begin) in places(&to, dst, itemsize).into_iter().enumerate() {
                    let bases = (begin, edge(&from, src, number % 2 == 0));
                    past_the_cache((&mut to, dst), (&from, src), bases);
                }
            }
        }
    }
}

/// What lies between items is neither read nor written: each ends, or begins, at a closed page.
#[test]
fn items_past_the_cache_between_closed_pages() {
    const ITEMS: usize = 1030;
    let (mut apart, mut dense) = (Pages::new(ITEMS, 1), Pages::new(1, 5));
    let pitch = apart.pitch() as isize;
    for (itemsize, back) in [1, 2, 4, 8, 16].into_iter().flat_map(|size| [(size, false), (size, true)]) {
        let extent = if itemsize > 4 { 520 } else { ITEMS };
        let of = |step: isize| Layout::strided(itemsize, &[extent], &[step], 0).unwrap();
        let (together, paged) = (of(itemsize as isize), of(if back { -pitch } else { pitch }));
        let first = if back { 0 } else { PAGE - itemsize };
        // The first page lies lowest, whichever way the items are counted.
        let lowest = apart.start.wrapping_add(PAGE + first);
        let begin = lowest.wrapping_offset(if back { pitch * (extent as isize - 1) } else { 0 });
        let page = |k: usize| if back { extent - 1 - k } else { k };
        let base = edge(&dense, &together, back);
        let start = base.addr() - dense.start.addr() - PAGE;
        for level in levels() {
            let run = |(dst, to), (src, from): (&Layout, *mut u8)| {
                let plan = Plan::new(dst, src).unwrap().at_level(level).streaming(true).with_parts(1);
                // SAFETY: the items lie in open pages on either side.
                unsafe { plan.run(to, from) };
            };
            let item = |k: usize| -> Vec<u8> { (0..itemsize).map(|b| noise(k * itemsize + b)).collect() };
            for k in 0..extent {
                apart.stretch(page(k))[first..first + itemsize].copy_from_slice(&item(k));
            }
            run((&together, base), (&paged, begin));
            let moved = &dense.stretch(0)[start..start + extent * itemsize];
            assert!(moved.chunks(itemsize).enumerate().all(|(k, moved)| *moved == item(k)), "{level}");
            (0..extent).for_each(|k| apart.stretch(page(k)).fill(0));
            run((&paged, begin), (&together, base));
            for k in 0..extent {
                let mut expected = [0; PAGE];
                expected[first..first + itemsize].copy_from_slice(&item(k));
                assert!(*apart.stretch(page(k)) == expected, "{level}, items of {itemsize} bytes, item {k}");
                apart.stretch(page(k)).fill(0);
            }
            dense.fill(|_| 0);
        }
    }
}

/// Transposes of long rows, and so few of them on the other side that a register barely fits.
#[test]
fn long_transposes_past_the_cache_at_the_edge_of_their_pages() {
    let (mut to, mut from) = (Pages::new(1, BLOCK), Pages::new(1, BLOCK));
    to.fill(|_| POISON);
    from.fill(noise);
    for itemsize in [1, 2, 4, 8, 16] {
        let shape = [16 / itemsize + 4, 2048 / itemsize + 3];
        let dst = Layout::contiguous(itemsize, &shape, Order::C).unwrap();
        let src = Layout::contiguous(itemsize, &shape, Order::F).unwrap();
        let begins = places(&to, &dst, itemsize);
        for (number, begin) in begins.into_iter().enumerate() {
            let bases = (begin, edge(&from, &src, number % 2 == 0));
            past_the_cache((&mut to, &dst), (&from, &src), bases);
        }
    }
}

/// Rows behind pointers, each at an end of its own page.
#[test]
fn rows_behind_pointers_between_closed_pages() {
    const ROWS: usize = 66;
    const POINTER: isize = size_of::<usize>() as isize;
    let (mut to, mut from) = (Pages::new(ROWS, 1), Pages::new(ROWS, 1));
    from.fill(noise);
    let pitch = to.pitch();
    let mut draw = Draw(3);
    for case in 0..18 {
        let itemsize = draw.of(&ITEMS);
        let (rows, columns) = (1 + draw.below(ROWS), 1 + draw.below((PAGE / itemsize).min(900)));
        let length = columns * itemsize;
        let high = (draw.below(2) == 0, draw.below(2) == 0);
        let begins = |pages: &Pages, high: bool| -> Vec<*mut u8> {
            let lead = if high { PAGE - length } else { 0 };
            (0..rows).map(|k| pages.start.wrapping_add(pages.open[0].start + k * pitch + lead)).collect()
        };
        let (to_rows, from_rows) = (begins(&to, high.0), begins(&from, high.1));
        let behind = |transposed: bool| {
            let (shape, table, row) = match transposed {
                false => ([rows, columns], [POINTER, 0], [0, itemsize as isize]),
                true => ([columns, rows], [0, POINTER], [itemsize as isize, 0]),
            };
            let shape = shape.map(|extent| extent as isize);
            let levels = [LevelSpec { offset: 0, strides: &table }, LevelSpec { offset: 0, strides: &row }];
            Layout::new(&LayoutSpec { itemsize, shape: &shape, levels: &levels }).unwrap()
        };
        // From rows to rows, from rows into a block as columns, and from a block into rows.
        let transposed = case % 3 == 1;
        let (indirect, shape) =
            (behind(transposed), if transposed { [columns, rows] } else { [rows, columns] });
        let dense = Layout::contiguous(itemsize, &shape, Order::C).unwrap();
        let mut block = Pages::new(1, (rows * length).div_ceil(PAGE));
        let block_base = edge(&block, &dense, high.0);
        for level in levels() {
            for streams in [false, true] {
                let run = |dst: &Layout, to: *mut u8, src: &Layout, from: *const u8| {
                    let plan = Plan::new(dst, src).unwrap().at_level(level).streaming(streams);
                    // SAFETY: the rows and the block hold what the layouts describe, and lie apart.
                    unsafe { plan.run(to, from) };
                };
                to.fill(|_| POISON);
                block.fill(|_| POISON);
                run(&indirect, to_rows.as_ptr().cast_mut().cast(), &indirect, from_rows.as_ptr().cast());
                run(&dense, block_base, &indirect, from_rows.as_ptr().cast());
                let item = |base: *mut u8, at: usize, k: usize| {
                    // SAFETY: a byte of an item in open pages.
                    unsafe { base.wrapping_add(at * itemsize + k).read() }
                };
                for (row, (&d, &s)) in to_rows.iter().zip(&from_rows).enumerate() {
                    for column in 0..columns {
                        let number = if transposed { column * rows + row } else { row * columns + column };
                        for k in 0..itemsize {
                            let expected = item(s, column, k);
                            assert_eq!(item(d, column, k), expected, "{level}, row {row}, column {column}");
                            assert_eq!(item(block_base, number, k), expected, "{level}, into a block");
                        }
                    }
                }
                run(&indirect, to_rows.as_ptr().cast_mut().cast(), &dense, block_base);
                assert_eq!(
                    item(to_rows[rows - 1], columns - 1, 0),
                    item(from_rows[rows - 1], columns - 1, 0)
                );
                let around = if high.0 { 0..PAGE - length } else { length..PAGE };
                for k in 0..rows {
                    assert!(to.stretch(k)[around.clone()].iter().all(|&byte| byte == POISON), "{level}");
                }
            }
        }
    }
}

/// Conversions, through every form of the lanes: numbers side by side, apart, turned over, and fields of records.
#[test]
fn conversions_at_the_edge_of_their_pages() {
    let (mut to, mut from) = (Pages::new(1, BLOCK), Pages::new(1, BLOCK));
    let formats = ["b", "B", "<h", ">H", "<i", ">I", "<q", ">Q", "<e", ">e", "<f", ">f", "<d", ">d", "?"];
    let records = ["<T{b:a:>f:b:(3)h:c:}", ">T{(3)q:c:d:a:<i:b:}", "<T{Zf:b:B:a:2x(3)e:c:}"];
    let parse = |text: &str| Format::parse(text).unwrap();
    let mut draw = Draw(4);
    let mut done = 0;
    while done < 60 {
        let texts: &[&str] = if draw.below(5) == 0 { &records } else { &formats };
        let (dst_format, src_format) = (parse(draw.of(texts)), parse(draw.of(texts)));
        let axes = draw.of(&[1, 1, 2, 3]);
        let shape: Vec<usize> = (0..axes).map(|_| 1 + draw.below([0, 1500, 40, 14][axes])).collect();
        let dst = drawn(&mut draw, &shape, dst_format.itemsize(), false);
        let src = drawn(&mut draw, &shape, src_format.itemsize(), true);
        if dst.extent(0).len() > BLOCK * PAGE || src.extent(0).len() > BLOCK * PAGE {
            continue;
        }
        done += 1;
        // Small numbers of either sign in every format.
        from.fill(|at| if at % 5 == 0 { noise(at) & 1 } else { 0 });
        for mode in [Mode::Wrapping, Mode::Saturating] {
            for high in [false, true] {
                let mut results: Vec<Vec<u8>> = Vec::new();
                for level in levels() {
                    to.fill(|_| POISON);
                    let hook = |_| ControlFlow::Continue(());
                    let options =
                        CopyOptions { level, mode, progress: Some(&hook), ..CopyOptions::default() };
                    let plan = ViewPlan::of((&dst, &dst_format), (&src, &src_format), options).unwrap();
                    let (dst_base, src_base) = (edge(&to, &dst, high), edge(&from, &src, !high));
                    // SAFETY: both layouts lie in their pages, which are apart.
                    unsafe { plan.run_raw(dst_base, src_base) }.unwrap();
                    results.push(to.stretch(0).to_vec());
                }
                assert!(results.iter().all(|result| *result == results[0]), "{dst_format} from {src_format}");
            }
        }
    }
}
