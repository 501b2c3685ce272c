//! A scenario's text as data: every key known, every value checked, all problems in one pass; runs nothing.

use std::time::Duration;

use super::expect;
use super::fields::{Fields, Report};
use super::path::JsonPath;
use super::yaml::{self, Node};
use super::{Body, Capture, Expect, Request, Retry, Scenario, Source, Step, uses, vars};
use crate::error::Failure;
use crate::run::duration;

pub(super) const SCENARIO: &[&str] = &["name", "description", "service", "steps", "cleanup"];
pub(super) const STEP: &[&str] = &["name", "service", "port", "request", "expect", "capture", "retry"];
pub(super) const REQUEST: &[&str] = &["method", "path", "headers", "json", "body", "timeout"];
pub(super) const CAPTURE: &[&str] = &["header"];
pub(super) const RETRY: &[&str] = &["times", "every"];
pub(super) const METHODS: &[&str] = &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// How long one answer may take where the scenario does not say.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Between two tries where the scenario does not say.
const EVERY: Duration = Duration::from_millis(500);
/// More tries or pauses than these are a mistake: a scenario must end.
const MOST_TRIES: u64 = 1000;
const LONGEST: Duration = Duration::from_secs(600);

/// Reads a scenario; `file` is its path relative to the root.
///
/// # Errors
/// All problems of the file, in the order of their lines.
pub fn parse(text: &str, file: &str) -> Result<Scenario, Vec<Failure>> {
    let node = yaml::parse(text, file).map_err(|failure| vec![failure])?;
    let mut report = Report::new(file);
    let scenario = scenario(&mut report, &node);
    if let Some(scenario) = &scenario {
        uses::check(&mut report, scenario, text);
    }
    match scenario {
        Some(scenario) if report.failures.is_empty() => Ok(scenario),
        _ => Err(report.failures),
    }
}

fn scenario(report: &mut Report<'_>, node: &Node) -> Option<Scenario> {
    let fields = report.fields(node, "", "a scenario", SCENARIO)?;
    let name = fields
        .need(report, "name", "a scenario has a name, for the report and for `smoke NAME`")
        .and_then(|node| report.text(node, "name"));
    if let Some(node) = fields.get("description") {
        report.text(node, "description");
    }
    let service = fields.get("service").and_then(|node| report.text(node, "service"));
    let steps = fields.need(report, "steps", "a scenario has at least one step");
    if let Some(node) = steps
        && report.list(node, "steps", "a list of steps belongs here").is_empty()
    {
        report.wrong(node, "steps", "a scenario has at least one step");
    }
    let mut list = |node: Option<&Node>, key: &str| -> Vec<Step> {
        let Some(node) = node else { return Vec::new() };
        let items = report.list(node, key, "a list of steps belongs here");
        let steps = items.iter().enumerate();
        steps.filter_map(|(i, node)| step(report, node, &format!("{key}[{i}]"), service.as_deref())).collect()
    };
    let steps = list(steps, "steps");
    let cleanup = list(fields.get("cleanup"), "cleanup");
    Some(Scenario { name: name?, file: report.file.to_owned(), steps, cleanup })
}

fn step(report: &mut Report<'_>, node: &Node, at: &str, service: Option<&str>) -> Option<Step> {
    let fields = report.fields(node, at, "a step", STEP)?;
    let name = fields.get("name").and_then(|node| report.text(node, &fields.name("name")));
    let service = match (fields.get("service"), service) {
        (Some(node), _) => report.text(node, &fields.name("service")),
        (None, Some(service)) => Some(service.to_owned()),
        (None, None) => {
            fields.need(
                report,
                "service",
                "each step, or the scenario for all of them, names the service to ask",
            );
            None
        }
    };
    let port = fields.get("port").and_then(|node| report.number(node, &fields.name("port"), 1..=65535));
    let request = fields
        .need(report, "request", "a step says what it sends, at least `request: { path: /health }`")
        .and_then(|node| request(report, node, &fields.name("request")));
    let expect = match fields.get("expect") {
        Some(node) => expect::read(report, node, &fields.name("expect")),
        None => Expect { status: expect::default_status(), ..Expect::default() },
    };
    let capture = captures(report, &fields);
    let retry = fields.get("retry").and_then(|node| retry(report, node, &fields.name("retry")));
    let request = request?;
    Some(Step {
        name: name.unwrap_or_else(|| format!("{} {}", request.method, request.path)),
        line: fields.line,
        service: service?,
        port: port.and_then(|port| u16::try_from(port).ok()),
        request,
        expect,
        capture,
        retry,
    })
}

