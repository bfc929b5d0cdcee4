//! The criterion benches of `extbuf-benches`.

use crate::shell::{Result, cargo, run};

const PACKAGE: &str = "extbuf-benches";

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
/// libraries.
pub(crate) fn smoke() -> Result {
    task(&[], &["--test".to_owned()])?;
    run(&mut cargo(["test", "--locked", "--package", "extbuf-peers"]))
}
