//! Walks the tree once, in parallel; reads no file besides the ignore files and never leaves the root.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ignore::{DirEntry, WalkBuilder, WalkState};

use super::ignored;
use crate::error::{Failure, Result};
use crate::model::path::RepoPath;
use crate::model::problem::{Problem, Severity};

/// Folders that hold other people's code or what a build left behind, wherever they lie.
const SKIPPED: &[&str] = &[
    ".bzr",
    ".cache",
    ".eggs",
    ".git",
    ".gradle",
    ".hg",
    ".mypy_cache",
    ".next",
    ".nox",
    ".nuxt",
    ".pnpm-store",
    ".pytest_cache",
    ".ruff_cache",
    ".svelte-kit",
    ".svn",
    ".terraform",
    ".tox",
    ".turbo",
    ".venv",
    ".yarn",
    "Pods",
    "__pycache__",
    "_build",
    "bower_components",
    "jspm_packages",
    "node_modules",
    "site-packages",
    "target",
    "vendor",
    "venv",
    "virtualenv",
];

/// What the walk found, sorted.
#[derive(Debug, Default)]
pub(super) struct Walked {
    pub(super) files: Vec<RepoPath>,
    pub(super) folders: Vec<RepoPath>,
    pub(super) problems: Vec<Problem>,
}

/// Lists everything below `root` that git does not ignore.
pub(super) fn walk(root: &Path) -> Result<Walked> {
    let real = root.canonicalize().map_err(|why| unreadable_root(root, &why))?;
    if !real.is_dir() {
        return Err(Failure::new(format!("`{}` is not a folder", root.display()))
            .fix("give the monorepo's folder with `--root`")
            .into());
    }
    let found = Mutex::new(Walked::default());
    builder(root, &real).build_parallel().run(|| {
        let mut part = Part { walked: Walked::default(), all: &found };
        let real = &real;
        Box::new(move |entry| {
            let item = match entry {
                Ok(entry) => classify(root, real, &entry),
                Err(why) => Some(Item::Problem(unreadable(root, &why))),
            };
            if let Some(item) = item {
                part.walked.add(item);
            }
            WalkState::Continue
        })
    });
    let mut walked = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    walked.sort();
    ignored::add(&real, &mut walked);
    for environment in environments(&walked.files) {
        walked.leave_out(&environment);
    }
    Ok(walked)
}

fn builder(root: &Path, real: &Path) -> WalkBuilder {
    let mut builder = WalkBuilder::new(root);
    // Without a repository around it, the ignore files above the root belong to somebody else.
    let in_git = real.ancestors().any(|folder| folder.join(".git").exists());
    builder
        .standard_filters(false)
        .hidden(false)
        .git_ignore(true)
        .git_exclude(true)
        .git_global(true)
        .require_git(false)
        .parents(in_git)
        .follow_links(false)
        .threads(std::thread::available_parallelism().map_or(2, |n| n.get().min(8)))
        .filter_entry(|entry| {
            !(entry.file_type().is_some_and(|kind| kind.is_dir()) && is_skipped(entry.file_name()))
        });
    builder
}

pub(super) fn is_skipped(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| SKIPPED.binary_search(&name).is_ok())
}

/// The virtual environments of Python that are called something else than [`SKIPPED`] says. They are walked, being few: to
/// ask each folder for this file before it is walked would cost one call of the system for each.
fn environments(files: &[RepoPath]) -> Vec<RepoPath> {
    files.iter().filter(|file| file.as_str().ends_with("/pyvenv.cfg")).filter_map(RepoPath::parent).collect()
}

enum Item {
    File(RepoPath),
    Folder(RepoPath),
    Problem(Problem),
}

/// What one thread found; sorted and handed over when the thread is done, so that the threads do not wait for each other.
struct Part<'a> {
    walked: Walked,
    all: &'a Mutex<Walked>,
}

impl Drop for Part<'_> {
    fn drop(&mut self) {
        self.walked.sort();
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.files.append(&mut self.walked.files);
        all.folders.append(&mut self.walked.folders);
        all.problems.append(&mut self.walked.problems);
    }
}

