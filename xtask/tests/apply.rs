//! Case folders: base, what the user made of it, what is generated now, and what comes out.
//!
//! A case is a folder below `tests/apply/` with `base/`, `current/`, `new/`, `expected/` and `report`, and perhaps
//! `take` with a line `generated FILE:KEY` for each `--take`, and `renamed` with a line `OLD NEW` for each service that
//! has another name now. `UPDATE=1 cargo test` writes `expected/` and `report`.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test reads and writes its cases")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use xtask::apply::current::Current;
use xtask::apply::decide::decide;
use xtask::apply::plan::{Base, Plan};
use xtask::apply::take::{Options, Take};
use xtask::model::files::Files;

type Texts = BTreeMap<String, String>;

fn cases() -> Vec<PathBuf> {
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/apply");
    let entries = fs::read_dir(home).unwrap().map(|entry| entry.unwrap().path());
    let mut cases: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    cases.sort();
    cases
}

fn texts(folder: &Path) -> Texts {
    let mut texts = Texts::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(&dir).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                texts.insert(name, fs::read_to_string(path).unwrap());
            }
        }
    }
    texts
}

fn options(case: &Path) -> Options {
    let lines = fs::read_to_string(case.join("take")).unwrap_or_default();
    let pairs = lines.lines().map(|line| line.split_once(' ').unwrap());
    let take = pairs.map(|(side, place)| Take::parse(side, place).unwrap()).collect();
    let lines = fs::read_to_string(case.join("renamed")).unwrap_or_default();
    let pairs = lines.lines().map(|line| line.split_once(' ').unwrap());
    let renamed = pairs.map(|(old, new)| (old.to_owned(), new.to_owned())).collect();
    Options { take, renamed, ..Options::default() }
}

fn report(plan: &Plan) -> String {
    let mut report = String::new();
    for step in plan.shown() {
        report.push_str(&format!("{} {} ({})\n", step.action.done(), step.name, step.cause));
        for note in &step.notes {
            report.push_str(&format!("  note: {note}\n"));
        }
        for conflict in &step.conflicts {
            report.push_str(&format!("  conflict: {}\n", conflict.place(&step.name)));
            for (side, text) in [("mine", &conflict.mine), ("generated", &conflict.generated)] {
                let text = text.as_deref().unwrap_or("(not there)").replace('\n', "\n      ");
                report.push_str(&format!("    {side}: {text}\n"));
            }
        }
    }
    report
}

fn files(plan: &Plan) -> Texts {
    plan.steps.iter().filter_map(|step| Some((step.name.clone(), step.after.clone()?))).collect()
}

/// What the next run finds.
fn carried_out(plan: &Plan, before: &Current) -> Current {
    let mut after = Current { files: files(plan), ..before.clone() };
    for step in &plan.steps {
        match &step.base {
            Base::Keep => {}
            Base::Set(text) => drop(after.base.insert(step.name.clone(), text.clone())),
            Base::Drop => drop(after.base.remove(&step.name)),
        }
    }
    after.conflicts = plan.open.clone().unwrap_or(after.conflicts);
    after
}

fn changed(plan: &Plan) -> Vec<&str> {
    let changed = plan.steps.iter().filter(|step| step.before != step.after);
    changed.map(|step| step.name.as_str()).collect()
}

fn check(case: &Path, failures: &mut Vec<String>) {
    let name = case.file_name().unwrap().to_str().unwrap();
    for entry in fs::read_dir(case).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        if !["base", "current", "new", "expected", "report", "take", "renamed"].contains(&file.as_str()) {
            failures.push(format!("{name}: what is `{file}`?"));
        }
    }
    let before = Current {
        files: texts(&case.join("current")),
        base: texts(&case.join("base")),
        ..Current::default()
    };
    let new = Files(texts(&case.join("new")));
    let plan = decide(&before, &new, &options(case)).unwrap();
    let (got, said) = (files(&plan), report(&plan));
    if std::env::var_os("UPDATE").is_some() {
        let expected = case.join("expected");
        let _ = fs::remove_dir_all(&expected);
        for (file, text) in &got {
            let path = expected.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        fs::write(case.join("report"), &said).unwrap();
    }
    let (want, told) =
        (texts(&case.join("expected")), fs::read_to_string(case.join("report")).unwrap_or_default());
    for file in want.keys().chain(got.keys()) {
        let text = |texts: &Texts| texts.get(file).cloned().unwrap_or_default();
        if want.get(file) != got.get(file) {
            let diff = diffy::create_patch(&text(&want), &text(&got)).to_string();
            failures.push(format!("{name}: {file} differs\n{diff}"));
        }
    }
    if told != said {
        failures.push(format!("{name}: the report differs\n{}", diffy::create_patch(&told, &said)));
    }
    let next = carried_out(&plan, &before);
    let again = decide(&next, &new, &Options { take: Vec::new(), ..options(case) }).unwrap();
    if again.changes_anything() {
        failures.push(format!("{name}: the second run still changes {:?}", changed(&again)));
    }
    let killed = Current { files: next.files, ..before };
    let completed = decide(&killed, &new, &Options { take: Vec::new(), ..options(case) }).unwrap();
    if options(case).take.is_empty() && !changed(&completed).is_empty() {
        failures
            .push(format!("{name}: killed before the copies, it changes {:?} again", changed(&completed)));
    }
}

#[test]
fn every_case_comes_out_as_expected_and_a_second_run_changes_nothing() {
    let mut failures = Vec::new();
    let cases = cases();
    assert!(!cases.is_empty());
    for case in &cases {
        check(case, &mut failures);
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
