//! Reads the configuration files of Spring, Quarkus and Micronaut, and of .NET: ports, names and addresses by key.

use serde_json::Value;

use crate::model::fact::{EnvSource, Fact, HealthKind, PortSource, Protocol, Purpose, Subject, What};
use crate::model::path::RepoPath;

use super::config_keys::{OF_FILES, PORT_OF_FILES};
use super::findings::{Findings, Read, health_path, is_variable};
use super::placeholder::{UNKNOWN, placeholders, resolve};
use super::relaxed;
use super::{Detector, Source};

mod app;
mod flat;
mod go_zero;
mod hocon;
mod launch;

use flat::{Entry, json, plain_json, properties, yaml};

/// `application*.yml`, `application*.properties`, `bootstrap*`, a config server's files, and `appsettings*.json`.
pub const ALL: &[Detector] = &[
    Detector {
        name: "framework-conf-java",
        extensions: &["yml", "yaml", "properties"],
        wants: wants_java,
        read: read_java,
    },
    Detector { name: "framework-conf-dotnet", extensions: &["json"], wants: wants_dotnet, read: read_dotnet },
    Detector {
        name: "launch-settings",
        extensions: &["json"],
        wants: |path| path.name().eq_ignore_ascii_case("launchSettings.json"),
        read: launch::read,
    },
    Detector {
        name: "app-conf",
        extensions: &["yaml", "yml", "toml", "json", "ini"],
        wants: app::wants,
        read: app::read,
    },
    Detector { name: "hocon", extensions: &["conf"], wants: hocon::wants, read: hocon::read },
];

fn wants_java(path: &RepoPath) -> bool {
    let name = path.name();
    matches!(path.extension(), "yml" | "yaml" | "properties")
        && (name.starts_with("application") || name.starts_with("bootstrap") || config_server(path).is_some())
        && !path.as_str().contains("src/test/")
}

/// Whether a fact stands in a program's own configuration that is read for the service alone that it is called after.
pub(super) fn is_of_one(fact: &Fact) -> bool {
    const RULES: &[&str] = &[OF_FILES, PORT_OF_FILES, app::PLACEHOLDER];
    RULES.contains(&fact.at.rule) && app::is_of_one(&fact.at.path)
}

/// The subject of a config server's file for all its clients.
pub(super) const CLIENTS: &str = "*";

/// Whether a file is one that a config server keeps for its clients.
pub(super) fn is_of_config_server(path: &RepoPath) -> bool {
    wants_java(path) && config_server(path).is_some()
}

/// The service that a config server's file is for: `config/accounts.yml`, `config-repo/accounts-docker.properties`.
fn config_server(path: &RepoPath) -> Option<String> {
    let parts: Vec<&str> = path.parts().collect();
    let (name, folders) = parts.split_last()?;
    let below_resources = folders
        .windows(2)
        .position(|two| two == ["main", "resources"])
        .is_some_and(|at| folders.len() > at + 2);
    let in_repository =
        folders.last().is_some_and(|folder| folder.contains("config-") || folder.contains("config_"));
    let is_config = folders.iter().any(|folder| folder.to_ascii_lowercase().contains("config"));
    let stem = name.split('.').next().unwrap_or_default();
    // Beside the files of single services lies one for all; the server's own lies above them.
    if below_resources && is_config && (stem == "application" || stem.starts_with("application-")) {
        return Some(CLIENTS.to_owned());
    }
    let plain = !stem.is_empty()
        && !["application", "bootstrap", "logback", "log4j2", "messages"]
            .iter()
            .any(|own| stem.starts_with(own));
    (is_config && (below_resources || in_repository) && plain).then(|| {
        let stem = ["-docker", "-dev", "-prod", "-default", "-local", "-native"]
            .iter()
            .find_map(|profile| stem.strip_suffix(profile));
        stem.unwrap_or(name.split('.').next().unwrap_or_default()).to_owned()
    })
}

/// The profile in a file's name: `application-docker.yml`.
fn profile(path: &RepoPath) -> Option<&str> {
    let stem = path.name().rsplit_once('.').map_or("", |(stem, _)| stem);
    stem.strip_prefix("application-").or_else(|| stem.strip_prefix("bootstrap-"))
}

/// Profiles of other places than a container.
fn is_elsewhere(profile: &str) -> bool {
    ["test", "it", "ci", "e2e", "heroku", "aws", "azure", "gcp", "openshift"].contains(&profile)
}

/// Profiles in which a container runs. The addresses of the others are kept, their ports say nothing about it.
fn is_in_container(profile: &str) -> bool {
    ["default", "docker", "container", "compose", "prod", "production", "kubernetes", "k8s", "cloud"]
        .contains(&profile)
}

