//! What the engine says about the containers of a project; reads only, and judges only what is plain.

use serde::Deserialize;

use crate::error::{Failure, Result};
use crate::run::docker::Docker;
pub use crate::run::inspect::{Details, details};
use crate::run::labels::{Labels, Role};

/// The label by which every container, network and volume of a project is found.
pub const PROJECT_LABEL: &str = "com.docker.compose.project";

/// What a container is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Made, not started yet.
    Created,
    /// Its process runs.
    Running,
    /// Its process ended and the engine starts it again.
    Restarting,
    /// Stopped in its tracks.
    Paused,
    /// Its process ended.
    Exited,
    /// It could not be started or removed.
    Dead,
}

impl State {
    /// The word that the engine uses.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Created => "created",
            State::Running => "running",
            State::Restarting => "restarting",
            State::Paused => "paused",
            State::Exited => "exited",
            State::Dead => "dead",
        }
    }

    fn parse(text: &str) -> State {
        match text {
            "running" => State::Running,
            "restarting" => State::Restarting,
            "paused" => State::Paused,
            "exited" => State::Exited,
            "dead" | "removing" => State::Dead,
            _ => State::Created,
        }
    }
}

/// What a container's health check says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// It has none.
    None,
    /// No answer that counts yet.
    Starting,
    /// Passes.
    Healthy,
    /// Failed as often as it may.
    Unhealthy,
}

impl Check {
    /// The word that the engine uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Check::None => "none",
            Check::Starting => "starting",
            Check::Healthy => "healthy",
            Check::Unhealthy => "unhealthy",
        }
    }
}

/// A port of a container that answers on the host.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostPort {
    /// The address it is bound to, without brackets.
    pub address: String,
    /// On the host.
    pub host: u16,
    /// Inside the container.
    pub container: u16,
}

/// A container as `docker ps` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// All 64 digits.
    pub id: String,
    /// The Compose service.
    pub service: String,
    /// Its name in the engine.
    pub name: String,
    /// As it was asked for.
    pub image: String,
    /// What it is doing.
    pub state: State,
    /// What its health check says.
    pub check: Check,
    /// Where it has ended.
    pub exit_code: Option<i32>,
    /// The engine's own words: `Up 3 seconds (healthy)`.
    pub status: String,
    /// TCP ports that answer on the host, IPv4 first, each pair once.
    pub ports: Vec<HostPort>,
    /// When it was made, as the engine writes it.
    pub created: String,
    /// Its labels.
    pub labels: Labels,
    /// The services it waits for, as Compose recorded them when it made the container: name and condition.
    pub depends_on: Vec<(String, String)>,
}

impl Container {
    /// Whether it is meant to end.
    pub fn is_one_shot(&self) -> bool {
        self.labels.role == Some(Role::OneShot)
    }

    /// The host port behind a container port.
    pub fn host_port(&self, container: u16) -> Option<&HostPort> {
        self.ports.iter().find(|port| port.container == container)
    }

    /// Whether its process has been running for less than a minute, as the engine's words say.
    pub fn is_young(&self) -> bool {
        self.status.starts_with("Up ") && self.status.contains("second")
    }

    /// Whether it runs, and only its restarts tell whether it will go on: it has no check, and has just been started.
    pub fn is_unproven(&self) -> bool {
        self.state == State::Running && self.check == Check::None && self.is_young()
    }

    /// Whether it runs, and nothing but that is known of it.
    pub fn is_unchecked(&self) -> bool {
        self.state == State::Running && self.check == Check::None && !self.is_one_shot()
    }

    /// Whether nothing more needs to be known: healthy, running without a check, or a one-shot that ended well.
    pub fn is_well(&self) -> bool {
        match self.state {
            State::Running => !self.is_one_shot() && matches!(self.check, Check::None | Check::Healthy),
            State::Exited => self.is_one_shot() && self.exit_code == Some(0),
            _ => false,
        }
    }
}

