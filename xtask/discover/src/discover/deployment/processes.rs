//! The processes that platforms start from one image: Procfiles and Fly's configuration. Each is a command of its own.

use serde_yaml::Value;

use super::{Unit, UnitBuild, is_chore};
use crate::discover::dockerfile;
use crate::model::path::RepoPath;

/// The process that answers requests, and what a platform runs at a release.
const MAIN: &[&str] = &["app", "server", "web"];
const ONCE: &[&str] = &["console", "postdeploy", "predeploy", "release"];

/// What people start beside their program while they write it.
const BESIDE: &[&str] = &[
    "assets", "client", "css", "db", "docs", "frontend", "js", "postgres", "redis", "tailwind", "ui", "vite",
    "webpack",
];

/// More lines are no list of processes.
const MAX_LINES: usize = 200;

/// Whether a file of that path lists processes.
pub(super) fn may_be(file: &RepoPath) -> bool {
    matches!(file.name(), "Procfile" | "fly.toml")
}

/// One unit for each process; none where nothing but the image's own command is started and nothing else is said.
pub(super) fn units(text: &str, file: &RepoPath) -> Vec<Unit> {
    let folder = file.parent().unwrap_or_default();
    if file.name() == "Procfile" { of_procfile(text, &folder) } else { of_fly(text, &folder) }
}

fn build(folder: &RepoPath, dockerfile: &str, target: Option<String>) -> Option<UnitBuild> {
    let dockerfile = folder.join(dockerfile)?;
    Some(UnitBuild { context: folder.clone(), dockerfile, target, args: Default::default() })
}

/// `worker: celery -A shop worker`, on a line each.
fn of_procfile(text: &str, folder: &RepoPath) -> Vec<Unit> {
    let build = build(folder, "Dockerfile", None);
    let lines = text.lines().take(MAX_LINES).filter(|line| !line.starts_with('#'));
    let pairs = lines.filter_map(|line| {
        let (name, command) = line.split_once(':')?;
        Some((name.trim().to_owned(), command.trim().to_owned()))
    });
    let found: Vec<Unit> =
        pairs.filter_map(|(name, command)| process(&name, &command, build.as_ref())).collect();
    // Without one that answers requests, it is not about this image.
    if found.iter().any(|unit| unit.process.as_deref() == Some("")) { found } else { Vec::new() }
}

fn process(name: &str, command: &str, build: Option<&UnitBuild>) -> Option<Unit> {
    let lower = name.to_lowercase();
    if ONCE.contains(&lower.as_str())
        || BESIDE.contains(&lower.as_str())
        || is_chore(&lower)
        || command.is_empty()
    {
        return None;
    }
    let build = build.cloned();
    // What answers requests is what the image starts by itself.
    if MAIN.contains(&lower.as_str()) {
        return Some(Unit { process: Some(String::new()), build, ..Unit::default() });
    }
    let needs_shell = command.contains(['$', '&', '|', ';', '>', '<', '`', '*']);
    let command = match needs_shell {
        true => ["sh", "-c", command].map(str::to_owned).to_vec(),
        false => dockerfile::words(command),
    };
    Some(Unit { process: Some(lower), command: Some(command), is_worker: true, build, ..Unit::default() })
}

