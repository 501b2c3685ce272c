//! `status`: what each container is, what it does and where it answers.

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::cli::Context;
use crate::commands::health;
use crate::error::{Outcome, Result};
use crate::run::containers::{self, Depth};
use crate::run::docker::Docker;
use crate::run::setup::Setup;
use crate::run::state::{Check, Container, HostPort, State};
use crate::ui;

/// Its arguments.
pub fn command() -> Command {
    Command::new("status")
        .about("What each container does, its image and its ports")
        .long_about(
            "What each container does, its image and its ports.\n\n\
             Exits with 1 when nothing runs; whether all is well is what `health` answers.",
        )
        .arg(Arg::new("json").long("json").action(ArgAction::SetTrue).help("Print JSON"))
        .arg(super::env_arg())
}

/// Prints the state of each container.
pub fn run(context: &Context, arguments: &ArgMatches) -> Result<Outcome> {
    let setup = Setup::read(&context.out, &context.out_name(), &context.env)?;
    let docker = Docker::find(context.ui)?;
    let json = arguments.get_flag("json");
    // The table shows nothing that only `inspect` or an endpoint could tell.
    let depth = if json { Depth::All } else { Depth::Listed };
    let seen = containers::look(&docker, &setup.project, depth)?;
    if json {
        context.ui.data(serde_json::to_string_pretty(&seen.report(true))?);
    } else if !seen.containers.is_empty() {
        let rows: Vec<Vec<String>> = seen.containers.iter().map(row).collect();
        context.ui.data(ui::table(&["Service", "State", "Image", "Ports"], &rows));
    }
    if seen.containers.is_empty() {
        context.ui.error(health::nothing_runs(&setup));
        return Ok(Outcome::No);
    }
    Ok(Outcome::Done)
}

fn row(container: &Container) -> Vec<String> {
    let ports: Vec<String> = container.ports.iter().map(port).collect();
    vec![container.service.clone(), state(container), container.image.clone(), ports.join(", ")]
}

/// Bound to this machine alone is the normal case, and not said.
fn port(port: &HostPort) -> String {
    match port.address.as_str() {
        "127.0.0.1" => format!("{}->{}", port.host, port.container),
        address => format!("{address}:{}->{}", port.host, port.container),
    }
}

/// The state in one word: what its check says while it runs, else what it does, with the exit code.
pub(super) fn state(container: &Container) -> String {
    match (container.state, container.check, container.exit_code) {
        (State::Exited, ..) if container.is_one_shot() && container.is_well() => "done".to_owned(),
        (State::Running, Check::None, _) => "running".to_owned(),
        (State::Running, check, _) => check.as_str().to_owned(),
        (state, _, Some(code)) => format!("{} ({code})", state.as_str()),
        (state, _, None) => state.as_str().to_owned(),
    }
}
