//! Over all monorepos of the case folders: generate, edit as a user does, generate again from a changed monorepo,
//! and compare.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use xtask::apply::current::Current;
use xtask::apply::decide::decide;
use xtask::apply::plan::{Base, Plan};
use xtask::apply::take::Options;
use xtask::catalog::Catalog;
use xtask::config::Config;
use xtask::discover::{Scope, discover};
use xtask::model::files::Files;
use xtask::plan::{self, plan};
use xtask::render::{Layout, render};
use xtask::repo::Repo;

const COMPOSE: &str = "docker-compose.yml";

#[allow(clippy::disallowed_methods, reason = "the tests' own cases, not a monorepo")]
fn inputs() -> Vec<PathBuf> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut all: Vec<PathBuf> = ["discover", "generate"]
        .iter()
        .flat_map(|folder| std::fs::read_dir(tests.join(folder)).expect("has cases").flatten())
        .map(|entry| entry.path().join("input"))
        .filter(|input| input.is_dir())
        .collect();
    all.sort();
    assert!(all.len() > 10, "only {} monorepos", all.len());
    all
}

/// What is generated with these preferences; `None` where nothing is found.
fn generated(repo: &Repo, config: &str, without: Option<&str>) -> Option<Files> {
    let catalog = Catalog::load(&[]).expect("the built-in entries parse");
    let config = Config::parse("config.yaml", config).expect("parses");
    let exclude = without.map(str::to_owned).into_iter().collect();
    let scope = Scope { roots: Vec::new(), exclude };
    let facts = discover(repo, &catalog, &scope).expect("the input can be read");
    let context = plan::Context { folder: "case".to_owned(), ..plan::Context::default() };
    let stack = plan(&facts, &catalog, &config, &context).expect("can be planned");
    (!stack.inventory.services.is_empty()).then(|| render(&stack, &Layout::default()))
}

/// The folder of the first service that has one of its own.
fn first_folder(files: &Files) -> Option<String> {
    let compose = yaml(files.get(COMPOSE)?);
    let services = compose["services"].as_mapping()?;
    services.values().find_map(|service| {
        let folder = service.get("build")?.get("context")?.as_str()?.strip_prefix("../")?;
        Some(folder.to_owned())
    })
}

fn yaml(text: &str) -> serde_yaml::Value {
    serde_yaml::from_str(text).unwrap_or_else(|why| panic!("{why}\n{text}"))
}

/// The Compose file with a comment above each service, a variable in each environment, and the marks of both.
fn edited(text: &str) -> (String, Vec<String>) {
    let (mut out, mut marks, mut inside) = (String::new(), Vec::new(), false);
    for line in text.lines() {
        inside = if line.starts_with(' ') || line.is_empty() { inside } else { line == "services:" };
        let is_service = inside && line.starts_with("  ") && !line.starts_with("   ") && line.ends_with(':');
        if is_service {
            let mark = format!("comment-{}-of-mine", marks.len());
            out.push_str(&format!("  # {mark}\n"));
            marks.push(mark);
        }
        out.push_str(line);
        out.push('\n');
        if inside && line == "    environment:" {
            let mark = format!("VARIABLE_{}_OF_MINE", marks.len());
            out.push_str(&format!("      {mark}: \"1\" # kept\n"));
            marks.push(mark);
        }
    }
    (out, marks)
}

fn after(plan: &Plan, before: &Current) -> Current {
    let mut next = before.clone();
    next.files =
        plan.steps.iter().filter_map(|step| Some((step.name.clone(), step.after.clone()?))).collect();
    for step in &plan.steps {
        match &step.base {
            Base::Keep => {}
            Base::Set(text) => drop(next.base.insert(step.name.clone(), text.clone())),
            Base::Drop => drop(next.base.remove(&step.name)),
        }
    }
    next.conflicts = plan.open.clone().unwrap_or(next.conflicts);
    next
}

fn written(files: &Files) -> Current {
    let texts: BTreeMap<String, String> =
        files.iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
    let base =
        texts.iter().filter(|(name, _)| !name.starts_with(".generated")).map(|(n, t)| (n.clone(), t.clone()));
    Current { base: base.collect(), files: texts, ..Current::default() }
}

/// The versions that follow the first: other preferences, one service less, and both.
fn later(repo: &Repo, first: &Files) -> Vec<Files> {
    let folder = first_folder(first);
    let changed = "isolation: off\nbind: 0.0.0.0\n";
    let versions = [
        generated(repo, changed, None),
        folder.as_deref().and_then(|folder| generated(repo, "", Some(folder))),
        folder.as_deref().and_then(|folder| generated(repo, changed, Some(folder))),
    ];
    versions.into_iter().flatten().collect()
}

#[test]
fn what_a_user_adds_survives_every_later_version() {
    let mut seen = 0;
    for input in inputs() {
        let repo = Repo::open(&input).expect("the case has an input");
        let Some(first) = generated(&repo, "", None) else { continue };
        let mut user = written(&first);
        let (text, marks) = edited(&user.files[COMPOSE]);
        yaml(&text);
        user.files.insert(COMPOSE.to_owned(), text);
        for new in later(&repo, &first) {
            let plan = decide(&user, &new, &Options::default()).expect("no --take is given");
            let next = after(&plan, &user);
            let merged = &next.files[COMPOSE];
            let case = input.display();
            yaml(merged);
            for mark in &marks {
                assert_eq!(merged.matches(mark.as_str()).count(), 1, "{case}: {mark}\n{merged}");
            }
            let step = plan.steps.iter().find(|step| step.name == COMPOSE).expect("is decided");
            assert!(!step.cause.starts_with("you edited it, and"), "{case}: {}", step.cause);
            let again = decide(&next, &new, &Options::default()).expect("no --take is given");
            assert!(!again.changes_anything(), "{case}: the second run still changes something");
            seen += 1;
        }
    }
    assert!(seen > 20, "only {seen} updates");
}

#[test]
fn without_edits_every_later_version_is_taken_as_it_is() {
    for input in inputs() {
        let repo = Repo::open(&input).expect("the case has an input");
        let Some(first) = generated(&repo, "", None) else { continue };
        let before = written(&first);
        for new in later(&repo, &first) {
            let plan = decide(&before, &new, &Options::default()).expect("no --take is given");
            let next = after(&plan, &before);
            for (name, text) in new.iter().filter(|(name, _)| *name != "config.yaml") {
                assert_eq!(next.files[name], text, "{}: {name}", input.display());
            }
            assert_eq!(plan.conflicts().count(), 0);
        }
    }
}
