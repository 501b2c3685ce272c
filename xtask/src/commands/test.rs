//! `test`: health, connectivity, isolation and the smoke scenarios, and one table over all of them.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::cli::Context;
use crate::commands::isolated::Isolated;
use crate::commands::{health, smoke};
use crate::error::{Failure, Outcome, Result};
use crate::run::connect::{self, Finding, Verdict, Wanted};
use crate::run::containers::{self, Depth, Seen};
use crate::run::docker::Docker;
use crate::run::junit::{self, Case, CaseResult, Suite};
use crate::run::scenario::{Played, Scenario};
use crate::run::setup::Setup;
use crate::ui::{self, Ui};

/// Its arguments.
pub fn command() -> Command {
    Command::new("test")
        .about("Health, connectivity, isolation and smoke tests of what runs, or of an environment of their own")
        .long_about(
            "Health, connectivity, isolation and smoke tests of what runs, in that order.\n\n\
             With `--env test`, where nothing of that environment runs: builds and starts it beside everything else, \
             tests it, and removes it with all that it made.\n\n\
             Connectivity and isolation are tried from inside each service's own network, as \
             `tests/connectivity.yaml` of the setup says; `schemas/connectivity.schema.json` of the xtask describes \
             the format for editors. Exits with 1 when one of them fails.",
        )
        .arg(smoke::junit_arg())
        .arg(
            Arg::new("keep").long("keep").action(ArgAction::SetTrue).help(
                "Leave what was started for the tests, for a look at it",
            ),
        )
        .arg(super::env_arg())
}

/// Runs all tests, and answers whether all passed.
pub fn run(context: &Context, arguments: &ArgMatches) -> Result<Outcome> {
    match Isolated::start(context, arguments.get_flag("keep"))? {
        Some(own) => own.end(test(context, arguments)),
        None => test(context, arguments),
    }
}

fn test(context: &Context, arguments: &ArgMatches) -> Result<Outcome> {
    let setup = Setup::read(&context.out, &context.out_name(), &context.env)?;
    let asked = Asked {
        scenarios: smoke::scenarios(&setup, &[])?,
        wanted: Wanted::load(&setup.out, &setup.shown)?,
        setup,
    };
    let docker = Docker::find(context.ui)?;
    let Some(tested) = asked.test(context.ui, &docker)? else {
        return Err(health::nothing_runs(&asked.setup).into());
    };
    if let Some(path) = arguments.get_one::<PathBuf>("junit") {
        junit::write(path, &tested.suites())?;
    }
    Ok(tested.tell(context.ui))
}

/// What is to be tested.
struct Asked {
    setup: Setup,
    scenarios: Vec<Scenario>,
    wanted: Option<Wanted>,
}

/// What came of it, in the order of the tests.
struct Tested {
    health: Suite,
    findings: Vec<Finding>,
    played: Vec<Played>,
}

impl Asked {
    /// Runs the tests, and shows each failure where it happens; `None` where nothing runs.
    fn test(&self, ui: Ui, docker: &Docker) -> Result<Option<Tested>> {
        let project = &self.setup.project;
        let seen = containers::look(docker, project, Depth::Unwell)?;
        if seen.containers.is_empty() {
            return Ok(None);
        }
        let containers = ui::count(seen.containers.len(), "container");
        ui.status("Checked", format_args!("{containers} and {}", ui::count(seen.answers.len(), "endpoint")));
        let health = health_suite(&self.setup, &seen);
        health::problems(&self.setup, &seen).iter().for_each(|(_, failure)| ui.error(failure));
        let findings = match &self.wanted {
            Some(wanted) => connect::test(docker, &self.setup, wanted, &seen.containers)?,
            None => Vec::new(),
        };
        self.tell_findings(ui, &findings);
        if self.scenarios.is_empty() {
            ui.warn(smoke::no_scenarios(&self.setup));
        }
        let played = smoke::play(ui, docker, &self.scenarios, &seen.containers)?;
        Ok(Some(Tested { health, findings, played }))
    }

    fn tell_findings(&self, ui: Ui, findings: &[Finding]) {
        if self.wanted.is_none() {
            ui.warn(
                Failure::new("nothing says who has to reach whom")
                    .at(format!("{}/{}", self.setup.shown, connect::FILE))
                    .fix("cargo xtask integrate"),
            );
            return;
        }
        let of = |suite| findings.iter().filter(|finding| finding.suite == suite).count();
        let (ways, walls) = (of(connect::CONNECTIVITY), of(connect::ISOLATION));
        ui.status(
            "Tried",
            format_args!("{} and {}", ui::count(ways, "connection"), ui::count(walls, "separation")),
        );
        for finding in findings {
            match &finding.verdict {
                Verdict::Passed => {}
                Verdict::Skipped(why) => ui.status("Skipped", format_args!("{} ({why})", finding.name)),
                Verdict::Failed(failure) => ui.error(failure),
            }
        }
    }
}

impl Tested {
    /// As JUnit has them: one suite for each kind of test, and one for each scenario.
    fn suites(&self) -> Vec<Suite> {
        let suite = |name: &str| Suite {
            name: name.to_owned(),
            file: String::new(),
            cases: self.findings.iter().filter(|finding| finding.suite == name).map(case).collect(),
        };
        let mut suites = vec![self.health.clone(), suite(connect::CONNECTIVITY), suite(connect::ISOLATION)];
        suites.retain(|suite| !suite.cases.is_empty());
        suites.extend(smoke::suites(&self.played));
        suites
    }

    /// The table and the last line.
    fn tell(&self, ui: Ui) -> Outcome {
        let mut rows: Vec<[String; 4]> = self.health.cases.iter().map(|one| row("health", one)).collect();
        rows.extend(self.findings.iter().map(|finding| row(finding.suite, &case(finding))));
        rows.extend(self.played.iter().map(|played| {
            let [name, result, _, time] = smoke::row(played);
            ["smoke".to_owned(), name, result, time]
        }));
        let with = |word: &str| rows.iter().filter(|row| row[2] == word).count();
        let (passed, skipped) = (with("passed"), with("skipped"));
        let failed = rows.len() - passed - skipped;
        let lines: Vec<Vec<String>> = rows.iter().map(|row| row.to_vec()).collect();
        ui.data(ui::table(&["Test", "Of", "Result", "Time"], &lines));
        if failed > 0 {
            ui.status_bad("Failed", format_args!("{failed} of {}", ui::count(rows.len(), "test")));
            return Outcome::No;
        }
        let skipped = if skipped > 0 { format!(", {skipped} skipped") } else { String::new() };
        ui.status("Finished", format_args!("{} passed{skipped}", ui::count(passed, "test")));
        Outcome::Done
    }
}

/// A case per container, with the time of its endpoint.
fn health_suite(setup: &Setup, seen: &Seen) -> Suite {
    let failures = health::problems(setup, seen);
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

fn case(finding: &Finding) -> Case {
    let result = match &finding.verdict {
        Verdict::Passed => CaseResult::Passed,
        Verdict::Failed(failure) => CaseResult::Failed(failure.to_string()),
        Verdict::Skipped(why) => CaseResult::Skipped(why.clone()),
    };
    Case { name: finding.name.clone(), took: finding.took, result }
}

fn row(suite: &str, case: &Case) -> [String; 4] {
    let result = match &case.result {
        CaseResult::Passed => "passed",
        CaseResult::Failed(_) => "failed",
        CaseResult::Skipped(_) => "skipped",
    };
    [suite.to_owned(), case.name.clone(), result.to_owned(), format!("{} ms", case.took.as_millis())]
}
