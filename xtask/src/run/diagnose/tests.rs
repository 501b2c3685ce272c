//! The general form, and facts for the tests of the known causes.

use super::*;
use crate::run::diagnose::anatomy::Anatomy;
use crate::run::diagnose::facts::{Member, Program};
use crate::run::diagnose::places::Places;
use crate::run::state::{self, Details};

/// A setup that lies nowhere.
pub(crate) fn setup() -> Setup {
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

/// A service `api` that runs and of which nothing else is known; `web` and `worker` wait for it.
pub(crate) fn facts(cause: Option<Cause>) -> Facts {
    let ps = r#"{"id":"a1","name":"p-api-1","image":"i","state":"running","status":"","ports":"","created":"","service":"api","depends_on":"","role":"","kind":"","main":"","health":""}"#;
    let member = |service: &str, waits_for: &[&str]| Member {
        service: service.to_owned(),
        waits_for: waits_for.iter().map(|name| (*name).to_owned()).collect(),
        ..Member::default()
    };
    Facts {
        setup: setup(),
        service: "api".to_owned(),
        cause,
        container: state::parse_ps(ps).unwrap().pop(),
        details: Details::default(),
        anatomy: Anatomy::default(),
        log: vec!["listening".to_owned(), "boom".to_owned()],
        program: Program::Unknown,
        listeners: None,
        port: None,
        engine: "amd64".to_owned(),
        system: vec![member("api", &[]), member("web", &["api"]), member("worker", &["api"])],
        places: Places::new(
            "api",
            vec![("integration/docker-compose.yml".to_owned(), String::new())],
            None,
            None,
        ),
        has_shell: true,
    }
}

#[test]
fn a_dead_service_shows_code_log_and_who_waits() {
    let text = failure(&facts(Some(Cause::Exited(139))), None, &[]).to_string();
    assert_eq!(
        text,
        "`api` ended with exit code 139\n  at integration/docker-compose.yml\n  \
         why: exit code 139: it read or wrote memory that is not its own (SIGSEGV)\n       \
         web and worker wait for it\n       its last log lines:\n       \
         | listening\n       | boom\n  fix: cargo xtask logs api"
    );
}

#[test]
fn a_service_that_is_still_starting_is_waited_for() {
    let mut facts = facts(None);
    let container = facts.container.as_mut().unwrap();
    (container.check, container.status) =
        (state::Check::Starting, "Up 3 seconds (health: starting)".to_owned());
    (facts.log, facts.system) = (Vec::new(), Vec::new());
    assert_eq!(
        failure(&facts, None, &[]).to_string(),
        "`api` is still starting\n  at integration/docker-compose.yml\n  why: its log is empty\n  \
         fix: cargo xtask health --wait"
    );
    // At the end of the time of `up` there is nothing to wait for any more.
    let over = failure(&facts, Some("5s"), &[]).to_string();
    assert!(over.starts_with("`api` is not ready after 5s\n") && !over.contains("--wait"), "{over}");
}

#[test]
fn an_unhealthy_service_shows_what_its_check_said() {
    let mut facts = facts(Some(Cause::Unhealthy));
    facts.details.check_exit_code = Some(1);
    facts.details.failing_streak = 5;
    facts.details.check_output = "Connection refused".to_owned();
    facts.port = Some(3000);
    facts.listeners = Some(Vec::new());
    facts.log.clear();
    facts.system.clear();
    let text = failure(&facts, None, &["web".to_owned()]).to_string();
    assert_eq!(
        text,
        "`api` is unhealthy\n  at integration/docker-compose.yml\n  \
         why: nothing listens in its container, not on port 3000 either\n       \
         its last health check ended with exit code 1 (connection refused), 5 in a row failed\n       \
         | Connection refused\n       not ready either: web\n       its log is empty\n  fix: cargo xtask exec api"
    );
}

#[test]
fn long_output_of_a_check_keeps_its_first_line() {
    assert_eq!(first_and_last("1\n2\n\n3\n4\n5\n6\n7", 5), ["1", "…", "5", "6", "7"]);
    assert_eq!(first_and_last("1\n2\n3\n4\n5", 5), ["1", "2", "3", "4", "5"]);
}

#[test]
fn the_next_command_is_one_that_can_help() {
    let mut facts = facts(Some(Cause::Unhealthy));
    assert_eq!(next_command(&facts, None), "cargo xtask exec api");
    facts.has_shell = false;
    assert_eq!(next_command(&facts, None), "cargo xtask logs api");
    facts.has_shell = true;
    facts.cause = None;
    if let Some(container) = &mut facts.container {
        container.labels.role = Some(crate::run::labels::Role::OneShot);
    }
    assert_eq!(next_command(&facts, None), "cargo xtask logs api");
    facts.container = None;
    assert_eq!(next_command(&facts, None), "cargo xtask status");
}

#[test]
fn every_cause_has_its_headline() {
    let mut one_shot = facts(Some(Cause::Exited(3)));
    if let Some(container) = &mut one_shot.container {
        container.labels.role = Some(crate::run::labels::Role::OneShot);
    }
    assert_eq!(headline(&one_shot, None), "the one-shot `api` failed with exit code 3");
    let headlines: Vec<String> = [
        (Some(Cause::Exited(0)), None),
        (Some(Cause::Loop { code: 1, restarts: 3 }), None),
        (Some(Cause::NotStarted), None),
        (Some(Cause::Refused), None),
        (None, Some("5m")),
    ]
    .into_iter()
    .map(|(cause, waited)| headline(&facts(cause), waited))
    .collect();
    assert_eq!(
        headlines,
        [
            "`api` ended, though it should keep running",
            "`api` ends with exit code 1 again and again (3 restarts)",
            "`api` could not be started",
            "`api` does not get healthy",
            "`api` is not ready after 5m",
        ]
    );
}
