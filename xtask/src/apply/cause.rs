//! The difference between two versions of a generated file in a few words; decides nothing.

use std::collections::BTreeMap;

use serde_yaml::{Mapping, Value};

use crate::apply::merge::Kind;
use crate::model::words::{count, list};

/// How many changes are named before they are only counted.
const NAMED: usize = 3;

/// Why a file is written: `trading has a new variable MAX_QTY`, `new service payments`, `4 lines changed`.
pub fn between(name: &str, old: &str, new: &str) -> String {
    let changes = match Kind::of(name) {
        Kind::Yaml => yaml(old, new),
        Kind::Env => variables(&env(old), &env(new)),
        Kind::Lines => Vec::new(),
    };
    match changes.len() {
        0 => format!("{} changed", count(lines(old, new), "line")),
        1..=NAMED => list(&changes),
        n => format!("{}, and {} more", changes[..NAMED - 1].join(", "), n - (NAMED - 1)),
    }
}

fn lines(old: &str, new: &str) -> usize {
    let patch = diffy::create_patch(old, new);
    let (mut gone, mut added) = (0, 0);
    for line in patch.hunks().iter().flat_map(|hunk| hunk.lines()) {
        match line {
            diffy::Line::Delete(_) => gone += 1,
            diffy::Line::Insert(_) => added += 1,
            diffy::Line::Context(_) => {}
        }
    }
    gone.max(added)
}

fn yaml(old: &str, new: &str) -> Vec<String> {
    let (Ok(Value::Mapping(old)), Ok(Value::Mapping(new))) =
        (serde_yaml::from_str(old), serde_yaml::from_str(new))
    else {
        return Vec::new();
    };
    let mut changes = Vec::new();
    for (section, one) in [("services", "service"), ("volumes", "volume"), ("networks", "network")] {
        let (old, new) = (entries(old.get(section)), entries(new.get(section)));
        changes
            .extend(new.keys().filter(|key| !old.contains_key(*key)).map(|key| format!("new {one} {key}")));
        changes.extend(
            old.keys().filter(|key| !new.contains_key(*key)).map(|key| format!("{one} {key} is gone")),
        );
        for (key, after) in &new {
            if let (Some(Value::Mapping(before)), Value::Mapping(after)) = (old.get(key), after) {
                changes.extend(service(before, after).into_iter().map(|change| format!("{key} {change}")));
            }
        }
    }
    for (key, after) in entries(Some(&Value::Mapping(new))) {
        let known = ["services", "volumes", "networks"].contains(&key.as_str());
        if !known && old.get(key.as_str()) != Some(&after) {
            changes.push(format!("{key} changed"));
        }
    }
    changes
}

fn service(old: &Mapping, new: &Mapping) -> Vec<String> {
    let mut changes = variables(&environment(old.get("environment")), &environment(new.get("environment")));
    for change in &mut changes {
        *change = match change.strip_prefix("new ") {
            Some(what) if what.starts_with("variable ") => format!("has a new {what}"),
            _ => format!("has {change}"),
        };
    }
    let mut keys: Vec<&str> = old.keys().chain(new.keys()).filter_map(Value::as_str).collect();
    keys.sort_unstable();
    keys.dedup();
    keys.retain(|key| *key != "environment" && old.get(*key) != new.get(*key));
    if !keys.is_empty() {
        changes.push(format!("changes {}", list(&keys)));
    }
    changes
}

fn variables<V: PartialEq>(old: &BTreeMap<String, V>, new: &BTreeMap<String, V>) -> Vec<String> {
    let mut changes = Vec::new();
    let mut say = |names: Vec<&String>, one: &str, many: &str| match names.as_slice() {
        [] => {}
        [name] => changes.push(one.replace('_', name)),
        names => changes.push(many.replace('_', &list(names))),
    };
    let added = new.keys().filter(|key| !old.contains_key(*key)).collect();
    say(added, "new variable _", "new variables _");
    let gone = old.keys().filter(|key| !new.contains_key(*key)).collect();
    say(gone, "no variable _ any more", "no variables _ any more");
    let other = new.iter().filter(|(key, value)| old.get(*key).is_some_and(|old| old != *value));
    say(other.map(|(key, _)| key).collect(), "another value of _", "other values of _");
    changes
}

fn entries(value: Option<&Value>) -> BTreeMap<String, Value> {
    let Some(Value::Mapping(mapping)) = value else { return BTreeMap::new() };
    mapping.iter().filter_map(|(key, value)| Some((key.as_str()?.to_owned(), value.clone()))).collect()
}

/// Of a map or of a list of `NAME=value`.
fn environment(value: Option<&Value>) -> BTreeMap<String, Value> {
    let Some(Value::Sequence(items)) = value else { return entries(value) };
    let pairs = items.iter().filter_map(|item| item.as_str()?.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), Value::from(value))).collect()
}

fn env(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    let pairs = lines.filter_map(|line| line.split_once('='));
    pairs.map(|(name, value)| (name.trim().to_owned(), value.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "services:\n  trading:\n    environment:\n      PORT: 3000\n    init: true\n";

    #[test]
    fn a_new_variable_is_named_with_its_service() {
        let new = OLD.replace("    init", "      MAX_QTY: 5\n    init");
        assert_eq!(between("docker-compose.yml", OLD, &new), "trading has a new variable MAX_QTY");
    }

    #[test]
    fn new_and_removed_services_are_named() {
        let new = OLD.replace("trading", "market");
        assert_eq!(
            between("docker-compose.yml", OLD, &new),
            "new service market and service trading is gone"
        );
    }

    #[test]
    fn other_changes_name_the_key() {
        let new = OLD.replace("true", "false");
        assert_eq!(between("docker-compose.yml", OLD, &new), "trading changes init");
    }

    #[test]
    fn comments_alone_are_counted_in_lines() {
        assert_eq!(between("docker-compose.yml", OLD, &format!("# a\n# b\n{OLD}")), "2 lines changed");
    }

    #[test]
    fn variables_of_env_files_are_named() {
        assert_eq!(between(".env.example", "A=1\n", "A=2\nB=1\n"), "new variable B and another value of A");
    }
}
