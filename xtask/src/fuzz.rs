//! A short run of every fuzz target, under `--full`, for workspaces that have some.

use std::path::Path;
use std::process::Command;

use crate::shell::{Result, cargo, output, run, say, version_of};

const SECONDS: u32 = 20;

/// The step.
pub(crate) fn step() -> Result {
    if !Path::new("fuzz/Cargo.toml").exists() {
        say("there is no folder fuzz/, so there is nothing to run");
        return Ok(());
    }
    if version_of("cargo", &["fuzz", "--version"]).is_none() {
        return Err("cargo-fuzz is needed: `cargo install cargo-fuzz --locked` installs it".into());
    }
    let targets = output(unstable(&mut cargo(["fuzz", "list"])))?;
    for target in targets.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let limit = format!("-max_total_time={SECONDS}");
        run(unstable(&mut cargo(["fuzz", "run", target, "--", &limit])))?;
    }
    Ok(())
}

/// The sanitizers are unstable flags of the compiler; this one takes them when told to.
fn unstable(command: &mut Command) -> &mut Command {
    command.env("RUSTC_BOOTSTRAP", "1")
}
