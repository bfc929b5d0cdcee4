//! `extbuf copy`: a view of a file becomes a file of its own, its items contiguous.
//!
//! The view is walked in slabs along its slowest axis, so that a file larger than memory can be copied: each slab is
//! copied into one buffer, and the buffer goes to the output. A view that fits in one slab is one copy.

use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use extbuf::copy::{CopyOptions, Kernel, Plan};
use extbuf::layout::{Layout, Order};
use extbuf::protocol::View;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::args::{self, Kind};
use crate::failure::{Failure, Result, name, one_line};
use crate::npy;
use crate::png;
use crate::source::{self, Source};
use crate::target::Target;
use crate::units::{bytes, counted, rate, time};

/// Bytes of a slab, at most, unless one item is larger. Small enough that the allocator hands out the same memory again:
/// 640 MB copied on two threads in slabs of 16 MiB take 0.4 s, in slabs of 64 MiB, each fresh from the system, 1.2 s.
const SLAB: usize = 16 << 20;

/// The same where compressing takes longer than copying, so that progress shows.
const SLAB_OF_PIXELS: usize = 4 << 20;

/// Work that is over before this needs no progress bar.
const LONG: Duration = Duration::from_millis(400);

pub(crate) fn run(args: &args::Copy) -> Result {
    let order = args.order.into();
    let kind = kind_of(args)?;
    let source = source::open(&args.input)?;
    let fail = |what: String| Failure::Run(format!("{}: {what}", source.title));
    let view = permuted(source.window.view(), args.axes.as_deref()).map_err(fail)?;
    if view.format().has_objects() {
        return Err(fail(format!("items of format '{}' refer to objects of another process", view.format())));
    }
    let head = Head::new(kind, &view, order).map_err(fail)?;
    let plan = plan(&view, order).map_err(fail)?;
    let pool = pool(args.threads)?;

    let mut target = Target::create(&args.output)?;
    // What goes to the user must not mix with what goes to the output.
    let mut say: Box<dyn Write> =
        if target.is_straight() { Box::new(io::stderr()) } else { Box::new(io::stdout()) };
    if args.plan {
        writeln!(say, "plan: {plan}")?;
    }
    let done = pool.install(|| write(&view, order, &head, &mut target))?;
    target.commit()?;
    summary(&mut *say, &source, &args.output, &view, (order, kind), &done)
}

fn kind_of(args: &args::Copy) -> Result<Kind> {
    let ending = args.output.extension().map(|ending| ending.to_ascii_lowercase());
    match (args.to, ending.as_ref().and_then(|ending| ending.to_str())) {
        (Some(kind), _) => Ok(kind),
        (None, Some("npy")) => Ok(Kind::Npy),
        (None, Some("png")) => Ok(Kind::Png),
        (None, Some("raw" | "bin")) => Ok(Kind::Raw),
        (None, _) => Err(Failure::Usage(format!(
            "{}: what to write is told by .npy, .png, .raw or .bin at the end of the name, or by --to",
            name(&args.output)
        ))),
    }
}

/// The view with its axes in the order asked for; negative axes count from the end.
fn permuted<'v>(view: View<'v>, axes: Option<&[isize]>) -> std::result::Result<View<'v>, String> {
    let Some(axes) = axes else { return Ok(view) };
    let ndim = view.ndim();
    if axes.len() != ndim {
        let shape = npy::tuple(view.shape());
        return Err(format!("--axes names {} of the {ndim} axes of shape {shape}", axes.len()));
    }
    let mut order = Vec::with_capacity(ndim);
    for &axis in axes {
        let resolved = if axis < 0 { axis + ndim as isize } else { axis };
        match usize::try_from(resolved).ok().filter(|&axis| axis < ndim) {
            Some(resolved) if order.contains(&resolved) => {
                return Err(format!("--axes names axis {resolved} twice"));
            }
            Some(resolved) => order.push(resolved),
            None => return Err(format!("--axes names axis {axis}, the view has {ndim} axes")),
        }
    }
    view.permute(&order).map_err(|error| error.to_string())
}

fn pool(threads: Option<u16>) -> Result<rayon::ThreadPool> {
    let builder = rayon::ThreadPoolBuilder::new().num_threads(threads.map_or(0, usize::from));
    builder.build().map_err(|error| Failure::Run(format!("no threads: {error}")))
}

/// What stands in front of the items, decided before any file is made.
enum Head {
    Bytes(Vec<u8>),
    Png(png::Pixels),
}

impl Head {
    fn new(kind: Kind, view: &View<'_>, order: Order) -> std::result::Result<Head, String> {
        match kind {
            Kind::Npy => npy::write(view.format(), view.shape(), order).map(Head::Bytes),
            Kind::Raw => Ok(Head::Bytes(Vec::new())),
            Kind::Png if order == Order::C => png::pixels(view.format(), view.shape()).map(Head::Png),
            Kind::Png => Err("a PNG picture is stored in C order, --order F cannot be had".into()),
        }
    }
}

/// What was done, and how long it took.
#[derive(Debug, Default)]
struct Done {
    copying: Duration,
    writing: Duration,
    slabs: usize,
    threads: usize,
    kernels: Vec<Kernel>,
}

