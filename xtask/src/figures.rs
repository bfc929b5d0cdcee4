//! The pictures of the book and the README: drawn by `extbuf-draw`, committed, and redrawn in `ci` so that none is
//! older than the code that draws it.
//!
//! The example `figures` of `extbuf-draw` takes one argument, the folder to write its files into.

use std::fs;
use std::path::{Path, PathBuf};

use crate::shell::{Result, at, cargo, files_below, run};

const EXAMPLE: &str = "crates/extbuf-draw/examples/figures.rs";
const COMMITTED: &str = "docs/src/figures";

/// Redraws the committed pictures.
pub(crate) fn draw() -> Result {
    draw_into(Path::new(COMMITTED))
}

/// Draws into a scratch folder and refuses any difference from what is committed.
pub(crate) fn check() -> Result {
    let scratch = Path::new("target/figures");
    if scratch.exists() {
        at(scratch, fs::remove_dir_all(scratch))?;
    }
    draw_into(scratch)?;
    let differing = differences(scratch, Path::new(COMMITTED))?;
    if differing.is_empty() {
        return Ok(());
    }
    Err(format!(
        "the pictures in {COMMITTED} are not what {EXAMPLE} draws; `cargo xtask docs` redraws them, and what is no \
         longer drawn is yours to remove:\n  {}",
        differing.join("\n  ")
    )
    .into())
}

fn draw_into(folder: &Path) -> Result {
    if !Path::new(EXAMPLE).exists() {
        return Ok(());
    }
    at(folder, fs::create_dir_all(folder))?;
    let mut command =
        cargo(["run", "--quiet", "--locked", "--package", "extbuf-draw", "--example", "figures", "--"]);
    run(command.arg(folder))
}

/// One line a file that is in one folder only or not the same in both.
fn differences(drawn: &Path, committed: &Path) -> Result<Vec<String>> {
    let names = |folder: &Path| -> Result<Vec<PathBuf>> {
        if !folder.exists() {
            return Ok(Vec::new());
        }
        let files = files_below(folder, &|_| false)?;
        Ok(files.iter().map(|file| file.strip_prefix(folder).expect("lies below").to_owned()).collect())
    };
    let mut all = [names(drawn)?, names(committed)?].concat();
    all.sort();
    all.dedup();
    let mut differing = Vec::new();
    for name in all {
        let what = match (fs::read(drawn.join(&name)), fs::read(committed.join(&name))) {
            (Ok(a), Ok(b)) if a == b => continue,
            (Ok(_), Ok(_)) => "differs",
            (Ok(_), Err(_)) => "is not committed",
            (Err(_), _) => "is no longer drawn",
        };
        differing.push(format!("{} {what}", name.display()));
    }
    Ok(differing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_difference_is_named() {
        let scratch = std::env::temp_dir().join(format!("extbuf-figures-{}", std::process::id()));
        let (drawn, committed) = (scratch.join("drawn"), scratch.join("committed"));
        for (folder, name, text) in [
            (&drawn, "same.svg", "a"),
            (&committed, "same.svg", "a"),
            (&drawn, "edited.svg", "a"),
            (&committed, "edited.svg", "b"),
            (&drawn, "new.svg", "a"),
            (&committed, "old.svg", "a"),
        ] {
            fs::create_dir_all(folder).unwrap();
            fs::write(folder.join(name), text).unwrap();
        }
        let found = differences(&drawn, &committed).unwrap();
        fs::remove_dir_all(&scratch).unwrap();
        assert_eq!(found, ["edited.svg differs", "new.svg is not committed", "old.svg is no longer drawn"]);
    }
}
