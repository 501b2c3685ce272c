//! The setup's folder on a real disk: killed runs, links, permissions, refusals.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test plays the user at the same disk and says what it skips"
)]

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use xtask::apply::decide::decide;
use xtask::apply::disk::{Disk, Real};
use xtask::apply::folder::Folder;
use xtask::apply::plan::Plan;
use xtask::apply::take::Options;
use xtask::apply::write::{Report, write, write_on};
use xtask::apply::{current, lock};
use xtask::model::files::Files;

/// A folder of its own, removed when dropped.
struct Place(PathBuf);

impl Place {
    fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("xtask-apply-{}-{n}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Place(path)
    }

    fn setup(&self) -> Folder {
        Folder::new(self.0.join("integration"), "integration")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join("integration").join(name)
    }

    fn edit(&self, name: &str, text: &str) {
        fs::write(self.file(name), text).unwrap();
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn files(pairs: &[(&str, &str)]) -> Files {
    Files(pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect())
}

fn plan(folder: &Folder, new: &Files) -> anyhow::Result<Plan> {
    decide(&current::read(folder, new)?, new, &Options::default())
}

fn run(folder: &Folder, new: &Files) -> Report {
    write(folder, &plan(folder, new).unwrap()).unwrap()
}

/// Every file below a folder: path, inode and time of the last change.
fn stamps(folder: &Path) -> Vec<(PathBuf, u64, i64, i64)> {
    let mut all = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let meta = path.symlink_metadata().unwrap();
            if meta.is_dir() {
                open.push(path.clone());
            }
            all.push((path, meta.ino(), meta.mtime(), meta.mtime_nsec()));
        }
    }
    all.sort();
    all
}

/// Stops at the n-th operation as a killed process does: a write is left half done, and nothing happens afterwards.
struct Killed {
    left: usize,
}

impl Killed {
    fn step(&mut self) -> io::Result<()> {
        self.left = self.left.saturating_sub(1);
        if self.left == 0 { Err(io::Error::other("killed")) } else { Ok(()) }
    }
}

impl Disk for Killed {
    fn make_folder(&mut self, path: &Path) -> io::Result<()> {
        self.step()?;
        Real.make_folder(path)
    }

    fn write_new(&mut self, path: &Path, text: &str, like: &Path) -> io::Result<()> {
        let alive = self.left > 0;
        if let Err(error) = self.step() {
            if alive {
                fs::write(path, &text[..text.len() / 2]).unwrap();
            }
            return Err(error);
        }
        Real.write_new(path, text, like)
    }

    fn sync(&mut self, path: &Path) -> io::Result<()> {
        self.step()?;
        Real.sync(path)
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.step()?;
        Real.rename(from, to)
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        self.step()?;
        Real.remove(path)
    }

    fn remove_folder(&mut self, path: &Path) -> io::Result<()> {
        self.step()?;
        Real.remove_folder(path)
    }
}

const COMPOSE: &str = "docker-compose.yml";
const SQL: &str = "init-scripts/postgres/01-create-databases.sql";

fn first() -> Files {
    files(&[
        (COMPOSE, "name: a\n"),
        ("README.md", "one\n"),
        ("config.yaml", "name: a\n"),
        (SQL, "SELECT 1;\n"),
        (".generated/state.yaml", "name: a\n"),
    ])
}

fn second() -> Files {
    files(&[
        (COMPOSE, "name: a\nservices: {}\n"),
        ("README.md", "two\n"),
        ("config.yaml", "name: b\n"),
        (".env.example", "A=1\n"),
        (".generated/state.yaml", "name: b\n"),
    ])
}

/// Runs `new` over a setup made by `prepare`, killed at every operation in turn; `check` sees what the next run made.
fn killed_everywhere(prepare: impl Fn(&Place), new: &Files, check: impl Fn(&Place)) {
    for n in 1.. {
        let place = Place::new();
        prepare(&place);
        let folder = place.setup();
        let done = write_on(&mut Killed { left: n }, &folder, &plan(&folder, new).unwrap()).is_ok();
        for (name, old) in first().iter() {
            if let Ok(text) = fs::read_to_string(place.file(name)) {
                assert!(
                    [Some(old), new.get(name)].contains(&Some(&text)),
                    "{name} is half written at {n}: {text}"
                );
            }
        }
        run(&folder, new);
        check(&place);
        assert!(!plan(&folder, new).unwrap().changes_anything(), "the run after a kill at {n} left work");
        let rest =
            stamps(&place.0).into_iter().find(|(path, ..)| path.to_string_lossy().contains("xtask-new"));
        assert_eq!(rest, None, "left over after a kill at {n}");
        if done {
            assert!(n > 20, "only {n} operations");
            return;
        }
    }
}

#[test]
fn a_first_run_killed_anywhere_is_completed_by_the_next() {
    killed_everywhere(
        |_| {},
        &first(),
        |place| {
            for (name, text) in first().iter() {
                assert_eq!(place.text(name), text, "{name}");
            }
        },
    );
}