/// Copies slab after slab and gives each to the output.
fn write(view: &View<'_>, order: Order, head: &Head, target: &mut Target) -> Result<Done> {
    let most = if matches!(head, Head::Png(_)) { SLAB_OF_PIXELS } else { SLAB };
    let mut done = Done::default();
    let mut progress = Progress::new(view.nbytes());
    let mut copy = |sink: &mut png::Sink<'_>, slab: View<'_>| -> std::result::Result<(), Stop> {
        let start = Instant::now();
        let copied = CopyOptions::default().to_vec(&slab, order);
        let (mut items, report) = copied.map_err(|error| Stop::Copy(error.to_string()))?;
        done.copying += start.elapsed();
        done.slabs += 1;
        done.threads = done.threads.max(report.threads);
        if !done.kernels.contains(&report.kernel) {
            done.kernels.push(report.kernel);
        }
        sink(&mut items)?;
        progress.add(items.len());
        Ok(())
    };
    let mut body = |sink: &mut png::Sink<'_>| slabs(view.clone(), order, most, &mut |slab| copy(sink, slab));
    let start = Instant::now();
    let file = target.file();
    let written = match head {
        Head::Png(pixels) => png::write(file, *pixels, body),
        Head::Bytes(head) => {
            file.write_all(head).map_err(Stop::Write).and_then(|()| body(&mut |items| file.write_all(items)))
        }
    };
    match written {
        Ok(()) => done.writing = start.elapsed() - done.copying,
        Err(Stop::Copy(what)) => return Err(Failure::Run(what)),
        Err(Stop::Write(error)) => return Err(target.failed(&error)),
    }
    Ok(done)
}

/// Why a copy stopped half-way.
enum Stop {
    Copy(String),
    Write(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        Stop::Write(error)
    }
}

fn plan(view: &View<'_>, order: Order) -> std::result::Result<Plan, String> {
    let destination =
        Layout::contiguous(view.itemsize(), view.shape(), order).map_err(|error| error.to_string())?;
    Plan::new(&destination, view.layout()).map_err(|error| error.to_string())
}

/// Calls `f` for views of at most `most` bytes (or of one item) that follow one another in `order` and are together
/// the whole view.
fn slabs<'v>(
    view: View<'v>,
    order: Order,
    most: usize,
    f: &mut dyn FnMut(View<'v>) -> std::result::Result<(), Stop>,
) -> std::result::Result<(), Stop> {
    let refused = |error: extbuf::protocol::Refusal| Stop::Copy(error.to_string());
    let mut axes = 0..view.ndim();
    let long = |axis: &usize| view.shape()[*axis] > 1;
    let slowest = if order == Order::F { axes.rfind(long) } else { axes.find(long) };
    let (Some(axis), true) = (slowest, view.nbytes() > most) else { return f(view) };
    let extent = view.shape()[axis] as isize;
    let each = view.nbytes() / extent as usize;
    if each > most {
        return (0..extent).try_for_each(|k| {
            let one = view.clone().index_axis(axis, k).map_err(refused)?;
            slabs(one, order, most, f)
        });
    }
    let step = (most / each) as isize;
    (0..extent).step_by(step as usize).try_for_each(|start| {
        let some = view.clone().slice_axis(axis, start..extent.min(start + step)).map_err(refused)?;
        f(some)
    })
}

/// A progress bar on stderr, for work that takes long, where somebody watches.
struct Progress {
    total: usize,
    done: usize,
    start: Instant,
    bar: Option<ProgressBar>,
}

impl Progress {
    fn new(total: usize) -> Progress {
        Progress { total, done: 0, start: Instant::now(), bar: None }
    }

    fn add(&mut self, bytes: usize) {
        self.done += bytes;
        if self.bar.is_none() && self.start.elapsed() > LONG && self.done < self.total {
            self.bar = Some(self.bar());
        }
        if let Some(bar) = &self.bar {
            bar.set_position(self.done as u64);
        }
    }

    /// Hidden where stderr is no terminal.
    fn bar(&self) -> ProgressBar {
        let bar = ProgressBar::with_draw_target(Some(self.total as u64), ProgressDrawTarget::stderr());
        let style = "{wide_bar} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left";
        bar.with_style(ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()))
            .with_elapsed(self.start.elapsed())
    }
}

impl Drop for Progress {
    /// Also where the copy failed: the message gets a line of its own.
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn summary(
    say: &mut dyn Write,
    source: &Source,
    output: &Path,
    view: &View<'_>,
    (order, kind): (Order, Kind),
    done: &Done,
) -> Result {
    let kernels: Vec<String> = done.kernels.iter().map(Kernel::to_string).collect();
    let order = if order == Order::F { "Fortran" } else { "C" };
    writeln!(
        say,
        "{} -> {}: {} of format '{}' in {order} order",
        source.title,
        name(output),
        npy::tuple(view.shape()),
        one_line(&view.format().to_string())
    )?;
    writeln!(
        say,
        "  copied   {} in {}, {}: kernel {}, {}, {}",
        bytes(view.nbytes()),
        time(done.copying),
        rate(view.nbytes(), done.copying),
        kernels.join(" and "),
        counted(done.threads, "thread"),
        counted(done.slabs, "slab"),
    )?;
    let what = match kind {
        Kind::Npy => ".npy",
        Kind::Png => "compressed as PNG",
        Kind::Raw => "raw bytes",
    };
    writeln!(say, "  written  {what} in {}", time(done.writing))?;
    Ok(())
}
