//! `restart`: end and start running containers anew, and wait until they are healthy again.

use std::time::{Duration, Instant};

use clap::{ArgMatches, Command};

use crate::cli::Context;
use crate::commands::env_arg;
use crate::commands::project::{Project, check_names, services_arg, values};
use crate::commands::up::{self, Request, timeout_arg};
use crate::error::{Failure, Outcome, Result};
use crate::run::docker::Invocation;
use crate::run::start::Start;
use crate::run::{duration, preflight, start, state, volatile};
use crate::ui::count;

/// The arguments of `restart`.
pub fn command() -> Command {
    Command::new("restart")
        .about("Restart containers and wait until they are healthy")
        .arg(services_arg("Only these [default: all that run]"))
        .arg(timeout_arg("How long it may take until all is healthy"))
        .arg(env_arg())
}

/// Runs `restart`.
///
/// # Errors
/// When nothing runs, or something does not come back.
pub fn run(context: &Context, matches: &ArgMatches) -> Result<Outcome> {
    let timeout = duration::parse(matches.get_one::<String>("timeout").map_or("5m", String::as_str))?;
    let project = Project::existing(context)?;
    let result = restart(&project, &values(matches, "service"), timeout, context);
    project.after_interruption(result)?;
    Ok(Outcome::Done)
}

fn restart(project: &Project, names: &[String], timeout: Duration, context: &Context) -> Result<()> {
    preflight::machine(&project.docker)?;
    let containers = state::containers(&project.docker, &project.setup.project)?;
    let known: Vec<&str> = containers
        .iter()
        .filter(|container| !container.is_one_shot())
        .map(|container| container.service.as_str())
        .collect();
    if known.is_empty() {
        return Err(Failure::new("nothing runs that could be restarted")
            .fix(project.setup.xtask("up"))
            .into());
    }
    check_names(names, &known, "running service")?;
    let services: Vec<String> = match names {
        [] => known.iter().map(|name| (*name).to_owned()).collect(),
        names => names.to_vec(),
    };
    let spec = project.spec()?;
    let command = project.by_label().arg("restart").args(services.iter().cloned());
    if spec.services.iter().any(|service| services.contains(&service.name) && volatile::is_volatile(service))
    {
        return restart_from_nothing(context, &command, &known, timeout);
    }
    let (early, up, since) = (Vec::new(), Vec::new(), Instant::now());
    let what = Start { services: services.clone(), early, up, since, timeout };
    let took = start::start(&project.docker, &project.setup, &spec, &what, &command, context.ui)?.took();
    let text = format!("{} healthy again in {}", count(services.len(), "container"), duration::show(took));
    context.ui.status("Restarted", text);
    Ok(())
}

/// An engine that keeps its data in memory comes back empty: its setup has to run before its clients are well again.
fn restart_from_nothing(
    context: &Context,
    command: &Invocation,
    running: &[&str],
    timeout: Duration,
) -> Result<()> {
    command.read()?;
    let services = running.iter().map(|name| (*name).to_owned()).collect();
    up::up(context, &Request { services, without: Vec::new(), build: false, timeout, urls: true })?;
    Ok(())
}
