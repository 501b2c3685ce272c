//! What happens to each file and why, from base, current and new alone; touches no disk.

use std::collections::BTreeSet;

use crate::apply::cause;
use crate::apply::current::Current;
use crate::apply::folder::GENERATED;
use crate::apply::merge::{self, Conflict, Kind};
use crate::apply::text::{Text, body};
use crate::error::{Failure, Failures, Result};
use crate::model::files::Files;
use crate::ui::{count, list};

/// What happens to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// There was none.
    Create,
    /// Nobody edited it, and what is generated changed.
    Rewrite,
    /// Edited; what the generator changed goes in beside the edits.
    Merge,
    /// Written by hand; what is missing is added.
    Adopt,
    /// Stays as the user wrote it, though the generator has something else.
    KeepEdited,
    /// The user deleted it; it is not written again.
    KeepDeleted,
    /// No longer generated and never edited.
    Remove,
    /// Nothing to do.
    Unchanged,
}

impl Action {
    /// The verb of the report once it is done.
    pub fn done(self) -> &'static str {
        match self {
            Action::Create => "Created",
            Action::Rewrite => "Updated",
            Action::Merge => "Merged",
            Action::Adopt => "Adopted",
            Action::KeepEdited | Action::KeepDeleted => "Kept",
            Action::Remove => "Removed",
            Action::Unchanged => "Unchanged",
        }
    }

    /// The verb of `--dry-run`.
    pub fn planned(self) -> &'static str {
        match self {
            Action::Create => "Create",
            Action::Rewrite => "Update",
            Action::Merge => "Merge",
            Action::Adopt => "Adopt",
            Action::KeepEdited | Action::KeepDeleted => "Keep",
            Action::Remove => "Remove",
            Action::Unchanged => "Unchanged",
        }
    }
}

/// What happens to the copy of the last generated text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Base {
    /// Stays.
    Keep,
    /// Becomes this.
    Set(String),
    /// Goes.
    Drop,
}

/// One file of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Relative to the setup's folder.
    pub name: String,
    /// What happens.
    pub action: Action,
    /// Why, in a few words; empty where nothing happens.
    pub cause: String,
    /// The file's text now; `None` where there is none.
    pub before: Option<String>,
    /// The file's text then.
    pub after: Option<String>,
    /// The copy in `.generated/`.
    pub base: Base,
    /// What both sides changed in different ways.
    pub conflicts: Vec<Conflict>,
    /// What else a person should know.
    pub notes: Vec<String>,
}

/// Everything that one run does to a setup.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// In the order of the names.
    pub steps: Vec<Step>,
    /// Conflicts that stay open, when the list of them changes.
    pub open: Option<BTreeSet<(String, String)>>,
    /// Temporary files of a killed run, to be removed.
    pub leftovers: Vec<String>,
}

impl Plan {
    /// Whether carrying it out would change any byte in the folder.
    pub fn changes_anything(&self) -> bool {
        let step = |step: &Step| step.before != step.after || step.base != Base::Keep;
        self.open.is_some() || !self.leftovers.is_empty() || self.steps.iter().any(step)
    }

    /// The steps that a report shows: all but files in which nothing happens.
    pub fn shown(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| step.action != Action::Unchanged)
    }

    /// All conflicts with the files they are in.
    pub fn conflicts(&self) -> impl Iterator<Item = (&str, &Conflict)> {
        self.steps
            .iter()
            .flat_map(|step| step.conflicts.iter().map(|conflict| (step.name.as_str(), conflict)))
    }
}

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
    fn takes(&self, side: Side, (file, key): &(String, String)) -> bool {
        self.take.iter().any(|take| take.side == side && take.file == *file && take.key == *key)
    }
}

/// How a file belongs to the generator and to the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Policy {
    /// The generator's alone: `.generated/…`.
    Ours,
    /// Written once, the user's from then on: `config.yaml`.
    Once,
    /// Refreshed while unedited, never merged: scenarios.
    WhileUnedited,
    /// Both write it.
    Shared,
}

