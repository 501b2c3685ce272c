//! Every service of a running system that is not well, each with its cause, the first causes first; changes nothing.

use crate::error::{Failure, Result};
use crate::run::containers::Seen;
use crate::run::diagnose::{causes, failure, gather};
use crate::run::docker::Docker;
use crate::run::images::side_by_side;
use crate::run::remote;
use crate::run::setup::Setup;
use crate::run::spec::Spec;
use crate::run::state::{Check, Container, State};
use crate::run::wait::Cause;

/// The failures of the containers that are not well, and of those that are well and do not answer. A container that
/// was never started, as what it waits for is not well, stands in the chain of that one only.
///
/// # Errors
/// When the engine does not answer.
pub fn problems(
    docker: &Docker,
    setup: &Setup,
    spec: Option<&Spec>,
    seen: &Seen,
) -> Result<Vec<(String, Failure)>> {
    let unwell = first_causes(seen);
    let asked: Vec<&Container> = unwell.into_iter().chain(silent(seen)).collect();
    let failures = side_by_side(&asked, |container| {
        let facts = gather(docker, setup, spec, &container.service, cause(seen, container))?;
        let unknown = seen.is_well(container) && causes::known(&facts).is_none();
        let failure = if unknown { no_answer(setup, seen, container) } else { failure(&facts, None, &[]) };
        Ok((container.service.clone(), with_answers(failure, seen, container)))
    });
    failures.into_iter().collect()
}

/// The containers that are not well of themselves, those that others wait for first.
fn first_causes(seen: &Seen) -> Vec<&Container> {
    let unwell = |container: &&Container| !seen.is_well(container);
    let is_unwell = |name: &str| seen.containers.iter().any(|c| c.service == name && !seen.is_well(c));
    let waits_for_unwell =
        |container: &Container| container.depends_on.iter().any(|(name, _)| is_unwell(name));
    let mut first: Vec<&Container> = seen
        .containers
        .iter()
        .filter(unwell)
        .filter(|container| container.state != State::Created || !waits_for_unwell(container))
        .collect();
    first.sort_by_key(|container| waits_for_unwell(container));
    first
}

/// The containers that are well and whose endpoint is not.
fn silent(seen: &Seen) -> impl Iterator<Item = &Container> {
    let silent = |container: &&Container| {
        seen.is_well(container)
            && seen.answers.iter().any(|answer| answer.service == container.service && !answer.healthy)
    };
    seen.containers.iter().filter(silent)
}

fn cause(seen: &Seen, container: &Container) -> Option<Cause> {
    let details = seen.details_of(container);
    let code = container.exit_code.or(details.map(|details| details.exit_code)).unwrap_or_default();
    let restarts = details.map_or(0, |details| details.restarts);
    match container.state {
        State::Running if restarts > 0 && container.is_unproven() => Some(Cause::Loop { code, restarts }),
        State::Running if container.check == Check::Unhealthy => Some(Cause::Unhealthy),
        State::Restarting => Some(Cause::Loop { code, restarts }),
        State::Exited => Some(Cause::Exited(code)),
        State::Dead => Some(Cause::NotStarted),
        State::Created if details.is_some_and(|details| !details.error.is_empty()) => Some(Cause::NotStarted),
        State::Running | State::Created | State::Paused => None,
    }
}

fn no_answer(setup: &Setup, seen: &Seen, container: &Container) -> Failure {
    let service = &container.service;
    let failure = Failure::new(format!("`{service}` does not answer as it should"));
    let answers = seen.answers.iter().filter(|answer| &answer.service == service && !answer.healthy);
    let failure =
        answers.fold(failure, |failure, answer| failure.why(format!("{}: {}", answer.url, answer.message)));
    remote::explain(failure.fix(setup.xtask(&format!("logs {service}"))), setup, container)
}

/// What the host sees of it, where its container is not well.
fn with_answers(failure: Failure, seen: &Seen, container: &Container) -> Failure {
    if seen.is_well(container) {
        return failure;
    }
    let answers = seen.answers.iter().filter(|a| a.service == container.service && !a.healthy);
    answers.fold(failure, |failure, answer| failure.why(format!("{}: {}", answer.url, answer.message)))
}
