//! Knows a system that still is as the last start left it: then only its one-shots run again, and nothing is asked
//! of Compose, which would look at each container and wait for each edge. Recognises only; mends nothing.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::error::Result;
use crate::run::cache;
use crate::run::docker::Docker;
use crate::run::labels::Role;
use crate::run::setup::{Setup, fnv1a, read_text};
use crate::run::spec::{ServiceSpec, Spec};
use crate::run::state::Container;

/// Where the last start is remembered. Git-ignored.
const CACHE: &str = ".cache";

/// All that decides whether Compose would do anything: a container's id stands for what it was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// What was asked for, the files and the containers.
    system: u64,
    /// The ids of the images; 0 where they are not known yet.
    images: u64,
}

impl Shape {
    /// Of a system before its images are known.
    pub fn of(spec: &Spec, wanted: &[String], containers: &[Container]) -> Shape {
        let mut parts = vec![format!("{:016x}", spec.fingerprint), wanted.join(",")];
        let mut ids: Vec<String> =
            containers.iter().map(|container| format!("{} {}", container.service, container.id)).collect();
        ids.sort_unstable();
        parts.extend(ids);
        Shape { system: fnv1a(parts.join("\n").as_bytes()), images: 0 }
    }

    /// With the images that the services would run now.
    #[must_use]
    pub fn with_images(self, ids: &[Option<String>]) -> Shape {
        let ids: Vec<&str> = ids.iter().map(|id| id.as_deref().unwrap_or("none")).collect();
        Shape { images: fnv1a(ids.join("\n").as_bytes()), ..self }
    }

    /// Whether it is the same system; its images may be others.
    pub fn is_same_system(&self, last: Option<&Shape>) -> bool {
        last.is_some_and(|last| last.system == self.system)
    }

    fn line(&self) -> String {
        format!("{:016x} {:016x}\n", self.system, self.images)
    }

    fn parse(line: &str) -> Option<Shape> {
        let (system, images) = line.trim().split_once(' ')?;
        let number = |digits| u64::from_str_radix(digits, 16).ok();
        Some(Shape { system: number(system)?, images: number(images)? })
    }
}

/// What the last successful start left; `None` where there was none.
pub fn recall(setup: &Setup) -> Option<Shape> {
    Shape::parse(&read_text(&file(setup)).ok()??)
}

/// Remembers a start that has gone well.
pub fn remember(setup: &Setup, shape: &Shape) {
    cache::write(&file(setup), &shape.line());
}

fn file(setup: &Setup) -> PathBuf {
    setup.out.join(CACHE).join(format!("started-{}", setup.env))
}

/// Whether a one-shot has something to do although nothing has changed. Migrations that come with an image have not: where
/// the image is another one, or the server, the system is not the same any more.
fn runs_again(service: &ServiceSpec) -> bool {
    service.role == Role::OneShot && !(service.labels.kind == "migrate" && service.build.is_some())
}

/// Runs the one-shots of these services again, each after those it waits for; whether all ended well in time.
///
/// # Errors
/// When the engine does not answer, or on Ctrl-C.
pub fn run_one_shots(
    docker: &Docker,
    spec: &Spec,
    services: &[&ServiceSpec],
    containers: &[Container],
    limit: Duration,
) -> Result<bool> {
    let end = Instant::now() + limit;
    for wave in waves(spec, services, containers) {
        for words in [&["start"][..], &["wait"]] {
            let left = end.saturating_duration_since(Instant::now());
            let command = docker.command(words.iter().copied()).args(wave.iter().cloned());
            match command.output_within(left)? {
                Some(output) if output.code == 0 && (words == ["start"] || all_zero(&output.stdout)) => {}
                _ => return Ok(false),
            }
        }
    }
    Ok(true)
}

/// `docker wait` prints the exit codes, one a line.
fn all_zero(codes: &str) -> bool {
    codes.lines().all(|code| code.trim() == "0")
}

/// Whether each service that is meant to run has containers and all of those are well. One-shots answer for
/// themselves: the engine's list may show one as running that `docker wait` has seen ending.
pub fn all_well(services: &[&ServiceSpec], containers: &[Container]) -> bool {
    services.iter().filter(|service| service.role != Role::OneShot).all(|service| {
        let mut own = containers.iter().filter(|container| container.service == service.name).peekable();
        own.peek().is_some() && own.all(|container| container.is_well() && !container.is_unproven())
    })
}

