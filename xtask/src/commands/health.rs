//! `health`: state and health of each container and an answer from each endpoint, seen from the host.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::cli::Context;
use crate::commands::project::Project;
use crate::commands::status;
use crate::error::{Failure, Outcome, Result};
use crate::run::containers::{self, Depth, Seen};
use crate::run::docker::Docker;
use crate::run::labels::Health;
use crate::run::pause::pause;
use crate::run::setup::Setup;
use crate::run::state::Container;
use crate::run::{diagnose, duration, signals};
use crate::ui::{self, Ui};

/// Between two looks of `--wait`.
const AGAIN: Duration = Duration::from_millis(300);
/// A container that stays down longer than this is not about to be replaced or started by somebody.
const GONE: Duration = Duration::from_secs(3);

/// Its arguments.
pub fn command() -> Command {
    let flag = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
    };
    Command::new("health")
        .about("State and health of each container, and an answer from each endpoint, seen from the host")
        .long_about(
            "State and health of each container, and an answer from each endpoint, seen from the host.\n\n\
             A gRPC endpoint counts as ready when it speaks HTTP/2; its health service is not asked yet.\n\
             Exits with 1 when something is not healthy, or nothing runs.",
        )
        .arg(flag("json", "Print JSON"))
        .arg(flag("wait", "Wait until everything is healthy"))
        .arg(
            Arg::new("timeout")
                .long("timeout")
                .value_name("TIME")
                .requires("wait")
                .default_value("5m")
                .help("How long --wait waits"),
        )
        .arg(super::env_arg())
}

/// Prints the health, and answers whether everything is well.
pub fn run(context: &Context, arguments: &ArgMatches) -> Result<Outcome> {
    let limit = duration::parse(arguments.get_one::<String>("timeout").map_or("5m", String::as_str))?;
    let json = arguments.get_flag("json");
    let setup = Setup::read(&context.out, &context.out_name(), &context.env)?;
    let docker = Docker::find(context.ui)?;
    let depth = if json { Depth::All } else { Depth::Unwell };
    let mut seen = containers::look(&docker, &setup.project, depth)?;
    if arguments.get_flag("wait") {
        seen = wait(context.ui, &docker, &setup.project, depth, seen, limit)?;
    }
    if json {
        context.ui.data(serde_json::to_string_pretty(&seen.report(false))?);
    } else if !seen.containers.is_empty() {
        context.ui.data(table(&seen));
    }
    if seen.containers.is_empty() {
        context.ui.error(nothing_runs(&setup));
        return Ok(Outcome::No);
    }
    if !seen.healthy() {
        let spec = Project { docker: docker.clone(), setup: setup.clone() }.spec().ok();
        for (_, failure) in diagnose::system::problems(&docker, &setup, spec.as_ref(), &seen)? {
            context.ui.error(failure);
        }
    }
    Ok(if seen.healthy() { Outcome::Done } else { Outcome::No })
}

fn wait(
    ui: Ui,
    docker: &Docker,
    project: &str,
    depth: Depth,
    mut seen: Seen,
    limit: Duration,
) -> Result<Seen> {
    let end = Instant::now() + limit;
    let mut told = String::new();
    let mut down: BTreeMap<String, Instant> = BTreeMap::new();
    while !seen.healthy() && Instant::now() < end {
        let ended: Vec<String> = seen.ended().map(|container| container.id.clone()).collect();
        down.retain(|id, _| ended.contains(id));
        for id in ended {
            down.entry(id).or_insert_with(Instant::now);
        }
        if down.values().any(|since| since.elapsed() >= GONE) {
            ui.warn("what has ended is not started again, so waiting longer is of no use");
            return Ok(seen);
        }
        let now = match seen.containers.is_empty() {
            true => "for the first container".to_owned(),
            false => format!("for {}", ui::list(&seen.unwell())),
        };
        if now != told {
            ui.status("Waiting", &now);
            told = now;
        }
        if !pause(AGAIN.min(end.saturating_duration_since(Instant::now()))) {
            return Err(signals::interrupted());
        }
        seen = containers::look(docker, project, depth)?;
    }
    if !seen.healthy() {
        ui.warn(format_args!("not healthy after {}", duration::show(limit)));
    }
    Ok(seen)
}

/// The error of a command that needs containers where there are none.
pub(super) fn nothing_runs(setup: &Setup) -> Failure {
    Failure::new("nothing runs")
        .why(format!("the engine has no container of project `{}`", setup.project))
        .fix(setup.xtask("up"))
}

fn table(seen: &Seen) -> String {
    let rows: Vec<Vec<String>> = seen
        .containers
        .iter()
        .map(|container| {
            let answer = seen.answers.iter().find(|answer| answer.service == container.service);
            let (endpoint, answer) = match answer {
                // Of a bare connection the time is mostly our own wait whether it stays open.
                Some(answer) if answer.status.is_none() => (answer.url.clone(), answer.message.clone()),
                Some(answer) => (answer.url.clone(), format!("{}, {} ms", answer.message, answer.ms)),
                None => (unasked(container), String::new()),
            };
            vec![container.service.clone(), status::state(container), endpoint, answer]
        })
        .collect();
    // Four columns, so that a line of the usual length fits on 80 columns.
    ui::table(&["Service", "State", "Endpoint", "Answer"], &rows)
}

/// Why no endpoint of a container was asked.
fn unasked(container: &Container) -> String {
    let why = match container.labels.health {
        _ if container.is_one_shot() => "one-shot",
        Some(Health::Process) => "no endpoint",
        _ if container.ports.is_empty() => "not published",
        _ => "-",
    };
    why.to_owned()
}

/// What is known about every service that is not well without asking again, containers before endpoints.
pub(super) fn problems(setup: &Setup, seen: &Seen) -> Vec<(String, Failure)> {
    let unwell = seen.containers.iter().filter(|container| !seen.is_well(container));
    let mut failures: Vec<(String, Failure)> =
        unwell.map(|container| (container.service.clone(), problem(setup, seen, container))).collect();
    for answer in seen.answers.iter().filter(|answer| !answer.healthy) {
        let of_unwell =
            |container: &&Container| container.service == answer.service && !seen.is_well(container);
        if seen.containers.iter().any(|container| of_unwell(&container)) {
            continue;
        }
        let failure = Failure::new(format!("`{}` does not answer as it should", answer.service))
            .why(format!("{}: {}", answer.url, answer.message));
        failures
            .push((answer.service.clone(), failure.fix(setup.xtask(&format!("logs {}", answer.service)))));
    }
    failures
}

fn problem(setup: &Setup, seen: &Seen, container: &Container) -> Failure {
    let service = &container.service;
    let mut failure = Failure::new(format!("`{service}` is not well: {}", container.status.to_lowercase()));
    if let Some(details) = seen.details_of(container) {
        if !details.error.is_empty() {
            failure = failure.why(&details.error);
        }
        if details.out_of_memory {
            failure = failure.why("it was ended because memory ran out");
        }
        if details.restarts > 0 {
            failure = failure.why(format!("started again {}", times(details.restarts)));
        }
        if !details.check_output.is_empty() {
            failure = failure.why(format!("last health check: {}", last_line(&details.check_output)));
        }
    }
    for answer in seen.answers.iter().filter(|answer| &answer.service == service && !answer.healthy) {
        failure = failure.why(format!("{}: {}", answer.url, answer.message));
    }
    failure.fix(setup.xtask(&format!("logs {service}")))
}

fn times(count: u32) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

fn last_line(text: &str) -> &str {
    text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default().trim()
}
