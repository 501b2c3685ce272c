//! What headers and keys mean, and which facts their cells and values are.

use std::sync::LazyLock;

use regex::Regex;

use super::topics::is_topic;
use crate::discover::findings::{Findings, health_path, is_variable};
use crate::discover::ports;
use crate::model::fact::{EnvSource, HealthKind, PortSource, Protocol, Purpose, Subject, What};

/// What a column or key is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Service,
    Port,
    Store,
    Depends,
    Health,
    Technology,
    Variable,
    Default,
    Required,
    Description,
    Method,
    Path,
    From,
    To,
    Nothing,
}

/// A port in a text, with what stands beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PortText {
    port: u16,
    protocol: Protocol,
    purpose: Purpose,
}

/// The meaning of a header or key by its words.
pub(super) fn meaning(text: &str) -> Meaning {
    let lower = text.to_ascii_lowercase();
    let words: Vec<&str> =
        lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let has = |list: &[&str]| words.iter().any(|word| list.contains(word));
    let starts = |list: &[&str]| words.iter().any(|word| list.iter().any(|start| word.starts_with(start)));
    if words.is_empty() || words.len() > 5 {
        Meaning::Nothing
    } else if starts(&["health", "readiness", "liveness"]) {
        Meaning::Health
    } else if has(&["variable", "variables", "env", "envvar"]) || words == ["environment", "key"] {
        Meaning::Variable
    } else if has(&["port", "ports"]) {
        Meaning::Port
    } else if starts(&["depend", "upstream"])
        || has(&["calls", "uses", "requires", "consumes", "needs", "integrations"])
    {
        Meaning::Depends
    } else if has(&[
        "database",
        "databases",
        "db",
        "datastore",
        "store",
        "storage",
        "cache",
        "queue",
        "broker",
        "persistence",
        "messaging",
        "infrastructure",
    ]) {
        Meaning::Store
    } else if has(&[
        "technology",
        "technologies",
        "stack",
        "tech",
        "framework",
        "frameworks",
        "language",
        "runtime",
    ]) {
        Meaning::Technology
    } else if has(&["default", "value", "example", "defaults"]) {
        Meaning::Default
    } else if has(&["required", "mandatory", "optional"]) {
        Meaning::Required
    } else if has(&["description", "purpose", "notes", "meaning", "comment"]) {
        Meaning::Description
    } else if has(&["method", "verb"]) {
        Meaning::Method
    } else if has(&["path", "endpoint", "route", "url"]) {
        Meaning::Path
    } else if has(&["from", "source", "caller", "client", "consumer"]) {
        Meaning::From
    } else if has(&["to", "target", "callee", "destination", "provider"]) {
        Meaning::To
    } else if has(&[
        "service",
        "services",
        "microservice",
        "component",
        "module",
        "application",
        "name",
        "app",
        "container",
    ]) {
        Meaning::Service
    } else {
        Meaning::Nothing
    }
}

/// Adds what a cell or value says.
pub(super) fn say(
    findings: &mut Findings<'_, '_>,
    line: u32,
    meaning: Meaning,
    value: &str,
    rule: &'static str,
) {
    match meaning {
        Meaning::Port => {
            for port in ports_in(value) {
                say_port(findings, line, port, rule);
            }
        }
        Meaning::Health => {
            if let Some(path) = path_in(value) {
                findings.add(
                    line,
                    rule,
                    What::Health { kind: HealthKind::Http, path: Some(path), port: None },
                );
            } else if value.to_ascii_lowercase().contains("grpc") {
                findings.add(line, rule, What::Health { kind: HealthKind::Grpc, path: None, port: None });
            }
        }
        Meaning::Depends | Meaning::Store => {
            for (target, detail) in targets(findings, value) {
                findings.add(line, rule, What::Mention { target, detail });
            }
        }
        Meaning::Technology => {
            for word in known_words(findings, value) {
                findings.add(line, rule, What::Mention { target: word, detail: None });
            }
        }
        _ => {}
    }
}

/// Adds a port.
pub(super) fn say_port(findings: &mut Findings<'_, '_>, line: u32, found: PortText, rule: &'static str) {
    // Tables of databases give the ports of these beside the services that use them.
    if findings.source.catalog.is_port_of_a_server(found.port) {
        return;
    }
    findings.port_as(line, rule, found.port, PortSource::Document, (None, found.protocol, found.purpose));
}

/// Adds a documented variable with its default and description.
pub(super) fn say_variable(
    findings: &mut Findings<'_, '_>,
    line: u32,
    name: &str,
    (value, comment): (&str, &str),
) {
    let name = name.trim().trim_matches('`');
    let value = plain(value);
    let value = if is_nothing(value) { "" } else { value };
    if let Some(found) = ports::of_variable(name, value) {
        let how = (Some(name), found.protocol, found.purpose);
        findings.port_as(line, "document-variable", found.port, PortSource::Document, how);
    }
    let what = What::EnvValue {
        name: name.to_owned(),
        value: value.to_owned(),
        comment: comment.trim().to_owned(),
        source: EnvSource::Document,
    };
    findings.add(line, "document-variable", what);
}