fn request(report: &mut Report<'_>, node: &Node, at: &str) -> Option<Request> {
    let fields = report.fields(node, at, "a request", REQUEST)?;
    let method = match fields.get("method") {
        Some(node) => report.read(node, &fields.name("method"), method),
        None => Some("GET".to_owned()),
    };
    let path = fields
        .need(report, "path", "a request has a path, such as `/health`")
        .and_then(|node| report.read(node, &fields.name("path"), path));
    let headers = match fields.get("headers") {
        Some(node) => headers(report, node, &fields.name("headers")),
        None => Vec::new(),
    };
    let body = match (fields.get("json"), fields.get("body")) {
        (Some(_), Some(node)) => {
            report.wrong(node, &fields.name("body"), "a request has `json` or `body`, not both");
            None
        }
        (Some(node), None) => Some(Body::Json(node.to_json())),
        (None, Some(node)) => report.text(node, &fields.name("body")).map(Body::Text),
        (None, None) => None,
    };
    let timeout = match fields.get("timeout") {
        Some(node) => time(report, node, &fields.name("timeout")),
        None => Some(TIMEOUT),
    };
    Some(Request { method: method?, path: path?, headers, body, timeout: timeout.unwrap_or(TIMEOUT) })
}

fn method(text: &str) -> Result<String, String> {
    let method = text.to_ascii_uppercase();
    if METHODS.contains(&method.as_str()) {
        return Ok(method);
    }
    Err(format!("a method is one of {}", crate::ui::list(METHODS)))
}

/// A path may also come whole out of a response, as a `location` header does.
fn path(text: &str) -> Result<String, String> {
    if text.starts_with('/') || text.starts_with("${") {
        return Ok(text.to_owned());
    }
    Err("a path begins with `/`; host and port come from the service".to_owned())
}

fn headers(report: &mut Report<'_>, node: &Node, at: &str) -> Vec<(String, String)> {
    let entries = report.entries(node, at, "header names with their values belong here");
    entries
        .iter()
        .filter_map(|entry| {
            if !is_header_name(&entry.key) {
                report.add(entry.line, Failure::new(format!("`{}` is not a header name", entry.key)));
            }
            Some((entry.key.clone(), report.text(&entry.value, &format!("{at}.{}", entry.key))?))
        })
        .collect()
}

/// The `token` of RFC 9110, section 5.6.2.
pub(super) fn is_header_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c))
}

fn captures(report: &mut Report<'_>, fields: &Fields<'_>) -> Vec<Capture> {
    let Some(node) = fields.get("capture") else { return Vec::new() };
    let at = fields.name("capture");
    let rule = "names with the place of their values belong here, such as `user_id: $.id`";
    let mut captures = Vec::new();
    for entry in report.entries(node, &at, rule) {
        if !is_variable(&entry.key) {
            let failure = Failure::new(format!("`{}` cannot be the name of a capture", entry.key));
            report.add(entry.line, failure.why("a name has letters, digits and `_`, and is not `run`"));
        }
        if let Some(from) = source(report, &entry.value, &format!("{at}.{}", entry.key)) {
            captures.push(Capture { name: entry.key.clone(), from });
        }
    }
    captures
}

fn is_variable(name: &str) -> bool {
    let first = name.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    first && name != "run" && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn source(report: &mut Report<'_>, node: &Node, at: &str) -> Option<Source> {
    if let yaml::Data::Map(_) = node.data {
        let fields = report.fields(node, at, "a capture that is no path", CAPTURE)?;
        let header =
            fields.need(report, "header", "a capture is a path such as `$.id`, or `{ header: location }`")?;
        let name = report.text(header, &fields.name("header"))?;
        return Some(Source::Header(name.to_ascii_lowercase()));
    }
    report.read(node, at, JsonPath::parse).map(Source::Json)
}

fn retry(report: &mut Report<'_>, node: &Node, at: &str) -> Option<Retry> {
    let fields = report.fields(node, at, "a retry", RETRY)?;
    let times = fields
        .need(report, "times", "how often to try in all")
        .and_then(|node| report.number(node, &fields.name("times"), 1..=MOST_TRIES));
    let every = match fields.get("every") {
        Some(node) => time(report, node, &fields.name("every"))?,
        None => EVERY,
    };
    Some(Retry { times: u32::try_from(times?).ok()?, every })
}

fn time(report: &mut Report<'_>, node: &Node, at: &str) -> Option<Duration> {
    report.read(node, at, |text| {
        let rule = "a time with its unit belongs here, such as 500ms, 10s or 1m, at most 10m";
        match duration::parse(text) {
            Ok(time) if !time.is_zero() && time <= LONGEST && vars::names(text).is_empty() => Ok(time),
            _ => Err(rule.to_owned()),
        }
    })
}

#[cfg(test)]
mod tests;
