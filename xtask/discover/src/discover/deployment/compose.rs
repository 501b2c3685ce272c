//! The services of a hand-written compose file; knows only what says something about the programs in it.

use std::collections::BTreeMap;

use serde_yaml::Value;

use super::{Unit, UnitBuild};
use crate::discover::dockerfile;
use crate::discover::placeholder;
use crate::model::path::RepoPath;
use crate::repo::Repo;

/// Names of the file that people start by default, and of the one for development where there is no other.
const MAIN: &[&str] = &["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"];
const DEVELOPMENT: &[&str] =
    &["docker-compose.dev.yml", "docker-compose.dev.yaml", "docker-compose.local.yml", "compose.dev.yaml"];

/// Whether this is the file of its folder that describes the system.
pub(super) fn is_main(file: &RepoPath, repo: &Repo) -> bool {
    let there = |name: &&&str| {
        file.parent().and_then(|folder| folder.join(name)).is_some_and(|path| repo.is_file(&path))
    };
    let first = MAIN.iter().find(there).or_else(|| DEVELOPMENT.iter().find(there));
    first.is_some_and(|first| *first == file.name())
}

/// Whether a file of that name is a compose file of any kind.
pub(super) fn may_be(file: &RepoPath) -> bool {
    file.name().contains("compose") && matches!(file.extension(), "yml" | "yaml")
}

/// The services of a file in `folder`; none where it is not understood.
pub(super) fn units(text: &str, folder: &RepoPath) -> Vec<Unit> {
    let Ok(mut file) = serde_yaml::from_str::<Value>(text) else { return Vec::new() };
    if file.apply_merge().is_err() {
        return Vec::new();
    }
    let Some(services) = file.get("services").and_then(Value::as_mapping) else { return Vec::new() };
    services.iter().filter_map(|(name, body)| Some(unit(name.as_str()?, body, folder))).collect()
}

fn unit(name: &str, body: &Value, folder: &RepoPath) -> Unit {
    let text =
        |key: &str| body.get(key).and_then(Value::as_str).map(placeholder::resolve).unwrap_or_default();
    Unit {
        name: name.to_owned(),
        image: text("image"),
        build: body.get("build").and_then(|build| of_build(build, folder)),
        command: body.get("command").and_then(words),
        environment: body.get("environment").map(pairs).unwrap_or_default(),
        ports: ["ports", "expose"].iter().filter_map(|key| body.get(*key)).flat_map(ports).collect(),
        published: body.get("ports").map(published).unwrap_or_default(),
        needs: body.get("depends_on").map(names).unwrap_or_default(),
        health: body.get("healthcheck").and_then(|check| check.get("test")).and_then(health),
        ..Unit::default()
    }
}

fn of_build(build: &Value, folder: &RepoPath) -> Option<UnitBuild> {
    let text = |key: &str| build.get(key).and_then(Value::as_str).map(placeholder::resolve);
    let context = build
        .as_str()
        .map(placeholder::resolve)
        .or_else(|| text("context"))
        .unwrap_or_else(|| ".".to_owned());
    let context = folder.join(&context).filter(|_| !context.starts_with('/') && !context.contains("://"))?;
    let dockerfile = context.join(&text("dockerfile").unwrap_or_else(|| "Dockerfile".to_owned()))?;
    let args: BTreeMap<String, String> =
        build.get("args").map(pairs).unwrap_or_default().into_iter().collect();
    Some(UnitBuild { context, dockerfile, target: text("target"), args })
}

/// A list of words, or a line of them.
fn words(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(line) => Some(dockerfile::words(line)),
        Value::Sequence(list) => Some(list.iter().filter_map(scalar).collect()),
        _ => None,
    }
    .filter(|words| !words.is_empty())
}

/// A map, or a list of `NAME=value`.
fn pairs(value: &Value) -> Vec<(String, String)> {
    match value {
        Value::Mapping(map) => {
            let pair = |(name, value): (&Value, &Value)| {
                Some((name.as_str()?.to_owned(), scalar(value).unwrap_or_default()))
            };
            map.iter().filter_map(pair).collect()
        }
        Value::Sequence(list) => {
            let lines = list.iter().filter_map(Value::as_str);
            lines
                .map(|line| line.split_once('=').unwrap_or((line, "")))
                .map(|(n, v)| (n.to_owned(), v.to_owned()))
                .collect()
        }
        _ => Vec::new(),
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// The container side of `8080:80`, `127.0.0.1:8080:80/tcp`, `{ target: 80 }`.
fn ports(list: &Value) -> Vec<u16> {
    let one = |port: &Value| {
        let text = port.get("target").and_then(scalar).or_else(|| scalar(port))?;
        let text = placeholder::resolve(&text);
        let (text, protocol) = text.split_once('/').unwrap_or((&text, "tcp"));
        text.rsplit(':').next()?.parse().ok().filter(|_| protocol == "tcp")
    };
    list.as_sequence().map(|list| list.iter().filter_map(one).collect()).unwrap_or_default()
}

/// The host's side of `8080:80`, `127.0.0.1:8080:80`, `{ published: 8080 }`.
fn published(list: &Value) -> Vec<u16> {
    let one = |port: &Value| {
        if let Some(published) = port.get("published").and_then(scalar) {
            return placeholder::resolve(&published).parse().ok();
        }
        let text = placeholder::resolve(&scalar(port)?);
        let (host, _) = text.rsplit_once(':')?;
        host.rsplit(':').next()?.parse().ok()
    };
    list.as_sequence().map(|list| list.iter().filter_map(one).collect()).unwrap_or_default()
}

/// A list of names, or a map by them.
fn names(value: &Value) -> Vec<String> {
    match value {
        Value::Sequence(list) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Value::Mapping(map) => map.keys().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

fn health(test: &Value) -> Option<(String, Option<u16>)> {
    let text = match test {
        Value::String(text) => text.clone(),
        Value::Sequence(list) => list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
        _ => return None,
    };
    dockerfile::health_address(&placeholder::resolve(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_read_in_both_notations() {
        let text = "x-env: &env\n  A: 1\nservices:\n  api:\n    build: { context: ../api, args: [B=2], target: run }\n    \
            environment: { <<: *env, DATABASE_URL: 'postgres://db/x' }\n    ports: ['${PORT:-8080}:80', 9000/udp]\n    \
            depends_on: { db: { condition: service_healthy } }\n    command: node 'a b.js'\n    \
            healthcheck: { test: [CMD, curl, 'http://localhost:80/up'] }\n  db:\n    image: postgres:16\n";
        let folder = RepoPath::root().join("deploy").expect("inside the root");
        let units = units(text, &folder);
        let api = &units[0];
        let build = api.build.as_ref().expect("is built");
        assert_eq!((build.context.as_str(), build.dockerfile.as_str()), ("api", "api/Dockerfile"));
        assert_eq!((build.target.as_deref(), build.args["B"].as_str()), (Some("run"), "2"));
        let mut names: Vec<&str> = api.environment.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, ["A", "DATABASE_URL"]);
        assert_eq!(
            (api.ports.as_slice(), api.needs.as_slice()),
            ([80].as_slice(), ["db".to_owned()].as_slice())
        );
        assert_eq!(api.published, [8080]);
        assert_eq!(api.health, Some(("/up".to_owned(), Some(80))));
        assert_eq!(units[1].image, "postgres:16");
    }
}
