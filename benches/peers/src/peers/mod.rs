//! Everything that can run a case: the plain copies that set the limit, the engine, and its peers.
//!
//! Each peer is used as its documentation says, at its best: views that it lets its user keep are made before the
//! clock runs, and it is left out of cases that it cannot express.

// Raw addresses cross to the threads of pools.
#![allow(unsafe_code)]

mod hand;
#[cfg(feature = "hptt")]
mod hptt;
mod limits;
mod mdarray;
mod ndarray;
pub(crate) mod ours;
#[cfg(feature = "strided")]
mod strided;
mod transpose;

use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::job::Job;

/// What a runner is in the comparison.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// A plain copy of as many bytes as the case writes: what the memory can do.
    Limit,
    /// The engine of this workspace.
    Ours,
    /// Another library.
    Peer,
    /// The loop that people write when they have no library.
    Hand,
}

/// Runs so many times and says how many nanoseconds that took; below zero where it failed.
pub type Run = Box<dyn FnMut(usize) -> f64>;

/// Where a peer that allocates its own result has put it, and how long that is.
pub type Output = Box<dyn Fn() -> Option<(*const u8, usize)>>;

/// One that can run the case at hand.
pub struct Runner {
    /// Its name in the tables.
    pub name: String,
    /// What it is.
    pub role: Role,
    /// Runs it.
    pub run: Run,
    /// Where its result lies, if not in the destination.
    pub output: Option<Output>,
}

impl std::fmt::Debug for Runner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runner").field("name", &self.name).field("role", &self.role).finish_non_exhaustive()
    }
}

impl Runner {
    fn new(name: &str, role: Role, run: Run) -> Runner {
        Runner { name: name.to_owned(), role, run, output: None }
    }
}

/// All of this program that can run the job.
pub fn offers(job: &Job) -> Vec<Runner> {
    let mut runners = limits::offers(job);
    runners.extend(ours::offers(job));
    let mut offer = |name: &str, role, run: Option<Run>| {
        runners.extend(run.map(|run| Runner::new(name, role, run)));
    };
    if job.case.entry.rows.is_some() {
        offer("row loop", Role::Hand, hand::row_loop(job));
        offer("column loop", Role::Hand, hand::column_loop(job));
        return runners;
    }
    offer("loop", Role::Hand, hand::direct(job));
    offer("ndarray Zip", Role::Peer, ndarray::zip(job, false));
    offer("ndarray assign", Role::Peer, ndarray::assign(job));
    offer("ndarray par", Role::Peer, ndarray::zip(job, true));
    offer("mdarray", Role::Peer, mdarray::assign(job));
    offer("transpose", Role::Peer, transpose::transpose(job));
    offer("fast_transpose", Role::Peer, transpose::fast(job));
    #[cfg(feature = "strided")]
    {
        offer("strided-perm", Role::Peer, strided::perm(job));
        offer("strided-basic", Role::Peer, strided::basic(job));
    }
    #[cfg(feature = "hptt")]
    offer("hptt", Role::Peer, hptt::transpose(job));
    runners
}

/// The clock around a function. The function is hidden from the optimiser at every turn, so that no turn is saved.
fn timed(mut function: impl FnMut() + 'static) -> Run {
    Box::new(move |iterations| {
        let run = AssertUnwindSafe(|| {
            let start = Instant::now();
            for _ in 0..iterations {
                black_box(&mut function)();
            }
            start.elapsed().as_nanos() as f64
        });
        catch_unwind(run).unwrap_or(-1.0)
    })
}

/// An address that a pool's threads may have: J2 and J3 say that they may use it.
#[derive(Clone, Copy)]
struct Shared<P>(P);

// SAFETY: J2, J3: the blocks live on, and the threads of one run write apart.
unsafe impl<P> Send for Shared<P> {}
// SAFETY: the same.
unsafe impl<P> Sync for Shared<P> {}

impl<P: Copy> Shared<P> {
    /// The address; a method, so that closures take the whole.
    fn get(self) -> P {
        self.0
    }
}

/// The axes that are loops: extent, step of the source, step of the destination, in items. Axes of extent 1 are left
/// out, neighbours that are one loop joined.
fn joined(job: &Job) -> Vec<(usize, isize, isize)> {
    let case = &job.case;
    let mut loops: Vec<(usize, isize, isize)> = Vec::new();
    for ((&extent, &src), &dst) in case.shape.iter().zip(&case.src.strides).zip(&case.dst.strides) {
        let whole = (src * extent as isize, dst * extent as isize);
        match loops.last_mut() {
            _ if extent == 1 => {}
            Some(before) if (before.1, before.2) == whole => *before = (before.0 * extent, src, dst),
            _ => loops.push((extent, src, dst)),
        }
    }
    loops
}

/// Runs a generic function for an item of the size of the source's: `by_size!(job, T => expression)`.
macro_rules! by_size {
    ($job:expr, $item:ident => $run:expr) => {
        match $job.case.src_item {
            1 => {
                type $item = u8;
                $run
            }
            2 => {
                type $item = u16;
                $run
            }
            4 => {
                type $item = f32;
                $run
            }
            8 => {
                type $item = f64;
                $run
            }
            16 => {
                type $item = num_complex::Complex64;
                $run
            }
            _ => None,
        }
    };
}

/// Runs a generic function with the function from item to item that the case asks for:
/// `by_change!(job, function => expression)`.
macro_rules! by_change {
    ($job:expr, $function:ident => $run:expr) => {
        match ($job.case.change, $job.case.src_item) {
            (extbuf_plugin::Change::Copy, _) => $crate::peers::by_size!($job, T => {
                let $function = |item: T| item;
                $run
            }),
            (extbuf_plugin::Change::F64ToF32, _) => {
                let $function = |item: f64| item as f32;
                $run
            }
            (extbuf_plugin::Change::U8ToF32, _) => {
                let $function = |item: u8| f32::from(item);
                $run
            }
            (extbuf_plugin::Change::Swap, 2) => {
                let $function = |item: u16| item.swap_bytes();
                $run
            }
            (extbuf_plugin::Change::Swap, 4) => {
                let $function = |item: u32| item.swap_bytes();
                $run
            }
            (extbuf_plugin::Change::Swap, 8) => {
                let $function = |item: u64| item.swap_bytes();
                $run
            }
            _ => None,
        }
    };
}

pub(crate) use {by_change, by_size};
