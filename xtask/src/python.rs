//! Python for the tests and tools that need it: virtual environments under `target/venv/`, with pinned packages.
//!
//! Nothing is taken from or put into the Python of the machine but the interpreter and its `venv` module.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use crate::shell::{Result, at, cargo, files_below, output, run, say};
use crate::wheel;

/// What the tests compare with: the arrays, the photographs and the test runner.
const TESTS: &[&str] = &["numpy==2.4.6", "scikit-image==0.26.0", "pytest==9.2.0"];

/// A virtual environment that holds the packages asked for.
#[derive(Debug)]
pub(crate) struct Venv {
    folder: PathBuf,
}

impl Venv {
    /// Makes the environment `target/venv/NAME`, or takes the one that is there if it holds these packages.
    pub(crate) fn with(name: &str, packages: &[&str]) -> Result<Self> {
        Self::of(Path::new(interpreter()?), name, packages)
    }

    /// The same, of a certain interpreter.
    pub(crate) fn of(interpreter: &Path, name: &str, packages: &[&str]) -> Result<Self> {
        let venv = Self { folder: Path::new("target/venv").join(name) };
        let stamp = venv.folder.join("installed.txt");
        let wanted = packages.join("\n");
        if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) && venv.works() {
            return Ok(venv);
        }
        if venv.folder.exists() {
            at(&venv.folder, fs::remove_dir_all(&venv.folder))?;
        }
        run(Command::new(interpreter).args(["-m", "venv"]).arg(&venv.folder)).map_err(|failure| {
            format!("{failure}; Python's `venv` module is needed (on Debian: apt install python3-venv)")
        })?;
        let mut pip = Command::new(venv.program("python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(packages);
        run(&mut pip)
            .map_err(|failure| format!("{failure}; pip could not install {}", packages.join(", ")))?;
        at(&stamp, fs::write(&stamp, wanted))?;
        Ok(venv)
    }

    /// A program of the environment.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.folder.join(if cfg!(windows) { "Scripts" } else { "bin" }).join(name)
    }

    fn works(&self) -> bool {
        output(Command::new(self.program("python")).arg("--version")).is_ok()
    }
}

/// The interpreter of the machine.
pub(crate) fn interpreter() -> Result<&'static str> {
    ["python3", "python"]
        .into_iter()
        .find(|name| {
            output(Command::new(name).args(["-c", "import sys; assert sys.version_info >= (3, 11)"])).is_ok()
        })
        .ok_or_else(|| "Python 3.11 or newer is needed and was not found".into())
}

/// The step: every `crates/*/tests/python/test_*.py`, against the `extbuf` program as it is built for tests (what is
/// compared is bytes, and an optimised build would take longer than all of them), the tests of the format crate that ask
/// the interpreter, and the Python package.
pub(crate) fn step() -> Result {
    // The wheel is optimised as a whole, for the most part on one processor; the other one tests meanwhile.
    let (tested, wheel) = thread::scope(|scope| {
        let building = scope.spawn(wheel::build);
        (program(), building.join().expect("no panic"))
    });
    tested?;
    wheel::test(&wheel?, None)
}

fn program() -> Result {
    let tests = tests()?;
    if tests.is_empty() {
        return Err("there is no crates/*/tests/python/test_*.py to run".into());
    }
    let venv = Venv::with("tests", TESTS)
        .map_err(|failure| format!("{failure}\n`cargo xtask ci --no-python` leaves this step out"))?;
    run(&mut cargo(["build", "--locked", "--package", "extbuf-cli"]))?;
    let binary = fs::canonicalize(format!("target/debug/extbuf{}", std::env::consts::EXE_SUFFIX))?;
    let mut pytest = Command::new(venv.program("python"));
    // The tests lie in the source tree: no byte code and no cache is written beside them.
    pytest.env("EXTBUF_BIN", binary).env("PYTHONDONTWRITEBYTECODE", "1");
    // Uncaptured: how much was compared is part of the answer.
    pytest.args(["-m", "pytest", "--quiet", "--capture=no", "-p", "no:cacheprovider"]).args(tests);
    run(&mut pytest)?;
    let python = std::path::absolute(venv.program("python"))?;
    for package in ["extbuf-format", "extbuf-copy"] {
        let mut against = cargo(["test", "--locked", "--package", package, "--test", "python"]);
        run(against.env("EXTBUF_PYTHON", &python).args(["--", "--nocapture", "--test-threads=1"]))?;
    }
    Ok(())
}

/// What is tested with the program and Python, in the order of the names; the Python package is tested as a wheel.
fn tests() -> Result<Vec<PathBuf>> {
    let mut tests = Vec::new();
    for folder in at(Path::new("crates"), fs::read_dir("crates"))? {
        let folder = folder?.path().join("tests/python");
        if folder.is_dir() && !folder.starts_with("crates/extbuf-python") {
            tests.extend(tests_in(&folder)?);
        }
    }
    if tests.is_empty() {
        say("no file named test_*.py lies in crates/*/tests/python");
    }
    tests.sort();
    Ok(tests)
}

/// The tests below a folder, in the order of the names.
pub(crate) fn tests_in(folder: &Path) -> Result<Vec<PathBuf>> {
    Ok(files_below(folder, &|_| false)?.into_iter().filter(|path| is_test(path)).collect())
}

fn is_test(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with("test_") && name.ends_with(".py")
}
