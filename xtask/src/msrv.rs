//! The promise `rust-version`, checked as far as one machine can.
//!
//! Three things can break it: a library crate that calls what a newer standard library has (clippy's
//! `incompatible_msrv` refuses that in the step `clippy`, reading the same `rust-version`), a dependency that wants
//! a newer compiler (refused in the step `msrv`), and newer language or Cargo syntax. Only the old compiler itself can
//! tell that, so in the step `old-rust` it builds all features of the libraries that promise it: rustup's where it is
//! installed, else Debian's, unpacked under `target/`. The step says where neither has one.

use std::collections::{BTreeMap, HashSet};

use crate::debian::Compiler;
use crate::packages::{self, Package};
use crate::shell::{Result, cargo, output, run, say, version_of};

/// The step `msrv`: no dependency needs more than what is promised.
pub(crate) fn step() -> Result {
    let libraries = packages::libraries()?;
    let all = packages::all()?;
    for (promise, libraries) in promises(&libraries)? {
        for library in libraries {
            let needed = dependencies(&library.name, "normal,build")?;
            for package in all.iter().filter(|p| needed.contains(&(p.name.clone(), p.version.clone()))) {
                if too_new(package, promise) {
                    return Err(format!(
                        "{} promises Rust {promise}, but {} {} needs {}: choose an older version of it or raise \
                         the promise",
                        library.name,
                        package.name,
                        package.version,
                        package.rust_version.as_deref().unwrap_or_default()
                    )
                    .into());
                }
            }
            say(&format!("{}: {} packages, none needs more than Rust {promise}", library.name, needed.len()));
        }
    }
    Ok(())
}

/// The step `old-rust`: the compilers that are promised build the libraries.
pub(crate) fn old_compilers() -> Result {
    let libraries = packages::libraries()?;
    promises(&libraries)?
        .iter()
        .try_for_each(|(promise, libraries)| with_the_old_compiler(promise, libraries))
}

/// The libraries by what they promise: most do what the workspace does, some less (`NEWER` in `tidy/manifests.rs`).
fn promises(libraries: &[Package]) -> Result<BTreeMap<&str, Vec<&Package>>> {
    let mut promises: BTreeMap<&str, Vec<&Package>> = BTreeMap::new();
    for library in libraries {
        let promise =
            library.rust_version.as_deref().ok_or(format!("{} has no rust-version", library.name))?;
        promises.entry(promise).or_default().push(library);
    }
    Ok(promises)
}

/// By the compiler of that version and its own Cargo: rustup's where it is installed, else Debian's.
fn with_the_old_compiler(promise: &str, libraries: &[&Package]) -> Result {
    // `rustup run` installs nothing on its own, unlike `cargo +VERSION`.
    let mut command = if version_of("rustup", &["run", promise, "cargo", "--version"]).is_some() {
        let toolchain = format!("+{promise}");
        cargo([toolchain.as_str()])
    } else if let Some(compiler) = Compiler::of(promise)
        .map_err(|failure| format!("{failure}; or `rustup toolchain install {promise}` brings it"))?
    {
        compiler.own_cargo()
    } else {
        let names: Vec<_> = libraries.iter().map(|library| &*library.name).collect();
        say(&format!(
            "no compiler of Rust {promise} is to be had without rustup, so the syntax of {} is not tried by it: \
             `rustup toolchain install {promise}` brings it; clippy checked what they call",
            names.join(", ")
        ));
        return Ok(());
    };
    command.args(["check", "--locked", "--all-features", "--target-dir", "target/msrv"]);
    for library in libraries {
        command.args(["--package", &library.name]);
    }
    run(&mut command)
}

/// Name and version of all that a build of this package compiles, as far as these kinds of `cargo tree` lead to it.
pub(crate) fn dependencies(package: &str, edges: &str) -> Result<HashSet<(String, String)>> {
    let mut tree = cargo(["tree", "--locked", "--all-features", "--edges", edges]);
    let printed = output(tree.args(["--prefix", "none", "--format", "{p}", "--package", package]))?;
    Ok(printed.lines().filter_map(named).collect())
}

/// `rayon v1.12.0 (…)` as name and version.
fn named(line: &str) -> Option<(String, String)> {
    let mut words = line.split(' ');
    Some((words.next()?.to_owned(), words.next()?.strip_prefix('v')?.to_owned()))
}

fn too_new(package: &Package, promise: &str) -> bool {
    package.rust_version.as_deref().is_some_and(|needed| numbers(needed) > numbers(promise))
}

/// `1.85` and `1.85.0` as the same three numbers.
fn numbers(version: &str) -> [u32; 3] {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    std::array::from_fn(|_| parts.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        assert!(numbers("1.100") > numbers("1.85"));
        assert_eq!(numbers("1.85"), numbers("1.85.0"));
    }

    #[test]
    fn a_line_of_the_tree_names_a_package() {
        let expected = ("rayon".to_owned(), "1.12.0".to_owned());
        assert_eq!(named("rayon v1.12.0 (*)"), Some(expected));
        assert_eq!(named(""), None);
    }
}
