//! Whether this machine can run the setup at all: Docker, Compose, engine; changes nothing.

use std::time::Duration;

use crate::error::{Failure, Failures, Result};
use crate::run::docker::{Docker, Output, last_lines, no_engine};
use crate::run::spec::ServiceSpec;
use crate::run::version::{FAST_ENGINE, LINKING_COMPOSE, OLDEST_COMPOSE, OLDEST_ENGINE, Version};

/// How long the engine may take to answer.
const LIMIT: Duration = Duration::from_secs(10);
/// What answers on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Machine {
    /// The engine's version.
    pub engine: Version,
    /// Compose's version.
    pub compose: Version,
}

/// Asks Compose and the engine for their versions, both at once.
///
/// # Errors
/// When one is missing, too old, or does not answer within ten seconds; both at once.
pub fn machine(docker: &Docker) -> Result<Machine> {
    let (compose, engine) = std::thread::scope(|scope| {
        let compose = scope.spawn(|| {
            let command = docker.command(["compose", "version", "--short"]);
            command.output_within(LIMIT).map(|output| compose_version(output, &command.to_string()))
        });
        let engine = engine_version(docker);
        (compose.join(), engine)
    });
    let compose = compose.map_err(|_| Failure::panicked())??;
    match (compose, engine?) {
        (Ok(compose), Ok(engine)) => Ok(Machine { engine, compose }),
        (Err(one), Ok(_)) | (Ok(_), Err(one)) => Err(one.into()),
        (Err(compose), Err(engine)) => {
            Err(Failures { all: vec![compose, engine], consequence: "nothing was started".to_owned() }.into())
        }
    }
}

/// Whether the engine answers, for commands that need nothing else.
///
/// # Errors
/// When it does not, with what the client says and the command that mends it.
pub fn engine(docker: &Docker) -> Result<Version> {
    Ok(engine_version(docker)??)
}

fn engine_version(docker: &Docker) -> Result<Result<Version, Failure>> {
    let command = docker.command(["version", "--format", "{{.Server.Version}}"]);
    let line = command.to_string();
    Ok(match command.output_within(LIMIT)? {
        None => Err(Failure::new("the Docker engine does not answer")
            .why(format!("no answer within {} s", LIMIT.as_secs()))
            .why(format!("$ {line}"))
            .fix("cargo xtask doctor")),
        Some(output) if output.code != 0 => Err(no_engine(&output).why(format!("$ {line}"))),
        Some(output) => enough("Docker Engine", output.stdout.trim(), OLDEST_ENGINE, &line),
    })
}

fn compose_version(output: Option<Output>, line: &str) -> Result<Version, Failure> {
    match output {
        Some(output) if output.code == 0 => {
            enough("Docker Compose", output.stdout.trim(), OLDEST_COMPOSE, line)
        }
        Some(output) => {
            let said = last_lines(&output.stderr, 1).first().copied().unwrap_or("no answer").to_owned();
            Err(Failure::new("Docker Compose is not installed")
                .why(said)
                .why(format!("$ {line}"))
                .fix("cargo xtask doctor --install"))
        }
        None => Err(Failure::new("Docker Compose does not answer")
            .why(format!("no answer within {} s", LIMIT.as_secs()))
            .why(format!("$ {line}"))
            .fix("cargo xtask doctor")),
    }
}

fn enough(name: &str, text: &str, oldest: Version, line: &str) -> Result<Version, Failure> {
    match Version::parse(text) {
        Some(version) if version >= oldest => Ok(version),
        Some(_) => Err(Failure::new(format!("{name} {text} is too old"))
            .why(format!("the setup needs {oldest} or newer"))
            .fix("cargo xtask doctor --install")),
        None => Err(Failure::new(format!("cannot tell the version of {name}"))
            .why(format!("it calls itself `{text}`"))
            .why(format!("$ {line}"))),
    }
}

/// What makes the setup acceptable to an engine that does not know `start_interval`, and to a Compose that does not know
/// images of other services; `None` where both do.
///
/// Without the first, a check every ten seconds would make each start wait; so it comes every second there. Without the
/// second, FROM finds the image by its name, as we build it first.
pub fn overlay(machine: &Machine, services: &[&ServiceSpec]) -> Option<String> {
    let mut text = String::new();
    for service in services {
        let check = service.start_interval && machine.engine < FAST_ENGINE;
        let contexts = service.build.as_ref().is_some_and(|build| !build.contexts.is_empty());
        let contexts = contexts && machine.compose < LINKING_COMPOSE;
        if check || contexts {
            text.push_str(&format!("  {:?}:\n", service.name));
        }
        if contexts {
            text.push_str("    build:\n      additional_contexts: !reset {}\n");
        }
        if check {
            text.push_str("    healthcheck:\n      start_interval: !reset null\n      interval: 1s\n      retries: 60\n");
        }
    }
    (!text.is_empty()).then(|| format!("services:\n{text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_engine_gets_checks_without_the_key_that_it_refuses() {
        let json = r#"{"services":{"api":{"image":"a","healthcheck":{"test":["CMD","a"],"start_interval":"500ms"}},
            "db":{"image":"b","healthcheck":{"test":["CMD","b"]}}}}"#;
        let spec = crate::run::spec::Spec::parse(json, "p").unwrap();
        let services: Vec<&ServiceSpec> = spec.services.iter().collect();
        let machine = |engine| Machine { engine, compose: OLDEST_COMPOSE };
        assert_eq!(
            overlay(&machine(Version(24, 0, 9)), &services).unwrap(),
            "services:\n  \"api\":\n    healthcheck:\n      start_interval: !reset null\n      \
             interval: 1s\n      retries: 60\n"
        );
        assert_eq!(overlay(&machine(FAST_ENGINE), &services), None);
        assert_eq!(overlay(&machine(Version(20, 10, 24)), &services[1..]), None);
    }

    #[test]
    fn an_old_compose_builds_from_images_by_their_names() {
        let json = r#"{"services":{"api":{"build":{"context":"/a","additional_contexts":{"shop/base":"service:base"}}},
            "base":{"build":{"context":"/b"},"labels":{"xtask.role":"base"}},"web":{"build":{"context":"/w"}}}}"#;
        let spec = crate::run::spec::Spec::parse(json, "p").unwrap();
        let names = |waves: Vec<Vec<&ServiceSpec>>| -> Vec<Vec<String>> {
            waves.iter().map(|wave| wave.iter().map(|service| service.name.clone()).collect()).collect()
        };
        let services: Vec<&ServiceSpec> = spec.services.iter().collect();
        assert_eq!(names(spec.builds(&services)), [vec!["base"], vec!["api", "web"]]);
        let machine = |compose| Machine { engine: FAST_ENGINE, compose };
        assert_eq!(
            overlay(&machine(OLDEST_COMPOSE), &services).unwrap(),
            "services:\n  \"api\":\n    build:\n      additional_contexts: !reset {}\n"
        );
        assert_eq!(overlay(&machine(LINKING_COMPOSE), &services), None);
    }

    #[test]
    fn a_version_too_old_says_which_one_is_needed() {
        assert_eq!(
            enough("Docker Compose", "2.24.3", OLDEST_COMPOSE, "").unwrap_err().to_string(),
            "Docker Compose 2.24.3 is too old\n  why: the setup needs 2.24.4 or newer\n  fix: cargo xtask doctor --install"
        );
    }
}
