//! What every crate tells its reader: description, licence, documentation link, README, and the section on what it
//! does not do.

use toml_span::Value;

use super::{Problem, Tree, problem};

/// The heading that every crate's root file has.
const ABSENT: &str = "# What this crate does not do";

/// A package of the repository: one of the workspace, or one that is a workspace of its own and inherits nothing.
pub(super) struct Member<'t> {
    pub(super) name: String,
    pub(super) manifest: String,
    pub(super) text: &'t str,
    pub(super) table: Value<'t>,
}

impl Member<'_> {
    /// The folder of the package, with its `/`.
    pub(super) fn folder(&self) -> &str {
        self.manifest.trim_end_matches("Cargo.toml")
    }

    fn published(&self) -> bool {
        self.table.pointer("/package/publish").and_then(Value::as_bool) != Some(false)
    }

    /// `src/lib.rs`, or `src/main.rs` of a package that is only a program.
    pub(super) fn root_file(&self, tree: &Tree) -> String {
        let library = format!("{}src/lib.rs", self.folder());
        if tree.has(&library) { library } else { format!("{}src/main.rs", self.folder()) }
    }
}

/// The packages of the tree. A manifest that does not parse is left to Cargo, which says it better.
pub(super) fn members(tree: &Tree) -> Vec<Member<'_>> {
    let mut members = Vec::new();
    for (path, text) in tree.ending("Cargo.toml") {
        let Ok(table) = toml_span::parse(text) else { continue };
        let Some(name) = table.pointer("/package/name").and_then(Value::as_str) else { continue };
        members.push(Member { name: name.to_owned(), manifest: path.to_owned(), text, table });
    }
    members
}

pub(super) fn line_of(text: &str, offset: usize) -> usize {
    text[..offset].matches('\n').count() + 1
}

pub(super) fn check(tree: &Tree, problems: &mut Vec<Problem>) {
    for member in members(tree) {
        if member.table.pointer("/workspace").is_none() {
            fields(&member, problems);
        }
        if member.manifest.starts_with("crates/") {
            says_what_is_absent(tree, &member, problems);
        }
        let readme = format!("{}README.md", member.folder());
        if member.published() && !tree.has(&readme) {
            problems.push(problem(
                &readme,
                1,
                "this README is missing: what it is, one example, what it does not do",
            ));
        }
    }
}

/// Libraries whose `rust-version` is above the workspace's: the kernels of a copy use the AVX-512 intrinsics, which are
/// stable since Rust 1.89, and the facade re-exports them.
const NEWER: &[&str] = &["extbuf-copy", "extbuf"];

fn fields(member: &Member<'_>, problems: &mut Vec<Problem>) {
    let mut needed = vec!["description", "license", "version", "edition", "rust-version"];
    if member.published() {
        needed.extend(["documentation", "readme", "keywords", "categories"]);
    }
    for field in needed {
        if member.table.pointer(&format!("/package/{field}")).is_none() {
            problems.push(problem(&member.manifest, 1, format!("[package] has no `{field}`: add the line")));
        }
    }
    for field in ["version", "edition", "rust-version", "license"] {
        // The promise of the workspace is to those who depend on a library; nobody depends on a program.
        let newer = member.table.pointer("/bin").is_some() || NEWER.contains(&&*member.name);
        if field == "rust-version" && newer {
            continue;
        }
        let own = member.table.pointer(&format!("/package/{field}")).filter(|value| value.as_str().is_some());
        if let Some(value) = own {
            let line = line_of(member.text, value.span.start);
            let what = format!("`{field}` is the workspace's: write `{field}.workspace = true`");
            problems.push(problem(&member.manifest, line, what));
        }
    }
    if member.table.pointer("/lints/workspace").and_then(Value::as_bool) != Some(true) {
        let what = "the lints are the workspace's: add `[lints]` with `workspace = true`";
        problems.push(problem(&member.manifest, 1, what));
    }
}

fn says_what_is_absent(tree: &Tree, member: &Member<'_>, problems: &mut Vec<Problem>) {
    let root = member.root_file(tree);
    let says = |text: &str| {
        text.lines().any(|line| line.strip_prefix("//!").is_some_and(|doc| doc.trim() == ABSENT))
    };
    if !tree.text(&root).is_some_and(says) {
        problems.push(problem(&root, 1, format!("the crate's doc has no section `{ABSENT}`: write it")));
    }
}
