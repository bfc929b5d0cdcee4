//! Every check of the workspace, in the order in which they fail fastest.
//!
//! Each step prints the commands it runs, so that a person can run one of them by hand, and the run ends with a
//! table of steps and times. It stops at the first step that fails and leaves with that step's exit code.

use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;
use std::time::{Duration, Instant};
use std::{fmt, fs};

use crate::packages::Package;
use crate::shell::{Failure, Result, at, cargo, output, root, run, say, version_of};
use crate::{bench, deps, docs, fuzz, guards, machines, msrv, packages, python, sanitizers, soak, tidy};

/// What the command line asks for.
#[derive(Debug, Default)]
pub(crate) struct Options {
    pub(crate) list: bool,
    pub(crate) only: Vec<String>,
    pub(crate) full: bool,
    pub(crate) no_python: bool,
    pub(crate) keep_going: bool,
}

struct Step {
    name: &'static str,
    what: &'static str,
    run: fn() -> Result,
    when: When,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    Always,
    /// With `--full`, or when named by `--only`.
    Full,
    /// Unless `--no-python`.
    Python,
}

const STEPS: &[Step] = &[
    Step { name: "fmt", what: "every file is formatted", run: fmt, when: When::Always },
    Step { name: "tidy", what: "the architecture holds", run: tidy::task, when: When::Always },
    Step {
        name: "clippy",
        what: "no warning, with and without default features",
        run: clippy,
        when: When::Always,
    },
    Step {
        name: "deps",
        what: "licences and sources of what we build with",
        run: deps::step,
        when: When::Always,
    },
    Step {
        name: "msrv",
        what: "no dependency needs more than rust-version",
        run: msrv::step,
        when: When::Always,
    },
    Step { name: "test", what: "all tests and all examples in the docs", run: test, when: When::Always },
    Step {
        name: "compile-fail",
        what: "what must not compile fails with the error that it should",
        run: compile_fail,
        when: When::Always,
    },
    Step {
        name: "no-default-features",
        what: "the libraries' tests without their default features",
        run: no_default_features,
        when: When::Always,
    },
    Step {
        name: "all-features",
        what: "the libraries' tests with the features that are off by default",
        run: all_features,
        when: When::Always,
    },
    Step { name: "docs", what: "the site: no warning, no dead link", run: docs::step, when: When::Always },
    Step {
        name: "python",
        what: "the program and the Python package",
        run: python::step,
        when: When::Python,
    },
    Step {
        name: "old-rust",
        what: "the compiler of rust-version builds",
        run: msrv::old_compilers,
        when: When::Full,
    },
    Step {
        name: "package",
        what: "each published crate builds from its package alone",
        run: package,
        when: When::Full,
    },
    Step {
        name: "worlds",
        what: "every layout and slice of small worlds, against counting",
        run: worlds,
        when: When::Full,
    },
    Step {
        name: "campaign",
        what: "100 000 random copies against the slow way",
        run: campaign,
        when: When::Full,
    },
    Step { name: "loom", what: "threads at leases and locks, in every order", run: loom, when: When::Full },
    Step {
        name: "asan",
        what: "all tests but Python's: no address that is not theirs",
        run: sanitizers::address,
        when: When::Full,
    },
    Step {
        name: "tsan",
        what: "lending and copying: no two threads at one place",
        run: sanitizers::thread,
        when: When::Full,
    },
    Step {
        name: "msan",
        what: "copying: no byte that nobody wrote",
        run: sanitizers::memory,
        when: When::Full,
    },
    Step {
        name: "valgrind",
        what: "the Python package in its interpreter",
        run: sanitizers::valgrind,
        when: When::Full,
    },
    Step { name: "i686", what: "the tests with 32 bits", run: machines::narrow, when: When::Full },
    Step { name: "s390x", what: "the tests big-endian", run: machines::big_endian, when: When::Full },
    Step {
        name: "aarch64",
        what: "the tests of copies in ARM's registers",
        run: machines::arm,
        when: When::Full,
    },
    Step { name: "no-std", what: "the build without a system", run: machines::bare, when: When::Full },
    Step { name: "features", what: "each set of features builds", run: guards::features, when: When::Full },
    Step {
        name: "api",
        what: "what the libraries offer is what was committed",
        run: guards::api,
        when: When::Full,
    },
    Step { name: "bench-smoke", what: "each bench runs once", run: bench::smoke, when: When::Full },
    Step { name: "soak-smoke", what: "threads at random for 20 seconds", run: soak::step, when: When::Full },
    Step { name: "fuzz-smoke", what: "each fuzz target for 20 seconds", run: fuzz::step, when: When::Full },
];

