//! Why a service did not come up, as one failure: the cause where it is known, else all that there is to see; judges
//! nothing that it cannot show.

use crate::error::{Failure, Result};
use crate::run::check_output;
use crate::run::docker::Docker;
use crate::run::setup::Setup;
use crate::run::spec::Spec;
use crate::run::state::Container;
use crate::run::wait::Cause;
use crate::ui::{count, list};

pub mod anatomy;
pub mod causes;
pub mod compose;
pub mod facts;
pub mod gather;
pub mod head;
pub mod places;
pub mod reach;
pub mod system;
pub mod words;

pub use facts::Facts;
use facts::Known;
pub use gather::gather;

/// How many of the last log lines are shown where the cause is not known.
const LOG_LINES: usize = 20;
/// How many lines of a health check's output.
const CHECK_LINES: usize = 5;

/// Gathers what is known of a service and explains it; `waited` is the time that is over, when it is.
///
/// # Errors
/// When the engine does not answer.
pub fn explain(
    docker: &Docker,
    setup: &Setup,
    spec: &Spec,
    service: &str,
    cause: Option<Cause>,
    waited: Option<&str>,
    others: &[String],
) -> Result<Failure> {
    let facts = gather(docker, setup, Some(spec), service, cause)?;
    Ok(failure(&facts, waited, others))
}

/// The screen for a service that did not come up.
pub fn failure(facts: &Facts, waited: Option<&str>, others: &[String]) -> Failure {
    match causes::known(facts) {
        Some(known) => short(facts, known, waited, others),
        None => long(facts, waited, others),
    }
}

/// A known cause: its traces are enough.
fn short(facts: &Facts, known: Known, waited: Option<&str>, others: &[String]) -> Failure {
    let Known { what, at, why, fix } = known;
    let failure = Failure::new(format!("{}: {what}", headline(facts, waited)));
    let failure = match at.as_slice() {
        [] => failure.at(facts.places.service()),
        places => places.iter().fold(failure, Failure::at),
    };
    let failure = why.iter().fold(failure, Failure::why);
    with_others(failure, facts, others).fix(fix)
}

/// The general form: code, check and log, whatever they mean.
fn long(facts: &Facts, waited: Option<&str>, others: &[String]) -> Failure {
    let mut failure = Failure::new(headline(facts, waited)).at(facts.places.service());
    if let Some(text) = facts.exit_code().and_then(|code| Some((code, meaning(code)?))) {
        failure = failure.why(format!("exit code {}: {}", text.0, text.1));
    }
    if !facts.details.error.is_empty() {
        failure = failure.why(&facts.details.error);
    }
    if let (Some(port), Some(listeners), true) = (facts.port, &facts.listeners, facts.runs())
        && listeners.is_empty()
    {
        failure = failure.why(format!("nothing listens in its container, not on port {port} either"));
    }
    // Before the log, which may be long.
    failure = with_others(with_check(failure, facts), facts, others);
    with_log(failure, facts).fix(next_command(facts, waited))
}

fn with_others(mut failure: Failure, facts: &Facts, others: &[String]) -> Failure {
    let waiting = facts::chain(&facts.system, &facts.service);
    let mut others = others.to_vec();
    if let Some(waiting) = &waiting {
        let named: Vec<&str> = waiting.split([' ', ',']).collect();
        others.retain(|other| !named.contains(&other.as_str()));
    }
    if let Some(waiting) = waiting {
        failure = failure.why(waiting);
    }
    if !others.is_empty() {
        failure = failure.why(format!("not ready either: {}", list(&others)));
    }
    failure
}

