//! What discovery found, each fact with its place and the rule that found it; decides nothing.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::path::RepoPath;
use super::problem::Problem;

/// Where a fact stands and which rule read it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Evidence {
    /// The file.
    pub path: RepoPath,
    /// Counted from 1.
    pub line: u32,
    /// With hyphens, stable: `dockerfile-expose`, `env-example`, `node-listen`.
    pub rule: &'static str,
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.path, self.line)
    }
}

/// One thing that the repository says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// What it says.
    pub what: What,
    /// Where it says so.
    pub at: Evidence,
    /// About whom.
    pub subject: Subject,
}

/// Whom a fact is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// The service whose folder holds the file (the nearest one above it).
    Here,
    /// A service by its name or alias, as documents and proxy configurations name it.
    Named(String),
}

/// How a port's protocol is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// HTTP/1.1.
    Http,
    /// gRPC over HTTP/2.
    Grpc,
    /// Anything else over TCP.
    Tcp,
}

/// What a port is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// The service's own interface.
    Main,
    /// Administration, actuator, consoles.
    Management,
    /// Metrics only.
    Metrics,
    /// A debugger.
    Debug,
}

/// Where a port number comes from, strongest first (the order of this enum is the precedence).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PortSource {
    /// `config.yaml`.
    Config,
    /// The container side of a port in a hand-written compose file or Kubernetes manifest.
    Deployment,
    /// EXPOSE of the final stage.
    Expose,
    /// `ENV PORT` of the final stage.
    ImageEnv,
    /// `PORT=` in `.env.example` and its siblings.
    EnvExample,
    /// `--port 8000` in CMD, ENTRYPOINT or a script they call.
    Command,
    /// `server.port`, `launchSettings.json`, `vite.config.ts`.
    FrameworkConfig,
    /// A listen call with a literal or a default.
    Listen,
    /// What the framework or base image takes when nobody says otherwise.
    FrameworkDefault,
    /// The URL by which another service calls this one.
    Caller,
    /// A document.
    Document,
}

/// How a service can be asked whether it is ready.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum HealthKind {
    /// GET on a path answers 2xx or 3xx.
    Http,
    /// `grpc.health.v1`.
    Grpc,
    /// A TCP connection is accepted.
    Tcp,
    /// A command exits 0.
    Command,
    /// The process runs; nothing can be asked.
    Process,
}

