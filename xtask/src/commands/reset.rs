//! `reset`: delete the data of all or of some components, after asking, and start again.

use std::collections::BTreeSet;

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::cli::Context;
use crate::commands::project::{Project, check_names, values};
use crate::commands::up::{self, Request};
use crate::commands::{db, env_arg};
use crate::error::{Failure, Interrupted, Outcome, Result};
use crate::run::labels::Role;
use crate::run::snapshot::server::Server;
use crate::run::spec::{ServiceSpec, Spec};
use crate::run::state::{self, Volume};
use crate::run::{preflight, signals, stop, volatile};
use crate::ui::{count, list};

/// The arguments of `reset`.
pub fn command() -> Command {
    let flag = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
    };
    Command::new("reset")
        .about("Delete the data of components and start again")
        .arg(
            Arg::new("name")
                .value_name("NAME")
                .action(ArgAction::Append)
                .num_args(0..)
                .help("Only the data of these [default: all]"),
        )
        .arg(flag("yes", "Do not ask"))
        .arg(flag("no-snapshot", "Take no snapshot before"))
        .arg(env_arg())
}

/// Runs `reset`.
///
/// # Errors
/// When it is not confirmed, cannot be asked for, or something does not start again.
pub fn run(context: &Context, matches: &ArgMatches) -> Result<Outcome> {
    let project = Project::open(context)?;
    preflight::engine(&project.docker)?;
    let names = values(matches, "name");
    let existing = state::volumes_with_sizes(&project.docker, &project.setup.project)?;
    let doomed = doomed(&project, &names, existing)?;
    if doomed.data.is_empty() && doomed.in_memory.is_empty() {
        context.ui.status("Finished", "there is no data to delete");
        return Ok(Outcome::Done);
    }
    let mut servers = match matches.get_flag("no-snapshot") {
        true => Vec::new(),
        false => servers(context, &project, &doomed)?,
    };
    for volume in &doomed.data {
        let kept = servers.iter().any(|(_, volumes)| volumes.contains(&volume.name));
        let lost = if kept { "" } else { ", in no snapshot" };
        context.ui.status_bad("Delete", format_args!("{} ({}{lost})", volume.name, volume.size));
    }
    for engine in &doomed.in_memory {
        context.ui.status_bad("Delete", format_args!("the data of {engine} (in memory, in no snapshot)"));
    }
    if !confirmed(context, &doomed.what(), matches.get_flag("yes"))? {
        context.ui.status("Kept", "all data");
        return Ok(Outcome::No);
    }
    let result = snapshot(context, &project, &mut servers).and_then(|()| delete(&project, &names, &doomed));
    project.after_interruption(result)?;
    context.ui.status("Deleted", doomed.what());
    let timeout = std::time::Duration::from_secs(300);
    up::up(
        context,
        &Request { services: Vec::new(), without: Vec::new(), build: true, timeout, urls: true },
    )?;
    Ok(Outcome::Done)
}

/// What goes.
#[derive(Debug)]
struct Doomed {
    /// Volumes with somebody's data.
    data: Vec<Volume>,
    /// Services whose data are on tmpfs and go with their containers.
    in_memory: Vec<String>,
    /// With what each start makes anew: a socket, a program for the health checks.
    scratch: Vec<Volume>,
}

impl Doomed {
    /// In a few words.
    fn what(&self) -> String {
        let names: Vec<&str> = self.in_memory.iter().map(String::as_str).collect();
        let memory = format!("the data of {} in memory", list(&names));
        match (self.data.len(), names.is_empty()) {
            (volumes, true) => count(volumes, "volume"),
            (0, false) => memory,
            (volumes, false) => format!("{} and {memory}", count(volumes, "volume")),
        }
    }
}

/// The servers whose data go and that can be dumped, each with its volumes.
fn servers(context: &Context, project: &Project, doomed: &Doomed) -> Result<Vec<(Server, Vec<String>)>> {
    // Without files that Compose can read nothing is known of any server.
    let Some(spec) = readable(project)? else { return Ok(Vec::new()) };
    let containers = state::containers(&project.docker, &project.setup.project)?;
    let all = db::servers(&db::catalog(context)?, &spec, &containers);
    let volumes = |server: &Server| {
        let own = spec.service(&server.service).map(|service| service.volumes.clone()).unwrap_or_default();
        own.into_iter().filter(|volume| doomed.data.iter().any(|doomed| doomed.name == *volume)).collect()
    };
    let with_volumes = all.into_iter().map(|server| {
        let volumes: Vec<String> = volumes(&server);
        (server, volumes)
    });
    Ok(with_volumes.filter(|(_, volumes)| !volumes.is_empty()).collect())
}

/// Dumps what can be dumped before it goes.
fn snapshot(context: &Context, project: &Project, servers: &mut [(Server, Vec<String>)]) -> Result<()> {
    let mut servers: Vec<Server> = servers.iter().map(|(server, _)| server.clone()).collect();
    if servers.is_empty() {
        return Ok(());
    }
    match db::automatic(context, project, &mut servers, "before-reset") {
        Ok(taken) => db::prune(context, project, &taken, ""),
        Err(error) if error.downcast_ref::<Interrupted>().is_some() => Err(error),
        Err(error) => {
            let reset = project.setup.xtask("reset --no-snapshot");
            Err(Failure::new("no snapshot could be taken, so nothing was deleted")
                .why(crate::error::render(&error))
                .fix(format!("to delete the data all the same: {reset}"))
                .into())
        }
    }
}

