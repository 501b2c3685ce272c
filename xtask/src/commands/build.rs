//! `build`: build the images of all or some services.

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::cli::Context;
use crate::commands::project::{Project, check_names, services_arg, values};
use crate::commands::{env_arg, integrate};
use crate::error::{Outcome, Result};
use crate::run::spec::ServiceSpec;
use crate::run::{build, images, preflight, verify};

/// The arguments of `build`.
pub fn command() -> Command {
    Command::new("build")
        .about("Build the images")
        .arg(services_arg("Only these [default: all that are built here]"))
        .arg(
            Arg::new("no-cache")
                .long("no-cache")
                .action(ArgAction::SetTrue)
                .help("Build every step anew, and take no result of an earlier build"),
        )
        .arg(env_arg())
}

/// Runs `build`.
///
/// # Errors
/// When a build fails, or a health check cannot run in what was built.
pub fn run(context: &Context, matches: &ArgMatches) -> Result<Outcome> {
    integrate::ensure(context)?;
    let mut project = Project::existing(context)?;
    let result = build_services(&mut project, matches, context);
    project.after_interruption(result)?;
    Ok(Outcome::Done)
}

fn build_services(project: &mut Project, matches: &ArgMatches, context: &Context) -> Result<()> {
    let machine = preflight::machine(&project.docker)?;
    let spec = project.prepare(context.ui)?;
    let names = values(matches, "service");
    let built: Vec<&ServiceSpec> = spec.services.iter().filter(|service| service.build.is_some()).collect();
    let known: Vec<&str> = built.iter().map(|service| service.name.as_str()).collect();
    check_names(&names, &known, "service that is built here")?;
    let chosen: Vec<&ServiceSpec> =
        built.into_iter().filter(|service| names.is_empty() || names.contains(&service.name)).collect();
    if chosen.is_empty() {
        context.ui.status("Finished", "no service is built here");
        return Ok(());
    }
    images::ensure(&project.docker, &project.setup, &chosen, context.ui)?;
    let built: Vec<&ServiceSpec> = chosen.iter().copied().chain(&spec.bases).collect();
    project.setup.overlay = preflight::overlay(&machine, &built);
    let no_cache = matches.get_flag("no-cache");
    build::build(&project.docker, &project.setup, &spec, &chosen, no_cache, context.ui)?;
    let ids = images::ids_of(&project.docker, &chosen)?;
    verify::check(&project.docker, &project.setup, &chosen, &ids)
}
