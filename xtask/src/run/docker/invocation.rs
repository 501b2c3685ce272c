//! A command line: what it consists of, how it is shown, and how its failure reads; starts nothing.

use std::fmt;
use std::path::{Path, PathBuf};

use super::{Output, UNREACHABLE, last_lines, no_engine, quoted};
use crate::error::{Failure, Result};
use crate::run::signals;
use crate::ui::Ui;

/// A command line that has not been started; every way to run it is a method.
///
/// The child's environment is ours without `COMPOSE_…`, so that a stray variable cannot change which files,
/// project or profiles Compose takes.
#[derive(Debug, Clone)]
pub struct Invocation {
    pub(super) program: PathBuf,
    name: String,
    pub(super) args: Vec<String>,
    pub(super) stdin: Option<String>,
    pub(super) env: Vec<(String, String)>,
    pub(super) folder: Option<PathBuf>,
    pub(super) ui: Ui,
}

impl Invocation {
    /// This program, called by that name.
    pub(super) fn new(program: PathBuf, name: &str, ui: Ui) -> Invocation {
        Invocation {
            program,
            name: name.to_owned(),
            args: Vec::new(),
            stdin: None,
            env: Vec::new(),
            folder: None,
            ui,
        }
    }

    /// A program other than docker, by name from the PATH or by path.
    ///
    /// # Errors
    /// When it does not exist.
    pub fn program(ui: Ui, name: &str) -> Result<Invocation> {
        signals::watch()?;
        let program = which::which(name).map_err(|_| Failure::new(format!("`{name}` is not installed")))?;
        Ok(Invocation::new(program, name, ui))
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<I, S>(mut self, args: I) -> Self
    where
        I: IntoIterator<Item = S>,
        S: Into<String>,
    {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(self, arg: impl Into<String>) -> Self {
        self.args([arg.into()])
    }

    /// What the command reads on stdin; without it, nothing.
    #[must_use]
    pub fn stdin(mut self, text: impl Into<String>) -> Self {
        self.stdin = Some(text.into());
        self
    }

    /// Where the command runs; without it, where we do.
    #[must_use]
    pub fn in_folder(mut self, folder: &Path) -> Self {
        self.folder = Some(folder.to_owned());
        self
    }

    /// A variable of the child's environment: what must not stand on a command line. It is never shown.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// The failure of this command with that outcome.
    pub fn failure(&self, output: &Output) -> anyhow::Error {
        // Which question it does not answer is of no use to anybody.
        if UNREACHABLE.iter().any(|words| output.stderr.contains(words)) {
            return no_engine(output).into();
        }
        let said = if output.stderr.trim().is_empty() { &output.stdout } else { &output.stderr };
        let mut failure = Failure::new(format!("`{}` failed with exit code {}", self.brief(), output.code))
            .why(format!("$ {self}"));
        for line in last_lines(said, 20) {
            failure = failure.why(line);
        }
        failure.into()
    }

    /// `docker compose up`: the command without its options, for headlines.
    pub(super) fn brief(&self) -> String {
        let mut words = vec![self.name.as_str()];
        let mut skip = false;
        for arg in &self.args {
            let takes_value = matches!(
                arg.as_str(),
                "-f" | "-p"
                    | "--file"
                    | "--project-name"
                    | "--project-directory"
                    | "--env-file"
                    | "--progress"
                    | "--ansi"
            );
            if !skip && !arg.starts_with('-') {
                words.push(arg);
            }
            skip = takes_value;
            if words.len() == if words.get(1) == Some(&"compose") { 3 } else { 2 } {
                break;
            }
        }
        words.join(" ")
    }

    pub(super) fn not_started(&self, why: impl fmt::Display) -> anyhow::Error {
        Failure::new(format!("cannot run `{}`", self.name)).why(format!("$ {self}")).why(why).into()
    }
}

/// The command line, ready to paste.
impl fmt::Display for Invocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        for arg in &self.args {
            write!(f, " {}", quoted(arg))?;
        }
        Ok(())
    }
}
