//! What happens to each file and why, from base, current and new alone; touches no disk.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::apply::cause;
use crate::apply::current::Current;
use crate::apply::folder::GENERATED;
use crate::apply::merge::{self, Conflict, Kind};
pub use crate::apply::plan::{Action, Base, Plan, Step};
use crate::apply::take;
pub use crate::apply::take::{Options, Side, Take};
use crate::apply::text::{Text, body};
use crate::error::Result;
use crate::model::files::Files;
use crate::model::words::list;

/// How a file belongs to the generator and to the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Policy {
    /// The generator's alone: `.generated/…`.
    Ours,
    /// Written once, the user's from then on: `config.yaml`, scenarios from API documents.
    Once,
    /// Refreshed while unedited, never merged: other scenarios.
    WhileUnedited,
    /// Both write it.
    Shared,
}

fn policy(name: &str) -> Policy {
    if name.starts_with(GENERATED) {
        Policy::Ours
    } else if name == "config.yaml" || name.starts_with("tests/smoke/openapi-") {
        Policy::Once
    } else if name.starts_with("tests/smoke/") {
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

/// Where the variables of the Compose files are documented.
const EXAMPLES: &str = ".env.example";

/// The file on top of which Compose puts the others.
const BASE_FILE: &str = "docker-compose.yml";

/// What is generated, without what the files on top would say of services that the user deleted from the base file.
fn fitted<'a>(current: &Current, new: &'a Files) -> Cow<'a, Files> {
    let (base, mine) = (current.base.get(BASE_FILE), current.files.get(BASE_FILE));
    let (Some(base), Some(mine)) = (base, mine) else { return Cow::Borrowed(new) };
    let gone = merge::deleted_services(base, mine);
    if gone.is_empty() {
        return Cow::Borrowed(new);
    }
    let mut fitted = new.clone();
    for (name, text) in &mut fitted.0 {
        if name != BASE_FILE && is_compose(name) {
            *text = merge::without_services(text, &gone);
        }
    }
    Cow::Owned(fitted)
}

/// Decides every file that is, or was, generated.
///
/// # Errors
/// Where `--take` names nothing that could be taken.
pub fn decide(current: &Current, new: &Files, options: &Options) -> Result<Plan> {
    let new = fitted(current, new);
    let new = new.as_ref();
    let names: BTreeSet<&str> =
        current.base.keys().map(String::as_str).chain(new.iter().map(|(name, _)| name)).collect();
    let mut plan = Plan { leftovers: current.leftovers.clone(), ..Plan::default() };
    let mut taken = BTreeSet::new();
    for name in names {
        let moved = moved(current, name, options);
        let (base, raw) = match &moved {
            Some((base, raw)) => (Some(body(base)), Some(raw.as_str())),
            None => {
                (current.base.get(name).map(|text| body(text)), current.files.get(name).map(String::as_str))
            }
        };
        let three = Three { name, base, raw, new: new.get(name), generated: take::generated(name, options) };
        let (step, found) = match (&options.config, policy(name)) {
            (Some((text, cause)), Policy::Once) => (three.set(text, cause), BTreeSet::new()),
            _ => three.decide(),
        };
        taken.extend(found.into_iter().map(|key| (name.to_owned(), key)));
        plan.steps.push(if moved.is_some() { renamed(step, current, new) } else { step });
    }
    keep_used(&mut plan, current, new, options);
    let open = take::open_conflicts(&mut plan, current, new, options);
    take::refuse_unknown(options, &taken, current, &plan)?;
    take::resolve(&mut plan, options);
    let open: BTreeSet<_> = open.into_iter().filter(|pair| !options.takes(Side::Mine, pair)).collect();
    plan.open = (open != current.conflicts).then_some(open);
    Ok(plan)
}

