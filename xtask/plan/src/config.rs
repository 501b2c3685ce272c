//! `config.yaml`: what people prefer; parsed strictly and never written here.

pub mod keys;

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

use crate::error::{Failure, Result};

/// The whole file; everything is optional.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "keys such as `services:`")]
pub struct Config {
    /// The Compose project's name.
    pub name: Option<String>,
    /// Where services are, and what is known better about each.
    #[serde(default)]
    pub services: Services,
    /// Preferences by kind.
    #[serde(default)]
    pub infrastructure: BTreeMap<String, Infrastructure>,
    /// The host address on which ports are published; `127.0.0.1` by default.
    pub bind: Option<String>,
    /// One network per set of clients; on by default.
    pub isolation: Option<Switch>,
    /// `develop.watch` rules in the override file; on by default.
    pub hot_reload: Option<Switch>,
    /// The file's name and text, for the places of what is found wrong later.
    #[serde(skip)]
    source: (String, String),
}

/// `services:`
#[derive(Debug, Clone, Default)]
pub struct Services {
    /// Globs of service folders.
    pub roots: Vec<String>,
    /// Globs of what to leave out.
    pub exclude: Vec<String>,
    /// By service name.
    pub by_name: BTreeMap<String, Service>,
}

/// `services.<name>:`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a service's keys such as `port:`")]
pub struct Service {
    /// The container port.
    pub port: Option<u16>,
    /// The port on the host.
    pub host_port: Option<u16>,
    /// How readiness is seen.
    pub health: Option<Health>,
    /// Exactly these, or additions (`+redis`) and removals (`-kafka`).
    pub requires: Option<Vec<String>>,
    /// Values that win over everything found.
    #[serde(default)]
    pub env: BTreeMap<String, Scalar>,
    /// How to build it, where discovery is wrong.
    pub build: Option<Build>,
    /// Who brings its database up to date.
    pub migrate: Option<Migrate>,
}

/// `services.<name>.build:`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "keys such as `context:`")]
pub struct Build {
    /// Relative to the root.
    pub context: Option<String>,
    /// The stage.
    pub target: Option<String>,
    /// Build arguments.
    #[serde(default)]
    pub args: BTreeMap<String, Scalar>,
}

/// `services.<name>.health:`
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// `none`: nothing is checked.
    None,
    /// `{ http: /health }`
    Http(String),
    /// `{ tcp: 3002 }`
    Tcp(u16),
    /// `{ grpc: 50051 }`
    Grpc(u16),
    /// `{ command: [...] }`
    Command(Vec<String>),
}

/// `services.<name>.migrate:`
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Migrate {
    /// `none`: no one-shot does; the service itself, or somebody by hand.
    None,
    /// `{ command: [...] }`: a one-shot with the service's image.
    Command(Vec<String>),
}

/// `infrastructure.<kind>:`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "keys such as `version:`")]
pub struct Infrastructure {
    /// A version of the catalogue.
    pub version: Option<Scalar>,
    /// One server for all (the default), or one for each service.
    pub shared: Option<bool>,
    /// Runs elsewhere, at `url`: nothing is started. By default whatever has a `url`.
    pub external: Option<bool>,
    /// Where it runs.
    pub url: Option<String>,
    /// Another image of the same contract.
    pub image: Option<String>,
    /// The port on the host.
    pub host_port: Option<u16>,
}

impl Infrastructure {
    /// Where it runs, if that is elsewhere.
    pub fn elsewhere(&self) -> Option<&str> {
        self.url.as_deref().filter(|_| self.external.unwrap_or(true))
    }
}

/// `on` or `off` (YAML's `true` and `false` too).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Switch(pub bool);

/// A scalar as the text that the user wrote: `17`, `"17"`, `true`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scalar(pub String);

