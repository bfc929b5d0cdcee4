//! Who may know whom. This table is the architecture; a new line here is a new door between rooms and is reviewed
//! as one.

use toml_span::Value;

use super::manifests::{Member, line_of, members};
use super::text::{Lines, has_word};
use super::{Problem, Tree, problem};

/// What a room may use, and what it promises in its root file.
pub(super) struct Room {
    pub(super) name: &'static str,
    /// The crates of this workspace that it may depend on.
    ours: &'static [&'static str],
    /// The same for its tests, on top of `ours`.
    tests: &'static [&'static str],
    /// The crates from outside that it may depend on; everybody who depends on the room builds them too.
    outside: Outside,
    pub(super) may_hold_unsafe: bool,
    pub(super) no_std: bool,
}

enum Outside {
    /// A library other people build: each crate here is argued for in the room's manifest.
    Only(&'static [&'static str]),
    /// A program or a tool of ours.
    Any,
}

const TESTKIT: &[&str] = &["extbuf-testkit"];

#[rustfmt::skip]
pub(super) const ROOMS: &[Room] = &[
    // `half` and `num-complex` are there for who already uses them, the derive for who wants it: optional, off by default.
    Room { name: "extbuf-format",   ours: &["extbuf-derive"], tests: TESTKIT, outside: Outside::Only(&["bytemuck", "num-traits", "half", "num-complex"]), may_hold_unsafe: false, no_std: true },
    Room { name: "extbuf-layout",   ours: &[], tests: TESTKIT, outside: Outside::Only(&["bytemuck", "num-traits"]), may_hold_unsafe: false, no_std: true },
    // `memmap2` makes a mapped file an owner of memory. `rayon`, `ndarray` and `image` are there for who already uses
    // them: their traits and ours can be joined here and nowhere else. All optional, off by default, `image` without its
    // decoders. `loom` models the threads; only a build with `--cfg loom` has it.
    Room { name: "extbuf-protocol", ours: &["extbuf-format", "extbuf-layout"], tests: TESTKIT, outside: Outside::Only(&["bytemuck", "num-traits", "memmap2", "image", "ndarray", "rayon", "loom"]), may_hold_unsafe: true, no_std: true },
    // `libc` asks Linux for large pages under large results, which halves the time of the whole copy.
    Room { name: "extbuf-copy",     ours: &["extbuf-format", "extbuf-layout", "extbuf-protocol"], tests: TESTKIT, outside: Outside::Only(&["bytemuck", "num-traits", "rayon", "libc"]), may_hold_unsafe: true, no_std: false },
    Room { name: "extbuf",          ours: &["extbuf-format", "extbuf-layout", "extbuf-protocol", "extbuf-copy"], tests: &["extbuf-draw"], outside: Outside::Only(&[]), may_hold_unsafe: false, no_std: false },
    Room { name: "extbuf-derive",   ours: &[], tests: &["extbuf-format"], outside: Outside::Only(&["proc-macro2", "quote", "syn"]), may_hold_unsafe: false, no_std: false },
    Room { name: "extbuf-draw",     ours: &["extbuf-format", "extbuf-layout"], tests: TESTKIT, outside: Outside::Only(&[]), may_hold_unsafe: false, no_std: false },
    Room { name: "extbuf-cli",      ours: &["extbuf", "extbuf-draw"], tests: TESTKIT, outside: Outside::Any, may_hold_unsafe: false, no_std: false },
    // The only door to an interpreter. PyO3's typed buffers are not used: `raw.rs` says why.
    Room { name: "extbuf-python",   ours: &["extbuf-format", "extbuf-layout", "extbuf-protocol", "extbuf-copy", "extbuf-draw"], tests: TESTKIT, outside: Outside::Any, may_hold_unsafe: true, no_std: false },
    Room { name: "extbuf-testkit",  ours: &[], tests: &[], outside: Outside::Any, may_hold_unsafe: false, no_std: false },
    Room { name: "extbuf-benches",  ours: &["extbuf", "extbuf-format", "extbuf-layout", "extbuf-protocol", "extbuf-copy", "extbuf-testkit"], tests: &[], outside: Outside::Any, may_hold_unsafe: false, no_std: false },
    // The engine behind C functions, and the harness that times it in one process with others.
    Room { name: "extbuf-plugin",   ours: &["extbuf-format", "extbuf-layout", "extbuf-copy"], tests: &[], outside: Outside::Only(&[]), may_hold_unsafe: true, no_std: false },
    Room { name: "extbuf-peers",    ours: &["extbuf-layout", "extbuf-plugin"], tests: &[], outside: Outside::Any, may_hold_unsafe: true, no_std: false },
    // An allocator that refuses, foreign memory and a mapped file.
    Room { name: "extbuf-soak",     ours: &["extbuf"], tests: &[], outside: Outside::Any, may_hold_unsafe: true, no_std: false },
    Room { name: "extbuf-fuzz",     ours: &["extbuf", "extbuf-format", "extbuf-layout", "extbuf-protocol", "extbuf-copy", "extbuf-testkit"], tests: &[], outside: Outside::Any, may_hold_unsafe: true, no_std: false },
    Room { name: "xtask",           ours: &[], tests: &[], outside: Outside::Any, may_hold_unsafe: false, no_std: false },
];

