//! Why a service did not come up, as one failure with all that is known; judges nothing that it cannot show.

use std::time::Duration;

use crate::error::{Failure, Result};
use crate::run::docker::{Docker, last_lines};
use crate::run::setup::{COMPOSE_FILE, Setup, read_text};
use crate::run::spec::Spec;
use crate::run::state::{self, Container, Details, State};
use crate::run::wait::Cause;
use crate::ui::list;

/// How many of the last log lines are shown.
const LOG_LINES: usize = 20;
/// How long a shell may take to start.
const SHELL_LIMIT: Duration = Duration::from_secs(3);
/// How many lines of a health check's output.
const CHECK_LINES: usize = 5;

/// All that is known of a service that did not come up.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// The Compose service.
    pub service: String,
    /// What the wait saw; `None` at the end of the time.
    pub cause: Option<Cause>,
    /// Its container, if one was made.
    pub container: Option<Container>,
    /// What `inspect` says of it.
    pub details: Details,
    /// The last lines of its log since its last start.
    pub log: Vec<String>,
    /// The services that wait for it.
    pub dependants: Vec<String>,
    /// It runs, and its image has a shell to look around with.
    pub has_shell: bool,
}

/// A cause that is known by its traces, and what mends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// One line.
    pub why: String,
    /// An exact command or key.
    pub fix: String,
}

/// Known causes, the most certain first: each looks at the evidence and says nothing where it is not sure.
pub const KNOWN: &[fn(&Evidence) -> Option<Known>] = &[];

/// Gathers what the engine knows of a service.
///
/// # Errors
/// When the engine does not answer.
pub fn gather(
    docker: &Docker,
    setup: &Setup,
    spec: &Spec,
    service: &str,
    cause: Option<Cause>,
) -> Result<Evidence> {
    let containers = state::containers(docker, &setup.project)?;
    let container = containers.into_iter().find(|container| container.service == service);
    let details = match &container {
        Some(container) => state::details(docker, [container.id.as_str()])?.pop().unwrap_or_default(),
        None => Details::default(),
    };
    let log = match &container {
        Some(container) => log(docker, &container.id, &details.started_at)?,
        None => Vec::new(),
    };
    let dependants = spec.dependants(service).into_iter().map(str::to_owned).collect();
    let running = container.as_ref().filter(|container| container.state == State::Running);
    let has_shell = running.is_some_and(|container| has_shell(docker, &container.id));
    Ok(Evidence { service: service.to_owned(), cause, container, details, log, dependants, has_shell })
}

/// Only decides which command is suggested, so that no answer is as good as a no.
fn has_shell(docker: &Docker, id: &str) -> bool {
    let answer = docker.command(["exec", id, "sh", "-c", "exit 0"]).output_within(SHELL_LIMIT);
    matches!(answer, Ok(Some(output)) if output.code == 0)
}

/// The last lines since the last start: the container of a one-shot is started again by each `up`.
fn log(docker: &Docker, id: &str, since: &str) -> Result<Vec<String>> {
    let mut command = docker.command(["logs", "--tail", "200"]);
    if !since.is_empty() && !since.starts_with("0001-") {
        command = command.args(["--since", since]);
    }
    // Both streams in the order in which they were written.
    let child = command.arg(id).start()?;
    let mut lines = Vec::new();
    loop {
        let new = child.new_lines(Duration::from_millis(200));
        if new.is_empty() && child.ended().is_some() {
            break;
        }
        lines.extend(new);
    }
    let text = lines.join("\n");
    Ok(last_lines(&text, LOG_LINES).into_iter().map(str::to_owned).collect())
}

/// The screen for a service that did not come up; `waited` is the time that is over, when it is.
pub fn failure(setup: &Setup, evidence: &Evidence, waited: Option<&str>, others: &[String]) -> Failure {
    let mut failure = Failure::new(headline(evidence, waited)).at(place(setup, &evidence.service));
    let known = KNOWN.iter().find_map(|rule| rule(evidence));
    if let Some(known) = &known {
        failure = failure.why(&known.why);
    }
    if let Some(text) = code_text(evidence) {
        failure = failure.why(text);
    }
    if !evidence.details.error.is_empty() {
        failure = failure.why(&evidence.details.error);
    }
    failure = with_check(failure, evidence);
    failure = with_log(failure, evidence);
    if !evidence.dependants.is_empty() {
        let verb = if evidence.dependants.len() == 1 { "waits" } else { "wait" };
        failure = failure.why(format!("{} {verb} for it", list(&evidence.dependants)));
    }
    if !others.is_empty() {
        failure = failure.why(format!("not ready either: {}", list(others)));
    }
    failure.fix(known.map(|known| known.fix).unwrap_or_else(|| next_command(setup, evidence)))
}

