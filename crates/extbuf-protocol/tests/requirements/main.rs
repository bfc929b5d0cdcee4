//! What python-dev asked of the protocol in 2007, each statement as the test that bears its number. The book's page on
//! requirements lists them all; that list and these tests are compared here.

mod description;
mod lifetime;
mod negotiation;

/// The requirements that concern the protocol, by their numbers.
const PROTOCOL: &[u32] = &[
    1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36,
    37, 39, 45, 46, 47, 48, 51, 53, 54, 55, 56, 59, 60,
];

/// Where the tests are that the page names.
const SOURCES: &[(&str, &str)] = &[
    ("", include_str!("description.rs")),
    ("", include_str!("lifetime.rs")),
    ("", include_str!("negotiation.rs")),
    ("lifetimes::", include_str!("../../src/lifetimes.rs")),
    ("", include_str!("../../../extbuf-copy/tests/working.rs")),
];

#[test]
fn the_page_lists_every_requirement_with_a_test_that_exists() {
    let page = include_str!("../../../../docs/src/requirements.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| R")?.split_once(" | "));
    let mut listed = Vec::new();
    for (number, rest) in rows {
        let number: u32 = number.parse().unwrap();
        let (words, answer) = rest.trim_end_matches(" |").split_once(" | ").expect("two more columns");
        assert!(!words.is_empty());
        let tests: Vec<&str> = answer.split('`').skip(1).step_by(2).collect();
        assert!(!tests.is_empty(), "R{number} names no test");
        for test in tests {
            let exists = SOURCES.iter().any(|(room, source)| {
                let name = test.strip_prefix(room).unwrap_or("?");
                source.contains(&format!("fn {name}()")) || source.contains(&format!("struct {name};"))
            });
            assert!(exists, "R{number} names {test}, which is nowhere");
            let numbered = test.contains("::") || test.contains(&format!("r{number:02}_"));
            assert!(numbered, "R{number} names {test}, which bears another number");
        }
        listed.push(number);
    }
    assert_eq!(listed, PROTOCOL);
}
