//! What lies in the setup's folder and what was generated last; writes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;

use crate::apply::folder::{BASE, CONFLICTS, Folder, GENERATED, STATE};
use crate::error::{Failure, Failures, Result};
use crate::model::files::Files;

/// The setup as it lies there; raw texts by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Current {
    /// The files that are or were generated, as people left them.
    pub files: BTreeMap<String, String>,
    /// The same as they were last generated.
    pub base: BTreeMap<String, String>,
    /// Unresolved conflicts of earlier runs: file and key.
    pub conflicts: BTreeSet<(String, String)>,
    /// Temporary files of a run that was killed, relative to the folder.
    pub leftovers: Vec<String>,
}

/// The text of `.generated/state.yaml`; `None` where there is none yet.
///
/// # Errors
/// Where it is there and cannot be read.
pub fn state(folder: &Folder) -> Result<Option<String>> {
    text(folder, STATE)
}

/// The text of one file of the folder; `None` where there is none.
///
/// # Errors
/// Where it is there and cannot be read.
pub fn file(folder: &Folder, name: &str) -> Result<Option<String>> {
    text(folder, name)
}

/// Names (`below/…`) and texts of the files below a folder of the setup, in order; empty where there is none.
///
/// # Errors
/// All files at once that cannot be read.
pub fn files_below(folder: &Folder, below: &str) -> Result<Vec<(String, String)>> {
    let (mut found, mut failures) = (BTreeSet::new(), Vec::new());
    names(folder, below, &mut found, &mut failures);
    let mut texts = BTreeMap::new();
    for name in found {
        let name = format!("{below}/{name}");
        keep(text(folder, &name), &name, &mut texts, &mut failures);
    }
    Failures::check(failures, "nothing was written")?;
    Ok(texts.into_iter().collect())
}

/// Reads the current and the base text of every file in `new` and of every file generated last time.
///
/// # Errors
/// All files at once that cannot be read, are no files, no UTF-8, or behind a link that leaves the folder.
pub fn read(folder: &Folder, new: &Files) -> Result<Current> {
    let mut current = Current::default();
    let mut failures = Vec::new();
    let mut last = BTreeSet::new();
    names(folder, BASE, &mut last, &mut failures);
    let all: BTreeSet<&str> =
        last.iter().map(String::as_str).chain(new.iter().map(|(name, _)| name)).collect();
    for name in all {
        keep(text(folder, name), name, &mut current.files, &mut failures);
        current.leftovers.extend(leftover(folder, name));
        if !name.starts_with(GENERATED) {
            let base = format!("{BASE}/{name}");
            keep(text(folder, &base), name, &mut current.base, &mut failures);
            current.leftovers.extend(leftover(folder, &base));
        }
    }
    match text(folder, CONFLICTS) {
        Ok(lines) => current.conflicts = conflicts(&lines.unwrap_or_default()),
        Err(error) => failures.push(failure(error)),
    }
    current.leftovers.extend(leftover(folder, CONFLICTS));
    Failures::check(failures, "nothing was written")?;
    Ok(current)
}

/// The temporary name under which a file is written: in the same folder, hidden, always the same.
pub fn temporary(name: &str) -> String {
    match name.rsplit_once('/') {
        Some((folder, file)) => format!("{folder}/.{file}.xtask-new"),
        None => format!(".{name}.xtask-new"),
    }
}

fn conflicts(lines: &str) -> BTreeSet<(String, String)> {
    let pairs = lines.lines().filter_map(|line| line.split_once(':'));
    pairs.map(|(file, key)| (file.to_owned(), key.to_owned())).collect()
}

fn keep(
    text: Result<Option<String>>,
    name: &str,
    into: &mut BTreeMap<String, String>,
    failures: &mut Vec<Failure>,
) {
    match text {
        Ok(Some(text)) => {
            into.insert(name.to_owned(), text);
        }
        Ok(None) => {}
        Err(error) => failures.push(failure(error)),
    }
}

fn failure(error: anyhow::Error) -> Failure {
    error.downcast().unwrap_or_else(|error| Failure::new("cannot read the setup").why(error))
}

/// The temporary file beside a file, where a killed run left one.
pub fn leftover(folder: &Folder, name: &str) -> Option<String> {
    let name = temporary(name);
    let path = folder.locate(&name).ok()?;
    path.symlink_metadata().is_ok().then_some(name)
}

#[allow(clippy::disallowed_methods, reason = "the room in which the setup is read")]
fn text(folder: &Folder, name: &str) -> Result<Option<String>> {
    let path = folder.locate(name)?;
    match path.metadata() {
        Err(why) if why.kind() == ErrorKind::NotFound => return Ok(None),
        Err(why) => return Err(folder.unreadable(name, why).into()),
        Ok(meta) if !meta.is_file() => {
            let what = format!("`{}` is not a file", folder.show(name));
            return Err(Failure::new(what).at(folder.show(name)).fix("move it away").into());
        }
        Ok(_) => {}
    }
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text)),
        Err(why) if why.kind() == ErrorKind::InvalidData => {
            let what = format!("`{}` is not valid UTF-8", folder.show(name));
            Err(Failure::new(what).at(folder.show(name)).fix("save it as UTF-8, or move it away").into())
        }
        Err(why) => Err(folder.unreadable(name, why).into()),
    }
}

/// The files below a folder of ours, relative to it.
#[allow(clippy::disallowed_methods, reason = "the room in which the setup is read")]
fn names(folder: &Folder, below: &str, into: &mut BTreeSet<String>, failures: &mut Vec<Failure>) {
    let mut open = vec![below.to_owned()];
    while let Some(dir) = open.pop() {
        let path = match folder.locate(&dir) {
            Ok(path) => path,
            Err(error) => {
                failures.push(failure(error));
                continue;
            }
        };
        let entries = match std::fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(why) if why.kind() == ErrorKind::NotFound => continue,
            Err(why) => {
                failures.push(folder.unreadable(&dir, why));
                continue;
            }
        };
        for entry in entries.flatten() {
            let Ok(file) = entry.file_name().into_string() else { continue };
            let name = format!("{dir}/{file}");
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                open.push(name);
            } else if !file.ends_with(".xtask-new") {
                into.extend(name.strip_prefix(below).map(|name| name.trim_start_matches('/').to_owned()));
            }
        }
    }
}
