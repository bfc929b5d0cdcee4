//! What one thread does: one thing after another at random, on shared exporters and on memory of its own.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use extbuf::copy::{
    CopyErrorKind, CopyOptions, Progress, Threads, convert, copy, fill, swap, to_contiguous_as, working_copy,
};
use extbuf::format::{Element, Format};
use extbuf::layout::Order;
use extbuf::protocol::{Buffer, Exporter, Locked, RefusalKind, Request, View, ViewMut, Window};

use crate::allocator::refuse;
use crate::contents::{check, items, numbers, slices, whole};
use crate::foreign;
use crate::random::Random;
use crate::sources::Source;

/// What is thrown on purpose.
#[derive(Debug)]
pub(crate) struct Injected;

/// What all threads share during a round.
#[derive(Debug, Default)]
pub(crate) struct Account {
    pub(crate) operations: AtomicUsize,
    /// Panics that were thrown on purpose and caught, and errors of exporters.
    pub(crate) injected: AtomicUsize,
    /// Requests that others were in the way of.
    pub(crate) busy: AtomicUsize,
    /// The first check that failed.
    pub(crate) failure: Mutex<Option<String>>,
}

impl Account {
    pub(crate) fn fail(&self, what: String) {
        self.failure.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).get_or_insert(what);
    }

    pub(crate) fn failed(&self) -> bool {
        self.failure.lock().is_ok_and(|failure| failure.is_some())
    }

    fn injected(&self) {
        self.injected.fetch_add(1, Ordering::Relaxed);
    }
}

type Outcome = Result<(), String>;

fn says(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// A window on a source, or on a part of it, with the numbers of its items.
pub(crate) struct Kept {
    window: Window<'static>,
    numbers: Window<'static>,
}

/// Windows on their way from one thread to another.
pub(crate) type Exchange = Mutex<Vec<Kept>>;

/// One thread of a round.
pub(crate) struct Worker<'r> {
    pub(crate) random: Random,
    pub(crate) sources: &'r [Source],
    pub(crate) locked: &'r (Locked<'static>, Window<'static>),
    pub(crate) exchange: &'r Exchange,
    pub(crate) account: &'r Account,
    pub(crate) kept: Vec<Kept>,
}

