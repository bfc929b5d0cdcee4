//! The soak: threads that lend, copy and release at random under injected failures.

use crate::shell::{Result, cargo, run};

/// What the command line asks for.
#[derive(Debug, Default)]
pub(crate) struct Options {
    pub(crate) minutes: Option<u32>,
    pub(crate) seed: Option<u64>,
}

const MINUTES: u32 = 10;

/// The step: long enough for every kind of operation on every kind of exporter.
pub(crate) fn step() -> Result {
    soak(&["--seconds".into(), "20".into()])
}

/// The task.
pub(crate) fn task(options: &Options) -> Result {
    let mut arguments = vec!["--minutes".to_owned(), options.minutes.unwrap_or(MINUTES).to_string()];
    if let Some(seed) = options.seed {
        arguments.extend(["--seed".into(), seed.to_string()]);
    }
    soak(&arguments)
}

fn soak(arguments: &[String]) -> Result {
    run(cargo(["run", "--locked", "--release", "--package", "extbuf-soak", "--"]).args(arguments))
}