#[test]
fn an_update_killed_anywhere_is_completed_by_the_next() {
    killed_everywhere(
        |place| {
            run(&place.setup(), &first());
        },
        &second(),
        |place| {
            assert_eq!(place.text(COMPOSE), "name: a\nservices: {}\n");
            assert_eq!(place.text("README.md"), "two\n");
            assert_eq!(place.text(".env.example"), "A=1\n");
            assert_eq!(place.text("config.yaml"), "name: a\n");
            assert!(!place.file(SQL).exists(), "unedited and no longer generated");
        },
    );
}

#[test]
fn second_run_writes_nothing() {
    let place = Place::new();
    assert_eq!(run(&place.setup(), &first()).written, 5);
    let before = stamps(&place.0);
    assert_eq!(run(&place.setup(), &first()), Report::default());
    assert_eq!(stamps(&place.0), before);
}

#[test]
fn permissions_of_a_rewritten_file_are_kept() {
    let place = Place::new();
    run(&place.setup(), &first());
    fs::set_permissions(place.file("README.md"), fs::Permissions::from_mode(0o640)).unwrap();
    run(&place.setup(), &second());
    assert_eq!(place.text("README.md"), "two\n");
    assert_eq!(place.file("README.md").metadata().unwrap().mode() & 0o777, 0o640);
}

#[test]
fn a_removed_folder_keeps_what_the_user_put_there() {
    let place = Place::new();
    run(&place.setup(), &first());
    place.edit("init-scripts/postgres/mine.sql", "SELECT 2;\n");
    run(&place.setup(), &second());
    assert!(!place.file(SQL).exists());
    assert_eq!(place.text("init-scripts/postgres/mine.sql"), "SELECT 2;\n");
}

#[test]
fn an_edited_file_that_is_no_longer_generated_stays() {
    let place = Place::new();
    run(&place.setup(), &first());
    place.edit(SQL, "SELECT 3;\n");
    run(&place.setup(), &second());
    assert_eq!(place.text(SQL), "SELECT 3;\n");
    assert!(!plan(&place.setup(), &second()).unwrap().changes_anything());
}

#[test]
fn folders_that_become_empty_go() {
    let place = Place::new();
    run(&place.setup(), &first());
    run(&place.setup(), &second());
    assert!(!place.file("init-scripts").exists());
    assert!(!place.file(".generated/base/init-scripts").exists());
}

#[test]
fn a_link_out_of_the_folder_is_refused_and_nothing_is_written() {
    let place = Place::new();
    run(&place.setup(), &first());
    fs::write(place.0.join("outside"), "theirs\n").unwrap();
    fs::remove_file(place.file("README.md")).unwrap();
    std::os::unix::fs::symlink(place.0.join("outside"), place.file("README.md")).unwrap();
    let error = plan(&place.setup(), &second()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`integration/README.md` is behind a symbolic link that is not followed\n  at integration/README.md\n  \
         why: it leads out of the setup's folder\n  fix: replace the link by a file, or remove it\n\
         1 error, nothing was written"
    );
    assert_eq!(fs::read_to_string(place.0.join("outside")).unwrap(), "theirs\n");
}

#[test]
fn a_link_inside_the_folder_stays_a_link() {
    let place = Place::new();
    run(&place.setup(), &first());
    fs::rename(place.file("README.md"), place.file("READ.md")).unwrap();
    std::os::unix::fs::symlink("READ.md", place.file("README.md")).unwrap();
    run(&place.setup(), &second());
    assert!(place.file("README.md").symlink_metadata().unwrap().is_symlink());
    assert_eq!(place.text("READ.md"), "two\n");
}

#[test]
fn everything_unreadable_is_named_at_once() {
    let place = Place::new();
    run(&place.setup(), &first());
    fs::write(place.file("README.md"), [0xff, 0xfe]).unwrap();
    fs::remove_file(place.file(COMPOSE)).unwrap();
    fs::create_dir(place.file(COMPOSE)).unwrap();
    let error = plan(&place.setup(), &second()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`integration/README.md` is not valid UTF-8\n  at integration/README.md\n  \
         fix: save it as UTF-8, or move it away\n\
         error: `integration/docker-compose.yml` is not a file\n  at integration/docker-compose.yml\n  \
         fix: move it away\n2 errors, nothing was written"
    );
}

#[test]
fn a_file_where_a_folder_belongs_is_named() {
    let place = Place::new();
    fs::create_dir(place.file("")).unwrap();
    place.edit("init-scripts", "mine");
    let error = plan(&place.setup(), &first()).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "`integration/init-scripts` is not a folder\n  why: `integration/{SQL}` has its place in it\n  \
             fix: move it away\n1 error, nothing was written"
        )
    );
}

/// A full disk: the third file does not fit.
struct Full {
    left: usize,
}

