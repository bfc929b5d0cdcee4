//! Runs of the fuzz targets: a short one of each under `--full`, and whatever is asked for by hand.

use std::process::Command;

use crate::shell::{Result, cargo, output, root, run, run_beside, version_of};

/// What the command line asks for.
#[derive(Debug, Default)]
pub(crate) struct Options {
    /// All targets, if none is named.
    pub(crate) targets: Vec<String>,
    pub(crate) seconds: Option<u32>,
}

/// The targets whose inputs are mostly formats.
const TEXTS: &[&str] = &["convert_text", "lending", "pack", "parse", "parse_print_parse", "unpack"];

/// Of each target; the build takes longer.
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
    let (seeds, found) = (root().join("fuzz/corpus"), root().join("target/fuzz-corpus"));
    let chosen =
        targets.iter().filter(|target| wanted.is_empty() || wanted.iter().any(|name| name == *target));
    let mut commands = Vec::new();
    for target in chosen {
        // What is found goes under `target/`: the seeds that are kept are few, and are added to by hand.
        let found = found.join(target);
        std::fs::create_dir_all(&found)?;
        let mut command = cargo(["fuzz", "run", "--codegen-units", "8", target]);
        command.arg(found).args(Some(seeds.join(target)).filter(|seeds| seeds.is_dir()));
        command.args(["--", &limit, "-print_final_stats=1", "-rss_limit_mb=2048", "-timeout=20"]);
        let words = if TEXTS.contains(target) { "format" } else { target };
        let words = format!("fuzz/{words}.dict");
        if root().join(&words).is_file() {
            command.arg(format!("-dict={words}"));
        }
        unstable(&mut command);
        commands.push(command);
    }
    if let [one] = &mut commands[..] {
        return run(one);
    }
    run(unstable(&mut cargo(["fuzz", "build", "--codegen-units", "8"])))?;
    run_beside(commands)
}

/// The sanitizers are unstable flags of the compiler; this one takes them when told to.
fn unstable(command: &mut Command) -> &mut Command {
    command.env("RUSTC_BOOTSTRAP", "1")
}
