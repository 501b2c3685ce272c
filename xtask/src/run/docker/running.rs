//! The ways to run a command line: to its end, between files, in front of the user, in the background.

use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::child::{Child, signal_children, stop};
use super::invocation::Invocation;
use super::{GRACE, Output, TICK, exit_code};
use crate::error::{Failure, Result};
use crate::run::signals;

/// How long the engine may take to answer a question; long, since a busy one is none that is broken.
const ANSWER: Duration = Duration::from_secs(30);
/// How often a program that never began is started again.
pub const RESTARTS: usize = 2;
/// What is read back of a file that a failed command has written, in bytes.
const HEAD: u64 = 4096;

impl Invocation {
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
        begun(Output::never_began, || self.output_once())
    }

    fn output_once(&self) -> Result<Output> {
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

    fn within(&self, limit: Duration) -> Result<Option<Output>> {
        let deadline = Instant::now() + limit;
        let never_began = |output: &Option<Output>| output.as_ref().is_some_and(Output::never_began);
        begun(never_began, || self.until(deadline))
    }

    /// Only a signal that comes meanwhile ends it: after Ctrl-C it is asked what still runs.
    fn until(&self, deadline: Instant) -> Result<Option<Output>> {
        let interrupted = signals::received();
        self.ui.command(self);
        let handle = self.expression().stdout_capture().stderr_capture().start();
        let handle = handle.map_err(|why| self.not_started(why))?;
        while Instant::now() < deadline {
            if !interrupted {
                signals::check().inspect_err(|_| stop(&handle, GRACE))?;
            }
            let output = handle
                .wait_deadline((Instant::now() + TICK).min(deadline))
                .map_err(|why| self.not_started(why))?;
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
    /// goes, which can be read too; nothing and [`Output::stdout`] where there is none. A signal for us ends it.
    ///
    /// # Errors
    /// As [`Invocation::output`].
    pub fn stream(&self, from: Option<File>, to: Option<File>) -> Result<Output> {
        begun(Output::never_began, || {
            let copies = rewound(from.as_ref()).and_then(|from| Ok((from, rewound(to.as_ref())?)));
            let (copy_from, copy_to) = copies.map_err(|why| self.not_started(why))?;
            if let Some(to) = &copy_to {
                to.set_len(0).map_err(|why| self.not_started(why))?;
            }
            let mut output = self.stream_once(copy_from, copy_to)?;
            if output.may_be_dockers() {
                output.stdout += &head(to.as_ref()).map_err(|why| self.not_started(why))?;
            }
            Ok(output)
        })
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

    /// Runs it with our own streams, for the user: a shell, `logs -f`. Ctrl-C reaches the child from the terminal.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn foreground(&self) -> Result<i32> {
        self.ui.command(self);
        let handle = self.in_front().start().map_err(|why| self.not_started(why))?;
        self.wait_in_front(&handle)
    }

    /// Waits for a child in our own group, which the terminal's Ctrl-C reaches by itself; its exit code.
    pub(super) fn wait_in_front(&self, handle: &duct::Handle) -> Result<i32> {
        let mut forwarded = false;
        loop {
            let output = handle.wait_timeout(TICK).map_err(|why| self.not_started(why))?;
            if let Some(output) = output {
                return Ok(exit_code(&output.status));
            }
            if signals::received() && !forwarded {
                forwarded = true;
                signal_children(handle, rustix::process::Signal::TERM);
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

    /// With our own streams, in our own group.
    pub(super) fn in_front(&self) -> duct::Expression {
        self.with_env(duct::cmd(&self.program, &self.args)).unchecked()
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
}

/// Runs something; again where a container's runtime lost the program before it began, so that nothing is done twice.
pub fn begun<T>(never_began: impl Fn(&T) -> bool, mut run: impl FnMut() -> Result<T>) -> Result<T> {
    for _ in 0..RESTARTS {
        let end = run()?;
        if !never_began(&end) {
            return Ok(end);
        }
    }
    run()
}

/// The same file from its beginning; copies share their place in it.
fn rewound(file: Option<&File>) -> std::io::Result<Option<File>> {
    let mut copy = file.map(File::try_clone).transpose()?;
    copy.as_mut().map_or(Ok(()), File::rewind)?;
    Ok(copy)
}

/// The first bytes of a file, which is where docker's own words are when no program has written there.
fn head(file: Option<&File>) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    if let Some(file) = rewound(file)? {
        file.take(HEAD).read_to_end(&mut bytes)?;
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
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