impl Disk for Full {
    fn make_folder(&mut self, path: &Path) -> io::Result<()> {
        Real.make_folder(path)
    }

    fn write_new(&mut self, path: &Path, text: &str, like: &Path) -> io::Result<()> {
        self.left = self.left.checked_sub(1).ok_or(io::ErrorKind::StorageFull)?;
        Real.write_new(path, text, like)
    }

    fn sync(&mut self, path: &Path) -> io::Result<()> {
        Real.sync(path)
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        Real.rename(from, to)
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        Real.remove(path)
    }

    fn remove_folder(&mut self, path: &Path) -> io::Result<()> {
        Real.remove_folder(path)
    }
}

#[test]
fn a_full_disk_leaves_no_trace() {
    let place = Place::new();
    let folder = place.setup();
    let error = write_on(&mut Full { left: 3 }, &folder, &plan(&folder, &first()).unwrap()).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "cannot write `integration/{SQL}`\n  at integration/{SQL}\n  why: no storage space\n  \
             fix: free some space and run the command again"
        )
    );
    assert_eq!(stamps(&place.0), []);
}

#[test]
fn a_second_run_waits_for_the_first() {
    let place = Place::new();
    let folder = place.setup();
    let (told, waits) = std::sync::mpsc::channel();
    let held = lock::take(&folder, || unreachable!("nobody else")).unwrap();
    let other = std::thread::spawn(move || {
        let _lock = lock::take(&folder, || told.send(()).unwrap()).unwrap();
    });
    waits.recv().unwrap();
    assert!(!other.is_finished());
    drop(held);
    other.join().unwrap();
}

/// A small file system of its own, unmounted when dropped.
struct Mounted(Place);

impl Mounted {
    /// `None`, and a line that says so, where this user cannot mount anything.
    fn small() -> Option<Mounted> {
        let place = Place::new();
        let answer = mount(&["-t", "tmpfs", "-o", "size=64k", "tmpfs"], &place.0);
        if let Err(why) = answer {
            println!("skipped: a small file system cannot be mounted here: {why}");
            return None;
        }
        Some(Mounted(place))
    }

    fn remount(&self, option: &str) {
        mount(&["-o", &format!("remount,{option}")], &self.0.0).unwrap();
    }

    /// Names and texts of all files.
    fn texts(&self) -> Vec<(PathBuf, String)> {
        let files = stamps(&self.0.0).into_iter().map(|(path, ..)| path).filter(|path| path.is_file());
        files.map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let shell = xshell::Shell::new().unwrap();
        let _ = xshell::cmd!(shell, "umount").arg(&self.0.0).quiet().ignore_stderr().run();
    }
}

fn mount(args: &[&str], at: &Path) -> xshell::Result<()> {
    let shell = xshell::Shell::new()?;
    xshell::cmd!(shell, "mount {args...}").arg(at).quiet().ignore_stderr().run()
}

#[test]
fn a_disk_that_is_really_full_leaves_every_file_as_it_was() {
    let Some(disk) = Mounted::small() else { return };
    let folder = disk.0.setup();
    run(&folder, &first());
    let before = disk.texts();
    let mut large = second();
    large.insert("README.md", "two ".repeat(50_000));

    let error = write(&folder, &plan(&folder, &large).unwrap()).unwrap_err();

    assert_eq!(
        error.to_string(),
        "cannot write `integration/README.md`\n  at integration/README.md\n  \
         why: No space left on device (os error 28)\n  fix: free some space and run the command again"
    );
    assert_eq!(disk.texts(), before);
    disk.remount("size=4m");
    run(&folder, &large);
    assert_eq!(disk.0.text("README.md").len(), 200_000);
    assert!(!plan(&folder, &large).unwrap().changes_anything());
}

#[test]
fn a_first_run_on_a_full_disk_leaves_nothing_behind() {
    let Some(disk) = Mounted::small() else { return };
    let mut large = first();
    large.insert("README.md", "one ".repeat(50_000));
    assert!(write(&disk.0.setup(), &plan(&disk.0.setup(), &large).unwrap()).is_err());
    assert_eq!(stamps(&disk.0.0), []);
}

#[test]
fn a_read_only_mount_is_named_and_nothing_is_touched() {
    let Some(disk) = Mounted::small() else { return };
    let folder = disk.0.setup();
    run(&folder, &first());
    let before = stamps(&disk.0.0);
    disk.remount("ro");

    let error = write(&folder, &plan(&folder, &second()).unwrap()).unwrap_err();

    let text = error.to_string();
    assert!(text.contains("why: Read-only file system (os error 30)"), "{text}");
    assert!(text.ends_with("fix: write the setup elsewhere with `--out DIR`"), "{text}");
    assert_eq!(stamps(&disk.0.0), before);
    disk.remount("rw");
    run(&folder, &second());
    assert_eq!(disk.0.text("README.md"), "two\n");
}
