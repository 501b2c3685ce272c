//! The state of a project's containers and endpoints as one report, the one that `health` and `status` print;
//! changes nothing.

use std::time::Duration;

use serde::Serialize;

use crate::error::Result;
use crate::run::docker::Docker;
use crate::run::labels::Health;
use crate::run::probe::{self, Answer, Endpoint, Probe};
use crate::run::remote;
use crate::run::state::{self, Check, Container, Details, HostPort, State};

/// How long an endpoint may take to answer: as long as a container's own health check may.
const LIMIT: Duration = Duration::from_secs(3);

/// Everything that was seen.
#[derive(Debug, Clone)]
pub struct Seen {
    /// By service.
    pub containers: Vec<Container>,
    /// Of the containers that are not plainly well, or of all.
    pub details: Vec<Details>,
    /// In the order of the containers.
    pub answers: Vec<Answer>,
}

/// How much is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Neither inspected nor asked: what `docker ps` says.
    Listed,
    /// `docker inspect` only for containers that are not plainly well.
    Unwell,
    /// For all of them: only it knows restarts and times.
    All,
}

/// Looks at a project: one `docker ps`, then all endpoints and `docker inspect` at the same time.
///
/// # Errors
/// When the engine does not answer.
pub fn look(docker: &Docker, project: &str, depth: Depth) -> Result<Seen> {
    let containers = state::containers(docker, project)?;
    if depth == Depth::Listed {
        return Ok(Seen { containers, details: Vec::new(), answers: Vec::new() });
    }
    let endpoints = endpoints(&containers, remote::host().as_deref());
    let unclear = |container: &&Container| !container.is_well() || container.is_unproven();
    let ids = containers.iter().filter(|container| depth == Depth::All || unclear(container));
    let ids: Vec<&str> = ids.map(|container| container.id.as_str()).collect();
    let (details, answers) = std::thread::scope(|scope| {
        let answers = scope.spawn(|| probe::all(&endpoints, LIMIT));
        (state::details(docker, ids), answers.join().unwrap_or_default())
    });
    Ok(Seen { details: details?, containers, answers })
}

/// What can be asked from the host: health endpoints on published ports; without a label, a published port itself.
pub fn endpoints(containers: &[Container], remote: Option<&str>) -> Vec<Endpoint> {
    let running =
        containers.iter().filter(|container| container.state == State::Running && !container.is_one_shot());
    running.filter_map(|container| endpoint(container, remote)).collect()
}

fn endpoint(container: &Container, remote: Option<&str>) -> Option<Endpoint> {
    let main = container.labels.main.as_ref();
    let (port, probe) = match &container.labels.health {
        Some(Health::Http(port, path)) => (*port, Probe::Http(path.clone())),
        Some(Health::Tcp(port)) => (*port, Probe::Tcp),
        Some(Health::Grpc(port)) => (*port, Probe::Grpc),
        Some(Health::Command | Health::Process) | None => {
            (main.map(|main| main.port).or_else(|| Some(container.ports.first()?.container))?, Probe::Tcp)
        }
    };
    let published = container.host_port(port)?;
    let host = reachable(published, remote);
    Some(Endpoint { service: container.service.clone(), host, port: published.host, probe })
}

/// Where a published port answers, as a URL writes it.
fn reachable(port: &HostPort, remote: Option<&str>) -> String {
    let host = match (remote, port.address.as_str()) {
        (Some(remote), _) => remote,
        (None, "" | "0.0.0.0") => "127.0.0.1",
        (None, "::") => "::1",
        (None, address) => address,
    };
    if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host.to_owned() }
}

/// `http://127.0.0.1:3000` of a service's main port, or of another container port of it.
///
/// # Errors
/// With the reason in one line: no such service, it does not run, its port is not published.
pub fn base_url(
    containers: &[Container],
    service: &str,
    port: Option<u16>,
    remote: Option<&str>,
) -> Result<String, String> {
    let mut of_service = containers.iter().filter(|container| container.service == service).peekable();
    if of_service.peek().is_none() {
        let names = || containers.iter().map(|container| container.service.as_str());
        let near = crate::error::nearest(service, names()).map(|near| format!("; did you mean `{near}`?"));
        return Err(format!("there is no container of service `{service}`{}", near.unwrap_or_default()));
    }
    let Some(container) = of_service.find(|container| container.state == State::Running) else {
        return Err(format!("service `{service}` does not run"));
    };
    let labels = &container.labels;
    let port = port.or_else(|| labels.main.as_ref().map(|main| main.port));
    let published = match port {
        Some(port) => container.host_port(port),
        None => container.ports.first(),
    };
    match (published, port) {
        (Some(published), _) => Ok(format!("http://{}:{}", reachable(published, remote), published.host)),
        (None, Some(port)) => Err(format!("port {port} of service `{service}` is not published on the host")),
        (None, None) => Err(format!("service `{service}` publishes no port on the host")),
    }
}

