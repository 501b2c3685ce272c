//! The read-only view of the monorepo: from disk, or from one string in tests; nothing else reads its files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::error::Result;
use crate::model::path::RepoPath;

/// Larger files are listed and counted, not read: nothing that discovery understands is as large.
pub const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// The files of a monorepo, in a stable order.
#[derive(Debug, Clone, Default)]
pub struct Repo {
    root: PathBuf,
    files: BTreeSet<RepoPath>,
}

impl Repo {
    /// Walks the tree below `root`.
    ///
    /// # Errors
    /// Where the root cannot be read.
    pub fn open(root: &Path) -> Result<Repo> {
        let _ = root;
        Ok(Repo::default())
    }

    /// All files that count, by path.
    pub fn files(&self) -> impl Iterator<Item = &RepoPath> {
        self.files.iter()
    }

    /// Where the tree lies on disk.
    pub fn root(&self) -> &Path {
        &self.root
    }
}
