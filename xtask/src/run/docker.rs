//! The only place that starts processes: finds `docker`, shows each command with `-v`, passes signals on.
//! Knows no command line of its own; those stand where their answers are read.

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::error::{Failure, Result};
use crate::run::engine::{self, Engine};
use crate::run::signals;
use crate::ui::Ui;

mod child;

pub use child::Child;
use child::{signal_children, stop};

/// How long a child may take to end after it was asked to, before it is killed.
const GRACE: Duration = Duration::from_secs(10);
/// How long the engine may take to answer a question; long, since a busy one is none that is broken.
const ANSWER: Duration = Duration::from_secs(30);
/// How often a program that never began is started again.
const RESTARTS: usize = 2;
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
        Invocation {
            program: self.program.clone(),
            name: "docker".to_owned(),
            args: args.into_iter().map(Into::into).collect(),
            stdin: None,
            env: Vec::new(),
            folder: None,
            ui: self.ui,
        }
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

/// A command line that has not been started; every way to run it is a method.
///
/// The child's environment is ours without `COMPOSE_…`, so that a stray variable cannot change which files,
/// project or profiles Compose takes.
#[derive(Debug, Clone)]
pub struct Invocation {
    program: PathBuf,
    name: String,
    args: Vec<String>,
    stdin: Option<String>,
    env: Vec<(String, String)>,
    folder: Option<PathBuf>,
    ui: Ui,
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
    /// Whether the container's runtime lost the program before it began: a busy machine makes runc's first step end early.
    fn never_began(&self) -> bool {
        self.code == 126
            && ["OCI runtime exec failed", "init preliminary setup"]
                .iter()
                .all(|part| self.stderr.contains(part))
    }
}

impl Invocation {
    /// A program other than docker, by name from the PATH or by path.
    ///
    /// # Errors
    /// When it does not exist.
    pub fn program(ui: Ui, name: &str) -> Result<Invocation> {
        signals::watch()?;
        let program = which::which(name).map_err(|_| Failure::new(format!("`{name}` is not installed")))?;
        Ok(Invocation {
            program,
            name: name.to_owned(),
            args: Vec::new(),
            stdin: None,
            env: Vec::new(),
            folder: None,
            ui,
        })
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

    /// Runs it and returns its stdout without the last line end.
    ///
    /// # Errors
    /// When it cannot be started or its exit code is not 0; the failure names the command and holds its stderr.
    pub fn read(&self) -> Result<String> {
        self.text(self.output()?)
    }

    /// As [`Invocation::read`], for a question to the engine: one that does not answer is given up.
    ///
    /// # Errors
    /// Also when there is no answer within half a minute.
    pub fn ask(&self) -> Result<String> {
        let Some(output) = self.within(ANSWER)? else {
            return Err(Failure::new("the Docker engine does not answer")
                .why(format!("no answer within {} s", ANSWER.as_secs()))
                .why(format!("$ {self}"))
                .fix("cargo xtask doctor")
                .into());
        };
        self.text(output)
    }

    fn text(&self, output: Output) -> Result<String> {
        if output.code != 0 {
            return Err(self.failure(&output));
        }
        let stdout = output.stdout;
        Ok(stdout.strip_suffix('\n').map(str::to_owned).unwrap_or(stdout))
    }

    /// Runs it to its end, whatever its exit code.
    ///
    /// # Errors
    /// When it cannot be started, or a signal for us ended it.
    pub fn output(&self) -> Result<Output> {
        self.ui.command(self);
        let shell = xshell::Shell::new().map_err(|why| self.not_started(why))?;
        if let Some(folder) = &self.folder {
            shell.change_dir(folder);
        }
        let mut command = shell.cmd(&self.program).args(&self.args).quiet().ignore_status();
        for name in compose_variables() {
            command = command.env_remove(name);
        }
        for (name, value) in &self.env {
            command = command.env(name, value);
        }
        if let Some(stdin) = &self.stdin {
            command = command.stdin(stdin);
        }
        let output = command.output().map_err(|why| self.not_started(why))?;
        self.ended(&output)
    }

    /// Runs it to its end or to the limit, where it is killed and the answer is `None`.
    ///
    /// # Errors
    /// As [`Invocation::output`].
    pub fn output_within(&self, limit: Duration) -> Result<Option<Output>> {
        signals::check()?;
        self.within(limit)
    }

    /// Only a signal that comes meanwhile ends it: after Ctrl-C it is asked what still runs.
    fn within(&self, limit: Duration) -> Result<Option<Output>> {
        let interrupted = signals::received();
        self.ui.command(self);
        let handle = self.expression().stdout_capture().stderr_capture().start();
        let handle = handle.map_err(|why| self.not_started(why))?;
        let deadline = Instant::now() + limit;
        while Instant::now() < deadline {
            if !interrupted {
                signals::check().inspect_err(|_| stop(&handle, GRACE))?;
            }
            let output = handle.wait_timeout(TICK.min(limit)).map_err(|why| self.not_started(why))?;
            if let Some(output) = output {
                return self.ended(output).map(Some);
            }
        }
        stop(&handle, TICK);
        Ok(None)
    }

    /// The first bytes of its stdout, as they are; it is ended once it has printed that many.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn first_bytes(&self, count: u64) -> Result<Vec<u8>> {
        signals::check()?;
        self.ui.command(self);
        let reader = self.expression().stderr_null().reader().map_err(|why| self.not_started(why))?;
        let mut bytes = Vec::new();
        // What a command that fails has printed is all that there is.
        let _ = (&reader).take(count).read_to_end(&mut bytes);
        let _ = reader.kill();
        Ok(bytes)
    }

