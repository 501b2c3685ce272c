//! Names in a Compose file that lead nowhere; changes no text.

use std::collections::BTreeSet;

use super::tree::{Data, Value};

/// What `merged` names and does not hold, though both `current` and `new` hold everything that they name; a
/// sentence each. A file that names things of another file (an override) is not judged.
pub(super) fn broken(current: &Value, new: &Value, merged: &Value) -> Vec<String> {
    if !dangling(new).is_empty() {
        return Vec::new();
    }
    dangling(merged).difference(&dangling(current)).cloned().collect()
}

fn dangling(file: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (name, service) in pairs(file.get("services")) {
        let mut check = |verb: &str, section: &str, targets: Vec<&str>| {
            let held = pairs(file.get(section));
            let is_held = |target: &str| held.iter().any(|(held, _)| *held == target);
            for target in targets.into_iter().filter(|target| !is_held(target)) {
                found.insert(format!("{name} {verb} {target}, which is not there"));
            }
        };
        check("depends on", "services", names(service.get("depends_on")));
        let networks = names(service.get("networks")).into_iter().filter(|network| *network != "default");
        check("joins the network", "networks", networks.collect());
        check("mounts the volume", "volumes", volumes(service.get("volumes")));
    }
    found
}

fn pairs(value: Option<&Value>) -> Vec<(&str, &Value)> {
    match value.map(|value| &value.data) {
        Some(Data::Map(pairs)) => {
            pairs.iter().filter_map(|(key, value)| Some((key.scalar()?, value))).collect()
        }
        _ => Vec::new(),
    }
}

/// The keys of a map or the items of a list.
pub(super) fn names(value: Option<&Value>) -> Vec<&str> {
    match value.map(|value| &value.data) {
        Some(Data::List(items)) => items.iter().filter_map(Value::scalar).collect(),
        _ => pairs(value).into_iter().map(|(key, _)| key).collect(),
    }
}

/// Named volumes in the short form: no path and no variable before the colon.
pub(super) fn volumes(value: Option<&Value>) -> Vec<&str> {
    let mounts = names(value).into_iter().filter_map(|mount| mount.split_once(':'));
    mounts.map(|(source, _)| source).filter(|source| !source.contains(['/', '.', '$', '~', '\\'])).collect()
}
