//! Starts the databases and brokers while the services' images are built: nothing of theirs waits for a build, and a
//! fresh one needs seconds to initialise. Starts only; whether they come up well is seen when all is started.

use crate::error::Result;
use crate::run::docker::Docker;
use crate::run::labels::Role;
use crate::run::setup::Setup;
use crate::run::spec::ServiceSpec;
use crate::run::state::{Container, State};

/// Those of the services that can start before anything is built: components that wait for nothing and do not run.
pub fn components(services: &[&ServiceSpec], containers: &[Container]) -> Vec<String> {
    let free = |service: &ServiceSpec| {
        service.role == Role::Component && service.build.is_none() && service.depends_on.is_empty()
    };
    let runs = |service: &ServiceSpec| {
        containers
            .iter()
            .any(|container| container.service == service.name && container.state == State::Running)
    };
    let ready = services.iter().filter(|service| free(service) && !runs(service));
    ready.map(|service| service.name.clone()).collect()
}

/// Starts these; whether Compose did. Where it did not, the start of everything meets the same trouble and says so.
///
/// # Errors
/// When Docker cannot be called.
pub fn start(docker: &Docker, setup: &Setup, names: &[String]) -> Result<bool> {
    if names.is_empty() {
        return Ok(false);
    }
    let command = setup.compose_with(docker, &["--ansi", "never"]);
    let command = command.args(["up", "--detach", "--no-build"]).args(names.iter().cloned());
    Ok(command.output()?.code == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::spec::Spec;

    #[test]
    fn only_what_waits_for_no_build_and_no_other_container_starts_ahead() {
        let json = r#"{"services":{
            "api":{"build":{"context":"/a"},"labels":{"xtask.role":"service"}},
            "search":{"build":{"context":"/s"},"labels":{"xtask.role":"component"}},
            "db":{"image":"postgres:17","labels":{"xtask.role":"component"}},
            "db-setup":{"image":"postgres:17","labels":{"xtask.role":"one-shot"}},
            "auth":{"image":"keycloak:26","labels":{"xtask.role":"component"},
                    "depends_on":{"db":{"condition":"service_healthy"}}}}}"#;
        let spec = Spec::parse(json, "p").unwrap();
        let services: Vec<&ServiceSpec> = spec.services.iter().collect();
        assert_eq!(components(&services, &[]), ["db"]);
    }
}
