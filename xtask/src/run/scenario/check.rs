//! Compares a response with what a step expects; every difference at once, as data.

use regex::Regex;
use serde_json::Value;

use super::vars::{self, Vars};
use super::{Check, Expect};
use crate::run::http::Response;

/// How long a value may be in a message.
const SHOWN: usize = 200;

/// One expectation that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// `status`, `header content-type`, `body`, or a path such as `$.id`.
    pub at: String,
    /// `201`, `type integer`, `a value`.
    pub expected: String,
    /// What was there instead.
    pub got: String,
}

/// Everything in which the response differs; empty where all holds.
pub(super) fn differences(expect: &Expect, response: &Response, vars: &Vars) -> Vec<Difference> {
    let Expect { status, headers, json, body } = expect;
    let mut found = Vec::new();
    if !status.iter().any(|status| status.holds(response.status)) {
        let expected: Vec<String> = status.iter().map(ToString::to_string).collect();
        let got = format!("{} {}", response.status, response.reason).trim_end().to_owned();
        found.push(Difference { at: "status".to_owned(), expected: expected.join(" or "), got });
    }
    for (name, check) in headers {
        let value = response.headers.get(name).map(|value| Value::String(value.clone()));
        found.extend(broken(check, value.as_ref(), vars).map(|pair| named(format!("header {name}"), pair)));
    }
    if let Some(check) = body {
        let text = Value::String(response.text());
        found.extend(broken(check, Some(&text), vars).map(|pair| named("body".to_owned(), pair)));
    }
    if !json.is_empty() {
        match serde_json::from_slice::<Value>(&response.body) {
            Ok(value) => {
                for (path, check) in json {
                    found.extend(
                        broken(check, path.find(&value), vars).map(|pair| named(path.to_string(), pair)),
                    );
                }
            }
            Err(why) => {
                let got = if response.body.is_empty() { "an empty body".to_owned() } else { why.to_string() };
                found.push(Difference { at: "body".to_owned(), expected: "JSON".to_owned(), got });
            }
        }
    }
    found
}

fn named(at: String, (expected, got): (String, String)) -> Difference {
    Difference { at, expected, got }
}

/// The parts of a check that do not hold, as expected and got.
fn broken(check: &Check, value: Option<&Value>, vars: &Vars) -> impl Iterator<Item = (String, String)> {
    let Check { equals, kind, matches, exists, length } = check;
    let mut found = Vec::new();
    let got = || value.map_or_else(|| "nothing".to_owned(), shown);
    if *exists == Some(false) {
        if value.is_some() {
            found.push(("nothing".to_owned(), got()));
        }
        return found.into_iter();
    }
    if *exists == Some(true) && value.is_none() {
        found.push(("a value".to_owned(), got()));
        return found.into_iter();
    }
    if let Some(wanted) = equals {
        let wanted = vars::fill_json(wanted, vars);
        if !value.is_some_and(|value| same(value, &wanted)) {
            found.push((shown(&wanted), got()));
        }
    }
    if let Some(kind) = kind
        && !value.is_some_and(|value| kind.holds(value))
    {
        found.push((format!("type {}", kind.name()), got()));
    }
    if let Some(pattern) = matches
        && !value.is_some_and(|value| matching(&filled(pattern, vars), value))
    {
        found.push((format!("match of /{}/", filled(pattern, vars)), got()));
    }
    if let Some(wanted) = length
        && value.and_then(length_of) != Some(*wanted)
    {
        let length = value.and_then(length_of).map(|length| format!("length {length}: "));
        found.push((format!("length {wanted}"), format!("{}{}", length.unwrap_or_default(), got())));
    }
    found.into_iter()
}

/// Equal as JSON, numbers by their value.
fn same(value: &Value, wanted: &Value) -> bool {
    match (value, wanted) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        (a, b) => a == b,
    }
}