/// Base and current of a Compose file in which renamed services have their new names; `None` where that is the same.
fn moved(current: &Current, name: &str, options: &Options) -> Option<(String, String)> {
    let (base, raw) = (current.base.get(name)?, current.files.get(name)?);
    if !is_compose(name) {
        return None;
    }
    let text = Text::new(raw);
    let (mut then, mut now) = (body(base), text.body.clone());
    for (old, new) in &options.renamed {
        // The last generated text says whether it is still to be done: under its old name, a service of the user's
        // own may have come.
        let renamed = merge::rename::service(&then, old, new);
        if renamed != then {
            then = renamed;
            now = merge::rename::service(&now, old, new);
        }
    }
    (then != body(base)).then(|| (then, text.write_like(&now)))
}

/// A step decided over renamed texts, as a step from what really lies there.
fn renamed(step: Step, current: &Current, new: &Files) -> Step {
    let before = current.files.get(&step.name).cloned();
    let unedited = before.as_deref().map(body) == current.base.get(&step.name).map(|text| body(text));
    let (action, cause) = match (step.action, &before, &step.after) {
        (Action::Unchanged, Some(old), Some(after)) if old != after => {
            let action = if unedited { Action::Rewrite } else { Action::Merge };
            (action, cause::between(&step.name, &body(old), &body(after)))
        }
        (action, ..) => (action, step.cause.clone()),
    };
    if step.action == Action::KeepEdited && step.base == Base::Keep {
        // It could not be merged: then it is not renamed either.
        return Step { after: before.clone(), before, ..step };
    }
    let base = match (&step.base, new.get(&step.name)) {
        (Base::Keep, Some(new)) => Base::Set(new.to_owned()),
        _ => step.base.clone(),
    };
    Step { action, cause, before, base, ..step }
}

