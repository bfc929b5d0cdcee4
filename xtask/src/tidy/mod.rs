//! The architecture as a test: who may know whom, where `unsafe` may stand, what every crate tells its reader.
//!
//! A rule is a function from a [`Tree`] to problems, and a tree is names and texts. So the rules run on the
//! workspace (`cargo xtask tidy`, and a test below) and, in `tests.rs`, on small trees that each break one rule.

mod manifests;
mod pages;
mod promises;
mod rooms;
mod sources;
#[cfg(test)]
mod tests;
mod text;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use crate::shell::{Result, at, files_below, root, say};

/// What stands in one folder: paths with `/`, relative to it, and the texts of those files that hold text.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    files: BTreeMap<String, String>,
}

/// One thing to mend.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Problem {
    file: String,
    line: usize,
    /// What is wrong, and how to mend it.
    what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.what)
    }
}

/// Checks this workspace and prints what to mend.
pub(crate) fn task() -> Result {
    let tree = Tree::read(root())?;
    let problems = check(&tree);
    for problem in &problems {
        say(&problem.to_string());
    }
    match problems.len() {
        0 => {
            say(&format!("tidy: {} files, nothing to mend", tree.files.len()));
            Ok(())
        }
        count => Err(format!("tidy found {count} things to mend").into()),
    }
}

/// All problems of a tree, by file and line.
pub(crate) fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for rule in [rooms::check, manifests::check, sources::check, pages::check, promises::check] {
        rule(tree, &mut problems);
    }
    problems.sort();
    problems
}

impl Tree {
    /// Reads a folder, without what is built there.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let built = |path: &Path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            ["target", ".git", "__pycache__"].contains(&&*name) || path.ends_with("docs/book")
        };
        let mut files = BTreeMap::new();
        for path in files_below(folder, &built)? {
            let name = path.strip_prefix(folder).expect("lies below").to_string_lossy().replace('\\', "/");
            let of_text = |end: &&str| path.extension().is_some_and(|extension| extension == *end);
            let is_text = name == pages::BUILD_SERVER || ["rs", "toml", "md", "py"].iter().any(of_text);
            let text = if is_text { at(&path, std::fs::read_to_string(&path))? } else { String::new() };
            files.insert(name, text);
        }
        Ok(Self { files })
    }

    /// The text of a file that exists.
    fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// Whether a file or a folder of this name exists.
    fn has(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        let folder = format!("{path}/");
        let next = self.files.range(folder.clone()..).next();
        self.files.contains_key(path) || next.is_some_and(|(name, _)| name.starts_with(&folder))
    }

    /// Paths and texts of the files that end like this, in the order of their names.
    fn ending<'t>(&'t self, end: &'t str) -> impl Iterator<Item = (&'t str, &'t str)> {
        self.files.iter().filter(move |(path, _)| path.ends_with(end)).map(|(path, text)| (&**path, &**text))
    }
}

fn problem(file: &str, line: usize, what: impl Into<String>) -> Problem {
    Problem { file: file.to_owned(), line, what: what.into() }
}