/// Values go into a pattern as literal text.
fn filled(pattern: &str, vars: &Vars) -> String {
    let literal = |value: &Value| Value::String(regex::escape(&vars::plain(value)));
    vars::fill(pattern, &vars.iter().map(|(name, value)| (name.clone(), literal(value))).collect())
}

/// The parser has compiled every pattern; one that fails with its values in place matches nothing.
fn matching(pattern: &str, value: &Value) -> bool {
    Regex::new(pattern).is_ok_and(|regex| regex.is_match(&vars::plain(value)))
}

fn length_of(value: &Value) -> Option<usize> {
    match value {
        Value::String(text) => Some(text.chars().count()),
        Value::Array(items) => Some(items.len()),
        Value::Object(entries) => Some(entries.len()),
        _ => None,
    }
}

fn shown(value: &Value) -> String {
    super::show::cut(&value.to_string(), SHOWN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn response(status: u16, body: &str) -> Response {
        let headers = [("content-type".to_owned(), "application/json; charset=utf-8".to_owned())].into();
        Response { status, reason: String::new(), headers, body: body.into(), took: Duration::ZERO }
    }

    /// The differences as lines, for an `expect:` block written as in a scenario.
    fn compare(expect: &str, body: &str) -> Vec<String> {
        let indented = expect.replace('\n', "\n      ");
        let text = format!(
            "name: n\nsteps:\n  - service: s\n    request: {{ path: / }}\n    capture: {{ id: $.id }}\n  - service: s\n    request: {{ path: / }}\n    expect:\n      {indented}\n"
        );
        let scenario = super::super::parse(&text, "a.yaml").unwrap();
        let vars = Vars::from([("id".to_owned(), 7.into()), ("run".to_owned(), "a.b".into())]);
        differences(&scenario.steps[1].expect, &response(200, body), &vars)
            .into_iter()
            .map(|Difference { at, expected, got }| format!("{at}: {expected} / {got}"))
            .collect()
    }

    #[test]
    fn what_holds_makes_no_difference() {
        let expect = "status: [201, 2xx]\nheaders: { Content-Type: { matches: ^application/json } }\njson:\n  $.id: ${id}\n  $.n: 1\n  $.name: { type: string, matches: '^u-${run}$', length: 5 }\n  $.list: { length: 2, type: array }\n  $.list[-1]: { equals: { a: [1] } }\n  $.none: { exists: false }\n  $.null: { exists: true, type: 'null' }\nbody: { matches: u-a }";
        let body = r#"{"id":7,"n":1.0,"name":"u-a.b","list":[0,{"a":[1]}],"null":null}"#;
        assert_eq!(compare(expect, body), Vec::<String>::new());
    }

    #[test]
    fn every_difference_is_told() {
        let expect = "status: [201, 4xx]\nheaders: { location: { exists: true }, content-type: text/html }\njson:\n  $.id: ${id}\n  $.name: { type: integer, matches: '^u-${run}$', length: 3 }\n  $.gone: 1\n  $.there: { exists: false }";
        let body = r#"{"id":"7","name":"u-axb","there":null}"#;
        assert_eq!(
            compare(expect, body),
            [
                "status: 201 or 4xx / 200",
                "header location: a value / nothing",
                "header content-type: \"text/html\" / \"application/json; charset=utf-8\"",
                "$.id: 7 / \"7\"",
                "$.name: type integer / \"u-axb\"",
                "$.name: match of /^u-a\\.b$/ / \"u-axb\"",
                "$.name: length 3 / length 5: \"u-axb\"",
                "$.gone: 1 / nothing",
                "$.there: nothing / null",
            ]
        );
    }

    #[test]
    fn a_body_that_is_no_json_is_one_difference() {
        assert_eq!(compare("json: { $.a: 1 }", ""), ["body: JSON / an empty body"]);
        assert_eq!(compare("json: { $.a: 1 }", "<html>"), ["body: JSON / expected value at line 1 column 1"]);
    }
}
