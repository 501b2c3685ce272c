//! What the tests on a real engine share: whether there is one, and how its absence is said.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

use xshell::{Shell, cmd};

/// Says that a test was skipped, once for each reason; where `XTASK_REQUIRE_DOCKER` is set, the test fails instead.
///
/// # Panics
/// Where an engine is required.
pub(crate) fn skip(why: &str) {
    static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    assert!(std::env::var_os("XTASK_REQUIRE_DOCKER").is_none(), "{why}");
    if SAID.lock().unwrap_or_else(PoisonError::into_inner).insert(why.to_owned()) {
        // Not `println!`, which the test harness keeps for itself when a test passes.
        let _ = std::io::stderr().write_all(format!("skipped: {why}\n").as_bytes());
    }
}

/// Whether an engine answers, through Compose, that has these images or can get them; says so where not.
pub(crate) fn has(images: &[&str]) -> bool {
    let shell = Shell::new().expect("the current folder can be read");
    let is_ok = |command: xshell::Cmd<'_>| command.quiet().ignore_stdout().ignore_stderr().run().is_ok();
    if !is_ok(cmd!(shell, "docker version")) || !is_ok(cmd!(shell, "docker compose version")) {
        skip("no engine answers, or there is no Compose");
        return false;
    }
    let missing = images.iter().find(|image| {
        !is_ok(cmd!(shell, "docker image inspect {image}"))
            && !is_ok(cmd!(shell, "docker pull --quiet {image}"))
    });
    if let Some(image) = missing {
        skip(&format!("the engine has no image {image}, and cannot get it"));
    }
    missing.is_none()
}
