//! How `--take` resolves conflicts, of this run and of earlier ones; merges nothing.

use std::collections::BTreeSet;

use crate::apply::current::Current;
use crate::apply::merge::{self, Conflict, Kind};
use crate::apply::plan::{Action, Plan};
use crate::apply::text::body;
use crate::error::{Failure, Failures, Result};
use crate::model::files::Files;
use crate::model::words::{count, list};

/// Which side `--take` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The text in the setup's folder.
    Mine,
    /// The generated text.
    Generated,
}

/// `--take mine|generated FILE:KEY`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Take {
    /// Which side.
    pub side: Side,
    /// Relative to the setup's folder.
    pub file: String,
    /// As a conflict names it; empty for the whole file.
    pub key: String,
}

impl Take {
    /// Reads `mine` or `generated` and `FILE:KEY`.
    ///
    /// # Errors
    /// For another side.
    pub fn parse(side: &str, place: &str) -> Result<Take> {
        let side = match side {
            "mine" => Side::Mine,
            "generated" => Side::Generated,
            other => {
                let what = format!("unknown side `{other}` in `--take`");
                return Err(Failure::new(what).fix("write `mine` or `generated`").into());
            }
        };
        let (file, key) = place.split_once(':').unwrap_or((place, ""));
        Ok(Take { side, file: file.to_owned(), key: key.to_owned() })
    }
}

/// What the user asks for besides the files themselves.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Options {
    /// How conflicts are resolved.
    pub take: Vec<Take>,
}

impl Options {
    pub(super) fn takes(&self, side: Side, (file, key): &(String, String)) -> bool {
        self.take.iter().any(|take| take.side == side && take.file == *file && take.key == *key)
    }
}

/// The keys of a file that take the generator's side.
pub(super) fn generated(name: &str, options: &Options) -> BTreeSet<String> {
    let takes = options.take.iter().filter(|take| take.side == Side::Generated && take.file == name);
    takes.map(|take| take.key.clone()).collect()
}

/// Conflicts of this run and those of earlier runs that are still there; the latter join their steps.
pub(super) fn open_conflicts(
    plan: &mut Plan,
    current: &Current,
    new: &Files,
    options: &Options,
) -> BTreeSet<(String, String)> {
    for step in &mut plan.steps {
        let (Some(after), Some(new)) = (&step.after, new.get(&step.name)) else { continue };
        let after = body(after);
        for pair in current.conflicts.iter().filter(|(file, _)| *file == step.name) {
            let known = step.conflicts.iter().any(|conflict| conflict.key == pair.1);
            if !known && !options.takes(Side::Generated, pair) {
                step.conflicts.extend(merge::still_open(Kind::of(&step.name), &pair.1, &after, new));
            }
        }
    }
    let all = plan.conflicts().filter(|(_, conflict)| !conflict.key.is_empty());
    all.map(|(file, conflict)| (file.to_owned(), conflict.key.clone())).collect()
}

/// Takes what the user decided out of the conflicts, and says in the step that some are left.
pub(super) fn resolve(plan: &mut Plan, options: &Options) {
    for step in &mut plan.steps {
        let name = step.name.clone();
        step.conflicts.retain(|conflict| !options.takes(Side::Mine, &(name.clone(), conflict.key.clone())));
        if step.action == Action::Unchanged && !step.conflicts.is_empty() {
            step.action = Action::KeepEdited;
            step.cause = count(step.conflicts.len(), "conflict");
        }
    }
}

/// Fails where `--take` names what is no conflict.
pub(super) fn refuse_unknown(
    options: &Options,
    taken: &BTreeSet<(String, String)>,
    current: &Current,
    plan: &Plan,
) -> Result<()> {
    let mut failures = Vec::new();
    for take in &options.take {
        let pair = (take.file.clone(), take.key.clone());
        let conflict = |(file, conflict): (&str, &Conflict)| file == pair.0 && conflict.key == pair.1;
        let found = match take.side {
            Side::Generated => taken.contains(&pair),
            Side::Mine => current.conflicts.contains(&pair) || plan.conflicts().any(conflict),
        };
        if found {
            continue;
        }
        let mut failure = Failure::new(format!("nothing to take at `{}:{}`", take.file, take.key));
        let keys: Vec<String> = plan.conflicts().map(|(file, conflict)| conflict.place(file)).collect();
        if !keys.is_empty() {
            failure = failure.why(format!("there is a conflict at {}", list(&keys)));
        }
        failures.push(failure);
    }
    Failures::check(failures, "nothing was written")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::decide::decide;

    #[test]
    fn take_refuses_what_is_not_there() {
        let take = vec![Take::parse("generated", "docker-compose.yml:services.nope").unwrap()];
        let error = decide(&Current::default(), &Files::default(), &Options { take }).unwrap_err();
        assert_eq!(
            error.to_string(),
            "nothing to take at `docker-compose.yml:services.nope`\n1 error, nothing was written"
        );
    }

    #[test]
    fn take_knows_two_sides() {
        let error = Take::parse("yours", "a:b").unwrap_err();
        assert_eq!(error.to_string(), "unknown side `yours` in `--take`\n  fix: write `mine` or `generated`");
    }
}