/// Files that hold unsafe in a room that otherwise has none, each with its reason at its top.
pub(super) const UNSAFE_FILES: &[&str] = &["crates/extbuf-cli/src/map.rs"];

/// Folders that know less than the crate they lie in.
const FOLDERS: &[(&str, &[&str])] = &[
    // A plan is made of numbers: it sees layouts and nothing of who lends the memory or what an item means.
    ("crates/extbuf-copy/src/plan/", &["extbuf_protocol", "extbuf_format"]),
    // A kernel sees pointers and counts.
    ("crates/extbuf-copy/src/kernel/", &["extbuf_protocol", "extbuf_format", "extbuf_layout"]),
    // A pass over a line sees pointers, counts, and which numbers they are.
    ("crates/extbuf-copy/src/convert/lanes/", &["extbuf_protocol", "extbuf_format", "extbuf_layout"]),
];

/// The facade re-exports and does nothing, so nothing of these stands in its code.
const FACADE: (&str, &[&str]) = ("crates/extbuf/src/", &["fn", "impl", "trait", "enum", "macro_rules"]);

const TABLE: &str = "xtask/src/tidy/rooms.rs";

pub(super) fn room(name: &str) -> Option<&'static Room> {
    ROOMS.iter().find(|room| room.name == name)
}

pub(super) fn check(tree: &Tree, problems: &mut Vec<Problem>) {
    let members = members(tree);
    for member in &members {
        match room(&member.name) {
            Some(room) => doors(member, room, &members, problems),
            None => problems.push(problem(
                &member.manifest,
                1,
                format!("{} is no room: say in {TABLE} which crates it may know", member.name),
            )),
        }
    }
    folders(tree, problems);
    facade(tree, problems);
}

fn doors(member: &Member<'_>, room: &Room, members: &[Member<'_>], problems: &mut Vec<Problem>) {
    for (kind, table) in dependency_tables(&member.table) {
        for (key, value) in table.as_table().into_iter().flatten() {
            let name = value.pointer("/package").and_then(Value::as_str).unwrap_or(&key.name);
            let ours = name.starts_with("extbuf") || members.iter().any(|member| member.name == name);
            let for_tests = kind == Kind::Tests;
            let what = if ours {
                if room.ours.contains(&name) || for_tests && room.tests.contains(&name) {
                    continue;
                }
                format!(
                    "{} may not depend on {name}: move the code to the room that may, or open the door",
                    room.name
                )
            } else {
                match room.outside {
                    Outside::Any => continue,
                    Outside::Only(_) if for_tests => continue,
                    Outside::Only(allowed) if allowed.contains(&name) => continue,
                    Outside::Only(_) => {
                        format!(
                            "everybody who uses {} would build {name}: do without it, or argue for it",
                            room.name
                        )
                    }
                }
            };
            let line = line_of(member.text, key.span.start);
            problems.push(problem(&member.manifest, line, format!("{what} in {TABLE}")));
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Build,
    Tests,
}

/// The tables of dependencies of a manifest, those of single targets with them.
fn dependency_tables<'m>(manifest: &'m Value<'m>) -> Vec<(Kind, &'m Value<'m>)> {
    let mut holders = vec![manifest];
    let targets = manifest.pointer("/target").and_then(Value::as_table);
    holders.extend(targets.into_iter().flat_map(|targets| targets.values()));
    let mut tables = Vec::new();
    for holder in holders {
        for (kind, name) in [
            (Kind::Build, "/dependencies"),
            (Kind::Build, "/build-dependencies"),
            (Kind::Tests, "/dev-dependencies"),
        ] {
            tables.extend(holder.pointer(name).map(|table| (kind, table)));
        }
    }
    tables
}

fn folders(tree: &Tree, problems: &mut Vec<Problem>) {
    for (folder, forbidden) in FOLDERS {
        for (path, text) in tree.ending(".rs").filter(|(path, _)| path.starts_with(folder)) {
            for (number, line) in Lines::of(text).code() {
                for name in forbidden.iter().filter(|name| has_word(line, name)) {
                    let what = format!(
                        "{folder} may not know {name}: pass it what it needs as numbers (see {TABLE})"
                    );
                    problems.push(problem(path, number, what));
                }
            }
        }
    }
}

fn facade(tree: &Tree, problems: &mut Vec<Problem>) {
    let (folder, logic) = FACADE;
    for (path, text) in tree.ending(".rs").filter(|(path, _)| path.starts_with(folder)) {
        for (number, line) in Lines::of(text).code() {
            if let Some(word) = logic.iter().find(|word| has_word(line, word)) {
                let what = format!(
                    "the facade holds no logic, and here is `{word}`: move it to the room it belongs to"
                );
                problems.push(problem(path, number, what));
            }
        }
    }
}
