//! Checks that every `${name}` is known where it is used, before anything is sent.

use super::fields::Report;
use super::{Body, Check, Scenario, Step, vars};
use crate::error::{Failure, nearest};

/// Adds a failure for each name that no earlier step captures.
pub(super) fn check(report: &mut Report<'_>, scenario: &Scenario, text: &str) {
    let mut known = vec!["run"];
    for step in scenario.steps.iter().chain(&scenario.cleanup) {
        for name in names(step) {
            if !known.contains(&name.as_str()) {
                report.add(line_of(text, step.line, &name), unknown(&name, &known));
            }
        }
        known.extend(step.capture.iter().map(|capture| capture.name.as_str()));
    }
}

fn unknown(name: &str, known: &[&str]) -> Failure {
    let names: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
    let failure = Failure::new(format!("unknown variable `${{{name}}}`"))
        .why(format!("known at this step: {}", crate::ui::list(&names)));
    match nearest(name, known.iter().copied()) {
        Some(near) => failure.fix(format!("did you mean `${{{near}}}`?")),
        None => failure.fix(format!("capture it in an earlier step: `capture: {{ {name}: $.{name} }}`")),
    }
}

/// The first line from `start` on that uses the name.
fn line_of(text: &str, start: usize, name: &str) -> usize {
    let used = |line: &str| vars::names(line).contains(&name);
    let offset = text.lines().skip(start.saturating_sub(1)).position(used);
    start + offset.unwrap_or_default()
}

/// Every name that a step uses, once.
pub(super) fn names(step: &Step) -> Vec<String> {
    let Step { name: _, line: _, service: _, port: _, request, expect, capture: _, retry: _ } = step;
    let mut names = Vec::new();
    let mut text = |text: &str| names.extend(vars::names(text).into_iter().map(str::to_owned));
    text(&request.path);
    request.headers.iter().for_each(|(_, value)| text(value));
    if let Some(Body::Text(body)) = &request.body {
        text(body);
    }
    if let Some(Body::Json(value)) = &request.body {
        names.extend(vars::names_in(value));
    }
    let checks =
        expect.headers.iter().map(|(_, check)| check).chain(expect.json.iter().map(|(_, check)| check));
    for Check { equals, kind: _, matches, exists: _, length: _ } in checks.chain(&expect.body) {
        names.extend(equals.iter().flat_map(vars::names_in));
        names.extend(matches.iter().flat_map(|text| vars::names(text)).map(str::to_owned));
    }
    let mut seen = std::collections::BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}
