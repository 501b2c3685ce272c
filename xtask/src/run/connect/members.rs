//! The containers of the system as the network tests need them: environment and addresses; changes nothing.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::error::{Failure, Result};
use crate::run::docker::Docker;
use crate::run::labels::Health;
use crate::run::relay;
use crate::run::state::{Container, State};

/// A container of a service, the running one where there are several.
#[derive(Debug, Clone, Default)]
pub(super) struct Member {
    pub(super) id: String,
    pub(super) service: String,
    pub(super) image: String,
    pub(super) running: bool,
    /// It only stands in for a service that runs on the host.
    pub(super) on_host: bool,
    /// As its process got it.
    pub(super) environment: BTreeMap<String, String>,
    /// In the networks that it joined.
    pub(super) addresses: Vec<String>,
    /// What its labels say that it listens on.
    pub(super) port: Option<u16>,
    /// The port and the path of its health endpoint.
    pub(super) health: Option<(u16, String)>,
}

#[derive(Deserialize)]
struct Inspected {
    id: String,
    env: Option<Vec<String>>,
    networks: Option<BTreeMap<String, InspectedNetwork>>,
}

#[derive(Deserialize)]
struct InspectedNetwork {
    #[serde(default, rename = "IPAddress")]
    address: String,
}

const FORMAT: &str =
    r#"{"id":{{json .Id}},"env":{{json .Config.Env}},"networks":{{json .NetworkSettings.Networks}}}"#;

/// Looks at the containers, once, in the order of their services.
///
/// # Errors
/// When the engine does not answer.
pub(super) fn members(docker: &Docker, containers: &[Container]) -> Result<Vec<Member>> {
    let mut chosen: BTreeMap<&str, &Container> = BTreeMap::new();
    for container in containers {
        let known = chosen.entry(&container.service).or_insert(container);
        if known.state != State::Running {
            *known = container;
        }
    }
    let ids = chosen.values().map(|container| container.id.as_str());
    let command = docker.command(["inspect", "--type", "container", "--format", FORMAT]).args(ids);
    let inspected = parse(&command.ask()?)?;
    let member =
        |container: &&Container| member(container, inspected.iter().find(|one| one.id == container.id));
    Ok(chosen.values().map(member).collect())
}

fn parse(lines: &str) -> Result<Vec<Inspected>> {
    let read = |line| {
        serde_json::from_str(line)
            .map_err(|why| Failure::new("cannot understand what `docker inspect` prints").why(why).into())
    };
    lines.lines().map(read).collect()
}

fn member(container: &Container, inspected: Option<&Inspected>) -> Member {
    let labels = &container.labels;
    let environment = inspected.and_then(|one| one.env.as_ref()).into_iter().flatten();
    let networks = inspected.and_then(|one| one.networks.as_ref()).into_iter().flat_map(BTreeMap::values);
    let (port, health) = match &labels.health {
        Some(Health::Http(port, path)) => (Some(*port), Some((*port, path.clone()))),
        Some(Health::Tcp(port) | Health::Grpc(port)) => (Some(*port), None),
        Some(Health::Command | Health::Process) | None => (None, None),
    };
    Member {
        id: container.id.clone(),
        service: container.service.clone(),
        image: container.image.clone(),
        running: container.state == State::Running,
        on_host: labels.kind == relay::KIND,
        environment: environment
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        addresses: networks
            .map(|network| network.address.clone())
            .filter(|address| !address.is_empty())
            .collect(),
        port: labels.main.as_ref().map(|main| main.port).or(port),
        health,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::state::parse_ps;

    #[test]
    fn environment_addresses_and_ports_are_joined() {
        let ps = r#"{"id":"a1","name":"p-api-1","image":"p-api","state":"running","status":"Up","ports":"","created":"","service":"api","depends_on":"","role":"service","kind":"service","main":"http 80","health":"http 81 /up"}"#;
        let containers = parse_ps(ps).unwrap();
        let inspected = parse(
            r#"{"id":"a1","env":["A=b=c","EMPTY="],"networks":{"n":{"IPAddress":"172.18.0.2"},"gone":{"IPAddress":""}}}"#,
        )
        .unwrap();
        let member = member(&containers[0], inspected.first());
        assert_eq!(member.environment["A"], "b=c");
        assert_eq!(member.addresses, ["172.18.0.2"]);
        assert_eq!((member.port, member.health), (Some(80), Some((81, "/up".to_owned()))));
    }
}
