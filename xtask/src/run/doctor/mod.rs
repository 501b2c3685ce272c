//! Is this machine ready? Facts are gathered once; checks and the plan to mend them are pure and run nothing.

use crate::run::version::Version;

pub mod checks;
pub mod facts;
pub mod install;
pub mod system;

pub use checks::{Check, Grade};
pub use install::{Plan, Step};
pub use system::System;

/// What is known about the machine, whatever setup it has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Machine {
    /// Which operating system.
    pub system: System,
    /// Whether we are root.
    pub root: bool,
    /// The name of the user, for the docker group; empty where unknown.
    pub user: String,
    /// `sudo` is on the PATH.
    pub sudo: bool,
    /// systemd runs the services of this machine.
    pub systemd: bool,
    /// The rustc that cargo would use.
    pub rust: Option<Version>,
    /// `rustup` is on the PATH, and can bring a newer one.
    pub rustup: bool,
    /// The `docker` client.
    pub client: Option<Version>,
    /// The Compose plugin.
    pub compose: Option<Version>,
    /// The buildx plugin.
    pub buildx: Option<Version>,
    /// `dockerd` is installed on this machine.
    pub daemon: bool,
    /// What has chosen an engine on another machine, where something has.
    pub remote: Option<String>,
    /// What the engine says.
    pub engine: Engine,
    /// Free for images and volumes.
    pub disk: Option<Disk>,
}

/// What the engine says when it is asked for its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Engine {
    /// Its version.
    Answers(Version),
    /// It runs, and this user may not talk to it.
    Denied,
    /// Why it does not answer.
    Silent(String),
}

impl Default for Engine {
    fn default() -> Self {
        Engine::Silent("it was not asked".to_owned())
    }
}

/// Free space of a file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disk {
    /// A folder on it.
    pub path: String,
    /// In MiB.
    pub free_mib: u64,
}

/// A host port of the setup that somebody else holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Taken {
    /// The variable that sets it.
    pub variable: String,
    /// What it says now.
    pub port: u16,
    /// Who holds it.
    pub holder: String,
    /// Another one that nobody holds and no other variable names.
    pub free: Option<u16>,
}

/// What is known about the setup, as far as there is one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SetupFacts {
    /// The folder as people see it.
    pub shown: String,
    /// It has a `docker-compose.yml`.
    pub exists: bool,
    /// Host ports that somebody else holds.
    pub taken: Vec<Taken>,
    /// How many host ports it has.
    pub ports: usize,
    /// The env file as people see it.
    pub env_file: String,
    /// It is there.
    pub env_exists: bool,
    /// Only its owner can read it.
    pub env_private: bool,
    /// Variables that the setup demands and nothing gives.
    pub missing: Vec<String>,
    /// Whether git ignores it; `None` outside a repository.
    pub env_ignored: Option<bool>,
}
