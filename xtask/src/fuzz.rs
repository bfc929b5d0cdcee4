//! A short run of every fuzz target, under `--full`, for workspaces that have some.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::shell::{Result, at, cargo, output, root, run, say, version_of};

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
    let targets = output(&mut with_this_toolchain(cargo(["fuzz", "list"]))?)?;
    for target in targets.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let mut command = with_this_toolchain(cargo(["fuzz", "run", target]))?;
        run(command.args(["--", &format!("-max_total_time={SECONDS}")]))?;
    }
    Ok(())
}

/// The command on the compiler that is there: a sanitizer is an unstable flag, which the compiler takes when told to,
/// and the toolchain manager is shut out, so that no tool fetches another compiler in passing.
fn with_this_toolchain(mut command: Command) -> Result<Command> {
    let folder = root().join("target/without-rustup");
    at(&folder, fs::create_dir_all(&folder))?;
    let stub = folder.join("rustup");
    at(&stub, fs::write(&stub, "#!/bin/sh\necho 'rustup is shut out here' >&2\nexit 1\n"))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        at(&stub, fs::set_permissions(&stub, fs::Permissions::from_mode(0o755)))?;
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths([folder].into_iter().chain(env::split_paths(&path)))
        .map_err(|error| format!("PATH cannot be extended: {error}"))?;
    command.env("RUSTC_BOOTSTRAP", "1").env("PATH", path);
    Ok(command)
}
