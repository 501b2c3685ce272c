//! The screens of `doctor`; nothing here installs anything, because the fake engine always answers or asks a person.

use crate::fake::Fake;

fn ready() -> Fake {
    Fake::new()
        .on("--version", "echo 'Docker version 28.2.2, build e6534b4'")
        .on("compose version --short", "echo 2.26.1-4")
        .on("buildx version", "echo 'github.com/docker/buildx v0.17.1 257815a'")
        .on("version --format*", "echo 26.1.5+dfsg1")
        .file("docker-compose.yml", "services: {}\n")
}

/// The line of a check.
fn line<'s>(stdout: &'s str, check: &str) -> &'s str {
    stdout.lines().find(|line| line.starts_with(check)).unwrap_or_default()
}

#[test]
fn versions_are_told() {
    let screen = ready().run(&["doctor"]);
    for (check, wanted) in [
        ("docker client", "docker client   ok       28.2.2"),
        ("docker compose", "docker compose  ok       2.26.1"),
        ("docker buildx", "docker buildx   ok       0.17.1"),
        ("docker engine", "docker engine   ok       26.1.5"),
        ("env file", "env file        ok       the first `up` makes integration/.env"),
    ] {
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(words(line(&screen.stdout, check)), words(wanted), "{}", screen.stdout);
    }
}

#[test]
fn installing_on_a_ready_machine_changes_nothing() {
    let screen = ready().run(&["doctor", "--install", "--yes"]);
    let first = screen.stderr.lines().next();
    assert_eq!(first, Some("       Ready Docker is installed and its engine answers; nothing to do"));
}

#[test]
fn a_silent_engine_is_a_failure_and_without_terminal_nothing_is_run() {
    let silent = || ready().on("version --format*", "echo 'Cannot connect to the Docker daemon' >&2; exit 1");
    let screen = silent().run(&["doctor"]);
    assert_eq!(screen.code, 1);
    let wanted = "\ndocker engine: does not answer: Cannot connect to the Docker daemon\n  fix: ";
    assert!(screen.stdout.contains(wanted), "{}", screen.stdout);
    let screen = silent().run(&["doctor", "--install"]);
    assert_eq!(screen.code, 1);
    // Without `sudo` and `id` on the PATH we are nobody, who can install nothing on any system.
    assert!(screen.stderr.starts_with("error: cannot install Docker here\n"), "{}", screen.stderr);
    assert!(!screen.stderr.contains("Running"), "{}", screen.stderr);
}