/// Everything a detector can say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The service listens on a port.
    Port {
        /// Inside the container.
        port: u16,
        /// As far as the source says.
        protocol: Protocol,
        /// As far as the source says.
        purpose: Purpose,
        /// How strong the source is.
        source: PortSource,
        /// The variable that moves it, where there is one.
        variable: Option<String>,
    },
    /// Started from its sources on a developer's machine, the service listens on this port; others call it there.
    DevelopmentPort {
        /// Of the own machine.
        port: u16,
    },
    /// The program listens where a name says that gets its value in another file. Gone when discovery is done: what that
    /// file says has become a port.
    ListensBy {
        /// As written: `config.port`.
        name: String,
        /// As far as the call says.
        protocol: Protocol,
    },
    /// A framework's file takes from another variable what this one would say, so that a default in the code has no effect.
    /// Gone when discovery is done.
    Moved {
        /// `PAYMENT_RETURNURL` of `payment.return-url`.
        variable: String,
        /// The default of the other one.
        default: Option<String>,
    },
    /// The address that a listener binds, such as `127.0.0.1` or `0.0.0.0`.
    Listens {
        /// Without port.
        address: String,
    },
    /// A health route, or the gRPC health service.
    Health {
        /// How to ask.
        kind: HealthKind,
        /// For HTTP.
        path: Option<String>,
        /// Where it differs from the main port.
        port: Option<u16>,
    },
    /// The source reads an environment variable.
    EnvRead {
        /// As written.
        name: String,
        /// The default in the code.
        default: Option<String>,
        /// The program cannot do without it: no default and a read that fails.
        required: bool,
    },
    /// An example file, a Dockerfile or a framework's configuration gives a variable a value.
    EnvValue {
        /// As written.
        name: String,
        /// As written, quotes taken off; may be empty.
        value: String,
        /// The comment above or behind it, without `#`.
        comment: String,
        /// Which kind of source.
        source: EnvSource,
    },
    /// The program's configuration has a key. Gone when discovery is done: where a library of the service lets variables
    /// override its keys, it has become a read of the variable.
    ConfigKey {
        /// Which library's keys they are; empty for those of a configuration file.
        library: &'static str,
        /// As written, parts joined by `.`: `database.host`.
        key: String,
        /// What counts where no variable overrides it.
        default: Option<String>,
        /// The program cannot do without it.
        required: bool,
    },
    /// A library of the program lets variables override its configuration's keys. Gone when discovery is done, as above.
    KeysFromVariables(Naming),
    /// A client library for a kind of infrastructure stands in a manifest.
    Driver {
        /// A kind of the catalogue.
        kind: String,
        /// As the manifest names it.
        package: String,
        /// Only a development or test dependency.
        dev_only: bool,
    },
    /// An address of something this service talks to, in a value, a config file or the code.
    Reference(Reference),
    /// The code opens the database of that name, which no variable moves.
    Database {
        /// As written.
        name: String,
        /// A kind of the catalogue, where the code says one.
        kind: Option<String>,
    },
    /// A document or configuration says that this service needs another service or a component, by name.
    Mention {
        /// As written: `accounts`, `PostgreSQL`.
        target: String,
        /// Where the text says for what (a database's name).
        detail: Option<String>,
    },
    /// A web or worker framework, for its defaults and for the service's role.
    Framework {
        /// Lower case: `express`, `fastapi`, `axum`, `spring-boot`, `celery`.
        name: String,
    },
    /// A migration tool.
    Migration {
        /// Lower case: `alembic`, `prisma`.
        tool: String,
        /// To run inside the service's image; empty where the service migrates itself at start.
        command: Vec<String>,
    },
    /// A file with a schema or seed that belongs into the service's database before it starts.
    SchemaFile,
    /// A library reads this variable for others of the services that are built from it; this one has no use for it.
    Unused {
        /// As written.
        variable: String,
    },
    /// The service's own code uses the client of that kind that a library brings.
    Uses {
        /// A kind of the catalogue.
        kind: String,
    },
    /// The service is called by this name elsewhere (package name, crate name, compose name).
    Alias {
        /// As written.
        name: String,
    },
}

/// How a library makes the name of the variable that overrides a key: `db.host` below the prefix `APP_`, with `.`
/// replaced by `_`, is `APP_DB_HOST`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Naming {
    /// As in [`What::ConfigKey`].
    pub library: &'static str,
    /// With its separator.
    pub prefix: String,
    /// What is replaced in a key before it is written in capitals. A key that is no name of a variable then has none.
    pub replaced: Vec<(String, String)>,
    /// The keys of the program's configuration files are overridden too.
    pub of_files: bool,
}

/// Which kind of source gives a variable its value, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EnvSource {
    /// `.env.example` and its siblings.
    Example,
    /// A hand-written compose file, a Kubernetes manifest.
    Deployment,
    /// ENV of the Dockerfile's final stage.
    Image,
    /// A framework's configuration file.
    FrameworkConfig,
    /// A document.
    Document,
}

/// An address, as far as it is written down.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reference {
    /// `postgresql`, `http`, `amqp`, `jdbc:mysql`; empty where only a host stands there.
    pub scheme: String,
    /// As written, brackets taken off.
    pub host: String,
    /// As written.
    pub port: Option<u16>,
    /// The path's first part for databases and vhosts.
    pub database: Option<String>,
    /// As written.
    pub user: Option<String>,
    /// As written; a literal in the code has to be honoured.
    pub password: Option<String>,
    /// The whole value as written.
    pub raw: String,
    /// The variable or configuration key that holds it; `None` for a literal in the code.
    pub via: Option<String>,
}

