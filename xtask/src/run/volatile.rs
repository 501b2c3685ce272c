//! Engines whose data lie on tmpfs and went with their last stop: finds the services that were started on the data
//! that are gone, and stops them, so that the next start runs setup and migrations before them. Starts nothing.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::Result;
use crate::run::docker::Docker;
use crate::run::labels::Role;
use crate::run::spec::{ServiceSpec, Spec};
use crate::run::state::{self, Container, State};
use crate::ui::{Ui, list};

/// Folders that hold no data, on whatever they lie.
const SCRATCH: &[&str] = &["/tmp", "/run", "/var/run", "/var/tmp"];

/// Whether a restart takes the service's data: an engine with a folder on tmpfs.
pub fn is_volatile(service: &ServiceSpec) -> bool {
    let data = |folder: &String| !SCRATCH.contains(&folder.trim_end_matches('/'));
    service.role == Role::Component && service.tmpfs.iter().any(data)
}

/// When it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// An engine that is down will come up empty.
    BeforeStart,
    /// An engine that is down is a failure of its own.
    AfterStart,
}

/// Stops those of the services that rely on data that an engine has lost; whether there were any. `services` are those
/// that a start is about, engines included.
///
/// # Errors
/// When the engine does not answer or refuses.
pub fn stop_stale(
    docker: &Docker,
    spec: &Spec,
    services: &[String],
    containers: &[Container],
    moment: Moment,
    ui: Ui,
) -> Result<bool> {
    if !spec.services.iter().any(is_volatile) {
        return Ok(false);
    }
    let details = state::details(docker, containers.iter().map(|container| container.id.as_str()))?;
    let mut runs = Runs::default();
    for container in containers {
        let Some(details) = details.iter().find(|details| details.id == container.id) else { continue };
        runs.add(container, &details.started_at);
    }
    let stale = stale(spec, &runs, services, moment);
    let names: BTreeSet<&str> = stale.values().flatten().copied().collect();
    if names.is_empty() {
        return Ok(false);
    }
    let engines: Vec<&str> = stale.keys().copied().collect();
    let stopped: Vec<&str> = names.iter().copied().collect();
    let lost = if engines.len() == 1 { "has lost its data" } else { "have lost their data" };
    ui.status("Stopping", format_args!("{} ({} {lost})", list(&stopped), list(&engines)));
    let ids = containers.iter().filter(|container| names.contains(container.service.as_str()));
    docker.command(["stop"]).args(ids.map(|container| container.id.clone())).read()?;
    Ok(true)
}

/// When containers of each service were last started: the earliest of them, in a form that sorts by time.
#[derive(Debug, Default)]
struct Runs {
    started: BTreeMap<String, String>,
    running: BTreeSet<String>,
}

impl Runs {
    fn add(&mut self, container: &Container, started_at: &str) {
        // The engine leaves out zeros at the end, so `Z` must not take part.
        let at = started_at.trim_end_matches('Z').to_owned();
        let first = self.started.entry(container.service.clone()).or_insert_with(|| at.clone());
        if at < *first {
            *first = at;
        }
        if matches!(container.state, State::Running | State::Restarting) {
            self.running.insert(container.service.clone());
        }
    }

    fn is_older(&self, service: &str, than: &str) -> bool {
        self.started.get(service).is_some_and(|at| at.as_str() < than)
    }
}

/// By engine: the running services that were started before it, or before its setup ran on it.
fn stale<'a>(
    spec: &'a Spec,
    runs: &Runs,
    services: &[String],
    moment: Moment,
) -> BTreeMap<&'a str, Vec<&'a str>> {
    let wanted = |service: &ServiceSpec| services.contains(&service.name);
    let mut stale = BTreeMap::new();
    for engine in spec.services.iter().filter(|service| is_volatile(service) && wanted(service)) {
        let born = runs.started.get(&engine.name).filter(|_| runs.running.contains(&engine.name));
        if born.is_none() && moment == Moment::AfterStart {
            continue;
        }
        let clients = all_dependants(spec, &engine.name);
        let is_older = |name: &str| born.is_none_or(|born| runs.is_older(name, born));
        let setup_is_due =
            clients.iter().any(|client| client.role == Role::OneShot && is_older(&client.name));
        let relies = |client: &&&ServiceSpec| {
            client.role != Role::OneShot
                && wanted(client)
                && runs.running.contains(&client.name)
                && (setup_is_due || is_older(&client.name))
        };
        let found: Vec<&str> = clients.iter().filter(relies).map(|client| client.name.as_str()).collect();
        if !found.is_empty() {
            stale.insert(engine.name.as_str(), found);
        }
    }
    stale
}

