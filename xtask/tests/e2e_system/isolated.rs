//! `test --env test`: a system for one run of the tests, beside the one for development, gone afterwards.

use crate::lab::{docker, lab};
use crate::place::Place;
use crate::shop::{BUSYBOX, rows, service};

const IMAGES: &[&str] = &[BUSYBOX, "redis:8"];

/// Containers, networks and volumes of a project, each with its kind.
fn things(project: &str) -> Vec<String> {
    let filter = format!("label=com.docker.compose.project={project}");
    let mut found = Vec::new();
    for kind in [&["ps", "--all"][..], &["network", "ls"], &["volume", "ls"]] {
        let listed = docker(&[kind, &["--quiet", "--filter", &filter]].concat());
        found.extend(listed.lines().map(|line| format!("{} {line}", kind[0])));
    }
    found.sort();
    found
}

#[test]
fn tests_get_a_system_of_their_own_and_leave_nothing_behind() {
    let Some(place) = lab(IMAGES, || Place::new("isolated")) else { return };
    service(&place, "cart", 8085, "REDIS_URL=redis://localhost:6379/0\n");
    place.xtask(&["integrate"]).exits(0);
    place.keep_apart();
    place.xtask(&["up"]).exits(0);
    let dev = things(&place.project());
    let test = || {
        let text = place.read("integration/.env.test");
        let name = text.lines().filter_map(|line| line.strip_prefix("COMPOSE_PROJECT_NAME=")).next_back();
        name.expect("`.env.test` names the project").to_owned()
    };

    let good = place.xtask(&["test", "--env", "test"]).exits(0);

    assert!(rows(&good).contains(&"connectivity cart to redis passed".to_owned()), "{}", good.stdout);
    assert!(good.stdout.starts_with("TEST "), "nothing but the table:\n{}", good.stdout);
    let last = good.stderr.lines().last().unwrap_or_default().trim();
    assert!(last.starts_with("Removed ") && last.contains(&format!(" of {} in ", test())), "{}", good.stderr);
    assert_eq!(things(&test()), Vec::<String>::new());

    place.write(
        "integration/tests/smoke/broken.yaml",
        "name: b\nservice: cart\nsteps:\n  - request: { path: /no }\n",
    );
    let bad = place.xtask(&["test", "--env", "test"]).exits(1);
    assert!(bad.stderr.contains("Failed 1 of "), "{}", bad.stderr);
    assert_eq!(things(&test()), Vec::<String>::new());

    let kept = place.xtask(&["test", "--env", "test", "--keep"]).exits(1);
    let system = things(&test());
    assert!(kept.stderr.contains("(to stop: cargo xtask down --env test)"), "{}", kept.stderr);
    assert!(!system.is_empty());
    // What was there before the tests stays.
    place.xtask(&["test", "--env", "test"]).exits(1);
    assert_eq!(things(&test()), system);

    place.xtask(&["down", "--env", "test"]).exits(0);
    let left: Vec<String> =
        things(&test()).iter().filter_map(|thing| thing.strip_prefix("volume ").map(str::to_owned)).collect();
    let left: Vec<&str> = left.iter().map(String::as_str).collect();
    if !left.is_empty() {
        docker(&[&["volume", "rm"], left.as_slice()].concat());
    }
    assert_eq!(things(&place.project()), dev, "the system for development was not touched");
}

#[test]
fn a_system_that_does_not_come_up_is_removed_too() {
    let Some(place) = lab(&[BUSYBOX], || Place::new("broken")) else { return };
    place.write("web/Dockerfile", format!("FROM {BUSYBOX}\nEXPOSE 8086\nCMD [\"false\"]\n"));
    place.xtask(&["integrate"]).exits(0);
    place.keep_apart();

    let screen = place.xtask(&["test", "--env", "test"]).exits(1);

    assert!(screen.stderr.contains("error: `web` "), "{}", screen.stderr);
    let name = place.read("integration/.env.test");
    let name = name.lines().find_map(|line| line.strip_prefix("COMPOSE_PROJECT_NAME=")).expect("is named");
    assert_eq!(things(name), Vec::<String>::new());
}
