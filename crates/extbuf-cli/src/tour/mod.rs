//! `extbuf tour`: the whole idea at work, step by step, every number measured while it is printed.

mod picture;

use std::fmt::Display;
use std::hint::black_box;
use std::io::{self, BufWriter, StdoutLock, Write};
use std::time::{Duration, Instant};

use extbuf::copy::Plan;
use extbuf::layout::{Layout, Order};
use extbuf::protocol::{Exporter, Request, Rows, Window};
use extbuf::s;

use crate::args;
use crate::failure::{Failure, Result};
use crate::npy::tuple;
use crate::terminal;
use crate::units::{bytes, counted, grouped, rate, time};

/// The slice of the tour: rows, every second pixel, samples backwards.
const ROWS: std::ops::Range<usize> = 216..1944;
const PIXELS: (usize, usize) = (960, 2880);
const STEP: usize = 2;

pub(crate) fn run(args: &args::Tour) -> Result {
    let mut page = Page { out: BufWriter::new(io::stdout().lock()), args, steps: 0 };
    let mut image = draw(&mut page)?;
    let whole = export(&mut page, &image)?;
    let crop = slice(&mut page, &image, &whole)?;
    let planes = pass_on(&mut page, &image, whole, crop)?;
    reshape(&mut page, &mut image, &planes)?;
    let copied = copy(&mut page, &planes)?;
    check(&mut page, &planes, &copied)?;
    release(&mut page, &image, planes)?;
    Ok(page.out.flush()?)
}

/// Where the tour is printed.
struct Page<'a> {
    out: BufWriter<StdoutLock<'static>>,
    args: &'a args::Tour,
    steps: usize,
}

impl Page<'_> {
    fn step(&mut self, title: &str) -> Result {
        self.steps += 1;
        let gap = if self.steps > 1 { "\n" } else { "" };
        Ok(writeln!(self.out, "{gap}{}. {title}", self.steps)?)
    }

    fn line(&mut self, name: &str, value: impl Display) -> Result {
        let columns = self.columns();
        Ok(terminal::entry(&mut self.out, (4, columns), name, &value.to_string())?)
    }

    fn layout(&mut self, layout: &Layout) -> Result {
        self.line("shape", tuple(layout.shape()))?;
        for (name, value) in extbuf_draw::level_lines(layout) {
            self.line(&name, value)?;
        }
        Ok(())
    }

    fn columns(&self) -> usize {
        terminal::columns(&self.args.page)
    }
}

fn refused(error: impl Display) -> Failure {
    Failure::Run(format!("tour: {error}"))
}

fn timed<T>(f: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let value = f();
    (value, start.elapsed())
}

fn draw(page: &mut Page<'_>) -> Result<Rows<'static>> {
    page.step("A picture whose rows are separate allocations")?;
    let (rows, drawing) = timed(picture::draw);
    let gaps = rows.windows(2).map(|pair| pair[1].as_ptr().addr().abs_diff(pair[0].as_ptr().addr()));
    let (nearest, furthest) = gaps.fold((usize::MAX, 0), |(low, high), gap| (low.min(gap), high.max(gap)));
    let (count, row) = (rows.len(), rows[0].len());
    let (image, table) = timed(|| Rows::from_vecs(rows, &picture::SHAPE[1..]));
    let image = image.map_err(refused)?;
    let window = image.window(Request::FULL_RO).map_err(refused)?;
    let columns = (page.columns() - 8).min(96);
    write!(page.out, "{}", picture::thumbnail(&window.view(), columns).unwrap_or_default())?;
    page.line("drawn", format!("{} of {}, in {}", counted(count, "row"), bytes(row), time(drawing)))?;
    let [nearest, furthest] = [nearest, furthest].map(|gap| grouped(gap as u128));
    page.line(
        "in memory",
        format!("each an allocation; neighbours begin {nearest} to {furthest} bytes apart"),
    )?;
    let pointers = bytes(count * size_of::<usize>());
    page.line("exporter", format!("a table of {}, {pointers}", counted(count, "pointer")))?;
    page.line("cost", format!("{} to make the table; the rows stay where they are", time(table)))?;
    Ok(image)
}

fn export(page: &mut Page<'_>, image: &Rows<'static>) -> Result<Window<'static>> {
    page.step("Lent: no start address with one stride an axis describes this, one load does")?;
    let (window, took) = timed(|| image.window(Request::FULL_RO));
    let window = window.map_err(refused)?;
    page.layout(window.layout())?;
    page.line("PEP 3118", extbuf_draw::suboffsets_line(window.layout()))?;
    match image.export(Request::STRIDED_RO) {
        Err(refusal) => page.line("a request", format!("for strides alone is refused: {refusal}"))?,
        Ok(_) => return Err(refused("strides alone were said to describe this")),
    }
    page.line("live leases", image.live())?;
    page.line("cost", time(took))?;
    Ok(window)
}

