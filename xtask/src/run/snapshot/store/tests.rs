//! Tests of the folder of the snapshots, on a real one.

use std::io::Write;
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::run::snapshot::manifest::Entry;

struct Place(Store);

impl Place {
    fn new() -> Place {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("xtask-snapshots-{}-{n}", std::process::id()));
        let [shown, take, list] =
            ["snapshots", "cargo xtask db snapshot NAME", "cargo xtask db list"].map(str::to_owned);
        Place(Store { folder, shown, take, list })
    }

    fn take(&self, name: &str, taken: &str, automatic: bool) {
        let draft = self.0.begin(name).unwrap();
        draft.file("db.dump").unwrap().write_all(b"data").unwrap();
        let mut manifest = Manifest::new(name, taken.to_owned(), "shop", automatic);
        manifest.entries.push(Entry {
            service: "db".into(),
            kind: "postgres".into(),
            image: "postgres:17".into(),
            database: None,
            roles: Vec::new(),
            file: "db.dump".into(),
            bytes: draft.settled("db.dump").unwrap(),
        });
        draft.finish(&manifest).unwrap();
    }

    fn names(&self) -> Vec<String> {
        self.0.list().unwrap().into_iter().map(|manifest| manifest.name).collect()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0.folder);
    }
}

#[test]
fn only_a_finished_snapshot_is_there() {
    let place = Place::new();
    assert_eq!(place.names(), Vec::<String>::new());
    place.take("first", "1", false);
    let draft = place.0.begin("second").unwrap();
    draft.file("db.dump").unwrap();
    assert_eq!(place.names(), ["first"]);
    drop(draft);
    assert_eq!(folders(&place.0.folder).unwrap(), ["first"]);
}

#[test]
fn what_a_killed_run_left_goes_with_the_next_snapshot() {
    let place = Place::new();
    let draft = place.0.begin("killed").unwrap();
    draft.file("db.dump").unwrap();
    std::mem::forget(draft);
    place.take("next", "1", false);
    assert_eq!(folders(&place.0.folder).unwrap(), ["next"]);
}

#[test]
fn the_newest_three_automatic_ones_are_kept_and_all_named_ones() {
    let place = Place::new();
    for taken in ["1", "2", "3", "4", "5"] {
        place.take(&format!("auto-{taken}"), taken, true);
    }
    place.take("mine", "0", false);
    assert_eq!(place.0.prune("shop", "auto-1").unwrap(), ["auto-2"]);
    assert_eq!(place.names(), ["auto-5", "auto-4", "auto-3", "auto-1", "mine"]);
    assert_eq!(place.0.prune("other", "").unwrap(), Vec::<String>::new());
}

#[test]
fn a_name_is_taken_once() {
    let place = Place::new();
    place.take("mine", "1", false);
    assert_eq!(
        place.0.begin("mine").unwrap_err().to_string(),
        "there is a snapshot `mine` already\n  at snapshots/mine\n  fix: take another name, or delete that folder"
    );
    let why = "it becomes a folder: letters, digits, ., _ and -, not more than 100, a letter or digit first";
    for name in ["", ".hidden", "a/b", "..", "-x"] {
        assert_eq!(
            place.0.begin(name).unwrap_err().to_string(),
            format!("`{name}` cannot be the name of a snapshot\n  why: {why}")
        );
    }
}

#[test]
fn a_dump_that_is_cut_off_is_refused() {
    let place = Place::new();
    place.take("mine", "1", false);
    fs::write(place.0.folder.join("mine/db.dump"), "dat").unwrap();
    assert_eq!(
        place.0.get("mine").unwrap_err().to_string(),
        "the snapshot `mine` is not whole\n  at snapshots/mine/db.dump\n  why: it has 3 bytes and should have 4\n  \
         fix: take another one: cargo xtask db list"
    );
}

#[test]
fn a_wrong_name_is_answered_with_the_nearest() {
    let place = Place::new();
    assert_eq!(
        place.0.get("mine").unwrap_err().to_string(),
        "there is no snapshot `mine`\n  why: there is none at all\n  fix: cargo xtask db snapshot NAME"
    );
    place.take("mine", "1", false);
    assert_eq!(
        place.0.get("mime").unwrap_err().to_string(),
        "there is no snapshot `mime`\n  why: 1 snapshot: mine\n  fix: did you mean `mine`?"
    );
}

#[test]
fn dumps_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    place.take("mine", "1", false);
    for path in ["mine", "mine/db.dump", "mine/manifest.json"] {
        let mode = fs::metadata(place.0.folder.join(path)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{path}");
    }
    assert_eq!(fs::read_to_string(place.0.folder.join(".gitignore")).unwrap(), "*\n");
}
