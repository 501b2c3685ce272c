//! Reads a program's own configuration files (`config/config.yaml`, `config/default.json`, `config.toml`): the ports on
//! which it listens, the addresses that it calls, and the keys that a library may let variables override.

use crate::discover::Source;
use crate::discover::config_keys::{OF_FILES, PORT_OF_FILES};
use crate::discover::findings::{Findings, Read};
use crate::discover::placeholder::resolve;
use crate::model::fact::{Fact, PortSource, Protocol, Purpose};
use crate::model::path::RepoPath;

use super::flat::{Entry, json, sections, yaml};
use super::{go_zero, port_beside, reads};

/// The rule for a variable that a value names.
pub(super) const PLACEHOLDER: &str = "app-config-placeholder";

/// Names of such files, wherever they lie.
const STEMS: &[&str] = &[
    "config",
    "configuration",
    "settings",
    "app",
    "app-config",
    "config-docker",
    "config.docker",
    "config.default",
    "config-default",
    "ormconfig",
];
/// Names of such files in a folder for configuration.
const IN_FOLDER: &[&str] = &[
    "default",
    "base",
    "production",
    "prod",
    "docker",
    "server",
    "service",
    "main",
    "custom-environment-variables",
];
/// Words in front of `port` that mean the program's own.
const OWN: &[&str] = &[
    "",
    "http",
    "server",
    "app",
    "api",
    "web",
    "rest",
    "service",
    "listen",
    "listener",
    "grpc",
    "metrics",
    "probes",
    "health",
    "prometheus",
    "admin",
    "management",
    "httpserver",
    "grpcserver",
    "gateway",
    "application",
    "debug",
    "pprof",
];

/// Whether a file is one of these.
pub(super) fn wants(path: &RepoPath) -> bool {
    // Asked of every file: what most of them fail at comes first.
    if !matches!(path.extension(), "yaml" | "yml" | "toml" | "json" | "ini") {
        return false;
    }
    is_plain(path) || (path.depth() == 2 && in_folder(path)) || go_zero::may_be(path)
}

/// Whether a file is only read because it may be called after a service: `configs/orders.yaml` at the root.
pub(super) fn is_of_one(path: &RepoPath) -> bool {
    path.depth() == 2 && in_folder(path) && !is_plain(path)
}

fn in_folder(path: &RepoPath) -> bool {
    let folder = path.parent();
    folder.is_some_and(|folder| matches!(folder.name(), "config" | "configs" | "conf" | "cfg" | "settings"))
}

fn is_plain(path: &RepoPath) -> bool {
    let stem = path.name().rsplit_once('.').map_or("", |(stem, _)| stem);
    STEMS.contains(&stem) || in_folder(path) && (IN_FOLDER.contains(&stem) || stem.starts_with("config"))
}

/// Adds what such a file says.
pub(super) fn read(source: &Source<'_>, facts: &mut Vec<Fact>) {
    let text = source.text;
    let entries = match source.path.extension() {
        "json" => serde_json::from_str(text).map(|value| json(&value, text)).unwrap_or_default(),
        "toml" | "ini" => sections(text),
        _ => yaml(text),
    };
    // Files of Kubernetes and of Compose are called so too.
    let is_compose = |entry: &Entry| {
        matches!(source.path.extension(), "yaml" | "yml") && entry.key.starts_with("services.")
    };
    if entries
        .iter()
        .any(|entry| matches!(entry.key.as_str(), "apiVersion" | "kind" | "$schema") || is_compose(entry))
    {
        return;
    }
    let is_go_zero = go_zero::may_be(source.path);
    if is_go_zero && !go_zero::is(&entries) {
        return;
    }
    let mut findings = Findings::new(source, facts);
    if is_go_zero {
        go_zero::names(&entries, &mut findings);
    }
    if source.path.name().starts_with("ormconfig.") {
        return databases(&entries, &mut findings);
    }
    let is_of_variables = source.path.name().starts_with("custom-environment-variables.");
    for entry in entries.iter().filter(|entry| entry.value.len() <= 500) {
        if is_of_variables {
            variable(entry, &mut findings);
            continue;
        }
        reads(entry, &mut findings, PLACEHOLDER, true);
        key(entry, &mut findings);
        if !own_port(entry, &mut findings) {
            other(entry, port_beside(&entries, entry), &mut findings);
        }
    }
}