/// `[processes]`, `[env]` and where the program listens.
fn of_fly(text: &str, folder: &RepoPath) -> Vec<Unit> {
    let Ok(file) = toml::from_str::<toml::Table>(text) else { return Vec::new() };
    let Ok(file) = serde_json::to_value(&file) else { return Vec::new() };
    let text = |value: Option<&serde_json::Value>| value.and_then(|value| value.as_str()).map(str::to_owned);
    let of_build = file.get("build");
    if of_build.is_some_and(|build| build.get("image").is_some() || build.get("builder").is_some()) {
        return Vec::new();
    }
    let dockerfile =
        text(of_build.and_then(|build| build.get("dockerfile"))).unwrap_or_else(|| "Dockerfile".to_owned());
    let target = text(of_build.and_then(|build| build.get("build-target")));
    let build = build(folder, dockerfile.trim_start_matches("./"), target);
    let services = file.get("services").and_then(|services| services.as_array());
    let listening = file.get("http_service").or_else(|| services?.first());
    let port = listening.and_then(|service| service.get("internal_port")).and_then(|port| port.as_u64());
    let port = port.and_then(|port| u16::try_from(port).ok());
    let variables = file.get("env").and_then(|env| env.as_object()).into_iter().flatten();
    let environment: Vec<(String, String)> = variables
        .map(|(name, value)| (name.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
        .collect();
    let checks = listening.and_then(|service| service.get("checks")).and_then(|checks| checks.as_array());
    let health = text(checks.and_then(|checks| checks.first()?.get("path")));
    let mut units: Vec<Unit> = file
        .get("processes")
        .and_then(|processes| processes.as_object())
        .into_iter()
        .flatten()
        .filter_map(|(name, command)| process(name, command.as_str()?, build.as_ref()))
        .collect();
    if units.iter().all(|unit| unit.process.as_deref() != Some("")) {
        units.insert(0, Unit { process: Some(String::new()), build, ..Unit::default() });
    }
    for unit in &mut units {
        unit.environment.clone_from(&environment);
        if unit.command.is_none() {
            unit.ports = port.into_iter().collect();
            unit.health = health.clone().map(|path| (path, None));
        }
    }
    units
}

/// Whether a file of that path is a blueprint of Render.
pub(super) fn may_be_blueprint(file: &RepoPath) -> bool {
    matches!(file.name(), "render.yaml" | "render.yml")
}

/// The services of a blueprint that an image is built for, with their databases as addresses in their variables.
pub(super) fn of_blueprint(text: &str, folder: &RepoPath) -> Vec<Unit> {
    let Ok(file) = serde_yaml::from_str::<Value>(text) else { return Vec::new() };
    let services = file.get("services").and_then(Value::as_sequence);
    let caches: Vec<&str> = services
        .into_iter()
        .flatten()
        .filter(|service| matches!(text_of(service, "type").as_deref(), Some("redis" | "keyvalue")))
        .filter_map(|service| service.get("name").and_then(Value::as_str))
        .collect();
    services.into_iter().flatten().filter_map(|service| of_service(service, folder, &caches)).collect()
}

fn text_of(value: &Value, key: &str) -> Option<String> {
    value.get(key).and_then(Value::as_str).map(str::to_owned)
}

fn of_service(service: &Value, folder: &RepoPath, caches: &[&str]) -> Option<Unit> {
    let runtime = text_of(service, "runtime").or_else(|| text_of(service, "env"));
    let is_service = matches!(text_of(service, "type").as_deref(), Some("web" | "pserv" | "worker"));
    if !is_service || runtime.as_deref() != Some("docker") {
        return None;
    }
    let plain = |key: &str| text_of(service, key).map(|path| path.trim_start_matches("./").to_owned());
    let root = folder.join(&plain("rootDir").unwrap_or_default())?;
    let context = root.join(&plain("dockerContext").unwrap_or_else(|| ".".to_owned()))?;
    let dockerfile = root.join(&plain("dockerfilePath").unwrap_or_else(|| "Dockerfile".to_owned()))?;
    let command = text_of(service, "dockerCommand").filter(|command| !command.is_empty());
    let variables = service.get("envVars").and_then(Value::as_sequence).into_iter().flatten();
    Some(Unit {
        name: text_of(service, "name")?,
        is_worker: text_of(service, "type").as_deref() == Some("worker"),
        command: command.map(|command| ["sh", "-c", command.as_str()].map(str::to_owned).to_vec()),
        environment: variables.filter_map(|variable| of_variable(variable, caches)).collect(),
        health: text_of(service, "healthCheckPath").map(|path| (path, None)),
        build: Some(UnitBuild { context, dockerfile, target: None, args: Default::default() }),
        ..Unit::default()
    })
}

fn of_variable(variable: &Value, caches: &[&str]) -> Option<(String, String)> {
    let name = text_of(variable, "key")?;
    let whole = |from: &Value| text_of(from, "property").as_deref() == Some("connectionString");
    if let Some(database) = variable.get("fromDatabase").filter(|from| whole(from)) {
        return Some((name, format!("postgresql://{}", text_of(database, "name")?)));
    }
    if let Some(service) = variable.get("fromService") {
        let called = text_of(service, "name")?;
        if whole(service) && caches.contains(&called.as_str()) {
            return Some((name, format!("redis://{called}")));
        }
        return matches!(text_of(service, "property").as_deref(), Some("host" | "hostport"))
            .then_some((name, called));
    }
    let value = variable.get("value")?;
    let value = value.as_str().map(str::to_owned).or_else(|| serde_json::to_string(value).ok())?;
    Some((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(units: Vec<Unit>) -> Vec<String> {
        let one = |unit: Unit| {
            let command = unit.command.map(|words| words.join(" ")).unwrap_or_default();
            format!("{}{:?} [{command}] {:?} {:?}", unit.name, unit.process, unit.ports, unit.environment)
        };
        units.into_iter().map(one).collect()
    }

    #[test]
    fn processes_beside_the_one_that_answers_are_commands_of_their_own() {
        let file = RepoPath::new("shop/Procfile").expect("inside the root");
        let text = "web: gunicorn shop\nworker: celery -A shop worker\ncss: yarn watch\nclock: python clock.py $X\nrelease: ./migrate\n";
        assert_eq!(
            shown(units(text, &file)),
            [
                "Some(\"\") [] [] []",
                "Some(\"worker\") [celery -A shop worker] [] []",
                "Some(\"clock\") [sh -c python clock.py $X] [] []"
            ]
        );
        assert!(units("worker: x\n", &file).is_empty());
    }

    #[test]
    fn fly_tells_port_variables_and_processes() {
        let file = RepoPath::new("shop/fly.toml").expect("inside the root");
        let text = "app = 'shop'\n[processes]\napp = ''\nworker = 'node worker.js'\n[env]\nA = '1'\n[http_service]\ninternal_port = 8080\n";
        assert_eq!(
            shown(units(text, &file)),
            [
                "Some(\"\") [] [8080] [(\"A\", \"1\")]",
                "Some(\"worker\") [node worker.js] [] [(\"A\", \"1\")]"
            ]
        );
    }

    #[test]
    fn blueprints_tell_commands_and_databases() {
        let text = "services:\n  - type: web\n    name: api\n    runtime: docker\n    dockerfilePath: ./api/Dockerfile\n    envVars:\n      \
            - key: DATABASE_URL\n        fromDatabase: { name: db, property: connectionString }\n      - key: REDIS_URL\n        \
            fromService: { type: redis, name: cache, property: connectionString }\n  - type: worker\n    name: jobs\n    runtime: docker\n    \
            dockerCommand: celery worker\n  - type: redis\n    name: cache\n  - type: web\n    name: site\n    runtime: static\n";
        assert_eq!(
            shown(of_blueprint(text, &RepoPath::root())),
            [
                "apiNone [] [] [(\"DATABASE_URL\", \"postgresql://db\"), (\"REDIS_URL\", \"redis://cache\")]",
                "jobsNone [sh -c celery worker] [] []"
            ]
        );
    }
}
