//! Small trees that each break one rule, beside the tree that breaks none.

use super::*;

const ROOT: &str = "[workspace.package]\nversion = \"1.2.0\"\n";
const LIB: &str = "//! A room.\n//!\n//! # What this crate does not do\n//!\n//! Nothing else.\n";
const FIELDS: &str = "version.workspace = true\nedition.workspace = true\nrust-version.workspace = true\n\
    license.workspace = true\nreadme = \"README.md\"\ndescription = \"x\"\ndocumentation = \"x\"\nkeywords = []\n\
    categories = []\n[lints]\nworkspace = true\n";

/// A workspace of one room that keeps every rule.
fn kept(room: &str) -> Tree {
    let attributes = match room {
        "extbuf-protocol" => "#![no_std]\n#![deny(unsafe_code)]\n",
        "extbuf-copy" => "#![deny(unsafe_code)]\n",
        _ => "#![no_std]\n#![forbid(unsafe_code)]\n",
    };
    let mut files = BTreeMap::new();
    for (path, text) in [
        ("Cargo.toml".to_owned(), ROOT.to_owned()),
        ("CHANGELOG.md".to_owned(), "# Changes\n\n## 1.2.0\n".to_owned()),
        (format!("crates/{room}/Cargo.toml"), format!("[package]\nname = \"{room}\"\n{FIELDS}")),
        (format!("crates/{room}/README.md"), "A room.\n".to_owned()),
        (format!("crates/{room}/src/lib.rs"), format!("{LIB}{attributes}")),
    ] {
        files.insert(path, text);
    }
    Tree { files }
}

fn write(tree: &mut Tree, path: &str, text: &str) {
    tree.files.insert(path.to_owned(), text.to_owned());
}

fn append(tree: &mut Tree, path: &str, text: &str) {
    tree.files.get_mut(path).expect("exists").push_str(text);
}

/// Asserts that the tree has exactly one problem, in this file and line, and that its words hold these.
#[track_caller]
fn refused(tree: &Tree, file: &str, line: usize, words: &str) {
    let problems = check(tree);
    let [problem] = &problems[..] else { panic!("{problems:#?}") };
    assert_eq!((problem.file.as_str(), problem.line), (file, line), "{problem}");
    assert!(problem.what.contains(words), "{problem}");
}

#[track_caller]
fn accepted(tree: &Tree) {
    let problems = check(tree);
    assert!(problems.is_empty(), "{problems:#?}");
}

#[test]
fn this_workspace_is_tidy() {
    let problems = check(&Tree::read(root()).unwrap());
    let listed: Vec<_> = problems.iter().map(Problem::to_string).collect();
    assert!(listed.is_empty(), "{}", listed.join("\n"));
}

#[test]
fn the_texts_that_rules_ask_for_are_read() {
    let tree = Tree::read(root()).unwrap();
    for path in ["Cargo.toml", "docs/src/SUMMARY.md", "xtask/src/main.rs", pages::BUILD_SERVER] {
        assert!(tree.text(path).is_some_and(|text| !text.is_empty()), "{path}");
    }
    assert!(tree.has("crates/extbuf-layout/src"));
    assert!(!tree.has("target") && !tree.has("crates/extbuf-layout/sr"));
}

#[test]
fn what_keeps_the_rules_is_accepted() {
    for room in ["extbuf-format", "extbuf-layout", "extbuf-protocol", "extbuf-copy"] {
        accepted(&kept(room));
    }
}

#[test]
fn a_door_that_is_not_in_the_table_is_refused() {
    let manifest = "crates/extbuf-format/Cargo.toml";
    for dependency in [
        "[dependencies]\nextbuf-layout.workspace = true\n",
        "[dependencies]\nlay = { package = \"extbuf-layout\", path = \"../extbuf-layout\" }\n",
        "[dev-dependencies]\nextbuf-layout.workspace = true\n",
        "[build-dependencies]\nextbuf-layout.workspace = true\n",
        "[target.'cfg(unix)'.dependencies]\nextbuf-layout.workspace = true\n",
    ] {
        let mut tree = kept("extbuf-format");
        append(&mut tree, manifest, dependency);
        refused(&tree, manifest, 15, "extbuf-format may not depend on extbuf-layout");
    }
}

#[test]
fn a_door_for_tests_is_not_one_for_the_library() {
    let manifest = "crates/extbuf-layout/Cargo.toml";
    let mut tree = kept("extbuf-layout");
    append(
        &mut tree,
        manifest,
        "[dev-dependencies]\nextbuf-testkit.workspace = true\nproptest.workspace = true\n",
    );
    accepted(&tree);
    let mut tree = kept("extbuf-layout");
    append(&mut tree, manifest, "[dependencies]\nextbuf-testkit.workspace = true\n");
    refused(&tree, manifest, 15, "may not depend on extbuf-testkit");
}

