//! What an update means for a system that already runs and holds data, from two texts of its Compose file; touches no
//! disk and asks no engine.

use std::collections::{BTreeMap, BTreeSet};

use serde_yaml::{Mapping, Value};

/// Everything that people should know before they start the new version.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Compatibility {
    /// `trading` waits for `market` now: service, targets that are new, targets that are gone.
    pub dependencies: Vec<(String, Vec<String>, Vec<String>)>,
    /// Service, container port, host port before and now.
    pub moved_ports: Vec<(String, String, String, String)>,
    /// A host port and the services that all want it.
    pub port_conflicts: Vec<(String, Vec<String>)>,
    /// Variables that the files demand and the env file does not have.
    pub missing_variables: Vec<String>,
    /// Named volumes that a service used before and none uses now.
    pub unused_volumes: Vec<String>,
    /// Services that get another database than before: service, database before and now.
    pub moved_databases: Vec<(String, String, String)>,
    /// Servers that start in another major version on the data of the last one.
    pub majors: Vec<Major>,
}

/// Another major version over the same volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Major {
    /// The Compose service.
    pub service: String,
    /// The kind of infrastructure, by its label; empty where it has none.
    pub kind: String,
    /// The image before and now.
    pub images: (String, String),
    /// The major before and now.
    pub majors: (u32, u32),
    /// The volume that both mount.
    pub volume: String,
}

/// Compares what lay there with what lies there then. `env` is the env file; `None` where there is none yet.
pub fn compare(old: &str, new: &str, env: Option<&BTreeMap<String, String>>) -> Compatibility {
    let (Some(old), Some(read)) = (read(old), read(new)) else { return Compatibility::default() };
    let value = |name: &str| env.and_then(|env| env.get(name).cloned());
    let mut found = Compatibility {
        port_conflicts: conflicts(&read, &value),
        unused_volumes: unused(&old, &read),
        missing_variables: env.map(|env| missing(new, env)).unwrap_or_default(),
        ..Compatibility::default()
    };
    for (name, after) in &read {
        let Some(before) = old.get(name) else { continue };
        let (was, is) = (names(before.get("depends_on")), names(after.get("depends_on")));
        if was != is {
            let only = |a: &BTreeSet<String>, b: &BTreeSet<String>| a.difference(b).cloned().collect();
            found.dependencies.push((name.clone(), only(&is, &was), only(&was, &is)));
        }
        let (was, is) = (ports(before, &value), ports(after, &value));
        for (container, host) in &is {
            match was.get(container) {
                Some(old) if old != host => {
                    found.moved_ports.push((name.clone(), container.clone(), old.clone(), host.clone()));
                }
                _ => {}
            }
        }
        found.moved_databases.extend(moved(before, after));
        found.majors.extend(major(name, before, after));
    }
    found
}

/// Services whose database on one server has another name, by the label of its setup.
fn moved(before: &Mapping, after: &Mapping) -> Vec<(String, String, String)> {
    let databases = |setup: &Mapping| -> BTreeMap<String, String> {
        let label = label(setup, "xtask.databases").unwrap_or_default();
        let pair = |item: &str| {
            let (service, rest) = item.split_once(':')?;
            Some((service.to_owned(), rest.split(':').next()?.to_owned()))
        };
        label.split_whitespace().filter_map(pair).collect()
    };
    let was = databases(before);
    let moved = |(service, new): (String, String)| {
        let old = was.get(&service).filter(|old| **old != new)?.clone();
        Some((service, old, new))
    };
    databases(after).into_iter().filter_map(moved).collect()
}

fn label(service: &Mapping, wanted: &str) -> Option<String> {
    match service.get("labels")? {
        Value::Sequence(items) => items
            .iter()
            .find_map(|item| item.as_str()?.strip_prefix(&format!("{wanted}=")).map(str::to_owned)),
        labels => labels.get(wanted)?.as_str().map(str::to_owned),
    }
}

fn read(text: &str) -> Option<BTreeMap<String, Mapping>> {
    let root: Value = serde_yaml::from_str(text).ok()?;
    let services = root.get("services")?.as_mapping()?;
    let service =
        |(name, body): (&Value, &Value)| Some((name.as_str()?.to_owned(), body.as_mapping()?.clone()));
    Some(services.iter().filter_map(service).collect())
}

/// The keys of a map or the items of a list.
fn names(value: Option<&Value>) -> BTreeSet<String> {
    match value {
        Some(Value::Mapping(map)) => map.keys().filter_map(Value::as_str).map(str::to_owned).collect(),
        Some(Value::Sequence(items)) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => BTreeSet::new(),
    }
}

