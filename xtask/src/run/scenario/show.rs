//! A failed step as text: request, response and difference, cut to a sensible length, secrets masked.

use std::fmt::Write;

use serde_json::Value;

use super::play::{Fault, PlayedStep};
use super::vars::{self, Vars};
use crate::run::http;

/// How much of a body is shown.
const BODY: usize = 1000;
const MASK: &str = "***";
/// Shorter values are words that stand everywhere.
const SHORTEST_SECRET: usize = 4;
/// Response headers that explain an answer.
const TELLING: [&str; 5] = ["content-type", "location", "retry-after", "www-authenticate", "allow"];

/// What failed, for the screen and for reports; the first line names the step.
pub fn explain(scenario: &str, file: &str, step: &PlayedStep, fault: &Fault) -> String {
    let secrets = secrets(fault);
    let mut text = format!("`{}` failed in scenario `{scenario}`\n  at {file}:{}", step.name, step.line);
    if step.tries > 1 {
        let _ = write!(text, "\n  after {} in {:.1}s", tries(step.tries), step.took.as_secs_f64());
    }
    if let Some(request) = &fault.request {
        let _ = write!(text, "\n  request:  {} {}", request.method, masked(&request.url, &secrets));
        let headers = request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        block(&mut text, headers, request.body.as_deref().unwrap_or_default(), &secrets);
    }
    if let Some(response) = &fault.response {
        let status = format!("{} {}", response.status, response.reason);
        let _ = write!(text, "\n  response: {} in {} ms", status.trim_end(), response.took.as_millis());
        let telling =
            |name: &str| TELLING.contains(&name) || fault.headers.iter().any(|header| header == name);
        let headers = response.headers.iter().filter(|(name, _)| telling(name));
        let headers = headers.map(|(name, value)| (name.as_str(), value.as_str()));
        block(&mut text, headers, &response.body, &secrets);
    }
    if let Some(cause) = &fault.cause {
        let _ = write!(text, "\n  why: {}", masked(cause, &secrets));
    }
    for difference in &fault.differences {
        let (expected, got) = (masked(&difference.expected, &secrets), masked(&difference.got, &secrets));
        let _ = write!(text, "\n  {}\n    expected {expected}\n    got      {got}", difference.at);
    }
    for (service, lines) in fault.logs.iter().filter(|(_, lines)| !lines.is_empty()) {
        let _ = write!(text, "\n  {service} said meanwhile:");
        for line in lines {
            let _ = write!(text, "\n    {}", masked(&cut(line, 300), &secrets));
        }
    }
    text
}

fn tries(count: u32) -> String {
    if count == 1 { "1 try".to_owned() } else { format!("{count} tries") }
}

/// Headers and body under a request or response line.
fn block<'h>(
    text: &mut String,
    headers: impl Iterator<Item = (&'h str, &'h str)>,
    body: &[u8],
    secrets: &[String],
) {
    for (name, value) in headers {
        let value = if is_secret(name) { MASK.to_owned() } else { masked(value, secrets) };
        let _ = write!(text, "\n            {}: {value}", name.to_lowercase());
    }
    let body = String::from_utf8_lossy(body);
    for line in cut(&masked(body.trim_end(), secrets), BODY).lines() {
        let _ = write!(text, "\n            {line}");
    }
}

/// The first characters, and how many there are in all where that is more.
pub(super) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}… ({} characters)", &text[..end], text.chars().count()),
        None => text.to_owned(),
    }
}

/// Whether a header, key or capture of this name holds something that does not belong on a screen or in a report.
fn is_secret(name: &str) -> bool {
    let name = name.to_lowercase().replace(['-', '_'], "");
    ["password", "passwd", "secret", "token", "apikey", "authorization", "cookie", "credential", "privatekey"]
        .iter()
        .any(|word| name.contains(word))
}

/// The captured values whose names are secret ones.
pub(super) fn secret_values(vars: &Vars) -> Vec<String> {
    vars.iter().filter(|(name, _)| is_secret(name)).map(|(_, value)| vars::plain(value)).collect()
}

/// Everything to mask in one failure: captures, and what stands under secret names in both bodies. Longest first,
/// so that no part of a longer one is left.
fn secrets(fault: &Fault) -> Vec<String> {
    let mut secrets = fault.secrets.clone();
    let request = fault.request.as_ref().and_then(|http::Request { body, .. }| body.as_deref());
    let response = fault.response.as_ref().map(|http::Response { body, .. }| body.as_slice());
    for body in [request, response].into_iter().flatten() {
        if let Ok(value) = serde_json::from_slice(body) {
            collect(&value, false, &mut secrets);
        }
    }
    secrets.retain(|secret| secret.chars().count() >= SHORTEST_SECRET);
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets.dedup();
    secrets
}

fn collect(value: &Value, secret: bool, secrets: &mut Vec<String>) {
    match value {
        Value::String(text) if secret => secrets.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, secret, secrets)),
        Value::Object(entries) => {
            entries.iter().for_each(|(key, value)| collect(value, secret || is_secret(key), secrets));
        }
        _ => {}
    }
}

fn masked(text: &str, secrets: &[String]) -> String {
    secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), MASK))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_recognised() {
        for name in ["Authorization", "api_key", "X-Api-Key", "accessToken", "db_password", "Set-Cookie"] {
            assert!(is_secret(name), "{name}");
        }
        for name in ["id", "key", "email", "content-type"] {
            assert!(!is_secret(name), "{name}");
        }
    }

    #[test]
    fn long_texts_are_cut_with_their_length() {
        assert_eq!(cut("äöü", 2), "äö… (3 characters)");
        assert_eq!(cut("äöü", 3), "äöü");
    }
}
