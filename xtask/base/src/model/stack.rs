//! The decided system, ready to be written down; holds no rules and no YAML.

use super::fact::ApiDocument;
use super::inventory::Inventory;
use super::path::RepoPath;

/// Everything that the renderers need.
#[derive(Debug, Clone)]
pub struct Stack {
    /// The Compose project's name, valid for Compose.
    pub name: String,
    /// Services, components and one-shots, in the order of the file: components, one-shots, services.
    pub containers: Vec<Container>,
    /// In the order of the file.
    pub networks: Vec<Network>,
    /// Named volumes in the order of the file.
    pub volumes: Vec<String>,
    /// What stands in `.env.example`, grouped in this order.
    pub variables: Vec<VariableGroup>,
    /// `init-scripts/<engine>/…`, and scenarios that stand elsewhere in the monorepo: name in the setup and text.
    pub scripts: Vec<(String, String)>,
    /// Whether a service's own database takes seed files.
    pub takes_seeds: bool,
    /// Of services that the host can reach.
    pub apis: Vec<ApiDocument>,
    /// Default for BIND_ADDR.
    pub bind: String,
    /// Edges left out of `depends_on` because they close a cycle: from, to.
    pub broken_edges: Vec<(String, String)>,
    /// Connections that leave the monorepo.
    pub external: Vec<External>,
    /// For `tests/connectivity.yaml`.
    pub connectivity: Connectivity,
    /// For `state.yaml`.
    pub assignments: Assignments,
    /// What `inventory`, `explain`, the README and the report show.
    pub inventory: Inventory,
}

/// What a container is for; travels as the label `xtask.role`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ContainerRole {
    /// An image that others are built from: there is never a container of it.
    Base,
    /// A database, queue or the like.
    Component,
    /// Ends with exit code 0 and is waited for.
    OneShot,
    /// A service of the monorepo.
    Service,
}

/// One entry below `services:`.
#[derive(Debug, Clone)]
pub struct Container {
    /// The Compose service name.
    pub name: String,
    /// What it is for.
    pub role: ContainerRole,
    /// Component kind (`postgres`), one-shot kind (`setup`, `probe`, `migrate`) or service role (`service`, `worker`).
    pub kind: String,
    /// To pull, or the name to give what is built; `None` lets Compose name it.
    pub image: Option<String>,
    /// To build.
    pub build: Option<ContainerBuild>,
    /// Overrides ENTRYPOINT.
    pub entrypoint: Option<Vec<String>>,
    /// Overrides CMD.
    pub command: Option<Vec<String>>,
    /// `user:`.
    pub user: Option<String>,
    /// `working_dir:`, where it is not the image's.
    pub working_dir: Option<String>,
    /// Name and value as Compose interpolates it: `postgresql://trading:${TRADING_DB_PASSWORD:?…}@postgres:5432/trading`.
    pub environment: Vec<(String, String)>,
    /// Published in the base file.
    pub ports: Vec<Published>,
    /// Published in the override file only (databases).
    pub local_ports: Vec<Published>,
    /// Mounts.
    pub volumes: Vec<Mount>,
    /// Folders on tmpfs.
    pub tmpfs: Vec<String>,
    /// Names of [`Stack::networks`] with the aliases it has there.
    pub networks: Vec<(String, Vec<String>)>,
    /// In stable order.
    pub depends_on: Vec<Dependency>,
    /// How Compose sees readiness.
    pub health_check: Option<HealthCheck>,
    /// `init: true`.
    pub init: bool,
    /// `restart:`; `None` leaves Docker's `no`.
    pub restart: Option<&'static str>,
    /// `stop_grace_period:`.
    pub stop_grace_period: Option<&'static str>,
    /// `extra_hosts:`.
    pub extra_hosts: Vec<String>,
    /// `xtask.…` labels for the commands, in stable order.
    pub labels: Vec<(String, String)>,
    /// What differs in the test environment.
    pub in_tests: InTests,
    /// What `up --watch` does when files change; in the override file only.
    pub reload: Option<HotReload>,
}

/// How changed files reach a running container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HotReload {
    /// By path; each path once.
    pub rules: Vec<Reload>,
    /// Why it is so, for people.
    pub why: String,
}

/// A rule of `develop.watch`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reload {
    /// A file, or a folder with everything below it.
    pub path: RepoPath,
    /// What a change leads to.
    pub action: ReloadAction,
    /// Patterns below the path of what changes without being part of the program.
    pub ignore: Vec<String>,
}

/// What a changed file leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReloadAction {
    /// The image is built anew, and a container of it takes the place of the old one.
    Rebuild,
    /// It is copied to `target`; what runs there sees it by itself.
    Sync {
        /// Absolute, in the container.
        target: String,
    },
    /// It is copied to `target`, and the container restarts.
    SyncRestart {
        /// Absolute, in the container.
        target: String,
    },
}

/// What the test environment does differently, so that it runs beside others and forgets its data.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InTests {
    /// Folders on tmpfs instead of the named volumes that [`Container::volumes`] mounts there.
    pub tmpfs: Vec<String>,
    /// Container ports that are published on free ports of the host.
    pub ports: Vec<u16>,
}