/// Host ports by container port, in the short form; `${NAME:-3000}` is filled in.
fn ports(service: &Mapping, value: &dyn Fn(&str) -> Option<String>) -> BTreeMap<String, String> {
    let Some(Value::Sequence(items)) = service.get("ports") else { return BTreeMap::new() };
    let pair = |item: &Value| {
        let filled = filled(item.as_str()?, value);
        let mut parts = filled.rsplit(':');
        let (container, host) = (parts.next()?.to_owned(), parts.next()?.to_owned());
        Some((container, host))
    };
    items.iter().filter_map(pair).collect()
}

/// `${NAME}`, `${NAME:-default}` and `${NAME:?why}` replaced by the value or the default.
fn filled(text: &str, value: &dyn Fn(&str) -> Option<String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, found)) = rest.split_once("${") {
        out.push_str(before);
        let (inside, behind) = found.split_once('}').unwrap_or((found, ""));
        let length = inside.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
        let (name, tail) = inside.split_at(length);
        let default = tail.strip_prefix(":-").or_else(|| tail.strip_prefix('-')).unwrap_or_default();
        out.push_str(&value(name).filter(|value| !value.is_empty()).unwrap_or_else(|| default.to_owned()));
        rest = behind;
    }
    out + rest
}

fn conflicts(
    services: &BTreeMap<String, Mapping>,
    value: &dyn Fn(&str) -> Option<String>,
) -> Vec<(String, Vec<String>)> {
    let mut by_port: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, service) in services {
        for host in ports(service, value).into_values() {
            by_port.entry(host).or_default().push(name.clone());
        }
    }
    by_port.retain(|_, names| names.len() > 1);
    by_port.into_iter().collect()
}

/// Names in `${NAME:?…}` without a value.
fn missing(text: &str, env: &BTreeMap<String, String>) -> Vec<String> {
    let mut names = BTreeSet::new();
    for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
        for rest in line.split("${").skip(1) {
            let length =
                rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
            let (name, tail) = rest.split_at(length);
            let demanded = tail.starts_with(":?") || tail.starts_with('?');
            if demanded && env.get(name).is_none_or(String::is_empty) {
                names.insert(name.to_owned());
            }
        }
    }
    names.into_iter().collect()
}

fn unused(old: &BTreeMap<String, Mapping>, new: &BTreeMap<String, Mapping>) -> Vec<String> {
    let all = |services: &BTreeMap<String, Mapping>| -> BTreeSet<String> {
        services.values().flat_map(volumes).map(|(volume, _)| volume).collect()
    };
    all(old).difference(&all(new)).cloned().collect()
}

/// Named volumes with their places in the container.
fn volumes(service: &Mapping) -> Vec<(String, String)> {
    let Some(Value::Sequence(items)) = service.get("volumes") else { return Vec::new() };
    let named = |item: &Value| match item {
        Value::Mapping(_) => {
            let field = |name: &str| item.get(name).and_then(Value::as_str).map(str::to_owned);
            (field("type").as_deref() == Some("volume")).then_some((field("source")?, field("target")?))
        }
        _ => {
            let (source, target) = item.as_str()?.split_once(':')?;
            let is_name = !source.contains(['/', '.', '$', '~', '\\']);
            is_name.then(|| (source.to_owned(), target.split(':').next().unwrap_or_default().to_owned()))
        }
    };
    items.iter().filter_map(named).collect()
}

fn major(name: &str, before: &Mapping, after: &Mapping) -> Option<Major> {
    let image = |service: &Mapping| Some(service.get("image")?.as_str()?.to_owned());
    let images = (image(before)?, image(after)?);
    let majors = (major_of(&images.0)?, major_of(&images.1)?);
    if majors.0 == majors.1 {
        return None;
    }
    let kept = volumes(before);
    let both = volumes(after).into_iter().find(|(volume, _)| kept.iter().any(|(old, _)| old == volume));
    // A one-shot only talks to the server.
    if label(after, "xtask.role").as_deref() == Some("one-shot") {
        return None;
    }
    let volume = both?.0;
    Some(Major {
        service: name.to_owned(),
        kind: label(after, "xtask.kind").unwrap_or_default(),
        images,
        majors,
        volume,
    })
}

