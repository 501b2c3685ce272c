//! Files that are a part of the monorepo although `.gitignore` names them: those that git tracks all the same, and where
//! there is no index of git, as in an archive, Dockerfiles.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::git_index;
use super::text::{Buffer, read_listed};
use super::walk::{Walked, is_printable, is_skipped, leads_to_a_file};
use crate::model::path::RepoPath;

/// Larger indexes are not read; that of a million files has a tenth of it.
const MAX_INDEX_BYTES: u64 = 1 << 30;

/// Adds them to what was walked below `real`, the root.
pub(super) fn add(real: &Path, walked: &mut Walked) {
    let missing = match tracked(real) {
        Some(tracked) => not_among(tracked, &walked.files),
        None => dockerfiles(real, walked),
    };
    if missing.is_empty() {
        return;
    }
    let skipped = |path: &RepoPath| path.parts().any(|part| is_skipped(part.as_ref()));
    let mut folders = BTreeSet::new();
    for path in missing {
        if !skipped(&path) && leads_to_a_file(real, &real.join(path.as_str())) {
            folders.extend(path.ancestors().skip(1).filter(|folder| !folder.is_root()));
            walked.files.push(path);
        }
    }
    walked.folders.extend(folders);
    walked.sort();
    walked.folders.dedup();
}

/// What git tracks below `real`, by path; `None` where there is no index that can be read.
fn tracked(real: &Path) -> Option<Vec<RepoPath>> {
    let (top, git) = real
        .ancestors()
        .find_map(|folder| Some((folder, folder.join(".git"))).filter(|(_, git)| git.exists()))?;
    let index = of_worktree(top, &git).unwrap_or(git).join("index");
    let about = std::fs::metadata(&index).ok()?;
    if !about.is_file() || about.len() > MAX_INDEX_BYTES {
        return None;
    }
    let paths = git_index::paths(&std::fs::read(index).ok()?)?;
    let below = real.strip_prefix(top).ok()?.to_str()?;
    let below = if below.is_empty() { String::new() } else { format!("{below}/") };
    let inside = paths.iter().filter_map(|path| path.strip_prefix(&below));
    Some(inside.filter(|path| is_printable(path)).filter_map(RepoPath::new).collect())
}

/// Where the index of another worktree, or of a submodule, lies: `.git` is a file then, which says so.
fn of_worktree(top: &Path, git: &Path) -> Option<PathBuf> {
    if !git.is_file() {
        return None;
    }
    let said = read_listed(git, &mut Buffer::default()).ok()?.text.into_owned();
    Some(top.join(said.strip_prefix("gitdir:")?.trim()))
}

/// Those of `paths` that are not in `files`; both sorted.
fn not_among(paths: Vec<RepoPath>, files: &[RepoPath]) -> Vec<RepoPath> {
    let mut files = files.iter().peekable();
    let mut missing = paths;
    missing.retain(|path| {
        while files.next_if(|file| *file < path).is_some() {}
        files.peek() != Some(&path)
    });
    missing
}

/// Dockerfiles that an ignore file names themselves: what is built from is not what a build has left behind.
fn dockerfiles(real: &Path, walked: &Walked) -> Vec<RepoPath> {
    let names_some = |ignore: &&RepoPath| {
        ignore.name() == ".gitignore"
            && read_listed(&real.join(ignore.as_str()), &mut Buffer::default())
                .is_ok_and(|ignore| ignore.text.lines().any(names_dockerfiles))
    };
    let homes: Vec<RepoPath> = walked.files.iter().filter(names_some).filter_map(RepoPath::parent).collect();
    let below = |folder: &&RepoPath| homes.iter().any(|home| folder.is_in(home));
    let folders = walked.folders.iter().filter(below).cloned().chain(homes.iter().cloned());
    let found: BTreeSet<RepoPath> = folders.flat_map(|folder| dockerfiles_in(real, &folder)).collect();
    not_among(found.into_iter().collect(), &walked.files)
}

/// `**/Dockerfile`, `/api/Dockerfile.dev`.
fn names_dockerfiles(line: &str) -> bool {
    let line = line.trim();
    !line.starts_with(['#', '!']) && line.rsplit('/').next().is_some_and(is_dockerfile)
}

fn is_dockerfile(name: &str) -> bool {
    name.contains("ockerfile") || name.contains("ontainerfile")
}

#[allow(clippy::disallowed_methods, reason = "a part of the walk")]
fn dockerfiles_in(real: &Path, folder: &RepoPath) -> Vec<RepoPath> {
    let Ok(entries) = std::fs::read_dir(real.join(folder.as_str())) else { return Vec::new() };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    names
        .filter(|name| is_dockerfile(name) && is_printable(name))
        .filter_map(|name| folder.join(&name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(texts: &str) -> Vec<RepoPath> {
        texts.split_whitespace().filter_map(RepoPath::new).collect()
    }

    #[test]
    fn what_is_missing_is_found_in_one_pass() {
        assert_eq!(not_among(paths("a a/b c d/e"), &paths("a/b b c d")), paths("a d/e"));
        assert_eq!(not_among(paths("a"), &[]), paths("a"));
        assert_eq!(not_among(Vec::new(), &paths("a")), []);
    }

    #[test]
    fn lines_that_name_dockerfiles_are_told_from_others() {
        for line in ["**/Dockerfile", "Dockerfile", " /api/Dockerfile.dev", "*.Dockerfile", "Containerfile"] {
            assert!(names_dockerfiles(line), "{line}");
        }
        for line in ["# Dockerfile", "!Dockerfile", "dockerfiles-old/", "docker/", "Dockerfile/x", ""] {
            assert!(!names_dockerfiles(line), "{line}");
        }
    }
}