/// TypeORM's file says the parts of each database's address one by one.
fn databases(entries: &[Entry], findings: &mut Findings<'_, '_>) {
    for entry in entries {
        let Some(before) = entry.key.strip_suffix("host") else { continue };
        let part = |name: &str| {
            let found = entries.iter().find(|other| other.key.strip_prefix(before) == Some(name));
            found.map(|other| other.value.as_str()).unwrap_or_default()
        };
        let (kind, port) = (part("type"), part("port"));
        let colon = if port.is_empty() { "" } else { ":" };
        let address = format!("{kind}://{}{colon}{port}/{}", entry.value, part("database"));
        findings.literal(entry.line, OF_FILES, &address);
    }
}

/// The configuration of Node's `config` names the variable of each key in a file of its own.
fn variable(entry: &Entry, findings: &mut Findings<'_, '_>) {
    if !entry.key.ends_with("__format") {
        findings.env(entry.line, "node-config-variable", Read { name: &entry.value, ..Read::default() });
    }
}

/// The key, for libraries that let variables override what files say; an item of a list has no variable.
fn key(entry: &Entry, findings: &mut Findings<'_, '_>) {
    if entry.key.contains('[') || entry.value.contains("${") {
        return;
    }
    let key = entry.key.replace(':', ".");
    let value = entry.value.trim_matches(['"', '\'']);
    findings.config_key(entry.line, OF_FILES, "", Read { name: &key, default: Some(value), required: false });
}

/// `http.port: 8080`, `server.addr: ":8080"`, `prometheusPort: ":8001"`. Whether it was one.
fn own_port(entry: &Entry, findings: &mut Findings<'_, '_>) -> bool {
    let lower = entry.key.to_ascii_lowercase().replace(['_', '-'], "");
    let mut parts = lower.rsplit(['.', ':']);
    let (last, parent) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let Some(prefix) = ["port", "address", "addr", "listen", "listenon", "bind"]
        .iter()
        .find_map(|end| last.strip_suffix(end))
    else {
        return false;
    };
    let value = resolve(&entry.value);
    let (host, number) = value.rsplit_once(':').unwrap_or(("", &value));
    let is_own = OWN.contains(&prefix)
        && OWN.contains(&parent)
        && matches!(host, "" | "0.0.0.0" | "localhost" | "127.0.0.1");
    let Some(port) = number.trim().parse::<u16>().ok().filter(|port| is_own && *port > 0) else {
        return false;
    };
    let says = |word: &str| prefix.contains(word) || parent.contains(word) && !prefix.contains("http");
    let purpose = if says("metrics") || says("prometheus") {
        Purpose::Metrics
    } else if says("probes") || says("health") || says("admin") || says("management") {
        Purpose::Management
    } else if says("debug") || says("pprof") {
        Purpose::Debug
    } else {
        Purpose::Main
    };
    // So do servers of gRPC with go-zero say it.
    let protocol = if says("grpc") || last == "listenon" { Protocol::Grpc } else { Protocol::Http };
    findings.port_as(entry.line, PORT_OF_FILES, port, PortSource::FrameworkConfig, (None, protocol, purpose));
    true
}

/// An address of somebody else.
fn other(entry: &Entry, port: Option<u16>, findings: &mut Findings<'_, '_>) {
    // A list of TOML is one value.
    let value = entry.value.trim_matches(['[', ']', ' ']).trim_matches(['"', '\'']);
    if value.contains("://") || value.contains(';') {
        findings.literal(entry.line, OF_FILES, value);
    } else if let Some(scheme) = scheme_of_local(entry, value, findings) {
        findings.literal(entry.line, OF_FILES, &format!("{scheme}://{value}"));
    } else if !crate::discover::url::references(value, Some(&entry.key)).is_empty() {
        for item in value.split(',').map(|item| item.trim().trim_matches(['"', '\''])) {
            findings.host(entry.line, OF_FILES, item, port);
        }
    }
}

/// What speaks at an address of the developer's machine, by the key: `data.redis.addr = "127.0.0.1:6379"`.
fn scheme_of_local<'e>(entry: &'e Entry, value: &str, findings: &Findings<'_, '_>) -> Option<&'e str> {
    let first = value.split(',').next()?.trim_matches(['"', '\'']);
    let (host, port) = first.rsplit_once(':')?;
    let is_local =
        matches!(host, "localhost" | "127.0.0.1" | "host.docker.internal") && port.parse::<u16>().is_ok();
    let mut words = entry.key.split(['.', ':', '_', '-', '[', ']']);
    words.find(|word| is_local && findings.source.catalog.by_scheme(word).is_some())
}

#[cfg(test)]
mod tests {
    use crate::discover::framework_conf::ALL;
    use crate::discover::lang::testing::{say, survives, what};

