//! The comparison with other libraries: builds the harness with everybody in it, runs it, and has it write the page.
//!
//! Compiled for the processor at hand, as people compile who care; HPTT where a C++ compiler is found, with a CMake from
//! PyPI where the machine has none; Python's packages where they are asked for.

use std::env;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::python::Venv;
use crate::shell::{Failure, Result, at, cargo, output, run, say, version_of};

const CMAKE: &str = "cmake==4.4.4";

const PACKAGES: &[&str] = &[
    "numpy==2.4.6",
    "opencv-python-headless==5.0.0.93",
    "jax==0.10.2",
    "jaxlib==0.10.2",
    "scipy-openblas32==0.3.34.481.3",
];

/// Several gigabytes with what it cannot be imported without.
const TORCH: &str = "torch==2.15.0";

const COUNTS: &str = "benches/peers/counts.json";

/// What was measured, and the page that shows it: machines with AVX-512 and those without have other kernels, and each its
/// own.
fn results() -> &'static str {
    if has("avx512vbmi") { "benches/peers/results.json" } else { "benches/peers/results-avx2.json" }
}

fn page() -> &'static str {
    if has("avx512vbmi") { "docs/src/benchmarks.md" } else { "docs/src/benchmarks-avx2.md" }
}

/// The cases whose instructions are counted: so short that time is too noisy.
const COUNTED: &[&str] = &[
    "contig_64B",
    "tiny_T3x3_f4",
    "tiny_T4x4_u1",
    "tiny_T8x8_f8",
    "tiny_crop_8x8_f4",
    "tiny_perm_4x4x4_f4",
    "tiny_rev_16_f8",
    "tiny_step_16_f4",
    "ind_small_f4",
];

/// What the command line asks for.
#[derive(Debug, Default)]
pub(crate) struct Options {
    pub(crate) threads: Option<String>,
    pub(crate) python: bool,
    pub(crate) torch: bool,
    pub(crate) report: bool,
    pub(crate) losses: bool,
    pub(crate) counts: bool,
    /// What the harness understands itself: `--only`, `--budget` and the like, with their values.
    pub(crate) passed_on: Vec<OsString>,
}

/// The task.
pub(crate) fn task(options: &Options) -> Result {
    if options.report || options.losses {
        return from_results(options.losses);
    }
    if options.counts {
        count()?;
        return from_results(false);
    }
    let mut search = env::var_os("PATH").unwrap_or_default();
    let mut features = vec!["strided"];
    match cmake(&search) {
        Ok(with_cmake) => {
            search = with_cmake;
            features.push("hptt");
        }
        Err(why) => say(&format!("without HPTT: {why}")),
    }
    let mut build = cargo(["build", "--locked", "--profile", "peers", "--package", "extbuf-peers"]);
    build.args(["--features", &features.join(",")]);
    build.args(if options.python { ["--example", "peers"] } else { ["--bin", "extbuf-peers"] });
    build.env("RUSTFLAGS", "-C target-cpu=native").env("PATH", search);
    if has("avx") {
        // The crate leaves HPTT's own kernels off.
        build.env("CXXFLAGS", "-DHPTT_ARCH_AVX");
    }
    run(&mut build)?;
    let venv = if options.python { Some(venv(options.torch)?) } else { None };
    let counts = options.threads.as_deref().map_or(vec!["1", "2"], |count| vec![count]);
    for threads in counts {
        let mut measure = match &venv {
            None => Command::new("target/peers/extbuf-peers"),
            Some(venv) => {
                let mut python = Command::new(venv.program("python"));
                python
                    .env("PYTHONDONTWRITEBYTECODE", "1")
                    .arg("benches/peers/python/peers.py")
                    .arg(library()?);
                python
            }
        };
        measure.args(["measure", "--results", results(), "--threads", threads]);
        measure.args(["--commit", &commit()?, "--date", &today()?]).args(&options.passed_on);
        // Whoever allocates its result gets warm pages again, so that page faults are charged to nobody.
        measure.env("MALLOC_MMAP_MAX_", "0").env("MALLOC_TRIM_THRESHOLD_", (64u64 << 30).to_string());
        measure.env("MALLOC_TOP_PAD_", (64u64 << 20).to_string());
        run(&mut measure)?;
    }
    from_results(false)
}

