//! `db`: snapshots of the databases, and the way into one; the engines' own tools stand in the catalogue.

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::cli::Context;
use crate::commands::env_arg;
use crate::error::{Outcome, Result};

mod list;
mod restore;
pub(crate) mod seeds;
mod servers;
mod shell;
mod snapshot;
mod target;
mod url;

pub(crate) use servers::{catalog, engines, servers, wanted};
pub(crate) use snapshot::{automatic, prune};

/// The arguments of `db`.
pub fn command() -> Command {
    let name = |required: bool, help: &'static str| {
        Arg::new("name").value_name("NAME").required(required).help(help)
    };
    let service = || {
        let help = "A service, whose database is meant, or a server itself";
        Arg::new("service").value_name("SERVICE").required(true).help(help)
    };
    let flag = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
    };
    Command::new("db")
        .about("Dump the databases and put them back, or look into one")
        .subcommand_required(true)
        .arg(env_arg().global(true))
        .subcommand(
            Command::new("snapshot").about("Dump all databases to the setup's folder `snapshots`").arg(name(
                false,
                "Kept until you delete it [default: by the time; only the newest three without a name are kept]",
            )),
        )
        .subcommand(
            Command::new("restore")
                .about("Replace the databases by those of a snapshot")
                .arg(name(true, "Of the snapshot"))
                .arg(flag("yes", "Do not ask"))
                .arg(flag("no-snapshot", "Take no snapshot of what is replaced")),
        )
        .subcommand(Command::new("list").about("Show the snapshots"))
        .subcommand(Command::new("shell").about("Open the engine's own client on a database").arg(service()))
        .subcommand(
            Command::new("url")
                .about("Print the address of a database as the host reaches it, with its password")
                .arg(service()),
        )
}

/// Runs `db`.
///
/// # Errors
/// When something does not run, or a dump or a restore fails.
pub fn run(context: &Context, matches: &ArgMatches) -> Result<Outcome> {
    match matches.subcommand() {
        Some(("snapshot", arguments)) => snapshot::run(context, arguments),
        Some(("restore", arguments)) => restore::run(context, arguments),
        Some(("shell", arguments)) => shell::run(context, arguments),
        Some(("url", arguments)) => url::run(context, arguments),
        _ => list::run(context),
    }
}

/// The argument SERVICE.
fn service(matches: &ArgMatches) -> String {
    matches.get_one::<String>("service").cloned().unwrap_or_default()
}
