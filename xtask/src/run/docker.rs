//! The only place that starts processes: finds `docker`, shows each command with `-v`, passes signals on.
//! Knows no command line of its own; those stand where their answers are read.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{Failure, Result};
use crate::run::engine::{self, Engine};
use crate::run::signals;
use crate::ui::Ui;

mod child;
mod invocation;
mod passing;
mod running;

pub use child::Child;
pub use invocation::Invocation;
pub use running::{RESTARTS, begun};

/// How long a child may take to end after it was asked to, before it is killed.
const GRACE: Duration = Duration::from_secs(10);
/// How often a wait looks at the signals.
const TICK: Duration = Duration::from_millis(50);

/// The `docker` of this machine.
#[derive(Debug, Clone)]
pub struct Docker {
    program: PathBuf,
    ui: Ui,
}

impl Docker {
    /// Looks for `docker` on the PATH.
    ///
    /// # Errors
    /// When there is none.
    pub fn find(ui: Ui) -> Result<Docker> {
        signals::watch()?;
        let program = which::which("docker").map_err(|_| {
            Failure::new("`docker` is not installed")
                .why("no program of this name on the PATH")
                .fix("cargo xtask doctor --install")
        })?;
        Ok(Docker { program, ui })
    }

    /// `docker ARGS…`, not started yet.
    pub fn command<I, S>(&self, args: I) -> Invocation
    where
        I: IntoIterator<Item = S>,
        S: Into<String>,
    {
        Invocation::new(self.program.clone(), "docker", self.ui).args(args)
    }
}

/// What Docker's client says of an engine that it cannot reach.
const UNREACHABLE: [&str; 3] = [
    "Cannot connect to the Docker daemon",
    "error during connect:",
    "permission denied while trying to connect",
];

/// The engine does not answer: what the client says of it, and what mends it.
pub fn no_engine(output: &Output) -> Failure {
    let failure = Failure::new("the Docker engine does not answer");
    let failure = last_lines(&output.stderr, 3).into_iter().fold(failure, Failure::why);
    match engine::chosen() {
        _ if output.stderr.contains("permission denied") => {
            failure.fix("sudo usermod -aG docker \"$USER\", then log in again")
        }
        Some(Engine { address, by, undo }) if engine::remote().is_some() || by == "DOCKER_HOST" => {
            failure.fix(format!("correct {by} ({address}), or {undo} and: cargo xtask doctor --install"))
        }
        _ => failure.fix("cargo xtask doctor --install"),
    }
}

/// Where a program of this name lies on the PATH.
pub fn installed(program: &str) -> Option<PathBuf> {
    which::which(program).ok()
}

/// A variable of the shell that started the program.
#[allow(clippy::disallowed_methods, reason = "the one place of run that reads the environment")]
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// A word as a POSIX shell reads it back.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// The last lines of a text, blank ones left out.
pub fn last_lines(text: &str, count: usize) -> Vec<&str> {
    let lines: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(count)..].to_vec()
}

/// A path as an argument.
pub fn path_arg(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// What a command that ended left behind.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Output {
    /// The exit code; 128 + signal where a signal ended it.
    pub code: i32,
    /// Its stdout.
    pub stdout: String,
    /// Its stderr.
    pub stderr: String,
}

impl Output {
    /// Whether the container's runtime lost the program before it began. `docker exec` prints that to stdout, `docker run`
    /// to stderr; `docker start` and Compose end as for any other error of the engine's.
    fn never_began(&self) -> bool {
        let both = [&self.stdout, &self.stderr];
        match self.may_be_dockers() {
            true => both.into_iter().any(|said| is_loss(said)),
            false => {
                self.code != 0 && self.stderr.contains("Error response from daemon") && is_loss(&self.stderr)
            }
        }
    }

    /// Whether its code is one with which docker itself ends where it could not run the program.
    fn may_be_dockers(&self) -> bool {
        (125..=127).contains(&self.code)
    }
}

/// Whether runc says here that its first step ended early, as a busy machine makes it do: nothing of the program has run.
pub fn is_loss(said: &str) -> bool {
    let by_runc = ["OCI runtime", "runc run failed"].iter().any(|who| said.contains(who));
    by_runc && said.contains("init preliminary setup")
}

fn exit_code(status: &std::process::ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1)
}

#[cfg(test)]
mod tests;
