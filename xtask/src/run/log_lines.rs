//! What containers printed: since some moment, for the texts of failures, and as one stream in the order of time.
//! Reads only.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::error::Failure;
use crate::run::docker::Docker;
use crate::run::pause::pause;

/// How much of it is shown.
const LINES: usize = 8;
/// So long before a failure its cause may have been logged.
const BEFORE: Duration = Duration::from_millis(500);
const AGAIN: Duration = Duration::from_millis(300);
const LIMIT: Duration = Duration::from_secs(5);

/// The last lines since that moment, in the order of their time; none where the engine does not answer.
pub fn since(docker: &Docker, container: &str, moment: SystemTime) -> Vec<String> {
    let since = moment.checked_sub(BEFORE).and_then(|moment| moment.duration_since(UNIX_EPOCH).ok());
    let since = since.unwrap_or_default();
    let since = format!("{}.{:09}", since.as_secs(), since.subsec_nanos());
    let command = docker.command(["logs", "--timestamps", "--since", &since, container]);
    let ask = || match command.output_within(LIMIT) {
        Ok(Some(output)) => in_order(&output.stdout, &output.stderr),
        Ok(None) | Err(_) => Vec::new(),
    };
    let mut lines = ask();
    // What was printed a moment ago may still be on its way to the engine's log.
    if lines.is_empty() && pause(AGAIN) {
        lines = ask();
    }
    lines.drain(..lines.len().saturating_sub(LINES));
    lines
}

/// Both streams as one; each line begins with its time, which goes.
fn in_order(stdout: &str, stderr: &str) -> Vec<String> {
    let mut lines: Vec<(&str, &str)> =
        stdout.lines().chain(stderr.lines()).map(|line| line.split_once(' ').unwrap_or((line, ""))).collect();
    lines.sort_by_key(|(time, _)| *time);
    lines.into_iter().map(|(_, text)| text.trim_end().to_owned()).filter(|text| !text.is_empty()).collect()
}

/// A line as `docker compose logs --timestamps` prints it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'l> {
    /// The Compose service.
    pub service: &'l str,
    /// What was printed.
    pub text: &'l str,
    time: &'l str,
}

/// Lines of several containers by their times; one without a time stays behind the line before it.
pub fn in_time_order<'l>(lines: impl Iterator<Item = &'l str>) -> Vec<Line<'l>> {
    let mut all: Vec<Line<'_>> = Vec::new();
    for line in lines {
        let Some((name, rest)) = line.split_once('|') else { continue };
        let rest = rest.strip_prefix(' ').unwrap_or(rest);
        let (time, text) = rest.split_once(' ').unwrap_or((rest, ""));
        let is_time = time.ends_with('Z') && time.as_bytes().get(10) == Some(&b'T');
        let last = all.last().map_or("", |line| line.time);
        let (time, text) = if is_time { (time, text) } else { (last, rest) };
        all.push(Line { service: service(name.trim_end()), text, time });
    }
    all.sort_by_key(|line| line.time);
    all
}

/// `accounts-1` is a container of `accounts`.
fn service(container: &str) -> &str {
    match container.rsplit_once('-') {
        Some((service, number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => service,
        _ => container,
    }
}

/// A failure with what a service said meanwhile.
#[must_use]
pub fn add(failure: Failure, service: &str, lines: &[String]) -> Failure {
    if lines.is_empty() {
        return failure;
    }
    let failure = failure.why(format!("{service} said meanwhile:"));
    lines.iter().fold(failure, |failure, line| failure.why(format!("  {line}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_streams_are_one_in_the_order_of_time() {
        let stdout = "2026-01-01T00:00:00.1Z one\n2026-01-01T00:00:00.3Z three\n";
        let stderr = "2026-01-01T00:00:00.2Z two\n2026-01-01T00:00:00.4Z \n";
        assert_eq!(in_order(stdout, stderr), ["one", "two", "three"]);
    }

    #[test]
    fn lines_of_several_containers_become_one_stream() {
        let printed = [
            "api-1       | 2026-01-01T00:00:00.2Z second | half",
            "api-1       | 2026-01-01T00:00:00.4Z fourth",
            "my-db-1     | 2026-01-01T00:00:00.1Z first",
            "my-db-1     | 2026-01-01T00:00:00.3Z third",
            "my-db-1     |   and what belongs to it",
        ];
        let lines = in_time_order(printed.into_iter());
        let lines: Vec<(&str, &str)> = lines.iter().map(|line| (line.service, line.text)).collect();
        assert_eq!(
            lines,
            [
                ("my-db", "first"),
                ("api", "second | half"),
                ("my-db", "third"),
                ("my-db", "  and what belongs to it"),
                ("api", "fourth"),
            ]
        );
    }

    #[test]
    fn a_service_that_said_nothing_is_not_named() {
        assert_eq!(add(Failure::new("x"), "api", &[]), Failure::new("x"));
        let said = add(Failure::new("x"), "api", &["boom".to_owned()]);
        assert_eq!(said.to_string(), "x\n  why: api said meanwhile:\n         boom");
    }
}
