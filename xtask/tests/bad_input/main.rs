//! What `integrate` and `inventory` say about a monorepo that they cannot read as it is: each message whole.
//! Nothing here needs an engine.
#![allow(clippy::disallowed_methods, reason = "a test plays the user at the same disk")]

#[path = "../e2e/place.rs"]
#[allow(dead_code, reason = "shared with the tests on an engine")]
mod place;
mod setup;
mod tree;

use std::fs::File;
use std::process::Stdio;

use place::{Place, Screen};

fn empty() -> Place {
    Place::new("shop")
}

/// One service of which nothing has to be said.
fn shop() -> Place {
    let shop = empty();
    let health = "HEALTHCHECK CMD [\"python\", \"-c\", \"import app; app.check()\"]";
    let text = format!("FROM python:3.13-slim\n{health}\nEXPOSE 8000\nCMD [\"python\", \"-m\", \"app\"]\n");
    shop.write("api/Dockerfile", text);
    shop
}

/// What `inventory` shows of [`shop`] when nothing else is found.
const SHOP: &str = "SERVICE  PORT  DATABASE  HEALTH CHECK  DEPENDENCIES\n\
                    api      8000  -         command       -\n";

#[track_caller]
fn assert_screen(screen: &Screen, code: i32, stdout: &str, stderr: &str) {
    assert_eq!(screen.stdout, stdout);
    assert_eq!(screen.stderr, stderr);
    assert_eq!(screen.code, code);
}

/// The program refuses, says this, and the monorepo is as before.
#[track_caller]
fn assert_refused(place: &Place, command: &str, stderr: &str) {
    let before = place.files();
    let screen = place.xtask(&[command]);
    assert_screen(&screen, 1, "", stderr);
    assert!(place.files() == before, "a file was written");
}

#[test]
fn a_monorepo_that_is_well_has_nothing_said_about_it() {
    assert_screen(&shop().xtask(&["inventory"]), 0, SHOP, "");
}

#[test]
fn without_docker_up_makes_the_setup_and_says_how_to_get_docker() {
    let shop = shop();
    let nothing = shop.base.join("no-programs");

    let up = shop.run(shop.command(&["up"]).env("PATH", nothing));

    let words = "error: `docker` is not installed\n  why: no program of this name on the PATH\n  \
                 fix: cargo xtask doctor --install\n";
    assert!(up.stderr.contains("     Created integration/docker-compose.yml\n"), "{}", up.stderr);
    assert!(
        up.stderr.ends_with(&format!("     Created integration/tests/connectivity.yaml\n{words}")),
        "{}",
        up.stderr
    );
    assert_eq!(up.code, 1);
    shop.xtask(&["integrate", "--check"]).exits(0);
}

#[test]
fn without_docker_up_brings_an_old_setup_up_to_date() {
    let shop = shop();
    shop.xtask(&["integrate"]).exits(0);
    shop.write("api/.env.example", "GREETING=hello\n");
    shop.xtask(&["integrate", "--check"]).exits(1);

    let up = shop.run(shop.command(&["up"]).env("PATH", shop.base.join("no-programs")));

    assert_eq!(up.code, 1);
    assert!(up.stderr.contains("fix: cargo xtask doctor --install\n"), "{}", up.stderr);
    shop.xtask(&["integrate", "--check"]).exits(0);
}

#[test]
fn an_inventory_that_nobody_can_take_is_an_error_and_one_that_nobody_wants_is_none() {
    let shop = shop();
    let inventory_to = |stdout: Stdio| {
        let ran = shop.command(&["inventory", "--json"]).stdout(stdout).stderr(Stdio::piped()).output();
        let ran = ran.expect("the program starts");
        (ran.status.code(), String::from_utf8(ran.stderr).expect("is text"))
    };

    let full = File::options().write(true).open("/dev/full").expect("is there on Linux");
    let words =
        "error: the inventory cannot be written to stdout\n  why: No space left on device (os error 28)\n";
    assert_eq!(inventory_to(full.into()), (Some(1), words.to_owned()));

    let (reader, writer) = std::io::pipe().expect("the system has one left");
    drop(reader);
    assert_eq!(inventory_to(writer.into()), (Some(0), String::new()));
}
