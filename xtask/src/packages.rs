//! The packages of the workspace, as `cargo metadata` tells them.

use serde_json::Value;

use crate::shell::{Result, cargo, output};

/// A package of the workspace, or one that the workspace builds with.
#[derive(Debug, Default)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) description: String,
    /// The expression in the manifest, checked by nobody yet.
    pub(crate) licence: Option<String>,
    /// Where it was fetched from; `None` for what lies in this repository.
    pub(crate) source: Option<String>,
    /// `None` where the package promises nothing.
    pub(crate) rust_version: Option<String>,
    /// May be published; the runner, the benches and the testkit may not.
    pub(crate) published: bool,
    /// Has a library that other crates can link (not a program, not a derive).
    pub(crate) library: bool,
    /// Has features that are off by default.
    pub(crate) has_extras: bool,
}

/// The packages of this workspace, in the order of their names.
pub(crate) fn members() -> Result<Vec<Package>> {
    let mut members = read(&metadata(&["--no-deps"])?)?;
    members.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(members)
}

/// The published libraries: what other people's builds rest on.
pub(crate) fn libraries() -> Result<Vec<Package>> {
    Ok(members()?.into_iter().filter(|member| member.published && member.library).collect())
}

/// Every package that the lock file names, with those of this workspace.
pub(crate) fn all() -> Result<Vec<Package>> {
    read(&metadata(&[])?)
}

fn metadata(arguments: &[&str]) -> Result<Value> {
    let mut command = cargo(["metadata", "--format-version", "1", "--locked"]);
    let text = output(command.args(arguments))?;
    serde_json::from_str(&text).map_err(|error| format!("`cargo metadata` printed no JSON: {error}").into())
}

fn read(metadata: &Value) -> Result<Vec<Package>> {
    let packages = metadata["packages"].as_array().ok_or("`cargo metadata` listed no packages")?;
    Ok(packages.iter().map(package).collect())
}

fn package(value: &Value) -> Package {
    let maybe = |key: &str| value[key].as_str().map(str::to_owned);
    let text = |key: &str| maybe(key).unwrap_or_default();
    let is_library = |target: &Value| {
        target["kind"].as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind.as_str() == Some("lib")))
    };
    Package {
        name: text("name"),
        version: text("version"),
        description: text("description"),
        licence: maybe("license"),
        source: maybe("source"),
        rust_version: maybe("rust_version"),
        // `publish = false` arrives as an empty list of registries.
        published: value["publish"].as_array().is_none_or(|registries| !registries.is_empty()),
        library: value["targets"].as_array().is_some_and(|targets| targets.iter().any(is_library)),
        has_extras: has_extras(&value["features"]),
    }
}

/// Whether a table of features has one that `default` does not reach.
fn has_extras(features: &Value) -> bool {
    let mut reached = vec!["default"];
    let mut next = 0;
    while let Some(&feature) = reached.get(next) {
        next += 1;
        for implied in features[feature].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !reached.contains(&implied) {
                reached.push(implied);
            }
        }
    }
    features.as_object().is_some_and(|features| features.keys().any(|name| !reached.contains(&&**name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extras_are_what_default_does_not_reach() {
        let parse = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert!(!has_extras(&parse("{}")));
        assert!(!has_extras(&parse(r#"{"default": ["a"], "a": ["b"], "b": ["dep:c"]}"#)));
        assert!(has_extras(&parse(r#"{"default": ["a"], "a": [], "b": ["a"]}"#)));
        assert!(has_extras(&parse(r#"{"a": []}"#)));
    }
}