fn slice(page: &mut Page<'_>, image: &Rows<'static>, whole: &Window<'static>) -> Result<Window<'static>> {
    let text = format!("[{}:{}, {}:{}:{STEP}, ::-1]", ROWS.start, ROWS.end, PIXELS.0, PIXELS.1);
    page.step(&format!("Sliced behind the load: {text}"))?;
    let cut = s![ROWS, PIXELS.0..PIXELS.1;STEP as isize, ..;-1];
    let crop = whole.slice(cut).map_err(refused)?;
    page.layout(crop.layout())?;
    page.line("PEP 3118", extbuf_draw::suboffsets_line(crop.layout()))?;

    // The same on a picture of four rows: the cost is one of axes and levels.
    let short = Rows::from_vecs(vec![vec![0u8; 4 * 3]; 4], &[4, 3]).map_err(refused)?;
    let short = short.window(Request::FULL_RO).map_err(refused)?;
    let cost = |layout: &Layout, cut: &[extbuf::layout::SliceItem]| {
        let each =
            |_| timed(|| (0..1000).for_each(|_| drop(black_box(black_box(layout).slice(cut))))).1 / 1000;
        (0..9).map(each).min().unwrap_or_default()
    };
    let (long, brief) =
        (cost(whole.layout(), &cut), cost(short.layout(), &s![1..3, 1..3;STEP as isize, ..;-1]));
    let rows = image.layout().shape()[0];
    let rows = counted(rows, "row");
    page.line("cost", format!("{} for {rows}; the like for 4 rows: {}", time(long), time(brief)))?;

    page.line("for example", "4 rows of 6 one-byte items, of which [1:3, 2:5] is kept:")?;
    let small = Rows::from_vecs(vec![vec![0u8; 6]; 4], &[6]).map_err(refused)?;
    let kept = small.layout().slice(s![1..3, 2..5]).map_err(refused)?;
    let mut options = terminal::text_options(&page.args.page);
    options.columns -= 4;
    let drawing = extbuf_draw::draw_layout(small.layout()).keeping(&kept).to_text(options);
    writeln!(page.out)?;
    for line in drawing.lines() {
        writeln!(page.out, "{}", format!("    {line}").trim_end())?;
    }
    Ok(crop)
}

fn pass_on(
    page: &mut Page<'_>,
    image: &Rows<'static>,
    whole: Window<'static>,
    crop: Window<'static>,
) -> Result<Window<'static>> {
    page.step("Lent on: the slice is an exporter too; its axes go to samples x rows x pixels")?;
    let (planes, took) = timed(|| crop.window(Request::FULL_RO)?.map(|view| view.permute(&[2, 0, 1])));
    let planes = planes.map_err(refused)?;
    page.layout(planes.layout())?;
    page.line("PEP 3118", extbuf_draw::suboffsets_line(planes.layout()))?;
    page.line(
        "live leases",
        format!("{}, shared by the windows that came one from the other", image.live()),
    )?;
    drop((whole, crop));
    page.line("then", format!("the two windows before it are dropped; live leases {}", image.live()))?;
    page.line("cost", time(took))?;
    Ok(planes)
}

