//! What `health` says of a system that somebody else has started: every cause at once, each in its first lines.

use crate::lab::{beside, docker, until};
use crate::system::system;

const BUSYBOX: &str = "busybox:1.37-musl";
const PYTHON: &str = "python:3.13-slim";
const NODE: &str = "node:20-slim";

const SERVICES: &str = "services:
  absent:
    image: busybox:1.37-musl
    command: [sh, -c, serve]
  hungry:
    image: python:3.13-slim
    command: [python, -c, \"x = bytearray(10**9)\"]
    mem_limit: 32m
  looping:
    image: busybox:1.37-musl
    command: [sh, -c, \"sleep 1; echo no luck; exit 5\"]
    restart: always
  refused:
    image: busybox:1.37-musl
    command: [sh, -c, \"mkdir /w && exec httpd -f -p 8080 -h /w\"]
    healthcheck: { test: [CMD, wget, -q, -O, /dev/null, \"http://127.0.0.1:8080/health\"], interval: 1s, retries: 1, start_period: 0s }
    labels: { xtask.health: http 8080 /health }
  waits:
    image: busybox:1.37-musl
    command: [sleep, \"1000\"]
    depends_on: { refused: { condition: service_healthy } }
  hidden:
    image: busybox:1.37-musl
    command: [httpd, -f, -p, \"127.0.0.1:8080\"]
    ports: [\"127.0.0.1::8080\"]
  unset:
    image: python:3.13-slim
    command: [python, -c, \"import os; os.environ['QUEUE_URL']\"]
  lost:
    image: node:20-slim
    command: [node, /app/server.js]
  denied:
    image: busybox:1.37-musl
    command: [sh, -c, /code/run.sh]
    volumes: [\"../code:/code:ro\"]
  late:
    image: node:20-slim
    command: [node, -e, \"require('http').createServer(() => {}).listen(3000)\"]
    healthcheck: { test: [CMD, node, -e, \"require('http').get('http://127.0.0.1:3000/health', () => process.exit(0))\"], timeout: 1s, interval: 1s, retries: 1, start_period: 0s }
    labels: { xtask.health: http 3000 /health }
  migrate:
    image: busybox:1.37-musl
    command: [sh, -c, \"echo no such table; exit 3\"]
  after:
    image: busybox:1.37-musl
    command: [sleep, \"1000\"]
    depends_on: { migrate: { condition: service_completed_successfully } }
  well:
    image: busybox:1.37-musl
    command: [sleep, \"1000\"]
";

#[test]
fn every_cause_is_named_and_those_that_wait_stand_in_its_chain() {
    let Some(lab) =
        beside(&[BUSYBOX, PYTHON, NODE], || system("all", SERVICES, &[("code/run.sh", "#!/bin/sh\n")]))
    else {
        return;
    };
    let (file, project) = (lab.root.join("integration/docker-compose.yml"), lab.project());
    let file = file.to_string_lossy();
    let up = ["compose", "-f", &*file, "-p", &*project, "up", "--detach"];
    // Its code is 1, as `waits` is never started.
    let _ = std::process::Command::new("docker").args(up).output();
    until("all of them to be where they end up", || {
        let states = lab.containers("{{.Label \"com.docker.compose.service\"}} {{.Status}}");
        let is = |service: &str, word: &str| {
            states.iter().any(|line| line.starts_with(service) && line.contains(word))
        };
        let restarts = docker(&["inspect", "--format", "{{.RestartCount}}", &format!("{project}-looping-1")]);
        is("absent", "Exited")
            && is("hungry", "Exited")
            && is("refused", "(unhealthy)")
            && is("late", "(unhealthy)")
            && ["unset", "lost", "denied", "migrate"].iter().all(|service| is(service, "Exited"))
            && restarts != "0"
    });

    let health = lab.xtask(&["health"]).exits(1);

    for wanted in [
        "error: `absent` ended with exit code 127: the command `serve` is not in its image
  at integration/docker-compose.yml:2
  why: | sh: serve: not found
  fix: install `serve` in the image `busybox:1.37-musl`, or correct the command there, then: cargo xtask up
",
        "error: `hungry` ended with exit code 137: its memory ran out
  at integration/docker-compose.yml:8
  why: the kernel killed it (SIGKILL) at its limit of 32 MiB
  fix: raise that limit in integration/docker-compose.yml, then: cargo xtask up
",
        "error: `denied` ended with exit code 126: `/code/run.sh` is not executable
  at integration/docker-compose.yml:32
  why: | sh: /code/run.sh: Permission denied
  fix: chmod +x code/run.sh, then: cargo xtask up
",
        "error: `late` is unhealthy: its health check gets no answer in time from `/health`
  at integration/docker-compose.yml:39
  why: the server runs, its health check fails
  fix: cargo xtask logs late
",
        "error: `lost` ended with exit code 1: the file `/app/server.js` is not in its image
  at integration/docker-compose.yml:29
  why: | Error: Cannot find module '/app/server.js'
",
        "error: the one-shot `migrate` failed with exit code 3
  at integration/docker-compose.yml:41
  why: after waits for it
       its last log lines:
       | no such table
  fix: cargo xtask logs migrate
",
        "error: `unset` ended with exit code 1: the variable `QUEUE_URL` is not set
  at integration/docker-compose.yml:26
  why: | KeyError: 'QUEUE_URL'
",
        "error: `looping` ends",
        "error: `refused` is unhealthy: its health check gets 404 from `/health`
  at integration/docker-compose.yml:16
  why: the server runs, its health check fails
       waits waits for it
  fix: let the health check ask",
        "error: `hidden` cannot be reached: it listens on 127.0.0.1:8080 in its container, where nobody else reaches it
  at integration/docker-compose.yml:22
  why: a published port and other services come from outside of the container
",
    ] {
        assert!(health.stderr.contains(wanted), "{}\n--- lacks\n{wanted}", health.stderr);
    }
    assert_eq!(health.stderr.matches("error: ").count(), 10, "{}", health.stderr);
    for waiting in ["waits", "after"] {
        assert!(!health.stderr.contains(&format!("error: `{waiting}`")), "{}", health.stderr);
    }
}
