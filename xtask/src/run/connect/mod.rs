//! Tries on the running system who reaches whom, as `tests/connectivity.yaml` says: what is declared has to work by the
//! address and the login that stand in the service's own environment, and what is not declared must be refused.
//! Everything is tried from inside the network of the service itself. Nothing is started but short-lived helpers.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use crate::error::{Failure, Result};
use crate::run::docker::Docker;
use crate::run::log_lines;
use crate::run::setup::Setup;
use crate::run::signals;
use crate::run::state::Container;

mod address;
mod apart;
mod file;
mod helpers;
mod members;
mod pool;
mod published;
mod reach;
mod tenants;

pub use file::{FILE, Wanted};
use helpers::{Helpers, Place};
use members::Member;
use pool::in_parallel;

/// The suites that this module fills.
pub const CONNECTIVITY: &str = "connectivity";
/// See [`CONNECTIVITY`].
pub const ISOLATION: &str = "isolation";

/// Something that was tried.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// [`CONNECTIVITY`] or [`ISOLATION`].
    pub suite: &'static str,
    /// `trading to postgres`.
    pub name: String,
    /// How it went.
    pub verdict: Verdict,
    /// How long it took.
    pub took: Duration,
    /// The services whose logs may say more.
    involved: Vec<String>,
    started: SystemTime,
}

/// How a check went.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// As it has to be.
    Passed,
    /// Not as it has to be, or not proven.
    Failed(Box<Failure>),
    /// Not tried, and why.
    Skipped(String),
}

impl Finding {
    fn new(suite: &'static str, name: String, involved: &[&str]) -> Finding {
        Finding {
            suite,
            name,
            verdict: Verdict::Passed,
            took: Duration::ZERO,
            involved: involved.iter().map(|name| (*name).to_owned()).collect(),
            started: SystemTime::now(),
        }
    }

    fn failed(mut self, failure: Failure) -> Finding {
        self.verdict = Verdict::Failed(Box::new(failure));
        self
    }

    fn skipped(mut self, why: impl Into<String>) -> Finding {
        self.verdict = Verdict::Skipped(why.into());
        self
    }

    fn took(mut self, took: Duration) -> Finding {
        self.took = took;
        self
    }
}

/// The system while it is tried.
struct System<'a> {
    setup: &'a Setup,
    wanted: &'a Wanted,
    members: &'a [Member],
}

impl System<'_> {
    fn member(&self, service: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.service == service)
    }

    /// Where the tools of the setup are used in a service's network.
    fn tools(&self, member: &Member) -> Place {
        Place { network: member.id.clone(), image: self.wanted.busybox.clone() }
    }
}

/// Tries everything: connectivity first, then isolation, each in the order of the names.
///
/// # Errors
/// When the engine does not answer, or the user interrupts.
pub fn test(
    docker: &Docker,
    setup: &Setup,
    wanted: &Wanted,
    containers: &[Container],
) -> Result<Vec<Finding>> {
    let members = members::members(docker, containers)?;
    let system = System { setup, wanted, members: &members };
    let edges = reach::edges(&system);
    let walls = apart::walls(&system);
    let targets = apart::targets(&system, &walls);
    let mut places: BTreeSet<Place> = edges.iter().filter_map(reach::Edge::place).cloned().collect();
    places.extend(walls.iter().filter_map(|wall| wall.place.clone()));
    places.extend(targets.values().map(|target| target.place.clone()));
    let helpers = Helpers::start(docker, &setup.project, places);
    let mut findings = first_round(&helpers, &edges, &walls, &targets);
    findings.extend(tenants::try_all(&helpers, &system, &edges, &findings));
    drop(helpers);
    signals::check()?;
    findings.push(published::check(wanted, containers));
    findings.sort_by_key(|finding| finding.suite != CONNECTIVITY);
    for finding in &mut findings {
        add_logs(docker, &members, finding);
    }
    Ok(findings)
}

/// All that does not depend on another's outcome, at once.
fn first_round(
    helpers: &Helpers<'_>,
    edges: &[reach::Edge<'_>],
    walls: &[apart::Wall<'_>],
    targets: &BTreeMap<String, apart::Target>,
) -> Vec<Finding> {
    enum Task<'t> {
        Edge(&'t reach::Edge<'t>),
        Wall(&'t apart::Wall<'t>),
    }
    let asked: Vec<_> = targets.iter().collect();
    let answers = in_parallel(&asked, |(_, target)| target.answers(helpers));
    let alive: BTreeMap<String, Result<(), String>> =
        asked.into_iter().map(|(name, _)| name.clone()).zip(answers).collect();
    let tasks: Vec<Task<'_>> = edges.iter().map(Task::Edge).chain(walls.iter().map(Task::Wall)).collect();
    in_parallel(&tasks, |task| match task {
        Task::Edge(edge) => edge.attempt(helpers),
        Task::Wall(wall) => wall.attempt(helpers, &alive),
    })
}

/// What the services involved said meanwhile.
fn add_logs(docker: &Docker, members: &[Member], finding: &mut Finding) {
    let Verdict::Failed(failure) = &mut finding.verdict else { return };
    for service in &finding.involved {
        let Some(member) = members.iter().find(|member| member.service == *service) else { continue };
        let lines = log_lines::since(docker, &member.id, finding.started);
        **failure = log_lines::add(std::mem::replace(failure, Failure::new("")), service, &lines);
    }
}

/// A text with every occurrence of a secret replaced; short ones are words that stand everywhere.
fn masked(text: &str, secret: &str) -> String {
    if secret.len() < 4 { text.to_owned() } else { text.replace(secret, "***") }
}

/// The lines of an answer that are worth a person's time.
fn shown(text: &str) -> String {
    let lines = crate::run::docker::last_lines(text, 6);
    let cut = |line: &&str| line.chars().take(300).collect::<String>();
    lines.iter().map(cut).collect::<Vec<_>>().join("\n")
}
