//! Threads that lend, slice, copy, convert, lock, re-export and release at random, over shared exporters of every kind and
//! under injected failures, for as long as they are let.
//!
//! Rounds of a second: exporters are made, four threads work on them, everything that was kept is released, and then all
//! leases must be back, all contents whole, and as many bytes allocated as before. Every minute, or sooner in a short
//! run, a line says what happened and how large the process is. Memory that grows, a check that fails or a panic that
//! nobody meant ends the run with a status other than 0.
//!
//! # What this crate does not do
//!
//! It times nothing, and what it does in which order is decided by the threads too: a seed gives the same work, not the
//! same interleaving.
#![deny(unsafe_code)]

mod allocator;
mod contents;
mod foreign;
mod random;
mod sources;
mod work;

use std::error::Error;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use extbuf::layout::Order;
use extbuf::protocol::{Buffer, Locked};
use lexopt::Arg::Long;
use lexopt::ValueExt as _;

use contents::{items, numbers};
use random::Random;
use work::{Account, Worker};

const THREADS: u64 = 4;
const ROUND: Duration = Duration::from_secs(1);

/// Bytes that may be allocated more after a round than after the first ones: what threads and pools keep for themselves.
const KEPT: isize = 1 << 20;

/// Bytes that the process may be larger than it was when it was warm.
const GROWTH: usize = 48 << 20;

struct Options {
    seconds: u64,
    seed: u64,
}

fn options() -> Result<Options, lexopt::Error> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let mut options = Options { seconds: 60, seed: now.map_or(1, |time| time.as_nanos() as u64) };
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("minutes") => options.seconds = 60 * arguments.value()?.parse::<u64>()?,
            Long("seconds") => options.seconds = arguments.value()?.parse()?,
            Long("seed") => options.seed = arguments.value()?.parse()?,
            other => return Err(other.unexpected()),
        }
    }
    Ok(options)
}

/// Bytes of memory that the process has, or 0 where the system does not say.
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    let pages = pages.and_then(|text| text.split(' ').nth(1)?.parse::<usize>().ok());
    pages.unwrap_or(0) * 4096
}

/// One round; how many leases were out before the last were released.
fn round(seed: u64, number: u64, until: Instant, account: &Account) -> Result<usize, Box<dyn Error>> {
    let mut random = Random::new(seed, number << 8);
    let sources = sources::sources(random.bits() as u32)?;
    let mut buffer = Buffer::from_vec(items(random.bits() as u32, 48 * 32));
    buffer.reshape(&[48, 32])?;
    let locked = (Locked::new(&buffer)?, numbers(&[48, 32]));
    let exchange = Mutex::new(Vec::new());
    let live = std::thread::scope(|scope| {
        let threads: Vec<_> = (1..=THREADS)
            .map(|thread| {
                let mut worker = Worker {
                    random: Random::new(seed, number << 8 | thread),
                    sources: &sources,
                    locked: &locked,
                    exchange: &exchange,
                    account,
                    kept: Vec::new(),
                };
                scope.spawn(move || {
                    while Instant::now() < until && !account.failed() {
                        worker.step();
                    }
                    worker.kept
                })
            })
            .collect();
        let kept: Vec<_> = threads.into_iter().map(|thread| thread.join()).collect();
        // What the threads still keep goes now, with those that were on their way.
        let live = sources.iter().map(sources::Source::live).sum();
        drop(kept);
        live
    });
    exchange.lock().map_err(|error| error.to_string())?.clear();
    for source in &sources {
        match source.live() {
            0 => work::all(source).map_err(|what| format!("{}: {what}", source.name))?,
            out => return Err(format!("{}: {out} leases stayed out", source.name).into()),
        }
        if source.live() != 0 {
            return Err(format!("{}: a lease stayed out", source.name).into());
        }
    }
    if locked.0.live() != 0 {
        return Err("somebody stayed in the lock".into());
    }
    // Written through the lock by whoever was last; a writer that panicked left it half.
    if !locked.0.is_poisoned() {
        let window = locked.0.read()?;
        let bytes = extbuf::copy::to_vec(&window.view(), Order::C)?;
        contents::whole(&bytes, &locked.1.view())?;
    }
    Ok(live)
}

fn soak(options: &Options) -> Result<(), Box<dyn Error>> {
    println!("seed {}: --seed {0} does the same work", options.seed);
    let (start, account) = (Instant::now(), Account::default());
    let end = start + Duration::from_secs(options.seconds);
    let warm = start + Duration::from_secs((options.seconds / 5).min(60));
    let step = Duration::from_secs(if options.seconds >= 120 { 60 } else { 5 });
    let (mut next, mut live, mut rounds) = (start + step, 0, 0);
    let (mut settled, mut limit) = (None, None);
    while Instant::now() < end {
        live = live.max(round(options.seed, rounds, (Instant::now() + ROUND).min(end), &account)?);
        rounds += 1;
        if let Some(what) = account.failure.lock().map_err(|error| error.to_string())?.take() {
            return Err(what.into());
        }
        // Bytes that this program asked for, to the byte; and what the system gave.
        let (now, size) = (allocator::live(), resident());
        if rounds > 2 {
            let before = *settled.get_or_insert(now);
            if now > before + KEPT {
                return Err(format!("{now} bytes are allocated, {before} were at first").into());
            }
        }
        if Instant::now() >= warm {
            let most = *limit.get_or_insert(size + GROWTH);
            if size > most {
                return Err(format!("the process has grown to {size} bytes, {most} is the bound").into());
            }
        }
        if Instant::now() >= next || Instant::now() >= end {
            next += step;
            println!(
                "{:>5} s: {} rounds, {} operations, {} failures injected ({} allocations refused), {} requests refused \
                 as busy, {live} leases out at most when a round ended and 0 after it, {} KiB allocated, {:.1} MiB resident",
                start.elapsed().as_secs(),
                rounds,
                account.operations.load(Ordering::Relaxed),
                account.injected.load(Ordering::Relaxed) + allocator::refusals(),
                allocator::refusals(),
                account.busy.load(Ordering::Relaxed),
                now / 1024,
                size as f64 / f64::from(1 << 20),
            );
        }
    }
    Ok(())
}

fn main() -> ExitCode {
    let options = match options() {
        Ok(options) => options,
        Err(error) => {
            eprintln!("error: {error}; there are --minutes, --seconds and --seed");
            return ExitCode::from(2);
        }
    };
    // Panics on purpose say nothing.
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !info.payload().is::<work::Injected>() {
            usual(info);
        }
    }));
    match soak(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(what) => {
            eprintln!("error: {what}; the seed was {}", options.seed);
            ExitCode::FAILURE
        }
    }
}