/// The containers of a project, running or not, in the order of their services; `docker compose run` left out.
///
/// # Errors
/// When the engine does not answer.
pub fn containers(docker: &Docker, project: &str) -> Result<Vec<Container>> {
    parse_ps(&ps(docker, project, &["--filter", "label=com.docker.compose.oneoff=False"])?)
}

/// As [`containers`], with those of `docker compose run`.
///
/// # Errors
/// When the engine does not answer.
pub fn all_containers(docker: &Docker, project: &str) -> Result<Vec<Container>> {
    parse_ps(&ps(docker, project, &[])?)
}

fn ps(docker: &Docker, project: &str, filters: &[&str]) -> Result<String> {
    let filter = format!("label={PROJECT_LABEL}={project}");
    let command =
        docker.command(["ps", "--all", "--no-trunc", "--filter", &filter]).args(filters.iter().copied());
    command.args(["--format", &ps_format()]).ask()
}

/// A template instead of `json`: labels come one by one, so that a comma in a value cannot hide the next one.
fn ps_format() -> String {
    let label = |name: &str| format!("{{{{json (.Label \"{name}\")}}}}");
    let field = |name: &str| format!("{{{{json .{name}}}}}");
    let fields = [
        ("id", field("ID")),
        ("name", field("Names")),
        ("image", field("Image")),
        ("state", field("State")),
        ("status", field("Status")),
        ("ports", field("Ports")),
        ("created", field("CreatedAt")),
        ("service", label("com.docker.compose.service")),
        ("depends_on", label("com.docker.compose.depends_on")),
        ("role", label("xtask.role")),
        ("kind", label("xtask.kind")),
        ("main", label("xtask.main")),
        ("health", label("xtask.health")),
    ];
    let fields: Vec<String> = fields.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
    format!("{{{}}}", fields.join(","))
}

/// A container of any project that holds host ports.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Publisher {
    /// Its name in the engine.
    pub name: String,
    /// Its Compose project; empty for a container started by hand.
    pub project: String,
    /// TCP ports on the host.
    pub ports: Vec<HostPort>,
}

/// All running containers of this engine that hold host ports.
///
/// # Errors
/// When the engine does not answer.
pub fn publishers(docker: &Docker) -> Result<Vec<Publisher>> {
    let format = format!("{{{{.Names}}}}\t{{{{.Label \"{PROJECT_LABEL}\"}}}}\t{{{{.Ports}}}}");
    let text = docker.command(["ps", "--no-trunc", "--format", &format]).ask()?;
    let publishers = text.lines().filter_map(|line| {
        let mut fields = line.splitn(3, '\t');
        let (name, project) = (fields.next()?.to_owned(), fields.next()?.to_owned());
        let ports = host_ports(fields.next()?);
        (!ports.is_empty()).then_some(Publisher { name, project, ports })
    });
    Ok(publishers.collect())
}

/// The names of the project's volumes.
///
/// # Errors
/// When the engine does not answer.
pub fn volumes(docker: &Docker, project: &str) -> Result<Vec<String>> {
    let filter = format!("label={PROJECT_LABEL}={project}");
    let text = docker.command(["volume", "ls", "--quiet", "--filter", &filter]).ask()?;
    Ok(text.lines().map(str::to_owned).collect())
}

/// A volume of the project and how much it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// Its name in the engine.
    pub name: String,
    /// As Docker writes it: `47.2MB`; `size unknown` where it does not say.
    pub size: String,
}

/// The project's volumes with their sizes.
///
/// # Errors
/// When the engine does not answer.
pub fn volumes_with_sizes(docker: &Docker, project: &str) -> Result<Vec<Volume>> {
    let names = volumes(docker, project)?;
    if names.is_empty() {
        return Ok(Vec::new());
    }
    // Measuring walks the volumes, which may take long; the sizes are not worth more than this.
    let format = "{{range .Volumes}}{{.Name}}\t{{.Size}}\n{{end}}";
    let command = docker.command(["system", "df", "--verbose", "--format", format]);
    let sizes = command.output_within(std::time::Duration::from_secs(20))?.unwrap_or_default().stdout;
    let size =
        |name: &str| sizes.lines().find_map(|line| line.split_once('\t').filter(|(own, _)| *own == name));
    let volume = |name: String| {
        let size = size(&name).map_or("size unknown", |(_, size)| size).to_owned();
        Volume { name, size }
    };
    Ok(names.into_iter().map(volume).collect())
}

