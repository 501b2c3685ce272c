//! Programs that the container's runtime loses before they begin, as a busy machine makes it do: docker's own calls are
//! the real ones, but for those that say so.

use crate::docker_that::with_docker_that;
use crate::lab::beside;
use crate::system::{first_lines, system};

const BUSYBOX: &str = "busybox:1.37-musl";

const SERVICES: &str = "services:
  api:
    build: ../api
    command: [sleep, \"1000\"]
";

const DOCKERFILE: (&str, &str) = ("api/Dockerfile", "FROM busybox:1.37-musl\nRUN echo built\n");

/// What runc says of a program that it has lost.
const LOSS: &str = "unable to start container process: waiting for init preliminary setup: \
                    read init-p: connection reset by peer";

/// The cases of a build and a start that lose their program, `once` or always.
fn losing(once: bool) -> String {
    let case = |call: &str, said: &str| {
        let lose = format!("echo '{said}' >&2; exit 1");
        match once {
            true => {
                format!("*\\ {call}\\ *) [ -e \"$0-{call}\" ] || {{ echo > \"$0-{call}\"; {lose}; }} ;;\n")
            }
            false => format!("*\\ {call}\\ *) {lose} ;;\n"),
        }
    };
    let start = format!(
        "Error response from daemon: failed to create task for container: failed to create shim task: \
         OCI runtime create failed: runc create failed: {LOSS}: unknown"
    );
    let build = case("build", &format!("#5 0.101 runc run failed: {LOSS}"));
    if once { build + &case("up", &start) } else { case("up", &start) }
}

#[test]
fn what_the_runtime_lost_is_built_and_started_again() {
    let Some(lab) = beside(&[BUSYBOX], || system("lost", SERVICES, &[DOCKERFILE])) else { return };
    let up = with_docker_that(&lab, &["up"], &losing(true)).exits(0);
    for call in ["build", "up"] {
        assert!(lab.root.join(format!("bin/docker-{call}")).exists(), "{call} was lost: {}", up.stderr);
    }
    assert_eq!(lab.containers("{{.State}}"), ["running"], "{}", up.stderr);
}

#[test]
fn what_the_runtime_loses_again_and_again_is_said_in_its_words() {
    let Some(lab) = beside(&[BUSYBOX], || system("lost-always", SERVICES, &[DOCKERFILE])) else { return };
    let up = with_docker_that(&lab, &["up"], &losing(false)).exits(1);
    let said = first_lines(&up.stderr);
    assert!(
        said.starts_with("error: Compose could not start the services (exit code 1)\n  why: Error resp"),
        "{said}"
    );
    assert!(said.contains("waiting for init preliminary setup"), "{said}");
}
