//! The tests under checkers that watch every access: three sanitizers, and valgrind for what an interpreter loads.
//!
//! The address sanitizer works with the standard library as it comes. The other two report what uninstrumented code
//! does as faults of ours, so the standard library is built with them, by a compiler of Debian's that has its source.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::debian::Compiler;
use crate::python::Venv;
use crate::shell::{Result, at, cargo, files_below, run, run_beside, say, version_of};
use crate::wheel;

const TARGET: &str = "x86_64-unknown-linux-gnu";

/// Random cases of the campaign of copies where each access costs several times as much.
const CASES: &str = "1000";

/// Tests ask for more memory than there is, and are to be refused as elsewhere.
const NO_MEMORY: &str = "allocator_may_return_null=1";

/// Whatever hostile exporters and item types reach, they reach nothing that is not theirs: each address is checked, in
/// the tests of everything that is no extension of an interpreter. Leaks are not, since several tests leak on purpose.
pub(crate) fn address() -> Result {
    on_linux()?;
    let mut command =
        cargo(["test", "--locked", "--no-fail-fast", "--lib", "--bins", "--tests", "--all-features"]);
    for package in ADDRESSED {
        command.args(["--package", package]);
    }
    command.args(["--target", TARGET, "--target-dir", "target/asan"]);
    // Sanitizers are unstable, and in every stable compiler.
    command.env("RUSTC_BOOTSTRAP", "1").env("RUSTFLAGS", "-Zsanitizer=address");
    // Not optimised: here building takes longer than running.
    command.env("ASAN_OPTIONS", format!("detect_leaks=0:{NO_MEMORY}"));
    run(command.env("EXTBUF_CASES", CASES))
}

/// What moves between threads, watched access by access: leases, locks, and the parts of copies on a pool.
pub(crate) fn thread() -> Result {
    on_linux()?;
    let compiler = Compiler::newest()?;
    for (package, features) in THREADED {
        let mut command = rebuilt(&compiler, "thread", package, features);
        run(command.env("TSAN_OPTIONS", format!("halt_on_error=1:{NO_MEMORY}")).env("EXTBUF_CASES", CASES))?;
    }
    Ok(())
}

/// Fresh memory counts as unwritten until a kernel has written it, and so do the bytes that a case of the campaign is
/// about to write (`cfg(msan)` in the campaign): one that no kernel wrote fails the case. Where memory came from is not
/// followed, which would double the work: `-Zsanitizer-memory-track-origins` beside the flag says it by hand.
pub(crate) fn memory() -> Result {
    on_linux()?;
    let compiler = Compiler::newest()?;
    let mut command = rebuilt(&compiler, "memory", "extbuf-copy", "rayon");
    command.env("RUSTFLAGS", "-Zsanitizer=memory --cfg msan");
    run(command.env("MSAN_OPTIONS", NO_MEMORY).env("EXTBUF_CASES", CASES))
}

/// The libraries and the program.
const ADDRESSED: [&str; 7] = [
    "extbuf-format",
    "extbuf-layout",
    "extbuf-protocol",
    "extbuf-copy",
    "extbuf-draw",
    "extbuf",
    "extbuf-cli",
];

/// The crates whose memory goes from thread to thread, without the features that start none: pictures take longer to be
/// built than all the rest.
const THREADED: &[(&str, &str)] = &[("extbuf-protocol", "memmap2,rayon"), ("extbuf-copy", "rayon")];

/// The tests of a package, the standard library built with the sanitizer like everything else.
fn rebuilt(compiler: &Compiler, sanitizer: &str, package: &str, features: &str) -> Command {
    let mut command = compiler.cargo(["test", "--locked", "--package", package, "--features", features]);
    command.args(["--tests", "-Zbuild-std", "--target", TARGET, "--target-dir"]);
    command.arg(format!("target/{sanitizer}-sanitizer"));
    command.env("RUSTFLAGS", format!("-Zsanitizer={sanitizer}"));
    quick(&mut command);
    command
}