fn reshape(page: &mut Page<'_>, image: &mut Rows<'static>, planes: &Window<'static>) -> Result {
    page.step("The exporter changes its shape while the window lives")?;
    let before = tuple(image.layout().shape());
    let (reshaped, took) = timed(|| image.reshape_rows(&[picture::SHAPE[1] * picture::SHAPE[2]]));
    reshaped.map_err(refused)?;
    page.line("exporter", format!("shape {before} is now {}", tuple(image.layout().shape())))?;
    page.line("window", format!("shape {}, as before: it keeps its own description", tuple(planes.shape())))?;
    match image.window(Request::FULL) {
        Err(refusal) => page.line("to write", format!("is refused: {refusal}"))?,
        Ok(_) => return Err(refused("memory that is being read was lent for writing")),
    }
    page.line("cost", time(took))
}

fn copy(page: &mut Page<'_>, planes: &Window<'static>) -> Result<Vec<u8>> {
    page.step("Made contiguous, in parallel")?;
    let view = planes.view();
    let destination = Layout::contiguous(view.itemsize(), view.shape(), Order::C).map_err(refused)?;
    let (plan, planning) = timed(|| Plan::new(&destination, view.layout()));
    let plan = plan.map_err(refused)?;
    page.line("plan", format!("in {}:", time(planning)))?;
    for line in plan.to_string().lines() {
        writeln!(page.out, "      {line}")?;
    }
    let on = |threads: usize| -> Result<(Vec<u8>, Duration)> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().map_err(refused)?;
        let mut best: Option<(Vec<u8>, Duration)> = None;
        for _ in 0..3 {
            let (copied, took) = timed(|| pool.install(|| extbuf::copy::to_vec(&view, Order::C)));
            let copied = copied.map_err(refused)?;
            if best.as_ref().is_none_or(|(_, fastest)| took < *fastest) {
                best = Some((copied, took));
            }
        }
        best.ok_or_else(|| refused("no copy was made"))
    };
    let all = std::thread::available_parallelism().map_or(1, usize::from);
    let (mut copied, took) = on(1)?;
    let cost = |copied: &[u8], took| {
        format!("{} in {}, {} (the best of 3)", bytes(copied.len()), time(took), rate(copied.len(), took))
    };
    page.line("1 thread", cost(&copied, took))?;
    if all > 1 {
        let (again, took) = on(all)?;
        let threads = counted(all, "thread");
        page.line(&threads, cost(&again, took))?;
        copied = again;
    }
    Ok(copied)
}

fn check(page: &mut Page<'_>, planes: &Window<'static>, copied: &[u8]) -> Result {
    page.step("Checked the slow way: the drawing is asked again for every sample")?;
    let [samples, rows, pixels] =
        <[usize; 3]>::try_from(planes.shape()).map_err(|_| refused("another shape"))?;
    let (equal, took) = timed(|| {
        let mut found = copied.iter();
        let mut equal = 0usize;
        for c in 0..samples {
            for y in 0..rows {
                for x in 0..pixels {
                    let expected = picture::sample(ROWS.start + y, PIXELS.0 + x * STEP, samples - 1 - c);
                    equal += usize::from(found.next() == Some(&expected));
                }
            }
        }
        equal
    });
    let [equal_text, total] = [equal, copied.len()].map(|count| grouped(count as u128));
    if equal != copied.len() || copied.len() != samples * rows * pixels {
        return Err(refused(format!("{equal_text} of {total} bytes are what was drawn")));
    }
    page.line("compared", format!("every byte equal: {equal_text} of {total}"))?;
    page.line("cost", time(took))
}

fn release(page: &mut Page<'_>, image: &Rows<'static>, planes: Window<'static>) -> Result {
    page.step("The last window is dropped, and the memory is the exporter's again")?;
    let ((), took) = timed(|| drop(planes));
    page.line("live leases", image.live())?;
    let mut window = image.window(Request::FULL).map_err(refused)?;
    let shape = tuple(window.view_mut().map_err(refused)?.shape());
    page.line("to write", format!("is granted: shape {shape}"))?;
    page.line("cost", time(took))
}
