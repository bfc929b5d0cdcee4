//! Which tools are there and which are missing, each with the line that installs it.

use std::path::Path;

use crate::docs::MDBOOK;
use crate::machines::MACHINES;
use crate::shell::{Result, say, version_of};
use crate::{debian, guards, python};

/// Prints the list; missing tools are no failure, except those that `ci` cannot do without.
pub(crate) fn task() -> Result {
    let mut missing = Vec::new();
    let mut line = |name: &str, found: Option<String>, need: Need<'_>, install: &str| match found {
        Some(version) => say(&format!("ok       {name:<20} {version}")),
        None => {
            let word = match need {
                Need::Ci => "MISSING ",
                Need::Optional(_) => "absent  ",
            };
            let why = match need {
                Need::Ci => "`cargo xtask ci` needs it",
                Need::Optional(why) => why,
            };
            say(&format!("{word} {name:<20} {why}; install: {install}"));
            if need == Need::Ci {
                missing.push(name.to_owned());
            }
        }
    };
    line("cargo", version_of("cargo", &["--version"]), Need::Ci, "https://rustup.rs");
    line("rustfmt", version_of("cargo", &["fmt", "--version"]), Need::Ci, "rustup component add rustfmt");
    line("clippy", version_of("cargo", &["clippy", "--version"]), Need::Ci, "rustup component add clippy");
    line(
        "C compiler",
        version_of("cc", &["--version"]),
        Need::Ci,
        "your system's C compiler (on Debian: gcc)",
    );
    let interpreter = python::interpreter().ok();
    let version = interpreter.and_then(|name| version_of(name, &["--version"]));
    line("python", version, Need::Ci, "Python 3.11 or newer (or `cargo xtask ci --no-python`)");
    let module = |name: &str| {
        let script = format!("import {name}; print('there')");
        interpreter.and_then(|python| version_of(python, &["-c", &script]))
    };
    line(
        "ensurepip",
        module("venv, ensurepip"),
        Need::Ci,
        "Python's venv and pip (on Debian: apt install python3-venv)",
    );
    line(
        "_testbuffer",
        module("_testbuffer"),
        Need::Ci,
        "the tests of CPython (on Fedora: dnf install python3-test)",
    );
    line(
        "cargo-nextest",
        version_of("cargo", &["nextest", "--version"]),
        Need::Optional("runs the tests faster; `cargo test` stands in"),
        "cargo install cargo-nextest --locked",
    );
    line(
        "mdbook",
        version_of("mdbook", &["--version"]).filter(|version| version.ends_with(MDBOOK)),
        Need::Optional("builds the book; else a virtual environment under target/ gets it"),
        &format!("cargo install mdbook --version {MDBOOK} --locked"),
    );
    line(
        "cargo-fuzz",
        version_of("cargo", &["fuzz", "--version"]),
        Need::Optional("`cargo xtask ci --full` runs the fuzz targets with it"),
        "cargo install cargo-fuzz --locked",
    );
    line(
        "cargo-hack",
        hack(),
        Need::Optional("the step `features` builds it under target/"),
        &format!("cargo install cargo-hack --version {} --locked", guards::HACK),
    );
    let compilers = debian::versions().ok().filter(|versions| !versions.is_empty());
    line(
        "rustc-web",
        compilers.map(|versions| format!("{} of Debian, unpacked under target/", versions.join(" and "))),
        Need::Optional("`cargo xtask ci --full` builds with it"),
        debian::INSTALL,
    );
    line(
        "dpkg-deb",
        version_of("dpkg-deb", &["--version"]),
        Need::Optional("`cargo xtask ci --full` unpacks compilers with it"),
        "a system with Debian's packages; the step `old-rust` also takes rustup's old compilers",
    );
    line(
        "valgrind",
        version_of("valgrind", &["--version"]),
        Need::Optional("the step `valgrind` needs it"),
        "apt-get install valgrind",
    );
    for machine in &MACHINES {
        let steps = format!("the step `{}` needs it", machine.target.split('-').next().unwrap_or_default());
        for tool in [machine.linker, machine.emulator] {
            line(tool, version_of(tool, &["--version"]), Need::Optional(&steps), machine.install);
        }
    }
    if missing.is_empty() { Ok(()) } else { Err(format!("missing: {}", missing.join(", ")).into()) }
}

/// cargo-hack of the machine, or the one that the step has built.
fn hack() -> Option<String> {
    let built = Path::new(guards::TOOLS).join("bin/cargo-hack");
    let asked = ["hack", "--version"];
    version_of("cargo-hack", &asked).or_else(|| version_of(built, &asked))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Need<'a> {
    /// `cargo xtask ci` fails without it.
    Ci,
    /// Something else stands in, or only one step under `--full` wants it.
    Optional(&'a str),
}
