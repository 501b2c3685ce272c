//! `docker compose watch` beside a system that already runs: for which services, with which files. Starts nothing else.
//!
//! Not `docker compose up --watch`, which Compose has from 2.25 on only, and which would start everything once more.

use crate::error::{Failure, Result};
use crate::run::docker::{Docker, Invocation};
use crate::run::setup::Setup;
use crate::run::spec::Spec;

/// Those of the started services that have rules.
///
/// # Errors
/// When there are none.
pub fn watched<'a>(setup: &Setup, spec: &'a Spec, started: &[&str]) -> Result<Vec<&'a str>> {
    let services = spec.services.iter().filter(|service| service.watched);
    let watched: Vec<&str> =
        services.map(|service| service.name.as_str()).filter(|name| started.contains(name)).collect();
    if !watched.is_empty() {
        return Ok(watched);
    }
    let failure = Failure::new("there is nothing to watch")
        .why("no service that was started has rules under `develop.watch`, which `hot_reload` in config.yaml makes");
    Err(match setup.env.as_str() {
        "dev" => {
            failure.at(format!("{}/docker-compose.override.yml", setup.shown)).fix("cargo xtask integrate")
        }
        env => {
            failure.why(format!("the files of `{env}` have none of their own")).fix("cargo xtask up --watch")
        }
    }
    .into())
}

/// The command that watches until Ctrl-C; services that were not started stay out of it, though others need them.
pub fn command(docker: &Docker, setup: &Setup, spec: &Spec, watched: &[&str]) -> Invocation {
    let left_out = spec.services.iter().filter(|service| service.watched);
    let left_out: Vec<&str> =
        left_out.map(|service| service.name.as_str()).filter(|name| !watched.contains(name)).collect();
    let setup = Setup { overlay: overlay(setup.overlay.clone(), &left_out), ..setup.clone() };
    setup.compose(docker).args(["watch", "--no-up"]).args(watched.iter().copied())
}

/// Compose watches what a service depends on too: without the rules it does not.
fn overlay(before: Option<String>, left_out: &[&str]) -> Option<String> {
    if left_out.is_empty() {
        return before;
    }
    let mut text = before.unwrap_or_else(|| "services:\n".to_owned());
    for name in left_out {
        text.push_str(&format!("  {name:?}:\n    develop: !reset null\n"));
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_started_loses_its_rules() {
        assert_eq!(overlay(None, &[]), None);
        assert_eq!(
            overlay(Some("services:\n  \"a\": {}\n".to_owned()), &["b"]).unwrap(),
            "services:\n  \"a\": {}\n  \"b\":\n    develop: !reset null\n"
        );
    }
}
