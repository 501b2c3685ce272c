//! Reads `expect`: statuses and checks; holds no rule about how they are compared.

use regex::Regex;
use serde_json::Value;

use super::fields::{Report, join};
use super::path::JsonPath;
use super::yaml::{Data, Node};
use super::{Check, Expect, Kind, Status, parse, vars};
use crate::error::{Failure, nearest};

pub(super) const EXPECT: &[&str] = &["status", "headers", "json", "body"];
pub(super) const CHECK: &[&str] = &["equals", "type", "matches", "exists", "length"];

/// What counts as an answer where the scenario does not say.
pub(super) fn default_status() -> Vec<Status> {
    vec![Status::Class(2)]
}

pub(super) fn read(report: &mut Report<'_>, node: &Node, at: &str) -> Expect {
    let empty = Expect { status: default_status(), ..Expect::default() };
    let Some(fields) = report.fields(node, at, "an expectation", EXPECT) else { return empty };
    let status = match fields.get("status") {
        Some(node) => statuses(report, node, &fields.name("status")),
        None => default_status(),
    };
    let headers = match fields.get("headers") {
        Some(node) => headers(report, node, &fields.name("headers")),
        None => Vec::new(),
    };
    let json = match fields.get("json") {
        Some(node) => values(report, node, &fields.name("json")),
        None => Vec::new(),
    };
    let body = fields.get("body").map(|node| check(report, node, &fields.name("body")));
    Expect { status, headers, json, body }
}

fn statuses(report: &mut Report<'_>, node: &Node, at: &str) -> Vec<Status> {
    let one = std::slice::from_ref(node);
    let items = if let Data::List(items) = &node.data { items } else { one };
    if items.is_empty() {
        report.wrong(node, at, STATUS_RULE);
    }
    items.iter().filter_map(|node| report.read(node, at, status)).collect()
}

const STATUS_RULE: &str = "a status is a code such as 201, a class such as 2xx, or a list of them";

fn status(text: &str) -> Result<Status, String> {
    if let Some(first) = text.strip_suffix("xx") {
        if let Ok(first @ 1..=5) = first.parse() {
            return Ok(Status::Class(first));
        }
    } else if let Ok(code @ 100..=599) = text.parse() {
        return Ok(Status::Exactly(code));
    }
    Err(STATUS_RULE.to_owned())
}

fn headers(report: &mut Report<'_>, node: &Node, at: &str) -> Vec<(String, Check)> {
    let entries = report.entries(node, at, "header names with what must hold for them belong here");
    let mut headers = Vec::new();
    for entry in entries {
        if !parse::is_header_name(&entry.key) {
            report.add(entry.line, Failure::new(format!("`{}` is not a header name", entry.key)));
        }
        let mut check = check(report, &entry.value, &join(at, &entry.key));
        // A header is a text, also where YAML sees a number.
        check.equals = check.equals.map(|value| Value::String(vars::plain(&value)));
        headers.push((entry.key.to_ascii_lowercase(), check));
    }
    headers
}

fn values(report: &mut Report<'_>, node: &Node, at: &str) -> Vec<(JsonPath, Check)> {
    let entries = report.entries(node, at, "paths such as `$.id` with what must hold for them belong here");
    let mut values = Vec::new();
    for entry in entries {
        let check = check(report, &entry.value, &format!("{at}.{}", entry.key));
        match JsonPath::parse(&entry.key) {
            Ok(path) => values.push((path, check)),
            Err(why) => {
                report.add(entry.line, Failure::new(format!("`{}` is not a path", entry.key)).why(why))
            }
        }
    }
    values
}

/// A mapping of checks; any other value must be equal.
fn check(report: &mut Report<'_>, node: &Node, at: &str) -> Check {
    let Data::Map(_) = node.data else {
        return Check { equals: Some(node.to_json()), ..Check::default() };
    };
    let what = "a check (an object to compare with goes under `equals`)";
    let Some(fields) = report.fields(node, at, what, CHECK) else { return Check::default() };
    let check = Check {
        equals: fields.get("equals").map(Node::to_json),
        kind: fields.get("type").and_then(|node| report.read(node, &fields.name("type"), kind)),
        matches: fields.get("matches").and_then(|node| report.read(node, &fields.name("matches"), pattern)),
        exists: fields.get("exists").and_then(|node| report.read(node, &fields.name("exists"), boolean)),
        length: fields
            .get("length")
            .and_then(|node| report.number(node, &fields.name("length"), 0..=u64::from(u32::MAX)))
            .and_then(|length| usize::try_from(length).ok()),
    };
    if matches!(&node.data, Data::Map(entries) if entries.is_empty()) {
        report.wrong(node, at, &format!("a check has at least one of {}", crate::ui::list(CHECK)));
    }
    check
}

fn kind(text: &str) -> Result<Kind, String> {
    let names = || Kind::NAMES.iter().map(|(name, _)| *name);
    if let Some((_, kind)) = Kind::NAMES.iter().find(|(name, _)| *name == text) {
        return Ok(*kind);
    }
    let all = crate::ui::list(&names().collect::<Vec<_>>());
    let near = nearest(text, names()).map(|near| format!("; did you mean `{near}`?"));
    Err(format!("a type is one of {all}{}", near.unwrap_or_default()))
}

/// Variables are filled in as literal text, so any word in their places shows whether the pattern is right.
fn pattern(text: &str) -> Result<String, String> {
    let sample = vars::names(text)
        .into_iter()
        .fold(text.to_owned(), |sample, name| sample.replace(&format!("${{{name}}}"), "x"));
    match Regex::new(&sample) {
        Ok(_) => Ok(text.to_owned()),
        Err(why) => {
            let why = why.to_string();
            let last = why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            Err(format!("not a regular expression: {last}"))
        }
    }
}

fn boolean(text: &str) -> Result<bool, String> {
    text.parse().map_err(|_| "true or false belongs here".to_owned())
}