/// Container ids of the one-shots by how many steps of waiting lie before them.
fn waves(spec: &Spec, services: &[&ServiceSpec], containers: &[Container]) -> Vec<Vec<String>> {
    let depths = spec.depths();
    let depth = |service: &ServiceSpec| depths.get(service.name.as_str()).copied().unwrap_or_default();
    let mut one_shots: Vec<&&ServiceSpec> = services.iter().filter(|service| runs_again(service)).collect();
    one_shots.sort_by_key(|service| depth(service));
    let mut waves: Vec<Vec<String>> = Vec::new();
    // What lies between two one-shots runs already, so only one that waits for another one begins a new wave.
    let mut names: Vec<&str> = Vec::new();
    for service in one_shots {
        let waits = service.depends_on.iter().any(|(name, _)| names.contains(&name.as_str()));
        if waits || waves.is_empty() {
            waves.push(Vec::new());
            names.clear();
        }
        names.push(&service.name);
        let own = containers.iter().filter(|container| container.service == service.name);
        if let Some(wave) = waves.last_mut() {
            wave.extend(own.map(|container| container.id.clone()));
        }
    }
    waves
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::state;

    const CONFIG: &str = r#"{"services":{
        "db":{"image":"d"},
        "probe":{"image":"b","labels":{"xtask.role":"one-shot"}},
        "setup":{"image":"d","labels":{"xtask.role":"one-shot"},"depends_on":{"db":{"condition":"service_healthy"}}},
        "built":{"build":{"context":"/a"},"labels":{"xtask.role":"one-shot","xtask.kind":"migrate"},"depends_on":{"setup":{"condition":"service_completed_successfully"}}},
        "migrate":{"image":"a","labels":{"xtask.role":"one-shot","xtask.kind":"migrate"},"depends_on":{"setup":{"condition":"service_completed_successfully"}}}}}"#;

    fn ps(service: &str, id: &str, state: &str, status: &str) -> String {
        format!(
            r#"{{"id":"{id}","name":"","image":"","state":"{state}","status":"{status}","ports":"","created":"","service":"{service}","depends_on":"","role":"","kind":"","main":"","health":""}}"#
        )
    }

    fn containers() -> Vec<Container> {
        let lines = ["db", "probe", "setup", "built", "migrate"]
            .map(|name| ps(name, name, "running", "Up 2 minutes"));
        state::parse_ps(&lines.join("\n")).unwrap()
    }

    #[test]
    fn one_shots_run_after_those_they_wait_for() {
        let spec = Spec::parse(CONFIG, "p").unwrap();
        let services: Vec<&ServiceSpec> = spec.services.iter().collect();
        assert_eq!(waves(&spec, &services, &containers()), [vec!["probe", "setup"], vec!["migrate"]]);
    }

    #[test]
    fn every_change_makes_another_shape() {
        let spec = Spec::parse(CONFIG, "p").unwrap();
        let wanted = ["db".to_owned()];
        let ids = [Some("sha256:1".to_owned())];
        let shape = Shape::of(&spec, &wanted, &containers()).with_images(&ids);
        assert_eq!(Shape::parse(&shape.line()), Some(shape.clone()));
        assert_eq!(shape, Shape::of(&spec, &wanted, &containers()).with_images(&ids));
        let other_files = Spec::parse(&CONFIG.replace("\"d\"", "\"e\""), "p").unwrap();
        let mut other_containers = containers();
        other_containers[0].id = "new".to_owned();
        for other in [
            Shape::of(&other_files, &wanted, &containers()),
            Shape::of(&spec, &[], &containers()),
            Shape::of(&spec, &wanted, &other_containers),
            Shape::of(&spec, &wanted, &containers()[1..]),
        ] {
            assert!(!other.is_same_system(Some(&shape)));
        }
        let rebuilt = Shape::of(&spec, &wanted, &containers()).with_images(&[None]);
        assert!(rebuilt.is_same_system(Some(&shape)) && rebuilt != shape);
    }

    #[test]
    fn a_service_without_a_container_is_not_well() {
        let spec = Spec::parse(CONFIG, "p").unwrap();
        let db = spec.service("db").unwrap();
        assert!(all_well(&[db], &containers()));
        assert!(!all_well(&[db], &[]));
        let fresh = state::parse_ps(&ps("db", "db", "running", "Up 1 second")).unwrap();
        assert!(!all_well(&[db], &fresh), "without a check, it may be between two restarts");
        let starting = state::parse_ps(&ps("db", "db", "running", "Up 1 second (health: starting)")).unwrap();
        assert!(!all_well(&[db], &starting));
    }
}