fn read_java(source: &Source<'_>, facts: &mut Vec<Fact>) {
    let mut findings = Findings::new(source, facts);
    let file_profile = profile(source.path);
    if file_profile.is_some_and(is_elsewhere) {
        return;
    }
    let entries =
        if source.path.extension() == "properties" { properties(source.text) } else { yaml(source.text) };
    if let Some(name) = config_server(source.path) {
        // Other programs keep files in such folders too.
        if !entries.iter().any(|entry| {
            ["server.", "spring.", "eureka.", "management."].iter().any(|own| entry.key.starts_with(own))
        }) {
            return;
        }
        findings.about(Subject::Named(name));
    }
    let for_all = config_server(source.path).is_some_and(|name| name == CLIENTS);
    let spring =
        !entries.iter().any(|entry| entry.key.starts_with("quarkus.") || entry.key.starts_with("micronaut."));
    for entry in &entries {
        let profile = entry.profile.as_deref().or(file_profile);
        // Whether a client uses the rest of what all are told, nobody knows.
        let is_ours = ["spring.", "eureka."].iter().any(|own| entry.key.starts_with(own));
        if profile.is_some_and(is_elsewhere) || (for_all && !is_ours) {
            continue;
        }
        java_entry((entry, port_beside(&entries, entry)), profile, spring, &mut findings);
    }
    logins(&entries, &mut findings, |key| relaxed::java(without_profile(key), spring));
}

fn java_entry(
    (entry, port): (&Entry, Option<u16>),
    profile: Option<&str>,
    spring: bool,
    findings: &mut Findings<'_, '_>,
) {
    let key = without_profile(&entry.key);
    let name = relaxed::java(key, spring);
    // What only a profile of another place demands, the container can do without; files instead of a repository are one
    // of a config server.
    let is_native = key.starts_with("spring.cloud.config.server.native.");
    let is_sure = profile.is_none_or(is_in_container) && !is_native;
    reads(entry, findings, "java-config-placeholder", is_sure);
    match key {
        "spring.application.name" | "quarkus.application.name" | "micronaut.application.name" => {
            findings.alias(entry.line, "java-application-name", &entry.value);
        }
        "server.port" | "quarkus.http.port" | "micronaut.server.port" | "ktor.deployment.port" => {
            java_port(entry, &name, (Protocol::Http, Purpose::Main), profile, findings);
        }
        "management.server.port" | "management.port" | "endpoints.all.port" => {
            java_port(entry, &name, (Protocol::Http, Purpose::Management), profile, findings);
        }
        "grpc.server.port" | "quarkus.grpc.server.port" | "spring.grpc.server.port" => {
            java_port(entry, &name, (Protocol::Grpc, Purpose::Main), profile, findings);
        }
        "server.address" | "quarkus.http.host" => {
            findings.listens(entry.line, "java-config-address", &entry.value)
        }
        "spring.flyway.enabled" | "spring.liquibase.enabled" | "quarkus.flyway.migrate-at-start"
            if entry.value == "true" =>
        {
            let tool = if key.contains("liquibase") { "liquibase" } else { "flyway" };
            findings.migration(entry.line, "java-config-migration", tool, &[]);
        }
        "spring.jpa.hibernate.ddl-auto"
            if matches!(entry.value.as_str(), "update" | "create" | "create-drop") =>
        {
            findings.migration(entry.line, "java-config-migration", "hibernate", &[]);
        }
        "server.servlet.context-path" | "server.servlet.contextPath" | "spring.webflux.base-path" => {
            let value = resolve(&entry.value);
            let path = health_path(&format!("{}/actuator/health", value.trim_end_matches('/')));
            if let Some(path) = path.filter(|_| value.len() > 1) {
                findings.add(
                    entry.line,
                    "java-context-path",
                    What::Health { kind: HealthKind::Http, path: Some(path), port: None },
                );
            }
        }
        _ => java_value((entry, port), key, &name, findings),
    }
}

/// `%dev.quarkus.http.port` without the profile.
fn without_profile(key: &str) -> &str {
    key.strip_prefix('%').and_then(|key| key.split_once('.')).map_or(key, |(_, key)| key)
}

