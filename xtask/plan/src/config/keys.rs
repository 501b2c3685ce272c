//! The keys of `config.yaml` as a table, and one key with its value as `--set` takes it; reads and writes no file.
//!
//! `config.rs` parses the file; tests here compare its keys, this table and `schemas/config.schema.json`.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Health, Migrate, Switch};
use crate::error::{Failure, Result, nearest};

/// What a key holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// Any text.
    Text,
    /// 1 to 65535.
    Port,
    /// `on` or `off`.
    Switch,
    /// `true` or `false`.
    Bool,
    /// An IP address.
    Address,
    /// A version of the catalogue.
    Version,
    /// Texts; on the command line also with commas between them.
    Texts,
    /// How readiness is seen.
    Health,
    /// Who runs migrations.
    Migrate,
    /// A value of an environment variable or a build argument.
    Variable,
}

/// One key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// From the root, with `*` for a name that people choose: `services.*.port`.
    pub path: &'static str,
    /// What it holds.
    pub holds: Holds,
    /// One sentence without a dot.
    pub about: &'static str,
    /// A value as `--set` takes it.
    pub example: &'static str,
}

const fn key(path: &'static str, holds: Holds, about: &'static str, example: &'static str) -> Key {
    Key { path, holds, about, example }
}

/// All keys, in the order in which people think of them.
pub const KEYS: &[Key] = &[
    key("name", Holds::Text, "the Compose project's name", "trading-platform"),
    key("bind", Holds::Address, "the address on which ports are published", "127.0.0.1"),
    key("isolation", Holds::Switch, "a network for each set of clients; off: one network for all", "off"),
    key("hot_reload", Holds::Switch, "rules for `up --watch` in the override file", "off"),
    key("services.roots", Holds::Texts, "globs of folders with services", "services/*"),
    key("services.exclude", Holds::Texts, "globs of what to leave out", "services/legacy"),
    key("services.*.port", Holds::Port, "the port in the container", "3002"),
    key("services.*.host_port", Holds::Port, "the port on this machine", "3010"),
    key("services.*.health", Holds::Health, "how readiness is seen", "{ http: /health }"),
    key("services.*.requires", Holds::Texts, "what it needs: exactly these, or +NAME and -NAME", "+redis"),
    key("services.*.env.*", Holds::Variable, "a value that wins over everything found", "debug"),
    key("services.*.build.context", Holds::Text, "the folder that Docker builds from", "services/market"),
    key("services.*.build.target", Holds::Text, "the stage of the Dockerfile", "dev"),
    key("services.*.build.args.*", Holds::Variable, "a build argument", "1"),
    key(
        "services.*.migrate",
        Holds::Migrate,
        "what its one-shot NAME-migrate runs in its image; none: there is no such one-shot",
        "none",
    ),
    key("infrastructure.*.version", Holds::Version, "a version of the catalogue", "16"),
    key("infrastructure.*.shared", Holds::Bool, "one server for all; false: one for each service", "false"),
    key(
        "infrastructure.*.external",
        Holds::Bool,
        "it runs elsewhere, at `url`: nothing is started; by default whatever has a `url`",
        "true",
    ),
    key("infrastructure.*.url", Holds::Text, "where it runs, if elsewhere", "kafka.example.org:9092"),
    key("infrastructure.*.image", Holds::Text, "another image of the same make", "postgis/postgis:17-3.5"),
    key("infrastructure.*.host_port", Holds::Port, "the port on this machine", "15432"),
];

/// `KEY=VALUE` as `--set` takes it, checked as far as a value can be without knowing the monorepo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The keys from the root.
    pub path: Vec<String>,
    /// YAML that fits on a line; `None` removes the key.
    pub value: Option<String>,
    /// As it was given, for messages: `--set isolation=off`.
    pub given: String,
}

impl Setting {
    /// Reads `services.market.host_port=3010`.
    ///
    /// # Errors
    /// An unknown key or a value that it cannot hold, with suggestion.
    pub fn set(text: &str) -> Result<Setting> {
        let given = format!("--set {text}");
        let Some((key, value)) = text.split_once('=') else {
            return Err(Failure::new(format!("`{given}` has no value"))
                .fix(format!("write {given}=VALUE, or --unset {text} to go back to what is found"))
                .into());
        };
        let (path, holds, within) = resolve(key.trim(), &given)?;
        let value = within.map_or_else(|| value.trim().to_owned(), |kind| format!("{kind}:{}", value.trim()));
        let value = holds.yaml(&value).map_err(|why| {
            let example = KEYS.iter().find(|known| fits(known, &path)).map_or("", |known| known.example);
            Failure::new(format!("wrong value for `{}`", path.join(".")))
                .at(&given)
                .why(why)
                .fix(format!("for example --set {key}={}", shell(example)))
        })?;
        Ok(Setting { path, value: Some(value), given })
    }

