//! `smoke`: plays the end-to-end scenarios of the setup against what runs.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use clap::{Arg, ArgMatches, Command};

use crate::cli::Context;
use crate::commands::health;
use crate::error::{Failure, Outcome, Result};
use crate::run::docker::Docker;
use crate::run::junit::{self, Case, CaseResult, Suite};
use crate::run::pause::pause;
use crate::run::scenario::{self, Played, PlayedStep, Player, Scenario, Verdict};
use crate::run::setup::Setup;
use crate::run::state::{self, Container};
use crate::run::{containers, http, log_lines, signals};
use crate::ui::{self, Ui};

/// Where the scenarios lie in the setup.
const FOLDER: &str = "tests/smoke";

/// How one is written, for `--help`; a test reads it.
const EXAMPLE: &str = "\
name: order flow
steps:
  - name: register a user
    service: accounts
    request: { method: POST, path: /users, json: { email: \"ann-${run}@example.org\" } }
    expect:
      status: 201                  # one, a list, or a class such as 2xx, which is the default
      json: { $.id: { type: integer } }
    capture: { user_id: $.id }     # for the steps that follow
  - name: place an order
    service: trading
    request: { method: POST, path: /orders, json: { user_id: \"${user_id}\" } }
    retry: { times: 10, every: 500ms }
cleanup:                           # always played, last
  - { service: accounts, request: { method: DELETE, path: \"/users/${user_id}\" } }
";

/// Its arguments.
pub fn command() -> Command {
    Command::new("smoke")
        .about("Play the end-to-end scenarios against what runs")
        .long_about(
            "Play the end-to-end scenarios in `tests/smoke/*.yaml` of the setup against what runs.\n\n\
             A scenario is a list of requests with what must come back; `schemas/scenario.schema.json` of the xtask \
             describes the format for editors. Exits with 1 when a scenario fails.",
        )
        .after_long_help(format!("A scenario:\n\n{}", indented(EXAMPLE)))
        .arg(Arg::new("name").value_name("NAME").num_args(0..).help("Scenarios, by name or by file without `.yaml`"))
        .arg(junit_arg())
        .arg(super::env_arg())
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

/// `--junit FILE`.
pub(super) fn junit_arg() -> Arg {
    Arg::new("junit")
        .long("junit")
        .value_name("FILE")
        .value_parser(clap::value_parser!(PathBuf))
        .help("Write a JUnit XML report, too")
}

/// Plays the scenarios, and answers whether all passed.
pub fn run(context: &Context, arguments: &ArgMatches) -> Result<Outcome> {
    let names: Vec<String> = arguments.get_many("name").unwrap_or_default().cloned().collect();
    let setup = Setup::read(&context.out, &context.out_name(), &context.env)?;
    let scenarios = scenarios(&setup, &names)?;
    let mut played = Vec::new();
    if scenarios.is_empty() {
        context.ui.warn(no_scenarios(&setup));
    } else {
        let docker = Docker::find(context.ui)?;
        let containers = state::containers(&docker, &setup.project)?;
        if containers.is_empty() {
            return Err(health::nothing_runs(&setup).into());
        }
        played = play(context.ui, &docker, &scenarios, &containers)?;
    }
    if let Some(path) = arguments.get_one::<PathBuf>("junit") {
        junit::write(path, &suites(&played))?;
    }
    if played.is_empty() {
        return Ok(Outcome::Done);
    }
    let rows: Vec<Vec<String>> = played.iter().map(|played| row(played).to_vec()).collect();
    context.ui.data(ui::table(&["Scenario", "Result", "Steps", "Time"], &rows));
    finish(context.ui, &played)
}

/// The scenarios that were asked for.
pub(super) fn scenarios(setup: &Setup, names: &[String]) -> Result<Vec<Scenario>> {
    let shown = format!("{}/{FOLDER}", setup.shown);
    scenario::select(scenario::load(&setup.out.join(FOLDER), &shown)?, names)
}

/// The warning about a setup without scenarios.
pub(super) fn no_scenarios(setup: &Setup) -> Failure {
    Failure::new("there are no scenarios")
        .at(format!("{}/{FOLDER}", setup.shown))
        .why("one is generated for each service with a health route over HTTP; all others are yours to write")
        .fix("cargo xtask smoke --help, which shows how; or cargo xtask integrate, where such a service is new")
}

/// Plays them in order, with a line per step; failures are shown where they happen.
pub(super) fn play(
    ui: Ui,
    docker: &Docker,
    scenarios: &[Scenario],
    containers: &[Container],
) -> Result<Vec<Played>> {
    let remote = crate::run::remote::host();
    let player = Player {
        base_url: &|service, port| containers::base_url(containers, service, port, remote.as_deref()),
        send: &http::send,
        pause: &pause,
        done: &|step| tell(ui, step),
    };
    let run = unique()?;
    let mut all = Vec::new();
    for scenario in scenarios {
        ui.status("Playing", format_args!("{} ({})", scenario.name, scenario.file));
        let started = SystemTime::now();
        let mut played = player.play(scenario, &run);
        add_logs(docker, scenario, &mut played, containers, started);
        for (step, fault) in played.failures() {
            ui.error(scenario::explain(&played.name, &played.file, step, fault));
        }
        let stopped = played.stopped;
        all.push(played);
        if stopped || signals::received() {
            return Err(signals::interrupted());
        }
    }
    Ok(all)
}

/// What the asked service and those it waits for printed since the failed step began.
fn add_logs(
    docker: &Docker,
    scenario: &Scenario,
    played: &mut Played,
    containers: &[Container],
    started: SystemTime,
) {
    let took: Vec<Duration> = played.steps.iter().map(|step| step.took).collect();
    let steps: Vec<&scenario::Step> = scenario.steps.iter().chain(&scenario.cleanup).collect();
    let running = |name: &str| {
        containers.iter().find(|container| container.service == name && !container.is_one_shot())
    };
    for (at, fault) in played.faults_mut() {
        let Some(asked) = steps.get(at).and_then(|step| running(&step.service)) else { continue };
        let since = started + took[..at].iter().sum::<Duration>();
        let needed = asked.depends_on.iter().filter_map(|(name, _)| running(name));
        let lines = |one: &Container| (one.service.clone(), log_lines::since(docker, &one.id, since));
        fault.logs = std::iter::once(asked).chain(needed).map(lines).collect();
    }
}

fn tell(ui: Ui, step: &PlayedStep) {
    let name = if step.cleanup { format!("{} (clean-up)", step.name) } else { step.name.clone() };
    match &step.verdict {
        Verdict::Passed if step.tries > 1 => {
            ui.status("Passed", format_args!("{name} ({}, {} tries)", millis(step), step.tries));
        }
        Verdict::Passed => ui.status("Passed", format_args!("{name} ({})", millis(step))),
        Verdict::Skipped(why) => ui.status("Skipped", format_args!("{name} ({why})")),
        Verdict::Failed(_) => ui.status_bad("Failed", format_args!("{name} ({})", millis(step))),
    }
}

fn millis(step: &PlayedStep) -> String {
    format!("{} ms", step.took.as_millis())
}

/// Nine digits: no service changes their case, and they fit wherever an identifier does.
fn unique() -> Result<String> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(|why| Failure::new("the system gives no random numbers").why(why))?;
    Ok(format!("{:09}", u64::from_le_bytes(bytes) % 1_000_000_000))
}

/// The last line, and the answer.
pub(super) fn finish(ui: Ui, played: &[Played]) -> Result<Outcome> {
    let failed = played.iter().filter(|played| !played.passed()).count();
    let all = ui::count(played.len(), "scenario");
    if failed > 0 {
        ui.status_bad("Failed", format_args!("{failed} of {all}"));
        return Ok(Outcome::No);
    }
    ui.status("Finished", format_args!("{all} passed"));
    Ok(Outcome::Done)
}

/// Name, result, steps and time of a scenario.
pub(super) fn row(played: &Played) -> [String; 4] {
    let result = match played.failures().next() {
        Some((step, _)) => format!("failed at `{}`", step.name),
        None => "passed".to_owned(),
    };
    let passed = played.steps.iter().filter(|step| step.verdict == Verdict::Passed).count();
    let steps = format!("{passed} of {}", played.steps.len());
    [played.name.clone(), result, steps, format!("{} ms", played.took().as_millis())]
}

/// One suite a scenario, one case a step.
pub(super) fn suites(played: &[Played]) -> Vec<Suite> {
    let suite = |played: &Played| Suite {
        name: played.name.clone(),
        file: played.file.clone(),
        cases: played.steps.iter().map(|step| case(played, step)).collect(),
    };
    played.iter().map(suite).collect()
}

fn case(played: &Played, step: &PlayedStep) -> Case {
    let result = match &step.verdict {
        Verdict::Passed => CaseResult::Passed,
        Verdict::Skipped(why) => CaseResult::Skipped(why.clone()),
        Verdict::Failed(fault) => {
            CaseResult::Failed(scenario::explain(&played.name, &played.file, step, fault))
        }
    };
    Case { name: step.name.clone(), took: step.took, result }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_help_is_a_scenario() {
        let read = scenario::parse(EXAMPLE, "example.yaml").expect("a scenario");
        assert_eq!((read.steps.len(), read.cleanup.len()), (2, 1));
    }
}
