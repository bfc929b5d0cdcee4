//! Runs of the fuzz targets: a short one of each under `--full`, and whatever is asked for by hand.

use std::process::Command;

use crate::shell::{Result, cargo, output, run, version_of};

/// What the command line asks for.
#[derive(Debug, Default)]
pub(crate) struct Options {
    /// All targets, if none is named.
    pub(crate) targets: Vec<String>,
    pub(crate) seconds: Option<u32>,
}

const SMOKE: u32 = 20;
const MINUTE: u32 = 60;

/// The step.
pub(crate) fn step() -> Result {
    fuzz(&[], SMOKE)
}

/// The task.
pub(crate) fn task(options: &Options) -> Result {
    fuzz(&options.targets, options.seconds.unwrap_or(MINUTE))
}

fn fuzz(wanted: &[String], seconds: u32) -> Result {
    if version_of("cargo", &["fuzz", "--version"]).is_none() {
        return Err("cargo-fuzz is needed: `cargo install cargo-fuzz --locked` installs it".into());
    }
    let targets = output(unstable(&mut cargo(["fuzz", "list"])))?;
    let targets: Vec<&str> = targets.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if let Some(unknown) = wanted.iter().find(|name| !targets.contains(&name.as_str())) {
        return Err(format!("there is no fuzz target `{unknown}`; there are {}", targets.join(", ")).into());
    }
    let limit = format!("-max_total_time={seconds}");
    let chosen =
        targets.iter().filter(|target| wanted.is_empty() || wanted.iter().any(|name| name == *target));
    for target in chosen {
        run(unstable(&mut cargo(["fuzz", "run", target, "--", &limit, "-print_final_stats=1"])))?;
    }
    Ok(())
}

/// The sanitizers are unstable flags of the compiler; this one takes them when told to.
fn unstable(command: &mut Command) -> &mut Command {
    command.env("RUSTC_BOOTSTRAP", "1")
}