    /// Reads `services.market.host_port`, to be removed.
    ///
    /// # Errors
    /// An unknown key, with suggestion.
    pub fn unset(key: &str) -> Result<Setting> {
        let given = format!("--unset {key}");
        let (path, ..) = resolve(key.trim(), &given)?;
        Ok(Setting { path, value: None, given })
    }

    /// `services.market.host_port`
    pub fn key(&self) -> String {
        self.path.join(".")
    }
}

/// In quotes where a shell would take it apart.
pub fn shell(text: &str) -> String {
    let plain = text.chars().all(|sign| sign.is_ascii_alphanumeric() || "_-./:+,@%".contains(sign));
    if plain && !text.is_empty() { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

fn fits(key: &Key, path: &[String]) -> bool {
    let known: Vec<&str> = key.path.split('.').collect();
    known.len() == path.len() && known.iter().zip(path).all(|(known, part)| *known == "*" || known == part)
}

/// The path, what it holds, and the kind of health check where the key names one (`services.market.health.http`).
fn resolve(key: &str, given: &str) -> Result<(Vec<String>, Holds, Option<String>)> {
    let parts: Vec<&str> = key.split('.').collect();
    if let Some((kind, above)) = parts.split_last()
        && HEALTH_KINDS.contains(kind)
        && let Some(path) = named(above).filter(|path| path.last().is_some_and(|last| last == "health"))
    {
        return Ok((path, Holds::Health, Some((*kind).to_owned())));
    }
    let path = named(&parts).ok_or_else(|| unknown(&parts, given))?;
    let holds = KEYS.iter().find(|known| fits(known, &path)).map_or(Holds::Text, |known| known.holds);
    Ok((path, holds, None))
}

const HEALTH_KINDS: &[&str] = &["http", "tcp", "grpc", "command"];

/// The parts as keys of the table; names that people choose may hold dots, and have as few of them as can be.
fn named(parts: &[&str]) -> Option<Vec<String>> {
    let paths = KEYS.iter().filter_map(|key| {
        let known: Vec<&str> = key.path.split('.').collect();
        take(&known, parts)
    });
    paths.min_by_key(|path| std::cmp::Reverse(path.len()))
}

fn take(known: &[&str], parts: &[&str]) -> Option<Vec<String>> {
    let [first, rest @ ..] = known else { return parts.is_empty().then(Vec::new) };
    let most = if *first == "*" { parts.len() } else { 1 };
    (1..=most).find_map(|n| {
        let (name, behind) = (parts.get(..n)?.join("."), parts.get(n..)?);
        if name.is_empty() || (*first != "*" && name != *first) || (*first == "*" && is_reserved(&name)) {
            return None;
        }
        let mut path = take(rest, behind)?;
        path.insert(0, name);
        Some(path)
    })
}

/// Beside the services' names stand two keys.
fn is_reserved(name: &str) -> bool {
    ["roots", "exclude"].contains(&name)
}

/// The keys that can stand at a place: `["services", "market"]`. `*` stands for any name.
pub fn known_at(path: &[&str]) -> Vec<&'static str> {
    let mut found = Vec::new();
    for key in KEYS {
        let parts: Vec<&'static str> = key.path.split('.').collect();
        let above = parts.iter().zip(path).all(|(known, part)| *known == "*" || known == part);
        if let (true, Some(part)) = (above && parts.len() > path.len(), parts.get(path.len()))
            && !found.contains(part)
        {
            found.push(*part);
        }
    }
    found
}

fn unknown(parts: &[&str], given: &str) -> anyhow::Error {
    // As far as the key is right, its next part is what is wrong.
    let right = (0..=parts.len()).rev().find(|n| !known_at(&parts[..*n]).is_empty()).unwrap_or_default();
    let known = known_at(&parts[..right]);
    let shown: Vec<&str> = known.iter().map(|part| if *part == "*" { "NAME" } else { part }).collect();
    let Some(wrong) = parts.get(right) else {
        let key = parts.join(".");
        return Failure::new(format!("`{key}` holds no value itself"))
            .at(given)
            .why(format!("it holds {}", shown.join(", ")))
            .fix(format!("for example --set {key}.{}", example(parts)))
            .into();
    };
    let failure = Failure::new(format!("unknown key `{}`", parts.join(".")))
        .at(given)
        .why(format!("known here: {}", shown.join(", ")));
    match nearest(wrong, known.iter().copied().filter(|part| *part != "*")) {
        Some(near) => {
            let mut fixed: Vec<&str> = parts.to_vec();
            fixed[right] = near;
            failure.fix(format!("did you mean `{}`?", fixed.join("."))).into()
        }
        None => failure.into(),
    }
}

/// The rest of the first key below a place, with a value.
fn example(parts: &[&str]) -> String {
    let below = KEYS.iter().find(|key| {
        let known: Vec<&str> = key.path.split('.').collect();
        known.len() > parts.len()
            && known.iter().zip(parts).all(|(known, part)| *known == "*" || known == part)
    });
    below.map_or_else(String::new, |key| {
        let rest: Vec<&str> = key.path.split('.').skip(parts.len()).collect();
        format!("{}={}", rest.join(".").replace('*', "NAME"), shell(key.example))
    })
}

impl Holds {
    /// A value from the command line as YAML that fits on a line.
    ///
    /// # Errors
    /// Why it cannot be that, in words.
    pub fn yaml(self, value: &str) -> Result<String, String> {
        if value.contains('\n') {
            return Err("a value on the command line has one line".to_owned());
        }
        match self {
            Holds::Variable => Ok(scalar(value)),
            _ if value.is_empty() => Err("it is empty".to_owned()),
            Holds::Text => Ok(scalar(value)),
            Holds::Version => Ok(format!("\"{}\"", value.trim_matches(['"', '\'']).replace(['"', '\\'], ""))),
            Holds::Port => match value.parse::<u16>() {
                Ok(port) if port > 0 => Ok(port.to_string()),
                _ => Err(format!("`{value}` is no port: a number from 1 to 65535")),
            },
            Holds::Bool => match value {
                "true" | "yes" | "on" => Ok("true".to_owned()),
                "false" | "no" | "off" => Ok("false".to_owned()),
                other => Err(format!("`{other}` is neither `true` nor `false`")),
            },
            Holds::Switch => {
                let Switch(on) = parsed(&scalar(value))?;
                Ok(if on { "on" } else { "off" }.to_owned())
            }
            Holds::Address => {
                value.parse::<std::net::IpAddr>().map_err(|_| format!("`{value}` is no IP address"))?;
                Ok(if value.contains(':') { scalar(value) } else { value.to_owned() })
            }
            Holds::Texts => texts(value),
            Holds::Health => health(value),
            Holds::Migrate => migrate(value),
        }
    }
}

fn texts(value: &str) -> Result<String, String> {
    let items: Vec<String> = match value.starts_with('[') {
        true => parsed(value)?,
        false => {
            value.split(',').map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect()
        }
    };
    let items: Vec<String> = items.iter().map(|item| signed(item)).collect();
    Ok(format!("[{}]", items.join(", ")))
}

/// `+redis` and `-kafka` need no quotes where their names need none.
fn signed(item: &str) -> String {
    let name = item.strip_prefix(['+', '-']).unwrap_or(item);
    if scalar(name) == name { item.to_owned() } else { scalar(item) }
}

fn health(value: &str) -> Result<String, String> {
    let kind = value.split_once(':').filter(|(kind, _)| HEALTH_KINDS.contains(&kind.trim()));
    let yaml = match kind {
        _ if value.starts_with('/') => format!("{{ http: {} }}", scalar(value)),
        Some(("command", words)) if !words.trim_start().starts_with('[') => {
            let words: Vec<String> = words.split_whitespace().map(scalar).collect();
            format!("{{ command: [{}] }}", words.join(", "))
        }
        Some((kind, rest)) => format!("{{ {}: {} }}", kind.trim(), rest.trim()),
        None => value.to_owned(),
    };
    Ok(match parsed::<Health>(&yaml)? {
        Health::None => "none".to_owned(),
        Health::Http(path) => format!("{{ http: {} }}", scalar(&path)),
        Health::Tcp(port) => format!("{{ tcp: {port} }}"),
        Health::Grpc(port) => format!("{{ grpc: {port} }}"),
        Health::Command(words) => command(&words),
    })
}

/// `none`, or a command: as words, or as the file has it.
fn migrate(value: &str) -> Result<String, String> {
    if value != "none" && !value.starts_with('{') {
        let words: Vec<String> = value.split_whitespace().map(str::to_owned).collect();
        return Ok(command(&words));
    }
    Ok(match parsed::<Migrate>(value)? {
        Migrate::None => "none".to_owned(),
        Migrate::Command(words) => command(&words),
    })
}

fn command(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| scalar(word)).collect();
    format!("{{ command: [{}] }}", words.join(", "))
}

fn parsed<T: DeserializeOwned + for<'de> Deserialize<'de>>(yaml: &str) -> Result<T, String> {
    serde_yaml::from_str(yaml).map_err(|error| {
        let text = error.to_string();
        let text = text.split(" at line ").next().unwrap_or_default().to_owned();
        text.replace("expected u16", "expected a port, a number up to 65535")
    })
}

/// A text as YAML of one line that YAML 1.1 and 1.2 read as that text, inside braces too.
pub fn scalar(text: &str) -> String {
    let plain = text.starts_with(|sign: char| sign.is_ascii_alphabetic() || "/_".contains(sign))
        && text.chars().all(|sign| sign.is_ascii_alphanumeric() || "_-./@+".contains(sign));
    let words = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
    if plain && !words.contains(&text.to_ascii_lowercase().as_str()) {
        return text.to_owned();
    }
    // JSON's strings are YAML's in double quotes.
    serde_json::to_string(text).unwrap_or_default()
}

#[cfg(test)]
#[path = "keys_tests.rs"]
mod tests;
