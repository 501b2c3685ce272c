//! `db snapshot`: dump all databases; also before something replaces or deletes them.

use std::time::Duration;

use clap::ArgMatches;

use crate::catalog::Catalog;
use crate::cli::Context;
use crate::commands::db::servers::{catalog, entry, servers};
use crate::commands::project::Project;
use crate::error::{Failure, Outcome, Result};
use crate::run::labels::Role;
use crate::run::preflight;
use crate::run::snapshot::manifest::Manifest;
use crate::run::snapshot::server::{self, Server};
use crate::run::snapshot::store::Store;
use crate::run::snapshot::take::{Name, take};
use crate::run::spec::Spec;
use crate::run::state;
use crate::ui::list;

/// How long a server that has to be started for its dump may take.
const LIMIT: Duration = Duration::from_secs(120);

/// Runs `db snapshot`.
pub(super) fn run(context: &Context, matches: &ArgMatches) -> Result<Outcome> {
    let project = Project::existing(context)?;
    preflight::engine(&project.docker)?;
    let result = snapshot(context, &project, matches);
    project.after_interruption(result)?;
    Ok(Outcome::Done)
}

fn snapshot(context: &Context, project: &Project, matches: &ArgMatches) -> Result<()> {
    let catalog = catalog(context)?;
    let spec = project.spec()?;
    let containers = state::containers(&project.docker, &project.setup.project)?;
    let servers = servers(&catalog, &spec, &containers);
    if servers.is_empty() {
        return Err(Failure::new("there is no database to dump")
            .why("no component is of a kind whose catalogue entry has `data`")
            .into());
    }
    check_running(project, &servers, &containers)?;
    let name = matches.get_one::<String>("name").map(String::as_str);
    let name = name.map_or(Name::Automatic("snapshot"), Name::Given);
    let manifest = take(&project.docker, &project.setup, &servers, name, context.ui)?;
    say_what_is_missing(context, &catalog, &spec);
    prune(context, project, &manifest, "")
}

/// Takes a snapshot of these servers before something is done to their data, and starts those that do not run for it.
/// The older automatic ones go with [`prune`].
///
/// # Errors
/// When a server does not start or cannot be dumped.
pub(crate) fn automatic(
    context: &Context,
    project: &Project,
    servers: &mut [Server],
    before: &str,
) -> Result<Manifest> {
    // A lost env file is no reason to lose the data too: the example's values start the servers as well.
    let mut setup = project.setup.clone();
    if !setup.env_file.is_file() {
        setup.env_file = setup.out.join(crate::run::env_file::EXAMPLE);
    }
    server::ensure_running(&project.docker, &setup, servers, LIMIT)?;
    let name = Name::Automatic(before);
    take(&project.docker, &project.setup, servers, name, context.ui)
}

/// Deletes the automatic snapshots that are too many, and says so.
///
/// # Errors
/// When one cannot be deleted.
pub(crate) fn prune(context: &Context, project: &Project, taken: &Manifest, spared: &str) -> Result<()> {
    let gone = Store::of(&project.setup).prune(&taken.project, spared)?;
    if !gone.is_empty() {
        context
            .ui
            .status("Removed", format_args!("{} (the newest three without a name are kept)", list(&gone)));
    }
    Ok(())
}

fn check_running(project: &Project, servers: &[Server], containers: &[state::Container]) -> Result<()> {
    let well = |server: &&Server| {
        containers.iter().any(|container| container.service == server.service && container.is_well())
    };
    let stopped: Vec<&str> =
        servers.iter().filter(|server| !well(server)).map(|server| server.service.as_str()).collect();
    if stopped.is_empty() {
        return Ok(());
    }
    let verb = if stopped.len() == 1 { "does" } else { "do" };
    Err(Failure::new(format!("{} {verb} not run", list(&stopped)))
        .why("a server that runs dumps its own databases")
        .fix(project.setup.xtask("up"))
        .into())
}

/// A queue's messages or a store's files, for which the catalogue has no tool.
fn say_what_is_missing(context: &Context, catalog: &Catalog, spec: &Spec) {
    let components = spec.services.iter().filter(|service| service.role == Role::Component);
    let with_data = components.filter(|service| !service.volumes.is_empty());
    let missing: Vec<&str> = with_data
        .filter(|service| entry(catalog, service).is_none_or(|entry| entry.data.is_none()))
        .map(|service| service.name.as_str())
        .collect();
    if !missing.is_empty() {
        context.ui.status("Without", format_args!("{} (no tool dumps it while it runs)", list(&missing)));
    }
}