/// What the files mean; `None` where there are none, or Compose refuses them.
fn readable(project: &Project) -> Result<Option<Spec>> {
    if project.setup.files.is_empty() {
        return Ok(None);
    }
    match project.spec() {
        Ok(spec) => Ok(Some(spec)),
        Err(error) if error.downcast_ref::<Interrupted>().is_some() => Err(error),
        Err(_) => Ok(None),
    }
}

/// The volumes that go: all of the project, or those of the named components.
fn doomed(project: &Project, names: &[String], existing: Vec<Volume>) -> Result<Doomed> {
    let spec = if names.is_empty() { readable(project)? } else { Some(project.spec()?) };
    let Some(spec) = spec else {
        return Ok(Doomed { data: existing, in_memory: Vec::new(), scratch: Vec::new() });
    };
    let scratch = scratch(&spec);
    let with_data: Vec<&ServiceSpec> = spec
        .services
        .iter()
        .filter(|service| {
            let holds = |volume: &String| !scratch.contains(volume) && !service.reads.contains(volume);
            volatile::is_volatile(service) || service.volumes.iter().any(holds)
        })
        .collect();
    let known: Vec<&str> = with_data.iter().map(|service| service.name.as_str()).collect();
    check_names(names, &known, "component with data")?;
    let own: BTreeSet<&String> =
        names.iter().filter_map(|name| spec.service(name)).flat_map(|service| &service.volumes).collect();
    let goes = existing.into_iter().filter(|volume| names.is_empty() || own.contains(&volume.name));
    let (scratch, data) = goes.partition(|volume| scratch.contains(&volume.name));
    let volatile = with_data.iter().filter(|service| volatile::is_volatile(service));
    let mut in_memory: Vec<String> = volatile.map(|service| service.name.clone()).collect();
    in_memory.retain(|name| names.is_empty() || names.contains(name));
    if !in_memory.is_empty() {
        let containers = state::containers(&project.docker, &project.setup.project)?;
        in_memory.retain(|name| containers.iter().any(|container| container.service == *name));
    }
    Ok(Doomed { data, in_memory, scratch })
}

/// What the one-shots of ours leave in volumes: each start makes it anew.
fn scratch(spec: &Spec) -> BTreeSet<String> {
    let ours = |service: &&ServiceSpec| {
        service.role == Role::OneShot && ["setup", "probe"].contains(&service.labels.kind.as_str())
    };
    let leaves = |service: &ServiceSpec| -> Vec<String> {
        let written = service.volumes.iter().filter(|volume| !service.reads.contains(volume));
        written.cloned().collect()
    };
    spec.services.iter().filter(ours).flat_map(leaves).collect()
}

fn confirmed(context: &Context, what: &str, yes: bool) -> Result<bool> {
    if yes {
        return Ok(true);
    }
    if !context.ui.can_ask() {
        return Err(Failure::new(format!("{what} would be deleted, and nobody can be asked"))
            .why("there is no terminal")
            .fix("add --yes to delete them without asking")
            .into());
    }
    let question = format!("Delete {what}?");
    let answer = dialoguer::Confirm::new().with_prompt(question).default(false).interact();
    match answer {
        Ok(answer) => Ok(answer),
        Err(_) if signals::received() => {
            // Off the line of the question.
            context.ui.note("");
            Err(Interrupted("interrupted; nothing was deleted".to_owned()).into())
        }
        Err(why) => Err(Failure::new("cannot ask").why(why).fix("add --yes").into()),
    }
}

/// Removes the containers that use the data, those that depend on them (their tables may be gone), and the data.
fn delete(project: &Project, names: &[String], doomed: &Doomed) -> Result<()> {
    let mut volumes: Vec<&Volume> = doomed.data.iter().chain(&doomed.scratch).collect();
    if names.is_empty() {
        stop::project(&project.docker, &project.setup.project)?;
    } else {
        let spec = project.spec()?;
        let concerned = concerned(&spec, names, &doomed.data);
        // What others go on using stays, and holds no data.
        let others = spec.services.iter().filter(|service| !concerned.contains(service.name.as_str()));
        let used: BTreeSet<&String> = others.flat_map(|service| &service.volumes).collect();
        volumes.retain(|volume| !used.contains(&volume.name));
        let mut containers = state::all_containers(&project.docker, &project.setup.project)?;
        containers.retain(|container| concerned.contains(container.service.as_str()));
        stop::remove(&project.docker, &containers)?;
    }
    if !volumes.is_empty() {
        let volumes = volumes.into_iter().map(|volume| volume.name.clone());
        project.docker.command(["volume", "rm"]).args(volumes).read()?;
    }
    Ok(())
}

/// The services that mount one of the volumes, and all that wait for those.
fn concerned<'a>(spec: &'a Spec, names: &'a [String], doomed: &[Volume]) -> BTreeSet<&'a str> {
    let mounts = |volumes: &[String]| doomed.iter().any(|volume| volumes.contains(&volume.name));
    let users =
        spec.services.iter().filter(|service| mounts(&service.volumes)).map(|service| service.name.as_str());
    let mut concerned: BTreeSet<&str> = names.iter().map(String::as_str).chain(users).collect();
    loop {
        let more: Vec<&str> = concerned.iter().flat_map(|name| spec.dependants(name)).collect();
        let before = concerned.len();
        concerned.extend(more);
        if concerned.len() == before {
            return concerned;
        }
    }
}
