//! What the engine says about the containers of a project; reads only, and judges only what is plain.

use crate::error::Result;
use crate::run::docker::Docker;
pub use crate::run::inspect::{Details, details};
use crate::run::labels::{Labels, Role};
use crate::run::ps;
pub use crate::run::ps::parse_ps;

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

    /// From the engine's word; what it does not say yet is a container that was made.
    pub fn parse(text: &str) -> State {
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

    /// Whether it has been started within the last minute and its check has not decided yet.
    pub fn is_starting(&self) -> bool {
        self.state == State::Running && self.check == Check::Starting && self.is_young()
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
    command.args(["--format", &ps::format()]).ask()
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
        let ports = ps::host_ports(fields.next()?);
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
