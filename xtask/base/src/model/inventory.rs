//! The service inventory, exactly as `inventory --json` prints it (version 1); holds no rules.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufWriter, Write};

use serde::Serialize;

use super::fact::{HealthKind, Protocol, Purpose};
use super::problem::Problem;

/// Everything that is known about a monorepo.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inventory {
    /// Always 1.
    pub version: u32,
    /// Always `.`.
    pub root: String,
    /// By name.
    pub services: Vec<Service>,
    /// By name.
    pub infrastructure: Vec<Component>,
    /// Names that can start together, in the order of their starts.
    pub startup_order: Vec<Vec<String>>,
    /// Errors first.
    pub problems: Vec<Problem>,
}

impl Inventory {
    /// As indented JSON: `{ "version": 1, … }`. Here and not where it is printed, because this package is optimised in
    /// the development profile, and a large monorepo's inventory is some megabytes.
    ///
    /// # Errors
    /// Those of `out`; the keys of all maps are texts.
    pub fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut out = BufWriter::with_capacity(1 << 16, out);
        serde_json::to_writer_pretty(&mut out, self)?;
        out.write_all(b"\n")?;
        out.flush()
    }
}

/// What part a service plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Answers requests.
    Service,
    /// Takes work from a queue; no port.
    Worker,
    /// Serves pages.
    Frontend,
    /// Passes requests on.
    Gateway,
    /// Runs once and ends.
    Job,
}

/// A service, decided.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the names are those of the documented JSON")]
pub struct Service {
    pub name: String,
    pub path: String,
    pub dockerfile: String,
    pub build: Build,
    pub command: Option<Vec<String>>,
    pub aliases: Vec<String>,
    pub language: String,
    pub role: Role,
    pub ports: Vec<Port>,
    pub volumes: Vec<Volume>,
    pub health: Option<Health>,
    pub requires: Vec<Requirement>,
    pub env: Vec<Env>,
    pub migrations: Option<Migrations>,
    pub evidence: Vec<FactLine>,
}

/// How a service or component is built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the names are those of the documented JSON")]
pub struct Build {
    pub context: String,
    pub target: Option<String>,
    pub args: BTreeMap<String, String>,
}

/// A port of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the names are those of the documented JSON")]
pub struct Port {
    pub container: u16,
    pub host: Option<u16>,
    pub protocol: Protocol,
    pub purpose: Purpose,
}

/// A folder in the container whose content must survive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the names are those of the documented JSON")]
pub struct Volume {
    pub path: String,
    /// `dockerfile` or `config`.
    pub from: String,
}

/// How readiness is seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the names are those of the documented JSON")]
pub struct Health {
    pub kind: HealthKind,
    pub path: Option<String>,
    pub port: Option<u16>,
    /// Whether the repository itself says that this answers.
    pub proven: bool,
}

/// How sure a requirement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Strength {
    /// Wired and waited for.
    Required,
    /// Named only: a driver that nothing configures.
    Possible,
}

/// What a service needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the names are those of the documented JSON")]
pub struct Requirement {
    pub target: String,
    /// `service` or a kind of the catalogue.
    pub kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
    pub via: Option<String>,
    pub strength: Strength,
    /// Path and line of everything that shows it, for [`Service::evidence`].
    #[serde(skip)]
    pub seen: BTreeSet<(String, u32)>,
}

/// Where the value of a variable comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EnvFrom {
    /// Points at another part of the system.
    Wired,
    /// The repository's own default.
    Default,
    /// Generated into `.env`, or a third party's placeholder.
    Secret,
    /// `config.yaml`.
    User,
}

/// A variable of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the names are those of the documented JSON")]
pub struct Env {
    pub name: String,
    /// Always null where `secret`.
    pub value: Option<String>,
    pub secret: bool,
    pub required: bool,
    pub from: EnvFrom,
}

/// How a service's tables are made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the names are those of the documented JSON")]
pub struct Migrations {
    pub tool: String,
    pub command: Vec<String>,
    /// Who runs them and why that works, for people.
    #[serde(skip)]
    pub by: String,
}

/// Evidence, flattened for JSON.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[allow(missing_docs, reason = "the names are those of the documented JSON")]
pub struct FactLine {
    pub fact: String,
    pub value: String,
    pub path: String,
    pub line: u32,
    pub rule: String,
}

/// A database, queue, cache or other server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the names are those of the documented JSON")]
pub struct Component {
    pub name: String,
    pub kind: String,
    pub image: String,
    pub build: Option<Build>,
    pub port: Option<u16>,
    pub used_by: Vec<String>,
}
