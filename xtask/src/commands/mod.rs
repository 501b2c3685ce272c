//! One file per command: gather, call, print. `commands` is the only place that joins the stages.

use clap::{Arg, ArgMatches, Command};

use crate::cli::Context;
use crate::error::{Outcome, Result};

pub mod adopt;
pub mod bench;
pub mod build;
mod compatibility;
pub mod completions;
pub mod db;
pub mod doctor;
pub mod down;
pub mod env_cmd;
pub mod exec;
pub mod explain;
pub mod graph;
pub mod health;
pub mod integrate;
pub mod inventory;
mod isolated;
pub mod logs;
pub mod ls;
mod pipeline;
pub mod project;
mod recorded;
mod report;
pub mod reset;
pub mod restart;
mod review;
mod settings;
pub mod smoke;
mod starting;
pub mod status;
pub mod test;
pub mod up;

/// A command: what it takes and what it does.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Its arguments.
    pub command: fn() -> Command,
    /// Its one function.
    pub run: fn(&Context, &ArgMatches) -> Result<Outcome>,
}

/// All commands in the order of `--help`.
pub const ALL: &[Entry] = &[
    Entry { command: integrate::command, run: integrate::run },
    Entry { command: inventory::command, run: inventory::run },
    Entry { command: explain::command, run: explain::run },
    Entry { command: up::command, run: up::run },
    Entry { command: down::command, run: down::run },
    Entry { command: build::command, run: build::run },
    Entry { command: restart::command, run: restart::run },
    Entry { command: reset::command, run: reset::run },
    Entry { command: logs::command, run: logs::run },
    Entry { command: exec::command, run: exec::run },
    Entry { command: db::command, run: db::run },
    Entry { command: env_cmd::command, run: env_cmd::run },
    Entry { command: status::command, run: status::run },
    Entry { command: health::command, run: health::run },
    Entry { command: smoke::command, run: smoke::run },
    Entry { command: test::command, run: test::run },
    Entry { command: graph::command, run: graph::run },
    Entry { command: ls::command, run: ls::run },
    Entry { command: doctor::command, run: doctor::run },
    Entry { command: adopt::command, run: adopt::run },
    Entry { command: bench::command, run: bench::run },
    Entry { command: completions::command, run: completions::run },
];

/// `--env NAME`, for the commands that touch containers.
pub fn env_arg() -> Arg {
    Arg::new("env")
        .long("env")
        .value_name("NAME")
        .default_value("dev")
        .help("The environment: dev, test or a name of yours")
}
