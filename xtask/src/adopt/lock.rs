//! What a run of cargo changed in a lock file; runs no cargo.

use std::collections::BTreeSet;

use crate::model::words::count;

pub(super) const ROOT: &str = "Cargo.lock";

/// Whether a lock file knows a package.
pub fn knows(lock: Option<&str>, package: &str) -> bool {
    lock.is_some_and(|text| packages(text).iter().any(|(name, _)| *name == package))
}

/// What became of it, in words: what came, and what the packages that were there no longer get.
pub fn difference(before: &str, after: &str) -> String {
    let (before, after) = (packages(before), packages(after));
    let came = after.difference(&before).count();
    let gone: Vec<String> =
        before.difference(&after).map(|(name, version)| format!("{name} {version}")).collect();
    match (came, gone.as_slice()) {
        (_, []) => format!("{} more", count(came, "package")),
        (_, gone) => format!("{} more; no longer there: {}", count(came, "package"), gone.join(", ")),
    }
}

/// Names and versions; these two lines begin each package since the first version of the format.
fn packages(lock: &str) -> BTreeSet<(&str, &str)> {
    let lines: Vec<&str> = lock.lines().map(str::trim_end).collect();
    lines.windows(2).filter_map(|two| Some((quoted(two[0], "name")?, quoted(two[1], "version")?))).collect()
}

fn quoted<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    line.strip_prefix(key)?.strip_prefix(" = \"")?.strip_suffix('"')
}