/// Writes the page from the results, or prints what is lost.
fn from_results(losses: bool) -> Result {
    let mut command = cargo(["run", "--locked", "--quiet", "--package", "extbuf-peers", "--"]);
    if losses {
        command.args(["losses", "--results", results()]);
    } else {
        command.args(["report", "--results", results(), "--counts", COUNTS, "--page", page()]);
    }
    run(&mut command)
}

/// A search path on which `cmake` is found, if C++ can be compiled at all.
fn cmake(search: &OsString) -> Result<OsString> {
    if version_of("c++", &["--version"]).is_none() {
        return Err("there is no C++ compiler".into());
    }
    if version_of("cmake", &["--version"]).is_some() {
        return Ok(search.clone());
    }
    let program = std::path::absolute(Venv::with("cmake", &[CMAKE])?.program("cmake"))?;
    let folder = program.parent().map(Path::to_owned);
    env::join_paths(folder.into_iter().chain(env::split_paths(search)))
        .map_err(|error| error.to_string().into())
}

fn venv(torch: bool) -> Result<Venv> {
    let mut packages = PACKAGES.to_vec();
    if torch {
        packages.push(TORCH);
    }
    Venv::with(if torch { "peers-torch" } else { "peers" }, &packages)
}

/// The harness as Python loads it.
fn library() -> Result<PathBuf> {
    let name = format!("{}peers{}", env::consts::DLL_PREFIX, env::consts::DLL_SUFFIX);
    Ok(std::path::absolute(Path::new("target/peers/examples").join(name))?)
}

/// Whether the processor has these instructions, where the system tells (Linux).
fn has(flag: &str) -> bool {
    std::fs::read_to_string("/proc/cpuinfo")
        .is_ok_and(|about| about.split_whitespace().any(|word| word == flag))
}

/// What is measured, with a `+` where files of the libraries differ from what is committed.
fn commit() -> Result<String> {
    let name = output(Command::new("git").args(["rev-parse", "--short", "HEAD"]))?;
    let changed = output(Command::new("git").args(["status", "--porcelain", "--", "crates"]))?;
    Ok(format!("{}{}", name.trim(), if changed.trim().is_empty() { "" } else { "+" }))
}

fn today() -> Result<String> {
    Ok(output(Command::new("date").arg("+%F"))?.trim().to_owned())
}

/// Counts the instructions of the shortest cases and keeps them in a file: a run of many copies less a run of one.
fn count() -> Result {
    const TIMES: u64 = 1000;
    if version_of("valgrind", &["--version"]).is_none() {
        return Err("valgrind is needed and was not found (on Debian: apt install valgrind)".into());
    }
    // For any processor of the architecture: valgrind knows nothing wider than AVX2.
    run(&mut cargo([
        "build",
        "--locked",
        "--release",
        "--package",
        "extbuf-peers",
        "--bin",
        "extbuf-peers",
    ]))?;
    let mut lines = Vec::new();
    for case in COUNTED {
        let mut per_copy = Vec::new();
        for way in [&[][..], &["--one-shot"]] {
            let many = instructions(case, TIMES + 1, way)?;
            let one = instructions(case, 1, way)?;
            per_copy.push((many.saturating_sub(one) + TIMES / 2) / TIMES);
        }
        say(&format!("{case:<20} {:>6} {:>6}", per_copy[0], per_copy[1]));
        lines.push(format!("\"{case}\": [{}, {}]", per_copy[0], per_copy[1]));
    }
    let mut text = String::from("{\n");
    let _ = write!(text, "\"commit\": \"{}\",\n\"date\": \"{}\",\n\"cases\": {{\n", commit()?, today()?);
    let _ = write!(text, "{}\n}}\n}}\n", lines.join(",\n"));
    at(Path::new(COUNTS), std::fs::write(COUNTS, text))
}

fn instructions(case: &str, times: u64, way: &[&str]) -> Result<u64> {
    let mut command = Command::new("valgrind");
    command.args([
        "--tool=callgrind",
        "--callgrind-out-file=/dev/null",
        "target/release/extbuf-peers",
        "once",
    ]);
    command.args(["--only", &format!("^{case}$"), "--times", &times.to_string()]).args(way);
    let ran = command.output()?;
    let said = String::from_utf8_lossy(&ran.stderr);
    let found = said.lines().find_map(|line| line.split("Collected :").nth(1)?.trim().parse().ok());
    found.ok_or_else(|| Failure::from(format!("valgrind said nothing of {case}: {}", said.trim_end())))
}
