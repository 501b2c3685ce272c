//! `db shell`: the engine's own client, in the server's container.

use clap::ArgMatches;

use crate::cli::Context;
use crate::commands::db::servers::catalog;
use crate::commands::db::{service, target};
use crate::commands::exec;
use crate::commands::project::Project;
use crate::error::{Failure, Outcome, Result};
use crate::run::preflight;

/// Runs `db shell`; its exit code is the client's.
pub(super) fn run(context: &Context, matches: &ArgMatches) -> Result<Outcome> {
    let project = Project::existing(context)?;
    preflight::engine(&project.docker)?;
    let (spec, catalog) = (project.spec()?, catalog(context)?);
    let target = target::find(&project, &spec, &catalog, &service(matches))?;
    let name = &target.server.name;
    if target.entry.shell.is_empty() {
        return Err(Failure::new(format!("the image of `{name}` has no client"))
            .why(format!("the catalogue's entry for {} has no `shell`", target.entry.title))
            .fix(format!(
                "open it with a client of your own: {}",
                project.setup.xtask(&format!("db url {name}"))
            ))
            .into());
    }
    let container = exec::running(&project, name)?;
    let words = target.entry.shell.iter().map(|word| target.fill(word)).collect();
    exec::hand_over(&project, &container, words)
}