    /// Runs it to its end between two files, however long that takes: what it reads on stdin, and where its stdout
    /// goes; nothing and [`Output::stdout`] where there is none. A signal for us ends it. A program that a container's
    /// runtime lost before it began is started again.
    ///
    /// # Errors
    /// As [`Invocation::output`].
    pub fn stream(&self, from: Option<File>, to: Option<File>) -> Result<Output> {
        let again = |file: &Option<File>| file.as_ref().map(File::try_clone).transpose();
        for _ in 0..RESTARTS {
            let copies = again(&from).and_then(|from| Ok((from, again(&to)?)));
            let (copy_from, copy_to) = copies.map_err(|why| self.not_started(why))?;
            let output = self.stream_once(copy_from, copy_to)?;
            if !output.never_began() {
                return Ok(output);
            }
            // Copies share their place in the file.
            for mut file in [&from, &to].into_iter().flatten() {
                file.rewind().map_err(|why| self.not_started(why))?;
            }
        }
        self.stream_once(from, to)
    }

    fn stream_once(&self, from: Option<File>, to: Option<File>) -> Result<Output> {
        signals::check()?;
        self.ui.command(self);
        let expression = self.with_env(duct::cmd(&self.program, &self.args));
        let expression = match from {
            Some(file) => expression.stdin_file(file),
            None => expression.stdin_null(),
        };
        let expression = match to {
            Some(file) => expression.stdout_file(file),
            None => expression.stdout_capture(),
        };
        let handle = own_group(expression).unchecked().stderr_capture().start();
        let handle = handle.map_err(|why| self.not_started(why))?;
        loop {
            let output = handle.wait_timeout(TICK).map_err(|why| self.not_started(why))?;
            if let Some(output) = output {
                return self.ended(output);
            }
            signals::check().inspect_err(|_| stop(&handle, GRACE))?;
        }
    }