/// What is built from a Dockerfile's final (or chosen) stage, ARG and ENV expanded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Image {
    /// The image at the root of the stage's chain of FROMs: `node:20-slim`, `scratch`.
    pub base: String,
    /// The line of the final FROM.
    pub base_line: u32,
    /// Names of the stages in order; unnamed ones are their index.
    pub stages: Vec<String>,
    /// EXPOSE of the final stage and of the stages it is built FROM, with lines. Protocol `udp` is left out.
    pub expose: Vec<(u16, u32)>,
    /// Variables in EXPOSE to which the Dockerfile gives no value, with lines.
    pub expose_variables: Vec<(String, u32)>,
    /// ENV of the same stages, with lines.
    pub env: Vec<(String, String, u32)>,
    /// ARG names with their defaults, with lines, from all stages and before the first FROM.
    pub args: Vec<(String, Option<String>, u32)>,
    /// HEALTHCHECK of the final stage.
    pub healthcheck: Option<ImageHealth>,
    /// USER.
    pub user: Option<String>,
    /// WORKDIR, absolute.
    pub workdir: Option<String>,
    /// ENTRYPOINT, in exec form; shell form becomes `["sh", "-c", text]`.
    pub entrypoint: Vec<String>,
    /// CMD, likewise.
    pub command: Vec<String>,
    /// The line of CMD or, without one, of ENTRYPOINT.
    pub command_line: u32,
    /// VOLUME, with lines.
    pub volumes: Vec<(String, u32)>,
    /// Packages that RUN lines of the final chain install (`apt-get`, `apk`, `dnf`, `microdnf`): `curl`, `tini`.
    pub installs: Vec<String>,
    /// Sources of COPY/ADD from the context (not `--from`, not URLs, not heredocs), as written, with lines.
    pub copies: Vec<(String, u32)>,
    /// Those of the final chain, with the place in the image, in order.
    pub placed: Vec<Placed>,
    /// Sources of COPY from other stages and images into the final chain, in order.
    pub brought: Vec<Brought>,
    /// No part of the context but settings gets into the image.
    pub without_code: bool,
    /// RUN commands of the final chain, in order.
    pub runs: Vec<String>,
    /// `--platform` or a `# syntax=` line or anything else worth a note, with lines.
    pub notes: Vec<(String, u32)>,
}

/// A source of COPY/ADD and where it lies in the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// As written, variables replaced.
    pub source: String,
    /// Absolute; with `/` at its end where it is a folder whatever the source is.
    pub to: String,
    /// How many of [`Image::runs`] stand above it.
    pub after: usize,
}

/// A source of COPY that lies in another stage or image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brought {
    /// The stage's name or number, or an image.
    pub from: String,
    /// As written, variables replaced.
    pub source: String,
    /// As [`Placed::to`].
    pub to: String,
}

/// A HEALTHCHECK instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageHealth {
    /// `["NONE"]`, `["CMD", …]` or `["CMD-SHELL", text]`, as Compose writes it.
    pub test: Vec<String>,
    /// Where it stands.
    pub line: u32,
}

/// What a Dockerfile is built FROM, or copies out of, and another Dockerfile of the repository makes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// As written, variables replaced: `shop/base:1`.
    pub reference: String,
    /// The Dockerfile that makes it.
    pub dockerfile: RepoPath,
}

/// An image that only others are built FROM: it has to be there before theirs, and runs nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseFacts {
    /// Valid as a Compose service name, and no service's.
    pub name: String,
    /// The Dockerfile.
    pub dockerfile: RepoPath,
    /// How to build it.
    pub build: Build,
    /// What it is built FROM itself.
    pub origins: Vec<Origin>,
    /// Folders and files of the repository that it copies, other than its whole context.
    pub brings: Vec<RepoPath>,
}

/// How to build an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Build {
    /// The folder that the build sees.
    pub context: RepoPath,
    /// The stage to stop at; `None` for the last.
    pub target: Option<String>,
    /// Build arguments.
    pub args: BTreeMap<String, String>,
}

