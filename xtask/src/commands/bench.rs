//! `bench`: runs the measurements, a package of their own, through cargo; measures nothing itself.

use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::cli::Context;
use crate::commands::project::values;
use crate::error::{Failure, Outcome, Result};
use crate::run::docker::{Invocation, path_arg};

/// What can be measured, and against what.
const WHAT: [&str; 6] = ["ready", "discover", "build", "status", "noop", "update"];

/// The arguments of `bench`.
pub fn command() -> Command {
    Command::new("bench")
        .about("Measure the commands themselves, side by side with what they are compared to")
        .long_about(
            "Measure the commands themselves, side by side with what they are compared to.\n\n\
             ready     time until all is healthy, and to stop, beside a plain and a hand-tuned file\n\
             discover  `inventory` on a large generated monorepo, beside walking and reading it\n\
             build     what compiling the commands costs\n\
             status    `health` and `status` with 20 containers, beside `docker ps`\n\
             noop      `integrate` when nothing has changed\n\
             update    whether an update loses anything, over a folder of monorepos\n\n\
             `cargo xtask bench ready --help` lists the options of one. Exits with 1 when a target is missed.",
        )
        .arg(Arg::new("what").value_name("WHAT").required(true).value_parser(WHAT))
        .arg(
            Arg::new("option")
                .value_name("OPTION")
                .action(ArgAction::Append)
                .num_args(0..)
                .trailing_var_arg(true)
                .allow_hyphen_values(true)
                .help("Options of the measurement, as `--runs 5`"),
        )
}

/// Runs `bench`: compiles the measurements where needed, and hands over.
///
/// # Errors
/// When the sources of the measurements are not here, or cargo cannot be run.
pub fn run(context: &Context, matches: &ArgMatches) -> Result<Outcome> {
    let (manifest, root) = package()?;
    let program = std::env::current_exe()
        .map_err(|why| Failure::new("cannot find the program that runs now").why(why))?;
    let what = matches.get_one::<String>("what").map_or("noop", String::as_str);
    let cargo = Invocation::program(context.ui, "cargo")?
        .args(["run", "--quiet", "--manifest-path"])
        .arg(path_arg(&manifest))
        .args(["--", "--xtask"])
        .arg(path_arg(&program))
        .arg("--root")
        .arg(path_arg(&root))
        .arg(what)
        .args(values(matches, "option"));
    match cargo.foreground()? {
        0 => Ok(Outcome::Done),
        code => Ok(Outcome::Code(u8::try_from(code).unwrap_or(1))),
    }
}

/// The manifest of the measurements and the workspace they belong to.
fn package() -> Result<(PathBuf, PathBuf)> {
    let own = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let found = own.and_then(|own| {
        let manifest = own.join("bench").join("Cargo.toml");
        let root = own.parent().map(Path::to_path_buf)?;
        manifest.is_file().then_some((manifest, root))
    });
    found.ok_or_else(|| {
        Failure::new("the measurements are not here")
            .why("they are a package beside the commands' sources, which another monorepo does not get")
            .fix("run `cargo xtask bench` in a checkout of the project itself")
            .into()
    })
}