    /// Runs it with our own streams, for the user: `exec`, `logs -f`. Ctrl-C reaches the child from the terminal.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn foreground(&self) -> Result<i32> {
        self.ui.command(self);
        let mut expression = self.with_env(duct::cmd(&self.program, &self.args)).unchecked();
        if let Some(stdin) = &self.stdin {
            expression = expression.stdin_bytes(stdin.as_bytes());
        }
        let handle = expression.start().map_err(|why| self.not_started(why))?;
        let mut forwarded = false;
        loop {
            let output = handle.wait_timeout(TICK).map_err(|why| self.not_started(why))?;
            if let Some(output) = output {
                return Ok(exit_code(&output.status));
            }
            if signals::received() && !forwarded {
                forwarded = true;
                signal_children(&handle, rustix::process::Signal::TERM);
            }
        }
    }

    /// Starts it in the background, in a process group of its own, and collects what it prints.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(&self) -> Result<Child> {
        self.ui.command(self);
        let (reader, writer) = std::io::pipe().map_err(|why| self.not_started(why))?;
        let copy = writer.try_clone().map_err(|why| self.not_started(why))?;
        let handle = self.expression().stdout_file(writer).stderr_file(copy).start();
        let handle = handle.map_err(|why| self.not_started(why))?;
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            let mut reader = BufReader::new(reader);
            let mut line = Vec::new();
            while matches!(reader.read_until(b'\n', &mut line), Ok(read) if read > 0) {
                let shown = String::from_utf8_lossy(&line).trim_end().to_owned();
                if sender.send(shown).is_err() {
                    return;
                }
                line.clear();
            }
        });
        Ok(Child::new(handle, lines, self.to_string()))
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
    fn brief(&self) -> String {
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

    fn expression(&self) -> duct::Expression {
        let expression = self.with_env(duct::cmd(&self.program, &self.args));
        let expression = match &self.stdin {
            Some(stdin) => expression.stdin_bytes(stdin.as_bytes()),
            None => expression.stdin_null(),
        };
        own_group(expression).unchecked()
    }

    fn with_env(&self, expression: duct::Expression) -> duct::Expression {
        let cleaned = environment_cleaned(expression);
        let cleaned = match &self.folder {
            Some(folder) => cleaned.dir(folder),
            None => cleaned,
        };
        self.env.iter().fold(cleaned, |expression, (name, value)| expression.env(name, value))
    }

    fn ended(&self, output: &std::process::Output) -> Result<Output> {
        let output = Output {
            code: exit_code(&output.status),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        };
        if output.code != 0 {
            signals::check()?;
        }
        Ok(output)
    }

    fn not_started(&self, why: impl fmt::Display) -> anyhow::Error {
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

/// A Ctrl-C of the terminal then reaches only us, and we decide what the child gets.
fn own_group(expression: duct::Expression) -> duct::Expression {
    use std::os::unix::process::CommandExt;
    expression.before_spawn(|command| {
        command.process_group(0);
        Ok(())
    })
}

fn environment_cleaned(expression: duct::Expression) -> duct::Expression {
    compose_variables().fold(expression, |expression, name| expression.env_remove(name))
}

fn compose_variables() -> impl Iterator<Item = OsString> {
    std::env::vars_os()
        .map(|(name, _)| name)
        .filter(|name| name.to_str().is_some_and(|name| name.starts_with("COMPOSE_")))
}

fn exit_code(status: &std::process::ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn invocation(args: &[&str]) -> Invocation {
        Invocation::program(Ui::default(), "sh").unwrap().args(args.iter().copied())
    }

    #[test]
    fn shown_commands_can_be_pasted() {
        let command = invocation(&["a b", "it's", "", "--filter", "label=x=y"]);
        assert_eq!(command.to_string(), r"sh 'a b' 'it'\''s' '' --filter label=x=y");
    }

    #[test]
    fn failed_command_shows_itself_and_its_last_words() {
        let error = invocation(&["-c", "echo out; echo 'no such thing' >&2; exit 3"]).read().unwrap_err();
        assert_eq!(
            error.to_string(),
            "`sh echo out; echo 'no such thing' >&2; exit 3` failed with exit code 3\n  \
             why: $ sh -c 'echo out; echo '\\''no such thing'\\'' >&2; exit 3'\n       no such thing"
        );
    }

    #[test]
    fn headline_names_the_subcommand_without_its_options() {
        let command =
            invocation(&["compose", "--project-directory", "/x", "-f", "a.yml", "-p", "n", "up", "-d"]);
        assert_eq!(command.brief(), "sh compose up");
    }

    #[test]
    #[allow(clippy::disallowed_methods, reason = "a test sets up its own files")]
    fn a_program_that_the_runtime_lost_before_it_began_is_started_again_with_all_of_its_input() {
        let folder = std::env::temp_dir().join(format!("xtask-stream-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (input, mark) = (folder.join("input"), folder.join("mark"));
        std::fs::write(&input, "all of it").unwrap();
        let lost = "OCI runtime exec failed: waiting for init preliminary setup: read init-p: connection reset by peer";
        let script =
            format!("cat; [ -e '{0}' ] || {{ touch '{0}'; echo '{lost}' >&2; exit 126; }}", mark.display());
        let output = invocation(&["-c", &script]).stream(Some(File::open(&input).unwrap()), None).unwrap();
        assert_eq!((output.code, output.stdout.as_str()), (0, "all of it"));
        // Whatever else ends with that code has begun, or never will.
        let other = invocation(&["-c", "echo x >> \"$0\"; exit 126", &mark.display().to_string()]);
        assert_eq!(other.stream(None, None).unwrap().code, 126);
        assert_eq!(std::fs::read_to_string(&mark).unwrap(), "x\n");
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_command_that_does_not_answer_is_given_up() {
        assert_eq!(invocation(&["-c", "sleep 60"]).output_within(TICK).unwrap(), None);
    }

    #[test]
    fn background_command_hands_over_its_lines_and_code() {
        let child = invocation(&["-c", "echo one; echo two >&2; exit 4"]).start().unwrap();
        let mut lines = Vec::new();
        while child.ended().is_none() || lines.len() < 2 {
            lines.extend(child.new_lines(Duration::from_secs(30)));
        }
        assert_eq!(lines, ["one", "two"]);
        assert_eq!(child.ended(), Some(4));
    }

    #[test]
    fn stopping_ends_the_whole_group() {
        let child = invocation(&["-c", "sleep 60 & echo $!; sleep 60"]).start().unwrap();
        let sleeper: i32 = child.new_lines(Duration::from_secs(30))[0].parse().unwrap();
        let started = Instant::now();
        child.stop();
        assert!(child.ended().is_some());
        assert!(started.elapsed() < GRACE);
        let sleeper = rustix::process::Pid::from_raw(sleeper).unwrap();
        let limit = Instant::now() + Duration::from_secs(10);
        while rustix::process::test_kill_process(sleeper).is_ok() {
            assert!(Instant::now() < limit, "the child of the child still runs");
            std::thread::yield_now();
        }
    }
}
