//! `ls`: all systems of this machine, whichever checkout they came from.

use clap::{ArgMatches, Command};

use crate::cli::Context;
use crate::error::{Outcome, Result};
use crate::run::docker::Docker;
use crate::run::systems::{self, System};
use crate::ui::table;

/// The arguments of `ls`.
pub fn command() -> Command {
    Command::new("ls").about("List all systems of this machine").long_about(
        "List all systems of this machine that these commands have started, with the folder each came from.\n\n\
         A system without containers is not seen, also where its data are still there.",
    )
}

/// Runs `ls`.
///
/// # Errors
/// When the engine does not answer.
pub fn run(context: &Context, _: &ArgMatches) -> Result<Outcome> {
    let docker = Docker::find(context.ui)?;
    let systems = systems::all(&docker)?;
    if systems.is_empty() {
        context.ui.note("no system has containers on this machine");
        return Ok(Outcome::Done);
    }
    let rows: Vec<Vec<String>> = systems.iter().map(row).collect();
    context.ui.data(table(&["System", "State", "Containers", "Ports", "Folder"], &rows));
    Ok(Outcome::Done)
}

fn row(system: &System) -> Vec<String> {
    let ports: Vec<String> = system.ports.iter().map(ToString::to_string).collect();
    vec![
        system.project.clone(),
        system.state().to_owned(),
        format!("{} of {}", system.running, system.wanted),
        ports.join(" "),
        system.folder.clone(),
    ]
}