#[test]
fn a_library_argues_for_each_crate_from_outside() {
    let manifest = "crates/extbuf-layout/Cargo.toml";
    let mut tree = kept("extbuf-layout");
    append(&mut tree, manifest, "[dependencies]\nbytemuck.workspace = true\nrayon.workspace = true\n");
    refused(&tree, manifest, 16, "would build rayon");
}

#[test]
fn a_crate_that_is_in_no_table_is_refused() {
    let mut tree = kept("extbuf-format");
    let other = FIELDS.replace("readme", "publish = false\nreadme");
    write(&mut tree, "tools/Cargo.toml", &format!("[package]\nname = \"tools\"\n{other}"));
    refused(&tree, "tools/Cargo.toml", 1, "tools is no room");
}

#[test]
fn folders_that_know_less_are_held_to_it() {
    let path = "crates/extbuf-copy/src/kernel/run.rs";
    let mut tree = kept("extbuf-copy");
    write(&mut tree, path, "//! Like extbuf_layout's walk.\nuse crate::other;\n");
    accepted(&tree);
    write(&mut tree, path, "//! A kernel.\nuse extbuf_layout::Layout;\n");
    refused(&tree, path, 2, "may not know extbuf_layout");
}

#[test]
fn the_facade_holds_no_logic() {
    let path = "crates/extbuf/src/lib.rs";
    let mut tree = kept("extbuf");
    append(&mut tree, path, "pub use extbuf_layout as layout;\n// fn in prose\n");
    accepted(&tree);
    append(&mut tree, path, "pub fn f() {}\n");
    refused(&tree, path, 10, "no logic");
}

#[test]
fn a_manifest_without_its_fields_is_refused() {
    let manifest = "crates/extbuf-format/Cargo.toml";
    for (line, words) in [
        ("description = \"x\"\n", "no `description`"),
        ("documentation = \"x\"\n", "no `documentation`"),
        ("license.workspace = true\n", "no `license`"),
        ("rust-version.workspace = true\n", "no `rust-version`"),
        ("[lints]\nworkspace = true\n", "lints are the workspace's"),
    ] {
        let mut tree = kept("extbuf-format");
        let without = tree.files[manifest].replace(line, "");
        assert_ne!(without, tree.files[manifest]);
        write(&mut tree, manifest, &without);
        refused(&tree, manifest, 1, words);
    }
    let mut tree = kept("extbuf-format");
    let own = tree.files[manifest].replace("rust-version.workspace = true", "rust-version = \"1.90\"");
    write(&mut tree, manifest, &own);
    refused(&tree, manifest, 5, "`rust-version` is the workspace's");
    let mut tree = kept("extbuf-copy");
    let manifest = "crates/extbuf-copy/Cargo.toml";
    let newer = tree.files[manifest].replace("rust-version.workspace = true", "rust-version = \"1.89\"");
    write(&mut tree, manifest, &newer);
    accepted(&tree);
}

#[test]
fn a_crate_says_what_it_is_and_what_it_does_not_do() {
    let mut tree = kept("extbuf-format");
    tree.files.remove("crates/extbuf-format/README.md");
    refused(&tree, "crates/extbuf-format/README.md", 1, "missing");

    let path = "crates/extbuf-format/src/lib.rs";
    let mut tree = kept("extbuf-format");
    let silent = tree.files[path].replace("does not do", "does");
    write(&mut tree, path, &silent);
    refused(&tree, path, 1, "What this crate does not do");
}

#[test]
fn the_root_of_a_crate_promises_its_unsafe_and_its_std() {
    for (room, attribute) in [
        ("extbuf-format", "#![forbid(unsafe_code)]"),
        ("extbuf-format", "#![no_std]"),
        ("extbuf-copy", "#![deny(unsafe_code)]"),
    ] {
        let path = format!("crates/{room}/src/lib.rs");
        let mut tree = kept(room);
        let without = tree.files[&path].replace(attribute, &format!("// {attribute}"));
        write(&mut tree, &path, &without);
        refused(&tree, &path, 1, attribute);
    }
}

