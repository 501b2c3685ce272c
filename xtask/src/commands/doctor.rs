//! `doctor`: is this machine ready, and with `--install`, make it so.

use std::time::{Duration, Instant};

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::cli::Context;
use crate::error::{Failure, Outcome, Result};
use crate::run::docker::Invocation;
use crate::run::doctor::{Check, Engine, Grade, Machine, Plan, Step, checks, facts, install};
use crate::run::pause::pause;
use crate::run::setup::Setup;
use crate::run::signals;
use crate::ui::{self, Ui};

/// How long an engine may take to start.
const START: Duration = Duration::from_secs(60);
/// Between two questions to it.
const AGAIN: Duration = Duration::from_millis(200);

/// Its arguments.
pub fn command() -> Command {
    Command::new("doctor")
        .about("Is this machine ready? Each failure with the command that mends it")
        .long_about(
            "Is this machine ready? Each failure with the command that mends it.\n\n\
             With --install, Docker's missing parts are installed and the engine is started: on Debian 12 and newer \
             and on Ubuntu 22.04 and newer from the distribution's packages, elsewhere the commands are printed.",
        )
        .arg(
            Arg::new("install")
                .long("install")
                .action(ArgAction::SetTrue)
                .help("Install and start what is missing of Docker, after asking"),
        )
        .arg(
            Arg::new("yes")
                .long("yes")
                .short('y')
                .requires("install")
                .action(ArgAction::SetTrue)
                .help("Do not ask"),
        )
        .arg(super::env_arg())
}

/// Prints the checks, and answers whether the machine is ready.
pub fn run(context: &Context, arguments: &ArgMatches) -> Result<Outcome> {
    let mut machine = facts::machine(context.ui, &context.out);
    if arguments.get_flag("install") {
        if !install(context.ui, &machine, arguments.get_flag("yes"))? {
            return Ok(Outcome::No);
        }
        machine = facts::machine(context.ui, &context.out);
    }
    let setup = Setup::read(&context.out, &context.out_name(), &context.env)?;
    let checks = checks::all(&machine, &facts::setup(context.ui, &setup, &machine)?);
    context.ui.data(table(&checks));
    let bad = checks.iter().filter(|check| check.grade == Grade::Bad).count();
    if bad > 0 {
        context.ui.status_bad("Failed", format_args!("{bad} of {}", ui::count(checks.len(), "check")));
        return Ok(Outcome::No);
    }
    context.ui.status("Finished", "this machine is ready");
    Ok(Outcome::Done)
}

fn table(checks: &[Check]) -> String {
    let rows: Vec<Vec<String>> = checks
        .iter()
        .map(|check| vec![check.name.to_owned(), check.grade.as_str().to_owned(), check.found.clone()])
        .collect();
    let mut text = ui::table(&["Check", "State", "Found"], &rows);
    for check in checks.iter().filter(|check| !check.fix.is_empty()) {
        text.push_str(&format!("\n\n{}: {}\n", check.name, check.found));
        let lines: Vec<String> = check.fix.iter().map(|line| format!("  fix: {line}")).collect();
        text.push_str(&lines.join("\n"));
    }
    text
}

/// Whether the machine is as it should be afterwards, as far as we could do something about it.
fn install(ui: Ui, machine: &Machine, yes: bool) -> Result<bool> {
    let steps = match install::plan(machine) {
        Plan::Nothing => {
            ui.status("Ready", "Docker is installed and its engine answers; nothing to do");
            return Ok(true);
        }
        Plan::Print(why, lines) => {
            ui.error(Failure::new("cannot install Docker here").why(why).fix(lines.join("\n")));
            return Ok(false);
        }
        Plan::Run(steps) => steps,
    };
    let sudo = if machine.root { "" } else { "sudo " };
    ui.note("These commands make this machine ready:");
    for line in install::shown(&steps) {
        ui.note(format_args!("{sudo}{line}"));
    }
    if !yes && !agreed(ui)? {
        ui.note("Nothing was changed.");
        return Ok(false);
    }
    for step in &steps {
        take(ui, step, machine)?;
    }
    Ok(true)
}

fn agreed(ui: Ui) -> Result<bool> {
    if !ui.can_ask() {
        return Err(Failure::new("cannot ask whether to run these commands")
            .why("there is no terminal")
            .fix("cargo xtask doctor --install --yes")
            .into());
    }
    let question = dialoguer::Confirm::new().with_prompt("Run them?").default(true);
    question.interact().map_err(|why| Failure::new("no answer").why(why).into())
}

fn take(ui: Ui, step: &Step, machine: &Machine) -> Result<()> {
    match step {
        Step::Run(words) => {
            ui.status("Running", step);
            as_root(ui, machine, words)?.read().map(drop)
        }
        Step::Write(path, text) => {
            ui.status("Writing", path);
            as_root(ui, machine, &["tee".to_owned(), (*path).to_owned()])?.stdin(text).read().map(drop)
        }
        Step::Detach => {
            ui.status("Starting", format_args!("dockerd (log: {})", install::LOG));
            let script = format!("exec dockerd >> {} 2>&1 < /dev/null", install::LOG);
            let words = ["setsid", "--fork", "sh", "-c", &script].map(str::to_owned);
            as_root(ui, machine, &words)?.read().map(drop)
        }
        Step::Wait => wait_for_engine(ui),
    }
}

fn as_root(ui: Ui, machine: &Machine, words: &[String]) -> Result<Invocation> {
    let (program, args) = match (machine.root, words.split_first()) {
        (true, Some((program, args))) => (program.as_str(), args),
        _ => ("sudo", words),
    };
    Ok(Invocation::program(ui, program)?.args(args.iter().cloned()))
}

/// An engine that refuses this user runs, too.
fn wait_for_engine(ui: Ui) -> Result<()> {
    let end = Instant::now() + START;
    loop {
        let why = match facts::engine_now(ui) {
            Engine::Answers(version) => {
                ui.status("Started", format_args!("Docker engine {version}"));
                return Ok(());
            }
            Engine::Denied => return Ok(()),
            Engine::Silent(why) => why,
        };
        if Instant::now() >= end {
            return Err(Failure::new(format!(
                "the Docker engine does not answer after {} s",
                START.as_secs()
            ))
            .why(why)
            .fix(format!("tail {}", install::LOG))
            .into());
        }
        if !pause(AGAIN) {
            return Err(signals::interrupted());
        }
    }
}
