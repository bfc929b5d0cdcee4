//! Rules about Rust files: where `unsafe` may stand and with what argument, how long a file may be, and nothing left
//! for later.

use super::manifests::{Member, members};
use super::rooms::{UNSAFE_FILES, room};
use super::text::{Lines, has_word};
use super::{Problem, Tree, problem};

const LONGEST: usize = 600;

/// How far above its `unsafe` an argument may begin; lines of comment do not count.
const NEAR: usize = 6;

pub(super) fn check(tree: &Tree, problems: &mut Vec<Problem>) {
    for end in [".rs", ".md", ".toml", ".py"] {
        for (path, text) in tree.ending(end) {
            let length = text.lines().count();
            if length > LONGEST {
                let what = format!("{length} lines, and {LONGEST} is the most: split the file by idea");
                problems.push(problem(path, LONGEST + 1, what));
            }
        }
    }
    let members = members(tree);
    for member in &members {
        root_attribute(tree, member, problems);
    }
    for (path, text) in tree.ending(".rs") {
        let lines = Lines::of(text);
        for_later(path, &lines, problems);
        let owner = members
            .iter()
            .filter(|member| path.starts_with(member.folder()))
            .max_by_key(|m| m.folder().len());
        let allowed = UNSAFE_FILES.contains(&path)
            || owner.and_then(|owner| room(&owner.name)).is_some_and(|room| room.may_hold_unsafe);
        let in_src = owner.is_some_and(|owner| path[owner.folder().len()..].starts_with("src/"));
        where_unsafe_stands(path, &lines, allowed, in_src, problems);
        arguments(path, &lines, problems);
    }
}

/// The promise about `unsafe` and `std` at the top of a crate.
fn root_attribute(tree: &Tree, member: &Member<'_>, problems: &mut Vec<Problem>) {
    let (Some(room), path) = (room(&member.name), member.root_file(tree)) else { return };
    // A package of several programs, such as the fuzz targets, has no root file.
    let Some(text) = tree.text(&path) else { return };
    let lines = Lines::of(text);
    let mut need = |attribute: &str, why: &str| {
        if !lines.code().any(|(_, line)| line.contains(attribute)) {
            problems.push(problem(&path, 1, format!("the crate {why}: put `{attribute}` below its doc")));
        }
    };
    if room.may_hold_unsafe || UNSAFE_FILES.iter().any(|file| file.starts_with(member.folder())) {
        need("#![deny(unsafe_code)]", "allows unsafe file by file");
    } else {
        need("#![forbid(unsafe_code)]", "holds no unsafe");
    }
    if room.no_std {
        need("#![no_std]", "works without the standard library");
    }
}

fn for_later(path: &str, lines: &Lines, problems: &mut Vec<Problem>) {
    for (number, line) in lines.code() {
        for name in ["todo", "unimplemented"] {
            if has_word(line, name) && line.contains(&format!("{name}!")) {
                problems.push(problem(
                    path,
                    number,
                    format!("`{name}!` is left for later: write it or leave it out"),
                ));
            }
        }
        if line.contains("#[ignore") {
            problems.push(problem(path, number, "an ignored test tests nothing: mend it or remove it"));
        }
    }
    for (number, line) in lines.comments() {
        for word in ["TODO", "FIXME", "XXX"].iter().filter(|word| has_word(line, word)) {
            problems.push(problem(
                path,
                number,
                format!("{word} is left for later: do it or say plainly what is absent"),
            ));
        }
    }
}

/// `unsafe` only in the rooms that may hold it, and in their `src/` only in files that allow it for a stated reason.
fn where_unsafe_stands(path: &str, lines: &Lines, allowed: bool, in_src: bool, problems: &mut Vec<Problem>) {
    let first = lines.code().find(|(_, line)| has_word(line, "unsafe"));
    let allow = lines.code().find(|(_, line)| line.contains("#![allow(unsafe_code"));
    match (first, allow) {
        (Some((number, _)), _) if !allowed => {
            problems.push(problem(
                path,
                number,
                "this room holds no unsafe: extbuf-protocol and extbuf-copy do",
            ));
        }
        (Some((number, _)), None) if in_src => {
            let what = "unsafe is allowed file by file: put `#![allow(unsafe_code)]` and the reason below the file's doc";
            problems.push(problem(path, number, what));
        }
        _ => {}
    }
    let Some((number, _)) = allow.filter(|_| in_src) else { return };
    let has_reason = lines.comments().any(|(at, line)| {
        (at == number || at + 1 == number) && line.starts_with("//") && !line.starts_with("//!")
    });
    let in_attribute =
        lines.code().any(|(at, line)| at >= number && at <= number + 3 && has_word(line, "reason"));
    if !has_reason && !in_attribute {
        problems.push(problem(
            path,
            number,
            "the reason is missing: say beside the allow why this file needs unsafe",
        ));
    }
}

/// Every `unsafe { … }` and `unsafe impl` stands below its `SAFETY` argument.
fn arguments(path: &str, lines: &Lines, problems: &mut Vec<Problem>) {
    let all: Vec<_> =
        lines.code().map(|(_, line)| line).zip(lines.comments().map(|(_, line)| line)).collect();
    for (index, (code, _)) in all.iter().enumerate() {
        let next = all.get(index + 1).map_or("", |(code, _)| code.trim_start());
        let claims = code.match_indices("unsafe").any(|(at, word)| {
            let after = code[at + word.len()..].trim_start();
            let after = if after.is_empty() { next } else { after };
            has_word(code, word) && (after.starts_with('{') || after.starts_with("impl"))
        });
        if claims && !argued(&all[..=index]) {
            let what = format!("no `// SAFETY:` within {NEAR} lines above: argue by the invariant's number");
            problems.push(problem(path, index + 1, what));
        }
    }
}

fn argued(above: &[(&str, &str)]) -> bool {
    let mut code_lines = 0;
    for (code, comment) in above.iter().rev() {
        if comment.contains("SAFETY:") {
            return true;
        }
        code_lines += usize::from(!code.trim().is_empty() || comment.trim().is_empty());
        if code_lines > NEAR + 1 {
            return false;
        }
    }
    false
}