/// What `health --json` and `status --json` print.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the names are those of the documented JSON")]
pub struct Report {
    pub version: u32,
    pub healthy: bool,
    pub containers: Vec<Row>,
    pub endpoints: Vec<Answer>,
}

/// A container in a report. The last three are for `status` only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the names are those of the documented JSON")]
pub struct Row {
    pub service: String,
    pub state: &'static str,
    pub health: &'static str,
    /// Null while it runs.
    pub exit_code: Option<i32>,
    /// Null where it was not asked for.
    pub restarts: Option<u32>,
    /// RFC 3339: when it came into its state.
    pub since: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ports: Option<Vec<Port>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
}

/// A published port in a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the names are those of the documented JSON")]
pub struct Port {
    pub container: u16,
    pub host: u16,
    pub address: String,
}

impl Seen {
    /// Whether something is there and all of it is well.
    pub fn healthy(&self) -> bool {
        !self.containers.is_empty()
            && self.containers.iter().all(|container| self.is_well(container))
            && self.answers.iter().all(|answer| answer.healthy)
    }

    /// Whether a container is well: also one without a check has to stay up.
    pub fn is_well(&self, container: &Container) -> bool {
        let restarts = || self.details_of(container).map_or(0, |details| details.restarts);
        container.is_well() && !(container.is_unproven() && restarts() > 0)
    }

    /// The services that are not well, by container or by endpoint, each once.
    pub fn unwell(&self) -> Vec<&str> {
        let containers = self.containers.iter().filter(|container| !self.is_well(container));
        let answers = self.answers.iter().filter(|answer| !answer.healthy);
        let mut names: Vec<&str> = containers
            .map(|container| container.service.as_str())
            .chain(answers.map(|answer| answer.service.as_str()))
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The containers that have ended and are not well: nothing starts them again by itself.
    pub fn ended(&self) -> impl Iterator<Item = &Container> {
        let ended = |container: &&Container| matches!(container.state, State::Exited | State::Dead);
        self.containers.iter().filter(ended).filter(|container| !container.is_well())
    }

    /// What is known about a container beyond `docker ps`.
    pub fn details_of(&self, container: &Container) -> Option<&Details> {
        self.details.iter().find(|details| details.id == container.id)
    }

    /// As JSON shows it; `full` adds ports, image and creation.
    pub fn report(&self, full: bool) -> Report {
        Report {
            version: 1,
            healthy: self.healthy(),
            containers: self.containers.iter().map(|container| self.row(container, full)).collect(),
            endpoints: self.answers.clone(),
        }
    }

    fn row(&self, container: &Container, full: bool) -> Row {
        let details = self.details_of(container);
        let ports = || container.ports.iter().map(shown_port).collect();
        Row {
            service: container.service.clone(),
            state: container.state.as_str(),
            health: health(container),
            exit_code: container.exit_code,
            restarts: details.map(|details| details.restarts),
            since: details.and_then(|details| since(container.state, details)),
            ports: full.then(ports),
            image: full.then(|| container.image.clone()),
            created: full.then(|| container.created.clone()),
        }
    }
}

fn shown_port(port: &HostPort) -> Port {
    Port { container: port.container, host: port.host, address: port.address.clone() }
}

/// The engine's word, but a one-shot that ended well is healthy.
pub fn health(container: &Container) -> &'static str {
    if container.is_one_shot() && container.is_well() {
        Check::Healthy.as_str()
    } else {
        container.check.as_str()
    }
}

fn since(state: State, details: &Details) -> Option<String> {
    let time = match state {
        State::Running | State::Paused => &details.started_at,
        State::Exited | State::Restarting | State::Dead => &details.finished_at,
        State::Created => return None,
    };
    // The engine writes year 1 for "never".
    (!time.is_empty() && !time.starts_with("0001-")).then(|| time.clone())
}

#[cfg(test)]
mod tests;
