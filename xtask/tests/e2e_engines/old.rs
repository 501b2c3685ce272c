//! The oldest engine that is supported, which knows no `start_interval`, on a machine that is not this one.

use crate::nested::{Nested, Options, nested};
use crate::place::Place;

const ENGINE: &str = "docker:20.10-dind";
const BUSYBOX: &str = "busybox:1.37-musl";

fn monorepo() -> Place {
    let place = Place::new("old");
    place.write(
        "web/Dockerfile",
        "FROM busybox:1.37-musl\nRUN mkdir /w && echo ok > /w/health\nEXPOSE 8080\nCMD [\"httpd\", \"-f\", \"-p\", \"8080\", \"-h\", \"/w\"]\n",
    );
    place.xtask(&["integrate"]).exits(0);
    place
}

#[test]
fn an_old_engine_on_another_machine_runs_the_generated_setup() {
    let options = Options { images: &[BUSYBOX], ..Options::default() };
    let Some(old) = nested(ENGINE, &options, monorepo) else { return };
    refused_by_hand(&old);
    ports(&old);
    mounts(&old);
    old.xtask(&["down"]).exits(0);
    assert_eq!(old.docker(&["ps", "--all", "--quiet"]).stdout, "");
}

/// What `up` has to do for this engine.
fn refused_by_hand(old: &Nested) {
    let file = old.lab.root.join("integration/docker-compose.yml");
    let compose = ["compose", "-f", &file.to_string_lossy(), "-p", "by-hand"];
    let up = old.docker(&[&compose[..], &["up", "--detach"]].concat());
    assert!(up.code != 0 && up.stderr.contains("start_interval"), "{}", up.stderr);
    old.docker(&[&compose[..], &["down"]].concat()).exits(0);
}

/// Ports are published for the engine's machine alone, until the user says otherwise.
fn ports(old: &Nested) {
    let host = &old.address;
    let env = old.lab.read("integration/.env");
    old.lab.write("integration/.env", env.replace("BIND_ADDR=0.0.0.0\n", ""));
    let fix = format!(
        "  fix: set BIND_ADDR=0.0.0.0 in integration/.env, then: cargo xtask up; every machine that reaches {host} can use the ports then\n"
    );
    let up = old.xtask(&["up"]).exits(0);
    let warning =
        format!("warning: from here no port answers that is published on 127.0.0.1 of {host}\n{fix}");
    assert!(up.stderr.contains(&warning), "{}", up.stderr);
    let health = old.xtask(&["health"]).exits(1);
    let why = format!(
        "error: `web` does not answer as it should
  why: tcp://{host}:8080: connection refused: nothing listens there
       it is published on 127.0.0.1 of {host}, so for that machine alone
{fix}"
    );
    assert_eq!(health.stderr, why);

    old.lab.write("integration/.env", env);
    let up = old.xtask(&["up"]).exits(0);
    assert!(!up.stderr.contains("warning:"), "{}", up.stderr);
    assert!(up.stdout.contains(&format!("  http://{host}:8080")), "{}", up.stdout);
    let health = old.xtask(&["health"]).exits(0);
    assert!(
        health.stdout.contains(&format!("  tcp://{host}:8080  accepts connections")),
        "{}",
        health.stdout
    );
}

/// The engine mounts what lies on its own machine.
fn mounts(old: &Nested) {
    let more = "services:
  seed:
    image: busybox:1.37-musl
    command: [cat, /data/rows]
    volumes: [\"../web/data:/data:ro\"]
";
    let file = "integration/docker-compose.test.yml";
    old.lab.write(file, more);
    old.lab.write("web/data/rows", "1\n");
    let env = old.lab.read("integration/.env");
    old.lab
        .write("integration/.env.test", env.replace("COMPOSE_PROJECT_NAME=", "COMPOSE_PROJECT_NAME=test-"));
    let up = old.xtask(&["up", "--env", "test"]).exits(1);
    let host = &old.address;
    let wanted = format!(
        "error: 1 mounted path is not on the engine's machine
  why: the engine is on {host} (DOCKER_HOST) and mounts from its own disk
       web/data (seed)
  fix: bring this checkout to the same path on {host}, or run cargo xtask up --env test there
"
    );
    assert!(up.stderr.ends_with(&wanted), "{}", up.stderr);
    assert!(!up.stderr.contains("Building"), "{}", up.stderr);
}
