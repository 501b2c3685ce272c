//! Whether what has become healthy can be reached by others: a health check inside of a container does not see that
//! its server listens for itself alone. Connects to nothing.

use crate::error::{Failures, Result};
use crate::run::diagnose::causes::listener::only_inside;
use crate::run::diagnose::gather::{helper, port};
use crate::run::diagnose::{failure, gather};
use crate::run::docker::Docker;
use crate::run::labels::Role;
use crate::run::listeners;
use crate::run::setup::Setup;
use crate::run::spec::Spec;
use crate::run::state::{Container, State};

/// Looks at the services that somebody should reach: from the host, or from another service.
///
/// # Errors
/// When one listens inside of its container only, with all such; or when the engine does not answer.
pub fn check(
    docker: &Docker,
    setup: &Setup,
    spec: &Spec,
    services: &[String],
    containers: &[Container],
) -> Result<()> {
    let started = containers.iter().filter(|container| services.contains(&container.service));
    let asked: Vec<(&Container, u16)> =
        started.filter_map(|container| Some((container, expected(spec, container)?))).collect();
    let ids: Vec<&str> = asked.iter().map(|(container, _)| container.id.as_str()).collect();
    let found = listeners::of(docker, &ids, helper(Some(spec)).as_deref())?;
    let mut failures = Vec::new();
    for ((container, port), listeners) in asked.iter().zip(found) {
        if listeners.is_some_and(|listeners| only_inside(*port, &listeners).is_some()) {
            let facts = gather(docker, setup, Some(spec), &container.service, None)?;
            failures.push(failure(&facts, None, &[]));
        }
    }
    match failures.len() {
        1 => Err(failures.remove(0).into()),
        _ => Failures::check(failures, "everything else runs"),
    }
}

/// The port on which others expect a service of the monorepo.
fn expected(spec: &Spec, container: &Container) -> Option<u16> {
    let service = spec.service(&container.service)?;
    let wanted = !service.ports.is_empty() || !spec.dependants(&service.name).is_empty();
    let concerned = service.role == Role::Service && container.state == State::Running && wanted;
    concerned.then(|| port(Some(spec), &service.name, Some(container))).flatten()
}