/// `build:` of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerBuild {
    /// Relative to the root.
    pub context: RepoPath,
    /// Relative to the root.
    pub dockerfile: RepoPath,
    /// The stage.
    pub target: Option<String>,
    /// In stable order.
    pub args: Vec<(String, String)>,
    /// What FROM names and another service of the file builds, and that service; in stable order.
    pub contexts: Vec<(String, String)>,
    /// Names that the image has beside its own.
    pub tags: Vec<String>,
}

/// `${BIND_ADDR:-127.0.0.1}:${TRADING_PORT:-3000}:3000`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// `TRADING_PORT`.
    pub variable: String,
    /// The default on the host.
    pub host: u16,
    /// Inside the container.
    pub container: u16,
}

/// A mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mount {
    /// A named volume.
    Volume {
        /// One of [`Stack::volumes`].
        name: String,
        /// Inside the container.
        target: String,
        /// `:ro`.
        read_only: bool,
    },
    /// A file or folder of the setup, read-only.
    Setup {
        /// Relative to `integration/`.
        source: String,
        /// Inside the container.
        target: String,
    },
    /// A file or folder of the monorepo, read-only.
    Repo {
        /// Relative to the root.
        source: RepoPath,
        /// Inside the container.
        target: String,
    },
}

/// An entry of `depends_on`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// A container's name.
    pub target: String,
    /// What to wait for.
    pub condition: Condition,
}

/// `condition:` of `depends_on`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// `service_started`.
    Started,
    /// `service_healthy`.
    Healthy,
    /// `service_completed_successfully`.
    Completed,
}

/// `healthcheck:`; times as Compose writes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthCheck {
    /// `["CMD", …]`; empty where the image's own is kept, `["NONE"]` where that is switched off.
    pub test: Vec<String>,
    /// Between checks once healthy.
    pub interval: String,
    /// For one check.
    pub timeout: String,
    /// Failures until unhealthy.
    pub retries: u32,
    /// Failures in this time do not count.
    pub start_period: String,
    /// Between checks until healthy; `None` where a check costs too much.
    pub start_interval: Option<String>,
}

/// A network and why it exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// `services`, or after the components on it.
    pub name: String,
}

/// Variables that belong together in `.env.example`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariableGroup {
    /// A service, a component, or `general`.
    pub title: String,
    /// In stable order.
    pub variables: Vec<Variable>,
}

/// A line of `.env.example`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// `<SERVICE>_<NAME>`.
    pub name: String,
    /// A working value; for secrets a placeholder of the right form.
    pub value: String,
    /// One sentence a line.
    pub comment: Vec<String>,
    /// How the first `up` fills it.
    pub secret: Option<SecretForm>,
    /// Shown commented out: the default stands in the compose file.
    pub optional: bool,
}

/// The form of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SecretForm {
    /// Ours, that many lower-case hex digits.
    Hex(u16),
    /// A third party's: stays a placeholder and is listed.
    ThirdParty,
}

/// A connection that leaves the monorepo: never started, never probed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct External {
    /// The service.
    pub from: String,
    /// The address as written.
    pub address: String,
    /// The variable that holds it.
    pub via: Option<String>,
    /// `path:line`.
    pub at: String,
}

/// Who has to reach whom and who must not: what `test` tries.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Connectivity {
    /// Whether every published port belongs on a loopback address.
    pub loopback: bool,
    /// The image with the tools that the checks need where a server's own image has none.
    pub busybox: String,
    /// By service, then target.
    pub reaches: Vec<Reach>,
    /// Services and the components that they must not reach, both by name.
    pub apart: Vec<(String, Vec<String>)>,
    /// How the kinds among the targets are tried, by kind.
    pub clients: Vec<Client>,
}

/// A service and something that it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// The service.
    pub from: String,
    /// A service or component.
    pub to: String,
    /// `http`, `tcp` or one of [`Connectivity::clients`].
    pub client: String,
    /// Part of the address (`url`, or `host`, `port`, `user`, `password`, `database`) and the variable that holds it.
    pub variables: Vec<(&'static str, String)>,
}

/// How a client of a kind proves that it can work with the server; from the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// The kind.
    pub name: String,
    /// Runs in [`Connectivity::busybox`] and not in the server's image.
    pub busybox: bool,
    /// For `sh`.
    pub script: String,
    /// Words by which the server refuses another's database.
    pub refused: Vec<String>,
    /// The database that an address means which names none.
    pub common: Option<String>,
}

/// What later runs must know: committed in `.generated/state.yaml`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Assignments {
    /// The project name recorded at the first run.
    pub name: Option<String>,
    /// `TRADING_PORT` → 3000, so that ports stay where they are.
    pub ports: std::collections::BTreeMap<String, u16>,
    /// Dockerfile → service name, so that a renamed service is recognised.
    pub services: std::collections::BTreeMap<String, String>,
    /// The services of a setup that was written by hand first: containers and data exist under exactly
    /// [`Assignments::name`], and these services keep the databases and passwords that they have.
    pub adopted: std::collections::BTreeSet<String>,
    /// Dockerfile → digest of its content, so that it is recognised elsewhere. Brought up to date when something else
    /// changes: an edited Dockerfile alone makes no setup stale.
    pub dockerfiles: std::collections::BTreeMap<String, String>,
    /// Service → the name it had when its variables, database and volumes were made.
    pub renamed: std::collections::BTreeMap<String, String>,
    /// Component → version of the catalogue, for those that hold data: a newer default must not start on them.
    pub versions: std::collections::BTreeMap<String, String>,
}
