//! `exec`: run a command, or a shell, in a running container.

use std::io::IsTerminal;

use clap::{Arg, ArgMatches, Command};

use crate::cli::Context;
use crate::commands::env_arg;
use crate::commands::project::{Project, check_names, values};
use crate::error::{Failure, Outcome, Result};
use crate::run::connect::Wanted;
use crate::run::docker::Invocation;
use crate::run::state::{self, Container, State};
use crate::run::{inspect, preflight};

/// What stands for a shell on the command line.
const SHELLS: [&str; 4] = ["sh", "bash", "ash", "/bin/sh"];
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
/// When the container does not run.
pub fn run(context: &Context, matches: &ArgMatches) -> Result<Outcome> {
    let project = Project::open(context)?;
    preflight::engine(&project.docker)?;
    let service = matches.get_one::<String>("service").cloned().unwrap_or_default();
    let container = running(&project, &service)?;
    let words = values(matches, "command");
    let wants_shell = match words.as_slice() {
        [] => true,
        [one] => SHELLS.contains(&one.as_str()),
        _ => false,
    };
    if wants_shell && !has_shell(&project, &container)? {
        return exit_code(&debug(context, &project, &container)?);
    }
    let words = if words.is_empty() { SHELL.map(str::to_owned).to_vec() } else { words };
    hand_over(&project, &container, words)
}

/// Runs words in a container with the user's own streams; the exit code is theirs.
///
/// # Errors
/// When docker cannot be run.
pub(crate) fn hand_over(project: &Project, container: &Container, words: Vec<String>) -> Result<Outcome> {
    exit_code(&interactive(project.docker.command(["exec"])).arg(&container.name).args(words))
}

fn exit_code(command: &Invocation) -> Result<Outcome> {
    let on_terminal = std::io::stdout().is_terminal();
    let code = if on_terminal { command.foreground()? } else { command.pass_on()? };
    Ok(Outcome::Code(u8::try_from(code).unwrap_or(1)))
}

fn interactive(command: Invocation) -> Invocation {
    let command = command.arg("--interactive");
    let on_terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    if on_terminal { command.arg("--tty") } else { command }
}

/// A shell beside a container whose image has none: in its network, with its processes and its variables.
fn debug(context: &Context, project: &Project, container: &Container) -> Result<Invocation> {
    let image = Wanted::tools(&project.setup.out, &project.setup.shown);
    context.ui.status(
        "Debugging",
        format_args!(
            "{} with the shell of {image}, as its own image has none: its network and processes, its files in \
             /proc/1/root",
            container.service
        ),
    );
    let (network, pid) = (format!("container:{}", container.id), format!("container:{}", container.id));
    let command = project.docker.command(["run", "--rm", "--network", &network, "--pid", &pid]);
    // Only so can the files of another user's process be read.
    let mut command = interactive(command.args(["--cap-add", "SYS_PTRACE"]));
    for (name, value) in inspect::environment(&project.docker, &container.id)? {
        if !["PATH", "HOME", "HOSTNAME"].contains(&name.as_str()) {
            command = command.args(["--env", name.as_str()]).env(&name, value);
        }
    }
    Ok(command.args([image.as_str(), "sh"]))
}

/// The container of a service that runs.
///
/// # Errors
/// When there is none.
pub(crate) fn running(project: &Project, service: &str) -> Result<Container> {
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
fn has_shell(project: &Project, container: &Container) -> Result<bool> {
    let output = project.docker.command(["exec", &container.name, "sh", "-c", "exit 0"]).output()?;
    Ok(!matches!(output.code, 126 | 127))
}
