//! What users of a version rely on: any set of features builds, and what the libraries offer changes on purpose only.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::packages::{self, Package};
use crate::shell::{Result, at, cargo, output, run, say, version_of};

/// Where the listings lie, one a library.
const LISTINGS: &str = "xtask/api";

/// Tools that steps install for themselves, from crates.io.
pub(crate) const TOOLS: &str = "target/tools";

pub(crate) const HACK: &str = "0.6.46";

/// Every set of features of every library, with its dependencies as they come with that set alone.
pub(crate) fn features() -> Result {
    let hack = hack_of(HACK)?;
    for library in packages::libraries()? {
        let mut command = Command::new(&hack);
        command.args(["hack", "check", "--feature-powerset", "--locked", "--quiet", "--lib"]);
        run(command.args(["--package", &library.name]).env_remove("CARGO_TARGET_DIR"))?;
    }
    Ok(())
}

/// cargo-hack of this version: that of the machine, or one that is built under `target/`.
fn hack_of(version: &str) -> Result<PathBuf> {
    let name = "cargo-hack";
    let there =
        |path: &Path| version_of(path, &["hack", "--version"]).is_some_and(|said| said.ends_with(version));
    if there(Path::new(name)) {
        return Ok(name.into());
    }
    let installed = Path::new(TOOLS).join("bin").join(name);
    if !there(&installed) {
        run(&mut cargo(["install", name, "--version", version, "--locked", "--quiet", "--root", TOOLS]))?;
    }
    Ok(std::path::absolute(installed)?)
}

/// The step: what each library offers, with all its features, is what was committed.
pub(crate) fn api() -> Result {
    let mut changed = Vec::new();
    for library in packages::libraries()? {
        let (file, now) = (listing(&library), offered(&library)?);
        let before = fs::read_to_string(&file).unwrap_or_default();
        let changes = differences(&before, &now);
        say(&format!("{}: {} public items, {} changes", library.name, now.lines().count(), changes.len()));
        changed.extend(changes);
    }
    if changed.is_empty() {
        return Ok(());
    }
    let advice = "`cargo xtask api` writes them down; the change log says them";
    Err(format!("the libraries offer something else than was committed ({advice}):\n{}", changed.join("\n"))
        .into())
}

/// The task: writes down what each library offers now.
pub(crate) fn bless() -> Result {
    at(Path::new(LISTINGS), fs::create_dir_all(LISTINGS))?;
    for library in packages::libraries()? {
        let file = listing(&library);
        at(&file, fs::write(&file, offered(&library)?))?;
        say(&format!("wrote {}", file.display()));
    }
    Ok(())
}

fn listing(library: &Package) -> PathBuf {
    Path::new(LISTINGS).join(format!("{}.txt", library.name))
}

/// One line an item. The JSON is rustdoc's, which writes it only where unstable features are on.
fn offered(library: &Package) -> Result<String> {
    let mut command = cargo(["rustdoc", "--locked", "--quiet", "--all-features", "--lib"]);
    command.args(["--package", &library.name, "--target-dir", "target/api"]);
    run(command.args(["--", "-Zunstable-options", "--output-format=json"]).env("RUSTC_BOOTSTRAP", "1"))?;
    let json = format!("target/api/doc/{}.json", library.name.replace('-', "_"));
    output(cargo(["run", "--locked", "--quiet", "--package", "xtask", "--example", "api", "--"]).arg(json))
}

/// The lines that only one of two listings has, `-` for what went and `+` for what came.
fn differences(before: &str, now: &str) -> Vec<String> {
    let (old, new): (HashSet<_>, HashSet<_>) = (before.lines().collect(), now.lines().collect());
    let gone = before.lines().filter(|line| !new.contains(line)).map(|line| format!("- {line}"));
    let come = now.lines().filter(|line| !old.contains(line)).map(|line| format!("+ {line}"));
    gone.chain(come).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_shows_what_went_and_what_came() {
        assert_eq!(differences("a\nb\n", "b\nc\n"), ["- a", "+ c"]);
        assert!(differences("a\nb\n", "a\nb\n").is_empty());
    }
}