#[test]
fn unsafe_stands_only_where_it_may() {
    let argued = "// SAFETY: V1.\nunsafe { f() }\n";
    let mut tree = kept("extbuf-format");
    write(&mut tree, "crates/extbuf-format/src/a.rs", argued);
    refused(&tree, "crates/extbuf-format/src/a.rs", 2, "this room holds no unsafe");

    let path = "crates/extbuf-protocol/src/a.rs";
    let mut tree = kept("extbuf-protocol");
    write(&mut tree, path, argued);
    refused(&tree, path, 2, "file by file");
    write(&mut tree, path, &format!("//! A file.\n#![allow(unsafe_code)]\n{argued}"));
    refused(&tree, path, 2, "the reason is missing");
    write(&mut tree, path, &format!("//! A file.\n#![allow(unsafe_code)] // it reads the memory\n{argued}"));
    accepted(&tree);
    write(&mut tree, path, &format!("//! A file.\n#![allow(unsafe_code, reason = \"it reads\")]\n{argued}"));
    accepted(&tree);
    // A test is a crate of its own, and what it does with memory is its matter; the argument it owes too.
    write(&mut tree, path, "");
    write(&mut tree, "crates/extbuf-protocol/tests/t.rs", argued);
    accepted(&tree);
}

#[test]
fn unsafe_stands_in_single_files_of_other_rooms() {
    let file = rooms::UNSAFE_FILES[0];
    let mut tree = kept("extbuf-cli");
    let root = "crates/extbuf-cli/src/lib.rs";
    let denied = tree.files[root].replace("#![forbid(unsafe_code)]", "#![deny(unsafe_code)]");
    refused(&tree, root, 1, "#![deny(unsafe_code)]");
    write(&mut tree, root, &denied);
    write(
        &mut tree,
        file,
        "//! A file.\n#![allow(unsafe_code)] // it maps\n// SAFETY: V1.\nunsafe { f() }\n",
    );
    accepted(&tree);
    let other = file.replace("map", "other");
    write(&mut tree, &other, "// SAFETY: V1.\nunsafe { f() }\n");
    refused(&tree, &other, 2, "this room holds no unsafe");
}

#[test]
fn unsafe_has_its_argument_above_it() {
    let path = "crates/extbuf-copy/src/a.rs";
    let head = "//! A file.\n#![allow(unsafe_code)] // it moves bytes\n";
    let refuse = |text: &str, line: usize| {
        let mut tree = kept("extbuf-copy");
        write(&mut tree, path, &format!("{head}{text}"));
        refused(&tree, path, line, "SAFETY");
    };
    let accept = |text: &str| {
        let mut tree = kept("extbuf-copy");
        write(&mut tree, path, &format!("{head}{text}"));
        accepted(&tree);
    };
    refuse("let a = unsafe { f() };\n", 3);
    refuse("unsafe impl Send for A {}\n", 3);
    refuse("let a = unsafe\n{ f() };\n", 3);
    refuse("let s = \"SAFETY:\";\nunsafe { f() }\n", 4);
    refuse("// SAFETY: too far.\na();\na();\na();\na();\na();\na();\na();\nunsafe { f() }\n", 11);
    accept(
        "// SAFETY: V1.\n// More of it,\n// and more,\n// over\n// many\n// lines\n// of text.\na(unsafe { f() });\n",
    );
    accept("// SAFETY: V1.\nlet a = [\n    1,\n    unsafe { f() },\n];\n");
    accept("/// # Safety\n/// V1.\nunsafe fn f();\ntype F = unsafe fn();\n");
}

#[test]
fn nothing_is_left_for_later() {
    let path = "crates/extbuf-format/src/a.rs";
    for (text, words) in [
        ("fn f() { todo!() }", "todo!"),
        ("fn f() { unimplemented!(\"x\") }", "unimplemented!"),
        ("#[ignore]", "ignored test"),
        ("#[ignore = \"slow\"]", "ignored test"),
        ("// TODO: more", "TODO"),
    ] {
        let mut tree = kept("extbuf-format");
        write(&mut tree, path, &format!("//! A file.\n{text}\n"));
        refused(&tree, path, 2, words);
    }
    let mut tree = kept("extbuf-format");
    write(&mut tree, path, "//! Like todo! in prose.\nlet s = \"todo!() // TODO #[ignore]\";\n");
    accepted(&tree);
}

#[test]
fn long_files_are_refused() {
    let path = "crates/extbuf-format/src/a.rs";
    let mut tree = kept("extbuf-format");
    write(&mut tree, path, &"//\n".repeat(600));
    accepted(&tree);
    write(&mut tree, path, &"//\n".repeat(601));
    refused(&tree, path, 601, "601 lines");
}

#[test]
fn stale_paths_in_prose_are_refused() {
    let page = "docs/src/a.md";
    let good = "`crates/extbuf-format/src/lib.rs`, `crates/extbuf-format/`, `src/x.rs`, `crates/*/src`, `a/b`, \
        [r](../../README.md) [s](#s) [t](https://example.org) [u](api/x.html)\n```text\n`crates/gone`\n```\n";
    let mut tree = kept("extbuf-format");
    write(&mut tree, "README.md", "x\n");
    write(&mut tree, "docs/src/SUMMARY.md", "- [A](a.md)\n");
    write(&mut tree, page, good);
    accepted(&tree);
    for (text, words) in [
        ("see `crates/extbuf-format/src/gone.rs`", "gone.rs"),
        ("see `fuzz/`", "`fuzz/`"),
        ("see [it](gone.md#x)", "docs/src/gone.md"),
        ("<img src=\"figures/gone.svg\">", "docs/src/figures/gone.svg"),
    ] {
        write(&mut tree, page, &format!("{good}{text}\n"));
        refused(&tree, page, 5, words);
    }
}

