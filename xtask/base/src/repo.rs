//! The read-only view of the monorepo: from disk, or from one string in tests; nothing else reads its files.

pub mod git_index;
mod ignored;
mod text;
mod walk;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::error::Result;
use crate::model::path::RepoPath;
use crate::model::problem::Problem;

pub use text::{Buffer, Text, Unread};

/// Larger files are listed and counted, not read: nothing that discovery understands is as large.
pub const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// The files of a monorepo, in a stable order; their texts are read when they are asked for.
#[derive(Debug, Clone, Default)]
pub struct Repo {
    root: PathBuf,
    /// By path; bytewise, so that everything below a folder is one run.
    files: Vec<RepoPath>,
    /// By path, without the root.
    folders: Vec<RepoPath>,
    problems: Vec<Problem>,
    /// Texts in place of the disk.
    fixture: Option<BTreeMap<RepoPath, String>>,
}

impl Repo {
    /// Walks the tree below `root`.
    ///
    /// # Errors
    /// Where the root cannot be read.
    pub fn open(root: &Path) -> Result<Repo> {
        let walked = walk::walk(root)?;
        Ok(Repo {
            root: root.to_owned(),
            files: walked.files,
            folders: walked.folders,
            problems: walked.problems,
            fixture: None,
        })
    }

    /// A tree from one string: each `//- /path` line begins a file, whose text is what follows.
    pub fn from_fixture(fixture: &str) -> Repo {
        let mut texts: BTreeMap<RepoPath, String> = BTreeMap::new();
        let mut current: Option<RepoPath> = None;
        for line in fixture.split_inclusive('\n') {
            if let Some(path) = line.strip_prefix("//- ") {
                current = RepoPath::root().join(path.trim());
                if let Some(path) = &current {
                    texts.insert(path.clone(), String::new());
                }
            } else if let Some(text) = current.as_ref().and_then(|path| texts.get_mut(path)) {
                text.push_str(line);
            }
        }
        let files: Vec<RepoPath> = texts.keys().cloned().collect();
        let mut folders: Vec<RepoPath> = files
            .iter()
            .flat_map(|file| file.ancestors().skip(1))
            .filter(|folder| !folder.is_root())
            .collect();
        folders.sort_unstable();
        folders.dedup();
        Repo { root: PathBuf::from("fixture"), files, folders, problems: Vec::new(), fixture: Some(texts) }
    }

    /// All files that count, by path.
    pub fn files(&self) -> impl ExactSizeIterator<Item = &RepoPath> {
        self.files.iter()
    }

    /// All folders that count, by path, without the root.
    pub fn folders(&self) -> impl ExactSizeIterator<Item = &RepoPath> {
        self.folders.iter()
    }

    /// The files in `folder` and below it, by path.
    pub fn files_in(&self, folder: &RepoPath) -> &[RepoPath] {
        run_below(&self.files, folder)
    }

    /// The folders below `folder`, by path.
    pub fn folders_in(&self, folder: &RepoPath) -> &[RepoPath] {
        run_below(&self.folders, folder)
    }

    /// Whether a file of that path counts.
    pub fn is_file(&self, path: &RepoPath) -> bool {
        self.files.binary_search(path).is_ok()
    }

    /// Whether a folder of that path counts.
    pub fn is_folder(&self, path: &RepoPath) -> bool {
        path.is_root() || self.folders.binary_search(path).is_ok()
    }

    /// What the walk could not read: unreadable folders, names that nothing can be done with.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The text of a file.
    ///
    /// # Errors
    /// Where it is too large, no text, or cannot be read.
    pub fn text(&self, path: &RepoPath) -> Result<Text, Unread> {
        match &self.fixture {
            Some(texts) => texts.get(path).map(|text| Text::whole(text.clone())).ok_or(Unread::Missing),
            None => text::read(&self.root.join(path.as_str()), self.is_file(path)),
        }
    }

    /// As [`Repo::text`], of a file that [`Repo::files`] has given, by a reader of many.
    ///
    /// # Errors
    /// As there.
    pub fn text_of_listed<'b>(
        &'b self,
        path: &RepoPath,
        buffer: &'b mut Buffer,
    ) -> Result<Text<Cow<'b, str>>, Unread> {
        match &self.fixture {
            Some(texts) => {
                let text = texts.get(path).ok_or(Unread::Missing)?;
                Ok(Text::whole(Cow::Borrowed(text)))
            }
            None => text::read_listed(&self.root.join(path.as_str()), buffer),
        }
    }

    /// Where the tree lies on disk.
    pub fn root(&self) -> &Path {
        &self.root
    }
}

/// The part of a sorted list that lies below `folder`.
fn run_below<'a>(sorted: &'a [RepoPath], folder: &RepoPath) -> &'a [RepoPath] {
    if folder.is_root() {
        return sorted;
    }
    let prefix = format!("{folder}/");
    let start = sorted.partition_point(|path| path.as_str() < prefix.as_str());
    let length = sorted[start..].partition_point(|path| path.as_str().starts_with(&prefix));
    &sorted[start..start + length]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RepoPath {
        RepoPath::new(text).expect("inside the root")
    }

    #[test]
    fn fixture_is_a_tree() {
        let repo = Repo::from_fixture("//- /a/b.txt\none\ntwo\n//- /a-b/c.txt\n//- /a/d/e.txt\nthree\n");
        let below: Vec<&str> = repo.files_in(&path("a")).iter().map(RepoPath::as_str).collect();
        assert_eq!(below, ["a/b.txt", "a/d/e.txt"]);
        assert!(repo.is_folder(&path("a/d")) && !repo.is_folder(&path("a/b.txt")));
        assert_eq!(repo.text(&path("a/b.txt")).expect("is there").text, "one\ntwo\n");
        assert_eq!(repo.text(&path("a/x.txt")), Err(Unread::Missing));
    }
}