/// The first number of a tag: `postgres:17.2-alpine` is 17.
fn major_of(image: &str) -> Option<u32> {
    let image = image.split('@').next().unwrap_or_default();
    let (_, tag) = image.rsplit_once(':').filter(|(_, tag)| !tag.contains('/'))?;
    let digits: String = tag.trim_start_matches('v').chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "services:\n  postgres:\n    image: postgres:16\n    volumes: [\"pg:/var/lib/postgresql/data\"]\n    \
        labels: { xtask.kind: postgres, xtask.role: component }\n  setup:\n    image: postgres:16\n    volumes: [\"pg:/x\"]\n    \
        labels: { xtask.role: one-shot }\n  api:\n    ports: [\"${BIND:-127.0.0.1}:${API_PORT:-3000}:3000\"]\n    \
        depends_on: { postgres: { condition: service_healthy } }\n  old:\n    image: old:1\n    volumes: [\"old-data:/data\", ./x:/y]\n";

    fn env(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn nothing_new_is_nothing_to_say() {
        assert_eq!(compare(OLD, OLD, Some(&env(&[]))), Compatibility::default());
        assert_eq!(compare("services: [\n", OLD, None), Compatibility::default());
    }

    #[test]
    fn another_major_over_the_same_volume_is_found_for_the_server_alone() {
        let found = compare(OLD, &OLD.replace("postgres:16", "postgres:17.2-alpine"), None);
        assert_eq!(found.majors.len(), 1);
        let major = &found.majors[0];
        assert_eq!(
            (major.service.as_str(), major.kind.as_str(), major.volume.as_str()),
            ("postgres", "postgres", "pg")
        );
        assert_eq!(major.majors, (16, 17));
        assert!(compare(OLD, &OLD.replace("postgres:16", "postgres:16.4"), None).majors.is_empty());
        let moved = OLD.replace("postgres:16", "postgres:17").replace("pg:", "pg17:");
        assert_eq!(
            (compare(OLD, &moved, None).majors, compare(OLD, &moved, None).unused_volumes),
            (vec![], vec!["pg".to_owned()])
        );
    }

    #[test]
    fn another_database_of_a_service_is_found_on_the_same_server() {
        let setup = |databases: &str| {
            format!("services:\n  postgres-setup:\n    labels: {{ xtask.databases: \"{databases}\" }}\n")
        };
        let found = compare(
            &setup("a:app:a:A_DB_PASSWORD b:b:b:B_DB_PASSWORD c:c:c:C_DB_PASSWORD"),
            &setup("a:a:a:A_DB_PASSWORD b:b:b:B_DB_PASSWORD d:d:d:D_DB_PASSWORD"),
            None,
        );
        assert_eq!(found.moved_databases, [("a".to_owned(), "app".to_owned(), "a".to_owned())]);
    }

    #[test]
    fn volumes_of_a_removed_service_are_named() {
        let new = OLD.split("  old:").next().unwrap_or_default();
        assert_eq!(compare(OLD, new, None).unused_volumes, ["old-data"]);
    }

    #[test]
    fn changed_dependencies_are_named() {
        let new = OLD.replace("postgres: { condition: service_healthy } }", "old: {}, redis: {} }");
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            compare(OLD, &new, None).dependencies,
            [("api".to_owned(), names(&["old", "redis"]), names(&["postgres"]))]
        );
    }

    #[test]
    fn ports_are_compared_as_the_env_file_moves_them() {
        let new = format!(
            "{}  web:\n    ports: [\"${{WEB_PORT:-3000}}:80\"]\n",
            OLD.replace("API_PORT:-3000", "API_PORT:-3001")
        );
        let found = compare(OLD, &new, None);
        assert_eq!(found.moved_ports, [("api".into(), "3000".into(), "3000".into(), "3001".into())]);
        assert!(found.port_conflicts.is_empty());
        let found = compare(OLD, &new, Some(&env(&[("API_PORT", "3000")])));
        assert!(found.moved_ports.is_empty(), "the env file holds it where it was");
        assert_eq!(found.port_conflicts, [("3000".to_owned(), vec!["api".to_owned(), "web".to_owned()])]);
    }

    #[test]
    fn variables_that_the_env_file_lacks_are_named_once() {
        let new = format!(
            "{OLD}    environment:\n      A: \"${{A:?set it}}${{A:?set it}}\"\n      B: \"${{B:-1}}\"\n      # ${{C:?no}}\n      D: \"${{D:?x}}\"\n"
        );
        assert_eq!(compare(OLD, &new, Some(&env(&[("D", "1")]))).missing_variables, ["A"]);
        assert!(compare(OLD, &new, None).missing_variables.is_empty(), "the first `up` makes the file");
    }
}