impl<'de> Deserialize<'de> for Switch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Scalar::deserialize(deserializer)?.0.as_str() {
            "on" | "true" | "yes" => Ok(Switch(true)),
            "off" | "false" | "no" => Ok(Switch(false)),
            other => Err(serde::de::Error::custom(format!("`{other}` is neither `on` nor `off`"))),
        }
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Scalar;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a number or a boolean")
            }
            fn visit_str<E>(self, text: &str) -> Result<Scalar, E> {
                Ok(Scalar(text.to_owned()))
            }
            fn visit_bool<E>(self, value: bool) -> Result<Scalar, E> {
                Ok(Scalar(value.to_string()))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Scalar, E> {
                Ok(Scalar(value.to_string()))
            }
            fn visit_u64<E>(self, value: u64) -> Result<Scalar, E> {
                Ok(Scalar(value.to_string()))
            }
            fn visit_f64<E>(self, value: f64) -> Result<Scalar, E> {
                Ok(Scalar(value.to_string()))
            }
        }
        deserializer.deserialize_any(Text)
    }
}

impl<'de> Deserialize<'de> for Services {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Map;
        impl<'de> Visitor<'de> for Map {
            type Value = Services;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`roots`, `exclude` or services by name")
            }
            // By hand and not with `flatten`, which would lose the line numbers of errors.
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Services, A::Error> {
                let mut services = Services::default();
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "roots" => services.roots = map.next_value()?,
                        "exclude" => services.exclude = map.next_value()?,
                        _ => {
                            services
                                .by_name
                                .insert(key, map.next_value::<Option<Service>>()?.unwrap_or_default());
                        }
                    }
                }
                Ok(services)
            }
        }
        deserializer.deserialize_map(Map)
    }
}

impl<'de> Deserialize<'de> for Health {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOf;
        const KEYS: &[&str] = &["http", "tcp", "grpc", "command"];
        impl<'de> Visitor<'de> for OneOf {
            type Value = Health;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`none`, { http: /path }, { tcp: PORT }, { grpc: PORT } or { command: [...] }")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Health, E> {
                match text {
                    "none" => Ok(Health::None),
                    other => Err(E::invalid_value(serde::de::Unexpected::Str(other), &self)),
                }
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Health, A::Error> {
                use serde::de::Error;
                let Some(key) = map.next_key::<String>()? else {
                    return Err(A::Error::invalid_length(0, &self));
                };
                let health = match key.as_str() {
                    "http" => Health::Http(map.next_value()?),
                    "tcp" => Health::Tcp(map.next_value()?),
                    "grpc" => Health::Grpc(map.next_value()?),
                    "command" => Health::Command(map.next_value()?),
                    other => return Err(A::Error::unknown_field(other, KEYS)),
                };
                match map.next_key::<String>()? {
                    None => Ok(health),
                    Some(_) => {
                        Err(A::Error::custom("a health check has exactly one of http, tcp, grpc, command"))
                    }
                }
            }
        }
        deserializer.deserialize_any(OneOf)
    }
}

impl<'de> Deserialize<'de> for Migrate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOf;
        impl<'de> Visitor<'de> for OneOf {
            type Value = Migrate;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`none` or { command: [...] }")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Migrate, E> {
                match text {
                    "none" => Ok(Migrate::None),
                    other => Err(E::invalid_value(serde::de::Unexpected::Str(other), &self)),
                }
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Migrate, A::Error> {
                use serde::de::Error;
                let mut command = None;
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "command" => command = Some(map.next_value::<Vec<String>>()?),
                        other => return Err(A::Error::unknown_field(other, &["command"])),
                    }
                }
                match command {
                    Some(words) if !words.is_empty() => Ok(Migrate::Command(words)),
                    _ => Err(A::Error::invalid_length(0, &self)),
                }
            }
        }
        deserializer.deserialize_any(OneOf)
    }
}

impl Config {
    /// Parses the text of `config.yaml`; `name` is the file's path as shown in errors. An empty file is the default.
    ///
    /// # Errors
    /// Malformed YAML, unknown keys and wrong values, with line, key and suggestion.
    pub fn parse(name: &str, text: &str) -> Result<Config> {
        let config: Option<Config> =
            serde_yaml::from_str(text).map_err(|error| explain(name, text, &error))?;
        let config = Config { source: (name.to_owned(), text.to_owned()), ..config.unwrap_or_default() };
        config.check(name)?;
        Ok(config)
    }