impl Worker<'_> {
    /// One operation. A panic that nobody meant is a failed check.
    pub(crate) fn step(&mut self) {
        let which = self.random.below(16);
        let kept = RefCell::new(self);
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let worker = &mut **kept.borrow_mut();
            match which {
                0..=2 => worker.look(),
                3 | 4 => worker.write(),
                5 => worker.keep(),
                6 | 7 => worker.release(),
                8 => worker.contiguous(),
                9 => worker.converted(),
                10 => worker.worked_on(),
                11 => worker.locked(),
                12 => worker.own_buffer(),
                13 => worker.in_odd_order(),
                14 => worker.stopped(),
                _ => foreign::step(&mut worker.random),
            }
        }));
        let worker = kept.into_inner();
        match outcome {
            Ok(Ok(())) => {}
            Ok(Err(what)) => worker.account.fail(format!("operation {which}: {what}")),
            Err(thrown) if thrown.is::<Injected>() => worker.account.injected(),
            Err(thrown) => {
                let what = thrown.downcast_ref::<String>().map(String::as_str);
                let what = what.or(thrown.downcast_ref::<&str>().copied()).unwrap_or("what is no text");
                worker.account.fail(format!("operation {which} panicked with {what}"));
            }
        }
        worker.account.operations.fetch_add(1, Ordering::Relaxed);
    }

    /// A window, unless others are in the way or the exporter is in a mood.
    fn open(&mut self, writable: bool) -> Result<Option<Kept>, String> {
        let sources = self.sources;
        let source = &sources[self.random.below(sources.len())];
        // What can only be read is asked to be written now and then, and refuses.
        if writable && !source.writable && !self.random.one_in(4) {
            return Ok(None);
        }
        let request = if writable { Request::FULL } else { Request::FULL_RO };
        let refusal = match source.window(request) {
            Ok(window) => return Ok(Some(Kept { window, numbers: source.numbers.clone() })),
            Err(refusal) => refusal,
        };
        match refusal.kind() {
            RefusalKind::Busy { .. } => self.account.busy.fetch_add(1, Ordering::Relaxed),
            // Asked for what it cannot give, or in a mood.
            RefusalKind::ReadOnly => self.account.injected.fetch_add(1, Ordering::Relaxed),
            RefusalKind::Poisoned => {
                source.mend();
                0
            }
            _ => return Err(format!("{}: {refusal}", source.name)),
        };
        Ok(None)
    }

    fn threads(&mut self) -> CopyOptions<'static> {
        let threads = [Threads::ONE, Threads::AtMost(2), Threads::Pool][self.random.below(3)];
        CopyOptions { threads, ..CopyOptions::default() }
    }

    /// A part of a source is what it should be.
    fn look(&mut self) -> Outcome {
        let Some(Kept { window, numbers }) = self.open(false)? else { return Ok(()) };
        let part = slices(&mut self.random, window.layout());
        let (window, numbers) = (window.slice(&part).map_err(says)?, numbers.slice(&part).map_err(says)?);
        check(&window.view(), &numbers.view())
    }

    /// All items of a source anew, by a copy on one thread or several.
    fn write(&mut self) -> Outcome {
        let first = self.random.bits() as u32;
        let options = self.threads();
        let panics = self.random.one_in(8);
        let Some(Kept { mut window, numbers }) = self.open(true)? else { return Ok(()) };
        let fresh = items(first, window.layout().len());
        let shape = window.shape().to_vec();
        let fresh = View::from_slice(&fresh).reshape(&shape, Order::C).map_err(says)?;
        options.copy(&mut window.view_mut().map_err(says)?, &fresh).map_err(says)?;
        check(&window.view(), &numbers.view())?;
        if panics {
            // The writer goes by a panic, with everything written: who asks next finds it whole.
            panic_any(Injected);
        }
        Ok(())
    }

    /// A window that stays out for a while, or goes to another thread; a window of a window.
    fn keep(&mut self) -> Outcome {
        let Some(mut kept) = self.open(false)? else { return Ok(()) };
        if self.random.one_in(2) {
            let part = slices(&mut self.random, kept.window.layout());
            let window = kept.window.slice(&part).map_err(says)?;
            // Lent once more, by a window that ends at once.
            kept = Kept {
                window: window.window(Request::FULL_RO).map_err(says)?,
                numbers: kept.numbers.slice(&part).map_err(says)?,
            };
        }
        if self.random.one_in(3) {
            self.exchange.lock().map_err(says)?.push(kept);
        } else {
            self.kept.push(kept);
        }
        if self.kept.len() > 6 {
            self.kept.clear();
        }
        Ok(())
    }

    /// A window that was kept here or by another thread is still what it was, and goes.
    fn release(&mut self) -> Outcome {
        let theirs = self.exchange.lock().map_err(says)?.pop();
        if let Some(Kept { window, numbers }) = theirs {
            check(&window.view(), &numbers.view())?;
        }
        if !self.kept.is_empty() {
            let at = self.random.below(self.kept.len());
            let Kept { window, numbers } = self.kept.swap_remove(at);
            check(&window.view(), &numbers.view())?;
        }
        Ok(())
    }

    /// A contiguous copy, for which there may be no memory.
    fn contiguous(&mut self) -> Outcome {
        let options = self.threads();
        let short = self.random.one_in(2);
        let Some(Kept { window, numbers }) = self.open(false)? else { return Ok(()) };
        let part = slices(&mut self.random, window.layout());
        let (window, numbers) = (window.slice(&part).map_err(says)?, numbers.slice(&part).map_err(says)?);
        let order = if self.random.one_in(2) { Order::C } else { Order::F };
        let view = window.view();
        let copied = if short {
            refuse(|| options.to_contiguous(&view, order))
        } else {
            options.to_contiguous(&view, order)
        };
        match copied {
            Ok((copied, _)) if !short => check(&copied.view(), &numbers.view()),
            Err(error) if short && matches!(error.kind(), CopyErrorKind::Allocation { .. }) => Ok(()),
            other => Err(format!("a copy with memory refused ({short}) ended as {other:?}")),
        }
    }

    /// To another format and back.
    fn converted(&mut self) -> Outcome {
        let format = ["d", ">q", ">I"][self.random.below(3)];
        let format = Format::parse(format).map_err(says)?;
        let Some(Kept { window, numbers }) = self.open(false)? else { return Ok(()) };
        let part = slices(&mut self.random, window.layout());
        let (window, numbers) = (window.slice(&part).map_err(says)?, numbers.slice(&part).map_err(says)?);
        let other = to_contiguous_as(&window.view(), &format, Order::F).map_err(says)?;
        let back = to_contiguous_as(&other.view(), &u32::FORMAT, Order::C).map_err(says)?;
        check(&back.view(), &numbers.view())?;
        // What does not fit is refused, and nothing is written.
        let mut narrow = vec![7u8; window.layout().len()];
        let shape = window.shape().to_vec();
        let mut narrow_view = ViewMut::from_slice(&mut narrow).reshape(&shape, Order::C).map_err(says)?;
        if let Err(error) = convert(&mut narrow_view, &window.view()) {
            let untouched = narrow.iter().all(|&x| x == 7);
            if !(untouched && matches!(error.kind(), CopyErrorKind::Value(_))) {
                return Err(format!("half converted: {error}"));
            }
        }
        Ok(())
    }

    /// A working copy that is written back, let go, thrown away, or left by a panic.
    fn worked_on(&mut self) -> Outcome {
        let (first, end) = (self.random.bits() as u32, self.random.below(4));
        let Some(Kept { mut window, numbers }) = self.open(true)? else { return Ok(()) };
        let fresh = items(first, window.layout().len());
        let shape = window.shape().to_vec();
        {
            let mut view = window.view_mut().map_err(says)?;
            let mut work = working_copy(&mut view, Order::C).map_err(says)?;
            if end > 1 {
                // Half of a work, of which nothing may be seen.
                fill(&mut work.view_mut(), first).map_err(says)?;
            } else {
                let fresh = View::from_slice(&fresh).reshape(&shape, Order::C).map_err(says)?;
                copy(&mut work.view_mut(), &fresh).map_err(says)?;
            }
            match end {
                0 => drop(work),
                1 => drop(work.commit().map_err(says)?),
                2 => work.discard(),
                _ => {
                    let thrown = catch_unwind(AssertUnwindSafe(move || {
                        let _work = work;
                        panic_any(Injected)
                    }));
                    self.account.injected();
                    thrown.err().map(drop).ok_or("nothing was thrown")?;
                }
            }
        }
        check(&window.view(), &numbers.view())
    }

    /// Readers and writers of one lock, with times, and a writer that panics half-way.
    fn locked(&mut self) -> Outcome {
        let (locked, numbers) = self.locked;
        let time = Duration::from_micros(1 + self.random.below(300) as u64);
        let how = self.random.below(8);
        let first = self.random.bits() as u32;
        let fresh = items(first, locked.layout().len());
        let fresh = View::from_slice(&fresh).reshape(locked.layout().shape(), Order::C).map_err(says)?;
        let refusal = match how {
            0..=3 => match locked.read_timeout(time) {
                Ok(window) => return check(&window.view(), &numbers.view()),
                Err(refusal) => refusal,
            },
            4..=6 => match locked.write_timeout(time) {
                Ok(mut writer) => {
                    copy(&mut writer.view_mut().map_err(says)?, &fresh).map_err(says)?;
                    if self.random.one_in(2) {
                        let window = writer.downgrade();
                        return check(&window.view(), &numbers.view());
                    }
                    return Ok(());
                }
                Err(refusal) => refusal,
            },
            _ => match locked.try_write() {
                Ok(mut writer) => {
                    fill(&mut writer.view_mut().map_err(says)?, first).map_err(says)?;
                    panic_any(Injected);
                }
                Err(refusal) => refusal,
            },
        };
        match refusal.kind() {
            RefusalKind::Busy { .. } => drop(self.account.busy.fetch_add(1, Ordering::Relaxed)),
            RefusalKind::Poisoned => {
                let mut writer = locked.repair().map_err(says)?;
                copy(&mut writer.view_mut().map_err(says)?, &fresh).map_err(says)?;
            }
            _ => return Err(says(refusal)),
        }
        Ok(())
    }

    /// A buffer of its own that grows, shrinks and changes shape, with windows out and without memory.
    fn own_buffer(&mut self) -> Outcome {
        let (length, first) = (2 * (1 + self.random.below(4000)), self.random.bits() as u32);
        let mut buffer = Buffer::from_vec(items(first, length));
        buffer.reshape(&[2, length / 2]).map_err(says)?;
        let window = buffer.window(Request::FULL_RO).map_err(says)?;
        buffer.reshape(&[length / 2, 2]).map_err(says)?;
        let pinned = buffer.resize(2 * length).err().ok_or("a lent buffer grew")?;
        if !matches!(pinned.kind(), RefusalKind::Pinned { live: 1 }) {
            return Err(says(pinned));
        }
        let reader = std::thread::scope(|scope| {
            // The last lease ends on another thread.
            scope.spawn(move || check(&window.view(), &numbers(&[2, length / 2]).view())).join()
        });
        reader.map_err(|_| "the reader panicked")??;
        let short = refuse(|| buffer.resize(1 << 20)).err().ok_or("a refused allocation was made")?;
        if !matches!(short.kind(), RefusalKind::OutOfMemory { .. }) {
            return Err(says(short));
        }
        buffer.resize(length + 3).map_err(says)?;
        buffer.resize(length).map_err(says)?;
        let vec = buffer.into_vec().map_err(says)?;
        if vec == items(first, length) { Ok(()) } else { Err("items changed where they grew".into()) }
    }

    /// Exports of one exporter, dropped in another order than they were made in; some become windows, some panic.
    fn in_odd_order(&mut self) -> Outcome {
        let sources = self.sources;
        let source = &sources[self.random.below(sources.len())];
        let mut exports: Vec<_> = (0..5).filter_map(|_| source.export(Request::FULL_RO).ok()).collect();
        let mut windows = Vec::new();
        while !exports.is_empty() {
            let export = exports.swap_remove(self.random.below(exports.len()));
            match self.random.below(3) {
                0 => windows.push(export.keep()),
                1 => drop(export),
                _ => check(&export.view(), &source.numbers.view())?,
            }
        }
        if self.random.one_in(10) {
            panic_any(Injected);
        }
        while !windows.is_empty() {
            drop(windows.swap_remove(self.random.below(windows.len())));
        }
        Ok(())
    }

    /// Copies that are told to stop, and copies of which a worker panics: what they leave is some of the old and some of
    /// the new, and what they borrowed is free again.
    fn stopped(&mut self) -> Outcome {
        const LENGTH: usize = 1 << 20;
        let panics = self.random.one_in(2);
        let after = self.random.below(4);
        let (mut to, from) = (vec![0u32; LENGTH], vec![1u32; LENGTH]);
        let calls = AtomicUsize::new(0);
        let hook = |_: Progress| {
            if calls.fetch_add(1, Ordering::Relaxed) < after {
                return ControlFlow::Continue(());
            }
            if panics {
                panic_any(Injected);
            }
            ControlFlow::Break(())
        };
        let options =
            CopyOptions { threads: Threads::AtMost(2), progress: Some(&hook), ..CopyOptions::default() };
        let mut target = ViewMut::from_slice(&mut to).reshape(&[1024, 1024], Order::C).map_err(says)?;
        let source = View::from_slice(&from).reshape(&[1024, 1024], Order::C).map_err(says)?.transpose();
        let outcome = catch_unwind(AssertUnwindSafe(|| options.copy(&mut target, &source)));
        self.account.injected();
        match outcome {
            Err(thrown) if panics && thrown.is::<Injected>() => {}
            Ok(Err(error)) if !panics && matches!(error.kind(), CopyErrorKind::Cancelled { .. }) => {}
            // Done before it was told, or with the last part.
            Ok(Ok(report))
                if calls.load(Ordering::Relaxed) <= after
                    || !panics && calls.load(Ordering::Relaxed) == report.parts => {}
            Ok(other) => return Err(format!("a copy that was to stop ended as {other:?}")),
            Err(thrown) => std::panic::resume_unwind(thrown),
        }
        if to.iter().any(|&x| x > 1) {
            return Err("an item that nobody wrote".into());
        }
        // And a whole exchange behind it, of the same memory.
        let mut from = from;
        fill(&mut ViewMut::from_slice(&mut to), 5u32).map_err(says)?;
        swap(&mut ViewMut::from_slice(&mut to), &mut ViewMut::from_slice(&mut from)).map_err(says)?;
        let mixed = to.iter().any(|&x| x != 1) || from.iter().any(|&x| x != 5);
        if mixed { Err("an exchange that did not".into()) } else { Ok(()) }
    }
}

/// The items of a source, all of them, when nobody else is there.
pub(crate) fn all(source: &Source) -> Outcome {
    for _ in 0..4 {
        // An exporter with moods answers sooner or later.
        let answer = catch_unwind(AssertUnwindSafe(|| source.window(Request::FULL_RO)));
        if let Ok(Ok(window)) = answer {
            let bytes = extbuf::copy::to_vec(&window.view(), Order::C).map_err(says)?;
            return whole(&bytes, &source.numbers.view());
        }
        source.mend();
    }
    Err("does not lend any more".into())
}