/// Variables that are no longer generated stay in the examples where a file that people edited still asks for them:
/// Compose refuses it without them.
fn keep_used(plan: &mut Plan, current: &Current, new: &Files, options: &Options) {
    let compose = plan.steps.iter().filter(|step| is_compose(&step.name));
    let used: BTreeSet<String> =
        compose.filter_map(|step| step.after.as_deref()).flat_map(merge::interpolated).collect();
    let Some(step) = plan.steps.iter_mut().find(|step| step.name == EXAMPLES) else { return };
    let (Some(base), Some(raw)) = (current.base.get(EXAMPLES), current.files.get(EXAMPLES)) else { return };
    let Some(after) = step.after.as_deref().map(body) else { return };
    let (base, mine, left) = (body(base), merge::variables(&body(raw)), merge::variables(&after));
    let gone = merge::variables(&base).into_iter().filter(|name| mine.contains(name) && !left.contains(name));
    let kept: BTreeSet<String> = gone.filter(|name| used.contains(name)).collect();
    if kept.is_empty() {
        return;
    }
    // What was never generated is the user's own, and stays.
    let three = Three {
        name: EXAMPLES,
        base: Some(merge::without_variables(&base, &kept)),
        raw: Some(raw),
        new: new.get(EXAMPLES),
        generated: take::generated(EXAMPLES, options),
    };
    *step = three.decide().0;
    let names: Vec<&str> = kept.iter().map(String::as_str).collect();
    let verb = if names.len() == 1 { "stays, as it is" } else { "stay, as they are" };
    step.notes.push(format!("{} {verb} still asked for", list(&names)));
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
                self.step(Action::Create, "", Some(new.to_owned()), Base::Set(new.to_owned()))
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
            None => self.step(Action::Create, "", Some(new.to_owned()), Base::Keep),
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

    /// The user's own file as the user changes it through us.
    fn set(&self, text: &str, cause: &str) -> Step {
        let base =
            if self.base.is_some() { Base::Keep } else { Base::Set(self.new.unwrap_or(text).to_owned()) };
        match self.raw.map(Text::new) {
            None => self.step(Action::Create, cause, Some(text.to_owned()), base),
            Some(old) if old.body == body(text) => self.step(Action::Unchanged, "", self.before(), base),
            Some(old) => self.step(Action::Rewrite, cause, Some(old.write_like(&body(text))), base),
        }
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
            return self.foreign(base, text, new);
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
    fn foreign(&self, base: Option<&str>, text: &Text, new: &str) -> Step {
        match base {
            // Secrets must not be committed because a list of ignored files was there before.
            None if self.name == ".gitignore" => {
                self.merged(text, merge::with_missing_lines(&text.body, new), Base::Set(new.to_owned()))
            }
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
    fn variables_of_a_service_that_stays_stay() {
        let service = |image: &str| {
            format!("services:\n  a:\n    image: {image}\n    environment:\n      P: ${{A_P:?}}\n")
        };
        let current = Current {
            base: texts(&[(".env.example", "# Of a.\nA_P=1\nA_Q=1\nB=1\n"), (BASE_FILE, &service("x:1"))]),
            files: texts(&[(".env.example", "# Of a.\nA_P=1\nA_Q=1\nB=1\n"), (BASE_FILE, &service("x:2"))]),
            ..Current::default()
        };
        let new =
            Files(texts(&[(".env.example", "B=2\n"), (BASE_FILE, "services:\n  b:\n    image: x:1\n")]));
        let plan = decide(&current, &new, &Options::default()).unwrap();
        let step = &plan.steps[0];
        assert_eq!(step.after.as_deref(), Some("# Of a.\nA_P=1\nB=2\n"));
        assert_eq!(step.base, Base::Set("B=2\n".to_owned()));
        assert_eq!(step.notes, ["A_P stays, as it is still asked for"]);
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
    fn config_is_changed_only_as_the_user_sets_it() {
        let set = |current: Option<&str>| {
            let current = Current {
                files: current.map(|text| texts(&[("config.yaml", text)])).unwrap_or_default(),
                ..Current::default()
            };
            let config = Some(("n: 1\nset: 1\n".to_owned(), "you set it".to_owned()));
            let new = Files(texts(&[("config.yaml", "n: 1\n")]));
            let plan = decide(&current, &new, &Options { config, ..Options::default() }).unwrap();
            plan.steps.into_iter().next().unwrap()
        };
        let step = set(None);
        assert_eq!((step.action, step.base), (Action::Create, Base::Set("n: 1\n".to_owned())));
        let step = set(Some("\u{feff}n: 1\r\n"));
        assert_eq!(
            (step.action, step.after.as_deref()),
            (Action::Rewrite, Some("\u{feff}n: 1\r\nset: 1\r\n"))
        );
        assert_eq!(set(Some("n: 1\nset: 1\n")).action, Action::Unchanged);
    }

    #[test]
    fn scenarios_are_refreshed_only_while_unedited() {
        let name = "tests/smoke/health.yaml";
        assert_eq!(one(name, Some("b"), Some("b"), Some("n")).action, Action::Rewrite);
        let edited = one(name, Some("b"), Some("c"), Some("n"));
        assert_eq!((edited.action, edited.after.as_deref()), (Action::KeepEdited, Some("c")));
    }

    #[test]
    fn a_handwritten_list_of_ignored_files_gets_what_is_missing() {
        let step = one(".gitignore", None, Some("mine"), Some("# Secrets.\n.env*\nmine\n"));
        assert_eq!((step.action, step.after.as_deref()), (Action::Adopt, Some("mine\n.env*\n")));
    }

    #[test]
    fn a_handwritten_text_stays_and_is_named_once() {
        let step = one("README.md", None, Some("mine"), Some("n"));
        assert_eq!((step.action, step.base), (Action::KeepEdited, Base::Set(String::new())));
        let step = one("README.md", Some(""), Some("mine"), Some("n"));
        assert_eq!((step.action, step.base), (Action::Unchanged, Base::Keep));
    }

    #[test]
    fn state_is_always_ours_and_has_no_copy() {
        let step = one(".generated/state.yaml", None, Some("c: 1\n"), Some("n: 1\n"));
        assert_eq!(
            (step.action, step.after.as_deref(), step.base),
            (Action::Rewrite, Some("n: 1\n"), Base::Keep)
        );
    }
}