fn headline(evidence: &Evidence, waited: Option<&str>) -> String {
    let service = &evidence.service;
    match (evidence.cause, waited) {
        (Some(Cause::Exited(0)), _) => format!("`{service}` ended, though it should keep running"),
        (Some(Cause::Exited(code)), _) => format!("`{service}` ended with exit code {code}"),
        (Some(Cause::Unhealthy), _) => format!("`{service}` is unhealthy"),
        (Some(Cause::Loop { code, restarts }), _) => {
            format!("`{service}` ends with exit code {code} again and again ({restarts} restarts)")
        }
        (Some(Cause::NotStarted), _) => format!("`{service}` could not be started"),
        (None, Some(waited)) if evidence.container.is_none() => {
            format!("`{service}` was not even started within {waited}")
        }
        (None, Some(waited)) => format!("`{service}` is not ready after {waited}"),
        (None, None) => format!("`{service}` is not ready"),
    }
}

fn code_text(evidence: &Evidence) -> Option<String> {
    if evidence.details.out_of_memory {
        return Some("it was killed because its memory ran out".to_owned());
    }
    match evidence.cause? {
        Cause::Exited(code) | Cause::Loop { code, .. } => {
            meaning(code).map(|meaning| format!("exit code {code}: {meaning}"))
        }
        Cause::Unhealthy | Cause::NotStarted => None,
    }
}

/// What an exit code says by convention; `None` where only the program knows.
pub fn meaning(code: i32) -> Option<&'static str> {
    Some(match code {
        125 => "Docker itself failed to run it",
        126 => "its command was found and cannot be executed (no right, or made for another processor)",
        127 => "its command was not found in the image",
        134 => "it aborted itself (SIGABRT)",
        137 => "it was killed (SIGKILL): memory ran out, or it did not end when asked to",
        139 => "it read or wrote memory that is not its own (SIGSEGV)",
        143 => "it was asked to end (SIGTERM)",
        _ => return None,
    })
}

fn with_check(mut failure: Failure, evidence: &Evidence) -> Failure {
    let details = &evidence.details;
    let Some(code) = details.check_exit_code else { return failure };
    if code == 0 && details.failing_streak == 0 {
        return failure;
    }
    let streak = match details.failing_streak {
        0 | 1 => String::new(),
        streak => format!(", {streak} in a row failed"),
    };
    failure = failure.why(format!("its last health check ended with exit code {code}{streak}"));
    for line in first_and_last(&details.check_output, CHECK_LINES) {
        failure = failure.why(format!("| {line}"));
    }
    failure
}

/// A program that does not like its arguments says so in the first line, a stack trace in the last one.
fn first_and_last(text: &str, count: usize) -> Vec<&str> {
    let all: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    match all.split_first() {
        Some((first, rest)) if rest.len() >= count => {
            [&[*first, "…"], &rest[rest.len() + 2 - count..]].concat()
        }
        _ => all,
    }
}

fn with_log(mut failure: Failure, evidence: &Evidence) -> Failure {
    if evidence.container.is_none() {
        return failure;
    }
    if evidence.log.is_empty() {
        return failure.why("its log is empty");
    }
    failure = failure.why("its last log lines:");
    for line in &evidence.log {
        failure = failure.why(format!("| {line}"));
    }
    failure
}

fn next_command(setup: &Setup, evidence: &Evidence) -> String {
    let service = &evidence.service;
    let Some(container) = &evidence.container else { return setup.xtask("status") };
    match evidence.cause {
        Some(Cause::Unhealthy) | None if evidence.has_shell && !container.is_one_shot() => {
            setup.xtask(&format!("exec {service}"))
        }
        _ => setup.xtask(&format!("logs {service}")),
    }
}

/// Where the service stands in the base file.
fn place(setup: &Setup, service: &str) -> String {
    let file = setup.out.join(COMPOSE_FILE);
    let shown = setup.shown_file(&file);
    let text = read_text(&file).ok().flatten().unwrap_or_default();
    match service_line(&text, service) {
        Some(line) => format!("{shown}:{line}"),
        None => shown,
    }
}

