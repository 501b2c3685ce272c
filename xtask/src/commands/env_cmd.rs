//! `env`: which variables are missing, unused or still placeholders, and what a service gets.

use std::collections::BTreeSet;

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::cli::Context;
use crate::commands::env_arg;
use crate::commands::project::{Project, check_names};
use crate::error::{Failure, Outcome, Result};
use crate::run::host_env::{self, Reachable};
use crate::run::spec::Spec;
use crate::run::state::Container;
use crate::run::{dotenv, env_file, relay, remote, state};
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
                .arg(Arg::new("service").value_name("SERVICE").required(true).help("Whose"))
                .arg(
                    Arg::new("host")
                        .long("host")
                        .action(ArgAction::SetTrue)
                        .help("As it has to be when the service runs on the host: `up --without SERVICE`"),
                ),
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
            show(&project, &service, arguments.get_flag("host"), context)
        }
        _ => check(&project, context),
    }
}

fn show(project: &Project, service: &str, on_host: bool, context: &Context) -> Result<Outcome> {
    let spec = project.spec()?;
    check_names(&[service.to_owned()], &spec.names(), "service")?;
    if on_host {
        return show_for_host(project, &spec, service, context);
    }
    let environment = spec.service(service).map(|service| &service.environment);
    for (name, value) in environment.into_iter().flatten() {
        context.ui.data(format_args!("{name}={}", value.as_deref().unwrap_or_default()));
    }
    Ok(Outcome::Done)
}

/// Published ports as they are in the containers that run, else as the files say.
fn show_for_host(project: &Project, spec: &Spec, service: &str, context: &Context) -> Result<Outcome> {
    let running = state::containers(&project.docker, &project.setup.project).unwrap_or_default();
    let reachable: Vec<Reachable> = spec
        .services
        .iter()
        .map(|service| {
            let is_own = |container: &&Container| {
                container.service == service.name && container.labels.kind != relay::KIND
            };
            let own = running.iter().filter(is_own);
            let now = own.flat_map(|container| &container.ports).map(|port| (port.container, port.host));
            let written = service.ports.iter().filter_map(|port| Some((port.target, port.published?)));
            Reachable { service: service.name.clone(), ports: now.chain(written).collect() }
        })
        .collect();
    let empty = Default::default();
    let environment = spec.service(service).map_or(&empty, |service| &service.environment);
    // Ports are published on 127.0.0.1 alone, and `localhost` may mean ::1 first.
    let host = remote::host().unwrap_or_else(|| "127.0.0.1".to_owned());
    let env = host_env::rewrite(service, environment, &reachable, &host);
    for (name, value) in &env.values {
        context.ui.data(format_args!("{name}={value}"));
    }
    if spec.service(service).is_some_and(|service| !relay::ports(service).is_empty()) {
        context.ui.note(format_args!(
            "after `up --without {service}` the containers reach it here, if it listens on 0.0.0.0 and not on 127.0.0.1 alone"
        ));
    }
    for (name, target) in &env.unreachable {
        context.ui.warn(
            Failure::new(format!("`{name}` names `{target}`, which the host cannot reach"))
                .why("that port is not published")
                .fix(format!(
                    "publish it in {}/docker-compose.override.yml, then: {}",
                    project.setup.shown,
                    project.setup.xtask("up")
                )),
        );
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
                    .at(format!("{shown}:{}", entry.line))
                    .fix("correct its name, or remove the line"),
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
