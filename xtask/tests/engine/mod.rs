//! What the tests on a real engine share: whether there is one, and how its absence is said.

use std::io::Write;

use xshell::{Shell, cmd};

/// Says that a test was skipped; where `XTASK_REQUIRE_DOCKER` is set, the test fails instead.
///
/// # Panics
/// Where an engine is required.
pub(crate) fn skip(why: &str) {
    assert!(std::env::var_os("XTASK_REQUIRE_DOCKER").is_none(), "{why}");
    // Not `println!`, which the test harness keeps for itself when a test passes.
    let _ = writeln!(std::io::stderr(), "skipped: {why}");
}

/// Whether an engine answers that has these images or can get them; says so where not.
pub(crate) fn has(images: &[&str]) -> bool {
    let shell = Shell::new().expect("the current folder can be read");
    let is_ok = |command: xshell::Cmd<'_>| command.quiet().ignore_stdout().ignore_stderr().run().is_ok();
    let missing = images.iter().find(|image| {
        !is_ok(cmd!(shell, "docker image inspect {image}"))
            && !is_ok(cmd!(shell, "docker pull --quiet {image}"))
    });
    if let Some(image) = missing {
        skip(&format!("no engine answers, or it cannot get {image}"));
    }
    missing.is_none()
}
