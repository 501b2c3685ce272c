//! A system that is there and unhealthy when `up` begins, as on a laptop that has just woken: its next check may pass.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::lab::{Lab, beside, docker, rest, until};
use crate::system::{ended_ago, first_lines, system};

const BUSYBOX: &str = "busybox:1.37-musl";

const SERVICES: &str = "services:
  api:
    image: busybox:1.37-musl
    command: [sh, -c, \"touch /well && exec sleep 1000\"]
    healthcheck: { test: [CMD, test, -e, /well], interval: 4s, timeout: 2s, retries: 1, start_period: 0s }
  web:
    image: busybox:1.37-musl
    command: [sleep, \"1000\"]
    depends_on: { api: { condition: service_healthy } }
";

/// What `up` says of `api` while it waits for the check.
const WAITS: &str = "for api: unhealthy from before, its next health check may pass";

/// The system, up; then `api` got unhealthy, and `web` has gone.
fn unhealthy(name: &str) -> Option<impl std::ops::Deref<Target = Lab>> {
    let lab = beside(&[BUSYBOX], || system(name, SERVICES, &[]))?;
    lab.xtask(&["up"]).exits(0);
    docker(&["exec", &api(&lab), "rm", "/well"]);
    docker(&["rm", "--force", &format!("{}-web-1", lab.project())]);
    until("`api` to be unhealthy", || statuses(&lab) == ["api unhealthy"]);
    Some(lab)
}

fn api(lab: &Lab) -> String {
    format!("{}-api-1", lab.project())
}

/// Service and health, or state where nothing checks it.
fn statuses(lab: &Lab) -> Vec<String> {
    let lines = lab.containers("{{.Label \"com.docker.compose.service\"}} {{.Status}}");
    let word = |line: &String| {
        let service = line.split(' ').next().unwrap_or_default().to_owned();
        let health = line.rsplit_once('(').map_or("running", |(_, health)| health.trim_end_matches(')'));
        format!("{service} {health}")
    };
    lines.iter().map(word).collect()
}

/// Runs `up`, and does something to its system once it says that it waits for the check; its exit code and screen.
fn up_and_meanwhile(lab: &Lab, act: impl FnOnce()) -> (Option<i32>, String) {
    let mut command = lab.command(&["up"]);
    let mut up = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let mut reader = BufReader::new(up.stderr.take().expect("is piped"));
    let mut screen = String::new();
    while !screen.contains(WAITS) && reader.read_line(&mut screen).expect("the program prints UTF-8") > 0 {}
    assert!(screen.contains(WAITS), "{screen}");
    let said = std::thread::spawn(move || rest(Some(reader)));
    act();
    let code = up.wait().expect("it ends").code();
    (code, screen + &said.join().expect("it can be read"))
}

#[test]
fn what_gets_well_by_its_next_check_is_up_with_all_that_wait_for_it() {
    let Some(lab) = unhealthy("waking") else { return };
    let (code, screen) = up_and_meanwhile(&lab, || {
        docker(&["exec", &api(&lab), "touch", "/well"]);
    });
    assert_eq!(code, Some(0), "{screen}");
    assert_eq!(statuses(&lab), ["api healthy", "web running"], "{screen}");
}

#[test]
fn what_stays_unhealthy_is_named_after_its_next_check_and_what_dies_within_two_seconds() {
    let Some(lab) = unhealthy("sick") else { return };
    let (code, screen) = up_and_meanwhile(&lab, || ());
    assert_eq!(code, Some(1), "{screen}");
    assert!(first_lines(&screen).starts_with("error: `api` is unhealthy\n"), "{screen}");
    let (code, screen) = up_and_meanwhile(&lab, || {
        docker(&["kill", &api(&lab)]);
    });
    let ago = ended_ago(&lab, "api");
    assert_eq!(code, Some(1), "{screen}");
    assert!(first_lines(&screen).starts_with("error: `api` ended with exit code 137\n"), "{screen}");
    assert!(ago < 2.0, "a dead container was reported after {ago:.1} s");
}
