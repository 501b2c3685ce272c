//! Reads the repository into facts with their evidence; decides nothing and touches the disk only through `repo`.

pub mod lang;
pub mod placeholder;
pub mod url;

use crate::catalog::Catalog;
use crate::error::Result;
use crate::model::fact::{Fact, Facts};
use crate::model::path::RepoPath;
use crate::repo::Repo;

/// One file, as a detector sees it.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// Where it lies.
    pub path: &'a RepoPath,
    /// Its whole text.
    pub text: &'a str,
    /// To recognise infrastructure.
    pub catalog: &'a Catalog,
}

/// One rule or family of rules for one kind of file.
#[derive(Clone, Copy)]
pub struct Detector {
    /// For messages and tests: the file's name without `.rs`.
    pub name: &'static str,
    /// Whether a file of that path is worth reading; must be cheap.
    pub wants: fn(&RepoPath) -> bool,
    /// Adds what the file says.
    pub read: fn(&Source<'_>, &mut Vec<Fact>),
}

impl std::fmt::Debug for Detector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Detector").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Where to look, as far as `config.yaml` says.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// Globs of service folders; empty means `workspace/code/*` where it exists, else everything.
    pub roots: Vec<String>,
    /// Globs of what to leave out.
    pub exclude: Vec<String>,
}

/// Everything the repository says.
///
/// # Errors
/// Where the tree itself cannot be read; single unreadable files become problems.
pub fn discover(repo: &Repo, catalog: &Catalog, scope: &Scope) -> Result<Facts> {
    let _ = (repo, catalog, scope);
    Ok(Facts::default())
}