enum Outcome {
    Passed(Took),
    Failed(Took, Failure),
    Skipped(&'static str),
}

/// Runs the steps.
pub(crate) fn task(options: &Options) -> Result {
    if options.list {
        for Step { name, what, when, .. } in STEPS {
            let when = match when {
                When::Always => "",
                When::Full => " (with --full)",
                When::Python => " (unless --no-python)",
            };
            say(&format!("{name:<20} {what}{when}"));
        }
        return Ok(());
    }
    if let Some(unknown) = options.only.iter().find(|only| STEPS.iter().all(|step| step.name != **only)) {
        return Err(Failure {
            message: format!("there is no step `{unknown}`; `cargo xtask ci --list` names them"),
            code: 2,
        });
    }
    let mut outcomes: Vec<(&Step, Outcome)> = Vec::new();
    for step in STEPS {
        let outcome = match skipped(step, options, &outcomes) {
            Some(why) => Outcome::Skipped(why),
            None => timed(step),
        };
        outcomes.push((step, outcome));
    }
    summary(&outcomes);
    let failed: Vec<_> = outcomes
        .iter()
        .filter_map(|(step, outcome)| match outcome {
            Outcome::Failed(_, failure) => Some((step.name, failure.code)),
            _ => None,
        })
        .collect();
    let Some(&(first, code)) = failed.first() else { return Ok(()) };
    let names: Vec<_> = failed.iter().map(|(name, _)| *name).collect();
    let again = format!("`cargo xtask ci --only {first}` runs that step alone");
    Err(Failure {
        message: format!("failed: {}; what was said stands above; {again}", names.join(", ")),
        code,
    })
}

/// Why this step is left out, if it is.
fn skipped(step: &Step, options: &Options, before: &[(&Step, Outcome)]) -> Option<&'static str> {
    let named = options.only.iter().any(|only| only == step.name);
    let failed = before.iter().any(|(_, outcome)| matches!(outcome, Outcome::Failed(..)));
    if !options.only.is_empty() && !named {
        Some("not asked for")
    } else if failed && !options.keep_going {
        Some("a step before it failed")
    } else if step.when == When::Full && !options.full && !named {
        Some("--full runs it")
    } else if step.when == When::Python && options.no_python {
        Some("--no-python")
    } else {
        None
    }
}

fn timed(step: &Step) -> Outcome {
    say(&format!("\n== {}: {}", step.name, step.what));
    let (start, before) = (Instant::now(), children());
    let result = (step.run)();
    let took = Took {
        wall: start.elapsed(),
        processors: before.zip(children()).map(|(before, after)| after.saturating_sub(before)),
    };
    match result {
        Ok(()) => Outcome::Passed(took),
        Err(failure) => {
            say(&format!("== {} failed: {failure}", step.name));
            Outcome::Failed(took, failure)
        }
    }
}

/// How long a step took by the clock, and how long its commands kept processors busy: on a machine that does other
/// things too the second says more.
#[derive(Clone, Copy)]
struct Took {
    wall: Duration,
    processors: Option<Duration>,
}