fn policy(name: &str) -> Policy {
    if name.starts_with(GENERATED) {
        Policy::Ours
    } else if name == "config.yaml" {
        Policy::Once
    } else if name.starts_with("tests/") {
        Policy::WhileUnedited
    } else {
        Policy::Shared
    }
}

fn difference(conflict: &Conflict) -> String {
    let sides = [&conflict.mine, &conflict.generated].map(|side| side.as_deref().unwrap_or_default());
    match sides {
        _ if conflict.key.is_empty() => "stays as you wrote it".to_owned(),
        [mine, generated] if sides.iter().all(|side| !side.contains('\n')) => {
            format!("{} stays `{mine}`; generated would be `{generated}`", conflict.key)
        }
        _ => format!("{} stays as you wrote it", conflict.key),
    }
}

fn is_compose(name: &str) -> bool {
    name.starts_with("docker-compose") && Kind::of(name) == Kind::Yaml
}

/// Decides every file that is, or was, generated.
///
/// # Errors
/// Where `--take` names nothing that could be taken.
pub fn decide(current: &Current, new: &Files, options: &Options) -> Result<Plan> {
    let names: BTreeSet<&str> =
        current.base.keys().map(String::as_str).chain(new.iter().map(|(name, _)| name)).collect();
    let mut plan = Plan { leftovers: current.leftovers.clone(), ..Plan::default() };
    let mut taken = BTreeSet::new();
    for name in names {
        let three = Three {
            name,
            base: current.base.get(name).map(|text| body(text)),
            raw: current.files.get(name).map(String::as_str),
            new: new.get(name),
            generated: generated(name, options),
        };
        let (step, found) = three.decide();
        taken.extend(found.into_iter().map(|key| (name.to_owned(), key)));
        plan.steps.push(step);
    }
    let open = open_conflicts(&mut plan, current, new, options);
    refuse_unknown(options, &taken, current, &plan)?;
    resolve(&mut plan, options);
    let open: BTreeSet<_> = open.into_iter().filter(|pair| !options.takes(Side::Mine, pair)).collect();
    plan.open = (open != current.conflicts).then_some(open);
    Ok(plan)
}

fn generated(name: &str, options: &Options) -> BTreeSet<String> {
    let takes = options.take.iter().filter(|take| take.side == Side::Generated && take.file == name);
    takes.map(|take| take.key.clone()).collect()
}

