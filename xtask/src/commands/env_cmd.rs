//! `env`: which variables are missing, unused or still placeholders, and what a service gets.

use std::collections::BTreeSet;

use clap::{Arg, ArgMatches, Command};

use crate::cli::Context;
use crate::commands::env_arg;
use crate::commands::project::{Project, check_names};
use crate::error::{Failure, Outcome, Result};
use crate::run::{dotenv, env_file};
use crate::ui::count;

/// The arguments of `env`.
pub fn command() -> Command {
    Command::new("env")
        .about("Check the variables, or show a service's")
        .subcommand_required(true)
        .arg(env_arg().global(true))
        .subcommand(
            Command::new("check").about("Find variables that are missing, unused or still placeholders"),
        )
        .subcommand(
            Command::new("show")
                .about("Show a service's environment")
                .arg(Arg::new("service").value_name("SERVICE").required(true).help("Whose")),
        )
}

/// Runs `env`.
///
/// # Errors
/// When there is no setup, or Compose refuses it.
pub fn run(context: &Context, matches: &ArgMatches) -> Result<Outcome> {
    let project = Project::existing(context)?;
    match matches.subcommand() {
        Some(("show", arguments)) => {
            let service = arguments.get_one::<String>("service").cloned().unwrap_or_default();
            show(&project, &service, context)
        }
        _ => check(&project, context),
    }
}

fn show(project: &Project, service: &str, context: &Context) -> Result<Outcome> {
    let spec = project.spec()?;
    check_names(&[service.to_owned()], &spec.names(), "service")?;
    let environment = spec.service(service).map(|service| &service.environment);
    for (name, value) in environment.into_iter().flatten() {
        context.ui.data(format_args!("{name}={}", value.as_deref().unwrap_or_default()));
    }
    Ok(Outcome::Done)
}

fn check(project: &Project, context: &Context) -> Result<Outcome> {
    let setup = &project.setup;
    let shown = setup.shown_file(&setup.env_file);
    let missing = env_file::missing(setup)?;
    for failure in &missing {
        context.ui.error(failure);
    }
    let used: BTreeSet<String> = env_file::used(setup)?;
    let mut remarks = 0;
    for entry in dotenv::entries(&setup.env_text) {
        if !used.contains(&entry.name) && !entry.name.starts_with("COMPOSE_") {
            remarks += 1;
            context.ui.warn(
                Failure::new(format!("nothing uses the variable `{}`", entry.name))
                    .at(format!("{shown}:{}", entry.line)),
            );
        }
    }
    for entry in env_file::open_placeholders(setup)? {
        remarks += 1;
        context.ui.warn(
            Failure::new(format!("the value of `{}` is still a placeholder", entry.name))
                .at(format!("{shown}:{}", entry.line))
                .fix("put the third party's value there"),
        );
    }
    let found = format!("{}, {}", count(missing.len(), "error"), count(remarks, "warning"));
    context.ui.status("Checked", format_args!("{shown}: {found}"));
    Ok(if missing.is_empty() { Outcome::Done } else { Outcome::No })
}
