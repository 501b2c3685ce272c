//! Measures the commands side by side with what they are compared to; the only source of claims about speed.
//!
//! `cargo xtask bench` runs it. It sees the commands as a user does: a program, its answers and its exit code.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the fences keep the commands' own stages apart; a program that measures them from outside has none"
)]

mod build;
mod discover;
mod engine;
mod noop;
mod numbers;
mod process;
mod ready;
mod scratch;
mod status;
mod tree;
mod update;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::numbers::Verdict;

/// What every measurement needs to know.
#[derive(Debug, Clone)]
struct Bench {
    /// The program of `cargo xtask`, already built.
    xtask: PathBuf,
    /// The workspace that holds the sample and the sources.
    root: PathBuf,
    /// How often each thing is measured.
    runs: usize,
}

fn main() -> ExitCode {
    let matches = command().get_matches();
    match scratch::watch_signals().and_then(|()| measure(&matches)) {
        Ok(Verdict::Reached) => ExitCode::SUCCESS,
        Ok(Verdict::Missed) => ExitCode::from(1),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(if scratch::interrupted() { 130 } else { 1 })
        }
    }
}

fn measure(matches: &ArgMatches) -> Result<Verdict> {
    let folder = |name: &str| matches.get_one::<PathBuf>(name).cloned().unwrap_or_default();
    let number = |matches: &ArgMatches, name: &str| matches.get_one::<usize>(name).copied();
    let runs = number(matches, "runs").unwrap_or(5).max(1);
    let bench = Bench { xtask: folder("xtask"), root: folder("root"), runs };
    println!("{}", numbers::machine());
    match matches.subcommand() {
        Some(("ready", _)) => ready::run(&bench),
        Some(("build", arguments)) => build::run(&bench, arguments.get_flag("with-just")),
        Some(("discover", arguments)) => {
            let size = tree::Size {
                services: number(arguments, "services").unwrap_or(1_000),
                files: number(arguments, "files").unwrap_or(100_000),
            };
            discover::run(&bench, size, arguments.get_one::<PathBuf>("keep").map(PathBuf::as_path))
        }
        Some(("status", _)) => status::run(&bench),
        Some(("update", arguments)) => {
            let options = update::Options {
                folder: arguments.get_one::<PathBuf>("folder").cloned().unwrap_or_default(),
                seed: number(arguments, "seed").unwrap_or(1) as u64,
                keep: arguments.get_one::<PathBuf>("keep").cloned(),
            };
            update::run(&Bench { runs: number(matches, "runs").unwrap_or(1).max(1), ..bench }, &options)
        }
        _ => noop::run(&bench),
    }
}

fn command() -> Command {
    let folder = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name("PATH").value_parser(clap::value_parser!(PathBuf)).help(help)
    };
    let number = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name("N").value_parser(clap::value_parser!(usize)).help(help)
    };
    Command::new("cargo xtask bench")
        .bin_name("cargo xtask bench")
        .about("Measures the commands side by side with what they are compared to")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .arg(folder("xtask", "The program of `cargo xtask`").required(true).global(false))
        .arg(folder("root", "The workspace with the sample and the sources").required(true))
        .arg(number("runs", "How often each thing is measured [default: 5]").global(true))
        .subcommand(Command::new("ready").about("Time until all is healthy, and to stop, of three setups"))
        .subcommand(
            Command::new("build").about("What compiling the commands costs").arg(
                Arg::new("with-just")
                    .long("with-just")
                    .action(ArgAction::SetTrue)
                    .help("Compare with installing `just` from source (minutes)"),
            ),
        )
        .subcommand(
            Command::new("discover")
                .about("`inventory` on a large generated monorepo")
                .arg(number("services", "How many services [default: 1000]"))
                .arg(number("files", "How many files [default: 100000]"))
                .arg(folder("keep", "Generate the tree there and leave it")),
        )
        .subcommand(Command::new("status").about("`health` and `status` with 20 containers"))
        .subcommand(
            Command::new("update")
                .about("Whether an update loses anything that a user wrote, over a folder of monorepos")
                .arg(
                    Arg::new("folder")
                        .value_name("FOLDER")
                        .required(true)
                        .value_parser(clap::value_parser!(PathBuf))
                        .help("Holds a folder for each monorepo"),
                )
                .arg(number("seed", "Another one makes other edits [default: 1]"))
                .arg(folder("keep", "Leave the copies with problems there")),
        )
        .subcommand(Command::new("noop").about("`integrate` when nothing has changed"))
}
