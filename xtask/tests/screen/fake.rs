//! A monorepo's setup and a `docker` that answers by pattern; the environment is scrubbed.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A place of its own, removed when dropped.
pub(crate) struct Fake {
    root: PathBuf,
    rules: Vec<(String, String)>,
    docker: bool,
}

/// What the user saw. The place is written `ROOT`.
pub(crate) struct Screen {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// The arguments of each call of docker, one a line.
    pub(crate) calls: String,
}

impl Fake {
    /// An empty setup's folder, and a docker whose engine answers and which has nothing.
    pub(crate) fn new() -> Fake {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let root = std::env::temp_dir().join(format!("xtask-screen-{}-{n}", std::process::id()));
        fs::create_dir_all(root.join("integration")).unwrap();
        fs::create_dir_all(root.join("bin")).unwrap();
        let root = root.canonicalize().unwrap();
        Fake { root, rules: vec![("version --format*".into(), "echo 26.1.5".into())], docker: true }
    }

    /// A machine that has no docker.
    pub(crate) fn without_docker() -> Fake {
        let mut fake = Fake::new();
        fake.docker = false;
        fake
    }

    /// What docker does when its arguments match a pattern of the shell; the last one that matches counts.
    pub(crate) fn on(mut self, pattern: &str, does: &str) -> Fake {
        self.rules.push((pattern.to_owned(), does.to_owned()));
        self
    }

    /// A file of the setup.
    pub(crate) fn file(self, name: &str, text: &str) -> Fake {
        fs::write(self.root.join("integration").join(name), text).unwrap();
        self
    }

    /// A file of the user's home folder.
    pub(crate) fn home(self, name: &str, text: &str) -> Fake {
        let path = self.root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    /// Runs the program to its end.
    pub(crate) fn run(self, args: &[&str]) -> Screen {
        if self.docker {
            self.write_docker();
        }
        let output = self.command(args).output().unwrap();
        self.screen(&output, String::new())
    }

    /// Runs the program, sends it SIGINT once a line of stderr holds this text, and waits for its end.
    pub(crate) fn interrupt_at(self, text: &str, args: &[&str]) -> Screen {
        self.write_docker();
        let mut child = self.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut seen = String::new();
        while !seen.contains(text) {
            assert_ne!(stderr.read_line(&mut seen).unwrap(), 0, "it ended too early: {seen}");
        }
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
        stderr.read_to_string(&mut seen).unwrap();
        let output = child.wait_with_output().unwrap();
        self.screen(&output, seen)
    }

    /// The setup's folder, to look at what a run has left.
    pub(crate) fn setup(&self) -> PathBuf {
        self.root.join("integration")
    }

    /// As [`Fake::run`], and the place stays.
    pub(crate) fn run_here(&self, args: &[&str]) -> Screen {
        self.write_docker();
        let output = self.command(args).output().unwrap();
        self.screen(&output, String::new())
    }

    /// The program with a docker to call, not started yet; the place stays as long as this value.
    pub(crate) fn ready(&self, args: &[&str]) -> Command {
        self.write_docker();
        self.command(args)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.arg("--root").arg(&self.root).args(args).current_dir(&self.root);
        command.env_clear().env("HOME", &self.root).env("PATH", self.path()).stdin(Stdio::null());
        command
    }

    fn screen(&self, output: &Output, stderr: String) -> Screen {
        let text =
            |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&self.root.display().to_string(), "ROOT");
        Screen {
            code: output.status.code().unwrap_or(-1),
            stdout: text(&output.stdout),
            stderr: stderr.replace(&self.root.display().to_string(), "ROOT") + &text(&output.stderr),
            calls: fs::read_to_string(self.root.join("calls")).unwrap_or_default(),
        }
    }

    /// Only what the script needs, so that a docker of the machine is never found.
    fn path(&self) -> PathBuf {
        let bin = self.root.join("bin");
        for tool in ["sh", "sleep", "touch"] {
            let real =
                ["/bin", "/usr/bin"].iter().map(|dir| Path::new(dir).join(tool)).find(|path| path.exists());
            if let Some(real) = real {
                let _ = std::os::unix::fs::symlink(real, bin.join(tool));
            }
        }
        bin
    }

    fn write_docker(&self) {
        let mut script = "#!/bin/sh\necho \"$*\" >> \"$HOME/calls\"\ncase \"$*\" in\n".to_owned();
        for (pattern, does) in self.rules.iter().rev() {
            script.push_str(&format!("{}) {does} ;;\n", pattern.replace(' ', "\\ ")));
        }
        script.push_str("esac\n");
        let file = self.root.join("bin/docker");
        fs::write(&file, script).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}