/// An address below a key that clients read.
fn java_value((entry, port): (&Entry, Option<u16>), key: &str, name: &str, findings: &mut Findings<'_, '_>) {
    const NOT_OURS: &[&str] = &[
        "logging.",
        "log4j.",
        "springdoc.",
        "info.",
        "spring.mail.properties",
        "spring.jpa.",
        "spring.messages",
        "spring.thymeleaf",
        "spring.mvc",
        "spring.web.",
    ];
    if NOT_OURS.iter().any(|own| key.starts_with(own)) {
        return;
    }
    if key.starts_with("zuul.routes.") && key.to_ascii_lowercase().replace('-', "").ends_with(".serviceid") {
        findings.literal(entry.line, "java-config", &format!("lb://{}", entry.value));
        return;
    }
    // A variable for one item of a list would replace the whole list.
    if key.contains('[') {
        findings.literal(entry.line, "java-config", &entry.value);
        return;
    }
    // One placeholder alone: its own variable moves the value.
    let whole = placeholders(&entry.value);
    let via = match whole.as_slice() {
        [one] if entry.value.starts_with("${") && entry.value.ends_with('}') && is_variable(one.name) => {
            one.name
        }
        _ => name,
    };
    // `${CONFIG_IMPORT:configserver:http://config:8888},optional:file:/run/secrets/`: the address stands in the placeholder
    // alone, and the variable in that moves it.
    if let [one] = whole.as_slice()
        && is_variable(one.name)
        && one.default.is_some_and(|default| default.contains("://"))
        && entry.value.starts_with("${")
        && entry.value.contains("},")
        && entry.value.matches("://").count() == 1
    {
        return;
    }
    if via != name && entry.value.contains("://") {
        let default = whole.first().and_then(|one| one.default).filter(|default| !default.contains("${"));
        let default = default.map(str::to_owned);
        findings.add(entry.line, "java-config", What::Moved { variable: name.to_owned(), default });
    }
    address(entry, port, via, "java-config", findings);
}

fn java_port(
    entry: &Entry,
    name: &str,
    (protocol, purpose): (Protocol, Purpose),
    profile: Option<&str>,
    findings: &mut Findings<'_, '_>,
) {
    if profile.is_some_and(|profile| !is_in_container(profile)) {
        return;
    }
    let placeholder = placeholders(&entry.value);
    let variable = placeholder.first().map_or(name, |one| one.name);
    let rule = if profile.is_some() { "java-config-port-profile" } else { "java-config-port" };
    if let Ok(port) = java_resolve(&entry.value).trim().parse::<i32>() {
        // 0 and -1 mean any free one, which nobody can publish; the variable makes it the usual one.
        let is_any = port < 1;
        let port = if is_any && purpose == Purpose::Main { USUAL } else { u16::try_from(port).unwrap_or(0) };
        if port == 0 {
            return;
        }
        let variable = if is_variable(variable) { variable } else { name };
        findings.port_as(
            entry.line,
            rule,
            port,
            PortSource::FrameworkConfig,
            (Some(variable), protocol, purpose),
        );
        let what = What::EnvValue {
            name: variable.to_owned(),
            value: port.to_string(),
            comment: String::new(),
            source: EnvSource::FrameworkConfig,
        };
        findings.add(entry.line, rule, what);
    }
}

/// Where the frameworks of Java listen when nobody says otherwise.
const USUAL: u16 = 8080;

/// As [`resolve`], but `-` belongs to the default: `${PORT:-1}` is any free port.
fn java_resolve(value: &str) -> String {
    let whole = value.trim().strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    match whole.and_then(|inner| inner.split_once(':')) {
        Some((_, default)) if default == "-1" => default.to_owned(),
        _ => resolve(value),
    }
}

/// Reads of variables in placeholders: `${DB_HOST:localhost}`, demanded where `is_sure` and no default stands there. Keys
/// in small letters are other properties.
fn reads(entry: &Entry, findings: &mut Findings<'_, '_>, rule: &'static str, is_sure: bool) {
    for one in placeholders(&entry.value) {
        let upper = one.name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
        if upper && is_variable(one.name) {
            let default = one.default.filter(|default| !default.contains("${"));
            let read = Read { name: one.name, default, required: is_sure && one.default.is_none() };
            findings.env(entry.line, rule, read);
        }
    }
}

/// User, password and database beside an address: they belong together.
fn logins(entries: &[Entry], findings: &mut Findings<'_, '_>, name: impl Fn(&str) -> String) {
    let parent = |key: &str| key.rfind(['.', ':']).map_or("", |at| &key[..at]).to_owned();
    let addressed: Vec<String> = entries
        .iter()
        .filter(|entry| {
            !super::url::references(&entry.value, Some(&name(&entry.key))).is_empty()
                || port_beside(entries, entry).is_some()
        })
        .map(|entry| parent(&entry.key))
        .collect();
    for entry in entries.iter().filter(|entry| relaxed::is_login(&entry.key) && entry.value.len() <= 200) {
        let own = parent(&entry.key);
        if own.is_empty() || own == "server" || !addressed.contains(&own) {
            continue;
        }
        let what = What::EnvValue {
            name: name(&entry.key),
            value: entry.value.clone(),
            comment: String::new(),
            source: EnvSource::FrameworkConfig,
        };
        findings.add(entry.line, "framework-config-login", what);
    }
}

