//! What `docker inspect` adds to the list of containers; reads only, and judges nothing.

use std::time::Duration;

use serde::Deserialize;

use crate::error::{Failure, Result};
use crate::run::docker::Docker;

/// The engine's own, for a health check that gives none.
const CHECK_TIMEOUT: Duration = Duration::from_secs(30);
/// As well.
const CHECK_RETRIES: u32 = 3;

/// What `docker inspect` adds to a container that is not plainly well.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Details {
    /// All 64 digits.
    pub id: String,
    /// The exit code of its last end.
    pub exit_code: i32,
    /// The kernel ended it because memory ran out.
    pub out_of_memory: bool,
    /// Why the engine could not start it; mostly empty.
    pub error: String,
    /// How often the engine started it again.
    pub restarts: u32,
    /// RFC 3339, of its last start.
    pub started_at: String,
    /// RFC 3339, of its last end.
    pub finished_at: String,
    /// What its last health check printed.
    pub check_output: String,
    /// The exit code of its last health check.
    pub check_exit_code: Option<i32>,
    /// What the failed checks before it printed, the latest first; the engine keeps four.
    pub earlier_checks: Vec<String>,
    /// Failed checks in a row.
    pub failing_streak: u32,
    /// How long a health check may take.
    pub check_timeout: Duration,
    /// Failed checks in a row that make it unhealthy.
    pub check_retries: u32,
    /// `sha256:…` of the image it runs.
    pub image_id: String,
}

/// What `docker inspect` says of these containers; those that are gone by now are left out.
///
/// # Errors
/// When the engine does not answer.
pub fn details<'a>(docker: &Docker, ids: impl IntoIterator<Item = &'a str>) -> Result<Vec<Details>> {
    let ids: Vec<&str> = ids.into_iter().collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    parse_inspect(&ask(docker, ids)?)
}

/// The array that `docker inspect` prints for these containers, without those that are gone by now.
///
/// # Errors
/// When the engine does not answer.
pub fn ask<'a>(docker: &Docker, ids: impl IntoIterator<Item = &'a str>) -> Result<String> {
    let command = docker.command(["inspect", "--type", "container"]).args(ids);
    let output = command.output()?;
    // With some containers gone the code is 1 and the others still stand on stdout.
    if output.code != 0 && !output.stderr.contains("No such") {
        return Err(command.failure(&output));
    }
    Ok(output.stdout)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inspected {
    id: String,
    image: String,
    #[serde(default)]
    restart_count: u32,
    state: InspectedState,
    #[serde(default)]
    config: InspectedConfig,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[derive(Default)]
struct InspectedState {
    exit_code: i32,
    #[serde(rename = "OOMKilled")]
    oom_killed: bool,
    error: String,
    started_at: String,
    finished_at: String,
    health: Option<InspectedHealth>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InspectedHealth {
    #[serde(default)]
    failing_streak: u32,
    log: Option<Vec<InspectedCheck>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InspectedCheck {
    exit_code: i32,
    #[serde(default)]
    output: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
struct InspectedConfig {
    healthcheck: Option<InspectedHealthcheck>,
}

/// 0 stands for the engine's default.
#[derive(Deserialize, Default, Clone, Copy)]
#[serde(rename_all = "PascalCase", default)]
struct InspectedHealthcheck {
    /// In nanoseconds.
    timeout: u64,
    retries: u32,
}

/// The variables of a container, as its process got them.
///
/// # Errors
/// When the engine does not answer, or the container is gone.
pub fn environment(docker: &Docker, id: &str) -> Result<Vec<(String, String)>> {
    let text =
        docker.command(["inspect", "--type", "container", "--format", "{{json .Config.Env}}", id]).ask()?;
    let pairs: Option<Vec<String>> = serde_json::from_str(&text)
        .map_err(|why| Failure::new("cannot understand what `docker inspect` prints").why(why))?;
    let pair = |pair: &String| pair.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    Ok(pairs.iter().flatten().filter_map(pair).collect())
}

/// Reads the array that `docker inspect` prints.
///
/// # Errors
/// When it is something else.
pub fn parse_inspect(json: &str) -> Result<Vec<Details>> {
    let all: Vec<Inspected> = serde_json::from_str(json)
        .map_err(|why| Failure::new("cannot understand what `docker inspect` prints").why(why))?;
    Ok(all.into_iter().map(inspected).collect())
}

fn inspected(raw: Inspected) -> Details {
    let checks = raw.state.health.as_ref().and_then(|health| health.log.as_deref()).unwrap_or_default();
    let last = checks.last();
    let healthcheck = raw.config.healthcheck.unwrap_or_default();
    let earlier = checks.iter().rev().skip(1).filter(|check| check.exit_code != 0);
    Details {
        check_output: last.map(|check| check.output.trim().to_owned()).unwrap_or_default(),
        check_exit_code: last.map(|check| check.exit_code),
        earlier_checks: earlier.map(|check| check.output.trim().to_owned()).collect(),
        failing_streak: raw.state.health.as_ref().map_or(0, |health| health.failing_streak),
        check_timeout: match healthcheck.timeout {
            0 => CHECK_TIMEOUT,
            nanoseconds => Duration::from_nanos(nanoseconds),
        },
        check_retries: match healthcheck.retries {
            0 => CHECK_RETRIES,
            retries => retries,
        },
        id: raw.id,
        exit_code: raw.state.exit_code,
        out_of_memory: raw.state.oom_killed,
        error: raw.state.error,
        restarts: raw.restart_count,
        started_at: raw.state.started_at,
        finished_at: raw.state.finished_at,
        image_id: raw.image,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_are_read_with_and_without_health() {
        let all = parse_inspect(
            r#"[{"Id":"a","Image":"sha256:1","RestartCount":3,"State":{"ExitCode":137,"OOMKilled":true,"Error":"","StartedAt":"s","FinishedAt":"f",
              "Health":{"FailingStreak":2,"Log":[{"ExitCode":0,"Output":"old"},{"ExitCode":1,"Output":"late"},{"ExitCode":1,"Output":"refused\n"}]}},
              "Config":{"Healthcheck":{"Test":["CMD","x"],"Interval":5000000000,"Timeout":2000000000,"Retries":4}}},
              {"Id":"b","Image":"sha256:2","State":{"ExitCode":0,"Health":null}}]"#,
        )
        .unwrap();
        assert_eq!(
            all[0],
            Details {
                id: "a".into(),
                exit_code: 137,
                out_of_memory: true,
                restarts: 3,
                started_at: "s".into(),
                finished_at: "f".into(),
                check_output: "refused".into(),
                check_exit_code: Some(1),
                earlier_checks: vec!["late".into()],
                failing_streak: 2,
                check_timeout: Duration::from_secs(2),
                check_retries: 4,
                image_id: "sha256:1".into(),
                ..Details::default()
            }
        );
        assert_eq!(all[1].check_exit_code, None);
        assert_eq!((all[1].check_timeout, all[1].check_retries), (Duration::from_secs(30), 3));
    }

    #[test]
    fn foreign_output_is_an_error_and_not_an_empty_list() {
        assert!(parse_inspect("nothing").is_err());
    }
}
