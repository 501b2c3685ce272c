//! The sample's setup with `docker compose` alone, as its README says it.

use std::process::Command;

use crate::lab::{Own, lab};
use crate::place::{Place, Screen};
use crate::sample::IMAGES;

#[test]
fn the_setup_starts_without_the_commands() {
    let Some(clone) = lab(IMAGES, || Place::clone_of_this_project("by-hand")) else { return };

    compose(&clone, &["--env-file", ".env.example", "config", "-q"]).exits(0);

    // Other ports than the README's, since they belong to the whole machine; the rest is `cp .env.example .env`.
    let folder = clone.base.file_name().expect("has a name").to_string_lossy().into_owned();
    let text = clone.read("integration/.env.example");
    clone.write("integration/.env", format!("{text}COMPOSE_PROJECT_NAME={folder}\n{}", clone.moved_ports()));
    compose(&clone, &["up", "-d", "--wait"]).exits(0);

    clone.assert_all_healthy(&["accounts", "market", "postgres", "redis", "trading"]);
    compose(&clone, &["down"]).exits(0);
}

/// `docker compose` in the setup's folder.
fn compose(clone: &Own, args: &[&str]) -> Screen {
    clone.run(Command::new("docker").arg("compose").args(args).current_dir(clone.root.join("integration")))
}