impl fmt::Display for Took {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>7.1} s", self.wall.as_secs_f64())?;
        match self.processors {
            Some(busy) => write!(f, "  {:>7.1} s of processors", busy.as_secs_f64()),
            None => Ok(()),
        }
    }
}

/// The processor time of all commands that have ended, where the system tells (Linux, in hundredths of a second).
fn children() -> Option<Duration> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program may hold blanks; what counts stands behind its bracket, 14 and 15 fields on.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(13);
    let mut hundredths = || fields.next()?.parse::<u64>().ok();
    Some(Duration::from_millis(10 * (hundredths()? + hundredths()?)))
}

fn summary(outcomes: &[(&Step, Outcome)]) {
    say("");
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for (Step { name, .. }, outcome) in outcomes {
        match outcome {
            Outcome::Passed(time) => {
                passed += 1;
                say(&format!("{name:<20} ok     {time}"));
            }
            Outcome::Failed(time, _) => {
                failed += 1;
                say(&format!("{name:<20} FAILED {time}"));
            }
            Outcome::Skipped(why) => {
                skipped += 1;
                say(&format!("{name:<20} -              {why}"));
            }
        }
    }
    say(&format!("steps: {passed} passed, {failed} failed, {skipped} skipped"));
}

fn fmt() -> Result {
    run(&mut cargo(["fmt", "--all", "--check"]))
}

/// But for the harness with other people's libraries: the step `bench-smoke` builds those.
const ALL: [&str; 4] = ["--locked", "--workspace", "--exclude", bench::PEERS];

fn clippy() -> Result {
    run(cargo(["clippy", "--all-targets"]).args(ALL).args(["--", "-D", "warnings"]))?;
    // One library at a time and without its tests: in one build, or with the tests' dependencies, Cargo would turn
    // on features that the library alone does not have.
    for library in packages::libraries()? {
        let mut command = cargo(["clippy", "--locked", "--no-default-features", "--package", &library.name]);
        run(command.args(["--", "-D", "warnings"]))?;
    }
    for library in packages::libraries()?.iter().filter(|library| library.has_extras) {
        let mut command =
            cargo(["clippy", "--locked", "--all-features", "--all-targets", "--package", &library.name]);
        run(command.args(["--", "-D", "warnings"]))?;
    }
    Ok(())
}

fn test() -> Result {
    if has_nextest() {
        run(cargo(["nextest", "run", "--no-fail-fast"]).args(ALL))?;
        run(cargo(["test", "--doc"]).args(ALL))
    } else {
        run(cargo(["test", "--no-fail-fast"]).args(ALL))
    }
}

/// Stable rustdoc checks that an example marked `compile_fail,E0502` does not compile; that it fails with this very
/// error it checks only where unstable features are on. They are on for rustdoc alone: build scripts ask for the same
/// variable, and whatever they belong to would be built twice, for this step and again for the next.
fn compile_fail() -> Result {
    let mut command = cargo(["test", "--locked", "--doc", "--package", "extbuf-protocol"]);
    if !cfg!(unix) {
        return run(command.env("RUSTC_BOOTSTRAP", "1"));
    }
    let rustdoc = Path::new("target/rustdoc-with-unstable-features");
    at(Path::new("target"), fs::create_dir_all("target"))?;
    let script = "#!/bin/sh\nRUSTC_BOOTSTRAP=1 exec rustdoc \"$@\"\n";
    at(rustdoc, fs::write(rustdoc, script))?;
    output(Command::new("chmod").arg("+x").arg(rustdoc))?;
    run(command.env("RUSTDOC", root().join(rustdoc)))
}

fn worlds() -> Result {
    let arguments = ["test", "--locked", "--release", "--package", "extbuf-layout", "--test", "worlds"];
    run(cargo(arguments).args(["--", "--nocapture"]).env("EXTBUF_WORLDS", "full"))
}