/// Conflicts of this run and those of earlier runs that are still there; the latter join their steps.
fn open_conflicts(
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
fn resolve(plan: &mut Plan, options: &Options) {
    for step in &mut plan.steps {
        let name = step.name.clone();
        step.conflicts.retain(|conflict| !options.takes(Side::Mine, &(name.clone(), conflict.key.clone())));
        if step.action == Action::Unchanged && !step.conflicts.is_empty() {
            step.action = Action::KeepEdited;
            step.cause = count(step.conflicts.len(), "conflict");
        }
    }
}

fn refuse_unknown(
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

/// The three texts of one file; `base` without byte order mark and carriage returns.
struct Three<'a> {
    name: &'a str,
    base: Option<String>,
    raw: Option<&'a str>,
    new: Option<&'a str>,
    generated: BTreeSet<String>,
}

impl Three<'_> {
    fn decide(&self) -> (Step, BTreeSet<String>) {
        let mut taken = BTreeSet::new();
        let text = self.raw.map(Text::new);
        let step = match (policy(self.name), self.base.as_deref(), &text, self.new) {
            (Policy::Ours, _, text, Some(new)) => self.ours(text.as_ref(), new),
            (_, None, None, Some(new)) => {
                self.step(Action::Create, "new", Some(new.to_owned()), Base::Set(new.to_owned()))
            }
            (_, Some(base), None, Some(new)) => {
                let base = if base == new { Base::Keep } else { Base::Set(new.to_owned()) };
                self.step(Action::KeepDeleted, "you deleted it", None, base)
            }
            (Policy::Once, _, Some(_), Some(_)) => self.settled(),
            (policy, base, Some(text), Some(new)) if !self.generated.is_empty() || base != Some(new) => {
                self.both(policy, base, text, new, &mut taken)
            }
            (_, Some(base), Some(text), None) if text.body == base => {
                self.step(Action::Remove, "no longer generated", None, Base::Drop)
            }
            (_, Some(_), Some(_), None) => {
                self.kept("no longer generated, and yours since you edited it", Base::Drop)
            }
            (_, Some(_), None, None) => self.step(Action::Unchanged, "", None, Base::Drop),
            (Policy::Shared, Some(_), Some(text), Some(new)) if is_compose(self.name) && text.body != new => {
                self.mended(text, new)
            }
            (_, _, _, _) => self.step(Action::Unchanged, "", self.before(), Base::Keep),
        };
        (step, taken)
    }

    fn ours(&self, text: Option<&Text>, new: &str) -> Step {
        match text {
            None => self.step(Action::Create, "new", Some(new.to_owned()), Base::Keep),
            Some(text) if text.body == new => self.step(Action::Unchanged, "", self.before(), Base::Keep),
            Some(text) => {
                let cause = cause::between(self.name, &text.body, new);
                self.step(Action::Rewrite, cause, Some(new.to_owned()), Base::Keep)
            }
        }
    }

    /// The user's own file from the first run on; the copy only tells "deleted" from "never written".
    fn settled(&self) -> Step {
        let base = match (&self.base, self.new) {
            (None, Some(new)) => Base::Set(new.to_owned()),
            _ => Base::Keep,
        };
        self.step(Action::Unchanged, "", self.before(), base)
    }

    fn both(
        &self,
        policy: Policy,
        base: Option<&str>,
        text: &Text,
        new: &str,
        taken: &mut BTreeSet<String>,
    ) -> Step {
        let set = Base::Set(new.to_owned());
        if text.body == new {
            return self.step(Action::Unchanged, "", self.before(), set);
        }
        if base == Some(text.body.as_str()) || self.generated.contains("") {
            taken.extend(self.generated.iter().filter(|key| key.is_empty()).cloned());
            let cause = cause::between(self.name, &text.body, new);
            return self.step(Action::Rewrite, cause, Some(text.write_like(new)), set);
        }
        if policy == Policy::WhileUnedited {
            return self.kept("you edited it", set);
        }
        if Kind::of(self.name) == Kind::Lines && base.is_none_or(str::is_empty) {
            return self.foreign(base);
        }
        let old = base.unwrap_or_default();
        match merge::three_way(Kind::of(self.name), old, &text.body, new, &self.generated) {
            Err(why) => self.kept(&format!("you edited it, and {why}"), Base::Keep),
            Ok(merged) => {
                let step = self.merged(text, merged.text, set);
                taken.extend(merged.taken);
                let (conflicts, notes) = match base {
                    Some(_) => (merged.conflicts, merged.notes),
                    // What was written by hand is no edit of ours: it differs, it does not conflict.
                    None => (Vec::new(), merged.conflicts.iter().map(difference).collect()),
                };
                Step { conflicts, notes, ..step }
            }
        }
    }

    /// A text that was written by hand and has no keys to complete it by: an empty copy says that nothing in it is
    /// ours, so that it is named once.
    fn foreign(&self, base: Option<&str>) -> Step {
        match base {
            None => self.kept("you wrote it", Base::Set(String::new())),
            Some(_) => self.step(Action::Unchanged, "", self.before(), Base::Keep),
        }
    }

    fn merged(&self, text: &Text, merged: String, base: Base) -> Step {
        if merged == text.body {
            return self.step(Action::Unchanged, "", self.before(), base);
        }
        let action = if self.base.is_some() { Action::Merge } else { Action::Adopt };
        let cause = cause::between(self.name, &text.body, &merged);
        self.step(action, cause, Some(text.write_like(&merged)), base)
    }

    /// A setup from which the user deleted a service may still name it elsewhere.
    fn mended(&self, text: &Text, new: &str) -> Step {
        let none = BTreeSet::new();
        let merged = merge::three_way(Kind::Yaml, new, &text.body, new, &none);
        match merged.ok().filter(|merged| !merged.notes.is_empty()) {
            Some(merged) => Step { notes: merged.notes, ..self.merged(text, merged.text, Base::Keep) },
            None => self.step(Action::Unchanged, "", self.before(), Base::Keep),
        }
    }

    fn kept(&self, cause: &str, base: Base) -> Step {
        self.step(Action::KeepEdited, cause, self.before(), base)
    }

    fn before(&self) -> Option<String> {
        self.raw.map(str::to_owned)
    }

    fn step(&self, action: Action, cause: impl Into<String>, after: Option<String>, base: Base) -> Step {
        Step {
            name: self.name.to_owned(),
            action,
            cause: cause.into(),
            before: self.before(),
            after,
            base,
            conflicts: Vec::new(),
            notes: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn texts(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    fn one(name: &str, base: Option<&str>, current: Option<&str>, new: Option<&str>) -> Step {
        let texts = |text: Option<&str>| text.map(|text| texts(&[(name, text)])).unwrap_or_default();
        let current = Current { files: texts(current), base: texts(base), ..Current::default() };
        let plan = decide(&current, &Files(texts(new)), &Options::default()).unwrap();
        plan.steps.into_iter().next().unwrap()
    }

    /// Each row: base, current, new, what happens, the file then, and the copy then.
    #[test]
    fn every_state_of_a_file_has_its_action() {
        let keep = || Base::Keep;
        let set = |text: &str| Base::Set(text.to_owned());
        let rows = [
            ((None, None, Some("n")), Action::Create, Some("n"), set("n")),
            ((None, Some("n"), Some("n")), Action::Unchanged, Some("n"), set("n")),
            ((Some("b"), None, Some("b")), Action::KeepDeleted, None, keep()),
            ((Some("b"), None, Some("n")), Action::KeepDeleted, None, set("n")),
            ((Some("b"), Some("b"), Some("b")), Action::Unchanged, Some("b"), keep()),
            ((Some("b"), Some("c"), Some("b")), Action::Unchanged, Some("c"), keep()),
            ((Some("b"), Some("b"), Some("n")), Action::Rewrite, Some("n"), set("n")),
            ((Some("b"), Some("n"), Some("n")), Action::Unchanged, Some("n"), set("n")),
            ((Some("b"), Some("b"), None), Action::Remove, None, Base::Drop),
            ((Some("b"), Some("c"), None), Action::KeepEdited, Some("c"), Base::Drop),
            ((Some("b"), None, None), Action::Unchanged, None, Base::Drop),
        ];
        for ((base, current, new), action, after, copy) in rows {
            let step = one("README.md", base, current, new);
            let got = (step.action, step.after.as_deref(), step.base);
            assert_eq!(got, (action, after, copy), "{base:?} {current:?} {new:?}");
        }
    }

    #[test]
    fn line_ends_and_byte_order_mark_are_no_edit_and_are_kept() {
        let step = one("README.md", Some("a\n"), Some("\u{feff}a\r\n"), Some("b\n"));
        assert_eq!((step.action, step.after.as_deref()), (Action::Rewrite, Some("\u{feff}b\r\n")));
    }

    #[test]
    fn config_is_written_once_and_then_the_users() {
        assert_eq!(one("config.yaml", None, None, Some("n")).action, Action::Create);
        for current in ["b", "c"] {
            let step = one("config.yaml", Some("b"), Some(current), Some("n"));
            assert_eq!((step.action, step.base), (Action::Unchanged, Base::Keep));
        }
        assert_eq!(one("config.yaml", Some("b"), None, Some("n")).action, Action::KeepDeleted);
    }

    #[test]
    fn scenarios_are_refreshed_only_while_unedited() {
        let name = "tests/smoke/health.yaml";
        assert_eq!(one(name, Some("b"), Some("b"), Some("n")).action, Action::Rewrite);
        let edited = one(name, Some("b"), Some("c"), Some("n"));
        assert_eq!((edited.action, edited.after.as_deref()), (Action::KeepEdited, Some("c")));
    }

    #[test]
    fn state_is_always_ours_and_has_no_copy() {
        let step = one(".generated/state.yaml", None, Some("c: 1\n"), Some("n: 1\n"));
        assert_eq!(
            (step.action, step.after.as_deref(), step.base),
            (Action::Rewrite, Some("n: 1\n"), Base::Keep)
        );
    }

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
