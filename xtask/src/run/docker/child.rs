//! A process in the background: what it prints, whether it has ended, and how it is made to; starts none.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::{GRACE, TICK, exit_code};

/// A command that runs in the background.
#[derive(Debug)]
pub struct Child {
    handle: duct::Handle,
    lines: mpsc::Receiver<String>,
    line: String,
}

impl Child {
    /// A process that was just started, and what it prints.
    pub(super) fn new(handle: duct::Handle, lines: mpsc::Receiver<String>, line: String) -> Child {
        Child { handle, lines, line }
    }

    /// The command line, ready to paste.
    pub fn line(&self) -> &str {
        &self.line
    }

    /// What it has printed since the last call; waits that long at most for the first line.
    pub fn new_lines(&self, limit: Duration) -> Vec<String> {
        match self.lines.recv_timeout(limit) {
            Ok(first) => std::iter::once(first).chain(self.lines.try_iter()).collect(),
            Err(mpsc::RecvTimeoutError::Timeout) => Vec::new(),
            // Its output has ended and it may still run: a caller that loops must not spin.
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                if matches!(self.handle.wait_timeout(limit), Ok(Some(_)) | Err(_)) {
                    std::thread::park_timeout(limit.min(TICK));
                }
                Vec::new()
            }
        }
    }

    /// What it prints until its output ends; waits that long at most.
    pub fn last_lines(&self, limit: Duration) -> Vec<String> {
        let end = Instant::now() + limit;
        let next = || self.lines.recv_timeout(end.saturating_duration_since(Instant::now())).ok();
        std::iter::from_fn(next).collect()
    }

    /// The exit code once it has ended.
    pub fn ended(&self) -> Option<i32> {
        match self.handle.try_wait() {
            Ok(output) => Some(exit_code(&output?.status)),
            Err(_) => Some(1),
        }
    }

    /// Asks the child's process group to end (SIGTERM), kills it where it does not.
    pub fn stop(&self) {
        stop(&self.handle, GRACE);
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Asks the process groups to end, kills those that do not in time.
pub(super) fn stop(handle: &duct::Handle, grace: Duration) {
    for (signal, limit) in [(rustix::process::Signal::TERM, grace), (rustix::process::Signal::KILL, GRACE)] {
        if !matches!(handle.try_wait(), Ok(None)) {
            return;
        }
        signal_groups(handle, signal);
        let _ = handle.wait_timeout(limit);
    }
}

fn pids(handle: &duct::Handle) -> impl Iterator<Item = rustix::process::Pid> {
    handle.pids().into_iter().filter_map(|pid| rustix::process::Pid::from_raw(i32::try_from(pid).ok()?))
}

/// A process that has just ended is none to worry about, so the answers do not matter.
fn signal_groups(handle: &duct::Handle, signal: rustix::process::Signal) {
    for pid in pids(handle) {
        let _ = rustix::process::kill_process_group(pid, signal);
    }
}

/// As [`stop`] asks, but only the processes themselves: they share our group.
pub(super) fn signal_children(handle: &duct::Handle, signal: rustix::process::Signal) {
    for pid in pids(handle) {
        let _ = rustix::process::kill_process(pid, signal);
    }
}