fn campaign() -> Result {
    let arguments = ["test", "--locked", "--release", "--package", "extbuf-copy", "--test", "campaign"];
    run(cargo(arguments).args(["--", "--nocapture"]).env("EXTBUF_CASES", "100000"))
}

/// The crate once more, with loom's atomics and locks in the place of the standard library's: in a folder of its own,
/// since the flag is every crate's.
fn loom() -> Result {
    let arguments = ["test", "--locked", "--release", "--package", "extbuf-protocol", "--test", "loom"];
    let mut command = cargo(arguments);
    run(command.args(["--target-dir", "target/loom"]).env("RUSTFLAGS", "--cfg loom"))
}

fn no_default_features() -> Result {
    packages::libraries()?.iter().try_for_each(|library| test_one(library, "--no-default-features"))
}

fn all_features() -> Result {
    let libraries = packages::libraries()?;
    libraries
        .iter()
        .filter(|library| library.has_extras)
        .try_for_each(|library| test_one(library, "--all-features"))
}

/// What a package leaves out, a file that it includes from elsewhere say, is found nowhere else.
fn package() -> Result {
    let mut command = cargo(["package", "--locked", "--allow-dirty"]);
    for member in packages::members()?.iter().filter(|member| member.published) {
        command.args(["--package", &member.name]);
    }
    run(&mut command)
}

/// Random copies with other features than usual: what moves the bytes is the same.
const CASES: &str = "1000";

/// Tests one library with other features than usual, its documentation's examples too.
fn test_one(library: &Package, features: &str) -> Result {
    let arguments = ["--locked", features, "--package", &library.name];
    if has_nextest() {
        let mut tests = cargo(["nextest", "run", "--no-tests=pass", "--no-fail-fast"]);
        run(tests.args(arguments).env("EXTBUF_CASES", CASES))?;
        run(cargo(["test", "--doc"]).args(arguments))
    } else {
        run(cargo(["test", "--no-fail-fast"]).args(arguments).env("EXTBUF_CASES", CASES))
    }
}

/// The runner that shows failures best, if it is installed; `cargo test` runs the same tests.
fn has_nextest() -> bool {
    static FOUND: LazyLock<bool> = LazyLock::new(|| {
        let found = version_of("cargo", &["nextest", "--version"]).is_some();
        if !found {
            say(
                "cargo-nextest is not installed, so `cargo test` runs the tests (`cargo xtask doctor` says more)",
            );
        }
        found
    });
    *FOUND
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(name: &'static str, when: When) -> Step {
        Step { name, what: "", run: || Ok(()), when }
    }

    #[test]
    fn what_is_left_out_is_left_out_for_a_reason() {
        let (plain, slow, python) =
            (step("plain", When::Always), step("slow", When::Full), step("python", When::Python));
        let took = Took { wall: Duration::ZERO, processors: None };
        let failed = [(&plain, Outcome::Failed(took, "no".into()))];
        let all = Options::default();
        assert_eq!(skipped(&plain, &all, &[]), None);
        assert_eq!(skipped(&plain, &all, &failed), Some("a step before it failed"));
        assert_eq!(skipped(&slow, &all, &[]), Some("--full runs it"));
        assert_eq!(skipped(&python, &all, &[]), None);
        assert_eq!(skipped(&python, &Options { no_python: true, ..all }, &[]), Some("--no-python"));
        assert_eq!(skipped(&plain, &Options { keep_going: true, ..Options::default() }, &failed), None);
        let only = Options { only: vec!["slow".to_owned()], ..Options::default() };
        assert_eq!(skipped(&slow, &only, &[]), None);
        assert_eq!(skipped(&plain, &only, &[]), Some("not asked for"));
    }

    #[test]
    fn an_unknown_step_is_refused_before_anything_runs() {
        let options = Options { only: vec!["testt".to_owned()], ..Options::default() };
        let failure = task(&options).unwrap_err();
        assert_eq!(failure.code, 2);
        assert!(failure.message.contains("testt"), "{failure}");
    }
}