/// A little optimised: building takes two to three times as long, running a sixth, which is the greater part under
/// checks that slow everything down tenfold and under an emulator.
pub(crate) fn quick(command: &mut Command) -> &mut Command {
    command.env("CARGO_PROFILE_DEV_OPT_LEVEL", "1")
}

/// What the wheel does in the interpreter, under valgrind: a fault counts if our library stands in its stack.
pub(crate) fn valgrind() -> Result {
    if version_of("valgrind", &["--version"]).is_none() {
        return Err("valgrind is needed: `apt-get install valgrind` installs it".into());
    }
    let venv = Venv::with("valgrind", wheel::TESTS)?;
    wheel::install(&venv, &wheel::build()?)?;
    let reports = Path::new("target/valgrind");
    if reports.exists() {
        at(reports, fs::remove_dir_all(reports))?;
    }
    at(reports, fs::create_dir_all(reports))?;
    // A process for each file, beside each other: an interpreter keeps one processor busy.
    let commands = UNDER_VALGRIND.iter().map(|file| {
        let mut command = Command::new("valgrind");
        // With XML every block that is left at the end would be a fault, and an interpreter leaves thousands.
        command.args(["--quiet", "--show-leak-kinds=none", "--num-callers=40", "--xml=yes"]);
        command.arg(format!("--xml-file={}/%p.xml", reports.display()));
        command.arg(venv.program("python"));
        // Each object in a block of its own, or the interpreter's pools would hide what is freed.
        command.env("PYTHONMALLOC", "malloc").env("PYTHONDONTWRITEBYTECODE", "1");
        // A quarter of the random chains, which alone took longer than all the rest.
        command.env("EXTBUF_SHARE", "0.25");
        command.args(["-m", "pytest", "--quiet", "-p", "no:cacheprovider", file]);
        command
    });
    run_beside(commands.collect())?;
    let mut ours = Vec::new();
    let (mut files, mut others) = (0, 0);
    for file in files_below(reports, &|_| false)? {
        let report = at(&file, fs::read_to_string(&file))?;
        let (found, not_ours) = faults(&report);
        (files, others) = (files + 1, others + not_ours);
        ours.extend(found);
    }
    if files == 0 {
        return Err("valgrind wrote no report".into());
    }
    say(&format!("valgrind: {} faults of ours, {others} of the interpreter or of NumPy", ours.len()));
    if ours.is_empty() { Ok(()) } else { Err(ours.join("\n").into()) }
}

/// Tests of lending, viewing and copying: what they do takes a minute at a twentieth of the speed.
const UNDER_VALGRIND: &[&str] = &[
    "crates/extbuf-python/tests/python/test_view.py",
    "crates/extbuf-python/tests/python/test_chains.py",
    "crates/extbuf-python/tests/python/test_lifetimes.py",
];

/// The faults of a report with our library on the stack, and how many there are without it. What is not given back
/// before the end is none: interpreters give back little, and the tests count leases themselves.
fn faults(report: &str) -> (Vec<String>, usize) {
    let blocks = report.split("<error>").skip(1).filter_map(|rest| rest.split("</error>").next());
    let blocks = blocks.filter(|block| !block.contains("<kind>Leak_"));
    let (ours, others): (Vec<_>, Vec<_>) = blocks.partition(|block| block.contains("_extbuf"));
    (ours.into_iter().map(str::to_owned).collect(), others.len())
}

fn on_linux() -> Result {
    if cfg!(all(target_arch = "x86_64", target_os = "linux")) {
        Ok(())
    } else {
        Err(format!("this step runs on {TARGET} alone; leave it out by naming the others with --only").into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_ours_if_our_library_stands_in_its_stack() {
        let report = "<x><error><what>a</what><obj>/x/_extbuf.abi3.so</obj></error>\n\
                      <error><obj>/x/libpython.so</obj></error>\n\
                      <error><kind>Leak_PossiblyLost</kind><obj>/x/_extbuf.abi3.so</obj></error></x>";
        let (ours, others) = faults(report);
        assert_eq!((ours.len(), others), (1, 1));
        assert!(ours[0].contains("<what>a</what>"));
        assert_eq!(faults("<x></x>"), (Vec::new(), 0));
    }
}