/// Adds that a documented variable is required.
pub(super) fn say_required(findings: &mut Findings<'_, '_>, line: u32, name: &str, text: &str) {
    let text = text.trim().to_ascii_lowercase();
    if matches!(text.as_str(), "yes" | "true" | "required" | "x" | "✓" | "✅" | "y" | "mandatory") {
        let name = name.trim().trim_matches('`').to_owned();
        findings.add(line, "document-variable", What::EnvRead { name, default: None, required: true });
    }
}

static SENTENCE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"^(?P<from>[A-Za-z][A-Za-z0-9_-]*(?: [Ss]ervice)?)\s*(?:-->|->|→|⟶|=>|\bcalls\b|\bdepends on\b|\buses\b|\btalks to\b|\breads from\b|\bconnects to\b)\s*(?P<to>[^.:(]{2,80})",
    )
    .ok()
});

/// `trading → accounts`, `trading calls accounts and market`. Whether it was such a sentence.
pub(super) fn say_sentence(findings: &mut Findings<'_, '_>, line: u32, text: &str) -> bool {
    let Some(found) = SENTENCE.as_ref().filter(|_| text.len() < 200).and_then(|regex| regex.captures(text))
    else {
        return false;
    };
    let (Some(from), Some(to)) = (found.name("from"), found.name("to")) else { return false };
    let Some(name) = name_of(from.as_str()) else { return false };
    if is_topic(&name) || is_person(&name) {
        return false;
    }
    findings.about(Subject::Named(name));
    for (target, detail) in targets(findings, to.as_str()) {
        findings.add(line, "document-sentence", What::Mention { target, detail });
    }
    true
}

/// Names of services and components in a cell, with what stands in brackets or behind a colon.
fn targets(findings: &Findings<'_, '_>, value: &str) -> Vec<(String, Option<String>)> {
    let mut found = Vec::new();
    for item in pieces(value) {
        let item = plain(item);
        let (name, detail) = match item.split_once([':', '(']) {
            Some((name, detail)) => (name.trim(), Some(detail.trim_end_matches(')').trim().to_owned())),
            None => (item, None),
        };
        let name = without_version(name);
        if is_nothing(name) {
            continue;
        }
        if let Some(name) = simple_name(name) {
            found.push((name.to_owned(), detail.filter(|detail| is_database(detail))));
        } else {
            found.extend(known_words(findings, item).into_iter().map(|word| (word, None)));
        }
    }
    found
}

/// Whether what stands in brackets may name a database: one word, and no version; `(Ecto 3.12+)` is a library.
fn is_database(detail: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let version = detail.trim_start_matches('v').starts_with(|c: char| c.is_ascii_digit());
    !detail.is_empty() && !version && detail.chars().all(is_part)
}

/// Parts of a list in a sentence, brackets kept whole.
fn pieces(value: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut depth) = (0_usize, 0_usize);
    for (at, c) in value.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' | ';' | '+' | '\n' | '/' if depth == 0 => {
                parts.push(&value[start..at]);
                start = at + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&value[start..]);
    parts
        .into_iter()
        .flat_map(|part| part.split(" and "))
        .flat_map(|part| part.split(" & "))
        .map(str::trim)
        .collect()
}

/// Words that the catalogue knows.
pub(super) fn known_words(findings: &Findings<'_, '_>, text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| word.len() > 2);
    words.filter(|word| findings.source.catalog.by_word(word).is_some()).map(str::to_owned).collect()
}

/// A name of at most three words.
fn simple_name(text: &str) -> Option<&str> {
    let text = plain(text);
    let fits = !text.is_empty() && text.len() <= 40 && text.split_whitespace().count() <= 3;
    let plain = text.chars().all(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.' | '@'));
    (fits && plain && text.starts_with(char::is_alphabetic)).then_some(text)
}

/// The service that a heading, a cell or an item names: without numbers, decoration, brackets and what follows them.
pub(super) fn name_of(text: &str) -> Option<String> {
    let text =
        text.trim().trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | ')' | ' ' | '#'));
    let text = text.split(['(', ':', '[', '–', '—', '<']).next().unwrap_or_default();
    let text = text.split(" - ").next().unwrap_or_default();
    let text = text.trim_matches(|c: char| !c.is_alphanumeric());
    simple_name(text).map(str::to_owned)
}

/// The port of a heading or label: `trading :3000`, `trading (port 3000)`.
pub(super) fn ports_in_name(text: &str) -> Vec<PortText> {
    let lower = text.to_ascii_lowercase();
    let marked = lower.find("port ").or_else(|| lower.find("port: ")).map(|at| at + 4);
    let colon = lower
        .match_indices(':')
        .map(|(at, _)| at + 1)
        .find(|at| lower[*at..].starts_with(|c: char| c.is_ascii_digit()));
    let Some(at) = marked.or(colon) else { return Vec::new() };
    let rest = lower.get(at..).unwrap_or_default();
    ports_in(rest).into_iter().take(1).collect()
}

