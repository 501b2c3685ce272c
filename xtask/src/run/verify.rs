//! Whether a health check can run in the image it is meant for: tried once per image and check, before the start.

use std::time::Duration;

use crate::error::{Failure, Failures, Result};
use crate::run::cache;
use crate::run::docker::{Docker, Invocation, Output, last_lines};
use crate::run::images;
use crate::run::setup::{Setup, fnv1a, read_text};
use crate::run::spec::ServiceSpec;

/// Where the answers are kept: one line per image and check. Git-ignored.
pub const CACHE: &str = ".cache/health-checks";
/// A check that has not ended by then has at least started, which is all that is asked.
const LIMIT: Duration = Duration::from_secs(10);

/// A check to try: the service, its image and that image's id.
struct Trial<'a> {
    service: &'a ServiceSpec,
    id: String,
    key: String,
}

/// Runs the checks of the built images that no earlier run has tried; `ids` are those of the services' images.
///
/// # Errors
/// When a check's program is not in the image; all of them at once.
pub fn check(
    docker: &Docker,
    setup: &Setup,
    services: &[&ServiceSpec],
    ids: &[Option<String>],
) -> Result<()> {
    let trials: Vec<Trial<'_>> = services
        .iter()
        .zip(ids)
        .filter(|(service, _)| service.build.is_some() && is_testable(service))
        .filter_map(|(service, id)| {
            let id = id.clone()?;
            let key = format!("{id} {:016x}", fnv1a(service.health_test.join("\0").as_bytes()));
            Some(Trial { service, id, key })
        })
        .collect();
    let file = setup.out.join(CACHE);
    let known = read_text(&file).ok().flatten().unwrap_or_default();
    let new: Vec<&Trial<'_>> =
        trials.iter().filter(|trial| !known.lines().any(|line| line == trial.key)).collect();
    if new.is_empty() {
        return Ok(());
    }
    let mut failures = Vec::new();
    for answer in images::side_by_side(&new, |trial| attempt(docker, setup, trial)) {
        failures.extend(answer?);
    }
    Failures::check(failures, "nothing was started")?;
    remember(&file, &trials);
    Ok(())
}

/// The image's own check is the image's business, and what is mounted is not there yet.
fn is_testable(service: &ServiceSpec) -> bool {
    let Some(program) = service.health_test.get(1) else { return false };
    let mounted =
        service.mounts.iter().any(|mount| program.starts_with(&format!("{}/", mount.trim_end_matches('/'))));
    matches!(service.health_test[0].as_str(), "CMD" | "CMD-SHELL") && !mounted
}

fn attempt(docker: &Docker, setup: &Setup, trial: &Trial<'_>) -> Result<Option<Failure>> {
    let command = trial_command(docker, trial);
    let Some(output) = command.output_within(LIMIT)? else { return Ok(None) };
    Ok(missing_program(&output).then(|| failure(setup, trial.service, &command, &output)))
}

fn trial_command(docker: &Docker, trial: &Trial<'_>) -> Invocation {
    let (program, args) = match trial.service.health_test.as_slice() {
        [kind, line] if kind == "CMD-SHELL" => ("/bin/sh", vec!["-c".to_owned(), line.clone()]),
        [_, program, args @ ..] => (program.as_str(), args.to_vec()),
        _ => ("/bin/sh", Vec::new()),
    };
    docker
        .command(["run", "--rm", "--network", "none", "--init", "--entrypoint", program, &trial.id])
        .args(args)
}

/// What the engine (126, 127) or a shell says when a program is not there. A refused connection is no such answer.
fn missing_program(output: &Output) -> bool {
    let said = format!("{}{}", output.stdout, output.stderr);
    let said = said.to_lowercase();
    match output.code {
        0 => false,
        126 | 127 => true,
        _ => said.lines().any(|line| line.contains("sh:") && line.ends_with("not found")),
    }
}

fn failure(setup: &Setup, service: &ServiceSpec, command: &Invocation, output: &Output) -> Failure {
    let mut failure = Failure::new(format!("the health check of `{}` cannot run in its image", service.name))
        .why(format!("image {}, exit code {}", service.image, output.code));
    let said = if output.stderr.trim().is_empty() { &output.stdout } else { &output.stderr };
    for line in last_lines(said, 3) {
        failure = failure.why(line);
    }
    failure.why(format!("$ {command}")).fix(format!(
        "set services.{}.health in {}/config.yaml to a check that the image has, or {{ tcp: PORT }}",
        service.name, setup.shown
    ))
}

/// Forgetting costs a second trial and nothing else, so a folder that cannot be written to is no error.
fn remember(file: &std::path::Path, trials: &[Trial<'_>]) {
    let mut lines: Vec<&str> = trials.iter().map(|trial| trial.key.as_str()).collect();
    lines.sort_unstable();
    lines.dedup();
    cache::write(file, &(lines.join("\n") + "\n"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_program_that_is_not_there_counts() {
        let output = |code, stderr: &str| Output { code, stdout: String::new(), stderr: stderr.to_owned() };
        assert!(missing_program(&output(127, "exec: \"curl\": executable file not found in $PATH")));
        assert!(missing_program(&output(1, "/bin/sh: 1: curl: not found")));
        assert!(!missing_program(&output(1, "ConnectionRefusedError: [Errno 111] Connection refused")));
        assert!(!missing_program(&output(1, "404: page not found")));
        assert!(!missing_program(&output(0, "")));
    }
}