fn headline(facts: &Facts, waited: Option<&str>) -> String {
    let service = &facts.service;
    let one_shot = facts.container.as_ref().is_some_and(|container| container.is_one_shot());
    match (facts.cause, waited) {
        (Some(Cause::Exited(0)), _) => format!("`{service}` ended, though it should keep running"),
        (Some(Cause::Exited(code)), _) if one_shot => {
            format!("the one-shot `{service}` failed with exit code {code}")
        }
        (Some(Cause::Exited(code)), _) => format!("`{service}` ended with exit code {code}"),
        (Some(Cause::Unhealthy), _) => format!("`{service}` is unhealthy"),
        (Some(Cause::Refused), _) => format!("`{service}` does not get healthy"),
        (Some(Cause::Loop { code, restarts }), _) => {
            // While it runs, the engine does not tell the code that it has ended with before.
            let code = if code == 0 { String::new() } else { format!(" with exit code {code}") };
            format!("`{service}` ends{code} again and again ({})", count(restarts as usize, "restart"))
        }
        (Some(Cause::NotStarted), _) => format!("`{service}` could not be started"),
        (None, Some(waited)) if facts.container.is_none() => {
            format!("`{service}` was not even started within {waited}")
        }
        (None, Some(waited)) => format!("`{service}` is not ready after {waited}"),
        (None, None) if facts.container.as_ref().is_some_and(Container::is_well) => {
            format!("`{service}` cannot be reached")
        }
        (None, None) if facts.is_starting() => format!("`{service}` is still starting"),
        (None, None) => format!("`{service}` is not ready"),
    }
}

/// What an exit code says by convention; `None` where only the program knows.
pub fn meaning(code: i32) -> Option<&'static str> {
    Some(match code {
        125 => "Docker itself failed to run it",
        126 => "its command was found and cannot be executed (no right, or made for another processor)",
        127 => "its command was not found in the image",
        132 => "it used an instruction that this processor does not have (SIGILL)",
        134 => "it aborted itself (SIGABRT)",
        137 => "it was killed (SIGKILL): memory ran out, or it did not end when asked to",
        139 => "it read or wrote memory that is not its own (SIGSEGV)",
        143 => "it was asked to end (SIGTERM)",
        _ => return None,
    })
}

fn with_check(mut failure: Failure, facts: &Facts) -> Failure {
    let details = &facts.details;
    let Some(code) = details.check_exit_code.filter(|_| facts.runs()) else { return failure };
    if code == 0 && details.failing_streak == 0 {
        return failure;
    }
    let streak = match details.failing_streak {
        0 | 1 => String::new(),
        streak => format!(", {streak} in a row failed"),
    };
    let said = check_output::read(&details.check_output).map(|said| format!(" ({said})"));
    let said = said.unwrap_or_default();
    failure = failure.why(format!("its last health check ended with exit code {code}{said}{streak}"));
    for line in first_and_last(&details.check_output, CHECK_LINES) {
        failure = failure.why(format!("| {line}"));
    }
    failure
}

/// A program that does not like its arguments says so in the first line, a stack trace in the last one.
fn first_and_last(text: &str, count: usize) -> Vec<&str> {
    let all: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    match all.split_first() {
        Some((first, rest)) if rest.len() >= count => {
            [&[*first, "…"], &rest[rest.len() + 2 - count..]].concat()
        }
        _ => all,
    }
}

fn with_log(mut failure: Failure, facts: &Facts) -> Failure {
    if facts.container.is_none() {
        return failure;
    }
    if facts.log.is_empty() {
        return failure.why("its log is empty");
    }
    failure = failure.why("its last log lines:");
    for line in &facts.log[facts.log.len().saturating_sub(LOG_LINES)..] {
        failure = failure.why(format!("| {line}"));
    }
    failure
}

fn next_command(facts: &Facts, waited: Option<&str>) -> String {
    let (setup, service) = (&facts.setup, &facts.service);
    let Some(container) = &facts.container else { return setup.xtask("status") };
    if facts.is_starting() && waited.is_none() {
        return setup.xtask("health --wait");
    }
    match facts.cause {
        Some(Cause::Unhealthy | Cause::Refused) | None if facts.has_shell && !container.is_one_shot() => {
            setup.xtask(&format!("exec {service}"))
        }
        _ => setup.xtask(&format!("logs {service}")),
    }
}

#[cfg(test)]
pub(crate) mod tests;