impl Walked {
    /// Stable sorting, because it merges the sorted parts of the threads instead of sorting them once more.
    pub(super) fn sort(&mut self) {
        self.files.sort();
        self.folders.sort();
        self.problems.sort_by(|a, b| a.at.cmp(&b.at));
    }

    fn leave_out(&mut self, folder: &RepoPath) {
        self.files.retain(|path| !path.is_in(folder));
        self.folders.retain(|path| !path.is_in(folder));
        let is_in = |place: &String| RepoPath::new(place).is_some_and(|path| path.is_in(folder));
        self.problems.retain(|problem| !problem.at.iter().any(is_in));
    }

    fn add(&mut self, item: Item) {
        match item {
            Item::File(path) => self.files.push(path),
            Item::Folder(path) => self.folders.push(path),
            Item::Problem(problem) => self.problems.push(problem),
        }
    }
}

fn classify(root: &Path, real: &Path, entry: &DirEntry) -> Option<Item> {
    let kind = entry.file_type()?;
    if entry.depth() == 0 {
        return None;
    }
    let relative = below(root, entry.path())?;
    let text = relative.to_str().filter(|text| is_printable(text));
    let Some(path) = text.and_then(RepoPath::new) else {
        return Some(Item::Problem(unusable_name(relative)));
    };
    if kind.is_dir() {
        Some(Item::Folder(path))
    } else if kind.is_file() || (kind.is_symlink() && leads_to_a_file(real, entry.path())) {
        Some(Item::File(path))
    } else {
        None
    }
}

/// `path`, which the walk has joined to `root`, as seen from there: cheaper than to compare their parts.
fn below<'a>(root: &Path, path: &'a Path) -> Option<&'a Path> {
    let whole = root.to_str().zip(path.to_str());
    match whole.and_then(|(root, path)| path.strip_prefix(root)) {
        Some(rest) => Some(Path::new(rest.trim_start_matches('/'))),
        None => path.strip_prefix(root).ok(),
    }
}

/// No control characters; those of Latin-1 are longer than one byte in UTF-8.
pub(super) fn is_printable(text: &str) -> bool {
    let mut plain = true;
    for byte in text.as_bytes() {
        plain &= matches!(*byte, b' '..=b'~');
    }
    plain || !text.chars().any(char::is_control)
}

/// Whether a link ends at a plain file inside the root. Linked folders are left out: they would count twice, or never end.
pub(super) fn leads_to_a_file(real: &Path, link: &Path) -> bool {
    link.canonicalize().is_ok_and(|target| target.starts_with(real) && target.is_file())
}

fn unreadable_root(root: &Path, why: &std::io::Error) -> anyhow::Error {
    Failure::new(format!("cannot read the monorepo `{}`", root.display()))
        .why(why)
        .fix("give the monorepo's folder with `--root`")
        .into()
}

fn unreadable(root: &Path, why: &ignore::Error) -> Problem {
    let place = path_of(why).and_then(|path| Some(path.strip_prefix(root).ok()?.display().to_string()));
    let cause = why.io_error().map_or_else(|| why.to_string(), ToString::to_string);
    let message = format!("a part of the tree cannot be read ({cause}), so nothing in it counts");
    let problem = Problem::new("unreadable", Severity::Warning, message)
        .fix("make it readable for you, or leave it out with `services.exclude` in `config.yaml`");
    match place {
        Some(place) => problem.at(place),
        None => problem,
    }
}

fn path_of(why: &ignore::Error) -> Option<PathBuf> {
    match why {
        ignore::Error::WithPath { path, .. } => Some(path.clone()),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => path_of(err),
        _ => None,
    }
}

fn unusable_name(relative: &Path) -> Problem {
    let shown: String = relative.to_string_lossy().chars().flat_map(char::escape_default).collect();
    Problem::new(
        "unusable-name",
        Severity::Note,
        "a file's name is not UTF-8 or holds control characters; it is left out",
    )
    .at(shown)
    .fix("rename it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skipped_folders_are_sorted_for_the_search() {
        assert!(SKIPPED.is_sorted());
    }
}