/// The names of the project's networks.
///
/// # Errors
/// When the engine does not answer.
pub fn networks(docker: &Docker, project: &str) -> Result<Vec<String>> {
    let filter = format!("label={PROJECT_LABEL}={project}");
    let text = docker.command(["network", "ls", "--filter", &filter, "--format", "{{.Name}}"]).ask()?;
    Ok(text.lines().map(str::to_owned).collect())
}

#[derive(Deserialize)]
struct PsLine {
    id: String,
    name: String,
    image: String,
    state: String,
    status: String,
    ports: String,
    created: String,
    service: String,
    depends_on: String,
    role: String,
    kind: String,
    main: String,
    health: String,
}

/// Reads one JSON object a line, as [`containers`] asks for it.
///
/// # Errors
/// When a line is something else.
pub fn parse_ps(text: &str) -> Result<Vec<Container>> {
    let mut containers = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let line: PsLine = serde_json::from_str(line)
            .map_err(|why| Failure::new("cannot understand what `docker ps` prints").why(why).why(line))?;
        containers.push(container(line));
    }
    mark_one_shots(&mut containers);
    containers.sort_by(|a, b| (&a.service, &a.name).cmp(&(&b.service, &b.name)));
    Ok(containers)
}

/// Without a label, a container is a one-shot when another one waits for its end.
fn mark_one_shots(containers: &mut [Container]) {
    let waited_for: Vec<String> = containers
        .iter()
        .flat_map(|container| &container.depends_on)
        .filter(|(_, condition)| condition == "service_completed_successfully")
        .map(|(name, _)| name.clone())
        .collect();
    for container in containers {
        if container.labels.role.is_none() && waited_for.contains(&container.service) {
            container.labels.role = Some(Role::OneShot);
        }
    }
}

fn container(line: PsLine) -> Container {
    let labels = Labels::read(|name| match name {
        "xtask.role" => Some(line.role.as_str()),
        "xtask.kind" => Some(line.kind.as_str()),
        "xtask.main" => Some(line.main.as_str()),
        "xtask.health" => Some(line.health.as_str()),
        _ => None,
    });
    Container {
        labels,
        state: State::parse(&line.state),
        check: check(&line.status),
        exit_code: exit_code(&line.status),
        ports: host_ports(&line.ports),
        depends_on: depends_on(&line.depends_on),
        id: line.id,
        service: line.service,
        name: line.name,
        image: line.image,
        status: line.status,
        created: line.created,
    }
}

/// From `Up 3 seconds (healthy)`.
fn check(status: &str) -> Check {
    if status.ends_with("(healthy)") {
        Check::Healthy
    } else if status.ends_with("(unhealthy)") {
        Check::Unhealthy
    } else if status.contains("(health: starting)") {
        Check::Starting
    } else {
        Check::None
    }
}

/// From `Exited (137) 2 seconds ago` and `Restarting (1) 3 seconds ago`.
fn exit_code(status: &str) -> Option<i32> {
    let rest = status.strip_prefix("Exited (").or_else(|| status.strip_prefix("Restarting ("))?;
    rest.split_once(')')?.0.parse().ok()
}

/// From `127.0.0.1:13000->3000/tcp, [::]:80->80/tcp, 9000-9001/tcp`; ranges are spread out.
fn host_ports(text: &str) -> Vec<HostPort> {
    let mut ports = Vec::new();
    for part in text.split(", ") {
        let Some((host, container)) = part.split_once("->") else { continue };
        let Some(container) = container.strip_suffix("/tcp") else { continue };
        let Some((address, host)) = host.rsplit_once(':') else { continue };
        let (Some(host), Some(container)) = (range(host), range(container)) else { continue };
        let address = address.trim_matches(['[', ']']);
        for (host, container) in host.zip(container) {
            ports.push(HostPort { address: address.to_owned(), host, container });
        }
    }
    ports.sort_by_key(|port| (port.container, port.address.contains(':'), port.host));
    ports.dedup_by_key(|port| (port.container, port.host));
    ports
}