/// The port numbers in a text; `9090 (metrics)`, `50051/gRPC`; of `8080:80` the second, which is the container's.
fn ports_in(text: &str) -> Vec<PortText> {
    let mut found = Vec::new();
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let end = at + bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let glued = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'.');
        let is_host_side =
            bytes.get(end) == Some(&b':') && bytes.get(end + 1).is_some_and(u8::is_ascii_digit);
        let unit = bytes.get(end).is_some_and(u8::is_ascii_alphabetic);
        if let Ok(port) = text[at..end].parse::<u16>()
            && (2..=5).contains(&(end - at))
            && !glued
            && !unit
            && !is_host_side
        {
            let beside: String =
                text[end..].chars().take(24).take_while(|c| !matches!(c, ',' | ';')).collect();
            found.push(described(port, &beside.to_ascii_lowercase()));
        }
        at = end;
    }
    found
}

fn described(port: u16, beside: &str) -> PortText {
    let protocol = if beside.contains("grpc") { Protocol::Grpc } else { ports::kind(port).0 };
    let purpose = if beside.contains("metric") {
        Purpose::Metrics
    } else if beside.contains("admin") || beside.contains("management") || beside.contains("actuator") {
        Purpose::Management
    } else if beside.contains("debug") {
        Purpose::Debug
    } else {
        Purpose::Main
    };
    PortText { port, protocol, purpose }
}

/// The first health path in a text: `GET /health`, `http://localhost:3001/health`.
fn path_in(text: &str) -> Option<String> {
    text.split(|c: char| c.is_whitespace() || matches!(c, '`' | '"' | '\'' | ',' | '(' | ')')).find_map(
        |word| {
            let path = match word.split_once("://") {
                Some((_, rest)) => &rest[rest.find('/')?..],
                None if word.starts_with('/') => word,
                None => return None,
            };
            health_path(path.trim_end_matches(['.', ';', ':']))
        },
    )
}

/// Without decoration.
fn plain(text: &str) -> &str {
    text.trim().trim_matches(['`', '*', '"', '\'']).trim()
}

/// Without a version behind the name: `PostgreSQL 16`.
fn without_version(name: &str) -> &str {
    let is_version = |word: &str| word.trim_start_matches('v').starts_with(|c: char| c.is_ascii_digit());
    match name.rsplit_once(' ') {
        Some((before, last)) if is_version(last) => before,
        _ => name,
    }
}

fn is_nothing(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    !lower.contains(|c: char| c.is_alphanumeric())
        || matches!(
            lower.as_str(),
            "none"
                | "n/a"
                | "na"
                | "no"
                | "nothing"
                | "nil"
                | "null"
                | "tbd"
                | "unset"
                | "empty"
                | "required"
        )
}

/// Whether a cell holds a variable's name.
pub(super) fn is_variable_cell(text: &str) -> bool {
    let name = text.trim().trim_matches('`');
    name.len() > 1
        && is_variable(name)
        && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

/// Whether a name in a graph means a person or their device.
pub(super) fn is_person(name: &str) -> bool {
    const PEOPLE: &[&str] = &[
        "actor",
        "admin",
        "browser",
        "client",
        "clients",
        "customer",
        "customers",
        "developer",
        "external",
        "internet",
        "mobile",
        "person",
        "user",
        "users",
        "visitor",
        "web browser",
        "mobile app",
        "end user",
        "end users",
        "operator",
    ];
    PEOPLE.contains(&name.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_pattern_is_valid() {
        assert!(SENTENCE.is_some());
    }

    #[test]
    fn headers_have_meanings() {
        for (text, wanted) in [
            ("Service", Meaning::Service),
            ("Port", Meaning::Port),
            ("Health Check", Meaning::Health),
            ("Depends on", Meaning::Depends),
            ("Database", Meaning::Store),
            ("Environment variable", Meaning::Variable),
            ("Tech Stack", Meaning::Technology),
            ("Responsible team", Meaning::Nothing),
        ] {
            assert_eq!(meaning(text), wanted, "{text}");
        }
    }

    #[test]
    fn ports_are_read_with_what_stands_beside_them() {
        let shown = |text: &str| -> Vec<(u16, Protocol, Purpose)> {
            ports_in(text).iter().map(|found| (found.port, found.protocol, found.purpose)).collect()
        };
        assert_eq!(
            shown("3000 (HTTP), 9090 (metrics), 50051/gRPC"),
            [
                (3000, Protocol::Http, Purpose::Main),
                (9090, Protocol::Http, Purpose::Metrics),
                (50051, Protocol::Grpc, Purpose::Main)
            ]
        );
        assert_eq!(shown("8080:80"), [(80, Protocol::Http, Purpose::Main)]);
        assert_eq!(shown("v1.2, 30s, 1"), []);
    }
}