    /// Without the keys, which are there for each line.
    fn without_keys(lines: Vec<String>) -> Vec<String> {
        lines.into_iter().filter(|line| !line.contains("key ")).collect()
    }

    #[test]
    fn own_ports_are_told_from_those_of_others() {
        let text = "http:\n  port: :5001\nprobes:\n  port: :3001\n  prometheusPort: :8001\ngrpc:\n  port: 5003\nredis:\n  addr: \"cache:6379\"\n  port: 6379\nkafka:\n  brokers: [ \"broker:9092\" ]\n";
        assert_eq!(
            without_keys(say(ALL, "a/config/config.yaml", text)),
            [
                "2 app-config-port port 5001 FrameworkConfig",
                "4 app-config-port port 3001 FrameworkConfig Management",
                "5 app-config-port port 8001 FrameworkConfig Metrics",
                "7 app-config-port port 5003 FrameworkConfig Grpc",
                "9 app-config ref |cache|6379|- via -",
                "12 app-config ref |broker|9092|- via -",
            ]
        );
    }

    #[test]
    fn json_and_toml_are_read() {
        assert_eq!(
            without_keys(what(
                ALL,
                "a/config/default.json",
                "{\n\"db\":{\"url\":\"mongodb://db:27017/x\"},\n\"port\":3001}"
            )),
            ["ref mongodb|db|27017|x via -", "port 3001 FrameworkConfig"]
        );
        assert_eq!(
            without_keys(what(
                ALL,
                "a/config.toml",
                "[server]\nport = 3001\n[database]\nhost = \"db\"\nport = 5432\n"
            )),
            ["port 3001 FrameworkConfig", "ref |db|5432|- via -"]
        );
    }

    #[test]
    fn databases_of_typeorm_are_read() {
        let text =
            "{\n\"type\": \"postgres\",\n\"host\": \"db\",\n\"port\": 5432,\n\"database\": \"shop\"\n}";
        assert_eq!(what(ALL, "a/ormconfig.json", text), ["ref postgres|db|5432|shop via -"]);
        let list = "[{ \"type\": \"mysql\", \"host\": \"stock\" }, { \"type\": \"sqlite\" }]";
        assert_eq!(what(ALL, "a/ormconfig.json", list), ["ref mysql|stock|-|- via -"]);
        // The port is the database's, whatever the notation.
        let yaml = "default:\n  type: postgres\n  host: db\n  port: 5432\n";
        assert_eq!(what(ALL, "a/ormconfig.yml", yaml), ["ref postgres|db|5432|- via -"]);
    }

    #[test]
    fn addresses_of_the_developers_machine_are_of_the_kind_that_their_key_names() {
        let text = "[data.redis] # the cache\naddr = \"127.0.0.1:6379\"\n[queue.kafka]\nbrokers = [\"localhost:9092\"]\n\
                    [services.users]\ngrpc_addr = \"127.0.0.1:9041\"\n[kafka_producer]\nbootstrap_servers = 'host.docker.internal:9092'\n";
        assert_eq!(
            without_keys(what(ALL, "a/config.toml", text)),
            [
                "ref redis|127.0.0.1|6379|- via -",
                "ref kafka|localhost|9092|- via -",
                "ref |127.0.0.1|9041|- via -",
                "ref kafka|host.docker.internal|9092|- via -"
            ]
        );
    }

    #[test]
    fn keys_are_said_with_their_values() {
        let keys = |text: &str| -> Vec<String> {
            what(ALL, "a/config/config.yaml", text)
                .into_iter()
                .filter(|line| line.starts_with("key "))
                .collect()
        };
        assert_eq!(keys("log:\n  level: info\nlist:\n  - a\nurl: ${URL}\n"), ["key log.level info"]);
    }

    #[test]
    fn variables_of_nodes_config_are_named_in_a_file() {
        let text = "{\n\"db\": {\"host\": \"DB_HOST\", \"port\": {\"__name\": \"DB_PORT\", \"__format\": \"json\"}}\n}";
        assert_eq!(
            what(ALL, "a/config/custom-environment-variables.json", text),
            ["env DB_HOST -", "env DB_PORT -"]
        );
    }

    #[test]
    fn files_of_others_are_left_alone() {
        assert!(what(ALL, "a/config/config.yaml", "apiVersion: v1\nport: 80\n").is_empty());
        assert!(what(ALL, "a/data/default.json", "{\"port\":3001}").is_empty());
    }

    #[test]
    fn hostile_files_are_survived() {
        survives(ALL, &["a/config.yaml", "a/config.toml", "a/config/default.json"]);
    }
}
