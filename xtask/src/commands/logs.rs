//! `logs`: what all or some services print.

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::cli::Context;
use crate::commands::env_arg;
use crate::commands::project::{Project, check_names, services_arg, values};
use crate::error::{Failure, Outcome, Result};
use crate::run::{duration, preflight, signals};

/// The arguments of `logs`.
pub fn command() -> Command {
    let text = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    Command::new("logs")
        .about("Show what the services print")
        .arg(services_arg("Only these [default: all]"))
        .arg(
            Arg::new("follow")
                .short('f')
                .long("follow")
                .action(ArgAction::SetTrue)
                .help("Go on until Ctrl-C"),
        )
        .arg(text("since", "D", "Only what is younger than 90s, 5m …"))
        .arg(text("tail", "N", "Only the last N lines of each").value_parser(clap::value_parser!(u32)))
        .arg(env_arg())
}

/// Runs `logs`: by the project's label, so that no file and no variable can be in its way.
///
/// # Errors
/// When there is no such service, or the engine does not answer.
pub fn run(context: &Context, matches: &ArgMatches) -> Result<Outcome> {
    let project = Project::open(context)?;
    let names = values(matches, "service");
    let since = matches.get_one::<String>("since").map(|text| duration::parse(text)).transpose()?;
    preflight::engine(&project.docker)?;
    let known = project.running_services()?;
    if known.is_empty() {
        return Err(Failure::new(format!("`{}` has no containers", project.setup.project))
            .fix(project.setup.xtask("up"))
            .into());
    }
    check_names(&names, &known.iter().map(String::as_str).collect::<Vec<_>>(), "service")?;
    let mut command = project.by_label().arg("logs");
    if matches.get_flag("follow") {
        command = command.arg("--follow");
    }
    if let Some(since) = since {
        command = command.args(["--since".to_owned(), format!("{}ms", since.as_millis())]);
    }
    if let Some(tail) = matches.get_one::<u32>("tail") {
        command = command.args(["--tail".to_owned(), tail.to_string()]);
    }
    let code = command.args(names).foreground()?;
    // Ctrl-C is how one stops reading: no news about what runs.
    if signals::received() {
        return Ok(Outcome::Code(130));
    }
    Ok(if code == 0 { Outcome::Done } else { Outcome::Code(u8::try_from(code).unwrap_or(1)) })
}
