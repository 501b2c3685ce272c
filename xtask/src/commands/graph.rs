//! `graph`: who needs whom, as Mermaid or DOT, with the health of what runs.

use std::collections::BTreeSet;

use clap::{Arg, ArgMatches, Command};

use crate::cli::Context;
use crate::commands::env_arg;
use crate::commands::project::Project;
use crate::error::{Outcome, Result};
use crate::run::connect::Wanted;
use crate::run::graph::{self, Look, Node};
use crate::run::labels::Role;
use crate::run::spec::Spec;
use crate::run::state::{self, Check, Container, State};

/// The arguments of `graph`.
pub fn command() -> Command {
    Command::new("graph")
        .about("Print who needs whom, with the health of what runs")
        .arg(
            Arg::new("format")
                .long("format")
                .value_name("FORMAT")
                .value_parser(["mermaid", "dot"])
                .default_value("mermaid")
                .help("For Markdown, or for Graphviz"),
        )
        .arg(env_arg())
}

/// Runs `graph`; without an engine, or where nothing runs, no health is shown.
///
/// # Errors
/// When there is no setup, or Compose refuses it.
pub fn run(context: &Context, matches: &ArgMatches) -> Result<Outcome> {
    let project = Project::existing(context)?;
    let spec = project.spec()?;
    let wanted = Wanted::load(&project.setup.out, &project.setup.shown)?;
    let running = state::containers(&project.docker, &project.setup.project).unwrap_or_default();
    let nodes = nodes(&spec, &running);
    let edges = edges(&spec, wanted.as_ref(), &nodes);
    let text = match matches.get_one::<String>("format").map(String::as_str) {
        Some("dot") => graph::dot(&nodes, &edges),
        _ => graph::mermaid(&nodes, &edges),
    };
    context.ui.data(text.trim_end());
    Ok(Outcome::Done)
}

fn nodes(spec: &Spec, running: &[Container]) -> Vec<Node> {
    let lasting = spec.services.iter().filter(|service| service.role != Role::OneShot);
    lasting
        .map(|service| {
            let own = running.iter().filter(|container| container.service == service.name);
            let worst = own.map(look).max_by_key(|look| (*look != Look::Well, *look));
            Node {
                name: service.name.clone(),
                component: service.role == Role::Component,
                look: (!running.is_empty()).then(|| worst.unwrap_or(Look::Absent)),
            }
        })
        .collect()
}

fn look(container: &Container) -> Look {
    match (container.state, container.check) {
        (State::Running, Check::Healthy | Check::None) => Look::Well,
        (State::Created, _) | (State::Running, Check::Starting) => Look::Starting,
        _ => Look::Unwell,
    }
}

/// What waits for what, and what needs what without waiting; one-shots are only means to an end.
fn edges(spec: &Spec, wanted: Option<&Wanted>, nodes: &[Node]) -> BTreeSet<(String, String)> {
    let waits = spec.services.iter().flat_map(|service| {
        service.depends_on.iter().map(|(target, _)| (service.name.clone(), target.clone()))
    });
    let needs = wanted.into_iter().flat_map(|wanted| {
        wanted.reaches.iter().flat_map(|(from, to)| to.keys().map(move |to| (from.clone(), to.clone())))
    });
    let is_shown = |name: &str| nodes.iter().any(|node| node.name == name);
    waits.chain(needs).filter(|(from, to)| is_shown(from) && is_shown(to)).collect()
}
