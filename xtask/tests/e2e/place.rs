//! A monorepo in a folder of its own, and the program run on it as a user would; knows no engine.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Of the caller's environment, what Docker's client needs; nothing else, so that a test means the same everywhere.
const KEPT: &[&str] = &["PATH", "HOME", "DOCKER_HOST", "DOCKER_CONFIG", "DOCKER_CONTEXT"];

/// The monorepo; its files go with the value.
pub(crate) struct Place {
    /// Gone as a whole in the end.
    pub(crate) base: PathBuf,
    /// The monorepo in it.
    pub(crate) root: PathBuf,
}

/// What a user saw of a command that ended.
#[derive(Debug)]
pub(crate) struct Screen {
    /// 128 + signal where a signal ended it.
    pub(crate) code: i32,
    pub(crate) stdout: String,
    /// The monorepo's folder is written `ROOT` in it.
    pub(crate) stderr: String,
    pub(crate) took: Duration,
}

impl Place {
    /// An empty folder of that name, outside any checkout, whose ignore files would count.
    pub(crate) fn new(name: &str) -> Place {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let base = std::env::temp_dir().join(format!("xtask-e2e-{}-{n}", std::process::id()));
        let root = base.join(name);
        fs::create_dir_all(&root).expect("the folder for temporary files is ours");
        Place { base, root: root.canonicalize().expect("was just made") }
    }

    /// The files that git tracks in this project, as a clean clone has them.
    pub(crate) fn clone_of_this_project(name: &str) -> Place {
        let place = Place::new(name);
        let project =
            Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package lies in the workspace");
        let listed = Command::new("git").arg("-C").arg(project).args(["ls-files", "-z"]).output();
        let listed = listed.expect("git runs").stdout;
        let names = String::from_utf8(listed).expect("our file names are UTF-8");
        assert!(!names.is_empty(), "the project is a git checkout");
        for name in names.split_terminator('\0').filter(|name| project.join(name).exists()) {
            let to = place.root.join(name);
            fs::create_dir_all(to.parent().expect("lies below the root")).expect("the folder is ours");
            fs::copy(project.join(name), to).expect("a tracked file can be copied");
        }
        place
    }

    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().expect("lies below the root")).expect("the folder is ours");
        fs::write(path, text).expect("the folder is ours");
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root.join(path)).unwrap_or_else(|why| panic!("{path}: {why}"))
    }

    /// Every file of the monorepo with its bytes.
    pub(crate) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        self.files_below("")
    }

    /// Every file below a folder of the monorepo with its bytes.
    pub(crate) fn files_below(&self, folder: &str) -> BTreeMap<String, Vec<u8>> {
        let mut all = BTreeMap::new();
        let mut open = vec![self.root.join(folder)];
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(folder).expect("is a folder") {
                let path = entry.expect("can be listed").path();
                if path.is_dir() {
                    open.push(path);
                } else {
                    let name = path.strip_prefix(&self.root).expect("lies below the root");
                    all.insert(name.display().to_string(), fs::read(&path).expect("can be read"));
                }
            }
        }
        all
    }

    /// `cargo xtask --root ROOT ARGS…`, not started yet.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.arg("--root").arg(&self.root).args(args).env_clear().stdin(Stdio::null());
        command.envs(KEPT.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
        command
    }

    pub(crate) fn xtask(&self, args: &[&str]) -> Screen {
        self.run(&mut self.command(args))
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, command: &mut Command) -> Screen {
        let started = Instant::now();
        let output = command.output().unwrap_or_else(|why| panic!("{command:?}: {why}"));
        let text = |bytes| String::from_utf8(bytes).expect("the program prints UTF-8");
        Screen {
            code: output.status.code().or(output.status.signal().map(|signal| 128 + signal)).unwrap_or(-1),
            stdout: text(output.stdout),
            stderr: text(output.stderr).replace(&*self.root.to_string_lossy(), "ROOT"),
            took: started.elapsed(),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.base);
    }
}

impl Screen {
    /// Ends the test with the whole screen where the exit code is another one.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Screen {
        assert_eq!(self.code, code, "\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        self
    }
}
