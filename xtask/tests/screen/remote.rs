//! The screens of an engine on another machine, which `docker context use` has chosen, against a scripted docker.

use crate::fake::Fake;
use crate::{assert_ends, everything_starts, ps};

/// `docker context use build`, and what `docker context create build --docker host=…` leaves.
fn on_build(fake: Fake) -> Fake {
    fake.home(".docker/config.json", r#"{ "auths": {}, "currentContext": "build" }"#).home(
        ".docker/contexts/meta/2cbf/meta.json",
        r#"{"Name":"build","Metadata":{},"Endpoints":{"docker":{"Host":"ssh://me@192.0.2.7","SkipTLSVerify":false}}}"#,
    )
}

/// A database that mounts a file and something that is nowhere.
fn mounting(source: &str) -> Fake {
    let config = format!(
        r#"echo '{{"services":{{"db":{{"image":"postgres:17","volumes":[{{"type":"bind","source":"{source}","target":"/a"}},{{"type":"bind","source":"/nowhere/at/all","target":"/b"}}]}}}}}}'"#
    );
    on_build(everything_starts())
        .on("*config --format json", &config)
        .on("ps --all*", &ps("db", "running", "Up 1 second (healthy)"))
}

#[test]
fn what_a_chosen_engine_cannot_mount_is_named_before_anything_starts() {
    let refused =
        "echo 'invalid mount config for type \"bind\": bind source path does not exist: /x' >&2; exit 1";
    let screen = mounting("/etc/passwd").on("create --pull never*", refused).run(&["up"]);
    assert_ends(
        &screen,
        1,
        "error: 1 mounted path is not on the engine's machine\n  \
         why: the engine is on 192.0.2.7 (the context `build`) and mounts from its own disk\n       /etc/passwd (db)\n  \
         fix: bring this checkout to the same path on 192.0.2.7, or run cargo xtask up there\n",
    );
    let asked: Vec<&str> = screen.calls.lines().filter(|call| call.starts_with("create ")).collect();
    assert_eq!(asked.len(), 1, "what is nowhere is Docker's to make: {asked:?}");
    assert!(!screen.calls.contains(" up "), "{}", screen.calls);
}

#[test]
fn what_lies_on_the_engines_machine_too_is_mounted_and_no_trial_stays_behind() {
    let screen = mounting("/etc/passwd").on("create --pull never*", "echo trial").run(&["up"]);
    assert_eq!(screen.code, 0, "{}", screen.stderr);
    assert!(screen.calls.lines().any(|call| call == "rm --volumes trial"), "{}", screen.calls);
    assert!(screen.calls.contains(" up --detach"), "{}", screen.calls);
}

#[test]
fn ports_for_the_engines_machine_alone_are_said_and_urls_name_that_machine() {
    let published = ps("db", "running", "Up 1 second (healthy)")
        .replace(r#""ports":"""#, r#""ports":"127.0.0.1:5432->5432/tcp""#);
    let screen = mounting("/nowhere").on("ps --all*", &published).run(&["up"]);
    assert!(
        screen
            .stderr
            .contains("warning: from here no port answers that is published on 127.0.0.1 of 192.0.2.7\n"),
        "{}",
        screen.stderr
    );
}

#[test]
fn a_chosen_engine_that_does_not_answer_is_named_with_the_way_back() {
    let gone = "echo 'error during connect: cannot reach it' >&2; exit 1";
    let screen = on_build(Fake::new()).on("version --format*", gone).run(&["down"]);
    assert_ends(
        &screen,
        1,
        "error: the Docker engine does not answer\n  why: error during connect: cannot reach it\n       \
         $ docker version --format '{{.Server.Version}}'\n  \
         fix: correct the context `build` (ssh://me@192.0.2.7), or docker context use default and: cargo xtask doctor --install\n",
    );
}
