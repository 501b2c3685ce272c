//! `reset`: delete the data of all or of some components, after asking, and start again.

use std::collections::BTreeSet;

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::cli::Context;
use crate::commands::env_arg;
use crate::commands::project::{Project, check_names, values};
use crate::commands::up::{self, Request};
use crate::error::{Failure, Interrupted, Outcome, Result};
use crate::run::spec::Spec;
use crate::run::state::{self, Volume};
use crate::run::{preflight, signals, stop};
use crate::ui::count;

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
        .arg(flag("no-snapshot", "Take no snapshot before; for now none is taken in any case"))
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
    if doomed.is_empty() {
        context.ui.status("Finished", "there is no data to delete");
        return Ok(Outcome::Done);
    }
    for volume in &doomed {
        context.ui.status_bad("Delete", format_args!("{} ({})", volume.name, volume.size));
    }
    if !confirmed(context, &doomed, matches.get_flag("yes"))? {
        context.ui.status("Kept", "all data");
        return Ok(Outcome::No);
    }
    let result = delete(&project, &names, &doomed);
    project.after_interruption(result)?;
    context.ui.status("Deleted", count(doomed.len(), "volume"));
    let timeout = std::time::Duration::from_secs(300);
    up::up(
        context,
        &Request { services: Vec::new(), without: Vec::new(), build: true, timeout, urls: true },
    )?;
    Ok(Outcome::Done)
}

/// The volumes that go: all of the project, or those of the named components.
fn doomed(project: &Project, names: &[String], existing: Vec<Volume>) -> Result<Vec<Volume>> {
    if names.is_empty() {
        return Ok(existing);
    }
    let spec = project.spec()?;
    let with_data: Vec<&str> = spec
        .services
        .iter()
        .filter(|service| !service.volumes.is_empty())
        .map(|service| service.name.as_str())
        .collect();
    check_names(names, &with_data, "component with data")?;
    let own: BTreeSet<&String> =
        names.iter().filter_map(|name| spec.service(name)).flat_map(|service| &service.volumes).collect();
    Ok(existing.into_iter().filter(|volume| own.contains(&volume.name)).collect())
}

fn confirmed(context: &Context, doomed: &[Volume], yes: bool) -> Result<bool> {
    if yes {
        return Ok(true);
    }
    let what = count(doomed.len(), "volume");
    if !context.ui.can_ask() {
        return Err(Failure::new(format!("{what} would be deleted, and nobody can be asked"))
            .why("there is no terminal")
            .fix("add --yes to delete them without asking")
            .into());
    }
    let question = format!("There is no snapshot. Delete {what} for good?");
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
fn delete(project: &Project, names: &[String], doomed: &[Volume]) -> Result<()> {
    if names.is_empty() {
        stop::project(&project.docker, &project.setup.project)?;
    } else {
        let spec = project.spec()?;
        let concerned = concerned(&spec, names, doomed);
        let mut containers = state::all_containers(&project.docker, &project.setup.project)?;
        containers.retain(|container| concerned.contains(container.service.as_str()));
        stop::remove(&project.docker, &containers)?;
    }
    let volumes = doomed.iter().map(|volume| volume.name.clone());
    project.docker.command(["volume", "rm"]).args(volumes).read()?;
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
