//! Runs a program to its end and says what it took: time, CPU and peak memory, its children included.

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use wait4::Wait4;

/// What a program that ended has taken and said.
#[derive(Debug, Clone)]
pub(crate) struct Ran {
    /// From before the start until after the end.
    pub(crate) wall: Duration,
    /// CPU in user mode, with the children that it waited for.
    pub(crate) user: Duration,
    /// The largest resident set, in bytes, of it or of a child that it waited for.
    pub(crate) peak: u64,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: Option<i32>,
}

/// Runs it; whatever its exit code.
pub(crate) fn run_any(command: &mut Command) -> Result<Ran> {
    crate::scratch::check()?;
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let started = Instant::now();
    let mut child = command.spawn().with_context(|| format!("cannot run {command:?}"))?;
    let errors = child.stderr.take();
    let errors = std::thread::spawn(move || text(errors));
    let stdout = text(child.stdout.take());
    let used = child.wait4().with_context(|| format!("cannot wait for {command:?}"))?;
    let wall = started.elapsed();
    let stderr = errors.join().unwrap_or_default();
    let rusage = used.rusage;
    let code = used.status.code();
    Ok(Ran { wall, user: rusage.utime, peak: rusage.maxrss, stdout, stderr, code })
}

/// Runs it; an exit code other than 0 is an error with its last words.
pub(crate) fn run(command: &mut Command) -> Result<Ran> {
    let ran = run_any(command)?;
    if ran.code != Some(0) {
        crate::scratch::check()?;
        let said = if ran.stderr.trim().is_empty() { &ran.stdout } else { &ran.stderr };
        let lines: Vec<&str> = said.lines().collect();
        let last = lines[lines.len().saturating_sub(25)..].join("\n  ");
        bail!("{command:?} ended with {:?}\n  {last}", ran.code);
    }
    Ok(ran)
}

fn text(stream: Option<impl Read>) -> String {
    let mut bytes = Vec::new();
    if let Some(mut stream) = stream {
        let _ = stream.read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
