//! The criterion benches of `extbuf-benches`.

use crate::shell::{Result, cargo, run};

const PACKAGE: &str = "extbuf-benches";

/// The harness of the comparison: with it other people's libraries are built.
pub(crate) const PEERS: &str = "extbuf-peers";

/// Measures: all benches, or those named. What stands in `rest` is for criterion.
pub(crate) fn task(names: &[String], rest: &[String]) -> Result {
    let mut command = cargo(["bench", "--package", PACKAGE]);
    if names.is_empty() {
        command.arg("--benches");
    }
    for name in names {
        command.args(["--bench", name]);
    }
    if !rest.is_empty() {
        command.arg("--").args(rest);
    }
    run(&mut command)
}

/// Runs every bench once without measuring, so that none rots, and the small cases of the comparison with other
/// libraries, whose harness the other steps leave out.
pub(crate) fn smoke() -> Result {
    task(&[], &["--test".to_owned()])?;
    run(cargo(["clippy", "--locked", "--package", PEERS]).args(["--all-targets", "--", "-D", "warnings"]))?;
    run(&mut cargo(["test", "--locked", "--package", PEERS]))
}