/// One service as discovered: a Dockerfile (with a target, arguments or a command) and everything said about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceFacts {
    /// Valid as a Compose service name and unique in the monorepo.
    pub name: String,
    /// The module's folder.
    pub path: RepoPath,
    /// The Dockerfile.
    pub dockerfile: RepoPath,
    /// How to build it.
    pub build: Build,
    /// Overrides the image's command where one Dockerfile serves several services.
    pub command: Option<Vec<String>>,
    /// Whether a file says that this program listens nowhere, whatever its image exposes: a worker beside a server.
    pub is_worker: bool,
    /// Other names, lower case: package names, host names, the folder's name as written.
    pub aliases: Vec<String>,
    /// Lower case: `rust`, `node`, `python`, `go`, `java`, `dotnet`, `php`, `ruby`, `elixir`; empty if unknown.
    pub language: String,
    /// What the Dockerfile says.
    pub image: Image,
    /// Images of this repository that have to be there before its own is built, by reference.
    pub origins: Vec<Origin>,
    /// What the image is made from, by path.
    pub inputs: Vec<Input>,
    /// Everything else, in a stable order (by path, line, rule).
    pub facts: Vec<Fact>,
    /// How its migrations can be run by somebody else, where it does not run them itself.
    pub migration: Option<MigrationRun>,
}

/// A run of a service's migrations of which all parts are seen: the program, the files and where they lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationRun {
    /// Lower case: `alembic`, `prisma`.
    pub tool: String,
    /// What to run.
    pub command: Vec<String>,
    /// In which folder of the service's image, where that is not its WORKDIR.
    pub folder: Option<String>,
    /// The folder with the migrations, where the tool's own image has to run them.
    pub files: Option<RepoPath>,
    /// The dialect of SQL that they are written in, where that is seen: `postgres`, `mysql` (also MariaDB's), `sqlserver`.
    pub dialect: Option<&'static str>,
    /// Which file says that there are migrations.
    pub at: Evidence,
    /// Why it works in that image, for people.
    pub because: String,
}

/// A file or folder of the repository that an image is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// Where it lies.
    pub path: RepoPath,
    /// With everything below it.
    pub is_folder: bool,
    /// Says what is installed or how it is built, and is no part of the program: a manifest, a lock file, the
    /// Dockerfile.
    pub is_manifest: bool,
    /// Where it lies in the final image; `None` where it is not copied there, or to more than one place.
    pub landing: Option<Landing>,
}

/// Where a file or folder lies in an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Landing {
    /// Absolute, without `/` at its end.
    pub target: String,
    /// The RUN commands behind it, which may have made something else of it.
    pub runs: Vec<String>,
}

/// Infrastructure that the repository itself defines: `FROM postgres` with a script on top, or a hand-written
/// compose file's `image: postgres:15`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComponentFacts {
    /// The host name by which the services call it.
    pub name: String,
    /// A kind of the catalogue.
    pub kind: String,
    /// As written there.
    pub image: String,
    /// Its Dockerfile's build, where it has one.
    pub build: Option<(RepoPath, Build)>,
    /// Where it stands.
    pub at: Evidence,
}

/// A folder or file that looks like a service and is none, with the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// The Dockerfile.
    pub path: RepoPath,
    /// For people: `development container`, `load generator`.
    pub reason: String,
}

/// An OpenAPI or Swagger document of a service, as far as it can be tried without knowing anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiDocument {
    /// Whose it is.
    pub service: String,
    /// The document.
    pub document: RepoPath,
    /// What a GET without any parameter asks for, in order; never empty.
    pub paths: Vec<String>,
}

/// Everything that discovery knows at its end.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// By name.
    pub services: Vec<ServiceFacts>,
    /// By name.
    pub components: Vec<ComponentFacts>,
    /// By name.
    pub bases: Vec<BaseFacts>,
    /// Infrastructure against which the code is tested: says a version, never a need. By kind.
    pub tested: Vec<ComponentFacts>,
    /// By path.
    pub set_aside: Vec<SetAside>,
    /// What could not be read, disagreements inside one source, and the like.
    pub problems: Vec<Problem>,
    /// Hand-written smoke scenarios (`smoke/*.yaml`), file and text, by path.
    pub scenarios: Vec<(RepoPath, String)>,
    /// At most one for each service, by service.
    pub apis: Vec<ApiDocument>,
    /// Facts about services that do not exist (a document names one without a Dockerfile).
    pub orphans: Vec<Fact>,
}
