//! Rules about prose: paths that it names exist, its Rust examples are tests, every chapter is in the book, the README
//! names the command that the build server runs, and the change log knows the version.

use super::{Problem, Tree, problem};

/// Names that stand at the top of the repository. A path that begins with one of them is a path of ours, also when
/// nothing of that name is left.
const TOP: &[&str] = &["crates", "docs", "xtask", "benches", "fuzz", "examples", ".ci", ".cargo", ".github"];

pub(super) const BUILD_SERVER: &str = ".ci/run";

const CHANGELOG: &str = "CHANGELOG.md";

pub(super) fn check(tree: &Tree, problems: &mut Vec<Problem>) {
    for (path, text) in tree.ending(".md") {
        if path.starts_with("docs/src/") || path.ends_with("README.md") || path == CHANGELOG {
            paths(tree, path, text, problems);
            examples(tree, path, text, problems);
        }
    }
    chapters(tree, problems);
    command(tree, problems);
    changelog(tree, problems);
}

fn paths(tree: &Tree, page: &str, text: &str, problems: &mut Vec<Problem>) {
    let mut fenced = false;
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            continue;
        }
        if fenced {
            continue;
        }
        for named in in_backticks(line).filter(|named| is_path_of_ours(named)) {
            if !tree.has(named) {
                let what = format!("`{named}` does not exist: name what stands there now");
                problems.push(problem(page, number, what));
            }
        }
        for link in link_targets(line) {
            let address = link.split(['#', '?']).next().unwrap_or_default();
            // What the site adds is checked where the site is built.
            if address.is_empty() || address.contains(':') || address.starts_with("api/") {
                continue;
            }
            let target = beside(page, address);
            if !tree.has(&target) {
                problems.push(problem(
                    page,
                    number,
                    format!("the link leads to {target}, which does not exist: mend it"),
                ));
            }
        }
    }
}

/// A page with Rust on it is included in some crate's documentation, which makes its examples doctests.
fn examples(tree: &Tree, page: &str, text: &str, problems: &mut Vec<Problem>) {
    let first = (1..).zip(text.lines()).find(|(_, line)| line.trim_start().starts_with("```rust"));
    let Some((number, _)) = first else { return };
    let included = tree.ending(".rs").any(|(path, source)| {
        let asked = source.split("include_str!(\"").skip(1).filter_map(|rest| rest.split('"').next());
        asked.map(|address| beside(path, address)).any(|target| target == page)
    });
    if !included {
        let what = "no crate tests this example: in the lib.rs of one that can, put `#[cfg(doctest)]`, \
                    `#[doc = include_str!(\"…\")]` and `struct Page;`";
        problems.push(problem(page, number, what));
    }
}

/// mdBook builds only what its summary lists.
fn chapters(tree: &Tree, problems: &mut Vec<Problem>) {
    let summary = tree.text("docs/src/SUMMARY.md").unwrap_or_default();
    let listed: Vec<_> =
        summary.lines().flat_map(link_targets).map(|link| beside("docs/src/SUMMARY.md", link)).collect();
    for (path, _) in tree.ending(".md").filter(|(path, _)| path.starts_with("docs/src/")) {
        if !path.ends_with("/SUMMARY.md") && !listed.iter().any(|listed| listed == path) {
            problems.push(problem(
                path,
                1,
                "the book leaves this chapter out: add it to docs/src/SUMMARY.md",
            ));
        }
    }
}

/// What a reader is told to run is what the build server runs.
fn command(tree: &Tree, problems: &mut Vec<Problem>) {
    let Some(script) = tree.text(BUILD_SERVER) else { return };
    let last = script.lines().last().unwrap_or_default();
    let command = last.strip_prefix("exec ").unwrap_or(last);
    let readme = tree.text("README.md").unwrap_or_default();
    if !readme.lines().any(|line| line.trim_start_matches("$ ").trim() == command) {
        let what = format!(
            "`{command}`, which {BUILD_SERVER} runs, stands on no line of its own: name it as the test command"
        );
        problems.push(problem("README.md", 1, what));
    }
}

/// The text of each `code span` of a line.
fn in_backticks(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

fn is_path_of_ours(named: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    let Some((top, _)) = named.split_once('/') else { return false };
    TOP.contains(&top) && named.chars().all(plain)
}

/// The targets of `[text](target)` and of `src="target"`.
fn link_targets(line: &str) -> impl Iterator<Item = &str> {
    let markdown = line.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next());
    let html = ["src=\"", "href=\""]
        .into_iter()
        .flat_map(move |attribute| line.split(attribute).skip(1).filter_map(|rest| rest.split('"').next()));
    markdown.chain(html)
}

/// An address on a page, as a path from the root of the repository.
fn beside(page: &str, address: &str) -> String {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in address.split('/') {
        match part {
            ".." => drop(parts.pop()),
            "." | "" => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn changelog(tree: &Tree, problems: &mut Vec<Problem>) {
    let manifest = tree.text("Cargo.toml").and_then(|text| toml_span::parse(text).ok());
    let version = manifest.as_ref().and_then(|table| table.pointer("/workspace/package/version")?.as_str());
    let Some(version) = version else { return };
    let is_entry = |line: &str| {
        let title = line.strip_prefix("## ").unwrap_or_default();
        title.split([' ', '[', ']', ',', ':']).any(|word| word.trim_start_matches('v') == version)
    };
    if !tree.text(CHANGELOG).unwrap_or_default().lines().any(is_entry) {
        let what =
            format!("no entry for {version}: add `## {version}` with a sentence of meaning and what changed");
        problems.push(problem(CHANGELOG, 1, what));
    }
}
