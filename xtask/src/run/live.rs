//! Shows a start while it goes on: a table that renews itself on a terminal, a line per change on a pipe.

use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use rustix::termios::{self, LocalModes, OptionalActions, Termios};

use crate::run::duration;
use crate::run::wait::{Change, Expected, Phase, Watch};
use crate::ui::Ui;

/// The screen of one start.
#[derive(Debug)]
pub struct Live {
    ui: Ui,
    table: Option<(MultiProgress, Vec<(String, ProgressBar)>)>,
    _echo: Option<NoEcho>,
    /// What was noted of the failing checks at the last look.
    notes: BTreeMap<String, String>,
}

impl Live {
    /// Begins; shows nothing before the first look at the engine.
    pub fn new(ui: Ui) -> Live {
        let live = ui.is_live();
        Live {
            ui,
            table: live.then(|| (MultiProgress::new(), Vec::new())),
            _echo: live.then(NoEcho::begin).flatten(),
            notes: BTreeMap::new(),
        }
    }

    /// Shows what a look at the engine has brought: at that time of this part of a start, which began `earlier` behind
    /// the whole.
    pub fn show(&mut self, watch: &Watch, changes: &[Change], earlier: Duration, at: Duration) {
        let phases = watch.phases();
        let Some((table, rows)) = &mut self.table else {
            for change in changes.iter().filter(|change| !change.from_before) {
                line(self.ui, change, earlier + at);
            }
            for (expected, ..) in &phases {
                let name = &expected.name;
                let Some(note) = note(watch, name) else {
                    self.notes.remove(name);
                    continue;
                };
                if self.notes.get(name) != Some(&note) {
                    let at = duration::show(earlier + at);
                    self.ui.status("Waiting", format_args!("for {name}: {note} (at {at})"));
                    self.notes.insert(name.clone(), note);
                }
            }
            return;
        };
        if rows.is_empty() {
            let style =
                ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_bar());
            let row =
                |name: &str| (name.to_owned(), table.add(ProgressBar::new(1).with_style(style.clone())));
            rows.extend(phases.iter().map(|(expected, ..)| row(&expected.name)));
        }
        for ((_, row), (expected, phase, since)) in rows.iter().zip(&phases) {
            let ready = |name: &str| {
                phases.iter().any(|(other, phase, _)| other.name == name && **phase == Phase::Ready)
            };
            let note = note(watch, &expected.name).map(|note| format!(", {note}"));
            let verb = verb(expected.one_shot, watch.is_unchecked(&expected.name));
            let cell = cell(expected, phase, verb, at.saturating_sub(*since), ready);
            row.set_message(cell + &note.unwrap_or_default());
        }
    }

    /// Takes the table away, so that what follows stands alone.
    pub fn end(self) {
        drop(self);
    }
}

/// Also after Ctrl-C and after an error no row is left behind.
impl Drop for Live {
    fn drop(&mut self) {
        if let Some((table, rows)) = self.table.take() {
            for (_, row) in rows {
                row.finish_and_clear();
            }
            let _ = table.clear();
        }
    }
}

/// Keeps the terminal from showing `^C`, as long as it lives. The rows end at its right edge: two more characters would
/// move the table's end by a line, and a row would stay on the screen for good.
#[derive(Debug)]
struct NoEcho(Termios);

impl NoEcho {
    /// `None` where stdin is no terminal, or one that belongs to another job, which must not be touched.
    fn begin() -> Option<NoEcho> {
        let terminal = std::io::stdin();
        let before = termios::tcgetattr(&terminal).ok()?;
        if !is_ours() {
            return None;
        }
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHOCTL);
        termios::tcsetattr(&terminal, OptionalActions::Now, &silent).ok()?;
        Some(NoEcho(before))
    }
}

impl Drop for NoEcho {
    fn drop(&mut self) {
        // In the background meanwhile, it would be stopped by SIGTTOU here.
        if is_ours() {
            let _ = termios::tcsetattr(std::io::stdin(), OptionalActions::Now, &self.0);
        }
    }
}

/// Whether the terminal on stdin belongs to this program's job.
fn is_ours() -> bool {
    termios::tcgetpgrp(std::io::stdin()).is_ok_and(|group| group == rustix::process::getpgrp())
}

/// What there is to say of a service's failing check, for those who wait.
fn note(watch: &Watch, service: &str) -> Option<String> {
    if watch.has_second_chance(service) {
        return Some("unhealthy from before, its next health check may pass".to_owned());
    }
    watch.said(service).map(|said| format!("its health check gets {said}"))
}

fn line(ui: Ui, change: &Change, at: Duration) {
    let Change { service, one_shot, phase, took, from_before: _, unchecked } = change;
    let at = duration::show(at);
    match phase {
        Phase::Waiting => ui.status("Waiting", format_args!("{service} (at {at})")),
        Phase::Starting => ui.status("Starting", format_args!("{service} (at {at})")),
        Phase::Ready => {
            let verb = verb(*one_shot, *unchecked);
            ui.status(verb, format_args!("{service} (at {at}, took {})", duration::show(*took)));
        }
        Phase::Failed(_) => ui.status_bad("Failed", format_args!("{service} (at {at})")),
    }
}

/// What a service is that is up: nobody calls healthy what nothing checks.
fn verb(one_shot: bool, unchecked: bool) -> &'static str {
    match (one_shot, unchecked) {
        (true, _) => "Done",
        (false, true) => "Running",
        (false, false) => "Healthy",
    }
}

/// One row: the name, how far it is, and for how long; `up` is the word for what is up.
fn cell(
    expected: &Expected,
    phase: &Phase,
    up: &str,
    since: Duration,
    ready: impl Fn(&str) -> bool,
) -> String {
    let name = &expected.name;
    match phase {
        Phase::Ready => format!("{up:>12} {name}"),
        Phase::Starting => format!("{:>12} {name} ({})", "Starting", duration::show(since)),
        Phase::Failed(_) => format!("{:>12} {name}", "Failed"),
        Phase::Waiting => {
            let open: Vec<&String> = expected.waits_for.iter().filter(|name| !ready(name)).collect();
            match open.as_slice() {
                [] => format!("{:>12} {name}", "Waiting"),
                open => format!("{:>12} {name} (for {})", "Waiting", crate::ui::list(open)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_waiting_row_names_what_it_waits_for() {
        let expected = Expected {
            name: "api".to_owned(),
            one_shot: false,
            depth: 1,
            waits_for: vec!["db".to_owned(), "cache".to_owned()],
        };
        let row = |phase: &Phase| {
            cell(&expected, phase, verb(false, false), Duration::from_secs(2), |name| name == "db")
        };
        assert_eq!(row(&Phase::Waiting), "     Waiting api (for cache)");
        assert_eq!(row(&Phase::Starting), "    Starting api (2.0s)");
        assert_eq!(row(&Phase::Ready), "     Healthy api");
        assert_eq!((verb(false, true), verb(true, true)), ("Running", "Done"));
    }
}