fn wants_dotnet(path: &RepoPath) -> bool {
    let name = path.name();
    path.extension() == "json"
        && (is_settings(name) || name.to_ascii_lowercase().contains("proxy"))
        && !name.to_ascii_lowercase().contains(".test")
}

/// Whether .NET reads a file of that name, whatever stands in it.
fn is_settings(name: &str) -> bool {
    name.get(..11).is_some_and(|start| start.eq_ignore_ascii_case("appsettings"))
        || name.starts_with("ocelot")
        || name.starts_with("yarp")
}

fn read_dotnet(source: &Source<'_>, facts: &mut Vec<Fact>) {
    let text = source.text.trim_start_matches('\u{feff}');
    let Ok(value) = serde_json::from_str::<Value>(&plain_json(text)) else { return };
    // A proxy of many routes keeps them in a file each: `orders.proxy.json`.
    if !is_settings(source.path.name()) && value.get("ReverseProxy").is_none() {
        return;
    }
    let entries = json(&value, text);
    let mut findings = Findings::new(source, facts);
    if !is_settings(source.path.name()) {
        return routes(&entries, &mut findings);
    }
    if source.path.name().starts_with("ocelot") {
        findings.framework(1, "dotnet-ocelot", "ocelot");
    }
    for entry in &entries {
        dotnet_entry(entry, port_beside(&entries, entry), &mut findings);
    }
    logins(&entries, &mut findings, relaxed::dotnet);
}

/// The addresses in a file that the program loads by itself, after its variables: no variable overrides them.
fn routes(entries: &[Entry], findings: &mut Findings<'_, '_>) {
    findings.framework(1, "dotnet-yarp", "yarp");
    for entry in entries.iter().filter(|entry| entry.key.ends_with(":Address")) {
        findings.literal(entry.line, "dotnet-yarp", &entry.value);
    }
}

fn dotnet_entry(entry: &Entry, port: Option<u16>, findings: &mut Findings<'_, '_>) {
    let lower = entry.key.to_ascii_lowercase();
    let name = relaxed::dotnet(&entry.key);
    if lower.starts_with("logging:") || lower.starts_with("serilog:minimumlevel") || lower == "allowedhosts" {
        return;
    }
    if lower == "urls" || (lower.starts_with("kestrel:") && lower.ends_with(":url")) {
        for url in entry.value.split(';') {
            let Some(port) = url.rsplit(':').next().and_then(|port| port.trim_end_matches('/').parse().ok())
            else {
                continue;
            };
            if url.trim_start().starts_with("https") {
                continue;
            }
            let protocol = if lower.contains("grpc") || lower.contains("http2") {
                Protocol::Grpc
            } else {
                Protocol::Http
            };
            findings.port_as(
                entry.line,
                "dotnet-config-port",
                port,
                PortSource::FrameworkConfig,
                (Some(&name), protocol, Purpose::Main),
            );
        }
        return;
    }
    if lower.starts_with("reverseproxy:") || lower.contains("clusters:") {
        findings.framework(entry.line, "dotnet-yarp", "yarp");
    }
    // Ocelot asks the registry for the service of a route.
    if (lower.starts_with("routes:") || lower.starts_with("reroutes:")) && lower.ends_with(":servicename") {
        findings.literal(entry.line, "ocelot-service", &format!("lb://{}", entry.value));
        return;
    }
    address(entry, port, &name, "dotnet-config", findings);
}

/// An address, under the variable that overrides it: so it can be changed from outside.
fn address(entry: &Entry, port: Option<u16>, via: &str, rule: &'static str, findings: &mut Findings<'_, '_>) {
    if super::url::references(&entry.value, Some(via)).is_empty() {
        return;
    }
    findings.references_at(entry.line, rule, (&entry.value, port), via);
    // What keywords say is in the reference; the text alone says it to nobody who does not know their notation.
    if entry.value.contains(';') && entry.value.contains('=') {
        return;
    }
    let what = What::EnvValue {
        name: via.to_owned(),
        value: resolve(&entry.value).replace(UNKNOWN, ""),
        comment: String::new(),
        source: EnvSource::FrameworkConfig,
    };
    findings.add(entry.line, rule, what);
}

/// The port in the key beside one that holds a host: `redis.host` and `redis.port`.
fn port_beside(entries: &[Entry], entry: &Entry) -> Option<u16> {
    let at = entry.key.rfind(['.', ':'])? + 1;
    let (parent, last) = entry.key.split_at(at);
    if !last.to_ascii_lowercase().contains("host") {
        return None;
    }
    let is_port = |other: &&Entry| {
        other.key.strip_prefix(parent).is_some_and(|last| last.eq_ignore_ascii_case("port"))
            && other.profile == entry.profile
    };
    resolve(&entries.iter().find(is_port)?.value).parse().ok()
}

#[cfg(test)]
#[path = "framework_conf/tests.rs"]
mod tests;
