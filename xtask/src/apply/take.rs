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
    /// The text of `config.yaml` with what the user set in this run, and what that was, in words.
    pub config: Option<(String, String)>,
    /// Services that have another name now: old and new.
    pub renamed: Vec<(String, String)>,
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
        let error = decide(&Current::default(), &Files::default(), &Options { take, ..Options::default() })
            .unwrap_err();
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

    fn file(text: &str) -> std::collections::BTreeMap<String, String> {
        std::iter::once(("docker-compose.yml".to_owned(), text.to_owned())).collect()
    }

    /// The conflicts of the next run, and what lies there after it.
    fn next(current: &Current, new: &str, take: &[(&str, &str)]) -> (Vec<String>, Current) {
        let take = take.iter().map(|(side, place)| Take::parse(side, place).unwrap()).collect();
        let plan = decide(current, &Files(file(new)), &Options { take, ..Options::default() }).unwrap();
        let keys = plan.conflicts().map(|(file, conflict)| conflict.place(file)).collect();
        let step = plan.steps[0].clone();
        let after = Current {
            files: file(&step.after.unwrap()),
            base: file(new),
            conflicts: plan.open.unwrap_or_else(|| current.conflicts.clone()),
            leftovers: Vec::new(),
        };
        (keys, after)
    }

    const KEY: &str = "docker-compose.yml:services.a.image";
    const NEW: &str = "services:\n  a:\n    image: a:3\n    init: true\n";

    fn in_conflict() -> Current {
        let text = |tag: &str| file(&format!("services:\n  a:\n    image: {tag}\n"));
        Current { files: text("mine"), base: text("a:2"), ..Current::default() }
    }

    #[test]
    fn a_conflict_stays_open_until_it_is_resolved() {
        let (keys, then) = next(&in_conflict(), NEW, &[]);
        assert_eq!(keys, [KEY]);
        let (keys, again) = next(&then, NEW, &[]);
        assert_eq!(
            (keys, &again),
            (vec![KEY.to_owned()], &then),
            "the second run says it again and writes nothing"
        );
        let (keys, mine) = next(&then, NEW, &[("mine", KEY)]);
        assert!(keys.is_empty() && mine.conflicts.is_empty() && mine.files == then.files);
        let (keys, generated) = next(&then, NEW, &[("generated", KEY)]);
        assert!(keys.is_empty() && generated.conflicts.is_empty());
        assert_eq!(generated.files["docker-compose.yml"], NEW);
        let by_hand = Current { files: file(NEW), ..then };
        let (keys, by_hand) = next(&by_hand, NEW, &[]);
        assert!(keys.is_empty() && by_hand.conflicts.is_empty());
    }

    #[test]
    fn take_names_the_conflicts_there_are() {
        let take = vec![Take::parse("mine", "docker-compose.yml:services.a.imag").unwrap()];
        let error =
            decide(&in_conflict(), &Files(file(NEW)), &Options { take, ..Options::default() }).unwrap_err();
        assert_eq!(
            error.to_string(),
            "nothing to take at `docker-compose.yml:services.a.imag`\n  \
             why: there is a conflict at docker-compose.yml:services.a.image\n1 error, nothing was written"
        );
    }
}
