//! A server that runs and answers its health check with no, or too late.

use crate::run::check_output::Said;
use crate::run::diagnose::facts::{Facts, Known};

/// How many of the last log lines may show why a server answers 5xx.
const SHOWN: usize = 3;

/// What the last check has seen, where it is an answer.
pub fn find(facts: &Facts) -> Option<Known> {
    if facts.is_down() || facts.is_healthy() {
        return None;
    }
    let path = facts.health_path().map(|path| format!("`{path}`"));
    let path = path.unwrap_or_else(|| "what it asks for".to_owned());
    let known = match facts.check()? {
        Said::Refused => return None,
        said @ Said::Status(status) if said.is_refusal() => {
            Known::new(format!("its health check gets {status} from {path}")).fix(facts.set(
                "health",
                " to a path that it serves",
                "let the health check ask for a path that it serves, in the `healthcheck`",
            ))
        }
        Said::Status(status) if status < 400 => return None,
        Said::Status(status) => log(facts, Known::new(format!("its health check gets {status} from {path}")))
            .fix(facts.setup.xtask(&format!("logs {}", facts.service))),
        Said::Late => log(facts, Known::new(format!("its health check gets no answer in time from {path}")))
            .fix(facts.setup.xtask(&format!("logs {}", facts.service))),
    };
    // Not how often: that depends on the moment of the question.
    Some(known.at(facts.places.key(&["healthcheck"])).why("the server runs, its health check fails"))
}

/// The last lines of the log, what is said again and again once.
fn log(facts: &Facts, known: Known) -> Known {
    let mut shown: Vec<&str> = Vec::new();
    for line in facts.log.iter().rev() {
        if shown.len() < SHOWN && !shown.contains(&line.as_str()) {
            shown.push(line);
        }
    }
    shown.iter().rev().fold(known, |known, line| known.said(line))
}
