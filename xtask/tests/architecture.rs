//! The rules of docs/architecture.md that a reader of the sources can check: who imports whom, and how files begin.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A module at the top of `src` or the `src` of another package of the library, and what of ours it may name.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("error", &[]),
    ("ui", &["model"]),
    ("noise", &["model"]),
    ("parallel", &[]),
    ("repo", &["model", "error"]),
    ("search", &[]),
    ("catalog", &["model", "error"]),
    ("config", &["model", "error"]),
    ("discover", &["model", "repo", "noise", "search", "parallel", "catalog", "error"]),
    ("plan", &["model", "parallel", "catalog", "config", "error"]),
    ("render", &["model"]),
    ("apply", &["model", "repo", "error"]),
    ("adopt", &["model", "error"]),
    ("run", &["model", "error", "ui"]),
];

#[allow(clippy::disallowed_methods, reason = "a test reads the sources")]
fn sources(below: &Path, into: &mut Vec<(PathBuf, String)>) {
    for entry in std::fs::read_dir(below).expect("the sources are there").flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).expect("sources are UTF-8");
            into.push((path, text));
        }
    }
}

fn all() -> Vec<(PathBuf, String)> {
    let homes = ["src", "base/src", "discover/src", "plan/src"]
        .map(|home| Path::new(env!("CARGO_MANIFEST_DIR")).join(home));
    let below = |src: PathBuf| {
        let mut found = Vec::new();
        sources(&src, &mut found);
        let relative = move |(path, text): (PathBuf, String)| {
            (path.strip_prefix(&src).expect("below src").to_owned(), text)
        };
        found.into_iter().map(relative)
    };
    homes.into_iter().flat_map(below).collect()
}

/// The module of ours that a path `crate::NAME…` names, for every such path in the text outside of tests.
fn imports(text: &str) -> BTreeSet<String> {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let mut found = BTreeSet::new();
    for line in lines {
        for rest in line.split("crate::").skip(1) {
            found.insert(rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect());
        }
    }
    found
}

#[test]
fn stages_import_only_what_the_architecture_allows() {
    let mut wrong = Vec::new();
    for (path, text) in all() {
        if path.to_string_lossy().contains("test") {
            continue;
        }
        let first = path.components().next().expect("has a name").as_os_str().to_string_lossy();
        let module = first.strip_suffix(".rs").unwrap_or(&first).to_owned();
        let Some((_, allowed)) = MAY_IMPORT.iter().find(|(name, _)| *name == module) else { continue };
        for import in imports(&text) {
            let own = import == module || import.is_empty() || import.starts_with('{');
            if !own && !allowed.contains(&import.as_str()) {
                wrong.push(format!("{} imports `{import}`", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "see docs/architecture.md:\n{}", wrong.join("\n"));
}

#[test]
fn every_file_begins_with_its_purpose() {
    let without: Vec<String> = all()
        .into_iter()
        .filter(|(_, text)| !text.starts_with("//! "))
        .map(|(path, _)| path.display().to_string())
        .collect();
    assert!(without.is_empty(), "no `//!` line: {without:?}");
}

#[test]
fn no_file_outgrows_its_reader() {
    let long: Vec<String> = all()
        .into_iter()
        .filter(|(_, text)| text.lines().count() > 700)
        .map(|(path, text)| format!("{} has {} lines", path.display(), text.lines().count()))
        .collect();
    assert!(long.is_empty(), "split them: {long:?}");
}
