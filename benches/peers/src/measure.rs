//! Measuring one case: everyone's result is checked against the slow loop's, then all run by turns, several rounds, on
//! the same memory; what counts is the median of a runner's samples.

use std::collections::BTreeMap;

use crate::case::Case;
use crate::expected::expected;
use crate::foreign::Foreign;
use crate::job::Job;
use crate::memory::{Block, Noise, POISON};
use crate::peers::{Role, Runner, offers};
use crate::plugin::Plugin;
use crate::results::{Measured, Timing};

/// A sample lasts at least so long, in nanoseconds: shorter runs are repeated within one.
const SAMPLE: f64 = 200e3;

/// Before a sample of a copy shorter than this, in nanoseconds, it runs once untimed: so short a copy depends on what
/// lies in the caches, and that should be its own doing, not that of whoever ran before. Since once is not always enough,
/// every round has another order. (The engine that always came after the stores past the caches took 1.5 times as long
/// for 8 MiB as the same engine later in the round, and 1.2 times with the untimed run alone.)
const IN_CACHE: f64 = 10e6;

/// The most samples of one runner.
const MOST_SAMPLES: usize = 25;

/// How a case is measured.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'s> {
    /// On how many threads.
    pub threads: usize,
    /// Seconds for each runner.
    pub budget: f64,
    /// Who takes part, by name; empty for everybody. The limits always do.
    pub names: &'s [String],
    /// Engines of dynamic libraries; one with the name of a runner of this program takes its place.
    pub plugins: &'s [Plugin],
}

/// One runner under way.
struct Lane {
    runner: Runner,
    /// Nanoseconds of its second run.
    once: f64,
    iterations: usize,
    wanted: usize,
    samples: Vec<f64>,
}

/// Measures one case.
pub fn measure(case: &Case, settings: Settings<'_>, foreign: Option<&Foreign>) -> Measured {
    let mut job = Job::new(case, settings.threads);
    let right = expected(&job);
    let mut runners = offers(&job);
    if let Some(foreign) = foreign {
        runners.extend(foreign.offers(&job));
    }
    for runner in settings.plugins.iter().filter_map(|plugin| plugin.offers(&job)) {
        runners.retain(|other| other.name != runner.name);
        runners.push(runner);
    }
    let wanted = |runner: &Runner| {
        settings.names.is_empty() || runner.role == Role::Limit || settings.names.contains(&runner.name)
    };
    runners.retain(wanted);
    // The limits first: what is far from them needs fewer samples.
    runners.sort_by_key(|runner| runner.role != Role::Limit);
    let mut limit = f64::INFINITY;
    let mut timings = BTreeMap::new();
    let mut lanes = Vec::new();
    for mut runner in runners {
        let name = runner.name.clone();
        match first_runs(&mut runner, &mut job, &right, limit) {
            First::Wrong(what) => {
                timings.insert(
                    name,
                    Timing { role: runner.role, median: None, least: None, samples: 0, failed: Some(what) },
                );
            }
            First::FarBehind(once) => {
                timings.insert(name, timing(runner.role, &mut [once]));
            }
            First::Ready(once) => {
                if runner.role == Role::Limit {
                    limit = limit.min(once);
                }
                lanes.push(Lane { runner, once, iterations: 1, wanted: 0, samples: Vec::new() });
            }
        }
    }
    let best = lanes.iter().map(|lane| lane.once).fold(f64::INFINITY, f64::min);
    for lane in &mut lanes {
        lane.plan(best, settings.budget);
    }
    let rounds = lanes.iter().map(|lane| lane.wanted).max().unwrap_or(0);
    let mut noise = Noise(11);
    for round in 0..rounds {
        for last in (1..lanes.len()).rev() {
            lanes.swap(last, (noise.draw() % (last as u64 + 1)) as usize);
        }
        for lane in &mut lanes {
            // Fewer samples are spread over all rounds.
            if (round + 1) * lane.wanted / rounds > round * lane.wanted / rounds {
                if lane.once < IN_CACHE {
                    (lane.runner.run)(1);
                }
                let nanoseconds = (lane.runner.run)(lane.iterations);
                lane.samples.push(nanoseconds / lane.iterations as f64);
            }
        }
    }
    for mut lane in lanes {
        timings.insert(lane.runner.name.clone(), timing(lane.runner.role, &mut lane.samples));
    }
    if let Some(foreign) = foreign {
        foreign.finish();
    }
    Measured { timings, ..Measured::default() }
}