fn range(text: &str) -> Option<std::ops::RangeInclusive<u16>> {
    match text.split_once('-') {
        Some((first, last)) => Some(first.parse().ok()?..=last.parse().ok()?),
        None => text.parse().ok().map(|port| port..=port),
    }
}

/// From `postgres:service_healthy:false,seed:service_completed_successfully:false`.
fn depends_on(label: &str) -> Vec<(String, String)> {
    let entries = label.split(',').filter_map(|entry| entry.split_once(':'));
    entries
        .map(|(name, rest)| (name.to_owned(), rest.split(':').next().unwrap_or_default().to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PS: &str = r#"{"id":"a1","name":"p-web-1","image":"p-web","state":"running","status":"Up 3 seconds (health: starting)","ports":"127.0.0.1:13001->3000/tcp, 9000/tcp","created":"2026-11-22 20:48:06 +0000 UTC","service":"web","depends_on":"api:service_healthy:false,seed:service_completed_successfully:true","role":"service","kind":"worker","main":"http 3000","health":"http 3000 /health"}
{"id":"b2","name":"p-seed-1","image":"postgres:17","state":"exited","status":"Exited (0) 2 seconds ago","ports":"","created":"","service":"seed","depends_on":"","role":"one-shot","kind":"setup","main":"","health":""}
"#;

    #[test]
    fn containers_are_read_from_ps() {
        let all = parse_ps(PS).unwrap();
        assert_eq!(all.iter().map(|c| c.service.as_str()).collect::<Vec<_>>(), ["seed", "web"]);
        let (seed, web) = (&all[0], &all[1]);
        assert_eq!((seed.state, seed.exit_code, seed.is_well()), (State::Exited, Some(0), true));
        assert_eq!((web.state, web.check, web.is_well()), (State::Running, Check::Starting, false));
        assert_eq!(web.host_port(3000).map(|port| port.host), Some(13001));
        assert_eq!(web.labels.kind, "worker");
        assert_eq!(
            web.depends_on,
            [("api", "service_healthy"), ("seed", "service_completed_successfully")]
                .map(|(a, b)| (a.into(), b.into()))
        );
    }

    #[test]
    fn a_container_whose_end_is_waited_for_is_a_one_shot_without_a_label() {
        let all = parse_ps(&PS.replace("\"role\":\"one-shot\"", "\"role\":\"\"")).unwrap();
        assert_eq!(all.iter().map(Container::is_one_shot).collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn published_ports_are_read_in_every_form() {
        let port = |address: &str, host, container| HostPort { address: address.to_owned(), host, container };
        assert_eq!(
            host_ports(
                "0.0.0.0:80->80/tcp, :::80->80/tcp, 127.0.0.1:7000-7001->9000-9001/tcp, 53/udp, 0.0.0.0:53->53/udp"
            ),
            [port("0.0.0.0", 80, 80), port("127.0.0.1", 7000, 9000), port("127.0.0.1", 7001, 9001)]
        );
        assert_eq!(host_ports("[::1]:8080->80/tcp"), [port("::1", 8080, 80)]);
        assert_eq!(host_ports(""), []);
    }

    #[test]
    fn status_text_gives_check_and_exit_code() {
        assert_eq!(check("Up 2 minutes (unhealthy)"), Check::Unhealthy);
        assert_eq!(check("Up 2 minutes"), Check::None);
        assert_eq!(exit_code("Restarting (137) 1 second ago"), Some(137));
        assert_eq!(exit_code("Up 1 second"), None);
    }

    #[test]
    fn foreign_output_is_an_error_and_not_an_empty_list() {
        assert!(parse_ps("Cannot connect").is_err());
    }
}
