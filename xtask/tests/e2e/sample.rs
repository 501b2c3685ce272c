//! The sample monorepo, cloned and started once; each test brings it up again first, whatever ran before it.

use std::ops::Deref;
use std::sync::{MutexGuard, OnceLock};
use std::time::Duration;

use serde_json::Value;

use crate::engine;
use crate::lab::{Lab, turn};
use crate::place::Place;

/// The images that it starts or builds from.
pub(crate) const IMAGES: &[&str] =
    &["postgres:17", "redis:8", "busybox:1.37-musl", "node:20-slim", "python:3.13-slim", "rust:1.85-slim"];
/// What keeps running in it.
const RUNNING: &[&str] = &["accounts", "market", "postgres", "redis", "trading"];

/// The running sample during one test.
struct Sample {
    lab: &'static Lab,
    _turn: MutexGuard<'static, ()>,
}

impl Deref for Sample {
    type Target = Lab;
    fn deref(&self) -> &Lab {
        self.lab
    }
}

impl Drop for Sample {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.lab.keep_logs();
        }
    }
}

/// The sample, up; never dropped, so the reaper removes it when the tests have ended.
fn sample() -> Option<Sample> {
    static LAB: OnceLock<Lab> = OnceLock::new();
    let turn = turn();
    if !engine::has(IMAGES) {
        return None;
    }
    let lab = LAB.get_or_init(|| {
        let lab = Lab::new(Place::clone_of_this_project("sample"));
        lab.keep_apart();
        lab
    });
    let sample = Sample { lab, _turn: turn };
    sample.xtask(&["up"]).exits(0);
    Some(sample)
}

impl Sample {
    fn url(&self, service: &str) -> String {
        format!("http://127.0.0.1:{}", self.variable(&format!("{}_PORT", service.to_uppercase())))
    }

    fn add_user(&self, email: &str) {
        let body = serde_json::json!({ "email": email, "name": "Ada", "password": "long enough" });
        let request = minreq::post(format!("{}/users", self.url("accounts")))
            .with_header("Content-Type", "application/json")
            .with_body(body.to_string());
        let answer = request.send().expect("accounts answers");
        assert_eq!(answer.status_code, 201, "{}", answer.as_str().unwrap_or_default());
    }

    fn has_user(&self, email: &str) -> bool {
        let answer = minreq::get(format!("{}/users", self.url("accounts"))).send().expect("accounts answers");
        let users: Vec<Value> = serde_json::from_slice(answer.as_bytes()).expect("a list of users");
        users.iter().any(|user| user["email"] == email)
    }
}

#[test]
fn up_starts_everything_and_all_of_it_is_healthy() {
    let Some(sample) = sample() else { return };
    sample.xtask(&["down"]).exits(0);

    let up = sample.xtask(&["up"]).exits(0);

    sample.assert_all_healthy(RUNNING);
    assert!(up.stderr.contains("Finished 5 containers healthy in "), "{}", up.stderr);
    for service in ["accounts", "market", "trading"] {
        let url = sample.url(service).replace("127.0.0.1", "localhost");
        assert!(
            up.stdout.lines().any(|line| line.starts_with(service) && line.ends_with(&url)),
            "{}",
            up.stdout
        );
    }
}

#[test]
fn second_up_restarts_nothing_and_writes_nothing() {
    let Some(sample) = sample() else { return };
    let started = sample.long_running("{{.Id}} {{.State.StartedAt}}");
    let files = sample.files();

    let up = sample.xtask(&["up"]).exits(0);

    assert_eq!(sample.long_running("{{.Id}} {{.State.StartedAt}}"), started);
    assert!(sample.files() == files, "a file changed");
    // Under 5 s on two cores that nobody else uses; here others may.
    assert!(up.took < Duration::from_secs(20), "took {:?}:\n{}", up.took, up.stderr);
}

#[test]
fn health_lists_every_container_and_endpoint_as_healthy() {
    let Some(sample) = sample() else { return };

    let report = sample.xtask(&["health", "--json"]).exits(0);

    let report: Value = serde_json::from_str(&report.stdout).expect("it is JSON");
    assert_eq!((&report["version"], &report["healthy"]), (&1.into(), &true.into()));
    let containers = report["containers"].as_array().expect("a list");
    let mut names: Vec<&str> =
        containers.iter().filter_map(|container| container["service"].as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["accounts", "market", "postgres", "postgres-setup", "probe", "redis", "trading"]);
    for container in containers {
        let is_one_shot = ["postgres-setup", "probe"].iter().any(|name| container["service"] == *name);
        // A one-shot that did its work is as healthy as a service that answers.
        let (state, exit_code) = if is_one_shot { ("exited", 0.into()) } else { ("running", Value::Null) };
        assert_eq!(
            (&container["state"], &container["health"]),
            (&state.into(), &"healthy".into()),
            "{container}"
        );
        assert_eq!(container["exit_code"], exit_code, "{container}");
    }
    let endpoints = report["endpoints"].as_array().expect("a list");
    let mut names: Vec<&str> = endpoints.iter().filter_map(|endpoint| endpoint["service"].as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, RUNNING);
    assert!(endpoints.iter().all(|endpoint| endpoint["healthy"] == true), "{endpoints:?}");
}

#[test]
fn smoke_passes() {
    let Some(sample) = sample() else { return };
    let report = sample.base.join("smoke.xml");

    let smoke = sample.xtask(&["smoke", "--junit", &report.to_string_lossy()]).exits(0);

    let xml = std::fs::read_to_string(&report).expect("the report was written");
    let count = sample.files_below("integration/tests/smoke").len();
    assert!(count >= 3, "each service has a scenario");
    assert!(
        xml.contains(&format!("tests=\"{count}\"")) && xml.contains("failures=\"0\""),
        "{xml}\n{}",
        smoke.stderr
    );
}

#[test]
fn down_and_up_keep_the_data() {
    let Some(sample) = sample() else { return };
    sample.add_user("kept@example.org");

    sample.xtask(&["down"]).exits(0);
    assert_eq!(sample.containers("{{.Names}}"), Vec::<String>::new());
    sample.xtask(&["up"]).exits(0);

    assert!(sample.has_user("kept@example.org"));
}

#[test]
fn reset_deletes_the_data_only_when_told_so() {
    let Some(sample) = sample() else { return };
    sample.add_user("lost@example.org");

    // PostgreSQL's and Redis's: a socket and the program of the health checks are no data.
    let refused = sample.xtask(&["reset"]).exits(1);
    assert!(
        refused.stderr.ends_with(
            "error: 2 volumes would be deleted, and nobody can be asked\n  \
             why: there is no terminal\n  fix: add --yes to delete them without asking\n"
        ),
        "{}",
        refused.stderr
    );
    assert!(sample.has_user("lost@example.org"));

    sample.xtask(&["reset", "--yes"]).exits(0);

    assert!(!sample.has_user("lost@example.org"));
    sample.assert_all_healthy(RUNNING);
}

#[test]
fn down_leaves_no_volume_without_a_name_behind() {
    let Some(sample) = sample() else { return };
    let anonymous = sample.long_running("{{range .Mounts}}{{.Type}} {{.Name}}\n{{end}}");
    let anonymous: Vec<&str> = anonymous
        .values()
        .flat_map(|mounts| mounts.lines())
        .filter_map(|mount| mount.strip_prefix("volume "))
        .filter(|name| name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit()))
        .collect();
    assert_eq!(anonymous, Vec::<&str>::new());
}
