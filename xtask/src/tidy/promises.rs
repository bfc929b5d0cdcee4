//! Rules about what the pages promise: the README's table has the crates that are published and what they need, and
//! every task and step that a page names exists.

use super::manifests::members;
use super::rooms::room;
use super::{Problem, Tree, problem};

const README: &str = "README.md";
const TASKS: &str = "xtask/src/main.rs";
const STEPS: &str = "xtask/src/ci.rs";

pub(super) fn check(tree: &Tree, problems: &mut Vec<Problem>) {
    if let Some(readme) = tree.text(README) {
        table(tree, readme, problems);
    }
    for (path, text) in tree.ending(".md") {
        named(tree, path, text, problems);
    }
}

/// Rows are `` | [`NAME`](crates/NAME) | what for | needs | ``.
fn table(tree: &Tree, readme: &str, problems: &mut Vec<Problem>) {
    let mut missing: Vec<String> = members(tree)
        .iter()
        .filter(|member| member.manifest.starts_with("crates/"))
        // A package of Python is published elsewhere than its crate would be.
        .filter(|member| {
            member.table.pointer("/package/publish").is_none()
                || tree.has(&format!("crates/{}/pyproject.toml", member.name))
        })
        .map(|member| member.name.clone())
        .collect();
    let mut first = None;
    for (number, line) in (1..).zip(readme.lines()) {
        let Some((name, rest)) = line.strip_prefix("| [`").and_then(|line| line.split_once('`')) else {
            continue;
        };
        first.get_or_insert(number);
        let Some(at) = missing.iter().position(|crate_| crate_ == name) else {
            let what =
                format!("{name} is no published crate, or stands twice in the table: take the row out");
            problems.push(problem(README, number, what));
            continue;
        };
        missing.swap_remove(at);
        let needs = rest.trim_end_matches([' ', '|']).rsplit("| ").next().unwrap_or_default();
        let without_std = room(name).is_some_and(|room| room.no_std);
        if without_std != needs.starts_with("`alloc`") {
            let what = format!("{name} needs `alloc` alone: {without_std}, and the table says `{needs}`");
            problems.push(problem(README, number, what));
        }
    }
    // A tree without the table promises nothing.
    let Some(first) = first else { return };
    for name in missing {
        problems.push(problem(
            README,
            first,
            format!("{name} is published and not in the table: add its row"),
        ));
    }
}

/// `cargo xtask TASK` and `ci --only STEP`.
fn named(tree: &Tree, page: &str, text: &str, problems: &mut Vec<Problem>) {
    let (Some(tasks), Some(steps)) = (tree.text(TASKS), tree.text(STEPS)) else { return };
    for (number, line) in (1..).zip(text.lines()) {
        for task in words_after(line, "cargo xtask ") {
            if !tasks.contains(&format!("        \"{task}\" =>")) {
                problems.push(problem(page, number, format!("the runner has no task `{task}`")));
            }
        }
        for step in words_after(line, "ci --only ") {
            if !steps.contains(&format!("name: \"{step}\"")) {
                problems.push(problem(page, number, format!("`cargo xtask ci` has no step `{step}`")));
            }
        }
    }
}

/// What stands behind each of these words, where it is a word in small letters.
fn words_after<'t>(line: &'t str, before: &'t str) -> impl Iterator<Item = &'t str> {
    let word = |rest: &'t str| {
        let end = rest.find(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit() && c != '-');
        &rest[..end.unwrap_or(rest.len())]
    };
    line.split(before).skip(1).map(word).filter(|word| word.starts_with(|c: char| c.is_ascii_lowercase()))
}