    /// Where a key stands, for messages: `integration/config.yaml:12` for `["services", "market"]`.
    pub fn place(&self, path: &[&str]) -> String {
        let (name, text) = &self.source;
        place(name, text, path)
    }

    /// Where a key stands, if the file says anything there: the line of the key, or of the braces that hold it.
    pub fn said(&self, path: &[&str]) -> Option<String> {
        let (name, text) = &self.source;
        let root: serde_yaml::Value = serde_yaml::from_str(text).ok()?;
        let mut value = &root;
        let mut path_left = path;
        // Names of services may hold dots, so that a key stands for several parts.
        while !path_left.is_empty() {
            let (taken, next) = (1..=path_left.len())
                .find_map(|n| Some((n, value.get(path_left[..n].join(".").as_str())?)))?;
            value = next;
            path_left = &path_left[taken..];
        }
        Some(place(name, text, path))
    }

    /// Whether each set of clients gets a network of its own.
    pub fn isolated(&self) -> bool {
        self.isolation.is_none_or(|switch| switch.0)
    }

    /// The preferences for a service; defaults where nothing is said.
    pub fn service(&self, name: &str) -> Service {
        self.services.by_name.get(name).cloned().unwrap_or_default()
    }

    fn check(&self, name: &str) -> Result<()> {
        if let Some(bind) = &self.bind
            && bind.parse::<std::net::IpAddr>().is_err()
        {
            return Err(Failure::new(format!("`bind: {bind}` is not an IP address"))
                .at(name)
                .fix("use 127.0.0.1 for this machine only, or 0.0.0.0 for everybody who reaches it")
                .into());
        }
        for (kind, infrastructure) in &self.infrastructure {
            if infrastructure.external == Some(true) && infrastructure.url.is_none() {
                return Err(Failure::new(format!("`infrastructure.{kind}` is external and has no url"))
                    .at(name)
                    .fix(format!("add `url:` below `infrastructure.{kind}`"))
                    .into());
            }
        }
        Ok(())
    }
}

/// Where a key stands in the text of `config.yaml`, for messages; the file alone where it does not stand there.
pub fn place(name: &str, text: &str, path: &[&str]) -> String {
    line_of(text, path).map_or_else(|| name.to_owned(), |line| format!("{name}:{line}"))
}

/// The line of a key written in block style; of its nearest ancestor where the key stands in `{ … }`.
fn line_of(text: &str, path: &[&str]) -> Option<usize> {
    let lines = text.lines().zip(1..).map(|(line, number)| (number, line.trim_start(), line));
    let lines: Vec<(usize, usize, &str)> = lines
        .filter(|(_, key, _)| !key.is_empty() && !key.starts_with('#'))
        .map(|(number, key, line)| (number, line.len() - key.len(), key))
        .collect();
    let mut block = lines.as_slice();
    let mut found = None;
    for key in path {
        let is_key = |line: &str| {
            let rest = line.trim_start_matches(['"', '\'']).strip_prefix(key);
            rest.is_some_and(|rest| rest.trim_start_matches(['"', '\'', ' ']).starts_with(':'))
        };
        let Some((_, level, _)) = block.first().copied() else { break };
        let Some(at) = block.iter().position(|(_, indent, line)| *indent == level && is_key(line)) else {
            break;
        };
        found = Some(block[at].0);
        let below = &block[at + 1..];
        block = &below[..below.iter().take_while(|(_, indent, _)| *indent > level).count()];
    }
    found
}

