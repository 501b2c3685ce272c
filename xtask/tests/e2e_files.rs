//! The committed setup of the sample, as a clean clone has it; nothing here needs an engine.
#![allow(clippy::disallowed_methods, reason = "a test plays the user at the same disk")]

#[path = "e2e/place.rs"]
#[allow(dead_code, reason = "shared with the tests on an engine")]
mod place;

use place::Place;

#[test]
fn the_committed_setup_is_what_integrate_writes() {
    // Under another name: what is generated does not depend on where a clone lies.
    let clone = Place::clone_of_this_project("Another Name");
    let committed = clone.files_below("integration");
    clone.xtask(&["integrate", "--check"]).exits(0);
    std::fs::remove_dir_all(clone.root.join("integration")).expect("the clone is ours");

    clone.xtask(&["integrate"]).exits(0);

    let written = clone.files_below("integration");
    let names =
        |files: &std::collections::BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&written), names(&committed));
    // What is recorded of the Dockerfiles' content may be older: their edits alone make no setup stale.
    let text = |bytes: &[u8]| -> Vec<String> {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let is_digest = |line: &str| line.rsplit_once("Dockerfile: ").is_some_and(|(_, end)| end.len() == 16);
        text.lines().filter(|line| !is_digest(line)).map(str::to_owned).collect()
    };
    for (name, bytes) in &written {
        assert_eq!(text(bytes), text(&committed[name]), "{name}");
    }
}

#[test]
fn check_shows_a_new_variable_as_a_diff_and_writes_nothing() {
    let clone = Place::clone_of_this_project("clone");
    let example = "workspace/code/trading/.env.example";
    clone.write(example, clone.read(example) + "EXTRA=1\n");
    let before = clone.files();

    let check = clone.xtask(&["integrate", "--check"]).exits(1);

    let changed: Vec<&str> = check.stdout.lines().filter(|line| line.starts_with(['+', '-'])).collect();
    assert_eq!(
        changed,
        [
            "--- a/integration/.env.example",
            "+++ b/integration/.env.example",
            "+# TRADING_EXTRA=1",
            "--- a/integration/docker-compose.yml",
            "+++ b/integration/docker-compose.yml",
            "+      EXTRA: \"${TRADING_EXTRA:-1}\"",
        ]
    );
    assert_eq!(
        check.stderr,
        "error: integration is not up to date: 2 files would change\n  fix: cargo xtask integrate\n"
    );
    assert!(clone.files() == before, "a file was written");
}
