//! Other machines: the tests of the pure crates where a pointer has 32 bits, and where the first byte is the largest, and
//! those of copies in ARM's registers, under emulation; and the crates that need no operating system, built for machines
//! without one.
//!
//! None of these standard libraries comes with the compiler at hand, so a compiler of Debian's is taken: for some
//! machines its library is packed too, for the others it is built from source. Linking for another machine takes that
//! machine's C library, running takes an emulator, unless this one runs such programs itself: the C compilers and emulators of
//! Debian are asked for, not fetched.

use std::path::Path;

use crate::debian::Compiler;
use crate::sanitizers::quick;
use crate::shell::{Result, run, say, version_of};

/// Where tests run under an emulator.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) target: &'static str,
    pub(crate) linker: &'static str,
    pub(crate) emulator: &'static str,
    /// What loads programs there, and here too where the processor and the system run both kinds.
    loader: Option<&'static str>,
    /// Where its C library lies.
    libraries: &'static str,
    /// The line that installs linker, library and emulator.
    pub(crate) install: &'static str,
    /// What Debian calls it, if it has the standard library of the newest compiler for it; else that is built.
    library: Option<&'static str>,
    /// What is tested there, and with which features.
    packages: &'static [&'static str],
    features: &'static str,
}

pub(crate) const MACHINES: [Machine; 3] = [
    Machine {
        target: "i686-unknown-linux-gnu",
        linker: "i686-linux-gnu-gcc",
        emulator: "qemu-i386-static",
        loader: Some("/usr/i686-linux-gnu/lib/ld-linux.so.2"),
        libraries: "/usr/i686-linux-gnu",
        install: "apt-get install --no-install-recommends gcc-i686-linux-gnu libc6-dev-i386-cross qemu-user-static",
        library: Some("i386"),
        packages: &PURE,
        features: FEATURES,
    },
    Machine {
        target: "s390x-unknown-linux-gnu",
        linker: "s390x-linux-gnu-gcc",
        emulator: "qemu-s390x-static",
        loader: None,
        libraries: "/usr/s390x-linux-gnu",
        install: "apt-get install --no-install-recommends gcc-s390x-linux-gnu libc6-dev-s390x-cross qemu-user-static",
        library: None,
        packages: &PURE,
        features: FEATURES,
    },
    Machine {
        target: "aarch64-unknown-linux-gnu",
        linker: "aarch64-linux-gnu-gcc",
        emulator: "qemu-aarch64-static",
        loader: None,
        libraries: "/usr/aarch64-linux-gnu",
        install: "apt-get install --no-install-recommends gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static",
        library: Some("arm64"),
        packages: &["extbuf-copy"],
        features: "extbuf-copy/rayon",
    },
];

/// The crates whose tests do not need the machine they are built on.
const PURE: [&str; 4] = ["extbuf-format", "extbuf-layout", "extbuf-protocol", "extbuf-copy"];

/// All of their features but pictures, which take longer to be built than all the rest.
const FEATURES: &str = "extbuf-format/derive,extbuf-format/half,extbuf-format/num-complex,extbuf-protocol/memmap2,\
                        extbuf-protocol/ndarray,extbuf-protocol/rayon,extbuf-copy/rayon";

/// Random cases of the campaign of copies: an emulator takes its time, and the kinds are the same.
const CASES: &str = "1000";

/// The tests on a machine with 32 bits.
pub(crate) fn narrow() -> Result {
    tests_on(&MACHINES[0])
}

/// The tests on a machine whose numbers begin with the largest byte.
pub(crate) fn big_endian() -> Result {
    tests_on(&MACHINES[1])
}

/// The tests of what has a form of its own for ARM: the kernels.
pub(crate) fn arm() -> Result {
    tests_on(&MACHINES[2])
}

fn tests_on(machine: &Machine) -> Result {
    let loader = machine.loader.filter(|loader| version_of(loader, &["--version"]).is_some());
    let tools = [Some(machine.linker), Some(machine.emulator).filter(|_| loader.is_none())];
    if let Some(missing) = tools.into_iter().flatten().find(|tool| version_of(tool, &["--version"]).is_none())
    {
        return Err(format!("{missing} is needed: `{}` installs it", machine.install).into());
    }
    if !Path::new(machine.libraries).exists() {
        return Err(format!("{} is needed: `{}` installs it", machine.libraries, machine.install).into());
    }
    let compiler = Compiler::newest()?;
    let mut command =
        compiler.cargo(["test", "--locked", "--features", machine.features, "--lib", "--tests"]);
    for package in machine.packages {
        command.args(["--package", package]);
    }
    match machine.library {
        Some(architecture) => compiler.add_library(machine.target, architecture)?,
        None => drop(command.arg("-Zbuild-std")),
    }
    command.args(["--no-fail-fast", "--target", machine.target, "--target-dir", "target/machines"]);
    let variable = format!("CARGO_TARGET_{}", machine.target.to_uppercase().replace('-', "_"));
    command.env(format!("{variable}_LINKER"), machine.linker);
    let runner = match loader {
        Some(loader) => format!("{loader} --library-path {}/lib", machine.libraries),
        None => {
            quick(&mut command);
            format!("{} -L {}", machine.emulator, machine.libraries)
        }
    };
    run(command.env(format!("{variable}_RUNNER"), runner).env("EXTBUF_CASES", CASES))
}

/// Machines without an operating system: one with 64 bits, and one with 32 and no atomic numbers of 64.
pub(crate) const BARE: [&str; 2] = ["x86_64-unknown-none", "thumbv7em-none-eabi"];

/// What says of itself that it needs no standard library, and with which features it still does not.
const WITHOUT_STD: [(&str, &str); 3] =
    [("extbuf-format", "derive,half,num-complex"), ("extbuf-layout", ""), ("extbuf-protocol", "ndarray")];

/// Builds where there is no standard library to be used by mistake.
pub(crate) fn bare() -> Result {
    let compiler = Compiler::newest()?;
    for target in BARE {
        for (package, features) in WITHOUT_STD {
            let mut command = compiler.cargo(["build", "--locked", "--no-default-features"]);
            command.args(["--features", features, "--package", package, "-Zbuild-std=core,alloc"]);
            run(command.args(["--target", target, "--target-dir", "target/machines"]))?;
        }
    }
    say(&format!("{} crates built for {}", WITHOUT_STD.len(), BARE.join(" and ")));
    Ok(())
}