#[test]
fn a_chapter_outside_the_book_is_refused() {
    let mut tree = kept("extbuf-format");
    write(&mut tree, "docs/src/a.md", "Text.\n");
    write(&mut tree, "docs/src/SUMMARY.md", "- [B](./b/c.md)\n");
    write(&mut tree, "docs/src/b/c.md", "Text.\n");
    refused(&tree, "docs/src/a.md", 1, "leaves this chapter out");
}

#[test]
fn the_readme_names_the_command_of_the_build_server() {
    let mut tree = kept("extbuf-format");
    write(&mut tree, ".ci/run", "#!/bin/sh\nexec cargo xtask ci\n");
    write(&mut tree, "README.md", "```sh\ncargo xtask ci\n```\n");
    accepted(&tree);
    write(&mut tree, "README.md", "```sh\ncargo xtask ci --no-python\n```\n");
    refused(&tree, "README.md", 1, "`cargo xtask ci`");
}

#[test]
fn an_example_in_prose_is_a_test() {
    let (page, lib) = ("docs/src/a.md", "crates/extbuf-format/src/lib.rs");
    let mut tree = kept("extbuf-format");
    write(&mut tree, "docs/src/SUMMARY.md", "- [A](a.md)\n");
    write(&mut tree, page, "Text.\n\n```rust\nf();\n```\n");
    refused(&tree, page, 3, "no crate tests this example");
    append(
        &mut tree,
        lib,
        "#[cfg(doctest)]\n#[doc = include_str!(\"../../../docs/src/b.md\")]\nstruct Book;\n",
    );
    refused(&tree, page, 3, "no crate tests this example");
    append(
        &mut tree,
        lib,
        "#[cfg(doctest)]\n#[doc = include_str!(\"../../../docs/src/a.md\")]\nstruct Page;\n",
    );
    accepted(&tree);
}

#[test]
fn the_change_log_knows_the_version() {
    let mut tree = kept("extbuf-format");
    for good in ["## 1.2.0\n", "## [1.2.0] - a day\n", "## v1.2.0, the first\n"] {
        write(&mut tree, "CHANGELOG.md", good);
        accepted(&tree);
    }
    for bad in ["", "## 1.2.00\n", "1.2.0\n", "## 11.2.0\n"] {
        write(&mut tree, "CHANGELOG.md", bad);
        refused(&tree, "CHANGELOG.md", 1, "no entry for 1.2.0");
    }
}

#[test]
fn the_table_of_the_readme_has_the_crates_that_are_published() {
    let row = |name: &str, needs: &str| format!("| [`{name}`](crates/{name}) | items | {needs} |\n");
    let mut tree = kept("extbuf-layout");
    write(&mut tree, "README.md", &row("extbuf-layout", "`alloc`"));
    accepted(&tree);
    write(&mut tree, "README.md", &row("extbuf-layout", "`std`"));
    refused(&tree, "README.md", 1, "needs `alloc` alone: true");
    write(&mut tree, "README.md", &format!("{0}{0}", row("extbuf-layout", "`alloc`")));
    refused(&tree, "README.md", 2, "stands twice");
    tree = kept("extbuf-layout");
    let draw = kept("extbuf-copy");
    tree.files.extend(draw.files);
    write(&mut tree, "README.md", &row("extbuf-layout", "`alloc`"));
    refused(&tree, "README.md", 1, "extbuf-copy is published");
}

#[test]
fn tasks_and_steps_that_a_page_names_exist() {
    let mut tree = kept("extbuf-layout");
    write(&mut tree, "xtask/src/main.rs", "        \"ci\" => {}\n");
    write(&mut tree, "xtask/src/ci.rs", "Step { name: \"tsan\" }\n");
    write(&mut tree, "SECURITY.md", "Run `cargo xtask ci --only tsan`, or `cargo xtask TASK`.\n");
    accepted(&tree);
    append(&mut tree, "SECURITY.md", "Or `cargo xtask cj`.\n");
    refused(&tree, "SECURITY.md", 2, "no task `cj`");
    write(&mut tree, "SECURITY.md", "Or `ci --only tsam`.\n");
    refused(&tree, "SECURITY.md", 1, "no step `tsam`");
}
