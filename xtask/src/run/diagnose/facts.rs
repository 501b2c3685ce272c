//! All that is known of a service that is not well, as plain data; asks nobody and judges nothing.

use std::collections::BTreeMap;

use crate::run::check_output::{self, Said};
use crate::run::diagnose::anatomy::Anatomy;
use crate::run::diagnose::places::Places;
use crate::run::labels::Health;
use crate::run::listeners::Listener;
use crate::run::setup::Setup;
use crate::run::state::{Check, Container, Details, State};
use crate::run::wait::Cause;

/// How many of the last log lines of a process that runs are about now.
const RECENT: usize = 10;

/// All that is known of one service.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The setup's folder and names.
    pub setup: Setup,
    /// The Compose service.
    pub service: String,
    /// What the wait saw; `None` at the end of the time.
    pub cause: Option<Cause>,
    /// Its container, if one was made.
    pub container: Option<Container>,
    /// What `inspect` says of its state.
    pub details: Details,
    /// What `inspect` says of how it was made.
    pub anatomy: Anatomy,
    /// The last lines of its log since its last start, more than are shown.
    pub log: Vec<String>,
    /// What lies at the path of the program that could not be run.
    pub program: Program,
    /// Who listens in it; `None` where that is not known.
    pub listeners: Option<Vec<Listener>>,
    /// The container port that should answer.
    pub port: Option<u16>,
    /// `amd64`, `arm64`: the engine's.
    pub engine: String,
    /// All services of the system with whom they wait for.
    pub system: Vec<Member>,
    /// Where things stand in the files.
    pub places: Places,
    /// It runs, and its image has a shell to look around with.
    pub has_shell: bool,
}

/// Another service of the system.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Member {
    /// The Compose service.
    pub service: String,
    /// `postgres`, `setup`: its label, else the name of its image.
    pub kind: String,
    /// What it waits for, without those that only need to be started.
    pub waits_for: Vec<String>,
    /// The first of its named volumes that is older than its container, with the day it was made.
    pub old_volume: Option<(String, String)>,
}

/// What lies where a program is expected.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Program {
    /// Nobody looked, or nobody could.
    #[default]
    Unknown,
    /// Nothing.
    Missing,
    /// A compiled program, for this processor where that is known: `arm64`.
    Compiled(Option<&'static str>),
    /// A script with a first line `#!interpreter`.
    Script {
        /// The first word behind `#!`.
        interpreter: String,
        /// The line ends as Windows ends lines.
        windows: bool,
    },
    /// Something else: a text without `#!`, say.
    Other,
}

/// A cause that is known by its traces, and what mends it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Known {
    /// Ends the sentence that the headline begins.
    pub what: String,
    /// `path:line`; the service's own place where empty.
    pub at: Vec<String>,
    /// The trace, and what follows from it; one line each.
    pub why: Vec<String>,
    /// An exact command or key.
    pub fix: String,
}

impl Known {
    /// A cause in words.
    pub fn new(what: impl Into<String>) -> Known {
        Known { what: what.into(), ..Known::default() }
    }

    /// Adds a place, where it is known.
    #[must_use]
    pub fn at(mut self, place: Option<String>) -> Known {
        self.at.extend(place);
        self
    }

    /// Adds a line of explanation.
    #[must_use]
    pub fn why(mut self, line: impl Into<String>) -> Known {
        self.why.push(line.into());
        self
    }

    /// Adds a line of somebody else's words.
    #[must_use]
    pub fn said(self, line: &str) -> Known {
        let line = line.trim();
        let short: String = line.chars().take(200).collect();
        let dots = if short.len() < line.len() { "…" } else { "" };
        self.why(format!("| {short}{dots}"))
    }

    /// Says what mends it.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<String>) -> Known {
        self.fix = fix.into();
        self
    }
}

impl Facts {
    /// Whether its process has ended or was never begun.
    pub fn is_down(&self) -> bool {
        match self.cause {
            Some(Cause::Exited(_) | Cause::Loop { .. } | Cause::NotStarted) => true,
            Some(Cause::Unhealthy | Cause::Refused) | None => {
                self.container.as_ref().is_some_and(|container| container.state != State::Running)
            }
        }
    }

    /// Whether its process runs.
    pub fn runs(&self) -> bool {
        self.container.as_ref().is_some_and(|container| container.state == State::Running)
    }

    /// The lines of its log that can be about now: all where its process has ended, the last ones where it runs and
    /// may long have got over what it complained of.
    pub fn recent(&self) -> &[String] {
        let count = if self.is_down() { self.log.len() } else { RECENT };
        &self.log[self.log.len().saturating_sub(count)..]
    }

    /// The code that its process ended with, where it has ended.
    pub fn exit_code(&self) -> Option<i32> {
        match self.cause {
            Some(Cause::Exited(code) | Cause::Loop { code, .. }) => Some(code),
            _ if self.is_down() => Some(self.details.exit_code),
            _ => None,
        }
    }

