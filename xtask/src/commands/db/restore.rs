//! `db restore`: replace the databases by those of a snapshot, with everything that uses them stopped meanwhile.

use std::collections::BTreeSet;
use std::time::Duration;

use clap::ArgMatches;

use crate::cli::Context;
use crate::commands::db::servers::{catalog, servers};
use crate::commands::db::snapshot::{self, prune};
use crate::commands::project::Project;
use crate::commands::up::{self, Request};
use crate::error::{Failure, Interrupted, Outcome, Result};
use crate::run::docker::Docker;
use crate::run::labels::Role;
use crate::run::snapshot::manifest::Manifest;
use crate::run::snapshot::restore;
use crate::run::snapshot::server::{self, Server};
use crate::run::snapshot::store::Store;
use crate::run::spec::Spec;
use crate::run::state::{self, Container, State};
use crate::run::{preflight, signals};
use crate::ui::{count, list};

/// Runs `db restore`.
pub(super) fn run(context: &Context, matches: &ArgMatches) -> Result<Outcome> {
    let mut project = Project::existing(context)?;
    let name = matches.get_one::<String>("name").cloned().unwrap_or_default();
    let manifest = Store::of(&project.setup).get(&name)?;
    preflight::engine(&project.docker)?;
    // A lost env file is made anew first: the servers that this starts remember its passwords.
    let spec = project.prepare(context.ui)?;
    let catalog = catalog(context)?;
    let containers = state::containers(&project.docker, &project.setup.project)?;
    let mut servers = restore::check(&manifest, &servers(&catalog, &spec, &containers))?;
    for entry in &manifest.entries {
        context.ui.status_bad("Replace", entry.shown());
    }
    if !confirmed(context, &manifest, matches.get_flag("yes"))? {
        context.ui.status("Kept", "all databases");
        return Ok(Outcome::No);
    }
    let with_snapshot = !matches.get_flag("no-snapshot");
    let result = replace(context, &project, &spec, &manifest, &mut servers, with_snapshot);
    project.after_interruption(result)?;
    // The one-shots give the rights again, and the services see the data that they find from here on.
    let timeout = Duration::from_secs(300);
    up::up(
        context,
        &Request { services: Vec::new(), without: Vec::new(), build: false, timeout, urls: true },
    )?;
    Ok(Outcome::Done)
}

fn replace(
    context: &Context,
    project: &Project,
    spec: &Spec,
    manifest: &Manifest,
    servers: &mut [Server],
    with_snapshot: bool,
) -> Result<()> {
    let Project { docker, setup } = project;
    server::ensure_running(docker, setup, servers, Duration::from_secs(120))?;
    let mut before = None;
    if with_snapshot {
        before = Some(snapshot::automatic(context, project, servers, "before-restore")?);
    }
    let clients = clients(docker, project, spec, servers)?;
    if !clients.is_empty() {
        let names: Vec<&str> = clients.iter().map(|container| container.service.as_str()).collect();
        context.ui.status("Stopping", list(&names));
        docker.command(["stop"]).args(clients.iter().map(|container| container.id.clone())).read()?;
    }
    let restored = restore::restore(docker, setup, manifest, servers, context.ui);
    if restored.is_err() && !clients.is_empty() {
        let start = docker.command(["start"]).args(clients.iter().map(|container| container.id.clone()));
        // Why nothing was restored is the error; that they stay stopped comes on top.
        if let Err(why) = start.read() {
            let names: Vec<&str> = clients.iter().map(|container| container.service.as_str()).collect();
            let failure = Failure::new(format!("cannot start {} again", list(&names)));
            context.ui.warn(failure.why(why).fix(setup.xtask("up")));
        }
    }
    restored?;
    match before {
        Some(before) => prune(context, project, &before, &manifest.name),
        None => Ok(()),
    }
}

/// The running containers of services that wait for one of the servers: they hold connections and remember what they
/// have read.
fn clients(docker: &Docker, project: &Project, spec: &Spec, servers: &[Server]) -> Result<Vec<Container>> {
    let mut concerned: BTreeSet<&str> = BTreeSet::new();
    for server in servers {
        concerned.extend(spec.dependants(&server.service));
    }
    let is_server = |name: &str| servers.iter().any(|server| server.service == name);
    let mut clients = state::containers(docker, &project.setup.project)?;
    clients.retain(|container| {
        let role = spec.service(&container.service).map(|service| service.role);
        container.state == State::Running
            && concerned.contains(container.service.as_str())
            && role != Some(Role::OneShot)
            && !is_server(&container.service)
    });
    Ok(clients)
}

fn confirmed(context: &Context, manifest: &Manifest, yes: bool) -> Result<bool> {
    if yes {
        return Ok(true);
    }
    let what = count(manifest.entries.len(), "database");
    if !context.ui.can_ask() {
        return Err(Failure::new(format!("{what} would be replaced, and nobody can be asked"))
            .why("there is no terminal")
            .fix("add --yes to replace them without asking")
            .into());
    }
    let question = format!("Replace {what} by `{}` of {}?", manifest.name, manifest.taken);
    match dialoguer::Confirm::new().with_prompt(question).default(false).interact() {
        Ok(answer) => Ok(answer),
        Err(_) if signals::received() => {
            context.ui.note("");
            Err(Interrupted("interrupted; nothing was replaced".to_owned()).into())
        }
        Err(why) => Err(Failure::new("cannot ask").why(why).fix("add --yes").into()),
    }
}
