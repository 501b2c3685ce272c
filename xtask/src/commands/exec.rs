//! `exec`: run a command, or a shell, in a running container.

use std::io::IsTerminal;

use clap::{Arg, ArgMatches, Command};

use crate::cli::Context;
use crate::commands::env_arg;
use crate::commands::project::{Project, check_names, values};
use crate::error::{Failure, Outcome, Result};
use crate::run::preflight;
use crate::run::state::{self, Container, State};

/// The best shell that is there.
const SHELL: [&str; 3] = ["sh", "-c", "if command -v bash >/dev/null; then exec bash; else exec sh; fi"];

/// The arguments of `exec`.
pub fn command() -> Command {
    Command::new("exec")
        .about("Run a command in a service's container")
        .arg(env_arg())
        .arg(Arg::new("service").value_name("SERVICE").required(true).help("Where"))
        .arg(
            Arg::new("command")
                .value_name("CMD")
                .num_args(0..)
                .trailing_var_arg(true)
                .allow_hyphen_values(true)
                .help("What [default: a shell]"),
        )
}

/// Runs `exec`; its exit code is the command's.
///
/// # Errors
/// When the container does not run, or has no shell and no command was given.
pub fn run(context: &Context, matches: &ArgMatches) -> Result<Outcome> {
    let project = Project::open(context)?;
    preflight::engine(&project.docker)?;
    let service = matches.get_one::<String>("service").cloned().unwrap_or_default();
    let container = running(&project, &service)?;
    let mut words = values(matches, "command");
    if words.is_empty() {
        has_shell(&project, &container)?;
        words = SHELL.map(str::to_owned).to_vec();
    }
    let mut command = project.docker.command(["exec", "--interactive"]);
    if std::io::stdin().is_terminal() && std::io::stdout().is_terminal() {
        command = command.arg("--tty");
    }
    let code = command.arg(&container.name).args(words).foreground()?;
    Ok(Outcome::Code(u8::try_from(code).unwrap_or(1)))
}

fn running(project: &Project, service: &str) -> Result<Container> {
    let containers = state::containers(&project.docker, &project.setup.project)?;
    if containers.is_empty() {
        return Err(Failure::new(format!("`{}` has no containers", project.setup.project))
            .fix(project.setup.xtask("up"))
            .into());
    }
    let known: Vec<&str> = containers.iter().map(|container| container.service.as_str()).collect();
    check_names(&[service.to_owned()], &known, "service")?;
    let own = containers.iter().filter(|container| container.service == service);
    if let Some(running) = own.clone().find(|container| container.state == State::Running) {
        return Ok(running.clone());
    }
    let status = own.map(|container| container.status.as_str()).next().unwrap_or_default();
    Err(Failure::new(format!("`{service}` does not run"))
        .why(format!("its container says: {status}"))
        .fix(project.setup.xtask(&format!("logs {service}")))
        .into())
}

/// Asked before the terminal is handed over, so that the answer is ours and not the engine's.
fn has_shell(project: &Project, container: &Container) -> Result<()> {
    let output = project.docker.command(["exec", &container.name, "sh", "-c", "exit 0"]).output()?;
    if !matches!(output.code, 126 | 127) {
        return Ok(());
    }
    let service = &container.service;
    Err(Failure::new(format!("the image of `{service}` has no shell"))
        .why(format!("{} holds no `sh`", container.image))
        .fix(format!("name a program that it has: {}", project.setup.xtask(&format!("exec {service} CMD"))))
        .into())
}
