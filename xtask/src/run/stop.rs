//! Stops and removes what belongs to a project, found by its label; never touches a volume with a name.
//!
//! Not through `docker compose down`: without its files it refuses a project of which a service was left out.

use crate::error::Result;
use crate::run::docker::Docker;
use crate::run::labels::Role;
use crate::run::spec::ServiceSpec;
use crate::run::state::{self, Container, State};

/// How many containers and networks were removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Removed {
    /// Containers.
    pub containers: usize,
    /// Networks.
    pub networks: usize,
}

/// Removes all containers and networks of the project.
///
/// # Errors
/// When the engine does not answer or refuses.
pub fn project(docker: &Docker, project: &str) -> Result<Removed> {
    let containers = state::all_containers(docker, project)?;
    remove(docker, &containers)?;
    let networks = state::networks(docker, project)?;
    if !networks.is_empty() {
        docker.command(["network", "rm"]).args(networks.iter().cloned()).read()?;
    }
    Ok(Removed { containers: containers.len(), networks: networks.len() })
}

/// Stops these containers, those that others wait for last, and removes them.
///
/// # Errors
/// When the engine does not answer or refuses.
pub fn remove(docker: &Docker, containers: &[Container]) -> Result<()> {
    let (first, last) = waves(containers);
    for wave in [first, last] {
        if !wave.is_empty() {
            docker.command(["stop"]).args(wave).read()?;
        }
    }
    let (migrations, others): (Vec<&Container>, Vec<&Container>) =
        containers.iter().partition(|container| is_migration(container));
    for (options, containers) in
        [(&["rm", "--force"][..], others), (&["rm", "--force", "--volumes"], migrations)]
    {
        if !containers.is_empty() {
            let ids = containers.iter().map(|container| container.id.clone());
            docker.command(options.iter().copied()).args(ids).read()?;
        }
    }
    Ok(())
}

/// Removes the containers of migrations that have ended, of these services: a start makes them anew. Compose would give
/// the new ones the anonymous volumes of the old ones, and where an image has declared a volume over its code, that
/// would be the code of an older image.
///
/// # Errors
/// When the engine does not answer or refuses.
pub fn forget_migrations(docker: &Docker, services: &[&ServiceSpec], containers: &[Container]) -> Result<()> {
    let is_ours = |container: &&Container| {
        let is_built = |service: &&ServiceSpec| service.name == container.service && service.build.is_some();
        is_migration(container) && container.state == State::Exited && services.iter().any(is_built)
    };
    let ended: Vec<String> =
        containers.iter().filter(is_ours).map(|container| container.id.clone()).collect();
    if !ended.is_empty() {
        docker.command(["rm", "--volumes"]).args(ended).read()?;
    }
    Ok(())
}

/// Whether all that a container has in anonymous volumes came with its image: its code, and nobody's data.
fn is_migration(container: &Container) -> bool {
    container.labels.role == Some(Role::OneShot) && container.labels.kind == "migrate"
}

/// A database that goes before its clients makes them log errors, and maybe fail, on the way out.
fn waves(containers: &[Container]) -> (Vec<String>, Vec<String>) {
    let alive =
        containers.iter().filter(|container| !matches!(container.state, State::Exited | State::Created));
    let waited_for = |container: &Container| match container.labels.role {
        Some(role) => role == Role::Component,
        None => {
            containers.iter().any(|other| other.depends_on.iter().any(|(name, _)| *name == container.service))
        }
    };
    let (last, first): (Vec<&Container>, Vec<&Container>) =
        alive.partition(|container| waited_for(container));
    let ids = |wave: Vec<&Container>| wave.into_iter().map(|container| container.id.clone()).collect();
    (ids(first), ids(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wait_for_is_stopped_last_and_what_has_ended_not_at_all() {
        let line = |id: &str, state: &str, depends_on: &str, role: &str| {
            format!(
                r#"{{"id":"{id}","name":"","image":"","state":"{state}","status":"","ports":"","created":"","service":"{id}","depends_on":"{depends_on}","role":"{role}","kind":"","main":"","health":""}}"#
            )
        };
        let ps = [
            line("api", "running", "db:service_healthy:false", ""),
            line("cache", "running", "", "component"),
            line("db", "running", "", ""),
            line("setup", "exited", "", "one-shot"),
        ];
        let (first, last) = waves(&state::parse_ps(&ps.join("\n")).unwrap());
        assert_eq!((first, last), (vec!["api".to_owned()], vec!["cache".to_owned(), "db".to_owned()]));
    }
}
