//! What the workspace builds with: every package from the registry or from this repository, and under a licence that
//! goes with ours; and no library brings two versions of one crate into other people's programs.

use std::collections::BTreeMap;

use spdx::{Expression, ParseMode};

use crate::msrv::dependencies;
use crate::packages::{self, Package};
use crate::shell::{Result, say};

/// Licences that ask no more of a program than ours do.
const ALLOWED: &[&str] = &[
    "MIT",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "0BSD",
    "BSL-1.0",
    "CC0-1.0",
    "Unicode-3.0",
];

/// The step.
pub(crate) fn step() -> Result {
    for library in packages::libraries()? {
        // What macros are made with is not in what is linked, and changes hands more often.
        let needed = dependencies(&library.name, "normal,no-proc-macro")?;
        let twice = in_two_versions(needed.iter().map(|(name, version)| (&**name, &**version)));
        if !twice.is_empty() {
            let twice = twice.join(", ");
            return Err(format!("who uses {} builds these twice: {twice}", library.name).into());
        }
    }
    let packages = packages::all()?;
    let refused: Vec<_> = packages.iter().filter_map(|package| Some((package, refusal(package)?))).collect();
    if refused.is_empty() {
        say(&format!(
            "{} packages, each from the registry or from here, each under a licence we allow",
            packages.len()
        ));
        return Ok(());
    }
    let listed: Vec<_> =
        refused.iter().map(|(package, why)| format!("{} {}: {why}", package.name, package.version)).collect();
    Err(format!("choose other packages, or argue for these in xtask/src/deps.rs:\n  {}", listed.join("\n  "))
        .into())
}

/// Names with all their versions, of what comes in more than one.
fn in_two_versions<'p>(packages: impl Iterator<Item = (&'p str, &'p str)>) -> Vec<String> {
    let mut versions: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (name, version) in packages {
        versions.entry(name).or_default().push(version);
    }
    let twice = versions.into_iter().filter(|(_, versions)| versions.len() > 1);
    twice.map(|(name, versions)| format!("{name} {}", versions.join(" and "))).collect()
}

/// Why we do not build with this package, if so.
fn refusal(package: &Package) -> Option<String> {
    let (source, licence) = (package.source.as_deref(), package.licence.as_deref());
    if source.is_some_and(|source| !source.starts_with("registry+")) {
        return Some(format!("comes from {}", source.unwrap_or_default()));
    }
    let Some(licence) = licence else { return Some("names no licence".to_owned()) };
    match Expression::parse_mode(licence, ParseMode::LAX) {
        Err(error) => Some(format!("its licence `{licence}` cannot be read: {}", error.reason)),
        Ok(expression) => {
            let allowed = expression.evaluate(|term| {
                term.addition.is_none() && term.license.id().is_some_and(|id| ALLOWED.contains(&id.name))
                    || term.to_string() == "Apache-2.0 WITH LLVM-exception"
            });
            (!allowed).then(|| format!("is under `{licence}`"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn under(licence: Option<&str>, source: Option<&str>) -> Package {
        Package {
            licence: licence.map(str::to_owned),
            source: source.map(str::to_owned),
            ..Package::default()
        }
    }

    #[test]
    fn one_allowed_side_of_an_or_is_enough_and_both_of_an_and_are_needed() {
        let accepted = |licence: &str| refusal(&under(Some(licence), None)).is_none();
        assert!(accepted("MIT OR GPL-3.0-only"));
        assert!(accepted("MIT/Apache-2.0"));
        assert!(accepted("Apache-2.0 WITH LLVM-exception"));
        assert!(accepted("(MIT OR Apache-2.0) AND Unicode-3.0"));
        assert!(!accepted("MIT AND GPL-3.0-only"));
        assert!(!accepted("GPL-2.0-or-later"));
        assert!(!accepted("MIT WITH Classpath-exception-2.0"));
        assert!(!accepted("no licence at all"));
        assert!(refusal(&under(None, None)).is_some());
    }

    #[test]
    fn two_versions_of_one_package_are_named() {
        let packages = [("a", "1.0.0"), ("b", "1.0.0"), ("b", "2.0.0")];
        assert_eq!(in_two_versions(packages.into_iter()), ["b 1.0.0 and 2.0.0"]);
    }

    #[test]
    fn packages_come_from_the_registry_or_from_here() {
        assert!(refusal(&under(Some("MIT"), Some("registry+https://example.org/index"))).is_none());
        assert!(refusal(&under(Some("MIT"), Some("git+https://example.org/x"))).is_some());
    }
}