enum First {
    Ready(f64),
    /// So far behind that this one time is enough.
    FarBehind(f64),
    Wrong(String),
}

/// Two runs, the first onto poison and checked.
fn first_runs(runner: &mut Runner, job: &mut Job, right: &Block, limit: f64) -> First {
    job.dst.bytes_mut().fill(POISON);
    let first = (runner.run)(1);
    if first < 0.0 {
        return First::Wrong("failed".to_owned());
    }
    if runner.role != Role::Limit {
        let output = runner.output.as_ref().and_then(|output| output());
        if let Some(what) = wrong(job, right, output) {
            return First::Wrong(what);
        }
        if first > 6.0 * limit && first > 0.03e9 {
            return First::FarBehind(first);
        }
    }
    match (runner.run)(1) {
        again if again < 0.0 => First::Wrong("failed the second time".to_owned()),
        again => First::Ready(again.max(1.0)),
    }
}

/// The first byte that is not as it must be.
fn wrong(job: &Job, right: &Block, output: Option<(*const u8, usize)>) -> Option<String> {
    let got = match output {
        // A result of its own is dense, so it is the whole destination of a case that fills it.
        Some((start, length)) => crate::foreign::bytes(start, length),
        None => job.dst.bytes(),
    };
    if got == right.bytes() {
        return None;
    }
    if got.len() != right.bytes().len() {
        return Some(format!("{} bytes instead of {}", got.len(), right.bytes().len()));
    }
    let at = got.iter().zip(right.bytes()).position(|(a, b)| a != b)?;
    Some(format!("wrong from byte {at} on"))
}

impl Lane {
    /// How often to run within a sample, and how many samples.
    fn plan(&mut self, best: f64, budget: f64) {
        self.iterations = ((SAMPLE / self.once) as usize).clamp(1, 20_000);
        let seconds = self.iterations as f64 * self.once * 1e-9;
        self.wanted = ((budget / seconds) as usize).clamp(3, MOST_SAMPLES);
        if seconds > 0.25 && self.once > 5.0 * best {
            self.wanted = 1;
        } else if seconds > 0.05 && self.once > 10.0 * best {
            self.wanted = 2;
        }
    }
}

fn timing(role: Role, samples: &mut [f64]) -> Timing {
    samples.sort_by(f64::total_cmp);
    let middle = samples.len() / 2;
    let median =
        if samples.len() % 2 == 1 { samples[middle] } else { (samples[middle - 1] + samples[middle]) / 2.0 };
    Timing { role, median: Some(median), least: Some(samples[0]), samples: samples.len(), failed: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::table;

    #[test]
    fn the_median_of_an_even_number_lies_between_the_middle_two() {
        let timing = timing(Role::Peer, &mut [4.0, 1.0, 3.0, 2.0]);
        assert_eq!((timing.median, timing.least, timing.samples), (Some(2.5), Some(1.0), 4));
    }

    #[test]
    fn a_wrong_result_is_found_wherever_it_is() {
        let case = table().unwrap().into_iter().find(|case| case.id() == "tiny_T8x8_f8").unwrap();
        let mut job = Job::new(&case, 1);
        let right = expected(&job);
        job.dst.bytes_mut().copy_from_slice(right.bytes());
        assert_eq!(wrong(&job, &right, None), None);
        job.dst.bytes_mut()[511] ^= 1;
        assert_eq!(wrong(&job, &right, None).unwrap(), "wrong from byte 511 on");
    }

    /// All that are small enough for a test, each by everyone who offers it.
    #[test]
    fn everybody_copies_the_small_cases_right() {
        let mut checked = 0;
        for case in table().unwrap() {
            if case.out_bytes() > 1 << 20 || case.src.length * case.src_item > 4 << 20 {
                continue;
            }
            for threads in [1, 2] {
                let measured =
                    measure(&case, Settings { threads, budget: 0.0, names: &[], plugins: &[] }, None);
                for (name, timing) in &measured.timings {
                    assert_eq!(timing.failed, None, "{} by {name} on {threads}", case.id());
                    checked += 1;
                }
            }
        }
        assert!(checked > 300, "{checked}");
    }
}