/// Turns the parser's sentence into what, where, why and fix.
fn explain(name: &str, text: &str, error: &serde_yaml::Error) -> Failure {
    let message = error.to_string();
    let line = error.location().map(|location| location.line());
    let place = line.map_or_else(|| name.to_owned(), |line| format!("{name}:{line}"));
    // `services.market: unknown field `prot`, expected one of `port`, … at line 3 column 5`
    let message = message.split(" at line ").next().unwrap_or_default();
    let message = message.replace("expected u16", "expected a port, a number up to 65535");
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    if message.contains("unknown field")
        && let [unknown, known @ ..] = quoted.as_slice()
    {
        let parent = message.split(": unknown field").next().filter(|head| !head.contains("unknown field"));
        let key = parent.map_or_else(|| (*unknown).to_owned(), |parent| format!("{parent}.{unknown}"));
        let failure = Failure::new(format!("unknown key `{key}`"))
            .at(place)
            .why(format!("known here: {}", known.join(", ")))
            .did_you_mean(unknown, known.iter().copied());
        return failure;
    }
    let what = if message.contains("invalid type")
        || message.contains("invalid value")
        || message.contains("neither")
    {
        "wrong value in the configuration"
    } else {
        "cannot read the configuration"
    };
    let mut failure = Failure::new(what).at(place).why(&message);
    if let Some(shown) = line.and_then(|line| text.lines().nth(line.saturating_sub(1))) {
        failure = failure.why(format!("the line is `{}`", shown.trim()));
    }
    failure
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        Config::parse("integration/config.yaml", text).expect_err("is refused").to_string()
    }

    #[test]
    fn every_documented_key_is_read() {
        let config = Config::parse(
            "config.yaml",
            "name: trading-platform\nservices:\n  roots: [\"workspace/code/*\"]\n  exclude: [\"workspace/code/legacy\"]\n  \
             market:\n    port: 3002\n    host_port: 3010\n    health: { http: /health }\n    requires: [redis]\n    \
             env: { LOG_LEVEL: debug, N: 3 }\ninfrastructure:\n  postgres: { version: 17, shared: true }\n  \
             kafka: { external: true, url: \"kafka.example.org:9092\" }\nbind: 127.0.0.1\nisolation: on\nhot_reload: off\n",
        )
        .expect("is valid");
        let market = config.service("market");
        assert_eq!(market.health, Some(Health::Http("/health".into())));
        assert_eq!(market.env["N"], Scalar("3".into()));
        assert_eq!(config.infrastructure["postgres"].version, Some(Scalar("17".into())));
        assert_eq!(config.hot_reload, Some(Switch(false)));
        assert!(config.isolated());
    }

    #[test]
    fn an_unknown_key_is_named_with_line_and_suggestion() {
        assert_eq!(
            error("services:\n  billing:\n    prot: 1\n"),
            "unknown key `services.billing.prot`\n  at integration/config.yaml:3\n  \
             why: known here: port, host_port, health, requires, env, build, migrate\n  fix: did you mean `port`?"
        );
    }

    #[test]
    fn keys_are_found_in_block_style_and_their_parents_where_they_stand_in_braces() {
        let text = "# services:\nservices:\n  a:\n    env:\n      b: 1\n\n  \"b\" :\n    port: 1\n  c: { port: 2 }\n";
        assert_eq!(line_of(text, &["services", "b"]), Some(7));
        assert_eq!(line_of(text, &["services", "b", "port"]), Some(8));
        assert_eq!(line_of(text, &["services", "c", "port"]), Some(9));
        assert_eq!(line_of(text, &["infrastructure"]), None);
    }

    #[test]
    fn malformed_yaml_is_shown_with_its_line() {
        let text = error("name: \"a\nbind: x\n");
        assert!(text.starts_with("cannot read the configuration\n  at integration/config.yaml:"), "{text}");
    }

    #[test]
    fn wrong_values_are_shown_with_their_line() {
        assert_eq!(
            error("isolation: maybe\n"),
            "wrong value in the configuration\n  at integration/config.yaml:1\n  \
             why: `maybe` is neither `on` nor `off`\n       the line is `isolation: maybe`"
        );
    }

    #[test]
    fn external_infrastructure_needs_an_address() {
        assert!(error("infrastructure:\n  kafka: { external: true }\n").contains("has no url"));
    }
}
