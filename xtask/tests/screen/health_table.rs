//! The screens of `health` and `status`.

use crate::answers::{server, with_containers, without_times};
use crate::fake::Fake;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
const INSPECTED: &str = r#"[{"Id":"worker","Image":"sha256:1","RestartCount":2,"State":{"ExitCode":1,"OOMKilled":false,
    "Error":"","StartedAt":"2026-11-22T10:00:00Z","FinishedAt":"2026-11-22T10:00:01Z"}}]"#;

/// A docker that knows more about the service `worker`.
fn inspected() -> Fake {
    Fake::new().on("inspect*", &format!("echo '{INSPECTED}'"))
}

#[test]
fn all_well_is_a_table_and_exit_code_0() {
    let port = server(OK);
    let ports = format!("127.0.0.1:{port}->3000/tcp");
    let fake = with_containers(
        Fake::new(),
        &[
            ["api", "running", "Up 1 second (healthy)", &ports, "service", "http 3000", "http 3000 /health"],
            ["setup", "exited", "Exited (0) 1 second ago", "", "one-shot", "", ""],
        ],
    );
    let screen = fake.run(&["health"]);
    assert_eq!(screen.code, 0, "{}", screen.stderr);
    assert_eq!(
        without_times(&screen.stdout).replace(&port.to_string(), "12345"),
        "SERVICE  STATE    ENDPOINT                       ANSWER
api      healthy  http://127.0.0.1:12345/health  200 OK, N ms
setup    done     one-shot
"
    );
    assert_eq!(screen.stderr, "");
    assert_eq!(screen.calls.lines().count(), 1, "one docker ps is enough: {}", screen.calls);
}

#[test]
fn what_is_not_well_is_explained_and_exit_code_1() {
    let fake = with_containers(
        inspected(),
        &[
            ["queue", "running", "Up 1 minute (healthy)", "", "component", "tcp 5672", "command"],
            ["worker", "restarting", "Restarting (1) 3 seconds ago", "", "service", "", "process"],
        ],
    );
    let screen = fake.run(&["health"]);
    assert_eq!(screen.code, 1);
    assert_eq!(
        screen.stdout,
        "SERVICE  STATE           ENDPOINT       ANSWER
queue    healthy         not published
worker   restarting (1)  no endpoint
"
    );
    assert_eq!(
        screen.stderr,
        "error: `worker` ends with exit code 1 again and again (2 restarts)
  at docker-compose.yml
  why: its log is empty
  fix: cargo xtask logs worker
"
    );
}

#[test]
fn json_has_the_documented_form() {
    let fake = || {
        with_containers(
            inspected(),
            &[["worker", "exited", "Exited (1) 3 seconds ago", "", "service", "", "process"]],
        )
    };
    let json = |args: &[&str]| serde_json::from_str::<serde_json::Value>(&fake().run(args).stdout).unwrap();
    let mut container = serde_json::json!({"service": "worker", "state": "exited", "health": "none", "exit_code": 1,
        "restarts": 2, "since": "2026-11-22T10:00:01Z"});
    let report = |container| serde_json::json!({"version": 1, "healthy": false, "containers": [container], "endpoints": []});
    assert_eq!(json(&["health", "--json"]), report(container.clone()));
    for (key, value) in [("ports", serde_json::json!([])), ("image", "i".into()), ("created", "c".into())] {
        container[key] = value;
    }
    assert_eq!(json(&["status", "--json"]), report(container));
}

#[test]
fn nothing_that_runs_says_how_to_start() {
    for command in ["health", "status", "test"] {
        let screen = Fake::new().run(&[command]);
        assert_eq!((screen.code, screen.stdout.as_str()), (1, ""), "{command}");
        let project = screen.stderr.split('`').nth(1).unwrap();
        assert_eq!(
            screen.stderr,
            format!(
                "error: nothing runs\n  why: the engine has no container of project `{project}`\n  fix: cargo xtask up\n"
            )
        );
    }
}

#[test]
fn commands_that_are_proposed_are_for_the_same_environment() {
    for (command, fix) in [
        ("health", "  fix: cargo xtask logs worker --env ci\n"),
        ("test", "  fix: cargo xtask logs worker --env ci\n"),
    ] {
        let fake = with_containers(
            inspected(),
            &[["worker", "exited", "Exited (1) 3 seconds ago", "", "service", "", "process"]],
        );
        let fake = fake.file("docker-compose.yml", "services: {}\n");
        let screen = fake.run(&[command, "--env", "ci"]);
        assert!(screen.stderr.contains(fix), "{command}: {}", screen.stderr);
    }
    let screen = Fake::new().run(&["status", "--env", "ci"]);
    assert!(screen.stderr.ends_with("  fix: cargo xtask up --env ci\n"), "{}", screen.stderr);
}

#[test]
fn status_asks_no_more_than_it_shows() {
    let ports = "127.0.0.1:3001->3000/tcp, 0.0.0.0:80->8080/tcp";
    let fake = with_containers(
        inspected(),
        &[
            ["api", "running", "Up 1 second (healthy)", ports, "service", "http 3000", "http 3000 /health"],
            ["worker", "exited", "Exited (1) 3 seconds ago", "", "service", "", "process"],
        ],
    );
    let screen = fake.run(&["status"]);
    assert_eq!(
        screen.stdout,
        "SERVICE  STATE       IMAGE  PORTS
api      healthy     i      3001->3000, 0.0.0.0:80->8080
worker   exited (1)  i
"
    );
    assert_eq!(screen.calls.lines().count(), 1, "{}", screen.calls);
}

#[test]
fn waiting_ends_when_a_container_has_ended_for_good() {
    let fake = with_containers(
        inspected(),
        &[["worker", "exited", "Exited (1) 3 seconds ago", "", "service", "", "process"]],
    );
    let screen = fake.run(&["health", "--wait"]);
    assert_eq!(screen.code, 1);
    assert_eq!(
        screen.stderr,
        "     Waiting for worker
warning: what has ended is not started again, so waiting longer is of no use
error: `worker` ended with exit code 1
  at docker-compose.yml
  why: its log is empty
  fix: cargo xtask logs worker
"
    );
}

#[test]
fn waiting_ends_with_its_limit() {
    let screen = Fake::new().run(&["health", "--wait", "--timeout", "100ms"]);
    assert_eq!(screen.code, 1);
    let lines: Vec<&str> = screen.stderr.lines().take(3).collect();
    assert_eq!(
        lines,
        ["     Waiting for the first container", "warning: not healthy after 0.1s", "error: nothing runs"]
    );
}