    /// What its last health check has seen, where it failed. On a busy machine a check is late now and then: then
    /// what the ones before it have seen.
    pub fn check(&self) -> Option<Said> {
        self.details.check_exit_code.filter(|code| *code != 0)?;
        let answer = |output: &String| check_output::read(output).filter(|said| *said != Said::Late);
        let earlier = || self.details.earlier_checks.iter().find_map(answer);
        match check_output::read(&self.details.check_output) {
            Some(Said::Late) => earlier().or(Some(Said::Late)),
            said => said,
        }
    }

    /// Whether its health check passes.
    pub fn is_healthy(&self) -> bool {
        self.container.as_ref().is_some_and(|container| container.check == Check::Healthy)
    }

    /// Whether nothing has failed yet, and it was only just started.
    pub fn is_starting(&self) -> bool {
        self.cause.is_none() && self.container.as_ref().is_some_and(Container::is_starting)
    }

    /// The path that its health check asks for, as its label says.
    pub fn health_path(&self) -> Option<&str> {
        match self.container.as_ref()?.labels.health.as_ref()? {
            Health::Http(_, path) => Some(path),
            _ => None,
        }
    }

    /// Another service, or this one, by its name.
    pub fn member(&self, service: &str) -> Option<&Member> {
        self.system.iter().find(|member| member.service == service)
    }

    /// What this service is: `postgres`, `setup`; empty where it is not known.
    pub fn kind(&self) -> &str {
        self.member(&self.service).map(|member| member.kind.as_str()).unwrap_or_default()
    }

    /// A variable that its container has, and that is not empty.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.anatomy.env.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Where its image says what to run: the Dockerfile's last CMD or ENTRYPOINT.
    pub fn command_place(&self) -> Option<String> {
        self.places.instruction(&["CMD", "ENTRYPOINT"])
    }

    /// Where a path of the container lies on this machine, as people see it; `None` where it is not mounted from it.
    pub fn on_this_machine(&self, path: &str) -> Option<String> {
        let mount = self.anatomy.mount_of(path).filter(|mount| mount.kind == "bind")?;
        let rest = path.strip_prefix(mount.target.trim_end_matches('/')).unwrap_or_default();
        Some(self.setup.shown_outside(&format!("{}{rest}", mount.source)))
    }

    /// `then: cargo xtask up`
    pub fn then_up(&self) -> String {
        format!("then: {}", self.setup.xtask("up"))
    }

    /// Where its image is made, else the compose file: `workspace/code/api/Dockerfile`.
    pub fn image_place(&self) -> String {
        self.places.dockerfile().unwrap_or_else(|| format!("the image `{}`", self.anatomy.image))
    }

    /// How to set something of a service: by its key in `config.yaml`, else in the compose file.
    pub fn set(&self, key: &str, value: &str, by_hand: &str) -> String {
        match self.places.config() {
            Some(config) if self.places.dockerfile().is_some() => format!(
                "set services.{}.{key}{value} in {config}, then: {} && {}",
                self.service,
                "cargo xtask integrate",
                self.setup.xtask("up")
            ),
            _ => format!("{by_hand} of `{}` in {}, {}", self.service, self.places.file(), self.then_up()),
        }
    }
}

/// Who waits for a service, in steps: `a and b wait for it, c for b`.
pub fn chain(system: &[Member], service: &str) -> Option<String> {
    let waiting = |name: &str| -> Vec<&str> {
        let waits = |member: &&Member| member.waits_for.iter().any(|target| target == name);
        system.iter().filter(waits).map(|member| member.service.as_str()).collect()
    };
    let first = waiting(service);
    if first.is_empty() {
        return None;
    }
    let verb = if first.len() == 1 { "waits" } else { "wait" };
    let mut text = format!("{} {verb} for it", crate::ui::list(&first));
    let mut known = first;
    let mut next = 0;
    while let Some(name) = known.get(next).copied() {
        next += 1;
        let new: Vec<&str> =
            waiting(name).into_iter().filter(|name| !known.contains(name) && *name != service).collect();
        if !new.is_empty() {
            text.push_str(&format!(", {} for {name}", crate::ui::list(&new)));
            known.extend(new);
        }
    }
    Some(text)
}

/// The variables of a container as `inspect` lists them: `NAME=value`.
pub fn variables(list: &[String]) -> BTreeMap<String, String> {
    let pairs = list.iter().filter_map(|entry| entry.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chain_goes_from_the_cause_to_the_last_that_waits() {
        let member = |service: &str, waits_for: &[&str]| Member {
            service: service.to_owned(),
            waits_for: waits_for.iter().map(|name| (*name).to_owned()).collect(),
            ..Member::default()
        };
        let system = [
            member("accounts", &["db"]),
            member("db", &[]),
            member("gateway", &["trading", "accounts"]),
            member("trading", &["db", "accounts"]),
        ];
        assert_eq!(
            chain(&system, "db").as_deref(),
            Some("accounts and trading wait for it, gateway for accounts")
        );
        assert_eq!(chain(&system, "trading").as_deref(), Some("gateway waits for it"));
        assert_eq!(chain(&system, "gateway"), None);
    }
}
