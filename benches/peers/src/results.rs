//! The file of results: for each case and number of threads what was measured last, with the commit, the date and the
//! machine. Runs of some cases only leave the others as they are.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::peers::Role;

/// All that has been measured.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Results {
    /// By case, then by number of threads.
    pub cases: BTreeMap<String, BTreeMap<usize, Measured>>,
}

/// One case on so many threads.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Measured {
    /// What was measured.
    #[serde(default)]
    pub commit: String,
    /// When, as `2026-11-22`.
    #[serde(default)]
    pub date: String,
    /// On what.
    #[serde(default)]
    pub machine: String,
    /// Each runner.
    pub timings: BTreeMap<String, Timing>,
}

/// One runner, in nanoseconds a run.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Timing {
    /// What it is.
    pub role: Role,
    /// The middle one of its samples; nothing where it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub median: Option<f64>,
    /// The least of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub least: Option<f64>,
    /// How many.
    pub samples: usize,
    /// What went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}

/// How many instructions a copy takes, counted and not timed.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Counts {
    /// What was counted.
    pub commit: String,
    /// When.
    pub date: String,
    /// By case: with a plan that is reused, and with one made in every call.
    pub cases: BTreeMap<String, [u64; 2]>,
}

impl Counts {
    /// The file, or nothing yet.
    ///
    /// # Errors
    ///
    /// Where it is there and cannot be read.
    pub fn read(path: &Path) -> io::Result<Counts> {
        read(path)
    }
}

fn read<T: Default + for<'de> Deserialize<'de>>(path: &Path) -> io::Result<T> {
    match fs::read_to_string(path) {
        Ok(text) => serde_json::from_str(&text).map_err(io::Error::other),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(T::default()),
        Err(error) => Err(error),
    }
}

impl Results {
    /// The file, or nothing yet.
    ///
    /// # Errors
    ///
    /// Where it is there and cannot be read.
    pub fn read(path: &Path) -> io::Result<Results> {
        read(path)
    }

    /// Writes the file, one case and number of threads a line.
    ///
    /// # Errors
    ///
    /// Where it cannot be written.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let mut lines = Vec::new();
        for (id, by_threads) in &self.cases {
            let mut entries = Vec::new();
            for (threads, measured) in by_threads {
                entries.push(format!("\"{threads}\": {}", serde_json::to_string(&measured.rounded())?));
            }
            lines.push(format!("{}: {{{}}}", serde_json::to_string(id)?, entries.join(",\n")));
        }
        // A run that is stopped leaves the old file or the new one.
        let beside = path.with_extension("new");
        fs::write(&beside, format!("{{\"cases\": {{\n{}\n}}}}\n", lines.join(",\n")))?;
        fs::rename(beside, path)
    }

    /// Takes over what has just been measured. A second run of the same commit is joined with the first: what counts
    /// is the least of the medians.
    pub fn merge(&mut self, id: &str, threads: usize, mut measured: Measured) {
        let by_threads = self.cases.entry(id.to_owned()).or_default();
        if let Some(before) = by_threads.remove(&threads)
            && before.commit == measured.commit
            && before.machine == measured.machine
        {
            for (name, old) in before.timings {
                match measured.timings.get_mut(&name) {
                    None => {
                        measured.timings.insert(name, old);
                    }
                    Some(new) if new.failed.is_none() && old.failed.is_none() => {
                        new.median = lesser(new.median, old.median);
                        new.least = lesser(new.least, old.least);
                        new.samples += old.samples;
                    }
                    Some(_) => {}
                }
            }
        }
        by_threads.insert(threads, measured);
    }

    /// What was measured of a case on so many threads.
    pub fn of(&self, id: &str, threads: usize) -> Option<&Measured> {
        self.cases.get(id)?.get(&threads)
    }
}

fn lesser(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

impl Measured {
    /// The fastest of those whose role is among these: its name and its nanoseconds.
    pub fn fastest(&self, roles: &[Role]) -> Option<(&str, f64)> {
        self.timings
            .iter()
            .filter(|(_, timing)| roles.contains(&timing.role))
            .filter_map(|(name, timing)| Some((name.as_str(), timing.median?)))
            .min_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// The nanoseconds of one runner.
    pub fn time(&self, name: &str) -> Option<f64> {
        self.timings.get(name)?.median
    }

    /// Four figures are more than the clock knows.
    fn rounded(&self) -> Measured {
        let round = |value: Option<f64>| {
            value.map(|value| {
                let scale = 10f64.powi(3 - value.max(1e-3).log10().floor() as i32);
                (value * scale).round() / scale
            })
        };
        let mut rounded = self.clone();
        for timing in rounded.timings.values_mut() {
            timing.median = round(timing.median);
            timing.least = round(timing.least);
        }
        rounded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(commit: &str, times: &[(&str, f64)]) -> Measured {
        let timing = |&(name, time): &(&str, f64)| {
            let timing =
                Timing { role: Role::Peer, median: Some(time), least: Some(time), samples: 3, failed: None };
            (name.to_owned(), timing)
        };
        Measured {
            commit: commit.to_owned(),
            timings: times.iter().map(timing).collect(),
            ..Measured::default()
        }
    }

    #[test]
    fn the_same_commit_is_joined_and_another_replaces() {
        let mut results = Results::default();
        results.merge("case", 1, measured("a", &[("x", 30.0), ("y", 5.0)]));
        results.merge("case", 1, measured("a", &[("x", 20.0), ("z", 7.0)]));
        let joined = results.of("case", 1).unwrap();
        assert_eq!(
            (joined.time("x"), joined.time("y"), joined.time("z")),
            (Some(20.0), Some(5.0), Some(7.0))
        );
        assert_eq!(joined.timings["x"].samples, 6);
        results.merge("case", 1, measured("b", &[("x", 25.0)]));
        assert_eq!(results.of("case", 1).unwrap().time("x"), Some(25.0));
        assert_eq!(results.of("case", 1).unwrap().time("y"), None);
        assert_eq!(results.of("case", 2), None);
    }

    #[test]
    fn what_is_written_is_read_again() {
        let path = std::env::temp_dir().join(format!("extbuf-peers-{}.json", std::process::id()));
        let mut results = Results::default();
        results.merge("a", 2, measured("c", &[("x", 1234.0)]));
        results.merge("b", 1, measured("c", &[("x", 0.5)]));
        results.write(&path).unwrap();
        assert_eq!(Results::read(&path).unwrap(), results);
        fs::remove_file(&path).unwrap();
        assert_eq!(Results::read(&path).unwrap(), Results::default());
    }
}
