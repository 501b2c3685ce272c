//! `test`: health, then the smoke scenarios, and one table over both.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::cli::Context;
use crate::commands::{health, smoke};
use crate::error::{Outcome, Result};
use crate::run::containers::{self, Depth, Seen};
use crate::run::docker::Docker;
use crate::run::junit::{self, Case, CaseResult, Suite};
use crate::run::setup::Setup;
use crate::ui;

/// Its arguments.
pub fn command() -> Command {
    Command::new("test")
        .about("Health and smoke tests of what runs")
        .long_about(
            "Health and smoke tests of what runs, in that order.\n\n\
             Exits with 1 when one of them fails. Nothing is started and nothing is stopped.",
        )
        .arg(smoke::junit_arg())
        .arg(
            Arg::new("keep").long("keep").action(ArgAction::SetTrue).help(
                "Leave the containers as they are (always so, as nothing is started for the tests yet)",
            ),
        )
        .arg(super::env_arg())
}

/// Runs all tests, and answers whether all passed.
pub fn run(context: &Context, arguments: &ArgMatches) -> Result<Outcome> {
    let ui = context.ui;
    let setup = Setup::read(&context.out, &context.out_name(), &context.env)?;
    let scenarios = smoke::scenarios(&setup, &[])?;
    let docker = Docker::find(ui)?;
    let seen = containers::look(&docker, &setup.project, Depth::Unwell)?;
    if seen.containers.is_empty() {
        return Err(health::nothing_runs(context, &setup).into());
    }
    let health = health_suite(&seen);
    let services = ui::count(seen.containers.len(), "container");
    ui.status("Checked", format_args!("{services} and {}", ui::count(seen.answers.len(), "endpoint")));
    health::problems(&seen).iter().for_each(|(_, failure)| ui.error(failure));
    if scenarios.is_empty() {
        ui.warn(smoke::no_scenarios(&setup));
    }
    let played = smoke::play(ui, &scenarios, &seen.containers)?;
    if let Some(path) = arguments.get_one::<PathBuf>("junit") {
        let mut suites = vec![health.clone()];
        suites.extend(smoke::suites(&played));
        junit::write(path, &suites)?;
    }
    let mut rows: Vec<Vec<String>> = health.cases.iter().map(health_row).collect();
    rows.extend(played.iter().map(|played| {
        let mut row = vec!["smoke".to_owned()];
        row.extend(smoke::row(played));
        row.remove(3);
        row
    }));
    ui.data(ui::table(&["Test", "Of", "Result", "Time"], &rows));
    let failed = rows.len() - rows.iter().filter(|row| row[2] == "passed").count();
    if failed > 0 {
        ui.status_bad("Failed", format_args!("{failed} of {}", ui::count(rows.len(), "test")));
        return Ok(Outcome::No);
    }
    ui.status("Finished", format_args!("{} passed", ui::count(rows.len(), "test")));
    Ok(Outcome::Done)
}

/// A case per container, with the time of its endpoint.
fn health_suite(seen: &Seen) -> Suite {
    let failures = health::problems(seen);
    let cases = seen.containers.iter().map(|container| {
        let service = &container.service;
        let asked = seen.answers.iter().filter(|answer| &answer.service == service);
        let ms = asked.map(|answer| answer.ms).max().unwrap_or_default();
        let failure = failures.iter().find(|(name, _)| name == service);
        let result =
            failure.map_or(CaseResult::Passed, |(_, failure)| CaseResult::Failed(failure.to_string()));
        Case { name: service.clone(), took: Duration::from_millis(ms), result }
    });
    Suite { name: "health".to_owned(), file: String::new(), cases: cases.collect() }
}

fn health_row(case: &Case) -> Vec<String> {
    let result = if case.result == CaseResult::Passed { "passed" } else { "failed" };
    vec!["health".to_owned(), case.name.clone(), result.to_owned(), format!("{} ms", case.took.as_millis())]
}