fn service_line(text: &str, service: &str) -> Option<usize> {
    let mut inside = false;
    for (index, line) in text.lines().enumerate() {
        if !line.starts_with([' ', '#']) && !line.is_empty() {
            inside = line.starts_with("services:");
        }
        let key = line.trim().trim_end_matches(':').trim_matches(['"', '\'']);
        if inside && line.starts_with(' ') && line.trim_end().ends_with(':') && key == service {
            return Some(index + 1);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setup() -> Setup {
        Setup {
            out: "/nowhere/integration".into(),
            shown: "integration".to_owned(),
            env: "dev".to_owned(),
            files: Vec::new(),
            env_file: "/nowhere/integration/.env".into(),
            env_text: String::new(),
            project: "shop-1a2b".to_owned(),
            overlay: None,
        }
    }

    fn evidence(cause: Option<Cause>) -> Evidence {
        let ps = r#"{"id":"a1","name":"p-api-1","image":"i","state":"running","status":"","ports":"","created":"","service":"api","depends_on":"","role":"","kind":"","main":"","health":""}"#;
        Evidence {
            service: "api".to_owned(),
            cause,
            container: state::parse_ps(ps).unwrap().pop(),
            details: Details::default(),
            log: vec!["listening".to_owned(), "boom".to_owned()],
            dependants: vec!["web".to_owned(), "worker".to_owned()],
            has_shell: true,
        }
    }

    #[test]
    fn a_dead_service_shows_code_log_and_who_waits() {
        let text = failure(&setup(), &evidence(Some(Cause::Exited(127))), None, &[]).to_string();
        assert_eq!(
            text,
            "`api` ended with exit code 127\n  at integration/docker-compose.yml\n  \
             why: exit code 127: its command was not found in the image\n       its last log lines:\n       \
             | listening\n       | boom\n       web and worker wait for it\n  fix: cargo xtask logs api"
        );
    }

    #[test]
    fn an_unhealthy_service_shows_what_its_check_said() {
        let mut evidence = evidence(Some(Cause::Unhealthy));
        evidence.details.check_exit_code = Some(1);
        evidence.details.failing_streak = 5;
        evidence.details.check_output = "Connection refused".to_owned();
        evidence.log.clear();
        evidence.dependants.clear();
        let text = failure(&setup(), &evidence, None, &["web".to_owned()]).to_string();
        assert_eq!(
            text,
            "`api` is unhealthy\n  at integration/docker-compose.yml\n  \
             why: its last health check ended with exit code 1, 5 in a row failed\n       | Connection refused\n       \
             its log is empty\n       not ready either: web\n  fix: cargo xtask exec api"
        );
    }

    #[test]
    fn long_output_of_a_check_keeps_its_first_line() {
        assert_eq!(first_and_last("1\n2\n\n3\n4\n5\n6\n7", 5), ["1", "…", "5", "6", "7"]);
        assert_eq!(first_and_last("1\n2\n3\n4\n5", 5), ["1", "2", "3", "4", "5"]);
    }

    #[test]
    fn the_next_command_is_one_that_can_help() {
        let mut evidence = evidence(Some(Cause::Unhealthy));
        assert_eq!(next_command(&setup(), &evidence), "cargo xtask exec api");
        evidence.has_shell = false;
        assert_eq!(next_command(&setup(), &evidence), "cargo xtask logs api");
        evidence.has_shell = true;
        evidence.cause = None;
        if let Some(container) = &mut evidence.container {
            container.labels.role = Some(crate::run::labels::Role::OneShot);
        }
        assert_eq!(next_command(&setup(), &evidence), "cargo xtask logs api");
        evidence.container = None;
        assert_eq!(next_command(&setup(), &evidence), "cargo xtask status");
    }

    #[test]
    fn every_cause_has_its_headline() {
        let headlines: Vec<String> = [
            (Some(Cause::Exited(0)), None),
            (Some(Cause::Loop { code: 1, restarts: 3 }), None),
            (Some(Cause::NotStarted), None),
            (None, Some("5m")),
        ]
        .into_iter()
        .map(|(cause, waited)| headline(&evidence(cause), waited))
        .collect();
        assert_eq!(
            headlines,
            [
                "`api` ended, though it should keep running",
                "`api` ends with exit code 1 again and again (3 restarts)",
                "`api` could not be started",
                "`api` is not ready after 5m",
            ]
        );
    }

    #[test]
    fn a_service_is_found_in_the_file_and_not_its_namesakes() {
        let text =
            "networks:\n  api: {}\nservices:\n  web:\n    depends_on:\n      db:\n  api:\n    image: x\n";
        assert_eq!(service_line(text, "api"), Some(7));
        assert_eq!(service_line(text, "nope"), None);
    }
}