/// Everything that waits for a service, directly or through others.
fn all_dependants<'a>(spec: &'a Spec, name: &str) -> Vec<&'a ServiceSpec> {
    let mut found: BTreeSet<&str> = BTreeSet::new();
    let mut open = vec![name];
    while let Some(next) = open.pop() {
        for dependant in spec.dependants(next) {
            if let Some(service) = spec.service(dependant)
                && found.insert(service.name.as_str())
            {
                open.push(&service.name);
            }
        }
    }
    found.into_iter().filter_map(|name| spec.service(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = r#"{"services":{
        "db":{"image":"d","labels":{"xtask.role":"component"},"tmpfs":["/data:size=1g"]},
        "cache":{"image":"c","labels":{"xtask.role":"component"},"tmpfs":["/tmp"]},
        "setup":{"image":"d","labels":{"xtask.role":"one-shot"},"tmpfs":["/data"],
            "depends_on":{"db":{"condition":"service_started"}}},
        "api":{"build":{"context":"/a"},"depends_on":{"db":{"condition":"service_healthy"},
            "setup":{"condition":"service_completed_successfully"}}},
        "web":{"build":{"context":"/w"},"depends_on":{"api":{"condition":"service_healthy"}}},
        "alone":{"build":{"context":"/l"},"depends_on":{"cache":{"condition":"service_healthy"}}}}}"#;

    /// Services that run, or have ended where the name begins with `!`, and when they were started.
    fn stale_after(starts: &[(&str, &str)]) -> Vec<String> {
        stale_at(starts, Moment::AfterStart, &["db", "cache", "setup", "api", "web", "alone"])
    }

    fn stale_at(starts: &[(&str, &str)], moment: Moment, services: &[&str]) -> Vec<String> {
        let spec = Spec::parse(CONFIG, "p").unwrap();
        let mut runs = Runs::default();
        for (name, at) in starts {
            let (name, state) = name.strip_prefix('!').map_or((*name, "running"), |name| (name, "exited"));
            let line = format!(
                r#"{{"id":"{name}","name":"","image":"","state":"{state}","status":"","ports":"","created":"","service":"{name}","depends_on":"","role":"","kind":"","main":"","health":""}}"#
            );
            runs.add(&state::parse_ps(&line).unwrap()[0], &format!("2026-11-22T10:00:{at}Z"));
        }
        let services: Vec<String> = services.iter().map(|name| (*name).to_owned()).collect();
        stale(&spec, &runs, &services, moment).into_values().flatten().map(str::to_owned).collect()
    }

    #[test]
    fn what_was_started_before_an_engine_that_forgets_is_stale() {
        let calm = [("db", "01"), ("!setup", "02"), ("api", "03"), ("web", "04"), ("alone", "01")];
        assert_eq!(stale_after(&calm), Vec::<String>::new());
        let restarted = [("db", "09"), ("!setup", "02"), ("api", "03"), ("web", "04"), ("alone", "01")];
        assert_eq!(stale_after(&restarted), ["api", "web"]);
        // Restarted after the engine, but on an empty database.
        let no_setup = [("db", "09"), ("!setup", "02"), ("api", "10"), ("web", "04")];
        assert_eq!(stale_after(&no_setup), ["api", "web"]);
        let healed = [("db", "09"), ("!setup", "10"), ("api", "11"), ("web", "12")];
        assert_eq!(stale_after(&healed), Vec::<String>::new());
    }

    #[test]
    fn fractions_of_a_second_count() {
        let apart = [("db", "01.12"), ("!setup", "01.123"), ("api", "01.2")];
        assert_eq!(stale_after(&apart), Vec::<String>::new());
        assert_eq!(stale_after(&[("db", "01.2"), ("!setup", "01.21"), ("api", "01.123")]), ["api"]);
    }

    #[test]
    fn an_engine_that_is_down_comes_up_empty_where_it_is_started_at_all() {
        let down = [("!db", "09"), ("!setup", "02"), ("api", "03"), ("web", "04")];
        let all = ["db", "setup", "api", "web"];
        assert_eq!(stale_at(&down, Moment::BeforeStart, &all), ["api", "web"]);
        assert_eq!(stale_at(&down[1..], Moment::BeforeStart, &all), ["api", "web"], "its container is gone");
        assert_eq!(stale_at(&down, Moment::BeforeStart, &["db", "setup", "api"]), ["api"]);
        assert_eq!(stale_at(&down, Moment::BeforeStart, &["setup", "api", "web"]), Vec::<String>::new());
        assert_eq!(stale_at(&down, Moment::AfterStart, &all), Vec::<String>::new());
    }

    #[test]
    fn only_an_engine_with_data_on_tmpfs_is_volatile() {
        let spec = Spec::parse(CONFIG, "p").unwrap();
        let volatile: Vec<&str> =
            spec.services.iter().filter(|service| is_volatile(service)).map(|s| s.name.as_str()).collect();
        assert_eq!(volatile, ["db"]);
    }
}
