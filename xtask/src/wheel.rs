//! The Python package: its wheel is built once and tested on every interpreter of the machine that can load it, with
//! our tests and with the suites that ship with CPython.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use crate::python::{self, Venv, interpreter};
use crate::shell::{Result, at, output, run, run_held, say};

const CRATE: &str = "crates/extbuf-python";
const BUILDER: &[&str] = &["maturin==1.16.0"];
pub(crate) const TESTS: &[&str] = &["numpy==2.4.6", "pytest==9.2.0", "hypothesis==6.170.15", "mypy==2.4.1"];

/// The versions that the wheel is for, as far as they are out: one file serves them all.
const VERSIONS: &[(u32, u32)] = &[(3, 11), (3, 12), (3, 13), (3, 14)];

/// Builds the wheel and tests it; on one interpreter alone where one is named, as `3.12`.
pub(crate) fn task(only: Option<&str>) -> Result {
    test(&build()?, only)
}

/// Tests it, in an environment of its own for each interpreter.
pub(crate) fn test(wheel: &Path, only: Option<&str>) -> Result {
    let found = interpreters()?;
    let mut asked = Vec::new();
    for &(major, minor) in VERSIONS {
        let version = format!("{major}.{minor}");
        if only.is_some_and(|only| only != version) {
            continue;
        }
        match found.get(&(major, minor)) {
            Some(interpreter) => {
                // One after another: each fetches packages.
                asked.push((venv_of(&version, interpreter, wheel)?, version));
            }
            None => say(&format!("Python {version}: not on this machine, not run")),
        }
    }
    if asked.is_empty() {
        return Err("the wheel was tested on no interpreter: install CPython 3.11 or newer".into());
    }
    // All beside each other: each keeps one processor busy.
    thread::scope(|scope| {
        let running: Vec<_> =
            asked.iter().map(|(venv, version)| scope.spawn(move || test_on(venv, version))).collect();
        // All of them end before the first failure is told.
        let ended: Vec<Result> = running.into_iter().map(|one| one.join().expect("no panic")).collect();
        ended.into_iter().collect()
    })
}

/// The wheel, as people install it, alone under `target/wheels/`.
pub(crate) fn build() -> Result<PathBuf> {
    let venv = Venv::with("maturin", BUILDER)?;
    let folder = Path::new("target/wheels");
    if folder.exists() {
        at(folder, fs::remove_dir_all(folder))?;
    }
    let mut maturin = Command::new(venv.program("maturin"));
    maturin.args(["build", "--quiet", "--locked", "--profile", "wheel", "--interpreter", interpreter()?]);
    maturin.args(["--manifest-path", &format!("{CRATE}/Cargo.toml"), "--out"]).arg(folder);
    run_held(maturin.env_remove("CARGO_TARGET_DIR"))?;
    let mut wheels = at(folder, folder.read_dir())?.flatten().map(|entry| entry.path());
    wheels.next().ok_or_else(|| "maturin built no wheel".into())
}

/// An environment of this interpreter with the wheel in it.
fn venv_of(version: &str, interpreter: &Path, wheel: &Path) -> Result<Venv> {
    let venv = Venv::of(interpreter, &format!("wheel-{version}"), TESTS)?;
    install(&venv, wheel)?;
    Ok(venv)
}

/// Our tests and those of CPython, in this environment.
fn test_on(venv: &Venv, version: &str) -> Result {
    say(&format!("Python {version} begins; what it says comes when it ends"));
    let ours = Path::new(CRATE).join("tests/python");
    let mut pytest = Command::new(venv.program("python"));
    pytest.env("PYTHONDONTWRITEBYTECODE", "1").args(["-m", "pytest", "--quiet", "-p", "no:cacheprovider"]);
    run_held(pytest.args(python::tests_in(&ours)?))?;
    let mut suites = Command::new(venv.program("python"));
    run_held(suites.env("PYTHONDONTWRITEBYTECODE", "1").arg(format!("{CRATE}/tests/suites/run.py")))
}

/// Puts the wheel into an environment that has the packages the tests want.
pub(crate) fn install(venv: &Venv, wheel: &Path) -> Result {
    let mut pip = Command::new(venv.program("python"));
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--force-reinstall",
        "--no-deps",
    ]);
    run(pip.arg(wheel))
}

/// The interpreters of the machine that can load the wheel, one of each version: those of the path and of pyenv.
fn interpreters() -> Result<BTreeMap<(u32, u32), PathBuf>> {
    let mut candidates: Vec<PathBuf> = vec![interpreter()?.into()];
    candidates.extend(VERSIONS.iter().map(|(major, minor)| format!("python{major}.{minor}").into()));
    let root = std::env::var_os("PYENV_ROOT").map(PathBuf::from);
    let home = std::env::var_os("HOME").map(|home| Path::new(&home).join(".pyenv"));
    if let Some(versions) = root.or(home).and_then(|root| root.join("versions").read_dir().ok()) {
        let mut folders: Vec<_> =
            versions.flatten().map(|version| version.path().join("bin/python")).collect();
        folders.sort();
        candidates.extend(folders);
    }
    let mut found = BTreeMap::new();
    for candidate in candidates {
        // Those without a global lock load no module of the stable ABI before 3.15.
        let question = "import sys, sysconfig; assert sys.implementation.name == 'cpython'; \
                        assert not sysconfig.get_config_var('Py_GIL_DISABLED'); print(*sys.version_info[:2])";
        let Ok(answer) = output(Command::new(&candidate).args(["-c", question])) else { continue };
        let mut numbers = answer.split_whitespace().filter_map(|word| word.parse().ok());
        if let (Some(major), Some(minor)) = (numbers.next(), numbers.next()) {
            found.insert((major, minor), candidate);
        }
    }
    Ok(found)
}
