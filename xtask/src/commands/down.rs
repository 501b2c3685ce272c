//! `down`: stop and remove containers and networks; never volumes.

use std::time::Instant;

use clap::{ArgMatches, Command};

use crate::cli::Context;
use crate::commands::env_arg;
use crate::commands::project::Project;
use crate::error::{Outcome, Result};
use crate::run::{duration, preflight, stop};
use crate::ui::count;

/// The arguments of `down`.
pub fn command() -> Command {
    Command::new("down").about("Stop and remove containers and networks, never data").arg(env_arg())
}

/// Runs `down`: by the project's label, so that no file and no variable can be in its way.
///
/// # Errors
/// When the engine does not answer or refuses.
pub fn run(context: &Context, _matches: &ArgMatches) -> Result<Outcome> {
    let project = Project::open(context)?;
    preflight::engine(&project.docker)?;
    let started = Instant::now();
    let removed = project.after_interruption(stop::project(&project.docker, &project.setup.project))?;
    if removed.containers + removed.networks == 0 {
        context.ui.status("Finished", format_args!("nothing of `{}` was there", project.setup.project));
        return Ok(Outcome::Done);
    }
    let took = duration::show(started.elapsed());
    let removed =
        format!("{} and {}", count(removed.containers, "container"), count(removed.networks, "network"));
    context.ui.status("Removed", format_args!("{removed} in {took}; the data is kept"));
    Ok(Outcome::Done)
}
